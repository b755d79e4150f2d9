"""Jets: truncated power series a_0 + a_1 z + ... + a_K z^K whose coefficients are arrays.

Jets of one degree K form a commutative ring: add, multiply and drop every power of z above K.
Feed `Jet.line(x, v, K)` (the series x + z v) to any program built from the operations below, and
the jet that comes out holds the program's Taylor coefficients along the direction v:
c_r = f^(r)(x)[v, ..., v] / r!  (coefficients, not derivatives: the factorials are divided out).

Every elementary function follows from a differential equation. If y' = w a', then comparing the
coefficients of z^(k-1) gives

    k y_k = sum_{i=1..k} i a_i w_{k-i},

which computes y from the jets of a and w in O(K^2) products. The functions here look only at the
constant coefficient when they must choose (a branch of log, the maximum in softmax).

Storage: `head` is the constant coefficient and `tail` the others, shape (K, *shape). The head may
be real under a complex tail (not the reverse), and may have length 1 along axes where all entries
share it (a batch of directions shares its base point): its work is then done once, in real numbers.
"""

import functools
import numbers

import numpy as np
from scipy import special

from ..checks import check_degree, number_array


class Jet:
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
        shape = head.shape if shape is None else tuple(shape)
        if np.broadcast_shapes(head.shape, shape) != shape:
            raise ValueError(f"a value of shape {head.shape} cannot be repeated to shape {shape}")
        head = head.reshape((1,) * (len(shape) - head.ndim) + head.shape)
        return cls.of(head, np.zeros((check_degree(degree), *shape), head.dtype))

    @classmethod
    def line(cls, point, direction, degree):
        """The jet of z -> point + z * direction; the arrays are broadcast against each other."""
        point, direction = number_array(point, "point"), number_array(direction, "direction")
        shape = np.broadcast_shapes(point.shape, direction.shape)
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
        z = np.asarray(z)
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

    def __array__(self, *_, **__):
        raise TypeError("a jet is not an array of numbers; jet.coefficients is, degree on axis 0")

    def __len__(self):
        if self.ndim == 0:
            raise TypeError("this jet has scalar coefficients and no length; see jet.degree")
        return self.shape[0]

    def __getitem__(self, key):
        return getitem(self, key)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def reshape(self, *shape):
        """The jet with every coefficient reshaped."""
        return reshape(self, shape[0] if len(shape) == 1 and np.ndim(shape[0]) else shape)

    def swapaxes(self, axis1, axis2):
        """The jet with two axes of every coefficient exchanged."""
        return swapaxes(self, axis1, axis2)

    def sum(self, axis=None, keepdims=False):
        """The jet of the sums along `axis` (None: over all axes)."""
        return sum(self, axis, keepdims)

    def mean(self, axis=None, keepdims=False):
        """The jet of the means along `axis` (None: over all axes)."""
        return mean(self, axis, keepdims)

    def __neg__(self):
        return Jet.of(-self.head, -self.tail)

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        """Let numpy's functions act on jets: np.exp(jet), array * jet, scipy.special.erf(jet)."""
        if not all(_is_operand(value) for value in inputs):
            return NotImplemented
        rule = UFUNCS.get(ufunc)
        if rule is None or method != "__call__" or kwargs:
            raise TypeError(
                f"numpy's {ufunc.__name__} ({method}) is not defined on jets; use one of "
                + ", ".join(sorted(known.__name__ for known in UFUNCS))
            )
        return rule(*inputs)


# ---- operands --------------------------------------------------------------------------------


def same_degree(a, b):
    """The common degree of two operands, of which at least one is a jet; raise if they differ."""
    if not isinstance(b, Jet):
        return a.degree
    if isinstance(a, Jet) and a.degree != b.degree:
        raise ValueError(
            f"jets of degree {a.degree} and {b.degree} cannot be combined: "
            "truncate the longer one first, jet.truncate(k)"
        )
    return b.degree


def as_jet(value, degree):
    """`value` itself if it is a jet, otherwise the constant jet of that degree."""
    return value if isinstance(value, Jet) else Jet.constant(value, degree)


def _padded(tail, ndim):
    """The tail with axes of length 1 after the degree axis, so that it broadcasts as numpy does."""
    missing = ndim - (tail.ndim - 1)
    return tail.reshape(tail.shape[:1] + (1,) * missing + tail.shape[1:]) if missing > 0 else tail


def _aligned_tails(a, b):
    ndim = max(a.ndim, b.ndim)
    return _padded(a.tail, ndim), _padded(b.tail, ndim)


def _widened(jet, shape):
    """The tail of `jet`, broadcast to `shape`."""
    if jet.shape == shape:
        return jet.tail
    return np.broadcast_to(_padded(jet.tail, len(shape)), (jet.degree, *shape))


def _weights_for(head, tail):
    """A real head about to multiply a complex tail: converting it once beats doing so per row."""
    if tail.dtype.kind == "c" and getattr(head, "dtype", None) == np.float64:
        return head.astype(complex)
    return head


# ---- the ring --------------------------------------------------------------------------------


def add(a, b):
    """a + b for jets, or a jet and a number or array."""
    same_degree(a, b)
    if not isinstance(a, Jet):
        a, b = b, a
    if not isinstance(b, Jet):
        head = a.head + b
        tail = _widened(a, np.broadcast_shapes(a.shape, np.shape(head)))
        return Jet.of(head, tail.astype(np.result_type(head, tail), copy=False))
    if a.shape == b.shape:
        return Jet.of(a.head + b.head, a.tail + b.tail)
    tail_a, tail_b = _aligned_tails(a, b)
    return Jet.of(a.head + b.head, tail_a + tail_b)


def subtract(a, b):
    """a - b for jets, or a jet and a number or array."""
    if isinstance(a, Jet) and isinstance(b, Jet) and a.shape == b.shape:
        same_degree(a, b)
        return Jet.of(a.head - b.head, a.tail - b.tail)
    return add(a, -b if isinstance(b, Jet) else 0.0 - b)


def multiply(a, b):
    """a * b: coefficient k is the sum of a_i b_{k-i}."""
    degree = same_degree(a, b)
    if not isinstance(a, Jet):
        a, b = b, a
    if not isinstance(b, Jet):
        if np.ndim(b) == 0:
            return Jet.of(a.head * b, a.tail * b)
        head = a.head * b
        tail = _padded(a.tail, np.ndim(b))
        product = tail * _weights_for(b, tail)
        shape = np.broadcast_shapes(a.shape, np.shape(b))
        return Jet.of(head.reshape((1,) * (len(shape) - head.ndim) + head.shape), product)
    if a is b:
        return _square(a)
    tail_a, tail_b = (a.tail, b.tail) if a.ndim == b.ndim else _aligned_tails(a, b)
    tail = tail_a * _weights_for(b.head, tail_a) + tail_b * _weights_for(a.head, tail_b)
    for i in range(1, degree):
        tail[i:] += tail_a[i - 1] * tail_b[: degree - i]
    return Jet.of(a.head * b.head, tail)


def _square(a):
    tail = a.tail * _weights_for(2.0 * a.head, a.tail)
    for i in range(1, a.degree // 2 + 1):  # a_i^2, and a_i a_j twice for every j > i
        tail[2 * i - 1] += a.tail[i - 1] * a.tail[i - 1]
        tail[2 * i :] += (2.0 * a.tail[i - 1]) * a.tail[i : a.degree - i]
    return Jet.of(a.head * a.head, tail)


def divide(a, b):
    """a / b; b needs a constant coefficient without zeros."""
    if isinstance(b, Jet):
        return multiply(a, power(b, -1))
    if np.any(np.equal(b, 0)):
        raise ZeroDivisionError("a jet is divided by zero: the divisor must have no zeros")
    return multiply(a, 1.0 / b)


# ---- elementary functions --------------------------------------------------------------------


def integrate(w, a, start):
    """The jet y with y' = w a' and constant coefficient `start`: k y_k = sum_i i a_i w_{k-i}."""
    tail = np.empty(np.broadcast_shapes(a.tail.shape, w.tail.shape), np.result_type(a.tail, w.tail))
    slopes = _times_degree(a.tail)
    for k in range(1, a.degree + 1):
        _put_order(tail, k, slopes, _weights_for(w.head, tail), w.tail)
    return Jet.of(start, tail)


def _times_degree(tail):
    """i a_i for i = 1..K: the coefficients of z a'(z)."""
    return tail * np.arange(1.0, len(tail) + 1).reshape(-1, *(1,) * (tail.ndim - 1))


def _put_order(tail, k, slopes, w_head, w_tail):
    """Write y_k = (1/k) sum_{i=1..k} slopes_i w_{k-i} into tail[k-1]."""
    total = slopes[k - 1] * w_head
    if k > 1:
        total += _summed(slopes[: k - 1] * w_tail[: k - 1][::-1])
    tail[k - 1] = total * (1.0 / k)


def _summed(terms):
    return terms[0] if len(terms) == 1 else np.add.reduce(terms, axis=0)


def exp(a):
    """Exponential: y' = y a'."""
    head = np.exp(a.head)
    tail = np.empty_like(a.tail)
    slopes, weights = _times_degree(a.tail), _weights_for(head, tail)
    for k in range(1, a.degree + 1):
        _put_order(tail, k, slopes, weights, tail)
    return Jet.of(head, tail)


def log(a):
    """Natural logarithm (principal branch): y' = a' / a."""
    _refuse_branch_cut(a.head, "log")
    return integrate(power(a, -1), a, np.log(a.head))


def power(a, exponent):
    """a ** exponent for a fixed real number: a y' = exponent y a'.

    A non-negative integer exponent is analytic everywhere; a negative integer needs a constant
    coefficient that is nowhere 0; any other exponent needs it off the branch cut (-inf, 0].
    """
    if not isinstance(exponent, numbers.Real):
        raise TypeError("the exponent must be one real number; use exp(b * log(a)) for a ** b")
    if not np.isfinite(exponent):
        raise ValueError(f"the exponent must be finite, not {exponent}")
    if exponent == int(exponent):
        if exponent >= 0:
            return _integer_power(a, int(exponent))
        if np.any(a.head == 0):
            raise ZeroDivisionError(
                f"power {exponent:g} of a jet whose constant coefficient is 0: not analytic there; "
                "it must not be zero"
            )
    else:
        _refuse_branch_cut(a.head, f"power {exponent:g}")
    head = a.head ** float(exponent)
    # With u = a / a_0 and y = y_0 r:  r_k = sum_i ((exponent + 1) i / k - 1) u_i r_{k-i}.
    u = a.tail * _weights_for(1.0 / a.head, a.tail)
    r = np.empty_like(u)
    orders = np.arange(1.0, a.degree + 1).reshape(-1, *(1,) * a.ndim)
    for k in range(1, a.degree + 1):
        r[k - 1] = u[k - 1] * exponent
        if k > 1:
            products = u[: k - 1] * r[: k - 1][::-1]
            products *= (exponent + 1) / k * orders[: k - 1] - 1.0
            r[k - 1] += _summed(products)
    r *= _weights_for(head, r)
    return Jet.of(head, r)


def _integer_power(a, exponent):
    result = Jet.of(np.ones_like(a.head), np.zeros_like(a.tail))
    while exponent:
        if exponent & 1:
            result = multiply(result, a)
        exponent >>= 1
        if exponent:
            a = _square(a)
    return result


def _refuse_branch_cut(head, what):
    on_cut = head <= 0 if np.isrealobj(head) else (np.real(head) <= 0) & (np.imag(head) == 0)
    if np.count_nonzero(on_cut):
        value = np.asarray(head)[on_cut].flat[0] if np.ndim(head) else head
        raise ValueError(
            f"{what} of a jet whose constant coefficient is {value:g}: not analytic there; "
            "it must not be zero or a negative real number"
        )


def sqrt(a):
    """Square root (principal branch)."""
    return power(a, 0.5)


def tanh(a):
    """Hyperbolic tangent: y' = (1 - y^2) a'."""
    head = np.tanh(a.head)
    w_head, w_tail = 1.0 - head * head, np.empty_like(a.tail)
    tail, slopes = np.empty_like(a.tail), _times_degree(a.tail)
    for k in range(1, a.degree + 1):
        _put_order(tail, k, slopes, w_head, w_tail)
        w_tail[k - 1] = -2.0 * head * tail[k - 1]
        if k > 1:
            w_tail[k - 1] -= _summed(tail[: k - 1] * tail[: k - 1][::-1])
    return Jet.of(head, tail)


def erf(a):
    """Error function: y' = 2/sqrt(pi) exp(-a^2) a'."""
    return integrate(exp(-_square(a)) * (2.0 / np.sqrt(np.pi)), a, special.erf(a.head))


def normal_pdf(a):
    """Density of the standard normal distribution, exp(-a^2/2) / sqrt(2 pi)."""
    return exp(_square(a) * -0.5) * (1.0 / np.sqrt(2 * np.pi))


def normal_cdf(a):
    """Distribution function of the standard normal: y' = normal_pdf(a) a'."""
    return integrate(normal_pdf(a), a, special.ndtr(a.head))


def relu(a):
    """max(a, 0), decided by the constant coefficient; its series is wrong across the kink at 0."""
    positive = np.real(a.head) > 0
    return Jet.of(np.where(positive, a.head, 0.0), np.where(positive, a.tail, 0.0))


def gelu(a):
    """Gaussian error linear unit, a * normal_cdf(a) (the exact form, with erf)."""
    return multiply(a, normal_cdf(a))


# ---- shapes, sums and products of arrays -----------------------------------------------------


def trailing_axes(key):
    """How many last axes `key` = (..., i, j) indexes, if each coefficient may be indexed apart.

    None if the key has another form: numpy then needs all the axes, or moves some to the front.
    """
    if not isinstance(key, tuple) or not key or key[0] is not Ellipsis:
        return None
    rest = key[1:]
    if all(k is None or isinstance(k, (slice, int, np.integer)) for k in rest):
        return None if any(isinstance(k, bool) for k in rest) else len(rest) - rest.count(None)
    if all(isinstance(k, np.ndarray) and k.dtype.kind in "iu" for k in rest):
        return len(rest)
    return None


def getitem(a, key):
    """Index every coefficient with `key`, as numpy would."""
    count = trailing_axes(key)
    if count is not None and a.head.shape[a.ndim - count :] == a.shape[a.ndim - count :]:
        return Jet.of(a.head[key], a.tail[key])
    head = a.full_head()[key]
    tail = np.empty((a.degree, *np.shape(head)), a.tail.dtype)
    for k, coefficient in enumerate(a.tail):
        tail[k] = coefficient[key]
    return Jet.of(head, tail)


def broadcast_like(a, other):
    """Repeat the entries of `a` to the shape of `other`, sharing heads where `other` does."""
    if not isinstance(a, Jet):
        return np.broadcast_to(a, np.shape(other))
    head_shape = other.head.shape if isinstance(other, Jet) else np.shape(other)
    head_shape = np.broadcast_shapes(a.head.shape, head_shape)
    return Jet.of(np.broadcast_to(a.head, head_shape), _widened(a, np.shape(other)))


def take(a, indices, axis):
    """Pick entries by number along `axis`."""
    (axis,) = _axes(a, axis)
    head = a.head if a.head.shape[axis] == a.shape[axis] else a.full_head()
    return Jet.of(head.take(indices, axis), a.tail.take(indices, axis + 1))


def reshape(a, shape):
    """Reshape every coefficient; `shape` is a tuple, or an int for one axis."""
    shape = (shape,) if np.ndim(shape) == 0 else tuple(shape)
    tail = (
        a.tail.reshape(a.degree, *shape)
        if a.degree
        else np.empty((0, *np.empty(a.shape, bool).reshape(shape).shape))
    )
    shape = tail.shape[1:]
    if a.head.shape == a.shape:
        return Jet.of(a.head.reshape(shape), tail)
    if a.head.shape[1:] == a.shape[1:] and shape and shape[0] == a.shape[0]:
        return Jet.of(a.head.reshape(1, *shape[1:]), tail)
    return Jet.of(a.full_head().reshape(shape), tail)


def swapaxes(a, axis1, axis2):
    """Exchange two axes of every coefficient."""
    (axis1,), (axis2,) = _axes(a, axis1), _axes(a, axis2)
    return Jet.of(a.head.swapaxes(axis1, axis2), a.tail.swapaxes(axis1 + 1, axis2 + 1))


def _axes(a, axis):
    axes = tuple(range(a.ndim)) if axis is None else axis
    return np.lib.array_utils.normalize_axis_tuple(axes, a.ndim)


def sum(a, axis=None, keepdims=False):
    """Sum every coefficient along `axis` (an int, a tuple, or None for all axes)."""
    axes = _axes(a, axis)
    shared = [a.shape[axis] for axis in axes if a.head.shape[axis] != a.shape[axis]]
    head = a.head.sum(axes, keepdims=keepdims) * float(np.prod(shared))
    return Jet.of(head, a.tail.sum(tuple(axis + 1 for axis in axes), keepdims=keepdims))


def mean(a, axis=None, keepdims=False):
    """Average every coefficient along `axis`."""
    count = np.prod([a.shape[axis] for axis in _axes(a, axis)])
    return sum(a, axis, keepdims) * (1.0 / count)


def concatenate(parts, axis=0):
    """Join jets (and numbers of matching shape) along an axis of their coefficients."""
    degree = next(part.degree for part in parts if isinstance(part, Jet))
    parts = [as_jet(part, degree) for part in parts]
    for part in parts:
        same_degree(parts[0], part)
    (axis,) = _axes(parts[0], axis)
    heads = [part.head for part in parts]
    if any(
        head.shape[:axis] + head.shape[axis + 1 :]
        != heads[0].shape[:axis] + heads[0].shape[axis + 1 :]
        or head.shape[axis] != part.shape[axis]
        for head, part in zip(heads, parts, strict=True)
    ):
        heads = [part.full_head() for part in parts]
    return Jet.of(
        np.concatenate(heads, axis), np.concatenate([part.tail for part in parts], axis + 1)
    )


def with_vectors(product):
    """Let a matrix product also take vectors, as numpy's does: (n,) is a row or a column."""

    @functools.wraps(product)
    def general(a, b):
        if np.ndim(a) == 1:
            return (
                general(a[None, :], b)[..., 0]
                if np.ndim(b) == 1
                else general(a[None, :], b)[..., 0, :]
            )
        return product(a, b[:, None])[..., 0] if np.ndim(b) == 1 else product(a, b)

    return general


@with_vectors
def matmul(a, b):
    """Matrix product over the last two axes; leading axes broadcast as in numpy."""
    degree = same_degree(a, b)
    ndim = max(np.ndim(a), np.ndim(b))
    if not isinstance(b, Jet):
        return Jet.of(_matrix_head(a) @ b, _product(_padded(a.tail, ndim), b))
    if not isinstance(a, Jet):
        return Jet.of(a @ _matrix_head(b), _product(a, _padded(b.tail, ndim)))
    tail_a, tail_b = _padded(a.tail, ndim), _padded(b.tail, ndim)
    head_a, head_b = _matrix_head(a), _matrix_head(b)
    tail = np.add(_product(head_a, tail_b), _product(tail_a, head_b), order="C")
    for i in range(1, degree):
        tail[i:] += tail_a[i - 1] @ tail_b[: degree - i]
    return Jet.of(head_a @ head_b, tail)


def _matrix_head(jet):
    """The head with its last two axes written out: they are multiplied and summed over."""
    if jet.head.shape[-2:] == jet.shape[-2:]:
        return jet.head
    return np.broadcast_to(jet.head, jet.head.shape[:-2] + jet.shape[-2:])


def linear(x, weights):
    """x @ weights^T over the last two axes: `weights` holds one row per output."""
    return matmul(x, weights.swapaxes(-1, -2))


def _product(a, b):
    """a @ b where one factor is a tail and the other a head, often real and shared by all rows."""
    if a.dtype.kind == "f" and b.dtype.kind == "c" and b.strides[-1] == b.itemsize:
        return (a @ b.view(float)).view(complex)  # half the work of a complex product
    if b.dtype.kind == "f" and a.dtype.kind == "c" and a.strides[-2] == a.itemsize:
        return _product(b.swapaxes(-1, -2), a.swapaxes(-1, -2)).swapaxes(-1, -2)
    if b.size == b.shape[-2] * b.shape[-1] and a.ndim > b.ndim:  # one large product, not many small
        rows = a.reshape(-1, a.shape[-1]) @ b.reshape(b.shape[-2:])
        return rows.reshape(*a.shape[:-1], b.shape[-1])
    return a @ b


def softmax(a, where=None):
    """exp(a) / sum(exp(a)) over the last axis; entries with where=False get probability 0."""
    head = a.head if where is None else np.where(where, a.head, -np.inf)
    shift = np.max(np.real(head), axis=-1, keepdims=True)
    weights = exp(Jet.of(head - shift, a.tail))
    return divide(weights, sum(weights, -1, keepdims=True))


def logsumexp(a):
    """log(sum(exp(a))) over the last axis."""
    shift = np.max(np.real(a.head), axis=-1)
    return add(log(sum(exp(a - shift[..., None]), -1)), shift)


def rmsnorm(a, eps):
    """a divided by the root of its mean square (plus eps) over the last axis."""
    return multiply(a, power(add(mean(_square(a), -1, True), eps), -0.5))


def cross_entropy(logits, targets):
    """Mean over positions of -log softmax(logits)[target]; logits (..., positions, classes)."""
    chosen = getitem(logits, (..., np.arange(len(targets)), np.asarray(targets)))
    return mean(subtract(logsumexp(logits), chosen), -1)


# ---- operators -------------------------------------------------------------------------------

UFUNCS = {
    np.add: add,
    np.subtract: subtract,
    np.multiply: multiply,
    np.true_divide: divide,
    np.matmul: matmul,
    np.power: power,
    np.negative: Jet.__neg__,
    np.exp: exp,
    np.log: log,
    np.sqrt: sqrt,
    np.tanh: tanh,
    special.erf: erf,
}


def _define_operator(name, rule):
    """Give Jet the operator `name` in both orders; other types may define it for themselves."""

    def forward(self, other):
        return rule(self, other) if _is_operand(other) else NotImplemented

    def reflected(self, other):
        return rule(other, self) if _is_operand(other) else NotImplemented

    forward.__name__, reflected.__name__ = f"__{name}__", f"__r{name}__"
    forward.__doc__ = reflected.__doc__ = rule.__doc__
    setattr(Jet, f"__{name}__", forward)
    setattr(Jet, f"__r{name}__", reflected)


def _is_operand(value):
    return isinstance(value, (Jet, np.ndarray, np.generic, int, float, complex))


for _name, _rule in {
    "add": add,
    "sub": subtract,
    "mul": multiply,
    "truediv": divide,
    "matmul": matmul,
    "pow": power,
}.items():
    _define_operator(_name, _rule)
