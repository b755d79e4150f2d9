"""A ranking to look through: its order, ticks, predictions beside retraining, and what is shown."""

import re

import ipywidgets
import numpy as np
import pytest

import sketchlab as sl
from sketchlab import attribution, widgets
from sketchlab.widgets import suspects
from sketchlab.widgets.suspects import ORDERS, Review

NAMES = ["anna", "zzqx", "hanna", "ana", "qxzz", "hannah", "nana", "<b>a</b>", "ann", "naan", "ah"]
OUTPUT = sl.MeanLoss(["anna", "nahna"])
CHECK = sl.LossOn("hana")


@pytest.fixture(scope="module")
def run():
    """Eleven names, two of them odd, and one that looks like markup."""
    return sl.train(NAMES, width=8, heads=2, context=6, progress=False)


@pytest.fixture
def model(run):
    """Pages of four; the last has three."""
    return Review(run, OUTPUT, check=CHECK, rows=4)


def test_the_order_is_that_of_the_derivatives_and_of_the_losses(run, model):
    """The first are those whose deletion lowers the output most, by finite differences."""
    step = 1e-5
    up, down = (run.retrain(down_weights=s * np.eye(11), progress=False) for s in (step, -step))
    slopes = (OUTPUT(up) - OUTPUT(down)) / (2 * step)
    np.testing.assert_allclose(model.effects, slopes, rtol=1e-5, atol=1e-8)
    np.testing.assert_array_equal(model.order, np.argsort(slopes))
    model.sort("loss on it")
    losses = [run.loss(name) for name in NAMES]
    np.testing.assert_allclose(model.losses[model.order], sorted(losses)[::-1])
    probability = Review(run, sl.NextLetter("ann", "a"))
    assert probability.effects[probability.order[0]] == probability.effects.max()


def test_effects_are_found_some_at_a_time(run, model, monkeypatch):
    """The same in parts of three and the rest."""
    monkeypatch.setattr(suspects, "AT_ONCE", 3)
    np.testing.assert_array_equal(Review(run, OUTPUT).effects, model.effects)


def test_pages_hold_everything_once(model):
    """In order; turning ends at the first and the last."""
    seen = []
    for _ in range(model.pages):
        seen.extend(model.shown)
        model.turn(1)
    assert seen == model.order.tolist() and model.pages == 3 and model.page == 2
    model.turn(-9)
    assert model.page == 0


def test_ticked_documents_are_predicted_and_retrained(run, model):
    """Together, beside the package's own predictor and retraining; a second time costs nothing."""
    model.tick([1, 4])
    model.tick([7])
    model.tick([7], on=False)
    assert model.count == 2 and model.last is None
    first = attribution.first_order(run, OUTPUT, progress=False)
    assert model.prediction.value == pytest.approx(first.predict(without=[1, 4]).value)
    exact = run.retrain(without=[1, 4], progress=False)
    made = model.retrain()
    assert made.deleted == 2
    assert made.retrained == pytest.approx(OUTPUT(exact) - OUTPUT(run.model))
    assert made.checked == pytest.approx(CHECK(exact) - CHECK(run.model))
    assert made.predicted == pytest.approx(first.predict(without=[1, 4]).change)
    assert model.retrain() is made and model.tries == [made] and model.last is made
    model.tick([0])
    assert model.last is None
    model.clear()
    with pytest.raises(ValueError, match="nothing is ticked"):
        model.retrain()
    model.tick(range(11))
    with pytest.raises(ValueError, match="every document is ticked"):
        model.retrain()


def rows_of_numbers():
    """A run of row numbers, whose losses look the rows up."""
    rows = np.array([[0.0, 1.0], [1.0, 0.5], [2.0, 9.0], [3.0, 3.0]])

    def losses(p, examples):
        off = p["w"][..., None] * rows[examples, 0] - rows[examples, 1]
        return off * off

    start = sl.Model({"w": np.array(0.5)}, losses)
    return sl.TrainingRun(start, np.arange(4), optimizer=sl.SGD(0.01), steps=8, progress=False)


def test_any_run_has_a_ranking_with_labels_of_its_own():
    """Numbers as they are, labels from a list or a function."""
    run = rows_of_numbers()
    output = sl.MeanLoss([0, 1, 3], bounds=(-np.inf, np.inf))
    made = Review(run, output, rows=9)
    assert made.labels == ["0", "1", "2", "3"] and made.rows == 4 and made.order[0] == 2
    assert Review(run, output, labels=list("abcd")).labels == list("abcd")
    assert Review(run, output, labels=lambda i: f"row {i}").labels[2] == "row 2"
    for predictor in (
        attribution.tracin(run, output, progress=False),
        attribution.influence(run, output, damping=1.0, progress=False),
    ):
        np.testing.assert_allclose(Review(run, output, predictor).effects, predictor.gradient)


@pytest.mark.parametrize(
    ("arguments", "settings", "error", "message"),
    [
        ((None, OUTPUT), {}, TypeError, "run must be a training run"),
        (("run", "anna"), {}, TypeError, "output must be a function"),
        (("run", sl.LossOn("a1")), {}, ValueError, "unknown character '1'"),
        (("run", OUTPUT, 3), {}, TypeError, "method predict"),
        (("run", CHECK, "first"), {}, ValueError, "of another output"),
        (("run", OUTPUT), {"check": 5}, TypeError, "check must be a function"),
        (("run", OUTPUT), {"labels": ["a"]}, ValueError, "1 labels for 11 documents"),
        (("run", OUTPUT), {"labels": "abcdefghijk"}, TypeError, "one for each document"),
        (("run", OUTPUT), {"rows": 0}, ValueError, "rows must be"),
        (("run", OUTPUT, "ranking"), {}, ValueError, "only rank the documents"),
    ],
)
def test_what_does_not_fit_is_refused(run, arguments, settings, error, message):
    """In words, before anything is shown."""
    made = {
        "run": run,
        "first": attribution.first_order(run, OUTPUT, progress=False),
        "ranking": attribution.gradient_products(run, OUTPUT, progress=False),
    }
    given = [made.get(a, a) if isinstance(a, str) and a != "anna" else a for a in arguments]
    with pytest.raises(error, match=message):
        widgets.review(*given, **settings)


def test_wrong_choices_are_refused(model):
    """And change nothing."""
    with pytest.raises(ValueError, match="by must be one of"):
        model.sort("name")
    with pytest.raises(IndexError, match="0 to 10"):
        model.tick([11])
    assert model.by == ORDERS[0] and model.count == 0


@pytest.fixture
def view(run):
    """The widget."""
    return widgets.review(run, OUTPUT, check=CHECK, rows=4)


def test_the_widget_shows_what_the_state_holds(run, view):
    """Rank, label, effect and loss in every line; boxes tick; pages turn; the last one is short."""
    model = view.model
    for page in range(3):
        lines = [line for line in view.page.lines if line.layout.display != "none"]
        assert len(lines) == (4, 4, 3)[page] and view.back.disabled == (page == 0)
        for place, (box, numbers) in enumerate(line.children for line in lines):
            number = model.order[4 * page + place]
            assert box.description == f"{4 * page + place + 1}: {NAMES[number]}"
            assert not box.description_allow_html and box.tooltip == NAMES[number]
            effect, loss = map(float, re.findall(r">([-+.\d]+)<", numbers.value))
            assert effect == pytest.approx(model.effects[number], abs=6e-6)
            assert loss == pytest.approx(run.loss(NAMES[number]), abs=6e-4)
        view.on.click()
    assert view.on.disabled and f"9 to 11</b> of {len(NAMES)}" in view.page.where.value
    view.page.boxes[1].value = True
    assert model.ticked[model.order[9]] and model.count == 1
    view.back.click()
    assert not any(box.value for box in view.page.boxes)
    view.on.click()
    assert [box.value for box in view.page.boxes[:3]] == [False, True, False]
    view.page.boxes[1].value = False
    assert model.count == 0


def test_the_widget_predicts_and_retrains(view):
    """By its buttons; what goes wrong is told, and the next press clears it."""
    model = view.model
    view.button.click()
    view.worker.join()
    assert "nothing is ticked" in view.message.value
    view.all.click()
    assert view.message.value == "" and model.count == 4
    change = f"{model.prediction.change:+.4f}"
    said = f"4 of 11 ticked; mean loss on 2 names: now {model.now:.4f}, predicted change {change}"
    assert said in view.headline.value
    view.button.click()
    view.worker.join()
    (made,) = model.tries
    assert f"retrained {made.retrained:+.4f}" in view.headline.value
    for number in (made.predicted, made.retrained, made.checked):
        assert f"{number:+.4f}" in view.history.value
    assert "loss on 'hana'" in view.history.value.replace("&#x27;", "'")
    view.none.click()
    assert model.count == 0 and "retrained" not in view.headline.value
    view.order.value = "loss on it"
    worst = max(NAMES, key=model.run.loss)
    assert model.by == "loss on it" and view.page.boxes[0].description == f"1: {worst}"


def test_everything_to_press_has_words(view):
    """For those who cannot see it."""
    found = [w for w in view.children[0].children if isinstance(w, ipywidgets.Button)]
    found += [*view.page.boxes, view.button, view.stop, view.order]
    assert len(found) == 11
    assert all(control.description and control.tooltip for control in found)
    assert "aria-live" in view.headline.value and "ReviewView(0 of 11" in repr(view)
