"""Metasmoothness: whether the trained parameters go on as they began when data are down-weighted.

Engstrom et al. (2025, Optimizing ML training with metagradient descent, arXiv 2503.13751, section
3) train three times, at down-weights 0, h v and 2 h v. With the two changes of the trained
parameters A that follow each other,

    D = A(h v) - A(0),    D' = A(2 h v) - A(h v),    w = |A(2 h v) - A(0)|,

their empirical metasmoothness is sum_j w_j sign(D_j) sign(D'_j) / sum_j w_j, from -1 to 1: the
share of parameters that keep their direction minus that of those which turn back, weighted by how
far they get. It is 1 for whatever moves one way, however unevenly: it says that a derivative points
the right way, not that the first order is exact. Of an output f they take the second difference,
|f(2 h v) - 2 f(h v) + f(0)| / h^2, which is small where f is smooth.
"""

import dataclasses

import numpy as np
from scipy import stats

from ..arguments import check_function, list_of, takes
from ..checks import check_positive
from ..estimation.prediction import COVERAGE
from ..training.models import Flat
from ..training.reverse import value_of
from .retraining import check_task, in_batches

ROUNDING = 1e-12  # of a score, which is at most 1


@dataclasses.dataclass(frozen=True, eq=False)
class Metasmoothness:
    """How smooth training is along some directions of down-weights.

    scores: of the parameters, (directions,), from -1 to 1 (smooth). output_scores: the same of the
    outputs in place of the parameters, (directions,): -1 or 1 for a single output, and of outputs
    in several units it mixes these. second_differences: of each output, (directions, outputs), in
    its unit; changes: f(2 h v) - f(0), of the same shape. h: the step, in lengths of the
    directions. cost: trainings that it took.
    """

    scores: np.ndarray
    output_scores: np.ndarray
    second_differences: np.ndarray
    changes: np.ndarray
    h: float
    cost: int

    @property
    def mean(self):
        """The mean score of the parameters over the directions."""
        return float(np.mean(self.scores))

    @property
    def interval(self):
        """The 90% interval (low, high) of that mean over directions, by Student's t, within -1 and
        1; all of that for a single direction, and where no score differs: nothing is known then.
        """
        if len(self.scores) < 2 or np.ptp(self.scores) <= ROUNDING:
            return -1.0, 1.0
        reach = stats.t.ppf((1 + COVERAGE) / 2, len(self.scores) - 1) * stats.sem(self.scores)
        return max(-1.0, float(self.mean - reach)), min(1.0, float(self.mean + reach))

    def __repr__(self):
        low, high = self.interval
        return (
            f"Metasmoothness {self.mean:.3f} (90% interval {low:.3f} to {high:.3f} over "
            f"{len(self.scores)} directions, h = {self.h:g})"
        )


@takes(h=check_positive, outputs=list_of(check_function, least=0))
def metasmoothness(run, directions, h=0.5, *, outputs=(), units=None, jobs=1, progress=True):
    """The empirical metasmoothness of a training run along directions: `Metasmoothness`.

    directions: (m, units), real, rows v. With h = 1/2 and v the down-weights of a deletion, such as
    `random_deletions`, the three trainings delete nothing, half and all of it. In the paper v is
    Gaussian. h: the step, above 0. outputs: functions of a model that return one number. units:
    groups of documents deleted together (see `Units`). jobs: processes. Costs two trainings for
    each direction. Raises ValueError for a direction that no training step notices.
    """
    units = check_task(run, outputs or [np.size], units)
    v = units.rows(None, directions)
    start = np.array([value_of(output, run.model) for output in outputs])
    found = in_batches(
        _along, run, (outputs, h), v[:, units.of_document], jobs=jobs, progress=progress, unit="v"
    )
    if np.any(np.isnan(found[:, 0])):
        row = int(np.flatnonzero(np.isnan(found[:, 0]))[0])
        raise ValueError(
            f"direction {row} does not change the trained parameters: give one with units that "
            "training uses"
        )
    middle, last = np.split(found[:, 1:], 2, axis=1)
    return Metasmoothness(
        found[:, 0],
        agreement(start, middle, last),
        np.abs(last - 2 * middle + start) / h**2,
        last - start,
        h,
        2 * len(v),
    )


def agreement(first, middle, last):
    """Signs of two changes that agree minus those that do not, weighted by the whole change.

    first, middle, last: arrays of numbers, (..., size), at 0, h v and 2 h v. Returns (...), from -1
    to 1; nan where nothing changes as a whole.
    """
    moved = np.abs(last - first)
    signs = np.sign(middle - first) * np.sign(last - middle)
    total = np.sum(moved, axis=-1)
    return np.divide(
        np.sum(moved * signs, axis=-1), total, out=np.full(np.shape(total), np.nan), where=total > 0
    )


def _along(run, outputs, h, directions):
    """The score of the parameters, and the outputs at h v and 2 h v, (batch, 1 + 2 outputs)."""
    flat = Flat.of(run.model.parameters)
    models = [run.retrain(down_weights=s * h * directions, progress=False) for s in (1, 2)]
    ends = [flat.flat(model.parameters) for model in (run.model, *models)]
    values = [np.reshape(output(m), (-1, 1)) for m in models for output in outputs]
    return np.concatenate([agreement(*ends)[:, None], *values], axis=1)
