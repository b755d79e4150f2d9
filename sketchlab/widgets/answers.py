"""Answers: a prediction beside the truth, and what they mean in words."""

import dataclasses
import math

from ..estimation.plan import Plan, smallest_epsilon
from ..estimation.prediction import Prediction
from ..training.outputs import LossOn, MeanLoss, NextLetter
from .offers import Named

ROUNDING = 1e-12  # relative error of arithmetic


@dataclasses.dataclass(frozen=True, repr=False)
class Answer:
    """Prediction and, once retrained, truth for one deletion and one question.

    prediction: at the chosen down-weight, as it was before that was retrained; curve: over all
    down-weights. now: the output of the trained model. retrained: pairs of down-weight and exact
    output, or empty. truth: the exact output at the chosen down-weight, or None. plan: what epsilon
    asked for, or None if degree and directions were set by hand. evidence: how many retrainings
    made here are known now; missing: how many more it takes for predictions of other deletions to
    use them.
    """

    question: LossOn | MeanLoss | NextLetter | Named
    prediction: Prediction
    curve: Prediction
    now: float
    retrained: tuple
    truth: float | None
    plan: Plan | None
    evidence: int = 0
    missing: int = 0

    def __repr__(self):
        p, band = self.prediction, "no band"
        if not math.isinf(self.reach):
            band = f"{p.low:.5g} to {p.high:.5g}"
        true = "" if self.truth is None else f", retrained {self.truth:.5g}"
        return (
            f"Answer({self.question.label}: now {self.now:.5g}, predicted {p.value:.5g} ({band})"
            f"{true})"
        )

    @property
    def change(self):
        """Predicted change of the output from what it is now."""
        return self.prediction.value - self.now

    @property
    def error(self):
        """Predicted minus exact output, or None before retraining."""
        return None if self.truth is None else self.prediction.value - self.truth

    @property
    def reach(self):
        """How far the 90% band reaches from the prediction; infinite if no error is known."""
        p = self.prediction
        return max(p.high - p.value, p.value - p.low) if math.isfinite(p.error) else math.inf

    @property
    def inside(self):
        """Whether the exact output lies in the 90% band; None before retraining or without band.

        What was known exactly before it was retrained was not predicted, and has no band.
        """
        if self.truth is None or math.isinf(self.reach) or self.prediction.error == 0:
            return None
        tolerance = ROUNDING * abs(self.truth)
        return self.prediction.low - tolerance <= self.truth <= self.prediction.high + tolerance

    @property
    def headline(self):
        """The predicted change, the true one once it is known, and what it means."""
        unit = f" {self.question.unit}" if self.question.unit else ""
        if self.truth is not None:
            change = self.truth - self.now
            meaning = self.question.meaning(change) if change else "nothing changes"
            return f"{_signed(self.change)}{unit} predicted, {_signed(change)} true: {meaning}"
        if abs(self.change) > max(self.reach, ROUNDING * abs(self.now)):
            return f"{_signed(self.change)}{unit}: {self.question.meaning(self.change)}"
        reach = "an unknown amount" if math.isinf(self.reach) else f"{self.reach:.2g}"
        return f"{_signed(self.change)}{unit}, give or take {reach}: may be no change at all"


def within_reach(output, x):
    """The smallest epsilon that a part reaches, rounded up to tenths of its logarithm, or None."""
    reach = smallest_epsilon(output, down_weights=x)
    if not 0 < reach < math.inf:
        return None
    tenths = math.ceil(10 * math.log10(reach) + 1e-9)  # not below it by rounding
    return 10 ** (tenths / 10)


def uncounted(question, context):
    """What a loss leaves out, in words, or "": it counts only the first `context` positions."""
    if isinstance(question, LossOn) and isinstance(question.example, str):
        positions = len(question.example) + 1  # every letter, and the end
        if positions > context:
            return f"only the first {context} of its {positions} positions count, as in training"
    if isinstance(question, MeanLoss):
        long = sum(len(name) + 1 > context for name in question.examples)
        if long:
            return f"only the first {context} positions count, as in training ({long} are longer)"
    return ""


def _signed(change):
    """Three digits, as a plain decimal from a millionth on."""
    if 1e-6 < abs(change) < 1e-4:
        return f"{change:+.{2 - math.floor(math.log10(abs(change)))}f}"
    return f"{change:+#.3g}" if abs(change) > ROUNDING else "0"
