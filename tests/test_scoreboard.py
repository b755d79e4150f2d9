"""The scoreboard: exact truth, scores by hand, baselines exact where they must be, costs."""

import dataclasses
import sys

import numpy as np
import pytest
from scipy import stats

import sketchlab as sl
from sketchlab import attribution
from sketchlab.attribution import (
    Retrained,
    Scoreboard,
    effects,
    markdown,
    random_deletions,
    regression,
    retrained,
    scores,
    taylor_terms,
    total_cost,
)
from sketchlab.estimation.prediction import Prediction, Term
from sketchlab.estimation.units import Units

from conftest import cauchy_coefficients
from test_training import make_run

N = 6


def losses(*examples):
    """Outputs of the small training runs: losses of some examples."""
    return [lambda model, i=i: model.loss(i) for i in examples]


def predicted(value, error, reach=2.0):
    """A prediction by hand: the band reaches `reach` errors up and down."""
    value, error = np.asarray(value, float), np.asarray(error, float)
    band = np.where(error > 0, reach * error, 0.0)
    terms = (Term(0, value, np.zeros_like(value)),)
    return Prediction(value, error, value - band, value + band, terms, 0.0)


def polynomial(degree, seed=0):
    """A function of 6 down-weights, a sum of products of at most `degree` of them."""
    rng = np.random.default_rng(seed)
    constant, linear = rng.normal(), rng.normal(size=N)
    twos = np.triu(rng.normal(size=(N, N)), 1) if degree > 1 else np.zeros((N, N))
    triple = rng.normal() if degree > 2 else 0.0

    def function(x):
        products = np.einsum("...u,uv,...v->...", x, twos, x)
        return constant + x @ linear + products + triple * x[..., 0] * x[..., 2] * x[..., 3]

    return function


def known_of(function, deletions, units=None):
    """What is known of a function after some deletions."""
    units = Units(None, N) if units is None else units
    return Retrained(deletions, function(deletions), units, float(function(np.zeros(N))))


EVERY = np.array([[i >> u & 1 for u in range(N)] for i in range(1, 2**N)], float)


# ---- scores ----------------------------------------------------------------------------------


def test_scores_by_hand():
    """Two outputs, four deletions: errors 3 and 4, one infinite band, one truth outside."""
    truth = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0], [4.0, 40.0]])
    first = predicted([1.0, 2.0, 6.0, 4.0], [0.0, 0.5, 1.0, np.inf])
    second = predicted([10.0, 24.0, 30.0, 40.0], [1.0, 2.0, 0.0, 0.0])
    found = scores(truth, [first, second])
    assert found["rmse"] == pytest.approx(np.sqrt((9 + 16) / 8), rel=1e-14)
    assert found["inside"] == 7 / 8  # 3 is not within 6 ± 2; 20 is at the end of 24 ± 4
    assert found["unknown"] == 1 / 8
    assert found["width"] == pytest.approx((0 + 2 + 4 + 4 + 8 + 0 + 0) / 7, rel=1e-14)
    missed = 20 * 1  # 3 is 1 below the band from 4 to 8
    assert found["interval"] == pytest.approx(found["width"] + missed / 7, rel=1e-14)
    assert found["lds"] == pytest.approx((0.8 + 1.0) / 2, rel=1e-14)


def test_the_interval_score_is_least_at_the_quantiles():
    """Of a known distribution: bands that are wider, narrower, higher or lower score worse.

    The best score of a standard normal band is 2 phi(z) / 0.05, with z its 95% quantile; a truth
    at every quantile of the distribution gives the mean.
    """
    truth = stats.norm.ppf((np.arange(200_000) + 0.5) / 200_000)[:, None]
    z = stats.norm.ppf(0.95)

    def score(low, high):
        band = (np.full(len(truth), v) for v in (0.0, 1.0, low, high))
        return scores(truth, [Prediction(*band, (), 0.0)])["interval"]

    best = score(-z, z)
    assert best == pytest.approx(2 * stats.norm.pdf(z) / 0.05, rel=1e-4)
    for low, high in ((-2, 2), (-1.4, 1.4), (-z - 0.2, z - 0.2), (-z, z + 0.2), (-z + 0.2, z)):
        assert score(low, high) > best + 0.01
    above, below = (scores(np.array([[t]]), [predicted([0.0], [1.0])]) for t in (2.5, -2.5))
    assert above["interval"] == below["interval"] == pytest.approx(4 + 20 * 0.5, rel=1e-14)


def test_lds_is_the_mean_of_scipys_rank_correlations():
    """Ties included."""
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 5, (12, 3)).astype(float)
    values = truth + rng.integers(-2, 3, truth.shape)
    found = scores(truth, [predicted(column, np.ones(12)) for column in values.T])
    each = [stats.spearmanr(values[:, k], truth[:, k]).statistic for k in range(3)]
    assert found["lds"] == pytest.approx(np.mean(each), rel=1e-12)


ORDERS = {
    "two deletions have no order": ([[1.0], [2.0]], [[1.0], [2.0]], None),
    "a constant prediction counts 0": ([[1, 1.0], [2, 2], [3, 3]], [[1, 5.0], [2, 5], [3, 5]], 0.5),
    "a constant truth is left out": ([[1, 7.0], [2, 7], [3, 7]], [[3, 1.0], [2, 2], [1, 3]], -1.0),
    "nothing but constant truths": ([[7.0], [7.0], [7.0]], [[1.0], [2.0], [3.0]], None),
}


@pytest.mark.parametrize("case", ORDERS)
def test_lds_where_there_is_no_order(case):
    """It is not made better by outputs that a method says nothing about."""
    truth, values, lds = ORDERS[case]
    columns = np.array(values, float).T
    found = scores(np.array(truth), [predicted(c, np.ones(len(c))) for c in columns])
    assert found.get("lds") == (lds if lds is None else pytest.approx(lds, rel=1e-12))


@pytest.mark.parametrize(("off", "inside"), [(1e-12, 1.0), (1e-6, 0.0)])
def test_a_known_value_holds_the_truth_to_rounding(off, inside):
    """Whatever the scale of the output; anything more is outside."""
    for scale in (1e-6, 1.0, 1e6):
        truth = np.full((1, 1), scale)
        found = scores(truth, [predicted([scale * (1 + off)], [0.0])])
        assert (found["inside"], found["width"]) == (inside, 0.0)


def test_infinite_bands_hold_everything_and_are_reported():
    """A band that is cut to what the output can be, from 0 to 1, is as unknown."""
    truth = np.array([[0.5]])
    found = scores(truth, [predicted([0.1], [np.inf])])
    assert (found["inside"], found["unknown"]) == (1.0, 1.0)
    assert not {"width", "interval"} & set(found)
    cut = Prediction(*(np.array([v]) for v in (0.1, np.inf, 0.0, 1.0)), (), 0.0)
    assert scores(truth, [cut])["unknown"] == 1.0


def test_truth_and_predictions_must_have_one_shape():
    with pytest.raises(ValueError, match=r"\(3, 1\) and predictions \(2, 1\)"):
        scores(np.zeros((3, 1)), [predicted([1.0, 2.0], [1.0, 1.0])])


# ---- the baselines ---------------------------------------------------------------------------


@pytest.mark.parametrize(("degree", "order"), [(1, 1), (1, 2), (2, 2)])
def test_effects_are_exact_on_sums_and_on_pairs(degree, order):
    """At every deletion, and for down-weights between 0 and 1; error 0 where it was retrained."""
    function = polynomial(degree)
    baseline = effects(known_of(function, EVERY), order)
    np.testing.assert_allclose(baseline.predict(EVERY).value, function(EVERY), atol=1e-12)
    half = np.random.default_rng(1).uniform(0, 1, (5, N))
    np.testing.assert_allclose(baseline.predict(half).value, function(half), atol=1e-12)
    known = EVERY.sum(axis=1) <= order
    np.testing.assert_array_equal(baseline.predict(EVERY).error, np.where(known, 0.0, np.inf))
    assert baseline.cost == {1: N, 2: N + N * (N - 1) // 2}[order]


@pytest.mark.parametrize("order", [0, 1, 2])
def test_effects_miss_what_is_of_higher_order(order):
    """By exactly the products of more down-weights than the order, known at so many or fewer."""
    function = polynomial(3)
    baseline, size = effects(known_of(function, EVERY), order), EVERY.sum(axis=1)
    p = baseline.predict(EVERY)
    if order == 0:
        np.testing.assert_array_equal(p.value, np.full(len(EVERY), p.now))
        assert baseline.cost == 0
    np.testing.assert_array_equal(p.value[size == order], function(EVERY)[size == order])
    last = EVERY[-1]  # everything deleted: all products are 1
    parts = [polynomial(k)(last) for k in (1, 2)]  # the generator draws the triple last
    expected = [function(np.zeros(N)), parts[0], parts[1]][order]
    assert p.value[-1] == pytest.approx(expected, rel=1e-12) != function(last)


def test_effects_need_their_retrainings():
    """They say, by label, which one is missing; half a deletion is none."""
    units = Units(list("abcdef"), N)
    with pytest.raises(ValueError, match=r"every unit alone: the one without \['b'\] is missing"):
        effects(known_of(polynomial(1), np.diag([1, 0.5, 1, 1, 1, 1]), units), 1)
    with pytest.raises(ValueError, match=r"every two: the one without \['a', 'b'\] is missing"):
        effects(known_of(polynomial(1), np.eye(N), units), 2)
    with pytest.raises(ValueError, match="order must be 0, 1 or 2, not 3"):
        effects(known_of(polynomial(1), EVERY), 3)
    assert effects(known_of(polynomial(1), np.eye(N), units)).predict(without="b").error == 0


REGRESSIONS = [  # kind, degree, error that the penalty leaves, as a share of the spread
    ("ridge", 1, 1e-4),
    ("ridge", 2, 1e-4),
    ("lasso", 1, 0.01),
    ("lasso", 2, 0.03),
]


@pytest.mark.parametrize(("kind", "degree", "share"), REGRESSIONS)
def test_regression_finds_polynomials_of_its_degree(kind, degree, share):
    """From two thirds of all deletions the other third; those that were given exactly."""
    pytest.importorskip("sklearn")
    order = np.random.default_rng(2).permutation(len(EVERY))
    given, asked = EVERY[order[:40]], EVERY[order[40:]]
    functions = [polynomial(degree, seed) for seed in (0, 1)]
    found = regression([known_of(f, given) for f in functions], kind, degree)
    for function, baseline in zip(functions, found, strict=True):
        p = baseline.predict(asked)
        spread = np.std(function(EVERY))
        assert np.sqrt(np.mean((p.value - function(asked)) ** 2)) < share * spread
        assert np.all(np.isinf(p.error)) and baseline.cost == 40
        again = baseline.predict(given)
        np.testing.assert_array_equal(again.value, function(given))
        assert not np.any(again.error) and np.all(again.high == again.low)
        one = baseline.predict(asked[0])
        assert one.value == pytest.approx(p.value[0], rel=1e-12) and one.shape == ()


def test_kernel_ridge_is_its_closed_form():
    """Its own kernel matrix and cross-validation, in numpy; one setting serves both outputs."""
    pytest.importorskip("sklearn")
    order = np.random.default_rng(2).permutation(len(EVERY))
    given, asked = EVERY[order[:39]], EVERY[order[39:]]
    functions = [polynomial(2, seed) for seed in (0, 1)]
    y = np.stack([function(given) for function in functions], axis=-1)

    def solved(x, y, moves, gamma, alpha):
        kernel = (1.0 + gamma * x @ x.T) ** 2
        return (1.0 + gamma * moves @ x.T) ** 2 @ np.linalg.solve(
            kernel + alpha * np.eye(len(x)), y
        )

    def explained(settings):
        shares = []
        for out in np.split(np.arange(39), 3):
            rest = np.setdiff1d(np.arange(39), out)
            left = y[out] - mean - solved(given[rest], y[rest] - mean, given[out], *settings)
            shares.append(1.0 - np.sum(left**2, axis=0) / np.sum((y[out] - y[out].mean(0)) ** 2, 0))
        return np.mean(shares)

    mean = y.mean(axis=0)
    grid = [(gamma, alpha) for gamma in (0.01, 0.001) for alpha in 10.0 ** np.arange(-3, 2)]
    expected = mean + solved(given, y - mean, asked, *max(grid, key=explained))
    found = regression([known_of(f, given) for f in functions], "kernel_ridge", 2)
    values = np.stack([baseline.predict(asked).value for baseline in found], axis=-1)
    np.testing.assert_allclose(values, expected, rtol=1e-8)


def test_regression_without_scikit_learn_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError, match="pip install scikit-learn"):
        regression([known_of(polynomial(1), EVERY)])


def test_wrong_regressions_are_refused():
    known = known_of(polynomial(1), EVERY)
    for arguments, error, message in (
        ((known,), TypeError, "known must be a list"),
        (([known], "forest"), ValueError, "kind must be one of ridge, lasso, kernel_ridge"),
        (([known], "ridge", 0), ValueError, "degree must be an integer, 1 or higher"),
        (([known, known.chosen([0, 1])],), ValueError, "same deletions"),
    ):
        with pytest.raises(error, match=message):
            regression(*arguments)


@pytest.mark.parametrize("units", [None, list("aabbccddeeff")])
def test_retrained_is_the_retraining_one_by_one(units):
    """In batches and over units; the deletion of nothing costs nothing."""
    run = make_run("logistic", "adam")
    outputs = losses(3, 5)
    n = 12 if units is None else 6
    rng = np.random.default_rng(4)
    x = np.concatenate([random_deletions(n, [1, 2, 5], rng), rng.uniform(0, 1, (32, n))])
    found = retrained(run, outputs, x, units=units, progress=False)
    for output, one in zip(outputs, found, strict=True):
        assert one.now == pytest.approx(output(run.model), rel=1e-14)
        for row, value in zip(x[::7], one.values[::7], strict=True):
            of_documents = row if units is None else np.repeat(row, 2)
            alone = run.retrain(down_weights=of_documents, progress=False)
            assert value == pytest.approx(float(output(alone)), rel=1e-10)
    again = retrained(run, outputs, x[:5], units=units, jobs=2, progress=False)
    np.testing.assert_allclose(again[1].values, found[1].values[:5], rtol=1e-12)
    assert len(retrained(run, outputs, [], units=units, progress=False)[0]) == 0


def test_anchors_of_an_output_are_retrainings():
    """The sum of single effects from a sketch's anchors is that from retrainings."""
    run = make_run("ridge", "sgd")
    sketched = sl.sketch(run, 2, 3, anchors=0, progress=False)
    sketched.anchor(run, "units", progress=False)
    x = random_deletions(12, [2, 5, 12], np.random.default_rng(5))
    (output,) = losses(1)
    of_sketch = effects(Retrained.anchors(sketched.output(output)))
    of_run = effects(retrained(run, [output], np.eye(12), progress=False)[0])
    np.testing.assert_allclose(of_sketch.predict(x).value, of_run.predict(x).value, rtol=1e-12)
    assert of_sketch.cost == of_run.cost == 12


# ---- exact Taylor terms ----------------------------------------------------------------------


def test_taylor_terms_are_those_of_cauchys_formula():
    """Complex retrainings along the deletion, without jets; units delete their documents."""
    run, units = make_run("ridge", "momentum"), list("aabbccddeeff")
    x = np.array([[1.0, 0, 1, 0, 0, 0], [0, 0.5, 0, 1, 0, 1]])
    found = taylor_terms(run, losses(3, 5), x, 3, units=units, progress=False)

    def loss(z, row, i):
        along = z * np.repeat(row, 2)
        return run.retrain(down_weights=along, progress=False).loss(i)

    for i, one in zip((3, 5), found, strict=True):
        for j, row in enumerate(x):
            expected = cauchy_coefficients(lambda z, r=row, i=i: loss(z, r, i), 3, radius=0.5)
            np.testing.assert_allclose(one.terms[:, j], expected.real, rtol=1e-7, atol=1e-10)
        p = one.predict(x)
        np.testing.assert_allclose(p.value, one.terms.sum(axis=0), rtol=1e-14)
        assert np.all(np.isinf(p.error)) and p.degree == 3
        part = one.part(degree=1).predict(x[::-1])
        np.testing.assert_allclose(part.value, one.terms[:2].sum(axis=0)[::-1], rtol=1e-14)
        nothing = one.predict(np.zeros(6))
        assert (nothing.value, nothing.error) == (p.now, 0.0)
        assert nothing.value == pytest.approx(run.loss(i), rel=1e-12)
    with pytest.raises(ValueError, match="known at the 2 deletions"):
        found[0].predict(without="a")
    with pytest.raises(ValueError, match="known to degree 3, not 4"):
        found[0].part(degree=4)


def test_the_rest_of_a_geometric_series_is_added():
    """1 / (1 - q) of a group of 12 of 100 units, q = 0.6; its sketch says that it stands out."""
    group = (np.arange(100) < 12).astype(float)
    output = sl.local_sketch(lambda x: 1.0 / (1.0 - 0.05 * sl.ring.sum(x * group, -1)), 100, 3, 20)
    x = np.array([group, np.roll(group, 6)])
    powers = (0.05 * (x @ group)) ** np.arange(4)[:, None]
    exact = attribution.TaylorTerms(x, powers, Units(None, 100))
    resummed = exact.resummed(output)
    assert exact.predict(group).value == pytest.approx(1 + 0.6 + 0.36 + 0.216, rel=1e-12)
    assert resummed.predict(group).value == pytest.approx(1 / 0.4, rel=1e-12)
    assert resummed.part(degree=3).predict(group).value == exact.predict(group).value
    assert resummed.cost == 2 * 10 + output.cost == 2 * 10 + 20 * 10
    with pytest.raises(ValueError, match="does not say how large"):
        exact.resummed(sl.local_sketch(lambda x: sl.ring.sum(x, -1), 100, 1, 5))


# ---- the board -------------------------------------------------------------------------------


def test_costs_are_counted_once_if_shared_and_added_if_not():
    """Jets and retrainings serve every output; a backward pass its own."""
    run, outputs = make_run("ridge", "sgd"), losses(1, 2)
    first = attribution.first_order(run, outputs, progress=False)
    alone = attribution.first_order(run, outputs[0], progress=False)
    assert total_cost(first) == pytest.approx(2 + 2 * 3)  # two forward, and 3 each
    assert total_cost([alone, alone]) == alone.cost == pytest.approx(2 + 3)
    sketched = sl.sketch(run, 3, 4, anchors=0, progress=False)
    made = [sketched.output(output) for output in outputs]
    assert total_cost(made) == 4 * 10
    sketched.anchor(run, "units", progress=False)
    anchored = [sketched.output(output) for output in outputs]
    assert total_cost(anchored) == 4 * 10 + 12 == total_cost([*made, *anchored])
    other = sl.sketch(run, 1, 4, seed=1, anchors=0, progress=False).output(outputs[0])
    assert total_cost([*made, other]) == 4 * 10 + 4 * 3
    known = retrained(run, outputs, np.eye(12), progress=False)
    assert total_cost([effects(one) for one in known]) == 12
    terms = taylor_terms(run, outputs, np.eye(12)[:5], 2, progress=False)
    assert total_cost(terms) == 5 * 6 and total_cost([t.part(degree=1) for t in terms]) == 5 * 3
    assert total_cost([]) == 0


def test_derivatives_count_for_every_output():
    """A pass of two outputs is two trainings and 3 for each, at each point and the base point."""
    run, outputs = make_run("ridge", "sgd"), [sl.LossOn(i) for i in range(10)]
    sketched = sl.sketch(run, 3, 4, anchors=0, progress=False)
    before = [sketched.output(one) for one in outputs]
    points = np.eye(12)[:3] + np.eye(12)[3:6]
    sketched.anchor(run, points, gradients=outputs[:2], progress=False)
    two = [sketched.output(one) for one in outputs]
    jets, passes = 4 * 10, 4 * (2 + 2 * 3)  # with the trainings of three anchors
    assert total_cost(two) == pytest.approx(jets + passes)
    assert total_cost(two[2:]) == jets + 3
    assert total_cost([*before, *two, *two]) == pytest.approx(jets + passes)
    half = 4 * (2 + 2 * 3) / 2  # of the passes; the anchors' trainings serve both outputs
    assert total_cost(two[:1]) == pytest.approx(jets + half + 3 / 2)
    cut = [one.part(degree=2) for one in two]
    assert total_cost(cut) == pytest.approx(4 * 6 + passes)
    sketched.anchor(run, points, gradients=outputs, progress=False)
    ten = [sketched.output(one) for one in outputs]
    assert total_cost(ten) == pytest.approx(jets + passes + 4 * (2 + 8 * 3))
    assert total_cost([*two, *ten]) == pytest.approx(total_cost(ten))


def board_of_ridge():
    """Two outputs, pairs and larger deletions of a small run."""
    rng = np.random.default_rng(6)
    groups = {2: random_deletions(12, [2] * 4, rng), "large": random_deletions(12, [5] * 3, rng)}
    return Scoreboard(make_run("ridge", "sgd"), losses(1, 2), groups, progress=False)


def test_a_board_scores_methods_by_group():
    """Effect sizes by hand; every method that knows the deletions is exact."""
    board = board_of_ridge()
    run = make_run("ridge", "sgd")
    assert board.deletions.shape == (7, 12) and list(board.groups) == ["2", "large"]
    for name, rows in board.groups.items():
        for row, truth in zip(rows, board.truth[name], strict=True):
            model = run.retrain(down_weights=row, progress=False)
            np.testing.assert_allclose(truth, [model.loss(1), model.loss(2)], rtol=1e-10)
    row = board.add("nothing", [effects(one, 0) for one in board.exact])
    now = [run.loss(1), run.loss(2)]
    size = np.sqrt(np.mean((board.truth["2"] - now) ** 2))
    assert row["2"]["rmse"] == pytest.approx(size, rel=1e-9) and row["cost"] == 0
    made = sl.sketch(run, 2, 3, anchors=0, progress=False)
    made.anchor(run, list(board.deletions), progress=False)
    exact = board.add("posterior", [made.output(o) for o in losses(1, 2)], estimator="posterior")
    assert exact["large"]["rmse"] < 1e-12 and exact["large"]["width"] == 0.0
    assert (exact["large"]["inside"], exact["large"]["lds"]) == (1.0, pytest.approx(1.0))
    assert exact["cost"] == 3 * 6 + 7
    based = attribution.first_order(run, losses(1, 2), at=5 / 12, progress=False)
    only = board.add("at the average", {"large": based})
    assert list(only) == ["method", "cost", "large"] and len(board.table) == 3
    expected = np.array([one.predict(board.groups["large"]).value for one in based]).T
    error = np.sqrt(np.mean((expected - board.truth["large"]) ** 2))
    assert only["large"]["rmse"] == pytest.approx(error, rel=1e-12)
    assert only["large"]["unknown"] == 1.0 and only["cost"] == sum(one.cost for one in based)
    with pytest.raises(ValueError, match="1 predictors for 2 outputs"):
        board.add("one too few", based[:1])
    with pytest.raises(ValueError, match="no group '3', only 2, large"):
        board.add("no such group", {3: based})


def test_a_truth_of_something_else_is_refused():
    """Other deletions, their order, outputs, units or another run; the right one is taken."""
    run, groups, quiet = make_run("ridge", "sgd"), {"a": np.eye(12)[:2]}, {"progress": False}
    x, labels = groups["a"], [0, 1, 2, 3] * 3
    right = retrained(run, losses(1, 2), x, **quiet)
    board = Scoreboard(run, losses(1, 2), groups, exact=right, **quiet)
    np.testing.assert_array_equal(board.truth["a"][:, 0], right[0].values)
    moved = [dataclasses.replace(one, now=1.01 * one.now) for one in right]
    fewer = retrained(run, losses(1, 2), np.eye(4)[:2], units=labels, **quiet)
    regrouped = retrained(run, losses(1, 2), np.eye(4)[:2], units=sorted(labels), **quiet)
    for exact, message in (
        (right[:1], "exact has 1 outputs, and 2 are given"),
        (retrained(run, losses(1, 2), x[::-1], **quiet), "number 0 of exact .* another order"),
        (retrained(run, losses(1, 2), np.eye(12)[:3], **quiet), "other deletions"),
        (right[::-1], "of another output or of another run"),
        (moved, "of another output or of another run"),
        (fewer, "4 units that are not the 12"),
    ):
        with pytest.raises(ValueError, match=message):
            Scoreboard(run, losses(1, 2), groups, exact=exact, **quiet)
    small = {"a": np.eye(4)[:2]}
    Scoreboard(run, losses(1, 2), small, units=labels, exact=fewer, **quiet)
    with pytest.raises(ValueError, match="4 units that are not the 4"):
        Scoreboard(run, losses(1, 2), small, units=labels, exact=regrouped, **quiet)


def test_predictors_of_something_else_are_refused():
    """In another order, of other units, or of another run: no row is added."""
    board, quiet = board_of_ridge(), {"progress": False}
    run = board.run
    right = attribution.first_order(run, losses(1, 2), **quiet)
    for found, message in (
        (right[::-1], "predictor 0 of 'm' is .* of another output"),
        (
            attribution.first_order(make_run("ridge", "momentum"), losses(1, 2), **quiet),
            "or of another run",
        ),
        (
            attribution.first_order(run, losses(1, 2), units=list(range(12))[::-1], **quiet),
            "12 units that are not the 12",
        ),
        (
            [effects(one, 0) for one in retrained(run, losses(1, 2), [], units=[0, 1] * 6)],
            "2 units",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            board.add("m", found)
    assert not board.table and not board.predicted
    board.add("m", right)


def test_wrong_boards_are_refused():
    run, x = make_run("ridge", "sgd"), np.eye(12)[:2]
    for arguments, error, message in (
        (("run", losses(1), {"a": x}), TypeError, "run must be a training run"),
        ((run, losses(1)[0], {"a": x}), TypeError, "list of functions of a model"),
        ((run, [], {"a": x}), TypeError, "list of functions of a model"),
        ((run, losses(1), {"a": np.eye(3)}), ValueError, "must be 12 finite real numbers"),
        ((run, [lambda m: m.losses([1, 2])], {"a": x}), ValueError, "one finite number per model"),
        ((run, [lambda m: m.loss(1) * np.nan], {"a": x}), ValueError, "one finite number"),
    ):
        with pytest.raises(error, match=message):
            Scoreboard(*arguments, progress=False)


TABLE = [
    {"method": "old", "cost": "3 per output", "1": {"rmse": 0.12345}, "x": {"rmse": 1.0}},
    {"method": "older", "cost": None, "1": {"rmse": 0.5, "inside": 0.875, "lds": 0.5}},
    {
        "method": "new",
        "cost": 8.85,
        "1": {
            "rmse": 0.25,
            "inside": 0.9,
            "unknown": 0.25,
            "width": 0.5,
            "interval": 0.75,
            "lds": -0.12345,
        },
        "x": {"rmse": 0.25, "inside": 1.0, "unknown": 1.0},
    },
]
PRINTED = {
    "rmse": """| method | trainings | 1 | x |
|---|---:|---:|---:|
| old | 3 per output | 0.1235 | 1.0000 |
| older |  | 0.5000 (88%) |  |
| new | 9 | 0.2500 (90%, 25% unknown) | 0.2500 |""",
    "lds": """| method | trainings | 1 |
|---|---:|---:|
| old | 3 per output |  |
| older |  | 0.500 |
| new | 9 | -0.123 |""",
    "width": """| method | trainings | 1 |
|---|---:|---:|
| old | 3 per output |  |
| older |  |  |
| new | 9 | 0.5000 |""",
    "interval": """| method | trainings | 1 |
|---|---:|---:|
| old | 3 per output |  |
| older |  |  |
| new | 9 | 0.7500 |""",
    "other": "",
}


def test_measured_seconds_have_a_column():
    board = board_of_ridge()
    board.add("first", [effects(one, 0) for one in board.exact], seconds=12.3)
    board.add("second", [effects(one, 0) for one in board.exact])
    lines = board.markdown().splitlines()
    assert lines[0].startswith("| method | trainings | core-seconds | 2 |")
    assert lines[1] == "|---|---:|---:|---:|---:|"
    assert lines[2].startswith("| first | 0 | 12 | ") and lines[3].startswith("| second | 0 |  | ")


@pytest.mark.parametrize("score", PRINTED)
def test_a_table_as_markdown(score):
    """Older results have words for costs and no widths; no brackets where there is no band."""
    assert markdown(TABLE, score) == PRINTED[score]
