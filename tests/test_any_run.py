"""The explorer of a run that is not microgpt: its numbers, its words, and what it refuses."""

import base64
import datetime
import html
import io
import re

import numpy as np
import pytest
from matplotlib import pyplot

import sketchlab as sl
from sketchlab import ring
from sketchlab.widgets.columns import MISSING, Columns
from sketchlab.widgets.explorer import Explorer
from sketchlab.widgets.offers import Named, by_title
from sketchlab.widgets.selection import visible
from sketchlab.widgets.view import SAMPLE_SEED, SAMPLES

RNG = np.random.default_rng(3)
X = RNG.normal(size=(40, 3))
Y = (X[:, 0] + 0.5 * RNG.normal(size=40) > 0).astype(float)
ROWS = RNG.permutation(40)
TRAIN, TEST = ROWS[:24], ROWS[24:]


def softplus_losses(w, b, x, y):
    """Losses of logistic regression on features (k, 3) and answers (k,)."""
    score = ring.matmul(x, w[..., None])[..., 0] + b[..., None]
    return ring.softplus((1.0 - 2.0 * y) * score)


def by_row(p, rows):
    """Losses where examples are row numbers."""
    return softplus_losses(p["w"], p["b"], X[rows], Y[rows])


def by_pair(p, pairs):
    """Losses where examples are pairs of features and answer."""
    x, y = map(np.array, zip(*pairs, strict=True))
    return softplus_losses(p["w"], p["b"], x, y)


def by_array(p, table):
    """Losses where examples are rows of an array."""
    return softplus_losses(p["w"], p["b"], table[:, :3], table[:, 3])


def by_letters(p, words):
    """Losses of words: the longer, the larger the weight should be."""
    x = np.array([[word.count(letter) for letter in "abc"] for word in words], float)
    return softplus_losses(p["w"], p["b"], x, np.array([len(word) > 2 for word in words], float))


def trained(losses, data, **settings):
    """A run of 36 steps on these examples, four at a time."""
    model = sl.Model({"w": np.zeros(3), "b": np.zeros(())}, losses)
    settings = {"optimizer": sl.SGD(0.3), "steps": 36, "batch_size": 4} | settings
    return sl.TrainingRun(model, data, progress=False, **settings)


@pytest.fixture(scope="module")
def run():
    """Logistic regression on the numbers of 24 rows of 40."""
    return trained(by_row, TRAIN)


@pytest.fixture(scope="module")
def sketched(run):
    """Every row a unit, with half as many directions as rows."""
    return sl.sketch(run, 2, 12, anchors=0, progress=False)


def loss_by_hand(model, rows):
    """The mean loss of logistic regression, without the package."""
    w, b = model.parameters["w"], model.parameters["b"]
    score = X[rows] @ w + b
    return float(np.mean(np.log1p(np.exp(np.where(Y[rows] > 0, -score, score)))))


def retrained(view):
    """Press Retrain and wait."""
    view.button.click()
    view.worker.join()
    assert view.message.value == ""


def test_every_number_is_the_packages(run, sketched):
    """Prediction, band, truth, now and the history, for the mean loss on held-out rows."""
    view = sl.explore(run, sketched, held_out=TEST, without=[2, 5, 7])
    explorer = view.explorer
    assert view.question.kind.value == explorer.question.title == "mean loss on 16 held-out rows"
    p = sketched.output(lambda model: ring.mean(model.losses(TEST), -1)).predict(without=[2, 5, 7])
    now = loss_by_hand(run.model, TEST)
    exact = run.retrain(without=[2, 5, 7], progress=False)
    truth = loss_by_hand(exact, TEST)
    band = f"90% band {p.low:.4f} to {p.high:.4f}"
    assert f"predicted <b>{p.value:.4f}</b> ({band}, band not calibrated), now {now:.4f}" in (
        view.details.value
    )
    assert "It is the whole sketch" in view.accuracy.note.value and view.accuracy.whole.disabled
    retrained(view)
    assert f"retrained <b>{truth:.4f}</b>, known exactly: off by {p.value - truth:+.4f}" in (
        view.details.value
    )
    change = f"{p.value - now:+#.3g} predicted, {truth - now:+#.3g} true: mean loss on 16 held-out"
    assert change in view.headline.value
    assert f">{p.low:.4f} to {p.high:.4f}, " in view.history.value
    names = ", ".join(f"row {number}" for number in TRAIN[[2, 5, 7]])
    assert "<b>3 rows</b> of 24 deleted" in view.deletion.count.value
    assert names in view.deletion.count.value and names in view.history.value
    assert view.samples.value == "" and "rows: now" in view.picture.words
    other = f"loss on held-out row {TEST[3]}"
    view.question.kind.value = other
    assert f"now {loss_by_hand(run.model, TEST[3:4]):.4f}" in view.details.value
    assert f"retrained <b>{loss_by_hand(exact, TEST[3:4]):.4f}</b>" in view.details.value
    assert view.caption.value.endswith(f">{other}</div>")


@pytest.mark.parametrize(
    ("losses", "data", "held_out", "title"),
    [
        (by_row, TRAIN, TEST, f"loss on held-out row {TEST[0]}"),
        (by_row, TRAIN.tolist(), TEST.tolist(), f"loss on held-out row {TEST[0]}"),
        (
            by_pair,
            [(X[i], Y[i]) for i in TRAIN],
            [(X[i], Y[i]) for i in TEST],
            "loss on held-out example 0",
        ),
        (
            by_array,
            np.column_stack([X, Y])[TRAIN],
            np.column_stack([X, Y])[TEST],
            "loss on held-out example 0",
        ),
    ],
    ids=["numbers", "list of numbers", "pairs", "array"],
)
def test_examples_of_any_form(losses, data, held_out, title):
    """The same numbers, whatever the examples are."""
    run = trained(losses, data)
    made = sl.sketch(run, 1, 4, anchors=0, progress=False)
    explorer = Explorer(run, made, held_out=held_out)
    assert explorer.answer().now == pytest.approx(loss_by_hand(run.model, TEST), rel=1e-9)
    explorer.ask(title)
    assert explorer.answer().now == pytest.approx(loss_by_hand(run.model, TEST[:1]), rel=1e-9)
    explorer.ask_mean_loss()
    assert explorer.question.title.startswith("mean loss on 16 held-out ")
    first = Explorer(run, made)
    first_loss = loss_by_hand(run.model, TRAIN[:1])
    assert first.answer().now == pytest.approx(first_loss, rel=1e-9)
    assert first.question.title in (
        f"loss on row {TRAIN[0]}, trained on",
        "loss on row 0, trained on",
    )
    assert "trained on: give held_out=" in first.note and explorer.note == ""


def test_outputs_are_offered_and_others_can_be_asked(run, sketched):
    """By title in the drop-down, on top of held-out losses; those of a cell are added."""
    outputs = {"weight of x": lambda m: m.parameters["w"][..., 0], "on row 3": sl.LossOn(3)}
    view = sl.explore(
        run, sketched, outputs=outputs, held_out=TEST, name="weight of x", without=[1]
    )
    explorer, kind = view.explorer, view.question.kind
    assert kind.options[:3] == ("weight of x", "on row 3", "mean loss on 16 held-out rows")
    p = sketched.output(outputs["weight of x"]).predict(without=[1])
    assert f"predicted <b>{p.value:.4f}</b>" in view.details.value
    assert f"now {run.model.parameters['w'][0]:.4f}" in view.details.value
    answer = explorer.answer()
    way = "rises" if answer.change > 0 else "falls"
    clear = abs(answer.change) > answer.reach
    assert answer.headline.endswith(
        f": weight of x {way}" if clear else ": may be no change at all"
    )
    kind.value = "on row 3"
    assert (explorer.question.unit, explorer.question.bounds) == ("nats", (0.0, np.inf))
    assert f"now {loss_by_hand(run.model, [3]):.4f}" in view.details.value
    view.act(lambda: explorer.ask(sl.LossOn(9)))
    assert kind.value == "loss on example 9" == kind.options[-1]
    kind.value = "on row 3"
    kind.value = "loss on example 9"
    assert explorer.question == sl.LossOn(9)


def test_outputs_come_in_place_of_what_the_run_held_out():
    """Which are offered where none are given, or where they are given too."""
    aside = trained(by_row, TRAIN, held_out=TEST)
    made, given = sl.sketch(aside, 1, 12, progress=False), [sl.MeanLoss(TEST)]
    kinds = [
        sl.explore(aside, made, **settings).question.kind.options
        for settings in ({"outputs": given}, {}, {"outputs": given, "held_out": TEST})
    ]
    assert kinds[0] == (given[0].title,)
    assert kinds[1][0] == "mean loss on 16 held-out rows" and len(kinds[1]) == 17
    assert kinds[2] == (*kinds[0], *kinds[1])


def test_effects_are_those_of_the_exact_first_order(run, sketched):
    """What deletions raise and lower most, of an output that nobody calls helpful."""
    explorer = Explorer(run, sketched, outputs={"w": lambda m: m.parameters["w"][..., 1]})
    slope = sl.attribution.first_order(
        run, lambda m: m.parameters["w"][..., 1], progress=False
    ).gradient
    for effect, order in (("raises", np.argsort(-slope)), ("lowers", np.argsort(slope))):
        assert set(np.flatnonzero(explorer.most(4, effect))) == set(order[:4])
    page = sl.explore(run, sketched, held_out=TEST).deletion.pages["Largest effect"]
    assert page.effect.options == ("raises", "lowers")
    assert (
        "10 rows<span" in page.found.value and "deletion raises the mean loss" in page.found.value
    )
    page.effect.value = "lowers"
    assert "deletion lowers the mean loss" in page.found.value


def test_documents_without_text_have_no_patterns(run, sketched):
    """They are chosen by box, number, effect or at random."""
    view = sl.explore(run, sketched, held_out=TEST)
    assert list(view.deletion.pages) == ["Rows", "Largest effect", "Random"]
    names = view.deletion.names
    assert names.boxes[0].description == f"0: row {TRAIN[0]}"
    names.search.value = f"row {TRAIN[17]}"
    assert 17 in names.found
    names.search.value = "17"
    names.boxes[names.shown.index(17)].value = True
    assert np.flatnonzero(view.explorer.selection.mask).tolist() == [17]
    assert not view.deletion.undo.disabled
    view.deletion.undo.click()
    assert view.deletion.undo.disabled
    with pytest.raises(ValueError, match="patterns are looked for in text"):
        view.explorer.selection.matching("contains", "a")
    view.button.click()
    view.worker.join()
    assert "choose at least one row to delete" in view.message.value


def test_another_model_of_text_has_letters_and_patterns():
    """And its first question is about its own documents."""
    words = ["ab", "abc", "ccc", "a b"]
    run = trained(by_letters, words, batch_size=1, steps=4)
    view = sl.explore(run, sl.sketch(run, 1, 2, anchors=0, progress=False))
    others = ["Text", "Documents", "Largest effect", "Random"]
    assert list(view.deletion.pages) == ["First letter", *others]
    assert list(view.deletion.units.chips) == ["a", "c"]
    view.deletion.units.chips["a"].value = True
    assert view.explorer.selection.names == ["ab", "abc", "a b"]
    assert view.question.kind.options[0] == "loss on ab, trained on"
    view.deletion.pages["Text"].text.value = "b"
    assert view.deletion.pages["Text"].found.value == "3 documents"
    view = sl.explore(run, view.explorer.sketch, held_out=["cab"])
    assert view.question.kind.options == ("loss on held-out 'cab'",)


@pytest.mark.parametrize("labels", [[f"case {i}" for i in range(24)], lambda i: f"case {i}"])
def test_labels_of_ones_own(run, sketched, labels):
    """A list or a function; they are shown with the numbers, and searched."""
    view = sl.explore(run, sketched, labels=labels, without=[3, 4])
    assert view.deletion.names.boxes[3].description == "3: case 3"
    assert "<b>2 documents</b>" in view.deletion.count.value
    assert "case 3, case 4" in view.deletion.count.value
    assert view.question.kind.options[0] == "loss on case 0, trained on"


def test_rows_are_called_by_their_own_numbers(run):
    """A run on some numbers has these; any other has its own."""
    explorer = Explorer(run, sl.sketch(run, 1, 2, anchors=0, progress=False))
    assert explorer.selection.labels == [f"row {number}" for number in TRAIN]
    pairs = trained(by_pair, [(X[i], Y[i]) for i in TRAIN])
    explorer = Explorer(pairs, sl.sketch(pairs, 1, 2, anchors=0, progress=False))
    assert explorer.selection.labels == [f"row {number}" for number in range(24)]


TABLE = {"x": X[TRAIN, 0], "sick": np.where(Y[TRAIN] > 0, "yes", "no"), "few": TRAIN % 3}


@pytest.mark.parametrize("kind", ["dict", "DataFrame"])
def test_columns_choose(run, sketched, kind):
    """By a range of numbers, both ends included, and by values."""
    kind = dict if kind == "dict" else pytest.importorskip("pandas").DataFrame
    view = sl.explore(run, sketched, held_out=TEST, table=kind(TABLE))
    page, selection = view.deletion.pages["Columns"], view.explorer.selection
    assert (page.low.value, page.high.value) == (X[TRAIN, 0].min(), X[TRAIN, 0].max())
    assert page.found.value == "24 rows" and page.value.layout.display == "none"
    page.low.value = float(np.sort(X[TRAIN, 0])[-5])
    assert page.found.value == "5 rows"
    page.buttons["replace"].click()
    assert set(np.flatnonzero(selection.mask)) == set(np.argsort(X[TRAIN, 0])[-5:])
    page.high.value = -100.0
    assert "give the lower one first" in page.message.value
    page.column.value = "sick"
    counts = {word: int(np.sum(TABLE["sick"] == word)) for word in ("yes", "no")}
    assert {label for label, _ in page.value.options} == {f"{w} ({n})" for w, n in counts.items()}
    page.value.value = "no"
    assert page.found.value == f"{counts['no']} rows" and page.low.layout.display == "none"
    page.buttons["add"].click()
    expected = (TABLE["sick"] == "no") | (X[TRAIN, 0] >= np.sort(X[TRAIN, 0])[-5])
    np.testing.assert_array_equal(selection.mask, expected)
    page.column.value = "few"  # three different numbers
    page.value.value = "2"
    assert page.found.value == f"{np.sum(TRAIN % 3 == 2)} rows"
    assert view.message.value == ""


def test_a_column_of_values_starts_with_none(run, sketched):
    """Nothing is chosen and nothing is wrong, first or after another column."""
    columns = {name: TABLE[name] for name in ("sick", "x", "few")}
    view = sl.explore(run, sketched, held_out=TEST, table=columns)
    page = view.deletion.pages["Columns"]
    for name in ("sick", "few", "x", "sick"):
        page.column.value = name
        count = 24 if name == "x" else 0
        assert page.found.value == f"{count} rows" and page.message.value == ""
    assert page.value.value is None
    page.buttons["replace"].click()
    assert "no row was found, so nothing was changed" in view.message.value
    page.value.value = "yes"
    assert page.found.value == f"{np.sum(TABLE['sick'] == 'yes')} rows"


def test_times_are_shown_as_exactly_as_they_are_given():
    """Dates without a time of day, times without seconds that are none."""
    day, when = "2024-02-27", "2024-02-27T13:05:01.500000"
    cases = {
        "2024-02-27": [np.datetime64(day, "ns"), datetime.datetime(2024, 2, 27)],
        "2024-02-27 13:05": [np.datetime64(when[:16], "us"), datetime.datetime(2024, 2, 27, 13, 5)],
        "2024-02-27 13:05:01": [np.datetime64(when[:19], "ns")],
        "2024-02-27 13:05:01.500000": [np.datetime64(when, "us")],
        "2024": [np.datetime64("2024", "Y")],
        "3 days": [np.timedelta64(72, "h"), np.timedelta64(3, "D")],
    }
    for shown, given in cases.items():
        for one in given:
            known = not isinstance(one, np.generic)
            column = np.array([one, None] if known else [one, type(one)("NaT")])
            values = Columns({"when": column}, 2).values("when")
            assert sorted(values) == sorted([(shown, 1), (MISSING, 1)])


def test_missing_values_and_kinds_of_columns():
    """A missing number lies in no range; a missing word is a value."""
    pandas = pytest.importorskip("pandas")
    n = 14
    numbers = [np.nan, *range(13)]
    made = Columns(
        pandas.DataFrame(
            {
                "x": numbers,
                "whole": pandas.array([None, *range(13)], dtype="Int64"),
                "word": ["a", None, *"b" * 12],
                "flag": [True] * 5 + [False] * 9,
                "day": [pandas.NaT, *pandas.date_range("2024-02-27", periods=13)],
                7: ["c"] * n,
            }
        ),
        n,
    )
    assert made.names == ["x", "whole", "word", "flag", "day", "7"]
    assert [made.is_number(name) for name in made.names] == [True, True] + [False] * 4
    for name in ("x", "whole"):
        assert made.extent(name) == (0.0, 12.0)
        np.testing.assert_array_equal(np.flatnonzero(made.between(name, -np.inf, 2.0)), [1, 2, 3])
    assert made.values("word") == [("b", 12), ("a", 1), (MISSING, 1)]
    assert made.values("flag") == [("False", 9), ("True", 5)]
    assert made.equal("day", MISSING).tolist() == [True] + [False] * 13
    assert made.equal("day", made.values("day")[1][0]).sum() == 1
    for call, words in (
        (lambda: made.between("word", 0, 1), "has no range"),
        (lambda: made.equal("x", "1"), "choose a range"),
        (lambda: made.equal("word", "z"), "no value 'z'"),
        (lambda: made.between("x", np.nan, 1.0), "type both"),
        (lambda: made.between("z", 0, 1), "there is no column 'z'"),
    ):
        with pytest.raises(ValueError, match=words):
            call()


def accuracy(model):
    """A count, which has no derivatives."""
    return np.mean((X @ model.parameters["w"] > 0) == Y)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"labels": ["a"]}, ValueError, "1 labels for 24 documents"),
        ({"labels": "abc"}, TypeError, "labels must be one for each document"),
        ({"table": {"x": X[:, 0]}}, ValueError, r"'x' has shape \(40,\), but there are 24 doc"),
        ({"table": {"x": X[TRAIN]}}, ValueError, r"'x' has shape \(24, 3\)"),
        ({"table": X[TRAIN]}, TypeError, "table must be a dict of columns or a DataFrame"),
        ({"table": {}}, ValueError, "the table has no columns"),
        ({"table": {1: Y[TRAIN], "1": Y[TRAIN]}}, ValueError, "two columns are called '1'"),
        ({"outputs": {"w": lambda m: m.parameters["w"]}}, ValueError, "'w' gives no single number"),
        ({"outputs": {"a": accuracy}}, ValueError, "'a' cannot be predicted .*take the loss, or a"),
        ({"outputs": {"n": lambda m: np.nan}}, ValueError, "'n' is nan for the trained model"),
        ({"outputs": {"t": lambda m: m.loss("x")}}, ValueError, "'t' fails on the trained model"),
        ({"outputs": {"one": 3}}, TypeError, "'one' must be a function of a model"),
        ({"outputs": {3: accuracy}}, TypeError, "the title of an output must be some text"),
        ({"outputs": [lambda m: m.loss(3)]}, ValueError, "here is a lambda"),
        ({"outputs": [sl.LossOn(3)] * 2}, ValueError, "here is 'loss on example 3' again"),
        ({"outputs": accuracy}, TypeError, "outputs must be a dict from titles"),
        ({"held_out": "abc"}, TypeError, "held_out must be a list"),
        ({"held_out": 3}, TypeError, "held_out must be a list"),
        ({"held_out": X[TEST]}, ValueError, r"each of shape \(\), not \(3,\)"),
        ({"held_out": ROWS[20:]}, ValueError, "4 of the 20 held-out examples were trained on"),
        (
            {"held_out": TEST, "name": "loss"},
            ValueError,
            "no output with the title 'loss'",
        ),
    ],
)
def test_wrong_inputs_are_refused(run, sketched, settings, error, message):
    """Each in words, before anything is shown."""
    with pytest.raises(error, match=message):
        sl.explore(run, sketched, **settings)


def test_an_unknown_title_is_told_with_the_first_ones(run, sketched):
    """Not with all that are offered."""
    offered = {f"weight {i}": lambda m: m.parameters["w"][..., 0] for i in range(51)}
    with pytest.raises(ValueError, match=r"'weight 4', \.\.\. \(51 in all\)") as caught:
        sl.explore(run, sketched, outputs=offered, name="zoe")
    assert "weight 5" not in str(caught.value)


def test_no_run_and_sketches_of_others(run, sketched):
    """Swapped, missing, or of another run."""
    with pytest.raises(TypeError, match=r"run must be a training run,? from sl\.train, not Sketch"):
        sl.explore(sketched, run)
    with pytest.raises(TypeError, match=r"run must be a training run,? from sl\.train, not None"):
        sl.explore(None, sketched, name="w")
    other = trained(by_row, TRAIN, steps=30)
    with pytest.raises(ValueError, match="another training run"):
        sl.explore(other, sketched)


def test_an_output_that_cannot_be_predicted_leaves_the_last_one(run, sketched):
    """Said beside the drop-down, not raised into the kernel."""
    view = sl.explore(
        run,
        sketched,
        held_out=TEST,
        outputs={"w": lambda m: m.parameters["w"][..., 0], "accuracy": accuracy},
    )
    before = view.details.value
    view.question.kind.value = "accuracy"
    said = view.question.message.value
    assert "&#x27;accuracy&#x27; cannot be predicted" in said and "Still shown: w" in said
    assert view.details.value == before and view.explorer.question.title == "w"
    view.question.kind.value = "w"
    assert view.question.message.value == ""


def test_functions_have_titles():
    """Their names, or those of a dict; what they say of themselves is kept."""
    assert list(by_title([accuracy, sl.LossOn(3)])) == ["accuracy", "loss on example 3"]
    made = Named("it", sl.LossOn(3))
    assert made.label == "it (nats)" and made.helps == 1
    assert made.meaning(1.0) == "the model knows less about example 3"
    assert Named("slope", accuracy).meaning(-1.0) == "slope falls"


def test_own_words_never_meet_the_names_of_the_package():
    """The first question is on them, and there are no unseen names unless some were held out."""
    words = ["Straße", "Übung", "Öl am Weg"]
    run = sl.train(words, steps=3, progress=False)
    made = sl.sketch(run, 1, 3, anchors=0, progress=False)
    view = sl.explore(run, made)
    assert view.explorer.question == sl.LossOn("Straße") and view.explorer.held_out == ()
    assert view.question.on_unseen not in view.question.kind.options
    assert "No documents were held out" in view.explorer.note
    assert "Documents" in view.deletion.pages
    assert view.question.kind.options[0] == "loss on a document"
    for made_up in run.model.sample(SAMPLES, SAMPLE_SEED):
        assert html.escape(visible(made_up)) in view.samples.value
    outputs = {"first": lambda m: m.next_probs("")["Ü"]}
    view = sl.explore(run, made, held_out=["Weg"], outputs=outputs)
    assert view.explorer.question.title == "first"
    view.question.kind.value = view.question.on_unseen
    assert view.explorer.question == sl.MeanLoss(["Weg"]) and view.explorer.note == ""
    view.question.kind.value = "first"
    chance = float(run.next_probs("")["Ü"])
    assert view.explorer.answer().now == pytest.approx(chance, rel=1e-12)


def test_epsilon_has_room_for_outputs_of_any_size(run, sketched):
    """The slider reaches what is within reach, however large the numbers are."""
    large = {
        "large": lambda m: 1e6 * m.parameters["w"][..., 0],
        "small": lambda m: 1e-8 * m.loss(3),
    }
    view = sl.explore(run, sketched, outputs=large, without=range(8))
    epsilon = view.accuracy.epsilon
    for title in large:
        view.question.kind.value = title
        assert view.message.value == ""
        assert epsilon.value == view.explorer.epsilon
        assert epsilon.base**epsilon.min < epsilon.value <= epsilon.base**epsilon.max
        epsilon.value *= 1.01  # as a browser rounds it: nobody has moved it
        assert view.explorer.chosen_by == "whole"
        epsilon.value *= 10
        assert view.explorer.chosen_by == "epsilon" and view.explorer.answer().plan.within_reach
    assert re.search("cheapest part", view.accuracy.note.value)


def test_images_are_shown_as_what_they_are():
    """In the list and among the chosen, decoded to the pixels that were given; or refused."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 17, (20, 8, 8))
    features, y = pixels.reshape(20, -1) / 16.0, rng.integers(0, 2, 20)

    def losses(p, rows):
        score = ring.matmul(features[rows], p["w"][..., None])[..., 0]
        return ring.softplus((1.0 - 2.0 * y[rows]) * score)

    run = sl.TrainingRun(sl.Model({"w": np.zeros(64)}, losses), np.arange(20), progress=False)
    sketched = sl.sketch(run, 1, 5, anchors=0, progress=False)
    view = sl.explore(run, sketched, without=[3, 11], images=pixels)
    lines = view.deletion.names.thumbnails
    shown = [re.search('base64,(.*?)"', line.value)[1] for line in lines]
    chosen = re.findall('base64,(.*?)"', view.deletion.count.value)
    found = [pyplot.imread(io.BytesIO(base64.b64decode(one)))[..., 0] for one in shown + chosen]
    expected = pixels[[*range(9), 3, 11]] / 16.0
    np.testing.assert_allclose(found, expected, atol=1 / 255)
    assert all('alt="' in line.value for line in lines) and "row 11" in view.deletion.count.value
    view.deletion.names.search.value = "row 19"
    assert [bool(line.value) for line in lines] == [True] + [False] * 8
    for wrong in (pixels[:5], pixels[0], features, "abc", np.where(pixels > 3, np.nan, 1.0)):
        with pytest.raises(ValueError, match="images must be"):
            sl.explore(run, sketched, images=wrong)
