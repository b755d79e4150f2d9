"""Clusters on a lattice, and how far their means may move before they round to another point of it.

Of two columns. Clusters have a colour, a shape and a number. See `incontext.means` for the terms.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import patheffects
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ..arguments import check_flag, instance, list_of, of_shape, takes
from ..canvas import BLUE, GREEN, GREY, ORANGE, PINK, RED, SKY, check_points
from ..checks import check_count, check_integer, check_not_negative, check_number_of
from ..incontext import lattice, means
from ..incontext.kmeans import QuantizedKMeans

COLOURS = (BLUE, ORANGE, GREEN, RED, PINK, SKY, "#f0e442", "#777777")
SHAPES = "os^Dvph<>d"
MOST_LINES = 40  # of a lattice; a finer one is not drawn
HALO = [patheffects.withStroke(linewidth=2.5, foreground="white")]


@takes(
    text=check_points,
    legend=check_flag,
    figure=instance(Figure),
    made=instance(QuantizedKMeans),
    iteration=check_integer,
    limits=of_shape(2, 2),
    moves=of_shape(2, None, 2),
    point=check_number_of,
    X=of_shape(None, 2),
)
def clusters(
    made,
    X=None,
    *,
    iteration=None,
    moves=None,
    point=None,
    limits=None,
    legend=True,
    text=9.0,
    figure=None,
):
    """Points, their clusters in one iteration, its lattice, and the cell that each mean lies in.

    made: fitted `QuantizedKMeans` of two columns. X: all points that were ever there, (N, 2), in
    the order of their numbers: deleted ones are then drawn as crosses. iteration: default: the
    last. moves: two arrays of centroids, (k, 2): arrows go from the first to the second where they
    differ. point: the number of a point to circle. limits: ((least, most), (least, most)) of the
    axes, default: all that there is. text: size of the letters, in points. figure: an empty one to
    draw into.
    Raises ValueError for points of other than two columns, and for an X that is not of these
    clusters.
    """
    points, gone, numbers = located(made, X)
    step = _chosen(means.steps(made), [-1 if iteration is None else iteration])[0]
    if figure is None:
        figure = closed((7.0 if legend else 4.8, 4.8))
    wide, high = figure.get_size_inches()
    left, below = 5.2 * text / 72, 3.6 * text / 72  # inches, for ticks and labels
    side = min(wide - left, high - below) - 0.1
    axes = figure.add_axes([left / wide, below / high, side / wide, side / high])
    limits = (
        frame(np.vstack([points, gone, step.means, step.centroids])) if limits is None else limits
    )
    _draw(axes, made.width, step, points, limits, text)
    if len(gone):
        axes.plot(*gone.T, "x", color="#555555", ms=7, mew=1.8, zorder=6, label="deleted")
    if moves is not None:
        _draw_moves(axes, *(np.asarray(one, float) for one in moves))
    if point is not None:
        _circle(
            axes,
            point,
            dict(zip(numbers, points, strict=True)) if X is None else dict(enumerate(X)),
        )
    axes.set(xlabel="first column", ylabel="second column")
    if legend:
        axes.legend(frameon=False, fontsize=text, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


@takes(
    columns=check_count,
    text=check_points,
    made=instance(QuantizedKMeans),
    iterations=list_of(check_integer),
    X=of_shape(None, 2),
)
def clusters_by_iteration(made, X=None, *, iterations=None, columns=5, text=9.0):
    """The clusters in one iteration after the other, each with its own lattice.

    made, X, text: as in `clusters`. iterations: which, by number; default: all. columns: how many
    side by side.
    """
    points, gone, _ = located(made, X)
    every = means.steps(made)
    which = range(len(every)) if iterations is None else list(iterations)
    drawn = _chosen(every, which)
    limits = frame(np.vstack([points, gone, *(s.centroids for s in drawn)]))
    figure, panels = grid(len(drawn), columns, above=0.65)
    for place, (t, step) in enumerate(zip(which, drawn, strict=True)):
        axes = panels[place]
        _draw(axes, made.width, step, points, limits, text, small=True)
        if len(gone):
            axes.plot(*gone.T, "x", color="#555555", ms=5, mew=1.2, zorder=6)
        axes.set_title(f"iteration {t % len(every)}", fontsize=text + 1)
        label_axes(axes, place, len(drawn), columns, "first column", "second column", text)
    names = panels[0].get_legend_handles_labels()
    figure.legend(*names, loc="outside lower left", frameon=False, fontsize=text, ncols=3)
    return figure


@takes(points=of_shape(None, 2), beyond=check_not_negative)
def frame(points, beyond=0.0):
    """Square limits around points, (n, 2), for `limits`: at least 8% wider, or by `beyond`."""
    low, high = points.min(axis=0), points.max(axis=0)
    span = float((high - low).max()) or 1.0
    half = span / 2 + max(0.08 * span, min(beyond, span / 2))
    return tuple((middle - half, middle + half) for middle in ((low + high) / 2).tolist())


def _draw(axes, width, step, points, limits, text, small=False):
    """Points, lattice, cells, means and centroids of one iteration.

    small: of a panel, where points are pale and lie below the centroids.
    """
    axes.set(xlim=limits[0], ylim=limits[1], aspect="equal")
    axes.tick_params(labelsize=text)
    axes.xaxis.label.set_size(text), axes.yaxis.label.set_size(text)
    axes.locator_params(nbins=4 if small else 6)
    shown = "lattice" if _draw_lattice(axes, width, step.phase, limits) else "lattice: too fine"
    axes.plot([], [], color=GREY, lw=0.8, alpha=0.6, label=f"{shown}, width {width:.3g}")
    size = 3 if small else 6
    for cluster, (mean, centroid) in enumerate(zip(step.means, step.centroids, strict=True)):
        colour, shape = COLOURS[cluster % len(COLOURS)], SHAPES[cluster % len(SHAPES)]
        style = {"color": colour, "mec": "black"}
        axes.plot(
            *points[step.nearest == cluster].T,
            shape,
            ms=size,
            mew=0 if small else 0.5,
            alpha=0.5 if small else 1.0,
            zorder=2 if small else 4,
            **style,
        )
        corner = centroid - width / 2
        axes.add_patch(Rectangle(corner, width, width, fc=colour, alpha=0.12, lw=0))
        axes.add_patch(Rectangle(corner, width, width, fill=False, ec="#333333", ls="--", lw=1))
        mark = {"ms": 4, "mew": 0.8} if small else {"ms": 13, "mew": 1.4}
        axes.plot(*centroid, shape, zorder=3, **mark, **style)
        axes.plot(*zip(mean, centroid, strict=True), color="black", lw=1.2, zorder=5)
        axes.plot(*mean, "o", ms=size * 0.75, mfc="white", mec="black", mew=size / 5, zorder=5)
        if not small:
            axes.annotate(
                str(cluster),
                centroid,
                (9, 7),
                textcoords="offset points",
                fontsize=text + 1,
                weight="bold",
                path_effects=HALO,
                annotation_clip=True,
                zorder=2.5,  # it must not cover points
            )
    grey = {"color": "#cccccc", "mec": "black", "ls": ""}
    axes.plot([], [], "o", ms=6, mew=0.5, label="point, by cluster", **grey)
    axes.plot([], [], "o", ms=13, mew=1.4, label="centroid, on the lattice", **grey)
    axes.plot([], [], "o", ms=4.5, mfc="white", mec="black", ls="", label="mean, before rounding")
    axes.plot(
        [], [], "--", color="#333333", lw=1, label="cell: a mean in it is\nrounded to its middle"
    )


def _draw_lattice(axes, width, phase, limits):
    """Lines through the lattice points, unless they are too many; whether they were drawn."""
    if any((high - low) / width > MOST_LINES for low, high in limits):
        return False
    for (low, high), first, line in zip(limits, phase, (axes.axvline, axes.axhline), strict=True):
        numbers = np.arange(np.ceil((low - first) / width), np.floor((high - first) / width) + 1)
        for value in first + width * numbers:
            line(value, color=GREY, lw=0.6, alpha=0.45, zorder=0)
    return True


def _draw_moves(axes, before, after):
    for old, new in zip(before, after, strict=True):
        if np.any(old != new):
            for end in (old, new):
                axes.plot(*end, "o", ms=11, mfc="none", mec="black", mew=1.2, zorder=6)
            arrow = {"arrowstyle": "-|>", "color": "black", "lw": 2, "shrinkA": 5, "shrinkB": 2}
            axes.annotate("", new, old, arrowprops=arrow, annotation_clip=False, zorder=8)


def located(made, X):
    """Points that are left, deleted ones if X has them, and the numbers of the former."""
    state = made.state()
    numbers, units = state["numbers"], state["points"]
    if units.shape[1] != 2:
        raise ValueError(
            f"clusters of points with 2 columns can be drawn, these have {units.shape[1]}: "
            "cluster two of the columns, or two principal components"
        )
    points = units * (made.width / lattice.CELL)
    if X is None:
        return points, np.zeros((0, 2)), numbers
    same = X.ndim == 2 and X.shape[1] == 2 and len(X) > numbers.max()
    if not same or np.any(lattice.to_units(X[numbers], made.width) != units):
        raise ValueError(
            "X must be all points that these clusters were ever made of, (N, 2), in the order of "
            f"their numbers; this one, of shape {X.shape}, is not"
        )
    return points, np.delete(X, numbers, axis=0), numbers


def _circle(axes, point, places):
    if point not in places:
        raise ValueError(f"there is no point {point}: give the number of one that is drawn")
    style = {"mfc": "none", "mec": "black", "mew": 1.8, "zorder": 6, "ls": ""}
    axes.plot(*places[point], "o", ms=17, label=f"point {point}", **style)


def _chosen(every, which):
    for t in which:
        if not -len(every) <= t < len(every):
            raise ValueError(f"there is no iteration {t}, 0 to {len(every) - 1} are")
    return [every[t] for t in which]


def closed(size):
    figure = plt.figure(figsize=size)
    plt.close(figure)
    return figure


def grid(count, columns, above=0.0):
    """A figure with as many square panels, row by row, as large as its width allows.

    above: room for what stands above or below them, in inches.
    """
    wide = min(columns, count)
    rows, side = -(-count // wide), min(3.0, 8.2 / wide)
    figure, panels = plt.subplots(
        rows,
        wide,
        figsize=(side * wide + 0.7, (side + 0.4) * rows + 0.2 + above),
        layout="constrained",
        sharex=True,
        sharey=True,
    )
    figure.get_layout_engine().set(h_pad=0.1)
    plt.close(figure)
    panels = np.ravel(panels)
    for axes in panels[count:]:
        axes.set_axis_off()
    return figure, panels


def label_axes(axes, place, count, columns, across, up, text):
    """Axis labels at the left and below; ticks in letters large enough to read."""
    axes.tick_params(labelsize=text)
    if not place % columns:
        axes.set_ylabel(up, fontsize=text)
    if place + columns >= count:
        axes.set_xlabel(across, fontsize=text)
        axes.tick_params(labelbottom=True)
