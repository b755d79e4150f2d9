"""From jets along random directions to predictions with bands; imports nothing of training.

The estimators, for `predict(..., estimator=...)` with settings of their own, or to ask one alone
for the error that it states, before bands are calibrated: `Mean`, `MedianOfMeans`, `MinimumNorm`,
`Resummed`, `Posterior`; by name, `ESTIMATORS`.
"""

from .averages import Mean, MedianOfMeans
from .choice import ESTIMATORS
from .minimum_norm import MinimumNorm
from .posterior import Posterior
from .resummation import Resummed

__all__ = ["ESTIMATORS", "Mean", "MedianOfMeans", "MinimumNorm", "Posterior", "Resummed"]
