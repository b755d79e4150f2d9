"""Sketch any function of n down-weights, without a training run."""

import numpy as np

from ..algebra.jet import Jet
from ..arguments import base_point, check_function, takes
from ..checks import check_count, check_degree
from .directions import draw
from .output import Output
from .units import Units

BATCH = 32  # directions pushed at once


@takes(function=check_function, n=check_count)
def local_sketch(function, n, degree, directions, seed=0, *, design="orthonormal", at=0.0):
    """Sketch any function of n down-weights around a base point: an `Output`, units 0 .. n - 1.

    function: takes a jet of shape (m, n), one row of down-weights per direction, and returns a jet
    of shape (m,). A scalar circuit does: `lambda x: circuit(x[..., 0], x[..., 1])`.
    design: how the directions are drawn, see `directions.DESIGNS`. at: the base point.
    """
    degree, directions = check_sizes(degree, directions)
    at = base_point(at, n)
    drawn = draw(Units(None, n), range(directions), design=design, seed=seed)
    rows = [
        _evaluated(function, Jet.line(at[None], drawn.vectors[start : start + BATCH], degree))
        for start in range(0, directions, BATCH)
    ]
    nothing = Jet.line(np.zeros((1, n)), np.zeros((1, n)), degree)
    undeleted = _evaluated(function, nothing)[0, 0].real if np.any(at) else None
    return Output(np.concatenate(rows, axis=1), drawn, at=at, undeleted=undeleted)


def check_sizes(degree, directions):
    """Both as ints, or ValueError for a degree or a number that no sketch can have."""
    degree = check_degree(degree)
    if degree < 1:
        raise ValueError("degree must be 1 or higher: degree 0 predicts no change at all")
    return degree, check_count(directions, "directions")


def _evaluated(function, x):
    jet = function(x)
    if not isinstance(jet, Jet) or jet.shape != (len(x),):
        raise TypeError(
            f"the function must return a jet of shape ({len(x)},), one number per row of its "
            f"argument; this one returned {jet!r}"
        )
    if not np.all(np.isfinite(jet.coefficients)):
        raise ValueError("the function is not finite for every direction")
    return jet.coefficients
