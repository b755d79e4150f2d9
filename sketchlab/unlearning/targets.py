"""Targets of matching: what the logits of a model that never saw the forget set are, or should be.

    oracle_targets      the mean of oracles (Oracle Matching)
    predicted_targets   each original's own logits, plus a predicted change (Datamodel Matching)

The change may come from any predictor of logits. `change_by_jets` is one that needs no retraining:
the Taylor expansion of training along the deletion, to any degree. Degree 1 is exact first order.
All are functions of a document, as `unlearn(..., "matching", targets=...)` takes them.
"""

import numpy as np


def oracle_targets(oracles):
    """Mean logits of models that never saw the forget set, (positions, tokens) of a document."""
    model = oracles.model

    def targets(doc):
        return _logits(model, doc).mean(axis=0)

    return targets


def predicted_targets(originals, change):
    """The originals' logits and a predicted change, (models, positions, tokens) of a document.

    change: a function of a document, (positions, tokens), such as `change_by_jets`. The originals
    are as they were trained, whatever is made of them later.
    """
    model = originals.model

    def targets(doc):
        return _logits(model, doc) + change(doc)

    return targets


def change_by_jets(run, without, degree, *, progress=True):
    """How the deletion changes the logits of the run's own model, by its Taylor terms at nothing
    deleted: a function of a document that returns (positions, tokens).

    One jet of this degree is pushed through training, which costs (degree + 1)(degree + 2) / 2
    trainings. It knows one seed of the many.
    """
    model = run.push(run.indicator(without)[None], degree, progress=progress)

    def change(doc):
        return np.sum(_logits(model, doc).coefficients[1:, 0], axis=0)

    return change


def _logits(model, doc):
    read, _ = model.sequence(doc)
    return model.logits(read)
