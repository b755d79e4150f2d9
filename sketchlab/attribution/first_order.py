"""Exact first order: the derivative of an output by every down-weight, in one backward pass.

`training.reverse` says how; here it becomes a predictor, the tangent plane at the base point.
"""

import contextlib
import dataclasses

import numpy as np

from ..arguments import base_point, check_text, takes
from ..estimation.prediction import Estimate, prediction
from ..estimation.units import Units
from ..training.passes import in_batches
from ..training.reverse import value_of
from ..training.runs import TrainingRun


@dataclasses.dataclass(frozen=True)
class FirstOrder:
    """An output and its derivatives: the tangent plane, as a predictor.

    value: the output at the base point. gradient: d output / d x_u for every unit u, (units,).
    units: what the deletion units are called. at: the base point, (units,). now: the output with
    nothing deleted. unit, bounds: what the output counts, and what it can be. cost: what it took,
    in ordinary trainings. reason: how the derivatives were found, for display.
    """

    value: float
    gradient: np.ndarray
    units: Units
    at: np.ndarray
    now: float
    unit: str = ""
    bounds: tuple = (-np.inf, np.inf)
    cost: float = None
    reason: str = "exact first order"

    def predict(self, down_weights=None, *, without=None):
        """The output after a deletion, or after each of several, to first order: a `Prediction`.

        Nothing is known of the terms beyond the first: the error is infinite, but for nothing
        deleted and at the base point.
        """
        x = self.units.down_weights(without, down_weights)
        rows = np.atleast_2d(x)
        moves = rows - self.at
        terms = np.array([np.full(len(moves), self.value), moves @ self.gradient])
        nothing, base = ~np.any(rows, axis=1), ~np.any(moves, axis=1)
        total = np.where(nothing, self.now, terms.sum(axis=0))
        error = np.where(nothing | base, 0.0, np.inf)
        found = Estimate(terms, np.zeros_like(terms), total, error, reason=self.reason)
        return prediction(found, now=self.now, unit=self.unit, bounds=self.bounds, many=x.ndim == 2)


@takes(unit=check_text)
def first_order(run, outputs, *, units=None, at=0.0, unit=None, jobs=1, progress=True):
    """Exact first-order attribution of one output, or of a list of outputs in one pass.

    outputs: a function of a model that returns one number, written with `sl.ring` as
    model.loss is, such as `sl.LossOn("max")`, or a list of them.
    units: groups of documents deleted together (see `Units`).
    at: the down-weights to differentiate at, one number or one per unit (0: nothing is deleted),
    or (points, units) for many base points.
    unit: what they count, for display; default: what they say themselves.
    jobs: processes that share the points.
    Returns a `FirstOrder`, or a list of them for a list of outputs. For many base points each of
    these is a list, with one for each point: [output][point], or [point] for a single output.
    Memory: see `training.reverse.bytes_per_point`. Raises TypeError or ValueError, before the work
    starts, for what cannot be differentiated.
    """
    functions, units = check_functions(run, outputs), Units(units, len(run))
    listed = at.ndim > 0 if isinstance(at, np.ndarray) else isinstance(at, (list, tuple))
    many = listed and len(at) > 0 and np.iterable(at[0])
    points = np.array([base_point(point, len(units)) for point in (at if many else [at])])
    x, found = points[:, units.of_document], []
    work = in_batches(run, functions, x, jobs=jobs, progress=progress)
    with contextlib.closing(work) as batches:
        for batch in batches:
            by_unit = batch.summed(units.of_document)
            found += [(*pair, batch.cost) for pair in zip(batch.values, by_unit, strict=True)]
    by_output = [
        [
            FirstOrder(
                float(values[k]),
                by_unit[k],
                units,
                point,
                value_of(function, run.model) if np.any(point) else float(values[k]),
                getattr(function, "unit", "") if unit is None else unit,
                getattr(function, "bounds", (-np.inf, np.inf)),
                cost,
            )
            for point, (values, by_unit, cost) in zip(points, found, strict=True)
        ]
        for k, function in enumerate(functions)
    ]
    by_output = by_output if many else [points[0] for points in by_output]
    return by_output[0] if callable(outputs) else by_output


def check_functions(run, outputs):
    """The outputs of a run as a list; TypeError for what is no run, or no function of a model."""
    functions = [outputs] if callable(outputs) else outputs
    if (
        not isinstance(functions, (list, tuple))
        or not functions
        or not all(map(callable, functions))
    ):
        raise TypeError(
            f"outputs must be a function of a model, or a list of functions, not {outputs!r}"
        )
    if not isinstance(run, TrainingRun):
        raise TypeError(f"run must be a training run, from sl.train, not {type(run).__name__}")
    return functions
