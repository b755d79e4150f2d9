"""The epsilon-planner: what degree and how many directions an accuracy costs.

With rho = sqrt(|D|), the length of the indicator of a deletion D, the Taylor term of degree r is at
most ||F_r|| rho^r, and one direction estimates it with a variance of about ||F_r||^2 rho^(2r)
(C(2r, r) times that at worst). Cutting at degree s leaves at most sum_{r>s} ||F_r|| rho^r, and m
directions leave about sqrt(sum_{r<=s} ||F_r||^2 rho^(2r) / m): each gets half of epsilon. At worst
the errors of the degrees go together, and their standard deviations add up instead.
"""

import dataclasses
import math

import numpy as np
from scipy import special

from ..arguments import check_flag, takes
from ..checks import MOST, check_between, check_count, check_epsilon, check_positive, real_array
from .output import Output, products_of_jets
from .prediction import COVERAGE
from .resummation import Resummed

HIGHEST_DEGREE = 100
PARTS = 10  # of the directions of a sketch, in geometric steps, that `plan_part` chooses from


@dataclasses.dataclass(frozen=True)
class Plan:
    """What it takes to predict to within epsilon.

    degree, directions: settings of the sketch, or of `Output.part`. estimator: the one that keeps
    the promise. trainings: its cost in ordinary trainings. bytes, seconds: its size and time on
    this machine (None if unknown). within_reach, reason: False and why, if epsilon is not reached:
    then a plan of `plan` is for the sampling error alone, and one of `plan_part` the whole sketch.
    """

    epsilon: float
    degree: int
    directions: int
    estimator: str
    trainings: float
    bytes: int | None
    seconds: float | None
    within_reach: bool
    reason: str

    def __repr__(self):
        size = "" if self.bytes is None else f", {self.bytes / 1e6:.0f} MB"
        duration = "" if self.seconds is None else f", {self.seconds:.0f} s on this machine"
        verdict = "" if self.within_reach else f"; OUT OF REACH: {self.reason}"
        return (
            f"Plan(epsilon {self.epsilon:g}: degree {self.degree}, {self.directions} directions, "
            f"estimator {self.estimator!r}, cost of {self.trainings:.0f} trainings{size}{duration}"
            f"{verdict})"
        )


@takes(
    epsilon=check_epsilon,
    delta=check_between(0, 1),
    deletion_size=check_positive,
    worst_case=check_flag,
    parameters=check_count,
    seconds_per_product=check_positive,
)
def plan(
    profile,
    epsilon,
    delta=0.05,
    deletion_size=1,
    *,
    worst_case=False,
    parameters=None,
    seconds_per_product=None,
):
    """How to predict deletions of `deletion_size` units to within epsilon, but for chance delta.

    The plan is for the estimator "mean", whose variance is known before there is a sketch; those
    that solve equations need fewer directions.
    profile: an `Output`, or the norms ||F_0||, ||F_1||, ||F_2||, ... The terms beyond them are
    carried on geometrically from their last ratios: trust a profile of degree 5 or more.
    worst_case: use the bound C(2r, r) on the variance, which powers of linear forms attain, and let
    the errors of all degrees go together, in place of what is usual. parameters: how many the model
    has, for the bytes; seconds_per_product: for the time. Returns a `Plan`.
    """
    check_epsilon(epsilon)
    if not 0 < delta < 1:
        raise ValueError(f"delta must lie between 0 and 1, not {delta!r}")
    if not deletion_size >= 1:
        raise ValueError(f"deletion_size must be 1 or more units, not {deletion_size!r}")
    norms = _norms(profile)
    rho = math.sqrt(deletion_size)
    bounds, ratio = _extended(norms, rho)
    rest = np.append(np.cumsum(bounds[::-1])[::-1], 0.0)  # rest[s]: sum of the bounds from s on
    if ratio < 1:
        rest += bounds[-1] * ratio / (1 - ratio)
    fits = [s for s in range(1, len(bounds)) if rest[s + 1] <= epsilon / 2]
    within_reach = ratio < 1 and bool(fits) and bool(np.any(norms[1:]))
    degree = fits[0] if within_reach else len(norms) - 1
    terms, orders = bounds[1 : degree + 1], np.arange(1, degree + 1)
    if worst_case:
        variance = np.sum(np.sqrt(special.binom(2 * orders, orders)) * terms) ** 2
    else:
        variance = np.sum(terms**2)
    quantile = special.ndtri(1 - delta / 2)
    needed = variance * (2 * quantile / epsilon) ** 2
    if not needed < MOST:
        raise ValueError(
            f"within epsilon = {epsilon:g} takes {needed:.3g} directions, more than {MOST:,}: give "
            "a larger epsilon or delta, or a smaller deletion_size"
        )
    directions = max(2, math.ceil(needed))
    trainings = directions * products_of_jets(degree)
    return Plan(
        epsilon=epsilon,
        degree=degree,
        directions=directions,
        estimator="mean",
        trainings=trainings,
        bytes=None if parameters is None else stored_bytes(parameters, degree, directions),
        seconds=None if seconds_per_product is None else seconds_per_product * trainings,
        within_reach=within_reach,
        reason="" if within_reach else _reason(norms, ratio, rho),
    )


@takes(epsilon=check_epsilon, parameters=check_count)
def plan_part(output, epsilon, *, without=None, down_weights=None, parameters=None):
    """The cheapest part of a sketch that predicts this deletion to within epsilon: a `Plan`.

    `plan` bounds the error over all deletions of a size; this looks at one deletion and at an
    output that is already there. The part is `output.part(degree=..., directions=...)`, for the
    estimator "resummed". It is chosen if its 90% band is at most epsilon either side, and that of
    all larger parts of its degree too. If none is, the plan is the whole sketch, with the reason.
    The bands are those without anchors. They take what the whole sketch does not know to be of
    usual size: trust them where it knows most of degree 1, with about half as many directions as
    units or more.

    parameters: how many the model has, for the bytes.
    """
    check_epsilon(epsilon)
    x = _one_deletion(output, without, down_weights)
    output, rule = output.whole or output, Resummed()
    most, highest = len(output.directions), output.degree
    whole = output.estimate(x, rule)
    quantile = special.ndtri((1 + COVERAGE) / 2)
    fitting = []
    for degree in range(1, highest + 1):
        for directions in parts(most)[::-1]:
            part = output.part(degree=degree, directions=directions)
            if quantile * part.estimate(x, rule, whole=whole).error[0] > epsilon:
                break
            fitting.append((directions * products_of_jets(degree), degree, directions))
    within_reach = bool(fitting)
    trainings, degree, directions = min(
        fitting, default=(most * products_of_jets(highest), highest, most)
    )
    return Plan(
        epsilon=epsilon,
        degree=degree,
        directions=directions,
        estimator="resummed",
        trainings=trainings,
        bytes=None if parameters is None else stored_bytes(parameters, degree, directions),
        seconds=None,
        within_reach=within_reach,
        reason="" if within_reach else _shortfall(whole, quantile),
    )


def smallest_epsilon(output, *, without=None, down_weights=None):
    """The smallest epsilon within reach of `plan_part` for a deletion; infinite if none is."""
    x = _one_deletion(output, without, down_weights)
    output, rule = output.whole or output, Resummed()
    whole, most = output.estimate(x, rule), len(output.directions)
    degrees = [output.part(degree=r, directions=most) for r in range(1, output.degree + 1)]
    errors = [part.estimate(x, rule, whole=whole).error[0] for part in degrees]
    return float(special.ndtri((1 + COVERAGE) / 2) * min(errors, default=math.inf))


def _one_deletion(output, without, down_weights):
    """The down-weights of a deletion as one row, (1, units)."""
    if not isinstance(output, Output):
        raise TypeError(
            "output must be an output of a sketch, such as sketch.output(sl.LossOn('max')), not "
            f"{type(output).__name__}"
        )
    x = np.atleast_2d(output.units.down_weights(without, down_weights))
    if len(x) > 1:
        raise ValueError("a part is planned for one deletion: give one row of down-weights")
    return x


def parts(directions):
    """Numbers of directions that `plan_part` chooses from, the last being all of them."""
    steps = np.geomspace(min(2, directions), directions, PARTS)
    return [int(size) for size in np.unique(np.round(steps))]


def stored_bytes(parameters, degree, directions):
    """Bytes of a sketch: a shared real constant and complex coefficients along each direction."""
    return 8 * parameters * (1 + 2 * degree * directions)


def _shortfall(whole, quantile):
    """Why the whole sketch is not accurate enough, from its estimate."""
    error = whole.error[0]
    if not np.isfinite(error):
        return "nothing is known of the rest of the series: a higher degree would tell"
    open_terms = math.hypot(*whole.errors[:, 0])
    beyond = math.sqrt(max(error**2 - open_terms**2, 0.0))
    remedy = "a higher degree" if beyond > open_terms else "more directions"
    less = f"{remedy} would leave less"
    return f"the whole sketch, without anchors, leaves ±{quantile * error:.2g}, {less}"


def _norms(profile):
    norms = profile.stability()[0] if isinstance(profile, Output) else profile
    norms = real_array(norms, "a profile", None)
    if len(norms) < 3 or np.any(norms < 0):
        raise ValueError(
            "a profile is the norms ||F_0||, ||F_1||, ||F_2||, ...: at least three finite numbers, "
            "none negative"
        )
    return norms


def _extended(norms, rho):
    """Bounds ||F_r|| rho^r, carried on geometrically beyond the known degrees, and their ratio."""
    known = norms * rho ** np.arange(len(norms))
    if norms[-1] == 0:
        return known, 0.0
    steps = np.diff(np.log(np.maximum(norms[1:], 1e-300)))
    ratio = rho * float(np.exp(steps[-3:].mean()))
    extra = known[-1] * ratio ** np.arange(1, HIGHEST_DEGREE - len(norms) + 2)
    return np.concatenate([known, extra]), ratio


def _reason(norms, ratio, rho):
    if not np.any(norms[1:]):
        return f"no term is there up to degree {len(norms) - 1}: nothing is known of the rest"
    if ratio >= 1:
        return (
            f"the bound on the Taylor terms grows by a factor {ratio:.2f} with each degree; it "
            f"would fall for deletions of fewer than {(rho / ratio) ** 2:.1f} units"
        )
    return f"the rest of the series is too large up to degree {HIGHEST_DEGREE}"
