"""Deletion units: three ways to group documents, and what is said about wrong groups."""

import numpy as np
import pytest

from sketchlab.estimation.units import Units

LABELS = ["b", "a", "b", "c", "a", "b"]  # of six documents

GROUPINGS = {  # groups, names, unit of every document
    "none": (None, [0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5]),
    "labels": (LABELS, ["a", "b", "c"], [1, 0, 1, 2, 0, 1]),
    "string of labels": ("babcab", ["a", "b", "c"], [1, 0, 1, 2, 0, 1]),
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
    "wrong shape": (LABELS, {"down_weights": [[0.0] * 3]}, ValueError, r"shape \(1, 3\)"),
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
