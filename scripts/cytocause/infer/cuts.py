"""Optimal cuts of one variable, the others held fixed: dynamic programming over unit bins.

    unit bins   | 0 | 1 | 2 | 3 | 4 | ...            at most 50
    interval      [a ........ b)      phi(a, b) = what its rows tell about K, given G, minus its price
    best prefix  F(j) = max( phi(0, j), max_c F(c) + phi(c, j) - pen )

phi of every interval at once: a joint level with rows in the unit bins u1 <= u2 <= u3 ... is worth f(c) in each
interval that holds c of them. Seen as a table over (a, b) that is constant but for corners,

        b ->  u1   u2   u3                  one corner for each pair of its rows, of a height that depends only on how
      u1     f(1) f(2) f(3)                 many rows lie between them; one running sum over the whole table at the end
      u2          f(1) f(2)                 turns corners into values. So a level of few rows costs little, wherever they
      u3               f(1)                 lie. A level of many rows is added value by value instead.

Source: spec section 3.5.
"""

import numpy as np
from numba import njit

from .compilation import KERNEL
from .nml import log_choose, price, price_row
from .ranks import MOST_LABELS, multiply, recode

BETTER = 1e-5  # nats by which a candidate cut must beat the incumbent (spec 3.5)
FEW = 32  # rows of a level up to which their pairs are fewer than the intervals
PER_LEVEL = 8  # rows per joint level above which levels are counted by unit bin, not sorted
TOGETHER = 4  # levels of many rows that are added at once


@njit(**KERNEL)
def sort_by_unit(unit, units, order, first_row):
    """Rows sorted by unit bin, stable; fills order (n,) and first_row (>= units+1,), int32."""
    for a in range(units + 1):
        first_row[a] = 0
    for i in range(unit.size):
        first_row[unit[i] + 1] += 1
    for a in range(units):
        first_row[a + 1] += first_row[a]
    place = first_row[:units].copy()
    for i in range(unit.size):
        order[place[unit[i]]] = i
        place[unit[i]] += 1


@njit(**KERNEL)
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


@njit(**KERNEL)
def best_cuts(
    unit, order, first_row, units, given, given_levels, joint, joint_levels, previous_bins, weights, costs, options, kept,
    keep, bin_of,
):  # fmt: skip
    """Cut a variable for what its bins tell about `joint`, given `given`.

    unit, given, joint (n,) whole numbers below units, given_levels, joint_levels; given is int32; order, first_row: see
    sort_by_unit. previous_bins: bins the variable had before; weights (n,) float64 or empty. kept (any, places, places):
    keep >= 0: kept[keep] is what the levels of (given, joint) are worth, by a search with the two exchanged, or, where its
    first value is NaN, left for one. Fills bin_of (units,) with the bin of each unit bin; returns the number of bins.
    """
    pen = cut_price(costs.lfact, units, previous_bins, options.bic, options.legacy)
    if np.isnan(pen):
        for a in range(units):
            bin_of[a] = 0
        return 1
    n = unit.size
    phi = np.zeros((units + 1, units + 1))
    known = keep >= 0 and not weights.size and not np.isnan(kept[keep, 0, 0])
    levels = given_levels * joint_levels
    both = np.empty(0 if known else n, np.int32)
    if not known:
        if levels > MOST_LABELS:
            for i in range(n):
                both[i] = given[i]
            levels = multiply(both, given_levels, joint, joint_levels)
        else:
            for i in range(n):
                both[i] = given[i] * joint_levels + joint[i]
    if weights.size:
        table = count_table(unit, units, both, given_levels * joint_levels)
        unit_weight = np.zeros(units)
        if options.legacy:
            weights_by_place(first_row, units, weights, unit_weight)
        else:
            for i in range(n):
                unit_weight[unit[i]] += weights[i]
        weighted_values(table, units, given_levels, joint_levels, unit_weight, costs, options, phi)
        return _search(phi, units, pen, options.legacy, bin_of)
    corner = np.zeros(units * units)
    counted = False
    if not known:
        if levels > 2 * n + 1024:
            levels = recode(both, levels)
        counted = n > PER_LEVEL * levels
        if counted:
            table = count_table(unit, units, both, levels)
            add_table(table, levels, units, largest(table, levels, units), costs.plogp_rounded, corner, phi)
        else:
            add_rows(both, levels, order, first_row, units, costs.plogp_rounded, costs, joint_levels, corner, phi)
    if keep >= 0:
        if not known:
            add_corners(corner, units, phi)
            for k in range(corner.size):
                corner[k] = 0.0
        for a in range(units + 1):
            for b in range(units + 1):
                if known:
                    phi[a, b] = kept[keep, a, b]
                else:
                    kept[keep, a, b] = phi[a, b]
    if n > PER_LEVEL * given_levels:
        if counted and levels == given_levels * joint_levels:
            sum_levels(table, given_levels, joint_levels, units)
        else:
            table = count_table(unit, units, given, given_levels)
        most = largest(table, given_levels, units)
        worth = worth_of_given(given, given_levels, n, most, joint_levels, costs, options)
        if most >= worth.size:
            add_far_levels(table, given_levels, units, worth, costs, joint_levels, phi)
        add_table(table, given_levels, units, most, worth, corner, phi)
    else:
        worth = worth_of_given(given, given_levels, n, n, joint_levels, costs, options)
        add_rows(given, given_levels, order, first_row, units, worth, costs, joint_levels, corner, phi)
    add_corners(corner, units, phi)
    return _search(phi, units, pen, options.legacy, bin_of)


@njit(**KERNEL)
def best_cuts_of_table(table, previous_bins, unit_weight, costs, options, bin_of):
    """The same without `given`, from counts (joint levels, units) int32; unit_weight (units,): the weight of the rows in
    each unit bin, or empty where all weigh the same.
    """
    joint_levels, units = table.shape
    pen = cut_price(costs.lfact, units, previous_bins, options.bic, options.legacy)
    if np.isnan(pen):
        for a in range(units):
            bin_of[a] = 0
        return 1
    phi = np.zeros((units + 1, units + 1))
    flat = table.copy().ravel()
    one = np.int64(1)
    if unit_weight.size:
        weighted_values(flat, units, one, joint_levels, unit_weight, costs, options, phi)
    else:
        n = table.sum()
        worth = worth_of_given(np.zeros(1, np.int32), one, n, n, joint_levels, costs, options)
        corner = np.zeros(units * units)
        add_table(flat, joint_levels, units, largest(flat, joint_levels, units), costs.plogp_rounded, corner, phi)
        sum_levels(flat, one, joint_levels, units)
        if n >= worth.size:
            add_far_levels(flat, one, units, worth, costs, joint_levels, phi)
        add_table(flat, one, units, n, worth, corner, phi)
        add_corners(corner, units, phi)
    return _search(phi, units, pen, options.legacy, bin_of)


@njit(**KERNEL)
def _search(phi, units, pen, legacy, bin_of):
    """Best cuts from the values of all intervals; fills bin_of (units,), returns the number of bins."""
    best = np.full(units + 1, -np.inf)
    cut = np.zeros(units + 1, np.int64)
    for right in range(1, units + 1):
        best[right] = phi[0, right]
    for left in range(1, units):
        base = best[left] - pen
        # the sign is the reference's back-tracking rule (Q4); the default ignores it
        if base + phi[left, left + 1] - best[left + 1] > BETTER:
            best[left + 1] = base + phi[left, left + 1]
            cut[left + 1] = -left if cut[left + 1] == 0 else left
        mark = -left if cut[left + 1] == 0 else left
        found, before, gain = best[left + 2 :], cut[left + 2 :], phi[left, left + 2 :]
        # written in any case, so that the compiler can take several at once
        for k in range(units - left - 1):
            value = base + gain[k]
            better = value - found[k] > BETTER
            found[k] = value if better else found[k]
            before[k] = mark if better else before[k]
    return _read_back(cut, units, legacy, bin_of)


@njit(**KERNEL)
def worth_of_given(given, given_levels, n, most, joint_levels, costs, options):
    """What a level of `given`, of n rows, with c rows brings, -(f(c) + LC(c, joint_levels)), for c up to `most` or as far
    as prices are tabled; beyond that `_far_worth` goes on. float64.
    """
    row, _ = price_row(costs, joint_levels)
    bic_cell = 0.0
    size = most + 1
    if options.bic:
        bic_cell = 0.5 * (joint_levels - 1) * np.log(max(2.0, costs.weight * n))
        if options.legacy:
            # times the number of levels, and rows are taken for samples (Q14)
            seen = np.zeros(given_levels, np.int32)
            for g in given:
                seen[g] = 1
            bic_cell = 0.5 * (joint_levels - 1) * seen.sum() * np.log(float(costs.rows))
    else:
        size = np.searchsorted(costs.rounded[: most + 1], row.size)
    out = np.empty(size)
    out[0] = 0.0
    for c in range(1, size):
        out[c] = -costs.plogp_rounded[c] - (bic_cell if options.bic else row[costs.rounded[c]])
    return out


@njit(**KERNEL)
def _far_worth(c, row, pieces, costs):
    return -costs.plogp_rounded[c] - price(row, pieces, costs.rounded[c])


@njit(**KERNEL)
def count_table(unit, units, labels, levels):
    """Rows at each (label, unit), flat int32."""
    table = np.zeros(levels * units, np.int32)
    for i in range(unit.size):
        table[labels[i] * units + unit[i]] += 1
    return table


@njit(**KERNEL)
def sum_levels(table, given_levels, joint_levels, units):
    """Sum counts at (given, joint, unit), flat, over joint; in place, into the first given_levels * units places."""
    for g in range(given_levels):
        total = table[g * units : (g + 1) * units]
        for k in range(joint_levels):
            part = table[(g * joint_levels + k) * units :]
            for a in range(units):
                total[a] = part[a] + (total[a] if k else 0)


@njit(**KERNEL)
def largest(table, levels, units):
    """Rows of the level that has most, from counts at (level, unit), flat."""
    most = 0
    for level in range(levels):
        most = max(most, _total(table, level * units, units))
    return most


@njit(**KERNEL)
def _total(table, first, units):
    """Sum of `units` counts from place `first`, in their own type, so that the compiler adds several at once."""
    counts = table[first : first + units]
    total = np.int32(0)
    for a in range(units):
        total = np.int32(total + counts[a])
    return np.int64(total)


@njit(**KERNEL)
def _total_before(table, first, units, upto, k):
    """Fill upto[k] (units+1,) with the sums of the first 0, 1, 2 ... counts from place `first`."""
    counts, before = table[first : first + units], upto[k, 1:]
    total = np.int32(0)
    for a in range(units):
        total = np.int32(total + counts[a])
        before[a] = total


@njit(**KERNEL)
def _list_rows(table, first, units, rows):
    """Fill rows (at least their sum + 2,) with the unit bins of the rows counted from place `first`, ascending."""
    counts = table[first : first + units]
    at = np.uint32(0)  # unsigned, so that no index needs a check
    for a in range(units):
        # a unit bin holds few rows of a small level, and as many are written without a choice
        count = np.uint32(counts[a])
        rows[at] = a
        rows[np.uint32(at + 1)] = a
        rows[np.uint32(at + 2)] = a
        if count > 3:
            for k in range(3, count):
                rows[np.uint32(at + k)] = a
        at = np.uint32(at + count)


@njit(**KERNEL)
def add_table(table, levels, units, most, worth, corner, phi):
    """Add to phi (units+1, units+1) what each of some levels is worth in each interval [a, b) of unit bins.

    table: counts at (level, unit), flat; worth (most,): value of c rows of one level; levels of more rows are left out (see
    add_far_levels). Levels of few rows go into corner (units * units,).
    """
    # whole arrays are handed on, not views: counting who holds a view costs more than what is done with it
    upto = np.zeros((TOGETHER, units + 1), np.uint32)
    rows = np.empty(FEW + 3, np.uint16)
    height = corner_heights(worth)
    worth_from = _shift(worth, min(most, worth.size - 1))
    held = 0
    for level in range(levels):
        total = _total(table, level * units, units)
        if total == 0 or total >= worth.size:
            continue
        if total <= FEW:
            _list_rows(table, level * units, units, rows)
            _add_pairs(rows, total, height, units, corner)
        else:
            _total_before(table, level * units, units, upto, held)
            held += 1
            if held == TOGETHER:
                _add_four(upto, units, worth_from, phi)
                held = 0
    for k in range(held):
        _add_one(upto, k, units, worth_from, phi)


@njit(**KERNEL)
def corner_heights(worth):
    """Height (FEW,) of the corner of two rows of a level with d - 1 others between them: second differences of worth."""
    height = np.zeros(FEW)
    height[0] = worth[min(1, worth.size - 1)]
    for d in range(1, min(FEW, worth.size - 1)):
        height[d] = worth[d + 1] - 2.0 * worth[d] + worth[d - 1]
    return height


@njit(**KERNEL)
def _add_pairs(rows, size, height, units, corner):
    """Add the corners of all pairs of the `size` rows of one level, their unit bins ascending in rows (at least size,)."""
    for i in range(0, size - 1, 2):
        # two rows at once, with all rows from the second on; unsigned, so that no index needs a check
        first, second = np.uint32(rows[i] * units), np.uint32(rows[i + 1] * units)
        corner[np.uint32(first + rows[i])] += height[0]
        after = rows[i + 1 :]
        for d in range(size - i - 1):
            corner[np.uint32(first + after[d])] += height[d + 1]
            corner[np.uint32(second + after[d])] += height[d]
    if size % 2:
        corner[np.uint32(rows[size - 1] * units + rows[size - 1])] += height[0]


@njit(**KERNEL, fastmath={"nsz", "arcp", "contract"})
def _add_four(upto, units, worth_from, phi):
    """Add the values of four levels at once, upto (4, units+1): what is read and written of phi serves all.

    worth_from: see _shift.
    """
    upto_0, upto_1, upto_2, upto_3 = upto[0], upto[1], upto[2], upto[3]
    zero = worth_from.size // 2
    for a in range(units):
        worth_0, worth_1 = worth_from[zero - upto_0[a] :], worth_from[zero - upto_1[a] :]
        worth_2, worth_3 = worth_from[zero - upto_2[a] :], worth_from[zero - upto_3[a] :]
        after_0, after_1, after_2, after_3 = upto_0[a + 1 :], upto_1[a + 1 :], upto_2[a + 1 :], upto_3[a + 1 :]
        row_of_phi = phi[a, a + 1 :]
        for b in range(units - a):
            # unsigned, and from 0, so that no index needs a check
            value = row_of_phi[b] + worth_0[after_0[b]]
            value += worth_1[after_1[b]]
            value += worth_2[after_2[b]]
            row_of_phi[b] = value + worth_3[after_3[b]]


@njit(**KERNEL)
def _shift(worth, most):
    """worth (at least most+1,) from the middle of an array on, so that a view from c places before it is indexed by rows + c."""
    out = np.zeros(2 * (most + 1))
    for c in range(most + 1):
        out[most + 1 + c] = worth[c]
    return out


@njit(**KERNEL, fastmath={"nsz", "arcp", "contract"})
def _add_one(all_upto, level, units, worth_from, phi):
    """The same of one level, all_upto[level] (units+1,)."""
    upto = all_upto[level]
    zero = worth_from.size // 2
    for a in range(units):
        worth, row_of_phi, after = worth_from[zero - upto[a] :], phi[a, a + 1 :], upto[a + 1 :]
        for b in range(units - a):
            row_of_phi[b] += worth[after[b]]


@njit(**KERNEL)
def _add_far_values(upto, units, worth, costs, joint_levels, phi):
    """The same of a level of more rows than worth is tabled for, upto[0]: it goes on by _far_worth."""
    row, pieces = price_row(costs, joint_levels)
    for a in range(units):
        for b in range(a + 1, units + 1):
            c = np.int64(upto[0, b]) - np.int64(upto[0, a])
            phi[a, b] += worth[c] if c < worth.size else _far_worth(c, row, pieces, costs)


@njit(**KERNEL)
def add_far_levels(table, levels, units, worth, costs, joint_levels, phi):
    """The levels that add_table leaves out."""
    upto = np.zeros((1, units + 1), np.uint32)
    for level in range(levels):
        if _total(table, level * units, units) >= worth.size:
            _total_before(table, level * units, units, upto, np.int64(0))
            _add_far_values(upto, units, worth, costs, joint_levels, phi)


@njit(**KERNEL)
def add_rows(labels, levels, order, first_row, units, worth, costs, joint_levels, corner, phi):
    """The same from rows: labels (n,) and their order by unit bin. Levels of few rows go into corner (units * units,)."""
    n = labels.size
    first = np.zeros(levels + 2, np.int64)
    for label in labels:
        first[label + 2] += 1
    for level in range(2, levels + 2):
        first[level] += first[level - 1]
    # unit bins of the rows, level by level, ascending within each
    sorted_units = np.empty(n, np.uint16)
    for a in range(units):
        for at in range(first_row[a], first_row[a + 1]):
            label = labels[order[at]] + 1
            sorted_units[first[label]] = a
            first[label] += 1
    height = corner_heights(worth)
    rows = np.empty(FEW, np.uint16)
    most = np.int64(0)
    for level in range(levels):
        most = max(most, first[level + 1] - first[level])
    worth_from = _shift(worth, min(most, worth.size - 1))
    upto = np.zeros((1, units + 1), np.uint32)
    for level in range(levels):
        begin, end = first[level], first[level + 1]
        if end - begin <= FEW:
            for i in range(end - begin):
                rows[i] = sorted_units[begin + i]
            _add_pairs(rows, end - begin, height, units, corner)
        else:
            _count_before(sorted_units, begin, end, units, upto)
            if end - begin >= worth.size:
                _add_far_values(upto, units, worth, costs, joint_levels, phi)
            else:
                _add_one(upto, np.int64(0), units, worth_from, phi)


@njit(**KERNEL)
def _count_before(sorted_units, begin, end, units, upto):
    """Fill upto[0] (units+1,) with the rows, of those from begin to end, that lie before each unit bin."""
    before = upto[0]
    for a in range(units + 1):
        before[a] = 0
    for i in range(begin, end):
        before[sorted_units[i] + 1] += 1
    for a in range(units):
        before[a + 1] += before[a]


@njit(**KERNEL)
def add_corners(corner, units, phi):
    """Turn corners (units * units,) into values: [a, b) gets all corners at a or later and before b."""
    value = np.zeros(units)
    for last in range(units, units % 4, -4):
        # four rows of the table at once: each running sum waits for its last addition; views from 0, so that no index needs a check
        a = last - 4
        row_3, row_2 = corner[(a + 3) * units + a :], corner[(a + 2) * units + a :]
        row_1, row_0 = corner[(a + 1) * units + a :], corner[a * units + a :]
        phi_3, phi_2, phi_1, phi_0 = phi[a + 3, a + 1 :], phi[a + 2, a + 1 :], phi[a + 1, a + 1 :], phi[a, a + 1 :]
        below = value[a:]
        sum_3 = sum_2 = sum_1 = sum_0 = 0.0
        for b in range(units - a):
            height_3 = below[b] + row_3[b]
            height_2 = height_3 + row_2[b]
            height_1 = height_2 + row_1[b]
            height_0 = height_1 + row_0[b]
            below[b] = height_0
            sum_3 += height_3
            sum_2 += height_2
            sum_1 += height_1
            sum_0 += height_0
            phi_3[b] += sum_3
            phi_2[b] += sum_2
            phi_1[b] += sum_1
            phi_0[b] += sum_0
    for a in range(units % 4 - 1, -1, -1):
        row, row_of_phi, below = corner[a * units + a :], phi[a, a + 1 :], value[a:]
        running = 0.0
        for b in range(units - a):
            below[b] += row[b]
            running += below[b]
            row_of_phi[b] += running


@njit(**KERNEL)
def weights_by_place(first_row, units, weights, unit_weight):
    """Add to unit_weight (units,) the weights (n,) as if they were in the order of the sorted rows, as the reference does (Q12).

    first_row (>= units+1,): rows before each unit bin.
    """
    for a in range(units):
        for at in range(first_row[a], first_row[a + 1]):
            unit_weight[a] += weights[at]


@njit(**KERNEL)
def weighted_values(table, units, given_levels, joint_levels, unit_weight, costs, options, phi):
    """phi where rows have weights, table: counts at (given, joint, unit): the counts of an interval times the mean weight of its rows."""
    row, pieces = price_row(costs, joint_levels)
    bic_cell = 0.0
    if options.bic:
        bic_cell = 0.5 * (joint_levels - 1) * np.log(max(2.0, unit_weight.sum()))
        if options.legacy:
            occupied = 0
            for g in range(given_levels):
                occupied += table[g * joint_levels * units : (g + 1) * joint_levels * units].any()
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


@njit(**KERNEL)
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
