"""What does an exact deletion from clusters cost as the data set grows? Quantized k-means.

    python benchmarks/forgetting.py --result forgetting.json
    python benchmarks/forgetting.py --table forgetting.json

Points around ten centres in three dimensions, standard deviation 1 around each, lattice width 1.
From every data set random points are deleted one after the other; what is not certified is
clustered again, and counts. Operations are distances and roundings of one point or centroid. Beside
it is clustering from scratch, what every deletion would cost without certificates. In brackets: 90%
intervals, for deletions taken as independent of each other.
"""

import argparse
import json
import time

import numpy as np
from scipy import stats
from threadpoolctl import threadpool_limits

from sketchlab.incontext import QuantizedKMeans
from sketchlab.progress import progress_bar

SIZES = (100, 316, 1000, 3162, 10_000, 31_623, 100_000, 316_228, 1_000_000)
SEEDS = 10
DELETIONS = 30  # for each seed
CLUSTERS, COLUMNS, WIDTH = 10, 3, 1.0


def points(n, seed):
    """Points around ten centres, (n, COLUMNS)."""
    rng = np.random.default_rng(seed)
    centres = 10.0 * rng.normal(size=(CLUSTERS, COLUMNS))
    return centres[rng.integers(CLUSTERS, size=n)] + rng.normal(size=(n, COLUMNS))


def measured(n, seeds, deletions):
    """Means over deletions of one size: operations and seconds, of deleting and from scratch."""
    rows = []
    for seed in range(seeds):
        X, made = points(n, seed), QuantizedKMeans(CLUSTERS, WIDTH, seed=seed)
        start = time.perf_counter()
        made.fit(X)
        fit = made.operations, time.perf_counter() - start
        chosen = np.random.default_rng((seed, n)).choice(n, deletions, replace=False)
        start = time.perf_counter()
        answers = [made.forget(number).certified for number in chosen]
        seconds = time.perf_counter() - start
        spent = (made.operations - fit[0]) / deletions, seconds / deletions
        rows.append([*spent, *fit, np.mean(answers)])
    names = ("operations", "seconds", "operations of fit", "seconds of fit", "certified")
    found = dict(zip(names, np.mean(rows, axis=0).tolist(), strict=True))
    return {"points": n, "deletions": seeds * deletions, **found}


def certified(row):
    """The share of certified deletions, and its interval."""
    count = round(row["certified"] * row["deletions"])
    low, high = stats.binomtest(count, row["deletions"]).proportion_ci(0.9)
    return row["certified"], low, high


def slope(rows, name):
    """The power of n that a cost grows with: slope of logarithms and its 90% interval."""
    x, y = (np.log([row[key] for row in rows]) for key in ("points", name))
    fit = stats.linregress(x, y)
    reach = stats.t.ppf(0.95, len(rows) - 2) * fit.stderr
    return fit.slope, fit.slope - reach, fit.slope + reach


def markdown(result):
    """Costs by size, and the powers that they grow with, as Markdown."""
    lines = [
        "| points | certified | operations of a deletion | from scratch | seconds of a deletion "
        "| from scratch |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    for row in result["rows"]:
        share, low, high = certified(row)
        most, least = ((share - end) * row["operations of fit"] for end in (low, high))
        lines.append(
            f"| {row['points']:,} | {share:.1%} ({low:.1%} to {high:.1%}) "
            f"| {row['operations']:,.0f} ({max(0, row['operations'] + least):,.0f} to "
            f"{row['operations'] + most:,.0f}) | {row['operations of fit']:,.0f} "
            f"| {row['seconds']:.5f} | {row['seconds of fit']:.4f} |"
        )
    powers = []
    for name in ("operations", "operations of fit", "seconds", "seconds of fit"):
        value, low, high = slope(result["rows"], name)
        powers.append(f"{value:.2f} ({low:.2f} to {high:.2f})")
    lines.append(f"| power of n | | {' | '.join(powers)} |")
    return "\n".join(lines)


def main(arguments=None):
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--result", help="write the numbers here, as JSON")
    parser.add_argument("--table", help="only print the table of this result")
    parser.add_argument("--quick", action="store_true", help="a toy run that tests this program")
    options = parser.parse_args(arguments)
    if options.table:
        with open(options.table, encoding="utf-8") as file:
            return print(markdown(json.load(file)))
    sizes, seeds, deletions = (SIZES[:4], 3, 5) if options.quick else (SIZES, SEEDS, DELETIONS)
    result = {"settings": {"seeds": seeds, "deletions": deletions}, "rows": []}
    with threadpool_limits(1), progress_bar(len(sizes), True, unit="size") as bar:
        for n in sizes:
            result["rows"].append(measured(n, seeds, deletions))
            bar.update()
    if options.result:
        with open(options.result, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=1)
    return print(markdown(result))


if __name__ == "__main__":
    main()
