"""Checks of arguments: each returns the value in the form the package works with, or raises.

A message says what was given, what is allowed and, where it helps, what to do.
"""

import math
import numbers
import operator

import numpy as np

PRECISIONS = {"double": (np.float64, np.complex128), "single": (np.float32, np.complex64)}


def check_degree(degree):
    """Return `degree` as an int, or raise if it is not a non-negative integer."""
    number = _integer(degree)
    if number is None or number < 0:
        raise ValueError(f"degree must be an integer, 0 or higher, not {degree!r}")
    return number


def check_count(value, what):
    """Return `value` as an int, or raise if it is not an integer of 1 or higher."""
    number = _integer(value)
    if number is None or number < 1:
        raise ValueError(f"{what} must be an integer, 1 or higher, not {value!r}")
    return number


def check_seed(value, what="seed"):
    """Return `value` as an int, or raise if it is not an integer of 0 or higher."""
    seed = _integer(value)
    if seed is None or seed < 0:
        raise ValueError(f"{what} must be an integer, 0 or higher, not {value!r}")
    return seed


def check_positive(value, what):
    """Return `value` as a float, or raise if it is not a finite number above 0."""
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not real or not 0 < value < math.inf:
        raise ValueError(f"{what} must be a finite number above 0, not {value!r}")
    return float(value)


def check_epsilon(epsilon):
    """Return `epsilon`, or raise if it is not a number above 0."""
    if not isinstance(epsilon, numbers.Real) or not epsilon > 0:
        raise ValueError(f"epsilon must be a number above 0, not {epsilon!r}")
    return epsilon


def check_choice(value, choices, what):
    """Return `value`, or raise if it is not one of the names in `choices`."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{what} must be one of {', '.join(choices)}, not {value!r}")
    return value


def number_array(values, what):
    """Return finite real or complex numbers as an array of floats or complex numbers (doubles).

    Raises TypeError for anything that is not a number, ValueError for NaN and infinity.
    """
    try:
        array = np.asarray(values)
    except TypeError:  # such as a jet, which is no array
        array = np.asarray(None)
    if array.dtype.kind in "iub":
        array = array.astype(float)
    if array.dtype.kind not in "fc":
        raise TypeError(f"{what} must be real or complex numbers, not {type(values).__name__}")
    array = in_precision(array, "double")
    if not np.all(np.isfinite(array)):
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"{what} must be finite, but there is {array[where]} at index {where}")
    return array


def in_precision(array, precision):
    """An array of real or complex numbers with 53 bits each ("double") or 24 ("single")."""
    check_choice(precision, PRECISIONS, "precision")
    return array.astype(PRECISIONS[precision][array.dtype.kind == "c"], copy=False)


def check_indices(indices, n):
    """Return example numbers as an int array, or say which of them is not one of 0 .. n - 1."""
    indices = list(indices) if isinstance(indices, (set, frozenset)) else indices
    given = np.atleast_1d(np.asarray(indices, dtype=object))
    if given.ndim != 1:
        raise ValueError(
            f"indices must be one list of numbers, not an array of shape {given.shape}; for a "
            "batch of deletions use down_weights of shape (batch, n)"
        )
    seen = set()
    for index in given:
        number = _integer(index)
        if number is None:
            raise TypeError(
                f"indices must be integers, not {index!r}: the examples have numbers 0 to {n - 1}, "
                "for instance [i for i, example in enumerate(run.data) if ...]"
            )
        if not 0 <= number < n:
            raise IndexError(f"index {number} is out of range: the numbers go from 0 to {n - 1}")
        if number in seen:
            raise ValueError(f"index {number} is repeated: name each one once")
        seen.add(number)
    return np.array(given, dtype=int)


def base_point(at, count):
    """Down-weights to expand training around, shape (count,), from one real number or one each."""
    x = np.asarray(at)
    if x.ndim == 0:
        x = np.repeat(x, count)
    if x.shape != (count,) or x.dtype.kind not in "iuf" or not np.all(np.isfinite(x)):
        raise ValueError(f"at must be one finite real number, or {count} of them, not {at!r}")
    return x.astype(float)


def _integer(value):
    """The value as an int, or None if it is not an integer (a truth value is none)."""
    if isinstance(value, (bool, np.bool_)):
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None
