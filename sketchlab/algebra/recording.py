"""Functions that autograd records, with one rule for numbers, one for jets, and derivatives.

autograd keeps a table of vector-Jacobian products (VJPs); `recorded` adds to it. In a VJP, g is the
gradient with respect to the function's result y.

Most calls are recorded by one trace, for reverse mode; `recorded` writes the node of such a call
itself, as autograd would, in a third of the time. Small models spend most of theirs on this.
"""

import functools
import operator

import numpy as np
from autograd.core import VJPNode
from autograd.extend import Box, VSpace, defvjp, primitive
from autograd.tracer import isbox, new_box

from ..arguments import is_own
from ..checks import brief
from .jet import Jet, RingElement

UNFIT = TypeError, ValueError, LookupError, AttributeError, ArithmeticError  # of unfit arguments


def recorded(on_jets, on_numbers, *vjps):
    """A function with one rule for jets, one for anything else, and its VJP per argument."""

    @functools.wraps(on_jets)
    def unrecorded(*args, **settings):
        has_jets = type(args[0]) is Jet or (len(args) > 1 and type(args[1]) is Jet)
        try:
            return (on_jets if has_jets else on_numbers)(*args, **settings)
        except UNFIT as error:
            raise in_words(error, function.__name__, args) from error

    traced = primitive(unrecorded)
    defvjp(traced, *vjps, argnums=range(len(vjps)))

    @functools.wraps(on_jets)
    def function(*args, **settings):
        top, found = -1, ()
        for i, a in enumerate(args):
            if isinstance(a, Box):
                if a._trace > top:
                    top, found = a._trace, [i]
                elif a._trace == top:
                    found.append(i)
        if not found:
            return unrecorded(*args, **settings)  # the same, without looking for a recording
        parents = [args[i]._node for i in found]
        if type(parents[0]) is not VJPNode or found[-1] >= len(vjps):
            return traced(*args, **settings)
        values = list(args)
        for i in found:
            values[i] = args[i]._value
        y = (function if top else unrecorded)(*values, **settings)  # no trace lies below the first
        node = VJPNode.__new__(VJPNode)
        back = [vjps[i](y, *values, **settings) for i in found]
        node.parents, node.vjp = parents, lambda g: [to_parent(g) for to_parent in back]
        return new_box(y, top, node)

    function.__name__ = function.__qualname__ = on_jets.__name__.removeprefix("_jet_")
    return function


def told(function):
    """A decorator: what numpy or Python raise of arguments from no ring is raised `in_words`."""

    @functools.wraps(function)
    def checked(*args, **settings):
        try:
            return function(*args, **settings)
        except UNFIT as error:
            raise in_words(error, function.__qualname__, [*args, *settings.values()]) from error

    return checked


def in_words(error, name, args):
    """The error to raise in place of one that a function raised on these arguments.

    It is the same one if it comes from a raise statement of this package.
    """
    if is_own(error):
        return error
    kind = IndexError if isinstance(error, LookupError) else ValueError
    kind = TypeError if isinstance(error, (TypeError, AttributeError)) else kind
    given = " and ".join(map(_described, args))
    return kind(f"{name} cannot take {given}: {error}")


def _described(value):
    if isinstance(value, Jet):
        return f"a jet of shape {value.shape}"
    if isinstance(value, np.ndarray):
        kind = "an array" if value.dtype.kind in "iubfc" else f"an array of {value.dtype}"
        return f"{kind} of shape {value.shape}"
    return brief(value)


def bare(value):
    """The value inside all of autograd's boxes, where only its shape is wanted."""
    while isbox(value):
        value = value._value
    return value


def shape_of(value):
    """np.shape, in less time."""
    if isinstance(value, Box):
        value = bare(value)
    if isinstance(value, (np.ndarray, Jet)) or hasattr(value, "shape"):
        return value.shape
    try:
        return np.shape(value)
    except ValueError as error:  # a ragged list
        raise TypeError(f"these are no numbers: {brief(value)}") from error


def is_numeric(a):
    """Whether these are numbers; gates, and other elements of a ring, are Python objects."""
    return (a if isinstance(a, np.ndarray) else np.asarray(a)).dtype.kind != "O"


class JetBox(RingElement, Box):
    """A jet that autograd is recording."""

    __slots__ = []

    degree, shape, ndim, size, dtype = (
        property(operator.attrgetter(f"_value.{name}"))
        for name in ("degree", "shape", "ndim", "size", "dtype")
    )


class JetVSpace(VSpace):
    """The module of jets of one degree and shape: what autograd adds gradients in."""

    def __init__(self, value):
        self.degree, self.shape, self.head_shape = value.degree, value.shape, value.head.shape

    def zeros(self):
        return Jet.of(np.zeros(self.head_shape), np.zeros((self.degree, *self.shape)))


JetBox.register(Jet)
JetVSpace.register(Jet)
