"""Weighted least squares, and gradient descent on them: with full batches, or one row at a time.

Weights may be negative: on such rows the error is to grow. `ridge` says why one would want that.
"""

import dataclasses
import warnings

import numpy as np

from ..arguments import instance, list_of, of_shape, takes
from ..checks import check_count, check_real, check_seed, number_array, real_array

FLAT = 1e-10  # of the largest eigenvalue: below this an eigenvalue counts as 0


@dataclasses.dataclass(frozen=True)
class WeightedSquares:
    """1/2 sum_i weights_i (x_i . w - targets_i)^2 + penalty/2 |w|^2, as a function of w.

    x: (n, d). weights: (n,), negative where the error is to grow; not all 0. targets: (n,).
    penalty: number.
    """

    x: np.ndarray
    weights: np.ndarray
    targets: np.ndarray
    penalty: float

    def __post_init__(self):
        x = real_array(self.x, "x", None, None)
        values = {"x": x, "penalty": check_real(self.penalty, "penalty")}
        values |= {n: real_array(getattr(self, n), n, len(x)) for n in ("weights", "targets")}
        for name, value in values.items():
            object.__setattr__(self, name, value)
        if not np.any(self.weights):
            raise ValueError("no row has a weight other than 0: there is nothing to descend on")

    @property
    def matrix(self):
        """Its Hessian, (d, d). The gradient at w is matrix @ w - vector."""
        return (self.x.T * self.weights) @ self.x + self.penalty * np.eye(self.x.shape[1])

    @property
    def vector(self):
        """Minus its gradient at 0, (d,)."""
        return self.x.T @ (self.weights * self.targets)

    def best_rate(self):
        """The constant rate 2/(mu + M) and the factor (M - mu)/(M + mu) by which each of its steps
        shrinks the error, with mu, M the least and largest eigenvalue of the Hessian but for 0."""
        values, _ = self._curvature()
        values = values[values > FLAT * values[-1]]
        return 2 / (values[0] + values[-1]), (values[-1] - values[0]) / (values[-1] + values[0])

    @takes(start=of_shape(None))
    def limit(self, start):
        """Where descent from `start` ends, (d,). Along flat directions it stays as it started."""
        self.check_start(start)
        values, vectors = self._curvature()
        flat = values <= FLAT * values[-1]
        force = vectors.T @ self.vector
        if np.any(np.abs(force[flat]) > 1e-8 * np.linalg.norm(force)):
            raise ValueError("descent on this objective does not end: it falls along a line")
        coordinates = np.where(flat, vectors.T @ start, force / np.where(flat, 1, values))
        return vectors @ coordinates

    @takes(start=of_shape(None))
    def check_start(self, start):
        """Raise ValueError unless descent can start there."""
        if start.shape != self.x.shape[1:]:
            raise ValueError(f"start must have shape {self.x.shape[1:]}, not {start.shape}")

    def _curvature(self):
        """Eigenvalues, ascending, and eigenvectors of the Hessian. None may be negative."""
        values, vectors = np.linalg.eigh(self.matrix)
        if values[0] < -FLAT * np.abs(values).max() or values[-1] <= 0:
            raise ValueError(
                f"descent on this objective diverges at any rate: its Hessian has eigenvalues "
                f"{values[0]:.3g} to {values[-1]:.3g}"
            )
        return values, vectors


@takes(objective=instance(WeightedSquares), start=of_shape(None), steps=check_count)
def descend(objective, start, rates, steps):
    """Gradient descent with full batches: w after 0, 1, ... steps, (steps + 1, *rates' shape, d).

    start: (d,). rates: one, or an array of them. What diverges overflows to infinity or NaN, after
    a RuntimeWarning.
    """
    objective.check_start(start)
    rates, matrix, vector = _rates(rates)[..., None], objective.matrix, objective.vector
    path = [np.broadcast_to(start, (*rates.shape[:-1], len(start)))]
    with np.errstate(all="ignore"):
        for _ in range(check_count(steps, "steps")):
            path.append(path[-1] - rates * (path[-1] @ matrix - vector))
    return _told(np.array(path), rates)


@takes(
    objective=instance(WeightedSquares),
    start=of_shape(None),
    passes=check_count,
    seeds=list_of(check_seed),
)
def descend_by_rows(objective, start, rates, passes, seeds=(0,)):
    """Stochastic gradient descent, one row at a time: w after 0, 1, ... passes,
    (passes + 1, *rates' shape, seeds, d).

    Rows are drawn with replacement among those of weight other than 0, as many in a pass as there
    are, in an order that each seed draws for itself. Each step takes its row's gradient and the
    row's part of the penalty, so a pass takes about as much as one full step at the same rate.
    """
    objective.check_start(start)
    used, rates = np.flatnonzero(objective.weights), _rates(rates)[..., None]
    count = check_count(passes, "passes") * len(used)
    orders = np.array([np.random.default_rng(s).integers(len(used), size=count) for s in seeds]).T
    x, targets, weights = objective.x[used], objective.targets[used], objective.weights[used]
    decay = rates[..., None] * objective.penalty / len(used)
    w = np.broadcast_to(start, (*rates.shape[:-1], len(seeds), len(start)))
    path = [w]
    with np.errstate(all="ignore"):
        for step, i in enumerate(orders, start=1):
            slopes = rates * weights[i] * (np.einsum("...sd,sd->...s", w, x[i]) - targets[i])
            w = w - slopes[..., None] * x[i] - decay * w
            if step % len(used) == 0:
                path.append(w)
    return _told(np.array(path), rates)


def _told(path, rates):
    """The path, after a warning if it leaves the range of numbers."""
    if lost := np.count_nonzero(~np.all(np.isfinite(path[-1]), axis=-1)):
        warnings.warn(
            f"{lost} of {path[-1][..., 0].size} descents diverge, to infinity or NaN: the largest "
            f"rate is {np.max(rates):.3g}; best_rate() of the objective is one at which descent "
            "with full batches ends",
            RuntimeWarning,
            stacklevel=4,
        )
    return path


def _rates(rates):
    found = number_array(rates, "rates")
    if found.dtype.kind == "c" or np.any(found <= 0):
        raise ValueError(f"rates must be above 0, not {rates!r}")
    return found
