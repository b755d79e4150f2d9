"""Functions that autograd records, with one rule for numbers, one for jets, and derivatives.

autograd keeps a table of vector-Jacobian products (VJPs); `recorded` adds to it. In a VJP, g is the
gradient with respect to the function's result y.
"""

import functools
import operator

import numpy as np
from autograd.extend import Box, VSpace, defvjp, primitive
from autograd.tracer import isbox

from .jet import Jet, RingElement


def recorded(on_jets, on_numbers, *vjps):
    """A function with one rule for jets, one for anything else, and its VJP per argument."""

    @functools.wraps(on_jets)
    def unrecorded(*args, **settings):
        has_jets = type(args[0]) is Jet or (len(args) > 1 and type(args[1]) is Jet)
        return (on_jets if has_jets else on_numbers)(*args, **settings)

    traced = primitive(unrecorded)
    defvjp(traced, *vjps, argnums=range(len(vjps)))

    @functools.wraps(on_jets)
    def function(*args, **settings):
        for a in args:
            if isinstance(a, Box):
                return traced(*args, **settings)
        return unrecorded(*args, **settings)  # the same, without looking for a recording

    function.__name__ = function.__qualname__ = on_jets.__name__.removeprefix("_jet_")
    return function


def bare(value):
    """The value inside all of autograd's boxes, where only its shape is wanted."""
    while isbox(value):
        value = value._value
    return value


def shape_of(value):
    """np.shape, in less time."""
    if type(value) is not np.ndarray and type(value) is not Jet:
        value = bare(value)
    return value.shape if hasattr(value, "shape") else np.shape(value)


def is_numeric(a):
    """Whether these are numbers; gates, and other elements of a ring, are Python objects."""
    return np.asarray(a).dtype != object


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
