"""Gradients as evidence, calibrated bands, and which retraining next: against other ways there."""

import dataclasses
import warnings

import numpy as np
import pytest

import sketchlab as sl
from sketchlab.estimation.curvature import DIAGONAL, Curvature
from sketchlab.estimation.directions import Directions
from sketchlab.estimation.output import Output
from sketchlab.estimation.units import Units

N = 5


def smallest(points, rows, sizes):
    """The smallest quadratic form with these gradients, by least squares on all its entries.

    Unknown are b and a symmetric B, of norm |b|^2 / d + |B / 2|^2 in coordinates times the roots of
    the sizes, with (B + 2 diag b) x = y at every point.
    """
    n, root = len(sizes), np.sqrt(sizes)
    pairs = [(i, j) for i in range(n) for j in range(i + 1)]
    basis = []
    for i, j in pairs:  # orthonormal for |B / 2|^2
        matrix = np.zeros((n, n))
        matrix[i, j] = matrix[j, i] = 2.0 if i == j else np.sqrt(2.0)
        basis.append(matrix)
    for i in range(n):
        matrix = np.zeros((n, n))
        matrix[i, i] = 2.0 * np.sqrt(DIAGONAL)
        basis.append(matrix)
    scaled = points * root
    equations = np.array([(scaled @ matrix).ravel() for matrix in basis]).T
    weights = np.linalg.lstsq(equations, (rows / root).ravel(), rcond=None)[0]
    return np.einsum("k,kij->ij", weights, np.array(basis)) * np.outer(root, root)


@pytest.mark.parametrize("count", [1, 2, 4, 7])
@pytest.mark.parametrize("sizes", [np.ones(N), np.array([1.0, 2, 0.5, 1, 3])])
def test_the_form_of_gradients_is_the_smallest_that_fits(count, sizes):
    """With gradients of a quadratic form; more points than units determine it."""
    draw = np.random.default_rng(count)
    points, form = draw.normal(size=(count, N)), draw.normal(size=(N, N))
    form = form + form.T
    found = Curvature(points, sizes).form(points @ form)
    np.testing.assert_allclose(found, smallest(points, points @ form, sizes), atol=1e-8)
    np.testing.assert_allclose(points @ found, points @ form, atol=1e-8)
    if count >= N:
        np.testing.assert_allclose(found, form, atol=1e-8)


def quadratic(points, form, linear, **fields):
    """An output that knows the gradients of a quadratic function at some points and at 0."""
    rows = np.concatenate([np.zeros((1, N)), points])
    value = 1.0 + points @ linear + 0.5 * np.einsum("pi,ij,pj->p", points, form, points)
    return Output(
        np.full((1, 1), 1.0 + 0j),
        Directions(np.full((1, N), 1 / np.sqrt(N), complex), Units(None, N)),
        anchors=points,
        anchor_values=value,
        gradient_points=rows,
        gradients=linear + rows @ form,
        **fields,
    )


def test_gradients_alone_predict():
    """Gradients that determine a quadratic function give it, without jets, anywhere."""
    draw = np.random.default_rng(0)
    form, linear = draw.normal(size=(N, N)), draw.normal(size=N)
    form = form + form.T
    output = quadratic(np.eye(N)[:4] + np.eye(N)[1:], form, linear)
    more = quadratic(np.concatenate([np.eye(N), np.ones((1, N))]), form, linear)
    x = draw.uniform(size=(6, N))
    exact = 1.0 + x @ linear + 0.5 * np.einsum("pi,ij,pj->p", x, form, x)
    np.testing.assert_allclose(more.predict(x).value, exact, atol=1e-6)
    few = output.predict(x)
    assert np.all(few.error > 0) and few.calibrated == 0 and "not calibrated" in repr(few[0])
    assert "gradients" in few.reason


def test_the_next_retraining_is_the_one_that_tells_most():
    """The question itself tells all, then nothing is left; a gradient along it, all as well.

    Those that say nothing more, but for rounding, stay in their order.
    """
    draw = np.random.default_rng(1)
    output = quadratic(np.eye(N)[:1], np.eye(N), draw.normal(size=N))
    candidates = np.array([np.eye(N)[1], [0, 0, 1.0, 1, 1], [0, 1.0, 1, 0, 0]])
    order, errors = output.ranked(candidates, without=[2, 3, 4])
    assert order.tolist() == [1, 0, 2] and errors[0] > 0
    np.testing.assert_allclose(errors[1:], 0.0, atol=1e-4 * errors[0])
    order, left = output.ranked(candidates, without=[2, 3, 4], gradients=True)
    assert order.tolist() == [1, 0, 2]
    assert left[0] == pytest.approx(1.0) and left[1] == pytest.approx(0, abs=1e-9)


@pytest.fixture(scope="module")
def run():
    """A short training of microgpt."""
    return sl.train(sl.names.load()[:80], progress=False)


def test_bands_are_calibrated_by_default(run):
    """Of a new user's sketch nine bands in ten hold, for random deletions and for first letters."""
    sketched = sl.sketch(run, 2, 40, progress=False)
    assert 20 <= len(sketched.anchors) <= 24
    draw = np.random.default_rng(3)
    x = np.array([run.indicator(draw.choice(80, draw.integers(1, 20), False)) for _ in range(40)])
    letters = sorted({name[0] for name in run.data})
    groups = [[i for i, name in enumerate(run.data) if name[0] == a] for a in letters]
    x = np.concatenate([x, [run.indicator(group) for group in groups]])
    functions = [sl.LossOn("anna"), sl.LossOn("max"), sl.NextLetter("a", "n")]
    functions.append(sl.MeanLoss(("mia", "lena", "jonas")))
    retrained, inside = run.retrain(down_weights=x, progress=False), []
    for function in functions:
        found, truth = sketched.output(function).predict(x), function(retrained)
        assert found.calibrated >= 20
        inside.append((found.low <= truth) & (truth <= found.high))
        assert np.mean(found.high - found.low) < 6 * np.std(truth)
    assert 0.8 <= np.mean(inside) <= 0.99
    assert 0.7 <= np.mean(inside, axis=1).min()


def test_the_weights_of_a_band_stay_finite():
    """Where their likelihood has no maximum: one part alone would say all of the errors."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(60, 4))
    labels = 1.0 * (features @ rng.normal(size=4) + rng.logistic(size=60) > 0)

    def losses(parameters, rows):
        scores = sl.ring.matmul(features[rows], parameters["w"][..., None])[..., 0]
        scores = scores + parameters["c"][..., None]
        return sl.ring.softplus(scores) - labels[rows] * scores

    model = sl.Model({"w": np.zeros(4), "c": np.array(0.0)}, losses)
    settings = {"optimizer": sl.SGD(0.5), "batch_size": 20, "steps": 120, "progress": False}
    run = sl.TrainingRun(model, np.arange(60), **settings)
    output = sl.sketch(run, 2, 150, progress=False).output(sl.MeanLoss(range(60)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = output.predict(without=[3], estimator="resummed")
    assert 0 < found.error < 0.1 and found.calibrated


def test_a_sketch_without_anchors_says_that_its_bands_are_not_calibrated(run):
    """anchors=0 makes none; a later call for the same sketch makes them."""
    bare = sl.sketch(run, 2, 40, anchors=0, progress=False).output(sl.LossOn("max"))
    found = bare.predict(without=[1, 2, 3])
    assert found.calibrated == 0 and "not calibrated" in repr(found)
    assert "not calibrated" in found._repr_html_()


def test_references_are_completed_after_an_interruption_and_for_more_directions(
    run, tmp_path, monkeypatch
):
    """A call that was cut off before its last part, and a sketch that grew, calibrate alike."""
    whole = sl.sketch(run, 2, 20, store=tmp_path / "whole", progress=False)
    with monkeypatch.context() as patched:
        patched.setattr("sketchlab.sketching.anchors.follow", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            sl.sketch(run, 2, 20, store=tmp_path / "cut", progress=False)
    again = sl.sketch(run, 2, 20, store=tmp_path / "cut", progress=False)
    outputs = [sketched.output(sl.LossOn("max")) for sketched in (whole, again)]
    assert len(outputs[1].references) == 8
    assert outputs[0].predict(without=[1, 2]) == outputs[1].predict(without=[1, 2])
    grown = sl.sketch(run, 2, 40, store=tmp_path / "cut", progress=False)
    assert len(grown.output(sl.LossOn("max")).references) == 8
    assert len(grown.anchors) == len(again.anchors)


@pytest.mark.parametrize("wrong", [-1, 2.5, "many"])
def test_wrong_numbers_of_anchors_are_refused(run, wrong):
    """In words."""
    with pytest.raises((ValueError, TypeError), match="anchors"):
        sl.sketch(run, 1, 4, anchors=wrong, progress=False)


def test_an_output_that_knows_other_things_than_its_references_is_calibrated_alone(run):
    """Copies without influence, with fewer anchors or lower degree do not fail, nor mix scales."""
    sketched = sl.sketch(run, 2, 40, progress=False)
    output = sketched.output(sl.LossOn("max"))
    x = np.random.default_rng(4).integers(0, 2, (5, 80)).astype(float)
    for changes in (
        {"influence": None},
        {"coefficients": output.coefficients[:1]},
        {"coefficients": output.coefficients[:2]},
        {"anchors": output.anchors[:20], "anchor_values": output.anchor_values[:20]},
    ):
        changed = dataclasses.replace(output, **changes)
        alone = dataclasses.replace(changed, references=())
        for estimator in ("posterior", "minimum_norm", "resummed"):
            assert changed.predict(x, estimator=estimator) == alone.predict(x, estimator=estimator)


def test_bands_hold_for_what_few_directions_do_not_see(run):
    """The names of largest true effect either way, of which half of the first order is seen."""
    sketched = sl.sketch(run, 1, 20, progress=False)
    outputs = [sl.LossOn(name) for name in ("max", "mia", "olivia", "noah", "zoe", "emma", "jax")]
    held = []
    for output, exact in zip(
        outputs, sl.attribution.first_order(run, outputs, progress=False), strict=True
    ):
        order = np.argsort(exact.gradient)
        x = np.array([run.indicator(part) for part in (order[:6], order[-6:], order[-12:])])
        truth = run.retrain(down_weights=x, progress=False)
        found = sketched.output(output).predict(x)
        held.extend((found.low <= output(truth)) & (output(truth) <= found.high))
    assert np.mean(held) > 0.7, held
