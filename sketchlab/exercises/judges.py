"""Judges of functions that readers write: cases and laws, to which the package's own are held too.

A judge has a name and a list of parts: a part is the name of a function and a generator of
(arguments as text, what the function gave, what it should have given, a hint).
"""

import numpy as np

from ..algebra import circuits, ring
from ..algebra.jet import Jet
from ..checks import check_choice

JETS = [[0.5, 1.0, -2.0, 0.3], [2.0, 0.0, 1.0, 0.0], [1.5, -1.0, 0.25, 4.0], [0.7]]


def _multiply(multiply):
    for a in JETS[:3]:
        for b in JETS[:3]:
            wanted = np.polynomial.polynomial.polymul(a, b)[: len(a)]
            hint = "the coefficient of z^k collects all a[i] * b[k - i]"
            yield f"{a}, {b}", multiply(list(a), list(b)), wanted, hint
    yield "[3], [4]", multiply([3.0], [4.0]), [12.0], "degree 0 is a plain number"


def _exp(exp):
    yield "[0, 1, 0, 0]", exp([0.0, 1.0, 0.0, 0.0]), [1, 1, 1 / 2, 1 / 6], "k y[k] = sum of i ..."
    for a in JETS:
        hint = "y[0] is the exponential of a number; then k y[k] sums i a[i] y[k - i] from i = 1"
        yield f"{a}", exp(list(a)), _along(np.exp, a), hint


def _log(log):
    yield "[1, 1, 0, 0]", log([1.0, 1.0, 0.0, 0.0]), [0, 1, -1 / 2, 1 / 3], "y' a = a'"
    for a in JETS:
        hint = "k a[0] y[k] = k a[k] less the sum of i y[i] a[k - i] over i from 1 to k - 1"
        yield f"{a}", log(list(a)), _along(np.log, a), hint


def _along(function, a):
    """Taylor coefficients of z -> function(a(z)), by Cauchy's formula: no jets in it."""
    circle = 0.1 * np.exp(2j * np.pi * np.arange(64) / 64)
    values = function(np.polynomial.polynomial.polyval(circle, a))
    return (np.fft.fft(values)[: len(a)] / 64).real / 0.1 ** np.arange(len(a))


FORMULAS = {  # over numbers, gates and jets; a and b
    "a + b": lambda a, b: a + b,
    "a * b": lambda a, b: a * b,
    "a * a + 3": lambda a, b: a * a + 3.0,
    "(a * b + 1) * exp(a)": lambda a, b: (a * b + 1.0) * ring.exp(a),
    "log(a) / b": lambda a, b: ring.log(a) / b,
    "(a * b) * (a * b)": lambda a, b: (lambda product: product * product)(a * b),
}
AT = (0.5, 2.0)


class Unaided(circuits.Circuit):
    """A circuit whose gates can be looked at, and which computes no derivatives."""

    def value_and_gradient(self, *_):
        """Refused, and with it `gradient`."""
        raise RuntimeError("the circuit's own derivatives are what is to be written")

    local_derivatives = value_and_gradient


class Silent(Unaided):
    """A circuit that computes nothing."""

    def values(self, *_):
        """Refused, and with it `circuit(...)`."""
        raise RuntimeError("the circuit's own values are what is to be written")


def _circuit(kind, formula):
    gates = circuits.inputs("a b")
    return kind(formula(*gates), gates)


def _evaluate(evaluate):
    for text, formula in FORMULAS.items():
        hint = "look a gate's sources up in what was computed before; the last gate is the output"
        got = evaluate(_circuit(Silent, formula), *AT)
        yield f"circuit of {text}, 0.5, 2.0", got, formula(*AT), hint


def _differentiate(differentiate):
    for text, formula in FORMULAS.items():
        hint = "add up what arrives by all wires, and walk from the output back to the inputs"
        jets = [Jet.line(AT, e, 1) for e in np.eye(2)]
        wanted = [formula(jet[0], jet[1]).coefficients[1] for jet in jets]
        got = differentiate(_circuit(Unaided, formula), *AT)
        yield f"circuit of {text}, 0.5, 2.0", got, wanted, hint


JUDGES = {
    "circuits": {"evaluate": _evaluate, "differentiate": _differentiate},
    "jets": {"multiply": _multiply, "exp": _exp, "log": _log},
}


def judge(name, functions):
    """Print, for each function, whether it is right on all its cases, or the first where it is not.

    name: "circuits" or "jets". functions: a function, or a list or tuple of them, each under the
    name that it has in `JUDGES[name]`; None: nothing was written yet.
    """
    print(verdict_on(name, functions))


def verdict_on(name, functions):
    """The text of `judge`; its last line is "Right." if every function is there and right."""
    parts, given = JUDGES[check_choice(name, JUDGES, "name")], {}
    if functions is None:
        return "Write the functions in the cell above, then run both cells."
    for function in functions if isinstance(functions, (list, tuple)) else [functions]:
        given[getattr(function, "__name__", "")] = function
    lines = [_on(part, given.get(part), cases) for part, cases in parts.items()]
    if all(line.endswith("cases.") for line in lines):
        lines.append("Right.")
    return "\n".join(lines)


def _on(name, function, cases):
    """One line on one function, whatever it does."""
    if not callable(function):
        return f"{name}: there is no function of this name in what was given."
    count, produced = 0, cases(function)
    while True:
        try:
            arguments, got, wanted, hint = next(produced)
        except StopIteration:
            return f"{name}: right on {count} cases."
        except Exception as error:  # of the reader's function: a sentence instead of a traceback
            return f"{name}: it stops with {type(error).__name__}: {str(error)[:200]}"
        if got is None:
            return f"{name}: it returns nothing yet."
        if not _equal(got, wanted):
            return (
                f"{name}: not yet. {name}({arguments}) should be {_text(wanted)}, "
                f"not {_text(got)}. A hint: {hint}."
            )
        count += 1


def _equal(got, wanted):
    try:
        got = np.asarray(got, float)
        return got.shape == np.shape(wanted) and np.allclose(got, wanted, rtol=1e-8, atol=1e-10)
    except Exception:
        return False


def _text(value):
    try:
        return str(np.round(np.asarray(value, float), 4).tolist())
    except Exception:
        return f"a value of type {type(value).__name__}"
