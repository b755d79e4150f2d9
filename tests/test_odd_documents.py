"""Odd documents and odd sizes through the whole pipeline: train, sketch, predict, retrain."""

import time
import tracemalloc

import numpy as np
import pytest

import sketchlab as sl
from sketchlab.training.microgpt import END

DOCUMENTS = {
    "other alphabets": [
        "h\u00e9llo",
        "\u540d\u524d",
        "\U0001f642\U0001f642",
        "\u05e9\u05dc\u05d5\u05dd",
    ],
    "accents apart": ["e\u0301", "\u00e9", "a\u0301b"],
    "joiners alone": ["\u200d\u200d", "a\u200d"],
    "dollars": ["$", "a$b", "$$"],
    "the end in words": [END, "end", "<"],
    "spaces, tabs and NUL": [" ", "a\tb", "\0a"],
    "all the same": ["anna"] * 4,
    "one": ["anna"],
    "one letter": ["a"],
}
SETTINGS = {"steps": 6, "heads": 1, "width": 4, "context": "longest", "progress": False}


@pytest.mark.parametrize("documents", DOCUMENTS.values(), ids=DOCUMENTS)
def test_odd_documents_go_through_the_pipeline(documents):
    """Nothing deleted is exact, what is sampled has known letters, and an anchor is exact."""
    run = sl.train(documents, **SETTINGS)
    asked = run.data[-1]
    sketch = sl.sketch(run, 1, 2, anchors=0, progress=False)
    nothing = sketch.output(sl.LossOn(asked)).predict(without=[])
    assert nothing.value == pytest.approx(run.loss(asked), rel=1e-12) and nothing.error == 0
    sketch.anchor(run, [[0]], progress=False)
    predicted = sketch.output(sl.LossOn(asked)).predict(without=[0])
    exact = run.retrain(without=[0], progress=False).loss(asked)
    assert predicted.value == pytest.approx(exact, rel=1e-12) and predicted.error == 0
    probabilities = run.next_probs(asked[:1])
    assert set(probabilities) == {*"".join(run.data), END}
    assert sum(probabilities.values()) == pytest.approx(1, rel=1e-12)
    assert set("".join(run.sample(3))) <= set("".join(run.data))


@pytest.mark.parametrize(
    ("documents", "words"),
    [
        ([], "there are no documents: give at least one"),
        (["anna", ""], "document 1 is empty: remove it"),
        ([""], "document 0 is empty"),
        (["anna", None], "document 1 must be a string"),
        (["\ud800"], "half of a surrogate pair"),
        ("anna", "documents must be a list of strings"),
    ],
)
def test_what_is_no_document_is_refused(documents, words):
    """Before anything is trained."""
    with pytest.raises((ValueError, TypeError), match=words):
        sl.train(documents, **SETTINGS)


def test_one_direction_of_degree_1_knows_no_error():
    """From one number nobody can tell how far numbers scatter."""
    run = sl.train(["anna", "bob", "eve"], **SETTINGS)
    output = sl.sketch(run, 1, 1, anchors=0, progress=False).output(sl.LossOn("anna"))
    found = output.predict(without=[0])
    assert found.error == np.inf and np.isfinite(found.value)


def test_degree_30_has_the_terms_of_degree_2_and_takes_bounded_memory():
    """16 times the coefficients of degree 2 take less than 64 MB here; degree 1001 is refused."""
    run = sl.train(["anna", "bob", "eve"], **SETTINGS)
    x = np.eye(3)[:2]
    low = run.push(x, 2, progress=False).loss("anna").coefficients
    tracemalloc.start()
    high = run.push(x, 30, progress=False).loss("anna").coefficients
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert high.shape == (31, 2) and np.all(np.isfinite(high)) and most < 64 << 20
    np.testing.assert_allclose(high[:3], low, rtol=1e-12)
    with pytest.raises(ValueError, match="degree must be an integer, 0 or higher, at most 1000"):
        run.push(x, 1001, progress=False)


MILLION = 10**6
AT_ONCE = {  # a million numbers or labels: what is made of them
    "units": lambda rng: len(sl.units.Units(rng.integers(1000, size=MILLION).tolist(), MILLION)),
    "labels": lambda rng: len(sl.attribution.flipped_labels(rng.integers(5, size=MILLION), 9)[0]),
    "clusters": lambda rng: len(
        sl.incontext.QuantizedKMeans(2, 0.5, iterations=2)
        .fit(rng.normal(size=(MILLION, 2)))
        .predict(np.zeros((3, 2)))
    ),
    "klom": lambda rng: len(sl.unlearning.klom(*rng.normal(size=(2, 50, MILLION // 50)))),
    "wasserstein": lambda rng: len(
        sl.unlearning.wasserstein(*rng.normal(size=(2, 50, MILLION // 50)))
    ),
    "recovery": lambda rng: len(
        sl.attribution.recovery(rng.normal(size=MILLION), range(1000), draws=5).found
    ),
}


@pytest.mark.long
@pytest.mark.parametrize("make", AT_ONCE.values(), ids=AT_ONCE)
def test_a_million_take_seconds_and_bounded_memory(make):
    """Time of the processor, as others may use it too."""
    tracemalloc.start()
    start = time.process_time()
    assert make(np.random.default_rng(0)) > 0
    seconds = time.process_time() - start
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seconds < 30 and most < 1 << 29
