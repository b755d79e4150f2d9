"""Views: a person's changes reach the state, and the state is what they show."""

import base64
import dataclasses
import html
import re
import time

import ipywidgets
import numpy as np
import pytest
from test_figures import HARD

import sketchlab as sl
from sketchlab import figures, widgets
from sketchlab.training.outputs import NextLetter
from sketchlab.widgets.parts import in_bytes


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
    degree, z, message, image, _ = box.children
    assert isinstance(degree, ipywidgets.IntSlider)
    assert isinstance(z, ipywidgets.FloatSlider)
    before = image.value
    degree.value = 5
    assert calls == [(3, 0.5), (5, 0.5)]
    assert image.value.startswith("<svg") and ">level</text>" in image.value
    assert image.value != before
    assert message.value == ""
    assert "level against time (a line)" in image.words


@pytest.mark.parametrize(
    "size, said",
    [(16, "0.1 kB"), (29_952, "30.0 kB"), (999_999, "1000.0 kB"), (1_250_000, "1.2 MB")],
)
def test_bytes_in_words(size, said):
    """Small ones in kB, and none of them as nothing."""
    assert in_bytes(size) == said


def test_an_error_is_shown_in_words():
    """Nothing is raised into the kernel; the message goes when it works again."""

    def draw(degree):
        if degree == 2:
            raise ValueError("degree < 3 & odd")
        return figures.new_axes()[0]

    box = widgets.with_sliders(draw, degree=(1, 6, 1, 2))
    degree, message, *_ = box.children
    assert "degree &lt; 3 &amp; odd" in message.value
    degree.value = 3
    assert message.value == ""


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
    assert f"{answer.prediction.value:.4f}" in view.picture.words
    with pytest.raises(IndexError, match="there is no unit 'q'"):
        sl.explore(small_run, sketched, without=["q"])
    with pytest.raises(ValueError, match="unknown character"):
        sl.explore(small_run, sketched, name="m4x")


def test_chips_list_and_buttons_choose(view):
    """Letters, clicked names, none, all and undo; the controls follow each other."""
    selection, deletion = view.explorer.selection, view.deletion
    letter = selection.documents[0][0]
    before = view.picture.value
    deletion.units.chips[letter].value = True
    assert selection.names == [n for n in selection.documents if n[0] == letter]
    assert ticked(view) == np.flatnonzero(selection.mask).tolist()
    assert view.picture.value != before
    deletion.none.click()
    click(view, 4, 5)
    assert selection.names == selection.documents[4:6]
    assert deletion.units.chips[letter].value is (letter in {n[0] for n in selection.names})
    deletion.names.search.value = selection.documents[7]
    assert deletion.names.found == [
        i for i, n in enumerate(selection.documents) if selection.documents[7] in n
    ]
    deletion.names.boxes[deletion.names.shown.index(7)].value = True
    assert selection.names == [selection.documents[i] for i in (4, 5, 7)]  # the hidden ones too
    deletion.names.boxes[deletion.names.shown.index(7)].value = False
    assert selection.names == selection.documents[4:6]
    click(view, 7)
    deletion.names.search.value = " 7"
    assert deletion.names.found == [7]  # by its number
    seen = [box.layout.visibility for box in deletion.names.boxes]
    assert seen == ["visible"] + ["hidden"] * 8
    deletion.names.search.value = "no such name"
    assert deletion.names.found == [] and deletion.names.note.value == "no name found"
    deletion.all.click()
    assert len(selection) == 30
    deletion.none.click()
    assert len(selection) == 0
    assert "Choose names to delete" in view.headline.value
    deletion.undo.click()
    deletion.undo.click()
    assert len(selection) == 3
    while not deletion.undo.disabled:
        deletion.undo.click()
    assert len(selection) == 0 and not selection.can_undo


def click(view, *numbers):
    """Tick the boxes of some documents, or take their ticks away, as a person who searches."""
    names = view.deletion.names
    for number in numbers:
        names.search.value = str(number)
        box = names.boxes[names.shown.index(number)]
        box.value = not box.value
    names.search.value = ""


def ticked(view):
    """Numbers of the documents whose boxes are ticked, on all pages."""
    names, found = view.deletion.names, []
    while not names.back.disabled:
        names.back.click()
    while True:
        pairs = zip(names.shown, names.boxes, strict=False)
        found += [number for number, box in pairs if box.value]
        if names.on.disabled:
            return sorted(found)
        names.on.click()


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
    effect = pages["Largest effect"]
    effect.number.value = 4
    assert "raises the loss on" in effect.found.value
    effect.buttons["replace"].click()
    np.testing.assert_array_equal(selection.mask, view.explorer.most(4, "helpful"))
    draw = pages["Random"]
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
        "": f"type some letters, such as &#x27;{view.explorer.run.data[0]}&#x27;",
        "zo3": "unknown character &#x27;3&#x27;",
        "zoe ": "unknown character &#x27; &#x27; at position 3",  # nothing typed is taken away
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
    click(view, 4, 5, 6)
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
        assert not re.search(r"[^\d.]0(\.0)? [kM]B", accuracy.note.value)
    assert len(used) > 1
    assert "No part is within epsilon" in accuracy.note.value
    accuracy.whole.click()
    assert "It is the whole sketch" in accuracy.note.value and accuracy.whole.disabled
    assert (accuracy.degree.value, accuracy.directions.value) == (2, 15)
    assert explorer.epsilon == accuracy.epsilon.value > 0.001
    accuracy.degree.value = 1
    accuracy.directions.value = explorer.sizes[1]
    assert "set by hand" in accuracy.note.value
    assert (explorer.degree, explorer.directions) == (1, explorer.sizes[1])
    accuracy.weight.value = 0.5
    assert explorer.weight == 0.5
    assert "at down-weight 0.5" in view.picture.words


def test_retraining_shows_the_truth_and_can_be_cancelled(view):
    """The number is that of the package; a cancelled training leaves words and no truth."""
    view.button.click()
    view.worker.join()
    assert "nothing is chosen: choose at least one name" in view.message.value
    click(view, 4, 5, 6)

    def cancel(_):
        view.stop.click()

    view.progress.observe(cancel, names="value")  # at the first progress
    view.button.click()
    view.worker.join()
    assert "cancelled: nothing was kept" in view.message.value
    assert view.explorer.history.rows == [] and "press Retrain" in view.samples.value
    view.progress.unobserve(cancel, names="value")
    view.button.click()
    view.worker.join()
    exact = view.explorer.run.retrain(without=[4, 5, 6], progress=False)
    assert f"retrained <b>{exact.loss('max'):.4f}</b>" in view.details.value
    assert view.message.value == "" and not view.button.disabled
    assert " ".join(exact.sample(8, 0)) in view.samples.value
    link = re.search(r"base64,([^\"]+)", view.history.value).group(1)
    assert base64.b64decode(link).decode() == view.explorer.history.csv()
    assert f"{exact.loss('max'):.4f}" in view.history.value


def test_a_sketch_of_whole_units(small_run):
    """Chips choose; patterns that cut through a unit are explained; the list shows units."""
    labels = [name[0] for name in small_run.data]
    sketched = sl.sketch(small_run, 1, 5, units=labels, progress=False)
    view = sl.explore(small_run, sketched, without=[labels[0]])
    assert view.deletion.units.chips[labels[0]].value
    assert len(view.deletion.names.found) == len(set(labels))
    pattern = view.deletion.pages["Text"]
    pattern.text.value = small_run.data[0]
    if labels.count(labels[0]) > 1:
        pattern.buttons["replace"].click()
        assert "whole units only can be deleted" in view.message.value


def test_a_sketch_of_single_names_has_no_unit_page(small_run):
    """Without units there are first letters to press, which the words themselves have."""
    view = sl.explore(small_run, sl.sketch(small_run, 1, 5, progress=False))
    pages = ["First letter", "Text", "Names", "Largest effect", "Random"]
    assert list(view.deletion.pages) == pages
    click(view, 0)
    assert view.explorer.selection.names == [small_run.data[0]]


@pytest.mark.filterwarnings("error", "ignore:.*longer than the context")
@pytest.mark.parametrize("hard", HARD.values(), ids=HARD)
def test_any_word_can_be_typed_and_read(hard):
    """In an open explorer, with its letters on the page and a picture of the new question."""
    run = sl.train([hard, "ab", hard + "a"], steps=3, progress=False)
    view = sl.explore(run, sl.sketch(run, 1, 3, progress=False), without=[0], name="ab")
    before = view.picture.value
    shown = html.escape(hard if hard.isprintable() else repr(hard))
    view.question.name.value = hard
    assert (view.message.value, view.question.message.value) == ("", "")
    assert view.explorer.question.example == hard
    assert html.escape(repr(hard)) in view.caption.value
    assert repr(hard) in view.picture.words
    assert view.picture.value != before and view.picture.layout.display is None
    assert shown in view.deletion.count.value
    view.button.click()
    view.worker.join()
    assert view.message.value == ""
    assert shown in view.history.value
    view.question.kind.value = view.question.NEXT
    view.question.prefix.value, view.question.letter.value = hard[:2], hard[0]
    assert (view.message.value, view.question.message.value) == ("", "")
    assert html.escape(repr(hard[:2])) in view.caption.value


def test_an_unknown_band_is_told(view, monkeypatch):
    """In numbers, in the picture's words, and in the history."""
    explorer = view.explorer
    explorer.selection.choose_units(np.arange(30) < 3)
    explorer.retrain()
    known = explorer.answer()
    unknown = dataclasses.replace(
        known, prediction=dataclasses.replace(known.prediction, low=0.0, high=np.inf)
    )
    monkeypatch.setattr(explorer, "answer", lambda: unknown)
    explorer.record()
    view.act(lambda: None)
    assert view.message.value == ""
    assert f"</b> (90% band unknown), now {known.now:.4f}" in view.details.value
    assert f"off by {known.error:+.4f}<br>" in view.details.value  # no place in a band
    assert "90% band unknown" in view.picture.words
    assert ">unknown</td>" in view.history.value
    assert "inf" not in view.headline.value + view.details.value + view.picture.words


def test_equal_documents_are_distinct_rows(small_run):
    """Both can be chosen, each alone, and what another document says in full is not mistaken."""
    names = ["ann", "bob", "ann", "ann (document 0)"]
    run = sl.train(names, steps=4, progress=False)
    view = sl.explore(run, sl.sketch(run, 1, 4, progress=False))
    rows, selection = view.deletion.names, view.explorer.selection
    assert [box.description for box in rows.boxes] == [
        "3: 'ann (document 0)'",
        "0: ann",
        "2: ann",
        "1: bob",
    ]
    for clicked, chosen in (((0, 2), [0, 2]), ((0,), [2]), ((2,), []), ((3, 0), [0, 3])):
        click(view, *clicked)
        assert np.flatnonzero(selection.mask).tolist() == ticked(view) == chosen
        assert view.message.value == ""
    rows.search.value = "ann"
    assert set(rows.found) == {0, 2, 3}


def test_nothing_that_the_model_reads_is_stripped():
    """Spaces are letters where the documents have them."""
    run = sl.train(["a b", "ab ", " ab"], steps=3, progress=False)
    view = sl.explore(run, sl.sketch(run, 1, 3, progress=False), name="ab")
    view.question.name.value = "ab "
    assert view.explorer.question.example == "ab "
    assert view.explorer.answer().now == pytest.approx(float(run.loss("ab ")), rel=1e-12)
    view.question.kind.value = view.question.NEXT
    view.question.prefix.value, view.question.letter.value = "a ", "b"
    assert view.explorer.question.title == "probability of 'b' after 'a '"
    chance = float(run.next_probs("a ")["b"])
    assert view.explorer.answer().now == pytest.approx(chance, rel=1e-12)
    assert "' '" in dict(view.question.letter.options)  # a space alone could not be seen
    view.deletion.names.search.value = " "
    assert len(view.deletion.names.found) == 3
    view.deletion.names.search.value = "b "
    assert [box.description for box in view.deletion.names.boxes[:1]] == ["1: 'ab '"]
    assert len(view.deletion.names.found) == 1
    click(view, 1)
    assert "&#x27;ab &#x27;" in view.deletion.count.value


def test_documents_longer_than_the_context_are_shown():
    """Without a name and with one, saying what counts."""
    run = sl.train(["acgtacgt", "ccgg", "ac"], steps=3, context=4, progress=False)
    sketched = sl.sketch(run, 1, 3, progress=False)
    view = sl.explore(run, sketched, held_out=[])
    assert view.question.name.value == view.explorer.question.example == "acgtacgt"
    assert "only the first 4 of its 9 positions count" in view.caption.value
    view.question.name.value = "ccgg"
    assert "only the first 4 of its 5 positions count" in view.caption.value
    view.question.name.value = "ac"
    assert "count" not in view.caption.value
    assert sl.explore(run, sketched, name="ccgg").question.name.value == "ccgg"
    view.question.kind.value = view.question.NEXT
    view.question.prefix.value = "acgt"
    assert "the prefix has 4 letters; the model reads at most 3" in view.question.message.value


class Odd(Exception):
    """What no control expects."""


def fail(*_, **__):
    """Raise it."""
    raise Odd("this & that")


def pages(view, name):
    """A page of the deletions."""
    return view.deletion.pages[name]


BROKEN = {  # the method that fails, the change of a person, and who must tell it
    "name": ("ask", lambda v: set_value(v.question.name, "zoe"), lambda v: v.question),
    "kind": ("ask", lambda v: set_value(v.question.kind, v.question.NEXT), lambda v: v.question),
    "mean": (
        "ask_mean_loss",
        lambda v: set_value(v.question.kind, v.question.on_unseen),
        lambda v: v.question,
    ),
    "epsilon": ("set_epsilon", lambda v: set_value(v.accuracy.epsilon, 0.1), lambda v: v),
    "degree": (
        "set_part",
        lambda v: set_value(v.accuracy.degree, 3 - v.explorer.degree),
        lambda v: v,
    ),
    "answer": ("answer", lambda v: set_value(v.accuracy.weight, 0.5), lambda v: v),
    "picture": ("answer", lambda v: set_value(v.question.name, "zoe"), lambda v: v),
    "effect": (
        "most",
        lambda v: set_value(pages(v, "Largest effect").number, 3),
        lambda v: pages(v, "Largest effect"),
    ),
    "effect button": (
        "most",
        lambda v: pages(v, "Largest effect").buttons["add"].click(),
        lambda v: v,
    ),
    "draw": (
        "at_random",
        lambda v: set_value(pages(v, "Random").number, 3),
        lambda v: pages(v, "Random"),
    ),
    "draw button": ("at_random", lambda v: pages(v, "Random").buttons["add"].click(), lambda v: v),
    "chip": (
        "selection.choose",
        lambda v: set_value(next(iter(v.deletion.units.chips.values())), True),
        lambda v: v,
    ),
    "list": (
        "selection.choose_units",
        lambda v: click(v, 1),
        lambda v: v,
    ),
    "pattern": (
        "selection.matching",
        lambda v: set_value(pages(v, "Text").text, "a"),
        lambda v: pages(v, "Text"),
    ),
    "none": ("selection.choose", lambda v: v.deletion.none.click(), lambda v: v),
    "all": ("selection.choose", lambda v: v.deletion.all.click(), lambda v: v),
    "snapshot": ("snapshot", lambda v: v.button.click(), lambda v: v),
    "retrain": ("retrain", lambda v: retrained(v), lambda v: v),
    "record": ("record", lambda v: retrained(v), lambda v: v),
    "csv": ("history.csv", lambda v: retrained(v), lambda v: v),
}


def set_value(control, value):
    """As a person would."""
    control.value = value


def retrained(view):
    """Press Retrain and wait."""
    view.button.click()
    view.worker.join()


@pytest.mark.parametrize(("method", "change", "teller"), BROKEN.values(), ids=BROKEN)
def test_every_control_tells_what_goes_wrong(view, monkeypatch, method, change, teller):
    """Nothing is raised into the kernel, where nobody would see it, or lost in a thread."""
    click(view, 4, 5)
    owner = view.explorer
    *path, name = method.split(".")
    for part in path:
        owner = getattr(owner, part)
    monkeypatch.setattr(owner, name, fail)
    change(view)
    assert "Odd: this &amp; that" in teller(view).message.value
    monkeypatch.undo()
    view.deletion.undo.click()
    assert view.message.value == "" and view.picture.layout.display is None


def test_groups_are_named_for_what_they_have_in_common(small_run, sketched):
    """First letters are; a group that misses one, or another name for it, is a group."""
    assert next(iter(sl.explore(small_run, sketched).deletion.pages)) == "First letter"
    labels = [name[0].upper() for name in small_run.data]
    others = sl.sketch(small_run, 1, 5, units=labels, progress=False)
    assert next(iter(sl.explore(small_run, others).deletion.pages)) == "Groups"


def test_a_row_of_the_history_brings_its_state_back(view):
    """The deletion, the question, the down-weight and the part; its prediction is the same."""
    click(view, 4, 5)
    view.accuracy.degree.value = 1
    view.accuracy.weight.value = 0.5
    retrained(view)
    before = [part.value for part in (view.headline, view.details, view.deletion.count)]
    click(view, 7)
    view.question.name.value = "zoe"
    view.accuracy.weight.value = 1.0
    view.accuracy.whole.click()
    (*_, browser) = view.children
    press = browser._handle_custom_msg
    press({"row": 0}, [])
    assert [part.value for part in (view.headline, view.details, view.deletion.count)] == before
    assert view.question.name.value == "max" and view.accuracy.degree.value == 1
    press({"row": 1}, [])
    assert "the history has 1 rows, and no row 1" in view.message.value
    for nonsense in (None, [], {"row": "0"}, {"row": True}, {"row": -1}, {"column": 0}):
        press(nonsense, [])
    view.deletion.undo.click()
    assert len(view.explorer.selection) == 3


def test_points_say_who_they_are(view):
    """In the picture of the prediction: the retrainings, with the numbers of the package."""
    click(view, 4, 5)
    retrained(view)
    told = re.findall(r"<title>(.*?)</title>", view.picture.value)
    answer = view.explorer.answer()
    p = answer.prediction
    assert sorted(told) == [
        f"predicted at down-weight 1: {p.value:.4f}, 90% band {p.low:.4f} to {p.high:.4f}",
        *(f"retrained at down-weight {w:g}: {exact:.4f}" for w, exact in answer.retrained),
    ]


def test_a_slow_change_says_that_it_is_computed(view, monkeypatch):
    """While it lasts, and not afterwards."""
    said, answer = [], view.explorer.answer

    def slow():
        deadline = time.monotonic() + 20.0
        while time.monotonic() < deadline and not view.message.value:
            time.sleep(0.01)
        said.append(view.message.value)
        return answer()

    monkeypatch.setattr(view.explorer, "answer", slow)
    start = time.monotonic()
    click(view, 4)
    assert "computing" in said[0] and view.message.value == ""
    assert time.monotonic() - start < 10.0


def test_a_picture_that_fails_is_taken_down(view, monkeypatch):
    """It would show another question than the one that is asked now."""
    monkeypatch.setattr(figures, "taylor_terms", fail)
    view.question.name.value = "zoe"
    assert "Odd: this &amp; that" in view.message.value
    assert view.picture.layout.display == view.terms.layout.display == "none"
    assert view.headline.value == view.details.value == view.caption.value == ""
    monkeypatch.undo()
    view.question.name.value = "max"
    assert view.message.value == "" and view.picture.layout.display is None
    assert "&#x27;max&#x27;" in view.caption.value


def test_an_error_without_words_is_told_by_its_name(view):
    """A message must not stay empty."""

    def fail_with(error):
        raise error

    for error in (ValueError(), KeyError(), Odd()):
        view.act(lambda error=error: fail_with(error))
        assert type(error).__name__ in view.message.value


def test_the_question_follows_the_state(view):
    """A question asked in a cell of the notebook is shown, not overwritten by what was typed."""
    view.question.name.value = "zo3"
    view.act(lambda: None)
    assert view.question.name.value == "zo3"  # nobody likes to lose what is being typed
    view.act(lambda: view.explorer.ask(NextLetter("ma", "x")))
    question = view.question
    assert (question.kind.value, question.prefix.value, question.letter.value) == (
        question.NEXT,
        "ma",
        "x",
    )
    assert question.message.value == ""
    question.letter.value = "y"
    assert view.explorer.question == NextLetter("ma", "y")
    view.act(view.explorer.ask_mean_loss)
    assert question.kind.value == question.on_unseen


@pytest.mark.filterwarnings("error")
def test_sliders_show_letters_that_the_font_lacks():
    """As escapes in the picture, in full in its description; formulas of the caller stay."""

    def draw(n):
        figure, axes = figures.new_axes()
        axes.plot([0, n], label="名")
        axes.set(xlabel="$x^2$", ylabel="字", title="名字")
        axes.legend()
        return figure

    _, message, image, _ = widgets.with_sliders(draw, n=(1, 3, 1, 1)).children
    assert message.value == ""
    assert image.words == "名字: 字 against $x^2$ (名)"


def test_sliders_tell_what_is_no_figure_and_no_formula():
    """Whatever is wrong with a picture, also while it is drawn."""

    def draw(n):
        figure, axes = figures.new_axes()
        axes.set(xlabel="$$" if n == 2 else "x")
        return None if n == 3 else figure

    slider, message, image, _ = widgets.with_sliders(draw, n=(1, 3, 1, 1)).children
    for n, told in ((2, "ParseException"), (3, "AttributeError")):
        slider.value = n
        assert message.value != "" and image.layout.display == "none", told
        slider.value = 1
        assert message.value == "" and image.layout.display is None


def test_a_slow_drawing_says_that_it_is_computed():
    """While it lasts, and not afterwards."""
    said = []

    def draw(degree):
        deadline = time.monotonic() + 20.0
        while degree > 1 and time.monotonic() < deadline and not message.value:
            time.sleep(0.01)
        said.append(message.value if degree > 1 else "")
        return figures.new_axes()[0]

    message = type("Nothing", (), {"value": ""})
    box = widgets.with_sliders(draw, degree=(1, 6, 1, 1))
    degree, message, *_ = box.children
    degree.value = 2
    assert "computing" in said[-1] and message.value == ""
