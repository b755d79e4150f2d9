"""Unlearning on ridge regression: closed forms against refits, paths against their limits, and the
inequalities that the module promises, on random problems.
"""

import numpy as np
import pytest
from sklearn.linear_model import Ridge as SklearnRidge

import sketchlab as sl
from sketchlab.unlearning import Ridge, WeightedSquares, descend, descend_by_rows
from sketchlab.unlearning.ridge import METHODS

TALL, WIDE = (40, 6), (15, 30)  # rows, columns
PROBLEMS = [(shape, seed) for shape in (TALL, WIDE) for seed in range(4)]


def problem(shape=TALL, seed=0, penalty=0.3, size=4):
    """A table with columns of different scales, noisy outputs, and rows to forget."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape) * np.geomspace(1, 0.4, shape[1])
    y = x @ rng.normal(size=shape[1]) + rng.normal(size=shape[0])
    return Ridge(x, y, penalty, rng.choice(shape[0], size, replace=False))


def refit(ridge, down_weights):
    """Another solution of the weighted problem: least squares on rows with the penalty as rows."""
    root = np.sqrt(1 - down_weights)
    d = ridge.x.shape[1]
    rows = np.vstack([ridge.x * root[:, None], np.sqrt(ridge.penalty) * np.eye(d)])
    return np.linalg.lstsq(rows, np.append(ridge.y * root, np.zeros(d)), rcond=None)[0]


@pytest.mark.parametrize(("shape", "seed"), PROBLEMS)
def test_solutions_are_those_of_refitting(shape, seed):
    """With scikit-learn and with least squares, with the rows and without them."""
    ridge = problem(shape, seed)
    kept = ~ridge.forget
    for rows, found in ((slice(None), ridge.trained), (kept, ridge.retrained)):
        model = SklearnRidge(alpha=ridge.penalty, fit_intercept=False, solver="svd")
        model.fit(ridge.x[rows], ridge.y[rows])
        np.testing.assert_allclose(found, model.coef_, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(ridge.retrained, refit(ridge, 1.0 * ridge.forget), atol=1e-9)
    assert ridge.distance(ridge.trained) == pytest.approx(1) and ridge.forget.sum() == 4
    assert ridge.distance(ridge.retrained) == 0


@pytest.mark.parametrize(("shape", "seed"), PROBLEMS)
def test_attributions_are_effects_of_refitting(shape, seed):
    """The group at once, one row alone, the sum of these, and influence by finite differences."""
    ridge = problem(shape, seed)
    np.testing.assert_allclose(ridge.attributed("group"), ridge.retrained, atol=1e-9)
    total = ridge.trained.copy()
    for i in np.flatnonzero(ridge.forget):
        alone = Ridge(ridge.x, ridge.y, ridge.penalty, [i])
        effect = refit(ridge, np.eye(len(ridge.x))[i]) - ridge.trained
        np.testing.assert_allclose(alone.attributed("singles") - alone.trained, effect, atol=1e-9)
        total += effect
    np.testing.assert_allclose(ridge.attributed("singles"), total, atol=1e-9)
    step = 1e-5
    slope = (refit(ridge, step * ridge.forget) - refit(ridge, -step * ridge.forget)) / (2 * step)
    np.testing.assert_allclose(ridge.attributed(1) - ridge.trained, slope, rtol=1e-6, atol=1e-8)
    np.testing.assert_array_equal(ridge.attributed(0), ridge.trained)


def test_taylor_terms_are_those_of_training_on_jets():
    """Training by gradient descent until nothing moves, pushed along the deletion."""
    ridge = problem(size=3)
    n = len(ridge.x)

    def losses(parameters, rows):
        found = sl.ring.matmul(ridge.x[rows], parameters["w"][..., None])[..., 0]
        return 0.5 * (found - ridge.y[rows]) ** 2

    model = sl.Model({"w": np.zeros(ridge.x.shape[1])}, losses)
    sgd = sl.SGD(1.0, weight_decay=ridge.penalty / n)
    run = sl.TrainingRun(
        model, np.arange(n), optimizer=sgd, steps=600, batch_size=n, progress=False
    )
    jet = run.push(1.0 * ridge.forget[None], 4, progress=False).parameters["w"]
    for degree in range(5):
        expected = jet.truncate(degree)(1.0)[0]
        np.testing.assert_allclose(ridge.attributed(degree), expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(("shape", "seed"), PROBLEMS)
def test_taylor_series_converges_as_a_geometric_one(shape, seed):
    """Each degree leaves at most the largest leverage of the residual: statement (1)."""
    ridge = problem(shape, seed)
    x = ridge.x[ridge.forget]
    hessian = ridge.x.T @ ridge.x + ridge.penalty * np.eye(shape[1])
    ratio = np.linalg.eigvalsh(x @ np.linalg.solve(hessian, x.T)).max()
    assert ratio < 1
    error = [ridge.attributed(k) - ridge.retrained for k in range(30)]
    size = np.sqrt([e @ hessian @ e for e in error])  # the norm in which the ratio is exact
    assert np.all(size[1:] <= ratio * size[:-1] * (1 + 1e-6) + 1e-12)


def end_of(objective, start):
    """Descent at the best rate until the error is a billionth of what it was."""
    rate, factor = objective.best_rate()
    return descend(objective, start, rate, int(np.log(1e-9) / np.log(factor)) + 1)[-1]


def by_hand(ridge, method, w, rate):
    """One full step, from the definition of each method."""
    keep, forget = ridge.x[~ridge.forget], ridge.x[ridge.forget]
    up = forget.T @ (forget @ w - ridge.y[ridge.forget])
    down = keep.T @ (keep @ w - ridge.y[~ridge.forget]) + ridge.penalty * w
    apart = w - ridge.trained
    return {
        "fine_tuning": w - rate * down,
        "ascent": w + rate * up,
        "ascent_descent": w - rate * (down - 0.5 * up),
        "scrub": w - rate * (down + 2 * keep.T @ keep @ apart - 0.25 * forget.T @ forget @ apart),
        "matching": w - rate * ridge.x.T @ ridge.x @ (w - ridge.retrained),
    }[method]


SETTINGS = {"ascent_descent": {"weight": 0.5}, "scrub": {"near": 2.0, "away": 0.25}}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [TALL, WIDE])
def test_steps_by_hand(shape, method):
    """Full steps; and the mean over all rows of a step with one row is a full one of 1 / rows."""
    ridge, rate = problem(shape), 0.01
    objective = ridge.objective(method, **SETTINGS.get(method, {}))
    path = descend(objective, ridge.trained, [rate, 0.02], 3)
    assert path.shape == (4, 2, shape[1])
    expected = ridge.trained
    for found in path[:, 0]:
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11)
        expected = by_hand(ridge, method, expected, rate)
    used = np.flatnonzero(objective.weights)
    steps = []
    for i in used:
        one = WeightedSquares(
            ridge.x[[i]],
            objective.weights[[i]],
            objective.targets[[i]],
            objective.penalty / len(used),
        )
        steps.append(descend_by_rows(one, path[2, 0], rate, 1)[1, 0] - path[2, 0])
    np.testing.assert_allclose(np.sum(steps, axis=0), path[3, 0] - path[2, 0], atol=1e-11)


def test_rows_are_drawn_for_each_seed_alone():
    """A pass by hand, whatever rates and seeds run beside it."""
    ridge = problem()
    objective = ridge.objective("fine_tuning")
    together = descend_by_rows(objective, ridge.trained, [0.01, 0.05], 2, seeds=[3, 7])
    assert together.shape == (3, 2, 2, 6)
    used = np.flatnonzero(~ridge.forget)
    w = ridge.trained
    for i in used[np.random.default_rng(7).integers(len(used), size=2 * len(used))]:
        slope = (ridge.x[i] @ w - ridge.y[i]) * ridge.x[i] + ridge.penalty / len(used) * w
        w = w - 0.05 * slope
    np.testing.assert_allclose(together[2, 1, 1], w, rtol=1e-9)


@pytest.mark.parametrize(("shape", "seed"), PROBLEMS)
def test_where_methods_end(shape, seed):
    """Fine-tuning and Oracle Matching at w*, the others at a fixed point that is not w*."""
    ridge = problem(shape, seed)
    for method in ("fine_tuning", "matching"):
        objective = ridge.objective(method)
        np.testing.assert_allclose(end_of(objective, ridge.trained), ridge.retrained, atol=1e-7)
        np.testing.assert_allclose(objective.limit(ridge.trained), ridge.retrained, atol=1e-8)
    for method, settings in (("ascent_descent", {"weight": 0.005}), ("scrub", {"away": 0.005})):
        objective = ridge.objective(method, **settings)
        limit = objective.limit(ridge.trained)
        np.testing.assert_allclose(end_of(objective, ridge.trained), limit, atol=1e-6)
        assert ridge.distance(limit) > 0.002


@pytest.mark.parametrize(("shape", "seed"), PROBLEMS)
def test_matching_ends_at_the_least_squares_fit_of_its_targets(shape, seed):
    """Any targets, all rows or some; those of an attribution end at the attribution."""
    ridge = problem(shape, seed)
    rng = np.random.default_rng(seed)
    targets = ridge.x @ ridge.retrained + rng.normal(size=shape[0])
    for rows in (None, np.append(np.flatnonzero(ridge.forget), np.flatnonzero(~ridge.forget)[:3])):
        used = slice(None) if rows is None else rows
        change = np.linalg.pinv(ridge.x[used]) @ (targets - ridge.x @ ridge.trained)[used]
        objective = ridge.objective("matching", targets=targets, rows=rows)
        found = objective.limit(ridge.trained)
        np.testing.assert_allclose(found, ridge.trained + change, atol=1e-7)
        np.testing.assert_allclose(end_of(objective, ridge.trained), found, atol=1e-6)
    for by in (1, 3, "singles"):
        objective = ridge.objective("matching", targets=ridge.x @ ridge.attributed(by))
        found = objective.limit(ridge.trained)
        np.testing.assert_allclose(found, ridge.attributed(by), atol=1e-8)
    assert ridge.distance(found) > 1e-3, "the sum of single effects is not exact"


@pytest.mark.parametrize(("shape", "seed"), PROBLEMS)
def test_ascent_diverges_and_never_comes_near(shape, seed):
    """Residuals grow by I + rate K; the distance stays above that of e_0 to the span of F."""
    ridge, rate = problem(shape, seed), 0.05
    path = descend(ridge.objective("ascent"), ridge.trained, rate, 60)
    x, y = ridge.x[ridge.forget], ridge.y[ridge.forget]
    growth = np.linalg.matrix_power(np.eye(len(x)) + rate * x @ x.T, 60)
    np.testing.assert_allclose(y - x @ path[60], growth @ (y - x @ ridge.trained), rtol=1e-8)
    off = ridge.trained - ridge.retrained
    floor = np.linalg.norm(off - np.linalg.pinv(x) @ x @ off) / np.linalg.norm(off)
    assert np.all(ridge.distance(path) >= floor * (1 - 1e-9)) and floor > 0.01
    far = ridge.distance(descend(ridge.objective("ascent"), ridge.trained, 1.0, 3000)[-1])
    assert far == np.inf, "overflow counts as infinitely far"
    with pytest.raises(ValueError, match="diverges at any rate"):
        ridge.objective("ascent").limit(ridge.trained)


@pytest.mark.parametrize(("shape", "seed"), PROBLEMS)
@pytest.mark.parametrize("penalty", [1e-3, 0.3, 10.0])
def test_no_rate_leaves_the_bounds(shape, seed, penalty):
    """(2): fine-tuning at any rate below 2 / L; (3): Oracle Matching at its best rate; (4)."""
    ridge = problem(shape, seed, penalty)
    steps = np.arange(201)
    matching, tuning = ridge.objective("matching"), ridge.objective("fine_tuning")
    path = descend(matching, ridge.trained, matching.best_rate()[0], 200)
    assert np.all(ridge.distance(path) <= ridge.matching_at_most(steps) * (1 + 1e-9) + 1e-9)
    largest = np.linalg.eigvalsh(tuning.matrix)[-1]
    rates = 2 / largest * np.array([0.01, 0.3, 0.6, 0.9, 0.99, 0.9999])
    path = descend(tuning, ridge.trained, rates, 200)
    least = ridge.fine_tuning_at_least(steps)
    assert np.all(ridge.distance(path) >= least[:, None] * (1 - 1e-6) - 1e-12)
    assert least[0] > 0.3 and np.all(np.diff(least) <= 0)

    eps = 0.01  # counts of steps, from singular values, which the module does not use
    singular = np.linalg.svd(ridge.x, compute_uv=False) ** 2
    most = np.ceil(singular[0] / (2 * singular[-1]) * np.log(1 / eps))
    assert ridge.matching_at_most(most) <= eps
    kept = ridge.x[~ridge.forget]
    off = ridge.trained - ridge.retrained
    share = np.linalg.norm(off - np.linalg.pinv(kept) @ kept @ off) / np.linalg.norm(off)
    if shape == WIDE and penalty < 1:
        fewest = np.floor((largest / (2 * penalty) - 1) * np.log(share / eps))
        assert fewest > 0 and ridge.fine_tuning_at_least(fewest) >= eps * (1 - 1e-6)
        assert penalty == 0.3 or fewest > most, "a small penalty: matching is surely faster"
    else:
        assert shape == WIDE or share < 1e-9, "kept rows reach everything"


@pytest.mark.parametrize(("shape", "seed"), PROBLEMS)
def test_no_row_leads_matching_away(shape, seed):
    """(5): no pass ends farther than it began; in the mean over 200 seeds, the promised rate."""
    ridge = problem(shape, seed)
    objective = ridge.objective("matching")
    longest = np.sum(ridge.x**2, axis=1).max()
    path = descend_by_rows(
        objective, ridge.trained, np.array([0.3, 1.0, 1.99]) / longest, 4, [1, 2]
    )
    assert np.all(np.diff(ridge.distance(path), axis=0) <= 1e-12)
    squares = ridge.distance(descend_by_rows(objective, ridge.trained, 1 / longest, 3, range(200)))
    squares = squares**2
    low = squares.mean(axis=1) - 3 * squares.std(axis=1) / np.sqrt(200)
    least = np.linalg.svd(ridge.x, compute_uv=False)[-1] ** 2
    steps = np.arange(4) * len(ridge.x)
    bound = (1 - least / longest / len(ridge.x)) ** steps
    assert np.all(low <= bound + 1e-12)
    slow = descend_by_rows(objective, ridge.trained, 0.02 / longest, 3, range(200))
    assert np.mean(ridge.distance(slow)[-1] ** 2) > bound[-1] ** 2, "the bound is not empty"


@pytest.mark.parametrize(("method", "shape"), [("fine_tuning", TALL), ("matching", WIDE)])
def test_the_noise_of_rows_is_that_of_exact_second_moments(method, shape):
    """E (w, 1)(w, 1)' follows a linear recursion: mean square distance, over 400 seeds."""
    ridge, passes = problem(shape), 5
    objective = ridge.objective(method)
    rate = 0.5 / np.sum(ridge.x**2, axis=1).max()
    used, d = np.flatnonzero(objective.weights), shape[1]
    moves = []
    for i in used:
        move = np.eye(d + 1)
        move[:d, :d] -= rate * np.outer(ridge.x[i], ridge.x[i])
        move[:d, :d] -= rate * objective.penalty / len(used) * np.eye(d)
        move[:d, d] = rate * objective.targets[i] * ridge.x[i]
        moves.append(move)
    state = np.append(ridge.trained, 1.0)
    moment, moves = np.outer(state, state), np.array(moves)
    for _ in range(passes * len(used)):
        moment = np.mean(moves @ moment @ moves.transpose(0, 2, 1), axis=0)
    back = np.hstack([np.eye(d), -ridge.retrained[:, None]])
    unit = np.sum((ridge.trained - ridge.retrained) ** 2)
    expected = np.trace(back @ moment @ back.T) / unit
    path = descend_by_rows(objective, ridge.trained, rate, passes, range(400))
    squares = ridge.distance(path)[-1] ** 2
    error = squares.std() / np.sqrt(len(squares))
    assert abs(squares.mean() - expected) < 4 * error and error < 0.15 * expected


def test_rows_leave_fine_tuning_a_noise_and_matching_none():
    """At one constant rate, on a tall table: matching goes on falling, fine-tuning stays."""
    ridge = problem(size=6)
    rate, found = 0.5 / np.sum(ridge.x**2, axis=1).max(), {}
    for method in ("fine_tuning", "matching"):
        path = descend_by_rows(ridge.objective(method), ridge.trained, rate, 60, range(20))
        found[method] = np.sqrt(np.mean(ridge.distance(path) ** 2, axis=1))
    assert found["matching"][60] < 1e-3
    assert found["fine_tuning"][60] == pytest.approx(found["fine_tuning"][30], rel=0.4)
    assert found["fine_tuning"][60] > 0.1


GOOD = {"x": np.eye(3), "y": np.arange(3.0), "penalty": 1.0, "without": [1]}


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"x": np.arange(3.0)}, ValueError, "x must have shape"),
        ({"y": np.arange(4.0)}, ValueError, "x must have shape"),
        ({"x": np.zeros((3, 0))}, ValueError, "x must have shape"),
        ({"y": [0, np.nan, 1]}, ValueError, "y must be finite"),
        ({"x": np.eye(3) * 1j}, TypeError, "real numbers"),
        ({"penalty": 0}, ValueError, "penalty must be a finite number above 0"),
        ({"penalty": np.inf}, ValueError, "penalty must be a finite number above 0"),
        ({"penalty": "1"}, ValueError, "penalty must be a finite number above 0"),
        ({"x": np.ones((3, 2)), "penalty": 1e-14}, ValueError, "too small beside these columns"),
        ({"without": []}, ValueError, "has 0 of 3 rows"),
        ({"without": [0, 1, 2]}, ValueError, "has 3 of 3 rows"),
        ({"without": [3]}, IndexError, "out of range"),
        ({"without": [1.5]}, TypeError, "must be integers"),
    ],
)
def test_bad_problems_are_refused(wrong, error, message):
    """In words."""
    with pytest.raises(error, match=message):
        Ridge(**{**GOOD, **wrong})


def test_bad_requests_are_refused():
    """Methods, settings, rates, and distances that mean nothing."""
    ridge = Ridge(**GOOD)
    objective = ridge.objective("matching")
    for call, message in (
        (lambda: ridge.objective("magic"), "method must be one of fine_tuning"),
        (lambda: ridge.objective("scrub", away=-1), "away must be a finite number, 0 or above"),
        (lambda: ridge.objective("scrub", near=None), "near must be a finite number, 0 or above"),
        (lambda: ridge.objective("matching", targets=[1.0]), "targets must have shape"),
        (lambda: ridge.objective("matching", rows=[]), "no row has a weight"),
        (lambda: ridge.attributed("sum"), "must be one of group, singles"),
        (lambda: ridge.attributed(-1), "degree must be an integer"),
        (lambda: ridge.distance(1.0), "w must have shape"),
        (lambda: descend(objective, ridge.trained, 0, 1), "rates must be above 0"),
        (lambda: descend(objective, ridge.trained, 1, 0), "steps must be an integer"),
        (lambda: descend_by_rows(objective, ridge.trained, 1, 1, []), "seeds is empty"),
        (lambda: descend_by_rows(objective, ridge.trained, 1, 0), "passes must be an integer"),
        (lambda: ridge.objective("ascent").best_rate(), "diverges at any rate"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(TypeError):
        ridge.objective("fine_tuning", weight=1)
    unchanged = Ridge(np.eye(3), [1.0, 0.0, 2.0], 1.0, [1])  # a row that is fitted at 0 anyway
    with pytest.raises(ValueError, match="the deletion changes nothing"):
        unchanged.distance(unchanged.trained)
    falls = WeightedSquares(np.eye(2)[[0, 0]], np.array([2.0, -2.0]), np.array([1.0, 0.0]), 0.0)
    with pytest.raises(ValueError, match="diverges at any rate"):
        falls.limit(np.zeros(2))
    line = WeightedSquares(np.eye(2)[[0, 1, 1]], np.array([1.0, 2, -2]), np.array([1.0, 1, 0]), 0.0)
    with pytest.raises(ValueError, match="falls along a line"):
        line.limit(np.zeros(2))


def test_a_setting_that_a_method_does_not_have_is_refused():
    """In words, with those that there are."""
    ridge = problem()
    for method, message in (
        ("scrub", "scrub has no setting 'foo', only near, away"),
        ("ascent", "ascent has no setting 'foo': it has none"),
    ):
        with pytest.raises(TypeError, match=message):
            ridge.objective(method, foo=1)
