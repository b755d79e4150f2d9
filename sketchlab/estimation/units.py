"""Deletion units: the groups of documents that are deleted together.

Units are a partition of the documents, or the documents themselves with named groups above them
(nested units): a sketch over nested units answers for single documents and for groups.
"""

import unicodedata

import numpy as np

from ..arguments import check_list, takes
from ..checks import brief, check_count, check_indices, real_array
from . import labels

LARGEST = 1e6  # of a down-weight: powers of larger ones would leave the range of numbers


class Units:
    """The units of n documents, each with one down-weight.

    groups: None (every document is its own unit), one label per document (equal labels form a
    unit; see `labels` for what can be one), or a list of lists of document numbers: every document
    must be in exactly one unit. (Tuples, if there is one for each document, are labels.)
    Or a dict from names to lists of document numbers: nested units. Every document is then a unit,
    and a name deletes its documents; groups may overlap and need not cover all documents. Names,
    as labels, are kept in their composed form (NFC).
    names: what the units are called when they are deleted: document numbers, labels in sorted order
    (of kinds that cannot be sorted, in order of appearance), or positions in the list.
    of_document: the number of each document's unit, shape (n,). sizes: documents per unit, shape
    (units,). nested: members by name of a nested group.
    """

    @takes(n=check_count)
    def __init__(self, groups, n):
        self.labelled, self.nested = False, {}
        if isinstance(groups, dict):
            self._nest(groups, n)
            groups = None
        if groups is None:
            self.of_document, self.names = np.arange(n), list(range(n))
            return
        if isinstance(groups, (str, bytes)):
            raise TypeError(
                f"units must be a list with one label for each of the {n} documents, or a column "
                f"such as table['region'], not {brief(groups)}: a string is no list of labels"
            )
        groups = check_list(groups, "units, if not None,")
        lists = (list, set, range, np.ndarray)
        tuples = lists if len(groups) == n and all(type(g) is tuple for g in groups) else tuple
        if groups and all(isinstance(group, (*lists, tuples)) for group in groups):
            self.of_document, self.names = _from_lists(groups, n), list(range(len(groups)))
            return
        if len(groups) != n:
            raise ValueError(
                f"units must be None, one label for each of the {n} documents, or a list of lists "
                f"of document numbers; there are {len(groups)} labels"
            )
        self._label([labels.label(group) for group in groups])

    def _label(self, kept):
        self.labelled, self.names = True, list(dict.fromkeys(kept))
        kinds = dict(zip(self.names, map(labels.identity, self.names), strict=True))
        for value in kept:
            if labels.identity(value) != kinds[value]:
                raise ValueError(
                    f"the labels {value!r} and {kinds[value][1]!r} are equal but of two kinds: "
                    "make all labels of one kind"
                )
        try:
            self.names.sort()
        except TypeError:
            pass  # kinds that cannot be compared stay in order of appearance
        place = {name: number for number, name in enumerate(self.names)}
        self.of_document = np.array([place[value] for value in kept])

    def record(self):
        """The units as JSON values, for `from_record`."""
        return {
            "of_document": self.of_document.tolist(),
            "names": [labels.encoded(name) for name in self.names],
            "labelled": self.labelled,
            "nested": {name: members.tolist() for name, members in self.nested.items()},
        }

    @classmethod
    def from_record(cls, record):
        """The units that `record` describes."""
        units = object.__new__(cls)
        try:
            units.of_document = np.array(record["of_document"])
            units.names = [labels.decoded(name) for name in record["names"]]
            units.labelled = record["labelled"]
            units.nested = {
                labels.label(name): np.array(members) for name, members in record["nested"].items()
            }
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            raise ValueError(f"this is no record of units ({error}): {brief(record)}") from error
        return units

    def _nest(self, groups, n):
        for name, members in groups.items():
            if not isinstance(name, str):
                raise TypeError(f"nested units are named by strings, not {name!r}")
            name = unicodedata.normalize("NFC", name)
            if name in self.nested:
                raise ValueError(f"two nested units are named {name!r}: rename one")
            self.nested[name] = check_indices(check_list(members, f"unit {name!r}"), n)
            if len(self.nested[name]) == 0:
                raise ValueError(f"unit {name!r} is empty: every unit needs at least one document")
        if not groups:
            raise ValueError("there are no nested units: give None for documents alone")

    @property
    def sizes(self):
        """Number of documents of every unit, shape (units,)."""
        return np.bincount(self.of_document, minlength=len(self))

    def __len__(self):
        return len(self.names)

    def down_weights(self, without=None, down_weights=None):
        """The down-weights of the units, (units,), of a deletion by names or by weights.

        without: units by number or label, or a list of such lists for several deletions.
        down_weights: one real number per unit, (units,), or (points, units) for several. Several
        give an array of shape (points, units).
        """
        if (without is None) == (down_weights is None):
            raise ValueError("give either without= or down_weights=")
        if down_weights is not None:
            try:
                x = real_array(down_weights, "down_weights")
                said = f"an array of shape {x.shape}"
            except (TypeError, ValueError) as error:
                x, said = np.empty(()), f"these: {error}"
            if x.ndim not in (1, 2) or x.shape[-1] != len(self):
                raise ValueError(
                    f"down_weights must be {len(self)} finite real numbers, one per unit, or rows "
                    f"of them, not {said}; to delete units by name or number give without="
                )
            if x.size and np.max(np.abs(x)) > LARGEST:
                raise ValueError(
                    f"down_weights must lie within {LARGEST:g} (0 keeps, 1 deletes), not at "
                    f"{x.flat[np.argmax(np.abs(x))]:g}"
                )
            return x.copy()
        if isinstance(without, np.ndarray) and without.ndim == 0:
            without = without.item()
        if _several(without):
            rows = [self.down_weights(one) for one in without]
            if any(row.ndim != 1 for row in rows):
                raise ValueError("several deletions are a list of lists of units, not deeper")
            return np.array(rows)
        x = np.zeros(len(self))
        if self.nested:
            return self._nested_deletion(without)
        if self.labelled:
            without = self._numbers(without)
        x[check_indices(without, len(self))] = 1.0
        return x

    def rows(self, without=None, down_weights=None):
        """The same of one deletion or more, (points, units); ValueError for none."""
        x = np.atleast_2d(self.down_weights(without, down_weights))
        if not len(x):
            raise ValueError("there are no deletions: give one row of down-weights or more")
        return x

    def _numbers(self, without):
        """Numbers of the units with these labels; what is a label itself is one, not a list."""
        places = {labels.identity(name): number for number, name in enumerate(self.names)}

        def place(value):
            try:
                return places.get(labels.identity(labels.label(value)))
            except (TypeError, ValueError):
                return None

        alone = isinstance(without, (str, bytes)) or not hasattr(without, "__iter__")
        if alone or (isinstance(without, tuple) and place(without) is not None):
            without = [without]
        numbers = [(value, place(value)) for value in without]
        for value, number in numbers:
            if number is None:
                raise IndexError(
                    f"there is no unit {value!r}: the units are {labels.listed(self.names)}"
                )
        return [number for _, number in numbers]

    def _nested_deletion(self, without):
        """Down-weights that delete groups, by name, and documents, by number; overlaps are one."""
        x = np.zeros(len(self))
        alone = isinstance(without, (str, int, np.integer))
        parts = [without] if alone else check_list(without, "without")
        names = [unicodedata.normalize("NFC", part) for part in parts if isinstance(part, str)]
        for name in names:
            if name not in self.nested:
                raise IndexError(
                    f"there is no unit {name!r}: the units are the documents, by number, and "
                    + labels.listed(list(self.nested))
                )
            x[self.nested[name]] = 1.0
        x[check_indices([part for part in parts if not isinstance(part, str)], len(self))] = 1.0
        return x


def _several(without):
    """Whether this is a list of deletions, each a list or the like, and not of units."""
    return (
        isinstance(without, (list, tuple, np.ndarray))
        and len(without) > 0
        and all(isinstance(one, (list, set, range, np.ndarray)) for one in without)
    )


def _from_lists(groups, n):
    of_document = np.full(n, -1)
    for number, group in enumerate(groups):
        members = check_indices(list(group), n)
        if len(members) == 0:
            raise ValueError(f"unit {number} is empty: every unit needs at least one document")
        taken = members[of_document[members] >= 0]
        if len(taken):
            raise ValueError(
                f"units {of_document[taken[0]]} and {number} overlap: both have document {taken[0]}"
            )
        of_document[members] = number
    missing = np.flatnonzero(of_document < 0)
    if len(missing):
        raise ValueError(
            f"{len(missing)} documents are in no unit, the first is {missing[0]}: "
            "every document must be in exactly one"
        )
    return of_document
