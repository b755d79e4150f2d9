"""Influence at the trained parameters: against closed forms, refits, and gradients one by one."""

import numpy as np
import pytest
from scipy import optimize

import sketchlab as sl
from sketchlab import attribution, ring
from sketchlab.attribution import (
    FirstOrder,
    Ranking,
    Task,
    first_order,
    gradient_products,
    influence,
    lowest_curvature,
)
from sketchlab.attribution.influence import CURVATURES, lowest_and_cost
from sketchlab.training.hessian import gauss_newton, hessian
from sketchlab.training.models import Flat

from test_training import LABELS, A, B, logistic_losses, make_run, ridge_losses

DECAY = 0.3
QUIET = {"progress": False}


def converged(losses, data=range(12), steps=600):
    """Full-batch descent to the minimum of the mean loss and DECAY |w|^2 / 2."""
    return sl.TrainingRun(
        sl.Model({"w": np.zeros(3)}, losses),
        np.array(data),
        optimizer=sl.SGD(0.4, weight_decay=DECAY),
        steps=steps,
        batch_size=12,
        **QUIET,
    )


def output(model):
    """Curved in the losses of two documents."""
    return model.loss(3) + model.loss(0) ** 2


def ridge_minimum(x):
    gram = (A.T * (1 - x)) @ A / 12 + DECAY * np.eye(3)
    return np.linalg.solve(gram, (A.T * (1 - x)) @ B / 12)


def logistic_minimum(x):
    """By Newton's method of scipy, with derivatives written out."""
    rows = A * LABELS[:, None]

    def p(w):
        return 1 / (1 + np.exp(rows @ w))

    return optimize.root(
        lambda w: DECAY * w - rows.T @ ((1 - x) * p(w)) / 12,
        np.zeros(3),
        jac=lambda w: DECAY * np.eye(3) + (rows.T * (1 - x) * p(w) * (1 - p(w))) @ rows / 12,
        tol=1e-14,
    ).x


CONVEX = {
    "ridge": (ridge_losses, ridge_minimum),
    "logistic": (logistic_losses, logistic_minimum),
}


@pytest.mark.parametrize("problem", CONVEX)
def test_influence_is_the_derivative_of_the_refitted_minimum(problem):
    """By central differences of minima that are found without training."""
    losses, minimum = CONVEX[problem]
    run = converged(losses)
    np.testing.assert_allclose(run.model.parameters["w"], minimum(np.zeros(12)), atol=1e-12)
    step, model = 1e-4 * np.eye(12), run.model
    ends = [
        [float(output(model.with_parameters({"w": minimum(sign * x)}))) for x in step]
        for sign in (1, -1)
    ]
    found = influence(run, output, damping=0, **QUIET)
    np.testing.assert_allclose(found.gradient, np.subtract(*ends) / 2e-4, rtol=1e-5, atol=1e-8)
    exact = first_order(run, output, **QUIET)
    np.testing.assert_allclose(found.gradient, exact.gradient, rtol=1e-5, atol=1e-8)
    refitted = float(output(model.with_parameters({"w": minimum(run.indicator([5]))})))
    assert found.predict(without=[5]).change == pytest.approx(refitted - found.now, rel=0.35)


def test_damping_is_added_to_the_closed_form():
    """(A^T A / n + decay + damping)^-1, written out."""
    run = converged(ridge_losses)
    w = run.model.parameters["w"]
    residual = A @ w - B
    slope = A[3] * residual[3] + 2 * 0.5 * residual[0] ** 2 * A[0] * residual[0]
    for damping in (0.05, 2.0):
        matrix = A.T @ A / 12 + (DECAY + damping) * np.eye(3)
        expected = (A * residual[:, None]) @ np.linalg.solve(matrix, slope) / 12
        found = influence(run, output, damping=damping, **QUIET)
        np.testing.assert_allclose(found.gradient, expected, rtol=1e-5)
    smallest = np.linalg.eigvalsh(A.T @ A / 12 + DECAY * np.eye(3))[0]
    assert lowest_curvature(run) == pytest.approx(smallest, rel=1e-10)


@pytest.fixture(scope="module")
def small():
    """microgpt with 68 parameters, trained by Adam."""
    return sl.train(["ab", "ba", "aab", "abab"], steps=12, width=2, heads=1, context=4, **QUIET)


def gradients(run):
    """Of the loss on each document at the trained parameters, one after the other, (n, P)."""
    axis = Flat.of(run.initial.parameters)
    gradient = sl.ring_grad(lambda named, i: run.initial.with_parameters(named).loss(run.data[i]))
    return np.array([axis.flat(gradient(run.model.parameters, i)) for i in range(len(run))])


def dense(run):
    """The Hessian and the Gauss-Newton matrix of the mean loss, by central differences."""
    axis, steps = Flat.of(run.initial.parameters), 1e-5 * np.eye(68)
    w = axis.flat(run.model.parameters)
    ends = [run.initial.with_parameters(axis.named(w + sign * steps)) for sign in (1, -1)]
    squares = np.zeros((68, 68))
    mean = sl.ring_grad(lambda named: run.losses(run.initial.with_parameters(named)).mean(-1))
    whole = np.subtract(*(axis.flat(mean(model.parameters)) for model in ends)) / 2e-5
    for doc in run.data:
        read, _ = run.model.sequence(doc)
        jacobian = np.subtract(*(model.logits(read) for model in ends)) / 2e-5
        p = ring.softmax(run.model.logits(read))
        for j, q in zip(np.moveaxis(jacobian, 1, 0), p, strict=True):
            squares += j @ (np.diag(q) - np.outer(q, q)) @ j.T / len(read) / len(run)
    return {"hessian": (whole + whole.T) / 2, "gauss_newton": squares}


@pytest.mark.parametrize("curvature", ["hessian", "gauss_newton"])
def test_products_are_those_with_the_matrix(small, curvature):
    """Of microgpt; so are influence and the lowest eigenvalue, whatever outputs are asked with."""
    product = {"hessian": hessian, "gauss_newton": gauss_newton}[curvature]
    w = Flat.of(small.initial.parameters).flat(small.model.parameters)[None]
    matrix = dense(small)[curvature]
    found = product(small, w, np.full(4, 0.25))(np.eye(68))
    np.testing.assert_allclose(found, matrix, atol=1e-6)
    lowest = np.linalg.eigvalsh(matrix)[0]
    if curvature == "hessian":
        assert lowest_curvature(small) == pytest.approx(lowest, rel=1e-2)
    else:
        assert abs(lowest) < 1e-9
    damping = 0.3 - min(lowest, 0.0)
    slopes = gradients(small)
    expected = slopes @ np.linalg.solve(matrix + damping * np.eye(68), slopes.T) / 4
    outputs, settings = [sl.LossOn(doc) for doc in small.data], {"curvature": curvature, **QUIET}
    together = influence(small, outputs, damping=damping, **settings)
    for one, row, asked in zip(together, expected, outputs, strict=True):
        np.testing.assert_allclose(one.gradient, row, rtol=1e-4, atol=1e-6)
        alone = influence(small, asked, damping=damping, **settings)
        np.testing.assert_allclose(alone.gradient, one.gradient, rtol=1e-5, atol=1e-7)
        assert one.unit == "nats" and one.bounds == (0.0, np.inf)


@pytest.mark.parametrize("curve", [0.0, 2.0])
def test_the_lowest_curvature_of_a_flat_valley_is_0(curve):
    """More parameters than the matrix is made for, of which one curves, or none."""
    model = sl.Model(
        {"w": np.ones(40)}, lambda p, i: p["w"][..., :1] ** 2 * curve * np.ones(len(i))
    )
    run = sl.TrainingRun(model, np.arange(3), optimizer=sl.SGD(0.01), **QUIET)
    assert lowest_curvature(run) == pytest.approx(0.0, abs=1e-2 * curve)


def test_only_what_training_used_has_weight(small):
    """Weights of 0 are left out; more models than documents go together make no difference."""
    w = Flat.of(small.initial.parameters).flat(small.model.parameters)[None]
    weights = np.array([0.5, 0.0, 0.2, 0.0])
    parts = [hessian(small, w, row)(np.eye(68)) for row in np.diag(weights)]
    np.testing.assert_allclose(hessian(small, w, weights)(np.eye(68)), sum(parts), atol=1e-14)
    short = make_run("ridge", "sgd", steps=7, batch_size=1)
    for found in (gradient_products(short, output, **QUIET), influence(short, output, damping=1.0)):
        assert np.all(found.gradient[7:] == 0) and np.all(found.gradient[:7] != 0)


@pytest.mark.parametrize("only", [None, ("wte", "wpe"), ("lm_head",)])
def test_gradient_products_are_products_of_gradients(small, only):
    """One document at a time, on the columns of these parameters."""
    axis = Flat.of(small.initial.parameters)
    names = axis.shapes if only is None else only
    columns = np.concatenate([np.arange(68)[axis.columns[name]] for name in names])
    slopes = gradients(small)[:, columns]
    found = gradient_products(small, [sl.LossOn(doc) for doc in small.data], only=only, **QUIET)
    for one, row in zip(found, slopes @ slopes.T, strict=True):
        np.testing.assert_allclose(one.gradient, 3 * row, rtol=1e-9, atol=1e-12)  # three passes


def test_products_of_a_layer_are_products_of_activations_and_of_signals():
    """Of the output layer of microgpt, summed over pairs of positions."""
    run = sl.train(sl.names.load()[:5], width=8, heads=2, **QUIET)
    identity = run.model.with_parameters({**run.model.parameters, "lm_head": np.eye(8)})

    def halves(doc):
        read, right = run.model.sequence(doc)
        logits = run.model.logits(read)
        p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
        return identity.logits(read), (p - np.eye(p.shape[1])[right]) / len(read)

    asked, back = halves("ana")
    found = gradient_products(run, sl.LossOn("ana"), only=["lm_head"], **QUIET)
    for doc, score in zip(run.data, found.gradient, strict=True):
        activations, signals = halves(doc)
        pairs = (asked @ activations.T) * (back @ signals.T)
        assert score == pytest.approx(pairs.sum(), rel=1e-9)


@pytest.mark.parametrize(
    "optimizer",
    [
        sl.SGD(0.1),
        sl.SGD(0.1, schedule="linear"),
        sl.SGD(0.05, momentum=0.9, weight_decay=0.1),
    ],
)
@pytest.mark.parametrize(("steps", "batch_size"), [(12, 1), (30, 5), (7, 2)])
def test_gradient_products_are_exact_for_gradients_that_do_not_change(optimizer, steps, batch_size):
    """Losses that are linear: then they are the exact first order of SGD."""
    run = sl.TrainingRun(
        sl.Model({"w": np.ones(3)}, lambda p, i: ring.matmul(A[i], p["w"][..., None])[..., 0]),
        np.arange(12),
        optimizer=optimizer,
        steps=steps,
        batch_size=batch_size,
        **QUIET,
    )
    found, exact = (method(run, output, **QUIET) for method in (gradient_products, first_order))
    np.testing.assert_allclose(found.gradient, exact.gradient, rtol=1e-10, atol=1e-13)
    predicted = found.predict(without=[3]).value
    assert predicted == pytest.approx(exact.predict(without=[3]).value, rel=1e-12)


def test_after_adam_products_rank_and_do_not_predict(small):
    """Unless a rate is given, which scales them."""
    ranking = gradient_products(small, sl.LossOn("ab"), **QUIET)
    assert isinstance(ranking, Ranking) and isinstance(ranking, FirstOrder)
    with pytest.raises(ValueError, match=r"gradient products\) only rank the documents.*rate="):
        ranking.predict(without=[0])
    scaled = gradient_products(small, sl.LossOn("ab"), rate=0.01, **QUIET)
    np.testing.assert_allclose(scaled.gradient, 0.01 * ranking.gradient, rtol=1e-12)
    p = scaled.predict(without=[0, 2])
    assert p.value == pytest.approx(scaled.now + scaled.gradient[[0, 2]].sum(), rel=1e-12)
    assert p.error == np.inf and p.reason == "gradient products"
    found = influence(small, sl.LossOn("ab"), damping=9.0, **QUIET)
    assert found.predict(without=[0]).reason == "influence, hessian, damping 9"


METHODS = {
    "products": gradient_products,
    "influence": lambda *given, **settings: influence(*given, damping=0.1, **settings),
}


@pytest.mark.parametrize("method", METHODS)
def test_permuted_documents_have_permuted_scores(method):
    """Of steps on all of them; a unit has the sum of its documents."""
    order = np.random.default_rng(0).permutation(12)
    first, second = (converged(ridge_losses, data) for data in (range(12), order))
    scores = METHODS[method](first, output, **QUIET).gradient
    permuted = METHODS[method](second, output, **QUIET).gradient
    np.testing.assert_allclose(permuted, scores[order], rtol=1e-6, atol=1e-12)
    united = METHODS[method](first, output, units=list("aabbccddeeff"), **QUIET)
    np.testing.assert_allclose(united.gradient, scores.reshape(6, 2).sum(1), rtol=1e-9, atol=1e-15)
    assert np.isfinite(united.predict(without=["b"]).value)


def test_the_cost_is_counted():
    """In trainings: a product is three gradients of every document, and one is to take products."""
    run = converged(ridge_losses, steps=600)
    assert gradient_products(run, output, **QUIET).cost == pytest.approx(1 / 600)
    found = influence(run, output, damping=0, **QUIET)
    assert found.cost * 600 in {3 * k + 1 for k in range(2, 6)}, "three directions, and the check"


def test_the_search_for_the_lowest_curvature_is_paid_for(small, monkeypatch):
    """Three trainings for each product of all documents, once for all outputs of a board."""
    products = []

    def counting(*given):
        product = hessian(*given)
        return lambda v: products.append(len(v)) or product(v)

    monkeypatch.setitem(CURVATURES, "hessian", counting)
    assert lowest_and_cost(converged(ridge_losses))[1] == pytest.approx(3 * 3 / 600), "dense"
    products.clear()
    lowest, cost = lowest_and_cost(small)
    assert cost == pytest.approx(3 * sum(products) * 4 / small.steps / small.batch_size) and cost
    outputs = [sl.LossOn("ab"), sl.LossOn("ba")]
    task = Task(small, outputs, {"1": np.eye(4)[:1]}, tuning=2, **QUIET)
    expected = 2 + cost
    for damping in (-1.5 * lowest, -11.5 * lowest):
        expected += sum(one.cost for one in influence(small, outputs, damping=damping, **QUIET))
    assert attribution.METHODS["influence, Hessian"].make(task).cost == pytest.approx(expected)


def test_negative_curvature_is_told(small):
    """Not solved over: the Hessian of a model that is at no minimum."""
    lowest = lowest_curvature(small)
    assert lowest < -1e-3
    with pytest.raises(ValueError, match=r"not positive definite.*at no minimum") as raised:
        influence(small, sl.LossOn("ab"), damping=-lowest / 10, **QUIET)
    named = float(str(raised.value).split("damping above ")[1].split()[0])
    assert -lowest / 10 < named <= -lowest * 1.01
    influence(small, sl.LossOn("ab"), damping=-1.01 * lowest, **QUIET)


def test_what_does_not_converge_is_told(small, monkeypatch):
    """Too few products for a nearly singular matrix."""
    monkeypatch.setitem(influence.__wrapped__.__globals__, "MOST_PRODUCTS", 2)
    with pytest.raises(RuntimeError, match=r"did not find the influence.*larger damping"):
        influence(small, sl.LossOn("ab"), damping=9.0, **QUIET)


WRONG = {
    "damping": (
        influence,
        {"damping": -0.1},
        ValueError,
        "damping must be a finite number, 0 or above",
    ),
    "nan": (
        influence,
        {"damping": np.nan},
        ValueError,
        "damping must be a finite number, 0 or above",
    ),
    "curvature": (influence, {"damping": 1, "curvature": "fisher"}, ValueError, "must be one of"),
    "logits": (influence, {"damping": 1, "curvature": "gauss_newton"}, TypeError, "cross-entropy"),
    "name": (gradient_products, {"only": ["v"]}, ValueError, "no parameter 'v', only w"),
    "a string": (gradient_products, {"only": "w"}, TypeError, "only must be a list"),
    "no name": (gradient_products, {"only": []}, ValueError, "only is empty"),
    "rate": (gradient_products, {"rate": 0}, ValueError, "rate must be a finite number above 0"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_settings_are_refused(case):
    method, settings, error, message = WRONG[case]
    with pytest.raises(error, match=message):
        method(make_run("ridge", "sgd"), output, **settings)


@pytest.mark.parametrize("method", METHODS)
def test_wrong_outputs_are_refused(method):
    run = make_run("ridge", "sgd")
    for wrong in ([], 3.0, lambda model: float(model.loss(0))):
        with pytest.raises(TypeError, match=r"list of functions|cannot be differentiated"):
            METHODS[method](run, wrong, **QUIET)
    with pytest.raises(TypeError, match="run must be a training run"):
        METHODS[method](run.model, output, **QUIET)


def test_sd_loss_has_no_gauss_newton_matrix():
    """It is not the cross-entropy alone."""
    plain = sl.MicroGPT.initial("ab", width=2, heads=1)
    spread = sl.TrainingRun(sl.unlearning.SDLoss(plain, 1.0), ["ab", "ba"], **QUIET)
    with pytest.raises(TypeError, match="needs the cross-entropy of logits"):
        influence(spread, sl.LossOn("ab"), damping=1.0, curvature="gauss_newton", **QUIET)
