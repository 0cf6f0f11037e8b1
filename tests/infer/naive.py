"""The kernels of cytocause.infer once more, slowly, for a reader."""

import itertools
import math
from collections import Counter

import numpy as np


def log_complexity(n, levels):
    """Sum over all ways to split n samples into `levels` cells, each weighted by its best likelihood."""
    if n == 0 or levels <= 1:
        return 0.0
    total = 0.0
    for split in itertools.product(range(n + 1), repeat=levels - 1):
        if sum(split) > n:
            continue
        cells = [*split, n - sum(split)]
        ways = math.factorial(n)
        for c in cells:
            ways //= math.factorial(c)
        total += ways * math.prod((c / n) ** c for c in cells if c)
    return math.log(total)


def equal_frequency(values, bins, legacy=True):
    """Bin of each row: walk the sorted rows; past a cut, equal values still join the bin, then the next one opens.

    Not legacy: where the next cut has been passed as well, the rows that are left are shared out anew.
    """
    n = len(values)
    order = sorted(range(n), key=lambda i: values[i])
    bins = min(bins, len(set(values)))
    width = n // bins
    ends = [(j + 1) * width - 1 for j in range(bins - 1)] + [n - 1]
    out, part, row = [0] * n, 0, 0
    while row < n:
        if row > ends[part]:
            while row < n and values[order[row]] == values[order[row - 1]]:
                out[order[row]] = part
                row += 1
            if row == n:
                break
            part += 1
            if not legacy and ends[part] < row:
                left = max(1, min(bins - part, (n - row) // width))
                width = (n - row) // left
                bins = part + left
                ends = [*ends[:part], *(row + (j + 1) * width - 1 for j in range(left - 1)), n - 1]
        out[order[row]] = part
        row += 1
    return out


def phi(rows, given, joint, levels, complexity, weight=1.0):
    """What some rows tell about `joint` given `given`, less its price; counts as whole samples.

    weight: of each row, or one for all. Rows of an interval count for their mean weight (spec 3.3).
    """
    mean = weight if np.ndim(weight) == 0 else np.mean([weight[i] for i in rows] or [0.0])

    def samples(labels):
        counts = (math.floor(mean * c + 0.5) for c in Counter(labels).values())
        return [c for c in counts if c > 0]

    value = sum(c * math.log(c) for c in samples((given[i], joint[i]) for i in rows))
    return value - sum(c * math.log(c) + complexity(c, levels) for c in samples(given[i] for i in rows))


def best_cuts(unit, units, given, joint, levels, pen, complexity, weight=1.0):
    """Largest score of any set of cuts of the unit bins, pen per cut, by trying them all."""
    best = -math.inf
    for size in range(units):
        for cuts in itertools.combinations(range(1, units), size):
            borders = [0, *cuts, units]
            value = -pen * size
            for a, b in itertools.pairwise(borders):
                value += phi([i for i in range(len(unit)) if a <= unit[i] < b], given, joint, levels, complexity, weight)
            best = max(best, value)
    return best


def entropy_sum(*labels, weights=None):
    """Sum of n ln n over the joint levels."""
    count = Counter()
    for i, key in enumerate(zip(*labels)):
        count[key] += 1.0 if weights is None else weights[i]
    return sum(c * math.log(c) for c in count.values() if c > 0)


def discrete_information(x, y, u=()):
    """(info, complexity) of discrete columns by the definition (spec 3.2)."""
    u = list(zip(*u)) if len(u) else [()] * len(x)
    info = entropy_sum(u) - entropy_sum(x, u) - entropy_sum(y, u) + entropy_sum(x, y, u)
    rx, ry = len(set(x)), len(set(y))
    from cytocause.infer.nml import log_complexity as lc

    cost = 0.0
    for a, other in ((x, ry), (y, rx)):
        cost += sum(lc(c, other) for c in Counter(zip(a, u)).values())
    cost -= sum(lc(c, rx) + lc(c, ry) for c in Counter(u).values())
    return info, cost / 2


def autocorrelation(x, lags):
    """rho(h) over present pairs, lag by lag."""
    mean = np.nanmean(x)
    out = []
    for h in range(lags):
        pairs = [(x[t] - mean) * (x[t + h] - mean) for t in range(len(x) - h) if not math.isnan(x[t] + x[t + h])]
        out.append(sum(pairs) / (len(pairs) + h) if pairs else math.nan)
    return [c / out[0] for c in out]


def smooth(x, width):
    """Centred mean of the present values; the ends are missing."""
    low = (width - 1) // 2
    high = width - 1 - low
    out = []
    for t in range(len(x)):
        if t < low or t >= len(x) - high:
            out.append(math.nan)
            continue
        present = [v for v in x[t - low : t + high + 1] if not math.isnan(v)]
        out.append(sum(present) / len(present) if present else math.nan)
    return out


def neighbour_divergence(points, inside, k=5):
    """n1 KL from k-th neighbour distances (the point itself counts), all distances computed; points (n0, d)."""
    chosen = points[inside]
    n0, n1, d = len(points), len(chosen), points.shape[1]
    total = 0.0
    for p in chosen:
        far = np.sort(np.sqrt(((chosen - p) ** 2).sum(axis=1)))[k - 1]
        near = np.sort(np.sqrt(((points - p) ** 2).sum(axis=1)))[k - 1]
        if far > 0 and near > 0:
            total += math.log(near / far)
    return d * total + n1 * math.log((n0 - 1) / (n1 - 1))


def unfold(trajectories, layers, stride):
    """Rows of (v_lag0, v_lag1, ...) of one variable, no row mixing trajectories."""
    rows = []
    for x in trajectories:
        for t in range((layers - 1) * stride, len(x)):
            rows.append([x[t - k * stride] for k in range(layers)])
    return rows


def pooled_autocorrelation(columns, starts):
    """rho(h) over all pairs of rows h apart in one trajectory, the columns (parts, rows) being centred."""
    trajectories = [columns[:, a:b] for a, b in itertools.pairwise(starts)]
    means = []
    for h in range(max(x.shape[1] for x in trajectories)):
        products = [
            sum(x[k, t] * x[k, t + h] for k in range(len(x)))
            for x in trajectories
            for t in range(x.shape[1] - h)
            if not math.isnan(x[0, t] + x[0, t + h])
        ]
        means.append(sum(products) / len(products) if products else 0.0)
    return [m / means[0] if means[0] else 0.0 for m in means]


def cluster_effect(x, level, lengths):
    """Rows that count for one: products of all pairs of rows of a trajectory over the squares, within levels."""
    groups, used = len(lengths), len(set(level))
    if groups - used < 2:
        level, used = [0] * groups, 1
    if groups <= used:
        return float(sum(lengths))
    place = np.repeat(np.arange(groups), lengths)
    rows = [i for i in range(len(x)) if not math.isnan(x[i])]
    mean = {a: np.mean([x[i] for i in rows if level[place[i]] == a] or [0.0]) for a in set(level)}
    centred = {i: x[i] - mean[level[place[i]]] for i in rows}
    squares = sum(v * v for v in centred.values())
    if squares <= 0:
        return sum(lengths) / groups
    products = sum(centred[i] * centred[j] for i in rows for j in rows if place[i] == place[j])
    return max(1.0, groups / (groups - used) * products / squares)


def log_choose(n, k):
    """ln of the ways to choose k of n; 0 where there is no choice."""
    return math.log(math.comb(n, k)) if 0 < k < n else 0.0


def dynamic_cuts(values, labels, previous_bins, complexity, given=None):
    """Bin of each row by the best cuts between distinct values (at most 50), for what they tell about the labels (spec 3.5).

    given: labels that are known besides. Returns the bins and the number of distinct values.
    """
    given = [0] * len(values) if given is None else given
    distinct = sorted(set(values))
    unit = [distinct.index(v) for v in values]
    size, kinds = len(distinct), len(set(labels))
    previous_bins = max(previous_bins, 2)
    pen = log_choose(size - 1, previous_bins - 1) / (previous_bins - 1)

    def value(a, b):
        rows = [i for i in range(len(unit)) if a <= unit[i] < b]
        return phi(rows, given, labels, kinds, complexity)

    best, cut = [0.0], [0]
    for right in range(1, size + 1):
        found, at = value(0, right), 0
        for left in range(1, right):
            candidate = best[left] + value(left, right) - pen
            if candidate > found + 1e-5:
                found, at = candidate, left
        best.append(found)
        cut.append(at)
    borders, at = [], cut[size]
    while at:
        borders.append(at)
        at = cut[at]
    return [sum(u >= border for border in borders) for u in unit], size


def pair_information(columns, continuous, complexity):
    """(info, shifted) of x, y with at least one continuous: both are cut in turn until nothing changes (spec 3.6)."""
    n = len(columns[0])
    bins = min(30, int(0.5 + n ** (1 / 3)))
    limit = min([bins, 20, *(len(set(c)) for c, flag in zip(columns, continuous) if flag)])

    def start(b):
        return [
            equal_frequency(c, b, legacy=False) if flag else [sorted(set(c)).index(v) for v in c]
            for c, flag in zip(columns, continuous)
        ]

    def score(labels):
        info, cost = discrete_information(*labels)
        return (info, cost) if info >= 1e-10 and min(len(set(label)) for label in labels) > 1 else (0.0, cost)

    scores = {}
    for b in range(2, limit):
        info, cost = score(start(b))
        scores[b] = info - cost
    labels = start(max(scores, key=scores.get) if scores else bins)
    history = []
    while len(history) < 50:
        new, sizes = list(labels), [0, 0]
        for k in (0, 1):
            if continuous[k]:
                new[k], sizes[k] = dynamic_cuts(columns[k], labels[1 - k], len(set(labels[k])), complexity)
        labels = new
        info, cost = score(labels)
        for k in (0, 1):
            r = len(set(labels[k]))
            if continuous[k] and 1 < r < sizes[k]:
                cost += log_choose(sizes[k] - 1, r - 1)
        value = info - cost
        same = [k for k in range(len(history)) if abs(history[k][1] - value) < 1e-5]
        if same or not all(continuous):
            cycle = history[same[-1] :] if same else [(info, value)]
            info, value = (sum(part) / len(cycle) for part in zip(*cycle))
            break
        history.append((info, value))
    return (info, value) if value >= 0 else (0.0, 0.0)


def one_term(a, b, complexity):
    """(info, shifted) that labels b have on labels a, with the one-sided cost of spec 3.7."""
    levels = len(set(a))
    info = len(a) * math.log(len(a)) - entropy_sum(a) - entropy_sum(b) + entropy_sum(a, b)
    if info < 1e-10 or levels < 2 or len(set(b)) < 2:
        info = 0.0
    return info, info - sum(complexity(n, levels) for n in Counter(b).values())


def conditioned_information(columns, continuous, complexity, zeros=False):
    """(info, shifted, whether a pass was not recorded) of x, y given u..., at least one continuous (spec 3.7).

    zeros: passes that are not recorded count as ones that found nothing (quirk Q6).
    """
    n, size = len(columns[0]), len(columns)
    flags = [k for k in range(size) if continuous[k]]
    first = min(30, int(0.5 + n ** (1 / 3)))
    of_u = min(30, max(2, int(0.5 + n ** (1 / size))))
    places = [len(set(column)) for column in columns]

    def start(k, bins):
        if continuous[k]:
            return equal_frequency(columns[k], bins, legacy=False)
        return [sorted(set(columns[k])).index(v) for v in columns[k]]

    def told(a, *b):
        return one_term(a, list(zip(*b)), complexity)

    scores = {}
    for b in range(2, min(first, 20, *(places[k] for k in flags))):
        x, y, *u = (start(k, b) for k in range(size))
        scores[b] = told(y, x, *u)[1] + told(x, y, *u)[1]
    bins = max(scores, key=scores.get) if scores else first
    label = [start(0, bins), start(1, bins)]
    any_u = any(k > 1 for k in flags)

    def optimised(target, *known):
        """U cut anew for what it, and what is known, tell about the target."""
        u = [start(k, of_u) for k in range(2, size)]
        for _ in range(3 if len(u) > 1 else 1):
            new = list(u)
            for k in range(len(u)):
                if continuous[2 + k]:
                    given = list(zip(*known, *(u[other] for other in range(len(u)) if other != k), [0] * n))
                    new[k], _ = dynamic_cuts(columns[2 + k], target, len(set(u[k])), complexity, given)
            u = new
        return u

    kept = [None, None]
    reuse = [False, False]
    last_pass = False
    unrecorded = False
    history = []
    for _ in range(50):
        new = list(label)
        parts, value = [0.0, 0.0], 0.0
        for side in (1, 0):  # I(Y;XU), then I(X;YU)
            other = 1 - side
            u = kept[side] if reuse[side] and any_u else optimised(label[side], label[other])
            info, shifted = told(label[side], label[other], *u)
            r = len(set(label[other]))
            if continuous[other]:
                if 1 < r < places[other]:
                    shifted -= log_choose(places[other] - 1, r - 1)
                new[other], _ = dynamic_cuts(columns[other], label[side], r, complexity, list(zip(*u)))
            parts[side] += info
            value += shifted
        for side in (0, 1):  # I(X;U), then I(Y;U)
            if not (reuse[side] and any_u):
                kept[side] = optimised(label[side])
            info, shifted = told(label[side], *kept[side])
            parts[side] -= info
            value -= shifted
        label = new
        info, value = sum(parts) / 2, value / 2
        reuse_x = parts[0] < 1e-10 or (reuse[0] and parts[1] < 1e-10)
        reuse_y = parts[1] < 1e-10 or (reuse[1] and parts[0] < 1e-10)
        reuse = [reuse_x, reuse_y]
        if reuse_x or reuse_y:
            if min(len(set(a)) for a in label) > 1:
                unrecorded = True
                if zeros:
                    history.append((0.0, 0.0))
                continue
            if last_pass:
                break
            last_pass = True
        same = [k for k in range(len(history)) if abs(history[k][1] - value) < 1e-5]
        if same:
            cycle = history[same[-1] :]
            info, value = (sum(part) / len(cycle) for part in zip(*cycle))
            break
        history.append((info, value))
    return (*((info, value) if value >= 0 else (0.0, 0.0)), unrecorded)
