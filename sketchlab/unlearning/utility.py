"""Utility: is an unlearned model still good for anything?

    perplexity: how many letters it hesitates between, on names that it was never trained on
    overlap: how near the names that it draws come to those that other models draw

A method that makes a model forget must not ruin it (Zagardo 2024, arXiv 2406.09391). Both are to be
compared with retrained models: the perplexity of these, and their overlap with one another.
"""

import numpy as np

from ..arguments import check_texts, instance, kinds_array, list_of, of_shape, takes
from ..checks import check_count, check_number_of, check_positive, check_seed
from ..estimation.prediction import COVERAGE
from ..training.models import Flat
from .fuzzy import similarity
from .metrics import RESAMPLES, Interval
from .population import Models

FEWEST = 8  # models, and documents or texts, for an interval
ROUNDING = 1e-12  # of a value


@takes(losses=of_shape(None, None, finite=False))
def perplexity(losses, positions, *, seed=0):
    """exp of the mean loss for each letter: an `Interval`, over models and over documents.

    losses: of the models on documents, in nats for each letter, (models, documents), as
    `Models.losses` gives them. positions: how many letters each of these is the mean of,
    (documents,): for microgpt, which predicts the end of a name as well, and at most `context`
    letters, they are [len(model.sequence(doc)[0]) for doc in docs]. A long document counts more.
    Of several models it is their geometric mean. 1: it knows every letter; the size of the
    vocabulary: it knows nothing. The interval is infinite, not known, for two to seven models or
    documents, and where all losses are equal; of a single model it is over documents alone, and of
    a single document over models.
    """
    positions = kinds_array(positions, "positions")
    if losses.ndim != 2 or 0 in losses.shape:
        raise ValueError(f"losses must have shape (models, documents), not {losses.shape}")
    if not np.all(np.isfinite(losses)):
        bad = np.count_nonzero(~np.all(np.isfinite(losses), axis=1))
        raise ValueError(
            f"losses of {bad} of {len(losses)} models are NaN or infinite: these diverged, and "
            "have no perplexity. Report them as diverged"
        )
    if positions.shape != losses.shape[1:] or positions.dtype.kind not in "iu":
        raise ValueError(
            f"positions must be {losses.shape[1]} whole numbers, one for each document, not "
            f"{positions!r}"
        )
    if np.any(positions < 1):
        raise ValueError("positions must be 1 or more: every loss is the mean of some")

    def value(rows, columns):
        weights = positions[columns] / positions[columns].sum()
        return np.exp(np.mean(losses[rows][:, columns] @ weights))

    if losses.size < 2:
        raise ValueError("one loss says nothing of an interval: give two documents or more")
    models, documents = map(np.arange, losses.shape)
    with np.errstate(over="ignore"):
        found = _resampled(lambda rng: value(_again(rng, models), _again(rng, documents)), seed)
        return _known(float(value(models, documents)), found, losses.shape)


@takes(models=instance(Models), count=check_number_of, temperature=check_positive)
def generations(models, count, *, seed=0, temperature=0.5):
    """Names that models draw, a list of `count` for each of them. See `MicroGPT.sample`.

    models: `Models` of microgpt. Each draws from a random stream of its own, of `seed` and of the
    seed that it was trained from: models that are compared should be given different ones.
    Raises ValueError if models diverged.
    """
    count = check_count(count, "count")
    if np.any(models.diverged):
        raise ValueError(
            f"{np.count_nonzero(models.diverged)} of {len(models)} models diverged: they draw "
            "nothing. Report them as diverged"
        )
    initial = models.run.initial
    if not hasattr(initial, "sample"):
        raise TypeError(f"only a model of letters draws names, not {initial!r}")
    axis, found = Flat.of(initial.parameters), []
    for start, flat in zip(models.seeds, models.flat, strict=True):
        model = initial.with_parameters(axis.named(flat))
        found.append(model.sample(count, (seed, start), temperature=temperature))
    return found


def rouge_l(generated, references):
    """The F measure of ROUGE-L over letters, from 0 to 1, (generated, references).

    With the longest common subsequence LCS of a generated text g and a reference r, its precision
    is LCS / |g|, its recall LCS / |r|, and the harmonic mean of these is 2 LCS / (|g| + |r|): the
    `similarity` of the two. An empty text and one that is not have 0, two empty ones 1.
    """
    return similarity(generated, references) / 100.0


@takes(generated=list_of(check_texts), references=list_of(check_texts))
def overlap(generated, references, *, seed=0):
    """How near generated texts come to the references: an `Interval`, over models and over texts.

    generated, references: texts of each model, such as `generations`; those of a model are compared
    with those of the model at the same place. For each generated text, the `rouge_l` of the
    reference that it is nearest to; mean over texts, mean over models.
    It is far from 0 between unrelated models, and grows with the number of references. Compare
    with the null: the overlap of as many texts of retrained models with as many of others. The
    interval is infinite for two to seven models, or texts of one, and as in `perplexity`.
    """
    if len(generated) != len(references) or not len(generated):
        raise ValueError(
            f"there are texts of {len(generated)} models and references of {len(references)}: give "
            "both for as many models, one or more"
        )
    found = []
    for texts, others in zip(generated, references, strict=True):
        scores = rouge_l(texts, others)
        if not scores.size:
            raise ValueError("a model has no texts, or no references: give at least one of each")
        found.append(np.max(scores, axis=1))
    if sum(map(len, found)) < 2:
        raise ValueError("one text says nothing of an interval: give two texts or more")

    def again(rng):
        chosen = rng.integers(len(found), size=len(found))
        return np.mean([np.mean(_again(rng, found[model])) for model in chosen])

    value, sizes = float(np.mean([np.mean(one) for one in found])), [len(one) for one in found]
    return _known(value, _resampled(again, seed), (len(found), min(sizes), max(sizes)))


def _known(value, ends, counts):
    """The interval, unless there are few of something, or no draw differed."""
    few = any(1 < count < FEWEST for count in counts)
    same = ends[1] - ends[0] <= ROUNDING * abs(value)
    return Interval(value, *((-np.inf, np.inf) if few or same else ends))


def _again(rng, values):
    """As many values, drawn with replacement."""
    return values[rng.integers(len(values), size=len(values))]


def _resampled(draw, seed):
    """Both ends of the 90% bootstrap interval of draw(rng)."""
    rng, tail = np.random.default_rng(check_seed(seed)), (1 - COVERAGE) / 2
    found = [draw(rng) for _ in range(RESAMPLES)]
    return tuple(float(end) for end in np.quantile(found, [tail, 1 - tail]))
