"""Functions and their derivatives, the same for numbers, arrays and jets.

A loss written with these functions (and with + - * / ** @ and indexing) can be evaluated on numpy
arrays or on jets, and differentiated on either with `ring_grad`. Backpropagation uses nothing but
the ring operations, so over jets it is the textbook rule with ring products: the gradient of a
jet-valued loss is a jet, whose constant coefficient is the ordinary gradient. Nothing is
conjugated anywhere; on complex numbers these are the holomorphic derivatives.

autograd records the calls. Its table of vector-Jacobian products (VJPs) is extended here: each
function stands beside its rule, in which g is the gradient with respect to the function's result.
"""

import functools

import numpy as np
from autograd.core import VJPNode, add_outgrads
from autograd.extend import Box, VSpace, defvjp, defvjp_argnums, primitive, vspace
from autograd.tracer import isbox, new_box, toposort, trace_stack
from scipy import special

from . import jet as jets
from .jet import Jet


def _function(jet_rule, array_rule, *vjps):
    """A recorded function with one rule for jets, one for numbers, and its VJP per argument."""

    def unrecorded(*args, **settings):
        on_jets = type(args[0]) is Jet or (len(args) > 1 and type(args[1]) is Jet)
        return (jet_rule if on_jets else array_rule)(*args, **settings)

    recorded = primitive(unrecorded)
    defvjp(recorded, *vjps, argnums=range(len(vjps)))

    @functools.wraps(jet_rule)
    def function(*args, **settings):
        for a in args:
            if isinstance(a, Box):
                return recorded(*args, **settings)
        return unrecorded(*args, **settings)  # the same, without looking for a recording

    function.__module__ = __name__
    return function


def _is_numeric(a):
    return np.asarray(a).dtype != object


def _elementwise(name, array_rule):
    """A rule for arrays of numbers; of anything else it calls the method `name`, as np.exp does."""
    method = np.frompyfunc(lambda element: getattr(element, name)(), 1, 1)
    return lambda a: array_rule(a) if _is_numeric(a) else method(a)


def _reduced(g, like):
    """Sum g over the axes along which an operand of the shape of `like` was broadcast."""
    shape, target = np.shape(g), np.shape(like)
    if shape == target:
        return g
    if len(shape) > len(target):
        g = sum(g, tuple(range(len(shape) - len(target))))
    axes = tuple(i for i, size in enumerate(target) if size == 1 != np.shape(g)[i])
    return sum(g, axes, True) if axes else g


# ---- arithmetic ------------------------------------------------------------------------------

add = _function(
    jets.add,
    np.add,
    lambda y, a, b: lambda g: _reduced(g, a),
    lambda y, a, b: lambda g: _reduced(g, b),
)
subtract = _function(
    jets.subtract,
    np.subtract,
    lambda y, a, b: lambda g: _reduced(g, a),
    lambda y, a, b: lambda g: _reduced(-g, b),
)
multiply = _function(
    jets.multiply,
    np.multiply,
    lambda y, a, b: lambda g: _reduced(g * b, a),
    lambda y, a, b: lambda g: _reduced(g * a, b),
)
divide = _function(
    jets.divide,
    np.true_divide,
    lambda y, a, b: lambda g: _reduced(g / b, a),
    lambda y, a, b: lambda g: _reduced(-g * y / b, b),
)
negative = _function(Jet.__neg__, np.negative, lambda y, a: lambda g: -g)
power = _function(
    jets.power,
    lambda a, exponent: a**exponent,
    lambda y, a, exponent: (
        lambda g: g * (exponent * power(a, exponent - 1) if exponent else 0.0 * a)
    ),
)

# ---- elementary functions --------------------------------------------------------------------

exp = _function(jets.exp, np.exp, lambda y, a: lambda g: g * y)
log = _function(jets.log, np.log, lambda y, a: lambda g: g / a)
sqrt = _function(jets.sqrt, np.sqrt, lambda y, a: lambda g: g * (0.5 / y))
tanh = _function(jets.tanh, np.tanh, lambda y, a: lambda g: g * (1.0 - y * y))
erf = _function(
    jets.erf,
    _elementwise("erf", special.erf),
    lambda y, a: lambda g: g * (2.0 / np.sqrt(np.pi) * exp(-(a * a))),
)
normal_pdf = _function(
    jets.normal_pdf,
    _elementwise("normal_pdf", lambda a: np.exp(a * a * -0.5) * (1.0 / np.sqrt(2 * np.pi))),
    lambda y, a: lambda g: -g * (a * y),
)
normal_cdf = _function(
    jets.normal_cdf,
    _elementwise("normal_cdf", special.ndtr),
    lambda y, a: lambda g: g * normal_pdf(a),
)
gelu = _function(
    jets.gelu,
    _elementwise("gelu", lambda a: a * special.ndtr(a)),
    lambda y, a: lambda g: g * (normal_cdf(a) + a * normal_pdf(a)),
)

relu = _function(
    jets.relu,
    lambda a: np.where(np.real(a) > 0, a, 0.0),
    lambda y, a: lambda g: g * (_constant_part(a) > 0),
)


def _constant_part(a):
    return np.real(_bare(a).head if isinstance(_bare(a), Jet) else _bare(a))


# ---- shapes, sums and products of arrays -----------------------------------------------------


def _bare(value):
    """The value inside all of autograd's boxes, where only its shape is wanted."""
    while isbox(value):
        value = value._value
    return value


def _spread(g, like, axis, keepdims):
    """Repeat g along the axes that a sum removed."""
    like = _bare(like)
    shape = np.shape(like)
    if not keepdims:
        removed = range(len(shape)) if axis is None else np.atleast_1d(axis) % len(shape)
        g = reshape(g, tuple(1 if i in removed else size for i, size in enumerate(shape)))
    return _broadcast_like(g, like)


_broadcast_like = _function(
    jets.broadcast_like,
    lambda g, like: np.broadcast_to(g, np.shape(like)),
    lambda y, g, like: lambda h: _reduced(h, g),
)


def _scattered(g, leading, trailing, key):
    """Zeros of shape leading + trailing, to which the entries of g are added where key points."""
    target = np.zeros((*leading, *trailing), g.dtype)
    np.add.at(target, key, g)
    return target


@primitive
def _unindexed(g, like, key):
    shape = np.shape(like)
    if not isinstance(g, Jet):
        return _scattered(g, (), shape, key)
    count = jets.trailing_axes(key)
    if count is None:
        tail = np.array([_scattered(coefficient, (), shape, key) for coefficient in g.tail])
        return Jet.of(_scattered(g.full_head(), (), shape, key), tail.reshape(g.degree, *shape))
    leading, trailing = len(shape) - count, shape[len(shape) - count :]
    return Jet.of(
        _scattered(g.head, g.head.shape[:leading], trailing, key),
        _scattered(g.tail, g.tail.shape[: leading + 1], trailing, key),
    )


def _put_rows(g, indices, length, axis):
    """The VJP of `take` for a list of indices; axis counts from the end."""
    target = np.zeros((*g.shape[:axis], length, *g.shape[axis:][1:]), g.dtype)
    rows, sources = np.moveaxis(target, axis, 0), np.moveaxis(g, axis, 0)
    sources = np.broadcast_to(sources, (len(indices), *sources.shape[1:]))
    for index, source in zip(indices, sources, strict=True):
        rows[index] += source
    return target


@primitive
def _untaken(g, like, indices, axis):
    length, axis = np.shape(like)[axis], axis % np.ndim(like) - np.ndim(like)
    if np.ndim(indices) != 1:
        return _unindexed(g, like, (slice(None),) * (np.ndim(like) + axis) + (indices,))
    if isinstance(g, Jet):
        return Jet.of(*(_put_rows(part, indices, length, axis) for part in (g.head, g.tail)))
    return _put_rows(g, indices, length, axis)


defvjp(_unindexed, lambda y, g, like, key: lambda h: getitem(h, key), argnums=(0,))
defvjp(_untaken, lambda y, g, like, indices, axis: lambda h: take(h, indices, axis), argnums=(0,))

sum = _function(
    jets.sum,
    lambda a, axis=None, keepdims=False: np.sum(a, axis, keepdims=keepdims),
    lambda y, a, axis=None, keepdims=False: lambda g: _spread(g, a, axis, keepdims),
)
mean = _function(
    jets.mean,
    lambda a, axis=None, keepdims=False: np.mean(a, axis, keepdims=keepdims),
    lambda y, a, axis=None, keepdims=False: (
        lambda g: _spread(g * (np.size(y) / np.size(a)), a, axis, keepdims)
    ),
)
reshape = _function(jets.reshape, np.reshape, lambda y, a, shape: lambda g: reshape(g, np.shape(a)))
swapaxes = _function(jets.swapaxes, np.swapaxes, lambda y, a, i, j: lambda g: swapaxes(g, i, j))
getitem = _function(
    jets.getitem, lambda a, key: a[key], lambda y, a, key: lambda g: _unindexed(g, _bare(a), key)
)
take = _function(
    jets.take,
    lambda a, indices, axis: np.take(a, indices, axis),
    lambda y, a, indices, axis: lambda g: _untaken(g, _bare(a), indices, axis),
)
_matmul = _function(
    jets.matmul,
    np.matmul,
    lambda y, a, b: lambda g: _reduced(_matmul(g, swapaxes(b, -1, -2)), a),
    lambda y, a, b: lambda g: _reduced(_matmul(swapaxes(a, -1, -2), g), b),
)
matmul = jets.with_vectors(_matmul)
linear = _function(
    jets.linear,
    lambda x, weights: np.matmul(x, weights.swapaxes(-1, -2)),
    lambda y, x, weights: lambda g: _reduced(matmul(g, weights), x),
    lambda y, x, weights: lambda g: _reduced(matmul(swapaxes(g, -1, -2), x), weights),
)


def concatenate(parts, axis=0):
    """Join arrays or jets along an axis."""
    return parts[0] if len(parts) == 1 else _concatenate(axis, *parts)


@primitive
def _concatenate(axis, *parts):
    join = jets.concatenate if any(isinstance(part, Jet) for part in parts) else np.concatenate
    return join(parts, axis)


def _concatenate_vjps(argnums, y, args, kwargs):
    axis, parts = args[0], args[1:]
    ends = np.cumsum([np.shape(part)[axis] for part in parts])
    after = (slice(None),) * (np.ndim(y) - 1 - axis % np.ndim(y))

    def slice_of(g, argnum):
        end = ends[argnum - 1]
        return getitem(g, (..., slice(end - np.shape(args[argnum])[axis], end), *after))

    return lambda g: (slice_of(g, argnum) for argnum in argnums)


defvjp_argnums(_concatenate, _concatenate_vjps)

# ---- probabilities ---------------------------------------------------------------------------


def _array_softmax(a, where=None):
    if not _is_numeric(a):
        weights = exp(a) if where is None else exp(a) * where
        return weights / np.sum(weights, -1, keepdims=True)
    masked = a if where is None else np.where(where, a, -np.inf)
    weights = np.exp(masked - np.max(np.real(masked), axis=-1, keepdims=True))
    return weights / np.sum(weights, -1, keepdims=True)


def _array_logsumexp(a):
    if not _is_numeric(a):
        return log(np.sum(exp(a), -1))
    shift = np.max(np.real(a), axis=-1)
    return np.log(np.sum(np.exp(a - shift[..., None]), -1)) + shift


softmax = _function(
    jets.softmax,
    _array_softmax,
    lambda y, a, where=None: lambda g: y * (g - sum(g * y, -1, True)),
)
logsumexp = _function(
    jets.logsumexp,
    _array_logsumexp,
    lambda y, a: lambda g: getitem(g, (..., None)) * softmax(a),
)


def _array_cross_entropy(logits, targets):
    chosen = logits[..., np.arange(len(targets)), np.asarray(targets)]
    return np.mean(_array_logsumexp(logits) - chosen, -1)


cross_entropy = _function(
    jets.cross_entropy,
    _array_cross_entropy,
    lambda y, logits, targets: (
        lambda g: (
            getitem(g, (..., None, None))
            * ((softmax(logits) - np.eye(np.shape(logits)[-1])[np.asarray(targets)]) / len(targets))
        )
    ),
)
rmsnorm = _function(
    jets.rmsnorm,
    lambda a, eps: a * (np.mean(a * a, -1, keepdims=True) + eps) ** -0.5,
    lambda y, a, eps: (
        lambda g: power(mean(a * a, -1, True) + eps, -0.5) * (g - y * mean(g * y, -1, True))
    ),
)

# ---- jets under autograd ---------------------------------------------------------------------


class JetBox(Box):
    """A jet that autograd is recording."""

    __slots__ = []
    __array_ufunc__ = None  # so that array * box reaches the reflected operator below

    degree = property(lambda self: self._value.degree)
    shape = property(lambda self: self._value.shape)
    ndim = property(lambda self: self._value.ndim)
    size = property(lambda self: self._value.size)

    __add__ = __radd__ = add
    __mul__ = __rmul__ = multiply
    __sub__, __truediv__, __matmul__, __pow__ = subtract, divide, matmul, power
    __neg__, __getitem__ = negative, getitem

    def __rsub__(self, other):
        return subtract(other, self)

    def __rtruediv__(self, other):
        return divide(other, self)

    def __rmatmul__(self, other):
        return matmul(other, self)

    def reshape(self, *shape):
        return reshape(self, shape[0] if len(shape) == 1 and np.ndim(shape[0]) else shape)

    swapaxes, sum, mean = swapaxes, sum, mean


class JetVSpace(VSpace):
    """The module of jets of one degree and shape: what autograd adds gradients in."""

    def __init__(self, value):
        self.degree, self.shape, self.head_shape = value.degree, value.shape, value.head.shape

    def zeros(self):
        return Jet.of(np.zeros(self.head_shape), np.zeros((self.degree, *self.shape)))


JetBox.register(Jet)
JetVSpace.register(Jet)

# ---- gradients -------------------------------------------------------------------------------


def map_leaves(function, tree):
    """Apply a function to every array or jet in a nest of dicts, lists and tuples."""
    if isinstance(tree, dict):
        return {key: map_leaves(function, value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return type(tree)(map_leaves(function, value) for value in tree)
    return function(tree)


def ring_grad(loss):
    """The gradient of `loss` with respect to its first argument, over numbers or jets.

    loss(parameters, *args) must be written with the functions of this module or with
    autograd.numpy; `parameters` is an array, a jet, or a nest of dicts, lists and tuples of them.
    The result has the same structure. A loss with a shape (one entry per independent model of a
    batch) is differentiated as the sum of its entries, which gives each model its own gradient.
    """

    @functools.wraps(loss)
    def gradient(parameters, *args, **kwargs):
        roots = []

        def watched(value):
            value = float(value) if isinstance(value, int) else value
            roots.append((VJPNode.new_root(), value))
            return new_box(value, trace, roots[-1][0])

        with trace_stack.new_trace() as trace:
            result = loss(map_leaves(watched, parameters), *args, **kwargs)
        gradients = {}
        if isbox(result) and result._trace == trace:
            _check_same_ring(_bare(result), [_bare(value) for _, value in roots])
            gradients = _backpropagated(_one_like(_bare(result)), result._node, roots)
        found = iter(
            gradients[node] if node in gradients else vspace(value).zeros() for node, value in roots
        )
        return map_leaves(lambda _: next(found), parameters)

    return gradient


def _check_same_ring(result, parameters):
    """Refuse number parameters of a jet and real ones of a complex loss: parts would be lost."""
    if all(isinstance(p, Jet) for p in parameters):
        return
    if isinstance(result, Jet) or (
        np.iscomplexobj(result) and any(np.isrealobj(p) for p in parameters)
    ):
        ring_of_loss, lift = "jets", "sketchlab.Jet.constant(p, degree)"
        if not isinstance(result, Jet):
            ring_of_loss, lift = "complex numbers", "p.astype(complex)"
        raise TypeError(
            f"the values of the loss are {ring_of_loss} but its parameters are not: "
            f"put them into the same ring first, {lift}"
        )


def _one_like(value):
    """The one of the ring in every entry (autograd's own would be 1 + 1i for complex numbers)."""
    if isinstance(value, Jet):
        return Jet.of(np.ones(value.head.shape), np.zeros_like(value.tail))
    return np.ones(np.shape(value), np.asarray(value).dtype)


def _backpropagated(seed, end_node, roots):
    """Gradients by node of every root that the end node depends on."""
    wanted, gradients, pending = {node for node, _ in roots}, {}, {end_node: (seed, False)}
    for node in toposort(end_node):
        g = pending.pop(node)[0]
        if node in wanted:
            gradients[node] = g
        for parent, contribution in zip(node.parents, node.vjp(g), strict=False):
            pending[parent] = add_outgrads(pending.get(parent), contribution)
    return gradients
