"""Rows of numbers in the zarr arrays of a store, each bound to its place by the table of contents.

An array is either one row, in one chunk, that is replaced as a whole, or many, a chunk each, that
are never changed once they are complete. Whatever is read is checked against the table, so that
nothing but what was written there is ever returned. Nor is anything decoded that has other codecs
than those written here: a store may be a stranger's, and some codecs run code.
"""

import numpy as np
from zarr.codecs import BytesCodec, Crc32cCodec

from . import contents
from .contents import damaged


def create(group, name, shape, chunks, dtype, *, overwrite=False):
    """An array without any complete row."""
    return group.create_array(
        name,
        shape=shape,
        dtype=dtype,
        chunks=chunks,
        fill_value=np.nan,
        overwrite=overwrite,
        compressors=[Crc32cCodec()],
    )


def array(group, name):
    """The array of this name; ValueError if it is lost, or has other codecs than a sketch's."""
    try:
        return _plain(group, name)
    except Exception as error:
        raise ValueError(damaged(group, name, "", _reason(error))) from error


def count(group, name):
    """How many rows of an array are complete; 0 if there is no such array."""
    return len(contents.read(group)["rows"].get(name, {}))


def whole(group, name, where=""):
    """An array that is one row; ValueError, which says where, if it is not what was written."""
    return _checked(group, name, [0], ..., where)


def stored(group, name):
    """The same, or None if there is none, or if writing it was cut off."""
    return whole(group, name) if count(group, name) else None


def read(group, name, start, stop, where=""):
    """Rows start .. stop - 1; ValueError, which says where, if one is not what was written."""
    return _checked(group, name, range(start, stop), slice(start, stop), where)


def put(group, **arrays):
    """Keep arrays that are one row each, in place of those of their names."""
    with contents.changing(group) as table:
        if any([table["rows"].pop(name, None) for name in arrays]):
            contents.keep(group, table)  # an interruption leaves none, and no half one
        for name, values in arrays.items():
            target = create(group, name, values.shape, values.shape, values.dtype, overwrite=True)
            write(target, table, name, 0, values, ...)


def append(group, table, arrays):
    """Add rows to arrays of numbers, by name; table: the one of the group, while it is changed."""
    for name, rows in arrays.items():
        start, width = len(table["rows"].get(name, ())), rows.shape[1]
        if name not in group:
            create(group, name, (0, width), (1, width), float)
        target = array(group, name)
        if target.shape[0] < start + len(rows):
            target.resize((start + len(rows), width))
        for number, row in enumerate(rows, start):
            write(target, table, name, number, row, number)


def write(target, table, name, number, values, key):
    """Write one row of an array, at this key, and say in the table what it is."""
    values = np.asarray(values, target.dtype)
    target[key] = values
    table["rows"].setdefault(name, {})[int(number)] = contents.sum_of(table, name, number, values)


def _checked(group, name, numbers, key, where):
    table = contents.read(group)
    while True:
        expected = _listed(table, name, numbers)
        try:
            values = _plain(group, name)[key]
            parts = [values] if key is ... else values
            found = [contents.sum_of(table, name, *row) for row in zip(numbers, parts, strict=True)]
            if found == expected:
                return values
            wrong = "it is not what was written there"
        except MemoryError:
            raise
        except Exception as error:
            wrong = _reason(error)
        table = contents.read(group)
        if _listed(table, name, numbers) == expected:  # else another process has replaced it
            raise ValueError(damaged(group, name, where, wrong))


def _listed(table, name, numbers):
    complete = table["rows"].get(name, {})
    return [complete.get(number) for number in numbers]


def _plain(group, name):
    found = group[name]
    codecs = [type(codec) for codec in getattr(found.metadata, "codecs", ())]
    if codecs != [BytesCodec, Crc32cCodec]:
        raise ValueError(f"it has other codecs than those of a sketch: {found.metadata}")
    return found


def _reason(error):
    return "it is lost" if isinstance(error, KeyError) else error
