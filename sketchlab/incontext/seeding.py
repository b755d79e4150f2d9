"""Seeds of k-means, drawn by races that a point can leave or join.

Greedy k-means++, as scikit-learn has it (Arthur and Vassilvitskii 2007; studied by Bhattacharya et
al. 2020, arXiv 1912.00653): for every seed a few candidates are drawn, in proportion to D^2, their
squared distance to the nearest seed so far. The seed is the one that would leave the smallest
potential, which is the sum of these over all points; of equal ones the first.

Candidates are drawn by races: in each, point i rings at E_i / D_i^2, with E_i exponential, and the
first to ring is the candidate. A point that is no candidate is left out of the races without any
change, and one that is added changes them only if it rings first in one. Squared distances, each
rounded to 53 bits, are whole numbers, and their sums exact: so a point can be taken out of all
potentials, and put back, without a trace. Then all that can change is which candidate wins.
"""

import dataclasses
import math

import numpy as np

from . import lattice

CHUNK = 1 << 15  # entries of a table of points and candidates at a time, to stay in the cache
STREAMS = 1 << 32  # of clocks that are set aside for the races of one seed


@dataclasses.dataclass
class Races:
    """What the seeding of k clusters leaves behind, with R races for each seed, in d columns.

    seeds: numbers of the points that were chosen, (k,). far: whether some point was away from the
    seeds before, (k,). candidates: numbers of those that rang first, (k, R). rings: when, (k, R).
    places: where they are, (k, R, d), in units. potentials: what they would leave, (k, R, 3), as
    sums of digits. For the first seed there is one race, written down R times.
    """

    seeds: np.ndarray
    far: np.ndarray
    candidates: np.ndarray
    rings: np.ndarray
    places: np.ndarray
    potentials: np.ndarray


class Seeding:
    """How seeds are drawn from scratch, and whether a point would change them.

    operations: distances computed so far.
    """

    def __init__(self, clusters, seed):
        self.clusters, self.seed, self.operations = clusters, seed, 0
        races = 2 + int(math.log(clusters))
        rounds = np.arange(clusters, dtype=np.int64)[:, None]
        self.streams = rounds * STREAMS + np.arange(races) * (rounds > 0)

    def run(self, points, numbers):
        """The races among points, (n, d) in units, of these numbers, which ascend."""
        shape = self.streams.shape
        seeds, far = np.zeros(len(self.streams), np.int64), np.zeros(len(self.streams), bool)
        candidates, rings = np.zeros(shape, np.int64), np.zeros(shape)
        potentials = np.zeros((*shape, 3), np.int64)
        free, squared = np.ones(len(points)), np.full(len(points), lattice.MOST_SQUARED)
        for step, streams in enumerate(self.streams):
            raced = streams if step else streams[:1]
            far[step] = np.any(squared > 0)
            found, rings[step] = self._race(raced, numbers, squared if far[step] else free)
            left, potentials[step] = self._left(points, points[found], squared)
            winner = lattice.totals(potentials[step]).argmin()
            squared = left[winner]
            candidates[step], seeds[step] = found, found[winner]
            free[found[winner]] = 0.0
        return Races(
            numbers[seeds], far, numbers[candidates], rings, points[candidates], potentials
        )

    def _race(self, streams, numbers, weights):
        """Where the points are that ring first, and when, in each race, at rates of their weights.

        Of equals the first wins. Weights of 0 never ring.
        """
        found, when = np.zeros(len(streams), np.int64), np.full(len(streams), np.inf)
        for rows in self._chunks(len(numbers)):
            with np.errstate(divide="ignore"):
                ring = lattice.clocks(self.seed, streams, numbers[rows]) / weights[rows]
            best = ring.argmin(axis=1)
            earliest = ring[np.arange(len(streams)), best]
            sooner = earliest < when
            found[sooner], when[sooner] = best[sooner] + rows.start, earliest[sooner]
        return found, when

    def _left(self, points, candidates, squared):
        """Squared distances to the nearest seed with each candidate, (R, n), and their sums."""
        left = np.zeros((len(candidates), len(points)))
        sums = np.zeros((len(candidates), 3), np.int64)
        for rows in self._chunks(len(points)):
            apart = lattice.squared_distances(points[rows], candidates).T
            left[:, rows] = np.minimum(apart, squared[rows])
            sums += lattice.digits(left[:, rows]).sum(axis=-1).T
        self.operations += len(candidates) * len(points)
        return left, sums

    def _chunks(self, n):
        step = CHUNK // self.streams.shape[1]
        return [slice(start, start + step) for start in range(0, n, step)]

    def changed(self, races, point, number, sign):
        """The races with a point added (1) or left out (-1), and why the seeds may differ, or None.

        number: of the point. Where seeds may differ, the races are those from before.
        """
        if sign < 0 and np.any(mine := races.candidates == number):
            step = int(np.any(mine, axis=1).argmax())
            if number in races.seeds:
                return races, f"point {number} is a seed"
            return races, f"point {number} was a candidate for seed {step}"
        k = np.arange(self.clusters)
        chosen = (races.candidates == races.seeds[:, None]).argmax(axis=1)
        flat = races.places.reshape(-1, len(point))
        apart = lattice.squared_distances(point[None], flat).reshape(races.candidates.shape)
        self.operations += apart.size
        nearest = np.minimum.accumulate(apart[k, chosen])
        squared = np.concatenate([[lattice.MOST_SQUARED], nearest[:-1]])
        joins = np.zeros(len(squared), bool)
        if sign > 0:
            with np.errstate(divide="ignore"):
                weights = np.where(races.far, squared, 1.0)[:, None]
                rings = lattice.clocks(self.seed, self.streams, [number])[..., 0] / weights
            # Away from the seeds it rings before all that are not; of equals the lowest number.
            joins = np.any(rings < races.rings, axis=1) | (~races.far & (squared > 0))
        terms = np.moveaxis(lattice.digits(np.minimum(apart, squared[:, None])), 0, -1)
        new = dataclasses.replace(races, potentials=races.potentials + sign * terms)
        winners = new.candidates[k, lattice.totals(new.potentials).argmin(axis=1)]
        other = joins | (winners != races.seeds)
        if np.any(other):
            step = int(other.argmax())  # what comes after the first that differs is not known
            if joins[step]:
                return races, f"the new point would be a candidate for seed {step}"
            return races, f"another candidate would be seed {step}"
        return new, None
