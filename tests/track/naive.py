"""What the kernels and the assignments of `track` do, slowly, for a reader."""

import itertools

import numpy as np


def label_sums(labels, intensity, n_labels):
    """One label at a time."""
    sums = np.zeros((n_labels + 1, 5))
    rim = np.zeros(labels.shape, dtype=bool)
    rim[0] = rim[-1] = True
    rim[:, 0] = rim[:, -1] = True
    for k in range(1, n_labels + 1):
        y, x = np.nonzero(labels == k)
        light = intensity[y, x].sum() if intensity.size else 0.0
        sums[k] = len(y), y.sum(), x.sum(), light, rim[y, x].sum()
    return sums


def cheapest_links(cost, null):
    """Least total over all ways to give each source one free target or lose it at the price `null`.

    cost (S, D), inf where there is no candidate
    """
    sources, dests = cost.shape
    best = np.inf
    for choice in itertools.product(range(-1, dests), repeat=sources):
        used = [j for j in choice if j >= 0]
        if len(set(used)) == len(used):
            best = min(best, sum(null if j < 0 else cost[i, j] for i, j in enumerate(choice)))
    return best


def best_compatible(gain, conflicts):
    """Largest sum of gains over all subsets without a conflict."""
    best = 0.0
    for size in range(1, len(gain) + 1):
        for subset in itertools.combinations(range(len(gain)), size):
            if not any(a in subset and b in subset for a, b in conflicts):
                best = max(best, sum(gain[i] for i in subset))
    return best


def division_cost(at_mother, at1, at2, area_mother, area1, area2, sd, v_sisters, v_sum):
    """The formula, for daughters that are seen at once and a mother with one area."""
    middle = (np.array(at1) + np.array(at2)) / 2
    cost = np.sum((middle - np.array(at_mother)) ** 2) / sd**2
    return cost + np.log(area1 / area2) ** 2 / v_sisters + np.log((area1 + area2) / area_mother) ** 2 / v_sum
