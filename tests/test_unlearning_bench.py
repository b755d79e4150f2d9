"""The bench: oracles are at the null, doing nothing is not, and diverging is a row."""

import dataclasses
import pickle
import unicodedata

import numpy as np
import pytest

import sketchlab as sl
from sketchlab.unlearning import documents
from sketchlab.unlearning.bench import PARTS, Bench

DOCS = sl.names.load()[:24]
LETTERS = "abcdefghijklmnopqrstuvwxyz"
FORGET = [0, 5, 9, 13, 17, 21]


@pytest.fixture(scope="module")
def bench():
    """Fifty seeds of a small model, trained so long that six names of 24 matter."""
    run = sl.train(DOCS, steps=96, width=8, heads=2, vocabulary=LETTERS, progress=False)
    return Bench(run, FORGET, ["max", "zoe", "noah"], seeds=50, retained=6, progress=False)


def test_oracles_are_at_the_null_and_doing_nothing_is_not(bench):
    """In every distance, on the forget set; the attacks see which."""
    bench.add("nothing")
    nothing, oracle = bench.table[-1], bench.scores(bench.same)
    assert nothing["moved"] == 0 and nothing["cost"] == 1.0 and nothing["diverged"] == 0
    for part in PARTS:
        low, mean, high = bench.null[part]["wasserstein"]
        assert low < mean < high and oracle["wasserstein"][part] < 1.5 * high
    for name in ("klom", "klom95", "wasserstein"):
        low, _, high = bench.null["forget"][name]
        assert 0.6 * low < oracle[name]["forget"] < 1.5 * high
        assert nothing[name]["forget"] > 1.5 * high
    assert nothing["lira"].auc.low > 0.6 and oracle["lira"].auc.low < 0.5 < oracle["lira"].auc.high
    assert oracle["verification_error"] == (0.0, 0.0) and nothing["verification_error"][0] > 0
    assert nothing["losses"]["forget"] < oracle["losses"]["forget"]


def test_rows_say_what_a_method_did(bench):
    """Costs, steps and settings; models that diverged have no scores."""
    models = bench.add("ascent", name="up", optimizer=sl.SGD(0.02))
    row = bench.table[-1]
    assert row["method"] == "up" and row["moved"] == 50 and row["steps"] == 6
    assert row["cost"] == pytest.approx(1 + 6 / 96)
    assert row["losses"]["forget"] == pytest.approx(models.losses(bench.parts["forget"]).mean())
    bench.add("ascent", name="wild", optimizer=sl.SGD(1e150), passes=2)
    wild = bench.table[-1]
    assert wild["diverged"] == 50 and "klom" not in wild
    assert not set(bench.parts["retain"]) & set(bench.parts["forget"])
    assert bench.parts["forget"] == [DOCS[i] for i in FORGET]


def test_a_way_goes_from_the_originals_past_the_oracles(bench):
    """Its first stop is doing nothing; far up the losses, all forgotten names are too unlikely."""
    way = bench.way("ascent", [0, 12, 60], passes=10, optimizer=sl.Adam(0.03, schedule="constant"))
    nothing = bench.scores(bench.originals)
    assert way.distances[0]["klom"] == nothing["klom"] and way.costs == (0.0, 12 / 96, 60 / 96)
    assert way.steps == (0.0, 12.0, 60.0)
    missed = way.missed()
    assert missed.shape == (3, 6)
    # by hand: log-likelihood is minus the loss times the number of letters and the end
    losses = [
        models.losses([DOCS[5]])[:, 0] * (len(DOCS[5]) + 1)
        for models in (bench.originals, bench.oracles)
    ]
    expected = -(losses[0].mean() - losses[1].mean()) / losses[1].std()
    assert missed[0, 1] == pytest.approx(expected)
    assert np.all(missed[0] > 0) and np.all(missed[2] < 0), "overshot"
    retrained = bench.same.losses([DOCS[5]])[:, 0] * (len(DOCS[5]) + 1)
    by_hand = -(retrained.mean() - losses[1].mean()) / losses[1].std()
    assert way.missed_by_retraining()[1] == pytest.approx(by_hand)
    oracles = way.standardised("forget")
    np.testing.assert_allclose([oracles.mean(), oracles.std()], [0.0, 1.0], atol=1e-9)
    assert way.standardised("forget", 0).mean() > 0 > way.standardised("forget", 2).mean()
    wild = bench.way("ascent", [0, 12], passes=2, optimizer=sl.SGD(1e150))
    assert wild.distances[0] and wild.distances[1] is None


def test_benches_share_originals(bench):
    """Of the same run, and not of another."""
    other = Bench(bench.run, [1, 2], ["max"], originals=bench.originals, progress=False)
    assert other.originals is bench.originals and len(other.oracles) == 50
    run = sl.train(DOCS, steps=24, width=8, heads=2, vocabulary=LETTERS, progress=False)
    with pytest.raises(ValueError, match="this same run"):
        Bench(run, FORGET, ["max"], originals=bench.originals)


def test_originals_of_another_kind_are_refused(bench):
    """Other starts, other documents, or unlearned already: the rows would mean nothing."""
    run, quiet = bench.run, {"progress": False}

    def wide(seed):
        return {name: 3.0 * value for name, value in run.initial.fresh(seed).parameters.items()}

    own = sl.unlearning.train_seeds(run, 50, initial=wide, **quiet)
    with pytest.raises(ValueError, match="initial= that they were trained with"):
        Bench(run, FORGET, ["max"], originals=own, **quiet)
    same = Bench(run, FORGET, ["max"], originals=own, initial=wide, **quiet)
    np.testing.assert_array_equal(same.same.starts, own.starts)
    without = sl.unlearning.train_seeds(run, 50, without=[3], **quiet)
    for wrong in (without, sl.unlearning.unlearn(bench.originals, [3], "nothing")):
        with pytest.raises(ValueError, match="trained on all documents"):
            Bench(run, FORGET, ["max"], originals=wrong, **quiet)
    with pytest.raises(TypeError, match="must be Models"):
        Bench(run, FORGET, ["max"], originals=3, **quiet)


def test_models_may_come_from_another_process(bench):
    """A copy by pickle is scored as they are."""
    found = bench.scores(pickle.loads(pickle.dumps(bench.same)))
    assert found["klom"] == bench.scores(bench.same)["klom"]


def test_margins_that_overflow_count_as_diverged(bench):
    """Their parameters are finite still."""
    models = bench.add("single_gradient", rate=1e150)
    assert not np.any(models.diverged) and bench.table[-1]["diverged"] == 50
    models = dataclasses.replace(bench.originals, flat=1e300 * bench.originals.flat)
    assert np.all(np.isfinite(models.flat)) and bench.scores(models)["diverged"] == 50
    del bench.table[-1]


def test_what_was_trained_on_is_not_unseen():
    """By value, as the model reads it: of other types, compositions and beyond the context."""
    kind = sl.Model({"w": np.zeros(1)}, lambda p, rows: (p["w"] - np.arange(30.0)[rows]) ** 2)
    run = sl.TrainingRun(kind, np.arange(30), optimizer=sl.SGD(0.01), progress=False)
    rows = sl.TrainingRun(
        sl.Model({"w": np.zeros(2)}, lambda p, x: sl.ring.sum(p["w"][..., None, :] * x, -1)),
        np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32),
        optimizer=sl.SGD(0.01),
        progress=False,
    )
    words = sl.train(["müller", "maja" * 5], width=8, heads=2, progress=False)
    for one, unseen in (
        (run, [3]),
        (run, range(3)),
        (rows, [rows.data[2].astype(float)]),
        (words, [unicodedata.normalize("NFD", "müller")]),
        (words, ["maja" * 6]),
    ):
        with pytest.raises(ValueError, match="it was trained on"):
            documents.unseen_documents(one, unseen)
    assert documents.unseen_documents(words, ("maja", "muller")[:1]) == ["maja"]


def test_wrong_benches_are_refused(bench):
    """Too few seeds, nothing unseen, before anything is trained."""
    with pytest.raises(ValueError, match="49 seeds are too few"):
        Bench(bench.run, FORGET, ["max"], seeds=49)
    with pytest.raises(ValueError, match="never trained on"):
        Bench(bench.run, FORGET, [], seeds=50)
    with pytest.raises(TypeError, match="not one string"):
        Bench(bench.run, FORGET, "max", seeds=50)
    with pytest.raises(ValueError, match="unknown character 'ä'"):
        Bench(bench.run, FORGET, ["mäx"], seeds=50)
    with pytest.raises(ValueError, match="0 of 24 documents"):
        Bench(bench.run, [], ["max"], seeds=50)
    with pytest.raises(ValueError, match="retained must be"):
        Bench(bench.run, FORGET, ["max"], seeds=50, retained=0)
    with pytest.raises(ValueError, match="the seeds of its originals"):
        bench.scores(bench.oracles)
    with pytest.raises(ValueError, match="it was trained on"):
        Bench(bench.run, FORGET, [DOCS[3]], seeds=50)
    assert np.all(bench.oracles.seeds == np.arange(50, 100))
