"""The controls that choose what to delete: by unit, by name, by rule; undo, none, all.

`act`, here and in the other controls, is given by the view: it runs a change of the state, draws
everything again, and shows in words what either raises.
"""

import collections
import html
import unicodedata

import ipywidgets
import numpy as np

from .parts import AS_TYPED, FULL, Controls, button, heading
from .proposals import Effect, Pattern, Random
from .selection import visible

MOST_CHIPS, MOST_LISTED, MOST_NAMED = 60, 1000, 500


class Deletion(Controls):
    """All ways to choose, each on its page, and what is chosen."""

    def __init__(self, explorer, act):
        self.explorer = explorer
        selection = explorer.selection
        self.units = Chips(explorer, act)
        self.names = NameList(explorer, act)
        self.pages = {
            "Units": self.units,
            "Text": Pattern(explorer, act),
            "Names": self.names,
            "Effect": Effect(explorer, act),
            "Draw": Random(explorer, act),
        }
        if not self.units.chips:
            del self.pages["Units"]
        tabs = ipywidgets.Tab(tuple(self.pages.values()), titles=tuple(self.pages), layout=FULL)
        self.count = ipywidgets.HTML()
        everything = np.ones(len(selection.documents), bool)
        self.none = button("None", lambda: selection.choose(~everything), act, "Delete nothing")
        self.all = button("All", lambda: selection.choose(everything), act, "Delete every name")
        self.undo = button("Undo", selection.undo, act, "Take back the last choice")
        buttons = ipywidgets.HBox([self.none, self.all, self.undo], layout=FULL)
        super().__init__([heading("Delete"), tabs, buttons, self.count])

    def refresh(self):
        """Show what is chosen."""
        self.units.refresh()
        self.names.refresh()
        self.pages["Effect"].refresh()
        names = self.explorer.selection.names
        listed = " ".join(html.escape(visible(name)) for name in names[:MOST_NAMED])
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        noun = "name" if len(names) == 1 else "names"
        self.count.value = (
            f'<div class="sketchlab-chosen" style="line-height: 1.4"><b>{len(names)} {noun}</b> of '
            f'{len(self.explorer.run)} deleted<div style="{AS_TYPED}" '
            f'tabindex="0">{listed}{more}</div></div>'
        )


class Chips(Controls):
    """A button for every named group of names."""

    def __init__(self, explorer, act):
        self.selection = explorer.selection
        self.groups, self.chips = self.selection.groups, {}
        if len(self.groups) <= MOST_CHIPS:
            for name, mask in self.groups.items():
                chip = ipywidgets.ToggleButton(
                    description=name, tooltip=f"{int(mask.sum())} names", layout={"width": "auto"}
                )
                chip.layout.margin, chip.layout.padding = "1px", "0 8px"
                self.chips[name] = chip
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


class NameList(Controls):
    """A list to click names in, with a search."""

    def __init__(self, explorer, act):
        self.selection, units = explorer.selection, explorer.sketch.units
        self.act = act
        if len(units) == len(explorer.run):
            self.items = [str(document) for document in explorer.run.data]
            self.labels = _distinct(list(map(visible, self.items)), "document")
        else:
            sizes = zip(units.names, units.sizes, strict=True)
            self.items = [f"{name} ({size} names)" for name, size in sizes]
            self.labels = _distinct(self.items, "unit")
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
        text = unicodedata.normalize("NFC", self.search.value).lower()
        found = [unit for unit, item in enumerate(self.items) if text in item.lower()]
        self.list.value = ()  # the browser fails on choices beyond a shorter list
        self.list.options = sorted((self.labels[unit], unit) for unit in found)[:MOST_LISTED]
        shown = f"first {MOST_LISTED} of {len(found)} found" if len(found) > MOST_LISTED else ""
        self.note.value = shown or "a click chooses one name; with Ctrl or Shift, several"

    def _click(self, clicked):
        x = self.selection.down_weights
        x[[unit for _, unit in self.list.options]] = 0.0
        x[list(clicked)] = 1.0
        self.act(lambda: self.selection.choose_units(x))


def _distinct(labels, what):
    """The labels, with their number where one occurs twice: a list cannot show equal ones."""
    times = collections.Counter(labels)
    return [
        f"{label} ({what} {number})" if times[label] > 1 else label
        for number, label in enumerate(labels)
    ]
