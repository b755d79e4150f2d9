"""Models of one training run under many seeds, side by side: originals, and oracles.

Only the initial parameters depend on the seed; the order of the documents is that of the run.
"""

import dataclasses

import numpy as np

from ..arguments import check_function, check_list, takes
from ..checks import check_count, check_indices, check_seed
from ..progress import progress_bar
from ..training.microgpt import MicroGPT
from ..training.models import Flat, initial_parameters
from ..training.optimizers import InPlace
from ..training.runs import BATCH, TrainingRun
from .documents import check_examples
from .metrics import margins

CERTAIN = 2.0**-53  # 1 - p, below which p rounds to 1


@dataclasses.dataclass(frozen=True, eq=False)
class Models:
    """Models of one run, one for each seed.

    run: the training run that they are of. seeds: of their initial parameters. starts: these,
    (models, P). flat: their parameters, (models, P). without: which documents were left out.
    cost: what each took, in trainings of the run. steps: how many changed it, after training.
    origin: the models that these were unlearned from.
    """

    run: TrainingRun
    seeds: tuple
    starts: np.ndarray
    flat: np.ndarray
    without: tuple = ()
    cost: float = 1.0
    steps: np.ndarray = 0
    origin: "Models | None" = None

    def __len__(self):
        return len(self.flat)

    def __repr__(self):
        trainings = "1 training" if self.cost == 1 else f"{self.cost:.3g} trainings"
        said = f"Models({len(self)} seeds, {trainings} each"
        if self.origin is not None:
            said += f", {np.count_nonzero(~self.moved)} not moved"
        if np.any(self.diverged):
            said += f", {np.count_nonzero(self.diverged)} diverged"
        return said + ")"

    @property
    def model(self):
        """All of them as one model, whose losses have shape (models,)."""
        axis = Flat.of(self.run.initial.parameters)
        return self.run.initial.with_parameters(axis.named(self.flat))

    @property
    def diverged(self):
        """Which have parameters that are not finite, (models,)."""
        return ~np.all(np.isfinite(self.flat), axis=1)

    @property
    def moved(self):
        """Which differ from the models that they were unlearned from, (models,)."""
        if self.origin is None:
            raise ValueError("these models were trained, not unlearned: there is nothing to move")
        return np.any(self.flat != self.origin.flat, axis=1)

    def losses(self, examples):
        """Their losses on some examples, (models, examples)."""
        check_examples(examples)
        with np.errstate(all="ignore"):
            return self.model.losses(examples)

    def margins(self, examples):
        """Log odds of what is right, (models, predictions): see `metrics.margins`.

        Of microgpt, for every next letter of the documents, one after the other. Of another model,
        for every example, from its loss, which must be -log p of the right class: ValueError if one
        is negative. A loss below `CERTAIN`, such as 0, counts as that, as rounding may have taken
        the rest: no margin is above 36.7.
        """
        check_examples(examples)
        model = self.model
        with np.errstate(all="ignore"):
            if isinstance(model, MicroGPT):
                sequences = [model.sequence(doc) for doc in examples]
                found = [margins(model.logits(read), right) for read, right in sequences]
                return np.concatenate(found, axis=1)
            losses = model.losses(examples)
            if np.any(losses < 0):
                raise ValueError(
                    f"a loss of {np.nanmin(losses):.3g} is not -log p of a class, so there are no "
                    "margins: they are defined for classification"
                )
            losses = np.maximum(losses, CERTAIN)
            return -losses - np.log(-np.expm1(-losses))


@takes(initial=check_function)
def train_seeds(run, seeds, *, without=(), initial=None, progress=True):
    """Train a run again from other initial parameters: `Models`.

    run: a training run. seeds: how many, or which. without: numbers of the examples to leave out:
    these models are oracles. initial: the parameters by name, as a function of the seed; not needed
    for microgpt.
    Raises FloatingPointError, in words, if training diverges under a seed.
    """
    given, one = seeds, isinstance(seeds, (int, float, np.integer))
    seeds = range(check_count(seeds, "seeds")) if one else seeds
    seeds = tuple(check_seed(seed) for seed in check_list(seeds, "seeds, if not how many,"))
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds must be different numbers, one or more, not {given!r}")
    begin = starts(run, seeds, initial)
    without = tuple(check_indices(without, len(run)).tolist())
    kept, flat = 1.0 - run.indicator(list(without)), begin.copy()
    batches = [slice(i, i + BATCH) for i in range(0, len(seeds), BATCH)]
    with np.errstate(all="ignore"), progress_bar(run.steps * len(batches), progress) as bar:
        for rows in batches:
            state = InPlace(run.initial.parameters, lambda _, rows=rows: flat[rows])
            weights = np.tile(kept, (len(flat[rows]), 1))
            try:
                for _ in run.walk(state, lambda i, weights=weights: weights[:, i]):
                    bar.update()
            except FloatingPointError as error:
                raise FloatingPointError(
                    f"training diverges from the initial parameters of one or more of the seeds "
                    f"{list(seeds[rows])}: lower the learning rate, or leave them out ({error})"
                ) from error
    broken = [seed for seed, row in zip(seeds, flat, strict=True) if not np.isfinite(row).all()]
    if broken:
        raise FloatingPointError(
            f"training diverges from the initial parameters of seeds {broken}: lower the learning "
            "rate, or leave these seeds out"
        )
    return Models(run, seeds, begin, flat, without)


@takes(initial=check_function)
def reseeded(run, seed, *, initial=None, progress=True):
    """The same training from the initial parameters of another seed: a training run.

    initial: as in `train_seeds`.
    """
    start = Flat.of(run.initial.parameters).named(_start(run, check_seed(seed), initial))
    settings = {"optimizer": run.optimizer, "steps": run.steps, "batch_size": run.batch_size}
    return type(run)(run.initial.with_parameters(start), run.data, **settings, progress=progress)


def loss_of(run, parameters, i):
    """The loss on document i of a run under models with these parameters, (models,)."""
    return run.initial.with_parameters(parameters).losses(run.examples([i]))[..., 0]


def starts(run, seeds, initial=None):
    """The initial parameters of some seeds, (seeds, P)."""
    return np.array([_start(run, seed, initial) for seed in seeds])


def _start(run, seed, initial):
    """The flat initial parameters of a seed, (P,)."""
    if initial is None and not hasattr(run.initial, "fresh"):
        raise TypeError(
            "this kind of model has no seed: give initial=, a function of the seed that returns "
            "the initial parameters by name"
        )
    model = run.initial
    fresh = model.fresh(seed) if initial is None else model.with_parameters(initial(seed))
    found = initial_parameters(fresh)
    if {k: v.shape for k, v in found.items()} != {k: v.shape for k, v in model.parameters.items()}:
        raise ValueError(f"the initial parameters of seed {seed} have other names or shapes")
    return Flat.of(model.parameters).flat(found)
