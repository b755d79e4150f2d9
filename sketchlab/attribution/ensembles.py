"""Several models of one kind: the run's own, given ones, or some trained on random halves."""

import dataclasses

import numpy as np

from ..algebra.jet import Jet
from ..arguments import takes
from ..checks import check_count, check_seed
from ..training.models import Flat


@dataclasses.dataclass(frozen=True, eq=False)
class Ensemble:
    """Models trained on parts of the documents of a run.

    model: a batch of them. kept: which documents each was trained on, (models, n). cost: what
    they took, in trainings.
    """

    model: object
    kept: np.ndarray
    cost: float

    def __len__(self):
        return len(self.kept)


@takes(count=check_count)
def halves(run, count, *, seed=0, progress=True):
    """Models trained on random halves of the documents of a run: an `Ensemble`.

    Each is trained as the run was, from the same initial parameters, without n - n // 2 documents
    drawn at random. count: models, each of which costs one training. seed: of the draws.
    """
    count, rng = check_count(count, "count"), np.random.default_rng(check_seed(seed))
    kept = np.zeros((count, len(run)), bool)
    for row in kept:
        row[rng.choice(len(run), len(run) // 2, replace=False)] = True
    if not kept.any():
        raise ValueError("there is no half of one document: give a run on two or more")
    model = run.retrain(down_weights=1.0 - kept, progress=progress)
    return Ensemble(model, kept, float(count))


def parameters_of(run, models=None, *, seed=0, progress=True):
    """Parameters of models on the flat axis, (models, P), and the trainings that they took.

    models: None, the trained model of the run; a number of `halves`; an `Ensemble`; a model, or a
    batch of them, or a list of these, whose trainings are not counted: others have counted them.
    Raises TypeError or ValueError for what has not the parameters of the run's model.
    """
    if isinstance(models, (int, np.integer)) and not isinstance(models, bool):
        models = halves(run, models, seed=seed, progress=progress)
    cost = models.cost if isinstance(models, Ensemble) else 0.0
    if models is None:
        models = run.model
    models = models.model if isinstance(models, Ensemble) else models
    listed = list(models) if isinstance(models, (list, tuple)) else [models]
    if not listed:
        raise ValueError("there are no models: give at least one, or None for that of the run")
    return np.concatenate([_flat(run, model) for model in listed]), cost


def _flat(run, model):
    """The parameters of one model or of a batch, (models, P)."""
    named, axis = getattr(model, "parameters", None), Flat.of(run.initial.parameters)
    if not isinstance(named, dict):
        raise TypeError(
            "models must be None, a number of models to train on random halves, a model such as "
            f"run.retrain(...) gives, or a list of models, not {model!r}"
        )
    for name, shape in axis.shapes.items():
        value = named.get(name)
        if isinstance(value, Jet) or value is None or len(named) != len(axis.shapes):
            raise ValueError(f"a model must have the run's parameters, as numbers, not {model!r}")
        own = np.shape(value)[np.ndim(value) - len(shape) :]
        if own != shape or np.ndim(value) < len(shape):
            raise ValueError(
                f"parameter {name!r} of a model has shape {np.shape(value)}, that of the run's "
                f"model {shape}: give models of the run's kind"
            )
    flat = axis.flat(named).reshape(-1, axis.size)
    if np.iscomplexobj(flat) or not np.all(np.isfinite(flat)):
        raise ValueError("the parameters of a model must be finite real numbers")
    return flat
