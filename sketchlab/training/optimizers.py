"""Optimisers: how a gradient changes the parameters, the same for numbers and for jets."""

import dataclasses

import numpy as np

from ..algebra.jet import Jet
from ..algebra.recording import told
from ..arguments import instance, one_of
from ..checks import (
    brief,
    check_count,
    check_not_negative,
    check_number_of,
    check_positive,
    real_array,
)
from .adam_on_jets import AdamOnJets
from .models import Flat

BLOCK_BYTES = 1 << 18  # of a block that the optimiser works on, for up to 3 coefficients each


@dataclasses.dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent, v <- momentum v + g and p <- p - rate v.

    schedule: "constant", or "linear" (the rate falls linearly to 0 over the run).
    weight_decay is added to the gradient as weight_decay * p and is not down-weighted.
    """

    learning_rate: float = 0.1
    momentum: float = 0.0
    weight_decay: float = 0.0
    schedule: str = "constant"
    states = 1  # arrays kept per parameter

    def __post_init__(self):
        _check(self, momentum=check_not_negative, weight_decay=check_not_negative)

    @told
    def update(self, step, steps, p, g, v):
        """New parameter and state after step number `step` (from 0)."""
        if self.weight_decay:
            g = g + self.weight_decay * p
        v = self.momentum * v + g if self.momentum else g
        return p - rate_at(self, step, steps) * v, v


@dataclasses.dataclass(frozen=True)
class Adam:
    """Adam with bias correction and eps INSIDE the square root, so that it is analytic:

    p <- p - rate * m_hat / (v_hat + eps)^(1/2),  defaults as in the paper, where
    m_hat = (1 - beta1) m / (1 - beta1^t),  m <- beta1 m + g,  and v_hat likewise with beta2, g^2.
    """

    learning_rate: float = 0.01
    beta1: float = 0.85
    beta2: float = 0.99
    eps: float = 1e-3
    schedule: str = "linear"
    states = 2

    def __post_init__(self):
        _check(self, beta1=_check_decay, beta2=_check_decay, eps=check_positive)

    @told
    def update(self, step, steps, p, g, m, v):
        """New parameter and state after step number `step` (from 0)."""
        m = self.beta1 * m + g
        v = self.beta2 * v + g * g
        rate, eps = self.factors(step, steps)
        return p - m * (v + eps) ** -0.5 * rate, m, v

    @told
    def factors(self, step, steps):
        """What m (v + eps)^(-1/2) is multiplied by in this step, and that eps.

        The corrections of m and v are pulled out of the root, to touch one array, not three.
        """
        to_m_hat = (1 - self.beta1) / (1 - self.beta1 ** (step + 1))
        to_v_hat = (1 - self.beta2) / (1 - self.beta2 ** (step + 1))
        return rate_at(self, step, steps) * to_m_hat * to_v_hat**-0.5, self.eps / to_v_hat


def _check(optimizer, **checks):
    """Put the settings of an optimiser into Python's own numbers, or raise ValueError."""
    checks |= {"learning_rate": check_positive, "schedule": one_of("constant", "linear")}
    for name, check in checks.items():
        object.__setattr__(optimizer, name, check(getattr(optimizer, name), name))


def _check_decay(value, what):
    found = check_not_negative(value, what)
    if found >= 1:
        raise ValueError(f"{what} must be a number from 0 up to, but not including, 1, not {value}")
    return found


def _numbers_of_steps(value, what, least):
    """One number of steps, or an array of one for each model."""
    if not isinstance(value, np.ndarray):
        return check_count(value, what) if least else check_number_of(value, what)
    array = real_array(value, what)
    if np.any(array < least):
        raise ValueError(f"{what} must be {least} or above, not {brief(array)}")
    return array


def rate_at(optimizer, step, steps):
    step, steps = _numbers_of_steps(step, "step", 0), _numbers_of_steps(steps, "steps", 1)
    if optimizer.schedule == "linear":
        return optimizer.learning_rate * (1 - step / steps)
    return optimizer.learning_rate


class InPlace:
    """All parameters in one flat array or jet, (*batch, size), which an optimiser updates in place.

    The update is elementwise, so it works through blocks of columns that stay in the processor's
    cache. The optimiser's state is stored by block.

    initial: parameters of one model by name. lift(flat): puts them into the ring to train over.
    states: the optimiser's state to start from, flat arrays (size,); none: zeros.
    views: the parameters by name; they follow the updates.
    """

    def __init__(self, initial, lift, states=()):
        self.axis = Flat.of(initial)
        self.flat = lift(self.axis.flat(initial))
        self.views = self.axis.named(self.flat)
        jet = isinstance(self.flat, Jet)
        array = self.flat.tail if jet and self.flat.degree else self.flat
        column = array.dtype.itemsize * int(np.prod(array.shape[:-1]))
        width = max(1, min(len(array) if jet else 1, 3) * BLOCK_BYTES // column)
        size = self.axis.size
        self.blocks = [(a, min(a + width, size)) for a in range(0, size, width)]
        self.states = [tuple(lift(s[a:b]) for s in states) for a, b in self.blocks]
        self._start, self._adam = states, None

    def update(self, optimizer, step, steps, gradients):
        """Take one step of the optimiser."""
        if isinstance(self.flat, Jet) and self.flat.degree and isinstance(optimizer, Adam):
            if self._adam is None:
                start = self._start or np.zeros((optimizer.states, self.axis.size))
                self._adam = AdamOnJets(optimizer, self.axis, self.flat, start)
            self._adam.step(step, steps, gradients)
            return
        if isinstance(self.flat, Jet):  # all directions share their base point, hence [:1]
            gradients = {name: Jet.of(g.head[:1], g.tail) for name, g in gradients.items()}
        for i, (start, stop) in enumerate(self.blocks):
            p = self.flat[..., start:stop]
            g = self.axis.flat(gradients, start, stop)
            states = self.states[i] or (0.0,) * optimizer.states
            new, *self.states[i] = optimizer.update(step, steps, p, g, *states)
            if isinstance(p, Jet):
                p.head[...], p.tail[...] = new.head, new.tail
            else:
                p[...] = new

    def snapshot(self):
        """A copy of parameters and optimiser's state of one model, (1 + states, size)."""
        parts = zip(*self.states, strict=True)
        return np.stack([self.flat, *(np.concatenate(blocks) for blocks in parts)])


check_state = instance(InPlace)
