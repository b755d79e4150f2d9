"""Which method unlearns? Every method against retraining with many seeds, for several forget sets.

    python benchmarks/unlearning.py --result unlearning.json
    python benchmarks/unlearning.py --table unlearning.json

The first trains 100 models of 400 embedded names, with and without each forget set, unlearns by
every method, and scores that by `sketchlab.unlearning.Bench`. Each method's learning rate is chosen
before, on a forget set of its own, as the one with the lowest KLoM where it is worst of forget set,
retained and unseen names. The second prints stored tables.
"""

import argparse
import json
import time

import numpy as np

import sketchlab as sl
from sketchlab import unlearning
from sketchlab.unlearning import Bench, change_by_jets, oracle_targets, predicted_targets

UNSEEN = 40  # names
KEPT = 80  # of the retained names, drawn for each model, where a method uses both
RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2)  # of Adam
ADDED = (1e-3, 3e-3, 1e-2, 3e-2)  # of gradients that are added back
DEGREES = (1, 3)  # of jets that predict logits
EMBEDDING, LAST = ("wte", "wpe"), ("lm_head",)
TOY = {"count": 24, "seeds": 50, "rates": 1}
PARTS = ("forget", "retain", "unseen")


def forget_sets(run, count):
    """Forget sets by name: numbers of documents."""
    n, rng = len(run), np.random.default_rng(count)
    first = np.array([doc[0] for doc in run.data])
    letters, sizes = np.unique(first, return_counts=True)
    letter = letters[np.argmin(np.abs(sizes - n // 14))]
    found = {
        f"{size} at random": rng.choice(n, size, replace=False)
        for size in (max(2, n // 80), n // 20, n // 5)
    }
    found[f"names with {letter}"] = np.flatnonzero(first == letter)
    gradient = sl.attribution.first_order(run, sl.LossOn(run.data[n // 2]), progress=False).gradient
    found[f"10 most helpful for {run.data[n // 2]}"] = np.argsort(-gradient, kind="stable")[:10]
    return {name: [int(i) for i in np.sort(rows)] for name, rows in found.items()}


def predictions(bench):
    """Predicted logits, as targets, by the degree of the jet that they come from."""
    made = {d: change_by_jets(bench.run, bench.without, d, progress=False) for d in DEGREES}
    return {degree: predicted_targets(bench.originals, change) for degree, change in made.items()}


def methods(bench, predicted):
    """The methods with a rate to choose: by name, the name in the package, settings, and rates.

    predicted: targets by degree, see `predictions`.
    """
    both = {"kept": KEPT if len(bench.run) > 2 * KEPT else None}
    found = {
        "fine-tuning on what is kept": ("fine_tuning", {}, RATES),
        "gradient ascent": ("ascent", {}, RATES),
        "ascent and descent": ("ascent_descent", both, RATES),
        "SCRUB": ("scrub", both, RATES),
        "first-epoch gradients": ("first_epoch_gradients", {}, ADDED),
        "first-epoch gradients, embedding": ("first_epoch_gradients", {"only": EMBEDDING}, ADDED),
        "first-epoch gradients, output layer": ("first_epoch_gradients", {"only": LAST}, ADDED),
        "single gradient": ("single_gradient", {}, ADDED),
    }
    targets = {"Oracle Matching": oracle_targets(bench.same)}
    for degree, target in predicted.items():
        targets[f"Datamodel Matching, degree {degree}"] = target
    for name, target in targets.items():
        found[name] = ("matching", {"targets": target, **both}, RATES)
    return found


def with_rate(method, rate):
    """The setting of a rate."""
    if method.endswith(("gradients", "gradient")):
        return {"rate": rate}
    return {"optimizer": sl.Adam(rate, schedule="constant")}


def chosen_rates(bench, count):
    """By method, the rate with the lowest KLoM in the part where it is highest."""
    found = {}
    for name, (method, settings, rates) in methods(bench, predictions(bench)).items():
        worst = {}
        for rate in rates[:count]:
            models = unlearning.unlearn(
                bench.originals, bench.without, method, progress=False, **settings,
                **with_rate(method, rate),
            )  # fmt: skip
            if not np.any(models.diverged):
                margins = {part: models.margins(docs) for part, docs in bench.parts.items()}
                worst[rate] = max(bench.distances(margins)["klom"].values())
        found[name] = min(worst, key=worst.get)
    return found


def bench_of(run, without, unseen, seeds, rates):
    """The table and the null of one forget set."""
    bench = Bench(run, without, unseen, seeds=seeds, progress=False)
    predicted = predictions(bench)
    bench.table.append({"method": "retraining, other seeds", **bench.scores(bench.same)})
    bench.add("nothing", name="doing nothing")
    for name, (method, settings, _) in methods(bench, predicted).items():
        bench.add(method, name=name, **settings, **with_rate(method, rates[name]))
    for degree, targets in predicted.items():
        name = f"DM-Direct, degree {degree} (no model)"
        bench.table.append({"method": name, **direct(bench, targets)})
    return {"without": without, "null": bench.null, "table": bench.table}


def direct(bench, targets):
    """Distances of the margins that are predicted, without a model (DM-Direct)."""
    margins = {}
    for part, docs in bench.parts.items():
        found = []
        for doc in docs:
            _, right = bench.run.initial.sequence(doc)
            found.append(unlearning.margins(targets(doc), np.array(right)))
        margins[part] = np.concatenate(found, axis=1)
    return bench.distances(margins)


def markdown(found):
    """KLoM (mean / 95th percentile), Wasserstein distance, attacks and weights, as Markdown."""
    lines = [
        "| method | rate | trainings | KLoM forget | retain | unseen | distance forget, nats "
        "| retain | unseen | loss attack | LiRA | weights |",
        "|---|" + "---:|" * 11,
    ]
    null = found["null"]
    cells = [f"{null[p]['klom'][0]:.2f}-{null[p]['klom'][2]:.2f}" for p in PARTS]
    cells += [f"{null[p]['wasserstein'][0]:.3f}-{null[p]['wasserstein'][2]:.3f}" for p in PARTS]
    lines.append(f"| null: oracles and oracles | | | {' | '.join(cells)} | | 0.50 | |")
    for row in found["table"]:
        rate = found.get("rates", {}).get(row["method"])
        cells = [row["method"], "" if rate is None else f"{rate:g}"]
        cells.append(f"{row['cost']:.2f}" if "cost" in row else "")
        if row.get("diverged"):
            cells += [f"{row['diverged']} models diverged", *[""] * 8]
            lines.append("| " + " | ".join(cells) + " |")
            continue
        cells += [f"{row['klom'][part]:.2f} / {row['klom95'][part]:.1f}" for part in PARTS]
        cells += [f"{row['wasserstein'][part]:.3f}" for part in PARTS]
        for attack in ("loss_attack", "lira"):
            value, low, high = row[attack][0] if attack in row else (None,) * 3
            cells.append("" if value is None else f"{value:.2f} ({low:.2f}-{high:.2f})")
        error = row.get("verification_error")
        cells.append(f"{error[0]:.2f}" if error else "")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main(arguments=None):
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=400, help="names to train on")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--result", help="write the numbers here, as JSON")
    parser.add_argument("--table", help="only print the tables of this result")
    parser.add_argument("--quick", action="store_true", help="a toy run that tests this program")
    parser.set_defaults(rates=len(RATES))
    options = parser.parse_args(arguments)
    if options.table:
        with open(options.table, encoding="utf-8") as file:
            return show(json.load(file))
    if options.quick:
        vars(options).update(TOY)
    start = time.perf_counter()
    names = sl.names.load()
    run = sl.train(names[: options.count], steps=options.count * options.epochs, progress=False)
    letters = set(run.model.vocabulary)
    unseen = [name for name in names[options.count :] if set(name) <= letters][:UNSEEN]
    tuned = forget_sets(run, 1)[f"{options.count // 20} at random"]
    bench = Bench(run, tuned, unseen, seeds=options.seeds, progress=False)
    rates = chosen_rates(bench, options.rates)
    kept = {key: getattr(options, key) for key in ("count", "epochs", "seeds")}
    result = {"settings": kept, "rates": rates, "tuned_on": tuned, "sets": {}}
    for name, without in forget_sets(run, 0).items():
        found = bench_of(run, without, unseen, options.seeds, rates)
        result["sets"][name] = {**found, "rates": rates}
    result["seconds"] = time.perf_counter() - start
    if options.result:
        with open(options.result, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=1)
    return show(result)


def show(result):
    """Print all tables."""
    for name, found in result["sets"].items():
        print(f"{name} ({len(found['without'])})\n\n{markdown(found)}\n")


if __name__ == "__main__":
    main()
