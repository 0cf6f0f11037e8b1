"""The kernels of cytocause.infer once more, slowly, for a reader."""

import itertools
import math
from collections import Counter
from dataclasses import dataclass
from functools import cache

import numpy as np

from cytocause.infer import nml

lc = cache(nml.log_complexity)  # held to log_complexity, below, by a test of its own


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
    return worth(Counter((given[i], joint[i]) for i in rows), Counter(given[i] for i in rows), levels, complexity, mean)


def worth(both, given, levels, complexity, weight):
    """The same from counts of (given, joint) and of given, and what each row weighs."""
    samples = [math.floor(weight * c + 0.5) for c in both.values()]
    known = [math.floor(weight * c + 0.5) for c in given.values()]
    return sum(map(plogp, samples)) - sum(plogp(c) + complexity(c, levels) for c in known)


def plogp(n):
    return n * math.log(n) if n > 0 else 0.0


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


@dataclass(frozen=True)
class How:
    """How the twins of whole estimates work.

    weights: of each row, or one number for all; bic: that complexity instead of NML; legacy: the reference's quirks;
    truncated: back-tracking that stops at a sign (Q4), by default with legacy; max_bins: unit bins at most; rows: of the
    whole table, incomplete ones counted (default: those given).
    """

    weights: object = 1.0
    bic: bool = False
    legacy: bool = False
    truncated: bool | None = None
    max_bins: int = 50
    rows: int | None = None

    def samples(self, n):
        """What n rows, all there are, count for."""
        return self.weights * n if np.ndim(self.weights) == 0 else sum(self.weights)

    def whole(self, n):
        """Rows of the whole table, n of which are complete."""
        return self.rows or n

    def units(self, column):
        """(unit bin of each row, how many), spec 3.5: as many consecutive distinct values in each."""
        distinct = sorted(set(column))
        most = min(self.max_bins, max(self.whole(len(column)), 2))
        width = max(1, math.ceil(len(distinct) / most))
        place = {value: k // width for k, value in enumerate(distinct)}
        return [place[value] for value in column], math.ceil(len(distinct) / width)

    def cut_cost(self, column, bins):
        """Price of that many bins of a continuous column: the choice among all places for cuts (Q5 on the places)."""
        places = self.units(column)[1]
        if self.legacy:
            places = min(self.max_bins, max(self.whole(len(column)), 2), len(set(column)))
        return log_choose(places - 1, bins - 1) if 1 < bins < places else 0.0


def weigh(labels, weights=1.0):
    """Weight of each label that occurs."""
    if np.ndim(weights) == 0:
        return {label: weights * count for label, count in Counter(labels).items()}
    out = Counter()
    for label, weight in zip(labels, weights):
        out[label] += weight
    return out


def entropy_sum(*labels, weights=None):
    """Sum of n ln n over the joint levels."""
    return sum(plogp(n) for n in weigh(zip(*labels), 1.0 if weights is None else weights).values())


def discrete_information(x, y, u=(), how=How()):
    """(info, complexity) of discrete columns by the definition (spec 3.2)."""
    levels_u = math.prod(len(set(column)) for column in u)
    least = 0 if len(u) else 1
    u = list(zip(*u)) if len(u) else [()] * len(x)
    weights = how.weights
    info = entropy_sum(u, weights=weights) + entropy_sum(x, y, u, weights=weights)
    info -= entropy_sum(x, u, weights=weights) + entropy_sum(y, u, weights=weights)
    rx, ry = len(set(x)), len(set(y))
    if how.bic:
        return info, 0.5 * levels_u * (rx - 1) * (ry - 1) * math.log(how.samples(len(x)))

    def cost(labels, other):
        return sum(lc(max(least, math.floor(n + 0.5)), other) for n in weigh(labels, weights).values())

    return info, (cost(zip(x, u), ry) + cost(zip(y, u), rx) - cost(u, rx) - cost(u, ry)) / 2


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


def dynamic_cuts(values, labels, previous_bins, how, given=None):
    """Bin of each row by the best cuts between unit bins, for what they tell about the labels (spec 3.5).

    given: labels that are known besides.
    """
    given = [0] * len(values) if given is None else given
    unit, size = how.units(values)
    kinds = len(set(labels))
    price = lc
    if how.bic:
        cell = 0.5 * (kinds - 1) * math.log(max(2.0, how.samples(len(values))))
        if how.legacy:  # Q14
            cell = 0.5 * (kinds - 1) * len(set(given)) * math.log(how.whole(len(values)))
        price = lambda c, levels: cell
    if how.legacy and how.bic:
        pen = 0.0
    elif how.legacy and previous_bins < 2:  # Q3
        return [0] * len(values)
    else:
        previous_bins = max(previous_bins, 2)
        pen = log_choose(size - 1, previous_bins - 1) / (previous_bins - 1)
    of_unit = [[] for _ in range(size)]
    for i, u in enumerate(unit):
        of_unit[u].append(i)

    value = {}
    weights, by_row = how.weights, np.ndim(how.weights) > 0
    if how.legacy and by_row:  # by sorted position (Q12)
        weights = dict(zip((i for rows in of_unit for i in rows), weights))
    for left in range(size):
        both, alone, weight = Counter(), Counter(), 0.0
        for right in range(left + 1, size + 1):
            for i in of_unit[right - 1]:
                both[given[i], labels[i]] += 1
                alone[given[i]] += 1
                weight += weights[i] if by_row else weights
            mean = weight / alone.total() if by_row else weights
            value[left, right] = worth(both, alone, kinds, price, mean)

    best, cut = [0.0], [0]
    for right in range(1, size + 1):
        best.append(value[0, right])
        cut.append(0)
        for left in range(1, right):
            candidate = best[left] + value[left, right] - pen
            if candidate > best[right] + 1e-5:
                best[right] = candidate
                cut[right] = -left if cut[left + 1] == 0 else left
    borders, at = [], cut[size]
    while at:
        borders.append(abs(at))
        if at < 0 and (how.legacy if how.truncated is None else how.truncated):  # Q4
            break
        at = cut[abs(at)]
    return [sum(u >= border for border in borders) for u in unit]


def pair_information(columns, continuous, how=How()):
    """(info, shifted) of x, y with at least one continuous: both are cut in turn until nothing changes (spec 3.6)."""
    bins = min(30, int(0.5 + how.whole(len(columns[0])) ** (1 / 3)))
    limit = min([bins, 20, *(len(set(c)) for c, flag in zip(columns, continuous) if flag)])

    def start(b):
        return [
            equal_frequency(c, b, how.legacy) if flag else [sorted(set(c)).index(v) for v in c]
            for c, flag in zip(columns, continuous)
        ]

    def score(labels):
        info, cost = discrete_information(*labels, how=how)
        return (info, cost) if info >= 1e-10 and min(len(set(label)) for label in labels) > 1 else (0.0, cost)

    scores = {}
    for b in range(2, limit):
        info, cost = score(start(b))
        scores[b] = info - cost
    labels = start(max(scores, key=scores.get) if scores else bins)
    history = []
    while len(history) < 50:
        new = list(labels)
        for k in (0, 1):
            if continuous[k]:
                new[k] = dynamic_cuts(columns[k], labels[1 - k], len(set(labels[k])), how)
        labels = new
        info, cost = score(labels)
        cost += sum(how.cut_cost(columns[k], len(set(labels[k]))) for k in (0, 1) if continuous[k])
        value = info - cost
        same = [k for k in range(len(history)) if abs(history[k][1] - value) < 1e-5]
        if same or not all(continuous):
            cycle = history[same[-1] :] if same else [(info, value)]
            info, value = (sum(part) / len(cycle) for part in zip(*cycle))
            break
        history.append((info, value))
    return (info, value) if value >= 0 else (0.0, 0.0)


def one_term(a, b, how):
    """(info, shifted) that labels b have on labels a, with the one-sided cost of spec 3.7."""
    levels, others = len(set(a)), len(set(b))
    weights, samples = how.weights, how.samples(len(a))
    info = plogp(samples) + entropy_sum(a, b, weights=weights) - entropy_sum(a, weights=weights) - entropy_sum(b, weights=weights)
    if info < 1e-10 or levels < 2 or others < 2:
        info = 0.0
    if how.bic:
        return info, info - 0.5 * (levels - 1) * (others - 1) * math.log(samples)
    return info, info - sum(lc(max(1, math.floor(n + 0.5)), levels) for n in weigh(b, weights).values())


def conditioned_information(columns, continuous, how=How()):
    """(info, shifted, whether a pass was not recorded) of x, y given u..., at least one continuous (spec 3.7)."""
    n, size = len(columns[0]), len(columns)
    flags = [k for k in range(size) if continuous[k]]
    first = min(30, int(0.5 + how.whole(n) ** (1 / 3)))
    of_u = min(30, max(2, int(0.5 + how.samples(n) ** (1 / size))))

    def start(k, bins):
        if continuous[k]:
            return equal_frequency(columns[k], bins, how.legacy)
        return [sorted(set(columns[k])).index(v) for v in columns[k]]

    def told(a, *b):
        return one_term(a, list(zip(*b)), how)

    scores = {}
    for b in range(2, min(first, 20, *(len(set(columns[k])) for k in flags))):
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
                    new[k] = dynamic_cuts(columns[2 + k], target, len(set(u[k])), how, given)
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
            if continuous[other]:
                r = len(set(label[other]))
                shifted -= how.cut_cost(columns[other], r)
                new[other] = dynamic_cuts(columns[other], label[side], r, how, list(zip(*u)))
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
                if how.legacy:  # counts as one that found nothing (Q6)
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


# --- random numbers by key, and rows with gaps ------------------------------------------------------------------------

WORD = 2**64


def mix(state):
    """SplitMix64: its output after one step from a state."""
    z = (state + 0x9E3779B97F4A7C15) % WORD
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % WORD
    z = (z ^ z >> 27) * 0x94D049BB133111EB % WORD
    return z ^ z >> 31


def key_of(seed, shuffle, variable):
    return mix(mix(mix(seed) ^ shuffle) ^ variable << 32)


def uniform(key, counter):
    """53 bits of the output after so many steps, as a number in [0, 1)."""
    return (mix((key + counter * 0x9E3779B97F4A7C15) % WORD) >> 11) / 2**53


def permutation(key, n):
    """Fisher-Yates from the end."""
    out = list(range(n))
    for i in range(n - 1, 0, -1):
        j = int(uniform(key, i) * (i + 1))
        out[i], out[j] = out[j], out[i]
    return out


def jitter(n, seed, variable):
    """Noise of a variable's values in the test of missing ones; shuffle 2^32 - 1 is its own."""
    key = key_of(seed, 2**32 - 1, variable)
    return [(2 * uniform(key, i) - 1) * 5e-5 for i in range(n)]


def complete_rows(codes, nodes, among, order=()):
    """Rows without a gap in all nodes; the second node's values come from the rows `order` says."""
    out = []
    for i in range(len(codes[0])):
        values = [codes[node][order[i] if k == 1 and len(order) else i] for k, node in enumerate([*nodes, *among])]
        if min(values) >= 0:
            out.append(i)
    return out
