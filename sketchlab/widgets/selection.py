"""What is to be deleted: a set of documents, chosen in steps that can be undone."""

import copy
import re
import unicodedata

import numpy as np

from ..checks import brief
from ..patterns import matching

KINDS = ("contains", "starts with", "ends with", "regular expression", "length")
MODES = ("replace", "add", "remove")
STEPS_KEPT = 100
LENGTH = re.compile(r"\s*(?:(\d{1,4})\s*-\s*(\d{1,4})|(<=|>=|<|>|)\s*(\d{1,4}))\s*")


def visible(document):
    """A document as people can tell it from others: quoted if it has what they cannot see."""
    text = str(document)
    plain = text.isprintable() and not any(letter.isspace() for letter in text)
    return text if plain else repr(text)


class Selection:
    """A set of documents; what may be chosen are the units of a sketch (see `Units`).

    documents: the n training documents. Where documents are not units themselves, a choice must
    consist of whole units. labels: n words that people know the documents by; default: their text.
    """

    def __init__(self, documents, units, labels=None):
        self.documents, self.units = list(documents), units
        self.labels = list(map(visible, self.documents)) if labels is None else list(labels)
        self._steps = [np.zeros(len(self.documents), bool)]

    @property
    def mask(self):
        """Which documents are chosen, booleans of shape (n,)."""
        return self._steps[-1]

    @property
    def names(self):
        """The chosen documents, in the order of training."""
        return [self.documents[i] for i in np.flatnonzero(self.mask)]

    @property
    def chosen(self):
        """The labels of the chosen documents, in the order of training."""
        return [self.labels[i] for i in np.flatnonzero(self.mask)]

    @property
    def is_text(self):
        """Whether the documents are text, in which patterns can be looked for."""
        return all(isinstance(document, str) for document in self.documents)

    def __len__(self):
        return int(self.mask.sum())

    @property
    def down_weights(self):
        """The down-weights that delete the chosen documents, one per unit, (units,)."""
        x = np.zeros(len(self.units))
        x[self.units.of_document[self.mask]] = 1.0
        return x

    @property
    def groups(self):
        """The named groups of documents: name to a mask of shape (n,); empty if there are none.

        Where no units have names, documents that are text have those of their first letters.
        """
        if self.units.nested:
            return {name: self._from(members) for name, members in self.units.nested.items()}
        if len(self.units) == len(self.documents):
            letters = np.array([d[:1] for d in self.documents] if self.is_text else [])
            return {visible(str(one)): letters == one for one in np.unique(letters)}
        return {
            str(name): self.units.of_document == number
            for number, name in enumerate(self.units.names)
        }

    def matching(self, kind, text):
        """Mask of the documents that a text pattern matches; an empty pattern matches none.

        kind: one of KINDS. A length is a number, 3-5, <4, <=4, >8 or >=8.
        Raises ValueError, in words, for a pattern that is not one, or documents that are no text.
        """
        if not isinstance(text, str):
            raise TypeError(f"a pattern must be a string, not {brief(text)}")
        if kind not in KINDS:
            raise ValueError(
                f"the kind of pattern must be one of {', '.join(KINDS)}, not {brief(kind)}"
            )
        if not self.is_text:
            raise ValueError("patterns are looked for in text, and these documents are none")
        if not (text.strip() if kind == "length" else text):
            return np.zeros(len(self.documents), bool)
        text = unicodedata.normalize("NFC", text)  # as documents are
        if kind == "regular expression":
            return np.array(matching(text, self.documents))
        if kind == "length":
            test = _length_test(text)
        else:
            test = {
                "contains": lambda document: text in document,
                "starts with": lambda document: document.startswith(text),
                "ends with": lambda document: document.endswith(text),
            }[kind]
        return np.array([bool(test(document)) for document in self.documents])

    def choose(self, mask, mode="replace"):
        """Replace the choice by the documents of a mask, (n,), or add or remove them.

        Raises ValueError if a unit would be chosen in part.
        """
        if mode not in MODES:
            raise ValueError(f"the mode must be one of {', '.join(MODES)}, not {brief(mode)}")
        mask = np.asarray(mask)
        if mask.shape != self.mask.shape or mask.dtype != bool:
            raise ValueError(
                f"a choice is {len(self.documents)} booleans, one per document, not an array of "
                f"shape {mask.shape} and type {mask.dtype}; for numbers use choose_units("
                "units.down_weights(numbers))"
            )
        self._check_whole(mask)
        before = self.mask
        chosen = {"replace": mask, "add": before | mask, "remove": before & ~mask}[mode]
        if np.any(chosen != before):
            self._steps.append(chosen)
        del self._steps[: -STEPS_KEPT - 1]

    def choose_units(self, down_weights):
        """Choose all units with a down-weight above 0, and no others."""
        x = self.units.down_weights(None, down_weights)
        self.choose(x[self.units.of_document] > 0)

    def copy(self):
        """The same choice with its steps; later changes of one do not reach the other."""
        other = copy.copy(self)
        other._steps = list(self._steps)
        return other

    @property
    def can_undo(self):
        """Whether there is a step to go back."""
        return len(self._steps) > 1

    def undo(self):
        """Go back one step; at the start nothing happens."""
        if self.can_undo:
            self._steps.pop()

    def _from(self, members):
        mask = np.zeros(len(self.documents), bool)
        mask[members] = True
        return mask

    def _check_whole(self, mask):
        of_document = self.units.of_document
        parts = np.bincount(of_document, weights=mask, minlength=len(self.units))
        broken = np.flatnonzero((parts > 0) & (parts < self.units.sizes))
        if len(broken):
            unit = broken[0]
            raise ValueError(
                f"whole units only can be deleted, and {int(parts[unit])} of the "
                f"{self.units.sizes[unit]} documents of unit {self.units.names[unit]!r} would go: "
                "choose whole units, or make every document a unit"
            )


def _length_test(text):
    match = LENGTH.fullmatch(text)
    if not match:
        raise ValueError(
            f"{text!r} is not a length: give a number such as 5, or 3-5, <4, <=4, >8, >=8"
        )
    least, most, sign, number = match.groups()
    if least is not None:
        if int(least) > int(most):
            raise ValueError(f"no length lies between {least} and {most}: write {most}-{least}")
        return lambda document: int(least) <= len(document) <= int(most)
    number = int(number)
    return {
        "": lambda document: len(document) == number,
        "<": lambda document: len(document) < number,
        "<=": lambda document: len(document) <= number,
        ">": lambda document: len(document) > number,
        ">=": lambda document: len(document) >= number,
    }[sign]
