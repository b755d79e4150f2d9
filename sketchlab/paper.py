"""The experiments of Sam Gunn, "How to sketch a learning algorithm" (arXiv 2604.07328).

`training_run` is the paper's setting to the digit. From the command line,

    python -m sketchlab.paper figure2 --output figure2.png [--names names.txt]

draws the paper's Figure 2, on the embedded names or on the paper's own.
"""

import argparse
import random

import numpy as np

from . import figures, microgpt, names

STEPS = 1000
TEST_NAME = "max"


def training_run(names_path, *, progress=True):
    """The paper's training run: 1000 Adam steps, one name each, on its list of names.

    names_path: the paper's names.txt (see `names.download`). One generator, random.Random(42),
    first shuffles the names and then draws the initial parameters. The run's data are the 1000
    names that the steps use; its vocabulary is that of the whole file.
    """
    docs = names.load(names_path)
    if len(docs) < STEPS:
        raise ValueError(f"the paper's run needs {STEPS} names; {names_path!r} has {len(docs)}")
    rng = random.Random(42)
    rng.shuffle(docs)
    vocabulary = "".join(sorted(set("".join(docs))))
    return microgpt.train(docs[:STEPS], seed=rng, vocabulary=vocabulary, progress=progress)


def deletion(run):
    """The deletion of the paper's Figures 2 and 3: the numbers of the names with an x."""
    return [i for i, name in enumerate(run.data) if "x" in name]


def deletion_curve(run, indices, name, *, degree=6, weights=None, progress=True):
    """Loss on a name as the down-weight z of some documents goes from 0 to 1.

    Returns (weights, losses by exact retraining at each weight, jet of the loss at 0), in nats.
    """
    weights = np.linspace(0, 1, 11) if weights is None else np.asarray(weights, float)
    x = run.indicator(indices)
    retrained = run.retrain(down_weights=weights[:, None] * x, progress=progress)
    jet = run.push(x[None], degree, progress=progress).loss(name)[0]
    return weights, retrained.loss(name), jet


def main(arguments=None):
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m sketchlab.paper", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    figure2 = commands.add_parser("figure2", help="loss against down-weight: jets and retraining")
    figure2.add_argument("--names", help="the paper's names.txt (default: the embedded names)")
    figure2.add_argument("--test-name", default=TEST_NAME)
    figure2.add_argument("--output", required=True, help="image file to write (.png, .svg, .pdf)")
    options = parser.parse_args(arguments)
    if options.names:
        run = training_run(options.names)
    else:
        run = microgpt.train(names.load()[:STEPS])
    curve = deletion_curve(run, deletion(run), options.test_name)
    figure = figures.deletion_curve(*curve, name=options.test_name)
    figure.savefig(options.output, dpi=144)
    print(f"wrote {options.output}")


if __name__ == "__main__":
    main()
