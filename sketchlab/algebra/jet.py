"""Jets: truncated power series a_0 + a_1 z + ... + a_K z^K whose coefficients are arrays.

Jets of one degree K form a commutative ring: add, multiply and drop every power of z above K.
Feed `Jet.line(x, v, K)` (the series x + z v) to any program built from the operations below, and
the jet that comes out holds the program's Taylor coefficients along the direction v:
c_r = f^(r)(x)[v, ..., v] / r!  (coefficients, not derivatives: the factorials are divided out).

Functions of jets look only at the constant coefficient when they must choose (a branch of log, the
maximum in softmax); `elementary` says how they are computed.

Storage: `head` is the constant coefficient and `tail` the others, shape (K, *shape). The head may
be real under a complex tail (not the reverse), and may have length 1 along axes where all entries
share it (a batch of directions shares its base point): its work is then done once, in real numbers.
"""

import inspect
import operator

import numpy as np
from autograd.extend import Box

from ..checks import brief, check_degree, check_number_of, number_array

RULES = {}  # numpy's functions for jets, recorded or not: `ring` fills it with its own


class RingElement(np.lib.mixins.NDArrayOperatorsMixin):
    """What jets, and jets that autograd records, have in common: numpy's functions by RULES.

    The operators are numpy's functions too, so `array * jet` and np.multiply(array, jet) are one.
    """

    __slots__ = ()

    def __array_ufunc__(self, ufunc, method, *inputs, **settings):
        """Let numpy's elementwise functions act on jets: np.exp(jet), scipy.special.erf(jet)."""
        rule = RULES.get(ufunc)
        if rule is None or method != "__call__" or settings:
            more = "".join(f", {name}=" for name in settings)
            raise TypeError(_undefined(f"{ufunc.__name__} ({method}{more})"))
        for value in inputs:
            if type(value) not in SIMPLE and not _is_operand(value):
                raise TypeError(
                    f"a jet combines with jets and numbers, not with {type(value).__name__}: "
                    "give numbers, or an array of them"
                )
        return rule(*inputs)

    def __array_function__(self, function, types, args, settings):
        """Let numpy's functions of arrays act on jets: np.sum(jet, 0), np.concatenate([a, b])."""
        rule = RULES.get(function)
        if rule is None:
            raise TypeError(_undefined(function.__name__))
        try:
            return rule(*args, **settings)
        except TypeError:
            signature = inspect.signature(rule)
            try:
                signature.bind(*args, **settings)
            except TypeError as error:
                raise TypeError(
                    f"numpy's {function.__name__} takes {signature} on jets: {error}"
                ) from None
            raise

    def __array__(self, *_, **__):
        raise TypeError("a jet is not an array of numbers; jet.coefficients is, degree on axis 0")

    def __len__(self):
        if self.ndim == 0:
            raise TypeError("this jet has scalar coefficients and no length; see jet.degree")
        return self.shape[0]

    def __getitem__(self, key):
        return RULES[operator.getitem](self, key)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def reshape(self, *shape):
        """The jet with every coefficient reshaped."""
        shape = shape[0] if len(shape) == 1 and np.ndim(shape[0]) else shape
        return RULES[np.reshape](self, shape)

    def swapaxes(self, axis1, axis2):
        """The jet with two axes of every coefficient exchanged."""
        return RULES[np.swapaxes](self, axis1, axis2)

    def sum(self, axis=None, keepdims=False):
        """The jet of the sums along `axis` (None: over all axes)."""
        return RULES[np.sum](self, axis, keepdims=keepdims)

    def mean(self, axis=None, keepdims=False):
        """The jet of the means along `axis` (None: over all axes)."""
        return RULES[np.mean](self, axis, keepdims=keepdims)


for _name in "add sub mul truediv matmul pow".split():  # a += b makes a new jet: jets share arrays
    setattr(RingElement, f"__i{_name}__", getattr(RingElement, f"__{_name}__"))


def _is_operand(value):
    if isinstance(value, (np.ndarray, np.generic)):
        return value.dtype.kind in "biufc"
    return isinstance(value, (Jet, Box, int, float, complex))


INSTEAD = {  # of functions that have no Taylor series where people need it, or another name here
    "maximum": "sl.ring.relu(x) for maximum(0, x), or sl.ring.softplus(x), which is smooth",
    "absolute": "sl.ring.sqrt(x * x + 1e-6)",
    "log1p": "sl.ring.softplus(x) for log1p(exp(x)), else sl.ring.log(1 + x)",
    "logaddexp": "sl.ring.softplus(x) for logaddexp(0, x)",
    "expm1": "sl.ring.exp(x) - 1",
    "arctan": "sl.ring.tanh(x)",
    "dot": "sl.ring.matmul(a, b)",
    "einsum": "sl.ring.matmul or sl.ring.sum of products",
}
STEPS = "argmax argmin argsort where clip round sign greater less equal floor ceil".split()


def _undefined(what):
    name = what.split(" ")[0]
    if name in INSTEAD:
        return f"numpy's {what} is not defined on jets; use {INSTEAD[name]}"
    if any(name.startswith(step) for step in STEPS):
        return (
            f"numpy's {what} is not defined on jets: what goes in steps, as an accuracy does, "
            "has no derivative that tells anything. Use the loss, a probability or a margin; "
            "sl.ring.relu and sl.ring.softplus for a bend"
        )
    known = ", ".join(sorted({known.__name__ for known in RULES}))
    return (
        f"numpy's {what} is not defined on jets; use one of {known}, or look at the numbers: "
        "jet.head is the constant coefficient, jet.coefficients an array of all"
    )


class Jet(RingElement):
    """A truncated power series with array coefficients.

    coefficients: array-like of shape (degree + 1, *shape), real or complex, finite.
    Raises TypeError for values that are not numbers, ValueError for an empty or non-finite array.
    """

    __slots__ = ("head", "tail")

    def __init__(self, coefficients):
        coefficients = number_array(coefficients, "jet coefficients")
        if coefficients.ndim == 0 or len(coefficients) == 0:
            raise ValueError(
                "a jet needs at least its constant coefficient: give an array of shape "
                f"(degree + 1, ...), not one of shape {coefficients.shape}"
            )
        self.head, self.tail = coefficients[0], coefficients[1:]

    @classmethod
    def of(cls, head, tail):
        """Join a constant coefficient and a tail of shape (K, *shape) without checks or copies."""
        jet = object.__new__(cls)
        jet.head, jet.tail = head, tail
        return jet

    @classmethod
    def constant(cls, value, degree, *, shape=None):
        """The number or array `value` as a jet whose higher coefficients are zero."""
        head = number_array(value, "value")
        shape = head.shape if shape is None else _shape(shape)
        if not _repeats(head.shape, shape):
            raise ValueError(f"a value of shape {head.shape} cannot be repeated to shape {shape}")
        head = head.reshape((1,) * (len(shape) - head.ndim) + head.shape)
        return cls.of(head, np.zeros((check_degree(degree), *shape), head.dtype))

    @classmethod
    def line(cls, point, direction, degree):
        """The jet of z -> point + z * direction; the arrays are broadcast against each other."""
        point, direction = number_array(point, "point"), number_array(direction, "direction")
        try:
            shape = np.broadcast_shapes(point.shape, direction.shape)
        except ValueError:
            raise ValueError(
                f"a point of shape {point.shape} and a direction of shape {direction.shape} do not "
                "fit together"
            ) from None
        tail = np.zeros((check_degree(degree), *shape), np.result_type(point, direction))
        tail[:1] = direction
        return cls.of(point.reshape((1,) * (len(shape) - point.ndim) + point.shape), tail)

    @property
    def degree(self):
        """The highest power of z that is kept."""
        return len(self.tail)

    @property
    def shape(self):
        """Shape of one coefficient."""
        return self.tail.shape[1:]

    @property
    def ndim(self):
        """Number of axes of one coefficient."""
        return self.tail.ndim - 1

    @property
    def size(self):
        """Number of entries of one coefficient."""
        return int(np.prod(self.shape))

    @property
    def dtype(self):
        """Type of the coefficients taken together."""
        return np.result_type(self.head, self.tail)

    @property
    def coefficients(self):
        """A new array of all Taylor coefficients, shape (degree + 1, *shape)."""
        return np.concatenate([self.full_head()[None], self.tail])

    def full_head(self):
        """The constant coefficient with every shared axis written out (a read-only view)."""
        return np.broadcast_to(self.head, self.shape)

    def __call__(self, z):
        """Evaluate the polynomial at a number or an array z; shape z.shape + jet.shape."""
        z = number_array(z, "z")
        z = z.reshape(z.shape + (1,) * self.ndim)
        value = np.zeros(self.shape)
        for coefficient in self.coefficients[::-1]:
            value = value * z + coefficient
        return value

    def truncate(self, degree):
        """The same series cut after z^degree, 0 <= degree <= self.degree."""
        degree = check_degree(degree)
        if degree > self.degree:
            raise ValueError(
                f"cannot truncate a jet of degree {self.degree} to degree {degree}: "
                f"give a degree from 0 to {self.degree}"
            )
        return Jet.of(self.head, self.tail[:degree])

    def __repr__(self):
        if self.ndim:
            return f"Jet(degree {self.degree}, shape {self.shape}, {self.dtype})"
        powers = ["", " z", *(f" z^{k}" for k in range(2, self.degree + 1))]
        text = ""
        for value, power in zip(self.coefficients[:7], powers, strict=False):
            if np.iscomplexobj(value):
                sign, number = "+", f"({value:.6g})"
            else:
                sign, number = "-" if value < 0 else "+", f"{abs(value):.6g}"
            text += f" {sign} {number}{power}" if power else f"{'-' * (sign == '-')}{number}"
        return f"Jet({text}{' + ...' * (self.degree > 6)}; degree {self.degree})"

    def __eq__(self, other):
        if not isinstance(other, Jet):
            return NotImplemented
        return self.shape == other.shape and np.array_equal(self.coefficients, other.coefficients)

    __hash__ = None

    def __bool__(self):
        raise TypeError("a jet is neither true nor false; compare jet.coefficients instead")


def _shape(shape):
    """A shape as a tuple of lengths."""
    if not isinstance(shape, (tuple, list)):
        raise TypeError(f"shape must be a tuple of lengths, not {brief(shape)}")
    return tuple(check_number_of(length, "a length in shape") for length in shape)


def _repeats(small, shape):
    """Whether an array of one shape can be repeated to another."""
    ends = zip(small[::-1], shape[::-1], strict=False)
    return len(small) <= len(shape) and all(a in (1, b) for a, b in ends)


SIMPLE = {Jet, float, int, complex}  # operands that need no further look
