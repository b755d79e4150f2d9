"""ERASE: adapt a model by its prompt, so that examples can be forgotten exactly.

Muresanu et al. (2024, arXiv 2402.00751). Examples with labels are embedded by a model that stays
as it is, and clustered by quantized k-means; those nearest to the centroids, with their labels, are
the prompt. All that depends on the examples is the clusters and the prompt, so an example is
forgotten when both are what they would be without it.

Of its clusters that is certified mostly (`QuantizedKMeans`). The prompt depends on one example more
only if it is in it: then the next nearest takes its place.
"""

import numpy as np

from ..arguments import check_path, takes
from ..checks import check_count, real_array
from . import saved
from .kmeans import QuantizedKMeans
from .learner import as_labels, check_learner


class Erase:
    """A learner with a prompt from which examples can be forgotten, and to which they are added.

    learner: a `Learner`. clusters: k, the most examples in the prompt. width, gamma, iterations,
    seed: of the `QuantizedKMeans` of the embedded examples. Neither these nor the learner may be
    chosen by looking at the examples. A width far above their spread makes a poor prompt.

    Every state equals a run from scratch. It is also distributed as one if what is deleted is not
    chosen by looking at the prompt or the seed.

    multiplications: those of fitting, forgetting and adding, so far.
    """

    @takes(clusters=check_count, iterations=check_count)
    def __init__(self, learner, clusters, width, *, gamma=0.2, iterations=3, seed=0):
        self.learner, self._labels, self._chosen = check_learner(learner), None, None
        self.clusters = QuantizedKMeans(
            clusters, width, gamma=gamma, iterations=iterations, seed=seed
        )
        self._embedded = self._compared = 0

    def __len__(self):
        return len(self.clusters)

    def __repr__(self):
        return f"Erase({self.clusters!r})"

    def fit(self, X, y):
        """Adapt to examples, (n, d), with labels, (n,), of integers or strings; returns self."""
        labels, points = as_labels(y), self.learner.embed(X)
        if len(labels) != len(points):
            raise ValueError(f"{len(points)} examples need as many labels, there are {len(labels)}")
        self.clusters.fit(points)
        self._labels, self._chosen = labels.tolist(), None
        self._embedded += len(labels)
        self._choose()
        return self

    def forget(self, number):
        """Forget the example of this number: the `Certificate` of its clusters.

        Raises ValueError, and changes nothing, if there is no such example (any more), or if fewer
        examples than clusters would be left.
        """
        chosen, self._chosen = self._chosen, None  # all is chosen again, if this is cut short
        certificate = self.clusters.forget(number)
        self._labels[int(number)] = None
        if certificate.certified and chosen is not None:
            self._chosen = np.where(chosen == int(number), -1, chosen)
        self._choose()
        return certificate

    def add(self, x, label):
        """Add an example, (d,), with its label, and the next number: the `Certificate`."""
        self._fitted()
        (label,) = as_labels([label]).tolist()
        if isinstance(label, str) != isinstance(self._kept()[0], str):
            raise ValueError(f"the label {label!r} is of another kind than {self._kept()[0]!r}")
        x, number = real_array(x, "one example, added at a time,", None), len(self._labels)
        point = self.learner.embed(x[None])[0]
        chosen, self._chosen = self._chosen, None
        self._labels.append(label)
        try:
            certificate = self.clusters.add(point)
        except BaseException:
            self._labels.pop()
            raise
        self._embedded += 1
        if certificate.certified and chosen is not None:
            far = self.clusters.distances([*chosen, number])
            nearer = far[-1] < np.diagonal(far)
            self._chosen = np.where(nearer, number, chosen)
            self._compared += far.size
        self._choose()
        return certificate

    def refit(self):
        """The run from scratch on the examples that are left, with the same seed: another one."""
        self._fitted()
        new = Erase(self.learner, self.clusters.clusters, self.clusters.width)
        new.clusters, new._labels = self.clusters.refit(), list(self._labels)
        new._choose()
        return new

    @property
    def prompt(self):
        """The numbers of the examples in the prompt, in order, each once."""
        self._fitted()
        self._choose()
        return np.unique(self._chosen)

    @property
    def labels(self):
        """The labels of the examples in the prompt."""
        return np.array([self._labels[number] for number in self.prompt])

    @property
    def multiplications(self):
        """Multiplications of fitting, forgetting and adding so far."""
        distances = self.clusters.operations + self._compared
        return self._embedded * self.learner.multiplications + distances * self.learner.columns[1]

    @property
    def per_query(self):
        """Multiplications to answer one question."""
        return self.learner.multiplications + len(self.prompt) * self.learner.columns[1]

    def probabilities(self, X):
        """The labels in the prompt, sorted, and their probabilities for examples: (n, labels)."""
        keys = self.clusters.points(self.prompt)
        return self.learner.probabilities(keys, self.labels, self.learner.embed(X))

    def predict(self, X):
        """The most probable label of each example, (n,)."""
        classes, found = self.probabilities(X)
        return classes[found.argmax(axis=1)]

    def state(self):
        """All that there is of it but the learner, as a dict of arrays: nothing of what is gone."""
        return {
            **self.clusters.state(),
            "prompt": self.prompt,
            "labels": np.array(self._kept()),
            "learner": np.array(self.learner.fingerprint()),
        }

    @takes(path=check_path)
    def save(self, path):
        """Write the state to a file, .npz; what was there is replaced when all is written."""
        saved.write(path, self.state())

    @classmethod
    @takes(path=check_path)
    def open(cls, path, learner):
        """Open a saved state, with the learner that it was made with."""
        check_learner(learner)

        def made(state):
            if str(state["learner"]) != learner.fingerprint():
                raise ValueError("it was made with another learner")
            new = cls(learner, 1, 1.0)
            new.clusters = QuantizedKMeans.from_state(state)
            new._labels = [None] * int(state["settings"][3])
            for number, label in zip(new.clusters.numbers, as_labels(state["labels"]), strict=True):
                new._labels[number] = label.item()
            new._choose()
            if not np.array_equal(new.prompt, state["prompt"]):
                raise ValueError("its prompt is not that of its clusters")
            return new

        return saved.read(path, made, "ERASE")

    def _kept(self):
        return [self._labels[number] for number in self.clusters.numbers]

    def _fitted(self):
        if self._labels is None:
            raise ValueError("there are no examples yet: call fit first")

    def _choose(self):
        """Find the examples nearest to the centroids that have none."""
        if self._chosen is None:
            self._chosen = np.full(self.clusters.clusters, -1)
        missing = np.flatnonzero(self._chosen < 0)
        if len(missing):
            self._chosen[missing] = self.clusters.representatives(missing)
            self._compared += len(missing) * len(self)
