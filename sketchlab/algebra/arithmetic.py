"""The ring operations on jets, and powers: rules for jets alone, which `ring` puts to use.

Sums act on each coefficient, products are convolutions. In every rule at least one operand is a
jet; the other may be a number or an array, broadcast as numpy does.
"""

import numbers

import numpy as np

from .jet import Jet


def same_degree(a, b):
    """The common degree of two operands, of which at least one is a jet; raise if they differ."""
    if type(b) is not Jet:
        return len(a.tail)
    if type(a) is Jet and len(a.tail) != len(b.tail):
        raise ValueError(
            f"jets of degree {a.degree} and {b.degree} cannot be combined: "
            "truncate the longer one first, jet.truncate(k)"
        )
    return len(b.tail)


def padded(tail, ndim):
    """The tail with axes of length 1 after the degree axis, so that it broadcasts as numpy does."""
    missing = ndim - (tail.ndim - 1)
    return tail.reshape(tail.shape[:1] + (1,) * missing + tail.shape[1:]) if missing > 0 else tail


def _aligned_tails(a, b):
    ndim = max(a.ndim, b.ndim)
    return padded(a.tail, ndim), padded(b.tail, ndim)


def widened(jet, shape):
    """The tail of `jet`, broadcast to `shape`."""
    if jet.shape == shape:
        return jet.tail
    return np.broadcast_to(padded(jet.tail, len(shape)), (jet.degree, *shape))


def weights_for(head, tail):
    """A head, or another constant, about to multiply a tail: in the tail's precision.

    Under a complex tail it is complex: converting it once beats doing so per row.
    """
    dtype = getattr(head, "dtype", None)
    if dtype is None or dtype == tail.dtype:
        return head
    return head.astype(joint_type(dtype, tail))


def joint_type(dtype, tail):
    """The type of a tail that meets a constant of this type: complex if either is.

    Its precision stays that of the tail, so that tails in single precision may belong to heads in
    double precision.
    """
    if dtype.kind == "c" and tail.dtype.kind != "c":
        return np.result_type(tail.dtype, np.complex64)
    return tail.dtype


def add(a, b):
    """a + b for jets, or a jet and a number or array."""
    same_degree(a, b)
    if not isinstance(a, Jet):
        a, b = b, a
    if not isinstance(b, Jet):
        head = a.head + b
        tail = widened(a, np.broadcast_shapes(a.shape, np.shape(head)))
        return Jet.of(head, tail.astype(joint_type(head.dtype, tail), copy=False))
    if a.shape == b.shape:
        return Jet.of(a.head + b.head, a.tail + b.tail)
    tail_a, tail_b = _aligned_tails(a, b)
    return Jet.of(a.head + b.head, tail_a + tail_b)


def subtract(a, b):
    """a - b for jets, or a jet and a number or array."""
    if isinstance(a, Jet) and isinstance(b, Jet) and a.shape == b.shape:
        same_degree(a, b)
        return Jet.of(a.head - b.head, a.tail - b.tail)
    return add(a, negative(b) if isinstance(b, Jet) else 0.0 - b)


def negative(a):
    """-a."""
    return Jet.of(-a.head, -a.tail)


def multiply(a, b):
    """a * b: coefficient k is the sum of a_i b_{k-i}."""
    degree = same_degree(a, b)
    if not isinstance(a, Jet):
        a, b = b, a
    if not isinstance(b, Jet):
        if np.ndim(b) == 0:
            return Jet.of(a.head * b, a.tail * weights_for(b, a.tail))
        head = a.head * b
        tail = padded(a.tail, np.ndim(b))
        product = tail * weights_for(b, tail)
        shape = np.broadcast_shapes(a.shape, np.shape(b))
        return Jet.of(head.reshape((1,) * (len(shape) - head.ndim) + head.shape), product)
    if a is b:
        return square(a)
    tail_a, tail_b = (a.tail, b.tail) if a.ndim == b.ndim else _aligned_tails(a, b)
    tail, other = tail_a * weights_for(b.head, tail_a), tail_b * weights_for(a.head, tail_b)
    same = tail.shape == other.shape and tail.dtype == other.dtype
    tail = np.add(tail, other, out=tail if same else None)
    for i in range(1, degree):
        tail[i:] += tail_a[i - 1] * tail_b[: degree - i]
    return Jet.of(a.head * b.head, tail)


def square(a):
    """a * a, with half the products."""
    tail = a.tail * weights_for(2.0 * a.head, a.tail)
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
    return multiply(a, 1.0 / np.asarray(b, np.result_type(b, a.head)))


def orders_of(tail):
    """1, ..., K along the degree axis of a tail, in its precision."""
    orders = np.arange(1, len(tail) + 1, dtype=tail.real.dtype)
    return orders.reshape(-1, *(1,) * (tail.ndim - 1))


def summed(terms):
    """The sum over the first axis."""
    return terms[0] if len(terms) == 1 else np.add.reduce(terms, axis=0)


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
        refuse_branch_cut(a.head, f"power {exponent:g}")
    exponent = float(exponent)
    head = a.head**exponent
    # With u = a / a_0 and y = y_0 r:  r_k = sum_i ((exponent + 1) i / k - 1) u_i r_{k-i}.
    u = a.tail * weights_for(1.0 / a.head, a.tail)
    r, orders = np.empty_like(u), orders_of(u)
    for k in range(1, a.degree + 1):
        r[k - 1] = u[k - 1] * exponent
        if k > 1:
            products = u[: k - 1] * r[: k - 1][::-1]
            products *= (exponent + 1) / k * orders[: k - 1] - 1.0
            r[k - 1] += summed(products)
    r *= weights_for(head, r)
    return Jet.of(head, r)


def _integer_power(a, exponent):
    result = Jet.of(np.ones_like(a.head), np.zeros_like(a.tail))
    while exponent:
        if exponent & 1:
            result = multiply(result, a)
        exponent >>= 1
        if exponent:
            a = square(a)
    return result


def refuse_branch_cut(head, what):
    """Raise ValueError where a constant coefficient is 0 or a negative real number."""
    on_cut = head <= 0 if np.isrealobj(head) else (np.real(head) <= 0) & (np.imag(head) == 0)
    if np.count_nonzero(on_cut):
        value = np.asarray(head)[on_cut].flat[0] if np.ndim(head) else head
        raise ValueError(
            f"{what} of a jet whose constant coefficient is {value:g}: not analytic there; "
            "it must not be zero or a negative real number"
        )
