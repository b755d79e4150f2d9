"""The ring operations on jets, and powers: rules for jets alone, which `ring` puts to use.

Sums act on each coefficient, products are convolutions. In every rule at least one operand is a
jet; the other may be a number or an array, broadcast as numpy does.
"""

import numbers

import numpy as np

from .jet import Jet


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
    """A real head about to multiply a complex tail: converting it once beats doing so per row."""
    if tail.dtype.kind == "c" and getattr(head, "dtype", None) == np.float64:
        return head.astype(complex)
    return head


def add(a, b):
    """a + b for jets, or a jet and a number or array."""
    same_degree(a, b)
    if not isinstance(a, Jet):
        a, b = b, a
    if not isinstance(b, Jet):
        head = a.head + b
        tail = widened(a, np.broadcast_shapes(a.shape, np.shape(head)))
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
            return Jet.of(a.head * b, a.tail * b)
        head = a.head * b
        tail = padded(a.tail, np.ndim(b))
        product = tail * weights_for(b, tail)
        shape = np.broadcast_shapes(a.shape, np.shape(b))
        return Jet.of(head.reshape((1,) * (len(shape) - head.ndim) + head.shape), product)
    if a is b:
        return square(a)
    tail_a, tail_b = (a.tail, b.tail) if a.ndim == b.ndim else _aligned_tails(a, b)
    tail = tail_a * weights_for(b.head, tail_a) + tail_b * weights_for(a.head, tail_b)
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
    return multiply(a, 1.0 / b)


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
    head = a.head ** float(exponent)
    # With u = a / a_0 and y = y_0 r:  r_k = sum_i ((exponent + 1) i / k - 1) u_i r_{k-i}.
    u = a.tail * weights_for(1.0 / a.head, a.tail)
    r = np.empty_like(u)
    orders = np.arange(1.0, a.degree + 1).reshape(-1, *(1,) * a.ndim)
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
