"""Figures, drawn from results that are computed elsewhere; each function returns the figure.

`curves`: what deletions do to a model, predicted and retrained. `cells`: clusters on a
lattice. `certificates`: what is checked before a point is deleted from them. `letters`: what a loss
is made of. `smoothness`: what tells where exact first order works. `boards`: scoreboards of
attribution methods. `costs`: what these cost beside their errors. `recovery`: what rankings find of
bad data.
"""

from ..canvas import BLUE, GREEN, GREY, ORANGE, PINK, RED, SKY, blank, description, new_axes, write
from .boards import methods_on_one_deletion, predicted_and_true, ranks_by_size
from .cells import clusters, clusters_by_iteration, frame
from .certificates import certificate
from .costs import error_and_cost
from .curves import (
    PARTS,
    deletion_curve,
    error_by_degree,
    predicted_curve,
    predicted_curves,
    predicted_deletion,
    stability,
    taylor_terms,
    unlearning_way,
)
from .letters import letters
from .recovery import losses_without, recovery_curves
from .smoothness import smoothness

__all__ = [
    "BLUE",
    "GREEN",
    "GREY",
    "ORANGE",
    "PARTS",
    "PINK",
    "RED",
    "SKY",
    "blank",
    "certificate",
    "clusters",
    "clusters_by_iteration",
    "deletion_curve",
    "description",
    "error_and_cost",
    "error_by_degree",
    "frame",
    "letters",
    "losses_without",
    "methods_on_one_deletion",
    "new_axes",
    "predicted_and_true",
    "predicted_curve",
    "predicted_curves",
    "predicted_deletion",
    "ranks_by_size",
    "recovery_curves",
    "smoothness",
    "stability",
    "taylor_terms",
    "unlearning_way",
    "write",
]
