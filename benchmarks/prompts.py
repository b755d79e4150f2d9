"""How well does a prompt of clustered examples adapt a model, and what does forgetting cost?

    python benchmarks/prompts.py --result prompts.json --jobs 2
    python benchmarks/prompts.py --table prompts.json

A learner is pre-trained on letters and adapted to scikit-learn's digits, 1,297 to learn from and
500 to be asked about. For every seed all is drawn again: letters, pre-training, digits, clusters,
fine-tuning. The lattice's width comes from the letters alone. Beside ERASE: prompts at random, of
scikit-learn's k-means, of all examples; nearest neighbours; fine-tuning, whole and in ten shards.
Costs are multiplications, counted by what spends them, and seconds; then the same for sets of
digits with noise, of up to a million. In brackets: 90% intervals over seeds. --result is gone on
with if it is there.
"""

import argparse
import json
import os
import time

import joblib
import numpy as np
from forgetting import certified, slope
from scipy import stats
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier
from threadpoolctl import threadpool_limits

from sketchlab.incontext import Erase, FineTuned, letter_images, pretrain, recommended_width
from sketchlab.progress import progress_bar

FULL = {"seeds": 10, "prompts": [10, 20, 30, 50, 100], "steps": 6000, "deletions": 30}
FULL |= {"points": [100, 316, 1000, 3162, 10_000, 31_623, 100_000, 316_228, 1_000_000]}
TOY = {"seeds": 2, "prompts": [10, 20], "steps": 100, "deletions": 3, "points": [100, 316, 1000]}
ASKED, SHARDS, CLUSTERS = 500, 10, 30
RISE = 0.2  # of the loss of k-means: a wide lattice, which hurts a prompt little


def learner_of(seed, steps):
    """A pre-trained learner, and the width of the lattice, from letters."""
    letters = letter_images(seed=seed)
    learner = pretrain(letters, steps=steps, seed=seed, progress=False)
    z = learner.embed(letters.reshape(-1, letters.shape[2])).reshape(*letters.shape[:2], -1)
    spread = float(np.sqrt(np.mean(z.var(axis=1, ddof=1))))
    return learner, recommended_width(spread, rise=RISE)


def accuracy_of(seed, settings):
    """The rows of one seed: name, prompt size, accuracy, and what it costs to ask and to forget."""
    learner, width = learner_of(seed, settings["steps"])
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng((seed, 1)).permutation(len(x))
    asked, known = order[:ASKED], order[ASKED:]
    z, right, rows = learner.embed(x[known]), y[asked], []
    queries, most = learner.embed(x[asked]), len(known)

    def add(name, size, predicted, per_query, forgetting=0.0, seconds=0.0, share=None):
        found = {"name": name, "prompt": size, "accuracy": float(np.mean(predicted == right))}
        found |= {"per query": per_query, "forgetting": forgetting, "seconds": seconds}
        rows.append(found | {"certified": share})

    def prompted(name, numbers):
        classes, found = learner.probabilities(z[numbers], y[known][numbers], queries)
        cost = learner.multiplications + len(numbers) * learner.columns[1]
        add(name, len(numbers), classes[found.argmax(axis=1)], cost)

    def forgotten(made, deletions):
        before, start = made.multiplications, time.perf_counter()
        chosen = np.random.default_rng((seed, 2)).choice(most, deletions, replace=False)
        answers = [made.forget(number) for number in chosen]
        seconds = (time.perf_counter() - start) / deletions
        return (made.multiplications - before) / deletions, seconds, answers

    for size in settings["prompts"]:
        made = Erase(learner, size, width, seed=seed).fit(x[known], y[known])
        predicted, cost = made.predict(x[asked]), made.per_query
        spent, seconds, answers = forgotten(made, settings["deletions"])
        share = float(np.mean([answer.certified for answer in answers]))
        add("ERASE", size, predicted, cost, spent, seconds, share)
        prompted("random prompt", np.random.default_rng((seed, 3)).permutation(most)[:size])
        plain = KMeans(size, n_init=1, random_state=seed).fit(z).cluster_centers_
        far = np.sum((z[:, None] - plain) ** 2, axis=2)
        prompted("k-means prompt", far.argmin(axis=0))
    prompted("all in the prompt", np.arange(most))
    neighbours = KNeighborsClassifier(1).fit(z, y[known])
    cost = learner.multiplications + most * learner.columns[1]
    add("nearest neighbour", most, neighbours.predict(queries), cost)
    for name, shards in (("fine-tuning", 1), (f"fine-tuning in {SHARDS} shards", SHARDS)):
        made = FineTuned(learner, shards=shards, seed=seed).fit(x[known], y[known])
        predicted, cost = made.predict(x[asked]), made.per_query
        add(name, most, predicted, cost, *forgotten(made, 3)[:2])
    return rows


def cost_of(points, settings):
    """What forgetting costs in a set of digits with noise, for each method.

    Fine-tuning forgets by being done again: what one run takes is taken as the cost.
    """
    learner, width = learner_of(0, settings["steps"])
    rng = np.random.default_rng((points, 4))
    x, y = load_digits(return_X_y=True)
    drawn = rng.integers(len(x), size=points)
    x, y = x[drawn] + rng.normal(size=(points, x.shape[1])), y[drawn]
    rows = []

    for name, made, deletions in (
        ("ERASE", Erase(learner, CLUSTERS, width), settings["deletions"]),
        (f"fine-tuning in {SHARDS} shards", FineTuned(learner, shards=SHARDS), 3),
        ("fine-tuning", FineTuned(learner), 0),
    ):
        start = time.perf_counter()
        made.fit(x, y)
        seconds, spent = time.perf_counter() - start, made.multiplications
        row = {"name": name, "points": points, "deletions": deletions, "certified": None}
        row |= {"multiplications of fit": spent, "seconds of fit": seconds}
        if deletions:
            chosen = np.random.default_rng((points, 5)).choice(points, deletions, replace=False)
            start = time.perf_counter()
            answers = [made.forget(number) for number in chosen]
            seconds = (time.perf_counter() - start) / deletions
            spent = (made.multiplications - spent) / deletions
            if name == "ERASE":
                row["clustering"] = row["multiplications of fit"] - points * learner.multiplications
                row["certified"] = float(np.mean([answer.certified for answer in answers]))
        rows.append(row | {"multiplications": spent, "seconds": seconds})
    return rows


def interval(values):
    """The mean and its 90% interval (Student's), a list of three."""
    mean, reach = np.mean(values), stats.sem(values) * stats.t.ppf(0.95, len(values) - 1)
    return [float(mean), float(mean - reach), float(mean + reach)]


def cheapest(methods):
    """Which method is cheapest, from how many questions for each deletion on, in order.

    methods: name -> (multiplications to forget, multiplications to answer).
    """
    at, found = 0.0, []
    while True:
        # Of those that are the cheapest at this number, the one that is so from here on.
        totals = {name: forget + at * ask for name, (forget, ask) in methods.items()}
        least = min(totals.values()) * (1 + 1e-12)
        best = min((n for n in methods if totals[n] <= least), key=lambda n: methods[n][1])
        found.append([at, best])
        forget, ask = methods[best]
        later = [(f - forget) / (ask - a) for f, a in methods.values() if a < ask]
        if not later:
            return found
        at = min(later)


def spread(row):
    """The 90% interval of the mean cost: that of how many deletions are clustered again."""
    share, low, high = certified(row)
    ends = [row["multiplications"] + (share - at) * row["clustering"] for at in (high, low)]
    return [max(0.0, ends[0]), ends[1]]


def summary(result):
    """Means over seeds, intervals, powers of n, and who is cheapest when: what is shown."""
    columns = {}
    for seed in sorted(result["accuracy"], key=int):
        for row in result["accuracy"][seed]:
            columns.setdefault((row["name"], row["prompt"]), []).append(row)
    methods, most = [], max(result["settings"]["prompts"])
    for (name, prompt), rows in columns.items():
        values = {key: [row[key] for row in rows] for key in rows[0]}
        means = {key: float(np.mean(values[key])) for key in ("per query", "forgetting", "seconds")}
        share = None if values["certified"][0] is None else float(np.mean(values["certified"]))
        beside = columns["ERASE", min(prompt, most)]  # of the same size, where there is one
        ours = [row["accuracy"] for row in beside]
        methods.append(
            {"name": name, "prompt": prompt, "accuracy": interval(values["accuracy"])}
            | {"ERASE less it": interval(np.subtract(ours, values["accuracy"]))}
            | {**means, "certified": share}
        )
    adapted = {
        row["name"]: (row["forgetting"], row["per query"])
        for row in methods
        if row["name"] not in ("random prompt", "k-means prompt")  # the last size of ERASE
    }
    sizes, costs = sorted(result["costs"], key=int), {}
    for place, first in enumerate(result["costs"][sizes[0]]):
        rows = [result["costs"][size][place] for size in sizes]
        if first["certified"] is not None:
            rows = [row | {"interval": spread(row)} for row in rows]
            costs[first["name"]] = {"rows": rows, "powers": {}}  # few of 30 are clustered again
            continue
        powers = {key: list(slope(rows, key)) for key in ("multiplications", "seconds")}
        costs[first["name"]] = {"rows": rows, "powers": powers}
    return {"methods": methods, "cheapest": cheapest(adapted), "costs": costs}


def accuracy_table(found):
    """Accuracies and costs on digits, as Markdown."""
    lines = [
        "| method | in the prompt | accuracy | certified | multiplications to forget "
        "| to answer | seconds to forget |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in found["methods"]:
        mean, low, high = row["accuracy"]
        size = "" if "tuning" in row["name"] else f"{row['prompt']:,}"
        share = "" if row["certified"] is None else f"{row['certified']:.0%}"
        costs = f"{row['forgetting']:,.0f} | {row['per query']:,.0f} | {row['seconds']:.5f}"
        if row["name"] in ("random prompt", "k-means prompt"):
            costs = f" | {row['per query']:,.0f} | "  # to forget from them was not tried
        elif not row["forgetting"]:
            costs = f"a row is dropped | {row['per query']:,.0f} | "
        accuracy = f"{mean:.3f} ({low:.3f} to {high:.3f})"
        lines.append(f"| {row['name']} | {size} | {accuracy} | {share} | {costs} |")
    return "\n".join(lines)


def cost_table(found):
    """What forgetting costs by the number of examples, as Markdown, with powers of n."""
    costs = found["costs"]
    heads = " | ".join(f"{name}, multiplications | seconds" for name in costs)
    lines = [
        f"| examples | certified | {heads} |",
        "|---:|---:|" + "---:|---:|" * len(costs),
    ]
    for rows in zip(*(cost["rows"] for cost in costs.values()), strict=True):
        cells = []
        for row in rows:
            cost, ends = f"{row['multiplications']:,.0f}", row.get("interval")
            cost += f" ({ends[0]:,.0f} to {ends[1]:,.0f})" if ends else ""
            cells.append(f"{cost} | {row['seconds']:.5f}")
        lines.append(
            f"| {rows[0]['points']:,} | {rows[0]['certified']:.0%} | {' | '.join(cells)} |"
        )
    powers = [
        "{:.2f} ({:.2f} to {:.2f})".format(*cost["powers"][key]) if cost["powers"] else ""
        for cost in costs.values()
        for key in ("multiplications", "seconds")
    ]
    lines.append(f"| power of n | | {' | '.join(powers)} |")
    return "\n".join(lines)


def show(result):
    """Print both tables."""
    print(f"{accuracy_table(result['summary'])}\n\n{cost_table(result['summary'])}")


def write(result, path):
    """Write the numbers so far."""
    with open(path, "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)


def alone(kind, value, settings):
    """One task, on one core, with what it was."""
    with threadpool_limits(1):
        return kind, value, (accuracy_of if kind == "accuracy" else cost_of)(value, settings)


def main(arguments=None):
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--result", help="write the numbers here, as JSON, or go on with them")
    parser.add_argument("--table", help="only print the tables of this result")
    parser.add_argument("--quick", action="store_true", help="a toy run that tests this program")
    options = parser.parse_args(arguments)
    if options.table:
        with open(options.table, encoding="utf-8") as file:
            return show(json.load(file))
    settings = TOY if options.quick else FULL
    result = {"settings": settings, "accuracy": {}, "costs": {}}
    if options.result and os.path.exists(options.result):
        with open(options.result, encoding="utf-8") as file:
            found = json.load(file)
        if found["settings"] != settings:
            parser.error(f"{options.result} has other settings: {found['settings']}")
        result = found
    waiting = [("costs", n) for n in settings["points"][::-1]]  # the longest first
    waiting += [("accuracy", seed) for seed in range(settings["seeds"])]
    waiting = [(kind, value) for kind, value in waiting if str(value) not in result[kind]]
    parallel = joblib.Parallel(options.jobs, return_as="generator_unordered")
    calls = parallel(joblib.delayed(alone)(kind, value, settings) for kind, value in waiting)
    with progress_bar(len(waiting), True, unit="task") as bar:
        for kind, value, rows in calls:
            result[kind][str(value)] = rows
            if options.result:
                write(result, options.result)
            bar.update()
    result["summary"] = summary(result)
    if options.result:
        write(result, options.result)
    return show(result)


if __name__ == "__main__":
    main()
