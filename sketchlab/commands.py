"""What the commands of `python -m sketchlab` compute, with which settings.

Each takes its settings and whether to show progress, writes its output and returns its numbers; the
table `COMMANDS` says which settings those are. `__main__` reads them and writes the record.
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np

from . import attribution, figures, paper, reports, unlearning
from .attribution.tables import markdown_table
from .attribution.uncertainty import FEWEST_DELETIONS, FEWEST_OUTPUTS
from .checks import brief
from .patterns import matching
from .reports.playing import of_file
from .sketching.sketch import sketch
from .training import microgpt, names
from .training.outputs import LossOn
from .unlearning.bench import PARTS

IMAGES, PAGE, TABLE = (".png", ".svg", ".pdf"), (".html",), (".md",)
ASKED = "max emma zoe xavier jax olivia noah kayla brix william".split()
SIZES = (5, 20, 50, 100, 200)  # of random deletions
SKETCHES = ["no change", "exact first order", "sketch, jets averaged", "sketch, jets solved"]
SKETCHES += ["sketch, with retrainings", "sum of single effects"]
TIMES = ("seconds", "prepare", "per_output", "per_deletion", "bytes")  # not the same every time
UNSEEN = 40  # names
ADDED = 0.003  # rate of gradients that are added back, which have no default
FREE = (-np.inf, np.inf)  # bounds would hide how far off a method can be
SEED = 42  # of the model


def trained(settings, progress, deletes=False):
    """The run of the paper's figures: the names of a file if one is given, else embedded names.

    deletes: names with an x are to be deleted. What cannot work is found out before training.
    """
    docs = names.load(settings.names)
    if settings.names and len(docs) < paper.STEPS:
        raise ValueError(
            f"the figure needs {paper.STEPS} names or more, and {settings.names} has {len(docs)}: "
            "give another file, or leave --names out"
        )
    docs = docs if settings.names else docs[: paper.STEPS]
    letters = "".join(sorted(set("".join(docs))))
    microgpt.MicroGPT.initial(letters).loss(settings.test_name)
    if deletes:
        check_deletion(docs)
    if not settings.names:
        return microgpt.train(docs, progress=progress)
    run = paper.training_run(settings.names, progress=progress)
    if deletes:
        check_deletion(run.data)
    return run


def check_deletion(docs):
    """Raise ValueError if no names have an x, or all of them."""
    found = sum("x" in doc for doc in docs)
    if not 0 < found < len(docs):
        raise ValueError(
            f"the figure deletes the names with an x, and {found} of {len(docs)} names have one: "
            "give another file, or leave --names out"
        )


def figure1(settings, progress):
    """Stability: the size of the Taylor coefficients up to degree 100 (the paper's Figure 1)."""
    work = {key: getattr(settings, key) for key in ("degree", "directions", "store", "jobs")}
    run = trained(settings, progress)
    found = paper.figure1(run, settings.test_name, **work, progress=progress)
    figures.stability(found).savefig(settings.output, dpi=144)
    return found


def figure2(settings, progress):
    """Loss against down-weight: jets along the deletion, and retraining (Figure 2)."""
    run = trained(settings, progress, deletes=True)
    curve = paper.deletion_curve(run, paper.deletion(run), settings.test_name, progress=progress)
    figures.deletion_curve(*curve, name=settings.test_name).savefig(settings.output, dpi=144)
    weights, retrained, jet = curve
    return {"weights": weights, "retrained": retrained, "jet": jet.coefficients}


def figure3(settings, progress):
    """Loss against down-weight: predicted from random directions, and retraining (Figure 3)."""
    work = {key: getattr(settings, key) for key in ("degree", "directions", "store", "jobs")}
    run = trained(settings, progress, deletes=True)
    found = paper.figure3(run, settings.test_name, **work, progress=progress)
    figures.predicted_curves(found).savefig(settings.output, dpi=144)
    return found


def playground(settings, progress):
    """A page to play with the method, which loads nothing: a minute."""
    work = {key: getattr(settings, key) for key in ("directions", "store")}
    if settings.names:
        made = of_file(settings.names, **work, progress=progress)
    else:
        made = paper.playground(**work, progress=progress)
    made.save(settings.output, overwrite=True)
    return made.numbers


def losses(run):
    """Losses on ten names that the model can read: what attribution methods are asked about."""
    return [LossOn(one, bounds=FREE) for one in to_ask(run.data, run.model.vocabulary)]


def to_ask(docs, vocabulary):
    """Ten names of these letters, or as many as there are: those of `ASKED`, then unseen ones."""
    letters, seen = set(vocabulary), set(docs)
    found = dict.fromkeys([*ASKED, *(name for name in names.load() if name not in seen)])
    return [name for name in found if letters.issuperset(name)][: len(ASKED)]


def first_names(settings):
    """The first of the names."""
    docs = names.load(settings.names)
    if len(docs) < settings.count:
        raise ValueError(f"--count is {settings.count}, but there are {len(docs)} names: give less")
    return docs[: settings.count]


def check_board(settings, docs):
    """Raise ValueError, in words, for what `compared` cannot work with."""
    if settings.count < 4 * min(SIZES):
        raise ValueError(f"--count must be {4 * min(SIZES)} or more, not {settings.count}")
    if settings.deletions < FEWEST_DELETIONS:
        raise ValueError(
            f"--deletions must be {FEWEST_DELETIONS} or more, not {settings.deletions}: of fewer "
            "the scores have no intervals"
        )
    found = len(to_ask(docs, "".join(docs)))
    if found < FEWEST_OUTPUTS:
        raise ValueError(
            f"losses are asked of {FEWEST_OUTPUTS} names or more, and with the letters of these "
            f"{len(docs)} only {found} can be read: give a higher --count, or other --names"
        )
    if settings.store is None:
        return
    path = Path(settings.store).expanduser()
    if path.is_dir():
        raise ValueError(f"--store {path} is a folder: give a .json file, new or of this command")
    if path.exists():
        try:
            attribution.Results.read(path)
        except (OSError, ValueError) as error:
            raise ValueError(
                f"--store {path} is damaged, or something else than what this command keeps there; "
                "nothing was changed: give another file"
            ) from error


def compared(settings, methods, progress):
    """Attribution methods beside exact retraining: writes tables, returns scores without times."""
    docs, rng = first_names(settings), np.random.default_rng(settings.seed)
    check_board(settings, docs)
    groups = {
        size: attribution.random_deletions(len(docs), [size] * settings.deletions, rng)
        for size in SIZES
        if size <= len(docs) / 4
    }
    run = microgpt.train(docs, progress=progress)
    work = {name: getattr(settings, name) for name in ("store", "seed", "jobs")}
    found = attribution.scoreboard(
        run, methods, groups, losses(run), link="cross_entropy", progress=progress, **work
    )
    parts = [
        "Error in nats, and the share of truths inside the bands", found.markdown("rmse"),
        "Rank correlation", found.markdown("lds"), "Costs", found.costs(),
    ]  # fmt: skip
    write(settings.output, parts)
    return {"table": [{k: v for k, v in row.items() if k not in TIMES} for row in found.table]}


def scoreboard(settings, progress):
    """Every attribution method beside exact retraining: errors, rank correlations and costs."""
    methods = settings.methods
    if methods is not None:
        methods = [one.strip() for one in methods.split(";") if one.strip()]
        wrong = [one for one in methods if one not in attribution.KNOWN]
        if wrong or not methods:
            raise ValueError(
                f"--methods must be some of these, with semicolons between them, not "
                f"{brief(wrong[0] if wrong else settings.methods)}:\n  "
                + "\n  ".join(attribution.KNOWN)
            )
    return compared(settings, methods, progress)


def accuracy(settings, progress):
    """How accurate sketches are, and their bands, beside exact retraining and simple methods."""
    return compared(settings, SKETCHES, progress)


def forgetting(settings, progress):
    """Unlearning methods against retraining with many seeds, each at its default rate."""
    docs, rng = first_names(settings), np.random.default_rng(settings.seed)
    if settings.forget >= len(docs):
        raise ValueError(f"--forget must be below the {len(docs)} names, not {settings.forget}")
    letters, seen, embedded = set("".join(docs)), set(docs), names.load()
    if not seen.issubset(embedded):
        raise ValueError("--names must be some of the embedded names: of others none are unseen")
    if not any(letters.issuperset(name) for name in embedded if name not in seen):
        raise ValueError("no embedded name is left that is unseen: give a lower --count")
    run = microgpt.train(docs, progress=progress)
    unseen = names.unseen(run, UNSEEN)
    without = np.sort(rng.choice(len(run), settings.forget, replace=False))
    bench = unlearning.Bench(run, without, unseen, seeds=settings.seeds, progress=progress)
    change = unlearning.change_by_jets(run, without, 1, progress=progress)
    own = {"matching": {"targets": unlearning.predicted_targets(bench.originals, change)}}
    own["single_gradient"] = own["first_epoch_gradients"] = {"rate": ADDED}
    for name in unlearning.METHODS:
        bench.add(name, **own.get(name, {}))
    heads = ["method", "trainings", *(f"KLoM, {part}" for part in PARTS), "loss attack"]
    null = [
        f"{bench.null[part]['klom'][0]:.2f} to {bench.null[part]['klom'][2]:.2f}" for part in PARTS
    ]
    rows = [["null: oracles and oracles", "", *null, ""]]
    for row in bench.table:
        scores = ["diverged"] * 4
        if "klom" in row:
            scores = [f"{row['klom'][part]:.2f}" for part in PARTS] + [
                f"{row['loss_attack'].auc.value:.2f}"
            ]
        rows.append([row["method"], f"{row['cost']:.3g}", *scores])
    write(
        settings.output,
        [f"Forgotten: {', '.join(bench.parts['forget'])}", markdown_table(heads, rows)],
    )
    return {"forgotten": without, "null": bench.null, "table": bench.table}


def report(settings, progress):
    """The report of a request to delete: what changes, by retraining, and nothing is left."""
    docs = names.load(settings.data)
    without = [i for i, found in enumerate(matching(settings.delete, docs)) if found]
    if not without or len(without) == len(docs):
        how = "every one" if without else "none"
        raise ValueError(
            f"--delete {settings.delete!r} is found in {how} of the {len(docs)} documents of "
            f"{settings.data}: give a pattern of some of them, not all"
        )
    run = microgpt.train(docs, context="longest", seed=settings.seed, progress=progress)
    sketched = None
    if settings.directions:
        sketched = sketch(
            run, 2, settings.directions, seed=settings.seed, jobs=settings.jobs, progress=progress
        )
    made = reports.report(
        run, without, sketch=sketched, request=settings.request, texts=not settings.no_texts,
        progress=progress,
    )  # fmt: skip
    made.save(settings.output, overwrite=True)
    print(made)
    return {key: value for key, value in made.numbers.items() if key not in ("made", "versions")}


def write(path, parts):
    """Write paragraphs to a file, and print them."""
    text = "\n\n".join(parts)
    Path(path).write_text(text + "\n", encoding="utf-8")
    print(text)


@dataclasses.dataclass(frozen=True)
class Command:
    """What a command calls, the kinds of its output, and its settings with their defaults."""

    call: Callable
    kinds: tuple
    settings: dict


FIGURE = {"names": None, "test_name": paper.TEST_NAME}
WORK = {"store": None, "jobs": 1}
BOARD = {"names": None, "count": 400, "deletions": 40, "seed": 0, **WORK}
COMMANDS = {
    "figure1": Command(figure1, IMAGES, {**FIGURE, "degree": 100, "directions": 12, **WORK}),
    "figure2": Command(figure2, IMAGES, FIGURE),
    "figure3": Command(figure3, IMAGES, {**FIGURE, "degree": 3, "directions": 500, **WORK}),
    "accuracy": Command(accuracy, TABLE, BOARD),
    "scoreboard": Command(scoreboard, TABLE, {**BOARD, "methods": None}),
    "unlearning": Command(
        forgetting, TABLE, {"names": None, "count": 400, "forget": 20, "seeds": 100, "seed": 0}
    ),
    "report": Command(
        report,
        PAGE,
        {"data": ..., "delete": ..., "request": "", "no_texts": False, "directions": 0}
        | {"seed": SEED, "jobs": 1},
    ),
    "playground": Command(playground, PAGE, {"names": None, "directions": 150, "store": None}),
}
