"""Gradients by backpropagation over numbers and jets.

Backpropagation uses nothing but the ring operations, so over jets it is the textbook rule with ring
products: the gradient of a jet-valued loss is a jet, whose constant coefficient is the ordinary
gradient. Nothing is conjugated anywhere; on complex numbers these are the holomorphic derivatives.
"""

import functools

import numpy as np
from autograd.core import VJPNode, add_outgrads
from autograd.extend import Box, vspace
from autograd.tracer import isbox, new_box, toposort, trace_stack

from ..arguments import check_function, takes
from ..checks import number_array
from .jet import Jet
from .recording import bare

PLAIN = {np.ndarray, Jet}


def map_leaves(function, tree):
    """Apply a function to every array or jet in a nest of dicts, lists and tuples."""
    if isinstance(tree, dict):
        return {key: map_leaves(function, value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return type(tree)(map_leaves(function, value) for value in tree)
    return function(tree)


@takes(loss=check_function)
def ring_grad(loss):
    """The gradient of `loss` with respect to its first argument, over numbers or jets.

    loss(parameters, *args) must be written with the functions of `ring` or with
    autograd.numpy; `parameters` is an array, a jet, or a nest of dicts, lists and tuples of them.
    Integers and truth values count as floats. Raises TypeError for what is not a number.
    The result has the same structure. A loss with a shape (one entry per independent model of a
    batch) is differentiated as the sum of its entries, which gives each model its own gradient.
    """

    @functools.wraps(loss)
    def gradient(parameters, *args, **kwargs):
        roots = []

        def watched(value):
            value = _parameter(value)
            roots.append((VJPNode.new_root(), value))
            return new_box(value, trace, roots[-1][0])

        with trace_stack.new_trace() as trace:
            result = loss(map_leaves(watched, parameters), *args, **kwargs)
        gradients = {}
        if isbox(result) and result._trace == trace:
            _check_same_ring(bare(result), [bare(value) for _, value in roots])
            gradients = _backpropagated(_one_like(bare(result)), result._node, roots)
        found = iter(
            gradients[node] if node in gradients else vspace(value).zeros() for node, value in roots
        )
        return map_leaves(lambda _: next(found), parameters)

    return gradient


def _parameter(value):
    if isinstance(value, (Jet, Box)):
        return value
    if type(value) is np.ndarray and value.dtype.kind in "fc":
        return value
    if type(value) in (float, complex, np.float64, np.complex128):
        return value
    return number_array(value, "parameters, if not jets,", finite=False)


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
            before = pending.get(parent)
            plain = type(contribution) in PLAIN  # where we do as autograd, in less time
            if plain and before is None:
                pending[parent] = (contribution, False)
            elif plain and type(before[0]) is type(contribution):
                pending[parent] = (before[0] + contribution, False)
            else:
                pending[parent] = add_outgrads(before, contribution)
    return gradients
