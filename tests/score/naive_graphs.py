"""Mixed graphs, slowly: separation by walking over all ways, and every ancestral graph on a few nodes."""

from functools import cache
from itertools import combinations, product

EDGES = (None, "->", "<-", "<->")  # between i < j


def head(edge, at_first):
    """Whether the edge between i < j has a head at i (`at_first`) or at j."""
    return edge == "<->" or edge == ("<-" if at_first else "->")


class Graph:
    """edges: {(i, j), i < j: a list of edges}; nodes 0 .. n - 1."""

    def __init__(self, n, edges):
        self.n, self.edges = n, {pair: list(many) for pair, many in edges.items() if many}
        self.above = [self._above(i) for i in range(n)]

    def has_head(self, at, other, edge):
        return head(edge, at < other)

    def between(self, a, b):
        return self.edges.get((min(a, b), max(a, b)), [])

    def parents(self, i):
        return {j for j in range(self.n) if j != i for e in self.between(i, j) if self.has_head(i, j, e) and not self.has_head(j, i, e)}

    def _above(self, i):
        found, stack = {i}, [i]
        while stack:
            for p in self.parents(stack.pop()) - found:
                found.add(p)
                stack.append(p)
        return found

    def connected(self, a, b, given):
        """Whether some way from a to b is open given the others: every collider above a given node, no other node given."""
        above = set().union(*(self.above[z] for z in given)) if given else set()

        def walk(node, into, used):
            for nxt in range(self.n):
                if nxt in used:
                    continue
                for edge in self.between(node, nxt):
                    if node != a:
                        collider = into and self.has_head(node, nxt, edge)
                        if node not in above if collider else node in given:
                            continue
                    if nxt == b or walk(nxt, self.has_head(nxt, node, edge), used | {nxt}):
                        return True
            return False

        return walk(a, False, {a})

    def separations(self):
        """All (a, b, given) that are separated."""
        found = set()
        for a, b in combinations(range(self.n), 2):
            rest = [k for k in range(self.n) if k not in (a, b)]
            for size in range(len(rest) + 1):
                for given in combinations(rest, size):
                    if not self.connected(a, b, set(given)):
                        found.add((a, b, given))
        return frozenset(found)

    def ancestral(self):
        """Whether no node is above itself, and no two siblings are above each other."""
        for (i, j), many in self.edges.items():
            for e in many:
                if self.has_head(i, j, e) and i in self.above[j] and (self.has_head(j, i, e) or j in self.above[i]):
                    return False
                if self.has_head(j, i, e) and j in self.above[i] and (self.has_head(i, j, e) or i in self.above[j]):
                    return False
        return True


@cache
def classes(n):
    """Every maximal ancestral graph on n nodes, grouped by what it separates: list of lists of {(i, j): edge or None}."""
    pairs = list(combinations(range(n), 2))
    groups = {}
    for chosen in product(EDGES, repeat=len(pairs)):
        edges = dict(zip(pairs, chosen))
        graph = Graph(n, {pair: [e] for pair, e in edges.items() if e})
        if not graph.ancestral():
            continue
        separations = graph.separations()
        apart = {(a, b) for a, b, _ in separations}
        if apart == {pair for pair, e in edges.items() if e is None}:
            groups.setdefault(separations, []).append(edges)
    return list(groups.values())


def shared(graphs, at, other):
    """ "arrow", "tail" or "circle": what all these graphs have at the first node of the edge with the second."""
    marks = {head(g[min(at, other), max(at, other)], at < other) for g in graphs}
    return "circle" if len(marks) > 1 else "arrow" if marks.pop() else "tail"
