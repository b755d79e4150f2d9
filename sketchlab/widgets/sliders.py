"""Sliders beside a figure. The mathematics is elsewhere; this only shows it."""

import ipywidgets
import numpy as np

from ..arguments import check_function, takes
from ..checks import brief, real_array
from .browser import InBrowser
from .parts import Message, Picture, attempted

PIXELS = 100  # of an inch of a figure at most, as of a figure in a cell


@takes(draw=check_function)
def with_sliders(draw, **sliders):
    """A figure that follows sliders: draw(**values) is called again whenever one moves.

    draw: a function that returns a matplotlib figure. sliders: for each of its arguments either an
    ipywidgets control, or (least, most, step, start) for a slider: of integers if all four are.
    Anything draw raises is shown as text in place of the figure.
    """
    controls = {name: _control(name, setting) for name, setting in sliders.items()}
    picture, message = Picture(), Message()

    def drawn():
        figure = draw(**{name: one.value for name, one in controls.items()})
        picture.show(figure)
        picture.layout.max_width = f"{PIXELS * figure.get_figwidth():.0f}px"

    def show(_=None):
        with message.while_slow():
            problem = attempted(drawn)
        if problem is not None:  # a widget must answer in words, whatever went wrong
            picture.hide()
        message.say(problem)

    for control in controls.values():
        control.observe(show, names="value")
    show()
    box = ipywidgets.VBox([*controls.values(), message, picture, InBrowser()])
    box.add_class("sketchlab")
    return box


def _control(name, setting):
    if isinstance(setting, ipywidgets.Widget):
        if not getattr(setting, "description", None):
            setting.description = name.replace("_", " ")
        return setting
    least, most, step, start = real_array(setting, f"{name}, (least, most, step, start),", 4)
    if not (least <= start <= most and least < most and step > 0):
        raise ValueError(
            f"{name} must be (least, most, step, start), in this order, not {brief(setting)}"
        )
    kind = ipywidgets.FloatSlider
    if all(isinstance(value, (int, np.integer)) for value in setting):
        kind = ipywidgets.IntSlider
        least, most, step, start = map(int, setting)
    return kind(min=least, max=most, step=step, value=start, description=name.replace("_", " "))
