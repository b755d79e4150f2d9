"""Adapting a model by gradient descent, and forgetting by training again: whole, or in shards.

What exact unlearning is compared with. The learner's embedding, with a linear layer for the labels
on top, is trained further on the examples. To forget one, the training is done again from its start
without it. With shards (SISA: Bourtoule et al. 2021, arXiv 1912.03817) the examples are dealt out,
a model is trained on each shard, and the models' mean probability answers: to forget an example,
one of them is trained again. Slices within shards are left out.
"""

import numpy as np

from ..algebra import ring
from ..checks import check_count, check_seed
from ..training.models import Model
from ..training.optimizers import SGD
from ..training.runs import TrainingRun
from .learner import embedded
from .prompt import as_labels


class FineTuned:
    """A learner's embedding, trained further on examples with labels, `passes` times over them.

    shards: models that are trained, each on its share of the examples. seed: of the order of the
    examples, and of their shards.

    multiplications: those of fitting and forgetting, so far. A step back is counted as two forward.
    """

    def __init__(self, learner, *, shards=1, passes=10, learning_rate=0.1, batch_size=8, seed=0):
        self.learner, self.optimizer = learner, SGD(learning_rate, schedule="linear")
        self.shards, self.passes, self.batch_size = (
            check_count(value, what)
            for value, what in ((shards, "shards"), (passes, "passes"), (batch_size, "batch_size"))
        )
        self.seed, self.multiplications = check_seed(seed), 0
        self._X = self._labels = self._shares = None
        self._models = []

    def fit(self, X, y):
        """Train on examples, (n, d), with labels, (n,), of integers or strings; returns self."""
        X, labels = np.array(X, dtype=float), as_labels(y)
        self.learner.embed(X[:1])
        if len(labels) != len(X) or len(X) < self.shards or not np.all(np.isfinite(X)):
            raise ValueError(
                f"{len(X)} examples and {len(labels)} labels in {self.shards} shards: there must "
                "be one label for each example, an example for each shard, and no NaN"
            )
        order = np.random.default_rng(self.seed).permutation(len(X))
        self._X, self._labels = X, labels
        self._shares = [order[i :: self.shards] for i in range(self.shards)]
        self._models = [self._trained(share) for share in self._shares]
        return self

    def forget(self, number):
        """Train again without the example of this number, all of the models that saw it."""
        for place, share in enumerate(self._shares or []):
            if number in share:
                share = share[share != number]
                if not len(share):
                    raise ValueError(f"example {number} is the last one of its shard")
                self._models[place] = self._trained(share)
                self._shares[place] = share
                self._X[number] = 0.0
                return
        raise ValueError(f"example {number!r} is not there (any more)")

    @property
    def per_query(self):
        """Multiplications to answer one question."""
        return sum(self._size(len(classes)) for _, classes in self._models)

    def probabilities(self, X):
        """Labels, sorted, and the mean probability of each over the shards: (n, labels)."""
        if not self._models:
            raise ValueError("there is no model yet: call fit first")
        every = np.unique(np.concatenate([classes for _, classes in self._models]))
        found = np.zeros((len(X), len(every)))
        for parameters, classes in self._models:
            scores = logits(parameters, np.asarray(X) / self.learner.scale)
            found[:, np.searchsorted(every, classes)] += ring.softmax(scores) / self.shards
        return every, found

    def predict(self, X):
        """The most probable label of each example, (n,)."""
        classes, found = self.probabilities(X)
        return classes[found.argmax(axis=1)]

    def _size(self, classes):
        return self.learner.multiplications + classes * self.learner.columns[1]

    def _trained(self, share):
        """Parameters, and the labels that they tell apart, from the examples of these numbers."""
        x, labels = self._X[share] / self.learner.scale, self._labels[share]
        classes, right = np.unique(labels, return_inverse=True)
        start = {
            **self.learner.parameters,
            "head": np.zeros((len(classes), self.learner.columns[1])),
            "offset": np.zeros(len(classes)),
        }

        def losses(parameters, rows):
            scores = logits(parameters, x[np.asarray(rows)])
            chosen = np.eye(len(classes))[right[np.asarray(rows)]]
            return ring.logsumexp(scores) - ring.sum(scores * chosen, -1)

        batch = min(self.batch_size, len(share))
        steps = -(-self.passes * len(share) // batch)
        run = TrainingRun(
            Model(start, losses),
            np.arange(len(share)),
            optimizer=self.optimizer,
            steps=steps,
            batch_size=batch,
            progress=False,
        )
        self.multiplications += 3 * steps * batch * self._size(len(classes))
        return run.model.parameters, classes


def logits(parameters, x):
    """Scores of the labels, (..., n, classes), of examples in units of the learner's scale."""
    z = embedded(parameters, x)
    return ring.linear(z, parameters["head"]) + parameters["offset"][..., None, :]
