"""Information between two variables, given others: the kernels.

    all discrete     plug-in counts                                                        `discrete`
    U empty          X and Y are cut in turn until nothing changes                         `pair`
    otherwise        X, Y and, for each of four terms, U are cut                           `conditioned`

          I(X;Y|U) = 1/2 { [ I(X;YU) - I(X;U) ] + [ I(Y;XU) - I(Y;U) ] }

Informations are in nats times (effective) samples; "shifted" means less the complexity. Columns are a Ranked (see
`ranks`), stacked as x, y, u1, u2 ...; `weights` is (n,) float64, or empty where all rows weigh the same.
Source: spec 3.2 to 3.7.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from .compilation import KERNEL
from .cuts import best_cuts, best_cuts_of_table, sort_by_unit, weights_by_place
from .keyed_random import key_of, permutation
from .nml import log_choose, price, price_row
from .ranks import SCAN_BINS, bins_asked_for, densify, multiply, rank_columns, relabel, start_bins, unit_width

PASSES = 50  # most rounds of cutting
SWEEPS = 3  # rounds over the conditioning variables within one term
SAME = 1e-5  # nats: two rounds with the same result are a cycle
ZERO = 1e-10  # nats: below this an information is none
PER_ROW = 4  # a table of joint levels is counted directly up to this many cells per row

# places in the array of sums over the joint levels of (u, x, y)
S_XYU, S_XU, S_YU, S_U, S_X, S_Y, S_ALL = range(7)  # sums of n ln n
K_XU, K_YU, K_UX, K_UY = range(7, 11)  # over (x,u) of LC(n, r_y), (y,u) of LC(n, r_x), u of LC(n, r_x), u of LC(n, r_y)
N_XU, N_YU, N_U, N_ALL = range(11, 15)  # joint levels that occur, samples
SUMS = 15


class Options(NamedTuple):
    """How to estimate: bic complexity or nml, the reference's quirks or their repairs, clamping at zero, unit bins."""

    bic: bool
    legacy: bool
    clamp: bool
    max_bins: int


@njit(**KERNEL)
def samples_of(costs, count, least):
    """Samples that `count` > 0 rows count for where a price is looked up."""
    return max(costs.rounded[count], least)


@njit(**KERNEL)
def sums(u, ru, x, rx, y, ry, weights, costs, least, out):
    """Add up what the joint levels of three labellings (n,) with ru, rx, ry levels are worth; fills out (SUMS,).

    least: samples that any occupied level is priced as at the least (1, or 0 for all discrete with conditions).
    """
    n = x.size
    for k in range(SUMS):
        out[k] = 0.0
    if not weights.size:
        out[S_ALL] = costs.plogp[n]
        out[N_ALL] = costs.weight * n
        if ru * rx * ry <= PER_ROW * n + 4096:
            table = np.zeros(ru * rx * ry, np.int32)
            for i in range(n):
                table[(np.int64(u[i]) * rx + x[i]) * ry + y[i]] += 1
            table_sums(table, ru, rx, ry, costs, least, out)
            return
    else:
        total = weights.sum()
        out[S_ALL] = total * np.log(total)
        out[N_ALL] = total
    out[S_U], out[K_UX], out[N_U] = _worth(u, ru, weights, costs, least, rx)
    out[K_UY] = _worth(u, ru, weights, costs, least, ry)[1]
    out[S_X] = _worth(x, rx, weights, costs, least, ry)[0]
    out[S_Y] = _worth(y, ry, weights, costs, least, rx)[0]
    joint = u.astype(np.int32)
    levels = multiply(joint, ru, y, ry)
    out[S_YU], out[K_YU], out[N_YU] = _worth(joint, levels, weights, costs, least, rx)
    for i in range(n):
        joint[i] = u[i]
    levels = multiply(joint, ru, x, rx)
    out[S_XU], out[K_XU], out[N_XU] = _worth(joint, levels, weights, costs, least, ry)
    levels = multiply(joint, levels, y, ry)
    out[S_XYU] = _worth(joint, levels, weights, costs, least, ry)[0]


@njit(**KERNEL)
def _worth(labels, levels, weights, costs, least, other_levels):
    """(sum of n ln n, sum of LC(n, other_levels), levels that occur) of one labelling."""
    row, pieces = price_row(costs, other_levels)
    value = cost = occupied = 0.0
    if not weights.size:
        count = np.zeros(levels, np.int32)
        for label in labels:
            count[label] += 1
        for c in count:
            if c > 0:
                value += costs.plogp[c]
                cost += price(row, pieces, samples_of(costs, c, least))
                occupied += 1.0
    else:
        total = np.zeros(levels)
        for i in range(labels.size):
            total[labels[i]] += weights[i]
        for w in total:
            if w > 0:
                value += w * np.log(w)
                cost += price(row, pieces, max(least, int(w + 0.5)))
                occupied += 1.0
    return value, cost, occupied


@njit(**KERNEL)
def table_sums(table, ru, rx, ry, costs, least, out):
    """The same from counts of all joint levels, flat (ru * rx * ry,), uniform weights; S_ALL and N_ALL are left."""
    plogp = costs.plogp
    row_x, pieces_x = price_row(costs, rx)
    row_y, pieces_y = price_row(costs, ry)
    all_x = np.zeros(rx, np.int32)
    all_y = np.zeros(ry, np.int32)
    in_y = np.zeros(ry, np.int32)
    at = 0
    s_xyu = s_xu = s_yu = s_u = k_xu = k_yu = k_ux = k_uy = n_xu = n_yu = n_u = 0.0
    for _ in range(ru):
        in_u = 0
        for b in range(rx):
            row = 0
            for c in range(ry):
                count = table[at]
                at += 1
                if count:
                    row += count
                    in_y[c] += count
                    s_xyu += plogp[count]
            if row:
                in_u += row
                all_x[b] += row
                n_xu += 1.0
                s_xu += plogp[row]
                k_xu += price(row_y, pieces_y, samples_of(costs, row, least))
        if in_u:
            n_u += 1.0
            s_u += plogp[in_u]
            samples = samples_of(costs, in_u, least)
            k_ux += price(row_x, pieces_x, samples)
            k_uy += price(row_y, pieces_y, samples)
            for c in range(ry):
                count = in_y[c]
                in_y[c] = 0
                if count:
                    all_y[c] += count
                    n_yu += 1.0
                    s_yu += plogp[count]
                    k_yu += price(row_x, pieces_x, samples_of(costs, count, least))
    for count in all_x:
        out[S_X] += plogp[count]
    for count in all_y:
        out[S_Y] += plogp[count]
    out[S_XYU], out[S_XU], out[S_YU], out[S_U] = s_xyu, s_xu, s_yu, s_u
    out[K_XU], out[K_YU], out[K_UX], out[K_UY] = k_xu, k_yu, k_ux, k_uy
    out[N_XU], out[N_YU], out[N_U] = n_xu, n_yu, n_u


@njit(**KERNEL)
def tell(a, ra, t, rt, weights, costs, bic):
    """(info, shifted info) that a joint label a (n,) int32 of ra levels has on t (n,) of rt levels: one term, spec 3.7."""
    n = t.size
    one = np.int64(1)
    if weights.size:
        s_a, cost, occupied = _worth(a, ra, weights, costs, one, rt)
        s_t = _worth(t, rt, weights, costs, one, one)[0]
        joint = a.copy()
        levels = multiply(joint, ra, t, rt)
        s_at = _worth(joint, levels, weights, costs, one, one)[0]
        samples = weights.sum()
        s_all = samples * np.log(samples)
    elif ra * rt <= PER_ROW * n + 4096:
        row, pieces = price_row(costs, rt)
        plogp = costs.plogp
        table = np.zeros(ra * rt, np.int32)
        for i in range(n):
            table[np.int64(a[i]) * rt + t[i]] += 1
        all_t = np.zeros(rt, np.int32)
        s_a = s_at = cost = occupied = s_t = 0.0
        at = 0
        for _ in range(ra):
            total = 0
            for k in range(rt):
                count = table[at]
                at += 1
                if count:
                    total += count
                    all_t[k] += count
                    s_at += plogp[count]
            if total:
                occupied += 1.0
                s_a += plogp[total]
                cost += price(row, pieces, samples_of(costs, total, one))
        for count in all_t:
            s_t += plogp[count]
        samples = costs.weight * n
        s_all = plogp[n]
    else:
        s_a, cost, occupied = _worth(a, ra, weights, costs, one, rt)
        s_t = _worth(t, rt, weights, costs, one, one)[0]
        joint = a.copy()
        levels = multiply(joint, ra, t, rt)
        s_at = _worth(joint, levels, weights, costs, one, one)[0]
        samples = costs.weight * n
        s_all = costs.plogp[n]
    info = s_all - s_t - s_a + s_at
    if info < ZERO or rt < 2 or occupied < 2:
        info = 0.0
    if bic:
        cost = 0.5 * (rt - 1) * (occupied - 1) * np.log(samples)
    return info, info - cost


@njit(**KERNEL)
def symmetric(s, rx, ry, levels_u, bic):
    """(info, complexity) from sums of labels as they are, spec 3.2; levels_u: product of the level counts of U."""
    info = s[S_U] - s[S_XU] - s[S_YU] + s[S_XYU]
    if info < ZERO or rx < 2 or ry < 2:
        info = 0.0
    if bic:
        return info, 0.5 * levels_u * (rx - 1) * (ry - 1) * np.log(s[N_ALL])
    return info, 0.5 * (s[K_XU] - s[K_UY] + s[K_YU] - s[K_UX])


@njit(**KERNEL)
def both_sides(s, rx, ry, bic):
    """Shifted I(Y;XU) + I(X;YU) from sums, the score of a start; spec 3.7."""
    value = 0.0
    for info, cost, ra, rb in (
        (s[S_ALL] - s[S_Y] - s[S_XU] + s[S_XYU], s[K_XU], ry, s[N_XU]),
        (s[S_ALL] - s[S_X] - s[S_YU] + s[S_XYU], s[K_YU], rx, s[N_YU]),
    ):
        value += 0.0 if info < ZERO or ra < 2 or rb < 2 else info
        value -= 0.5 * (ra - 1) * (rb - 1) * np.log(s[N_ALL]) if bic else cost
    return value


@njit(**KERNEL)
def discrete(columns, levels, weights, costs, options):
    """(info, shifted) of discrete columns x, y, u...; clamped only with conditions."""
    n = columns.shape[1]
    joint = np.zeros(n, np.int32)
    joint_levels = np.int64(1)
    product = 1.0
    for k in range(2, columns.shape[0]):
        joint_levels = multiply(joint, joint_levels, columns[k], levels[k])
        product *= levels[k]
    s = np.empty(SUMS)
    least = np.int64(1 if columns.shape[0] == 2 else 0)
    sums(joint, joint_levels, columns[0], levels[0], columns[1], levels[1], weights, costs, least, s)
    info, cost = symmetric(s, levels[0], levels[1], product, options.bic)
    if columns.shape[0] > 2 and options.clamp and info < cost:
        return 0.0, 0.0
    return info, info - cost


@njit(**KERNEL)
def scan_limit(levels, kinds, rows):
    """Equal-frequency bins are tried from 2 to below this number."""
    limit = min(SCAN_BINS, int(0.5 + rows ** (1.0 / 3.0)))
    for k in range(levels.size):
        if kinds[k]:
            limit = min(limit, levels[k])
    return max(limit, 2)


@njit(**KERNEL)
def _fold(table, from_x, bins_x, from_y, bins_y):
    """Table (units of x, units of y) summed into bins, from_x and from_y the bin of each."""
    out = np.zeros((bins_x, bins_y), table.dtype)
    for a in range(table.shape[0]):
        for b in range(table.shape[1]):
            out[from_x[a], from_y[b]] += table[a, b]
    return out


@njit(**KERNEL)
def _cross(x, in_x, size_x, y, in_y, size_y):
    """Rows at each (in_x[x], in_y[y]), (size_x, size_y) int32; x, y (n,) atoms."""
    out = np.zeros((size_x, size_y), np.int32)
    for i in range(x.size):
        out[in_x[x[i]], in_y[y[i]]] += 1
    return out


@njit(**KERNEL)
def _cross_weights(x, in_x, size_x, y, in_y, size_y, weights):
    out = np.zeros((size_x, size_y))
    for i in range(x.size):
        out[in_x[x[i]], in_y[y[i]]] += weights[i]
    return out


@njit(**KERNEL)
def _information_of_table(counts, weighed, columns, costs, bic, s):
    """(info, complexity), spec 3.2 without conditions, from counts (rx, ry) or, unless empty, weights (rx, ry).

    columns: of the labels' type.
    """
    rx, ry = counts.shape
    for k in range(SUMS):
        s[k] = 0.0
    one = np.int64(1)
    if not weighed.size:
        n = counts.sum()
        s[S_ALL] = costs.plogp[n]
        s[N_ALL] = costs.weight * n
        table_sums(counts.ravel(), one, rx, ry, costs, one, s)
    else:
        labels = np.empty((2, rx * ry), columns.dtype)
        for at in range(rx * ry):
            labels[0, at] = at // ry
            labels[1, at] = at % ry
        sums(np.zeros(rx * ry, np.int32), one, labels[0], rx, labels[1], ry, weighed.ravel(), costs, one, s)
    return symmetric(s, rx, ry, 1.0, bic)


@njit(**KERNEL)
def pair(ranked, columns, nodes, weights, costs, options, last_codes):
    """I(X;Y), nodes x, y of a Ranked, at least one continuous: (info, shifted, passes); columns (2, n): their atoms.

    Rows are counted once for each number of equal-frequency bins and once by unit bins; from then on only tables are
    added up. last_codes: see `estimate`.
    """
    levels, kinds = ranked.levels[nodes], ranked.kinds[nodes]
    limit = scan_limit(levels, kinds, costs.rows)
    s = np.empty(SUMS)
    bins = start_bins(costs.rows, 1.0, 2)[0]
    # what a bin, or a unit bin, of an atom is; a discrete column keeps its levels
    most = ranked.unit.shape[1]
    for k in range(2):
        if not kinds[k]:
            most = max(most, levels[k])
    same = np.arange(most).astype(np.int32)
    unit = np.zeros((2, most), np.int32)
    start = np.zeros((2, most), np.int32)
    units = np.empty(2, np.int64)
    r = np.empty(2, np.int64)
    for k in range(2):
        if kinds[k]:
            units[k] = ranked.units[nodes[k]]
            for a in range(ranked.unit.shape[1]):
                unit[k, a] = ranked.unit[nodes[k], a]
        else:
            units[k] = r[k] = levels[k]
            for a in range(most):
                unit[k, a] = start[k, a] = a
    best = -np.inf
    none = np.empty((0, 0))
    for trial in range(2, limit + 1):
        for k in range(2):
            if kinds[k]:
                b = trial if trial < limit else bins
                r[k] = ranked.parts[nodes[k], b]
                for a in range(ranked.part.shape[2]):
                    start[k, a] = ranked.part[nodes[k], b, a]
        if trial == limit:
            break
        counts = _cross(columns[0], start[0], r[0], columns[1], start[1], r[1])
        weighed = none
        if weights.size:
            weighed = _cross_weights(columns[0], start[0], r[0], columns[1], start[1], r[1], weights)
        info, cost = _information_of_table(counts, weighed, columns, costs, options.bic, s)
        if info - cost > best:
            best = info - cost
            bins = trial

    fine = _cross(columns[0], unit[0], units[0], columns[1], unit[1], units[1])
    fine_weights = none
    if weights.size:
        fine_weights = _cross_weights(columns[0], unit[0], units[0], columns[1], unit[1], units[1], weights)
    # (bins of the other, unit bins of the one): what its cuts are searched in
    in_x = _cross(columns[1], start[1], r[1], columns[0], unit[0], units[0])
    in_y = _cross(columns[0], start[0], r[0], columns[1], unit[1], units[1])
    of = np.zeros((2, most), np.int32)
    for k in range(2):
        if not kinds[k]:
            for a in range(most):
                of[k, a] = a
    new = of.copy()
    infos = np.zeros(PASSES)
    shifted = np.zeros(PASSES)
    info = value = 0.0
    passes = 0
    while passes < PASSES:
        recorded = passes
        passes += 1
        new_r = r.copy()
        for k in range(2):
            if kinds[k]:
                table = in_x if k == 0 else in_y
                unit_weight = np.zeros(units[k] if weights.size else 0)
                if weights.size and options.legacy:
                    first_row = np.zeros(units[k] + 1, np.int64)
                    for a in range(fine.shape[0]):
                        for b in range(fine.shape[1]):
                            first_row[(b if k else a) + 1] += fine[a, b]
                    weights_by_place(first_row.cumsum(), units[k], weights, unit_weight)
                else:
                    for a in range(fine_weights.shape[0]):
                        for b in range(fine_weights.shape[1]):
                            unit_weight[b if k else a] += fine_weights[a, b]
                new_r[k] = best_cuts_of_table(table, r[k], unit_weight, costs, options, new[k])
        moved = recorded == 0
        for k in range(2):
            for a in range(units[k]):
                moved = moved or new[k, a] != of[k, a]
                of[k, a] = new[k, a]
            r[k] = new_r[k]
        in_x = np.ascontiguousarray(_fold(fine, same, units[0], of[1], r[1]).T)
        in_y = _fold(fine, of[0], r[0], same, units[1])
        counts = _fold(fine, of[0], r[0], of[1], r[1])
        weighed = none
        if weights.size:
            weighed = _fold(fine_weights, of[0], r[0], of[1], r[1])
        info, cost = _information_of_table(counts, weighed, columns, costs, options.bic, s)
        for k in range(2):
            if kinds[k]:
                cost += _partition_price(costs, options, levels[k], r[k], units[k])
        value = info - cost
        if not (kinds[0] and kinds[1]):
            break
        first = -1
        for back in range(recorded - 1, -1, -1):
            if abs(value - shifted[back]) < SAME:
                first = back
                break
        if first >= 0:
            # a cycle: its mean counts
            info = infos[first:recorded].mean()
            value = shifted[first:recorded].mean()
            break
        infos[recorded] = info
        shifted[recorded] = value
        if not moved:
            # the next pass would repeat this one and end the search
            passes += 1
            break
    _read_cuts(of, kinds, levels, units, options.max_bins, last_codes)
    if options.clamp and value < 0:
        return 0.0, 0.0, passes
    return info, value, passes


@njit(**KERNEL)
def _read_cuts(of, kinds, levels, units, max_bins, last_codes):
    """Last code of each bin but the final one, ended by -1; of (2, units): bin of each unit bin."""
    for k in range(2):
        found = 0
        if kinds[k]:
            width = unit_width(levels[k], max_bins)
            for a in range(units[k] - 1):
                if of[k, a + 1] != of[k, a]:
                    last_codes[k, found] = min((a + 1) * width, levels[k]) - 1
                    found += 1
        last_codes[k, found] = -1


@njit(**KERNEL)
def _optimise(
    columns, levels, units, order, first_row, n_units, kinds, given, given_levels, joint, joint_levels, weights, costs,
    options, kept, keep,
):  # fmt: skip
    """New cuts of the continuous conditioning variables for one term: (joint label of U, its levels).

    columns, levels: equal-frequency labels of x, y, u...; units, n_units, order, first_row: unit bins of the same
    and rows sorted by them; given, joint: the factors of the term besides U; kept (conditions, places, places): see
    best_cuts; used, where keep, in the first sweep. Every sweep uses the labels at its start.
    """
    total, n = columns.shape
    labels = columns[2:].copy()
    sizes = levels[2:].copy()
    size = total - 2
    of = np.zeros(options.max_bins + 1, np.int32)
    for sweep in range(SWEEPS if size > 1 else 1):
        new = labels.copy() if size > 1 else labels
        new_sizes = sizes.copy()
        moved = False
        for k in range(size):
            if not kinds[2 + k]:
                continue
            base = given.astype(np.int32)
            base_levels = given_levels
            for other in range(size):
                if other != k:
                    base_levels = multiply(base, base_levels, labels[other], sizes[other])
            new_sizes[k] = best_cuts(
                units[2 + k], order[2 + k], first_row[2 + k], n_units[2 + k], base, base_levels, joint, joint_levels,
                sizes[k], weights, costs, options, kept, np.int64(k if keep and sweep == 0 else -1), of,
            )  # fmt: skip
            for i in range(n):
                label = of[units[2 + k, i]]
                if label != labels[k, i]:
                    moved = True
                new[k, i] = label
        labels = new
        sizes = new_sizes
        if not moved:
            break
    out = np.zeros(n, np.int32)
    out_levels = np.int64(1)
    for k in range(size):
        out_levels = multiply(out, out_levels, labels[k], sizes[k])
    return out, out_levels


@njit(**KERNEL)
def conditioned(ranked, columns, nodes, weights, costs, options, last_codes):
    """I(X;Y|U), nodes x, y, u... of a Ranked, at least one continuous: (info, shifted, passes); columns: their atoms.

    last_codes: see `estimate`.
    """
    total, n = columns.shape
    nothing = np.zeros(n, np.int32)
    levels, kinds = ranked.levels[nodes], ranked.kinds[nodes]
    label = columns.copy()
    units = np.zeros(columns.shape, columns.dtype)
    order = np.empty((total, n), np.int32)
    first_row = np.zeros((total, options.max_bins + 1), np.int32)
    n_units = np.ones(total, np.int64)
    r = levels.copy()
    any_u = False
    for k in range(total):
        if kinds[k]:
            any_u = any_u or k > 1
            n_units[k] = ranked.units[nodes[k]]
            relabel(columns[k], ranked.unit[nodes[k]], units[k])
            sort_by_unit(units[k], n_units[k], order[k], first_row[k])
    limit = scan_limit(levels, kinds, costs.rows)
    s = np.empty(SUMS)

    # start: the number of equal-frequency bins, the same for all, that scores best; then U gets its own number
    n_eff = costs.weight * n
    if weights.size:
        n_eff = weights.sum()
    bins, bins_u = start_bins(costs.rows, n_eff, total)
    best = -np.inf
    fixed = nothing
    fixed_levels = np.int64(1)
    for trial in range(2, limit + 1):
        # the last round sets the winner
        final = trial == limit
        for k in range(total):
            if kinds[k]:
                wanted = trial if not final else (bins if k < 2 else bins_u)
                r[k] = ranked.parts[nodes[k], wanted]
                relabel(columns[k], ranked.part[nodes[k], wanted], label[k])
        fixed = nothing.copy()
        fixed_levels = np.int64(1)
        for k in range(2, total):
            fixed_levels = multiply(fixed, fixed_levels, label[k], r[k])
        if final:
            break
        sums(fixed, fixed_levels, label[0], r[0], label[1], r[1], weights, costs, np.int64(1), s)
        value = both_sides(s, r[0], r[1], options.bic)
        if value > best:
            best = value
            bins = trial

    of = np.zeros((2, options.max_bins + 1), np.int32)
    old = of.copy()
    new_r = r[:2].copy()
    # joint labels of U kept from the terms I(X;U) and I(Y;U), for when a side stops being optimised
    kept = np.empty((2, n), np.int32)
    kept_levels = np.full(2, fixed_levels, np.int64)
    for i in range(n):
        kept[0, i] = kept[1, i] = fixed[i]
    reuse = np.zeros(2, np.bool_)
    changed = np.ones(2, np.bool_)
    alone_reuse = np.zeros(2, np.bool_)
    alone_info = np.zeros(2)
    alone_value = np.zeros(2)
    joint_worth = np.empty((total - 2, options.max_bins + 1, options.max_bins + 1))
    last_pass = False
    infos = np.zeros(PASSES)
    shifted = np.zeros(PASSES)
    recorded = 0
    info = value = 0.0
    passes = 0
    while passes < PASSES:
        t = passes
        passes += 1
        old = of.copy()
        # the first searches of I(Y;XU) and I(X;YU) have the same levels of (x, y, others of U)
        for k in range(total - 2):
            joint_worth[k, 0, 0] = np.nan
        # sides: 0 what X tells (its cuts are the better the more they tell about Y), 1 what Y tells
        reused = reuse[0] or reuse[1]
        part = np.zeros(2)
        value = 0.0
        for term in range(4):
            # 0 I(Y;XU), 1 I(X;YU), 2 I(X;U), 3 I(Y;U)
            side = 1 if term == 0 or term == 3 else 0  # whose information it is
            other = 1 - side
            if term >= 2 and not changed[side] and alone_reuse[side] == reuse[side]:
                # nothing it depends on has changed since the last pass
                part[side] -= alone_info[side]
                value -= alone_value[side]
                continue
            if reuse[side] or not any_u:
                all_u, levels_u = (kept[side], kept_levels[side]) if any_u else (fixed, fixed_levels)
            else:
                if term < 2:
                    given, given_levels = label[other].astype(np.int32), r[other]
                else:
                    given, given_levels = nothing, np.int64(1)
                all_u, levels_u = _optimise(
                    label, r, units, order, first_row, n_units, kinds, given, given_levels, label[side], r[side], weights,
                    costs, options, joint_worth, term < 2,
                )  # fmt: skip
                if term >= 2:
                    for i in range(n):
                        kept[side, i] = all_u[i]
                    kept_levels[side] = levels_u
            sign = 1.0
            if term < 2:
                joint = all_u.copy()
                joint_levels = multiply(joint, levels_u, label[other], r[other])
                term_info, term_value = tell(joint, joint_levels, label[side], r[side], weights, costs, options.bic)
            else:
                sign = -1.0
                term_info, term_value = tell(all_u, levels_u, label[side], r[side], weights, costs, options.bic)
                alone_reuse[side] = reuse[side]
                alone_info[side] = term_info
                alone_value[side] = term_value
            part[side] += sign * term_info
            value += sign * term_value
            if term < 2 and kinds[other]:
                new_r[other] = best_cuts(
                    units[other], order[other], first_row[other], n_units[other], all_u, levels_u, label[side], r[side],
                    r[other], weights, costs, options, joint_worth, np.int64(-1), of[other],
                )  # fmt: skip
                value -= _partition_price(costs, options, levels[other], r[other], n_units[other])
        # only now X and Y change
        for k in range(2):
            changed[k] = passes == 1
            if kinds[k]:
                for a in range(n_units[k]):
                    changed[k] = changed[k] or of[k, a] != old[k, a]
                if changed[k]:
                    relabel(units[k], of[k], label[k])
                r[k] = new_r[k]
        info = 0.5 * (part[0] + part[1])
        value = 0.5 * value
        reuse_x = part[0] < ZERO or (reuse[0] and part[1] < ZERO)
        reuse_y = part[1] < ZERO or (reuse[1] and part[0] < ZERO)
        reuse[0], reuse[1] = reuse_x, reuse_y
        if reuse_x or reuse_y:
            if r[0] > 1 and r[1] > 1:
                if options.legacy:
                    recorded = passes  # leaves a zero in the history (Q6)
                continue
            if last_pass:
                passes = t
                break
            last_pass = True
        same = -1
        for back in range(recorded - 1, -1, -1):
            if abs(value - shifted[back]) < SAME:
                same = back
                break
        if same >= 0:
            # a cycle: its mean counts
            info = infos[same:recorded].mean()
            value = shifted[same:recorded].mean()
            # the pass that only confirms is not counted, and its cuts are not taken
            passes = t
            of = old
            break
        infos[recorded] = info
        shifted[recorded] = value
        recorded += 1
        if not changed[0] and not changed[1] and not (reuse[0] or reuse[1] or reused):
            # the next pass would repeat this one and end the search
            break
    _read_cuts(of, kinds, levels, n_units, options.max_bins, last_codes)
    if options.clamp and value < 0:
        return 0.0, 0.0, passes
    return info, value, passes


@njit(**KERNEL)
def _partition_price(costs, options, levels, bins, units):
    """What a number of cuts costs: the choice among the places they could have (spec 3.6; Q5 on the places)."""
    places = min(options.max_bins, levels) if options.legacy else units
    if bins <= 1 or bins >= places:
        return 0.0
    return log_choose(costs.lfact, places - 1, bins - 1)


@njit(**KERNEL)
def complete_rows(codes, nodes, among, order):
    """Rows (n,) int32 complete in nodes and among; the second node's are taken in another order where one is given."""
    total = codes.shape[1]
    keep = np.ones(total, np.bool_)
    for k in range(nodes.size + among.size):
        node = nodes[k] if k < nodes.size else among[k - nodes.size]
        for i in range(total):
            if codes[node, order[i] if k == 1 and order.size else i] < 0:
                keep[i] = False
    rows = np.empty(keep.sum(), np.int32)
    n = 0
    for i in range(total):
        if keep[i]:
            rows[n] = i
            n += 1
    return rows


@njit(**KERNEL)
def subset(codes, ranked, nodes, rows, order, costs, n_eff, options):
    """Ranked of some nodes on some rows. A continuous column with two values left is discrete."""
    size, n = nodes.size, rows.size
    out = np.empty((size, n), np.int32)
    levels = np.empty(size, np.int64)
    kinds = np.zeros(size, np.uint8)
    for k in range(size):
        for i in range(n):
            out[k, i] = codes[nodes[k], order[rows[i]] if k == 1 and order.size else rows[i]]
        levels[k] = densify(out[k], ranked.levels[nodes[k]])
        if ranked.kinds[nodes[k]] == 1 and levels[k] > 2:
            kinds[k] = 1
    wanted = bins_asked_for(costs.rows, n_eff, size)
    atoms = np.empty((size, n), ranked.atoms.dtype)
    return rank_columns(out, levels, kinds, np.zeros(size, np.bool_), wanted, options.max_bins, options.legacy, atoms)


@njit(**KERNEL)
def estimate(codes, all_ranked, all_nodes, sizes, shuffles, seed, all_weights, costs, options, out, last_codes):
    """Informations of many (x, y | u...), each on the rows complete in its nodes; fills out (many, 4) float64 with
    info, shifted, rows, passes.

    codes (all, rows) int32 with -1 missing; all_ranked: Ranked of all nodes and rows; all_nodes (many, most) int32: x,
    y, the conditions, then the nodes whose gaps count as well; sizes (many, 2): how many of these without the last
    kind, how many in all; shuffles (many,): permutation of the second column by (seed, shuffle, node), -1 for none;
    all_weights (rows,) float64 or empty. last_codes (2, max_bins+2) int32 is left with the last code of each bin of x
    and y but the final one, ended by -1, of the last estimate. Two discrete columns without condition are not clamped.
    Runs without the interpreter lock.
    """
    for job in range(sizes.shape[0]):
        nodes = all_nodes[job, : sizes[job, 0]]
        ranked = all_ranked
        weights = all_weights
        n = codes.shape[1]
        whole = True
        for k in range(sizes[job, 1]):
            whole = whole and not ranked.gaps[all_nodes[job, k]]
        order = np.empty(0, np.int32)
        if shuffles[job] >= 0:
            order = permutation(key_of(seed, np.uint64(shuffles[job]), np.uint64(nodes[1])), n)
        if not whole:
            rows = complete_rows(codes, nodes, all_nodes[job, sizes[job, 0] : sizes[job, 1]], order)
            n = rows.size
            n_eff = costs.weight * n
            if weights.size:
                weights = weights[rows]
                n_eff = weights.sum()
            if n > 2:
                ranked = subset(codes, ranked, nodes, rows, order, costs, n_eff, options)
                nodes = np.arange(nodes.size).astype(np.int32)
                order = np.empty(0, np.int32)
        last_codes[0, 0] = last_codes[1, 0] = -1
        out[job, 0] = out[job, 1] = out[job, 3] = 0.0
        out[job, 2] = n
        if n <= 2 or ranked.levels[nodes[0]] < 2 or ranked.levels[nodes[1]] < 2:
            continue
        columns = np.empty((nodes.size, n), ranked.atoms.dtype)
        continuous = False
        for k in range(nodes.size):
            continuous = continuous or ranked.kinds[nodes[k]] == 1
            for i in range(n):
                columns[k, i] = ranked.atoms[nodes[k], order[i] if k == 1 and order.size else i]
        passes = 0
        if not continuous:
            info, value = discrete(columns, ranked.levels[nodes], weights, costs, options)
        elif nodes.size == 2:
            info, value, passes = pair(ranked, columns, nodes, weights, costs, options, last_codes)
        else:
            info, value, passes = conditioned(ranked, columns, nodes, weights, costs, options, last_codes)
        out[job, 0] = info
        out[job, 1] = value
        out[job, 3] = passes
