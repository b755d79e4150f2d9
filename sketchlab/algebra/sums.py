"""Sums and matrix products of arrays and jets, and repeating entries, which undoes a sum."""

import math

import numpy as np

from .arithmetic import joint_type, multiply, padded, same_degree, widened
from .jet import Jet
from .recording import bare, recorded, shape_of
from .shapes import axes_of, getitem, reshape, swapaxes


def _jet_broadcast_like(a, other):
    """Repeat the entries of `a` to the shape of `other`, sharing heads where `other` does."""
    if not isinstance(a, Jet):
        return np.broadcast_to(a, np.shape(other))
    head_shape = other.head.shape if isinstance(other, Jet) else np.shape(other)
    head_shape = np.broadcast_shapes(a.head.shape, head_shape)
    return Jet.of(np.broadcast_to(a.head, head_shape), widened(a, np.shape(other)))


def _jet_sum(a, axis=None, keepdims=False):
    """Sum every coefficient along `axis` (an int, a tuple, or None for all axes)."""
    axes = axes_of(a, axis)
    head = np.add.reduce(a.head, axes, keepdims=keepdims)
    for axis in axes:
        if a.head.shape[axis] != a.shape[axis]:
            head = head * float(a.shape[axis])
    return Jet.of(head, np.add.reduce(a.tail, tuple(k + 1 for k in axes), keepdims=keepdims))


def _jet_mean(a, axis=None, keepdims=False):
    """Average every coefficient along `axis`."""
    count = math.prod(a.shape[k] for k in axes_of(a, axis))
    return multiply(_jet_sum(a, axis, keepdims), 1.0 / count)


def _jet_matmul(a, b):
    """Matrix product over the last two axes; leading axes broadcast as in numpy."""
    degree = same_degree(a, b)
    ndim = max(np.ndim(a), np.ndim(b))
    if not isinstance(b, Jet):
        return Jet.of(_matrix_head(a) @ b, _product(padded(a.tail, ndim), b))
    if not isinstance(a, Jet):
        return Jet.of(a @ _matrix_head(b), _product(a, padded(b.tail, ndim), head_first=True))
    tail_a, tail_b = padded(a.tail, ndim), padded(b.tail, ndim)
    head_a, head_b = _matrix_head(a), _matrix_head(b)
    (m, n), size = a.shape[-2:], b.shape[-1]
    if degree > 1 and a.shape[:-2] == b.shape[:-2] and n * (m + size) <= m * size:
        return Jet.of(head_a @ head_b, _thin_product(a, b))
    first, second = _product(head_a, tail_b, head_first=True), _product(tail_a, head_b)
    tail = np.add(first, second, order="C")
    for i in range(1, degree):
        tail[i:] += tail_a[i - 1] @ tail_b[: degree - i]
    return Jet.of(head_a @ head_b, tail)


def _thin_product(a, b):
    """The tail of a @ b where summing up products would cost more than the factors' copies.

    With the coefficients of a side by side, and those of b in reverse, each coefficient of the
    product is one product of matrices.
    """
    (degree, *batch, m, n), size = a.tail.shape, b.shape[-1]
    left = np.empty((*batch, degree + 1, n, m), a.tail.dtype)
    right = np.empty((*batch, degree + 1, n, size), b.tail.dtype)
    order = range(1, len(batch) + 1)  # the axes of the batch before that of the degree
    left[..., 0, :, :] = a.head.swapaxes(-1, -2)
    left[..., 1:, :, :] = a.tail.transpose(*order, 0, -1, -2)
    right[..., degree, :, :] = b.head
    right[..., :degree, :, :] = b.tail[::-1].transpose(*order, 0, -2, -1)
    left = left.reshape(*batch, -1, m).swapaxes(-1, -2)
    right = right.reshape(*batch, -1, size)
    tail = np.empty((degree, *batch, m, size), np.result_type(left, right))
    for k in range(1, degree + 1):
        first = right[..., (degree - k) * n :, :]
        np.matmul(left[..., : (k + 1) * n], first, out=tail[k - 1])
    return tail


def _matrix_head(jet):
    """The head with its last two axes written out: they are multiplied and summed over."""
    if jet.head.shape[-2:] == jet.shape[-2:]:
        return jet.head
    return np.broadcast_to(jet.head, jet.head.shape[:-2] + jet.shape[-2:])


def _product(a, b, *, head_first=False):
    """a @ b where one factor is a tail and the other a head, often real and shared by all rows.

    The head comes in the tail's precision.
    """
    head, tail = (a, b) if head_first else (b, a)
    kept = tail.real.dtype if head.dtype.kind != "c" else joint_type(head.dtype, tail)
    head = head.astype(kept, copy=False)
    a, b = (head, tail) if head_first else (tail, head)
    if head.dtype.kind == "f" and tail.dtype.kind == "c":
        if head_first and b.strides[-1] == b.itemsize:
            return (a @ b.view(kept)).view(b.dtype)  # half the work of a complex product
        if not head_first and a.strides[-2] == a.itemsize:
            turned = _product(b.swapaxes(-1, -2), a.swapaxes(-1, -2), head_first=True)
            return turned.swapaxes(-1, -2)
    if b.size == b.shape[-2] * b.shape[-1] and a.ndim > b.ndim:  # one large product, not many small
        rows = a.reshape(-1, a.shape[-1]) @ b.reshape(b.shape[-2:])
        return rows.reshape(*a.shape[:-1], b.shape[-1])
    return a @ b


def reduced(g, like):
    """Sum g over the axes along which an operand of the shape of `like` was broadcast."""
    shape, target = shape_of(g), shape_of(like)
    if shape == target:
        return g
    if len(shape) > len(target):
        g = sum(g, tuple(range(len(shape) - len(target))))
    axes = tuple(i for i, size in enumerate(target) if size == 1 != np.shape(g)[i])
    return sum(g, axes, True) if axes else g


def _spread(g, like, axis, keepdims):
    """Repeat g along the axes that a sum removed."""
    like = bare(like)
    shape = np.shape(like)
    if not keepdims:
        removed = range(len(shape)) if axis is None else np.atleast_1d(axis) % len(shape)
        g = reshape(g, tuple(1 if i in removed else size for i, size in enumerate(shape)))
    if type(g) is np.ndarray and type(like) is np.ndarray:
        return np.full(shape, g)
    return _broadcast_like(g, like)


_broadcast_like = recorded(
    _jet_broadcast_like,
    lambda g, like: np.broadcast_to(g, np.shape(like)),
    lambda y, g, like: lambda h: reduced(h, g),
)
sum = recorded(
    _jet_sum,
    lambda a, axis=None, keepdims=False: np.sum(a, axis, keepdims=keepdims),
    lambda y, a, axis=None, keepdims=False: lambda g: _spread(g, a, axis, keepdims),
)
mean = recorded(
    _jet_mean,
    lambda a, axis=None, keepdims=False: np.mean(a, axis, keepdims=keepdims),
    lambda y, a, axis=None, keepdims=False: (
        lambda g: _spread(g * (np.size(y) / np.size(a)), a, axis, keepdims)
    ),
)
_matmul = recorded(
    _jet_matmul,
    np.matmul,
    lambda y, a, b: lambda g: reduced(_matmul(g, swapaxes(b, -1, -2)), a),
    lambda y, a, b: lambda g: reduced(_matmul(swapaxes(a, -1, -2), g), b),
)
_linear = recorded(
    lambda x, weights: _jet_matmul(x, weights.swapaxes(-1, -2)),
    lambda x, weights: np.matmul(x, weights.swapaxes(-1, -2)),
    lambda y, x, weights: lambda g: reduced(_matmul(g, weights), x),
    lambda y, x, weights: lambda g: reduced(_matmul(g.swapaxes(-1, -2), x), weights),
)


def matmul(a, b):
    """The matrix product over the last two axes; as in numpy, a vector (n,) is a row or a column.

    Leading axes are broadcast. Raises ValueError for a single number, or lengths that do not fit.
    """
    axes_a, axes_b = len(shape_of(a)), len(shape_of(b))
    if axes_a > 1 and axes_b > 1:
        return _matmul(a, b)
    if not (axes_a and axes_b):
        raise ValueError("a matrix product needs vectors or matrices, not a single number: use *")
    product = _matmul(
        getitem(a, (None,)) if axes_a == 1 else a, getitem(b, (..., None)) if axes_b == 1 else b
    )
    return getitem(product, (..., *[0] * (axes_a == 1), slice(None) if axes_b > 1 else 0))


def linear(x, weights):
    """x @ weights^T over the last two axes: `weights` holds one row per output.

    x of shape (..., n) and weights (..., outputs, n) give (..., outputs); a vector is one row.
    """
    axes = len(shape_of(weights))
    if axes > 1 and len(shape_of(x)) > 1:
        return _linear(x, weights)
    return matmul(x, swapaxes(weights, -1, -2) if axes > 1 else weights)
