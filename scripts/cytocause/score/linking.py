"""Linking score and divisions.

LNK (the cell linking benchmark of the cell tracking challenge) weighs only edges: what it costs to make the found
edges out of the true ones, against making them all from nothing,

    LNK = 1 - min(A, A0) / A0      A  = 1.0 * superfluous + 1.5 * missing + 1.0 * wrong kind      A0 = 1.5 * true edges

The edges of a found mask that covers two cells count as missing on the true side: nobody can say which cell they follow.
Source: Matula et al. 2015, PLoS ONE 10:e0144959 (AOGM-A and its weights); traccuracy and py-ctcmetrics give the same
figure to 1e-4 (tests/score), but that py-ctcmetrics calls the link to an only daughter a parent link.

A division is a hit when mother and both daughters are the true ones and it is at most `tolerance` frames early or late:

    truth  m m m|a a a        compared are the mother one frame before the earlier of the two divisions
                 b b b        and the daughters in the first frame of the later one
    found  m m m m|a a
                   b b

A daughter or mother that is hidden just then is compared in the nearest frame in which both are seen.
"""

import numpy as np

from cytocause.score.lineage import NO_NODE, match_nodes

SUPERFLUOUS, MISSING, WRONG_KIND = 1.0, 1.5, 1.0


def link_counts(truth, found, nodes):
    """What `lnk` needs, addable over samples: n_edges, n_missing, n_superfluous, n_wrong_kind (ints).

    Parameters
    ----------
    truth, found : Lineage
    nodes : (n, 3) int, frame, true label, found label
    """
    _, truth_of, _ = match_nodes(truth, found, nodes)
    width = len(truth) + 1
    true_kind = {int(a) * width + int(b): int(kind) for a, b, kind in truth.edges}
    a, b = (truth_of[found.edges[:, k]] if len(found.edges) else np.zeros(0, dtype=np.int64) for k in (0, 1))
    both = (a != NO_NODE) & (b != NO_NODE)  # edges of a superfluous node go with the node, at no cost of their own
    keys = (a * width + b)[both].tolist()
    kinds = found.edges[both, 2].tolist() if len(found.edges) else []
    hits = sum(key in true_kind for key in keys)
    wrong = sum(key in true_kind and true_kind[key] != kind for key, kind in zip(keys, kinds))
    return {
        "n_edges": len(truth.edges),
        "n_missing": len(truth.edges) - hits,
        "n_superfluous": len(keys) - hits,
        "n_wrong_kind": wrong,
    }


def lnk(counts):
    """Linking score in 0..1 of (summed) `link_counts`; None when the truth has no edge."""
    if counts["n_edges"] == 0:
        return None
    nothing = MISSING * counts["n_edges"]
    cost = (
        SUPERFLUOUS * counts["n_superfluous"] + MISSING * counts["n_missing"] + WRONG_KIND * counts["n_wrong_kind"]
    )
    return 1.0 - min(cost, nothing) / nothing


def _index(lineage):
    """(track, frame) -> node, frames of a gap filled with the node before it."""
    node = {}
    for track, first in lineage.first.items():
        last = lineage.last[track]
        for i in range(first, last + 1):
            until = lineage.frame[i + 1] if i < last else lineage.frame[i] + 1
            for frame in range(lineage.frame[i], until):
                node[track, int(frame)] = i
    return node


def division_counts(truth, found, nodes, tolerance=1):
    """`{"tp", "fp", "fn"}` of divisions, each used once, nearest in time first.

    Parameters
    ----------
    truth, found : Lineage
    nodes : (n, 3) int, frame, true label, found label
    tolerance : int, frames
    """
    found_of, _, _ = match_nodes(truth, found, nodes)
    true_divisions = [(m, d) for m, d in sorted(truth.daughters.items()) if len(d) > 1]
    found_divisions = [(m, d) for m, d in sorted(found.daughters.items()) if len(d) > 1]
    at_true, at_found = _index(truth), _index(found)

    def begin(lineage, track):
        return int(lineage.frame[lineage.first[track]])

    def end(lineage, track):
        return int(lineage.frame[lineage.last[track]])

    def frame_of(lineage, daughters):
        return min(begin(lineage, d) for d in daughters)

    def same(true_track, found_track, frame):
        t, f = at_true.get((true_track, frame)), at_found.get((found_track, frame))
        return t is not None and f is not None and found_of[t] == f

    by_frame = {}
    for j, (mother, daughters) in enumerate(found_divisions):
        by_frame.setdefault(frame_of(found, daughters), []).append(j)
    pairs = []
    for i, (true_mother, true_daughters) in enumerate(true_divisions):
        true_frame = frame_of(truth, true_daughters)
        for frame in range(true_frame - tolerance, true_frame + tolerance + 1):
            for j in by_frame.get(frame, ()):
                mother, daughters = found_divisions[j]
                before = min(true_frame - 1, frame - 1, end(truth, true_mother), end(found, mother))
                after = max(true_frame, frame)
                hit = {
                    t
                    for d in daughters
                    for t in true_daughters
                    if same(t, d, max(after, begin(truth, t), begin(found, d)))
                }
                if len(hit) >= 2 and same(true_mother, mother, before):
                    pairs.append((abs(frame - true_frame), i, j))
    used_true, used_found = set(), set()
    for _, i, j in sorted(pairs):
        if i not in used_true and j not in used_found:
            used_true.add(i)
            used_found.add(j)
    tp = len(used_true)
    return {"tp": tp, "fp": len(found_divisions) - tp, "fn": len(true_divisions) - tp}


def track_of_truth(truth, found, nodes):
    """The true track that most masks of each found track lie on: dict found track -> true track.

    A found track of which less than half of the masks lie on one true track belongs to none and is left out.
    """
    _, truth_of, _ = match_nodes(truth, found, nodes)
    belongs = {}
    for track, first in found.first.items():
        nodes_of_track = truth_of[first : found.last[track] + 1]
        seen = truth.track[nodes_of_track[nodes_of_track != NO_NODE]]
        if len(seen) == 0:
            continue
        tracks, counts = np.unique(seen, return_counts=True)
        if 2 * counts.max() >= len(nodes_of_track):
            belongs[track] = int(tracks[counts.argmax()])
    return belongs
