"""Scores without a scale, and the one number that exact retrainings tell of them.

Some methods order the documents, but their scores count nothing: they are right, at best, up to a
factor. `scaled` fits that factor, one for all outputs together, to outputs after exact retrainings,
by least squares through the origin: with s the sum of scores of what a retraining left out, and c
the change that it made, factor = sum s c / sum s^2.
"""

import dataclasses

import numpy as np

from .first_order import FirstOrder
from .retraining import Retrained

SAME = 1e-6  # relative difference of an output with nothing deleted, within one run


class Ranking(FirstOrder):
    """Scores that order the units by how much their deletion raises the output, without a scale."""

    def predict(self, down_weights=None, *, without=None):
        """Refused: ValueError."""
        raise ValueError(
            f"these scores ({self.reason}) only rank the documents: they have no scale. Use "
            ".gradient to sort them, or scaled(rankings, known), which fits one scale to some "
            "exact retrainings (gradient_products of a run that was not trained by sl.SGD takes "
            "rate= as well)"
        )


def scaled(rankings, known):
    """The scores times one factor that is fitted to exact retrainings: a list of `FirstOrder`.

    rankings: a list of `Ranking`, one for each output, or one alone; also of `FirstOrder`, whose
    scale is then made anew. known: a list of `Retrained`, of the same outputs in the same order and
    the same deletion units, from `retrained(run, outputs, deletions)`; or one alone. The factor is
    the same for all outputs.
    cost: the retrainings are added, shared by the outputs. Raises TypeError or ValueError, in
    words, for retrainings of other outputs or deletion units, for those in which nothing changes,
    or no change is foretold, and for a factor that is not above 0: then the scores order the
    documents the wrong way round, or not at all, and there is no scale.
    """
    alone = isinstance(rankings, FirstOrder)
    rankings = [rankings] if alone else rankings
    known = [known] if isinstance(known, Retrained) else known
    for what, given, kind in (("rankings", rankings, FirstOrder), ("known", known, Retrained)):
        lists = isinstance(given, (list, tuple)) and len(given)
        if not lists or not all(isinstance(one, kind) for one in given):
            raise TypeError(f"{what} must be a list of {kind.__name__}, not {given!r}")
    if len(rankings) != len(known):
        raise ValueError(
            f"there are {len(rankings)} rankings and retrainings of {len(known)} outputs: give "
            "one of each for every output, in the same order"
        )
    foretold, found = [], []
    for number, (one, exact) in enumerate(zip(rankings, known, strict=True)):
        _check_pair(number, one, exact)
        foretold.append(exact.deletions @ one.gradient)
        found.append(exact.values - exact.now)
    foretold, found = np.concatenate(foretold), np.concatenate(found)
    if not np.any(found):
        raise ValueError(
            "the retrainings hold no effect: no output changes in any of them. Give retrainings "
            "without some of the documents"
        )
    if not np.any(foretold):
        raise ValueError("the scores are 0 for all that was retrained: there is nothing to scale")
    factor = float(foretold @ found / (foretold @ foretold))
    if not 0 < factor < np.inf:
        raise ValueError(
            f"the best factor is {factor:.3g}, not above 0: on these retrainings the scores order "
            "the deletions the wrong way round, or not at all, so that they have no scale. Give "
            "more retrainings, or scores of another method"
        )
    spent = len({row.tobytes() for exact in known for row in exact.deletions}) / len(known)
    predictors = [
        FirstOrder(
            **{field.name: getattr(one, field.name) for field in dataclasses.fields(one)}
            | {
                "gradient": factor * one.gradient,
                "cost": (one.cost or 0.0) + spent,
                "reason": f"{one.reason}, scaled to {len(exact)} retrainings",
            }
        )
        for one, exact in zip(rankings, known, strict=True)
    ]
    return predictors[0] if alone else predictors


def _check_pair(number, one, exact):
    """Raise ValueError unless scores and retrainings are of one output and of the same units."""
    if one.units.record() != exact.units.record():
        raise ValueError(
            f"output {number}: the retrainings are of other deletion units ({len(exact.units)}) "
            f"than the scores ({len(one.units)}): give both the same units="
        )
    if np.any(one.at):
        raise ValueError(f"output {number}: only scores at nothing deleted can be scaled")
    if not np.isclose(one.now, exact.now, rtol=SAME, atol=0):
        raise ValueError(
            f"output {number} is {one.now:.6g} with nothing deleted, and {exact.now:.6g} in the "
            "retrainings: these are of another output or another run"
        )
    if not np.all(np.isfinite(exact.values)) or not len(exact):
        raise ValueError(
            f"output {number}: give retrainings, with finite values after each of them"
        )
