"""Estimators that average: every direction gives an unbiased sample of every Taylor term.

An estimator has one method, estimate(output, moves): `output` has the jets of one output (see
`output.Output`), `moves` are displacements x - at from the base point, shape (points, n), and the
result is an `Estimate`. A direction psi_j with the jet c_0 + c_1 z + ... gives the samples

    s_r = Re( C(n+r-1, r) c_r <psi_j, x>^r )

of the Taylor terms at x (see `directions`; the real part is taken because the terms are real).
`minimum_norm` and `posterior` solve equations instead, and are far more accurate.
"""

import dataclasses

import numpy as np

from .directions import symmetric_dimension
from .prediction import Estimate, last_seen


class _Average:
    """An estimator that averages the samples of the directions, which come last."""

    def estimate(self, output, moves):
        """See the module. The error counts what is left out by cutting the series.

        Of a part of a sketch, the whole knows what is left out (see `output.Output.part`). The
        terms beyond the jets are taken to be as large as the last one, degree 2 or higher, less
        what is noise in it (see `prediction.last_seen` for terms that are not there at all). Jets
        of degree 1, or without any term, say nothing of the rest: then the error is infinite.
        """
        used = output.coefficients[: output.degree + 1]
        samples = term_samples(used, output.directions.duals, moves)
        found = self.from_samples(samples)
        if output.whole is not None:
            return found
        terms, errors = found.terms, found.errors
        last, share = last_seen(used)
        if len(terms) > 2 and last:
            beyond = share * np.sqrt(np.maximum(terms[last] ** 2 - errors[last] ** 2, 0.0))
        else:
            beyond = np.where(np.any(moves, axis=1), np.inf, 0.0)
        return dataclasses.replace(found, error=np.hypot(found.error, beyond))

    def from_samples(self, samples):
        """The `Estimate` from samples of the terms, (degree + 1, points, m): sampling error alone.

        That is the band of the paper's figures.
        """
        terms, errors, freedom = self.average(samples)
        total, error, _ = self.average(samples.sum(axis=0))
        return Estimate(terms, errors, total, error, freedom, self.reason)


@dataclasses.dataclass(frozen=True)
class Mean(_Average):
    """The average of the samples; its sampling error is their standard deviation / sqrt(m)."""

    reason = "mean over the directions"

    def average(self, samples):
        """Value, standard error and degrees of freedom."""
        m = samples.shape[-1]
        error = (
            samples.std(axis=-1, ddof=1) / np.sqrt(m)
            if m > 1
            else np.full(samples.shape[:-1], np.inf)
        )
        return samples.mean(axis=-1), error, m - 1


@dataclasses.dataclass(frozen=True)
class MedianOfMeans(_Average):
    """The median of the averages of `groups` groups: a few wild samples cannot spoil it.

    With 8 log(1/delta) groups it is wrong by more than a few standard errors with probability at
    most delta, whatever the distribution (paper, section 3); 24 groups for delta = 0.05. For normal
    group averages the median's standard error is sqrt(pi/2) times that of their mean.
    """

    groups: int = 24
    reason = "median of means over the directions"

    def average(self, samples):
        """Value, standard error and degrees of freedom."""
        groups = min(self.groups, samples.shape[-1])
        means = np.stack(
            [part.mean(axis=-1) for part in np.array_split(samples, groups, axis=-1)], -1
        )
        spread = means.std(axis=-1, ddof=1) if groups > 1 else np.full(samples.shape[:-1], np.inf)
        return np.median(means, axis=-1), np.sqrt(np.pi / 2 / groups) * spread, groups - 1


def term_samples(coefficients, duals, moves):
    """Unbiased samples of the Taylor terms, shape (degree + 1, points, m).

    coefficients: (degree + 1, m), complex. duals: (m, n), the directions, or what takes their place
    in the inner product if the directions are not uniform (see `directions`). moves: real,
    (points, n). Costs O(m) per point and entry that is not 0.
    """
    n, support = moves.shape[1], np.flatnonzero(np.any(moves, axis=0))
    inner = moves[:, support] @ duals[:, support].conj().T
    samples = np.empty((len(coefficients), *inner.shape))
    for r, c in enumerate(coefficients):
        samples[r] = symmetric_dimension(n, r) * (c * inner**r).real
    return samples
