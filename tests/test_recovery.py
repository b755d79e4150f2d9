"""Finding bad data: curves, areas and precisions by hand, chance by enumeration, injections."""

from itertools import permutations

import numpy as np
import pytest
from scipy import stats

import sketchlab as sl
from sketchlab import figures
from sketchlab.attribution import (
    by_chance,
    flipped_labels,
    recovery,
    without_first,
    wrong_names,
)

SCORES = np.array([3.0, 1.0, 2.0, 2.0, 2.0, 0.0, 1.0])
BAD = [0, 3, 6]


def test_ties_are_averaged_over_their_orders():
    """Every order of the tied, one by one: the curve is their mean, and the area that of pairs."""
    n = len(SCORES)
    curves, areas = [], []
    for order in permutations(range(n)):
        if np.all(np.diff(SCORES[list(order)]) <= 0):
            marks = np.isin(order, BAD)
            curves.append(np.append(0, np.cumsum(marks)) / len(BAD))
            before = [np.sum(~marks[i:]) for i in np.flatnonzero(marks)]
            areas.append(np.mean(before) / (n - len(BAD)))
    assert len(curves) == 6 * 2
    found = recovery(SCORES, BAD)
    np.testing.assert_allclose(found.found, np.mean(curves, axis=0))
    assert found.auc == pytest.approx(np.mean(areas))
    assert found.at(2) == pytest.approx(1 / 3 + 1 / 9) and found.count == 3
    # Down to the score 3: 1 of 1. Down to 2: 2 of 4. Down to 1: 3 of 6.
    assert found.precision == pytest.approx((1 + 2 / 4 + 3 / 6) / 3)


def test_without_ties_as_scikit_learn_has_it():
    """Area and average precision on scores rounded so that some are equal, and on others."""
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    for decimals in (8, 1):
        scores = rng.normal(size=200).round(decimals)
        bad = rng.choice(200, 30, replace=False)
        marks = np.isin(np.arange(200), bad)
        found = recovery(scores + marks, bad)
        assert found.auc == pytest.approx(metrics.roc_auc_score(marks, scores + marks))
        expected = metrics.average_precision_score(marks, scores + marks)
        assert found.precision == pytest.approx(expected)
        assert found.found[-1] == 1 and np.all(np.diff(found.found) >= -1e-12)
        assert np.all(np.diff(found.found) <= 1 / 30 + 1e-12), "one look finds one at most"


def test_order_alone_matters_and_its_reverse_has_the_rest():
    """A rising function of the scores changes nothing, minus them turns the area around."""
    rng = np.random.default_rng(1)
    scores, bad = rng.normal(size=60), range(10)
    one, same, other = (recovery(s, bad) for s in (scores, np.exp(scores), -scores))
    np.testing.assert_array_equal(one.found_band, same.found_band)
    assert (one.auc, one.auc_band, one.precision_band) == (
        same.auc, same.auc_band, same.precision_band
    )  # fmt: skip
    assert other.auc == pytest.approx(1 - one.auc)


def test_intervals_hold_what_they_are_of():
    """Normal scores with a known area: in most tries; the bootstrap's spread is DeLong's."""
    shift, rng, inside = 1.0, np.random.default_rng(2), []
    for seed in range(80):
        scores = rng.normal(size=150)
        scores[:20] += shift
        found = recovery(scores, range(20), draws=200, seed=seed)
        low, high = found.auc_band
        inside.append(low <= stats.norm.cdf(shift / np.sqrt(2)) <= high)
        bad, good = scores[:20], scores[20:]
        above = bad[:, None] > good
        spread = np.hypot(
            np.std(above.mean(axis=1), ddof=1) / np.sqrt(20),
            np.std(above.mean(axis=0), ddof=1) / np.sqrt(130),
        )
        assert (high - low) / (2 * 1.645 * spread) == pytest.approx(1, abs=0.3)
        k = 30
        assert found.found_band[0, k] <= found.at(k) <= found.found_band[1, k]
    assert 0.78 < np.mean(inside) < 0.99


@pytest.mark.parametrize(
    "scores", [np.zeros(40), -np.arange(40.0), np.append(np.ones(7), np.zeros(33))]
)
def test_intervals_that_are_not_known(scores):
    """Equal scores, a perfect order, and seven bad ones: infinite, and no false certainty."""
    bad = range(7) if scores[0] == 1 else range(10)
    found = recovery(scores, bad)
    assert found.auc_band == [-np.inf, np.inf] and found.precision_band == [-np.inf, np.inf]
    assert np.all(np.isinf(found.found_band))
    assert found.auc == (0.5 if not np.any(scores) else 1.0)


def test_chance_by_enumeration():
    """All places that 2 bad ones of 6 can have; the variance of Mann and Whitney."""
    n, bad = 6, 2
    curves, areas, precisions = [], [], []
    for i in range(n):
        for j in range(i + 1, n):
            one = recovery(-np.arange(n), [i, j])
            curves.append(one.found)
            areas.append(one.auc)
            precisions.append(one.precision)
    chance = by_chance(n, bad, draws=4000)
    np.testing.assert_allclose(chance.found, np.mean(curves, axis=0))
    assert chance.auc == pytest.approx(np.mean(areas))
    assert chance.auc_sd == pytest.approx(np.std(areas))
    assert chance.precision == pytest.approx(np.mean(precisions), abs=0.02)
    for low, high, shares in zip(*chance.found_band, np.transpose(curves), strict=True):
        assert np.mean(shares < low) < 0.05 <= np.mean(shares <= low)
        assert np.mean(shares < high) < 0.95 <= np.mean(shares <= high)


def test_the_area_by_chance_is_never_beyond_what_an_area_can_be():
    """Of one bad document among three, whose interval of a normal distribution is wider."""
    assert by_chance(3, 1).auc_band == [0.0, 1.0]
    low, high = by_chance(400, 20).auc_band
    assert 0.0 < low < 0.5 < high < 1.0 and low + high == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("scores", "bad", "error", "message"),
    [
        ([1.0, 2.0, 3.0], [], ValueError, "none of the 3 documents"),
        ([1.0, 2.0, 3.0], [0, 1, 2], ValueError, "all of the 3 documents"),
        ([1.0, np.nan, 3.0], [0], ValueError, "nan at index"),
        ([1.0, np.inf, 3.0], [0], ValueError, "inf at index"),
        ([1j, 2.0, 3.0], [0], ValueError, "must be real"),
        (np.ones((3, 2)), [0], ValueError, "one for each document"),
        (["a", "b"], [0], TypeError, "must be real"),
        ([1.0, 2.0, 3.0], [3], IndexError, "go from 0 to 2"),
        ([1.0, 2.0, 3.0], [1, 1], ValueError, "repeated"),
        ([1.0, 2.0, 3.0], np.array([True, False, False]), TypeError, "integers"),
    ],
)
def test_what_cannot_be_scored_is_refused(scores, bad, error, message):
    """In words."""
    with pytest.raises(error, match=message):
        recovery(scores, bad)


def test_other_wrong_numbers():
    """Of k, of chance, of draws."""
    with pytest.raises(ValueError, match="at most 7"):
        recovery(SCORES, BAD).at(8)
    with pytest.raises(ValueError, match="good documents too"):
        by_chance(5, 5)
    with pytest.raises(ValueError, match="draws"):
        recovery(SCORES, BAD, draws=0)


def test_wrong_names_are_words_of_random_letters():
    """As many, as long, of the same letters, none a name; the others stay; the seed decides."""
    names = sl.names.load()[:300]
    changed, places = wrong_names(names, 60, seed=3)
    assert len(changed) == 300 and len(set(places)) == 60 and np.all(np.diff(places) > 0)
    for i, (old, new) in enumerate(zip(names, changed, strict=True)):
        assert len(new) == len(old) and (new == old) == (i not in places)
        assert i not in places or new not in names
    letters = "".join(changed[i] for i in places)
    kinds = sorted(set("".join(names)))
    assert set(letters) <= set(kinds)
    counts = [letters.count(letter) for letter in kinds]
    assert stats.chisquare(counts).pvalue > 0.001
    again, same = wrong_names(names, 60, seed=3)
    assert again == changed and np.array_equal(same, places)
    assert wrong_names(names, 60, seed=4)[0] != changed


def test_flipped_labels_are_wrong():
    """Where it says, and nowhere else; every wrong kind is as likely."""
    labels = np.arange(900) % 3
    changed, places = flipped_labels(labels, 300, seed=1)
    np.testing.assert_array_equal(np.flatnonzero(changed != labels), places)
    assert len(places) == 300 and set(changed) == {0, 1, 2}
    moves = np.bincount((changed - labels)[places] % 3, minlength=3)
    assert moves[0] == 0 and abs(moves[1] - 150) < 40
    words, places = flipped_labels(["yes", "no", "yes"], 2)
    assert all(words[i] != ["yes", "no", "yes"][i] for i in places)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: wrong_names("anna", 1), TypeError, "names must be a list"),
        (lambda: wrong_names(["anna", ""], 1), ValueError, "name 1 is empty"),
        (lambda: wrong_names(["anna", "bob"], 2), ValueError, "below 2"),
        (lambda: wrong_names(["a", "b"], 1), ValueError, "take longer names"),
        (lambda: wrong_names(["anna", "bob"], 1, seed=-1), ValueError, "seed"),
        (lambda: flipped_labels([1, 1, 1], 1), ValueError, "two kinds"),
        (lambda: flipped_labels([[1], [2]], 1), ValueError, "one for each example"),
        (lambda: flipped_labels([1, 2], 0), ValueError, "count"),
    ],
)
def test_wrong_injections_are_refused(call, error, message):
    """In words."""
    with pytest.raises(error, match=message):
        call()


def test_deletions_follow_the_ranking():
    """The first k go, equal ones in the order of their numbers; what cannot be is refused."""
    x = without_first(SCORES, [0, 1, 3])
    np.testing.assert_array_equal(x, [[0] * 7, [1, *[0] * 6], [1, 0, 1, 1, 0, 0, 0]])
    for counts, message in (([7], "at most 6"), ([-1], "1 or higher"), ([1.5], "1 or higher")):
        with pytest.raises(ValueError, match=message):
            without_first(SCORES, counts)
    with pytest.raises(ValueError, match="nan"):
        without_first([np.nan, 1.0], [1])


def test_curves_are_drawn_with_what_chance_finds():
    """The lines are those of the recoveries; the band is of a random order."""
    scores = np.random.default_rng(0).normal(size=50)
    found = {"some": recovery(scores, range(10)), "$$": recovery(-scores, range(10))}
    (axes,) = figures.recovery_curves(found, most=30, what="names").axes
    best, *lines = axes.get_lines()
    for line, one in zip(lines, found.values(), strict=True):
        np.testing.assert_allclose(line.get_ydata(), 100 * one.found[:31])
        assert f"area {one.auc:.2f}" in line.get_label()
    np.testing.assert_allclose(best.get_ydata()[[5, 10, 20]], [50, 100, 100])
    shape = axes.collections[0].get_paths()[0].vertices
    for k in (5, 20):
        band = stats.hypergeom.ppf([0.05, 0.95], 50, 10, k) * 10
        at = shape[shape[:, 0] == k, 1]
        assert {round(at.min()), round(at.max())} == set(band.astype(int))
    other = recovery(np.arange(40.0), range(10))
    with pytest.raises(ValueError, match="different documents"):
        figures.recovery_curves({**found, "other": other})
    with pytest.raises((ValueError, TypeError), match=r"one to 7|one entry"):
        figures.recovery_curves({})


def test_losses_are_drawn_with_the_range_of_random_orders():
    """One line each; of several orders their mean."""
    several = np.array([[1.0, 2.0, 3.0], [1.0, 4.0, 5.0]])
    drawn = figures.losses_without([0, 5, 9], {"one": [3, 2, 1], "random": several}, label="loss")
    (axes,) = drawn.axes
    one, mean = axes.get_lines()
    assert list(one.get_ydata()) == [3, 2, 1] and list(mean.get_ydata()) == [1, 3, 4]
    shape = axes.collections[0].get_paths()[0].vertices
    assert (shape[:, 1].min(), shape[:, 1].max()) == (1, 5)
    with pytest.raises(ValueError, match="each of the 3 counts"):
        figures.losses_without([0, 5, 9], {"one": [3, 2]})
