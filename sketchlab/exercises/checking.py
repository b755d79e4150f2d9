"""What is said of an answer: right, nearly or not yet, with the hint that fits the mistake.

A question has a name, such as "05.2" (notebook, number), and an entry in `answers/05.toml`:

right: a number, a list of numbers, or a string (a choice).
within: how far a number may be off, as a share of it; default 0.001, and 0 where `right` is whole.
any_order: the order of the list does not count.
hints: a list of {at = wrong answer, say = "what went wrong"}.
wrong: what is said of any other wrong answer. after: what is said after "Right.".
"""

import sys
import tomllib
from importlib import resources

import numpy as np

from ..checks import brief

ANSWERS = resources.files(__package__).joinpath("answers")
QUESTIONS = {
    name: entry
    for file in sorted(ANSWERS.iterdir(), key=lambda file: file.name)
    for name, entry in tomllib.loads(file.read_text(encoding="utf-8")).items()
}
EMPTY = "Write your answer in the cell above, then run both cells."
STOPPED = (
    "The cell that you ran before this one stopped with an error, so the answer may be an earlier "
    "one: mend it, and run both cells again."
)
WITHIN, NEARLY = 1e-3, 0.05  # relative


def check(question, answer):
    """Print what there is to say of an answer (see `verdict`)."""
    print(verdict(question, answer))


def verdict(question, answer):
    """What there is to say of an answer, whatever it is: a string that begins with "Right." or not.

    question: its name; KeyError for one that does not exist.
    """
    entry = QUESTIONS.get(question) if isinstance(question, str) else None
    if entry is None:
        raise KeyError(f"there is no question {brief(question)}: see the notebook for its name")
    if answer is None:
        return EMPTY
    if not _previous_cell_ran():
        return STOPPED
    if isinstance(entry["right"], str):
        return _of_choice(entry, answer)
    right = np.array(entry["right"], float)
    values, complaint = _numbers(answer, right.shape)
    return complaint or _of_numbers(entry, right, values)


def _previous_cell_ran():
    """Whether the cell that was run before this one ended without an error, where there are any."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return getattr(shell, "last_execution_succeeded", True)


def _of_choice(entry, answer):
    if not isinstance(answer, str):
        return f"A string in quotes is asked for; this is a value of type {type(answer).__name__}."
    given = answer.strip().casefold()
    if given == entry["right"].casefold():
        return _praise(entry)
    for hint in entry.get("hints", ()):
        if given == hint["at"].casefold():
            return f"Not yet: {hint['say']}"
    return f"Not yet: {entry['wrong']}"


def _of_numbers(entry, right, values):
    if entry.get("any_order"):
        right, values = np.sort(right), np.sort(values)
    whole = bool(np.all(right == np.round(right)))
    within = entry.get("within", 0.0 if whole else WITHIN)
    if _close(values, right, within):
        return _praise(entry)
    for hint in entry.get("hints", ()):
        at = np.broadcast_to(np.array(hint["at"], float), right.shape)
        if _close(values, at, within or WITHIN):
            return f"Not yet: {hint['say']}"
    if right.ndim == 0 and whole and abs(values - right) <= 1:
        return f"Nearly: at most one away. {entry['wrong']}"
    if _close(values, right, NEARLY):
        return f"Nearly: within {NEARLY:.0%}, but more digits are asked for. {entry['wrong']}"
    if np.any(right) and _close(-values, right, max(within, WITHIN)):
        return "Nearly: the size is right, the sign is not."
    if right.ndim and np.sum(np.isclose(values, right, rtol=max(within, WITHIN))) > right.size / 2:
        return f"Nearly: most of the numbers are right. {entry['wrong']}"
    return f"Not yet: {entry['wrong']}"


def _praise(entry):
    return f"Right. {entry['after']}" if "after" in entry else "Right."


def _close(values, wanted, within):
    return bool(np.all(np.abs(values - wanted) <= within * np.abs(wanted) + 1e-12))


def _numbers(answer, shape):
    """An answer as real numbers of this shape, or None and what is wrong with it."""
    asked = "one number" if shape == () else f"a list of {shape[0]} numbers"
    if isinstance(answer, (set, frozenset)):
        answer = list(answer)
    try:
        array = np.asarray(answer)
        if array.dtype.kind in "USb":
            found = "True or False" if array.dtype.kind == "b" else "text"
            return None, f"{asked.capitalize()} is asked for, without quotes; this is {found}."
        values = np.array(array, complex)
    except Exception:  # whatever was typed: an answer must not end in a traceback
        return None, (
            f"{asked.capitalize()} is asked for; this is a value of type {type(answer).__name__}."
        )
    if np.any(np.abs(values.imag) > 1e-9 * np.abs(values)):
        return None, "A real number is asked for; this one has an imaginary part."
    values = values.real
    if not np.all(np.isfinite(values)):
        return None, "Not yet: this is not finite."
    if values.size != int(np.prod(shape)):
        return None, f"{asked.capitalize()} is asked for; this has the shape {values.shape}."
    return values.reshape(shape), ""
