"""Unlearning on ridge regression, where the path of every method is known exactly.

Each method is gradient descent, from the trained w_0, on a weighted least squares problem
1/2 sum_i weight_i (x_i . w - target_i)^2 + penalty/2 |w|^2. They differ in three columns alone:

                     kept rows: weight, target     forget set F: weight, target      penalty
    fine_tuning      1, y                          0                                 lambda
    ascent           0                             -1, y                             0
    ascent_descent   1, y                          -weight, y                        lambda
    scrub            1, y and near, x . w_0        -away, x . w_0                    lambda
    matching         1, targets                    1, targets                        0

With the predictions of the retrained w* as targets, matching is Oracle Matching, with predictions
of these Datamodel Matching. Georgiev et al. (2024, arXiv 2410.23232, Theorem 1) state that it
outperforms the others on ridge regression. What follows is derived here: its assumptions and
constants are ours, not theirs. A = X'X + lambda I, A_R = X_R'X_R + lambda I of the kept rows,
r = y_F - X_F w_0, and the error is e_t = w_t - w*. Proved, each in a line or two:

(1) e_0 = A_R^-1 X_F' r. With H = X_F A^-1 X_F', all of whose eigenvalues are below 1, down-weights
    z on F give w(z) = w_0 - z A^-1 X_F' (I - z H)^-1 r: a geometric series in z.
(2) Fine-tuning: e_t = (I - rate A_R)^t e_0. Let L be the largest eigenvalue of A_R. At any rate
    below 2/L the part of e_0 along an eigenvector with eigenvalue a < L/2 is still at least
    (1 - 2a/L)^t of what it was. Where no kept row reaches, a = lambda: only the penalty acts.
(3) Oracle Matching on all rows: e_t = (I - rate X'X)^t e_0, and e_0 lies in the span of the rows.
    With mu and M the least and largest eigenvalue of X'X that are not 0, and rate 2/(mu + M),
    |e_t| <= ((M - mu)/(M + mu))^t |e_0|: whatever lambda is.
(4) So matching needs at most M/(2 mu) log(1/eps) steps to a distance of eps; fine-tuning at least
    (L/(2 lambda) - 1) log(s/eps), with s the share of e_0 that no kept row reaches. Matching
    wins where there are such parts and lambda is far below mu. On a table with many more rows than
    columns, or with a strong penalty, it need not, and with full batches it often does not.
(5) One row at a time: Oracle Matching has no noise at w*, as every row is fitted there. If
    rate |x_i|^2 <= 2 for all rows, no step leads away from w*; if <= 1, with m rows drawn at
    random, E |e_t|^2 <= (1 - rate mu/m)^t |e_0|^2. Fine-tuning at a constant rate keeps a noise,
    because the retained losses have gradients at w*; how much is measured, not bounded.
(6) Datamodel Matching ends where its targets are fitted best. Targets x . v end at v, if the rows
    span all that is predicted: its limit is as far from w* as the attribution is, not nearer.
(7) Ascent multiplies the residuals r by I + rate X_F X_F' in each step: it diverges, and never
    leaves w_0 + span(X_F), so it comes no nearer to w* than the distance of e_0 to this span.
(8) The fixed points of ascent_descent and scrub are not w*, unless by accident.

How far each comes at its best rate on given data is measured.
"""

import inspect

import numpy as np

from ..arguments import numbers_from_0, of_shape, takes
from ..checks import (
    check_choice,
    check_degree,
    check_indices,
    check_not_negative,
    check_positive,
    number_array,
    real_array,
)
from .squares import WeightedSquares

WORST = 1e12  # condition number of A_R beyond which solutions are refused


class Ridge:
    """A ridge regression, and the same without some of its rows.

    x: (n, d). y: (n,). penalty: lambda, above 0; it is on every column, on a column of ones too.
    without: numbers of the rows to forget, at least one and not all.
    trained minimises 1/2 sum_i (x_i . w - y_i)^2 + lambda/2 |w|^2, retrained the same without
    these rows: (d,) each. forget: which rows these are, (n,).
    """

    @takes(penalty=check_positive)
    def __init__(self, x, y, penalty, without):
        self.x, self.y = number_array(x, "x"), number_array(y, "y")
        if self.x.ndim != 2 or self.y.shape != self.x.shape[:1] or 0 in self.x.shape:
            raise ValueError(
                f"x must have shape (rows, columns) and y (rows,), not {self.x.shape} and "
                f"{self.y.shape}"
            )
        if self.x.dtype.kind == "c" or self.y.dtype.kind == "c":
            raise TypeError("x and y must be real numbers")
        rows = check_indices(without, len(self.x))
        if not 0 < len(rows) < len(self.x):
            raise ValueError(
                f"the forget set has {len(rows)} of {len(self.x)} rows: give at least one and not "
                "all of them"
            )
        self.penalty = float(penalty)
        self.forget = np.isin(np.arange(len(self.x)), rows)
        self.trained = self._solved(np.ones(len(self.x)))
        self.retrained = self._solved(1.0 - self.forget)

    def attributed(self, by):
        """The retrained w, as an attribution predicts it, (d,); x @ it are the predicted outputs.

        by: "group", exact; "singles", the sum of the exact effects of deleting each row alone; or a
        number k: the Taylor series in the down-weights of F to degree k, so 1 is influence. In (1)
        they are three stand-ins for (I - H)^-1: itself, with the diagonal of H alone, and
        I + H + ... + H^(k-1).
        """
        forgotten = self.x[self.forget]
        effects = np.linalg.solve(self._hessian(np.ones(len(self.x))), forgotten.T)
        leverage = forgotten @ effects
        residuals = self.y[self.forget] - forgotten @ self.trained
        if isinstance(by, str):
            check_choice(by, ("group", "singles"), "by, if not a degree,")
            inner = leverage if by == "group" else np.diag(np.diag(leverage))
            return self.trained - effects @ np.linalg.solve(np.eye(len(inner)) - inner, residuals)
        total, term = np.zeros_like(residuals), residuals
        for _ in range(check_degree(by)):
            total, term = total + term, leverage @ term
        return self.trained - effects @ total

    def objective(self, method, **settings):
        """What a method of `METHODS` descends on: an `WeightedSquares`. Settings, all at least 0:

        weight: of the ascent (ascent_descent, default 1). near, away: of staying near the trained
        predictions on what is kept, and of leaving them on the forget set (scrub, default 1; in one
        gradient here, where Kurmanji et al. 2023 alternate). targets: of matching, (n,), default
        the retrained predictions. rows: numbers of those that matching uses, default all.
        TypeError for a setting that the method does not have.
        """
        check_choice(method, METHODS, "method")
        known = list(inspect.signature(METHODS[method]).parameters)[1:]
        if odd := sorted(set(settings) - set(known)):
            has = f", only {', '.join(known)}" if known else ": it has none"
            raise TypeError(f"{method} has no setting {odd[0]!r}{has}")
        return WeightedSquares(self.x, *METHODS[method](self, **settings))

    @takes(w=of_shape(finite=False))
    def distance(self, w):
        """How far w, (..., d), is from the retrained, in units of how far the trained is: (...,).

        Infinite where w is not finite. Raises ValueError if the deletion changes nothing.
        """
        w = real_array(w, "w", finite=False)
        if w.shape[-1:] != self.trained.shape:
            raise ValueError(f"w must have shape (..., {len(self.trained)}), not {w.shape}")
        moved = np.linalg.norm(self.trained - self.retrained)
        if moved <= 1e-12 * np.linalg.norm(self.trained):
            raise ValueError("the deletion changes nothing, so there is no distance to measure in")
        with np.errstate(all="ignore"):
            found = np.linalg.norm(w - self.retrained, axis=-1) / moved
        return np.where(np.isfinite(found), found, np.inf)

    @takes(steps=numbers_from_0)
    def matching_at_most(self, steps):
        """Bound (3) on `distance` after these numbers of full steps of Oracle Matching."""
        return self.objective("matching").best_rate()[1] ** np.asarray(steps, float)

    @takes(steps=numbers_from_0)
    def fine_tuning_at_least(self, steps):
        """Bound (2) on `distance` after these numbers of full steps of fine-tuning, at any rate
        below 2/L. (At a larger one it diverges along the steepest direction.)"""
        values, vectors = np.linalg.eigh(self.objective("fine_tuning").matrix)
        part = vectors.T @ (self.trained - self.retrained)
        factors = np.maximum(1 - 2 * values / values[-1], 0.0)
        left = factors ** np.asarray(steps, float)[..., None] * part
        return np.linalg.norm(left, axis=-1) / np.linalg.norm(part)

    def _hessian(self, weights):
        return WeightedSquares(self.x, weights, self.y, self.penalty).matrix

    def _solved(self, weights):
        hessian = self._hessian(weights)
        if np.linalg.cond(hessian) > WORST:
            raise ValueError(
                f"a penalty of {self.penalty:.3g} is too small beside these columns for a solution "
                "in double precision: raise it, or scale the columns"
            )
        return np.linalg.solve(hessian, self.x.T @ (weights * self.y))


def fine_tuning(ridge):
    """Go on training on what is kept: weights, targets and penalty, as of each method."""
    return 1.0 - ridge.forget, ridge.y, ridge.penalty


def ascent(ridge):
    """Up the squared errors of the forget set, and nothing else."""
    return -1.0 * ridge.forget, ridge.y, 0.0


def ascent_descent(ridge, *, weight=1.0):
    """Both (NegGrad+)."""
    return np.where(ridge.forget, -_strength(weight, "weight"), 1.0), ridge.y, ridge.penalty


def scrub(ridge, *, near=1.0, away=1.0):
    """Away from the trained predictions on the forget set, near them and down elsewhere."""
    before, near = ridge.x @ ridge.trained, _strength(near, "near")
    both = (ridge.y + near * before) / (1 + near)  # two squares make one, and a constant
    weights = np.where(ridge.forget, -_strength(away, "away"), 1 + near)
    return weights, np.where(ridge.forget, before, both), ridge.penalty


def matching(ridge, *, targets=None, rows=None):
    """Squared error to predicted outputs: of the retrained, or of an attribution."""
    targets = ridge.x @ ridge.retrained if targets is None else number_array(targets, "targets")
    if targets.shape != ridge.y.shape:
        raise ValueError(f"targets must have shape {ridge.y.shape}, not {targets.shape}")
    weights = np.ones(len(ridge.x))
    if rows is not None:
        weights = 1.0 * np.isin(np.arange(len(ridge.x)), check_indices(rows, len(ridge.x)))
    return weights, targets, 0.0


METHODS = {
    "fine_tuning": fine_tuning,
    "ascent": ascent,
    "ascent_descent": ascent_descent,
    "scrub": scrub,
    "matching": matching,
}


def _strength(value, what):
    return check_not_negative(value, what)
