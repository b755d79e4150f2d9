"""Arguments of functions: `takes` puts their checks in front; here are those of what is no number.

See `checks` for numbers and arrays, and for what messages say.
"""

import dis
import functools
import inspect
import os
from pathlib import Path

import numpy as np

from .checks import (
    brief,
    check_choice,
    check_jobs,
    check_seed,
    number_array,
    real_array,
    without_mask,
)


def of_shape(*shape, finite=True):
    """A check for real numbers of a shape, None for any length."""
    return lambda values, what: real_array(values, what, *shape, finite=finite)


def numbers_from_0(values, what):
    """Return finite real numbers, none below 0, as an array."""
    array = real_array(values, what)
    if np.any(array < 0):
        raise ValueError(f"{what} must be 0 or above, not {brief(values)}")
    return array


def kinds_array(values, what):
    """Return numbers or texts, such as labels of classes, as an array; TypeError for others."""
    if isinstance(values, np.ma.MaskedArray):
        values = without_mask(values, what)
    try:
        array = np.asarray(values)
    except (TypeError, ValueError, OverflowError):  # such as a jet, or ragged lists
        array = np.asarray(None)
    if array.dtype.kind not in "biufU":
        raise TypeError(f"{what} must be numbers or texts, one of each, not {brief(values)}")
    return number_array(array, what) if array.dtype.kind == "f" else array


def base_point(at, count):
    """Down-weights to expand training around, shape (count,), from one real number or one each."""
    try:
        x = real_array(at, "at")
    except (TypeError, ValueError):
        x = np.empty((0, 0))
    if x.ndim == 0:
        x = np.repeat(x, count)
    if x.shape != (count,):
        raise ValueError(f"at must be one finite real number, or {count} of them, not {brief(at)}")
    return x


def one_of(*choices):
    """A check for one of some names."""
    return lambda value, what: check_choice(value, choices, what)


def check_flag(value, what):
    """Return `value` as a bool, or raise if it is not True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{what} must be True or False, not {brief(value)}")
    return bool(value)


def check_progress(value, what="progress"):
    """Return True, False, or a bar of the caller's."""
    is_bar = hasattr(value, "update") and not isinstance(value, (set, dict, type))
    return value if is_bar else check_flag(value, what)


def check_text(value, what):
    """Return `value` as a str, or raise if it is not text that can be written to a file."""
    if not isinstance(value, str):
        raise TypeError(f"{what} must be a string, not {brief(value)}")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise ValueError(f"{what} must be text, but half of a surrogate pair is in {brief(value)}")
    return str(value)


def check_path(value, what):
    """Return `value` as a `Path`, or raise if it is none."""
    if not isinstance(value, (str, os.PathLike)) or isinstance(value, bytes):
        raise TypeError(f"{what} must be a path, not {brief(value)}")
    text = check_text(os.fspath(value), what)
    if not text or "\0" in text:
        raise ValueError(f"{what} must be a path, not {brief(value)}")
    return Path(text).expanduser()


def check_list(values, what):
    """Return the entries of a list, or anything like one, as a list."""
    if isinstance(values, (str, bytes, dict)) or getattr(values, "ndim", 1) == 0:
        raise TypeError(f"{what} must be a list, not {brief(values)}")
    if not hasattr(values, "__iter__"):
        raise TypeError(f"{what} must be a list, not {brief(values)}")
    if hasattr(values, "iloc") and getattr(values, "ndim", 1) > 1:  # a list of it is its headers
        raise TypeError(f"{what} must be a list, not a table of pandas: give table.to_numpy()")
    return list(without_mask(values, what) if isinstance(values, np.ma.MaskedArray) else values)


def check_texts(values, what):
    """Return a list of texts."""
    return [
        check_text(text, f"number {i} of {what}") for i, text in enumerate(check_list(values, what))
    ]


def check_dict(value, what):
    """Return `value`, or raise if it is not a dict with one entry or more."""
    if not isinstance(value, dict) or not value:
        raise TypeError(f"{what} must be a dict with one entry or more, not {brief(value)}")
    return value


def check_function(value, what):
    """Return `value`, or raise if it cannot be called."""
    if not callable(value):
        raise TypeError(f"{what} must be a function, not {brief(value)}")
    return value


def function_of(count):
    """A check for a function that can be called with so many arguments."""

    def check(value, what):
        try:
            inspect.signature(check_function(value, what)).bind(*[None] * count)
        except TypeError as error:
            raise TypeError(f"{what} must be a function of {count} arguments: {error}") from None
        except ValueError:  # of C, which does not say
            pass
        return value

    return check


def instance(*kinds, hint=""):
    """A check for an object of one of some classes."""

    def check(value, what):
        if not isinstance(value, kinds):
            names = " or ".join(kind.__name__ for kind in kinds)
            raise TypeError(f"{what} must be {names}{hint}, not {brief(value)}")
        return value

    return check


def list_of(check, *, least=1):
    """A check for a list of so many entries or more, each of which passes a check."""

    def checked(values, what):
        found = [check(value, f"each of {what}") for value in check_list(values, what)]
        if len(found) < least:
            raise ValueError(f"{what} is empty: give one or more")
        return found

    return checked


def dict_of(check):
    """A check for a dict of one entry or more, with text for keys, whose values pass a check."""

    def checked(values, what):
        check_dict(values, what)
        return {
            check_text(name, f"a name in {what}"): check(value, f"{name!r} in {what}")
            for name, value in values.items()
        }

    return checked


def check_model(model, what="model"):
    """Return a model, or raise if it is none."""
    if isinstance(model, type) or not (hasattr(model, "losses") and hasattr(model, "parameters")):
        raise TypeError(f"{what} must be a model, such as run.model, not {brief(model)}")
    return model


def check_predictor(value, what="predictor"):
    """Return what predicts an output after deletions, or raise if it does not."""
    if isinstance(value, type) or not (hasattr(value, "predict") and hasattr(value, "cost")):
        raise TypeError(
            f"{what} must predict an output, such as sketch.output(...), not {brief(value)}"
        )
    return value


def check_run(run, what="run"):
    """Return a training run, or raise if it is none."""
    if not hasattr(run, "retrain") or not hasattr(run, "fingerprint") or isinstance(run, type):
        raise TypeError(f"{what} must be a training run, from sl.train, not {brief(run)}")
    return run


EVERYWHERE = {  # what these arguments mean in every function that has them
    "run": check_run,
    "seed": check_seed,
    "jobs": check_jobs,
    "progress": check_progress,
}


def takes(**checks):
    """A decorator: arguments go through their checks, check(value, name), before the function.

    Those of `EVERYWHERE` do so without being named, but for those named None. An argument whose
    default is None may be None.
    """

    def decorate(function):
        signature = inspect.signature(function)
        parameters = signature.parameters
        known = {name: check for name, check in EVERYWHERE.items() if name in parameters} | checks
        known = {name: check for name, check in known.items() if check is not None}
        optional = {name for name in known if parameters[name].default is None}

        @functools.wraps(function)
        def checked(*args, **settings):
            try:
                bound = signature.bind(*args, **settings)
            except TypeError as error:
                raise TypeError(f"{function.__qualname__}: {error}") from None
            given = bound.arguments
            for name, check in known.items():
                if name in given and not (given[name] is None and name in optional):
                    given[name] = check(given[name], name)
            return function(*bound.args, **bound.kwargs)

        return checked

    return decorate


def is_own(error):
    """Whether an error comes from a raise statement of this package, and so has its words."""
    inner = error.__traceback__
    while inner.tb_next:
        inner = inner.tb_next
    operation = dis.opname[inner.tb_frame.f_code.co_code[inner.tb_lasti]]
    package = __name__.split(".")[0]
    here = inner.tb_frame.f_globals.get("__name__", "").split(".")[0] == package
    return here and operation == "RAISE_VARARGS"
