"""How far a single gradient can be from retraining: the unlearning error of unrolled SGD.

T steps of SGD, w <- w - rate grad L(w), unroll around the initial parameters w_0:

    w_T = w_0 - rate sum_t g_t(w_0) + rate^2 sum_t sum_{s<t} H_t g_s(w_0) + ...

The method `single_gradient` undoes the second term, so the third is what it leaves. There are
(T^2 - T) / 2 products in it. With the largest |eigenvalue| sigma of the Hessians and the mean
gradient, |w_T - w_0| / (rate T), its size is at most about

    e = rate |w_T - w_0| / T * sigma * (T^2 - T) / 2,

which is exact to that order for a quadratic loss along its steepest direction. Thudi et al. (2022,
arXiv 2109.13398) write rate^2 where this has rate; their code has rate^2 |w_T - w_0| T / 2 times
the root of the largest eigenvalue. All three are computed, as figures that cite the one or the
other must say which. The first two order runs of one rate and length alike.
"""

from typing import NamedTuple

import numpy as np

from ..algebra import ring
from ..arguments import instance, of_shape, takes
from ..checks import check_count, check_indices, check_not_negative
from ..training.hessian import hessian
from ..training.microgpt import MicroGPT
from ..training.optimizers import InPlace
from .population import Models

TOLERANCE = 1e-3  # what is left of the eigenvalue's equation, relative to it
MOST_PRODUCTS = 200


class UnlearningError(NamedTuple):
    """The unlearning error, (models,): as derived, as in the paper, and as in its code.

    sigma: the largest |eigenvalue| of the Hessian, mean along training, (models,).
    """

    derived: np.ndarray
    paper: np.ndarray
    code: np.ndarray
    sigma: np.ndarray


@takes(models=instance(Models), points=check_count)
def unlearning_error(models, *, points=3, examples=None, seed=0):
    """The `UnlearningError` of models, from `train_seeds`.

    points: at how many states along training, both ends among them, the eigenvalue is taken. Their
    training is walked again for that. examples: numbers of the documents whose mean loss has this
    Hessian; default: all.
    """
    run = models.run
    steps, rate = run.steps, run.optimizer.learning_rate
    if check_count(points, "points") < 2:
        raise ValueError(f"points must be 2 or more, both ends of training, not {points}")
    if models.origin is not None or np.any(models.diverged):
        raise ValueError("give models that were trained, not unlearned, and that did not diverge")
    examples = np.arange(len(run)) if examples is None else check_indices(examples, len(run))
    if not len(examples):
        raise ValueError("examples is empty: give one or more")
    stops = set(np.unique(np.round(np.linspace(0, steps, points)).astype(int)))
    kept = np.ones((len(models), 1)) - run.indicator(list(models.without))[None]
    state = InPlace(run.initial.parameters, lambda _: models.starts.copy())
    sigmas = [largest_eigenvalue(run, state.flat, examples, seed=seed)]
    for step, _ in enumerate(run.walk(state, lambda i: kept[:, i]), start=1):
        if step in stops:
            sigmas.append(largest_eigenvalue(run, state.flat, examples, seed=seed))
    sigma = np.mean(sigmas, axis=0)
    moved = np.linalg.norm(models.flat - models.starts, axis=1)
    derived = rate * moved / steps * sigma * (steps**2 - steps) / 2
    code = rate**2 * moved * steps / 2 * np.sqrt(sigma)
    return UnlearningError(derived, rate * derived, code, sigma)


@takes(flat=of_shape(None, None))
def largest_eigenvalue(run, flat, examples, *, seed=0):
    """The largest |eigenvalue| of the Hessian of the mean loss, (models,), to a thousandth.

    flat: parameters, (models, P). examples: numbers of the documents that are averaged. By Lanczos'
    method from one random start; each model stops by itself, when what is left of its equation is
    small enough. Raises RuntimeError if one does not.
    """
    examples = check_indices(examples, len(run))
    if not len(examples) or not len(flat):
        raise ValueError("give one or more examples, and models")
    weights = np.bincount(examples, minlength=len(run)) / len(examples)
    product = hessian(run, flat, weights)
    start = np.random.default_rng(seed).normal(size=flat.shape[1])
    basis = np.tile(start / np.linalg.norm(start), (len(flat), 1, 1))  # (models, steps, P)
    found, diagonal, beside = np.full(len(flat), np.nan), [], []
    for step in range(min(MOST_PRODUCTS, flat.shape[1])):
        v = product(basis[:, -1])
        diagonal.append(np.sum(v * basis[:, -1], axis=1))
        for _ in range(2):  # once is not enough in floating point
            v = v - np.einsum("mk,mkp->mp", np.einsum("mkp,mp->mk", basis, v), basis)
        beside.append(np.linalg.norm(v, axis=1))
        matrix = np.zeros((len(flat), step + 1, step + 1))
        for i, value in enumerate(diagonal):
            matrix[:, i, i] = value
            if i < step:
                matrix[:, i, i + 1] = matrix[:, i + 1, i] = beside[i]
        values, vectors = np.linalg.eigh(matrix)
        rows, largest = np.arange(len(flat)), np.abs(values).argmax(axis=1)
        sizes = np.abs(values[rows, largest])
        left = beside[-1] * np.abs(vectors[rows, -1, largest])
        done = np.isnan(found) & (left <= TOLERANCE * sizes)
        found[done] = sizes[done]
        if step + 1 == flat.shape[1]:
            found[np.isnan(found)] = sizes[np.isnan(found)]  # all directions were seen
        if not np.any(np.isnan(found)):
            return found
        v = v / np.maximum(beside[-1], np.finfo(float).tiny)[:, None]
        basis = np.concatenate([basis, v[:, None]], axis=1)
    raise RuntimeError(
        f"the largest eigenvalue was not found with {MOST_PRODUCTS} products for "
        f"{np.count_nonzero(np.isnan(found))} of {len(flat)} models"
    )


class SDLoss(MicroGPT):
    """microgpt with the standard-deviation loss: cross-entropy + gamma * spread of the logits.

    The spread is the standard deviation of the logits over the letters, mean over the positions
    (Thudi et al. 2022, who find that it lowers the verification error and the unlearning error;
    their code also divides by the number of classes).
    """

    @takes(gamma=check_not_negative)
    def __init__(self, model, gamma):
        if not isinstance(model, MicroGPT):
            raise TypeError(f"the SD loss is of a microgpt, such as run.initial, not {model!r}")
        if not 0 <= gamma < np.inf:
            raise ValueError(f"gamma must be a finite number, 0 or above, not {gamma!r}")
        super().__init__(model.parameters, model.vocabulary, model.heads, model.activation)
        self.gamma = float(gamma)

    def fresh(self, seed):
        """The same kind of model with other random parameters."""
        return SDLoss(super().fresh(seed), self.gamma)

    def loss(self, doc):
        """Cross-entropy and spread of a document, in nats, (*batch,)."""
        read, right = self.sequence(doc)
        logits = self.logits(read)
        apart = logits - ring.mean(logits, -1)[..., None]
        spread = ring.sqrt(ring.mean(apart * apart, -1))
        return ring.cross_entropy(logits, right) + self.gamma * ring.mean(spread, -1)

    def settings(self):
        """What besides the parameters makes the model, as JSON values."""
        return {**super().settings(), "kind": "microgpt, SD loss", "gamma": self.gamma}
