"""Intervals by loops and in a simulation, null rows against what is known, tables."""

import math

import numpy as np
import pytest
from scipy import stats
from test_scoreboard import losses

import sketchlab as sl
from sketchlab.attribution import Scoreboard, effects, random_deletions, retrained, uncertainty
from sketchlab.attribution.uncertainty import DRAWS, band, floor, shuffled, uncertain

from test_training import PROBLEMS, make_run

INFINITE = [-np.inf, np.inf]
SCORES = ("rmse", "lds", "bias", "scale")


@pytest.fixture
def few(monkeypatch):
    """Intervals also of few outputs, so that examples can be done by hand."""
    monkeypatch.setattr(uncertainty, "FEWEST_OUTPUTS", 2)


def small(points=9, outputs=3, seed=0):
    """Truths with ties and predictions of them."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 6, (points, outputs)).astype(float)
    return truth, truth + rng.normal(0.3, 1.0, truth.shape), rng.normal(size=outputs)


def by_loops(truth, value, now):
    """The four scores, one output and one number at a time."""
    pairs = [(truth[i, k], value[i, k], now[k]) for i in range(len(truth)) for k in range(len(now))]
    rhos = []
    for t, p in zip(truth.T, value.T, strict=True):
        if len(set(t)) > 1:
            rhos.append(stats.spearmanr(p, t).statistic if len(set(p)) > 1 else 0.0)
    return {
        "rmse": math.sqrt(sum((p - t) ** 2 for t, p, _ in pairs) / len(pairs)),
        "lds": sum(rhos) / len(rhos) if rhos else math.nan,
        "bias": sum(p - t for t, p, _ in pairs) / len(pairs),
        "scale": sum((p - n) * (t - n) for t, p, n in pairs)
        / sum((p - n) ** 2 for _, p, n in pairs),
    }


def test_the_bootstrap_is_that_of_loops(few):
    """The same draws of deletions and of outputs, every score by hand."""
    truth, value, now = small()
    found, rng = uncertain(truth, value, now, draws=40, seed=5), np.random.default_rng(5)
    rows, columns = rng.integers(0, 9, (40, 9)), rng.integers(0, 3, (40, 3))
    drawn = []
    for r, c in zip(rows, columns, strict=True):
        drawn.append(by_loops(truth[r][:, c], value[r][:, c], now[c]))
    for name in SCORES:
        expected = np.nanquantile([one[name] for one in drawn], [0.05, 0.95])
        np.testing.assert_allclose(found[f"{name}_band"], expected, rtol=1e-10)
        assert expected[0] < by_loops(truth, value, now)[name] < expected[1]
    for name in ("bias", "scale"):
        assert found[name] == pytest.approx(by_loops(truth, value, now)[name], rel=1e-12)


def test_bias_and_scale_of_a_known_line(few):
    """Changes predicted at half their size: scale 2, whatever the outputs were before."""
    truth, _, now = small()
    found = uncertain(truth, now + (truth - now) / 2, now)
    assert found["scale"] == pytest.approx(2.0, rel=1e-12)
    np.testing.assert_allclose(found["scale_band"], 2.0, rtol=1e-12)
    assert uncertain(truth, truth + 3, now)["bias"] == pytest.approx(3.0, rel=1e-12)


@pytest.mark.parametrize(("points", "outputs"), [(7, 8), (30, 7), (1, 1), (2, 9)])
def test_too_few_are_not_known(points, outputs):
    """Never a width of zero; with two deletions there is no LDS at all."""
    found = uncertain(*small(points, outputs))
    bands = {name: found[name] for name in found if name.endswith("_band")}
    assert ("lds_band" in bands) == (points > 2) and len(bands) >= 3
    assert all(one == INFINITE for one in bands.values())
    enough = uncertain(*small(8, 2))
    assert all(enough[f"{name}_band"][0] < enough[f"{name}_band"][1] for name in SCORES)


def test_nothing_predicted_has_no_scale_and_no_known_rank(few):
    truth, _, now = small()
    found = uncertain(truth, np.tile(now, (9, 1)), now)
    assert "scale" not in found and "scale_band" not in found
    assert found["lds_band"] == INFINITE and np.all(np.isfinite(found["rmse_band"]))
    assert band([]) == band([np.nan]) == INFINITE


def coverage(points, outputs, tries=300, draws=200):
    """How often the interval of the bias holds it: effects of deletions, of outputs, and both."""
    rng, held = np.random.default_rng(12), 0
    for number in range(tries):
        off = rng.normal(size=(points, 1)) + rng.normal(size=(1, outputs))
        off = 0.7 + off + rng.normal(size=(points, outputs))
        truth = rng.normal(size=off.shape)
        found = uncertain(truth, truth + off, np.zeros(outputs), draws=draws, seed=number)
        low, high = found["bias_band"]
        held += low <= 0.7 <= high
    return held / tries


COVERAGES = {  # deletions, outputs: the least and the most; found: 0.88 and 0.85
    (30, 20): (0.85, 0.95),
    (20, 8): (0.80, 0.95),
}


@pytest.mark.parametrize("size", COVERAGES)
def test_coverage_of_crossed_random_effects(size):
    """90% is meant."""
    low, high = COVERAGES[size]
    assert low <= coverage(*size) <= high


def noisy(rng, points, outputs):
    """Truths with an effect of the deletion; noise of the predictions that differs by output."""
    truth = rng.normal(size=(points, 1)) + rng.normal(size=(points, outputs))
    noise = rng.uniform(0.5, 2.5, size=outputs) * rng.normal(size=truth.shape)
    return truth, truth + noise + 0.5 * rng.normal(size=(points, 1))


def test_coverage_of_the_lds_and_of_the_rmse():
    """What 2000 deletions and 500 outputs give is taken for true. Found: 0.975 and 0.885."""
    rng, outputs, held = np.random.default_rng(21), np.zeros(8), {"lds": 0, "rmse": 0}
    large = by_loops_fast(*noisy(rng, 2000, 500))
    for number in range(200):
        found = uncertain(*noisy(rng, 20, 8), outputs, draws=200, seed=number)
        for name in held:
            low, high = found[f"{name}_band"]
            held[name] += low <= large[name] <= high
    assert 0.85 <= held["lds"] / 200 <= 0.99 and 0.83 <= held["rmse"] / 200 <= 0.95, held


def by_loops_fast(truth, value):
    """RMSE and LDS of many."""
    each = [stats.spearmanr(t, p).statistic for t, p in zip(truth.T, value.T, strict=True)]
    return {"rmse": np.sqrt(np.mean((value - truth) ** 2)), "lds": np.mean(each)}


@pytest.mark.parametrize("points", [8, 20])
def test_random_rankings_have_the_known_distribution_of_rho(points):
    """Mean 0, variance 1 / (n - 1); the ends as those of its t transform. All outputs as one."""
    truth = np.random.default_rng(1).normal(size=(points, 1))
    found = shuffled(truth, draws=4000, seed=2)
    assert abs(found["lds"]) < 4 / math.sqrt(4000 * (points - 1))
    t = stats.t.ppf(0.95, points - 2)
    end = t / math.sqrt(points - 2 + t * t)
    np.testing.assert_allclose(found["lds_band"], [-end, end], atol=0.04)
    alike = shuffled(np.tile(truth, 5), draws=4000, seed=2)
    np.testing.assert_allclose(alike["lds_band"], found["lds_band"], atol=1e-12)
    squares = 2 * np.var(truth)  # mean of (a - b)^2, over orders
    assert found["rmse"] == pytest.approx(math.sqrt(squares), rel=0.05)


def test_the_noise_floor_by_hand():
    truth, one, _ = small()
    two = truth[::-1]
    found = floor(truth, [one, two])
    for name in ("rmse", "lds"):
        each = [by_loops(truth, other, np.ones(3))[name] for other in (one, two)]
        assert found[name] == pytest.approx(np.mean(each), rel=1e-12)
        assert found[f"{name}_sd"] == pytest.approx(abs(each[0] - each[1]) / 2**0.5, rel=1e-12)
    assert found["runs"] == 2 and floor(truth, [one])["rmse_sd"] == np.inf


def test_wrong_arrays_are_refused():
    truth, value, now = small()
    for arguments in ((truth[0], value[0], now), (truth, value[1:], now), (truth, value, now[1:])):
        with pytest.raises(ValueError, match=r"one shape \(points, outputs\), and now"):
            uncertain(*arguments)
    with pytest.raises(ValueError, match="draws"):
        uncertain(truth, value, now, draws=0)


# ---- the board -------------------------------------------------------------------------------


def other_run(seed, data=range(12)):
    """The small ridge run from other initial parameters."""
    function, start = PROBLEMS["ridge"]
    rng = np.random.default_rng(seed)
    start = {
        name: np.asarray(part) + rng.normal(size=np.shape(part)) for name, part in start.items()
    }
    model, optimizer = sl.Model(start, function), make_run("ridge", "sgd").optimizer
    settings = {"steps": 30, "batch_size": 5, "progress": False}
    return sl.TrainingRun(model, np.array(data), optimizer=optimizer, **settings)


@pytest.fixture
def board(few):
    rng = np.random.default_rng(6)
    groups = {"a": random_deletions(12, [3] * 9, rng), "few": random_deletions(12, [5] * 3, rng)}
    made = Scoreboard(make_run("ridge", "sgd"), losses(1, 2), groups, progress=False)
    made.add("a < b", [effects(one, 0) for one in made.exact])
    made.add_no_change()
    made.add_random_ranking(draws=100)
    made.add_noise_floor([other_run(1), other_run(2)], progress=False)
    return made


def test_the_rows_of_a_board(board):
    """Each beside the functions of the module, and the floor beside retrainings one by one."""
    given, nothing, random, noise = board.table
    truth, now = board.truth["a"], [one.now for one in board.exact]
    expected = uncertain(truth, np.tile(now, (9, 1)), now)
    assert {name: given["a"][name] for name in expected} == expected
    assert given["a"]["lds"] == 0.0 and not {"lds", "lds_band"} & set(nothing["a"])
    assert nothing["a"]["rmse"] == given["a"]["rmse"] and nothing["cost"] == 0
    assert given["few"]["rmse_band"] == INFINITE
    assert random["a"] == shuffled(truth, draws=100) and random["cost"] == 0
    errors = []
    for seed in (1, 2):
        found = retrained(other_run(seed), losses(1, 2), board.groups["a"], progress=False)
        errors.append(np.sqrt(np.mean((np.stack([o.values for o in found], -1) - truth) ** 2)))
    assert noise["a"]["rmse"] == pytest.approx(np.mean(errors), rel=1e-9)
    assert noise["cost"] == 2 * (1 + 12) and min(errors) > 0


def test_wrong_runs_have_no_floor(board):
    same = make_run("ridge", "sgd")
    for runs, error, message in (
        ([], TypeError, "list of other training runs"),
        (same, TypeError, "list of other training runs"),
        (["run"], TypeError, "must be a training run"),
        ([other_run(1, range(11))], ValueError, "was on other data|must be 12"),
        ([other_run(1, [1, 0, *range(2, 12)])], ValueError, "was on other data"),
        ([same], ValueError, "two runs give the same outputs"),
        ([other_run(1), other_run(1)], ValueError, "two runs give the same outputs"),
    ):
        with pytest.raises(error, match=message):
            board.add_noise_floor(runs, progress=False)
    assert len(board.table) == 4


def test_a_board_is_shown_without_pandas(board):
    """Every method has a row; what is not known is in words, and names are escaped."""
    text, page = board._repr_markdown_().splitlines(), board._repr_html_()
    assert text[0] == "| method | a: rmse | a: lds | few: rmse | few: lds | trainings |"
    assert len(text) == 2 + 4 and page.count("<tr>") == 1 + 4
    rmse, (low, high) = board.table[0]["a"]["rmse"], board.table[0]["a"]["rmse_band"]
    cells = [cell.strip() for cell in text[2].split("|")[1:-1]]
    assert cells[:3] == ["a < b", f"{rmse:.4f} [{low:.4f}, {high:.4f}]", "0.000 [not known]"]
    assert cells[3].endswith("[not known]") and "a &lt; b" in page and "a < b" not in page
    assert text[3].split("|")[3].strip() == "–" and " ± " in text[5]


def test_records_are_flat(board):
    """One for each method and group, which pandas.DataFrame takes as they are."""
    rows = board.records()
    assert [(row["method"], row["group"]) for row in rows[:2]] == [("a < b", "a"), ("a < b", "few")]
    assert len(rows) == 8
    assert [rows[0]["rmse_low"], rows[0]["rmse_high"]] == board.table[0]["a"]["rmse_band"]
    assert not any(isinstance(value, list) for row in rows for value in row.values())
    assert DRAWS == 1000
