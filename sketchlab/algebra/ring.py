"""All functions under one name, with their derivatives, the same for numbers, arrays and jets.

A loss written with these functions (and with + - * / ** @ and indexing) can be evaluated on numpy
arrays or on jets, and differentiated on either with `ring_grad`. Each function stands beside its
rule for gradients, in which g is the gradient with respect to the function's result y; those of one
variable are in the table of `elementary`.
"""

import operator

import numpy as np
from scipy import special

from ..arguments import kinds_array
from . import arithmetic
from .elementary import (
    erf,
    exp,
    gelu,
    log,
    normal_cdf,
    normal_pdf,
    power,
    real_base,
    relu,
    sigmoid,
    softplus,
    sqrt,
    tanh,
)
from .gradient import ring_grad
from .jet import RULES, Jet
from .recording import bare, is_numeric, recorded, shape_of
from .shapes import concatenate, getitem, reshape, swapaxes, take
from .sums import linear, matmul, mean, reduced, sum

__all__ = [
    "add",
    "concatenate",
    "cross_entropy",
    "divide",
    "erf",
    "exp",
    "gelu",
    "getitem",
    "linear",
    "log",
    "logsumexp",
    "matmul",
    "mean",
    "multiply",
    "negative",
    "normal_cdf",
    "normal_pdf",
    "power",
    "relu",
    "reshape",
    "ring_grad",
    "rmsnorm",
    "sigmoid",
    "softmax",
    "softplus",
    "sqrt",
    "subtract",
    "sum",
    "swapaxes",
    "take",
    "tanh",
]

# ---- arithmetic ------------------------------------------------------------------------------


def _binary(on_jets, on_numbers, by_a, by_b):
    """An operation on broadcast operands: a gradient is summed back to the shape of its operand."""
    return recorded(
        on_jets,
        on_numbers,
        lambda y, a, b: lambda g: reduced(by_a(g, y, a, b), a),
        lambda y, a, b: lambda g: reduced(by_b(g, y, a, b), b),
    )


add = _binary(arithmetic.add, np.add, lambda g, *_: g, lambda g, *_: g)
subtract = _binary(arithmetic.subtract, np.subtract, lambda g, *_: g, lambda g, *_: -g)
multiply = _binary(
    *(arithmetic.multiply, np.multiply, lambda g, y, a, b: g * b, lambda g, y, a, b: g * a)
)
divide = _binary(
    *(arithmetic.divide, np.divide, lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b)
)
negative = recorded(arithmetic.negative, np.negative, lambda y, a: lambda g: -g)

# ---- probabilities ---------------------------------------------------------------------------


def _jet_softmax(a, where=None):
    """exp(a) / sum(exp(a)) over the last axis; entries with where=False get probability 0."""
    head, tail = a.head, a.tail
    if where is not None:
        head = np.where(where, head, -np.inf)
        tail = arithmetic.widened(a, np.broadcast_shapes(a.shape, np.shape(where)))
    shift = np.max(np.real(head), axis=-1, keepdims=True)
    weights = exp(Jet.of(head - shift, tail))
    return divide(weights, sum(weights, -1, keepdims=True))


def _array_softmax(a, where=None):
    if not is_numeric(a):
        weights = exp(a) if where is None else exp(a) * where
        return weights / np.sum(weights, -1, keepdims=True)
    masked = a if where is None else np.where(where, a, -np.inf)
    weights = np.exp(masked - np.maximum.reduce(masked.real, axis=-1, keepdims=True))
    return weights / np.add.reduce(weights, -1, keepdims=True)


def _jet_logsumexp(a):
    """log(sum(exp(a))) over the last axis, without overflow."""
    if not isinstance(a, Jet) and not is_numeric(a):
        return log(sum(exp(a), -1))
    shift = np.maximum.reduce(real_base(a), axis=-1)
    if type(a) is np.ndarray:
        return np.log(np.add.reduce(np.exp(a - shift[..., None]), -1)) + shift
    return log(sum(exp(a - shift[..., None]), -1)) + shift


def _cross_entropy(logits, targets):
    last = targets.ndim - 1
    places = [np.arange(n).reshape(n, *(1,) * (last - i)) for i, n in enumerate(targets.shape)]
    return mean(logsumexp(logits) - getitem(logits, (..., *places, targets)), -1)


def _one_hot(targets, logits):
    """1 at each target among the classes, else 0; not in higher precision than the logits."""
    logits = bare(logits)
    dtype = logits.real.dtype if isinstance(logits, np.ndarray) else float
    return np.eye(logits.shape[-1], dtype=dtype)[targets]


def _jet_rmsnorm(a, eps):
    """a divided by the root of its mean square (plus eps) over the last axis."""
    return a * power(mean(a * a, -1, True) + eps, -0.5)


def _mean_of_last(a):
    """mean(a, -1, True), in less time for numbers."""
    if type(a) is np.ndarray:
        return np.add.reduce(a, -1, keepdims=True) / a.shape[-1]
    return mean(a, -1, True)


softmax = recorded(
    _jet_softmax,
    _array_softmax,
    lambda y, a, where=None: lambda g: reduced(y * (g - sum(g * y, -1, True)), a),
)
logsumexp = recorded(
    _jet_logsumexp, _jet_logsumexp, lambda y, a: lambda g: getitem(g, (..., None)) * softmax(a)
)
rmsnorm = recorded(
    _jet_rmsnorm,
    lambda a, eps: a * (_mean_of_last(a * a) + eps) ** -0.5,
    lambda y, a, eps: (
        lambda g: power(_mean_of_last(a * a) + eps, -0.5) * (g - y * _mean_of_last(g * y))
    ),
)
_checked_cross_entropy = recorded(
    _cross_entropy,
    _cross_entropy,
    lambda y, logits, targets: (
        lambda g: (
            getitem(g, (..., None, None))
            * ((softmax(logits) - _one_hot(targets, logits)) / targets.shape[-1])
        )
    ),
)


def cross_entropy(logits, targets):
    """The mean over positions of -log softmax(logits)[target], in nats.

    logits: shape (*batch, positions, classes). targets: class numbers, either one sequence that the
    whole batch shares, shape (positions,), or one for each of its members, (*batch, positions) or
    what numpy broadcasts to it. The result has the shape of the batch. Raises TypeError for targets
    that are not integers, ValueError for shapes that do not fit, IndexError for unknown classes.
    """
    shape, targets = shape_of(logits), kinds_array(targets, "targets")
    if targets.dtype.kind not in "iu":
        raise TypeError(f"targets must be class numbers, integers, not {targets.dtype}")
    fits = shape[-1 - targets.ndim : -1]
    if not (
        len(fits) == targets.ndim > 0
        and targets.shape[-1] == fits[-1] > 0
        and all(a in (1, b) for a, b in zip(targets.shape, fits, strict=True))
    ):
        raise ValueError(
            f"targets of shape {targets.shape} do not fit logits of shape {shape}: give one "
            f"sequence for all, shape {shape[-2:-1]}, or one for each, shape {shape[:-1]}"
        )
    least, most = np.minimum.reduce, np.maximum.reduce  # of all
    if targets.size and not 0 <= least(targets, None) <= most(targets, None) < shape[-1]:
        raise IndexError(f"targets must be class numbers from 0 to {shape[-1] - 1}, not {targets}")
    if targets.shape != fits:
        targets = np.broadcast_to(targets, fits)
    return _checked_cross_entropy(logits, targets)


# ---- numpy's names ---------------------------------------------------------------------------

_SAME = "add subtract multiply divide negative power matmul exp log sqrt tanh"
for _name in f"{_SAME} reshape swapaxes take concatenate".split():
    RULES[getattr(np, _name)] = globals()[_name]
RULES |= {special.erf: erf, special.ndtr: normal_cdf, special.expit: sigmoid}
RULES |= {operator.getitem: getitem, np.positive: lambda a: a, np.square: lambda a: a * a}
RULES[np.sum] = lambda a, axis=None, *, keepdims=False: sum(a, axis, keepdims)
RULES[np.mean] = lambda a, axis=None, *, keepdims=False: mean(a, axis, keepdims)
RULES |= {np.shape: lambda a: a.shape, np.ndim: lambda a: a.ndim, np.size: lambda a: a.size}
RULES |= {
    np.iscomplexobj: lambda a: a.dtype.kind == "c",
    np.isrealobj: lambda a: a.dtype.kind != "c",
}
