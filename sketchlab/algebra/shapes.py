"""Entries and shapes of arrays and jets: indexing, reshaping, joining.

On jets they act on each coefficient. A head that is shared along an axis (where it has length 1)
stays shared where that is possible, and is written out where it is not.
"""

import numpy as np
from autograd.extend import defvjp, defvjp_argnums, primitive

from .arithmetic import same_degree
from .jet import Jet
from .recording import bare, recorded


def _trailing_axes(key):
    """How many last axes `key` = (..., i, j) indexes, if each coefficient may be indexed apart.

    None if the key has another form: numpy then needs all the axes, or moves some to the front.
    """
    if not isinstance(key, tuple) or not key or key[0] is not Ellipsis:
        return None
    rest = key[1:]
    if all(k is None or isinstance(k, (slice, int, np.integer)) for k in rest):
        return None if any(isinstance(k, bool) for k in rest) else len(rest) - rest.count(None)
    if all(isinstance(k, np.ndarray) and k.dtype.kind in "iu" for k in rest):
        return len(rest)
    return None


def _jet_getitem(a, key):
    """Index every coefficient with `key`, as numpy would."""
    count = _trailing_axes(key)
    if count is not None and a.head.shape[a.ndim - count :] == a.shape[a.ndim - count :]:
        return Jet.of(a.head[key], a.tail[key])
    head = a.full_head()[key]
    tail = np.empty((a.degree, *np.shape(head)), a.tail.dtype)
    for k, coefficient in enumerate(a.tail):
        tail[k] = coefficient[key]
    return Jet.of(head, tail)


def _jet_take(a, indices, axis):
    """Pick entries by number along `axis`."""
    (axis,) = axes_of(a, axis)
    head = a.head if a.head.shape[axis] == a.shape[axis] else a.full_head()
    return Jet.of(head.take(indices, axis), a.tail.take(indices, axis + 1))


def _jet_reshape(a, shape):
    """Reshape every coefficient; `shape` is a tuple, or an int for one axis."""
    shape = (shape,) if np.ndim(shape) == 0 else tuple(shape)
    tail = (
        a.tail.reshape(a.degree, *shape)
        if a.degree
        else np.empty((0, *np.empty(a.shape, bool).reshape(shape).shape))
    )
    shape = tail.shape[1:]
    if a.head.shape == a.shape:
        return Jet.of(a.head.reshape(shape), tail)
    if a.head.shape[1:] == a.shape[1:] and shape and shape[0] == a.shape[0]:
        return Jet.of(a.head.reshape(1, *shape[1:]), tail)
    return Jet.of(a.full_head().reshape(shape), tail)


def _jet_swapaxes(a, axis1, axis2):
    """Exchange two axes of every coefficient."""
    (axis1,), (axis2,) = axes_of(a, axis1), axes_of(a, axis2)
    return Jet.of(a.head.swapaxes(axis1, axis2), a.tail.swapaxes(axis1 + 1, axis2 + 1))


def axes_of(a, axis):
    """The axes of a jet that `axis` names, all of them for None, as a tuple from 0 up."""
    axes = tuple(range(a.ndim)) if axis is None else axis
    return np.lib.array_utils.normalize_axis_tuple(axes, a.ndim)


def _jet_concatenate(parts, axis=0):
    """Join jets (and numbers of matching shape) along an axis of their coefficients."""
    degree = next(part.degree for part in parts if isinstance(part, Jet))
    parts = [part if isinstance(part, Jet) else Jet.constant(part, degree) for part in parts]
    for part in parts:
        same_degree(parts[0], part)
    (axis,) = axes_of(parts[0], axis)
    heads = [part.head for part in parts]
    others = {head.shape[:axis] + head.shape[axis + 1 :] for head in heads}
    if len(others) > 1 or any(part.head.shape[axis] != part.shape[axis] for part in parts):
        heads = [part.full_head() for part in parts]
    return Jet.of(
        np.concatenate(heads, axis), np.concatenate([part.tail for part in parts], axis + 1)
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
    count = _trailing_axes(key)
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


reshape = recorded(_jet_reshape, np.reshape, lambda y, a, shape: lambda g: reshape(g, np.shape(a)))
swapaxes = recorded(_jet_swapaxes, np.swapaxes, lambda y, a, i, j: lambda g: swapaxes(g, i, j))
getitem = recorded(
    _jet_getitem, lambda a, key: a[key], lambda y, a, key: lambda g: _unindexed(g, bare(a), key)
)
take = recorded(
    _jet_take,
    lambda a, indices, axis: np.take(a, indices, axis),
    lambda y, a, indices, axis: lambda g: _untaken(g, bare(a), indices, axis),
)


def concatenate(parts, axis=0):
    """Join arrays or jets along an axis."""
    return parts[0] if len(parts) == 1 else _concatenate(axis, *parts)


@primitive
def _concatenate(axis, *parts):
    join = _jet_concatenate if any(isinstance(part, Jet) for part in parts) else np.concatenate
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
