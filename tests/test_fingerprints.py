"""Fingerprints: what data are, not how they are printed."""

import dataclasses
import datetime
import fractions
import itertools
import subprocess
import sys

import numpy as np
import pytest

import sketchlab as sl
from sketchlab import ring
from sketchlab.training.fingerprints import digest


@dataclasses.dataclass(frozen=True)
class Point:
    """A small dataclass."""

    x: float
    y: float


class Plain:
    """An ordinary class."""

    def __init__(self, value):
        self.value = value


GRID = np.arange(12.0).reshape(3, 4)
ALIKE = {
    "a view with gaps": (GRID[:, ::2], GRID[:, ::2].copy()),
    "columns first": (GRID, np.asfortranarray(GRID)),
    "reversed": (GRID[::-1], GRID[::-1].copy()),
    "big-endian": (GRID, GRID.astype(">f8")),
    "big-endian text": (np.array(["ab", "c"]), np.array(["ab", "c"], ">U2")),
    "objects": (np.array([1, "a", None], object), np.array([1, "a", None, 2], object)[:3]),
    "list and tuple": ([1, (2, "a")], (1, [2, "a"])),
    "dicts in any order": ({"a": 1, "b": [2]}, {"b": [2], "a": 1}),
    "sets": ({"a", "b", "c"}, {"c", "b", "a"}),
    "dataclasses": (Point(1.0, 2.0), Point(1.0, 2.0)),
    "objects of a class": (Plain([1.0]), Plain([1.0])),
    "dates": (datetime.date(2020, 1, 2), datetime.date.fromisoformat("2020-01-02")),
    "fractions": (fractions.Fraction(2, 4), fractions.Fraction(1, 2)),
    "fields": (
        np.array([(1, 2.0)], [("a", "i1"), ("b", "f8")]),
        np.array([(1, 2.0)], np.dtype([("a", "i1"), ("b", "f8")], align=True)),
    ),
}
LONG = np.zeros(5000)
DIFFERENT = [
    *(LONG, np.where(np.arange(5000) == 2500, 1e-9, LONG), LONG.reshape(50, 100)),
    *(LONG.astype(np.float32), LONG.astype(int), LONG.tolist(), LONG.astype(object)),
    *([LONG], [LONG, LONG], [[LONG], LONG], [LONG[:-1], LONG[-1:]]),
    *(1, 1.0, True, "1", b"1", 1 + 0j, np.float64(1), np.array([1.0]), fractions.Fraction(1)),
    *(0.0, -0.0, 1.0 + 2**-52, None, "None", [], {}, set(), "", b"", np.zeros((0, 3)), np.zeros(0)),
    *(["ab", "c"], ["a", "bc"], ["abc"], [["a"], "bc"], ["a, b"], ["a", "b"], "zoé", "zoe\u0301"),
    *({"a": 1, "b": 2}, {"a": 2, "b": 1}, {"a": {"b": 1}}, {1: "a"}, [("a", 1), ("b", 2)]),
    *(Point(1.0, 2.0), Point(2.0, 1.0), Plain(1.0), Plain(2.0)),
    *(datetime.date(2020, 1, 2), datetime.date(2020, 2, 1), datetime.datetime(2020, 1, 2)),
    *(np.datetime64("2020-01-02"), np.datetime64("2020-01-02", "s")),
    *(np.ma.array([1.0, 2.0], mask=[True, False]), np.ma.array([1.0, 2.0]), np.array([1.0, 2.0])),
]


@pytest.mark.parametrize("case", ALIKE)
def test_alike(case):
    """Layout, byte order and the order of keys do not count."""
    assert digest(ALIKE[case][0]) == digest(ALIKE[case][1])


def test_different():
    """No two of many values that look alike have the same sum."""
    sums = [digest(value) for value in DIFFERENT]
    for (i, first), (j, second) in itertools.combinations(enumerate(sums), 2):
        assert first != second, (DIFFERENT[i], DIFFERENT[j])


def test_the_sum_does_not_depend_on_printing_or_the_process():
    """Other print options; another process, with another seed for its hashes."""
    value = [{"b": GRID / 3, "a": {"x", "y", "z"}}, np.array([GRID[0] / 3, "a"], object)]
    with np.printoptions(precision=2, threshold=3):
        assert digest(value) == digest([{"a": {"z", "y", "x"}, "b": GRID / 3}, value[1]])
    code = "from sketchlab.training.fingerprints import digest; print(digest({'a', 'b', 'c'}))"
    for seed in ("1", "2"):
        out = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert out.stdout.strip() == digest({"a", "b", "c"})


def test_what_cannot_be_told_apart_is_refused():
    """In words: generators, and lists that hold themselves."""
    with pytest.raises(TypeError, match="examples with a generator cannot be told apart: use"):
        digest([(i for i in range(3))])
    endless = []
    endless.append(endless)
    with pytest.raises(TypeError, match="list that holds itself"):
        digest(endless)


def losses(parameters, examples):
    """Squared distance of w from the first entry of each example."""
    first = np.array([np.ravel(example)[0] for example in examples])
    return (parameters["w"][..., None] - first) ** 2


def run_of(data, start=0.0):
    """A run of one step."""
    return sl.TrainingRun(sl.Model({"w": start}, losses), data, steps=1, progress=False)


def test_fingerprints_of_runs():
    """Truncated arrays and print options; a range and its list are the same data."""
    other = LONG.copy()
    other[2500] = 1.0
    long = [run_of([array, array]).fingerprint() for array in (LONG, other)]
    assert long[0]["data"] != long[1]["data"]
    with np.printoptions(precision=1):
        assert run_of([LONG, LONG]).fingerprint() == long[0]
        fine = [run_of([np.array([value])]).fingerprint() for value in (0.51, 0.52)]
    assert fine[0]["data"] != fine[1]["data"]
    assert run_of(range(5)).fingerprint() == run_of([0, 1, 2, 3, 4]).fingerprint()
    assert run_of(GRID[:, ::2]).fingerprint() == run_of(GRID[:, ::2].copy()).fingerprint()
    assert run_of([1.0]).fingerprint()["start"] != run_of([1.0], 1e-12).fingerprint()["start"]


def test_fingerprints_of_initial_parameters_tell_names_and_shapes():
    """The same numbers in the same order, cut differently."""

    def total(parameters, examples):
        flat = sum(ring.sum(p, -1) for p in parameters.values())
        return flat[..., None] * np.ones(len(examples))

    starts = [
        {"a": np.ones(2), "b": np.ones(1)},
        {"a": np.ones(1), "b": np.ones(2)},
        {"ab": np.ones(3)},
    ]
    sums = {
        sl.TrainingRun(sl.Model(start, total), [1.0], progress=False).fingerprint()["start"]
        for start in starts
    }
    assert len(sums) == 3
