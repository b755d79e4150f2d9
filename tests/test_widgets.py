"""Sliders: they show what the drawing function returns, and its errors in words."""

import ipywidgets
import matplotlib.figure

from sketchlab import figures, widgets


def test_moving_a_slider_draws_again():
    """The drawing function is called with the new values, and the picture changes."""
    calls = []

    def draw(degree, z):
        calls.append((degree, z))
        figure, axes = figures.new_axes()
        axes.plot([0, degree], [0, z])
        return figure

    box = widgets.with_sliders(draw, degree=(1, 6, 1, 3), z=(0.0, 1.0, 0.1, 0.5))
    degree, z, message, image = box.children
    assert isinstance(degree, ipywidgets.IntSlider)
    assert isinstance(z, ipywidgets.FloatSlider)
    before = bytes(image.value)
    degree.value = 5
    assert calls == [(3, 0.5), (5, 0.5)]
    assert bytes(image.value).startswith(b"\x89PNG")
    assert bytes(image.value) != before
    assert message.value == ""


def test_an_error_is_shown_in_words():
    """Nothing is raised into the kernel; the message goes when it works again."""

    def draw(degree):
        if degree == 2:
            raise ValueError("degree < 3 & odd")
        return figures.new_axes()[0]

    box = widgets.with_sliders(draw, degree=(1, 6, 1, 2))
    degree, message, _ = box.children
    assert "ValueError" in message.value
    assert "degree &lt; 3 &amp; odd" in message.value
    degree.value = 3
    assert message.value == ""


def test_figures_are_returned_and_not_left_open(small_run):
    """Each figure function returns a figure that pyplot has already closed."""
    import matplotlib.pyplot as plt

    import sketchlab as sl

    weights, retrained, jet = sl.paper.deletion_curve(
        small_run, [1, 2], "max", degree=3, progress=False
    )
    for figure in (
        figures.deletion_curve(weights, retrained, jet, name="max", degrees=(1, 3), z=0.5),
        figures.error_by_degree(jet, retrained[-1]),
    ):
        assert isinstance(figure, matplotlib.figure.Figure)
    assert plt.get_fignums() == []
