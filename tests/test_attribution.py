"""Exact first order: against jets of degree 1 and finite differences, for every optimiser."""

import numpy as np
import pytest

import sketchlab as sl
from sketchlab.attribution import first_order
from sketchlab.training import passes, reverse

from test_training import OPTIMIZERS, PROBLEMS, make_run


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("at", [0.0, 0.3])
def test_derivatives_are_those_of_jets_and_finite_differences(problem, optimizer, at):
    """1e-10 from the jets along all examples, 1e-6 from central differences."""
    run = make_run(problem, optimizer)
    found = first_order(run, lambda model: model.loss(3), at=at, progress=False)
    jets = run.push(np.eye(len(run)), 1, at=at, progress=False).loss(3).coefficients
    np.testing.assert_allclose(found.value, jets[0, 0], rtol=1e-12)
    np.testing.assert_allclose(found.gradient, jets[1], rtol=1e-9, atol=1e-11)
    step = 1e-5 * np.eye(len(run))
    ends = [run.retrain(down_weights=at + s, progress=False).loss(3) for s in (step, -step)]
    np.testing.assert_allclose(found.gradient, (ends[0] - ends[1]) / 2e-5, rtol=1e-6, atol=1e-8)


def test_microgpt_and_several_outputs_in_one_pass():
    """A list of outputs gives the same as one by one; 7 steps are not a square of segments."""
    run = sl.train(sl.names.load()[:7], progress=False)
    outputs = [lambda model: model.loss("al"), lambda model: model.next_probs("a")["l"]]
    both = first_order(run, outputs, progress=False)
    jets = run.push(np.eye(7), 1, progress=False)
    for found, output in zip(both, outputs, strict=True):
        np.testing.assert_allclose(found.gradient, output(jets).coefficients[1], atol=1e-13)
        alone = first_order(run, output, progress=False)
        np.testing.assert_allclose(found.gradient, alone.gradient, atol=1e-15)


def test_units_sum_their_documents_and_predictions_are_the_tangent_plane():
    """The derivative of a unit is the sum over its documents; predict is linear from `at`."""
    run = make_run("ridge", "sgd")
    labels = list("aabbccddeeff")
    single = first_order(run, lambda model: model.loss(0), progress=False)
    united = first_order(
        run, lambda model: model.loss(0), units=labels, unit="squared error", progress=False
    )
    np.testing.assert_allclose(united.gradient, single.gradient.reshape(6, 2).sum(1), rtol=1e-12)
    prediction = united.predict(without=["b"])
    assert prediction.value == pytest.approx(single.predict(without=[2, 3]).value, rel=1e-12)
    assert prediction.unit == "squared error"
    assert (prediction.error, prediction.low, prediction.high) == (np.inf, -np.inf, np.inf)
    both = united.predict(without=[["b"], []])
    assert both[0] == prediction and list(both.error) == [np.inf, 0.0]


def test_a_base_point_is_not_taken_for_nothing_deleted():
    """now and change speak of nothing deleted; value and tangent plane of the base point."""
    run = make_run("ridge", "sgd")
    based = first_order(run, lambda model: model.loss(0), at=0.5, progress=False)
    there = based.predict(np.full(12, 0.5))
    assert there.value == pytest.approx(based.value, rel=1e-12) and there.error == 0
    assert there.now == pytest.approx(run.loss(0), rel=1e-12) != based.value
    assert there.change == pytest.approx(based.value - run.loss(0), rel=1e-12)
    assert based.predict(np.zeros(12)).change == 0


def test_named_outputs_say_what_they_count_and_what_they_can_be():
    """A probability stays between 0 and 1, whatever the tangent plane says."""
    run = sl.train(sl.names.load()[:7], progress=False)

    class Probability:
        unit, bounds = "of probability", (0.0, 1.0)

        def __call__(self, model):
            return model.next_probs("a")["l"]

    found = first_order(run, Probability(), progress=False)
    p = found.predict(np.full(7, -1e4 * np.sign(found.gradient)))
    assert (p.value, p.low, p.high, p.unit) == (0.0, 0.0, 1.0, "of probability")


def test_the_cost_is_counted():
    """One pass forward, one to fill the segments, and a jet of degree 1 per step and output."""
    run = sl.train(sl.names.load()[:16], progress=False)
    one = first_order(run, lambda model: model.loss("al"), progress=False)
    ten = first_order(run, [lambda model: model.loss("al")] * 10, at=np.eye(16)[:3], progress=False)
    assert one.cost == pytest.approx(2 + 3)
    assert ten[4][2].cost == pytest.approx((2 + 10 * 3) / 10)


OUTPUTS = [lambda model: model.loss(3), lambda model: model.loss(0) + model.loss(1) ** 2]
SHAPES = {
    "two passes in twos": {"steps": 12, "batch_size": 2},
    "fewer steps than examples": {"steps": 7, "batch_size": 1},
    "one step": {"steps": 1, "batch_size": 5},
    "a prime number of steps in fives": {"steps": 31, "batch_size": 5},
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("problem", PROBLEMS)
def test_many_base_points_are_those_one_by_one(problem, optimizer, shape):
    """[output][point], to rounding; and 1e-6 from central differences of exact retrainings."""
    run = make_run(problem, optimizer, **SHAPES[shape])
    points = np.random.default_rng(1).uniform(size=(3, 12))
    points[1] = 0.0
    many = first_order(run, OUTPUTS, at=points, progress=False)
    single = first_order(run, OUTPUTS[1], at=points, progress=False)
    step = 1e-5 * np.eye(12)
    for output, row in zip(OUTPUTS, many, strict=True):
        for found, at in zip(row, points, strict=True):
            alone = first_order(run, output, at=at, progress=False)
            np.testing.assert_allclose(found.gradient, alone.gradient, rtol=1e-12, atol=1e-15)
            np.testing.assert_allclose([found.value, found.now], [alone.value, alone.now], 1e-13)
            assert np.array_equal(found.at, at)
            ends = [output(run.retrain(down_weights=at + s, progress=False)) for s in (step, -step)]
            np.testing.assert_allclose(
                found.gradient, (ends[0] - ends[1]) / 2e-5, rtol=1e-6, atol=1e-8
            )
    for found, other in zip(many[1], single, strict=True):
        np.testing.assert_allclose(found.gradient, other.gradient, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("settings", [{"optimizer": sl.SGD(0.05, momentum=0.5)}, {"layers": 2}])
def test_microgpt_at_many_base_points(settings):
    """Against central differences of exact retrainings, by unit."""
    run = sl.train(sl.names.load()[:9], steps=12, progress=False, **settings)
    output, units = sl.LossOn("al"), [[0, 8], [1, 2], [3, 4, 5, 6, 7]]
    points = np.array([[0.0, 0.0, 1.0], [0.3, 0.2, 0.1]])
    step = 1e-5 * np.repeat(np.eye(3), [2, 2, 5], axis=0)[[0, 2, 3, 4, 5, 6, 7, 8, 1]].T
    for found, at in zip(
        first_order(run, output, units=units, at=points, progress=False), points, strict=True
    ):
        documents = at[[0, 1, 1, 2, 2, 2, 2, 2, 0]]
        ends = [
            output(run.retrain(down_weights=documents + s, progress=False)) for s in (step, -step)
        ]
        np.testing.assert_allclose(found.gradient, (ends[0] - ends[1]) / 2e-5, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("together", [1, 4, 1000])
@pytest.mark.parametrize("jobs", [1, 2])
def test_derivatives_do_not_depend_on_batches_or_jobs(monkeypatch, together, jobs):
    """However the points are batched: 1e-12."""
    run = make_run("mlp", "adam")
    points = np.random.default_rng(2).uniform(size=(5, 12))
    expected = [
        [first_order(run, output, at=at, progress=False).gradient for at in points]
        for output in OUTPUTS
    ]
    monkeypatch.setattr(passes, "TOGETHER", together)
    found = first_order(run, OUTPUTS, at=points, jobs=jobs, progress=False)
    gradients = [[one.gradient for one in row] for row in found]
    np.testing.assert_allclose(gradients, expected, rtol=1e-12, atol=1e-15)


def test_the_bar_moves_with_every_step():
    """Twice per step and batch; whoever shows the bar sees all of it."""

    class Bar:
        moved = 0

        def update(self, count=1):
            self.moved += count

    for jobs, batches in ((1, 1), (2, 2)):
        bar = Bar()
        run = make_run("ridge", "sgd")
        first_order(run, OUTPUTS, at=np.zeros((4, 12)), jobs=jobs, progress=bar)
        assert bar.moved == 2 * run.steps * batches


def test_memory_bounds_the_batches(monkeypatch):
    """Smaller batches where little is free, and words where one point does not fit."""
    run = make_run("mlp", "adam")
    points = np.random.default_rng(2).uniform(size=(4, 12))
    one = reverse.bytes_per_point(run, 2)
    assert one == 8 * 16 * (5 * 3 + 6 * 4 + 4 * 3 * 2)  # 16 parameters, segments of 6 steps
    expected = [one.gradient for one in first_order(run, OUTPUTS[0], at=points, progress=False)]
    sizes = []
    derivatives = reverse.derivatives

    def counted(run, functions, rows, **settings):
        sizes.append(len(rows))
        return derivatives(run, functions, rows, **settings)

    monkeypatch.setattr(passes, "derivatives", counted)
    monkeypatch.setattr(passes, "available_memory", lambda: 5 * one)
    found = first_order(run, OUTPUTS, at=points, progress=False)[0]
    assert sizes == [2, 2]
    np.testing.assert_allclose([one.gradient for one in found], expected, rtol=1e-12, atol=1e-15)
    monkeypatch.setattr(passes, "available_memory", lambda: one - 1)
    with pytest.raises(MemoryError, match=r"for one point with 2 outputs.*fewer outputs"):
        first_order(run, OUTPUTS, at=points, progress=False)
    assert sizes == [2, 2]


def test_a_base_point_where_training_diverges_is_told_in_words():
    """As a retraining there is."""
    run = make_run("ridge", "sgd", steps=200)
    for at in (-1e3, np.array([np.zeros(12), np.full(12, -1e3)])):
        with pytest.raises(FloatingPointError, match=r"training diverged at step.*smaller down-w"):
            first_order(run, OUTPUTS, at=at, progress=False)


WRONG = {
    "no outputs": ([], TypeError, "list of functions"),
    "a number": (3.0, TypeError, "list of functions"),
    "many numbers": (lambda model: model.losses([0, 1]), ValueError, "one finite number"),
    "not finite": (lambda model: model.loss(0) * np.inf, ValueError, "one finite number"),
    "an array": (lambda model: np.asarray(model.loss(0)), TypeError, "cannot be differentiated"),
    "detached": (lambda model: float(model.loss(0)), TypeError, "functions of sketchlab.ring"),
    "a root of 0": (lambda model: (model.loss(0) * 0.0) ** 0.5, ValueError, "is not finite at the"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_outputs_are_refused(case):
    """The message says what an output must be, before anything is trained."""
    output, error, message = WRONG[case]
    run = make_run("ridge", "sgd")
    run.objective = None
    with pytest.raises(error, match=message):
        first_order(run, output, progress=False)


ROWS = [np.eye(3), np.zeros((0, 12)), np.zeros((1, 1, 12)), [[np.nan] * 12]]


@pytest.mark.parametrize("at", [np.zeros(3), "zero", np.nan, [1j] * 12, *ROWS])
def test_wrong_base_points_are_refused(at):
    """One finite real number, or one per unit."""
    run = make_run("ridge", "sgd")
    with pytest.raises(ValueError, match="at must be one finite real number, or 12"):
        first_order(run, lambda model: model.loss(0), at=at, progress=False)
    with pytest.raises(ValueError, match="at must be one finite real number, or 12"):
        run.push(np.eye(12), 1, at=at, progress=False)
