"""The explorer's state: its answers are those of the package, its errors are words."""

import ast
import csv
import io
import re
from pathlib import Path

import numpy as np
import pytest

import sketchlab as sl
from sketchlab.estimation.prediction import Prediction
from sketchlab.training.microgpt import END
from sketchlab.training.outputs import LossOn, MeanLoss, NextLetter
from sketchlab.widgets import explorer as explorer_module
from sketchlab.widgets import words
from sketchlab.widgets.answers import Answer, uncounted
from sketchlab.widgets.explorer import Explorer

from conftest import LETTERS

MODELS = {
    "selection",
    "kept",
    "answers",
    "explorer",
    "offers",
    "labels",
    "columns",
    "suspects",
    "thumbnails",
    "history",
}


@pytest.fixture(scope="module")
def sketched(small_run):
    """A sketch of the small run with every name a unit, and the first letters above."""
    groups = {}
    for number, name in enumerate(small_run.data):
        groups.setdefault(name[0], []).append(number)
    return sl.sketch(small_run, 2, 15, units=groups, anchors=0, progress=False)


@pytest.fixture
def explorer(small_run, sketched):
    """A fresh explorer."""
    return Explorer(small_run, sketched)


def test_models_do_not_know_the_view():
    """The state can be used and tested without widgets."""
    folder = Path(explorer_module.__file__).parent
    for name in MODELS:
        tree = ast.parse((folder / f"{name}.py").read_text())
        imported = {
            module
            for node in ast.walk(tree)
            for module in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }
        views = {path.stem for path in folder.glob("*.py")} - MODELS
        assert not imported & {"ipywidgets", *views}, name


@pytest.mark.parametrize(
    "question",
    [LossOn("max"), NextLetter("ma", "x"), NextLetter("", END), MeanLoss(("max", "zoe"))],
    ids=lambda question: question.title,
)
def test_answers_are_those_of_the_package(explorer, small_run, sketched, question):
    """Prediction, band, curve and truth equal direct calls."""
    explorer.ask(question)
    explorer.selection.choose_units(np.arange(30) % 7 == 2)
    explorer.weight = 0.6
    explorer.set_part(2, 15)
    explorer.retrain()
    answer = explorer.answer()
    x = (np.arange(30) % 7 == 2).astype(float)
    output = sketched.output(question)
    assert answer.prediction == output.predict(0.6 * x)  # the part is the whole
    assert answer.curve == output.curve(np.linspace(0, 1, 21), down_weights=x)
    truth = float(question(small_run.retrain(down_weights=0.6 * x, progress=False)))
    assert answer.truth == pytest.approx(truth, rel=1e-12)
    assert answer.now == float(question(small_run.model))
    assert answer.error == answer.prediction.value - answer.truth
    assert answer.inside == (answer.prediction.low <= truth <= answer.prediction.high)
    assert [weight for weight, _ in answer.retrained] == [0.25, 0.5, 0.6, 0.75, 1.0]
    assert answer.headline.startswith(f"{answer.change:+#.3g} {question.unit} predicted")
    assert (
        f"{truth - answer.now:+#.3g} true: {question.meaning(truth - answer.now)}"
        in answer.headline
    )
    after = explorer.retrained_model
    exact = small_run.retrain(down_weights=0.6 * x, progress=False)
    assert float(question(after)) == pytest.approx(float(question(exact)), rel=1e-12)


def test_epsilon_chooses_and_the_hand_overrules(explorer):
    """Once it is moved, epsilon sets the part for every deletion, until it is set by hand."""
    explorer.selection.choose_units(np.arange(30) < 3)
    explorer.ask(NextLetter("a", "n"))
    explorer.set_epsilon(0.5)
    explorer.ask(LossOn("max"))
    assert explorer.chosen_by == "whole"  # probabilities are smaller than losses
    costs = []
    for epsilon in (1.0, 0.1, 0.01, 1e-5):
        explorer.set_epsilon(epsilon)
        answer = explorer.answer()
        plan = sl.plan_part(explorer.output, epsilon, down_weights=explorer.selection.down_weights)
        assert (explorer.degree, explorer.directions) == (plan.degree, plan.directions)
        assert answer.plan.within_reach == plan.within_reach
        costs.append(explorer.cost[0])
    assert costs == sorted(costs) and costs[0] < costs[-1]
    assert not answer.plan.within_reach
    assert explorer.cost == (15 * 6, explorer.sketch.nbytes)
    explorer.set_part(1, explorer.sizes[0])
    assert explorer.answer().plan is None
    assert (explorer.degree, explorer.directions) == (1, explorer.sizes[0])
    with pytest.raises(ValueError, match="the sketch has degree 2, not 3"):
        explorer.set_part(3, 15)
    with pytest.raises(ValueError, match="directions must be one of"):
        explorer.set_part(1, 16)
    with pytest.raises(ValueError, match="epsilon must be a number above 0"):
        explorer.set_epsilon(0)


@pytest.mark.parametrize("question", [LossOn("max"), NextLetter("ma", "x")])
def test_the_whole_sketch_is_used_first(explorer, sketched, question):
    """Until epsilon is moved, which starts at the smallest one on its scale within reach."""
    explorer.ask(question)
    before = explorer.epsilon
    assert explorer.answer().plan is None and explorer.epsilon == before == question.epsilon
    for count in (1, 5, 20):
        x = (np.arange(30) < count).astype(float)
        explorer.selection.choose_units(x)
        answer = explorer.answer()
        assert answer.plan is None and (explorer.degree, explorer.directions) == (2, 15)
        assert answer.prediction == sketched.output(question).predict(x)
        tenths = 10 * np.log10(explorer.epsilon)
        assert tenths == pytest.approx(round(tenths), abs=1e-9)
        whole = sketched.output(question)
        assert sl.plan_part(whole, explorer.epsilon, down_weights=x).within_reach
        smaller = explorer.epsilon / 10**0.1
        assert not sl.plan_part(whole, smaller, down_weights=x).within_reach
    explorer.set_epsilon(explorer.epsilon)
    assert explorer.answer().plan.within_reach
    explorer.set_whole()
    assert explorer.answer().plan is None


def test_most_helpful_names_are_those_of_the_exact_first_order(explorer, small_run):
    """With half as many directions as names the gradient is exact: compare to reverse mode."""
    explorer.ask(LossOn("max"))
    exact = sl.attribution.first_order(small_run, lambda model: model.loss("max"), progress=False)
    by_name = np.asarray(exact.gradient)
    helpful, harmful = explorer.most(5, "helpful"), explorer.most(5, "harmful")
    assert set(np.flatnonzero(helpful)) == set(np.argsort(-by_name)[:5])
    assert set(np.flatnonzero(harmful)) == set(np.argsort(by_name)[:5])
    explorer.ask(NextLetter("m", "a"))  # of a probability, the helpful ones raise it
    slope = sl.attribution.first_order(small_run, explorer.question, progress=False).gradient
    assert set(np.flatnonzero(explorer.most(5, "helpful"))) == set(np.argsort(slope)[:5])
    with pytest.raises(ValueError, match="count must lie between 1 and 30"):
        explorer.most(31, "helpful")
    with pytest.raises(ValueError, match="effect must be one of helpful, harmful"):
        explorer.most(3, "rare")


def test_random_choices_are_reproducible(explorer):
    """One seed, one choice, of the size asked for."""
    first, again, other = (explorer.at_random(6, seed) for seed in (3, 3, 4))
    assert first.sum() == 6
    np.testing.assert_array_equal(first, again)
    assert np.any(first != other)


@pytest.mark.parametrize(
    "question, message",
    [
        (LossOn(""), f"type some letters, such as {sl.names.load()[0]!r}"),
        (LossOn("max1"), "unknown character '1' at position 3"),
        (LossOn("Max"), "unknown character 'M' at position 0 of 'Max'"),
        (LossOn("MAX"), "(try lower case)"),
        (NextLetter("a" * 16, "x"), "the prefix has 16 letters"),
        (NextLetter("é", "x"), "unknown character"),
        (NextLetter("a", "ab"), "'ab' is not one letter"),
        (MeanLoss(()), "no examples to take the mean over"),
        (MeanLoss(("max", "M")), "unknown character 'M'"),
    ],
)
def test_wrong_questions_are_refused_and_the_old_one_stays(explorer, question, message):
    """The question of before is still answered."""
    before, value = explorer.question, explorer.answer().prediction.value
    with pytest.raises(ValueError, match=re.escape(message)):
        explorer.ask(question)
    assert explorer.question == before
    assert explorer.answer().prediction.value == value


def test_wrong_inputs(explorer, small_run, sketched):
    """A sketch of another run, swapped arguments, nothing chosen."""
    other = sl.train(small_run.data, steps=39, vocabulary=LETTERS, progress=False)
    with pytest.raises(ValueError, match="another training run, with another number of steps"):
        Explorer(other, sketched)
    with pytest.raises(TypeError, match=r"run must be .* from sl\.train, not Sketch"):
        Explorer(sketched, small_run)
    with pytest.raises(TypeError, match=r"sketch must be from sl\.sketch, not MicroGPTRun"):
        Explorer(small_run, small_run)
    with pytest.raises(ValueError, match="nothing is chosen: choose at least one name"):
        explorer.retrain()
    answer = explorer.answer()
    assert answer.prediction.value == pytest.approx(answer.now, rel=1e-12)


def test_wrong_settings_are_refused_at_once(explorer, small_run, sketched):
    """Not later, when the next answer would fail."""
    for wrong in (1.5, 0, "1"):
        with pytest.raises(ValueError, match="the sketch has degree 2, not"):
            explorer.set_part(wrong, 15)
    for wrong in (-0.1, 2, "a"):
        with pytest.raises(ValueError, match="the down-weight must lie between 0 and 1"):
            explorer.weight = wrong
    with pytest.raises(ValueError, match="epsilon must be a number above 0, not None"):
        explorer.set_epsilon(None)
    with pytest.raises(TypeError, match=r"such as LossOn\('max'\), not 'max'"):
        explorer.ask("max")
    with pytest.raises(TypeError, match=r"held_out must be a list of names, such as \['max'\]"):
        Explorer(small_run, sketched, held_out="max")
    explorer.selection.choose_units(np.arange(30) < 2)
    explorer.weight = 0
    assert explorer.answer().headline.startswith("0 nats, give or take 0")
    with pytest.raises(ValueError, match="the down-weight is 0, so that nothing is deleted"):
        explorer.retrain()


def test_predictions_stay_within_what_is_possible(explorer):
    """Numbers beyond the bounds of a question are moved to them, and no others."""

    class Bounded(NextLetter):
        bounds = (0.08, 0.1)

    explorer.selection.choose_units(np.ones(30))
    explorer.ask(NextLetter("x" * 15, "a"))
    free = explorer.answer()
    q = free.prediction
    assert q.low < q.value < 0.08 < q.high < 0.1
    explorer.ask(Bounded("x" * 15, "a"))
    held = explorer.answer()
    p = held.prediction
    assert (p.low, p.value, p.high) == (0.08, 0.08, q.high)
    for field in ("value", "low", "high"):
        np.testing.assert_array_equal(
            getattr(held.curve, field), np.clip(getattr(free.curve, field), 0.08, 0.1)
        )


def test_a_snapshot_is_recorded_as_it_was(explorer):
    """What is chosen afterwards does not reach it; its retraining and row are shared."""
    explorer.selection.choose_units(np.arange(30) < 3)
    snapshot = explorer.snapshot()
    explorer.selection.choose_units(np.arange(30) == 7)
    explorer.ask(LossOn("zoe"))
    explorer.weight = 0.5
    snapshot.retrain()
    snapshot.record()
    (row,) = explorer.history.rows
    assert (row.deleted, row.down_weight) == (3, 1.0)
    assert row.output == snapshot.question.title != explorer.question.title
    explorer.selection.choose_units(np.arange(30) < 3)
    assert explorer.answer().retrained


def test_a_cancelled_retraining_keeps_nothing(explorer):
    """What the progress bar raises comes through, and there is no truth."""

    class Stopped(Exception):
        pass

    class Bar:
        steps = 0

        def update(self, steps=1):
            self.steps += steps
            if self.steps == 7:
                raise Stopped

    explorer.selection.choose_units(np.ones(30))
    bar = Bar()
    with pytest.raises(Stopped):
        explorer.retrain(progress=bar)
    assert explorer.answer().truth is None and explorer.retrained_model is None
    explorer.retrain()  # all names: the model keeps its initial parameters
    np.testing.assert_array_equal(
        explorer.retrained_model.parameters["wte"], explorer.run.initial.parameters["wte"]
    )


def test_history_and_csv(explorer):
    """One row per try with its numbers; the CSV file reads back."""
    explorer.record()
    assert explorer.history.rows == []  # nothing is known yet
    explorer.selection.choose_units(np.arange(30) < 4)
    explorer.retrain()
    explorer.record()
    with pytest.raises(ValueError, match="this try is in the history already"):
        explorer.record()
    explorer.set_part(1, explorer.sizes[2])
    explorer.record()
    assert [row.degree for row in explorer.history.rows] == [explorer.history.rows[0].degree, 1]
    rows = list(csv.DictReader(io.StringIO(explorer.history.csv())))
    assert len(rows) == 2
    answer = explorer.answer()
    assert float(rows[1]["predicted"]) == answer.prediction.value
    assert float(rows[1]["retrained"]) == answer.truth
    assert float(rows[1]["error"]) == answer.error
    assert rows[1]["names"].split() == explorer.run.data[:4]
    assert rows[1]["inside"] == str(answer.inside)


def asked_of(sketched, monkeypatch):
    """A list to which the questions are added that a sketch computes."""
    asked, output = [], sketched.output

    def counting(question, **settings):
        asked.append(question)
        return output(question, **settings)

    monkeypatch.setattr(sketched, "output", counting)
    return asked


def test_outputs_and_retrainings_are_bounded(small_run, sketched, monkeypatch):
    """What was used longest ago is forgotten first, and computed again when it is asked for."""
    monkeypatch.setattr(explorer_module, "OUTPUTS_KEPT", 3)
    monkeypatch.setattr(explorer_module, "RETRAININGS_KEPT", 1)
    computed = asked_of(sketched, monkeypatch)
    explorer = Explorer(small_run, sketched)
    for letter in "abcabdabc":
        explorer.ask(NextLetter("a", letter))
    assert "".join(question.letter for question in computed[1:]) == "abcdc"
    first, second = np.arange(30) == 0, np.arange(30) == 1
    for mask in (first, second):
        explorer.selection.choose(mask)
        explorer.retrain()
    assert explorer.answer().truth is not None
    explorer.selection.choose(first)
    assert explorer.answer().truth is None


def test_a_snapshot_outlives_what_is_forgotten(small_run, sketched, monkeypatch):
    """People may ask many other questions while it trains."""
    monkeypatch.setattr(explorer_module, "OUTPUTS_KEPT", 1)
    explorer = Explorer(small_run, sketched)
    explorer.selection.choose(np.arange(30) < 3)
    snapshot = explorer.snapshot()
    explorer.ask(NextLetter("a", "b"))
    snapshot.retrain()
    snapshot.record()
    assert explorer.history.rows[0].output == snapshot.question.title


@pytest.fixture(scope="module")
def short(small_run):
    """A run that reads four letters of longer documents, one of them of exactly four."""
    run = sl.train(["acgt", "acgtacgtac", "gattaca", "cg"], steps=4, context=4, progress=False)
    return run, sl.sketch(run, 1, 4, anchors=0, progress=False)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cg", ""),
        ("acg", ""),
        ("acgt", "only the first 4 of its 5 positions count, as in training"),
        ("acgtacgtac", "only the first 4 of its 11 positions count, as in training"),
    ],
)
def test_documents_longer_than_the_context(short, name, said):
    """Any document can be asked for; its loss is that of what the model reads."""
    run, sketched = short
    explorer = Explorer(run, sketched, question=LossOn(name))
    assert explorer.question == LossOn(name)
    letters = [*name, END][:4]
    chances = [run.next_probs(name[:i])[letter] for i, letter in enumerate(letters)]
    assert explorer.answer().now == pytest.approx(-np.log(chances).mean(), rel=1e-12)
    assert uncounted(explorer.question, 4) == said
    assert uncounted(NextLetter("acg", "t"), 4) == ""
    long = "only the first 4 positions count, as in training (1 are longer)"
    assert uncounted(MeanLoss(("cg", name)), 4) == (long if said else "")


@pytest.mark.parametrize(
    ("held_out", "question", "expected"),
    [
        ([], None, LossOn("acgt")),
        (["zoe", "", "ttt"], None, LossOn("ttt")),  # the first that the model can read
        (["zoe"], None, LossOn("acgt")),
        (["ttt"], NextLetter("ac", "g"), NextLetter("ac", "g")),
    ],
)
def test_the_first_question_can_be_answered(short, monkeypatch, held_out, question, expected):
    """The given one is asked at once, and no other."""
    run, sketched = short
    asked = asked_of(sketched, monkeypatch)
    explorer = Explorer(run, sketched, question=question, held_out=held_out)
    assert explorer.question == expected
    assert asked == [expected]


def answer(value, reach, now=1.0, truth=None):
    """An answer of the loss on "max" with a band."""
    prediction = Prediction(value, reach, value - reach, value + reach, (), now)
    return Answer(LossOn("max"), prediction, None, now, (), truth, None)


def test_an_answer_prints_what_it_says():
    """On one line, without the curve and the plan."""
    said = "Answer(loss on 'max' (nats): now 1, predicted 1.5 "
    assert repr(answer(1.5, 0.1)) == said + "(1.4 to 1.6))"
    assert repr(answer(1.5, np.inf, truth=1.25)) == said + "(no band), retrained 1.25)"


@pytest.mark.parametrize(
    ("value", "reach", "truth", "headline", "inside"),
    [
        (1.5, 0.1, None, "+0.500 nats: the model knows less about 'max'", None),
        (1.5, 0.6, None, "+0.500 nats, give or take 0.6: may be no change at all", None),
        (1.5, np.inf, None, "+0.500 nats, give or take an unknown amount: may be no change", None),
        (1.5, np.inf, 0.75, "+0.500 nats predicted, -0.250 true: the model knows more", None),
        (1.5, 0.6, 0.95, "+0.500 nats predicted, -0.0500 true: the model knows more", True),
        (1.5, 0.6, 0.85, "+0.500 nats predicted, -0.150 true: the model knows more", False),
        (1 - 9.72e-5, 0.1, 1.0002, "-0.0000972 nats predicted, +0.000200 true: the model", True),
        (1 - 9.72e-8, 0.1, 1.0002, "-9.72e-08 nats predicted, +0.000200 true: the model", True),
    ],
)
def test_what_an_answer_says(value, reach, truth, headline, inside):
    """Also where nothing is known of the error: then nothing lies inside a band."""
    found = answer(value, reach, truth=truth)
    assert found.headline.startswith(headline)
    assert found.inside is inside


def test_an_unknown_band_is_not_made_known_by_what_is_possible(small_run):
    """Of a probability whose error is infinite, 0 to 1 would pass for a 90% band."""
    sketched = sl.sketch(
        small_run, 1, 15, anchors=0, progress=False
    )  # degree 1 knows nothing of the rest
    explorer = Explorer(small_run, sketched, question=NextLetter("m", "a"))
    explorer.selection.choose(np.arange(30) < 3)
    found = explorer.answer()
    assert (found.prediction.low, found.prediction.high) == (0.0, 1.0)
    assert found.reach == np.inf and "an unknown amount" in found.headline
    explorer.set_epsilon(0.1)
    found = explorer.answer()
    assert not found.plan.within_reach and "a higher degree would tell" in found.plan.reason
    explorer.retrain()
    assert explorer.answer().inside is None


def test_retrainings_are_evidence(small_run, sketched):
    """As if the sketch had been anchored there, which it is not; predictions come before truths."""
    rng = np.random.default_rng(5)
    deletions = np.array([np.isin(np.arange(30), rng.choice(30, 4, False)) for _ in range(24)])
    explorer = Explorer(small_run, sketched, question=LossOn("max"))
    explorer.set_part(2, 15)
    asked = []
    for x in deletions:
        explorer.selection.choose(x)
        before = explorer.answer()
        explorer.retrain()
        after = explorer.answer()
        assert after.prediction == before.prediction and after.curve == before.curve
        exact = explorer.output.predict(x.astype(float))
        assert (exact.value, exact.error) == (pytest.approx(after.truth, rel=1e-12), 0.0)
        asked.append(before)
    assert [found.evidence for found in asked] == list(range(24))
    assert [found.missing for found in asked] == [max(0, 20 - made) for made in range(24)]
    assert [found.prediction.calibrated for found in asked] == [0] * 16 + list(range(16, 24))
    assert len(sketched.anchors) == 0 and sketched.influence is None
    groups = {}
    for number, name in enumerate(small_run.data):
        groups.setdefault(name[0], []).append(number)
    other = sl.sketch(small_run, 2, 15, units=groups, anchors=0, progress=False)
    other.anchor(small_run, list(deletions.astype(float)), progress=False)
    for question in (LossOn("max"), NextLetter("ma", "x")):  # the second was not asked before
        explorer.ask(question)
        found, expected = explorer.output, other.output(question)
        np.testing.assert_array_equal(found.anchors, expected.anchors)
        np.testing.assert_allclose(found.anchor_values, expected.anchor_values, rtol=1e-9)
    explorer.ask(LossOn("max"))
    explorer.selection.choose(deletions[3])
    assert explorer.answer().prediction == asked[3].prediction  # also once more is known


def test_what_is_known_is_no_new_evidence(small_run):
    """Anchors of the sketch are exact at once and no test of a band; one deletion counts once."""
    sketched = sl.sketch(small_run, 2, 15, anchors=0, progress=False)
    x = (np.arange(30) < 3).astype(float)
    sketched.anchor(small_run, [x], progress=False)
    explorer = Explorer(small_run, sketched, question=LossOn("max"))
    explorer.selection.choose_units(x)
    assert explorer.answer().prediction.error == 0
    explorer.retrain()
    assert explorer.evidence == [] and explorer.answer().inside is None
    for weight in (0.5, 0.5, 0.25):
        explorer.weight = weight
        explorer.retrain()
    np.testing.assert_array_equal([row for row, _ in explorer.evidence], [0.5 * x, 0.25 * x])
    sketched.anchor(small_run, [0.5 * x], progress=False)
    explorer.ask(LossOn("zoe"))  # its output has that anchor already
    np.testing.assert_array_equal(explorer.output.anchors, [x, 0.5 * x, 0.25 * x])


@pytest.mark.parametrize(
    ("error", "calibrated", "evidence", "missing", "said"),
    [
        (0.1, 0, 0, 20, "(90% band 1.4000 to 1.6000, band not calibrated), now 1.0000</div>"),
        (0.1, 64, 0, 0, "(90% band 1.4000 to 1.6000, calibrated on 64 retrainings), now"),
        (0.0, 64, 0, 0, "(known exactly), now 1.0000</div>"),
        (0.1, 0, 1, 19, "1 retraining made here: after 19 more, predictions of other deletions"),
        (0.1, 25, 1, 0, "1 retraining made here is evidence for the next predictions"),
        (0.1, 25, 5, 0, "5 retrainings made here are evidence for the next predictions"),
    ],
)
def test_the_numbers_say_what_they_rest_on(error, calibrated, evidence, missing, said):
    """Whether the band was calibrated, beside it; and what retrainings are good for."""
    p = Prediction(1.5, error, 1.5 - error, 1.5 + error, (), 1.0, calibrated=calibrated)
    found = Answer(LossOn("max"), p, None, 1.0, (), None, None, evidence, missing)
    assert said in words.details(found)
