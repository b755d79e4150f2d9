"""Models: named parameters and the losses that they are trained by.

`Flat` is the one place where named parameters become one flat axis, and back: optimisers, sketches
and first-order attribution work on the flat axis, models on the names.
"""

import numpy as np

from ..algebra import ring
from ..algebra.jet import Jet
from ..algebra.recording import shape_of
from ..arguments import check_function
from ..checks import brief, number_array
from .own import refuse_pandas


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

    of_array = False  # whether the losses get rows of an array also where a list is asked about

    def __init__(self, parameters, losses):
        self.parameters = _by_name(parameters)
        self._losses = check_function(losses, "losses")
        refuse_pandas(losses, "the losses")

    def losses(self, examples):
        """Losses of several examples, shape (*batch, len(examples))."""
        if self.of_array and isinstance(examples, (list, tuple)):
            examples = np.asarray(examples)
        return self._losses(self.parameters, examples)

    def loss(self, example):
        """Loss of one example: a number, an array over the batch of models, or a jet."""
        losses = asked(self, [example])
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
        other = object.__new__(type(self))  # as copy.copy does, in less time
        vars(other).update(vars(self), parameters=_by_name(parameters))
        return other


def asked(model, examples):
    """A model's losses; ValueError, in words, where they look up an example that is not there."""
    try:
        return model.losses(examples)
    except LookupError as error:
        raise ValueError(
            f"the losses cannot look up {brief(examples)} ({error}): ask for examples as they are "
            "in the data of the run, such as numbers of rows"
        ) from error


def _by_name(parameters):
    if not isinstance(parameters, dict):
        raise TypeError(
            "parameters must be a dict of arrays by name, such as {'w': np.zeros(3)}, not "
            f"{brief(parameters)}"
        )
    return parameters


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
