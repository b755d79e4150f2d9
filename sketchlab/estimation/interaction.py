"""The interaction form: what units do to each other's effects, of degree 2.

With g the gradient of an output and A_uv the derivative, by the down-weight of unit u, of the mean
training loss on unit v,

    B(x) = sum_{u != v} x_u A_uv g_v x_v,

as `posterior` explains. What jets of degree 2 say already is taken out of it.
"""

import numpy as np

from .directions import symmetric_dimension
from .minimum_norm import INFORMED, base_gradient, forms_of

FACTOR = 1.5  # of B, measured on microgpt


def interaction_matrix(output):
    """A_uv g_v without its diagonal, (n, n), kept with the output; None if A or g is not known."""
    gradient, influence = base_gradient(output), output.influence
    if influence is None or gradient is None:
        return None
    return output.kept(
        interaction_matrix, lambda: (influence - np.diag(np.diag(influence))) * gradient
    )


def bend(output, moves):
    """The interaction form c B, without what jets of degree 2 say about it, (points,)."""
    matrix = interaction_matrix(output)
    if matrix is None:
        return np.zeros(len(moves))

    def form(x):
        return np.einsum("pi,pi->p", x @ matrix, x)

    found = form(moves)
    unknowns = symmetric_dimension(len(output.units), 2)
    if output.degree > 1 and 2 * len(output.directions) >= INFORMED * unknowns:
        along = np.zeros((3, len(output.directions)), complex)
        along[2] = form(output.directions.vectors)
        forms = output.kept("bend of jets", lambda: forms_of(along, output.directions))
        found = found - forms.at(moves)[0][2]
    return FACTOR * found
