"""Interaction-aware influence: against dense matrices, and outputs at the moved parameters."""

import numpy as np
import pytest

import sketchlab as sl
from sketchlab.attribution import AlongMove, interactions, total_cost, trak
from sketchlab.training.models import Flat

from test_training import A, B, make_run, ridge_losses

DECAY = 0.3
QUIET = {"progress": False}


def output(model):
    """Quadratic in the parameters of a regression."""
    return 2.0 * model.loss(3) + model.loss(0)


def quartic(model):
    return model.loss(3) ** 2


@pytest.fixture(scope="module")
def ridge():
    """A regression near its minimum: more documents than parameters."""
    return sl.TrainingRun(
        sl.Model({"w": np.zeros(3)}, ridge_losses),
        np.arange(12),
        optimizer=sl.SGD(0.4, weight_decay=DECAY),
        steps=30,
        batch_size=12,
        **QUIET,
    )


@pytest.fixture(scope="module")
def small():
    """microgpt with 68 parameters and four documents."""
    return sl.train(["ab", "ba", "aab", "abab"], steps=12, width=2, heads=1, context=4, **QUIET)


def move_by_hand(run, x, damping, decay=DECAY):
    """Of the parameters of a regression, by the dense matrix."""
    w = run.model.parameters["w"]
    g = A * (A @ w - B)[:, None]
    return np.linalg.solve(g.T @ g / 12 + (decay + damping) * np.eye(3), g.T @ x / 12)


def value_by_hand(w):
    return (A[3] @ w - B[3]) ** 2 + (A[0] @ w - B[0]) ** 2 / 2


X = np.array([[1.0] * 3 + [0.0] * 9, [0.25] * 12, [-1.0, 0.5] + [0.0] * 9 + [1.0]])


def test_a_quadratic_output_is_taken_along_the_move_exactly(ridge):
    """At degree 2 it is the output at the moved parameters, written out; at degree 1 its tangent"""
    w = ridge.model.parameters["w"]
    slope = 2 * A[3] * (A[3] @ w - B[3]) + A[0] * (A[0] @ w - B[0])
    for damping in (0.05, 2.0):
        moves = np.array([move_by_hand(ridge, x, damping) for x in X])
        settings = {"damping": damping, **QUIET}
        second = interactions(ridge, output, **settings)
        np.testing.assert_allclose(
            second.predict(X).value, [value_by_hand(w + move) for move in moves], rtol=1e-9
        )
        first = interactions(ridge, output, degree=1, **settings)
        np.testing.assert_allclose(first.predict(X).change, moves @ slope, rtol=1e-9)
        np.testing.assert_allclose(first.gradient @ X.T, moves @ slope, rtol=1e-9)
        third = interactions(ridge, output, degree=3, **settings).predict(X)
        np.testing.assert_allclose(third.value, second.predict(X).value, rtol=1e-12)
        assert third.degree == 3 and np.allclose(third.terms[3].value, 0)


def test_every_degree_of_a_quartic_output(ridge):
    """Its Taylor coefficients along the move, by a polynomial fitted to five points of it."""
    w, move = ridge.model.parameters["w"], move_by_hand(ridge, X[0], 0.1)
    z = np.linspace(-1, 1, 5)
    values = [((A[3] @ (w + s * move) - B[3]) ** 2 / 2) ** 2 for s in z]
    expected = np.polynomial.polynomial.polyfit(z, values, 4)
    found = interactions(ridge, quartic, degree=4, damping=0.1, **QUIET).predict(X[0])
    np.testing.assert_allclose([t.value for t in found.terms], expected, rtol=1e-7, atol=1e-12)
    assert found.value == pytest.approx(values[-1], rel=1e-9)


def dense(run, damping):
    """Of microgpt: the gradients by central differences, and the matrix."""
    axis, steps = Flat.of(run.initial.parameters), 1e-5 * np.eye(68)
    w = axis.flat(run.model.parameters)
    ends = [run.losses(run.initial.with_parameters(axis.named(w + s * steps))) for s in (1, -1)]
    g = np.subtract(*ends).T / 2e-5
    return g, g.T @ g / 4 + damping * np.eye(68)


def test_first_order_is_the_dense_fisher_influence(small):
    """Of microgpt, with more parameters than documents; TRAK without a link is the same."""
    g, matrix = dense(small, 0.05)
    asked = [sl.LossOn("aab"), sl.LossOn("bb")]
    found = interactions(small, asked, degree=1, damping=0.05, **QUIET)
    expected = g @ np.linalg.solve(matrix, g[2]) / 4
    np.testing.assert_allclose(found[0].gradient, expected, rtol=1e-5)
    x = np.array([[1.0, 0.0, 1.0, 0.0]])
    assert found[0].predict(x).change == pytest.approx(x @ expected, rel=1e-5)
    assert found[1].predict(x).change == pytest.approx(x @ found[1].gradient, rel=1e-9)
    ranked = trak(small, asked, dimension=None, damping=4 * 0.05, link="none", **QUIET)
    for one, other in zip(found, ranked, strict=True):
        np.testing.assert_allclose(one.gradient, other.gradient, rtol=1e-8)


def test_second_order_is_that_of_the_output_along_the_move(small):
    """By central differences of the loss, along moves from the dense matrix."""
    g, matrix = dense(small, 0.05)
    axis = Flat.of(small.initial.parameters)
    w, x = axis.flat(small.model.parameters), np.array([0.0, 0.1, 0.1, 0.0])
    move = np.linalg.solve(matrix, g.T @ x / 4)
    h = 1e-3 / np.linalg.norm(move)
    model = small.initial.with_parameters(axis.named(w + h * np.array([[-1], [0], [1]]) * move))
    low, now, high = model.loss("bab")
    found = interactions(small, sl.LossOn("bab"), damping=0.05, **QUIET).predict(x)
    assert found.terms[1].value == pytest.approx((high - low) / (2 * h), rel=1e-4)
    assert found.terms[2].value == pytest.approx((high - 2 * now + low) / (2 * h**2), rel=1e-3)
    assert found.value == pytest.approx(sum(t.value for t in found.terms), rel=1e-12)
    assert found.unit == "nats" and found.error == np.inf and found.now == now


def test_the_default_damping_is_the_mean_eigenvalue(small, ridge):
    """Of those that can differ from 0: as many as documents, or as parameters."""
    g, _ = dense(small, 0.0)
    mean = np.linalg.eigvalsh(g @ g.T / 4).mean()
    one, other = (
        interactions(small, sl.LossOn("ab"), damping=d, **QUIET).gradient for d in (None, mean)
    )
    np.testing.assert_allclose(one, other, rtol=1e-6)
    rows = A * (A @ ridge.model.parameters["w"] - B)[:, None]
    mean = np.linalg.eigvalsh(rows.T @ rows / 12).mean()
    one, other = (interactions(ridge, output, damping=d, **QUIET).gradient for d in (None, mean))
    np.testing.assert_allclose(one, other, rtol=1e-10)


def test_documents_that_no_step_used_have_no_effect():
    run = make_run("ridge", "sgd", steps=7, batch_size=1)
    found = interactions(run, output, damping=0.1, **QUIET)
    assert np.all(found.gradient[7:] == 0) and np.all(found.gradient[:7] != 0)
    unused = np.zeros(12)
    unused[7:] = 1.0
    assert found.predict(unused).change == 0


def test_nothing_deleted_is_known_and_many_deletions_are_as_each_alone(ridge):
    """More than are pushed at once; units delete their documents."""
    found = interactions(ridge, [output, quartic], units=list("aabbccddeeff"), **QUIET)
    nothing = found[0].predict(np.zeros(6))
    assert nothing.value == nothing.now == float(output(ridge.model)) and nothing.error == 0
    x = np.random.default_rng(0).uniform(size=(40, 6))
    together = found[1].predict(x)
    np.testing.assert_allclose(together.value, [found[1].predict(row).value for row in x])
    single = interactions(ridge, quartic, **QUIET)
    np.testing.assert_allclose(together.value, single.predict(np.repeat(x, 2, axis=1)).value)
    named = found[1].predict(without=[["a", "c"], ["b"]])
    assert named[1].value == pytest.approx(single.predict(without=[2, 3]).value)
    assert found[1].predict(np.empty((0, 6))).value.shape == (0,)
    assert isinstance(found[1], AlongMove)
    expected = single.gradient.reshape(6, 2).sum(1)
    np.testing.assert_allclose(found[1].gradient, expected, rtol=1e-12)


def test_the_cost_is_counted(ridge):
    """Gradients of documents once for all outputs; a jet of degree 2 is six products."""
    found = interactions(ridge, [output, quartic], **QUIET)
    gradients = 30 * 12  # in a training
    assert total_cost(found) == pytest.approx((12 + 2) / gradients)
    assert found[0].cost_of_each == pytest.approx(6 / gradients)


WRONG = {
    "degree": ({"degree": 0}, ValueError, "degree must be 1 or above"),
    "half": ({"degree": 1.5}, ValueError, "degree must be an integer"),
    "damping": ({"damping": -1.0}, ValueError, r"damping .* must be a finite number above 0"),
    "units": ({"units": ["a"]}, ValueError, "units must be None, one label for each"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_settings_are_refused(ridge, case):
    settings, error, message = WRONG[case]
    with pytest.raises(error, match=message):
        interactions(ridge, output, **settings, **QUIET)


def test_what_has_no_solution_or_no_jet_is_refused():
    """One document as often as there are parameters; outputs that mix models, or are no number."""
    run = sl.TrainingRun(
        sl.Model({"w": np.ones(3)}, lambda p, i: ridge_losses(p, 0 * np.array(i))),
        np.arange(12),
        **QUIET,
    )
    with pytest.raises(ValueError, match="too near singular"):
        interactions(run, output, damping=0, **QUIET)
    found = interactions(run, lambda model: sl.ring.sum(model.losses([0, 1])), **QUIET)
    with pytest.raises(TypeError, match="an output must be one number per model"):
        found.predict(np.eye(12)[:2])
    with pytest.raises(TypeError, match="cannot be differentiated"):
        interactions(run, lambda model: float(model.loss(0)), **QUIET)
    with pytest.raises(TypeError, match="run must be a training run"):
        interactions(run.model, output, **QUIET)
