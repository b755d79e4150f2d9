"""The unlearning error: eigenvalues of Hessians, the formula on a quadratic, and the SD loss."""

import numpy as np
import pytest

import sketchlab as sl
from sketchlab.training.hessian import hessian
from sketchlab.training.models import Flat
from sketchlab.unlearning import (
    SDLoss,
    largest_eigenvalue,
    train_seeds,
    unlearning_error,
)

CURVES = np.array([3.0, -1.0, 0.5])
STARTS = {"initial": lambda seed: {"w": np.eye(3)[seed] * 2.0}}
QUIET = {"progress": False}


def bowl(rate, steps):
    """SGD on 1/2 sum_k curve_k w_k^2, the same for each of two examples."""

    def losses(parameters, rows):
        w = parameters["w"]
        value = 0.5 * sl.ring.sum(CURVES * w * w, -1)
        return sl.ring.concatenate([value[..., None] for _ in rows], -1)

    model = sl.Model({"w": np.ones(3)}, losses)
    return sl.TrainingRun(model, ["a", "b"], optimizer=sl.SGD(rate), steps=steps, **QUIET)


def test_the_largest_eigenvalue_is_that_of_the_hessian():
    """Of a quadratic, in size, whatever its sign; of microgpt, of a dense matrix of differences."""
    run = bowl(0.1, 2)
    assert largest_eigenvalue(run, np.ones((2, 3)), [0, 1]) == pytest.approx([3.0, 3.0], rel=1e-2)
    docs = ["ab", "ba", "aab"]
    small = sl.train(docs, width=2, heads=1, context=4, **QUIET)
    axis = Flat.of(small.initial.parameters)
    gradient = sl.ring_grad(
        lambda named: sl.ring.mean(small.initial.with_parameters(named).losses(docs), -1)
    )
    w = axis.flat(small.model.parameters)
    steps = 1e-5 * np.eye(len(w))
    ends = [axis.flat(gradient(axis.named(w + sign * steps))) for sign in (1, -1)]
    hessian = (ends[0] - ends[1]) / 2e-5
    expected = np.abs(np.linalg.eigvalsh((hessian + hessian.T) / 2)).max()
    found = largest_eigenvalue(small, w[None], [0, 1, 2])
    assert found == pytest.approx([expected], rel=2e-2)


def test_the_error_is_the_next_term_of_a_quadratic():
    """Along the steepest direction: what is left by undoing all of training by one gradient."""
    rate, steps = 1e-3, 20
    run = bowl(rate, steps)
    models = train_seeds(run, [0], **STARTS, **QUIET)
    w0, w = models.starts[0, 0], models.flat[0, 0]
    undone = w + rate * steps * CURVES[0] * w0  # as if all had been forgotten
    found = unlearning_error(models)
    assert found.derived[0] == pytest.approx(undone - w0, rel=0.05)
    assert found.paper[0] == pytest.approx(rate * found.derived[0])
    moved = abs(w - w0)
    assert found.code[0] == pytest.approx(rate**2 * moved * steps / 2 * np.sqrt(3.0), rel=1e-2)
    assert found.sigma[0] == pytest.approx(3.0, rel=1e-2)
    with pytest.raises(ValueError, match="points must be 2 or more"):
        unlearning_error(models, points=1)


def test_sd_loss_adds_the_spread_of_the_logits():
    """By hand; it is part of the run's identity; a seed starts as without it."""
    docs = sl.names.load()[:20]
    plain = sl.MicroGPT.initial("abcdefghijklmnopqrstuvwxyz", width=8, heads=2)
    model, doc = SDLoss(plain, 2.0), "max"
    read, _ = plain.sequence(doc)
    expected = plain.loss(doc) + 2.0 * plain.logits(read).std(axis=-1).mean()
    assert model.loss(doc) == pytest.approx(expected)
    assert model.settings() != plain.settings() and model.fresh(1).gamma == 2.0
    run, plain_run = (
        sl.TrainingRun(one, docs, optimizer=sl.SGD(0.1), **QUIET) for one in (model, plain)
    )
    spread = [one.model.logits(read).std(axis=-1).mean() for one in (run, plain_run)]
    assert spread[0] < 0.5 * spread[1], spread
    (seeded,) = train_seeds(run, [7], **QUIET).starts
    np.testing.assert_array_equal(seeded, Flat.of(plain.parameters).flat(plain.fresh(7).parameters))
    with pytest.raises(ValueError, match="gamma must be a finite number, 0 or above"):
        SDLoss(plain, -1)


def test_the_sd_loss_is_of_a_microgpt():
    """Of a model, not of a run, and with a strength."""
    run = sl.train(["max", "mia"], width=4, heads=1, progress=False)
    with pytest.raises(TypeError, match=r"such as run\.initial"):
        SDLoss(run, 1.0)
    for gamma in (-1.0, np.inf, np.nan):
        with pytest.raises(ValueError, match="gamma must be a finite number"):
            SDLoss(run.initial, gamma)


def test_the_eigenvalue_of_a_model_does_not_depend_on_those_beside_it():
    """Alone, among others, and by all eigenvalues of the matrix, where they lie close together."""
    settings = {"width": 4, "heads": 1, "context": 8, "optimizer": sl.SGD(0.05), "progress": False}
    run = sl.train(sl.names.load()[:12], steps=24, **settings)
    models = sl.unlearning.train_seeds(run, 6, progress=False)
    size, everything = models.flat.shape[1], np.arange(12)
    among = largest_eigenvalue(run, models.flat, everything)
    for row in (1, 4):
        alone = largest_eigenvalue(run, models.flat[[row]], everything)[0]
        assert alone == pytest.approx(among[row], rel=1e-9)
        product = hessian(run, np.repeat(models.flat[[row]], size, axis=0), np.full(12, 1 / 12))
        exact = np.abs(np.linalg.eigvalsh(product(np.eye(size)))).max()
        assert among[row] == pytest.approx(exact, rel=1e-3)
