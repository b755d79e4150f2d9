"""A list of the documents, or of the units, each with a box to tick, and a search."""

import unicodedata

import ipywidgets
import numpy as np

from .parts import FULL, Controls, button
from .thumbnails import thumbnail

ROWS, LONGEST = 9, 60  # boxes on a page; letters of a label
LINE = {"width": "98%", "margin": "0 2px", "height": "24px"}


class NameList(Controls):
    """Boxes to tick, a page at a time; what the search or the page hides stays as it is.

    found: numbers of the units that the search finds, in the order of the list; shown: those that
    have a box now. boxes: the boxes, of which the first ones are used.
    """

    def __init__(self, explorer, act):
        self.selection, self.act, self.noun = explorer.selection, act, explorer.noun
        units, of_text = explorer.sketch.units, self.selection.is_text
        if len(units) == len(explorer.run):
            self.labels = list(self.selection.labels)
            self.items = list(map(str, explorer.run.data)) if of_text else self.labels
            self.lines = [_numbered(number, label) for number, label in enumerate(self.labels)]
        else:
            sizes = zip(units.names, units.sizes, strict=True)
            self.labels = self.items = [f"{unit} ({size} {self.noun}s)" for unit, size in sizes]
            self.lines, of_text, self.noun = self.labels, False, "unit"
        self.order = range(len(self.labels))  # rows by number, names by the alphabet
        if of_text:
            self.order = sorted(self.order, key=self.labels.__getitem__)
        self.search = ipywidgets.Text(
            placeholder="search, or a number", layout=FULL, tooltip=f"Search {self.noun}s"
        )
        count = min(ROWS, len(self.labels))
        self.boxes = [  # each with a layout of its own: some are hidden
            ipywidgets.Checkbox(indent=False, layout=dict(LINE)) for _ in range(count)
        ]
        self.images = explorer.images if len(units) == len(explorer.run) else None
        self.thumbnails = [ipywidgets.HTML() for _ in self.boxes]
        lines = self.boxes
        if self.images is not None:
            pairs = zip(self.thumbnails, self.boxes, strict=True)
            lines = [ipywidgets.HBox([*pair], layout=dict(LINE)) for pair in pairs]
        self.back = button("Back", lambda: self._turn(-1), act, "The page before")
        self.on = button("Next", lambda: self._turn(1), act, "The next page")
        self.note = ipywidgets.HTML()
        box = ipywidgets.VBox(lines)
        box.add_class("sketchlab-names")
        super().__init__([self.search, box, ipywidgets.HBox([self.back, self.on, self.note])])
        for place, tick in enumerate(self.boxes):
            self.on_change(tick, lambda on, place=place: self._tick(place, on))
        self.on_change(self.search, lambda _: self._find())
        self._find()

    def _find(self):
        text = unicodedata.normalize("NFC", self.search.value).lower()
        self.found = [
            unit
            for unit in self.order
            if text in self.items[unit].lower()
            or text in self.labels[unit].lower()
            or text.strip() == str(unit)
        ]
        self.page = 0
        self.refresh()

    @property
    def shown(self):
        """Numbers of the units on this page."""
        return self.found[self.page * ROWS :][:ROWS]

    def refresh(self):
        """Show this page, with ticks at what is chosen."""
        chosen, shown = self.selection.down_weights > 0, self.shown
        with self.showing():
            for place, box in enumerate(self.boxes):
                box.layout.visibility = "visible" if place < len(shown) else "hidden"
                if place < len(shown):
                    line = self.lines[shown[place]]
                    box.description = line if len(line) <= LONGEST else f"{line[:LONGEST]}…"
                    box.tooltip, box.value = line, bool(chosen[shown[place]])
                if self.images is not None:
                    self.thumbnails[place].value = (
                        thumbnail(self.images[shown[place]], line) if place < len(shown) else ""
                    )
        first, count = self.page * ROWS, len(self.found)
        self.back.disabled, self.on.disabled = first == 0, first + ROWS >= count
        self.note.value = (
            f"{first + 1} to {first + len(shown)} of {count}" if count else f"no {self.noun} found"
        )

    def _turn(self, pages):
        last = max(0, len(self.found) - 1) // ROWS
        self.page = int(np.clip(self.page + pages, 0, last))

    def _tick(self, place, on):
        x = self.selection.down_weights
        x[self.shown[place]] = float(on)
        self.act(lambda: self.selection.choose_units(x))


def _numbered(number, label):
    """A label with the number of its document, unless it says that itself."""
    return label if label == f"row {number}" else f"{number}: {label}"
