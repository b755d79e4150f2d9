"""Random complex directions: uniform on the unit sphere of C^n.

For psi uniform on the sphere, E[psi^(tensor r) (conj psi)^(tensor s)] is 0 for r != s, and for
r = s the projection on symmetric tensors divided by C(n+r-1, r). So, for a form F_r of degree r,

    F_r[x, ..., x] = C(n+r-1, r) E[ F_r[psi, ..., psi] <psi, x>^r ]

with <psi, x> = sum_i conj(psi_i) x_i: one random direction gives an unbiased estimate of every
Taylor term at once (paper, section 3). Real directions do not: from degree 2 on, pairings of equal
factors leave trace terms behind.
"""

import numpy as np
from scipy import special

BLOCK = 512  # directions in a block of the orthonormal design, at most


def sphere(n, count, *, seed=0, start=0):
    """Directions number start, ..., start + count - 1, complex, shape (count, n), length 1 each.

    Direction j depends on (seed, j) alone: more directions extend a sketch without changing it.
    """
    return numbered(n, range(start, start + count), seed=seed)


def numbered(n, numbers, *, seed=0):
    """The directions with these numbers, shape (len(numbers), n)."""
    directions = np.empty((len(numbers), n), complex)
    for row, number in zip(directions, numbers, strict=True):
        row[:] = np.random.default_rng((seed, int(number))).standard_normal((n, 2)) @ (1, 1j)
        row /= np.linalg.norm(row)
    return directions


def orthonormal(n, numbers, *, seed=0):
    """Directions with these numbers from the orthonormal design, shape (len(numbers), n).

    Each is uniform on the sphere, like those of `numbered`, so the plain estimates stay unbiased.
    But the planes that their real and imaginary parts span are orthogonal to each other within a
    block of floor(n/2) directions (at most BLOCK): n/2 directions then say all about a linear form,
    by equations as well conditioned as can be. Direction j depends on (seed, j) alone.
    """
    size = min(n // 2, BLOCK)
    if size == 0:
        return numbered(n, numbers, seed=seed)
    directions = numbered(n, numbers, seed=seed)
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


DESIGNS = {"orthonormal": orthonormal, "independent": numbered}


def symmetric_dimension(n, degree):
    """C(n + degree - 1, degree), the dimension of the symmetric forms of a degree on C^n."""
    return special.binom(n + degree - 1, degree)
