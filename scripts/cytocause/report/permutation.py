"""Exact permutation p of a condition over chips, and the smallest p that so few chips can reach.

    treatment = 0: chips A B C D, two of them with CAF      6 ways to choose them
    treatment = 1: chips E F G H, two of them with CAF      6 ways            6 x 6 = 36 arrangements

Chips change places only within a stratum (equal values of all other conditions), so that another condition's effect
is not taken for this one's. The statistic is the sum over strata of the covariance of condition and outcome; p is two-sided,
twice the smaller tail, so no outcome can give less than 2 / 36 = 0.056 here.
"""

from collections import Counter
from math import factorial, prod

import numpy as np

RELATIVE_TIE = 1e-9  # statistics closer than this (times their spread) are equal


def arrangements(levels, strata):
    """Number of different ways to hand out the levels within strata (int)."""
    total = 1
    for members in _members(strata):
        counts = Counter(levels[i] for i in members)
        total *= factorial(len(members)) // prod(factorial(n) for n in counts.values())
    return total


def smallest_p(levels, strata):
    """Smallest two-sided p that any outcome could reach: min(1, 2 / arrangements)."""
    return min(1.0, 2.0 / arrangements(levels, strata))


def permutation_p(outcome, levels, strata, *, limit=20000, seed=0):
    """Two-sided stratified permutation test of a condition over independent units.

    Parameters
    ----------
    outcome : (n,) float, one value per unit (chip); units without a value (NaN) are left out
    levels : (n,) number, level of the condition (codes in their order, or the dose itself)
    strata : (n,) hashable, values of the other conditions
    limit : int, up to this many arrangements are all looked at, beyond it as many are drawn

    Returns
    -------
    dict: p, smallest_p, arrangements (int), exact (bool), units (int), effect (float: slope of the outcome on the level
    within strata; for two levels the difference of their means, weighted over strata). p and effect are None when
    nothing can be permuted.
    """
    outcome, levels = np.asarray(outcome, dtype=float), np.asarray(levels, dtype=float)
    known = np.isfinite(outcome)
    outcome, levels = outcome[known], levels[known]
    strata = [s for s, k in zip(strata, known) if k]
    count = arrangements(levels.tolist(), strata)
    result = {
        "p": None,
        "smallest_p": min(1.0, 2.0 / count),
        "arrangements": count,
        "exact": True,
        "units": len(outcome),
        "effect": None,
    }
    members = _members(strata)
    spread = sum(float(((levels[m] - levels[m].mean()) ** 2).sum()) for m in members)
    if count < 2 or spread == 0:
        return result
    observed = sum(_covariance(outcome[m], levels[m]) for m in members)
    result["effect"] = observed / spread
    if count <= limit:
        drawn = np.zeros(1)
        for m in members:
            drawn = np.add.outer(drawn, _all_covariances(outcome[m], levels[m])).ravel()
        above, below = _tails(drawn, observed)
        result["p"] = min(1.0, 2.0 * min(above, below) / count)
    else:
        random = np.random.Generator(np.random.Philox(key=[seed, count % 2**63]))
        drawn = np.zeros(limit)
        for m in members:
            shuffled = random.permuted(np.tile(levels[m] - levels[m].mean(), (limit, 1)), axis=1)
            drawn += shuffled @ outcome[m]
        above, below = _tails(drawn, observed)
        result["exact"] = False
        result["p"] = min(1.0, max(2.0 * (min(above, below) + 1) / (limit + 1), result["smallest_p"]))
    return result


def _members(strata):
    groups = {}
    for i, stratum in enumerate(strata):
        groups.setdefault(stratum, []).append(i)
    return [np.array(group) for group in groups.values()]


def _covariance(outcome, levels):
    return float(((levels - levels.mean()) * outcome).sum())


def _all_covariances(outcome, levels):
    """Covariance of the outcome with every different order of the levels."""
    return np.array([_covariance(outcome, np.array(order)) for order in _orders(Counter(levels.tolist()))])


def _orders(counts):
    if sum(counts.values()) == 0:
        yield ()
        return
    for value in sorted(counts):
        if counts[value]:
            counts[value] -= 1
            for rest in _orders(counts):
                yield (value, *rest)
            counts[value] += 1


def _tails(drawn, observed):
    slack = RELATIVE_TIE * max(float(np.abs(drawn).max()), abs(observed), 1e-300)
    return int((drawn >= observed - slack).sum()), int((drawn <= observed + slack).sum())
