"""Banzhaf and Shapley values against their definitions by enumeration; Gaussian kernels."""

import itertools
import math
import warnings

import numpy as np
import pytest
from test_scoreboard import EVERY, N, known_of, polynomial

import sketchlab as sl
from sketchlab.attribution import (
    Retrained,
    banzhaf,
    random_deletions,
    random_halves,
    regression,
    retrained,
    shapley,
)
from sketchlab.attribution.semivalues import _same_in_all_pairs, random_orders
from sketchlab.estimation.units import Units

from test_training import make_run

ALL = np.concatenate([np.zeros((1, N)), EVERY])  # every deletion of 6 units


def enumerated(function, weight, n=N):
    """The mean of f(D + u) - f(D) over all D without u, with weights by the size of D."""
    values = np.zeros(n)
    for u in range(n):
        rest = [v for v in range(n) if v != u]
        for size in range(n):
            for chosen in itertools.combinations(rest, size):
                x = np.zeros(n)
                x[list(chosen)] = 1.0
                y = x.copy()
                y[u] = 1.0
                values[u] += weight(size, n) * (function(y) - function(x))
    return values


def half(size, n):
    """The weight of a set in a Banzhaf value."""
    return 0.5 ** (n - 1)


def ordered(size, n):
    """The weight of a set in a Shapley value: the share of orders in which it stands before u."""
    return math.factorial(size) * math.factorial(n - size - 1) / math.factorial(n)


def polynomial_run():
    """A training whose parameters are the down-weights, w = 1 - x: one step on losses -w_i."""

    def losses(parameters, rows):
        return -parameters["w"][..., rows]

    model = sl.Model({"w": np.zeros(N)}, losses)
    return sl.TrainingRun(
        model, np.arange(N), optimizer=sl.SGD(float(N)), batch_size=N, steps=1, progress=False
    )


def of_run(function):
    """A function of down-weights as an output of that training."""
    return lambda model: function(1.0 - model.parameters["w"])


# ---- Banzhaf ---------------------------------------------------------------------------------


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_banzhaf_of_all_deletions_is_its_definition(degree):
    """Maximum sample reuse over every subset once is the mean over all D, whatever the degree."""
    function = polynomial(degree)
    (found,) = banzhaf([known_of(function, ALL)])
    np.testing.assert_allclose(found.values, enumerated(function, half), rtol=1e-10, atol=1e-12)
    assert found.cost == len(found.known) == 2**N and np.all(found.errors > 0)


def test_banzhaf_of_random_halves_within_its_errors():
    """Scores (estimate - truth) / error over 200 draws are of mean 0 and deviation 1."""
    function, rng = polynomial(3), np.random.default_rng(0)
    truth, scores = enumerated(function, half), []
    for _ in range(200):
        (found,) = banzhaf([known_of(function, random_halves(N, 80, rng))])
        scores.append((found.values - truth) / found.errors)
    scores = np.array(scores)
    assert np.max(np.abs(scores.mean(axis=0))) < 4 / np.sqrt(200)
    np.testing.assert_allclose(scores.std(axis=0), 1.0, atol=0.2)


def test_errors_of_banzhaf_by_hand():
    """Two units, six retrainings: difference of means, and the variances of both."""
    x = np.array([[1, 0], [1, 1], [1, 0], [0, 1], [0, 0], [0, 1.0]])
    y = np.array([3.0, 5.0, 4.0, 1.0, 2.0, 6.0])
    (found,) = banzhaf([Retrained(x, y, Units(["a", "b"], 2), 2.0)])
    assert found.values == pytest.approx([4.0 - 3.0, 4.0 - 3.0])
    assert found.errors[0] == pytest.approx(np.sqrt(1.0 / 3 + 7.0 / 3))
    b = [5.0, 1.0, 6.0], [3.0, 4.0, 2.0]
    assert found.errors[1] == pytest.approx(np.sqrt(sum(np.var(v, ddof=1) / 3 for v in b)))


def test_the_rule_of_banzhaf_is_right_on_average_and_with_nothing_deleted():
    """Also for values with noise; between them it is additive: one slope for every unit."""
    function = polynomial(3)
    known = known_of(function, random_halves(N, 40, np.random.default_rng(1)))
    (found,) = banzhaf([known])
    np.testing.assert_allclose(
        np.mean(found.rule(known.deletions)), np.mean(known.values), rtol=1e-12
    )
    assert found.rule(np.zeros((1, N)))[0] == known.now
    assert found.predict(np.zeros(N)).error == 0
    slopes = found.rule(np.eye(N)) - known.now
    np.testing.assert_allclose(slopes - found.values, slopes[0] - found.values[0], rtol=1e-9)
    partly = np.full(N, 0.25)
    assert found.predict(partly).value == pytest.approx(known.now + partly @ slopes, rel=1e-12)
    assert np.isinf(found.predict(partly).error)
    again = found.predict(known.deletions)
    np.testing.assert_array_equal(again.value, known.values)
    assert not np.any(again.error)


def test_a_large_constant_costs_no_digits():
    """The values of f + 1e9 are those of f."""
    function = polynomial(2)
    one, other = (banzhaf([known_of(lambda x, c=c: function(x) + c, ALL)])[0] for c in (0.0, 1e9))
    np.testing.assert_allclose(other.values, one.values, atol=1e-6)
    np.testing.assert_allclose(other.errors, one.errors, rtol=1e-6)


RARE = np.random.default_rng(4).random((60, 40)) < 0.1
WRONG = {
    "half a deletion": (EVERY * 0.5, "whole units"),
    "never deleted": (EVERY * [0, 1, 1, 1, 1, 1], r"unit 0 is deleted in 0 of 63"),
    "always deleted": (np.maximum(EVERY, [0, 0, 0, 0, 0, 1]), r"unit 5 is deleted in 63 of 63"),
    "kept only once": (ALL[[0, -1, -2, -3]], "at least 2 and kept in at least 2"),
    "of one size": (
        random_deletions(40, [20] * 60, np.random.default_rng(3)),
        "here 50% are deleted, 20 to 20 of the 40",
    ),
    "a fifth": (
        random_deletions(40, np.arange(60) % 9 + 4, np.random.default_rng(3)),
        "here 20% are deleted",
    ),
    "a tenth, or nine": (
        np.where(np.arange(60)[:, None] % 2, RARE, ~RARE) + 0.0,
        "by random_halves",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_deletions_that_are_no_halves_are_refused(case):
    x, message = WRONG[case]
    known = Retrained(x, np.arange(len(x), dtype=float), Units(None, x.shape[1]), 0.0)
    with pytest.raises(ValueError, match=message):
        banzhaf([known])


def test_random_halves_are_taken_for_what_they_are():
    """In 300 draws of many shapes none is refused, once every unit is deleted and kept."""
    rng, tried = np.random.default_rng(5), 0
    for draw in range(300):
        n, m = (3, 6, 40, 400)[draw % 4], (8, 20, 100)[draw % 3]
        x = random_halves(n, m, rng)
        if not np.all((x.sum(axis=0) >= 2) & (x.sum(axis=0) <= m - 2)):
            continue
        banzhaf([Retrained(x, rng.normal(size=m), Units(None, n), 0.0)])
        tried += 1
    assert tried > 200


def test_banzhaf_wants_a_list():
    for wrong in (known_of(polynomial(1), ALL), [], [ALL]):
        with pytest.raises(TypeError, match="list of Retrained"):
            banzhaf(wrong)


# ---- Shapley ---------------------------------------------------------------------------------


@pytest.mark.parametrize("degree", [1, 2])
def test_shapley_is_exact_where_only_pairs_interact(degree):
    """From four orders: an order and its reverse share out every pair in halves."""
    function = polynomial(degree)
    (found,) = shapley(polynomial_run(), [of_run(function)], 4, progress=False)
    np.testing.assert_allclose(found.values, enumerated(function, ordered), rtol=1e-9, atol=1e-12)
    known = np.isfinite(found.errors)
    assert np.count_nonzero(known) >= 4
    np.testing.assert_allclose(found.errors[known], 0, atol=1e-12)


def test_a_unit_after_the_same_others_in_all_orders_has_an_unknown_error():
    """At the ends of two pairs of orders its value is off, and nothing tells by how much."""
    function = polynomial(3)
    orders = np.array([[0, 1, 2, 3, 4, 5], [0, 2, 1, 5, 3, 4]])
    orders = np.stack([orders, orders[:, ::-1]], axis=1).reshape(4, N)
    assert list(np.flatnonzero(_same_in_all_pairs(orders))) == [0]
    orders[2:] = [[5, 2, 1, 3, 4, 0], [0, 4, 3, 1, 2, 5]]
    assert list(np.flatnonzero(_same_in_all_pairs(orders))) == [0, 5]
    truth, told = enumerated(function, ordered), 0
    for seed in range(20):
        (found,) = shapley(polynomial_run(), [of_run(function)], 4, seed=seed, progress=False)
        unknown = np.isinf(found.errors)
        np.testing.assert_array_equal(unknown, _same_in_all_pairs(random_orders(N, 4, seed)))
        told += np.count_nonzero(np.abs(found.values - truth)[unknown] > 1e-6)
    assert told > 0


def test_shapley_within_its_errors():
    """Triples differ from order to order; scores over seeds are of deviation about 1."""
    function, run = polynomial(3), polynomial_run()
    truth, scores = enumerated(function, ordered), []
    for seed in range(40):
        (found,) = shapley(run, [of_run(function)], 24, seed=seed, progress=False)
        open_ = found.errors > 1e-9
        assert list(np.flatnonzero(open_)) == [0, 2, 3]  # the units of the triple
        np.testing.assert_allclose(found.values[~open_], truth[~open_], rtol=1e-9)
        scores.append((found.values - truth)[open_] / found.errors[open_])
    assert np.max(np.abs(np.mean(scores, axis=0))) < 4 / np.sqrt(40)
    assert 0.7 < np.std(scores) < 1.4


def test_shapley_adds_up_on_a_real_training():
    """To f(all deleted) - f(nothing deleted), whatever the orders; two documents a unit.

    With everything deleted the parameters are the initial ones; that is no cause for a warning.
    """
    run, units = make_run("logistic", "adam"), list("aabbccddeeff")
    outputs = [lambda model, i=i: model.loss(i) for i in (3, 5)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = shapley(run, outputs, 4, units=units, seed=1, progress=False)
    for output, one in zip(outputs, found, strict=True):
        start = float(output(run.initial))
        assert np.sum(one.values) == pytest.approx(start - one.known.now, rel=1e-12)
        p = one.predict(np.ones(N))
        assert p.value == pytest.approx(start, rel=1e-12) and p.error == 0
        assert one.rule(np.ones((1, N)))[0] == pytest.approx(start, rel=1e-12)
        assert len(np.unique(one.deletions, axis=0)) == one.cost <= 4 * (N - 1) + 1


def test_shapley_of_a_real_training_is_its_definition():
    """Beside all 63 retrainings: within the errors of 60 orders, which train at most these."""
    run, units = make_run("mlp", "adam"), list("aabbccddeeff")
    outputs = [lambda model: model.loss(3)]
    (every,) = retrained(run, outputs, EVERY[:-1], units=units, progress=False)
    table = {tuple(x): v for x, v in zip(every.deletions, every.values, strict=True)}
    table[(0.0,) * N], table[(1.0,) * N] = every.now, float(outputs[0](run.initial))
    truth = enumerated(lambda x: table[tuple(x)], ordered)
    (found,) = shapley(run, outputs, 60, units=units, progress=False)
    assert found.cost <= 63
    assert np.all(np.abs(found.values - truth) < 4 * found.errors + 1e-12)
    assert np.max(found.errors) < 0.2 * np.max(np.abs(truth))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        decayed = make_run("mlp", "momentum")  # weight decay goes on with everything deleted
        last = decayed.retrain(without=range(12), progress=False)
    (found,) = shapley(decayed, outputs, 4, units=units, progress=False)
    gap = float(outputs[0](last)) - found.known.now
    assert np.sum(found.values) == pytest.approx(gap, rel=1e-12)
    assert float(outputs[0](last)) != pytest.approx(float(outputs[0](decayed.initial)), rel=1e-6)


@pytest.mark.parametrize("groups", ["aabbccddeeee", "a" * 12])
def test_few_units_have_all_their_orders(groups):
    """Exact: their values are those of the definition, whatever the seed, with errors of 0."""
    run, outputs, n = make_run("mlp", "adam"), [lambda model: model.loss(3)], len(set(groups))
    every = np.array(list(itertools.product((0.0, 1.0), repeat=n)))[:-1]
    (known,) = retrained(run, outputs, every, units=list(groups), progress=False)
    table = {tuple(x): v for x, v in zip(every, known.values, strict=True)}
    table[(1.0,) * n] = float(outputs[0](run.initial))
    (found,) = shapley(run, outputs, 4, units=list(groups), progress=False)
    truth = enumerated(lambda x: table[tuple(x)], ordered, n)
    np.testing.assert_allclose(found.values, truth, rtol=1e-9)
    assert not np.any(found.errors) and found.cost == 2**n - 1


def test_orders_that_cannot_be_are_refused():
    run, outputs = polynomial_run(), [of_run(polynomial(1))]
    for settings, message in (
        ({"permutations": 5}, "must be even, 4 or more"),
        ({"permutations": 2}, "must be even, 4 or more"),
        ({"most": 20}, "up to 21 retrainings, more than most=20: group the documents"),
        ({"seed": -1}, "seed must be an integer"),
    ):
        with pytest.raises(ValueError, match=message):
            shapley(run, outputs, **{"permutations": 4, **settings}, progress=False)
    with pytest.raises(TypeError, match="list of functions"):
        shapley(run, outputs[0])
    shapley(run, outputs, 1000, most=63, progress=False)  # there are no more sets


# ---- the Gaussian kernel ---------------------------------------------------------------------


def test_gaussian_kernels_are_their_closed_form():
    """Their own matrix and cross-validation, in numpy; one setting serves both outputs."""
    pytest.importorskip("sklearn")
    order = np.random.default_rng(2).permutation(len(EVERY))
    given, asked = EVERY[order[:39]], EVERY[order[39:]]
    functions = [polynomial(3, seed) for seed in (0, 1)]
    y = np.stack([function(given) for function in functions], axis=-1)
    mean = y.mean(axis=0)

    def kernel(a, b, gamma):
        return np.exp(-gamma * np.sum((a[:, None] - b) ** 2, axis=-1))

    def solved(x, y, moves, gamma, alpha):
        inner = kernel(x, x, gamma) + alpha * np.eye(len(x))
        return kernel(moves, x, gamma) @ np.linalg.solve(inner, y)

    def explained(settings):
        shares = []
        for out in np.split(np.arange(39), 3):
            rest = np.setdiff1d(np.arange(39), out)
            left = y[out] - mean - solved(given[rest], y[rest] - mean, given[out], *settings)
            shares.append(1.0 - np.sum(left**2, axis=0) / np.sum((y[out] - y[out].mean(0)) ** 2, 0))
        return np.mean(shares)

    pairs = itertools.combinations(given, 2)
    apart = np.median([np.sum(a != b) for a, b in pairs])
    grid = [(w / apart, a) for w in (0.01, 0.03, 0.1, 0.3, 1.0) for a in 10.0 ** np.arange(-6, 1)]
    expected = mean + solved(given, y - mean, asked, *max(grid, key=explained))
    found = regression([known_of(f, given) for f in functions], "rbf_kernel_ridge")
    values = np.stack([baseline.predict(asked).value for baseline in found], axis=-1)
    np.testing.assert_allclose(values, expected, rtol=1e-6)
    spread = np.std([function(EVERY) for function in functions])
    assert np.sqrt(np.mean((values - [[f(x) for f in functions] for x in asked]) ** 2)) < spread


def test_the_width_does_not_depend_on_how_often_units_are_split():
    """Every unit twice, in halves that are deleted together: the same predictions."""
    pytest.importorskip("sklearn")
    known = known_of(polynomial(3), EVERY[::2])
    twice = Retrained(
        np.repeat(known.deletions, 2, axis=1), known.values, Units(None, 2 * N), known.now
    )
    one, other = (regression([k], "rbf_kernel_ridge")[0] for k in (known, twice))
    np.testing.assert_allclose(
        other.predict(np.repeat(EVERY, 2, axis=1)).value, one.predict(EVERY).value, rtol=1e-8
    )


@pytest.mark.parametrize(
    ("kind", "fewest"), [("ridge", 2), ("lasso", 4), ("kernel_ridge", 6), ("rbf_kernel_ridge", 6)]
)
def test_too_few_retrainings_for_cross_validation_are_refused(kind, fewest):
    """In words of this package; as many as the message says are enough."""
    pytest.importorskip("sklearn")
    for count in range(1, fewest):
        with pytest.raises(ValueError, match=f"needs {fewest} retrainings or more.* are {count}"):
            regression([known_of(polynomial(1), EVERY[:count])], kind)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (found,) = regression([known_of(polynomial(1), EVERY[:fewest])], kind)
    assert np.all(np.isfinite(found.predict(EVERY).value))


def test_gaussian_kernels_have_no_degree():
    pytest.importorskip("sklearn")
    with pytest.raises(ValueError, match="no degree"):
        regression([known_of(polynomial(1), EVERY)], "rbf_kernel_ridge", 2)
    with pytest.raises(ValueError, match="deletions are the same"):
        regression([known_of(polynomial(1), np.ones((9, N)))], "rbf_kernel_ridge")
