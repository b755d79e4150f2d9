"""Parts that all widgets share: a picture with its description, and a message."""

import html
import io

import ipywidgets
import traitlets

from .. import figures

RESOLUTION = 100  # dots per inch


class Picture(ipywidgets.Image):
    """A figure as an image. What it shows, in words, is the title of the image (its tooltip)."""

    description = traitlets.Unicode("").tag(sync=True)  # without one, the browser fails on tooltips

    def __init__(self):
        super().__init__(format="png")
        self.layout.max_width, self.layout.align_self = "100%", "flex-start"

    def show(self, figure, text=None):
        """Show a matplotlib figure; text: what it says, default: what its axes show."""
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=RESOLUTION, pil_kwargs={"compress_level": 1})
        with self.hold_sync():
            self.value = buffer.getvalue()
            self.tooltip = figures.description(figure) if text is None else text
            self.layout.display = None


class Message(ipywidgets.HTML):
    """What went wrong, in words; read aloud by screen readers."""

    def __init__(self):
        super().__init__()
        self.add_class("sketchlab-message")

    def say(self, error):
        """Show an error, or some text; None clears the message."""
        if isinstance(error, Exception) and not isinstance(error, ValueError):
            error = f"{type(error).__name__}: {error}"
        text = "" if error is None else html.escape(str(error))
        style = "line-height: 1.4; overflow-wrap: anywhere"
        self.value = f'<div role="alert" style="{style}">⚠ {text}</div>' if text else ""
