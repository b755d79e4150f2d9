"""The state behind the points to click: clusters, what was deleted from them, and what it cost."""

import copy
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from ..incontext import Certificate, QuantizedKMeans
from ..incontext.means import steps

MOST_POINTS = 60  # that can be told apart, and clicked


class Deletion(NamedTuple):
    """What deleting a point did, or would do.

    done: whether it was deleted. certificate: the `Certificate`. before, after: the centroids,
    (k, d), with the point and without it.
    """

    number: int
    done: bool
    certificate: Certificate
    before: np.ndarray
    after: np.ndarray

    @property
    def order(self):
        """The number that each centroid has without the point, (k,): they may be numbered anew.

        Centroids are matched so that they move as little as they can.
        """
        apart = np.sum((self.before[:, None] - self.after) ** 2, axis=2)
        others = ~np.eye(len(apart), dtype=bool)  # of equal ways that which keeps the numbers
        return linear_sum_assignment(apart + 1e-9 * apart.max() * others)[1]

    @property
    def moves(self):
        """The centroids with the point, and the same ones without it: two of (k, d)."""
        return self.before, self.after[self.order]

    @property
    def moved(self):
        """The numbers of the centroids that are not where they were: as they are numbered now."""
        order = self.order
        rows = np.flatnonzero(np.any(self.before != self.after[order], axis=1))
        return np.sort(order[rows]) if self.done else rows

    @property
    def renumbered(self):
        """Whether centroids have other numbers without the point."""
        return bool(np.any(self.order != np.arange(len(self.before))))


class Forgetting:
    """Points in a plane and their clusters, from which one after the other is deleted.

    X: points, (n, 2), at most 60. clusters, width, gamma, iterations, seed: of `QuantizedKMeans`.
    first_show: whether the first `press` on a point shows what would happen, and the second one
    deletes it.

    made: the clusters. retrained: a run from scratch on the points that are left, and equal:
    whether its state is the same, bit for bit. last: the last `Deletion`, done or only shown.
    deleted, certified: how many so far. spent, retraining: operations for all deletions so far,
    and for as many runs from scratch.
    The clusters keep nothing of a deleted point; X has it, to cross it out and to start again.
    Raises ValueError for other points, and for what `QuantizedKMeans` refuses.
    """

    def __init__(self, X, clusters, width, *, gamma=0.2, iterations=10, seed=0):
        X = np.array(X)
        if X.ndim != 2 or X.shape[1] != 2 or not 1 <= len(X) <= MOST_POINTS:
            raise ValueError(
                f"X must be 1 to {MOST_POINTS} points with 2 columns, (n, 2), not an array of "
                f"shape {X.shape}: choose some of the rows, and two columns or principal components"
            )
        self.X, self.first_show = X, False
        self._settings = {"gamma": gamma, "iterations": iterations, "seed": seed}
        self.start(clusters, width)

    def start(self, clusters=None, width=None):
        """Start again with all points; default: with as many clusters, and the same width.

        Raises ValueError, and changes nothing, for what `QuantizedKMeans` refuses.
        """
        clusters = self.made.clusters if clusters is None else clusters
        width = self.made.width if width is None else width
        made = QuantizedKMeans(clusters, width, **self._settings).fit(self.X)
        self.made, self.last, self._begun = made, None, made.operations
        self.deleted = self.certified = self.retraining = 0
        self._retrain()

    @property
    def spent(self):
        """Operations of all deletions so far."""
        return self.made.operations - self._begun

    @property
    def step(self):
        """The last iteration: a `Step`."""
        return steps(self.made)[-1]

    def would(self, number):
        """What deleting a point would do: a `Deletion`; nothing is deleted."""
        return _forget(copy.deepcopy(self.made), number, done=False)

    def forget(self, number):
        """Delete a point: a `Deletion`. Raises ValueError, and changes nothing, if it cannot be."""
        self.last = _forget(self.made, number, done=True)
        self._retrain()
        self.deleted += 1
        self.certified += self.last.certificate.certified
        self.retraining += self.retrained.operations
        return self.last

    def press(self, number):
        """What a click on a point does: delete it, or first show what would happen."""
        shown = self.last is not None and not self.last.done and self.last.number == number
        if self.first_show and not shown:
            self.last = self.would(number)
            return self.last
        return self.forget(number)

    def _retrain(self):
        self.retrained = self.made.refit()
        self.equal = same(self.made.state(), self.retrained.state())


def same(one, other):
    """Whether two states, dicts of arrays, are equal: bit for bit, in type and in shape."""
    return one.keys() == other.keys() and all(
        (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
        for a, b in ((one[name], other[name]) for name in one)
    )


def _forget(made, number, done):
    before = made.centroids
    certificate = made.forget(number)
    return Deletion(int(number), done, certificate, before, made.centroids)
