"""The report's numbers, slowly: loops over rows and over all permutations."""

from itertools import permutations

import numpy as np


def permutation_p(outcome, levels, strata):
    """Two-sided p over all orders of all units that keep each level within its stratum (duplicates and all)."""
    n = len(outcome)

    def statistic(order):
        total = 0.0
        for s in sorted(set(strata)):
            members = [i for i in range(n) if strata[i] == s]
            mean = sum(order[i] for i in members) / len(members)
            total += sum((order[i] - mean) * outcome[i] for i in members)
        return total

    observed, above, below, count = statistic(levels), 0, 0, 0
    for places in permutations(range(n)):
        if any(strata[i] != strata[j] for i, j in enumerate(places)):
            continue
        value = statistic([levels[j] for j in places])
        above += value >= observed - 1e-9
        below += value <= observed + 1e-9
        count += 1
    return min(1.0, 2 * min(above, below) / count)


def ranks(values):
    return np.array([(sum(w < v for w in values) + 1 + sum(w <= v for w in values)) / 2 for v in values])


def lagged_pairs(table, cause, effect, lag):
    """(chip, x, y) of every row whose cell was seen `lag` steps earlier."""
    seen = {(r["trajectory"], r["time_step"]): r for r in table}
    out = []
    for r in table:
        before = seen.get((r["trajectory"], r["time_step"] - lag))
        if before is not None and np.isfinite(before[cause]) and np.isfinite(r[effect]):
            out.append((r["chip"], before[cause], r[effect]))
    return out
