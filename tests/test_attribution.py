"""Exact first order: against jets of degree 1 and finite differences, for every optimiser."""

import numpy as np
import pytest

import sketchlab as sl
from sketchlab.attribution import first_order

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
    """One pass forward, one to fill the segments, one gradient and a jet of degree 1 per step."""
    run = sl.train(sl.names.load()[:16], progress=False)
    one = first_order(run, lambda model: model.loss("al"), progress=False)
    ten = first_order(run, [lambda model: model.loss("al")] * 10, progress=False)
    assert 5 < one.cost <= 6 and 3 < ten[0].cost < one.cost / 1.5


WRONG = {
    "no outputs": ([], TypeError, "list of functions"),
    "a number": (3.0, TypeError, "list of functions"),
    "many numbers": (lambda model: model.losses([0, 1]), ValueError, "one finite number"),
    "not finite": (lambda model: model.loss(0) * np.inf, ValueError, "one finite number"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_outputs_are_refused(case):
    """The message says what an output must be."""
    output, error, message = WRONG[case]
    with pytest.raises(error, match=message):
        first_order(make_run("ridge", "sgd"), output, progress=False)


@pytest.mark.parametrize("at", [np.zeros(3), "zero", np.nan, [1j] * 12])
def test_wrong_base_points_are_refused(at):
    """One finite real number, or one per unit."""
    run = make_run("ridge", "sgd")
    with pytest.raises(ValueError, match="at must be one finite real number, or 12"):
        first_order(run, lambda model: model.loss(0), at=at, progress=False)
    with pytest.raises(ValueError, match="at must be one finite real number, or 12"):
        run.push(np.eye(12), 1, at=at, progress=False)
