"""Methods beside each other on one deletion: a dot for each, and the line of exact retraining."""

import threading

import ipywidgets

from .. import figures
from ..arguments import check_dict, takes
from . import comparison_words as words
from .browser import InBrowser
from .document_choices import Choices
from .one_deletion import OneDeletion
from .parts import FULL, NARROW, Controls, Message, Picture, Retraining, heading

CONTROL_WIDTH = "320px"


@takes(predictors=check_dict)
def compare_methods(run, predictors, outputs, *, units=None, labels=None):
    """What several methods predict of one deletion, a widget: choose, predict, retrain, compare.

    run: any training run. predictors: a dict from the name of a method to a list of its predictors,
    one for each output, such as {"exact first order": sl.attribution.first_order(run, outputs)};
    anything with predict(down_weights) fits. outputs: functions of a model, such as
    [sl.LossOn("max")]. units: what the predictors delete (see `Units`). labels: words for each
    document, or a function of its number; default: the documents if these are text, else their
    numbers. A method that cannot answer a deletion says why. The state is in its attribute `model`,
    a `OneDeletion`.
    Raises TypeError or ValueError, in words, for what does not fit together.
    """
    return ComparisonView(OneDeletion(run, predictors, outputs, units=units, labels=labels))


class ComparisonView(Retraining, ipywidgets.VBox):
    """The view of methods on one deletion; `model` is its state."""

    def __init__(self, model):
        self.model = self.state = model
        self._lock = threading.RLock()
        self.choices = Choices(model, self.act)
        self.output = ipywidgets.Dropdown(
            options=[(name, number) for number, name in enumerate(words.distinct(model.titles))],
            description="output",
            tooltip="What is asked of the model",
            style=NARROW,
            layout=FULL,
        )
        self.question = Controls([heading("Ask for"), self.output])
        self.question.on_change(self.output, lambda number: self.act(lambda: model.ask(number)))
        self.headline, self.table, self.history = (ipywidgets.HTML() for _ in range(3))
        self.picture, self.message = Picture(widest=800), Message()
        training = self.training_controls(model.run.steps, "document")
        controls = ipywidgets.VBox(
            [self.question, self.choices],
            layout={"flex": f"0 0 {CONTROL_WIDTH}", "width": CONTROL_WIDTH},
        )
        results = ipywidgets.VBox(
            [
                self.headline,
                self.picture,
                ipywidgets.HBox(training),
                self.message,
                self.table,
                self.history,
            ],
            layout={"flex": "1 1 340px", "min_width": "0", "padding": "0 0 0 12px"},
        )
        layout = {"flex_flow": "row wrap"}
        super().__init__([ipywidgets.HBox([controls, results], layout=layout), InBrowser()])
        for name in ("sketchlab", "sketchlab-methods"):
            self.add_class(name)
        self.act(lambda: None)

    def __repr__(self):
        model = self.model
        return (
            f"ComparisonView({len(model.predictors)} methods, {len(model.selection)} of "
            f"{len(model)} documents deleted, {model.title}, {model.run!r})"
        )

    def clear(self):
        """See `Acting`."""
        self.picture.hide()
        self.headline.value = self.table.value = ""

    def refresh(self):
        """Show the state; raises what goes wrong."""
        model = self.model
        with self.question.showing():
            self.output.value = model.chosen
        self.choices.refresh()
        if not model.answered:  # some methods take a while
            self.headline.value = words.busy()
        answers = model.answers
        self.picture.show(
            figures.methods_on_one_deletion(
                {name: one.change for name, one in answers.items()},
                bands={n: (one.low, one.high) for n, one in answers.items() if one.low is not None},
                true=model.true,
                costs={name: words.cost(*model.costs[name]) for name in answers},
                label=words.axis(model),
                figure=figures.blank(),
            ),
            words.spoken(model),
        )
        self.headline.value, self.table.value = words.headline(model), words.table(model)
        self.history.value = words.history(model)
