"""CHOTA: detection and association in one figure, with the whole lineage as what is to be kept together.

    truth   a--a--a<b--b        for each pair (true node, found node) that lie on each other:
                    \\c--c          TPA  pairs between the lineage of the one and the lineage of the other
    found   1--1--2--2--2           FPA  other nodes of the found lineage       FNA  other nodes of the true one
                                    A    = TPA / (TPA + FPA + FNA)
    CHOTA = sqrt( sum of A over the pairs / (pairs + missed true nodes + false found nodes) )

The lineage of a track is the track, its ancestors and its descendants: not its sisters.
Sources: Luiten et al. 2021, Int J Comput Vis 129:548 (HOTA); Kaiser, Ulman and Rosenhahn 2024, arXiv 2408.11571 (CHOTA).
Nodes are matched as for LNK. traccuracy and py-ctcmetrics give the same figure to 1e-4 (tests/score).
"""

import numpy as np

from cytocause.score.lineage import pairs_of_nodes


def chota_counts(truth, found, nodes):
    """What `chota` needs, addable over samples: `{"sum": sum of A, "n": pairs, misses and false nodes}`.

    Parameters
    ----------
    truth, found : Lineage
    nodes : (n, 3) int, frame, true label, found label (`masks.compare_frames`)
    """
    t, f = pairs_of_nodes(truth, found, nodes)
    missed = np.bincount(t, minlength=len(truth)) == 0
    false = np.bincount(f, minlength=len(found)) == 0
    shared = {}  # true track -> found track -> pairs
    for a, b in zip(truth.track[t].tolist(), found.track[f].tolist()):
        row = shared.setdefault(a, {})
        row[b] = row.get(b, 0) + 1
    of_true, of_found = {}, {}  # track -> pairs and unmatched nodes
    for track, row in shared.items():
        of_true[track] = sum(row.values())
        for other, count in row.items():
            of_found[other] = of_found.get(other, 0) + count
    for weights, lineage, alone in ((of_true, truth, missed), (of_found, found, false)):
        for track in lineage.track[alone].tolist():
            weights[track] = weights.get(track, 0) + 1
    families_true, families_found = _families(truth), _families(found)
    total = 0.0
    for a, row in shared.items():
        family = families_true[a]
        size = sum(of_true.get(track, 0) for track in family)
        joined = {}
        for track in family:
            for other, count in shared.get(track, {}).items():
                joined[other] = joined.get(other, 0) + count
        for b, count in row.items():
            both = sum(joined.get(other, 0) for other in families_found[b])
            union = size + sum(of_found.get(other, 0) for other in families_found[b]) - both
            total += count * both / union
    return {"sum": total, "n": int(len(t) + missed.sum() + false.sum())}


def chota(counts):
    """CHOTA in 0..1 of (summed) `chota_counts`; None when neither truth nor result has a node."""
    return None if counts["n"] == 0 else float(np.sqrt(counts["sum"] / counts["n"]))


def _families(lineage):
    """Track -> the track, its ancestors and its descendants."""
    mother = {d: m for m, daughters in lineage.daughters.items() for d in daughters}
    families = {}
    for track in lineage.first:
        family, above, below = {track}, mother.get(track), list(lineage.daughters.get(track, ()))
        while above is not None and above not in family:
            family.add(above)
            above = mother.get(above)
        while below:
            next_one = below.pop()
            if next_one not in family:
                family.add(next_one)
                below.extend(lineage.daughters.get(next_one, ()))
        families[track] = family
    return families
