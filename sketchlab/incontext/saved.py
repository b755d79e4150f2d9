"""States in files: dicts of arrays as .npz, without pickle, replaced when all is written.

A file holds a sum of the state beside it: an altered one is no state.
"""

import io
import os
from pathlib import Path

import numpy as np

from ..arguments import is_own
from ..training.fingerprints import digest

SEAL = "seal"


def write(path, state):
    """Write a dict of arrays."""
    path, state = Path(path), {name: np.asarray(value) for name, value in state.items()}
    if path.is_dir() or not path.parent.is_dir():
        raise FileNotFoundError(f"{str(path)!r} is no place for a file: give another path")
    half = path.with_name(path.name + ".part")
    with open(half, "wb") as file:
        np.savez_compressed(file, **state, **{SEAL: np.array(digest(state))})
    os.replace(half, path)


def read(path, made, what):
    """made(state), of what was written.

    Raises FileNotFoundError where there is no file, ValueError for one that holds no such state.
    """
    if not Path(path).is_file():
        kind = "a folder" if Path(path).is_dir() else "not there"
        raise FileNotFoundError(
            f"{str(path)!r} is {kind}: give the path of a file that save(path) wrote, .npz"
        )
    held = io.BytesIO(Path(path).read_bytes())
    try:
        with np.load(held, allow_pickle=False) as file:
            state = {name: file[name] for name in file.files}
        if SEAL not in state:
            raise ValueError("it has no sum of its contents, as in older versions: fit again")
        if str(state.pop(SEAL)) != digest(state):
            raise ValueError("it was altered")
        return made(state)
    except Exception as error:  # damaged archives raise many kinds
        why = error if is_own(error) else "it is damaged, or another kind of file"
        raise ValueError(
            f"{str(path)!r} holds no state of {what}: {why}. Give a file that save(path) wrote"
        ) from error
