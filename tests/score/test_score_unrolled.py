"""The projection onto a window against a long unrolled graph, and what a graph that makes no sense is told."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytocause.score.target import direct_links, search_window, target
from cytocause.score.unrolled import bits, project

PAST = 60  # steps before the window in the naive unrolling: longer than any walk back from four nodes with lags up to 3


def node(name, kind="cell", hidden=False, **more):
    return {"name": name, "kind": kind, "hidden": hidden, "observed": None if hidden else name, **more}


def link(source, target, lag=0):
    return {"source": source, "target": target, "lag_frames": lag}


def naive_projection(dag, window):
    """(parents, siblings) as sets of pairs of (column, lag), from a graph unrolled PAST steps beyond the window."""
    span = max((lag for lags in window.values() if lags for lag in lags), default=0) + PAST
    constant = {n["name"] for n in dag["nodes"] if n.get("constant", n["kind"] in ("contextual", "chip"))}
    inside = {(name, lag) for name, lags in window.items() for lag in (lags or [None])}
    parents = {}
    for e in dag["links"]:
        for lag in [None] if e["target"] in constant else range(span + 1):
            at = None if e["source"] in constant else lag + e["lag_frames"]
            if at is None or at <= span:
                parents.setdefault((e["target"], lag), set()).add((e["source"], at))

    def behind(node):
        """Window nodes and hidden nodes from which a way through hidden nodes leads here."""
        seen, stack = set(), [node]
        while stack:
            for p in parents.get(stack.pop(), ()):
                if p not in seen:
                    seen.add(p)
                    if p not in inside:
                        stack.append(p)
        return seen & inside, seen - inside

    found = {n: behind(n) for n in inside}
    arrows = {(p, n) for n, (shown, _) in found.items() for p in shown}
    pairs = {frozenset((a, b)) for a in inside for b in inside if a != b and found[a][1] & found[b][1]}
    return arrows, pairs


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 10**9))
def test_the_projection_is_that_of_a_long_past(seed):
    rng = random.Random(seed)
    names = ["a", "b", "c", "h"]
    nodes = [node(n, hidden=n == "h") for n in names] + [node("drug", "contextual"), node("chip", "chip", hidden=True)]
    links = [link(s, t, rng.choice([0, 1, 1, 2, 3]) if names.index(s) < names.index(t) else rng.choice([1, 2, 3]))
             for s in names for t in names if rng.random() < 0.35]  # fmt: skip
    links += [link(s, t) for s in ("drug", "chip") for t in names if rng.random() < 0.3]
    dag = {"nodes": nodes, "links": links, "step_min": 1.0}
    stride = rng.choice([1, 2, 3])
    window = {n: [k * stride for k in range(rng.choice([1, 2, 3]))] for n in rng.sample(names[:3], rng.choice([2, 3]))}
    window["drug"] = None
    fast = project(dag, window)
    arrows, pairs = naive_projection(dag, window)
    assert {(fast.nodes[p], fast.nodes[i]) for i in range(len(fast)) for p in bits(fast.parents[i])} == arrows
    assert {frozenset((fast.nodes[i], fast.nodes[j])) for i in range(len(fast)) for j in bits(fast.siblings[i])} == pairs


def test_an_ancestor_however_far_back_is_found():
    # a remembers every 7th step, b every 5th, both from z: they meet 35 steps back and more
    nodes = [node("a"), node("b"), node("z", hidden=True), node("p", hidden=True), node("q", hidden=True)]
    links = [link("p", "p", 7), link("q", "q", 5), link("z", "p", 1), link("z", "q", 3), link("p", "a"), link("q", "b")]
    fast = project({"nodes": nodes, "links": links, "step_min": 1.0}, {"a": [0], "b": [0]})
    assert fast.siblings == (0b10, 0b01)
    apart = project({"nodes": nodes, "links": links[:2] + links[4:], "step_min": 1.0}, {"a": [0], "b": [0]})
    assert apart.siblings == (0, 0)


def test_a_persistent_latent_joins_all_layers():
    nodes = [node("x"), node("offset", hidden=True, constant=True)]
    truth = {"dag": {"nodes": nodes, "links": [link("offset", "x")], "step_min": 10.0}, "frame_interval_min": 10.0}
    truth["dag"]["links"].append(link("offset", "offset", 1))  # what never changes is its own past
    found = {"nodes": [], "parameters": {"variables": {"x": {"n_layers": 4, "delta_t": 2}}}}
    assert [(e["lag_min"], e["mark_source"]) for e in target(truth, found).edges] == [(20.0, "arrow"), (40.0, "arrow"), (60.0, "arrow")]


@pytest.mark.parametrize(
    ("links", "words"),
    [
        ([link("x", "w")], "x -> w of the true graph names 'w', which is not among its nodes"),
        ([link("x", "y", -1)], "x -> y .* lag of -1 steps; expected is a whole number"),
        ([link("x", "y", 0.5)], "lag of 0.5 steps"),
        ([link("x", "drug", 1)], "x -> drug .* points from a node that changes in time at one that does not"),
        ([link("x", "y"), link("y", "x")], "cycle at lag 0 among x, y"),
    ],
)
def test_a_graph_that_makes_no_sense_is_refused(links, words):
    dag = {"nodes": [node("x"), node("y"), node("drug", "contextual")], "links": links, "step_min": 10.0}
    with pytest.raises(ValueError, match=words):
        project(dag, {"x": [0], "y": [0]})


def test_a_window_that_does_not_fit_is_refused():
    dag = {"nodes": [node("x"), node("drug", "contextual")], "links": [], "step_min": 10.0}
    with pytest.raises(ValueError, match="'area', which no node of the true graph is measured by; known are drug, x"):
        project(dag, {"area": [0]})
    with pytest.raises(ValueError, match="'drug' has no time"):
        project(dag, {"drug": [0, 1]})
    with pytest.raises(ValueError, match="'x' changes in time"):
        project(dag, {"x": None})
    with pytest.raises(ValueError, match="time step of the learned graph is 15 min, which is no whole number .* 10 min"):
        search_window({"dag": dag}, {"nodes": [], "parameters": {"frame_interval_min": 15.0}})


def test_an_exposure_acts_also_where_its_dose_falls_between_the_layers():
    nodes = [node("dose", "exogenous"), node("x")]
    truth = {"dag": {"nodes": nodes, "links": [link("dose", "dose", 1), link("dose", "x", 1)], "step_min": 10.0}}
    found = {"nodes": [], "parameters": {"variables": {n: {"n_layers": 2, "delta_t": 2} for n in ("dose", "x")}}}
    edges = target(truth, found).edges
    assert {(e["source"], e["target"], e["lag_min"]) for e in edges} >= {("dose", "x", 0.0), ("dose", "x", 20.0)}
    assert {(e["known_source"], e["known_target"]) for e in edges if e["source"] != e["target"]} == {("tail", "arrow")}


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**9))
def test_what_is_known_is_true(seed):
    rng = random.Random(seed)
    names = ["a", "b", "c", "h"]
    nodes = [node(n, hidden=n == "h") for n in names] + [node("drug", "contextual"), node("offset", hidden=True, constant=True)]
    links = [link(s, t, rng.choice([0, 1, 2]) if names.index(s) < names.index(t) else rng.choice([1, 2]))
             for s in names for t in names if rng.random() < 0.4]  # fmt: skip
    links += [link(s, t) for s in ("drug", "offset") for t in names if rng.random() < 0.3]
    found = {"nodes": [], "parameters": {"variables": {n: {"n_layers": 3, "delta_t": rng.choice([1, 2])} for n in ("a", "b", "c", "drug")}}}
    for e in target({"dag": {"nodes": nodes, "links": links, "step_min": 10.0}}, found).edges:
        assert all(e[f"known_{end}"] in ("circle", e[f"mark_{end}"]) for end in ("source", "target"))


def test_time_steps_frames_and_simulator_steps_are_kept_apart():
    dag = {"nodes": [node("x"), node("speed"), node("drug", "contextual")], "links": [], "step_min": 2.0}
    found = {"nodes": [], "parameters": {"frame_interval_min": 10.0, "frames_per_step": 3.0, "delta_t": 2, "n_layers": 3, "variables": {
        "x": {"n_layers": 2, "delta_t": 1}, "speed_smooth": {}, "drug": {"n_layers": 1, "delta_t": 0}, "weather": {}}}}  # fmt: skip
    window, step_min = search_window({"dag": dag, "proxies": {"speed": ["speed_smooth"]}}, found)
    assert step_min == 30.0
    assert window == {"x": [0, 15], "speed": [0, 30, 60], "drug": None}


def test_direct_links_pass_what_nobody_measures_and_no_common_cause():
    nodes = [node("size"), node("mitosis", "hazard", hidden=True), node("division"), node("drug", "contextual"),
             node("u", hidden=True), node("e", hidden=True, constant=True, induced=True)]  # fmt: skip
    links = [link("size", "mitosis", 1), link("mitosis", "division", 4), link("drug", "mitosis"), link("u", "size"), link("u", "division"),
             link("drug", "e"), link("e", "size"), link("size", "size", 1), link("mitosis", "mitosis", 1)]  # fmt: skip
    assert direct_links({"nodes": nodes, "links": links, "step_min": 10.0}) == {
        ("size", "division"): [50.0],
        ("drug", "division"): [],
    }
