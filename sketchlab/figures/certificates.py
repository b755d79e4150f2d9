"""What is checked before a point is deleted from clusters, as a picture."""

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from ..arguments import instance, takes
from ..canvas import GREEN, RED, check_points
from ..checks import check_count
from ..incontext import means
from ..incontext.kmeans import QuantizedKMeans
from .cells import grid, label_axes, located

SPOKEN = {True: "stays", False: "leaves"}


@takes(columns=check_count, text=check_points, made=instance(QuantizedKMeans))
def certificate(made, number, *, columns=5, text=9.0):
    """What is checked before a point is deleted: for each iteration, means in their cells.

    made: fitted `QuantizedKMeans` of two columns that still has the point of this number; it is
    not deleted. A circle is the mean of the point's cluster with the point, a square (green) or a
    cross (red) the mean without it: inside the cell, or out of it. Small ones are the other
    clusters whose mean depends on the point. Iterations after the first failure are not checked.
    """
    located(made, None)
    answer, changes = means.without(made, number)
    figure, panels = grid(made.iterations, columns, above=0.7)
    verdict = "certified: every mean stays in its cell" if answer.certified else answer.failed
    verdict = verdict if answer.certified else f"not certified: {verdict}"
    figure.suptitle(f"without point {number}, {verdict}", fontsize=text + 2, x=0.01, ha="left")
    far = [np.abs(offsets).max() for c in changes for offsets in (c.left, c.kept)]
    reach = 1.15 * min(1.5, max([0.6, *far]))
    for t in range(made.iterations):
        axes = panels[t]
        if t < len(changes):
            axes.add_patch(Rectangle((-0.5, -0.5), 1, 1, fill=False, ls="--", ec="#555555"))
            axes.plot(0, 0, "+", color="black", ms=9)
            _draw_change(axes, changes[t], reach)
            title = _in_words(changes[t])
        else:
            axes.set_facecolor("#eeeeee")
            title = "not checked"
        axes.set_title(f"iteration {t}\n{title}", fontsize=text)
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
        axes.set_xticks([-0.5, 0, 0.5])
        axes.set_yticks([-0.5, 0, 0.5])
        names = ("first column (widths)", "second column (widths)")
        label_axes(axes, t, made.iterations, columns, *names, text)
    marks = [
        ("o", {"ms": 10, "mfc": "none", "mec": "black"}, "mean with the point"),
        ("s", {"ms": 6, "color": GREEN}, "without it: in the cell"),
        ("X", {"ms": 10, "color": RED}, "without it: out of the cell"),
        ("+", {"ms": 9, "color": "black"}, "centroid"),
    ]
    marks = [
        Line2D([], [], ls="", marker=mark, label=label, **style) for mark, style, label in marks
    ]
    figure.legend(
        handles=marks, loc="outside lower left", frameon=False, fontsize=text, ncols=min(4, columns)
    )
    return figure


def _draw_change(axes, change, reach):
    """The means that depend on a point, with and without it, in their cells."""
    for cluster, kept, left, stays in zip(
        change.clusters, change.kept, change.left, change.stays, strict=True
    ):
        own = cluster == change.own
        kept, shown = np.clip(kept, -reach, reach), np.clip(left, -reach, reach)
        colour = GREEN if stays else RED
        axes.plot(*zip(kept, shown, strict=True), color=colour, lw=1.5 if own else 0.8)
        axes.plot(*kept, "o", ms=10 if own else 5, mfc="none", mec="black", mew=1, zorder=3)
        size = (6 if own else 3) if stays else (10 if own else 6)
        axes.plot(*shown, "s" if stays else "X", ms=size, color=colour, zorder=4)


def _in_words(change):
    own = bool(change.stays[change.clusters == change.own][0])
    others = change.clusters[~change.stays & (change.clusters != change.own)]
    also = f", {', '.join(map(str, others))} leaves" if len(others) else ""
    return f"cluster {change.own} {SPOKEN[own]}{also}"
