"""All numbers of a page to play with: predicted and retrained, for every deletion and output.

Outputs are kept as whole numbers, in units of the last digit that is kept: rounded, and then
counted from the output now, rounded too, so that their sum is the output rounded once. That is
finer than a picture shows, and no finer.
"""

import math

import numpy as np

from ..arguments import check_list
from ..checks import brief, check_positive
from ..estimation.plan import plan_part
from ..progress import progress_bar
from . import answers

WEIGHTS = np.linspace(0.0, 1.0, 21)  # of the predicted curve
RETRAINED = WEIGHTS[::2]  # where it is trained again
STEPS = (0.5, 1.0, 2.5, 5.0, 10.0)  # epsilons, in multiples of an output's own
MOST_EPSILONS = 12
FINENESS = 50  # the last digit that is kept is at most this part of the smallest epsilon


def accuracies(title, function, epsilons):
    """The epsilons of an output, from the smallest.

    Raises TypeError for what is no list, and ValueError for none, for too many, and for an output
    that has none of its own.
    """
    if epsilons is None:
        own = getattr(function, "epsilon", None)
        if own is None:
            raise ValueError(f"the output {title!r} has no epsilon of its own: give epsilons=")
        epsilons = [own * step for step in STEPS]
    found = sorted({check_positive(one, "epsilon") for one in check_list(epsilons, "epsilons")})
    if not 1 <= len(found) <= MOST_EPSILONS:
        raise ValueError(f"give 1 to {MOST_EPSILONS} epsilons, not {len(found)}")
    return found


def digits(epsilons):
    """Decimals that are kept of an output with these epsilons."""
    return max(0, math.ceil(-math.log10(min(epsilons) / FINENESS) - 1e-9))


def retrained(run, deletions, outputs, progress):
    """Exact outputs at the down-weights RETRAINED of every deletion, (deletions, outputs, points).

    outputs: functions of a model by title. Nothing is trained for a down-weight of 0.
    """
    found = np.empty((len(deletions), len(outputs), len(RETRAINED)))
    with progress_bar(len(deletions), progress, unit="deletion") as bar:
        for one, rows in zip(deletions, found, strict=True):
            x = RETRAINED[1:, None] * run.indicator(one["of"])
            models = run.retrain(down_weights=x, progress=False)
            for row, (title, function) in zip(rows, outputs.items(), strict=True):
                row[0] = answers.value(title, function, run.model)
                row[1:] = _values(title, function, models, len(x))
            bar.update()
    return found


def _values(title, function, models, count):
    values = np.asarray(function(models))
    if values.shape != (count,) or not np.all(np.isfinite(values)):
        raise ValueError(
            f"the output {title!r} of {count} models at once must be {count} finite numbers, not "
            f"{brief(values)}"
        )
    return values


def predicted(output, weights, epsilons):
    """What an output is predicted to be for one deletion: a list, from the whole sketch on.

    weights: the down-weights of the units, (units,). Each is a dictionary of the `Plan` (None: the
    whole sketch was asked for), the part that is used, an `Output`, and its curve over WEIGHTS.
    """
    found, curves = [], {}
    for epsilon in (None, *epsilons):
        plan = None if epsilon is None else plan_part(output, epsilon, down_weights=weights)
        part = output
        if plan is not None:
            part = output.part(degree=plan.degree, directions=plan.directions)
        size = part.degree, len(part.directions)
        if size not in curves:
            curves[size] = part.curve(WEIGHTS, down_weights=weights)
        found.append({"plan": plan, "part": part, "curve": curves[size]})
    return found


def cell(found, now, exact, last):
    """One deletion and output as JSON values.

    found: from `predicted`. exact: by retraining, (points,). last: decimals that are kept. "parts":
    the parts of the sketch that are used, and "stops": which of them each epsilon uses, from the
    whole sketch on. "short": the stops whose epsilon is out of reach.
    """
    parts, stops = {}, []
    for one in found:
        size = one["part"].degree, len(one["part"].directions)
        if size not in parts:
            parts[size] = {
                "degree": size[0],
                "directions": size[1],
                "trainings": round(one["part"].cost),
                **_curve(one["curve"], now, last),
            }
        stops.append(list(parts).index(size))
    short = [stop for stop, one in enumerate(found) if one["plan"] and not one["plan"].within_reach]
    kept = [whole(value, last) - whole(now, last) for value in exact]
    return {"parts": list(parts.values()), "stops": stops, "short": short, "retrained": kept}


def whole(value, last):
    """A number in units of the last decimal that is kept."""
    return round(float(value) * 10**last)


def _curve(curve, now, last):
    """Value and band of a curve; null where nothing is known of the error."""
    start, unknown = whole(now, last), np.isinf(curve.error)
    sides = {"value": curve.value, "low": curve.low, "high": curve.high}
    for name in ("low", "high"):
        sides[name] = np.where(unknown, np.nan, sides[name])
    found = {
        name: [None if np.isnan(value) else whole(value, last) - start for value in side]
        for name, side in sides.items()
    }
    return found | {"known": bool(curve.error[-1] == 0)}


def scores(found, now, exact):
    """How good the predictions of one output are with all deleted, for each epsilon.

    found: from `predicted`, for each deletion; exact: by retraining, (deletions,). "error": root
    mean square error, and "nothing": that of predicting no change; "inside": how many truths are in
    their bands, of the "banded" ones that are neither known exactly nor without a band.
    """
    made = []
    for parts in zip(*found, strict=True):
        ends = [one["curve"][-1] for one in parts]
        value, low, high, error = (
            np.array([getattr(p, name) for p in ends]) for name in ("value", "low", "high", "error")
        )
        banded = np.isfinite(error) & (error > 0)
        made.append(
            {
                "error": float(np.sqrt(np.mean((value - exact) ** 2))),
                "nothing": float(np.sqrt(np.mean((now - exact) ** 2))),
                "inside": int(np.sum(banded & (low <= exact) & (exact <= high))),
                "banded": int(np.sum(banded)),
            }
        )
    return made
