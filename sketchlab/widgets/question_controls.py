"""The controls that choose what to ask, and how accurately it is answered."""

import html
import math

import ipywidgets

from ..training.microgpt import END
from ..training.outputs import LossOn, MeanLoss, NextLetter
from .explorer import EPSILON, WHOLE
from .parts import FULL, NARROW, Controls, button, heading, in_bytes, text_field
from .selection import visible


class Question(Controls):
    """What to ask the model: an output that is offered; of microgpt, also what is typed in."""

    NEXT = "next letter"

    def __init__(self, explorer, act):
        self.explorer, self.act, self._shown = explorer, act, None
        self.on_one = f"loss on a {explorer.noun}"
        self.on_unseen = f"mean loss on unseen {explorer.noun}s"
        self.offers = dict(explorer.offers)
        typed = [self.on_one, self.NEXT] + ([self.on_unseen] if len(explorer.held_out) else [])
        kinds = [*(typed if explorer.reads_text else []), *self.offers]
        self.kind = ipywidgets.Dropdown(options=kinds, layout=FULL, tooltip="Kind of output")
        fields = [self.kind, *(self._text_fields() if explorer.reads_text else [])]
        self.note = ipywidgets.HTML(
            f'<div style="font-size: 0.9em; line-height: 1.3">{html.escape(explorer.note)}</div>'
        )
        super().__init__([heading("Ask"), *fields, self.note])
        for control in fields:
            self.on_change(control, lambda _: self._ask())

    def _text_fields(self):
        explorer, model = self.explorer, self.explorer.run.model
        first = getattr(self.explorer.question, "example", self.explorer.run.data[0])
        self.name = text_field(explorer.noun, first)
        self.name.add_class("sketchlab-name")
        self.prefix = text_field("after", first[: min(2, model.context - 1)])
        self.letter = ipywidgets.Dropdown(
            options=[(visible(letter), letter) for letter in (*model.vocabulary, END)],
            description="letter",
            style=NARROW,
            layout=FULL,
        )
        return self.name, self.prefix, self.letter

    def refresh(self):
        """Show the question, if it is not what a person has asked here."""
        question, typed = self.explorer.question, self.explorer.reads_text
        if question != self._shown:
            with self.showing():
                if typed and isinstance(question, LossOn):
                    self.kind.value, self.name.value = self.on_one, question.example
                elif typed and isinstance(question, NextLetter):
                    self.kind.value = self.NEXT
                    self.prefix.value, self.letter.value = question.prefix, question.letter
                elif typed and question == MeanLoss(self.explorer.held_out):
                    self.kind.value = self.on_unseen
                else:
                    self._offer(question)
            self._shown = question
            self.message.say(None)
        self._show_fields()

    def _offer(self, question):
        """Show another output, one that was asked for in a cell too."""
        if self.offers.get(question.title) is not question:
            self.offers[question.title] = question
            self.kind.options = [*dict.fromkeys([*self.kind.options, question.title])]
        self.kind.value = question.title

    def _show_fields(self):
        kind, unseen = self.kind.value, self.on_unseen in self.kind.options
        told = self.explorer.note and (kind == self.on_unseen or not unseen)
        self.note.layout.display = None if told else "none"
        if not self.explorer.reads_text:
            return
        self.name.layout.display = None if kind == self.on_one else "none"
        for field in (self.prefix, self.letter):
            field.layout.display = None if kind == self.NEXT else "none"

    def _ask(self):
        self._show_fields()
        try:
            if self.kind.value in self.offers:
                self.explorer.ask(self.offers[self.kind.value])
            elif self.kind.value == self.on_one:
                self.explorer.ask(LossOn(self.name.value))
            elif self.kind.value == self.NEXT:
                self.explorer.ask(NextLetter(self.prefix.value, self.letter.value))
            else:
                self.explorer.ask_mean_loss()
        except Exception as error:  # a widget must answer in words, whatever went wrong
            self.message.say(error, f". Still shown: {self.explorer.question.title}")
            return
        self._shown = self.explorer.question
        self.act(lambda: None)


class Accuracy(Controls):
    """The whole sketch, or what epsilon asks for, or what is set by hand; and the down-weight."""

    def __init__(self, explorer, act):
        self.explorer = explorer
        self.epsilon = ipywidgets.FloatLogSlider(
            explorer.epsilon, min=-4, max=0, step=0.1, description="epsilon", readout_format=".2g"
        )
        self.whole = button(
            "Whole sketch", explorer.set_whole, act, "The best prediction: all that was paid for"
        )
        self.epsilon.tooltip = "Largest error wanted: 90% band either side of the prediction"
        self.degree = ipywidgets.IntSlider(
            explorer.degree, 1, explorer.sketch.degree, description="degree"
        )
        self.directions = ipywidgets.SelectionSlider(
            options=explorer.sizes, value=explorer.directions, description="directions"
        )
        self.weight = ipywidgets.FloatSlider(
            explorer.weight, min=0, max=1, step=0.05, description="down-weight"
        )
        # Else a browser sends back every value that it is shown, which then looks like a person's.
        self.epsilon.continuous_update = self.directions.continuous_update = False
        self.note = ipywidgets.HTML()
        sliders = [self.epsilon, self.degree, self.directions, self.weight]
        for slider, name in zip(
            sliders, ("epsilon", "degree", "directions", "weight"), strict=True
        ):
            slider.style, slider.layout.width = NARROW, FULL["width"]
            slider.add_class(f"sketchlab-{name}")
        super().__init__([heading("Accuracy"), *sliders, self.whole, self.note])
        self.act = act
        self.on_change(self.epsilon, self._move)
        for slider in (self.degree, self.directions):
            self.on_change(
                slider,
                lambda _: act(lambda: explorer.set_part(self.degree.value, self.directions.value)),
            )
        self.on_change(self.weight, lambda w: act(lambda: setattr(explorer, "weight", w)))

    def _move(self, epsilon):
        """Set epsilon, if a person has: a browser sends back what it is shown, rounded to steps."""
        if abs(math.log10(epsilon / self.explorer.epsilon)) > self.epsilon.step / 2:
            self.act(lambda: self.explorer.set_epsilon(epsilon))

    def refresh(self, answer):
        """Show the part of the sketch that is used, its cost, and whether epsilon is reached."""
        exponent = math.log10(self.explorer.epsilon)
        self.whole.disabled = self.explorer.chosen_by == WHOLE
        with self.showing(), self.epsilon.hold_sync():  # at once: a browser clips what is between
            self.epsilon.min = min(self.epsilon.min, math.floor(exponent) - 1)
            self.epsilon.max = max(self.epsilon.max, math.ceil(exponent))
            self.epsilon.value = self.explorer.epsilon
        with self.showing():
            self.degree.value = self.explorer.degree
            self.directions.value = self.explorer.directions
            self.weight.value = self.explorer.weight
        trainings, size = self.explorer.cost
        if not (len(self.explorer.selection) and self.explorer.weight):
            self.note.value = ""
            return
        if self.explorer.chosen_by == WHOLE:
            verdict = "It is the whole sketch, its best prediction: move epsilon to use less."
        elif self.explorer.chosen_by != EPSILON:
            verdict = "This part was set by hand, not by epsilon."
        elif answer.plan.within_reach:
            verdict = "It is the cheapest part whose band, without anchors, is within epsilon."
        else:
            verdict = f"No part is within epsilon: {answer.plan.reason}."
        self.note.value = (
            f'<div class="sketchlab-cost" style="line-height: 1.4">This part of the sketch cost as '
            f"much as {trainings} trainings, once, and takes {in_bytes(size)}. {verdict}</div>"
        )
