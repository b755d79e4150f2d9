"""What is asked of every method on a scoreboard, and the evidence that several of them use.

A `Task` makes each piece of evidence once: retrainings, sketches, gradients. Its seconds count for
every method that uses it, as each would have to make it if it stood alone.
"""

import dataclasses
import time

import numpy as np

from ..arguments import (
    check_flag,
    check_list,
    check_predictor,
    check_text,
    dict_of,
    function_of,
    instance,
    list_of,
    one_of,
    takes,
)
from ..checks import check_choice, check_count, check_not_negative, check_seed
from .projections import LINKS
from .rankings import scaled
from .retraining import check_task, find, random_deletions, retrained
from .scoreboard import total_cost
from .semivalues import random_halves

TUNING = 24  # retrainings to choose settings by
ROUNDS = 20  # of draws, for deletions that are not asked about
FEWEST = 4  # different deletions that something can be learned from
STREAMS = {name: i + 1 for i, name in enumerate(("tuning", "matched", "halves", "points"))}


@dataclasses.dataclass(frozen=True)
class Made:
    """What a method made for a task.

    predictors: a list of one per output, or such lists by name of group. cost: in trainings, None:
    that of the predictors. settings: what was chosen, in words. predict: settings of `predict`.
    """

    predictors: list | dict
    cost: float | None = None
    settings: str = ""
    predict: dict = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        if self.cost is not None:
            check_not_negative(self.cost, "cost")
        named = isinstance(self.predictors, dict)
        for one in self.predictors.values() if named else [self.predictors]:
            list_of(check_predictor)(one, "predictors")
        instance(dict)(self.predict, "predict")

    @property
    def each(self):
        """All predictors, in one list."""
        lists = self.predictors.values() if isinstance(self.predictors, dict) else [self.predictors]
        return [one for found in lists for one in found]


def _rows(units, given):
    """Down-weights (points, units), from such an array or from a list of lists of units."""
    if not isinstance(given, np.ndarray):
        given = check_list(given, "deletions")
    if isinstance(given, np.ndarray) or all(isinstance(row, np.ndarray) for row in given):
        return np.atleast_2d(units.down_weights(None, given))
    if not all(isinstance(row, (list, tuple, set, range)) for row in given):
        raise TypeError(
            "deletions must be an array of down-weights, (points, units), or a list of deletions, "
            f"each a list of units, such as [[3, 4], [5]], not {given!r}"
        )
    return units.down_weights([list(row) for row in given], None)


class Task:
    """A training run, outputs, and groups of deletions by name.

    groups: of each name down-weights, (points, units), or a list of deletions, each a list of units
    by number or label. units: groups of documents deleted together (see `Units`). directions: of
    sketches (default: half as many as units). trainings: random retrainings to learn from (default:
    two for each unit). tuning: retrainings that settings are chosen by. link: what loss it is, see
    `trak` (None: known of microgpt alone). jobs: processes. seed: of all draws.
    """

    @takes(groups=instance(dict))
    def __init__(
        self, run, outputs, groups, *, units=None, directions=None, trainings=None, tuning=TUNING,
        link=None, jobs=1, seed=0, progress=True,
    ):  # fmt: skip
        self.units = check_task(run, outputs, units)
        n = len(self.units)
        self.run, self.outputs, self.asked = run, list(outputs), units
        self.groups = {str(name): _rows(self.units, rows) for name, rows in groups.items()}
        self.directions = check_count(
            max(2, n // 2) if directions is None else directions, "directions"
        )
        self.trainings = check_count(2 * n if trainings is None else trainings, "trainings")
        self.tunings = check_count(tuning, "tuning")
        self.seed = check_seed(seed)
        self.link = None if link is None else check_choice(link, LINKS, "link")
        self.work = {"jobs": jobs, "progress": progress}
        self.quiet = {"progress": progress}
        self._made, self._open = {}, []

    @property
    def deletions(self):
        """Those of all groups, (points, units)."""
        return np.concatenate(list(self.groups.values()))

    @property
    def deleted(self):
        """How many units the asked deletions touch, sorted."""
        return np.sort(np.count_nonzero(self.deletions, axis=1))

    @takes(name=check_text, make=function_of(0))
    def once(self, name, make):
        """make(), called when it is first asked for under this name."""
        if name not in self._made:
            value, seconds, uses = self._clocked(make)
            self._made[name] = value, seconds, uses | {name}
        value, _, uses = self._made[name]
        if self._open:
            self._open[-1][0].update(uses)
        return value

    @takes(make=function_of(0))
    def timed(self, make):
        """make(), and the wall-clock seconds of the evidence that it used, and of the rest."""
        value, rest, uses = self._clocked(make)
        return value, sum(self._made[name][1] for name in uses), rest

    def _clocked(self, make):
        """make(), its seconds without those of the evidence made meanwhile, and what it used."""
        self._open.append([set(), 0.0])
        start = time.perf_counter()
        try:
            value = make()
        finally:
            total = time.perf_counter() - start
            uses, others = self._open.pop()
            if self._open:
                self._open[-1][1] += total
        return value, total - others, uses

    @takes(stream=one_of(*STREAMS))
    def rng(self, stream):
        """The generator of one kind of draws."""
        return np.random.default_rng([self.seed, STREAMS[stream]])

    def retrained(self, deletions):
        """Outputs after exact retrainings: a list of `Retrained`."""
        return retrained(self.run, self.outputs, deletions, units=self.asked, **self.work)

    @takes(count=check_count, stream=one_of(*STREAMS))
    def random(self, count, stream):
        """Random deletions of as many units as the asked ones have, (count, units)."""
        return self._sized(self.deleted, count, self.rng(stream))

    def _sized(self, sizes, count, rng):
        return random_deletions(len(self.units), rng.choice(sizes, count), rng)

    @property
    def tuning(self):
        """Retrainings to choose settings by, after other deletions than the asked ones.

        Of as many units as the asked ones have; where no such deletion is left, of twice as many,
        or of half as many.
        """
        return self.once("tuning", lambda: self.retrained(self._for_tuning()))

    def _for_tuning(self):
        most, rng = max(1, len(self.units) - 1), self.rng("tuning")
        others = (np.clip(sizes, 1, most) for sizes in (2 * self.deleted, self.deleted // 2))
        for sizes in (self.deleted, *others):
            drawn = self._sized(sizes, ROUNDS * self.tunings, rng)
            left = drawn[find(drawn, self.deletions) < 0]
            if len(left):
                return left[: self.tunings]
        raise ValueError(
            "settings are chosen by other deletions than those that are asked about, and of their "
            "sizes, twice them, and half of them none is left: ask about fewer deletions"
        )

    @property
    def singles(self):
        """Retrainings without each unit alone."""
        return self.once("singles", lambda: self.retrained(np.eye(len(self.units))))

    @property
    def matched(self):
        """Retrainings after random deletions of the asked sizes, but not the asked ones."""
        rng = self.rng("matched")
        return self._learned("matched", lambda: self._sized(self.deleted, self.trainings, rng))

    @property
    def halves(self):
        """Retrainings without random halves, but not the asked deletions.

        Every unit is deleted with probability 1/2.
        """
        rng, shape = self.rng("halves"), (len(self.units), self.trainings)
        return self._learned("halves", lambda: random_halves(*shape, rng))

    def _learned(self, name, draw):
        return self.once(name, lambda: self.retrained(unasked(self, draw)))

    @takes(candidates=dict_of(function_of(0)), rank=check_flag)
    def tuned(self, candidates, *, rank=False):
        """The candidate with the least error after the tuning deletions: `Made`.

        candidates: functions that make predictors, by what they are called. rank: they are proposed
        for rankings, without a scale: one is fitted, on the same retrainings. All candidates are
        paid for. Those that fail are passed over; the error of the last is raised if none is left.
        """
        known, cost, found, failed = self.tuning, len(self.tuning[0]), {}, None
        for name, make in candidates.items():
            try:
                predictors = make()
                cost += total_cost(predictors)
                if rank:
                    predictors = scaled(predictors, known)
                error = np.mean(
                    [self._error(*pair) for pair in zip(predictors, known, strict=True)]
                )
            except (ArithmeticError, RuntimeError, ValueError) as why:
                failed = why
                continue
            found[name] = float(error), predictors
        if not found:
            raise failed
        best = min(found, key=lambda name: found[name][0])
        return Made(found[best][1], cost, best)

    @staticmethod
    def _error(predictor, known):
        return np.mean((predictor.predict(known.deletions).value - known.values) ** 2)


def unasked(task, draw):
    """Deletions that are not asked about, as many as one draw has, (count, units).

    What is predicted after a deletion that was retrained is its exact value: a method that learns
    from the asked ones would be judged by what it was told. draw: a function that returns random
    deletions; it is called again in place of those that are asked about. ValueError if too few
    others, or fewer than `FEWEST` different ones, are found so.
    """
    drawn = draw()
    count, left = len(drawn), drawn[find(drawn, task.deletions) < 0]
    if len(left) == count:
        return drawn
    for _ in range(1, ROUNDS):
        if len(left) >= count:
            break
        drawn = draw()
        left = np.concatenate([left, drawn[find(drawn, task.deletions) < 0]])
    left = left[:count]
    different = len(np.unique(left, axis=0))
    if len(left) < count or different < min(FEWEST, count):
        raise ValueError(
            f"too few deletions are left to learn from: of {count} random ones, {len(left)} were "
            f"found that are not asked about, {different} of them different. Ask about fewer "
            "deletions, or about other sizes as well"
        )
    return left
