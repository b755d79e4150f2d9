"""Steps of one document from trained models, on any objective, many models side by side.

One order of documents serves all models. Which of the documents outside the forget set a model is
shown is drawn by its seed, and those that it skips do not change it. So the result does not depend
on which models are trained together.
"""

import dataclasses

import numpy as np

from ..algebra import ring
from ..checks import check_count, check_number_of
from ..progress import progress_bar
from ..training.models import Flat
from ..training.optimizers import Adam
from ..training.runs import BATCH


def take_steps(
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
    stops=None,
    progress=True,
):
    """Take steps on the documents, a batch of models at a time: `Models` at each stop.

    loss(parameters, i, rows): of document i, (models,), under the models with these numbers.
    signs: what losses are multiplied by, (n,). kept: how many documents outside the forget set.
    ascents: in how many passes the forget set comes first, to be left out later; None: shuffled.
    """
    run, count = originals.run, len(originals)
    optimizer = Adam(learning_rate=1e-3, schedule="constant") if optimizer is None else optimizer
    used = _used(forget, kept, originals.seeds, seed) & (signs != 0)
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
    if not len(order):
        raise ValueError("there is no document to take a step on: kept must be above 0 here")
    stops = [len(order)] if stops is None else _checked_stops(stops, len(order))
    flat = np.repeat(originals.flat[None], len(stops), axis=0)
    share = max(float(used[:, order].mean()), 1e-9)  # of the models that take a step
    size = max(1, min(count, round(BATCH / share)))
    batches = range(0, count, size)
    with np.errstate(all="ignore"), progress_bar(len(order) * len(batches), progress) as bar:
        for start in batches:
            rows = np.arange(start, min(start + size, count))
            states = _walk(
                run, flat[0, rows], loss, signs, used[rows], rows, order, stops[-1], optimizer
            )
            for shown, state in enumerate(states):
                if shown in stops:
                    flat[stops.index(shown), rows] = state
                bar.update(shown > 0)
    found = []
    for shown, parameters in zip(stops, flat, strict=True):
        taken = used[:, order[:shown]].sum(axis=1)
        cost = originals.cost + float(taken.mean()) / run.steps / run.batch_size
        found.append(
            dataclasses.replace(
                originals, flat=parameters, cost=cost, steps=taken, origin=originals
            )
        )
    return found


def _checked_stops(stops, most):
    """The stops as integers."""
    stops = [check_number_of(stop, "a stop") for stop in stops]
    if not stops or stops != sorted(set(stops)) or stops[-1] > most:
        raise ValueError(
            f"stops must be different numbers of documents shown, in ascending order, at most "
            f"{most} with these settings, not {stops!r}"
        )
    return stops


def _walk(run, flat, loss, signs, used, rows, order, last, optimizer):
    """Flat parameters before and after each of the first `last` steps, (models, P), changed in
    place. A model skips some steps."""
    axis = Flat.of(run.initial.parameters)
    states = [np.zeros_like(flat) for _ in range(optimizer.states)]
    taken = np.zeros((len(flat), 1))
    total = np.maximum(used[:, order].sum(axis=1, keepdims=True), 1)

    def objective(parameters, i, rows):
        return signs[i] * loss(parameters, i, rows)

    gradient = ring.ring_grad(objective)
    yield flat
    for i in order[:last]:
        on = np.flatnonzero(used[:, i])
        if not len(on):
            yield flat
            continue
        slope = axis.flat(gradient(axis.named(flat[on]), i, rows[on]))
        before = [state[on] for state in states]
        flat[on], *after = optimizer.update(taken[on], total[on], flat[on], slope, *before)
        for state, new in zip(states, after, strict=True):
            state[on] = new
        taken[on] += 1
        yield flat


def _used(forget, kept, seeds, seed):
    """Which documents each model uses, (models, n): the forget set, and a sample of the others."""
    others = np.flatnonzero(forget == 0)
    used = np.tile(forget == 1, (len(seeds), 1))
    kept = None if kept is None else check_number_of(kept, "kept")
    if kept is None or kept == len(others):
        used[:, others] = True
        return used
    if kept > len(others):
        raise ValueError(f"kept is {kept}, but only {len(others)} documents are not forgotten")
    for own, row in zip(seeds, used, strict=True):
        rng = np.random.default_rng((seed, own))
        row[rng.choice(others, kept, replace=False)] = True
    return used
