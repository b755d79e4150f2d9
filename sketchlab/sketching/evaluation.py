"""Evaluating an output on all models of a sketch: jets along the directions, values at the anchors.

An output is a function of a model, and sees many models at once. One that mixes them, such as
`model.parameters["v"][0]`, would be silently wrong, so it is tried on a few models first, together
and alone, as the losses of a training run are.
"""

import numpy as np

from ..algebra.jet import Jet
from ..training.own import COPIES, copies_near
from ..training.runs import BATCH
from . import known
from .identity import trained

TEACH = (
    "Parameters and losses have the models on their first axis, so count axes from the end: "
    "model.parameters['v'][..., 0], not model.parameters['v'][0]"
)


def evaluated(sketch, function):
    """Coefficients, (degree + 1, m), and the values after the anchors, (a,), of an output.

    Raises TypeError for what is not a number per model, ValueError for what is not finite, or
    mixes the models.
    """
    if not callable(function):
        raise TypeError(
            "an output must be a function of a model, such as sl.LossOn('max') or lambda "
            f"model: model.loss('max'), not {function!r}"
        )
    rows = []
    for model in sketch.models():
        many = next(iter(model.parameters.values())).shape[:1]
        try:
            jet = function(model)
        except TypeError as error:
            raise TypeError(
                f"the output cannot be asked of a sketch ({error}): write it with functions of "
                "sketchlab.ring and model.loss, without float(), comparisons or counts"
            ) from error
        if not isinstance(jet, Jet) or jet.shape != many:
            raise TypeError(
                "an output must be one number per model, such as model.loss('max') or "
                f"model.next_probs('ma')['x']; this one is {jet!r}"
            )
        rows.append(jet.coefficients)
    _check_each_alone(sketch, function)
    coefficients = np.concatenate(rows, axis=1)
    anchored = [
        function(sketch.model_of(rows)) for rows in known.anchor_parameters(sketch.group, BATCH)
    ]
    values = np.concatenate(anchored) if anchored else np.empty(0)
    if not np.all(np.isfinite(coefficients)):
        raise ValueError("the output is not finite for every direction")
    if not np.all(np.isfinite(values)):
        raise ValueError("the output is not finite for every anchor")
    return coefficients, values


def _check_each_alone(sketch, function):
    copies = copies_near(trained(sketch.group), np.random.default_rng(0))
    try:
        with np.errstate(all="ignore"):
            together = function(sketch.model_of(copies))
            alone = [function(sketch.model_of(row)) for row in copies]
    except (IndexError, TypeError, ValueError) as error:
        raise ValueError(
            f"the output fails for {COPIES} models at once, or for one alone ({error}). {TEACH}"
        ) from error
    same = np.shape(together) == (COPIES,) and all(np.shape(value) == () for value in alone)
    if not same or not np.allclose(together, alone, rtol=1e-6, equal_nan=True):
        raise ValueError(
            f"the output of {COPIES} models at once is not that of each alone: {together!r} and "
            f"{alone!r}. {TEACH}"
        )
