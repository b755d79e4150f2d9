"""What is asked of a model: a loss or a probability, with the words that tell its change.

An output is a function of a model, so `sketch.output` and `first_order` take it; it runs on
numbers, batches and jets. As it has a name, outputs can be compared, hashed, pickled and shown.
"""

import dataclasses
import math
import operator
import unicodedata

from ..algebra import ring
from ..arguments import check_list, check_model, check_text
from ..checks import check_real, real_array
from .microgpt import END, MicroGPT
from .models import asked


@dataclasses.dataclass(frozen=True)
class _Loss:
    """What losses have in common.

    unit, bounds: of the loss. A loss that can be negative needs bounds=(-math.inf, math.inf).
    """

    unit: str = dataclasses.field(default="nats", kw_only=True, repr=False)
    bounds: tuple = dataclasses.field(default=(0.0, math.inf), kw_only=True, repr=False)
    epsilon = 0.02  # an error to start with
    helps = 1  # deleting a helpful example moves the output up

    def _check_words(self):
        """Raise TypeError or ValueError for what is no unit, or no two bounds, in this order."""
        check_text(self.unit, "unit")
        low, high = real_array(self.bounds, "bounds", 2, finite=False)
        if not low < high:
            raise ValueError(f"bounds must be the lowest and the highest value, not {self.bounds}")

    @property
    def label(self):
        """The title with its unit, for a figure."""
        return f"{self.title} ({self.unit})"

    def meaning(self, change):
        """What a change of the output says about the model."""
        change = check_real(change, "change")
        return f"the model knows {'less' if change > 0 else 'more'} about {self._what}"


@dataclasses.dataclass(frozen=True)
class LossOn(_Loss):
    """The loss on one example: a document, or whatever else the model has losses of.

    Raises TypeError for an example that cannot be hashed, such as an array.
    """

    example: object

    def __post_init__(self):
        self._check_words()
        object.__setattr__(self, "example", _kept(self.example))

    @property
    def title(self):
        """What is asked, in a few words."""
        return f"loss on {self._what}"

    def check(self, model):
        """Raise ValueError, in words, if the model cannot answer."""
        if not isinstance(model, MicroGPT):
            return
        if not isinstance(self.example, str):
            raise ValueError(f"a document must be text, such as 'max', not {self.example!r}")
        if not self.example:
            raise ValueError("type some letters, such as 'max'")
        _check_text(self.example, model)

    def __call__(self, model):
        return check_model(model).loss(self.example)

    @property
    def _what(self):
        return repr(self.example) if isinstance(self.example, str) else f"example {self.example!r}"


@dataclasses.dataclass(frozen=True)
class LetterLoss(_Loss):
    """The loss on one letter of a document: -log p(letter at a position | the letters before it).

    position: 0 is the first letter, len(document) the end. The mean over the positions that the
    model reads, `LetterLoss.each(document, model)`, is `LossOn(document)`. Raises TypeError for a
    document that is no text, ValueError for a position that it does not have.
    """

    document: str
    position: int

    def __post_init__(self):
        self._check_words()
        if not isinstance(self.document, str):
            raise TypeError(f"the document must be a string, not {self.document!r}")
        document = _kept(self.document)
        object.__setattr__(self, "document", document)
        try:
            position = operator.index(self.position)
        except TypeError:
            position = -1
        if isinstance(self.position, bool) or not 0 <= position <= len(document):
            raise ValueError(
                f"the position must be an integer from 0 (the first letter) to {len(document)} "
                f"(the end of {document!r}), not {self.position!r}"
            )
        object.__setattr__(self, "position", position)

    @classmethod
    def each(cls, document, model):
        """The losses on all letters of a document that a model reads, and on its end, in order."""
        cls(document, 0).check(model)
        return [cls(document, position) for position in range(len(model.sequence(document)[0]))]

    @property
    def letter(self):
        """The letter at the position, or `END`."""
        return (*self.document, END)[self.position]

    @property
    def title(self):
        """What is asked, in a few words."""
        return f"loss on {self._what}"

    @property
    def _what(self):
        return _letter_after(self.letter, self.document[: self.position])

    def check(self, model):
        """Raise ValueError, in words, if the model cannot answer."""
        if not isinstance(model, MicroGPT):
            raise ValueError(f"only a model of letters has a loss on a letter, not {model!r}")
        LossOn(self.document).check(model)
        if self.position >= model.context:
            raise ValueError(
                f"position {self.position} of {self.document!r} is never read: the model reads "
                f"{model.context} positions, 0 to {model.context - 1}"
            )

    def __call__(self, model):
        self.check(model)
        inputs, targets = model.sequence(self.document)
        here = slice(self.position, self.position + 1)
        scores = model.logits(inputs[: self.position + 1])[..., here, :]
        return ring.cross_entropy(scores, targets[here])


@dataclasses.dataclass(frozen=True)
class NextLetter:
    """The probability of a letter (or of the end, `END`) after a prefix.

    The prefix is taken as it is, spaces included; it may have context - 1 letters.
    """

    prefix: str
    letter: str
    unit = "of probability"
    bounds = (0.0, 1.0)
    epsilon = 0.002
    helps = -1

    def __post_init__(self):
        for name in ("prefix", "letter"):
            text = getattr(self, name)
            if not isinstance(text, str):
                raise TypeError(f"the {name} must be a string, not {text!r}")
            object.__setattr__(self, name, _kept(text))

    @property
    def title(self):
        """What is asked, in a few words."""
        return f"probability of {_letter_after(self.letter, self.prefix)}"

    label = title

    def check(self, model):
        """Raise ValueError, in words, if the model cannot answer."""
        if not isinstance(model, MicroGPT):
            raise ValueError(f"only a model of letters has a next letter, not {model!r}")
        if self.letter != END and (len(self.letter) != 1 or self.letter not in model.vocabulary):
            raise ValueError(
                f"{self.letter!r} is not one letter of the vocabulary {model.vocabulary!r}"
            )
        if len(self.prefix) >= model.context:
            raise ValueError(
                f"the prefix has {len(self.prefix)} letters; the model reads at most "
                f"{model.context - 1}"
            )
        _check_text(self.prefix, model)

    def __call__(self, model):
        self.check(model)
        return model.next_probs(self.prefix)[self.letter]

    def meaning(self, change):
        """What a change of the output says about the model."""
        change = check_real(change, "change")
        likely = f" becomes {'more' if change > 0 else 'less'} likely"
        return _letter_after(self.letter, self.prefix, likely)


@dataclasses.dataclass(frozen=True)
class MeanLoss(_Loss):
    """The mean loss on several examples. examples: any list of them; kept as a tuple."""

    examples: tuple

    def __post_init__(self):
        self._check_words()
        object.__setattr__(
            self, "examples", tuple(map(_kept, check_list(self.examples, "examples")))
        )

    @property
    def title(self):
        """What is asked, in a few words."""
        count = len(self.examples)
        kind = "name" if all(isinstance(one, str) for one in self.examples) else "example"
        return f"mean loss on {count} {kind}{'' if count == 1 else 's'}"

    def check(self, model):
        """Raise ValueError, in words, if the model cannot answer."""
        if not self.examples:
            raise ValueError("there are no examples to take the mean over: give at least one")
        for example in self.examples:
            LossOn(example).check(model)

    def __call__(self, model):
        self.check(check_model(model))
        # A list: a tuple of row numbers would index as many axes of an array.
        return ring.mean(asked(model, list(self.examples)), -1)

    @property
    def _what(self):
        return "names in general" if self.title.endswith("names") else "these examples"


def _letter_after(letter, prefix, between=""):
    """A letter, or the end, after a prefix, in words."""
    what = "the end" if letter == END else repr(letter)
    return f"{what}{between} after {repr(prefix) if prefix else 'the start'}"


def _kept(example):
    """An example as it is compared: text in its composed form (NFC), as models read it."""
    try:
        hash(example)
    except TypeError:
        raise TypeError(
            f"an example must be hashable, such as text or a row number, not a "
            f"{type(example).__name__}: train on row numbers, np.arange(n), and let the losses "
            "look the rows up"
        ) from None
    if example != example:  # NaN: then no two outputs of it would be the same
        raise ValueError(f"an example must be equal to itself, which {example!r} is not")
    return unicodedata.normalize("NFC", example) if isinstance(example, str) else example


def _check_text(text, model):
    try:
        model.tokens(text)
    except ValueError as error:
        hint = " (try lower case)" if set(text.lower()) <= set(model.vocabulary) else ""
        raise ValueError(f"{error}{hint}") from error
