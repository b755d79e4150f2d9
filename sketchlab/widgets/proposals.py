"""Rules that find names to delete: a pattern, the largest effect, chance.

`explorer` is any state that has a `selection`; its `noun` says what documents are called.
"""

import html

import ipywidgets

from .explorer import EFFECTS
from .parts import FULL, Controls, button, how_many
from .selection import KINDS, MODES

MOST = 200  # names to find at once


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
        self.number = how_many(min(MOST, len(explorer.sketch.units)), 10)
        self.effect = ipywidgets.Dropdown(options=EFFECTS, layout=FULL, tooltip="Kind of effect")
        super().__init__(explorer, act, [self.effect, self.number])

    def propose(self):
        """Mask of the names with the largest effect."""
        return self.explorer.most(self.number.value, self.effect.value)

    def meaning(self):
        """What the effect does to the present question."""
        question = self.explorer.question
        rises = (self.effect.value == "helpful") == (question.helps > 0)
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
