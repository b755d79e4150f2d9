"""Gradients over numbers and jets against autograd, difference quotients and Cauchy's formula."""

import types

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from autograd.scipy.special import erf as autograd_erf
from autograd.scipy.stats import norm as autograd_normal

from sketchlab import Jet, ring, ring_grad

from conftest import cauchy_coefficients

DEGREE = 4
X = np.cos(2.0 * np.arange(12.0) ** 2).reshape(3, 4)
KEY = np.array([2, 0, 2, 2]), np.array([1, 3, 1, 0])

# The functions of `ring` written with autograd.numpy, and nothing of ring.
PLAIN = types.SimpleNamespace(
    add=anp.add,
    subtract=anp.subtract,
    multiply=anp.multiply,
    divide=anp.divide,
    negative=anp.negative,
    power=anp.power,
    exp=anp.exp,
    log=anp.log,
    sqrt=anp.sqrt,
    tanh=anp.tanh,
    erf=autograd_erf,
    normal_pdf=autograd_normal.pdf,
    normal_cdf=autograd_normal.cdf,
    gelu=lambda a: a * autograd_normal.cdf(a),
    sigmoid=lambda a: 1.0 / (1.0 + anp.exp(-a)),
    softplus=lambda a: anp.log(1.0 + anp.exp(a)),
    sum=lambda a, axis=None, keepdims=False: anp.sum(a, axis=axis, keepdims=keepdims),
    mean=lambda a, axis=None, keepdims=False: anp.mean(a, axis=axis, keepdims=keepdims),
    reshape=anp.reshape,
    swapaxes=anp.swapaxes,
    getitem=lambda a, key: a[key],
    take=lambda a, indices, axis: anp.swapaxes(anp.swapaxes(a, axis, 0)[indices], axis, 0),
    matmul=anp.matmul,
    linear=lambda x, weights: anp.einsum("...pi,...oi->...po", x, weights),
    concatenate=anp.concatenate,
    softmax=lambda a, where=True: (
        anp.exp(a) * where / anp.sum(anp.exp(a) * where, axis=-1, keepdims=True)
    ),
    logsumexp=lambda a: anp.log(anp.sum(anp.exp(a), axis=-1)),
    rmsnorm=lambda a, eps: a / anp.sqrt(anp.mean(a**2, axis=-1, keepdims=True) + eps),
    cross_entropy=lambda logits, targets: (
        -anp.mean(
            anp.log(
                (anp.exp(logits) / anp.sum(anp.exp(logits), axis=-1, keepdims=True))[
                    ..., np.arange(len(targets)), targets
                ]
            ),
            axis=-1,
        )
    ),
)


def spread(f, y):
    """One number per model from a result of shape (*batch, 3, k), with a different weight each."""
    return f.sum(y * y * np.linspace(0.5, 1.5, 3 * y.shape[-1]).reshape(3, -1), (-2, -1))


# Losses of p, a dict of a (*batch, 3, 4), b (*batch, 2, 4), c (*batch, 4), s (*batch,), written
# with the functions of f (`ring` or PLAIN) and entered as: name, loss.
LOSSES = {
    "add": lambda f, p: spread(f, f.add(p["a"], p["b"][..., :1, :])),
    "add an array": lambda f, p: spread(f, f.add(f.add(X, p["a"]), X[:1])),
    "add number": lambda f, p: spread(f, f.add(p["a"], 2.0) + p["s"][..., None, None]),
    "subtract": lambda f, p: spread(f, f.subtract(p["b"][..., 1:, :], p["a"])),
    "subtract from": lambda f, p: spread(f, f.subtract(X, p["a"]) - p["s"][..., None, None]),
    "multiply": lambda f, p: spread(f, f.multiply(p["a"], p["c"][..., None, :])),
    "multiply by an array": lambda f, p: spread(f, f.multiply(X[:, :1], p["b"][..., :1, :])),
    "square": lambda f, p: spread(f, f.multiply(p["a"], p["a"])),
    "multiply by number": lambda f, p: spread(f, 2.0 * p["a"] * p["s"][..., None, None]),
    "divide": lambda f, p: spread(f, f.divide(p["a"], 3.0 + p["b"][..., :1, :])),
    "divide by an array": lambda f, p: spread(f, f.divide(p["a"], 1.0 + X**2) / 2.0),
    "divide an array": lambda f, p: spread(f, f.divide(X, 3.0 + p["a"]) + 1.0 / (3.0 + p["a"])),
    "negative": lambda f, p: spread(f, f.negative(p["a"]) + X),
    "power 0": lambda f, p: spread(f, f.power(p["a"], 0) * p["a"]),
    "power 1": lambda f, p: spread(f, f.power(p["a"], 1) + X),
    "power 3": lambda f, p: spread(f, f.power(p["a"], 3)),
    "power -2": lambda f, p: spread(f, f.power(3.0 + p["a"], -2)),
    "power 1.5": lambda f, p: spread(f, (3.0 + p["a"]) ** 1.5),
    "exp": lambda f, p: spread(f, f.exp(p["a"])),
    "log": lambda f, p: spread(f, f.log(3.0 + p["a"])),
    "sqrt": lambda f, p: spread(f, f.sqrt(3.0 + p["a"])),
    "tanh": lambda f, p: spread(f, f.tanh(p["a"])),
    "erf": lambda f, p: spread(f, f.erf(p["a"])),
    "normal_pdf": lambda f, p: spread(f, f.normal_pdf(p["a"])),
    "normal_cdf": lambda f, p: spread(f, f.normal_cdf(p["a"])),
    "gelu": lambda f, p: spread(f, f.gelu(p["a"])),
    "sigmoid": lambda f, p: spread(f, f.sigmoid(p["a"])),
    "softplus": lambda f, p: spread(f, f.softplus(p["a"])),
    "sum": lambda f, p: f.sum(f.exp(p["a"]), (-1, -2)),
    "sum -1": lambda f, p: f.sum(f.sum(p["a"], -1) ** 2, -1),
    "sum -2 keepdims": lambda f, p: spread(f, p["a"] * f.sum(p["a"], -2, True)),
    "sum over all axes": lambda f, p: spread(f, p["a"] * f.sum(p["a"], (-1, -2), True)),
    "mean": lambda f, p: f.mean(f.exp(p["a"]), (-1, -2)),
    "mean -2": lambda f, p: f.mean(f.mean(p["a"], -2) ** 2, -1),
    "mean -1 keepdims": lambda f, p: spread(f, p["a"] * f.mean(p["a"], axis=-1, keepdims=True)),
    "reshape": lambda f, p: f.sum(
        (f.reshape(p["a"], (*p["a"].shape[:-2], 2, -1)) * np.arange(12.0).reshape(2, 6)) ** 2,
        (-2, -1),
    ),
    "swapaxes": lambda f, p: spread(f, f.matmul(p["a"], f.swapaxes(p["b"], -1, -2))),
    "row": lambda f, p: f.sum(f.getitem(p["a"], (..., 1, slice(None))) ** 3, -1),
    "slice": lambda f, p: spread(f, f.getitem(p["a"], (..., slice(None, None, -2)))),
    "overlapping slices": lambda f, p: spread(f, p["a"][..., 1:] * p["a"][..., :-1]),
    "number and new axis": lambda f, p: spread(
        f, p["a"] * f.getitem(p["a"], (..., 2, None, 1))[..., None]
    ),
    "repeated fancy index": lambda f, p: f.sum(f.getitem(p["a"], (..., *KEY)) ** 3, -1),
    "repeated list": lambda f, p: spread(f, f.getitem(p["a"], (..., [3, 0, 3, 3, 1]))),
    "fancy index and slice": lambda f, p: spread(
        f, f.getitem(p["a"], (..., [2, 0, 2], slice(1, 3)))
    ),
    "mask": lambda f, p: f.sum(f.getitem(p["a"], (..., X > 0)) ** 3, -1),
    "take": lambda f, p: spread(f, f.take(p["b"], [1, 0, 1], -2)),
    "take columns": lambda f, p: spread(f, f.take(p["a"], np.array([3, 3, 0, 3, 1]), -1)),
    "take negative index": lambda f, p: f.sum(f.take(p["c"], [-1, 3, 0], -1) ** 3, -1),
    "matmul": lambda f, p: spread(f, f.matmul(f.matmul(p["a"], X.T), p["a"])),
    "matmul with shared array": lambda f, p: spread(f, X @ f.swapaxes(p["b"], -1, -2)),
    "matmul with vector array": lambda f, p: f.sum(f.matmul(p["a"], X[0]) ** 2, -1),
    "vector array matmul": lambda f, p: f.sum(f.matmul(X[:, 1], p["a"]) ** 2, -1),
    "linear": lambda f, p: spread(f, f.linear(p["a"], p["b"])),
    "linear on an array": lambda f, p: spread(f, f.linear(X, p["b"])),
    "linear of an array": lambda f, p: spread(f, f.linear(p["a"], X)),
    "concatenate": lambda f, p: spread(
        f, f.concatenate([p["b"], p["c"][..., None, :] * p["b"][..., :1, :]], -2)
    ),
    "concatenate several": lambda f, p: spread(
        f, f.concatenate([p["a"], f.exp(p["a"]), p["a"], p["a"][..., :1]], -1)
    ),
    "concatenate one": lambda f, p: spread(f, f.concatenate([p["a"]], -1)),
    "softmax": lambda f, p: spread(f, f.softmax(p["a"])),
    "softmax of some": lambda f, p: spread(f, f.softmax(p["a"], where=np.tri(3, 4, dtype=bool))),
    "logsumexp": lambda f, p: f.sum(f.logsumexp(p["a"]) ** 2, -1),
    "rmsnorm": lambda f, p: spread(f, f.rmsnorm(p["a"], 0.1) + p["a"]),
    "cross_entropy": lambda f, p: f.cross_entropy(p["a"], [1, 3, 1]),
    "cross_entropy squared": lambda f, p: f.cross_entropy(p["a"], np.array([0, 0, 2])) ** 2,
    "a small network": lambda f, p: (
        f.cross_entropy(
            f.linear(
                f.gelu(f.linear(f.rmsnorm(p["a"], 0.1), p["b"])),
                f.take(p["b"].swapaxes(-1, -2), [0, 1, 3, 2], -2),
            ),
            [3, 0, 1],
        )
        * (1.0 - p["s"])
    ),
}

SHAPES = {"a": (3, 4), "b": (2, 4), "c": (4,), "s": ()}


def parameters(rng, batch=(), dtype=float):
    """Parameters of the losses above, small enough that every function is analytic around them."""

    def one(shape):
        real = rng.normal(size=batch + shape) * 0.7
        return real + 0.4j * rng.normal(size=batch + shape) if dtype is complex else real

    return {name: one(shape) for name, shape in SHAPES.items()}


def assert_close(got, wanted, tolerance=1e-12):
    """Nests of arrays are equal within `tolerance`, relative to the largest entry of each."""
    assert got.keys() == wanted.keys()
    for name in wanted:
        assert np.shape(got[name]) == np.shape(wanted[name])
        largest = np.max(np.abs(wanted[name]), initial=0.0)
        np.testing.assert_allclose(
            got[name],
            wanted[name],
            rtol=tolerance,
            atol=tolerance * max(largest, 1e-3),
            err_msg=name,
        )


def plain(g):
    """The coefficients of a jet; anything else as it is."""
    return g.coefficients if isinstance(g, Jet) else g


# ---- numbers ---------------------------------------------------------------------------------


def test_the_table_uses_every_function_of_ring():
    used = set()

    class Recorder:
        def __getattr__(self, name):
            used.add(name)
            return getattr(ring, name)

    for loss in LOSSES.values():
        loss(Recorder(), parameters(np.random.default_rng(1)))
    not_analytic = {"ring_grad", "relu"}  # relu is tested in microgpt
    assert used == set(ring.__all__) - not_analytic
    for name in ring.__all__:
        assert getattr(ring, name).__name__ == name and getattr(ring, name).__doc__


@pytest.mark.parametrize("name", LOSSES)
def test_values_and_gradients_are_those_of_autograd(name):
    loss, p = LOSSES[name], parameters(np.random.default_rng(2))
    np.testing.assert_allclose(loss(ring, p), loss(PLAIN, p), rtol=1e-13)
    wanted = autograd.grad(lambda p: loss(PLAIN, p))(p)
    assert_close(ring_grad(lambda p: loss(ring, p))(p), wanted)
    assert_close(autograd.grad(lambda p: loss(ring, p))(p), wanted)


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("name", LOSSES)
def test_gradients_are_limits_of_difference_quotients(name, dtype):
    loss, rng = LOSSES[name], np.random.default_rng(3)
    p, v = parameters(rng, dtype=dtype), parameters(rng, dtype=dtype)
    gradient = ring_grad(lambda p: loss(ring, p))(p)
    slope = sum(np.sum(gradient[k] * v[k]) for k in p)  # no conjugation
    h = 1e-5
    ahead, behind = (loss(ring, {k: p[k] + t * v[k] for k in p}) for t in (h, -h))
    np.testing.assert_allclose((ahead - behind) / (2 * h), slope, rtol=1e-6, atol=1e-8)
    line = cauchy_coefficients(lambda z: loss(ring, {k: p[k] + z * v[k] for k in p}), 1, radius=0.1)
    np.testing.assert_allclose(line[1], slope, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("name", LOSSES)
def test_a_batch_of_models_has_the_gradients_of_its_models(name, dtype):
    loss, batch = LOSSES[name], parameters(np.random.default_rng(4), (5,), dtype)
    gradient = ring_grad(lambda p: loss(ring, p))
    together = gradient(batch)
    for i in range(5):
        single = gradient({k: value[i] for k, value in batch.items()})
        assert_close({k: value[i] for k, value in together.items()}, single)


# ---- jets ------------------------------------------------------------------------------------


def jet_parameters(rng, degree, shared):
    """Jets for five models: the base point is common to them, and stored once if `shared`."""
    heads = parameters(rng, (1,))
    tails = parameters(rng, (degree, 5), complex)
    lines = {k: Jet.of(heads[k], 0.5 * tails[k]) for k in heads}
    return lines if shared else {k: Jet(a.coefficients) for k, a in lines.items()}


@pytest.mark.parametrize("shared", [False, True], ids=["full heads", "shared heads"])
@pytest.mark.parametrize("name", LOSSES)
def test_jet_gradients_are_those_of_complex_numbers_by_cauchys_formula(name, shared):
    loss, rng = LOSSES[name], np.random.default_rng(5)
    p = jet_parameters(rng, DEGREE, shared)
    gradient = ring_grad(lambda p: loss(ring, p))
    value, found = loss(ring, p), gradient(p)
    wanted = cauchy_coefficients(lambda z: loss(ring, {k: p[k](z) for k in p}), DEGREE, radius=0.1)
    np.testing.assert_allclose(value.coefficients, wanted, rtol=1e-10, atol=1e-10)
    for k in p:
        wanted = cauchy_coefficients(
            lambda z, k=k: gradient({n: p[n](z) for n in p})[k], DEGREE, radius=0.1
        )
        assert (found[k].degree, found[k].shape) == (DEGREE, p[k].shape)
        np.testing.assert_allclose(
            found[k].coefficients, wanted, rtol=1e-10, atol=1e-10 * max(1, abs(wanted).max())
        )


@pytest.mark.parametrize("name", LOSSES)
def test_jets_of_degree_0_have_the_gradients_of_numbers(name):
    loss, p = LOSSES[name], parameters(np.random.default_rng(6), (5,))
    gradient = ring_grad(lambda p: loss(ring, p))
    over_jets = gradient({k: Jet(value[None]) for k, value in p.items()})
    assert all(g.degree == 0 for g in over_jets.values())
    assert_close({k: g.head for k, g in over_jets.items()}, gradient(p))


@pytest.mark.parametrize("name", LOSSES)
def test_a_jet_without_batch_axes_has_the_gradient_of_its_batch_of_one(name):
    loss, p = LOSSES[name], jet_parameters(np.random.default_rng(7), 2, False)
    gradient = ring_grad(lambda p: loss(ring, p))
    together, single = gradient(p), gradient({k: value[2] for k, value in p.items()})
    assert_close(
        {k: g.coefficients for k, g in single.items()},
        {k: g.coefficients[:, 2] for k, g in together.items()},
    )


def test_vectors_multiply_as_rows_and_columns():
    rng = np.random.default_rng(8)
    u, v, m = rng.normal(size=3), rng.normal(size=4), rng.normal(size=(3, 4))

    def loss(f, p):
        u, v, m = p["u"], p["v"], p["m"]
        return f.matmul(f.matmul(u, m), v) + f.matmul(u, f.matmul(m, v)) ** 2 + f.matmul(u, u)

    p = {"u": u, "v": v, "m": m}
    wanted = autograd.grad(lambda p: loss(PLAIN, p))(p)
    assert_close(ring_grad(lambda p: loss(ring, p))(p), wanted)
    gradient = ring_grad(lambda p: loss(ring, p))
    lines = {k: Jet.line(value, np.ones(value.shape), DEGREE) for k, value in p.items()}
    for k, found in gradient(lines).items():
        wanted = cauchy_coefficients(
            lambda z, k=k: gradient({n: a(z) for n, a in lines.items()})[k], DEGREE, radius=0.1
        )
        assert_close({k: found.coefficients}, {k: wanted}, 1e-10)


VECTORS = {
    "linear": lambda f, p: f.linear(p["v"], p["w"])[1] ** 2,
    "linear, one row": lambda f, p: f.sum(f.linear(p["m"], p["v"]) ** 3),
    "linear, vector and row": lambda f, p: f.linear(p["v"], p["v"] * 2.0) ** 2,
    "linear, vector and many": lambda f, p: f.sum(f.linear(p["v"], p["b"]) ** 2),
    "linear, array": lambda f, p: f.sum(f.linear(X[0], p["w"]) ** 2),
    "matmul": lambda f, p: f.sum(f.matmul(p["m"], p["v"]) ** 2),
    "matmul on the right": lambda f, p: f.sum(f.matmul(p["u"], p["m"]) ** 2),
    "matmul of many": lambda f, p: f.sum(f.matmul(p["b"], p["v"]) ** 2),
    "matmul on the right of many": lambda f, p: f.sum(f.matmul(p["v"][:2], p["b"]) ** 2),
    "operators": lambda f, p: (p["u"] @ p["m"] @ p["v"]) ** 2 + p["v"] @ p["v"],
}


@pytest.mark.parametrize("name", VECTORS)
def test_products_with_vectors_have_values_and_gradients(name):
    rng = np.random.default_rng(14)
    shapes = {"u": (3,), "v": (4,), "m": (3, 4), "w": (2, 4), "b": (5, 2, 4)}
    p = {k: rng.normal(size=shape) for k, shape in shapes.items()}
    plain = types.SimpleNamespace(
        sum=anp.sum,
        matmul=anp.matmul,
        linear=lambda x, w: anp.matmul(x, w if w.ndim == 1 else anp.swapaxes(w, -1, -2)),
    )
    gradient = ring_grad(lambda p: VECTORS[name](ring, p))
    np.testing.assert_allclose(VECTORS[name](ring, p), VECTORS[name](plain, p), rtol=1e-13)
    assert_close(gradient(p), autograd.grad(lambda p: VECTORS[name](plain, p))(p))
    lines = {k: Jet.line(value, rng.normal(size=value.shape), 2) for k, value in p.items()}
    for k, found in gradient(lines).items():
        wanted = cauchy_coefficients(
            lambda z, k=k: gradient({n: a(z) for n, a in lines.items()})[k], 2, radius=0.1
        )
        assert_close({k: found.coefficients}, {k: wanted}, 1e-10)


# logits (*batch, 3 positions, 4 classes): shape of the batch, targets
TARGETS = {
    "one sequence": ((), [1, 3, 1]),
    "one sequence for a batch": ((2,), [1, 3, 1]),
    "as many models as positions": ((3,), [1, 3, 0]),
    "a sequence each": ((2,), [[1, 3, 1], [0, 0, 2]]),
    "a sequence each, square": ((3,), [[1, 3, 1], [0, 0, 2], [2, 1, 0]]),
    "one for all, with its axis": ((2,), [[1, 3, 0]]),
    "two batch axes": ((2, 3), np.arange(18).reshape(2, 3, 3) % 4),
    "the last batch axis": ((2, 3), np.arange(9).reshape(3, 3) % 4),
    "the first batch axis": ((2, 3), (np.arange(6).reshape(2, 1, 3) % 4).astype(np.uint8)),
}


@pytest.mark.parametrize("name", TARGETS)
def test_the_targets_of_cross_entropy_have_one_rule(name):
    """The mean over positions, one model and position at a time, with autograd's gradient."""
    batch, targets = TARGETS[name]
    logits = np.random.default_rng(15).normal(size=(*batch, 3, 4))
    spread = np.broadcast_to(targets, (*batch, 3))

    def loss(a):
        terms = [
            anp.log(anp.sum(anp.exp(a[index]))) - a[(*index, spread[index])]
            for index in np.ndindex(*batch, 3)
        ]
        return anp.mean(anp.array(terms).reshape((*batch, 3)), axis=-1)

    def found(a):
        return ring.cross_entropy(a, targets)

    assert np.shape(found(logits)) == batch
    np.testing.assert_allclose(found(logits), loss(logits), rtol=1e-13)
    wanted = autograd.grad(lambda a: anp.sum(loss(a)))(logits)
    assert_close({"a": ring_grad(found)(logits)}, {"a": wanted})
    line = Jet.line(logits, np.random.default_rng(16).normal(size=logits.shape), 2)
    for function in (found, ring_grad(found)):
        wanted = cauchy_coefficients(lambda z, f=function: f(line(z)), 2, radius=0.1)
        assert_close({"a": function(line).coefficients}, {"a": wanted}, 1e-10)


@pytest.mark.parametrize("lift", [lambda a: a, lambda a: Jet.line(a, 1.0, 1)], ids=["array", "jet"])
@pytest.mark.parametrize(
    "shape, targets, error, message",
    [
        (
            (2, 3, 4),
            [1, 2],
            ValueError,
            r"targets of shape \(2,\) do not fit logits of .*\(2, 3, 4\)",
        ),
        ((2, 3, 4), [[1], [2]], ValueError, r"give one sequence for all, shape \(3,\), or one for"),
        ((3, 4), [[1, 2, 3]], ValueError, r"targets of shape \(1, 3\) do not fit"),
        ((2, 3, 4), np.ones((3, 3), int), ValueError, r"one for each, shape \(2, 3\)"),
        ((3, 4), 1, ValueError, r"targets of shape \(\) do not fit"),
        ((4,), 1, ValueError, r"targets of shape \(\) do not fit"),
        ((4,), [1], ValueError, r"targets of shape \(1,\) do not fit"),
        ((0, 4), np.ones(0, int), ValueError, r"targets of shape \(0,\) do not fit"),
        ((3, 4), [0, 1, 4], IndexError, "class numbers from 0 to 3, not"),
        ((3, 4), [0, 1, -1], IndexError, "class numbers from 0 to 3, not"),
        ((3, 4), [0.0, 1.0, 2.0], TypeError, "class numbers, integers, not float64"),
        ((3, 4), [True, True, False], TypeError, "class numbers, integers, not bool"),
    ],
)
def test_targets_that_do_not_fit_are_refused(shape, targets, error, message, lift):
    logits = lift(np.zeros(shape))
    for function in (ring.cross_entropy, ring_grad(ring.cross_entropy)):
        with pytest.raises(error, match=message):
            function(logits, targets)


REDUCTIONS = [
    (axis, keepdims) for axis in (None, 0, 1, -1, (0, 2), (-1, 1), (0, 1, 2)) for keepdims in (0, 1)
]


@pytest.mark.parametrize("function", ["sum", "mean"])
@pytest.mark.parametrize("axis, keepdims", REDUCTIONS)
def test_reductions_over_every_choice_of_axes(function, axis, keepdims):
    a, keepdims = np.random.default_rng(9).normal(size=(2, 3, 4)), bool(keepdims)

    def loss(f, p):
        reduced = getattr(f, function)(p["a"], axis, keepdims)
        return f.sum(f.exp(p["a"] + reduced) if keepdims else f.exp(reduced))

    wanted = autograd.grad(lambda p: loss(PLAIN, p))({"a": a})
    assert_close(ring_grad(lambda p: loss(ring, p))({"a": a}), wanted)
    over_jets = ring_grad(lambda p: loss(ring, p))({"a": Jet.line(a, np.ones(a.shape), 1)})
    assert_close({"a": over_jets["a"].head}, wanted)


@pytest.mark.parametrize("indices", [[1, 0, 1], np.array([2, 2]), [-1, 0]])
@pytest.mark.parametrize("axis", [0, 1, -1, -2])
def test_take_along_every_axis(axis, indices):
    a = {"a": np.random.default_rng(10).normal(size=(3, 4))}

    def loss(f, p):
        return f.sum(f.take(p["a"], indices, axis) ** 3)

    wanted = autograd.grad(lambda p: loss(PLAIN, p))(a)
    assert_close(ring_grad(lambda p: loss(ring, p))(a), wanted)
    over_jets = ring_grad(lambda p: loss(ring, p))({"a": Jet(np.stack([a["a"], X]))})
    assert_close({"a": over_jets["a"].head}, wanted)


KEYS = [
    (),
    ...,
    1,
    -1,
    slice(0, 2),
    None,
    (0, 2),
    (..., -1),
    (slice(None), None, 1),
    [0, 0, 2],
    np.array([True, False, True]),
    X > 0,
    ([1, 1, 0], [2, 2, 3]),
    (slice(None), [3, 3]),
    (..., (0, 0, 2)),
    (..., 1, [2, 2]),
]


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_indexing_of_every_kind(key):
    a = {"a": np.random.default_rng(11).normal(size=(3, 4))}

    def loss(f, p):
        return f.sum(f.getitem(p["a"], key) ** 3) + f.sum(p["a"][key])

    wanted = autograd.grad(lambda p: loss(PLAIN, p))(a)
    assert_close(ring_grad(lambda p: loss(ring, p))(a), wanted)
    over_jets = ring_grad(lambda p: loss(ring, p))({"a": Jet(np.stack([a["a"], X]))})
    assert_close({"a": over_jets["a"].head}, wanted)


@pytest.mark.parametrize("exponent", [0, 1, 2, 0.0])
def test_the_derivative_of_a_power_at_zero(exponent):
    wanted = {0: [0.0, 0.0], 1: [1.0, 1.0], 2: [0.0, 4.0]}[int(exponent)]
    point = np.array([0.0, 2.0])
    gradient = ring_grad(lambda a: ring.sum(ring.power(a, exponent)))
    np.testing.assert_array_equal(gradient(point), wanted)
    np.testing.assert_array_equal(gradient(Jet.line(point, [1.0, 1.0], 2)).head, wanted)


LIFTS = {"numbers": lambda x: x, "jets": lambda x: Jet.line(x, np.ones(np.shape(x)), 2)}
MEETINGS = {
    "multiply": lambda p: ring.sum(ring.multiply(p, 1j * X[0])),
    "array on the right": lambda p: ring.sum(p * (1j * X[0])),
    "array on the left": lambda p: ring.sum((1j * X) * p),
    "several uses": lambda p: ring.sum(p * p + p + 1j * p),
    "index": lambda p: ring.sum(p[..., [0, 0, 1]] * 2j),
    "matmul": lambda p: ring.sum((1j * X) @ p) + ring.sum(ring.matmul(X * 1j, p)),
    "divide and subtract": lambda p: ring.sum(p / 2j - 1j * p) + ring.sum(1j - p),
    "exp": lambda p: ring.sum(ring.exp(p + 1j)),
}


@pytest.mark.parametrize("name", MEETINGS)
def test_real_jets_may_meet_complex_constants(name):
    """The gradient is the holomorphic derivative, as for jets stored as complex numbers."""
    gradient, p = ring_grad(MEETINGS[name]), LIFTS["jets"](X[1])
    assert_close({"p": gradient(p).coefficients}, {"p": gradient(p + 0j).coefficients})


@pytest.mark.parametrize("name", MEETINGS)
def test_real_numbers_that_meet_complex_constants_are_refused(name):
    """Their gradient would need complex entries; as complex numbers they are accepted."""
    gradient = ring_grad(MEETINGS[name])
    with pytest.raises(TypeError, match=r"put them into the same ring first, p\.astype\(complex\)"):
        gradient(X[1])
    h, v = 1e-5, np.array([1.0, 2.0, 0.5, 3.0])
    slope = (MEETINGS[name](X[1] + h * v) - MEETINGS[name](X[1] - h * v)) / (2 * h)
    np.testing.assert_allclose(gradient(X[1].astype(complex)) @ v, slope, rtol=1e-8)


ORDERS = {
    "ring.multiply": ring.multiply,
    "array * jet": lambda p, data: p * data,
    "jet * array": lambda p, data: data * p,
    "array + jet": lambda p, data: p + data,
    "jet - array": lambda p, data: data - p,
    "jet / array": lambda p, data: data / p,
    "array @ jet": lambda p, data: p @ ring.swapaxes(data, 0, 1),
    "jet @ array": lambda p, data: data @ p,
}


@pytest.mark.parametrize("name", ORDERS)
def test_numbers_that_meet_jets_are_refused(name):
    """Their gradient would be a jet; as jets they are accepted."""
    data = Jet.line(X, 1j * X[::-1], 2)
    gradient = ring_grad(lambda p: ring.sum(ring.exp(ORDERS[name](p, data))))
    with pytest.raises(TypeError, match=r"put them into the same ring first, .*Jet\.constant"):
        gradient(X[0])
    by_jets = gradient(Jet.constant(X[0], 2)).coefficients
    wanted = cauchy_coefficients(
        lambda z: ring_grad(lambda p: ring.sum(ring.exp(ORDERS[name](p, data(z)))))(X[0] + 0j),
        2,
        radius=0.02,
    )
    np.testing.assert_allclose(by_jets, wanted, rtol=1e-9, atol=1e-9 * abs(wanted).max())


# ---- structures ------------------------------------------------------------------------------


@pytest.mark.parametrize("lift", LIFTS)
def test_gradients_have_the_structure_of_the_parameters(lift):
    a, b, c, d = (LIFTS[lift](x) for x in (X, X[0], 2.0, X[:, :1]))

    def loss(p, factor, *, power):
        (b, rest), (d, _) = p["list"], p["tuple"]
        return factor * (ring.sum(p["a"] * b * d) + rest["c"]) ** power

    def loss_by_name(p):
        return loss(
            {"a": p["a"], "list": [p["b"], {"c": p["c"]}], "tuple": (p["d"], [])}, 3.0, power=2
        )

    flat = ring_grad(loss_by_name)({"a": a, "b": b, "c": c, "d": d})
    tree = {"a": a, "list": [b, {"c": c}], "tuple": (d, [])}
    match ring_grad(loss)(tree, 3.0, power=2):
        case {"a": by_a, "list": [by_b, {"c": by_c}], "tuple": (by_d, [])}:
            found = {"a": by_a, "b": by_b, "c": by_c, "d": by_d}
        case other:
            pytest.fail(f"another structure: {other}")
    assert_close({k: plain(g) for k, g in found.items()}, {k: plain(g) for k, g in flat.items()}, 0)
    total = np.sum(X * X[0] * X[:, :1]) + 2.0
    np.testing.assert_allclose(plain(found["c"])[() if lift == "numbers" else 0], 6.0 * total)


@pytest.mark.parametrize("lift", LIFTS)
@pytest.mark.parametrize(
    "loss", [lambda p: 1.0, lambda p: ring.sum(p["used"]), lambda p: ring.sum(X)]
)
def test_a_parameter_without_influence_has_gradient_zero(loss, lift):
    p = {"used": LIFTS[lift](X[0]), "unused": LIFTS[lift](X)}
    found = ring_grad(loss)(p)
    assert all(type(found[name]) is type(p[name]) for name in p)
    assert np.shape(found["used"]) == (4,)
    np.testing.assert_array_equal(plain(found["unused"]), np.zeros(np.shape(plain(p["unused"]))))


SCALARS = {
    "functions": lambda f, p: f.exp(p) * p + f.sqrt(p) / p + f.gelu(p) - f.softplus(-p),
    "reductions": lambda f, p: f.sum(p) * f.mean(p) + f.sum(p, ()),
    "shapes": lambda f, p: f.sum(f.reshape(p, (1, 1)) ** 2) + f.getitem(p, ()) * p[...],
    "spread": lambda f, p: f.sum(X * p + X) + f.mean(p * X, 0)[1],
    "joined": lambda f, p: f.sum(f.concatenate([p[None], X[0], p[None] * p])),
}


@pytest.mark.parametrize("name", SCALARS)
def test_a_parameter_may_be_one_number_without_axes(name):
    loss = SCALARS[name]
    plain = types.SimpleNamespace(**vars(ring) | {"sum": anp.sum, "mean": anp.mean})
    for point in (0.6, np.float64(0.6), np.array(0.6)):
        if name in ("shapes", "joined") and isinstance(point, float):
            continue  # Python's floats cannot be indexed
        found = ring_grad(lambda p: loss(ring, p))(point)
        assert np.shape(found) == ()
        h = 1e-6
        slope = (loss(plain, point + h) - loss(plain, point - h)) / (2 * h)
        np.testing.assert_allclose(found, slope, rtol=1e-8)
    line = Jet.line(0.6, 1.0, 3)
    for function in (lambda p: loss(ring, p), ring_grad(lambda p: loss(ring, p))):
        wanted = cauchy_coefficients(lambda z, f=function: f(np.array(line(z))), 3, radius=0.1)
        assert function(line).shape == ()
        np.testing.assert_allclose(function(line).coefficients, wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("dtype", [int, bool, np.uint8, np.int32, float])
def test_integers_and_truth_values_count_as_floats(dtype):
    p = {"a": np.array([[1, 0], [1, 1]], dtype), "b": dtype(1)}
    found = ring_grad(lambda p: ring.sum(p["a"] * p["a"]) * p["b"] / 2.0)(p)
    np.testing.assert_array_equal(found["a"], [[1.0, 0.0], [1.0, 1.0]])
    assert found["b"] == 1.5 and found["a"].dtype == np.asarray(found["b"]).dtype == float
    unused = ring_grad(lambda p: ring.sum(p["b"] * 1.0))(p)["a"]
    np.testing.assert_array_equal(unused, np.zeros((2, 2)))


@pytest.mark.parametrize(
    "name", ["exp", "log", "tanh", "sigmoid", "softplus", "gelu", "normal_pdf"]
)
@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.bool_, np.uint64])
def test_functions_of_integers_are_those_of_the_same_floats(name, dtype):
    """Not in half precision, nor of what -1 wraps to."""
    a = np.array([1, 2, 100], dtype)
    found = getattr(ring, name)(a)
    np.testing.assert_array_equal(found, getattr(ring, name)(a.astype(float)))
    assert found.dtype == float
    np.testing.assert_array_equal(ring.power(np.array([20], np.uint8), 2), [400.0])


@pytest.mark.parametrize("shape", [(2, 4), (2, 1, 4)])
def test_softmax_broadcasts_what_it_is_limited_to(shape):
    """A mask of more axes than the scores, on numbers, on jets, and in a gradient."""
    rng = np.random.default_rng(0)
    a, v, weights = rng.normal(size=4), rng.normal(size=4), rng.normal(size=shape)
    where = np.ones(shape, bool)
    where[0, ..., 1] = where[1, ..., 3] = False

    def spread_of(a):
        return ring.sum(ring.softmax(a, where=where) * weights)

    h, each = 1e-6, np.eye(4)
    slopes = [(spread_of(a + h * e) - spread_of(a - h * e)) / (2 * h) for e in each]
    gradient = ring_grad(spread_of)(a)
    assert gradient.shape == a.shape
    np.testing.assert_allclose(gradient, slopes, rtol=1e-7, atol=1e-9)
    jet = ring.softmax(Jet.line(a, v, 3), where=where)
    assert jet.shape == shape
    wanted = cauchy_coefficients(lambda z: ring.softmax(a + z * v, where=where), 3, radius=0.1)
    np.testing.assert_allclose(jet.coefficients, wanted, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("p", ["a", None, np.array([None]), {"a": np.array(["x"])}], ids=repr)
def test_parameters_that_are_no_numbers_are_refused(p):
    with pytest.raises(TypeError, match=r"parameters, if not jets, must be .* not (text|N|nda)"):
        ring_grad(lambda p: 0.0)(p)


def test_gradients_of_softplus_and_sigmoid_far_from_0():
    x = np.array([-1000.0, -40.0, 0.0, 40.0, 1000.0])
    tiny = np.exp(-40.0)
    by_softplus = ring_grad(lambda a: ring.sum(ring.softplus(a)))(x)
    np.testing.assert_allclose(by_softplus, [0.0, tiny, 0.5, 1.0, 1.0], rtol=1e-15)
    by_sigmoid = ring_grad(lambda a: ring.sum(ring.sigmoid(a)))(x)
    np.testing.assert_allclose(by_sigmoid, [0.0, tiny, 0.25, tiny, 0.0], rtol=1e-15)


@pytest.mark.parametrize("p", [3.0, Jet([3.0, 1.0])], ids=["number", "jet"])
@pytest.mark.parametrize("loss", [lambda p: ring.power(2.0, p), lambda p: ring.power(p, p)])
def test_an_exponent_is_not_differentiated(loss, p):
    with pytest.raises(TypeError, match=r"the exponent .* use exp\(b \* log\(a\)\)"):
        ring_grad(loss)(p)


def test_the_loss_may_be_a_parameter():
    np.testing.assert_array_equal(ring_grad(lambda p: p["a"])({"a": X})["a"], np.ones((3, 4)))
    assert ring_grad(lambda p: p)(3) == 1.0  # an integer counts as a number
    np.testing.assert_array_equal(ring_grad(lambda p: p)(Jet([2.0, 1.0])).coefficients, [1, 0])


def test_numpy_functions_of_autograd_may_be_mixed_in():
    found = ring_grad(lambda p: anp.sum(ring.gelu(anp.sin(p)) * p))(X)
    wanted = autograd.grad(lambda p: anp.sum(PLAIN.gelu(anp.sin(p)) * p))(X)
    np.testing.assert_allclose(found, wanted, rtol=1e-13)


# ---- gradients of gradients ------------------------------------------------------------------


def dot(f, p, q):
    """The inner product of two sets of parameters."""
    return sum(f.sum(p[k] * q[k]) for k in SHAPES)


@pytest.mark.parametrize("name", LOSSES)
def test_hessian_vector_products_are_difference_quotients_of_gradients(name):
    loss, rng = LOSSES[name], np.random.default_rng(12)
    p, v = parameters(rng), parameters(rng)
    gradient = ring_grad(lambda p: loss(ring, p))
    found = ring_grad(lambda p: dot(ring, gradient(p), v))(p)
    h = 1e-5
    ahead, behind = (gradient({k: p[k] + t * v[k] for k in p}) for t in (h, -h))
    for k in p:
        assert np.asarray(found[k]).dtype == float
        np.testing.assert_allclose(
            found[k], (ahead[k] - behind[k]) / (2 * h), rtol=1e-6, atol=1e-7, err_msg=k
        )


@pytest.mark.parametrize("name", LOSSES)
def test_hessian_vector_products_of_jets_are_those_of_complex_numbers(name):
    loss, rng = LOSSES[name], np.random.default_rng(13)
    p, v = parameters(rng), parameters(rng)
    gradient = ring_grad(lambda p: loss(ring, p))
    product = ring_grad(lambda p: dot(ring, gradient(p), v))
    lines = {k: Jet.line(p[k], v[k], 2) for k in p}
    for k, found in product(lines).items():
        wanted = cauchy_coefficients(
            lambda z, k=k: product({n: a(z) for n, a in lines.items()})[k],
            2,
            radius=0.05,
            points=16,
        )
        assert_close({k: found.coefficients}, {k: wanted}, 1e-8)
