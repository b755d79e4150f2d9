"""The estimators by name, and the one that is chosen if none is named."""

import dataclasses

from ..checks import check_choice
from .anchored import Anchored
from .averages import Mean, MedianOfMeans
from .minimum_norm import MinimumNorm
from .resummation import Resummed

ENOUGH_ANCHORS = 20  # or as many as there are units


@dataclasses.dataclass(frozen=True)
class Automatic:
    """Anchored where there are enough exact retrainings, else minimum norm, resummed."""

    def estimate(self, output, moves):
        """See `averages`."""
        enough = len(output.anchors) >= min(ENOUGH_ANCHORS, len(output.units))
        chosen = Anchored() if enough else Resummed()
        found = chosen.estimate(output, moves)
        return dataclasses.replace(found, reason=f"chosen: {found.reason}")


ESTIMATORS = {
    "automatic": Automatic,
    "anchored": Anchored,
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
