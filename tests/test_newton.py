"""Deletion from convex models: Newton steps beside closed forms, scikit-learn and refitting."""

import numpy as np
import pytest
from scipy import optimize
from sklearn.linear_model import LogisticRegression

from sketchlab.attribution import ConvexFit, random_deletions
from sketchlab.attribution.newton import METHODS
from sketchlab.unlearning.ridge import Ridge

RNG = np.random.default_rng(0)
N, D, PENALTY = 60, 4, 0.5
ROWS = np.column_stack([RNG.normal(size=(N, D - 1)), np.ones(N)])
LABELS = 1 * (ROWS @ [1.0, -0.5, 0.2, 0.3] + RNG.logistic(size=N) > 0)
TARGETS = ROWS @ [1.0, -0.5, 0.2, 0.3] + RNG.normal(size=N)


@pytest.fixture(scope="module")
def fit():
    """A logistic regression."""
    return ConvexFit(ROWS, LABELS, PENALTY)


def objective(w, weights, penalty=PENALTY):
    """What a logistic regression minimises, from its definition."""
    signs = 2 * LABELS - 1
    return weights @ np.log1p(np.exp(-signs * (ROWS @ w))) + penalty / 2 * w @ w


@pytest.mark.parametrize("penalty", [1e-6, 0.5, 100.0])
def test_the_fit_is_that_of_scikit_learn(penalty):
    """And, with down-weights of any size, that of its weighted fit."""
    weights = np.random.default_rng(1).uniform(0.0, 1.5, size=N)
    known = LogisticRegression(C=1 / penalty, fit_intercept=False, tol=1e-10, max_iter=10_000)
    fit = ConvexFit(ROWS, LABELS, penalty)
    for found, given in ((fit.parameters, np.ones(N)), (fit.after(1 - weights), weights)):
        expected = known.fit(ROWS, LABELS, sample_weight=given).coef_[0]
        np.testing.assert_allclose(found, expected, atol=1e-6 * np.abs(expected).max())


def test_the_fit_is_a_minimum_up_to_rounding(fit):
    """The gradient, from its definition, is as small as double precision allows; far from 0 too."""
    for scale in (1e-3, 1.0, 1e3):
        scaled = ConvexFit(scale * ROWS, LABELS, PENALTY * scale**2)
        np.testing.assert_allclose(scaled.parameters, fit.parameters / scale, rtol=1e-11)
    chance = 1 / (1 + np.exp(-ROWS @ fit.parameters))
    gradient = ROWS.T @ (chance - LABELS) + PENALTY * fit.parameters
    assert np.abs(gradient).max() < 1e-13 * np.abs(ROWS).sum(axis=0).max()
    found = optimize.minimize(objective, np.zeros(D), np.ones(N), tol=1e-12).x
    np.testing.assert_allclose(fit.parameters, found, atol=1e-5)


def test_a_start_far_away_arrives():
    """Rows that a full Newton step would overshoot on."""
    rows = np.array([[1.0], [1.0], [-30.0], [40.0]])
    fit = ConvexFit(rows, [1, 0, 1, 1], 1e-4)
    grid = optimize.minimize_scalar(
        lambda w: np.sum(np.logaddexp(0, [-w, w, 30 * w, -40 * w])) + 5e-5 * w * w
    )
    assert fit.parameters[0] == pytest.approx(grid.x, abs=1e-6)


def test_refitting_is_fitting_without_the_rows(fit):
    """From the start, on the rows that are kept; whatever the refit started from."""
    for rows in ([3], [0, 1, 2, 30], list(range(25))):
        kept = np.delete(np.arange(N), rows)
        expected = ConvexFit(ROWS[kept], LABELS[kept], PENALTY).parameters
        np.testing.assert_allclose(fit.after(without=rows), expected, rtol=1e-12)


@pytest.mark.parametrize("penalty", [1e-6, 1e-2, 10.0])
def test_refitting_arrives_from_wherever_it_starts(penalty):
    """Rows with outliers, separated labels, most of them deleted: as fitted from the start."""
    rng = np.random.default_rng(0)
    for case in range(60):
        n, d = int(rng.integers(6, 40)), int(rng.integers(1, 6))
        rows = rng.normal(size=(n, d)) * (1 + 50 * (rng.uniform(size=(n, 1)) < 0.1))
        y = 1 * (rows[:, 0] > np.median(rows[:, 0])) if case % 2 else rng.permutation(n) % 2
        kept = np.sort(rng.permutation(n)[: int(rng.integers(2, n))])
        gone = np.setdiff1d(np.arange(n), kept)
        if len(set(y[kept])) == 2:
            expected = ConvexFit(rows[kept], y[kept], penalty).parameters
            found = ConvexFit(rows, y, penalty).after(without=gone)
            np.testing.assert_allclose(found, expected, atol=1e-10 * np.abs(expected).max())


def test_group_steps_are_exact_for_squared_errors():
    """Against the closed form of ridge regression; so is a single one for one row."""
    fit = ConvexFit(ROWS, TARGETS, PENALTY, loss="squared")
    for rows in ([7], [1, 4, 9], list(range(40))):
        ridge = Ridge(ROWS, TARGETS, PENALTY, rows)
        for by, known in (("influence", 1), ("singles", "singles"), ("group", "group")):
            found = fit.after(without=rows, by=by)
            np.testing.assert_allclose(found, ridge.attributed(known), rtol=1e-11, err_msg=by)
        for by in ("group", "refit", *(["singles"] if len(rows) == 1 else [])):
            np.testing.assert_allclose(fit.after(without=rows, by=by), ridge.retrained, rtol=1e-11)
    some = np.random.default_rng(0).uniform(-1, 1, size=N)
    np.testing.assert_allclose(fit.after(some, by="group"), fit.after(some), rtol=1e-11)


def test_influence_is_the_derivative_of_refitting(fit):
    """By central differences of refits, at nothing deleted; all methods have it in common."""
    x = np.random.default_rng(2).uniform(-1, 1, size=N)
    step = 1e-4
    expected = (fit.after(step * x) - fit.after(-step * x)) / (2 * step)
    slope = fit.after(x, by="influence") - fit.parameters
    np.testing.assert_allclose(slope, expected, rtol=1e-6)
    for by in ("singles", "group"):
        near = (fit.after(step * x, by=by) - fit.after(-step * x, by=by)) / (2 * step)
        np.testing.assert_allclose(near, slope, rtol=1e-6)


def test_steps_are_newtons(fit):
    """With gradient and Hessian of what is kept from finite differences of the definition."""
    x = random_deletions(N, [5], np.random.default_rng(3))[0]

    def newton(x):
        def gradient(w):
            chance = 1 / (1 + np.exp(-ROWS @ w))
            return ROWS.T @ ((1 - x) * (chance - LABELS)) + PENALTY * w

        w, h = fit.parameters, 1e-5
        hessian = [(gradient(w + h * e) - gradient(w - h * e)) / (2 * h) for e in np.eye(D)]
        return np.linalg.solve(hessian, -gradient(w))

    np.testing.assert_allclose(fit.after(x, by="group") - fit.parameters, newton(x), rtol=1e-7)
    alone = sum(newton(e) for e in np.eye(N)[x == 1])
    np.testing.assert_allclose(fit.after(x, by="singles") - fit.parameters, alone, rtol=1e-7)


def test_errors_fall_as_their_orders_say(fit):
    """Halved down-weights divide what is left by 4: all of these leave a second-order term."""
    x = random_deletions(N, [6], np.random.default_rng(4))[0]
    for by in ("influence", "singles", "group"):
        left = [np.linalg.norm(fit.after(s * x, by=by) - fit.after(s * x)) for s in (2e-2, 1e-2)]
        assert left[0] / left[1] == pytest.approx(4.0, rel=0.05), by
    whole = {by: np.linalg.norm(fit.after(x, by=by) - fit.after(x)) for by in METHODS}
    assert whole["group"] < whole["singles"] < whole["influence"] and whole["refit"] == 0


def test_outputs_are_predicted(fit):
    """One deletion or many, exact where it is; the mean loss from its definition."""
    loss = fit.loss_on(ROWS[:9], LABELS[:9])
    expected = objective(fit.parameters, np.repeat([1.0, 0.0], [9, N - 9]), 0.0) / 9
    assert loss(fit.parameters) == pytest.approx(expected)
    x = np.vstack([np.zeros(N), random_deletions(N, [1, 10], np.random.default_rng(5))])
    for by in METHODS:
        output = fit.output(loss, by)
        many = output.predict(x)
        np.testing.assert_allclose(many.value, [loss(w) for w in fit.after(x, by=by)])
        assert many.now == many.value[0] and many.unit == "nats" and many[0].error == 0
        assert list(many.error[1:]) == [0.0 if by == "refit" else np.inf] * 2
        assert output.predict(x[2]) == many[2]
        assert output.predict(without=np.flatnonzero(x[2])) == many[2]
    assert fit.output(lambda w: w[1], "refit").predict(x[1]).value == fit.after(x[1])[1]
    costs = {by: fit.output(loss, by) for by in METHODS}
    assert costs["influence"].cost == costs["singles"].cost == 1 / fit.steps
    assert costs["group"].cost == costs["refit"].cost == costs["influence"].cost_of_each == 0
    assert costs["group"].cost_of_each == 1 / fit.steps and costs["refit"].cost_of_each == 1
    with pytest.raises(ValueError, match="one finite number"):
        fit.output(lambda w: w).predict(x)


def test_deleting_nothing_changes_nothing_and_deleting_all_leaves_the_penalty(fit):
    """All rows of one kind: the rest has scores of its own label, as far as the penalty allows."""
    for by in METHODS:
        np.testing.assert_array_equal(fit.after(np.zeros(N), by=by), fit.parameters)
        assert fit.after(np.zeros((0, N)), by=by).shape == (0, D)
    np.testing.assert_allclose(fit.after(np.ones(N)), 0, atol=1e-12)
    np.testing.assert_allclose(fit.after(np.ones(N), by="group"), 0, atol=1e-12)
    w = fit.after(without=np.flatnonzero(LABELS == 0))
    assert np.all(ROWS[LABELS == 1] @ w > 0)
    weaker = ConvexFit(ROWS, LABELS, PENALTY / 100).after(without=np.flatnonzero(LABELS == 0))
    assert np.linalg.norm(weaker) > np.linalg.norm(w)


def test_labels_of_any_kind():
    """Words, truth values and -1 and 1 are labels; the second in order is the one that rises."""
    expected = ConvexFit(ROWS, LABELS, PENALTY)
    for kinds in (("no", "yes"), (False, True), (-1.0, 1.0)):
        y = np.array(kinds)[LABELS]
        fit = ConvexFit(ROWS, y, PENALTY)
        np.testing.assert_array_equal(fit.parameters, expected.parameters)
        assert tuple(fit.kinds) == kinds
        loss = fit.loss_on(ROWS, y)(fit.parameters)
        assert loss == expected.loss_on(ROWS, LABELS)(fit.parameters)
        with pytest.raises(ValueError, match=r"y must be .* or .*, not"):
            fit.loss_on(ROWS, ["other"] * N)


def test_where_there_is_no_minimum():
    """Separated labels, columns that are others, and what a deletion makes of either."""
    x = np.linspace(-1, 1, 6)[:, None]
    apart, mixed = 1 * (x[:, 0] > 0), np.array([0, 0, 1, 0, 1, 1])
    with pytest.raises(ValueError, match="a plane separates the 6 kept rows"):
        ConvexFit(x, apart, 0.0)
    assert np.isfinite(ConvexFit(x, apart, 1e-3).parameters[0])
    fit = ConvexFit(x, mixed, 0.0)
    with pytest.raises(ValueError, match="a plane separates the 4 kept rows"):
        fit.after(without=[2, 3])
    with pytest.raises(ValueError, match="too near singular"):
        ConvexFit(np.hstack([x, 2 * x]), mixed, 0.0)
    for by in ("group", "refit"):
        with pytest.raises(ValueError, match=r"too near singular|a plane separates"):
            fit.after(np.ones(6), by=by)
    only = np.column_stack([x, np.eye(6)[0]])  # the second column is row 0's alone
    squares = ConvexFit(only, np.arange(6.0), 0.0, loss="squared")
    for by in ("group", "refit"):
        with pytest.raises(ValueError, match="too near singular"):
            squares.after(without=[0], by=by)
    with pytest.raises(ValueError, match="without row 0 alone the Hessian is singular"):
        squares.after(without=[0], by="singles")
    touching = np.array([[-1.0, 1], [0, 1], [0, 1], [1, 1]])  # separated but for a shared point
    with pytest.raises((ValueError, RuntimeError), match="penalty"):
        ConvexFit(touching, [0, 0, 1, 1], 0.0)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((ROWS, np.zeros(N), 1.0), ValueError, "labels of two kinds, not 1: 0.0"),
        ((ROWS, np.arange(N) % 3, 1.0), ValueError, "labels of two kinds, not 3: 0, 1, 2"),
        ((ROWS, np.where(LABELS, 1, np.nan), 1.0), ValueError, "y must be finite"),
        ((ROWS * np.nan, LABELS, 1.0), ValueError, "rows must be finite"),
        ((ROWS[0], LABELS, 1.0), ValueError, "rows must have shape"),
        ((ROWS * 1j, LABELS, 1.0), TypeError, "rows must be real"),
        ((ROWS, LABELS[:-1], 1.0), ValueError, r"y must have shape \(60,\)"),
        ((ROWS, LABELS, -1.0), ValueError, "penalty must be"),
        ((ROWS, LABELS, "1"), ValueError, "penalty must be"),
        ((ROWS, LABELS, np.inf), ValueError, "penalty must be"),
    ],
)
def test_bad_data_is_refused_in_words(arguments, error, words):
    """What was given, and what is allowed."""
    with pytest.raises(error, match=words):
        ConvexFit(*arguments)


def test_bad_questions_are_refused_in_words(fit):
    """Methods, losses, down-weights above 1 and of the wrong shape, other rows."""
    with pytest.raises(ValueError, match="by must be one of influence, singles, group, refit"):
        fit.after(without=[0], by="newton")
    with pytest.raises(ValueError, match="by must be one of"):
        fit.output(lambda w: w[0], "exact")
    with pytest.raises(ValueError, match="loss must be one of logistic, squared"):
        ConvexFit(ROWS, LABELS, 1.0, loss="hinge")
    with pytest.raises(ValueError, match=r"must be 1 \(deleted\) or below, not 2"):
        fit.after(np.full(N, 2.0))
    with pytest.raises(ValueError, match="60 finite real numbers"):
        fit.after(np.ones(N - 1))
    with pytest.raises(IndexError, match="out of range"):
        fit.after(without=[N])
    with pytest.raises(ValueError, match=r"shape \(rows, 4\)"):
        fit.loss_on(ROWS[:, :2], LABELS)
