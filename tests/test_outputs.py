"""Named outputs: what they compute, on numbers, batches and jets; what they say and refuse."""

import math
import pickle

import numpy as np
import pytest

import sketchlab as sl
from sketchlab.attribution import first_order
from sketchlab.training.microgpt import END

from conftest import complex_directions
from test_training import make_run

TEXT = {
    "a loss": (sl.LossOn("max"), lambda model: model.loss("max")),
    "a loss of context letters": (sl.LossOn("m" * 16), lambda model: model.loss("m" * 16)),
    "a loss of more": (sl.LossOn("ma" * 20), lambda model: model.loss("ma" * 20)),
    "a next letter": (sl.NextLetter("ma", "x"), lambda model: model.next_probs("ma")["x"]),
    "a first letter": (sl.NextLetter("", "a"), lambda model: model.next_probs()["a"]),
    "the end": (sl.NextLetter("x", END), lambda model: model.next_probs("x")[END]),
    "the longest prefix": (
        sl.NextLetter("x" * 15, "a"),
        lambda model: model.next_probs("x" * 15)["a"],
    ),
    "a mean loss": (
        sl.MeanLoss(["max", "zoe", "al"]),
        lambda model: (model.loss("max") + model.loss("zoe") + model.loss("al")) * (1 / 3),
    ),
}
ROWS = {
    "a row": (sl.LossOn(3), lambda model: model.losses(np.array([3]))[..., 0]),
    "rows": (
        sl.MeanLoss(np.arange(4)),
        lambda model: sl.ring.sum(model.losses(np.arange(4)), -1) * 0.25,
    ),
    "two rows": (
        sl.MeanLoss([2, 0]),
        lambda model: (model.loss(2) + model.loss(0)) * 0.5,
    ),
}


def check_values(run, output, expected):
    """On one model, a batch and jets; the derivative is that of first order."""
    n = len(run)
    output.check(run.model)
    assert output(run.model) == pytest.approx(expected(run.model), rel=1e-12)
    x = np.random.default_rng(0).random((3, n))
    batch = run.retrain(down_weights=x, progress=False)
    np.testing.assert_allclose(output(batch), expected(batch), rtol=1e-12)
    jets = run.push(complex_directions(2, n), 2, progress=False)
    np.testing.assert_allclose(
        output(jets).coefficients, expected(jets).coefficients, rtol=1e-10, atol=1e-15
    )


@pytest.mark.parametrize("case", TEXT)
def test_outputs_of_text(small_run, case):
    """Losses and probabilities of microgpt, also with documents longer than the context."""
    check_values(small_run, *TEXT[case])


@pytest.mark.parametrize("case", ROWS)
def test_outputs_of_any_model(case):
    """Losses by row number; a tuple of rows is a list of rows, not an index of many axes."""
    run = make_run("no axes")
    check_values(run, *ROWS[case])
    output = ROWS[case][0]
    jets = output(run.push(np.eye(12), 1, progress=False)).coefficients
    found = first_order(run, output, progress=False)
    np.testing.assert_allclose(found.gradient, jets[1], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("output", [case[0] for case in (TEXT | ROWS).values()], ids=str)
def test_outputs_are_values(output):
    """They are equal, hashed and pickled by what they ask, and frozen."""
    again = pickle.loads(pickle.dumps(output))
    assert again == output and hash(again) == hash(output) and {output: 1}[again] == 1
    assert output not in [case[0] for case in (TEXT | ROWS).values() if case[0] is not output]
    with pytest.raises(AttributeError):
        output.unit = "bits"


def test_lists_and_ways_to_type_an_accent_are_the_same_output():
    """A list, a tuple and a generator; one character or two."""
    assert sl.MeanLoss(["a", "b"]) == sl.MeanLoss(("a", "b")) == sl.MeanLoss(iter("ab"))
    assert sl.LossOn("zoe\u0301") == sl.LossOn("zo\u00e9")
    assert sl.NextLetter("zo", "e\u0301") == sl.NextLetter("zo", "\u00e9")
    assert sl.MeanLoss(["zoe\u0301"]) == sl.MeanLoss(["zo\u00e9"])


WORDS = [
    (sl.LossOn("max"), "loss on 'max'", "loss on 'max' (nats)", "less about 'max'"),
    (sl.LossOn(3), "loss on example 3", "loss on example 3 (nats)", "less about example 3"),
    (
        sl.LossOn(3, unit="squared error"),
        "loss on example 3",
        "loss on example 3 (squared error)",
        "less about example 3",
    ),
    (
        sl.NextLetter("ma ", "x"),
        "probability of 'x' after 'ma '",
        "probability of 'x' after 'ma '",
        "'x' becomes more likely after 'ma '",
    ),
    (
        sl.NextLetter("", END),
        "probability of the end after the start",
        "probability of the end after the start",
        "the end becomes more likely after the start",
    ),
    (
        sl.MeanLoss(["max", "zoe"]),
        "mean loss on 2 names",
        "mean loss on 2 names (nats)",
        "less about names in general",
    ),
    (
        sl.MeanLoss([3]),
        "mean loss on 1 example",
        "mean loss on 1 example (nats)",
        "less about these examples",
    ),
]


@pytest.mark.parametrize(("output", "title", "label", "meaning"), WORDS)
def test_words(output, title, label, meaning):
    """Title, label and what a rise means; the opposite for a fall."""
    assert (output.title, output.label) == (title, label)
    assert output.meaning(0.1).endswith(meaning)
    assert output.meaning(-0.1) != output.meaning(0.1)


def test_units_and_bounds():
    """Nats from 0, probabilities from 0 to 1; a deletion that helps raises a loss."""
    for output in (sl.LossOn("a"), sl.MeanLoss(["a"])):
        assert (output.unit, output.bounds, output.helps) == ("nats", (0.0, math.inf), 1)
    letter = sl.NextLetter("a", "b")
    assert (letter.unit, letter.bounds, letter.helps) == ("of probability", (0.0, 1.0), -1)
    assert sl.LossOn(3, bounds=(-1.0, 1.0)).bounds == (-1.0, 1.0)
    assert sl.LossOn(3, unit="squared error") != sl.LossOn(3)


def test_documents_of_any_length_can_be_asked_for(small_run):
    """Fifteen letters and the end fill the context of 16; of more, the first 16 positions."""
    for length in (1, 15, 16, 17):
        sl.LossOn("m" * length).check(small_run.model)
    beyond = [sl.LossOn("a" * 16 + rest)(small_run.model) for rest in ("", "b", "xyz")]
    assert beyond[0] == beyond[1] == beyond[2] != sl.LossOn("a" * 15)(small_run.model)


def test_a_prefix_may_end_in_a_space():
    """It is not the prefix without the space."""
    run = sl.train(["de la", "la rue", "a b"], progress=False)
    spaced, bare = (sl.NextLetter(prefix, "a")(run.model) for prefix in ("de ", "de"))
    assert spaced == run.next_probs("de ")["a"] != bare


REFUSED = [
    (sl.LossOn(""), "type some letters"),
    (sl.LossOn("max1"), "unknown character '1' at position 3"),
    (sl.LossOn("MAX"), r"unknown character 'M' .*\(try lower case\)"),
    (sl.LossOn(3), "a document must be text, such as 'max', not 3"),
    (sl.NextLetter("a" * 16, "x"), "the prefix has 16 letters; the model reads at most 15"),
    (sl.NextLetter("\u00e9", "x"), "unknown character"),
    (sl.NextLetter("a", "ab"), "'ab' is not one letter of the vocabulary"),
    (sl.NextLetter("a", ""), "'' is not one letter of the vocabulary"),
    (sl.MeanLoss(()), "no examples to take the mean over"),
    (sl.MeanLoss(["max", "M"]), "unknown character 'M'"),
    (sl.MeanLoss(["max", ""]), "type some letters"),
]


@pytest.mark.parametrize(("output", "message"), REFUSED)
def test_what_a_model_of_letters_cannot_answer(small_run, output, message):
    """In words, before anything is computed."""
    with pytest.raises(ValueError, match=message):
        output.check(small_run.model)


def test_asking_without_a_check_is_refused_in_words_too(small_run):
    """A letter outside the vocabulary and an empty list are no bare KeyError or IndexError."""
    with pytest.raises(ValueError, match="'Q' is not one letter"):
        sl.NextLetter("ma", "Q")(small_run.model)
    with pytest.raises(ValueError, match="no examples"):
        sl.MeanLoss([])(small_run.model)
    with pytest.raises(ValueError, match="only a model of letters has a next letter"):
        sl.NextLetter("a", "b")(make_run("ridge").model)


WRONG = [
    (lambda: sl.LossOn(np.zeros(3)), "must be hashable.* not a ndarray: train on row numbers"),
    (lambda: sl.MeanLoss("max"), "examples must be a list"),
    (lambda: sl.MeanLoss(3), "examples must be a list"),
    (lambda: sl.MeanLoss(np.zeros((2, 3))), "must be hashable"),
    (lambda: sl.NextLetter(3, "a"), "the prefix must be a string, not 3"),
    (lambda: sl.NextLetter("a", None), "the letter must be a string, not None"),
]


@pytest.mark.parametrize(("make", "message"), WRONG)
def test_what_is_no_output(make, message):
    """Refused when it is made."""
    with pytest.raises(TypeError, match=message):
        make()
