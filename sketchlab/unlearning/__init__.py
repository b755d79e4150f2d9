"""Unlearning: changing a trained model into one that has not seen some documents, and judging it.

`train_seeds`: models of one run under many seeds, with some documents (originals) or without them
(oracles). `unlearn`: what a method makes of the originals. `metrics`: how far that is from oracles.
`Bench`: a table of methods for one forget set. `unlearning_error`: how far it can be expected to
be, without any oracle. `Ridge`: the case in which every method's path has a formula.
`similar`: documents that a forget set should have too. `perplexity`,
`overlap`: whether the models are still good for anything.
"""

from . import metrics
from .bench import Bench
from .changes import (
    change_by_effects,
    change_by_jets,
    change_by_regression,
    change_by_sketch,
    mean_change,
)
from .fuzzy import similar, similarity
from .methods import METHODS, path, stopped, unlearn
from .metrics import klom, lira, loss_attack, margins, null, verification_error, wasserstein
from .population import Models, reseeded, train_seeds
from .ridge import Ridge
from .squares import WeightedSquares, descend, descend_by_rows
from .targets import direct, oracle_targets, predicted_targets
from .unrolling import SDLoss, UnlearningError, largest_eigenvalue, unlearning_error
from .utility import generations, overlap, perplexity, rouge_l
from .ways import Way

__all__ = [
    "METHODS",
    "Bench",
    "Models",
    "Ridge",
    "SDLoss",
    "UnlearningError",
    "Way",
    "WeightedSquares",
    "change_by_effects",
    "change_by_jets",
    "change_by_regression",
    "change_by_sketch",
    "descend",
    "descend_by_rows",
    "direct",
    "generations",
    "klom",
    "largest_eigenvalue",
    "lira",
    "loss_attack",
    "margins",
    "mean_change",
    "metrics",
    "null",
    "oracle_targets",
    "overlap",
    "path",
    "perplexity",
    "predicted_targets",
    "reseeded",
    "rouge_l",
    "similar",
    "similarity",
    "stopped",
    "train_seeds",
    "unlearn",
    "unlearning_error",
    "verification_error",
    "wasserstein",
]
