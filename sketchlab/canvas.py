"""Empty figures and colours that all drawings share, and a figure told in words."""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, RED, GREY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#999999"
SMALL = (7.0, 3.4)  # inches


def new_axes(width=6.5, height=3.6, columns=1, **settings):
    """A figure with one or more axes, closed for pyplot so that a notebook shows it only once."""
    figure, axes = plt.subplots(
        1, columns, figsize=(width, height), layout="constrained", **settings
    )
    plt.close(figure)
    return figure, axes


def blank():
    """An empty figure that is not pyplot's, so that any thread may draw into it."""
    return Figure(figsize=SMALL)


def description(figure):
    """What a figure shows, in words, for those who cannot see it."""
    parts = []
    for axes in figure.axes:
        if not (axes.axison and (axes.get_xlabel() or axes.get_ylabel())):
            continue
        lines = ", ".join(axes.get_legend_handles_labels()[1])
        named = [axes.get_title("center"), axes.get_title("left"), axes.get_ylabel()]
        what = ": ".join(filter(None, named))
        parts.append(f"{what} against {axes.get_xlabel()}" + (f" ({lines})" if lines else ""))
    return "; ".join(parts) or "figure"
