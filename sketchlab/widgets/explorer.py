"""The state behind the deletion explorer: what is deleted, what is asked, and how accurately."""

import copy
import numbers

import numpy as np

from ..estimation.choice import missing_anchors
from ..estimation.minimum_norm import gradients
from ..estimation.plan import parts, plan_part, stored_bytes
from ..sketching.sketch import Sketch
from ..training.microgpt import MicroGPTRun
from ..training.names import unseen
from ..training.outputs import LossOn, MeanLoss
from .answers import Answer, Try, history_csv
from .kept import Asked, Recent, Retrainings
from .selection import Selection, visible

WEIGHTS = np.linspace(0.0, 1.0, 21)  # of the predicted curve
OUTPUTS_KEPT, RETRAININGS_KEPT = 32, 100
HELD_OUT = 20
EFFECTS = ("helpful", "harmful")


class Explorer:
    """Choose a deletion and a question; get the prediction, then retrain and compare.

    run: a training run of microgpt. sketch: a sketch of it. question: what is asked at the start
    (see `training.outputs`); default: the loss on a name that the model can read. held_out: names
    that were not trained on, for the mean loss; default: embedded names that the run does not have.
    selection: what is deleted (`Selection`). question: what is asked; output: what is known of it.
    weight: the down-weight of the deleted names, 0 to 1. degree, directions: the part of the sketch
    that is used; they follow epsilon until they are set by hand. evidence: the exact retrainings
    made here, pairs of down-weights (units,) and model: every output has them as anchors. They stay
    in memory: the sketch, and its store, are as they were.
    """

    def __init__(self, run, sketch, *, question=None, held_out=None):
        if not isinstance(run, MicroGPTRun):
            raise TypeError(f"run must be a training run from sl.train, not {type(run).__name__}")
        if not isinstance(sketch, Sketch):
            raise TypeError(f"sketch must be from sl.sketch, not {type(sketch).__name__}")
        sketch.check_run(run)
        self.run, self.sketch = run, sketch
        self.selection = Selection(run.data, sketch.units)
        if isinstance(held_out, str):
            raise TypeError(f"held_out must be a list of names, such as [{held_out!r}]")
        self.held_out = tuple(unseen(run, HELD_OUT) if held_out is None else held_out)
        self.tries, self.weight, self.epsilon, self.by_hand = [], 1.0, None, False
        self.degree, self.directions = sketch.degree, len(sketch)
        self.evidence = []
        self._outputs = Recent(OUTPUTS_KEPT)
        self._retrainings = Retrainings(run, RETRAININGS_KEPT)
        self.question = None
        self.ask(self._readable() if question is None else question)

    def ask(self, question):
        """Ask for another output; another kind starts with its own epsilon.

        Raises ValueError, in words, if the model cannot answer it.
        """
        if not callable(question) or not hasattr(question, "check"):
            raise TypeError(
                "a question is one of sketchlab.training.outputs, such as LossOn('max'), "
                f"not {question!r}"
            )
        question.check(self.run.model)
        asked = self._outputs.get(question)
        if asked is None:
            asked = Asked(question, self.sketch.output(question), self.evidence)
            self._outputs.put(question, asked)
        if self.question is None or self.question.unit != question.unit:
            self.epsilon = question.epsilon
        self.question, self._asked = question, asked

    @property
    def output(self):
        """The output that is asked for, with all retrainings made here as anchors."""
        return self._asked.knowing(len(self.evidence))

    def _readable(self):
        """The loss on the first name, best one not trained on, that the model can read."""
        for name in (*self.held_out, *self.run.data):
            try:
                LossOn(name).check(self.run.model)
            except (TypeError, ValueError):
                continue
            return LossOn(name)
        raise ValueError("the model can read none of the names: give question=...")

    def ask_mean_loss(self):
        """Ask for the mean loss on the names that were not trained on."""
        self.ask(MeanLoss(self.held_out))

    @property
    def weight(self):
        """The down-weight of the deleted names, 0 to 1."""
        return self._weight

    @weight.setter
    def weight(self, value):
        if not isinstance(value, numbers.Real) or not 0 <= value <= 1:
            raise ValueError(f"the down-weight must lie between 0 and 1, not {value!r}")
        self._weight = float(value)

    @property
    def sizes(self):
        """Numbers of directions that can be used."""
        return parts(len(self.sketch))

    def set_epsilon(self, epsilon):
        """Let epsilon choose degree and directions, for this deletion and the next ones."""
        if not isinstance(epsilon, numbers.Real) or not epsilon > 0:
            raise ValueError(f"epsilon must be a number above 0, not {epsilon!r}")
        self.epsilon, self.by_hand = epsilon, False

    def set_part(self, degree, directions):
        """Choose the part of the sketch by hand."""
        if degree not in range(1, self.sketch.degree + 1):
            raise ValueError(f"the sketch has degree {self.sketch.degree}, not {degree!r}")
        if directions not in self.sizes:
            raise ValueError(f"directions must be one of {self.sizes}, not {directions!r}")
        self.degree, self.directions, self.by_hand = degree, directions, True

    @property
    def cost(self):
        """What the used part costs: trainings, and bytes."""
        part = self.output.part(degree=self.degree, directions=self.directions)
        return part.cost, stored_bytes(self._parameters, self.degree, self.directions)

    @property
    def _parameters(self):
        return sum(p.size for p in self.run.model.parameters.values())

    def most(self, count, effect):
        """Mask of the units that are the most helpful, or harmful, for the answer, (documents,).

        Helpful: deleting it makes the answer worse (a loss higher, a probability lower), to first
        order.
        """
        if effect not in EFFECTS:
            raise ValueError(f"effect must be one of {', '.join(EFFECTS)}, not {effect!r}")
        if not 1 <= count <= len(self.sketch.units):
            raise ValueError(
                f"count must lie between 1 and {len(self.sketch.units)}, not {count!r}"
            )
        gain = gradients(self.output.directions, self.output.coefficients[1][:, None])[:, 0]
        gain = gain * self.question.helps * (1 if effect == "helpful" else -1)
        chosen = np.argsort(-gain, kind="stable")[:count]
        return np.isin(self.sketch.units.of_document, chosen)

    def at_random(self, count, seed):
        """Mask of some units drawn at random, (documents,)."""
        units = self.sketch.units
        if not 1 <= count <= len(units):
            raise ValueError(f"count must lie between 1 and {len(units)}, not {count!r}")
        chosen = np.random.default_rng(seed).choice(len(units), count, replace=False)
        return np.isin(units.of_document, chosen)

    def answer(self):
        """The prediction, and what is known of the truth: an `Answer`.

        The prediction is the one made before this very deletion was retrained here: it uses the
        retrainings before that, and neither that one nor the ones after it.
        """
        x, plan = self.selection.down_weights, None
        output = self._asked.knowing(self._known_before(self.weight * x))
        if not self.by_hand:
            plan = plan_part(
                output, self.epsilon, down_weights=self.weight * x, parameters=self._parameters
            )
            self.degree, self.directions = plan.degree, plan.directions
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
            raise ValueError("nothing is chosen: choose at least one name to delete")
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
            " ".join(map(visible, self.selection.names)),
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
        if row in self.tries:
            raise ValueError("this try is in the history already: change something first")
        self.tries.append(row)

    def csv(self):
        """The history as the text of a CSV file, one row per try."""
        return history_csv(self.tries)
