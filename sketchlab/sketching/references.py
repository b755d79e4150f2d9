"""What a sketch knows of its own training examples: how units influence each other, and references.

`influence`, (units, units): the derivative of the mean training loss on unit v by the down-weight
of unit u, from the first order of the jets. References are the losses on a few training examples,
outputs that any run has: their jets, `reference_jets`, (degree + 1, directions, references), and
their values after every anchor, `reference_values`, (anchors, references), help to calibrate the
bands of other outputs (see `estimation.calibration`).
"""

import numpy as np

from ..algebra import ring
from ..estimation.minimum_norm import gradients
from ..estimation.output import Output
from ..progress import progress_bar
from ..training.models import Flat
from ..training.runs import BATCH
from . import known, rows, store

COUNT = 8  # references
BYTES = 1 << 26  # of gradients of examples that are kept at a time
LARGEST = 1 << 27  # entries of the influence of units on documents, 1 GiB: beyond, it is left out


def learn(sketch, run, progress):
    """Keep the influence of units and the jets of the references, if they are not there yet.

    They are made again if the sketch has more directions than they were made from.
    """
    jets = rows.stored(sketch.group, "reference_jets")
    if jets is not None and jets.shape[1] >= len(sketch):
        return
    examples = reference_examples(run)
    columns, made = [], {}
    with progress_bar(len(sketch), progress, unit="direction") as bar:
        for model in sketch.models():
            columns.append(model.losses(run.examples(examples)).coefficients)
            bar.update(columns[-1].shape[1])
    if sketch.degree > 0 and len(sketch.units) * len(run) <= LARGEST:
        by_document = gradients(sketch.directions, _first_order(sketch, run, progress))
        by_unit = np.zeros((len(sketch.units), len(sketch.units)))
        np.add.at(by_unit.T, sketch.units.of_document, by_document.T)
        made["influence"] = by_unit / sketch.units.sizes
    rows.put(sketch.group, **made, reference_jets=np.concatenate(columns, axis=1))


def follow(sketch, run):
    """Keep the values of the references after the anchors that have none yet."""
    examples = reference_examples(run)
    count = known.reference_count(sketch.group)
    for parameters in known.anchor_parameters(sketch.group, BATCH, count):
        values = sketch.model_of(parameters).losses(run.examples(examples))
        known.write_reference_values(sketch.group, count, values)
        count += len(values)


def references(sketch, **settings):
    """The references as outputs, with what is known of them: a tuple of `Output`.

    settings: fields that all outputs of this sketch share. Those that are not finite are left out.
    """
    jets = rows.stored(sketch.group, "reference_jets")
    count = known.reference_count(sketch.group)
    if jets is None or jets.shape[1] < len(sketch) or count < len(settings["anchors"]) or not count:
        return ()
    values = known.reference_values(sketch.group)
    return tuple(
        Output(jet, sketch.directions, anchor_values=value, **settings)
        for jet, value in zip(np.moveaxis(jets[:, : len(sketch)], 2, 0), values.T, strict=True)
        if np.all(np.isfinite(jet)) and np.all(np.isfinite(value))
    )


def reference_effects(sketch):
    """Derivatives of the references by the units' down-weights, (units, references), or None."""
    jets = rows.stored(sketch.group, "reference_jets")
    if jets is None or sketch.degree < 1:
        return None
    return gradients(sketch.directions, jets[1, : len(sketch)])


def reference_examples(run):
    """Numbers of the examples whose losses are the references."""
    count = min(COUNT, len(run))
    return np.sort(np.random.default_rng(0).choice(len(run), count, replace=False))


def _first_order(sketch, run, progress):
    """First coefficients of the losses on all examples along all directions, (m, n).

    They are products of the examples' gradients at the base point with the first coefficients of
    the parameters. BYTES of gradients are kept at a time; for each such part the jets are read.
    """
    axis = Flat(sketch.record["parameters"])
    named = axis.named(store.read(sketch.group, 0, 1)[0])
    gradient = ring.ring_grad(
        lambda named, i: ring.sum(run.initial.with_parameters(named).losses(run.examples([i])), -1)
    )
    count, found = max(1, BYTES // (8 * axis.size)), np.empty((len(sketch), len(run)), complex)
    with np.errstate(all="ignore"), progress_bar(len(run), progress, unit="document") as bar:
        for start in range(0, len(run), count):
            part = range(start, min(start + count, len(run)))
            by_parameter = np.array([axis.flat(gradient(named, i)) for i in part])
            for first in range(0, len(sketch), BATCH):
                these = slice(first, min(first + BATCH, len(sketch)))
                _, tail = store.read(sketch.group, these.start, these.stop)
                found[these, start : part.stop] = tail[:, 0] @ by_parameter.T
            bar.update(len(part))
    return found
