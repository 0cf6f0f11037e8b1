"""Optimal cuts of one variable, the others held fixed: dynamic programming over unit bins.

    unit bins   | 0 | 1 | 2 | 3 | 4 | ...            at most 50
    interval      [a ........ b)      phi(a, b) = what its rows tell about K, given G, minus its price
    best prefix  F(j) = max( phi(0, j), max_c F(c) + phi(c, j) - pen )

phi of every interval at once: a joint level that occurs c1, c2, c3 times in three unit bins is worth f(c) in each
interval that holds c of its rows. Seen as a table over (a, b) that is constant but for a few corners,

        b ->  u1   u2   u3                  one corner for each pair of its unit bins, so that a level with m of them
      u1     f1   f12  f123                 costs m (m+1) / 2 additions, wherever they lie; one running sum over the
      u2          f2   f23                  whole table at the end turns corners into values. A level in most of the
      u3               f3                   unit bins is added value by value instead.

Source: spec section 3.5.
"""

import numpy as np
from numba import njit

from .nml import log_choose, price, price_row
from .ranks import recode

BETTER = 1e-5  # nats by which a candidate cut must beat the incumbent (spec 3.5)
FEW = 16  # rows of a level of `given` up to which they are sorted, not counted in a table
PER_ROW = 8  # a table of joint levels x unit bins is counted directly up to this many cells per row


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

    unit, given, joint (n,) whole numbers below units, given_levels, joint_levels; given is int32. previous_bins: bins
    the variable had before; weights (n,) float64 or empty. Fills bin_of (units,) with the bin of each unit bin; returns
    the number of bins.
    """
    pen = cut_price(costs.lfact, units, previous_bins, options.bic, options.legacy)
    if np.isnan(pen):
        bin_of[:units] = 0
        return 1
    n = unit.size
    if given_levels * joint_levels > 4 * n + 1024 and given_levels > 1:
        given = given.copy()
        given_levels = recode(given, given_levels)
    phi = np.zeros((units + 1, units + 1))
    none = np.empty(0, np.int32)
    if weights.size:
        table = _count_table(unit, units, given, given_levels, joint, joint_levels)
        unit_weight = np.zeros(units)
        for i in range(n):
            unit_weight[unit[i]] += weights[i]
        weighted_values(table, units, given_levels, joint_levels, unit_weight, costs, options, phi)
    elif given_levels * joint_levels * units <= PER_ROW * n + 4096:
        table = _count_table(unit, units, given, given_levels, joint, joint_levels)
        interval_values(table, none, none, n, units, given_levels, joint_levels, costs, options, phi)
    else:
        first, cells = _gather(unit, units, given, given_levels, joint)
        interval_values(none, first, cells, n, units, given_levels, joint_levels, costs, options, phi)
    return _search(phi, units, pen, options.legacy, bin_of)


@njit(cache=True, nogil=True)
def best_cuts_of_table(table, previous_bins, unit_weight, costs, options, bin_of):
    """The same without `given`, from counts (joint levels, units) int32; unit_weight (units,): the weight of the rows in
    each unit bin, or empty where all weigh the same.
    """
    joint_levels, units = table.shape
    n = table.sum()
    pen = cut_price(costs.lfact, units, previous_bins, options.bic, options.legacy)
    if np.isnan(pen):
        bin_of[:units] = 0
        return 1
    phi = np.zeros((units + 1, units + 1))
    none = np.empty(0, np.int32)
    if unit_weight.size:
        weighted_values(table.ravel(), units, np.int64(1), joint_levels, unit_weight, costs, options, phi)
    else:
        interval_values(table.ravel(), none, none, n, units, np.int64(1), joint_levels, costs, options, phi)
    return _search(phi, units, pen, options.legacy, bin_of)


@njit(cache=True, nogil=True)
def _search(phi, units, pen, legacy, bin_of):
    """Best cuts from the values of all intervals; fills bin_of (units,), returns the number of bins."""
    best = np.full(units + 1, -np.inf)
    cut = np.zeros(units + 1, np.int32)
    for right in range(1, units + 1):
        best[right] = phi[0, right]
    for left in range(1, units):
        base = best[left] - pen
        for right in range(left + 1, units + 1):
            value = base + phi[left, right]
            if value - best[right] > BETTER:
                best[right] = value
                # the sign is the reference's back-tracking rule (Q4); the default ignores it
                cut[right] = -left if cut[left + 1] == 0 else left
    return _read_back(cut, units, legacy, bin_of)


@njit(cache=True, nogil=True)
def interval_values(table, first, cells, n, units, given_levels, joint_levels, costs, options, phi):
    """Add to phi (units+1, units+1) the value of every interval [a, b) of unit bins, a < b, of n rows.

    Every level g of `given` brings sum over k of f(c_gk) - f(c_g) - LC(c_g, joint_levels), f(c) = c ln c. The rows come
    as counts at (given, joint, unit), flat int32, or, with an empty table, as `_gather` leaves them.
    """
    direct = table.size > 0
    row, pieces = price_row(costs, joint_levels)
    plogp, rounded = costs.plogp_rounded, costs.rounded
    size = joint_levels * units
    bic_cell = 0.0
    if options.bic:
        bic_cell = 0.5 * (joint_levels - 1) * np.log(max(2.0, costs.weight * n))
        if options.legacy:
            occupied = _occupied(table, size) if direct else given_levels
            bic_cell = 0.5 * (joint_levels - 1) * occupied * np.log(float(costs.rows))
    corner = np.zeros((units, units))
    in_given = np.zeros(units, np.int32)
    at = np.empty(units, np.int32)  # unit bins in which a level occurs
    upto = np.zeros(units + 1, np.int32)  # its rows before each of them
    whole = np.empty(units + 1, np.int32)
    value = np.empty(units)
    before = np.empty(units)
    scratch = np.zeros(0 if direct else size, np.int32)
    for g in range(given_levels):
        if direct:
            block = table[g * size : (g + 1) * size]
        else:
            begin, end = first[g], first[g + 1]
            if end - begin == 1:
                # a row alone: f(1) twice, and its price
                a = cells[begin] % units
                corner[a, a] -= bic_cell if options.bic else price(row, pieces, rounded[1])
                continue
            block = scratch[:0]
            if end - begin > FEW:
                block = scratch
                for i in range(begin, end):
                    block[cells[i]] += 1
            else:
                _insertion_sort(cells, begin, end)
        place = 0 if block.size else begin
        for k in range(joint_levels):
            found = 0
            if block.size:
                for a in range(units):
                    count = block[place + a]
                    if count:
                        at[found] = a
                        upto[found + 1] = upto[found] + count
                        in_given[a] += count
                        found += 1
                place += units
            else:
                if place == end:
                    break
                label = cells[place] // units
                while place < end and cells[place] // units == label:
                    a = cells[place] - label * units
                    if found == 0 or at[found - 1] != a:
                        at[found] = a
                        upto[found + 1] = upto[found]
                        found += 1
                    upto[found] += 1
                    in_given[a] += 1
                    place += 1
            if found == 0:
                continue
            if 2 * found > units:
                _cumulate(at, upto, found, units, whole)
                for a in range(units):
                    for b in range(a + 1, units + 1):
                        phi[a, b] += plogp[whole[b] - whole[a]]
            else:
                for i in range(found - 1, -1, -1):
                    for j in range(i, found):
                        value[j] = plogp[upto[j + 1] - upto[i]]
                    _add_corners(corner, i, found, at, value, before)
        if block.size and not direct:
            block[:] = 0
        found = 0
        for a in range(units):
            if in_given[a]:
                at[found] = a
                upto[found + 1] = upto[found] + in_given[a]
                in_given[a] = 0
                found += 1
        if 2 * found > units:
            _cumulate(at, upto, found, units, whole)
            for a in range(units):
                for b in range(a + 1, units + 1):
                    c = whole[b] - whole[a]
                    if c > 0:
                        phi[a, b] -= plogp[c] + (bic_cell if options.bic else price(row, pieces, rounded[c]))
        else:
            for i in range(found - 1, -1, -1):
                for j in range(i, found):
                    c = upto[j + 1] - upto[i]
                    value[j] = -plogp[c] - (bic_cell if options.bic else price(row, pieces, rounded[c]))
                _add_corners(corner, i, found, at, value, before)
    # corners to values: [a, b) gets all corners at a or later and before b
    value[:] = 0.0
    for a in range(units - 1, -1, -1):
        running = 0.0
        for b in range(a, units):
            value[b] += corner[a, b]
            running += value[b]
            phi[a, b + 1] += running


@njit(cache=True, nogil=True)
def _occupied(table, size):
    """How many blocks of `size` cells hold anything."""
    found = 0
    for g in range(table.size // size):
        for at in range(g * size, (g + 1) * size):
            if table[at]:
                found += 1
                break
    return found


@njit(cache=True, nogil=True)
def _cumulate(at, upto, found, units, whole):
    """Rows before each unit bin, whole (units+1,), from those before each unit bin that occurs."""
    i = 0
    for a in range(units):
        whole[a] = upto[i]
        if i < found and at[i] == a:
            i += 1
    whole[units] = upto[found]


@njit(cache=True, nogil=True)
def _add_corners(corner, i, found, at, value, before):
    """Add the corners of row i, from its values and those of row i + 1 (before), which they then replace."""
    last = 0.0
    for j in range(i, found):
        # how value - before grows with j
        step = value[j] - (before[j] if j > i else 0.0)
        corner[at[i], at[j]] += step - last
        last = step
        before[j] = value[j]


@njit(cache=True, nogil=True)
def _count_table(unit, units, given, given_levels, joint, joint_levels):
    """Rows at each (given, joint, unit), flat int32."""
    table = np.zeros(given_levels * joint_levels * units, np.int32)
    for i in range(unit.size):
        table[(np.int64(given[i]) * joint_levels + joint[i]) * units + unit[i]] += 1
    return table


@njit(cache=True, nogil=True)
def _gather(unit, units, given, given_levels, joint):
    """(where each level of `given` begins (levels+1,), joint * units + unit of its rows (n,)), int32."""
    n = unit.size
    first = np.zeros(given_levels + 2, np.int32)
    for i in range(n):
        first[given[i] + 2] += 1
    for level in range(2, first.size):
        first[level] += first[level - 1]
    cells = np.empty(n, np.int32)
    for i in range(n):
        level = given[i] + 1
        cells[first[level]] = joint[i] * units + unit[i]
        first[level] += 1
    return first, cells


@njit(cache=True, nogil=True)
def _insertion_sort(values, begin, end):
    """Sort values[begin:end] in place; for few."""
    for i in range(begin + 1, end):
        value = values[i]
        j = i
        while j > begin and values[j - 1] > value:
            values[j] = values[j - 1]
            j -= 1
        values[j] = value


@njit(cache=True, nogil=True)
def weighted_values(table, units, given_levels, joint_levels, unit_weight, costs, options, phi):
    """interval_values where rows have weights: the counts of an interval times the mean weight of its rows."""
    row, pieces = price_row(costs, joint_levels)
    bic_cell = 0.0
    if options.bic:
        bic_cell = 0.5 * (joint_levels - 1) * np.log(max(2.0, unit_weight.sum()))
        if options.legacy:
            occupied = _occupied(table, joint_levels * units)
            bic_cell = 0.5 * (joint_levels - 1) * occupied * np.log(float(costs.rows))
    for left in range(units):
        in_joint = np.zeros(given_levels * joint_levels, np.int32)
        rows = 0
        weight = 0.0
        for right in range(left + 1, units + 1):
            weight += unit_weight[right - 1]
            for level in range(in_joint.size):
                count = table[level * units + right - 1]
                in_joint[level] += count
                rows += count
            mean_weight = weight / max(rows, 1)
            value = 0.0
            for g in range(given_levels):
                total = 0
                for level in range(g * joint_levels, (g + 1) * joint_levels):
                    value += costs.plogp_rounded[int(mean_weight * in_joint[level] + 0.5)]
                    total += in_joint[level]
                if total > 0:
                    m = int(mean_weight * total + 0.5)
                    value -= costs.plogp_rounded[m] + (bic_cell if options.bic else price(row, pieces, m))
            phi[left, right] = value


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
