"""How much faster arrays and jets train microgpt than a scalar circuit, side by side in one run.

    python benchmarks/training.py [--names names.txt] [--singles 1000] [--quick]

The baseline is this package's own scalar circuit running the same microgpt step: build the circuit
of the step's name, evaluate it, sweep back, and apply Adam, on Python floats or on jets that are
lists of Python numbers (`list_jet.py`). Ratios are per model-step and per direction-step, once with
and once without the building of the circuit. One BLAS thread. Before timing, both sides are shown
to compute the same losses and gradients.

Then retrainings without one name each, from states of the run stored once and from the start, with
the same numbers.
"""

import os

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import platform
import time
import tracemalloc

import numpy as np

import sketchlab as sl
from sketchlab.algebra.circuits import Circuit, input_array

from list_jet import ListJet

DEGREE, BATCH = 3, 32
TURN = 3 * BATCH  # single retrainings one way before as many the other way


def timed(function, repeats):
    """Best wall-clock seconds of a few calls."""
    best = np.inf
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - start)
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
            start = time.perf_counter()
            models[way] = run.retrain(down_weights=ways[way], progress=False).parameters
            seconds[way] += time.perf_counter() - start
        for name, stored in models[0].items():
            assert np.max(np.abs(stored - models[1][name])) < 1e-12
    return seconds


def main():
    """Run the benchmark and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--names", help="the paper's names.txt (default: the embedded names)")
    parser.add_argument("--singles", type=int, default=1000, help="retrainings without one name")
    parser.add_argument("--quick", action="store_true", help="few steps: only to see that it works")
    options = parser.parse_args()
    steps, scalar_steps, repeats = (10, 1, 1) if options.quick else (1000, 12, 3)
    jet_steps = 5 if options.quick else 200
    if options.names:
        full = sl.paper.training_run(options.names, progress=False)
    else:
        full = sl.train(sl.names.load()[:1000], steps=1, progress=False)
    docs, model, adam = full.data[:steps], full.initial, sl.Adam()
    rng = np.random.default_rng(0)
    direction = (0.1 * (rng.normal(size=4192) + 1j * rng.normal(size=4192))).tolist()
    check_agreement(model, "ada", direction)

    def run_of(count):
        return sl.microgpt.MicroGPTRun(model, docs[:count], progress=False)

    # The scalar baseline, on names spread over the run.
    sample = docs[:: max(1, steps // scalar_steps)][:scalar_steps]
    circuits = [scalar_circuit(model, doc) for doc in sample]
    build = timed(lambda: [scalar_circuit(model, doc) for doc in sample], 1) / len(sample)
    start = flat(model.parameters)
    jets = [ListJet([a, b, 0.5 * b, 0.1 * b]) for a, b in zip(start, direction, strict=True)]
    floats = timed(lambda: [scalar_step(c, start, adam) for c in circuits], repeats) / len(sample)
    on_jets = timed(lambda: [scalar_step(c, jets, adam) for c in circuits], 1) / len(sample)

    # Arrays.
    run = run_of(steps)
    x = rng.random((BATCH, steps))
    single = timed(lambda: run.retrain(without=[0], progress=False), repeats) / steps
    batch = timed(lambda: run.retrain(down_weights=x, progress=False), repeats) / steps / BATCH
    short = run_of(jet_steps)
    psi = rng.normal(size=(BATCH, jet_steps)) + 1j * rng.normal(size=(BATCH, jet_steps))
    psi /= np.linalg.norm(psi, axis=1, keepdims=True)
    push = timed(lambda: short.push(psi, DEGREE, progress=False), repeats) / jet_steps / BATCH

    count = min(options.singles, steps)
    stored, whole = single_retrainings(run_of(steps), count)

    tracemalloc.start()
    run_of(5).push(psi[:, :5], DEGREE, progress=False)
    peak = tracemalloc.get_traced_memory()[1] / 1e6

    print(f"Python {platform.python_version()}, numpy {np.__version__}, {platform.machine()}")
    print(
        f"scalar circuit: build {1e3 * build:.0f} ms, step on floats {1e3 * floats:.0f} ms, ",
        end="",
    )
    print(f"step on degree-{DEGREE} complex jets {1e3 * on_jets:.0f} ms")
    print("| per step, one core | scalar (with build) | arrays | ratio | ratio without build |")
    print("|---|---|---|---|---|")
    for what, scalar, arrays in (
        ("retraining, one model", floats, single),
        (f"retraining, per model of a batch of {BATCH}", floats, batch),
        (f"degree-{DEGREE} complex jet, per direction of {BATCH}", on_jets, push),
    ):
        print(
            f"| {what} | {1e3 * (scalar + build):.0f} ms | {1e3 * arrays:.3f} ms "
            f"| {(scalar + build) / arrays:.0f} | {scalar / arrays:.0f} |"
        )
    print(
        f"{count} retrainings without one name each: {stored:.1f} s from stored states, "
        f"{whole:.1f} s from the start, ratio {stored / whole:.2f}, the same numbers"
    )
    print(f"peak memory of {BATCH} directions of degree {DEGREE}: {peak:.0f} MB")


if __name__ == "__main__":
    main()
