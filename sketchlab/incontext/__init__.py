"""Learning in context, and exact unlearning of what it is learned from.

`QuantizedKMeans`: clusters from which points can be deleted exactly, with a `Certificate`.
"""

from .kmeans import QuantizedKMeans
from .lloyd import Certificate

__all__ = ["Certificate", "QuantizedKMeans"]
