"""How far are influence and Newton steps from refitting, on logistic regression?

    python benchmarks/newton.py --result newton.json
    python benchmarks/newton.py --table newton.json

Rows are Gaussian, in d columns; labels are drawn from a logistic model whose parameters are a
random direction of length 1; there is no penalty. k rows drawn at random are deleted. Rubinstein
and Hopkins (2025, arXiv 2512.12572) give, up to logarithms, the mean distance of the group Newton
step from refitting, k d / n^2, and from influence, (k + d) sqrt(k d) / n^2. Their powers are fitted
to logarithms of the mean distance, a mean over some deletions of one data set, once for each seed;
in brackets: 90% intervals of the mean over the seeds, which are independent of each other.

Then the breast cancer table of scikit-learn, standardised, with a column of ones and penalty 1:
400 rows to train on, and the mean loss on the others as output. Errors are root mean squares over
random deletions, relative to that of the change; in brackets: 90% intervals over the deletions.
"""

import argparse
import json

import numpy as np
from scipy import special, stats
from threadpoolctl import threadpool_limits

from sketchlab.attribution import ConvexFit, random_deletions
from sketchlab.progress import progress_bar

SIZES = (200, 400, 800, 1600, 3200, 6400, 12_800)
COLUMNS = (5, 10, 20, 40)
REMOVED = (1, 3, 10, 32, 100, 320, 1000)  # those up to n / MOST
MOST = 10
SEEDS, DELETIONS = 10, 8
FAR = (40, 160)  # the farther cells: n is at least so many times d, and k
FIELDS = ("n", "d", "k", "seed", "nothing", "influence", "singles", "group", "apart")
METHODS = ("influence", "singles", "group")
NAMES = {
    "nothing": "no change",
    "influence": "influence",
    "singles": "sum of single Newton steps",
    "group": "group Newton step",
}
LAWS = {  # what is fitted, on what, and the powers that are published
    "group": ("group Newton step from refitting", ("n", "k", "d"), (-2.0, 1.0, 1.0)),
    "apart": ("group Newton step from influence", ("n", "k + d", "k d"), (-2.0, 1.0, 0.5)),
}
CANCER = {"removed": (1, 5, 20, 50), "train": 400, "deletions": 200, "penalty": 1.0}


def data(n, d, seed):
    """Gaussian rows, (n, d), and labels from a logistic model, (n,)."""
    rng = np.random.default_rng((seed, n, d))
    direction = rng.normal(size=d)
    rows = rng.normal(size=(n, d))
    chance = special.expit(rows @ direction / np.linalg.norm(direction))
    return rows, 1 * (rng.uniform(size=n) < chance)


def distances(n, d, seed, deletions):
    """Mean distances of one data set: FIELDS, one row for each k."""
    fit = ConvexFit(*data(n, d, seed), 0.0)
    for k in [k for k in REMOVED if k <= n / MOST]:
        x = random_deletions(n, [k] * deletions, np.random.default_rng((seed, n, d, k)))
        true = fit.after(x)
        found = {by: fit.after(x, by=by) for by in METHODS}
        means = {by: mean_length(w - true) for by, w in found.items()}
        means["nothing"] = mean_length(fit.parameters - true)
        means["apart"] = mean_length(found["group"] - found["influence"])
        row = {"n": n, "d": d, "k": k, "seed": seed, **means}
        yield [row[name] for name in FIELDS]


def mean_length(rows):
    """The mean Euclidean norm of rows, to five digits."""
    return float(f"{np.mean(lengths(rows)):.5g}")


def sides(rows):
    """The numbers that powers are of, by name, each (cells,)."""
    n, k, d = (np.array([row[name] for row in rows], float) for name in ("n", "k", "d"))
    return {"n": n, "k": k, "d": d, "k + d": k + d, "k d": k * d}


def law(rows, name):
    """What is published for the cells, without its constant, (cells,)."""
    known = sides(rows)
    return np.prod([known[s] ** p for s, p in zip(*LAWS[name][1:], strict=True)], axis=0)


def powers(rows, name):
    """The fitted powers: a mean over seeds and its 90% interval for each, (3, powers)."""
    found = []
    for seed in sorted({row["seed"] for row in rows}):
        own = [row for row in rows if row["seed"] == seed]
        known = sides(own)
        columns = [np.log(known[side]) for side in LAWS[name][1]] + [np.ones(len(own))]
        y = np.log([row[name] for row in own])
        found.append(np.linalg.lstsq(np.stack(columns, axis=-1), y)[0][:-1])
    reach = stats.t.ppf(0.95, len(found) - 1) * stats.sem(found)
    return np.mean(found, axis=0) + np.array([np.zeros_like(reach), -reach, reach])


def parts(rows):
    """The cells that laws are fitted on: all, and those with more rows."""
    found = {"all": rows}
    for times in FAR:
        far = [row for row in rows if row["n"] >= times * max(row["k"], row["d"])]
        found[f"n ≥ {times} d and {times} k"] = far
    return found


def ratios(rows, name):
    """Measured over published, the mean over seeds: least and largest of all cells."""
    cells = {}
    for row, expected in zip(rows, law(rows, name), strict=True):
        cells.setdefault((row["n"], row["k"], row["d"]), []).append(row[name] / expected)
    means = [np.mean(found) for found in cells.values()]
    return min(means), max(means)


def cancer(settings):
    """Errors of the methods on the breast cancer table, one row for each k and method."""
    from sklearn.datasets import load_breast_cancer

    rows, y = load_breast_cancer(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(rows))
    train, rest = order[: settings["train"]], order[settings["train"] :]
    rows = (rows - rows[train].mean(axis=0)) / rows[train].std(axis=0)
    rows = np.column_stack([rows, np.ones(len(rows))])
    fit = ConvexFit(rows[train], y[train], settings["penalty"])
    loss = fit.loss_on(rows[rest], y[rest])
    for k in settings["removed"]:
        x = random_deletions(len(train), [k] * settings["deletions"], np.random.default_rng(k))
        true, now = fit.after(x), loss(fit.parameters)
        after = fit.output(loss, "refit").predict(x).value
        size = {"parameters": lengths(fit.parameters - true), "loss": after - now}
        yield {"k": k, "method": "nothing", **{n: root(v) for n, v in size.items()}}
        for by in METHODS:
            value = fit.output(loss, by).predict(x).value
            error = {"parameters": lengths(fit.after(x, by=by) - true), "loss": value - after}
            yield {"k": k, "method": by, **{n: relative(v, size[n]) for n, v in error.items()}}


def relative(error, size):
    """Root mean square of an error over that of a size, and a 90% interval of it.

    The interval resamples the deletions, which are taken as independent.
    """
    drawn = np.random.default_rng(0).integers(len(error), size=(2000, len(error)))
    found = [root(error[rows]) / root(size[rows]) for rows in drawn]
    ends = (root(error) / root(size), *np.quantile(found, [0.05, 0.95]))
    return [float(f"{value:.4g}") for value in ends]


def lengths(rows):
    """Euclidean norms, (points,)."""
    return np.linalg.norm(rows, axis=-1)


def root(values):
    """The root mean square."""
    return float(np.sqrt(np.mean(np.square(values))))


def laws_table(result):
    """Fitted powers beside the published ones, as Markdown."""
    lines = [
        "| distance of | cells | powers of | published | fitted | inside | measured / published |",
        "|---|---|---|---|---|---|---:|",
    ]
    cells = [dict(zip(FIELDS, row, strict=True)) for row in result["rows"]]
    for name, (title, of, published) in LAWS.items():
        for part, rows in parts(cells).items():
            value, low, high = powers(rows, name)
            fitted = ", ".join(
                f"{v:.3f} ({a:.3f} to {b:.3f})" for v, a, b in zip(value, low, high, strict=True)
            )
            holds = ", ".join(
                "yes" if a <= p <= b else "no" for p, a, b in zip(published, low, high, strict=True)
            )
            least, most = ratios(rows, name)
            known = ", ".join(f"{p:g}" for p in published)
            lines.append(
                f"| {title} | {part} | {', '.join(of)} | {known} | {fitted} | {holds} "
                f"| {least:.2f} to {most:.2f} |"
            )
    return "\n".join(lines)


def cancer_table(result):
    """Errors relative to the change, of parameters and of the loss, as Markdown."""
    rows = result["cancer"]
    removed = sorted({row["k"] for row in rows})
    lines = [
        "| relative error | " + " | ".join(f"{k} deleted" for k in removed) + " |",
        "|---|" + "---:|" * len(removed),
    ]
    for part in ("parameters", "loss"):
        for method, name in NAMES.items():
            if method == "nothing":
                name = "size of the change" + (", nats" if part == "loss" else "")
            cells = {row["k"]: row[part] for row in rows if row["method"] == method}
            if method == "nothing":
                shown = [f"{size:.4f}" for size in cells.values()]
            else:
                shown = [f"{v:.1%} ({a:.1%} to {b:.1%})" for v, a, b in cells.values()]
            lines.append(f"| {part}: {name} | {' | '.join(shown)} |")
    return "\n".join(lines)


def markdown(result):
    """Both tables."""
    return f"{laws_table(result)}\n\n{cancer_table(result)}"


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
    sizes, columns, seeds, deletions = SIZES, COLUMNS, SEEDS, DELETIONS
    settings = {**CANCER, "removed": list(CANCER["removed"])}
    if options.quick:
        sizes, columns, seeds, deletions = (200, 800, 3200), (5, 10), 2, 2
        settings.update(removed=[1, 5], deletions=5)
    result = {"settings": {"seeds": seeds, "deletions": deletions, "cancer": settings}, "rows": []}
    tasks = [(n, d, seed) for n in sizes for d in columns for seed in range(seeds)]
    with threadpool_limits(1), progress_bar(len(tasks), True, unit="data set") as bar:
        for task in tasks:
            result["rows"].extend(distances(*task, deletions))
            bar.update()
        result["cancer"] = list(cancer(settings))
    if options.result:
        with open(options.result, "w", encoding="utf-8") as file:
            json.dump(result, file)
    return print(markdown(result))


if __name__ == "__main__":
    main()
