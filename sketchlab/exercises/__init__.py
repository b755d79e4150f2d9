"""Exercises of the notebooks: what is said of an answer.

`check`: of a number, several, or a choice; what is right, and the hints for known mistakes, stand
in `answers/`. `judge`: of functions that the reader has written, by cases and laws; the tests
of the package hold its own functions to the same (`judges`).
"""

from .checking import QUESTIONS, check, verdict
from .judges import JUDGES, judge

__all__ = ["JUDGES", "QUESTIONS", "check", "judge", "verdict"]
