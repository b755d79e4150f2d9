"""Anchors: exact retrainings kept in the sketch, and predictions that use them."""

import dataclasses

import numpy as np
import pytest

import sketchlab as sl
from sketchlab.estimation.directions import Directions
from sketchlab.estimation.output import Output
from sketchlab.estimation.posterior import process

DOCS = sl.names.load()[:40]
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def loss(model):
    """The loss of a name that is not in the data."""
    return model.loss("max")


@pytest.fixture(scope="module")
def run():
    """A short training of microgpt."""
    return sl.train(DOCS, vocabulary=LETTERS, progress=False)


@pytest.fixture
def sketched(run):
    """A sketch whose directions determine the first order."""
    return sl.sketch(run, 2, 20, anchors=0, progress=False)


def rms(values):
    """Root mean square."""
    return np.sqrt(np.mean(np.square(values)))


def test_single_units_are_exact_and_larger_deletions_better(run, sketched):
    """At an anchor the prediction is the truth; elsewhere anchors lower the error."""
    bare = sketched.output(loss)
    sketched.anchor(run, "units", progress=False)
    output = sketched.output(loss)
    assert len(output.anchors) == 40 and "40 anchors" in repr(output) + repr(sketched)
    for i in (0, 7, 39):
        found = output.predict(without=[i])
        truth = run.retrain(without=[i], progress=False).loss("max")
        assert found.value == pytest.approx(truth, abs=1e-6)
        assert found.low - 1e-5 <= truth <= found.high + 1e-5
        assert found.high - found.low < 1e-4
    draw = np.random.default_rng(0)
    x = np.array([run.indicator(draw.choice(40, 8, replace=False)) for _ in range(20)])
    truth = run.retrain(down_weights=x, progress=False).loss("max")
    errors = [rms(found.predict(x).value - truth) for found in (bare, output)]
    assert errors[1] < 0.8 * errors[0]


def test_bands_are_calibrated_by_anchors_of_several_units(run, sketched):
    """Of new random deletions, most are inside the band, which is narrower than the effects."""
    sketched.anchor(run, "units", progress=False)
    sketched.anchor(run, sketched.suggested_anchors(60, largest=10), progress=False)
    output = sketched.output(loss)
    draw = np.random.default_rng(1)
    x = np.array([run.indicator(draw.choice(40, draw.integers(2, 10), False)) for _ in range(60)])
    truth = run.retrain(down_weights=x, progress=False).loss("max")
    found = output.predict(x)
    inside = np.mean((found.low <= truth) & (truth <= found.high))
    assert 0.75 <= inside <= 1.0
    assert np.mean(found.error) < 0.5 * rms(truth - loss(run.model))


def test_far_beyond_the_anchors_the_error_grows_as_a_third_order():
    """The kernel's exponential, fitted near by, would make it tens of times as large."""
    n, rng = 40, np.random.default_rng(0)

    def drawn(sizes):
        return np.array([np.isin(np.arange(n), rng.choice(n, k, False)) for k in sizes], float)

    def function(x):
        return sl.ring.exp(0.3 * sl.ring.sum(x, -1))

    anchors = drawn(rng.integers(1, 9, 40))
    output = dataclasses.replace(
        sl.local_sketch(function, n, 1, 25), anchors=anchors, anchor_values=function(anchors)
    )
    known, near, far = process(output), drawn([8] * 9), drawn([32] * 9)
    error, expected = known.at(far)[1], known.at(near)[1] * (32 / 8) ** 1.5
    np.testing.assert_allclose(error, expected, rtol=0.1)
    assert np.all(known._deviation(far) > 20 * error)
    np.testing.assert_array_equal(known.at(near)[1], known._deviation(near))


def test_bands_of_most_documents_hold_and_are_no_wider_than_effects(run, sketched):
    """Anchors of up to 8 of the 40 calibrate; 20 are deleted."""
    sketched.anchor(run, sketched.suggested_anchors(40, largest=8), progress=False)
    output, rng = sketched.output(loss), np.random.default_rng(2)
    x = np.array([run.indicator(rng.choice(40, 20, replace=False)) for _ in range(20)])
    truth = run.retrain(down_weights=x, progress=False).loss("max")
    found = output.predict(x)
    assert np.mean((found.low <= truth) & (truth <= found.high)) >= 0.75
    assert np.median(found.error) < 2 * rms(truth - output.now)


def test_influence_is_the_derivative_of_the_training_losses(run, sketched):
    """influence[u, v] is the first jet coefficient of document v's loss along document u."""
    sketched.anchor(run, [[0]], progress=False)
    jets = run.push(np.eye(40)[:5], 1, progress=False)
    exact = jets.losses(DOCS).coefficients[1]
    np.testing.assert_allclose(sketched.influence[:5], exact, atol=1e-10)
    labels = [doc[0] for doc in DOCS]
    grouped = sl.sketch(run, 1, 30, units=labels, anchors=0, progress=False)
    grouped.anchor(run, "units", progress=False)
    units = grouped.units.of_document
    whole = run.push((units == 0)[None].astype(float), 1, progress=False).losses(DOCS)
    exact = [whole.coefficients[1, 0, units == v].real.mean() for v in range(len(grouped.units))]
    np.testing.assert_allclose(grouped.influence[0], exact, atol=1e-10)


def test_anchors_are_stored_and_an_interrupted_call_goes_on(run, tmp_path, monkeypatch):
    """Deletions that are there already are not retrained; another folder opened has them."""
    path = tmp_path / "s"
    sketched = sl.sketch(run, 1, 20, store=path, anchors=0, progress=False)
    sketched.anchor(run, [[0], [1, 2]], progress=False)
    calls = []
    retrain = type(run).retrain

    def counted(self, **settings):
        calls.append(len(settings["down_weights"]))
        return retrain(self, **settings)

    monkeypatch.setattr(type(run), "retrain", counted)
    again = sl.open_sketch(path, run)
    again.anchor(run, [[0], [3], [2, 1]], progress=False)
    assert calls == [1]
    np.testing.assert_array_equal(again.anchors, [run.indicator(d) for d in ([0], [1, 2], [3])])
    np.testing.assert_array_equal(sl.open_sketch(path).output(loss).anchors, again.anchors)
    truth = retrain(run, without=[3], progress=False).loss("max")
    assert sl.open_sketch(path).output(loss).anchor_values[2] == pytest.approx(truth, abs=1e-12)


def test_a_half_written_anchor_is_written_again(run, tmp_path):
    """Parameters without their deletion, as a killed call leaves them, do not count."""
    sketched = sl.sketch(run, 1, 20, store=tmp_path / "s", anchors=0, progress=False)
    sketched.anchor(run, [[0]], progress=False)
    group = sketched.group
    group["anchor_parameters"].resize((3, group["anchor_parameters"].shape[1]))
    group["anchors"].resize((2, 40))
    assert len(sketched.anchors) == 1
    sketched.anchor(run, [[5]], progress=False)
    np.testing.assert_array_equal(sketched.anchors, [run.indicator([0]), run.indicator([5])])
    assert len(sketched.output(loss).anchor_values) == 2


def test_the_correction_interpolates_a_function_with_pairs():
    """Singles and pairs as anchors determine a function without triples, at every set."""
    n, draw = 7, np.random.default_rng(2)
    linear, pairs = draw.normal(size=n), np.triu(draw.normal(size=(n, n)), 1)

    def exact(x):
        return x @ linear + np.einsum("pi,ij,pj->p", x, pairs, x)

    each = np.eye(n)
    anchors = np.array([*each, *(each[i] + each[j] for i in range(n) for j in range(i))])
    output = Output(
        np.zeros((2, 1), complex),
        Directions(np.zeros((1, n), complex) + 1 / np.sqrt(n)),
        anchors=anchors,
        anchor_values=exact(anchors),
    )
    x = np.array([[1.0, 1, 1, 0, 0, 0, 0], [0, 1, 0, 1, 0, 1, 0]])
    found = output.predict(x, estimator="posterior")
    np.testing.assert_allclose(found.value, exact(x), atol=1e-5)
    assert np.all(np.abs(found.value - exact(x)) < found.error)
    at_anchors = output.predict(anchors)
    np.testing.assert_array_equal(at_anchors.value, exact(anchors))
    assert np.all(at_anchors.error == 0)


def test_what_jets_know_of_the_interaction_form_is_left_out(run):
    """With the second order determined by the jets, the interaction form adds nothing."""
    labels = [str(i % 4) for i in range(40)]
    sketched = sl.sketch(run, 2, 10, units=labels, anchors=0, progress=False)
    sketched.anchor(run, "units", progress=False)
    output = sketched.output(loss)
    x = np.array([[1.0, 1, 0, 0], [1, 1, 1, 0]])
    without = dataclasses.replace(output, influence=None)
    found = [o.predict(x, estimator="posterior").value for o in (output, without)]
    np.testing.assert_allclose(*found, atol=1e-9)
    first = [dataclasses.replace(o, coefficients=o.coefficients[:2]) for o in (output, without)]
    found = [o.predict(x, estimator="posterior").value for o in first]
    assert np.all(np.abs(np.subtract(*found)) > 1e-6)


def test_suggested_anchors_are_of_the_sizes_that_are_said(run, sketched):
    """Random, alike or of large effect once the influence is known; repeatable by seed."""
    before = sketched.suggested_anchors(30, seed=3)
    sketched.anchor(run, [[0]], progress=False)
    after = sketched.suggested_anchors(30, seed=3)
    for found in (before, after):
        assert set(np.unique(found)) == {0.0, 1.0}
        assert 1 <= found.sum(1).min() and found.sum(1).max() <= 10
    np.testing.assert_array_equal(after, sketched.suggested_anchors(30, seed=3))
    assert not np.array_equal(before, after)


def test_suggested_anchors_for_a_question_narrow_its_band(run, sketched):
    """More than as many without the question; the first narrows it the most."""
    sketched.anchor(run, "units", progress=False)
    x = np.array([run.indicator([i, i + 1, i + 2, 30]) for i in range(0, 24, 3)])
    output = sketched.output(loss)
    usual = sketched.suggested_anchors(6, seed=1)
    for gradients in (False, True):
        question = {"output": loss, "down_weights": x, "gradients": gradients}
        chosen = sketched.suggested_anchors(6, seed=1, **question)
        order, left = output.ranked(chosen, x, gradients=gradients)
        assert list(order) == list(range(6)) and left[-1] < left[0]
        assert left[-1] < output.ranked(usual, x, gradients=gradients)[1][-1]
    with pytest.raises(TypeError, match="no setting 'foo'"):
        sketched.suggested_anchors(6, foo=3)
    with pytest.raises(ValueError, match="largest must be an integer, 1 or higher"):
        sketched.suggested_anchors(6, largest=0)
    for half in ({"output": loss}, {"without": [3]}, {"gradients": True}):
        with pytest.raises(ValueError, match="a question is an output and a deletion"):
            sketched.suggested_anchors(6, **half)


WRONG = {
    "a word": ("singles", ValueError, 'must be "units", "pairs" or a list'),
    "out of range": ([[40]], IndexError, "out of range"),
    "wrong length": ([np.zeros(3)], ValueError, "40 finite real numbers"),
    "nothing": ([[]], ValueError, "must delete something"),
    "numbers": ([3, 4], TypeError, r"a list of units, such as \[3\]"),
    "an indicator": (np.zeros(40), TypeError, "40 down-weights"),
    "no list": (5, TypeError, "must be a list of deletions, not 5"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_anchors_are_refused(run, sketched, case):
    """Before anything is retrained."""
    deletions, error, message = WRONG[case]
    with pytest.raises(error, match=message):
        sketched.anchor(run, deletions, progress=False)
    assert len(sketched.anchors) == 0


def test_an_array_of_zeros_and_ones_is_down_weights(run):
    """Whatever its type; other whole numbers are units."""
    sketched = sl.sketch(run, 1, 4, units=[i % 2 for i in range(40)], anchors=0, progress=False)
    for kind in (int, bool, float):
        sketched.anchor(run, [np.array([0, 1], kind)], progress=False)
    np.testing.assert_array_equal(sketched.anchors, [[0.0, 1.0]])
    other = sl.sketch(run, 1, 4, anchors=0, progress=False)
    other.anchor(run, [np.array([3, 7])], progress=False)
    assert list(np.flatnonzero(other.anchors[0])) == [3, 7]


@pytest.mark.parametrize("groups", [5, 6, 8, 12])
def test_few_groups_are_calibrated_too(run, groups):
    """There are enough different deletions of them, if not of the usual sizes."""
    for seed in (0, 1):
        settings = {"units": [i % groups for i in range(40)], "seed": seed, "progress": False}
        sketched = sl.sketch(run, 1, 8, **settings)
        assert len(np.unique(sketched.anchors, axis=0)) == len(sketched.anchors) == 24
        x = np.random.default_rng(seed).uniform(0.2, 0.8, groups)
        assert sketched.output(loss).predict(x).calibrated >= 16


@pytest.mark.parametrize("factor", [1e-12, 1e-4, 1e5, 1e12])
def test_predictions_scale_with_the_output(run, sketched, factor):
    """Whatever it is counted in, values and bands are in proportion."""
    sketched.anchor(run, sketched.suggested_anchors(30, seed=1), progress=False)
    x = np.array([run.indicator([i, i + 5, i + 9]) for i in range(0, 30, 3)])
    plain = sketched.output(loss).predict(x)
    scaled = sketched.output(lambda model: factor * model.loss("max")).predict(x)
    for part in ("value", "low", "high"):
        found, expected = getattr(scaled, part) / factor, getattr(plain, part)
        np.testing.assert_allclose(found - plain.now, expected - plain.now, rtol=0.02, atol=1e-5)


def test_a_few_anchors_change_what_they_are_about_alone(run, sketched):
    """With fewer than 20 the process has too little to learn from; known values stay known."""
    before = sketched.output(loss)
    sketched.anchor(run, [[0], [5], [9, 3]], progress=False)
    after = sketched.output(loss)
    assert after.predict(without=[1, 2]) == before.predict(without=[1, 2])
    for estimator in ("automatic", "mean"):
        for known in ([0], [3, 9]):
            found = after.predict(without=known, estimator=estimator)
            truth = run.retrain(without=known, progress=False).loss("max")
            assert found.value == pytest.approx(truth, abs=1e-12)
            assert (found.error, found.low, found.high) == (0, found.value, found.value)
        both = after.predict(without=[[0], [1]], estimator=estimator)
        assert both.error[0] == 0 < both.error[1] and "at 1 of 2 points" in both.reason


def test_what_is_not_a_run_is_refused(run, sketched):
    """Swapped or wrong arguments are named."""
    with pytest.raises(TypeError, match=r"must be a training run.* not 'units'"):
        sketched.anchor("units", run)
    with pytest.raises(TypeError, match=r"must be a training run.* not MicroGPT"):
        sl.sketch(run.model, 1, 2, anchors=0)
    with pytest.raises(TypeError, match=r"must be a function of a model.*'max'"):
        sketched.output("max")
    with pytest.raises(TypeError, match=r"gradients must be a named output.*'loss'"):
        sketched.anchor(run, [[0]], gradients="loss")
    with pytest.raises(ValueError, match="output fails for 3 models at once, or for one alone"):
        sketched.output(lambda model: model.loss("max") + model.parameters["wte"][0, 0, 0])
    with pytest.raises(ValueError, match="output of 3 models at once is not that of each alone"):
        sketched.output(lambda model: model.loss("max") + model.parameters["wte"].reshape(-1)[0])
    with pytest.raises(ValueError, match="count must be an integer"):
        sketched.suggested_anchors(-1)
    with pytest.raises(ValueError, match="has 20 directions, not 21"):
        sketched.output(loss).part(directions=21)
    with pytest.raises(ValueError, match="has degree 2, not 3"):
        sketched.output(loss).part(degree=3)


def test_anchors_of_another_run_are_refused(sketched):
    """The fingerprint decides."""
    other = sl.train([*DOCS[:39], "zed"], vocabulary=LETTERS, progress=False)
    with pytest.raises(ValueError, match="belongs to another training run"):
        sketched.anchor(other, "units", progress=False)
    with pytest.raises(ValueError, match="has no anchors and no gradients: make some"):
        sketched.output(loss).predict(without=[0], estimator="posterior")
