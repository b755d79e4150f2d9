"""Every public call with wrong values: only errors in the package's own words, no silent NaN.

`CALLS` has each public function, method and class of `sketchlab` with arguments that work, on the
smallest things that work. Some of these are replaced by wrong values of many kinds. Then a call
may give a result, all of whose numbers are finite but where they are documented not to be, or it
may raise one of `DOCUMENTED`, by a `raise` statement of the package: an error from numpy, autograd,
json or another layer tells of something that the caller has not written.

A sample runs with the other tests; `python tests/test_calls.py 5000 0` tries 5000 calls of seed 0.
"""

import ast
import collections
import copy
import functools
import linecache
import os
import pathlib
import random
import signal
import sys
import tempfile
import traceback
import warnings

import matplotlib
import numpy as np
import pytest

import sketchlab as sl

matplotlib.use("Agg")

PACKAGE = str(pathlib.Path(sl.__file__).parent)
HERE = __file__
DOCUMENTED = (ValueError, TypeError, IndexError, KeyError, ArithmeticError, MemoryError)
DOCUMENTED += (OSError, RuntimeError, ImportError)
SECONDS = 10
N = 8  # documents


class Hang(BaseException):
    """A call that took too long."""


# ---- what is called ---------------------------------------------------------------------------


class Things:
    """The smallest things that work, each made once."""

    names = sl.names.load()[:N]

    @functools.cached_property
    def folder(self):
        return pathlib.Path(tempfile.mkdtemp())

    @functools.cached_property
    def run(self):
        settings = {"layers": 1, "heads": 1, "width": 4, "context": 8, "progress": False}
        return sl.train(self.names, held_out=["max", "zoe"], **settings)

    @functools.cached_property
    def sketch(self):
        return sl.sketch(self.run, 2, 6, anchors=6, progress=False)

    def fresh_sketch(self):
        return sl.sketch(self.run, 1, 2, anchors=0, progress=False)

    @functools.cached_property
    def stored(self):
        path = self.folder / "sketch"
        sl.sketch(self.run, 1, 2, anchors=0, store=path, progress=False)
        return path

    loss = sl.LossOn("max")

    @functools.cached_property
    def output(self):
        return self.sketch.output(self.loss)

    @functools.cached_property
    def outputs(self):
        return [self.loss, sl.LossOn("zoe")]

    @functools.cached_property
    def point(self):
        return self.output.predict(without=[1])

    @functools.cached_property
    def curve(self):
        return self.output.curve([0.0, 0.5, 1.0], without=[1, 2])

    @functools.cached_property
    def jet(self):
        return sl.Jet(np.array([[1.0, 2.0], [0.5, 0.25], [0.1, 0.2]]))

    line = sl.Jet(np.array([1.0, 1.0, 0.5]))

    @functools.cached_property
    def circuit(self):
        x, y = sl.circuits.inputs("x y")
        return sl.Circuit(x * y + x, [x, y])

    @functools.cached_property
    def x(self):
        return np.eye(N)[:3]

    @functools.cached_property
    def known(self):
        deletions = sl.attribution.random_halves(N, 12, np.random.default_rng(0))
        return sl.attribution.retrained(self.run, self.outputs, deletions, progress=False)

    @functools.cached_property
    def singles(self):
        return sl.attribution.retrained(self.run, self.outputs, np.eye(N), progress=False)

    @functools.cached_property
    def first(self):
        return sl.attribution.first_order(self.run, self.outputs, progress=False)

    @functools.cached_property
    def rankings(self):
        return sl.attribution.trak(self.run, self.outputs, dimension=8, progress=False)

    @functools.cached_property
    def board(self):
        return sl.attribution.scoreboard(
            self.run,
            ["exact first order"],
            {"two": [[1, 2], [3, 4], [0, 5]]},
            self.outputs,
            intervals=False,
            progress=False,
        )

    def scoreboard(self):
        deletions = {"two": self.x}
        return sl.attribution.Scoreboard(self.run, self.outputs, deletions, progress=False)

    def task(self):
        return sl.attribution.Task(
            self.run,
            self.outputs,
            {"two": self.x},
            directions=2,
            trainings=8,
            tuning=2,
            progress=False,
        )

    @functools.cached_property
    def rows(self):
        rng = np.random.default_rng(0)
        rows = rng.normal(size=(12, 3))
        return rows, (rows @ [1.0, -1.0, 0.5] + rng.normal(size=12) > 0).astype(int)

    @functools.cached_property
    def fit(self):
        return sl.attribution.ConvexFit(*self.rows, 0.1)

    @functools.cached_property
    def models(self):
        return sl.unlearning.train_seeds(self.run, 2, progress=False)

    @functools.cached_property
    def oracles(self):
        return sl.unlearning.train_seeds(self.run, 2, without=[1], progress=False)

    @functools.cached_property
    def bench(self):
        return sl.unlearning.Bench(
            self.run, [1, 2], ["max", "zoe"], seeds=50, retained=3, splits=2, progress=False
        )

    @functools.cached_property
    def way(self):
        return self.bench.way("ascent", [0, 1])

    @functools.cached_property
    def path(self):
        return sl.unlearning.path(self.models, [1], "ascent", [0, 1], progress=False)

    @functools.cached_property
    def change(self):
        return sl.unlearning.change_by_effects(self.run, [1], progress=False)

    @functools.cached_property
    def ridge(self):
        return sl.unlearning.Ridge(self.rows[0], self.rows[1] * 1.0, 0.1, [1])

    @functools.cached_property
    def squares(self):
        return sl.unlearning.WeightedSquares(self.rows[0], np.ones(12), self.rows[1] * 1.0, 0.1)

    margins = np.random.default_rng(0).normal(size=(2, 50, 3))

    @functools.cached_property
    def points(self):
        return np.random.default_rng(0).normal(size=(12, 2))

    def kmeans(self):
        return sl.incontext.QuantizedKMeans(2, 0.5, iterations=2).fit(self.points)

    @functools.cached_property
    def items(self):
        return np.random.default_rng(0).normal(size=(3, 4, 5))

    @functools.cached_property
    def learner(self):
        return sl.incontext.pretrain(
            self.items, ways=2, shots=2, steps=2, batch_size=2, hidden=4, columns=2, progress=False
        )

    @functools.cached_property
    def labelled(self):
        return self.items.reshape(-1, 5)[:8], np.arange(8) // 4

    def erase(self):
        return sl.incontext.Erase(self.learner, 2, 0.5, iterations=2).fit(*self.labelled)

    def tuned(self):
        return sl.incontext.FineTuned(self.learner, passes=1).fit(*self.labelled)

    @functools.cached_property
    def report(self):
        return sl.report(self.run, [1], progress=False)

    @functools.cached_property
    def playground(self):
        return sl.reports.playground(
            self.run,
            self.sketch,
            deletions={"names": {"one": [1]}},
            outputs=[self.loss],
            progress=False,
        )

    @functools.cached_property
    def model(self):
        return sl.Model({"w": np.zeros(2)}, lambda p, rows: row_losses(p, rows))

    @functools.cached_property
    def found(self):
        return sl.attribution.recovery(np.arange(8.0), [6, 7], draws=5)

    @functools.cached_property
    def smooth(self):
        sys.path.insert(0, str(pathlib.Path(HERE).parents[1]))
        return None

    def path_to(self, name):
        return self.folder / f"{name}{next(COUNTER)}"


COUNTER = iter(range(10**9))
TABLE = np.random.default_rng(0).normal(size=(N, 2))


def row_losses(p, rows):
    return sl.ring.matmul(TABLE[rows], p["w"][..., None])[..., 0] ** 2 + 0.1


def square(x):
    return sl.ring.sum(x * x, -1)


RUN = {"progress": False}
QUIET = {"progress": False}
A, U, C, F, R = "attribution.", "unlearning.", "incontext.", "figures.", "ring."


def calls(t):
    """By name: the function, and arguments that work. A name may have more words after a space."""
    at, un, ic, fig, ring = sl.attribution, sl.unlearning, sl.incontext, sl.figures, sl.ring
    yield (
        "SGD",
        sl.SGD,
        {"learning_rate": 0.1, "momentum": 0.5, "weight_decay": 0.01, "schedule": "linear"},
    )
    yield (
        "Adam",
        sl.Adam,
        {"learning_rate": 0.1, "beta1": 0.5, "beta2": 0.9, "eps": 0.01, "schedule": "constant"},
    )
    yield "Circuit", sl.Circuit, {"output": t.circuit.output, "inputs": t.circuit.inputs}
    for name in ("values", "__call__", "gradient", "value_and_gradient"):
        method = getattr(t.circuit, name)
        yield f"Circuit.{name}", lambda x, y, method=method: method(x, y), {"x": 2.0, "y": 1.5}
    yield (
        "Circuit.draw",
        lambda x, y, derivatives: t.circuit.draw(x, y, derivatives=derivatives),
        {"x": 2.0, "y": 1.0, "derivatives": True},
    )
    yield "circuits.inputs", sl.circuits.inputs, {"names": "x y"}
    yield "circuits.input_array", sl.circuits.input_array, {"name": "w", "shape": (2, 3)}
    yield "Jet", sl.Jet, {"coefficients": np.ones((3, 2))}
    yield "Jet.constant", sl.Jet.constant, {"value": 2.0, "degree": 2, "shape": (3,)}
    yield "Jet.line", sl.Jet.line, {"point": np.ones(3), "direction": np.ones(3), "degree": 2}
    yield "Jet.__call__", t.jet, {"z": 0.5}
    yield "Jet.truncate", t.jet.truncate, {"degree": 1}
    yield "LetterLoss", sl.LetterLoss, {"document": "max", "position": 1, "unit": "nats"}
    yield "LetterLoss.each", sl.LetterLoss.each, {"document": "max", "model": t.run.model}
    letter, following = sl.LetterLoss("max", 1), sl.NextLetter("ma", "x")
    mean = sl.MeanLoss(["max", "zoe"])
    yield "LossOn", sl.LossOn, {"example": "max", "unit": "nats", "bounds": (0.0, 9.0)}
    yield "MeanLoss", sl.MeanLoss, {"examples": ["max"], "unit": "nats", "bounds": (0.0, 9.0)}
    yield "NextLetter", sl.NextLetter, {"prefix": "ma", "letter": "x"}
    asked = {"LossOn": t.loss, "LetterLoss": letter, "MeanLoss": mean, "NextLetter": following}
    for name, one in asked.items():
        yield f"{name}.check", one.check, {"model": t.run.model}
        yield f"{name}.__call__", one, {"model": t.run.model}
    yield "NextLetter.meaning", following.meaning, {"change": 0.1}
    model = t.run.model
    yield (
        "MicroGPT",
        sl.MicroGPT,
        {
            "parameters": model.parameters,
            "vocabulary": model.vocabulary,
            "heads": 1,
            "activation": "gelu",
        },
    )
    yield (
        "MicroGPT.initial",
        sl.MicroGPT.initial,
        {
            "vocabulary": "abc",
            "layers": 1,
            "heads": 1,
            "width": 4,
            "context": 4,
            "activation": "relu",
            "seed": 1,
        },
    )
    yield "MicroGPT.fresh", model.fresh, {"seed": 1}
    yield "MicroGPT.tokens", model.tokens, {"text": "ma"}
    yield "MicroGPT.logits", model.logits, {"tokens": [1, 2]}
    yield "MicroGPT.losses", model.losses, {"docs": ["max"]}
    yield "MicroGPT.loss", model.loss, {"doc": "max"}
    yield "MicroGPT.sequence", model.sequence, {"doc": "max"}
    yield "MicroGPT.next_probs", model.next_probs, {"prefix": "ma"}
    yield "MicroGPT.sample", model.sample, {"k": 2, "seed": 0, "temperature": 0.5}
    yield (
        "Model",
        lambda parameters, losses: sl.TrainingRun(
            sl.Model(parameters, losses), np.arange(N), **QUIET
        ),
        {"parameters": {"w": np.zeros(2)}, "losses": row_losses},
    )
    yield "Model.losses", t.model.losses, {"examples": np.arange(3)}
    yield "Model.loss", t.model.loss, {"example": 1}
    yield (
        "TrainingRun",
        sl.TrainingRun,
        {
            "model": t.model,
            "data": np.arange(N),
            "optimizer": sl.SGD(0.01),
            "steps": 4,
            "batch_size": 2,
            "held_out": [1],
            "progress": False,
        },
    )
    run = t.run
    yield "TrainingRun.loss", run.loss, {"example": "max"}
    yield "TrainingRun.losses", run.losses, {"model": model}
    yield "TrainingRun.indicator", run.indicator, {"indices": [1, 2]}
    yield "TrainingRun.retrain without", run.retrain, {"without": [1], **QUIET}
    yield "TrainingRun.retrain", run.retrain, {"down_weights": t.x, **QUIET}
    yield "TrainingRun.push", run.push, {"directions": t.x, "degree": 2, "at": 0.1, **QUIET}
    yield "TrainingRun.batches", run.batches, {"rows": t.x, "size": 2, **QUIET}
    yield "microgpt.MicroGPTRun.next_probs", run.next_probs, {"prefix": "ma"}
    yield "microgpt.MicroGPTRun.sample", run.sample, {"k": 1, "seed": 0, "temperature": 0.5}
    yield (
        "train",
        sl.train,
        {
            "docs": t.names,
            "steps": 3,
            "seed": 1,
            "vocabulary": model.vocabulary,
            "layers": 1,
            "heads": 1,
            "width": 4,
            "context": 8,
            "activation": "gelu",
            "optimizer": sl.Adam(),
            "held_out": ["max"],
            "progress": False,
        },
    )
    yield (
        "train share",
        sl.train,
        {
            "docs": t.names,
            "steps": 3,
            "seed": 1,
            "width": 4,
            "context": "longest",
            "held_out": 0.3,
            "progress": False,
        },
    )
    yield "names.load", sl.names.load, {"path": None}
    yield "names.unseen", sl.names.unseen, {"run": run, "count": 3}
    # ring
    jet, array = t.jet, np.array([[1.0, 2.0], [3.0, 4.0]])
    for name in "add subtract multiply divide matmul linear".split():
        function = getattr(ring, name)
        positional = lambda a, b, function=function: function(a, b)  # noqa: E731
        yield f"ring.{name}", positional, {"a": array, "b": array}
        yield f"ring.{name} jets", positional, {"a": sl.Jet(np.ones((3, 2, 2))), "b": array}
    for name in (
        "negative exp log sqrt tanh erf gelu normal_cdf normal_pdf relu sigmoid softplus "
        "softmax logsumexp"
    ).split():
        function = getattr(ring, name)
        yield f"ring.{name}", lambda a, function=function: function(a), {"a": array}
        yield f"ring.{name} jets", lambda a, function=function: function(a), {"a": jet}
    yield "ring.power", lambda a, exponent: ring.power(a, exponent), {"a": array, "exponent": 2.0}
    yield "ring.power jets", lambda a, exponent: ring.power(a, exponent), {"a": jet, "exponent": -1}
    yield "ring.concatenate", ring.concatenate, {"parts": [array, array], "axis": 0}
    yield "ring.concatenate jets", ring.concatenate, {"parts": [jet, jet], "axis": -1}
    logits = np.random.default_rng(0).normal(size=(2, 3))
    yield "ring.cross_entropy", ring.cross_entropy, {"logits": logits, "targets": [1, 2]}
    yield "ring.getitem", lambda a, key: ring.getitem(a, key), {"a": array, "key": (0, 1)}
    yield "ring.getitem jets", lambda a, key: ring.getitem(a, key), {"a": jet, "key": 0}
    for name in ("mean", "sum"):
        function = getattr(ring, name)
        positional = lambda a, axis, keepdims, function=function: function(a, axis, keepdims)  # noqa: E731
        yield f"ring.{name}", positional, {"a": array, "axis": 0, "keepdims": False}
        yield f"ring.{name} jets", positional, {"a": jet, "axis": 0, "keepdims": True}
    for name, one in {"": array, " jets": sl.Jet(np.ones((3, 2, 2)))}.items():
        yield (
            f"ring.reshape{name}",
            lambda a, shape: ring.reshape(a, shape),
            {"a": one, "shape": (4, 1)},
        )
        yield f"ring.rmsnorm{name}", lambda a, eps: ring.rmsnorm(a, eps), {"a": one, "eps": 0.1}
        yield (
            f"ring.swapaxes{name}",
            lambda a, i, j: ring.swapaxes(a, i, j),
            {"a": one, "i": 0, "j": 1},
        )
        yield f"ring.take{name}", ring.take, {"a": one, "indices": [0, 1], "axis": 0}
    yield (
        "ring_grad",
        lambda loss, parameters: sl.ring_grad(loss)(parameters),
        {"loss": square, "parameters": np.ones(3)},
    )
    # sketches and what they return
    yield (
        "sketch",
        sl.sketch,
        {
            "run": run,
            "degree": 1,
            "directions": 2,
            "units": None,
            "at": 0.1,
            "design": "independent",
            "seed": 1,
            "anchors": 4,
            "store": None,
            "jobs": 1,
            "progress": False,
        },
    )
    yield (
        "sketch units",
        sl.sketch,
        {
            "run": run,
            "degree": 1,
            "directions": 2,
            "units": [0, 0, 1, 1, 2, 2, 3, 3],
            "deletion_size": 1,
            "anchors": 0,
            "store": t.path_to("store"),
            "progress": False,
        },
    )
    yield "open_sketch", sl.open_sketch, {"path": t.stored, "run": run}
    made = t.sketch
    yield "sketch().output", made.output, {"function": t.loss, "unit": "nats"}
    yield (
        "sketch().predict",
        made.predict,
        {"function": t.loss, "down_weights": t.x, "estimator": "mean"},
    )
    yield "sketch().check_run", made.check_run, {"run": run}
    yield (
        "sketch().anchor",
        t.fresh_sketch().anchor,
        {
            "run": run,
            "deletions": [[1], [2, 3]],
            "gradients": [t.loss],
            "jobs": 1,
            "progress": False,
        },
    )
    yield (
        "sketch().suggested_anchors",
        made.suggested_anchors,
        {"count": 3, "seed": 0, "largest": 4},
    )
    yield (
        "sketch().suggested_anchors question",
        made.suggested_anchors,
        {"count": 2, "output": t.loss, "without": [1], "gradients": False},
    )
    yield "sketch().model_of", made.model_of, {"flat": np.zeros(made.group["head"].shape)}
    output = t.output
    yield "output.predict", output.predict, {"down_weights": t.x, "estimator": "automatic"}
    yield "output.predict without", output.predict, {"without": [1, 2], "estimator": "posterior"}
    yield (
        "output.curve",
        output.curve,
        {"weights": [0, 0.5, 1], "without": [1], "estimator": "resummed"},
    )
    yield (
        "output.curve weights",
        output.curve,
        {"weights": np.array([0.5]), "estimator": "mean", "down_weights": t.x[0]},
    )
    yield "output.part", output.part, {"degree": 1, "directions": 3}
    yield "output.ranked", output.ranked, {"candidates": t.x, "without": [5], "gradients": False}
    yield "output.estimate", output.estimate, {"x": t.x, "estimator": "minimum_norm"}
    yield "units.Units", sl.units.Units, {"groups": [0, 0, 1, 1], "n": 4}
    yield "units.Units lists", sl.units.Units, {"groups": [[0, 1], [2, 3]], "n": 4}
    yield "units.Units nested", sl.units.Units, {"groups": {"a": [0, 1]}, "n": 4}
    units = sl.units.Units(["a", "b", "a", "b"], 4)
    yield "directions.Units.down_weights", units.down_weights, {"without": ["a"]}
    yield "directions.Units.down_weights x", units.down_weights, {"down_weights": [0.5, 0]}
    nested = sl.units.Units({"a": [0, 1]}, 4)
    yield "directions.Units.down_weights nested", nested.down_weights, {"without": ["a", 3]}
    yield (
        "directions.Directions",
        sl.directions.Directions,
        {"vectors": np.ones((2, 4)) + 0j, "units": units and None},
    )
    yield "directions.Directions.first", output.directions.first, {"count": 2}
    yield (
        "directions.draw",
        sl.directions.draw,
        {"units": units, "numbers": range(3), "design": "orthonormal", "seed": 0},
    )
    for name in ("independent", "orthonormal"):
        yield (
            f"directions.{name}",
            getattr(sl.directions, name),
            {"n": 4, "numbers": range(3), "seed": 1},
        )
    yield "directions.sphere", sl.directions.sphere, {"n": 4, "count": 2, "seed": 0, "start": 1}
    yield (
        "local_sketch",
        sl.local_sketch,
        {
            "function": square,
            "n": 4,
            "degree": 2,
            "directions": 3,
            "seed": 0,
            "design": "orthonormal",
            "at": 0.1,
        },
    )
    yield (
        "plan",
        sl.plan,
        {
            "run_or_profile": [1.0, 0.1, 0.01],
            "epsilon": 0.1,
            "delta": 0.05,
            "deletion_size": 2,
            "worst_case": True,
        },
    )
    yield (
        "plan output",
        sl.plan,
        {"run_or_profile": output, "epsilon": 0.1, "delta": 0.05, "deletion_size": 2},
    )
    yield "plan run", sl.plan, {"run_or_profile": run, "epsilon": 0.1, "output": t.loss}
    yield (
        "plan_part",
        sl.plan_part,
        {"output": output, "epsilon": 0.1, "without": [1], "parameters": 100},
    )
    # attribution
    asked = {"run": run, "outputs": t.outputs, "units": None, **QUIET}
    yield A + "first_order", at.first_order, {**asked, "at": 0.0, "unit": "nats", "jobs": 1}
    yield A + "gradient_products", at.gradient_products, {**asked, "only": ("wte",), "rate": 0.1}
    yield A + "halves", at.halves, {"run": run, "count": 2, "seed": 0, **QUIET}
    yield A + "influence", at.influence, {**asked, "damping": 10.0, "curvature": "gauss_newton"}
    yield A + "interactions", at.interactions, {**asked, "degree": 2, "damping": 1.0}
    yield A + "lowest_curvature", at.lowest_curvature, {"run": run}
    yield (
        A + "trak",
        at.trak,
        {**asked, "dimension": 8, "damping": 1.0, "models": 2, "seed": 0, "link": "cross_entropy"},
    )
    yield A + "tracin", at.tracin, {**asked, "every": 2}
    yield A + "retrained", at.retrained, {**asked, "deletions": t.x, "jobs": 1}
    yield A + "taylor_terms", at.taylor_terms, {**asked, "deletions": t.x, "degree": 1, "jobs": 1}
    yield (
        A + "shapley",
        at.shapley,
        {**asked, "units": [0] * 4 + [1] * 4, "permutations": 4, "seed": 0, "most": 100, "jobs": 1},
    )
    yield A + "metasmoothness", at.metasmoothness, {**asked, "directions": t.x, "h": 0.5, "jobs": 1}
    yield (
        A + "scoreboard",
        at.scoreboard,
        {
            **asked,
            "methods": ["exact first order"],
            "deletions": {"two": t.x},
            "intervals": False,
            "store": None,
            "jobs": 1,
            "seed": 0,
        },
    )
    yield A + "available", at.available, {"run": run, "outputs": t.outputs, "link": None}
    yield A + "banzhaf", at.banzhaf, {"known": t.known}
    yield A + "by_chance", at.by_chance, {"n": 8, "bad": 2, "draws": 5, "seed": 0}
    yield A + "effects", at.effects, {"known": t.singles[0], "order": 1}
    yield A + "flipped_labels", at.flipped_labels, {"labels": [0, 1, 0, 1], "count": 1, "seed": 0}
    yield A + "wrong_names", at.wrong_names, {"names": t.names, "count": 1, "seed": 0}
    yield A + "markdown", at.markdown, {"table": t.board.table, "score": "rmse"}
    rng = np.random.default_rng(0)
    yield A + "random_deletions", at.random_deletions, {"n": 8, "sizes": [1, 2], "rng": rng}
    yield A + "random_halves", at.random_halves, {"n": 8, "count": 2, "rng": rng}
    yield (
        A + "recovery",
        at.recovery,
        {"scores": np.arange(8.0), "bad": [1, 2], "draws": 5, "seed": 0},
    )
    yield A + "Recovery.at", t.found.at, {"k": 3}
    yield A + "regression", at.regression, {"known": t.known, "kind": "ridge", "degree": 1}
    yield A + "scaled", at.scaled, {"rankings": t.rankings, "known": t.known}
    predicted = [one.predict(t.x) for one in t.first]
    yield (
        A + "scores",
        at.scores,
        {"truth": np.random.default_rng(1).normal(size=(3, 2)), "predictions": predicted},
    )
    yield A + "total_cost", at.total_cost, {"predictors": t.first}
    yield A + "without_first", at.without_first, {"scores": np.arange(8.0), "counts": [1, 2]}
    predictors = {
        "FirstOrder": t.first[0],
        "Baseline": at.effects(t.singles[0]),
        "Semivalues": at.banzhaf(t.known)[0],
        "AlongMove": at.interactions(run, t.outputs, damping=1.0, **QUIET)[0],
        "Ranking": t.rankings[0],
        "TaylorTerms": at.taylor_terms(run, t.outputs, t.x, 1, **QUIET)[0],
    }
    for name, one in predictors.items():
        yield f"{A}{name}.predict", one.predict, {"down_weights": t.x}
        yield f"{A}{name}.predict without", one.predict, {"without": [0]}
    yield A + "TaylorTerms.part", predictors["TaylorTerms"].part, {"degree": 1}
    yield A + "TaylorTerms.resummed", predictors["TaylorTerms"].resummed, {"output": output}
    yield A + "Retrained.anchors", at.Retrained.anchors, {"output": output}
    yield A + "Retrained.chosen", t.singles[0].chosen, {"rows": [0, 1]}
    yield (
        A + "ConvexFit",
        at.ConvexFit,
        {"rows": t.rows[0], "y": t.rows[1], "penalty": 0.1, "loss": "logistic"},
    )
    yield (
        A + "ConvexFit squared",
        at.ConvexFit,
        {"rows": t.rows[0], "y": t.rows[0][:, 0], "penalty": 0.1, "loss": "squared"},
    )
    yield A + "ConvexFit.after", t.fit.after, {"without": [1], "by": "group"}
    yield A + "ConvexFit.loss_on", t.fit.loss_on, {"rows": t.rows[0][:2], "y": t.rows[1][:2]}
    fitted = t.fit.loss_on(t.rows[0][:2], t.rows[1][:2])
    yield A + "ConvexFit.output", t.fit.output, {"function": fitted, "by": "influence"}
    yield A + "AfterDeletion.predict", t.fit.output(fitted).predict, {"without": [1]}
    yield (
        A + "Scoreboard",
        at.Scoreboard,
        {**asked, "groups": {"two": t.x}, "exact": None, "jobs": 1, "seed": 0},
    )
    yield (
        A + "Scoreboard.add",
        t.scoreboard().add,
        {"method": "m", "predictors": t.first, "seconds": 1.0, "about": {"words": 1}},
    )
    yield A + "Scoreboard.add_random_ranking", t.scoreboard().add_random_ranking, {"draws": 5}
    yield (
        A + "Scoreboard.add_noise_floor",
        t.scoreboard().add_noise_floor,
        {"runs": [un.reseeded(run, 3, **QUIET), un.reseeded(run, 4, **QUIET)], **QUIET},
    )
    yield (
        A + "Task",
        at.Task,
        {
            **asked,
            "groups": {"two": t.x},
            "directions": 2,
            "trainings": 8,
            "tuning": 2,
            "link": None,
            "jobs": 1,
            "seed": 0,
        },
    )
    yield A + "Task.retrained", t.task().retrained, {"deletions": t.x}
    yield A + "Task.rng", t.task().rng, {"stream": "halves"}
    yield A + "Task.random", t.task().random, {"count": 2, "stream": "points"}
    yield A + "Results.row", t.board.row, {"method": "exact first order"}
    yield A + "Results.save", t.board.save, {"path": t.path_to("board")}
    yield A + "Results.read", at.Results.read, {"path": saved(t, "board", t.board.save)}
    # unlearning
    models = t.models
    yield (
        U + "Bench",
        un.Bench,
        {
            "run": run,
            "without": [1],
            "unseen": ["max"],
            "seeds": 4,
            "retained": 2,
            "initial": None,
            "seed": 0,
            "splits": 2,
            "progress": False,
        },
    )
    yield (
        U + "Bench.margins_of_oracles",
        t.bench.margins_of_oracles,
        {"part": "forget", "same": True},
    )
    yield U + "Bench.way", t.bench.way, {"method": "ascent", "stops": [0, 1]}
    yield U + "Bench.add", copy.copy(t.bench).add, {"method": "ascent", "name": "up", "passes": 1}
    yield U + "Bench.scores", t.bench.scores, {"models": t.bench.originals}
    yield U + "Way.standardised", t.way.standardised, {"part": "forget", "stop": 1}
    yield U + "Way.missed", t.way.missed, {"part": "forget"}
    yield U + "Way.missed_by_retraining", t.way.missed_by_retraining, {"part": "retain"}
    yield U + "Models.losses", models.losses, {"examples": ["max"]}
    yield U + "Models.margins", models.margins, {"examples": ["max"]}
    yield (
        U + "Ridge",
        un.Ridge,
        {"x": t.rows[0], "y": t.rows[1] * 1.0, "penalty": 0.1, "without": [1]},
    )
    yield U + "Ridge.attributed", t.ridge.attributed, {"by": 2}
    yield U + "Ridge.objective", t.ridge.objective, {"method": "ascent"}
    yield U + "Ridge.distance", t.ridge.distance, {"w": np.ones(3)}
    yield U + "Ridge.matching_at_most", t.ridge.matching_at_most, {"steps": 3}
    yield U + "Ridge.fine_tuning_at_least", t.ridge.fine_tuning_at_least, {"steps": 3}
    yield U + "SDLoss", un.SDLoss, {"model": model, "gamma": 0.5}
    sd = un.SDLoss(model, 0.5)
    yield U + "SDLoss.loss", sd.loss, {"doc": "max"}
    yield U + "SDLoss.fresh", sd.fresh, {"seed": 1}
    squares = t.squares
    yield (
        U + "WeightedSquares",
        un.WeightedSquares,
        {"x": t.rows[0], "weights": np.ones(12), "targets": np.ones(12), "penalty": 0.1},
    )
    yield U + "WeightedSquares.limit", squares.limit, {"start": np.zeros(3)}
    yield (
        U + "descend",
        un.descend,
        {"objective": squares, "start": np.zeros(3), "rates": 0.01, "steps": 2},
    )
    yield (
        U + "descend_by_rows",
        un.descend_by_rows,
        {"objective": squares, "start": np.zeros(3), "rates": 0.01, "passes": 2, "seeds": (0, 1)},
    )
    yield U + "change_by_effects", un.change_by_effects, {"run": run, "without": [1], **QUIET}
    yield (
        U + "change_by_jets",
        un.change_by_jets,
        {"run": run, "without": [1], "degree": 1, **QUIET},
    )
    yield (
        U + "change_by_regression",
        un.change_by_regression,
        {"run": run, "without": [1], "deletions": t.known[0].deletions, "kind": "ridge", **QUIET},
    )
    yield (
        U + "change_by_sketch",
        un.change_by_sketch,
        {"sketch": made, "run": run, "without": [1], "estimator": "mean"},
    )
    yield (
        U + "direct",
        un.direct,
        {"targets": un.predicted_targets(models, t.change), "model": model, "examples": ["max"]},
    )
    yield (
        U + "generations",
        un.generations,
        {"models": models, "count": 1, "seed": 0, "temperature": 0.5},
    )
    a, b = t.margins
    yield (
        U + "klom",
        un.klom,
        {"unlearned": a, "oracle": b, "bins": 5, "clip": 9.0, "floor": 1e-4, "force": False},
    )
    yield U + "wasserstein", un.wasserstein, {"unlearned": a, "oracle": b}
    yield (
        U + "lira",
        un.lira,
        {"unlearned": a, "members": b, "oracle": a + 1, "tested": b, "seed": 0},
    )
    yield U + "loss_attack", un.loss_attack, {"forget": a[:4], "unseen": b[:4], "seed": 0}
    yield U + "margins", un.margins, {"logits": logits, "targets": [0, 1]}
    yield U + "null", un.null, {"oracles": a, "score": un.wasserstein, "splits": 2, "seed": 0}
    yield U + "verification_error", un.verification_error, {"unlearned": a[:4], "retrained": b[:4]}
    yield U + "metrics.rates", un.metrics.rates, {"positive": a[:4], "negative": b[:4]}
    yield (
        U + "metrics.likelihood_ratios",
        un.metrics.likelihood_ratios,
        {"values": a[:4], "members": b, "oracle": a},
    )
    yield (
        U + "largest_eigenvalue",
        un.largest_eigenvalue,
        {"run": run, "flat": models.flat, "examples": [0, 1], "seed": 0},
    )
    yield U + "mean_change", un.mean_change, {"changes": [t.change, t.change]}
    yield U + "oracle_targets", un.oracle_targets, {"oracles": t.oracles}
    yield (
        U + "overlap",
        un.overlap,
        {"generated": [["ann"], ["bob"]], "references": [["anna"], ["rob"]], "seed": 0},
    )
    for method in ("ascent", "single_gradient"):
        yield (
            f"{U}path {method}",
            un.path,
            {"originals": models, "without": [1], "method": method, "stops": [0, 1], **QUIET},
        )
    yield (
        U + "unlearn",
        un.unlearn,
        {
            "originals": models,
            "without": [1],
            "method": "fine_tuning",
            "passes": 1,
            "kept": 2,
            "optimizer": sl.SGD(0.01),
            "seed": 0,
            "progress": False,
        },
    )
    yield (
        U + "unlearn scrub",
        un.unlearn,
        {
            "originals": models,
            "without": [1],
            "method": "scrub",
            "passes": 1,
            "near": 1.0,
            "down": 1.0,
            "ascents": 1,
            "progress": False,
        },
    )
    yield (
        U + "unlearn matching",
        un.unlearn,
        {
            "originals": models,
            "without": [1],
            "method": "matching",
            "kept": 1,
            "targets": un.oracle_targets(t.oracles),
            "progress": False,
        },
    )
    yield (
        U + "unlearn ascent_descent",
        un.unlearn,
        {
            "originals": models,
            "without": [1],
            "method": "ascent_descent",
            "weight": 0.5,
            "kept": 1,
            "progress": False,
        },
    )
    yield (
        U + "perplexity",
        un.perplexity,
        {"losses": np.ones((2, 3)), "positions": [1, 2, 3], "seed": 0},
    )
    yield U + "predicted_targets", un.predicted_targets, {"originals": models, "change": t.change}
    yield U + "reseeded", un.reseeded, {"run": run, "seed": 1, "initial": None, **QUIET}
    yield U + "rouge_l", un.rouge_l, {"generated": ["ann"], "references": ["anna"]}
    yield U + "similar", un.similar, {"run": run, "texts": [t.names[0]], "cutoff": 80.0}
    yield U + "similarity", un.similarity, {"texts": ["ann"], "others": ["anna"]}
    yield U + "stopped", un.stopped, {"way": t.path, "examples": ["max"], "level": 2.0}
    yield (
        U + "train_seeds",
        un.train_seeds,
        {"run": run, "seeds": [1, 2], "without": [1], "initial": None, **QUIET},
    )
    yield (
        U + "unlearning_error",
        un.unlearning_error,
        {"models": models, "points": 2, "examples": [0, 1], "seed": 0},
    )
    # in context
    yield (
        C + "QuantizedKMeans",
        lambda X, **settings: ic.QuantizedKMeans(**settings).fit(X),
        {"X": t.points, "clusters": 2, "width": 0.5, "gamma": 0.2, "iterations": 2, "seed": 0},
    )
    yield C + "QuantizedKMeans.fit", t.kmeans().fit, {"X": t.points}
    yield C + "QuantizedKMeans.forget", t.kmeans().forget, {"number": 3}
    yield C + "QuantizedKMeans.add", t.kmeans().add, {"x": np.ones(2)}
    yield C + "means.steps", ic.means.steps, {"made": t.kmeans()}
    yield C + "means.without", ic.means.without, {"made": t.kmeans(), "number": 3}
    yield C + "QuantizedKMeans.predict", t.kmeans().predict, {"X": t.points}
    yield C + "QuantizedKMeans.points", t.kmeans().points, {"numbers": [1, 2]}
    yield C + "QuantizedKMeans.distances", t.kmeans().distances, {"numbers": [1, 2]}
    yield C + "QuantizedKMeans.representatives", t.kmeans().representatives, {"which": [0]}
    yield C + "QuantizedKMeans.save", t.kmeans().save, {"path": t.path_to("kmeans")}
    yield (
        C + "QuantizedKMeans.open",
        ic.QuantizedKMeans.open,
        {"path": saved(t, "clusters", t.kmeans().save)},
    )
    yield (
        C + "QuantizedKMeans.from_state",
        ic.QuantizedKMeans.from_state,
        {"state": t.kmeans().state()},
    )
    X, y = t.labelled
    yield (
        C + "Erase",
        lambda X, y, **settings: ic.Erase(**settings).fit(X, y),
        {
            "X": X,
            "y": y,
            "learner": t.learner,
            "clusters": 2,
            "width": 0.5,
            "gamma": 0.2,
            "iterations": 2,
            "seed": 0,
        },
    )
    yield C + "Erase.fit", t.erase().fit, {"X": X, "y": y}
    yield C + "Erase.forget", t.erase().forget, {"number": 3}
    yield C + "Erase.add", t.erase().add, {"x": X[0], "label": 1}
    yield C + "Erase.probabilities", t.erase().probabilities, {"X": X}
    yield C + "Erase.predict", t.erase().predict, {"X": X}
    yield C + "Erase.save", t.erase().save, {"path": t.path_to("erase")}
    yield (
        C + "Erase.open",
        ic.Erase.open,
        {"path": saved(t, "prompt", t.erase().save), "learner": t.learner},
    )
    yield (
        C + "FineTuned",
        lambda X, y, **settings: ic.FineTuned(**settings).fit(X, y),
        {
            "X": X,
            "y": y,
            "learner": t.learner,
            "shards": 2,
            "passes": 1,
            "learning_rate": 0.1,
            "batch_size": 2,
            "seed": 0,
        },
    )
    yield C + "FineTuned.fit", t.tuned().fit, {"X": X, "y": y}
    yield C + "FineTuned.forget", t.tuned().forget, {"number": 1}
    yield C + "FineTuned.probabilities", t.tuned().probabilities, {"X": X}
    yield C + "FineTuned.predict", t.tuned().predict, {"X": X}
    yield C + "Learner.embed", t.learner.embed, {"X": X}
    yield C + "Learner.scaled", t.learner.scaled, {"X": X}
    keys = t.learner.embed(X)
    yield C + "Learner.attention", t.learner.attention, {"keys": keys, "queries": keys}
    yield (
        C + "Learner.probabilities",
        t.learner.probabilities,
        {"keys": keys, "labels": y, "queries": keys},
    )
    yield C + "letter_images", ic.letter_images, {"each": 1, "alphabets": ("Greek",), "seed": 0}
    yield (
        C + "pretrain",
        ic.pretrain,
        {
            "items": t.items,
            "ways": 2,
            "shots": 2,
            "steps": 2,
            "batch_size": 2,
            "hidden": 4,
            "columns": 2,
            "seed": 0,
            "progress": False,
        },
    )
    yield C + "recommended_width", ic.recommended_width, {"spread": 1.0, "rise": 0.04}
    # pictures
    yield (
        F + "certificate",
        fig.certificate,
        {"made": t.kmeans(), "number": 1, "columns": 2, "text": 9.0},
    )
    yield (
        F + "clusters",
        fig.clusters,
        {
            "made": t.kmeans(),
            "X": t.points,
            "iteration": 1,
            "point": 1,
            "legend": True,
            "limits": ((-1, 1), (-1, 1)),
            "text": 8.0,
            "figure": None,
            "moves": (np.zeros((2, 2)), np.ones((2, 2))),
        },
    )
    yield (
        F + "clusters_by_iteration",
        fig.clusters_by_iteration,
        {"made": t.kmeans(), "X": t.points, "iterations": [1], "columns": 1, "text": 9.0},
    )
    yield (
        F + "deletion_curve",
        fig.deletion_curve,
        {
            "weights": [0, 1],
            "retrained": [1.0, 2.0],
            "jet": t.line,
            "name": "max",
            "degrees": (1,),
            "z": 0.5,
        },
    )
    yield F + "error_by_degree", fig.error_by_degree, {"jet": t.line, "truth": 2.0, "z": 1.0}
    yield F + "description", fig.description, {"figure": fig.blank()}
    yield F + "error_and_cost", fig.error_and_cost, {"results": t.board, "group": "two"}
    yield F + "frame", fig.frame, {"points": t.points, "beyond": 0.5}
    letters = sl.LetterLoss.each("max", model)
    yield (
        F + "letters",
        fig.letters,
        {
            "outputs": letters,
            "predictors": at.first_order(run, letters, **QUIET),
            "labels": t.names,
            "k": 3,
        },
    )
    yield (
        F + "losses_without",
        fig.losses_without,
        {"counts": [0, 1], "losses": {"a": [1.0, 2.0]}, "label": "loss", "what": "names"},
    )
    yield (
        F + "methods_on_one_deletion",
        fig.methods_on_one_deletion,
        {
            "changes": {"a": 0.1, "b": None},
            "bands": {"a": (0.0, 0.2)},
            "true": 0.1,
            "costs": {"a": 3},
            "label": "change",
            "figure": None,
        },
    )
    yield F + "new_axes", fig.new_axes, {"width": 4.0, "height": 3.0, "columns": 2}
    yield (
        F + "predicted_and_true",
        fig.predicted_and_true,
        {"results": t.board, "methods": ["exact first order"], "group": "two"},
    )
    yield (
        F + "ranks_by_size",
        fig.ranks_by_size,
        {"results": t.board, "methods": ["exact first order"]},
    )
    yield F + "predicted_curves", fig.predicted_curves, {"result": CURVES}
    yield F + "stability", fig.stability, {"result": {"log2": [[0.0, -1.0], [0.1, -2.0]]}}
    yield (
        F + "predicted_deletion",
        fig.predicted_deletion,
        {
            "prediction": t.point,
            "weights": [0.0, 0.5, 1.0],
            "curve": t.curve,
            "weight": 1.0,
            "now": 2.0,
            "retrained": [(1.0, 2.0)],
            "label": "loss",
            "figure": None,
        },
    )
    yield (
        F + "recovery_curves",
        fig.recovery_curves,
        {"found": {"a": t.found}, "most": 4, "what": "names"},
    )
    yield F + "unlearning_way", fig.unlearning_way, {"way": t.way, "stop": 1, "null": t.bench.null}
    yield F + "write", fig.write, {"text": fig.new_axes()[1].title, "words": "words"}
    # reports, widgets, the paper
    yield (
        "report",
        sl.report,
        {
            "run": run,
            "without": [1],
            "outputs": [t.loss],
            "sketch": made,
            "unseen": ["max"],
            "request": "words",
            "texts": True,
            **QUIET,
        },
    )
    yield (
        "report method",
        sl.report,
        {
            "run": run,
            "without": [1, 2],
            "method": "ascent",
            "settings": {"passes": 1},
            "bench": t.bench,
            "made": None,
            **QUIET,
        },
    )
    yield "reports.Report.save", t.report.save, {"path": t.path_to("report"), "overwrite": True}
    yield (
        "reports.playground",
        sl.reports.playground,
        {
            "run": run,
            "sketch": made,
            "deletions": {"names": {"one": [1]}},
            "outputs": [t.loss],
            "epsilons": [0.1],
            "title": "T",
            "about": "A",
            **QUIET,
        },
    )
    yield (
        "reports.Playground.save",
        t.playground.save,
        {"path": t.path_to("page"), "overwrite": True},
    )
    yield "reports.read", sl.reports.read, {"path": saved(t, "page", t.report.save)}
    yield (
        "explore",
        sl.explore,
        {
            "run": run,
            "sketch": made,
            "without": [1],
            "name": "max",
            "held_out": ["max"],
            "outputs": {"mine": t.loss},
            "labels": t.names,
            "table": None,
        },
    )
    yield (
        "widgets.compare_methods",
        sl.widgets.compare_methods,
        {
            "run": run,
            "predictors": {"exact": t.first},
            "outputs": t.outputs,
            "units": None,
            "labels": t.names,
        },
    )
    yield (
        "widgets.forget_points",
        sl.widgets.forget_points,
        {"X": t.points, "clusters": 2, "width": 0.5, "gamma": 0.2, "iterations": 2, "seed": 0},
    )
    yield (
        "widgets.review",
        sl.widgets.review,
        {
            "run": run,
            "output": t.loss,
            "predictor": t.first[0],
            "check": t.outputs[1],
            "labels": t.names,
            "rows": 3,
        },
    )
    yield (
        "widgets.with_sliders",
        sl.widgets.with_sliders,
        {"draw": lambda x: fig.blank(), "x": (0, 4, 1, 2)},
    )
    yield "paper.deletion", sl.paper.deletion, {"run": run}
    yield (
        "paper.deletion_curve",
        sl.paper.deletion_curve,
        {"run": run, "indices": [1], "name": "max", "degree": 1, "weights": [0, 1], **QUIET},
    )
    yield (
        "paper.figure1",
        sl.paper.figure1,
        {
            "run": run,
            "name": "max",
            "degree": 3,
            "directions": 2,
            "store": None,
            "jobs": 1,
            **QUIET,
        },
    )
    yield (
        "paper.figure3",
        sl.paper.figure3,
        {
            "run": run,
            "name": "max",
            "degree": 1,
            "directions": 2,
            "store": None,
            "jobs": 1,
            **QUIET,
        },
    )


CURVES = {
    "name": "max",
    "weights": [0, 1],
    "retrained": [1.0, 2.0],
    "degrees": {1: {"values": [1.0, 2.0], "low": [0.9, 1.9], "high": [1.1, 2.1]}},
}


def saved(t, name, save):
    path = t.folder / name
    if not path.exists():
        save(path)
    return path


# ---- wrong values -----------------------------------------------------------------------------

WRONG = {
    "None": lambda: None,
    "text": lambda: "abc",
    "no text": lambda: "",
    "unicode": lambda: "é\u0301$_^🙂",
    "lone surrogate": lambda: "\ud800",
    "bytes": lambda: b"ab",
    "nan": lambda: float("nan"),
    "inf": lambda: float("inf"),
    "1e160": lambda: 1e160,
    "tiny": lambda: 1e-320,
    "-1": lambda: -1,
    "0": lambda: 0,
    "2.5": lambda: 2.5,
    "-2.5": lambda: -2.5,
    "10**12": lambda: 10**12,
    "10**30": lambda: 10**30,
    "10**400": lambda: 10**400,
    "True": lambda: True,
    "False": lambda: False,
    "1j": lambda: 1j,
    "[]": list,
    "()": tuple,
    "{}": dict,
    "set()": set,
    "[[]]": lambda: [[]],
    "ragged": lambda: [[0, 1], [2]],
    "nested": lambda: [[[0]]],
    "repeated": lambda: [1, 1],
    "out of range": lambda: [99],
    "negative index": lambda: [-1],
    "unknown": lambda: ["zz"],
    "a set": lambda: {1, 2},
    "a dict": lambda: {"a": 1},
    "dict of numbers": lambda: {0: [1]},
    "array 0": lambda: np.array(3.0),
    "array 2 x 3": lambda: np.zeros((2, 3)),
    "array of none": lambda: np.zeros((0, N)),
    "zeros": lambda: np.zeros(N),
    "masked": lambda: np.ma.array(np.ones(N), mask=[1] + [0] * (N - 1)),
    "float16": lambda: np.linspace(0, 1, N, dtype=np.float16),
    "complex64": lambda: np.ones(N, np.complex64),
    "objects": lambda: np.array([None] * N, object),
    "array of nan": lambda: np.full(N, np.nan),
    "array of 1e160": lambda: np.full(N, 1e160),
    "structured": lambda: np.zeros(3, [("a", float)]),
    "dates": lambda: np.array(["2020-01-01"] * N, "datetime64[D]"),
    "np.int64": lambda: np.int64(2),
    "np.float32": lambda: np.float32(0.5),
    "np.float16": lambda: np.float16(0.5),
    "np.longdouble": lambda: np.longdouble(0.5),
    "np.bool": lambda: np.bool_(True),
    "np.str": lambda: np.str_("max"),
    "generator": lambda: (i for i in range(2)),
    "range": lambda: range(3),
    "function": lambda: lambda *_, **__: None,
    "function of nan": lambda: lambda *_, **__: float("nan"),
    "identity": lambda: lambda x, *_: x,
    "object": object,
    "class": lambda: Hang,
    "module": lambda: ast,
    "folder": lambda: tempfile.gettempdir(),
    "no such file": lambda: "no such folder/file",
    "NUL": lambda: "a\0b",
    "jet": lambda: sl.Jet(np.ones((3, 2))),
}


def bent(value, rng):
    """A right value, changed a little: another type, another shape, one number that is wrong."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return rng.choice(
            [
                np.int64(value),
                np.int32(value),
                float(value),
                value + 0.5,
                str(value),
                np.array(value),
                -value,
                [value],
            ]
        )
    if isinstance(value, float):
        return rng.choice(
            [
                np.float32(value),
                np.float16(value),
                np.array(value),
                str(value),
                -value,
                value * 1e300,
                [value],
                np.longdouble(value),
            ]
        )
    if isinstance(value, str):
        return rng.choice(
            [value.upper(), value + "\u0301", np.str_(value), value.encode(), [value], value * 50]
        )
    if isinstance(value, np.ndarray) and value.size:
        broken = value.copy()
        broken.flat[-1] = -1 if value.dtype.kind in "iub" else rng.choice([np.nan, np.inf, 1e200])
        return rng.choice(
            [
                broken,
                value[:-1],
                value[None],
                value.T,
                value.tolist(),
                value.astype(object),
                np.ma.array(value, mask=value > 0),
                value.astype(np.float16),
                value.astype(np.complex64),
                value[..., :0],
                value.astype(str),
                np.asfortranarray(value),
                value[::-1],
            ]
        )
    if isinstance(value, (list, tuple)) and value:
        kind = type(value)
        return rng.choice(
            [
                kind(value[:-1]),
                kind([*value, value[-1]]),
                kind([*value, None]),
                kind([*value[:-1], float("nan")]),
                iter(value),
                {0: value},
                [value],
                set(map(str, value)),
                kind([*value[:-1], "zz"]),
                kind([bent(value[0], rng), *value[1:]]),
            ]
        )
    if isinstance(value, dict) and value:
        key = rng.choice(list(value))
        return rng.choice(
            [
                {**value, key: bent(value[key], rng)},
                {**value, key: None},
                {k: v for k, v in value.items() if k != key},
                list(value),
                {**value, "zz": 1},
            ]
        )
    return rng.choice(list(WRONG.values()))()


# ---- what may come of it ----------------------------------------------------------------------


@functools.cache
def raises_of(path):
    """The lines of the raise statements of a file."""
    tree = ast.parse("".join(linecache.getlines(path)))
    return {
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise)
        for line in range(node.lineno, node.end_lineno + 1)
    }


def is_own(error):
    """Whether an error comes from a raise statement of the package, or of what the test passes."""
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, OSError) and error.filename is not None:
        return True  # the words of the system, with the name of the file
    inner = frames[-1]
    if inner.filename == HERE:
        return len(frames) > 2  # a function that was passed in failed
    return inner.filename.startswith(PACKAGE) and inner.lineno in raises_of(inner.filename)


UNKNOWN = {  # where nothing is known of an error it is infinite: documented, but never NaN
    "error",
    "errors",
    "low",
    "high",
    "interval",
    "freedom",
    "found_band",
}
LEFT_OUT = {"bounds", "whole", "references", "run", "settings"}


def not_finite(value, path="", depth=7, seen=None):
    """Where a result has a number that is not finite, or None."""
    seen = set() if seen is None else seen
    if depth == 0 or id(value) in seen:
        return None
    if isinstance(value, (float, complex, np.floating, np.complexfloating, np.ndarray)):
        if getattr(value, "dtype", np.dtype(float)).kind not in "fc":
            return None
        name = path.split(".")[-2 if path.split(".")[-1].isdigit() else -1]
        unknown = name in UNKNOWN or name.endswith(("_band", "_sd"))
        right = not np.any(np.isnan(value)) if unknown else np.all(np.isfinite(value))
        return None if right else path or "the result"
    seen.add(id(value))
    if isinstance(value, sl.Jet):
        return not_finite(value.coefficients, path, depth, seen)
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, (list, tuple)):
        parts = enumerate(value[:50])
    elif type(value).__module__.startswith("sketchlab") and hasattr(value, "__dict__"):
        left_out = LEFT_OUT | {"now"} if hasattr(value, "estimator") else LEFT_OUT
        parts = [part for part in vars(value).items() if part[0] not in left_out]
    else:
        return None
    found = (not_finite(part, f"{path}.{name}", depth - 1, seen) for name, part in parts)
    return next(filter(None, found), None)


NAN_IN_NAN_OUT = (  # functions of numbers, which give NaN and infinity as numpy does
    "ring.",
    "ring_grad",
    "Circuit.",
    "Jet.__call__",
    "Model.loss",
)


class Trial:
    """Wrong calls, drawn with a seed."""

    def __init__(self, seed=0):
        self.rng = random.Random(seed)
        self.things = Things()
        self.table = {name: (function, args) for name, function, args in calls(self.things)}

    def once(self, names=None, number=0):
        """One wrong call: what is wrong with what came of it, or None, and its description."""
        rng = self.rng
        name = rng.choice(names or list(self.table))
        if number % 50 == 0:  # what calls change is made anew
            self.table = {name: (f, args) for name, f, args in calls(self.things)}
        function, args = self.table[name]
        wrong, words = dict(args), []
        for key in rng.sample(sorted(args), min(len(args), rng.choice([1, 1, 1, 2]))):
            if rng.random() < 0.4:
                wrong[key] = bent(args[key], rng)
                words.append(f"{key}={brief(wrong[key])}")
            else:
                kind = rng.choice(list(WRONG))
                wrong[key] = WRONG[kind]()
                words.append(f"{key}={kind}")
        return attempt(name, function, wrong), f"{name}({', '.join(words)})"


def brief(value):
    try:
        return " ".join(repr(value).split())[:70]
    except Exception:
        return type(value).__name__


def attempt(name, function, args):
    """What is wrong with what comes of a call, or None."""

    def stop(*_):
        raise Hang

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            result = function(**args)
        where = not_finite(result)
        if where and not name.startswith(NAN_IN_NAN_OUT):
            return f"not finite: {where}"
    except Hang:
        return "hang: " + "".join(traceback.format_tb(sys.exc_info()[2])[-1:])
    except DOCUMENTED as error:
        if not is_own(error):
            inner = traceback.extract_tb(error.__traceback__)
            ours = [f for f in inner if f.filename.startswith(PACKAGE)]
            place = f"{ours[-1].filename[len(PACKAGE) + 1 :]}:{ours[-1].lineno}" if ours else "call"
            return f"raw at {place}: {type(error).__name__}: {str(error)[:110]}"
    except Exception as error:
        inner = [
            f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(PACKAGE)
        ]
        place = f"{inner[-1].filename[len(PACKAGE) + 1 :]}:{inner[-1].lineno}" if inner else "call"
        return f"raw at {place}: {type(error).__name__}: {str(error)[:110]}"
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    return None


def in_a_folder():
    """Work in an empty folder: some wrong values are good names of files."""
    os.chdir(tempfile.mkdtemp())


def wrong_calls(count, seed):
    """What is wrong with some wrong calls, drawn with a seed: a list of words."""
    in_a_folder()
    trial = Trial(seed)
    found = (trial.once(None, number) for number in range(1, count + 1))
    return [f"{words}: {wrong}" for wrong, words in found if wrong]


@pytest.fixture
def _elsewhere(tmp_path, monkeypatch):
    """The folder is that of before, whatever a call does."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("_elsewhere")
def test_wrong_calls_end_in_words_of_the_package_or_in_finite_numbers():
    """A sample; none in an error of another layer, in NaN, or after more than ten seconds."""
    assert wrong_calls(300, 0) == []


@pytest.mark.long
@pytest.mark.usefixtures("_elsewhere")
def test_of_five_thousand_wrong_calls_nearly_all_do():
    """The same, of more: up to four in a thousand are known not to."""
    wrong = wrong_calls(5000, 1)
    assert len(wrong) <= 20, wrong


def test_numbers_of_numpy_are_numbers(small_run):
    """As settings they are Python's; what they make is the same to the last bit."""
    names = small_run.data
    made = sl.train(names, layers=np.int64(1), seed=np.int64(3), steps=np.int32(5), progress=False)
    same = sl.train(names, layers=1, seed=3, steps=5, progress=False)
    assert made.loss(names[0]) == same.loss(names[0])
    sketched = [
        sl.sketch(made, degree, 4, seed=seed, anchors=0, progress=False).output(sl.LossOn(names[0]))
        for degree, seed in ((2, 3), (np.int64(2), np.int64(3)))
    ]
    assert sketched[0].predict(without=[0]).value == sketched[1].predict(without=[0]).value
    assert sl.Adam(learning_rate=np.float32(0.5)).learning_rate == 0.5


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.complex64, np.int8, bool])
def test_down_weights_of_any_precision_train_in_double(small_run, kind):
    """Float16 once trained in half precision, and complex64 failed."""
    x = np.zeros(len(small_run))
    x[3] = 1
    expected = small_run.retrain(down_weights=x, progress=False).loss("max")
    found = small_run.retrain(down_weights=x.astype(kind), progress=False).loss("max")
    assert np.real(found) == pytest.approx(expected, rel=1e-14)


def test_what_was_silent_or_raw_is_refused_in_words(small_run):
    """Masks that were lost, numbers too large to square, and settings that mean nothing."""
    n = len(small_run)
    masked = np.ma.masked_array(np.ones(n), np.arange(n) < 2)
    sketched = sl.sketch(small_run, 2, 6, progress=False)
    output = sketched.output(sl.LossOn("max"))
    for call in (
        lambda: small_run.retrain(down_weights=masked, progress=False),
        lambda: output.predict(masked),
        lambda: output.predict(1e160 * np.ones(n)),
        lambda: output.curve([0.0, np.nan], without=[0]),
        lambda: output.curve(0.5, without=[0]),
        lambda: output.predict(without=[]) and sketched.suggested_anchors(0),
        lambda: sl.Adam(beta1=1.0),
        lambda: sl.plan(small_run, 1e300 * 1e300),
    ):
        with pytest.raises((ValueError, TypeError)) as found:
            call()
        assert is_own(found.value), found.value


def main(count, seed, *names):
    in_a_folder()
    trial = Trial(seed)
    names = [one for one in trial.table if one.startswith(names)] if names else None
    found = collections.defaultdict(list)
    for number in range(1, count + 1):
        wrong, words = trial.once(names, number)
        if wrong:
            found[wrong.split(":")[0] if wrong.startswith("not") else wrong].append(words)
            print(f"{words}\n    {wrong}", flush=True)
    print(f"{count} calls: {sum(map(len, found.values()))} wrong")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
