"""Lloyd's iterations on a lattice, what they leave behind, and what a point changes in that."""

import dataclasses
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from . import lattice


class Certificate(NamedTuple):
    """Whether nothing had to be computed again, what was checked, and what failed first."""

    certified: bool
    checked: tuple
    failed: str | None = None


@dataclasses.dataclass
class Record:
    """What a run leaves behind, for k clusters and T iterations.

    seeds: numbers of the points that were chosen, (k,). far, rings: whether each was away from
    the seeds before it, and when its clock rang, (k,). centroids: (T + 1, k, d), those chosen and
    those after every iteration. sums, counts: of the clusters, (T, k, d) and (T, k). All in units.
    """

    seeds: np.ndarray
    far: np.ndarray
    rings: np.ndarray
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

    def run(self, points, numbers):
        """The record of a run from scratch on points of these numbers."""
        k, columns = self.clusters, points.shape[1]
        seeds, far, rings = self._seeds(points, numbers)
        centroids = [points[np.searchsorted(numbers, seeds)]]
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
        return Record(seeds, far, rings, *map(np.array, (centroids, sums, counts)))

    def _seeds(self, points, numbers):
        """Numbers of the seeds, whether they were away from those before, and when they rang."""
        times = lattice.clocks(self.seed, self.clusters, numbers)
        free, squared = np.ones(len(points), bool), np.full(len(points), 1.0)
        chosen, far, rings = [], [], []
        for time in times:
            away = free & (squared > 0)
            eligible = away if np.any(away) else free
            ring = np.full(len(points), np.inf)
            ring[eligible] = time[eligible] / np.where(squared > 0, squared, 1.0)[eligible]
            winner = int(ring.argmin())
            chosen.append(winner), far.append(bool(np.any(away))), rings.append(ring[winner])
            free[winner] = False
            apart = lattice.squared_distances(points, points[[winner]])[:, 0]
            squared = apart if len(chosen) == 1 else np.minimum(squared, apart)
            self.operations += len(points)
        return numbers[chosen], np.array(far), np.array(rings)

    def without_seed(self, record, number):
        """The failed certificate if the point is a seed, or None."""
        if np.any(record.seeds == number):
            return Certificate(False, ("seeds",), f"point {number} is a seed")
        return None

    def rings_first(self, record, point, number):
        """The failed certificate if an added point would be a seed, or None."""
        squared = 1.0
        times = lattice.clocks(self.seed, self.clusters, [number])[:, 0]
        for chosen in range(self.clusters):
            away = squared > 0
            ring = times[chosen] / (squared if away else 1.0)
            # Away from the seeds it rings before all that are not; of equals the lowest number.
            if (away, -ring) > (bool(record.far[chosen]), -record.rings[chosen]):
                failed = f"the new point is seed {chosen}"
                return Certificate(False, ("seeds",), failed)
            apart = lattice.squared_distances(point[None], record.centroids[0][[chosen]])[0, 0]
            squared = apart if not chosen else min(squared, apart)
            self.operations += 1
        return None

    def changed(self, record, n, point, sign):
        """The certificate, and the record with a point added (1) to n or left out (-1)."""
        sums, counts = record.sums.copy(), record.counts.copy()
        checked = ["seeds"]
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
