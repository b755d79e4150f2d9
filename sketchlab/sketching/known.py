"""What a stored sketch grows by, row by row: anchors, and derivatives of named outputs.

`anchors`, (a, units), and `anchor_parameters`, (a, P): the deletions that were retrained, and the
parameters after that; `reference_values`, (a, references): what `references` are after that.
`gradients/...`: a group for each output, which its attribute `output` names, with `points`,
(g, units), each an anchor or the base point, `gradients` there, (g, units), and `costs`, (g, 1),
what each took beyond its anchor, in trainings.

Rows that belong together become complete together (see `contents`). What another process has added
meanwhile is not added again.
"""

import hashlib

import numpy as np

from . import contents, rows


def write_anchors(group, down_weights, parameters):
    """Add exact retrainings: deletions (a, units) and flat parameters (a, size)."""
    with contents.changing(group) as table:
        new = _new(down_weights, anchors(group, down_weights.shape[1]))
        added = {"anchor_parameters": parameters[new], "anchors": down_weights[new]}
        rows.append(group, table, added)


def anchors(group, units):
    """The deletions that are anchors, (a, units)."""
    count = rows.count(group, "anchors")
    return rows.read(group, "anchors", 0, count) if count else np.empty((0, units))


def anchor_parameters(group, batch, first=0):
    """The parameters after the anchors' retrainings from a first on, (up to batch, size) each."""
    count = rows.count(group, "anchor_parameters")
    for start in range(first, count, batch):
        yield rows.read(group, "anchor_parameters", start, min(start + batch, count))


def write_reference_values(group, first, values):
    """Add the values of the references after the anchors from a first on, (a, references)."""
    with contents.changing(group) as table:
        have = len(table["rows"].get("reference_values", ()))
        rows.append(group, table, {"reference_values": values[have - first :]})


def reference_values(group):
    """The values of the references after the anchors, (a, references)."""
    return rows.read(group, "reference_values", 0, reference_count(group))


def reference_count(group):
    """How many anchors the values of the references are known after."""
    return rows.count(group, "reference_values")


def write_gradients(group, output, points, gradients, costs):
    """Add derivatives of the output of this name: (g, units) twice, and costs, (g,)."""
    place = _place_of_gradients(output)
    with contents.changing(group) as table:
        if place not in group:
            group.create_group(place, attributes={"output": output})
        have = rows.count(group, f"{place}/points")
        there = rows.read(group, f"{place}/points", 0, have) if have else points[:0]
        new = _new(points, there)
        added = {"costs": costs[:, None], "gradients": gradients, "points": points}
        rows.append(group, table, {f"{place}/{name}": part[new] for name, part in added.items()})


def gradients(group, output, units):
    """Points, derivatives of the output of this name there, both (g, units), and costs, (g,)."""
    place = _place_of_gradients(output)
    count = rows.count(group, f"{place}/points")
    if not count:
        return np.empty((0, units)), np.empty((0, units)), np.empty(0)
    points, found, costs = (
        rows.read(group, f"{place}/{name}", 0, count, f" of {output}")
        for name in ("points", "gradients", "costs")
    )
    return points, found, costs[:, 0]


def _place_of_gradients(output):
    return f"gradients/{hashlib.sha256(output.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _new(wanted, have):
    """Which rows are not there yet, (rows,)."""
    have = {row.tobytes() for row in have}
    return np.array([row.tobytes() not in have for row in wanted], bool)
