"""The controls that choose what to delete: by unit, by name, by rule; undo, none, all.

`act`, here and in the other controls, is given by the view: it runs a change of the state, draws
everything again, and shows in words what either raises.
"""

import html

import ipywidgets
import numpy as np

from .name_list import NameList
from .parts import AS_TYPED, FULL, Controls, button, heading
from .proposals import Column, Effect, Pattern, Random
from .selection import visible
from .thumbnails import thumbnail

MOST_CHIPS, MOST_NAMED = 60, 500


class Deletion(Controls):
    """All ways to choose, each on its page, and what is chosen."""

    def __init__(self, explorer, act):
        self.explorer = explorer
        selection = explorer.selection
        self.units = Chips(explorer, act)
        self.names = NameList(explorer, act)
        groups = _kind(selection)
        self.pages = {
            groups: self.units,
            "Text": Pattern(explorer, act) if selection.is_text else None,
            f"{explorer.noun}s".capitalize(): self.names,
            "Columns": None if explorer.columns is None else Column(explorer, act),
            "Largest effect": Effect(explorer, act),
            "Random": Random(explorer, act),
        }
        if not self.units.chips:
            del self.pages[groups]
        self.pages = {title: page for title, page in self.pages.items() if page is not None}
        tabs = ipywidgets.Tab(tuple(self.pages.values()), titles=tuple(self.pages), layout=FULL)
        self.count = ipywidgets.HTML()
        everything = np.ones(len(selection.documents), bool)
        self.none = button("None", lambda: selection.choose(~everything), act, "Delete nothing")
        self.all = button(
            "All", lambda: selection.choose(everything), act, f"Delete every {explorer.noun}"
        )
        self.undo = button("Undo", selection.undo, act, "Take back the last choice")
        buttons = ipywidgets.HBox([self.none, self.all, self.undo], layout=FULL)
        super().__init__([heading("Delete"), tabs, buttons, self.count])

    def refresh(self):
        """Show what is chosen."""
        self.units.refresh()
        self.names.refresh()
        self.pages["Largest effect"].refresh()
        self.undo.disabled = not self.explorer.selection.can_undo
        names, noun = self.explorer.selection.chosen, self.explorer.noun
        listed = self.explorer.between.join(map(html.escape, names[:MOST_NAMED]))
        most, images = MOST_NAMED, self.explorer.images
        if images is not None:
            most = MOST_CHIPS
            chosen = np.flatnonzero(self.explorer.selection.mask)[:most]
            listed = " ".join(map(thumbnail, images[chosen], names))
        more = f" and {len(names) - most} more" if len(names) > most else ""
        noun = noun if len(names) == 1 else f"{noun}s"
        self.count.value = (
            f'<div class="sketchlab-chosen" style="line-height: 1.4"><b>{len(names)} {noun}</b> of '
            f'{len(self.explorer.run)} deleted<div style="{AS_TYPED}" '
            f'tabindex="0">{listed}{more}</div></div>'
        )


def _kind(selection):
    """What the named groups have in common."""
    pairs = [
        (
            name,
            {
                visible(document[:1])
                for document, inside in zip(selection.documents, mask, strict=True)
                if inside
            },
        )
        for name, mask in (selection.groups.items() if selection.is_text else ())
    ]
    return "First letter" if pairs and all(found == {name} for name, found in pairs) else "Groups"


class Chips(Controls):
    """A button for every named group of names."""

    def __init__(self, explorer, act):
        self.selection = explorer.selection
        self.groups, self.chips = self.selection.groups, {}
        if all(len(name) == 1 for name in self.groups):  # letters, by the alphabet
            self.groups = dict(sorted(self.groups.items()))
        if len(self.groups) <= MOST_CHIPS:
            layout = ipywidgets.Layout(width="auto", margin="1px", padding="0 8px")  # of all chips
            style = {}
            for name, mask in self.groups.items():
                self.chips[name] = ipywidgets.ToggleButton(
                    description=name,
                    tooltip=f"{int(mask.sum())} {explorer.noun}s",
                    layout=layout,
                    style=style,
                )
                style = self.chips[name].style
        box = ipywidgets.Box([*self.chips.values()], layout={"flex_flow": "row wrap"})
        box.add_class("sketchlab-chips")
        super().__init__([box])
        for name, chip in self.chips.items():
            self.on_change(
                chip,
                lambda pressed, mask=self.groups[name]: act(
                    lambda: self.selection.choose(mask, "add" if pressed else "remove")
                ),
            )

    def refresh(self):
        """Press the buttons of the groups that are chosen."""
        chosen = self.selection.mask
        with self.showing():
            for name, chip in self.chips.items():
                chip.value = bool(np.all(chosen[self.groups[name]]))
