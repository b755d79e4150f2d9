"""Regression on exact retrainings after deletions that were drawn at random.

Ridge, lasso and kernel ridge regression, the last with products of down-weights or with a Gaussian
kernel (a kernel surrogate, as in arXiv 2602.03783). They are scikit-learn's, which is imported when
it is used: it comes with the extra lab of sketchlab alone.
"""

import numpy as np

from ..arguments import instance, list_of, takes
from ..checks import check_choice, check_count, check_degree
from .retraining import Baseline, Retrained

FOLDS, LASSO_FOLDS = 3, 4
FEWEST = {  # retrainings: the kernels' settings are chosen by R^2, which takes two in each fold
    "ridge": 2,
    "lasso": LASSO_FOLDS,
    "kernel_ridge": 2 * FOLDS,
    "rbf_kernel_ridge": 2 * FOLDS,
}
WIDTHS = (0.01, 0.03, 0.1, 0.3, 1.0)  # of Gaussian kernels, gamma times the median squared distance
MOST_APART = 1000  # deletions whose distances are measured


@takes(degree=check_count, known=list_of(instance(Retrained)))
def regression(known, kind="ridge", degree=1):
    """Regression on exact retrainings: a `Baseline` for each `Retrained`.

    known: a list of `Retrained` of the same deletions, for instance `random_deletions`. kind: a
    name in `REGRESSIONS`. degree: of the products of down-weights that are added up. The penalty is
    chosen by cross-validation: for lasso for every output, else one for all of them.
    "rbf_kernel_ridge" has the kernel exp(-gamma |x - x'|^2), which adds up no products: its degree
    is 1. gamma is `WIDTHS` over the median squared distance between two of the deletions, so that
    it does not depend on their number of units; it too is chosen by cross-validation.
    Raises ValueError for fewer retrainings than its kind needs, see `FEWEST`, and ImportError if
    scikit-learn is not installed.
    """
    check_choice(kind, REGRESSIONS, "kind")
    if check_degree(degree) < 1:
        raise ValueError("degree must be 1 or higher: degree 0 predicts no change at all")
    x = known[0].deletions
    if not all(np.array_equal(one.deletions, x) for one in known):
        raise ValueError("the outputs of a regression must be known after the same deletions")
    if len(x) < FEWEST[kind]:
        raise ValueError(
            f"{kind} needs {FEWEST[kind]} retrainings or more, to choose its penalty by "
            f"cross-validation: there are {len(x)}"
        )
    try:
        import sklearn  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "regression on retrainings needs scikit-learn, which comes only with the extra lab of "
            "sketchlab: install it with pip install scikit-learn"
        ) from error
    rules = REGRESSIONS[kind](x, np.stack([one.values for one in known], axis=-1), degree)
    reason = f"{kind.replace('_', ' ')} regression of degree {degree}"
    return [Baseline(one, rule, reason) for one, rule in zip(known, rules, strict=True)]


def _ridge(x, y, degree):
    from sklearn import linear_model

    polynomial, features = _polynomial(x, degree)
    model = linear_model.RidgeCV(np.logspace(-4, 4, 17)).fit(features, y)
    return _columns(lambda moves: model.predict(polynomial.transform(moves)), y)


def _lasso(x, y, degree):
    from sklearn import linear_model

    polynomial, features = _polynomial(x, degree)
    models = [
        linear_model.LassoCV(alphas=20, cv=LASSO_FOLDS, max_iter=5000).fit(features, column)
        for column in y.T
    ]
    return [
        lambda moves, model=model: model.predict(polynomial.transform(moves)) for model in models
    ]


def _kernel_ridge(x, y, degree):
    """All monomials of a degree, by their kernel."""
    from sklearn import kernel_ridge, model_selection

    mean = y.mean(axis=0)
    grid = {"gamma": [0.01, 0.001], "alpha": [1e-3, 1e-2, 1e-1, 1.0, 10.0]}
    model = model_selection.GridSearchCV(
        kernel_ridge.KernelRidge(kernel="poly", degree=degree, coef0=1.0), grid, cv=FOLDS
    ).fit(x, y - mean)
    return _columns(lambda moves: model.predict(moves) + mean, y)


def _rbf_kernel_ridge(x, y, degree):
    """The Gaussian kernel, of a width relative to how far the deletions are apart."""
    from scipy.spatial import distance
    from sklearn import kernel_ridge, model_selection

    if degree != 1:
        raise ValueError(
            f"a Gaussian kernel has no degree: leave degree out for rbf_kernel_ridge, not {degree}"
        )
    some = x[:: -(-len(x) // MOST_APART)]
    apart = np.median(distance.pdist(some, "sqeuclidean")) if len(x) > 1 else 0.0
    if not apart > 0:
        raise ValueError(
            "most of the deletions are the same: the width of a Gaussian kernel needs deletions "
            "that differ, such as random_deletions(...)"
        )
    mean = y.mean(axis=0)
    grid = {"gamma": [width / apart for width in WIDTHS], "alpha": np.logspace(-6, 0, 7)}
    model = model_selection.GridSearchCV(
        kernel_ridge.KernelRidge(kernel="rbf"), grid, cv=FOLDS
    ).fit(x, y - mean)
    return _columns(lambda moves: model.predict(moves) + mean, y)


REGRESSIONS = {
    "ridge": _ridge,
    "lasso": _lasso,
    "kernel_ridge": _kernel_ridge,
    "rbf_kernel_ridge": _rbf_kernel_ridge,
}


def _polynomial(x, degree):
    from sklearn import preprocessing

    polynomial = preprocessing.PolynomialFeatures(degree, interaction_only=True, include_bias=False)
    return polynomial, polynomial.fit_transform(x)


def _columns(predict, y):
    """A rule for every column of what a model of all outputs predicts."""
    return [
        lambda moves, column=column: np.reshape(predict(moves), (len(moves), -1))[:, column]
        for column in range(y.shape[1])
    ]
