"""The sketch of a training run: precompute along random directions, then predict any deletion.

`sketch(run)` pushes jets through a training run along m random complex directions and keeps the
jet-valued models. Any output of a model then has m jets, from which the outputs after any deletion
are estimated (`estimation.output`). `estimation.local` does it for any function of n down-weights.
"""

import numbers

import numpy as np

from ..algebra.jet import Jet
from ..arguments import base_point, check_path, check_text, takes
from ..checks import PRECISIONS, check_choice, check_number_of, number_array
from ..estimation.directions import DESIGNS, draw
from ..estimation.local import check_sizes
from ..estimation.output import Output
from ..estimation.units import Units
from ..processes import in_processes, workers
from ..progress import progress_bar
from ..training.microgpt import MicroGPT
from ..training.models import Flat
from ..training.passes import even_size
from ..training.runs import BATCH
from . import anchors as evidence
from . import known, rows
from . import store as stores
from .evaluation import evaluated
from .gradients import stored_gradients
from .identity import (
    check_arrival,
    check_is_run,
    check_run,
    trained,
    trained_parameters,
)
from .references import references


class Sketch:
    """Jet-valued models of a training run along random directions; made by `sketch`.

    group: the zarr group that holds them (see `store`). model: the initial model of the run.
    """

    def __init__(self, group, model, units, count):
        self.group, self.model, self.units, self._count = group, model, units, count
        self.record = dict(group.attrs)["record"]
        self.at = base_point(self.record["at"], len(units))
        self._directions = self._made = None

    @property
    def degree(self):
        """Degree of the jets."""
        return self.record["degree"]

    @property
    def nbytes(self):
        """Bytes of the stored jets."""
        head, tail = (rows.array(self.group, name) for name in ("head", "tail"))
        return head.nbytes + len(self) * (tail.nbytes // tail.shape[0])

    def __len__(self):
        return self._count

    def __repr__(self):
        anchored = f", {len(self.anchors)} anchors" if len(self.anchors) else ""
        return (
            f"Sketch({len(self)} directions of degree {self.degree} over {len(self.units)} units, "
            f"{self.nbytes / 1e6:.0f} MB{anchored})"
        )

    @property
    def anchors(self):
        """The deletions after which the model was retrained exactly, as down-weights (a, units)."""
        return known.anchors(self.group, len(self.units))

    @property
    def influence(self):
        """Derivative of the mean loss on unit v by the down-weight of unit u, or None."""
        return rows.stored(self.group, "influence")

    def check_run(self, run):
        """Raise ValueError if the sketch was not made of this training run."""
        check_run(self.group, run)

    @property
    def directions(self):
        """The directions over the units: `Directions`."""
        if self._directions is None:
            self._directions = _drawn(self.units, range(len(self)), self.record)
        return self._directions

    def models(self):
        """The jet-valued models, in batches, read one batch at a time."""
        for start in range(0, len(self), BATCH):
            head, tail = stores.read(self.group, start, min(start + BATCH, len(self)))
            jets = Jet.of(head[None], np.ascontiguousarray(tail.swapaxes(0, 1)))
            yield self.model_of(jets)

    def model_of(self, flat):
        """The model with these parameters, arrays or jets that have them all on the last axis."""
        axis = Flat(self.record["parameters"])
        if not isinstance(flat, Jet):
            flat = number_array(flat, "flat")
        if not flat.ndim or flat.shape[-1] != axis.size:
            raise ValueError(f"flat must have shape (..., {axis.size}), not {flat.shape}")
        return self.model.with_parameters(axis.named(flat))

    @takes(unit=check_text)
    def output(self, function, *, unit=None):
        """Evaluate an output on all models: an `Output`, which predicts any deletion.

        function: of a model, returning one number: a named output such as `sl.LossOn("max")`, or
        any function, for example `lambda model: model.loss("max")`. Predictions stay within its
        `bounds`, if it has them. unit: what it counts, for display; default: what it says itself.
        """
        coefficients, anchor_values = evaluated(self, function)
        undeleted = None
        if np.any(self.at):
            undeleted = float(function(self.model_of(trained(self.group))))
            if not np.isfinite(undeleted):
                raise ValueError("the output is not finite with nothing deleted")
        points, gradients, costs = stored_gradients(self, function, coefficients)
        shared = {"at": self.at, "anchors": self.anchors, "influence": self.influence}
        return Output(
            coefficients,
            self.directions,
            unit=getattr(function, "unit", "") if unit is None else unit,
            bounds=getattr(function, "bounds", (-np.inf, np.inf)),
            undeleted=undeleted,
            anchor_values=anchor_values,
            **shared,
            references=self._references(shared),
            gradient_points=points,
            gradients=gradients,
            gradient_cost=sum(costs.tolist()),
        )

    def _references(self, shared):
        """The references, the same for all outputs until there are more anchors."""
        if self._made is None or len(self._made[0]) != len(shared["anchors"]):
            self._made = shared["anchors"], references(self, **shared)
        return self._made[1]

    def anchor(self, run, deletions, *, gradients=(), jobs=1, progress=True):
        """Retrain exactly after some deletions, with derivatives of named outputs if asked for.

        See `anchors.anchor`.
        """
        evidence.anchor(self, run, deletions, gradients=gradients, jobs=jobs, progress=progress)

    def suggested_anchors(self, count, *, seed=0, largest=None, **question):
        """Deletions worth retraining, as down-weights: see `anchors.suggested`."""
        return evidence.suggested(self, count, seed=seed, largest=largest, **question)

    def predict(self, function, down_weights=None, *, without=None, estimator="automatic"):
        """Predict an output after a deletion; for many deletions keep `output(function)`."""
        return self.output(function).predict(down_weights, without=without, estimator=estimator)


@takes(store=check_path, anchors=check_number_of)
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
    anchors=None,
    precision="double",
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
    anchors: exact retrainings to make beside the jets, which calibrate the bands of predictions and
    improve them (see `suggested_anchors`). Default: as many as a tenth of what the jets cost, in
    trainings, but 24 to 64. With 0 of them, bands rest on assumptions, and say so.
    precision: of the jets, "double" or "single", see `TrainingRun.push`; the base point and the
    retrainings are in double precision either way.
    store: a folder to keep the sketch in; if it has a part of the same sketch, that is continued.
    jobs: processes to use; inside `joblib.parallel_config(...)` its backend and jobs are used. The
    numbers do not depend on jobs, nor on how the work was interrupted.
    """
    check_is_run(run)
    degree, directions = check_sizes(degree, directions)
    check_choice(design, DESIGNS, "design")
    check_choice(precision, PRECISIONS, "precision")
    units = Units(units, len(run))
    at = base_point(_default_base(at, deletion_size, len(units)), len(units))
    record = {
        "run": run.fingerprint(),
        "degree": degree,
        "seed": seed,
        "design": design,
        "at": at.tolist() if np.any(at != at[0]) else float(at[0]),
        "units": units.record(),
        "parameters": {name: list(p.shape) for name, p in run.initial.parameters.items()},
        "model": run.initial.settings(),
    }
    if precision != "double":
        record["precision"] = precision
    arrival = trained_parameters(run), run.losses(run.model)
    group = stores.open_or_create(store, record, directions, *arrival)
    check_run(group, run)
    stores.make_room(group, directions)
    missing = stores.missing(group, directions)
    size = even_size(len(missing), BATCH, workers(jobs))
    work = [(run, units, record, missing[i : i + size]) for i in range(0, len(missing), size)]
    with (
        progress_bar(len(missing), progress, unit="direction") as bar,
        in_processes(_push, work, jobs, in_order=False) as results,
    ):
        for numbers, head, tail in results:
            if not np.any(at):  # arrays that the loss reads may have changed since it was trained
                check_arrival(group, head)
            stores.write(group, numbers, head, tail)
            bar.update(len(numbers))
    made = Sketch(group, run.initial, units, directions)
    evidence.calibrate(made, run, anchors, seed=seed, jobs=jobs, progress=progress)
    return made


@takes(path=check_path)
def open_sketch(path, run=None):
    """Open a stored sketch; its jets are read when they are needed.

    run: the training run it was made of, needed unless that was microgpt. Raises ValueError if the
    path holds no sketch, a newer format, an unfinished sketch, or the sketch of another run.
    """
    group = stores.open_existing(path)
    record = dict(group.attrs)["record"]
    directions = stores.directions(group)
    if missing := len(stores.missing(group, directions)):
        raise ValueError(
            f"the sketch at {str(path)!r} is unfinished: it has {directions - missing} of "
            f"{directions} directions; run the call that made it again to complete it"
        )
    if run is not None:
        check_run(group, run)
    if run is None and record["model"].get("kind") != "microgpt":
        raise ValueError("this sketch is not of microgpt: give the training run, run=...")
    model = run.initial if run else _microgpt(record)
    return Sketch(group, model, Units.from_record(record["units"]), directions)


def _microgpt(record):
    shapes = {name: np.empty(shape) for name, shape in record["parameters"].items()}
    settings = record["model"]
    return MicroGPT(shapes, settings["vocabulary"], settings["heads"], settings["activation"])


def _drawn(units, numbers, record):
    return draw(units, numbers, design=record["design"], seed=record["seed"])


def _push(run, units, record, numbers):
    """The work of one process: numbers, shared head and tails along these directions."""
    psi = _drawn(units, numbers, record).vectors
    at = base_point(record["at"], len(units))[units.of_document]
    model = run.push(
        psi[:, units.of_document],
        record["degree"],
        at=at,
        precision=stores.precision(record),
        progress=False,
    )
    flat = Flat(record["parameters"]).flat(model.parameters)
    return numbers, flat.head[0], flat.tail.swapaxes(0, 1)


def _default_base(at, deletion_size, count):
    if deletion_size is None:
        return 0.0 if at is None else at
    if at is not None:
        raise ValueError("give either at= or deletion_size=, not both")
    real = isinstance(deletion_size, numbers.Real) and not isinstance(deletion_size, bool)
    if not real or not 0 < deletion_size < count:
        raise ValueError(
            f"deletion_size must lie between 0 and the {count} units, not {deletion_size!r}"
        )
    return deletion_size / count
