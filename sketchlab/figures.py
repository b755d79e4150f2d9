"""Figures, drawn from results that are computed elsewhere; each function returns the figure."""

import collections

import matplotlib.pyplot as plt
import numpy as np

BLUE, ORANGE, GREEN, RED, GREY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#999999"
MOST_DRAWN = 80
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
        return "1/a" if gate.detail == -1 else f"a^{gate.detail:g}"
    if gate.operation == "constant":
        return f"{gate.detail:g}"
    return SYMBOLS.get(gate.operation, gate.detail)


def _short(value):
    if isinstance(value, (float, int)) or np.iscomplexobj(value) and np.ndim(value) == 0:
        return f"{value:.4g}"
    coefficients = getattr(value, "coefficients", None)
    if coefficients is not None:
        return ", ".join(f"{c:.3g}" for c in coefficients[:4])
    return str(value)


def _positions(circuit):
    """Coordinates of the gates: column = longest path from an input, rows spread evenly."""
    depth, columns = {}, collections.defaultdict(list)
    for gate in circuit.gates:
        depth[gate] = 1 + max((depth[source] for source in gate.sources), default=-1)
    readers = collections.defaultdict(list)
    for gate in circuit.gates:
        for source in gate.sources:
            readers[source].append(gate)
    for gate in circuit.gates:
        if not gate.sources and readers[gate]:  # constants and inputs stand just before their use
            depth[gate] = min(depth[reader] for reader in readers[gate]) - 1
            if gate.operation == "input":
                depth[gate] = 0
        columns[depth[gate]].append(gate)
    place = {}
    for column in sorted(columns):
        gates = columns[column]
        if column:  # stand beside the mean row of what is read
            gates = sorted(
                gates,
                key=lambda gate: np.mean([place[s][1] for s in gate.sources if s in place] or [0]),
            )
        for row, gate in enumerate(gates):
            place[gate] = (column, (len(gates) - 1) / 2 - row if column == 0 else 0.0)
        if column == 0:
            continue
        wanted = [np.mean([place[s][1] for s in g.sources if s in place] or [0]) for g in gates]
        spread = np.arange(len(gates)) - (len(gates) - 1) / 2
        for gate, height in zip(gates, np.mean(wanted) + spread, strict=True):
            place[gate] = (column, height)
    return place


def circuit(circuit, values=(), derivatives=False):
    """Draw a circuit; see `Circuit.draw`. Raises ValueError beyond 80 gates."""
    if len(circuit.gates) > MOST_DRAWN:
        raise ValueError(
            f"this circuit has {len(circuit.gates)} gates; at most {MOST_DRAWN} can be drawn "
            "so that a person can read them"
        )
    if derivatives and not values:
        raise ValueError("local derivatives depend on the inputs: give their values")
    place = _positions(circuit)
    columns = 1 + max(x for x, _ in place.values())
    heights = [y for _, y in place.values()]
    rows = max(heights) - min(heights) + 1
    figure, axes = new_axes(1.2 + 1.35 * columns, 0.8 + 0.95 * rows)
    results = circuit.values(*values) if values else None
    for slot, gate in enumerate(circuit.gates):
        x, y = place[gate]
        local = circuit.local_derivatives(slot, results) if derivatives and gate.sources else ()
        for i, source in enumerate(gate.sources):
            x0, y0 = place[source]
            bend = 0.12 * (i - (len(gate.sources) - 1) / 2) if gate.sources.count(source) > 1 else 0
            axes.annotate(
                "",
                (x, y),
                (x0, y0),
                arrowprops={
                    "arrowstyle": "-|>",
                    "color": GREY,
                    "shrinkA": 13,
                    "shrinkB": 13,
                    "connectionstyle": f"arc3,rad={3 * bend:g}",
                },
            )
            if derivatives:
                axes.text(
                    x0 + 0.6 * (x - x0),
                    y0 + 0.6 * (y - y0) + 1.2 * bend,
                    _short(local[i]),
                    color=RED,
                    fontsize=8,
                    ha="center",
                    va="center",
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
                )
        colour = COLOURS.get(gate.operation, GREEN)
        axes.text(
            x,
            y,
            _label(gate),
            ha="center",
            va="center",
            fontsize=10,
            bbox={"boxstyle": "circle,pad=0.35", "facecolor": "white", "edgecolor": colour, "lw": 1.6},
        )
        if results is not None:
            axes.text(x, y - 0.42, _short(results[slot]), ha="center", va="center", fontsize=8, color=BLUE)
    axes.set_xlim(-0.6, columns - 0.4)
    axes.set_ylim(min(heights) - 0.65, max(heights) + 0.5)
    axes.axis("off")
    return figure
