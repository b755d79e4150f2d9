"""States that retrainings and jets start from change no number: against a walk written out."""

import pickle

import numpy as np
import pytest

import sketchlab as sl
from sketchlab import ring
from sketchlab.training import prefixes
from sketchlab.training.runs import BATCH

from conftest import cauchy_coefficients, complex_directions

N = 40


def make_run(optimizer="adam", *, seen=None, labels=None, data=None, **settings):
    """A small network with GELUs on 40 rows; `seen` collects the numbers of the models trained."""
    rng = np.random.default_rng(3)
    rows, targets = rng.normal(size=(N, 3)), rng.normal(size=N)
    targets = targets if labels is None else labels

    def losses(parameters, numbers):
        if seen is not None:
            seen.append(np.shape(parameters["out"])[:-1])
        hidden = ring.gelu(ring.linear(rows[numbers], parameters["hidden"]))
        out = ring.sum(hidden * parameters["out"][..., None, :], -1)
        return (out + parameters["shift"][..., None] - targets[numbers]) ** 2

    start = {
        "hidden": 0.5 * rng.normal(size=(4, 3)),
        "shift": np.array(0.2),
        "out": 0.5 * rng.normal(size=4),
    }
    return sl.TrainingRun(
        sl.Model(start, losses),
        np.arange(N) if data is None else data,
        optimizer=OPTIMIZERS[optimizer],
        progress=False,
        **settings,
    )


OPTIMIZERS = {
    "adam": sl.Adam(0.02),
    "sgd": sl.SGD(0.05),
    "momentum": sl.SGD(0.02, momentum=0.9, weight_decay=0.01, schedule="linear"),
}
PASSES = {
    "one pass": {},
    "batches": {"batch_size": 7},
    "several passes": {"batch_size": 3, "steps": 35},
    "not all data": {"batch_size": 2, "steps": 11},
    "one step": {"batch_size": 4, "steps": 1},
}


def walked(run, weights, lift):
    """Training from the first step, written out by name; weights: of all examples, (..., n)."""
    p = {name: lift(value) for name, value in run.initial.parameters.items()}
    states = {name: (value * 0.0,) * run.optimizer.states for name, value in p.items()}

    def objective(parameters, numbers):
        losses = run.initial.with_parameters(parameters).losses(numbers)
        return ring.sum(losses * weights[..., numbers], -1) * (1.0 / len(numbers))

    for step in range(run.steps):
        numbers = np.arange(step * run.batch_size, (step + 1) * run.batch_size) % N
        g = ring.ring_grad(objective)(p, numbers)
        for name in p:
            p[name], *states[name] = run.optimizer.update(
                step, run.steps, p[name], g[name], *states[name]
            )
    return p


def late(m, seed, dtype=float):
    """Down-weights or directions whose first rows touch the last examples, and one touches none."""
    rng = np.random.default_rng(seed)
    x = rng.random((m, N)).astype(dtype)
    if dtype is complex:
        x = 0.3 * (x + 1j * rng.normal(size=(m, N)))
    x[np.arange(N) < rng.permutation(np.linspace(0, N - 1, m).astype(int))[:, None]] = 0.0
    x[m // 2] = 0.0
    return x


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("passes", PASSES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_retrainings_are_those_of_a_walk_from_the_start(optimizer, passes, dtype):
    """Real and complex, more rows than a batch in mixed order, each alone, and again."""
    run = make_run(optimizer, **PASSES[passes])
    x = late(BATCH + 9, 5, dtype)
    expected = walked(run, 1.0 - x, lambda p: np.repeat(p[None].astype(dtype), len(x), axis=0))
    for _ in range(2):  # the second time all states are there
        found = run.retrain(down_weights=x, progress=False).parameters
        for name in expected:
            assert found[name].dtype == dtype
            np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=1e-12)
    for row in (0, len(x) // 2, len(x) - 1):
        alone = run.retrain(down_weights=x[row], progress=False).parameters
        for name in expected:
            np.testing.assert_allclose(alone[name], expected[name][row], rtol=0, atol=1e-12)


@pytest.mark.parametrize("at", [0.0, 0.3, "each"])
@pytest.mark.parametrize("passes", PASSES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_jets_are_those_of_a_walk_from_the_start(optimizer, passes, at):
    """Around several base points, along real and complex directions, to degrees 0 and 3."""
    run = make_run(optimizer, **PASSES[passes])
    at = np.random.default_rng(8).random(N) if at == "each" else at
    for m, degree, dtype in ((BATCH + 5, 3, complex), (4, 2, float), (BATCH + 1, 0, float)):
        psi = late(m, 6, dtype)
        kept = np.broadcast_to(1.0 - at, (1, N))
        expected = walked(
            run,
            sl.Jet.line(kept, -psi, degree),
            lambda p, m=m, degree=degree, dtype=dtype: sl.Jet.of(
                p[None], np.zeros((degree, m, *p.shape), dtype)
            ),
        )
        found = run.push(psi, degree, at=at, progress=False).parameters
        for name in expected:
            np.testing.assert_allclose(
                found[name].coefficients, expected[name].coefficients, rtol=0, atol=1e-12
            )


def test_jets_along_late_examples_agree_with_cauchy():
    """No jet and no stored state in the oracle: example 0 is touched, by nothing."""
    run = make_run(batch_size=3, steps=30)
    psi = 0.3 * complex_directions(3, N, seed=2)
    psi[:, :25] = 0.0

    def losses(z):
        x = z * psi
        x[:, 0] = 1e-300
        return run.retrain(down_weights=x, progress=False).losses(np.arange(N))

    expected = cauchy_coefficients(losses, 4, radius=0.5)
    found = run.push(psi, 4, progress=False).losses(np.arange(N)).coefficients
    np.testing.assert_allclose(found, expected, atol=1e-11)


@pytest.mark.parametrize("steps", [N, 3 * N])
def test_the_steps_before_the_first_touched_example_are_taken_once(steps):
    """Counted by the calls of the loss: a batch of models takes the steps that are left."""
    seen = []
    run = make_run(seen=seen, steps=steps)

    def taken(call):
        seen.clear()
        call()
        return seen.count((2,)), seen.count(())

    pairs = np.eye(N)[[30, 37]]
    batched, single = taken(lambda: run.retrain(down_weights=pairs, progress=False))
    assert batched == steps - 30 and 30 <= single <= 30 + 2  # and looks at the losses
    again = taken(lambda: run.retrain(down_weights=pairs, progress=False))
    assert again[0] == steps - 30 and again[1] <= 2 + np.sqrt(steps)
    batched, _ = taken(lambda: run.push(pairs, 2, progress=False))
    assert batched == steps - 30
    assert taken(lambda: run.retrain(down_weights=np.zeros((2, N)), progress=False))[0] == 0


def test_rows_are_cut_into_batches_by_their_first_step():
    """Every row once; ties stay in order; a few rows stay together as they are."""
    run = make_run(batch_size=2, steps=15)  # examples 30 to 39 are never used
    x = np.eye(N)[::-1]
    parts = run.batches(x, 7, progress=False)
    order = np.concatenate(parts)
    assert [len(part) for part in parts] == [7, 7, 7, 7, 7, 5]
    np.testing.assert_array_equal(np.sort(order), np.arange(N))
    used = N - 1 - order[:30]
    np.testing.assert_array_equal(used // 2, np.sort(np.arange(30) // 2))
    np.testing.assert_array_equal(order[30:], np.arange(10))
    np.testing.assert_array_equal(run.batches(x[:5], 7, progress=False), [np.arange(5)])
    assert run.batches(np.zeros((0, N)), progress=False) == []
    np.testing.assert_array_equal(
        np.concatenate(run.batches(np.ones((80, N)), progress=False)), np.arange(80)
    )


@pytest.mark.parametrize("changed", ["early", "late", "data"])
def test_data_that_change_are_not_hidden_by_stored_states(changed):
    """As without them, retraining reads the data and arrays again."""
    labels = np.random.default_rng(1).normal(size=N)
    run = make_run(labels=labels, optimizer="momentum")
    x = np.eye(N)[35]
    before = run.retrain(down_weights=x, progress=False).parameters["out"]
    if changed == "data":
        run.data[2] = 5
    else:
        labels[2 if changed == "early" else 38] += 0.5
    new = make_run(labels=labels.copy(), data=run.data.copy(), optimizer="momentum")
    for again in (x, np.eye(N)[[36, 34]]):
        found, expected = (
            which.retrain(down_weights=again, progress=False).parameters["out"]
            for which in (run, new)
        )
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    assert np.abs(expected - before).max() > 1e-3
    found = run.push(np.eye(N)[[36, 34]], 2, progress=False).parameters["out"].coefficients
    expected = new.push(np.eye(N)[[36, 34]], 2, progress=False).parameters["out"].coefficients
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_stored_states_travel_and_are_not_handed_out():
    """With the run's pickle; and what a caller does to a model's arrays does not reach them."""
    run = sl.train(sl.names.load()[:30], width=8, progress=False)
    x = np.eye(30)[[20, 29]]
    expected = run.retrain(down_weights=x, progress=False).parameters
    expected = {name: p.copy() for name, p in expected.items()}
    for which in (pickle.loads(pickle.dumps(run)), run):
        for down_weights in (x, np.zeros(30), np.zeros((2, 30))):
            for p in which.retrain(down_weights=down_weights, progress=False).parameters.values():
                p += 1.0
        found = which.retrain(down_weights=x, progress=False).parameters
        for name, p in expected.items():
            np.testing.assert_array_equal(found[name], p)


@pytest.mark.parametrize(("room", "stored"), [(0.5, 1), (1, 1), (3.5, 3), (1000, 5)])
def test_the_memory_of_stored_states_is_bounded(monkeypatch, room, stored):
    """About sqrt(steps) states, fewer where these would not fit; the numbers are the same."""
    docs, x = sl.names.load()[:33], np.eye(33)
    expected = sl.train(docs, width=8, progress=False).retrain(down_weights=x, progress=False)
    run = sl.train(docs, width=8, progress=False)
    state = 8 * 3 * sum(p.size for p in run.initial.parameters.values())
    monkeypatch.setattr(prefixes, "BYTES", int(room * state))
    run = sl.train(docs, width=8, progress=False)
    before = len(pickle.dumps(run))
    found = run.retrain(down_weights=np.vstack([x, 0 * x[:1]]), progress=False)
    run.retrain(progress=False)
    assert stored * state <= len(pickle.dumps(run)) - before <= (stored + 0.2) * state
    for name, p in expected.parameters.items():
        np.testing.assert_allclose(found.parameters[name][:33], p, rtol=0, atol=1e-12)
    for at in (0.1, 0.2, 0.3):  # the states of one more base point are kept
        run.push(x[20:22], 1, at=at, progress=False)
        assert len(pickle.dumps(run)) - before <= (2 * stored + 0.4) * state


def test_a_training_that_breaks_late_is_told_by_its_true_step():
    """w falls by 0.01 a step; at example 30 the loss is exp(-w)."""

    def losses(parameters, numbers):
        w = parameters["w"][..., None]
        return ring.concatenate([ring.exp(-w) if i == 30 else 1.0 * w for i in numbers], -1)

    run = sl.TrainingRun(
        sl.Model({"w": 0.0}, losses), np.arange(N), optimizer=sl.SGD(0.01), progress=False
    )
    steep = np.zeros((2, N))
    steep[:, 28], steep[1, 25] = 0.5, -1e6  # the second falls to -1e4 at once
    far = 1e150 * np.eye(N)[[25]]  # whose cube overflows
    beside = np.eye(N)[[35]]
    for call in (
        lambda: run.retrain(down_weights=steep, progress=False),
        lambda: run.retrain(down_weights=steep[1], progress=False),
        lambda: run.push(far, 3, progress=False),
        lambda: run.push(beside, 2, at=steep[1], progress=False),
        lambda: run.push(beside, 2, at=steep[1], progress=False),  # and not from what was stored
    ):
        with pytest.raises(FloatingPointError, match=r"at step 30 of 40[:,].* example 30"):
            call()
    w = run.retrain(down_weights=steep[0], progress=False).parameters["w"]
    np.testing.assert_allclose(w, -0.385 + 0.01 * np.exp(0.295), rtol=1e-13)


@pytest.mark.parametrize("jobs", [1, 2])
def test_work_in_batches_comes_back_in_order(jobs):
    """Retrainings and Taylor terms of rows in any order, in one process and in two."""
    run = sl.train(sl.names.load()[:40], width=8, progress=False)
    x = np.eye(40)[np.random.default_rng(4).permutation(40)]
    outputs = [sl.LossOn("ada"), sl.LossOn("max")]
    values = sl.attribution.retrained(run, outputs, x, jobs=jobs, progress=False)
    terms = sl.attribution.taylor_terms(run, outputs, x, 2, jobs=jobs, progress=False)
    models = run.retrain(down_weights=x + 1e-300, progress=False)  # touched from the start
    jets = run.push(x + 1e-300, 2, progress=False)
    for output, value, of_output in zip(outputs, values, terms, strict=True):
        np.testing.assert_allclose(value.values, output(models), rtol=0, atol=1e-12)
        np.testing.assert_allclose(of_output.terms, output(jets).coefficients, rtol=0, atol=1e-12)


def test_anchors_made_in_any_order_and_pieces_are_those_of_a_walk_from_the_start():
    """One list at once, and another list of the same deletions in two calls."""
    run = sl.train(sl.names.load()[:40], width=8, progress=False)
    shuffled = np.random.default_rng(4).permutation(40)
    output, values = sl.LossOn("ada"), []
    for calls in ([shuffled], [shuffled[:9], np.arange(40)]):
        sketched = sl.sketch(run, 1, 4, anchors=0, progress=False)
        for units in calls:
            sketched.anchor(run, [[unit] for unit in units], progress=False)
        known = sketched.output(output)
        assert sorted(known.anchors.argmax(axis=1)) == list(range(40))
        model = run.retrain(down_weights=known.anchors + 1e-300, progress=False)
        np.testing.assert_allclose(known.anchor_values, output(model), rtol=0, atol=1e-12)
        values.append(np.sort(known.anchor_values))
    np.testing.assert_allclose(*values, rtol=0, atol=1e-12)
