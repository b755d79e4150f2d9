"""Estimators: unbiased, with the stated second moments, error bars, rates and coverage."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
from scipy import stats

from sketchlab import directions
from sketchlab.estimation import averages, prediction
from sketchlab.estimation import choice as estimators
from sketchlab.estimation.output import Output

SIGMAS = 5
N, DEGREE = 3, 3


def symmetric_form(n, degree, seed):
    """A random real symmetric form, an array of shape (n,) * degree."""
    tensor = np.random.default_rng((seed, degree)).normal(size=(n,) * degree)
    orders = list(itertools.permutations(range(degree)))
    return sum(np.transpose(tensor, order) for order in orders) / len(orders)


def power_of(vector, degree):
    """The form x -> <vector, x>^degree as a symmetric array."""
    form = np.ones(())
    for _ in range(degree):
        form = np.multiply.outer(form, vector)
    return form


AVERAGES = {"mean": averages.Mean(), "median_of_means": averages.MedianOfMeans()}


def samples_of(jets, psi, x):
    """Samples of the terms at one point, (degree + 1, m)."""
    return averages.term_samples(jets, psi, x[None])[:, 0]


def predict(samples, *, estimator="mean", unit=""):
    """The prediction from samples at one point, (degree + 1, m)."""
    rule = AVERAGES.get(estimator, estimator)
    found = rule.from_samples(samples[:, None])
    return prediction.prediction(found, now=found.terms[0, 0], unit=unit, many=False)


def evaluated(form, points):
    """F[p, ..., p] for every row p of points, by contracting one axis after the other."""
    letters = "abcdefgh"[: form.ndim]
    return np.einsum(
        ",".join([letters] + ["z" + a for a in letters]) + "->z", form, *[points] * form.ndim
    )


FORMS = [symmetric_form(N, r, seed=4) for r in range(DEGREE + 1)]
X = np.array([1.0, 0.0, -0.6])
TERMS = [float(evaluated(form, X[None])[0]) if form.ndim else float(form) for form in FORMS]


def jets_of(forms, psi):
    """The Taylor coefficients along every direction of the function with these forms."""
    return np.array(
        [evaluated(form, psi) if form.ndim else np.full(len(psi), form, complex) for form in forms]
    )


@pytest.fixture(scope="module")
def pool():
    """Independent directions, and the samples of the terms of `FORMS` at X along them."""
    psi = directions.sphere(N, 1 << 17, seed=8)
    return psi, samples_of(jets_of(FORMS, psi), psi, X)


def z_score(samples, mean):
    """How many standard errors the average of the samples is away from the expected mean."""
    return abs(samples.mean() - mean) / (samples.std(ddof=1) / math.sqrt(len(samples)))


# ---- samples ---------------------------------------------------------------------------------


def test_samples_are_the_formula_written_out():
    """s_r = Re(C(n+r-1, r) c_r <psi, x>^r), one number at a time."""
    psi = directions.sphere(4, 5, seed=1)
    rng = np.random.default_rng(2)
    c = rng.normal(size=(4, 5)) + 1j * rng.normal(size=(4, 5))
    x = np.array([0.0, 1.0, 0.0, -2.5])
    samples = samples_of(c, psi, x)
    for r, j in itertools.product(range(4), range(5)):
        inner = sum(psi[j, i].conjugate() * x[i] for i in range(4))
        expected = (math.comb(4 + r - 1, r) * c[r, j] * inner**r).real
        assert samples[r, j] == pytest.approx(expected, rel=1e-13)


def test_deleting_nothing_changes_nothing():
    """At x = 0 every term but the constant one is 0, with error 0."""
    psi = directions.sphere(N, 40, seed=1)
    samples = samples_of(jets_of(FORMS, psi), psi, np.zeros(N))
    for name in AVERAGES:
        p = predict(samples, estimator=name)
        assert p.value == pytest.approx(TERMS[0], rel=1e-14)
        assert p.change == pytest.approx(0, abs=1e-14)
        assert p.error < 1e-15 and p.high - p.low < 1e-14


@pytest.mark.parametrize("n, x_seed", [(1, 0), (2, 1), (3, 2), (5, 3)])
def test_every_term_is_unbiased(n, x_seed):
    """The average sample of each degree is the exact Taylor term, for random polynomials."""
    forms = [symmetric_form(n, r, seed=x_seed) for r in range(5)]
    x = np.random.default_rng(x_seed).normal(size=n)
    psi = directions.sphere(n, 20_000, seed=x_seed)
    samples = samples_of(jets_of(forms, psi), psi, x)
    for r, form in enumerate(forms):
        exact = float(evaluated(form, x[None])[0]) if r else float(form)
        if samples[r].std() < 1e-12 * abs(exact):  # one unit, or no term: no randomness at all
            assert n == 1 or r == 0
            assert samples[r, 0] == pytest.approx(exact, rel=1e-12)
        else:
            assert z_score(samples[r], exact) < SIGMAS, r


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_real_directions_leave_the_trace_term(degree):
    """With real directions E s_1 = t_1, but E s_2 = (n+1)/(n+2) (F[x,x] + tr F |x|^2 / 2)."""
    count = 100_000
    psi = np.random.default_rng(6).normal(size=(count, N))
    psi /= np.linalg.norm(psi, axis=1, keepdims=True)
    samples = samples_of(jets_of(FORMS, psi), psi, X)[degree]
    square = X @ X
    if degree == 1:
        biased = TERMS[1]
    elif degree == 2:
        biased = (N + 1) / (N + 2) * (TERMS[2] + np.trace(FORMS[2]) * square / 2)
    else:  # of the 15 pairings of six factors, 6 keep F[x,x,x] and 9 leave its trace
        trace = np.einsum("iij,j", FORMS[3], X)
        size = math.comb(N + 2, 3)
        biased = size * (6 * TERMS[3] + 9 * trace * square) / (N * (N + 2) * (N + 4))
    assert z_score(samples, biased) < SIGMAS
    if degree > 1:
        assert z_score(samples, TERMS[degree]) > 10


# ---- second moments --------------------------------------------------------------------------


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_second_moment_is_at_most_the_bound(pool, degree):
    """E s_r^2 <= C(2r, r) ||F_r||^2 ||x||^(2r) for forms that know nothing of x."""
    squares = pool[1][degree] ** 2
    bound = math.comb(2 * degree, degree) * (FORMS[degree] ** 2).sum() * (X @ X) ** degree
    error = squares.std() / math.sqrt(squares.size)
    assert 0 < squares.mean() + SIGMAS * error < bound


@pytest.mark.parametrize("n, degree", [(2, 1), (2, 2), (3, 3), (12, 2), (40, 1), (40, 2)])
def test_powers_of_a_linear_form_along_x_attain_the_bound(n, degree):
    """There E s_r^2 = C(n+r-1, r)^2 / C(n+2r-1, 2r) ||F||^2 ||x||^(2r): C(2r, r) as n grows."""
    x = np.random.default_rng(n).normal(size=n)
    psi = directions.sphere(n, 20_000, seed=3)
    samples = samples_of((psi @ x)[None] ** np.arange(degree + 1)[:, None], psi, x)
    norm = np.sqrt((power_of(x, degree) ** 2).sum())
    share = math.comb(n + degree - 1, degree) ** 2 / math.comb(n + 2 * degree - 1, 2 * degree)
    expected = share * norm**2 * (x @ x) ** degree
    assert z_score(samples[degree] ** 2, expected) < SIGMAS
    assert share < math.comb(2 * degree, degree)
    large = [
        math.comb(m + degree - 1, degree) ** 2 / math.comb(m + 2 * degree - 1, 2 * degree)
        for m in (n, 10 * n, 10_000 * n)
    ]
    assert large == sorted(large)
    assert large[-1] == pytest.approx(math.comb(2 * degree, degree), rel=1e-3)


# ---- error bars ------------------------------------------------------------------------------


def within_binomial(count, trials, low, high=None):
    """Whether a frequency is compatible, at 5 standard errors, with a rate from low to high."""
    high = low if high is None else high
    return (
        trials * low - SIGMAS * math.sqrt(trials * low * (1 - low))
        < count
        < trials * high + SIGMAS * math.sqrt(trials * high * (1 - high))
    )


def many_predictions(samples, m, estimator):
    """Values, errors and bands of disjoint sketches of m directions, each shape (sketches,)."""
    parts = samples[:, : samples.shape[1] // m * m].reshape(len(samples), -1, m)
    found = [predict(parts[:, k], estimator=estimator) for k in range(parts.shape[1])]
    return (
        np.array([getattr(p, what) for p in found]) for what in ("value", "error", "low", "high")
    )


@pytest.mark.parametrize("estimator, highest", [("mean", None), ("median_of_means", 0.95)])
def test_bands_cover_the_truth_at_their_rate(pool, estimator, highest):
    """90% of the bands of independent sketches contain the exact value (median: a little more)."""
    _, _, low, high = many_predictions(pool[1], 128, estimator)
    truth = sum(TERMS)
    covered = int(((low <= truth) & (truth <= high)).sum())
    assert within_binomial(covered, len(low), prediction.COVERAGE, highest), covered / len(low)


def test_reported_errors_are_the_spread_of_independent_sketches(pool):
    """The standard errors of the mean and of the median agree with the spread of the values."""
    for estimator, tolerance in (("mean", 0.1), ("median_of_means", 0.15)):
        values, errors, _, _ = many_predictions(pool[1], 256, estimator)
        spread = values.std(ddof=1)  # of 512 values: known to 3%
        assert np.sqrt((errors**2).mean()) == pytest.approx(spread, rel=tolerance), estimator


def test_the_error_falls_with_the_root_of_the_number_of_directions(pool):
    """The slope of log error against log m is -1/2 within 0.06, as measured and as reported."""
    sizes = 2 ** np.arange(5, 12)
    measured, reported = [], []
    for m in sizes:
        values, errors, _, _ = many_predictions(pool[1], m, "mean")
        measured.append(np.sqrt(np.mean((values - sum(TERMS)) ** 2)))
        reported.append(np.sqrt(np.mean(errors**2)))
    for errors in (measured, reported):
        slope = np.polyfit(np.log(sizes), np.log(errors), 1)[0]
        assert slope == pytest.approx(-0.5, abs=0.06)


def test_median_of_means_withstands_heavy_tails():
    """With Student's t noise (1.5 degrees of freedom) its 1% worst errors are a third as large."""
    noise = np.random.default_rng(9).standard_t(1.5, size=(1, 500 * 960))
    errors = {}
    for estimator in AVERAGES:
        values, _, low, high = many_predictions(noise, 960, estimator)
        errors[estimator] = np.quantile(np.abs(values), 0.99)
        covered = int(((low <= 0) & (0 <= high)).sum())
        assert within_binomial(covered, len(low), prediction.COVERAGE, 1 - 1e-9), estimator
    assert errors["median_of_means"] < errors["mean"] / 3


def test_median_of_means_ignores_a_wild_group():
    """Samples spoilt beyond measure in fewer than half of the groups barely move the estimate."""
    samples = np.random.default_rng(1).normal(size=2400)
    spoilt = samples.copy()
    spoilt[:1000] = 1e12  # 10 of 24 groups
    value, _, _ = averages.MedianOfMeans().average(spoilt)
    assert abs(value) < 1.0
    assert averages.Mean().average(spoilt)[0] > 1e11


ESTIMATE_CASES = {
    "mean": (averages.Mean(), [1, 2, 3, 6], 3, np.std([1, 2, 3, 6], ddof=1) / 2, 3),
    "mean of one": (averages.Mean(), [4.0], 4, np.inf, 0),
    "two groups": (
        averages.MedianOfMeans(2),
        [1, 3, 5, 9],
        4.5,
        np.sqrt(np.pi / 4) * np.std([2, 7], ddof=1),
        1,
    ),
    "unequal groups": (
        averages.MedianOfMeans(3),
        [0, 0, 3, 100],
        3,
        np.sqrt(np.pi / 6) * np.std([0, 3, 100], ddof=1),
        2,
    ),
    "more groups than samples": (
        averages.MedianOfMeans(24),
        [1, 5, 3],
        3,
        np.sqrt(np.pi / 6) * 2,
        2,
    ),
    "one group": (averages.MedianOfMeans(1), [1, 2, 6], 3, np.inf, 0),
}


@pytest.mark.parametrize("case", ESTIMATE_CASES)
def test_estimators_on_numbers_worked_out_by_hand(case):
    """Value, standard error and degrees of freedom of a few samples."""
    rule, samples, *expected = ESTIMATE_CASES[case]
    np.testing.assert_allclose(rule.average(np.array(samples, float)), expected, rtol=1e-14)
    stacked = rule.average(np.array([samples, np.multiply(samples, -2.0)]))
    np.testing.assert_allclose(stacked[0], np.multiply(expected[0], [1, -2]), rtol=1e-14)
    np.testing.assert_allclose(stacked[1], np.multiply(expected[1], [1, 2]), rtol=1e-14)


# ---- predictions -----------------------------------------------------------------------------


def test_a_band_is_a_student_interval(pool):
    """low and high are value -+ t quantile * error, with the estimator's degrees of freedom."""
    samples = pool[1][:, :48]
    for estimator, freedom in (("mean", 47), ("median_of_means", 23)):
        p = predict(samples, estimator=estimator)
        reach = stats.t.ppf(0.95, freedom) * p.error
        np.testing.assert_allclose([p.low, p.high], [p.value - reach, p.value + reach], rtol=1e-13)


def test_one_direction_gives_an_infinite_band(pool):
    """Nothing is known about the error of one sample, and the prediction says so."""
    p = predict(pool[1][:, :1])
    assert (p.error, p.low, p.high) == (np.inf, -np.inf, np.inf)
    assert np.isfinite(p.value)


def test_the_mean_of_the_sum_is_the_sum_of_the_terms(pool):
    """The value of a mean is the sum of its terms; each term has its own error."""
    samples = pool[1][:, :200]
    p = predict(samples)
    assert p.value == pytest.approx(sum(term.value for term in p.terms), rel=1e-13)
    assert [term.degree for term in p.terms] == list(range(DEGREE + 1))
    assert p.degree == DEGREE and p.change == p.value - p.terms[0].value
    for term, row in zip(p.terms, samples, strict=True):
        assert term.error == pytest.approx(row.std(ddof=1) / math.sqrt(200), rel=1e-12, abs=1e-16)


@pytest.mark.parametrize("estimator", [*AVERAGES, "minimum_norm", "resummed", "automatic"])
def test_a_curve_is_a_prediction_at_every_weight(pool, estimator):
    """Multiplying the deletion by w gives the numbers of predict at w x."""
    psi = pool[0][:60]
    output = Output(jets_of(FORMS, psi), directions.Directions(psi))
    weights = [0.0, 0.3, 1, -1.2, 2]
    curve = output.curve(weights, down_weights=X, estimator=estimator)
    for k, w in enumerate(weights):
        p = output.predict(w * X, estimator=estimator)
        found = (curve.value[k], curve.error[k], curve.low[k], curve.high[k])
        np.testing.assert_allclose(found, (p.value, p.error, p.low, p.high), rtol=1e-9, atol=1e-11)


def test_estimators_by_name_or_as_themselves():
    """A name gives the estimator with its defaults; an estimator is used as it is."""
    assert estimators.named_estimator("mean") == averages.Mean()
    assert estimators.named_estimator("median_of_means") == averages.MedianOfMeans(24)
    own = averages.MedianOfMeans(7)
    assert estimators.named_estimator(own) is own


@pytest.mark.parametrize("wrong", ["average", "", None, 3])
def test_unknown_estimators_are_refused(wrong):
    """The message lists the estimators and repeats what was given."""
    with pytest.raises(ValueError, match="one of automatic, posterior") as caught:
        estimators.named_estimator(wrong)
    assert repr(wrong) in str(caught.value)


def test_predictions_show_value_error_unit_and_terms(pool):
    """Both the plain and the HTML form hold every number, and the unit is escaped."""
    p = predict(pool[1][:, :500], unit="nats")
    numbers = [p.value, p.error, p.low, p.high, p.terms[0].value]
    numbers += [number for term in p.terms[1:] for number in (abs(term.value), term.error)]
    for text in (repr(p), p._repr_html_()):
        assert "nats" in text and f"{p.change:+.4f}" in text
        for number in numbers:
            assert f"{number:.4f}" in text, number
    assert f"degree {DEGREE}" in repr(p)
    assert p._repr_html_().count("<tr><td>") == DEGREE + 1
    strange = dataclasses.replace(p, unit="<b>&")
    assert "&lt;b&gt;&amp;" in strange._repr_html_() and "<b>&" in repr(strange)
    assert "  " not in repr(dataclasses.replace(p, unit=""))
