"""Do nine in ten truths lie inside the bands, and how narrow are they? Family by family.

    python benchmarks/bands.py --corpus names --count 400 --truth truth.npz --result bands.json
    python benchmarks/bands.py --table names.json streets.json

The first retrains after every deletion, keeps these truths in a file, predicts, and prints a row
for every family of deletions; with the same --truth, other evidence and other versions of the
program are scored on the same truths, without retraining again. The second prints stored tables,
and those of several corpora side by side.

Families: single documents; random ones; those with one first letter, or with one of 2, 3 or 5;
those that share a pattern, such as ending in "an" (of a table: a range of a feature); and, for
every output apart, the 5 to 20 documents whose deletion raises it the most to first order, and
those whose deletion lowers it the most. Corpora: names, sums in hexadecimal, streets, and logistic
regression on a table (the breast cancer data of scikit-learn). Outputs: eight losses, four
probabilities, a mean loss.

Shares inside, widths and interval scores are those of the finite bands; `unknown` is the share of
the others. The last four columns are over all outputs, nats and probabilities alike; the result has
all scores by kind of output, too. They are those of `attribution.scoreboard`.
"""

import argparse
import hashlib
import json
from itertools import combinations
from pathlib import Path

import numpy as np
from corpora import COUNTS, KINDS, documents, table

import sketchlab as sl
from sketchlab import attribution

SIZES, UNION_SIZES, LARGEST = (3, 10, 30, 100), (1, 2, 3, 5), (5, 6, 7, 8, 10, 12, 15, 20)
FEWEST_PATTERNS = 40
TOY = {"count": 40, "deletions": 4, "directions": 10}


def families(corpus, count):
    """Down-weights by family: (points, n), or (points, outputs, n) if outputs have their own."""
    n, rng = len(corpus.run), np.random.default_rng(3)
    found = {"single documents": np.eye(n)[rng.choice(n, count, replace=False)]}
    for size in SIZES:
        if size <= n / 4:
            found[f"{size} at random"] = attribution.random_deletions(n, [size] * count, rng)
    first = np.array(corpus.first)
    letters = np.array([first == letter for letter in sorted(set(corpus.first))], float)
    letters = [row for row in letters if row.sum() > 1]
    for size in UNION_SIZES if letters else ():
        unions = list(combinations(letters, size))
        drawn = rng.permutation(len(unions))[: len(unions) if size == 1 else count]
        name = "first letters" if size == 1 else f"unions of {size}"
        found[name] = np.array([sum(unions[i]) for i in drawn])
    alike = corpus.alike[: max(count, FEWEST_PATTERNS)]
    found["patterns"] = np.array([corpus.run.indicator(group) for group in alike])
    exact = attribution.first_order(corpus.run, corpus.outputs, progress=False)
    ranked = np.array([np.argsort(one.gradient, kind="stable") for one in exact])
    largest = [rows[:, :size] for rows in (ranked, ranked[:, ::-1]) for size in LARGEST]
    found["largest effect"] = np.array([[np.eye(n)[r].sum(0) for r in rows] for rows in largest])
    return found


def retrained(corpus, options):
    """Outputs after exact retraining after every deletion, as a dictionary of arrays.

    "deletions": (d, n). "values": (d, outputs). "now": with nothing deleted, (outputs,). And by
    family which of the deletions every output is asked about, (points, outputs).
    """
    rows, deletions, outputs = {}, [], corpus.outputs
    for family, x in families(corpus, options.deletions).items():
        places = len(deletions) + np.arange(x[..., 0].size).reshape(len(x), -1)
        rows[family] = np.broadcast_to(places, (len(x), len(outputs)))
        deletions.extend(x.reshape(-1, x.shape[-1]))
    work = {"jobs": options.jobs, "progress": not options.quick}
    exact = attribution.retrained(corpus.run, outputs, np.array(deletions), **work)
    values = np.stack([one.values for one in exact], axis=-1)
    now = np.array([one.now for one in exact])
    return {"deletions": np.array(deletions), "values": values, "now": now, **rows}


def truths(corpus, options):
    """`retrained`, from the file of --truth if that is there; else made, and kept there.

    Raises ValueError if the file holds another task, or the trained model answers otherwise.
    """
    run, outputs = corpus.run, corpus.outputs
    task = [list(map(str, run.data)), run.steps, run.batch_size, options.deletions]
    task = hashlib.sha256(json.dumps([*task, list(map(repr, outputs))]).encode()).hexdigest()
    path = options.truth and Path(options.truth)
    if not path or not path.exists():
        found = retrained(corpus, options)
        if path:
            np.savez_compressed(path, task=task, **found)
        return found
    with np.load(path) as file:
        found = dict(file)
    now = [float(output(run.model)) for output in outputs]
    if str(found.pop("task")) != task or not np.allclose(now, found["now"], rtol=1e-9, atol=0.0):
        raise ValueError(f"{path} has the truths of another task: give another file for --truth")
    return found


def evidence(corpus, options):
    """What predicts: every output of a sketch with the anchors of the options."""
    work = {"jobs": options.jobs, "progress": not options.quick}
    run, seed = corpus.run, options.seed
    sketched = sl.sketch(run, options.degree, options.directions, seed=seed, **work)
    if options.anchors == "units":
        sketched.anchor(run, "units", **work)
    elif options.anchors:
        sketched.anchor(run, sketched.suggested_anchors(options.anchors, seed=seed), **work)
    if options.gradients:
        at = sketched.suggested_anchors(options.gradients, seed=seed + 1)
        sketched.anchor(run, at, gradients=corpus.outputs, **work)
    return [sketched.output(output) for output in corpus.outputs]


def scored(truth, predictors, estimator):
    """A row of scores for every family, over all outputs and by their kind."""
    table = []
    families = (key for key in truth if key not in ("deletions", "values", "now"))
    for family in families:
        rows = truth[family]
        true = np.take_along_axis(truth["values"], rows, axis=0)
        found = [
            one.predict(truth["deletions"][column], estimator=estimator)
            for one, column in zip(predictors, rows.T, strict=True)
        ]
        row = {"family": family, "truths": true.size, "deletions": len(np.unique(rows))}
        row["effect"] = float(np.sqrt(np.mean((true - truth["now"]) ** 2)))
        for kind, part in {"all": slice(None), **KINDS}.items():
            row[kind] = attribution.scores(true[:, part], found[part])
        table.append(row)
    return table


def markdown(table):
    """The table as Markdown."""
    lines = [
        "| family | truths | inside | " + " | ".join(KINDS) + " | unknown | width | interval "
        "| error | effect |",
        "|---|" + "---:|" * (7 + len(KINDS)),
    ]
    for row in table:
        found = row["all"]
        cells = [row["family"], f"{row['truths']}"]
        cells += [inside(row[kind]) for kind in ("all", *KINDS)]
        cells.append(f"{found['unknown']:.0%}")
        numbers = (*(found.get(key) for key in ("width", "interval", "rmse")), row["effect"])
        cells += ["" if number is None else f"{number:.3g}" for number in numbers]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def summary(results):
    """Shares inside and mean interval scores, a column for every corpus, as Markdown."""
    tables = {}
    for one in results:
        name = f"{one['corpus']} ({one['documents']})"
        tables[name] = {row["family"]: row["all"] for row in one["families"]}
    families = max(tables.values(), key=len)
    lines = [f"| deletion of | {' | '.join(tables)} |", "|---|" + "---:|" * len(tables)]
    for family in families:
        found = [table.get(family) for table in tables.values()]
        cells = [f"{inside(one)} ({one['interval']:.2g})" if one else "" for one in found]
        lines.append(f"| {family} | {' | '.join(cells)} |")
    return "\n".join(lines)


def inside(found):
    """The share of truths inside the finite bands, in words; infinite ones hold every truth."""
    known = 1.0 - found["unknown"]
    return f"{(found['inside'] - found['unknown']) / known:.0%}" if known > 0 else ""


def main(arguments=None):
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", choices=COUNTS, default="names")
    parser.add_argument("--names", help="the paper's names.txt: the corpus is the paper's run")
    parser.add_argument("--count", type=int, help=f"documents to train on, from 40 ({COUNTS})")
    parser.add_argument("--deletions", type=int, default=32, help="of each family")
    parser.add_argument("--truth", help="keep the retrainings in this .npz file, or take them")
    parser.add_argument("--degree", type=int, default=2)
    parser.add_argument("--directions", type=int, default=250)
    parser.add_argument(
        "--anchors",
        type=lambda text: text if text == "units" else int(text),
        help='"units", or how many suggested ones',
    )
    parser.add_argument("--gradients", type=int, default=0, help="anchors with derivatives")
    parser.add_argument("--estimator", default="automatic")
    parser.add_argument("--seed", type=int, default=0, help="of directions and anchors")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--result", help="write the numbers here, as JSON")
    parser.add_argument("--table", nargs="+", help="only print the tables of these results")
    parser.add_argument("--quick", action="store_true", help="a toy run that tests this program")
    options = parser.parse_args(arguments)
    if options.table:
        results = [json.loads(Path(path).read_text(encoding="utf-8")) for path in options.table]
        for result in results:
            show(result)
        if len(results) > 1:
            print(summary(results))
        return
    if options.names:
        if options.corpus != "names" or options.count:
            parser.error("--names is the paper's run: leave out --corpus and --count")
        options.corpus, options.count = "paper", 1000
    if options.quick:
        vars(options).update(TOY)
    options.count = options.count or COUNTS[options.corpus]
    if options.count < 40:
        parser.error("--count must be 40 or higher")
    corpus = table(options) if options.corpus == "table" else documents(options)
    truth, predictors = truths(corpus, options), evidence(corpus, options)
    places = ("names", "truth", "result", "table")
    result = {key: value for key, value in vars(options).items() if key not in places}
    result["documents"] = len(corpus.run)
    result["cost"] = attribution.total_cost(predictors)
    result["families"] = scored(truth, predictors, options.estimator)
    if options.result:
        with open(options.result, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=1)
    show(result)


def show(result):
    """Print a result."""
    settings = (f"{key} {value}" for key, value in result.items() if key != "families")
    print(f"{', '.join(settings)}\n\n{markdown(result['families'])}\n")


if __name__ == "__main__":
    main()
