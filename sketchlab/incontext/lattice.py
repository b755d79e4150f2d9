"""Exact arithmetic for quantized k-means: fixed point, a lattice, and clocks for its seeds.

A coordinate is an integer, a multiple of width / 2^20, so that sums are exact in any order, and
what is subtracted leaves no trace. Lattice points are the multiples of the width, moved by a phase.
All else is done element by element in floating point, so that a point by itself gets bit for bit
what it gets among many.
"""

import numpy as np

CELL = 1 << 20  # units of a coordinate in one width of the lattice
FARTHEST = 1 << 40  # units from 0, at most: a million widths
MOST_POINTS = 1 << 22  # so that sums stay below 2^62
CHUNK = 1 << 22  # entries of a table of distances at a time
TERMS = 16  # of the series of the logarithm


def to_units(x, width):
    """Coordinates as integers, of the shape of x; ValueError for what is not finite or too far."""
    scaled = np.asarray(x, dtype=float) * (CELL / width)
    if not np.all(np.isfinite(scaled)):
        raise ValueError("coordinates must be finite numbers: there are NaN or infinite ones")
    if np.any(np.abs(scaled) > FARTHEST):
        raise ValueError(
            f"coordinates must lie within {FARTHEST // CELL} widths of 0, with width {width:g}: "
            "scale the data, or give a larger width"
        )
    return np.rint(scaled).astype(np.int64)


def squared_distances(points, centroids):
    """Squared distances in square units, (points, centroids), from integers."""
    found = np.zeros((len(points), len(centroids)))
    for ours, theirs in zip(points.T, centroids.T, strict=True):
        apart = (ours[:, None] - theirs).astype(float)
        found += apart * apart
    return found


def nearest(points, centroids):
    """The number of the nearest centroid of each point, the lowest of equal ones."""
    rows = max(1, CHUNK // len(centroids))
    parts = [points[i : i + rows] for i in range(0, len(points), rows)]
    return np.concatenate([squared_distances(part, centroids).argmin(axis=1) for part in parts])


def phases(seed, iteration, columns):
    """The lattice's phase in an iteration, integers from 0 to CELL - 1: uniform, without data."""
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, iteration])))
    return rng.integers(0, CELL, size=columns)


def rounded(numerators, denominators, phase):
    """The lattice points nearest to fractions, (clusters, columns) of Python integers; ties go up.

    numerators: (clusters, columns), denominators: (clusters,), above 0, both of Python integers.
    """
    below = denominators[:, None]
    steps = (2 * (numerators - phase * below) + CELL * below) // (2 * CELL * below)
    return (steps * CELL + phase).astype(np.int64)


def clocks(seed, rounds, numbers):
    """Standard exponential times, one for each round and point: (rounds, points).

    They depend on the seed, the round and the point's number alone, not on what else is asked for.
    """
    with np.errstate(over="ignore"):
        start = _mixed(np.asarray(seed, np.uint64) + np.arange(rounds, dtype=np.uint64))
        bits = _mixed(start[:, None] ^ _mixed(np.asarray(numbers, np.uint64))[None])
    uniform = ((bits >> np.uint64(11)).astype(float) + 0.5) * 2.0**-53
    mantissa, exponent = np.frexp(uniform)
    s = (mantissa - 1.0) / (mantissa + 1.0)
    square, total = s * s, np.zeros_like(s)
    for term in range(TERMS, -1, -1):
        total = total * square + 1.0 / (2 * term + 1)
    return -(2.0 * s * total + exponent * np.log(2.0))


def _mixed(bits):
    """A hash of 64 bits (the finaliser of splitmix64, Steele et al. 2014)."""
    bits = bits + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))
