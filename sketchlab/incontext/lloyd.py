"""Lloyd's iterations on a lattice, what they leave behind, and what a point changes in that."""

import dataclasses
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from . import lattice
from .seeding import Races, Seeding


class Certificate(NamedTuple):
    """Whether nothing had to be computed again, what was checked, and what failed first."""

    certified: bool
    checked: tuple
    failed: str | None = None


@dataclasses.dataclass
class Record(Races):
    """What a run leaves behind, for k clusters and T iterations: the races for its seeds, and more.

    centroids: (T + 1, k, d), the seeds and those after every iteration. sums, counts: of the
    clusters, (T, k, d) and (T, k). All in units.
    """

    centroids: np.ndarray
    sums: np.ndarray
    counts: np.ndarray


@dataclasses.dataclass
class Lloyd:
    """The run of k clusters: how it is done from scratch, and whether a point would change it.

    share: gamma, exactly. operations: distances and roundings computed so far.
    """

    clusters: int
    iterations: int
    seed: int
    share: Fraction
    operations: int = 0

    def __post_init__(self):
        self.seeding = Seeding(self.clusters, self.seed)

    def run(self, points, numbers):
        """The record of a run from scratch on points of these numbers."""
        k, columns = self.clusters, points.shape[1]
        races = self.seeding.run(points, numbers)
        centroids = [points[np.searchsorted(numbers, races.seeds)]]
        sums, counts = [], []
        for t in range(self.iterations):
            nearest = lattice.nearest(points, centroids[-1])
            self.operations += len(points) * k
            total = np.zeros((k, columns), np.int64)
            np.add.at(total, nearest, points)
            sums.append(total)
            counts.append(np.bincount(nearest, minlength=k))
            phase = lattice.phases(self.seed, t, columns)
            everyone = np.arange(k)
            centroids.append(
                self._rounded(total, counts[-1], centroids[-1], len(points), phase, everyone)
            )
        names = ("centroids", "sums", "counts")
        arrays = dict(zip(names, map(np.array, (centroids, sums, counts)), strict=True))
        return Record(**vars(races), **arrays)

    def changed(self, record, n, point, number, sign):
        """The certificate, and the record with a point added (1) to n or left out (-1), or None."""
        record, failed = self.seeding.changed(record, point, number, sign)
        if failed:
            return Certificate(False, ("seeds",), failed), None
        sums, counts, checked = record.sums.copy(), record.counts.copy(), ["seeds"]
        for t in range(self.iterations):
            before = record.centroids[t]
            own = int(lattice.nearest(point[None], before)[0])
            sums[t, own] += sign * point
            counts[t, own] += sign
            small = [self._small(record.counts[t], n), self._small(counts[t], n + sign)]
            again = np.flatnonzero(small[0] | small[1] | (np.arange(self.clusters) == own))
            phase = lattice.phases(self.seed, t, len(point))
            found = self._rounded(sums[t], counts[t], before, n + sign, phase, again)
            self.operations += self.clusters + len(again)
            checked.append(f"iteration {t}, clusters {again.tolist()}")
            if not np.array_equal(found, record.centroids[t + 1][again]):
                failed = f"a centroid moves in iteration {t}"
                return Certificate(False, tuple(checked), failed), None
        new = dataclasses.replace(record, sums=sums, counts=counts)
        return Certificate(True, tuple(checked)), new

    def _small(self, counts, n):
        """Which clusters have fewer than gamma n / k points, and so depend on n."""
        p, q = self.share.numerator, self.share.denominator
        return counts.astype(object) * (q * self.clusters) < p * n

    def _rounded(self, sums, counts, before, n, phase, which):
        """New centroids of some clusters, from exact means held back where they are small."""
        p, q = self.share.numerator, self.share.denominator
        sums, counts = sums[which].astype(object), counts[which].astype(object)
        scaled = counts * (q * self.clusters)
        small = scaled < p * n
        missing = np.where(small, p * n - scaled, 0)
        top = sums * (q * self.clusters) + missing[:, None] * before[which].astype(object)
        bottom = np.where(small, p * n, scaled)
        empty = bottom == 0  # gamma is 0 and the cluster empty: it stays where it is
        found = lattice.rounded(top, np.where(empty, 1, bottom), phase.astype(object))
        return np.where(empty.astype(bool)[:, None], before[which], found)
