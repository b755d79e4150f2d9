"""Figures, drawn from results that are computed elsewhere; each function returns the figure.

`curves`: what deletions do to a model, predicted and retrained. `cells`: clusters on a
lattice. `certificates`: what is checked before a point is deleted from them. `recovery`: what
rankings find of bad data.
"""

from ..canvas import BLUE, GREEN, GREY, ORANGE, RED, blank, description, new_axes, write
from .cells import clusters, clusters_by_iteration, frame
from .certificates import certificate
from .curves import (
    PARTS,
    deletion_curve,
    error_by_degree,
    predicted_curves,
    predicted_deletion,
    stability,
    unlearning_way,
)
from .recovery import losses_without, recovery_curves

__all__ = [
    "BLUE",
    "GREEN",
    "GREY",
    "ORANGE",
    "PARTS",
    "RED",
    "blank",
    "certificate",
    "clusters",
    "clusters_by_iteration",
    "deletion_curve",
    "description",
    "error_by_degree",
    "frame",
    "losses_without",
    "new_axes",
    "predicted_curves",
    "predicted_deletion",
    "recovery_curves",
    "stability",
    "unlearning_way",
    "write",
]
