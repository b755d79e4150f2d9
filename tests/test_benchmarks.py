"""Benchmarks run, and check that what they compare computes the same numbers."""

import argparse
import importlib
import json
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats
from sklearn import datasets

import sketchlab as sl

from conftest import ROOT, documentation


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("training", "ratio"),
        ("sketching", "ratio"),
        ("accuracy", "ridge"),
        ("explorer", "median"),
        ("bands", "largest"),
        ("unrolling", "fitted multiplier"),
        ("influence", "output layer"),
        ("forgetting", "power of n"),
        ("prompts", "power of n"),
        ("newton", "group Newton step"),
        ("smoothness", "rank correlation with the error of first order"),
        ("bad_data", "left out of training"),
    ],
)
def test_the_benchmark_runs(name, printed):
    """Quick sizes; the training benchmark asserts that circuit and arrays agree."""
    command = [sys.executable, str(ROOT / "benchmarks" / f"{name}.py"), "--quick"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    assert printed in result.stdout


@pytest.mark.long
@pytest.mark.parametrize("problem", ["names", "table", "digits"])
def test_the_scoreboard_runs_on_every_problem(problem, tmp_path, capsys):
    """Quick sizes; a stored result shows the same tables. On the table Newton's refit is exact."""
    scoreboard, result = benchmark("scoreboard"), str(tmp_path / "result.json")
    quick = [problem, "--quick", "--result", result]
    own = ["refit by Newton's method", "group Newton step"] if problem == "table" else []
    found = scoreboard.main([*quick, "--methods", *scoreboard.QUICK, *own])
    printed = capsys.readouterr().out
    scoreboard.main(["show", result])
    assert printed.startswith(capsys.readouterr().out)
    assert "exact first order" in printed
    errors = {row["method"]: row["5"]["rmse"] for row in found.table}
    assert errors["exact first order"] < errors["no change"]
    for name in own:
        assert errors[name] < errors["exact first order"] / 2
    if own:
        assert errors[own[0]] < 1e-4 * errors["no change"]


@pytest.mark.parametrize("problem", ["names", "table", "digits"])
def test_the_readme_shows_the_stored_scoreboards(problem):
    """Of twenty methods and more, none of which failed; and numbers that others may look up."""
    path = ROOT / "notebooks" / "results" / f"scoreboard_{problem}.json"
    found = sl.attribution.Results.read(path)
    readme = documentation()
    table = benchmark("scoreboard").markdown(found)
    assert f"<!-- scoreboard_{problem} -->\n\n{table}\n\n<!-- end -->" in readme
    assert len(found.table) >= 20 and not any("failed" in row for row in found.table)
    exact = found.row("exact first order")
    if problem == "names":  # as in the table of accuracy, on other draws
        assert exact["20"]["rmse"] == pytest.approx(0.0053, rel=0.15)
        assert exact["200"]["rmse"] == pytest.approx(0.0328, rel=0.15)
        assert exact["20"]["lds"] > 0.96 and exact["200"]["lds"] > 0.9
    if problem == "table":
        assert found.row("refit by Newton's method")["50"]["rmse"] < 1e-5


def benchmark(name):
    """A benchmark as a module."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    return importlib.import_module(name)


LETTERS = ["first letters", "unions of 2", "unions of 3", "unions of 5"]


@pytest.fixture
def bands_of(tmp_path, capsys):
    """The rows of the quick benchmark of bands; its tables are printed again from the result."""
    bands, result = benchmark("bands"), str(tmp_path / "result.json")

    def rows(*arguments):
        bands.main(["--quick", "--result", result, *arguments])
        printed = capsys.readouterr().out
        bands.main(["--table", result])
        assert capsys.readouterr().out == printed
        return json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))["families"]

    return rows


@pytest.mark.parametrize(
    ("corpus", "letters"), [("sums", LETTERS), ("streets", LETTERS), ("table", [])]
)
def test_every_corpus_has_its_families(bands_of, corpus, letters):
    """With scores of all outputs and by their kind."""
    rows = bands_of("--corpus", corpus)
    first = ["single documents", "3 at random", "10 at random", *letters]
    assert [row["family"] for row in rows] == [*first, "patterns", "largest effect"]
    assert {row["truths"] for row in rows if row["family"] in first[:3]} == {4 * 13}
    for row in rows:
        for score in ("inside", "unknown", "width", "interval"):
            parts = [row[kind][score] for kind in ("losses", "probabilities", "mean loss")]
            assert row["all"][score] == pytest.approx(np.average(parts, weights=[8, 4, 1]))


def test_bands_are_scored_on_the_kept_truths(bands_of, tmp_path):
    """Other evidence takes the truths of the file; another task is refused."""
    truth = tmp_path / "truth.npz"
    arguments = ("--corpus", "table", "--truth", str(truth))
    rows = bands_of(*arguments)
    assert bands_of(*arguments) == rows
    stored = dict(np.load(truth))
    np.savez(truth, **{**stored, "values": stored["values"] + 10.0})
    for row in bands_of(*arguments, "--anchors", "3"):
        assert row["all"]["rmse"] == pytest.approx(10.0, abs=1.0) and row["all"]["inside"] == 0
    for key, value in (("task", "other"), ("now", stored["now"] * (1 + 1e-6))):
        np.savez(truth, **{**stored, key: value})
        with pytest.raises(ValueError, match="another task: give another file"):
            bands_of(*arguments)


@pytest.fixture(scope="module")
def corpus_of_names():
    """Forty names, their families and truths."""
    bands = benchmark("bands")
    options = argparse.Namespace(
        corpus="names", names=None, count=40, deletions=4, jobs=1, quick=True
    )
    corpus = bands.documents(options)
    return corpus, bands.families(corpus, 4), bands.retrained(corpus, options)


def test_families_delete_what_they_say(corpus_of_names):
    """By their definitions, on the documents themselves."""
    corpus, families, _ = corpus_of_names
    docs = corpus.run.data
    sizes = {name: x.sum(axis=-1) for name, x in families.items()}
    for name, size in (("single documents", 1), ("3 at random", 3), ("10 at random", 10)):
        np.testing.assert_array_equal(sizes[name], [size] * 4)
        assert len(np.unique(families[name], axis=0)) == 4
    for name, letters in (("first letters", 1), ("unions of 2", 2), ("unions of 5", 5)):
        for x in families[name]:
            first = {docs[i][0] for i in np.flatnonzero(x)}
            assert len(first) == letters and set(x) == {0.0, 1.0}
            assert set(np.flatnonzero(x == 0)) == {i for i in range(40) if docs[i][0] not in first}
    assert len(np.unique(families["patterns"], axis=0)) == 40
    for x in families["patterns"]:
        inside, outside = (set(np.flatnonzero(x == v)) for v in (1, 0))
        shared = [
            (part, test)
            for part in {d[i : i + k] for d in docs for i in range(len(d)) for k in (1, 2)}
            for test in (str.startswith, str.endswith, str.__contains__)
            if {i for i, doc in enumerate(docs) if test(doc, part)} == inside
        ]
        assert shared and 2 <= len(inside) <= 40 / 3 and inside | outside == set(range(40))


def test_largest_effects_are_those_of_each_output(corpus_of_names):
    """They raise or lower it more than as many documents taken at random, on retraining."""
    corpus, families, truth = corpus_of_names
    x, rows = families["largest effect"], truth["largest effect"]
    assert x.shape == (16, 13, 40) and rows.shape == (16, 13)
    np.testing.assert_array_equal(truth["deletions"][rows], x)
    change = truth["values"][rows, np.arange(13)] - truth["now"]
    random = (truth["values"] - truth["now"])[truth["10 at random"][:, 0]]
    ten = [list(x[:, 0].sum(axis=-1)).index(10), 8 + list(x[:8, 0].sum(axis=-1)).index(10)]
    assert np.all(change[ten[0]] < random.min(axis=0)), "the ten that help least, or hurt"
    assert np.all(change[ten[1]] > random.max(axis=0))
    for k in (0, 8, 12):  # a truth is the retraining
        i = 3
        model = corpus.run.retrain(down_weights=x[i, k], progress=False)
        expected = float(corpus.outputs[k](model))
        assert truth["values"][rows[i, k], k] == pytest.approx(expected, rel=1e-10)


def test_accuracy_of_a_table(tmp_path):
    """Rows of derivatives: costs by hand, and what must be exact is."""
    accuracy, path = benchmark("accuracy"), tmp_path / "accuracy.json"
    accuracy.main(["--quick", "--corpus", "table", "--result", str(path)])
    result = json.loads(path.read_text(encoding="utf-8"))
    assert set(result) == {"settings", "documents"}, "a table has no letters"
    rows = {row["method"]: row for row in result["documents"]}
    one_pass = 2 + 3 * 8  # with the training at the point
    for name, cost in (
        ("retraining: sum of single effects", 40),
        ("2 gradients, nothing else", 1 + 3 * one_pass),
        ("singles and 2 gradients", 1 + 40 + 3 * one_pass),
        ("singles and 4 gradients", 1 + 40 + 5 * one_pass),
    ):
        assert rows[name]["cost"] == pytest.approx(cost) and rows[name]["seconds"] > 0
    nothing = rows["no prediction (effect size)"]
    for name, row in rows.items():
        if name.startswith("singles") or name == "retraining: sum of single effects":
            assert row["1"]["rmse"] == 0.0 and row["5"]["rmse"] < 0.1 * nothing["5"]["rmse"]


def test_evidence_is_what_its_row_says():
    """Influence of retraining, groups of a block matrix, and sizes in their range."""
    evidence, rng = benchmark("evidence"), np.random.default_rng(0)
    run = sl.train(sl.names.load()[:12], steps=12, width=4, heads=1, progress=False)
    sketched = sl.sketch(run, 1, 1, progress=False)
    sketched.anchor(run, [[0, 1], *([i] for i in range(12))], progress=False)
    influence = evidence.influence_of_singles(sketched, run)
    now = run.model.losses(list(run.data))
    for u in (0, 7):
        change = run.retrain(without=[u]).losses(list(run.data)) - now
        np.testing.assert_allclose(influence[u], change, rtol=1e-8, atol=1e-12)
    blocks = np.kron(np.eye(3), np.ones((4, 4)))
    for row in evidence.alike(blocks, [4] * 6, rng):
        assert np.count_nonzero(blocks @ row == 4) == row.sum() == 4
    drawn = evidence.sizes(1000, (1 / 25, 1 / 4), 200, rng)
    assert 40 <= drawn.min() < 50 and 200 < drawn.max() <= 250
    assert np.median(drawn) == pytest.approx(100, rel=0.2), "the square root of 40 * 250"
    made = [sketched.output(sl.LossOn("ana"))]
    (one,) = evidence.chosen(made, np.eye(12)[:3], [])
    np.testing.assert_array_equal(one.anchors, np.eye(12)[:3])
    assert one.influence is None and one.cost == 1 + 3


def test_made_documents_are_what_they_seem():
    """Sums that are right, streets that fit the context, 1000 and 500 of them and more."""
    corpora = benchmark("corpora")
    for doc in corpora.sums():
        terms, total = doc.split("=")
        assert sum(int(term, 16) for term in terms.split("+")) == int(total, 16)
    for docs, least in ((corpora.sums(), 1040), (corpora.streets(), 540)):
        assert len(set(docs)) == len(docs) >= least and max(map(len, docs)) <= 16
        sl.train(docs[:least], steps=1, progress=False)


def test_the_readme_shows_the_stored_accuracy():
    """The README's tables are those of the stored result."""
    with open(ROOT / "notebooks" / "results" / "accuracy.json", encoding="utf-8") as file:
        result = json.load(file)
    accuracy = benchmark("accuracy")
    readme = documentation()
    for part in ("documents", "units"):
        assert f"<!-- {part} -->\n\n{accuracy.markdown(result[part])}\n\n<!-- end -->" in readme


def test_the_readme_shows_the_stored_bands():
    """The README's table is that of the stored results; in every family most bands hold."""
    bands, folder = benchmark("bands"), ROOT / "notebooks" / "results"
    names = ("names", "paper", "sums", "streets", "table")
    results = [json.loads((folder / f"bands_{name}.json").read_text("utf-8")) for name in names]
    readme = documentation()
    assert f"<!-- bands -->\n\n{bands.summary(results)}\n\n<!-- end -->" in readme


@pytest.mark.long
def test_the_bench_of_unlearning_goes_on(tmp_path, capsys):
    """What is finished is kept, the rest is computed as before; other settings are refused."""
    bench, path = benchmark("unlearning"), tmp_path / "result.json"
    bench.main(["--quick", "--result", str(path)])
    printed = capsys.readouterr().out
    assert "Oracle Matching" in printed and "sketch, with retrainings" in printed
    found = json.loads(path.read_text(encoding="utf-8"))
    lost = found["sets"].pop("2 at random")
    found["sets"]["1 at random"]["kept"] = True
    path.write_text(json.dumps(found), encoding="utf-8")
    bench.main(["--quick", "--result", str(path)])
    again = json.loads(path.read_text(encoding="utf-8"))
    assert again["sets"]["2 at random"] == lost and again["sets"]["1 at random"]["kept"]
    assert again["seconds"] > found["seconds"]
    capsys.readouterr()
    bench.main(["--table", str(path)])
    assert "| SCRUB |" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="was made with"):
        bench.main(["--count", "30", "--result", str(path)])


def test_documents_that_act_alike_have_gradients_of_one_direction(small_run):
    """The cosine of their gradients, by autograd one by one; the document itself is first."""
    order = benchmark("unlearning").alike(small_run, 3)
    gradients = [
        flat(
            sl.ring_grad(lambda p, doc=doc: small_run.model.with_parameters(p).loss(doc))(
                small_run.model.parameters
            )
        )
        for doc in small_run.data
    ]
    cosines = [g @ gradients[3] / np.linalg.norm(g) for g in gradients]
    assert order[0] == 3 and list(order) == list(np.argsort(-np.array(cosines), kind="stable"))


def test_the_readme_shows_the_stored_unlearning():
    """Its table is that of one forget set; matching predictions is nearest to retraining there."""
    path = ROOT / "notebooks" / "results" / "unlearning.json"
    found = json.loads(path.read_text(encoding="utf-8"))["sets"]["20 at random"]
    readme = documentation()
    table = benchmark("unlearning").markdown(found)
    assert f"<!-- unlearning -->\n\n{table}\n\n<!-- end -->" in readme
    distance = {
        row["method"]: row["wasserstein"]["forget"] for row in found["table"] if "cost" in row
    }
    del distance["retraining, same seeds"]
    assert min(distance, key=distance.get) == "Datamodel Matching, degree 3"


def test_the_readme_shows_the_stored_costs_of_exact_deletion():
    """Its table; certificates become the rule, and the cost does not grow with the points."""
    forgetting, path = benchmark("forgetting"), ROOT / "notebooks" / "results" / "forgetting.json"
    result = json.loads(path.read_text(encoding="utf-8"))
    readme = documentation()
    assert f"<!-- forgetting -->\n\n{forgetting.markdown(result)}\n\n<!-- end -->" in readme
    assert min(row["certified"] for row in result["rows"] if row["points"] >= 10_000) > 0.9
    assert forgetting.slope(result["rows"], "operations")[0] < 0.2
    assert forgetting.slope(result["rows"], "operations of fit")[0] == pytest.approx(1.0, abs=0.02)


def test_the_readme_shows_the_stored_accuracies_and_costs_of_prompts():
    """Both tables; and what the README says of them."""
    prompts, path = benchmark("prompts"), ROOT / "notebooks" / "results" / "prompts.json"
    result = json.loads(path.read_text(encoding="utf-8"))
    readme = documentation()
    assert result["settings"] == prompts.FULL and result["summary"] == prompts.summary(result)
    for name, table in (("prompts", prompts.accuracy_table), ("prompt-costs", prompts.cost_table)):
        assert f"<!-- {name} -->\n\n{table(result['summary'])}\n\n<!-- end -->" in readme
    for name, cost in result["summary"]["costs"].items():
        assert name == "ERASE" or cost["powers"]["multiplications"][0] == pytest.approx(1, abs=0.05)


def test_who_is_cheapest_is_found_by_trying_all():
    """Costs of random methods at many numbers of questions; equal ones among them."""
    prompts, rng = benchmark("prompts"), np.random.default_rng(0)
    for _ in range(50):
        costs = {
            str(i): (float(a), float(b)) for i, (a, b) in enumerate(rng.integers(0, 9, (5, 2)))
        }
        found = prompts.cheapest(costs)
        assert found[0][0] == 0.0 and [at for at, _ in found] == sorted({at for at, _ in found})
        for questions in np.append(rng.uniform(0, 20, 40), 0.0):
            _, name = [part for part in found if part[0] <= questions][-1]
            totals = [forget + questions * ask for forget, ask in costs.values()]
            assert costs[name][0] + questions * costs[name][1] == pytest.approx(min(totals))


@pytest.fixture(scope="module")
def toy():
    """The module and the settings of a small grid of it."""
    unrolling = benchmark("unrolling")
    grid = {"rates": {"SGD": [0.01, 0.1]}, "epochs": [1], "gammas": [0.0, 1.0]}
    return unrolling, {**unrolling.TOY, **grid}


def test_errors_of_a_configuration_by_hand(toy):
    """Against retraining one by one, gradients one by one, and least squares by numpy."""
    unrolling, settings = toy
    task = unrolling.Task(settings)
    found = task.measured("Adam", 0.01, 24, 0.5)
    assert sorted(i for rows in task.sets for i in rows) == sorted(
        {i for r in task.sets for i in r}
    )
    model = sl.unlearning.SDLoss(task.initial, 0.5)
    adam, added, apart = sl.Adam(0.01, schedule="constant"), [], []
    for seed in range(2):
        run = sl.TrainingRun(model.fresh(seed), task.docs, optimizer=adam, steps=24, progress=False)
        trained, start = flat(run.model.parameters), run.initial
        apart.append([flat(run.retrain(without=r).parameters) - trained for r in task.sets])
        gradients = [
            flat(sl.ring_grad(lambda p, doc=doc, at=start: at.with_parameters(p).loss(doc))(
                start.parameters
            ))
            for doc in task.docs
        ]  # fmt: skip
        added.append([2 * sum(gradients[i] for i in rows) for rows in task.sets])
        assert found["moved"][seed] == pytest.approx(
            np.linalg.norm(trained - flat(start.parameters)), rel=1e-5
        )
        plain = task.initial.with_parameters(run.model.parameters)
        losses = [plain.loss(name) for name in task.unseen]
        assert found["unseen"][seed] == pytest.approx(np.mean(losses), rel=1e-5)
    for k in range(3):
        g, d = (np.concatenate([row[(k + 1) % 3] for row in part]) for part in (added, apart))
        (best,) = np.linalg.lstsq(g[:, None], d, rcond=None)[0]
        assert found["multipliers"][k] == pytest.approx(best / 0.01, rel=1e-5)
        for seed in range(2):
            for name, multiplier in (("nothing", 0.0), ("single", 0.01), ("fitted", best)):
                left = multiplier * added[seed][k] - apart[seed][k]
                assert found[name][k][seed] == pytest.approx(np.linalg.norm(left), rel=1e-5)
    assert found["paper"] == pytest.approx(0.01 * np.array(found["derived"]), rel=1e-5)


def flat(parameters):
    """All parameters of a model on one axis."""
    return np.concatenate([np.ravel(value) for value in parameters.values()])


def test_an_interrupted_grid_is_continued(toy, tmp_path):
    """What is done is kept as it is; other settings are refused."""
    unrolling, settings = toy
    path = tmp_path / "result.json"
    whole = unrolling.measure(settings, path, progress=False)
    assert json.loads(path.read_text(encoding="utf-8")) == whole
    part = {"settings": settings, "configurations": whole["configurations"][:3]}
    unrolling.write(part, path)
    with pytest.raises(SystemExit):
        unrolling.main(["--table", str(path)])
    again = unrolling.measure(settings, path, progress=False)
    assert again["configurations"][:3] == whole["configurations"][:3], "also their seconds"
    for row in (*again["configurations"], *whole["configurations"]):
        del row["seconds"]
    assert again == whole
    with pytest.raises(ValueError, match="has other settings"):
        unrolling.measure({**settings, "seeds": 3}, path, progress=False)


def test_intervals_resample_rows():
    """Correlations are scipy's, and copies within a row do not make an interval narrower."""
    unrolled, rng = benchmark("unrolled"), np.random.default_rng(0)
    x = rng.normal(size=(20, 1))
    y = x + rng.normal(size=(20, 1))
    for ours, theirs in ((unrolled.pearson, "pearsonr"), (unrolled.spearman, "spearmanr")):
        value, low, high = unrolled.interval(ours, x, y)
        assert value == pytest.approx(getattr(stats, theirs)(x[:, 0], y[:, 0])[0], rel=1e-5)
        assert low < value < high
        copied = unrolled.interval(ours, np.repeat(x, 9, axis=1), np.repeat(y, 9, axis=1))
        assert copied == pytest.approx([value, low, high])
    value, low, high = unrolled.interval(unrolled.mean, x)
    error = np.std(x) / np.sqrt(20)
    assert [low, high] == pytest.approx(
        [value - 1.645 * error, value + 1.645 * error], abs=0.1 * error
    )
    assert unrolled.interval(unrolled.mean, x[:2])[1:] == [None, None]
    cells = 1.0 + rng.uniform(size=(4, 3, 2))
    np.testing.assert_allclose(unrolled.within(cells, (1, 2)).mean(axis=(1, 2)), 0, atol=1e-12)


def test_the_readme_shows_the_stored_unrolling():
    """Its tables are those of the stored result, whose numbers are those of its runs."""
    path = ROOT / "notebooks" / "results" / "unrolling.json"
    result, unrolling = json.loads(path.read_text(encoding="utf-8")), benchmark("unrolling")
    readme = documentation()
    assert f"<!-- unrolling -->\n\n{unrolling.markdown(result)}\n\n<!-- end -->" in readme
    assert path.stat().st_size < 150_000
    for name, found in result["summary"].items():
        rows = [row for row in result["configurations"] if row["optimizer"] == name]
        assert len(rows) * result["settings"]["seeds"] == found["runs"] >= 60
        proxy = np.array([row["derived"] for row in rows])
        error = np.array([np.mean(row["single"], axis=0) for row in rows])
        if name == "SGD":
            expected = stats.spearmanr(proxy.ravel(), error.ravel())[0]
            stored = found["correlations"]["derived"]["spearman"]
            assert stored[0] == pytest.approx(expected, rel=1e-5) and stored[1] < stored[0]


def test_correlations_over_names_have_intervals():
    """Scores in the right order have 1, in the opposite one -1, and unrelated ones an interval
    about 0, as wide as for as many names; the value is scipy's.
    """
    from scipy import stats

    correlation, rng = benchmark("influence").correlation, np.random.default_rng(0)
    true = rng.normal(size=(6, 200))
    assert correlation(np.exp(true), true) == pytest.approx([1.0, 1.0, 1.0])
    assert correlation(-true, true) == pytest.approx([-1.0, -1.0, -1.0])
    other = rng.normal(size=(6, 200)).round(1)
    value, low, high = correlation(other, true)
    expected = [stats.spearmanr(*pair).statistic for pair in zip(other, true, strict=True)]
    assert value == pytest.approx(np.mean(expected))
    assert low < 0 < high and low < value < high
    assert 2 * 1.645 / np.sqrt(6 * 200) < high - low < 2 * 1.645 / np.sqrt(200)


def test_the_readme_shows_the_stored_influence():
    """Exact first order is nearest to retraining, and all influence nearer than products."""
    path = ROOT / "notebooks" / "results" / "influence.json"
    result = json.loads(path.read_text(encoding="utf-8"))
    readme = documentation()
    table = benchmark("influence").markdown(result)
    assert f"<!-- influence -->\n\n{table}\n\n<!-- end -->" in readme
    for one in result["tables"]:
        values = {
            row["method"]: row["with retraining"][0]
            for row in one["rows"]
            if "with retraining" in row
        }
        assert max(values, key=values.get) == "exact first order"
        products = [v for method, v in values.items() if method.startswith("gradient products")]
        assert max(products) < min(v for m, v in values.items() if m.startswith("influence"))


@pytest.fixture(scope="module")
def newton():
    """The benchmark and its stored result."""
    path = ROOT / "notebooks" / "results" / "newton.json"
    return benchmark("newton"), json.loads(path.read_text(encoding="utf-8"))


def test_the_readme_shows_the_stored_newton_steps(newton):
    """Its tables; and what the README says of them."""
    module, result = newton
    readme = documentation()
    assert f"<!-- newton -->\n\n{module.markdown(result)}\n\n<!-- end -->" in readme
    cells = [dict(zip(module.FIELDS, row, strict=True)) for row in result["rows"]]
    far = module.parts(cells)[f"n ≥ {module.FAR[-1]} d and {module.FAR[-1]} k"]
    for name, (_, _, published) in module.LAWS.items():
        least, most = module.ratios(far, name)
        assert most < 2 * least, "a constant, but for a factor of 2"
        np.testing.assert_allclose(module.powers(far, name)[0], published, atol=0.15)
    assert module.ratios(cells, "group")[1] > 3 * module.ratios(far, "group")[1]
    for row in result["cancer"]:
        if row["method"] != "nothing":
            value, low, high = row["parameters"]
            assert low <= value <= high < 1
            assert (row["method"] == "influence") == (value > 0.3)


def test_powers_of_newton_steps_are_found_where_they_are_known(newton):
    """Distances made from a law and noise of each seed: inside the intervals, and the ratios."""
    module, rng = newton[0], np.random.default_rng(0)
    cells = [
        {"n": n, "d": d, "k": k, "seed": seed}
        for n in (200, 800) for d in (5, 40) for k in (1, 10) for seed in range(30)
    ]  # fmt: skip
    for row in cells:
        n, d, k = row["n"], row["d"], row["k"]
        noise = np.exp(rng.normal(0, 0.1))
        row["group"] = 3 * k * d / n**2 * noise
        row["apart"] = 2 * (k + d) ** 0.7 * (k * d) ** 0.6 / n**1.5 * noise
    for name, true in (("group", (-2, 1, 1)), ("apart", (-1.5, 0.7, 0.6))):
        value, low, high = module.powers(cells, name)
        np.testing.assert_allclose(value, true, atol=0.1)
        assert np.all(low < true) and np.all(true < high) and np.all(high - low < 0.2)
    assert module.ratios(cells, "group") == pytest.approx((3, 3), rel=0.1)


def test_distances_of_newton_steps_by_hand(newton):
    """One data set, its deletions drawn again, and fitted from scratch without these rows."""
    module, result = newton
    n, d, seed, deletions = 200, 5, 0, result["settings"]["deletions"]
    rows, y = module.data(n, d, seed)
    found = [row for row in result["rows"] if (row[0], row[1], row[3]) == (n, d, seed)]
    assert [row[2] for row in found] == [1, 3, 10]
    whole = sl.attribution.ConvexFit(rows, y, 0.0)
    for row in found:
        rng, moved, left = np.random.default_rng((seed, n, d, row[2])), [], []
        for _ in range(deletions):
            gone = rng.choice(n, row[2], replace=False)
            kept = np.delete(np.arange(n), gone)
            true = sl.attribution.ConvexFit(rows[kept], y[kept], 0.0).parameters
            moved.append(np.linalg.norm(whole.parameters - true))
            left.append(np.linalg.norm(whole.after(without=gone, by="group") - true))
        named = dict(zip(module.FIELDS, row, strict=True))
        assert named["nothing"] == pytest.approx(np.mean(moved), rel=1e-4)
        assert named["group"] == pytest.approx(np.mean(left), rel=1e-4)


@pytest.fixture(scope="module")
def bad_data():
    """The benchmark, and its toy runs of names and of digits: what `names` and `digits` give."""
    module = benchmark("bad_data")
    names, digits = ({**module.TASKS[task], **module.TOY} for task in ("names", "digits"))
    return module, {"names": module.names(names, 0), "digits": module.digits(digits, 0)}


def test_the_readme_shows_the_stored_recovery_of_bad_data(bad_data):
    """Its tables; and what the README says of them."""
    module, path = bad_data[0], ROOT / "notebooks" / "results" / "bad_data.json"
    result = json.loads(path.read_text(encoding="utf-8"))
    readme = documentation()
    assert f"<!-- bad_data -->\n\n{module.markdown(result)}\n\n<!-- end -->" in readme
    for one in result["tables"]:
        assert one["settings"] == module.TASKS[one["task"]]
        rows = {row["method"]: row for row in one["rows"]}
        assert {len(row["change"]) for row in rows.values()} == {module.INJECTIONS}
        found = {name: np.mean(row["auc"]) for name, row in rows.items() if "auc" in row}
        assert max(found, key=found.get).startswith("loss on it"), "the loss finds what is wrong"
        low = module.interval(rows["loss on it"]["auc"])[1]
        assert low > module.interval(rows["leave-one-out retraining"]["auc"])[2]
        change = {
            name: np.mean(row["change"], axis=0) for name, row in rows.items() if name in found
        }
        bad = np.mean([one[0] for one in rows[module.ORACLE]["change"]])
        if "memorised" in one["task"]:
            assert np.min(list(change.values())) > bad, "nothing gains as much as the bad ones"
            assert found["influence"] > found["exact first order"] + 0.1
        else:
            assert change["exact first order"][1] < change["loss on it"][1], "what does harm"
        if one["task"] == "names":
            more = change["exact first order, 1000 examples asked about"]
            assert more[1] < more[0] < bad


@pytest.mark.parametrize("task", ["names", "digits"])
def test_injections_are_what_they_say(bad_data, task):
    """No example is asked about or kept fresh that was trained on, and the bad ones are bad."""
    made = bad_data[1]
    run, asked, fresh, bad = made[task]
    assert len(run) == 24 and len(bad) == 8 and len(asked.examples) == len(fresh.examples) == 12
    if task == "names":
        known = sl.names.load()
        assert [i for i in range(24) if run.data[i] != known[i]] == list(bad)
        assert (*run.data, *asked.examples, *fresh.examples)[24:] == tuple(known[24:48])
    else:
        assert (*run.data, *asked.examples, *fresh.examples) == tuple(range(48))
        labels = datasets.load_digits().target[np.random.default_rng(0).permutation(1797)[:24]]
        flipped = np.flatnonzero(_labels(run.initial, range(24)) != labels)
        np.testing.assert_array_equal(flipped, bad)


def _labels(model, rows):
    """Labels from the losses alone: of one class with all weights 0 and its bias high, 0."""
    rows = np.array(rows)
    losses = []
    for kind in range(10):
        p = {name: np.zeros_like(value) for name, value in model.parameters.items()}
        p["c"][kind] = 50.0
        losses.append(model.with_parameters(p).losses(rows))
    return np.argmin(losses, axis=0)


@pytest.mark.parametrize("task", ["names", "digits"])
def test_baselines_of_bad_data_by_hand(bad_data, task):
    """Retraining without each one by one; losses before each first step, from shorter trainings."""
    module, made = bad_data
    run, asked, _, _ = made[task]
    loss, own = module.left_out(run, asked)
    for i in (0, 7, 23):
        model = run.retrain(without=[i], progress=False)
        assert loss[i] == pytest.approx(float(asked(model)))
        assert own[i] == pytest.approx(float(model.loss(run.data[i])))
    (first, _), (mean, _) = module.along(run)
    np.testing.assert_allclose(first[: run.batch_size], run.losses(run.initial)[: run.batch_size])
    settings = {"optimizer": sl.SGD(0.1), "batch_size": run.batch_size, "progress": False}
    plain = sl.TrainingRun(run.initial, run.data, steps=run.steps, **settings)
    (first, _), _ = module.along(plain)
    short = sl.TrainingRun(run.initial, run.data, steps=1, **settings)  # of constant rate
    part = plain.examples_of(1)
    np.testing.assert_allclose(first[part], short.losses(short.model)[part])
    assert np.all(np.isfinite(mean)) and len(mean) == len(run)


def test_intervals_over_injections_by_hand(bad_data):
    """Student's t of five numbers."""
    value, low, high = bad_data[0].interval([1.0, 2.0, 3.0, 4.0, 5.0])
    reach = 2.131847 * np.sqrt(2.5 / 5)
    assert (value, low, high) == pytest.approx((3.0, 3.0 - reach, 3.0 + reach))
