"""A method's models beside retrained ones and the originals, every measure with its null band.

The null band is what a measure is between sets of retrained models: 5th to 95th percentile over
random splits of those of both sets of seeds. Of a distance, and of LiRA, it is measured as the
distance is. The loss attack has no second set of models in it: its band lies around what the
oracles score, as far as halves of them differ from each other in 90% of the splits.
"""

import numpy as np

from ..unlearning import metrics
from ..unlearning.bench import DISTANCES, PARTS, WIDE

ATTACKS = ("loss_attack", "lira")
RATES = ("auc", "tpr")
MODELS = ("method", "nothing", "retrained")
KEPT = ("cost", "steps", "moved", "diverged", "losses", "verification_error")  # of `Bench.scores`


def judged(bench, models):
    """Scores of a method's models, of doing nothing and of retraining, as JSON values.

    "models": by name in `MODELS`, what `Bench.scores` says besides the measures; the verification
    error of "retrained" is that between models of different seeds, not of the same. "measures": a
    list of "measure", "part", "null" (low, mean, high), and by model "values", "intervals" (of
    attacks), "verdicts" (above, within, below the null, or diverged) and "apart": whether that
    tells them from retrained models. A small distance does not, nor is anything told of models that
    diverged. "false": how often a measure lies above its null for models that were retrained;
    "chance": how many are expected to be apart for these.
    """
    scores = {
        "method": bench.scores(models),
        "nothing": bench.scores(bench.originals),
        "retrained": bench.scores(bench.same),
    }
    errors = metrics.verification_error(bench.same.flat, bench.oracles.flat)
    scores["retrained"]["verification_error"] = (
        float(errors.mean()),
        float(np.std(errors, ddof=1) / np.sqrt(len(errors))),
    )
    measures = [
        compared(scores, name, part, bench.null[part][name], lambda s, n=name, p=part: s[n][p])
        for name in DISTANCES
        for part in PARTS
    ]
    nulls = attack_null(bench)
    for attack in ATTACKS:
        for rate in RATES:
            band = nulls[attack][rate]

            def found(row, attack=attack, rate=rate):
                return getattr(row[attack], rate)

            measures.append(compared(scores, f"{attack}_{rate}", "forget", band, found))
    one, two = outside(bench.splits, 0.95), outside(bench.splits, 0.9)
    chance = len(DISTANCES) * len(PARTS) * one + len(RATES) * (two + 2 * one)
    models = {name: {key: row[key] for key in KEPT if key in row} for name, row in scores.items()}
    return {"models": models, "measures": measures, "chance": chance, "false": one}


def compared(scores, name, part, null, value_of):
    """One measure of some models beside its null: see `judged`.

    scores: what `Bench.scores` says, by model. value_of: a function of it, to a number or an
    `Interval`.
    """
    low, mean, high = null
    found = {"measure": name, "part": part, "null": [low, mean, high]}
    found |= {"values": {}, "intervals": {}, "verdicts": {}, "apart": {}}
    for model, row in scores.items():
        if row["diverged"]:
            value, word = None, "diverged"
        else:
            value = value_of(row)
            if isinstance(value, metrics.Interval):
                found["intervals"][model] = [value.low, value.high]
                value = value.value
            word = "above" if value > high else "below" if value < low else "within"
        told = ("above",) if name in DISTANCES else ("above", "below")
        found["values"][model], found["verdicts"][model] = value, word
        found["apart"][model] = word in told
    return found


def attack_null(bench):
    """Low, mean and high of both rates of both attacks for retrained models, by attack and rate."""
    forget, unseen = (
        np.concatenate([models.losses(bench.parts[part]) for models in (bench.same, bench.oracles)])
        for part in ("forget", "unseen")
    )
    margins = np.concatenate(
        [models.margins(bench.parts["forget"]) for models in (bench.same, bench.oracles)]
    )
    members = bench.originals.margins(bench.parts["forget"])
    half, rng = len(forget) // 2, np.random.default_rng(0)
    apart, ratios = [], []
    for _ in range(bench.splits):
        first, second = np.split(rng.permutation(2 * half), 2)
        one, other = (metrics.rates(-forget[rows], -unseen[rows]) for rows in (first, second))
        apart.append(np.subtract(one, other))
        oracle, tested = margins[second[: half // 2]], margins[second[half // 2 :]]
        scores = (
            metrics.likelihood_ratios(values, members, oracle)
            for values in (margins[first], tested)
        )
        ratios.append(metrics.rates(*scores))
    centre = np.array(metrics.rates(-forget[half:], -unseen[half:]))
    reach = np.percentile(np.abs(apart), WIDE[1] - WIDE[0], axis=0)
    loss = np.clip([centre - reach, centre, centre + reach], 0.0, 1.0)
    low, high = np.percentile(ratios, WIDE, axis=0)
    lira = np.array([low, np.mean(ratios, axis=0), high])
    return {
        name: dict(zip(RATES, bands.T.tolist(), strict=True))
        for name, bands in (("loss_attack", loss), ("lira", lira))
    }


def outside(splits, share):
    """How often one more draw lies above the quantile `share` of as many draws as splits.

    With quantiles interpolated as numpy does, exactly so for a uniform distribution.
    """
    return 1.0 - (share * (splits - 1) + 1.0) / (splits + 1)
