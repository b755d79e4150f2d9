"""What is asked of a model: a loss or a probability, with the words that tell its change.

A question is a function of a model, so it can be handed to `sketch.output`.
"""

import dataclasses
import math

from ..algebra import ring
from .microgpt import END


class _Loss:
    """What losses have in common."""

    unit = "nats"
    bounds = (0.0, math.inf)
    epsilon = 0.02  # to start with
    helps = 1  # deleting a helpful name moves the answer up

    @property
    def label(self):
        """The title with its unit, for a figure."""
        return f"{self.title} (nats)"

    def meaning(self, change):
        """What a change of the answer says about the model."""
        return f"the model knows {'less' if change > 0 else 'more'} about {self._what}"


@dataclasses.dataclass(frozen=True)
class LossOn(_Loss):
    """The loss on one name."""

    name: str

    @property
    def title(self):
        """What is asked, in a few words."""
        return f"loss on {self.name!r}"

    def check(self, model):
        """Raise ValueError, in words, if the model cannot answer."""
        if not self.name:
            raise ValueError("type a name, such as 'max'")
        _check_letters(self.name, model)

    def __call__(self, model):
        return model.loss(self.name)

    @property
    def _what(self):
        return repr(self.name)


@dataclasses.dataclass(frozen=True)
class NextLetter:
    """The probability of a letter (or of the end) after a prefix."""

    prefix: str
    letter: str
    unit = "of probability"
    bounds = (0.0, 1.0)
    epsilon = 0.002
    helps = -1

    @property
    def title(self):
        """What is asked, in a few words."""
        return f"probability of {self._what} after {self._where}"

    label = title

    @property
    def _what(self):
        return "the end" if self.letter == END else repr(self.letter)

    @property
    def _where(self):
        return repr(self.prefix) if self.prefix else "the start"

    def check(self, model):
        """Raise ValueError, in words, if the model cannot answer."""
        if self.letter != END and (len(self.letter) != 1 or self.letter not in model.vocabulary):
            raise ValueError(
                f"{self.letter!r} is not one letter of the vocabulary {model.vocabulary!r}"
            )
        if len(self.prefix) >= model.context:
            raise ValueError(
                f"the prefix has {len(self.prefix)} letters; the model reads at most "
                f"{model.context - 1}"
            )
        _check_letters(self.prefix, model)

    def __call__(self, model):
        return model.next_probs(self.prefix)[self.letter]

    def meaning(self, change):
        """What a change of the answer says about the model."""
        return f"{self._what} becomes {'more' if change > 0 else 'less'} likely after {self._where}"


@dataclasses.dataclass(frozen=True)
class MeanLoss(_Loss):
    """The mean loss on a sample of names that were not trained on."""

    names: tuple

    @property
    def title(self):
        """What is asked, in a few words."""
        return f"mean loss on {len(self.names)} names not trained on"

    def check(self, model):
        """Raise ValueError, in words, if the model cannot answer."""
        if not self.names:
            raise ValueError("there are no names that were not trained on: give held_out=[...]")
        for name in self.names:
            LossOn(name).check(model)

    def __call__(self, model):
        return ring.mean(model.losses(self.names), -1)

    @property
    def _what(self):
        return "names in general"


def _check_letters(text, model):
    try:
        model.tokens(text)
    except ValueError as error:
        hint = " (try lower case)" if set(text.lower()) <= set(model.vocabulary) else ""
        raise ValueError(f"{error}{hint}") from error
