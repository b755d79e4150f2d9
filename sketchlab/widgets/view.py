"""The deletion explorer as people see it: controls on one side, what follows from them beside."""

import threading

import ipywidgets

from .. import figures
from ..training.microgpt import MicroGPT
from ..training.outputs import LossOn
from . import words
from .browser import InBrowser
from .deletion_controls import Deletion
from .explorer import WEIGHTS, Explorer
from .parts import Acting, Message, Picture, attempted
from .question_controls import Accuracy, Question

CONTROL_WIDTH = "320px"
SAMPLES, SAMPLE_SEED = 8, 0
CURVE, TERMS = (3.8, 2.8), (1.9, 2.8)  # inches: so small that text is large on any screen
RESTARTED = (
    "If nothing moves any more, the kernel behind this page has stopped or restarted: "
    "run the cell again, or reload the page."
)
CANCELLED = "cancelled: nothing was kept, press Retrain to start again"


def explore(
    run, sketch, *, without=(), name=None, held_out=None, outputs=None, labels=None, table=None
):
    """The deletion explorer, a widget: choose, predict, retrain, compare.

    run: any training run. sketch: a sketch of it, over documents, units, or both.
    without: units to delete at the start. name: what is asked at the start: a name for microgpt to
    read, or the title of an output that is offered; default: the first offered, or a name.
    held_out: examples that were not trained on, in the form of those that were: their losses and
    mean loss are offered. Default for microgpt on names of the embedded list: others of that list.
    outputs: what else can be asked, a dict from titles to functions of a model, each giving one
    number. With neither, the losses on a few documents are offered, which the page says.
    labels: words for the documents, or a function of a document's number; default: their text, if
    they are text, else "row 17". table: columns that describe the documents, a dict or a DataFrame:
    deletions can then be chosen by a range of numbers, or by values.
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
    )
    if without is not None:
        explorer.selection.choose_units(sketch.units.down_weights(without))
    return ExplorerView(explorer)


class Cancelled(Exception):
    """Raised inside a training to stop it."""


class ExplorerView(Acting, ipywidgets.VBox):
    """The explorer's view; `explorer` is its state."""

    def __init__(self, explorer):
        self.explorer = explorer
        self._lock, self._cancel, self.worker = threading.RLock(), threading.Event(), None
        self.deletion = Deletion(explorer, self.act)
        self.question = Question(explorer, self.act)
        self.accuracy = Accuracy(explorer, self.act)
        self.headline, self.details, self.caption = (ipywidgets.HTML() for _ in range(3))
        self.picture, self.terms = Picture(widest=480), Picture(widest=240)
        self.message, self.samples, self.history = Message(), ipywidgets.HTML(), ipywidgets.HTML()
        self.button = ipywidgets.Button(
            description="Retrain",
            button_style="primary",
            tooltip=f"Train again without these {explorer.noun}s",
        )
        self.stop = ipywidgets.Button(description="Cancel", tooltip="Stop the training")
        self.progress = ipywidgets.IntProgress(0, 0, explorer.run.steps, tooltip="Training")
        self.button.on_click(lambda _: self.act(self.retrain))
        self.stop.on_click(lambda _: self._cancel.set())
        self.button.add_class("sketchlab-retrain")
        for widget in (self.button, self.stop, self.progress):
            widget.layout.width, widget.layout.min_width = "auto", "90px"
        self.progress.layout.max_width = "90px"
        bar = ipywidgets.Box(
            [_wide(self.headline, "300px"), self.button, self.stop, self.progress, self.message],
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
        self._running(False)
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
        figures.taylor_terms(terms.subplots(), answer.prediction)
        self.picture.show(curve, words.spoken(explorer, answer))
        self.terms.show(terms, words.spoken_terms(answer))
        model = explorer.retrained_model
        if self._before is not None:
            self.samples.value = words.samples(self._before, _samples(model))
        self.history.value = explorer.history.html()

    def retrain(self):
        """Train without the chosen names, in a thread, so that the page goes on answering."""
        if self.worker is not None and self.worker.is_alive():
            return
        snapshot = self.explorer.snapshot()  # people may go on choosing while it trains
        self._cancel.clear()
        self._running(True)
        self.worker = threading.Thread(target=self._retrain, args=(snapshot,), daemon=True)
        self.worker.start()

    def _retrain(self, snapshot):
        def finish():
            self._running(False)
            if problem is not None:
                raise problem

        problem = attempted(lambda: self._train(snapshot))
        self.act(finish)

    def _train(self, snapshot):
        try:
            snapshot.retrain(progress=self)
        except Cancelled:
            raise ValueError(CANCELLED) from None
        snapshot.record()

    def update(self, steps=1):
        """One step of training was done; this is what `TrainingRun.retrain` calls its bar for."""
        if self._cancel.is_set():
            raise Cancelled
        self._steps += steps
        if self._steps % max(1, self.progress.max // 20) == 0:
            self.progress.value = self._steps

    def _running(self, running):
        self._steps = self.progress.value = 0
        for widget in (self.stop, self.progress):
            widget.layout.visibility = "visible" if running else "hidden"


def _samples(model):
    """What a model makes up, or None if there is no model, or it makes nothing up."""
    return model.sample(SAMPLES, SAMPLE_SEED) if hasattr(model, "sample") else None


def _wide(widget, basis, grow=1):
    """A widget that is as wide as there is room, and at least as `basis`, if that much is there."""
    widget.layout.flex, widget.layout.min_width = f"{grow} 1 {basis}", f"min({basis}, 100%)"
    return widget
