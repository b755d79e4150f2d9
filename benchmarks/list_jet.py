"""A jet as a plain Python list of numbers: the ring that the scalar baseline runs over.

On scalars, lists are faster than numpy arrays, so this is the fair competitor.
"""

import math
from operator import mul


class ListJet:
    """Truncated power series with scalar coefficients; recurrences as in `sketchlab.algebra`."""

    __slots__ = ("c",)

    def __init__(self, c):
        self.c = c

    def __add__(self, other):
        if isinstance(other, ListJet):
            return ListJet([a + b for a, b in zip(self.c, other.c, strict=True)])
        return ListJet([self.c[0] + other, *self.c[1:]])

    def __mul__(self, other):
        if isinstance(other, ListJet):
            a, b = self.c, other.c
            return ListJet([sum(map(mul, a[: k + 1], b[k::-1])) for k in range(len(a))])
        return ListJet([a * other for a in self.c])

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + -other

    def __rsub__(self, other):
        return -self + other

    def __pow__(self, p):
        a, y = self.c, [self.c[0] ** p]
        for k in range(1, len(a)):
            terms = (((p + 1) * i / k - 1) * a[i] * y[k - i] for i in range(1, k + 1))
            y.append(sum(terms) / a[0])
        return ListJet(y)

    def __truediv__(self, other):
        return self * (other**-1 if isinstance(other, ListJet) else 1.0 / other)

    def exp(self):
        """Exponential."""
        a, y = self.c, [math.exp(self.c[0].real)]
        for k in range(1, len(a)):
            y.append(sum(i * a[i] * y[k - i] for i in range(1, k + 1)) / k)
        return ListJet(y)

    def log(self):
        """Natural logarithm."""
        return self._integral(self**-1, math.log(self.c[0].real))

    def normal_pdf(self):
        """Standard normal density."""
        return (self * self * -0.5).exp() * (1 / math.sqrt(2 * math.pi))

    def normal_cdf(self):
        """Standard normal distribution function."""
        start = 0.5 * math.erfc(-self.c[0].real / math.sqrt(2))
        return self._integral(self.normal_pdf(), start)

    def gelu(self):
        """GELU."""
        return self * self.normal_cdf()

    def _integral(self, w, start):
        a, y = self.c, [start]
        for k in range(1, len(a)):
            y.append(sum(i * a[i] * w.c[k - i] for i in range(1, k + 1)) / k)
        return ListJet(y)
