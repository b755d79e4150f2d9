"""The state behind the deletion explorer: what is deleted, what is asked, and how accurately."""

import copy
import numbers

import numpy as np

from ..checks import brief
from ..estimation.choice import missing_anchors
from ..estimation.minimum_norm import gradients
from ..estimation.plan import parts, plan_part, stored_bytes
from ..sketching.sketch import Sketch
from ..training.microgpt import MicroGPT
from ..training.outputs import LossOn
from ..training.runs import TrainingRun
from .answers import Answer, within_reach
from .columns import Columns
from .history import History, Try
from .kept import Asked, Recent, Retrainings
from .labels import labelled
from .offers import SMOOTH, Named, first_question, mean_question, named, offered, titled
from .selection import Selection
from .thumbnails import checked

WEIGHTS = np.linspace(0.0, 1.0, 21)  # of the predicted curve
OUTPUTS_KEPT, RETRAININGS_KEPT = 32, 100
SIGNS = {"helpful": 1, "harmful": -1, "raises": 1, "lowers": -1}  # of an effect
WHOLE, EPSILON, HAND = "whole", "epsilon", "hand"  # what chooses the part of the sketch


class Explorer:
    """Choose a deletion and a question; get the prediction, then retrain and compare.

    run: a training run. sketch: a sketch of it. question: what is asked at the start, a function of
    a model or the title of one that is offered; default: the first that is offered, for microgpt
    the loss on a name that it can read. held_out: examples that were not trained on. outputs: what
    is offered to ask. labels: words for the documents. table: columns that describe them; images:
    what they look like. (See `view.explore` for what these can be, and for their defaults.)

    selection: what is deleted (`Selection`). question: what is asked; output: what is known of it.
    offers: what is offered to ask, by title; note: where that comes from, in words. noun: what a
    document is called. weight: the down-weight of what is deleted, 0 to 1. degree, directions: the
    part of the sketch that is used, chosen by `chosen_by`: the whole, until epsilon chooses, or the
    hand. history: the retrainings so far, as `Try`. evidence: the models of these, pairs of
    down-weights (units,) and model: every output has them as anchors. They stay in memory: the
    sketch, and its store, are as they were.
    """

    def __init__(
        self,
        run,
        sketch,
        *,
        question=None,
        held_out=None,
        outputs=None,
        labels=None,
        table=None,
        images=None,
    ):
        if not isinstance(run, TrainingRun):
            raise TypeError(f"run must be a training run from sl.train, not {type(run).__name__}")
        if not isinstance(sketch, Sketch):
            raise TypeError(f"sketch must be from sl.sketch, not {type(sketch).__name__}")
        sketch.check_run(run)
        self.run, self.sketch = run, sketch
        self.reads_text = isinstance(run.model, MicroGPT)
        self.between = " " if labels is None and self.reads_text else ", "  # labels in a row
        labels, self.noun = labelled(run, labels)
        self.selection = Selection(run.data, sketch.units, labels)
        self.columns = None if table is None else Columns(table, len(run))
        self.images = None if images is None else checked(images, len(run))
        self.held_out, self.offers, self.note = offered(run, held_out, outputs, labels)
        self.effects = ("helpful", "harmful") if self.reads_text else ("raises", "lowers")
        self.history, self.weight, self.epsilon, self.chosen_by = History(), 1.0, None, WHOLE
        self.degree, self.directions = sketch.degree, len(sketch)
        self.evidence = []
        self._outputs = Recent(OUTPUTS_KEPT)
        self._retrainings = Retrainings(run, RETRAININGS_KEPT)
        self.question = None
        self.ask(first_question(run, self.held_out, self.offers) if question is None else question)

    def ask(self, question):
        """Ask for another output, a function of a model or the title of one that is offered.

        Another kind starts with the whole sketch. Raises ValueError, in words, if the model cannot
        answer it.
        """
        if isinstance(question, str) and self.offers:
            question = titled(question, self.offers)
        question = named(question)
        if self.reads_text and isinstance(question, LossOn) and question.example == "":
            raise ValueError(f"type some letters, such as {brief(self.run.data[0])}")
        question.check(self.run.model)
        asked = self._outputs.get(question)
        if asked is None:
            asked = Asked(question, self._output_of(question), self.evidence)
            self._outputs.put(question, asked)
        if self.question is None or not question.unit or self.question.unit != question.unit:
            self.epsilon = question.epsilon
            self.chosen_by = HAND if self.chosen_by == HAND else WHOLE
        self.question, self._asked = question, asked

    def _output_of(self, question):
        """The output of the sketch; however what a user wrote fails there, it is told in words."""
        if not isinstance(question, Named):
            return self.sketch.output(question)
        try:
            return self.sketch.output(question.function)
        except Exception as error:
            raise ValueError(
                f"the output {question.title!r} cannot be predicted ({type(error).__name__}: "
                f"{error}): {SMOOTH}"
            ) from error

    @property
    def output(self):
        """The output that is asked for, with all retrainings made here as anchors."""
        return self._asked.knowing(len(self.evidence))

    def ask_mean_loss(self):
        """Ask for the mean loss on the examples that were not trained on."""
        self.ask(mean_question(self.run.model, self.held_out))

    @property
    def weight(self):
        """The down-weight of the deleted names, 0 to 1."""
        return self._weight

    @weight.setter
    def weight(self, value):
        if not isinstance(value, numbers.Real) or not 0 <= value <= 1:
            raise ValueError(f"the down-weight must lie between 0 and 1, not {brief(value)}")
        self._weight = float(value)

    @property
    def sizes(self):
        """Numbers of directions that can be used."""
        return parts(len(self.sketch))

    def set_epsilon(self, epsilon):
        """Let epsilon choose degree and directions, for this deletion and the next ones."""
        if not isinstance(epsilon, numbers.Real) or not epsilon > 0:
            raise ValueError(f"epsilon must be a number above 0, not {brief(epsilon)}")
        self.epsilon, self.chosen_by = epsilon, EPSILON

    def set_whole(self):
        """Use the whole sketch, its best prediction."""
        self.chosen_by = WHOLE

    def set_part(self, degree, directions):
        """Choose the part of the sketch by hand."""
        if degree not in range(1, self.sketch.degree + 1):
            raise ValueError(f"the sketch has degree {self.sketch.degree}, not {brief(degree)}")
        if directions not in self.sizes:
            raise ValueError(f"directions must be one of {self.sizes}, not {brief(directions)}")
        self.degree, self.directions, self.chosen_by = degree, directions, HAND

    @property
    def cost(self):
        """What the used part costs: trainings, and bytes."""
        part = self.output.part(degree=self.degree, directions=self.directions)
        return part.cost, stored_bytes(self._parameters, self.degree, self.directions)

    @property
    def _parameters(self):
        return sum(p.size for p in self.run.model.parameters.values())

    def most(self, count, effect):
        """Mask of the units with the largest effect on the answer, (documents,), to first order.

        effect: "raises" or "lowers", what their deletion does to the output; or "helpful", if it
        makes the answer worse (a loss higher, a probability lower), or "harmful".
        """
        sign = self.sign(effect)
        if not 1 <= count <= len(self.sketch.units):
            raise ValueError(
                f"count must lie between 1 and {len(self.sketch.units)}, not {brief(count)}"
            )
        gain = gradients(self.output.directions, self.output.coefficients[1][:, None])[:, 0]
        chosen = np.argsort(-sign * gain, kind="stable")[:count]
        return np.isin(self.sketch.units.of_document, chosen)

    def sign(self, effect):
        """1 if deletions of this effect raise the output that is asked for, else -1."""
        if effect not in SIGNS:
            raise ValueError(f"effect must be one of {', '.join(SIGNS)}, not {brief(effect)}")
        return SIGNS[effect] * (self.question.helps if effect.startswith("h") else 1)

    def at_random(self, count, seed):
        """Mask of some units drawn at random, (documents,)."""
        units = self.sketch.units
        if not 1 <= count <= len(units):
            raise ValueError(f"count must lie between 1 and {len(units)}, not {brief(count)}")
        chosen = np.random.default_rng(seed).choice(len(units), count, replace=False)
        return np.isin(units.of_document, chosen)

    def answer(self):
        """The prediction, and what is known of the truth: an `Answer`.

        The prediction is the one made before this very deletion was retrained here: it uses the
        retrainings before that, and neither that one nor the ones after it.
        """
        x, plan = self.selection.down_weights, None
        output = self._asked.knowing(self._known_before(self.weight * x))
        if self.chosen_by == EPSILON:
            plan = plan_part(
                output, self.epsilon, down_weights=self.weight * x, parameters=self._parameters
            )
            self.degree, self.directions = plan.degree, plan.directions
        elif self.chosen_by == WHOLE:
            self.degree, self.directions = self.sketch.degree, len(self.sketch)
            self.epsilon = within_reach(output, self.weight * x) or self.epsilon
        part = output.part(degree=self.degree, directions=self.directions)
        retrained = self._retrainings.outputs(self.selection.mask, self.question)
        return Answer(
            self.question,
            part.predict(self.weight * x),
            part.curve(WEIGHTS, down_weights=x),
            float(self.question(self.run.model)),
            retrained,
            dict(retrained).get(self.weight),
            plan,
            len(self.evidence),
            missing_anchors(self.output),
        )

    def _known_before(self, x):
        """Number of retrainings made here before that of a deletion; all, if it is not one."""
        rows = (number for number, (row, _) in enumerate(self.evidence) if np.array_equal(row, x))
        return next(rows, len(self.evidence))

    def retrain(self, progress=False):
        """Train exactly with the deletion, at a few down-weights; its `answer` then has the truth.

        The model at the chosen down-weight is evidence for the next predictions. Those at the other
        ones are not: so close to it, they would make the calibration of bands too sure.

        progress: True, False, or an object with an update method, called after every step, which
        may raise to stop the training: nothing is kept then.
        """
        if not len(self.selection):
            raise ValueError(f"nothing is chosen: choose at least one {self.noun} to delete")
        if not self.weight:
            raise ValueError("the down-weight is 0, so that nothing is deleted: raise it first")
        self._retrainings.add(self.selection.mask, self.weight, progress)
        x = self.weight * self.selection.down_weights
        known = [self.sketch.at, *self.sketch.anchors, *(row for row, _ in self.evidence)]
        if not any(np.array_equal(x, row) for row in known):
            self.evidence.append((x, self.retrained_model))

    @property
    def retrained_model(self):
        """The model retrained with the deletion at the chosen down-weight, or None."""
        return self._retrainings.model(self.selection.mask, self.weight)

    def snapshot(self):
        """The explorer as it is now; what is computed, and the history, it shares with this one."""
        other = copy.copy(self)
        other.selection = self.selection.copy()
        return other

    def record(self):
        """Add the present answer to the history, if its truth is known.

        Raises ValueError if the history has the same row already.
        """
        answer = self.answer()
        if answer.truth is None:
            return
        prediction = answer.prediction
        row = Try(
            len(self.selection),
            self.between.join(self.selection.chosen),
            self.question.title,
            self.weight,
            self.degree,
            self.directions,
            prediction.value,
            prediction.low,
            prediction.high,
            answer.truth,
            answer.error,
            answer.inside,
        )
        self.history.add(row, self.snapshot())

    def show_again(self, number):
        """Choose the deletion, the question and the part of a row of the history again."""
        then = self.history.state(number)
        self.selection.choose(then.selection.mask)
        self.ask(then.question)
        for what in ("weight", "epsilon", "chosen_by", "degree", "directions"):
            setattr(self, what, getattr(then, what))
