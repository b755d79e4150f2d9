"""The local sketch: against exact Taylor terms, and the same numbers however the work is split."""

import importlib
import math
import os
import signal

import joblib
import numpy as np
import pytest

import sketchlab as sl
from sketchlab import circuits, directions, ring
from sketchlab.training.runs import BATCH

from conftest import cauchy_coefficients

SIGMAS = 5
DEGREE, COUNT = 2, 40  # of the sketches of microgpt
module = importlib.import_module("sketchlab.sketching.sketch")  # sl.sketch is the function in it
SIGNS = np.array([1.0, -1, 1, 1, -1])
SHAPES = ((5, 2), (4, 6), 6, 6, 3, (3, 3))
A, HIDDEN, BIAS, OUT, LINEAR, SQUARE = (
    np.random.default_rng((3, i)).normal(size=shape) for i, shape in enumerate(SHAPES)
)


def output_loss(model):
    """The loss of a name that is not in the data."""
    return model.loss("max")


# ---- local_sketch ----------------------------------------------------------------------------


def polynomial(x):
    """A cubic in three down-weights."""
    linear = ring.matmul(x, LINEAR)
    return 2.0 + linear + ring.sum(ring.matmul(x, SQUARE) * x, -1) + linear * linear * x[..., 0]


def circuit(x):
    """A scalar circuit of exponential, logarithm, quotient and GELU gates."""
    a, b = circuits.inputs("a b")
    gates = sl.Circuit((a * b - 0.5 * a).exp() / (2 + b) + (1.5 + a).log() * b.gelu(), [a, b])
    return gates(x[..., 0], x[..., 1])


def network(x):
    """A network with one hidden layer."""
    return ring.matmul(ring.gelu(ring.matmul(x, HIDDEN) + BIAS), OUT)


def trained(x):
    """Logistic regression by gradient descent, weight 1 - x_i for example i; a squared output."""

    def objective(w):
        margins = ring.matmul(w[..., None, :], A.T)[..., 0, :] * SIGNS
        return ring.sum((1.0 - x) * ring.log(1.0 + ring.exp(-margins)), -1)

    w = x[..., :1] * np.zeros(2)
    for _ in range(12):
        w = w - 0.3 * sl.ring_grad(objective)(w)
    return ring.sum(w * w, -1)


FUNCTIONS = {  # function, deletion, degree, radius for Cauchy's formula
    "polynomial": (polynomial, [1.0, 0, -0.5], 4, 1.0),
    "circuit": (circuit, [0.7, -0.4], 3, 0.7),
    "network": (network, [0, 1.0, 0, 0.5], 3, 0.5),
    "trained": (trained, [1.0, 0, 0, 0, 0.5], 3, 0.3),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_local_sketches_agree_with_the_exact_terms(name):
    """Every Taylor term is within 5 errors of Cauchy's, and the first is known to 15%."""
    function, x, degree, radius = FUNCTIONS[name]
    x = np.array(x)
    exact = cauchy_coefficients(lambda z: function(z * x[None])[0], degree, radius=radius).real
    output = sl.local_sketch(function, len(x), degree, 3000, seed=7)
    prediction = output.predict(x, estimator="mean")
    for term in prediction.terms:
        assert abs(term.value - exact[term.degree]) < SIGMAS * term.error + 1e-12, term
    assert 0 < prediction.terms[1].error < 0.15 * abs(exact[1])
    assert abs(prediction.value - exact.sum()) < SIGMAS * prediction.error
    half = output.part(degree=1).predict(x, estimator="mean")
    assert half.degree == 1 and half.terms == prediction.terms[:2]
    # 3000 directions determine all forms: solving for them leaves no error
    solved = [term.value for term in output.predict(x, estimator="minimum_norm").terms]
    np.testing.assert_allclose(solved, exact[: len(solved)], atol=1e-8)
    np.testing.assert_allclose(exact[len(solved) :], 0, atol=1e-8)


def test_a_polynomial_ends_at_its_degree():
    """The jets of a cubic have no fourth coefficient, and the others are its forms."""
    output = sl.local_sketch(polynomial, 3, 4, 50)
    psi = output.directions.vectors
    linear = psi @ LINEAR
    expected = [
        np.full(50, 2.0),
        linear,
        np.einsum("zi,ij,zj->z", psi, SQUARE, psi),
        linear**2 * psi[:, 0],
        np.zeros(50),
    ]
    np.testing.assert_allclose(output.coefficients, expected, atol=1e-14)
    np.testing.assert_array_equal(psi, directions.orthonormal(3, range(50), seed=0))


@pytest.mark.parametrize("count", [1, BATCH, BATCH + 1])
def test_batches_of_a_local_sketch_join(count):
    """Any number of directions, a multiple of the batch or not, keeps the first ones."""
    longer = sl.local_sketch(network, 4, 2, 2 * BATCH + 5, seed=1)
    output = sl.local_sketch(network, 4, 2, count, seed=1)
    assert output.coefficients.shape == (3, count)
    np.testing.assert_allclose(output.coefficients, longer.coefficients[:, :count], atol=1e-13)


def test_stability_is_the_norm_of_the_forms():
    """||F_r|| of known symmetric forms within 5 reported errors, which are themselves small."""
    output = sl.local_sketch(polynomial, 3, 4, 6000, seed=2)
    cubic = np.einsum("i,j,k", LINEAR, LINEAR, np.eye(3)[0])
    cubic = (cubic + cubic.transpose(0, 2, 1) + cubic.transpose(2, 1, 0)) / 3
    square = (SQUARE + SQUARE.T) / 2
    exact = [2.0, *(np.sqrt((form**2).sum()) for form in (LINEAR, square, cubic)), 0.0]
    norms, errors = output.stability()
    assert np.all(np.abs(norms - exact) <= SIGMAS * errors + 1e-12)
    assert np.all(errors[1:4] < 0.05 * norms[1:4]) and np.all(errors[1:4] > 0)


def test_stability_of_one_direction_has_no_error():
    """One sample says nothing about its spread."""
    norms, errors = sl.local_sketch(polynomial, 3, 1, 1).stability()
    assert np.all(np.isfinite(norms)) and np.all(errors[norms > 0] == np.inf)


WRONG_LOCAL = {
    "not a jet": (lambda x: 3.0, TypeError, r"jet of shape \(10,\)"),
    "coefficients": (lambda x: x.coefficients, TypeError, "must return a jet"),
    "not summed": (lambda x: x * x, TypeError, "one number per row"),
    "one number": (lambda x: ring.sum(x), TypeError, "one number per row"),
    "not finite": (lambda x: x[..., 0] * np.inf, ValueError, "finite"),
}


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("case", WRONG_LOCAL)
def test_wrong_functions_are_refused(case):
    """The message says what a function must return."""
    function, error, message = WRONG_LOCAL[case]
    with pytest.raises(error, match=message):
        sl.local_sketch(function, 3, 2, 10)


WRONG_SIZES = {
    "degree 0": ((0, 10), "degree must be 1 or higher.*no change"),
    "negative degree": ((-1, 10), "degree must be an integer"),
    "fractional degree": ((1.5, 10), "degree must be an integer"),
    "no directions": ((2, 0), "directions must be an integer, 1 or higher, not 0"),
    "negative directions": ((2, -3), "1 or higher, not -3"),
    "fractional directions": ((2, 10.0), "1 or higher, not 10.0"),
    "text": ((2, "10"), "1 or higher, not '10'"),
}


@pytest.mark.parametrize("case", WRONG_SIZES)
def test_wrong_sizes_are_refused(small_run, case):
    """Degree and number of directions are checked before any work, in both functions."""
    sizes, message = WRONG_SIZES[case]
    with pytest.raises(ValueError, match=message):
        sl.local_sketch(polynomial, 3, *sizes)
    with pytest.raises(ValueError, match=message):
        sl.sketch(small_run, *sizes)


# ---- sketch of a training run ----------------------------------------------------------------


@pytest.fixture(scope="module")
def small_sketch(small_run):
    """A sketch of the small run over its documents."""
    return sl.sketch(small_run, DEGREE, COUNT, progress=False)


@pytest.fixture(scope="module")
def small_output(small_sketch):
    """The loss of a test name under the sketch of the small run."""
    return small_sketch.output(output_loss, unit="nats")


def coefficients_of(sketch):
    """The jets of the test output along all directions of a sketch."""
    return sketch.output(output_loss).coefficients


def test_a_sketch_says_what_it_is(small_run, small_sketch):
    """Length, degree, size in bytes and repr."""
    parameters = sum(p.size for p in small_run.initial.parameters.values())
    assert len(small_sketch) == COUNT and small_sketch.degree == DEGREE
    assert small_sketch.nbytes == 8 * parameters + 16 * COUNT * DEGREE * parameters
    assert repr(small_sketch) == "Sketch(40 directions of degree 2 over 30 units, 5 MB, 24 anchors)"
    psi = small_sketch.directions.vectors
    np.testing.assert_array_equal(psi, directions.orthonormal(30, range(COUNT), seed=0))


def test_jets_are_those_of_pushing_the_run(small_run, small_sketch, small_output):
    """Stored models give the jets of `run.push` along the sketch's directions."""
    pushed = small_run.push(small_sketch.directions.vectors, DEGREE, progress=False)
    np.testing.assert_allclose(
        small_output.coefficients, output_loss(pushed).coefficients, atol=1e-12
    )
    assert small_output.directions is small_sketch.directions


@pytest.mark.parametrize("deleted", [[4], [0, 7, 29], list(range(10, 20))])
def test_predictions_agree_with_the_exact_terms(small_run, small_output, deleted):
    """Every term is within 5 errors of the jet of training along the deletion itself."""
    x = small_run.indicator(deleted)
    exact = output_loss(small_run.push(x[None], DEGREE, progress=False)).coefficients[:, 0]
    prediction = small_output.predict(without=deleted)
    assert prediction.unit == "nats"
    assert prediction.terms[0].value == pytest.approx(output_loss(small_run.model), rel=1e-12)
    for term in prediction.terms:
        assert abs(term.value - exact[term.degree]) < SIGMAS * term.error + 1e-10, term
    assert prediction == small_output.predict(x)


def test_ways_to_predict_agree(small_sketch, small_output):
    """Sketch.predict, Output.predict and one point of a curve are the same numbers."""
    deleted = [2, 3]
    for estimator in ("mean", "median_of_means"):
        prediction = small_output.predict(without=deleted, estimator=estimator)
        direct = small_sketch.predict(output_loss, without=deleted, estimator=estimator)
        assert (direct.value, direct.terms) == (prediction.value, prediction.terms)
        curve = small_output.curve([0, 0.5, 1.0], without=deleted, estimator=estimator)
        found = curve.value[2], curve.error[2], curve.low[2], curve.high[2]
        expected = prediction.value, prediction.error, prediction.low, prediction.high
        np.testing.assert_allclose(found, expected, rtol=1e-10)
        x = np.zeros(30)
        x[deleted] = 0.5
        half = small_output.predict(x, estimator=estimator)
        np.testing.assert_allclose(curve.value[1], half.value, rtol=1e-12)
        nothing = small_output.predict(without=[], estimator=estimator)
        np.testing.assert_allclose(curve.value[0], nothing.value, rtol=1e-12)
        assert nothing.change == pytest.approx(0, abs=1e-13)


def test_stability_of_a_run_is_the_norm_of_its_influences(small_run, small_output):
    """||F_1|| against the influences of all 30 documents, each by its own real push."""
    influences = output_loss(small_run.push(np.eye(30), 1, progress=False)).coefficients[1]
    norms, errors = small_output.stability()
    assert abs(norms[1] - np.linalg.norm(influences)) < SIGMAS * errors[1]
    assert 0 < errors[1] < 0.2 * norms[1]
    by_hand = [
        math.comb(29 + r, r) * np.mean(np.abs(c) ** 2)
        for r, c in enumerate(small_output.coefficients)
    ]
    np.testing.assert_allclose(norms**2, by_hand, rtol=1e-12)


def test_single_precision_adds_far_less_than_the_sampling_error(small_run, monkeypatch):
    """Values and errors of every estimator, for deletions of any size, and derivatives kept."""
    double, single = (
        sl.sketch(small_run, 3, COUNT, precision=p, progress=False) for p in ("double", "single")
    )
    loss = sl.LossOn("anna")
    exact, rough = double.output(loss), single.output(loss)
    assert 0 < np.max(np.abs(rough.coefficients - exact.coefficients)) < 1e-5
    deletions = [list(range(0, k)) for k in (1, 2, 5, 15, 28)]
    for estimator in ("automatic", "posterior", "resummed", "minimum_norm", "mean"):
        a, b = (out.predict(without=deletions, estimator=estimator) for out in (exact, rough))
        assert np.all(np.abs(b.value - a.value) < 1e-4 * a.error), estimator
        assert np.all(np.abs(b.error - a.error) < 1e-3 * a.error), estimator
    monkeypatch.setattr(module, "BATCH", 7)
    split = sl.sketch(small_run, 3, COUNT, anchors=0, precision="single", progress=False)
    assert np.max(np.abs(split.output(loss).coefficients - rough.coefficients)) < 1e-6
    single.anchor(small_run, [[0, 1]], gradients=loss, progress=False)
    assert len(single.output(loss).gradient_points) == 2
    with pytest.raises(ValueError, match="precision must be one of double, single, not 'float32'"):
        sl.sketch(small_run, 2, 3, precision="float32", progress=False)


@pytest.mark.parametrize("jobs, batch", [(1, 7), (2, 32), (-1, 5)])
def test_numbers_do_not_depend_on_how_the_work_is_split(
    small_run, small_output, monkeypatch, jobs, batch
):
    """Processes and batches change no number by more than rounding."""
    monkeypatch.setattr(module, "BATCH", batch)
    sketch = sl.sketch(small_run, DEGREE, COUNT, jobs=jobs, progress=False)
    np.testing.assert_allclose(coefficients_of(sketch), small_output.coefficients, atol=1e-10)


def test_more_directions_extend_a_sketch(small_run, small_output):
    """The first directions and their jets stay; another seed has none in common."""
    longer = sl.sketch(small_run, DEGREE, COUNT + 9, progress=False)
    coefficients = coefficients_of(longer)
    assert coefficients.shape == (DEGREE + 1, COUNT + 9)
    np.testing.assert_allclose(coefficients[:, :COUNT], small_output.coefficients, atol=1e-10)
    other = coefficients_of(sl.sketch(small_run, DEGREE, 5, seed=1, progress=False))
    assert np.abs(other[1] - small_output.coefficients[1, :5]).min() > 1e-4


def test_units_move_their_documents_together(small_run):
    """Labels and lists give the jets of directions that are equal within every unit."""
    labels = [name[0] for name in small_run.data]
    names = sorted(set(labels))
    lists = [[i for i, label in enumerate(labels) if label == name] for name in names]
    assert 1 < len(names) < 30
    place = np.array([names.index(label) for label in labels])
    psi = directions.orthonormal(len(names), range(12), seed=4)
    pushed = output_loss(small_run.push(psi[:, place], DEGREE, progress=False)).coefficients
    deleted = [0, len(names) - 1]
    x = np.zeros(len(names))
    x[deleted] = 1
    expected = np.array(
        [
            math.comb(len(names) + r - 1, r) * (c * (psi.conj() @ x) ** r).real.mean()
            for r, c in enumerate(pushed)
        ]
    )
    for units, without in ((labels, [names[u] for u in deleted]), (lists, deleted)):
        output = sl.sketch(small_run, DEGREE, 12, units=units, seed=4, progress=False).output(
            output_loss
        )
        np.testing.assert_allclose(output.coefficients, pushed, atol=1e-12)
        prediction = output.predict(without=without, estimator="mean")
        np.testing.assert_allclose([t.value for t in prediction.terms], expected, rtol=1e-9)


WRONG_OUTPUTS = {
    "a number": (lambda model: 1.0, TypeError, "one number per model"),
    "an array": (lambda model: model.loss("max").coefficients, TypeError, "one number per model"),
    "many numbers": (lambda model: model.losses(["max", "eva"]), TypeError, "one number per model"),
    "no axis": (lambda model: model.loss("max")[0], TypeError, "one number per model"),
    "one model's numbers": (lambda model: model.losses(["max", "eva"])[0], TypeError, "per model"),
    "not finite": (lambda model: model.loss("max") * np.inf, ValueError, "not finite"),
}


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("case", WRONG_OUTPUTS)
def test_wrong_outputs_are_refused(small_sketch, case):
    """The message says what an output must be."""
    function, error, message = WRONG_OUTPUTS[case]
    with pytest.raises(error, match=message):
        small_sketch.output(function)


WRONG_QUERIES = {
    "out of range": ({"without": [30]}, IndexError, "30 is out of range"),
    "negative": ({"without": [-1]}, IndexError, "-1 is out of range"),
    "neither": ({}, ValueError, "either without= or down_weights="),
    "both": ({"without": [1], "down_weights": [0] * 30}, ValueError, "either without="),
    "wrong shape": ({"down_weights": [0, 1]}, ValueError, "30 finite real numbers"),
    "not finite": ({"down_weights": [np.nan] * 30}, ValueError, "30 finite real numbers"),
    "estimator": ({"without": [1], "estimator": "mode"}, ValueError, "one of automatic"),
}


@pytest.mark.parametrize("case", WRONG_QUERIES)
def test_wrong_deletions_are_refused(small_output, case):
    """The message says what is allowed, in a prediction as in a curve."""
    arguments, error, message = WRONG_QUERIES[case]
    with pytest.raises(error, match=message):
        small_output.predict(**arguments)
    with pytest.raises(error, match=message):
        small_output.curve([0, 1], **arguments)


# ---- a cluster -------------------------------------------------------------------------------


def test_a_cluster_that_loses_a_worker_loses_nothing(small_run, small_output, monkeypatch):
    """One of two Dask workers is killed in the middle; the numbers are those of one process."""
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(module, "BATCH", 4)  # ten batches
    write, written, killed = module.stores.write, [], []

    def write_and_kill_once(group, numbers, head, tail):
        write(group, numbers, head, tail)
        written.extend(int(number) for number in numbers)
        if not killed:
            busy = [worker for worker, tasks in client.processing().items() if tasks]
            killed.append(processes[busy[0]])
            os.kill(killed[0], signal.SIGKILL)

    monkeypatch.setattr(module.stores, "write", write_and_kill_once)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        processes = client.run(os.getpid)
        assert len(set(processes.values())) == 2
        with joblib.parallel_config(backend="dask"):
            sketch = sl.sketch(small_run, DEGREE, COUNT, progress=False)
        client.wait_for_workers(2, timeout=30)
        assert killed and killed[0] not in client.run(os.getpid).values()
    assert sorted(written) == list(range(COUNT))
    np.testing.assert_allclose(coefficients_of(sketch), small_output.coefficients, atol=1e-10)


# ---- base points and nested units ------------------------------------------------------------


def test_a_local_sketch_around_another_point():
    """The forms are those at the base point: exact for a polynomial of the degree, anywhere."""
    output = sl.local_sketch(polynomial, 3, 3, 60, at=0.4)
    x = np.array([1.0, -0.5, 0.0])
    exact = float(polynomial(x))
    assert output.predict(x, estimator="minimum_norm").value == pytest.approx(exact, abs=1e-9)
    assert output.predict(np.full(3, 0.4)).value == pytest.approx(polynomial(np.full(3, 0.4)))
    curve = output.curve([0.0, 1.0], down_weights=x, estimator="minimum_norm")
    np.testing.assert_allclose(curve.value, [2.0, exact], atol=1e-9)


def test_the_average_deletion_is_a_better_base_for_its_size(small_run, tmp_path):
    """First order around 12 / 30 beats first order around 0 for random deletions of 12 names."""
    draw = np.random.default_rng(0)
    x = np.array([small_run.indicator(draw.choice(30, 12, replace=False)) for _ in range(30)])
    truth = small_run.retrain(down_weights=x, progress=False).loss("max")
    errors = {}
    for size in (None, 12):
        sketched = sl.sketch(
            small_run,
            1,
            15,
            deletion_size=size,
            store=tmp_path / str(size),
            anchors=0,
            progress=False,
        )
        found = sketched.output(output_loss).predict(x)
        errors[size] = np.sqrt(np.mean((found.value - truth) ** 2))
    assert errors[12] < 0.9 * errors[None]
    again = sl.open_sketch(tmp_path / "12", small_run)
    np.testing.assert_array_equal(again.at, np.full(30, 0.4))
    based = again.output(output_loss)
    at_base = based.predict(np.full(30, 0.4))
    average = small_run.retrain(down_weights=np.full(30, 0.4), progress=False)
    assert at_base.value == pytest.approx(average.loss("max"), rel=1e-12) and at_base.error == 0
    nothing = based.predict(without=[])
    for opened in (based, sl.open_sketch(tmp_path / "12").output(output_loss)):
        p = opened.predict(without=[2, 5])
        assert p.now == pytest.approx(small_run.loss("max"), rel=1e-12) != p.terms[0].value
        assert p.change == p.value - p.now
    assert (nothing.change, nothing.error) == (0, 0)


def test_nested_units_answer_for_groups_and_documents(small_run, tmp_path):
    """The group's terms are nearly exact with few directions; the mean is unbiased all the same."""
    groups = {"early": list(range(0, 12)), "late": list(range(20, 30))}
    sketched = sl.sketch(
        small_run, 2, 15, units=groups, seed=2, store=tmp_path / "s", progress=False
    )
    output = sketched.output(output_loss)
    for without in ("early", ["early", "late"], ["late", 3]):
        x = output.units.down_weights(without)
        exact = output_loss(small_run.push(x[None], 2, progress=False)).coefficients[:, 0].real
        terms = output.predict(without=without).terms
        np.testing.assert_allclose([t.value for t in terms[:2]], exact[:2], atol=1e-7)
        if without == ["late", 3]:  # how the document acts with the group is known in part
            assert abs(terms[2].value - exact[2]) < 2 * terms[2].error < abs(exact[2])
        else:
            assert terms[2].value == pytest.approx(exact[2], rel=0.02, abs=2e-4)
    many = sl.sketch(small_run, 1, 400, units=groups, progress=False).output(output_loss)
    plain = many.predict(without="early", estimator="mean")
    exact = many.predict(without="early", estimator="minimum_norm").terms[1].value
    assert 0 < plain.terms[1].error
    assert abs(plain.terms[1].value - exact) < SIGMAS * plain.terms[1].error
    again = sl.open_sketch(tmp_path / "s")
    assert again.output(output_loss).predict(without="late") == output.predict(without="late")


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"at": 0.1, "deletion_size": 3}, "either at= or deletion_size="),
        ({"deletion_size": 30}, "between 0 and the 30 units"),
        ({"at": [0.1, 0.2]}, "at must be one finite real number, or 30"),
        ({"design": "random"}, "design must be one of orthonormal, independent"),
    ],
)
def test_wrong_base_points_and_designs_are_refused(small_run, settings, message):
    """Before anything is computed."""
    with pytest.raises(ValueError, match=message):
        sl.sketch(small_run, 1, 2, progress=False, **settings)


def test_named_outputs_say_what_they_count_and_what_they_can_be(small_sketch):
    """unit and bounds come from the output; a unit that is given goes before."""
    output = small_sketch.output(sl.NextLetter("m", "a"))
    assert (output.unit, output.bounds) == ("of probability", (0.0, 1.0))
    p = output.predict(50 * np.eye(30))
    assert np.all((0 <= p.low) & (p.low <= p.value) & (p.value <= p.high) & (p.high <= 1))
    assert small_sketch.output(sl.LossOn("max")).unit == "nats"
    assert small_sketch.output(sl.LossOn("max"), unit="bits").unit == "bits"
    assert small_sketch.output(output_loss).unit == ""
