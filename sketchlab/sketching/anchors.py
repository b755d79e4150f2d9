"""Anchors: deletions after which the model was retrained exactly, kept with a sketch."""

import joblib
import numpy as np
from threadpoolctl import threadpool_limits

from ..algebra.jet import Jet
from ..checks import check_count
from ..estimation.minimum_norm import gradients as by_directions
from ..progress import progress_bar
from ..training.models import Flat
from ..training.runs import BATCH
from . import known, store
from .gradients import differentiate, output_name

LARGEST_ALIKE = 32  # units in a suggested deletion of units that act alike
LARGEST = 200  # units in any suggested deletion, unless more are asked for


def anchor(sketch, run, deletions, *, gradients=(), jobs=1, progress=True):
    """Retrain exactly after some deletions and keep the models, so that predictions use them.

    run: the training run of the sketch. deletions: a list of deletions, each a list of units or
    an array of down-weights (units,); or "units" (each unit alone), or "pairs" (each two).
    Deletions that are anchors already are skipped, so that an interrupted call goes on.
    The first call also computes `influence`, from one output per document. Outputs made before
    do not have the new anchors: call `output` again.

    gradients: a named output, such as `sl.LossOn("max")`, or a list of them, whose derivatives by
    every unit are kept too, at these deletions and at the base point of the sketch: one pass of
    reverse mode at each, 2 trainings and 3 for each output. What is there already is skipped;
    deletions may be [].
    Raises TypeError for outputs that a store cannot recognise again, such as a lambda.
    """
    sketch.check_run(run)
    wanted = list({row.tobytes(): row for row in _deletions(sketch, deletions)}.values())
    gradients = [gradients] if callable(gradients) else gradients
    named = {output_name(function): function for function in gradients}
    sketch.group = store.writable(sketch.group)
    if named:
        differentiate(sketch, run, named, [sketch.at + 0.0, *wanted], jobs, progress)
    if sketch.influence is None:
        store.write_influence(sketch.group, _influence(sketch, run, progress))
    have = {row.tobytes() for row in sketch.anchors}
    rows = np.array([row for row in wanted if row.tobytes() not in have])
    rows = rows.reshape(-1, len(sketch.units))
    touched = (rows != 0)[:, sketch.units.of_document]
    batches = [rows[part] for part in run.batches(touched, progress=progress)]
    parallel = joblib.Parallel(n_jobs=None if jobs == 1 else jobs, return_as="generator")
    with progress_bar(len(rows), progress, unit="retraining") as bar:
        for batch, parameters in zip(
            batches,
            parallel(joblib.delayed(_retrained)(run, sketch.units, x) for x in batches),
            strict=True,
        ):
            known.write_anchors(sketch.group, batch, parameters)
            bar.update(len(batch))


def suggested(sketch, count, *, seed=0, largest=None):
    """Deletions worth retraining, (up to count, units): half random, half of units that act alike.

    Sizes are log-uniform from 2 to `largest` units (default: half of them, at most 200). Units
    that act alike are those whose deletion raises each other's training loss the most, once
    `influence` is known (see `anchor`); before that, all are random.
    """
    check_count(count, "count")
    rng = np.random.default_rng(seed)
    n = len(sketch.units)
    largest = max(2, min(n // 2, LARGEST)) if largest is None else largest
    sizes = np.exp(rng.uniform(np.log(2), np.log(largest + 1), count)).astype(int)
    influence = sketch.influence
    found = np.zeros((count, n))
    for number, (row, size) in enumerate(zip(found, sizes, strict=True)):
        if number % 2 or influence is None:
            row[rng.choice(n, size, replace=False)] = 1.0
        else:
            centre = rng.integers(n)
            alike = influence[centre] + influence[:, centre]
            alike[centre] = np.inf
            row[np.argsort(-alike, kind="stable")[: min(size, LARGEST_ALIKE)]] = 1.0
    return np.unique(found, axis=0)


def _deletions(sketch, deletions):
    n = len(sketch.units)
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
            row = sketch.units.down_weights(None, deletion.astype(float))
        elif np.ndim(deletion) == 0 and not isinstance(deletion, (str, set)):
            raise TypeError(
                f"every deletion must be a list of units, such as [{deletion!r}], or an array "
                f"of {n} down-weights, not {deletion!r}"
            )
        else:
            row = sketch.units.down_weights(deletion)
        if row.ndim != 1:
            raise ValueError(f"every deletion must be one list of units, not {deletion!r}")
        if not np.any(row) or not np.any(row != sketch.at):
            raise ValueError(
                "an anchor must delete something, and not just as much as the base point of the "
                "sketch: one of the deletions is known already"
            )
        rows.append(row + 0.0)  # -0 and 0 are one
    return np.array(rows).reshape(-1, n)


def _influence(sketch, run, progress):
    rows = []
    with progress_bar(len(sketch), progress, unit="direction") as bar:
        for model in sketch.models():
            flat = model.with_parameters(
                {name: Jet.of(p.head, p.tail[:1]) for name, p in model.parameters.items()}
            )
            losses = [
                flat.losses(run.examples(range(i, min(i + BATCH, len(run))))).tail[0]
                for i in range(0, len(run), BATCH)
            ]
            rows.append(np.concatenate(losses, axis=1))
            bar.update(len(rows[-1]))
    by_document = by_directions(sketch.directions, np.concatenate(rows))
    by_unit = np.zeros((len(sketch.units), len(sketch.units)))
    np.add.at(by_unit.T, sketch.units.of_document, by_document.T)
    return by_unit / sketch.units.sizes


def _retrained(run, units, down_weights):
    """Exactly retrained parameters, flat, (batch, size)."""
    with threadpool_limits(1):
        model = run.retrain(down_weights=down_weights[:, units.of_document], progress=False)
    return Flat.of(run.initial.parameters).flat(model.parameters)
