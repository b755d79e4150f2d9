"""Which method finds bad documents, and which one finds those whose deletion helps?

    python benchmarks/bad_data.py --result bad_data.json
    python benchmarks/bad_data.py --table bad_data.json

Twenty documents are spoiled: of 400 embedded names that microgpt is trained on, twenty become words
of random letters; of 500 images of digits (scikit-learn) that a network of 24 hidden units is
trained on, twenty get a wrong label. The digits are learnt twice, in few passes and in many, which
fit most of the wrong labels too. Every method gives each document a score; those of attribution are
minus the predicted change, by its deletion, of the mean loss on clean examples (100 names, 300
images) that were not trained on. Scored are the rankings (see `sketchlab.attribution.recovery`),
and the change of the loss on other clean examples (1000, 900), neither trained on nor asked about,
by exact retraining without the first 20 and 40 of a ranking. Each injection has its own bad
documents and initial parameters (the digits also their own images); in brackets: 90% intervals of
the mean over injections, by Student's t.
"""

import argparse
import json
import time
from itertools import pairwise

import numpy as np
from scipy import stats
from threadpoolctl import threadpool_limits

import sketchlab as sl
from sketchlab import attribution, ring
from sketchlab.progress import progress_bar
from sketchlab.training.optimizers import InPlace

INJECTIONS = 5
LOOKED = (20, 40)
CHECKPOINTS = 10
TASKS = {
    "names": {"train": 400, "asked": 100, "fresh": 1000, "bad": 20, "damping": 0.1, "more": 1000},
    "digits": {"train": 500, "asked": 300, "fresh": 900, "bad": 20, "passes": 10, "rate": 0.01},
    "digits, memorised": {
        "train": 500,
        "asked": 300,
        "fresh": 900,
        "bad": 20,
        "passes": 25,
        "rate": 0.02,
    },
}
TOY = {"train": 24, "asked": 12, "fresh": 12, "bad": 8, "passes": 2}
HIDDEN, BATCH = 24, 10
NUMBERS = ("auc", "precision", "found", "change", "seconds")
ORACLE = "the bad ones themselves"


def clean(examples, settings):
    """The mean loss on examples that are asked about, and on others; none is trained on."""
    ends = np.cumsum([settings[part] for part in ("train", "asked", "fresh")]).tolist()
    return [sl.MeanLoss(examples[a:b]) for a, b in pairwise(ends)]


def names(settings, seed):
    """A run of microgpt, clean names to ask about, others, and the numbers of the bad ones."""
    known = sl.names.load()
    docs, bad = attribution.wrong_names(known[: settings["train"]], settings["bad"], seed)
    letters = "".join(sorted(set("".join(known))))
    run = sl.train(docs, seed=seed, vocabulary=letters, progress=False)
    asked, fresh = clean(known, settings)
    return run, asked, fresh, bad


def digits(settings, seed):
    """The same for a network with one hidden layer on images of digits."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    rng, train = np.random.default_rng(seed), settings["train"]
    order = rng.permutation(len(pixels))
    pixels, labels = pixels[order] / 16.0, labels[order]
    labels[:train], bad = attribution.flipped_labels(labels[:train], settings["bad"], seed)
    wanted = np.eye(10)[labels]

    def losses(p, rows):
        hidden = ring.tanh(ring.matmul(pixels[rows], p["w"]) + p["b"][..., None, :])
        logits = ring.matmul(hidden, p["v"]) + p["c"][..., None, :]
        return ring.logsumexp(logits) - ring.sum(logits * wanted[rows], -1)

    start = {
        "w": rng.normal(0, 64**-0.5, (64, HIDDEN)),
        "b": np.zeros(HIDDEN),
        "v": rng.normal(0, HIDDEN**-0.5, (HIDDEN, 10)),
        "c": np.zeros(10),
    }
    run = sl.TrainingRun(
        sl.Model(start, losses),
        np.arange(train),
        optimizer=sl.Adam(settings["rate"]),
        steps=settings["passes"] * -(-train // BATCH),
        batch_size=BATCH,
        progress=False,
    )
    asked, fresh = clean(range(len(pixels)), settings)
    return run, asked, fresh, bad


def along(run):
    """Losses of the documents: before the first step on each, and their mean over checkpoints."""
    n, first, mean = len(run), np.full(len(run), np.nan), np.zeros(len(run))
    state = InPlace(run.initial.parameters, np.copy)
    every = max(1, run.steps // CHECKPOINTS)
    kept = range(every - 1, run.steps, every)

    def note(step):
        new = run.examples_of(step)
        new = new[np.isnan(first[new])]
        if len(new):
            first[new] = run.initial.with_parameters(state.views).losses(run.examples(new))

    note(0)
    for step, _ in enumerate(run.walk(state, lambda i: np.ones(len(i)))):
        if step in kept:
            mean += run.losses(run.initial.with_parameters(state.views)) / len(kept)
        if step + 1 < run.steps:
            note(step + 1)
    share = n / run.steps / run.batch_size / 3  # a loss without its gradient: a third
    return (first, 1 + share), (mean, 1 + share * len(kept))


def left_out(run, asked):
    """Exact retraining without each document: the loss that is asked for, and that on itself."""
    models = run.retrain(down_weights=np.eye(len(run)), progress=False)
    own = [
        models.with_parameters({name: p[i] for name, p in models.parameters.items()}).loss(example)
        for i, example in enumerate(run.data)
    ]
    return np.asarray(asked(models)), np.array(own)


def scores(run, asked, settings, seed):
    """By method: scores, (n,), trainings, and seconds."""
    found = {}

    def timed(call, *titles):
        start = time.perf_counter()
        made = call()
        spent = time.perf_counter() - start
        for title, (values, cost) in zip(titles, made, strict=True):
            found[title] = np.asarray(values), float(cost), spent

    def predicted(method, output=asked, **options):
        made = method(run, output, progress=False, **options)
        return [(-made.gradient, made.cost)]

    def exact():
        loss, own = left_out(run, asked)
        return (-loss, len(run)), (own, len(run))

    timed(exact, "leave-one-out retraining", "loss on it, left out of training")
    timed(lambda: predicted(attribution.first_order), "exact first order")
    if "more" in settings:
        start = settings["train"] + settings["asked"] + settings["fresh"]
        more = sl.MeanLoss(sl.names.load()[start : start + settings["more"]])
        timed(
            lambda: predicted(attribution.first_order, output=more),
            f"exact first order, {settings['more']} examples asked about",
        )
    damping, curvature = settings.get("damping"), "gauss_newton"
    if damping is None:
        curvature = "hessian"
        damping = max(0.01, -1.5 * attribution.lowest_curvature(run))
    timed(
        lambda: predicted(attribution.influence, damping=damping, curvature=curvature), "influence"
    )
    timed(lambda: predicted(attribution.tracin), "TracIn, every step")
    every = max(1, run.steps // CHECKPOINTS)
    timed(lambda: predicted(attribution.tracin, every=every), "TracIn, 10 checkpoints")
    timed(lambda: predicted(attribution.gradient_products), "gradient products")
    share = len(run) / run.steps / run.batch_size / 3
    timed(lambda: [(run.losses(run.model), share)], "loss on it")
    first, mean = "loss on it before its first step", "loss on it, mean over training"
    timed(lambda: along(run), first, mean)
    timed(lambda: [(np.random.default_rng((seed, 1)).permutation(len(run)), 0)], "random order")
    return found


def injection(task, settings, seed):
    """One injection: for every method its numbers, and the loss on fresh examples."""
    run, asked, fresh, bad = (names if task == "names" else digits)(settings, seed)
    found = scores(run, asked, settings, seed)
    looked = [min(k, len(run) - 1) for k in LOOKED]
    deleted = [attribution.without_first(one[0], looked) for one in found.values()]
    models = run.retrain(down_weights=np.vstack([*deleted, run.indicator(bad)]), progress=False)
    now = float(fresh(run.model))
    *changes, without_bad = (np.asarray(fresh(models)) - now).tolist()
    rows = {ORACLE: {"change": [without_bad, None]}}
    for i, (title, (values, cost, seconds)) in enumerate(found.items()):
        one = attribution.recovery(values, bad, draws=1)
        rows[title] = {
            "auc": one.auc, "precision": one.precision, "found": [one.at(k) for k in looked],
            "change": changes[i * len(looked) : (i + 1) * len(looked)],
            "cost": cost, "seconds": seconds,
        }  # fmt: skip
    return {"now": now, "bad_loss": float(run.losses(run.model)[bad].mean()), "rows": rows}


def table(task, settings, injections, bar):
    """All injections of a task: for every method the numbers of each, in lists."""
    made = []
    for seed in range(injections):
        made.append(injection(task, settings, seed))
        bar.update()
    rows = []
    for title in made[0]["rows"]:
        each = [one["rows"][title] for one in made]
        row = {"method": title, "cost": each[0].get("cost")}
        rows.append(row | {key: [one[key] for one in each] for key in NUMBERS if key in each[0]})
    about = {key: [one[key] for one in made] for key in ("now", "bad_loss")}
    return {"task": task, "settings": settings, **about, "rows": rows}


def interval(numbers):
    """Mean over injections and its 90% interval: three numbers."""
    mean = float(np.mean(numbers))
    reach = float(stats.t.ppf(0.95, len(numbers) - 1) * stats.sem(numbers))
    return mean, mean - reach, mean + reach


def _shown(numbers, digits, most=np.inf):
    value, low, high = interval(numbers)
    return f"{value:.{digits}f} ({low:.{digits}f} to {min(high, most):.{digits}f})"


def markdown(result):
    """One table for each task, as Markdown."""
    parts = []
    for one in result["tables"]:
        n, bad = one["settings"]["train"], one["settings"]["bad"]
        chance = attribution.by_chance(n, bad)
        lines = [
            f"| {one['task']} | trainings | seconds | area | average precision | "
            + " | ".join(f"found in {k}" for k in LOOKED)
            + " | "
            + " | ".join(f"{k} deleted: change, nats / 1000" for k in LOOKED)
            + " |",
            "|---|" + "---:|" * (4 + 2 * len(LOOKED)),
        ]
        for row in one["rows"]:
            cells = [row["method"]]
            if row["method"] == ORACLE:
                cells += [""] * (4 + len(LOOKED))
            else:
                cells += [f"{row['cost']:.0f}", f"{np.mean(row['seconds']):.2f}"]
                cells += [_shown(row[key], 2, 1.0) for key in ("auc", "precision")]
                cells += [f"{mean:.0%}" for mean in np.mean(row["found"], axis=0)]
            for k in range(len(LOOKED)):
                changes = [change[k] for change in row["change"]]
                known = None not in changes
                cells.append(_shown(1000 * np.array(changes), 0) if known else "")
            lines.append(f"| {' | '.join(cells)} |")
        low, high = chance.auc_band
        below, above = chance.precision_band
        looked = [min(k, n - 1) for k in LOOKED]
        ends = [
            f"{share:.0%} ({fewest:.0%} to {highest:.0%})"
            for share, (fewest, highest) in zip(
                chance.found[looked], chance.found_band[:, looked].T, strict=True
            )
        ]
        cells = ["chance: 90% of random orders", "", "", f"0.50 ({low:.2f} to {high:.2f})"]
        cells += [f"{chance.precision:.2f} ({below:.2f} to {above:.2f})", *ends]
        lines.append(f"| {' | '.join([*cells, *[''] * len(LOOKED)])} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def rounded(value):
    """The same with floats of five digits: the result is to be small."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(one) for one in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


def main(arguments=None):
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--result", help="write the numbers here, as JSON")
    parser.add_argument("--table", help="only print the tables of this result")
    parser.add_argument("--injections", type=int, default=INJECTIONS)
    parser.add_argument("--quick", action="store_true", help="a toy run that tests this program")
    options = parser.parse_args(arguments)
    if options.table:
        with open(options.table, encoding="utf-8") as file:
            return print(markdown(json.load(file)))
    if options.injections < 2:
        parser.error(f"--injections must be 2 or more, for an interval, not {options.injections}")
    tasks, injections = TASKS, options.injections
    if options.quick:
        tasks, injections = {task: {**one, **TOY} for task, one in TASKS.items()}, 2
        tasks["names"]["more"] = TOY["asked"]
    start = time.perf_counter()
    with threadpool_limits(1), progress_bar(len(tasks) * injections, True, unit="injection") as bar:
        tables = [table(task, one, injections, bar) for task, one in tasks.items()]
    result = rounded({"tables": tables, "seconds": time.perf_counter() - start})
    if options.result:
        with open(options.result, "w", encoding="utf-8") as file:
            json.dump(result, file)
    return print(markdown(result))


if __name__ == "__main__":
    main()
