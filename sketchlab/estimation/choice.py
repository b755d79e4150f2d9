"""The estimators by name, and the one that is chosen if none is named."""

import dataclasses

from .anchored import Anchored
from .minimum_norm import MinimumNorm
from .prediction import Mean, MedianOfMeans
from .resummation import Resummed

ENOUGH_ANCHORS = 20  # or as many as there are units


class Automatic:
    """Anchored where there are enough exact retrainings, else minimum norm, resummed."""

    def estimate(self, output, moves):
        """See `estimate`."""
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
    """An estimator by its name in `ESTIMATORS`, or the estimator itself."""
    if hasattr(estimator, "estimate"):
        return estimator
    if estimator not in ESTIMATORS:
        raise ValueError(f"estimator must be one of {', '.join(ESTIMATORS)}, not {estimator!r}")
    return ESTIMATORS[estimator]()
