"""Influence at the trained parameters alone: training is not walked again.

With the gradients g_i of the loss on document i and d of an output, both at the trained parameters,

    gradient_products   d output / d x_i = r_i d . g_i. Training moved the parameters by -r_i g_i
                        on account of document i if its gradient was always what it is at the end:
                        TracIn (Pruthi et al. 2020, arXiv 2002.08484) at the last checkpoint.
    influence           d output / d x_i = w_i d . (H + damping)^-1 g_i. Training ended at a minimum
                        of sum_i w_i L_i, which moves when document i is left out; H is its Hessian
                        (Koh and Liang 2017, arXiv 1703.04730).

The gradient by the matrix of a linear layer is a sum over positions of the signal that comes back
to its outputs times the activation that went into it, so that products of gradients are sums, over
pairs of positions, of products of activations times products of signals: the activation-gradient
products of Zagardo (2024, arXiv 2406.09391).

d . g_i for all outputs d at once is the first coefficient of the losses along d, a jet; no gradient
of a document is ever made. `first_order` has what both leave out: how training went there.
"""

import numpy as np

from ..algebra.jet import Jet
from ..arguments import check_text, list_of, one_of, takes
from ..checks import check_not_negative, check_positive
from ..estimation.units import Units
from ..progress import progress_bar
from ..training.hessian import gauss_newton, hessian
from ..training.models import Flat
from ..training.optimizers import SGD
from ..training.passes import check_output
from ..training.reverse import slope_of
from ..training.runs import BATCH
from .first_order import FirstOrder, check_functions
from .rankings import Ranking

TOLERANCE = 1e-6  # of a solution: what is left of an equation, relative to its right side
MOST_PRODUCTS = 1000  # with the matrix, to get there
EIGENVALUE = 1e-2  # relative error of the lowest one, at most
BASIS = 64  # vectors that it is sought in: it has many neighbours, which fewer do not tell apart
DENSE = 32  # parameters up to which the matrix is made to find it
CURVATURES = {"hessian": hessian, "gauss_newton": gauss_newton}


@takes(rate=check_positive)
def gradient_products(run, outputs, *, only=None, rate=None, units=None, progress=True):
    """Products of the gradients of outputs and of documents: a `FirstOrder`, or a list of them.

    outputs: a function of a model, or a list of them, as for `first_order`. only: the names of the
    parameters whose gradients are taken, such as ("wte", "wpe"), the embedding of microgpt, or
    ("lm_head",), its output layer; default: all. rate: what each step is taken to have moved the
    parameters by, for a gradient of 1. Default: what the steps of `sl.SGD` did, with their
    momentum, schedule and weight decay. After Adam no such number exists: without rate= (then 1)
    the result is a `Ranking`, which refuses to predict (`scaled` gives it a scale). units: groups
    of documents deleted together (see `Units`).
    """
    functions, units = check_functions(run, outputs), Units(units, len(run))
    axis = Flat.of(run.initial.parameters)
    kept = _columns(axis, only)
    scaled = rate is not None or isinstance(run.optimizer, SGD)
    if rate is None and scaled:
        moved = _moved_by_sgd(run)
    else:
        rate = 1.0 if rate is None else rate
        if not 0 < rate < np.inf:
            raise ValueError(f"rate must be a number above 0, not {rate!r}")
        moved = rate * _times(run) / run.batch_size
    by_document = _along(run, slopes(run, functions) * kept, progress) * moved
    part = "" if only is None else f" of {', '.join(only)}"
    cost = np.count_nonzero(moved) / run.steps / run.batch_size
    kind, reason = FirstOrder if scaled else Ranking, f"gradient products{part}"
    return as_asked(run, outputs, functions, by_document, units, cost, kind, reason)


@takes(damping=check_not_negative, curvature=one_of(*CURVATURES))
def influence(run, outputs, *, damping, curvature="hessian", units=None, progress=True):
    """Influence functions of outputs: a `FirstOrder`, or a list of them for a list of outputs.

    outputs: a function of a model, or a list of them, as for `first_order`. damping: what is added
    to the diagonal of the Hessian, 0 or above. There is no right one but 0, at a minimum: the
    larger it is, the smaller is the influence, and the more it is like gradient products. The
    weight decay of the run is part of what it minimises, and is added as well. curvature:
    "hessian", or "gauss_newton", for microgpt, which has no negative eigenvalues. units: groups of
    documents deleted together (see `Units`).

    The equations are solved by conjugate gradients, all outputs as one system. Raises ValueError if
    the matrix turns out to curve down, so that the trained model is near no minimum and damping too
    small (`lowest_curvature` says by how much), RuntimeError if the solution is not found.
    cost: of each product, which takes a jet of degree 1 through the gradient of every document, as
    three gradients.
    """
    functions, units = check_functions(run, outputs), Units(units, len(run))
    if not 0 <= damping < np.inf:
        raise ValueError(f"damping must be a number, 0 or above, not {damping!r}")
    product, weights, products = _matrix(run, curvature), mean_weights(run), 0

    with progress_bar(None, progress, unit="product") as bar:

        def counted(v):
            nonlocal products
            products += 1
            bar.update()
            return product(v) + damping * v

        solved = _solved(counted, slopes(run, functions), damping, curvature)
    by_document = _along(run, solved, progress) * weights
    reason = f"influence, {curvature.replace('_', '-')}, damping {damping:g}"
    cost = (3 * products + 1) * _share(run)
    return as_asked(run, outputs, functions, by_document, units, cost, FirstOrder, reason)


@takes()
def lowest_curvature(run):
    """The lowest eigenvalue of the Hessian of `influence`, without damping.

    If it is below 0, damping must be above its size for the matrix to be positive definite. To 1%
    of itself, or of the root mean square of all eigenvalues where that is more.
    """
    return lowest_and_cost(run)[0]


def lowest_and_cost(run):
    """The same, and what it cost in trainings: of each product as in `influence`."""
    matrix, size, products = _matrix(run, "hessian"), Flat.of(run.initial.parameters).size, 0

    def product(v):
        nonlocal products
        products += len(v)
        return matrix(v)

    lowest = _lowest(product, size)
    return lowest, float(3 * products * _share(run))


def _lowest(product, size):
    if size <= DENSE:
        return float(np.linalg.eigvalsh(product(np.eye(size)))[0])
    from scipy.sparse.linalg import LinearOperator, eigsh  # slow to import

    start = np.random.default_rng(0).normal(size=size)
    # Less its usual size, so that a lowest eigenvalue of 0, whose 1% is 0, can be found.
    usual = np.linalg.norm(product(start[None])) / np.linalg.norm(start)
    if usual == 0:
        return 0.0
    matrix = LinearOperator(
        (size, size), lambda v: product(v.reshape(1, -1))[0] - usual * v.ravel()
    )
    settings = {"tol": EIGENVALUE, "ncv": min(size, BASIS), "return_eigenvectors": False}
    return float(eigsh(matrix, 1, which="SA", v0=start, **settings)[0] + usual)


def _matrix(run, curvature):
    """The function v -> second derivative v of what training descends, (outputs, P)."""
    if curvature not in CURVATURES:
        raise ValueError(f"curvature must be one of {', '.join(CURVATURES)}, not {curvature!r}")
    flat = Flat.of(run.initial.parameters).flat(run.model.parameters)[None]
    product = CURVATURES[curvature](run, flat, mean_weights(run))
    decay = getattr(run.optimizer, "weight_decay", 0.0)
    return lambda v: product(v) + decay * v


def _solved(product, right, damping, curvature):
    """The solutions s of product(s) = right, one per row, by conjugate gradients.

    All rows are one vector, so that their products are taken side by side. Each right side is
    divided by its length, so that none is solved less well.
    """
    from scipy.sparse.linalg import LinearOperator, cg  # slow to import

    lengths = np.linalg.norm(right, axis=1, keepdims=True)
    lengths[lengths == 0] = 1.0
    right = right / lengths

    def checked(flat):
        v = flat.reshape(right.shape)
        image = product(v)
        curves, squares = np.sum(v * image, axis=1), np.sum(v * v, axis=1)
        lowest = np.min(curves[squares > 0] / squares[squares > 0], initial=np.inf)
        if not lowest > 0:
            raise ValueError(
                f"the {curvature.replace('_', '-')} matrix with damping {damping:g} is not "
                f"positive definite: along one direction it is {lowest:.3g}, so that the trained "
                f"model is at no minimum. Give a damping above {damping - lowest:.3g} at the very "
                "least; one above -lowest_curvature(run) is enough"
            )
        return image.ravel()

    size = right.size
    matrix = LinearOperator((size, size), matvec=checked, dtype=float)
    goal = TOLERANCE / np.sqrt(len(right))
    found, failed = cg(matrix, right.ravel(), rtol=goal, maxiter=MOST_PRODUCTS)
    solution = found.reshape(right.shape)
    left = np.max(np.linalg.norm(product(solution) - right, axis=1))
    if failed or not left <= 10 * TOLERANCE:
        raise RuntimeError(
            f"conjugate gradients did not find the influence: after {MOST_PRODUCTS} products at "
            f"most, {left:.1g} of an equation is left, and {TOLERANCE:g} is allowed. Give a larger "
            f"damping than {damping:g}"
        )
    return solution * lengths


def slopes(run, functions):
    """The gradients of outputs at the trained parameters, (outputs, P)."""
    for function in functions:
        check_output(run, function)
    return np.array([slope_of(run, function, run.model.parameters) for function in functions])


def _along(run, directions, progress):
    """Products of directions, (outputs, P), with the gradient of every document, (outputs, n)."""
    axis, found = Flat.of(run.initial.parameters), np.empty((len(directions), len(run)))
    line = Jet.line(axis.flat(run.model.parameters)[None], directions, 1)
    model = run.initial.with_parameters(axis.named(line))
    with progress_bar(len(run), progress, unit="document") as bar:
        for start in range(0, len(run), BATCH):
            part = np.arange(start, min(start + BATCH, len(run)))
            found[:, part] = model.losses(run.examples(part)).tail[0]
            bar.update(len(part))
    return found


def _columns(axis, only):
    """1 where the flat axis has the named parameters, 0 elsewhere, (P,)."""
    names = list(axis.shapes)
    only = names if only is None else list_of(check_text)(only, "only")
    kept = np.zeros(axis.size)
    for name in only:
        if name not in axis.shapes:
            raise ValueError(f"there is no parameter {name!r}, only {', '.join(names)}")
        kept[axis.columns[name]] = 1.0
    return kept


def _times(run):
    """How many steps trained on each document, (n,)."""
    return np.bincount(
        np.concatenate([run.examples_of(step) for step in range(run.steps)]), minlength=len(run)
    ).astype(float)


def mean_weights(run):
    """What the losses are multiplied by in the mean that training descends, (n,)."""
    times = _times(run)
    return times / times.sum()


def _share(run):
    """Gradients of all documents that training is on, in trainings."""
    return np.count_nonzero(_times(run)) / run.steps / run.batch_size


def _moved_by_sgd(run):
    """How far a gradient of -1 on a document, at every step on it, moves a parameter, (n,).

    By the optimiser itself, which is linear: on one parameter for every document.
    """
    parameters, state = np.zeros(len(run)), 0.0
    for step in range(run.steps):
        gradient = np.zeros(len(run))
        gradient[run.examples_of(step)] = -1.0 / run.batch_size
        parameters, state = run.optimizer.update(step, run.steps, parameters, gradient, state)
    return parameters


def as_asked(run, outputs, functions, by_document, units, cost, kind, reason):
    """The scores of all outputs, as they were asked for. cost: of each."""
    by_unit = np.zeros((len(functions), len(units)))
    np.add.at(by_unit, (..., units.of_document), by_document)
    if not np.all(np.isfinite(by_unit)):
        raise FloatingPointError("the products of the gradients are not finite")
    found = []
    for function, gradient in zip(functions, by_unit, strict=True):
        now, at = float(function(run.model)), np.zeros(len(units))
        bounds = getattr(function, "bounds", (-np.inf, np.inf))
        about = (getattr(function, "unit", ""), bounds, cost, reason)
        found.append(kind(now, gradient, units, at, now, *about))
    return found[0] if callable(outputs) else found
