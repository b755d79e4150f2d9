"""First names to train on: an embedded list, any file, or the paper's list by download."""

import hashlib
import os
import tempfile
import urllib.request
from importlib import resources
from pathlib import Path

from tqdm.auto import tqdm

from ..progress import quiet

URL = "https://raw.githubusercontent.com/karpathy/makemore/988aa59/names.txt"
SHA256 = "0a30b5557f192f32ab962680889aac5f6fda0f4cecf40a6d0b5694f58ea8cc4d"


def load(path=None):
    """Return the names in a text file, one per line, without blank lines.

    path: a UTF-8 text file; None for the embedded list of given names from many languages (lower
    case a to z, in a fixed shuffled order; the ten names that the notebooks test on come last).
    Raises FileNotFoundError, or ValueError for a file that is empty or not UTF-8.
    """
    if path is None:
        data = resources.files("sketchlab.training").joinpath("given_names.txt").read_bytes()
    else:
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(
                f"there is no file of names at {str(path)!r}; call load() without a path for the "
                "embedded list, or download(folder) for the paper's"
            )
        data = path.read_bytes()
    try:
        lines = data.decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{str(path)!r} is not UTF-8 text (byte {error.start}): save it as UTF-8"
        ) from error
    names = [line.strip() for line in lines if line.strip()]
    if not names:
        raise ValueError(f"{str(path)!r} holds no names: give a file with one name per line")
    return names


def download(folder, *, url=URL, sha256=SHA256, timeout=30, progress=True):
    """Download the paper's names (32,033 first names) to folder/names.txt and return its path.

    The file appears only when it is complete and its SHA-256 checksum is right. A file that is
    already there is kept if it is the right one, and never replaced if it is another.
    Raises OSError if the download fails, ValueError if what came is not the paper's file.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "names.txt"
    if target.exists():
        if hashlib.sha256(target.read_bytes()).hexdigest() == sha256:
            return target
        raise FileExistsError(
            f"{str(target)!r} exists and is not the paper's file: move it, or give another folder"
        )
    handle, partial = tempfile.mkstemp(dir=folder, prefix=".names-")
    try:
        with os.fdopen(handle, "wb") as file:
            try:
                digest = _fetch(url, file, timeout, progress)
            except OSError as error:
                raise OSError(
                    f"could not download {url}: {error}. Save the file as {target} by other means, "
                    "or use load() for the embedded names"
                ) from error
        if digest != sha256:
            raise ValueError(
                f"the file from {url} is incomplete or not the paper's: its SHA-256 is {digest}, "
                f"not {sha256}; nothing was kept, try again"
            )
        os.chmod(partial, 0o644)
        os.replace(partial, target)
    finally:
        Path(partial).unlink(missing_ok=True)
    return target


def _fetch(url, file, timeout, progress):
    digest = hashlib.sha256()
    with (
        urllib.request.urlopen(url, timeout=timeout) as response,
        tqdm(
            total=int(response.headers.get("Content-Length") or 0) or None,
            unit="B",
            unit_scale=True,
            delay=2,
            **quiet(progress),
        ) as bar,
    ):
        while chunk := response.read(1 << 16):
            file.write(chunk)
            digest.update(chunk)
            bar.update(len(chunk))
    return digest.hexdigest()
