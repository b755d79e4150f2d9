"""Figures, drawn from results that are computed elsewhere; each function returns the figure."""

import collections
import itertools

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, RED, GREY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#999999"
MOST_DRAWN = 80
SMALL = (7.0, 3.4)  # inches
SYMBOLS = {"add": "+", "multiply": "×", "exp": "exp", "log": "log", "gelu": "gelu"}
COLOURS = {"input": BLUE, "constant": GREY, "add": ORANGE, "multiply": ORANGE}


def new_axes(width=6.5, height=3.6, columns=1, **settings):
    """A figure with one or more axes, closed for pyplot so that a notebook shows it only once."""
    figure, axes = plt.subplots(
        1, columns, figsize=(width, height), layout="constrained", **settings
    )
    plt.close(figure)
    return figure, axes


def _label(gate):
    if gate.operation == "power":
        return "1/·" if gate.detail == -1 else f"·^{gate.detail:g}"
    if gate.operation == "constant":
        return _short(gate.detail)
    return SYMBOLS.get(gate.operation, gate.detail)


def _short(value):
    if isinstance(value, (float, int)):
        return f"{value + 0.0:.4g}"  # + 0.0: no minus before a zero
    if isinstance(value, complex):
        return f"{value:.2g}"
    if hasattr(value, "coefficients") and value.ndim == 0:  # a jet: what fits on a wire
        terms = [_short(c) for c in value.coefficients[:2].tolist()]
        more = " ..." if value.degree > 1 else ""
        return terms[0] + "".join(f"\n{term} z{more}" for term in terms[1:])
    return str(value)


def _layout(circuit):
    """Coordinates of the gates, and for every wire the points that it passes.

    Column = longest path from an input. A wire that spans several columns gets a place of its own
    in each, so that it runs between the gates; rows are sorted by the mean row of the neighbours.
    """
    depth, readers = {}, collections.defaultdict(list)
    for gate in circuit.gates:
        depth[gate] = 1 + max((depth[source] for source in gate.sources), default=-1)
        for source in gate.sources:
            readers[source].append(gate)
    for gate in circuit.gates:
        if gate.operation == "constant" and readers[gate]:  # constants stand just before their use
            depth[gate] = min(depth[reader] for reader in readers[gate]) - 1
    columns, wires = collections.defaultdict(list), {}
    neighbours = collections.defaultdict(list)
    for gate in circuit.gates:
        columns[depth[gate]].append(gate)
        for i, source in enumerate(gate.sources):
            stops = [(gate, i, column) for column in range(depth[source] + 1, depth[gate])]
            for stop in stops:
                columns[stop[2]].append(stop)
            wires[gate, i] = [source, *stops, gate]
            for a, b in itertools.pairwise(wires[gate, i]):
                neighbours[a].append(b)
                neighbours[b].append(a)
    place = {}

    def settle(column):
        for row, item in enumerate(columns[column]):
            place[item] = (column, (len(columns[column]) - 1) / 2 - row)

    def pull(item, side):
        rows = [place[n][1] for n in neighbours[item] if n in place and place[n][0] == side]
        return -np.mean(rows) if rows else -place.get(item, (0, 0))[1]

    last = max(columns)
    for column in range(last + 1):
        settle(column)
    for _ in range(4):
        for column in [*range(1, last + 1), *range(last - 1, -1, -1), *range(1, last + 1)]:
            side = column - 1 if column else 1
            columns[column].sort(key=lambda item, side=side: pull(item, side))
            settle(column)
    return place, wires


def circuit(circuit, values=(), derivatives=False):
    """Draw a circuit; see `Circuit.draw`. Raises ValueError beyond 80 gates."""
    if len(circuit.gates) > MOST_DRAWN:
        raise ValueError(
            f"this circuit has {len(circuit.gates)} gates; at most {MOST_DRAWN} can be drawn "
            "so that a person can read them"
        )
    if derivatives and not values:
        raise ValueError("local derivatives depend on the inputs: give their values")
    place, wires = _layout(circuit)
    columns = 1 + max(x for x, _ in place.values())
    top = max(y for _, y in place.values())
    figure, axes = new_axes(
        1.0 + min(1.35, 12 / columns) * columns, 1.7 + min(1.9, 8 / (top + 1)) * top
    )
    results = circuit.values(*values) if values else None
    for slot, gate in enumerate(circuit.gates):
        local = circuit.local_derivatives(slot, results) if derivatives and gate.sources else None
        for i, source in enumerate(gate.sources):
            points = [place[stop] for stop in wires[gate, i]]
            twice = gate.sources.count(source) > 1
            _draw_wire(axes, points, (0.25, -0.25)[i] if twice else 0, local and _short(local[i]))
        x, y = place[gate]
        _draw_gate(axes, x, y, gate, None if results is None else _short(results[slot]))
    axes.set_xlim(-0.5, columns - 0.5)
    axes.set_ylim(-top - 0.65, top + 0.5)
    axes.axis("off")
    return figure


def _draw_wire(axes, points, bend, label):
    if len(points) > 2:
        axes.plot(*zip(*points[:-1], strict=True), color=GREY, lw=1, zorder=0)
    arrow = {
        "arrowstyle": "-|>",
        "color": GREY,
        "shrinkA": 0 if len(points) > 2 else 12,
        "shrinkB": 14,
        "connectionstyle": f"arc3,rad={bend:g}",
    }
    (x0, y0), (x, y) = points[-2:]
    axes.annotate("", (x, y), (x0, y0), arrowprops=arrow, zorder=0)
    if label:
        middle = (0.36 * x0 + 0.64 * x, 0.36 * y0 + 0.64 * y - 0.5 * bend)
        box = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
        axes.text(*middle, label, color=RED, fontsize=8, ha="center", va="center", bbox=box)


def _draw_gate(axes, x, y, gate, value):
    circle = {
        "boxstyle": "circle,pad=0.35",
        "facecolor": "white",
        "edgecolor": COLOURS.get(gate.operation, GREEN),
        "lw": 1.6,
    }
    axes.text(x, y, _label(gate), ha="center", va="center", fontsize=10, bbox=circle)
    if value is not None and gate.operation != "constant":
        axes.annotate(
            value,
            (x, y),
            (0, -14 - 2 * len(_label(gate))),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=8,
            color=BLUE,
        )


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
    prediction, curve, *, weight=1.0, now=None, retrained=(), label="output", figure=None
):
    """A prediction on its curve over the down-weight, with its band, beside its Taylor terms.

    retrained: pairs of down-weight and exact output. figure: an empty one to draw into, such as
    `blank()`. Margins are fixed, which makes it quick enough to be drawn whenever a slider moves.
    """
    if figure is None:  # from pyplot, so that a notebook knows how to show it
        figure = plt.figure(figsize=SMALL)
        plt.close(figure)
    left, right = figure.subplots(1, 2, width_ratios=(2.2, 1))
    figure.subplots_adjust(left=0.09, right=0.985, bottom=0.15, top=0.91, wspace=0.3)
    left.fill_between(curve.weights, curve.low, curve.high, color=BLUE, alpha=0.2, lw=0)
    left.plot(curve.weights, curve.values, color=BLUE, label="predicted, 90% band")
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
