"""From the jets along random directions to a prediction with an error bar.

Each direction psi_j with the jet c_0 + c_1 z + ... gives a sample of every Taylor term at x,

    s_r = Re( C(n+r-1, r) c_r <psi_j, x>^r ),

unbiased (see `directions`; the real part is taken because the terms are real). An estimator turns
the samples of the m directions into a value and its standard error.
"""

import dataclasses
import html

import numpy as np
from scipy import stats

from .directions import symmetric_dimension

COVERAGE = 0.9  # of the band of a prediction


@dataclasses.dataclass(frozen=True)
class Mean:
    """The average of the samples; its error is their standard deviation / sqrt(m)."""

    def estimate(self, samples):
        """Value, standard error and degrees of freedom; samples have the directions last."""
        m = samples.shape[-1]
        error = (
            samples.std(axis=-1, ddof=1) / np.sqrt(m)
            if m > 1
            else np.full(samples.shape[:-1], np.inf)
        )
        return samples.mean(axis=-1), error, m - 1


@dataclasses.dataclass(frozen=True)
class MedianOfMeans:
    """The median of the averages of `groups` groups: a few wild samples cannot spoil it.

    With 8 log(1/delta) groups it is wrong by more than a few standard errors with probability at
    most delta, whatever the distribution (paper, section 3); 24 groups for delta = 0.05. For normal
    group averages the median's standard error is sqrt(pi/2) times that of their mean.
    """

    groups: int = 24

    def estimate(self, samples):
        """Value, standard error and degrees of freedom; samples have the directions last."""
        groups = min(self.groups, samples.shape[-1])
        means = np.stack(
            [part.mean(axis=-1) for part in np.array_split(samples, groups, axis=-1)], -1
        )
        spread = means.std(axis=-1, ddof=1) if groups > 1 else np.full(samples.shape[:-1], np.inf)
        return np.median(means, axis=-1), np.sqrt(np.pi / 2 / groups) * spread, groups - 1


ESTIMATORS = {"mean": Mean, "median_of_means": MedianOfMeans}


def named_estimator(estimator):
    """An estimator by its name in `ESTIMATORS`, or the estimator itself."""
    if hasattr(estimator, "estimate"):
        return estimator
    if estimator not in ESTIMATORS:
        raise ValueError(f"estimator must be one of {', '.join(ESTIMATORS)}, not {estimator!r}")
    return ESTIMATORS[estimator]()


def term_samples(coefficients, directions, x):
    """Unbiased samples of the Taylor terms at x, shape (degree + 1, m).

    coefficients: (degree + 1, m), complex. directions: (m, n). x: real, (n,). Costs O(m |D|), with
    |D| the number of entries of x that are not 0.
    """
    n, support = len(x), np.flatnonzero(x)
    inner = directions[:, support].conj() @ x[support]
    samples = np.empty(coefficients.shape)
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
    the output with nothing deleted; degree: the highest one; unit: what the numbers count.
    """

    value: float
    error: float
    low: float
    high: float
    terms: tuple
    unit: str = ""

    @property
    def degree(self):
        """The degree at which the Taylor series was cut."""
        return self.terms[-1].degree

    @property
    def change(self):
        """The predicted value minus the value with nothing deleted."""
        return self.value - self.terms[0].value

    def __repr__(self):
        unit = f" {self.unit}" if self.unit else ""
        terms = ", ".join(f"{t.value:+.4f} ± {t.error:.4f}" for t in self.terms[1:])
        return (
            f"Prediction {self.value:.4f} ± {self.error:.4f}{unit} (now {self.terms[0].value:.4f}, "
            f"change {self.change:+.4f}; 90% band {self.low:.4f} to {self.high:.4f}; "
            f"degree {self.degree}{f', terms {terms}' if terms else ''})"
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
        )


@dataclasses.dataclass(frozen=True)
class Curve:
    """Predictions for a range of down-weights: arrays of shape (points,)."""

    weights: np.ndarray
    values: np.ndarray
    errors: np.ndarray
    low: np.ndarray
    high: np.ndarray


def predict(samples, *, estimator="mean", unit=""):
    """A `Prediction` from the samples of the terms, shape (degree + 1, m)."""
    rule = named_estimator(estimator)
    value, error, low, high = _banded(rule, samples.sum(axis=0))
    values, errors, _ = rule.estimate(samples)
    terms = tuple(
        Term(r, float(v), float(e)) for r, (v, e) in enumerate(zip(values, errors, strict=True))
    )
    return Prediction(float(value), float(error), float(low), float(high), terms, unit)


def predict_curve(samples, weights, *, estimator="mean"):
    """A `Curve`: with the down-weight w, term r is w^r times that of the whole deletion."""
    weights = np.asarray(weights, float)
    powers = weights[:, None] ** np.arange(len(samples))
    return Curve(weights, *_banded(named_estimator(estimator), powers @ samples))


def _banded(rule, samples):
    value, error, freedom = rule.estimate(samples)
    quantile = stats.t.ppf((1 + COVERAGE) / 2, freedom) if freedom > 0 else np.inf
    reach = np.where(np.asarray(error) > 0, quantile * error, 0.0)
    return value, error, value - reach, value + reach
