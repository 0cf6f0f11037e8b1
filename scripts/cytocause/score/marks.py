"""Which marks of a maximal ancestral graph every graph with the same separations, and the same knowledge, shares.

    a *-> b o-* c    a, c not joined:  b --> c        (R1: c would otherwise be a second cause that meets a in b)
    circle           equivalent graphs differ here: no learner can know, and a claim is unsupported

Start: all circles, then what is known before any data (a newer node is no ancestor of an older one; a condition or an
exposure has no cause), then the colliders, then rules R1 to R10 until nothing changes. There is no selection, so R5 to R7
never apply. Marks that state one and the same fact (x 20 min ago is, or is not, an ancestor of y, wherever the two layers
lie in the window) are decided together.

Sources: Zhang 2008 (the rules, complete without knowledge); Andrews, Spirtes & Cooper 2020 (complete with an order in time);
Wang, Qin & Zhou 2022 (all marks at a node known).
"""

from dataclasses import dataclass

from cytocause.score.unrolled import bits


@dataclass
class Pag:
    """Bit sets as in Mag; a mark that is neither head nor tail is a circle: every equivalent graph may differ."""

    joined: list
    head: list
    tail: list

    def __len__(self):
        return len(self.joined)

    def circle(self, node):
        """Nodes whose edge with `node` has a circle at `node`."""
        return self.joined[node] & ~self.head[node] & ~self.tail[node]

    def mark(self, at, other):
        """ "arrow", "tail" or "circle" at the first node of the edge with the second."""
        if self.head[at] >> other & 1:
            return "arrow"
        return "tail" if self.tail[at] >> other & 1 else "circle"


def shared_marks(mag, age=None, roots=(), same=None):
    """The Pag of a Mag.

    Parameters
    ----------
    mag : Mag
    age : list of numbers, larger = older, or None; a newer node is known to be no ancestor of an older one
    roots : nodes known to have no cause among, and no hidden cause in common with, the other nodes; edges between two
        roots are left to `age`
    same : function (at, other) -> hashable or None, or None; marks at the first node with one key are one fact

    Raises
    ------
    ValueError
        When the knowledge contradicts the graph.
    """
    pag = Pag(list(mag.joined), [0] * len(mag), [0] * len(mag))
    _know(pag, mag, age, set(roots))
    groups = _groups(pag, same)
    colliders = _colliders(pag, mag)
    for b, a in colliders:
        pag.head[b] |= 1 << a
    changed = True
    while changed:
        changed = _together(pag, groups)
        for rule in (_rule1, _rule2, _rule3, _rule8):
            changed |= rule(pag)
        if not changed:
            changed = _rule4(pag, mag)
        for rule in (_rule9, _rule10):
            if not changed:
                changed = rule(pag)
    return pag


def _know(pag, mag, age, roots):
    for i in range(len(mag)):
        for j in bits(mag.joined[i]):
            if age is not None and age[j] > age[i]:
                pag.head[i] |= 1 << j
            if i in roots and j not in roots:
                pag.tail[i] |= 1 << j
                pag.head[j] |= 1 << i
        wrong = (pag.head[i] & ~mag.head[i]) | (pag.tail[i] & mag.head[i])
        if wrong:
            j = next(bits(wrong))
            raise ValueError(
                f"Node {i} is known to have no cause or to be older than node {j}, but the true graph says otherwise; "
                "check its links into conditions and exposures."
            )


def _groups(pag, same):
    if same is None:
        return []
    groups = {}
    for i in range(len(pag)):
        for j in bits(pag.joined[i]):
            key = same(i, j)
            if key is not None:
                groups.setdefault(key, []).append((i, j))
    return [pairs for pairs in groups.values() if len(pairs) > 1]


def _together(pag, groups):
    changed = False
    for pairs in groups:
        for marks in (pag.head, pag.tail):
            decided = sum(marks[i] >> j & 1 for i, j in pairs)
            if 0 < decided < len(pairs):
                changed = True
                for i, j in pairs:
                    marks[i] |= 1 << j
    return changed


def _colliders(pag, mag):
    """(b, a) for every a *-> b <-* c with a, c not joined (R0)."""
    found = []
    for b in range(len(mag)):
        into = mag.head[b]
        found += [(b, a) for a in bits(into) if into & ~mag.joined[a] & ~(1 << a)]
    return found


def _to_tail(pag, at, others):
    pag.tail[at] |= others
    return bool(others)


def _rule1(pag):
    """a *-> b o-* c, a and c not joined: b --> c."""
    changed = False
    for b in range(len(pag)):
        into = pag.head[b]
        for c in bits(pag.circle(b)):
            if into & ~pag.joined[c] & ~(1 << c):
                pag.tail[b] |= 1 << c
                pag.head[c] |= 1 << b
                changed = True
    return changed


def _rule2(pag):
    """a --> b *-> c or a *-> b --> c, and a *-o c: a *-> c."""
    changed = False
    children = _children(pag)
    for c in range(len(pag)):
        for a in bits(pag.circle(c)):
            first = children[a] & pag.head[c]
            second = pag.head[c] & pag.joined[a]  # b --> c with a head at b on a *-> b
            if first or any(pag.tail[b] >> c & 1 and pag.head[b] >> a & 1 for b in bits(second)):
                pag.head[c] |= 1 << a
                changed = True
    return changed


def _rule3(pag):
    """a *-> b <-* c, a *-o d o-* c, a and c not joined, d *-o b: d *-> b."""
    changed = False
    for b in range(len(pag)):
        for d in bits(pag.circle(b)):
            ends = pag.head[b] & pag.circle(d)
            if any(ends & ~pag.joined[a] & ~(1 << a) for a in bits(ends)):
                pag.head[b] |= 1 << d
                changed = True
    return changed


def _rule4(pag, mag):
    """The end of a discriminating way d *-> ... <-> a <-* b o-* c: b decides by whether it separates d from c."""
    changed = False
    children = _children(pag)
    parents = [sum(1 << i for i in range(len(pag)) if children[i] >> c & 1) for c in range(len(pag))]
    for c in range(len(pag)):
        for b in bits(pag.joined[c]):
            if not pag.circle(b) >> c & 1:
                continue
            through = parents[c] & ~(1 << b)
            reached = frontier = sum(1 << a for a in bits(through & pag.joined[b]) if pag.head[a] >> b & 1)
            came = {a: b for a in bits(frontier)}
            while frontier:
                a = (frontier & -frontier).bit_length() - 1
                frontier &= frontier - 1
                before = pag.head[a] & ~(1 << b)  # q *-> a
                if before & ~pag.joined[c] & ~(1 << c):
                    first = _first(came, a, b)
                    _discriminate(pag, mag, first, b, c)
                    changed = True
                    break
                onwards = sum(1 << q for q in bits(before & through & ~reached) if pag.head[q] >> a & 1)
                for q in bits(onwards):
                    came[q] = a
                reached |= onwards
                frontier |= onwards
    return changed


def _first(came, a, b):
    while came[a] != b:
        a = came[a]
    return a


def _discriminate(pag, mag, a, b, c):
    if mag.head[b] >> c & 1 and mag.head[b] >> a & 1:
        pag.head[b] |= 1 << c | 1 << a
        pag.head[c] |= 1 << b
        pag.head[a] |= 1 << b
    else:
        pag.tail[b] |= 1 << c
        pag.head[c] |= 1 << b


def _rule8(pag):
    """a --> b --> c or a --o b --> c, and a o-> c: a --> c."""
    changed = False
    for c in range(len(pag)):
        below = sum(1 << b for b in bits(pag.head[c]) if pag.tail[b] >> c & 1)
        for a in bits(pag.head[c]):
            if pag.circle(a) >> c & 1 and any(
                below >> b & 1 and (pag.head[b] | pag.circle(b)) >> a & 1 for b in bits(pag.tail[a])
            ):
                changed |= _to_tail(pag, a, 1 << c)
    return changed


class _Ways:
    """Uncovered possibly directed ways: no head against the way, no tail at its far side, no two nodes two steps apart joined.

    Searched backwards from their end, once for all beginnings: a way u, v, w ... is known by its first step (u, v).
    """

    def __init__(self, pag):
        n = len(pag)
        self.joined = pag.joined
        self.possible = [0] * n  # nodes to which a way may step
        self.back = [0] * n
        for i in range(n):
            for j in bits(pag.joined[i] & ~pag.head[i]):
                if not pag.tail[j] >> i & 1:
                    self.possible[i] |= 1 << j
                    self.back[j] |= 1 << i
        self.known = {}

    def _to(self, goal):
        """first[v]: nodes u from which a walk u, v, ..., goal begins; after[u, v]: its next node."""
        if goal not in self.known:
            first, after = [0] * len(self.joined), {}
            first[goal] = self.back[goal]
            stack = [(v, goal) for v in bits(first[goal])]
            while stack:
                v, w = stack.pop()
                new = self.back[v] & ~self.joined[w] & ~(1 << w) & ~first[v]
                first[v] |= new
                for u in bits(new):
                    after[u, v] = w
                    stack.append((u, v))
            self.known[goal] = first, after
        return self.known[goal]

    def lead(self, a, b, goal):
        """Whether such a way begins with a, b and ends in goal."""
        first, after = self._to(goal)
        if not first[b] >> a & 1:
            return False
        seen, u, v = {a}, a, b
        while v != goal and v not in seen:
            seen.add(v)
            u, v = v, after[u, v]
        return v == goal and goal != a or self._search(a, b, goal, 1 << a | 1 << b)

    def _search(self, last, node, goal, used):
        """The same by trying all ways, for a walk that crossed itself."""
        if node == goal:
            return True
        onwards = self.possible[node] & ~self.joined[last] & ~used
        return any(self._search(node, w, goal, used | 1 << w) for w in bits(onwards))


def _open_tails(pag):
    """(a, c) of every a o-> c."""
    for c in range(len(pag)):
        for a in bits(pag.head[c]):
            if pag.circle(a) >> c & 1:
                yield a, c


def _rule9(pag):
    """a o-> c and an uncovered possibly directed way a, b, ..., c with b and c not joined: a --> c."""
    changed = False
    ways = _Ways(pag)
    for a, c in list(_open_tails(pag)):
        if any(ways.lead(a, b, c) for b in bits(ways.possible[a] & ~pag.joined[c] & ~(1 << c))):
            changed |= _to_tail(pag, a, 1 << c)
    return changed


def _rule10(pag):
    """a o-> c, b --> c <-- d, and two such ways from a to b and to d that begin with nodes not joined: a --> c."""
    changed = False
    ways = _Ways(pag)
    for a, c in list(_open_tails(pag)):
        ends = sum(1 << b for b in bits(pag.head[c]) if pag.tail[b] >> c & 1) & ~(1 << a)
        if ends.bit_count() < 2:
            continue
        leads = {}
        for first in bits(ways.possible[a] & ~(1 << c)):
            reached = sum(1 << b for b in bits(ends) if ways.lead(a, first, b))
            if reached:
                leads[first] = reached
        firsts = list(leads)
        if any(
            not pag.joined[m] >> w & 1 and (leads[m] | leads[w]).bit_count() > 1
            for k, m in enumerate(firsts)
            for w in firsts[:k]
        ):
            changed |= _to_tail(pag, a, 1 << c)
    return changed


def _children(pag):
    """children[i]: nodes j with i --> j."""
    out = []
    for i in range(len(pag)):
        out.append(sum(1 << j for j in bits(pag.tail[i]) if pag.head[j] >> i & 1))
    return out
