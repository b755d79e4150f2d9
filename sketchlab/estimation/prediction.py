"""From jets along random directions to a prediction with an error bar.

An estimator has one method, estimate(output, moves): `output` has the jets of one output (see
`sketch.Output`), `moves` are displacements x - at from the base point, shape (points, n), and the
result is an `Estimate`. Those of this module average. Each direction psi_j with the jet
c_0 + c_1 z + ... gives an unbiased sample of every Taylor term at x (see `directions`; the real
part is taken because the terms are real),

    s_r = Re( C(n+r-1, r) c_r <psi_j, x>^r ).

`minimum_norm` and `anchored` solve equations instead, and are far more accurate.
"""

import dataclasses
import html

import numpy as np
from scipy import stats

from .directions import symmetric_dimension

COVERAGE = 0.9  # of the band of a prediction


@dataclasses.dataclass(frozen=True)
class Estimate:
    """What an estimator finds at several points.

    terms, errors: values and standard errors of the Taylor terms, (degree + 1, points).
    total, error: the output and its standard error, (points,); freedom: degrees of freedom of the
    error. reason: how it was found, for display. typical: usual sizes of such terms, if known.
    """

    terms: np.ndarray
    errors: np.ndarray
    total: np.ndarray
    error: np.ndarray
    freedom: float = np.inf
    reason: str = ""
    typical: np.ndarray = None

    def point(self, number):
        """The estimate at one of the points."""
        only = slice(number, number + 1)
        return dataclasses.replace(
            self,
            terms=self.terms[:, only],
            errors=self.errors[:, only],
            total=self.total[only],
            error=self.error[only],
            typical=None if self.typical is None else self.typical[:, only],
        )


class _Average:
    """An estimator that averages the samples of the directions, which come last."""

    def estimate(self, output, moves):
        """See the module."""
        return self.from_samples(term_samples(output.coefficients, output.duals, moves))

    def from_samples(self, samples):
        """The `Estimate` from samples of the terms, (degree + 1, points, m)."""
        terms, errors, freedom = self.average(samples)
        total, error, _ = self.average(samples.sum(axis=0))
        return Estimate(terms, errors, total, error, freedom, self.reason)


@dataclasses.dataclass(frozen=True)
class Mean(_Average):
    """The average of the samples; its error is their standard deviation / sqrt(m)."""

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
    in the inner product if the directions are not uniform (see `sketch.Output`). moves: real,
    (points, n). Costs O(m) per point and entry that is not 0.
    """
    n, support = moves.shape[1], np.flatnonzero(np.any(moves, axis=0))
    inner = moves[:, support] @ duals[:, support].conj().T
    samples = np.empty((len(coefficients), *inner.shape))
    for r, c in enumerate(coefficients):
        samples[r] = symmetric_dimension(n, r) * (c * inner**r).real
    return samples


@dataclasses.dataclass(frozen=True)
class Term:
    """The estimate of one Taylor term and its standard error."""

    degree: int
    value: float
    error: float


@dataclasses.dataclass(frozen=True)
class Prediction:
    """What an output is predicted to be after a deletion.

    value and its standard error; low, high: the 90% band; terms: one per degree, the first being
    the output at the base point (as a rule, with nothing deleted); degree: the highest one; unit:
    what the numbers count; reason: how the value was found. Resummation and anchors change the
    value beyond the sum of the terms.
    """

    value: float
    error: float
    low: float
    high: float
    terms: tuple
    unit: str = ""
    reason: str = ""

    @property
    def degree(self):
        """The degree at which the Taylor series was cut."""
        return self.terms[-1].degree

    @property
    def change(self):
        """The predicted value minus the value at the base point."""
        return self.value - self.terms[0].value

    def __repr__(self):
        unit = f" {self.unit}" if self.unit else ""
        terms = ", ".join(f"{t.value:+.4f} ± {t.error:.4f}" for t in self.terms[1:])
        return (
            f"Prediction {self.value:.4f} ± {self.error:.4f}{unit} (now {self.terms[0].value:.4f}, "
            f"change {self.change:+.4f}; 90% band {self.low:.4f} to {self.high:.4f}; "
            f"degree {self.degree}{f', terms {terms}' if terms else ''}"
            f"{f'; {self.reason}' if self.reason else ''})"
        )

    def _repr_html_(self):
        rows = "".join(
            f"<tr><td>{t.degree}</td><td>{t.value:+.4f}</td><td>{t.error:.4f}</td></tr>"
            for t in self.terms
        )
        return (
            f"<p><b>{self.value:.4f} ± {self.error:.4f} {html.escape(self.unit)}</b>, now "
            f"{self.terms[0].value:.4f}, change {self.change:+.4f}; "
            f"90% band {self.low:.4f} to {self.high:.4f}</p>"
            f"<table><tr><th>degree</th><th>term</th><th>error</th></tr>{rows}</table>"
            f"<p>{html.escape(self.reason)}</p>"
        )


@dataclasses.dataclass(frozen=True)
class Curve:
    """Predictions for a range of down-weights: arrays of shape (points,)."""

    weights: np.ndarray
    values: np.ndarray
    errors: np.ndarray
    low: np.ndarray
    high: np.ndarray


def prediction(estimate, unit=""):
    """The `Prediction` of an estimate at one point."""
    low, high = _band(estimate)
    terms = tuple(
        Term(r, float(value), float(error))
        for r, (value, error) in enumerate(
            zip(estimate.terms[:, 0], estimate.errors[:, 0], strict=True)
        )
    )
    return Prediction(
        float(estimate.total[0]),
        float(estimate.error[0]),
        float(low[0]),
        float(high[0]),
        terms,
        unit,
        estimate.reason,
    )


def curve(estimate, weights):
    """The `Curve` of an estimate at the points that belong to `weights`."""
    return Curve(weights, estimate.total, estimate.error, *_band(estimate))


def _band(estimate):
    freedom = estimate.freedom
    quantile = stats.t.ppf((1 + COVERAGE) / 2, freedom) if freedom > 0 else np.inf
    reach = np.where(estimate.error > 0, quantile * estimate.error, 0.0)
    return estimate.total - reach, estimate.total + reach
