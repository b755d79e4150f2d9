"""A model that learns in context: one layer of attention over examples with labels.

An example x is embedded as z = B tanh(A x + a). Asked for the label of x, the model attends to the
examples of its prompt with weights proportional to exp(-|z - z_j|^2): the scores of attention, with
queries 2 z and keys z_j, and -|z_j|^2 added. The values are the labels, so the weights of equal
labels add up to a probability. Nothing of the model depends on what the labels are: it learns new
ones from its prompt. What is learned before, in `pretrain`, is how to embed.
"""

import dataclasses

import numpy as np

from ..algebra import ring
from ..arguments import kinds_array, takes
from ..checks import check_count, check_seed, real_array
from ..training.fingerprints import digest
from ..training.models import Model
from ..training.optimizers import Adam
from ..training.runs import TrainingRun

DOUBT = 0.01  # the share of a probability that is spread over all labels, while learning
KINDS = "iuUb"  # of labels: integers, strings, True and False
PART = 4096  # examples that are embedded at a time


@dataclasses.dataclass(frozen=True)
class Learner:
    """The model: `scale`, of the data, and parameters A, "hidden", (h, d), a, "bias", (h,), and B,
    "out", (m, h)."""

    parameters: dict
    scale: float

    def __repr__(self):
        return f"Learner({self.columns[0]} columns, embedded in {self.columns[1]})"

    @property
    def columns(self):
        """Columns of an example and of what it is embedded as: d and m."""
        return self.parameters["hidden"].shape[1], self.parameters["out"].shape[0]

    @property
    def multiplications(self):
        """Multiplications to embed one example."""
        return self.parameters["hidden"].size + self.parameters["out"].size

    def fingerprint(self):
        """What tells it from other models: the SHA-256 sum of its parameters and its scale."""
        return digest({**self.parameters, "scale": np.array(self.scale)})

    def embed(self, X):
        """Examples, (n, d), as points, (n, m). Each is what it is alone, bit for bit."""
        X, m = self.scaled(X), self.columns[1]
        parts = [X[i : i + PART, None, :] for i in range(0, len(X), PART)]
        found = [embedded(self.parameters, part)[:, 0] for part in parts]
        return np.concatenate([np.zeros((0, m)), *found])

    def scaled(self, X):
        """Examples, (n, d), in units of `scale`; ValueError for what are none."""
        return real_array(X, "examples", None, self.columns[0]) / self.scale

    def attention(self, keys, queries):
        """Weights of the points of a prompt, (k, m), for points asked about, (n, m): (n, k)."""
        keys, queries = (
            real_array(points, what, None, self.columns[1])
            for points, what in ((keys, "keys"), (queries, "queries"))
        )
        return ring.softmax(scores(queries, keys))

    def probabilities(self, keys, labels, queries):
        """The labels in a prompt, sorted, and the probability of each: (n, labels)."""
        weights = self.attention(keys, queries)
        classes, which = np.unique(as_labels(labels), return_inverse=True)
        if which.shape != weights.shape[1:]:
            raise ValueError(
                f"give one label for each of {weights.shape[1]} keys, not {len(which)}"
            )
        return classes, weights @ np.eye(len(classes))[which]


def embedded(parameters, x):
    """Examples x, (..., n, d), as points, (..., n, m)."""
    bias = parameters["bias"][..., None, :]
    return ring.linear(ring.tanh(ring.linear(x, parameters["hidden"]) + bias), parameters["out"])


def scores(queries, keys):
    """-|z - z_j|^2 but for a term that is the same for all j: (..., n, k)."""
    squares = ring.sum(keys * keys, -1)[..., None, :]
    return 2.0 * ring.matmul(queries, ring.swapaxes(keys, -1, -2)) - squares


def as_labels(y):
    """Labels as an array, (n,), of integers or strings; ValueError where one is missing."""
    each = np.asarray(None if isinstance(y, (np.ma.MaskedArray, str)) else y, dtype=object)
    if each.ndim != 1:
        raise ValueError(f"labels must have shape (n,), one for each example, not {each.shape}")
    missing = [
        place
        for place, label in enumerate(each)
        if label is None or label != label or (isinstance(label, str) and not label.strip())
    ]
    if missing:
        raise ValueError(
            f"{len(missing)} of {len(each)} labels are missing, the first is number {missing[0]}: "
            "every example needs one"
        )
    kinds = {(isinstance(label, str), isinstance(label, (bool, np.bool_))) for label in each}
    labels = kinds_array(each.tolist(), "labels")
    if labels.dtype.kind not in KINDS or len(kinds) != 1:
        raise ValueError(
            f"labels must all be integers, or all be strings, not such as {each[:3].tolist()}"
        )
    return labels


def check_learner(learner):
    """Return the learner, or raise TypeError if it is none."""
    if not isinstance(learner, Learner):
        raise TypeError(f"learner must be a Learner, such as pretrain() makes, not {learner!r}")
    return learner


@dataclasses.dataclass(frozen=True)
class Tasks:
    """Tasks to learn in context: telling apart some classes, from some examples of each.

    items: examples, (classes, each, d). A task is an array of their numbers, (ways, shots). Every
    example in turn is asked about, and the others are the prompt.
    """

    items: np.ndarray

    def drawn(self, count, ways, shots, rng):
        """Tasks of classes and examples drawn at random, (count, ways, shots)."""
        classes, each = self.items.shape[:2]
        chosen = rng.random((count, classes)).argpartition(ways - 1, axis=1)[:, :ways]
        inside = rng.random((count, ways, each)).argpartition(shots - 1, axis=2)[..., :shots]
        return chosen[..., None] * each + inside

    def losses(self, parameters, tasks):
        """The mean of -log probability of the right labels of every task."""
        tasks = np.asarray(tasks)
        ways, shots = tasks.shape[1:]
        x = self.items.reshape(-1, self.items.shape[-1])[tasks.reshape(-1)]
        z = embedded(parameters, x)
        z = ring.reshape(z, (*np.shape(z)[:-2], len(tasks), ways * shots, np.shape(z)[-1]))
        labels = np.repeat(np.arange(ways), shots)
        others = ~np.eye(ways * shots, dtype=bool)
        weights = ring.softmax(scores(z, z), where=others)
        right = ring.sum(weights * ((labels[:, None] == labels) & others), -1)
        return ring.mean(-ring.log((1.0 - DOUBT) * right + DOUBT / ways), -1)


@takes()
def pretrain(
    items,
    *,
    ways=10,
    shots=5,
    steps=6000,
    batch_size=8,
    hidden=128,
    columns=16,
    seed=0,
    progress=True,
):
    """A `Learner` that learned to learn: from tasks of telling apart classes of items.

    items: examples of many classes, (classes, each, d), at least `ways` classes of `shots`
    examples, as many of each. All columns are divided by one scale: where their units differ,
    standardize them first, with constants that do not come from what is to be forgotten.
    Every step takes `batch_size` new tasks. hidden, columns: h and m.
    """
    items = real_array(items, "items")
    counts = {"ways": ways, "shots": shots, "steps": steps, "batch_size": batch_size}
    counts |= {"hidden": hidden, "columns": columns}
    for name, value in counts.items():
        check_count(value, name)
    if items.ndim != 3 or items.shape[0] < ways or items.shape[1] < shots or shots < 2:
        raise ValueError(
            f"tasks of ways={ways} classes with shots={shots} examples (at least 2) need items of "
            f"shape (classes, each, d) with as many of both, not {items.shape}"
        )
    if not np.any(items):
        raise ValueError("items must be numbers that are not all 0")
    rng = np.random.default_rng(check_seed(seed))
    scale = 2.0 * float(np.sqrt(np.mean(items**2)))
    tasks = Tasks(items / scale)
    start = {
        "hidden": 2.4 * rng.normal(size=(hidden, items.shape[2])) / np.sqrt(items.shape[2]),
        "bias": np.zeros(hidden),
        "out": rng.normal(size=(columns, hidden)) / np.sqrt(hidden),
    }
    run = TrainingRun(
        Model(start, tasks.losses),
        tasks.drawn(steps * batch_size, ways, shots, rng),
        optimizer=Adam(),
        batch_size=batch_size,
        progress=progress,
    )
    return Learner(run.model.parameters, scale)
