"""Sliders beside a figure. The mathematics is elsewhere; this only shows it."""

import html
import io

import ipywidgets


def with_sliders(draw, **sliders):
    """A figure that follows sliders: draw(**values) is called again whenever one moves.

    draw: a function that returns a matplotlib figure. sliders: for each of its arguments either an
    ipywidgets control, or (least, most, step, start) for a slider: of integers if all four are.
    Anything draw raises is shown as text in place of the figure.
    """
    controls = {name: _control(name, setting) for name, setting in sliders.items()}
    image, message = ipywidgets.Image(format="png"), ipywidgets.HTML()
    image.layout.max_width, image.layout.align_self = "100%", "flex-start"

    def show(_=None):
        try:
            figure = draw(**{name: control.value for name, control in controls.items()})
            buffer = io.BytesIO()
            figure.savefig(buffer, format="png", dpi=110)
            image.value, message.value, image.layout.display = buffer.getvalue(), "", None
        except Exception as error:  # a widget must answer in words, whatever went wrong
            image.layout.display = "none"
            message.value = f"<b>{type(error).__name__}:</b> {html.escape(str(error))}"

    for control in controls.values():
        control.observe(show, names="value")
    show()
    return ipywidgets.VBox([*controls.values(), message, image])


def _control(name, setting):
    if isinstance(setting, ipywidgets.Widget):
        return setting
    least, most, step, start = setting
    kind = ipywidgets.FloatSlider
    if all(isinstance(value, int) for value in setting):
        kind = ipywidgets.IntSlider
    return kind(min=least, max=most, step=step, value=start, description=name.replace("_", " "))
