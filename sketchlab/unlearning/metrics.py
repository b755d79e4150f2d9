"""How far unlearned models are from models retrained without the forget set.

Training is random in its seed, so that a model is one draw from a distribution. Unlearning is right
if its models are draws from that of models which never saw the forget set, the *oracles*. All
measures take one row per model (seed) and one column per example. None of them is 0 for draws from
the same distribution: `null` measures what it is then, from oracles of the same run.

    klom, wasserstein: distance between the margins' distributions, for every example
    loss_attack, lira: can somebody tell that the forget set was trained on? (membership inference)
    verification_error: distance between weights, seed by seed
"""

from typing import NamedTuple

import numpy as np
from scipy import special, stats

from ..arguments import check_flag, function_of, of_shape, takes
from ..checks import LARGEST, check_between, check_count, check_positive, check_seed, real_array
from ..estimation.prediction import COVERAGE

BINS, CLIP, FLOOR = 20, 100.0, 1e-5  # of KLoM, as published
ROUNDING = 1e-9  # of a margin
FEWEST = 50  # models, below which the null of KLoM hides what it is to show
FALSE_POSITIVES = 0.01  # at which the share of true positives is given
RESAMPLES = 200  # of the bootstrap


class Interval(NamedTuple):
    """A number and its 90% bootstrap interval, over models and over examples."""

    value: float
    low: float
    high: float


class Attack(NamedTuple):
    """Membership inference: area under the ROC curve, and true positives at 1% false positives.

    auc: 0.5 is a coin. tpr: 0.01 is a coin.
    """

    auc: Interval
    tpr: Interval


@takes(logits=of_shape(finite=False), targets=of_shape(finite=False))
def margins(logits, targets):
    """How far the target's logit is above all others together: z_c - log sum_{j != c} exp(z_j).

    logits: (..., classes). targets: numbers of the right classes, of a shape that broadcasts with
    (...). The logarithm of the odds of the target, p / (1 - p). Of logits that are not finite, as
    those of a model that diverged, neither are the margins.
    """
    if logits.ndim < 1 or logits.shape[-1] < 2:
        raise ValueError(f"logits must have two or more classes on the last axis: {logits.shape}")
    ends = zip(targets.shape[::-1], logits.shape[-2::-1], strict=False)
    if targets.ndim >= logits.ndim or any(a not in (1, b) for a, b in ends):
        raise ValueError(f"targets of shape {targets.shape} do not fit logits {logits.shape}")
    right = np.asarray(targets)[..., None] == np.arange(logits.shape[-1])
    if not np.all(right.any(axis=-1)):
        raise ValueError(f"targets must be classes, 0 to {logits.shape[-1] - 1}, not {targets!r}")
    right = np.broadcast_to(right, logits.shape)
    others = special.logsumexp(np.where(right, -np.inf, logits), axis=-1)
    return np.sum(np.where(right, logits, 0.0), axis=-1) - others


@takes(bins=check_count, clip=check_positive, floor=check_between(0, 1), force=check_flag)
def klom(unlearned, oracle, *, bins=BINS, clip=CLIP, floor=FLOOR, force=False):
    """KL divergence of margins, D(unlearned || oracle), for every example, (examples,).

    unlearned, oracle: margins, (models, examples). For each example both are clipped to +-clip and
    counted in equal bins from the lowest to the highest margin of either, both ends included; then
    sum_b p_b log(p_b / max(q_b, floor)) with p of the unlearned models and q of the oracles, which
    is not renormalised (Georgiev et al. 2024, arXiv 2410.23232). 0: the same histograms, as of
    margins that differ by rounding alone, by less than 1e-9 of their size. It cannot
    exceed -log(floor), 11.5. The order matters: unlearned models that are too alike score less than
    such that scatter too much.

    Raises ValueError for NaN, and for fewer than 50 models, where models of the same distribution
    are far from 0 (of normal margins, the mean is 3.0 with 20 models, 0.85 with 50, 0.33 with
    100), unless force=True.
    """
    unlearned, oracle = _pair(unlearned, oracle, infinite=True)
    check_count(bins, "bins")
    if not 0 < clip < np.inf or not 0 < floor < 1:
        raise ValueError(f"clip must be above 0, floor between 0 and 1, not {clip!r} and {floor!r}")
    fewest = min(len(unlearned), len(oracle))
    if fewest < FEWEST and not force:
        raise ValueError(
            f"KLoM of {fewest} models is mostly noise: of the same normal distribution twice, its "
            f"mean is 3.0 with 20 models and 0.33 with 100. Give {FEWEST} or more (100 are usual), "
            "or force=True"
        )
    unlearned, oracle = (np.clip(values, -clip, clip) for values in (unlearned, oracle))
    low = np.minimum(unlearned.min(axis=0), oracle.min(axis=0))
    high = np.maximum(unlearned.max(axis=0), oracle.max(axis=0))
    apart = high - low > ROUNDING * np.maximum(np.abs(low), np.abs(high))
    width = np.where(apart, high - low, np.inf)
    p, q = (_shares((values - low) / width, bins) for values in (unlearned, oracle))
    return np.sum(special.xlogy(p, p) - special.xlogy(p, np.maximum(q, floor)), axis=1)


def _shares(positions, bins):
    """The shares of models in each bin, (examples, bins), from positions between 0 and 1."""
    examples = positions.shape[1]
    places = np.minimum((positions * bins).astype(int), bins - 1) + bins * np.arange(examples)
    counts = np.bincount(places.ravel(), minlength=examples * bins)
    return counts.reshape(examples, bins) / len(positions)


def wasserstein(unlearned, oracle):
    """The 1-Wasserstein distance between margins, for every example, in nats, (examples,).

    How far margins must be moved on the average to become the oracles'. It has no bins, no floor
    and no ceiling.
    """
    unlearned, oracle = _pair(unlearned, oracle)
    columns = zip(unlearned.T, oracle.T, strict=True)
    return np.array([stats.wasserstein_distance(u, v) for u, v in columns])


@takes(score=function_of(2), splits=check_count)
def null(oracles, score, *, splits=20, seed=0):
    """What a score is between models of the same distribution: (splits, examples).

    oracles: (models, examples), an even number of models, as many again as will be compared: each
    time they are split at random into halves, which are compared. score: `klom`, `wasserstein`, or
    another function of two arrays. Oracles that are compared with unlearned models must not be the
    only ones here: a set of oracles is at distance 0 from itself.
    """
    oracles = _numbers(oracles, "oracles", infinite=True)
    half = len(oracles) // 2
    if half < 1:
        raise ValueError(f"a null takes two oracles or more, not {len(oracles)}")
    rng = np.random.default_rng(check_seed(seed))
    found = []
    for _ in range(check_count(splits, "splits")):
        order = rng.permutation(len(oracles))
        found.append(score(oracles[order[:half]], oracles[order[half : 2 * half]]))
    return real_array(found, "what score returns", finite=False)


@takes()
def loss_attack(forget, unseen, *, seed=0):
    """Membership inference by a threshold on the loss: an `Attack`.

    forget, unseen: losses of the models on the forget set and on examples that were never trained
    on, (models, examples) each. The lower the loss, the more likely an example is called a member.
    Oracles do not score 0.5 exactly where the forget set is easier, or harder, than the unseen
    examples: compare with theirs.
    """
    forget, unseen = _numbers(forget, "forget"), _numbers(unseen, "unseen")
    return _attack(-forget, -unseen, False, seed)


@takes()
def lira(unlearned, members, oracle, tested, *, seed=0):
    """The likelihood-ratio attack (Carlini et al. 2022) on the forget set: an `Attack`.

    All are margins on the forget set, (models, examples): of the unlearned models, of models that
    were trained on it (members), of oracles, and of other oracles (tested). For each example a
    normal distribution is fitted to members and to oracles; the logarithm of the ratio of their
    densities is to tell unlearned models from the tested oracles. 0.5: nobody can.
    """
    unlearned, oracle = _pair(unlearned, oracle)
    members, tested = _pair(members, tested)
    _pair(unlearned, members)
    scores = (likelihood_ratios(values, members, oracle) for values in (unlearned, tested))
    return _attack(*scores, True, seed)


def likelihood_ratios(values, members, oracle):
    """How much likelier margins are among members than among oracles, (models, examples).

    The logarithm of the ratio of two normal densities, fitted to both for each example.
    """
    values = _numbers(values, "values")
    members, oracle = _pair(members, oracle)
    _pair(values, oracle)
    fits = [(known.mean(axis=0), known.std(axis=0)) for known in (members, oracle)]
    floor = 1e-6 * (1.0 + np.abs(fits[1][0]))  # margins that are all the same
    inside, outside = (
        stats.norm.logpdf(values, mean, np.maximum(spread, floor)) for mean, spread in fits
    )
    return inside - outside


def verification_error(unlearned, retrained):
    """The Euclidean distance between weights, (models,), from flat weights (models, P).

    Models with the same seed are compared (Thudi et al. 2022, arXiv 2109.13398).
    """
    unlearned, retrained = _numbers(unlearned, "unlearned"), _numbers(retrained, "retrained")
    if unlearned.shape != retrained.shape:
        raise ValueError(f"weights differ in shape: {unlearned.shape} and {retrained.shape}")
    return np.linalg.norm(unlearned - retrained, axis=-1)


def _attack(positive, negative, paired, seed):
    """How well a higher score tells positives from negatives, both (models, examples).

    paired: the columns of both are the same examples.
    """

    rng, found = np.random.default_rng(check_seed(seed)), []
    for _ in range(RESAMPLES):
        columns = rng.integers(positive.shape[1], size=positive.shape[1])
        others = rng.integers(negative.shape[1], size=negative.shape[1])
        parts = ((positive, columns), (negative, columns if paired else others))
        found.append(
            rates(*(v[rng.integers(len(v), size=len(v))][:, chosen] for v, chosen in parts))
        )
    tail = (1 - COVERAGE) / 2
    low, high = np.quantile(found, [tail, 1 - tail], axis=0)
    least = -np.log(tail) / min(*positive.shape, *negative.shape)  # the rule of three
    same = low == high  # as where all are told apart: what was never seen may still happen
    low, high = np.where(same, (low - least, high + least), (low, high)).clip(0.0, 1.0)
    values = rates(positive, negative)
    return Attack(*(Interval(*map(float, one)) for one in zip(values, low, high, strict=True)))


@takes(positive=real_array, negative=real_array)
def rates(positive, negative):
    """How well a higher score tells positives from negatives.

    Area under the ROC curve, and the share of true positives at a share of at most
    `FALSE_POSITIVES` false ones. positive, negative: scores, in any shape.
    """
    positive, negative = np.ravel(positive), np.ravel(negative)
    if not positive.size or not negative.size:
        raise ValueError("give one or more positive and negative scores")
    ranks = stats.rankdata(np.concatenate([positive, negative]))[: len(positive)]
    above = ranks.sum() - len(positive) * (len(positive) + 1) / 2  # pairs in the right order
    allowed = int(FALSE_POSITIVES * len(negative))
    threshold = np.partition(negative, -1 - allowed)[-1 - allowed]
    return above / len(positive) / len(negative), np.mean(positive > threshold)


def _pair(first, second, infinite=False):
    first, second = (_numbers(values, "margins", infinite) for values in (first, second))
    if first.shape[1] != second.shape[1]:
        raise ValueError(
            f"margins of {first.shape[1]} and of {second.shape[1]} examples: give both for the "
            "same examples, shape (models, examples)"
        )
    return first, second


def _numbers(values, name, infinite=False):
    values = real_array(values, name, finite=False)
    if values.ndim != 2 or 0 in values.shape:
        raise ValueError(f"{name} must have shape (models, examples), not {values.shape}")
    wrong = np.isnan(values) if infinite else ~(np.abs(values) <= LARGEST)
    if np.any(wrong):
        raise ValueError(
            f"{name} of {np.count_nonzero(wrong.any(axis=1))} of {len(values)} models are NaN, or "
            f"infinite, or above {LARGEST:g}: these diverged, and no distance to them is "
            "meaningful. Report them as diverged"
        )
    return values
