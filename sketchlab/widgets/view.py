"""The deletion explorer as people see it: controls on one side, what follows from them beside."""

import threading

import ipywidgets

from .. import figures
from ..arguments import takes
from ..training.microgpt import MicroGPT
from ..training.outputs import LossOn
from . import words
from .browser import InBrowser
from .deletion_controls import Deletion
from .explorer import WEIGHTS, Explorer
from .parts import Message, Picture, Retraining
from .question_controls import Accuracy, Question

CONTROL_WIDTH = "320px"
SAMPLES, SAMPLE_SEED = 8, 0
CURVE, TERMS = (3.8, 2.8), (1.9, 2.8)  # inches: so small that text is large on any screen
RESTARTED = (
    "If nothing moves any more, the kernel behind this page has stopped or restarted: "
    "run the cell again, or reload the page."
)


@takes()
def explore(
    run,
    sketch,
    *,
    without=(),
    name=None,
    held_out=None,
    outputs=None,
    labels=None,
    table=None,
    images=None,
):
    """The deletion explorer, a widget: choose, predict, retrain, compare.

    run: any training run. sketch: a sketch of it, over documents, units, or both.
    without: units to delete at the start. name: what is asked at the start: a name for microgpt to
    read, or the title of an output that is offered; default: the first offered, or a name.
    held_out: examples that were not trained on, in the form of those that were: their losses and
    mean loss are offered. Default for microgpt on names of the embedded list: others of that list.
    outputs: what can be asked, a dict from titles to functions of a model, each giving one number;
    of microgpt besides what can be typed, of another model in place of the losses on what the run
    held out. With neither, the losses on a few documents are offered, which the page says.
    labels: words for the documents, or a function of a document's number; default: their text, if
    they are text, else "row 17". table: columns that describe the documents, a dict or a DataFrame:
    deletions can then be chosen by a range of numbers, or by values. images: what the documents
    look like, numbers of shape (documents, height, width), or with colours last.
    The state is in its attribute `explorer`, an `Explorer`.
    Raises TypeError or ValueError, in words, for what does not fit together.
    """
    question = (
        LossOn(name)
        if name is not None and isinstance(getattr(run, "model", 0), MicroGPT)
        else name
    )
    explorer = Explorer(
        run,
        sketch,
        question=question,
        held_out=held_out,
        outputs=outputs,
        labels=labels,
        table=table,
        images=images,
    )
    if without is not None:
        explorer.selection.choose_units(sketch.units.down_weights(without))
    return ExplorerView(explorer)


class ExplorerView(Retraining, ipywidgets.VBox):
    """The explorer's view; `explorer` is its state."""

    def __init__(self, explorer):
        self.explorer = self.state = explorer
        self._lock = threading.RLock()
        self.deletion = Deletion(explorer, self.act)
        self.question = Question(explorer, self.act)
        self.accuracy = Accuracy(explorer, self.act)
        self.headline, self.details, self.caption = (ipywidgets.HTML() for _ in range(3))
        self.picture, self.terms = Picture(widest=480), Picture(widest=240)
        self.message, self.samples, self.history = Message(), ipywidgets.HTML(), ipywidgets.HTML()
        training = self.training_controls(explorer.run.steps, explorer.noun)
        bar = ipywidgets.Box(
            [_wide(self.headline, "300px"), *training, self.message],
            layout={"flex_flow": "row wrap", "align_items": "center"},
        )
        bar.add_class("sketchlab-bar")
        controls = ipywidgets.VBox(
            [self.deletion, self.question, self.accuracy],
            layout={"flex": f"1 1 {CONTROL_WIDTH}", "max_width": "420px", "min_width": "0"},
        )
        pictures = ipywidgets.Box(
            [_wide(self.picture, "310px", 2), _wide(self.terms, "155px")],
            layout={"flex_flow": "row wrap", "overflow": "visible"},
        )
        results = ipywidgets.VBox(
            [self.details, self.caption, pictures, self.samples],
            layout={"flex": "1000 1 340px", "min_width": "0"},
        )
        super().__init__(
            [
                bar,
                ipywidgets.Box(
                    [controls, results], layout={"flex_flow": "row wrap", "grid_gap": "0 12px"}
                ),
                self.history,
                ipywidgets.HTML(f"<small>{RESTARTED}</small>"),
                InBrowser(lambda row: self.act(lambda: explorer.show_again(row))),
            ],
            layout={"overflow": "visible"},
        )
        for name in ("sketchlab", "sketchlab-explorer"):
            self.add_class(name)
        self._before = _samples(explorer.run.model)
        self.act(lambda: None)

    def __repr__(self):
        explorer = self.explorer
        return (
            f"ExplorerView({len(explorer.selection)} of {len(explorer.run)} {explorer.noun}s "
            f"deleted, {explorer.question.title}, {explorer.sketch!r})"
        )

    def clear(self):
        """See `Acting`."""
        for picture in (self.picture, self.terms):
            picture.hide()
        self.headline.value = self.details.value = self.caption.value = ""

    def refresh(self):
        """Show the state; raises what goes wrong."""
        explorer = self.explorer
        self.deletion.refresh()
        self.question.refresh()
        answer = explorer.answer()
        self.accuracy.refresh(answer)
        self.headline.value = words.headline(explorer, answer)
        self.details.value = words.details(answer)
        self.caption.value = words.caption(explorer, answer)
        curve, terms = figures.blank(*CURVE), figures.blank(*TERMS)
        figures.predicted_curve(
            curve.subplots(),
            answer.prediction,
            WEIGHTS,
            answer.curve,
            weight=explorer.weight,
            now=answer.now,
            retrained=answer.retrained,
        )
        figures.taylor_terms(terms.subplots(), answer.prediction, degree=explorer.degree)
        self.picture.show(curve, words.spoken(explorer, answer))
        self.terms.show(terms, words.spoken_terms(answer, explorer.degree))
        model = explorer.retrained_model
        if self._before is not None:
            self.samples.value = words.samples(self._before, _samples(model))
        self.history.value = explorer.history.html()

    def train(self, snapshot):
        """See `Retraining`."""
        super().train(snapshot)
        snapshot.record()


def _samples(model):
    """What a model makes up, or None if there is no model, or it makes nothing up."""
    return model.sample(SAMPLES, SAMPLE_SEED) if hasattr(model, "sample") else None


def _wide(widget, basis, grow=1):
    """A widget that is as wide as there is room, and at least as `basis`, if that much is there."""
    widget.layout.flex, widget.layout.min_width = f"{grow} 1 {basis}", f"min({basis}, 100%)"
    return widget
