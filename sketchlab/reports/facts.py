"""What can be said of a request before anything is predicted: which documents, and what of them
stays in the data, in the letters that the model knows, and in what training depends on.
"""

import copy
import importlib
import platform
import unicodedata
from importlib import metadata

import numpy as np

from ..progress import progress_bar
from ..training.fingerprints import digest
from ..training.microgpt import MicroGPT
from ..training.models import Flat
from ..training.optimizers import InPlace


def texts(run, deleted):
    """The deleted documents, if they are text, or None."""
    found = run.examples(deleted)
    return list(found) if all(isinstance(one, str) for one in found) else None


def copies(run, deleted):
    """Documents that stay and hold the same as a deleted one: a list of dictionaries, or None.

    "document": a deleted one. "same": numbers of those that are equal to it. "alike": of other
    texts that differ from it in case, accents and spaces alone. Deleted documents without any are
    left out. None: the run knows its examples by their numbers only, so that nobody can tell.
    """
    examples = [run.data[i] for i in range(len(run))]
    if all(isinstance(one, (int, np.integer)) for one in examples):
        return None
    gone, exact, loose = set(deleted), {}, {}
    sums = [digest(one) for one in examples]
    keys = [_loose(one) for one in examples]
    for i in range(len(run)):
        if i not in gone:
            exact.setdefault(sums[i], []).append(i)
            loose.setdefault(keys[i], []).append(i)
    found = []
    for i in deleted:
        same = exact.get(sums[i], [])
        alike = [j for j in loose.get(keys[i], []) if j not in same] if keys[i] else []
        if same or alike:
            found.append({"document": i, "same": same, "alike": alike})
    return found


def _loose(one):
    """A text without case, accents and spaces; None for what is no text."""
    if not isinstance(one, str):
        return None
    letters = unicodedata.normalize("NFKD", one.casefold())
    return "".join(c for c in letters if not (unicodedata.combining(c) or c.isspace()))


def only_letters(run, deleted):
    """Letters of the model's vocabulary that deleted documents have and no other, or None."""
    if not isinstance(run.initial, MicroGPT):
        return None
    gone = set(deleted)
    kept = set().union(*(run.data[i] for i in range(len(run)) if i not in gone))
    letters = set().union(*(run.data[i] for i in deleted)) - kept
    return "".join(sorted(letters & set(run.initial.vocabulary)))


def unused(run, deleted):
    """Deleted documents that no step trains on."""
    used = set().union(*(run.examples_of(step).tolist() for step in range(run.steps)))
    return [i for i in deleted if i not in used]


def parameters_digest(model):
    """The SHA-256 sum of a model's parameters by name."""
    return digest({name: np.asarray(value) for name, value in model.parameters.items()})


def independent(run, deleted, retrained, progress):
    """Whether retraining is the same, bit for bit, with another document in place of each deleted.

    True: nothing that these documents hold is in the retrained model. False: something is, as where
    losses of a batch depend on each other. None: there is no other document that differs from all
    of them. It costs one training.
    """
    sums = {digest(run.data[i]) for i in deleted}
    gone = set(deleted)
    others = (i for i in range(len(run)) if i not in gone and digest(run.data[i]) not in sums)
    other = next(others, None)
    if other is None:
        return None
    probe = copy.copy(run)
    probe.data = np.copy(run.data) if isinstance(run.data, np.ndarray) else list(run.data)
    for i in deleted:
        probe.data[i] = run.data[other]
    kept, state = 1.0 - run.indicator(deleted), InPlace(run.initial.parameters, np.copy)
    try:
        with np.errstate(all="ignore"), progress_bar(run.steps, progress) as bar:
            for _ in probe.walk(state, lambda i: kept[i]):
                bar.update()
    except FloatingPointError:  # a loss that was finite is not any more
        return False
    return np.array_equal(state.flat, Flat.of(retrained.parameters).flat(retrained.parameters))


def versions():
    """Versions of what the numbers were computed by."""
    found = {"sketchlab": importlib.import_module("sketchlab").__version__}
    found |= {name: metadata.version(name) for name in ("numpy", "scipy")}
    return found | {"Python": platform.python_version()}
