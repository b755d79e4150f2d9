"""Deletion units: three ways to group documents, and what is said about wrong groups."""

import datetime
import fractions
import json

import numpy as np
import pytest

from sketchlab.estimation.units import Units

LABELS = ["b", "a", "b", "c", "a", "b"]  # of six documents

GROUPINGS = {  # groups, names, unit of every document
    "none": (None, [0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5]),
    "labels": (LABELS, ["a", "b", "c"], [1, 0, 1, 2, 0, 1]),
    "array of labels": (np.array(LABELS), ["a", "b", "c"], [1, 0, 1, 2, 0, 1]),
    "labels from a generator": ((label for label in LABELS), ["a", "b", "c"], [1, 0, 1, 2, 0, 1]),
    "number labels": ([30, 10, 30, 20, 10, 30], [10, 20, 30], [2, 0, 2, 1, 0, 2]),
    "lists": ([[4, 1], [0, 2, 5], [3]], [0, 1, 2], [1, 0, 1, 2, 0, 1]),
    "mixed containers": (
        [range(2), (2,), {3, 5}, np.array([4])],
        [0, 1, 2, 3],
        [0, 0, 1, 2, 3, 2],
    ),
    "one unit": ([range(6)], [0], [0] * 6),
}


@pytest.mark.parametrize("case", GROUPINGS)
def test_groupings(case):
    """Names and the unit of every document, for all the ways of writing a partition."""
    groups, names, of_document = GROUPINGS[case]
    units = Units(groups, 6)
    assert units.names == names and len(units) == len(names)
    np.testing.assert_array_equal(units.of_document, of_document)


WRONG_GROUPS = {
    "overlap": ([[0, 1, 2], [3, 4, 2], [5]], ValueError, "units 0 and 1 overlap.*document 2"),
    "repeated in a unit": ([[0, 1, 1], [2, 3, 4, 5]], ValueError, "1 is repeated"),
    "empty unit": ([[0, 1, 2], [], [3, 4, 5]], ValueError, "unit 1 is empty"),
    "missing": ([[0, 1], [4, 5]], ValueError, "2 documents are in no unit, the first is 2"),
    "document out of range": ([[0, 1, 2, 3, 4, 5, 6]], IndexError, "6 is out of range"),
    "negative document": ([[-1, 0, 1, 2, 3, 4]], IndexError, "-1 is out of range"),
    "not a number": ([["x"], [0, 1, 2, 3, 4, 5]], TypeError, "must be integers.*not 'x'"),
    "too few labels": (["a", "b"], ValueError, "6 documents.*there are 2 labels"),
    "too many labels": (list("abcabca"), ValueError, "6 documents.*there are 7 labels"),
    "no groups": ([], ValueError, "6 documents.*there are 0 labels"),
    "a string": ("region", TypeError, "not 'region': a string is no list of labels"),
    "bytes": (b"region", TypeError, "not b'region': a string is no list of labels"),
    "one name twice": (
        {"S\u00fcd": [0], "Su\u0308d": [1]},
        ValueError,
        "two nested units are named",
    ),
}


@pytest.mark.parametrize("case", WRONG_GROUPS)
def test_wrong_groups_are_refused(case):
    """The message names the unit or document at fault."""
    groups, error, message = WRONG_GROUPS[case]
    with pytest.raises(error, match=message):
        Units(groups, 6)


DELETIONS = {  # groups, without, down-weights
    "document": (None, [4], [0, 0, 0, 0, 1, 0]),
    "documents": (None, [5, 0], [1, 0, 0, 0, 0, 1]),
    "array": (None, np.array([2, 3]), [0, 0, 1, 1, 0, 0]),
    "single number": (None, 3, [0, 0, 0, 1, 0, 0]),
    "nothing": (None, [], [0] * 6),
    "label": (LABELS, ["b"], [0, 1, 0]),
    "bare label": (LABELS, "c", [0, 0, 1]),
    "long bare label": (["north", "south"] * 3, "south", [0, 1]),
    "labels": (LABELS, ["c", "a"], [1, 0, 1]),
    "tuple of labels": (LABELS, ("a",), [1, 0, 0]),
    "no label": (LABELS, [], [0, 0, 0]),
    "list number": ([[4, 1], [0, 2, 5], [3]], [1], [0, 1, 0]),
    "number label": ([30, 10, 30, 20, 10, 30], [30], [0, 0, 1]),
}


@pytest.mark.parametrize("case", DELETIONS)
def test_deletions(case):
    """Names of units become the down-weight 1, everything else 0."""
    groups, without, expected = DELETIONS[case]
    x = Units(groups, 6).down_weights(without)
    assert x.dtype == float
    np.testing.assert_array_equal(x, expected)


@pytest.mark.parametrize("weights", [[0.5, -1, 0], (1, 0, 2), np.array([True, False, True])])
def test_down_weights_are_taken_as_they_are(weights):
    """Any finite real numbers, one per unit; the caller's array is not shared."""
    x = Units(LABELS, 6).down_weights(down_weights=weights)
    np.testing.assert_array_equal(x, np.asarray(weights, float))
    assert x.dtype == float
    given = np.zeros(3)
    Units(LABELS, 6).down_weights(down_weights=given)[:] = 1
    np.testing.assert_array_equal(given, 0)


WRONG_DELETIONS = {  # groups, arguments, error, message
    "neither": (LABELS, {}, ValueError, "either without= or down_weights="),
    "both": (LABELS, {"without": ["a"], "down_weights": [0, 0, 0]}, ValueError, "either without="),
    "unknown label": (LABELS, {"without": ["a", "z"]}, IndexError, "no unit 'z'.*are a, b, c"),
    "unknown bare label": (LABELS, {"without": "ab"}, IndexError, "no unit 'ab'"),
    "number for a label": (LABELS, {"without": [0]}, IndexError, "no unit 0"),
    "repeated label": (LABELS, {"without": ["a", "a"]}, ValueError, "repeated"),
    "out of range": (None, {"without": [6]}, IndexError, "6 is out of range"),
    "negative": (None, {"without": [-1]}, IndexError, "-1 is out of range"),
    "repeated": (None, {"without": [2, 2]}, ValueError, "2 is repeated"),
    "list out of range": ([range(3), range(3, 6)], {"without": [2]}, IndexError, "2 is out of"),
    "fraction": (None, {"without": [1.5]}, TypeError, "integers.*not 1.5"),
    "boolean": (None, {"without": [True]}, TypeError, "integers.*not True"),
    "label without labels": (None, {"without": ["a"]}, TypeError, "integers.*not 'a'"),
    "wrong length": (LABELS, {"down_weights": [0.0] * 6}, ValueError, "3 finite real.*per unit"),
    "wrong shape": (LABELS, {"down_weights": [[0.0] * 4]}, ValueError, r"shape \(1, 4\)"),
    "three axes": (LABELS, {"down_weights": [[[0.0] * 3]]}, ValueError, r"shape \(1, 1, 3\)"),
    "nan in a row": (LABELS, {"down_weights": [[0, 0, 0], [0, np.nan, 0]]}, ValueError, "finite"),
    "unknown in a list": (LABELS, {"without": [["a"], ["z"]]}, IndexError, "no unit 'z'"),
    "mixed list": (None, {"without": [[1], 2]}, TypeError, "must be integers"),
    "scalar": (LABELS, {"down_weights": 1.0}, ValueError, "3 finite real"),
    "nan": (LABELS, {"down_weights": [0, np.nan, 0]}, ValueError, "finite real"),
    "infinite": (LABELS, {"down_weights": [0, np.inf, 0]}, ValueError, "finite real"),
    "complex": (LABELS, {"down_weights": [0, 1j, 0]}, ValueError, "finite real"),
    "strings": (LABELS, {"down_weights": ["0", "1", "0"]}, ValueError, "finite real"),
}


@pytest.mark.parametrize("case", WRONG_DELETIONS)
def test_wrong_deletions_are_refused(case):
    """The message names what is wrong and what is allowed."""
    groups, arguments, error, message = WRONG_DELETIONS[case]
    with pytest.raises(error, match=message):
        Units(groups, 6).down_weights(**arguments)


def test_units_of_the_first_letters_of_names():
    """Units by label expand to the documents with that label, whatever their order."""
    names = ["emma", "ava", "ella", "mia", "amy"]
    units = Units([name[0] for name in names], len(names))
    expanded = units.down_weights(["a", "m"])[units.of_document]
    assert [n for n, x in zip(names, expanded, strict=True) if x] == ["ava", "mia", "amy"]


# ---- nested units ----------------------------------------------------------------------------


def test_nested_units_delete_groups_and_documents():
    """Names delete their documents, numbers single ones; what is in two of them counts once."""
    units = Units({"ab": [0, 1], "bc": [1, 2]}, 5)
    assert len(units) == 5 and units.names == list(range(5))
    np.testing.assert_array_equal(units.down_weights("ab"), [1, 1, 0, 0, 0])
    np.testing.assert_array_equal(units.down_weights(["ab", "bc", 4]), [1, 1, 1, 0, 1])
    np.testing.assert_array_equal(units.down_weights([3]), [0, 0, 0, 1, 0])
    np.testing.assert_array_equal(units.sizes, np.ones(5))


def test_names_that_look_the_same_are_the_same():
    """Of groups as of labels, and of what is deleted: one character, or a letter and its accent."""
    composed, apart = "S\u00fcd", "Su\u0308d"
    for made in ({composed: [1]}, {apart: [1]}, [composed, apart, "Ost"], [apart, apart, "Ost"]):
        units = Units(made, 3)
        again = Units.from_record(json.loads(json.dumps(units.record())))
        for one in (units, again):
            expected = one.down_weights(composed)
            assert expected.sum() == 1
            for without in (apart, [apart], [composed, apart] if one.nested else [apart]):
                np.testing.assert_array_equal(one.down_weights(without), expected)


@pytest.mark.parametrize(
    "groups, error, message",
    [
        ({}, ValueError, "no nested units"),
        ({"a": []}, ValueError, "unit 'a' is empty"),
        ({"a": [5]}, IndexError, "5 is out of range"),
        ({3: [0]}, TypeError, "named by strings, not 3"),
    ],
)
def test_wrong_nested_units_are_refused(groups, error, message):
    """The message names the group."""
    with pytest.raises(error, match=message):
        Units(groups, 5)


def test_unknown_nested_units_are_refused():
    """The message lists the groups."""
    with pytest.raises(IndexError, match=r"no unit 'z'.* by number, and ab"):
        Units({"ab": [0, 1]}, 5).down_weights(["z"])


# ---- several deletions -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "groups, several",
    [(LABELS, [["a"], [], ["c", "b"]]), (None, [[0], {5, 1}, range(2), np.array([3])])],
)
def test_several_deletions_are_rows(groups, several):
    """A list of lists gives one row for each; rows of down-weights stay as they are."""
    units = Units(groups, 6)
    rows = units.down_weights(several)
    np.testing.assert_array_equal(rows, [units.down_weights(list(one)) for one in several])
    np.testing.assert_array_equal(units.down_weights(None, rows), rows)


# ---- labels ----------------------------------------------------------------------------------

DAY, NOON = datetime.date(2024, 2, 29), datetime.datetime(2024, 2, 29, 12, 0, 0, 5)
UTC = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
HALF, THIRD = fractions.Fraction(1, 2), fractions.Fraction(1, 3)
KINDS = {  # labels of six documents, and what they are kept as
    "text": (list("bababa"), ["a", "b"]),
    "integers": ([3, -1, 3, 3, -1, 3], [-1, 3]),
    "integers of numpy": (np.array([3, -1, 3, 3, -1, 3], "i4"), [-1, 3]),
    "floats": ([0.1, 2.5, 0.1, 0.1, 2.5, 0.1], [0.1, 2.5]),
    "floats of numpy": (np.array([0.1, 2.5] * 3, "f4"), [float(np.float32(0.1)), 2.5]),
    "infinite": ([np.inf, 1.0] * 3, [1.0, np.inf]),
    "truth values": ([True, False] * 3, [False, True]),
    "truth values of numpy": (np.array([True, False] * 3), [False, True]),
    "bytes": ([b"\xff", b"a"] * 3, [b"a", b"\xff"]),
    "dates": ([DAY, datetime.date(1999, 1, 1)] * 3, [datetime.date(1999, 1, 1), DAY]),
    "times": ([NOON, datetime.datetime(1999, 1, 1)] * 3, [datetime.datetime(1999, 1, 1), NOON]),
    "time zones": ([UTC, UTC.replace(year=2025)] * 3, [UTC, UTC.replace(year=2025)]),
    "dates of numpy": (np.array(["2024-02-29", "1999-01-01"] * 3, "M8[D]"), None),
    "times of numpy": (np.array(["2024-02-29T12", "1999-01-01T00"] * 3, "M8[ns]"), None),
    "fractions": ([HALF, THIRD] * 3, [THIRD, HALF]),
    "tuples": ([("x", 2), ("x", 1)] * 3, [("x", 1), ("x", 2)]),
    "nested tuples": ([("x", (DAY,)), ("a", (DAY,))] * 3, [("a", (DAY,)), ("x", (DAY,))]),
    "kinds that do not compare": (["x", 3, ("x",), 3, "x", 3], ["x", 3, ("x",)]),
}


@pytest.mark.parametrize("case", KINDS)
def test_labels_are_kept_as_what_they_are(case):
    """The same types in memory as from JSON; one label alone is a deletion, like a list of one."""
    given, names = KINDS[case]
    units = Units(given, 6)
    again = Units.from_record(json.loads(json.dumps(units.record())))
    for found in (units, again):
        if names is not None:
            assert found.names == names and list(map(type, found.names)) == list(map(type, names))
        np.testing.assert_array_equal(found.of_document, units.of_document)
        np.testing.assert_array_equal(found.sizes, units.sizes)
        for label, unit in zip(given, found.of_document, strict=True):
            for without in (label, [label], {label}, [found.names[unit]]):
                x = found.down_weights(without)
                np.testing.assert_array_equal(np.flatnonzero(x), [unit])


@pytest.mark.parametrize("groups", [None, [[4, 1], [0, 2, 5], [3]], {"ab": [0, 1], "b": [1]}])
def test_other_units_come_back_from_their_record(groups):
    """Documents, lists and nested groups."""
    units = Units(groups, 6)
    again = Units.from_record(json.loads(json.dumps(units.record())))
    assert again.names == units.names and again.labelled is units.labelled
    np.testing.assert_array_equal(again.of_document, units.of_document)
    assert list(again.nested) == list(units.nested)
    for name, members in units.nested.items():
        np.testing.assert_array_equal(again.nested[name], members)


WRONG_LABELS = {
    "nan": ([np.nan, "a", "b", "c", "d", "e"], ValueError, "nan marks a missing label"),
    "nan of numpy": (np.array([1, 2, np.nan, 4, 5, 6]), ValueError, "marks a missing label"),
    "no time": (np.array(["2024-01-01", "NaT"] * 3, "M8[D]"), ValueError, "missing label"),
    "none": (["a", None, "b", "c", "d", "e"], ValueError, "None marks a missing label.*'unknown'"),
    "nan in a tuple": ([("x", np.nan)] * 6, ValueError, "missing label"),
    "two kinds": ([1, True, 2, 3, 4, 5], ValueError, "True and 1 are equal but of two kinds"),
    "whole floats": ([1, 1.0, 2, 3, 4, 5], ValueError, "1.0 and 1 are equal but of two kinds"),
    "kinds in tuples": ([("a", 1), ("a", True)] * 3, ValueError, "of two kinds"),
    "complex": ([1j, 2j] * 3, TypeError, "a label must be text.*not complex"),
    "an object": ([object()] * 6, TypeError, "a label must be text.*not object"),
    "nanoseconds": (np.array([1, 2] * 3, "M8[ns]"), TypeError, "exact to a microsecond"),
}


@pytest.mark.parametrize("case", WRONG_LABELS)
def test_wrong_labels_are_refused(case):
    """Before they become one unit, or many, by accident."""
    groups, error, message = WRONG_LABELS[case]
    with pytest.raises(error, match=message):
        Units(groups, 6)


def test_a_label_is_not_one_that_python_calls_equal():
    """True is not the label 1, and an unknown label of many is told with the first ones only."""
    units = Units([0, 1, 2], 3)
    for wrong in (True, 1.0, "1", [True], [[1]]):
        if wrong != [[1]]:
            with pytest.raises(IndexError, match="there is no unit"):
                units.down_weights(wrong)
    np.testing.assert_array_equal(units.down_weights([[1]]), [[0, 1, 0]])
    many = Units(range(1000), 1000)
    with pytest.raises(IndexError, match=r"8, 9, \.\.\. \(1000 in all\)"):
        many.down_weights([-1])
