"""Points to click in a picture: each click deletes one from its clusters, exactly."""

import threading

import ipywidgets
import numpy as np
from matplotlib.figure import Figure

from .. import figures
from ..arguments import of_shape, takes
from ..checks import check_count, check_positive
from . import verdicts
from .browser import InBrowser
from .forgetting import Forgetting
from .parts import Acting, Controls, Message, Picture

TEXT = 11.0  # points, so that it can be read on a narrow screen
FINE = (240, 226)  # columns and rows of the grid that the buttons lie on
SIZE = (4.2, 4.2 * 226 / 240)  # inches of a picture
SMALLEST, LARGEST = 6, 14  # of a button, in these
MOST_CLUSTERS = 8


@takes(X=of_shape(None, 2), clusters=check_count, width=check_positive)
def forget_points(X, clusters, width, *, gamma=0.2, iterations=10, seed=0):
    """Points in a plane; a click on one deletes it from its clusters: a widget.

    X: points, (n, 2), at most 60. clusters, width, gamma, iterations, seed: of `QuantizedKMeans`.
    Beside the clusters it shows a run from scratch on the points that are left, and whether it is
    the same, bit for bit. The state is in its attribute `model`, a `Forgetting`.
    Raises ValueError for other points, and for what `QuantizedKMeans` refuses.
    """
    return PointsView(Forgetting(X, clusters, width, gamma=gamma, iterations=iterations, seed=seed))


class PointsView(Acting, ipywidgets.VBox):
    """The view of points to click; `model` is its state."""

    def __init__(self, model):
        self.model, self._lock = model, threading.RLock()
        self.controls = Settings(model, self.act)
        self.board = Board(model, self.act)
        self.other, self.message = Picture(), Message()
        self.verdict, self.reasons, self.equal, self.counts, self.key = (
            ipywidgets.HTML() for _ in range(5)
        )
        left = [_caption("Clusters: click a point to delete it"), self.board, self.verdict]
        right = [_caption("The same, computed from scratch"), self.other, self.equal, self.counts]
        layout = {"flex": "1 1 260px", "max_width": "430px", "min_width": "0"}
        panes = [
            ipywidgets.VBox(pane, layout=layout | {"padding": "0 6px 0 0"})
            for pane in ([*left, self.reasons, self.message], right)
        ]
        super().__init__(
            [
                self.controls,
                ipywidgets.HBox(panes, layout={"flex_flow": "row wrap", "overflow": "visible"}),
                self.key,
                InBrowser(),
            ]
        )
        for name in ("sketchlab", "sketchlab-points"):
            self.add_class(name)
        self.act(lambda: None)

    def __repr__(self):
        model = self.model
        return f"PointsView({model.made!r}, {model.deleted} deleted, {model.certified} certified)"

    def refresh(self):
        """Show the state; raises what goes wrong."""
        model = self.model
        self.controls.refresh()
        self.verdict.value = verdicts.verdict(model.last)
        self.reasons.value = verdicts.reasons(model.last)
        self.equal.value, self.counts.value = verdicts.comparison(model), verdicts.counts(model)
        limits = figures.frame(model.X, 0.6 * model.made.width)
        (low, high), centroids = np.transpose(limits), model.made.centroids
        outside = np.any((centroids < low) | (centroids > high), axis=1)
        self.key.value = verdicts.key(np.flatnonzero(outside))
        drawn = {"limits": limits, "legend": False, "text": TEXT}
        last = model.last
        shown = {} if last is None else {"moves": last.moves, "point": last.number}
        self.board.show(
            figures.clusters(model.made, model.X, figure=Figure(figsize=SIZE), **drawn, **shown)
        )
        self.other.show(figures.clusters(model.retrained, figure=Figure(figsize=SIZE), **drawn))


class Board(ipywidgets.GridBox):
    """The picture, and over it a button for every point, which can be reached by keyboard too."""

    def __init__(self, model, act):
        self.model, self.picture, self.buttons = model, Picture(), []
        self.picture.layout.grid_area = "1 / 1 / -1 / -1"
        for number in range(len(model.X)):
            button = ipywidgets.Button(
                description=f"delete point {number}",  # not seen, but read aloud
                tooltip=f"delete point {number}",
                style={"button_color": "transparent"},
                layout={"width": "100%", "height": "100%", "margin": "0", "padding": "0"},
            )
            button.add_class("sketchlab-point")
            button.on_click(lambda _, number=number: act(lambda: model.press(number)))
            self.buttons.append(button)
        columns, rows = (f"repeat({count}, minmax(0, 1fr))" for count in FINE)
        super().__init__(
            [self.picture, *self.buttons],
            layout={
                "grid_template_columns": columns,
                "grid_template_rows": rows,
                "overflow": "visible",
            },
        )

    def show(self, figure):
        """Show the clusters, with a button over every point that is left."""
        self.picture.show(figure)
        left = set(self.model.made.numbers.tolist())
        for number, (area, button) in enumerate(
            zip(areas(figure, self.model.X), self.buttons, strict=True)
        ):
            button.layout.grid_area = area
            button.layout.display = None if number in left else "none"


def areas(figure, X):
    """Where points, (n, 2), lie in a figure, on the fine grid: a CSS grid-area for each.

    A square around each, smaller where another point is near.
    """
    (axes,) = figure.axes
    places = axes.transData.transform(np.asarray(X, float)) / figure.bbox.size * FINE
    places[:, 1] = FINE[1] - places[:, 1]  # rows are counted from above
    apart = np.abs(places[:, None] - places).max(axis=2)
    np.fill_diagonal(apart, np.inf)
    sizes = np.rint(np.clip(apart.min(axis=1), SMALLEST, LARGEST)).astype(int)[:, None]
    first = np.rint(places - sizes / 2).astype(int) + 1
    pairs = zip(first.tolist(), (first + sizes).tolist(), strict=True)
    return [f"{top} / {left} / {bottom} / {right}" for (left, top), (right, bottom) in pairs]


class Settings(Controls):
    """Width, number of clusters, whether to show first, and the way back to the start."""

    def __init__(self, model, act):
        self.model = model
        middle = np.log2(model.made.width)
        wide = {"width": "250px", "max_width": "98%"}
        self.width = ipywidgets.FloatLogSlider(
            model.made.width,
            base=2,
            min=middle - 4,
            max=middle + 2,
            step=0.5,
            description="width",
            readout_format=".3g",
        )
        most = min(len(model.X), max(MOST_CLUSTERS, model.made.clusters))
        self.clusters = ipywidgets.IntSlider(
            model.made.clusters, min=1, max=most, description="clusters"
        )
        for slider, tooltip in (
            (self.width, "Width of the lattice, in the unit of the data; starts again"),
            (self.clusters, "Number of clusters; starts again"),
        ):
            slider.style, slider.layout, slider.tooltip = (
                {"description_width": "60px"},
                wide,
                tooltip,
            )
            slider.continuous_update = False
        self.first_show = ipywidgets.Checkbox(
            description="show what would happen first", indent=False, layout={"width": "auto"}
        )
        self.again = ipywidgets.Button(
            description="Start again",
            tooltip="Start again with all points",
            layout={"width": "auto"},
        )
        row = ipywidgets.Box(
            [self.width, self.clusters, self.first_show, self.again],
            layout={"flex_flow": "row wrap", "align_items": "center"},
        )
        super().__init__([row])
        self.on_change(self.width, lambda width: act(lambda: model.start(width=width)))
        self.on_change(self.clusters, lambda count: act(lambda: model.start(clusters=count)))
        self.on_change(self.first_show, lambda on: act(lambda: setattr(model, "first_show", on)))
        self.again.on_click(lambda _: act(model.start))

    def refresh(self):
        """Show the state."""
        with self.showing():
            self.width.value, self.clusters.value = self.model.made.width, self.model.made.clusters
            self.first_show.value = self.model.first_show


def _caption(text):
    return ipywidgets.HTML(f'<b style="line-height: 1.4">{text}</b>')
