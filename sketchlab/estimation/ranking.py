"""Which retraining next? Deletions in the order in which knowing them narrows a band the most.

Before anything is retrained, the Gaussian process of the posterior knows how much each retraining
would say: if f(c) becomes known, the variance of f(q) falls by cov(f(q), f(c))^2 / var f(c). With
the best candidate taken as known, the next is sought, and so on. A gradient at c says how f(q)
bends along c: the squared length of what is open of q falls by the square of its part along c.
"""

import numpy as np

from .posterior import process

TIE = 1e-9  # of the largest gain


def retrainings(output, candidates, questions):
    """Candidates in greedy order, (c,), and the mean stated error before and after each, (c + 1,).

    candidates, questions: down-weights, (c, n) and (q, n).
    """
    both = np.concatenate([candidates, questions]) - output.at
    covariance = process(output).covariance(both)
    count = len(candidates)
    order, errors = [], [_mean_error(covariance, count)]
    smallest, scale = 1e-10 * np.max(np.diag(covariance), initial=0.0), 0.0
    for _ in range(count):
        variances = np.diag(covariance)[:count]
        known = variances <= smallest
        gains = np.sum(covariance[:count, count:] ** 2, axis=1)
        gains = np.where(known, -np.inf, gains / np.where(known, 1.0, variances))
        best, scale = _best(gains, order, scale)
        if not known[best]:
            column = covariance[:, best] / np.sqrt(covariance[best, best])
            covariance = covariance - np.outer(column, column)
        order.append(best)
        errors.append(_mean_error(covariance, count))
    return np.array(order), np.array(errors)


def gradients(output, candidates, questions):
    """Candidates for a gradient in greedy order, (c,), and what is left open, (c + 1,).

    Of the second order of the questions, as a share: the mean of (open length / length)^2.
    """
    known = process(output)
    points, asked = (
        known.open_moves(candidates - output.at),
        known.open_moves(questions - output.at),
    )
    whole = np.sum(known.scaled(questions - output.at) ** 2, axis=1)
    whole = np.where(whole > 0, whole, 1.0)
    order, left = [], [np.mean(np.sum(asked**2, axis=1) / whole)]
    smallest, scale = 1e-10 * np.max(np.sum(points**2, axis=1), initial=0.0), 0.0
    for _ in range(len(candidates)):
        lengths = np.sum(points**2, axis=1)
        gone = lengths <= smallest
        gains = np.sum((points @ asked.T) ** 2 / whole, axis=1) / np.where(gone, 1.0, lengths)
        gains = np.where(gone, -np.inf, gains)
        best, scale = _best(gains, order, scale)
        if not gone[best]:
            unit = points[best] / np.sqrt(lengths[best])
            points = points - np.outer(points @ unit, unit)
            asked = asked - np.outer(asked @ unit, unit)
        order.append(best)
        left.append(np.mean(np.sum(asked**2, axis=1) / whole))
    return np.array(order), np.array(left)


def _best(gains, chosen, scale):
    """The candidate that says most, and the largest gain so far, for which `scale` stands.

    Of several that are equal but for rounding it is the first, on every machine. Those that say
    nothing, of gain -inf, come after all others; those that were chosen do not come again.
    """
    free = np.setdiff1d(np.arange(len(gains)), chosen)
    most = np.max(gains[free])
    scale = max(scale, most)
    return int(free[gains[free] >= most - TIE * scale][0]), scale


def _mean_error(covariance, count):
    variances = np.maximum(np.diag(covariance)[count:], 0.0)
    return float(np.sqrt(np.mean(variances)))
