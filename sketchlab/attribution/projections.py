"""TRAK: influence of a linear model whose features are projected gradients.

Park et al. (2023, arXiv 2303.14186). The loss on document i is L_i = loss(f_i) with a score f_i, of
which is taken to be linear in the parameters: a regression with the gradients of f_i as rows, and
the trained parameters at its minimum. With g_i the gradient of L_i and q_i = |dL_i / df_i|, these
rows are g_i / q_i up to a sign that does not matter. R is a random matrix (P, k), d the gradient of
the output, Phi has the rows R' g_i / q_i:

    score_i = (R' d) . (Phi' Phi + damping)^-1 R' g_i,

positive where deletion raises the output. What q_i is depends on the loss, its `link`:

    cross_entropy   L = -log p, f = log(p / (1 - p)): q = 1 - p = 1 - exp(-L). The loss of microgpt
                    is a mean over letters: there p is the geometric mean probability of a letter
    squares         L = f^2 / 2, f a residual: q = sqrt(2 L)
    none            f = -L: q = 1. Phi' Phi is then the empirical Fisher matrix, summed

The matrix has no second derivative of the loss by the score (for cross-entropy p (1 - p)), which
the paper leaves out, too. For squares that is 1: with all parameters, damping the penalty and the
parameters at the minimum of sum_i L_i + penalty |w|^2 / 2, the scores are the exact influence.
Otherwise they are a `Ranking`. A weight decay of the run is not added: as training descends a mean,
it is a penalty of n times as much.

With several models the paper averages the products without q, and the q apart, each over models:
score_i = mean_m [(R' d) . (Phi' Phi + damping)^-1 R' g_i / q_i] mean_m [q_i], with a projection
for each model. Its last step, to set small scores to 0, is left out.
"""

import warnings

import numpy as np

from ..arguments import takes
from ..checks import check_choice, check_count, check_seed
from ..estimation.units import Units
from ..training.by_document import check_memory, document_gradients
from ..training.microgpt import MicroGPT
from ..training.models import Flat
from ..training.passes import check_output
from ..training.reverse import slope_of
from .ensembles import parameters_of
from .first_order import FirstOrder, check_functions
from .influence import as_asked
from .normal import NormalMatrix, check_damping
from .rankings import Ranking

LINKS = {  # q from the losses, and the q below which rounding hides g / q
    "cross_entropy": (lambda losses: -np.expm1(-losses), 1e-8),
    "squares": (lambda losses: np.sqrt(2 * losses), 1e-150),
    "none": (np.ones_like, 0.0),
}
DIMENSION = 1024


@takes()
def trak(
    run,
    outputs,
    *,
    dimension=DIMENSION,
    damping=None,
    models=None,
    seed=0,
    link=None,
    units=None,
    progress=True,
):
    """TRAK scores of outputs: a `Ranking`, or a list of them for a list of outputs.

    outputs: a function of a model, or a list of them, as for `first_order`. dimension: k, of the
    random projection, whose columns are orthogonal, of length sqrt(P / k); P is a rotation, which
    changes nothing but rounding; more than P, or None, leaves it out. damping: added to the
    diagonal of Phi' Phi, a sum over documents (n times what is added to a mean); default: its mean
    eigenvalue, see `NormalMatrix`. models: where gradients are taken, default run.model; a number
    of models to train on random halves, as the paper does, or what `halves` gives, or models of the
    run's kind. seed: of projections and halves. link: what loss it is, "cross_entropy" (default for
    microgpt), "squares" or "none". units: groups of documents deleted together (see `Units`).

    A `FirstOrder`, which predicts, for squares with all parameters and one model: that needs no
    scale. Else a `Ranking`, to which `scaled` can give one. Documents whose q is 0 up to rounding
    do not tell the gradient of their score: they have no row in Phi and count 0, at that model. A
    warning says how many.
    cost: the halves, and one gradient of every document and output for each model, shared by the
    outputs. Raises TypeError or ValueError, in words, for wrong settings; MemoryError before the
    work starts.
    """
    functions, units = check_functions(run, outputs), Units(units, len(run))
    size, link = Flat.of(run.initial.parameters).size, known_link(run, link)
    if dimension is not None and check_count(dimension, "dimension") > size:
        dimension = None
    k = size if dimension is None else dimension
    damping, seed = check_damping(damping), check_seed(seed)
    if dimension is not None:
        check_memory(3 * size * k, f"a random projection of {size} parameters to {k} numbers")
    check_memory(k * k + 2 * k * len(run), f"products of gradients in {k} dimensions")
    for function in functions:
        check_output(run, function)
    parameters, spent = parameters_of(run, models, seed=seed, progress=progress)
    products, weights, hidden = 0.0, 0.0, 0
    for number, flat in enumerate(parameters):
        matrix = None if dimension is None else projection(size, k, seed=(seed, number))
        found, q, lost = _scores(run, functions, flat, matrix, damping, link, progress)
        products, weights = products + found, weights + q
        hidden = max(hidden, lost)
    if hidden:
        warnings.warn(
            f"{hidden} of {len(run)} documents have a loss so near its least that the gradient of "
            "their score is lost in rounding: they have no row in the matrix, and count 0",
            stacklevel=2,
        )
    count = len(parameters)
    by_document = products * weights / count**2
    exact = link == "squares" and k == size and count == 1 and not hidden
    work = count * (len(run) / len(functions) + 1) / run.steps / run.batch_size
    reason = f"TRAK, {k} of {size} dimensions, {count} model{'s' if count > 1 else ''}"
    kind, cost = FirstOrder if exact else Ranking, spent / len(functions) + work
    return as_asked(run, outputs, functions, by_document, units, cost, kind, reason)


def projection(size, dimension, *, seed=0):
    """A random matrix (size, dimension) with orthogonal columns of length sqrt(size / dimension).

    The columns span a subspace drawn evenly: products of projected vectors are on average those of
    the vectors. With dimension = size it is a rotation.
    """
    normal = np.random.default_rng(seed).normal(size=(size, dimension))
    columns, triangle = np.linalg.qr(normal)
    return columns * (np.sign(np.diag(triangle)) * np.sqrt(size / dimension))


def known_link(run, link):
    """The name of the link; only microgpt says by itself what loss it has."""
    if link is None:
        if getattr(type(run.initial), "loss", None) is not MicroGPT.loss:
            raise ValueError(
                f"which loss this model has is not known ({run.initial!r}): give link="
                '"cross_entropy" for -log p, "squares" for half a squared residual, or "none"'
            )
        return "cross_entropy"
    return check_choice(link, LINKS, "link")


def _scores(run, functions, flat, matrix, damping, link, progress):
    """At one model: products without q, (outputs, n), q, (n,), and how many documents are lost."""
    named = Flat.of(run.initial.parameters).named(flat)
    losses = run.losses(run.initial.with_parameters(named))
    if not np.all(losses >= 0) and link != "none":
        raise ValueError(
            f'with link="{link}" losses are 0 or above; one is {np.min(losses):.3g}: give '
            'link="none"'
        )
    of_losses, least = LINKS[link]
    q = of_losses(losses)
    seen = q > least
    if not np.any(seen):
        raise ValueError("every loss is at its least: the gradients of the scores are not known")
    slopes = np.array([slope_of(run, function, named) for function in functions])
    slopes = slopes if matrix is None else slopes @ matrix
    rows = document_gradients(run, flat, projection=matrix, progress=progress)
    rows = rows[seen] / q[seen, None]
    found = np.zeros((len(functions), len(run)))
    found[:, seen] = NormalMatrix(rows, damping).along(slopes)
    return found, q, len(run) - np.count_nonzero(seen)
