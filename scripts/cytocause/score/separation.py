"""Which nodes of a mixed graph tell which others apart: m-separation.

    a --> c <-- b      a and b are separated by nothing, and joined once c is given
    a <-> c --> b      a and b are separated by c

Given Z, a and b are separated exactly if no way joins them in the augmented graph over the ancestors of a, b and Z, once Z is
taken out; two nodes are neighbours there when only colliders lie between them (a *-> c <-> d <-* b).
Source: Richardson & Spirtes 2002, theorem 3.18; nearest separators, van der Zander, Liskiewicz & Textor 2019.
"""

from cytocause.score.unrolled import bits


class MixedGraph:
    """parents, siblings : sequences of int bit sets; no node is its own ancestor through others."""

    def __init__(self, parents, siblings):
        self.n = len(parents)
        self.parents, self.siblings = list(parents), list(siblings)
        self.children = [0] * self.n
        for i, own in enumerate(self.parents):
            for j in bits(own):
                self.children[j] |= 1 << i
        self.ancestors = _ancestors(self.parents)

    def ancestral(self, nodes):
        """Bit set of the ancestors of a bit set of nodes, themselves included."""
        total = 0
        for i in bits(nodes):
            total |= self.ancestors[i]
        return total

    def neighbours(self, within):
        """Neighbours in the augmented graph over the ancestral bit set `within`: function node -> bit set."""
        district, parents_of = {}, {}
        left = within
        while left:
            members = frontier = left & -left
            while frontier:
                found = 0
                for i in bits(frontier):
                    found |= self.siblings[i]
                frontier = found & within & ~members
                members |= frontier
            above = 0
            for i in bits(members):
                above |= self.parents[i]
                district[i] = members
            parents_of[members] = above
            left &= ~members
        known = {}

        def of(node):
            if node not in known:
                groups = {district[node], *(district[c] for c in bits(self.children[node] & within))}
                total = 0
                for members in groups:
                    total |= members | parents_of[members]
                known[node] = total & within & ~(1 << node)
            return known[node]

        return of

    def separated(self, a, b, given=0):
        """Whether the bit set `given` m-separates a and b."""
        within = self.ancestral(given | 1 << a | 1 << b)
        return not _component(self.neighbours(within), 1 << a, given) >> b & 1

    def joined(self, a, b):
        """Whether no set of nodes separates a and b: their other ancestors, which would if any did, do not."""
        one, other = 1 << a, 1 << b
        near = self.children[a] | self.siblings[a]
        if near & other or self.children[b] & one:
            return True
        within = (self.ancestors[a] | self.ancestors[b]) & ~(one | other)
        goal = (self.children[b] | self.siblings[b]) & within
        reached = frontier = near & within
        while frontier and goal and not reached & goal:
            found = 0
            for i in bits(frontier):
                found |= self.siblings[i]
            frontier = found & within & ~reached
            reached |= frontier
        return bool(reached & goal)

    def separator(self, a, b):
        """A smallest-in-itself bit set that separates two nodes that are not joined: no node of it can be left out.

        Of the nodes next to a those that b can reach past the others, or the same seen from b, whichever is less.
        """
        of = self.neighbours(self.ancestors[a] | self.ancestors[b])
        found = []
        for here, there in ((a, b), (b, a)):
            fence = of(here)
            side, border = 1 << there, 0
            frontier = side
            while frontier:
                around = 0
                for i in bits(frontier):
                    around |= of(i)
                border |= around & fence
                frontier = around & ~fence & ~side
                side |= frontier
            found.append(border)
        return min(found, key=lambda s: (s.bit_count(), s))


def _component(of, start, walls):
    side = frontier = start
    while frontier:
        around = 0
        for i in bits(frontier):
            around |= of(i)
        frontier = around & ~walls & ~side
        side |= frontier
    return side


def _ancestors(parents):
    done = [None] * len(parents)
    for root in range(len(parents)):
        stack = [root]
        while stack:
            node = stack[-1]
            if done[node] is not None:
                stack.pop()
                continue
            todo = [p for p in bits(parents[node]) if done[p] is None]
            if todo:
                stack += todo
                if len(stack) > len(parents) ** 2 + 1:
                    raise ValueError("The mixed graph has a cycle of directed edges.")
                continue
            total = 1 << node
            for p in bits(parents[node]):
                total |= done[p]
            done[node] = total
            stack.pop()
    return done
