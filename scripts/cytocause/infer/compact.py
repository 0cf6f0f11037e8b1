"""One edge per pair of variables and lag: the graph as people read it.

    speed_lag3 -> area_lag0        speed --3--> area        older end first; lag blank with a condition

Source: spec section 6.5.
"""

import pandas as pd

from .unfolding import repeats

COMPACT = (
    "source", "target", "lag_steps", "lag_frames", "lag_min", "orientation", "mark_source", "mark_target",
    "p_head_source", "p_head_target", "is_causal", "info_shifted", "n", "sign", "partial_correlation", "confidence",
    "contributors", "x", "y", "ort_inferred",
)  # fmt: skip
_ORIENTATION = {1: "undirected", 2: "directed", -2: "directed", 6: "bidirected"}


def compact_rows(edges, nodes, unfolded, self_loops=True):
    """The kept edges by variable and lag.

    edges: the edge summary; nodes: name, role ...; unfolded: {node: {variable, lag}}. Source is the older end; without
    lag, the condition, else the tail of a directed edge, else the alphabet. Marks: arrow (head), tail (surely none), circle.
    """
    role = dict(zip(nodes["name"], nodes["role"]))
    rows, seen = [], set()
    for edge in edges[edges["type"] == "P"].to_dict("records"):
        x, y = edge["x"], edge["y"]
        a, b = unfolded[x], unfolded[y]
        swap = _should_swap(edge, a, b, role)
        p_x, p_y = edge["p_y2x"], edge["p_x2y"]
        direction = int(edge["ort_inferred"])
        lag, frames, minutes = (edge[k] for k in ("lag_steps", "lag_frames", "lag_min"))
        if swap:
            x, y, a, b, p_x, p_y = y, x, b, a, p_y, p_x
            direction = -direction if abs(direction) == 2 else direction
            lag, frames, minutes = (None if _none(v) else -v + 0 for v in (lag, frames, minutes))
        source, target = a["variable"], b["variable"]
        lag = None if _none(lag) else int(lag)
        key = (source, target, lag) if lag else (*sorted((source, target)), lag)
        if key in seen or (source == target and not self_loops):
            continue
        seen.add(key)
        rows.append(
            (
                source, target, lag, _clean(frames), _clean(minutes), _ORIENTATION[direction],
                _mark(p_x, direction in (-2, 6)), _mark(p_y, direction in (2, 6)), p_x, p_y, bool(edge["is_causal"]),
                edge["info_shifted"], int(edge["n_xy_ai"]), _clean(edge["sign"]), _clean(edge["partial_correlation"]),
                _clean(edge["confidence"]), [u for u in edge["ai"].split(",") if u], x, y, direction,
            )
        )  # fmt: skip
    out = pd.DataFrame(rows, columns=list(COMPACT))
    for place, name in enumerate(COMPACT):
        if name in ("lag_steps", "lag_frames", "lag_min"):
            # whole numbers stay whole beside an absent one
            out[name] = pd.Series([row[place] for row in rows], dtype=object)
    return out


def _should_swap(edge, a, b, role):
    if a["lag"] is not None and b["lag"] is not None and a["lag"] != b["lag"]:
        return a["lag"] < b["lag"]
    inputs = ("contextual", "exogenous")
    first, second = role[a["variable"]] in inputs, role[b["variable"]] in inputs
    if first != second:
        return second
    return edge["ort_inferred"] == -2


def _mark(p, head):
    if head:
        return "arrow"
    return "tail" if p < 0.5 else "circle"


def _none(value):
    return value is None or value != value  # noqa: PLR0124 - NaN


def _clean(value):
    return None if _none(value) else value


def combine_rows(compact, method="combine"):
    """One row per unordered pair: the strongest edge's attributes, all lags, and the orientation of all of them."""
    if method not in ("combine", "unique", "drop"):
        raise ValueError(f"method is {method!r}; expected combine, unique or drop.")
    groups = {}
    for row in compact.to_dict("records"):
        groups.setdefault(frozenset((row["source"], row["target"])), []).append(row)
    out = []
    for rows in groups.values():
        lead = dict(min(rows, key=lambda r: (-r["info_shifted"], r["lag_steps"] or 0)))
        if method == "combine":
            lags = sorted({r["lag_steps"] for r in rows if r["lag_steps"] is not None})
            lead["lag_steps"] = ",".join(map(str, lags)) or None
            turned = [_turned(r, lead) for r in rows]
            codes = {c for c, _, _ in turned}
            if 6 in codes or {2, -2} <= codes:
                mark = 6
                source, target = max(s for _, s, _ in turned), max(t for _, _, t in turned)
            elif 2 in codes:
                mark, source, target = 2, min(s for _, s, _ in turned), max(t for _, _, t in turned)
            elif -2 in codes:
                mark, source, target = -2, max(s for _, s, _ in turned), min(t for _, _, t in turned)
            else:
                mark = 1
                source = sum(s for _, s, _ in turned) / len(turned)
                target = sum(t for _, _, t in turned) / len(turned)
            lead.update(
                ort_inferred=mark, orientation=_ORIENTATION[mark], p_head_source=source, p_head_target=target,
                mark_source=_mark(source, mark in (-2, 6)), mark_target=_mark(target, mark in (2, 6)),
                is_causal=any(r["is_causal"] for r in rows),
            )  # fmt: skip
        elif method == "drop":
            lead["lag_steps"] = lead["lag_frames"] = lead["lag_min"] = None
        out.append(lead)
    return pd.DataFrame(out, columns=list(compact.columns))


def _turned(row, lead):
    """(code, P head source, P head target) of a row seen in the direction of another."""
    if row["source"] == lead["source"]:
        return row["ort_inferred"], row["p_head_source"], row["p_head_target"]
    mark = -row["ort_inferred"] if abs(row["ort_inferred"]) == 2 else row["ort_inferred"]
    return mark, row["p_head_target"], row["p_head_source"]


def repeated_rows(edges, unfolded, graph):
    """Every kept edge plus its copies further back in time, all attributes copied (the stationarity list).

    A copy that is itself a kept edge is not listed again.
    """
    place = {name: k for k, name in enumerate(unfolded.names)}
    kept = edges[edges["type"] == "P"].to_dict("records")
    listed = {frozenset((place[edge["x"]], place[edge["y"]])) for edge in kept}
    rows = []
    for edge in kept:
        rows.append(edge)
        for a, b in repeats(unfolded, place[edge["x"]], place[edge["y"]], graph.settings.legacy):
            if frozenset((a, b)) not in listed:
                listed.add(frozenset((a, b)))
                rows.append({**edge, "x": unfolded.names[a], "y": unfolded.names[b]})
    return pd.DataFrame(rows, columns=list(edges.columns))


def to_networkx(compact, nodes):
    """A networkx MultiDiGraph; undirected and bidirected edges keep their marks in attributes."""
    import networkx as nx

    graph = nx.MultiDiGraph()
    for node in nodes.to_dict("records"):
        graph.add_node(node["name"], **{k: v for k, v in node.items() if k != "name"})
    for row in compact.to_dict("records"):
        attributes = {
            k: (",".join(v) if isinstance(v, list) else v)
            for k, v in row.items()
            if k not in ("source", "target", "ort_inferred") and not (not isinstance(v, list) and _none(v))
        }
        key = "context" if _none(row["lag_steps"]) else f"lag{int(row['lag_steps'])}"
        graph.add_edge(row["source"], row["target"], key=key, **attributes)
    return graph


def to_json(compact, nodes, parameters):
    """{"nodes": [...], "edges": [...], "parameters": {...}} of plain values."""
    edges = []
    for row in compact.to_dict("records"):
        row = {k: (v if isinstance(v, list) else _clean(v)) for k, v in row.items() if k != "ort_inferred"}
        if row["lag_steps"] is not None:
            row["lag_steps"] = int(row["lag_steps"])
        edges.append(row)
    return {"nodes": nodes.to_dict("records"), "edges": edges, "parameters": parameters}
