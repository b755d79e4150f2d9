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


def rest(terms, typical, documents):
    """The estimated sum of the terms beyond the last, (points,); 0 where the rule does not apply.

    terms, typical: values and typical sizes of the Taylor terms, (degree + 1, points), degree 2 or
    higher (below that, nothing can be said and the result is 0). documents: how many documents are
    deleted, (points,).
    """
    if len(terms) < 3:
        return np.zeros(terms.shape[1])
    before, last = terms[-2:]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.nan_to_num(last / before)
        signs = np.sign(terms[1:])
    steady = (0.0 < ratio) & (ratio < LARGEST_RATIO) & np.all(signs == signs[-1], axis=0)
    coherent = np.all(np.abs(terms[-2:]) > STANDS_OUT * typical[-2:], axis=0)
    coherent &= np.asarray(documents) >= FEWEST
    ratio = np.where(steady & coherent, ratio, 0.0)
    return last * ratio / (1.0 - ratio)


@dataclasses.dataclass(frozen=True)
class Resummed:
    """The minimum norm, with the estimated rest of its series added; half of it is its error."""

    def estimate(self, output, moves):
        """See `averages`."""
        found = MinimumNorm().estimate(output, moves)
        extra = rest(found.terms, found.typical, _documents(moves, output.units.sizes))
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
