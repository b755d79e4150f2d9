"""What a method says of one deletion, or why it cannot; and whether methods fit a run."""

from typing import NamedTuple

import numpy as np

from ..checks import brief
from ..estimation.units import Units
from .suspects import SAME


class Answer(NamedTuple):
    """The change that a method predicts, with its 90% band, or why it cannot answer.

    change: None if it cannot answer; reason says why. low, high: changes; None if nothing is known
    of the error.
    """

    change: float | None
    low: float | None = None
    high: float | None = None
    reason: str = ""


def answer(predictor, down_weights, now):
    """The `Answer` of a predictor for one deletion, (units,). now: the output before it."""
    try:
        found = predictor.predict(down_weights)
        change, error = float(found.value) - now, float(found.error)
        low, high = float(found.low) - now, float(found.high) - now
    except Exception as failure:  # whatever it is: one method must not hide the others
        plain = isinstance(failure, ValueError) and str(failure)
        kind = "" if plain else type(failure).__name__
        return Answer(None, reason=": ".join(filter(None, (kind, str(failure)))))
    if not np.isfinite(change):
        return Answer(None, reason=f"its prediction is {float(found.value)}")
    # by the error: an unknown band ends where the output is bounded, and may look finite
    known = np.isfinite(error) and np.isfinite(low) and np.isfinite(high)
    return Answer(change, low, high) if known else Answer(change)


def check_predictors(predictors, now, units):
    """Raise TypeError or ValueError, in words, for methods that do not fit the outputs of a run.

    now: the outputs with nothing deleted. units: the `Units` of the deletions.
    """
    if not isinstance(predictors, dict) or not predictors:
        raise TypeError(
            "predictors must be a dict from the name of a method to a list of its predictors, one "
            f"for each output, not {brief(predictors)}"
        )
    for name, each in predictors.items():
        if not isinstance(name, str) or not name.strip():
            raise TypeError(f"the name of a method must be a string, not {brief(name)}")
        if not isinstance(each, (list, tuple)):
            raise TypeError(
                f"predictors[{name!r}] must be a list, one for each output, not {brief(each)}"
            )
        if len(each) != len(now):
            raise ValueError(
                f"predictors[{name!r}] has {len(each)} predictors for {len(now)} outputs: give one "
                "for each, in the order of the outputs"
            )
        for number, one in enumerate(each):
            if not callable(getattr(one, "predict", None)):
                raise TypeError(
                    f"predictors[{name!r}][{number}] must have a method predict, as what "
                    f"attribution.first_order returns has, not {brief(one)}"
                )
            _check_fit(f"predictors[{name!r}][{number}]", number, one, now[number], units)


def _check_fit(what, number, one, now, units):
    """Raise ValueError if a predictor is of other deletion units, or of another output."""
    own = getattr(one, "units", getattr(getattr(one, "known", None), "units", None))
    if isinstance(own, Units) and not np.array_equal(own.of_document, units.of_document):
        raise ValueError(
            f"{what} is of other deletion units ({len(own)}) than units= here ({len(units)}): give "
            "the units= that the predictors were made with"
        )
    start = _start(one, len(units))
    if start is not None and not abs(start - now) <= SAME * max(1.0, abs(now)):
        raise ValueError(
            f"{what} is of another output: it starts from {start:.6g}, but output {number} of this "
            f"run is {now:.6g}"
        )


def _start(one, count):
    """The output with nothing deleted, as a predictor has it; None if it does not say."""
    if not hasattr(one, "now"):
        try:
            one = one.predict(np.zeros(count))
        except Exception:  # what it cannot answer is told for each deletion
            return None
    start = getattr(one, "now", None)
    return float(start) if isinstance(start, (int, float)) else None
