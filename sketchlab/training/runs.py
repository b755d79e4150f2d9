"""`TrainingRun`: train, retrain, and push jets through training, a circuit in the down-weights.

Example i has a down-weight x_i: its loss is multiplied by 1 - x_i, so x_i = 0 trains on it and
x_i = 1 deletes it (the step still happens: momentum decays and the step counter advances). Given
x, training is a fixed sequence of ring operations, so the same loop runs on numbers (exact
retraining), on complex numbers, and on jets (the Taylor expansion of training along directions).
"""

import contextlib
import dataclasses
import warnings

import numpy as np

from ..algebra import ring
from ..algebra.jet import Jet
from ..algebra.recording import shape_of
from ..arguments import base_point, check_function, check_model, of_shape, takes
from ..checks import (
    check_count,
    check_degree,
    check_indices,
    check_number_of,
    in_precision,
    number_array,
)
from ..progress import progress_bar
from . import own
from .divergence import NotFinite, check_step, is_finite, warn_if_worse, why_not_finite
from .fingerprints import digest
from .models import initial_parameters, joined
from .optimizers import SGD, Adam, InPlace, check_state
from .prefixes import Prefixes, by_first_step, first_steps

BATCH = 64  # models trained side by side: enough to amortise Python, few enough for the cache
BASE_POINTS = 2  # whose states are kept


class TrainingRun:
    """A finished training, with all that is needed to repeat it.

    model: the initial model (`Model`, or anything with its methods). Its parameters are copied, as
    floats; its losses are tried once on a few models together (ValueError if they mix them).
    data: a sequence of n examples, or an array whose first axis has length n. Step t uses the next
    `batch_size` examples in order, starting again at the end. steps: default one pass.
    held_out: examples that are kept aside to ask about, such as `sl.MeanLoss(run.held_out)`; they
    are not trained on, and nothing that is trained depends on them.

    run.model is the trained model, run.loss(example) its loss.
    """

    @takes()
    def __init__(
        self, model, data, *, optimizer=None, steps=None, batch_size=1, held_out=(), progress=True
    ):
        own.check_data(data)
        check_model(model)
        self.initial = model.with_parameters(initial_parameters(model))
        self.initial.of_array = isinstance(data, np.ndarray)
        self.data = data.copy() if self.initial.of_array else data
        self.held_out = own.check_held_out(held_out, data)
        self.batch_size = check_count(batch_size, "batch_size")
        if self.batch_size > len(data):
            raise ValueError(f"batch_size {batch_size} exceeds the number of examples, {len(data)}")
        steps = -(-len(data) // self.batch_size) if steps is None else steps
        self.steps = check_count(steps, "steps")
        self.optimizer = Adam() if optimizer is None else optimizer
        if not isinstance(self.optimizer, (SGD, Adam)):
            raise TypeError(f"optimizer must be sl.SGD(...) or sl.Adam(...), not {optimizer!r}")
        own.check_losses(self)
        self.at_start = own.watched(self)
        self._prefixes = []  # of the last base points
        self.model = self._train(lambda i: np.ones(len(i)), np.copy, progress)
        warn_if_worse(self)

    def __len__(self):
        return len(self.data)

    def __repr__(self):
        aside = f", {len(self.held_out)} held out" if self.held_out else ""
        return (
            f"{type(self).__name__}({len(self)} examples{aside}, {self.steps} steps of "
            f"{self.optimizer}, {self.model!r})"
        )

    def loss(self, example):
        """Loss of an example under the trained model."""
        return self.model.loss(example)

    def losses(self, model):
        """The losses of a model on all examples, (*batch, n), some examples at a time."""
        check_model(model)
        parts = [range(i, min(i + BATCH, len(self))) for i in range(0, len(self), BATCH)]
        return ring.concatenate([model.losses(self.examples(part)) for part in parts], -1)

    def fingerprint(self):
        """What identifies the run: settings, and SHA-256 sums of data and initial parameters.

        See `fingerprints` for which data are alike. A loss function is known by its name only.
        Raises TypeError for data of things that cannot be told apart.
        """
        return {
            "examples": len(self),
            "data": digest(self.data if isinstance(self.data, np.ndarray) else list(self.data)),
            "start": digest(self.initial.parameters),
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

    @takes()
    def retrain(self, *, without=None, down_weights=None, precision="double", progress=True):
        """Train again from the same start with some examples left out or down-weighted.

        without: numbers of the examples to delete (0 to n - 1, each at most once).
        down_weights: instead, x of shape (n,), or (batch, n) for a batch of models. Between 0 and
        1 an example is kept in part; other and complex values continue the same formula.
        Returns a model, whose losses have shape () or (batch,).
        An example that no step uses (steps < n) has no influence.
        precision: of all numbers, "double" or "single" (see `checks.in_precision`).

        The steps before the first that touches an example (x_i != 0) are those of the run itself:
        they are taken once and shared (see `prefixes`). With one pass over the data, deleting the
        last documents takes hardly any time. Many rows are trained in the order of these steps.
        """
        if without is not None and down_weights is not None:
            raise ValueError("give either without= or down_weights=, not both")
        own.check_unchanged(self)
        if down_weights is None:
            down_weights = self.indicator(() if without is None else without)
        x = in_precision(number_array(down_weights, "down_weights"), precision)
        if x.ndim not in (1, 2) or x.shape[-1] != len(self) or x.size == 0:
            raise ValueError(
                f"down_weights must have shape ({len(self)},) or (batch, {len(self)}), one per "
                f"example, not {x.shape}"
            )
        if np.any(np.all(x == 1, axis=-1)):
            warnings.warn(
                "every example is deleted: the gradients are zero and, without weight decay, the "
                "model keeps its initial parameters",
                stacklevel=3,
            )
        if x.ndim == 1:
            start = int(first_steps(self, x))
            base = self._base(np.ones(len(self)), start)
            return self._train(
                lambda i: 1.0 - x[i], lambda p: p.astype(x.dtype), progress, base, start
            )

        def weights(rows):
            part = x[rows]
            return lambda i: 1.0 - part[:, i]

        def lift(rows):
            return lambda p: np.repeat(p[None].astype(x.dtype), len(rows), axis=0)

        return self._in_batches(x, weights, lift, np.ones(len(self)), progress)

    @takes()
    def push(self, directions, degree, *, at=0.0, precision="double", progress=True):
        """Taylor-expand training along directions: x = at + z direction, modulo z^(degree + 1).

        directions: (m, n), real or complex, one row per direction. Returns the m jet-valued
        models as one model, whose losses are jets with coefficients of shape (degree + 1, m):
        coefficient r of row j is the r-th Taylor coefficient along directions[j].
        at: the down-weights to expand around, one real number or n of them.
        precision: of the coefficients above the constant, which is always in double precision:
        "double", or "single", which takes half the memory and little more than half the time, and
        errs by some 1e-6 of the largest.
        The steps before the first that a direction touches are shared, as by `retrain`.
        """
        degree = check_degree(degree)
        psi = in_precision(number_array(directions, "directions"), precision)
        if psi.ndim != 2 or psi.shape[1] != len(self) or len(psi) == 0:
            raise ValueError(
                f"directions must have shape (m, {len(self)}), one row per direction and one "
                f"column per example, not {psi.shape}; for one direction give direction[None]"
            )
        own.check_unchanged(self)
        kept = 1.0 - base_point(at, len(self))

        def weights(rows):
            part = psi[rows]

            def on_the_lines(i):
                tail = np.zeros((degree, len(rows), len(i)), psi.dtype)
                tail[:1] = -part[:, i]
                return Jet.of(kept[None, i], tail)

            return on_the_lines

        def lift(rows):
            return lambda p: Jet.of(
                p[None].astype(float), np.zeros((degree, len(rows), len(p)), psi.dtype)
            )

        return self._in_batches(psi, weights, lift, kept, progress)

    @takes(size=check_count)
    def batches(self, rows, size=BATCH, *, progress=True):
        """Numbers of the rows of down-weights, cut into batches that share much of the run.

        rows: (m, n), not 0 where example i is touched. A batch of retrainings starts with the first
        step that touches one of its examples. The states there are stored with the run, so that
        processes that are handed the run find them: that takes one training at most.
        """
        parts, starts = by_first_step(self, of_shape(None, len(self))(rows, "rows"), size)
        last = max(starts, default=0)
        base = self._base(np.ones(len(self)), last)
        if base is not None:
            with contextlib.suppress(NotFinite), progress_bar(last, progress is True) as bar:
                base.before(self, last, bar)
        return parts

    def _base(self, weights, step):
        """The run with these weights, of which the steps before this one are to be skipped."""
        if not step:
            return None
        known = [found for found in self._prefixes if np.array_equal(found.weights, weights)]
        base = known[0] if known else Prefixes(self, weights)
        self._prefixes = [base, *(p for p in self._prefixes if p is not base)][:BASE_POINTS]
        base.check(self, step)
        return base

    def _in_batches(self, x, weights, lift, kept, progress):
        """Train with each row of x, a batch at a time, and join the models in the order of x."""
        parts, starts = by_first_step(self, x, BATCH)
        base = self._base(kept, max(starts))
        with progress_bar(self.steps * len(parts), progress) as bar:
            models = [
                self._train(weights(rows), lift(rows), bar, base, start)
                for rows, start in zip(parts, starts, strict=True)
            ]
        if len(models) == 1:
            return models[0]
        together = {
            name: joined([model.parameters[name] for model in models], parts)
            for name in models[0].parameters
        }
        return models[0].with_parameters(together)

    def _train(self, weights, lift, progress, base=None, start=0):
        """Training from step `start` on, in the ring that `lift` puts the base's state into."""
        with np.errstate(all="ignore"), progress_bar(self.steps, progress) as bar:
            try:
                if start:
                    state = base.begin(self, base.before(self, start, bar), lift)
                else:
                    state = InPlace(self.initial.parameters, lift)
                for _ in self.walk(state, weights, start):
                    bar.update()
                finite = is_finite(state.flat)
            except NotFinite:
                finite = False
            if not finite:
                again = InPlace(self.initial.parameters, lift)
                raise FloatingPointError(why_not_finite(self, again, weights))
        return self.initial.with_parameters(state.views)

    @takes(state=check_state, weights=check_function, start=check_number_of)
    def walk(self, state, weights, start=0):
        """Train `state` in place from a step on, with weights(examples' numbers); yields each
        step's gradients."""
        gradient = ring.ring_grad(self.objective)
        for step in range(start, self.steps):
            indices = self.examples_of(step)
            gradients = gradient(state.views, self.examples(indices), weights(indices))
            state.update(self.optimizer, step, self.steps, gradients)
            yield gradients

    def examples_of(self, step):
        """Numbers of the examples that a step trains on."""
        start = check_number_of(step, "step") * self.batch_size
        return np.arange(start, start + self.batch_size) % len(self)

    def examples(self, indices):
        """The examples with these numbers, which may be repeated."""
        indices = check_indices(indices, len(self), repeated=True)
        if isinstance(self.data, np.ndarray):
            return self.data[indices]
        return [self.data[i] for i in indices]

    def objective(self, parameters, examples, weights):
        """What one step differentiates: the weighted mean of the losses of its examples."""
        losses = self.initial.with_parameters(parameters).losses(examples)
        if shape_of(losses) != shape_of(weights):
            raise ValueError(
                f"the losses of {len(examples)} examples have shape {shape_of(losses)}, not "
                f"{shape_of(weights)}: return one loss per example"
            )
        check_step(losses, weights)
        total = ring.sum(ring.multiply(weights, losses), -1)
        return total if self.batch_size == 1 else total * (1.0 / self.batch_size)
