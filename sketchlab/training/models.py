"""Models: named parameters and the losses that they are trained by.

`Flat` is the one place where named parameters become one flat axis, and back: optimisers, sketches
and first-order attribution work on the flat axis, models on the names.
"""

import inspect
import warnings

import numpy as np

from ..algebra import ring
from ..algebra.jet import Jet
from ..algebra.recording import shape_of
from ..arguments import check_function
from ..checks import brief, number_array

COPIES, EXAMPLES = 3, 2  # of the check of losses; unequal, so that no shape is right by chance
CALLED = (
    "They are called as losses(parameters, examples), with a list of examples, or the rows of an "
    "array. For rows of a table, or pairs (x, y), train on row numbers, np.arange(n), and look "
    "them up: X[rows], y[rows], with numbers for labels."
)
TEACH = (
    "every parameter may have batch axes before its own, shape (*batch, *shape), and the losses "
    "must then have shape (*batch, examples). Count axes from the end: "
    "ring.matmul(X[rows], w[..., None])[..., 0] instead of X[rows] @ w, and c[..., None] for a "
    "parameter of shape ()"
)


class Flat:
    """Named parameters on one flat axis, in the order of the names.

    shapes: dict of name -> shape, for instance those of one model's parameters.
    size: length of the flat axis. columns: where on it each name lies, as slices.
    """

    def __init__(self, shapes):
        self.shapes = {name: tuple(shape) for name, shape in shapes.items()}
        self.columns, self.size = {}, 0
        for name, shape in self.shapes.items():
            start = self.size
            self.size += int(np.prod(shape))
            self.columns[name] = slice(start, self.size)

    @classmethod
    def of(cls, parameters):
        """The flat axis of one model's parameters, without batch axes."""
        return cls({name: np.shape(value) for name, value in parameters.items()})

    def named(self, flat):
        """Parameters by name, (*batch, *shape), from an array or jet of shape (*batch, size).

        Of an array, and of a jet's coefficients, the result are views.
        """
        batch = np.shape(flat)[:-1]
        return {
            name: ring.reshape(ring.getitem(flat, (..., columns)), (*batch, *self.shapes[name]))
            for name, columns in self.columns.items()
        }

    def flat(self, named, start=0, stop=None):
        """An array or jet of shape (*batch, size) from parameters of shape (*batch, *shape).

        start, stop: only these columns of it.
        """
        stop, parts = self.size if stop is None else stop, []
        if stop - start == self.size and all(type(p) is np.ndarray for p in named.values()):
            batch = [named[name].shape[: -len(s) or None] for name, s in self.shapes.items()]
            parts = zip(self.shapes, batch, strict=True)
            return np.concatenate([named[name].reshape(*b, -1) for name, b in parts], -1)
        for name, columns in self.columns.items():
            first, last = max(columns.start, start), min(columns.stop, stop)
            if first >= last:
                continue
            value, length = named[name], columns.stop - columns.start
            shape = np.shape(value)
            batch = shape[: len(shape) - len(self.shapes[name])]
            part = ring.reshape(value, (*batch, length))
            if last - first < length:
                kept = slice(first - columns.start, last - columns.start)
                part = ring.getitem(part, (..., kept))
            parts.append(part)
        return ring.concatenate(parts, -1)


class Model:
    """Parameters and the losses that they are trained by.

    parameters: dict of name -> array (or jet) of shape (*batch, *shape).
    losses(parameters, examples): the losses of a list or array of examples, shape
    (*batch, len(examples)), written with `sketchlab.ring` so that it runs on numbers and on jets
    and with leading batch axes.
    """

    def __init__(self, parameters, losses):
        self.parameters = parameters
        self._losses = check_function(losses, "losses")
        refuse_pandas(losses, "the losses")

    def losses(self, examples):
        """Losses of several examples, shape (*batch, len(examples))."""
        return self._losses(self.parameters, examples)

    def loss(self, example):
        """Loss of one example: a number, an array over the batch of models, or a jet."""
        losses = self.losses([example])
        if shape_of(losses)[-1:] != (1,):
            raise ValueError(
                f"the losses of [{brief(example)}] have shape {shape_of(losses)}, not (..., 1): "
                "give one example, as they are in the data of the run"
            )
        return losses[..., 0]

    def __repr__(self):
        shapes = (f"{name} {np.shape(value)}" for name, value in self.parameters.items())
        return f"{type(self).__name__}({', '.join(shapes)})"

    def settings(self):
        """What besides the parameters makes the model, as JSON values."""
        return {"kind": getattr(self._losses, "__qualname__", type(self._losses).__name__)}

    def with_parameters(self, parameters):
        """The same kind of model with other parameters."""
        if not isinstance(parameters, dict):
            raise TypeError(f"parameters must be a dict by name, not {brief(parameters)}")
        other = object.__new__(type(self))  # as copy.copy does, in less time
        vars(other).update(vars(self), parameters=parameters)
        return other


def joined(values, parts):
    """One array or jet from those of all batches; parts: the numbers of their rows."""
    rows, jets = sum(map(len, parts)), isinstance(values[0], Jet)
    before, arrays = ((slice(None),), [v.tail for v in values]) if jets else ((), values)
    axis = len(before)
    shape = arrays[0].shape
    whole = np.empty((*shape[:axis], rows, *shape[axis + 1 :]), arrays[0].dtype)
    for part, array in zip(parts, arrays, strict=True):
        whole[(*before, part)] = array
    return Jet.of(values[0].head, whole) if jets else whole


def initial_parameters(model):
    """A copy of a model's parameters as arrays of floats, fit to start training from.

    Raises TypeError or ValueError for anything but a dict of finite real numbers by name.
    """
    if not isinstance(model.parameters, dict) or not model.parameters:
        raise TypeError(
            "a model's parameters must be a dict of arrays by name, such as "
            f"{{'w': np.zeros(3)}}, not {model.parameters!r}"
        )
    start = {}
    for name, value in model.parameters.items():
        if not isinstance(name, str):
            raise TypeError(f"a parameter's name must be a string, not {name!r}")
        array = number_array(value, f"parameter {name!r}")
        if np.iscomplexobj(array):
            raise TypeError(f"parameter {name!r} must be real to start training from, not complex")
        start[name] = np.array(array, dtype=float)
    return start


def check_data(data):
    """Raise TypeError for a table, or a column of one, of pandas: they index by label."""
    if hasattr(data, "iloc"):
        raise TypeError(
            f"data is a pandas {type(data).__name__}, whose rows go by label: train on row "
            "numbers, np.arange(len(table)), and let the losses look them up in table.to_numpy(); "
            "of a column of texts give column.tolist()"
        )
    if not hasattr(data, "__len__") or not hasattr(data, "__getitem__") or isinstance(data, dict):
        raise TypeError(f"data must be a list or an array of examples, not {brief(data)}")
    if getattr(data, "ndim", 1) == 0 or isinstance(data, (str, bytes, type)):
        raise TypeError(f"data must be a list or an array of examples, not {brief(data)}")


def refuse_pandas(function, what):
    """Raise TypeError for a function that looks up rows in a table of pandas by their labels.

    It may use `.iloc`, `.to_numpy` or `.values`, which go by position. Other functions that it
    calls are not looked into.
    """
    try:
        used = inspect.getclosurevars(function)
    except TypeError:  # no function of Python, but an object that can be called
        return
    if {"iloc", "to_numpy", "values"} & used.unbound:
        return
    for name, value in (used.globals | used.nonlocals).items():
        if hasattr(value, "iloc"):
            raise TypeError(
                f"{what} look rows up in {name!r}, a pandas {type(value).__name__}, whose rows go "
                f"by label, so that a shuffled table gives other rows: write {name} = "
                f"{name}.to_numpy() before"
            )


def check_losses(model, examples):
    """Raise ValueError, in words, unless several models at once have the losses of each alone.

    Losses without batch axes would pass a check of shapes by chance, where as many models are
    trained together as a step has examples. examples: `EXAMPLES` of them, or fewer.
    """
    rng, count = np.random.default_rng(0), len(examples)
    copies = {
        name: p + 1e-3 * rng.uniform(size=(COPIES, *p.shape)) * (1.0 + np.abs(p))
        for name, p in model.parameters.items()
    }

    def losses(parameters):
        return model.with_parameters(parameters).losses(examples)

    with np.errstate(all="ignore"):
        try:
            alone = [losses({name: p[i] for name, p in copies.items()}) for i in range(COPIES)]
        except Exception as error:  # the user's own, with a word of what it was called with
            error.add_note(f"These were the losses of the first {count} examples. {CALLED}")
            raise
        if np.shape(alone[0]) != (count,):
            raise ValueError(
                f"the losses of {count} examples have shape {np.shape(alone[0])}, not ({count},): "
                "return one loss per example, do not average"
            )
        try:
            together = losses(copies)
        except (ValueError, TypeError, IndexError) as error:
            raise ValueError(
                f"the losses fail for {COPIES} models at once ({error}): {TEACH}"
            ) from error
    if np.shape(together) != (COPIES, count):
        raise ValueError(
            f"the losses of {count} examples under {COPIES} models at once have shape "
            f"{np.shape(together)}, not ({COPIES}, {count}): {TEACH}"
        )
    scale = np.max(np.abs(alone), where=np.isfinite(alone), initial=0.0)
    if not np.allclose(together, alone, rtol=1e-6, atol=1e-8 * scale, equal_nan=True):
        raise ValueError(
            f"the losses under {COPIES} models at once are not those under each model alone (they "
            f"must not mix models, nor be random): {TEACH}"
        )
    _check_jets(losses, copies)


def _check_jets(losses, copies):
    """Warn if losses train, but do not run on jets: sketches need that."""
    jets = {name: Jet.of(p[:1], np.zeros((1, *p.shape))) for name, p in copies.items()}
    try:
        with np.errstate(all="ignore"):
            losses(jets)
    except (TypeError, AttributeError) as error:
        warnings.warn(
            f"these losses do not run on jets, so that sl.sketch and push will refuse "
            f"them: {error}",
            stacklevel=6,
        )
