"""How sure the scores of a method are, and what is scored by methods that know nothing.

`uncertain` gives scores with 90% intervals. They are of the bootstrap that draws deletions and
outputs anew, each with replacement and apart from the other (Owen 2007, The pigeonhole bootstrap):
every output is asked after the same deletions, so that their errors are not independent. From 5%
to 95% of the draws. Where all noise is of single entries it errs to the wide side; with few outputs
it is too narrow, as so few hide how outputs differ. In simulations with effects of deletions and of
outputs the 90% interval of the bias held it in 88% of tries for 30 deletions and 20 outputs, 85%
for 20 and 8, 68% for 20 and 2; those of LDS and RMSE, for 20 and 8, in 98% and 89%. Of fewer than
eight outputs or deletions the interval is infinite: not known.

`shuffled` scores random orders of the truth, `floor` retrainings from other initial parameters.
"""

import numpy as np

from ..checks import check_count
from ..estimation.prediction import COVERAGE

FEWEST_DELETIONS, FEWEST_OUTPUTS = 8, 8  # for an interval
FEWEST_RANKED = 3  # deletions whose order means something
DRAWS = 1000
CHUNK = 200_000  # numbers ranked at once
UNKNOWN = [-np.inf, np.inf]
TAILS = [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2]


def uncertain(truth, value, now, *, draws=DRAWS, seed=0):
    """Scores of predictions with their 90% intervals: a dictionary.

    truth, value: what is true and predicted, (points, outputs). now: the outputs with nothing
    deleted, (outputs,). seed: of the draws, the same for all methods that are to be compared.

    "bias": mean of predicted - true, in the output's unit. "scale": slope of the true on the
    predicted change since `now`, by least squares through the origin, over deletions and outputs
    together: 1 is right, above 1 the changes are predicted too small; not there if no change is
    predicted. "rmse_band", "lds_band", "bias_band", "scale_band": [low, high]. That of the LDS is
    there if it has a value, and not known if every prediction is constant: such a method ranks
    nothing. ValueError for arrays that do not fit.
    """
    truth, value, now = (np.asarray(part, float) for part in (truth, value, now))
    if truth.ndim != 2 or value.shape != truth.shape or now.shape != truth.shape[1:]:
        raise ValueError(
            "truth and value must be of one shape (points, outputs), and now (outputs,), not "
            f"{truth.shape}, {value.shape} and {now.shape}"
        )
    rng, draws = np.random.default_rng(seed), check_count(draws, "draws")
    points, outputs = truth.shape
    found = _drawn(truth, value, now, np.arange(points)[None], np.arange(outputs)[None])
    size = max(1, CHUNK // truth.size)
    few = points < FEWEST_DELETIONS or outputs < FEWEST_OUTPUTS
    parts = []
    for start in range(0, 0 if few else draws, size):
        many = min(size, draws - start)
        rows = rng.integers(0, points, (many, points))
        parts.append(_drawn(truth, value, now, rows, rng.integers(0, outputs, (many, outputs))))
    scores = {name: float(found[name][0]) for name in ("bias", "scale")}
    scores = {name: number for name, number in scores.items() if np.isfinite(number)}
    for name, numbers in found.items():
        if np.isfinite(numbers[0]):
            unranked = name == "lds" and not np.any(np.ptp(value, axis=0))
            drawn = [] if few or unranked else np.concatenate([part[name] for part in parts])
            scores[f"{name}_band"] = band(drawn)
    return scores


def band(drawn):
    """[low, high], the 5% and 95% quantiles of those draws that have a value; infinite of none."""
    drawn = np.asarray(drawn, float)
    drawn = drawn[np.isfinite(drawn)]
    return np.quantile(drawn, TAILS).tolist() if len(drawn) else list(UNKNOWN)


def shuffled(truth, *, draws=DRAWS, seed=0):
    """Scores of random rankings: the mean, and the band that holds 90% of them.

    truth: (points, outputs). A draw predicts the truths of other deletions, in one random order
    for all outputs: outputs that rise and fall together stay so, as they do for a real method.
    """
    truth, rng = np.asarray(truth, float), np.random.default_rng(seed)
    orders = [rng.permutation(len(truth)) for _ in range(check_count(draws, "draws"))]
    return _summary([_errors(truth, truth[order]) for order in orders], band)


def floor(truth, others):
    """Scores of retrainings by other runs: the mean, "rmse_sd", "lds_sd" and "runs".

    truth: (points, outputs). others: such arrays, one of each other run. sd: the standard deviation
    over runs, that of one run rather than of the mean; infinite if there is only one.
    """
    found = _summary([_errors(truth, one) for one in others], _spread, "sd")
    return {**found, "runs": len(others)}


def _spread(numbers):
    return float(np.std(numbers, ddof=1)) if len(numbers) > 1 else np.inf


def _summary(each, spread, word="band"):
    found = {}
    for name in ("rmse", "lds"):
        numbers = [one[name] for one in each if np.isfinite(one[name])]
        if numbers:
            found[name] = float(np.mean(numbers))
            found[f"{name}_{word}"] = spread(numbers)
    return found


def _errors(truth, value):
    rows, columns = (np.arange(n)[None] for n in np.shape(truth))
    found = _drawn(truth, value, np.zeros(len(columns[0])), rows, columns)
    return {name: float(found[name][0]) for name in ("rmse", "lds")}


def _drawn(truth, value, now, rows, columns):
    """The scores of every draw, (draws,): deletions rows, (draws, points), outputs columns."""
    at = rows[:, :, None], columns[:, None, :]
    t, p, n = truth[at], value[at], now[columns][:, None, :]
    off, size = p - t, np.sum((p - n) ** 2, axis=(1, 2))
    slope = np.sum((p - n) * (t - n), axis=(1, 2))
    return {
        "rmse": np.sqrt(np.mean(off**2, axis=(1, 2))),
        "lds": rank_correlations(t, p),
        "bias": np.mean(off, axis=(1, 2)),
        "scale": np.divide(slope, size, out=np.full(len(t), np.nan), where=size > 0),
    }


def rank_correlations(t, p):
    """Spearman's, the mean over outputs, (draws,), of arrays (draws, points, outputs).

    Outputs whose truth t is constant are left out, those predicted as constant count 0; nan for too
    few points, and where no output is left.
    """
    from scipy import stats  # slow to import

    if t.shape[1] < FEWEST_RANKED:
        return np.full(len(t), np.nan)
    t, p = (stats.rankdata(part, axis=1) - (t.shape[1] + 1) / 2 for part in (t, p))
    a, b = np.sum(t * t, axis=1), np.sum(p * p, axis=1)
    rho = np.divide(np.sum(t * p, axis=1), np.sqrt(a * b), out=np.zeros_like(a), where=a * b > 0)
    known = np.sum(a > 0, axis=1)
    return np.divide(rho.sum(axis=1), known, out=np.full(len(t), np.nan), where=known > 0)
