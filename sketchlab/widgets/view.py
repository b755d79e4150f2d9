"""The deletion explorer as people see it: controls on one side, what follows from them beside."""

import base64
import html
import threading

import ipywidgets

from .. import figures
from ..training.outputs import LossOn
from .controls import Accuracy, Deletion, Question
from .explorer import WEIGHTS, Explorer
from .parts import Message, Picture

CONTROL_WIDTH = "320px"
SAMPLES, SAMPLE_SEED = 8, 0
NAMES_IN_HISTORY = 20  # letters
RESTARTED = (
    "If nothing moves any more, the kernel behind this page has stopped or restarted: "
    "run the cell again, or reload the page."
)


def explore(run, sketch, *, without=(), name=None, held_out=None):
    """The deletion explorer, a widget: choose, predict, retrain, compare.

    run: a training run of microgpt. sketch: a sketch of it, over names, units, or both.
    without: units to delete at the start. name: ask for the loss on this name at the start.
    held_out: names that were not trained on, for the mean loss; default: embedded names.
    The state is in its attribute `explorer`, an `Explorer`.
    Raises ValueError if the sketch was made of another run.
    """
    explorer = Explorer(run, sketch, held_out=held_out)
    if without is not None:
        explorer.selection.choose_units(sketch.units.down_weights(without))
    if name is not None:
        explorer.ask(LossOn(name))
    return ExplorerView(explorer)


class Cancelled(Exception):
    """Raised inside a training to stop it."""


class ExplorerView(ipywidgets.VBox):
    """The explorer's view; `explorer` is its state."""

    def __init__(self, explorer):
        self.explorer = explorer
        self._lock, self._cancel, self.worker = threading.RLock(), threading.Event(), None
        self.deletion = Deletion(explorer, self.act)
        self.question = Question(explorer, self.act)
        self.accuracy = Accuracy(explorer, self.act)
        self.headline, self.details = ipywidgets.HTML(), ipywidgets.HTML()
        self.picture, self.message = Picture(), Message()
        self.samples, self.history = ipywidgets.HTML(), ipywidgets.HTML()
        self.button = ipywidgets.Button(
            description="Retrain", button_style="primary", tooltip="Train again without these names"
        )
        self.stop = ipywidgets.Button(description="Cancel", tooltip="Stop the training")
        self.progress = ipywidgets.IntProgress(0, 0, explorer.run.steps, layout={"width": "120px"})
        self.button.on_click(lambda _: self.retrain())
        self.stop.on_click(lambda _: self._cancel.set())
        self.button.add_class("sketchlab-retrain")
        controls = ipywidgets.VBox(
            [self.deletion, self.question, self.accuracy],
            layout={"flex": f"0 0 {CONTROL_WIDTH}", "width": CONTROL_WIDTH},
        )
        results = ipywidgets.VBox(
            [
                self.headline,
                self.details,
                self.picture,
                ipywidgets.HBox([self.button, self.stop, self.progress]),
                self.message,
                self.samples,
                self.history,
            ],
            layout={"flex": "1 1 340px", "min_width": "0", "padding": "0 0 0 12px"},
        )
        super().__init__(
            [
                ipywidgets.HBox([controls, results], layout={"flex_flow": "row wrap"}),
                ipywidgets.HTML(f'<small style="opacity: 0.7">{RESTARTED}</small>'),
            ]
        )
        self.add_class("sketchlab-explorer")
        self._running(False)
        self._before = explorer.run.sample(SAMPLES, SAMPLE_SEED)
        self.refresh()

    def __repr__(self):
        explorer = self.explorer
        return (
            f"ExplorerView({len(explorer.selection)} of {len(explorer.run)} names deleted, "
            f"{explorer.question.title}, {explorer.sketch!r})"
        )

    def act(self, change):
        """Run a change of the state, show what it raises in words, and draw everything again."""
        with self._lock:
            try:
                change()
                self.message.say(None)
            except Exception as error:  # a widget must answer in words, whatever went wrong
                self.message.say(error)
            self.refresh()

    def refresh(self):
        """Show the state."""
        explorer = self.explorer
        try:
            answer = explorer.answer()
        except Exception as error:  # as above
            self.message.say(error)
            return
        self.deletion.refresh()
        self.question.refresh()
        self.accuracy.refresh(answer)
        self.headline.value = _headline(explorer, answer)
        self.details.value = _details(answer)
        self.picture.show(
            figures.predicted_deletion(
                answer.prediction,
                WEIGHTS,
                answer.curve,
                weight=explorer.weight,
                now=answer.now,
                retrained=answer.retrained,
                label=answer.question.label,
                figure=figures.blank(),
            ),
            _spoken(explorer, answer),
        )
        self.samples.value = _samples(self._before, explorer.retrained_model)
        self.history.value = _history(explorer)

    def retrain(self):
        """Train without the chosen names, in a thread, so that the page goes on answering."""
        if self.worker is not None and self.worker.is_alive():
            return
        self._cancel.clear()
        self._running(True)
        self.message.say(None)
        snapshot = self.explorer.snapshot()  # people may go on choosing while it trains
        self.worker = threading.Thread(target=self._retrain, args=(snapshot,), daemon=True)
        self.worker.start()

    def _retrain(self, snapshot):
        try:
            snapshot.retrain(progress=self)
            snapshot.record()
            problem = None
        except Cancelled:
            problem = "cancelled: nothing was kept, press Retrain to start again"
        except Exception as error:  # as above
            problem = error
        with self._lock:
            self._running(False)
            self.refresh()
            self.message.say(problem)

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


def _headline(explorer, answer):
    if not len(explorer.selection):
        text = "Choose names to delete"
    elif not explorer.weight:
        text = "Down-weight 0: nothing is deleted"
    else:
        text = answer.headline
    return (
        '<div class="sketchlab-headline" aria-live="polite" '
        f'style="font-size: 1.25em; line-height: 1.4"><b>{html.escape(text)}</b></div>'
    )


def _details(answer):
    p = answer.prediction
    text = (
        f"predicted <b>{p.value:.4f}</b> (90% band {p.low:.4f} to {p.high:.4f}), "
        f"now {answer.now:.4f}"
    )
    if answer.truth is not None:
        where = "inside" if answer.inside else "outside"
        text += (
            f"; retrained <b>{answer.truth:.4f}</b>: off by {answer.error:+.4f}, {where} the band"
        )
    return f'<div class="sketchlab-details" style="line-height: 1.4">{text}</div>'


def _spoken(explorer, answer):
    """The picture in words."""
    p = answer.prediction
    terms = ", ".join(f"degree {term.degree}: {term.value:+.4f}" for term in p.terms[1:])
    truth = "not retrained yet" if answer.truth is None else f"retrained {answer.truth:.4f}"
    return (
        f"{answer.question.title} against the down-weight of {len(explorer.selection)} names: "
        f"now {answer.now:.4f}, predicted {p.value:.4f} at down-weight {explorer.weight:g}, 90% "
        f"band {p.low:.4f} to {p.high:.4f}, {truth}. Taylor terms: {terms}."
    )


def _samples(before, model):
    after = "press Retrain" if model is None else " ".join(model.sample(SAMPLES, SAMPLE_SEED))
    return (
        '<div class="sketchlab-samples" style="line-height: 1.4">names from the model now: '
        f"<i>{html.escape(' '.join(before))}</i><br>"
        f"retrained: <i>{html.escape(after)}</i></div>"
    )


def _history(explorer):
    if not explorer.tries:
        return ""
    columns = ("deleted", "output", "weight", "deg.", "dir.", "predicted", "retrained", "error")
    rows = "".join(
        f'<tr style="text-align: left"><td title="{html.escape(row.names)}">{row.deleted}: '
        f"{html.escape(_shortened(row.names))}</td><td>{html.escape(row.output)}</td>"
        f"<td>{row.down_weight:g}</td><td>{row.degree}</td><td>{row.directions}</td>"
        f"<td>{row.predicted:.4f}</td><td>{row.retrained:.4f}</td><td>{row.error:+.4f}</td>"
        f"<td>{'inside' if row.inside else 'outside'}</td></tr>"
        for row in reversed(explorer.tries)
    )
    head = "".join(f'<th style="text-align: left">{column}</th>' for column in (*columns, "band"))
    content = base64.b64encode(explorer.csv().encode()).decode()
    return (
        '<div class="sketchlab-history" style="line-height: 1.4; overflow-x: auto; '
        'white-space: nowrap" tabindex="0">'
        f"<table><tr>{head}</tr>{rows}</table>"
        f'<a download="deletions.csv" href="data:text/csv;base64,{content}">'
        "<u>Download as CSV</u></a>"
        "</div>"
    )


def _shortened(names):
    return names if len(names) <= NAMES_IN_HISTORY else names[:NAMES_IN_HISTORY] + "…"
