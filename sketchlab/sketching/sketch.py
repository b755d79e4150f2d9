"""The local sketch: precompute along random directions, then predict any deletion.

`sketch(run)` pushes jets through a training run along m random complex directions and keeps the
jet-valued models. Any output of a model then has m jets, from which the outputs after any deletion
are estimated (`estimate`). `local_sketch(f, n, ...)` does it for any function of n down-weights.
"""

import dataclasses

import joblib
import numpy as np
from threadpoolctl import threadpool_limits

from ..algebra.jet import Jet
from ..checks import base_point, check_degree
from ..estimation import directions as random_directions
from ..estimation import prediction as estimate
from ..estimation.choice import named_estimator
from ..estimation.minimum_norm import gradients
from ..estimation.units import STRETCH, Units
from ..progress import progress_bar
from ..training.microgpt import MicroGPT
from ..training.runs import BATCH, TrainingRun
from . import store as stores


@dataclasses.dataclass(frozen=True, eq=False)
class Output:
    """One output of a sketched function: its jets along the directions.

    coefficients: (degree + 1, m), complex. directions: (m, n). units: what the n inputs are called.
    at: the base point, (n,). anchors: deletions after which the output is known exactly, (a, n),
    and anchor_values: the output there, (a,). influence: derivative of the mean training loss on
    unit v by the down-weight of unit u, (n, n), or None. uncut: the output with all its degrees,
    where this one was cut to fewer. kept, fitted: results that are kept, for these directions and
    for this output.
    """

    coefficients: np.ndarray
    directions: np.ndarray
    units: Units
    unit: str = ""
    at: np.ndarray = 0.0
    anchors: np.ndarray = ()
    anchor_values: np.ndarray = ()
    influence: np.ndarray = None
    uncut: "Output | None" = dataclasses.field(default=None, repr=False)
    kept: dict = dataclasses.field(default_factory=dict, repr=False)
    fitted: dict = dataclasses.field(default_factory=dict, repr=False)

    def __repr__(self):
        degree, m = len(self.coefficients) - 1, self.coefficients.shape[1]
        anchors = f", {len(self.anchors)} anchors" if len(self.anchors) else ""
        return f"Output({m} directions of degree {degree} over {len(self.units)} units{anchors})"

    @property
    def duals(self):
        """What takes the directions' place in the plain estimate's inner product, (m, n).

        For directions S psi with psi uniform, the estimate is unbiased with <S^-2 S psi, x>.
        """
        return self.units.stretched(self.directions, STRETCH**-2)

    def first(self, directions):
        """The same output with only the first directions."""
        if not 1 <= directions <= len(self.directions):
            raise ValueError(f"there are {len(self.directions)} directions, not {directions!r}")
        if ("first", directions) not in self.fitted:
            self.fitted["first", directions] = dataclasses.replace(
                self,
                coefficients=self.coefficients[:, :directions],
                directions=self.directions[:directions],
                fitted={},
            )
        return self.fitted["first", directions]

    def predict(self, down_weights=None, *, without=None, estimator="automatic", degree=None):
        """The output after a deletion: a `Prediction`.

        without: the units to delete, by number or label. down_weights: instead, one per unit.
        estimator: a name in `estimators.ESTIMATORS` or an estimator. degree: use fewer terms.
        """
        moves = self.units.down_weights(without, down_weights)[None] - self.at
        return estimate.prediction(self.estimate(moves, estimator, degree), self.unit)

    def predict_many(self, down_weights, *, estimator="automatic", degree=None):
        """Predictions for rows of down-weights, (points, n), at once: a list of `Prediction`."""
        moves = np.array([self.units.down_weights(None, row) for row in down_weights]) - self.at
        found = self.estimate(moves, estimator, degree)
        return [estimate.prediction(found.point(i), self.unit) for i in range(len(moves))]

    def curve(
        self, weights, *, without=None, down_weights=None, estimator="automatic", degree=None
    ):
        """Predictions with the deletion multiplied by each of `weights`: a `Curve`."""
        weights = np.asarray(weights, float)
        x = self.units.down_weights(without, down_weights)
        moves = weights[:, None] * x - self.at
        return estimate.curve(self.estimate(moves, estimator, degree), weights)

    def stability(self):
        """The stability profile: arrays (norms, errors), ||F_r|| for r = 0 .. degree.

        ||F_r||^2 = C(n+r-1, r) E|c_r|^2, the squared Frobenius norm of the r-th Taylor form; the
        error is one standard error, by the delta method. Over nested units the norm is that of the
        form in the stretched coordinates, so mostly that of the groups.
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

    def estimate(self, moves, estimator="automatic", degree=None):
        """What an estimator finds at displacements from the base point, (points, n): `Estimate`."""
        rule = named_estimator(estimator)
        highest = len(self.coefficients) - 1
        degree = highest if degree is None else check_degree(degree)
        if degree > highest:
            raise ValueError(f"the sketch has degree {highest}, not {degree}")
        if degree == highest:
            return rule.estimate(self, moves)
        if ("degree", degree) not in self.fitted:
            self.fitted["degree", degree] = dataclasses.replace(
                self, coefficients=self.coefficients[: degree + 1], uncut=self, fitted={}
            )
        return rule.estimate(self.fitted["degree", degree], moves)


class Sketch:
    """Jet-valued models of a training run along random directions; made by `sketch`.

    group: the zarr group that holds them (see `store`). model: the initial model of the run.
    """

    def __init__(self, group, model, units, count):
        self.group, self.model, self.units, self._count = group, model, units, count
        self.record = dict(group.attrs)["record"]
        self.at = base_point(self.record["at"], len(units))
        self._directions, self._kept = None, {}

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
        anchors = f", {len(self.anchors)} anchors" if len(self.anchors) else ""
        return (
            f"Sketch({len(self)} directions of degree {self.degree} over {len(self.units)} units, "
            f"{self.nbytes / 1e6:.0f} MB{anchors})"
        )

    @property
    def anchors(self):
        """The deletions after which the model was retrained exactly, as down-weights (a, units)."""
        return stores.anchors(self.group, len(self.units))

    @property
    def influence(self):
        """Derivative of the mean loss on unit v by the down-weight of unit u, or None."""
        return self.group["influence"][:] if "influence" in self.group else None

    def check_run(self, run):
        """Raise ValueError if the sketch was not made of this training run."""
        _check_run(run)
        if run.fingerprint() != self.record["run"]:
            raise ValueError(
                "the sketch belongs to another training run: make one with sl.sketch(run, ...), or "
                "give the run, with the same documents, order, seed and settings, that it was "
                "made of"
            )

    def directions(self):
        """The directions, complex, shape (m, units)."""
        if self._directions is None:
            self._directions = _directions(self.units, range(len(self)), self.record)
        return self._directions

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
        if not callable(function):
            raise TypeError(
                "an output must be a function of a model, such as lambda model: "
                f"model.loss('max'), not {function!r}"
            )
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
        anchored = [
            function(self.model.with_parameters(_shaped(rows, self.record["parameters"])))
            for rows in stores.anchor_parameters(self.group, BATCH)
        ]
        anchor_values = np.concatenate(anchored) if anchored else np.empty(0)
        if not np.all(np.isfinite(coefficients)):
            raise ValueError("the output is not finite for every direction")
        if not np.all(np.isfinite(anchor_values)):
            raise ValueError("the output is not finite for every anchor")
        return Output(
            coefficients,
            self.directions(),
            self.units,
            unit,
            self.at,
            self.anchors,
            anchor_values,
            self.influence,
            kept=self._kept,
        )

    def anchor(self, run, deletions, *, jobs=1, progress=True):
        """Retrain exactly after some deletions and keep the models, so that predictions use them.

        run: the training run of the sketch. deletions: a list of deletions, each a list of units or
        an array of down-weights (units,); or "units" (each unit alone), or "pairs" (each two).
        Deletions that are anchors already are skipped, so that an interrupted call goes on.
        The first call also computes `influence`, from one output per document. Outputs made before
        do not have the new anchors: call `output` again.
        """
        self.check_run(run)
        wanted = self._deletions(deletions)
        self.group = stores.writable(self.group)
        if self.influence is None:
            stores.write_influence(self.group, self._influence(run, progress))
        have = {row.tobytes() for row in self.anchors}
        rows = [row for row in wanted if row.tobytes() not in have]
        batches = [np.array(rows[i : i + BATCH]) for i in range(0, len(rows), BATCH)]
        parallel = joblib.Parallel(n_jobs=None if jobs == 1 else jobs, return_as="generator")
        with progress_bar(len(rows), progress, unit="retraining") as bar:
            for batch, parameters in zip(
                batches,
                parallel(joblib.delayed(_retrained)(run, self.units, x) for x in batches),
                strict=True,
            ):
                stores.write_anchors(self.group, batch, parameters)
                bar.update(len(batch))

    def suggested_anchors(self, count, *, seed=0, largest=None):
        """Deletions worth retraining: half random ones, half of units that act alike.

        Sizes are log-uniform from 2 to `largest` units (default: half of them, at most 200). Units
        that act alike are those whose deletion raises each other's training loss the most, once
        `influence` is known (see `anchor`); before that, all are random.
        """
        if not isinstance(count, (int, np.integer)) or count < 1:
            raise ValueError(f"count must be an integer, 1 or higher, not {count!r}")
        rng = np.random.default_rng(seed)
        n = len(self.units)
        largest = max(2, min(n // 2, 200)) if largest is None else largest
        sizes = np.exp(rng.uniform(np.log(2), np.log(largest + 1), count)).astype(int)
        influence = self.influence
        found = np.zeros((count, n))
        for number, (row, size) in enumerate(zip(found, sizes, strict=True)):
            if number % 2 or influence is None:
                row[rng.choice(n, size, replace=False)] = 1.0
            else:
                centre = rng.integers(n)
                alike = influence[centre] + influence[:, centre]
                alike[centre] = np.inf
                row[np.argsort(-alike, kind="stable")[: min(size, 32)]] = 1.0
        return np.unique(found, axis=0)

    def _deletions(self, deletions):
        n = len(self.units)
        if isinstance(deletions, str):
            if deletions not in ("units", "pairs"):
                raise ValueError(f'deletions must be "units", "pairs" or a list, not {deletions!r}')
            each = np.eye(n)
            if deletions == "units":
                return each
            return np.array([each[i] + each[j] for i in range(n) for j in range(i)])
        rows = []
        for deletion in deletions:
            if isinstance(deletion, np.ndarray) and deletion.dtype.kind in "fb":
                row = self.units.down_weights(None, deletion.astype(float))
            elif np.ndim(deletion) == 0 and not isinstance(deletion, (str, set)):
                raise TypeError(
                    f"every deletion must be a list of units, such as [{deletion!r}], or an array "
                    f"of {n} down-weights, not {deletion!r}"
                )
            else:
                row = self.units.down_weights(deletion)
            if not np.any(row != self.at):
                raise ValueError("an anchor must delete something; one of the deletions is empty")
            rows.append(row)
        return np.array(rows).reshape(-1, n)

    def _influence(self, run, progress):
        rows = []
        with progress_bar(len(self), progress, unit="direction") as bar:
            for model in self.models():
                flat = model.with_parameters(
                    {name: Jet.of(p.head, p.tail[:1]) for name, p in model.parameters.items()}
                )
                losses = [
                    flat.losses(run.examples(range(i, min(i + BATCH, len(run))))).tail[0]
                    for i in range(0, len(run), BATCH)
                ]
                rows.append(np.concatenate(losses, axis=1))
                bar.update(len(rows[-1]))
        bare = Output(np.empty((0, 0)), self.directions(), self.units, kept=self._kept)
        by_document = gradients(bare, np.concatenate(rows))
        by_unit = np.zeros((len(self.units), len(self.units)))
        np.add.at(by_unit.T, self.units.of_document, by_document.T)
        return by_unit / self.units.sizes

    def predict(
        self, function, down_weights=None, *, without=None, estimator="automatic", degree=None
    ):
        """Predict an output after a deletion; for many deletions keep `output(function)`."""
        return self.output(function).predict(
            down_weights, without=without, estimator=estimator, degree=degree
        )


def local_sketch(function, n, degree, directions, seed=0, *, design="orthonormal", at=0.0):
    """Sketch any function of n down-weights around a base point: an `Output`, units 0 .. n - 1.

    function: takes a jet of shape (m, n), one row of down-weights per direction, and returns a jet
    of shape (m,). A scalar circuit does: `lambda x: circuit(x[..., 0], x[..., 1])`.
    design: how the directions are drawn, see `directions.DESIGNS`. at: the base point.
    """
    _check_sizes(degree, directions)
    _check_design(design)
    at = base_point(at, n)
    psi = random_directions.DESIGNS[design](n, range(directions), seed=seed)
    rows = []
    for start in range(0, directions, BATCH):
        batch = psi[start : start + BATCH]
        jet = function(Jet.line(at[None], batch, degree))
        if not isinstance(jet, Jet) or jet.shape != (len(batch),):
            raise TypeError(
                f"the function must return a jet of shape ({len(batch)},), one number per row of "
                f"its argument; this one returned {jet!r}"
            )
        rows.append(jet.coefficients)
    coefficients = np.concatenate(rows, axis=1)
    if not np.all(np.isfinite(coefficients)):
        raise ValueError("the function is not finite for every direction")
    return Output(coefficients, psi, Units(None, n), at=at)


def sketch(
    run,
    degree=3,
    directions=500,
    *,
    units=None,
    at=None,
    deletion_size=None,
    design="orthonormal",
    seed=0,
    store=None,
    jobs=1,
    progress=True,
):
    """Push jets through a training run along random directions and keep them: a `Sketch`.

    units: what can be deleted (see `Units`); None: every document alone.
    at: the down-weights around which training is expanded, one number or one per unit. Default: 0,
    where nothing is deleted; or, if deletion_size is given, the average deletion of that many
    units, deletion_size / units everywhere.
    design: how the directions are drawn, see `directions.DESIGNS`.
    store: a folder to keep the sketch in; if it has a part of the same sketch, that is continued.
    jobs: processes to use; inside `joblib.parallel_config(...)` its backend and jobs are used. The
    numbers do not depend on jobs, nor on how the work was interrupted.
    """
    _check_run(run)
    _check_sizes(degree, directions)
    _check_design(design)
    units = Units(units, len(run))
    at = base_point(_default_base(at, deletion_size, len(units)), len(units))
    record = {
        "run": run.fingerprint(),
        "degree": degree,
        "seed": seed,
        "design": design,
        "at": at.tolist() if np.any(at != at[0]) else float(at[0]),
        "units": [int(unit) for unit in units.of_document],
        "unit_names": [
            name.item() if isinstance(name, np.generic) else name for name in units.names
        ],
        "labelled": units.labelled,
        "nested": {name: members.tolist() for name, members in units.nested.items()},
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
            joblib.delayed(_push)(run, units, record, numbers) for numbers in batches
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
    groups = record["nested"] or (labels if named else None if own else lists)
    return Sketch(group, model, Units(groups, len(labels)), len(done))


def _microgpt(record):
    shapes = {name: np.empty(shape) for name, shape in record["parameters"].items()}
    settings = record["model"]
    return MicroGPT(shapes, settings["vocabulary"], settings["heads"], settings["activation"])


def _directions(units, numbers, record):
    psi = random_directions.DESIGNS[record["design"]](len(units), numbers, seed=record["seed"])
    return units.stretched(psi)


def _push(run, units, record, numbers):
    """The work of one process: numbers, shared head and tails along these directions."""
    psi = _directions(units, numbers, record)
    at = base_point(record["at"], len(units))[units.of_document]
    with threadpool_limits(1):
        parameters = run.push(
            psi[:, units.of_document], record["degree"], at=at, progress=False
        ).parameters
    flat = [jet.reshape(len(numbers), -1) for jet in parameters.values()]
    head = np.concatenate([jet.head[0] for jet in flat])
    tail = np.concatenate([jet.tail for jet in flat], axis=-1).swapaxes(0, 1)
    return numbers, head, tail


def _retrained(run, units, down_weights):
    """Exactly retrained parameters, flat, (batch, size)."""
    with threadpool_limits(1):
        model = run.retrain(down_weights=down_weights[:, units.of_document], progress=False)
    return np.concatenate([p.reshape(len(down_weights), -1) for p in model.parameters.values()], 1)


def _unflattened(head, tail, shapes):
    heads = _shaped(head[None], shapes)
    tails = _shaped(np.ascontiguousarray(tail.swapaxes(0, 1)), shapes)
    return {name: Jet.of(heads[name], tails[name]) for name in shapes}


def _shaped(flat, shapes):
    """Parameters by name, from an array that has them all on its last axis."""
    parameters, start = {}, 0
    for name, shape in shapes.items():
        stop = start + int(np.prod(shape))
        parameters[name] = flat[..., start:stop].reshape(*flat.shape[:-1], *shape)
        start = stop
    return parameters


def _default_base(at, deletion_size, count):
    if deletion_size is None:
        return 0.0 if at is None else at
    if at is not None:
        raise ValueError("give either at= or deletion_size=, not both")
    if not 0 < deletion_size < count:
        raise ValueError(
            f"deletion_size must lie between 0 and the {count} units, not {deletion_size!r}"
        )
    return deletion_size / count


def _check_run(run):
    if not isinstance(run, TrainingRun):
        raise TypeError(
            f"run must be a training run, from sl.train or sl.TrainingRun, not {type(run).__name__}"
        )


def _check_design(design):
    if design not in random_directions.DESIGNS:
        raise ValueError(
            f"design must be one of {', '.join(random_directions.DESIGNS)}, not {design!r}"
        )


def _check_sizes(degree, directions):
    if check_degree(degree) < 1:
        raise ValueError("degree must be 1 or higher: degree 0 predicts no change at all")
    if (
        isinstance(directions, bool)
        or not isinstance(directions, (int, np.integer))
        or directions < 1
    ):
        raise ValueError(f"directions must be an integer, 1 or higher, not {directions!r}")
