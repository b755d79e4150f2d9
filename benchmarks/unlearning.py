"""Which method unlearns? Every method against retraining with many seeds, for several forget sets.

    python benchmarks/unlearning.py --result unlearning.json --jobs 2
    python benchmarks/unlearning.py --table unlearning.json

The first trains 100 models of 400 embedded names, with and without each forget set, unlearns by
every method, and scores that by `sketchlab.unlearning.Bench`. Each method's learning rate is chosen
before, on a forget set of its own, as the one with the lowest KLoM where it is worst of forget set,
retained and unseen names. What is finished is written at once; the same command goes on from there.
The second prints stored tables.
"""

import argparse
import dataclasses
import json
import os
import time

import joblib
import numpy as np
from threadpoolctl import threadpool_limits

import sketchlab as sl
from sketchlab import unlearning
from sketchlab.algebra import ring
from sketchlab.progress import progress_bar
from sketchlab.training.models import Flat
from sketchlab.unlearning import Bench, oracle_targets, population, predicted_targets

UNSEEN = 40  # names
KEPT = 80  # of the retained names, drawn for each model, where a method uses both
RATES = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)  # of Adam
ADDED = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)  # of gradients that are added back
DEGREES = (1, 3)  # of jets that predict logits
EMBEDDING, LAST = ("wte", "wpe"), ("lm_head",)
WAY = (0.0, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0)  # passes at which models are looked at
STOPS = tuple(np.geomspace(1e-4, 0.1, 25).tolist())  # rates at which the loss is looked at
SKETCH = {"degree": 2, "directions": 200, "anchors": 64}
RETRAININGS = (100, 400)  # that a regression uses
SEVERAL = 8  # seeds that a prediction is averaged over
EPOCHS = (1, 4)
TOY = {"count": 24, "seeds": 50, "quick": True}
PARTS = ("forget", "retain", "unseen")


def forget_sets(run, seed):
    """Forget sets by name: numbers of documents."""
    n, rng = len(run), np.random.default_rng(seed)
    first = np.array([doc[0] for doc in run.data])
    letters, sizes = np.unique(first, return_counts=True)
    letter = letters[np.argmin(np.abs(sizes - n // 14))]
    sizes = (max(2, n // 80), n // 20, n // 5)
    found = {f"{size} at random": rng.choice(n, size, replace=False) for size in sizes}
    found[f"first letter {letter}"] = np.flatnonzero(first == letter)
    found[f"{n // 20} that act alike"] = alike(run, n // 2)[: n // 20]
    gradient = sl.attribution.first_order(run, sl.LossOn(run.data[n // 2]), progress=False).gradient
    found[f"10 most helpful for {run.data[n // 2]}"] = np.argsort(-gradient, kind="stable")[:10]
    return {name: [int(i) for i in np.sort(rows)] for name, rows in found.items()}


def alike(run, i):
    """Documents by how alike their gradients at the trained parameters are to that of document i.

    That is the cosine between the gradients; i itself comes first.
    """
    axis = Flat.of(run.initial.parameters)
    gradient = ring.ring_grad(lambda named, k: population.loss_of(run, named, k))
    trained = {name: value[None] for name, value in run.model.parameters.items()}
    rows = np.array([axis.flat(gradient(trained, k))[0] for k in range(len(run))])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return np.argsort(-(rows @ rows[i]), kind="stable")


def jets(bench):
    """Predicted logits, as targets, by the degree of the jet that they come from."""
    return {
        degree: predicted_targets(
            bench.originals,
            unlearning.change_by_jets(bench.run, bench.without, degree, progress=False),
        )
        for degree in DEGREES
    }


def methods(bench, predicted):
    """The methods with a rate to choose: by name, the name in the package and its settings.

    predicted: targets by degree, see `jets`.
    """
    both = {"kept": KEPT if len(bench.run) > 2 * KEPT else None}
    epochs = bench.run.steps // len(bench.run)
    found = {
        "fine-tuning on what is kept": ("fine_tuning", {}),
        "gradient ascent": ("ascent", {}),
        "ascent and descent": ("ascent_descent", both),
        "SCRUB": ("scrub", both),
        "first-epoch gradients": ("first_epoch_gradients", {}),
        "first-epoch gradients, embedding": ("first_epoch_gradients", {"only": EMBEDDING}),
        "first-epoch gradients, output layer": ("first_epoch_gradients", {"only": LAST}),
        "single gradient": ("single_gradient", {}),
        "Oracle Matching": ("matching", {"targets": oracle_targets(bench.same), **both}),
    }
    if epochs > 1:
        found[f"gradients of {epochs} epochs"] = ("first_epoch_gradients", {"epochs": epochs})
    for degree, targets in predicted.items():
        found[f"Datamodel Matching, degree {degree}"] = ("matching", {"targets": targets, **both})
    return found


def is_added(method):
    """Whether gradients are added back in one step."""
    return method.endswith(("gradients", "gradient"))


def with_rate(method, rate):
    """The setting of a rate."""
    if is_added(method):
        return {"rate": rate}
    return {"optimizer": sl.Adam(rate, schedule="constant")}


def chosen_rate(bench, method, settings, few):
    """The rate with the lowest KLoM in the part where it is highest."""
    rates = (ADDED if is_added(method) else RATES)[:: 4 if few else 1]
    if is_added(method):
        made = zip(rates, along(bench, method, rates, settings), strict=True)
    else:
        made = (
            (rate, unlearn(bench, method, {**settings, **with_rate(method, rate)}))
            for rate in rates
        )
    worst = {}
    for rate, models in made:
        if not np.any(models.diverged):
            margins = {part: models.margins(docs) for part, docs in bench.parts.items()}
            worst[rate] = max(bench.distances(margins)["klom"].values())
    return min(worst, key=worst.get)


def unlearn(bench, method, settings):
    """Models of a method."""
    return unlearning.unlearn(bench.originals, bench.without, method, progress=False, **settings)


def along(bench, method, stops, settings):
    """Models of a method on its way."""
    return unlearning.path(
        bench.originals, bench.without, method, stops, progress=False, **settings
    )


def task_rates(run, without, unseen, options):
    """The rates of all methods, chosen on one forget set."""
    bench = Bench(run, without, unseen, seeds=options["seeds"], progress=False)
    return {
        name: chosen_rate(bench, method, settings, options["quick"])
        for name, (method, settings) in methods(bench, jets(bench)).items()
    }


def task_set(run, without, unseen, options, rates, close):
    """The table and the null of one forget set. close: also look at it closely."""
    bench = Bench(run, without, unseen, seeds=options["seeds"], progress=False)
    predicted = jets(bench)
    bench.table.append({"method": "retraining, same seeds", **bench.scores(bench.same)})
    bench.add("nothing", name="doing nothing")
    ways = {}
    for name, (method, settings) in methods(bench, predicted).items():
        settings = {**settings, **with_rate(method, rates[name])}
        bench.add(method, name=name, **settings)
        if close and not is_added(method):
            ways[name] = way(bench, method, settings)
    for name, models in calibrated(bench, predicted[max(DEGREES)], rates).items():
        bench.table.append({"method": name, **bench.scores(models)})
    found = {"without": without, "null": bench.null, "table": bench.table, "rates": rates}
    if close:
        found |= {"ways": ways, "failures": failures(bench)}
        found["predictors"] = predictors(bench, rates["Datamodel Matching, degree 3"], options)
    return found


def calibrated(bench, predicted, rates):
    """Models that were stopped by their own loss on the forget set: by name."""
    forgotten = bench.parts["forget"]
    levels = {
        "loss of unseen names": bench.originals.losses(bench.parts["unseen"]).mean(axis=1),
        "predicted loss": predicted_losses(bench, predicted).mean(axis=1),
    }
    shown = range(0, 10 * len(bench.without) + 1, max(1, len(bench.without) // 4))
    settings = {"passes": 10, **with_rate("ascent", rates["gradient ascent"])}
    ways = {
        "gradient ascent": along(bench, "ascent", list(shown), settings),
        "first-epoch gradients": along(bench, "first_epoch_gradients", [0.0, *STOPS], {}),
    }
    return {
        f"{name} to the {level}": unlearning.stopped(way, forgotten, value)[0]
        for name, way in ways.items()
        for level, value in levels.items()
    }


def predicted_losses(bench, targets):
    """Losses on the forget set by predicted logits, (models, documents), in nats."""
    model = bench.run.initial
    rows = [unlearning.direct(targets, model, [doc]) for doc in bench.parts["forget"]]
    return np.array([np.log1p(np.exp(-margins)).mean(axis=-1) for margins in rows]).T


def way(bench, method, settings):
    """Distances along the way of a method: a list of cost, margins' distances by part."""
    used = len(bench.run)
    if method == "ascent":
        used = len(bench.without)
    elif method == "fine_tuning":
        used -= len(bench.without)
    passes = max(WAY)
    stops = sorted({round(share * used) for share in WAY})
    if method == "scrub":  # its forget set comes first, in half of the passes
        stops = sorted({*stops, len(bench.without)})
        stops = [stop for stop in stops if stop <= passes * used - 2 * len(bench.without)]
    found = bench.way(method, stops, **{**settings, "passes": int(passes)})
    steps = zip(found.costs, found.distances, strict=True)
    return [{"cost": cost, **(distances or {})} for cost, distances in steps]


def failures(bench):
    """Scores of models that no metric should call unlearned, and of one that is: a list."""
    originals, same, count = bench.originals, bench.same, len(bench.originals)
    other = unlearning.train_seeds(  # neither those of the same seeds, nor those compared with
        bench.run, range(2 * count, 3 * count), without=bench.without, progress=False
    )
    wild = np.random.default_rng(0).normal(size=originals.flat.shape)
    made = {
        "oracle of the same seed": same.flat,
        "oracle of another seed": other.flat,
        "doing nothing": originals.flat,
        "one oracle for all": np.tile(same.flat[:1], (count, 1)),
        "never trained": originals.starts,
        "all letters alike": np.zeros_like(originals.flat),
        "large random weights": 10.0 * wild,
    }
    rows = []
    for name, flat in made.items():
        models = dataclasses.replace(originals, flat=flat, origin=originals)
        rows.append({"method": name, **bench.scores(models)})
    settings = {"passes": 5, **with_rate("ascent", 1e-3)}
    rows.append({"method": "overshot", **bench.scores(unlearn(bench, "ascent", settings))})
    return rows


def predictors(bench, rate, options):
    """Predictors of logits, by how well they predict, what they cost, and what matching makes."""
    run, without, quiet = bench.run, bench.without, {"progress": False}
    rng = np.random.default_rng(1)
    most = min(max(RETRAININGS), 4 * len(run))
    deletions = sl.attribution.random_deletions(len(run), [len(without)] * most, rng)
    few = SKETCH if not options["quick"] else {"degree": 1, "directions": 8, "anchors": 0}
    alone = sl.sketch(run, **{**few, "anchors": 0}, **quiet)
    changes = {
        "no change": lambda doc: 0.0 * population_logits(run, doc),
        "first order (a jet of degree 1)": unlearning.change_by_jets(run, without, 1, **quiet),
        "a jet of degree 2": unlearning.change_by_jets(run, without, 2, **quiet),
        "a jet of degree 3": unlearning.change_by_jets(run, without, 3, **quiet),
        "sum of single effects": unlearning.change_by_effects(run, without, **quiet),
    }
    runs = [unlearning.reseeded(run, seed, **quiet) for seed in range(1000, 1000 + SEVERAL)]
    for degree in DEGREES:
        changes[f"a jet of degree {degree}, mean of {SEVERAL} seeds"] = unlearning.mean_change(
            unlearning.change_by_jets(one, without, degree, **quiet) for one in runs
        )
    changes[f"sum of single effects, mean of {SEVERAL} seeds"] = unlearning.mean_change(
        unlearning.change_by_effects(one, without, **quiet) for one in runs
    )
    for count in RETRAININGS:
        changes[f"ridge regression on {min(count, most)} retrainings"] = (
            unlearning.change_by_regression(run, without, deletions[:count], **quiet)
        )
    for estimator in ("mean", "minimum_norm"):
        name = f"sketch, {estimator.replace('_', ' ')}"
        changes[name] = unlearning.change_by_sketch(alone, run, without, estimator=estimator)
    alone.anchor(run, deletions[: SKETCH["anchors"]], **quiet)
    changes["sketch, with retrainings"] = unlearning.change_by_sketch(alone, run, without)
    retrained = run.retrain(without=without, **quiet)
    changes["retraining, the run's seed"] = lambda doc: (
        population_logits(retrained, doc) - population_logits(run, doc)
    )
    oracle, mean = oracle_targets(bench.same), oracle_targets(bench.originals)
    changes["retraining, mean of seeds"] = lambda doc: oracle(doc) - mean(doc)
    both = {"kept": KEPT if len(run) > 2 * KEPT else None, **with_rate("matching", rate)}
    rows = []
    for name, change in changes.items():
        errors = {}
        for part, docs in bench.parts.items():
            missed = [change(doc) - changes["retraining, mean of seeds"](doc) for doc in docs]
            errors[part] = float(np.sqrt(np.mean([np.mean(one**2) for one in missed])))
        targets = predicted_targets(bench.originals, change)
        margins = {p: unlearning.direct(targets, run.initial, d) for p, d in bench.parts.items()}
        models = unlearn(bench, "matching", {"targets": targets, **both})
        rows.append(
            {
                "predictor": name,
                "cost": getattr(change, "cost", None),
                "rmse": errors,
                "direct": bench.distances(margins),
                "matched": bench.distances(
                    {part: models.margins(docs) for part, docs in bench.parts.items()}
                ),
            }
        )
    return rows


def population_logits(run_or_model, doc):
    """Logits of a run's model, or of a model."""
    return unlearning.changes.logits(getattr(run_or_model, "model", run_or_model), doc)


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
        rate = found["rates"].get(row["method"])
        cells = [row["method"], "" if rate is None else f"{rate:g}", f"{row['cost']:.2f}"]
        if row.get("diverged"):
            cells += [f"{row['diverged']} models diverged", *[""] * 8]
            lines.append("| " + " | ".join(cells) + " |")
            continue
        cells += [f"{row['klom'][part]:.2f} / {row['klom95'][part]:.1f}" for part in PARTS]
        cells += [f"{row['wasserstein'][part]:.3f}" for part in PARTS]
        for attack in ("loss_attack", "lira"):
            value, low, high = row[attack][0]
            cells.append(f"{value:.2f} ({low:.2f}-{high:.2f})")
        cells.append(f"{row['verification_error'][0]:.2f}")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def predictor_table(rows):
    """What each predictor of logits is worth, as Markdown."""
    lines = [
        "| predicted by | trainings | error forget, nats | retain | unseen | KLoM of DM-Direct, "
        "forget | retain | unseen | KLoM after matching, forget | retain | unseen |",
        "|---|" + "---:|" * 10,
    ]
    for row in rows:
        cells = [row["predictor"], "" if row["cost"] is None else f"{row['cost']:g}"]
        cells += [f"{row['rmse'][part]:.3f}" for part in PARTS]
        cells += [f"{row[kind]['klom'][p]:.2f}" for kind in ("direct", "matched") for p in PARTS]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def rounded(value):
    """The same JSON value with numbers of six digits."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(one) for one in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def alone(function, *arguments):
    """function(*arguments) on one thread, and the seconds it took."""
    start = time.perf_counter()
    with threadpool_limits(1):
        found = function(*arguments)
    return rounded(found), time.perf_counter() - start


def finished(path, settings):
    """What a result file has already, of the same settings."""
    empty = {"settings": settings, "rates": {}, "sets": {}, "seconds": 0.0}
    if not path or not os.path.exists(path):
        return empty
    with open(path, encoding="utf-8") as file:
        found = json.load(file)
    if found["settings"] != settings:
        raise SystemExit(f"{path} was made with {found['settings']}, not {settings}: name another")
    return found


def tasks(runs, result, unseen, options):
    """What is still to do: pairs of a place in the result, and a call. First all rates."""
    waiting = []
    for epochs, run in runs.items():
        tuned = forget_sets(run, 1)[f"{len(run) // 20} at random"]
        if str(epochs) not in result["rates"]:
            waiting.append((("rates", str(epochs)), (task_rates, run, tuned, unseen, options)))
            continue
        rates = result["rates"][str(epochs)]
        for name, without in list(forget_sets(run, 0).items())[: 2 if options["quick"] else None]:
            close = name == f"{len(run) // 20} at random" or "alike" in name
            if epochs > 1 and not close:
                continue
            place = name if epochs == 1 else f"{name}, {epochs} epochs"
            if place not in result["sets"]:
                call = (task_set, run, without, unseen, options, rates, close and epochs == 1)
                waiting.append((("sets", place), call))
    return waiting


def main(arguments=None):
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=400, help="names to train on")
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--result", help="write the numbers here, as JSON, or go on with them")
    parser.add_argument("--table", help="only print the tables of this result")
    parser.add_argument("--quick", action="store_true", help="a toy run that tests this program")
    options = parser.parse_args(arguments)
    if options.table:
        with open(options.table, encoding="utf-8") as file:
            return show(json.load(file))
    if options.quick:
        vars(options).update(TOY)
    settings = {key: getattr(options, key) for key in ("count", "seeds", "quick")}
    result = finished(options.result, settings)
    names = sl.names.load()
    runs = {
        epochs: sl.train(names[: options.count], steps=options.count * epochs, progress=False)
        for epochs in (EPOCHS[:1] if options.quick else EPOCHS)
    }
    letters = set(runs[1].model.vocabulary)
    unseen = [name for name in names[options.count :] if set(name) <= letters]
    unseen = unseen[: 6 if options.quick else UNSEEN]
    while waiting := tasks(runs, result, unseen, settings):
        parallel = joblib.Parallel(options.jobs, return_as="generator")
        found = parallel(joblib.delayed(alone)(*call) for _, call in waiting)
        with progress_bar(len(waiting), True, unit="task") as bar:
            for ((kind, place), _), (value, seconds) in zip(waiting, found, strict=True):
                result[kind][place] = value
                result["seconds"] += seconds
                if options.result:
                    with open(options.result, "w", encoding="utf-8") as file:
                        json.dump(result, file, indent=1)
                bar.update()
    return show(result)


def show(result):
    """Print all tables."""
    for name, found in result["sets"].items():
        print(f"{name} ({len(found['without'])})\n\n{markdown(found)}\n")
        if "predictors" in found:
            print(f"{predictor_table(found['predictors'])}\n")


if __name__ == "__main__":
    main()
