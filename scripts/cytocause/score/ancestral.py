"""The maximal ancestral graph over the nodes of the search window: what a perfect learner could see.

    joined     no set of window nodes separates the two
    tail       at a:  a is an ancestor (a cause, perhaps through others) of b
    head       at a:  it is not

Source: Richardson & Spirtes 2002, section 4.2: a and b are joined exactly if their ancestors in the window, the two left
out, do not separate them; for time series Gerhardus et al. 2023 ("ts-DMAG").
"""

from dataclasses import dataclass

from cytocause.score.separation import MixedGraph


@dataclass
class Mag:
    """Bit sets: joined[i] the nodes joined with i, head[i] those of them whose edge with i has a head at i."""

    joined: list
    head: list

    def __len__(self):
        return len(self.joined)

    def graph(self):
        """The MixedGraph of the same edges."""
        n = len(self)
        parents = [0] * n
        siblings = [0] * n
        for i in range(n):
            for j in range(n):
                if self.head[i] >> j & 1:
                    (siblings if self.head[j] >> i & 1 else parents)[i] |= 1 << j
        return MixedGraph(parents, siblings)


def maximal_ancestral_graph(graph):
    """The Mag of a MixedGraph (acyclic, any number of edges between two nodes)."""
    n = graph.n
    mag = Mag([0] * n, [0] * n)
    for a in range(n):
        for b in range(a):
            if graph.joined(a, b):
                mag.joined[a] |= 1 << b
                mag.joined[b] |= 1 << a
                if not graph.ancestors[b] >> a & 1:
                    mag.head[a] |= 1 << b
                if not graph.ancestors[a] >> b & 1:
                    mag.head[b] |= 1 << a
    return mag
