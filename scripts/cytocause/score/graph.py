"""The found graph against the edges that the truth says can be found.

    truth   drug ----> death        found   drug ----> death       skeleton hit, arrowhead hit
            contact -30 min-> death         contact -20 min-> death  lag hit when off by one layer at most
                                            area --- speed         superfluous

Three questions, each its own row, over pairs of different variables (links of a variable to its own past are outside):

    skeleton    is the pair joined at all, whatever the lag?
    arrowhead   is there a head at this end of this pair?
    lag         does x act on y (or go before it) at this lag? Several layers round one true lag are one hit,
                all others of a pair together one error. Conditions have no lag and are outside this row.
    condition   is this condition joined to this variable?

A found variable that the truth lists as a proxy stands for what it measures (smoothed speed for speed). Outside the
comparison, and counted as `unscored`, are edges to a variable the truth does not know and `definitional` pairs, which
share a mask, a position or a formula.
"""

import math

HEADS = frozenset({"arrow", "head", "arrowhead", ">"})


def _heads(edge):
    """Variables at which the edge has a head; an edge of the truth without marks points at its target."""
    marks = {"source": edge.get("mark_source", "tail"), "target": edge.get("mark_target", "arrow")}
    return {edge[end] for end, mark in marks.items() if mark in HEADS}


def _lag_min(edge, frame_interval_min):
    lag = edge.get("lag_min")
    if lag is None and edge.get("lag_frames") is not None and frame_interval_min is not None:
        lag = edge["lag_frames"] * frame_interval_min
    return None if lag is None or math.isnan(lag) else float(lag)


def _pair(edge):
    return frozenset((edge["source"], edge["target"]))


def _set_counts(true, found):
    hit = len(true & found)
    return {"tp": hit, "fp": len(found) - hit, "fn": len(true) - hit}


def _lags(edges, conditions, frame_interval_min):
    """(older, newer) -> lags in min; at lag 0 the pair has no order."""
    lags = {}
    for edge in edges:
        lag = _lag_min(edge, frame_interval_min)
        if lag is None or edge["source"] in conditions or edge["target"] in conditions:
            continue
        lags.setdefault((edge["source"], edge["target"]), []).append(lag)
    return lags


def _lag_counts(true, found, tolerance_min):
    tp = fn = fp = 0
    explained = {}
    for (source, target), lags in true.items():
        for lag in lags:
            near = [((source, target), value) for value in found.get((source, target), ())]
            if lag <= tolerance_min:  # a short lag may be seen as lag 0, and lag 0 has no order
                near += [((target, source), -value) for value in found.get((target, source), ())]
            hits = [(pair, value) for pair, value in near if abs(value - lag) <= tolerance_min + 1e-9]
            tp, fn = tp + bool(hits), fn + (not hits)
            for pair, value in hits:
                explained.setdefault(pair, set()).add(abs(value))
    for pair, lags in found.items():
        fp += bool(set(lags) - explained.get(pair, set()))
    return {"tp": tp, "fp": fp, "fn": fn}


def edge_counts(true_edges, found_edges, *, conditions, variables=None, definitional=(), tolerance_min, frame_interval_min=None):
    """Counts of the rows skeleton, arrowhead, lag and condition.

    Parameters
    ----------
    true_edges, found_edges : lists of dicts with source, target (source acts on or goes before target), lag_min or
        lag_frames (None for a condition), and mark_source, mark_target ("arrow" | "tail" | anything else for undecided)
    conditions : names of the conditions
    variables : names the truth knows; default those of the true edges and the conditions
    definitional : pairs of names that are not compared
    tolerance_min : float, largest error of a lag (min)
    frame_interval_min : float, for edges that give their lag in frames only

    Returns
    -------
    dict row -> {"tp", "fp", "fn"}, and "unscored": number of found edges outside the comparison
    """
    conditions = set(conditions)
    known = set(variables) if variables is not None else {e[k] for e in true_edges for k in ("source", "target")}
    known |= conditions
    cross_true = [e for e in true_edges if e["source"] != e["target"]]
    cross_found = [e for e in found_edges if e["source"] != e["target"]]
    outside = {frozenset(pair) for pair in definitional} - {_pair(e) for e in cross_true}
    scored = [e for e in cross_found if _pair(e) <= known and _pair(e) not in outside]

    def skeleton(edges):
        return {_pair(e) for e in edges}

    def heads(edges):
        return {(_pair(e), name) for e in edges for name in _heads(e)}

    def of_condition(edges):
        return {_pair(e) for e in edges if len(_pair(e) & conditions) == 1}

    return {
        "skeleton": _set_counts(skeleton(cross_true), skeleton(scored)),
        "arrowhead": _set_counts(heads(cross_true), heads(scored)),
        "lag": _lag_counts(
            _lags(cross_true, conditions, frame_interval_min), _lags(scored, conditions, frame_interval_min), tolerance_min
        ),
        "condition": _set_counts(of_condition(cross_true), of_condition(scored)),
        "unscored": len(cross_found) - len(scored),
    }


def same_truth(graphs):
    """The one true graph behind several samples, or None and why there is none.

    Parameters
    ----------
    graphs : list of dicts as written by simulate (`scored_edges` and the rest)

    Returns
    -------
    graph, reason : dict and "", or None and a sentence
    """
    graphs = [g for g in graphs if g and "scored_edges" in g]
    if not graphs:
        return None, "no sample has a true graph"
    if any(g["scored_edges"] != graphs[0]["scored_edges"] for g in graphs[1:]):
        return None, "the samples were simulated with different causal models; score them one model at a time"
    return graphs[0], ""


def layer_min(found):
    """Time between two layers of the found graph (min); None when none of its edges has a lag in minutes.

    A layer is `delta_t` time steps (the smallest, where variables differ), and a lagged edge shows how long a step is.
    """
    lagged = [e for e in found.get("edges", []) if e.get("lag_steps") and _lag_min(e, None)]
    if not lagged:
        return None
    step_min = min(_lag_min(e, None) / e["lag_steps"] for e in lagged)
    steps = (found.get("parameters") or {}).get("delta_t")
    if isinstance(steps, dict):
        steps = min((v for v in steps.values() if v), default=None)
    return step_min * (steps or min(e["lag_steps"] for e in lagged))


def graph_counts(truth, found, cfg):
    """`edge_counts` of the truth's `scored_edges` and the found graph, both as written in their graph.json.

    Parameters
    ----------
    truth : dict with scored_edges, and if it has them conditions, variables, definitional, proxies, frame_interval_min
    found : dict with edges, nodes
    cfg : the section score
    """
    interval = truth.get("frame_interval_min")
    conditions = set(truth.get("conditions") or ())
    conditions |= {node["name"] for node in found.get("nodes", []) if node.get("role") == "contextual"}
    measured = {proxy: name for name, proxies in (truth.get("proxies") or {}).items() for proxy in proxies}
    edges = [
        {**edge, **{end: measured.get(edge[end], edge[end]) for end in ("source", "target")}}
        for edge in found.get("edges", [])
    ]
    return edge_counts(
        truth["scored_edges"],
        edges,
        conditions=conditions,
        variables=truth.get("variables"),
        definitional=truth.get("definitional") or (),
        tolerance_min=cfg["lag_tolerance_layers"] * (layer_min(found) or interval or 0.0),
        frame_interval_min=interval,
    )
