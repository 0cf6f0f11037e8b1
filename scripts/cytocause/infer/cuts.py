"""Optimal cuts of one variable, the others held fixed: dynamic programming over unit bins.

    unit bins   | 0 | 1 | 2 | 3 | 4 | ...            at most 50
    interval      (a ........ b]      phi(a, b) = what its rows tell about K, given G, minus its price
    best prefix  F(j) = max( phi(0, j), max_c F(c) + phi(c, j) - pen )

The rows enter as cells: for each unit bin the joint levels (g, k) that occur in it, with their counts. Moving the
right border by one unit bin changes only the cells of that bin, so that phi costs as many look-ups as there are cells.
Source: spec section 3.5.
"""

import numpy as np
from numba import njit

from .nml import complexity_row, log_choose
from .ranks import recode

BETTER = 1e-5  # nats by which a candidate cut must beat the incumbent (spec 3.5)
DENSE = 1 << 15  # entries of the table unit bin x joint level up to which joint levels are not renumbered


@njit(cache=True, nogil=True)
def count_cells(unit, units, given, given_levels, joint, joint_levels):
    """Cells of each unit bin.

    unit (n,) unit bin of each row; given, joint (n,) labels with that many levels; all int32.
    Returns start (units+1,), cell (cells,) joint level, of_given (cells,) its given level, count (cells,) rows, and the
    number of joint levels; int32 arrays.
    """
    n = unit.size
    levels = given_levels * joint_levels
    both = np.empty(n, np.int32)
    for i in range(n):
        both[i] = given[i] * joint_levels + joint[i]
    given_of = np.empty(0, np.int32)
    if units * levels > max(DENSE, n):
        levels = recode(both, levels)
        given_of = np.empty(levels, np.int32)
        for i in range(n):
            given_of[both[i]] = given[i]
    table = np.zeros(units * levels, np.int32)
    for i in range(n):
        table[unit[i] * levels + both[i]] += 1
    cells = 0
    for at in range(table.size):
        if table[at]:
            cells += 1
    start = np.zeros(units + 1, np.int32)
    cell = np.empty(cells, np.int32)
    of_given = np.empty(cells, np.int32)
    count = np.empty(cells, np.int32)
    cells = 0
    at = 0
    for a in range(units):
        for j in range(levels):
            if table[at]:
                cell[cells] = j
                of_given[cells] = given_of[j] if given_of.size else j // joint_levels
                count[cells] = table[at]
                cells += 1
            at += 1
        start[a + 1] = cells
    return start, cell, of_given, count, levels


@njit(cache=True, nogil=True)
def unit_weights(unit, units, weights):
    """Cumulative weight of the rows in unit bins 0..a; (units+1,) float64, or empty for uniform weights (None)."""
    if weights is None:
        return np.empty(0, np.float64)
    out = np.zeros(units + 1)
    for i in range(unit.size):
        out[unit[i] + 1] += weights[i]
    for a in range(units):
        out[a + 1] += out[a]
    return out


@njit(cache=True, nogil=True)
def cut_price(lfact, units, previous_bins, bic, legacy):
    """pen, the price of one more cut, from the number of bins there were; NaN: no cut can be bought."""
    if legacy and bic:
        return 0.0
    if previous_bins < 2:
        # spec Q3: a single bin never opens again in the reference; here it may, at the price of a first cut
        if legacy:
            return np.nan
        previous_bins = 2
    return log_choose(lfact, units - 1, previous_bins - 1) / (previous_bins - 1)


@njit(cache=True, nogil=True)
def best_cuts(unit, units, given, given_levels, joint, joint_levels, previous_bins, weights, costs, options, bin_of):
    """Cut a variable for what its bins tell about `joint`, given `given`.

    unit, given, joint (n,) int32 with units, given_levels, joint_levels levels; previous_bins: bins it had before;
    weights (n,) float64 or None. Fills bin_of (units,) with the bin of each unit bin; returns the number of bins.
    """
    price = cut_price(costs.lfact, units, previous_bins, options.bic, options.legacy)
    if np.isnan(price):
        for a in range(units):
            bin_of[a] = 0
        return 1
    start, cell, of_given, count, levels = count_cells(unit, units, given, given_levels, joint, joint_levels)
    best = np.full(units + 1, -np.inf)
    cut = np.zeros(units + 1, np.int32)
    best[0] = 0.0
    plogp = costs.plogp_rounded
    lc = complexity_row(costs.lc, costs.rounded, joint_levels)
    bic_cell = 0.0
    if options.bic:
        bic_cell = _bic_cell(of_given, given_levels, joint_levels, unit.size, weights, costs, options.legacy)
    in_joint = np.zeros(levels, np.int32)
    in_given = np.zeros(given_levels, np.int32)
    cumulative = unit_weights(unit, units, weights)
    for left in range(units):
        if left > 0:
            for j in range(levels):
                in_joint[j] = 0
            for g in range(given_levels):
                in_given[g] = 0
        value = 0.0
        rows = 0
        base = best[left] - (price if left > 0 else 0.0)
        for right in range(left + 1, units + 1):
            at = start[right - 1]
            last = start[right]
            if weights is None:
                while at < last:
                    g = of_given[at]
                    added = 0
                    while at < last and of_given[at] == g:
                        before = in_joint[cell[at]]
                        now = before + count[at]
                        in_joint[cell[at]] = now
                        value += plogp[now] - plogp[before]
                        added += count[at]
                        at += 1
                    before = in_given[g]
                    now = before + added
                    in_given[g] = now
                    value -= plogp[now] - plogp[before]
                    if options.bic:
                        if before == 0:
                            value -= bic_cell
                    else:
                        value -= lc[now] - lc[before]
            else:
                for k in range(at, last):
                    in_joint[cell[k]] += count[k]
                    in_given[of_given[k]] += count[k]
                    rows += count[k]
                mean_weight = (cumulative[right] - cumulative[left]) / max(rows, 1)
                value = _weighted_value(in_joint, in_given, mean_weight, plogp, lc, options.bic, bic_cell)
            if left == 0:
                best[right] = value
            elif base + value - best[right] > BETTER:
                best[right] = base + value
                # the sign is the reference's back-tracking rule (Q4); the default ignores it
                cut[right] = -left if cut[left + 1] == 0 else left
    return _read_back(cut, units, options.legacy, bin_of)


@njit(cache=True, nogil=True)
def _weighted_value(in_joint, in_given, mean_weight, plogp, lc, bic, bic_cell):
    """phi of an interval whose rows weigh mean_weight on average."""
    value = 0.0
    for c in in_joint:
        value += plogp[int(mean_weight * c + 0.5)]
    for c in in_given:
        if c > 0:
            m = int(mean_weight * c + 0.5)
            value -= plogp[m]
            value -= bic_cell if bic else lc[m]
    return value


@njit(cache=True, nogil=True)
def _bic_cell(of_given, given_levels, joint_levels, n, weights, costs, legacy):
    """BIC price of one occupied given level. Legacy multiplies by their number, and takes rows for samples (Q14)."""
    if not legacy:
        samples = costs.weight * n
        if weights is not None:
            samples = weights.sum()
        return 0.5 * (joint_levels - 1) * np.log(max(2.0, samples))
    seen = np.zeros(given_levels, np.int32)
    occupied = 0
    for g in of_given:
        occupied += 1 - seen[g]
        seen[g] = 1
    return 0.5 * (joint_levels - 1) * occupied * np.log(float(costs.rows))


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
