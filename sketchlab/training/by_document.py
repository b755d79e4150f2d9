"""Gradients document by document, as rows: many methods need products of all of them."""

import numpy as np

from ..algebra import ring
from ..checks import number_array
from ..progress import progress_bar
from .models import Flat
from .passes import check_fits
from .runs import BATCH


def document_gradients(run, flat, *, projection=None, progress=True):
    """The gradients of the losses on all documents of a run at a model, (n, P) on the flat axis.

    flat: the parameters of the model, (P,); `Flat.of(run.initial.parameters).flat(named)` makes
    them. projection: a matrix (P, k) that every gradient is multiplied by, some documents at a
    time, so that the result is (n, k), and (n, P) is never stored. Cost: one gradient of each
    document. Raises ValueError for shapes that do not fit, MemoryError before the work starts if
    the result does not fit into what is free, FloatingPointError for a gradient that is not finite.
    """
    axis = Flat.of(run.initial.parameters)
    flat = number_array(flat, "flat")
    if flat.shape != (axis.size,):
        raise ValueError(f"flat must have shape ({axis.size},), one model, not {flat.shape}")
    width = axis.size
    if projection is not None:
        projection = number_array(projection, "projection")
        if projection.ndim != 2 or len(projection) != axis.size or not projection.size:
            raise ValueError(f"projection must have shape ({axis.size}, k), not {projection.shape}")
        width = projection.shape[1]
    check_memory(len(run) * width, f"the gradients of {len(run)} documents, {width} numbers each,")
    gradient = ring.ring_grad(
        lambda named, i: ring.sum(run.initial.with_parameters(named).losses(run.examples([i])), -1)
    )
    named, rows = axis.named(flat), np.empty((len(run), width))
    with np.errstate(all="ignore"), progress_bar(len(run), progress, unit="document") as bar:
        for start in range(0, len(run), BATCH):
            part = range(start, min(start + BATCH, len(run)))
            block = np.array([axis.flat(gradient(named, i)) for i in part])
            _check_finite(run, part, block)
            rows[part] = block if projection is None else block @ projection
            bar.update(len(part))
    return rows


def check_memory(numbers, what):
    """Raise MemoryError, in words, if so many floats do not fit into the memory that is free."""
    check_fits(
        8 * numbers,
        f"{what} need {8 * numbers / 1e9:.3g} GB",
        "give a smaller dimension, fewer documents or a smaller model",
    )


def _check_finite(run, part, block):
    bad = np.flatnonzero(~np.all(np.isfinite(block), axis=1))
    if len(bad):
        number = part[int(bad[0])]
        (example,) = run.examples([number])
        raise FloatingPointError(
            f"the gradient of the loss on document {number} ({str(example)[:40]!r}) is not finite "
            "at this model"
        )
