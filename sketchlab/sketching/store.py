"""The file format of a sketch: jet-valued models in a zarr group, one chunk per direction.

`head`: the trained parameters, flat, shape (P,), shared by all directions. `tail`: their higher
Taylor coefficients, complex (in single precision if the record says so), shape (directions, degree,
P), one chunk per direction. `trained`, `losses`: the parameters, (P,), and the losses of the
examples, (n,), with nothing deleted. The group's attributes say to which run, degree, seed and
units the sketch belongs, and with which versions it was made; `seal` is a sum of them all.
`contents` says which rows are complete, and what is in them (see `contents`); it is checked
whenever numbers are read.

`influence` is there once `Sketch.anchor` was called: the influence of units on each other; so are
the anchors, and the gradients that were asked for (see `known`).

Nothing is pickled, and chunks are plain numbers with a CRC-32C checksum (see `rows`).
"""

import json
import os
import platform
import shutil
import uuid
from importlib import metadata
from pathlib import Path

import numpy as np
import zarr
from zarr.storage import MemoryStore

from ..checks import PRECISIONS
from ..training.fingerprints import sealed
from . import contents, rows
from .contents import damaged
from .identity import different

FORMAT = "sketchlab sketch"
VERSION = 5
PLAIN = {"zarr_format": 3, "use_consolidated": False}


def open_or_create(path, record, directions, trained, losses):
    """The group for a sketch with this record; a new one has room for `directions`.

    path: a folder, or None for memory. An existing store is continued if its record is the same.
    trained, losses: parameters and losses of the run with nothing deleted, (P,) and (n,).
    Raises ValueError, changing nothing, if there is something else at the path, and OSError if
    nothing can be written there.
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
    if contents.read(group)["directions"] >= directions:
        return
    with contents.changing(group) as table:
        if table["directions"] < directions:  # still, while nobody else writes
            tail = rows.array(group, "tail")
            tail.resize((max(directions, tail.shape[0]), *tail.shape[1:]))
            table["directions"] = directions


def _create(store, record, directions, trained, losses):
    """A new group with its arrays and an almost empty table of contents."""
    attributes = {
        "format": FORMAT,
        "version": VERSION,
        "record": record,
        "made_with": {"python": platform.python_version()}
        | {name: metadata.version(name) for name in ("numpy", "scipy", "autograd", "zarr")},
    }
    attributes = json.loads(json.dumps(attributes))  # as it will be read
    attributes["seal"] = sealed(attributes)
    group = zarr.open_group(store, mode="w", zarr_format=3, attributes=attributes)
    size, degree = len(trained), record["degree"]
    rows.create(
        group,
        "tail",
        (directions, degree, size),
        (1, degree, size),
        PRECISIONS[precision(record)][1],
    )
    contents.create(group, directions)
    rows.put(group, trained=trained, losses=losses)
    return group


def _create_at(path, record, directions, trained, losses):
    """Create a store in a folder beside the path and move it there, whole or not at all."""
    beside = path.parent / f".{path.name}-{uuid.uuid4().hex}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _create(str(beside), record, directions, trained, losses)
        os.rename(beside, path)  # an empty folder gives way, one with a store in it does not
    except OSError as error:
        if not path.is_dir() or _is_empty_folder(path):
            raise type(error)(_unwritable(path, error)) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def missing(group, directions):
    """Numbers of the directions, of the first so many, that are not complete, in order."""
    complete = contents.read(group)["rows"].get("tail", {})
    return np.array([number for number in range(directions) if number not in complete], int)


def directions(group):
    """How many directions the sketch is to have."""
    return contents.read(group)["directions"]


def open_existing(path, *, mode="r"):
    """The zarr group of a stored sketch; ValueError if it is none or of a newer format."""
    path = Path(path).expanduser()
    if not path.exists():
        raise FileNotFoundError(
            f"there is no sketch at {str(path)!r}: sl.sketch(run, ..., store=PATH) makes one"
        )
    if not path.is_dir():
        raise ValueError(
            f"{str(path)!r} is not a sketch, but a file: a sketch is a folder that sl.sketch(run, "
            "..., store=FOLDER) makes; give another path"
        )
    try:
        group = zarr.open_group(str(path), mode=mode, **PLAIN)
        attributes = group.attrs.asdict()
    except PermissionError as error:
        raise PermissionError(f"{str(path)!r} cannot be read: its owner must allow it") from error
    except Exception as error:
        raise ValueError(_other_folder(path)) from error
    if attributes.get("format") != FORMAT:
        raise ValueError(_other_folder(path))
    version, seal = attributes.get("version"), attributes.pop("seal", None)
    if isinstance(version, int) and version < VERSION:
        raise ValueError(
            f"{str(path)!r} has format version {version}, from an older sketchlab; this one reads "
            f"version {VERSION}: make the sketch again in another folder, or remove this one first"
        )
    if isinstance(version, int) and version > VERSION:
        raise ValueError(
            f"{str(path)!r} has format version {version}; this sketchlab reads up to "
            f"{VERSION}: update sketchlab"
        )
    if seal != sealed(attributes):
        raise ValueError(damaged(group, "zarr.json", "", "the description was altered"))
    contents.read(group)
    return group


def write(group, numbers, head, tail):
    """Store the parameters along the directions with these numbers, as complete.

    What another process has completed before stays as it is.
    """
    with contents.changing(group) as table:
        complete = table["rows"]
        if "head" not in complete:
            shape = head.shape
            target = rows.create(group, "head", shape, shape, head.dtype, overwrite=True)
            rows.write(target, table, "head", 0, head, ...)
        target = rows.array(group, "tail")
        for number, coefficients in zip(map(int, numbers), tail, strict=True):
            if number not in complete.get("tail", ()):
                rows.write(target, table, "tail", number, coefficients, number)


def read(group, start, stop):
    """Head and tails of directions start .. stop - 1; ValueError if they are not as written."""
    where = f" of directions {start} to {stop - 1}"
    return rows.whole(group, "head", where), rows.read(group, "tail", start, stop, where)


def writable(group):
    """The same group, open for writing."""
    if not group.read_only:
        return group
    return zarr.open_group(group.store.with_read_only(False), mode="r+", **PLAIN)


def _is_empty_folder(path):
    return Path(path).is_dir() and not any(Path(path).iterdir())


def _check_same(path, found, wanted):
    if words := different(_flat(found), _flat(wanted)):
        raise ValueError(
            f"the sketch at {str(path)!r} was made with another {words}; nothing was changed: "
            "give another path"
        )


def _flat(record):
    """A record with what it says of the run beside the rest."""
    rest = {key: value for key, value in record.items() if key != "run"}
    return record["run"] | rest | {"precision": precision(record)}


def precision(record):
    """The precision of the jets of a sketch; a record says only if it is not double."""
    return record.get("precision", "double")


def _other_folder(path):
    """The sentence on a folder that is not a sketch."""
    return (
        f"{str(path)!r} is not a sketch, but a folder with other things in it, or a sketch whose "
        "description is lost or damaged; nothing there was changed. Give the folder of a sketch, "
        "or for a new one a folder that is empty or does not exist"
    )


def _unwritable(path, error):
    """The sentence on a place where no folder can be made. error: of the operating system."""
    blocked = next((one for one in path.parents if one.exists()), path.parent)
    if not blocked.is_dir():
        return f"no sketch can be made at {str(path)!r}: {str(blocked)!r} is a file, not a folder"
    return (
        f"no sketch can be made at {str(path)!r} ({error.strerror or error}): give a folder that "
        "can be written to"
    )
