"""Entries and shapes of arrays and jets: indexing, reshaping, joining.

On jets they act on each coefficient. A head that is shared along an axis (where it has length 1)
stays shared where that is possible, and is written out where it is not.
"""

import numpy as np
from autograd.extend import defvjp, defvjp_argnums, primitive

from ..checks import brief
from .arithmetic import same_degree
from .jet import Jet
from .recording import UNFIT, bare, in_words, recorded, shape_of


def _trailing_axes(key):
    """How many last axes `key` = (..., i, j) indexes, if each coefficient may be indexed apart.

    None if the key has another form: numpy then needs all the axes, or moves some to the front.
    """
    if not isinstance(key, tuple) or not key or key[0] is not Ellipsis:
        return None
    rest = key[1:]
    if all(k is None or isinstance(k, (slice, int, np.integer)) for k in rest):
        return None if any(isinstance(k, bool) for k in rest) else len(rest) - rest.count(None)
    if _is_take(key) or all(isinstance(k, np.ndarray) and k.dtype.kind in "iu" for k in rest):
        return len(rest)
    return None


def _is_take(key):
    """Whether `key` picks entries of one axis by a vector of numbers, and all after it."""
    return (
        isinstance(key, tuple)
        and len(key) > 1
        and key[0] is Ellipsis
        and getattr(key[1], "ndim", 0) == 1
        and key[1].dtype.kind in "iu"
        and all(isinstance(k, slice) and k == slice(None) for k in key[2:])
    )


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
    head = a.head.swapaxes(axis1, axis2)  # refuses axes that are not there
    return Jet.of(head, a.tail.swapaxes(axis1 + (axis1 >= 0), axis2 + (axis2 >= 0)))


def axes_of(a, axis):
    """The axes of a jet that `axis` names, all of them for None, as a tuple from 0 up."""
    if type(axis) is int and -a.ndim <= axis < a.ndim:
        return (axis % a.ndim,)
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
    if _is_take(key):  # faster by rows
        rows, sources = target, g
        if target.ndim > len(key) - 1:
            rows, sources = (np.moveaxis(array, 1 - len(key), 0) for array in (target, g))
        for index, source in zip(key[1].tolist(), sources, strict=True):
            rows[index] += source
    else:
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


defvjp(_unindexed, lambda y, g, like, key: lambda h: getitem(h, key), argnums=(0,))

reshape = recorded(_jet_reshape, np.reshape, lambda y, a, shape: lambda g: reshape(g, np.shape(a)))
swapaxes = recorded(_jet_swapaxes, np.swapaxes, lambda y, a, i, j: lambda g: swapaxes(g, i, j))
getitem = recorded(
    _jet_getitem, lambda a, key: a[key], lambda y, a, key: lambda g: _unindexed(g, bare(a), key)
)


def take(a, indices, axis):
    """Pick entries by number along `axis`."""
    axes = len(shape_of(a))
    try:
        axis = np.lib.array_utils.normalize_axis_index(axis, axes)
        indices = np.asarray(indices)
    except UNFIT as error:
        raise in_words(error, "take", (a, indices, axis)) from error
    return getitem(a, (..., indices, *(slice(None),) * (axes - 1 - axis)))


def concatenate(parts, axis=0):
    """Join arrays or jets along an axis."""
    listed = isinstance(parts, (list, tuple)) or (isinstance(parts, np.ndarray) and parts.ndim)
    if not listed or not len(parts):
        raise TypeError(f"parts must be a list of one or more arrays or jets, not {brief(parts)}")
    return parts[0] if len(parts) == 1 else _concatenate(axis, *parts)


@primitive
def _concatenate(axis, *parts):
    join = _jet_concatenate if any(isinstance(part, Jet) for part in parts) else np.concatenate
    try:
        return join(parts, axis)
    except UNFIT as error:
        raise in_words(error, "concatenate", parts) from error


def _concatenate_vjps(argnums, y, args, kwargs):
    axis, parts = args[0], args[1:]
    ends = np.cumsum([np.shape(part)[axis] for part in parts])
    after = (slice(None),) * (np.ndim(y) - 1 - axis % np.ndim(y))

    def slice_of(g, argnum):
        end = ends[argnum - 1]
        return getitem(g, (..., slice(end - np.shape(args[argnum])[axis], end), *after))

    return lambda g: (slice_of(g, argnum) for argnum in argnums)


defvjp_argnums(_concatenate, _concatenate_vjps)
