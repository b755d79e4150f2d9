"""The documents of a bench: which to forget, and which were never trained on."""

import numpy as np

from ..arguments import check_list
from ..training.fingerprints import digest


def forget_set(run, without):
    """The down-weights that delete these documents, (n,).

    Raises as `TrainingRun.indicator` does, and ValueError for none of them or all of them.
    """
    found = run.indicator(without)
    if not np.any(found) or np.all(found):
        raise ValueError(
            f"the forget set has {int(found.sum())} of {len(run)} documents: give at least one and "
            "not all of them"
        )
    return found


def unseen_documents(run, unseen):
    """The documents as a list.

    Raises ValueError if there are none, or if the model reads one of them as it reads one of the
    run, TypeError for one string, and whatever the model says of documents that it cannot read.
    """
    if isinstance(unseen, (str, bytes)):
        raise TypeError(f"unseen must be a list of documents, not one string: give [{unseen!r}]")
    found = check_list(unseen, "unseen")
    if not found:
        raise ValueError("give some documents that were never trained on as unseen")
    run.model.losses(found)
    seen = {as_read(run.initial, run.data[i]) for i in range(len(run))}
    for one in found:
        if as_read(run.initial, one) in seen:
            raise ValueError(f"{one!r} is in the data of the run: it was trained on")
    return found


def check_examples(examples):
    """Raise ValueError for one string, whose letters are no examples, and for an empty list."""
    listed = hasattr(examples, "__len__") and getattr(examples, "ndim", 1)
    if not listed or isinstance(examples, (str, bytes)) or not len(examples):
        raise ValueError(f"give a list of one or more examples, not {examples!r}")


def same_run(one, other):
    """Whether two runs are the same training, here or in another process."""
    return one is other or one.fingerprint() == other.fingerprint()


def as_read(model, example):
    """What a model makes of an example, as a key: tokens, or numbers by their values."""
    if hasattr(model, "sequence"):
        return tuple(map(tuple, model.sequence(example)))
    if isinstance(example, (tuple, list)):
        return tuple(as_read(model, part) for part in example)
    if isinstance(example, (bool, int, float, np.number, np.bool_, np.ndarray)):
        return np.shape(example), np.asarray(example, dtype=float).tobytes()
    return digest(example)
