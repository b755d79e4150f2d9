"""What the runs of `unrolling` say: correlations, whether a single gradient helps, the SD loss.

Intervals are 90% bootstrap intervals that resample configurations, since seeds of a configuration
are not independent; where equal rates and steps are compared, all runs of such a cell together.
"""

import numpy as np
from scipy import stats

from sketchlab.estimation.prediction import COVERAGE

UNDONE = {"SGD": "single", "Adam": "fitted"}  # by which multiplier each is judged
ERRORS = ("nothing", "single", "fitted")
PREDICTORS = {
    "derived": "unlearning error as derived",
    "paper": "as in the paper",
    "code": "as in its code",
    "travel": "rate x steps alone",
    "moved": "distance from the start alone",
}
RESAMPLES = 1000
DIGITS = 6  # that are stored


def short(values):
    """Numbers as they are stored."""
    return [float(f"{value:.{DIGITS}g}") for value in values]


def columns(result, optimizer):
    """Measures of an optimizer's runs by name, each (rates x steps, gammas, seeds).

    Verification errors are means over the forget sets. "travel" is rate times steps.
    """
    rows = [row for row in result["configurations"] if row["optimizer"] == optimizer]
    gammas, seeds = len(result["settings"]["gammas"]), result["settings"]["seeds"]
    found = {name: np.mean([row[name] for row in rows], axis=1) for name in ERRORS}
    names = ("derived", "paper", "code", "sigma", "moved", "unseen")
    found |= {name: np.array([row[name] for row in rows]) for name in names}
    found["travel"] = np.repeat([[row["rate"] * row["steps"]] for row in rows], seeds, axis=1)
    return {name: values.reshape(-1, gammas, seeds) for name, values in found.items()}


def interval(statistic, *arrays, seed=0):
    """A statistic of arrays, and its 90% bootstrap interval: [value, low, high].

    statistic: of arrays (samples, values), one number for each sample. Rows, along the first axis
    of all arrays, are resampled together. [value, None, None] where no interval can be given: from
    fewer than 3 rows. Samples without a value (NaN) are left out.
    """
    rows = len(arrays[0])
    value = short(statistic(*(array.reshape(1, -1) for array in arrays)))
    if rows < 3:
        return [*value, None, None]
    chosen = np.random.default_rng(seed).integers(rows, size=(RESAMPLES, rows))
    found = statistic(*(array[chosen].reshape(RESAMPLES, -1) for array in arrays))
    tail = (1 - COVERAGE) / 2
    return value + short(np.nanquantile(found, [tail, 1 - tail]))


def pearson(x, y):
    """Pearson's correlation, (samples,), of (samples, values); NaN where one does not vary."""
    constant = (np.ptp(x, axis=1) == 0) | (np.ptp(y, axis=1) == 0)
    x, y = (values - values.mean(axis=1, keepdims=True) for values in (x, y))
    both = np.sum(x * x, axis=1) * np.sum(y * y, axis=1)
    return np.sum(x * y, axis=1) / np.sqrt(np.where(constant, np.nan, both))


def spearman(x, y):
    """Spearman's correlation: Pearson's of the ranks."""
    return pearson(stats.rankdata(x, axis=1), stats.rankdata(y, axis=1))


def mean(values):
    """The mean of each sample."""
    return np.mean(values, axis=1)


def mean_ratio(logs):
    """The geometric mean of ratios from their logarithms."""
    return np.exp(mean(logs))


def summary(result):
    """All that is told of a result: correlations, single gradients against nothing, the SD loss."""
    return {
        optimizer: {
            "runs": int(columns(result, optimizer)["single"].size),
            "correlations": correlations(columns(result, optimizer), UNDONE[optimizer]),
            "helps": helps(result, optimizer),
            "sd": sd_loss(result, optimizer),
        }
        for optimizer in result["settings"]["rates"]
    }


def correlations(found, error):
    """Of each predictor with a verification error: a dictionary by predictor, then by kind.

    "cell": of logarithms, less the mean of the runs with the same rate and steps; "seeds": less the
    mean of the configuration. None where a predictor does not vary there. "nothing": Spearman's
    with the error of doing nothing; "order": with the unlearning error as derived.
    """
    table = {}
    for name in PREDICTORS:
        x, y = found[name], found[error]
        flat_x, flat_y, nothing, derived = (
            values.reshape(-1, values.shape[-1])  # a row is a configuration
            for values in (x, y, found["nothing"], found["derived"])
        )
        row = {
            "pearson": interval(pearson, flat_x, flat_y),
            "logs": interval(pearson, np.log(flat_x), np.log(flat_y)),
            "spearman": interval(spearman, flat_x, flat_y),
            "nothing": interval(spearman, flat_x, nothing),
            "order": interval(spearman, flat_x, derived),
            "cell": None,
            "seeds": None,
        }
        if name != "travel":
            row["cell"] = interval(pearson, within(x, (1, 2)), within(y, (1, 2)))
            row["seeds"] = interval(pearson, within(x, 2), within(y, 2))
        table[name] = row
    return table


def within(values, axes):
    """Logarithms less their means over some axes."""
    logs = np.log(values)
    return logs - logs.mean(axis=axes, keepdims=True)


def helps(result, optimizer):
    """Verification errors as a share of doing nothing, geometric means: of all, and by rate.

    "crossing": of plain cross-entropy, rate x steps x sigma as far as the single gradient helps:
    the largest where it does, and the smallest where it does not (means over seeds).
    """
    found, rates = columns(result, optimizer), result["settings"]["rates"][optimizer]
    logs = {name: np.log(found[name] / found["nothing"]) for name in ERRORS[1:]}
    table = []
    for rate in [None, *rates]:
        row = {"rate": rate}
        for name, values in logs.items():
            if rate is not None:
                values = values.reshape(len(rates), -1, *values.shape[1:])[rates.index(rate)]
            row[name] = interval(mean_ratio, values.reshape(-1, values.shape[-1]))
        table.append(row)
    curved = (found["travel"] * found["sigma"])[:, 0].mean(axis=1)
    good = logs["single"][:, 0].mean(axis=1) < 0
    ends = max(curved[good], default=None), min(curved[~good], default=None)
    return {"rates": table, "crossing": [end if end is None else short([end])[0] for end in ends]}


def sd_loss(result, optimizer):
    """What each gamma changes, paired by rate, steps and seed, as ratios to gamma 0.

    "unseen": difference of the cross-entropy on names never seen, in nats. "dominated": for how
    many rates and steps another run with gamma 0 has both a lower loss on unseen names and a lower
    verification error, means over seeds.
    """
    found, table = columns(result, optimizer), []
    error, undone = found[UNDONE[optimizer]].mean(axis=2), UNDONE[optimizer]
    loss = found["unseen"].mean(axis=2)
    for k, gamma in enumerate(result["settings"]["gammas"]):
        below = (error[None, :, 0] < error[:, None, k]) & (loss[None, :, 0] < loss[:, None, k])
        row = {"gamma": gamma, "dominated": int(below.any(axis=1).sum()), "of": len(error)}
        if k:
            for name in ("derived", "sigma", "moved", "nothing", undone):
                logs = np.log(found[name][:, k] / found[name][:, 0])
                row["undone" if name == undone else name] = interval(mean_ratio, logs)
            row["unseen"] = interval(mean, found["unseen"][:, k] - found["unseen"][:, 0])
        table.append(row)
    return table


def markdown(result):
    """All tables, as Markdown."""
    found = result["summary"]
    lines = [
        "| optimizer | predictor | Pearson | of logarithms | Spearman | equal rate and steps "
        "| equal but for the seed | Spearman with doing nothing | with the derived |",
        "|---|---|" + "---:|" * 7,
    ]
    kinds = ("pearson", "logs", "spearman", "cell", "seeds", "nothing", "order")
    for optimizer, part in found.items():
        for name, row in part["correlations"].items():
            cells = [optimizer, PREDICTORS[name], *(_cell(row[kind]) for kind in kinds)]
            lines.append("| " + " | ".join(cells) + " |")
    lines += [
        "",
        "| optimizer | rate | single gradient / nothing | with a fitted multiplier / nothing |",
        "|---|---:|---:|---:|",
    ]
    for optimizer, part in found.items():
        for row in part["helps"]["rates"]:
            rate = "all" if row["rate"] is None else f"{row['rate']:g}"
            cells = [optimizer, rate, _cell(row["single"]), _cell(row["fitted"])]
            lines.append("| " + " | ".join(cells) + " |")
    lines += [
        "",
        "| optimizer | gamma | unlearning error | sigma | distance from the start "
        "| verification error | of doing nothing | loss on unseen names, nats | dominated |",
        "|---|---:|" + "---:|" * 7,
    ]
    kinds = ("derived", "sigma", "moved", "undone", "nothing", "unseen")
    for optimizer, part in found.items():
        for row in part["sd"]:
            cells = [optimizer, f"{row['gamma']:g}", *(_cell(row.get(kind)) for kind in kinds)]
            lines.append("| " + " | ".join([*cells, f"{row['dominated']} of {row['of']}"]) + " |")
    return "\n".join(lines)


def _cell(found):
    """A number and its interval; nothing for None."""
    if found is None:
        return ""
    value, low, high = found
    return f"{value:.2f}" + ("" if low is None else f" ({low:.2f} to {high:.2f})")
