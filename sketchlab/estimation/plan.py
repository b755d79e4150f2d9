"""The epsilon-planner: what degree and how many directions an accuracy costs.

With rho = sqrt(|D|), the length of the indicator of a deletion D, the Taylor term of degree r is at
most ||F_r|| rho^r, and one direction estimates it with a variance of about ||F_r||^2 rho^(2r)
(C(2r, r) times that at worst). Cutting at degree s leaves at most sum_{r>s} ||F_r|| rho^r, and m
directions leave about sqrt(sum_{r<=s} ||F_r||^2 rho^(2r) / m): each gets half of epsilon.
"""

import dataclasses
import math
import numbers
import time

import numpy as np
from scipy import special, stats

from ..sketching.sketch import Output, sketch
from ..training.runs import TrainingRun
from .prediction import COVERAGE
from .resummation import Resummed

PROFILE_DEGREE, PROFILE_DIRECTIONS = 6, 8
HIGHEST_DEGREE = 100
PARTS = 10  # of the directions of a sketch, in geometric steps, that `plan_part` chooses from


@dataclasses.dataclass(frozen=True)
class Plan:
    """What it takes to predict a deletion of `deletion_size` units to within epsilon.

    degree, directions, groups: settings of the sketch, groups for the median of means. trainings:
    its cost in ordinary trainings. bytes, seconds: its size and time on this machine (None if
    unknown). within_reach, reason: False and why, if the bound on the rest does not fall below
    epsilon / 2 at any degree; the numbers are then those for the sampling error alone.
    """

    epsilon: float
    degree: int
    directions: int
    groups: int
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
            f"cost of {self.trainings:.0f} trainings{size}{duration}{verdict})"
        )


def plan(run_or_profile, epsilon, delta=0.05, deletion_size=1, *, output=None, worst_case=False):
    """How to predict deletions of `deletion_size` units to within epsilon, but for chance delta.

    run_or_profile: a training run, with `output` a function of its model (its stability profile is
    then measured along a few directions); or an `Output`; or the norms ||F_0||, ||F_1||, ...
    worst_case: use the bound C(2r, r) on the variance, which powers of linear forms attain, in
    place of the size that is usual. Returns a `Plan`.
    """
    _check_epsilon(epsilon)
    if not 0 < delta < 1:
        raise ValueError(f"delta must lie between 0 and 1, not {delta!r}")
    if not deletion_size >= 1:
        raise ValueError(f"deletion_size must be 1 or more units, not {deletion_size!r}")
    norms, parameters, cost = _profile(run_or_profile, output)
    rho = math.sqrt(deletion_size)
    bounds, ratio = _extended(norms, rho)
    rest = np.append(np.cumsum(bounds[::-1])[::-1], 0.0)  # rest[s]: sum of the bounds from s on
    if ratio < 1:
        rest += bounds[-1] * ratio / (1 - ratio)
    fits = [s for s in range(1, len(bounds)) if rest[s + 1] <= epsilon / 2]
    within_reach = ratio < 1 and bool(fits)
    degree = fits[0] if within_reach else len(norms) - 1
    reason = "" if within_reach else _reason(ratio, rho)
    orders = np.arange(1, degree + 1)
    excess = special.binom(2 * orders, orders) if worst_case else np.ones(degree)
    variance = np.sum(excess * bounds[1 : degree + 1] ** 2)
    quantile = stats.norm.ppf(1 - delta / 2)
    directions = max(2, math.ceil(variance * (2 * quantile / epsilon) ** 2))
    trainings = directions * products_of_jets(degree)
    return Plan(
        epsilon=epsilon,
        degree=degree,
        directions=directions,
        groups=math.ceil(8 * math.log(1 / delta)),
        trainings=trainings,
        bytes=None if parameters is None else stored_bytes(parameters, degree, directions),
        seconds=None if cost is None else cost * trainings,
        within_reach=within_reach,
        reason=reason,
    )


@dataclasses.dataclass(frozen=True)
class Part:
    """An estimator that uses a part of a sketch: fewer directions and a lower degree.

    The sketch being there, the part's error is at least that of the whole together with its
    distance from what the whole predicts. inner: the estimator for both.
    """

    degree: int
    directions: int
    inner: object = "automatic"

    def estimate(self, output, moves):
        """See `estimate`."""
        return self.beside(output.estimate(moves, self.inner), output, moves)

    def beside(self, whole, output, moves):
        """The same, if the estimate of the whole sketch is known already."""
        found = output.first(self.directions).estimate(moves, self.inner, self.degree)
        error = np.maximum(found.error, np.hypot(whole.error, found.total - whole.total))
        return dataclasses.replace(found, error=error)


def plan_part(output, epsilon, *, without=None, down_weights=None, parameters=None):
    """The cheapest part of a sketch that predicts this deletion to within epsilon: a `Plan`.

    `plan` bounds the error over all deletions of a size; this looks at one deletion and at an
    output that is already there. A part is chosen if its 90% band (see `Part`) is at most epsilon
    either side, and that of all larger parts of its degree too. If none is, the plan is the whole
    sketch, with the reason. The bands are those without anchors. They take what the whole sketch
    does not know to be of usual size: trust them where it knows most of degree 1, with about half
    as many directions as units or more.

    parameters: how many the model has, for the bytes.
    """
    if not isinstance(output, Output):
        raise TypeError(
            "output must be an output of a sketch, such as sketch.output(lambda model: "
            f"model.loss('max')), not {type(output).__name__}"
        )
    _check_epsilon(epsilon)
    x = output.units.down_weights(without, down_weights)
    most, highest = len(output.directions), len(output.coefficients) - 1
    moves, rule = x[None] - output.at, Resummed()
    whole = output.estimate(moves, rule)
    quantile = stats.norm.ppf((1 + COVERAGE) / 2)
    fitting = []
    for degree in range(1, highest + 1):
        for directions in parts(most)[::-1]:
            part = Part(degree, directions, rule).beside(whole, output, moves)
            if quantile * part.error[0] > epsilon:
                break
            fitting.append((directions * products_of_jets(degree), degree, directions))
    within_reach = bool(fitting)
    trainings, degree, directions = min(
        fitting, default=(most * products_of_jets(highest), highest, most)
    )
    reason = "" if within_reach else _shortfall(whole, quantile)
    return Plan(
        epsilon=epsilon,
        degree=degree,
        directions=directions,
        groups=1,
        trainings=trainings,
        bytes=None if parameters is None else stored_bytes(parameters, degree, directions),
        seconds=None,
        within_reach=within_reach,
        reason=reason,
    )


def parts(directions):
    """Numbers of directions that `plan_part` chooses from, the last being all of them."""
    steps = np.geomspace(min(2, directions), directions, PARTS)
    return [int(size) for size in np.unique(np.round(steps))]


def stored_bytes(parameters, degree, directions):
    """Bytes of a sketch: a shared real constant and complex coefficients along each direction."""
    return 8 * parameters * (1 + 2 * degree * directions)


def products_of_jets(degree):
    """Products of coefficients in the product of two jets: the cost of a jet, in trainings."""
    return (degree + 1) * (degree + 2) // 2


def _check_epsilon(epsilon):
    if not isinstance(epsilon, numbers.Real) or not epsilon > 0:
        raise ValueError(f"epsilon must be a number above 0, not {epsilon!r}")


def _shortfall(whole, quantile):
    """Why the whole sketch is not accurate enough, from its estimate."""
    error, open_terms = whole.error[0], math.hypot(*whole.errors[:, 0])
    beyond = math.sqrt(max(error**2 - open_terms**2, 0.0))
    remedy = "a higher degree" if beyond > open_terms else "more directions"
    return f"the whole sketch leaves ±{quantile * error:.2g}, {remedy} would leave less"


def _profile(run_or_profile, output):
    """Norms from degree 0 on, number of parameters, and seconds per direction and product."""
    if isinstance(run_or_profile, TrainingRun):
        if output is None:
            raise ValueError("say which output is to be predicted: output=lambda model: ...")
        start = time.perf_counter()
        sketched = sketch(run_or_profile, PROFILE_DEGREE, PROFILE_DIRECTIONS, progress=False)
        cost = (time.perf_counter() - start) / PROFILE_DIRECTIONS / products_of_jets(PROFILE_DEGREE)
        parameters = sum(p.size for p in run_or_profile.initial.parameters.values())
        return sketched.output(output).stability()[0], parameters, cost
    norms = run_or_profile.stability()[0] if isinstance(run_or_profile, Output) else run_or_profile
    norms = np.asarray(norms, float)
    if norms.ndim != 1 or len(norms) < 3 or not np.all(np.isfinite(norms)) or np.any(norms < 0):
        raise ValueError(
            "a profile is the norms ||F_0||, ||F_1||, ||F_2||, ...: at least three finite numbers, "
            "none negative"
        )
    return norms, None, None


def _extended(norms, rho):
    """Bounds ||F_r|| rho^r, carried on geometrically beyond the known degrees, and their ratio."""
    known = norms * rho ** np.arange(len(norms))
    if norms[-1] == 0:
        return known, 0.0
    steps = np.diff(np.log(np.maximum(norms[1:], 1e-300)))
    ratio = rho * float(np.exp(steps[-3:].mean()))
    extra = known[-1] * ratio ** np.arange(1, HIGHEST_DEGREE - len(norms) + 2)
    return np.concatenate([known, extra]), ratio


def _reason(ratio, rho):
    if ratio >= 1:
        return (
            f"the bound on the Taylor terms grows by a factor {ratio:.2f} with each degree; it "
            f"would fall for deletions of fewer than {(rho / ratio) ** 2:.1f} units"
        )
    return f"the rest of the series is too large up to degree {HIGHEST_DEGREE}"
