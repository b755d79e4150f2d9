"""A prediction: the number that an output is expected to be after a deletion, and its band.

Every method gives one of these, for one deletion or for many at once. A band of zero width stands
for a value that is known exactly; where nothing is known of the error, it is infinite.
"""

import dataclasses
import html

import numpy as np
from scipy import special

COVERAGE = 0.9  # of the band of a prediction
VANISHED = 1e-9  # a size below this times the largest is that of a term that is not there
FADING = 4.0  # by this factor the rest is taken to fall with each further term that is not there
MOST_SHOWN = 10  # points in the printed form
ROUNDING = 1e-9  # of the terms' sizes: a rest below it is no rest


@dataclasses.dataclass(frozen=True)
class Estimate:
    """What an estimator finds at several points.

    terms, errors: values and standard errors of the Taylor terms, (degree + 1, points).
    total, error: the output and its standard error, (points,); freedom: degrees of freedom of the
    error. reason: how it was found, for display. typical: usual sizes of such terms, and
    last: the degree of the last known one at each point, (points,), if known. calibrated: on how
    many exact retrainings the error was (see `calibration`); 0: it rests on assumptions.
    """

    terms: np.ndarray
    errors: np.ndarray
    total: np.ndarray
    error: np.ndarray
    freedom: float = np.inf
    reason: str = ""
    typical: np.ndarray | None = None
    last: np.ndarray | None = None
    calibrated: int = 0


@dataclasses.dataclass(frozen=True, eq=False)
class Term:
    """One Taylor term and its standard error, each a number or an array over the points."""

    degree: int
    value: float
    error: float

    def __eq__(self, other):
        return _same(self, other)


@dataclasses.dataclass(frozen=True, eq=False)
class Prediction:
    """What an output is predicted to be after a deletion, or after each of several.

    value and its standard error; low, high: the 90% band. Each is a number, or an array of shape
    (points,); `p[i]` is the prediction for one point. error 0: known exactly; infinite: unknown.
    terms: one `Term` per degree, the first being the output at the base point (as a rule, with
    nothing deleted). now: the output with nothing deleted; unit: what the numbers count; reason:
    how the value was found. Resummation and anchors change the value beyond the sum of the terms.
    calibrated: on how many exact retrainings the band was; 0: the band rests on assumptions.
    """

    value: float
    error: float
    low: float
    high: float
    terms: tuple
    now: float
    unit: str = ""
    reason: str = ""
    calibrated: int = 0

    @property
    def degree(self):
        """The degree at which the Taylor series was cut."""
        return self.terms[-1].degree

    @property
    def change(self):
        """The predicted value minus the value with nothing deleted."""
        return self.value - self.now

    @property
    def rest(self):
        """The value beyond the sum of the terms; 0 where rounding is all that there is."""
        total = sum(term.value for term in self.terms)
        sizes = sum(np.abs(term.value) for term in self.terms)
        rest = self.value - total
        return _plain(np.where(np.abs(rest) > ROUNDING * sizes, rest, 0.0)[()])

    @property
    def shape(self):
        """() for one deletion, (points,) for several."""
        return np.shape(self.value)

    def __len__(self):
        if not self.shape:
            raise TypeError("this is the prediction for one deletion: it has no length")
        return len(self.value)

    def __getitem__(self, point):
        if not self.shape:
            raise TypeError("this is the prediction for one deletion: there is nothing to index")
        parts = (self.value, self.error, self.low, self.high)
        value, error, low, high = (_plain(part[point]) for part in parts)
        terms = tuple(
            Term(t.degree, _plain(t.value[point]), _plain(t.error[point])) for t in self.terms
        )
        return dataclasses.replace(self, value=value, error=error, low=low, high=high, terms=terms)

    def __iter__(self):
        return (self[point] for point in range(len(self)))

    def __eq__(self, other):
        return _same(self, other)

    def __repr__(self):
        unit = f" {self.unit}" if self.unit else ""
        reason = f"; {self.reason}" if self.reason else ""
        if self.shape:
            shown = ", ".join(f"{p.value:.4f} {_error(p.error)}" for p in self[:MOST_SHOWN])
            more = ", ..." if len(self) > MOST_SHOWN else ""
            doubt = "" if self.calibrated else "; bands not calibrated"
            return (
                f"Prediction of {len(self)} points{unit} (now {self.now:.4f}: {shown}{more}; "
                f"degree {self.degree}{reason}{doubt})"
            )
        terms = ", ".join(f"{t.value:+.4f} {_error(t.error)}" for t in self.terms[1:])
        return (
            f"Prediction {self.value:.4f} {_error(self.error)}{unit} (now {self.now:.4f}, change "
            f"{self.change:+.4f}; {_band(self)}; degree {self.degree}"
            f"{f', terms {terms}' if terms else ''}{reason})"
        )

    def _repr_html_(self):
        if self.shape:
            head = "<tr><th></th><th>value</th><th>error</th><th>change</th><th>90% band</th></tr>"
            rows = "".join(
                f"<tr><td>{i}</td><td>{p.value:.4f}</td><td>{_error(p.error)}</td>"
                f"<td>{p.change:+.4f}</td><td>{_band(p)}</td></tr>"
                for i, p in enumerate(self[:MOST_SHOWN])
            )
            more = len(self) - MOST_SHOWN
            title = f"<p><b>{len(self)} points {html.escape(self.unit)}</b>, now {self.now:.4f}</p>"
            after = f"<p>and {more} more</p>" if more > 0 else ""
        else:
            head = "<tr><th>degree</th><th>term</th><th>error</th></tr>"
            rows = "".join(
                f"<tr><td>{t.degree}</td><td>{t.value:+.4f}</td><td>{_error(t.error)}</td></tr>"
                for t in self.terms
            )
            title = (
                f"<p><b>{self.value:.4f} {_error(self.error)} {html.escape(self.unit)}</b>, now "
                f"{self.now:.4f}, change {self.change:+.4f}; {_band(self)}</p>"
            )
            after = ""
        return f"{title}<table>{head}{rows}</table>{after}<p>{html.escape(self.reason)}</p>"


def last_seen(coefficients):
    """The last degree whose coefficients, (degree + 1, m), are not 0, and the rest as its share.

    Jets whose last terms are not there (an even function has no odd ones; a polynomial ends) say
    little about what follows: after one such term the rest is taken to be as large as the last
    term that is there, and FADING times less with each further one. Degree 0: none is there.
    """
    sizes = np.abs(coefficients).max(axis=1)
    there = np.flatnonzero(sizes[1:] > VANISHED * sizes[1:].max(initial=0.0)) + 1
    last = int(there[-1]) if len(there) else 0
    return last, FADING ** -max(len(sizes) - 2 - last, 0)


def prediction(estimate, *, now, unit="", bounds=(-np.inf, np.inf), many=True):
    """The `Prediction` of an `Estimate`.

    now: the output with nothing deleted. bounds: what the output can be; value and band are kept
    within them, and where a whole band lies beyond, the error is the distance at least.
    many: False for the one point of the estimate.
    Raises ValueError if a number is not finite, or one that is known lies beyond the bounds.
    """
    if not np.all(np.isfinite(estimate.total)) or np.any(np.isnan(estimate.error)):
        raise ValueError(
            "the prediction is not a finite number for these down-weights: they are too large"
        )
    check_within(bounds, [now, *estimate.total[estimate.error == 0]])
    quantile = special.stdtrit(estimate.freedom, (1 + COVERAGE) / 2) if estimate.freedom else np.inf
    error = np.where(estimate.error > 0, estimate.error, 1.0)
    reach = np.where(estimate.error > 0, quantile * error, 0.0)
    total = np.clip(estimate.total, *bounds)
    beyond = np.abs(total - estimate.total)
    wrong = (beyond > 0) & (beyond >= reach)
    center, reach = np.where(wrong, total, estimate.total), np.where(wrong, beyond, reach)
    arrays = (
        total,
        np.where(wrong, beyond / quantile, estimate.error),
        np.clip(center - reach, *bounds),
        np.clip(center + reach, *bounds),
    )
    terms = tuple(
        Term(degree, *((value, error) if many else (float(value[0]), float(error[0]))))
        for degree, (value, error) in enumerate(zip(estimate.terms, estimate.errors, strict=True))
    )
    parts = arrays if many else [float(array[0]) for array in arrays]
    return Prediction(*parts, terms, float(now), unit, estimate.reason, estimate.calibrated)


def check_within(bounds, known):
    """Raise ValueError if values that are known lie beyond what an output is said to be."""
    low, high = bounds
    values = np.asarray(known, float)
    slack = ROUNDING * np.max(np.abs(values), where=np.isfinite(values), initial=1.0)
    beyond = values[(values < low - slack) | (values > high + slack)]
    if beyond.size:
        raise ValueError(
            f"the output is {beyond[0]:.4g} where it is known, beyond its bounds, {low:g} to "
            f"{high:g}: say what it can be. A loss that can be negative is asked for as "
            "sl.LossOn(example, bounds=(-math.inf, math.inf))"
        )


def _plain(value):
    return value if np.ndim(value) else float(value)


def _same(one, other):
    """Whether two results of one kind hold the same numbers; how they were found does not count."""
    if type(one) is not type(other):
        return NotImplemented
    fields = (field.name for field in dataclasses.fields(one) if field.name != "reason")
    return all(
        a == b if isinstance(a, (str, tuple)) else np.array_equal(a, b, equal_nan=True)
        for a, b in ((getattr(one, name), getattr(other, name)) for name in fields)
    )


def _error(error):
    """A standard error in words: no error that is above 0 is shown as 0."""
    if error == 0:
        return "exactly"
    if not np.isfinite(error):
        return "± unknown"
    return f"± {error:.4f}" if error >= 5e-5 else f"± {error:.1g}"


def _band(p):
    if p.error == 0:
        return "known exactly"
    if not np.isfinite(p.error):
        return "90% band unknown"
    doubt = "" if p.calibrated else ", not calibrated"
    return f"90% band {p.low:.4f} to {p.high:.4f}{doubt}"
