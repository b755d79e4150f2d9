"""The estimators by name, and the one that is chosen if none is named."""

import dataclasses

from .anchored import Anchored
from .estimate import Mean, MedianOfMeans
from .minimum_norm import MinimumNorm
from .resummation import Resummed


class Automatic:
    """Anchored where there are exact retrainings to anchor to, else minimum norm, resummed."""

    def estimate(self, output, moves):
        """See `estimate`."""
        chosen = Anchored() if len(output.anchors) else Resummed()
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
