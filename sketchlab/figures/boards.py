"""Scoreboards as pictures: predicted against true, ranks against size.

`methods_on_one_deletion` has a single deletion and output, with a row for every method.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from ..arguments import check_dict, check_text, check_texts, instance, takes
from ..attribution.results import Results
from ..canvas import (
    BLUE,
    COLOURS,
    GREY,
    RED,
    name_points,
    new_axes,
    write,
    write_ticks,
)
from ..checks import check_not_negative, check_real, real_array

MOST_PANELS = 8
FAR = 8.0  # a change this many times the usual one is not drawn to scale: it would hide the others
WIDTH, ROW, REST = 7.0, 0.34, 1.15  # inches of a figure with a row for every method


@takes(methods=check_texts, results=instance(Results), unit=check_text)
def predicted_and_true(results, methods, group, *, unit=""):
    """True against predicted changes of all outputs, one panel for each method.

    results: `sketchlab.attribution.Results`. group: the name of a group of deletions. unit: of the
    outputs, such as "nats".
    """
    group = known(results, group, results.groups, "group")
    methods = [known(results, name, results.predicted, "method") for name in methods]
    if not 0 < len(methods) <= MOST_PANELS:
        raise ValueError(f"give 1 to {MOST_PANELS} methods, not {len(methods)}")
    rows = -(-len(methods) // 3)
    columns = -(-len(methods) // rows)
    figure, grid = plt.subplots(
        rows, columns, figsize=(2.6 * columns, 2.9 * rows), layout="constrained", squeeze=False,
        sharex=True, sharey=True,
    )  # fmt: skip
    plt.close(figure)
    true = results.truth[group] - results.now
    reach = 1.15 * np.max(np.abs(true))
    for axes, name in zip(grid.flat, methods, strict=False):
        moved = results.predicted[name][group] - results.now
        outside = int(np.sum(np.abs(moved) > reach))
        axes.plot([-reach, reach], [-reach, reach], color=GREY, lw=1)
        axes.plot(moved.ravel(), true.ravel(), ".", color=BLUE, ms=3.5, alpha=0.5, mew=0)
        found = results.row(name)[group]
        ranked = f", LDS {found['lds']:.2f}" if "lds" in found else ""
        axes.set_title(f"{name}\nRMSE {found['rmse']:.2g}{ranked}", fontsize=9, loc="left")
        if outside:
            axes.text(
                0.97, 0.03, f"{outside} outside", transform=axes.transAxes, ha="right", fontsize=9
            )
    for axes in grid.flat[len(methods) :]:
        axes.set_axis_off()
    grid.flat[0].set(xlim=(-reach, reach), ylim=(-reach, reach))
    for draw, what in ((figure.supxlabel, "predicted change"), (figure.supylabel, "true change")):
        write(draw("", fontsize=10), with_unit(what, unit))
    return figure


@takes(methods=check_texts, results=instance(Results))
def ranks_by_size(results, methods):
    """LDS with its 90% interval against the size of deletions; groups are of one size each."""
    figure, axes = new_axes(7.4, 3.9)
    methods = [known(results, name, map(_name, results.table), "method") for name in methods]
    sizes = {name: set(results.deleted[name]) for name in results.groups}
    sizes = {name: found.pop() for name, found in sizes.items() if len(found) == 1}
    if len(sizes) < 2:
        raise ValueError("give results with at least two groups, each of deletions of one size")
    null = results.row("random ranking")
    if null is not None:
        bands = np.array([null[name]["lds_band"] for name in sizes])
        axes.fill_between(
            list(sizes.values()), *bands.T, color=GREY, alpha=0.25, lw=0, label="random"
        )
    for number, method in enumerate(methods):
        row = results.row(method)
        there = [name for name in sizes if "lds" in row.get(name, {})]
        x = np.array([sizes[name] for name in there]) * 1.02 ** (number - len(methods) / 2)
        value = np.array([row[name]["lds"] for name in there])
        colour = COLOURS[number % len(COLOURS)]
        axes.plot(x, value, "o-", color=colour, ms=5, lw=1.6, label=method)
        bands = np.array([row[name].get("lds_band", (np.nan, np.nan)) for name in there])
        axes.vlines(x, *np.where(np.isfinite(bands), bands, np.nan).T, color=colour, lw=1)
    axes.set(xscale="log", xlabel="units deleted", ylabel="LDS (Spearman's)")
    axes.set_xticks(list(sizes.values()), list(map(str, sizes.values())))
    axes.minorticks_off()
    figure.legend(loc="outside right upper", fontsize=9, frameon=False)
    return figure


@takes(
    changes=check_dict,
    bands=instance(dict),
    true=check_real,
    costs=instance(dict),
    label=check_text,
    figure=instance(Figure),
)
def methods_on_one_deletion(
    changes, *, bands=None, true=None, costs=None, label="change of the output", figure=None
):
    """What methods predict of one output after one deletion: a dot for each, in a row of its own.

    changes: by name of the method, the predicted change, or None for one that cannot answer. bands:
    by name, the lowest and highest change of its 90% band; methods without one have no bar. true:
    the change that exact retraining made, a red line. costs: by name, trainings, a number or words,
    written at the right; methods without one have none. label: what changes, with its unit.
    figure: an empty one to draw into, such as `blank()`.
    A change beyond 8 times the median one is an arrow at the edge, with its number.
    """
    bands, costs = bands or {}, costs or {}
    _check_changes(changes, bands, true)
    _check_costs(changes, costs)
    if figure is None:
        figure, axes = new_axes(WIDTH, REST + ROW * len(changes))
    else:
        figure.set_size_inches(WIDTH, REST + ROW * len(changes))
        figure.set_layout_engine("constrained")
        axes = figure.subplots()
    left, right = _limits(changes, bands, true)
    axes.axvline(0, color="black", lw=0.8, ls="--", label="no change")
    if true is not None:
        axes.axvline(true, color=RED, lw=1.8, label="exact retraining")
    for row, (name, change) in enumerate(changes.items()):
        if change is None:
            axes.text(0.5, row, "cannot answer", transform=axes.get_yaxis_transform(), color="0.35",
                      fontsize=9, ha="center", va="center",
                      bbox={"color": "white", "pad": 1})  # fmt: skip
            continue
        if name in bands:
            axes.plot(bands[name], [row, row], color=BLUE, lw=4, alpha=0.35, solid_capstyle="butt")
        if left <= change <= right:
            (dot,) = axes.plot(change, row, "o", color=BLUE, ms=7)
            name_points(dot, [f"{name}: {change:+.4g}"])
            continue
        over = change > right
        axes.plot(right if over else left, row, ">" if over else "<", color=BLUE, ms=8,
                  clip_on=False)  # fmt: skip
        axes.annotate(f"{change:+.3g}", (right if over else left, row), (-8 if over else 8, 0),
                      textcoords="offset points", fontsize=9, va="center",
                      ha="right" if over else "left")  # fmt: skip
    axes.set(xlim=(left, right), ylim=(len(changes) - 0.5, -0.5))
    write_ticks(axes.yaxis, changes)
    _write_costs(axes, [costs.get(name, "") for name in changes])
    axes.grid(axis="y", color=GREY, lw=0.5, alpha=0.5)
    write(axes.xaxis.label, label)
    for handle, drawn in (("predicted", "o"), ("90% band", "-")):
        if handle == "predicted" or bands:
            wide = 4 if drawn == "-" else 0
            axes.plot([], [], drawn, color=BLUE, lw=wide, alpha=0.35 if wide else 1, label=handle)
    handles = [line for line in axes.lines if not line.get_label().startswith("_")]
    figure.legend(
        handles=handles, loc="outside upper right", ncols=4, fontsize=9, frameon=False
    )  # words of people, such as costs, have labels too
    return figure


def _check_changes(changes, bands, true):
    """Raise TypeError or ValueError, in words, for what cannot be drawn."""
    if not isinstance(changes, dict) or not changes:
        raise TypeError(f"changes must be a dict from names of methods to numbers, not {changes!r}")
    given = [(f"the change of {name!r}", [one]) for name, one in changes.items() if one is not None]
    given += [(f"the band of {name!r}", band) for name, band in bands.items()]
    given += [] if true is None else [("the true change", [true])]
    for what, numbers in given:
        real_array(numbers, what, None)
    for name, band in bands.items():
        if changes.get(name) is None or len(band) != 2:
            raise ValueError(f"there is a band of {name!r}, {band!r}: give the lowest and highest "
                             "change, of a method that has a predicted one")  # fmt: skip


def _check_costs(changes, costs):
    """Raise ValueError, in words, for a cost of no method, or one that is below 0 or infinite."""
    for name, cost in costs.items():
        if name not in changes:
            raise ValueError(f"there is a cost of {name!r}, which is not among the methods")
        if not isinstance(cost, str):
            check_not_negative(cost, f"the cost of {name!r}, in trainings, if not words,")


def _write_costs(axes, costs):
    """Trainings at the right of their rows, below a head; nothing where no method has a cost."""
    if not any(cost != "" for cost in costs):
        return
    # away from the axes in points, not in parts of their width: else the layout cuts long ones off
    place = {
        "xycoords": axes.get_yaxis_transform(),
        "textcoords": "offset points",
        "fontsize": 9,
        "va": "center",
        "annotation_clip": False,
    }
    axes.annotate("trainings", (1, -0.75), (8, 0), color="0.35", **place)
    for row, cost in enumerate(costs):
        words = axes.annotate("", (1, row), (8, 0), **place)
        write(words, cost if isinstance(cost, str) else f"{cost:,.4g}")


def _limits(changes, bands, true):
    """The ends of the axis: the true change, and all within FAR times the median size of one."""
    found = [one for one in (*changes.values(), true) if one is not None]
    usual = FAR * np.median(np.abs(found)) if found else 0.0
    reach = max(usual, abs(true or 0.0)) if usual > 0 else np.inf
    within = [one for one in found if abs(one) <= reach]
    within += [np.clip(one, -reach, reach) for band in bands.values() for one in band]
    low, high = min(within, default=0.0), max(within, default=0.0)
    low, high = min(low, 0.0), max(high, 0.0)
    room = 0.08 * (high - low) or 1.0
    return low - room, high + room


def with_unit(what, unit):
    """What an axis has, and its unit if there is one."""
    return f"{what} ({unit})" if unit else what


def _name(row):
    return row["method"]


def known(results, name, names, what):
    """A name as text, if it is among these; else ValueError, in words."""
    names = list(names)
    if str(name) not in names:
        raise ValueError(f"there is no {what} {name!r} in these results, only {', '.join(names)}")
    return str(name)
