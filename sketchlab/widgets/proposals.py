"""Rules that find names to delete: a pattern, the largest effect, chance.

`explorer` is any state that has a `selection`; its `noun` says what documents are called.
"""

import html

import ipywidgets
import numpy as np

from .parts import FULL, NARROW, Controls, button, how_many
from .selection import KINDS, MODES

MOST = 200  # names to find at once, or values to choose from
RANGE = ("from", "to")  # both included


class Proposal(Controls):
    """A rule that finds names, and buttons to delete only these, these too, or not these."""

    def __init__(self, explorer, act, inputs):
        self.explorer, self.act = explorer, act
        self.noun = getattr(explorer, "noun", "name")
        labels = {"replace": "Only these", "add": "Add", "remove": "Remove"}
        self.buttons = {
            mode: button(labels[mode], lambda mode=mode: self.apply(mode), act) for mode in MODES
        }
        self.found = ipywidgets.HTML()
        super().__init__([*inputs, self.found, ipywidgets.HBox([*self.buttons.values()])])
        for control in inputs:
            self.on_change(control, lambda _: self.refresh())
        self.refresh()

    def apply(self, mode):
        """Choose what the rule finds."""
        mask = self.propose()
        if not mask.any():
            raise ValueError(f"no {self.noun} was found, so nothing was changed")
        self.explorer.selection.choose(mask, mode)

    def refresh(self):
        """Say how many names the rule finds, or what is wrong with it."""
        self.found.value = ""
        with self.telling():
            count = int(self.propose().sum())
            self.found.value = f"{count} {self.noun}{'' if count == 1 else 's'}{self.meaning()}"

    def meaning(self):
        """What the names have in common, as HTML."""
        return ""


class Pattern(Proposal):
    """Names by a pattern in their text, or by their length."""

    def __init__(self, explorer, act):
        self.kind = ipywidgets.Dropdown(options=KINDS, layout=FULL, tooltip="Kind of pattern")
        first = explorer.selection.documents[0][:1]
        self.text = ipywidgets.Text(
            placeholder=f"for example {first}", layout=FULL, tooltip="Pattern"
        )
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


class Column(Proposal):
    """Documents by a column of the table: a range of its numbers, or one of its values."""

    def __init__(self, explorer, act):
        self.columns = explorer.columns
        self.column = ipywidgets.Dropdown(
            options=self.columns.names, description="column", style=NARROW, layout=FULL
        )
        self.low, self.high = (
            ipywidgets.FloatText(description=end, style=NARROW, layout=FULL) for end in RANGE
        )
        self.value = ipywidgets.Dropdown(description="value", style=NARROW, layout=FULL)
        super().__init__(explorer, act, [self.column, self.low, self.high, self.value])

    def refresh(self):
        """Say how many there are; another column starts with its whole range, or with no value."""
        if self.column.value != getattr(self, "_shown", None):
            self._shown = self.column.value
            with self.showing():
                self._start()
        super().refresh()

    def _start(self):
        name = self.column.value
        is_number = self.columns.is_number(name)
        self.low.layout.display = self.high.layout.display = None if is_number else "none"
        self.value.layout.display = "none" if is_number else None
        if is_number:
            self.low.value, self.high.value = self.columns.extent(name)
        else:
            values = self.columns.values(name)[:MOST]
            self.value.options = [(f"{value} ({count})", value) for value, count in values]
            self.value.value = None

    def propose(self):
        """Mask of the documents in the range, or with the value; of no value, none."""
        if self.columns.is_number(self.column.value):
            return self.columns.between(self.column.value, self.low.value, self.high.value)
        if self.value.value is None:
            return np.zeros(len(self.explorer.run), bool)
        return self.columns.equal(self.column.value, self.value.value)


class Effect(Proposal):
    """The names that matter most for what is asked."""

    def __init__(self, explorer, act):
        self.number = how_many(min(MOST, len(explorer.sketch.units)), 10)
        self.effect = ipywidgets.Dropdown(
            options=explorer.effects, layout=FULL, tooltip="Kind of effect"
        )
        super().__init__(explorer, act, [self.effect, self.number])

    def propose(self):
        """Mask of the names with the largest effect."""
        return self.explorer.most(self.number.value, self.effect.value)

    def meaning(self):
        """What the effect does to the present question."""
        question = self.explorer.question
        rises = self.explorer.sign(self.effect.value) > 0
        return (
            f'<span style="overflow-wrap: anywhere"> whose deletion '
            f"{'raises' if rises else 'lowers'} the {html.escape(question.title)} most, "
            "to first order</span>"
        )


class Random(Proposal):
    """Names drawn at random, new ones at every press."""

    def __init__(self, explorer, act):
        self.number = how_many(min(MOST, len(explorer.sketch.units)), 20)
        self.seed = 0
        super().__init__(explorer, act, [self.number])

    def apply(self, mode):
        """Choose, and draw others the next time."""
        super().apply(mode)
        self.seed += 1

    def propose(self):
        """Mask of some random names."""
        return self.explorer.at_random(self.number.value, self.seed)
