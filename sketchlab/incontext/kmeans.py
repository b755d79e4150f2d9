"""Quantized k-means: clusters from which a point can be deleted exactly, mostly at no cost.

Ginart et al. (2019, arXiv 1907.05012). Lloyd's iterations, a fixed number of them; after each, the
centroids are rounded to a lattice with a random phase. Of a small cluster, with m points, fewer
than b = gamma n / k, the mean is replaced by (m mean + (b - m) c) / b, with c its centroid before.
Where every rounded centroid is the same without a point, the whole run is the same without it:
the centroids do not show whether it was ever there. Such a deletion is *certified*, which is found
out from sums and counts, whatever the number of points. Else the clusters are computed again.

Seeds are drawn as by greedy k-means++: for each a few candidates, of which the best is taken. They
win races that a point can leave or join without changing them, unless it wins one itself, and what
decides among them are exact sums (`seeding`). So both can be certified too.

Deletion is exact for one run of the random numbers, `seed`. It is private only if the width, gamma,
the number of clusters, and the seed are chosen without looking at the data, and what is deleted
without looking at the result: who always deletes the first seed tells something by what is left.
It is cheap against an adversary who places points only if the seed is not known.
"""

import dataclasses
from fractions import Fraction

import numpy as np

from ..arguments import check_dict, check_list, check_path, takes
from ..checks import check_count, check_indices, check_positive, check_seed, check_share, real_array
from . import lattice, saved
from .lloyd import Lloyd, Record

MOST_COLUMNS = 1 << 16
DENOMINATOR = 1_000_000  # of gamma, at most
FORMAT = 2  # of a saved state


class QuantizedKMeans:
    """Clusters of points, with deletion and addition that equal a run from scratch, bit for bit.

    clusters: k. width: of the lattice, in the unit of the data, such as `recommended_width` of the
    standard deviation within clusters. gamma: clusters below gamma n / k points are held back, 0 to
    1. iterations: T. seed: of the clocks and of the lattices' phases.

    Points keep their numbers: those in `fit`, then the next ones as they are added.
    """

    @takes(clusters=check_count, width=check_positive, gamma=check_share, iterations=check_count)
    def __init__(self, clusters, width, *, gamma=0.2, iterations=10, seed=0):
        self.clusters, self.iterations = (
            check_count(value, what)
            for value, what in ((clusters, "clusters"), (iterations, "iterations"))
        )
        if not 0 <= gamma <= 1:
            raise ValueError(f"gamma must lie between 0 and 1, not {gamma!r}")
        self.width, self.gamma = check_positive(width, "width"), float(gamma)
        self.seed = check_seed(seed)
        if self.seed > np.iinfo(np.int64).max:
            raise ValueError(f"seed must be below 2^63, not {seed!r}")
        share = Fraction(self.gamma).limit_denominator(DENOMINATOR)
        self._lloyd = Lloyd(self.clusters, self.iterations, self.seed, share)
        self._points = self._alive = self._record = None
        self._count = self._next = 0

    def __len__(self):
        return self._count

    def __repr__(self):
        of = f" of {len(self)} points" if self._record is not None else ", not fitted"
        return f"QuantizedKMeans({self.clusters} clusters{of}, width {self.width:g})"

    def fit(self, X):
        """Cluster points, (n, d); returns self. What was fitted before is forgotten."""
        points = self._checked(X, None)
        if len(points) < self.clusters:
            raise ValueError(
                f"{self.clusters} clusters need as many points: there are {len(points)}"
            )
        record = self._lloyd.run(points, np.arange(len(points)))
        self._points, self._alive = points, np.ones(len(points), bool)
        self._count = self._next = len(points)
        self._record = record
        return self

    def forget(self, number):
        """Delete the point of this number: a `Certificate`.

        Raises ValueError, and changes nothing, if there is no such point (any more), or if fewer
        points than clusters would be left.
        """
        number = self._known(number)
        if self._count <= self.clusters:
            raise ValueError(
                f"{self._count} points are left, and {self.clusters} clusters need as many: none "
                "can be deleted"
            )
        point = self._points[number]
        certificate, new = self._lloyd.changed(self._record, self._count, point, number, -1)
        if new is None:
            kept = self._alive.copy()
            kept[number] = False
            new = self._lloyd.run(self._points[kept], np.flatnonzero(kept))
        self._record = new
        self._alive[number], self._points[number] = False, 0
        self._count -= 1
        return certificate

    def add(self, x):
        """Add a point, (d,), with the next number: a `Certificate`."""
        self._fitted()
        (point,) = self._checked(real_array(x, "a point", None)[None], self._points.shape[1])
        if self._next >= lattice.MOST_POINTS:
            raise ValueError(f"there have been {self._next} points: no more can be added")
        number = self._next
        certificate, new = self._lloyd.changed(self._record, self._count, point, number, 1)
        if new is None:
            kept = np.flatnonzero(self._alive)
            new = self._lloyd.run(np.vstack([self._points[kept], point]), np.append(kept, number))
        if number == len(self._points):  # room for as many again
            self._points = np.vstack([self._points, np.zeros_like(self._points)])
            self._alive = np.append(self._alive, np.zeros_like(self._alive))
        self._record = new
        self._points[number], self._alive[number] = point, True
        self._count, self._next = self._count + 1, number + 1
        return certificate

    def refit(self):
        """The run from scratch on the points that are left, with the same seed: another object."""
        self._fitted()
        new = QuantizedKMeans(
            self.clusters, self.width, gamma=self.gamma, iterations=self.iterations, seed=self.seed
        )
        kept = np.flatnonzero(self._alive)
        new._points, new._alive = np.zeros_like(self._points), self._alive.copy()
        new._points[kept] = self._points[kept]
        new._count, new._next = self._count, self._next
        new._record = new._lloyd.run(new._points[kept], kept)
        return new

    @property
    def operations(self):
        """Distances and roundings that were computed so far."""
        return self._lloyd.operations + self._lloyd.seeding.operations

    @property
    def numbers(self):
        """The numbers of the points that are left, (n,)."""
        self._fitted()
        return np.flatnonzero(self._alive)

    @property
    def centroids(self):
        """The centroids, (k, d), in the unit of the data."""
        self._fitted()
        return self._record.centroids[-1] * (self.width / lattice.CELL)

    @property
    def loss(self):
        """The mean squared distance of the points to their centroids."""
        points = self._points[self.numbers]
        apart = (
            points - self._record.centroids[-1][lattice.nearest(points, self._record.centroids[-1])]
        )
        return float(np.mean(np.sum((apart * (self.width / lattice.CELL)) ** 2, axis=1)))

    def predict(self, X):
        """The number of the centroid that is nearest to each point, (n,)."""
        self._fitted()
        return lattice.nearest(self._checked(X, self._points.shape[1]), self._record.centroids[-1])

    @takes(numbers=check_list)
    def points(self, numbers):
        """The points of these numbers, (m, d), in the unit of the data, as they are kept here."""
        known = [self._known(number) for number in numbers]
        return self._points[known] * (self.width / lattice.CELL)

    @takes(numbers=check_list)
    def distances(self, numbers):
        """Squared distances of points to the centroids, (m, k), in square units of the lattice."""
        known = [self._known(number) for number in numbers]
        return lattice.squared_distances(self._points[known], self._record.centroids[-1])

    def representatives(self, which=None):
        """The number of the point that is nearest to each centroid, (k,), the lowest of equals.

        which: only to these centroids.
        """
        numbers, centroids = self.numbers, self._record.centroids[-1]
        which = range(self.clusters) if which is None else check_indices(which, self.clusters)
        points = self._points[numbers]
        far = [  # one centroid after the other, so that no table is larger than the data
            lattice.squared_distances(points, centroids[[i]])[:, 0].argmin() for i in which
        ]
        return numbers[np.array(far, dtype=np.int64)]

    def state(self):
        """All that there is of it, as a dict of arrays; nothing of it depends on deleted points."""
        kept = self.numbers
        settings = [self.clusters, self.iterations, self.seed, self._next, FORMAT]
        return {
            "settings": np.array(settings, np.int64),
            "scales": np.array([self.width, self.gamma]),
            "numbers": kept,
            "points": self._points[kept],
            **{name: value.copy() for name, value in vars(self._record).items()},
        }

    @takes(path=check_path)
    def save(self, path):
        """Write the state to a file, .npz; what was there is replaced when all is written."""
        saved.write(path, self.state())

    @classmethod
    @takes(path=check_path)
    def open(cls, path):
        """Open a saved state. Raises ValueError for what is none."""
        return saved.read(path, cls.from_state, "quantized k-means")

    @classmethod
    @takes(state=check_dict)
    def from_state(cls, state):
        """Clusters in the state that another's `state` gave. Raises ValueError if it is none."""
        names = [field.name for field in dataclasses.fields(Record)]
        if missing := {"settings", "scales", "numbers", "points", *names} - set(state):
            raise ValueError(f"it has no {min(missing)!r}")
        if odd := [name for name in state if not isinstance(state[name], np.ndarray)]:
            raise ValueError(f"its {odd[0]!r} is no array")
        try:
            return cls._from_arrays(state, names)
        except (TypeError, IndexError, OverflowError) as error:
            raise ValueError(f"its arrays do not fit together: {error}") from error

    @classmethod
    def _from_arrays(cls, state, names):
        clusters, iterations, seed, following, version = map(int, state["settings"])
        width, gamma = map(float, state["scales"])
        if version != FORMAT:
            raise ValueError(
                f"it has format {version}, and format {FORMAT} is read here: fit again"
            )
        new = cls(clusters, width, gamma=gamma, iterations=iterations, seed=seed)
        numbers, points = state["numbers"], state["points"]
        new._points = np.zeros((following, points.shape[1]), np.int64)
        new._points[numbers], new._alive = points, np.zeros(following, bool)
        new._alive[numbers] = True
        new._record = record = Record(**{name: state[name] for name in names})
        new._count, new._next = len(numbers), following
        if np.any(record.counts.sum(axis=1) != len(points)) or np.any(
            record.sums.sum(axis=1) != points.sum(axis=0)
        ):
            raise ValueError("its sums are not those of its points")
        return new

    def _fitted(self):
        if self._record is None:
            raise ValueError("there are no clusters yet: call fit first")

    def _known(self, number):
        self._fitted()
        try:
            found = check_seed(number, "the number of a point")
        except ValueError as error:
            raise ValueError(f"{error}: points have the numbers that they came with") from None
        if found >= self._next:
            raise ValueError(f"point {found} is not there, 0 to {self._next - 1} are")
        if not self._alive[found]:
            raise ValueError(f"point {found} was deleted before")
        return found

    def _checked(self, X, columns):
        X = real_array(X, "points")
        if X.ndim != 2 or 0 in X.shape:
            raise ValueError(
                f"points must be an array of numbers of shape (n, d), not of shape {X.shape}"
            )
        if columns is not None and X.shape[1] != columns:
            raise ValueError(f"points have {X.shape[1]} columns, and {columns} are expected")
        if X.shape[1] > MOST_COLUMNS:
            raise ValueError(f"points have {X.shape[1]} columns, {MOST_COLUMNS} are allowed")
        if len(X) > lattice.MOST_POINTS:
            raise ValueError(f"{len(X)} points are too many, {lattice.MOST_POINTS} are allowed")
        return lattice.to_units(X, self.width)
