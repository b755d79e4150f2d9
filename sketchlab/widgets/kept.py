"""What was computed once and is kept, exact retrainings above all; the oldest goes first."""

import dataclasses
import warnings

import numpy as np

RETRAINED_AT = (0.25, 0.5, 0.75, 1.0)  # down-weights, besides the one that is asked for


class Recent:
    """The values used last, by key, at most `most` of them."""

    def __init__(self, most):
        self.most, self._values = most, {}

    def get(self, key, default=None):
        """The value of a key, which is now the one used last."""
        if key in self._values:
            self._values[key] = self._values.pop(key)
        return self._values.get(key, default)

    def put(self, key, value):
        """Keep a value, and forget what was used longest ago."""
        self._values.pop(key, None)
        self._values[key] = value
        while len(self._values) > self.most:
            del self._values[next(iter(self._values))]


class Retrainings:
    """Models of a run, trained exactly with some deletions at a few down-weights.

    Deletions are masks of documents, booleans of shape (n,); at most `most` of them are kept.
    """

    def __init__(self, run, most):
        self.run, self._kept = run, Recent(most)

    def add(self, mask, weight, progress):
        """Retrain at a down-weight, unless it is known, and at those of RETRAINED_AT."""
        known, _ = self._of(mask)
        weights = np.unique([*known, *RETRAINED_AT, weight])
        if len(weights) == len(known):
            return
        with warnings.catch_warnings():  # that everything is deleted, which the view says itself
            warnings.simplefilter("ignore", UserWarning)
            models = self.run.retrain(down_weights=weights[:, None] * mask, progress=progress)
        self._kept.put(mask.tobytes(), (tuple(weights.tolist()), models))

    def model(self, mask, weight):
        """The model retrained with a deletion at a down-weight, or None."""
        weights, models = self._of(mask)
        if weight not in weights:
            return None
        row = weights.index(weight)
        return models.with_parameters({name: p[row] for name, p in models.parameters.items()})

    def outputs(self, mask, question):
        """Pairs of down-weight and exact output of all models with a deletion."""
        weights, models = self._of(mask)
        if models is None:
            return ()
        return tuple(zip(weights, np.asarray(question(models)).tolist(), strict=True))

    def _of(self, mask):
        return self._kept.get(mask.tobytes(), ((), None))


class Asked:
    """An output of a sketch that learns from exact retrainings.

    evidence: a list, which may grow, of pairs: down-weights (units,) and the model after that.
    """

    def __init__(self, question, output, evidence):
        self.question, self._output, self._evidence = question, output, evidence
        self._values, self._grown = [], Recent(2)  # all that is known, and what was before

    def knowing(self, count):
        """The output with the first `count` retrainings as more anchors: an `Output`."""
        if not count:
            return self._output
        found = self._grown.get(count)
        if found is None:
            output, evidence = self._output, self._evidence[:count]
            for _, model in evidence[len(self._values) :]:
                self._values.append(float(self.question(model)))
            rows, values = np.array([x for x, _ in evidence]), np.array(self._values[:count])
            have = {x.tobytes() for x in output.anchors}  # the sketch may have got it meanwhile
            new = np.array([x.tobytes() not in have for x in rows])
            found = dataclasses.replace(
                output,
                anchors=np.concatenate([output.anchors, rows[new]]),
                anchor_values=np.concatenate([output.anchor_values, values[new]]),
            )
            self._grown.put(count, found)
        return found
