"""Circuits over several rings against plain evaluation, difference quotients and ring_grad."""

import itertools
import operator
from fractions import Fraction

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from sketchlab import Circuit, Jet, ring, ring_grad
from sketchlab.algebra.circuits import Gate, input_array, inputs

# Formulas in three variables, written once for gates, numbers and jets.
POLYNOMIALS = {
    "sum": lambda a, b, c: a + b + c,
    "product": lambda a, b, c: a * b * c,
    "with constants": lambda a, b, c: 3 + a * 2 + b + 1 * c,
    "integer powers": lambda a, b, c: a**3 + b**2 * c**1 + c**0,
    "difference": lambda a, b, c: 5 - a - b * -c - (-b - 2),
    "negative power": lambda a, b, c: a**-2 * b + c**-1,
    "quotient": lambda a, b, c: a / b + 1 / (c * c) + (a + b) / c,
    "shared": lambda a, b, c: (a * b + c) * (a * b + c) + (a * b + c),
    "without b": lambda a, b, c: a * c + a,
}
FORMULAS = {
    **POLYNOMIALS,
    "exp": lambda a, b, c: ring.exp(a * b) + c,
    "log": lambda a, b, c: ring.log(a * a + b * b) * c,
    "gelu": lambda a, b, c: ring.gelu(a + b) * ring.gelu(c),
    "softplus": lambda a, b, c: ring.softplus(a * b) * ring.sigmoid(c) + ring.relu(b - c),
    "normal": lambda a, b, c: ring.normal_cdf(a) * ring.normal_pdf(b) + ring.erf(c) * ring.tanh(a),
    "sqrt": lambda a, b, c: ring.sqrt(a * a + b * b + c * c),
    "real powers": lambda a, b, c: (a * a) ** 0.5 + (b * b + 1.0) ** -1.5 * c**2.0,
    "everything": lambda a, b, c: (
        ring.exp(-a / 4.0) * ring.gelu(b - c) + ring.log(1.0 + a * a) / (2.0 - b) ** 2
    ),
}
POINT = (0.7, -1.3, 1.9)


def build(formula):
    """The circuit of a formula in a, b and c, all three listed as inputs."""
    gates = inputs("a b c")
    return Circuit(formula(*gates), inputs=gates)


def jets(degree, dtype=float):
    rng = np.random.default_rng(0)
    tails = rng.normal(size=(3, degree)) + (
        1j * rng.normal(size=(3, degree)) if dtype is complex else 0
    )
    return [Jet([head, *tail]) for head, tail in zip(POINT, tails, strict=True)]


# ---- evaluation ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        POINT,
        (0.7 + 0.2j, -1.3j, 1.9),
        tuple(np.float64(x) for x in POINT),
        (2, -3, 5),
        tuple(np.linspace(0.5, 1.5, 4) * x for x in POINT),
    ],
    ids=["float", "complex", "numpy float", "int", "array"],
)
@pytest.mark.parametrize("name", FORMULAS)
def test_a_circuit_has_the_value_of_its_formula(name, values):
    with np.errstate(invalid="ignore"):  # roots of negative numbers
        wanted = FORMULAS[name](*values)
        np.testing.assert_allclose(build(FORMULAS[name])(*values), wanted, rtol=1e-14)


RATIONAL_POINT = Fraction(2, 3), Fraction(-5, 7), Fraction(11, 4)


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_the_value_at_fractions_is_an_exact_fraction(name):
    value = build(POLYNOMIALS[name])(*RATIONAL_POINT)
    assert isinstance(value, Fraction)
    assert value == POLYNOMIALS[name](*RATIONAL_POINT)


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("name", FORMULAS)
def test_jets_compose_with_a_circuit(name, dtype):
    values = jets(4, dtype)
    circuit = build(FORMULAS[name])
    result = circuit(*values)
    np.testing.assert_allclose(
        result.coefficients, FORMULAS[name](*values).coefficients, rtol=1e-13, atol=1e-13
    )
    on_circle = 0.01 * np.exp(2j * np.pi * np.arange(8) / 8)
    wanted = np.fft.fft(circuit(*(v(on_circle) for v in values)))[:3] / 8
    np.testing.assert_allclose(
        result.coefficients[:3], wanted / 0.01 ** np.arange(3), rtol=1e-8, atol=1e-9
    )


@pytest.mark.parametrize(
    "two", [2, 2.0, 2 + 0j, Fraction(2), np.uint8(2), np.int32(2), np.float32(2.0)], ids=repr
)
def test_numbers_of_every_type_are_constants(two):
    (a,) = inputs("a")
    values = [
        Circuit(g)(3.0) for g in (a + two, two + a, a - two, two - a, a * two, a / two, two / a)
    ]
    assert values == [5, 5, 1, -1, 6, 1.5, 2 / 3]


def test_values_are_listed_in_the_order_of_the_gates():
    a, b = inputs("a b")
    circuit = Circuit((a + b) * a)
    values = dict(zip(circuit.gates, circuit.values(2.0, 3.0), strict=True))
    assert (values[a], values[b], values[circuit.output]) == (2.0, 3.0, 10.0)
    assert circuit.gates[-1] is circuit.output
    for slot, gate in enumerate(circuit.gates):
        assert all(source in circuit.gates[:slot] for source in gate.sources)


def test_inputs_are_in_the_order_of_their_creation_or_as_listed():
    a, b, c = inputs(["a", "b", "c"])
    assert Circuit(c - a).inputs == [a, c]
    assert Circuit(c - a)(1.0, 5.0) == 4.0
    assert Circuit(c - a, inputs=[c, b, a])(5.0, 77.0, 1.0) == 4.0
    assert Circuit(c - a, inputs=[c, b, a]).gradient(5.0, 77.0, 1.0) == [1.0, 0.0, -1.0]


def test_an_output_may_be_an_input_or_a_number():
    (a,) = inputs("a")
    assert Circuit(a)(3.0) == 3.0 and Circuit(a).gradient(3.0) == [1.0]
    assert Circuit(7.0)() == 7.0 and Circuit(7.0).gradient() == []


# ---- gradients -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMULAS)
def test_gradients_are_difference_quotients(name):
    circuit, h = build(FORMULAS[name]), 1e-5
    value, gradient = circuit.value_and_gradient(*POINT)
    assert value == circuit(*POINT) and gradient == circuit.gradient(*POINT)
    for i, derivative in enumerate(gradient):
        ahead, behind = (circuit(*(x + t * (i == j) for j, x in enumerate(POINT))) for t in (h, -h))
        assert derivative == pytest.approx((ahead - behind) / (2 * h), rel=1e-8, abs=1e-9)


@pytest.mark.parametrize(
    "values", [POINT, (0.7 + 0.2j, -1.3 - 0.1j, 1.9 + 1j), jets(0), jets(3), jets(3, complex)]
)
@pytest.mark.parametrize("name", FORMULAS)
def test_gradients_are_those_of_arrays(name, values):
    """The reverse sweep over the gates gives what ring_grad gives, in every ring."""
    found = build(FORMULAS[name]).gradient(*values)
    wanted = ring_grad(lambda p: FORMULAS[name](*p))(list(values))
    degree = getattr(values[0], "degree", 0)
    for pair in zip(found, wanted, strict=True):
        pair = (g if isinstance(g, Jet) else Jet.constant(g, degree) for g in pair)
        np.testing.assert_allclose(*(g.coefficients for g in pair), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_the_gradient_at_fractions_is_exact(name):
    """Each derivative is a fraction (or an integer) and equals that along a jet's line."""
    for i, derivative in enumerate(build(POLYNOMIALS[name]).gradient(*RATIONAL_POINT)):
        assert isinstance(derivative, (Fraction, int))
        line = [Jet.line(float(x), float(i == j), 1) for j, x in enumerate(RATIONAL_POINT)]
        wanted = POLYNOMIALS[name](*line).coefficients[1]
        assert float(derivative) == pytest.approx(wanted, rel=1e-13)


@pytest.mark.parametrize("exponent", [0, 1, 2])
def test_the_derivative_of_a_power_at_zero(exponent):
    (a,) = inputs("a")
    assert Circuit(a**exponent).gradient(0.0) == [1.0 if exponent == 1 else 0.0]


def test_derivatives_add_up_over_every_path():
    (a,) = inputs("a")
    output = a
    for _ in range(20):
        output = output + output  # 2^20 paths through 20 gates
    assert Circuit(output).count() == {"add": 20, "input": 1}
    assert Circuit(output).value_and_gradient(1.0) == (2.0**20, [2.0**20])


def test_a_chain_of_100000_gates_needs_no_recursion():
    a, b = inputs("a b")
    output = a
    for _ in range(50_000):
        output = output * b + a
    circuit = Circuit(output)
    assert circuit.count() == {"add": 50_000, "multiply": 50_000, "input": 2}
    value, gradient = circuit.value_and_gradient(1.0, 0.5)
    assert value == pytest.approx(2.0)  # the geometric series a / (1 - b)
    assert gradient == pytest.approx([2.0, 4.0])


# ---- structure -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "formula, count",
    [
        (lambda a, b: a + b, {"add": 1, "input": 2}),
        (lambda a, b: a - b, {"add": 1, "multiply": 1, "constant": 1, "input": 2}),
        (lambda a, b: a / b, {"multiply": 1, "power": 1, "input": 2}),
        (lambda a, b: a / 4.0, {"multiply": 1, "constant": 1, "input": 1}),
        (lambda a, b: a - 1.0, {"add": 1, "constant": 1, "input": 1}),
        (lambda a, b: a.sqrt() + b**3, {"add": 1, "power": 2, "input": 2}),
        (
            lambda a, b: a.exp() * b.log() + a.gelu(),
            {"exp": 1, "log": 1, "gelu": 1, "add": 1, "multiply": 1, "input": 2},
        ),
    ],
)
def test_gates_are_counted_by_kind(formula, count):
    assert Circuit(formula(*inputs("a b"))).count() == count


def test_a_shared_subexpression_is_counted_and_computed_once():
    calls = []

    class Number(float):
        def __mul__(self, other):
            calls.append("multiply")
            return Number(float(self) * float(other))

        def __add__(self, other):
            calls.append("add")
            return Number(float(self) + float(other))

    a, b = inputs("a b")
    shared = a * b
    circuit = Circuit((shared + shared) * shared)
    assert circuit.count() == {"input": 2, "multiply": 2, "add": 1}
    assert circuit(Number(2.0), Number(3.0)) == 72.0
    assert sorted(calls) == ["add", "multiply", "multiply"]
    assert Circuit(shared)(2.0, 3.0) == 6.0  # a gate may belong to several circuits


def test_gates_show_what_they_are():
    a, b = inputs("a b")
    shown = [repr(gate) for gate in (a, a + b, a**2, Gate("constant", (), 1.5))]
    assert shown == ["Gate(input a)", "Gate(add)", "Gate(power 2)", "Gate(constant 1.5)"]


A, B = inputs("a b")


@pytest.mark.parametrize(
    "case, error, message",
    [
        (lambda: Circuit(A * B, inputs=[A]), ValueError, "inputs that are not listed: b"),
        (lambda: Circuit(A * B, inputs=[]), ValueError, "inputs that are not listed: a, b"),
        (lambda: Circuit(A * B)(1.0), ValueError, r"this circuit has 2 inputs \(.*\), not 1"),
        (lambda: Circuit(A * B).gradient(1.0, 2.0, 3.0), ValueError, r"has 2 inputs \(.*\), not 3"),
        (lambda: Circuit(A).values(), ValueError, r"this circuit has 1 inputs \(.*\), not 0"),
        (lambda: Circuit("a"), TypeError, "not with str"),
        *(
            (
                lambda f=f, other=other: f(A, other),
                TypeError,
                "combines with (gates|jets) and numbers",
            )
            for f in (
                operator.add,
                operator.sub,
                operator.mul,
                lambda a, other: other - a,
                lambda a, other: other / a,
            )
            for other in ("a", None, {}, Jet([1.0, 2.0]))
        ),
        (lambda: A / "a", TypeError, "str"),
        (lambda: A**B, TypeError, "the exponent must be a fixed real number, not Gate"),
        (lambda: A**1j, TypeError, "the exponent must be a fixed real number, not 1j"),
        (lambda: A ** Jet([1.0]), TypeError, "the exponent must be a fixed real number"),
        (lambda: 2.0**A, TypeError, "unsupported operand"),
        (lambda: A / 0, ZeroDivisionError, "division by zero"),
        *(
            (lambda f=f: Circuit(f(A))(Fraction(1, 2)), TypeError, "is not defined for Fraction")
            for f in (ring.exp, ring.gelu, ring.softplus)
        ),
    ],
)
def test_bad_input_is_refused_with_a_message(case, error, message):
    with pytest.raises(error, match=message):
        case()


# ---- arrays of gates -------------------------------------------------------------------------

MASK = np.array(
    [[True, False, True], [True, True, True], [False, False, True], [True, True, False]]
)

# Functions of x (4, 3) and w (2, 3) with array results, for arrays of numbers and of gates.
ARRAY_FUNCTIONS = {
    "numpy sum": lambda x, w: np.sum(x * w[0], axis=0),
    "numpy mean": lambda x, w: np.mean(x, axis=-1) * w[0, 0],
    "numpy matmul": lambda x, w: x @ w.T,
    "numpy functions": lambda x, w: (
        np.exp(x[:2] * w) + np.log(w * w + 1.0) - np.sqrt(w * w + x[2:] ** 2)
    ),
    "numpy power": lambda x, w: (x * x + 1.0) ** -0.5 + 2.0 / (w[1] * w[1] + 3.0),
    "scalar times array": lambda x, w: w[0, 0] * x,
    "array minus scalar": lambda x, w: (x - w[1, 2]) / w[0, 1],
    "scalar minus array": lambda x, w: w[0, 1] - x,
    "linear": ring.linear,
    "matmul": lambda x, w: ring.matmul(w, ring.swapaxes(x, 0, 1)),
    "matmul of vectors": lambda x, w: ring.reshape(ring.matmul(x[0], w[1]) * w, (3, 2)),
    "softmax": lambda x, w: ring.softmax(ring.linear(x, w)),
    "softmax of some": lambda x, w: ring.softmax(x * w[0], where=MASK),
    "logsumexp": lambda x, w: ring.logsumexp(ring.linear(x, w)),
    "gelu": lambda x, w: ring.gelu(x - w[1]),
    "rmsnorm": lambda x, w: ring.rmsnorm(x, 0.1) * w[0],
    "cross_entropy": lambda x, w: ring.cross_entropy(ring.linear(x, w), [0, 1, 1, 0]),
    "arithmetic": lambda x, w: ring.divide(
        ring.subtract(x, w[0]), ring.add(ring.multiply(x, x), 1.0)
    ),
    "unary functions": lambda x, w: (
        ring.exp(ring.negative(x)) + ring.sqrt(ring.power(w[0], 2) + 1.0)
    ),
    "sum and mean": lambda x, w: ring.sum(x, 0) * ring.mean(w, 0) + ring.sum(w, (0, 1)),
    "take": lambda x, w: ring.take(x, [1, 1, 3], 0) * ring.getitem(w, (1, [0, 0, 2])),
    "concatenate": lambda x, w: ring.concatenate([x, w * w, x[:1]], 0),
    "a small network": lambda x, w: ring.cross_entropy(
        ring.linear(ring.gelu(ring.linear(ring.rmsnorm(x, 1e-5), w)), ring.swapaxes(w, 0, 1)),
        [2, 0, 1, 1],
    ),
}


@pytest.mark.parametrize("name", ARRAY_FUNCTIONS)
def test_arrays_of_gates_agree_with_arrays_of_numbers(name):
    function, rng = ARRAY_FUNCTIONS[name], np.random.default_rng(1)
    x, w = rng.normal(size=(4, 3)), rng.normal(size=(2, 3))
    gates = input_array("x", (4, 3)), input_array("w", (2, 3))
    flat, values = [np.concatenate([np.ravel(part) for part in pair]) for pair in (gates, (x, w))]
    outputs, wanted = np.asarray(function(*gates)), np.asarray(function(x, w))
    assert outputs.shape == wanted.shape
    for output, number in zip(outputs.flat, wanted.flat, strict=True):
        assert Circuit(output, flat)(*values) == pytest.approx(number, rel=1e-12, abs=1e-12)
    weights = np.linspace(1.0, 2.0, wanted.size).reshape(wanted.shape)
    total = Circuit(np.sum(outputs * weights), flat)
    by_x, by_w = ring_grad(lambda p: ring.sum(function(*p) * weights))((x, w))
    np.testing.assert_allclose(
        total.gradient(*values), [*by_x.flat, *by_w.flat], rtol=1e-12, atol=1e-12
    )


def test_arrays_of_gates_may_be_given_jets():
    x = input_array("x", (3,))
    values = jets(3)
    found = [Circuit(p, x)(*values) for p in ring.softmax(x)]
    stacked = Jet(np.stack([v.coefficients for v in values], axis=-1))
    wanted = ring.softmax(stacked).coefficients
    np.testing.assert_allclose([p.coefficients for p in found], wanted.T, rtol=1e-12, atol=1e-12)


def test_input_arrays_name_their_entries():
    gates = input_array("w", (2, 3))
    assert gates.shape == (2, 3)
    assert [gate.detail for gate in gates.flat] == [
        f"w[{i}, {j}]" for i in range(2) for j in range(3)
    ]
    assert len(set(gates.flat)) == 6
    assert Circuit(gates.sum()).inputs == list(gates.flat)


# ---- figures ---------------------------------------------------------------------------------


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts if text.get_text()]


def test_a_drawing_shows_gates_values_and_derivatives():
    a, b, c = inputs("a b c")
    circuit = Circuit((a + b) * c)
    bare, with_values = circuit.draw(), circuit.draw(2.0, 3.5, 4.0)
    full = circuit.draw(2.0, 3.5, 4.0, derivatives=True)
    assert all(isinstance(figure, Figure) for figure in (bare, with_values, full))
    assert plt.get_fignums() == []
    labels, values, derivatives = (
        ["a", "b", "c", "+", "×"],
        ["2", "3.5", "4", "5.5", "22"],
        ["1", "1", "4", "5.5"],
    )
    assert sorted(texts(bare)) == sorted(labels)
    assert sorted(texts(with_values)) == sorted(labels + values)
    assert sorted(texts(full)) == sorted(labels + values + derivatives)


@pytest.mark.parametrize("name", FORMULAS)
def test_every_formula_can_be_drawn(name):
    circuit = build(FORMULAS[name])
    figure = circuit.draw(*POINT, derivatives=True)
    figure.canvas.draw()
    used = [gate for gate in circuit.gates if gate.operation == "input"]
    assert {gate.detail for gate in used} <= set(texts(figure))
    assert f"{circuit(*POINT):.4g}" in texts(figure)


@pytest.mark.parametrize(
    "value, shown",
    [
        (2, "12"),
        (0.5, "3"),
        (0.5j, "0+3j"),
        (Fraction(1, 3), "2"),
        (Fraction(1, 4), "3/2"),
        (np.float64(0.25), "1.5"),
        (Jet([0.5, 1.0, 2.0]), "3\n6 z ..."),
    ],
)
def test_values_of_every_ring_are_shown(value, shown):
    (a,) = inputs("a")
    assert shown in texts(Circuit(a * 6).draw(value, derivatives=True))


@pytest.mark.parametrize(
    "constant, shown", [(3, "3"), (0.5, "0.5"), (Fraction(1, 3), "1/3"), (1j, "0+1j")]
)
def test_constants_of_every_ring_are_shown(constant, shown):
    (a,) = inputs("a")
    assert shown in texts(Circuit(a * constant).draw())


def test_numbers_can_be_read_from_afar():
    """Text of 10 points or more, and no wire runs through a number."""
    a, b, c = inputs("a b c")
    drawn = Circuit((a * b + c) * c.exp()).draw(2.0, 3.5, 4.0, derivatives=True).axes[0].texts
    shown = [text for text in drawn if text.get_text()]
    assert len(shown) > 15 and min(text.get_fontsize() for text in shown) >= 10
    assert all(text.get_bbox_patch() is not None for text in shown)


def test_gates_are_drawn_apart_and_to_the_right_of_what_they_read():
    circuit = build(FORMULAS["everything"])
    drawn = [text for text in circuit.draw().axes[0].texts if text.get_bbox_patch() is not None]
    centres = [np.array(text.get_position()) for text in drawn]
    for one, other in itertools.combinations(centres, 2):
        assert np.max(np.abs(one - other)) >= 0.5
    place = dict(zip(circuit.gates, centres, strict=True))
    for gate in circuit.gates:
        assert all(place[source][0] < place[gate][0] for source in gate.sources)


def test_what_cannot_be_drawn_is_refused():
    a, b = inputs("a b")
    long = a
    for _ in range(78):
        long = long + b
    assert isinstance(Circuit(long).draw(), Figure)
    with pytest.raises(ValueError, match="this circuit has 81 gates; at most 80 can be drawn"):
        Circuit(long + a).draw()
    with pytest.raises(ValueError, match="give their values"):
        Circuit(a * b).draw(derivatives=True)
    with pytest.raises(ValueError, match=r"this circuit has 2 inputs \(.*\), not 1"):
        Circuit(a * b).draw(1.0)
