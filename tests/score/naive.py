"""The scores, slowly: loops over labels and tracks, for a reader."""

from itertools import combinations, permutations


def best_pairs(truth, found, threshold):
    """Largest number of one-to-one pairs of masks with intersection over union >= threshold, by trying all."""
    true_labels = [v for v in set(truth.ravel().tolist()) if v]
    found_labels = [v for v in set(found.ravel().tolist()) if v]

    def good(a, b):
        t, f = truth == a, found == b
        return (t & f).sum() >= threshold * (t | f).sum()

    small, large = sorted([true_labels, found_labels], key=len)
    swap = small is not true_labels
    best = 0
    for chosen in permutations(large, len(small)):
        pairs = [(b, a) if swap else (a, b) for a, b in zip(small, chosen)]
        best = max(best, sum(good(a, b) for a, b in pairs))
    return best


def ap_counts(truth, found, threshold):
    tp = best_pairs(truth, found, threshold)
    return {"tp": tp, "fp": len(set(found.ravel().tolist()) - {0}) - tp, "fn": len(set(truth.ravel().tolist()) - {0}) - tp}


def covered_nodes(truth, found):
    """True mask, found mask that holds more than half of its pixels."""
    pairs = []
    for a in sorted(set(truth.ravel().tolist()) - {0}):
        for b in sorted(set(found.ravel().tolist()) - {0}):
            if 2 * ((truth == a) & (found == b)).sum() > (truth == a).sum():
                pairs.append((a, b))
    return pairs


def most_hits(pairs, n_true, n_found):
    """Largest one-to-one choice among admissible (true, found) pairs."""
    for size in range(min(len(pairs), n_true, n_found), 0, -1):
        for chosen in combinations(pairs, size):
            if len({a for a, _ in chosen}) == size == len({b for _, b in chosen}):
                return size
    return 0
