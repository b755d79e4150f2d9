"""Whether a stored sketch belongs to a training run: what the run is made of, and where it arrives.

The fingerprint of a run cannot see all that it depends on: a loss may read arrays that are no
part of its data. So what training arrives at is compared too: the parameters, and the loss on every
example (the order of the rows in such arrays may leave the parameters as they are).
"""

import numpy as np

from ..training.models import Flat
from ..training.runs import TrainingRun
from . import rows

TOLERANCE = 1e-6  # of the largest parameter: far above rounding, which differs between machines
SAID = {  # what is recorded of a run and of a sketch, in words
    "examples": "number of documents",
    "data": "list of documents",
    "start": "seed or initial parameters of the run",
    "model": "model (its letters, sizes or settings)",
    "parameters": "model (its letters, sizes or settings)",
    "optimizer": "optimizer",
    "steps": "number of steps",
    "batch_size": "batch size",
    "degree": "degree",
    "seed": "seed of the directions",
    "design": "design of the directions",
    "at": "point to expand around (at= or deletion_size=)",
    "precision": "precision",
    "units": "list of groups in units=",
}
IMPLIED = {  # what differs, too, when something else does
    "model": {"start"},
    "parameters": {"start"},
    "examples": {"data", "units"},
}
SHORT = 12  # characters of a value that is shown


def different(found, wanted):
    """What differs between two records, in words, with values that are short; "" if nothing does.

    found, wanted: dicts, by the keys of SAID.
    """
    keys = [key for key in wanted if found.get(key) != wanted[key]]
    implied = set().union(*(IMPLIED.get(key, ()) for key in keys))
    said = []
    for key in keys:
        before, now = found.get(key), wanted[key]
        brief = all(isinstance(one, (str, int, float)) for one in (before, now))
        brief = brief and max(len(str(before)), len(str(now))) <= SHORT
        if key not in implied:
            said.append(SAID.get(key, key) + (f" ({before}, now {now})" if brief else ""))
    return ", ".join(dict.fromkeys(said))


def check_run(group, run):
    """Raise ValueError, in words, if the sketch in this group was not made of this run."""
    check_is_run(run)
    record, now = dict(group.attrs)["record"]["run"], run.fingerprint()
    if words := different(record, now):
        raise ValueError(
            f"the sketch belongs to another training run, with another {words}: "
            "make one with sl.sketch(run, ...), or give the run, with the same documents, order, "
            "seed and settings, that it was made of"
        )
    check_arrival(group, trained_parameters(run))
    stored, found = rows.whole(group, "losses"), run.losses(run.model)
    if not np.allclose(found, stored, rtol=TOLERANCE, atol=TOLERANCE * np.max(np.abs(stored))):
        worst = int(np.argmax(np.abs(found - stored)))
        raise ValueError(
            "the sketch belongs to another training run: training arrives at the same parameters, "
            f"but the loss on example {worst} is {found[worst]:.4g}, not {stored[worst]:.4g}. The "
            "arrays that the loss reads may be in another order: make another sketch, in another "
            "folder"
        )


def check_arrival(group, found):
    """Raise ValueError, in words, if training arrived elsewhere than the parameters kept, (P,)."""
    stored = trained(group)
    off = np.max(np.abs(found - stored)) / max(np.max(np.abs(stored)), np.finfo(float).tiny)
    if not off <= TOLERANCE:
        raise ValueError(
            "the sketch belongs to another training run: data, initial parameters and settings are "
            f"the same, but training arrives elsewhere (parameters off by {off:.1e} of the "
            "largest). The loss, or arrays that it reads, such as labels, have changed: make "
            "another sketch, in another folder"
        )


def check_is_run(run):
    """Raise TypeError for what is not a training run."""
    if not isinstance(run, TrainingRun):
        raise TypeError(
            f"run must be a training run, from sl.train or sl.TrainingRun, not {type(run).__name__}"
        )


def trained(group):
    """The parameters trained with nothing deleted, flat, (P,); ValueError if they are damaged."""
    return rows.whole(group, "trained")


def trained_parameters(run):
    """The parameters that the run arrives at with nothing deleted, flat, (P,)."""
    return Flat.of(run.initial.parameters).flat(run.model.parameters)
