"""The posterior: one Gaussian process for an output, and every kind of evidence for it.

An output is a function f of the down-weights x, from the base point on. What can be known of it are
jets along directions, gradients (all derivatives at a deletion) and values after exact retrainings
(anchors), or some of these. They come in one after the other, the coarse before the fine:

    f(x) = m(x) + c B(x) + G(x).

m is what jets say, the minimum norm; with a gradient at the base point its first order is exact.
B is the *interaction form* of degree 2. With g the gradient of the output and A_uv the derivative,
by the down-weight of unit u, of the mean training loss on unit v,

    B(x) = sum_{u != v} x_u A_uv g_v x_v:

deleting u makes the model worse on v (A_uv > 0), so that v's documents pull harder on the model,
and deleting v too has a larger effect than v had before. Both A and g are of first order. The
factor c = 1.5 is the usual one, measured on microgpt for the losses that a deletion raises most.
What jets of degree 2 already say about B is taken out of it. Gradients at deletions then correct
the form (`curvature`). G is what is still open, a Gaussian process that the values condition:

    G ~ GP(0, v (w l + exp(w l') - 1 - w l') / w + b B B' cos^2)    with l = sum_i s_i x_i x'_i

over pairs x, x' of deletions, s_i the relative size of unit i. l is about units alone, the rest
about two and more together: in l' and in the cosine, x is replaced by what the gradient points do
not span of it. v, w and b are the likeliest given the values. Values that were used say little of
the error elsewhere, so it is calibrated on each of them left out (see `calibration`). Farther out
than all of them the exponential is a guess: there the deviation grows at most as a third order.
"""

import dataclasses

import numpy as np
from scipy import linalg, optimize

from .curvature import curvature
from .directions import symmetric_dimension
from .interaction import FACTOR, bend, interaction_matrix
from .minimum_norm import MinimumNorm, base_gradient, relative_sizes
from .prediction import Estimate

START = np.array([1.0, 0.03, 1.0])  # v, in the unit of what is left, w and b
LIMITS = -60.0, 5.0  # of their logarithms
SPREAD = 1.0  # standard deviation of those of w and b around START: few anchors say little of them
STEP = 0.5  # of these, to start with
FITTED_ON = 300  # anchors used to choose v, w and b, at most
FARTHER = 3  # the order by which the deviation grows where nothing is known
NUGGET = 1e-8  # relative variance added for numerical safety
LARGEST_EXPONENT = 20.0
SMALLEST = 1e-10  # of the values' scale: what is left of them below this is rounding


@dataclasses.dataclass(frozen=True)
class Posterior:
    """The mean of the posterior, and its standard deviation as the error."""

    def estimate(self, output, moves):
        """See `averages`. Raises ValueError if the output has neither anchors nor gradients."""
        if not len(output.anchors) and not len(output.gradients):
            raise ValueError(
                "this sketch has no anchors and no gradients: make some with "
                "sketch.anchor(run, ...)"
            )
        known = process(output)
        total, error = known.at(moves)
        kinds = [f"{len(output.anchors)} exact retrainings"] * bool(len(output.anchors))
        kinds += [f"{len(output.gradients)} gradients"] * bool(len(output.gradients))
        evidence = f"corrected by {' and '.join(kinds)}"
        if known.form is None:
            found = MinimumNorm().estimate(output, moves)
            reason = f"{found.reason}; {evidence}"
            return dataclasses.replace(found, total=total, error=error, reason=reason)
        first, second = moves @ base_gradient(output), known.second_order(moves)
        terms = np.array([np.full(len(moves), known.base), first, second])
        unknown = np.full(len(moves), np.inf)  # how far the form is from the second Taylor term
        errors = np.array([0.0 * error, 0.0 * error, unknown])
        return Estimate(terms, errors, total, error, reason=f"quadratic form; {evidence}")

    def left_out(self, output):
        """Truth less prediction at each anchor that is left out, and the error, each (a,)."""
        return process(output).left_out()


def process(output):
    """The posterior of an output, kept with it."""
    return output.kept(process, lambda: Process(output))


class Process:
    """m + c B, and the Gaussian process G conditioned on the values at the anchors."""

    def __init__(self, output):
        self.output, self.sizes = output, relative_sizes(output.directions)
        self.base = output.coefficients[0, 0].real
        self.power = first_open_degree(output)
        away = np.any(output.gradient_points != output.at, axis=1)
        self.curvature = curvature(output) if np.any(away) and self.power <= 2 else None
        self.form = None if self.curvature is None else self._form()
        moves, values = known_values(output)
        self.places = self._places(moves)
        left = values - self.mean(moves) if len(moves) else np.empty(0)
        scale = np.max(np.abs(values - self.base), initial=0.0)
        self.left = np.where(np.abs(left) < SMALLEST * scale, 0.0, left)
        self.settings = self._fitted()
        kernel = self._kernel(self.places, self.places)
        kernel[np.diag_indices_from(kernel)] *= 1.0 + NUGGET
        self.factor = linalg.cho_factor(kernel, lower=True) if len(left) else None
        self.solution = linalg.cho_solve(self.factor, self.left) if len(left) else self.left

    def at(self, moves):
        """The posterior mean and standard deviation, each (points,).

        Farther out than all that is known it grows at most as a third order does: the exponential
        of the kernel is a guess there, which can be a hundred times too large.
        """
        mean, error = self.mean(moves), self._deviation(moves)
        if self.factor is None:
            return mean, error
        places, known = self._places(moves), self.places.lengths.max()
        far = np.flatnonzero(places.lengths > known) if known else []
        if len(far):
            times = places.lengths[far] / known
            nearer = self._deviation(moves[far] * times[:, None] ** (-1.0 / self.power))
            error[far] = np.minimum(error[far], nearer * times**FARTHER)
        return mean + self._kernel(self.places, places).T @ self.solution, error

    def _deviation(self, moves):
        """The posterior standard deviation, (points,)."""
        places = self._places(moves)
        prior = self._variance(places)
        if self.factor is None:
            return np.sqrt(prior)
        known = np.sum(self._whitened(self._kernel(self.places, places)) ** 2, axis=0)
        return np.sqrt(np.maximum(prior - known, 10 * NUGGET * prior))

    def covariance(self, moves):
        """The posterior covariance of the output after some deletions, (points, points)."""
        places = self._places(moves)
        kernel = self._kernel(places, places)
        if self.factor is None:
            return kernel
        half = self._whitened(self._kernel(self.places, places))
        return kernel - half.T @ half

    def _whitened(self, cross):
        """The kernel between the anchors and some places, times an inverse root of the anchors'."""
        return linalg.solve_triangular(self.factor[0], cross, lower=True)

    def left_out(self):
        """Truth less prediction at each anchor left out, and the standard deviation there."""
        if self.factor is None:
            return np.empty(0), np.empty(0)
        inverse = linalg.lapack.dpotri(self.factor[0], lower=1)[0]
        variance = 1.0 / np.diag(inverse)
        count = len(self.output.anchors)
        return (self.solution * variance)[:count], np.sqrt(variance)[:count]

    def mean(self, moves):
        """m + c B, with what the gradients say, (points,)."""
        if self.form is None:
            return MinimumNorm().estimate(self.output, moves).total + bend(self.output, moves)
        return self.base + moves @ base_gradient(self.output) + self.second_order(moves)

    def second_order(self, moves):
        """The quadratic form of the gradients, (points,)."""
        return 0.5 * np.einsum("pi,pi->p", moves @ self.form, moves)

    def _form(self):
        """The second order: the interaction form, corrected by the gradients."""
        output, matrix = self.output, interaction_matrix(self.output)
        size = len(output.units)
        prior = np.zeros((size, size)) if matrix is None else FACTOR * (matrix + matrix.T)
        moves = output.gradient_points - output.at
        differences = output.gradients - base_gradient(output) - moves @ prior
        return prior + self.curvature.form(differences)

    def scaled(self, moves):
        """Moves in the coordinates of the kernel, (points, n)."""
        return np.sign(moves) * np.abs(moves) ** self.power * np.sqrt(self.sizes)

    def open_moves(self, moves):
        """What the gradient points do not span of them, (points, n)."""
        scaled = self.scaled(moves)
        return scaled if self.curvature is None else self.curvature.rest(scaled)

    def _places(self, moves):
        return _Places(self.scaled(moves), self.open_moves(moves), bend(self.output, moves))

    def _kernel(self, left, right, settings=None):
        """The kernel between some places and others, (left, right)."""
        return _kernel_of(
            self.settings if settings is None else settings,
            left.alone @ right.alone.T,
            left.together @ right.together.T,
            np.outer(left.bends, right.bends),
            np.outer(left.lengths, right.lengths),
        )

    def _variance(self, places):
        """The kernel between each of some places and itself, (points,)."""
        alone = np.sum(places.alone**2, axis=1)
        together = np.sum(places.together**2, axis=1)
        return _kernel_of(self.settings, alone, together, places.bends**2, alone)

    def _fitted(self):
        """The likeliest variance of single units, interaction weight and spread of B's factor."""
        left, (moves, _) = self.left, known_values(self.output)
        chosen = np.flatnonzero(left)
        if not len(chosen):
            return START
        if len(chosen) > FITTED_ON:
            several = np.count_nonzero(moves[chosen], axis=1) > 1
            order = np.random.default_rng(0).permutation(len(chosen))
            order = order[np.argsort(~several[order], kind="stable")]
            chosen = np.sort(chosen[order[:FITTED_ON]])
        unit = np.sqrt(np.mean(left[chosen] ** 2))  # whatever the output is counted in
        places, left = self.places.chosen(chosen).over(unit), left[chosen] / unit
        start = np.log(START)

        def cost(logarithms):
            kernel = self._kernel(places, places, np.exp(np.clip(logarithms, *LIMITS)))
            kernel[np.diag_indices_from(kernel)] *= 1.0 + NUGGET
            try:
                factor = linalg.cholesky(kernel, lower=True)
            except linalg.LinAlgError:
                return np.inf
            half = linalg.solve_triangular(factor, left, lower=True)
            far = (logarithms - start)[1:] / SPREAD
            return 0.5 * half @ half + np.sum(np.log(np.diag(factor))) + 0.5 * far @ far

        simplex = start + np.vstack([np.zeros(3), STEP * np.eye(3)])
        options = {"maxiter": 80, "xatol": 0.05, "fatol": 0.05, "initial_simplex": simplex}
        found = optimize.minimize(cost, start, method="Nelder-Mead", options=options)
        return np.exp(np.clip(found.x, *LIMITS)) * [unit**2, 1.0, 1.0]


@dataclasses.dataclass(frozen=True)
class _Places:
    """Deletions as the kernel sees them: scaled moves, what is open of them, and c B."""

    alone: np.ndarray
    together: np.ndarray
    bends: np.ndarray

    @property
    def lengths(self):
        return np.linalg.norm(self.alone, axis=1)

    def chosen(self, rows):
        return _Places(self.alone[rows], self.together[rows], self.bends[rows])

    def over(self, unit):
        """The same for the output in another unit."""
        return _Places(self.alone, self.together, self.bends / unit)


def _kernel_of(settings, alone, together, bends, lengths):
    """The kernel of the module, from l, l', the product of two forms c B, and |x| |x'|."""
    variance, weight, spread = settings
    inner = np.minimum(weight * together, LARGEST_EXPONENT)
    kernel = variance * (alone + (np.expm1(inner) - inner) / weight)
    if np.any(bends):
        cosine = together / np.where(lengths > 0, lengths, 1.0)
        kernel += max(spread, 1.0) / FACTOR**2 * bends * cosine**2
    return kernel


def known_values(output):
    """Moves to where the output is known exactly, and its values: anchors, and nothing deleted."""
    moves, values = output.anchors - output.at, output.anchor_values
    if len(moves) and np.any(output.at) and np.isfinite(output.now):
        moves, values = np.concatenate([moves, -output.at[None]]), np.append(values, output.now)
    return moves, values


def first_open_degree(output):
    """The lowest degree that jets and the base gradient leave open."""
    size, m = len(output.units), len(output.directions)
    degree = 1 if output.base_gradient is None else 2
    while degree <= output.degree and 2 * m >= symmetric_dimension(size, degree):
        degree += 1
    return degree
