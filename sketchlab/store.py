"""The file format of a sketch: jet-valued models in a zarr group, one chunk per direction.

`head`: the trained parameters, flat, shape (P,), shared by all directions. `tail`: their higher
Taylor coefficients, complex, shape (directions, degree, P), one chunk per direction with a CRC-32C
checksum. `done`: 1 for each direction that is complete. The group's attributes say to which run,
degree, seed and units the sketch belongs. Nothing is pickled.
"""

from pathlib import Path

import numpy as np
import zarr
from zarr.codecs import Crc32cCodec
from zarr.storage import MemoryStore

FORMAT = "sketchlab sketch"
VERSION = 1


def open_or_create(path, record, directions):
    """The group for a sketch with this record, with room for `directions`.

    path: a folder, or None for memory. An existing store is continued if its record is the same.
    Raises ValueError, changing nothing, if there is something else at the path.
    """
    if path is not None and Path(path).exists() and not _is_empty_folder(path):
        group = open_existing(path, mode="r+")
        _check_same(path, dict(group.attrs)["record"], record)
        if group["done"].shape[0] < directions:
            group["tail"].resize((directions, *group["tail"].shape[1:]))
            group["done"].resize((directions,))
        return group
    group = zarr.open_group(MemoryStore() if path is None else str(path), mode="w")
    size = sum(int(np.prod(shape)) for shape in record["parameters"].values())
    checked = {"compressors": [Crc32cCodec()], "fill_value": np.nan}
    group.create_array("head", shape=(size,), dtype=float, chunks=(size,), **checked)
    group.create_array(
        "tail",
        shape=(directions, record["degree"], size),
        dtype=complex,
        chunks=(1, record["degree"], size),
        **checked,
    )
    group.create_array("done", shape=(directions,), dtype="u1", chunks=(1 << 16,))
    group.attrs.update({"format": FORMAT, "version": VERSION, "record": record})
    return group


def open_existing(path, *, mode="r"):
    """The zarr group of a stored sketch; ValueError if it is none or of a newer format."""
    if not Path(path).exists():
        raise FileNotFoundError(f"there is no sketch at {str(path)!r}")
    try:
        group = zarr.open_group(str(path), mode=mode)
        attributes = dict(group.attrs)
    except Exception as error:
        raise ValueError(f"{str(path)!r} is not a sketch: {error}") from error
    if attributes.get("format") != FORMAT:
        raise ValueError(f"{str(path)!r} is not a sketch; nothing there was changed")
    if attributes["version"] > VERSION:
        raise ValueError(
            f"{str(path)!r} has format version {attributes['version']}; this sketchlab reads up to "
            f"{VERSION}: update sketchlab"
        )
    return group


def write(group, numbers, head, tail):
    """Store the parameters along the directions with these numbers and mark them as complete."""
    try:
        group["head"][:] = head
        for number, coefficients in zip(numbers, tail, strict=True):
            group["tail"][int(number)] = coefficients
        done = group["done"][:]
        done[list(numbers)] = 1
        group["done"][:] = done
    except OSError as error:
        raise OSError(
            error.errno,
            f"the sketch could not be written ({error}); what is complete is kept: make room and "
            "run the same call again to go on",
        ) from error


def read(group, start, stop):
    """Head and tails of directions start .. stop - 1; ValueError if a chunk is damaged."""
    for name, key in (("head", slice(None)), ("tail", slice(start, stop))):
        try:
            values = group[name][key]
        except Exception as error:
            raise ValueError(_damaged(group, name, start, stop, error)) from error
        if np.isnan(values).any():
            raise ValueError(_damaged(group, name, start, stop, "a chunk is missing"))
        if name == "head":
            head = values
    return head, values


def _damaged(group, name, start, stop, error):
    return (
        f"the sketch at {group.store} is damaged: {name!r} of directions {start} to {stop - 1} "
        f"cannot be read ({error}); nothing was changed. Make the sketch again in another folder"
    )


def _is_empty_folder(path):
    return Path(path).is_dir() and not any(Path(path).iterdir())


def _check_same(path, found, wanted):
    different = [key for key in wanted if found.get(key) != wanted[key]]
    if different:
        raise ValueError(
            f"the sketch at {str(path)!r} was made with another "
            + ", ".join(
                f"{key} ({_brief(found.get(key))}, now {_brief(wanted[key])})" for key in different
            )
            + "; nothing was changed: give another path"
        )


def _brief(value):
    text = str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
