"""The state behind looking through a ranking: who comes first, who is ticked, what that does."""

import copy
from typing import NamedTuple

import numpy as np

from ..arguments import check_list
from ..attribution import first_order
from ..checks import brief, check_choice, check_count, check_indices
from ..training.reverse import value_of
from ..training.runs import TrainingRun
from .selection import visible

ORDERS = ("predicted effect", "loss on it")
AT_ONCE = 256  # documents
SAME = 1e-6  # relative difference of two outputs that are the same


class Try(NamedTuple):
    """One exact retraining: documents deleted, change predicted, change found, and of the check."""

    deleted: int
    predicted: float
    retrained: float
    checked: float | None


class Review:
    """Documents in the order of their predicted effect on an output, some of them ticked.

    run: any training run. output: a function of a model, a loss as a rule, which deletions should
    improve. predictor: what predicts it, with documents as its units, such as `first_order`, made
    here if it is not given. check: another output, also shown after retraining: what was chosen by
    an output makes that one better than others. labels: n words, or a function of a document's
    number; default: the documents themselves. rows: documents on a page.

    effects: the predicted change of the output by the deletion of each document alone, (n,).
    losses: the loss of the trained model on each, (n,). order: numbers of the documents, those
    whose deletion improves the output most first, or those with the highest loss. now: the output
    with nothing deleted. tries: the retrainings so far, as `Try`.
    Raises TypeError or ValueError, in words, for what does not fit together.
    """

    def __init__(self, run, output, predictor=None, *, check=None, labels=None, rows=10):
        if not isinstance(run, TrainingRun):
            raise TypeError(f"run must be a training run, from sl.train, not {type(run).__name__}")
        for what, function in (("output", output), ("check", check)):
            if function is None and what == "check":
                continue
            if not callable(function):
                raise TypeError(f"{what} must be a function of a model, not {brief(function)}")
            if hasattr(function, "check"):
                function.check(run.model)
        self.run, self.output, self.check = run, output, check
        self.rows = min(check_count(rows, "rows"), len(run))
        self.labels = document_labels(run, labels)
        self.now = value_of(output, run.model)
        if predictor is None:  # without a bar: one that is gone leaves a line on a page
            predictor = first_order(run, output, progress=False)
        self.predictor = predictor
        self.effects = self._effects()
        self.losses = np.asarray(run.losses(run.model), float)
        self.tries, self._retrained = [], {}
        self.ticked = np.zeros(len(run), bool)
        self.sort(ORDERS[0])

    def _effects(self):
        if not hasattr(self.predictor, "predict"):
            raise TypeError(
                "predictor must have a method predict, as what attribution.first_order returns "
                f"has, not {brief(self.predictor)}"
            )
        n, found = len(self.run), []
        for start in range(0, n, AT_ONCE):  # not n^2 numbers
            alone = self.predictor.predict(np.eye(min(AT_ONCE, n - start), n, start))
            found.append(alone.change)
        if not abs(alone.now - self.now) <= SAME * max(1.0, abs(self.now)):
            raise ValueError(
                f"the predictor is of another output: it starts from {alone.now:.6g}, but the "
                f"output of this run is {self.now:.6g}"
            )
        return np.concatenate(found)

    def __len__(self):
        return len(self.run)

    def sort(self, by):
        """Order the documents by one of ORDERS, and show the first page; ticks stay."""
        helps = getattr(self.output, "helps", 1)
        keys = {ORDERS[0]: helps * self.effects, ORDERS[1]: -self.losses}
        self.by = check_choice(by, ORDERS, "by")
        self.order, self.page = np.argsort(keys[by], kind="stable"), 0

    @property
    def pages(self):
        """How many pages there are."""
        return -(-len(self) // self.rows)

    def turn(self, pages):
        """Turn so many pages on, or back if it is negative; not beyond the first and the last."""
        self.page = int(np.clip(self.page + pages, 0, self.pages - 1))

    @property
    def shown(self):
        """Numbers of the documents on this page."""
        return self.order[self.page * self.rows :][: self.rows]

    def tick(self, numbers, on=True):
        """Tick documents, or take their ticks away. Raises for what is no number of one."""
        self.ticked[check_indices(numbers, len(self))] = on

    def clear(self):
        """Take all ticks away."""
        self.ticked[:] = False

    @property
    def count(self):
        """How many are ticked."""
        return int(self.ticked.sum())

    @property
    def prediction(self):
        """The `Prediction` for the deletion of all that are ticked."""
        return self.predictor.predict(self.ticked.astype(float))

    @property
    def last(self):
        """The `Try` of the present ticks, or None."""
        return self._retrained.get(self.ticked.tobytes())

    def snapshot(self):
        """The state as it is now; what is retrained, and the tries, it shares with this one."""
        other = copy.copy(self)
        other.ticked = self.ticked.copy()
        return other

    def retrain(self, progress=False):
        """Train again without the ticked documents: a `Try`, kept in `tries`.

        progress: True, False, or an object with an update method, called after every step.
        ValueError if none or all are ticked.
        """
        if not 0 < self.count < len(self):
            raise ValueError(
                "nothing is ticked: tick the documents that look bad first"
                if not self.count
                else "every document is ticked: leave some to train on"
            )
        if self.last is None:
            ticked = self.ticked.copy()
            model = self.run.retrain(down_weights=ticked.astype(float), progress=progress)
            checked = None
            if self.check is not None:
                checked = float(self.check(model)) - float(self.check(self.run.model))
            change = float(self.output(model)) - self.now
            made = Try(int(ticked.sum()), self.prediction.change, change, checked)
            self._retrained[ticked.tobytes()] = made
            self.tries.append(made)
        return self.last


def document_labels(run, labels):
    """n words: labels, one for each document or a function of its number; None: the documents."""
    n = len(run)
    if labels is None:
        return [visible(run.data[i]) for i in range(n)]
    if isinstance(labels, (str, bytes)):
        raise TypeError(f"labels must be one for each document, or a function, not {brief(labels)}")
    found = [labels(i) for i in range(n)] if callable(labels) else check_list(labels, "labels")
    if len(found) != n:
        raise ValueError(f"there are {len(found)} labels for {n} documents: give one for each")
    return list(map(str, found))
