"""Controls that choose documents of any run: by text, number, predicted effect, or at random."""

import html

import ipywidgets
import numpy as np

from .one_deletion import WAYS
from .parts import AS_TYPED, FULL, NARROW, Controls, button, heading, how_many, text_field
from .proposals import MOST, Pattern, Proposal
from .selection import visible

MOST_NAMED = 200
MOST_SEED = 999_999


class Choices(Controls):
    """All ways to choose, each on its page, and what is chosen; model: a `OneDeletion`."""

    def __init__(self, model, act):
        self.model, selection = model, model.selection
        self.pages = {
            "Largest effect": Largest,
            "Text": Text,
            "Number": Numbers,
            "Random": Draw,
        }
        if not model.ranked:
            del self.pages["Largest effect"]
        self.pages = {name: page(model, act) for name, page in self.pages.items()}
        tabs = ipywidgets.Tab(tuple(self.pages.values()), titles=tuple(self.pages), layout=FULL)
        nothing = np.zeros(len(model), bool)
        self.none = button("None", lambda: selection.choose(nothing), act, "Delete nothing")
        self.undo = button("Undo", selection.undo, act, "Take back the last choice")
        self.count = ipywidgets.HTML()
        buttons = ipywidgets.HBox([self.none, self.undo], layout=FULL)
        super().__init__([heading("Delete"), tabs, buttons, self.count])

    def refresh(self):
        """Show what is chosen."""
        if "Largest effect" in self.pages:
            self.pages["Largest effect"].refresh()  # of the output that is asked for
        names = self.model.selection.names
        listed = " ".join(html.escape(visible(name)) for name in names[:MOST_NAMED])
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        noun = "document" if len(names) == 1 else "documents"
        self.count.value = (
            f'<div class="sketchlab-chosen" style="line-height: 1.4"><b>{len(names)} {noun}</b> of '
            f'{len(self.model)} deleted<div style="{AS_TYPED}" tabindex="0">{listed}{more}</div>'
            "</div>"
        )


class Text(Pattern):
    """Documents by a pattern in their text, or in their labels, or by its length."""

    def __init__(self, model, act):
        super().__init__(model, act)
        for control, description in ((self.kind, "text"), (self.text, "pattern")):
            control.description, control.style = description, NARROW


class Numbers(Proposal):
    """Documents by their numbers in the data."""

    def __init__(self, model, act):
        self.text = text_field("numbers", "")
        self.text.placeholder = f"for example 0, 3-5; up to {len(model) - 1}"
        self.text.tooltip = "Numbers of documents, counted from 0"
        super().__init__(model, act, [self.text])

    def propose(self):
        """Mask of the documents."""
        return self.explorer.numbered(self.text.value)


class Largest(Proposal):
    """The documents, or units, that one of the methods holds to matter most."""

    def __init__(self, model, act):
        self.number = how_many(min(MOST, len(model.units)), 10)
        self.number.tooltip = "How many to delete, by single effects"
        self.method = ipywidgets.Dropdown(
            options=model.ranked,
            description="method",
            tooltip="Whose effects are taken",
            style=NARROW,
            layout=FULL,
        )
        self.way = ipywidgets.Dropdown(
            options=WAYS,
            description="moves it",
            tooltip="Which way deleting them moves the output",
            style=NARROW,
            layout=FULL,
        )
        super().__init__(model, act, [self.method, self.way, self.number])

    def propose(self):
        """Mask of those with the largest effect on the output."""
        return self.explorer.largest(self.number.value, self.method.value, self.way.value)

    def meaning(self):
        """What their effect is on."""
        return (
            f'<span style="overflow-wrap: anywhere"> of largest effect on the '
            f"{html.escape(self.explorer.title)}</span>"
        )


class Draw(Proposal):
    """Some at random; the same seed draws the same."""

    def __init__(self, model, act):
        self.number = how_many(min(MOST, len(model.units)), 10)
        self.number.tooltip = "How many to delete"
        self.seed = ipywidgets.BoundedIntText(
            0,
            min=0,
            max=MOST_SEED,
            description="seed",
            tooltip="Another seed draws others",
            style=NARROW,
            layout=FULL,
        )
        super().__init__(model, act, [self.number, self.seed])

    def propose(self):
        """Mask of those drawn."""
        return self.explorer.at_random(self.number.value, self.seed.value)
