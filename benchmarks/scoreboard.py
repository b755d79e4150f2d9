"""Every attribution method beside exact retraining, on three problems.

    python benchmarks/scoreboard.py names --names names.txt --jobs 2 --result scoreboard_names.json
    python benchmarks/scoreboard.py table --jobs 2 --result scoreboard_table.json
    python benchmarks/scoreboard.py digits --jobs 2 --result scoreboard_digits.json
    python benchmarks/scoreboard.py show scoreboard_names.json

names: microgpt on 1000 names, as in the paper (without --names: on the embedded names); outputs
are the losses on ten names (trained on few names: on others that can be written). table: logistic
regression on 400 rows of scikit-learn's breast cancer, to its minimum, where Newton steps and
refitting stand beside the others; outputs are the losses on ten rows that were held out. digits: a
network of one hidden layer on 400 of scikit-learn's digits, ten passes of Adam; outputs are the
losses on ten others. Deletions are random, forty of each size.
A call that was interrupted goes on from the result's file.
"""

import argparse
import time

import numpy as np

import sketchlab as sl
from sketchlab import attribution, commands, ring
from sketchlab.attribution import ConvexFit, Made, Method, random_deletions
from sketchlab.attribution.tables import costs, markdown_table, summary

SIZES = {"names": (5, 20, 50, 100, 200), "table": (1, 5, 20, 50), "digits": (1, 5, 20, 50)}
OUTPUTS, DELETIONS, TRAINED = 10, 40, 400
PENALTY = 1.0  # of the table, as a sum over rows
CONVERGED = {"steps": 1500, "optimizer": {"learning_rate": 0.3, "momentum": 0.95}}
PASSES, MINIBATCH, HIDDEN = 10, 20, 24
QUICK = ["no change", "exact first order", "sum of single effects"]
LINK = "cross_entropy"  # what all three losses are


def names(options):
    """microgpt on names."""
    if options.names:
        run = sl.paper.training_run(options.names, progress=False)
    else:
        run = sl.train(sl.names.load()[: options.count or 1000], progress=False)
    return run, commands.losses(run), {}


def table(options):
    """Logistic regression, trained to its minimum, with what is exact there."""
    from sklearn.datasets import load_breast_cancer

    rows, labels, count = *shuffled(load_breast_cancer), options.count or TRAINED
    rows = (rows - rows[:count].mean(axis=0)) / rows[:count].std(axis=0)
    rows = np.column_stack([rows, np.ones(len(rows))])
    signs = 2.0 * labels - 1.0

    def logistic(parameters, chosen):
        scores = ring.matmul(rows[chosen], parameters["w"][..., None])[..., 0]
        return ring.softplus(-signs[chosen] * scores)

    settings = CONVERGED["optimizer"] | {"weight_decay": PENALTY / count}
    run = sl.TrainingRun(
        sl.Model({"w": np.zeros(rows.shape[1])}, logistic),
        np.arange(count),
        optimizer=sl.SGD(**settings),
        steps=CONVERGED["steps"],
        batch_size=count,
        progress=False,
    )
    fit = ConvexFit(rows[:count], labels[:count], PENALTY)
    outputs = held_out(run, range(count, len(rows)))

    def newton(by):
        def make(task):
            asked = [after(run, function) for function in task.outputs]
            return Made([fit.output(function, by) for function in asked])

        return Method(make, "trained model" if by != "refit" else "training again")

    return run, outputs, {
        "influence on the parameters": newton("influence"),
        "sum of single Newton steps": newton("singles"),
        "group Newton step": newton("group"),
        "refit by Newton's method": newton("refit"),
    }  # fmt: skip


def after(run, function):
    """An output as a function of the parameters of the regression."""
    return lambda w: float(function(run.initial.with_parameters({"w": w})))


def digits(options):
    """A network of one hidden layer, with a loss that has many minima."""
    from sklearn.datasets import load_digits

    images, labels, count = *shuffled(load_digits), options.count or TRAINED
    images, rng = images / 16.0, np.random.default_rng(1)

    def network(parameters, chosen):
        hidden = ring.tanh(
            ring.linear(images[chosen], parameters["first"]) + parameters["bias"][..., None, :]
        )
        scores = ring.linear(hidden, parameters["second"])
        return ring.cross_entropy(scores[..., None, :], labels[chosen][:, None])

    start = {
        "first": rng.normal(size=(HIDDEN, 64)) / 8.0,
        "bias": np.zeros(HIDDEN),
        "second": rng.normal(size=(10, HIDDEN)) / HIDDEN**0.5,
    }
    batch = min(MINIBATCH, count)
    run = sl.TrainingRun(
        sl.Model(start, network),
        np.arange(count),
        optimizer=sl.Adam(),
        steps=PASSES * count // batch,
        batch_size=batch,
        progress=False,
    )
    return run, held_out(run, range(count, len(labels))), {}


PROBLEMS = {"names": names, "table": table, "digits": digits}


def shuffled(load):
    """Rows and labels of a data set of scikit-learn, in random order."""
    rows, labels = load(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    return rows[order], labels[order]


def held_out(run, rows):
    """Losses on rows that were not trained on, from among the harder half."""
    ranked = sorted(rows, key=lambda row: -float(run.model.loss(row)))[: len(rows) // 2]
    chosen = np.linspace(0, len(ranked) - 1, OUTPUTS).astype(int)
    return [sl.LossOn(int(ranked[i]), bounds=commands.FREE) for i in chosen]


def main(arguments=None):
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("problem", choices=[*PROBLEMS, "show"])
    parser.add_argument("stored", nargs="?", help="the result to show")
    parser.add_argument("--names", help="the paper's names.txt (default: the embedded names)")
    parser.add_argument("--count", type=int, help="documents to train on")
    parser.add_argument("--deletions", type=int, default=DELETIONS, help="of each size")
    parser.add_argument("--methods", nargs="+", help="only these (default: all that fit)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--result", help="keep the numbers here, as JSON, and go on from there")
    parser.add_argument("--quick", action="store_true", help="a toy run that tests this program")
    options = parser.parse_args(arguments)
    if options.problem == "show":
        return show(attribution.Results.read(options.stored))
    if options.quick:
        options.count, options.deletions = 40, 8
        options.methods = options.methods or QUICK
    run, outputs, own = PROBLEMS[options.problem](options)
    rng = np.random.default_rng(options.seed)
    sizes = [size for size in SIZES[options.problem] if size <= len(run) / 4]
    groups = {size: random_deletions(len(run), [size] * options.deletions, rng) for size in sizes}
    known = attribution.available(run, outputs, link=LINK) | own
    start = time.perf_counter()
    found = attribution.scoreboard(
        run,
        {name: known[name] for name in options.methods or known},
        groups,
        outputs,
        link=LINK,
        store=options.result,
        seed=options.seed,
        jobs=options.jobs,
        progress=not options.quick,
    )
    show(found)
    print(f"{time.perf_counter() - start:.0f} seconds")
    return found


def show(found):
    """Print the tables."""
    for score, title in {"rmse": "error", "lds": "LDS"}.items():
        print(f"{title}\n\n{found.markdown(score)}\n")
    print(f"scores with intervals, and costs\n\n{markdown(found)}\n")


def markdown(found):
    """Scores of the second and the last size of deletions, with intervals, and costs."""
    few = list(dict.fromkeys([*found.groups[1:2], found.groups[-1]]))
    heads, rows = summary(found.table, few)
    more, spent = costs(found.table)
    joined = [[*row[:-1], *line[1:]] for row, line in zip(rows, spent, strict=True)]
    return markdown_table([*heads[:-1], *more[1:]], joined)


if __name__ == "__main__":
    main()
