"""Patterns that people type, looked for in texts, with a limit of time."""

import time

import regex

LONGEST, SECONDS = 200, 1.0  # letters of a pattern; for all texts together


def matching(pattern, texts):
    """Which texts a regular expression is found in: a list of booleans.

    Some, such as `(a*)*b`, can take hours on a short text. Raises ValueError, in words, for what is
    none, is longer than 200 letters, or takes longer than a second.
    """
    if len(pattern) > LONGEST:
        raise ValueError(
            f"a regular expression has at most {LONGEST} letters here, not {len(pattern)}"
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
