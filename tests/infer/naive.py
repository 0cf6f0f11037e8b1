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


def equal_frequency(values, bins):
    """Bin of each row: walk the sorted rows; past a cut, equal values still join the bin, then the next one opens."""
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
        out[order[row]] = part
        row += 1
    return out


def phi(rows, given, joint, levels, complexity, weight=1.0):
    """What some rows of equal weight tell about `joint` given `given`, less its price; counts as whole samples."""

    def samples(labels):
        counts = (math.floor(weight * c + 0.5) for c in Counter(labels).values())
        return [c for c in counts if c > 0]

    value = sum(c * math.log(c) for c in samples((given[i], joint[i]) for i in rows))
    return value - sum(c * math.log(c) + complexity(c, levels) for c in samples(given[i] for i in rows))


def best_cuts(unit, units, given, joint, levels, pen, complexity):
    """Largest score of any set of cuts of the unit bins, pen per cut, by trying them all."""
    best = -math.inf
    for size in range(units):
        for cuts in itertools.combinations(range(1, units), size):
            borders = [0, *cuts, units]
            value = -pen * size
            for a, b in itertools.pairwise(borders):
                value += phi([i for i in range(len(unit)) if a <= unit[i] < b], given, joint, levels, complexity)
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
