"""Losses letter by letter, and their figure: against probabilities, whole losses and retraining."""

import dataclasses
import io
import math
import pickle

import matplotlib.pyplot as plt
import numpy as np
import pytest
from test_outputs import check_values

import sketchlab as sl
from sketchlab import figures
from sketchlab.attribution import effects, first_order, retrained
from sketchlab.training.microgpt import END

from test_training import make_run

CASES = [
    ("zoe", 0, "z", ""),
    ("zoe", 2, "e", "zo"),
    ("zoe", 3, END, "zoe"),
    ("m" * 16, 15, "m", "m" * 15),
]


@pytest.mark.parametrize(("document", "position", "letter", "prefix"), CASES)
def test_a_letter_loss_is_the_logarithm_of_a_probability(
    small_run, document, position, letter, prefix
):
    """-log of the next-letter probability: on one model, a batch and jets, and by first order."""
    output = sl.LetterLoss(document, position)
    assert output.letter == letter
    check_values(small_run, output, lambda model: -sl.ring.log(model.next_probs(prefix)[letter]))
    jets = output(small_run.push(np.eye(30)[:2], 1, progress=False)).coefficients
    gradient = first_order(small_run, output, progress=False).gradient
    np.testing.assert_allclose(gradient[:2], jets[1], rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("document", ["zoe", "a", "m" * 15, "ma" * 8, "ma" * 20])
def test_their_mean_is_the_loss_on_the_document(small_run, document):
    """Also where the document is cut at the context, or ends with it."""
    each = sl.LetterLoss.each(document, small_run.model)
    assert len(each) == min(len(document) + 1, 16)
    assert [one.position for one in each] == list(range(len(each)))
    for model in (small_run.model, small_run.retrain(down_weights=np.eye(30)[:3], progress=False)):
        mean = np.mean([one(model) for one in each], axis=0)
        np.testing.assert_allclose(mean, sl.LossOn(document)(model), rtol=1e-13)


def test_letter_losses_are_values_with_words():
    """Equal, hashed and pickled by what they ask; accents typed in two ways are one letter."""
    output = sl.LetterLoss("zoe", 2)
    again = pickle.loads(pickle.dumps(output))
    assert again == output == sl.LetterLoss("zoe", np.int64(2)) and hash(again) == hash(output)
    assert output != sl.LetterLoss("zoe", 1) and output != sl.LetterLoss("zoo", 2)
    assert sl.LetterLoss("zoe\u0301", 3) == sl.LetterLoss("zo\u00e9", 3)
    assert (output.unit, output.bounds) == ("nats", (0.0, math.inf))
    assert output.label == "loss on 'e' after 'zo' (nats)"
    assert sl.LetterLoss("zoe", 0).title == "loss on 'z' after the start"
    assert sl.LetterLoss("zoe", 3).meaning(0.1) == "the model knows less about the end after 'zoe'"
    assert output.meaning(-0.1) == "the model knows more about 'e' after 'zo'"


def test_wrong_letters_are_refused(small_run):
    """When it is made, or, if it depends on the model, before the model is asked."""
    for arguments, error, message in (
        ((7, 0), TypeError, "document must be a string, not 7"),
        (("zoe", 4), ValueError, r"from 0 \(the first letter\) to 3 \(the end of 'zoe'\), not 4"),
        (("zoe", -1), ValueError, "not -1"),
        (("zoe", 1.0), ValueError, "not 1.0"),
        (("zoe", True), ValueError, "not True"),
    ):
        with pytest.raises(error, match=message):
            sl.LetterLoss(*arguments)
    for output, message in (
        (sl.LetterLoss("ma" * 20, 16), "position 16 .* is never read: the model reads 16"),
        (sl.LetterLoss("z9", 0), "unknown character '9'"),
        (sl.LetterLoss("", 0), "type some letters"),
    ):
        for ask in (output.check, output):
            with pytest.raises(ValueError, match=message):
                ask(small_run.model)
    with pytest.raises(ValueError, match="only a model of letters"):
        sl.LetterLoss("zoe", 0).check(make_run().model)
    with pytest.raises(ValueError, match="only a model of letters"):
        sl.LetterLoss.each("zoe", make_run().model)


# ---- the figure ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def zoe(small_run):
    """The letters of "zoe" and their first-order attribution."""
    outputs = sl.LetterLoss.each("zoe", small_run.model)
    return outputs, first_order(small_run, outputs, progress=False)


def drawn(figure):
    """The colours, (rows, letters), and the words at the two axes and beside the rows."""
    axes = figure.axes[0]
    (image,) = axes.images
    words = [[t.get_text() for t in axis.get_ticklabels()] for axis in (axes.yaxis, axes.xaxis)]
    return image, *words, [t.get_text() for t in axes.texts]


def test_rows_are_the_documents_that_act_most_on_the_whole_loss(small_run, zoe):
    """Their means over the letters are the effect on the loss, known apart, in falling order."""
    whole = first_order(small_run, sl.LossOn("zoe"), progress=False).gradient
    figure = figures.letters(*zoe, small_run.data, k=8)
    assert plt.get_fignums() == []
    image, rows, columns, beside = drawn(figure)
    most = np.argsort(-np.abs(whole))[:8]
    most = most[np.argsort(-whole[most])]
    assert rows == [small_run.data[i] for i in most] and columns == ["z", "o", "e", "end"]
    colours = np.asarray(image.get_array())
    np.testing.assert_allclose(colours.mean(axis=1), whole[most], rtol=1e-9)
    np.testing.assert_array_equal(colours[:, 1], zoe[1][1].gradient[most])
    assert beside == [f"{whole[i]:+.3f}".replace("-", "−") for i in most] + ["mean"]
    assert image.get_clim() == (-np.abs(colours).max(), np.abs(colours).max())
    assert "nats" in figure.axes[1].get_ylabel()


def test_any_predictor_is_asked_about_every_unit_alone(small_run, zoe):
    """Exact retrainings of groups: the changes are those of leaving out each group."""
    groups = ["ab"[len(doc) % 2] for doc in small_run.data]
    known = retrained(small_run, zoe[0], np.eye(2), units=groups, progress=False)
    image, rows, _, _ = drawn(figures.letters(zoe[0], [effects(one) for one in known]))
    colours = dict(zip(rows, np.asarray(image.get_array()), strict=True))
    for group in "ab":
        gone = [i for i, label in enumerate(groups) if label == group]
        model = small_run.retrain(without=gone, progress=False)
        change = [float(one(model) - one(small_run.model)) for one in zoe[0]]
        np.testing.assert_allclose(colours[group], change, rtol=1e-8)


LABELS = {
    "names": (None, "document 3"),
    "arrays": (np.zeros((30, 2)), "document 3"),
    "formulas": (["$x$"] * 30, "$x$"),
    "spaces": ([" a "] * 30, "' a '"),
    "tuples": ([(1, "a")] * 30, "document 3"),
    "floats": ([0.5] * 30, "0.5"),
    "long": (["acgt" * 50] * 30, "acgt" * 6 + "…" + "gtacgtacgtacgt"),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("case", LABELS)
def test_documents_that_are_no_text_have_numbers(zoe, case):
    """And words are drawn as they are, no formula, not longer than there is room."""
    labels, expected = LABELS[case]
    gradients = [np.where(np.arange(30) == 3, 1.0, 0.0)] * 4
    predictors = [having(one, gradient) for one, gradient in zip(zoe[1], gradients, strict=True)]
    figure = figures.letters(zoe[0], predictors, labels, k=1)
    figure.savefig(io.BytesIO())
    (label,) = figure.axes[0].get_yticklabels()
    assert label.get_text()[:20] == expected[:20] and len(label.get_text()) <= 40
    assert not label.get_parse_math()


def having(predictor, gradient):
    """A first-order prediction with other derivatives."""

    return dataclasses.replace(predictor, gradient=gradient)


def test_wrong_figures_are_refused(small_run, zoe):
    outputs, found = zoe
    for arguments, error, message in (
        (([sl.LossOn("zoe")] * 4, found), TypeError, "list of LetterLoss"),
        (([], []), TypeError, "list of LetterLoss"),
        ((outputs[1:], found[1:]), ValueError, "from the first on"),
        (
            (outputs[:1] + sl.LetterLoss.each("max", small_run.model)[1:], found),
            ValueError,
            "one document",
        ),
        ((outputs, found[:3]), ValueError, "a list of 4"),
        ((outputs, found, ["a"]), ValueError, "30 units, not 1"),
    ):
        with pytest.raises(error, match=message):
            figures.letters(*arguments)
    with pytest.raises(ValueError, match=r"^k"):
        figures.letters(outputs, found, k=0)
    nothing = [having(one, np.zeros(30)) for one in found]
    figures.letters(outputs, nothing).savefig(io.BytesIO())  # white
