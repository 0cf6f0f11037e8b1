"""Are the rows that a third variable leaves us still like the others?

    S0  rows with x and y               S1  those of them that also have z
    KL1 = n1 KL( P_S1(x, y) || P_S0(x, y) )     above ln n1: z is not missing at random, and is no explanation

Discrete: frequencies. Continuous: distances to the k-th neighbour in S1 and in S0. Source: spec section 3.9.
"""

import numpy as np
from numba import njit

from .compilation import KERNEL
from .keyed_random import key_of, uniform

NEIGHBOURS = 5  # the point itself included
JITTER = 5e-5  # spread of the noise that separates equal values
FEW = 5  # rows of a level in S1 up to which its distances are not looked at


def displacement(data, x, y, before, after, seed=0, legacy=False):
    """n1 KL(S1 || S0) in nats, for nodes x, y of an Unfolded and two row masks (rows,) with after within before.

    Values are in units of their standard deviation, and equal ones are separated by a little noise. Legacy: in the units of
    the table (then a rescaled column can change the verdict), and noise is added to all.
    """
    inside = after[before]
    if inside.sum() == 0:
        return 0.0
    continuous = [bool(data.kinds[node]) for node in (x, y)]
    columns = []
    for place, node in enumerate((x, y)):
        if continuous[place]:
            values = data.node_values(node)[before]
            if not legacy:
                spread = values.std()
                values = (values - values.mean()) / (spread if spread > 0 else 1.0)
            if legacy or np.unique(values).size < values.size:
                values = values + jitter(values.size, np.uint64(seed), np.uint64(node))
            columns.append(values)
        else:
            columns.append(data.codes[node][before].astype(np.int64))
    if all(continuous):
        return float(neighbour_divergence_2d(columns[0], columns[1], inside))
    if not any(continuous):
        return frequency_divergence(columns[0] * (int(columns[1].max()) + 1) + columns[1], inside)
    labels, values = (columns[1], columns[0]) if continuous[0] else (columns[0], columns[1])
    total = frequency_divergence(labels, inside)
    for label in np.unique(labels[inside]):
        rows = labels == label
        if inside[rows].sum() > FEW:
            total += max(0.0, float(neighbour_divergence_1d(values[rows], inside[rows])))
    return total


def frequency_divergence(labels, inside):
    """n1 KL of the plug-in frequencies; labels (n0,) of any size, inside (n0,) bool."""
    labels = np.unique(labels, return_inverse=True)[1]  # those of a pair are too far apart to be counted as they are
    all_counts = np.bincount(labels)
    counts = np.bincount(labels[inside], minlength=all_counts.size)
    n0, n1 = labels.size, int(inside.sum())
    some = counts > 0
    return float((counts[some] * np.log((counts[some] / n1) / (all_counts[some] / n0))).sum())


@njit(**KERNEL)
def jitter(n, seed, variable):
    """(n,) float64 noise, uniform within +-JITTER, by key."""
    key = key_of(seed, np.uint64(0xFFFFFFFF), variable)
    out = np.empty(n)
    for i in range(n):
        out[i] = (2.0 * uniform(key, i) - 1.0) * JITTER
    return out


@njit(**KERNEL)
def _kth_distance(xs, ys, at, k, best):
    """Distance from the at-th point to its k-th neighbour (itself the first) among points sorted by x."""
    n = xs.size
    for i in range(k):
        best[i] = np.inf
    best[0] = 0.0
    left, right = at - 1, at + 1
    px, py = xs[at], ys[at]
    while True:
        gap_left = px - xs[left] if left >= 0 else np.inf
        gap_right = xs[right] - px if right < n else np.inf
        if gap_left <= gap_right:
            gap, i = gap_left, left
            left -= 1
        else:
            gap, i = gap_right, right
            right += 1
        if not gap * gap < best[k - 1]:
            return np.sqrt(best[k - 1])
        d = gap * gap + (ys[i] - py) * (ys[i] - py)
        if d < best[k - 1]:
            j = k - 1
            while j > 0 and best[j - 1] > d:
                best[j] = best[j - 1]
                j -= 1
            best[j] = d


@njit(**KERNEL)
def neighbour_divergence_2d(x, y, inside):
    """n1 KL estimated from 5th-neighbour distances in two dimensions; x, y (n0,) float64, inside (n0,) bool."""
    return _neighbour_divergence(x, y, inside, 2)


@njit(**KERNEL)
def neighbour_divergence_1d(x, inside):
    """The same in one dimension."""
    return _neighbour_divergence(x, np.zeros(x.size), inside, 1)


@njit(**KERNEL)
def _neighbour_divergence(x, y, inside, dimensions):
    order = np.argsort(x)
    xs, ys, is_in = x[order], y[order], inside[order]
    chosen = np.flatnonzero(is_in)
    xi, yi = xs[chosen], ys[chosen]
    n0, n1 = x.size, chosen.size
    if n1 <= NEIGHBOURS or n0 <= NEIGHBOURS:
        return 0.0
    best = np.empty(NEIGHBOURS)
    total = 0.0
    for i in range(n1):
        far = _kth_distance(xi, yi, i, NEIGHBOURS, best)
        near = _kth_distance(xs, ys, chosen[i], NEIGHBOURS, best)
        if far > 0 and near > 0:
            total += np.log(near / far)
    return dimensions * total + n1 * np.log((n0 - 1.0) / (n1 - 1.0))
