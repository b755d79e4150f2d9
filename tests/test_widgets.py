"""Views: a person's changes reach the state, and the state is what they show."""

import base64
import re

import ipywidgets
import matplotlib.figure
import numpy as np
import pytest

import sketchlab as sl
from sketchlab import figures, widgets


def test_moving_a_slider_draws_again():
    """The drawing function is called with the new values, and the picture changes."""
    calls = []

    def draw(degree, z):
        calls.append((degree, z))
        figure, axes = figures.new_axes()
        axes.plot([0, degree], [0, z], label="a line")
        axes.set(xlabel="time", ylabel="level")
        return figure

    box = widgets.with_sliders(draw, degree=(1, 6, 1, 3), z=(0.0, 1.0, 0.1, 0.5))
    degree, z, message, image = box.children
    assert isinstance(degree, ipywidgets.IntSlider)
    assert isinstance(z, ipywidgets.FloatSlider)
    before = bytes(image.value)
    degree.value = 5
    assert calls == [(3, 0.5), (5, 0.5)]
    assert bytes(image.value).startswith(b"\x89PNG")
    assert bytes(image.value) != before
    assert message.value == ""
    assert "level against time (a line)" in image.tooltip


def test_an_error_is_shown_in_words():
    """Nothing is raised into the kernel; the message goes when it works again."""

    def draw(degree):
        if degree == 2:
            raise ValueError("degree < 3 & odd")
        return figures.new_axes()[0]

    box = widgets.with_sliders(draw, degree=(1, 6, 1, 2))
    degree, message, _ = box.children
    assert "degree &lt; 3 &amp; odd" in message.value
    degree.value = 3
    assert message.value == ""


def test_figures_are_returned_and_not_left_open(small_run):
    """Each figure function returns a figure that pyplot has already closed."""
    import matplotlib.pyplot as plt

    weights, retrained, jet = sl.paper.deletion_curve(
        small_run, [1, 2], "max", degree=3, progress=False
    )
    for figure in (
        figures.deletion_curve(weights, retrained, jet, name="max", degrees=(1, 3), z=0.5),
        figures.error_by_degree(jet, retrained[-1]),
    ):
        assert isinstance(figure, matplotlib.figure.Figure)
    assert plt.get_fignums() == []


@pytest.fixture(scope="module")
def sketched(small_run):
    """Names as units, first letters above them."""
    groups = {}
    for number, name in enumerate(small_run.data):
        groups.setdefault(name[0], []).append(number)
    return sl.sketch(small_run, 2, 15, units=dict(sorted(groups.items())), progress=False)


@pytest.fixture
def view(small_run, sketched):
    """A fresh explorer with its view."""
    return sl.explore(small_run, sketched, name="max")


def test_explore_shows_the_given_deletion(small_run, sketched):
    """What is chosen at the start, by name of a unit or by number."""
    view = sl.explore(small_run, sketched, without=["a", 3], name="zoe")
    expected = {n for n in small_run.data if n[0] == "a"} | {small_run.data[3]}
    assert set(view.explorer.selection.names) == expected
    assert f"<b>{len(expected)} names</b> of 30" in view.deletion.count.value
    assert all(name in view.deletion.count.value for name in expected)
    assert view.question.name.value == "zoe"
    answer = view.explorer.answer()
    assert answer.headline.split(":")[0] in view.headline.value
    assert f"predicted <b>{answer.prediction.value:.4f}</b>" in view.details.value
    assert f"{answer.prediction.value:.4f}" in view.picture.tooltip
    with pytest.raises(IndexError, match="there is no unit 'q'"):
        sl.explore(small_run, sketched, without=["q"])
    with pytest.raises(ValueError, match="unknown character"):
        sl.explore(small_run, sketched, name="m4x")


def test_chips_list_and_buttons_choose(view):
    """Letters, clicked names, none, all and undo; the controls follow each other."""
    selection, deletion = view.explorer.selection, view.deletion
    letter = selection.documents[0][0]
    before = bytes(view.picture.value)
    deletion.units.chips[letter].value = True
    assert selection.names == [n for n in selection.documents if n[0] == letter]
    assert [selection.documents[i] for i in sorted(deletion.names.list.value)] == selection.names
    assert bytes(view.picture.value) != before
    deletion.names.list.value = (4, 5)
    assert selection.names == selection.documents[4:6]
    assert deletion.units.chips[letter].value is (letter in {n[0] for n in selection.names})
    deletion.names.search.value = selection.documents[7]
    assert [unit for _, unit in deletion.names.list.options] == [
        i for i, n in enumerate(selection.documents) if selection.documents[7] in n
    ]
    deletion.names.list.value = (7,)  # what the search hides stays chosen
    assert selection.names == [selection.documents[i] for i in (4, 5, 7)]
    deletion.all.click()
    assert len(selection) == 30
    deletion.none.click()
    assert len(selection) == 0
    assert "Choose names to delete" in view.headline.value
    deletion.undo.click()
    deletion.undo.click()
    assert len(selection) == 3


def test_patterns_effects_and_draws_choose(view):
    """Each proposal says what it finds; its buttons replace, add and remove."""
    selection, pages = view.explorer.selection, view.deletion.pages
    pattern = pages["Text"]
    pattern.text.value = "a"
    with_a = [n for n in selection.documents if "a" in n]
    assert pattern.found.value == f"{len(with_a)} names"
    assert len(selection) == 0
    pattern.buttons["replace"].click()
    assert selection.names == with_a
    pattern.text.value = "an"
    pattern.buttons["remove"].click()
    assert selection.names == [n for n in with_a if "an" not in n]
    pattern.buttons["add"].click()
    assert selection.names == with_a
    pattern.kind.value = "regular expression"
    pattern.text.value = "(a"
    assert "is not a regular expression: missing )" in pattern.message.value
    pattern.buttons["add"].click()
    assert "is not a regular expression: missing )" in view.message.value
    assert selection.names == with_a
    pattern.text.value = "^a"
    assert pattern.message.value == ""
    pattern.text._handle_custom_msg({"event": "submit"}, [])  # what Enter sends
    assert selection.names == [n for n in with_a if n[0] == "a"]
    assert view.message.value == ""
    effect = pages["Effect"]
    effect.number.value = 4
    assert "raises the loss on" in effect.found.value
    effect.buttons["replace"].click()
    np.testing.assert_array_equal(selection.mask, view.explorer.most(4, "helpful"))
    draw = pages["Draw"]
    draw.number.value = 6
    draw.buttons["replace"].click()
    first = selection.names
    draw.buttons["replace"].click()
    assert len(first) == len(selection) == 6
    assert selection.names != first


def test_questions_are_asked_as_they_are_typed(view):
    """A right one is answered, a wrong one is explained and the last right one stays."""
    question = view.question
    question.name.value = "zoe"
    assert view.explorer.question.title == "loss on 'zoe'"
    for wrong, message in {
        "": "type a name",
        "zo3": "unknown character &#x27;3&#x27;",
    }.items():
        question.name.value = wrong
        assert message in question.message.value
        assert "Still shown: loss on &#x27;zoe&#x27;" in question.message.value
        assert view.explorer.question.title == "loss on 'zoe'"
    question.kind.value = "next letter"
    question.prefix.value, question.letter.value = "ma", "x"
    assert question.message.value == ""
    assert view.explorer.question.title == "probability of 'x' after 'ma'"
    assert question.name.layout.display == "none" and question.prefix.layout.display is None
    question.kind.value = "mean loss on unseen names"
    assert view.explorer.question.title == "mean loss on 20 names"
    assert not set(view.explorer.question.examples) & set(view.explorer.run.data)


def test_sliders_set_the_accuracy(view):
    """Epsilon moves degree and directions; moving those sets them by hand."""
    view.deletion.names.list.value = (4, 5, 6)
    accuracy, explorer = view.accuracy, view.explorer
    used = set()
    for epsilon in (1.0, 0.1, 0.01, 0.001):
        accuracy.epsilon.value = epsilon
        used.add((accuracy.degree.value, accuracy.directions.value))
        assert (explorer.degree, explorer.directions) == (
            accuracy.degree.value,
            accuracy.directions.value,
        )
        assert f"as much as {explorer.cost[0]} trainings" in accuracy.note.value
    assert len(used) > 1
    assert "No part is within epsilon" in accuracy.note.value
    accuracy.degree.value = 1
    accuracy.directions.value = explorer.sizes[1]
    assert "set by hand" in accuracy.note.value
    assert (explorer.degree, explorer.directions) == (1, explorer.sizes[1])
    accuracy.weight.value = 0.5
    assert explorer.weight == 0.5
    assert "at down-weight 0.5" in view.picture.tooltip


def test_retraining_shows_the_truth_and_can_be_cancelled(view, monkeypatch):
    """The number is that of the package; a cancelled training leaves words and no truth."""
    view.button.click()
    view.worker.join()
    assert "nothing is chosen: choose at least one name" in view.message.value
    view.deletion.names.list.value = (4, 5, 6)
    monkeypatch.setattr(
        view,
        "_running",
        lambda running, real=view._running: (real(running), running and view._cancel.set()),
    )  # as if Cancel were pressed at once
    view.button.click()
    view.worker.join()
    assert "cancelled: nothing was kept" in view.message.value
    assert view.explorer.tries == [] and "press Retrain" in view.samples.value
    monkeypatch.undo()
    view.button.click()
    view.worker.join()
    exact = view.explorer.run.retrain(without=[4, 5, 6], progress=False)
    assert f"retrained <b>{exact.loss('max'):.4f}</b>" in view.details.value
    assert view.message.value == "" and not view.button.disabled
    assert " ".join(exact.sample(8, 0)) in view.samples.value
    link = re.search(r"base64,([^\"]+)", view.history.value).group(1)
    assert base64.b64decode(link).decode() == view.explorer.csv()
    assert f"{exact.loss('max'):.4f}" in view.history.value


def test_a_sketch_of_whole_units(small_run):
    """Chips choose; patterns that cut through a unit are explained; the list shows units."""
    labels = [name[0] for name in small_run.data]
    sketched = sl.sketch(small_run, 1, 5, units=labels, progress=False)
    view = sl.explore(small_run, sketched, without=[labels[0]])
    assert view.deletion.units.chips[labels[0]].value
    assert len(view.deletion.names.list.options) == len(set(labels))
    pattern = view.deletion.pages["Text"]
    pattern.text.value = small_run.data[0]
    if labels.count(labels[0]) > 1:
        pattern.buttons["replace"].click()
        assert "this sketch deletes whole units only" in view.message.value


def test_a_sketch_of_single_names_has_no_unit_page(small_run):
    """Without groups there is nothing to press."""
    view = sl.explore(small_run, sl.sketch(small_run, 1, 5, progress=False))
    assert "Units" not in view.deletion.pages
    view.deletion.names.list.value = (0,)
    assert view.explorer.selection.names == [small_run.data[0]]
