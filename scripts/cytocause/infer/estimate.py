"""Information between two variables, given others: the kernels.

    both discrete, U discrete or empty   plug-in counts                                    `discrete`
    U empty                              X and Y cut in turn until nothing changes         `pair`
    anything else continuous             X, Y and, for each of four terms, U are cut       `conditional`

          I(X;Y|U) = 1/2 { [ I(X;YU) - I(X;U) ] + [ I(Y;XU) - I(Y;U) ] }

Informations are in nats times (effective) samples; "shifted" means less the complexity.
Columns are dense int32 codes (see ranks); `lev` is how many distinct values there are. Source: spec 3.2 to 3.7.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from .cuts import best_cuts, count_cells, unit_weights
from .nml import complexity_row, log_choose
from .ranks import count_levels, densify, equal_frequency, multiply, relabel, unit_width

PASSES = 50  # most rounds of cutting
SWEEPS = 3  # rounds over the conditioning variables within one term
SAME = 1e-5  # nats: two rounds with the same result are a cycle
ZERO = 1e-10  # nats: below this an information is none
START_BINS = 30  # most equal-frequency bins to begin with
SCAN_BINS = 20  # equal-frequency bins are tried below this number


class Options(NamedTuple):
    """How to estimate: bic complexity or nml, the reference's quirks or their repairs, clamping at zero, unit bins."""

    bic: bool
    legacy: bool
    clamp: bool
    max_bins: int


class Sums(NamedTuple):
    """Sums over the joint levels of (u, x, y): s_* of n ln n, k_* of LC(n, levels of the other end)."""

    s_xyu: float
    s_xu: float
    s_yu: float
    s_u: float
    s_x: float
    s_y: float
    s_n: float
    k_xu: float  # sum over (x,u) of LC(n, r_y)
    k_yu: float  # sum over (y,u) of LC(n, r_x)
    k_ux: float  # sum over u of LC(n, r_x)
    k_uy: float  # sum over u of LC(n, r_y)
    n_xu: int  # joint levels that occur
    n_yu: int
    n_u: int
    n: float  # samples


@njit(cache=True, nogil=True)
def _cost(row, costs, samples, at_least_one, levels):
    """LC of a count: `samples` indexes the tables; a count that rounds to 0 is 1 where the rule says so."""
    if at_least_one and costs.rounded[samples] < 1:
        return np.log(float(levels))
    return row[samples]


@njit(cache=True, nogil=True)
def sums(u, ru, x, rx, y, ry, weights, costs, at_least_one):
    """Count the joint levels of three labellings (n,) with ru, rx, ry levels and add up what they are worth."""
    n = x.size
    uniform = weights.size == 0
    lc_x = complexity_row(costs, rx)
    lc_y = complexity_row(costs, ry)
    s_xyu = s_xu = s_yu = s_u = s_x = s_y = 0.0
    k_xu = k_yu = k_ux = k_uy = 0.0
    n_xu = n_yu = n_u = 0
    if uniform:
        all_x = np.zeros(rx, np.int32)
        all_y = np.zeros(ry, np.int32)
        in_x = np.zeros(rx, np.int32)
        in_y = np.zeros(ry, np.int32)
        size = ru * rx * ry
        if size <= max(4096, n):
            table = np.zeros(size, np.int32)
            for i in range(n):
                table[(u[i] * rx + x[i]) * ry + y[i]] += 1
            at = 0
            for a in range(ru):
                in_u = 0
                in_y[:] = 0
                for b in range(rx):
                    row = 0
                    for c in range(ry):
                        count = table[at]
                        at += 1
                        if count:
                            row += count
                            in_y[c] += count
                            s_xyu += costs.plogp[count]
                    if row:
                        in_u += row
                        all_x[b] += row
                        n_xu += 1
                        s_xu += costs.plogp[row]
                        k_xu += _cost(lc_y, costs, row, at_least_one, ry)
                if in_u:
                    n_u += 1
                    s_u += costs.plogp[in_u]
                    k_ux += _cost(lc_x, costs, in_u, at_least_one, rx)
                    k_uy += _cost(lc_y, costs, in_u, at_least_one, ry)
                    for c in range(ry):
                        count = in_y[c]
                        if count:
                            all_y[c] += count
                            n_yu += 1
                            s_yu += costs.plogp[count]
                            k_yu += _cost(lc_x, costs, count, at_least_one, rx)
        else:
            # too many joint levels for a table: gather the rows of each level of u, then clear what they touched
            begin = np.zeros(ru + 1, np.int32)
            for i in range(n):
                begin[u[i] + 1] += 1
            for a in range(ru):
                begin[a + 1] += begin[a]
            place = begin[:ru].copy()
            order = np.empty(n, np.int32)
            for i in range(n):
                order[place[u[i]]] = i
                place[u[i]] += 1
            in_xy = np.zeros(rx * ry, np.int32)
            for a in range(ru):
                in_u = begin[a + 1] - begin[a]
                if in_u == 0:
                    continue
                n_u += 1
                s_u += costs.plogp[in_u]
                k_ux += _cost(lc_x, costs, in_u, at_least_one, rx)
                k_uy += _cost(lc_y, costs, in_u, at_least_one, ry)
                for at in range(begin[a], begin[a + 1]):
                    i = order[at]
                    in_x[x[i]] += 1
                    in_y[y[i]] += 1
                    in_xy[x[i] * ry + y[i]] += 1
                for at in range(begin[a], begin[a + 1]):
                    i = order[at]
                    b, c = x[i], y[i]
                    count = in_xy[b * ry + c]
                    if count:
                        s_xyu += costs.plogp[count]
                        in_xy[b * ry + c] = 0
                    count = in_x[b]
                    if count:
                        n_xu += 1
                        all_x[b] += count
                        s_xu += costs.plogp[count]
                        k_xu += _cost(lc_y, costs, count, at_least_one, ry)
                        in_x[b] = 0
                    count = in_y[c]
                    if count:
                        n_yu += 1
                        all_y[c] += count
                        s_yu += costs.plogp[count]
                        k_yu += _cost(lc_x, costs, count, at_least_one, rx)
                        in_y[c] = 0
        for count in all_x:
            s_x += costs.plogp[count]
        for count in all_y:
            s_y += costs.plogp[count]
        return Sums(
            s_xyu, s_xu, s_yu, s_u, s_x, s_y, costs.plogp[n],
            k_xu, k_yu, k_ux, k_uy, n_xu, n_yu, n_u, costs.weight * n,
        )  # fmt: skip
    # general weights: the same sums over weighted counts
    joint = np.empty(n, np.int32)
    joint[:] = u
    r_xu = multiply(joint, ru, x, rx)
    w_xu = np.zeros(r_xu)
    for i in range(n):
        w_xu[joint[i]] += weights[i]
    r_xyu = multiply(joint, r_xu, y, ry)
    w_xyu = np.zeros(r_xyu)
    for i in range(n):
        w_xyu[joint[i]] += weights[i]
    joint[:] = u
    r_yu = multiply(joint, ru, y, ry)
    w_yu = np.zeros(r_yu)
    for i in range(n):
        w_yu[joint[i]] += weights[i]
    w_u = np.zeros(ru)
    w_x = np.zeros(rx)
    w_y = np.zeros(ry)
    total = 0.0
    for i in range(n):
        w_u[u[i]] += weights[i]
        w_x[x[i]] += weights[i]
        w_y[y[i]] += weights[i]
        total += weights[i]
    for w in w_xu:
        if w > 0:
            n_xu += 1
            k_xu += _cost(lc_y, costs, int(w + 0.5), at_least_one, ry)
    for w in w_yu:
        if w > 0:
            n_yu += 1
            k_yu += _cost(lc_x, costs, int(w + 0.5), at_least_one, rx)
    for w in w_u:
        if w > 0:
            n_u += 1
            k_ux += _cost(lc_x, costs, int(w + 0.5), at_least_one, rx)
            k_uy += _cost(lc_y, costs, int(w + 0.5), at_least_one, ry)
    return Sums(
        _plogp(w_xyu), _plogp(w_xu), _plogp(w_yu), _plogp(w_u), _plogp(w_x), _plogp(w_y), total * np.log(total),
        k_xu, k_yu, k_ux, k_uy, n_xu, n_yu, n_u, total,
    )  # fmt: skip


@njit(cache=True, nogil=True)
def _plogp(weights):
    total = 0.0
    for w in weights:
        if w > 0:
            total += w * np.log(w)
    return total


@njit(cache=True, nogil=True)
def discrete(u, ru, levels_u, x, rx, y, ry, weights, costs, options):
    """(info, complexity) of labels as they are, spec 3.2; levels_u: product of the level counts of U (1: no U)."""
    without = levels_u == 1
    s = sums(u, ru, x, rx, y, ry, weights, costs, without)
    info = s.s_u - s.s_xu - s.s_yu + s.s_xyu
    if info < ZERO or rx < 2 or ry < 2:
        info = 0.0
    if options.bic:
        return info, 0.5 * levels_u * (rx - 1) * (ry - 1) * np.log(s.n)
    return info, 0.5 * (s.k_xu - s.k_uy + s.k_yu - s.k_ux)


@njit(cache=True, nogil=True)
def _one_sided(s, term, rx, ry, bic):
    """(info, shifted info) of one of the four terms of I(X;Y|U): 0 I(Y;XU), 1 I(X;YU), 2 I(X;U), 3 I(Y;U); spec 3.7."""
    if term == 0:
        info, cost, ra, rb = s.s_n - s.s_y - s.s_xu + s.s_xyu, s.k_xu, ry, s.n_xu
    elif term == 1:
        info, cost, ra, rb = s.s_n - s.s_x - s.s_yu + s.s_xyu, s.k_yu, rx, s.n_yu
    elif term == 2:
        info, cost, ra, rb = s.s_n - s.s_x - s.s_u + s.s_xu, s.k_ux, rx, s.n_u
    else:
        info, cost, ra, rb = s.s_n - s.s_y - s.s_u + s.s_yu, s.k_uy, ry, s.n_u
    if info < ZERO or ra < 2 or rb < 2:
        info = 0.0
    if bic:
        cost = 0.5 * (ra - 1) * (rb - 1) * np.log(s.n)
    return info, info - cost


@njit(cache=True, nogil=True)
def _start_limit(costs, lev_x, cont_x, lev_y, cont_y):
    """Bins below which equal-frequency starts are tried, from the rows of the whole table (spec 3.6)."""
    limit = min(START_BINS, int(0.5 + costs.rows ** (1.0 / 3.0)), SCAN_BINS)
    if cont_x:
        limit = min(limit, lev_x)
    if cont_y:
        limit = min(limit, lev_y)
    return limit


@njit(cache=True, nogil=True)
def _cut_price(costs, options, lev, bins, units):
    """What a number of cuts costs: the choice among the places they could have."""
    places = min(options.max_bins, lev) if options.legacy else units
    if bins <= 1 or bins >= places:
        return 0.0
    return log_choose(costs, places - 1, bins - 1)


@njit(cache=True, nogil=True)
def _units(codes, lev, max_bins):
    """Unit bin of each row, and how many there are."""
    width = unit_width(lev, max_bins)
    out = np.empty(codes.size, np.int32)
    for i in range(codes.size):
        out[i] = codes[i] // width
    return out, (lev + width - 1) // width


@njit(cache=True, nogil=True)
def _settled(history, shifted_history, passes, shifted):
    """Latest earlier pass with the same result; -1 when there is none. Passes that were not recorded are NaN."""
    for s in range(passes - 1, -1, -1):
        if abs(shifted - shifted_history[s]) < SAME:
            return s
    return -1


@njit(cache=True, nogil=True)
def _last_codes(bin_of, lev, width, out):
    """Last code of each bin but the final one, for reporting cut points; bin_of is per unit of `width` codes."""
    bins = 0
    for unit in range(bin_of.size - 1):
        if bin_of[unit + 1] != bin_of[unit]:
            out[bins] = min((unit + 1) * width, lev) - 1
            bins += 1
    out[bins] = -1
    return bins


@njit(cache=True, nogil=True)
def pair(x, lev_x, cont_x, y, lev_y, cont_y, weights, costs, options, cut_x, cut_y):
    """I(X;Y) with at least one continuous: (info, shifted, passes); cut_x, cut_y get the last code of each bin."""
    n = x.size
    nothing = np.zeros(n, np.int32)
    count_x = count_levels(x, lev_x)
    count_y = count_levels(y, lev_y)
    bin_x = np.zeros(max(lev_x, 1), np.int32)
    bin_y = np.zeros(max(lev_y, 1), np.int32)
    label_x = x.copy()
    label_y = y.copy()
    rx, ry = lev_x, lev_y
    limit = _start_limit(costs, lev_x, cont_x, lev_y, cont_y)
    best_bins = min(START_BINS, int(0.5 + costs.rows ** (1.0 / 3.0)))
    best = -np.inf
    for bins in range(2, limit):
        if cont_x:
            rx = equal_frequency(count_x, n, bins, bin_x)
            relabel(x, bin_x, label_x)
        if cont_y:
            ry = equal_frequency(count_y, n, bins, bin_y)
            relabel(y, bin_y, label_y)
        s = sums(nothing, 1, label_x, rx, label_y, ry, weights, costs, True)
        info = s.s_u - s.s_xu - s.s_yu + s.s_xyu
        if options.bic:
            cost = 0.5 * (rx - 1) * (ry - 1) * np.log(s.n)
        else:
            cost = 0.5 * (s.k_xu - s.k_uy + s.k_yu - s.k_ux)
        if info - cost > best:
            best = info - cost
            best_bins = bins
    unit_x, units_x = _units(x, lev_x, options.max_bins) if cont_x else (nothing, 1)
    unit_y, units_y = _units(y, lev_y, options.max_bins) if cont_y else (nothing, 1)
    weight_x = unit_weights(unit_x, units_x, weights)
    weight_y = unit_weights(unit_y, units_y, weights)
    of_x = np.zeros(units_x, np.int32)
    of_y = np.zeros(units_y, np.int32)
    if cont_x:
        rx = equal_frequency(count_x, n, best_bins, bin_x)
        relabel(x, bin_x, label_x)
    if cont_y:
        ry = equal_frequency(count_y, n, best_bins, bin_y)
        relabel(y, bin_y, label_y)
    infos = np.zeros(PASSES)
    shifted = np.zeros(PASSES)
    info = value = 0.0
    passes = 0
    for t in range(PASSES):
        passes = t + 1
        new_x, new_y = rx, ry
        if cont_x:
            start, cell, count = count_cells(unit_x, units_x, nothing, label_y, ry, ry)
            new_x = best_cuts(start, cell, count, 1, ry, rx, weight_x, costs, options, of_x)
        if cont_y:
            start, cell, count = count_cells(unit_y, units_y, nothing, label_x, rx, rx)
            new_y = best_cuts(start, cell, count, 1, rx, ry, weight_y, costs, options, of_y)
        if cont_x:
            relabel(unit_x, of_x, label_x)
            rx = new_x
        if cont_y:
            relabel(unit_y, of_y, label_y)
            ry = new_y
        info, cost = discrete(nothing, 1, 1, label_x, rx, label_y, ry, weights, costs, options)
        if cont_x:
            cost += _cut_price(costs, options, lev_x, rx, units_x)
        if cont_y:
            cost += _cut_price(costs, options, lev_y, ry, units_y)
        value = info - cost
        if not (cont_x and cont_y):
            break
        same = _settled(infos, shifted, t, value)
        infos[t] = info
        shifted[t] = value
        if same >= 0:
            info = infos[same:t].mean()
            value = shifted[same:t].mean()
            break
    if cont_x:
        _last_codes(of_x, lev_x, unit_width(lev_x, options.max_bins), cut_x)
    if cont_y:
        _last_codes(of_y, lev_y, unit_width(lev_y, options.max_bins), cut_y)
    if options.clamp and value < 0:
        return 0.0, 0.0, passes
    return info, value, passes


@njit(cache=True, nogil=True)
def _join(labels, levels, skip, base, base_levels):
    """Joint label of base and all rows of `labels` but `skip`: (labels, levels)."""
    out = base.copy()
    total = base_levels
    for k in range(labels.shape[0]):
        if k != skip:
            total = multiply(out, total, labels[k], levels[k])
    return out, total


@njit(cache=True, nogil=True)
def _optimise(
    units, n_units, unit_weight, cont, start, start_levels, given, given_levels, joint, joint_levels, costs, options
):
    """New cuts of the continuous conditioning variables for one term: (labels (k, n), levels (k,)).

    units (k, n), n_units (k,), unit_weight (k, units+1): unit bins; start, start_levels: equal-frequency labels;
    given, joint: the factors of the term besides U. Every sweep uses the labels at its start.
    """
    size = units.shape[0]
    labels = start.copy()
    levels = start_levels.copy()
    of = np.zeros(options.max_bins + 1, np.int32)
    sweeps = SWEEPS if size > 1 else 1
    for _ in range(sweeps):
        new_labels = labels.copy() if size > 1 else labels
        new_levels = levels.copy()
        moved = False
        for k in range(size):
            if not cont[k]:
                continue
            base, base_levels = _join(labels, levels, k, given, given_levels)
            m = n_units[k]
            first, cell, count = count_cells(units[k], m, base, joint, base_levels * joint_levels, joint_levels)
            cumulative = unit_weight[k, : m + 1] if unit_weight.shape[1] > 0 else unit_weight[k]
            new_levels[k] = best_cuts(
                first, cell, count, base_levels, joint_levels, levels[k], cumulative, costs, options, of
            )
            for i in range(units.shape[1]):
                label = of[units[k, i]]
                moved |= label != labels[k, i]
                new_labels[k, i] = label
        labels = new_labels
        levels = new_levels
        if not moved:
            break
    return labels, levels


@njit(cache=True, nogil=True)
def conditional(x, lev_x, cont_x, y, lev_y, cont_y, u, lev_u, cont_u, weights, costs, options, cut_x, cut_y):
    """I(X;Y|U) with at least one continuous variable: (info, shifted, passes).

    u (k, n) codes, lev_u (k,), cont_u (k,) bool. cut_x, cut_y get the last code of each bin.
    """
    n = x.size
    size = u.shape[0]
    nothing = np.zeros(n, np.int32)
    count_x = count_levels(x, lev_x)
    count_y = count_levels(y, lev_y)
    bin_x = np.zeros(max(lev_x, 1), np.int32)
    bin_y = np.zeros(max(lev_y, 1), np.int32)
    label_x = x.copy()
    label_y = y.copy()
    rx, ry = lev_x, lev_y
    n_eff = costs.weight * n if weights.size == 0 else weights.sum()

    # start: the number of equal-frequency bins, the same for all, that scores best
    limit = _start_limit(costs, lev_x, cont_x, lev_y, cont_y)
    most = 1
    for k in range(size):
        if cont_u[k]:
            limit = min(limit, lev_u[k])
        most = max(most, lev_u[k])
    label_u = np.empty((size, n), np.int32)
    r_u = np.empty(size, np.int32)
    bin_u = np.zeros(most, np.int32)
    count_u = np.zeros((size, most), np.int32)
    for k in range(size):
        r_u[k] = lev_u[k]
        label_u[k] = u[k]
        count_u[k, : lev_u[k]] = count_levels(u[k], lev_u[k])
    best_bins = min(START_BINS, int(0.5 + costs.rows ** (1.0 / 3.0)))
    best = -np.inf
    for bins in range(2, limit):
        if cont_x:
            rx = equal_frequency(count_x, n, bins, bin_x)
            relabel(x, bin_x, label_x)
        if cont_y:
            ry = equal_frequency(count_y, n, bins, bin_y)
            relabel(y, bin_y, label_y)
        for k in range(size):
            if cont_u[k]:
                r_u[k] = equal_frequency(count_u[k, : lev_u[k]], n, bins, bin_u)
                relabel(u[k], bin_u, label_u[k])
        all_u, levels_all = _join(label_u, r_u, -1, nothing, 1)
        s = sums(all_u, levels_all, label_x, rx, label_y, ry, weights, costs, True)
        value = _one_sided(s, 0, rx, ry, options.bic)[1] + _one_sided(s, 1, rx, ry, options.bic)[1]
        if value > best:
            best = value
            best_bins = bins
    if cont_x:
        rx = equal_frequency(count_x, n, best_bins, bin_x)
        relabel(x, bin_x, label_x)
    if cont_y:
        ry = equal_frequency(count_y, n, best_bins, bin_y)
        relabel(y, bin_y, label_y)
    bins = min(START_BINS, max(2, int(0.5 + n_eff ** (1.0 / (2 + size)))))
    any_cont = False
    unit_u = np.zeros((size, n), np.int32)
    units_u = np.ones(size, np.int32)
    weight_u = np.zeros((size, options.max_bins + 1 if weights.size else 0))
    for k in range(size):
        if cont_u[k]:
            any_cont = True
            r_u[k] = equal_frequency(count_u[k, : lev_u[k]], n, bins, bin_u)
            relabel(u[k], bin_u, label_u[k])
            units, units_u[k] = _units(u[k], lev_u[k], options.max_bins)
            unit_u[k] = units
            if weights.size:
                weight_u[k, : units_u[k] + 1] = unit_weights(units, units_u[k], weights)
    unit_x, units_x = _units(x, lev_x, options.max_bins) if cont_x else (nothing, 1)
    unit_y, units_y = _units(y, lev_y, options.max_bins) if cont_y else (nothing, 1)
    weight_x = unit_weights(unit_x, units_x, weights)
    weight_y = unit_weights(unit_y, units_y, weights)
    of_x = np.zeros(units_x, np.int32)
    of_y = np.zeros(units_y, np.int32)

    fixed_u, fixed_levels = _join(label_u, r_u, -1, nothing, 1)
    # joint labels of U kept from the terms I(X;U) and I(Y;U), for when a side stops being optimised
    kept_x, kept_x_levels = fixed_u, fixed_levels
    kept_y, kept_y_levels = fixed_u, fixed_levels
    reuse_x = reuse_y = False
    infos = np.zeros(PASSES)
    shifted = np.full(PASSES, 0.0 if options.legacy else np.nan)
    info = value = 0.0
    last_pass = False
    old_x = of_x.copy()
    old_y = of_y.copy()
    passes = 0
    for t in range(PASSES):
        passes = t + 1
        new_x, new_y = rx, ry
        old_x[:] = of_x
        old_y[:] = of_y
        # (1) I(Y;XU), and new cuts of X
        if reuse_y:
            all_u, levels_all = kept_y, kept_y_levels
        elif any_cont:
            labels, levels = _optimise(
                unit_u, units_u, weight_u, cont_u, label_u, r_u, label_x, rx, label_y, ry, costs, options
            )
            all_u, levels_all = _join(labels, levels, -1, nothing, 1)
        else:
            all_u, levels_all = fixed_u, fixed_levels
        s = sums(all_u, levels_all, label_x, rx, label_y, ry, weights, costs, True)
        info_y_xu, value_y_xu = _one_sided(s, 0, rx, ry, options.bic)
        if cont_x:
            value_y_xu -= _cut_price(costs, options, lev_x, rx, units_x)
            start, cell, count = count_cells(unit_x, units_x, all_u, label_y, levels_all * ry, ry)
            new_x = best_cuts(start, cell, count, levels_all, ry, rx, weight_x, costs, options, of_x)
        # (2) I(X;YU), and new cuts of Y
        if reuse_x:
            all_u, levels_all = kept_x, kept_x_levels
        elif any_cont:
            labels, levels = _optimise(
                unit_u, units_u, weight_u, cont_u, label_u, r_u, label_y, ry, label_x, rx, costs, options
            )
            all_u, levels_all = _join(labels, levels, -1, nothing, 1)
        s = sums(all_u, levels_all, label_x, rx, label_y, ry, weights, costs, True)
        info_x_yu, value_x_yu = _one_sided(s, 1, rx, ry, options.bic)
        if cont_y:
            value_x_yu -= _cut_price(costs, options, lev_y, ry, units_y)
            start, cell, count = count_cells(unit_y, units_y, all_u, label_x, levels_all * rx, rx)
            new_y = best_cuts(start, cell, count, levels_all, rx, ry, weight_y, costs, options, of_y)
        # (3) I(X;U)
        if not reuse_x and any_cont:
            labels, levels = _optimise(
                unit_u, units_u, weight_u, cont_u, label_u, r_u, nothing, 1, label_x, rx, costs, options
            )
            kept_x, kept_x_levels = _join(labels, levels, -1, nothing, 1)
        s = sums(kept_x, kept_x_levels, label_x, rx, label_y, ry, weights, costs, True)
        info_x_u, value_x_u = _one_sided(s, 2, rx, ry, options.bic)
        # (4) I(Y;U)
        if not reuse_y and any_cont:
            labels, levels = _optimise(
                unit_u, units_u, weight_u, cont_u, label_u, r_u, nothing, 1, label_y, ry, costs, options
            )
            kept_y, kept_y_levels = _join(labels, levels, -1, nothing, 1)
        s = sums(kept_y, kept_y_levels, label_x, rx, label_y, ry, weights, costs, True)
        info_y_u, value_y_u = _one_sided(s, 3, rx, ry, options.bic)
        # (5) only now X and Y change
        if cont_x:
            relabel(unit_x, of_x, label_x)
            rx = new_x
        if cont_y:
            relabel(unit_y, of_y, label_y)
            ry = new_y
        part_x = info_x_yu - info_x_u
        part_y = info_y_xu - info_y_u
        info = 0.5 * (part_x + part_y)
        value = 0.5 * (value_x_yu - value_x_u + value_y_xu - value_y_u)
        reuse_x = part_x < ZERO or (reuse_x and part_y < ZERO)
        reuse_y = part_y < ZERO or (reuse_y and part_x < ZERO)
        if reuse_x or reuse_y:
            if rx > 1 and ry > 1:
                continue
            if last_pass:
                passes = t
                break
            last_pass = True
        same = _settled(infos, shifted, t, value)
        infos[t] = info
        shifted[t] = value
        if same >= 0:
            info = infos[same:t].mean()
            value = shifted[same:t].mean()
            # the pass that only confirms is not counted, and its cuts are not taken
            passes = t
            of_x[:] = old_x
            of_y[:] = old_y
            break
    if cont_x:
        _last_codes(of_x, lev_x, unit_width(lev_x, options.max_bins), cut_x)
    if cont_y:
        _last_codes(of_y, lev_y, unit_width(lev_y, options.max_bins), cut_y)
    if options.clamp and value < 0:
        return 0.0, 0.0, passes
    return info, value, passes


@njit(cache=True, nogil=True)
def estimate(codes, levels, kinds, x, y, others, conditions, weights, costs, options, cut_x, cut_y):
    """Information of columns x and y given `conditions` (rows of codes), on the rows complete in these and `others`.

    codes (columns, rows) int32, -1 missing; levels (columns,); kinds (columns,) uint8, 1 continuous.
    others, conditions: int32 arrays of column numbers, both may be empty.
    Returns (info, shifted, n rows, n samples, passes); two discrete columns without condition are not clamped.
    """
    total = codes.shape[1]
    size = conditions.size
    complete = True
    for i in range(total):
        if codes[x, i] < 0 or codes[y, i] < 0:
            complete = False
            break
    if complete:
        for k in conditions:
            for i in range(total):
                if codes[k, i] < 0:
                    complete = False
                    break
        for k in others:
            for i in range(total):
                if codes[k, i] < 0:
                    complete = False
                    break
    n = total
    lev_x, lev_y = levels[x], levels[y]
    cont_x, cont_y = kinds[x] == 1, kinds[y] == 1
    col_u = np.empty((size, total), np.int32)
    lev_u = np.empty(size, np.int32)
    cont_u = np.empty(size, np.bool_)
    for k in range(size):
        lev_u[k] = levels[conditions[k]]
        cont_u[k] = kinds[conditions[k]] == 1
    used = weights
    if complete:
        col_x = codes[x]
        col_y = codes[y]
        for k in range(size):
            col_u[k] = codes[conditions[k]]
    else:
        rows = np.empty(total, np.int32)
        n = 0
        for i in range(total):
            keep = codes[x, i] >= 0 and codes[y, i] >= 0
            for k in conditions:
                keep = keep and codes[k, i] >= 0
            for k in others:
                keep = keep and codes[k, i] >= 0
            if keep:
                rows[n] = i
                n += 1
        rows = rows[:n]
        col_x = codes[x][rows]
        col_y = codes[y][rows]
        if weights.size:
            used = weights[rows]
        lev_x = densify(col_x, lev_x)
        lev_y = densify(col_y, lev_y)
        cont_x = cont_x and lev_x > 2
        cont_y = cont_y and lev_y > 2
        col_u = np.empty((size, n), np.int32)
        for k in range(size):
            column = codes[conditions[k]][rows]
            lev_u[k] = densify(column, lev_u[k])
            cont_u[k] = cont_u[k] and lev_u[k] > 2
            col_u[k] = column
    samples = costs.weight * n if weights.size == 0 else used.sum()
    cut_x[0] = -1
    cut_y[0] = -1
    if n <= 2 or lev_x < 2 or lev_y < 2:
        return 0.0, 0.0, n, samples, 0
    any_cont = cont_x or cont_y
    for k in range(size):
        any_cont = any_cont or cont_u[k]
    if not any_cont:
        base = np.zeros(n, np.int32)
        joint, joint_levels = _join(col_u, lev_u, -1, base, 1)
        product = 1
        for k in range(size):
            product *= lev_u[k]
        info, cost = discrete(joint, joint_levels, product if size else 1, col_x, lev_x, col_y, lev_y, used, costs, options)
        if size and options.clamp and info < cost:
            return 0.0, 0.0, n, samples, 0
        return info, info - cost, n, samples, 0
    if size == 0:
        info, value, passes = pair(
            col_x, lev_x, cont_x, col_y, lev_y, cont_y, used, costs, options, cut_x, cut_y
        )
    else:
        info, value, passes = conditional(
            col_x, lev_x, cont_x, col_y, lev_y, cont_y, col_u, lev_u, cont_u, used, costs, options, cut_x, cut_y
        )
    return info, value, n, samples, passes


@njit(cache=True, nogil=True)
def estimate_many(codes, levels, kinds, jobs, weights, costs, options, out):
    """Run a batch of estimates: jobs (m, 4 + widest) int32 rows x, y, number of conditions, number of others, then both.

    out (m, 4) float64 gets info, shifted, rows, passes.
    """
    cut_x = np.empty(options.max_bins + 2, np.int32)
    cut_y = np.empty(options.max_bins + 2, np.int32)
    for j in range(jobs.shape[0]):
        size, more = jobs[j, 2], jobs[j, 3]
        conditions = jobs[j, 4 : 4 + size]
        others = jobs[j, 4 + size : 4 + size + more]
        info, value, n, _, passes = estimate(
            codes, levels, kinds, jobs[j, 0], jobs[j, 1], others, conditions, weights, costs, options, cut_x, cut_y
        )
        out[j, 0] = info
        out[j, 1] = value
        out[j, 2] = n
        out[j, 3] = passes
