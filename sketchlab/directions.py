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


def symmetric_dimension(n, degree):
    """C(n + degree - 1, degree), the dimension of the symmetric forms of a degree on C^n."""
    return special.binom(n + degree - 1, degree)
