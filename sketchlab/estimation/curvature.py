"""What gradients say of the second order: the smallest quadratic form that agrees with all of them.

Let y_g = f'(x_g) - f'(0) be known at a few points x_g. To second order y_g = B x_g. Among all
symmetric B with these products take the smallest, as the minimum norm does for jets. In matrices,
X = (x_1 ... x_G) and Y = (y_1 ... y_G), with P = Q Q' the projection on the span of X and
T = Y X^+ Q,

    B = T Q' + Q T' - Q (Q' T + T' Q)/2 Q'.

Third orders make the equations inexact. Then B is nearest to them in the orthonormal coordinates
of the span: it has the least |B Q - T|, which need not be the least |B X - Y|.
B is known on the span, and nothing is known of (1 - P) B (1 - P), which is left at 0. That is the
mean of a Gaussian process with kernel (x . x')^2; and what is left open has the kernel
((1 - P) x . (1 - P) x')^2. No system of equations grows with the number of derivatives.

The diagonal of B is apart: how the effect of one unit bends says nothing of two units together, and
is far larger. With d = DIAGONAL times the variance there, the kernel being (x . x')^2 +
d sum_i (x_i x'_i)^2, its part b is what

    (1/d + E - (1-P)*(1-P)) b = diag(B of Y) / 2          (* entry by entry)

gives, one system for all outputs, and B becomes 2 diag(b) + (B of Y - 2 diag(b) X). Coordinates are
multiplied by the roots of the units' relative sizes, so that the variance follows the sizes.
"""

import numpy as np
from scipy import linalg

from .minimum_norm import relative_sizes

DIAGONAL = 300.0  # measured on microgpt: 100 to 1000 are equally good
TOLERANCE = 1e-6  # singular values of the points below this times the largest are taken for 0


class Curvature:
    """The quadratic forms that gradients at some points determine, for any output.

    moves: the points less the base point, (g, n). root: of the units' relative sizes, (n,).
    span: an orthonormal basis of the points, in coordinates times root, (n, rank).
    """

    def __init__(self, moves, sizes):
        self.root = np.sqrt(sizes)
        self.points = moves * self.root
        left, values, right = linalg.svd(self.points, full_matrices=False)
        keep = values > TOLERANCE * values.max(initial=0.0)
        self.span, self._inverse = right[keep].T, left[:, keep] / values[keep]
        n = moves.shape[1]
        rest = (np.eye(n) - self.span @ self.span.T) ** 2
        self._diagonal = linalg.cho_factor((1.0 + 1.0 / DIAGONAL) * np.eye(n) - rest)

    def form(self, differences):
        """The form B, (n, n), from the derivatives less those at the base point, (g, n)."""
        scaled = (differences / self.root).T
        plain = self._smallest(scaled)
        bends = linalg.cho_solve(self._diagonal, np.diag(plain) / 2)
        found = plain - self._smallest(2 * bends[:, None] * self.points.T)
        found[np.diag_indices_from(found)] += 2 * bends
        return found * np.outer(self.root, self.root)

    def _smallest(self, differences):
        """The smallest symmetric B with B X = differences, (n, g), in scaled coordinates."""
        known, q = differences @ self._inverse, self.span
        inside = q.T @ known
        half = (known - q @ inside / 2) @ q.T
        return half + half.T

    def rest(self, scaled):
        """What the points do not span of some moves times root, (p, n)."""
        return scaled - (scaled @ self.span) @ self.span.T


def curvature(output):
    """The `Curvature` at an output's gradient points, the same object for all that share them."""
    points = output.gradient_points
    return output.directions.kept(
        ("curvature", points.tobytes(), output.at.tobytes()),
        lambda: Curvature(points - output.at, relative_sizes(output.directions)),
    )
