"""TracIn along training: against sums by hand, exact first order, and the way training went."""

import numpy as np
import pytest

import sketchlab as sl
from sketchlab.attribution import first_order, tracin

from test_training import LABELS, A, logistic_losses, make_run

QUIET = {"progress": False}


def output(model):
    """Curved in the losses of two documents."""
    return model.loss(3) + model.loss(0) ** 2


def slopes(w):
    """Gradients of the logistic losses, written out, (12, 3)."""
    rows = A * LABELS[:, None]
    return -rows / (1 + np.exp(rows @ w))[:, None]


def by_hand(run):
    """Scores of the loss on document 3, one share of a step after the other."""
    optimizer, w, found = run.optimizer, np.zeros(3), np.zeros(12)
    shares, second = np.zeros((12, 3)), np.zeros(3)
    for t in range(run.steps):
        g = slopes(w)
        batch, mine = (5 * t + np.arange(5)) % 12, np.zeros((12, 3))
        mine[batch] = g[batch] / 5
        rate = optimizer.learning_rate
        if isinstance(optimizer, sl.SGD):
            shares = optimizer.momentum * shares + mine
            moves = rate * shares
        else:
            shares = optimizer.beta1 * shares + (1 - optimizer.beta1) * mine
            second = optimizer.beta2 * second + (1 - optimizer.beta2) * mine.sum(0) ** 2
            hats = second / (1 - optimizer.beta2 ** (t + 1)) + optimizer.eps
            rate *= 1 - t / run.steps
            moves = rate * shares / (1 - optimizer.beta1 ** (t + 1)) / np.sqrt(hats)
        found += moves @ g[3]
        w = w - moves.sum(0)
    np.testing.assert_allclose(w, run.model.parameters["w"], rtol=1e-9)
    return found


@pytest.mark.parametrize("optimizer", [sl.SGD(0.1), sl.SGD(0.05, momentum=0.9), sl.Adam(0.05)])
def test_scores_are_the_shares_of_documents_in_every_step(optimizer):
    """By hand, forward, for logistic regression; documents together are the sums."""
    model = sl.Model({"w": np.zeros(3)}, logistic_losses)
    settings = {"optimizer": optimizer, "steps": 30, "batch_size": 5, **QUIET}
    run = sl.TrainingRun(model, np.arange(12), **settings)
    expected = by_hand(run)
    found = tracin(run, [lambda m: m.loss(3), output], **QUIET)
    np.testing.assert_allclose(found[0].gradient, expected, rtol=1e-9)
    alone = tracin(run, output, **QUIET)
    np.testing.assert_allclose(found[1].gradient, alone.gradient, rtol=1e-12)
    halves = tracin(run, lambda m: m.loss(3), units=[range(6), range(6, 12)], **QUIET)
    np.testing.assert_allclose(halves.gradient, expected.reshape(2, 6).sum(1), rtol=1e-9)
    assert np.isinf(alone.predict(without=[1]).error) and alone.predict(without=[]).error == 0


def test_at_small_rates_it_is_exact_first_order():
    """The difference falls with the rate; so does that of one checkpoint."""
    far = {1: [], 30: []}
    for rate in (1e-3, 1e-4):
        model = sl.Model({"w": np.array([0.4, -0.3, 0.5])}, logistic_losses)
        settings = {"optimizer": sl.SGD(rate), "steps": 30, "batch_size": 5, **QUIET}
        run = sl.TrainingRun(model, np.arange(12), **settings)
        exact = first_order(run, output, **QUIET).gradient
        for every, errors in far.items():
            got = tracin(run, output, every=every, **QUIET).gradient
            errors.append(np.linalg.norm(got - exact) / np.linalg.norm(exact))
    for first, second in far.values():
        assert first < 0.05 and second < 0.2 * first


def test_without_all_documents_the_output_is_the_first_one():
    """With Adam as well: all shares are all steps."""
    run = sl.train(["ab", "ba", "aab"], optimizer=sl.Adam(1e-5), steps=9, width=4, heads=1, **QUIET)
    found = tracin(run, sl.LossOn("ab"), every=2, **QUIET)
    first = float(run.initial.loss("ab"))
    assert found.predict(without=[0, 1, 2]).change == pytest.approx(first - found.now, rel=1e-2)
    assert found.unit == "nats"


@pytest.mark.parametrize("every", [0, 31, 1.5])
def test_no_checkpoints_are_refused(every):
    """In words."""
    with pytest.raises(ValueError, match="every"):
        tracin(make_run("logistic", "sgd"), output, every=every, **QUIET)


def test_what_is_no_output_is_refused():
    """In words."""
    with pytest.raises(TypeError, match="must be a function of a model"):
        tracin(make_run("logistic", "sgd"), 3.0, **QUIET)
