"""Every public call of `sketchlab` with arguments that work, on the smallest things that work."""

import copy
import functools
import hashlib
import http.server
import itertools
import pathlib
import tempfile
import threading

import numpy as np

import sketchlab as sl
from sketchlab.training import optimizers

N = 8  # documents


def call(_name, _function, /, **arguments):
    """One call: its public name (more words may follow after a space), function and arguments."""
    return _name, _function, arguments


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
        return sl.attribution.gradient_products(self.run, self.outputs, progress=False)

    @functools.cached_property
    def board(self):
        return sl.attribution.scoreboard(
            self.run,
            ["exact first order"],
            {"one": [[1], [3], [5]], "two": [[1, 2], [3, 4], [0, 5]]},
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

    def state(self):
        """Parameters that training changes in place."""
        return optimizers.InPlace(self.run.initial.parameters, np.copy)

    @functools.cached_property
    def many_names(self):
        path = self.folder / "many.txt"
        path.write_text("\n".join(sl.names.load()[:40] * 25), encoding="utf-8")
        return path

    @functools.cached_property
    def few_names(self):
        path = self.folder / "few.txt"
        path.write_text("\n".join(self.names), encoding="utf-8")
        return path

    @functools.cached_property
    def address(self):
        """Of a server of the files in the folder, on this machine."""
        handler = functools.partial(Silent, directory=self.folder)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/"

    def path_to(self, name):
        return self.folder / f"{name}{next(COUNTER)}"


class Silent(http.server.SimpleHTTPRequestHandler):
    """Answers without a word of it on the terminal."""

    def log_message(self, *_):
        """Say nothing."""


COUNTER = itertools.count()
TABLE = np.random.default_rng(0).normal(size=(N, 2))


def row_losses(p, rows):
    return sl.ring.matmul(TABLE[rows], p["w"][..., None])[..., 0] ** 2 + 0.1


def square(x):
    return sl.ring.sum(x * x, -1)


QUIET = {"progress": False}
A, U, C, F = "attribution.", "unlearning.", "incontext.", "figures."


def calls(t):
    """By name: the function, and arguments that work. A name may have more words after a space."""
    at, un, ic, fig, ring = sl.attribution, sl.unlearning, sl.incontext, sl.figures, sl.ring
    yield call("SGD", sl.SGD, learning_rate=0.1, momentum=0.5, weight_decay=0.01, schedule="linear")
    yield call(
        "Adam", sl.Adam, learning_rate=0.1, beta1=0.5, beta2=0.9, eps=0.01, schedule="constant"
    )
    yield call("Circuit", sl.Circuit, output=t.circuit.output, inputs=t.circuit.inputs)
    for name in ("values", "__call__", "gradient", "value_and_gradient"):
        method = getattr(t.circuit, name)
        yield call(f"Circuit.{name}", lambda x, y, method=method: method(x, y), x=2.0, y=1.5)
    yield call(
        "Circuit.draw",
        lambda x, y, derivatives: t.circuit.draw(x, y, derivatives=derivatives),
        x=2.0,
        y=1.0,
        derivatives=True,
    )
    yield call("Circuit.local_derivatives", t.circuit.local_derivatives, slot=3, values=[2.0] * 4)
    yield call("circuits.inputs", sl.circuits.inputs, names="x y")
    yield call("circuits.input_array", sl.circuits.input_array, name="w", shape=(2, 3))
    yield call("Jet", sl.Jet, coefficients=np.ones((3, 2)))
    yield call("Jet.constant", sl.Jet.constant, value=2.0, degree=2, shape=(3,))
    yield call("Jet.line", sl.Jet.line, point=np.ones(3), direction=np.ones(3), degree=2)
    yield call("Jet.__call__", t.jet, z=0.5)
    yield call("Jet.truncate", t.jet.truncate, degree=1)
    yield call("Jet.reshape", lambda shape: t.jet.reshape(shape), shape=(2, 1))
    yield call("Jet.swapaxes", lambda i, j: t.jet.swapaxes(i, j), i=0, j=-1)
    yield call("Jet.sum", t.jet.sum, axis=0, keepdims=True)
    yield call("Jet.mean", t.jet.mean, axis=0, keepdims=True)
    yield call("LetterLoss", sl.LetterLoss, document="max", position=1, unit="nats")
    yield call("LetterLoss.each", sl.LetterLoss.each, document="max", model=t.run.model)
    letter, following = sl.LetterLoss("max", 1), sl.NextLetter("ma", "x")
    mean = sl.MeanLoss(["max", "zoe"])
    yield call("LossOn", sl.LossOn, example="max", unit="nats", bounds=(0.0, 9.0))
    yield call("MeanLoss", sl.MeanLoss, examples=["max"], unit="nats", bounds=(0.0, 9.0))
    yield call("NextLetter", sl.NextLetter, prefix="ma", letter="x")
    asked = {"LossOn": t.loss, "LetterLoss": letter, "MeanLoss": mean, "NextLetter": following}
    for name, one in asked.items():
        yield call(f"{name}.check", one.check, model=t.run.model)
        yield call(f"{name}.__call__", one, model=t.run.model)
    yield call("LossOn.meaning", t.loss.meaning, change=0.1)
    yield call("NextLetter.meaning", following.meaning, change=0.1)
    model = t.run.model
    yield call(
        "MicroGPT",
        sl.MicroGPT,
        parameters=model.parameters,
        vocabulary=model.vocabulary,
        heads=1,
        activation="gelu",
    )
    yield call(
        "MicroGPT.initial",
        sl.MicroGPT.initial,
        vocabulary="abc",
        layers=1,
        heads=1,
        width=4,
        context=4,
        activation="relu",
        seed=1,
    )
    yield call("MicroGPT.fresh", model.fresh, seed=1)
    yield call("MicroGPT.tokens", model.tokens, text="ma")
    yield call("MicroGPT.logits", model.logits, tokens=[1, 2])
    yield call("MicroGPT.losses", model.losses, docs=["max"])
    yield call("MicroGPT.loss", model.loss, doc="max")
    yield call("MicroGPT.sequence", model.sequence, doc="max")
    yield call("MicroGPT.next_probs", model.next_probs, prefix="ma")
    yield call("MicroGPT.sample", model.sample, k=2, seed=0, temperature=0.5)
    yield call(
        "Model",
        lambda parameters, losses: sl.TrainingRun(
            sl.Model(parameters, losses), np.arange(N), **QUIET
        ),
        parameters={"w": np.zeros(2)},
        losses=row_losses,
    )
    yield call("Model.losses", t.model.losses, examples=np.arange(3))
    yield call("Model.loss", t.model.loss, example=1)
    yield call(
        "TrainingRun",
        sl.TrainingRun,
        model=t.model,
        data=np.arange(N),
        optimizer=sl.SGD(0.01),
        steps=4,
        batch_size=2,
        held_out=[N],
        progress=False,
    )
    run = t.run
    yield call("TrainingRun.loss", run.loss, example="max")
    yield call("TrainingRun.losses", run.losses, model=model)
    yield call("TrainingRun.indicator", run.indicator, indices=[1, 2])
    yield call("TrainingRun.retrain without", run.retrain, without=[1], **QUIET)
    yield call("TrainingRun.retrain", run.retrain, down_weights=t.x, **QUIET)
    yield call("TrainingRun.push", run.push, directions=t.x, degree=2, at=0.1, **QUIET)
    yield call("TrainingRun.examples", run.examples, indices=[1, 2])
    yield call("TrainingRun.examples_of", run.examples_of, step=3)
    rows = sl.TrainingRun(t.model, np.arange(N), progress=False)
    batch = {"examples": np.arange(1), "weights": np.ones(1)}
    yield call("TrainingRun.objective", rows.objective, parameters={"w": np.zeros(2)}, **batch)
    yield call(
        "TrainingRun.walk",
        lambda state, weights, start: list(run.walk(state, weights, start)),
        state=t.state(),
        weights=lambda i: np.ones(len(i)),
        start=7,
    )
    ones = np.ones(3)
    yield call("SGD.update", sl.SGD().update, step=1, steps=2, p=ones, g=ones, v=ones)
    yield call("Adam.update", sl.Adam().update, step=1, steps=2, p=ones, g=ones, m=ones, v=ones)
    yield call("Adam.factors", sl.Adam().factors, step=1, steps=2)
    yield call("Model.with_parameters", t.model.with_parameters, parameters={"w": np.zeros(2)})
    yield call("TrainingRun.batches", run.batches, rows=t.x, size=2, **QUIET)
    yield call("microgpt.MicroGPTRun.next_probs", run.next_probs, prefix="ma")
    yield call("microgpt.MicroGPTRun.sample", run.sample, k=1, seed=0, temperature=0.5)
    yield call(
        "train",
        sl.train,
        docs=t.names,
        steps=3,
        seed=1,
        vocabulary=model.vocabulary,
        layers=1,
        heads=1,
        width=4,
        context=8,
        activation="gelu",
        optimizer=sl.Adam(),
        held_out=["max"],
        progress=False,
    )
    yield call(
        "train share",
        sl.train,
        docs=t.names,
        steps=3,
        seed=1,
        width=4,
        context="longest",
        held_out=0.3,
        progress=False,
    )
    yield call("names.load", sl.names.load, path=None)
    yield call("names.load file", sl.names.load, path=t.many_names)
    yield call(
        "names.download",
        sl.names.download,
        folder=t.path_to("downloaded"),
        url=t.address + t.many_names.name,
        sha256=hashlib.sha256(t.many_names.read_bytes()).hexdigest(),
        timeout=5,
        progress=False,
    )
    yield call("names.unseen", sl.names.unseen, run=run, count=3)
    # ring
    jet, array = t.jet, np.array([[1.0, 2.0], [3.0, 4.0]])
    for name in "add subtract multiply divide matmul linear".split():
        function = getattr(ring, name)
        positional = lambda a, b, function=function: function(a, b)  # noqa: E731
        yield call(f"ring.{name}", positional, a=array, b=array)
        yield call(f"ring.{name} jets", positional, a=sl.Jet(np.ones((3, 2, 2))), b=array)
    for name in (
        "negative exp log sqrt tanh erf gelu normal_cdf normal_pdf relu sigmoid softplus "
        "softmax logsumexp"
    ).split():
        function = getattr(ring, name)
        yield call(f"ring.{name}", lambda a, function=function: function(a), a=array)
        yield call(f"ring.{name} jets", lambda a, function=function: function(a), a=jet)
    yield call("ring.power", lambda a, exponent: ring.power(a, exponent), a=array, exponent=2.0)
    yield call("ring.power jets", lambda a, exponent: ring.power(a, exponent), a=jet, exponent=-1)
    yield call("ring.concatenate", ring.concatenate, parts=[array, array], axis=0)
    yield call("ring.concatenate jets", ring.concatenate, parts=[jet, jet], axis=-1)
    logits = np.random.default_rng(0).normal(size=(2, 3))
    yield call("ring.cross_entropy", ring.cross_entropy, logits=logits, targets=[1, 2])
    yield call("ring.getitem", lambda a, key: ring.getitem(a, key), a=array, key=(0, 1))
    yield call("ring.getitem jets", lambda a, key: ring.getitem(a, key), a=jet, key=0)
    for name in ("mean", "sum"):
        function = getattr(ring, name)
        positional = lambda a, axis, keepdims, function=function: function(a, axis, keepdims)  # noqa: E731
        yield call(f"ring.{name}", positional, a=array, axis=0, keepdims=False)
        yield call(f"ring.{name} jets", positional, a=jet, axis=0, keepdims=True)
    for name, one in {"": array, " jets": sl.Jet(np.ones((3, 2, 2)))}.items():
        yield call(
            f"ring.reshape{name}", lambda a, shape: ring.reshape(a, shape), a=one, shape=(4, 1)
        )
        yield call(f"ring.rmsnorm{name}", lambda a, eps: ring.rmsnorm(a, eps), a=one, eps=0.1)
        yield call(f"ring.swapaxes{name}", lambda a, i, j: ring.swapaxes(a, i, j), a=one, i=0, j=1)
        yield call(f"ring.take{name}", ring.take, a=one, indices=[0, 1], axis=0)
    yield call(
        "ring_grad",
        lambda loss, parameters: sl.ring_grad(loss)(parameters),
        loss=square,
        parameters=np.ones(3),
    )
    # sketches and what they return
    yield call(
        "sketch",
        sl.sketch,
        run=run,
        degree=1,
        directions=2,
        units=None,
        at=0.1,
        design="independent",
        seed=1,
        anchors=4,
        store=None,
        jobs=1,
        progress=False,
    )
    yield call(
        "sketch units",
        sl.sketch,
        run=run,
        degree=1,
        directions=2,
        units=[0, 0, 1, 1, 2, 2, 3, 3],
        deletion_size=1,
        anchors=0,
        store=t.path_to("store"),
        progress=False,
    )
    yield call("open_sketch", sl.open_sketch, path=t.stored, run=run)
    made = t.sketch
    yield call("Sketch.output", made.output, function=t.loss, unit="nats")
    yield call("Sketch.predict", made.predict, function=t.loss, down_weights=t.x, estimator="mean")
    yield call("Sketch.check_run", made.check_run, run=run)
    yield call(
        "Sketch.anchor",
        t.fresh_sketch().anchor,
        run=run,
        deletions=[[1], [2, 3]],
        gradients=[t.loss],
        jobs=1,
        progress=False,
    )
    yield call("Sketch.suggested_anchors", made.suggested_anchors, count=3, seed=0, largest=4)
    yield call(
        "Sketch.suggested_anchors question",
        made.suggested_anchors,
        count=2,
        output=t.loss,
        without=[1],
        gradients=False,
    )
    yield call("Sketch.model_of", made.model_of, flat=np.zeros(made.group["head"].shape))
    output = t.output
    yield call("Output.predict", output.predict, down_weights=t.x, estimator="automatic")
    yield call("Output.predict without", output.predict, without=[1, 2], estimator="posterior")
    yield call("Output.curve", output.curve, weights=[0, 0.5, 1], without=[1], estimator="resummed")
    yield call(
        "Output.curve weights",
        output.curve,
        weights=np.array([0.5]),
        estimator="mean",
        down_weights=t.x[0],
    )
    yield call("Output.part", output.part, degree=1, directions=3)
    yield call("Output.ranked", output.ranked, candidates=t.x, without=[5], gradients=False)
    yield call("Output.estimate", output.estimate, x=t.x, estimator="minimum_norm")
    yield call("units.Units", sl.units.Units, groups=[0, 0, 1, 1], n=4)
    yield call("units.Units lists", sl.units.Units, groups=[[0, 1], [2, 3]], n=4)
    yield call("units.Units nested", sl.units.Units, groups={"a": [0, 1]}, n=4)
    units = sl.units.Units(["a", "b", "a", "b"], 4)
    yield call("units.Units.down_weights", units.down_weights, without=["a"])
    yield call("units.Units.rows", units.rows, without=["a"])
    yield call("units.Units.down_weights x", units.down_weights, down_weights=[0.5, 0])
    nested = sl.units.Units({"a": [0, 1]}, 4)
    yield call("units.Units.down_weights nested", nested.down_weights, without=["a", 3])
    yield call(
        "directions.Directions",
        sl.directions.Directions,
        vectors=np.ones((2, 4)) + 0j,
        units=units and None,
    )
    yield call("directions.Directions.first", output.directions.first, count=2)
    yield call(
        "directions.draw",
        sl.directions.draw,
        units=units,
        numbers=range(3),
        design="orthonormal",
        seed=0,
    )
    for name in ("independent", "orthonormal"):
        yield call(
            f"directions.{name}", getattr(sl.directions, name), n=4, numbers=range(3), seed=1
        )
    yield call("directions.symmetric_dimension", sl.directions.symmetric_dimension, n=4, degree=2)
    yield call("units.Units.from_record", sl.units.Units.from_record, record=units.record())
    yield call("directions.sphere", sl.directions.sphere, n=4, count=2, seed=0, start=1)
    yield call(
        "local_sketch",
        sl.local_sketch,
        function=square,
        n=4,
        degree=2,
        directions=3,
        seed=0,
        design="orthonormal",
        at=0.1,
    )
    yield call(
        "plan",
        sl.plan,
        run_or_profile=[1.0, 0.1, 0.01],
        epsilon=0.1,
        delta=0.05,
        deletion_size=2,
        worst_case=True,
    )
    yield call(
        "plan output", sl.plan, run_or_profile=output, epsilon=0.1, delta=0.05, deletion_size=2
    )
    yield call("plan run", sl.plan, run_or_profile=run, epsilon=0.1, output=t.loss)
    yield call("plan_part", sl.plan_part, output=output, epsilon=0.1, without=[1], parameters=100)
    # attribution
    asked = {"run": run, "outputs": t.outputs, "units": None, **QUIET}
    yield call(A + "first_order", at.first_order, **asked, at=0.0, unit="nats", jobs=1)
    yield call(A + "gradient_products", at.gradient_products, **asked, only=("wte",), rate=0.1)
    yield call(A + "halves", at.halves, run=run, count=2, seed=0, **QUIET)
    yield call(A + "influence", at.influence, **asked, damping=10.0, curvature="gauss_newton")
    yield call(A + "interactions", at.interactions, **asked, degree=2, damping=1.0)
    yield call(A + "lowest_curvature", at.lowest_curvature, run=run)
    yield call(
        A + "trak",
        at.trak,
        **asked,
        dimension=8,
        damping=1.0,
        models=2,
        seed=0,
        link="cross_entropy",
    )
    yield call(A + "tracin", at.tracin, **asked, every=2)
    yield call(A + "retrained", at.retrained, **asked, deletions=t.x, jobs=1)
    yield call(A + "taylor_terms", at.taylor_terms, **asked, deletions=t.x, degree=1, jobs=1)
    yield call(
        A + "shapley",
        at.shapley,
        **asked | {"units": [0] * 4 + [1] * 4},
        permutations=4,
        seed=0,
        most=100,
        jobs=1,
    )
    yield call(A + "metasmoothness", at.metasmoothness, **asked, directions=t.x, h=0.5, jobs=1)
    yield call(
        A + "scoreboard",
        at.scoreboard,
        **asked,
        methods=["exact first order"],
        deletions={"two": t.x},
        intervals=False,
        store=None,
        jobs=1,
        seed=0,
    )
    yield call(A + "available", at.available, run=run, outputs=t.outputs, link=None)
    yield call(A + "banzhaf", at.banzhaf, known=t.known)
    yield call(A + "by_chance", at.by_chance, n=8, bad=2, draws=5, seed=0)
    yield call(A + "effects", at.effects, known=t.singles[0], order=1)
    yield call(A + "flipped_labels", at.flipped_labels, labels=[0, 1, 0, 1], count=1, seed=0)
    yield call(A + "wrong_names", at.wrong_names, names=t.names, count=1, seed=0)
    yield call(A + "markdown", at.markdown, table=t.board.table, score="rmse")
    rng = np.random.default_rng(0)
    yield call(A + "random_deletions", at.random_deletions, n=8, sizes=[1, 2], rng=rng)
    yield call(A + "random_halves", at.random_halves, n=8, count=2, rng=rng)
    yield call(A + "recovery", at.recovery, scores=np.arange(8.0), bad=[1, 2], draws=5, seed=0)
    yield call(A + "Recovery.at", t.found.at, k=3)
    yield call(A + "regression", at.regression, known=t.known, kind="ridge", degree=1)
    yield call(A + "scaled", at.scaled, rankings=t.rankings, known=t.known)
    predicted = [one.predict(t.x) for one in t.first]
    yield call(
        A + "scores",
        at.scores,
        truth=np.random.default_rng(1).normal(size=(3, 2)),
        predictions=predicted,
    )
    yield call(A + "total_cost", at.total_cost, predictors=t.first)
    yield call(A + "without_first", at.without_first, scores=np.arange(8.0), counts=[1, 2])
    predictors = {
        "FirstOrder": t.first[0],
        "Baseline": at.effects(t.singles[0]),
        "Semivalues": at.banzhaf(t.known)[0],
        "AlongMove": at.interactions(run, t.outputs, damping=1.0, **QUIET)[0],
        "Ranking": at.scaled(t.rankings, t.known)[0],
        "TaylorTerms": at.taylor_terms(run, t.outputs, t.x, 1, **QUIET)[0],
    }
    for name, one in predictors.items():
        yield call(f"{A}{name}.predict", one.predict, down_weights=t.x)
        yield call(f"{A}{name}.predict without", one.predict, without=[0])
    yield call(A + "TaylorTerms.part", predictors["TaylorTerms"].part, degree=1)
    yield call(A + "TaylorTerms.resummed", predictors["TaylorTerms"].resummed, output=output)
    yield call(A + "Retrained.anchors", at.Retrained.anchors, output=output)
    yield call(A + "Retrained.chosen", t.singles[0].chosen, rows=[0, 1])
    yield call(
        A + "ConvexFit", at.ConvexFit, rows=t.rows[0], y=t.rows[1], penalty=0.1, loss="logistic"
    )
    yield call(
        A + "ConvexFit squared",
        at.ConvexFit,
        rows=t.rows[0],
        y=t.rows[0][:, 0],
        penalty=0.1,
        loss="squared",
    )
    yield call(A + "ConvexFit.after", t.fit.after, without=[1], by="group")
    yield call(A + "ConvexFit.loss_on", t.fit.loss_on, rows=t.rows[0][:2], y=t.rows[1][:2])
    fitted = t.fit.loss_on(t.rows[0][:2], t.rows[1][:2])
    yield call(A + "ConvexFit.output", t.fit.output, function=fitted, by="influence")
    yield call(A + "AfterDeletion.predict", t.fit.output(fitted).predict, without=[1])
    yield call(
        A + "Scoreboard", at.Scoreboard, **asked, groups={"two": t.x}, exact=None, jobs=1, seed=0
    )
    yield call(
        A + "Scoreboard.add",
        t.scoreboard().add,
        method="m",
        predictors=t.first,
        seconds=1.0,
        about={"words": 1},
    )
    yield call(A + "Scoreboard.add_random_ranking", t.scoreboard().add_random_ranking, draws=5)
    yield call(
        A + "Scoreboard.add_noise_floor",
        t.scoreboard().add_noise_floor,
        runs=[un.reseeded(run, 3, **QUIET), un.reseeded(run, 4, **QUIET)],
        **QUIET,
    )
    yield call(
        A + "Task",
        at.Task,
        **asked,
        groups={"two": t.x},
        directions=2,
        trainings=8,
        tuning=2,
        link=None,
        jobs=1,
        seed=0,
    )
    yield call(A + "Task.retrained", t.task().retrained, deletions=t.x)
    yield call(A + "Task.rng", t.task().rng, stream="halves")
    yield call(A + "Task.random", t.task().random, count=2, stream="points")
    yield call(A + "Task.once", t.task().once, name="mine", make=lambda: 1.0)
    yield call(A + "Task.timed", t.task().timed, make=lambda: 1.0)
    yield call(A + "Task.tuned", t.task().tuned, candidates={"mine": lambda: t.first}, rank=False)
    method = at.Method(lambda task: t.first)
    yield call(A + "Method", at.Method, make=method.make, access="checkpoints", check=len)
    yield call(A + "Method.check", method.check, task=t.task())
    yield call(A + "Made", at.Made, predictors=t.first, cost=1.0, settings="words", predict={})
    yield call(A + "Results.check_same", t.board.check_same, other=t.board, path="path")
    yield call(A + "Results.markdown", t.board.markdown, score="rmse")
    yield call(A + "Results.styled", t.board.styled, score="lds")
    yield call(A + "Results.row", t.board.row, method="exact first order")
    yield call(A + "Results.save", t.board.save, path=t.path_to("board"))
    yield call(A + "Results.read", at.Results.read, path=saved(t, "board", t.board.save))
    # unlearning
    models = t.models
    yield call(
        U + "Bench",
        un.Bench,
        run=run,
        without=[1],
        unseen=["max"],
        seeds=50,
        retained=2,
        initial=None,
        seed=0,
        splits=2,
        progress=False,
    )
    yield call(U + "Bench.margins_of_oracles", t.bench.margins_of_oracles, part="forget", same=True)
    yield call(U + "Bench.way", t.bench.way, method="ascent", stops=[0, 1])
    yield call(U + "Bench.add", copy.copy(t.bench).add, method="ascent", name="up", passes=1)
    margins = {p: t.bench.margins_of_oracles(p) for p in ("forget", "retain", "unseen")}
    yield call(U + "Bench.distances", t.bench.distances, margins=margins)
    yield call(U + "Bench.scores", t.bench.scores, models=t.bench.originals)
    yield call(U + "Way.standardised", t.way.standardised, part="forget", stop=1)
    yield call(U + "Way.missed", t.way.missed, part="forget")
    yield call(U + "Way.missed_by_retraining", t.way.missed_by_retraining, part="retain")
    yield call(U + "Models.losses", models.losses, examples=["max"])
    yield call(U + "Models.margins", models.margins, examples=["max"])
    yield call(U + "Ridge", un.Ridge, x=t.rows[0], y=t.rows[1] * 1.0, penalty=0.1, without=[1])
    yield call(U + "Ridge.attributed", t.ridge.attributed, by=2)
    yield call(U + "Ridge.objective", t.ridge.objective, method="ascent")
    yield call(U + "Ridge.distance", t.ridge.distance, w=np.ones(3))
    yield call(U + "Ridge.matching_at_most", t.ridge.matching_at_most, steps=3)
    yield call(U + "Ridge.fine_tuning_at_least", t.ridge.fine_tuning_at_least, steps=3)
    yield call(U + "SDLoss", un.SDLoss, model=model, gamma=0.5)
    sd = un.SDLoss(model, 0.5)
    yield call(U + "SDLoss.loss", sd.loss, doc="max")
    yield call(U + "SDLoss.fresh", sd.fresh, seed=1)
    squares = t.squares
    yield call(
        U + "WeightedSquares",
        un.WeightedSquares,
        x=t.rows[0],
        weights=np.ones(12),
        targets=np.ones(12),
        penalty=0.1,
    )
    yield call(U + "WeightedSquares.check_start", squares.check_start, start=np.zeros(3))
    yield call(U + "WeightedSquares.limit", squares.limit, start=np.zeros(3))
    yield call(U + "descend", un.descend, objective=squares, start=np.zeros(3), rates=0.01, steps=2)
    yield call(
        U + "descend_by_rows",
        un.descend_by_rows,
        objective=squares,
        start=np.zeros(3),
        rates=0.01,
        passes=2,
        seeds=(0, 1),
    )
    yield call(U + "change_by_effects", un.change_by_effects, run=run, without=[1], **QUIET)
    yield call(U + "change_by_jets", un.change_by_jets, run=run, without=[1], degree=1, **QUIET)
    yield call(
        U + "change_by_regression",
        un.change_by_regression,
        run=run,
        without=[1],
        deletions=t.known[0].deletions,
        kind="ridge",
        **QUIET,
    )
    yield call(
        U + "change_by_sketch",
        un.change_by_sketch,
        sketch=made,
        run=run,
        without=[1],
        estimator="mean",
    )
    yield call(
        U + "direct",
        un.direct,
        targets=un.predicted_targets(models, t.change),
        model=model,
        examples=["max"],
    )
    yield call(U + "generations", un.generations, models=models, count=1, seed=0, temperature=0.5)
    a, b = t.margins
    yield call(
        U + "klom", un.klom, unlearned=a, oracle=b, bins=5, clip=9.0, floor=0.0001, force=False
    )
    yield call(U + "wasserstein", un.wasserstein, unlearned=a, oracle=b)
    yield call(U + "lira", un.lira, unlearned=a, members=b, oracle=a + 1, tested=b, seed=0)
    yield call(U + "loss_attack", un.loss_attack, forget=a[:4], unseen=b[:4], seed=0)
    yield call(U + "margins", un.margins, logits=logits, targets=[0, 1])
    yield call(U + "null", un.null, oracles=a, score=un.wasserstein, splits=2, seed=0)
    yield call(U + "verification_error", un.verification_error, unlearned=a[:4], retrained=b[:4])
    yield call(U + "metrics.rates", un.metrics.rates, positive=a[:4], negative=b[:4])
    yield call(
        U + "metrics.likelihood_ratios",
        un.metrics.likelihood_ratios,
        values=a[:4],
        members=b,
        oracle=a,
    )
    yield call(
        U + "largest_eigenvalue",
        un.largest_eigenvalue,
        run=run,
        flat=models.flat,
        examples=[0, 1],
        seed=0,
    )
    yield call(U + "mean_change", un.mean_change, changes=[t.change, t.change])
    yield call(U + "oracle_targets", un.oracle_targets, oracles=t.oracles)
    yield call(
        U + "overlap",
        un.overlap,
        generated=[["ann"], ["bob"]],
        references=[["anna"], ["rob"]],
        seed=0,
    )
    for method in ("ascent", "single_gradient"):
        yield call(
            f"{U}path {method}",
            un.path,
            originals=models,
            without=[1],
            method=method,
            stops=[0, 1],
            **QUIET,
        )
    yield call(
        U + "unlearn",
        un.unlearn,
        originals=models,
        without=[1],
        method="fine_tuning",
        passes=1,
        kept=2,
        optimizer=sl.SGD(0.01),
        seed=0,
        progress=False,
    )
    yield call(
        U + "unlearn scrub",
        un.unlearn,
        originals=models,
        without=[1],
        method="scrub",
        passes=1,
        near=1.0,
        down=1.0,
        ascents=1,
        progress=False,
    )
    yield call(
        U + "unlearn matching",
        un.unlearn,
        originals=models,
        without=[1],
        method="matching",
        kept=1,
        targets=un.oracle_targets(t.oracles),
        progress=False,
    )
    yield call(
        U + "unlearn ascent_descent",
        un.unlearn,
        originals=models,
        without=[1],
        method="ascent_descent",
        weight=0.5,
        kept=1,
        progress=False,
    )
    yield call(U + "perplexity", un.perplexity, losses=np.ones((2, 3)), positions=[1, 2, 3], seed=0)
    yield call(U + "predicted_targets", un.predicted_targets, originals=models, change=t.change)
    yield call(U + "reseeded", un.reseeded, run=run, seed=1, initial=None, **QUIET)
    yield call(U + "rouge_l", un.rouge_l, generated=["ann"], references=["anna"])
    yield call(U + "similar", un.similar, run=run, texts=[t.names[0]], cutoff=80.0)
    yield call(U + "similarity", un.similarity, texts=["ann"], others=["anna"])
    yield call(U + "stopped", un.stopped, way=t.path, examples=["max"], level=2.0)
    yield call(
        U + "train_seeds", un.train_seeds, run=run, seeds=[1, 2], without=[1], initial=None, **QUIET
    )
    yield call(
        U + "unlearning_error",
        un.unlearning_error,
        models=models,
        points=2,
        examples=[0, 1],
        seed=0,
    )
    # in context
    yield call(
        C + "QuantizedKMeans",
        lambda X, **settings: ic.QuantizedKMeans(**settings).fit(X),
        X=t.points,
        clusters=2,
        width=0.5,
        gamma=0.2,
        iterations=2,
        seed=0,
    )
    yield call(C + "QuantizedKMeans.fit", t.kmeans().fit, X=t.points)
    yield call(C + "QuantizedKMeans.forget", t.kmeans().forget, number=3)
    yield call(C + "QuantizedKMeans.add", t.kmeans().add, x=np.ones(2))
    yield call(C + "means.steps", sl.incontext.means.steps, made=t.kmeans())
    yield call(C + "means.without", sl.incontext.means.without, made=t.kmeans(), number=3)
    yield call(C + "QuantizedKMeans.predict", t.kmeans().predict, X=t.points)
    yield call(C + "QuantizedKMeans.points", t.kmeans().points, numbers=[1, 2])
    yield call(C + "QuantizedKMeans.distances", t.kmeans().distances, numbers=[1, 2])
    yield call(C + "QuantizedKMeans.representatives", t.kmeans().representatives, which=[0])
    yield call(C + "QuantizedKMeans.save", t.kmeans().save, path=t.path_to("kmeans"))
    yield call(
        C + "QuantizedKMeans.open",
        ic.QuantizedKMeans.open,
        path=saved(t, "clusters", t.kmeans().save),
    )
    yield call(
        C + "QuantizedKMeans.from_state", ic.QuantizedKMeans.from_state, state=t.kmeans().state()
    )
    X, y = t.labelled
    yield call(
        C + "Erase",
        lambda X, y, **settings: ic.Erase(**settings).fit(X, y),
        X=X,
        y=y,
        learner=t.learner,
        clusters=2,
        width=0.5,
        gamma=0.2,
        iterations=2,
        seed=0,
    )
    yield call(C + "Erase.fit", t.erase().fit, X=X, y=y)
    yield call(C + "Erase.forget", t.erase().forget, number=3)
    yield call(C + "Erase.add", t.erase().add, x=X[0], label=1)
    yield call(C + "Erase.probabilities", t.erase().probabilities, X=X)
    yield call(C + "Erase.predict", t.erase().predict, X=X)
    yield call(C + "Erase.save", t.erase().save, path=t.path_to("erase"))
    yield call(
        C + "Erase.open", ic.Erase.open, path=saved(t, "prompt", t.erase().save), learner=t.learner
    )
    yield call(
        C + "FineTuned",
        lambda X, y, **settings: ic.FineTuned(**settings).fit(X, y),
        X=X,
        y=y,
        learner=t.learner,
        shards=2,
        passes=1,
        learning_rate=0.1,
        batch_size=2,
        seed=0,
    )
    yield call(C + "FineTuned.fit", t.tuned().fit, X=X, y=y)
    yield call(C + "FineTuned.forget", t.tuned().forget, number=1)
    yield call(C + "FineTuned.probabilities", t.tuned().probabilities, X=X)
    yield call(C + "FineTuned.predict", t.tuned().predict, X=X)
    yield call(C + "Learner.embed", t.learner.embed, X=X)
    yield call(C + "Learner.scaled", t.learner.scaled, X=X)
    keys = t.learner.embed(X)
    yield call(C + "Learner.attention", t.learner.attention, keys=keys, queries=keys)
    yield call(
        C + "Learner.probabilities", t.learner.probabilities, keys=keys, labels=y, queries=keys
    )
    yield call(C + "letter_images", ic.letter_images, each=1, alphabets=("Greek",), seed=0)
    yield call(
        C + "pretrain",
        ic.pretrain,
        items=t.items,
        ways=2,
        shots=2,
        steps=2,
        batch_size=2,
        hidden=4,
        columns=2,
        seed=0,
        progress=False,
    )
    yield call(C + "recommended_width", ic.recommended_width, spread=1.0, rise=0.04)
    # pictures
    yield call(F + "certificate", fig.certificate, made=t.kmeans(), number=1, columns=2, text=9.0)
    yield call(
        F + "clusters",
        fig.clusters,
        made=t.kmeans(),
        X=t.points,
        iteration=1,
        point=1,
        legend=True,
        limits=((-1, 1), (-1, 1)),
        text=8.0,
        figure=None,
        moves=(np.zeros((2, 2)), np.ones((2, 2))),
    )
    yield call(
        F + "clusters_by_iteration",
        fig.clusters_by_iteration,
        made=t.kmeans(),
        X=t.points,
        iterations=[1],
        columns=1,
        text=9.0,
    )
    yield call(
        F + "deletion_curve",
        fig.deletion_curve,
        weights=[0, 1],
        retrained=[1.0, 2.0],
        jet=t.line,
        name="max",
        degrees=(1,),
        z=0.5,
    )
    yield call(F + "error_by_degree", fig.error_by_degree, jet=t.line, truth=2.0, z=1.0)
    yield call(F + "description", fig.description, figure=fig.blank())
    yield call(F + "error_and_cost", fig.error_and_cost, results=t.board, group="two")
    yield call(F + "frame", fig.frame, points=t.points, beyond=0.5)
    letters = sl.LetterLoss.each("max", model)
    yield call(
        F + "letters",
        fig.letters,
        outputs=letters,
        predictors=at.first_order(run, letters, **QUIET),
        labels=t.names,
        k=3,
    )
    yield call(
        F + "losses_without",
        fig.losses_without,
        counts=[0, 1],
        losses={"a": [1.0, 2.0]},
        label="loss",
        what="names",
    )
    yield call(
        F + "methods_on_one_deletion",
        fig.methods_on_one_deletion,
        changes={"a": 0.1, "b": None},
        bands={"a": (0.0, 0.2)},
        true=0.1,
        costs={"a": 3},
        label="change",
        figure=None,
    )
    yield call(F + "blank", fig.blank, width=4.0, height=3.0)
    yield call(
        F + "predicted_curve",
        fig.predicted_curve,
        axes=fig.new_axes()[1],
        prediction=t.point,
        weights=[0.0, 0.5, 1.0],
        curve=t.curve,
        weight=1.0,
        now=2.0,
        retrained=[(1.0, 2.0)],
    )
    yield call(F + "taylor_terms", fig.taylor_terms, axes=fig.new_axes()[1], prediction=t.point)
    yield call(
        F + "smoothness", fig.smoothness, result=SMOOTHNESS, indices=["second", "growth"], most=3.0
    )
    yield call(F + "new_axes", fig.new_axes, width=4.0, height=3.0, columns=2)
    yield call(
        F + "predicted_and_true",
        fig.predicted_and_true,
        results=t.board,
        methods=["exact first order"],
        group="two",
    )
    yield call(
        F + "ranks_by_size", fig.ranks_by_size, results=t.board, methods=["exact first order"]
    )
    yield call(F + "predicted_curves", fig.predicted_curves, result=CURVES)
    yield call(F + "stability", fig.stability, result={"log2": [[0.0, -1.0], [0.1, -2.0]]})
    yield call(
        F + "predicted_deletion",
        fig.predicted_deletion,
        prediction=t.point,
        weights=[0.0, 0.5, 1.0],
        curve=t.curve,
        weight=1.0,
        now=2.0,
        retrained=[(1.0, 2.0)],
        label="loss",
    )
    yield call(
        F + "recovery_curves", fig.recovery_curves, found={"a": t.found}, most=4, what="names"
    )
    yield call(F + "unlearning_way", fig.unlearning_way, way=t.way, stop=1, null=t.bench.null)
    yield call(F + "write", fig.write, text=fig.new_axes()[1].title, words="words")
    # reports, widgets, the paper
    yield call(
        "report",
        sl.report,
        run=run,
        without=[1],
        outputs=[t.loss],
        sketch=made,
        unseen=["max"],
        request="words",
        texts=True,
        **QUIET,
    )
    yield call(
        "report method",
        sl.report,
        run=run,
        without=[1, 2],
        method="ascent",
        settings={"passes": 1},
        bench=t.bench,
        made=None,
        **QUIET,
    )
    yield call("reports.Report.save", t.report.save, path=t.path_to("report"), overwrite=True)
    yield call(
        "reports.playground",
        sl.reports.playground,
        run=run,
        sketch=made,
        deletions={"names": {"one": [1]}},
        outputs=[t.loss],
        epsilons=[0.1],
        title="T",
        about="A",
        **QUIET,
    )
    yield call("reports.Playground.save", t.playground.save, path=t.path_to("page"), overwrite=True)
    yield call("reports.read", sl.reports.read, path=saved(t, "page", t.report.save))
    yield call(
        "explore",
        sl.explore,
        run=run,
        sketch=made,
        without=[1],
        name="max",
        held_out=["max"],
        outputs={"mine": t.loss},
        labels=t.names,
        table=None,
    )
    yield call(
        "widgets.compare_methods",
        sl.widgets.compare_methods,
        run=run,
        predictors={"exact": t.first},
        outputs=t.outputs,
        units=None,
        labels=t.names,
    )
    yield call(
        "widgets.forget_points",
        sl.widgets.forget_points,
        X=t.points,
        clusters=2,
        width=0.5,
        gamma=0.2,
        iterations=2,
        seed=0,
    )
    yield call(
        "widgets.review",
        sl.widgets.review,
        run=run,
        output=t.loss,
        predictor=t.first[0],
        check=t.outputs[1],
        labels=t.names,
        rows=3,
    )
    yield call(
        "widgets.with_sliders", sl.widgets.with_sliders, draw=lambda x: fig.blank(), x=(0, 4, 1, 2)
    )
    for name in ("check", "verdict"):
        function = getattr(sl.exercises, name)
        yield call(f"exercises.{name}", function, question="05.2", answer=1.0)
    yield call("exercises.judge", sl.exercises.judge, name="jets", functions=[multiply])
    yield call("paper.training_run", sl.paper.training_run, names_path=t.many_names, **QUIET)
    yield call(
        "paper.playground",
        sl.paper.playground,
        names_path=t.few_names,
        documents=8,
        directions=3,
        store=None,
        **QUIET,
    )
    yield call("paper.deletion", sl.paper.deletion, run=run)
    yield call(
        "paper.deletion_curve",
        sl.paper.deletion_curve,
        run=run,
        indices=[1],
        name="max",
        degree=1,
        weights=[0, 1],
        **QUIET,
    )
    yield call(
        "paper.figure1",
        sl.paper.figure1,
        run=run,
        name="max",
        degree=3,
        directions=2,
        store=None,
        jobs=1,
        **QUIET,
    )
    yield call(
        "paper.figure3",
        sl.paper.figure3,
        run=run,
        name="max",
        degree=1,
        directions=2,
        store=None,
        jobs=1,
        **QUIET,
    )


def multiply(a, b):
    return list(np.polynomial.polynomial.polymul(a, b)[: len(a)])


SMOOTHNESS = {
    "rows": [
        {"setting": name, "error": number, "second": number, "growth": number}
        for name, number in (("GELU", [0.5, 0.4, 0.6]), ("ReLU", [0.2, 0.1, 0.3]))
    ],
    "correlations": {"all": {"second": [0.5, 0.1, 0.9], "growth": [0.2, -0.1, 0.6]}},
}
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
