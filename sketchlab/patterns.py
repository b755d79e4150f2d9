"""Patterns that people type, looked for in texts, with a limit of time."""

import math
import time

import regex

LONGEST, SECONDS = 200, 1.0  # letters of a pattern; for all texts together
COUNTED = regex.compile(r"\{(\d*),?(\d*)\}")  # such as {3} or {2,5}
MOST_COPIES = 10_000  # that nested counts make of a part: more take gigabytes to prepare


def matching(pattern, texts):
    """Which texts a regular expression is found in: a list of booleans.

    Some, such as `(a*)*b`, can take hours on a short text. Raises ValueError, in words, for what is
    none, is longer than 200 letters, or takes longer than a second.
    """
    if len(pattern) > LONGEST:
        raise ValueError(
            f"a regular expression has at most {LONGEST} letters here, not {len(pattern)}"
        )
    counts = [max(int(end or 1) for end in ends) for ends in COUNTED.findall(pattern)]
    if math.prod(map(max, counts, [1] * len(counts))) > MOST_COPIES:
        raise ValueError(
            f"the counts in {pattern!r} multiply to more than {MOST_COPIES:,}: use smaller ones"
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
