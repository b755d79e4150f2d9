"""Data-Banzhaf and Data-Shapley values: the mean effect of deleting a unit among random others.

For a function f of the set D of deleted units, and every unit u, both are means of

    f(D + u) - f(D),    D a random set of other units,

so that a positive value says that deleting the unit raises the output, as everywhere here. Data
Banzhaf (Wang and Jia 2022, arXiv 2205.15466): every other unit is in D with probability 1/2. Data
Shapley (Ghorbani and Zou 2019, arXiv 1904.02868): D is what stands before u in a random order, so
that the values add up to f(all deleted) - f(nothing deleted). Neither is the effect of deleting
the unit alone, unless effects add up.
"""

import dataclasses
import itertools
import warnings

import numpy as np
from scipy import stats

from ..arguments import instance, takes
from ..checks import check_count, check_seed
from .retraining import Baseline, Retrained, check_task, find, retrained

FEWEST = 2  # retrainings with and without a unit, and pairs of orders: fewer have no standard error
UNLIKELY = 1e-6  # for deletions that are random halves
FEW_UNITS = 5  # of which all orders are taken: there are at most 2^5 sets
MOST = 3000  # retrainings that are begun without being asked for by most=


@dataclasses.dataclass(frozen=True, eq=False)
class Semivalues(Baseline):
    """Values of all units for one output, and the additive rule that they make.

    values, errors: the values and their standard errors, (units,), in the output's unit. known:
    the retrainings that they were made from. As a predictor it is a `Baseline`.
    """

    values: np.ndarray
    errors: np.ndarray


@takes(n=check_count, count=check_count, rng=instance(np.random.Generator))
def random_halves(n, count, rng):
    """Deletions in which every unit is deleted with probability 1/2: down-weights, (count, n).

    rng: a `numpy.random.Generator`. The sizes differ, as `banzhaf` needs it; `random_deletions`
    has fixed ones.
    """
    return rng.integers(0, 2, (check_count(count, "count"), check_count(n, "n"))).astype(float)


def banzhaf(known):
    """Data-Banzhaf values from random halves: a list of `Semivalues`, one for each `Retrained`.

    known: a list of `Retrained` after `random_halves` of the units. The value of a unit is the
    mean of the output over the retrainings that delete it minus that over those that keep it: each
    retraining counts for every unit (maximum sample reuse, Wang and Jia 2022). Its standard error
    is that of a difference of two means; the effects of all other units are noise in it, so it
    falls only as 2 sd(output) / sqrt(retrainings).

    The rule adds to each value the same shift, now + sum of x_u (value_u + shift), with the shift
    that makes the retrainings right on average. Without it the sum is right with nothing deleted
    but not for halves; a fitted constant instead would be right for halves but wrong by as much for
    the deletion of one unit as for none. Rankings of deletions of one size do not depend on it.

    Raises ValueError for deletions that are not whole, that random halves would not be (fixed
    sizes, other shares), and for a unit deleted or kept in fewer than two retrainings.
    """
    if (
        not isinstance(known, (list, tuple))
        or not known
        or not all(isinstance(one, Retrained) for one in known)
    ):
        raise TypeError("known must be a list of Retrained, from retrained(run, outputs, ...)")
    return [_banzhaf(one) for one in known]


def _banzhaf(known):
    x, y = known.deletions, known.values
    _check_halves(x, known.units.names)
    gone = x.sum(axis=0)
    kept = len(x) - gone
    y = y - known.now  # a large constant would cost digits
    means = x.T @ y / gone, (1 - x).T @ y / kept
    squares = [
        np.sum(part * (y[:, None] - mean) ** 2, axis=0)
        for part, mean in zip((x, 1 - x), means, strict=True)
    ]
    values = means[0] - means[1]
    errors = np.sqrt(squares[0] / (gone - 1) / gone + squares[1] / (kept - 1) / kept)
    shift = np.sum(y - x @ values) / np.sum(x)
    return Semivalues(
        known, lambda rows: known.now + rows @ (values + shift), "Banzhaf values", values, errors
    )


def _check_halves(x, names):
    """Raise ValueError for deletions that random halves would not be, or too few."""
    if not np.all((x == 0) | (x == 1)):
        raise ValueError("Banzhaf values need deletions of whole units, down-weights 0 and 1")
    m, n = x.shape
    gone, sizes = x.sum(axis=0), x.sum(axis=1)
    few = np.flatnonzero((gone < FEWEST) | (m - gone < FEWEST))
    if len(few):
        u = few[0]
        raise ValueError(
            f"unit {names[u]!r} is deleted in {gone[u]:.0f} of {m} retrainings: each unit must be "
            f"deleted in at least {FEWEST} and kept in at least {FEWEST}; give more random_halves"
        )
    share = sizes.sum() / (m * n)
    score = abs(share - 0.5) * 2 * np.sqrt(m * n)
    spread = 4 / n * np.sum((sizes - n / 2) ** 2)  # chi-squared of m degrees of freedom, nearly
    same = np.sum(stats.binom.pmf(np.arange(n + 1), n, 0.5) ** m) if np.ptp(sizes) == 0 else 1.0
    chance = min(2 * stats.norm.sf(score), stats.chi2.sf(spread, m), same)
    if chance < UNLIKELY:
        raise ValueError(
            f"Banzhaf values need deletions of each unit with probability 1/2, by random_halves: "
            f"here {share:.0%} are deleted, {sizes.min():.0f} to {sizes.max():.0f} of the {n} "
            "units; for other deletions there is regression(...)"
        )


@takes()
def shapley(run, outputs, permutations=8, *, units=None, seed=0, most=MOST, jobs=1, progress=True):
    """Data-Shapley values from retrainings along random orders: a list of `Semivalues`.

    outputs: a list of functions of a model that return one number. permutations: orders in which
    the units are deleted one after another, an even number, 4 or more: every second one is the
    reverse of the one before, which makes the values exact where only pairs interact; up to five
    units have all their orders, so that the values are exact. units: groups deleted together (see
    `Units`), a few: each order takes as many retrainings as there are units.
    seed: of the orders. most: of the retrainings; equal sets are trained once. jobs: processes.

    The standard errors are those of a mean over the pairs of orders: of few pairs they are too
    narrow as a rule. That of a unit is infinite, not known, if it is deleted after the same others
    in all pairs, as where it stands at an end of each. The values add up to the
    output with everything deleted minus that with nothing deleted, whatever the orders. The end of
    every order is the run with everything deleted: its gradients are zero, and without weight decay
    the model keeps its initial parameters. So the values share out all that training did, and half
    of their weight is on models that saw little. The rule is now + sum of x_u value_u: right also
    for everything deleted.

    Raises ValueError for an odd number of orders, and if it would take more than `most`
    retrainings.
    """
    n = len(check_task(run, outputs, units))
    orders = random_orders(n, permutations, seed)
    count = len(orders)
    needed = count * (n - 1) + 1
    needed = min(needed, 2**n - 1) if n < 60 else needed
    if needed > check_count(most, "most"):
        raise ValueError(
            f"{count} orders of {n} units take up to {needed} retrainings, more than most={most}: "
            "group the documents by units=, give fewer permutations, or a higher most="
        )
    before = np.argsort(orders, axis=1)  # the place of every unit in every order
    gone = (before[:, None, :] <= np.arange(n)[:, None]).astype(float)  # (orders, steps, units)
    x = np.unique(gone.reshape(-1, n), axis=0)
    whole = np.all(x == 1, axis=1)
    settings = {"units": units, "progress": progress}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="every example is deleted")
        last = retrained(run, outputs, x[whole], jobs=1, **settings)
    found = retrained(run, outputs, x[~whole], jobs=jobs, **settings)
    return [_shapley(_joined(one, end), gone, orders) for one, end in zip(found, last, strict=True)]


def random_orders(n, count, seed):
    """Random orders of n units, (count, n): each second one is the reverse of that before it.

    Up to five units have all their orders instead: few random ones could be the same by chance,
    and would seem to be exact.
    """
    if check_count(count, "permutations") % 2 or count < 2 * FEWEST:
        raise ValueError(
            f"permutations must be even, {2 * FEWEST} or more (orders come with their reverse, and "
            f"one pair has no standard error), not {count}"
        )
    rng = np.random.default_rng(check_seed(seed))
    if n <= FEW_UNITS:
        return np.array(list(itertools.permutations(range(n))))
    orders = [rng.permutation(n) for _ in range(count // 2)]
    return np.array([one for order in orders for one in (order, order[::-1])])


def _joined(known, last):
    return dataclasses.replace(
        known,
        deletions=np.concatenate([known.deletions.reshape(-1, len(known.units)), last.deletions]),
        values=np.concatenate([known.values, last.values]),
    )


def _shapley(known, gone, orders):
    """The values from what is known of all sets of the orders, gone: (orders, steps, units)."""
    count, n = orders.shape
    place = find(gone.reshape(-1, n), known.deletions)
    along = np.column_stack([np.full(count, known.now), known.values[place].reshape(count, n)])
    each = np.empty((count, n))
    np.put_along_axis(each, orders, np.diff(along, axis=1), axis=1)
    values, errors = each.mean(axis=0), np.zeros(n)
    if n > FEW_UNITS:
        errors = stats.sem(each.reshape(count // 2, 2, n).mean(axis=1), axis=0)
        errors[_same_in_all_pairs(orders)] = np.inf
    return Semivalues(
        known, lambda rows: known.now + rows @ values, "Shapley values", values, errors
    )


def _same_in_all_pairs(orders):
    """Which units are deleted after the same sets of others in every pair of orders, (n,)."""
    place = np.argsort(orders, axis=1)
    before = place[:, None, :] < place[:, :, None]  # (orders, units, others)
    one, reverse = before[::2], before[1]
    return np.all(np.all(one == one[0], axis=2) | np.all(one == reverse, axis=2), axis=0)
