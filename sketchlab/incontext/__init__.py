"""Learning in context, and exact unlearning of what it is learned from.

`QuantizedKMeans`: clusters from which points can be deleted exactly, with a `Certificate`, on a
lattice of `recommended_width`.
"""

from .kmeans import QuantizedKMeans
from .lattice import recommended_width
from .lloyd import Certificate

__all__ = ["Certificate", "QuantizedKMeans", "recommended_width"]
