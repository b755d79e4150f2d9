"""`scoreboard` as one call: the rows of a board by hand, costs, files, wrong inputs."""

import copy
import dataclasses
import itertools
import json
import time

import numpy as np
import pytest

import sketchlab as sl
from sketchlab import attribution
from sketchlab.attribution import (
    KNOWN,
    METHODS,
    Made,
    Method,
    Results,
    Scoreboard,
    Task,
    effects,
    random_deletions,
    retrained,
    scoreboard,
)
from sketchlab.attribution.retraining import find

from test_training import make_run

QUIET = {"progress": False}
RNG = np.random.default_rng(0)
GROUPS = {"1": np.eye(12)[:9], "3": random_deletions(12, [3] * 10, RNG)}
SIMPLE = ["no change", "random ranking", "exact first order", "sum of single effects"]


def outputs(count=8):
    return [sl.LossOn(i) for i in range(count)]


@pytest.fixture(scope="module")
def run():
    return make_run("mlp", "adam")


@pytest.fixture(scope="module")
def simple(run):
    return scoreboard(run, SIMPLE, GROUPS, outputs(), **QUIET)


def test_rows_are_those_of_a_board_by_hand(run, simple):
    """The scores, the truth, the predictions and the costs."""
    board = Scoreboard(run, outputs(), GROUPS, **QUIET)
    singles = retrained(run, outputs(), np.eye(12), **QUIET)
    board.add_no_change()
    board.add_random_ranking()
    board.add("exact first order", attribution.first_order(run, outputs(), **QUIET))
    board.add("sum of single effects", [effects(one) for one in singles])
    assert [row["method"] for row in simple.table] == SIMPLE
    for row, expected in zip(simple.table, board.table, strict=True):
        assert row["cost"] == pytest.approx(expected["cost"])
        for name in GROUPS:
            assert row[name] == expected[name]
    for name in GROUPS:
        np.testing.assert_array_equal(simple.truth[name], board.truth[name])
        found = [one.predicted["exact first order"][name] for one in (simple, board)]
        np.testing.assert_allclose(*found, rtol=1e-5, atol=0.0)
    assert simple.row("sum of single effects")["1"]["rmse"] < 1e-12  # the nine were retrained
    assert simple.deleted == {"1": [1] * 9, "3": [3] * 10}


def test_deletions_may_be_lists_of_units(run):
    """By number or label; ragged; one row of numbers is none."""
    task = Task(run, outputs(), {"a": [[3, 4], [5]]}, **QUIET)
    np.testing.assert_array_equal(task.groups["a"], [run.indicator([3, 4]), run.indicator([5])])
    labels = list("aabbccddeeff")
    task = Task(run, outputs(), {"a": [["b"], ("a", "f")]}, units=labels, **QUIET)
    expected = [[0, 1, 0, 0, 0, 0], [1, 0, 0, 0, 0, 1]]
    np.testing.assert_array_equal(task.groups["a"], expected)
    with pytest.raises(TypeError, match=r"such as \[\[3, 4\], \[5\]\]"):
        Task(run, outputs(), {"a": [3, 4]}, **QUIET)
    with pytest.raises(IndexError, match="0 to 11"):
        Task(run, outputs(), {"a": [[12]]}, **QUIET)


def test_every_method_of_the_catalogue_makes_a_row(run):
    """On a small run that is not microgpt: all that are available, none of which fails."""
    pytest.importorskip("sklearn")
    known = attribution.available(run, outputs())
    unknown = {"noise floor", "influence, Gauss-Newton"}
    trak = {name for name in KNOWN if name.startswith("TRAK")}
    assert set(KNOWN) - set(known) == unknown | trak and len(trak) == 2
    assert set(KNOWN) - set(attribution.available(run, outputs(), link="squares")) == unknown
    known |= {name: KNOWN[name] for name in trak}
    settings = {"trainings": 60, "tuning": 8, "link": "none", **QUIET}
    found = scoreboard(run, known, GROUPS, outputs(), **settings)
    assert [row["method"] for row in found.table] == list(known)
    for row in found.table:
        assert "failed" not in row, row
        assert np.isfinite(row["3"]["rmse"])
        if row["method"] in METHODS:
            assert row["prepare"] >= 0 < row["per_deletion"] and row["bytes"] > 0
            assert row["cost"] > 0


def test_shared_evidence_is_made_once_and_counts_for_all(run):
    """Two methods that use the same slow retrainings: one wait, both have its seconds."""
    calls = []

    def slow():
        calls.append(1)
        time.sleep(0.05)
        return attribution.first_order(run, outputs(), **QUIET)

    def make(task):
        time.sleep(0.01)
        return task.once("slow", lambda: task.once("inner", slow))

    task = Task(run, outputs(), GROUPS, **QUIET)
    pairs = [task.timed(lambda: make(task)) for _ in range(2)]
    assert len(calls) == 1
    for _, shared, own in pairs:
        assert shared >= 0.05 and 0.01 <= own < shared


def test_tuning_takes_the_candidate_of_least_error_and_pays_for_all(run):
    """On other deletions than those that are asked about; those that fail are passed over."""
    task = Task(run, outputs(), {"3": GROUPS["3"]}, tuning=8, **QUIET)
    asked = {row.tobytes() for row in GROUPS["3"]}
    assert not asked & {row.tobytes() for row in task.tuning[0].deletions}
    assert np.all(task.tuning[0].deletions.sum(axis=1) == 3) and len(task.tuning[0]) == 8
    right = attribution.first_order(run, outputs(), **QUIET)
    wrong = [dataclasses.replace(one, gradient=-one.gradient) for one in right]

    def fails():
        raise ValueError("no")

    made = task.tuned({"wrong": lambda: wrong, "fails": fails, "right": lambda: right})
    assert made.settings == "right" and made.predictors is right
    assert made.cost == pytest.approx(8 + 2 * sum(one.cost for one in right))
    with pytest.raises(ValueError, match="no"):
        task.tuned({"fails": fails})
    scaled = task.tuned({"": lambda: [
        dataclasses.replace(one, gradient=7 * one.gradient) for one in right
    ]}, rank=True)  # fmt: skip
    x = task.tuning[0].deletions
    moved = np.concatenate([x @ one.gradient for one in right])
    true = np.concatenate([one.values - one.now for one in task.tuning])
    factor = (moved @ true) / (moved @ moved)
    for one, other in zip(scaled.predictors, right, strict=True):
        np.testing.assert_allclose(one.gradient, factor * other.gradient, rtol=1e-10)


def test_nothing_is_learned_from_the_deletions_that_are_asked_about(run):
    """Draws are replaced where they are asked; where none is, they are as they were drawn."""
    asked = {"1": np.eye(12)[:9], "3": GROUPS["3"], "half": random_halves_drawn()[::2]}
    task = Task(run, outputs(), asked, trainings=30, tuning=8, directions=12, **QUIET)
    known = {"tuning": task.tuning, "matched": task.matched, "halves": task.halves}
    rows = {name: found[0].deletions for name, found in known.items()}
    for name in ("40 gradients", "sketch, with retrainings"):
        rows[name] = METHODS[name].make(task).predictors[0].anchors
    for name, found in rows.items():
        assert len(found) and np.all(find(found, task.deletions) < 0), name
    assert len(task.matched[0]) == len(task.halves[0]) == 30
    np.testing.assert_array_equal(task.halves[0].deletions[:15], random_halves_drawn()[1::2])
    other = Task(run, outputs(), {"6": random_deletions(12, [6] * 2, RNG)}, trainings=9, **QUIET)
    np.testing.assert_array_equal(other.matched[0].deletions, other.random(9, "matched"))


def random_halves_drawn():
    """The first random halves of a task with 30 trainings and seed 0."""
    return attribution.random_halves(12, 30, np.random.default_rng([0, 3]))


@pytest.mark.parametrize("count", [9, 11, 12])
def test_too_few_deletions_to_learn_from_are_told(run, count):
    """Nearly all singles are asked about: a regression on the others would be told the truth."""
    pytest.importorskip("sklearn")
    task = Task(run, outputs(), {"1": np.eye(12)[:count]}, trainings=24, **QUIET)
    with pytest.raises(ValueError, match="too few deletions are left to learn from: of 24"):
        METHODS["datamodel, ridge"].make(task)


@pytest.mark.parametrize(("size", "other"), [(1, 2), (2, 4), (11, 5)])
def test_settings_are_chosen_by_other_sizes_where_none_of_this_is_left(run, size, other):
    """Twice the size, or half of it; the methods that are tuned do not fail."""
    asked = [list(units) for units in itertools.combinations(range(12), size)]
    task = Task(run, outputs(), {"all": asked}, tuning=8, **QUIET)
    x = task.tuning[0].deletions
    assert x.shape == (8, 12) and np.all(x.sum(axis=1) == other)
    assert METHODS["gradient products"].make(task).predictors


def test_no_deletion_to_choose_settings_by_is_told():
    """Of two units each alone is asked about."""
    task = Task(make_run("mlp", "adam"), outputs(), {"1": np.eye(2)}, units=[0, 1] * 6, **QUIET)
    with pytest.raises(ValueError, match="settings are chosen by other deletions than those"):
        METHODS["gradient products"].make(task)


def test_the_average_of_deletions_in_part_is_that_of_their_down_weights(run):
    """Half of a deletion counts half."""
    task = Task(run, outputs(2), {"half": 0.5 * GROUPS["3"]}, **QUIET)
    made = METHODS["exact first order at the average"].make(task)
    for one in made.predictors["half"]:
        np.testing.assert_allclose(one.at, 3 / 24)


def test_a_file_is_continued_and_gives_the_same(run, simple, tmp_path):
    """Interrupted after some methods; the truth is not trained again; infinite bands survive."""
    path = tmp_path / "board.json"
    made = []

    def interrupted(task):
        made.append("interrupted")
        raise KeyboardInterrupt

    first = {name: KNOWN[name] for name in SIMPLE[:3]} | {"mine": Method(interrupted)}
    with pytest.raises(KeyboardInterrupt):
        scoreboard(run, first, GROUPS, outputs(), store=path, **QUIET)
    kept = Results.read(path)
    assert [row["method"] for row in kept.table] == SIMPLE[:3]
    kept.table[2]["1"]["rmse"] = 99.0  # so that a row that is made again would show
    kept.save(path)
    found = scoreboard(run, SIMPLE, GROUPS, outputs(), store=path, **QUIET)
    assert found.table[2]["1"]["rmse"] == 99.0
    assert [row["method"] for row in found.table] == SIMPLE
    for name in GROUPS:
        np.testing.assert_array_equal(found.truth[name], simple.truth[name])
        assert found.table[3][name] == simple.table[3][name]
        for method in SIMPLE[2:]:
            np.testing.assert_array_equal(
                found.predicted[method][name], simple.predicted[method][name]
            )
    assert list(tmp_path.iterdir()) == [path]
    json.loads(path.read_text(), parse_constant=lambda word: pytest.fail(f"no JSON: {word}"))


def test_files_of_something_else_are_refused_and_left(run, tmp_path):
    path = tmp_path / "board.json"
    scoreboard(run, ["no change"], GROUPS, outputs(), store=path, **QUIET)
    before = path.read_bytes()
    others = {
        "deletions": (run, {"1": np.eye(12)[:8]}, outputs(), {}),
        "outputs": (run, GROUPS, [sl.LossOn(i) for i in range(1, 9)], {}),
        "run": (make_run("mlp", "sgd"), GROUPS, outputs(), {}),
        "seed": (run, GROUPS, outputs(), {"seed": 1}),
        "trainings": (run, GROUPS, outputs(), {"trainings": 5}),
    }
    for what, (other, groups, asked, settings) in others.items():
        with pytest.raises(ValueError, match=f"something else: other .*{what}"):
            scoreboard(other, ["no change"], groups, asked, store=path, **settings, **QUIET)
    doubled = [lambda m, i=i: 2 * m.loss(i) for i in range(8)]  # their names are all alike
    same = [lambda m, i=i: m.loss(i) for i in range(8)]
    lambdas = tmp_path / "lambdas.json"
    scoreboard(run, ["no change"], GROUPS, same, store=lambdas, **QUIET)
    with pytest.raises(ValueError, match="values of the outputs"):
        scoreboard(run, ["no change"], GROUPS, doubled, store=lambdas, **QUIET)
    assert path.read_bytes() == before
    for text in ("", "[]", '{"format": "other"}', '{"a": 1}'):
        path.write_text(text)
        with pytest.raises(ValueError, match=r"is not a scoreboard|this sketchlab reads"):
            Results.read(path)
    path.write_text("id,name")
    with pytest.raises(ValueError, match=r"is not a scoreboard: give the file of sl\.scoreboard"):
        Results.read(path)
    with pytest.raises(ValueError, match="is a folder"):
        Results.read(tmp_path)


def test_a_file_that_was_altered_is_refused(run, tmp_path):
    """The sum tells of one digit, or a lost row. Older files have none, and are read."""
    path = tmp_path / "board.json"
    scoreboard(run, SIMPLE[:2], GROUPS, outputs(), store=path, **QUIET)
    parts = json.loads(path.read_text())
    for change in (
        lambda parts: parts["table"][0]["1"].update(rmse=0.0),
        lambda parts: parts["table"].pop(),
        lambda parts: parts["truth"].update({"1": parts["truth"]["1"][::-1]}),
    ):
        edited = copy.deepcopy(parts)
        change(edited)
        path.write_text(json.dumps(edited))
        with pytest.raises(ValueError, match=r"is not a scoreboard: .*it was altered"):
            Results.read(path)
        with pytest.raises(ValueError, match="is not a scoreboard"):
            scoreboard(run, SIMPLE, GROUPS, outputs(), store=path, **QUIET)
    del parts["seal"]
    path.write_text(json.dumps(parts))
    assert [row["method"] for row in Results.read(path).table] == SIMPLE[:2]
    del parts["now"]
    path.write_text(json.dumps(parts))
    with pytest.raises(ValueError, match=r"is not a scoreboard: .*now"):
        Results.read(path)


def test_a_method_that_fails_keeps_the_others_and_is_tried_again(run, tmp_path):
    path, working = tmp_path / "board.json", []

    def make(task):
        if not working:
            raise ValueError("not yet")
        return attribution.first_order(task.run, task.outputs, **QUIET)

    methods = {"mine": Method(make, "steps of training"), "no change": None}
    with pytest.warns(UserWarning, match="mine failed and has no scores: not yet"):
        found = scoreboard(run, methods, GROUPS, outputs(), store=path, **QUIET)
    assert found.row("mine")["failed"] == "not yet" and "1" in found.row("no change")
    assert "failed: not yet" in found.costs() and found.markdown("rmse") and found._repr_html_()
    working.append(1)
    found = scoreboard(run, methods, GROUPS, outputs(), store=path, **QUIET)
    assert "failed" not in found.row("mine") and found.row("mine")["1"]["rmse"] > 0


def test_costs_of_each_deletion_and_access_are_told(run):
    class Dear:
        cost, cost_of_each = 2.0, 0.5

        def __init__(self, one):
            self.predict = effects(one, 0).predict

    made = Method(
        lambda task: Made([Dear(one) for one in task.singles], settings="dear"), "checkpoints"
    )
    row = scoreboard(run, {"dear": made}, GROUPS, outputs(), **QUIET).table[0]
    assert (row["each"], row["cost"], row["access"], row["settings"]) == (
        0.5,
        16,
        "checkpoints",
        "dear",
    )


def test_what_cannot_be_is_refused_before_anything_is_trained(run, monkeypatch):
    """In words; no retraining has begun."""
    monkeypatch.setattr(type(run), "retrain", lambda *_, **__: pytest.fail("it was trained"))
    steps = [lambda m, i=i: float(m.loss(i)) for i in range(8)]
    cases = [
        ((["oracle"], GROUPS, outputs()), ValueError, "a method must be one of no change"),
        (("exact first order", GROUPS, outputs()), TypeError, "a list of names"),
        (([], GROUPS, outputs()), TypeError, "a list of names"),
        (({"mine": len}, GROUPS, outputs()), TypeError, "must be a sl.attribution.Method"),
        ((SIMPLE, {}, outputs()), ValueError, "there are no deletions"),
        ((SIMPLE, GROUPS, outputs(3)), ValueError, "3 outputs: too few for intervals"),
        ((SIMPLE, {"a": np.eye(12)[:2]}, outputs()), ValueError, "2 deletions in 'a': too few"),
        ((SIMPLE, {"a": np.eye(11)}, outputs()), ValueError, "12"),
        ((SIMPLE, GROUPS, "loss"), TypeError, "outputs must be a list"),
        ((["exact first order"], GROUPS, steps), TypeError, "cannot be differentiated"),
        ((["influence, Gauss-Newton"], GROUPS, outputs()), TypeError, "microgpt alone"),
        ((["noise floor"], GROUPS, outputs()), ValueError, "give others="),
        ((SIMPLE, GROUPS, [lambda m: m.losses([0, 1])] * 8), ValueError, "one finite number"),
        ((SIMPLE, GROUPS, [lambda m: np.nan] * 8), ValueError, "not finite|one finite number"),
    ]
    for arguments, error, message in cases:
        with pytest.raises(error, match=message):
            scoreboard(run, *arguments, **QUIET)
    with pytest.raises(ValueError, match="directions must be an integer"):
        scoreboard(run, SIMPLE, GROUPS, outputs(), directions=0, **QUIET)
    with pytest.raises(TypeError, match="run must be a training run"):
        scoreboard(len, SIMPLE, GROUPS, outputs(), **QUIET)


def test_a_file_that_cannot_be_written_is_found_out_at_once(run, tmp_path, monkeypatch):
    monkeypatch.setattr(type(run), "retrain", lambda *_, **__: pytest.fail("it was trained"))
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError):
        scoreboard(run, SIMPLE, GROUPS, outputs(), store=tmp_path / "file" / "board.json", **QUIET)


def test_the_noise_floor_of_microgpt_is_of_other_seeds():
    """Whatever seed the run has."""
    docs = ["ada", "dada", "add", "dad", "aa", "dd", "da", "ad", "daa", "aad"]
    for seed in (0, 1):
        found = sl.train(docs, seed=seed, width=4, heads=1, **QUIET)
        asked = [sl.LossOn(doc) for doc in docs[:8]]
        row = scoreboard(found, ["noise floor"], np.eye(10), asked, **QUIET).table[0]
        assert row["deletions"]["runs"] == 2 and row["deletions"]["rmse"] > 0


def test_more_memory_than_is_free_is_refused_before_the_work(run, monkeypatch):
    from sketchlab.training import passes

    monkeypatch.setattr(passes, "available_memory", lambda: 1)
    with pytest.raises(MemoryError, match="reverse mode needs"):
        scoreboard(run, ["exact first order"], GROUPS, outputs(), **QUIET)


def test_few_deletions_and_outputs_have_unknown_intervals(run):
    found = scoreboard(
        run, ["sum of single effects"], np.eye(12)[:3], outputs(2), intervals=False, **QUIET
    )
    row = found.table[0]["deletions"]
    assert row["rmse"] < 1e-12 and row["rmse_band"] == [-np.inf, np.inf]


def test_the_noise_floor_is_of_other_initial_parameters(run):
    others = [make_other(run, seed) for seed in (1, 2)]
    found = scoreboard(run, ["noise floor"], GROUPS, outputs(), others=others, **QUIET)
    assert found.table[0]["cost"] == 2 * 20 and found.table[0]["3"]["rmse"] > 0


def make_other(run, seed):
    rng = np.random.default_rng(seed)
    moved = {name: p + rng.normal(size=p.shape) for name, p in run.initial.parameters.items()}
    settings = {"optimizer": run.optimizer, "steps": run.steps, "batch_size": run.batch_size}
    return sl.TrainingRun(run.initial.with_parameters(moved), run.data, **settings, **QUIET)


def test_frames_are_pandas_tables(simple):
    pytest.importorskip("pandas")
    frame = simple.frame()
    assert list(frame.index.names) == ["method", "group"]
    value = frame.loc[("exact first order", "3"), "rmse"]
    assert value == simple.row("exact first order")["3"]["rmse"]


def test_styled_tables_are_shaded_by_rank(simple):
    """The numbers of the rows, in their order; the higher of a group is the darker."""
    pytest.importorskip("pandas")
    styled = simple.styled("rmse")
    assert list(styled.data.index) == SIMPLE and list(styled.data.columns) == list(GROUPS)
    for name in GROUPS:
        expected = [row[name]["rmse"] for row in simple.table]
        np.testing.assert_array_equal(styled.data[name], expected)
    assert "background-color" in styled.to_html()
    for score, message in (("access", "no number"), ("beauty", "score must be one of")):
        with pytest.raises(ValueError, match=message):
            simple.styled(score)


def test_frames_without_pandas_say_what_to_install(simple, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        simple.frame()
