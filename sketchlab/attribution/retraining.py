"""Exact retrainings, and what can be predicted from them without jets.

`retrained` trains again after many deletions, in batches and in parallel. `effects` adds up the
effects of single units, or of single units and all pairs: for a function f of the deletion,

    f(0) + sum_u x_u d_u + sum_{u < v} x_u x_v d_uv,
    d_u = f(e_u) - f(0),    d_uv = f(e_u + e_v) - f(e_u) - f(e_v) + f(0).

That, and `regressions`, are what to beat for the same number of trainings. Nothing is known of
their errors.
"""

import dataclasses
from collections.abc import Callable
from itertools import combinations

import numpy as np

from ..arguments import instance, list_of, takes
from ..checks import check_count, check_degree, check_indices, check_number_of
from ..estimation.output import Output
from ..estimation.prediction import Estimate, prediction
from ..estimation.units import Units
from ..processes import in_processes, workers
from ..progress import progress_bar
from ..training.passes import even_size
from ..training.reverse import value_of
from ..training.runs import BATCH, TrainingRun


@dataclasses.dataclass(frozen=True, eq=False)
class Retrained:
    """One output after exact retrainings.

    deletions: down-weights, (a, units). values: the output after each of them, (a,). units: what
    can be deleted. now: the output with nothing deleted. unit, bounds: what the output counts, and
    what it can be.
    """

    deletions: np.ndarray
    values: np.ndarray
    units: Units
    now: float
    unit: str = ""
    bounds: tuple = (-np.inf, np.inf)

    def __post_init__(self):
        if not np.isfinite(self.now):
            raise ValueError("the output with nothing deleted must be known: give now=")

    @classmethod
    @takes(output=instance(Output))
    def anchors(cls, output):
        """The anchors of an `Output`, without its jets."""
        return cls(
            output.anchors,
            output.anchor_values,
            output.units,
            output.now,
            output.unit,
            output.bounds,
        )

    def __len__(self):
        return len(self.deletions)

    @takes()
    def chosen(self, rows):
        """The same output after some of the retrainings, by number."""
        rows = check_indices(rows, len(self), repeated=True)
        return dataclasses.replace(self, deletions=self.deletions[rows], values=self.values[rows])


@dataclasses.dataclass(frozen=True, eq=False)
class Baseline:
    """A prediction rule that was made from exact retrainings of one output.

    known: the retrainings. rule: takes down-weights, (points, units), and returns values, (points,)
    """

    known: Retrained
    rule: Callable
    reason: str

    @property
    def cost(self):
        """The retrainings that it was made from: trainings of one model."""
        return len(self.known)

    @property
    def deletions(self):
        """What was retrained, (a, units)."""
        return self.known.deletions

    def predict(self, down_weights=None, *, without=None):
        """The output after a deletion, or after each of several: a `Prediction`.

        Exact, with error 0, for the deletions that were retrained and for nothing deleted; nothing
        is known of the error elsewhere: it is infinite.
        """
        known = self.known
        x = known.units.down_weights(without, down_weights)
        rows = np.atleast_2d(x)
        place, nothing = find(rows, known.deletions), ~np.any(rows, axis=1)
        total = np.array(self.rule(rows), float)
        total[place >= 0] = known.values[place[place >= 0]]
        total[nothing] = known.now
        error = np.where((place >= 0) | nothing, 0.0, np.inf)
        terms = np.full((1, len(rows)), known.now)
        found = Estimate(terms, np.zeros_like(terms), total, error, reason=self.reason)
        return prediction(
            found, now=known.now, unit=known.unit, bounds=known.bounds, many=x.ndim == 2
        )


@takes()
def retrained(run, outputs, deletions, *, units=None, jobs=1, progress=True):
    """Outputs after exact retrainings: a list of `Retrained`, one for each output.

    outputs: functions of a model that return one number. deletions: down-weights of the units,
    (a, units). units: groups of documents deleted together (see `Units`). jobs: processes to use.
    """
    units = check_task(run, outputs, units)
    none = (
        deletions == [] if isinstance(deletions, list) else np.shape(deletions) == (0, len(units))
    )
    x = np.zeros((0, len(units))) if none else np.atleast_2d(units.down_weights(None, deletions))
    values = in_batches(
        _outputs_after,
        run,
        (outputs,),
        x[:, units.of_document],
        jobs=jobs,
        progress=progress,
        unit="retraining",
    )
    return [
        Retrained(
            x,
            column,
            units,
            value_of(output, run.model),
            getattr(output, "unit", ""),
            getattr(output, "bounds", (-np.inf, np.inf)),
        )
        for output, column in zip(outputs, np.reshape(values, (-1, len(outputs))).T, strict=True)
    ]


@takes(order=check_degree, known=instance(Retrained))
def effects(known, order=1):
    """The sum of the effects of single units (order 1) and of all pairs (2): a `Baseline`.

    known: `Retrained`. Only the retrainings of at most `order` whole units are used, and count;
    ValueError if one of them is missing. Order 0 predicts that nothing changes, at no cost.
    """
    if check_degree(order) > 2:
        raise ValueError(f"order must be 0, 1 or 2, not {order}")
    n = len(known.units)
    wanted = [units for size in range(1, order + 1) for units in combinations(range(n), size)]
    whole = np.flatnonzero(np.all(known.deletions == (known.deletions != 0), axis=1))
    place = {tuple(np.flatnonzero(known.deletions[i])): i for i in whole}
    missing = [units for units in wanted if units not in place]
    if missing:
        raise ValueError(
            f"effects of order {order} need the retraining without every unit alone"
            f"{' and without every two' if order > 1 else ''}: the one without "
            f"{[known.units.names[unit] for unit in missing[0]]} is missing"
        )
    used = known.chosen([place[units] for units in wanted])
    singles, twos = np.zeros(n), np.zeros((n, n))
    if order > 0:
        singles = used.values[:n] - used.now
    if order > 1:
        pairs = np.array(wanted[n:], int).reshape(-1, 2)
        twos[tuple(pairs.T)] = used.values[n:] - used.now - singles[pairs].sum(axis=1)
    return Baseline(
        used,
        lambda x: used.now + x @ singles + np.sum((x @ twos) * x, axis=1),
        ("no change", "sum of single effects", "sum of effects of units and pairs")[order],
    )


@takes(n=check_count, sizes=list_of(check_number_of), rng=instance(np.random.Generator))
def random_deletions(n, sizes, rng):
    """Deletions of whole units drawn at random, one for each size: down-weights, (sizes, n).

    sizes: an iterable of numbers of units. rng: a `numpy.random.Generator`.
    """
    chosen = [rng.choice(n, size, replace=False) for size in sizes]
    x = np.zeros((len(chosen), n))
    for row, units in zip(x, chosen, strict=True):
        row[units] = 1.0
    return x


def find(rows, among):
    """Where each of these rows of down-weights stands among others, (points,); -1: nowhere."""
    place = {(row + 0.0).tobytes(): number for number, row in enumerate(among)}  # -0 and 0 are one
    return np.array([place.get((row + 0.0).tobytes(), -1) for row in rows], int)


def check_task(run, outputs, units):
    """The `Units` of a run, or raise TypeError for what is no run or no list of outputs."""
    if not isinstance(run, TrainingRun):
        raise TypeError(f"run must be a training run, from sl.train, not {type(run).__name__}")
    if not isinstance(outputs, (list, tuple)) or not outputs or not all(map(callable, outputs)):
        raise TypeError(f"outputs must be a list of functions of a model, not {outputs!r}")
    return Units(units, len(run))


def in_batches(function, run, arguments, rows, *, jobs, progress, unit):
    """function(run, *arguments, batch) of all rows, joined along the first axis; in parallel."""
    size = even_size(len(rows), BATCH, workers(jobs))
    batches = run.batches(rows, size, progress=progress)
    work = [(run, *arguments, rows[b]) for b in batches]
    found = []
    with (
        progress_bar(len(rows), progress, unit=unit) as bar,
        in_processes(function, work, jobs) as results,
    ):
        for batch in results:
            found.append(batch)
            bar.update(len(batch))
    return np.concatenate(found)[np.argsort(np.concatenate(batches))] if found else np.empty(0)


def _outputs_after(run, outputs, down_weights):
    """Outputs after retraining, (batch, outputs)."""
    model = run.retrain(down_weights=down_weights, progress=False)
    columns = [output(model) for output in outputs]
    for column in columns:
        if np.shape(column) != (len(down_weights),) or not np.all(np.isfinite(column)):
            raise ValueError(
                "an output must be one finite number per model, such as model.loss('max'); for "
                f"{len(down_weights)} models one of them gives an array of shape {np.shape(column)}"
            )
    return np.stack(columns, axis=-1)
