"""The experiments of Sam Gunn, "How to sketch a learning algorithm" (arXiv 2604.07328).

`training_run` is the paper's setting to the digit. From the command line,

    python -m sketchlab.paper figure2 --output figure2.png [--names names.txt]
    python -m sketchlab.paper figure3 --output figure3.png --store sketch --jobs 2

draw the paper's figures, on the embedded names or on the paper's own. With --store, a run that was
interrupted goes on where it stopped.

    python -m sketchlab.paper playground --output playground.html

makes a page to play with the method, for people without Python: a minute.
"""

import argparse
import hashlib
import json
import random
import time
import warnings
from pathlib import Path

import numpy as np

from . import figures, reports
from .arguments import check_path, check_text, of_shape, takes
from .checks import check_count, check_degree
from .estimation.averages import Mean, term_samples
from .estimation.directions import symmetric_dimension
from .estimation.prediction import prediction
from .sketching.sketch import sketch
from .training import microgpt, names
from .training.outputs import LossOn, MeanLoss, NextLetter

STEPS = 1000
TEST_NAME = "max"
DESIGN = "independent"  # directions as in the paper; its estimate is the plain mean


def training_run(names_path, *, progress=True):
    """The paper's training run: 1000 Adam steps, one name each, on its list of names.

    names_path: the paper's names.txt (see `names.download`). One generator, random.Random(42),
    first shuffles the names and then draws the initial parameters. The run's data are the 1000
    names that the steps use; its vocabulary is that of the whole file.
    """
    if names_path is None:
        raise TypeError("give the path of the paper's names: names.download(folder) returns it")
    docs = names.load(names_path)
    if len(docs) < STEPS:
        raise ValueError(f"the paper's run needs {STEPS} names; {names_path!r} has {len(docs)}")
    if hashlib.sha256(Path(names_path).read_bytes()).hexdigest() != names.SHA256:
        warnings.warn(
            f"{str(names_path)!r} is not the paper's list: the numbers will not be the paper's",
            stacklevel=2,
        )
    rng = random.Random(42)
    rng.shuffle(docs)
    vocabulary = "".join(sorted(set("".join(docs))))
    return microgpt.train(docs[:STEPS], seed=rng, vocabulary=vocabulary, progress=progress)


@takes()
def deletion(run):
    """The deletion of the paper's Figures 2 and 3: the numbers of the names with an x."""
    return [i for i, name in enumerate(run.data) if "x" in name]


@takes(name=check_text, degree=check_degree, weights=of_shape(None))
def deletion_curve(run, indices, name, *, degree=6, weights=None, progress=True):
    """Loss on a name as the down-weight z of some documents goes from 0 to 1.

    Returns (weights, losses by exact retraining at each weight, jet of the loss at 0), in nats.
    """
    weights = np.linspace(0, 1, 11) if weights is None else np.asarray(weights, float)
    x = run.indicator(indices)
    retrained = run.retrain(down_weights=weights[:, None] * x, progress=progress)
    jet = run.push(x[None], degree, progress=progress).loss(name)[0]
    return weights, retrained.loss(name), jet


@takes(name=check_text, degree=check_count, directions=check_count, store=check_path)
def figure1(run, name=TEST_NAME, *, degree=100, directions=12, store=None, jobs=1, progress=True):
    """The stability of training: log2 of sqrt(C(n+r-1, r)) |c_r| for every direction and degree r.

    Returns a dict of JSON values with the key `log2`, of shape (directions, degree + 1).
    """
    sketched = sketch(
        run, degree, directions, design=DESIGN, anchors=0, store=store, jobs=jobs, progress=progress
    )
    coefficients = sketched.output(LossOn(name)).coefficients
    sizes = symmetric_dimension(len(run), np.arange(degree + 1))
    with np.errstate(divide="ignore"):
        log2 = 0.5 * np.log2(sizes)[:, None] + np.log2(np.abs(coefficients))
    return {"name": name, "documents": len(run), "log2": np.round(log2.T, 4).tolist()}


@takes(name=check_text, degree=check_count, directions=check_count, store=check_path)
def figure3(run, name=TEST_NAME, *, degree=3, directions=500, store=None, jobs=1, progress=True):
    """Predicted loss curves of every degree with their bands, beside exact retraining.

    The bands are those of the paper: sampling error alone, not what the cut leaves out.

    Returns a dict of JSON values: weights, retrained, and per degree values, low and high.
    """
    deleted, weights = deletion(run), np.linspace(0, 1, 11)
    sketched = sketch(
        run, degree, directions, design=DESIGN, anchors=0, store=store, jobs=jobs, progress=progress
    )
    output = sketched.output(LossOn(name))
    x = run.indicator(deleted)
    retrained = run.retrain(down_weights=weights[:, None] * x, progress=progress).loss(name)
    result = {
        "name": name,
        "deleted": len(deleted),
        "directions": directions,
        "weights": weights.tolist(),
        "retrained": retrained.tolist(),
        "degrees": {},
    }
    samples = term_samples(output.coefficients, output.directions.duals, weights[:, None] * x)
    for cut in range(1, degree + 1):
        found = prediction(Mean().from_samples(samples[: cut + 1]), now=output.now)
        result["degrees"][str(cut)] = {
            "values": found.value.tolist(),
            "low": found.low.tolist(),
            "high": found.high.tolist(),
        }
    return result


def playground(names_path=None, *, documents=300, directions=150, store=None, progress=True):
    """The page to play with, of microgpt on the first names of a list: a `reports.Playground`.

    names_path: a file of names; default: the embedded ones, asked for the names of the notebooks.
    """
    docs = names.load(names_path)
    run = microgpt.train(docs[:documents], progress=progress)
    first = {}
    for number, name in enumerate(run.data):
        first.setdefault(name[0], []).append(number)
    sketched = sketch(run, 2, directions, units=first, store=store, progress=progress)
    outputs = None
    if names_path is None:
        outputs = [LossOn(name) for name in ("zoe", "max", "kayla")]
        outputs += [NextLetter("n", "a"), MeanLoss(names.unseen(run, 20))]
    return reports.playground(
        run,
        sketched,
        outputs=outputs,
        title="What if the model had never seen these names?",
        about=f"A small language model has learned from {len(run)} given names.",
        progress=progress,
    )


def main(arguments=None):
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m sketchlab.paper", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for command, what in (
        ("figure1", "stability: size of the Taylor coefficients up to degree 100"),
        ("figure2", "loss against down-weight: jets along the deletion, and retraining"),
        ("figure3", "loss against down-weight: predicted from random directions, and retraining"),
    ):
        options = commands.add_parser(command, help=what)
        options.add_argument("--names", help="the paper's names.txt (default: the embedded names)")
        options.add_argument("--test-name", default=TEST_NAME)
        options.add_argument("--output", required=True, help="image to write (.png, .svg, .pdf)")
        if command != "figure2":
            options.add_argument("--result", help="also write the numbers, as JSON")
            options.add_argument(
                "--store", help="folder for the sketch: an interrupted run goes on"
            )
            options.add_argument("--jobs", type=int, default=1, help="processes")
            options.add_argument(
                "--directions", type=int, default=12 if command == "figure1" else 500
            )
            options.add_argument("--degree", type=int, default=100 if command == "figure1" else 3)
    options = commands.add_parser("playground", help="a page to play with, which loads nothing")
    options.add_argument("--names", help="a file of names (default: the embedded names)")
    options.add_argument("--output", required=True, help="page to write (.html); replaces it")
    options.add_argument("--store", help="folder for the sketch: an interrupted run goes on")
    options.add_argument("--directions", type=int, default=150)
    options = parser.parse_args(arguments)
    output, page = Path(options.output), options.command == "playground"
    suffixes = (".html",) if page else (".png", ".svg", ".pdf")
    if not output.parent.is_dir() or output.suffix not in suffixes:
        kinds = " or ".join(filter(None, [", ".join(suffixes[:-1]), suffixes[-1]]))
        parser.error(f"--output must be a {kinds} file in an existing folder: {output}")
    if page:
        made = playground(options.names, directions=options.directions, store=options.store)
        print(f"wrote {made.save(output, overwrite=True)}: {made!r}")
        return
    run = training_run(options.names) if options.names else microgpt.train(names.load()[:STEPS])
    if options.command == "figure2":
        curve = deletion_curve(run, deletion(run), options.test_name)
        figure = figures.deletion_curve(*curve, name=options.test_name)
    else:
        compute = {"figure1": figure1, "figure3": figure3}[options.command]
        start = time.perf_counter()
        result = compute(
            run,
            options.test_name,
            degree=options.degree,
            directions=options.directions,
            store=options.store,
            jobs=options.jobs,
        )
        print(f"computed in {time.perf_counter() - start:.0f} s")
        if options.result:
            with open(options.result, "w", encoding="utf-8") as file:
                json.dump(result, file)
        draw = {"figure1": figures.stability, "figure3": figures.predicted_curves}[options.command]
        figure = draw(result)
    figure.savefig(options.output, dpi=144)
    print(f"wrote {options.output}")


if __name__ == "__main__":
    main()
