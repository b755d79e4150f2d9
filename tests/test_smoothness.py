"""Metasmoothness against retraining one by one and closed forms; the benchmark and its figure."""

import importlib
import io
import json
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy import stats
from test_scoreboard import N, losses, polynomial
from test_semivalues import of_run, polynomial_run

import sketchlab as sl
from sketchlab import figures
from sketchlab.attribution import metasmoothness, random_deletions
from sketchlab.attribution.smoothness import Metasmoothness, agreement

from conftest import ROOT, documentation
from test_training import make_run


def test_agreement_by_hand():
    """Three parameters go on by 1, 2 and back by 4: weights 2, 3 and 1, of which 5 agree."""
    first, middle, last = [0.0, 1.0, 5.0], [1.0, 2.0, 0.0], [2.0, 4.0, 4.0]
    assert agreement(*map(np.array, (first, middle, last))) == pytest.approx((2 + 3 - 1) / 6)
    stays = np.array([[1.0, 2.0], [1.0, 1.0], [3.0, 0.0]])
    assert agreement(*stays) == pytest.approx((0 + 2) / 4)  # the first stays at first: no sign
    assert np.isnan(agreement(np.ones(3), np.arange(3.0), np.ones(3)))


def test_metasmoothness_is_that_of_retraining_one_by_one():
    """Three trainings for each direction, over units of two documents, in two batches."""
    run, units = make_run("mlp", "adam"), list("aabbccddeeff")
    rng = np.random.default_rng(0)
    directions = np.concatenate([random_deletions(N, [1, 3, 5], rng), rng.normal(size=(37, N))])
    outputs = losses(3, 5, 6)
    found = metasmoothness(run, directions, 0.4, outputs=outputs, units=units, progress=False)
    assert found.cost == 80 and found.scores.shape == (40,)
    for row in (0, 1, 2, 3, 20, 39):
        ends = []
        for step in (0.0, 0.4, 0.8):
            x = step * np.repeat(directions[row], 2)
            ends.append(run.retrain(down_weights=x, progress=False))
        a, b, c = (
            np.concatenate([np.ravel(p) for p in model.parameters.values()]) for model in ends
        )
        expected = np.sum(abs(c - a) * np.sign(b - a) * np.sign(c - b)) / np.sum(abs(c - a))
        assert found.scores[row] == pytest.approx(expected, rel=1e-9)
        a, b, c = (np.array([float(output(model)) for output in outputs]) for model in ends)
        expected = np.sum(abs(c - a) * np.sign(b - a) * np.sign(c - b)) / np.sum(abs(c - a))
        assert found.output_scores[row] == pytest.approx(expected, rel=1e-7)
        np.testing.assert_allclose(
            found.second_differences[row], abs(c - 2 * b + a) / 0.16, rtol=1e-5, atol=1e-9
        )
        np.testing.assert_allclose(found.changes[row], c - a, rtol=1e-8, atol=1e-14)


@pytest.mark.parametrize("h", [0.05, 0.5, 3.0])
def test_where_parameters_are_the_down_weights_the_score_is_1(h):
    """And second differences are those of the polynomial, 2 v' Q v for any step."""
    run, rng = polynomial_run(), np.random.default_rng(1)
    v = rng.normal(size=(5, N))
    found = metasmoothness(
        run, v, h, outputs=[of_run(polynomial(d)) for d in (1, 2)], progress=False
    )
    np.testing.assert_array_equal(found.scores, 1.0)
    quadratic = polynomial(2)  # f(v) + f(-v) - 2 f(0) = 2 v' Q v
    expected = np.abs(quadratic(v) + quadratic(-v) - 2 * quadratic(np.zeros(N)))
    np.testing.assert_allclose(found.second_differences[:, 0], 0, atol=1e-11)
    np.testing.assert_allclose(found.second_differences[:, 1], expected, rtol=1e-9)


def test_an_output_that_turns_back_has_score_minus_1():
    """A parabola with its minimum between the steps; one beyond them goes on."""
    run = polynomial_run()
    for minimum, score in ((0.4, -1.0), (1.1, 1.0), (-0.1, 1.0)):
        output = of_run(lambda x, at=minimum: (x[..., 2] - at) ** 2)
        found = metasmoothness(run, np.eye(N)[2], 0.5, outputs=[output], progress=False)
        assert found.output_scores[0] == score and found.second_differences[0, 0] == pytest.approx(
            2.0
        )


def test_shorter_steps_are_smoother_and_relu_is_rough():
    """1 - score falls with the step for GELU; ReLU stays away from 1 at every step."""
    docs = sl.names.load()[:60]
    rough = {}
    for activation in ("gelu", "relu"):
        run = sl.train(docs, activation=activation, progress=False)
        x = random_deletions(60, [6] * 6, np.random.default_rng(2))
        found = [metasmoothness(run, x, h, progress=False) for h in (0.5, 0.05, 0.005)]
        rough[activation] = [1 - one.mean for one in found]
    gelu, relu = rough["gelu"], rough["relu"]
    assert gelu[0] > gelu[1] > gelu[2] > 0 and gelu[2] < 0.01
    assert all(r > g for r, g in zip(relu, gelu, strict=True))


def test_the_interval_is_that_of_a_mean():
    """By scipy; one direction says nothing, and no end is beyond what a score can be."""
    scores = np.array([0.5, 0.7, 0.4, 0.6])
    found = Metasmoothness(scores, None, None, None, 0.5, 8)
    expected = stats.t.interval(0.9, 3, scores.mean(), stats.sem(scores))
    assert found.mean == pytest.approx(0.55) and found.interval == pytest.approx(expected)
    assert Metasmoothness(scores[:1], None, None, None, 0.5, 2).interval == (-1.0, 1.0)
    assert Metasmoothness(np.array([0.2, 0.99]), None, None, None, 0.5, 4).interval == (-1.0, 1.0)
    assert "0.550 (90% interval 0.398 to 0.702 over 4 directions, h = 0.5)" in repr(found)
    assert [type(end) for end in found.interval] == [float, float]
    equal = Metasmoothness(np.full(4, 0.9), None, None, None, 0.5, 8)
    assert equal.interval == (-1.0, 1.0), "no score differs: nothing is known of the spread"


def test_wrong_directions_are_refused():
    """Before training, or when it notices nothing: with 2 steps of 5 the last two are not used."""
    run = make_run(steps=2)
    for directions, settings, message in (
        (np.eye(12), {"h": 0.0}, "h must be a finite number above 0"),
        (np.ones((2, 5)), {}, "down_weights must be 12"),
        (1j * np.eye(12), {}, "real numbers"),
        (np.eye(12)[[0, 11]], {}, "direction 1 does not change"),
        (np.zeros((1, 12)), {}, "direction 0 does not change"),
    ):
        with pytest.raises(ValueError, match=message):
            metasmoothness(run, directions, **settings, progress=False)
    with pytest.raises(TypeError, match="training run"):
        metasmoothness(run.model, np.eye(12))
    with pytest.raises(TypeError, match="outputs must be a function"):
        metasmoothness(run, np.eye(12), outputs=["max"])


# ---- the benchmark and its figure ------------------------------------------------------------


@pytest.fixture(scope="module")
def benchmark():
    """The benchmark as a module."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    return importlib.import_module("smoothness")


@pytest.fixture(scope="module")
def stored():
    """Its stored result."""
    path = ROOT / "notebooks" / "results" / "smoothness.json"
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_errors_of_a_setting_by_hand(benchmark):
    """Retraining one by one, and directional derivatives by jets instead of reverse mode."""
    sizes = benchmark.TOY
    settings = {"activation": "relu", "adam": {"eps": 1e-6}, "width": 8, "passes": 2}
    found, docs = benchmark.measured(settings, sizes), sl.names.load()
    run = sl.train(
        docs[:40], 80, vocabulary=benchmark.LETTERS, activation="relu", width=8,
        optimizer=sl.Adam(eps=1e-6), progress=False,
    )  # fmt: skip
    rng = np.random.default_rng(0)
    x = random_deletions(40, [2] * 8, rng)
    v = random_deletions(40, [2] * 3, rng)
    losses = np.array([[m.loss(d) for d in docs[40:48]] for m in (run.model, *(
        run.retrain(down_weights=row, progress=False) for row in x))])  # fmt: skip
    change = losses[1:] - losses[0]
    jets = run.push(x, 1, progress=False)
    slopes = np.stack([jets.loss(d).coefficients[1] for d in docs[40:48]], axis=1)
    assert found["effect"] == pytest.approx(np.sqrt(np.mean(change**2)), rel=1e-3)
    relative = np.sqrt(np.sum((change - slopes) ** 2) / np.sum(change**2))
    assert found["error"][0] == pytest.approx(relative, rel=1e-3)
    each = [stats.spearmanr(*pair).statistic for pair in zip(change.T, slopes.T, strict=True)]
    assert found["lds"][0] == pytest.approx(np.mean(each), rel=1e-3)
    curve = [run.retrain(down_weights=z * v, progress=False) for z in (0.5, 1.0)]
    half, whole = (np.array([model.loss(d) for d in docs[40:48]]) for model in curve)
    whole, half = whole.T - losses[0], half.T - losses[0]
    bend = 2 * (whole - 2 * half)  # the second term of a parabola
    expected = np.sqrt(np.sum(bend**2) / np.sum(whole**2))
    assert found["difference"][0] == pytest.approx(expected, rel=1e-3)
    jets = run.push(v, 2, progress=False)
    terms = np.stack([jets.loss(d).coefficients for d in docs[40:48]])
    second = np.sqrt(np.sum(terms[:, 2] ** 2) / np.sum(terms[:, 1] ** 2))
    assert found["second"][0] == pytest.approx(second, rel=1e-3)
    for name in ("error", "lds", "deletions", "gaussian", "difference", "growth", "second"):
        value, low, high = found[name]
        assert low <= high and (name in ("growth", "second") or low <= value <= high)


def test_growth_is_found_where_it_is_known(benchmark):
    """Coefficients of forms that shrink by 0.7 per degree, whatever the directions."""
    n, sizes = 50, sl.directions.symmetric_dimension(50, np.arange(5))
    forms = np.ones((5, 3, 4)) * (0.7 ** np.arange(5) / np.sqrt(sizes))[:, None, None]
    assert benchmark.growth(forms, n) == pytest.approx(0.7)
    np.testing.assert_allclose(benchmark.norms(1j * forms, n), 0.7 ** np.arange(5))


def test_correlations_over_settings_are_scipys(benchmark):
    """Turned so that 1 is an index that tells the error; an index of noise has 0 inside."""
    rng = np.random.default_rng(0)
    error = 2 * rng.uniform(size=30)
    rows = [
        {"setting": "GELU" if i % 2 else "ReLU", "error": [e], "lds": [-e], "deletions": [1 - e],
         "gaussian": [z], "growth": [e**3], "difference": [e + z], "second": [-e]}
        for i, (e, z) in enumerate(zip(error, rng.uniform(size=30), strict=True))
    ]  # fmt: skip
    found = benchmark.correlations(rows)
    assert set(found) == {"all", "GELU", "ReLU", "error below 1"}
    parts = benchmark.families(rows)
    assert parts["error below 1"] == [r for r, e in zip(rows, error, strict=True) if e < 1]
    assert [len(parts[name]) for name in ("all", "GELU", "ReLU")] == [30, 15, 15]
    for part in found.values():
        assert part["deletions"] == part["growth"] == [1, 1, 1] and part["second"] == [-1, -1, -1]
        assert part["gaussian"][1] < 0 < part["gaussian"][2]
    expected = stats.spearmanr(error, [row["difference"][0] for row in rows]).statistic
    value, low, high = found["all"]["difference"]
    assert value == pytest.approx(expected, rel=1e-3) and low < value < high
    assert benchmark.correlation(rows, "deletions", "lds")[0] == 1
    assert "GELU" not in benchmark.correlations(rows[:4]), "two settings have no order to speak of"


def test_the_readme_shows_the_stored_smoothness(benchmark, stored):
    """Its tables, whose correlations are those of its rows."""
    readme = documentation()
    assert f"<!-- smoothness -->\n\n{benchmark.markdown(stored)}\n\n<!-- end -->" in readme
    assert stored["settings"] == benchmark.FULL
    assert [row["setting"] for row in stored["rows"]] == list(benchmark.configurations())
    assert stored["correlations"] == benchmark.correlations(stored["rows"])


def test_what_the_readme_says_of_smoothness(stored):
    """Which settings fail, what misleads each measure, and how near the next term comes."""
    rows = {row["setting"]: {k: v[0] for k, v in row.items() if isinstance(v, list)}
            for row in stored["rows"]}  # fmt: skip
    failing = [name for name, row in rows.items() if row["error"] > 1]
    assert len(failing) == 5 and min(rows[name]["growth"] for name in failing) > 13
    for family in ("GELU", "ReLU"):
        own = {name: row for name, row in rows.items() if name.startswith(family)}
        low = sorted(own, key=lambda name: own[name]["deletions"])
        assert set(low[: len(set(own) & set(failing))]) == set(own) & set(failing)
    relu, gelu = (rows[f"{one}, eps 1e-3, rate 0.01"] for one in ("ReLU", "GELU"))
    assert gelu["deletions"] - relu["deletions"] > 0.2 and relu["error"] - gelu["error"] < 0.06
    tiny, paper = (rows[f"GELU, eps 1e-{k}, rate 0.003"] for k in (8, 3))
    assert tiny["growth"] > 10 * paper["growth"]
    assert tiny["error"] == pytest.approx(paper["error"], abs=0.01)
    good = [row for row in rows.values() if row["error"] < 1]
    second = np.array([row["second"] / row["error"] for row in good])
    assert len(good) == 19 and np.sum(np.abs(second - 1) < 1 / 3) == 17
    difference = np.array([row["difference"] / row["error"] for row in good])
    assert 1.1 < difference.min() and difference.max() < 2.65


def test_the_figure_draws_the_stored_settings(stored):
    """A point for each setting at its place, what is beyond at the edge; the correlation above."""
    figure, most = figures.smoothness(stored, ("deletions", "second"), most=1.0), 1.0
    assert plt.get_fignums() == []
    figure.savefig(io.BytesIO())
    for axes, index in zip(figure.axes, ("deletions", "second"), strict=True):
        places = {mark: [] for mark in "os^"}
        for line in axes.lines:
            if line.get_marker() in places:
                places[line.get_marker()] += line.get_xydata().tolist()
        for family, mark in (("GELU", "o"), ("ReLU", "s")):
            expected = [
                [1 - row[index][0] if index == "deletions" else row[index][0], row["error"][0]]
                for row in stored["rows"]
                if row["setting"].startswith(family) and row["error"][0] <= most
            ]
            np.testing.assert_allclose(sorted(places[mark]), sorted(expected))
        beyond = np.array(places["^"])
        assert len(beyond) == 5 and np.all(beyond[:, 1] == most)
        assert f"{stored['correlations']['all'][index][0]:.2f}" in axes.get_title()
    with pytest.raises(ValueError, match="must be one of"):
        figures.smoothness(stored, ("other",))
