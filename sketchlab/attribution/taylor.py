"""Exact Taylor terms: jets through training along the deletions that are asked about.

One jet of degree K along a deletion x gives the terms F_r[x, ..., x], r = 0, ..., K, without any
sampling error: what is left is the cut of the series alone. A sketch, in contrast, is made before
the deletions are known.
"""

import dataclasses

import numpy as np

from ..algebra.jet import Jet
from ..arguments import instance, takes
from ..checks import check_degree
from ..estimation import resummation
from ..estimation.minimum_norm import forms
from ..estimation.output import Output, products_of_jets
from ..estimation.prediction import Estimate, prediction
from ..estimation.units import Units
from .retraining import check_task, find, in_batches


@dataclasses.dataclass(frozen=True, eq=False)
class TaylorTerms:
    """The exact Taylor terms of one output at some deletions.

    deletions: down-weights, (points, units). terms: (degree + 1, points). units: what can be
    deleted. unit, bounds: what the output counts, and what it can be. beyond: an estimate of the
    sum of the terms beyond, (points,), and spent_beyond: the trainings it took.
    """

    deletions: np.ndarray
    terms: np.ndarray
    units: Units
    unit: str = ""
    bounds: tuple = (-np.inf, np.inf)
    beyond: np.ndarray = 0.0
    spent_beyond: int = 0

    @property
    def degree(self):
        """The highest degree."""
        return len(self.terms) - 1

    @property
    def cost(self):
        """Trainings: each deletion counts the (K+1)(K+2)/2 products of a jet of degree K."""
        return len(self.deletions) * products_of_jets(self.degree) + self.spent_beyond

    @takes(degree=check_degree)
    def part(self, *, degree):
        """The same to a lower degree, as cheaper jets give it."""
        if check_degree(degree) > self.degree:
            raise ValueError(f"the terms are known to degree {self.degree}, not {degree}")
        kept = self.terms[: degree + 1]
        return dataclasses.replace(self, terms=kept, beyond=0.0, spent_beyond=0)

    @takes(output=instance(Output))
    def resummed(self, output):
        """The same with the rest of the series that resummation finds.

        output: the `Output` of a sketch of the same output; its forms say how large terms usually
        are, and its cost is added.
        """
        typical = forms(output).at(self.deletions - output.at)[2]
        if len(typical) < len(self.terms):
            raise ValueError(
                f"the terms have degree {self.degree}: the sketch of degree {len(typical) - 1} "
                "does not say how large they usually are"
            )
        documents = (self.deletions != 0) @ self.units.sizes
        rest = resummation.rest(self.terms, typical[: len(self.terms)], documents)
        return dataclasses.replace(self, beyond=rest, spent_beyond=output.cost)

    def predict(self, down_weights=None, *, without=None):
        """The output after a deletion, or after each of several: a `Prediction`.

        Nothing is known of the terms beyond: the error is infinite, but for nothing deleted.
        ValueError for a deletion that no jet was pushed along.
        """
        x = self.units.down_weights(without, down_weights)
        rows = np.atleast_2d(x)
        nothing, place = ~np.any(rows, axis=1), find(rows, self.deletions)
        if np.any((place < 0) & ~nothing):
            raise ValueError(
                f"exact Taylor terms are known at the {len(self.deletions)} deletions that jets "
                "were pushed along, not at others: give these deletions to taylor_terms(...)"
            )
        now = self.terms[0, 0]
        terms = np.where(nothing, 0.0, self.terms[:, place])
        terms[0] = now
        beyond = np.broadcast_to(self.beyond, len(self.deletions))[place]
        total = terms.sum(axis=0) + np.where(nothing, 0.0, beyond)
        error = np.where(nothing, 0.0, np.inf)
        reason = "exact Taylor terms" + ("; resummed" if np.any(beyond) else "")
        found = Estimate(terms, np.zeros_like(terms), total, error, reason=reason)
        return prediction(found, now=now, unit=self.unit, bounds=self.bounds, many=x.ndim == 2)


@takes(degree=check_degree)
def taylor_terms(run, outputs, deletions, degree=3, *, units=None, jobs=1, progress=True):
    """Exact Taylor terms of outputs at some deletions: a list of `TaylorTerms`, one per output.

    outputs: functions of a model that return one number. deletions: down-weights of the units,
    (points, units). units: groups of documents deleted together (see `Units`). jobs: processes.
    """
    units = check_task(run, outputs, units)
    x = units.rows(None, deletions)
    terms = in_batches(
        _terms_along,
        run,
        (outputs, check_degree(degree)),
        x[:, units.of_document],
        jobs=jobs,
        progress=progress,
        unit="jet",
    )
    return [
        TaylorTerms(
            x,
            of_output.T,
            units,
            getattr(output, "unit", ""),
            getattr(output, "bounds", (-np.inf, np.inf)),
        )
        for output, of_output in zip(outputs, np.moveaxis(terms, 1, 0), strict=True)
    ]


def _terms_along(run, outputs, degree, down_weights):
    """Taylor coefficients of the outputs along deletions, (batch, outputs, degree + 1)."""
    model = run.push(down_weights, degree, progress=False)
    jets = [output(model) for output in outputs]
    for jet in jets:
        if not isinstance(jet, Jet) or jet.shape != (len(down_weights),):
            raise TypeError(
                "an output must be one number per model, such as model.loss('max'); this one is "
                f"{jet!r}"
            )
    return np.stack([jet.coefficients.T for jet in jets], axis=1)
