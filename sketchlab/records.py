"""Records: what a command computed, from what, and by which versions, so that it can be repeated.

A record is JSON with the keys of `KEYS`. "settings" are the options of the command, "data" the
SHA-256 sums of the files that they name, "numbers" what was computed (infinite ones as text).
"""

import hashlib
import json
import math
import os
from pathlib import Path

from .attribution.results import plain
from .reports.facts import versions

FORMAT = "sketchlab record 1"
KEYS = {"format", "command", "settings", "seed", "data", "versions", "numbers"}
SAME = 1e-6  # relative difference of numbers that other machines and versions make
SMALL = 1e-9  # absolute difference


def record(command, settings, seed, files, numbers):
    """The record of a command. files: paths of its data, beside what comes with the package."""
    return {
        "format": FORMAT,
        "command": command,
        "settings": settings,
        "seed": seed,
        "data": {str(path): digest(path) for path in files},
        "versions": versions(),
        "numbers": stored(numbers),
    }


def check_file(path):
    """Raise FileNotFoundError, or IsADirectoryError, unless there is a file at the path."""
    path = Path(path)
    if path.expanduser().is_dir():
        raise IsADirectoryError(f"{path} is a folder: give a file")
    if not path.expanduser().is_file():
        raise FileNotFoundError(f"there is no file {path}")


def digest(path):
    """The SHA-256 sum of a file."""
    return hashlib.sha256(Path(path).expanduser().read_bytes()).hexdigest()


def stored(numbers):
    """Numbers as they are read back from a record."""
    return json.loads(json.dumps(plain(numbers), allow_nan=False))


def check_free(path, store=None):
    """Raise ValueError if a record cannot take the place of what is at path, or will be."""
    taken = store is not None and Path(store).resolve() == Path(path).resolve()
    if Path(path).exists() and not taken:
        try:
            taken = json.loads(Path(path).read_text(encoding="utf-8"))["format"] != FORMAT
        except (ValueError, KeyError, TypeError):
            taken = True
    if taken:
        raise ValueError(f"{path} is something else: give another place for the record, --record")


def write(found, path):
    """Write a record to a file, all of it or nothing."""
    beside = Path(path).with_name(f".{Path(path).name}.{os.getpid()}")
    beside.write_text(json.dumps(found, indent=1), encoding="utf-8")
    os.replace(beside, path)


def read(path):
    """A record from its file. OSError or ValueError for another file, or if its data changed."""
    check_file(path)
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(
            f"{str(path)!r} is not JSON, so it is no record: give a file that a command wrote"
        ) from error
    if not isinstance(found, dict) or found.get("format") != FORMAT or set(found) != KEYS:
        raise ValueError(f"{str(path)!r} is not a {FORMAT}: give a file that a command wrote")
    for name, sum_then in found["data"].items():
        if not Path(name).expanduser().is_file():
            raise FileNotFoundError(
                f"the data of the record are not here: {name!r} (from this folder)"
            )
        if digest(name) != sum_then:
            raise ValueError(f"{name!r} is not what it was when the record was written")
    return found


def differences(before, now, place="numbers"):
    """Where two stored values differ by more than rounding: a list of sentences."""
    if isinstance(before, dict) and isinstance(now, dict) and before.keys() == now.keys():
        pairs = [(f"{place}[{key!r}]", before[key], now[key]) for key in before]
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        pairs = [(f"{place}[{i}]", *both) for i, both in enumerate(zip(before, now, strict=True))]
    elif isinstance(before, float) and isinstance(now, float):
        same = math.isclose(before, now, rel_tol=SAME, abs_tol=SMALL)
        return [] if same else [f"{place} was {before!r} and is {now!r}"]
    else:
        return [] if before == now else [f"{place} was {before!r:.80} and is {now!r:.80}"]
    return [found for place, *both in pairs for found in differences(*both, place)]
