"""Shared prefixes: states of training that many retrainings and jets start from.

Until its first step with a touched example, a retraining is the run itself, and a jet is a
constant: the run at the base point. So that part is walked once, on plain numbers; some of its
states (parameters, and the optimiser's state) are stored, and others start from them.

What is stored takes about sqrt(steps) states, and at most `BYTES` or one state. Data, or arrays
that the loss reads, may have changed since: `check` looks at the losses on the examples of the
steps to be skipped, which takes a fraction of the time of these steps, and forgets the states if
one of these losses is not what it was. It cannot see a change that leaves these losses, under the
run's trained model, as they are.
"""

import math

import numpy as np

from .divergence import NotFinite, is_finite
from .models import Flat
from .optimizers import InPlace

BYTES = 1 << 26  # of the states stored at one base point: 64 MiB
TOGETHER = 32  # examples whose losses are computed together
TOLERANCE = 1e-12  # of the largest loss: rounding differs with the number of threads


class Prefixes:
    """One training on numbers, with fixed weights of the examples, and some of its states.

    weights: of the losses, 1 minus the base point, (n,).
    states: by the number of steps taken, (1 + optimiser's states, parameters); the parameters come
    first. losses: on the first examples, when the states were made.
    """

    def __init__(self, run, weights):
        self.weights, self.axis = weights, Flat.of(run.initial.parameters)
        room = BYTES // (8 * self.axis.size * (1 + run.optimizer.states))
        self.every = max(math.isqrt(run.steps - 1) + 1, -(-run.steps // max(1, room)))
        self.states, self.losses = {}, np.empty(0)

    def check(self, run, step):
        """Forget the states if an example of the steps before this one has another loss now."""
        examples = range(min(step * run.batch_size, len(run)))
        parts = [examples[i : i + TOGETHER] for i in examples[::TOGETHER]]
        with np.errstate(all="ignore"):
            now = [run.model.losses(run.examples(np.array(part))) for part in parts]
        now = np.concatenate([np.empty(0), *now])
        both = min(len(now), len(self.losses))
        known = self.losses[:both]
        atol = TOLERANCE * np.max(np.abs(known), initial=0.0, where=np.isfinite(known))
        if not np.allclose(now[:both], known, rtol=0.0, atol=atol, equal_nan=True):
            self.states, self.losses = {}, now
        elif len(now) > both:
            self.losses = now

    def before(self, run, step, bar):
        """The state before a step, from the last one stored; raises `NotFinite`."""
        states = self.states
        start = max((taken for taken in list(states) if taken <= step), default=0)
        state = self.begin(run, states.get(start), np.copy)
        bar.update(start)
        steps = run.walk(state, self.weights.__getitem__, start)
        for taken in range(start + 1, step + 1):
            next(steps)
            if taken % self.every == 0:
                states[taken] = state.snapshot()
            bar.update()
        if not is_finite(state.flat):
            raise NotFinite("training at the base point is not finite")
        return state.snapshot()

    def begin(self, run, stored, lift):
        """Training about to go on from a stored state (None: from the start), in another ring."""
        if stored is None:
            return InPlace(run.initial.parameters, lift)
        return InPlace(self.axis.named(stored[0]), lift, tuple(stored[1:]))


def first_steps(run, rows):
    """The first step that uses an example where a row, (..., n), is not 0; `steps` if none does."""
    touched = np.not_equal(rows, 0)
    step = np.argmax(touched, axis=-1) // run.batch_size  # the first pass takes all in order
    return np.where(np.any(touched, axis=-1), np.minimum(step, run.steps), run.steps)


def by_first_step(run, rows, size):
    """Numbers of the rows, (m, n), in batches by first step; and the first step of each batch."""
    first = first_steps(run, rows)
    order = np.argsort(first, kind="stable") if len(first) > size else np.arange(len(first))
    parts = [order[i : i + size] for i in range(0, len(order), size)]
    return parts, [int(first[part].min()) for part in parts]
