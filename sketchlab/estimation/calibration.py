"""Calibration: how wide bands must be, learnt from what is known exactly.

The error that an estimator states rests on assumptions. Where the output is known exactly, at
anchors, the prediction without that anchor can be compared with the truth. The scale of such errors
is a sum of parts, each an idea of where errors come from,

    scale(x)^2 = sum_k w_k^2 part_k(x)^2,

    1. the error that the estimator states,
    2. the interaction form: what similar documents do to each other,
    3. the length of the effects of single units, (sum_i x_i^2 g_i^2)^(1/2),
    4. the same times x' A x: how much the deletion raises the losses on what it deletes,
    5. the effect of first order, times the root of how far it exceeds that length: deletions that
       were chosen for their effect,
    6. what the posterior adds to first order: where much bends, much is left out. (Not for the
       other rules: what a resummed series adds depends on how far out it is asked, not on its error
       near by.)

The weights are the likeliest for Student's t (heavy tails) on the anchors. These are few for one
output, so there are two scales: of some `references`, outputs of the same sketch that are there for
this, and of this output, with weights that are likely near those. Each is
multiplied by a quantile of |error| / scale, of all these outputs and of this one; the wider band is
taken. Where the fourth part exceeds all that the anchors have shown, the band grows by the root of
how far. Fewer than n / 2 directions see a share s of the first order, and no anchor is chosen by
what they do not see: for deletions of large effect, (1 - s) / s times how far that of first order
exceeds its length is added in squares.

That is conformal prediction, but that the anchors are evidence too, each left out in turn, and that
they chose the weights: hence a quantile slightly above the band's. It promises the band's share for
deletions that are drawn as the anchors were (see `Sketch.suggested_anchors`): some at random, some
of units that act alike, some of units with large effects.
"""

import dataclasses

import numpy as np
from scipy import optimize, special

from .interaction import bend
from .minimum_norm import base_gradient
from .posterior import Posterior
from .prediction import COVERAGE

LEVEL = 0.92  # quantile for a 90% band, as weights and posterior were fitted to the same anchors
FEWEST = 16  # anchors of several units that calibrate, at least
FREEDOM = 3.0  # of Student's t
RIDGE = 1e-3  # keeps weights that nothing depends on from running away
NEAR = 2.0  # standard deviation of the logarithm of an output's weights around the references'
LENGTHS, TOGETHER = 2, 3  # numbers of the third and the fourth part
LIMITS = -30.0, 30.0  # of the logarithms of weights, in the unit of each
SMALLEST = 1e-70  # its square is above 0


@dataclasses.dataclass(frozen=True)
class Calibration:
    """How wide bands of one output must be: the widest of some scales, each times its quantile.

    weights: of the parts, (scales, parts). factors: the quantiles, (scales,). count: of anchors.
    seen: the parts where they are largest among the anchors, (parts,).
    """

    weights: np.ndarray
    factors: np.ndarray
    count: int
    seen: np.ndarray

    def error(self, output, moves, found):
        """The standard error whose normal 90% band is the calibrated one, (points,).

        found: the `Estimate` there.
        """
        parts = _parts(output, moves, found.total, found.error)[: self.weights.shape[1]]
        reach = self.factors[:, None] * np.array([_scale(w, parts) for w in self.weights])
        reach = reach.max(axis=0) * np.sqrt(_beyond(parts, self.seen))
        return np.hypot(reach / special.ndtri((1 + COVERAGE) / 2), _unseen(output, moves, parts))


def calibration(rule, output):
    """The `Calibration` of an estimator for an output, or None if too little is known exactly.

    rule: the posterior, or an estimator that uses no anchors.
    """
    return output.kept(("calibration", rule), lambda: _calibration(rule, output))


def calibrated_on(output):
    """Numbers of the anchors that calibrate, by which their predictions are not exact already.

    Gradients say all about the anchors they are at; single units are left out if all are known.
    """
    moved = np.count_nonzero(output.anchors != output.at, axis=1)
    points = {row.tobytes() for row in output.gradient_points}
    free = np.array([row.tobytes() not in points for row in output.anchors], bool)
    several = moved > 1
    if np.count_nonzero(moved == 1) < len(output.units):
        several |= moved == 1
    return np.flatnonzero(free & several)


def _calibration(rule, output):
    rows = calibrated_on(output)
    if len(rows) < FEWEST:
        return None
    own = _scores(rule, output, rows)
    if not np.all(np.isfinite(own[1])):  # nothing is known that could tell how errors grow
        return None
    others = [_scores(rule, one, calibrated_on(one)) for one in _comparable(output)]
    level = min(1.0, LEVEL * (len(rows) + 1) / len(rows))
    count, seen = len(rows), own[1].max(axis=1)
    if not others:
        weights = _fitted([own])
        factor = _quantile([own], weights, level)
        return Calibration(weights[None], np.array([factor]), count, seen)
    common = output.references[0].kept(("weights", rule), lambda: _fitted(others))
    weights = _fitted([own], common)
    factors = _quantile([own], weights, level), _quantile([own, *others], common, LEVEL)
    return Calibration(np.array([weights, common]), np.array(factors), count, seen)


def _comparable(output):
    """The references, if they know as much: the same jets, at least the first of the same anchors,
    and no gradients beyond the base point.
    """
    if np.any(output.gradient_points != output.at):
        return []
    return [
        one
        for one in output.references
        if one.directions is output.directions
        and one.coefficients.shape == output.coefficients.shape
        and (one.influence is None) == (output.influence is None)
        and np.array_equal(one.anchors, output.anchors[: len(one.anchors)])
    ]


def _quantile(scores, weights, level):
    """The quantile of |error| / scale."""
    ratios = [np.abs(errors) / _scale(weights, parts) for errors, parts in scores]
    return np.quantile(np.concatenate(ratios), level)


def _scores(rule, output, rows):
    """Errors at some anchors, each left out, (a,), and the parts of their scale, (parts, a)."""
    moves = output.anchors[rows] - output.at
    if isinstance(rule, Posterior):
        errors, stated = (found[rows] for found in rule.left_out(output))
        return errors, _parts(output, moves, output.anchor_values[rows] - errors, stated)
    found = rule.estimate(output, moves)
    parts = _parts(output, moves, found.total, found.error)[:-1]  # without that of the posterior
    return output.anchor_values[rows] - found.total, parts


def _parts(output, moves, predicted, stated):
    """The parts of the module, (parts, points). predicted, stated: values and their errors."""
    gradient = base_gradient(output)
    if gradient is None:
        return np.array([stated, np.zeros(len(moves))])
    lengths = np.sqrt(moves**2 @ gradient**2)
    influence = output.influence
    together = np.zeros(len(moves))
    if influence is not None:
        together = np.einsum("pi,pi->p", moves @ influence, moves)
        together -= moves**2 @ np.diag(influence)
    stated = np.where(np.isfinite(stated), stated, 0.0)  # where nothing is known, the rest tells
    first = moves @ gradient
    excess = np.abs(first) * np.sqrt(np.abs(first) / np.maximum(lengths, SMALLEST))
    beyond = np.abs(predicted - output.coefficients[0, 0].real - first)
    bends = np.abs(bend(output, moves))
    return np.array([stated, bends, lengths, lengths * np.abs(together), excess, beyond])


def _beyond(parts, seen):
    """How far units act together beyond what the anchors have shown, at least 1, (points,)."""
    if len(parts) <= TOGETHER or not seen[TOGETHER]:
        return np.ones(parts.shape[1])
    return np.maximum(1.0, parts[TOGETHER] / seen[TOGETHER])


def _unseen(output, moves, parts):
    """What the directions may hide of a large effect of first order, (points,)."""
    gradient = base_gradient(output)
    if gradient is None or output.base_gradient is not None:
        return 0.0
    share = min(1.0, 2 * len(output.directions) / len(output.units))
    excess = np.maximum(np.abs(moves @ gradient) - parts[LENGTHS], 0.0)
    return (1.0 - share) / share * excess


def _scale(weights, parts):
    return np.sqrt(np.maximum(weights**2 @ parts**2, np.finfo(float).tiny))


def _fitted(scores, near=None):
    """The likeliest weights of the parts, (parts,). near: weights that they are likely near."""
    errors = np.concatenate([np.abs(errors) for errors, _ in scores])
    parts = np.concatenate([parts for _, parts in scores], axis=1)
    if near is None:
        size = max(np.sqrt(np.mean(errors**2)), SMALLEST)
        unit, ridge = size / np.maximum(np.sqrt(np.mean(parts**2, axis=1)), SMALLEST), RIDGE
    else:
        unit, ridge = near, 0.5 / NEAR**2 / len(errors)

    def cost(logarithms):
        scale = _scale(np.exp(np.clip(logarithms, *LIMITS)) * unit, parts)
        tail = (FREEDOM + 1) / 2 * np.log1p((errors / scale) ** 2 / FREEDOM)
        return np.mean(np.log(scale) + tail) + ridge * np.sum(logarithms**2)

    starts = [np.full(len(parts), start) for start in (0.0, -2.0)]
    found = [optimize.minimize(cost, start).x for start in starts]
    return np.exp(np.clip(min([*starts, *found], key=cost), *LIMITS)) * unit
