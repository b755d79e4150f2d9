"""Methods beside exact retraining on one deletion: the state, the picture, the widget."""

import html
import re
from types import SimpleNamespace

import ipywidgets
import matplotlib.text
import numpy as np
import pytest

import sketchlab as sl
from sketchlab import attribution, widgets
from sketchlab.canvas import RED
from sketchlab.figures import blank, methods_on_one_deletion
from sketchlab.widgets.one_deletion import OneDeletion

NAMES = ["anna", "zzqx", "hanna", "ana", "qxzz", "hannah", "nana", "nahn", "ann", "naan", "ah", "x"]
OUTPUTS = [sl.LossOn("nahna"), sl.NextLetter("an", "n")]
PRESSED = (
    ipywidgets.Button,
    ipywidgets.Text,
    ipywidgets.Dropdown,
    ipywidgets.IntSlider,
    ipywidgets.BoundedIntText,
    ipywidgets.IntProgress,
)


class Fixed:
    """A method that always predicts the same change, with a band or an error."""

    def __init__(self, change, reach=None, failure=None):
        self.change, self.reach, self.failure = change, reach, failure

    def predict(self, down_weights):
        """A prediction, as far as it is read."""
        if self.failure is not None:
            raise self.failure
        reach = np.inf if self.reach is None else self.reach
        return SimpleNamespace(
            value=self.change, error=reach, low=self.change - reach, high=self.change + reach
        )


@pytest.fixture(scope="module")
def run():
    """Twelve names."""
    return sl.train(NAMES, width=8, heads=2, context=6, progress=False)


@pytest.fixture(scope="module")
def methods(run):
    """Two that predict, one that only ranks, one that knows a single deletion."""
    x = run.indicator([1, 4])
    return {
        "first order": attribution.first_order(run, OUTPUTS, progress=False),
        "terms": attribution.taylor_terms(run, OUTPUTS, x[None], 2, progress=False),
        "ranking": attribution.gradient_products(run, OUTPUTS, progress=False),
        "tracin": attribution.tracin(run, OUTPUTS, progress=False),
    }


@pytest.fixture
def model(run, methods):
    """The state."""
    return OneDeletion(run, methods, OUTPUTS)


def choose(model, text):
    model.selection.choose(model.numbered(text))


def test_answers_and_errors_are_those_of_predict_and_retrain(run, methods, model):
    """For both outputs, from one retraining."""
    choose(model, "1, 4")
    exact = run.retrain(without=[1, 4], progress=False)
    assert model.true is None and model.errors == {}
    for number, output in enumerate(OUTPUTS):
        model.ask(number)
        made = model.retrain()
        true = float(output(exact)) - float(output(run.model))
        assert made.change == model.true == pytest.approx(true, abs=1e-12)
        expected = {
            name: methods[name][number].predict(without=[1, 4]).change - true
            for name in ("first order", "terms", "tracin")
        }
        assert model.errors == pytest.approx(expected, abs=1e-12)
        order = sorted(expected, key=lambda name: abs(expected[name]))
        assert (made.best, made.worst) == (order[0], order[-1])
        assert (made.deleted, made.documents, made.output) == (2, "zzqx qxzz", output.title)
    assert len(model.tries) == 2 and model.retrain() == model.tries[1] and len(model.tries) == 2
    choose(model, "0")
    assert model.true is None


def test_what_cannot_answer_says_why(run, model):
    """The others do answer; a bounded output makes no band of an unknown error."""
    choose(model, "1, 4")
    assert model.answers["terms"].change is not None
    assert model.answers["ranking"].change is None
    assert "only rank" in model.answers["ranking"].reason
    choose(model, "1, 5")
    assert "not at others" in model.answers["terms"].reason
    model.ask(1)
    found = model.predictors["first order"][1].predict(without=[1, 5])
    assert np.isfinite([found.low, found.high]).all()
    assert model.answers["first order"] == (pytest.approx(found.change), None, None, "")
    odd = {
        "failing": [Fixed(0, failure=RuntimeError("no convergence"))],
        "silent": [Fixed(0, failure=KeyError())],
        "nan": [Fixed(np.nan)],
        "banded": [Fixed(1.5, 0.25)],
        "odd": [SimpleNamespace(predict=lambda down_weights: 3)],
    }
    answers = OneDeletion(run, odd, OUTPUTS[:1]).answers
    now = OUTPUTS[0](run.model)
    assert answers["banded"][:3] == pytest.approx((1.5 - now, 1.25 - now, 1.75 - now))
    reasons = {name: one.reason for name, one in answers.items() if one.change is None}
    assert reasons.pop("odd").startswith("AttributeError")
    assert reasons == {
        "failing": "RuntimeError: no convergence",
        "silent": "KeyError",
        "nan": "its prediction is nan",
    }


def test_documents_are_chosen_by_rule(methods, model):
    """Numbers, effects either way or one way, and chance with a seed."""
    assert np.flatnonzero(model.numbered(" 0, 3-5 ,4")).tolist() == [0, 3, 4, 5]
    effects = methods["tracin"][1].gradient
    model.ask(1)
    for way, key in (("either way", -np.abs(effects)), ("up", -effects), ("down", effects)):
        chosen = np.flatnonzero(model.largest(4, "tracin", way))
        assert set(chosen) == set(np.argsort(key)[:4])
    drawn = model.at_random(5, 3)
    assert drawn.sum() == 5 and np.array_equal(drawn, model.at_random(5, 3))
    assert not np.array_equal(drawn, model.at_random(5, 4))
    assert model.ranked == ["first order", "ranking", "tracin"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.numbered("12"), "'12' is out of range: the numbers go from 0 to 11"),
        (lambda m: m.numbered("5-3"), "out of range"),
        (lambda m: m.numbered("-1"), "'-1' is not a number"),
        (lambda m: m.numbered("one"), "'one' is not a number"),
        (lambda m: m.largest(13, "tracin"), "at most 12"),
        (lambda m: m.largest(3, "terms"), "method must be one of first order, ranking, tracin"),
        (lambda m: m.largest(3, "tracin", "left"), "way must be one of"),
        (lambda m: m.at_random(0, 1), "count must be an integer, 1 or higher"),
        (lambda m: m.at_random(2, -1), "seed must be an integer"),
        (lambda m: choose(m, "") or m.retrain(), "nothing is chosen"),
        (lambda m: choose(m, "0-11") or m.retrain(), "every document is chosen"),
    ],
)
def test_wrong_choices_are_refused(model, call, message):
    """In words; nothing is retrained."""
    with pytest.raises(ValueError, match=message):
        call(model)
    assert model.tries == []


def rows_of_numbers():
    """A run of row numbers, whose losses look the rows up."""
    rows = np.array([[0.0, 1.0], [1.0, 0.5], [2.0, 9.0], [3.0, 3.0]])

    def losses(p, examples):
        off = p["w"][..., None] * rows[examples, 0] - rows[examples, 1]
        return off * off

    start = sl.Model({"w": np.array(0.5)}, losses)
    return sl.TrainingRun(start, np.arange(4), optimizer=sl.SGD(0.01), steps=8, progress=False)


def test_any_run_and_units_work():
    """Whole units are retrained without; parts of one are refused in words; labels are shown."""
    run, units = rows_of_numbers(), [[0, 2], [1], [3]]
    output = sl.LossOn(1)
    predictors = {"first": [attribution.first_order(run, output, units=units, progress=False)]}
    model = OneDeletion(run, predictors, [output], units=units, labels=lambda i: f"row {i}")
    assert model.selection.documents == ["row 0", "row 1", "row 2", "row 3"]
    assert OneDeletion(run, predictors, [output], units=units).selection.documents == list("0123")
    with pytest.raises(ValueError, match="1 of the 2 documents of unit 0 would go"):
        choose(model, "0, 1")
    choose(model, "0, 2")
    np.testing.assert_array_equal(model.selection.down_weights, [1, 0, 0])
    exact = run.retrain(without=[0, 2], progress=False)
    assert model.retrain().change == pytest.approx(exact.loss(1) - run.loss(1))
    assert model.answers["first"].change == predictors["first"][0].predict(without=[0]).change
    model.selection.choose(model.selection.matching("ends with", "3"))
    assert model.documents == repr("row 3")
    with pytest.raises(ValueError, match=r"\['first'\]\[0\] is of other deletion units \(3\)"):
        widgets.compare_methods(run, predictors, [output])


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"run": None}, TypeError, "run must be a training run, from sl.train, not None"),
        ({"predictors": [1]}, TypeError, "predictors must be a dict"),
        ({"predictors": {}}, TypeError, "predictors must be a dict"),
        ({"predictors": {3: [Fixed(0)] * 2}}, TypeError, "name of a method must be a string"),
        ({"predictors": {"a": Fixed(0)}}, TypeError, "must be a list, one for each output"),
        ({"predictors": {"a": [Fixed(0)]}}, ValueError, "1 predictors for 2 outputs"),
        ({"predictors": {"a": [Fixed(0), 3]}}, TypeError, r"\['a'\]\[1\] must have a method pred"),
        ({"outputs": ["max"]}, TypeError, "list of functions"),
        ({"outputs": []}, TypeError, "list of functions"),
        ({"outputs": OUTPUTS[::-1]}, ValueError, "of another output: it starts from"),
        ({"outputs": [OUTPUTS[0], sl.LossOn("a1")]}, ValueError, "unknown character '1'"),
        ({"outputs": [OUTPUTS[0], lambda model: np.nan]}, ValueError, "one finite number"),
        ({"units": [0, 1]}, ValueError, "2 labels"),
        ({"units": list("aabbccddeeff")}, ValueError, "other deletion units"),
        ({"labels": ["a"]}, ValueError, "1 labels for 12 documents"),
    ],
)
def test_what_does_not_fit_is_refused(run, methods, changed, error, message):
    """In words, before anything is drawn."""
    given = {"run": run, "predictors": methods, "outputs": OUTPUTS} | changed
    with pytest.raises(error, match=message):
        widgets.compare_methods(**given)


def test_a_list_that_was_forgotten_is_told_shortly(run):
    """A predictor alone is shown without its arrays."""
    first = sl.attribution.first_order(run, OUTPUTS, progress=False)[0]
    for given in ({"first order": first}, {"first order": np.zeros((100, 100))}, [first] * 100):
        with pytest.raises(TypeError, match=r"for each output, not|dict with one entry") as caught:
            widgets.compare_methods(run, given, OUTPUTS)
        assert len(str(caught.value)) < 250 and "\n" not in str(caught.value)


def test_the_picture_has_a_row_for_every_method():
    """Dots and bands where they belong; a change that is far off is a number at the edge."""
    changes = {"a": 0.1, "$b_1$": -0.2, "far": 30.0, "none": None}
    figure = methods_on_one_deletion(
        changes, bands={"a": (0.05, 0.2)}, true=0.15, label="change", figure=blank()
    )
    (axes,) = figure.axes
    figure.canvas.draw()
    dots = [line.get_xydata().tolist() for line in axes.lines if line.get_marker() == "o"]
    assert dots[:2] == [[[0.1, 0]], [[-0.2, 1]]]
    assert [[0.05, 0], [0.2, 0]] in [line.get_xydata().tolist() for line in axes.lines]
    upright = {line.get_color(): line.get_xdata() for line in axes.lines if "a" in str(line)}
    assert list(upright[RED]) == [0.15, 0.15] and list(upright["black"]) == [0, 0]
    assert [t.get_text() for t in axes.get_yticklabels()] == list(changes)
    assert axes.get_xlim()[1] < 1 and axes.get_ylim() == (3.5, -0.5)
    assert [t.get_text() for t in axes.texts] == ["+30", "cannot answer"]
    words = figure.findobj(matplotlib.text.Text)
    assert min(text.get_fontsize() for text in words if text.get_text()) >= 9
    beyond = methods_on_one_deletion({"a": 0.1, "b": 0.1}, true=-5.0).axes[0]
    assert beyond.get_xlim()[0] < -5 < 0.1 < beyond.get_xlim()[1]


@pytest.mark.filterwarnings("error")  # a legend that takes the costs for lines warns
def test_costs_stand_at_the_right_of_their_rows():
    """Outside the axes, in the row of their method, of 9 points or more."""
    changes = {"a": 0.1, "$b$": -0.2, "none": None}
    figure = methods_on_one_deletion(changes, costs={"a": 1234.5, "none": "8 + 0.1 each"})
    (axes,) = figure.axes
    figure.draw_without_rendering()  # lays it out, as saving does
    found = {t.get_text(): t for t in axes.texts if t.get_text() not in ("", "cannot answer")}
    rows = {text: t.xy[1] for text, t in found.items()}
    assert rows == {"trainings": -0.75, "1,234": 0, "8 + 0.1 each": 2}
    drawn = [t.get_text() for t in figure.legends[0].get_texts()]
    assert drawn == ["no change", "predicted"]
    right = axes.get_window_extent().x1
    for text in found.values():
        box = text.get_window_extent()
        assert right < box.x0 and box.x1 <= figure.bbox.x1 and text.get_fontsize() >= 9


@pytest.mark.parametrize(
    ("changes", "settings", "error", "message"),
    [
        ([1.0], {}, TypeError, "changes must be a dict"),
        ({"a": np.inf}, {}, ValueError, "change of 'a' must be finite"),
        ({"a": 1.0}, {"true": np.nan}, ValueError, "true must be a finite real number"),
        ({"a": 1.0}, {"bands": {"a": (0, np.inf)}}, ValueError, "band of 'a' must be finite"),
        ({"a": None}, {"bands": {"a": (0, 1)}}, ValueError, "there is a band of 'a'"),
        ({"a": 1.0}, {"costs": {"b": 1}}, ValueError, "a cost of 'b', which is not among"),
        (
            {"a": 1.0},
            {"costs": {"a": -1}},
            ValueError,
            "cost of 'a', in trainings, if not words, must be",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused(changes, settings, error, message):
    """In words."""
    with pytest.raises(error, match=message):
        methods_on_one_deletion(changes, **settings)


@pytest.fixture
def view(run, methods):
    """The widget, with a method whose name looks like markup and whose band is known."""
    banded = [Fixed(float(output(run.model)) + 0.5, 0.1) for output in OUTPUTS]
    return widgets.compare_methods(run, methods | {"<b>fixed</b>": banded}, OUTPUTS)


def rows(markup):
    """The cells of a table, row by row, as text."""
    found = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row) for row in markup.split("<tr>")[1:]]
    return [list(map(html.unescape, row)) for row in found]


def test_the_widget_predicts_and_retrains(view):
    """By its controls: numbers are shown as text and told with the picture; history grows."""
    model, page = view.model, view.choices.pages["Number"]
    page.text.value = "1, 5"
    assert page.found.value == "2 documents"
    page.buttons["replace"].click()
    assert np.flatnonzero(model.selection.mask).tolist() == [1, 5]
    assert "2 documents deleted" in view.headline.value and "press Retrain" in view.headline.value
    change = f"{model.answers['first order'].change:+.4f}"
    table = {row[0]: row[1:] for row in rows(view.table.value)}
    assert table["first order"][:3] == [change, "unknown", ""]
    assert table["<b>fixed</b>"] == ["+0.5000", "+0.4000 to +0.6000", "", "unknown"]
    assert table["ranking"][:3] == ["cannot answer", "", ""]
    assert "ranking cannot answer: these scores (gradient products) only" in view.table.value
    assert "exact retraining" not in table and view.history.value == ""
    spoken = view.picture.words
    assert f"first order: {change}, trainings {table['first order'][3]};" in spoken
    assert "ranking: cannot answer, trainings" in spoken
    assert "90% band +0.4000 to +0.6000" in spoken and "not retrained yet" in spoken
    before = view.picture.value
    view.button.click()
    view.worker.join()
    (made,) = model.tries
    assert view.picture.value != before
    table = {row[0]: row[1:] for row in rows(view.table.value)}
    assert table["first order"][2] == f"{made.errors['first order']:+.4f}"
    assert table["exact retraining"][0] == f"{made.change:+.4f}" in view.picture.words
    view.output.value = 1
    assert model.chosen == 1 and "retrained" in view.headline.value
    view.button.click()
    view.worker.join()
    found = rows(view.history.value)
    assert len(found) == 3 and found[2][:2] == ["2: zzqx hannah", "loss on 'nahna'"]
    assert found[2][3].startswith(f"{made.best} (") and found[2][4].startswith(f"{made.worst} (")
    assert "<b>fixed" not in view.table.value + view.history.value


def test_the_picture_is_given_the_costs(run, methods, monkeypatch):
    """The same as in the table; first order's by what its predictors say."""
    given, draw = {}, methods_on_one_deletion

    def drawn(changes, **settings):
        given.update(settings["costs"])
        return draw(changes, **settings)

    monkeypatch.setattr(sl.figures, "methods_on_one_deletion", drawn)
    view = widgets.compare_methods(run, methods | {"fixed": [Fixed(3.0)] * 2}, OUTPUTS)
    table = {row[0]: row[1:] for row in rows(view.table.value)}
    assert given == {name: table[name][-1] for name in view.model.predictors}
    total = attribution.total_cost(methods["first order"])
    assert given["first order"] == f"{total:,.3g}" and given["fixed"] == "unknown"
    assert f"trainings {given['first order']};" in view.picture.words


def test_what_goes_wrong_is_told_in_words(view):
    """And cleared by the next choice."""
    page = view.choices.pages["Number"]
    page.text.value = "99"
    assert "the numbers go from 0 to 11" in html.unescape(page.message.value)
    page.buttons["replace"].click()
    assert "the numbers go from 0 to 11" in view.message.value
    view.choices.none.click()
    assert view.message.value == "" and "Choose documents" in view.headline.value
    view.button.click()
    view.worker.join()
    assert "nothing is chosen" in view.message.value
    pattern = view.choices.pages["Text"]
    pattern.kind.value, pattern.text.value = "starts with", "zz"
    pattern.buttons["replace"].click()
    assert view.message.value == "" and view.model.documents == "zzqx"
    view.choices.undo.click()
    assert len(view.model.selection) == 0


def test_the_other_rules_choose_too(view, methods):
    """By predicted effect on the output that is asked for, and at random."""
    model, effect, draw = (
        view.model,
        view.choices.pages["Largest effect"],
        view.choices.pages["Random"],
    )
    view.output.value = 1
    effect.method.value, effect.way.value, effect.number.value = "tracin", "up", 1
    assert OUTPUTS[1].title in html.unescape(effect.found.value)
    effect.buttons["replace"].click()
    assert np.flatnonzero(model.selection.mask) == [np.argmax(methods["tracin"][1].gradient)]
    draw.number.value, draw.seed.value = 3, 7
    draw.buttons["replace"].click()
    np.testing.assert_array_equal(model.selection.mask, model.at_random(3, 7))
    fixed = widgets.compare_methods(model.run, {"f": [Fixed(1.0)]}, OUTPUTS[:1])
    assert "Largest effect" not in fixed.choices.pages and len(fixed.model.selection) == 3


def test_everything_to_press_has_words(view):
    """For those who cannot see it."""
    found, left = [], [view]
    while left:
        one = left.pop()
        left += getattr(one, "children", ())
        if isinstance(one, PRESSED):
            found.append(one)
    assert len(found) == 4 * 3 + 2 + 2 + 8 + 2
    assert all(control.description or control.tooltip for control in found)
    assert view.picture.words and "aria-live" in view.headline.value
    assert "ComparisonView(5 methods" in repr(view)
