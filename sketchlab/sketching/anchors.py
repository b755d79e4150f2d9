"""Anchors: deletions after which the model was retrained exactly, kept with a sketch."""

import numpy as np

from ..arguments import check_flag, takes
from ..checks import check_count
from ..estimation.output import products_of_jets
from ..processes import in_processes, workers
from ..progress import progress_bar
from ..training.models import Flat
from ..training.passes import even_size
from ..training.runs import BATCH
from . import known, store
from .gradients import differentiate, output_name
from .references import follow, learn, reference_effects

SHARE = 0.1  # of what the jets cost that goes to calibrating retrainings
FEWEST_ANCHORS, MOST_ANCHORS = 24, 64  # of these
LARGEST = 200  # units in any suggested deletion, unless more are asked for
FEW = 8  # units in a suggested deletion where a quarter of all is less
TRIES = 20  # for each suggestion that is not there yet, before sizes are drawn more freely
CHOICE = 8  # suggestions for each one that is wanted, to choose from for a question
FEWEST_UNITS = 4  # with fewer there is nothing to calibrate on


@takes()
def anchor(sketch, run, deletions, *, gradients=(), jobs=1, progress=True):
    """Retrain exactly after some deletions and keep the models, so that predictions use them.

    run: the training run of the sketch. deletions: a list of deletions, each a list of units or
    an array of down-weights (units,); or "units" (each unit alone), or "pairs" (each two).
    Deletions that are anchors already are skipped, so that an interrupted call goes on.
    The first call also computes `influence`, from the loss on every document (see `references`).
    Outputs made before do not have the new anchors: call `output` again.

    gradients: a named output, such as `sl.LossOn("max")`, or a list of them, whose derivatives by
    every unit are kept too, at these deletions and at the base point of the sketch: one pass of
    reverse mode at each, 2 trainings and 3 for each output. What is there already is skipped;
    deletions may be [].
    Raises TypeError for outputs that a store cannot recognise again, such as a lambda.
    """
    sketch.check_run(run)
    wanted = list({row.tobytes(): row for row in _deletions(sketch, deletions)}.values())
    gradients = [gradients] if callable(gradients) else gradients
    if not isinstance(gradients, (list, tuple)):
        raise TypeError(
            "gradients must be a named output, such as sl.LossOn('max'), or a list of them, not "
            f"{gradients!r}"
        )
    named = {output_name(function): function for function in gradients}
    sketch.group = store.writable(sketch.group)
    if named:
        differentiate(sketch, run, named, [sketch.at + 0.0, *wanted], jobs, progress)
    learn(sketch, run, progress)
    have = {row.tobytes() for row in sketch.anchors}
    rows = np.array([row for row in wanted if row.tobytes() not in have])
    rows = rows.reshape(-1, len(sketch.units))
    touched = (rows != 0)[:, sketch.units.of_document]
    size = even_size(len(rows), BATCH, workers(jobs))
    batches = [rows[part] for part in run.batches(touched, size, progress=progress)]
    work = [(run, sketch.units, batch) for batch in batches]
    with (
        progress_bar(len(rows), progress, unit="retraining") as bar,
        in_processes(_retrained, work, jobs) as results,
    ):
        for batch, parameters in zip(batches, results, strict=True):
            known.write_anchors(sketch.group, batch, parameters)
            bar.update(len(batch))
    follow(sketch, run)


def calibrate(sketch, run, count, *, seed, jobs, progress):
    """Make suggested anchors until there are `count`, or as many as there are such deletions.

    count: None for as many as a share of what the jets cost, within limits.
    """
    if count is None:
        cost = len(sketch) * products_of_jets(sketch.degree)
        count = int(np.clip(SHARE * cost, FEWEST_ANCHORS, MOST_ANCHORS))
    elif count != 0:
        check_count(count, "anchors, if not 0,")
    if not count or len(sketch.units) < FEWEST_UNITS:
        return
    learn(sketch, run, progress)
    wanted = suggested(sketch, count, seed=seed) if len(sketch.anchors) < count else []
    anchor(sketch, run, list(wanted), jobs=jobs, progress=progress)  # also what was cut off


@takes(count=check_count, gradients=check_flag)
def suggested(sketch, count, *, seed=0, largest=None, output=None, gradients=False, **question):
    """Deletions worth retraining, (up to count, units): of every five, two random, two of units
    that act alike, and one of the units with the largest effects on a training loss.

    Sizes are log-uniform: from 1 to `largest` units if random (default: a quarter of them, or the
    few that there are, at most 200; or half as many again as the base point deletes), from 2 to
    half of that otherwise. Units that act alike are those whose deletion raises each other's
    training loss the most. Effects are of first order, on the references (see `references`),
    either way. Before any anchor, nothing is known of all that, and every deletion is random.

    output, with without= or down_weights=: a question, such as `sl.LossOn("max")` and one deletion
    or several, as in `predict`. Of eight times as many such deletions, those that narrow its band
    the most, the best first (see `Output.ranked`); gradients: as points for derivatives of the
    output, not for retrainings.
    Raises ValueError for half a question.
    """
    check_count(count, "count")
    if unknown := set(question) - {"without", "down_weights"}:
        raise TypeError(
            f"there is no setting {unknown.pop()!r}: give output=, without=, gradients="
        )
    if (output is None) != (not question) or (gradients and output is None):
        raise ValueError(
            "a question is an output and a deletion: give output= and without= (or down_weights=), "
            "or none of them"
        )
    if output is None:
        return _drawn(sketch, count, seed, largest)
    candidates = _drawn(sketch, CHOICE * count, seed, largest)
    order, _ = sketch.output(output).ranked(candidates, gradients=gradients, **question)
    return candidates[order[:count]]


def _drawn(sketch, count, seed, largest):
    rng = np.random.default_rng(seed)
    n = len(sketch.units)
    if largest is None:
        usual = int(1.5 * np.sum(sketch.at))  # deletions of about the size of the base point
        largest = max(min(max(n // 4, min(n // 2, FEW)), LARGEST), usual)
    largest = max(2, min(check_count(largest, "largest"), n - 1))
    influence, effects = sketch.influence, reference_effects(sketch)
    found = {}
    for number in range(2 * TRIES * count):
        if len(found) == count:
            break
        if number >= TRIES * count:  # so few units that most deletions of these sizes were drawn
            chosen = rng.permutation(n)[: rng.integers(1, n)]
        elif influence is None or number % 5 in (0, 2):
            chosen = rng.choice(n, _size(rng, 1, largest), replace=False)
        else:
            if number % 5 == 4:
                order = rng.choice([-1.0, 1.0]) * effects[:, rng.integers(effects.shape[1])]
            else:
                order = alike(influence, rng.integers(n))
            size = _size(rng, 2, max(2, largest // 2))
            chosen = np.argsort(-order, kind="stable")[:size]
        row = np.zeros(n)
        row[chosen] = 1.0
        found[row.tobytes()] = row
    return np.unique(list(found.values()), axis=0)


def alike(influence, centre):
    """How much the deletion of a unit and of each other raise each other's loss, (n,).

    influence: (n, n), see `references`. The unit is most like itself.
    """
    found = influence[centre] + influence[:, centre]
    found[centre] = np.inf
    return found


def _size(rng, smallest, largest):
    return int(np.exp(rng.uniform(np.log(smallest), np.log(largest + 1))))


def _deletions(sketch, deletions):
    n = len(sketch.units)
    if isinstance(deletions, str):
        if deletions not in ("units", "pairs"):
            raise ValueError(f'deletions must be "units", "pairs" or a list, not {deletions!r}')
        each = np.eye(n)
        if deletions == "units":
            return each
        return np.array([each[i] + each[j] for i in range(n) for j in range(i)])
    if not np.iterable(deletions):
        raise TypeError(f"deletions must be a list of deletions, not {deletions!r}")
    rows = []
    for deletion in deletions:
        if isinstance(deletion, np.ndarray) and _is_down_weights(deletion, n):
            row = sketch.units.down_weights(None, deletion.astype(float))
        elif not np.iterable(deletion) and not isinstance(deletion, (str, set)):
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


def _is_down_weights(array, n):
    """Whether an array holds down-weights, not numbers of units: reals, or n times 0 or 1."""
    zeros_and_ones = array.shape == (n,) and np.isin(array, (0, 1)).all()
    return array.dtype.kind in "fb" or (array.dtype.kind in "iu" and zeros_and_ones)


def _retrained(run, units, down_weights):
    """Exactly retrained parameters, flat, (batch, size)."""
    model = run.retrain(down_weights=down_weights[:, units.of_document], progress=False)
    return Flat.of(run.initial.parameters).flat(model.parameters)
