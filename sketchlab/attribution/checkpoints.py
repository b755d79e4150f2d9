"""TracIn: what each document's gradient did, added up along training, without second derivatives.

Pruthi et al. (2020, arXiv 2002.08484) add up, over steps t on document i, the rate times the
product of the gradients of the output and of the loss on i. Here step s of training moves the
parameters by -D_s m_s with m_s = sum_{t <= s} beta^(s - t) g_t, where g_t is the mean gradient of
the batch, beta the momentum, and D_s the rate (SGD), or the rate over the root of the second
moments, which are held as they were (Adam). So document i's share of all steps changes the output
by

    d output / d x_i = sum_{t: i in batch t} grad L_i(p_t) . a_t / batch size,
    a_t = D_t grad output(p_t) + beta a_{t+1}.

It has the unit of the output, and is positive where the document lowered it. The sum over all
documents is, to first order in the rate, output(p_0) - output(p_T), without weight decay, whose
moves belong to no document. Left out is how a change of the parameters changes later gradients
(`first_order` has it) and, after Adam, how deletion changes the second moments: there the step is
not a multiple of the gradient, and the scale is off by that much. With fewer checkpoints than
steps, gradients and second moments are those in the middle of each stretch of steps.
"""

import numpy as np

from ..algebra.jet import Jet
from ..arguments import takes
from ..checks import check_count
from ..estimation.units import Units
from ..progress import progress_bar
from ..training.models import Flat
from ..training.optimizers import SGD, InPlace, rate_at
from ..training.passes import check_output
from ..training.reverse import slope_of
from .first_order import FirstOrder, check_functions
from .influence import as_asked


@takes(every=check_count)
def tracin(run, outputs, *, every=1, units=None, progress=True):
    """TracIn of outputs: a `FirstOrder`, or a list of them for a list of outputs.

    outputs: a function of a model, or a list of them, as for `first_order`. every: steps that share
    a checkpoint, from 1 to all of them. units: groups of documents deleted together (see `Units`).
    Memory: two arrays of all parameters for each checkpoint, and two for each output. cost: the
    training that finds the checkpoints, shared by the outputs, one product for every document of
    every step, and one gradient of the output for every checkpoint. Raises TypeError or ValueError,
    in words, for what is no output, and for an `every` that leaves no checkpoint.
    """
    functions, units = check_functions(run, outputs), Units(units, len(run))
    if check_count(every, "every") > run.steps:
        raise ValueError(
            f"every {every} steps there is no checkpoint in a training of {run.steps} steps: give "
            f"every= from 1 to {run.steps}"
        )
    for function in functions:
        check_output(run, function)
    starts = range(0, run.steps, every)
    with progress_bar(2 * run.steps, progress) as bar:
        kept = _checkpoints(run, [_middle(run, start, every) for start in starts], bar)
        by_document = _back(run, functions, starts, every, kept, bar)
    cost = 1 / len(functions) + 1 + len(starts) / run.steps / run.batch_size
    reason = f"TracIn, {len(starts)} checkpoints"
    return as_asked(run, outputs, functions, by_document, units, cost, FirstOrder, reason)


def _middle(run, start, every):
    return start + (min(start + every, run.steps) - start) // 2


def _checkpoints(run, wanted, bar):
    """Parameters before these steps, and second moments in them (None of SGD), by step."""
    axis, kept, wanted = Flat.of(run.initial.parameters), {}, set(wanted)
    state = InPlace(run.initial.parameters, np.copy)
    before = state.flat.copy()
    steps = run.walk(state, lambda i: np.ones(len(i)))
    second = None if isinstance(run.optimizer, SGD) else np.zeros(axis.size)
    for step, gradients in enumerate(steps):
        if second is not None:
            second = run.optimizer.beta2 * second + axis.flat(gradients) ** 2
        if step in wanted:
            kept[step] = before, second
        before = state.flat.copy() if step + 1 in wanted else None
        bar.update()
    return kept


def _back(run, functions, starts, every, kept, bar):
    """The scores of all outputs, (outputs, n), from the last step to the first."""
    axis, found = Flat.of(run.initial.parameters), np.zeros((len(functions), len(run)))
    optimizer, carried = run.optimizer, np.zeros((len(functions), axis.size))
    beta = optimizer.momentum if isinstance(optimizer, SGD) else optimizer.beta1
    for start in reversed(starts):
        middle = _middle(run, start, every)
        parameters, second = kept.pop(middle)
        named = axis.named(parameters)
        slopes = np.array([slope_of(run, function, named) for function in functions])
        for step in reversed(range(start, min(start + every, run.steps))):
            carried = beta * carried + _scale(optimizer, step, run.steps, second, middle) * slopes
            line = Jet.line(parameters[None], carried, 1)
            batch = run.examples_of(step)
            losses = run.initial.with_parameters(axis.named(line)).losses(run.examples(batch))
            found[:, batch] += losses.tail[0] / run.batch_size
            bar.update()
    return found


def _scale(optimizer, step, steps, second, middle):
    """What a step moves each parameter by, for a sum of gradients of -1: D of the module."""
    rate = rate_at(optimizer, step, steps)
    if isinstance(optimizer, SGD):
        return rate
    hat = second * (1 - optimizer.beta2) / (1 - optimizer.beta2 ** (middle + 1))
    to_m_hat = (1 - optimizer.beta1) / (1 - optimizer.beta1 ** (step + 1))
    return rate * to_m_hat * (hat + optimizer.eps) ** -0.5
