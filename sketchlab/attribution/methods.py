"""The methods of a scoreboard by name: what each may see of a run, and how it is made for a task.

Each is made and tuned as those who proposed it say: damping and scales are chosen on retrainings
after other deletions than those that are asked about, and these retrainings count; the damping of
the Fisher matrix is its mean eigenvalue. Settings that are not chosen so are in this module, so
that the same call makes the same row.
"""

import dataclasses
import importlib.util
import itertools
from collections.abc import Callable

import numpy as np

from ..arguments import check_function
from ..checks import check_choice
from ..sketching.gradients import output_name
from ..sketching.sketch import sketch
from ..training.microgpt import MicroGPT
from ..training.passes import check_memory, check_output
from .checkpoints import tracin
from .first_order import first_order
from .influence import gradient_products, influence, lowest_and_cost
from .interactions import interactions
from .projections import known_link, trak
from .regressions import regression
from .retraining import effects, random_deletions
from .semivalues import banzhaf
from .tasks import Made, unasked
from .taylor import taylor_terms

FINAL, CHECKPOINTS = "trained model", "checkpoints"
TRAINING, AGAIN = "steps of training", "training again"
CHECKPOINTS_OF_TRACIN = 10
CALIBRATING, GRADIENTS = 64, 40
POINTS = (1 / 25, 1 / 4)  # sizes of the deletions that gradients are taken at, as shares of units
TAYLOR = 2


@dataclasses.dataclass(frozen=True)
class Method:
    """How one row of a scoreboard is made.

    make: a function of a `Task` that returns `Made`, or a list of predictors, one per output.
    access: what it must see of the run: "trained model", "checkpoints", "steps of training" (all
    states, in order) or "training again". check: a function of a `Task` that raises, in words, what
    the method cannot handle, before anything is trained.
    """

    make: Callable
    access: str = AGAIN
    check: Callable = lambda task: None

    def __post_init__(self):
        check_function(self.make, "make")
        check_choice(self.access, (FINAL, CHECKPOINTS, TRAINING, AGAIN), "access")
        check_function(self.check, "check")


def differentiable(task):
    """Refuse outputs that cannot be differentiated."""
    for function in task.outputs:
        check_output(task.run, function)


def _steps_fit(task):
    differentiable(task)
    check_memory(task.run, len(task.outputs))


def _learned(task):
    if importlib.util.find_spec("sklearn") is None:
        raise ImportError("regressions need scikit-learn: pip install scikit-learn")


def _asked(task):
    """What derivatives are asked for with."""
    return {"units": task.asked, **task.quiet}


# ---- at the trained model --------------------------------------------------------------------


def _gradient_products(task):
    made = {"": lambda: gradient_products(task.run, task.outputs, **_asked(task))}
    return task.tuned(made, rank=True)


def _influence(task):
    """With one and a half times the damping that makes the Hessian positive definite, or more."""
    lowest, cost = task.once("curvature", lambda: lowest_and_cost(task.run))
    least = max(0.0, -1.5 * lowest)
    made = _damped(task, "hessian", (least, least + 10 * abs(lowest)))
    return dataclasses.replace(made, cost=made.cost + cost)


def _gauss_newton(task):
    return _damped(task, "gauss_newton", (0.03, 0.3))


def _damped(task, curvature, dampings):
    def solved(damping):
        settings = {"damping": damping, "curvature": curvature, **_asked(task)}
        return lambda: influence(task.run, task.outputs, **settings)

    return task.tuned({f"damping {damping:.3g}": solved(damping) for damping in dampings})


def _trak(dimension, models):
    """Models of an ensemble are trained on random halves."""

    def make(task):
        settings = {"dimension": dimension, "models": models, "seed": task.seed, "link": task.link}
        settings |= _asked(task)
        return task.tuned({"": lambda: trak(task.run, task.outputs, **settings)}, rank=True)

    return make


def _linked(task):
    differentiable(task)
    known_link(task.run, task.link)


def _interactions(degree):
    def make(task):
        return interactions(task.run, task.outputs, degree=degree, **_asked(task))

    return make


def _logits(task):
    differentiable(task)
    if not isinstance(task.run.initial, MicroGPT):
        raise TypeError("the Gauss-Newton matrix is known of microgpt alone")


# ---- along training --------------------------------------------------------------------------


def _tracin(checkpoints):
    def make(task):
        every = 1 if checkpoints is None else -(-task.run.steps // checkpoints)
        settings = {"every": min(every, task.run.steps), **_asked(task)}
        return task.tuned({"": lambda: tracin(task.run, task.outputs, **settings)}, rank=True)

    return make


def _first_order(task):
    return first_order(task.run, task.outputs, units=task.asked, **task.work)


def _at_the_average(task):
    """Expanded, for every group, where each unit has the down-weight that it has on average."""
    shares = {name: float(rows.mean()) for name, rows in task.groups.items()}
    points = sorted(set(shares.values()))
    at = np.repeat(np.array(points)[:, None], len(task.units), axis=1)
    found = first_order(task.run, task.outputs, units=task.asked, at=at, **task.work)
    return Made({name: [one[points.index(s)] for one in found] for name, s in shares.items()})


# ---- jets ------------------------------------------------------------------------------------


def _jets(task):
    """A sketch of degree 2 without retrainings, and its outputs."""

    def push():
        settings = {"degree": 2, "directions": task.directions, "units": task.asked}
        found = sketch(task.run, **settings, seed=task.seed, anchors=0, **task.work)
        return found, _outputs(found, task)

    return task.once("jets", push)


def _calibrated(task):
    """The same, with as many retrainings as calibrate the bands of a default sketch."""
    sketched, _ = _jets(task)

    def anchor():
        count, seeds = min(CALIBRATING, max(1, len(task.units) // 2)), itertools.count(task.seed)
        deletions = unasked(task, lambda: sketched.suggested_anchors(count, seed=next(seeds)))
        sketched.anchor(task.run, deletions, **task.work)
        return _outputs(sketched, task)

    return sketched, task.once("calibrating", anchor)


def _with_singles(task):
    """The same, with the retrainings without every single unit, too."""
    sketched, _ = _calibrated(task)

    def anchor():
        sketched.anchor(task.run, "units", **task.work)
        return _outputs(sketched, task)

    return sketched, task.once("anchored singles", anchor)


def _outputs(sketched, task):
    return [sketched.output(function) for function in task.outputs]


def _sketch(stage, estimator="automatic"):
    def make(task):
        _, made = stage(task)
        settings = f"{len(made[0].directions)} directions, {len(made[0].anchors)} anchors"
        return Made(made, settings=settings, predict={"estimator": estimator})

    return make


def _gradients(singles):
    """Derivatives at random deletions that are not asked about, and retrainings there, no jets."""

    def make(task):
        n, rng = len(task.units), task.rng("points")
        low, high = np.log(np.multiply(POINTS, n))

        def draw():
            sizes = np.exp(rng.uniform(low, high, GRADIENTS)).astype(int)
            return random_deletions(n, np.maximum(1, sizes), rng)

        def differentiate():
            points = unasked(task, draw)
            found = sketch(task.run, 1, 1, units=task.asked, anchors=0, **task.work)
            found.anchor(task.run, points, gradients=task.outputs, **task.work)
            return found, _outputs(found, task)

        sketched, made = task.once("gradients", differentiate)
        if singles:

            def alone():
                sketched.anchor(task.run, "units", **task.work)
                return _outputs(sketched, task)

            made = task.once("gradients and singles", alone)
        made = [dataclasses.replace(one, coefficients=one.coefficients[:1]) for one in made]
        return Made(made, settings=f"{GRADIENTS} points", predict={"estimator": "posterior"})

    return make


def _named(task):
    _steps_fit(task)
    for function in task.outputs:
        output_name(function)


def _taylor(task):
    settings = {"degree": TAYLOR, "units": task.asked, **task.work}
    return taylor_terms(task.run, task.outputs, task.deletions, **settings)


# ---- retrainings -----------------------------------------------------------------------------


def _singles(task):
    return [effects(one) for one in task.singles]


def _banzhaf(task):
    return Made(banzhaf(task.halves), settings=f"{task.trainings} halves")


def _regression(kind, degree):
    def make(task):
        return Made(regression(task.matched, kind, degree), settings=f"{task.trainings} drawn")

    return make


METHODS = {
    "gradient products": Method(_gradient_products, FINAL, differentiable),
    "influence, Hessian": Method(_influence, FINAL, differentiable),
    "influence, Gauss-Newton": Method(_gauss_newton, FINAL, _logits),
    "influence, Fisher": Method(_interactions(1), FINAL, differentiable),
    "interaction-aware influence": Method(_interactions(2), FINAL, differentiable),
    "TRAK, all gradients": Method(_trak(None, None), FINAL, _linked),
    "TRAK, 5 halves, 256 columns": Method(_trak(256, 5), AGAIN, _linked),
    "TracIn, 10 checkpoints": Method(_tracin(CHECKPOINTS_OF_TRACIN), CHECKPOINTS, differentiable),
    "TracIn, every step": Method(_tracin(None), TRAINING, differentiable),
    "exact first order": Method(_first_order, TRAINING, _steps_fit),
    "exact first order at the average": Method(_at_the_average, AGAIN, _steps_fit),
    "exact Taylor terms to degree 2": Method(_taylor),
    "sketch, jets averaged": Method(_sketch(_jets, "mean")),
    "sketch, jets solved": Method(_sketch(_jets, "minimum_norm")),
    "sketch, with retrainings": Method(_sketch(_calibrated)),
    "sketch, with all singles": Method(_sketch(_with_singles)),
    "40 gradients": Method(_gradients(False), AGAIN, _named),
    "40 gradients and singles": Method(_gradients(True), AGAIN, _named),
    "sum of single effects": Method(_singles),
    "datamodel, ridge": Method(_regression("ridge", 1), AGAIN, _learned),
    "datamodel, lasso": Method(_regression("lasso", 1), AGAIN, _learned),
    "datamodel, pairs": Method(_regression("kernel_ridge", 2), AGAIN, _learned),
    "kernel surrogate": Method(_regression("rbf_kernel_ridge", 1), AGAIN, _learned),
    "Data-Banzhaf": Method(_banzhaf),
}
