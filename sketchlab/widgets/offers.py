"""What can be asked of any model: named outputs, and losses on examples that were held out."""

import math

import numpy as np

from ..algebra import ring
from ..arguments import check_texts
from ..checks import brief
from ..estimation.labels import listed
from ..training.microgpt import MicroGPT
from ..training.names import unseen
from ..training.outputs import LossOn, MeanLoss
from ..training.own import check_held_out, row_numbers

SAID = ("title", "label", "unit", "epsilon", "helps", "meaning", "check")  # by a named output
TRAINED, SINGLE = 5, 50  # losses offered on single examples: trained on, held out
HELD_OUT = 20  # embedded names
SHOWN = 5  # titles in a message
UNSEEN = "Unseen: {} names of this package's list that were not trained on."
NO_UNSEEN = "No documents were held out: give held_out= for a mean loss on unseen ones."
ON_TRAINED = (
    "These are losses on examples that were trained on: give held_out= for others, or outputs= for "
    "anything else."
)
SMOOTH = (
    "an output is one number, written with sketchlab.ring and smooth in the parameters; what "
    "counts or compares, such as an accuracy, is not: take the loss, or a margin"
)


class Named:
    """A function of a model under a title, with all that an explorer asks of an output.

    function: its own `unit`, `bounds`, `helps` and `meaning`, if it has them, are kept.
    Raises TypeError if it is no function or the title no text.
    """

    epsilon = 0.02

    def __init__(self, title, function):
        if not isinstance(title, str) or not title.strip():
            raise TypeError(f"the title of an output must be some text, not {brief(title)}")
        if not callable(function):
            raise TypeError(
                f"the output {title!r} must be a function of a model, such as sl.LossOn(3), not "
                f"{brief(function)}"
            )
        self.title, self.function = title, function
        self.unit = getattr(function, "unit", "")
        self.bounds = getattr(function, "bounds", (-math.inf, math.inf))
        self.helps = getattr(function, "helps", 1)
        self.label = f"{title} ({self.unit})" if self.unit else title

    def __repr__(self):
        return f"Named({self.title!r}, {self.function!r})"

    def __call__(self, model):
        return self.function(model)

    def check(self, model):
        """Raise ValueError, in words, unless it gives one finite number for this model."""
        if hasattr(self.function, "check"):
            self.function.check(model)
        try:
            value = np.asarray(self(model))
        except Exception as error:  # of the user's own code: whatever it is, it is told in words
            raise ValueError(
                f"the output {self.title!r} fails on the trained model, with "
                f"{type(error).__name__}: {error}"
            ) from error
        if value.shape != () or value.dtype.kind not in "iuf":
            raise ValueError(
                f"the output {self.title!r} gives no single number, but an array of shape "
                f"{value.shape} and type {value.dtype}: {SMOOTH}"
            )
        if not np.isfinite(value):
            raise ValueError(f"the output {self.title!r} is {value} for the trained model")

    def meaning(self, change):
        """What a change of the output says."""
        if hasattr(self.function, "meaning"):
            return self.function.meaning(change)
        return f"{self.title} {'rises' if change > 0 else 'falls'}"


class MeanOf:
    """The mean loss on some examples, a list or array of them as the model is trained on."""

    def __init__(self, examples):
        self.examples = examples

    def __call__(self, model):
        return ring.mean(model.losses(self.examples), -1)


def offered(run, held_out, outputs, labels):
    """What is offered to ask of a run: held-out examples, outputs by title, and a note in words.

    Of microgpt any loss and probability can be typed in, so that `outputs` come on top of these;
    its held-out names are by default those of the run, else those of the embedded list that a run
    of that list left out. Of other models: the outputs given, and losses on the held-out examples,
    on those of the run only where no outputs are given; of neither, the losses on a few documents,
    and the note says so.
    """
    offers, chosen = {} if outputs is None else by_title(outputs), held_out is not None
    for output in offers.values():
        output.check(run.model)
    if isinstance(run.model, MicroGPT):
        if held_out is not None:
            return _names(held_out), offers, ""
        found = tuple(unseen(run, HELD_OUT))
        note = "" if run.held_out else UNSEEN.format(len(found)) if found else NO_UNSEEN
        return found, offers, note
    held_out = held_out_examples(run, run.held_out if held_out is None else held_out)
    if len(held_out) and (chosen or not offers):
        offers |= losses_on(held_out)
    if offers:
        return held_out, offers, ""
    return held_out, losses_trained_on(run, labels), ON_TRAINED


def _names(held_out):
    if isinstance(held_out, str):
        raise TypeError(f"held_out must be a list of names, such as [{held_out!r}]")
    return tuple(check_texts(held_out, "held_out"))


def named(question):
    """An output as it is, if it says all that an explorer asks, else a `Named` one.

    Raises TypeError for what is no function.
    """
    if not callable(question):
        raise TypeError(
            "a question is a function of a model, one of sketchlab.training.outputs such as "
            f"LossOn('max'), not {brief(question)}"
        )
    if all(hasattr(question, name) for name in SAID):
        return question
    title = getattr(question, "title", getattr(question, "__name__", type(question).__name__))
    return Named("the output" if title == "<lambda>" else title.replace("_", " "), question)


def titled(title, offers):
    """The output that is offered under a title, or ValueError that shows the first titles."""
    if title not in offers:
        raise ValueError(
            f"no output with the title {brief(title)} is offered; there are: "
            + listed(list(map(repr, offers)), SHOWN)
        )
    return offers[title]


def by_title(outputs):
    """Outputs that a user offers, as a dict by their titles, in order.

    outputs: a dict from titles to functions of a model, or a list of functions that have names.
    """
    if isinstance(outputs, dict):
        return {title: Named(title, function) for title, function in outputs.items()}
    if isinstance(outputs, (str, bytes)) or callable(outputs) or not hasattr(outputs, "__iter__"):
        raise TypeError(
            "outputs must be a dict from titles to functions of a model, such as "
            f"{{'loss on row 3': sl.LossOn(3)}}, or a list of them, not {brief(outputs)}"
        )
    found = {}
    for one in map(named, outputs):
        if one.title == "the output" or one.title in found:
            raise ValueError(
                f"outputs must have titles, each its own, but here is "
                f"{'a lambda' if one.title == 'the output' else repr(one.title) + ' again'}: give "
                "a dict from titles to functions"
            )
        found[one.title] = one
    return found


def held_out_examples(run, held_out):
    """Examples in the form in which the run has its data, or ValueError in words."""
    if isinstance(held_out, (str, bytes)) or not hasattr(held_out, "__len__"):
        raise TypeError(f"held_out must be a list of examples, not {brief(held_out)}")
    if not isinstance(run.data, np.ndarray):
        found = list(held_out)
    else:
        found = np.asarray(held_out)
        if len(found) and found.shape[1:] != run.data.shape[1:]:
            raise ValueError(
                f"held_out must be examples like those that were trained on, each of shape "
                f"{run.data.shape[1:]}, not {found.shape[1:]}"
            )
    check_held_out(found, run.data)
    return found


def mean_question(model, held_out):
    """The mean loss on held-out examples as a question."""
    if isinstance(model, MicroGPT):
        return MeanLoss(held_out)
    if not len(held_out):
        raise ValueError("no examples were held out: give held_out=")
    return next(iter(losses_on(held_out).values()))


def losses_on(held_out):
    """The mean loss on held-out examples and the loss on each of the first, by title."""
    numbers = row_numbers(held_out)
    count = len(held_out)
    mean = f"mean loss on {count} held-out {'rows' if numbers else 'examples'}"
    found = {mean: Named(mean, MeanOf(held_out))} if count > 1 else {}
    for i in range(min(count, SINGLE)):
        what = f"row {numbers[i]}" if numbers else f"example {i}"
        if isinstance(held_out[i], str):
            what = f"{held_out[i]!r}"
        title = f"loss on held-out {what}"
        title = title if title not in found else f"{title} ({i})"
        found[title] = Named(title, MeanOf(held_out[i : i + 1]))
    return found


def losses_trained_on(run, labels):
    """The loss on each of the first documents that were trained on, by title."""
    found = {}
    for i in range(min(len(run), TRAINED)):
        title = f"loss on {labels[i]}, trained on"
        title = title if title not in found else f"{title} ({i})"
        found[title] = Named(title, MeanOf(run.examples(np.arange(i, i + 1))))
    return found


def first_question(run, held_out, offers):
    """The first that is offered, or the loss on a name that can be read, best an unseen one."""
    if offers:
        return next(iter(offers.values()))
    for name in (*held_out, *run.data):
        try:
            LossOn(name).check(run.model)
        except (TypeError, ValueError):
            continue
        return LossOn(name)
    raise ValueError("the model can read none of the names: give question=...")
