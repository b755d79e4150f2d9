"""The state behind comparing methods on one deletion: what is deleted, asked, predicted, true."""

import copy
import re
import unicodedata
from typing import NamedTuple

import numpy as np

from ..attribution import total_cost
from ..attribution.first_order import check_functions
from ..checks import brief, check_choice, check_count, check_indices, check_seed
from ..estimation.units import Units
from ..training.reverse import value_of
from .method_answers import answer, check_predictors
from .selection import Selection, visible
from .suspects import document_labels

WAYS = ("either way", "up", "down")
START = 10  # units deleted at the start, at most
LISTED = 8  # documents that a deletion is called by
NUMBERS = re.compile(r"(\d+)(?:\s*-\s*(\d+))?")


class Try(NamedTuple):
    """One exact retraining: number and names of the documents, the output, and who was right.

    change: of the output, exactly. errors: predicted less true change, by method. best, worst:
    names of the methods with the smallest and the largest error; None if fewer than two answered.
    """

    deleted: int
    documents: str
    output: str
    change: float
    errors: dict
    best: str | None
    worst: str | None


class OneDeletion:
    """A deletion and an output, which several methods predict and retraining tells exactly.

    run: any training run. predictors: a dict from names of methods to lists of predictors, one
    for each output: anything with predict(down_weights), ValueError where it cannot answer.
    outputs: functions of a model. units: of the predictors (see `Units`). labels: n words, or a
    function of a document's number; default: the documents if these are text, else their numbers.

    selection: what is deleted, a `Selection`. chosen: the number of the output that is asked for.
    now: the outputs with nothing deleted. costs: in trainings, by method, for all outputs and for
    each further deletion; None where unknown. ranked: names of the methods with derivatives by
    units, `.gradient`. tries: the retrainings so far, as `Try`.
    Raises TypeError or ValueError, in words, for what does not fit together.
    """

    noun = "document"

    def __init__(self, run, predictors, outputs, *, units=None, labels=None):
        self.outputs = check_functions(run, outputs)
        for output in self.outputs:
            if hasattr(output, "check"):
                output.check(run.model)
        self.run, self.units = run, Units(units, len(run))
        self.now = [value_of(output, run.model) for output in self.outputs]
        check_predictors(predictors, self.now, self.units)
        self.predictors = predictors
        self.titles = [_title(output, number) for number, output in enumerate(self.outputs)]
        if labels is None:
            text = all(isinstance(document, str) for document in run.data)
            labels = run.data if text else range(len(run))
        labels = [unicodedata.normalize("NFC", one) for one in document_labels(run, labels)]
        self.selection = Selection(labels, self.units)
        self.costs = {name: _costs(each) for name, each in predictors.items()}
        self.ranked = [
            name
            for name, each in predictors.items()
            if all(np.shape(getattr(p, "gradient", None)) == (len(self.units),) for p in each)
        ]
        self.chosen, self.tries, self._answers, self._true = 0, [], {}, {}
        count = min(START, max(1, len(self.units) // 4))
        if self.ranked:
            self.selection.choose(self.largest(count, self.ranked[0]))
        else:
            self.selection.choose(self.at_random(count, 0))

    def __len__(self):
        return len(self.run)

    @property
    def title(self):
        """What the output is called."""
        return self.titles[self.chosen]

    @property
    def unit(self):
        """What the output counts, or ""."""
        return str(getattr(self.outputs[self.chosen], "unit", ""))

    @property
    def documents(self):
        """What is deleted, in a few words."""
        names = self.selection.names
        more = [f"and {len(names) - LISTED} more"] if len(names) > LISTED else []
        return " ".join([*map(visible, names[:LISTED]), *more])

    def ask(self, number):
        """Ask for an output, by its number."""
        (self.chosen,) = check_indices([number], len(self.outputs)).tolist()

    def numbered(self, text):
        """Mask of the documents with these numbers, such as "3, 5, 10-14", (n,).

        ValueError, in words, for what is no list of their numbers.
        """
        mask, last = np.zeros(len(self), bool), len(self) - 1
        for part in filter(None, map(str.strip, text.split(","))):
            match = NUMBERS.fullmatch(part)
            if not match:
                raise ValueError(f"{part!r} is not a number: give numbers such as 3, 5, 10-14")
            first, end = int(match[1]), int(match[2] or match[1])
            if not first <= end <= last:
                raise ValueError(f"{part!r} is out of range: the numbers go from 0 to {last}")
            mask[first : end + 1] = True
        return mask

    def largest(self, count, method, way=WAYS[0]):
        """Mask of the units of largest effect on the output by a method of `ranked`, (n,).

        way: "either way" is the largest size; "up" are those whose deletion raises the output most.
        """
        effects = self.predictors[check_choice(method, self.ranked, "method")][self.chosen].gradient
        keys = {"either way": np.abs(effects), "up": effects, "down": -np.asarray(effects)}
        order = np.argsort(-keys[check_choice(way, WAYS, "way")], kind="stable")
        return np.isin(self.units.of_document, order[: self._count(count)])

    def at_random(self, count, seed):
        """Mask of some units drawn at random, (n,)."""
        draw = np.random.default_rng(check_seed(seed))
        chosen = draw.choice(len(self.units), self._count(count), replace=False)
        return np.isin(self.units.of_document, chosen)

    def _count(self, count):
        if check_count(count, "count") > len(self.units):
            raise ValueError(f"count must be at most {len(self.units)}, not {brief(count)}")
        return count

    @property
    def answers(self):
        """The `Answer` of every method, by name; made once for each deletion and output."""
        if self._key not in self._answers:
            x, now = self.selection.down_weights, self.now[self.chosen]
            self._answers[self._key] = {
                name: answer(each[self.chosen], x, now) for name, each in self.predictors.items()
            }
        return self._answers[self._key]

    @property
    def answered(self):
        """Whether `answers` is at hand."""
        return self._key in self._answers

    @property
    def true(self):
        """The change of the output by exact retraining, or None before that."""
        found = self._true.get(self._mask)
        return None if found is None else found[self.chosen]

    @property
    def errors(self):
        """Predicted less true change of the methods that answered; empty before retraining."""
        found = self.answers.items() if self.true is not None else ()
        return {name: one.change - self.true for name, one in found if one.change is not None}

    def snapshot(self):
        """The state as it is now; what is retrained, and the tries, it shares with this one."""
        other = copy.copy(self)
        other.selection = self.selection.copy()
        return other

    def retrain(self, progress=False):
        """Train again without what is chosen: a `Try`, kept in `tries`; known ones cost nothing.

        progress: True, False, or an object with an update method, called after every step.
        ValueError if nothing or everything is chosen.
        """
        if not 0 < len(self.selection) < len(self):
            raise ValueError(
                "every document is chosen: leave some to train on"
                if len(self.selection)
                else "nothing is chosen: choose documents to delete first"
            )
        if self._mask not in self._true:
            x = self.selection.mask.astype(float)
            model = self.run.retrain(down_weights=x, progress=progress)
            after = [value_of(output, model) for output in self.outputs]
            self._true[self._mask] = [a - b for a, b in zip(after, self.now, strict=True)]
        errors = self.errors
        order = sorted(errors, key=lambda name: abs(errors[name]))
        best, worst = (order[0], order[-1]) if len(order) > 1 else (None, None)
        made = Try(len(self.selection), self.documents, self.title, self.true, errors, best, worst)
        if made not in self.tries:
            self.tries.append(made)
        return made

    @property
    def _mask(self):
        return self.selection.mask.tobytes()

    @property
    def _key(self):
        return self._mask, self.chosen


def _title(output, number):
    """What an output is called: its title, its name, or its number."""
    name = getattr(output, "title", getattr(output, "__name__", "<lambda>"))
    return f"output {number}" if name == "<lambda>" else str(name)


def _costs(predictors):
    """Trainings of a method for all outputs, and for each deletion; None where unknown."""
    each = max(getattr(one, "cost_of_each", 0.0) for one in predictors)
    if any(getattr(one, "cost", None) is None for one in predictors):
        return None, each
    return float(total_cost(predictors)), each
