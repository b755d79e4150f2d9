"""Derivatives of named outputs by every unit, kept with a sketch at its anchors and base point."""

import contextlib
import dataclasses

import numpy as np

from ..training.passes import in_batches
from . import known
from .store import precision

TOLERANCE = {"double": 1e-6, "single": 1e-4}  # between derivatives and jets, of the largest


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
        work = in_batches(run, outputs, rows[:, of_document], jobs=jobs, progress=progress)
        with contextlib.closing(work) as batches:
            for found in batches:
                batch = rows[start : start + len(found.values)]
                start += len(batch)
                # Anchors first: a point with a gradient has a value, wherever this is interrupted.
                new = np.array([row.tobytes() not in exact for row in batch])
                if np.any(new):
                    known.write_anchors(sketch.group, batch[new], found.parameters[new])
                costs = found.cost - new / len(names)  # the training that an anchor counts
                by_output = found.summed(of_document).swapaxes(0, 1)
                for name, by_unit in zip(names, by_output, strict=True):
                    known.write_gradients(sketch.group, name, batch, by_unit, costs)


def stored_gradients(sketch, function, coefficients):
    """Points and derivatives of an output that are kept, both (g, units), and costs, (g,).

    coefficients: its jets, (degree + 1, m), whose first order is known from the derivatives at the
    base point, too. ValueError if these differ: what is kept under the name is of another output.
    """
    name, n = _known_as(function), len(sketch.units)
    if name is None:
        return np.empty((0, n)), np.empty((0, n)), np.empty(0)
    points, gradients, costs = known.gradients(sketch.group, name, n)
    base = np.flatnonzero(np.all(points == sketch.at, axis=1))
    if len(base) and len(coefficients) > 1:
        expected = sketch.directions.vectors @ gradients[base[0]]
        size = max(np.max(np.abs(expected)), np.max(np.abs(coefficients[1])))
        tolerance = TOLERANCE[precision(sketch.record)]
        if np.max(np.abs(expected - coefficients[1])) > tolerance * size:
            raise ValueError(
                f"the derivatives kept for {name} are not those of this output: it, or data that "
                "it reads, has changed. Ask for it under another name, or as a lambda, which uses "
                "no derivatives"
            )
    return points, gradients, costs


def _known_as(function):
    """What a store knows an output by, or None: type and fields (not a loss's unit and bounds).

    Outputs that have one are frozen dataclasses, not made within a function, whose fields can be
    hashed and say what they are.
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
    if "<locals>" in kind.__qualname__:  # others of the same name may be made in the same place
        return None
    return None if " at 0x" in said else f"{kind.__module__}.{kind.__qualname__}({said})"
