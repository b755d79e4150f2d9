"""First names to train on: an embedded list, any file, or the paper's list by download."""

import re
import unicodedata
from importlib import resources
from pathlib import Path

from tqdm.auto import tqdm

from ..arguments import check_path, check_text, takes
from ..checks import check_number_of, check_positive
from ..progress import quiet

URL = "https://raw.githubusercontent.com/karpathy/makemore/988aa59/names.txt"
SHA256 = "0a30b5557f192f32ab962680889aac5f6fda0f4cecf40a6d0b5694f58ea8cc4d"


@takes(path=check_path)
def load(path=None):
    """Return the names in a text file, one per line, without blank lines.

    path: a UTF-8 text file, with or without a byte-order mark; None for the embedded list of given
    names from many languages (lower case a to z, in a fixed shuffled order; the ten names that the
    notebooks test on come last). Lines end with a newline, a carriage return, or both; spaces
    around a name do not count, spaces inside do. Accents come in their composed form (NFC).
    Raises FileNotFoundError, for a folder too, or ValueError for a file that is empty, not UTF-8,
    or has control characters or other separators of lines (tab, form feed, NUL, U+2028, ...).
    """
    if path is None:
        data = resources.files("sketchlab.training").joinpath("given_names.txt").read_bytes()
    else:
        path = Path(path).expanduser()
        if path.is_dir():
            raise FileNotFoundError(
                f"{str(path)!r} is a folder: give a text file in it, with one name per line"
            )
        if not path.is_file():
            raise FileNotFoundError(
                f"there is no file of names at {str(path)!r}; call load() without a path for the "
                "embedded list, or download(folder) for the paper's"
            )
        data = path.read_bytes()
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{str(path)!r} is not UTF-8 text (line {data.count(10, 0, error.start) + 1}, byte "
            f"{error.start}): save it as UTF-8"
        ) from error
    names = []
    for number, line in enumerate(re.split("\r\n|\r|\n", text), 1):
        for letter in line:
            if letter == "\ufeff" or unicodedata.category(letter) in ("Cc", "Zl", "Zp"):
                raise ValueError(
                    f"line {number} of {str(path)!r} has the control character "
                    f"U+{ord(letter):04X} in {line!r}: put one name on each line and nothing else"
                )
        name = unicodedata.normalize("NFC", line.strip())
        if name:
            names.append(name)
    if not names:
        raise ValueError(f"{str(path)!r} holds no names: give a file with one name per line")
    return names


@takes(count=check_number_of)
def unseen(run, count):
    """Documents to ask about that a run was not trained on: a list.

    Those that were held out; else, of a run of embedded names, the last `count` others that its
    model can read; else none.
    """
    if run.held_out:
        return list(run.held_out)
    seen, vocabulary, embedded = set(run.data), set(run.model.vocabulary), load()
    if not seen.issubset(embedded):
        return []
    return [name for name in embedded if name not in seen and vocabulary.issuperset(name)][-count:]


@takes(folder=check_path, url=check_text, sha256=check_text, timeout=check_positive)
def download(folder, *, url=URL, sha256=SHA256, timeout=30, progress=True):
    """Download the paper's names (32,033 first names) to folder/names.txt and return its path.

    The file appears only when it is complete and its SHA-256 checksum is right. A file that is
    already there is kept if it is the right one, and never replaced if it is another.
    Raises OSError if the download fails, ValueError if what came is not the paper's file.
    """
    import pooch  # slow to import, and seldom needed

    folder = Path(folder).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "names.txt"
    if target.exists():
        if target.is_file() and pooch.file_hash(str(target)) == sha256:
            return target
        raise FileExistsError(
            f"{str(target)!r} exists and is not the paper's file: move it, or give another folder"
        )
    # The total is unknown until the server answers; a bar without one has no truth value.
    bar = tqdm(total=1, unit="B", unit_scale=True, delay=2, leave=False, disable=quiet(progress))
    fetch = pooch.HTTPDownloader(progressbar=bar, chunk_size=1 << 16, timeout=timeout)
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("WARNING")
    try:
        pooch.retrieve(url, f"sha256:{sha256}", target.name, folder, downloader=fetch)
    except OSError as error:
        raise OSError(
            f"could not download {url}: {error}. Save the file as {target} by other means, "
            "or use load() for the embedded names"
        ) from error
    except ValueError as error:
        raise ValueError(
            f"the file from {url} is not the paper's: its SHA-256 is not {sha256}; nothing was "
            "kept, try again"
        ) from error
    finally:
        logger.setLevel(level)
        bar.close()
    target.chmod(0o644)
    return target
