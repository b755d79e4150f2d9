"""Reverse mode through training: derivatives of outputs by every down-weight.

Training is s_{t+1} = h_t(s_t, x) with the state s = (parameters, optimiser's state). Reverse mode
carries lambda_t = d output / d s_t from the last step to the first,

    lambda_t = lambda_{t+1} dh_t/ds,    d output / dx += lambda_{t+1} dh_t/dx,

which costs a few trainings per output, whatever the number of documents. It is known as MAGIC
(Ilyas and Engstrom, arXiv 2504.16430). A step needs the gradient only through products with one
vector mu, and those are coefficients of jets: along parameters p + mu z, the losses have the
coefficient grad L_i . mu, and the gradient of the step has the coefficient Hessian . mu.

Several base points are trained side by side, and all outputs go back together: the constant
coefficients of their jets, which outputs share, are computed once for each point.
"""

import dataclasses
import math

import numpy as np

from ..algebra import ring
from ..algebra.jet import Jet
from .divergence import NotFinite, is_finite, why_not_finite
from .models import Flat
from .optimizers import InPlace


@dataclasses.dataclass(frozen=True, eq=False)
class Derivatives:
    """What reverse mode finds at some down-weights of the examples.

    values: the outputs, (points, outputs). derivatives: of them, by the down-weight of each
    example, (points, outputs, n). parameters: the trained ones, flat, (points, P). cost: what each
    output at each point took, in trainings.
    """

    values: np.ndarray
    derivatives: np.ndarray
    parameters: np.ndarray
    cost: float

    def summed(self, of_document):
        """The derivatives by units, (points, outputs, units), from the unit of each example."""
        total = np.zeros((*self.derivatives.shape[:2], np.max(of_document) + 1))
        np.add.at(total, (..., of_document), self.derivatives)
        return total


def derivatives(run, functions, down_weights, *, update=lambda: None):
    """Outputs after training with some down-weights, and their derivatives: `Derivatives`.

    run: a training run. functions: of a model, each returning one number, written with
    `sketchlab.ring` as model.loss is. down_weights: one per example, (points, n), all of them
    trained side by side (`passes` takes any number). update: called twice for every step.
    Memory: see `bytes_per_point`. Raises FloatingPointError, in words, if a training diverges, or
    its derivatives do.
    """
    tape = _Tape(run, 1.0 - down_weights)
    with np.errstate(all="ignore"):
        checkpoints, parameters = tape.forward(update)
        values, slopes = tape.seeds(functions, parameters)
        found = tape.backward(checkpoints, slopes, update)
    if not np.all(np.isfinite(found)):
        raise FloatingPointError(
            "training is finite but the derivatives of an output by the down-weights are not: at "
            "the trained model (a root, logarithm or quotient of 0?), or because they grow too "
            "large on the way back through the steps; then lower the learning rate"
        )
    return Derivatives(values, found, parameters, tape.products / run.steps / len(functions))


def bytes_per_point(run, outputs):
    """Memory that reverse mode needs at a point, in bytes, without what one step's losses take.

    With s arrays of P numbers in the optimiser's state: (1 + s) sqrt(steps) of them at the starts
    of segments, (2 + s) sqrt(steps) in one segment, and 4 (1 + s) for each output.
    """
    segment, states = _segment(run.steps), 1 + run.optimizer.states
    size = Flat.of(run.initial.parameters).size
    arrays = math.ceil(run.steps / segment) * states + segment * (states + 1)
    return 8 * size * (arrays + 4 * states * outputs)


def _segment(steps):
    return math.isqrt(steps - 1) + 1


def value_of(function, model):
    """An output of one model as a float; ValueError for what is not one finite number."""
    value = function(model)
    if not isinstance(value, (float, np.ndarray)) or np.shape(value) or not np.isfinite(value):
        raise ValueError(
            "an output must be one finite number per model, such as model.loss('max'); "
            f"this one is {value!r}"
        )
    return float(value)


def slope_of(run, function, named):
    """The gradient of an output by the parameters of one model, flat, (P,)."""

    def recorded(named):
        value = function(run.initial.with_parameters(named))
        if isinstance(value, np.ndarray) and value.dtype.kind == "O":  # taken for a constant
            raise TypeError("it hides the number in an array of objects")
        return value

    return Flat.of(named).flat(ring.ring_grad(recorded)(named))


class _Tape:
    """Training on numbers, step by step, with the states to go back through.

    weights: of the examples, (points, n). A state is an array of shape (1 + optimiser's states,
    points, P): the parameters come first.
    """

    def __init__(self, run, weights):
        self.run, self.weights = run, weights
        self.axis = Flat.of(run.initial.parameters)
        self.gradient = ring.ring_grad(run.objective)
        self.segment = _segment(run.steps)
        self.products = 0  # at each point: of a step's gradient, or of a coefficient of its jet

    def gradient_of(self, state, t):
        """The gradient that step t uses, (points, P)."""
        self.products += 1
        batch, named = self.run.examples_of(t), self.axis.named(state[0])
        g = self.gradient(named, self.run.examples(batch), self.weights[:, batch])
        return self.axis.flat(g)

    def step(self, state, g, t):
        """The state after step t."""
        return np.stack(self.run.optimizer.update(t, self.run.steps, state[0], g, *state[1:]))

    def forward(self, update):
        """States at the start of every segment, and the trained parameters."""
        start = self.axis.flat(self.run.initial.parameters)
        state = np.zeros((1 + self.run.optimizer.states, len(self.weights), len(start)))
        state[0] = start
        checkpoints = []
        try:
            for t in range(self.run.steps):
                if t % self.segment == 0:
                    checkpoints.append(state)
                state = self.step(state, self.gradient_of(state, t), t)
                update()
            finite = is_finite(state)
        except NotFinite:
            finite = False
        if not finite:
            points = len(self.weights)
            again = InPlace(self.run.initial.parameters, lambda p: np.repeat(p[None], points, 0))
            why = why_not_finite(self.run, again, lambda batch: self.weights[:, batch])
            raise FloatingPointError(why)
        return checkpoints, state[0]

    def seeds(self, functions, parameters):
        """Values of the outputs, (points, outputs), and gradients, (outputs, points, P)."""
        values = np.empty((len(parameters), len(functions)))
        slopes = np.empty((len(functions), *parameters.shape))
        for i, flat in enumerate(parameters):
            named = self.axis.named(flat)
            for k, function in enumerate(functions):
                values[i, k] = value_of(function, self.run.initial.with_parameters(named))
                slopes[k, i] = slope_of(self.run, function, named)
        return values, slopes

    def backward(self, checkpoints, slopes, update):
        """d output / d x_i for every example i, shape (points, outputs, n)."""
        found = np.zeros((*self.weights.shape, len(slopes)))
        cotangents = [slopes, *np.zeros((self.run.optimizer.states, *slopes.shape))]
        while checkpoints:
            start = self.segment * (len(checkpoints) - 1)
            steps = range(start, min(start + self.segment, self.run.steps))
            state, segment = checkpoints.pop(), []
            for t in steps:
                g = self.gradient_of(state, t)
                segment.append((state, g))
                state = self.step(state, g, t)
            for t in reversed(steps):
                cotangents, by_weight = self.step_back(*segment.pop(), t, cotangents)
                batch = self.run.examples_of(t)  # which has no example twice
                found[:, batch] -= by_weight.transpose(1, 2, 0)
                update()
        return found.swapaxes(1, 2)

    def step_back(self, state, g, t, cotangents):
        """One step of reverse mode: d output by the state before step t, and by its weights.

        cotangents: d output by each part of the state, a list of arrays (outputs, points, P).
        """
        self.products += 3 * len(cotangents[0])  # a jet of degree 1 counts three
        batch = self.run.examples_of(t)
        examples, weights = self.run.examples(batch), self.weights[:, batch]
        by_parameters, mu, *by_states = self.pulled(state, g, t, cotangents)
        line = Jet.of(state[:1], mu[None])
        weights = Jet.of(weights[None], np.zeros((1, len(mu), *weights.shape)))
        curved, weighed = ring.ring_grad(
            lambda both: self.run.objective(both[0], examples, both[1])
        )((self.axis.named(line), weights))
        by_parameters += self.axis.flat(curved).tail[0]
        return [by_parameters, *by_states], weighed.tail[0]

    def pulled(self, state, g, t, cotangents):
        """d output by the parameters, the gradient and the states that enter the update of step t.

        The update is elementwise: its Jacobian is a few arrays, (points, P), that outputs share.
        """
        update, inputs = self.run.optimizer.update, [state[0], g, *state[1:]]
        found = [None] * len(inputs)
        for k, cotangent in enumerate(cotangents):
            row = ring.ring_grad(lambda inputs, k=k: update(t, self.run.steps, *inputs)[k])(inputs)
            for j, entries in enumerate(row):
                if np.any(entries):
                    one = entries.flat[0]
                    part = cotangent * (one if np.all(entries == one) else entries)
                    found[j] = part if found[j] is None else np.add(found[j], part, out=found[j])
        return [np.zeros_like(cotangents[0]) if one is None else one for one in found]
