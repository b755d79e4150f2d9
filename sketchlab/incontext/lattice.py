"""Exact arithmetic for quantized k-means: fixed point, a lattice, and clocks for its seeds.

A coordinate is an integer, a multiple of width / 2^20, so that sums are exact in any order, and
what is subtracted leaves no trace. Lattice points are the multiples of the width, moved by a phase.
All else is done element by element in floating point, so that a point by itself gets bit for bit
what it gets among many.
"""

import math

import numpy as np

from ..checks import check_positive

CELL = 1 << 20  # units of a coordinate in one width of the lattice
FARTHEST = 1 << 40  # units from 0, at most: a million widths
MOST_POINTS = 1 << 22  # so that sums stay below 2^62
MOST_SQUARED = 2.0**99  # more than any squared distance of two points, in at most 2^16 columns
CHUNK = 1 << 22  # entries of a table of distances at a time
TERMS = 16  # of the series of the logarithm
DIGIT = 2.0**36  # squared distances are summed in three digits of this base


def recommended_width(spread, *, rise=0.04):
    """The width of the lattice that makes the loss rise by this share, in the unit of spread.

    spread: the standard deviation within clusters, of one column (of several, the root of the mean
    of their squares). Rounding to a lattice of width w with a uniform phase moves a centroid by an
    error uniform within w / 2 of 0: the mean squared distance to it rises from spread^2 to
    spread^2 + w^2 / 12 in each column, if each point stays in its cluster; that some are nearer to
    another centroid then makes it less. So w = spread sqrt(12 rise), for any number of columns.

    Of n points in d columns, in k Gaussian clusters, about a share 0.8 k T d spread / (n w) is not
    certified: without a point a mean moves by 0.8 spread k / n in a column, and crosses a boundary
    of the lattice in each of T iterations with that over w as its probability.

    Deletion is exact for any width, but private only if the width does not depend on the data: take
    the spread from what is known beforehand (the error of the instrument, other data of the kind,
    how near two points must be to count as one), not from the points to be clustered.

    Raises ValueError if one of them is no finite number above 0.
    """
    return check_positive(spread, "spread") * math.sqrt(12 * check_positive(rise, "rise"))


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
    found = np.zeros((len(centroids), len(points)))  # numpy is fast along many points
    for ours, theirs in zip(points.T, centroids.T, strict=True):
        apart = (ours - theirs[:, None]).astype(float)
        found += apart * apart
    return found.T


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


def digits(squared):
    """Whole numbers below 2^99 held as floats, (..., n), as (3, ..., n) int64, the highest first.

    Digit by digit they can be summed and subtracted exactly: sums stay below 2^58.
    """
    upper = np.floor(squared / DIGIT)
    highest = np.floor(upper / DIGIT)
    found = highest, upper - highest * DIGIT, squared - upper * DIGIT
    return np.array([digit.astype(np.int64) for digit in found])


def totals(sums):
    """What sums of digits stand for, (..., 3) int64, as Python integers, (...)."""
    highest, middle, lowest = np.moveaxis(sums.astype(object), -1, 0)
    return (highest * int(DIGIT) + middle) * int(DIGIT) + lowest


def clocks(seed, streams, numbers):
    """Standard exponential times, one for each stream and point: (*streams.shape, points).

    They depend on the seed, the stream (an integer) and the point's number alone, not on what else
    is asked for.
    """
    with np.errstate(over="ignore"):
        start = _mixed(_mixed(np.asarray(seed, np.uint64)) + np.asarray(streams, np.uint64))
        bits = _mixed(start[..., None] ^ _mixed(np.asarray(numbers, np.uint64)))
    uniform = ((bits >> np.uint64(12)).astype(float) + 0.5) * 2.0**-52
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
