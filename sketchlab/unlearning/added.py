"""Unlearning by gradients of the forget set that are added back, in one step.

Training subtracts rate times gradient at each step. What the forget set put in is taken out again:

    first_epoch_gradients   w + rate sum_i g_i, with g_i the gradient of the loss on document i at
                            the step of the first epoch (or of the first few) that trained on it
                            (Zagardo 2024, arXiv 2406.09391)
    single_gradient         w + rate sum_i k_i g_i(w_0), with all gradients at the initial
                            parameters, and k_i how many steps trained on document i (Thudi et al.
                            2022, arXiv 2109.13398): what training is to first order in the rate

Both leave out how the forget set changed the gradients of later steps.
"""

import dataclasses

import numpy as np

from ..algebra import ring
from ..checks import check_count, check_not_negative
from ..progress import progress_bar
from ..training.models import Flat
from ..training.optimizers import SGD, InPlace
from ..training.runs import BATCH
from .population import loss_of


def first_epoch_gradients(
    originals, forget, *, rate=None, epochs=1, only=None, stops=None, progress=True
):
    """Add the gradients of the first epochs back.

    rate: what they are multiplied by; default: the learning rate of the run, if that is constant
    and SGD without momentum. epochs: how many, at most those of the run. only: names of parameters
    to change, such as ("wte", "wpe"), the embedding of microgpt; default: all.
    The cost is that of walking these steps again; who stores the gradients does not pay it.
    """
    run = originals.run
    steps = min(run.steps, check_count(epochs, "epochs") * -(-len(run) // run.batch_size))
    if run.batch_size > 1:
        raise ValueError(
            f"the run takes steps of {run.batch_size} documents, so that no gradient is that of "
            "one document: train with batch_size=1"
        )
    touched = [bool(forget[run.examples_of(step)[0]]) for step in range(steps)]
    total = np.zeros_like(originals.flat)
    last = max((step for step, yes in enumerate(touched) if yes), default=-1)
    axis, batches = Flat.of(run.initial.parameters), range(0, len(originals), BATCH)
    with np.errstate(all="ignore"), progress_bar((last + 1) * len(batches), progress) as bar:
        for start in batches:
            rows = slice(start, start + BATCH)
            state = InPlace(
                run.initial.parameters, lambda _, rows=rows: originals.starts[rows].copy()
            )
            ones = np.ones((len(total[rows]), 1))
            for yes, gradients in zip(
                touched[: last + 1], run.walk(state, lambda _, ones=ones: ones), strict=False
            ):
                if yes:
                    total[rows] += axis.flat(gradients)
                bar.update()
    return _added(originals, total, [rate] if stops is None else stops, only, last + 1)


def single_gradient(originals, forget, *, rate=None, only=None, stops=None, progress=True):
    """Add the gradients at the initial parameters back, as often as training took them."""
    del progress
    run = originals.run
    times = np.zeros(len(run))
    for step in range(run.steps):
        np.add.at(times, run.examples_of(step), 1.0 / run.batch_size)
    axis, total = Flat.of(run.initial.parameters), np.zeros_like(originals.flat)
    gradient = ring.ring_grad(lambda named, i: loss_of(run, named, i))
    used = np.flatnonzero(forget * times)
    for i in used:
        total += times[i] * axis.flat(gradient(axis.named(originals.starts), i))
    return _added(originals, total, [rate] if stops is None else stops, only, len(used))


def _added(originals, total, rates, only, steps):
    """The originals with these gradients added, by rate. steps: how many gradients they took."""
    run, axis = originals.run, Flat.of(originals.run.initial.parameters)
    names = list(axis.shapes) if only is None else [only] if isinstance(only, str) else list(only)
    if unknown := [name for name in names if name not in axis.shapes]:
        raise ValueError(f"there is no parameter {unknown[0]!r}, only {', '.join(axis.shapes)}")
    cost, one = originals.cost + steps / run.steps / run.batch_size, np.ones(len(total), int)
    found = []
    rates = [_rate_of(run) if rate is None else rate for rate in rates]
    for rate in [check_not_negative(rate, "a rate") for rate in rates]:
        flat = originals.flat.copy()
        for name in names:
            flat[:, axis.columns[name]] += rate * total[:, axis.columns[name]]
        found.append(
            dataclasses.replace(originals, flat=flat, cost=cost, steps=one, origin=originals)
        )
    return found


def _rate_of(run):
    """The learning rate of a run that takes steps of one rate times a gradient."""
    rate = getattr(run.optimizer, "learning_rate", None)
    if run.optimizer != SGD(rate, weight_decay=getattr(run.optimizer, "weight_decay", 0.0)):
        raise ValueError(
            f"the run was trained by {run.optimizer}, whose steps are not one rate times a "
            "gradient: give rate="
        )
    return rate
