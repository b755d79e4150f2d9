"""Fingerprints of data: a SHA-256 sum of what values are, never of how they are printed.

Alike are: arrays with the same type, shape and entries, in any layout or byte order; a list and a
tuple of alike things; dicts and sets in any order. Different are things that a model may treat
differently: a list and an array, 1 and 1.0 and True, arrays of other types (float32 and float64),
0.0 and -0.0, a number of Python's and one of numpy's (which is an array of no axes).
"""

import dataclasses
import hashlib
import json
import struct
import types

import numpy as np


def digest(value):
    """The SHA-256 sum of a value, as 64 hexadecimal digits.

    Numbers, text, bytes, None, arrays, lists, tuples, dicts, sets, dataclasses, classes and
    functions (by their names), and whatever pickles into these, such as dates and fractions.
    Raises TypeError for anything else.
    """
    try:
        return _sum(value).hex()
    except RecursionError:
        raise TypeError(f"a {type(value).__name__} that holds itself has no fingerprint") from None


def sealed(value):
    """The SHA-256 sum of a JSON value, as 64 hexadecimal digits: of its text with sorted keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _sum(value):
    """32 bytes. Every part is hashed on its own, so that no two structures run together."""
    kind = type(value)
    if value is None or kind in (bool, int):
        return _hash(kind.__name__, str(value).encode())
    if kind is float:
        return _hash("float", struct.pack("<d", value))
    if kind is complex:
        return _hash("complex", struct.pack("<dd", value.real, value.imag))
    if kind is str:
        return _hash("str", value.encode("utf-8", "surrogatepass"))
    if kind in (bytes, bytearray):
        return _hash("bytes", bytes(value))
    if kind in (list, tuple):
        return _hash("list", *map(_sum, value))
    if kind in (set, frozenset):
        return _hash("set", *sorted(map(_sum, value)))
    if kind is dict:
        pairs = sorted((_sum(key), _sum(item)) for key, item in value.items())
        return _hash("dict", *(part for pair in pairs for part in pair))
    if isinstance(value, np.ma.MaskedArray):
        return _hash("masked", _array(value.filled(0)), _array(np.ma.getmaskarray(value)))
    if isinstance(value, (np.ndarray, np.generic)):
        return _array(np.asarray(value))
    if isinstance(value, (type, types.FunctionType)):
        return _hash("named", value.__module__.encode(), value.__qualname__.encode())
    if dataclasses.is_dataclass(value):
        fields = [(f.name, getattr(value, f.name)) for f in dataclasses.fields(value)]
        return _hash("dataclass", _sum(kind), _sum(fields))
    return _reduced(value)


def _array(array):
    shape = str(array.shape).encode()
    if array.dtype.names:
        fields = [(name, array[name]) for name in array.dtype.names]
        return _hash("fields", shape, _sum(fields))
    if array.dtype.kind in "OT":  # their bytes are addresses
        return _hash("objects", shape, *(_sum(item) for item in array.astype(object).ravel()))
    array = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return _hash("array", array.dtype.str.encode(), shape, array.tobytes())  # tobytes: in C order


def _reduced(value):
    """By what pickle would make the value of again."""
    try:
        parts = value.__reduce_ex__(4)
    except TypeError:
        raise TypeError(
            f"examples with a {type(value).__name__} cannot be told apart: use numbers, text, "
            "arrays, and lists, dicts or dataclasses of them"
        ) from None
    if isinstance(parts, str):  # a global
        return _hash("global", _sum(type(value)), parts.encode())
    parts = [list(part) if i > 2 and part is not None else part for i, part in enumerate(parts)]
    return _hash("made", *map(_sum, parts))


def _hash(kind, *parts):
    total = hashlib.sha256(kind.encode() + b"\0")
    for part in parts:
        total.update(len(part).to_bytes(8, "little") + part)
    return total.digest()
