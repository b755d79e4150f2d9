"""What a stored sketch grows by, row by row: anchors, and derivatives of named outputs.

`anchors`, (a, units), and `anchor_parameters`, (a, P): the deletions that were retrained, and the
parameters after that; `reference_values`, (a, references): what `references` are after that.
`gradients/...`: a group for each output, which its attribute `output` names, with `points`,
(g, units), each an anchor or the base point, `gradients` there, (g, units), and `costs`, (g, 1),
what each took beyond its anchor, in trainings.

Every row is a chunk with a CRC-32C checksum, and the array that names the rows (`anchors`,
`points`) is written last: what an interrupted call left is no row, and is written over.
"""

import hashlib

import numpy as np
from zarr.codecs import Crc32cCodec

from .store import damaged, read_array


def write_anchors(group, down_weights, parameters):
    """Add exact retrainings: deletions (a, units) and flat parameters (a, size)."""
    _append(group, anchor_parameters=parameters, anchors=down_weights)


def anchors(group, units):
    """The deletions that are anchors, (a, units)."""
    count = _count(group, "anchors")
    return group["anchors"][:count] if count else np.empty((0, units))


def anchor_parameters(group, batch, first=0):
    """The parameters after the anchors' retrainings from a first on, (up to batch, size) each."""
    count = _count(group, "anchors")
    for start in range(first, count, batch):
        yield group["anchor_parameters"][start : min(start + batch, count)]


def write_reference_values(group, values):
    """Add the values of the references after the next anchors, (a, references)."""
    _append(group, reference_values=values)


def reference_values(group):
    """The values of the references after the anchors, (a, references)."""
    return group["reference_values"][: reference_count(group)]


def reference_count(group):
    """How many anchors the values of the references are known after."""
    return _count(group, "reference_values")


def write_gradients(group, output, points, gradients, costs):
    """Add derivatives of the output of this name: (g, units) twice, and costs, (g,)."""
    place = _place_of_gradients(output)
    if place not in group:
        group.create_group(place, attributes={"output": output})
    _append(group[place], costs=costs[:, None], gradients=gradients, points=points)


def gradients(group, output, units):
    """Points, derivatives of the output of this name there, both (g, units), and costs, (g,)."""
    place = _place_of_gradients(output)
    count = _count(group[place], "points") if place in group else 0
    if not count:
        return np.empty((0, units)), np.empty((0, units)), np.empty(0)
    points, rows, costs = (
        read_array(group[place], name, slice(0, count), f" of {output}")
        for name in ("points", "gradients", "costs")
    )
    return points, rows, costs[:, 0]


def _place_of_gradients(output):
    return f"gradients/{hashlib.sha256(output.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _append(group, **arrays):
    """Add rows to arrays, a chunk each; those of the last array say which ones are complete."""
    start = _count(group, list(arrays)[-1])
    for name, rows in arrays.items():
        if name not in group:
            group.create_array(
                name,
                shape=(0, rows.shape[1]),
                dtype=float,
                chunks=(1, rows.shape[1]),
                fill_value=np.nan,
                compressors=[Crc32cCodec()],
            )
        group[name].resize((start + len(rows), rows.shape[1]))
        group[name][start:] = rows


def _count(group, name):
    """Number of rows that are complete: what an interrupted call left is written over."""
    if name not in group:
        return 0
    try:
        missing = np.flatnonzero(np.isnan(group[name][:, 0]))
    except Exception as error:
        raise ValueError(damaged(group, name, "", error)) from error
    return int(missing[0]) if len(missing) else group[name].shape[0]
