"""Resummation: what the Taylor terms beyond the last one are likely to add.

Deleting similar documents acts like 1 / (1 - q z): the terms have one sign and fall by a steady
ratio q. From the last two terms, q = t_K / t_{K-1}, the rest of such a series is t_K q / (1 - q)
(Aitken's extrapolation; for K = 2 the Pade approximant [1/1]). For a random deletion there is no
such law, and the same formula does harm. The two are told apart by size: a term that adds up
coherently is many times as large as the typical one at its distance, the prior scale that the
minimum-norm estimate finds. The rule is used only where the last two terms stand out like that. For
a few documents that says nothing, as each has a large effect of its own: there it is not used.
"""

import dataclasses

import numpy as np

from .minimum_norm import MinimumNorm

STANDS_OUT = 6.0  # times the typical size
FEWEST = 10  # documents
LARGEST_RATIO = 0.8


def rest(terms, typical, documents, last=None):
    """The estimated sum of the terms beyond the last, (points,); 0 where the rule does not apply.

    terms, typical: values and typical sizes of the Taylor terms, (degree + 1, points).
    documents: how many documents are deleted, (points,). last: the degree of the last known term
    at each point, (points,); default: all are known. Below 2 nothing can be said.
    """
    points = np.arange(terms.shape[1])
    if len(terms) < 3:
        return np.zeros(len(points))
    last = np.full(len(points), len(terms) - 1) if last is None else np.asarray(last)
    enough, last = last >= 2, np.maximum(last, 1)
    sign = np.sign(terms[last, points])
    beyond = np.arange(len(terms))[:, None] > last
    same = np.all((np.sign(terms) == sign)[1:] | beyond[1:], axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.nan_to_num(terms[last, points] / terms[last - 1, points])
    steady = enough & same & (0.0 < ratio) & (ratio < LARGEST_RATIO)
    stands_out = np.abs(terms) > STANDS_OUT * typical
    coherent = stands_out[last, points] & stands_out[last - 1, points]
    coherent &= np.asarray(documents) >= FEWEST
    ratio = np.where(steady & coherent, ratio, 0.0)
    return terms[last, points] * ratio / (1.0 - ratio)


@dataclasses.dataclass(frozen=True)
class Resummed:
    """The minimum norm, with the estimated rest of its series added; half of it is its error."""

    def estimate(self, output, moves):
        """See `averages`."""
        found = MinimumNorm().estimate(output, moves)
        documents = _documents(moves, output.units.sizes)
        extra = rest(found.terms, found.typical, documents, found.last)
        return dataclasses.replace(
            found,
            total=found.total + extra,
            error=np.hypot(found.error, 0.5 * extra),
            reason=found.reason + ("; resummed" if np.any(extra) else ""),
        )


def _documents(moves, sizes):
    """The effective number of documents that a displacement moves, whatever its length.

    Rounded, as the same deletion must count the same at every down-weight.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nan_to_num((np.abs(moves) @ sizes) ** 2 / (moves**2 @ sizes)).round(6)
