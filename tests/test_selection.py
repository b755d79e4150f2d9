"""What is deleted: patterns against a plain search, undo, whole units."""

import re

import numpy as np
import pytest

from sketchlab.estimation.units import Units
from sketchlab.widgets.selection import Selection, visible

NAMES = ["max", "maria", "xavier", "alex", "jo", "emma"]


def selection(groups=None):
    """A selection of NAMES over some units."""
    return Selection(NAMES, Units(groups, len(NAMES)))


@pytest.mark.parametrize(
    "kind, text, expected",
    [
        ("contains", "x", ["max", "xavier", "alex"]),
        ("contains", "", []),
        ("contains", "  ", []),
        ("contains", "q", []),
        ("contains", ".", []),
        ("starts with", "ma", ["max", "maria"]),
        ("ends with", "a", ["maria", "emma"]),
        ("regular expression", "^.a.$", ["max"]),
        ("regular expression", "(m)a?\\1", ["emma"]),
        ("length", "2", ["jo"]),
        ("length", " 3 - 4 ", ["max", "alex", "emma"]),
        ("length", "<4", ["max", "jo"]),
        ("length", "<=4", ["max", "alex", "jo", "emma"]),
        ("length", ">5", ["xavier"]),
        ("length", ">=5", ["maria", "xavier"]),
    ],
)
def test_patterns(kind, text, expected):
    """Each kind of pattern finds the names that a person would."""
    chosen = selection()
    chosen.choose(chosen.matching(kind, text))
    assert chosen.names == expected
    assert len(chosen) == len(expected)


@pytest.mark.parametrize(
    "kind, text, message",
    [
        ("regular expression", "[a", "'[a' is not a regular expression"),
        ("regular expression", "*", "not a regular expression"),
        ("length", "abc", "not a length: give a number such as 5"),
        ("length", "-3", "not a length"),
        ("length", "9" * 6000, "not a length"),
        ("length", "4-3", "no length lies between 4 and 3: write 3-4"),
        ("sounds like", "x", "the kind of pattern must be one of contains"),
    ],
)
def test_wrong_patterns_are_refused_in_words(kind, text, message):
    """And what was chosen stays."""
    chosen = selection()
    chosen.choose(chosen.matching("contains", "x"))
    with pytest.raises(ValueError, match=re.escape(message)):
        chosen.choose(chosen.matching(kind, text))
    assert chosen.names == ["max", "xavier", "alex"]


def test_spaces_are_letters():
    """Documents may have them, so a pattern may look for them."""
    words = ["a b", "ab", "b "]
    chosen = Selection(words, Units(None, 3))
    for kind, text, expected in (
        ("contains", " ", ["a b", "b "]),
        ("ends with", " ", ["b "]),
        ("starts with", "a ", ["a b"]),
        ("regular expression", " $", ["b "]),
        ("length", " ", []),
    ):
        chosen.choose(chosen.matching(kind, text))
        assert chosen.names == expected, (kind, text)


def test_documents_can_be_told_apart_where_they_are_listed():
    """Spaces between names are not spaces in them."""
    documents = ["ab", "a b", " ab", "ab\n", "it's", "名字", "a\x01", 3]
    expected = ["ab", "'a b'", "' ab'", "'ab\\n'", "it's", "名字", "'a\\x01'", "3"]
    assert [visible(document) for document in documents] == expected


def test_modes_and_undo():
    """Replace, add and remove are set operations; undo goes back through them."""
    chosen = selection()
    chosen.choose(chosen.matching("contains", "x"))
    chosen.choose(chosen.matching("starts with", "m"), "add")
    chosen.choose(chosen.matching("ends with", "x"), "remove")
    assert chosen.names == ["maria", "xavier"]
    chosen.choose(chosen.matching("contains", "j"))
    assert chosen.names == ["jo"]
    chosen.choose(chosen.matching("contains", "j"), "add")  # changes nothing: no step
    for expected in (
        ["maria", "xavier"],
        ["max", "maria", "xavier", "alex"],
        ["max", "xavier", "alex"],
        [],
        [],
    ):
        chosen.undo()
        assert chosen.names == expected
    with pytest.raises(ValueError, match="the mode must be one of replace, add, remove"):
        chosen.choose(chosen.mask, "toggle")


def test_down_weights_of_units():
    """A deletion has one down-weight per unit, and only whole units can be chosen."""
    by_first = selection([name[0] for name in NAMES])
    by_first.choose(by_first.matching("starts with", "m"))
    units = by_first.units
    assert dict(zip(units.names, by_first.down_weights.tolist(), strict=True)) == {
        **dict.fromkeys(units.names, 0.0),
        "m": 1.0,
    }
    with pytest.raises(ValueError, match="1 of the 2 documents of unit 'm' would go"):
        by_first.choose(by_first.matching("contains", "max"))
    assert by_first.names == ["max", "maria"]
    assert by_first.groups["m"].tolist() == [True, True, False, False, False, False]


def test_nested_groups_overlap():
    """Named groups above single names: any name may be chosen, groups may share names."""
    nested = selection({"m": [0, 1], "x": [0, 2, 3]})
    nested.choose(nested.groups["x"])
    nested.choose(nested.groups["m"], "add")
    assert nested.names == ["max", "maria", "xavier", "alex"]
    np.testing.assert_array_equal(nested.down_weights, [1, 1, 1, 1, 0, 0])
    nested.choose_units([0, 0, 0, 0, 1, 0])
    assert nested.names == ["jo"]
    assert list(selection().groups) == ["a", "e", "j", "m", "x"]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda s: s.choose([1, 2]), ValueError, "a choice is 6 booleans, one per document"),
        (lambda s: s.choose("x"), ValueError, "a choice is 6 booleans"),
        (lambda s: s.choose_units(np.ones(3)), ValueError, "down_weights must be 6 finite real"),
        (lambda s: s.choose_units(["x"]), ValueError, "down_weights must be 6 finite real"),
        (lambda s: s.matching("contains", 3), TypeError, "a pattern must be a string, not 3"),
    ],
)
def test_wrong_choices(call, error, message):
    """Each is named, and nothing is chosen."""
    chosen = selection()
    with pytest.raises(error, match=message):
        call(chosen)
    assert len(chosen) == 0


def test_a_copy_does_not_follow():
    """Nor does the original follow its copy."""
    chosen = selection()
    chosen.choose(chosen.matching("contains", "x"))
    other = chosen.copy()
    chosen.undo()
    other.choose(other.matching("contains", "j"), "add")
    assert chosen.names == []
    assert other.names == ["max", "xavier", "alex", "jo"]
    other.undo()
    assert other.names == ["max", "xavier", "alex"]
