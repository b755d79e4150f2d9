"""Figures, drawn from results that are computed elsewhere; each function returns the figure."""

import matplotlib.pyplot as plt
import numpy as np

from .canvas import BLUE, GREEN, GREY, ORANGE, RED, SMALL, blank, description, new_axes

__all__ = [
    "BLUE",
    "GREEN",
    "GREY",
    "ORANGE",
    "RED",
    "blank",
    "deletion_curve",
    "description",
    "error_by_degree",
    "new_axes",
    "predicted_curves",
    "predicted_deletion",
    "stability",
]


def deletion_curve(weights, retrained, jet, *, name, degrees=(1, 2, 3, 6), z=None):
    """Loss against the down-weight of the deleted names: Taylor polynomials and retraining.

    weights, retrained: exact losses, shape (points,). jet: the loss at weight 0, scalar
    coefficients. degrees: which Taylor polynomials to draw. z: optionally a weight to mark.
    """
    figure, axes = new_axes()
    fine = np.linspace(weights[0], weights[-1], 101)
    colours = plt.get_cmap("viridis")(0.9 - 0.8 * np.minimum(np.array(degrees) - 1, 5) / 5)
    for degree, colour in zip(degrees, colours, strict=True):
        axes.plot(fine, jet.truncate(degree)(fine), color=colour, label=f"jet, degree {degree}")
    axes.plot(weights, retrained, "o", color=RED, label="exact retraining")
    if z is not None:
        axes.axvline(z, color=GREY, lw=1)
    axes.set(
        xlabel="down-weight z of the deleted names (0: kept, 1: deleted)",
        ylabel=f"loss on {name!r} (nats)",
    )
    axes.legend(frameon=False, loc="upper left")
    return figure


def predicted_deletion(
    prediction, weights, curve, *, weight=1.0, now=None, retrained=(), label="output", figure=None
):
    """A prediction on its curve over the down-weight, with its band, beside its Taylor terms.

    weights: the down-weights of the curve, (points,). retrained: pairs of down-weight and exact
    output. figure: an empty one to draw into, such as
    `blank()`. Margins are fixed, which makes it quick enough to be drawn whenever a slider moves.
    """
    if figure is None:  # from pyplot, so that a notebook knows how to show it
        figure = plt.figure(figsize=SMALL)
        plt.close(figure)
    left, right = figure.subplots(1, 2, width_ratios=(2.2, 1))
    figure.subplots_adjust(left=0.09, right=0.985, bottom=0.15, top=0.91, wspace=0.3)
    left.fill_between(weights, curve.low, curve.high, color=BLUE, alpha=0.2, lw=0)
    left.plot(weights, curve.value, color=BLUE, label="predicted, 90% band")
    reach = [[prediction.value - prediction.low], [prediction.high - prediction.value]]
    left.errorbar([weight], [prediction.value], reach, fmt="o", color=BLUE, ms=7, capsize=4)
    if retrained:
        left.plot(*zip(*retrained, strict=True), "D", color=RED, ms=6, label="exact retraining")
    if now is not None:
        left.axhline(now, color=GREY, lw=1, ls="--", label="now")
    left.set_title(label, loc="left", fontsize=10)  # a label at the axis would need room
    left.set(xlabel="down-weight (0: kept, 1: deleted)")
    left.legend(frameon=False, fontsize=9)
    terms = prediction.terms[1:]
    right.bar(
        [term.degree for term in terms],
        [term.value for term in terms],
        yerr=[term.error for term in terms],
        color=BLUE,
        ecolor="black",
        capsize=4,
    )
    right.axhline(0, color="black", lw=0.8)
    left.locator_params(nbins=5)  # every tick costs a millisecond
    right.locator_params(axis="y", nbins=4)
    right.set_title("Taylor terms", loc="left", fontsize=10)
    right.set(xlabel="degree", xticks=range(1, len(terms) + 1), xmargin=0.3)
    return figure


def error_by_degree(jet, truth, *, z=1.0):
    """Absolute error of each Taylor polynomial at weight z, on a logarithmic scale."""
    figure, axes = new_axes(4.5, 3.2)
    degrees = np.arange(jet.degree + 1)
    errors = [abs(jet.truncate(degree)(z) - truth) for degree in degrees]
    axes.semilogy(degrees, errors, "o-", color=BLUE)
    axes.set(xlabel="degree", ylabel="error against retraining (nats)", xticks=degrees)
    axes.grid(alpha=0.3)
    return figure


def stability(result):
    """Figure 1 of the paper, from `paper.figure1`: size of the Taylor coefficients by degree."""
    figure, axes = new_axes()
    log2 = np.array(result["log2"])
    axes.plot(log2.T, ".", color=BLUE, alpha=0.35, ms=4)
    axes.plot(np.median(log2, axis=0), color=RED, lw=1.2, label=f"median of {len(log2)} directions")
    axes.set(xlabel="degree r", ylabel=r"$\log_2 \sqrt{C(n+r-1,\, r)}\ |c_r|$")
    axes.legend(frameon=False)
    return figure


def predicted_curves(result):
    """Figure 3 of the paper, from `paper.figure3`: predictions of each degree with 90% bands."""
    degrees = result["degrees"]
    figure, panels = new_axes(10, 3.4, columns=len(degrees), sharey=True)
    for axes, (degree, curve) in zip(np.atleast_1d(panels), degrees.items(), strict=True):
        axes.fill_between(result["weights"], curve["low"], curve["high"], color=BLUE, alpha=0.2)
        axes.plot(result["weights"], curve["values"], color=BLUE, label="predicted, 90% band")
        axes.plot(result["weights"], result["retrained"], "o", color=RED, label="exact retraining")
        axes.set(title=f"degree {degree}", xlabel="down-weight of the deleted names")
    panels = np.atleast_1d(panels)
    panels[0].set_ylabel(f"loss on {result['name']!r} (nats)")
    panels[0].legend(frameon=False)
    return figure
