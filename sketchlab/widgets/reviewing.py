"""A ranking to look through: boxes to tick, what their deletion would do, and did."""

import html
import threading

import ipywidgets

from ..arguments import takes
from ..checks import check_count
from .browser import InBrowser
from .parts import AS_TYPED, Controls, Message, Retraining, button
from .suspects import ORDERS, Review

LONGEST = 60  # letters of a label
NUMBERS = {"flex": "0 0 200px", "width": "200px", "margin": "0"}
LABEL = {"flex": "1 1 auto", "min_width": "0", "width": "auto", "margin": "0"}
LINE = "line-height: 28px; white-space: nowrap; font-variant-numeric: tabular-nums"
COLUMN = "display: inline-block; width: 98px; text-align: right"


@takes(rows=check_count)
def review(run, output, predictor=None, *, check=None, labels=None, rows=10):
    """A ranking of the training documents to look through, a widget: tick, predict, retrain.

    run: any training run. output: what deletions should improve, such as sl.MeanLoss of clean
    examples that were not trained on. predictor: what predicts it, default exact first order.
    check: another output, such as the mean loss on other clean examples, shown after retraining.
    labels: words for each document, or a function of its number; default: the documents. rows:
    documents on a page. The state is in its attribute `model`, a `Review`.
    Raises TypeError or ValueError, in words, for what does not fit together.
    """
    return ReviewView(Review(run, output, predictor, check=check, labels=labels, rows=rows))


class ReviewView(Retraining, ipywidgets.VBox):
    """The view of a ranking; `model` is its state."""

    def __init__(self, model):
        self.model = self.state = model
        self._lock = threading.RLock()
        self.page = Page(model, self.act)
        self.headline, self.history, self.message = ipywidgets.HTML(), ipywidgets.HTML(), Message()
        self.order = ipywidgets.Dropdown(
            options=ORDERS,
            description="order by:",
            tooltip="What the documents are ordered by: most harmful, or highest loss, first",
            style={"description_width": "60px"},
            layout={"width": "220px"},
        )
        self.back = button("Back", lambda: model.turn(-1), self.act, "The page before")
        self.on = button("Next", lambda: model.turn(1), self.act, "The next page")
        self.all = button(
            "Tick page", lambda: model.tick(model.shown), self.act, "Tick all on this page"
        )
        self.none = button("Untick all", model.clear, self.act, "Take all ticks away")
        training = self.training_controls(model.run.steps, "document")
        self.controls = Controls([self.order])
        self.controls.on_change(self.order, lambda by: self.act(lambda: model.sort(by)))
        bar = {"flex_flow": "row wrap", "align_items": "center"}
        super().__init__(
            [
                ipywidgets.Box(
                    [self.controls, self.back, self.on, self.all, self.none], layout=bar
                ),
                self.page,
                self.headline,
                ipywidgets.HBox(training),
                self.message,
                self.history,
                InBrowser(),
            ],
            layout={"max_width": "620px"},
        )
        for name in ("sketchlab", "sketchlab-review"):
            self.add_class(name)
        self.act(lambda: None)

    def __repr__(self):
        return f"ReviewView({self.model.count} of {len(self.model)} ticked, {self.model.run!r})"

    def refresh(self):
        """Show the state; raises what goes wrong."""
        model = self.model
        with self.controls.showing():
            self.order.value = model.by
        self.back.disabled, self.on.disabled = model.page == 0, model.page == model.pages - 1
        self.page.refresh()
        self.headline.value, self.history.value = headline(model), history(model)


class Page(Controls):
    """Some documents of the ranking, each with a box to tick."""

    def __init__(self, model, act):
        self.model = model
        label, numbers = ipywidgets.Layout(**LABEL), ipywidgets.Layout(**NUMBERS)
        row = {"border_top": "1px solid #8884", "overflow": "visible"}
        self.boxes = [ipywidgets.Checkbox(indent=False, layout=label) for _ in range(model.rows)]
        self.numbers = [ipywidgets.HTML(layout=numbers) for _ in self.boxes]
        unit = html.escape(str(getattr(model.output, "unit", "")))
        self.where = ipywidgets.HTML(layout=label)
        effect = f"effect ({unit})" if unit else "effect"
        head = ipywidgets.HTML(_columns(f"<b>{effect}</b>", "<b>loss on it</b>"), layout=numbers)
        pairs = zip(self.boxes, self.numbers, strict=True)
        self.lines = [ipywidgets.HBox([*pair], layout=row) for pair in pairs]
        super().__init__([ipywidgets.HBox([self.where, head]), *self.lines])
        for place, box in enumerate(self.boxes):
            self.on_change(box, lambda on, place=place: act(lambda: self._tick(place, on)))

    def _tick(self, place, on):
        self.model.tick([self.model.shown[place]], on)

    def refresh(self):
        """Show this page."""
        model = self.model
        first = model.page * model.rows
        self.where.value = (
            f'<div style="{LINE}"><b>{first + 1} to {first + len(model.shown)}</b> of '
            f"{len(model)}</div>"
        )
        with self.showing():
            for place, (box, numbers) in enumerate(zip(self.boxes, self.numbers, strict=True)):
                there = place < len(model.shown)
                self.lines[place].layout.display = None if there else "none"
                if not there:
                    continue
                number = model.shown[place]
                words = model.labels[number]
                short = words if len(words) <= LONGEST else f"{words[:LONGEST]}…"
                box.description, box.tooltip = f"{first + place + 1}: {short}", words
                box.value = bool(model.ticked[number])
                effect, loss = f"{model.effects[number]:+.5f}", f"{model.losses[number]:.3f}"
                numbers.value = _columns(effect, loss)


def _columns(*cells):
    spans = "".join(f'<span style="{COLUMN}">{cell}</span>' for cell in cells)
    return f'<div style="{LINE}">{spans}</div>'


def headline(model):
    """How many are ticked, and what their deletion would do, and did."""
    title = html.escape(getattr(model.output, "title", "the output"))
    if not model.count:
        text = f"Tick those that look bad. Now: {title} {model.now:.4f}"
    else:
        text = (
            f"{model.count} of {len(model)} ticked; {title}: now {model.now:.4f}, predicted change "
            f"{model.prediction.change:+.4f}"
        )
        if model.last is not None:
            text += f", retrained {model.last.retrained:+.4f}"
    return (
        '<div class="sketchlab-headline" aria-live="polite" style="font-size: 1.15em; '
        f'line-height: 1.4; {AS_TYPED}"><b>{text}</b></div>'
    )


def history(model):
    """A table of the retrainings, the last one first."""
    if not model.tries:
        return ""
    title = "" if model.check is None else html.escape(getattr(model.check, "title", "the check"))
    checks = [f"check: change of {title}"] if title else []
    heads = ["deleted", "predicted change", "retrained", *checks]
    rows = [
        [str(one.deleted), f"{one.predicted:+.4f}", f"{one.retrained:+.4f}"]
        + ([] if one.checked is None else [f"{one.checked:+.4f}"])
        for one in reversed(model.tries)
    ]
    cell = 'style="text-align: right; padding: 0 8px 0 0"'
    body = "".join(
        f"<tr>{''.join(f'<{tag} {cell}>{text}</{tag}>' for text in line)}</tr>"
        for tag, line in [("th", heads), *[("td", row) for row in rows]]
    )
    return f'<div class="sketchlab-history" style="line-height: 1.4"><table>{body}</table></div>'
