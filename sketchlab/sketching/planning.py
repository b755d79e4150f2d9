"""What a sketch of a training run will cost: measured on a small one."""

import time

from ..estimation import plan as planning
from ..estimation.output import products_of_jets
from ..training.runs import TrainingRun
from .sketch import sketch

PROFILE_DEGREE, PROFILE_DIRECTIONS = 6, 8


def plan(run_or_profile, epsilon, delta=0.05, deletion_size=1, *, output=None, worst_case=False):
    """How to predict deletions of `deletion_size` units to within epsilon, but for chance delta.

    The plan is for the estimator "mean", whose variance is known before there is a sketch; those
    that solve equations need fewer directions.
    run_or_profile: a training run, with `output` a function of its model (its stability profile is
    then measured to degree 6, along a few directions); or an `Output`, or the norms ||F_0||,
    ||F_1||, ||F_2||, ...: the terms beyond them are carried on geometrically from their last
    ratios, so trust those of degree 5 or more.
    worst_case: use a bound on the variance that no deletion exceeds, in place of what is usual.
    Returns a `Plan`.
    """
    settings = {"delta": delta, "deletion_size": deletion_size, "worst_case": worst_case}
    if not isinstance(run_or_profile, TrainingRun):
        return planning.plan(run_or_profile, epsilon, **settings)
    if output is None:
        raise ValueError("say which output is to be predicted, such as output=sl.LossOn('max')")
    run = run_or_profile
    start = time.perf_counter()
    sketched = sketch(run, PROFILE_DEGREE, PROFILE_DIRECTIONS, anchors=0, progress=False)
    seconds = time.perf_counter() - start
    return planning.plan(
        sketched.output(output),
        epsilon,
        **settings,
        parameters=sum(p.size for p in run.initial.parameters.values()),
        seconds_per_product=seconds / PROFILE_DIRECTIONS / products_of_jets(PROFILE_DEGREE),
    )
