"""Own words, tables and outputs: what goes wrong is told at once, in words that say what to do."""

import warnings

import numpy as np
import pytest

import sketchlab as sl
from sketchlab import attribution, ring

QUIET = {"progress": False}
X = np.random.default_rng(0).normal(size=(30, 3))
Y = 1.0 * (X[:, 0] > 0)
WORDS = ["Müller", "Öztürk", "Straße", "São", "東京都", "Ümit", "a b", "Ab"]


def scores(parameters, rows):
    return ring.matmul(X[rows], parameters["w"][..., None])[..., 0]


def logistic(parameters, rows):
    return ring.softplus((1 - 2 * Y[rows]) * scores(parameters, rows))


def trained(losses=logistic, data=None, **settings):
    data = np.arange(30) if data is None else data
    return sl.TrainingRun(sl.Model({"w": np.zeros(3)}, losses), data, **settings, **QUIET)


def test_documents_longer_than_the_context_are_counted():
    """A start and the letters are read: 5 letters need 6 places to be read with their end."""
    docs = ["abc", "abcde", "abcdef"]
    with pytest.warns(UserWarning, match="2 of 3 documents are longer .* 5, .* give context=7 or"):
        cut = sl.train(docs, context=5, width=4, heads=1, **QUIET)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        whole = sl.train(docs, context="longest", width=4, heads=1, **QUIET)
        assert sl.train(docs, context=7, width=4, heads=1, **QUIET).loss("abcdef") == whole.loss(
            "abcdef"
        )
    assert whole.model.context == 7 and cut.model.context == 5
    assert len(whole.model.sequence("abcdef")[0]) == 7  # with the end
    assert cut.model.sequence("abcde")[1] == cut.model.tokens("abcde")  # without it


def test_words_of_any_script_are_read_and_kept_aside():
    """A share is drawn by the seed and not trained on; its letters are in the vocabulary."""
    run = sl.train(WORDS, held_out=0.25, **QUIET)
    again = sl.train(WORDS, held_out=0.25, **QUIET)
    assert len(run) == 6 and len(run.held_out) == 2 and run.held_out == again.held_out
    assert sorted([*run.data, *run.held_out]) == sorted(WORDS)
    assert [word for word in WORDS if word in run.data] == run.data  # in their order
    assert np.isfinite(sl.MeanLoss(run.held_out)(run.model)) and "2 held out" in repr(run)
    drawn = {sl.train(WORDS, seed=seed, held_out=0.25, **QUIET).held_out for seed in range(6)}
    assert len(drawn) > 1


def test_a_list_kept_aside_changes_nothing_but_the_vocabulary():
    """With the same vocabulary the run is the same, and so is its fingerprint."""
    letters = "".join(sorted(set("".join(WORDS))))
    alone = sl.train(WORDS[:6], vocabulary=letters, **QUIET)
    run = sl.train(WORDS[:6], held_out=WORDS[6:], **QUIET)
    assert run.fingerprint() == alone.fingerprint() and run.held_out == tuple(WORDS[6:])
    assert alone.held_out == () and "held out" not in repr(alone)
    table = trained(held_out=range(20, 30), data=np.arange(20))
    assert table.held_out == tuple(range(20, 30)) and len(table) == 20


@pytest.mark.parametrize(
    ("held_out", "error", "message"),
    [
        (1.5, ValueError, "a share of the 8 documents, above 0 and below 1"),
        (0.01, ValueError, "leaves some on both sides"),
        (True, TypeError, "a share or a list of documents, not True"),
        ("abc", TypeError, "a share or a list of documents, not 'abc'"),
        ([""], TypeError, "a string of letters, not ''"),
        ([3], TypeError, "a string of letters, not 3"),
        (["São"], ValueError, "'São' is held out and trained on"),
        (["Sa\u0303o"], ValueError, "'São' is held out and trained on"),
    ],
)
def test_what_cannot_be_held_out(held_out, error, message):
    with pytest.raises(error, match=message):
        sl.train(WORDS, held_out=held_out, **QUIET)


def test_tables_of_pandas_go_by_row_number():
    """A shuffled column would be read by its labels: other rows than those in their places."""
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(X)
    for data in (table, table[0].sample(frac=1, random_state=0)):
        with pytest.raises(TypeError, match=r"train on row numbers, np.arange.*table.to_numpy"):
            trained(data=data)
    for docs in (pandas.DataFrame({"name": WORDS}), {"name": WORDS}):  # its headers would be read
        with pytest.raises(TypeError, match="give one column"):
            sl.train(docs, **QUIET)
    for held_out in (0.2, "abc"):
        with pytest.raises(TypeError, match="held_out must be a list"):
            trained(held_out=held_out)
    with pytest.raises(TypeError, match=r"only sl\.train takes a share"):
        trained(held_out=0.2)
    words = pandas.Series(WORDS)
    assert sl.train(words, **QUIET).data == WORDS


@pytest.mark.parametrize(
    "bend", [lambda z: np.where(z > 0, z, 0.1 * z), lambda z: np.clip(z, -1, 1)]
)
def test_losses_that_gradients_cannot_follow_say_so(bend):
    with pytest.raises(TypeError, match=r"gradient of these losses cannot be taken.*sl.ring.relu"):
        trained(lambda p, rows: bend(scores(p, rows)))


def test_an_error_of_own_losses_says_how_they_are_called():
    """The error stays the user's own; a note is added."""
    labels = np.where(Y > 0, "yes", "no")
    with pytest.raises(TypeError) as caught:
        trained(lambda p, rows: scores(p, rows) * labels[rows])
    assert "with numbers for labels" in caught.value.__notes__[0]
    pairs = list(zip(X, Y, strict=True))
    with pytest.raises(ValueError, match="inhomogeneous") as caught:
        trained(lambda p, pair: ring.matmul(np.array(pair[0]), p["w"]) - pair[1], data=pairs)
    assert "pairs (x, y), train on row numbers" in caught.value.__notes__[0]


STEPS = {
    "accuracy": lambda m: np.mean((X @ m.parameters["w"][..., None])[..., 0] > 0, axis=-1),
    "a constant of the loss": lambda m: 0 * m.loss(3) + 1.0,
    "a number": lambda m: 1.0,
}


@pytest.mark.parametrize("name", STEPS)
def test_outputs_without_a_derivative_are_refused_not_attributed_0(name):
    """All of first order, TracIn and influence would give 0 for every document."""
    run = trained()
    for method, settings in (
        (attribution.first_order, {}),
        (attribution.tracin, {}),
        (attribution.influence, {"damping": 0.1}),
    ):
        with pytest.raises(ValueError, match="Ask for the loss, a probability or a margin"):
            method(run, STEPS[name], **settings, **QUIET)


def test_an_output_at_its_minimum_has_the_derivative_0():
    """It changes with the parameters, to second order."""
    run = trained()
    there = run.model.parameters["w"].copy()

    def distance(model):
        return ring.sum((model.parameters["w"] - there) ** 2, -1)

    assert not np.any(attribution.first_order(run, distance, **QUIET).gradient)


def test_outputs_that_are_no_function_of_jets_say_what_to_do():
    sketch = sl.sketch(trained(), 1, 3, anchors=0, **QUIET)
    for output in (lambda m: float(m.loss(3)), STEPS["accuracy"]):
        with pytest.raises(TypeError, match=r"cannot be asked of a sketch .* without float"):
            sketch.output(output)


def test_rows_are_named_by_position_not_by_the_labels_of_pandas():
    """Labels of a shuffled table would delete other rows."""
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(X).sample(frac=1, random_state=0)
    run, first = trained(), table.index[:3]
    for rows in (first, table[0][:30] > 0, pandas.Series([0, 1])):
        for call in (run.indicator, lambda rows: run.retrain(without=rows, **QUIET)):
            with pytest.raises(TypeError, match=r"may hold labels.*np.flatnonzero.*get_indexer"):
                call(rows)
    with pytest.raises(TypeError, match=r"integers, not (True|False).*np.flatnonzero\(mask\)"):
        run.indicator((table[0] > 0).to_numpy())
    assert np.flatnonzero(run.indicator(table.index.get_indexer(first))).tolist() == [0, 1, 2]


def test_losses_that_look_rows_up_by_label_are_refused():
    """A shuffled column, indexed by a list of numbers, gives the rows of these labels."""
    pandas = pytest.importorskip("pandas")
    column = pandas.Series(Y).sample(frac=1, random_state=0)
    table = pandas.DataFrame(X)

    def by_label(parameters, rows):
        return (scores(parameters, rows) - column[rows]) ** 2

    def of_a_table(parameters, rows):
        return ring.matmul(table[rows], parameters["w"][..., None])[..., 0]

    for losses, name in ((by_label, "column"), (of_a_table, "table")):
        with pytest.raises(TypeError, match=f"in '{name}'.*write {name} = {name}.to_numpy"):
            trained(losses)

    def converted_too_late(parameters, rows):
        return (scores(parameters, rows) - column[rows].to_numpy()) ** 2

    with pytest.raises(TypeError, match=r"column = column.to_numpy\(\) before, outside"):
        trained(converted_too_late)


def test_losses_that_jets_lack_are_told_when_the_run_is_made():
    with pytest.warns(UserWarning, match=r"not run on jets.*use sl.ring.softplus"):
        run = trained(lambda p, rows: np.log1p(np.exp(scores(p, rows))))
    with pytest.raises(TypeError, match="log1p"):
        run.push(np.eye(30)[:1], 1, **QUIET)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trained()


def test_training_that_makes_the_loss_worse_is_told():
    """Columns that were not scaled: the loss of a table is finite, and of no use."""
    table = X * [1.0, 1.0, 1e4]

    def losses(parameters, rows):
        found = ring.matmul(table[rows], parameters["w"][..., None])[..., 0]
        return ring.softplus((1 - 2 * Y[rows]) * found)

    with pytest.warns(UserWarning, match="made the loss worse, 0.693 before.*scale the columns"):
        trained(losses, optimizer=sl.SGD(0.1))


def test_missing_values_are_counted():
    holes = X.copy()
    holes[[3, 8, 9, 20], 1] = np.nan

    def losses(parameters, rows):
        return ring.matmul(holes[rows], parameters["w"][..., None])[..., 0] ** 2

    with pytest.raises(FloatingPointError, match=r"on 4 of all 30 examples \(examples 3, 8, 9 and"):
        trained(losses)


def test_lines_with_their_break_and_words_twice_are_told():
    with pytest.warns(UserWarning, match="2 of 3 documents end with a line break"):
        sl.train(["ab\n", "ba\r\n", "bb"], **QUIET)
    with pytest.warns(UserWarning, match=r"2 of the 2 documents held out.*such as 'ab'"):
        run = sl.train(["ab", "ab", "ab", "ab"], held_out=0.5, **QUIET)
    assert len(run.held_out) == 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sl.train(WORDS, held_out=0.25, **QUIET)


@pytest.mark.parametrize("size", [1.0, 0.1, 0.001])
@pytest.mark.parametrize("over_all", [ring.sum, ring.mean])
def test_a_penalty_over_all_models_is_refused_however_small(size, over_all):
    """Without the axis, and at parameters that start at 0."""
    with pytest.raises(ValueError, match="must not mix models"):
        trained(lambda p, rows: logistic(p, rows) + size * over_all(p["w"] ** 2))
    trained(lambda p, rows: logistic(p, rows) + size * ring.sum(p["w"] ** 2, -1)[..., None])


OF_THE_BATCH = {
    "centred": lambda z, rows: (z - ring.mean(z, -1)[..., None]) ** 2,
    "divided": lambda z, rows: z**2 / len(rows),
    "weighted": lambda z, rows: z**2 * (0.3 + np.arange(len(rows))),
    "reversed": lambda z, rows: z[..., ::-1] ** 2,
    "softmax": lambda z, rows: ring.softmax(z),
}


@pytest.mark.parametrize("name", OF_THE_BATCH)
def test_a_loss_that_depends_on_the_other_rows_is_refused(name):
    """A row that is deleted would still act."""
    with pytest.raises(ValueError, match="depends on the other examples"):
        trained(lambda p, rows: OF_THE_BATCH[name](scores(p, rows), rows))


def of_my_class(rows):
    """1 over the share of a row's class among these rows."""
    return np.array([1.0 / np.mean(Y[rows] == label) for label in Y[rows]])


@pytest.mark.parametrize("batch_size", [1, 5, 30])
@pytest.mark.parametrize(
    "together",
    [of_my_class, lambda rows: np.full(len(rows), 1.0 + np.max(np.abs(X[rows]).round()))],
    ids=["weights of classes", "padded to the longest"],
)
def test_so_is_one_whose_first_rows_are_alike(together, batch_size):
    """Two rows of one class, or of one length, would not tell."""
    data = np.argsort(Y + np.abs(X).max(axis=1).round() / 10, kind="stable")
    with pytest.raises(ValueError, match="depends on the other examples"):
        trained(lambda p, r: logistic(p, r) * together(r), data, batch_size=batch_size)
    trained(lambda p, r: logistic(p, r) * of_my_class(np.arange(30))[r], data)


def test_losses_that_are_random_for_some_rows_are_refused():
    """Those of one class, which the first rows are not of."""
    rng, data = np.random.default_rng(0), np.argsort(Y, kind="stable")
    with pytest.raises(ValueError, match="random, or count their calls"):
        trained(lambda p, r: logistic(p, r) * (1 + Y[r] * rng.random(len(r))), data)


def test_losses_on_one_row_see_an_array_as_in_training():
    """`rows == 5` of a list would be False."""
    run = trained(lambda p, rows: logistic(p, rows) * np.where(rows == 5, 3.0, 1.0))
    all_of_them = run.losses(run.model)
    assert run.loss(5) == all_of_them[5] == sl.LossOn(5)(run.model)
    assert sl.MeanLoss((5, 6))(run.model) == pytest.approx(all_of_them[5:7].mean())


@pytest.mark.parametrize("example", [400, "C1007", 3.5])
def test_an_example_that_is_not_there_is_told_in_words(example):
    """Asked of a model or of a sketch, alone or with others."""
    run = trained()
    sketch = sl.sketch(run, 1, 4, anchors=0, progress=False)
    for output in (sl.LossOn(example), sl.MeanLoss((0, example))):
        for ask in (lambda o: o(run.model), sketch.output):
            with pytest.raises(ValueError, match=f"cannot look up .*{example}"):
                ask(output)
    with pytest.raises(IndexError) as error:
        trained(data=np.arange(40))
    assert "have as many rows?" in error.value.__notes__[0]


def test_parameters_without_names_are_refused():
    for parameters in ([np.zeros(3)], None):
        with pytest.raises(TypeError, match="parameters must be a dict of arrays by name"):
            sl.Model(parameters, logistic)


def test_what_is_held_out_is_told_apart_from_what_is_trained_on():
    pandas = pytest.importorskip("pandas")
    with pytest.raises(ValueError, match=r"10 of the 20 held-out examples were trained on.*row 20"):
        trained(held_out=range(20, 40))
    with pytest.raises(TypeError, match="held_out is a mask"):
        trained(held_out=X[:, 0] > 0)
    for make in (lambda table: trained(held_out=table), sl.MeanLoss):
        with pytest.raises(TypeError, match="not a table of pandas"):
            make(pandas.DataFrame(X))


def test_what_changes_after_training_is_noticed():
    """Data are copied; labels that the losses read cannot be."""
    data, labels = np.arange(30), Y.copy()

    def losses(parameters, rows):  # log(2) at the start, whatever the labels
        return ring.softplus((1 - 2 * labels[rows]) * scores(parameters, rows))

    run = trained(losses, data)
    data[:] = 0
    first = run.retrain(without=[0], **QUIET).parameters["w"]
    labels[:] = 1 - labels
    for call in (
        lambda: run.retrain(without=[0], **QUIET),
        lambda: run.push(np.eye(30)[:1], 1, **QUIET),
    ):
        with pytest.raises(ValueError, match="such as labels, have changed since"):
            call()
    labels[:] = 1 - labels
    assert np.array_equal(first, run.retrain(without=[0], **QUIET).parameters["w"])


def test_a_missing_return_and_training_that_moves_nothing_are_told():
    with pytest.raises(TypeError, match="is a `return` missing"):
        trained(lambda p, rows: None)
    model = sl.Model(
        {"w": np.zeros(3), "v": np.zeros(())},
        lambda p, rows: (scores(p, rows) * p["v"][..., None] - Y[rows]) ** 2,
    )
    with pytest.warns(UserWarning, match="moved no parameter"):
        sl.TrainingRun(model, np.arange(30), **QUIET)
    with pytest.warns(UserWarning, match="byte-order mark"):
        sl.train(["\ufeffab", "ba"], **QUIET)
