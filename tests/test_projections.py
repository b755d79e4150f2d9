"""Gradients by document, TRAK and one scale for rankings: against closed forms, written out."""

import numpy as np
import pytest

import sketchlab as sl
from sketchlab.attribution import (
    ConvexFit,
    FirstOrder,
    Ranking,
    Retrained,
    gradient_products,
    halves,
    influence,
    random_deletions,
    retrained,
    scaled,
    total_cost,
    trak,
)
from sketchlab.attribution.projections import projection
from sketchlab.estimation.units import Units
from sketchlab.training import by_document, passes
from sketchlab.training.by_document import document_gradients
from sketchlab.training.microgpt import END
from sketchlab.training.models import Flat

from test_training import LABELS, A, B, make_run, ridge_losses

DECAY = 0.3
QUIET = {"progress": False}


def converged(losses=ridge_losses, steps=600):
    """Full-batch descent to the minimum of the mean loss and DECAY |w|^2 / 2."""
    return sl.TrainingRun(
        sl.Model({"w": np.zeros(3)}, losses),
        np.arange(12),
        optimizer=sl.SGD(0.4, weight_decay=DECAY),
        steps=steps,
        batch_size=12,
        **QUIET,
    )


def output(model):
    """Curved in the losses of two documents."""
    return model.loss(3) + model.loss(0) ** 2


@pytest.fixture(scope="module")
def small():
    """microgpt with 68 parameters, trained by Adam."""
    return sl.train(["ab", "ba", "aab", "abab"], steps=12, width=2, heads=1, context=4, **QUIET)


@pytest.fixture(scope="module")
def logistic():
    return make_run("logistic", "sgd")


def flat_of(run, model):
    return Flat.of(run.initial.parameters).flat(model.parameters)


def test_gradients_of_documents_are_differences_of_losses(small):
    """Central differences, all parameters of microgpt; projected, they are multiplied."""
    axis, w, steps = Flat.of(small.initial.parameters), flat_of(small, small.model), np.eye(68)
    ends = [
        small.losses(small.initial.with_parameters(axis.named(w + sign * 1e-5 * steps)))
        for sign in (1, -1)
    ]
    found = document_gradients(small, w, **QUIET)
    np.testing.assert_allclose(found, np.subtract(*ends).T / 2e-5, atol=1e-8)
    matrix = np.random.default_rng(0).normal(size=(68, 5))
    np.testing.assert_allclose(
        document_gradients(small, w, projection=matrix, **QUIET), found @ matrix, atol=1e-12
    )


def test_gradients_of_more_documents_than_a_block(monkeypatch):
    monkeypatch.setattr(by_document, "BATCH", 5)
    run, w = make_run("ridge", "sgd"), np.array([0.3, -1.0, 2.0])
    found = document_gradients(run, w, **QUIET)
    np.testing.assert_allclose(found, A * (A @ w - B)[:, None], atol=1e-12)


def test_wrong_gradients_are_refused(monkeypatch):
    run = make_run("ridge", "sgd")

    def losses(parameters, rows):
        return sl.ring.exp(sl.ring.sum(A[rows] * parameters["w"][..., None, :], -1))

    settings = {"optimizer": sl.SGD(1e-6), "steps": 1, **QUIET}
    steep = sl.TrainingRun(sl.Model({"w": np.zeros(3)}, losses), np.arange(12), **settings)
    with pytest.raises(ValueError, match=r"flat must have shape \(3,\)"):
        document_gradients(run, np.zeros((2, 3)))
    with pytest.raises(ValueError, match=r"projection must have shape \(3, k\), not \(4, 2\)"):
        document_gradients(run, np.zeros(3), projection=np.ones((4, 2)))
    with pytest.raises(FloatingPointError, match=r"loss on document \d+ .* is not finite"):
        document_gradients(steep, np.full(3, 1e4), **QUIET)
    monkeypatch.setattr(passes, "available_memory", lambda: 8 * 12 * 3 - 1)
    with pytest.raises(MemoryError, match="gradients of 12 documents, 3 numbers each"):
        document_gradients(run, np.zeros(3))
    assert document_gradients(run, np.zeros(3), projection=np.ones((3, 1)), **QUIET).shape == (
        12,
        1,
    )


def test_projections_are_rotations_and_on_average_keep_products():
    """Orthogonal columns; the mean of R R' over seeds is the identity."""
    for k in (1, 3, 6):
        r = projection(6, k, seed=k)
        np.testing.assert_allclose(r.T @ r, 6 / k * np.eye(k), atol=1e-12)
    mean = np.mean([r @ r.T for r in (projection(4, 2, seed=i) for i in range(4000))], axis=0)
    np.testing.assert_allclose(mean, np.eye(4), atol=0.08)  # four standard errors
    assert not np.array_equal(projection(4, 2, seed=0), projection(4, 2, seed=1))


@pytest.mark.parametrize("models", [None, 2])
def test_a_rotation_changes_nothing(small, models):
    asked = [sl.LossOn("ab"), sl.LossOn("aab")]
    settings = {"models": models, **QUIET}
    plain, turned = (trak(small, asked, dimension=k, **settings) for k in (None, 68))
    for one, other in zip(plain, turned, strict=True):
        np.testing.assert_allclose(one.gradient, other.gradient, rtol=1e-8, atol=1e-12)
    more = trak(small, asked[0], dimension=69, **settings)
    np.testing.assert_allclose(more.gradient, plain[0].gradient, rtol=1e-12)
    fewer = trak(small, asked[0], dimension=2, **settings)
    assert not np.allclose(fewer.gradient, plain[0].gradient, rtol=0.1)
    assert not np.allclose(fewer.gradient, trak(small, asked[0], dimension=2, seed=1).gradient)


def test_for_squares_it_is_the_exact_influence():
    """Of a regression at its minimum, found without gradients of documents; it predicts."""
    run, penalty = converged(), 12 * DECAY
    found = trak(run, output, link="squares", damping=penalty, dimension=None, **QUIET)
    fit = ConvexFit(A, B, penalty, loss="squared")
    w = fit.parameters
    slope = A[3] * (A[3] @ w - B[3]) + (A[0] @ w - B[0]) ** 3 * A[0]
    exact = (fit.after(np.eye(12), by="influence") - w) @ slope
    np.testing.assert_allclose(found.gradient, exact, rtol=1e-7)
    by_influence = influence(run, output, damping=0, **QUIET)
    np.testing.assert_allclose(found.gradient, by_influence.gradient, rtol=1e-5)
    refitted = fit.after(without=[5])
    now = (A[3] @ w - B[3]) ** 2 / 2 + (A[0] @ w - B[0]) ** 4 / 4
    after = (A[3] @ refitted - B[3]) ** 2 / 2 + (A[0] @ refitted - B[0]) ** 4 / 4
    assert type(found) is FirstOrder
    assert found.predict(without=[5]).change == pytest.approx(after - now, rel=0.35)
    for fewer in ({"dimension": 2}, {"dimension": 3, "models": [run.model, run.model]}):
        assert isinstance(trak(run, output, link="squares", damping=1.0, **fewer), Ranking)


def by_hand(weights, slopes, damping, matrices):
    """TRAK of logistic regression: rows of log odds, y x, and q = 1 - p, each averaged apart."""
    rows, products, q = A * LABELS[:, None], 0, 0
    for w, d, r in zip(weights, slopes, matrices, strict=True):
        phi = rows @ r
        products = products + phi @ np.linalg.solve(
            phi.T @ phi + damping * np.eye(phi.shape[1]), r.T @ d
        )
        q = q + 1 / (1 + np.exp(rows @ w))
    return -products * q / len(weights) ** 2  # g_i = -q_i y_i x_i


def slope_by_hand(w):
    """Of the output."""
    rows = A * LABELS[:, None]
    p, losses = 1 / (1 + np.exp(-rows @ w)), np.log1p(np.exp(-rows @ w))
    return -(1 - p[3]) * rows[3] - 2 * losses[0] * (1 - p[0]) * rows[0]


@pytest.mark.parametrize("dimension", [None, 2])
def test_for_logistic_regression_it_is_the_formula(logistic, dimension):
    """At one model, and averaged over three, which may be a batch, a list or both."""
    x = random_deletions(12, [6, 6], np.random.default_rng(3))
    batch = logistic.retrain(down_weights=x, **QUIET)
    w = np.array([logistic.model.parameters["w"], *batch.parameters["w"]])
    slopes = [slope_by_hand(one) for one in w]
    matrices = [np.eye(3) if dimension is None else projection(3, 2, seed=(5, m)) for m in range(3)]
    settings = {"link": "cross_entropy", "dimension": dimension, "damping": 0.2, "seed": 5, **QUIET}
    alone = trak(logistic, output, **settings)
    expected = by_hand(w[:1], slopes[:1], 0.2, matrices[:1])
    np.testing.assert_allclose(alone.gradient, expected, rtol=1e-8)
    assert isinstance(alone, Ranking) and alone.now == pytest.approx(output(logistic.model))
    apart = [logistic.retrain(down_weights=row, **QUIET) for row in x]
    for models in ([logistic.model, batch], [logistic.model, *apart]):
        found = trak(logistic, output, models=models, **settings)
        np.testing.assert_allclose(
            found.gradient, by_hand(w, slopes, 0.2, matrices), rtol=1e-8, atol=1e-12
        )


def test_without_a_link_it_is_the_fisher_matrix_of_gradients(small):
    """Of microgpt, the sum over documents; by default with its mean eigenvalue as damping."""
    g = document_gradients(small, flat_of(small, small.model), **QUIET)
    for damping in (None, 0.5):
        added = np.sum(g**2) / 4 if damping is None else damping
        matrix = g.T @ g + added * np.eye(68)
        found = trak(small, sl.LossOn("aab"), dimension=None, link="none", damping=damping, **QUIET)
        np.testing.assert_allclose(found.gradient, g @ np.linalg.solve(matrix, g[2]), rtol=1e-8)


def test_the_link_of_microgpt_is_the_mean_over_letters(small):
    """q = 1 - the geometric mean probability of a letter, from probabilities asked one by one."""
    g, q = document_gradients(small, flat_of(small, small.model), **QUIET), []
    for doc in small.data:
        read = [*doc, END][:4]  # the context
        p = [float(small.model.next_probs(doc[:i])[letter]) for i, letter in enumerate(read)]
        q.append(1 - np.prod(p) ** (1 / len(p)))
    phi = g / np.array(q)[:, None]
    expected = g @ np.linalg.solve(phi.T @ phi + 0.5 * np.eye(68), g[0])
    found = trak(small, sl.LossOn("ab"), dimension=None, damping=0.5, **QUIET)
    np.testing.assert_allclose(found.gradient, expected, rtol=1e-7)


def test_halves_are_retrainings_and_cost_one_each(logistic):
    models = halves(logistic, 3, seed=4, **QUIET)
    assert models.cost == len(models) == 3 and models.kept.shape == (3, 12)
    assert np.all(models.kept.sum(axis=1) == 6) and len(np.unique(models.kept, axis=0)) == 3
    for w, kept in zip(models.model.parameters["w"], models.kept, strict=True):
        again = logistic.retrain(without=np.flatnonzero(~kept), **QUIET)
        np.testing.assert_allclose(w, again.parameters["w"], rtol=1e-12)
    settings = {"link": "cross_entropy", "dimension": 2, "seed": 4, **QUIET}
    drawn, given = (trak(logistic, [output] * 2, models=m, **settings) for m in (3, models))
    np.testing.assert_array_equal(drawn[0].gradient, given[0].gradient)
    steps = 30 * 5  # gradients in a training
    expected = 3 + 3 * 12 / steps + 2 * 3 / steps
    assert sum(one.cost for one in drawn) == pytest.approx(expected)
    listed = trak(logistic, output, models=[models.model], **settings)
    assert listed.cost == pytest.approx(3 * 13 / steps)
    with pytest.raises(ValueError, match="count must be an integer, 1 or higher"):
        halves(logistic, 0)


def known_document(scale):
    """Logistic losses, of which the last is so well known as `scale` says."""
    factors = np.ones(12)
    factors[11] = scale

    def losses(parameters, rows):
        margin = sl.ring.matmul(A[rows], parameters["w"][..., None])[..., 0] * LABELS[rows]
        return sl.ring.log(1.0 + sl.ring.exp(-margin * factors[rows]))

    run = sl.TrainingRun(
        sl.Model({"w": LABELS[11] * A[11]}, losses),
        np.arange(12),
        optimizer=sl.SGD(0.01),
        batch_size=12,
        steps=1,
        **QUIET,
    )
    return run, A * LABELS[:, None] * factors[:, None]


def test_documents_at_the_least_loss_have_no_row_and_no_score():
    """And the others the scores as if it was not there, with a warning; close to it, all have."""
    run, rows = known_document(1000.0)
    w, settings = run.model.parameters["w"], {"link": "cross_entropy", "damping": 0.2}
    q = 1 / (1 + np.exp(rows[:11] @ w))
    assert run.losses(run.model)[11] == 0
    with pytest.warns(UserWarning, match="1 of 12 documents have a loss so near its least"):
        found = trak(run, lambda model: model.loss(3), **settings, **QUIET)
    phi = rows[:11]
    slope = -q[3] * rows[3]
    expected = -q * (phi @ np.linalg.solve(phi.T @ phi + 0.2 * np.eye(3), slope))
    np.testing.assert_allclose(found.gradient, [*expected, 0.0], rtol=1e-8)
    run, rows = known_document(2.0)
    q = 1 / (1 + np.exp(rows @ run.model.parameters["w"]))
    assert 1e-8 < q[11] < 1e-3
    found = trak(run, lambda model: model.loss(3), **settings, **QUIET)
    slope = -q[3] * rows[3]
    expected = -q * (rows @ np.linalg.solve(rows.T @ rows + 0.2 * np.eye(3), slope))
    np.testing.assert_allclose(found.gradient, expected, rtol=1e-6)


def test_a_perfect_residual_makes_squares_a_ranking():
    """Its row is lost, and so the exact influence; where all are, nothing is known."""
    targets = A @ np.ones(3)
    targets[1:] += 1.0

    def losses(parameters, rows):
        return 0.5 * (sl.ring.sum(A[rows] * parameters["w"][..., None, :], -1) - targets[rows]) ** 2

    def at_ones(data):
        return sl.TrainingRun(
            sl.Model({"w": np.ones(3)}, losses), data, optimizer=sl.SGD(1e-150), steps=1, **QUIET
        )

    settings = {"link": "squares", "damping": 1.0, "dimension": None, **QUIET}
    run = at_ones(np.arange(12))
    assert run.losses(run.model)[0] == 0
    with pytest.warns(UserWarning, match="1 of 12 documents"):
        found = trak(run, lambda model: model.loss(3), **settings)
    assert isinstance(found, Ranking) and found.gradient[0] == 0
    with pytest.raises(ValueError, match="every loss is at its least"):
        trak(at_ones(np.array([0])), lambda model: model.loss(0), **settings)


def test_units_have_the_sums_of_their_documents(logistic):
    settings = {"link": "cross_entropy", "dimension": 2, **QUIET}
    single = trak(logistic, output, **settings)
    united = trak(logistic, output, units=list("aabbccddeeff"), **settings)
    np.testing.assert_allclose(united.gradient, single.gradient.reshape(6, 2).sum(1), rtol=1e-12)


WRONG = {
    "dimension": ({"dimension": 0}, ValueError, "dimension must be an integer, 1 or higher"),
    "damping": ({"damping": -1.0}, ValueError, "damping .* must be a finite number above 0"),
    "nan": ({"damping": np.nan}, ValueError, "damping .* must be a finite number above 0"),
    "seed": ({"seed": -1}, ValueError, "seed must be an integer"),
    "link": ({"link": "logit"}, ValueError, "link must be one of cross_entropy, squares, none"),
    "no link": ({"link": None}, ValueError, "which loss this model has is not known"),
    "models": ({"models": "all"}, TypeError, "models must be None, a number of models"),
    "no models": ({"models": []}, ValueError, "there are no models"),
    "shape": (
        {"models": sl.Model({"w": np.zeros(4)}, ridge_losses)},
        ValueError,
        r"has shape \(4,\), that of the run's model \(3,\)",
    ),
    "names": (
        {"models": sl.Model({"v": np.zeros(3)}, ridge_losses)},
        ValueError,
        "must have the run's parameters",
    ),
    "nan models": (
        {"models": sl.Model({"w": np.full(3, np.nan)}, ridge_losses)},
        ValueError,
        "must be finite real numbers",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_settings_are_refused(logistic, case):
    settings, error, message = WRONG[case]
    with pytest.raises(error, match=message):
        trak(logistic, output, **{"link": "cross_entropy", **settings}, **QUIET)


def test_what_cannot_be_is_refused(logistic, monkeypatch):
    """Outputs that are none, losses below 0, a singular matrix, and what does not fit."""
    with pytest.raises(TypeError, match="cannot be differentiated"):
        trak(logistic, lambda model: float(model.loss(0)), link="none", **QUIET)
    spread = sl.TrainingRun(
        sl.unlearning.SDLoss(sl.MicroGPT.initial("ab", width=2, heads=1), 1.0), ["ab"], **QUIET
    )
    with pytest.raises(ValueError, match="which loss this model has is not known"):
        trak(spread, sl.LossOn("ab"), **QUIET)
    below = sl.TrainingRun(
        sl.Model({"w": np.ones(3)}, lambda p, i: -ridge_losses(p, i)), np.arange(12), **QUIET
    )
    with pytest.raises(ValueError, match="losses are 0 or above; one is -"):
        trak(below, output, link="squares", **QUIET)
    twice = sl.TrainingRun(
        sl.Model({"w": np.ones(3)}, lambda p, i: ridge_losses(p, 0 * np.array(i))),
        np.arange(12),
        **QUIET,
    )
    with pytest.raises(ValueError, match=r"too near singular .* give a larger damping"):
        trak(twice, output, link="squares", damping=0, **QUIET)
    monkeypatch.setattr(passes, "available_memory", lambda: 100)
    with pytest.raises(MemoryError, match="random projection of 3 parameters to 2 numbers"):
        trak(logistic, output, link="none", dimension=2, **QUIET)


def ranking(gradient, now=1.0, cost=2.0):
    units = Units(None, len(gradient))
    return Ranking(now, np.array(gradient), units, np.zeros(len(gradient)), now, cost=cost)


def after(x, values, now=1.0, units=None):
    return Retrained(np.array(x, float), np.array(values, float), units or Units(None, 3), now)


def test_one_scale_is_fitted_to_all_outputs():
    """Least squares written out: changes 2 and 4 for scores 1 and 1, 9 for 3: factor 33 / 11."""
    one, two = ranking([1.0, 1.0, 0.5]), ranking([3.0, 0.0, 1.0], now=5.0)
    x = [[1, 0, 0], [0, 1, 0]]
    known = [after(x, [3.0, 5.0]), after(x, [14.0, 5.0], now=5.0)]
    found = scaled([one, two], known)
    np.testing.assert_allclose([f.gradient for f in found], [[3, 3, 1.5], [9, 0, 3]], rtol=1e-12)
    assert all(type(f) is FirstOrder for f in found)
    assert found[0].predict(without=[2]).change == pytest.approx(1.5)
    assert found[0].predict(without=[2]).error == np.inf
    assert [f.cost for f in found] == [3.0, 3.0] and total_cost(found) == 2 * 2 + 2
    assert "scaled to 2 retrainings" in found[1].reason
    alone = scaled(one, known[0])
    np.testing.assert_allclose(alone.gradient, [3.0, 3.0, 1.5])
    assert alone.cost == 4.0


def test_rankings_of_gradient_products_are_scaled_too(small):
    """To what exact retrainings say, in nats."""
    asked, x = [sl.LossOn("ab"), sl.LossOn("aab")], np.eye(4)[:3]
    known = retrained(small, asked, x, **QUIET)
    rankings = gradient_products(small, asked, **QUIET)
    s = np.concatenate([r.gradient[:3] for r in rankings])
    c = np.concatenate([k.values - k.now for k in known])
    factor = (s @ c) / (s @ s)
    assert factor > 0
    for one, raw in zip(scaled(rankings, known), rankings, strict=True):
        np.testing.assert_allclose(one.gradient, factor * raw.gradient, rtol=1e-12)
        assert one.unit == "nats" and one.bounds == (0.0, np.inf)
    with pytest.raises(ValueError, match=r"only rank the documents.*scaled\(rankings, known\)"):
        rankings[0].predict(without=[0])


SCORES, ROWS = [1.0, 1.0, 0.5], [[1, 0, 0], [0, 1, 0]]
NOT_SCALED = {
    "units": ([after(ROWS, [3, 5], units=Units(["a", "b", "c"], 3))], ValueError, "other deletion"),
    "no effect": ([after(ROWS, [1, 1])], ValueError, "hold no effect"),
    "nothing deleted": ([after([[0, 0, 0]], [1.0])], ValueError, "hold no effect"),
    "nothing foretold": ([after([[1, -1, 0]], [2.0])], ValueError, "nothing to scale"),
    "wrong way": ([after(ROWS, [0.5, 0.7])], ValueError, "not above 0"),
    "not at all": ([after(ROWS, [0.5, 1.5])], ValueError, "not above 0"),
    "other output": ([after(ROWS, [3, 5], now=2.0)], ValueError, "another output or another run"),
    "infinite": ([after(ROWS, [3, np.inf])], ValueError, "with finite values after each"),
    "no retrainings": ([after(np.empty((0, 3)), [])], ValueError, "with finite values after each"),
    "counts": ([after(ROWS, [3, 5])] * 2, ValueError, "1 rankings and retrainings of 2 outputs"),
    "arrays": ([np.eye(3)], TypeError, "known must be a list of Retrained"),
    "none": ([], TypeError, "known must be a list of Retrained"),
}


@pytest.mark.parametrize("case", NOT_SCALED)
def test_what_tells_no_scale_is_refused(case):
    known, error, message = NOT_SCALED[case]
    with pytest.raises(error, match=message):
        scaled([ranking(SCORES)], known)


def test_only_scores_at_nothing_deleted_are_scaled():
    with pytest.raises(TypeError, match="rankings must be a list of FirstOrder"):
        scaled([np.ones(3)], [after(ROWS, [3, 5])])
    moved = FirstOrder(1.0, np.ones(3), Units(None, 3), np.full(3, 0.1), 1.0)
    with pytest.raises(ValueError, match="only scores at nothing deleted"):
        scaled([moved], [after(ROWS, [3, 5])])
