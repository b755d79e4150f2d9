"""Unlearning by steps from a trained model: on losses, up or down, or towards target logits.

    nothing         the originals as they are
    fine_tuning     down the losses of what is kept
    ascent          up the losses of the forget set
    ascent_descent  both, in one shuffled order
    scrub           away from the original's predictions on the forget set, and near them, and down
                    the losses, on what is kept
    matching        towards targets, by squared error of the logits, on all of both

All take steps of one document; `added` has methods of one step in all. One order of documents
serves all models; which of the kept ones a model trains on is drawn for each model, and those that
it skips do not change it. So the result does not depend on how many models are trained together.
"""

import dataclasses

import numpy as np

from ..algebra import ring
from ..checks import check_choice, check_count
from ..progress import progress_bar
from ..training.microgpt import MicroGPT
from ..training.models import Flat
from ..training.optimizers import Adam
from ..training.runs import BATCH
from .added import first_epoch_gradients, single_gradient
from .population import loss_of


def unlearn(originals, without, method, *, progress=True, **settings):
    """Make trained models forget some documents: `Models` of the same seeds.

    originals: `Models`, from `train_seeds`. without: numbers of the documents to forget, at least
    one, and not all. method: one of `METHODS`; settings: of the method:

    passes: over the documents that it uses (default 1). kept: how many of the other documents each
    model uses, drawn for each (default: all of them; ascent uses none). optimizer: default
    `Adam(0.001, schedule="constant")`. weight: of the ascent beside the descent (ascent_descent,
    default 1). targets: of matching, a function of a document that returns logits, (positions,
    tokens) or (models, positions, tokens). seed: of orders and samples.

    Models that diverge have NaN in their parameters: see `Models.diverged`. Those that no step
    changed are not `Models.moved`.
    """
    check_choice(method, METHODS, "method")
    run = originals.run
    forget = run.indicator(without)
    if not np.any(forget) or np.all(forget):
        raise ValueError(
            f"the forget set has {int(forget.sum())} of {len(run)} documents: give at least one "
            "and not all of them"
        )
    return METHODS[method](originals, forget, progress=progress, **settings)


def nothing(originals, forget, *, progress=True):
    """The originals as they are."""
    del forget, progress
    return dataclasses.replace(originals, origin=originals)


def fine_tuning(originals, forget, **settings):
    """Go on training on what is kept."""
    return _on_losses(originals, forget, 0.0, **settings)


def ascent(originals, forget, **settings):
    """Up the losses of the forget set, and nothing else."""
    return _on_losses(originals, forget, 1.0, **{"kept": 0, **settings})


def ascent_descent(originals, forget, *, weight=1.0, **settings):
    """Up the losses of the forget set and down those of what is kept (NegGrad+)."""
    if not weight > 0:
        raise ValueError(f"weight must be above 0, not {weight!r}")
    return _on_losses(originals, forget, weight, **settings)


def scrub(originals, forget, *, near=1.0, down=1.0, ascents=None, passes=2, **settings):
    """Away from the teacher on the forget set, near it on the rest (Kurmanji et al. 2023).

    The student starts as the teacher, the original, which stays fixed. Up goes the divergence
    KL(teacher || student) of the next letters of the forget set, down goes near * KL + down * loss
    on what is kept.
    """
    run, axis = originals.run, Flat.of(originals.run.initial.parameters)
    if not isinstance(run.initial, MicroGPT):
        raise TypeError(f"scrub needs logits, as microgpt has; this is {run.initial!r}")

    def loss(parameters, i, rows):
        student = run.initial.with_parameters(parameters)
        teacher = run.initial.with_parameters(axis.named(originals.flat[rows]))
        read, right = student.sequence(run.data[i])
        logits, p = student.logits(read), ring.softmax(teacher.logits(read))
        apart = ring.sum(p * (np.log(p) - ring.log(ring.softmax(logits))), -1)
        apart = ring.mean(apart, -1)
        if forget[i]:
            return apart
        return near * apart + down * ring.cross_entropy(logits, right)

    ascents = -(-passes // 2) if ascents is None else check_count(ascents, "ascents")
    signs = np.where(forget == 1, -1.0, 1.0)
    return _steps(originals, loss, signs, forget, passes=passes, ascents=ascents, **settings)


def matching(originals, forget, *, targets, **settings):
    """Squared error of the logits to targets, on the forget set and on what is kept.

    With the mean logits of oracles as targets this is Oracle Matching, with predictions of them
    Datamodel Matching (Georgiev et al. 2024, arXiv 2410.23232).
    """
    run = originals.run
    if not isinstance(run.initial, MicroGPT):
        raise TypeError(f"matching needs logits, as microgpt has; this is {run.initial!r}")
    if not callable(targets):
        raise TypeError(f"targets must be a function of a document, not {targets!r}")
    wanted = {}

    def error(parameters, i, rows):
        model = run.initial.with_parameters(parameters)
        read, _ = model.sequence(run.data[i])
        logits = model.logits(read)
        if i not in wanted:
            wanted[i] = _target(targets, run.data[i], (len(originals), *logits.shape[1:]))
        difference = logits - wanted[i][rows]
        return ring.mean(difference * difference, (-2, -1))

    return _steps(originals, error, np.ones(len(run)), forget, **settings)


METHODS = {
    "nothing": nothing,
    "fine_tuning": fine_tuning,
    "ascent": ascent,
    "ascent_descent": ascent_descent,
    "scrub": scrub,
    "matching": matching,
    "first_epoch_gradients": first_epoch_gradients,
    "single_gradient": single_gradient,
}


def _on_losses(originals, forget, weight, **settings):
    run = originals.run

    def loss(parameters, i, rows):
        del rows
        return loss_of(run, parameters, i)

    return _steps(originals, loss, np.where(forget == 1, -weight, 1.0), forget, **settings)


def _steps(
    originals,
    loss,
    signs,
    forget,
    *,
    passes=1,
    kept=None,
    optimizer=None,
    seed=0,
    ascents=None,
    progress=True,
):
    """Take steps on the documents, a batch of models at a time.

    loss(parameters, i, rows): of document i, (models,), under the models with these numbers.
    signs: what losses are multiplied by, (n,). kept: how many documents outside the forget set.
    ascents: in how many passes the forget set comes first, to be left out later; None: shuffled.
    """
    run, count = originals.run, len(originals)
    optimizer = Adam(learning_rate=1e-3, schedule="constant") if optimizer is None else optimizer
    used = _used(forget, kept, count, seed) & (signs != 0)
    rng, orders = np.random.default_rng((seed, len(run))), []
    for number in range(check_count(passes, "passes")):
        order = rng.permutation(len(run))
        if ascents is not None:
            first = order[forget[order] == 1]
            order = order[forget[order] == 0]
            order = np.concatenate([first, order]) if number < ascents else order
        orders.append(order)
    order = np.concatenate(orders)
    order = order[used.any(axis=0)[order]]
    flat, batches = originals.flat.copy(), range(0, count, BATCH)
    with np.errstate(all="ignore"), progress_bar(len(order) * len(batches), progress) as bar:
        for start in batches:
            rows = np.arange(start, min(start + BATCH, count))
            flat[rows] = _walk(
                run, flat[rows], loss, signs, used[rows], rows, order, optimizer, bar
            )
    taken = used[:, order].sum(axis=1)
    cost = originals.cost + float(taken.mean()) / run.steps / run.batch_size
    return dataclasses.replace(originals, flat=flat, cost=cost, steps=taken, origin=originals)


def _walk(run, flat, loss, signs, used, rows, order, optimizer, bar):
    """Flat parameters after all steps, (models, P). A model stays as it is where it skips one."""
    axis = Flat.of(run.initial.parameters)
    states, taken = (0.0,) * optimizer.states, np.zeros((len(flat), 1))
    total = np.maximum(used[:, order].sum(axis=1, keepdims=True), 1)

    def objective(parameters, i):
        return signs[i] * loss(parameters, i, rows)

    gradient = ring.ring_grad(objective)
    for i in order:
        active = used[:, [i]]
        slope = axis.flat(gradient(axis.named(flat), i))
        new, *changed = optimizer.update(taken, total, flat, slope, *states)
        flat = np.where(active, new, flat)
        states = [
            np.where(active, after, before) for after, before in zip(changed, states, strict=True)
        ]
        taken = taken + active
        bar.update()
    return flat


def _used(forget, kept, models, seed):
    """Which documents each model uses, (models, n): the forget set, and a sample of the others."""
    others = np.flatnonzero(forget == 0)
    used = np.tile(forget == 1, (models, 1))
    if kept is None or kept == len(others):
        used[:, others] = True
        return used
    if kept != 0 and check_count(kept, "kept") > len(others):
        raise ValueError(f"kept is {kept}, but only {len(others)} documents are not forgotten")
    for number, row in enumerate(used):
        rng = np.random.default_rng((seed, number))
        row[rng.choice(others, kept, replace=False)] = True
    return used


def _target(targets, doc, shape):
    """The targets of a document, (models, positions, tokens)."""
    found = np.asarray(targets(doc), dtype=float)
    if found.shape not in (shape, shape[1:]) or not np.all(np.isfinite(found)):
        raise ValueError(
            f"the targets of {doc!r} must be finite logits of shape {shape[1:]} or {shape}, not "
            f"{found.shape}"
        )
    return np.broadcast_to(found, shape)
