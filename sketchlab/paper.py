"""The experiments of Sam Gunn, "How to sketch a learning algorithm" (arXiv 2604.07328).

`training_run` is the paper's setting to the digit. `commands` draws the figures:

    python -m sketchlab figure2 --output figure2.png --names names.txt
"""

import hashlib
import random
import warnings
from pathlib import Path

import numpy as np

from . import reports
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


@takes(documents=check_count, directions=check_count)
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
