"""Minimum norm: exact where the jets determine the forms, shrinking and calibrated where not."""

import math

import numpy as np
import pytest

import sketchlab as sl
from sketchlab import ring
from sketchlab.estimation import minimum_norm, resummation
from sketchlab.estimation.directions import Directions
from sketchlab.estimation.units import Units


def form_output(n, degree, m, *, seed=0, design="orthonormal", units=None):
    """A function with random forms of every degree, its sketch, and its terms at a point."""
    vectors = np.random.default_rng(seed).normal(size=(degree, 4, n)) / math.sqrt(n)

    def function(x):
        total = 1.0 + 0.0 * x[..., 0]
        for r in range(1, degree + 1):
            for vector in vectors[r - 1]:
                total = total + ring.power(ring.matmul(x, vector), r)
        return total

    def terms(x):
        return np.array([1.0, *(((vectors[r] @ x) ** (r + 1)).sum() for r in range(degree))])

    output = sl.local_sketch(function, n, degree, m, seed=seed, design=design)
    return output, terms


@pytest.mark.parametrize("n, degree", [(1, 2), (3, 3), (6, 2), (5, 3)])
@pytest.mark.parametrize("design", ["orthonormal", "independent"])
def test_exact_as_soon_as_the_equations_determine_the_form(n, degree, design):
    """With 2m = C(n+r-1, r) or more, every term up to r is exact and its error is 0."""
    m = math.ceil(math.comb(n + degree - 1, degree) / 2) + 1
    output, terms = form_output(n, degree, m, design=design)
    x = np.random.default_rng(5).normal(size=n)
    found = output.predict(x, estimator="minimum_norm")
    np.testing.assert_allclose([t.value for t in found.terms], terms(x), atol=1e-8)
    assert all(term.error == 0 for term in found.terms)


def test_it_satisfies_its_equations_with_the_smallest_form():
    """Re and Im of every c_r are reproduced, and no form that does so has a smaller norm."""
    n, m, r = 6, 7, 2  # 14 equations, 21 unknowns
    output, _ = form_output(n, r, m)
    found = minimum_norm.forms(output)
    matrix = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            e = np.eye(n)[i] + np.eye(n)[j]
            pair = found.at(np.array([e, np.eye(n)[i], np.eye(n)[j]]))[0][2]
            matrix[i, j] = (pair[0] - pair[1] - pair[2]) / 2
    psi = output.directions.vectors
    np.testing.assert_allclose(
        np.einsum("zi,ij,zj->z", psi, matrix, psi), output.coefficients[2], atol=1e-10
    )
    # any symmetric matrix that all equations ignore is orthogonal to the solution
    equations = np.concatenate(
        [
            part.reshape(m, -1)
            for part in (lambda o: (o.real, o.imag))(np.einsum("zi,zj->zij", psi, psi))
        ]
    )
    symmetric = np.array([np.outer(a, b) + np.outer(b, a) for a in np.eye(n) for b in np.eye(n)])
    symmetric = symmetric.reshape(-1, n * n)
    null = np.linalg.svd(equations @ symmetric.T)[2][len(equations) :] @ symmetric
    np.testing.assert_allclose(null @ matrix.ravel(), 0, atol=1e-9)


def test_bands_cover_forms_drawn_from_the_prior():
    """For random Gaussian forms, 90% of the 90% bands contain the term; errors are not trivial."""
    n, m, inside, ratio = 8, 8, [], []
    for seed in range(120):
        draw = np.random.default_rng(seed)
        matrix = draw.normal(size=(n, n))
        matrix = (matrix + matrix.T) / 2
        output = sl.local_sketch(
            lambda x, a=matrix: ring.sum(ring.matmul(x, a) * x, -1), n, 2, m, seed=seed
        )
        x = draw.normal(size=n)
        term, error, prior = (part[2, 0] for part in minimum_norm.forms(output).at(x[None]))
        inside.append(abs(term - x @ matrix @ x) < 1.645 * error)
        ratio.append(error / prior)
    assert 0.82 < np.mean(inside) < 0.97
    assert 0.3 < np.mean(ratio) < 0.95  # 16 equations for 36 unknowns: partly known


def test_many_more_unknowns_than_equations_shrink_to_zero():
    """With n far above m the terms are near 0, and the error says how much is not known."""
    output, terms = form_output(400, 2, 10)
    x = np.zeros(400)
    x[:20] = 1.0
    solved = output.predict(x, estimator="minimum_norm")
    plain = output.predict(x, estimator="mean")
    change = terms(x).sum() - terms(x)[0]
    assert abs(solved.change) < 0.1 * abs(change)
    assert abs(change) < 1.645 * solved.error < 0.2 * plain.error


def test_sizes_of_units_weigh_the_norm():
    """One equation for two units: the change goes to the larger unit in proportion to its size."""
    units = Units([0, 0, 0, 1], 4)
    along = Directions(np.array([[0.6, 0.6]]), units)
    gradient = minimum_norm.gradients(along, np.array([[1.0 + 0j]]))[:, 0]
    assert gradient[0] == pytest.approx(3 * gradient[1])
    assert 0.6 * gradient.sum() == pytest.approx(1.0)


# ---- resummation -----------------------------------------------------------------------------


def test_a_geometric_series_is_summed_exactly():
    """Terms q^r beyond the last add up to q^(K+1) / (1 - q)."""
    for q in (0.1, 0.5, 0.75):
        terms = q ** np.arange(4)[:, None]
        rest = resummation.rest(terms, 1e-9 * terms, [20])
        assert rest[0] == pytest.approx(q**4 / (1 - q), rel=1e-12)


@pytest.mark.parametrize(
    "terms, typical",
    [
        ([1, 0.5, -0.25, 0.125], 1e-6),  # alternating
        ([1, 0.1, 0.2, 0.3], 1e-6),  # growing
        ([1, 0.5, 0.25, 0.24], 1e-6),  # nearly a pole
        ([1, 0.5, 0.25, 0.125], 0.1),  # not larger than typical
        ([1, 0.5, 0.0, 0.0], 1e-6),  # nothing left
        ([1, 0.5], 1e-6),  # too few
    ],
)
def test_resummation_leaves_alone_what_has_no_law(terms, typical):
    """The guard: no change unless the terms are steady and stand out."""
    terms = np.array(terms, float)[:, None]
    assert resummation.rest(terms, np.full_like(terms, typical), [20])[0] == 0


def test_resummation_leaves_alone_a_few_documents():
    """Fewer than ten have large effects of their own, by no law."""
    terms = 0.5 ** np.arange(4)[:, None] * np.ones(2)
    found = resummation.rest(terms, 1e-9 * terms, [9, 10])
    np.testing.assert_allclose(found, [0, 0.125])


def pole_output():
    """1 / (1 - 0.06 x_0 - ... - 0.06 x_9) and a little more, and the vector of its slopes."""
    vector = np.zeros(14)
    vector[:10] = 0.06

    def function(x):
        return 1.0 / (1.0 - ring.matmul(x, vector)) + 1e-4 * ring.sum(x * x * x, -1)

    return sl.local_sketch(function, 14, 3, 290, seed=1), vector


def test_resummed_predictions_follow_a_pole():
    """1 / (1 - 0.6 x) along one strong direction: the rest of the series is recovered."""
    output, vector = pole_output()
    exact = 1 / (1 - 0.6)
    x = (vector > 0).astype(float)
    cut = output.predict(x, estimator="minimum_norm")
    summed = output.predict(x, estimator="resummed")
    assert abs(summed.value - exact) < 0.6 * abs(cut.value - exact)
    assert "resummed" in summed.reason


def test_resummation_looks_at_each_deletion_alone():
    """Also where the jets know more of some than of others."""
    vector = np.where(np.arange(60) < 30, 0.02, 0.0)
    output = sl.local_sketch(lambda x: 1.0 / (1.0 - ring.matmul(x, vector)), 60, 3, 200)
    rng = np.random.default_rng(0)
    rows = [(vector > 0).astype(float), *np.eye(60)[[0, 1, 40]]]
    rows += [np.isin(np.arange(60), rng.choice(60, size, False)) for size in (1, 5, 20)]
    rows = np.array([*rows, 0.5 * np.array(rows[0])], float)
    together = output.predict(rows, estimator="resummed")
    for i, row in enumerate(rows):
        alone = output.predict(row, estimator="resummed")
        np.testing.assert_allclose(together.value[i], alone.value, rtol=1e-12)
        np.testing.assert_allclose(together.error[i], alone.error, rtol=1e-9)


def test_terms_left_out_count_as_error():
    """Cut to degree 1, the known term of degree 2 is the error, besides what the whole leaves."""
    output, terms = form_output(4, 2, 12)  # 24 equations determine 4 and 10 unknowns
    x = np.random.default_rng(5).normal(size=4)
    whole = output.predict(x, estimator="minimum_norm")
    cut = output.part(degree=1).predict(x, estimator="minimum_norm")
    assert cut.value == pytest.approx(terms(x)[:2].sum(), abs=1e-10)
    assert cut.error == pytest.approx(math.hypot(whole.error, terms(x)[2]), rel=1e-8)
    assert cut.degree == 1


def test_the_last_known_term_bounds_the_ones_beyond():
    """A deletion with large terms gets an error of the size of the last one, degree 2 or higher."""
    output, terms = form_output(4, 2, 12)
    for x in np.random.default_rng(5).normal(size=(5, 4)):
        for scale in (1.0, 10.0):
            found = output.predict(scale * x, estimator="minimum_norm")
            assert found.error >= abs(terms(scale * x)[2]) * (1 - 1e-9)


def test_what_is_unknown_grows_with_the_term_before():
    """Six unknowns of degree 2 are open; along the gradient the first term is far from usual."""
    n, m = 12, 6  # 12 equations determine the linear form and leave most of the quadratic one open
    output, _ = form_output(n, 2, m)
    gradient = minimum_norm.gradients(output.directions, output.coefficients[1][:, None])[:, 0]
    along = gradient / np.linalg.norm(gradient)
    other = np.random.default_rng(5).normal(size=n)
    across = other - (other @ along) * along
    across /= np.linalg.norm(across)
    terms, errors, priors = minimum_norm.forms(output).at(np.array([along, across]))
    found = output.predict([along, across], estimator="minimum_norm")
    times = abs(terms[1]) / priors[1]
    assert times[0] == pytest.approx(math.sqrt(n), rel=0.5) and times[1] < 1e-6
    assert found[0].terms[2].error == pytest.approx(times[0] * errors[2, 0])
    assert found[1].terms[2].error == pytest.approx(errors[2, 1])


def test_resummation_does_not_start_along_a_curve():
    """How many documents count does not depend on their down-weight, so curves have no jumps."""
    output, vector = pole_output()
    weights = [0.01, 0.1, 1.0]
    for documents, applies in ((10, True), (9, False)):
        x = np.cumsum(vector > 0) <= documents
        x = (x & (vector > 0)).astype(float)
        summed, cut = (
            output.curve(weights, down_weights=x, estimator=name).value
            for name in ("resummed", "minimum_norm")
        )
        assert np.all((summed - cut > 0) == applies)


FUNCTIONS = {  # of three down-weights, with a degree at which the jets see nothing of the rest
    "exponential, degree 1": (lambda x: ring.exp(ring.sum(x, -1)), 1),
    "square, degree 1": (lambda x: ring.sum(x, -1) ** 2, 1),
    "cosine, degree 3": (
        lambda x: 1.0 - ring.power(ring.sum(x, -1), 2) / 2 + ring.power(ring.sum(x, -1), 4) / 24,
        3,
    ),
    "sine, degree 2": (lambda x: ring.sum(x, -1) - ring.power(ring.sum(x, -1), 3) / 6, 2),
    "sum and fourth power, degree 3": (
        lambda x: ring.sum(x, -1) + 0.1 * ring.power(ring.sum(x, -1), 4),
        3,
    ),
    "product of three, degree 2": (lambda x: 1.0 + x[..., 0] * x[..., 1] * x[..., 2], 2),
    "third power, degree 2": (lambda x: ring.power(ring.sum(x, -1), 3), 2),
}


@pytest.mark.parametrize("estimator", ["mean", "median_of_means", "minimum_norm", "resummed"])
@pytest.mark.parametrize("case", FUNCTIONS)
def test_no_error_is_zero_where_the_rest_is_not_known(case, estimator):
    """The band is infinite at degree 1, and holds the truth where a coefficient vanishes."""
    function, degree = FUNCTIONS[case]
    output = sl.local_sketch(function, 3, degree, 400)
    x = np.array([0.5, 0.3, 0.4])
    found = output.predict(x, estimator=estimator)
    assert found.low < function(x) < found.high
    nothing_seen = degree == 1 or case in ("product of three, degree 2", "third power, degree 2")
    assert (found.error == np.inf) == nothing_seen
    part = output.part(degree=1, directions=200).predict(x, estimator=estimator)
    assert part.error > 0
    nothing = output.predict(np.zeros(3), estimator=estimator)
    assert (nothing.error, nothing.low, nothing.high) == (0, nothing.value, nothing.value)
