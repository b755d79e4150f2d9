"""The minimum-norm estimate: solve for the Taylor forms instead of averaging samples of them.

Jets give equations. The form F_r of degree r is real on real vectors, so one complex coefficient
F_r[psi_j, ..., psi_j] = c_r(psi_j) is two real equations for it. Among all real symmetric forms
that satisfy the equations of all directions, take the smallest, in the norm

    ||F||^2 = sum of F_{ij...k}^2 / (s_i s_j ... s_k),    s = documents per unit / their average,

so that a unit with twice the documents may have twice the variance. With the kernel
k(a, b) = (sum_i s_i a_i b_i)^r this is linear algebra with 2m equations, once per degree. It is
also the mean of a Gaussian process, whose standard deviation at x says what the equations leave
open. Its scale is the likeliest one given the coefficients. As soon as 2m reaches the number of
unknowns, C(n+r-1, r), the form is exact; long before that, what is not known stays near 0.
"""

import dataclasses
import itertools

import numpy as np
from scipy import linalg, special

from .directions import Directions, symmetric_dimension
from .prediction import Estimate, last_seen

TOLERANCE = 1e-12  # eigenvalues below this times the largest are taken for 0
INFORMED = 0.01  # a degree is used if the jets explain this share of the variance at x


@dataclasses.dataclass(frozen=True)
class Forms:
    """The estimated Taylor forms of an output, ready to be evaluated.

    value: the output at the base point. solutions: weights of the equations, by degree from 1 on.
    scales: prior standard deviations of the forms, (degree + 1,). gradient: the exact form of
    degree 1, (n,), where it is known: it takes the place of the estimated one.
    """

    value: float
    directions: Directions
    solutions: list
    scales: np.ndarray
    gradient: np.ndarray | None = None

    def at(self, moves):
        """Terms, their standard errors and their prior standard deviations, each (degree+1, p)."""
        sizes = relative_sizes(self.directions)
        lengths = np.einsum("pi,i,pi->p", moves, sizes, moves)
        shape = (len(self.scales), len(moves))
        terms, errors, priors = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        terms[0] = self.value
        inner = (self.directions.vectors * sizes) @ moves.T
        for r, solution in enumerate(self.solutions, start=1):
            half, scale_of_kernel = _solution(self.directions, r)
            cross = _stacked(inner**r) / scale_of_kernel
            prior = lengths**r / scale_of_kernel
            known = np.sum((half.T @ cross) ** 2, axis=0)
            terms[r] = cross.T @ solution
            errors[r] = self.scales[r] * np.sqrt(np.maximum(prior - known, 0.0))
            priors[r] = self.scales[r] * np.sqrt(prior)
            errors[r][errors[r] < 1e-5 * priors[r]] = 0.0  # below the accuracy of the difference
        if self.gradient is not None:
            terms[1], errors[1] = moves @ self.gradient, 0.0
            priors[1] = np.sqrt(lengths) * np.sqrt(np.mean(self.gradient**2 / sizes))
        return terms, errors, priors


@dataclasses.dataclass(frozen=True)
class MinimumNorm:
    """The smallest Taylor forms that the jets allow; its error is what the jets leave open.

    The error includes an estimate of the terms beyond the degree: the usual size of such terms,
    carried on geometrically from the last two, or the last known term (of degree 2 or higher)
    itself, whichever is larger. The second counts for deletions of similar documents, whose terms
    are far from usual. Nor is what is unknown of their terms: where the term before is so many
    times its usual size, the unknown part of the next is taken to be as many. Jets of degree 1, or
    without any term, say nothing of the rest: then the error is infinite. Of an output that uses a
    lower degree than its jets have, the terms left out are known: they count as error.
    """

    def estimate(self, output, moves):
        """See `averages`."""
        terms, errors, priors = forms(output).at(moves)
        degree = output.degree if output.base_gradient is None else max(output.degree, 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            known = np.where(priors > 0, 1.0 - (errors / priors) ** 2, 1.0)
        informed = known >= INFORMED  # beyond the last informed degree, terms are left at 0
        terms = np.where(np.flip(np.maximum.accumulate(np.flip(informed, 0), 0), 0), terms, 0.0)
        kept = slice(degree + 1)
        used = slice(np.flatnonzero(informed[kept].any(axis=1))[-1] + 1)
        last = len(terms) - 1 - np.argmax(informed[::-1], axis=0)
        seen, share = last_seen(output.coefficients)
        end = np.minimum(last, seen)
        cut = np.where(end >= 2, share * np.abs(terms[end, np.arange(len(moves))]), 0.0)
        errors = errors * _excess(terms, priors)
        left_out = terms[kept.stop :].sum(axis=0)
        beyond = np.maximum(_rest(priors, np.any(moves, axis=1), seen, share), cut)
        error = np.sqrt(np.sum(errors**2, axis=0) + left_out**2 + beyond**2)
        shares = ", ".join(f"{share:.0%}" for share in known[kept][1:].mean(axis=1))
        reason = "minimum norm" + (f"; known of degree 1, 2, ...: {shares}" if shares else "")
        total = terms[kept].sum(axis=0)
        last = np.minimum(last, degree)
        return Estimate(terms[used], errors[used], total, error, np.inf, reason, priors[used], last)


def forms(output):
    """The minimum-norm Taylor forms of an output: `Forms`. They are kept with the output."""
    return output.kept(
        forms, lambda: forms_of(output.coefficients, output.directions, output.base_gradient)
    )


def base_gradient(output):
    """The derivatives by every unit at the base point, (n,): exact, minimum-norm, or None."""
    if output.base_gradient is not None or len(output.coefficients) < 2:
        return output.base_gradient
    return output.kept(
        base_gradient, lambda: gradients(output.directions, output.coefficients[1][:, None])[:, 0]
    )


def forms_of(coefficients, directions, gradient=None):
    """The minimum-norm Taylor forms with these jets, (degree + 1, m): `Forms`.

    gradient: the exact form of degree 1, if it is known.
    """
    solutions, scales = [], [0.0]
    for r in range(1, len(coefficients)):
        half, _ = _solution(directions, r)
        whitened = half.T @ _stacked(coefficients[r])
        solutions.append(half @ whitened)
        scales.append(np.sqrt(np.mean(whitened**2)))
    if gradient is not None and len(scales) < 2:
        scales.append(0.0)
    return Forms(coefficients[0, 0].real, directions, solutions, np.array(scales), gradient)


def gradients(directions, coefficients):
    """Minimum-norm derivatives by every unit, (units, outputs), from c_1, (m, outputs)."""
    half, scale_of_kernel = _solution(directions, 1)
    solution = half @ (half.T @ _stacked(coefficients))
    psi, m = directions.vectors * relative_sizes(directions), len(directions)
    return (psi.real.T @ solution[:m] + psi.imag.T @ solution[m:]) / scale_of_kernel


def relative_sizes(directions):
    """Documents per unit / their average: the s of the module, (n,)."""
    sizes = directions.units.sizes
    return sizes / sizes.mean()


def _solution(directions, r):
    """What `_solved` finds for these directions, computed once for all outputs."""
    return directions.kept(
        ("minimum norm", r), lambda: _solved(directions.vectors, relative_sizes(directions), r)
    )


def _solved(directions, sizes, r):
    """Root of the pseudo-inverse of the kernel matrix, (2m, rank), and the matrix's scale."""
    m, n = directions.shape
    if symmetric_dimension(n, r) <= 2 * m:
        features = _monomials(directions * np.sqrt(sizes), r)
        features = np.concatenate([features.real, features.imag])
        scale = np.sum(features**2) / (2 * m)
        vectors, values, _ = linalg.svd(features / np.sqrt(scale), full_matrices=False)
        values = values**2
    else:
        kernel = _kernel(directions, sizes, r)
        scale = np.trace(kernel) / (2 * m)
        values, vectors = linalg.eigh(kernel / scale)
    keep = values > TOLERANCE * values.max()
    return vectors[:, keep] / np.sqrt(values[keep]), scale


def _kernel(directions, sizes, r):
    """The kernel between real and imaginary parts, (2m, 2m): Re c = (c + conj c) / 2, and so on."""
    m = len(directions)
    weighted = directions * sizes
    plain, mixed = (weighted @ directions.T) ** r, (weighted @ directions.conj().T) ** r
    kernel = np.empty((2 * m, 2 * m))
    kernel[:m, :m] = 0.5 * (mixed + plain).real
    kernel[m:, m:] = 0.5 * (mixed - plain).real
    kernel[:m, m:] = 0.5 * (plain - mixed).imag
    kernel[m:, :m] = kernel[:m, m:].T
    return kernel


def _monomials(points, r):
    """Monomials of degree r whose inner products are powers of inner products, (m, dimension)."""
    m, n = points.shape
    chosen = np.array(list(itertools.combinations_with_replacement(range(n), r)))
    counts = np.apply_along_axis(np.bincount, 1, chosen, minlength=n)
    weights = special.factorial(r) / np.prod(special.factorial(counts), axis=1)
    columns = np.ones((m, len(chosen)), complex)
    for factor in chosen.T:
        columns *= points[:, factor]
    return columns * np.sqrt(weights)


def _stacked(values):
    return np.concatenate([values.real, values.imag])


def _excess(terms, priors):
    """How many times their usual size the terms before each one are, at least once."""
    with np.errstate(divide="ignore", invalid="ignore"):
        times = np.nan_to_num(np.abs(terms[1:-1]) / priors[1:-1])
    start = np.ones((min(2, len(terms)), terms.shape[1]))  # nothing tells about degree 0 and 1
    return np.maximum.accumulate(np.concatenate([start, times]), axis=0)


def _rest(priors, moved, seen, share):
    """Standard deviation of the terms beyond the last, by a geometric series of variances.

    moved: where something is deleted at all. seen, share: see `prediction.last_seen`.
    """
    if len(priors) < 3 or not seen:
        return np.where(moved, np.inf, 0.0)
    if seen < len(priors) - 1:
        return share * priors[seen]
    before, last = priors[-2:]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.minimum(np.nan_to_num((last / before) ** 2), 0.9)
    return last * np.sqrt(ratio / (1.0 - ratio))
