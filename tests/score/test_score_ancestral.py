"""Separation, ancestral graphs and shared marks: by hand, and against every graph there is on up to four nodes."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytocause.score.ancestral import Mag, maximal_ancestral_graph
from cytocause.score.marks import shared_marks
from cytocause.score.separation import MixedGraph
from cytocause.score.unrolled import bits
from tests.score import naive_graphs as naive


def mag_of(edges, n):
    """A Mag of {(i, j): "->" | "<-" | "<->" | None}."""
    mag = Mag([0] * n, [0] * n)
    for (i, j), edge in edges.items():
        if edge:
            mag.joined[i] |= 1 << j
            mag.joined[j] |= 1 << i
            if naive.head(edge, True):
                mag.head[i] |= 1 << j
            if naive.head(edge, False):
                mag.head[j] |= 1 << i
    return mag


def written(pag, a, b):
    left = {"arrow": "<", "tail": "-", "circle": "o"}[pag.mark(a, b)]
    return left + "-" + {"arrow": ">", "tail": "-", "circle": "o"}[pag.mark(b, a)]


def mixed(n, parents, siblings=()):
    up, beside = [0] * n, [0] * n
    for p, c in parents:
        up[c] |= 1 << p
    for a, b in siblings:
        beside[a] |= 1 << b
        beside[b] |= 1 << a
    return MixedGraph(up, beside)


def test_a_collider_is_seen_and_a_chain_is_not():
    collider = shared_marks(mag_of({(0, 1): "->", (1, 2): "<-"}, 3))
    assert (written(collider, 0, 1), written(collider, 2, 1)) == ("o->", "o->")
    chain = shared_marks(mag_of({(0, 1): "->", (1, 2): "->"}, 3))
    assert (written(chain, 0, 1), written(chain, 1, 2)) == ("o-o", "o-o")


def test_a_hidden_cause_shows_where_each_end_has_a_cause_of_its_own():
    pair = {(0, 1): "->", (1, 2): "<->", (2, 3): "<-"}
    pag = shared_marks(mag_of(pair, 4))
    assert written(pag, 1, 2) == "<->" and written(pag, 0, 1) == "o->"


def test_a_discriminating_way_decides_its_last_node():
    # 0 --> 1 <-> 2 *-* 3, 1 --> 3: whether 2 separates 0 from 3 tells a cause from a hidden cause
    cause = {(0, 1): "->", (1, 2): "<->", (1, 3): "->", (2, 3): "->"}
    hidden = {**cause, (2, 3): "<->"}
    # the head at 1 from 2 must be seen first: time knows that 0 and 2 are older than 1, and 1 older than 3
    for edges, expected in ((cause, "-->"), (hidden, "<->")):
        mag = mag_of(edges, 4)
        assert maximal_ancestral_graph(mag.graph()).joined == mag.joined
        assert written(shared_marks(mag), 2, 3) == expected


def test_time_gives_heads_and_no_tail_and_a_condition_gives_both():
    mag = mag_of({(0, 1): "->"}, 2)
    assert written(shared_marks(mag), 0, 1) == "o-o"
    assert written(shared_marks(mag, age=[1, 0]), 0, 1) == "o->"
    assert written(shared_marks(mag, age=[1, 0], roots=[0]), 0, 1) == "-->"
    chain = mag_of({(0, 1): "->", (1, 2): "->"}, 3)  # condition -> a -> b in one layer
    pag = shared_marks(chain, age=[9, 0, 0], roots=[0])
    assert written(pag, 0, 1) == "-->" and written(pag, 1, 2) == "-->"


def test_one_fact_at_two_places_is_decided_at_both():
    # 0 -> 1 with a witness (2 -> 0), and the same two variables later, 3 -> 4, without
    mag = mag_of({(0, 1): "->", (0, 2): "<-", (3, 4): "->"}, 5)
    age = [1, 0, 2, 1, 0]
    assert written(shared_marks(mag, age), 3, 4) == "o->"
    key = {(0, 1): "x", (3, 4): "x", (1, 0): "y", (4, 3): "y"}
    assert written(shared_marks(mag, age, same=lambda i, j: key.get((i, j))), 3, 4) == "-->"


def test_knowledge_that_the_graph_contradicts_is_refused():
    with pytest.raises(ValueError, match="known to have no cause or to be older"):
        shared_marks(mag_of({(0, 1): "->"}, 2), age=[0, 1])


def test_a_way_through_hidden_causes_joins_where_no_set_separates():
    # 0 <-> 1 <-> 2 with 1 above 0 and 2: given 1 the way opens, without it 1 is a common cause
    graph = mixed(3, [(1, 0), (1, 2)], [(0, 1), (1, 2)])
    mag = maximal_ancestral_graph(graph)
    assert mag.joined[0] >> 2 & 1 and mag.head[0] >> 2 & 1 and mag.head[2] >> 0 & 1


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**9), st.integers(2, 5))
def test_separation_and_the_ancestral_graph_are_those_of_all_ways(seed, n):
    rng = random.Random(seed)
    parents = [(a, b) for a in range(n) for b in range(a + 1, n) if rng.random() < 0.4]
    siblings = [(a, b) for a in range(n) for b in range(a + 1, n) if rng.random() < 0.3]
    graph = mixed(n, parents, siblings)
    edges = {}
    for p in parents:
        edges.setdefault(p, []).append("->")
    for s in siblings:
        edges.setdefault(s, []).append("<->")
    slow = naive.Graph(n, edges)
    separations = slow.separations()
    for a in range(n):
        for b in range(a + 1, n):
            rest = [k for k in range(n) if k not in (a, b)]
            ever = False
            for choice in range(1 << len(rest)):
                given = tuple(k for i, k in enumerate(rest) if choice >> i & 1)
                apart = (a, b, given) in separations
                assert graph.separated(a, b, sum(1 << k for k in given)) == apart
                ever |= apart
            assert graph.joined(a, b) == (not ever)
            if ever:
                found = tuple(bits(graph.separator(a, b)))
                assert (a, b, found) in separations
                assert not any((a, b, tuple(k for k in found if k != left)) in separations for left in found)
    mag = maximal_ancestral_graph(graph)
    assert naive.Graph(n, {p: [e] for p, e in edges_of(mag).items()}).separations() == separations


def edges_of(mag):
    edges = {}
    for i in range(len(mag)):
        for j in range(i + 1, len(mag)):
            if mag.joined[i] >> j & 1:
                at_i, at_j = mag.head[i] >> j & 1, mag.head[j] >> i & 1
                edges[i, j] = "<->" if at_i and at_j else "<-" if at_i else "->"
    return edges


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 10**9), st.integers(2, 4), st.booleans(), st.booleans())
def test_a_mark_is_decided_exactly_when_all_equivalent_graphs_agree(seed, n, with_time, with_roots):
    rng = random.Random(seed)
    graphs = rng.choice(naive.classes(n))
    edges = rng.choice(graphs)
    slow = naive.Graph(n, {pair: [e] for pair, e in edges.items() if e})
    age, roots = None, []
    if with_time:  # any order of the nodes in two or three layers in which no newer node is above an older one
        age = [rng.randrange(3) for _ in range(n)]
        for _ in range(n):
            age = [max(age[k] for k in range(n) if i in slow.above[k]) for i in range(n)]
    if with_roots:
        parentless = [i for i in range(n) if not any(naive.head(e, i == p[0]) for p, e in edges.items() if e and i in p)]
        roots = parentless[:1]

    def fits(g):
        other = naive.Graph(n, {pair: [e] for pair, e in g.items() if e})
        late = age is not None and any(i in other.above[j] and age[i] < age[j] for i in range(n) for j in range(n))
        return not late and not any(naive.head(e, i == p[0]) for i in roots for p, e in g.items() if e and i in p)

    allowed = [g for g in graphs if fits(g)]
    assert edges in allowed
    pag = shared_marks(mag_of(edges, n), age, roots)
    for i in range(n):
        for j in bits(pag.joined[i]):
            assert pag.mark(i, j) == naive.shared(allowed, i, j)
