"""The bench: oracles are at the null, doing nothing is not, and diverging is a row."""

import numpy as np
import pytest

import sketchlab as sl
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
