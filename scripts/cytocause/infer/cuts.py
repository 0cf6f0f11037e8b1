"""Optimal cuts of one variable, the others held fixed: dynamic programming over unit bins.

    unit bins   | 0 | 1 | 2 | 3 | 4 | ...            at most 50
    interval      (a ........ b]      phi(a, b) = what its rows tell about K, given G, minus its price
    best prefix  F(j) = max( phi(0, j), max_c F(c) + phi(c, j) - pen )

The rows enter as cells: for each unit bin the joint levels j = g K + k that occur in it, with their counts. Moving the
right border by one unit bin changes only the cells of that bin, so that phi costs as many look-ups as there are cells.
Source: spec section 3.5.
"""

import numpy as np
from numba import njit

from .nml import complexity_row, log_choose

BETTER = 1e-5  # nats by which a candidate cut must beat the incumbent (spec 3.5)
DENSE = 1 << 15  # entries of the table unit bin x joint level up to which it is counted densely


@njit(cache=True, nogil=True)
def count_cells(unit, units, given, joint, levels_joint, k_levels):
    """Cells of each unit bin.

    unit (n,) unit bin of each row; given, joint (n,) labels: the joint level is given * k_levels + joint.
    Returns start (units+1,), cell (cells,) joint level, count (cells,) rows; cells of a bin are sorted.
    """
    n = unit.size
    start = np.zeros(units + 1, np.int32)
    if units * levels_joint <= max(DENSE, n // 2):
        table = np.zeros(units * levels_joint, np.int32)
        for i in range(n):
            table[unit[i] * levels_joint + given[i] * k_levels + joint[i]] += 1
        cells = 0
        for at in range(table.size):
            if table[at]:
                cells += 1
        cell = np.empty(cells, np.int32)
        count = np.empty(cells, np.int32)
        cells = 0
        at = 0
        for a in range(units):
            for j in range(levels_joint):
                if table[at]:
                    cell[cells] = j
                    count[cells] = table[at]
                    cells += 1
                at += 1
            start[a + 1] = cells
        return start, cell, count
    keys = np.empty(n, np.int64)
    for i in range(n):
        keys[i] = np.int64(unit[i]) * levels_joint + given[i] * k_levels + joint[i]
    keys.sort()
    cell = np.empty(n, np.int32)
    count = np.empty(n, np.int32)
    cells = 0
    previous = np.int64(-1)
    for key in keys:
        if key != previous:
            previous = key
            cell[cells] = key % levels_joint
            count[cells] = 0
            cells += 1
            start[key // levels_joint + 1] = cells
        count[cells - 1] += 1
    for a in range(units):
        start[a + 1] = max(start[a + 1], start[a])
    return start, cell[:cells], count[:cells]


@njit(cache=True, nogil=True)
def unit_weights(unit, units, weights):
    """Cumulative weight of the rows in unit bins 0..a; (units+1,) float64, or empty for uniform weights."""
    if weights.size == 0:
        return np.empty(0, np.float64)
    out = np.zeros(units + 1)
    for i in range(unit.size):
        out[unit[i] + 1] += weights[i]
    for a in range(units):
        out[a + 1] += out[a]
    return out


@njit(cache=True, nogil=True)
def best_cuts(start, cell, count, levels_given, k_levels, previous_bins, cumulative, costs, options, bin_of):
    """Cut a variable given the cells of its unit bins.

    start, cell, count  from count_cells; k_levels K and levels_given the factors of the joint level
    previous_bins       bins of the variable before (sets the price of a cut)
    cumulative          from unit_weights
    bin_of (units,)     filled with the bin of each unit bin; returns the number of bins.
    """
    units = start.size - 1
    if previous_bins == 1 and not options.legacy:
        previous_bins = 2  # repaired Q3: one bin may open again, at the price of a first cut
    price = np.nan
    if options.bic and options.legacy:
        price = 0.0
    elif previous_bins > 1:
        price = log_choose(costs, units - 1, previous_bins - 1) / (previous_bins - 1)
    if options.legacy and not options.bic and previous_bins <= 1:
        bin_of[:units] = 0
        return 1
    best = np.full(units + 1, -np.inf)
    cut = np.zeros(units + 1, np.int32)
    best[0] = 0.0
    lc = complexity_row(costs, k_levels)
    plogp = costs.plogp_rounded
    uniform = cumulative.size == 0
    in_joint = np.zeros(levels_given * k_levels, np.int32)
    in_given = np.zeros(levels_given, np.int32)
    bic_cell = 0.0
    if options.bic:
        if options.legacy:
            bic_cell = 0.5 * (k_levels - 1) * count_given(cell, k_levels, levels_given) * np.log(float(costs.rows))
        else:
            bic_cell = 0.5 * (k_levels - 1) * np.log(max(2.0, effective_rows(count, cumulative, costs)))
    for left in range(units):
        if left > 0:
            in_joint[:] = 0
            in_given[:] = 0
        value = 0.0
        rows = 0
        base = best[left] - (price if left > 0 else 0.0)
        for right in range(left + 1, units + 1):
            first, last = start[right - 1], start[right]
            if uniform:
                value += _grow(cell, count, first, last, k_levels, in_joint, in_given, plogp, lc, options.bic, bic_cell)
            else:
                for at in range(first, last):
                    in_joint[cell[at]] += count[at]
                    in_given[cell[at] // k_levels] += count[at]
                    rows += count[at]
                mean_weight = (cumulative[right] - cumulative[left]) / max(rows, 1)
                value = _weighted_value(in_joint, in_given, mean_weight, costs, lc, options.bic, bic_cell)
            if left == 0:
                best[right] = value
            elif base + value - best[right] > BETTER:
                best[right] = base + value
                # the sign is the reference's back-tracking rule (Q4); the default ignores it
                cut[right] = -left if cut[left + 1] == 0 else left
    return _read_back(cut, units, options.legacy, bin_of)


@njit(cache=True, nogil=True)
def _grow(cell, count, first, last, k_levels, in_joint, in_given, plogp, lc, bic, bic_cell):
    """Change of phi when the cells first..last-1 join the interval (uniform weights)."""
    gain = 0.0
    at = first
    while at < last:
        given = cell[at] // k_levels
        added = 0
        limit = (given + 1) * k_levels
        while at < last and cell[at] < limit:
            j = cell[at]
            before = in_joint[j]
            now = before + count[at]
            in_joint[j] = now
            gain += plogp[now] - plogp[before]
            added += count[at]
            at += 1
        before = in_given[given]
        now = before + added
        in_given[given] = now
        if bic:
            gain -= plogp[now] - plogp[before]
            if before == 0:
                gain -= bic_cell
        else:
            gain -= plogp[now] + lc[now] - plogp[before] - lc[before]
    return gain


@njit(cache=True, nogil=True)
def _weighted_value(in_joint, in_given, mean_weight, costs, lc, bic, bic_cell):
    """phi of an interval whose rows weigh mean_weight on average (general weights; costs are per sample then)."""
    value = 0.0
    for c in in_joint:
        value += costs.plogp_rounded[int(mean_weight * c + 0.5)]
    for c in in_given:
        if c > 0:
            m = int(mean_weight * c + 0.5)
            value -= costs.plogp_rounded[m]
            value -= bic_cell if bic else lc[m]
    return value


@njit(cache=True, nogil=True)
def count_given(cell, k_levels, levels_given):
    """Given levels that occur at all."""
    seen = np.zeros(levels_given, np.int32)
    for j in cell:
        seen[j // k_levels] = 1
    return seen.sum()


@njit(cache=True, nogil=True)
def effective_rows(count, cumulative, costs):
    """Samples that the counted rows stand for."""
    if cumulative.size:
        return cumulative[-1]
    return costs.weight * count.sum()


@njit(cache=True, nogil=True)
def _read_back(cut, units, legacy, bin_of):
    """Bins from the best last cut of each prefix.

    Exact: follow best predecessors. Legacy: stop behind the first cut that was stored with a negative sign, even if
    the part to its left was cut as well.
    """
    border = np.zeros(units + 1, np.int32)
    at = cut[units]
    bins = 1
    while at != 0:
        border[abs(at)] = 1
        bins += 1
        if legacy and at < 0:
            break
        at = cut[abs(at)]
    part = 0
    for a in range(units):
        part += border[a]
        bin_of[a] = part
    return bins
