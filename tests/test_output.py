"""One face for every prediction: one deletion or many, parts, known values, bounds, costs."""

import copy
import dataclasses
import pickle

import numpy as np
import pytest
from scipy import special

import sketchlab as sl
from sketchlab import estimation, ring
from sketchlab.estimation import choice, prediction

N = 6
NAMES = sorted(choice.ESTIMATORS)
X = np.array([[1.0, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0], [0, 0, 0.5, 1, 0, 1]])


def function(x):
    """Positive, with interactions of all degrees."""
    return ring.exp(ring.matmul(x, np.linspace(-0.3, 0.4, N))) + ring.power(x[..., 0], 2) * 0.1


def exact(x):
    """The same on numbers, for rows of down-weights."""
    return np.array([float(function(row)) for row in np.atleast_2d(x)])


def output(*, degree=2, directions=8, anchors=0, **settings):
    """A sketch of the function, with some random deletions known exactly."""
    found = sl.local_sketch(function, N, degree, directions, **settings)
    if not anchors:
        return found
    deleted = np.random.default_rng(1).integers(0, 2, (anchors, N)).astype(float)
    deleted = np.unique(deleted[deleted.any(axis=1)], axis=0)
    return dataclasses.replace(found, anchors=deleted, anchor_values=exact(deleted))


def numbers(p):
    """All numbers of a prediction as rows of one array."""
    terms = [part for term in p.terms for part in (term.value, term.error)]
    return np.array([p.value, p.error, p.low, p.high, *terms])


# ---- one or many -----------------------------------------------------------------------------


@pytest.mark.parametrize("estimator", NAMES)
def test_many_deletions_are_one_prediction_of_their_numbers(estimator):
    """Row i of many is the prediction for deletion i alone, by weights as by names."""
    found = output(anchors=30).predict(X, estimator=estimator)
    assert found.shape == (3,) and len(found) == 3 and len(list(found)) == 3
    for i, row in enumerate(X):
        alone = output(anchors=30).predict(row, estimator=estimator)
        assert alone.shape == () and isinstance(alone.value, float)
        np.testing.assert_allclose(numbers(found[i]), numbers(alone), rtol=1e-9, atol=1e-11)
        assert found[i].now == alone.now == found.now
    some = found[1:]
    np.testing.assert_array_equal(some.value, found.value[1:])
    whole = output(anchors=30)
    rest = found.value - sum(term.value for term in found.terms)
    np.testing.assert_allclose(found.rest, rest, atol=1e-8)
    assert found[0].rest == pytest.approx(rest[0], abs=1e-8) and found[1].rest == 0.0
    if estimator in ("automatic", "posterior"):
        assert abs(found[0].rest) > 1e-4
    if estimator in ("mean", "minimum_norm"):
        assert np.all(found.rest == 0)
    named = whole.predict(without=[[0, 1], [], {3, 5}], estimator=estimator)
    rows = whole.predict([X[0], X[1], [0, 0, 0, 1, 0, 1]], estimator=estimator)
    assert named == rows and named != found


def test_one_prediction_is_no_list():
    """The message says what it is."""
    alone = output().predict(X[0])
    for wrong in (len, list, lambda p: p[0]):
        with pytest.raises(TypeError, match="the prediction for one deletion"):
            wrong(alone)


def test_predictions_of_many_show_values_errors_and_the_first_points():
    """The plain form and the table name how many there are; the unit is escaped."""
    rows = np.tile(X, (5, 1))
    found = dataclasses.replace(output().predict(rows), unit="<i>")
    assert repr(found).startswith("Prediction of 15 points <i> (now 1.0000: ")
    assert repr(found).count("±") + repr(found).count("exactly") == prediction.MOST_SHOWN
    table = found._repr_html_()
    assert "&lt;i&gt;" in table and "<i>" not in table
    assert table.count("<tr><td>") == prediction.MOST_SHOWN and "and 5 more" in table
    assert "known exactly" in table


@pytest.mark.parametrize("error, shown", [(0.0, "exactly"), (1e-6, "± 1e-06"), (np.inf, "unknown")])
def test_errors_in_words(error, shown):
    """No error above 0 is shown as 0.0000, and infinity as unknown."""
    found = output().predict(X[0])
    found = dataclasses.replace(found, error=error)
    assert shown in repr(found) and shown in found._repr_html_()


def test_predictions_are_equal_if_all_their_numbers_are():
    """Also those of many points; another kind of thing is not equal."""
    found, again = output().predict(X), output().predict(X)
    assert found == again and found != output(directions=7).predict(X)
    assert found != 3 and pickle.loads(pickle.dumps(found)) == found


# ---- parts -----------------------------------------------------------------------------------


@pytest.mark.parametrize("estimator", NAMES)
@pytest.mark.parametrize("degree, directions", [(1, 8), (2, 3), (1, 3), (0, 8)])
def test_a_part_counts_its_distance_from_the_whole(estimator, degree, directions):
    """Its value is what the smaller sketch gives; its error is at least the whole's and the gap."""
    whole = output(anchors=30)
    part = whole.part(degree=degree, directions=directions)
    assert (part.degree, len(part.directions), part.whole) == (degree, directions, whole)
    assert part.cost == directions * (degree + 1) * (degree + 2) // 2 + len(whole.anchors)
    held_against = "automatic" if estimator in ("mean", "median_of_means") else estimator
    found = part.predict(X, estimator=estimator)
    of_whole = whole.predict(X, estimator=held_against)
    gap = np.hypot(of_whole.error, found.value - of_whole.value)
    assert np.all(found.error >= gap * (1 - 1e-9))
    alone = dataclasses.replace(part).predict(X, estimator=estimator)
    np.testing.assert_allclose(found.value, alone.value, rtol=1e-12)


def test_parts_of_parts_are_parts_of_the_whole():
    """Nothing is lost by asking twice, and the whole comes back."""
    whole = output()
    part = whole.part(degree=1, directions=3)
    assert part.part(directions=5) is whole.part(degree=1, directions=5)
    assert part.part(degree=2, directions=8) is whole is whole.part()
    for wrong, message in (
        ({"degree": 3}, "has degree 2, not 3"),
        ({"degree": 0.5}, "degree must be an integer"),
        ({"directions": 9}, "has 8 directions, not 9"),
        ({"directions": 0}, "directions must be an integer, 1 or higher, not 0"),
    ):
        with pytest.raises(ValueError, match=message):
            part.part(**wrong)


# ---- nothing grows stale ---------------------------------------------------------------------


@pytest.mark.parametrize("estimator", NAMES)
def test_a_changed_copy_predicts_by_its_own_numbers(estimator):
    """Doubling the jets doubles the terms, though the original has predicted before."""
    whole = output(anchors=0 if estimator != "posterior" else 30)
    before = whole.predict(X[0], estimator=estimator)
    changes = {"coefficients": 2 * whole.coefficients, "anchor_values": 2 * whole.anchor_values}
    doubled = dataclasses.replace(whole, **changes).predict(X[0], estimator=estimator)
    assert doubled.now == 2 * before.now
    np.testing.assert_allclose(doubled.value, 2 * before.value, rtol=1e-4)
    np.testing.assert_allclose(
        [t.value for t in doubled.terms], [2 * t.value for t in before.terms], rtol=1e-9
    )
    others = sl.local_sketch(function, N, 2, 8, seed=5)
    moved = dataclasses.replace(
        whole, directions=others.directions, coefficients=others.coefficients
    )
    fresh = dataclasses.replace(others, anchors=whole.anchors, anchor_values=whole.anchor_values)
    assert moved.predict(X[0], estimator=estimator) == fresh.predict(X[0], estimator=estimator)


def test_the_numbers_of_an_output_cannot_be_changed_in_place():
    """What was computed from them would be wrong; the caller's arrays stay the caller's."""
    given = np.ones((1, N))
    whole = dataclasses.replace(output(), anchors=given, anchor_values=[2.0])
    given[0] = 5
    assert whole.predict(np.ones(N)).value == 2.0
    for array in (whole.coefficients, whole.anchors, whole.anchor_values, whole.at):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


# ---- known values ----------------------------------------------------------------------------


@pytest.mark.parametrize("estimator", NAMES)
@pytest.mark.parametrize("at", [0.0, 0.3])
def test_known_values_are_never_predicted(estimator, at):
    """At anchors, at the base point and with nothing deleted the number is exact, also of parts."""
    found = output(at=at)
    deleted = np.eye(N)[:2]
    found = dataclasses.replace(found, anchors=deleted, anchor_values=exact(deleted))
    for o in (found, found.part(degree=1, directions=2)):
        rows = [*deleted, np.zeros(N), -np.zeros(N), np.full(N, at), X[2]]
        p = o.predict(rows, estimator=estimator)
        np.testing.assert_allclose(p.value[:5], exact(rows[:5]), rtol=1e-14)
        assert np.all(p.error[:5] == 0) and p.error[5] > 0
        np.testing.assert_array_equal(p.low[:5], p.value[:5])


def test_now_and_change_speak_of_nothing_deleted():
    """Around another base point too, where the first term is another number."""
    based = output(at=0.4, degree=3, directions=40)
    p = based.predict(X[0])
    assert p.now == pytest.approx(exact(np.zeros(N))[0], rel=1e-14)
    assert p.terms[0].value == pytest.approx(exact(np.full(N, 0.4))[0], rel=1e-14)
    assert p.change == pytest.approx(p.value - p.now, rel=1e-14)
    assert p.change == pytest.approx(exact(X[0])[0] - p.now, rel=0.1)
    assert based.predict(np.zeros(N)).change == 0
    unknown = dataclasses.replace(based, undeleted=None).predict(X[0])
    assert np.isnan(unknown.now) and np.isnan(unknown.change)


# ---- bounds, costs, estimators ---------------------------------------------------------------


def test_values_and_bands_stay_within_the_bounds():
    """Whatever the polynomial says."""
    bounded = dataclasses.replace(output(degree=1), bounds=(0.0, 1.05))
    p = bounded.predict(50 * X)
    assert np.all((p.low >= 0) & (p.low <= p.value) & (p.value <= p.high) & (p.high <= 1.05))
    assert p.low[0] == 0 and p.high[0] == 1.05 and p.error[0] == np.inf


def test_a_band_that_lies_beyond_the_bounds_is_not_one_of_no_width():
    """What cannot be is off by its distance at least."""
    estimate = prediction.Estimate(
        np.zeros((1, 3)), np.zeros((1, 3)), np.array([-2.0, -0.1, 0.5]), np.ones(3)
    )
    estimate.error[0] = 0.5
    p = prediction.prediction(estimate, now=1.0, bounds=(0.0, np.inf))
    reach = special.ndtri(0.95)
    np.testing.assert_allclose(p.value, [0.0, 0.0, 0.5])
    np.testing.assert_allclose(p.error, [2.0 / reach, 1.0, 1.0])
    np.testing.assert_allclose(p.low, 0.0)
    np.testing.assert_allclose(p.high, [2.0, reach - 0.1, reach + 0.5])


@pytest.mark.parametrize("bounds", [(1.5, np.inf), (-np.inf, 0.5)])
def test_bounds_that_what_is_known_does_not_keep_are_refused(bounds):
    """The output with nothing deleted, at an anchor, or at a known point of any method."""
    words = r"beyond its bounds.* bounds=\(-math.inf, math.inf\)"
    with pytest.raises(ValueError, match=words):
        dataclasses.replace(output(), bounds=bounds)
    anchored = output(anchors=30)
    values = anchored.anchor_values.copy()
    values[3] = -1.0
    with pytest.raises(ValueError, match=words):
        dataclasses.replace(anchored, anchor_values=values, bounds=(0.0, np.inf))
    known = prediction.Estimate(*np.zeros((2, 1, 1)), np.array([1.0]), np.zeros(1))
    with pytest.raises(ValueError, match=words):
        prediction.prediction(known, now=1.0, bounds=bounds)


def test_costs_count_jets_and_anchors():
    """A direction of degree K costs (K+1)(K+2)/2 trainings, an anchor one."""
    for degree, products in ((1, 3), (2, 6), (3, 10), (4, 15)):
        assert output(degree=degree).cost == 8 * products
    known = output(anchors=30)
    assert known.cost == 8 * 6 + len(known.anchors) > 8 * 6


def test_the_estimators_are_public():
    """All but the automatic choice among them, which has no settings."""
    public = {getattr(estimation, name) for name in estimation.__all__ if name != "ESTIMATORS"}
    assert public == set(estimation.ESTIMATORS.values()) - {choice.Automatic}


WRONG_ESTIMATORS = ["average", "", None, 3, object(), np.mean, choice.MinimumNorm, ["mean"]]


@pytest.mark.parametrize("wrong", [*WRONG_ESTIMATORS, "an output"])
def test_what_is_no_estimator_is_refused(wrong):
    """Also what happens to have a method of that name, such as another output."""
    found = output()
    wrong = found if wrong == "an output" else wrong
    with pytest.raises(ValueError, match="estimator must be one of automatic, posterior"):
        found.predict(X[0], estimator=wrong)
    with pytest.raises(ValueError, match="estimator must be one of automatic, posterior"):
        found.curve([0, 1], down_weights=X[0], estimator=wrong)


def test_a_curve_is_of_one_deletion():
    """Several are refused in words."""
    with pytest.raises(ValueError, match="a curve is that of one deletion"):
        output().curve([0, 1], down_weights=X)
    with pytest.raises(ValueError, match="planned for one deletion"):
        sl.plan_part(output(), 0.1, down_weights=X)


# ---- copies ----------------------------------------------------------------------------------


def test_a_changed_copy_of_a_part_is_an_output_of_its_own():
    """It does not go back to the whole that it was cut from."""
    whole = sl.local_sketch(lambda x: ring.exp(ring.sum(x, -1) * 0.1), 5, 2, 20)
    part, x = whole.part(degree=1, directions=10), np.ones(5)
    changed = dataclasses.replace(part, coefficients=3 * part.coefficients)
    assert changed.whole is None and changed.degree == 1
    for found in (changed, changed.part(directions=5)):
        assert found.predict(x).value == pytest.approx(4.5, rel=1e-6)
    known = dataclasses.replace(part, anchors=np.eye(5), anchor_values=np.full(5, 9.0))
    for found in (known, known.part(directions=4)):
        np.testing.assert_array_equal(found.predict(np.eye(5)).value, np.full(5, 9.0))


@pytest.mark.parametrize("again", [lambda o: pickle.loads(pickle.dumps(o)), copy.deepcopy])
def test_copies_cannot_be_changed_in_place_either(again):
    """And predict the same, parts included."""
    whole = dataclasses.replace(output(anchors=30), influence=np.eye(N))
    for found in (whole, whole.part(degree=1, directions=3)):
        before = found.predict(X)
        other = again(found)
        assert other.predict(X) == before
        for array in (other.coefficients, other.influence, other.directions.vectors):
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 0


def test_what_does_not_fit_together_is_refused():
    """Jets and directions, anchors and their values, weights of a curve."""
    whole = output()
    for changes, message in (
        ({"coefficients": whole.coefficients[:, :5]}, "one column per direction, not"),
        ({"anchors": np.eye(N)}, "there are 6 anchors and values of shape"),
    ):
        with pytest.raises(ValueError, match=message):
            dataclasses.replace(whole, **changes)
    for wrong, error in (
        (0.5, ValueError),
        ([], ValueError),
        ([[0, 1]], ValueError),
        ("a", TypeError),
        ([np.nan], ValueError),
        ([1j], TypeError),
    ):
        with pytest.raises(error, match=r"weights|no deletions"):
            whole.curve(wrong, down_weights=X[0])


def test_one_of_many_equals_the_same_alone():
    """How it was found, which is told of the whole batch, does not count; NaN equals itself."""
    found = output().predict(X[0])
    assert dataclasses.replace(found, reason="otherwise") == found
    assert dataclasses.replace(found, value=2.0) != found
    unknown = dataclasses.replace(output(at=0.4), undeleted=None).predict(X[0])
    assert np.isnan(unknown.now) and unknown == unknown


@pytest.mark.filterwarnings("error")
def test_one_direction_warns_of_nothing():
    """Nothing is known of the error, but at known values."""
    one = sl.local_sketch(lambda x: ring.power(ring.sum(x, -1), 2), 3, 2, 1)
    for estimator in ("mean", "median_of_means"):
        found = one.predict([[0, 0, 0], [1, 1, 1]], estimator=estimator)
        assert list(found.error) == [0, np.inf]
