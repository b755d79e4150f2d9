"""Targets of matching: what the logits of a model that never saw the forget set are, or should be.

    oracle_targets      the mean of oracles (Oracle Matching)
    predicted_targets   each original's own logits, plus a predicted change (Datamodel Matching)

Both are functions of a document, as `unlearn(..., "matching", targets=...)` takes them. `direct`
is what is predicted, without any model that does so (DM-Direct).
"""

import numpy as np

from ..arguments import check_function, check_model, instance, takes
from .changes import logits
from .documents import check_examples
from .metrics import margins
from .population import Models


@takes(oracles=instance(Models))
def oracle_targets(oracles):
    """Mean logits of models that never saw the forget set, (positions, tokens) of a document."""
    model = oracles.model

    def targets(doc):
        return logits(model, doc).mean(axis=0)

    return targets


@takes(originals=instance(Models), change=check_function)
def predicted_targets(originals, change):
    """The originals' logits and a predicted change, (models, positions, tokens) of a document.

    change: a function of a document, (positions, tokens), such as those of `changes`. The originals
    are as they were trained, whatever is made of them later.
    """
    model = originals.model

    def targets(doc):
        return logits(model, doc) + change(doc)

    return targets


@takes(targets=check_function, model=check_model)
def direct(targets, model, examples):
    """Margins of target logits, (models, predictions): those of `Models.margins`, predicted.

    model: any model of the run, which knows the letters.
    """
    check_examples(examples)
    if not hasattr(model, "sequence"):
        raise TypeError(f"model must be one of letters, such as run.model, not {model!r}")
    found = []
    for doc in examples:
        _, right = model.sequence(doc)
        found.append(margins(targets(doc), np.array(right)))
    return np.concatenate(found, axis=-1)
