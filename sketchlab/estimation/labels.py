"""Labels of units: which values can name a unit, and how they are kept as JSON."""

import datetime
import fractions
import json
import unicodedata

import numpy as np

CODES = {  # type: (to text, from text); truth values, integers and strings are JSON themselves
    float: (repr, float),
    bytes: (bytes.hex, bytes.fromhex),
    datetime.datetime: (datetime.datetime.isoformat, datetime.datetime.fromisoformat),
    datetime.date: (datetime.date.isoformat, datetime.date.fromisoformat),
    fractions.Fraction: (str, fractions.Fraction),
}
KINDS = "text, integers, numbers, truth values, bytes, dates, fractions, or tuples of these"


def label(value):
    """A label as it is kept: values of numpy and pandas become Python's own.

    Raises ValueError for what marks a missing value, TypeError for types that cannot be kept.
    """
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, np.datetime64) and not np.isnat(value):
        plain = value.astype("datetime64[us]").item()
        if np.datetime64(plain) != value:
            raise TypeError(f"labels that are dates are exact to a microsecond, unlike {value!r}")
        if np.datetime_data(value)[0] in "YMWD":
            plain = plain.date()
    elif hasattr(plain, "to_pydatetime") and plain == plain:
        if getattr(plain, "nanosecond", 0):
            raise TypeError(f"labels that are dates are exact to a microsecond, unlike {value!r}")
        plain = plain.to_pydatetime()
    if plain is None or ((np.isscalar(plain) or hasattr(plain, "isoformat")) and plain != plain):
        raise ValueError(
            f"{value!r} marks a missing label: give such documents a label of their own, such as "
            "'unknown', or leave them apart with a list of lists of document numbers"
        )
    if type(plain) is str:
        return unicodedata.normalize("NFC", plain)  # what looks the same is the same
    if type(plain) is tuple:
        return tuple(map(label, plain))
    if type(plain) not in (bool, int, str, *CODES):
        raise TypeError(f"a label must be {KINDS}, not {type(value).__name__}: {value!r}")
    return plain


def identity(value):
    """What tells two labels apart: Python takes True, 1 and 1.0 for equal."""
    if isinstance(value, tuple):
        return tuple(map(identity, value))
    return type(value).__name__, value


def encoded(value):
    """A label as a JSON value."""
    if type(value) in (bool, int, str):
        return value
    if type(value) is tuple:
        return {"tuple": [encoded(part) for part in value]}
    return {type(value).__name__: CODES[type(value)][0](value)}


def decoded(value):
    """The label that `encoded` made this of."""
    if not isinstance(value, dict):
        return value
    ((kind, text),) = value.items()
    if kind == "tuple":
        return tuple(map(decoded, text))
    (read,) = (read for kept, (_, read) in CODES.items() if kept.__name__ == kind)
    return read(text)


def listed(names, most=10):
    """The first names in words, and how many there are."""
    shown = ", ".join(json.dumps(n) if n == "" else str(n) for n in names[:most])
    return shown if len(names) <= most else f"{shown}, ... ({len(names)} in all)"
