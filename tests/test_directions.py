"""Random directions: reproducible one by one, and uniform on the sphere up to sixth moments."""

import itertools
import math

import numpy as np
import pytest

from sketchlab import directions
from sketchlab.estimation.units import Units

SIGMAS = 5  # a correct mean is this many standard errors off with probability below 1e-6


@pytest.mark.parametrize("n", [1, 2, 7, 300])
def test_directions_have_length_one(n):
    """Every row is a complex vector of length 1."""
    psi = directions.sphere(n, 50, seed=3)
    assert psi.shape == (50, n) and psi.dtype == complex
    np.testing.assert_allclose(np.linalg.norm(psi, axis=1), 1.0, rtol=1e-14)


def test_a_direction_depends_on_the_seed_and_its_number_alone():
    """Extending, starting later, reordering and repeating change no direction by a single bit."""
    psi = directions.sphere(6, 20, seed=5)
    np.testing.assert_array_equal(directions.sphere(6, 90, seed=5)[:20], psi)
    np.testing.assert_array_equal(directions.sphere(6, 8, seed=5, start=12), psi[12:])
    for numbers in ([19, 3, 3, 0], np.array([7, 2]), range(4, 9)):
        np.testing.assert_array_equal(
            directions.independent(6, numbers, seed=5), psi[list(numbers)]
        )
    assert directions.independent(6, [], seed=5).shape == (0, 6)


def test_other_seeds_and_other_numbers_give_other_directions():
    """No two of the directions of several seeds coincide, not even up to a factor."""
    psi = np.concatenate([directions.sphere(6, 30, seed=seed) for seed in (0, 1, 2, 12345)])
    overlaps = np.abs(psi.conj() @ psi.T) - np.eye(len(psi))
    assert overlaps.max() < 0.99


@pytest.mark.parametrize("n, degree", list(itertools.product([1, 2, 3, 6], range(6))))
def test_symmetric_dimension_counts_the_monomials(n, degree):
    """There are as many symmetric forms as monomials of the degree in n variables."""
    count = len(list(itertools.combinations_with_replacement(range(n), degree)))
    assert directions.symmetric_dimension(n, degree) == count


def projection_entry(i, j):
    """Entry (i, j) of P_sym: the share of the permutations of j that equal i."""
    if len(i) != len(j):
        return 0.0
    return sum(i == p for p in itertools.permutations(j)) / math.factorial(len(i))


@pytest.mark.parametrize("n", [2, 3, 5])
def test_moments_are_the_projection_on_symmetric_tensors(n):
    """E[psi^r conj(psi)^s] is 0 for r != s, and P_sym / C(n+r-1, r) for r = s, entry by entry."""
    count = 20_000
    psi = directions.sphere(n, count, seed=11)
    for r, s in itertools.product(range(4), repeat=2):
        size = math.comb(n + r - 1, r)
        for i in itertools.combinations_with_replacement(range(n), r):
            for j in itertools.combinations_with_replacement(range(n), s):
                values = psi[:, list(i)].prod(axis=1) * psi[:, list(j)].conj().prod(axis=1)
                expected = projection_entry(i, j) / size
                for part, mean in ((values.real, expected), (values.imag, 0.0)):
                    error = part.std() / math.sqrt(count)
                    assert abs(part.mean() - mean) < SIGMAS * error + 1e-12, (r, s, i, j)


def test_the_sphere_is_uniform_under_rotations():
    """A coordinate along any unitary axis has |psi|^2 distributed as Beta(1, n - 1)."""
    n, count = 4, 20_000
    psi = directions.sphere(n, count, seed=2)
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.normal(size=(n, n)) + 1j * rng.normal(size=(n, n)))[0]
    for axis in (*np.eye(n), *axes.T):
        squares = np.sort(np.abs(psi @ axis) ** 2)
        distance = np.abs(1 - (1 - squares) ** (n - 1) - np.arange(count) / count).max()
        assert distance < 2.4 / math.sqrt(count)  # Kolmogorov: exceeded with probability 2e-5


# ---- the orthonormal design ------------------------------------------------------------------


@pytest.mark.parametrize("n, count", [(1, 3), (2, 5), (5, 7), (40, 45), (41, 20)])
def test_orthonormal_planes_within_a_block(n, count):
    """Unit length; real and imaginary parts of different directions of a block are orthogonal."""
    psi = directions.orthonormal(n, range(count), seed=3)
    np.testing.assert_allclose(np.linalg.norm(psi, axis=1), 1, rtol=1e-12)
    size = n // 2
    for start in range(0, count, max(size, 1)):
        block = psi[start : start + max(size, 1)]
        for i in range(len(block)):
            for j in range(i):
                products = (
                    np.array([block[i].real, block[i].imag])
                    @ np.array([block[j].real, block[j].imag]).T
                )
                np.testing.assert_allclose(products, 0, atol=1e-12)


def test_orthonormal_directions_depend_on_seed_and_number_alone():
    """Any subset in any order gives the same rows; more directions extend; seeds differ."""
    psi = directions.orthonormal(6, range(10), seed=1)
    np.testing.assert_array_equal(directions.orthonormal(6, [7, 2], seed=1), psi[[7, 2]])
    assert np.abs(directions.orthonormal(6, range(10), seed=2) - psi).min() > 1e-6


@pytest.mark.parametrize("n", [2, 3, 6])
def test_each_orthonormal_direction_is_uniform(n):
    """Moments of degree 2 in psi and conj psi are those of the sphere; E (psi^T psi)^2 is 0."""
    count = 6000
    psi = directions.orthonormal(n, range(count), seed=5)
    fourth = np.abs(psi[:, 0]) ** 4  # E = 2 / (n (n+1))
    mixed = (psi[:, 0] * psi[:, 1].conj()) ** 2  # E = 0
    size = np.abs((psi**2).sum(1)) ** 2  # E |psi^T psi|^2 = 2 / (n+1), not 0
    for samples, exact in ((fourth, 2 / (n * (n + 1))), (mixed.real, 0), (size, 2 / (n + 1))):
        assert abs(samples.mean() - exact) < 5 * samples.std() / np.sqrt(count)


def test_directions_over_nested_units_are_stretched_and_their_duals_undo_it():
    """Along the indicators by STRETCH, not at all across; <dual, x> is <psi, x> unstretched."""
    units = Units({"ab": [0, 1], "bc": [1, 2], "same": [0, 1]}, 6)
    plain = directions.draw(Units(None, 6), range(4), seed=3).vectors
    drawn = directions.draw(units, range(4), seed=3)
    for group in ([1, 1, 0, 0, 0, 0], [0, 1, 1, 0, 0, 0]):
        np.testing.assert_allclose(drawn.vectors @ group, 100 * plain @ group, rtol=1e-11)
        np.testing.assert_allclose(drawn.duals @ group, plain @ group / 100, rtol=1e-9)
    for across in ([0, 0, 0, 1, 0, 0], [1, -1, 1, 0, 0, 0]):
        np.testing.assert_allclose(drawn.vectors @ across, plain @ across, rtol=1e-10)
        np.testing.assert_allclose(drawn.duals @ across, plain @ across, rtol=1e-9)
    first = drawn.first(2)
    assert len(first) == 2 and drawn.first(2) is first
    np.testing.assert_array_equal(first.duals, drawn.duals[:2])


def test_directions_cannot_be_changed_in_place_and_fit_their_units():
    """What is kept for them would grow stale."""
    drawn = directions.draw(Units(None, 3), range(2))
    with pytest.raises(ValueError, match="read-only"):
        drawn.vectors[0] = 0
    with pytest.raises(ValueError, match="one column for each of the 4 units, not 3"):
        directions.Directions(drawn.vectors, Units(None, 4))
    with pytest.raises(ValueError, match="design must be one of orthonormal, independent, not 'x'"):
        directions.draw(Units(None, 3), range(2), design="x")
