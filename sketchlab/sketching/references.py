"""What a sketch knows of its own training examples: how units influence each other, and references.

`influence`, (units, units): the derivative of the mean training loss on unit v by the down-weight
of unit u, from the first order of the jets. References are the losses on a few training examples,
outputs that any run has: their jets, `reference_jets`, (degree + 1, directions, references), and
their values after every anchor, `reference_values`, (anchors, references), help to calibrate the
bands of other outputs (see `estimation.calibration`).
"""

import numpy as np

from ..algebra.jet import Jet
from ..estimation.minimum_norm import gradients
from ..estimation.output import Output
from ..progress import progress_bar
from ..training.runs import BATCH
from . import known, rows

COUNT = 8  # references
LARGEST = 1 << 27  # entries of the influence of units on documents, 1 GiB: beyond, it is left out


def learn(sketch, run, progress):
    """Keep the influence of units and the jets of the references, if they are not there yet.

    They are made again if the sketch has more directions than they were made from.
    """
    jets = rows.stored(sketch.group, "reference_jets")
    if jets is not None and jets.shape[1] >= len(sketch):
        return
    examples = reference_examples(run)
    whole = sketch.degree > 0 and len(sketch.units) * len(run) <= LARGEST
    slopes, columns, made = [], [], {}
    with progress_bar(len(sketch), progress, unit="direction") as bar:
        for model in sketch.models():
            columns.append(model.losses(run.examples(examples)).coefficients)
            if whole:
                slopes.append(_first_order(model, run))
            bar.update(columns[-1].shape[1])
    if whole:
        by_document = gradients(sketch.directions, np.concatenate(slopes))
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


def _first_order(model, run):
    """First coefficients of the losses on all examples along a batch of directions, (m, n)."""
    first = model.with_parameters(
        {name: Jet.of(p.head, p.tail[:1]) for name, p in model.parameters.items()}
    )
    return run.losses(first).tail[0]
