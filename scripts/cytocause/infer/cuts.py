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


@njit(cache=True, nogil=True)
def sort_by_unit(unit, units, order, start):
    """Rows sorted by unit bin, stable; fills order (n,) and start (>= units+1,), int32."""
    for a in range(units + 1):
        start[a] = 0
    for i in range(unit.size):
        start[unit[i] + 1] += 1
    for a in range(units):
        start[a + 1] += start[a]
    place = start[:units].copy()
    for i in range(unit.size):
        order[place[unit[i]]] = i
        place[unit[i]] += 1


@njit(cache=True, nogil=True)
def count_cells(unit, order, first_row, units, labels, levels, stamp, start, cell, count):
    """Cells of each unit bin for one labelling (n,) of `levels` levels: which labels occur in it, how often.

    unit (n,), order, first_row: unit bins, and rows sorted by them. Fills start (units+1,), cell, count (n,); stamp is
    (levels,) scratch. All int32.
    """
    n = unit.size
    start[0] = 0
    cells = 0
    if 4 * units * levels < n:
        # many rows, few levels: one pass over the rows in their order
        table = np.zeros(units * levels, np.int32)
        for i in range(n):
            table[unit[i] * levels + labels[i]] += 1
        at = 0
        for a in range(units):
            for j in range(levels):
                if table[at]:
                    cell[cells] = j
                    count[cells] = table[at]
                    cells += 1
                at += 1
            start[a + 1] = cells
        return
    for j in range(levels):
        stamp[j] = -1
    for a in range(units):
        begin = cells
        for at in range(first_row[a], first_row[a + 1]):
            j = labels[order[at]]
            if stamp[j] < begin:
                stamp[j] = cells
                cell[cells] = j
                count[cells] = 1
                cells += 1
            else:
                count[stamp[j]] += 1
        start[a + 1] = cells


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
def best_cuts(
    unit, order, first_row, units, given, given_levels, joint, joint_levels, previous_bins, weights, costs, options, bin_of
):
    """Cut a variable for what its bins tell about `joint`, given `given`.

    unit, given, joint (n,) int32 with units, given_levels, joint_levels levels; order, first_row: see sort_by_unit;
    previous_bins: bins it had before; weights (n,) float64 or None. Fills bin_of (units,) with the bin of each unit bin;
    returns the number of bins.
    """
    pen = cut_price(costs.lfact, units, previous_bins, options.bic, options.legacy)
    if np.isnan(pen):
        for a in range(units):
            bin_of[a] = 0
        return 1
    n = unit.size
    both = np.empty(n, np.int32)
    for i in range(n):
        both[i] = given[i] * joint_levels + joint[i]
    levels = given_levels * joint_levels
    if levels > 2 * n + 1024:
        levels = recode(both, levels)
    stamp = np.empty(max(levels, given_levels), np.int32)
    start = np.empty(units + 1, np.int32)
    cell = np.empty(n, np.int32)
    count = np.empty(n, np.int32)
    count_cells(unit, order, first_row, units, both, levels, stamp, start, cell, count)
    start_g = np.empty(units + 1, np.int32)
    cell_g = np.empty(n, np.int32)
    count_g = np.empty(n, np.int32)
    count_cells(unit, order, first_row, units, given, given_levels, stamp, start_g, cell_g, count_g)

    best = np.full(units + 1, -np.inf)
    cut = np.zeros(units + 1, np.int32)
    best[0] = 0.0
    plogp = costs.plogp_rounded
    lc = complexity_row(costs.lc, costs.rounded, joint_levels)
    bic_cell = 0.0
    if options.bic:
        bic_cell = _bic_cell(cell_g, start_g[units], given_levels, joint_levels, n, weights, costs, options.legacy)
    in_joint = np.zeros(levels, np.int32)
    in_given = np.zeros(given_levels, np.int32)
    cumulative = unit_weights(unit, units, weights)
    for left in range(units):
        if left > 0:
            # only what the last round touched
            if start[units] - start[left - 1] < levels:
                for at in range(start[left - 1], start[units]):
                    in_joint[cell[at]] = 0
            else:
                for j in range(levels):
                    in_joint[j] = 0
            for g in range(given_levels):
                in_given[g] = 0
        value = 0.0
        rows = 0
        base = best[left] - (pen if left > 0 else 0.0)
        for right in range(left + 1, units + 1):
            if weights is None:
                for at in range(start[right - 1], start[right]):
                    before = in_joint[cell[at]]
                    now = before + count[at]
                    in_joint[cell[at]] = now
                    value += plogp[now] - plogp[before]
                for at in range(start_g[right - 1], start_g[right]):
                    before = in_given[cell_g[at]]
                    now = before + count_g[at]
                    in_given[cell_g[at]] = now
                    value -= plogp[now] - plogp[before]
                    if not options.bic:
                        value -= lc[now] - lc[before]
                    elif before == 0:
                        value -= bic_cell
            else:
                for at in range(start[right - 1], start[right]):
                    in_joint[cell[at]] += count[at]
                    rows += count[at]
                for at in range(start_g[right - 1], start_g[right]):
                    in_given[cell_g[at]] += count_g[at]
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
def _bic_cell(cell_g, cells, given_levels, joint_levels, n, weights, costs, legacy):
    """BIC price of one occupied given level. Legacy multiplies by their number, and takes rows for samples (Q14)."""
    if not legacy:
        samples = costs.weight * n
        if weights is not None:
            samples = weights.sum()
        return 0.5 * (joint_levels - 1) * np.log(max(2.0, samples))
    seen = np.zeros(given_levels, np.int32)
    occupied = 0
    for at in range(cells):
        occupied += 1 - seen[cell_g[at]]
        seen[cell_g[at]] = 1
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
