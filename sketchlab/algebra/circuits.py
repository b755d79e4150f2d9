"""Scalar arithmetic circuits: programs made of additions, multiplications and a few gates more.

Write a formula with `inputs` and ordinary operators; every operation becomes a gate. A circuit can
then be evaluated over any commutative ring whose elements Python can add and multiply: floats,
complex numbers, fractions, jets. One reverse sweep over the gates gives the derivative by every
input in the same ring (backpropagation). Slow, and made to be read; `sl.ring` does the same
for whole arrays.
"""

import collections
import itertools
import math
import numbers

import numpy as np

from ..arguments import check_list, check_texts
from ..checks import brief, check_indices, check_number_of
from . import elementary
from .recording import UNFIT, in_words

_created = itertools.count()


MOST_GATES = 10**7  # in an array of them
NO_RING = (str, bytes, list, tuple, dict, set)  # `*` repeats these


class Gate:
    """One gate of a circuit: an input, a constant, or an operation on other gates.

    operation: "input", "constant", "add", "multiply", or the name of an elementary function, such
    as "exp", "log", "power" and "gelu"; those of one variable are methods, gate.exp().
    sources: the gates it reads. detail: an input's name, a constant's value, a power's exponent.
    """

    __slots__ = ("detail", "number", "operation", "sources")

    def __init__(self, operation, sources=(), detail=None):
        self.operation, self.sources, self.detail = operation, sources, detail
        self.number = next(_created)

    def __add__(self, other):
        if isinstance(other, np.ndarray):
            return NotImplemented  # then numpy adds entry by entry
        return Gate("add", (self, _as_gate(other)))

    def __mul__(self, other):
        if isinstance(other, np.ndarray):
            return NotImplemented
        return Gate("multiply", (self, _as_gate(other)))

    def __radd__(self, other):
        return _as_gate(other) + self

    def __rmul__(self, other):
        return _as_gate(other) * self

    def __neg__(self):
        if self.operation == "constant":
            return _as_gate(-self.detail)
        return self * -1

    def __sub__(self, other):
        return self + -(other if isinstance(other, np.ndarray) else _as_gate(other))

    def __rsub__(self, other):
        return _as_gate(other) + -self

    def __truediv__(self, other):
        return self * (other**-1 if isinstance(other, Gate) else 1 / other)

    def __rtruediv__(self, other):
        return _as_gate(other) * self**-1

    def __pow__(self, exponent):
        if not isinstance(exponent, numbers.Real):
            raise TypeError(f"the exponent must be a fixed real number, not {exponent!r}")
        return Gate("power", (self,), exponent)

    def sqrt(self):
        """A power gate with exponent 1/2."""
        return self**0.5

    def __repr__(self):
        return f"Gate({self.operation}{'' if self.detail is None else f' {self.detail}'})"


def _method(name):
    def method(self):
        return Gate(name, (self,))

    method.__name__, method.__doc__ = name, elementary.TABLE[name].words
    return method


for _name in elementary.TABLE.keys() - {"power", "sqrt"}:
    setattr(Gate, _name, _method(_name))


def inputs(names):
    """Input gates with these names: `a, b = inputs("a b")`."""
    names = names.split() if isinstance(names, str) else check_texts(names, "names")
    return [Gate("input", (), name) for name in names]


def input_array(name, shape):
    """A numpy array of input gates, for code that is written for arrays."""
    shape = [check_number_of(length, "a length in shape") for length in check_list(shape, "shape")]
    if (count := math.prod(shape)) > MOST_GATES:
        raise ValueError(f"there can be {MOST_GATES:,} gates, not {count:,}")
    gates = np.empty(shape, dtype=object)
    for index in np.ndindex(*shape):
        gates[index] = Gate("input", (), f"{name}{list(index)}")
    return gates


def _as_gate(value):
    if isinstance(value, Gate):
        return value
    if not isinstance(value, numbers.Number):
        raise TypeError(f"a gate combines with gates and numbers, not with {type(value).__name__}")
    if not abs(value) < math.inf:
        raise ValueError(f"a constant of a circuit must be finite, not {value!r}")
    return Gate("constant", (), value.item() if isinstance(value, np.generic) else value)


class Circuit:
    """All gates that one output depends on, in an order in which they can be evaluated.

    inputs: the input gates in the order in which values are given; default: all that the output
    depends on, as they were created. Raises ValueError if one that is needed is missing.
    """

    def __init__(self, output, inputs=None):
        self.output = _as_gate(output)
        self.gates = _in_order(self.output)
        found = [gate for gate in self.gates if gate.operation == "input"]
        if inputs is None:
            inputs = sorted(found, key=lambda gate: gate.number)
        self.inputs = check_list(inputs, "inputs")
        for gate in self.inputs:
            if not isinstance(gate, Gate) or gate.operation != "input":
                raise TypeError(f"inputs must be input gates, not {gate!r}")
        if len(set(self.inputs)) < len(self.inputs):
            raise ValueError("an input gate is listed twice")
        missing = set(found) - set(self.inputs)
        if missing:
            names = ", ".join(sorted(str(gate.detail) for gate in missing))
            raise ValueError(f"the output depends on inputs that are not listed: {names}")
        self._slot = {gate: slot for slot, gate in enumerate(self.gates)}
        slots = self._slot
        self._program = [
            (gate.operation, [slots[source] for source in gate.sources], gate.detail)
            for gate in self.gates
        ]

    def __repr__(self):
        return f"Circuit({len(self.inputs)} inputs, {len(self.gates)} gates)"

    def values(self, *values):
        """The value of every gate, in the order of `self.gates`."""
        if len(values) != len(self.inputs):
            names = " ".join(str(gate.detail) for gate in self.inputs[:8])
            raise ValueError(
                f"this circuit has {len(self.inputs)} inputs ({names}), not {len(values)}"
            )
        if wrong := [value for value in values if isinstance(value, NO_RING)]:
            raise TypeError(f"inputs must be numbers, arrays or jets, not {brief(wrong[0])}")
        try:
            return self._evaluated(dict(zip(self.inputs, values, strict=True)))
        except UNFIT as error:
            raise in_words(error, "this circuit", values) from error

    def _evaluated(self, given):
        result = []
        for (operation, sources, detail), gate in zip(self._program, self.gates, strict=True):
            if operation == "multiply":
                value = result[sources[0]] * result[sources[1]]
            elif operation == "add":
                value = result[sources[0]] + result[sources[1]]
            elif operation == "input":
                value = given[gate]
            elif operation == "constant":
                value = detail
            else:
                arguments = () if detail is None else (detail,)
                value = getattr(elementary, operation)(result[sources[0]], *arguments)
            result.append(value)
        return result

    def __call__(self, *values):
        """The output for these input values, all from one ring."""
        return self.values(*values)[-1]

    def gradient(self, *values):
        """The derivative of the output by every input, in the order of `self.inputs`."""
        return self.value_and_gradient(*values)[1]

    def value_and_gradient(self, *values):
        """The output and its derivatives, by one evaluation and one reverse sweep."""
        results = self.values(*values)
        try:
            sensitivities = self._sweep(results)
        except UNFIT as error:
            raise in_words(error, "the gradient of this circuit", values) from error
        slots = (self._slot.get(gate) for gate in self.inputs)
        found = [None if slot is None else sensitivities[slot] for slot in slots]
        return results[-1], [0 if g is None else g for g in found]

    def _sweep(self, values):
        """Derivative of the output by every gate (None where it does not depend on it)."""
        sensitivities = [None] * len(values)
        sensitivities[-1] = 1
        for slot in range(len(values) - 1, -1, -1):
            g, (operation, sources, _) = sensitivities[slot], self._program[slot]
            if g is None or not sources:
                continue
            for source, local in zip(sources, self._local(slot, values), strict=True):
                contribution = g if operation == "add" else g * local
                known = sensitivities[source]
                sensitivities[source] = contribution if known is None else known + contribution
        return sensitivities

    def local_derivatives(self, slot, values):
        """The derivative of gate number `slot` by each gate it reads, given all values."""
        (slot,), values = check_indices([slot], len(self.gates)), check_list(values, "values")
        if len(values) != len(self.gates):
            raise ValueError(f"give the values of all {len(self.gates)} gates, not {len(values)}")
        try:
            return self._local(slot, values)
        except UNFIT as error:
            raise in_words(error, "the gradient of this circuit", values) from error

    def _local(self, slot, values):
        operation, sources, detail = self._program[slot]
        if operation == "add":
            return (1, 1)
        if operation == "multiply":
            return values[sources[1]], values[sources[0]]
        arguments = () if detail is None else (detail,)
        derivative = elementary.TABLE[operation].derivative
        return [derivative(values[slot], values[sources[0]], *arguments)]

    def count(self):
        """How many gates of each kind there are: a Counter."""
        return collections.Counter(gate.operation for gate in self.gates)

    def draw(self, *values, derivatives=False):
        """A figure of the circuit, inputs at the left, the output at the right.

        values: optional input values, shown at every gate as they are computed.
        derivatives: also show the local derivative on every wire.
        """
        from . import diagrams  # matplotlib loads when something is drawn

        return diagrams.circuit(self, values, derivatives)


def _in_order(output):
    """The gates that `output` depends on, every gate after its sources (without recursion)."""
    order, seen, stack = [], set(), [(output, False)]
    while stack:
        gate, ready = stack.pop()
        if ready:
            order.append(gate)
        elif gate not in seen:
            seen.add(gate)
            stack.append((gate, True))
            stack.extend((source, False) for source in reversed(gate.sources))
    return order
