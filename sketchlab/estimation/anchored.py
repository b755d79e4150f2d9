"""The anchored estimate: jets for the trend, exact retrainings for what jets leave open.

An anchor is a deletion after which the model was retrained exactly. The minimum-norm terms m(x)
miss something at every anchor, and what they miss elsewhere is interpolated by a Gaussian process:

    f(x) = m(x) + c B(x) + G(x),    G ~ GP(0, v (exp(sum_i l_i x_i x'_i) - 1) / l + b B B' cos^2),

with l_i = log(1 + a s_i), s_i the size of unit i. The exponential is a product over the units: it
has a term for every unit alone, every pair, every triple, and `a` says how fast they fall. With all
single units as anchors, their effects are exact, and the rest is about interactions.

B is the *interaction form* of degree 2. With g the gradient of the output and A_uv the derivative,
by the down-weight of unit u, of the mean training loss on unit v,

    B(x) = sum_{u != v} x_u A_uv g_v x_v:

deleting u makes the model worse on v (A_uv > 0), so that v's documents pull harder on the model,
and deleting v too has a larger effect than v had before. Both A and g are of first order. The
factor c = 1.5 is the usual one, measured on microgpt for the losses that a deletion raises most; it
differs from place to place with a variance b of at least 1. What the jets of degree 2 already say
about B is taken out of it.
"""

import dataclasses

import numpy as np
from scipy import linalg, optimize, stats

from .directions import symmetric_dimension
from .minimum_norm import MinimumNorm, forms_of, gradients, relative_sizes
from .prediction import COVERAGE

FITTED_ON = 600  # anchors used to choose a, b and v, at most
CALIBRATED_ON = 20  # anchors of several units needed to calibrate the error, at least
FACTOR = 1.5  # c of the module
NUGGET = 1e-8  # relative variance added for numerical safety
LARGEST_EXPONENT = 20.0


@dataclasses.dataclass(frozen=True)
class Anchored:
    """Minimum-norm terms, corrected by a Gaussian process through exact retrainings."""

    def estimate(self, output, moves):
        """See `averages`. Raises ValueError if the output has no anchors."""
        if len(output.anchors) == 0:
            raise ValueError("this sketch has no anchors: make some with sketch.anchor(run, ...)")
        found = MinimumNorm().estimate(output, moves)
        correction, error = output.kept(self, lambda: _Correction(output)).at(moves)
        return dataclasses.replace(
            found,
            total=found.total + correction,
            error=error,
            reason=f"{found.reason}; corrected by {len(output.anchors)} exact retrainings",
        )


class _Correction:
    """The Gaussian process G and the interaction form, conditioned on the anchors."""

    def __init__(self, output):
        self.output, self.sizes = output, relative_sizes(output.directions)
        self.power = self._first_open_degree()
        self.moves = output.anchors - output.at
        self.bends = self.interaction(self.moves)
        left = output.anchor_values - MinimumNorm().estimate(output, self.moves).total - self.bends
        self.settings = self._fitted(left)
        kernel = self._kernel(self.moves, self.bends, self.moves, self.bends)
        kernel[np.diag_indices_from(kernel)] *= 1.0 + NUGGET
        self.factor = linalg.cho_factor(kernel, lower=True)
        self.solution = linalg.cho_solve(self.factor, left)
        self.calibration = self._calibration()

    def at(self, moves):
        """The correction of the minimum-norm terms and its standard error, each (points,)."""
        bends = self.interaction(moves)
        cross = self._kernel(self.moves, self.bends, moves, bends)
        prior = np.array(
            [
                self._kernel(move[None], bend[None], move[None], bend[None])[0, 0]
                for move, bend in zip(moves, bends, strict=True)
            ]
        )
        known = np.sum(linalg.solve_triangular(self.factor[0], cross, lower=True) ** 2, axis=0)
        error = np.sqrt(np.maximum(prior - known, 10 * NUGGET * prior))
        return bends + cross.T @ self.solution, self.calibration * error

    def interaction(self, moves):
        """The interaction form c B without what the jets of degree 2 say about it, (points,)."""
        influence, output = self.output.influence, self.output
        if influence is None or output.degree < 1:
            return np.zeros(len(moves))
        others = influence - np.diag(np.diag(influence))
        gradient = gradients(output.directions, output.coefficients[1][:, None])[:, 0]

        def form(x):
            return np.sum((x @ others) * gradient * x, axis=1)

        found = form(moves)
        if output.degree > 1:
            along = np.zeros((3, len(output.directions)), complex)
            along[2] = form(output.directions.vectors)
            found = found - forms_of(along, output.directions).at(moves)[0][2]
        return FACTOR * found

    def _first_open_degree(self):
        """The lowest degree that the jets do not determine: the power of x that is corrected."""
        size, m = len(self.output.units), len(self.output.directions)
        degree = 1
        while degree <= self.output.degree and 2 * m >= symmetric_dimension(size, degree):
            degree += 1
        return degree

    def _kernel(self, moves, bends, others, other_bends, settings=None):
        variance, weight, spread = self.settings if settings is None else settings
        exponents = np.log1p(weight * self.sizes)
        left, right = (np.sign(x) * np.abs(x) ** self.power for x in (moves, others))
        inner = (left * exponents) @ right.T
        kernel = variance / weight * np.expm1(np.minimum(inner, LARGEST_EXPONENT))
        if np.any(bends):
            lengths = np.outer(np.linalg.norm(left, axis=1), np.linalg.norm(right, axis=1))
            cosine = (left @ right.T) / np.where(lengths > 0, lengths, 1.0)
            spread = max(spread, 1.0) / FACTOR**2
            kernel += spread * np.outer(bends, other_bends) * cosine**2
        return kernel

    def _fitted(self, left):
        """The likeliest variance of single units, interaction weight and spread of B's factor."""
        chosen = np.arange(len(left))
        if len(left) > FITTED_ON:
            chosen = np.random.default_rng(0).choice(len(left), FITTED_ON, replace=False)
            several = np.flatnonzero(np.count_nonzero(self.moves, axis=1) > 1)[:FITTED_ON]
            chosen = np.union1d(several, chosen[: FITTED_ON - len(several)])
        moves, bends, left = self.moves[chosen], self.bends[chosen], left[chosen]
        start = np.log([max(np.mean(left**2), 1e-20), 0.03, 1.0])

        def cost(logarithms):
            settings = np.exp(np.clip(logarithms, -60, 5))
            kernel = self._kernel(moves, bends, moves, bends, settings)
            kernel[np.diag_indices_from(kernel)] *= 1.0 + NUGGET
            try:
                factor = linalg.cholesky(kernel, lower=True)
            except linalg.LinAlgError:
                return np.inf
            half = linalg.solve_triangular(factor, left, lower=True)
            return 0.5 * half @ half + np.sum(np.log(np.diag(factor)))

        found = optimize.minimize(
            cost, start, method="Nelder-Mead", options={"maxiter": 80, "xatol": 0.05, "fatol": 0.05}
        )
        return np.exp(np.clip(found.x, -60, 5))

    def _calibration(self):
        """What makes the bands right at the anchors of several units, each left out in turn."""
        several = np.count_nonzero(self.moves, axis=1) > 1
        if np.count_nonzero(several) < CALIBRATED_ON:
            return 1.0
        inverse = linalg.cho_solve(self.factor, np.eye(len(self.moves)))
        scores = np.abs(self.solution / np.sqrt(np.diag(inverse)))[several]
        return np.quantile(scores, COVERAGE) / stats.norm.ppf((1 + COVERAGE) / 2)
