"""What tells, before any retraining of a deletion, how far exact first order is from it."""

import numpy as np
from matplotlib.ticker import LogLocator, NullFormatter

from ..arguments import check_dict, check_text, instance, list_of, one_of, takes
from ..canvas import BLUE, GREY, ORANGE, new_axes
from ..checks import check_positive, real_array

PANELS = {  # key in the result: label
    "deletions": "1 − metasmoothness",
    "gaussian": "1 − metasmoothness, Gaussian",
    "growth": "growth of Taylor forms",
    "second": "second over first term",
    "difference": "second difference",
}
FAMILIES = (("GELU", BLUE, "o"), ("ReLU", ORANGE, "s"))


@takes(
    result=check_dict,
    indices=list_of(one_of(*PANELS)),
    most=check_positive,
)
def smoothness(result, indices=("deletions", "growth", "second", "difference"), *, most=3.0):
    """Error of exact first order against indices of smoothness: a panel each, a point a setting.

    result: of benchmarks/smoothness.py, from its JSON. indices: keys of `PANELS`, one or more.
    most: the largest error that is drawn where it is; larger ones are triangles at the upper edge,
    no further right than the others. Bars are 90% intervals; above each panel Spearman's
    correlation over all settings, with its interval. Raises ValueError for an unknown index.
    """
    figure, panels = new_axes(2.7 * len(indices) + 0.6, 3.1, columns=len(indices), sharey=True)
    rows = list_of(instance(dict))(result.get("rows"), "rows of the result")
    error = real_array([row.get("error") for row in rows], "error of the rows", None, 3)
    correlations = check_dict(result.get("correlations"), "correlations").get("all")
    settings = [check_text(row.get("setting"), "setting of a row") for row in rows]
    shown = error[:, 0] <= most
    for axes, index in zip(np.atleast_1d(panels), indices, strict=True):
        label = PANELS[index]
        x = real_array([row.get(index) for row in rows], f"{index} of the rows", None, 3)
        x = 1 - x[:, [0, 2, 1]] if index in ("deletions", "gaussian") else x
        for family, colour, marker in FAMILIES:
            own = np.array([setting.startswith(family) for setting in settings])
            near, far = own & shown, own & ~shown
            bars = {"fmt": "none", "ecolor": GREY, "lw": 0.6, "alpha": 0.7}
            axes.errorbar(x[near, 0], error[near, 0], _reach(error[near]), _reach(x[near]), **bars)
            axes.plot(x[near, 0], error[near, 0], marker, color=colour, ms=5, label=family)
            edge = np.minimum(x[far, 0], 1.5 * np.max(x[shown, 0], initial=0.0))
            axes.plot(edge, np.full(len(edge), most), "^", mfc="none", color=colour, ms=6)
        axes.set(xscale="log", yscale="log", xlabel=label)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=6))
            axis.set_major_formatter("{x:g}")
            axis.set_minor_formatter(NullFormatter())
        found = check_dict(correlations, "all of the correlations").get(index)
        value, low, high = real_array(found, f"correlations of {index}", 3)
        title = f"rank correlation {value:.2f} ({low:.2f} to {high:.2f})".replace("-", "−")
        axes.set_title(title, fontsize=9)
        axes.tick_params(labelsize=8)
        axes.grid(alpha=0.3)
    first = np.atleast_1d(panels)[0]
    first.set_ylabel("error of first order / change")
    if not np.all(shown):
        first.plot([], [], "^", mfc="none", color=GREY, label="off the scale")
    first.legend(frameon=False)
    return figure


def _reach(values):
    """How far the ends of intervals are from the values, (2, rows), none below 0.

    A bootstrap of a quantity like a largest term may have all its draws on one side of the value.
    """
    return np.maximum(0.0, [values[:, 0] - values[:, 1], values[:, 2] - values[:, 0]])
