"""What deletions do to a model: predicted, retrained, and what methods of unlearning reach."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..algebra.jet import Jet
from ..arguments import check_dict, check_list, check_text, instance, list_of, of_shape, takes
from ..canvas import BLUE, GREEN, GREY, ORANGE, PINK, RED, SKY, SMALL, name_points, new_axes, write
from ..checks import brief, check_degree, check_number_of, check_real, real_array
from ..estimation.prediction import Prediction
from ..unlearning.ways import Way


@takes(
    weights=of_shape(None),
    retrained=of_shape(None),
    jet=instance(Jet),
    name=check_text,
    degrees=list_of(check_degree),
    z=check_real,
)
def deletion_curve(weights, retrained, jet, *, name, degrees=(1, 2, 3, 6), z=None):
    """Loss against the down-weight of the deleted names: Taylor polynomials and retraining.

    weights, retrained: exact losses, shape (points,). jet: the loss at weight 0, scalar
    coefficients. degrees: which Taylor polynomials to draw. z: optionally a weight to mark.
    """
    _check_same_length(weights=weights, retrained=retrained)
    figure, axes = new_axes()
    fine = np.linspace(weights[0], weights[-1], 101)
    colours = plt.get_cmap("viridis")(0.9 - 0.8 * np.minimum(np.array(degrees) - 1, 5) / 5)
    for degree, colour in zip(degrees, colours, strict=True):
        axes.plot(fine, jet.truncate(degree)(fine), color=colour, label=f"jet, degree {degree}")
    axes.plot(weights, retrained, "o", color=RED, label="exact retraining")
    if z is not None:
        axes.axvline(z, color=GREY, lw=1)
    axes.set(xlabel="down-weight z of the deleted names (0: kept, 1: deleted)")
    write(axes.yaxis.label, f"loss on {name!r} (nats)")
    axes.legend(frameon=False, loc="upper left")
    return figure


@takes(
    weights=of_shape(None),
    weight=check_real,
    now=check_real,
    label=check_text,
    prediction=instance(Prediction),
    curve=instance(Prediction),
)
def predicted_deletion(
    prediction, weights, curve, *, weight=1.0, now=None, retrained=(), label="output"
):
    """A prediction on its curve over the down-weight, with its band, beside its Taylor terms.

    weights: the down-weights of the curve, (points,); curve: the `Prediction` at these. Where an
    error is infinite, because nothing is known of it, no band is drawn, and the legend says so.
    retrained: pairs of down-weight and exact output. label: what is predicted.
    """
    figure, (left, right) = new_axes(*SMALL, columns=2, width_ratios=(2.2, 1))
    predicted_curve(left, prediction, weights, curve, weight=weight, now=now, retrained=retrained)
    write(left.set_title("", loc="left", fontsize=10), label)  # at the axis it would need room
    taylor_terms(right, prediction)
    return figure


@takes(
    axes=instance(Axes),
    prediction=instance(Prediction),
    weights=of_shape(None),
    curve=instance(Prediction),
    weight=check_real,
    now=check_real,
    retrained=check_list,
)
def predicted_curve(axes, prediction, weights, curve, *, weight=1.0, now=None, retrained=()):
    """Draw the first part of `predicted_deletion`, its curve, into axes."""
    _check_same_length(weights=weights, curve=np.atleast_1d(curve.value))
    _draw_curve(axes, weights, curve.value, curve.low, curve.high, np.isfinite(curve.error))
    reach, band = None, "band unknown"
    if np.isfinite(prediction.error):
        reach = [[prediction.value - prediction.low], [prediction.high - prediction.value]]
        band = f"90% band {prediction.low:.4f} to {prediction.high:.4f}"
    bar = axes.errorbar([weight], [prediction.value], reach, fmt="o", color=BLUE, ms=7, capsize=4)
    said = f"predicted at down-weight {weight:g}: {prediction.value:.4f}, {band}"
    name_points(bar.lines[0], [said])
    if len(retrained):
        retrained = real_array(retrained, "retrained, pairs of down-weight and output,", None, 2)
        (exact,) = axes.plot(*retrained.T, "D", color=RED, ms=6, label="exact retraining")
        name_points(
            exact, [f"retrained at down-weight {w:g}: {value:.4f}" for w, value in retrained]
        )
    if now is not None:
        axes.axhline(now, color=GREY, lw=1, ls="--", label="now")
    axes.set(xlabel="down-weight (0: kept, 1: deleted)")
    axes.legend(frameon=False)
    axes.locator_params(nbins=5)  # every tick costs a millisecond


@takes(axes=instance(Axes), prediction=instance(Prediction), degree=check_degree)
def taylor_terms(axes, prediction, *, degree=0):
    """Draw the second part of `predicted_deletion`, the Taylor terms, into axes.

    degree: how far the jets go; of terms up to there that are not known, the axis says so.
    And, in grey, the rest: what the prediction has beyond them, by retrainings or resummation.
    """
    terms = prediction.terms[1:]
    errors = np.array([term.error for term in terms], float)
    known = np.isfinite(errors)
    degrees = [term.degree for term in terms]
    ticks, labels = list(degrees), [str(degree) for degree in degrees]
    if prediction.rest:
        ticks, labels = [*ticks, max(degrees, default=0) + 1], [*labels, "rest"]
        axes.bar(ticks[-1:], [prediction.rest], color=GREY)
    axes.bar(
        degrees,
        [term.value for term in terms],
        yerr=np.where(known, errors, np.nan),
        color=BLUE,
        ecolor="black",
        capsize=4,
    )
    axes.axhline(0, color="black", lw=0.8)
    axes.set_title("Taylor terms", loc="left", fontsize=10)
    unknown = "" if np.all(known) else " (error unknown)"
    missing = range(max(degrees, default=0) + 1, degree + 1)
    if missing:
        unknown += f" ({', '.join(map(str, missing))}: not known)"
    axes.set(xlabel=f"degree{unknown}", xmargin=0.3)
    axes.set_xticks(ticks, labels)
    axes.locator_params(axis="y", nbins=4)


def _draw_curve(axes, weights, values, low, high, known):
    band = "90% band where known" if np.any(known[1:] & known[:-1]) else "band unknown"
    band = "90% band" if np.all(known) else band
    low, high = np.where(known, low, values), np.where(known, high, values)
    axes.fill_between(weights, low, high, where=known, color=BLUE, alpha=0.2, lw=0)
    axes.plot(weights, values, color=BLUE, label=f"predicted, {band}")


@takes(jet=instance(Jet), truth=check_real, z=check_real)
def error_by_degree(jet, truth, *, z=1.0):
    """Absolute error of each Taylor polynomial at weight z, on a logarithmic scale."""
    figure, axes = new_axes(4.5, 3.2)
    degrees = np.arange(jet.degree + 1)
    errors = [abs(jet.truncate(degree)(z) - truth) for degree in degrees]
    axes.semilogy(degrees, errors, "o-", color=BLUE)
    axes.set(xlabel="degree", ylabel="error against retraining (nats)", xticks=degrees)
    axes.grid(alpha=0.3)
    return figure


@takes(result=check_dict)
def stability(result):
    """Figure 1 of the paper, from `paper.figure1`: size of the Taylor coefficients by degree."""
    figure, axes = new_axes()
    log2 = real_array(result.get("log2"), "log2 of the result", None, None)
    axes.plot(log2.T, ".", color=BLUE, alpha=0.35, ms=4)
    axes.plot(np.median(log2, axis=0), color=RED, lw=1.2, label=f"median of {len(log2)} directions")
    axes.set(xlabel="degree r", ylabel=r"$\log_2 \sqrt{C(n+r-1,\, r)}\ |c_r|$")
    axes.legend(frameon=False)
    return figure


@takes(result=check_dict)
def predicted_curves(result):
    """Figure 3 of the paper, from `paper.figure3`: predictions of each degree with 90% bands."""
    if missing := {"degrees", "weights", "retrained", "name"} - set(result):
        raise ValueError(f"the result has no {min(missing)!r}: give what paper.figure3 returns")
    weights = real_array(result["weights"], "weights", None)
    retrained = real_array(result["retrained"], "retrained", len(weights))
    degrees = check_dict(result["degrees"], "degrees")
    figure, panels = new_axes(10, 3.4, columns=len(degrees), sharey=True)
    for axes, (degree, curve) in zip(np.atleast_1d(panels), degrees.items(), strict=True):
        check_dict(curve, f"degree {degree}")
        values, low, high = (
            real_array(curve.get(part), part, len(weights), finite=False)
            for part in ("values", "low", "high")
        )
        known = np.isfinite(low) & np.isfinite(high)
        _draw_curve(axes, weights, values, low, high, known)
        axes.plot(weights, retrained, "o", color=RED, label="exact retraining")
        axes.set(title=f"degree {degree}", xlabel="down-weight of the deleted names")
    panels = np.atleast_1d(panels)
    write(panels[0].yaxis.label, f"loss on {result['name']!r} (nats)")
    panels[0].legend(frameon=False)
    return figure


@takes(stop=check_number_of, null=check_dict, figure=instance(Figure), way=instance(Way))
def unlearning_way(way, stop, null, *, figure=None):
    """Where a method is on its way, beside models that never saw the forget set.

    way: a `Way`, from `Bench.way`. stop: the number of a stop. null: the bench's. Above: margins of
    all predictions, in standard deviations of the oracles' from their mean, of the oracles, at the
    start, and at the stop. Below: KLoM at all stops, and how far each forgotten document is from
    its target, both with what retrained models have among themselves.
    """
    if stop >= len(way.stops):
        raise IndexError(f"stop must be a number from 0 to {len(way.stops) - 1}, not {stop}")
    null = {part: real_array(_klom(null, part), f"null of {part}", 3) for part in PARTS}
    if figure is None:
        figure = plt.figure(figsize=(8.5, 5.6))
        plt.close(figure)
    grid = figure.add_gridspec(2, 6)
    figure.subplots_adjust(left=0.08, right=0.985, bottom=0.09, top=0.94, wspace=1.0, hspace=0.42)
    for number, part in enumerate(PARTS):
        axes = figure.add_subplot(grid[0, 2 * number : 2 * number + 2])
        _draw_margins(axes, way, part, stop)
        axes.set(title=f"margins, {PARTS[part]}", xlabel="standard deviations", yticks=[])
        if not number:
            axes.set_ylabel("density")
            axes.legend(frameon=False, fontsize=9, loc="upper left")
    left, right = figure.add_subplot(grid[1, :3]), figure.add_subplot(grid[1, 3:])
    _draw_distances(left, way, null)
    missed, reached = way.missed(), np.abs(way.missed_by_retraining()).max()
    right.axhspan(-2, 2, color=RED, alpha=0.1, lw=0, label="one retrained model, mostly")
    right.axhspan(-reached, reached, color=RED, alpha=0.35, lw=0, label="means of retrained models")
    right.plot(missed, color=PINK, lw=0.9)
    right.set_yscale("symlog", linthresh=3)
    right.set_yticks([-30, -10, -3, 0, 3, 10], ["−30", "−10", "−3", "0", "3", "10"])
    right.set_ylim(1.2 * min(-3, np.nanmin(missed)), 1.2 * max(3, np.nanmax(missed)))
    right.set(ylabel="standard deviations", title="each forgotten name (0: its target)")
    right.legend(fontsize=9, loc="lower left")
    for axes in (left, right):
        axes.axvline(stop, color=GREY, lw=1)
        counts = way.steps[-1] > 1
        labels = [f"{x:.0f}" for x in way.steps] if counts else [f"{x:.2g}" for x in way.stops]
        axes.set_xticks(range(len(labels)), labels, fontsize=9)
        axes.set_xlabel("steps taken by a model" if counts else "rate")
    return figure


PARTS = {"forget": "forgotten", "retain": "retained", "unseen": "never seen"}
REACH = 6.0  # standard deviations that a histogram shows; what is beyond counts at its ends


def _draw_margins(axes, way, part, stop):
    bins = np.linspace(-REACH, REACH, 49)
    styles = (
        (None, {"histtype": "stepfilled", "color": RED, "alpha": 0.35, "label": "retrained"}),
        (0, {"histtype": "step", "color": ORANGE, "ls": "--", "label": "originals"}),
        (stop, {"histtype": "step", "color": BLUE, "lw": 1.5, "label": "unlearned"}),
    )
    for number, style in styles:
        values = np.nan_to_num(way.standardised(part, number), nan=REACH)
        axes.hist(np.clip(values, -REACH, REACH).ravel(), bins, density=True, **style)
    axes.set_ylim(0, 0.65)  # a normal distribution reaches 0.4


def _check_same_length(**arrays):
    lengths = {name: len(values) for name, values in arrays.items()}
    if len(set(lengths.values())) > 1 or not all(lengths.values()):
        raise ValueError(f"these must have the same number of points, one or more: {lengths}")


def _klom(null, part):
    """The range of KLoM of a part in a bench's null, or TypeError."""
    found = null.get(part)
    if not isinstance(found, dict) or "klom" not in found:
        raise TypeError(f"null must be that of a bench, bench.null, not {brief(null)}")
    return found["klom"]


def _draw_distances(axes, way, null):
    for part, colour in zip(PARTS, (PINK, SKY, GREEN), strict=True):
        values = [np.nan if one is None else one["klom"][part] for one in way.distances]
        axes.plot(values, "o-", color=colour, ms=3.5, lw=1.2, label=PARTS[part])
    lows, _, highs = zip(*(null[part] for part in PARTS), strict=True)
    axes.axhspan(min(lows), max(highs), color=RED, alpha=0.35, lw=0, label="retrained models")
    axes.set_yscale("symlog", linthresh=1)
    axes.set_yticks([0, 0.5, 1, 3, 10], ["0", "0.5", "1", "3", "10"])
    axes.set(ylabel="KLoM (0: alike)", title="distance to retraining", ylim=(0, 40))
    axes.legend(fontsize=9, ncols=2, loc="upper left")
