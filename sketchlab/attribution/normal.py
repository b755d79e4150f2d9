"""Solutions with the matrix Phi' Phi + damping, on the side where it is smaller.

With m rows of k numbers, the matrix of normal equations is (k, k), and that of the products of the
rows Phi Phi' + damping is (m, m). Either gives what is asked for (Woodbury's identity):

    Phi (Phi' Phi + damping)^-1 = (Phi Phi' + damping)^-1 Phi.
"""

import numpy as np

from ..checks import check_positive

WORST = 1e12  # condition number of a matrix beyond which solutions are refused


class NormalMatrix:
    """The matrix Phi' Phi + damping of rows Phi, (m, k), and its inverse.

    damping: above 0, or 0 if the smaller of the two matrices is not near singular (with fewer rows
    than columns, solutions are then the limit of small damping). The larger it is, the smaller are
    solutions, and the more like products with the rows alone. None: the mean eigenvalue of
    Phi' Phi, trace / min(m, k), of those that can differ from 0; directions in which gradients are
    less than usual count for little then. It is found from the rows alone. added: what is put on
    the diagonal besides, such as a weight decay.
    damping: the one used, without what was added. Raises ValueError for a matrix too near singular.
    """

    def __init__(self, rows, damping=None, *, added=0.0):
        from scipy import linalg  # slow to import

        self.rows, self.wide = rows, rows.shape[0] < rows.shape[1]
        gram = rows @ rows.T if self.wide else rows.T @ rows
        trace = float(np.trace(gram))
        if damping is None:
            damping = trace / len(gram)
        self.damping = float(damping)
        total = self.damping + added
        gram[np.diag_indices(len(gram))] += total
        if not total > trace / WORST:
            values = np.linalg.eigvalsh(gram)
            if not values[0] > values[-1] / WORST:
                raise ValueError(
                    f"with damping {self.damping:g} the matrix of products of gradients is too "
                    "near singular for a solution in double precision: give a larger damping"
                )
        self._factor = linalg.cho_factor(gram, overwrite_a=True)
        self._solve = linalg.cho_solve

    def along(self, directions):
        """Products of the rows with solutions: (Phi inverse direction), (directions, m)."""
        if self.wide:
            return self._solve(self._factor, self.rows @ directions.T).T
        return (self.rows @ self._solve(self._factor, directions.T)).T

    def moved(self, weights):
        """Solutions for weighted sums of the rows: (inverse Phi' weights), (points, k)."""
        if self.wide:
            return self._solve(self._factor, weights.T).T @ self.rows
        return self._solve(self._factor, self.rows.T @ weights.T).T


def check_damping(damping):
    """Return a damping as a float, or None; ValueError for what is not 0 or above."""
    if damping is None or (np.ndim(damping) == 0 and damping == 0):
        return damping
    return check_positive(damping, "damping (if it is not None or 0)")
