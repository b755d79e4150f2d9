"""Figures: closed for pyplot, people's words as they are, and bands that may be unknown."""

import io
from types import SimpleNamespace

import matplotlib.pyplot as plt
import matplotlib.text
import numpy as np
import pytest

import sketchlab as sl
from sketchlab import figures
from sketchlab.estimation.prediction import Prediction, Term
from sketchlab.widgets.words import spoken_terms

HARD = {  # words of people, and what matplotlib would make of them
    "formula": "$$",
    "broken formula": "$_^\\$",
    "escaped": "\\$1_",
    "markup": "<b>&amp;</b>",
    "Chinese": "名字",
    "Arabic": "اسم",
    "emoji": "🙂",
    "control": "a\x01",
    "long": "acgt" * 100,
}
LINE = sl.Jet(np.array([1.0, 1.0]))
CURVES = {
    "weights": [0, 1],
    "retrained": [1.0, 2.0],
    "degrees": {1: {"values": [1.0, 2.0], "low": [0.9, 1.9], "high": [1.1, 2.1]}},
}
POINT = Prediction(2.0, 0.1, 1.9, 2.1, (), 1.0)
BAND = Prediction(*np.array([[1.0, 2.0], [0.1, 0.1], [1, 1.9], [1, 2.1]]), (), 1.0)


def test_figures_are_returned_and_not_left_open(small_run):
    """Each figure function returns a figure that pyplot has already closed."""
    weights, retrained, jet = sl.paper.deletion_curve(
        small_run, [1, 2], "max", degree=3, progress=False
    )
    for figure in (
        figures.deletion_curve(weights, retrained, jet, name="max", degrees=(1, 3), z=0.5),
        figures.error_by_degree(jet, retrained[-1]),
    ):
        assert isinstance(figure, matplotlib.figure.Figure)
    assert plt.get_fignums() == []


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("hard", HARD.values(), ids=HARD)
@pytest.mark.parametrize(
    "draw",
    [
        lambda name: figures.deletion_curve([0, 1], [1.0, 2.0], LINE, name=name, degrees=(1,)),
        lambda name: figures.predicted_curves({**CURVES, "name": name}),
        lambda name: figures.predicted_deletion(POINT, [0, 1], BAND, label=f"loss on {name!r}"),
    ],
    ids=["deletion_curve", "predicted_curves", "predicted_deletion"],
)
def test_figures_draw_words_as_they_are(hard, draw):
    """No formula, no box for a letter that the font lacks; the description has every letter."""
    figure = draw(hard)
    figure.savefig(io.BytesIO())
    assert f"loss on {hard!r}" in figures.description(figure)
    (text,) = [
        t for t in figure.findobj(matplotlib.text.Text) if t.get_text().startswith("loss on")
    ]
    assert len(text.get_text()) < 80 and not text.get_parse_math()
    if hard in ("$$", "$_^\\$", "\\$1_"):
        assert repr(hard) in text.get_text()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("known", "label", "regions"),
    [
        ([True, True, True], "predicted, 90% band", [(0.0, 1.0)]),
        ([True, True, False], "predicted, 90% band where known", [(0.0, 0.5)]),
        ([True, False, False], "predicted, band unknown", []),
        ([False, False, False], "predicted, band unknown", []),
    ],
)
@pytest.mark.parametrize("lowest", [-np.inf, 0.0])  # what the output can be
def test_an_unknown_band_is_not_drawn(known, label, regions, lowest):
    """Line and point are, and the axes show them; the bars of unknown terms have no error."""
    line = np.array([1.0, 1.5, 2.0])
    reach = np.where(known, 0.25, np.inf)
    low = np.maximum(line - reach, lowest)
    terms = tuple(Term(r, np.full(3, 0.5), np.full(3, e)) for r, e in enumerate((0, 0.1, np.inf)))
    curve = Prediction(line, reach, low, line + reach, terms, 1.0)
    figure = figures.predicted_deletion(
        curve[2], np.linspace(0, 1, 3), curve, retrained=[(1.0, 1.75)]
    )
    figure.savefig(io.BytesIO())
    left, right = figure.axes
    assert left.get_legend().get_texts()[0].get_text() == label
    band, *_ = left.collections
    found = [(path.vertices[:, 0].min(), path.vertices[:, 0].max()) for path in band.get_paths()]
    assert [ends for ends in found if ends[0] < ends[1]] == regions
    (drawn,) = [one for one in left.lines if one.get_label() == label]
    np.testing.assert_array_equal(drawn.get_xydata(), np.stack([[0.0, 0.5, 1.0], line], 1))
    bottom, top = left.get_ylim()
    assert 0.5 < bottom < 1.0 and 2.0 < top < 2.5
    assert "(error unknown)" in right.get_xlabel()
    assert [bar.get_height() for bar in right.patches] == [0.5, 0.5, 0.5]  # the rest first
    assert [tick.get_text() for tick in right.get_xticklabels()] == ["1", "2", "rest"]


@pytest.mark.parametrize(
    "known, label",
    [(2, "degree"), (1, "degree (2: not known)"), (0, "degree (1, 2: not known)")],
)
def test_terms_that_are_not_known_are_named(known, label):
    """A bar that is not there is no term of size 0."""
    terms = tuple(Term(degree, 0.5, 0.1) for degree in range(known + 1))
    axes = figures.new_axes()[1]
    point = Prediction(0.5 * (known + 1), 0.1, 0.0, 1.0, terms, 0.5)
    figures.taylor_terms(axes, point, degree=2)
    assert axes.get_xlabel() == label and len(axes.patches) == known
    spoken = spoken_terms(SimpleNamespace(prediction=point), 2)
    assert [f"{degree}: not known" in spoken for degree in (1, 2)] == [known < 1, known < 2]


def test_a_way_of_unlearning_is_drawn_from_its_numbers():
    """Histograms of margins, the distances and the targets missed; what diverged is left out."""
    rng = np.random.default_rng(0)
    parts = ("forget", "retain", "unseen")
    oracles = {part: rng.normal(size=(60, 4)) for part in parts}
    klom = [{"klom": {part: 3.0 - stop for part in parts}} for stop in range(2)]
    way = sl.unlearning.Way(
        stops=(0, 5, 10),
        steps=(0.0, 5.0, 7.5),
        costs=(0.0, 0.1, 0.2),
        margins={part: rng.normal(size=(3, 60, 4)) + 1.0 for part in parts},
        oracles=oracles,
        documents={part: np.array([0, 0, 1, 1]) for part in parts},
        distances=(*klom, None),
        same=oracles,
    )
    null = {part: {"klom": (0.3, 0.4, 0.5)} for part in parts}
    figure = figures.unlearning_way(way, 1, null)
    distances, names = figure.axes[3:]
    np.testing.assert_array_equal(distances.lines[0].get_ydata(), [3.0, 2.0, np.nan])
    drawn = np.array([line.get_ydata() for line in names.lines[:2]])
    np.testing.assert_allclose(drawn.T, way.missed())
    assert [label.get_text() for label in names.get_xticklabels()] == ["0", "5", "8"]
    assert "margins, forgotten" in figures.description(figure)
