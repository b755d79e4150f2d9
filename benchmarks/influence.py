"""Do scores at the trained parameters order the documents as retraining without each of them does?

    python benchmarks/influence.py --result influence.json
    python benchmarks/influence.py --table influence.json

The first trains microgpt on 400 embedded names for one epoch and for four, retrains without each
name, and asks for the loss on four names that were trained on and on four that were not. For every
method: Spearman's correlation over the names with exact first order and with retraining, mean over
the losses, with its 90% bootstrap interval over names and losses; and the root mean square error of
the predicted changes. The second prints the table of a stored result.
"""

import argparse
import json
import time

import numpy as np
from scipy import stats

import sketchlab as sl
from sketchlab import attribution

EPOCHS = (1, 4)
ASKED = 4  # names of each kind
PARTS = {"": None, ", embedding": ("wte", "wpe"), ", output layer": ("lm_head",)}
DAMPINGS = {"hessian": (0.03, 0.1, 1.0), "gauss_newton": (0.01, 0.1, 1.0)}
RESAMPLES = 500
TAIL = 0.05
NOT_DEFINITE = "not positive definite"
TOY = {"count": 12, "epochs": [1]}


def scores(run, outputs):
    """By method, a predictor of every output and the seconds that they took together."""
    found = {}

    def timed(name, method, **settings):
        start = time.perf_counter()
        made = method(run, outputs, progress=False, **settings)
        found[name] = made, time.perf_counter() - start

    timed("exact first order", attribution.first_order)
    for part, only in PARTS.items():
        timed(f"gradient products{part}", attribution.gradient_products, only=only)
    lowest = attribution.lowest_curvature(run)
    for curvature, dampings in DAMPINGS.items():
        for damping in dampings:
            name = f"influence, {curvature.replace('_', '-')}, damping {damping:g}"
            if curvature == "hessian" and damping <= -lowest:
                found[name] = None, None
            else:
                timed(name, attribution.influence, curvature=curvature, damping=damping)
    return found, lowest


def correlation(found, true, seed=0):
    """Spearman's over the columns, mean over the rows, and its 90% interval: three numbers."""
    rng = np.random.default_rng(seed)

    def value(rows, columns):
        pair = [stats.rankdata(values[rows][:, columns], axis=1) for values in (found, true)]
        first, second = (ranks - ranks.mean(axis=1, keepdims=True) for ranks in pair)
        spread = np.sqrt(np.sum(first**2, axis=1) * np.sum(second**2, axis=1))
        return np.mean(np.sum(first * second, axis=1) / spread)

    rows, columns = map(np.arange, true.shape)
    drawn = [
        value(rng.choice(rows, len(rows)), rng.choice(columns, len(columns)))
        for _ in range(RESAMPLES)
    ]
    return [float(value(rows, columns)), *map(float, np.quantile(drawn, [TAIL, 1 - TAIL]))]


def table(count, epochs):
    """The rows for one length of training, and what they were measured on."""
    names = sl.names.load()
    run = sl.train(names[:count], steps=count * epochs, progress=False)
    letters = set(run.model.vocabulary)
    unseen = [name for name in names[count:] if set(name) <= letters][:ASKED]
    seen = [run.data[i] for i in np.linspace(0, count - 1, ASKED).astype(int)]
    outputs = [sl.LossOn(name) for name in (*unseen, *seen)]
    exact = attribution.retrained(run, outputs, np.eye(count), progress=False)
    changes = np.array([one.values - one.now for one in exact])
    found, lowest = scores(run, outputs)
    tangent = np.array([one.gradient for one in found["exact first order"][0]])
    rows = []
    for name, (made, seconds) in found.items():
        row = {"method": name}
        if made is not None:
            gradients = np.array([one.gradient for one in made])
            row |= {"cost": sum(one.cost for one in made), "seconds": seconds}
            if made[0] is not found["exact first order"][0][0]:
                row["with first order"] = correlation(gradients, tangent)
            row["with retraining"] = correlation(gradients, changes)
            if not isinstance(made[0], attribution.Ranking):
                row["error"] = float(np.sqrt(np.mean((gradients - changes) ** 2)))
        rows.append(row)
    effect = float(np.sqrt(np.mean(changes**2)))
    return {
        "epochs": epochs, "unseen": unseen, "seen": seen, "lowest_curvature": lowest,
        "effect": effect, "rows": rows,
    }  # fmt: skip


def markdown(result):
    """The tables side by side, as Markdown."""
    tables = result["tables"]
    head = ["method"]
    for one in tables:
        said = f"{one['epochs']} epoch{'s' if one['epochs'] > 1 else ''}"
        head += [f"{said}: trainings", "with first order", "with retraining", "error, nats"]
    effects = [f" | 0 |  |  | {one['effect']:.4f}" for one in tables]
    lines = [
        f"| {' | '.join(head)} |",
        "|---|" + "---:|" * (len(head) - 1),
        f"| no change (effect size){''.join(effects)} |",
    ]
    for rows in zip(*(one["rows"] for one in tables), strict=True):
        cells = [rows[0]["method"]]
        for row in rows:
            cells.append(f"{row['cost']:.0f}" if "cost" in row else NOT_DEFINITE)
            for score in ("with first order", "with retraining"):
                cells.append("{:.2f} ({:.2f}-{:.2f})".format(*row[score]) if score in row else "")
            cells.append(f"{row['error']:.4f}" if "error" in row else "")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main(arguments=None):
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=400, help="names to train on")
    parser.add_argument("--epochs", type=int, nargs="+", default=list(EPOCHS))
    parser.add_argument("--result", help="write the numbers here, as JSON")
    parser.add_argument("--table", help="only print the table of this result")
    parser.add_argument("--quick", action="store_true", help="a toy run that tests this program")
    options = parser.parse_args(arguments)
    if options.table:
        with open(options.table, encoding="utf-8") as file:
            return print(markdown(json.load(file)))
    if options.quick:
        vars(options).update(TOY)
    start = time.perf_counter()
    result = {"count": options.count, "tables": [table(options.count, e) for e in options.epochs]}
    result["seconds"] = time.perf_counter() - start
    if options.result:
        with open(options.result, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=1)
    return print(markdown(result))


if __name__ == "__main__":
    main()
