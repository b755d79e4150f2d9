"""Deletion units: the groups of documents that are deleted together."""

import numpy as np

from .training import check_indices


class Units:
    """A partition of n documents into units, each with one down-weight.

    groups: None (every document is its own unit), one label per document (equal labels form a
    unit), or a list of lists of document numbers. Every document must be in exactly one unit.
    names: what the units are called when they are deleted: document numbers, labels in sorted
    order, or positions in the list. of_document: the number of each document's unit, shape (n,).
    """

    def __init__(self, groups, n):
        self.labelled = False
        if groups is None:
            self.of_document, self.names = np.arange(n), list(range(n))
            return
        groups = list(groups)
        if groups and all(
            isinstance(group, (list, tuple, set, range, np.ndarray)) for group in groups
        ):
            self.of_document, self.names = _from_lists(groups, n), list(range(len(groups)))
            return
        if len(groups) != n:
            raise ValueError(
                f"units must be None, one label for each of the {n} documents, or a list of lists "
                f"of document numbers; there are {len(groups)} labels"
            )
        self.labelled = True
        self.names = sorted(set(groups))
        place = {name: number for number, name in enumerate(self.names)}
        self.of_document = np.array([place[label] for label in groups])

    def __len__(self):
        return len(self.names)

    def down_weights(self, without=None, down_weights=None):
        """The down-weights of the units, shape (units,), of a deletion by names or by weights."""
        if (without is None) == (down_weights is None):
            raise ValueError("give either without= or down_weights=")
        if down_weights is not None:
            x = np.asarray(down_weights)
            if x.shape != (len(self),) or x.dtype.kind not in "iufb" or not np.all(np.isfinite(x)):
                raise ValueError(
                    f"down_weights must be {len(self)} finite real numbers, one per unit; "
                    f"got shape {x.shape}"
                )
            return x.astype(float)
        x = np.zeros(len(self))
        if self.labelled:
            without = [without] if isinstance(without, str) else list(without)
            unknown = [name for name in without if name not in self.names]
            if unknown:
                raise IndexError(
                    f"there is no unit {unknown[0]!r}: the units are "
                    + ", ".join(map(str, self.names))
                )
            without = [self.names.index(name) for name in without]
        x[check_indices(without, len(self))] = 1.0
        return x


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
