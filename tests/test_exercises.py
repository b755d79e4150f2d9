"""What is said of answers to exercises: right ones, known mistakes, and whatever else is typed."""

import datetime
import decimal
import fractions

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell

from sketchlab import Circuit, Jet, exercises, ring
from sketchlab.exercises import checking, judges


class Hostile:
    """Every way to look at it fails."""

    def __array__(self, *_, **__):
        raise RuntimeError("no")

    __eq__ = __float__ = __len__ = __repr__ = __str__ = __array__
    __hash__ = None


TYPED = [
    "",
    "0.018",
    "b",
    True,
    1e400,
    float("nan"),
    10**400,
    1j,
    [],
    [1, 2, 3],
    [[1], [1, 2]],
    [None, 1],
    {},
    {"a": 1},
    set(),
    range(4),
    np.zeros((2, 3)),
    np.full(3, np.nan),
    np.array("a"),
    np.array([object()]),
    np.ma.masked,
    Jet([1.0, 2.0]),
    Hostile(),
    [Hostile()],
    object(),
    print,
    lambda a, b: a,
    Ellipsis,
    b"x",
    datetime.date(2026, 1, 1),
    np.datetime64("2026-01-01"),
]


@pytest.mark.parametrize("question", exercises.QUESTIONS)
def test_nothing_that_is_typed_raises_or_is_right(question):
    for answer in TYPED:
        said = exercises.verdict(question, answer)
        assert isinstance(said, str) and said
        assert not said.startswith("Right.") or exercises.QUESTIONS[question]["right"] in ("b",)


@pytest.mark.parametrize("question", exercises.QUESTIONS)
def test_what_is_right_is_right_and_every_hint_is_for_a_mistake(question):
    entry = exercises.QUESTIONS[question]
    assert exercises.verdict(question, None) == checking.EMPTY
    assert exercises.verdict(question, entry["right"]).startswith("Right.")
    assert entry["wrong"].strip()
    for hint in entry.get("hints", ()):
        assert exercises.verdict(question, hint["at"]) == f"Not yet: {hint['say']}"
    unknown = {"right", "within", "any_order", "hints", "wrong", "after"}
    assert set(entry) <= unknown


@pytest.fixture
def asked(monkeypatch):
    """Questions of every kind."""
    questions = {
        "number": {"right": 2.5, "wrong": "look again", "hints": [{"at": 7.0, "say": "seven"}]},
        "count": {"right": 176, "wrong": "count again", "after": "Well counted."},
        "pair": {"right": [3, 8], "any_order": True, "wrong": "another pair"},
        "list": {"right": [0.5, 1.5, 2.5, 3.5], "wrong": "entry by entry"},
        "choice": {"right": "b", "wrong": "a, b or c", "hints": [{"at": "a", "say": "not a"}]},
    }
    monkeypatch.setattr(checking, "QUESTIONS", questions)


@pytest.mark.parametrize(
    ("question", "answer", "said"),
    [
        ("number", 2.5, "Right."),
        ("number", [2.5], "Right."),
        ("number", np.float32(2.501), "Right."),
        ("number", fractions.Fraction(5, 2), "Right."),
        ("number", decimal.Decimal("2.5"), "Right."),
        ("number", 2.5 + 0j, "Right."),
        ("number", 7, "Not yet: seven"),
        ("number", 2.6, "Nearly: within 5%"),
        ("number", -2.5, "Nearly: the size is right, the sign is not."),
        ("number", 0.0, "Not yet: look again"),
        ("number", 2.5 + 1j, "A real number"),
        ("number", "2.5", "One number is asked for, without quotes; this is text."),
        ("number", [1.0, 2.5], "One number is asked for; this has the shape (2,)."),
        ("count", 176.0, "Right. Well counted."),
        ("count", 175, "Nearly: at most one away. count again"),
        ("count", 176.1, "Nearly: at most one away."),
        ("count", 88, "Not yet: count again"),
        ("pair", (8, 3), "Right."),
        ("pair", {3, 8}, "Right."),
        ("pair", (3, 9), "Not yet: another pair"),
        ("pair", 3, "A list of 2 numbers is asked for; this has the shape ()."),
        ("list", [0.5, 1.5, 2.5, 0.0], "Nearly: most of the numbers are right."),
        ("list", [3.5, 2.5, 1.5, 0.5], "Not yet: entry by entry"),
        ("choice", " B ", "Right."),
        ("choice", "a", "Not yet: not a"),
        ("choice", "d", "Not yet: a, b or c"),
        ("choice", 2, "A string in quotes is asked for; this is a value of type int."),
    ],
)
def test_the_verdict_fits_the_answer(asked, capsys, question, answer, said):
    assert exercises.verdict(question, answer).startswith(said)
    exercises.check(question, answer)
    assert capsys.readouterr().out.startswith(said)


def test_a_question_that_does_not_exist_is_an_error():
    with pytest.raises(KeyError, match=r"99\.9"):
        exercises.verdict("99.9", 1)


# ---- functions that readers write ------------------------------------------------------------


def multiply(a, b):
    return (Jet(a) * Jet(b)).coefficients


def exp(a):
    return ring.exp(Jet(a)).coefficients


def log(a):
    return ring.log(Jet(a)).coefficients


def evaluate(circuit, *values):
    return Circuit(circuit.output, circuit.inputs)(*values)


def differentiate(circuit, *values):
    return Circuit(circuit.output, circuit.inputs).gradient(*values)


OURS = {"jets": [multiply, exp, log], "circuits": [evaluate, differentiate]}


@pytest.mark.parametrize("name", exercises.JUDGES)
def test_the_package_passes_its_own_judges(name, capsys):
    assert judges.verdict_on(name, OURS[name]).endswith("\nRight.")
    exercises.judge(name, OURS[name])
    assert capsys.readouterr().out.count("right on") == len(exercises.JUDGES[name])


def renamed(name, function):
    function.__name__ = name
    return function


WRONG = {
    "multiply": lambda a, b: [x * y for x, y in zip(a, b, strict=True)],
    "exp": lambda a: np.exp(a),
    "log": lambda a: np.log(np.abs(a) + 1.0),
    "evaluate": lambda circuit, *values: values[0],
    "differentiate": lambda circuit, *values: [1.0] * len(values),
}


@pytest.mark.parametrize("name", exercises.JUDGES)
def test_every_function_is_judged_by_itself(name):
    """One wrong, empty, missing or broken function is told, and the others stay right."""
    for place, ours in enumerate(OURS[name]):
        broken = {
            "not yet": WRONG[ours.__name__],
            "returns nothing": lambda *_: None,
            "ZeroDivisionError": lambda *_: 1 / 0,
            "not yet.": lambda *_: "text",
        }
        for said, function in broken.items():
            given = [*OURS[name]]
            given[place] = renamed(ours.__name__, function)
            text = judges.verdict_on(name, given)
            assert said in text and "Right." not in text
            assert text.count("right on") == len(given) - 1
        assert "no function of this name" in judges.verdict_on(name, OURS[name][:place])


def test_an_answer_of_before_an_error_is_not_checked(capsys):
    """An old answer is not that of the cell that has just stopped."""
    shell = InteractiveShell.instance()
    try:
        for cell in ("from sketchlab import exercises", "answer = [21, 2**20]"):
            shell.run_cell(cell)
        shell.run_cell("exercises.check('01.1', answer)")
        assert "Right." in capsys.readouterr().out
        shell.run_cell("answer = 1 / 0")
        capsys.readouterr()
        for expected in ("stopped with an error", "Right."):  # then it is checked as it is
            shell.run_cell("exercises.check('01.1', answer)")
            assert expected in capsys.readouterr().out
    finally:
        InteractiveShell.clear_instance()


@pytest.mark.parametrize("name", exercises.JUDGES)
def test_a_judge_takes_whatever_is_typed(name):
    assert judges.verdict_on(name, None).startswith("Write the functions")
    for given in TYPED:
        assert "Right." not in judges.verdict_on(name, given)


@pytest.mark.parametrize(
    "name, ask",
    [
        ("evaluate", lambda circuit, *values: circuit(*values)),
        ("evaluate", lambda circuit, *values: circuit.values(*values)[-1]),
        ("differentiate", lambda circuit, *values: circuit.gradient(*values)),
        ("differentiate", lambda circuit, *values: circuit.value_and_gradient(*values)[1]),
        ("differentiate", lambda circuit, *_: circuit.local_derivatives(0, [])),
    ],
)
def test_a_circuit_that_is_asked_does_not_answer(name, ask):
    """What is to be written cannot be had from the circuit of a judge."""
    text = judges.verdict_on("circuits", [renamed(name, ask)])
    assert f"{name}: it stops with RuntimeError" in text and "to be written" in text


def test_a_sweep_that_counts_one_path_only_is_found():
    """A gate with two readers: what arrives by both wires adds up."""

    def differentiate(circuit, *values):
        circuit = Circuit(circuit.output, circuit.inputs)
        results, found = circuit.values(*values), {circuit.output: 1.0}
        for slot in reversed(range(len(circuit.gates))):
            gate = circuit.gates[slot]
            if gate.sources:
                local = circuit.local_derivatives(slot, results)
                products = [found[gate] * derivative for derivative in local]
                found.update(zip(gate.sources, products, strict=True))
        return [found.get(gate, 0.0) for gate in circuit.inputs]

    a, b = judges.circuits.inputs("a b")
    assert differentiate(Circuit(a * b), 2.0, 3.0) == [3.0, 2.0]
    assert "differentiate: not yet" in judges.verdict_on("circuits", [evaluate, differentiate])
