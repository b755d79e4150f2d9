"""How a deletion changes the logits of a model, as any predictor of the package says.

All of them add up logits that are known, with weights that depend on the deletion alone:

    change_by_jets        the Taylor terms along the deletion; to degree 1: exact first order
    change_by_effects     retraining without each document of the forget set alone
    change_by_regression  retrainings after random deletions
    change_by_sketch      a sketch: jets along random directions, retrainings beside them

An estimator of the last two is asked for the principal components of what is known of the logits,
as there are far fewer of these than logits. All know the one seed of the run; `mean_change` is the
mean over several.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from ..arguments import check_list, instance, takes
from ..attribution.regressions import REGRESSIONS
from ..checks import check_choice, check_count, real_array
from ..estimation.choice import named_estimator
from ..estimation.output import Output, products_of_jets
from ..sketching import known as stored
from ..sketching.sketch import Sketch
from ..training.runs import BATCH
from .documents import forget_set

DOCUMENTS = 100  # at most, that principal components are taken over
NEGLIGIBLE = 1e-9  # share of the largest eigenvalue below which a component is rounding


@dataclasses.dataclass(frozen=True)
class Change:
    """Changes of the logits on a document, by a weighted sum of known ones.

    known: a function of a document that returns what is known of its logits, (rows, positions,
    tokens). weights: (rows,). cost: what these took, in trainings of one model.
    Called with a document: its predicted change, (positions, tokens).
    """

    known: Callable
    weights: np.ndarray
    cost: float

    def __call__(self, doc):
        return np.tensordot(self.weights, self.known(doc), 1)


@takes(degree=check_count)
def change_by_jets(run, without, degree, *, progress=True):
    """The Taylor terms of degree 1 to `degree` along the deletion, at nothing deleted: a `Change`.

    One jet is pushed through training, at the cost of (degree + 1)(degree + 2) / 2 trainings.
    """
    check_count(degree, "degree")
    model = run.push(forget_set(run, without)[None], degree, progress=progress)

    def known(doc):
        return logits(model, doc).coefficients[1:, 0]

    return Change(known, np.ones(degree), products_of_jets(degree))


@takes()
def change_by_effects(run, without, *, progress=True):
    """The sum of the effects of each deleted document alone: a `Change`."""
    rows = [run.indicator([i]) for i in np.flatnonzero(forget_set(run, without))]
    return Change(_retrained(run, rows, progress), np.ones(len(rows)), len(rows))


@takes(deletions=real_array)
def change_by_regression(run, without, deletions, *, kind="ridge", progress=True):
    """Regression on retrainings after some deletions: a `Change`.

    deletions: down-weights of the documents, (a, n), as `attribution.random_deletions` draws them.
    kind: a name in `attribution.regressions.REGRESSIONS`.
    """
    check_choice(kind, REGRESSIONS, "kind")
    x, question = real_array(deletions, "deletions", None, len(run)), forget_set(run, without)
    if len(x) < 3:
        raise ValueError(f"{len(x)} retrainings are too few for a regression: give 3 or more")
    if np.any(unknown := question * ~np.any(x, axis=0)):
        raise ValueError(
            f"no deletion among these has document {np.flatnonzero(unknown)[0]}, which is to be "
            "forgotten: nothing is known of it"
        )
    known, question = _retrained(run, x, progress), question[None]

    def predict(components):
        rules = REGRESSIONS[kind](x, components, 1)
        nothing = np.zeros_like(question)
        return [(rule(question) - rule(nothing))[0] for rule in rules]

    return Change(known, _weights(known, run, predict), len(x))


@takes(sketch=instance(Sketch))
def change_by_sketch(sketch, run, without, *, estimator="automatic"):
    """A sketch of the run, of single documents, with its jets and anchors: a `Change`.

    estimator: as in `Output.predict`; "mean" is the paper's. Derivatives that are kept with a
    sketch are those of other outputs, and are not used.
    """
    sketch.check_run(run)
    if len(sketch.units) != len(run) or np.any(sketch.at):
        raise ValueError("give a sketch whose units are single documents, around nothing deleted")
    directions, anchors, degree = sketch.directions, sketch.anchors, sketch.degree
    named, m = named_estimator(estimator), len(sketch)
    moves, model = forget_set(run, without)[None], run.model
    anchored = list(
        stored.anchor_parameters(sketch.group, BATCH)
    )  # there may be more of them later

    def known(doc):
        jets = np.concatenate([logits(part, doc).coefficients for part in sketch.models()], axis=1)
        jets = np.concatenate(jets[1:])  # (degree * m, positions, tokens)
        exact = [logits(sketch.model_of(flat), doc) - logits(model, doc) for flat in anchored]
        return np.concatenate([jets.real, jets.imag, *exact])

    def predict(components):
        return [one(column) for column in components.T]

    def one(column):
        real, imaginary = column[: 2 * degree * m].reshape(2, degree, m)
        output = Output(
            np.concatenate([np.zeros((1, m)), real + 1j * imaginary]),
            directions,
            anchors=anchors,
            anchor_values=column[2 * degree * m :],
            influence=sketch.influence,
        )
        rule = named.chosen(output) if hasattr(named, "chosen") else named
        return float(rule.estimate(output, moves).total[0])

    cost = m * products_of_jets(degree) + len(anchors)
    return Change(known, _weights(known, run, predict), cost)


def mean_change(changes):
    """The mean of some changes, such as those of runs of several seeds: a `Change`."""
    changes = check_list(changes, "changes")
    if not changes or not all(isinstance(one, Change) for one in changes):
        raise ValueError(f"give one or more changes, such as of change_by_jets, not {changes!r}")
    weights = np.concatenate([one.weights for one in changes]) / len(changes)

    def known(doc):
        return np.concatenate([one.known(doc) for one in changes])

    return Change(known, weights, sum(one.cost for one in changes))


def logits(model, doc):
    """Logits of the next letter at every position of a document, (*batch, positions, tokens)."""
    if not hasattr(model, "sequence"):
        raise TypeError(f"this needs a model with logits, as microgpt; this is {model!r}")
    read, _ = model.sequence(doc)
    return model.logits(read)


def _retrained(run, rows, progress):
    """Changes of the logits after retrainings, as a function of a document."""
    model, now = run.retrain(down_weights=np.array(rows), progress=progress), run.model
    return lambda doc: logits(model, doc) - logits(now, doc)


def _weights(known, run, predict):
    """Weights of what is known of a logit in its predicted change, (rows,).

    predict: a function of columns of known values, (rows, outputs), to their changes, (outputs,).
    The columns are the principal components of what is known on some documents of the run, as large
    as they are there, so that the prediction of a logit is the sum of those of its components.
    """
    some = np.unique(np.linspace(0, len(run) - 1, min(DOCUMENTS, len(run))).astype(int))
    square = 0.0
    for doc in run.examples(list(some)):
        values = known(doc)
        values = values.reshape(len(values), -1)
        square = square + values @ values.T
    sizes, vectors = np.linalg.eigh(square)
    large = sizes > NEGLIGIBLE * sizes[-1]
    vectors, lengths = vectors[:, large], np.sqrt(sizes[large])
    return vectors @ (np.asarray(predict(vectors * lengths)) / lengths)
