"""Measures of unlearning: right values where public code has wrong ones, and what fools which."""

import numpy as np
import pytest
import sklearn.metrics

import sketchlab as sl
from sketchlab.unlearning import klom, lira, loss_attack, margins, null, wasserstein

MODELS = 100
CEILING = np.log(1e5)


def normal(seed, models=MODELS, examples=40, mean=0.0, spread=1.0):
    """Margins of as many models from one distribution."""
    return np.random.default_rng(seed).normal(mean, spread, (models, examples))


def test_attacks_on_other_examples_are_refused():
    """All four sets of margins are of the same examples; seeds are numbers."""
    values = np.random.default_rng(0).normal(size=(60, 3))
    with pytest.raises(ValueError, match="margins of 3 and of 2 examples"):
        lira(values, values[:, :2], values, values[:, :2])
    with pytest.raises(ValueError, match="seed must be an integer"):
        null(values, klom, seed="a")


@pytest.mark.parametrize("wrong", [{"clip": 0}, {"clip": -1}, {"floor": 0}, {"floor": 2}])
def test_wrong_settings_of_klom_are_refused(wrong):
    """They would read as perfect."""
    values = np.random.default_rng(0).normal(size=(60, 2))
    with pytest.raises(ValueError, match=r"clip must be a finite number above 0|floor must lie"):
        klom(values, values, **wrong)


def test_margins_are_log_odds():
    """Of the softmax, also far out, where the probability rounds to 1."""
    logits = np.random.default_rng(0).normal(size=(5, 3, 4))
    targets = np.array([0, 3, 1])
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    p = np.take_along_axis(p, np.broadcast_to(targets[:, None], (5, 3, 1)), -1)[..., 0]
    np.testing.assert_allclose(margins(logits, targets), np.log(p / (1 - p)), rtol=1e-9)
    assert margins([800.0, 0.0], 0) == 800.0
    with pytest.raises(ValueError, match="targets must be classes, 0 to 3"):
        margins(logits, np.array([0, 4, 1]))
    with pytest.raises(ValueError, match="two or more classes"):
        margins([1.0], 0)


def edge(value):
    """Margins that are all the same."""
    return np.full((MODELS, 40), value)


@pytest.mark.parametrize("value", [1e4, -1e4, np.inf, -np.inf])
def test_diverged_models_score_the_worst(value):
    """They fall on an end of the histogram, which belongs to it: not the perfect 0."""
    np.testing.assert_allclose(klom(edge(value), normal(0)), CEILING)


def test_margins_just_above_the_oracles_score_the_worst():
    """The highest margin of all has a bin, and it is not the oracles'."""
    oracle = np.random.default_rng(0).uniform(0, 1, (MODELS, 40))
    np.testing.assert_allclose(klom(edge(oracle.max() + 0.2), oracle), CEILING)
    shared = klom(edge(oracle.max() + 1e-12), oracle)  # one bin with the oracles' highest
    q = np.sum(np.floor(oracle / oracle.max(0) * 20) >= 19, axis=0) / MODELS
    assert np.all(shared < CEILING) and np.all(shared > -np.log(q.max() + 0.1))


def test_klom_by_hand():
    """Four bins, counts by hand; the two directions differ; what is equal is at 0."""
    u = np.array([[0.0], [0.0], [0.4], [1.0]])
    o = np.array([[0.0], [0.3], [0.3], [1.0]])
    expected = 0.5 * np.log(0.5 / 0.25) + 0.25 * np.log(0.25 / 0.5) + 0
    assert klom(u, o, bins=4, force=True) == pytest.approx([expected])
    assert np.all(klom(edge(3.0), edge(3.0)) == 0)
    assert klom(u, o, bins=4, floor=0.9, force=True)[0] < 0, "not renormalised, as said"
    narrow, wide = normal(0, 4000, 4, spread=1 / 3), normal(1, 4000, 4)
    ways = klom(narrow, wide).mean(), klom(wide, narrow).mean()
    normals = [np.log(3) + (1 / 9 - 1) / 2, -np.log(3) + (9 - 1) / 2]  # in closed form
    assert ways[0] == pytest.approx(normals[0], rel=0.1)
    assert normals[0] < ways[1], "the larger way, up to the floor"


@pytest.mark.parametrize(("models", "mean", "high"), [(50, 0.85, 1.7), (100, 0.33, 0.64)])
def test_the_null_of_klom_is_far_from_0(models, mean, high):
    """Mean and 95th percentile of normal margins, measured before by other code."""
    found = null(normal(2, 2 * models, 200), klom, splits=4)
    assert found.shape == (4, 200)
    assert found.mean() == pytest.approx(mean, rel=0.15)
    assert np.percentile(found, 95) == pytest.approx(high, rel=0.2)


def test_rounding_alone_is_no_divergence():
    """Margins that are equal but for their last digits; a difference that is more counts."""
    oracle = 3.0 * (1.0 + 1e-15 * normal(0))
    other = 3.0 * (1.0 + 1e-15 * normal(1)) + 1e-14
    assert np.ptp(oracle) > 0 and np.all(klom(other, oracle) == 0)
    np.testing.assert_allclose(klom(other + 1e-6, oracle), CEILING)


def test_an_error_of_the_callers_score_is_its_own():
    """A score that takes two arrays and fails inside; one that takes three is refused before."""

    def broken(one, other):
        return one + "text"

    with pytest.raises(TypeError) as raised:
        null(normal(0), broken)
    assert "score must be" not in str(raised.value)
    with pytest.raises(TypeError, match="score must be a function of 2 arguments"):
        null(normal(0), lambda one, two, three: one)


def test_wrong_margins_are_refused():
    """NaN, too few models, other examples, wrong shapes."""
    broken = normal(0)
    broken[3, 2] = np.nan
    for score in (klom, wasserstein):
        with pytest.raises(ValueError, match="of 1 of 100 models are NaN, or infinite"):
            score(broken, normal(1))
        with pytest.raises(ValueError, match="40 and of 39 examples"):
            score(normal(0), normal(1)[:, 1:])
        with pytest.raises(ValueError, match=r"must have shape \(models, examples\), not \(100,\)"):
            score(normal(0)[:, 0], normal(1))
    with pytest.raises(ValueError, match="infinite"):
        wasserstein(edge(np.inf), normal(0))
    with pytest.raises(ValueError, match="KLoM of 49 models is mostly noise"):
        klom(normal(0, 49), normal(1))
    assert np.all(np.isfinite(klom(normal(0, 49), normal(1), force=True)))
    with pytest.raises(ValueError, match="two oracles or more"):
        null(normal(0, 1), wasserstein)


def test_wasserstein_is_what_must_be_moved():
    """A shift costs its length, however large; of the same distribution it shrinks with N."""
    oracle = normal(0)
    np.testing.assert_allclose(wasserstein(oracle + 1e4, oracle), 1e4)
    same = null(normal(1, 800), wasserstein, splits=3).mean()
    fewer = null(normal(1, 200), wasserstein, splits=3).mean()
    assert same == pytest.approx(fewer / 2, rel=0.2)


def test_the_loss_attack_finds_lower_losses():
    """In closed form for normal losses; nothing to find is inside the interval."""
    forget, unseen = normal(0, mean=-1.0), normal(1, examples=60)
    found = loss_attack(forget, unseen)
    auc = 0.760  # Phi(1 / sqrt 2)
    assert found.auc.low < auc < found.auc.high and found.auc.value == pytest.approx(auc, abs=0.02)
    assert found.tpr.value == pytest.approx(0.092, abs=0.03), "Phi(1 - 2.326)"
    nothing = loss_attack(normal(2), unseen)
    assert nothing.auc.low < 0.5 < nothing.auc.high
    assert loss_attack(normal(2), unseen) == nothing, "seeded"
    certain = loss_attack(edge(-50.0), unseen)
    assert certain.auc.value == certain.tpr.value == 1.0
    assert certain.auc.low < 1.0, "an interval is never without width"


def test_rates_are_those_of_the_roc_curve():
    """Of scikit-learn, with ties and without."""
    for digits in (1, 9):
        forget, unseen = np.round(normal(0, mean=-0.5), digits), np.round(normal(1), digits)
        labels = np.repeat([1, 0], forget.size)
        scores = -np.concatenate([forget.ravel(), unseen.ravel()])
        false, true, _ = sklearn.metrics.roc_curve(labels, scores)
        found = loss_attack(forget, unseen)
        assert found.auc.value == pytest.approx(sklearn.metrics.roc_auc_score(labels, scores))
        assert found.tpr.value == pytest.approx(true[false <= 0.01].max())


def test_lira_sees_in_which_distribution_a_margin_lies():
    """Models that still know score high, oracles a half, also where the loss alone says nothing."""
    difficulty = normal(9, 1, mean=0.0, spread=5.0)  # of examples: hides a shift from thresholds
    oracle, tested = normal(0) + difficulty, normal(1) + difficulty
    members, knowing = normal(2, mean=2.0) + difficulty, normal(3, mean=2.0) + difficulty
    assert lira(knowing, members, oracle, tested).auc.value == pytest.approx(0.921, abs=0.02)
    retrained = lira(normal(4) + difficulty, members, oracle, tested)
    assert retrained.auc.low < 0.5 < retrained.auc.high
    overshot = lira(normal(5, mean=-6.0) + difficulty, members, oracle, tested)
    assert overshot.auc.value < 0.05, "fooled: the attack asks only whether it was a member"
    assert klom(normal(5, mean=-6.0) + difficulty, oracle).mean() > 8


def test_verification_error_is_by_seed():
    """A 3-4-5 triangle for every model."""
    weights = np.zeros((2, 3))
    moved = weights + np.array([3.0, 0.0, 4.0])
    np.testing.assert_allclose(sl.unlearning.verification_error(moved, weights), [5.0, 5.0])
    with pytest.raises(ValueError, match="differ in shape"):
        sl.unlearning.verification_error(moved, weights[:1])
