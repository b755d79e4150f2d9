"""Adapting a model by gradient descent, and forgetting by training again: whole, or in shards.

What exact unlearning is compared with. The learner's embedding, with a linear layer for the labels
on top, is trained further on the examples. To forget one, the training is done again from its start
without it. With shards (SISA: Bourtoule et al. 2021, arXiv 1912.03817) the examples are dealt out,
a model is trained on each shard, and the models' mean probability answers: to forget an example,
one of them is trained again. Slices within shards are left out.
"""

import numpy as np

from ..algebra import ring
from ..arguments import takes
from ..checks import check_count, check_positive, check_seed
from ..training.models import Model
from ..training.optimizers import SGD
from ..training.runs import TrainingRun
from .learner import as_labels, check_learner, embedded


class FineTuned:
    """A learner's embedding, trained further on examples with labels, `passes` times over them.

    shards: models that are trained, each on its share of the examples. seed: of the order of the
    examples, and of their shards.

    multiplications: those of fitting and forgetting, so far. A step back is counted as two forward.
    """

    @takes(
        shards=check_count, passes=check_count, learning_rate=check_positive, batch_size=check_count
    )
    def __init__(self, learner, *, shards=1, passes=10, learning_rate=0.1, batch_size=8, seed=0):
        self.learner, self.optimizer = check_learner(learner), SGD(learning_rate, schedule="linear")
        self.shards, self.passes, self.batch_size = (
            check_count(value, what)
            for value, what in ((shards, "shards"), (passes, "passes"), (batch_size, "batch_size"))
        )
        self.seed, self.multiplications = check_seed(seed), 0
        self._X = self._labels = self._shares = None
        self._models = []

    def fit(self, X, y):
        """Train on examples, (n, d), with labels, (n,), of integers or strings; returns self."""
        X, labels = self.learner.scaled(X), as_labels(y)
        if len(labels) != len(X) or len(X) < self.shards:
            raise ValueError(
                f"{len(X)} examples and {len(labels)} labels in {self.shards} shards: there must "
                "be one label for each example, and an example for each shard"
            )
        order = np.random.default_rng(self.seed).permutation(len(X))
        shares = [order[i :: self.shards] for i in range(self.shards)]
        models = [self._trained(X[share], labels[share]) for share in shares]
        self._X, self._labels, self._shares, self._models = X, labels, shares, models
        return self

    def forget(self, number):
        """Train again without the example of this number, all of the models that saw it."""
        number = check_seed(number, "the number of an example")
        self._fitted()
        places = [i for i, share in enumerate(self._shares) if number in share]
        if not places:
            raise ValueError(f"example {number} is not there (any more)")
        (place,) = places
        share = self._shares[place][self._shares[place] != number]
        if not len(share):
            raise ValueError(f"example {number} is the last one of its shard")
        self._models[place] = self._trained(self._X[share], self._labels[share])
        self._shares[place], self._X[number] = share, 0.0

    @property
    def per_query(self):
        """Multiplications to answer one question."""
        return sum(self._size(len(classes)) for _, classes in self._fitted())

    def probabilities(self, X):
        """Labels, sorted, and the mean probability of each over the shards: (n, labels)."""
        every = np.unique(np.concatenate([classes for _, classes in self._fitted()]))
        X = self.learner.scaled(X)
        found = np.zeros((len(X), len(every)))
        for parameters, classes in self._models:
            scores = logits(parameters, X)
            found[:, np.searchsorted(every, classes)] += ring.softmax(scores) / self.shards
        return every, found

    def predict(self, X):
        """The most probable label of each example, (n,)."""
        classes, found = self.probabilities(X)
        return classes[found.argmax(axis=1)]

    def _fitted(self):
        if not self._models:
            raise ValueError("there is no model yet: call fit first")
        return self._models

    def _size(self, classes):
        return self.learner.multiplications + classes * self.learner.columns[1]

    def _trained(self, x, labels):
        """Parameters, and the labels that they tell apart, from scaled examples in their order."""
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

        batch = min(self.batch_size, len(x))
        steps = -(-self.passes * len(x) // batch)
        run = TrainingRun(
            Model(start, losses),
            np.arange(len(x)),
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
