"""Random complex directions: uniform on the unit sphere of C^n, or stretched along groups.

For psi uniform on the sphere, E[psi^(tensor r) (conj psi)^(tensor s)] is 0 for r != s, and for
r = s the projection on symmetric tensors divided by C(n+r-1, r). So, for a form F_r of degree r,

    F_r[x, ..., x] = C(n+r-1, r) E[ F_r[psi, ..., psi] <psi, x>^r ]

with <psi, x> = sum_i conj(psi_i) x_i: one random direction gives an unbiased estimate of every
Taylor term at once (paper, section 3). Real directions do not: from degree 2 on, pairings of equal
factors leave trace terms behind.

Over nested units the directions are S psi: S multiplies by STRETCH along the span of the groups'
indicators, so that the jets are mostly about whole groups, while the rest of each direction still
tells about its documents. As S is symmetric and real, <S^-2 (S psi), S y> = <psi, y>: the formula
stays true with the *duals* S^-2 S psi in place of psi in the inner product.
"""

import numpy as np
from scipy import special

from ..arguments import check_function, instance, list_of, numbers_from_0, takes
from ..checks import check_choice, check_count, check_number_of, number_array
from .units import Units

BLOCK = 512  # directions in a block of the orthonormal design, at most
STRETCH = 100.0  # of directions along nested groups: 1 / STRETCH is what documents add as noise


class Directions:
    """m directions over units, and what is solved for them once for all outputs.

    vectors: complex, (m, n), read-only. duals: what takes their place in the inner product of the
    plain estimate, (m, n). units: what the n coordinates are (see `Units`).
    """

    @takes(units=instance(Units))
    def __init__(self, vectors, units=None, *, duals=None):
        self.vectors = number_array(vectors, "vectors") + 0  # a copy
        if self.vectors.ndim != 2:
            raise ValueError(f"vectors must have shape (m, n), not {self.vectors.shape}")
        self.vectors.flags.writeable = False  # what is kept below must not grow stale
        self.units = Units(None, self.vectors.shape[1]) if units is None else units
        if self.vectors.shape[1] != len(self.units):
            raise ValueError(
                f"directions must have one column for each of the {len(self.units)} units, not "
                f"{self.vectors.shape[1]}"
            )
        self.duals = _stretched(self.vectors, self.units, STRETCH**-2) if duals is None else duals
        self._kept = {}

    def __getstate__(self):
        return {**vars(self), "_kept": {}}

    def __setstate__(self, state):
        vars(self).update(state)
        self.vectors.flags.writeable = False

    def __len__(self):
        return len(self.vectors)

    def __repr__(self):
        return f"Directions({len(self)} over {len(self.units)} units)"

    @takes(count=check_count)
    def first(self, count):
        """The first `count` of them; the same object at every call."""
        if count == len(self):
            return self
        return self.kept(
            ("first", count),
            lambda: Directions(self.vectors[:count], self.units, duals=self.duals[:count]),
        )

    @takes(compute=check_function)
    def kept(self, key, compute):
        """The result of compute(), which depends on these directions and the key alone."""
        if key not in self._kept:
            self._kept[key] = compute()
        return self._kept[key]


@takes(numbers=list_of(check_number_of, least=0), units=instance(Units))
def draw(units, numbers, *, design="orthonormal", seed=0):
    """The directions with these numbers over some units, `Directions`, stretched along groups.

    design: a name in `DESIGNS`. Direction j depends on (seed, j) alone: more directions extend a
    sketch without changing it.
    """
    psi = DESIGNS[check_choice(design, DESIGNS, "design")](len(units), numbers, seed=seed)
    return Directions(_stretched(psi, units, STRETCH), units)


def _stretched(vectors, units, factor):
    """Vectors (m, n), multiplied by a factor along the span of the indicators of nested groups."""
    if not units.nested:
        return vectors
    indicators = np.zeros((len(units), len(units.nested)))
    for column, members in zip(indicators.T, units.nested.values(), strict=True):
        column[members] = len(members) ** -0.5
    span, lengths, _ = np.linalg.svd(indicators, full_matrices=False)
    span = span[:, lengths > 1e-9 * lengths[0]]
    return vectors + (factor - 1.0) * (vectors @ span) @ span.T


@takes(n=check_count, count=check_count, start=check_number_of)
def sphere(n, count, *, seed=0, start=0):
    """Directions number start, ..., start + count - 1, complex, shape (count, n), length 1 each."""
    return independent(n, range(start, start + count), seed=seed)


@takes(n=check_count, numbers=list_of(check_number_of, least=0))
def independent(n, numbers, *, seed=0):
    """The independent directions with these numbers, shape (len(numbers), n), length 1 each."""
    directions = np.empty((len(numbers), n), complex)
    for row, number in zip(directions, numbers, strict=True):
        row[:] = np.random.default_rng((seed, int(number))).standard_normal((n, 2)) @ (1, 1j)
        row /= np.linalg.norm(row)
    return directions


@takes(n=check_count, numbers=list_of(check_number_of, least=0))
def orthonormal(n, numbers, *, seed=0):
    """Directions with these numbers from the orthonormal design, shape (len(numbers), n).

    Each is uniform on the sphere, like those of `independent`, so plain estimates stay unbiased.
    But the planes that their real and imaginary parts span are orthogonal to each other within a
    block of floor(n/2) directions (at most BLOCK): n/2 directions then say all about a linear form,
    by equations as well conditioned as can be. Direction j depends on (seed, j) alone.
    """
    size = min(n // 2, BLOCK)
    if size == 0:
        return independent(n, numbers, seed=seed)
    directions = independent(n, numbers, seed=seed)
    planes = {}
    for row, number in zip(directions, map(int, numbers), strict=True):
        block, place = divmod(number, size)
        if block not in planes:
            planes[block] = _haar(n, 2 * size, np.random.default_rng((seed, block, 1)))
        # a direction's real and imaginary part are (uniform orthonormal pair) @ (2 x 2 root of
        # their Gram matrix), the factors being independent: only the pair is exchanged
        parts = np.stack([row.real, row.imag], axis=1)
        values, vectors = np.linalg.eigh(parts.T @ parts)
        root = vectors @ (np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T)
        row[:] = planes[block][:, 2 * place : 2 * place + 2] @ (root @ (1, 1j))
    return directions


def _haar(n, columns, rng):
    """Columns of a uniformly random orthogonal matrix, shape (n, columns)."""
    q, r = np.linalg.qr(rng.standard_normal((n, columns)))
    return q * np.sign(np.diag(r))


DESIGNS = {"orthonormal": orthonormal, "independent": independent}


def symmetric_dimension(n, degree):
    """C(n + degree - 1, degree), the dimension of the symmetric forms of a degree on C^n.

    n: an integer. degree: one, or an array of them.
    """
    return special.binom(check_count(n, "n") + numbers_from_0(degree, "degree") - 1, degree)
