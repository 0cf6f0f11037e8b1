"""Would the edge still be there if one of its columns were shuffled?

    confidence = e^-I'(X;Y|U) / mean over shuffles of e^-I'(X;shuffled Y)        small: hardly by chance

Shuffle b of a variable is the same permutation for all its edges. Source: spec section 4.5.
"""

import math

import numpy as np
from numba import njit

from .estimate import estimate
from .keyed_random import key_of, permutation


def confidences(graph, book, n_shuffles, threshold, progress):
    """Confidence of each connected edge; those above the threshold are disconnected."""
    edges = [edge for edge in graph.edges.values() if edge.connected]
    data = book.data

    def of(edge):
        return chance(
            data.codes, data.levels, data.kinds, edge.x, edge.y, n_shuffles, np.uint64(book.seed), data.weights,
            book.costs, book.options,
        )  # fmt: skip

    batch = 8 * book._threads
    for at in range(0, len(edges), batch):
        part = edges[at : at + batch]
        means = list(book._pool.map(of, part)) if book._pool is not None else [of(edge) for edge in part]
        for edge, mean in zip(part, means):
            edge.confidence = math.exp(-max(edge.shifted_given, -700.0)) / mean
        progress("shuffled edges", min(at + batch, len(edges)), len(edges))
    for edge in edges:
        if edge.confidence > threshold:
            graph.connect(edge, False)


@njit(cache=True, nogil=True)
def chance(codes, levels, kinds, x, y, n_shuffles, seed, weights, costs, options):
    """Mean of e^-I' over shuffles of column y against column x; columns as for estimate."""
    rows = codes.shape[1]
    pair = np.empty((2, rows), np.int32)
    pair[0] = codes[x]
    pair_levels = np.array([levels[x], levels[y]], dtype=np.int32)
    pair_kinds = np.array([kinds[x], kinds[y]], dtype=np.uint8)
    none = np.empty(0, np.int32)
    cut_x = np.empty(options.max_bins + 2, np.int32)
    cut_y = np.empty(options.max_bins + 2, np.int32)
    total = 0.0
    for shuffle in range(n_shuffles):
        order = permutation(key_of(seed, np.uint64(shuffle), np.uint64(y)), rows)
        for i in range(rows):
            pair[1, i] = codes[y, order[i]]
        info, value, n, samples, passes = estimate(
            pair, pair_levels, pair_kinds, 0, 1, none, none, weights, costs, options, cut_x, cut_y
        )
        total += np.exp(-max(0.0, value))
    return total / n_shuffles
