"""Every method beside exact retraining: how far off it is, and what it cost.

A `Scoreboard` has a training run, some outputs, and groups of deletions, and retrains after all of
them. A method is a list of predictors, one per output: anything with `predict(down_weights)`, which
gives a `Prediction`, and `cost`. Its row says, for every group,

    rmse: root mean square of predicted - true, over deletions and outputs
    lds: Spearman's correlation of predicted and true over the deletions, mean over the outputs
    inside: share of truths inside the 90% band; unknown: share of bands that are infinite
    width: mean width of the other bands
    interval: mean interval score of the other bands (Gneiting and Raftery 2007): the width, and
        2 / 0.1 times the distance of a truth that lies outside. Low where bands are both narrow
        and right: for a known distribution, the band from its 5% to its 95% quantile is best

and, with 90% intervals "rmse_band" and so on, how sure these are, `bias` and `scale`: see
`uncertainty`. Infinite bands hold every truth, so `inside` means little where `unknown` is large.

Costs are in trainings of one model, in all for the outputs of the table, as counted by what spent
them: a retraining or an anchor is 1; a direction, or a deletion that a jet of degree K is pushed
along, is the (K+1)(K+2)/2 products of two such jets; one exact first-order pass is two trainings
forward, and in each step back one gradient and, for every output, a jet of degree 1, which is 3.
Retrainings and jets serve all outputs, and count once; derivatives serve their own output.
"""

import numpy as np

from ..arguments import check_dict, check_predictor, check_text, instance, list_of, of_shape, takes
from ..checks import check_count, check_not_negative
from ..estimation.prediction import COVERAGE, Prediction
from ..estimation.units import Units
from ..training.reverse import value_of
from .retraining import Retrained, check_task, effects, retrained
from .tables import Shown
from .uncertainty import floor, rank_correlations, shuffled, uncertain

SAME = 1e-6  # relative difference of outputs at the trained model
ROUNDING = 1e-9  # relative to the largest truth: a known value has a band without any width


class Scoreboard(Shown):
    """A table of methods against exact retraining.

    run: a training run. outputs: a list of functions of a model that return one number. groups:
    down-weights of the units by name of the group, each (points, units). units: groups of documents
    deleted together (see `Units`). exact: the truth, if it is known already: a list of `Retrained`,
    one for each output, after the deletions of all groups in order; ValueError for any other.
    jobs: processes to use. seed: of the bootstrap.

    deletions: those of all groups, (points, units). truth: arrays (points, outputs) by group.
    table: a list of dictionaries, one for each method: "method", "cost", "seconds" where they
    were measured, and the scores by group. predicted: by method, arrays (points, outputs) by group.
    """

    @takes(groups=check_dict, exact=list_of(instance(Retrained)))
    def __init__(
        self, run, outputs, groups, *, units=None, exact=None, jobs=1, seed=0, progress=True
    ):
        self.units = check_task(run, outputs, units)
        self.run, self.outputs, self.seed = run, list(outputs), seed
        self.work = {"units": units, "jobs": jobs}
        self.groups = {
            str(name): np.atleast_2d(self.units.down_weights(None, rows))
            for name, rows in groups.items()
        }
        self.deletions = np.concatenate(list(self.groups.values()))
        if exact is None:
            exact = retrained(
                run, outputs, self.deletions, units=units, jobs=jobs, progress=progress
            )
        else:
            self._check_exact(exact)
        self.exact = exact
        self.truth = self._by_group(self.exact)
        self.table, self.predicted = [], {}

    def _check_exact(self, exact):
        """Raise ValueError for a truth of other outputs, deletions, units or another run."""
        if len(exact) != len(self.outputs):
            raise ValueError(f"exact has {len(exact)} outputs, and {len(self.outputs)} are given")
        for number, (one, output) in enumerate(zip(exact, self.outputs, strict=True)):
            what = f"number {number} of exact"
            self._check_units(what, one.units)
            _check_now(what, one.now, value_of(output, self.run.model))
            if not np.array_equal(one.deletions, self.deletions):
                raise ValueError(
                    f"{what} is known after other deletions than those of the groups, or in "
                    "another order: make it by retrained(run, outputs, deletions), with the rows "
                    "of all groups one after the other"
                )

    def _check_units(self, what, units):
        """Raise ValueError for units that are not those of the scoreboard."""
        if not np.array_equal(units.of_document, self.units.of_document):
            raise ValueError(
                f"{what} has {len(units)} units that are not the {len(self.units)} of the "
                "scoreboard: make it with the same units="
            )

    def _by_group(self, exact):
        values = np.stack([one.values for one in exact], axis=-1)
        ends = np.cumsum([len(rows) for rows in self.groups.values()])
        return dict(zip(self.groups, np.split(values, ends[:-1]), strict=True))

    @takes(method=check_text, seconds=check_not_negative, about=instance(dict))
    def add(self, method, predictors, *, seconds=None, about=None, **settings):
        """Add the row of a method to the table and return it.

        predictors: a list of one per output; or such lists by name of group, if each group has its
        own: the groups that have none are left out. seconds: what they took, in seconds of one
        core, if that was measured. about: more fields of the row, and its "cost" if that is not
        what the predictors say. settings: for their `predict`. Raises ValueError for predictors
        that are of other units, outputs or runs.
        """
        if not isinstance(predictors, dict):
            predictors = dict.fromkeys(self.groups, predictors)
        by_group = {str(name): found for name, found in predictors.items()}
        for name, found in by_group.items():
            if name not in self.groups:
                raise ValueError(f"there is no group {name!r}, only {', '.join(self.groups)}")
            found = list_of(check_predictor)(found, "predictors")
            if len(found) != len(self.exact):
                raise ValueError(
                    f"{method!r} has {len(found)} predictors for {len(self.exact)} outputs: give "
                    "one for each"
                )
            for number, one in enumerate(found):
                units = getattr(getattr(one, "known", one), "units", None)
                if isinstance(units, Units):  # what is not of this package need not have them
                    self._check_units(f"predictor {number} of {method!r}", units)
        cost = total_cost([one for found in by_group.values() for one in found])
        row = {"method": method, "cost": cost}
        if seconds is not None:
            row["seconds"] = seconds
        row |= about or {}
        values = {}
        for name, found in by_group.items():
            predictions = [one.predict(self.groups[name], **settings) for one in found]
            for number, (one, exact) in enumerate(zip(predictions, self.exact, strict=True)):
                _check_now(f"predictor {number} of {method!r}", one.now, exact.now)
            row[name] = scores(self.truth[name], predictions)
            value = values[name] = np.stack([one.value for one in predictions], axis=-1)
            now = [one.now for one in self.exact]
            row[name] |= uncertain(self.truth[name], value, now, seed=self.seed)
        self.predicted[method] = values
        self.table.append(row)
        return row

    def add_no_change(self):
        """Add and return the row of "no change": nothing is predicted, and so has no LDS."""
        row = self.add("no change", [effects(one, 0) for one in self.exact])
        for name in self.groups:
            for score in ("lds", "lds_band"):
                row[name].pop(score, None)
        return row

    @takes(draws=check_count)
    def add_random_ranking(self, *, draws=1000):
        """Add and return the row of random rankings, with the band of 90% of these draws."""
        found = {
            name: shuffled(truth, draws=draws, seed=self.seed) for name, truth in self.truth.items()
        }
        self.table.append({"method": "random ranking", "cost": 0, **found})
        return self.table[-1]

    @takes()
    def add_noise_floor(self, runs, *, progress=True):
        """Add and return the row of exact retraining from other initial parameters.

        runs: other training runs on the same data. What no method can be asked to better, if the
        initial parameters are not known. The cost is of these runs and all their retrainings.
        TypeError or ValueError for runs that are none, or that are on other data or no others.
        """
        if not isinstance(runs, (list, tuple)) or not runs:
            raise TypeError(f"runs must be a list of other training runs, not {runs!r}")
        for run in runs:
            check_task(run, self.outputs, self.work["units"])
            if not _same_data(run.data, self.run.data):
                raise ValueError("a run was on other data: train it on those of the scoreboard")
        others = [
            self._by_group(
                retrained(run, self.outputs, self.deletions, **self.work, progress=progress)
            )
            for run in runs
        ]
        every = [self.truth, *others]
        for i, one in enumerate(every):
            if any(all(np.array_equal(one[g], two[g]) for g in one) for two in every[:i]):
                raise ValueError(
                    "two runs give the same outputs after every deletion: give runs from other "
                    "initial parameters than the scoreboard's, each from its own"
                )
        found = {g: floor(self.truth[g], [one[g] for one in others]) for g in self.groups}
        cost = len(runs) * (1 + len(self.deletions))
        self.table.append({"method": "noise floor", "cost": cost, **found})
        return self.table[-1]


@takes(predictors=list_of(check_predictor, least=0))
def total_cost(predictors):
    """What several predictors took together, in trainings.

    Predictors with the same directions, or made from jets along or retrainings after the same
    deletions, share these: the dearest of them is counted. Others are added up, and so are the
    derivatives that each output has of its own.
    """
    spent = {}

    def spend(source, cost):
        spent[source] = max(cost, spent.get(source, 0))

    for one in predictors:
        source, own = id(one), 0
        if hasattr(one, "directions"):
            source, own = id(one.directions), one.gradient_cost
            for point, row in zip(one.gradient_points, one.gradients, strict=True):
                key = (source, point.tobytes(), row.tobytes())  # the same output may come twice
                spend(key, own / len(one.gradients))
        elif hasattr(one, "deletions"):
            source = one.deletions.tobytes()
        spend(source, one.cost - own)
    return sum(spent.values())


@takes(truth=of_shape(None, None), predictions=list_of(instance(Prediction)))
def scores(truth, predictions):
    """The scores of the module, as a dictionary of numbers.

    truth: (points, outputs). predictions: a `Prediction` of all points for every output.
    "lds" is there for three or more deletions; an output that is the same after all of them has no
    order and is left out, one that is predicted to be the same counts 0. "width" and "interval" are
    there if any band is finite.
    """
    value, error, low, high = (
        np.stack([getattr(one, part) for one in predictions], axis=-1)
        for part in ("value", "error", "low", "high")
    )
    if value.shape != np.shape(truth):
        raise ValueError(f"truths of shape {np.shape(truth)} and predictions {value.shape} differ")
    slack = ROUNDING * np.abs(truth).max(axis=0)
    unknown = ~np.isfinite(error) | ~np.isfinite(high - low)
    found = {
        "rmse": float(np.sqrt(np.mean((value - truth) ** 2))),
        "inside": float(np.mean((low - slack <= truth) & (truth <= high + slack))),
        "unknown": float(np.mean(unknown)),
    }
    if not np.all(unknown):
        width = (high - low)[~unknown]
        miss = np.maximum(np.maximum(low - truth, truth - high)[~unknown], 0.0)
        found["width"] = float(np.mean(width))
        found["interval"] = float(np.mean(width + 2 / (1 - COVERAGE) * miss))
    (ranked,) = rank_correlations(np.asarray(truth)[None], value[None])
    if np.isfinite(ranked):
        found["lds"] = float(ranked)
    return found


def _check_now(what, now, expected):
    """Raise ValueError for another output with nothing deleted; NaN: it is not known."""
    if np.isfinite(now) and not np.isclose(now, expected, rtol=SAME, atol=ROUNDING):
        raise ValueError(
            f"{what} is {now:.6g} with nothing deleted, where the output of the scoreboard is "
            f"{expected:.6g}: it is of another output or of another run"
        )


def _same_data(one, other):
    if len(one) != len(other):
        return False
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
