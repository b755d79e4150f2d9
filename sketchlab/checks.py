"""Checks of arguments: each returns the value in the form the package works with, or raises.

A message says what was given, what is allowed and, where it helps, what to do. Numbers of numpy
become Python's own, arrays become arrays of float64 or complex128. Here are numbers and arrays of
numbers; `arguments` has anything else, and puts checks in front of a function.
"""

import math
import numbers
import operator

import numpy as np

MOST = 10**9  # of anything that is counted: more would only run out of memory or time
LARGEST = 1e150  # of a number: its square is finite. 1 / LARGEST is the least setting above 0
MOST_DEGREE = 1000
PRECISIONS = {"double": (np.float64, np.complex128), "single": (np.float32, np.complex64)}


# ---- numbers ---------------------------------------------------------------------------------


def check_degree(degree, what="degree"):
    """Return `degree` as an int, or raise if it is not a non-negative integer."""
    number = _integer(degree)
    if number is None or not 0 <= number <= MOST_DEGREE:
        raise ValueError(
            f"{what} must be an integer, 0 or higher, at most {MOST_DEGREE}, not {brief(degree)}"
        )
    return number


def check_count(value, what):
    """Return `value` as an int, or raise if it is not an integer of 1 or higher."""
    number = _integer(value)
    if number is None or number < 1:
        raise ValueError(f"{what} must be an integer, 1 or higher, not {brief(value)}")
    if number > MOST:
        raise ValueError(f"{what} must be at most {MOST:,}, not {brief(value)}")
    return number


def check_integer(value, what):
    """Return `value` as an int, or raise if it is not an integer."""
    number = _integer(value)
    if number is None or abs(number) > MOST:
        raise ValueError(f"{what} must be an integer, not {brief(value)}")
    return number


def check_number_of(value, what):
    """Return `value` as an int, or raise if it is not an integer of 0 or higher."""
    return 0 if _integer(value) == 0 else check_count(value, f"{what}, if not 0,")


def check_seed(value, what="seed"):
    """Return `value` as an int, or raise if it is not an integer of 0 or higher."""
    seed = _integer(value)
    if seed is None or seed < 0:
        raise ValueError(f"{what} must be an integer, 0 or higher, not {brief(value)}")
    return seed


def check_jobs(value, what="jobs"):
    """Return `value` as an int, or raise if it is no number of processes, or -1 for all cores.

    None: as many as `joblib.parallel_config` says.
    """
    if value is None:
        return None
    jobs = _integer(value)
    if jobs is None or jobs == 0 or not -MOST <= jobs <= MOST:
        raise ValueError(
            f"{what} must be a number of processes, 1 or higher, or -1 for all cores, not "
            f"{brief(value)}"
        )
    return jobs


def check_real(value, what):
    """Return `value` as a float, or raise if it is not a finite real number."""
    real = _real(value)
    if real is None or not math.isfinite(real):
        raise ValueError(f"{what} must be a finite real number, not {brief(value)}")
    return _in_range(real, what)


def check_positive(value, what):
    """Return `value` as a float, or raise if it is not a finite number above 0."""
    real = _real(value)
    if real is None or not 0 < real < math.inf:
        raise ValueError(f"{what} must be a finite number above 0, not {brief(value)}")
    return _in_range(real, what)


def check_not_negative(value, what):
    """Return `value` as a float, or raise if it is not a finite number, 0 or above."""
    real = _real(value)
    if real is None or not 0 <= real < math.inf:
        raise ValueError(f"{what} must be a finite number, 0 or above, not {brief(value)}")
    return _in_range(real, what)


def check_between(low, high):
    """A check for a number above `low` and below `high`."""

    def check(value, what):
        real = _real(value)
        if real is None or not low < real < high:
            raise ValueError(f"{what} must lie between {low:g} and {high:g}, not {brief(value)}")
        return _in_range(real, what)

    return check


def check_share(value, what):
    """Return `value` as a float, or raise if it is not a number from 0 to 1."""
    real = _real(value)
    if real is None or not 0 <= real <= 1:
        raise ValueError(f"{what} must lie between 0 and 1, not {brief(value)}")
    return _in_range(real, what)


def check_epsilon(epsilon, what="epsilon"):
    """Return `epsilon` as a float, or raise if it is not a finite number above 0."""
    return check_positive(epsilon, what)


def _in_range(real, what):
    """The number, if it can be squared and divided by."""
    if real and not 1 / LARGEST <= abs(real) <= LARGEST:
        raise ValueError(
            f"{what} must be 0, or {1 / LARGEST:g} to {LARGEST:g} in size, not {brief(real)}: "
            "squares and quotients of others are infinite, or 0"
        )
    return real


# ---- arrays ----------------------------------------------------------------------------------


def number_array(values, what, *, finite=True):
    """Return finite real or complex numbers as an array of float64 or complex128.

    Raises TypeError for anything that is not a number, ValueError for NaN, infinity, numbers whose
    squares are infinite, and what a mask hides. finite: False lets all but the last pass.
    """
    if isinstance(values, np.ma.MaskedArray):
        values = without_mask(values, what)
    try:
        array = np.asarray(values)
    except (TypeError, ValueError, OverflowError):  # such as a jet, which is no array, or ragged
        array = np.asarray(None)
    if array.dtype.kind == "O" and array.size and all(map(_is_number, array.ravel())):
        raise TypeError(f"{what} must be numbers that float64 can hold, in one array of numbers")
    if array.dtype.kind not in "iubfc":
        raise TypeError(f"{what} must be real or complex numbers, not {_kind(values)}")
    with np.errstate(all="ignore"):  # a long double may be too large
        array = array.astype(complex if array.dtype.kind == "c" else float, copy=False)
    if finite and not np.all(np.isfinite(array)):
        bad = np.argwhere(~np.isfinite(array))
        where = tuple(map(int, bad[0]))
        more = f", the first of {len(bad)}" if len(bad) > 1 else ""
        raise ValueError(
            f"{what} must be finite, but there is {array[where]} at index {where}{more}"
        )
    if finite and array.size and (most := np.max(np.abs(array))) > LARGEST:
        raise ValueError(f"{what} must be at most {LARGEST:g} in size, not {most:g}")
    return array


def real_array(values, what, *shape, finite=True):
    """Return finite real numbers as an array of float64; shape: its lengths, None for any."""
    array = number_array(values, what, finite=finite)
    if array.dtype.kind == "c":
        raise TypeError(f"{what} must be real numbers, not complex ones")
    fits = len(shape) == array.ndim
    fits = fits and all(a in (None, b) for a, b in zip(shape, array.shape, strict=True))
    if shape and not fits:
        wanted = ", ".join("any" if a is None else str(a) for a in shape)
        raise ValueError(
            f"{what} must have shape ({wanted}{',' * (len(shape) == 1)}), not {array.shape}"
        )
    return array


def in_precision(array, precision):
    """An array of real or complex numbers with 53 bits each ("double") or 24 ("single")."""
    check_choice(precision, PRECISIONS, "precision")
    return array.astype(PRECISIONS[precision][array.dtype.kind == "c"], copy=False)


def check_indices(indices, n, *, repeated=False):
    """Return example numbers as an int array, or say which of them is not one of 0 .. n - 1.

    repeated: a number may occur more than once.
    """
    if isinstance(indices, (str, bytes, dict)) or indices is None:
        raise TypeError(
            f"indices must be a list of integers, not {brief(indices)}: the examples have numbers "
            f"0 to {n - 1}"
        )
    if hasattr(indices, "iloc") or hasattr(indices, "get_indexer"):
        raise TypeError(
            f"indices are a pandas {type(indices).__name__}, which may hold labels, not positions: "
            "give row numbers, such as np.flatnonzero(table['age'] > 60), or "
            "table.index.get_indexer(labels)"
        )
    if isinstance(indices, np.ma.MaskedArray):
        indices = without_mask(indices, "indices")
    if not isinstance(indices, np.ndarray) and np.iterable(indices):
        indices = list(indices)
    try:
        given = np.atleast_1d(np.asarray(indices, dtype=object))
    except (TypeError, ValueError):  # things that numpy takes apart, and cannot put together
        given = np.array([None], dtype=object)
        given[0] = indices
    if given.ndim != 1:
        raise ValueError(
            f"indices must be one list of numbers, not an array of shape {given.shape}; for a "
            "batch of deletions use down_weights of shape (batch, n)"
        )
    seen = set()
    for index in given:
        number = _integer(index)
        if number is None:
            mask = isinstance(index, (bool, np.bool_))
            how = "np.flatnonzero(mask)" if mask else "[i for i, e in enumerate(run.data) if ...]"
            raise TypeError(
                f"indices must be integers, not {brief(index)}: the examples have numbers 0 to "
                f"{n - 1}, for instance {how}"
            )
        if not 0 <= number < n:
            raise IndexError(
                f"index {brief(number)} is out of range: the numbers go from 0 to {n - 1}"
            )
        if number in seen and not repeated:
            raise ValueError(f"index {number} is repeated: name each one once")
        seen.add(number)
    return np.array(given, dtype=int)


def without_mask(values, what):
    """The values of a masked array of which nothing is hidden."""
    if np.any(np.ma.getmaskarray(values)):
        raise ValueError(
            f"{what} is a masked array, of which {np.ma.count_masked(values)} of {values.size} "
            "entries are hidden: give a number for each, for instance values.filled(0)"
        )
    return values.data


# ---- names ------------------------------------------------------------------------------------


def check_choice(value, choices, what):
    """Return `value`, or raise if it is not one of the names in `choices`."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{what} must be one of {', '.join(choices)}, not {brief(value)}")
    return str(value)


def brief(value):
    """A value as it is shown in a message: on one line, shortened if it is long."""
    try:
        text = " ".join(repr(value).split())
    except Exception:
        text = f"a {type(value).__name__}"
    return text if len(text) <= 100 else f"{text[:80]}... ({type(value).__name__})"


def _kind(value):
    return f"{type(value).__name__}" if not isinstance(value, str) else f"text, {brief(value)}"


def _is_number(value):
    return isinstance(value, numbers.Number)


def _integer(value):
    """The value as an int, or None if it is not an integer (a truth value is none)."""
    if isinstance(value, (bool, np.bool_)) or _kind_of(value) == "b":
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def _real(value):
    """The value as a float, or None if it is not a real number (a truth value is none)."""
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _kind_of(value):
    return getattr(getattr(value, "dtype", None), "kind", "")
