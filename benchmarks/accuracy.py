"""How accurate are predictions, for what cost? Every method against exact retraining.

    python benchmarks/accuracy.py --names names.txt --jobs 2 --result accuracy.json
    python benchmarks/accuracy.py --table accuracy.json

The first makes the table (about half an hour on two cores; without --names, on the embedded names),
the second prints a stored one. Errors are root mean squares over deletions and test names, in nats.
LDS: Spearman correlation of predicted and true outputs over the deletions of one size, mean over
the test names. inside: share of truths inside the 90% band. Costs are in trainings; a direction of
degree K counts (K+1)(K+2)/2, as it has that many products where a training has one.
"""

import argparse
import dataclasses
import json

import joblib
import numpy as np
from scipy import stats
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LassoCV, RidgeCV
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import PolynomialFeatures

import sketchlab as sl
from sketchlab.attribution import first_order
from sketchlab.estimation import resummation
from sketchlab.estimation.minimum_norm import forms

TEST_NAMES = "max emma zoe xavier jax olivia noah kayla brix william"
LABELS = {
    "first": lambda name: name[0],
    "last": lambda name: name[-1],
    "length": lambda name: f"{len(name):02d}",
}
PRODUCTS = {1: 3, 2: 6, 3: 10}


def outputs(test_names):
    """One output per test name."""
    return {name: (lambda model, name=name: model.loss(name)) for name in test_names}


class Task:
    """A training run, its test names, and exact answers."""

    def __init__(self, run, test_names, jobs, progress):
        self.run, self.outputs, self.jobs, self.progress = run, outputs(test_names), jobs, progress

    def _parallel(self, function, rows):
        parts = [rows[i : i + 32] for i in range(0, len(rows), 32)]
        done = joblib.Parallel(n_jobs=self.jobs)(joblib.delayed(function)(part) for part in parts)
        return np.concatenate(done, axis=-2)

    def retrained(self, down_weights):
        """Exact outputs after retraining, (deletions, test names)."""
        return self._parallel(self._losses, down_weights)

    def _losses(self, down_weights):
        model = self.run.retrain(down_weights=down_weights, progress=False)
        return np.stack([output(model) for output in self.outputs.values()], axis=-1)

    def terms(self, down_weights, degree=5):
        """Exact Taylor terms, (degree + 1, deletions, test names)."""
        return self._parallel(lambda rows: self._jets(rows, degree), down_weights)

    def _jets(self, down_weights, degree):
        model = self.run.push(down_weights, degree, progress=False)
        return np.stack([output(model).coefficients for output in self.outputs.values()], axis=-1)

    def first_orders(self, at=0.0):
        """`FirstOrder` of every test name."""
        return first_order(self.run, list(self.outputs.values()), at=at, progress=self.progress)


def scores(truth, predicted, groups, band=None):
    """Root mean square error, LDS and coverage per group of deletions."""
    found = {}
    for group, rows in groups.items():
        error = predicted[rows] - truth[rows]
        row = {"rmse": float(np.sqrt(np.mean(error**2)))}
        if len(error) > 2:
            ranks = [
                stats.spearmanr(predicted[rows, i], truth[rows, i]).statistic
                for i in range(truth.shape[1])
                if np.ptp(predicted[rows, i]) > 0
            ]
            if ranks:
                row["lds"] = float(np.mean(ranks))
        if band is not None:
            low, high = band
            slack = 1e-9  # where the truth is one of the data, the band has no width
            inside = (low[rows] - slack <= truth[rows]) & (truth[rows] <= high[rows] + slack)
            row["inside"] = float(np.mean(inside))
        found[str(group)] = row
    return found


def from_outputs(found, down_weights, **settings):
    """Predicted values and band, each (deletions, test names), of one `Output` per test name."""
    predictions = [output.predict_many(down_weights, **settings) for output in found]
    return tuple(
        np.array([[getattr(p, what) for p in row] for row in predictions]).T
        for what in ("value", "low", "high")
    )


def regressions(x, y, moves, degrees):
    """Ridge and lasso regression on exact retrainings: a prediction per degree and penalty."""
    found = {}
    for degree in degrees:
        polynomial = PolynomialFeatures(degree, interaction_only=True, include_bias=False)
        features, wanted = polynomial.fit_transform(x), polynomial.transform(moves)
        ridge = RidgeCV(np.logspace(-4, 4, 17)).fit(features, y)
        found[f"ridge regression of degree {degree}"] = ridge.predict(wanted)
        columns = [LassoCV(alphas=20, cv=4, max_iter=5000).fit(features, c) for c in y.T]
        found[f"lasso regression of degree {degree}"] = np.stack(
            [column.predict(wanted) for column in columns], axis=-1
        )
    return found


def kernel_regression(x, y, moves):
    """Ridge regression on all monomials of degree 1 and 2, by their kernel."""
    mean = y.mean(axis=0)
    grid = {"gamma": [0.01, 0.001], "alpha": [1e-3, 1e-2, 1e-1, 1.0, 10.0]}
    search = GridSearchCV(KernelRidge(kernel="poly", degree=2, coef0=1.0), grid, cv=3)
    return search.fit(x, y - mean).predict(moves) + mean


def documents(task, sizes, options, x_deletion):
    """Random deletions of documents, and the paper's deletion, with every document a unit."""
    run, n, rng = task.run, len(task.run), np.random.default_rng(options.seed)
    rows, groups = [], {}
    for size in sizes:
        groups[size] = slice(len(rows), len(rows) + options.deletions)
        rows += [
            run.indicator(rng.choice(n, size, replace=False)) for _ in range(options.deletions)
        ]
    groups["x"] = slice(len(rows), len(rows) + 1)
    x = np.array([*rows, run.indicator(x_deletion)])
    truth = task.retrained(x)
    table = []

    def add(method, cost, predicted, band=None):
        table.append({"method": method, "cost": cost, **scores(truth, predicted, groups, band)})

    now = np.array([output(run.model) for output in task.outputs.values()])
    add("no prediction (effect size)", 0, np.tile(now, (len(x), 1)))
    exact = task.first_orders()
    gradient = np.array([output.gradient for output in exact])
    add("exact first order", "3 per output", now + x @ gradient.T)
    based = np.tile(now, (len(x), 1))
    for size in sizes:
        at = task.first_orders(size / n)
        values = np.array([output.value for output in at])
        slopes = np.array([output.gradient for output in at])
        based[groups[size]] = values + (x[groups[size]] - size / n) @ slopes.T
    table.append(
        {
            "method": "exact first order at the average deletion",
            "cost": "3 per output and size",
            **scores(truth, based, {size: groups[size] for size in sizes}),
        }
    )
    sketched = sl.sketch(
        run, 3, options.directions, seed=options.seed, jobs=task.jobs, progress=task.progress
    )
    made = [sketched.output(output) for output in task.outputs.values()]
    for degree in (1, 2, 3):
        value, *band = from_outputs(made, x, estimator="mean", degree=degree)
        add(f"plain mean, degree {degree}", options.directions * PRODUCTS[degree], value, band)
    for name in ("minimum_norm", "resummed"):
        value, *band = from_outputs(made, x, estimator=name)
        add(f"{name.replace('_', ' ')}, degree 3", options.directions * PRODUCTS[3], value, band)
    terms = task.terms(x)
    for degree in range(1, 6):
        add(f"exact Taylor terms to degree {degree}", None, terms[: degree + 1].sum(axis=0))
    typical = np.stack([forms(output).at(x)[2] for output in made], axis=-1)
    deleted = x.sum(axis=1)
    rest = np.stack(
        [resummation.rest(terms[:4, :, i], typical[..., i], deleted) for i in range(len(made))],
        axis=-1,
    )
    add("exact Taylor terms to degree 3, resummed", None, terms[:4].sum(axis=0) + rest)
    sketched.anchor(run, "units", jobs=task.jobs, progress=task.progress)
    alone = np.array([output(run.model) for output in task.outputs.values()])
    singles = (
        np.stack([sketched.output(o).anchor_values for o in task.outputs.values()], -1) - alone
    )
    more = sketched.suggested_anchors(options.anchors, seed=options.seed)
    sketched.anchor(run, more, jobs=task.jobs, progress=task.progress)
    made = [sketched.output(output) for output in task.outputs.values()]
    value, *band = from_outputs(made, x, estimator="anchored", degree=2)
    cost = options.directions * PRODUCTS[2] + len(sketched.anchors)
    add("anchored, degree 2", cost, value, band)
    for method, trainings, parts, degree in ablations(made, n, options.directions):
        value, *band = from_outputs(parts, x, estimator="anchored", degree=degree)
        add(method, trainings, value, band)
    add("retraining: sum of single effects", n, now + x @ singles)
    budget = options.directions * PRODUCTS[3]
    known = np.array(
        [run.indicator(rng.choice(n, rng.choice(sizes), replace=False)) for _ in range(budget)]
    )
    answers = task.retrained(known)
    for method, predicted in regressions(known, answers, x, [1]).items():
        add(f"retraining: {method}", budget, predicted)
    predicted = kernel_regression(known, answers, x)
    add("retraining: kernel ridge regression of degree 2", budget, predicted)
    if options.nested:
        nested = sl.sketch(
            run,
            3,
            options.directions,
            units={"x": x_deletion},
            seed=options.seed,
            jobs=task.jobs,
            progress=task.progress,
        )
        made = [nested.output(output) for output in task.outputs.values()]
        for name in ("minimum_norm", "resummed"):
            value, *band = from_outputs(made, x, estimator=name)
            add(f"x a nested unit: {name.replace('_', ' ')}", budget, value, band)
    return table


def ablations(made, n, directions):
    """Parts of the anchored estimate: name, cost, outputs and degree."""
    jets, anchors = directions * PRODUCTS[2], len(made[0].anchors)

    def changed(**fields):
        return [
            dataclasses.replace(
                output, fitted={}, **{key: change(output) for key, change in fields.items()}
            )
            for output in made
        ]

    alone = changed(influence=lambda output: None)
    singles = changed(
        anchors=lambda output: output.anchors[:n],
        anchor_values=lambda output: output.anchor_values[:n],
    )
    return [
        ("anchored, without the interaction form", jets + anchors, alone, 2),
        ("anchored, to single documents alone", jets + n, singles, 2),
        ("anchors alone, without jets", anchors, alone, 0),
    ]


def units(task, sizes, options):
    """Unions of units."""
    run = task.run
    labels = [LABELS[options.units](name) for name in run.data]
    grouping = sl.units.Units(labels, len(run))
    n, of_document = len(grouping), grouping.of_document
    rng = np.random.default_rng(options.seed)
    rows, groups = [], {}
    for size in sizes:
        groups[size] = slice(len(rows), len(rows) + options.unions)
        rows += [
            np.isin(np.arange(n), rng.choice(n, size, replace=False)) for _ in range(options.unions)
        ]
    x = np.array(rows, float)
    truth = task.retrained(x[:, of_document])
    table = []

    def add(method, cost, predicted, band=None):
        table.append({"method": method, "cost": cost, **scores(truth, predicted, groups, band)})

    now = np.array([output(run.model) for output in task.outputs.values()])
    add("no prediction (effect size)", 0, np.tile(now, (len(x), 1)))
    gradient = np.array([output.gradient for output in task.first_orders()])
    add("exact first order", "3 per output", now + x[:, of_document] @ gradient.T)
    half = options.directions // 2
    settings = {"units": labels, "seed": options.seed, "jobs": task.jobs}
    sketched = sl.sketch(run, 3, half, **settings, progress=task.progress)
    made = [sketched.output(output) for output in task.outputs.values()]
    for name in ("mean", "minimum_norm", "resummed"):
        value, *band = from_outputs(made, x, estimator=name)
        add(f"{name.replace('_', ' ')}, degree 3", half * PRODUCTS[3], value, band)
    terms = task.terms(x[:, of_document])
    for degree in (1, 2, 3):
        add(f"exact Taylor terms to degree {degree}", None, terms[: degree + 1].sum(axis=0))
    typical = np.stack([forms(output).at(x)[2] for output in made], axis=-1)
    deleted = x @ grouping.sizes
    rest = np.stack(
        [resummation.rest(terms[:4, :, i], typical[..., i], deleted) for i in range(len(made))],
        axis=-1,
    )
    add("exact Taylor terms to degree 3, resummed", None, terms[:4].sum(axis=0) + rest)

    few = max(2, half * 2 // 5)
    sketched = sl.sketch(run, 3, few, **settings, progress=task.progress)
    anchor = {"jobs": task.jobs, "progress": task.progress}
    sketched.anchor(run, "units", **anchor)
    made = [sketched.output(output) for output in task.outputs.values()]
    singles = np.stack([output.anchor_values for output in made], axis=-1) - now
    value, *band = from_outputs(made, x, estimator="anchored")
    add("anchored to single units", few * PRODUCTS[3] + n, value, band)
    sketched.anchor(run, "pairs", **anchor)
    left = half * PRODUCTS[3] - few * PRODUCTS[3] - len(sketched.anchors)
    sketched.anchor(run, sketched.suggested_anchors(max(left, 2), seed=options.seed), **anchor)
    made = [sketched.output(output) for output in task.outputs.values()]
    value, *band = from_outputs(made, x, estimator="anchored")
    add(
        "anchored to singles, pairs and more",
        few * PRODUCTS[3] + len(sketched.anchors),
        value,
        band,
    )
    add("retraining: sum of single effects", n, now + x @ singles)
    pairs = sketched.anchors[n : n + n * (n - 1) // 2]
    values = np.stack([output.anchor_values for output in made], axis=-1)[n : n + len(pairs)]
    twos = values - now - pairs @ singles
    both = np.array([[np.prod(row[pair > 0]) for pair in pairs] for row in x])
    add("retraining: all pairs", n + len(pairs), now + x @ singles + both @ twos)
    budget = half * PRODUCTS[3]
    known = np.array(
        [
            np.isin(np.arange(n), rng.choice(n, rng.choice(sizes), replace=False))
            for _ in range(budget)
        ],
        float,
    )
    answers = task.retrained(known[:, of_document])
    for method, predicted in regressions(known, answers, x, [1, 2]).items():
        add(f"retraining: {method}", budget, predicted)
    return table


def markdown(table, score="rmse"):
    """A table of one score (errors with the coverage of the band in brackets) as Markdown."""
    columns = [
        key
        for key in table[0]
        if key not in ("method", "cost") and any(score in row.get(key, {}) for row in table)
    ]
    lines = [
        "| method | trainings | " + " | ".join(columns) + " |",
        "|---|---:|" + "---:|" * len(columns),
    ]
    for row in table:
        cells = []
        for column in columns:
            cell = row.get(column)
            text = ""
            if cell and score in cell:
                text = f"{cell[score]:.4f}" if score == "rmse" else f"{cell[score]:.3f}"
            if cell and score == "rmse" and "inside" in cell:
                text += f" ({cell['inside']:.0%})"
            cells.append(text)
        cost = "" if row["cost"] is None else row["cost"]
        lines.append(f"| {row['method']} | {cost} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main(arguments=None):
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--names", help="the paper's names.txt (default: the embedded names)")
    parser.add_argument("--test-names", default=TEST_NAMES, help="separated by spaces")
    parser.add_argument("--units", choices=LABELS, default="first", help="what units share")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--directions", type=int, default=500, help="the budget")
    parser.add_argument("--anchors", type=int, default=96, help="beside those of single documents")
    parser.add_argument("--deletions", type=int, default=40, help="of each size")
    parser.add_argument("--unions", type=int, default=16, help="of each size")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--result", help="write the numbers here, as JSON")
    parser.add_argument("--table", help="only print the tables of this result")
    parser.add_argument("--quick", action="store_true", help="a toy run that tests this program")
    options = parser.parse_args(arguments)
    if options.table:
        with open(options.table, encoding="utf-8") as file:
            show(json.load(file))
        return
    sizes, union_sizes, options.nested = (1, 5, 20, 50, 100, 200), (1, 2, 3, 5, 8), True
    if options.quick:
        run = sl.train(sl.names.load()[:40], progress=False)
        options.test_names, options.directions, options.nested = "max mia", 10, False
        options.deletions, options.unions, options.anchors = 3, 3, 4
        sizes, union_sizes, options.units = (1, 5), (1, 2), "length"
    elif options.names:
        run = sl.paper.training_run(options.names)
    else:
        run = sl.train(sl.names.load()[:1000])
    task = Task(run, options.test_names.split(), options.jobs, not options.quick)
    result = {
        "settings": {
            key: value for key, value in vars(options).items() if key not in ("names", "result")
        },
        "documents": documents(task, sizes, options, sl.paper.deletion(run)),
        "units": units(task, union_sizes, options),
    }
    if options.result:
        with open(options.result, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=1)
    show(result)


def show(result):
    """Print all tables."""
    for key, title in (
        ("documents", "Random deletions of documents, and all names with an x"),
        ("units", "Unions of units"),
    ):
        for score, name in (("rmse", "error in nats, coverage in brackets"), ("lds", "LDS")):
            print(f"{title}: {name}\n")
            print(markdown(result[key], score), end="\n\n")


if __name__ == "__main__":
    main()
