"""Fuzzy matching and utility: against subsequences found one by one, and values by hand."""

import unicodedata
from itertools import combinations

import numpy as np
import pytest

import sketchlab as sl
from sketchlab.unlearning import (
    generations,
    overlap,
    perplexity,
    rouge_l,
    similar,
    similarity,
    train_seeds,
)

from test_training import make_run

SMALL = {"width": 4, "heads": 1, "progress": False}
DOCS = ["maria", "marie", "mario", "anna", "annas", "zoe", "jose\u0301"]


@pytest.fixture(scope="module")
def run():
    """microgpt on seven names, some of them alike."""
    return sl.train(DOCS, **SMALL)


def longest_common(a, b):
    """The length of the longest common subsequence: the longest of all of a's that b has."""

    def has(text, part):
        letters = iter(text)
        return all(letter in letters for letter in part)

    parts = (part for k in range(len(a), -1, -1) for part in combinations(a, k))
    return next(len(part) for part in parts if has(b, part))


def test_similarity_counts_the_letters_shared_in_order():
    """Against every subsequence of short random texts, the empty one among them."""
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list("abc"), size)) for size in (0, 1, 3, 4, 7, 8)]
    found, shares = similarity(texts, texts[::-1]), rouge_l(texts, texts[::-1])
    for row, share, a in zip(found, shares, texts, strict=True):
        for percent, f, b in zip(row, share, texts[::-1], strict=True):
            common = longest_common(a, b)
            if not a or not b:
                assert percent == 100.0 * (a == b) and f == (a == b)
                continue
            assert percent == pytest.approx(200 * common / (len(a) + len(b)), rel=1e-12)
            precision, recall = common / len(a), common / len(b)
            harmonic = 2 * precision * recall / (precision + recall) if common else 0.0
            assert f == pytest.approx(harmonic, rel=1e-12)


def test_similar_documents_are_found_and_no_others(run):
    """One other letter in five leaves 80, which counts; a letter more than four is 89."""
    assert similar(run, ["maria"]) == [0, 1, 2]
    assert similar(run, ["maria"], cutoff=80.1) == [0]
    assert similar(run, ["anna", "marie"], cutoff=88) == [1, 3, 4]
    assert similar(run, ["mariax"], cutoff=200 * 5 / 11) == [0], "the cutoff itself counts"
    assert similar(run, ["maria"], cutoff=100) == [0]
    assert similar(run, {"zoe"}) == [5]
    models = train_seeds(run, 2, without=similar(run, ["maria"]), progress=False)
    assert models.without == (0, 1, 2)


def test_accents_count_but_not_how_they_are_written(run):
    """The same letter as one character or as two."""
    for form in ("NFC", "NFD"):
        name = unicodedata.normalize(form, "jos\u00e9")
        assert similar(run, [name], cutoff=100) == [6]
        assert similarity([name], ["jose"])[0, 0] == 75.0


def test_what_matches_nothing_is_an_empty_list(run):
    """None is an answer."""
    assert similar(run, ["xyz", "zoo"]) == []
    assert similar(run, ["xyz", "zoo"], cutoff=66) == [5]


WRONG = {
    "one string": ("maria", {}, TypeError, "texts must be a list, not 'maria'"),
    "a number": (["maria", 3], {}, TypeError, "number 1 of texts must be a string, not 3"),
    "nothing": ([], {}, ValueError, "no texts to compare with"),
    "share": (["maria"], {"cutoff": 0}, ValueError, "cutoff must be a finite number above 0"),
    "percent": (["maria"], {"cutoff": 100.5}, ValueError, "up to 100, not 100.5"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_texts_are_refused(run, case):
    texts, settings, error, message = WRONG[case]
    with pytest.raises(error, match=message):
        similar(run, texts, **settings)


def test_documents_that_are_not_text_are_refused():
    """Row numbers of a table."""
    with pytest.raises(TypeError, match="number 0 of the documents is a int64"):
        similar(make_run("ridge", "sgd"), ["maria"])


def test_perplexity_is_that_of_all_letters(run):
    """By the probabilities of the letters, one after the other, of both models."""
    models, docs = train_seeds(run, 2, progress=False), ["maria", "zoe", "mariannamaria" * 2]
    sequences = [run.model.sequence(doc) for doc in docs]
    found = perplexity(models.losses(docs), [len(read) for read, _ in sequences])
    logs = []
    for read, right in sequences:
        logits = models.model.logits(read)
        p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
        logs.append(np.log(p[:, np.arange(len(right)), right]))
    logs = np.concatenate(logs, axis=1)
    assert logs.shape == (2, 6 + 4 + 16)
    assert found.value == pytest.approx(np.exp(-logs.mean()), rel=1e-12)
    assert found.low <= found.value <= found.high


def test_perplexity_by_hand_and_its_interval():
    """A coin has 2; the interval of a mean is that of the textbook, over models or over names."""
    assert perplexity(np.full((3, 4), np.log(2)), [1, 2, 3, 4]).value == pytest.approx(2)
    assert perplexity(np.log([[2.0, 8.0]]), [3, 1]).value == pytest.approx(2 ** (6 / 4))
    draws = 2.0 + 0.1 * np.random.default_rng(0).normal(size=400)
    for losses in (draws[:, None], draws[None]):
        found = perplexity(losses, np.ones(losses.shape[1], int))
        ends = draws.mean() + np.array([-1, 1]) * 1.645 * draws.std() / 20
        np.testing.assert_allclose(np.log([found.low, found.high]), ends, atol=2e-3)


@pytest.mark.parametrize("shape", [(3, 4), (2, 90), (90, 7), (1, 7), (8, 8), (1, 8), (8, 1)])
def test_an_interval_of_few_or_equal_losses_is_unknown(shape):
    """Of two to seven models or documents, and of any number that are equal."""
    positions, unknown = np.ones(shape[1], int), (-np.inf, np.inf)
    assert perplexity(np.full(shape, np.log(3)), positions)[1:] == unknown
    found = perplexity(np.random.default_rng(0).normal(size=shape), positions)
    known = all(count in (1, 8) for count in shape)
    assert (found[1:] != unknown) == known and found.low < found.value < found.high
    assert [type(one) for one in found] == [float] * 3


@pytest.mark.parametrize(
    ("losses", "positions", "message"),
    [
        (np.ones(3), [1, 1, 1], r"shape \(any, any\)"),
        ([[1.0, np.nan], [1.0, 1.0]], [1, 1], "losses of 1 of 2 models are NaN or infinite"),
        (np.ones((2, 3)), [1, 1], "must be 3 whole numbers"),
        (np.ones((2, 2)), [1.5, 1], "must be 2 whole numbers"),
        (np.ones((2, 2)), [0, 1], "positions must be 1 or more"),
        (np.ones((1, 1)), [1], "one loss says nothing of an interval"),
    ],
)
def test_wrong_losses_are_refused(losses, positions, message):
    with pytest.raises(ValueError, match=message):
        perplexity(losses, positions)


def test_each_model_draws_its_own_names(run):
    """Those of the one model that it is, from its own stream; the number of models is nothing."""
    models = train_seeds(run, [3, 5], progress=False)
    drawn = generations(models, 4, temperature=1.0)
    for seed, names in zip((3, 5), drawn, strict=True):
        alone = sl.train(DOCS, seed=seed, **SMALL)
        assert names == alone.sample(4, (0, seed), temperature=1.0) and len(names) == 4
    assert drawn[0] != drawn[1] and drawn != generations(models, 4, seed=1, temperature=1.0)
    broken = sl.unlearning.unlearn(
        models, [0], "ascent", optimizer=sl.SGD(1e150), passes=3, progress=False
    )
    with pytest.raises(ValueError, match="2 of 2 models diverged"):
        generations(broken, 4)
    table = train_seeds(
        make_run("ridge", "sgd"), 2, initial=lambda seed: {"w": np.ones(3) * seed}, progress=False
    )
    with pytest.raises(TypeError, match="only a model of letters draws names"):
        generations(table, 4)


def test_overlap_takes_the_nearest_reference():
    """By hand; the interval of a mean over many models is that of the textbook."""
    generated, references = [["ab", "xyz"], ["abcd"]], [["abc", "b", "q"], ["bd", "e"]]
    found = overlap(generated, references)
    assert found.value == pytest.approx(np.mean([(4 / 5 + 0) / 2, 4 / 6]), rel=1e-12)
    assert found[1:] == (-np.inf, np.inf), "two models are too few"
    assert overlap([["ab"]] * 90, [["b", "ab"]] * 90) == (1.0, -np.inf, np.inf), "none differs"
    texts = [["a" * size] for size in np.random.default_rng(0).integers(1, 9, 400)]
    scores = np.array([2 * len(text) / (len(text) + 9) for (text,) in texts])
    many = overlap(texts, [["a" * 9]] * 400)
    ends = scores.mean() + np.array([-1, 1]) * 1.645 * scores.std() / 20
    np.testing.assert_allclose(many[1:], ends, atol=3e-3)
    for wrong in ((generated, references[:1]), ([], [])):
        with pytest.raises(ValueError, match=r"give both for as many models|is empty"):
            overlap(*wrong)
    with pytest.raises(ValueError, match="has no texts, or no references"):
        overlap([["a"], []], references)
    with pytest.raises(ValueError, match="one text says nothing of an interval"):
        overlap([["a"]], [["a", "b"]])
