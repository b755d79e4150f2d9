"""Finding bad data, as a picture: what rankings find, and what deleting their first ones does."""

import numpy as np

from ..arguments import check_text, dict_of, instance, of_shape, takes
from ..attribution.recovery import Recovery, by_chance
from ..canvas import COLOURS, GREY, new_axes, write
from ..checks import check_count, real_array

STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)), (0, (8, 3)))


@takes(found=dict_of(instance(Recovery)), most=check_count, what=check_text)
def recovery_curves(found, *, most=None, what="documents", axes=None):
    """The share of bad documents among the first k of some rankings: the figure.

    found: by name, `attribution.Recovery`, all of as many documents and bad ones; at most seven.
    The grey band holds 90% of random orders, the thin line is what can be reached. most: the last
    k; default: all documents. what: what they are called. axes: where to draw; default: a new one.
    """
    _check_names(found)
    kinds = {(len(one.found) - 1, one.count) for one in found.values()}
    if len(kinds) > 1:
        raise ValueError(
            "the rankings are of different documents: numbers of documents and of bad ones are "
            f"{', '.join(map(str, sorted(kinds)))}"
        )
    ((n, bad),) = kinds
    most = n if most is None else min(check_count(most, "most"), n)
    figure, axes = new_axes() if axes is None else (axes.figure, axes)
    looked = np.arange(most + 1)
    chance = by_chance(n, bad, draws=1)
    low, high = 100 * chance.found_band[:, : most + 1]
    axes.fill_between(looked, low, high, color=GREY, alpha=0.35, lw=0, label="random order (90%)")
    axes.plot(looked, 100 * np.minimum(looked / bad, 1), color=GREY, lw=0.8, label="best possible")
    for (name, one), colour, style in zip(found.items(), COLOURS, STYLES, strict=False):
        (line,) = axes.plot(looked, 100 * one.found[: most + 1], color=colour, ls=style, lw=1.8)
        line.set_label(f"{name} (area {one.auc:.2f})")
    axes.set(xlim=(0, most), ylim=(0, 103), xlabel=f"{what} looked at", ylabel="bad ones found (%)")
    _legend(axes)
    return figure


@takes(counts=of_shape(None), losses=dict_of(real_array), label=check_text, what=check_text)
def losses_without(counts, losses, *, label="loss", what="documents", axes=None):
    """A loss after exact retraining without the first k of some rankings: the figure.

    counts: the k, (points,). losses: by name, the loss at each, (points,), at most seven; of shape
    (orders, points), such as of random orders, the mean with the range of them all, in grey. label:
    what the loss is of. axes: where to draw; default: a new one.
    """
    _check_names(losses)
    for name, values in losses.items():
        if np.shape(values)[-1:] != np.shape(counts) or np.ndim(values) > 2:
            raise ValueError(
                f"the losses of {name!r} have shape {np.shape(values)}: give one for each of the "
                f"{len(counts)} counts, (points,), or (orders, points)"
            )
    figure, axes = new_axes() if axes is None else (axes.figure, axes)
    styles = iter(zip(COLOURS, STYLES, strict=True))
    for name, values in losses.items():
        if np.ndim(values) == 2:
            low, high = np.min(values, axis=0), np.max(values, axis=0)
            axes.fill_between(counts, low, high, color=GREY, alpha=0.35, lw=0)
            axes.plot(counts, np.mean(values, axis=0), color="#666666", lw=1.2, label=name)
        else:
            colour, style = next(styles)
            axes.plot(
                counts, values, "o", color=colour, ls=style, ms=4, lw=1.8, label=name, clip_on=False
            )
    axes.set(xlim=(np.min(counts), np.max(counts)), xlabel=f"{what} deleted")
    write(axes.yaxis.label, label)
    _legend(axes)
    return figure


def _check_names(drawn):
    if not isinstance(drawn, dict) or not 1 <= len(drawn) <= len(COLOURS):
        raise ValueError(
            f"give a dict of one to {len(COLOURS)} rankings by name, not "
            f"{len(drawn) if isinstance(drawn, dict) else type(drawn).__name__}"
        )


def _legend(axes):
    """Beside the axes, so that it covers no curve."""
    axes.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5))
