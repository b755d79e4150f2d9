"""Training as a circuit: retraining, batches and jets against closed forms and Cauchy's formula."""

import numpy as np
import pytest

import sketchlab as sl
from sketchlab import ring
from sketchlab.checks import check_indices
from sketchlab.training.adam_on_jets import AdamOnJets
from sketchlab.training.models import Flat
from sketchlab.training.runs import BATCH

from conftest import cauchy_coefficients, complex_directions


def normal(seed, *shape):
    """Standard normal numbers."""
    return np.random.default_rng(seed).normal(size=shape)


A, B = normal(1, 12, 3), normal(2, 12)
LABELS = np.where(normal(3, 12) < 0, -1.0, 1.0)


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


def intercept_losses(parameters, rows):
    """Squared error of a line whose slopes are a vector and whose intercept has no axes."""
    slope = ring.matmul(A[rows], parameters["w"][..., None])[..., 0]
    return (slope + parameters["c"][..., None] - B[rows]) ** 2


PROBLEMS = {
    "ridge": (ridge_losses, {"w": np.zeros(3)}),
    "logistic": (logistic_losses, {"w": np.zeros(3)}),
    "mlp": (
        mlp_losses,
        {"hidden": 0.5 * normal(4, 4, 3), "out": 0.5 * normal(5, 4)},
    ),
    "no axes": (intercept_losses, {"c": np.array(0.3), "w": np.zeros(3)}),
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


@pytest.mark.parametrize("problem", ["mlp", "no axes"])
def test_a_batch_of_models_equals_the_models_one_by_one(problem):
    """More models than one batch holds, with different down-weights, real and complex."""
    run = make_run(problem)
    real = np.random.default_rng(6).random((BATCH + 3, 12))
    for x in (real, complex_directions(3, 12)):
        batch = run.retrain(down_weights=x, progress=False)
        assert batch.loss(4).shape == (len(x),)
        for row in (0, 1, len(x) - 1):
            alone = run.retrain(down_weights=x[row], progress=False)
            np.testing.assert_allclose(batch.loss(4)[row], alone.loss(4), rtol=1e-12)


@pytest.mark.parametrize("problem", ["mlp", "no axes"])
def test_jets_of_every_degree_share_their_coefficients(problem):
    """Degree 0 is plain training; a higher degree only adds coefficients; batches do not matter."""
    run, psi = make_run(problem), complex_directions(BATCH + 2, 12)
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
    ({"without": "ab"}, TypeError, "indices must be a list of integers"),
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
        (np.ones((1, 12)), -1, "degree must be an integer, 0 or higher, at most 1000, not -1"),
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


# ---- initial parameters ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "start",
    [[1, 0, 2], np.array([1, 0, 2]), np.array([1, 0, 2], np.float32), (1.0, 0, np.float32(2))],
)
def test_initial_parameters_of_any_numbers_are_floats(start):
    """Lists, integers and single precision train as the same double numbers do."""
    found, expected = (
        sl.TrainingRun(
            sl.Model({"w": w}, ridge_losses), np.arange(12), batch_size=4, progress=False
        )
        for w in (start, np.array([1.0, 0.0, 2.0]))
    )
    for x in (np.zeros(12), np.full((2, 12), 0.5)):
        models = [run.retrain(down_weights=x, progress=False) for run in (found, expected)]
        assert models[0].parameters["w"].dtype == float
        np.testing.assert_array_equal(*(model.parameters["w"] for model in models))
    assert found.fingerprint() == expected.fingerprint()


def test_a_run_keeps_its_own_initial_parameters():
    """What the caller does to the arrays afterwards does not reach it."""
    start = {"w": np.ones(3)}
    run = sl.TrainingRun(sl.Model(start, ridge_losses), np.arange(12), progress=False)
    start["w"][:] = 7.0
    np.testing.assert_array_equal(
        run.retrain(progress=False).parameters["w"], run.model.parameters["w"]
    )


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"w": np.zeros(3) + 1j}, TypeError, "'w' must be real to start training from"),
        ({"w": "abc"}, TypeError, "parameter 'w' must be real or complex numbers, not text"),
        ({"w": sl.Jet([[0.0], [1.0]])}, TypeError, "parameter 'w' must be .* not Jet"),
        ({"w": [0.0, np.nan, 0.0]}, ValueError, "parameter 'w' must be finite"),
        ({}, TypeError, "a dict of arrays by name"),
        ([np.zeros(3)], TypeError, "a dict of arrays by name"),
        ({3: np.zeros(3)}, TypeError, "name must be a string, not 3"),
    ],
)
def test_initial_parameters_that_cannot_be_trained_are_refused(parameters, error, message):
    """Before training, by name."""
    with pytest.raises(error, match=message):
        sl.TrainingRun(sl.Model(parameters, ridge_losses), np.arange(12), progress=False)


# ---- one flat axis -----------------------------------------------------------------------------


SHAPES = {"matrix": (2, 3), "number": (), "vector": (4,)}


@pytest.mark.parametrize("batch", [(), (5,), (2, 1)])
def test_the_flat_axis_there_and_back(batch):
    """The order of the names, row by row; views of arrays; also parts of it."""
    axis, flat = Flat(SHAPES), normal(7, *batch, 11)
    named = axis.named(flat)
    assert {name: value.shape for name, value in named.items()} == {
        name: batch + shape for name, shape in SHAPES.items()
    }
    np.testing.assert_array_equal(named["matrix"][..., 1, 2], flat[..., 5])
    np.testing.assert_array_equal(named["number"], flat[..., 6])
    assert all(np.shares_memory(value, flat) for value in named.values())
    np.testing.assert_array_equal(axis.flat(named), flat)
    for start, stop in ((0, 11), (2, 9), (6, 7), (7, 11)):
        np.testing.assert_array_equal(axis.flat(named, start, stop), flat[..., start:stop])


@pytest.mark.parametrize("degree", [0, 1, 3])
@pytest.mark.parametrize("shared", [False, True])
def test_the_flat_axis_of_jets(degree, shared):
    """Coefficient by coefficient; a head that the directions share stays shared."""
    axis = Flat(SHAPES)
    jet = sl.Jet.of(normal(8, 1 if shared else 5, 11), normal(9, degree, 5, 11))
    named = axis.named(jet)
    for name, value in named.items():
        for k in range(degree + 1):
            np.testing.assert_array_equal(
                value.coefficients[k], axis.named(jet.coefficients[k])[name]
            )
        assert len(value.head) == len(jet.head)
    again = axis.flat(named)
    assert again.head.shape == jet.head.shape
    np.testing.assert_array_equal(again.coefficients, jet.coefficients)


def test_the_flat_axis_under_gradients():
    """The gradient of sum_i c_i p_i is c, through either direction, for numbers and jets."""
    axis, c = Flat(SHAPES), normal(10, 11)
    for start in (normal(11, 11), sl.Jet([normal(12, 11), normal(13, 11)])):
        through = sl.ring_grad(lambda p: ring.sum(axis.flat(axis.named(p)) * c, -1))(start)
        by_name = sl.ring_grad(lambda p: ring.sum(axis.flat(p) * c, -1))(axis.named(start))
        for gradient in (through, axis.flat(by_name)):
            head = gradient.head if isinstance(gradient, sl.Jet) else gradient
            np.testing.assert_array_equal(head, c)
            assert not isinstance(gradient, sl.Jet) or not np.any(gradient.tail)


# ---- the losses are checked once ---------------------------------------------------------------


def squares(prediction, rows):
    """Squared errors."""
    return (prediction - B[rows]) ** 2


WRONG_LOSSES = {  # of parameters w (3,) and c (), with the words that must be there
    "no batch axes": (lambda p, rows: squares(A[rows] @ p["w"], rows), "models at once"),
    "first model only": (
        lambda p, rows: squares(A[rows] @ p["w"].reshape(-1, 3)[0], rows),
        r"shape \(2,\), not \(3, 2\).*ring.matmul\(X\[rows\]",
    ),
    "transposed": (
        lambda p, rows: (
            squares((A[rows] @ p["w"].swapaxes(0, -1)).T, rows[..., None])
            if p["w"].ndim > 1
            else squares(A[rows] @ p["w"], rows)
        ),
        "models at once",
    ),
    "mixed models": (
        lambda p, rows: intercept_losses({"w": p["w"], "c": ring.mean(p["c"]) + 0 * p["c"]}, rows),
        "not those under each model alone",
    ),
    "mixed models, small losses": (
        lambda p, rows: (
            1e-20 * intercept_losses({"w": p["w"], "c": 0 * p["c"] + p["c"].max()}, rows)
        ),
        "not those under each model alone",
    ),
    "no axis for c": (
        lambda p, rows: squares(ring.matmul(A[rows], p["w"][..., None])[..., 0] + p["c"], rows),
        r"fail for 3 models at once.*c\[..., None\] for a parameter of shape \(\)",
    ),
    "averaged": (lambda p, rows: ring.mean(intercept_losses(p, rows), -1), "do not average"),
    "averaged, kept": (
        lambda p, rows: ring.mean(intercept_losses(p, rows), -1, True),
        r"shape \(1,\), not \(2,\)",
    ),
}


@pytest.mark.parametrize("batch_size", [1, 2, 3, 12])
@pytest.mark.parametrize("case", WRONG_LOSSES)
def test_losses_that_would_be_wrong_for_several_models_are_refused(case, batch_size):
    """When the run is made, whatever its batch size, with words that teach."""
    losses, message = WRONG_LOSSES[case]
    model = sl.Model({"w": np.zeros(3), "c": 0.0}, losses)
    with pytest.raises(ValueError, match=message):
        sl.TrainingRun(model, np.arange(12), batch_size=batch_size, progress=False)


def test_a_shape_that_is_right_by_chance_is_refused():
    """32 examples and 32 models: the losses of shape (32,) would multiply weights (32, 32)."""
    X = normal(14, BATCH, 1)
    model = sl.Model({"w": 0.1}, lambda p, rows: (X[rows, 0] * p["w"] - 1.0) ** 2)
    with pytest.raises(ValueError, match="models at once"):
        sl.TrainingRun(model, np.arange(BATCH), batch_size=BATCH, progress=False)


def test_an_error_of_the_losses_themselves_is_not_dressed_up():
    """What fails for one model too is the caller's own error."""
    with pytest.raises(KeyError, match="nothing"):
        sl.TrainingRun(
            sl.Model({"w": np.zeros(3)}, lambda p, rows: p["nothing"]), [0], progress=False
        )


@pytest.mark.parametrize("n", [1, 2, 3])
def test_right_losses_pass_whatever_the_number_of_examples(n):
    """Also with as many examples as the check has copies."""
    model = sl.Model(PROBLEMS["no axes"][1], intercept_losses)
    assert len(sl.TrainingRun(model, np.arange(n), batch_size=n, progress=False)) == n


# ---- trainings that do not stay finite ---------------------------------------------------------


def test_a_rate_far_too_high_is_named():
    """Full-batch descent on |w|^2 / 2 with rate 3: w is (-2)^t, and the square of 2^512 is inf."""
    model = sl.Model({"w": np.ones(1)}, lambda p, rows: 0.5 * p["w"] ** 2 + 0.0 * B[rows])
    message = r"training diverged at step 512 of 2000, on example 2:.* lower the learning rate"
    with pytest.raises(FloatingPointError, match=message):
        sl.TrainingRun(model, np.arange(5), optimizer=sl.SGD(3.0), steps=2000, progress=False)


def test_a_loss_that_overflows_where_a_high_rate_drove_it_is_named():
    """exp(w^2) from w = 1 with rate 10: w = 1 - 20 e = -53.4, where it is not finite."""
    model = sl.Model({"w": 1.0}, lambda p, rows: ring.exp(p["w"][..., None] ** 2) + 0.0 * B[rows])
    message = (
        r"diverged at step 1 of 5, on example 1: the loss is not finite, and the "
        r"parameters, at most 1 at the start, were at most 53.4 before it; lower the learning rate$"
    )
    with pytest.raises(FloatingPointError, match=message):
        sl.TrainingRun(model, np.arange(5), optimizer=sl.SGD(10.0), progress=False)


def test_a_loss_that_is_not_a_number_is_named():
    """Step, examples and words; the learning rate has nothing to do with it."""

    def losses(parameters, rows):
        return ridge_losses(parameters, rows) * np.where(np.asarray(rows) == 7, np.nan, 1.0)

    message = "at step 1 of 4: the loss itself is not finite on example 7, even with the initial"
    with pytest.raises(FloatingPointError, match=message) as caught:
        sl.TrainingRun(
            sl.Model({"w": np.zeros(3)}, losses),
            np.arange(12),
            steps=4,
            batch_size=4,
            progress=False,
        )
    assert "learning rate" not in str(caught.value)


def root_losses(parameters, documents):
    """The root of w at "b" and its square elsewhere: finite at 0, but not its derivative."""
    w = parameters["w"][..., None]
    parts = [ring.sqrt(w) if document == "b" else w**2 for document in documents]
    return ring.concatenate(parts, -1)


def test_a_gradient_that_is_not_finite_is_named():
    """w stays 0 until "b" comes, where the derivative of the root is infinite."""
    model = sl.Model({"w": 0.0}, root_losses)
    message = r"step 2 of 3: the gradient of 'w' is not finite on example 2 \('b'\), although the"
    with pytest.raises(FloatingPointError, match=message) as caught:
        sl.TrainingRun(model, ["a", "c", "b"], optimizer=sl.SGD(0.5), progress=False)
    assert "learning rate" not in str(caught.value)


def test_a_jet_that_is_not_finite_is_named():
    """A direction of 1e150 overflows at degree 3 only; the numbers alone are fine."""
    run = make_run("mlp", "sgd")
    assert run.push(1e150 * np.eye(12)[:2], 1, progress=False).parameters["out"].degree == 1
    message = r"at step \d+ of 30, on example.* or use smaller down-weights, directions or degree"
    with pytest.raises(FloatingPointError, match=message):
        run.push(1e150 * np.eye(12)[:2], 3, progress=False)
    with pytest.raises(FloatingPointError, match=message):
        run.retrain(down_weights=np.full(12, 1e150), progress=False)


# ---- indices -----------------------------------------------------------------------------------


class Counted(int):
    """An integer that counts its comparisons."""

    compared = 0
    __hash__ = int.__hash__

    def __eq__(self, other):
        Counted.compared += 1
        return int(self) == int(other)


def test_indices_are_checked_in_linear_time():
    """No index is compared with all the others (numpy compares each once at most)."""
    numbers = [Counted(i) for i in range(2000)]
    Counted.compared = 0
    np.testing.assert_array_equal(check_indices(numbers, 2000), np.arange(2000))
    assert Counted.compared <= 2000


def test_progress_bar_is_silent_when_asked(capfd):
    """progress=False prints nothing at all."""
    make_run().retrain(without=[1], progress=False)
    assert capfd.readouterr() == ("", "")


def test_a_loss_that_is_not_a_number_is_noticed_though_its_gradient_is_one():
    """The logarithm of a negative number is NaN, its derivative is not; deleted examples may be."""
    rows = np.array([[1.0], [2.0], [-1.0]])

    def losses(parameters, numbers):
        return ring.log(ring.matmul(rows[numbers], parameters["w"][..., None])[..., 0])

    def run_on(data):
        return sl.TrainingRun(
            sl.Model({"w": np.ones(1)}, losses), data, optimizer=sl.SGD(1e-3), progress=False
        )

    with pytest.raises(FloatingPointError, match=r"at step 2 of 3: the loss itself .* example 2"):
        run_on(np.arange(3))
    run = run_on(np.array([0, 1, 0]))
    rows[0] = -3.0  # what the loss reads changes: retraining without it is still right
    with pytest.raises(FloatingPointError, match="example 0"):
        run.retrain(progress=False)
    assert np.isfinite(run.retrain(without=[0, 2], progress=False).parameters["w"]).all()


@pytest.mark.parametrize("dtype, tolerance", [(complex, 1e-13), (float, 1e-13)])
@pytest.mark.parametrize("degree", [1, 2, 3, 4, 7])
def test_adam_in_place_on_jets_equals_adam_on_the_same_jets(degree, dtype, tolerance):
    """Steps in blocks, in place, and the formula itself, from a state on; with several blocks."""
    rng, rows, size = np.random.default_rng(degree), 5, {"a": (7000,), "b": (40, 50), "c": ()}
    axis, adam = Flat(size), sl.Adam(eps=0.1)

    def jet(shape):
        tail = rng.normal(size=(degree, rows, *shape)).astype(dtype)
        return sl.Jet.of(
            rng.normal(size=(1, *shape)), tail + 1j * tail[::-1] if dtype is complex else tail
        )

    flat, start = jet((axis.size,)), rng.uniform(size=(2, axis.size))
    expected, moments = sl.Jet(flat.coefficients), [sl.Jet.constant(s[None], degree) for s in start]
    stepper = AdamOnJets(adam, axis, flat, start)
    assert len(stepper.blocks) > len(size)
    for step in range(3):
        gradients = {name: jet(shape) for name, shape in size.items()}
        stepper.step(step, 10, gradients)
        expected, *moments = adam.update(step, 10, expected, axis.flat(gradients), *moments)
        found, wanted = flat.coefficients, expected.coefficients
        scale = np.max(np.abs(wanted), axis=(1, 2), keepdims=True)
        assert np.max(np.abs(found - wanted) / scale) < tolerance


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("problem", PROBLEMS)
def test_single_precision_rounds_and_no_more(problem, optimizer):
    """Its jets are those of double precision, in half the bytes; the base point stays in double."""
    run = make_run(problem, optimizer)
    for psi in (complex_directions(4, 12), normal(8, 4, 12)):
        rough, exact = (
            run.push(psi, 3, at=0.1, precision=p, progress=False).parameters
            for p in ("single", "double")
        )
        for name, jet in rough.items():
            np.testing.assert_array_equal(jet.head, exact[name].head)
            assert 2 * jet.tail.itemsize == exact[name].tail.itemsize
            size = np.max(np.abs(exact[name].tail), axis=tuple(range(1, jet.tail.ndim)))
            error = np.max(np.abs(jet.tail - exact[name].tail), axis=tuple(range(1, jet.tail.ndim)))
            assert np.all(error <= 2e-5 * size)
    x = np.random.default_rng(9).random((2, 12))
    for row in (x, x[0]):
        rough, exact = (
            run.retrain(down_weights=row, precision=p, progress=False).parameters
            for p in ("single", "double")
        )
        for name, p in rough.items():
            assert p.dtype == np.float32
            np.testing.assert_allclose(p, exact[name], rtol=1e-4, atol=1e-5)


def test_an_unknown_precision_is_refused():
    """In words, by both."""
    run = make_run()
    for call in (lambda p: run.retrain(precision=p), lambda p: run.push(A.T, 2, precision=p)):
        with pytest.raises(ValueError, match="precision must be one of double, single, not 'half'"):
            call("half")
