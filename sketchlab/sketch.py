"""The local sketch: precompute along random directions, then predict any deletion.

`sketch(run)` pushes jets through a training run along m random complex directions and keeps the
jet-valued models. Any output of a model then has m jets, from which the outputs after any deletion
are estimated (`estimate`). `local_sketch(f, n, ...)` does it for any function of n down-weights.
"""

import dataclasses

import joblib
import numpy as np
from threadpoolctl import threadpool_limits

from . import directions as random_directions
from . import estimate
from . import store as stores
from .jets import Jet, check_degree
from .microgpt import MicroGPT
from .training import BATCH, progress_bar
from .units import Units


@dataclasses.dataclass(frozen=True)
class Output:
    """One output of a sketched function: its jets along the directions.

    coefficients: (degree + 1, m), complex. directions: (m, n). units: what the n inputs are called.
    """

    coefficients: np.ndarray
    directions: np.ndarray
    units: Units
    unit: str = ""

    def __repr__(self):
        degree, m = len(self.coefficients) - 1, self.coefficients.shape[1]
        return f"Output({m} directions of degree {degree} over {len(self.units)} units)"

    def first(self, directions):
        """The same output with only the first directions."""
        return dataclasses.replace(
            self,
            coefficients=self.coefficients[:, :directions],
            directions=self.directions[:directions],
        )

    def predict(self, down_weights=None, *, without=None, estimator="mean", degree=None):
        """The output after a deletion: a `Prediction`. Costs O(m |D|).

        without: the units to delete, by number or label. down_weights: instead, one per unit.
        estimator: "mean", "median_of_means" or an estimator of `estimate`. degree: use fewer terms.
        """
        samples = self._samples(without, down_weights, degree)
        return estimate.predict(samples, estimator=estimator, unit=self.unit)

    def curve(self, weights, *, without=None, down_weights=None, estimator="mean", degree=None):
        """Predictions with the deletion multiplied by each of `weights`: a `Curve`."""
        samples = self._samples(without, down_weights, degree)
        return estimate.predict_curve(samples, weights, estimator=estimator)

    def stability(self):
        """The stability profile: arrays (norms, errors), ||F_r|| for r = 0 .. degree.

        ||F_r||^2 = C(n+r-1, r) E|c_r|^2, the squared Frobenius norm of the r-th Taylor form; the
        error is one standard error, by the delta method.
        """
        degree, m = len(self.coefficients) - 1, self.coefficients.shape[1]
        sizes = random_directions.symmetric_dimension(
            self.directions.shape[1], np.arange(degree + 1)
        )
        squares = np.abs(self.coefficients) ** 2
        norms = np.sqrt(sizes * squares.mean(axis=1))
        spread = squares.std(axis=1, ddof=1) / np.sqrt(m) if m > 1 else np.full(degree + 1, np.inf)
        mean = np.where(squares.mean(axis=1) > 0, squares.mean(axis=1), 1.0)
        return norms, norms * spread / (2 * mean)

    def _samples(self, without, down_weights, degree):
        x = self.units.down_weights(without, down_weights)
        highest = len(self.coefficients) - 1
        degree = highest if degree is None else check_degree(degree)
        if degree > highest:
            raise ValueError(f"the sketch has degree {highest}, not {degree}")
        return estimate.term_samples(self.coefficients[: degree + 1], self.directions, x)


class Sketch:
    """Jet-valued models of a training run along random directions; made by `sketch`.

    group: the zarr group that holds them (see `store`). model: the initial model of the run.
    """

    def __init__(self, group, model, units, count):
        self.group, self.model, self.units, self._count = group, model, units, count
        self.record = dict(group.attrs)["record"]

    @property
    def degree(self):
        """Degree of the jets."""
        return self.record["degree"]

    @property
    def nbytes(self):
        """Bytes of the stored jets."""
        tail = self.group["tail"]
        return self.group["head"].nbytes + len(self) * tail.nbytes // tail.shape[0]

    def __len__(self):
        return self._count

    def __repr__(self):
        return (
            f"Sketch({len(self)} directions of degree {self.degree} over {len(self.units)} units, "
            f"{self.nbytes / 1e6:.0f} MB)"
        )

    def directions(self):
        """The directions, complex, shape (m, units)."""
        return random_directions.sphere(len(self.units), len(self), seed=self.record["seed"])

    def models(self):
        """The jet-valued models, in batches, read one batch at a time."""
        for start in range(0, len(self), BATCH):
            head, tail = stores.read(self.group, start, min(start + BATCH, len(self)))
            yield self.model.with_parameters(_unflattened(head, tail, self.record["parameters"]))

    def output(self, function, *, unit=""):
        """Evaluate an output on all models: an `Output`, which predicts any deletion.

        function: of a model, returning one number, for example `lambda model: model.loss("max")`.
        unit: what it counts, for display.
        """
        rows = []
        for start, model in zip(range(0, len(self), BATCH), self.models(), strict=True):
            jet = function(model)
            if not isinstance(jet, Jet) or jet.shape != (min(BATCH, len(self) - start),):
                raise TypeError(
                    "an output must be one number per model, such as model.loss('max') or "
                    f"model.next_probs('ma')['x']; this one is {jet!r}"
                )
            rows.append(jet.coefficients)
        coefficients = np.concatenate(rows, axis=1)
        if not np.all(np.isfinite(coefficients)):
            raise ValueError("the output is not finite for every direction")
        return Output(coefficients, self.directions(), self.units, unit)

    def predict(self, function, down_weights=None, *, without=None, estimator="mean", degree=None):
        """Predict an output after a deletion; for many deletions keep `output(function)`."""
        return self.output(function).predict(
            down_weights, without=without, estimator=estimator, degree=degree
        )


def local_sketch(function, n, degree, directions, seed=0):
    """Sketch any function of n down-weights around 0: an `Output`, with units 0 .. n - 1.

    function: takes a jet of shape (m, n), one row of down-weights per direction, and returns a jet
    of shape (m,). A scalar circuit does: `lambda x: circuit(x[..., 0], x[..., 1])`.
    """
    _check_sizes(degree, directions)
    psi = random_directions.sphere(n, directions, seed=seed)
    rows = []
    for start in range(0, directions, BATCH):
        batch = psi[start : start + BATCH]
        jet = function(Jet.line(np.zeros((1, n)), batch, degree))
        if not isinstance(jet, Jet) or jet.shape != (len(batch),):
            raise TypeError(
                f"the function must return a jet of shape ({len(batch)},), one number per row of "
                f"its argument; this one returned {jet!r}"
            )
        rows.append(jet.coefficients)
    coefficients = np.concatenate(rows, axis=1)
    if not np.all(np.isfinite(coefficients)):
        raise ValueError("the function is not finite for every direction")
    return Output(coefficients, psi, Units(None, n))


def sketch(run, degree=3, directions=500, *, units=None, seed=0, store=None, jobs=1, progress=True):
    """Push jets through a training run along random directions and keep them: a `Sketch`.

    units: groups of documents that are deleted together (see `Units`); None: every document alone.
    store: a folder to keep the sketch in; if it has a part of the same sketch, that is continued.
    jobs: processes to use; inside `joblib.parallel_config(...)` its backend and jobs are used. The
    numbers do not depend on jobs, nor on how the work was interrupted.
    """
    _check_sizes(degree, directions)
    units = Units(units, len(run))
    record = {
        "run": run.fingerprint(),
        "degree": degree,
        "seed": seed,
        "units": [int(unit) for unit in units.of_document],
        "unit_names": [
            name.item() if isinstance(name, np.generic) else name for name in units.names
        ],
        "labelled": units.labelled,
        "parameters": {name: list(p.shape) for name, p in run.initial.parameters.items()},
        "model": run.initial.settings(),
    }
    group = stores.open_or_create(store, record, directions)
    missing = np.flatnonzero(stores.done(group)[:directions] == 0)
    jobs = None if jobs == 1 else jobs  # None: as joblib.parallel_config says, or 1
    size = min(BATCH, -(-len(missing) // joblib.effective_n_jobs(jobs))) or 1
    batches = [missing[i : i + size] for i in range(0, len(missing), size)]
    parallel = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")
    with progress_bar(len(missing), progress, unit="direction") as bar:
        for numbers, head, tail in parallel(
            joblib.delayed(_push)(run, units, seed, degree, numbers) for numbers in batches
        ):
            stores.write(group, numbers, head, tail)
            bar.update(len(numbers))
    return Sketch(group, run.initial, units, directions)


def open_sketch(path, run=None):
    """Open a stored sketch; its jets are read when they are needed.

    run: the training run it was made of, needed unless that was microgpt. Raises ValueError if the
    path holds no sketch, a newer format, an unfinished sketch, or the sketch of another run.
    """
    group = stores.open_existing(path)
    record = dict(group.attrs)["record"]
    done = stores.done(group)
    if not done.all():
        raise ValueError(
            f"the sketch at {str(path)!r} is unfinished: it has {int(done.sum())} of {len(done)} "
            "directions; run the call that made it again to complete it"
        )
    if run is not None and run.fingerprint() != record["run"]:
        raise ValueError(f"the sketch at {str(path)!r} belongs to another training run")
    if run is None and record["model"].get("kind") != "microgpt":
        raise ValueError("this sketch is not of microgpt: give the training run, run=...")
    model = run.initial if run else _microgpt(record)
    labels = [record["unit_names"][unit] for unit in record["units"]]
    named = record["labelled"]
    own = record["units"] == list(range(len(record["units"])))
    lists = [np.flatnonzero(np.equal(record["units"], u)) for u in range(len(record["unit_names"]))]
    groups = labels if named else None if own else lists
    return Sketch(group, model, Units(groups, len(labels)), len(done))


def _microgpt(record):
    shapes = {name: np.empty(shape) for name, shape in record["parameters"].items()}
    settings = record["model"]
    return MicroGPT(shapes, settings["vocabulary"], settings["heads"], settings["activation"])


def _push(run, units, seed, degree, numbers):
    """The work of one process: numbers, shared head and tails along these directions."""
    psi = random_directions.numbered(len(units), numbers, seed=seed)
    with threadpool_limits(1):
        parameters = run.push(psi[:, units.of_document], degree, progress=False).parameters
    flat = [jet.reshape(len(numbers), -1) for jet in parameters.values()]
    head = np.concatenate([jet.head[0] for jet in flat])
    tail = np.concatenate([jet.tail for jet in flat], axis=-1).swapaxes(0, 1)
    return numbers, head, tail


def _unflattened(head, tail, shapes):
    parameters, start = {}, 0
    tail = np.ascontiguousarray(tail.swapaxes(0, 1))
    for name, shape in shapes.items():
        columns = slice(start, start + int(np.prod(shape)))
        parameters[name] = Jet.of(
            head[columns].reshape(1, *shape),
            tail[..., columns].reshape(*tail.shape[:2], *shape),
        )
        start = columns.stop
    return parameters


def _check_sizes(degree, directions):
    if check_degree(degree) < 1:
        raise ValueError("degree must be 1 or higher: degree 0 predicts no change at all")
    if (
        isinstance(directions, bool)
        or not isinstance(directions, (int, np.integer))
        or directions < 1
    ):
        raise ValueError(f"directions must be an integer, 1 or higher, not {directions!r}")
