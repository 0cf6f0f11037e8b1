"""Tracks as nodes and edges.

    track 1:  o--o--o            a node is one cell in one frame
                     \\--o--o     track 2, parent 1      "parent" edge: last node of the mother to first of the daughter
                      \\-o--o     track 3, parent 1

A mother with one daughter only is a track that was cut in two, not a division; its edge counts as a plain link.
"""

import numpy as np

NO_NODE = -1


class Lineage:
    """Nodes and edges of one population's tracks.

    Parameters
    ----------
    track, frame, label, parent : int arrays, one entry per cell and frame; parent 0 is none

    Attributes
    ----------
    track, frame, label : int64 arrays sorted by track and frame
    first, last : dict track -> index of its first and last node
    daughters : dict mother -> sorted list of her daughters, mothers and daughters that exist only
    edges : (m, 3) int64: from node, to node, 1 for a division's edge and 0 for a link
    """

    def __init__(self, track, frame, label, parent):
        order = np.lexsort((np.asarray(frame), np.asarray(track)))
        self.track, self.frame, self.label, parent = (
            np.asarray(values, dtype=np.int64)[order] for values in (track, frame, label, parent)
        )
        starts = np.flatnonzero(np.r_[True, self.track[1:] != self.track[:-1]]) if len(self.track) else []
        ends = np.r_[starts[1:], len(self.track)] - 1 if len(starts) else []
        self.first = {int(self.track[s]): int(s) for s in starts}
        self.last = {int(self.track[e]): int(e) for e in ends}
        self.daughters = {}
        for s in starts:
            mother = int(parent[s])
            if mother in self.last:
                self.daughters.setdefault(mother, []).append(int(self.track[s]))
        inside = np.flatnonzero(self.track[1:] == self.track[:-1]) if len(self.track) else np.zeros(0, dtype=np.int64)
        links = np.column_stack([inside, inside + 1, np.zeros_like(inside)])
        parents = [
            (self.last[mother], self.first[daughter], int(len(daughters) > 1))
            for mother, daughters in self.daughters.items()
            for daughter in daughters
        ]
        self.edges = np.concatenate([links, np.asarray(parents, dtype=np.int64).reshape(-1, 3)]).astype(np.int64)

    @classmethod
    def of_table(cls, tracks):
        """From a table with track_id, frame, label, parent_id."""
        return cls(tracks["track_id"], tracks["frame"], tracks["label"], tracks["parent_id"])

    def __len__(self):
        return len(self.track)

    def node_of(self, frame, label):
        """Index of the node at each (frame, label), NO_NODE where no track has it."""
        if len(self) == 0:
            return np.full(len(frame), NO_NODE, dtype=np.int64)
        width = int(max(self.label.max(), np.max(label, initial=0))) + 1
        keys = self.frame * width + self.label
        order = np.argsort(keys, kind="stable")
        wanted = np.asarray(frame, dtype=np.int64) * width + np.asarray(label, dtype=np.int64)
        at = np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)
        return np.where(keys[order][at] == wanted, order[at], NO_NODE)


def pairs_of_nodes(truth, found, nodes):
    """Two int64 arrays: true and found nodes that lie on each other; pairs that no track holds are left out.

    truth, found : Lineage; nodes : (n, 3) int, frame, true label, found label (`masks.compare_frames`)
    """
    nodes = np.asarray(nodes, dtype=np.int64).reshape(-1, 3)
    t, f = truth.node_of(nodes[:, 0], nodes[:, 1]), found.node_of(nodes[:, 0], nodes[:, 2])
    both = (t != NO_NODE) & (f != NO_NODE)
    return t[both], f[both]


def match_nodes(truth, found, nodes):
    """Found node of each true node.

    Parameters
    ----------
    truth, found : Lineage
    nodes : (n, 3) int, frame, true label, found label (`masks.compare_frames`)

    Returns
    -------
    found_of : (len(truth),) int64, index of the found node that covers each true node, NO_NODE where none
    truth_of : (len(found),) int64, the other way round; NO_NODE also where one found node covers several true ones
    n_covered : (len(found),) int64, how many true nodes each found node covers
    """
    t, f = pairs_of_nodes(truth, found, nodes)
    found_of = np.full(len(truth), NO_NODE, dtype=np.int64)
    truth_of = np.full(len(found), NO_NODE, dtype=np.int64)
    n_covered = np.bincount(f, minlength=len(found)).astype(np.int64)
    found_of[t] = f
    unique = n_covered[f] == 1
    truth_of[f[unique]] = t[unique]
    return found_of, truth_of, n_covered
