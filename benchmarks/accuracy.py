"""How accurate are predictions, for what cost? Every method against exact retraining.

    python benchmarks/accuracy.py --names names.txt --jobs 2 --result accuracy.json
    python benchmarks/accuracy.py --corpus streets --jobs 2 --result streets.json
    python benchmarks/accuracy.py --table accuracy.json

The first makes the tables (more than half an hour on two cores; without --names, on the embedded
names), the second those of another corpus of `corpora`; the third prints stored ones. Scores and
costs are those of `attribution.scoreboard`. A sketch of lower degree has the jets of that of degree
3, cut off: its values, its bands and its cost are those of a sketch of that degree alone. Rows of
derivatives are those of `evidence`.
"""

import argparse
import dataclasses
import json
import time

import corpora
import numpy as np
from evidence import add_equal, add_gradients

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
TOY_COUNTS = {"count": 40, "directions": 10, "deletions": 3, "unions": 3, "anchors": 4}
TOY_EVIDENCE = {"gradients": 2, "trainings": 60, "trainings_of_units": 60}
LARGEST_SHARE, PATTERN_SHARE = 1 / 4, 1 / 50  # of the documents, deleted at random or as a pattern
TITLES = {
    "documents": "Random deletions of documents, and of those that share a pattern",
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

    def __init__(self, run, outputs, options):
        self.run, self.options, self.rng = run, options, np.random.default_rng(options.seed)
        free = (-np.inf, np.inf)  # bounds would hide how far off a method can be
        self.outputs = [sl.LossOn(output.example, bounds=free) for output in outputs]
        self.work = {"jobs": options.jobs, "progress": not options.quick}

    def timed(self, function, *arguments, **settings):
        """What a function returns, and the seconds of one core that it took."""
        alone = self.options.jobs == 1
        clock = time.process_time if alone else time.perf_counter
        start = clock()
        found = function(*arguments, **settings)
        return found, (clock() - start) * self.options.jobs

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

    def sketch(self, directions, degree=3, **units):
        """A sketch."""
        settings = {"seed": self.options.seed, "anchors": 0, **units, **self.work}
        return sl.sketch(self.run, degree, directions, **settings)

    def anchored(self, sketched, deletions):
        """Every output of a sketch with more anchors: these, or how many suggested."""
        if isinstance(deletions, int):
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
        """Rows of regressions on exact retrainings after random deletions of these sizes.

        Returns the retrainings, and the seconds of one core that each took.
        """
        drawn = (self.rng.choice(sizes) for _ in range(count))
        deletions = random_deletions(len(board.units), drawn, self.rng)
        settings = {**units, **self.work}
        known, seconds = self.timed(
            attribution.retrained, self.run, self.outputs, deletions, **settings
        )
        for kind, degree in kinds:
            name = f"retraining: {kind.replace('_', ' ')} regression of degree {degree}"
            board.add(name, attribution.regression(known, kind, degree), seconds=seconds)
        return known, seconds / count


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


def documents(task, options, pattern):
    """Random deletions of documents, and that of a pattern, with every document a unit."""
    run, n = task.run, len(task.run)
    sizes = [size for size in options.sizes if size <= LARGEST_SHARE * n]
    groups = {size: random_deletions(n, [size] * options.deletions, task.rng) for size in sizes}
    word = "x" if options.corpus == "names" else "pattern"
    groups[word] = run.indicator(pattern)
    board = task.board(groups)
    based = {size: task.first_order(at=size / n) for size in sizes}
    board.add("exact first order at the average deletion", based)
    sketched, seconds = task.timed(task.sketch, options.directions)
    made = task.made(sketched)
    budget = made[0].cost
    for degree in (1, 2, 3):
        board.add(f"plain mean, degree {degree}", cheaper(made, degree), estimator="mean")
    board.add("minimum norm, degree 3", made, seconds=seconds, estimator="minimum_norm")
    board.add("resummed, degree 3", made, seconds=seconds, estimator="resummed")
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
    kinds = [("ridge", 1), ("lasso", 1), ("kernel_ridge", 2)]
    random, per_training = task.add_regressions(board, sizes, budget, kinds)
    add_gradients(task, board, random, per_training)
    made = task.made(task.sketch(options.directions, units={word: pattern}))
    board.add(f"{word} a nested unit: minimum norm", made, estimator="minimum_norm")
    board.add(f"{word} a nested unit: resummed", made, estimator="resummed")
    return board.table


def units(task, options, labels):
    """Unions of units, with half the directions."""
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
    few = options.trainings_of_units
    made, seconds = task.timed(of_larger_unions, task, few, max(sizes), labels)
    name = f"posterior, {few} trainings"
    board.add(name, made, seconds=seconds, estimator="posterior")
    kinds = [("ridge", 1), ("lasso", 1), ("ridge", 2), ("lasso", 2)]
    random, per_training = task.add_regressions(board, sizes, budget, kinds, units=labels)
    add_equal(board, random, per_training, seconds, name, "lasso")
    return board.table


def of_larger_unions(task, trainings, largest, labels):
    """Outputs that know single units, pairs, and as many larger unions as trainings are left."""
    count = len(set(labels))
    sketched = task.sketch(-(-count // 2), degree=1, units=labels)  # what acts alike, exactly
    task.anchored(sketched, "units")
    made = task.anchored(sketched, "pairs")
    rest = max(1, trainings - made[0].cost)
    larger = sketched.suggested_anchors(3 * rest, seed=task.options.seed, largest=largest)
    larger = task.rng.permutation(larger[np.count_nonzero(larger, axis=1) > 2])[:rest]
    return task.anchored(sketched, larger)


def main(arguments=None):
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", choices=corpora.COUNTS, default="names")
    parser.add_argument("--names", help="the paper's names.txt (default: the embedded names)")
    parser.add_argument("--count", type=int, help=f"documents to train on ({corpora.COUNTS})")
    parser.add_argument("--units", choices=LABELS, default="first", help="what units share")
    parser.add_argument("--test-names", default=TEST_NAMES, help="separated by spaces")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--directions", type=int, help="the budget (default: n / 2)")
    parser.add_argument("--anchors", type=int, default=96, help="beside those of single documents")
    parser.add_argument("--deletions", type=int, default=40, help="of each size")
    parser.add_argument("--unions", type=int, default=16, help="of each size")
    parser.add_argument("--gradients", type=int, default=40, help="points with derivatives")
    parser.add_argument("--trainings", type=int, default=3000, help="of the mixture")
    parser.add_argument("--trainings-of-units", type=int, default=700)
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
        vars(options).update(TOY | TOY_COUNTS | TOY_EVIDENCE)
    if options.names and (options.corpus != "names" or options.count):
        parser.error("--names is the paper's run: leave out --corpus and --count")
    options.count = options.count or corpora.COUNTS[options.corpus]
    run, outputs, pattern, labels = asked(options)
    options.directions = options.directions or len(run) // 2
    kept = {key: value for key, value in vars(options).items() if key not in ("names", "result")}
    result = {"settings": kept}
    result["documents"] = documents(Task(run, outputs, options), options, pattern)
    if labels:
        result["units"] = units(Task(run, outputs, options), options, labels)
    if options.result:
        with open(options.result, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=1)
    return show(result)


def asked(options):
    """A run, its outputs, documents that share a pattern, and what unit each document is of."""
    if options.corpus == "names":
        if options.names:
            run = sl.paper.training_run(options.names)
        else:
            run = sl.train(sl.names.load()[: options.count], progress=not options.quick)
        outputs = [sl.LossOn(name) for name in options.test_names.split()]
        label = LABELS[options.units]
        return run, outputs, sl.paper.deletion(run), [label(name) for name in run.data]
    make = corpora.table if options.corpus == "table" else corpora.documents
    corpus = make(options)
    pattern = min(
        corpus.alike, key=lambda group: abs(np.log(len(group) / (PATTERN_SHARE * len(corpus.run))))
    )
    return corpus.run, corpus.outputs[corpora.KINDS["losses"]], list(pattern), corpus.first


def show(result):
    """Print all tables."""
    for part, title in TITLES.items():
        for score, name in SCORES.items():
            if table := markdown(result.get(part, []), score):
                print(f"{title}: {name}\n\n{table}\n")


if __name__ == "__main__":
    main()
