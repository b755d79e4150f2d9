"""The explorer's state: its answers are those of the package, its errors are words."""

import ast
import csv
import io
import re
from pathlib import Path

import numpy as np
import pytest

import sketchlab as sl
from sketchlab.training.microgpt import END
from sketchlab.training.outputs import LossOn, MeanLoss, NextLetter
from sketchlab.widgets import explorer as explorer_module
from sketchlab.widgets.explorer import Explorer

from conftest import LETTERS


@pytest.fixture(scope="module")
def sketched(small_run):
    """A sketch of the small run with every name a unit, and the first letters above."""
    groups = {}
    for number, name in enumerate(small_run.data):
        groups.setdefault(name[0], []).append(number)
    return sl.sketch(small_run, 2, 15, units=groups, progress=False)


@pytest.fixture
def explorer(small_run, sketched):
    """A fresh explorer."""
    return Explorer(small_run, sketched)


def test_models_do_not_know_the_view():
    """The state can be used and tested without widgets."""
    folder = Path(explorer_module.__file__).parent
    for name in ("selection", "explorer"):
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
        assert not imported & {"ipywidgets", "parts", "controls", "view"}, name


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
    output = sketched.output(question, unit=question.unit)
    assert answer.prediction == output.predict(0.6 * x)  # the part is the whole
    np.testing.assert_array_equal(
        answer.curve.values, output.curve(np.linspace(0, 1, 21), down_weights=x).values
    )
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
    """Epsilon sets the part for every deletion, until the part is set by hand."""
    explorer.selection.choose_units(np.arange(30) < 3)
    assert explorer.epsilon == 0.02
    explorer.ask(NextLetter("a", "n"))
    assert explorer.epsilon == 0.002  # probabilities are smaller than losses
    explorer.ask(LossOn("max"))
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
        (LossOn(""), "type a name"),
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
    with pytest.raises(ValueError, match="belongs to another training run: make one with"):
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
    """Probabilities between 0 and 1, losses not negative, whatever the polynomial says."""
    explorer.selection.choose_units(np.ones(30))
    explorer.ask(NextLetter("x" * 15, "a"))
    answer = explorer.answer()
    assert 0 <= answer.prediction.low <= answer.prediction.value <= answer.prediction.high <= 1
    assert np.all((answer.curve.low >= 0) & (answer.curve.high <= 1))


def test_a_snapshot_is_recorded_as_it_was(explorer):
    """What is chosen afterwards does not reach it; its retraining and row are shared."""
    explorer.selection.choose_units(np.arange(30) < 3)
    snapshot = explorer.snapshot()
    explorer.selection.choose_units(np.arange(30) == 7)
    explorer.ask(LossOn("zoe"))
    explorer.weight = 0.5
    snapshot.retrain()
    snapshot.record()
    (row,) = explorer.tries
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
    assert explorer.tries == []  # nothing is known yet
    explorer.selection.choose_units(np.arange(30) < 4)
    explorer.retrain()
    explorer.record()
    with pytest.raises(ValueError, match="this try is in the history already"):
        explorer.record()
    explorer.set_part(1, explorer.sizes[2])
    explorer.record()
    assert [row.degree for row in explorer.tries] == [explorer.tries[0].degree, 1]
    rows = list(csv.DictReader(io.StringIO(explorer.csv())))
    assert len(rows) == 2
    answer = explorer.answer()
    assert float(rows[1]["predicted"]) == answer.prediction.value
    assert float(rows[1]["retrained"]) == answer.truth
    assert float(rows[1]["error"]) == answer.error
    assert rows[1]["names"].split() == explorer.run.data[:4]
    assert rows[1]["inside"] == str(answer.inside)


def test_outputs_and_retrainings_are_bounded(explorer, monkeypatch):
    """What was asked longest ago is forgotten first."""
    monkeypatch.setattr(explorer_module, "OUTPUTS_KEPT", 3)
    for letter in "abcd":
        explorer.ask(NextLetter("a", letter))
    assert [question.letter for question in explorer._outputs] == ["b", "c", "d"]
    monkeypatch.setattr(explorer_module, "RETRAININGS_KEPT", 1)
    for number in range(2):
        explorer.selection.choose_units(np.arange(30) == number)
        explorer.retrain()
    assert len(explorer._retrained) == 1
    assert explorer.answer().truth is not None
