"""Patterns that people type, looked for in texts, with a limit of time."""

import time

import regex

LONGEST, SECONDS = 200, 1.0  # letters of a pattern; for all texts together
TOKENS = regex.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{\d*,?\d*\}|.", regex.DOTALL)
MOST_COPIES = 10_000  # of letters, once counts are written out: more take gigabytes to prepare


def matching(pattern, texts):
    """Which texts a regular expression is found in: a list of booleans.

    Some, such as `(a*)*b`, can take hours on a short text. Raises ValueError, in words, for what is
    none, is longer than 200 letters, or takes longer than a second.
    """
    if len(pattern) > LONGEST:
        raise ValueError(
            f"a regular expression has at most {LONGEST} letters here, not {len(pattern)}"
        )
    if copies(pattern) > MOST_COPIES:
        raise ValueError(
            f"the counts in {pattern!r} make more than {MOST_COPIES:,} copies: use smaller ones"
        )
    try:
        search = regex.compile(pattern).search
    except (regex.error, OverflowError, RecursionError, MemoryError) as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error
    end = time.monotonic() + SECONDS
    try:
        return [
            search(text, timeout=max(end - time.monotonic(), 1e-3)) is not None for text in texts
        ]
    except TimeoutError:
        raise ValueError(
            f"the regular expression {pattern!r} takes longer than {SECONDS:g} s: write it with "
            "fewer repetitions inside of repetitions"
        ) from None


def copies(pattern):
    """How many letters a pattern has once its counts, such as {3} or {2,5}, are written out.

    Those inside of a counted group multiply, those one after the other add up.
    """
    groups, last = [0], 0  # letters of the open groups, and of what comes before a count
    for token in TOKENS.findall(pattern):
        if token == "(":
            groups.append(0)
        elif token == ")" and len(groups) > 1:
            last = groups.pop()
            groups[-1] += last
        elif regex.fullmatch(r"\{\d+,?\d*\}|\{,\d+\}", token):
            times = max(1, *(int(end or 1) for end in token[1:-1].split(",")))
            groups[-1] += last * (times - 1)
            last *= times
        elif token not in "*+?":
            last = 1
            groups[-1] += 1
    return sum(groups)
