"""Elementary functions as one table: what a function is on numbers, its derivative, on jets.

The derivative is a formula in the value y = f(a) and the argument a, written with functions that
numbers, jets and gates share, so that the one entry serves three times: a gradient is multiplied by
it, it is the local derivative of a gate (see `circuits`), and it gives the series of a jet. For if
y' = w a', then comparing the coefficients of z^(k-1) gives

    k y_k = sum_{i=1..k} i a_i w_{k-i},

y from the jets of a and w in O(K^2) products: `integrate`. A function whose derivative needs only a
needs no rule for jets. The others, and those with a faster way, have one that starts with _jet.
"""

import operator
from typing import NamedTuple

import numpy as np
from scipy import special

from . import arithmetic
from .arithmetic import (
    add,
    multiply,
    orders_of,
    refuse_branch_cut,
    square,
    summed,
    weights_for,
)
from .jet import Jet
from .recording import bare, is_numeric, recorded

# ---- jets ------------------------------------------------------------------------------------


def integrate(w, a, start):
    """The jet y with y' = w a' and constant coefficient `start`."""
    tail = np.empty(np.broadcast_shapes(a.tail.shape, w.tail.shape), np.result_type(a.tail, w.tail))
    slopes, weights = _times_degree(a.tail), weights_for(w.head, tail)
    for k in range(1, a.degree + 1):
        _put_order(tail, k, slopes, weights, w.tail)
    return Jet.of(start, tail)


def _times_degree(tail):
    """i a_i for i = 1..K: the coefficients of z a'(z)."""
    return tail * orders_of(tail)


def _put_order(tail, k, slopes, w_head, w_tail):
    """Write y_k = (1/k) sum_{i=1..k} slopes_i w_{k-i} into tail[k-1]."""
    total = np.multiply(slopes[k - 1], w_head, out=tail[k - 1, ...])
    if k > 1:
        total += summed(slopes[: k - 1] * w_tail[: k - 1][::-1])
        total *= 1.0 / k


def _jet_exp(a):
    head = np.exp(a.head)
    tail = np.empty_like(a.tail)
    slopes, weights = _times_degree(a.tail), weights_for(head, tail)
    for k in range(1, a.degree + 1):
        _put_order(tail, k, slopes, weights, tail)
    return Jet.of(head, tail)


def _jet_log(a):
    refuse_branch_cut(a.head, "log")
    return integrate(arithmetic.power(a, -1), a, np.log(a.head))


def _jet_tanh(a):
    head = np.tanh(a.head)
    w_head, w_tail = weights_for(1.0 - head * head, a.tail), np.empty_like(a.tail)
    tail, slopes = np.empty_like(a.tail), _times_degree(a.tail)
    for k in range(1, a.degree + 1):
        _put_order(tail, k, slopes, w_head, w_tail)
        w_tail[k - 1] = weights_for(-2.0 * head, tail) * tail[k - 1]
        if k > 1:
            w_tail[k - 1] -= summed(tail[: k - 1] * tail[: k - 1][::-1])
    return Jet.of(head, tail)


def _jet_sqrt(a):
    return arithmetic.power(a, 0.5)


def _jet_pdf(a):
    return multiply(_jet_exp(multiply(square(a), -0.5)), PDF_0)


def _jet_gelu(a):
    return multiply(a, normal_cdf(a))


def _gelu_slope(a):
    """normal_cdf(a) + a normal_pdf(a), the density taken once."""
    density = normal_pdf(a)
    if type(a) is Jet:
        return add(integrate(density, a, special.ndtr(a.head)), multiply(a, density))
    return normal_cdf(a) + a * density


def _jet_relu(a):
    right = np.real(a.head) > 0
    return Jet.of(np.where(right, a.head, 0.0), np.where(right, a.tail, 0.0))


def _jet_decay(a):
    """exp(-a) right of 0 and exp(a) left of it, which cannot overflow."""
    return _jet_exp(multiply(a, np.where(np.real(a.head) > 0, -1.0, 1.0)))


def _jet_sigmoid(a):
    decay, right = _jet_decay(a), np.real(a.head) > 0
    top = Jet.of(np.where(right, 1.0, decay.head), np.where(right, 0.0, decay.tail))
    return multiply(top, arithmetic.power(add(decay, 1.0), -1))


def _jet_softplus(a):
    tail = add(_jet_relu(a), _jet_log(add(_jet_decay(a), 1.0))).tail
    return Jet.of(_softplus(a.head), tail)


# ---- numbers ---------------------------------------------------------------------------------


def _normal_pdf(a):
    return np.exp(a * a * -0.5) * PDF_0


def _gelu(a):
    return a * special.ndtr(a)


def _relu(a):
    return np.where(np.real(a) > 0, a, 0.0)


def _decay(a):
    return np.exp(np.where(np.real(a) > 0, -a, a))


def _softplus(a):
    return _relu(a) + np.log1p(_decay(a))


def _sigmoid(a):
    return np.where(np.real(a) > 0, 1.0, _decay(a)) / (1.0 + _decay(a))


def real_base(a):
    """The real part of the constant coefficient, on which a choice depends."""
    a = bare(a)
    return np.real(a.head if isinstance(a, Jet) else a)


def _is_positive(y, a):
    return real_base(a) > 0


# ---- the table -------------------------------------------------------------------------------


class Elementary(NamedTuple):
    """One function: in words, on numbers, its derivative, and on jets if not by `integrate`."""

    words: str
    on_numbers: callable
    derivative: callable
    on_jets: callable = None


FLOAT = np.dtype(float)
PDF_0 = float(1.0 / np.sqrt(2 * np.pi))
ROWS = {
    "exp": ("exponential", np.exp, lambda y, a: y, _jet_exp),
    "log": ("natural logarithm (principal branch)", np.log, lambda y, a: power(a, -1), _jet_log),
    "power": (
        "power a ** p for a fixed real number p",
        *(operator.pow, lambda y, a, p: p * power(a, p - 1) if p else 0 * a, arithmetic.power),
    ),
    "sqrt": ("square root (principal branch)", np.sqrt, lambda y, a: 0.5 / y, _jet_sqrt),
    "tanh": ("hyperbolic tangent", np.tanh, lambda y, a: 1.0 - y * y, _jet_tanh),
    "erf": (
        "error function",
        special.erf,
        lambda y, a: exp(-(a * a)) * float(2.0 / np.sqrt(np.pi)),
    ),
    "normal_pdf": ("density of the standard normal", _normal_pdf, lambda y, a: -(a * y), _jet_pdf),
    "normal_cdf": (
        "distribution function of the standard normal",
        *(special.ndtr, lambda y, a: normal_pdf(a)),
    ),
    "gelu": (
        "Gaussian error linear unit, a * normal_cdf(a) (the exact form, with erf)",
        *(_gelu, lambda y, a: _gelu_slope(a), _jet_gelu),
    ),
    "sigmoid": ("1 / (1 + exp(-a))", _sigmoid, lambda y, a: y * sigmoid(-a), _jet_sigmoid),
    "softplus": ("log(1 + exp(a))", _softplus, lambda y, a: sigmoid(a), _jet_softplus),
    "relu": ("max(a, 0), by the constant coefficient", _relu, _is_positive, _jet_relu),
}
TABLE = {name: Elementary(*row) for name, row in ROWS.items()}


def _refuse_exponent(y, a, p):
    raise TypeError("the exponent of power is not differentiated; use exp(b * log(a)) for a ** b")


def _function(name):
    """The recorded function of one entry."""
    words, on_numbers, derivative, on_jets = TABLE[name]

    def integrated(a):
        return integrate(derivative(None, a), a, on_numbers(a.head))

    def method(element):
        if not hasattr(element, name):
            raise TypeError(f"{name} is not defined for {type(element).__name__}")
        return getattr(element, name)()

    each = np.frompyfunc(method, 1, 1)  # on arrays of gates

    def on_others(a, *settings):
        if getattr(a, "dtype", FLOAT).kind in "biu":  # which wrap, or become half precision
            a = a.astype(float)
        return on_numbers(a, *settings) if settings or is_numeric(a) else each(a)

    def vjp(y, *args):
        return lambda g: g * derivative(y, *args)

    others = [_refuse_exponent] if name == "power" else []
    function = recorded(on_jets or integrated, on_others, vjp, *others)
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"The {words}; of a number, an array or a jet."
    return function


exp, log, power, sqrt, tanh = map(_function, ("exp", "log", "power", "sqrt", "tanh"))
erf, normal_pdf, normal_cdf = map(_function, ("erf", "normal_pdf", "normal_cdf"))
gelu, sigmoid, softplus, relu = map(_function, ("gelu", "sigmoid", "softplus", "relu"))
