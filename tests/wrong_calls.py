"""Wrong values for the arguments of calls that work, and what may come of them.

Some arguments of a call of `right_calls` are replaced by wrong values of many kinds. Then it may
give a result, all of whose numbers are finite but where they are documented not to be, or it may
raise one of `DOCUMENTED`, by a `raise` statement of the package: an error from numpy, autograd,
json or another layer tells of something that the caller has not written.

`python tests/wrong_calls.py 5000 0` tries 5000 calls of seed 0; names of calls may follow.
"""

import ast
import functools
import linecache
import os
import pathlib
import random
import signal
import sys
import tempfile
import time
import traceback
import warnings

import matplotlib
import numpy as np

import sketchlab as sl

from right_calls import N, Things, calls

matplotlib.use("Agg")

PACKAGE = str(pathlib.Path(sl.__file__).parent)
HERE = str(pathlib.Path(__file__).parent)
DOCUMENTED = (ValueError, TypeError, IndexError, KeyError, ArithmeticError, MemoryError)
DOCUMENTED += (OSError, RuntimeError, ImportError)
SECONDS = {signal.SIGPROF: 10, signal.SIGALRM: 60}  # of the processor, and of waiting


class Hang(BaseException):
    """A call that took too long."""


# ---- wrong values -----------------------------------------------------------------------------

WRONG = {
    "None": lambda: None,
    "text": lambda: "abc",
    "no text": lambda: "",
    "unicode": lambda: "é\u0301$_^🙂",
    "lone surrogate": lambda: "\ud800",
    "bytes": lambda: b"ab",
    "nan": lambda: float("nan"),
    "inf": lambda: float("inf"),
    "1e160": lambda: 1e160,
    "tiny": lambda: 1e-320,
    "-1": lambda: -1,
    "0": lambda: 0,
    "2.5": lambda: 2.5,
    "-2.5": lambda: -2.5,
    "10**12": lambda: 10**12,
    "10**30": lambda: 10**30,
    "10**400": lambda: 10**400,
    "True": lambda: True,
    "False": lambda: False,
    "1j": lambda: 1j,
    "[]": list,
    "()": tuple,
    "{}": dict,
    "set()": set,
    "[[]]": lambda: [[]],
    "ragged": lambda: [[0, 1], [2]],
    "nested": lambda: [[[0]]],
    "repeated": lambda: [1, 1],
    "out of range": lambda: [99],
    "negative index": lambda: [-1],
    "unknown": lambda: ["zz"],
    "a set": lambda: {1, 2},
    "a dict": lambda: {"a": 1},
    "dict of numbers": lambda: {0: [1]},
    "array 0": lambda: np.array(3.0),
    "array 2 x 3": lambda: np.zeros((2, 3)),
    "array of none": lambda: np.zeros((0, N)),
    "zeros": lambda: np.zeros(N),
    "masked": lambda: np.ma.array(np.ones(N), mask=[1] + [0] * (N - 1)),
    "float16": lambda: np.linspace(0, 1, N, dtype=np.float16),
    "complex64": lambda: np.ones(N, np.complex64),
    "objects": lambda: np.array([None] * N, object),
    "array of nan": lambda: np.full(N, np.nan),
    "array of 1e160": lambda: np.full(N, 1e160),
    "structured": lambda: np.zeros(3, [("a", float)]),
    "dates": lambda: np.array(["2020-01-01"] * N, "datetime64[D]"),
    "np.int64": lambda: np.int64(2),
    "np.float32": lambda: np.float32(0.5),
    "np.float16": lambda: np.float16(0.5),
    "np.longdouble": lambda: np.longdouble(0.5),
    "np.bool": lambda: np.bool_(True),
    "np.str": lambda: np.str_("max"),
    "generator": lambda: (i for i in range(2)),
    "range": lambda: range(3),
    "function": lambda: lambda *_, **__: None,
    "function of nan": lambda: lambda *_, **__: float("nan"),
    "identity": lambda: lambda x, *_: x,
    "object": object,
    "class": lambda: Hang,
    "module": lambda: ast,
    "folder": lambda: tempfile.gettempdir(),
    "no such file": lambda: "no such folder/file",
    "NUL": lambda: "a\0b",
    "jet": lambda: sl.Jet(np.ones((3, 2))),
}


def bent(value, rng):
    """A right value, changed a little: another type, another shape, one number that is wrong."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return rng.choice(
            [
                np.int64(value),
                np.int32(value),
                float(value),
                value + 0.5,
                str(value),
                np.array(value),
                -value,
                [value],
            ]
        )
    if isinstance(value, float):
        return rng.choice(
            [
                np.float32(value),
                np.float16(value),
                np.array(value),
                str(value),
                -value,
                value * 1e300,
                [value],
                np.longdouble(value),
            ]
        )
    if isinstance(value, str):
        return rng.choice(
            [value.upper(), value + "\u0301", np.str_(value), value.encode(), [value], value * 50]
        )
    if isinstance(value, np.ndarray) and value.size:
        broken = value.copy()
        broken.flat[-1] = -1 if value.dtype.kind in "iub" else rng.choice([np.nan, np.inf, 1e200])
        return rng.choice(
            [
                broken,
                value[:-1],
                value[None],
                value.T,
                value.tolist(),
                value.astype(object),
                np.ma.array(value, mask=value > 0),
                value.astype(np.float16),
                value.astype(np.complex64),
                value[..., :0],
                value.astype(str),
                np.asfortranarray(value),
                value[::-1],
            ]
        )
    if isinstance(value, (list, tuple)) and value:
        kind = type(value)
        return rng.choice(
            [
                kind(value[:-1]),
                kind([*value, value[-1]]),
                kind([*value, None]),
                kind([*value[:-1], float("nan")]),
                iter(value),
                {0: value},
                [value],
                set(map(str, value)),
                kind([*value[:-1], "zz"]),
                kind([bent(value[0], rng), *value[1:]]),
            ]
        )
    if isinstance(value, dict) and value:
        key = rng.choice(list(value))
        return rng.choice(
            [
                {**value, key: bent(value[key], rng)},
                {**value, key: None},
                {k: v for k, v in value.items() if k != key},
                list(value),
                {**value, "zz": 1},
            ]
        )
    return rng.choice(list(WRONG.values()))()


# ---- what may come of it ----------------------------------------------------------------------


@functools.cache
def raises_of(path):
    """The lines of the raise statements of a file."""
    tree = ast.parse("".join(linecache.getlines(path)))
    return {
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise)
        for line in range(node.lineno, node.end_lineno + 1)
    }


def is_own(error):
    """Whether an error comes from a raise statement of the package, or of what the test passes."""
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, OSError) and error.filename is not None:
        return True  # the words of the system, with the name of the file
    inner = frames[-1]
    if inner.filename.startswith(HERE):
        return len(frames) > 2  # a function that was passed in failed
    return inner.filename.startswith(PACKAGE) and inner.lineno in raises_of(inner.filename)


UNKNOWN = {  # where nothing is known of an error it is infinite: documented, but never NaN
    "error",
    "errors",
    "low",
    "high",
    "interval",
    "freedom",
    "found_band",
}
LEFT_OUT = {"bounds", "whole", "references", "run", "settings", "held_out"}


def not_finite(value, path="", depth=7, seen=None):
    """Where a result has a number that is not finite, or None."""
    seen = set() if seen is None else seen
    if depth == 0 or id(value) in seen:
        return None
    if isinstance(value, (float, complex, np.floating, np.complexfloating, np.ndarray)):
        if getattr(value, "dtype", np.dtype(float)).kind not in "fc":
            return None
        name = path.split(".")[-2 if path.split(".")[-1].isdigit() else -1]
        unknown = name in UNKNOWN or name.endswith(("_band", "_sd"))
        right = not np.any(np.isnan(value)) if unknown else np.all(np.isfinite(value))
        return None if right else path or "the result"
    seen.add(id(value))
    if isinstance(value, sl.Jet):
        return not_finite(value.coefficients, path, depth, seen)
    if isinstance(value, dict):
        parts = value.items()
    elif hasattr(value, "_asdict"):  # a named tuple
        parts = value._asdict().items()
    elif isinstance(value, (list, tuple)):
        parts = enumerate(value[:50])
    elif type(value).__module__.startswith("sketchlab") and hasattr(value, "__dict__"):
        left_out = LEFT_OUT | {"now"} if hasattr(value, "estimator") else LEFT_OUT
        parts = [part for part in vars(value).items() if part[0] not in left_out]
    else:
        return None
    found = (not_finite(part, f"{path}.{name}", depth - 1, seen) for name, part in parts)
    return next(filter(None, found), None)


NAN_IN_NAN_OUT = (  # functions of numbers, and of functions of the caller, which give what these do
    "ring.",
    "ring_grad",
    "Circuit.",
    "Jet.__call__",
    "Model.loss",
    "SGD.update",
    "Adam.update",
    "unlearning.margins",
    "unlearning.Ridge.distance",
    "attribution.Task.once",
    "attribution.Task.timed",
)


class Trial:
    """Wrong calls, drawn with a seed."""

    def __init__(self, seed=0):
        self.rng = random.Random(seed)
        self.things = Things()
        self.table = {name: (function, args) for name, function, args in calls(self.things)}

    def once(self, names=None, number=0):
        """One wrong call: what is wrong with what came of it, or None, and its description."""
        rng = self.rng
        name = rng.choice(names or list(self.table))
        if number % 50 == 0:  # what calls change is made anew
            self.table = {name: (f, args) for name, f, args in calls(self.things)}
        function, args = self.table[name]
        wrong, words = dict(args), []
        for key in rng.sample(sorted(args), min(len(args), rng.choice([1, 1, 1, 2]))):
            if rng.random() < 0.4:
                wrong[key] = bent(args[key], rng)
                words.append(f"{key}={brief(wrong[key])}")
            else:
                kind = rng.choice(list(WRONG))
                wrong[key] = WRONG[kind]()
                words.append(f"{key}={kind}")
        return attempt(name, function, wrong), f"{name}({', '.join(words)})"


def brief(value):
    try:
        return " ".join(repr(value).split())[:70]
    except Exception:
        return type(value).__name__


def attempt(name, function, args):
    """What is wrong with what comes of a call ("hang", "raw", "not finite", and where), or None."""

    def stop(*_):
        raise Hang

    before = {one: signal.signal(one, stop) for one in SECONDS}
    timers = (signal.ITIMER_PROF, signal.ITIMER_REAL)
    try:
        for timer, seconds in zip(timers, SECONDS.values(), strict=True):
            signal.setitimer(timer, seconds)
        with warnings.catch_warnings(record=True) as told, np.errstate(all="ignore"):
            warnings.simplefilter("always")
            result = function(**args)
        where = not_finite(result)
        if where and not name.startswith(NAN_IN_NAN_OUT) and not any(map(is_told, told)):
            return f"not finite: {where}"
    except Hang:
        return "hang: " + "".join(traceback.format_tb(sys.exc_info()[2])[-2:])
    except Exception as error:
        if not isinstance(error, DOCUMENTED) or not is_own(error):
            inner = traceback.extract_tb(error.__traceback__)
            ours = [f for f in inner if f.filename.startswith(PACKAGE)]
            place = f"{ours[-1].filename[len(PACKAGE) + 1 :]}:{ours[-1].lineno}" if ours else "call"
            return f"raw at {place}: {type(error).__name__}: {str(error)[:110]}"
    finally:
        for timer in timers:
            signal.setitimer(timer, 0)
        for one, handler in before.items():
            signal.signal(one, handler)
    return None


def is_told(warning):
    """Whether a warning says that numbers are not finite."""
    return "infinity or NaN" in str(warning.message)


def in_a_folder():
    """Work in an empty folder: some wrong values are good names of files."""
    os.chdir(tempfile.mkdtemp())


KINDS = ("raw", "hang", "not finite")


def wrong_calls(count, seed, names=(), say=lambda words: None):
    """What is wrong with some wrong calls, drawn with a seed: words, by kind."""
    in_a_folder()
    trial, found = Trial(seed), {kind: [] for kind in KINDS}
    names = [one for one in trial.table if one.startswith(tuple(names))] if names else None
    for number in range(1, count + 1):
        wrong, words = trial.once(names, number)
        if wrong:
            (kind,) = (kind for kind in KINDS if wrong.startswith(kind))
            found[kind].append(f"{words}: {wrong}")
            say(found[kind][-1])
    return found


def main(count, seed, *names):
    start = time.perf_counter()
    found = wrong_calls(int(count), int(seed), names, lambda words: print(words, flush=True))
    numbers = ", ".join(f"{kind} {len(words)}" for kind, words in found.items())
    print(f"{count} calls of seed {seed}: {numbers}; {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main(*sys.argv[1:])
