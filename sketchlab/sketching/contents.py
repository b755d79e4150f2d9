"""The table of contents of a stored sketch: all numbers that are complete, each with its hash.

A group `contents` has it as its attributes: how many `directions` the sketch is to have; `rows`, by
array, and for each complete row of it the SHA-256 sum of its numbers, of what they are and where;
`of`, the sum of the sketch's description (see `store`); and the `seal`, a sum of all that. So what
was altered, lost, or comes from another place or store is noticed when it is read.

The table is replaced as a whole, after the numbers: what an interrupted call left is not in it, and
is made again. One process at a time changes it, where the file system can lock a folder.
"""

import contextlib
import json
import os

from zarr.storage import LocalStore

from ..processes import interrupts_wait
from ..training.fingerprints import digest, sealed

try:
    import fcntl
except ImportError:  # Windows: there, one process at a time may write to a store
    fcntl = None

NAME = "contents"
HASH = 32  # hexadecimal digits of the sums in the table


def create(group, directions):
    """An empty table for as many directions."""
    group.create_group(NAME)
    keep(group, {"of": group.attrs["seal"], "directions": directions, "rows": {}})


def read(group):
    """The table: {"of", "directions", "rows": {array: {number of the row: sum}}}.

    Raises ValueError if it is lost or damaged, or is that of another sketch.
    """
    try:
        table = group[NAME].attrs.asdict()
        seal = table.pop("seal")
    except Exception as error:
        raise ValueError(damaged(group, NAME, "", f"it is lost or damaged: {error!r}")) from error
    if seal != sealed(table):
        raise ValueError(damaged(group, NAME, "", "it was altered"))
    if table["of"] != group.attrs["seal"]:
        raise ValueError(damaged(group, NAME, "", "it is that of another sketch"))
    for name, rows in table["rows"].items():
        table["rows"][name] = {int(number): found for number, found in rows.items()}
    return table


def keep(group, table):
    """Replace the table, whole or not at all."""
    table = json.loads(json.dumps(table))  # as it will be read
    group[NAME].attrs.put({**table, "seal": sealed(table)})


@contextlib.contextmanager
def changing(group):
    """The table, to be changed while nobody else writes; kept at the end unless something fails.

    Ctrl-C waits for the end. Raises OSError, in words, if the store cannot be written.
    """
    try:
        with _alone(group.store), interrupts_wait():
            table = read(group)
            yield table
            keep(group, table)
    except OSError as error:
        raise OSError(
            error.errno,
            f"the sketch could not be written ({error}); what is complete is kept: make room, or "
            "let the folder be written to, and run the same call again to go on",
        ) from error


def sum_of(table, name, number, values):
    """The sum of one row: its numbers, their type and shape, its place and its sketch."""
    return digest([table["of"], name, int(number), values])[:HASH]


def damaged(group, name, where, error):
    """The sentence that says what cannot be read. where: what it is of, in words."""
    last = name.rpartition("/")[2]
    return (
        f"the sketch at {group.store} is damaged: {last!r}{where} cannot be read ({error}); "
        "nothing was changed. Make the sketch again in another folder"
    )


@contextlib.contextmanager
def _alone(store):
    """Wait until no other process changes the store. The lock ends with the process that has it."""
    if fcntl is None or not isinstance(store, LocalStore):
        yield
        return
    folder = os.open(store.root, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network file systems have no locks on folders
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
