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


def detection_counts(truth, found):
    """A found mask that sees any true cell is one hit."""
    seeing = {b for _, b in covered_nodes(truth, found)}
    n_true, n_found = (len(set(image.ravel().tolist()) - {0}) for image in (truth, found))
    return {"tp": len(seeing), "fp": n_found - len(seeing), "fn": n_true - len(seeing)}


def seg(truth, found):
    """Mean intersection over union of every true cell with the mask that covers more than half of it, else 0."""
    seen, values = dict(covered_nodes(truth, found)), []
    for a in set(truth.ravel().tolist()) - {0}:
        t, f = truth == a, found == seen.get(a, -1)
        values.append((t & f).sum() / (t | f).sum() if a in seen else 0.0)
    return sum(values) / len(values)


def chota(truth, found, pairs):
    """CHOTA as its paper says it, from (track, parent) of every node and the pairs (true node, found node).

    truth, found : lists of (track, parent), one per node
    """

    def lineage(nodes):
        mother = dict(nodes)

        def above(track):
            return {track} | (above(mother[track]) if mother.get(track) in mother else set())

        return {track: {other for other in mother if track in above(other) or other in above(track)} for track in mother}

    of_true, of_found, total = lineage(truth), lineage(found), 0.0
    alone_true = [i for i in range(len(truth)) if i not in {a for a, _ in pairs}]
    alone_found = [j for j in range(len(found)) if j not in {b for _, b in pairs}]
    for a, b in pairs:
        mine, theirs = of_true[truth[a][0]], of_found[found[b][0]]
        both = sum(truth[i][0] in mine and found[j][0] in theirs for i, j in pairs)
        one = sum(truth[i][0] in mine for i, _ in pairs) + sum(truth[i][0] in mine for i in alone_true)
        other = sum(found[j][0] in theirs for _, j in pairs) + sum(found[j][0] in theirs for j in alone_found)
        total += both / (one + other - both)
    return (total / (len(pairs) + len(alone_true) + len(alone_found))) ** 0.5


def most_hits(pairs, n_true, n_found):
    """Largest one-to-one choice among admissible (true, found) pairs."""
    for size in range(min(len(pairs), n_true, n_found), 0, -1):
        for chosen in combinations(pairs, size):
            if len({a for a, _ in chosen}) == size == len({b for _, b in chosen}):
                return size
    return 0
