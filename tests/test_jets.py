"""Jets against mpmath, nested autograd, closed forms, plain convolution and the ring axioms."""

import itertools
import math
import operator

import autograd.numpy as anp
import mpmath
import numpy as np
import pytest
from autograd import elementwise_grad
from autograd.scipy.special import erf as autograd_erf
from autograd.scipy.stats import norm as autograd_normal
from scipy import special

from sketchlab import Jet, ring
from sketchlab.algebra.elementary import TABLE

DEGREES = [0, 1, 3, 6]
SHAPES = [(), (3,), (2, 3)]
DTYPES = [float, complex]


@pytest.fixture(autouse=True)
def fifty_digits():
    with mpmath.workdps(50):
        yield


def random_array(rng, shape, dtype):
    """Normal entries, independent in the real and the imaginary part."""
    real = rng.normal(size=shape)
    return real + 1j * rng.normal(size=shape) if dtype is complex else real


def random_jet(rng, degree, shape=(), dtype=float):
    return Jet(random_array(rng, (degree + 1, *shape), dtype))


def random_shared(rng, degree, shape, head_shape, dtype):
    """A jet whose constant coefficient is real, and shared along the axes where it has length 1."""
    return Jet.of(rng.normal(size=head_shape), random_array(rng, (degree, *shape), dtype))


def coefficients(value, degree):
    """All Taylor coefficients of a jet, or of an array taken as a constant."""
    if isinstance(value, Jet):
        return value.coefficients
    return np.concatenate([value[None], np.zeros((degree, *np.shape(value)))])


def assert_close(got, wanted, tolerance):
    """Every entry within `tolerance`, relative to it or to the largest entry."""
    got, wanted = np.asarray(got), np.asarray(wanted)
    assert got.shape == wanted.shape
    largest = np.max(np.abs(wanted), initial=0.0)
    np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance * largest)


# ---- the ring --------------------------------------------------------------------------------


@pytest.mark.parametrize("degree", DEGREES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_ring_axioms_hold_exactly_on_integers(dtype, shape, degree):
    rng = np.random.default_rng(0)

    def integers():
        array = rng.integers(-5, 6, size=(2, degree + 1, *shape)).astype(float)
        return Jet(array[0] + 1j * array[1] if dtype is complex else array[0])

    a, b, c = integers(), integers(), integers()
    zero, one = Jet.constant(0, degree, shape=shape), Jet.constant(1, degree, shape=shape)
    for left, right in [
        (a + b, b + a),
        (a * b, b * a),
        ((a + b) + c, a + (b + c)),
        ((a * b) * c, a * (b * c)),
        (a * (b + c), a * b + a * c),
        (a + zero, a),
        (a * one, a),
        (a * zero, zero),
        (a + -a, zero),
        (a - b, a + -b),
        (a * a, ring.multiply(a, Jet(a.coefficients))),
        (a**3, a * a * a),
        (2 * a + 1, a + one + a),
        (1 - a, one - a),
    ]:
        assert left.degree == right.degree == degree
        np.testing.assert_array_equal(left.coefficients, right.coefficients)


@pytest.mark.parametrize("degree", DEGREES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_an_invertible_constant_coefficient_makes_a_jet_invertible(dtype, shape, degree):
    rng = np.random.default_rng(1)
    a, b = random_jet(rng, degree, shape, dtype), random_jet(rng, degree, shape, dtype)
    b = b * 0.3 + np.where(rng.random(shape) < 0.5, 1.0, -1.0)
    one = np.zeros((degree + 1, *shape))
    one[0] = 1.0
    assert_close((b / b).coefficients, one, 1e-12)
    assert_close((b * b**-1).coefficients, one, 1e-12)
    assert_close((1.0 / b * b).coefficients, one, 1e-12)
    assert_close((a / b * b).coefficients, a.coefficients, 1e-12)
    assert_close((a / 4.0).coefficients, a.coefficients / 4.0, 0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("degree", [*DEGREES, 12, 100])
def test_multiplication_is_that_of_truncated_polynomials(degree, dtype):
    rng = np.random.default_rng(2)
    a, b = random_jet(rng, degree, (), dtype), random_jet(rng, degree, (), float)
    for left, right in [(a, b), (b, a), (a, a)]:
        product = np.polynomial.polynomial.polymul(left.coefficients, right.coefficients)
        assert_close((left * right).coefficients, product[: degree + 1], 1e-13)


# ---- elementary functions --------------------------------------------------------------------


def mp_normal_pdf(a):
    return mpmath.exp(-a * a / 2) / mpmath.sqrt(2 * mpmath.pi)


def mp_normal_cdf(a):
    return (1 + mpmath.erf(a / mpmath.sqrt(2))) / 2


EVERYWHERE = [-1.4, -0.3, 0.0, 0.8, 1.9]
NOT_ZERO = [-1.4, -0.6, 0.8, 1.9]
POSITIVE = [0.4, 0.8, 1.7, 3.0]

# name: the function on jets, in mpmath, in autograd, and real points where it is analytic
ELEMENTARY = {
    "exp": (ring.exp, mpmath.exp, anp.exp, EVERYWHERE),
    "log": (ring.log, mpmath.log, anp.log, POSITIVE),
    "sqrt": (ring.sqrt, mpmath.sqrt, anp.sqrt, POSITIVE),
    "tanh": (ring.tanh, mpmath.tanh, anp.tanh, EVERYWHERE),
    "erf": (ring.erf, mpmath.erf, autograd_erf, EVERYWHERE),
    "normal_pdf": (ring.normal_pdf, mp_normal_pdf, autograd_normal.pdf, EVERYWHERE),
    "normal_cdf": (ring.normal_cdf, mp_normal_cdf, autograd_normal.cdf, EVERYWHERE),
    "sigmoid": (
        ring.sigmoid,
        lambda a: 1 / (1 + mpmath.exp(-a)),
        lambda a: 1.0 / (1.0 + anp.exp(-a)),
        EVERYWHERE,
    ),
    "softplus": (
        ring.softplus,
        lambda a: mpmath.log(1 + mpmath.exp(a)),
        lambda a: anp.log(1.0 + anp.exp(a)),
        EVERYWHERE,
    ),
    "gelu": (
        ring.gelu,
        lambda a: a * mp_normal_cdf(a),
        lambda a: a * autograd_normal.cdf(a),
        EVERYWHERE,
    ),
    "reciprocal": (lambda a: 1.0 / a, lambda a: 1 / a, lambda a: 1.0 / a, NOT_ZERO),
    "quotient": (
        lambda a: (a - 0.5) / (a * a + 1.0),
        lambda a: (a - 0.5) / (a * a + 1),
        lambda a: (a - 0.5) / (a * a + 1.0),
        EVERYWHERE,
    ),
}
for _exponent, _points in {
    **dict.fromkeys([-0.5, 0.5, 2.5], POSITIVE),
    **dict.fromkeys([-1, -3, -2.0], NOT_ZERO),
    **dict.fromkeys([0, 1, 2, 3, 5.0], EVERYWHERE),
}.items():
    ELEMENTARY[f"power {_exponent}"] = (
        lambda a, p=_exponent: a**p,
        lambda a, p=_exponent: a ** mpmath.mpf(p),
        lambda a, p=_exponent: a**p,
        _points,
    )


def mp_number(value):
    return mpmath.mpc(complex(value)) if np.iscomplexobj(value) else mpmath.mpf(float(value))


def mp_polynomial(numbers):
    """t -> a_0 + a_1 t + ... in mpmath, for a vector of coefficients."""
    terms = [mp_number(c) for c in numbers]
    return lambda t: sum(c * t**k for k, c in enumerate(terms))


def mp_taylor(function, degree):
    return np.array([complex(c) for c in mpmath.taylor(function, 0, degree)])


def jet_at(points, degree, dtype, seed):
    """A jet with these constant coefficients and random others, none of them zero."""
    a = random_array(np.random.default_rng(seed), (degree + 1, len(points)), dtype) * 0.5
    a[0] = points
    if dtype is complex:
        a[0] += 0.4j - 0.3j * np.arange(len(points))  # above and below the real axis
    return Jet(a)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ELEMENTARY)
def test_functions_of_random_jets_have_the_taylor_coefficients_of_mpmath(name, dtype):
    function, mp_function, _, points = ELEMENTARY[name]
    a = jet_at(points, 12, dtype, 3)
    result = function(a).coefficients
    assert np.iscomplexobj(result) == (dtype is complex)
    for i in range(len(points)):
        inner = mp_polynomial(a.coefficients[:, i])
        wanted = mp_taylor(lambda t, inner=inner: mp_function(inner(t)), 12)
        assert_close(result[:, i], wanted, 1e-12)


@pytest.mark.parametrize("name", ELEMENTARY)
def test_coefficients_are_nested_derivatives_divided_by_factorials(name):
    function, _, autograd_function, points = ELEMENTARY[name]
    a = jet_at(points, 5, float, 4)

    def derivative(t):
        return autograd_function(sum(c * t**k for k, c in enumerate(a.coefficients)))

    for order, got in enumerate(function(a).coefficients):
        wanted = derivative(np.zeros(len(points))) / math.factorial(order)
        np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-12)
        derivative = elementwise_grad(derivative)


@pytest.mark.parametrize("name", ELEMENTARY)
@pytest.mark.parametrize("degree", DEGREES)
def test_a_lower_degree_is_a_prefix_of_a_higher_one(name, degree):
    function, _, _, points = ELEMENTARY[name]
    a = jet_at(points, 6, complex, 5)
    short, long = function(a.truncate(degree)), function(a).truncate(degree)
    assert_close(short.coefficients, long.coefficients, 1e-14)


@pytest.mark.parametrize("dtype", DTYPES)
def test_division_softmax_and_logsumexp_have_the_taylor_coefficients_of_mpmath(dtype):
    a = jet_at([-0.7, 0.2, 1.1], 10, dtype, 6)
    inner = [mp_polynomial(a.coefficients[:, i]) for i in range(3)]

    def total(t):
        return sum(mpmath.exp(inner_i(t)) for inner_i in inner)

    quotient = a[0] / a[2]
    assert_close(quotient.coefficients, mp_taylor(lambda t: inner[0](t) / inner[2](t), 10), 1e-12)
    assert_close(
        ring.logsumexp(a).coefficients, mp_taylor(lambda t: mpmath.log(total(t)), 10), 1e-12
    )
    probabilities = ring.softmax(a).coefficients
    masked = ring.softmax(a, where=np.array([True, False, True])).coefficients
    for i in range(3):
        wanted = mp_taylor(lambda t, i=i: mpmath.exp(inner[i](t)) / total(t), 10)
        assert_close(probabilities[:, i], wanted, 1e-12)
        if i != 1:
            wanted = mp_taylor(
                lambda t, i=i: mpmath.exp(inner[i](t)) / (total(t) - mpmath.exp(inner[1](t))), 10
            )
            assert_close(masked[:, i], wanted, 1e-12)
    np.testing.assert_array_equal(masked[:, 1], 0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_rmsnorm_and_cross_entropy_follow_from_their_definitions(dtype):
    rng = np.random.default_rng(7)
    a, targets = random_jet(rng, 4, (2, 5, 3), dtype), [2, 0, 0, 1, 2]
    normalised = a / ring.sqrt(ring.mean(a * a, -1, keepdims=True) + 0.1)
    assert_close(ring.rmsnorm(a, 0.1).coefficients, normalised.coefficients, 1e-12)
    probabilities = ring.softmax(a)
    chosen = [ring.log(probabilities[:, i, target]) for i, target in enumerate(targets)]
    wanted = sum(c.coefficients for c in chosen) / -5
    assert_close(ring.cross_entropy(a, targets).coefficients[1:], wanted[1:], 1e-12)
    if dtype is float:  # the logarithm of a complex product is fixed up to a turn only
        assert_close(ring.cross_entropy(a, targets).head, wanted[0], 1e-12)


@pytest.mark.parametrize("shift", [-1e4, 1e4])
def test_softmax_and_logsumexp_do_not_overflow(shift):
    a = random_jet(np.random.default_rng(8), 3, (2, 4))
    assert_close(ring.softmax(a + shift).coefficients, ring.softmax(a).coefficients, 1e-11)
    assert_close(
        (ring.logsumexp(a + shift) - shift).coefficients, ring.logsumexp(a).coefficients, 1e-11
    )


EXTREME = [-1000.0, -700.0, -40.0, -0.3, 0.0, 0.3, 40.0, 700.0, 1000.0]


@pytest.mark.parametrize("x", [*EXTREME, 40.0 + 3.0j, -1000.0 - 3.0j, 0.5j])
def test_softplus_and_sigmoid_do_not_overflow(x):
    """Values and three Taylor coefficients from the closed forms, each to its own size."""
    p, q = (1 / (1 + mpmath.exp(-sign * mp_number(x))) for sign in (1, -1))  # p + q = 1
    slopes = [complex(c) for c in (p, p * q / 2, p * q * (q - p) / 6)]
    softplus = complex(-mpmath.log(q) if np.real(x) < 0 else x - mpmath.log(p))
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        found = ring.softplus(Jet.line(x, 1.0, 3)).coefficients
        probability = ring.sigmoid(Jet.line(x, 1.0, 2)).coefficients
        numbers = [ring.softplus(x), ring.sigmoid(x), ring.softplus(np.array([x, x]))[1]]
    np.testing.assert_allclose(found, [softplus, *slopes], rtol=1e-12, atol=1e-300)
    wanted = np.array(slopes) * [1, 2, 3]
    np.testing.assert_allclose(probability, wanted, rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(numbers, [softplus, slopes[0], softplus], rtol=1e-14, atol=1e-300)


@pytest.mark.parametrize("x", [-1000.0, -30.0, 30.0, 1000.0])
@pytest.mark.parametrize("function", [ring.gelu, ring.normal_cdf, ring.tanh, ring.erf])
def test_functions_that_level_off_do_so_without_overflow(function, x):
    flat = {ring.gelu: max(x, 0.0), ring.normal_cdf: float(x > 0)}.get(function, np.sign(x))
    slope = float(x > 0) if function is ring.gelu else 0.0
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        found = function(Jet.line(x, 1.0, 3)).coefficients
    np.testing.assert_allclose(found, [flat, slope, 0.0, 0.0], rtol=1e-15, atol=1e-25)


@pytest.mark.parametrize("shared", [False, True], ids=["full head", "shared head"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [n for n in TABLE if n != "power"] + ["power -1", "power 2.5"])
def test_the_rule_for_jets_follows_from_the_derivative(name, dtype, shared):
    """y' = derivative(y, a) a', coefficient by coefficient, for every entry of the table."""
    name, *exponent = name.split()
    exponent = [float(p) for p in exponent]
    rng, head = np.random.default_rng(24), np.array([[0.4, 1.3, 2.2]])
    a = Jet.of(head if shared else np.repeat(head, 2, 0), random_array(rng, (6, 2, 3), dtype))
    y = getattr(ring, name)(a, *exponent)
    assert_close(y.head[0], TABLE[name].on_numbers(head[0], *exponent), 1e-15)
    w, slopes = TABLE[name].derivative(y, a, *exponent), np.arange(1, 7).reshape(6, 1, 1)
    w = coefficients(w if isinstance(w, Jet) else w * np.ones(a.shape), 6)
    for k in range(1, 7):
        wanted = sum((slopes * a.tail)[i - 1] * w[k - i] for i in range(1, k + 1)) / k
        assert_close(y.tail[k - 1], wanted, 1e-12)


def line_of_exp(x, v, k):
    return mpmath.exp(x) * v**k / mpmath.factorial(k)


def line_of_log(x, v, k):
    return mpmath.log(x) if k == 0 else -((-v / x) ** k) / k


def line_of_power(x, v, k):
    return mpmath.binomial(-0.5, k) * x**-0.5 * (v / x) ** k


def line_of_gelu(x, v, k):
    """(a Phi)^(k) = a Phi^(k) + k Phi^(k-1), where Phi^(k) = (-1)^(k-1) He_(k-1) phi."""

    def normal(k):
        if k == 0:
            return mp_normal_cdf(x)
        hermite = 2 ** (-mpmath.mpf(k - 1) / 2) * mpmath.hermite(k - 1, x / mpmath.sqrt(2))
        return (-1) ** (k - 1) * hermite * mp_normal_pdf(x)

    derivative = x * normal(k) + (k * normal(k - 1) if k else 0)
    return derivative * v**k / mpmath.factorial(k)


@pytest.mark.parametrize("x, v", [(0.7, 1.0), (1.9, -0.8), (0.7, 0.6 + 0.8j)])
@pytest.mark.parametrize(
    "function, closed_form",
    [
        (ring.exp, line_of_exp),
        (ring.log, line_of_log),
        (lambda a: a**-0.5, line_of_power),
        (ring.gelu, line_of_gelu),
    ],
    ids=["exp", "log", "power", "gelu"],
)
def test_degree_100_along_a_line_agrees_with_closed_forms(function, closed_form, x, v):
    x, v = mp_number(x), mp_number(v)
    wanted = np.array([complex(closed_form(x, v, k)) for k in range(101)])
    point, direction = float(x), complex(v) if isinstance(v, mpmath.mpc) else float(v)
    got = function(Jet.line(point, direction, 100)).coefficients
    np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=0)  # from 1 down to 1e-167


# ---- arrays: linear maps act on each coefficient, products are convolutions --------------------

LINEAR_MAPS = {
    "negative": operator.neg,
    "times number": lambda a: a * (2.0 - 1.0j),
    "times array": lambda a: a * np.arange(4.0),
    "times larger array": lambda a: np.arange(6.0).reshape(2, 1, 3, 1) * a,
    "over array": lambda a: a / np.arange(1.0, 5.0),
    "sum": lambda a: a.sum(),
    "sum 0": lambda a: a.sum(0),
    "sum -1 keepdims": lambda a: a.sum(-1, keepdims=True),
    "sum (0, 2)": lambda a: a.sum((0, 2)),
    "sum (0, -2) keepdims": lambda a: a.sum((0, -2), keepdims=True),
    "mean": lambda a: a.mean(),
    "mean 0": lambda a: a.mean(0),
    "mean (-1, 0)": lambda a: a.mean((-1, 0)),
    "mean 1 keepdims": lambda a: a.mean(1, keepdims=True),
    "reshape": lambda a: a.reshape(5, 12),
    "reshape -1": lambda a: a.reshape(-1),
    "reshape keeping batch": lambda a: a.reshape(5, 2, -1),
    "reshape tuple": lambda a: a.reshape((15, 4)),
    "reshape splitting batch": lambda a: a.reshape(1, 5, 3, 4),
    "swapaxes": lambda a: a.swapaxes(0, 1),
    "swapaxes negative": lambda a: a.swapaxes(-1, -2),
    "swapaxes outer": lambda a: a.swapaxes(0, -1),
    "all": lambda a: a[()],
    "ellipsis": lambda a: a[...],
    "row": lambda a: a[2],
    "negative row": lambda a: a[-1],
    "number": lambda a: a[1, 2, 3],
    "last": lambda a: a[..., -1],
    "last two": lambda a: a[..., 0, -1],
    "every axis": lambda a: a[..., 4, 0, -1],
    "slice": lambda a: a[1:4],
    "step": lambda a: a[::-2, :, 1::2],
    "last slice": lambda a: a[..., 1:, :2],
    "new axis": lambda a: a[None],
    "new axis inside": lambda a: a[:, None, 1],
    "new axis last": lambda a: a[..., None],
    "new axis and number": lambda a: a[..., None, 2],
    "list": lambda a: a[[0, 3, 3]],
    "last list": lambda a: a[..., [3, 1, 1]],
    "last tuple": lambda a: a[..., (3, 1, 1)],
    "last tuples apart": lambda a: a[..., (4, 1), :, (3, 0)],
    "pairs": lambda a: a[..., [0, 2], [3, 1]],
    "arrays with batch": lambda a: a[np.array([4, 0]), :, np.array([1, 2])],
    "list and slice": lambda a: a[..., [0, 2], 1:],
    "number and list": lambda a: a[..., 1, [0, 2]],
    "mask of rows": lambda a: a[np.array([True, False, True, True, False])],
    "mask of last": lambda a: a[..., np.array([True, False, True, True])],
    "mask of two axes": lambda a: a[..., np.eye(3, 4, dtype=bool)],
    "mask of first two axes": lambda a: a[np.eye(5, 3, dtype=bool)],
    "mask of three axes": lambda a: a[..., np.eye(15, 4, dtype=bool).reshape(5, 3, 4)],
    "matrix of indices": lambda a: a[..., np.array([[0, 1], [3, 3]])],
}


@pytest.mark.parametrize("name", LINEAR_MAPS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_linear_maps_act_on_every_coefficient(dtype, name):
    function, rng = LINEAR_MAPS[name], np.random.default_rng(9)
    for degree in (0, 1, 3):
        a = random_jet(rng, degree, (5, 3, 4), dtype)
        wanted = np.array([function(coefficient) for coefficient in a.coefficients])
        result = function(a)
        assert (result.degree, result.shape) == (degree, wanted.shape[1:])
        assert (result.ndim, result.size) == (wanted.ndim - 1, np.size(wanted[0]))
        assert_close(result.coefficients, wanted, 1e-14)


@pytest.mark.parametrize("axis", [0, 1, -1, -2, -3])
@pytest.mark.parametrize("indices", [[2, 0, 2], [-1], np.array([[0, 1], [2, 2]]), 1])
def test_take_is_that_of_numpy_on_every_coefficient(indices, axis):
    a = random_jet(np.random.default_rng(10), 3, (5, 3, 4))
    wanted = np.array([np.take(c, indices, axis) for c in a.coefficients])
    np.testing.assert_array_equal(ring.take(a, indices, axis).coefficients, wanted)


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("degree", [0, 1, 3])
def test_concatenate_joins_jets_and_arrays(degree, axis):
    rng = np.random.default_rng(11)
    parts = [random_jet(rng, degree, (2, 3)), rng.normal(size=(2, 3))]
    parts.append(random_jet(rng, degree, (2, 3), complex))
    wanted = np.concatenate([coefficients(p, degree) for p in parts], axis % 2 + 1)
    np.testing.assert_array_equal(ring.concatenate(parts, axis).coefficients, wanted)
    np.testing.assert_array_equal(
        ring.concatenate(parts[1:], axis).coefficients,
        np.concatenate([coefficients(p, degree) for p in parts[1:]], axis % 2 + 1),
    )


def linear_by_hand(x, weights):
    return np.einsum("...pi,...oi->...po", x, weights)


# name: the function on jets, on arrays, and the shapes of its two arguments
BILINEAR = {
    f"{name} {a}{b}": (function, on_arrays, a, b)
    for name, function, on_arrays, shapes in [
        (
            "multiply",
            operator.mul,
            np.multiply,
            [
                ((), ()),
                ((), (3,)),
                ((2, 3), ()),
                ((3,), (2, 3)),
                ((2, 3), (2, 3)),
                ((2, 1), (1, 3)),
                ((1, 3), (4, 1, 1)),
                ((2, 1, 3), (5, 1)),
            ],
        ),
        (
            "matmul",
            operator.matmul,
            np.matmul,
            [
                ((3,), (3,)),
                ((3,), (3, 2)),
                ((4, 3), (3,)),
                ((4, 3), (3, 2)),
                ((1, 3), (3, 1)),
                ((5, 4, 3), (3,)),
                ((3,), (5, 3, 2)),
                ((5, 4, 3), (3, 2)),
                ((4, 3), (5, 3, 2)),
                ((5, 4, 3), (5, 3, 2)),
                ((5, 4, 3), (1, 3, 2)),
                ((2, 1, 4, 3), (5, 3, 2)),
                ((5, 3, 2), (2, 5, 2, 4)),
                ((5, 6, 2), (5, 2, 7)),  # thin: see `sums._thin_product`
                ((2, 5, 6, 1), (2, 5, 1, 7)),
            ],
        ),
        (
            "linear",
            ring.linear,
            linear_by_hand,
            [((4, 3), (2, 3)), ((5, 4, 3), (2, 3)), ((4, 3), (5, 2, 3)), ((5, 4, 3), (5, 2, 3))],
        ),
    ]
    for a, b in shapes
}
OPERANDS = [float, complex, "array", "complex array"]


def operand(rng, kind, degree, shape):
    """A random jet or, where the kind says so, a random array."""
    if isinstance(kind, str):
        return random_array(rng, shape, complex if "complex" in kind else float)
    return random_jet(rng, degree, shape, kind)


@pytest.mark.parametrize("degree", [0, 1, 3])
@pytest.mark.parametrize("name", BILINEAR)
def test_products_convolve_coefficients(name, degree):
    function, on_arrays, *shapes = BILINEAR[name]
    rng = np.random.default_rng(12)
    for kinds in itertools.product(OPERANDS, repeat=2):
        if not set(kinds) & set(DTYPES):
            continue  # two arrays
        a, b = (operand(rng, kind, degree, s) for kind, s in zip(kinds, shapes, strict=True))
        left, right = coefficients(a, degree), coefficients(b, degree)
        wanted = [
            sum(on_arrays(left[i], right[k - i]) for i in range(k + 1)) for k in range(degree + 1)
        ]
        assert_close(function(a, b).coefficients, wanted, 1e-13)


@pytest.mark.parametrize("name", [name for name in BILINEAR if "multiply" in name])
@pytest.mark.parametrize("degree", [0, 1, 3])
def test_sums_differences_and_quotients_broadcast_as_numpy_does(name, degree):
    *_, shape_a, shape_b = BILINEAR[name]
    rng = np.random.default_rng(13)
    for kinds in [(float, complex), (complex, "array"), ("complex array", float)]:
        a, b = operand(rng, kinds[0], degree, shape_a), operand(rng, kinds[1], degree, shape_b)
        left, right = coefficients(a, degree), coefficients(b, degree)
        each = range(degree + 1)
        assert_close((a + b).coefficients, [left[k] + right[k] for k in each], 1e-14)
        assert_close((a - b).coefficients, [left[k] - right[k] for k in each], 1e-14)
        divisor = b * 0.1 + 2.0
        wanted = [
            left[k] * np.ones(np.shape(b)) for k in each
        ]  # (a / b) * b is a, broadcast to the shape of b
        assert_close((a / divisor * divisor).coefficients, wanted, 1e-13)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_matmul_does_not_depend_on_the_memory_layout(dtype, order):
    rng = np.random.default_rng(14)
    a, b = random_jet(rng, 2, (5, 4, 3), dtype), random_jet(rng, 2, (5, 3, 2), dtype)
    left, right = np.asarray(rng.normal(size=(6, 4)), order=order), rng.normal(size=(3, 6))
    right = np.asarray(right, order=order)
    for jet in (a, a.swapaxes(-1, -2).swapaxes(-1, -2), Jet(a.coefficients.copy("F"))):
        turned = jet.swapaxes(-1, -2)
        wanted = a.coefficients
        assert_close((left @ jet).coefficients, left @ wanted, 1e-13)
        assert_close((jet @ right).coefficients, wanted @ right, 1e-13)
        assert_close((turned @ left.T).coefficients, wanted.swapaxes(-1, -2) @ left.T, 1e-13)
        assert_close((jet[::2] @ right).coefficients, wanted[:, ::2] @ right, 1e-13)
        assert_close(
            (jet[..., ::2] @ right[::2]).coefficients, wanted[..., ::2] @ right[::2], 1e-13
        )
        assert_close((jet @ b).coefficients, (a @ b).coefficients, 1e-13)


@pytest.mark.parametrize(
    "dtype", [np.uint8, np.int32, np.bool_, np.float32], ids=lambda dtype: dtype.__name__
)
def test_arrays_of_every_numeric_type_act_as_numbers(dtype):
    a, array = random_jet(np.random.default_rng(15), 2, (3,)), np.array([1, 0, 1], dtype)
    for function in (operator.add, operator.sub, operator.mul):
        for left, right, same in [
            (a, array, function(a, array.astype(float))),
            (array, a, function(array.astype(float), a)),
        ]:
            assert_close(function(left, right).coefficients, same.coefficients, 0)


# ---- shared heads ----------------------------------------------------------------------------

MATRIX, ROWS = np.sin(np.arange(1.0, 9.0)).reshape(4, 2), np.arange(1.0, 6.0)[:, None]

SHARED_OPERATIONS = {
    **{
        name: lambda a, function=function: function(a)
        for name, (function, _, _, points) in ELEMENTARY.items()
        if points is EVERYWHERE
    },
    "log": lambda a: ring.log(a * a + 1.0),
    "power -0.5": lambda a: (a * a + 1.0) ** -0.5,
    "reciprocal": lambda a: 1.0 / (a * a + 1.0),
    "add jets": lambda a: a + 2.0 * a,
    "subtract jets": lambda a: a - a * a,
    "product of row and table": lambda a: a[0] * a,
    "sum of table and row": lambda a: a + a[2],
    "difference of row and table": lambda a: a[1] - a,
    "array of all rows": lambda a: a * ROWS - ROWS,
    "quotient by rows": lambda a: a / ROWS,
    "softmax": ring.softmax,
    "masked softmax": lambda a: ring.softmax(a, where=np.array([True, True, False, True])),
    "softmax masked by row": lambda a: ring.softmax(a, where=np.tri(5, 4, dtype=bool)),
    "logsumexp": ring.logsumexp,
    "rmsnorm": lambda a: ring.rmsnorm(a, 0.1),
    "cross_entropy": lambda a: ring.cross_entropy(a[:, None, :] * ROWS[:3], [1, 3, 0]),
    "sum": lambda a: a.sum(),
    "sum over batch": lambda a: a.sum(0),
    "sum over batch keepdims": lambda a: a.sum(0, keepdims=True),
    "sum of squares over batch": lambda a: (a * a).sum(-2),
    "sum over entries": lambda a: a.sum(1),
    "mean": lambda a: a.mean(),
    "mean over batch": lambda a: a.mean(0),
    "mean over entries": lambda a: a.mean(-1, keepdims=True),
    "reshape merging batch": lambda a: a.reshape(20) * np.arange(20.0),
    "reshape merging batch -1": lambda a: a.reshape(-1),
    "reshape regrouping": lambda a: a.reshape(2, 10),
    "reshape keeping batch": lambda a: a.reshape(5, 2, 2),
    "reshape adding an axis": lambda a: a.reshape(1, 5, 4),
    "reshape to a long axis": lambda a: a.reshape(5, 1, 4),
    "swapaxes": lambda a: a.swapaxes(0, 1),
    "row": lambda a: a[3],
    "rows": lambda a: a[1:3],
    "last row": lambda a: a[-1:],
    "picked rows": lambda a: a[[0, 0, 4]],
    "mask of rows": lambda a: a[np.array([True, False, False, True, False])],
    "number": lambda a: a[4, 1],
    "column": lambda a: a[:, 1],
    "last column": lambda a: a[..., 1],
    "last columns": lambda a: a[..., 1:3],
    "picked columns": lambda a: a[..., [0, 3, 3]],
    "both axes": lambda a: a[..., 1, 2],
    "both axes picked": lambda a: a[..., [4, 0], [1, 1]],
    "mask": lambda a: a[..., np.eye(5, 4, dtype=bool)],
    "new axis": lambda a: a[:, None] * a[None],
    "take columns": lambda a: ring.take(a, [2, 2, 0], -1),
    "take rows": lambda a: ring.take(a, [2, 2, 0], -2),
    "concatenate along batch": lambda a: ring.concatenate([a, a * a, a[:2]], 0),
    "concatenate along entries": lambda a: ring.concatenate([a, a * a], -1),
    "concatenate with an array": lambda a: ring.concatenate([a, np.ones((5, 2))], -1),
    "concatenate with rows of an array": lambda a: ring.concatenate([np.ones((2, 4)), a], 0),
    "matrix product": lambda a: a @ MATRIX,
    "matrix product on the left": lambda a: MATRIX.T @ a.swapaxes(-1, -2),
    "matrix product over the batch": lambda a: np.arange(10.0).reshape(2, 5) @ a,
    "transposed product over the batch": lambda a: a.swapaxes(-1, -2) @ ROWS,
    "product of two jets": lambda a: a @ (a * a).swapaxes(-1, -2),
    "product over the batch": lambda a: a.swapaxes(-1, -2) @ (a * a),
    "product with a vector": lambda a: a @ MATRIX[:, 0],
    "product with vectors per row": lambda a: (a[:, None, :] @ a[:, :, None])[:, 0, 0],
    "vector times jet": lambda a: np.arange(5.0) @ a,
    "linear": lambda a: ring.linear(a, MATRIX.T),
    "linear with a batch of weights": lambda a: ring.linear(
        np.ones((3, 2)), a.reshape(5, 2, 2) * 0.5
    ),
}


def assert_same_on_shared_and_full(function, shared):
    """The function gives the same coefficients for a shared head as for one written out."""
    full = Jet(shared.coefficients)
    assert shared.head.size < full.head.size
    got, wanted = function(shared), function(full)
    assert (got.degree, got.shape) == (wanted.degree, wanted.shape)
    assert got.full_head().shape == got.shape
    assert_close(got.coefficients, wanted.coefficients, 1e-13)


@pytest.mark.parametrize("name", SHARED_OPERATIONS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_head_shared_by_a_batch_changes_no_result(dtype, name):
    rng = np.random.default_rng(17)
    for degree in (0, 1, 4):
        a = random_shared(rng, degree, (5, 4), (1, 4), dtype)
        assert_same_on_shared_and_full(SHARED_OPERATIONS[name], a)
        line = Jet.line(np.ones((1, 4)), random_array(rng, (5, 4), dtype), degree)
        assert_same_on_shared_and_full(SHARED_OPERATIONS[name], line)


@pytest.mark.parametrize("head_shape", [(5, 1), (1, 1)])
@pytest.mark.parametrize("name", SHARED_OPERATIONS)
def test_a_head_shared_along_the_last_axis_changes_no_result(name, head_shape):
    a = random_shared(np.random.default_rng(18), 3, (5, 4), head_shape, float)
    assert_same_on_shared_and_full(SHARED_OPERATIONS[name], a)


@pytest.mark.parametrize("name", LINEAR_MAPS)
def test_linear_maps_of_shared_heads_act_on_every_coefficient(name):
    rng = np.random.default_rng(19)
    for degree in (0, 1, 4):
        shared = random_shared(rng, degree, (5, 3, 4), (1, 3, 4), complex)
        assert_same_on_shared_and_full(LINEAR_MAPS[name], shared)


@pytest.mark.parametrize("name", BILINEAR)
def test_products_of_shared_heads_are_those_of_full_heads(name):
    function, _, *shapes = BILINEAR[name]
    if "mul" not in name[:3]:  # a vector has no batch axis: it becomes a row or a column
        shapes = [s if len(s) > 1 else [(1, *s), (*s, 1)][i] for i, s in enumerate(shapes)]
    ndim, rng = max(map(len, shapes)), np.random.default_rng(20)
    shapes = [(1,) * (ndim - len(s)) + tuple(s) for s in shapes]
    for degree in (0, 1, 4):
        a, b = (random_shared(rng, degree, (6, *s), (1, *s), complex) for s in shapes)
        full_a, full_b = Jet(a.coefficients), Jet(b.coefficients)
        for left, right, wanted in [
            (a, b, function(full_a, full_b)),
            (a, full_b, function(full_a, full_b)),
            (full_a, b, function(full_a, full_b)),
            (a, b.full_head(), function(full_a, b.full_head())),
            (a.full_head(), b, function(a.full_head(), full_b)),
            (a, b.head[0], function(full_a, b.head[0])),
            (a.head[0], b, function(a.head[0], full_b)),
        ]:
            assert_close(function(left, right).coefficients, wanted.coefficients, 1e-13)


# ---- the type --------------------------------------------------------------------------------


def test_evaluation_is_that_of_the_polynomial():
    rng = np.random.default_rng(21)
    a, z = random_jet(rng, 4, (2, 3), complex), rng.normal(size=(5, 2))
    wanted = np.polynomial.polynomial.polyval(z, a.coefficients)  # shape (2, 3, 5, 2)
    assert_close(a(z), np.moveaxis(wanted, (0, 1), (-2, -1)), 1e-13)
    assert_close(a(2), np.polynomial.polynomial.polyval(2.0, a.coefficients), 1e-13)
    assert_close(a(1j), np.polynomial.polynomial.polyval(1j, a.coefficients), 1e-13)
    assert Jet([1, 2, 3])(10) == 321
    assert Jet([7.0])(0.3) == 7.0
    assert Jet.line(np.ones((1, 2)), np.zeros((3, 2)), 2)(0.5).shape == (3, 2)


def test_a_jet_knows_its_coefficients():
    values = np.arange(12).reshape(3, 2, 2)
    a = Jet(values)
    assert (a.degree, a.shape, a.ndim, a.size, a.dtype, len(a)) == (2, (2, 2), 2, 4, float, 2)
    np.testing.assert_array_equal(a.coefficients, values)
    np.testing.assert_array_equal(a.full_head(), values[0])
    assert Jet([1, 2j]).dtype == complex
    a.coefficients[:] = 9.0  # a new array: the jet does not change
    np.testing.assert_array_equal(a.coefficients, values)


def test_truncation_keeps_the_first_coefficients():
    a = random_jet(np.random.default_rng(22), 4, (2,))
    for degree in range(5):
        np.testing.assert_array_equal(a.truncate(degree).coefficients, a.coefficients[: degree + 1])
    assert a.truncate(np.int64(2)).degree == 2


def test_constants_and_lines():
    a = Jet.constant([1, 2], 3)
    np.testing.assert_array_equal(a.coefficients, [[1, 2], [0, 0], [0, 0], [0, 0]])
    assert Jet.constant(2.0, 3, shape=(4, 2)).coefficients.shape == (4, 4, 2)
    assert Jet.constant(np.ones(2), 0, shape=(4, 2)).coefficients.shape == (1, 4, 2)
    np.testing.assert_array_equal(Jet.line(3, [1, 2j], 2).coefficients, [[3, 3], [1, 2j], [0, 0]])
    np.testing.assert_array_equal(Jet.line([3, 4], 1, 1).coefficients, [[3, 4], [1, 1]])
    np.testing.assert_array_equal(Jet.line([3j], [1], 0).coefficients, [[3j]])
    assert Jet.line(np.ones((3, 1)), np.ones((2, 1, 4)), 2).shape == (2, 3, 4)


@pytest.mark.parametrize(
    "jet, text",
    [
        (Jet([1.0]), "Jet(1; degree 0)"),
        (Jet([1.5, 2, 0.25]), "Jet(1.5 + 2 z + 0.25 z^2; degree 2)"),
        (
            Jet(np.arange(9)),
            "Jet(0 + 1 z + 2 z^2 + 3 z^3 + 4 z^4 + 5 z^5 + 6 z^6 + ...; degree 8)",
        ),
        (Jet(np.ones((3, 2, 4))), "Jet(degree 2, shape (2, 4), float64)"),
        (Jet(1j * np.ones((1, 5))), "Jet(degree 0, shape (5,), complex128)"),
    ],
)
def test_repr(jet, text):
    assert repr(jet) == text


ARRAY = np.array([0.5, 1.5, 2.5])


@pytest.mark.parametrize(
    "through_numpy, rule",
    [
        (lambda a: np.exp(a), ring.exp),
        (lambda a: np.log(a), ring.log),
        (lambda a: np.sqrt(a), ring.sqrt),
        (lambda a: np.tanh(a), ring.tanh),
        (lambda a: special.erf(a), ring.erf),
        (lambda a: np.negative(a), lambda a: a * -1.0),
        (lambda a: np.power(a, 2.5), lambda a: ring.power(a, 2.5)),
        (lambda a: np.add(ARRAY, a), lambda a: ring.add(a, ARRAY)),
        (lambda a: ARRAY + a, lambda a: ring.add(a, ARRAY)),
        (lambda a: ARRAY - a, lambda a: ring.add(-a, ARRAY)),
        (lambda a: a - ARRAY, lambda a: ring.add(a, -ARRAY)),
        (lambda a: ARRAY * a, lambda a: ring.multiply(a, ARRAY)),
        (lambda a: ARRAY / a, lambda a: ring.multiply(a**-1, ARRAY)),
        (lambda a: a / ARRAY, lambda a: ring.multiply(a, 1 / ARRAY)),
        (lambda a: ARRAY @ a, lambda a: ring.sum(a * ARRAY)),
        (lambda a: a @ ARRAY, lambda a: ring.sum(a * ARRAY)),
        (lambda a: np.float64(2.0) * a, lambda a: a + a),
        (lambda a: np.complex128(2j) - a, lambda a: ring.add(-a, 2j)),
        (lambda a: np.int64(3) / a, lambda a: ring.divide(3.0, a)),
    ],
)
def test_numpy_functions_and_operators_act_on_jets(through_numpy, rule):
    a = random_jet(np.random.default_rng(23), 3, (3,)) + 4.0
    assert_close(through_numpy(a).coefficients, rule(a).coefficients, 1e-15)


@pytest.mark.parametrize(
    "through_numpy",
    [
        lambda a: np.sum(a),
        lambda a: np.sum(a, 1),
        lambda a: np.sum(a, axis=(0, -1), keepdims=True),
        lambda a: np.mean(a),
        lambda a: np.mean(a, axis=0, keepdims=True),
        lambda a: np.reshape(a, (3, -1)),
        lambda a: np.swapaxes(a, 0, 1),
        lambda a: np.take(a, [1, 1], axis=0),
        lambda a: np.concatenate([a, a * 2.0], axis=1),
        lambda a: np.concatenate([a]),
        lambda a: np.positive(a),
    ],
)
def test_numpy_functions_of_arrays_act_on_every_coefficient(through_numpy):
    a = random_jet(np.random.default_rng(25), 3, (2, 3, 4), complex)
    wanted = np.array([through_numpy(coefficient) for coefficient in a.coefficients])
    assert_close(through_numpy(a).coefficients, wanted, 1e-14)
    assert (np.shape(a), np.ndim(a), np.size(a)) == ((2, 3, 4), 3, 24)
    assert np.iscomplexobj(a) and not np.isrealobj(a)


@pytest.mark.parametrize("name", ["iadd", "isub", "imul", "itruediv"])
def test_an_operator_in_place_makes_a_new_jet(name):
    a = random_jet(np.random.default_rng(26), 2, (3,))
    before, by_name = a.coefficients, getattr(operator, name)
    assert by_name(a, 2.0) == getattr(operator, name[1:])(a, 2.0)
    np.testing.assert_array_equal(a.coefficients, before)


# ---- bad input -------------------------------------------------------------------------------

A, B, ZERO = Jet([[1.0, 2.0], [3.0, 4.0]]), Jet([[1.0, 2.0]]), Jet([0.0, 1.0])
MINUS = Jet([-2.0, 1.0])

BAD_INPUT = [
    *(
        (lambda degree=degree, make=make: make(degree), ValueError, "degree must be an integer, 0")
        for degree in (-1, 1.5, 2.0, True, np.True_, "3", None)
        for make in (
            lambda degree: Jet.constant(1.0, degree),
            lambda degree: Jet.line(1.0, 2.0, degree),
            A.truncate,
        )
    ),
    (lambda: A.truncate(2), ValueError, "cannot truncate a jet of degree 1 to degree 2"),
    *(
        (lambda f=f: f(A, B), ValueError, "jets of degree 1 and 0 cannot be combined")
        for f in (
            ring.add,
            ring.subtract,
            ring.multiply,
            ring.divide,
            ring.matmul,
            lambda a, b: ring.linear(a[None], b[None]),
            lambda a, b: ring.concatenate([a, b]),
            lambda a, b: a - b[0],
        )
    ),
    (lambda: ring.log(ZERO), ValueError, "log of a jet whose constant coefficient is 0"),
    (lambda: ring.log(MINUS), ValueError, "log of a jet whose constant coefficient is -2"),
    (lambda: ring.log(MINUS * (1 + 0j)), ValueError, "constant coefficient is -2.0j: not analytic"),
    (lambda: ring.log(Jet([[3.0, -1.0]])), ValueError, "constant coefficient is -1"),
    (lambda: ring.sqrt(ZERO), ValueError, "power 0.5 of a jet whose constant coefficient is 0"),
    (lambda: MINUS**-0.5, ValueError, "power -0.5 of a jet whose constant coefficient is -2"),
    (lambda: ZERO**2.5, ValueError, "not analytic there"),
    (lambda: ZERO**-1, ZeroDivisionError, "power -1 of a jet whose constant coefficient is 0"),
    (lambda: 1.0 / ZERO, ZeroDivisionError, "not analytic there"),
    (lambda: A / Jet([[1.0, 0.0], [1.0, 1.0]]), ZeroDivisionError, "not analytic there"),
    (lambda: A / 0, ZeroDivisionError, "a jet is divided by zero"),
    (lambda: A / np.array([1.0, 0.0]), ZeroDivisionError, "a jet is divided by zero"),
    (lambda: Jet([1.0, np.nan]), ValueError, r"must be finite, but there is nan at index \(1,\)"),
    (lambda: Jet([[1.0, -np.inf]]), ValueError, r"there is -inf at index \(0, 1\)"),
    (lambda: Jet([1.0, complex(0, np.nan)]), ValueError, "jet coefficients must be finite"),
    (lambda: Jet.constant(np.inf, 2), ValueError, "value must be finite"),
    (lambda: Jet.line(np.nan, 1.0, 2), ValueError, "point must be finite"),
    (lambda: Jet.line(1.0, [np.inf], 2), ValueError, "direction must be finite"),
    *(
        (lambda values=values: Jet(values), TypeError, "not (Jet|list|text|dict|NoneType|an array)")
        for values in ("abc", ["a", "b"], None, [None], [object()], A, {"a": 1}, [A, A])
    ),
    (lambda: Jet.constant("1", 2), TypeError, "value must be real or complex numbers, not text"),
    (lambda: Jet.constant(A, 2), TypeError, "value must be real or complex numbers, not Jet"),
    (lambda: Jet.line(["a"], 1.0, 2), TypeError, "point must be real or complex numbers, not list"),
    (lambda: Jet([]), ValueError, "a jet needs at least its constant coefficient"),
    (lambda: Jet(3.0), ValueError, r"a jet needs .* not one of shape \(\)"),
    (lambda: Jet(np.ones((0, 3))), ValueError, "a jet needs at least its constant coefficient"),
    (lambda: Jet.constant(np.ones(3), 2, shape=(4,)), ValueError, "shape"),
    (lambda: Jet.constant(np.ones((2, 3)), 2, shape=(3,)), ValueError, "shape"),
    (lambda: Jet.line(np.ones(3), np.ones(4), 2), ValueError, "shape"),
    (lambda: A**A, TypeError, r"the exponent must be one real number; use exp\(b \* log\(a\)\)"),
    (lambda: 2.0**A, TypeError, "the exponent must be one real number"),
    (lambda: A**1j, TypeError, "the exponent must be one real number"),
    (lambda: A ** np.array([1.0, 2.0]), TypeError, "the exponent must be one real number"),
    (lambda: A**np.nan, ValueError, "the exponent must be finite, not nan"),
    (lambda: A**-np.inf, ValueError, "the exponent must be finite, not -inf"),
    *(
        (
            lambda other=other, f=f: f(A, other),
            TypeError,
            "a jet combines with jets and numbers",
        )
        for other in ("a", None, [1.0, 2.0], {})
        for f in (operator.add, operator.mul, operator.sub, operator.truediv, operator.pow)
    ),
    (lambda: np.sin(A), TypeError, r"numpy's sin \(__call__\) is not defined on jets; use one of"),
    (
        lambda: np.maximum(A, 0),
        TypeError,
        r"numpy's maximum .* use sl.ring.relu\(x\) for maximum\(0, x\)",
    ),
    (lambda: np.log1p(A), TypeError, "use sl.ring.softplus"),
    (lambda: np.abs(A), TypeError, r"numpy's absolute .* use sl.ring.sqrt"),
    *(
        (lambda f=f: f(A), TypeError, "goes in steps, .* Use the loss, a probability or a margin")
        for f in (np.argmax, np.sign, np.round, lambda a: a > 0, lambda a: np.clip(a, 0, 1))
    ),
    (lambda: np.add.reduce(A), TypeError, r"numpy's add \(reduce.*\) is not defined on jets"),
    (lambda: np.exp(A, out=np.ones(2)), TypeError, "is not defined on jets"),
    (lambda: np.exp(A, where=np.ones(2, bool)), TypeError, r"exp \(__call__, where=\) is not"),
    (lambda: np.add.at(A, 0, 1.0), TypeError, r"numpy's add \(at\) is not defined on jets"),
    *(
        (lambda f=f: f(A), TypeError, "is not defined on jets; use one of .*sum.* jet.head is the")
        for f in (np.max, np.std, np.cumsum, np.linalg.norm, np.sort, np.real)
    ),
    (lambda: np.where(np.ones(2, bool), A, 0.0), TypeError, "numpy's where is not defined on jets"),
    (lambda: np.sum(A, out=np.ones(())), TypeError, "sum takes .*keepdims.* argument 'out'"),
    (lambda: np.sum(A, where=np.ones(2, bool)), TypeError, "sum takes .* argument 'where'"),
    (lambda: np.sum(A, 0, float), TypeError, "numpy's sum takes .* too many positional arguments"),
    (lambda: np.mean(A, dtype=complex), TypeError, "numpy's mean takes .* argument 'dtype'"),
    (lambda: np.take(A, [0]), TypeError, "numpy's take takes .* missing .* 'axis'"),
    (
        lambda: A * np.array([1, None]),
        TypeError,
        "combines with jets and numbers, not with ndarray",
    ),
    (lambda: A @ 2.0, ValueError, "needs vectors or matrices, not a single number: use"),
    (lambda: ring.linear(A, ZERO), ValueError, "needs vectors or matrices, not a single number"),
    (lambda: np.ones(2) == A, TypeError, "numpy's equal .* is not defined on jets"),
    (lambda: len(ZERO), TypeError, "scalar coefficients and no length"),
    (lambda: A + np.ones(3), ValueError, "shape"),
    (lambda: A[2], IndexError, "out of bounds"),
    (lambda: A[0, 0], IndexError, "too many indices"),
    (lambda: A.reshape(3), ValueError, "cannot reshape"),
    *(
        (lambda f=f: f(Jet(np.ones((3, 2, 4)))), (ValueError, IndexError), "axis|axes")
        for f in (
            lambda a: a.sum(2),
            lambda a: a.sum(-3),
            lambda a: a.mean((0, 2)),
            lambda a: a.sum((0, 0)),
            lambda a: a.swapaxes(0, 2),
            lambda a: ring.concatenate([a, a], 2),
        )
    ),
]


@pytest.mark.parametrize(
    "case, error, message", BAD_INPUT, ids=[f"{i} {case[2]}" for i, case in enumerate(BAD_INPUT)]
)
def test_bad_input_is_refused_with_a_message(case, error, message):
    with pytest.raises(error, match=message):
        case()


def test_a_scalar_jet_cannot_be_iterated_over():
    with pytest.raises(TypeError):
        list(Jet([1.0, 2.0]))


def test_the_branch_cut_may_be_approached_from_either_side():
    above, below = (ring.log(Jet([complex(-1.0, side), 1.0])) for side in (1e-9, -1e-9))
    assert_close(above.head, 1j * np.pi, 1e-8)
    assert_close(below.head, -1j * np.pi, 1e-8)
    assert_close(above.tail, [-1.0], 1e-8)
