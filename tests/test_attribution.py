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
    assert prediction.error == 0 and prediction.unit == "squared error"
    based = first_order(run, lambda model: model.loss(0), at=0.5, progress=False)
    assert based.predict(np.full(12, 0.5)).value == pytest.approx(based.value)


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
