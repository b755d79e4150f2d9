"""The exact means of quantized k-means, before they are rounded, and what a deletion does to them.

A mean rounds to its centroid while it lies in the centroid's cell: the cube of one width around it,
lower sides included. A deletion is certified if every mean stays in its cell without the point.
"""

import copy
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from ..arguments import instance, takes
from . import lattice
from .kmeans import DENOMINATOR, QuantizedKMeans


class Step(NamedTuple):
    """One iteration on n points, in the unit of the data: k clusters, d columns.

    before: the centroids that it starts from, (k, d). nearest: the cluster of every point that is
    left, (n,). means: what is rounded, (k, d): of a small cluster its mean, held back. phase: a
    point of the lattice, (d,). centroids: the lattice points that the means round to, (k, d); of
    an empty cluster that is not held back, what it was before.
    """

    before: np.ndarray
    nearest: np.ndarray
    means: np.ndarray
    phase: np.ndarray
    centroids: np.ndarray


class Change(NamedTuple):
    """What one iteration would be without a point; m clusters depend on it.

    own: the point's cluster. clusters: it, and those that are small, for they are held back by a
    share of all points, (m,). kept, left: their means with the point and without it, in widths from
    their centroids, (m, d): a cell reaches from -1/2 to 1/2. stays: whether each has the same
    centroid without the point, exactly, (m,).
    """

    own: int
    clusters: np.ndarray
    kept: np.ndarray
    left: np.ndarray
    stays: np.ndarray


@takes(made=instance(QuantizedKMeans))
def steps(made):
    """The iterations of fitted clusters, a `QuantizedKMeans`: a list of `Step`."""
    state, unit, found = made.state(), made.width / lattice.CELL, []
    columns = state["points"].shape[1]
    for t, before in enumerate(state["centroids"][:-1]):
        exact, _ = _means(made, state["sums"][t], state["counts"][t], before)
        found.append(
            Step(
                before * unit,
                lattice.nearest(state["points"], before),
                exact.astype(float) * unit,
                lattice.phases(made.seed, t, columns) * unit,
                state["centroids"][t + 1] * unit,
            )
        )
    return found


@takes(made=instance(QuantizedKMeans))
def without(made, number):
    """The `Certificate` of deleting a point, and a `Change` for every iteration that it is made of.

    Nothing is deleted. Iterations that would not be checked, since one before them fails, or since
    the point is a seed, are not in the list. Raises ValueError as `QuantizedKMeans.forget` does.
    """
    certificate = copy.deepcopy(made).forget(number)
    checked = sum(what.startswith("iteration") for what in certificate.checked)
    state = made.state()
    point = state["points"][np.searchsorted(state["numbers"], number)]
    return certificate, [_change(made, state, point, t) for t in range(checked)]


def _change(made, state, point, t):
    before, after = state["centroids"][t : t + 2]
    sums, counts = state["sums"][t].copy(), state["counts"][t].copy()
    kept, small = _means(made, sums, counts, before)
    own = int(lattice.nearest(point[None], before)[0])
    sums[own] -= point
    counts[own] -= 1
    left, still = _means(made, sums, counts, before)
    which = np.flatnonzero(small | (np.arange(len(before)) == own))
    kept, left = ((exact - after)[which] / lattice.CELL for exact in (kept, left))
    inside = np.all((2 * left >= -1) & (2 * left < 1), axis=1)
    unmoved = (counts == 0) & ~still  # empty, not held back: where it was, off the lattice
    stays = np.where(unmoved[which], np.all(left == 0, axis=1), inside)
    return Change(own, which, kept.astype(float), left.astype(float), stays)


def _means(made, sums, counts, before):
    """Exact means in units, (k, d) of fractions; and which clusters are held back, (k,)."""
    counts = [Fraction(int(count)) for count in counts]
    least = Fraction(made.gamma).limit_denominator(DENOMINATOR) * sum(counts) / len(counts)
    means = []
    for total, count, old in zip(sums.tolist(), counts, before.tolist(), strict=True):
        held = max(least - count, 0)
        pairs = zip(total, old, strict=True)
        means.append(
            [(a + held * b) / (count + held) if count + held else Fraction(b) for a, b in pairs]
        )
    return np.array(means, object), np.array([count < least for count in counts])
