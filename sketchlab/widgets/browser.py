"""What the browser does for every widget: names that are read aloud, style, clicks on rows."""

import pathlib

import anywidget

HERE = pathlib.Path(__file__).parent


class InBrowser(anywidget.AnyWidget):
    """A part that is not seen; it serves the nearest box around it of the class `sketchlab`.

    ipywidgets gives sliders and toggles no names that screen readers could read: these are set in
    the browser, by browser.js. browser.css is the style of all widgets. on_row: called with the
    number of a row when something in it, with the attribute data-row, is clicked.
    """

    _esm = HERE / "browser.js"
    _css = HERE / "browser.css"

    def __init__(self, on_row=None):
        super().__init__()
        if on_row is not None:
            self.on_msg(lambda _, content, __: _clicked(content, on_row))


def _clicked(content, on_row):
    row = content.get("row") if isinstance(content, dict) else None
    if isinstance(row, int) and not isinstance(row, bool):
        on_row(row)
