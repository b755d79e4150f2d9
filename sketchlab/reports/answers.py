"""What named outputs were predicted to be after a deletion, and what exact retraining gave."""

import math

import numpy as np

from ..algebra import ring
from ..arguments import check_list
from ..checks import brief
from ..estimation.prediction import COVERAGE
from ..training.microgpt import MicroGPT
from ..training.outputs import MeanLoss

ROUNDING = 1e-6  # of a value that is known exactly, relative: it may come from another machine


def asked(outputs, run, deleted, unseen):
    """The outputs by title: those given, or mean losses on deleted and on unseen documents.

    outputs: a list of functions of a model, such as `LossOn("max")`, or a dict of them by title.
    Raises TypeError or ValueError for what is no such function, or has no one finite value.
    """
    if outputs is None:
        found = {"mean loss on the deleted documents": _mean_loss(run, run.examples(deleted))}
        if unseen is not None:
            found["mean loss on the unseen documents"] = _mean_loss(run, unseen)
    elif isinstance(outputs, dict):
        found = dict(outputs)
    else:
        given = [outputs] if callable(outputs) else check_list(outputs, "outputs")
        found = {_title(function, i): function for i, function in enumerate(given, 1)}
        if len(found) < len(given):
            raise ValueError("two outputs have the same title: give a dict of outputs by title")
    if not found:
        raise ValueError("outputs is empty: give at least one output, or None for mean losses")
    for title, function in found.items():
        if not isinstance(title, str):
            raise TypeError(f"the title of an output must be a string, not {brief(title)}")
        if not callable(function):
            raise TypeError(
                f"the output {title!r} must be a function of a model, such as sl.LossOn('max'), "
                f"not {brief(function)}"
            )
        if hasattr(function, "check"):
            function.check(run.model)
        value(title, function, run.model)
    return found


def _title(function, number):
    name = getattr(function, "title", None) or getattr(function, "__name__", "<")
    if not callable(function):
        return repr(function)
    return f"output {number}" if name.startswith("<") else name


def _mean_loss(run, examples):
    """A mean loss, named if its examples can be. Only of microgpt is the unit known."""
    letters = isinstance(run.initial, MicroGPT)
    known = {} if letters else {"unit": "", "bounds": (-math.inf, math.inf)}
    try:
        return MeanLoss(tuple(examples), **known)
    except TypeError:  # arrays
        return lambda model: ring.mean(model.losses(examples), -1)


def value(title, function, model):
    """The output of one model as a number."""
    found = np.asarray(function(model))
    if found.shape != () or found.dtype.kind not in "iuf" or not np.isfinite(found):
        raise ValueError(
            f"the output {title!r} must be one finite real number of a model, not {brief(found)}"
        )
    return float(found)


def unit_weights(sketch, run, deleted):
    """The down-weights of the sketch's units that delete these documents.

    Raises ValueError if a unit has some of them and others.
    """
    units, x = sketch.units, run.indicator(deleted)
    found = np.bincount(units.of_document, weights=x, minlength=len(units)) / units.sizes
    cut = np.flatnonzero((found > 0) & (found < 1))
    if len(cut):
        raise ValueError(
            f"the sketch deletes whole units, but unit {units.names[cut[0]]!r} has documents of "
            "the request and others: make a sketch over documents, or delete whole units"
        )
    return found


def predicted(sketch, function, weights, exact):
    """What a sketch predicts for a deletion, as JSON values, and whether it holds what is exact.

    "band" is None where nothing is known of the error, and "inside" then, too. "known": whether the
    sketch has this very retraining, so that nothing had to be predicted.
    """
    output = sketch.output(function)
    p = output.predict(weights)
    known, unknown = p.error == 0, not np.isfinite(p.error)
    slack = ROUNDING * (1.0 + abs(exact)) if known else 0.0
    return {
        "value": p.value,
        "error": None if unknown else p.error,
        "band": None if unknown else [p.low, p.high],
        "coverage": COVERAGE,
        "inside": None if unknown else bool(p.low - slack <= exact <= p.high + slack),
        "known": known,
        "calibrated": p.calibrated,
        "degree": p.degree,
        "reason": p.reason,
        "trainings": output.cost,
    }
