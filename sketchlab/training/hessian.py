"""Second derivatives of the mean loss, by their products with vectors: the matrix is never made.

    hessian         of sum_i w_i L_i. It has negative eigenvalues wherever training is at no minimum
    gauss_newton    the same without the second derivatives of the logits: it has none

With v a vector of parameters, Hessian v is the derivative of the gradient along v: the coefficient
of a jet of degree 1. Of cross-entropy, whose second derivative by the logits of a letter is
diag(p) - p p^T, the Gauss-Newton matrix is the mean of J^T (diag(p) - p p^T) J with J the Jacobian
of the logits: a jet of degree 1 forward, and back once.
"""

import numpy as np

from ..algebra import ring
from ..algebra.jet import Jet
from .microgpt import MicroGPT
from .models import Flat
from .runs import BATCH


def hessian(run, flat, weights):
    """The function v -> Hessian v of the weighted sum of the losses on all documents.

    flat: parameters of models, (models, P), or (1, P) for many vectors at one model. weights: of
    the documents, (n,), such as 1 / n for their mean; those of weight 0 are left out.
    v: one vector for each model, (models, P).
    """
    axis, used = Flat.of(run.initial.parameters), np.flatnonzero(weights)

    def total(named, part):
        losses = run.initial.with_parameters(named).losses(run.examples(part))
        return ring.sum(ring.multiply(weights[part], losses), -1)

    gradient = ring.ring_grad(total)

    def product(v):
        line, found = axis.named(Jet.line(flat, v, 1)), np.zeros(v.shape)
        size = max(1, BATCH // len(v))  # documents at a time: what they take is kept to go back
        for start in range(0, len(used), size):
            found += axis.flat(gradient(line, used[start : start + size])).tail[0]
        return found

    return product


def gauss_newton(run, flat, weights):
    """The function v -> Gauss-Newton matrix v, for microgpt: see `hessian`.

    Raises TypeError for a model whose loss is not the cross-entropy of logits.
    """
    initial = run.initial
    if getattr(type(initial), "loss", None) is not MicroGPT.loss:
        raise TypeError(
            f"the Gauss-Newton matrix needs the cross-entropy of logits, as microgpt has; this is "
            f"{initial!r}"
        )
    axis = Flat.of(initial.parameters)

    def weighed(named, read, by_logits):
        return ring.sum(initial.with_parameters(named).logits(read) * by_logits, (-2, -1))

    gradient = ring.ring_grad(weighed)

    def product(v):
        line, found = initial.with_parameters(axis.named(Jet.line(flat, v, 1))), np.zeros(v.shape)
        numbers = axis.named(np.broadcast_to(flat, v.shape))
        for i in np.flatnonzero(weights):
            read, _ = initial.sequence(run.data[i])
            logits = line.logits(read)
            p, moved = ring.softmax(logits.head), logits.tail[0]
            curved = p * (moved - np.sum(p * moved, axis=-1, keepdims=True)) / len(read)
            found += weights[i] * axis.flat(gradient(numbers, read, curved))
        return found

    return product
