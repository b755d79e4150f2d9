"""The planner: its settings keep the promised accuracy, and it says when there are none."""

import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

import sketchlab as sl
from sketchlab import ring
from sketchlab.estimation import averages
from sketchlab.estimation import plan as planner

NORMS = [3.0, 0.2 * 0.4, 0.2 * 0.4**2, 0.2 * 0.4**3, 0.2 * 0.4**4]


@pytest.mark.parametrize("epsilon", [0.1, 0.03, 0.01])
@pytest.mark.parametrize("size", [1, 2, 5])
def test_the_rest_of_the_series_and_the_noise_get_half_of_epsilon_each(epsilon, size):
    """For a geometric profile both are sums that can be written down."""
    plan = sl.plan(NORMS, epsilon, deletion_size=size)
    ratio = 0.4 * math.sqrt(size)
    rest = 0.2 * ratio ** (plan.degree + 1) / (1 - ratio)
    assert plan.within_reach
    assert rest <= epsilon / 2
    assert plan.degree == 1 or 0.2 * ratio**plan.degree / (1 - ratio) > epsilon / 2
    variance = sum((0.2 * ratio**r) ** 2 for r in range(1, plan.degree + 1))
    assert 1.96 * math.sqrt(variance / plan.directions) <= epsilon / 2 * 1.001
    assert plan.trainings == plan.directions * (plan.degree + 1) * (plan.degree + 2) / 2


def test_half_the_epsilon_costs_four_times_the_directions():
    """Up to the degrees that are added."""
    ratio = sl.plan(NORMS, 0.005).directions / sl.plan(NORMS, 0.01).directions
    assert 3.9 < ratio < 4.2


def test_out_of_reach_is_said_with_its_reason():
    """With 0.4 sqrt(|D|) above 1 the bounds grow; 1 / 0.4^2 = 6.25 units are the limit."""
    plan = sl.plan(NORMS, 0.1, deletion_size=9)
    assert not plan.within_reach
    assert "factor 1.20" in plan.reason
    assert "fewer than 6.2 units" in plan.reason
    assert "OUT OF REACH" in repr(plan)


def test_the_worst_case_needs_more_directions():
    """The variance grows by at most C(2r, r), that is 2 for degree 1."""
    usual, worst = (sl.plan(NORMS, 0.1, worst_case=flag).directions for flag in (False, True))
    assert 2 * usual - 2 <= worst <= 20 * usual


@pytest.mark.parametrize("n", [5, 40])
def test_the_worst_case_bounds_errors_that_go_together(n):
    """The sum of powers of one linear form, at its own vector: the variance is at its bound.

    The variance of the plain estimate of one direction is measured, and so is that of the terms
    apart: their sum is too small, since the errors of the degrees go together.
    """
    vector = np.full(n, n**-0.5)

    def function(x):
        linear = ring.matmul(x, vector)
        return 1.0 + 0.5 * linear + 0.5 * linear**2 + 0.5 * linear**3

    output = sl.local_sketch(function, n, 3, 20_000, design="independent")
    samples = averages.term_samples(output.coefficients, output.directions.vectors, vector[None])[
        :, 0
    ]
    epsilon = 0.01  # a bound on the error of the mean, half of it for sampling
    plan = sl.plan([1.0, 0.5, 0.5, 0.5, 0.0], epsilon, worst_case=True)
    assert plan.estimator == "mean" and "estimator 'mean'" in repr(plan) and plan.degree == 3
    planned = plan.directions * (epsilon / 2 / stats.norm.ppf(0.975)) ** 2  # variance allowed for
    measured = samples.sum(axis=0).var()
    assert samples.var(axis=1).sum() < 0.8 * measured < planned
    assert measured > 0.5 * planned if n == 40 else True


def test_a_polynomial_is_exact_at_its_degree():
    """A profile that ends in 0 leaves nothing beyond."""
    plan = sl.plan([1.0, 0.5, 0.3, 0.0], 0.01)
    assert plan.within_reach
    assert plan.degree == 2


def test_the_plan_of_an_output_keeps_its_promise():
    """Forty sketches made as planned: at most delta of them are off by more than epsilon."""
    rng = np.random.default_rng(0)
    w = 0.3 * rng.normal(size=6)

    def function(x):
        return ring.exp(ring.matmul(x, w))

    epsilon, x = 0.2, np.eye(6)[2]
    plan = sl.plan(sl.local_sketch(function, 6, 5, 200), epsilon, delta=0.05)
    off = [
        abs(
            sl.local_sketch(function, 6, plan.degree, plan.directions, seed=s)
            .predict(x, estimator=plan.estimator)
            .value
            - np.exp(w[2])
        )
        for s in range(40)
    ]
    assert np.mean(np.array(off) > epsilon) <= 0.15  # 0.05 plus three standard errors


def test_the_plan_of_a_run_measures_time_and_size(small_run):
    """Seconds and bytes are those of a sketch with the planned settings."""
    plan = sl.plan(small_run, 0.5, output=lambda model: model.loss("max"))
    assert plan.bytes == 8 * 4192 * (1 + 2 * plan.degree * plan.directions)
    assert 0 < plan.seconds < 3600


@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [
        ((NORMS, 0), {}, "epsilon must be a finite number above 0"),
        ((NORMS, float("nan")), {}, "epsilon must be a finite number above 0"),
        ((NORMS, 0.1, 1.0), {}, "delta must lie between 0 and 1"),
        (
            (NORMS, 0.1),
            {"deletion_size": 0},
            "deletion_size must be (1 or more|a finite number above 0)",
        ),
        (([1.0, 2.0], 0.1), {}, "(at least three finite numbers|must be finite)"),
        (([1.0, np.nan, 2.0], 0.1), {}, "(at least three finite numbers|must be finite)"),
    ],
)
def test_bad_input(arguments, settings, message):
    """Each wrong number is named."""
    with pytest.raises(ValueError, match=message):
        sl.plan(*arguments, **settings)


def test_a_run_needs_an_output(small_run):
    """Accuracy is that of an output."""
    with pytest.raises(ValueError, match="say which output"):
        sl.plan(small_run, 0.1)


@pytest.fixture(scope="module")
def sketched_output(small_run):
    """An output of the small run along 15 directions."""
    return sl.sketch(small_run, 2, 15, anchors=0, progress=False).output(
        lambda model: model.loss("max")
    )


@pytest.mark.parametrize("deleted", [[0], [3, 4, 5], range(15)])
@pytest.mark.parametrize("epsilon", [1.0, 0.1, 0.03, 0.01])
def test_a_part_is_within_epsilon_and_the_cheapest(sketched_output, deleted, epsilon):
    """Its band, which counts its distance from the whole, fits epsilon; and no cheaper part's does.

    Without a fitting part the plan is the whole sketch, and says so.
    """
    deleted = list(deleted)
    whole = sketched_output.predict(without=deleted, estimator="resummed")

    def fits(degree, directions):
        part = sketched_output.part(degree=degree, directions=directions)
        found = part.predict(without=deleted, estimator="resummed")
        alone = dataclasses.replace(part).predict(without=deleted, estimator="resummed")
        distance = np.hypot(whole.error, alone.value - whole.value)
        assert found.value == alone.value
        assert found.error == pytest.approx(max(alone.error, distance), rel=1e-12)
        return 1.644854 * found.error <= epsilon

    plan = planner.plan_part(sketched_output, epsilon, without=deleted, parameters=100)
    sizes = planner.parts(15)
    fitting = [
        (size * (degree + 1) * (degree + 2) // 2, degree, size)
        for degree in (1, 2)
        for size in sizes
        if all(fits(degree, larger) for larger in sizes if larger >= size)
    ]
    assert plan.within_reach == bool(fitting)
    expected = min(fitting, default=(90, 2, 15))
    assert (plan.trainings, plan.degree, plan.directions) == expected
    assert plan.bytes == 800 * (1 + 2 * plan.degree * plan.directions)
    assert bool(plan.reason) != plan.within_reach
    if plan.reason:
        assert (
            f"the whole sketch, without anchors, leaves ±{whole.high - whole.value:.2g}"
            in plan.reason
        )


def test_parts_end_with_the_whole():
    """Distinct sizes in rising order, for any number of directions."""
    for directions in (1, 2, 3, 10, 500):
        sizes = planner.parts(directions)
        assert sizes == sorted(set(sizes))
        assert sizes[-1] == directions and sizes[0] == min(2, directions)


def test_a_part_needs_an_output_and_a_positive_epsilon(sketched_output, small_run):
    """The message says what was given."""
    with pytest.raises(TypeError, match=r"an output of a sketch.* not MicroGPTRun"):
        planner.plan_part(small_run, 0.1, without=[1])
    with pytest.raises(ValueError, match="epsilon must be a finite number above 0, not 'a'"):
        planner.plan_part(sketched_output, "a", without=[1])
    with pytest.raises(ValueError, match="epsilon must be a finite number above 0, not 0"):
        planner.plan_part(sketched_output, 0, without=[1])


def test_a_profile_without_any_term_promises_nothing():
    """The product of three inputs has no jets of degree 1 and 2."""
    output = sl.local_sketch(lambda x: 1.0 + x[..., 0] * x[..., 1] * x[..., 2], 3, 2, 20)
    for plan in (
        sl.plan([1.0, 0.0, 0.0], 0.01, worst_case=True),
        sl.plan_part(output, 0.01, without=[0, 1, 2]),
    ):
        assert not plan.within_reach and "nothing is known of the rest" in plan.reason
