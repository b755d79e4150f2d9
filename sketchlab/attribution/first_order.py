"""Exact first order: the derivative of an output by every down-weight, in one backward pass.

Training is s_{t+1} = h_t(s_t, x) with the state s = (parameters, optimiser's state). Reverse mode
carries lambda_t = d output / d s_t from the last step to the first,

    lambda_t = lambda_{t+1} dh_t/ds,    d output / dx += lambda_{t+1} dh_t/dx,

which costs a few trainings per output, whatever the number of documents. It is known as MAGIC
(Ilyas and Engstrom, arXiv 2504.16430). A step needs the gradient only through products with one
vector mu, and those are coefficients of jets: along parameters p + mu z, the losses have the
coefficient grad L_i . mu, and the gradient of the step has the coefficient Hessian . mu.
"""

import dataclasses
import math

import numpy as np

from ..algebra import ring
from ..algebra.jet import Jet
from ..checks import base_point
from ..estimation.prediction import Estimate, prediction
from ..estimation.units import Units
from ..progress import progress_bar
from ..training.models import Flat
from ..training.runs import TrainingRun


@dataclasses.dataclass(frozen=True)
class FirstOrder:
    """An output and its exact derivatives: the tangent plane, as a predictor.

    value: the output at the base point. gradient: d output / d x_u for every unit u, (units,).
    units: what the deletion units are called. at: the base point, (units,). now: the output with
    nothing deleted. unit, bounds: what the output counts, and what it can be. cost: what it took,
    in ordinary trainings.
    """

    value: float
    gradient: np.ndarray
    units: Units
    at: np.ndarray
    now: float
    unit: str = ""
    bounds: tuple = (-np.inf, np.inf)
    cost: float = None

    def predict(self, down_weights=None, *, without=None):
        """The output after a deletion, or after each of several, to first order: a `Prediction`.

        Nothing is known of the terms beyond the first: the error is infinite, but for nothing
        deleted and at the base point.
        """
        x = self.units.down_weights(without, down_weights)
        rows = np.atleast_2d(x)
        moves = rows - self.at
        terms = np.array([np.full(len(moves), self.value), moves @ self.gradient])
        nothing, base = ~np.any(rows, axis=1), ~np.any(moves, axis=1)
        total = np.where(nothing, self.now, terms.sum(axis=0))
        error = np.where(nothing | base, 0.0, np.inf)
        found = Estimate(terms, np.zeros_like(terms), total, error, reason="exact first order")
        return prediction(found, now=self.now, unit=self.unit, bounds=self.bounds, many=x.ndim == 2)


def first_order(run, outputs, *, units=None, at=0.0, unit=None, progress=True):
    """Exact first-order attribution of one output, or of a list of outputs in one pass.

    outputs: a function of a model that returns one number, written with `sl.ring` as
    model.loss is, such as `sl.LossOn("max")`, or a list of them.
    units: groups of documents deleted together (see `Units`).
    at: the down-weights to differentiate at, one number or one per unit (0: nothing is deleted).
    unit: what they count, for display; default: what they say themselves.
    Returns a `FirstOrder`, or a list. Memory: about 2 sqrt(steps) copies of the training state.
    """
    functions = [outputs] if callable(outputs) else outputs
    if (
        not isinstance(functions, (list, tuple))
        or not functions
        or not all(map(callable, functions))
    ):
        raise TypeError(
            f"outputs must be a function of a model, or a list of functions, not {outputs!r}"
        )
    if not isinstance(run, TrainingRun):
        raise TypeError(f"run must be a training run, from sl.train, not {type(run).__name__}")
    units = Units(units, len(run))
    at = base_point(at, len(units))
    tape = _Tape(run, 1.0 - at[units.of_document])
    with progress_bar(2 * run.steps, progress) as bar:
        bar.set_description("forward")
        checkpoints, final = tape.forward(bar)
        bar.set_description("backward")
        values, slopes = tape.seeds(functions, final)
        derivatives = tape.backward(checkpoints, slopes, bar)
    by_unit = np.zeros((len(functions), len(units)))
    np.add.at(by_unit, (slice(None), units.of_document), derivatives)
    found = [
        FirstOrder(
            value,
            row,
            units,
            at,
            float(function(run.model)) if np.any(at) else value,
            getattr(function, "unit", "") if unit is None else unit,
            getattr(function, "bounds", (-np.inf, np.inf)),
            tape.products / run.steps / len(functions),
        )
        for function, value, row in zip(functions, values, by_unit, strict=True)
    ]
    return found[0] if callable(outputs) else found


class _Tape:
    """Training on numbers, step by step, with the states to go back through.

    A state is an array of shape (1 + optimiser's states, parameters): the parameters come first.
    """

    def __init__(self, run, weights):
        self.run, self.weights = run, weights
        self.axis = Flat.of(run.initial.parameters)
        self.named, self.flat = self.axis.named, self.axis.flat
        self.gradient = ring.ring_grad(run.objective)
        self.segment = math.isqrt(run.steps - 1) + 1
        self.products = 0  # of a step's gradient, or of a coefficient of its jet

    def step(self, state, t):
        """The state after step t."""
        batch = self.run.examples_of(t)
        self.products += 1
        g = self.gradient(self.named(state[0]), self.run.examples(batch), self.weights[batch])
        return np.stack(
            self.run.optimizer.update(t, self.run.steps, state[0], self.flat(g), *state[1:])
        )

    def forward(self, bar):
        """States at the start of every segment, and the one at the end of training."""
        start = self.flat(self.run.initial.parameters)
        state = np.zeros((1 + self.run.optimizer.states, len(start)))
        state[0] = start
        checkpoints = []
        for t in range(self.run.steps):
            if t % self.segment == 0:
                checkpoints.append(state)
            state = self.step(state, t)
            bar.update()
        return checkpoints, state

    def seeds(self, functions, state):
        """Values of the outputs, and their gradients by the final parameters, (outputs, size)."""
        model = self.run.initial.with_parameters(self.named(state[0]))
        values, slopes = [], []
        for function in functions:
            value = function(model)
            if (
                not isinstance(value, (float, np.ndarray))
                or np.shape(value)
                or not np.isfinite(value)
            ):
                raise ValueError(
                    "an output must be one finite number per model, such as model.loss('max'); "
                    f"this one is {value!r}"
                )
            by_name = ring.ring_grad(
                lambda parameters, of=function: of(self.run.initial.with_parameters(parameters))
            )(model.parameters)
            values.append(float(value))
            slopes.append(self.flat(by_name))
        return values, np.array(slopes)

    def backward(self, checkpoints, slopes, bar):
        """d output / d x_i for every example i, shape (outputs, n)."""
        derivatives = np.zeros((len(slopes), len(self.run)))
        cotangent = np.zeros((len(slopes), *checkpoints[0].shape))
        cotangent[:, 0] = slopes
        for number in reversed(range(len(checkpoints))):
            states = [checkpoints[number]]
            steps = range(number * self.segment, min((number + 1) * self.segment, self.run.steps))
            for t in steps[:-1]:
                states.append(self.step(states[-1], t))
            for t in reversed(steps):
                cotangent, by_weight = self.step_back(states.pop(), t, cotangent)
                np.add.at(derivatives, (slice(None), self.run.examples_of(t)), -by_weight)
                bar.update()
        return derivatives

    def step_back(self, state, t, cotangent):
        """One step of reverse mode: d output by the state before step t, and by its weights."""
        batch, optimizer = self.run.examples_of(t), self.run.optimizer
        examples, many = self.run.examples(batch), len(cotangent)
        self.products += 1 + 3 * many  # a jet of degree 1 counts three
        g = self.flat(self.gradient(self.named(state[0]), examples, self.weights[batch]))

        def pulled(inputs):
            new = optimizer.update(t, self.run.steps, *inputs)
            return sum(ring.sum(value * cotangent[:, k], -1) for k, value in enumerate(new))

        inputs = [np.repeat(array[None], many, axis=0) for array in (state[0], g, *state[1:])]
        by_parameters, mu, *by_states = ring.ring_grad(pulled)(inputs)

        line = self.named(Jet.line(state[:1], mu, 1))
        weights = Jet.constant(np.repeat(self.weights[batch][None], many, axis=0), 1)
        curved, weighed = ring.ring_grad(
            lambda both: self.run.objective(both[0], examples, both[1])
        )((line, weights))
        before = np.stack([by_parameters + self.flat(curved).tail[0], *by_states], axis=1)
        return before, weighed.tail[0]
