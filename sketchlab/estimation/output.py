"""An output: what a sketch knows of one number that a model answers with.

It has the jets of the number along the directions, and the deletions after which the number is
known exactly. From these an estimator (`choice.ESTIMATORS`) predicts it after any deletion.
"""

import dataclasses

import numpy as np

from ..arguments import check_flag, takes
from ..checks import check_count, check_degree, real_array
from . import ranking
from .averages import Mean, MedianOfMeans
from .calibration import calibration
from .choice import Automatic, named_estimator
from .directions import Directions, symmetric_dimension
from .prediction import check_within, prediction


@dataclasses.dataclass(frozen=True, eq=False)
class Output:
    """One output of a sketched function: its jets along the directions, and exact values.

    coefficients: (degree + 1, m), complex. directions: `Directions`, m of them over n units.
    unit: what the output counts; bounds: what it can be, lowest and highest.
    at: the base point, (n,). undeleted: the output with nothing deleted, where that is not the base
    point (None: not known).
    anchors: deletions after which the output is known exactly, (a, n), and anchor_values: the
    output there, (a,). influence: derivative of the mean training loss on unit v by the down-weight
    of unit u, (n, n), or None.
    gradient_points: where the derivatives by all units are known exactly, (g, n), each an anchor or
    the base point; gradients: the derivatives there, (g, n); gradient_cost: what they took beyond
    the anchors, in trainings.
    references: outputs with the same directions and anchors that help to calibrate bands.
    cut: the highest degree used; None: all. whole: the output that this one is a part of, or None;
    a changed copy of a part, by `dataclasses.replace`, is an output of its own.
    """

    coefficients: np.ndarray
    directions: Directions
    unit: str = ""
    bounds: tuple = (-np.inf, np.inf)
    at: np.ndarray = 0.0
    undeleted: float | None = None
    anchors: np.ndarray = ()
    anchor_values: np.ndarray = ()
    influence: np.ndarray = None
    gradient_points: np.ndarray = ()
    gradients: np.ndarray = ()
    gradient_cost: float = 0
    references: tuple = ()
    cut: int | None = None
    whole: "Output | None" = dataclasses.field(default=None, init=False)  # set by `part` alone

    def __post_init__(self):
        n = len(self.directions.units)
        values = {
            "coefficients": np.array(self.coefficients),
            "at": np.broadcast_to(np.asarray(self.at, float), (n,)),
            "anchors": np.reshape(np.array(self.anchors, float), (-1, n)),
            "anchor_values": np.array(self.anchor_values, float),
            "gradient_points": np.reshape(np.array(self.gradient_points, float), (-1, n)),
            "gradients": np.reshape(np.array(self.gradients, float), (-1, n)),
        }
        if self.influence is not None:
            values["influence"] = np.array(self.influence)
        for name, value in values.items():
            object.__setattr__(self, name, value)
        if self.coefficients.ndim != 2 or self.coefficients.shape[1] != len(self.directions):
            raise ValueError(
                f"coefficients must have shape (degree + 1, {len(self.directions)}), one column "
                f"per direction, not {self.coefficients.shape}"
            )
        if self.anchor_values.shape != (len(self.anchors),):
            raise ValueError(
                f"there are {len(self.anchors)} anchors and values of shape "
                f"{self.anchor_values.shape}: give one value for each"
            )
        check_within(self.bounds, [self.now, *self.anchor_values])
        self._check_gradients()
        self._freeze()
        object.__setattr__(self, "_kept", {})

    def _check_gradients(self):
        points, rows = self.gradient_points, self.gradients
        if rows.shape != points.shape or not np.all(np.isfinite(rows)):
            raise ValueError(
                f"there are {len(points)} gradient points and {len(rows)} gradients: give one row "
                "of finite derivatives for each"
            )
        known = {_key(x) for x in (self.at, *self.anchors)}
        if not known.issuperset(map(_key, self.gradient_points)):
            raise ValueError(
                "a gradient point must be an anchor or the base point, where the value is known "
                "too: give its anchor, or leave out its gradient"
            )

    def _freeze(self):
        """Make all arrays read-only: what is kept must not grow stale."""
        for value in vars(self).values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    def __getstate__(self):
        return {**vars(self), "_kept": {}}

    def __setstate__(self, state):
        vars(self).update(state)
        self._freeze()

    def __repr__(self):
        anchors = f", {len(self.anchors)} anchors" if len(self.anchors) else ""
        if len(self.gradients):
            anchors += f", {len(self.gradients)} gradients"
        return (
            f"Output({len(self.directions)} directions of degree {self.degree} over "
            f"{len(self.units)} units{anchors})"
        )

    @property
    def degree(self):
        """The highest degree of the Taylor terms that are used."""
        highest = len(self.coefficients) - 1
        return highest if self.cut is None else min(self.cut, highest)

    @property
    def now(self):
        """The output with nothing deleted; NaN if that is not known."""
        if not np.any(self.at):
            return float(self.coefficients[0, 0].real)
        return np.nan if self.undeleted is None else float(self.undeleted)

    @property
    def base_gradient(self):
        """The exact derivatives by every unit at the base point, (n,); None if not known."""
        rows = np.flatnonzero(np.all(self.gradient_points == self.at, axis=1))
        return self.gradients[rows[0]] if len(rows) else None

    @property
    def units(self):
        """What can be deleted: `Units`."""
        return self.directions.units

    @property
    def cost(self):
        """What the jets, exact values and gradients cost, in ordinary trainings of one model.

        A jet of degree K counts the (K+1)(K+2)/2 products that its product with another takes.
        """
        jets = len(self.directions) * products_of_jets(self.degree)
        return jets + len(self.anchors) + self.gradient_cost

    def kept(self, key, compute):
        """The result of compute(), which depends on this output and the key alone."""
        if key not in self._kept:
            self._kept[key] = compute()
        return self._kept[key]

    def part(self, *, degree=None, directions=None):
        """The same output using less of the sketch: fewer terms, or only the first directions.

        The part knows the whole that it belongs to: the error of its predictions is at least that
        of the whole together with the distance from what the whole predicts. (If a part is asked
        for "mean" or "median_of_means", that is what the whole predicts with "automatic".)
        """
        whole = self.whole or self
        degree = self.degree if degree is None else check_degree(degree)
        directions = (
            len(self.directions) if directions is None else check_count(directions, "directions")
        )
        if degree > whole.degree:
            raise ValueError(f"the sketch has degree {whole.degree}, not {degree}")
        if directions > len(whole.directions):
            raise ValueError(f"the sketch has {len(whole.directions)} directions, not {directions}")
        if (degree, directions) == (whole.degree, len(whole.directions)):
            return whole
        return whole.kept(
            ("part", degree, directions),
            lambda: self._part_of(whole, degree, directions),
        )

    def _part_of(self, whole, degree, directions):
        part = dataclasses.replace(
            whole,
            coefficients=whole.coefficients[:, :directions],
            directions=whole.directions.first(directions),
            cut=degree,
        )
        object.__setattr__(part, "whole", whole)
        return part

    def predict(self, down_weights=None, *, without=None, estimator="automatic"):
        """The output after a deletion, or after each of several: a `Prediction`.

        without: the units to delete, by number or label. down_weights: instead, one per unit, (n,),
        or (points, n) for several deletions. estimator: a name in `choice.ESTIMATORS`, or one of
        these estimators with its settings.
        """
        return self._prediction(self.units.down_weights(without, down_weights), estimator)

    def curve(self, weights, *, without=None, down_weights=None, estimator="automatic"):
        """The deletion multiplied by each of `weights`, (points,): a `Prediction` of the points."""
        x = self.units.down_weights(without, down_weights)
        if x.ndim != 1:
            raise ValueError("a curve is that of one deletion: give one row of down-weights")
        weights = real_array(weights, "weights, such as [0, 0.5, 1],", None)
        return self._prediction(weights[:, None] * x, estimator)

    def _prediction(self, x, estimator):
        found = self.estimate(x, estimator)
        return prediction(found, now=self.now, unit=self.unit, bounds=self.bounds, many=x.ndim == 2)

    def estimate(self, x, estimator="automatic", *, whole=None):
        """What an estimator finds at some down-weights, (points, n): an `Estimate`.

        whole: what it finds there for the whole output, if that is known already.
        """
        x = self.units.rows(None, x)
        rule = named_estimator(estimator)
        chosen = isinstance(rule, Automatic)
        rule = rule.chosen(self) if chosen else rule
        moves = x - self.at
        found = rule.estimate(self, moves)
        if chosen:
            found = dataclasses.replace(found, reason=f"chosen: {found.reason}")
        averages = isinstance(rule, (Mean, MedianOfMeans))
        if self.whole is not None:
            if whole is None:
                whole = self.whole.estimate(x, "automatic" if averages else rule)
            error = np.hypot(whole.error, found.total - whole.total)
            if not whole.calibrated:
                error = np.maximum(found.error, error)
            found = dataclasses.replace(found, error=error, calibrated=whole.calibrated)
        elif not averages and (known := calibration(rule, self)):
            error = known.error(self, moves, found)
            found = dataclasses.replace(found, error=error, calibrated=known.count)
        return self._with_known(found, x)

    def _with_known(self, found, x):
        """The same, where the output is known with what is known: that is never predicted."""
        known = self.kept("known", self._known)
        rows = [(i, known[key]) for i, key in enumerate(map(_key, x)) if key in known]
        if not rows:
            return found
        total, error = found.total.copy(), found.error.copy()
        for i, value in rows:
            total[i], error[i] = value, 0.0
        count = "" if len(rows) == len(x) == 1 else f" at {len(rows)} of {len(x)} points"
        reason = f"from an exact training{count}" + (
            "" if len(rows) == len(x) else f"; {found.reason}"
        )
        return dataclasses.replace(found, total=total, error=error, reason=reason)

    def _known(self):
        known = {_key(self.at): self.coefficients[0, 0].real}
        if np.isfinite(self.now):
            known[_key(np.zeros(len(self.units)))] = self.now
        return known | dict(zip(map(_key, self.anchors), self.anchor_values, strict=True))

    @takes(gradients=check_flag)
    def ranked(self, candidates, down_weights=None, *, without=None, gradients=False):
        """Which retraining next? Candidates by how much they would narrow the band of a question.

        candidates: down-weights, (c, n). down_weights, without: the question, one deletion or
        several, as in `predict`. gradients: rank gradients at the candidates, not retrainings.
        Returns the order, (c,), and what is left after the first 0, 1, ..., c, (c + 1,): the error
        (root mean square, as stated, not calibrated); of gradients, the open share of the second
        order (see `ranking`).
        """
        questions = self.units.rows(without, down_weights)
        candidates = np.atleast_2d(self.units.down_weights(None, candidates))
        rule = ranking.gradients if gradients else ranking.retrainings
        return rule(self, candidates, questions)

    def stability(self):
        """The stability profile: arrays (norms, errors), ||F_r|| for r = 0 .. degree.

        ||F_r||^2 = C(n+r-1, r) E|c_r|^2, the squared Frobenius norm of the r-th Taylor form; the
        error is one standard error, by the delta method. Over nested units the norm is that of the
        form in the stretched coordinates, so mostly that of the groups.
        """
        coefficients, m = self.coefficients[: self.degree + 1], len(self.directions)
        sizes = symmetric_dimension(len(self.units), np.arange(self.degree + 1))
        squares = np.abs(coefficients) ** 2
        norms = np.sqrt(sizes * squares.mean(axis=1))
        spread = squares.std(axis=1, ddof=1) / np.sqrt(m) if m > 1 else np.full(len(norms), np.inf)
        mean = np.where(squares.mean(axis=1) > 0, squares.mean(axis=1), 1.0)
        return norms, norms * spread / (2 * mean)


def products_of_jets(degree):
    """Products of coefficients in the product of two jets: the cost of a jet, in trainings."""
    return (degree + 1) * (degree + 2) // 2


def _key(x):
    """A row of down-weights as a key: -0 and 0 are one."""
    return (np.asarray(x, float) + 0.0).tobytes()
