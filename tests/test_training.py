"""Training as a circuit: retraining, batches and jets against closed forms and Cauchy's formula."""

import numpy as np
import pytest

import sketchlab as sl
from sketchlab import ring
from sketchlab.training.runs import BATCH

from conftest import cauchy_coefficients, complex_directions

rng = np.random.default_rng(1)
A, B = rng.normal(size=(12, 3)), rng.normal(size=12)
LABELS = np.where(rng.random(12) < 0.5, -1.0, 1.0)


def ridge_losses(parameters, rows):
    """Half the squared error of each row."""
    w = parameters["w"]
    return 0.5 * (ring.matmul(A[rows], w[..., None])[..., 0] - B[rows]) ** 2


def logistic_losses(parameters, rows):
    """Logistic loss of each row."""
    margin = ring.matmul(A[rows], parameters["w"][..., None])[..., 0] * LABELS[rows]
    return ring.log(1.0 + ring.exp(-margin))


def mlp_losses(parameters, rows):
    """Squared error of a network with one hidden layer of GELUs."""
    hidden = ring.gelu(ring.linear(A[rows], parameters["hidden"]))
    out = ring.sum(hidden * parameters["out"][..., None, :], -1)
    return (out - B[rows]) ** 2


PROBLEMS = {
    "ridge": (ridge_losses, {"w": np.zeros(3)}),
    "logistic": (logistic_losses, {"w": np.zeros(3)}),
    "mlp": (
        mlp_losses,
        {"hidden": 0.5 * rng.normal(size=(4, 3)), "out": 0.5 * rng.normal(size=4)},
    ),
}
OPTIMIZERS = {
    "sgd": sl.SGD(0.1),
    "momentum": sl.SGD(0.05, momentum=0.9, weight_decay=0.01),
    "adam": sl.Adam(0.05),
}


def make_run(problem="mlp", optimizer="adam", **settings):
    """A short training run of one of the problems."""
    losses, start = PROBLEMS[problem]
    settings = {"steps": 30, "batch_size": 5, "progress": False, **settings}
    return sl.TrainingRun(
        sl.Model(start, losses), np.arange(12), optimizer=OPTIMIZERS[optimizer], **settings
    )


def test_ridge_converges_to_the_closed_form_for_every_deletion():
    """Full-batch descent ends at the minimiser of sum_i (1 - x_i) l_i / n + decay |w|^2 / 2."""
    decay = 0.3
    run = sl.TrainingRun(
        sl.Model({"w": np.zeros(3)}, ridge_losses),
        np.arange(12),
        optimizer=sl.SGD(0.4, weight_decay=decay),
        steps=400,
        batch_size=12,
        progress=False,
    )

    def closed_form(x):
        gram = (A.T * (1 - x)) @ A / 12 + decay * np.eye(3)
        return np.linalg.solve(gram, (A.T * (1 - x)) @ B / 12)

    np.testing.assert_allclose(run.model.parameters["w"], closed_form(np.zeros(12)), atol=1e-12)
    for deleted in ([3], [0, 7, 11]):
        model = run.retrain(without=deleted, progress=False)
        np.testing.assert_allclose(
            model.parameters["w"], closed_form(run.indicator(deleted)), atol=1e-12
        )
    psi = complex_directions(2, 12)
    jet = run.push(psi, 5, progress=False).parameters["w"]
    for j in range(2):
        expected = cauchy_coefficients(lambda z, j=j: closed_form(z * psi[j]), 5, radius=0.5)
        np.testing.assert_allclose(jet.coefficients[:, j], expected, atol=1e-11)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("problem", PROBLEMS)
def test_jets_through_training_agree_with_cauchy(problem, optimizer):
    """Jets of the trained losses equal the FFT of complex retrainings on a circle."""
    run, psi = make_run(problem, optimizer), complex_directions(3, 12, seed=2)
    jet = run.push(psi, 4, progress=False).losses(np.arange(12))
    assert jet.coefficients.shape == (5, 3, 12)

    def losses(z):
        return run.retrain(down_weights=z * psi, progress=False).losses(np.arange(12))

    expected = cauchy_coefficients(losses, 4, radius=0.2)
    np.testing.assert_allclose(jet.coefficients, expected, atol=1e-8 * np.abs(expected).max())


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_training_equals_the_textbook_written_out(optimizer):
    """Three steps of each optimiser against the update rules written with plain numbers."""
    run = make_run("ridge", optimizer, steps=3, batch_size=1)
    w, velocity, m, v = np.zeros(3), 0.0, 0.0, 0.0
    for t in range(3):
        g = A[t] * (A[t] @ w - B[t])
        if optimizer == "adam":
            m, v = 0.85 * m + 0.15 * g, 0.99 * v + 0.01 * g**2
            m_hat, v_hat = m / (1 - 0.85 ** (t + 1)), v / (1 - 0.99 ** (t + 1))
            w = w - 0.05 * (1 - t / 3) * m_hat / np.sqrt(v_hat + 1e-3)
        elif optimizer == "momentum":
            velocity = 0.9 * velocity + g + 0.01 * w
            w = w - 0.05 * velocity
        else:
            w = w - 0.1 * g
    np.testing.assert_allclose(run.model.parameters["w"], w, rtol=1e-13)


def test_a_batch_of_models_equals_the_models_one_by_one():
    """More models than one batch holds, with different down-weights, real and complex."""
    run = make_run()
    for x in (rng.random((BATCH + 3, 12)), complex_directions(3, 12)):
        batch = run.retrain(down_weights=x, progress=False)
        assert batch.loss(4).shape == (len(x),)
        for row in (0, 1, len(x) - 1):
            alone = run.retrain(down_weights=x[row], progress=False)
            np.testing.assert_allclose(batch.loss(4)[row], alone.loss(4), rtol=1e-12)


def test_jets_of_every_degree_share_their_coefficients():
    """Degree 0 is plain training; a higher degree only adds coefficients; batches do not matter."""
    run, psi = make_run(), complex_directions(BATCH + 2, 12)
    jets = {k: run.push(psi, k, progress=False).loss(4).coefficients for k in (0, 2, 6)}
    assert jets[0].shape == (1, BATCH + 2)
    np.testing.assert_allclose(jets[0][0], run.loss(4), rtol=1e-10)
    np.testing.assert_allclose(jets[2], jets[6][:3], rtol=1e-10)
    alone = run.push(psi[-1:], 6, progress=False).loss(4).coefficients
    np.testing.assert_allclose(jets[6][:, -1:], alone, rtol=1e-10)


def test_real_directions_give_real_jets():
    """Nothing complex appears where the directions are real."""
    run = make_run()
    jet = run.push(np.eye(12)[:2], 2, progress=False).loss(4)
    assert np.isrealobj(jet.coefficients)


def test_deleting_nothing_changes_nothing():
    """A down-weight of zero, an empty deletion and the original training are the same."""
    run = make_run()
    for model in (
        run.retrain(progress=False),
        run.retrain(without=[], progress=False),
        run.retrain(down_weights=np.zeros(12), progress=False),
    ):
        assert model.loss(4) == run.loss(4)


def test_a_deleted_example_has_no_influence():
    """With x_i = 1 the result does not depend on what example i was."""
    start = PROBLEMS["ridge"][1]

    def losses_with(target):
        def losses(parameters, rows):
            w, b = parameters["w"], np.where(np.arange(12) == 3, target, B)
            return 0.5 * (ring.matmul(A[rows], w[..., None])[..., 0] - b[rows]) ** 2

        return losses

    models = [
        sl.TrainingRun(
            sl.Model(start, losses_with(target)), np.arange(12), batch_size=4, progress=False
        ).retrain(without=[3], progress=False)
        for target in (0.0, 50.0)
    ]
    np.testing.assert_array_equal(models[0].parameters["w"], models[1].parameters["w"])


def test_steps_beyond_the_data_start_again():
    """Seven steps on five examples use examples 0 1 2 3 4 0 1."""
    run = sl.TrainingRun(
        sl.Model({"w": np.zeros(3)}, ridge_losses), np.arange(5), steps=7, progress=False
    )
    assert [int(run.examples_of(t)[0]) for t in range(7)] == [0, 1, 2, 3, 4, 0, 1]


def test_deleting_everything_says_what_it_means():
    """It is allowed, with a warning, and leaves the initial parameters."""
    run = make_run()
    with pytest.warns(UserWarning, match="keeps its initial parameters"):
        model = run.retrain(without=range(12), progress=False)
    np.testing.assert_array_equal(model.parameters["out"], PROBLEMS["mlp"][1]["out"])


def test_an_interrupted_retraining_leaves_the_run_as_it_was():
    """Ctrl-C in the middle: the run answers as before and can retrain again."""
    steps_left = [np.inf]

    def losses(parameters, rows):
        steps_left[0] -= 1
        if steps_left[0] < 0:
            raise KeyboardInterrupt
        return ridge_losses(parameters, rows)

    run = sl.TrainingRun(sl.Model({"w": np.zeros(3)}, losses), np.arange(12), progress=False)
    before = run.loss(2)
    steps_left[0] = 5
    with pytest.raises(KeyboardInterrupt):
        run.retrain(without=[1], progress=False)
    steps_left[0] = np.inf
    assert run.loss(2) == before
    assert run.retrain(progress=False).loss(2) == before


RETRAIN_ERRORS = [
    ({"without": [12]}, IndexError, "index 12 is out of range: .* 0 to 11"),
    ({"without": [-1]}, IndexError, "index -1 is out of range"),
    ({"without": [3, 4, 3]}, ValueError, "index 3 is repeated"),
    ({"without": [1.5]}, TypeError, "indices must be integers, not 1.5"),
    ({"without": [True]}, TypeError, "indices must be integers, not True"),
    ({"without": "ab"}, TypeError, "indices must be integers"),
    ({"without": [1], "down_weights": np.zeros(12)}, ValueError, "not both"),
    ({"down_weights": np.zeros(11)}, ValueError, r"shape \(12,\) or \(batch, 12\).* not \(11,\)"),
    ({"down_weights": np.zeros((2, 3, 12))}, ValueError, r"not \(2, 3, 12\)"),
    ({"down_weights": np.zeros((0, 12))}, ValueError, r"not \(0, 12\)"),
    ({"down_weights": [np.nan] * 12}, ValueError, "must be finite"),
    ({"down_weights": ["a"] * 12}, TypeError, "real or complex numbers"),
]


@pytest.mark.parametrize(("arguments", "error", "message"), RETRAIN_ERRORS)
def test_retrain_refuses_bad_input(arguments, error, message):
    """Each wrong argument is named, with what is allowed."""
    with pytest.raises(error, match=message):
        make_run(steps=1).retrain(**arguments)


@pytest.mark.parametrize(
    ("directions", "degree", "message"),
    [
        (np.ones((2, 11)), 1, r"directions must have shape \(m, 12\).* not \(2, 11\)"),
        (np.ones(12), 1, r"not \(12,\)"),
        (np.ones((0, 12)), 1, r"not \(0, 12\)"),
        (np.full((1, 12), np.inf), 1, "must be finite"),
        (np.ones((1, 12)), -1, "degree must be an integer, 0 or higher, not -1"),
        (np.ones((1, 12)), 1.5, "degree must be an integer"),
    ],
)
def test_push_refuses_bad_input(directions, degree, message):
    """Wrong shapes, values and degrees."""
    with pytest.raises(ValueError, match=message):
        make_run(steps=1).push(directions, degree)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, "steps must be an integer, 1 or higher"),
        ({"steps": 2.5}, "steps must be an integer"),
        ({"batch_size": 0}, "batch_size must be an integer"),
        ({"batch_size": 13}, "batch_size 13 exceeds the number of examples, 12"),
    ],
)
def test_a_run_refuses_bad_settings(settings, message):
    """Wrong numbers of steps or examples."""
    with pytest.raises(ValueError, match=message):
        make_run(**settings)


def test_a_run_without_data_is_refused():
    """There must be something to train on."""
    with pytest.raises(ValueError, match="nothing to train on"):
        sl.TrainingRun(sl.Model({"w": np.zeros(3)}, ridge_losses), [])


def test_optimisers_refuse_an_unknown_schedule():
    """A misspelt schedule must not silently mean another one."""
    for optimizer in (sl.SGD, sl.Adam):
        with pytest.raises(ValueError, match="schedule must be"):
            optimizer(schedule="cosine")


def test_divergence_is_reported():
    """A learning rate far too high ends in a clear error, not in NaN."""
    with pytest.raises(FloatingPointError, match=r"training diverged.*lower the learning rate"):
        sl.TrainingRun(
            sl.Model({"w": np.zeros(3)}, ridge_losses),
            np.arange(12),
            optimizer=sl.SGD(1e3),
            steps=200,
            progress=False,
        )


def test_progress_bar_is_silent_when_asked(capfd):
    """progress=False prints nothing at all."""
    make_run().retrain(without=[1], progress=False)
    assert capfd.readouterr() == ("", "")
