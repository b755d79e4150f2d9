"""Derivatives of named outputs by every unit, kept with a sketch at its anchors and base point."""

import dataclasses

import numpy as np

from ..training.passes import in_batches
from . import known


def output_name(function):
    """What a store knows an output by; TypeError if it could not recognise it again."""
    name = _known_as(function)
    if name is None or not callable(function):
        raise TypeError(
            "gradients are kept for outputs that have a name, such as sl.LossOn('max') or any "
            "frozen dataclass with a method __call__(self, model): a store must recognise them "
            f"again. This one has none: {function!r}"
        )
    return name


def differentiate(sketch, run, named, points, jobs, progress):
    """Keep the derivatives of outputs, by name, at some points, and the models as anchors."""
    n, of_document = len(sketch.units), sketch.units.of_document
    have = {
        name: {point.tobytes() for point in known.gradients(sketch.group, name, n)[0]}
        for name in named
    }
    missing = {}  # points by the outputs that are not known there
    for point in points:
        names = tuple(name for name in named if point.tobytes() not in have[name])
        missing.setdefault(names, []).append(point)
    missing.pop((), None)
    exact = {row.tobytes() for row in [sketch.at + 0.0, *sketch.anchors]}
    for names, rows in missing.items():
        rows, start = np.array(rows), 0
        outputs = [named[name] for name in names]
        for found in in_batches(run, outputs, rows[:, of_document], jobs=jobs, progress=progress):
            batch = rows[start : start + len(found.values)]
            start += len(batch)
            # Anchors first: every point with a gradient has a value, wherever this is interrupted.
            new = np.array([row.tobytes() not in exact for row in batch])
            if np.any(new):
                known.write_anchors(sketch.group, batch[new], found.parameters[new])
            costs = found.cost - new / len(names)  # the training that an anchor counts
            for name, by_unit in zip(names, found.summed(of_document).swapaxes(0, 1), strict=True):
                known.write_gradients(sketch.group, name, batch, by_unit, costs)


def stored_gradients(sketch, function):
    """Points and derivatives of an output that are kept, both (g, units), and costs, (g,)."""
    name, n = _known_as(function), len(sketch.units)
    if name is None:
        return np.empty((0, n)), np.empty((0, n)), np.empty(0)
    return known.gradients(sketch.group, name, n)


def _known_as(function):
    """What a store knows an output by, or None: type and fields (not a loss's unit and bounds).

    Outputs that have one are frozen dataclasses whose fields can be hashed and say what they are.
    """
    kind = type(function)
    if not dataclasses.is_dataclass(kind) or not kind.__dataclass_params__.frozen:
        return None
    try:
        hash(function)
    except TypeError:
        return None
    fields = [
        f.name for f in dataclasses.fields(kind) if f.repr or f.name not in ("unit", "bounds")
    ]
    said = ", ".join(f"{field}={getattr(function, field)!r}" for field in fields)
    return None if " at 0x" in said else f"{kind.__module__}.{kind.__qualname__}({said})"
