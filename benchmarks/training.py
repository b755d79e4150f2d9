"""How much faster arrays and jets train microgpt than a scalar circuit, side by side in one run.

    python benchmarks/training.py [--names names.txt] [--singles 1000] [--before folder] [--quick]

The baseline is this package's own scalar circuit running the same microgpt step: build the circuit
of the step's name, evaluate it, sweep back, and apply Adam, on Python floats or on jets that are
lists of Python numbers (`list_jet.py`). Ratios are per model-step and per direction-step, once with
and once without the building of the circuit. One BLAS thread; seconds of the processor, so that
other work on the machine counts less. Before timing, both sides are shown to compute the same
losses and gradients.

--before: a folder with another version of the package, which is timed in turns with this one.

Then what single precision adds to predictions, in their sampling errors; and retrainings without
one name each, from states of the run stored once and from the start, with the same numbers.
"""

import os

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import json
import platform
import subprocess
import sys
import time
import tracemalloc

import numpy as np

import sketchlab as sl
from sketchlab.algebra.circuits import Circuit, input_array

from list_jet import ListJet

DEGREE, BATCH = 3, 64
TURN = 3 * BATCH  # single retrainings one way before as many the other way


def timed(function, repeats):
    """Least seconds of the processor in a few calls."""
    best = np.inf
    for _ in range(repeats):
        start = time.process_time()
        function()
        best = min(best, time.process_time() - start)
    return best


def scalar_circuit(model, doc):
    """The scalar circuit of the loss on one name, with all parameters as inputs."""
    gates = {name: input_array(name, p.shape) for name, p in model.parameters.items()}
    loss = model.with_parameters(gates).loss(doc)
    return Circuit(loss, [gate for array in gates.values() for gate in array.ravel()])


def flat(parameters):
    """All parameters in one list of floats."""
    return np.concatenate([p.ravel() for p in parameters.values()]).tolist()


def as_objects(values):
    """A one-dimensional object array, so that the package's Adam acts on scalars."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def scalar_step(circuit, values, adam):
    """One training step over whatever ring `values` are from."""
    _, gradient = circuit.value_and_gradient(*values)
    zeros = as_objects([value * 0.0 for value in values])
    return adam.update(0, 1000, as_objects(values), as_objects(gradient), zeros, zeros)


def check_agreement(model, doc, direction):
    """The scalar circuit on floats and on jets gives the array model's loss and gradient."""

    def loss(parameters):
        return model.with_parameters(parameters).loss(doc)

    circuit, start = scalar_circuit(model, doc), flat(model.parameters)
    value, gradient = circuit.value_and_gradient(*start)
    expected = flat(sl.ring_grad(loss)(model.parameters))
    assert abs(value - loss(model.parameters)) < 1e-9
    assert np.allclose(np.array(gradient, float), expected, atol=1e-9)
    lists = [ListJet([a, b, 0j, 0j]) for a, b in zip(start, direction, strict=True)]
    jets, at = {}, 0
    for name, p in model.parameters.items():
        along = np.array(direction[at : at + p.size]).reshape(1, *p.shape)
        jets[name], at = sl.Jet.line(p[None], along, DEGREE), at + p.size
    assert np.allclose(circuit(*lists).c, loss(jets).coefficients[:, 0], rtol=1e-9)


def single_retrainings(run, count):
    """Seconds of retraining without each of some names: from stored states, and from the start.

    In turns, so that both see the same machine. A down-weight of 1e-300 of the first name leaves
    its weight, 1 - 1e-300, at 1, but counts as a touch: that retraining is from the start.
    """
    singles = np.eye(len(run))[np.linspace(0, len(run) - 1, count).astype(int)]
    seconds = np.zeros(2)
    for first in range(0, count, TURN):
        models, rows = [None, None], singles[first : first + TURN]
        ways = rows, np.maximum(rows, 1e-300 * np.eye(len(run))[0])
        for way in (0, 1) if first % (2 * TURN) else (1, 0):
            start = time.process_time()
            models[way] = run.retrain(down_weights=ways[way], progress=False).parameters
            seconds[way] += time.process_time() - start
        for name, stored in models[0].items():
            assert np.max(np.abs(stored - models[1][name])) < 1e-12
    return seconds


def trained(names):
    """The run whose model and names everything here uses; its own training is one step long."""
    if names:
        return sl.paper.training_run(names, progress=False)
    return sl.train(sl.names.load()[:1000], steps=1, progress=False)


def arrays(full, steps, jet_steps):
    """Seconds per step, of one model or direction, by what is trained."""
    if hasattr(sl.training.runs, "BATCH"):
        sl.training.runs.BATCH = BATCH  # the same for every version

    def run_of(count):
        return sl.microgpt.MicroGPTRun(full.initial, full.data[:count], progress=False)

    rng, run, short = np.random.default_rng(0), run_of(steps), run_of(jet_steps)
    x = rng.random((BATCH, steps))
    psi = rng.normal(size=(BATCH, jet_steps)) + 1j * rng.normal(size=(BATCH, jet_steps))
    psi /= np.linalg.norm(psi, axis=1, keepdims=True)
    found = {
        "one": timed(lambda: run.retrain(without=[0], progress=False), 1) / steps,
        "many": timed(lambda: run.retrain(down_weights=x, progress=False), 1) / steps / BATCH,
    }
    for precision in ("double", "single"):
        setting = {} if precision == "double" else {"precision": precision}
        try:
            seconds = timed(lambda s=setting: short.push(psi, DEGREE, progress=False, **s), 1)
        except TypeError:  # a version that has no such setting
            continue
        found[precision] = seconds / jet_steps / BATCH
    return found


class Version:
    """A version of the package in a process of its own, which measures when it is asked."""

    def __init__(self, folder, options):
        settings = {"PYTHONPATH": os.path.abspath(folder)} if folder else {}
        command = [sys.executable, __file__, "--measure", *options]
        self.process = subprocess.Popen(
            command,
            env=os.environ | settings,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.best = {}

    def measure(self):
        """Measure once more and keep the least."""
        print("again", file=self.process.stdin, flush=True)
        for what, seconds in json.loads(self.process.stdout.readline()).items():
            self.best[what] = min(seconds, self.best.get(what, np.inf))


def rounding(names, directions):
    """Largest change of predictions by single precision, in sampling errors, by deletion size."""
    run = sl.train(names, progress=False)
    outputs = [
        sl.sketch(run, DEGREE, directions, anchors=0, precision=precision, progress=False).output(
            sl.LossOn(names[0])
        )
        for precision in ("double", "single")
    ]
    rng, found = np.random.default_rng(0), {}
    for size in (1, 3, 10, 30, 100, 300):
        if size < len(run):
            deleted = [rng.choice(len(run), size, replace=False).tolist() for _ in range(10)]
            for estimator in ("mean", "automatic"):
                exact, rough = (o.predict(without=deleted, estimator=estimator) for o in outputs)
                change = np.max(np.abs(rough.value - exact.value) / exact.error)
                found[size] = max(change, found.get(size, 0.0))
    return found


ROWS = {
    "one": "retraining, one model",
    "many": f"retraining, per model of a batch of {BATCH}",
    "double": f"degree-{DEGREE} complex jet, per direction of {BATCH}",
    "single": "the same in single precision",
}


def main():
    """Run the benchmark and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--names", help="the paper's names.txt (default: the embedded names)")
    parser.add_argument("--singles", type=int, default=1000, help="retrainings without one name")
    parser.add_argument("--before", help="a folder with another version, to time beside this one")
    parser.add_argument("--quick", action="store_true", help="few steps: only to see that it works")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    steps, scalar_steps, repeats = (10, 1, 1) if options.quick else (300, 12, 5)
    jet_steps = 5 if options.quick else 40
    full = trained(options.names)
    if options.measure:
        for _ in sys.stdin:
            print(json.dumps(arrays(full, steps, jet_steps)), flush=True)
        return
    docs, model, adam = full.data, full.initial, sl.Adam()
    rng = np.random.default_rng(0)
    direction = (0.1 * (rng.normal(size=4192) + 1j * rng.normal(size=4192))).tolist()
    check_agreement(model, "ada", direction)

    # The scalar baseline, on names spread over the run, in turns with the arrays.
    sample = docs[: max(jet_steps, 12) : max(1, max(jet_steps, 12) // scalar_steps)][:scalar_steps]
    circuits = [scalar_circuit(model, doc) for doc in sample]
    start = flat(model.parameters)
    jets = [ListJet([a, b, 0.5 * b, 0.1 * b]) for a, b in zip(start, direction, strict=True)]
    passed = ["--names", options.names] if options.names else []
    passed += ["--quick"] if options.quick else []
    versions = [Version(None, passed)]
    versions += [Version(options.before, passed)] if options.before else []
    build, floats, on_jets = np.inf, np.inf, np.inf
    for _ in range(repeats):
        build = min(build, timed(lambda: [scalar_circuit(model, d) for d in sample], 1))
        floats = min(floats, timed(lambda: [scalar_step(c, start, adam) for c in circuits], 1))
        on_jets = min(on_jets, timed(lambda: [scalar_step(c, jets, adam) for c in circuits], 1))
        for version in versions:
            version.measure()
    for version in versions:
        version.process.communicate()  # and it ends
    build, floats, on_jets = (seconds / len(sample) for seconds in (build, floats, on_jets))

    count = min(options.singles, steps)
    run = sl.microgpt.MicroGPTRun(model, docs[:steps], progress=False)
    stored, whole = single_retrainings(run, count)
    tracemalloc.start()
    psi = rng.normal(size=(BATCH, 5)) + 1j * rng.normal(size=(BATCH, 5))
    short = sl.microgpt.MicroGPTRun(model, docs[:5], progress=False)
    short.push(psi, DEGREE, progress=False)
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()

    print(f"Python {platform.python_version()}, numpy {np.__version__}, {platform.machine()}")
    print(
        f"scalar circuit: build {1e3 * build:.0f} ms, step on floats {1e3 * floats:.0f} ms, "
        f"step on degree-{DEGREE} complex jets {1e3 * on_jets:.0f} ms"
    )
    print(
        "| per step, one core | scalar (with build) | arrays | ratio | ratio without build "
        "| ratio before |"
    )
    print("|---|---|---|---|---|---|")
    now, *before = (version.best for version in versions)
    for what, words in ROWS.items():
        scalar = on_jets if what in ("double", "single") else floats
        old = f"{(scalar + build) / before[0][what]:.0f}" if before and what in before[0] else ""
        print(
            f"| {words} | {1e3 * (scalar + build):.0f} ms | {1e3 * now[what]:.3f} ms "
            f"| {(scalar + build) / now[what]:.0f} | {scalar / now[what]:.0f} | {old} |"
        )
    changes = rounding(docs[:12], 5) if options.quick else rounding(docs[:400], 100)
    print("single precision changes predictions by at most these parts of their sampling error:")
    print("; ".join(f"{size} deleted: {change:.1e}" for size, change in changes.items()))
    print(
        f"{count} retrainings without one name each: {stored:.1f} s from stored states, "
        f"{whole:.1f} s from the start, ratio {stored / whole:.2f}, the same numbers"
    )
    print(f"peak memory of {BATCH} directions of degree {DEGREE}: {peak:.0f} MB")


if __name__ == "__main__":
    main()
