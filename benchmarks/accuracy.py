"""How accurate are predictions, for what cost? Every method against exact retraining.

    python benchmarks/accuracy.py --names names.txt --jobs 2 --result accuracy.json
    python benchmarks/accuracy.py --table accuracy.json

The first makes the tables (about half an hour on two cores; without --names, on the embedded
names), the second prints stored ones. Scores and costs are those of `attribution.scoreboard`. A
sketch of lower degree has the jets of that of degree 3, cut off: its values, its bands and its cost
are those of a sketch of that degree alone.
"""

import argparse
import dataclasses
import json

import numpy as np

import sketchlab as sl
from sketchlab import attribution
from sketchlab.attribution import Scoreboard, effects, markdown, random_deletions

TEST_NAMES = "max emma zoe xavier jax olivia noah kayla brix william"
LABELS = {
    "first": lambda name: name[0],
    "last": lambda name: name[-1],
    "length": lambda name: f"{len(name):02d}",
}
SIZES, UNION_SIZES = (1, 5, 20, 50, 100, 200), (1, 2, 3, 5, 8)
TOY = {"test_names": "max mia", "units": "length", "sizes": (1, 5), "union_sizes": (1, 2)}
TOY_COUNTS = {"directions": 10, "deletions": 3, "unions": 3, "anchors": 4}
TITLES = {
    "documents": "Random deletions of documents, and all names with an x",
    "units": "Unions of units",
}
SCORES = {
    "rmse": "error in nats, coverage in brackets",
    "lds": "LDS",
    "width": "mean width of the finite bands in nats",
    "interval": "mean interval score of the finite bands in nats",
}


class Task:
    """A training run with its outputs; methods that need both, with the settings of all work."""

    def __init__(self, run, options):
        self.run, self.options, self.rng = run, options, np.random.default_rng(options.seed)
        names = options.test_names.split()  # without bounds: averages show all their noise
        free = (-np.inf, np.inf)  # bounds would hide how far off a method can be
        self.outputs = [sl.LossOn(name, bounds=free) for name in names]
        self.work = {"jobs": options.jobs, "progress": not options.quick}

    def board(self, groups, **units):
        """A `Scoreboard`, with its first rows."""
        board = Scoreboard(self.run, self.outputs, groups, **units, **self.work)
        board.add("no prediction (effect size)", [effects(one, 0) for one in board.exact])
        board.add("exact first order", self.first_order(**units))
        return board

    def first_order(self, **settings):
        """Exact first order of every output."""
        progress = self.work["progress"]
        return attribution.first_order(self.run, self.outputs, progress=progress, **settings)

    def sketch(self, directions, **units):
        """A sketch of degree 3."""
        return sl.sketch(self.run, 3, directions, seed=self.options.seed, **units, **self.work)

    def anchored(self, sketched, deletions):
        """Every output of a sketch with more anchors: a kind of them, or how many suggested."""
        if not isinstance(deletions, str):
            deletions = sketched.suggested_anchors(deletions, seed=self.options.seed)
        sketched.anchor(self.run, deletions, **self.work)
        return self.made(sketched)

    def made(self, sketched):
        """Every output of a sketch."""
        return [sketched.output(output) for output in self.outputs]

    def add_taylor_terms(self, board, made, degree, **units):
        """Rows of exact Taylor terms, and of those to degree 3 resummed."""
        settings = {"degree": degree, **units, **self.work}
        terms = attribution.taylor_terms(self.run, self.outputs, board.deletions, **settings)
        for cut in range(1, degree + 1):
            found = [one.part(degree=cut) for one in terms]
            board.add(f"exact Taylor terms to degree {cut}", found)
        pairs = zip(terms, made, strict=True)
        resummed = [one.part(degree=3).resummed(output) for one, output in pairs]
        board.add("exact Taylor terms to degree 3, resummed", resummed)

    def add_regressions(self, board, sizes, count, kinds, **units):
        """Rows of regressions on exact retrainings after random deletions of these sizes."""
        drawn = (self.rng.choice(sizes) for _ in range(count))
        deletions = random_deletions(len(board.units), drawn, self.rng)
        known = attribution.retrained(self.run, self.outputs, deletions, **units, **self.work)
        for kind, degree in kinds:
            name = f"retraining: {kind.replace('_', ' ')} regression of degree {degree}"
            board.add(name, attribution.regression(known, kind, degree))


def cheaper(made, degree, **changes):
    """The outputs of a sketch of lower degree alone, whose bands know of no other jets.

    changes: fields that are changed, by functions of an output.
    """
    changes = {"coefficients": lambda output: output.coefficients[: degree + 1], **changes}
    changes["cut"] = lambda _: None
    return [
        dataclasses.replace(output, **{name: change(output) for name, change in changes.items()})
        for output in made
    ]


def of_anchors(made, order=1):
    """Sums of effects, from the anchors of outputs alone."""
    return [effects(attribution.Retrained.anchors(output), order) for output in made]


def documents(task, options):
    """Random deletions of documents, and the paper's deletion, with every document a unit."""
    run, n, sizes = task.run, len(task.run), options.sizes
    groups = {size: random_deletions(n, [size] * options.deletions, task.rng) for size in sizes}
    groups["x"] = run.indicator(sl.paper.deletion(run))
    board = task.board(groups)
    based = {size: task.first_order(at=size / n) for size in sizes}
    board.add("exact first order at the average deletion", based)
    sketched = task.sketch(options.directions)
    made = task.made(sketched)
    budget = made[0].cost
    for degree in (1, 2, 3):
        board.add(f"plain mean, degree {degree}", cheaper(made, degree), estimator="mean")
    board.add("minimum norm, degree 3", made, estimator="minimum_norm")
    board.add("resummed, degree 3", made, estimator="resummed")
    task.add_taylor_terms(board, made, 5)

    task.anchored(sketched, "units")
    made = task.anchored(sketched, options.anchors)
    first = {"anchors": lambda o: o.anchors[:n], "anchor_values": lambda o: o.anchor_values[:n]}
    for name, found in {
        "anchored, degree 2": cheaper(made, 2),
        "anchored, without the interaction form": cheaper(made, 2, influence=lambda _: None),
        "anchored, to single documents alone": cheaper(made, 2, **first),
        "anchors alone, without jets": cheaper([o.part(directions=1) for o in made], 0),
    }.items():
        board.add(name, found, estimator="posterior")
    board.add("retraining: sum of single effects", of_anchors(made))
    kinds = [("ridge", 1), ("lasso", 1), ("kernel_ridge", 2)]
    task.add_regressions(board, sizes, budget, kinds)
    made = task.made(task.sketch(options.directions, units={"x": sl.paper.deletion(run)}))
    board.add("x a nested unit: minimum norm", made, estimator="minimum_norm")
    board.add("x a nested unit: resummed", made, estimator="resummed")
    return board.table


def units(task, options):
    """Unions of units, with half the directions."""
    labels = [LABELS[options.units](name) for name in task.run.data]
    n, sizes, unions = len(set(labels)), options.union_sizes, options.unions
    groups = {size: random_deletions(n, [size] * unions, task.rng) for size in sizes}
    board = task.board(groups, units=labels)
    half = options.directions // 2
    made = task.made(task.sketch(half, units=labels))
    budget = made[0].cost
    board.add("mean, degree 3", made, estimator="mean")
    board.add("minimum norm, degree 3", made, estimator="minimum_norm")
    board.add("resummed, degree 3", made, estimator="resummed")
    task.add_taylor_terms(board, made, 3, units=labels)

    sketched = task.sketch(max(2, half * 2 // 5), units=labels)
    made = task.anchored(sketched, "units")
    board.add("anchored to single units", made, estimator="posterior")
    made = task.anchored(sketched, "pairs")
    made = task.anchored(sketched, max(2, budget - made[0].cost))
    board.add("anchored to singles, pairs and more", made, estimator="posterior")
    board.add("retraining: sum of single effects", of_anchors(made))
    board.add("retraining: all pairs", of_anchors(made, 2))
    kinds = [("ridge", 1), ("lasso", 1), ("ridge", 2), ("lasso", 2)]
    task.add_regressions(board, sizes, budget, kinds, units=labels)
    return board.table


def main(arguments=None):
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--names", help="the paper's names.txt (default: the embedded names)")
    parser.add_argument("--units", choices=LABELS, default="first", help="what units share")
    parser.add_argument("--test-names", default=TEST_NAMES, help="separated by spaces")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--directions", type=int, default=500, help="the budget")
    parser.add_argument("--anchors", type=int, default=96, help="beside those of single documents")
    parser.add_argument("--deletions", type=int, default=40, help="of each size")
    parser.add_argument("--unions", type=int, default=16, help="of each size")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--result", help="write the numbers here, as JSON")
    parser.add_argument("--table", help="only print the tables of this result")
    parser.add_argument("--quick", action="store_true", help="a toy run that tests this program")
    parser.set_defaults(sizes=SIZES, union_sizes=UNION_SIZES)
    options = parser.parse_args(arguments)
    if options.table:
        with open(options.table, encoding="utf-8") as file:
            return show(json.load(file))
    if options.quick:
        vars(options).update(TOY | TOY_COUNTS)
        run = sl.train(sl.names.load()[:40], progress=False)
    elif options.names:
        run = sl.paper.training_run(options.names)
    else:
        run = sl.train(sl.names.load()[:1000])
    kept = {key: value for key, value in vars(options).items() if key not in ("names", "result")}
    result = {"settings": kept}
    result["documents"] = documents(Task(run, options), options)
    result["units"] = units(Task(run, options), options)
    if options.result:
        with open(options.result, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=1)
    return show(result)


def show(result):
    """Print all tables."""
    for part, title in TITLES.items():
        for score, name in SCORES.items():
            if table := markdown(result[part], score):
                print(f"{title}: {name}\n\n{table}\n")


if __name__ == "__main__":
    main()
