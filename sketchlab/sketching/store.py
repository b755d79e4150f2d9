"""The file format of a sketch: jet-valued models in a zarr group, one chunk per direction.

`head`: the trained parameters, flat, shape (P,), shared by all directions. `tail`: their higher
Taylor coefficients, complex (in single precision if the record says so), shape (directions, degree,
P), one chunk per direction with a CRC-32C checksum. `done`: 1 for each direction that is complete.
`trained`, `losses`: the parameters, (P,), and the losses of the examples, (n,), with nothing
deleted. The group's attributes say to which run, degree, seed and units the sketch belongs, and
with which versions it was made. Nothing is pickled.

`influence` is there once `Sketch.anchor` was called: the influence of units on each other; so are
the anchors, and the gradients that were asked for (see `known`).
"""

import os
import platform
import shutil
import uuid
from importlib import metadata
from pathlib import Path

import numpy as np
import zarr
from zarr.codecs import Crc32cCodec
from zarr.storage import MemoryStore

from ..checks import PRECISIONS

FORMAT = "sketchlab sketch"
VERSION = 4


def open_or_create(path, record, directions, trained, losses):
    """The group for a sketch with this record; a new one has room for `directions`.

    path: a folder, or None for memory. An existing store is continued if its record is the same.
    trained, losses: parameters and losses of the run with nothing deleted, (P,) and (n,).
    Raises ValueError, changing nothing, if there is something else at the path.
    """
    if path is None:
        return _create(MemoryStore(), record, directions, trained, losses)
    path = Path(path).expanduser()
    if not path.exists() or _is_empty_folder(path):
        _create_at(path, record, directions, trained, losses)  # or another process was faster
    group = open_existing(path, mode="r+")
    _check_same(path, dict(group.attrs)["record"], record)
    return group


def make_room(group, directions):
    """Let a sketch that has fewer directions grow to as many."""
    for name in ("tail", "done"):
        if group[name].shape[0] < directions:
            group[name].resize((directions, *group[name].shape[1:]))


def _create(store, record, directions, trained, losses):
    """A new group with its arrays; its attributes come with it."""
    group = zarr.open_group(
        store,
        mode="w",
        attributes={
            "format": FORMAT,
            "version": VERSION,
            "record": record,
            "made_with": {"python": platform.python_version()}
            | {name: metadata.version(name) for name in ("numpy", "scipy", "autograd", "zarr")},
        },
    )
    size, degree = len(trained), record["degree"]
    for name, dtype, shape, chunks, fill in (
        ("trained", float, (size,), (size,), np.nan),
        ("losses", float, (len(losses),), (len(losses),), np.nan),
        ("head", float, (size,), (size,), np.nan),
        (
            "tail",
            PRECISIONS[precision(record)][1],
            (directions, degree, size),
            (1, degree, size),
            np.nan,
        ),
        ("done", "u1", (directions,), (1 << 16,), 0),
    ):
        group.create_array(
            name,
            shape=shape,
            dtype=dtype,
            chunks=chunks,
            fill_value=fill,
            compressors=[Crc32cCodec()],
        )
    group["trained"][:], group["losses"][:] = trained, losses
    return group


def _create_at(path, record, directions, trained, losses):
    """Create a store in a folder beside the path and move it there, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.parent / f".{path.name}-{uuid.uuid4().hex}"
    try:
        _create(str(beside), record, directions, trained, losses)
        os.rename(beside, path)  # an empty folder gives way, one with a store in it does not
    except OSError:
        if not path.is_dir() or _is_empty_folder(path):
            raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def done(group):
    """1 for each direction that is complete; ValueError if that cannot be read."""
    try:
        return group["done"][:]
    except Exception as error:
        raise ValueError(
            f"the sketch at {group.store} is damaged: 'done' cannot be read ({error!r}); nothing "
            "was changed. Make the sketch again in another folder"
        ) from error


def open_existing(path, *, mode="r"):
    """The zarr group of a stored sketch; ValueError if it is none or of a newer format."""
    path = Path(path).expanduser()
    if not path.exists():
        raise FileNotFoundError(f"there is no sketch at {str(path)!r}")
    try:
        group = zarr.open_group(str(path), mode=mode)
        attributes = dict(group.attrs)
    except Exception as error:
        raise ValueError(f"{str(path)!r} is not a sketch: {error}") from error
    if attributes.get("format") != FORMAT:
        raise ValueError(f"{str(path)!r} is not a sketch; nothing there was changed")
    if attributes["version"] < VERSION:
        raise ValueError(
            f"{str(path)!r} has format version {attributes['version']}, from an older sketchlab; "
            f"this one reads version {VERSION}: make the sketch again in another folder"
        )
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
        mark(group, numbers)
    except OSError as error:
        raise OSError(
            error.errno,
            f"the sketch could not be written ({error}); what is complete is kept: make room and "
            "run the same call again to go on",
        ) from error


def mark(group, numbers):
    """Say that the directions with these numbers are complete."""
    done = group["done"][:]
    done[list(numbers)] = 1
    group["done"][:] = done


def read(group, start, stop):
    """Head and tails of directions start .. stop - 1; ValueError if a chunk is damaged."""
    where = f" of directions {start} to {stop - 1}"
    head = read_array(group, "head", slice(None), where)
    return head, read_array(group, "tail", slice(start, stop), where)


def read_array(group, name, key, where=""):
    """A part of an array; ValueError if a chunk is damaged. where: what it is of, in words."""
    try:
        values = group[name][key]
    except Exception as error:
        raise ValueError(damaged(group, name, where, error)) from error
    if np.isnan(values).any():
        raise ValueError(damaged(group, name, where, "a chunk is missing"))
    return values


def writable(group):
    """The same group, open for writing."""
    if not group.read_only:
        return group
    return zarr.open_group(group.store.with_read_only(False), mode="r+")


def put(group, name, values):
    """Store a whole array, in one chunk, in place of one of that name."""
    array = group.create_array(
        name,
        shape=values.shape,
        dtype=values.dtype,
        chunks=values.shape,
        fill_value=np.nan,
        overwrite=True,
        compressors=[Crc32cCodec()],
    )
    array[:] = values


def stored(group, name):
    """A whole array, or None if there is none of that name, or if writing it was cut off."""
    if name not in group:
        return None
    try:
        values = group[name][:]
    except Exception as error:
        raise ValueError(damaged(group, name, "", error)) from error
    return None if np.isnan(values).all() else values


def damaged(group, name, where, error):
    """The sentence that says what cannot be read. where: what it is of, in words."""
    return (
        f"the sketch at {group.store} is damaged: {name!r}{where} cannot be read ({error}); "
        "nothing was changed. Make the sketch again in another folder"
    )


def _is_empty_folder(path):
    return Path(path).is_dir() and not any(Path(path).iterdir())


def _check_same(path, found, wanted):
    found, wanted = _flat(found), _flat(wanted)
    different = [key for key in wanted if found.get(key) != wanted[key]]
    if different:
        raise ValueError(
            f"the sketch at {str(path)!r} was made with another "
            + ", ".join(
                f"{key} ({_brief(found.get(key))}, now {_brief(wanted[key])})" for key in different
            )
            + "; nothing was changed: give another path"
        )


def _flat(record):
    parts = {
        f"{key} of the {part}": value
        for part in ("run", "units")
        for key, value in record[part].items()
    }
    return record | parts | {"run": 0, "units": 0, "precision": precision(record)}


def precision(record):
    """The precision of the jets of a sketch; a record says only if it is not double."""
    return record.get("precision", "double")


def _brief(value):
    text = str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
