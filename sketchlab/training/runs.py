"""Training as an arithmetic circuit in the down-weights of its data.

Example i has a down-weight x_i: its loss is multiplied by 1 - x_i, so x_i = 0 trains on it and
x_i = 1 deletes it (the step still happens: momentum decays and the step counter advances). Given
x, training is a fixed sequence of ring operations, so the same loop runs on numbers (exact
retraining), on complex numbers, and on jets (the Taylor expansion of training along directions).
"""

import copy
import dataclasses
import hashlib
import numbers
import warnings

import numpy as np

from ..algebra import ring
from ..algebra.jet import Jet
from ..checks import base_point, check_count, check_degree, check_indices, number_array
from ..progress import progress_bar

BATCH = 32  # models trained side by side: enough to amortise Python, few enough for the cache
BLOCK_BYTES = 1 << 18  # of a block that the optimiser works on, for up to 3 coefficients each

# ---- optimisers ------------------------------------------------------------------------------


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
        _check_rate(self)

    def update(self, step, steps, p, g, v):
        """New parameter and state after step number `step` (from 0)."""
        if self.weight_decay:
            g = g + self.weight_decay * p
        v = self.momentum * v + g if self.momentum else g
        return p - _rate(self, step, steps) * v, v


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
        _check_rate(self)

    def update(self, step, steps, p, g, m, v):
        """New parameter and state after step number `step` (from 0)."""
        m = self.beta1 * m + g
        v = self.beta2 * v + g * g
        to_m_hat = (1 - self.beta1) / (1 - self.beta1 ** (step + 1))
        to_v_hat = (1 - self.beta2) / (1 - self.beta2 ** (step + 1))
        # The two factors are pulled out of the root, so that they touch one array, not three.
        rate = _rate(self, step, steps) * to_m_hat * to_v_hat**-0.5
        return p - m * (v + self.eps / to_v_hat) ** -0.5 * rate, m, v


def _check_rate(optimizer):
    if optimizer.schedule not in ("constant", "linear"):
        raise ValueError(f'schedule must be "constant" or "linear", not {optimizer.schedule!r}')
    rate = optimizer.learning_rate
    if not isinstance(rate, numbers.Real) or not 0 < rate < np.inf:
        raise ValueError(f"learning_rate must be a number above 0, not {rate!r}")


def _rate(optimizer, step, steps):
    if optimizer.schedule == "linear":
        return optimizer.learning_rate * (1 - step / steps)
    return optimizer.learning_rate


class _Parameters:
    """All parameters in one flat array or jet, (*batch, size), which an optimiser updates in place.

    The update is elementwise, so it works through blocks of columns that stay in the processor's
    cache. The optimiser's state is stored by block.
    """

    def __init__(self, initial, lift):
        self.shapes = {name: np.shape(value) for name, value in initial.items()}
        self.flat = lift(np.concatenate([np.ravel(value) for value in initial.values()]))
        ends = np.cumsum([int(np.prod(shape)) for shape in self.shapes.values()])
        starts = [0, *ends[:-1]]
        self.columns = dict(zip(self.shapes, map(slice, starts, ends), strict=True))
        array = self.flat.tail if isinstance(self.flat, Jet) and self.flat.degree else self.flat
        column = array.dtype.itemsize * int(np.prod(array.shape[:-1]))
        coefficients = len(array) if isinstance(self.flat, Jet) else 1
        width = max(1, min(coefficients, 3) * BLOCK_BYTES // column)
        self.blocks = [slice(a, min(a + width, ends[-1])) for a in range(0, ends[-1], width)]
        self.states = None

    def views(self):
        """The parameters by name and in their own shapes; they follow the updates."""
        return {
            name: _map_parts(
                lambda array, name=name: array[..., self.columns[name]].reshape(
                    *array.shape[:-1], *self.shapes[name]
                ),
                self.flat,
            )
            for name in self.shapes
        }

    def update(self, optimizer, step, steps, gradients):
        """Take one step of the optimiser."""
        if self.states is None:
            self.states = [(0.0,) * optimizer.states for _ in self.blocks]
        for i, block in enumerate(self.blocks):
            p = _map_parts(lambda array, block=block: array[..., block], self.flat)
            g = self._gathered(gradients, block)
            new, *self.states[i] = optimizer.update(step, steps, p, g, *self.states[i])
            if isinstance(p, Jet):
                p.head[...], p.tail[...] = new.head, new.tail
            else:
                p[...] = new

    def _gathered(self, gradients, block):
        """The columns of one block, from the gradients that have some of them."""
        heads, tails = [], []
        for name, columns in self.columns.items():
            start, stop = max(columns.start, block.start), min(columns.stop, block.stop)
            if start >= stop:
                continue
            gradient, count = gradients[name], len(self.shapes[name])
            part = slice(start - columns.start, stop - columns.start)
            head = gradient.head[:1] if isinstance(gradient, Jet) else gradient
            heads.append(_flattened(head, count)[..., part])
            if isinstance(gradient, Jet):  # all directions share their base point, hence [:1]
                tails.append(_flattened(gradient.tail, count)[..., part])
        head = np.concatenate(heads, -1)
        return Jet.of(head, np.concatenate(tails, -1)) if tails else head


def _flattened(array, count):
    """Merge the last `count` axes."""
    kept = array.ndim - count
    return array.reshape(*array.shape[:kept], int(np.prod(array.shape[kept:])))


def _map_parts(function, value):
    if isinstance(value, Jet):
        return Jet.of(function(value.head), function(value.tail))
    return function(value)


# ---- models and runs -------------------------------------------------------------------------


class Model:
    """Parameters and the losses that they are trained by.

    parameters: dict of name -> array (or jet) of shape (*batch, *shape).
    losses(parameters, examples): the losses of a list or array of examples, shape
    (*batch, len(examples)), written with `sketchlab.ring` so that it runs on numbers and on jets
    and with leading batch axes.
    """

    def __init__(self, parameters, losses):
        self.parameters = parameters
        self._losses = losses

    def losses(self, examples):
        """Losses of several examples, shape (*batch, len(examples))."""
        return self._losses(self.parameters, examples)

    def loss(self, example):
        """Loss of one example: a number, an array over the batch of models, or a jet."""
        return self.losses([example])[..., 0]

    def __repr__(self):
        shapes = (f"{name} {np.shape(value)}" for name, value in self.parameters.items())
        return f"{type(self).__name__}({', '.join(shapes)})"

    def settings(self):
        """What besides the parameters makes the model, as JSON values."""
        return {"kind": getattr(self._losses, "__qualname__", type(self._losses).__name__)}

    def with_parameters(self, parameters):
        """The same kind of model with other parameters."""
        other = copy.copy(self)
        other.parameters = parameters
        return other


class TrainingRun:
    """A finished training, with all that is needed to repeat it.

    model: the initial model (`Model`, or anything with its three methods).
    data: a sequence of n examples, or an array whose first axis has length n. Step t uses the next
    `batch_size` examples in order, starting again at the end.
    steps: number of steps (default: one pass over the data).

    run.model is the trained model, run.loss(example) its loss.
    """

    def __init__(self, model, data, *, optimizer=None, steps=None, batch_size=1, progress=True):
        if len(data) == 0:
            raise ValueError("there is nothing to train on: give at least one example")
        self.initial, self.data = model, data
        self.batch_size = check_count(batch_size, "batch_size")
        if self.batch_size > len(data):
            raise ValueError(f"batch_size {batch_size} exceeds the number of examples, {len(data)}")
        one_pass = -(-len(data) // self.batch_size)
        self.steps = one_pass if steps is None else check_count(steps, "steps")
        self.optimizer = Adam() if optimizer is None else optimizer
        if not isinstance(self.optimizer, (SGD, Adam)):
            raise TypeError(f"optimizer must be sl.SGD(...) or sl.Adam(...), not {optimizer!r}")
        self.model = self.retrain(progress=progress)

    def __len__(self):
        return len(self.data)

    def __repr__(self):
        return (
            f"{type(self).__name__}({len(self)} examples, {self.steps} steps of {self.optimizer}, "
            f"{self.model!r})"
        )

    def loss(self, example):
        """Loss of an example under the trained model."""
        return self.model.loss(example)

    def fingerprint(self):
        """What identifies the run: settings, and SHA-256 sums of data and initial parameters."""
        data = self.data
        data = data.tobytes() if isinstance(data, np.ndarray) else repr(list(data)).encode()
        start = hashlib.sha256()
        for name, value in self.initial.parameters.items():
            start.update(name.encode() + np.ascontiguousarray(value, float).tobytes())
        return {
            "examples": len(self),
            "data": hashlib.sha256(data).hexdigest(),
            "start": start.hexdigest(),
            "model": self.initial.settings(),
            "optimizer": {type(self.optimizer).__name__: dataclasses.asdict(self.optimizer)},
            "steps": self.steps,
            "batch_size": self.batch_size,
        }

    def indicator(self, indices):
        """The down-weights that delete the examples with these numbers: 1 there, 0 elsewhere."""
        x = np.zeros(len(self))
        x[check_indices(indices, len(self))] = 1.0
        return x

    def retrain(self, *, without=None, down_weights=None, progress=True):
        """Train again from the same start with some examples left out or down-weighted.

        without: numbers of the examples to delete (0 to n - 1, each at most once).
        down_weights: instead, x of shape (n,), or (batch, n) for a batch of models. Between 0 and
        1 an example is kept in part; other and complex values continue the same formula.
        Returns a model, whose losses have shape () or (batch,).
        An example that no step uses (steps < n) has no influence.
        """
        if without is not None and down_weights is not None:
            raise ValueError("give either without= or down_weights=, not both")
        if without is not None:
            down_weights = self.indicator(without)
        if down_weights is None:
            down_weights = np.zeros(len(self))
        x = number_array(down_weights, "down_weights")
        if x.ndim not in (1, 2) or x.shape[-1] != len(self) or x.size == 0:
            raise ValueError(
                f"down_weights must have shape ({len(self)},) or (batch, {len(self)}), one per "
                f"example, not {x.shape}"
            )
        if np.any(np.all(x == 1, axis=-1)):
            warnings.warn(
                "every example is deleted: the gradients are zero and, without weight decay, the "
                "model keeps its initial parameters",
                stacklevel=2,
            )
        if x.ndim == 1:
            return self._train(lambda i: 1.0 - x[i], lambda p: p.astype(x.dtype), progress)
        return self._in_batches(
            len(x),
            lambda rows, bar: self._train(
                lambda i: 1.0 - x[rows][:, i],
                lambda p: np.repeat(p[None].astype(x.dtype), len(x[rows]), axis=0),
                bar,
            ),
            progress,
        )

    def push(self, directions, degree, *, at=0.0, progress=True):
        """Taylor-expand training along directions: x = at + z direction, modulo z^(degree + 1).

        directions: (m, n), real or complex, one row per direction. Returns the m jet-valued
        models as one model, whose losses are jets with coefficients of shape (degree + 1, m):
        coefficient r of row j is the r-th Taylor coefficient along directions[j].
        at: the down-weights to expand around, one real number or n of them.
        """
        degree = check_degree(degree)
        psi = number_array(directions, "directions")
        if psi.ndim != 2 or psi.shape[1] != len(self) or len(psi) == 0:
            raise ValueError(
                f"directions must have shape (m, {len(self)}), one row per direction and one "
                f"column per example, not {psi.shape}; for one direction give direction[None]"
            )

        kept = 1.0 - base_point(at, len(self))

        def weights(rows):
            return lambda i: Jet.line(kept[None, i], -psi[rows][:, i], degree)

        def lift(rows):
            return lambda p: Jet.of(
                p[None].astype(float), np.zeros((degree, len(psi[rows]), len(p)), psi.dtype)
            )

        return self._in_batches(
            len(psi), lambda rows, bar: self._train(weights(rows), lift(rows), bar), progress
        )

    def _in_batches(self, count, train, progress):
        """Train `count` models a batch at a time and join them."""
        starts = range(0, count, BATCH)
        with progress_bar(self.steps * len(starts), progress) as bar:
            models = [train(slice(start, start + BATCH), bar) for start in starts]
        if len(models) == 1:
            return models[0]
        joined = {
            name: _joined([model.parameters[name] for model in models])
            for name in models[0].parameters
        }
        return models[0].with_parameters(joined)

    def _train(self, weights, lift, progress):
        """One pass through training over the ring that `lift` puts the initial parameters into."""
        parameters = _Parameters(self.initial.parameters, lift)
        views = parameters.views()
        gradient = ring.ring_grad(self.objective)
        with (
            np.errstate(over="ignore", invalid="ignore", divide="ignore"),
            progress_bar(self.steps, progress) as bar,
        ):
            for step in range(self.steps):
                indices = self.examples_of(step)
                gradients = gradient(views, self.examples(indices), weights(indices))
                parameters.update(self.optimizer, step, self.steps, gradients)
                bar.update()
        for name, value in views.items():
            finite = _map_parts(lambda array: np.all(np.isfinite(array)), value)
            if not (finite.head and finite.tail if isinstance(finite, Jet) else finite):
                raise FloatingPointError(
                    f"training diverged: {name!r} is not finite after {self.steps} steps; "
                    "lower the learning rate"
                )
        return self.initial.with_parameters(views)

    def examples_of(self, step):
        """Numbers of the examples that a step trains on."""
        start = step * self.batch_size
        return np.arange(start, start + self.batch_size) % len(self)

    def examples(self, indices):
        """The examples with these numbers."""
        if isinstance(self.data, np.ndarray):
            return self.data[indices]
        return [self.data[i] for i in indices]

    def objective(self, parameters, examples, weights):
        """What one step differentiates: the weighted mean of the losses of its examples."""
        losses = self.initial.with_parameters(parameters).losses(examples)
        if np.shape(losses) != np.shape(weights):
            raise ValueError(
                f"the losses of {len(examples)} examples have shape {np.shape(losses)}, not "
                f"{np.shape(weights)}: return one loss per example, do not average"
            )
        total = ring.sum(ring.multiply(weights, losses), -1)
        return total if self.batch_size == 1 else total * (1.0 / self.batch_size)


def _joined(parts):
    if isinstance(parts[0], Jet):
        return Jet.of(parts[0].head, np.concatenate([part.tail for part in parts], axis=1))
    return np.concatenate(parts)
