"""Does metasmoothness, or the stability profile, tell where exact first order works?

    python benchmarks/smoothness.py --result smoothness.json
    python benchmarks/smoothness.py --table smoothness.json

microgpt on embedded names, one setting at a time changed: the activation, Adam's eps (inside the
root) and learning rate on a grid, then width, layers, passes and schedule. What readers care about:
exact first order beside exact retraining after random deletions of 5% of the names, losses on names
that were not trained on; its error relative to the size of the change, and LDS, with 90% intervals
of a bootstrap over deletions and outputs. What is to tell it, from other deletions:

metasmoothness   of the parameters (Engstrom et al. 2025, arXiv 2503.13751), along random deletions
                 with h = 1/2 (nothing, half, all deleted), and along Gaussian directions, h = 0.1
second difference of the outputs between these three, as the error of first order that it would be
                 if the curve were a parabola, relative to the size of the change
growth           of the Taylor forms |F_r| from degree 1 to 6, per degree, by jets along random
                 complex directions (notebook 07)
second term      over the first, by jets along these random deletions

Then Spearman's correlation of each with the error, over settings; its 90% intervals resample the
settings. What a setting is was chosen by hand: the intervals say how few they are, no more.
"""

import argparse
import json
import time

import numpy as np

import sketchlab as sl
from sketchlab.attribution import first_order, metasmoothness, random_deletions, retrained
from sketchlab.attribution.uncertainty import FEWEST_RANKED, band, rank_correlations, uncertain
from sketchlab.estimation.directions import sphere, symmetric_dimension
from sketchlab.progress import progress_bar

FULL = {
    "names": 300,
    "outputs": 8,
    "removed": 15,
    "deletions": 40,
    "directions": 20,
    "jets": 12,
    "degree": 6,
    "h": {"deletions": 0.5, "gaussian": 0.1},
}
TOY = {**FULL, "names": 40, "outputs": 8, "removed": 2, "deletions": 8, "directions": 3, "jets": 3}
LETTERS = "abcdefghijklmnopqrstuvwxyz"
EPS, RATES = (1e-3, 1e-6, 1e-8), (0.003, 0.01, 0.03)
NAMES = {"gelu": "GELU", "relu": "ReLU"}
INDICES = {  # key: name in the table, and which way it points to a larger error
    "deletions": ("metasmoothness, deletions", -1),
    "gaussian": ("metasmoothness, Gaussian", -1),
    "difference": ("second difference", 1),
    "growth": ("growth per degree", 1),
    "second": ("second over first term", 1),
}
DRAWS, DRAWS_OF_ROWS = 500, 2000  # of deletions and outputs, and of settings


def configurations(quick=False):
    """Settings of `sl.train` by name, "passes" beside them."""
    found = {}
    for activation in NAMES:
        for eps in EPS:
            for rate in RATES:
                name = f"{NAMES[activation]}, eps 1e{np.log10(eps):.0f}, rate {rate:g}"
                adam = {"eps": eps, "learning_rate": rate}
                found[name] = {"activation": activation, "adam": adam}
    if quick:
        return dict(list(found.items())[:3])
    return {
        **found,
        "GELU, rate 0.05": {"adam": {"learning_rate": 0.05}},
        "GELU, constant rate": {"adam": {"schedule": "constant"}},
        "GELU, width 8": {"width": 8},
        "GELU, width 32": {"width": 32},
        "GELU, 2 layers": {"layers": 2},
        "GELU, 3 passes": {"passes": 3},
    }


def trained(settings, sizes):
    """The run of one setting."""
    settings = dict(settings)
    adam, passes = sl.Adam(**settings.pop("adam", {})), settings.pop("passes", 1)
    docs = sl.names.load()[: sizes["names"]]
    steps = passes * len(docs)
    return sl.train(docs, steps, vocabulary=LETTERS, optimizer=adam, progress=False, **settings)


def measured(settings, sizes):
    """Everything about one setting, as JSON values."""
    began, n = time.perf_counter(), sizes["names"]
    run = trained(settings, sizes)
    outputs = [sl.LossOn(doc) for doc in sl.names.load()[n : n + sizes["outputs"]]]
    rng = np.random.default_rng(0)
    known = retrained(run, outputs, drawn(rng, sizes["deletions"], sizes), progress=False)
    truth = np.stack([one.values for one in known], axis=-1)
    now = np.array([one.now for one in known])
    planes = first_order(run, outputs, progress=False)
    value = np.stack([one.predict(known[0].deletions).value for one in planes], axis=-1)
    effect = root(truth - now)
    x = drawn(rng, sizes["directions"], sizes)
    h = sizes["h"]
    smooth = metasmoothness(run, x, h["deletions"], outputs=outputs, progress=False)
    gauss = rng.normal(size=(sizes["directions"], n))
    gauss = metasmoothness(run, gauss, h["gaussian"], outputs=outputs, progress=False)
    forms = coefficients(run, outputs, sphere(n, sizes["jets"]), sizes["degree"])
    terms = coefficients(run, outputs, x, 2)
    row = {
        "loss": float(np.mean(now)),
        "effect": effect,
        "error": interval(truth - now, truth - value, ratio),
        "lds": [float(rank_correlations(truth[None], value[None])[0])]
        + uncertain(truth, value, now)["lds_band"],
        "deletions": [smooth.mean, *smooth.interval],
        "gaussian": [gauss.mean, *gauss.interval],
        "of outputs": {
            "deletions": float(np.mean(smooth.output_scores)),
            "gaussian": float(np.mean(gauss.output_scores)),
        },
        "difference": interval(smooth.changes, smooth.second_differences / 2, ratio),
        "forms": norms(forms, n).tolist(),
        "growth": interval(forms.T, forms.T, lambda a, _: growth(a.T, n)),
        "second": interval(terms[1].T, terms[2].T, ratio),
    }
    return {**rounded(row), "seconds": round(time.perf_counter() - began, 1)}


def drawn(rng, count, sizes):
    """Random deletions of the size that is asked about, (count, n)."""
    return random_deletions(sizes["names"], [sizes["removed"]] * count, rng)


def coefficients(run, outputs, directions, degree):
    """Taylor coefficients of the outputs along directions, (degree + 1, outputs, directions)."""
    model = run.push(directions, degree, progress=False)
    return np.stack([output(model).coefficients for output in outputs], axis=1)


def norms(forms, n):
    """The size of the Taylor forms of each degree, root mean square over directions and outputs."""
    sizes = symmetric_dimension(n, np.arange(len(forms)))
    return np.sqrt(sizes * np.mean(np.abs(forms) ** 2, axis=(1, 2)))


def growth(forms, n):
    """The factor per degree by which they grow, from degree 1 to the last."""
    found = norms(forms, n)
    return (found[-1] / found[1]) ** (1 / (len(found) - 2))


def root(values):
    """The root mean square of all numbers."""
    return float(np.sqrt(np.mean(np.abs(values) ** 2)))


def ratio(size, error):
    """Root mean square of an error over that of a size."""
    return root(error) / root(size)


def interval(first, second, function):
    """A function of two arrays (deletions, outputs, ...), and its 90% interval by the bootstrap
    that draws deletions and outputs anew.
    """
    rng, found = np.random.default_rng(0), []
    for _ in range(DRAWS):
        rows, columns = (rng.integers(0, size, size) for size in first.shape[:2])
        found.append(function(first[rows][:, columns], second[rows][:, columns]))
    return [float(function(first, second)), *band(found)]


def rounded(value):
    """The same with four digits."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    return [rounded(one) for one in value] if isinstance(value, list) else float(f"{value:.4g}")


def families(rows):
    """Which settings correlations are over."""
    relu = [row for row in rows if row["setting"].startswith("ReLU")]
    gelu = [row for row in rows if row not in relu]
    works = [row for row in rows if row["error"][0] < 1]
    return {"all": rows, "GELU": gelu, "ReLU": relu, "error below 1": works}


def correlation(rows, index, score="error"):
    """Spearman's correlation of an index with a score over settings, and its 90% interval.

    The sign is turned so that 1 is an index that tells the score without fail.
    """
    x = np.array([row[index][0] for row in rows])
    y = np.array([row[score][0] for row in rows])
    sign = INDICES[index][1] * (-1 if score == "lds" else 1)
    rng = np.random.default_rng(0)
    draws = np.concatenate([[np.arange(len(x))], rng.integers(0, len(x), (DRAWS_OF_ROWS, len(x)))])
    found = sign * rank_correlations(y[draws][..., None], x[draws][..., None])
    return [float(found[0]), *band(found[1:])]


def correlations(rows):
    """Those of all indices, by family of settings; families of fewer than three have none."""
    return {
        name: {index: rounded(correlation(part, index)) for index in INDICES}
        for name, part in families(rows).items()
        if len(part) >= FEWEST_RANKED
    }


def markdown(result):
    """Both tables."""
    rows = result["rows"]
    lines = [
        f"| setting | error of first order | LDS | {' | '.join(n for n, _ in INDICES.values())} |",
        "|---|" + "---:|" * (2 + len(INDICES)),
    ]
    for row in sorted(rows, key=lambda row: row["error"][0]):
        cells = [shown(row[key]) for key in ("error", "lds", *INDICES)]
        lines.append(f"| {row['setting']} | {' | '.join(cells)} |")
    lines += ["", "| rank correlation with the error of first order | "]
    parts = {name: families(rows)[name] for name in result["correlations"]}
    lines[-1] += " | ".join(f"{name}: {len(part)} settings" for name, part in parts.items()) + " |"
    lines.append("|---|" + "---:|" * len(parts))
    for index, (name, _) in INDICES.items():
        cells = [shown(found[index]) for found in result["correlations"].values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def shown(three):
    """A value with its interval; large ones without decimals."""
    value, low, high = (f"{one:.2f}" if abs(one) < 10 else f"{one:,.0f}" for one in three)
    return f"{value} ({low} to {high})"


def main(arguments=None):
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--result", help="write the numbers here, as JSON")
    parser.add_argument("--table", help="only print the tables of this result")
    parser.add_argument("--quick", action="store_true", help="a toy run that tests this program")
    options = parser.parse_args(arguments)
    if options.table:
        with open(options.table, encoding="utf-8") as file:
            return print(markdown(json.load(file)))
    sizes, tasks = TOY if options.quick else FULL, configurations(options.quick)
    result = {"settings": sizes, "rows": []}
    with progress_bar(len(tasks), True, unit="setting") as bar:
        for name, settings in tasks.items():
            result["rows"].append({"setting": name, **measured(settings, sizes)})
            bar.update()
    result["correlations"] = correlations(result["rows"])
    if options.result:
        with open(options.result, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=1)
    return print(markdown(result))


if __name__ == "__main__":
    main()
