"""A table that describes the documents: by its columns, rows are found to delete."""

import collections
import datetime
import numbers

import numpy as np

FEW = 10  # different numbers, up to which a column is chosen from by value
MISSING = "(missing)"
FINE = ("h", "m", "s", "ms", "us", "ns")  # units of numpy's times


class Columns:
    """The columns of a table with one value for each of n documents.

    table: a dict of columns, or anything with keys() and [name], such as a pandas DataFrame.
    names: the names of the columns, as text. Raises TypeError or ValueError, in words, for what is
    no table, and for columns of another length.
    """

    def __init__(self, table, n):
        if not hasattr(table, "keys") or not hasattr(table, "__getitem__"):
            raise TypeError(
                "table must be a dict of columns or a DataFrame, such as {'radius': radii}, not a "
                f"{type(table).__name__}"
            )
        self._columns = {}
        for name in table.keys():
            values = np.asarray(table[name])
            if values.ndim != 1 or len(values) != n:
                raise ValueError(
                    f"column {str(name)!r} has shape {values.shape}, but there are {n} documents: "
                    "give one value for each that was trained on, such as table.iloc[rows]"
                )
            if str(name) in self._columns:
                raise ValueError(f"two columns are called {str(name)!r}: rename one")
            self._columns[str(name)] = _kept(values)
        if not self._columns:
            raise ValueError("the table has no columns: leave it out, or give some")

    @property
    def names(self):
        """The names of the columns, in order."""
        return list(self._columns)

    def is_number(self, name):
        """Whether a column is chosen from by ranges; else it is by values."""
        return self._column(name).dtype.kind == "f"

    def extent(self, name):
        """The lowest and the highest number of a column."""
        values = self._column(name)
        finite = values[np.isfinite(values)]
        return float(finite.min()), float(finite.max())

    def values(self, name):
        """The values of a column that is no range, with how often they occur, most often first."""
        return collections.Counter(self._column(name).tolist()).most_common()

    def between(self, name, low, high):
        """Mask of the documents whose number lies from low to high, both included, (n,)."""
        if not self.is_number(name):
            raise ValueError(f"column {name!r} has no range: choose one of its values")
        if np.isnan(low) or np.isnan(high):
            raise ValueError("a range goes from a number to a number: type both")
        if low > high:
            raise ValueError(f"no value lies from {low:g} to {high:g}: give the lower one first")
        values = self._column(name)
        return (values >= low) & (values <= high)  # a missing value lies nowhere

    def equal(self, name, value):
        """Mask of the documents with this value, (n,)."""
        if self.is_number(name):
            raise ValueError(f"column {name!r} is one of numbers: choose a range")
        if value not in self._column(name):
            raise ValueError(f"column {name!r} has no value {value!r}")
        return self._column(name) == value

    def _column(self, name):
        if name not in self._columns:
            raise ValueError(f"there is no column {name!r}: there are {', '.join(self.names)}")
        return self._columns[name]


def _kept(values):
    """Numbers as floats, if there are many different ones; everything else as text."""
    if values.dtype.kind == "O" and all(_is_missing(one) or _is_plain_time(one) for one in values):
        values = np.array([None if _is_missing(one) else one for one in values], "datetime64[us]")
    if values.dtype.kind in "mM":  # times: a list of them may be one of integers
        values = np.where(np.isnat(values), None, _times(values))
    values = [np.nan if _is_missing(value) else value for value in values.tolist()]
    if all(isinstance(one, numbers.Real) and not isinstance(one, bool) for one in values):
        floats = np.array(values, float)
        if len(np.unique(floats[np.isfinite(floats)])) > FEW:
            return floats
    words = [MISSING if value is np.nan else str(value) for value in values]
    return np.array(words, dtype=object)


def _times(values):
    """Times as text, to the day, the minute or the second if that says all of them."""
    known = values[~np.isnat(values)]
    if np.datetime_data(values.dtype)[0] in FINE:
        for unit in ("D", "m", "s"):
            coarse = f"{values.dtype.kind}8[{unit}]"
            if np.array_equal(known.astype(coarse), known):
                values = values.astype(coarse)
                break
    return np.char.replace(values.astype(str), "T", " ")


def _is_plain_time(value):
    """Whether this is a time of no time zone."""
    return isinstance(value, datetime.datetime) and value.tzinfo is None


def _is_missing(value):
    """Whether this is None, NaN or NaT, which alone do not equal themselves."""
    if value is None:
        return True
    try:
        return bool(value != value)
    except (TypeError, ValueError):  # pandas.NA has no truth value
        return True
