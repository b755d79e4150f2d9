"""Circuit diagrams: gates as circles, inputs at the left, the output at the right."""

import collections
import itertools

import numpy as np

from ..arguments import check_flag
from ..canvas import BLUE, GREEN, GREY, ORANGE, RED, new_axes

MOST_DRAWN = 80
SYMBOLS = {"add": "+", "multiply": "×"}
COLOURS = {"input": BLUE, "constant": GREY, "add": ORANGE, "multiply": ORANGE}
PAPER = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}  # no wire runs through a number


def _label(gate):
    if gate.operation == "power":
        return "1/·" if gate.detail == -1 else f"·^{gate.detail:g}"
    if gate.operation == "constant":
        return _short(gate.detail)
    return gate.detail or SYMBOLS.get(gate.operation, gate.operation)


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
    check_flag(derivatives, "derivatives")
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
        1.0 + min(1.35, 8.4 / columns) * columns, 1.7 + min(1.9, 8 / (top + 1)) * top
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
        axes.text(*middle, label, color=RED, fontsize=10, ha="center", va="center", bbox=PAPER)


def _draw_gate(axes, x, y, gate, value):
    circle = {
        "boxstyle": "circle,pad=0.35",
        "facecolor": "white",
        "edgecolor": COLOURS.get(gate.operation, GREEN),
        "lw": 1.6,
    }
    axes.text(x, y, _label(gate), ha="center", va="center", fontsize=11, bbox=circle)
    if value is not None and gate.operation != "constant":
        axes.annotate(
            value,
            (x, y),
            (0, -15 - 2 * len(_label(gate))),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=10,
            color=BLUE,
            bbox=PAPER,
        )
