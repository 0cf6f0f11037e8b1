"""Separating sets that the final graph explains: cycles of graphs, their union, their consensus (spec 4.6, 6.3)."""

import re

import networkx as nx
import numpy as np
import pandas as pd

from cytocause.infer import infer
from cytocause.infer.consistency import consistent_graph, marks_of
from cytocause.infer.orientation import Orientation
from cytocause.infer.settings import Settings
from cytocause.infer.skeleton import Graph
from cytocause.infer.table import read_data
from cytocause.infer.unfolding import unfold

# P(head at x), P(head at y) of each edge of three graphs over the nodes 0, 1, 2, 3
ONE = {(0, 1): (0.1, 0.9), (1, 2): (0.5, 0.98), (2, 3): (0.5, 0.5)}
TWO = {(0, 1): (0.8, 0.3), (1, 2): (0.5, 0.98), (2, 3): (0.5, 0.5), (0, 2): (0.5, 0.6)}
THREE = {(0, 1): (0.1, 0.9), (1, 2): (0.5, 0.9), (2, 3): (0.6, 0.5)}


def turning(cycle, before=(), **more):
    """consistent_graph of a learner that gives these graphs in turn: (graph, orientation, consensus, warnings, runs)."""
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(20, 4)), columns=list("abcd"))
    settings = Settings(**{"consistent": "skeleton", **more})
    graph = Graph(unfold(read_data(frame, None, trajectory=None, time=None), settings, []), settings)
    runs, warnings, restarts = [], [], []

    def once():
        wanted = [*before, *cycle * 9][len(runs)]
        for pair, edge in graph.edges.items():
            graph.connect(edge, pair in wanted)
        heads = {(x, y): p[1] for (x, y), p in wanted.items()} | {(y, x): p[0] for (x, y), p in wanted.items()}
        runs.append(graph.allowed)
        return Orientation(heads, [])

    oriented, consensus = consistent_graph(graph, once, lambda: restarts.append(len(runs)), settings, warnings)
    assert restarts == list(range(1, len(runs)))  # before each but the first
    assert runs[0] is None and all(callable(allowed) for allowed in runs[1:])  # candidates from the graph before
    return graph, oriented, consensus, warnings, len(runs)


def kept(graph):
    return {pair for pair, edge in graph.edges.items() if edge.connected}


def test_a_graph_that_comes_back_at_once_is_the_answer():
    graph, oriented, consensus, warnings, runs = turning([ONE])
    assert (runs, consensus, warnings) == (2, None, [])
    assert kept(graph) == set(ONE) and oriented.heads[0, 1] == 0.9


def test_what_changes_inside_a_cycle_is_present_and_undirected():
    graph, oriented, consensus, warnings, runs = turning([ONE, TWO])
    assert (runs, warnings) == (3, []) and consensus is not None
    assert kept(graph) == set(ONE) | set(TWO)
    assert graph.adjacent[0, 2] and graph.adjacent[2, 0] and not graph.adjacent[0, 3]
    marks = marks_of(graph, oriented, 1.0)
    # 0-1 turns round, 0-2 comes and goes; 1 -> 2 and 2 - 3 are the same in both
    assert {pair: (marks[pair[::-1]], marks[pair]) for pair in kept(graph)} == {
        (0, 1): (False, False), (0, 2): (False, False), (1, 2): (False, True), (2, 3): (False, False),
    }  # fmt: skip


def test_a_graph_before_the_cycle_does_not_count():
    graph, _, _, _, runs = turning([ONE, TWO], before=[{(0, 3): (0.5, 0.9)}])
    assert runs == 4 and kept(graph) == set(ONE) | set(TWO)


def test_consensus_columns_of_a_cycle():
    graph, _, consensus, _, _ = turning([ONE, TWO])
    # one edge in one of two graphs: not more than 80 % of them have it
    assert consensus(graph.edges[0, 2], 0, 2) == {"ort_consensus": 0, "is_causal_consensus": None, "edge_stats": "50%(0);50%(2)"}
    assert consensus(graph.edges[1, 2], 1, 2) == {"ort_consensus": 2, "is_causal_consensus": False, "edge_stats": "100%(2)"}
    assert consensus(graph.edges[1, 2], 2, 1)["ort_consensus"] == -2
    assert consensus(graph.edges[1, 2], 2, 1)["edge_stats"] == "100%(-2)"
    assert consensus(graph.edges[0, 1], 0, 1)["edge_stats"] == "50%(-2);50%(2)"
    # in none of them
    assert consensus(graph.edges[0, 3], 0, 3)["ort_consensus"] == 0


def test_consensus_heads_come_from_the_mean_over_the_cycle():
    graph, _, consensus, _, _ = turning([ONE, TWO])
    # means (0.1 + 0.8) / 2 at 0 and (0.9 + 0.3) / 2 at 1: a head at 1 only, and its other end is rather a tail
    assert consensus(graph.edges[0, 1], 0, 1) == {"ort_consensus": 2, "is_causal_consensus": True, "edge_stats": "50%(-2);50%(2)"}
    # 0.6 is no head where the odds must be below a half
    graph, _, consensus, _, _ = turning([ONE, TWO], ort_consensus_ratio=0.5)
    assert consensus(graph.edges[0, 1], 0, 1)["ort_consensus"] == 1


def test_consensus_counts_the_graphs_that_have_an_edge():
    graph, _, consensus, _, runs = turning([ONE, TWO, THREE])
    assert runs == 4
    assert consensus(graph.edges[2, 3], 3, 2)["edge_stats"] == "67%(1);33%(2)"
    assert consensus(graph.edges[0, 2], 0, 2)["ort_consensus"] == 0  # in one of three
    assert consensus(graph.edges[1, 2], 1, 2)["edge_stats"] == "100%(2)"
    without = {pair: p for pair, p in ONE.items() if pair != (1, 2)}
    for threshold, mark in ((0.8, 0), (0.6, 2)):
        graph, _, consensus, _, _ = turning([ONE, without, THREE], consensus_threshold=threshold)
        found = consensus(graph.edges[1, 2], 1, 2)
        assert (found["edge_stats"], found["ort_consensus"]) == ("67%(2);33%(0)", mark)


def test_a_search_that_does_not_end_is_named():
    graph, oriented, consensus, warnings, runs = turning([ONE, TWO, THREE], max_iteration=3)
    assert (runs, consensus) == (3, None)
    assert warnings == ["No consistent graph was found in 3 iterations; the last one is given. Raise max_iteration."]
    assert kept(graph) == set(THREE) and oriented.heads[1, 2] == 0.9


def linear_series(seed, steps=300):
    """Five variables that drive each other at lags 0 and 1, one trajectory."""
    rng = np.random.default_rng(seed)
    before = np.where(rng.random((5, 5)) < 0.35, rng.choice([-0.36, 0.36], (5, 5)), 0)
    np.fill_diagonal(before, 0.5)
    now = np.triu(np.where(rng.random((5, 5)) < 0.3, 0.5, 0), 1)
    x = np.zeros((steps + 50, 5))
    for t in range(1, len(x)):
        x[t] = np.clip(before @ x[t - 1], -5, 5) + rng.normal(size=5)
        for k in range(5):
            x[t, k] += now[:k, k] @ x[t, :k]
    return pd.DataFrame(x[50:], columns=list("abcde")).assign(trajectory=0, time=range(steps))


WINDOW = {"n_layers": 3, "delta_t": 1}


def off_path(graph):
    """(x, y, z) of contributors z that are on no path between x and y in the final graph and its copies."""
    skeleton = nx.Graph()
    skeleton.add_edges_from(graph.stationarity[["x", "y"]].itertuples(index=False))
    out = []
    for row in graph.edges.to_dict("records"):
        # z is on a path if it reaches x and y on ways that share nothing, as if both were joined to one end
        closed = nx.Graph([*skeleton.edges, ("end", row["x"]), ("end", row["y"])])
        for z in filter(None, row["ai"].split(",")):
            if z not in closed or nx.node_connectivity(closed, z, "end") < 2:
                out.append((row["x"], row["y"], z))
    return out


def test_what_separates_is_on_a_path_of_the_graph_in_time():
    table = linear_series(18)
    assert len(off_path(infer(table, None, WINDOW, threads=1))) == 3
    found = infer(table, None, {**WINDOW, "consistent": "skeleton"}, threads=1)
    assert off_path(found) == [] and found.run["warnings"] == []
    # one graph, no cycle
    assert found.edges[["ort_consensus", "is_causal_consensus", "edge_stats"]].isna().all(axis=None)
    again = infer(table, None, {**WINDOW, "consistent": "skeleton"}, threads=3)
    pd.testing.assert_frame_equal(found.edges, again.edges)


def test_a_cycle_in_time_fills_the_columns_of_the_consensus():
    table = linear_series(22)
    assert len(off_path(infer(table, None, WINDOW, threads=1))) == 7
    found = infer(table, None, {**WINDOW, "consistent": "skeleton"}, threads=1)
    assert off_path(found) == [] and found.run["warnings"] == []
    came_and_went = 0
    for row in found.edges.to_dict("records"):
        share = {int(mark): int(percent) for percent, mark in re.findall(r"(\d+)%\((-?\d)\)", row["edge_stats"])}
        assert 98 <= sum(share.values()) <= 102
        assert (row["ort_consensus"] == 0) == (share.get(0, 0) >= 20)
        if share.get(0, 0) == 100:
            assert row["type"] == "N"
            continue
        # in any of the graphs: present; in some of them only: undirected
        assert row["type"] == "P"
        if 0 in share:
            assert row["ort_inferred"] == 1 and row["p_x2y"] == row["p_y2x"] == 0.5
            came_and_went += 1
        elif len(share) == 1:
            assert [row["ort_inferred"]] == list(share)
    assert came_and_went


def test_a_child_of_both_ends_does_not_separate_them():
    config = {**WINDOW, "consistent": "orientation"}
    found = infer(linear_series(18), None, config, threads=1)
    assert off_path(found) == [] and found.edges["edge_stats"].isna().all()

    def children(graph):
        """Contributors that are a child of both ends, by the marks of the same graph and its copies."""
        head = {}
        for row in graph.stationarity.to_dict("records"):
            head[row["x"], row["y"]], head[row["y"], row["x"]] = row["ort_inferred"] in (2, 6), row["ort_inferred"] in (-2, 6)

        def child(z, end):
            return (end, z) not in head or (head[end, z] and not head[z, end])

        rows = graph.edges[graph.edges["ai"] != ""].to_dict("records")
        return [(r["x"], r["y"], z) for r in rows for z in r["ai"].split(",") if child(z, r["x"]) and child(z, r["y"])]

    assert children(found) == []
    # the search that asks for paths only takes some
    assert children(infer(linear_series(18), None, {**WINDOW, "consistent": "skeleton"}, threads=1))
