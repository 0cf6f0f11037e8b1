"""Separating sets that the final graph itself can explain.

    search -> graph 1 -> search with candidates on paths of graph 1 -> graph 2 -> ... until a graph comes back
                         X --- Z --- Y          Z lies on a path between X and Y (block-cut tree)
                               Z is no child of X or of Y (only "orientation")

A cycle of several graphs is turned into one: what changed inside it is present and undirected. Source: spec 4.6, 6.3.
"""

from collections import Counter

from .orientation import code, is_causal, is_head
from .unfolding import repeats


def consistent_graph(graph, once, restart, settings, warnings):
    """Repeat once() until its graph has been seen before: (orientation, consensus function or None).

    once() -> Orientation leaves its skeleton in `graph`; restart() sets the skeleton back to the beginning.
    """
    seen, results = [], []
    graph.allowed = None
    for iteration in range(settings.max_iteration):
        if iteration:
            restart()
            graph.allowed = _allowed(graph, seen[-1], settings)
        oriented = once()
        marks = marks_of(graph, oriented, settings.ort_proba_ratio)
        results.append(oriented)
        if marks in seen:
            first = seen.index(marks)
            return _of_cycle(graph, seen[first:], results[first + 1 :], oriented, settings)
        seen.append(marks)
    warnings.append(
        f"No consistent graph was found in {settings.max_iteration} iterations; the last one is given. "
        "Raise max_iteration."
    )
    return oriented, None


def marks_of(graph, oriented, ratio):
    """{(a, b): head at b} of the kept edges, both directions."""
    out = {}
    for edge in graph.edges.values():
        if edge.connected:
            for pair in ((edge.x, edge.y), (edge.y, edge.x)):
                out[pair] = is_head(oriented.heads[pair], ratio)
    return out


def _allowed(graph, marks, settings):
    """Function pair -> nodes that may explain it, from the marks of the previous graph."""
    import networkx as nx

    data = graph.data
    marks = dict(marks)
    if data.temporal:
        for (a, b), head in list(marks.items()):
            if a > b:
                continue
            for c, d in repeats(data, a, b, settings.legacy):
                marks.setdefault((c, d), head)
                # the reference copies the mark of one end to both (Q17)
                marks.setdefault((d, c), head if settings.legacy else marks[b, a])
    skeleton = nx.Graph()
    skeleton.add_nodes_from(range(len(data)))
    skeleton.add_edges_from(pair for pair in sorted(marks) if pair[0] < pair[1])
    blocks = [frozenset(block) for block in nx.biconnected_components(skeleton)]
    of_node = {}
    for k, block in enumerate(blocks):
        for node in block:
            of_node.setdefault(node, []).append(k)
    # block-cut tree: blocks joined by the nodes they share
    tree = nx.Graph()
    for node, members in of_node.items():
        if len(members) > 1:
            tree.add_edges_from((("node", node), ("block", k)) for k in members)
    tree.add_nodes_from(("block", k) for k in range(len(blocks)))
    between = {}

    def on_a_path(x, y):
        if x not in of_node or y not in of_node:
            return frozenset()
        shared = sorted(set(of_node[x]) & set(of_node[y]))
        if shared:
            return blocks[shared[0]]
        ends = [("node", n) if len(of_node[n]) > 1 else ("block", of_node[n][0]) for n in (x, y)]
        try:
            path = nx.shortest_path(tree, *ends)
        except nx.NetworkXNoPath:
            return frozenset()
        return frozenset().union(*(blocks[k] for kind, k in path if kind == "block"))

    def non_child(z, ends):
        for end in ends:
            if (end, z) not in marks:
                continue
            head_at_z, head_at_end = marks[end, z], marks[z, end]
            if not head_at_z or (head_at_z and head_at_end):
                return True
        return False

    check = settings.consistent == "orientation" and settings.latent != "yes"

    def allowed(pair):
        if pair not in between:
            x, y = pair
            found = on_a_path(x, y) - {x, y}
            between[pair] = {z for z in found if not check or non_child(z, (x, y))}
        return between[pair]

    return allowed


def _of_cycle(graph, cycle, results, oriented, settings):
    """Orientation and consensus of a cycle of graphs."""
    if len(cycle) == 1:
        return oriented, None
    found = [dict(result.heads) for result in results]  # as they were, before the last of them becomes the union
    pairs = sorted({pair for marks in cycle for pair in marks})
    for pair in pairs:
        a, b = pair
        statuses = {marks.get(pair) for marks in cycle}
        if a < b and not graph.edges[pair].connected:
            graph.connect(graph.edges[pair], True)
        if len(statuses) > 1:
            oriented.heads[pair] = 0.5  # undirected
        else:
            oriented.heads.setdefault(pair, 0.5)
    ratio = settings.consensus_ratio

    def consensus(edge, x, y):
        codes = [
            0
            if (x, y) not in marks
            else code(
                *(1.0 if marks[pair] else 0.0 for pair in ((y, x), (x, y))), settings.ort_proba_ratio
            )
            for marks in cycle
        ]
        share = Counter(codes)
        stats = ";".join(
            f"{100 * count / len(codes):.0f}%({mark})" for mark, count in sorted(share.items(), key=lambda i: (-i[1], i[0]))
        )
        if share[0] / len(codes) >= 1 - settings.consensus_threshold:
            return {"ort_consensus": 0, "is_causal_consensus": None, "edge_stats": stats}
        means = []
        for pair in ((y, x), (x, y)):
            values = [heads[pair] for heads in found if pair in heads]
            means.append(sum(values) / len(values) if values else 0.5)
        mark = code(*means, ratio)
        return {
            "ort_consensus": mark,
            "is_causal_consensus": is_causal(*means, mark, ratio, settings),
            "edge_stats": stats,
        }

    return oriented, consensus
