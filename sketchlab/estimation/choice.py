"""The estimators by name, and the one that is chosen if none is named."""

import dataclasses

from ..checks import check_choice
from .averages import Mean, MedianOfMeans
from .minimum_norm import MinimumNorm
from .posterior import Posterior
from .resummation import Resummed

ENOUGH_ANCHORS = 20  # or as many as there are units


@dataclasses.dataclass(frozen=True)
class Automatic:
    """The posterior where there is enough exact evidence, else minimum norm, resummed."""

    def chosen(self, output):
        """The estimator for this output: gradients, or a few exact retrainings, are enough."""
        return Resummed() if missing_anchors(output) else Posterior()


def missing_anchors(output):
    """How many more anchors it takes for predictions to use them beyond their own points."""
    if len(output.gradients):
        return 0
    return max(0, min(ENOUGH_ANCHORS, len(output.units)) - len(output.anchors))


ESTIMATORS = {
    "automatic": Automatic,
    "posterior": Posterior,
    "resummed": Resummed,
    "minimum_norm": MinimumNorm,
    "mean": Mean,
    "median_of_means": MedianOfMeans,
}


def named_estimator(estimator):
    """An estimator by its name in `ESTIMATORS`, or one of these estimators itself."""
    if isinstance(estimator, tuple(ESTIMATORS.values())):
        return estimator
    return ESTIMATORS[check_choice(estimator, ESTIMATORS, "estimator")]()
