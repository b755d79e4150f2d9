"""Convex models, where a deletion has an exact answer and one Newton step comes near it.

A `ConvexFit` is the w that minimises sum_i (1 - x_i) loss(a_i . w, y_i) + penalty/2 |w|^2 with
nothing deleted; a_i are the rows, x_i their down-weights; the penalty is not down-weighted. At this
w let g_i be the gradient of loss i, h_i its second derivative by a_i . w, and H the Hessian of the
whole, penalty included. Without some rows the minimum is predicted at

    influence   w + sum_i x_i H^-1 g_i
    singles     w + sum_i x_i H^-1 g_i / (1 - x_i h_i a_i . H^-1 a_i)
    group       w + (H - sum_i x_i h_i a_i a_i')^-1 sum_i x_i g_i
    refit       the minimum itself

influence is the derivative at nothing deleted (Koh and Liang 2017, arXiv 1703.04730). group is the
step of Newton's method on what is kept, from w. singles adds up these steps of the rows, each taken
alone: with x_i = 1 row i has the Hessian H - h_i a_i a_i', inverted by the rank-one formula of
Sherman and Morrison. That is what is meant here by the rescaled influence of Rubinstein and Hopkins
(2025, arXiv 2506.06656). For squared errors group is exact, and so is singles for one row.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
from scipy import special

from ..arguments import check_function, kinds_array, takes
from ..checks import check_choice, check_not_negative, number_array
from ..estimation.prediction import Estimate, Prediction, prediction
from ..estimation.units import Units

WORST = 1e12  # condition number of a Hessian beyond which solutions are refused
MOST_STEPS = 100  # of Newton's method; a handful is usual
ROUNDING = 16 * np.finfo(float).eps  # of a gradient, relative to the sizes that it adds up


@dataclasses.dataclass(frozen=True)
class Loss:
    """A loss of score and target: its value, and its first two derivatives by the score."""

    value: Callable
    slope: Callable
    curvature: Callable
    unit: str = ""


LOSSES = {
    "logistic": Loss(
        lambda z, y: np.logaddexp(0.0, np.where(y > 0, -z, z)),
        lambda z, y: np.where(y > 0, -special.expit(-z), special.expit(z)),
        lambda z, y: special.expit(z) * special.expit(-z),
        "nats",
    ),
    "squared": Loss(lambda z, y: (z - y) ** 2 / 2, lambda z, y: z - y, lambda z, y: 1.0 + 0 * z),
}
METHODS = ("influence", "singles", "group", "refit")


class ConvexFit:
    """A penalised logistic or squared-error regression, fitted to its minimum, up to rounding.

    rows: (n, d); give a column of ones for an intercept, which is penalised as the others are. y:
    (n,); labels of two kinds for the logistic loss, such as 0 and 1 (the second in sorted order
    is the one whose probability rises with the score), numbers for the squared one. penalty: 0 or
    above; scikit-learn's C is 1/penalty. loss: "logistic" or "squared".
    parameters: w, (d,). steps: how many of Newton's it took. kinds: the two labels, or None.

    Raises ValueError for labels of one kind or three, where a plane separates the two kinds and
    there is no penalty, so that there is no minimum, and where the Hessian is too near singular;
    RuntimeError if Newton's method does not arrive.
    """

    @takes(penalty=check_not_negative)
    def __init__(self, rows, y, penalty, *, loss="logistic"):
        self.rows = _real(rows, "rows")
        if self.rows.ndim != 2 or 0 in self.rows.shape:
            raise ValueError(f"rows must have shape (rows, columns), not {self.rows.shape}")
        self.loss = LOSSES[check_choice(loss, LOSSES, "loss")]
        self.penalty, self.logistic, self.kinds = float(penalty), loss == "logistic", None
        if self.logistic:
            self.kinds = _kinds(y)
        self.y = self._targets(y, len(self.rows), "y")
        self.units = Units(None, len(self.rows))
        nothing = np.ones(len(self.rows))
        self.parameters, self.steps = self._minimum(nothing, np.zeros(self.rows.shape[1]))
        scores = self.rows @ self.parameters
        self._slopes = self.loss.slope(scores, self.y)
        self._curvatures = self.loss.curvature(scores, self.y)
        self._hessian = self._curved(self._curvatures)
        self._effects = np.linalg.solve(self._hessian, self.rows.T).T  # H^-1 a_i, (n, d)

    def after(self, down_weights=None, *, without=None, by="refit"):
        """The parameters after a deletion, (d,), or after each of several, (points, d).

        down_weights: (n,) or (points, n), 1 or below. without: row numbers instead, or a list of
        such lists. by: "influence", "singles", "group" or "refit". With a penalty all rows of one
        kind may be deleted, or all rows: the minimum then has scores that go the other way as far
        as the penalty lets them, or is 0. Without a penalty there is none, mostly: ValueError.
        """
        check_choice(by, METHODS, "by")
        x = self.units.down_weights(without, down_weights)
        if np.any(x > 1):
            raise ValueError(f"down-weights must be 1 (deleted) or below, not {x.max():g}")
        points = np.atleast_2d(x)
        if by in ("group", "refit"):
            found = np.reshape([self._one(row, by) for row in points], (-1, self.rows.shape[1]))
        else:
            pull = points * self._slopes
            if by == "singles":
                leverage = self._curvatures * np.sum(self.rows * self._effects, axis=1)
                left = 1 - points * leverage
                if np.any(left < 1 / WORST):
                    row = int(np.argwhere(left < 1 / WORST)[0][1])
                    raise ValueError(
                        f"without row {row} alone the Hessian is singular: give a penalty"
                    )
                pull = pull / left
            found = self.parameters + pull @ self._effects
        return found if x.ndim == 2 else found[0]

    def output(self, function, by="group"):
        """An output as a method predicts it: an `AfterDeletion`.

        function: of parameters, (d,), such as `lambda w: w[0]`, `lambda w: row @ w`, a logit, or
        `fit.loss_on(rows, y)`; it returns one finite number. Its `unit` and `bounds` are used, if
        it has them. by: as for `after`.
        """
        function = check_function(function, "function")
        return AfterDeletion(self, function, check_choice(by, METHODS, "by"))

    def loss_on(self, rows, y):
        """The mean loss on other rows, (m, d) and (m,), as a function of parameters."""
        rows = _real(rows, "rows")
        if rows.ndim != 2 or rows.shape[1] != self.rows.shape[1] or not len(rows):
            raise ValueError(f"rows must have shape (rows, {self.rows.shape[1]}), not {rows.shape}")
        y = self._targets(y, len(rows), "y")

        def mean_loss(w):
            return float(np.mean(self.loss.value(rows @ w, y)))

        mean_loss.unit, mean_loss.bounds = self.loss.unit, (0.0, np.inf)
        return mean_loss

    def _one(self, x, by):
        """The parameters after one deletion: the group step, or the minimum, sought from there."""
        gone = np.flatnonzero(x)
        if not len(gone):
            return self.parameters
        rows, slopes = self.rows[gone], x[gone] * self._slopes[gone]
        kept = self._hessian - (rows.T * (x[gone] * self._curvatures[gone])) @ rows
        size = np.linalg.norm(self._hessian, 2)
        if by == "group":
            return self.parameters + _solved(kept, rows.T @ slopes, size)
        try:
            return self._minimum(1 - x, self.parameters + _solved(kept, rows.T @ slopes, size))[0]
        except ValueError:  # the Hessian may be near singular here, and not on the way from 0
            return self._minimum(1 - x, np.zeros_like(self.parameters))[0]

    def _curved(self, weights):
        """The Hessian with these weights times curvatures, (n,)."""
        return (self.rows.T * weights) @ self.rows + self.penalty * np.eye(self.rows.shape[1])

    def _total(self, w, weights):
        """What is minimised."""
        return weights @ self.loss.value(self.rows @ w, self.y) + self.penalty / 2 * (w @ w)

    def _minimum(self, weights, w):
        """The minimum from a start, (d,), by Newton's method with halved steps, and its steps."""
        kept = weights > 0
        for step in range(MOST_STEPS):
            scores = self.rows @ w
            self._check_minimum(np.where(self.y > 0, scores, -scores)[kept])
            slopes = weights * self.loss.slope(scores, self.y)
            gradient = self.rows.T @ slopes + self.penalty * w
            sizes = np.abs(self.rows).T @ np.abs(slopes) + self.penalty * np.abs(w)
            hessian = self._curved(weights * self.loss.curvature(scores, self.y))
            newton = _solved(hessian, gradient)
            done = np.all(np.abs(gradient) <= ROUNDING * sizes.max())
            if done or np.all(np.abs(newton) <= ROUNDING * np.abs(w).max()):
                return w - newton, step + 1
            now, rate = self._total(w, weights), 1.0
            slack = ROUNDING * abs(now)  # near the minimum the loss no longer tells
            while rate > ROUNDING and not (
                self._total(w - rate * newton, weights)
                <= now - 1e-4 * rate * (newton @ gradient) + slack
            ):
                rate /= 2
            w = w - rate * newton
        raise RuntimeError(
            f"Newton's method has not arrived at a minimum after {MOST_STEPS} steps: give a larger "
            f"penalty than {self.penalty:g}, or scale the columns"
        )

    def _check_minimum(self, margins):
        """Raise ValueError where the scores prove that there is no minimum."""
        if self.logistic and self.penalty == 0 and np.all(margins > 0):
            raise ValueError(
                f"a plane separates the {len(margins)} kept rows by their labels: without a "
                "penalty the loss has no minimum; give a penalty above 0"
            )

    def _targets(self, y, count, what):
        """The targets as numbers, 0 and 1 for labels, (count,)."""
        if self.kinds is None:
            y = _real(y, what)
        else:
            y = kinds_array(y, what)
            if not np.all(np.isin(y, self.kinds)):
                other = y[~np.isin(y, self.kinds)].ravel()[0]
                raise ValueError(f"{what} must be {self.kinds[0]} or {self.kinds[1]}, not {other}")
            y = (y == self.kinds[1]).astype(float)
        if y.shape != (count,):
            raise ValueError(f"{what} must have shape ({count},), one per row, not {y.shape}")
        return y


@dataclasses.dataclass(frozen=True, eq=False)
class AfterDeletion:
    """One output of a `ConvexFit`, after deletions: the function at the predicted parameters.

    It is not made linear first: "influence" is first order in the parameters alone.
    """

    fit: ConvexFit
    function: Callable
    by: str

    @property
    def cost(self):
        """Trainings before anything is asked: a Hessian, one of the steps of the fit, or none."""
        return 1 / self.fit.steps if self.by in ("influence", "singles") else 0.0

    @property
    def cost_of_each(self):
        """Trainings for every deletion that is asked about, a refit taken to be a whole one."""
        return {"group": 1 / self.fit.steps, "refit": 1.0}.get(self.by, 0.0)

    def predict(self, down_weights=None, *, without=None) -> Prediction:
        """The output after a deletion, or after each of several.

        Exact by "refit" and for nothing deleted; elsewhere nothing is known of the error.
        """
        x = self.fit.units.down_weights(without, down_weights)
        now = self._value(self.fit.parameters)
        after = np.atleast_2d(self.fit.after(x, by=self.by))
        total = np.array([self._value(w) for w in after])
        exact = (self.by == "refit") | ~np.any(np.atleast_2d(x), axis=1)
        terms = np.full((1, len(total)), now)
        error = np.where(exact, 0.0, np.inf)
        found = Estimate(terms, np.zeros_like(terms), total, error, reason=self.by)
        unit = getattr(self.function, "unit", "")
        bounds = getattr(self.function, "bounds", (-np.inf, np.inf))
        return prediction(found, now=now, unit=unit, bounds=bounds, many=x.ndim == 2)

    def _value(self, w):
        value = self.function(w)
        if np.ndim(value) or not np.isfinite(value):
            raise ValueError(f"an output must be one finite number, not {value!r}")
        return float(value)


def _real(values, what):
    array = number_array(values, what)
    if array.dtype.kind == "c":
        raise TypeError(f"{what} must be real numbers")
    return array


def _kinds(y):
    """The two labels, sorted."""
    y = kinds_array(y, "y")
    kinds = np.unique(y)
    if len(kinds) != 2:
        shown = ", ".join(map(str, kinds[:4])) + (", ..." if len(kinds) > 4 else "")
        raise ValueError(f"y must have labels of two kinds, not {len(kinds)}: {shown}")
    return kinds


def _solved(hessian, right, size=0.0):
    """The solution of a system with a Hessian, or raise ValueError where it is near singular.

    size: of the matrix that the Hessian was subtracted from, whose rounding is left in it.
    """
    values = np.linalg.eigvalsh(hessian)
    if not values[0] > max(values[-1], size) / WORST:
        raise ValueError(
            "the Hessian is too near singular for a solution in double precision: give a larger "
            "penalty, or leave out columns that others make up"
        )
    return np.linalg.solve(hessian, right)
