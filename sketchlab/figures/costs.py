"""What the methods of a scoreboard cost, and how far they err: a picture, and its front."""

import numpy as np

from ..arguments import check_text, instance, takes
from ..attribution.results import Results
from ..canvas import BLUE, GREEN, GREY, ORANGE, new_axes, write
from .boards import known, with_unit

ACCESS = {  # what a method must see of a run: colour and marker
    "trained model": (GREY, "s"),
    "checkpoints": (ORANGE, "^"),
    "steps of training": (GREEN, "D"),
    "training again": (BLUE, "o"),
}
ENOUGH = 11.0  # points between the middle of a number and all else
OFFSETS = np.array([
    (reach * np.cos(angle), reach * np.sin(angle))
    for reach in (11, 16, 22)
    for angle in np.arange(0, 2 * np.pi, np.pi / 4)
])  # fmt: skip
CHEAPEST = 1.0  # trainings, at the left end of the axis: those that take less stand there


@takes(results=instance(Results), unit=check_text)
def error_and_cost(results, group, *, unit=""):
    """Root mean square error against trainings, with the front of methods that none beats in both.

    Exact methods, whose error is rounding, are left out. Dashed: the error of predicting no change.
    Methods are numbered; the legend has them by what they must see of a run. unit: of the outputs.
    """
    group = known(results, group, results.groups, "group")
    truth = results.truth[group]
    nothing = np.sqrt(np.mean((truth - results.now) ** 2))
    rows = [
        row
        for access in ACCESS
        for row in results.table
        if row.get("access") == access and group in row and row[group]["rmse"] > 1e-6 * nothing
    ]
    figure, axes = new_axes(8.4, max(4.2, 1.9 + 0.2 * len(rows)))
    places = np.array([[_spent(row, len(truth)), row[group]["rmse"]] for row in rows])
    spent, error = places.T
    bars = [row[group].get("rmse_band", (np.nan, np.nan)) for row in rows]
    heads = set()
    for number, (row, band) in enumerate(zip(rows, bars, strict=True)):
        access = row["access"]
        colour, marker = ACCESS[access]
        if access not in heads:
            heads.add(access)
            axes.plot([], [], " ", label=f"{access}:")
        if np.all(np.isfinite(band)):
            axes.plot([spent[number]] * 2, band, color=colour, lw=1, alpha=0.6)
        name = f"{number + 1}  {row['method']}"
        axes.plot(*places[number], marker, color=colour, ms=6, label=name)
    front = pareto(spent, error)
    steps = {"where": "post", "color": "black", "lw": 1.0}
    axes.step(spent[front], error[front], label="none is cheaper and better", **steps)
    axes.axhline(nothing, color=GREY, lw=1, ls="--", label="no change")
    axes.set(xscale="log", yscale="log", xlabel="trainings, in all")
    write(axes.yaxis.label, with_unit(f"RMSE, {_deletions(group)}", unit))
    legend = {"title": "by what they see of a run", "alignment": "left"}
    figure.legend(loc="outside right upper", fontsize=9, frameon=False, **legend)
    _number(figure, axes, places, bars)
    return figure


def _number(figure, axes, places, bars):
    """Numbers from 1 beside points, each where it is farthest from all else that is drawn.

    places: (points, 2); bars: the lower and upper end of each, or nan.
    """
    figure.draw_without_rendering()  # the layout moves the axes
    screen = 72 / figure.dpi  # points to a pixel
    dots = axes.transData.transform(places) * screen
    taken = [*dots]
    for (x, _), ends in zip(places, bars, strict=True):
        if np.all(np.isfinite(ends)):
            low, high = axes.transData.transform([(x, end) for end in ends]) * screen
            taken += list(np.linspace(low, high, 2 + int((high[1] - low[1]) / 4)))
    for number, dot in enumerate(dots):
        others = np.delete(dots, number, axis=0)

        def free(offset, dot=dot, others=others):
            middle = np.hypot(*(dot + offset / 2 - others).T)  # of the line to the number
            around = np.min(np.hypot(*(dot + offset - taken).T))
            return min(ENOUGH, around, 2 * np.min(middle, initial=ENOUGH))

        offset = max(OFFSETS, key=free)
        taken.append(dot + offset)
        line = {"arrowstyle": "-", "lw": 0.6, "color": GREY, "shrinkA": 0, "shrinkB": 3}
        axes.annotate(str(number + 1), places[number], offset, textcoords="offset points",
                      fontsize=9, ha="center", va="center", arrowprops=line)  # fmt: skip


def pareto(cost, error):
    """Numbers of the points that no other beats in both, by rising cost."""
    front, best = [], np.inf
    for i in np.lexsort((error, cost)):
        if error[i] < best:
            front.append(int(i))
            best = error[i]
    return front


def _spent(row, deletions):
    return max(CHEAPEST, row["cost"] + row.get("each", 0.0) * deletions)


def _deletions(group):
    return f"{group} units deleted" if group.isdigit() else f"deletions {group!r}"
