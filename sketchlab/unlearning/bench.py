"""A bench: what unlearning methods make of one forget set, judged by every measure beside its null.

All distributions are those over seeds. Unlearned models are compared with oracles of *other* seeds:
against oracles of their own seeds they would be alike by their common start, and score below the
null. Only the verification error is by seed.
"""

import numpy as np

from ..arguments import check_flag, check_text, instance, one_of, takes
from ..checks import LARGEST, brief, check_count, check_seed
from . import metrics
from .documents import forget_set, same_run, unseen_documents
from .methods import unlearn
from .population import Models, starts, train_seeds
from .ways import way_of

RETAINED = 60  # documents of the retain set that margins are compared on
SPLITS = 40  # of the null
PARTS = ("forget", "retain", "unseen")
DISTANCES = ("klom", "klom95", "wasserstein")
WIDE = np.array([5.0, 95.0])  # percentiles of the null's range


class Bench:
    """Originals and oracles of a run for one forget set, and a table of methods.

    run: a training run. without: numbers of the documents to forget. unseen: documents that were
    never trained on. seeds: how many originals; as many oracles of the same seeds are trained, and
    as many of other seeds. retained: how many documents of the retain set are looked at, drawn by
    `seed`. initial: see `train_seeds`. originals: these, if they are trained already, instead of
    `seeds`. splits: of the oracles, from which the null is taken.

    table: a list of dictionaries, one per method: "method", "cost" and "steps" (mean), "moved" and
    "diverged" (how many models), "klom", "klom95" (mean and 95th percentile over predictions) and
    "wasserstein" (mean, nats), each by part of `PARTS`; "losses" by part (mean, nats);
    "loss_attack" and "lira" (`Attack`), and "verification_error" (mean and standard error). A
    method with models that diverged has no scores. null: the range of "klom", "klom95" and
    "wasserstein" by part between oracles, low, mean and high.
    """

    @takes(splits=check_count)
    def __init__(
        self, run, without, unseen, *, seeds=100, retained=RETAINED, initial=None, seed=0,
        originals=None, splits=SPLITS, progress=True,
    ):  # fmt: skip
        if originals is not None:
            check_originals(run, originals)
            seeds = len(originals)
        if check_count(seeds, "seeds") < metrics.FEWEST:
            raise ValueError(
                f"{seeds} seeds are too few to compare distributions: give {metrics.FEWEST} or "
                "more (100 are usual)"
            )
        forget, unseen = forget_set(run, without), unseen_documents(run, unseen)
        self.run, self.progress = run, progress
        self.without = tuple(np.flatnonzero(forget).tolist())
        self.splits = check_count(splits, "splits")
        check_count(retained, "retained")
        check_seed(seed)
        others = np.setdiff1d(np.arange(len(run)), self.without)
        drawn = np.random.default_rng(seed).permutation(others)[:retained]
        self.parts = {
            "forget": run.examples(list(self.without)),
            "retain": run.examples(list(np.sort(drawn))),
            "unseen": unseen,
        }
        settings = {"initial": initial, "progress": progress}
        self.originals = train_seeds(run, seeds, **settings) if originals is None else originals
        if not np.array_equal(starts(run, range(seeds), initial), self.originals.starts):
            raise ValueError(
                "the originals started from other parameters than their seeds give here: give the "
                "initial= that they were trained with"
            )
        self.same = train_seeds(run, seeds, without=self.without, **settings)
        self.oracles = train_seeds(run, range(seeds, 2 * seeds), without=self.without, **settings)
        self._margins = {
            part: tuple(models.margins(docs) for models in (self.same, self.oracles))
            for part, docs in self.parts.items()
        }
        self._members = self.originals.margins(self.parts["forget"])
        self.null = {part: self._null(part) for part in PARTS}
        self.table = []

    @takes(part=one_of(*PARTS), same=check_flag)
    def margins_of_oracles(self, part, *, same=False):
        """Margins of the oracles of other seeds, or of the same, (models, predictions)."""
        return self._margins[part][0 if same else 1]

    def way(self, method, stops, **settings):
        """What a method does to the originals along its way: a `Way`. See `path`."""
        return way_of(self, method, stops, progress=self.progress, **settings)

    @takes(name=check_text)
    def add(self, method, *, name=None, **settings):
        """Unlearn by a method, with its settings, and add its row; returns the models."""
        models = unlearn(self.originals, self.without, method, progress=self.progress, **settings)
        self.table.append({"method": name or method, **self.scores(models)})
        return models

    @takes(models=instance(Models))
    def scores(self, models):
        """The scores of some models of the originals' seeds; ValueError for others."""
        if models.seeds != self.originals.seeds or not same_run(models.run, self.run):
            raise ValueError(
                "a bench scores models of the run and the seeds of its originals: unlearn these, "
                "bench.originals"
            )
        found = {
            "cost": models.cost,
            "steps": float(np.mean(models.steps)),
            "moved": len(models) if models.origin is None else int(np.sum(models.moved)),
            "diverged": int(np.sum(models.diverged)),
        }
        if found["diverged"]:
            return found
        margins = {part: models.margins(docs) for part, docs in self.parts.items()}
        found["diverged"] = count_not_finite({**margins, "weights": models.flat})
        if found["diverged"]:
            return found
        errors = metrics.verification_error(models.flat, self.same.flat)
        losses = {part: models.losses(docs) for part, docs in self.parts.items()}
        found |= self.distances(margins)
        found["losses"] = {part: float(values.mean()) for part, values in losses.items()}
        found["loss_attack"] = metrics.loss_attack(losses["forget"], losses["unseen"])
        found["lira"] = self._lira(margins["forget"])
        found["verification_error"] = float(errors.mean()), _standard_error(errors)
        return found

    def distances(self, margins):
        """How far margins, by part, are from the oracles': every distance by part."""
        if not isinstance(margins, dict) or set(margins) < set(PARTS):
            raise TypeError(f"margins must be a dict with {', '.join(PARTS)}, not {brief(margins)}")
        found = {part: _distances(margins[part], self.margins_of_oracles(part)) for part in PARTS}
        return {name: {part: found[part][name] for part in PARTS} for name in DISTANCES}

    def _lira(self, margins):
        half = len(self.oracles) // 2
        oracles = self.margins_of_oracles("forget")
        return metrics.lira(margins, self._members, oracles[:half], oracles[half:])

    def _null(self, part):
        """Low, mean and high of every distance between oracles, by name."""
        both = np.concatenate(self._margins[part])
        rng, found = np.random.default_rng(0), []
        for _ in range(self.splits):
            first, second = np.split(both[rng.permutation(len(both))], 2)
            found.append(_distances(first, second))
        return {name: _range([one[name] for one in found]) for name in found[0]}


def check_originals(run, originals):
    """Raise TypeError or ValueError for what are no originals of seeds 0, 1, ... of this run."""
    if not isinstance(originals, Models):
        raise TypeError(f"originals must be Models, from train_seeds, not {originals!r}")
    if originals.seeds != tuple(range(len(originals))) or not same_run(originals.run, run):
        raise ValueError("originals must be train_seeds(run, count) of this same run")
    if originals.without or originals.origin is not None or np.any(originals.diverged):
        raise ValueError("originals must be models that were trained on all documents")


def count_not_finite(parts):
    """How many models have values, by part, that are not all finite: they diverged."""
    bad = [~np.all(np.abs(values) <= LARGEST, axis=1) for values in parts.values()]
    return int(np.count_nonzero(np.any(bad, axis=0)))


def _distances(margins, oracles):
    klom = metrics.klom(margins, oracles)
    return {
        "klom": float(klom.mean()),
        "klom95": float(np.percentile(klom, 95)),
        "wasserstein": float(metrics.wasserstein(margins, oracles).mean()),
    }


def _range(values):
    low, high = np.percentile(values, WIDE)
    return float(low), float(np.mean(values)), float(high)


def _standard_error(values):
    return float(np.std(values, ddof=1) / np.sqrt(len(values)))
