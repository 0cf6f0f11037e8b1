"""Complete lineages: true lineages that were found without a single error.

    truth   a--a--a<b--b     complete when every node is covered by a found mask of its own, every link and parent
                    \\c--c    edge is there, and of the right kind (a link is no division, and the other way round)

What is found beside or behind a true lineage costs nothing here.
Source: traccuracy's `CompleteTracks(error_type="ctc")`, which gives the same figure (tests/score).
"""

import numpy as np

from cytocause.score.lineage import NO_NODE, match_nodes


def complete_counts(truth, found, nodes):
    """`{"complete": lineages without an error, "n": true lineages}`, addable over samples.

    Parameters
    ----------
    truth, found : Lineage
    nodes : (n, 3) int, frame, true label, found label
    """
    found_of, truth_of, _ = match_nodes(truth, found, nodes)
    own = found_of != NO_NODE
    own[own] = truth_of[found_of[own]] == np.flatnonzero(own)
    kind = {(int(a), int(b)): int(k) for a, b, k in found.edges}
    bad = set(truth.track[~own].tolist())
    for a, b, k in truth.edges.tolist():
        if kind.get((int(found_of[a]), int(found_of[b]))) != k:
            bad.add(int(truth.track[a]))
    root = {}
    mother = {d: m for m, daughters in truth.daughters.items() for d in daughters}
    for track in truth.first:
        founder = track
        while founder in mother:
            founder = mother[founder]
        root[track] = founder
    spoilt = {root[track] for track in bad}
    n = len(set(root.values()))
    return {"complete": n - len(spoilt), "n": n}


def complete(counts):
    """Share of complete lineages in 0..1; None without a true lineage."""
    return None if counts["n"] == 0 else counts["complete"] / counts["n"]
