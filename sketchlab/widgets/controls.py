"""The controls of the explorer: what to delete, what to ask, how accurately.

Each is a box that shows a part of an `Explorer` and changes it. `act` is given by the view: it runs
a change, shows what it raises in words, and draws everything again.
"""

import contextlib
import html

import ipywidgets
import numpy as np

from ..training.microgpt import END
from ..training.outputs import LossOn, NextLetter
from .explorer import EFFECTS
from .parts import Message
from .selection import KINDS, MODES

MOST_CHIPS, MOST_LISTED, MOST_NAMED = 60, 1000, 500
FULL = {"width": "98%"}
NARROW = {"description_width": "90px"}


class Controls(ipywidgets.VBox):
    """A box of controls; `showing()` marks changes that come from the state, not from a person."""

    def __init__(self, children):
        super().__init__(children)
        self._showing = False

    @contextlib.contextmanager
    def showing(self):
        """While the state is shown, the controls do not act on it."""
        self._showing = True
        try:
            yield
        finally:
            self._showing = False

    def on_change(self, control, react):
        """Call react(value) when a person changes the control."""
        control.observe(lambda change: self._showing or react(change["new"]), names="value")


class Deletion(Controls):
    """What to delete: by unit, by pattern, by name, by effect, at random; undo, none, all."""

    def __init__(self, explorer, act):
        self.explorer, self.act = explorer, act
        selection = explorer.selection
        self.tabs = ipywidgets.Tab(layout=FULL)
        self.units = Chips(explorer, act)
        self.names = NameList(explorer, act)
        pages = {
            "Units": self.units,
            "Text": Pattern(explorer, act),
            "Names": self.names,
            "Effect": Effect(explorer, act),
            "Draw": Random(explorer, act),
        }
        if not self.units.children:
            del pages["Units"]
        self.pages = pages
        self.tabs.children, self.tabs.titles = tuple(pages.values()), tuple(pages)
        self.count = ipywidgets.HTML()
        everything = np.ones(len(selection.documents), bool)
        buttons = [
            _button("None", lambda: selection.choose(~everything), act, "Delete nothing"),
            _button("All", lambda: selection.choose(everything), act, "Delete every name"),
            _button("Undo", selection.undo, act, "Take back the last choice"),
        ]
        self.none, self.all, self.undo = buttons
        super().__init__(
            [_heading("Delete"), self.tabs, ipywidgets.HBox(buttons, layout=FULL), self.count]
        )

    def refresh(self):
        """Show what is chosen."""
        self.units.refresh()
        self.names.refresh()
        self.pages["Effect"].refresh()
        names = self.explorer.selection.names
        listed = " ".join(html.escape(str(name)) for name in names[:MOST_NAMED])
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        noun = "name" if len(names) == 1 else "names"
        self.count.value = (
            f'<div class="sketchlab-chosen" style="line-height: 1.4"><b>{len(names)} {noun}</b> of '
            f'{len(self.explorer.run)} deleted<div style="max-height: 6em; overflow-y: auto" '
            f'tabindex="0">{listed}{more}</div></div>'
        )


class Chips(Controls):
    """A button for every named group of names."""

    def __init__(self, explorer, act):
        self.selection = explorer.selection
        groups = self.selection.groups
        self.chips = {}
        if len(groups) <= MOST_CHIPS:
            for name, mask in groups.items():
                chip = ipywidgets.ToggleButton(
                    description=name, tooltip=f"{int(mask.sum())} names", layout={"width": "auto"}
                )
                chip.layout.margin, chip.layout.padding = "1px", "0 8px"
                self.chips[name] = chip
        box = ipywidgets.Box([*self.chips.values()], layout={"flex_flow": "row wrap"})
        box.add_class("sketchlab-chips")
        super().__init__([box] if self.chips else [])
        self.groups = groups
        for name, chip in self.chips.items():
            self.on_change(
                chip,
                lambda pressed, mask=groups[name]: act(
                    lambda: self.selection.choose(mask, "add" if pressed else "remove")
                ),
            )

    def refresh(self):
        """Press the buttons of the groups that are chosen."""
        chosen = self.selection.mask
        with self.showing():
            for name, chip in self.chips.items():
                chip.value = bool(np.all(chosen[self.groups[name]]))


class NameList(Controls):
    """A list to click names in, with a search."""

    def __init__(self, explorer, act):
        self.selection, units = explorer.selection, explorer.sketch.units
        self.act = act
        if len(units) == len(explorer.run):
            self.items = [str(document) for document in explorer.run.data]
        else:
            self.items = [
                f"{name} ({size} names)"
                for name, size in zip(units.names, units.sizes, strict=True)
            ]
        self.search = ipywidgets.Text(placeholder="search", layout=FULL, tooltip="Search names")
        self.list = ipywidgets.SelectMultiple(rows=9, layout=FULL, tooltip="Names to delete")
        self.list.add_class("sketchlab-names")
        self.note = ipywidgets.HTML()
        super().__init__([self.search, self.list, self.note])
        self.on_change(self.search, lambda _: self.refresh(searching=True))
        self.on_change(self.list, self._click)
        with self.showing():
            self._list_items()

    def refresh(self, searching=False):
        """Mark the names that are chosen, among those that the search finds."""
        with self.showing():
            if searching:
                self._list_items()
            chosen = self.selection.down_weights > 0
            self.list.value = [unit for _, unit in self.list.options if chosen[unit]]

    def _list_items(self):
        text = self.search.value.strip().lower()
        found = [(item, unit) for unit, item in enumerate(self.items) if text in item.lower()]
        self.list.value = ()  # the browser fails on choices beyond a shorter list
        self.list.options = sorted(found)[:MOST_LISTED]
        shown = f"first {MOST_LISTED} of {len(found)} found" if len(found) > MOST_LISTED else ""
        self.note.value = shown or "a click chooses one name; with Ctrl or Shift, several"

    def _click(self, clicked):
        x = self.selection.down_weights
        x[[unit for _, unit in self.list.options]] = 0.0
        x[list(clicked)] = 1.0
        self.act(lambda: self.selection.choose_units(x))


class Proposal(Controls):
    """A rule that finds names, and buttons to delete only these, these too, or not these."""

    def __init__(self, explorer, act, inputs):
        self.explorer, self.act = explorer, act
        self.message = Message()
        labels = {"replace": "Only these", "add": "Add", "remove": "Remove"}
        self.buttons = {
            mode: _button(labels[mode], lambda mode=mode: self.apply(mode), act) for mode in MODES
        }
        self.found = ipywidgets.HTML()
        super().__init__(
            [*inputs, self.found, self.message, ipywidgets.HBox([*self.buttons.values()])]
        )
        for control in inputs:
            self.on_change(control, lambda _: self.refresh())
        self.refresh()

    def apply(self, mode):
        """Choose what the rule finds."""
        mask = self.propose()
        if not mask.any():
            raise ValueError("no name was found, so nothing was changed")
        self.explorer.selection.choose(mask, mode)

    def refresh(self):
        """Say how many names the rule finds, or what is wrong with it."""
        try:
            count = int(self.propose().sum())
            self.found.value = f"{count} name{'' if count == 1 else 's'}"
            self.message.say(None)
        except ValueError as error:
            self.found.value = ""
            self.message.say(error)


class Pattern(Proposal):
    """Names by a pattern in their text, or by their length."""

    def __init__(self, explorer, act):
        self.kind = ipywidgets.Dropdown(options=KINDS, layout=FULL, tooltip="Kind of pattern")
        self.text = ipywidgets.Text(placeholder="for example x", layout=FULL, tooltip="Pattern")
        self.text.add_class("sketchlab-pattern")
        super().__init__(explorer, act, [self.kind, self.text])
        self.text.on_msg(
            lambda _, content, __: (
                content.get("event") == "submit" and act(lambda: self.apply("replace"))
            )
        )

    def propose(self):
        """Mask of the names that match."""
        return self.explorer.selection.matching(self.kind.value, self.text.value)


class Effect(Proposal):
    """The names that matter most for what is asked."""

    def __init__(self, explorer, act):
        most = min(200, len(explorer.sketch.units))
        self.number = ipywidgets.IntSlider(
            10 if most >= 10 else most, 1, most, description="how many", style=NARROW, layout=FULL
        )
        self.effect = ipywidgets.Dropdown(options=EFFECTS, layout=FULL, tooltip="Kind of effect")
        super().__init__(explorer, act, [self.effect, self.number])

    def propose(self):
        """Mask of the names with the largest effect."""
        return self.explorer.most(self.number.value, self.effect.value)

    def refresh(self):
        """Explain the effect for the present question."""
        rises = (self.effect.value == "helpful") == (self.explorer.question.helps > 0)
        super().refresh()
        self.found.value = (
            f"{self.found.value} whose deletion {'raises' if rises else 'lowers'} the "
            f"{html.escape(self.explorer.question.title)} most, to first order"
        )


class Random(Proposal):
    """Names drawn at random, new ones at every press."""

    def __init__(self, explorer, act):
        most = min(200, len(explorer.sketch.units))
        self.number = ipywidgets.IntSlider(
            min(20, most), 1, most, description="how many", style=NARROW, layout=FULL
        )
        self.seed = 0
        super().__init__(explorer, act, [self.number])

    def apply(self, mode):
        """Choose, and draw others the next time."""
        super().apply(mode)
        self.seed += 1

    def propose(self):
        """Mask of some random names."""
        return self.explorer.at_random(self.number.value, self.seed)


class Question(Controls):
    """What to ask the model: a loss, a probability, a mean loss."""

    LOSS, NEXT, MEAN = "loss on a name", "next letter", "mean loss on unseen names"

    def __init__(self, explorer, act):
        self.explorer, self.act = explorer, act
        kinds = [self.LOSS, self.NEXT] + ([self.MEAN] if explorer.held_out else [])
        self.kind = ipywidgets.Dropdown(options=kinds, layout=FULL, tooltip="Kind of output")
        self.name = _text("name", explorer.question.example)
        self.name.add_class("sketchlab-name")
        self.prefix = _text("after", explorer.question.example[:2])
        letters = [*explorer.run.model.vocabulary, END]
        self.letter = ipywidgets.Dropdown(
            options=letters, description="letter", style=NARROW, layout=FULL
        )
        self.message = Message()
        super().__init__(
            [_heading("Ask"), self.kind, self.name, self.prefix, self.letter, self.message]
        )
        for control in (self.kind, self.name, self.prefix, self.letter):
            self.on_change(control, lambda _: self._ask())
        self._show_fields()

    def _show_fields(self):
        kind = self.kind.value
        self.name.layout.display = None if kind == self.LOSS else "none"
        for field in (self.prefix, self.letter):
            field.layout.display = None if kind == self.NEXT else "none"

    def _ask(self):
        self._show_fields()
        try:
            if self.kind.value == self.LOSS:
                self.explorer.ask(LossOn(self.name.value.strip()))
            elif self.kind.value == self.NEXT:
                self.explorer.ask(NextLetter(self.prefix.value.strip(), self.letter.value))
            else:
                self.explorer.ask_mean_loss()
        except ValueError as error:
            self.message.say(f"{error}. Still shown: {self.explorer.question.title}")
            return
        self.message.say(None)
        self.act(lambda: None)

    def refresh(self):
        """Nothing to show: only a person changes the question here."""


class Accuracy(Controls):
    """Epsilon, or degree and directions by hand; and the down-weight."""

    def __init__(self, explorer, act):
        self.explorer = explorer
        self.epsilon = ipywidgets.FloatLogSlider(
            explorer.epsilon, min=-4, max=0, step=0.1, description="epsilon", readout_format=".2g"
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
        self.note = ipywidgets.HTML()
        sliders = [self.epsilon, self.degree, self.directions, self.weight]
        for slider, name in zip(
            sliders, ("epsilon", "degree", "directions", "weight"), strict=True
        ):
            slider.style, slider.layout.width = NARROW, "98%"
            slider.add_class(f"sketchlab-{name}")
        super().__init__([_heading("Accuracy"), *sliders, self.note])
        self.on_change(self.epsilon, lambda e: act(lambda: explorer.set_epsilon(e)))
        for slider in (self.degree, self.directions):
            self.on_change(
                slider,
                lambda _: act(lambda: explorer.set_part(self.degree.value, self.directions.value)),
            )
        self.on_change(self.weight, lambda w: act(lambda: setattr(explorer, "weight", w)))

    def refresh(self, answer):
        """Show the part of the sketch that is used, its cost, and whether epsilon is reached."""
        with self.showing():
            self.epsilon.value = self.explorer.epsilon
            self.degree.value = self.explorer.degree
            self.directions.value = self.explorer.directions
        trainings, size = self.explorer.cost
        if not (len(self.explorer.selection) and self.explorer.weight):
            self.note.value = ""
            return
        if answer.plan is None:
            verdict = "This part was set by hand, not by epsilon."
        elif answer.plan.within_reach:
            verdict = "It is the cheapest part whose band is within epsilon."
        else:
            verdict = f"No part is within epsilon: {answer.plan.reason}."
        self.note.value = (
            f'<div class="sketchlab-cost" style="line-height: 1.4">This part of the sketch cost as '
            f"much as {trainings} trainings, once, and takes {size / 1e6:.1f} MB. {verdict}</div>"
        )


def _heading(text):
    return ipywidgets.HTML(f"<b>{text}</b>")


def _text(description, value):
    return ipywidgets.Text(value, description=description, style=NARROW, layout=FULL)


def _button(label, action, act, tooltip=""):
    button = ipywidgets.Button(
        description=label, tooltip=tooltip or label, layout={"width": "auto", "flex": "1 1 auto"}
    )
    button.on_click(lambda _: act(action))
    return button
