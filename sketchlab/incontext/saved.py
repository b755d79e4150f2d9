"""States in files: dicts of arrays as .npz, without pickle, replaced when all is written."""

import os
import zipfile
from pathlib import Path

import numpy as np


def write(path, state):
    """Write a dict of arrays."""
    path = Path(path)
    if path.is_dir() or not path.parent.is_dir():
        raise FileNotFoundError(f"{str(path)!r} is no place for a file: give another path")
    half = path.with_name(path.name + ".part")
    with open(half, "wb") as file:
        np.savez_compressed(file, **state)
    os.replace(half, path)


def read(path, made, what):
    """made(state), of what was written. Raises ValueError for a file that holds no such state."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return made({name: file[name] for name in file.files})
    except (KeyError, IndexError, TypeError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{str(path)!r} holds no state of {what}: {error}") from error
