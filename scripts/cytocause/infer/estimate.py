"""Information between two variables, given others: the kernels.

    all discrete     plug-in counts                                                        `discrete`
    U empty          X and Y are cut in turn until nothing changes                         `continuous`
    otherwise        X, Y and, for each of four terms, U are cut                           `continuous`

          I(X;Y|U) = 1/2 { [ I(X;YU) - I(X;U) ] + [ I(Y;XU) - I(Y;U) ] }

Informations are in nats times (effective) samples; "shifted" means less the complexity. Columns are dense int32 codes,
stacked as x, y, u1, u2 ... (columns, n); `levels` int64 is how many distinct values each has, `kinds` uint8 is 1 where
it is continuous. `weights` is (n,) float64, or None where all rows weigh the same. Source: spec 3.2 to 3.7.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from .cuts import best_cuts, sort_by_unit
from .keyed_random import key_of, permutation
from .nml import complexity_row, log_choose
from .ranks import count_levels, densify, equal_frequency, multiply, relabel, unit_width

PASSES = 50  # most rounds of cutting
SWEEPS = 3  # rounds over the conditioning variables within one term
SAME = 1e-5  # nats: two rounds with the same result are a cycle
ZERO = 1e-10  # nats: below this an information is none
START_BINS = 30  # most equal-frequency bins to begin with
SCAN_BINS = 20  # equal-frequency bins are tried below this number

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


@njit(cache=True, nogil=True)
def sums(u, ru, x, rx, y, ry, weights, costs, lc_x, lc_y, out):
    """Add up what the joint levels of three labellings (n,) with ru, rx, ry levels are worth; fills out (SUMS,).

    lc_x, lc_y: LC(n, rx) and LC(n, ry) by rows.
    """
    n = x.size
    for k in range(SUMS):
        out[k] = 0.0
    if weights is None:
        out[S_ALL] = costs.plogp[n]
        out[N_ALL] = costs.weight * n
        if ru * rx * ry <= max(4096, n):
            _table_sums(u, ru, x, rx, y, ry, costs.plogp, lc_x, lc_y, out)
            return
    else:
        total = weights.sum()
        out[S_ALL] = total * np.log(total)
        out[N_ALL] = total
    out[S_U], out[K_UX], out[N_U] = _worth(u, ru, weights, costs.plogp, lc_x)
    out[K_UY] = _worth(u, ru, weights, costs.plogp, lc_y)[1]
    out[S_X] = _worth(x, rx, weights, costs.plogp, lc_x)[0]
    out[S_Y] = _worth(y, ry, weights, costs.plogp, lc_y)[0]
    joint = u.copy()
    levels = multiply(joint, ru, y, ry)
    out[S_YU], out[K_YU], out[N_YU] = _worth(joint, levels, weights, costs.plogp, lc_x)
    for i in range(n):
        joint[i] = u[i]
    levels = multiply(joint, ru, x, rx)
    out[S_XU], out[K_XU], out[N_XU] = _worth(joint, levels, weights, costs.plogp, lc_y)
    levels = multiply(joint, levels, y, ry)
    out[S_XYU] = _worth(joint, levels, weights, costs.plogp, lc_y)[0]


@njit(cache=True, nogil=True)
def _worth(labels, levels, weights, plogp, lc):
    """(sum of n ln n, sum of LC, levels that occur) of one labelling."""
    value = cost = occupied = 0.0
    if weights is None:
        count = np.zeros(levels, np.int32)
        for label in labels:
            count[label] += 1
        for c in count:
            if c > 0:
                value += plogp[c]
                cost += lc[c]
                occupied += 1.0
    else:
        total = np.zeros(levels)
        for i in range(labels.size):
            total[labels[i]] += weights[i]
        for w in total:
            if w > 0:
                value += w * np.log(w)
                cost += lc[max(1, int(w + 0.5))]
                occupied += 1.0
    return value, cost, occupied


@njit(cache=True, nogil=True)
def _table_sums(u, ru, x, rx, y, ry, plogp, lc_x, lc_y, out):
    """The same from one table of all joint levels."""
    table = np.zeros(ru * rx * ry, np.int32)
    for i in range(x.size):
        table[(u[i] * rx + x[i]) * ry + y[i]] += 1
    all_x = np.zeros(rx, np.int32)
    all_y = np.zeros(ry, np.int32)
    in_y = np.zeros(ry, np.int32)
    at = 0
    s_xyu = s_xu = s_yu = s_u = k_xu = k_yu = k_ux = k_uy = n_xu = n_yu = n_u = 0.0
    for a in range(ru):
        in_u = 0
        for b in range(rx):
            row = 0
            for c in range(ry):
                count = table[at]
                at += 1
                row += count
                in_y[c] += count
                s_xyu += plogp[count]
            if row:
                in_u += row
                all_x[b] += row
                n_xu += 1.0
                s_xu += plogp[row]
                k_xu += lc_y[row]
        if in_u:
            n_u += 1.0
            s_u += plogp[in_u]
            k_ux += lc_x[in_u]
            k_uy += lc_y[in_u]
            for c in range(ry):
                count = in_y[c]
                in_y[c] = 0
                if count:
                    all_y[c] += count
                    n_yu += 1.0
                    s_yu += plogp[count]
                    k_yu += lc_x[count]
    for count in all_x:
        out[S_X] += plogp[count]
    for count in all_y:
        out[S_Y] += plogp[count]
    out[S_XYU], out[S_XU], out[S_YU], out[S_U] = s_xyu, s_xu, s_yu, s_u
    out[K_XU], out[K_YU], out[K_UX], out[K_UY] = k_xu, k_yu, k_ux, k_uy
    out[N_XU], out[N_YU], out[N_U] = n_xu, n_yu, n_u


@njit(cache=True, nogil=True)
def symmetric(s, rx, ry, levels_u, bic):
    """(info, complexity) from sums of labels as they are, spec 3.2; levels_u: product of the level counts of U."""
    info = s[S_U] - s[S_XU] - s[S_YU] + s[S_XYU]
    if info < ZERO or rx < 2 or ry < 2:
        info = 0.0
    if bic:
        return info, 0.5 * levels_u * (rx - 1) * (ry - 1) * np.log(s[N_ALL])
    return info, 0.5 * (s[K_XU] - s[K_UY] + s[K_YU] - s[K_UX])


@njit(cache=True, nogil=True)
def one_sided(s, term, rx, ry, bic):
    """(info, shifted info) of one of the four terms of I(X;Y|U): 0 I(Y;XU), 1 I(X;YU), 2 I(X;U), 3 I(Y;U); spec 3.7."""
    if term == 0:
        info, cost, ra, rb = s[S_ALL] - s[S_Y] - s[S_XU] + s[S_XYU], s[K_XU], ry, s[N_XU]
    elif term == 1:
        info, cost, ra, rb = s[S_ALL] - s[S_X] - s[S_YU] + s[S_XYU], s[K_YU], rx, s[N_YU]
    elif term == 2:
        info, cost, ra, rb = s[S_ALL] - s[S_X] - s[S_U] + s[S_XU], s[K_UX], rx, s[N_U]
    else:
        info, cost, ra, rb = s[S_ALL] - s[S_Y] - s[S_U] + s[S_YU], s[K_UY], ry, s[N_U]
    if info < ZERO or ra < 2 or rb < 2:
        info = 0.0
    if bic:
        cost = 0.5 * (ra - 1) * (rb - 1) * np.log(s[N_ALL])
    return info, info - cost


@njit(cache=True, nogil=True)
def prepare(codes, levels, kinds, nodes, among, shuffle, seed):
    """The columns `nodes` on the rows complete in these and `among`: (columns, levels int64, kinds, rows).

    codes (all, rows) int32 with -1 missing; nodes, among int32. shuffle >= 0 permutes the second column first.
    rows (n,) int32 says which rows were taken. A continuous column with two values left is discrete.
    """
    total = codes.shape[1]
    size = nodes.size
    order = np.empty(0, np.int32)
    if shuffle >= 0:
        order = permutation(key_of(seed, np.uint64(shuffle), np.uint64(nodes[1])), total)
    keep = np.ones(total, np.bool_)
    for k in range(size + among.size):
        node = nodes[k] if k < size else among[k - size]
        if k == 1 and shuffle >= 0:
            for i in range(total):
                if codes[node, order[i]] < 0:
                    keep[i] = False
        else:
            for i in range(total):
                if codes[node, i] < 0:
                    keep[i] = False
    rows = np.flatnonzero(keep).astype(np.int32)
    n = rows.size
    out = np.empty((size, n), np.int32)
    out_levels = np.empty(size, np.int64)
    out_kinds = np.empty(size, np.uint8)
    for k in range(size):
        node = nodes[k]
        if k == 1 and shuffle >= 0:
            for i in range(n):
                out[k, i] = codes[node, order[rows[i]]]
        elif n == total:
            for i in range(n):
                out[k, i] = codes[node, i]
        else:
            for i in range(n):
                out[k, i] = codes[node, rows[i]]
        out_levels[k] = levels[node]
        if n < total:
            out_levels[k] = densify(out[k], out_levels[k])
        out_kinds[k] = 1 if kinds[node] == 1 and out_levels[k] > 2 else 0
    return out, out_levels, out_kinds, rows


@njit(cache=True, nogil=True)
def discrete(columns, levels, weights, costs, options):
    """(info, shifted) of discrete columns x, y, u...; clamped only with conditions."""
    n = columns.shape[1]
    joint = np.zeros(n, np.int32)
    joint_levels = 1
    product = 1.0
    for k in range(2, columns.shape[0]):
        joint_levels = multiply(joint, joint_levels, columns[k], levels[k])
        product *= levels[k]
    table = costs.lc_one if columns.shape[0] == 2 else costs.lc
    lc_x = complexity_row(table, costs.rounded, levels[0])
    lc_y = complexity_row(table, costs.rounded, levels[1])
    s = np.empty(SUMS)
    sums(joint, joint_levels, columns[0], levels[0], columns[1], levels[1], weights, costs, lc_x, lc_y, s)
    info, cost = symmetric(s, levels[0], levels[1], product, options.bic)
    if columns.shape[0] > 2 and options.clamp and info < cost:
        return 0.0, 0.0
    return info, info - cost


@njit(cache=True, nogil=True)
def _optimise(
    columns, levels, units, order, first_row, n_units, kinds, start, given, given_levels, joint, joint_levels,
    weights, costs, options,
):  # fmt: skip
    """New cuts of the continuous conditioning variables for one term: (joint label of U, its levels).

    columns, levels: equal-frequency labels of x, y, u...; units, n_units, order, first_row: unit bins of the same and
    rows sorted by them; start (n,) zeros;
    given, joint: the factors of the term besides U. Every sweep uses the labels at its start.
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
            base = given.copy()
            base_levels = given_levels
            for other in range(size):
                if other != k:
                    base_levels = multiply(base, base_levels, labels[other], sizes[other])
            new_sizes[k] = best_cuts(
                units[2 + k], order[2 + k], first_row[2 + k], n_units[2 + k], base, base_levels, joint, joint_levels,
                sizes[k], weights, costs, options, of,
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
    out = start.copy()
    out_levels = 1
    for k in range(size):
        out_levels = multiply(out, out_levels, labels[k], sizes[k])
    return out, out_levels


@njit(cache=True, nogil=True)
def continuous(columns, levels, kinds, weights, costs, options, last_codes):
    """I(X;Y|U) with at least one continuous column: (info, shifted, passes).

    last_codes (2, max_bins+2) int32 gets the last code of each bin of x and y but the final one, ended by -1.
    """
    total, n = columns.shape
    conditioned = total > 2
    nothing = np.zeros(n, np.int32)
    most = 1
    for k in range(total):
        most = max(most, levels[k])
    label = columns.copy()
    r = levels.copy()
    counts = np.zeros((total, most), np.int32)
    bin_of = np.zeros(most, np.int32)
    limit = min(SCAN_BINS, int(0.5 + costs.rows ** (1.0 / 3.0)))
    any_u = False
    for k in range(total):
        if kinds[k]:
            count_levels(columns[k], counts[k])
            limit = min(limit, levels[k])
            any_u = any_u or k > 1
    limit = max(limit, 2)
    s = np.empty(SUMS)

    # start: the number of equal-frequency bins, the same for all, that scores best; then U gets its own number
    bins = min(START_BINS, int(0.5 + costs.rows ** (1.0 / 3.0)))
    n_eff = costs.weight * n
    if weights is not None:
        n_eff = weights.sum()
    bins_u = min(START_BINS, max(2, int(0.5 + n_eff ** (1.0 / total))))
    best = -np.inf
    fixed = nothing
    fixed_levels = 1
    for trial in range(2, limit + 1):
        # the last round sets the winner
        final = trial == limit
        for k in range(total):
            if kinds[k]:
                wanted = trial if not final else (bins if k < 2 else bins_u)
                r[k] = equal_frequency(counts[k], levels[k], n, wanted, bin_of, options.legacy)
                relabel(columns[k], bin_of, label[k])
        fixed = nothing.copy()
        fixed_levels = 1
        for k in range(2, total):
            fixed_levels = multiply(fixed, fixed_levels, label[k], r[k])
        if final:
            break
        lc_x = complexity_row(costs.lc_one, costs.rounded, r[0])
        lc_y = complexity_row(costs.lc_one, costs.rounded, r[1])
        sums(fixed, fixed_levels, label[0], r[0], label[1], r[1], weights, costs, lc_x, lc_y, s)
        if conditioned:
            value = one_sided(s, 0, r[0], r[1], options.bic)[1] + one_sided(s, 1, r[0], r[1], options.bic)[1]
        else:
            info, cost = symmetric(s, r[0], r[1], 1.0, options.bic)
            value = info - cost
        if value > best:
            best = value
            bins = trial

    units = np.zeros((total, n), np.int32)
    order = np.empty((total, n), np.int32)
    first_row = np.zeros((total, options.max_bins + 1), np.int32)
    n_units = np.ones(total, np.int64)
    width = np.ones(total, np.int64)
    for k in range(total):
        if kinds[k]:
            width[k] = unit_width(levels[k], options.max_bins)
            n_units[k] = (levels[k] + width[k] - 1) // width[k]
            for i in range(n):
                units[k, i] = columns[k, i] // width[k]
            sort_by_unit(units[k], n_units[k], order[k], first_row[k])
    of = np.zeros((2, options.max_bins + 1), np.int32)
    old = of.copy()
    new_r = r[:2].copy()
    # joint labels of U kept from the terms I(X;U) and I(Y;U), for when a side stops being optimised
    kept = np.empty((2, n), np.int32)
    kept_levels = np.full(2, fixed_levels, np.int64)
    for i in range(n):
        kept[0, i] = fixed[i]
        kept[1, i] = fixed[i]
    reuse = np.zeros(2, np.bool_)
    changed = np.ones(2, np.bool_)
    alone_reuse = np.zeros(2, np.bool_)
    alone_info = np.zeros(2)
    alone_value = np.zeros(2)
    last_pass = False
    infos = np.zeros(PASSES)
    shifted = np.zeros(PASSES)
    recorded = 0
    info = value = 0.0
    passes = 0
    while passes < PASSES:
        t = passes
        passes += 1
        for k in range(2):
            for a in range(of.shape[1]):
                old[k, a] = of[k, a]
        lc_x = complexity_row(costs.lc_one, costs.rounded, r[0])
        lc_y = complexity_row(costs.lc_one, costs.rounded, r[1])
        # sides: 0 what X tells (its cuts are the better the more they tell about Y), 1 what Y tells
        reused = reuse[0] or reuse[1]
        part = np.zeros(2)
        value = 0.0
        for term in range(4 if conditioned else 2):
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
                given, given_levels = (label[other], r[other]) if term < 2 else (nothing, np.int64(1))
                all_u, levels_u = _optimise(
                    label, r, units, order, first_row, n_units, kinds, nothing, given, given_levels, label[side], r[side],
                    weights, costs, options,
                )  # fmt: skip
                if term >= 2:
                    for i in range(n):
                        kept[side, i] = all_u[i]
                    kept_levels[side] = levels_u
            if conditioned:
                sums(all_u, levels_u, label[0], r[0], label[1], r[1], weights, costs, lc_x, lc_y, s)
                term_info, term_value = one_sided(s, term, r[0], r[1], options.bic)
                sign = 1.0 if term < 2 else -1.0
                part[side] += sign * term_info
                value += sign * term_value
                if term >= 2:
                    alone_reuse[side] = reuse[side]
                    alone_info[side] = term_info
                    alone_value[side] = term_value
            if term < 2 and kinds[other]:
                new_r[other] = best_cuts(
                    units[other], order[other], first_row[other], n_units[other], all_u, levels_u, label[side], r[side],
                    r[other], weights, costs, options, of[other],
                )  # fmt: skip
                if conditioned:
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
        if conditioned:
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
        else:
            lc_x = complexity_row(costs.lc_one, costs.rounded, r[0])
            lc_y = complexity_row(costs.lc_one, costs.rounded, r[1])
            sums(nothing, 1, label[0], r[0], label[1], r[1], weights, costs, lc_x, lc_y, s)
            info, cost = symmetric(s, r[0], r[1], 1.0, options.bic)
            for k in range(2):
                if kinds[k]:
                    cost += _partition_price(costs, options, levels[k], r[k], n_units[k])
            value = info - cost
            if not (kinds[0] and kinds[1]):
                break
        same = -1
        for back in range(recorded - 1, -1, -1):
            if abs(value - shifted[back]) < SAME:
                same = back
                break
        if same >= 0:
            # a cycle: its mean counts
            info = value = 0.0
            for back in range(same, recorded):
                info += infos[back] / (recorded - same)
                value += shifted[back] / (recorded - same)
            if conditioned:
                # the pass that only confirms is not counted, and its cuts are not taken
                passes = t
                for k in range(2):
                    for a in range(of.shape[1]):
                        of[k, a] = old[k, a]
            break
        infos[recorded] = info
        shifted[recorded] = value
        recorded += 1
        if not changed[0] and not changed[1] and not (reuse[0] or reuse[1] or reused):
            # the next pass would repeat this one and end the search
            passes += 0 if conditioned else 1
            break
    for k in range(2):
        found = 0
        if kinds[k]:
            for a in range(n_units[k] - 1):
                if of[k, a + 1] != of[k, a]:
                    last_codes[k, found] = min((a + 1) * width[k], levels[k]) - 1
                    found += 1
        last_codes[k, found] = -1
    if options.clamp and value < 0:
        return 0.0, 0.0, passes
    return info, value, passes


@njit(cache=True, nogil=True)
def _partition_price(costs, options, levels, bins, units):
    """What a number of cuts costs: the choice among the places they could have (spec 3.6; Q5 on the places)."""
    places = min(options.max_bins, levels) if options.legacy else units
    if bins <= 1 or bins >= places:
        return 0.0
    return log_choose(costs.lfact, places - 1, bins - 1)


_NONE = np.empty(0, np.int32)


def estimate(codes, levels, kinds, nodes, among, weights, costs, options, shuffle=-1, seed=0, last_codes=None):
    """(info, shifted, rows, passes) of nodes x, y given the rest, on the rows complete in these and `among`.

    codes (all, rows) int32 with -1 missing; levels (all,) int64; kinds (all,) uint8; nodes, among int32 arrays; weights
    (rows,) float64 or None. Two discrete columns without condition are not clamped. Runs without the interpreter lock.
    """
    columns, found, used_kinds, rows = prepare(codes, levels, kinds, nodes, among, shuffle, np.uint64(seed))
    n = rows.size
    if last_codes is None:
        last_codes = np.empty((2, options.max_bins + 2), np.int32)
    last_codes[:, 0] = -1
    if n <= 2 or found[0] < 2 or found[1] < 2:
        return 0.0, 0.0, n, 0
    used = None if weights is None else (weights if n == weights.size else weights[rows])
    if not used_kinds.any():
        info, value = discrete(columns, found, used, costs, options)
        return info, value, n, 0
    info, value, passes = continuous(columns, found, used_kinds, used, costs, options, last_codes)
    return info, value, n, passes
