"""Arrowheads: from time, from conditions, and from open triples.

      X        Y         I3 < 0: Z is a common effect      X *-> Z <-* Y
       m0    m3          I3 > 0: it is not                 with a head into Z on one side, a tail on the other
         m1 m2
          Z              a mark is a log-odds s, P(head) = 1 / (1 + e^-s)

Source: spec section 5.
"""

import math
from dataclasses import dataclass

import numpy as np

from .skeleton import three_point
from .unfolding import INFINITE, repeats

INF = math.inf


@dataclass
class Triple:
    """X - Z - Y with X, Y not adjacent; marks s[0..3] at X, at Z from X, at Z from Y, at Y."""

    x: int
    z: int
    y: int
    i3: float
    s: list
    settled: list
    rank: float = 0.0


@dataclass
class Orientation:
    """heads {(a, b): P(head at b)} for every kept edge in both directions, and the triples behind them."""

    heads: dict
    triples: list


def orient(graph, book):
    """Orientation of a thinned graph."""
    data, settings = graph.data, graph.settings
    latents = settings.latent != "no"
    kept = [(e.x, e.y) for e in graph.edges.values() if e.connected]
    copies = {}  # copy -> original, both as ordered pairs
    adjacent = graph.adjacent.copy()
    if data.temporal and latents:
        for x, y in kept:
            for a, b in repeats(data, x, y, settings.legacy):
                if (a, b) not in copies and not (graph.adjacent[a, b]):
                    copies[a, b], copies[b, a] = (x, y), (y, x)
                adjacent[a, b] = adjacent[b, a] = True
    triples = []
    if settings.orientation:
        triples = find_triples(graph, book, adjacent)
        for triple in triples:
            start(triple, data, latents, settings.propagation)
        propagate(triples, latents, settings.propagation)
    return Orientation(merge(graph, kept, triples, copies, latents), triples)


def find_triples(graph, book, adjacent):
    """Open triples with an end in the present (or contextual), and their three-point information."""
    data = graph.data
    n = len(data)
    found = []
    for x in range(n):
        for z in np.flatnonzero(adjacent[x]):
            for y in np.flatnonzero(adjacent[z]):
                if y <= x or adjacent[x, y]:
                    continue
                if data.temporal and not any(data.layer[k] == 0 or data.contextual[k] for k in (x, y)):
                    continue
                if data.source[x] and data.source[y] and not (data.contextual[x] and data.contextual[y]):
                    continue  # two inputs, never tested against each other
                found.append((x, int(z), int(y)))
    asks = []
    given = {}
    for x, z, y in found:
        edge = graph.edges.get((x, y))
        given[x, z, y] = tuple(u for u in (edge.contributors if edge else ()) if u != z)
        asks.append(book.key(x, y, given[x, z, y], (z,)))
        asks.append(book.key(x, y, (*given[x, z, y], z)))
    book.request(asks)
    return [
        Triple(x, z, y, three_point(book, x, y, z, given[x, z, y])[1], [0.0] * 4, [False] * 4) for x, z, y in found
    ]


def start(triple, data, latents, propagation):
    """Marks before propagation: collider evidence, then time, then conditions and consequences (spec 5.2)."""
    s, settled = triple.s, triple.settled
    if triple.i3 < 0:
        triple.rank = -triple.i3 - math.log(2) + math.log1p(math.exp(triple.i3))
        s[1] = s[2] = triple.rank
        if not latents:
            s[0] = s[3] = -triple.rank
    age = data.age
    for outer, at_z, at_outer in ((triple.x, 1, 0), (triple.y, 2, 3)):
        if age[outer] == age[triple.z]:
            continue
        newer, older = (at_z, at_outer) if age[outer] > age[triple.z] else (at_outer, at_z)
        s[newer], settled[newer] = INF, True
        if not latents:
            s[older], settled[older] = -INF, True
    if data.source[triple.x]:
        s[0], settled[0] = -INF, True
    if data.source[triple.z]:
        s[1] = s[2] = -INF
        settled[1] = settled[2] = True
    if data.source[triple.y]:
        s[3], settled[3] = -INF, True
    for node, heads, tails in (
        (triple.x, (0,), (1,)),
        (triple.z, (1, 2), (0, 3)),
        (triple.y, (3,), (2,)),
    ):
        if data.consequence[node]:
            for k in heads:
                s[k], settled[k] = INF, True
            if not latents:
                for k in tails:
                    s[k], settled[k] = -INF, True
    if s[1] > 0 or s[2] > 0:
        induce(triple, latents, propagation)


def induce(triple, latents, propagation):
    """A known head into Z decides the other mark at Z, by the sign of I3."""
    s, settled = triple.s, triple.settled
    if triple.i3 == 0:
        return
    if settled[1] and s[1] > 0:
        known, other, far = s[1], 2, 3
    elif settled[2] and s[2] > 0:
        known, other, far = s[2], 1, 0
    else:
        return
    value = joint_log_odds(abs(triple.i3), known)
    if value <= 0 or abs(s[other]) >= value:
        return
    triple.rank = value
    if triple.i3 > 0:
        s[other] = -value
        if propagation and not settled[far] and s[far] < value:
            s[far] = value
    else:
        s[other] = value
        if not latents and not settled[far] and s[far] > -value:
            s[far] = -value


def joint_log_odds(a, b):
    """Log-odds that two independent events of log-odds a and b both happen."""
    low, high = min(a, b), max(a, b)
    if high == INF:
        return low if low != INF else INF
    return low - math.log1p(math.exp(low - high) + math.exp(-high))


def propagate(triples, latents, propagation):
    """Publish the surest marks first; triples that share an edge take them over (spec 5.3)."""
    by_edge = {}
    for k, triple in enumerate(triples):
        for a, b in ((triple.x, triple.z), (triple.y, triple.z)):
            by_edge.setdefault(frozenset((a, b)), []).append(k)
    remaining = set(range(len(triples)))
    while remaining:
        k = max(remaining, key=lambda i: (triples[i].rank, -i))
        triple = triples[k]
        if triple.rank <= 0:
            break
        remaining.discard(k)
        published = []
        for outer, at_z, at_outer, other in ((triple.x, 1, 0, 2), (triple.y, 2, 3, 1)):
            if triple.settled[at_z]:
                continue
            if triple.s[other] < 0 and triple.i3 <= 0:
                triple.s[at_z] = 0.0
                if not triple.settled[at_outer]:
                    triple.s[at_outer] = 0.0
            else:
                published.append((outer, triple.s[at_z], triple.s[at_outer]))
        seen = set()
        for outer, to_z, from_z in published:
            for i in by_edge[frozenset((outer, triple.z))]:
                if i in remaining and i not in seen:
                    seen.add(i)
                    if take_over(triples[i], outer, triple.z, to_z, from_z, latents, propagation):
                        remaining.discard(i)


def take_over(triple, a, b, at_b, at_a, latents, propagation):
    """Copy published marks of the edge a-b into a triple that has it; True when the triple is done."""
    if triple.z == b:
        mark, opposite = (1, 0) if triple.x == a else (2, 3)
    else:
        mark, opposite = (0, 1) if triple.x == b else (3, 2)
    s, settled = triple.s, triple.settled
    s[mark], settled[mark] = at_b, True
    if (at_b > 0 and not latents) or (at_b < 0 and propagation):
        s[opposite], settled[opposite] = at_a, True
    elif not settled[opposite] and opposite in (0, 3):
        s[opposite] = 0.0
    if settled[1] and settled[2]:
        return True
    induce(triple, latents, propagation)
    return False


def probability(s):
    """P(head) of a log-odds."""
    if s >= 0:
        return 1.0 / (1.0 + math.exp(-s)) if s != INF else 1.0
    return math.exp(s) / (1.0 + math.exp(s)) if s != -INF else 0.0


def merge(graph, kept, triples, copies, latents):
    """The surest probability of each end over all triples and copies, then what time and conditions say (spec 5.4, 5.5)."""
    data = graph.data
    heads = {}

    def offer(pair, p):
        if pair not in heads or abs(p - 0.5) > abs(heads[pair] - 0.5):
            heads[pair] = p

    for triple in triples:
        p = [probability(s) for s in triple.s]
        offer((triple.z, triple.x), p[0])
        offer((triple.x, triple.z), p[1])
        offer((triple.y, triple.z), p[2])
        offer((triple.z, triple.y), p[3])
    for pair, original in copies.items():
        if pair in heads:
            offer(original, heads[pair])
    base_tail = 0.5 if latents else 0.0
    for x, y in kept:
        if (x, y) in heads:
            continue
        ends = {(x, y): 0.5, (y, x): 0.5}
        if graph.settings.orientation:
            _outside_triples(data, x, y, ends, base_tail)
        heads.update(ends)
    return heads


def _outside_triples(data, x, y, ends, base_tail):
    """Marks of an edge in no triple; ends {(a, b): P(head at b)} is changed."""
    source = data.source
    if source[x] and source[y]:
        ends[x, y] = ends[y, x] = 0.0
        return
    for a, b in ((x, y), (y, x)):
        if source[a]:
            ends[b, a], ends[a, b] = 0.0, 0.5
    for a, b in ((x, y), (y, x)):
        if data.consequence[b]:
            ends[a, b], ends[b, a] = 1.0, 0.0 if source[a] else base_tail
    if data.temporal and data.age[x] != data.age[y]:
        older, newer = (x, y) if data.age[x] > data.age[y] else (y, x)
        ends[older, newer] = 1.0
        ends[newer, older] = 0.0 if source[older] else base_tail


def is_head(p, ratio):
    """An arrowhead is drawn when (1-p)/p is below the ratio."""
    return p > 0 and (1.0 - p) / p < ratio


def is_tail(p, ratio):
    """A tail is sure when p/(1-p) is below the ratio."""
    return p < 1 and p / (1.0 - p) < ratio


def code(head_at_x, head_at_y, ratio):
    """6 both heads, 2 head at y only, -2 head at x only, 1 none; from the two probabilities."""
    at_x, at_y = is_head(head_at_x, ratio), is_head(head_at_y, ratio)
    if at_x and at_y:
        return 6
    return 2 if at_y else -2 if at_x else 1


def is_causal(head_at_x, head_at_y, orientation_code, ratio, settings):
    """Directed, its head and its tail both sure; None (not told) without latents or with propagation (spec 5.6)."""
    if settings.latent == "no" or settings.propagation:
        return None
    if orientation_code not in (2, -2):
        return False
    head, tail = (head_at_y, head_at_x) if orientation_code == 2 else (head_at_x, head_at_y)
    return is_head(head, ratio) and is_tail(tail, ratio)


__all__ = ["INFINITE", "Orientation", "code", "is_causal", "is_head", "is_tail", "orient"]
