"""Unlearning: changing a trained model into one that has not seen some documents, and judging it.

`metrics`: how far such models are from models that were retrained without these documents.
"""

from . import metrics
from .metrics import klom, lira, loss_attack, margins, null, verification_error, wasserstein

__all__ = [
    "klom",
    "lira",
    "loss_attack",
    "margins",
    "metrics",
    "null",
    "verification_error",
    "wasserstein",
]
