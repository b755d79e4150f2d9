"""Models along the way of a method, and the predicted changes of logits that are matched."""

import numpy as np
import pytest

import sketchlab as sl
from sketchlab.unlearning import changes, path, reseeded, stopped, train_seeds, unlearn

DOCS = sl.names.load()[:24]
LETTERS = "abcdefghijklmnopqrstuvwxyz"
FORGET = [2, 7, 19]


@pytest.fixture(scope="module")
def run():
    """A short training of a small microgpt, over the data twice."""
    return sl.train(DOCS, steps=48, width=8, heads=2, vocabulary=LETTERS, progress=False)


@pytest.fixture(scope="module")
def originals(run):
    """Forty seeds, more than one batch."""
    return train_seeds(run, 40, progress=False)


def test_a_path_passes_where_shorter_calls_end(originals):
    """Its ends are the originals and what unlearn gives; between, fewer passes; costs grow."""
    settings = {"kept": 4, "optimizer": sl.Adam(0.001, schedule="constant"), "progress": False}
    most = unlearn(originals, FORGET, "ascent_descent", passes=2, **settings)
    half = unlearn(originals, FORGET, "ascent_descent", passes=1, **settings)
    shown = 24  # all documents are used by one model or another
    way = path(originals, FORGET, "ascent_descent", [0, shown, 2 * shown], passes=2, **settings)
    np.testing.assert_array_equal(way[0].flat, originals.flat)
    np.testing.assert_array_equal(way[1].flat, half.flat)
    np.testing.assert_array_equal(way[2].flat, most.flat)
    assert way[0].cost == 1.0 and not np.any(way[0].moved)
    assert way[1].cost == half.cost and way[2].cost == most.cost
    falling = {**settings, "optimizer": sl.Adam(0.01), "passes": 2}  # its rate knows the whole way
    short = path(originals, FORGET, "fine_tuning", [5], **falling)[0]
    long = path(originals, FORGET, "fine_tuning", [5, 40], **falling)
    np.testing.assert_array_equal(short.flat, long[0].flat)
    rates = path(originals, FORGET, "single_gradient", [0.0, 0.1], progress=False)
    one = unlearn(originals, FORGET, "single_gradient", rate=0.1, progress=False)
    np.testing.assert_array_equal(rates[1].flat, one.flat)
    np.testing.assert_array_equal(rates[0].flat, originals.flat)


def test_wrong_ways_and_levels_are_refused(originals):
    """Before anything is computed."""
    with pytest.raises(ValueError, match="no rate="):
        path(originals, FORGET, "single_gradient", [0.1], rate=0.2)
    for level in (np.nan, np.zeros(3)):
        with pytest.raises(ValueError, match=r"level must be (one finite number|finite)"):
            stopped([originals], ["max"], level)
    for way, examples in (([], ["max"]), ([originals], [])):
        with pytest.raises(ValueError, match="one or more"):
            stopped(way, examples, 1.0)


@pytest.mark.parametrize("stops", [[], [3, 2], [1, 1], [-1], [2.5], [0, 4]])
def test_wrong_stops_are_refused(originals, stops):
    """Out of order, twice, too many: ascent is shown three documents."""
    with pytest.raises((ValueError, TypeError), match="stop"):
        path(originals, FORGET, "ascent", stops, progress=False)


def test_each_model_stops_where_its_loss_arrives(run, originals):
    """At the first stop that reaches the level; the others at the last."""
    rates = [0.0, 0.05, 0.1, 0.2, 0.4]
    way = path(originals, FORGET, "first_epoch_gradients", rates, progress=False)
    forgotten = run.examples(FORGET)
    losses = np.array([one.losses(forgotten).mean(axis=1) for one in way])
    level = np.where(np.arange(len(originals)) % 3 > 0, losses[2], losses.max() + 1.0)
    models, reached = stopped(way, forgotten, level)
    assert 0 < reached.sum() < len(originals), "of both kinds"
    for row in range(len(originals)):
        expected = [k for k in range(5) if losses[k, row] >= level[row]]
        assert reached[row] == bool(expected)
        np.testing.assert_array_equal(
            models.flat[row], way[expected[0] if expected else 4].flat[row]
        )
    nobody, reached = stopped(way, forgotten, 1e3)
    np.testing.assert_array_equal(nobody.flat, way[-1].flat)
    assert not np.any(reached)


def retrained_change(run, without, doc):
    """What retraining does to the logits."""
    return changes.logits(run.retrain(without=without, progress=False), doc) - changes.logits(
        run.model, doc
    )


def test_effects_add_up_single_retrainings(run):
    """Of one document alone the sum is exact."""
    found = changes.change_by_effects(run, FORGET, progress=False)
    expected = sum(retrained_change(run, [i], "zoe") for i in FORGET)
    np.testing.assert_allclose(found("zoe"), expected, atol=1e-12)
    assert found.cost == 3


def test_regression_is_that_of_every_logit_with_one_penalty(run):
    """Ridge regression of the logits themselves, on the retrainings."""
    from sklearn.linear_model import Ridge

    x = sl.attribution.random_deletions(24, [3] * 40, np.random.default_rng(0))
    found = changes.change_by_regression(run, FORGET, x, progress=False)
    y = np.array([retrained_change(run, np.flatnonzero(row), "zoe") for row in x])
    y = y.reshape(40, -1)
    question = run.indicator(FORGET)
    candidates = [Ridge(alpha).fit(x, y).coef_ @ question for alpha in np.logspace(-4, 4, 17)]
    distances = [np.abs(found("zoe").ravel() - one).max() for one in candidates]
    assert min(distances) < 1e-6 * np.abs(y).max()
    truth = retrained_change(run, FORGET, "zoe")
    assert np.mean((found("zoe") - truth) ** 2) < np.mean(truth**2), "the penalty is a sensible one"
    assert found.cost == 40


@pytest.mark.parametrize("estimator", ["mean", "minimum_norm"])
def test_a_sketch_predicts_logits_as_it_predicts_outputs(run, estimator):
    """Linear estimators: each logit's change is what an output of its own is predicted to do."""
    sketch = sl.sketch(run, 2, 30, anchors=4, progress=False)
    found = changes.change_by_sketch(sketch, run, FORGET, estimator=estimator)
    change = found("zoe")
    for position, token in [(0, 3), (2, 11)]:

        def logit(model, position=position, token=token):
            return changes.logits(model, "zoe")[..., position, token]

        output = sketch.output(logit)
        # what the deletion changes, by the estimator alone (its known value is not used)
        expected = output.predict(without=FORGET, estimator=estimator).value - output.now
        assert change[position, token] == pytest.approx(expected, abs=1e-6)
    assert found.cost == 30 * 6 + 4


def test_better_evidence_predicts_better(run):
    """Jets along the deletion before a sketch; anchors before none; all before no change."""
    sketch = sl.sketch(run, 2, 60, anchors=0, progress=False)
    alone = changes.change_by_sketch(sketch, run, FORGET)
    sketch.anchor(
        run, sl.attribution.random_deletions(24, [3] * 40, np.random.default_rng(1)), progress=False
    )
    both = changes.change_by_sketch(sketch, run, FORGET)
    assert both.cost == alone.cost + len(sketch.anchors) > alone.cost + 35
    docs = ["zoe", *DOCS[:6]]
    truth = [retrained_change(run, FORGET, doc) for doc in docs]

    def error(change):
        return np.sqrt(
            np.mean([np.mean((change(d) - t) ** 2) for d, t in zip(docs, truth, strict=True)])
        )

    jets = [error(changes.change_by_jets(run, FORGET, d, progress=False)) for d in (1, 2, 3)]
    nothing = error(lambda doc: 0.0)
    assert jets[2] < jets[1] < jets[0] < nothing
    assert error(both) < error(alone) < nothing


def test_changes_of_several_seeds_have_their_mean(run):
    """Each is that of a run from its seed; costs add up."""
    runs = [reseeded(run, seed, progress=False) for seed in (5, 6)]
    expected = sl.train(
        DOCS, seed=5, steps=48, width=8, heads=2, vocabulary=LETTERS, progress=False
    )
    assert runs[0].loss("zoe") == expected.loss("zoe") != run.loss("zoe")
    single = [changes.change_by_jets(one, FORGET, 2, progress=False) for one in runs]
    both = changes.mean_change(single)
    np.testing.assert_allclose(both("zoe"), (single[0]("zoe") + single[1]("zoe")) / 2, atol=1e-12)
    assert both.cost == 12
    with pytest.raises(ValueError, match="one or more changes"):
        changes.mean_change([])


def test_sketches_of_other_units_or_runs_are_refused(run):
    """Their directions are not those of single documents from nothing deleted on."""
    grouped = sl.sketch(run, 1, 4, units=[[0, 1], list(range(2, 24))], anchors=0, progress=False)
    with pytest.raises(ValueError, match="single documents"):
        changes.change_by_sketch(grouped, run, FORGET)
    around = sl.sketch(run, 1, 4, deletion_size=3, anchors=0, progress=False)
    with pytest.raises(ValueError, match="around nothing deleted"):
        changes.change_by_sketch(around, run, FORGET)
    other = sl.train(DOCS, steps=24, width=8, heads=2, vocabulary=LETTERS, progress=False)
    with pytest.raises(ValueError, match="run"):
        changes.change_by_sketch(sl.sketch(other, 1, 4, anchors=0, progress=False), run, FORGET)
    for make in (changes.change_by_effects, lambda r, w: changes.change_by_jets(r, w, 1)):
        with pytest.raises(ValueError, match="0 of 24 documents"):
            make(run, [])
    with pytest.raises(ValueError, match="degree must be"):
        changes.change_by_jets(run, FORGET, 0)
    with pytest.raises(ValueError, match="no deletion among these has document 2"):
        changes.change_by_regression(run, FORGET, np.eye(24)[10:20])
    with pytest.raises(ValueError, match="too few for a regression"):
        changes.change_by_regression(run, FORGET, np.zeros((2, 24)))
    with pytest.raises(ValueError, match="kind must be"):
        changes.change_by_regression(run, FORGET, np.zeros((2, 24)), kind="forest")
