"""Which edges of the truth and of the found graph are compared at all.

    found   area --- perimeter     definitional: one mask            outside, counted apart
            drug --> area          induced: lives before the track   outside, counted apart
            weather --> death      the truth does not know it        outside
            contact --> death      compared, under the truth's names

Truth with its causal graph (`dag`): the edges of the target in the learner's window (see target.py). A truth without one is
taken edge by edge as it is written (`scored_edges`), every mark known.
"""

from dataclasses import dataclass, field

from cytocause.io import definitional_pairs, is_definitional, look_back_min
from cytocause.score.target import direct_links, measured_by, target

HEADS = frozenset({"arrow", "head", "arrowhead", ">"})


@dataclass
class Compared:
    """What the rows are made of.

    true : edges of the truth with source, target, lag_min (None: no time), mark_*, known_*; found : edges, the same names, with
    lag_min, mark_* and look_back_min, the longer look-back of the two features that the found graph itself names (min; without it 0);
    direct : {(source, target): lags in min}; conditions : names; outside : {reason: number of found edges};
    shown : {frozenset of two names of the found graph: reason} of the definitional pairs; layer_min : float, or None
    """

    true: list
    found: list
    direct: dict
    conditions: set
    outside: dict = field(default_factory=dict)
    shown: dict = field(default_factory=dict)
    layer_min: float | None = None

    def tolerance_min(self, lag_min, look_back_min=0.0, layers=1.0):
        """Largest error (min) of a lag: `layers` layers, 20 % of the true lag, or the look-back (min) of the found edge, whichever is most."""
        return max(layers * (self.layer_min or 0.0), 0.2 * (lag_min or 0.0), look_back_min)


def pair(edge):
    """The two names of an edge, without order."""
    return frozenset((edge["source"], edge["target"]))


def lag_of(edge, frame_interval_min):
    """Lag in min, None for an edge without time."""
    lag = edge.get("lag_min")
    if lag is None and edge.get("lag_frames") is not None and frame_interval_min is not None:
        lag = edge["lag_frames"] * frame_interval_min
    return None if lag is None or lag != lag else float(lag)  # noqa: PLR0124 - NaN


def known_edge(edge, frame_interval_min=None):
    """An edge of a truth that is written out: it points at its target, and everybody can know it."""
    source, target = edge.get("mark_source", "tail"), edge.get("mark_target", "arrow")
    source, target = ("arrow" if mark in HEADS else mark for mark in (source, target))
    return {
        "source": edge["source"],
        "target": edge["target"],
        "lag_min": lag_of(edge, frame_interval_min),
        "mark_source": source,
        "mark_target": target,
        "known_source": source,
        "known_target": target,
    }


def found_edge(edge, frame_interval_min=None):
    """An edge of a found graph: marks are "arrow", "tail" or "circle"."""
    marks = {f"mark_{end}": edge.get(f"mark_{end}", plain) for end, plain in (("source", "tail"), ("target", "arrow"))}
    marks = {key: "arrow" if mark in HEADS else "tail" if mark == "tail" else "circle" for key, mark in marks.items()}
    return {"source": edge["source"], "target": edge["target"], "lag_min": lag_of(edge, frame_interval_min), **marks}


def layer_min(found):
    """Time between two layers of the found graph (min); None when that cannot be told.

    A layer is `delta_t` time steps (the smallest, where variables differ). How long a step is, the parameters say, or else a
    lagged edge shows.
    """
    parameters = found.get("parameters") or {}
    lagged = [e for e in found.get("edges", []) if e.get("lag_steps") and lag_of(e, None)]
    interval = parameters.get("frame_interval_min")
    if interval:
        step_min = interval * (parameters.get("frames_per_step") or 1.0)
    elif lagged:
        step_min = min(lag_of(e, None) / e["lag_steps"] for e in lagged)
    else:
        return None
    steps = parameters.get("delta_t")
    per_variable = [v.get("delta_t") for v in (parameters.get("variables") or {}).values()]
    steps = min((v for v in per_variable if v), default=steps)
    if isinstance(steps, dict):
        steps = min((v for v in steps.values() if v), default=None)
    return step_min * (steps or min((e["lag_steps"] for e in lagged), default=1))


def compared(truth, found, cfg):
    """The Compared of a truth (graph.json of simulate) and a found graph (graph.json of infer).

    Parameters
    ----------
    truth : dict with dag, or else scored_edges; conditions, proxies, frame_interval_min where it has them
    found : dict with edges, nodes, parameters
    cfg : the section score; optional windows {speed_window_min, directionality_window_min} of the section measure
    """
    interval = truth.get("frame_interval_min")
    conditions = set(truth.get("conditions") or ())
    conditions |= {node["name"] for node in found.get("nodes", []) if node.get("role") == "contextual"}
    if truth.get("dag"):
        return _derived(truth, found, cfg, conditions, interval)
    names = {p: name for name, proxies in (truth.get("proxies") or {}).items() for p in proxies}
    edges = [found_edge({**e, **{end: names.get(e[end], e[end]) for end in ("source", "target")}}) for e in found.get("edges", [])]
    true = [known_edge(e, interval) for e in truth["scored_edges"]]
    return written_out(true, edges, conditions, truth.get("variables"), truth.get("definitional") or (), layer_min(found) or interval)


def written_out(true, found, conditions, variables=None, definitional=(), one_layer_min=None):
    """The Compared of two lists of edges as they are; `definitional` pairs that are true edges stay in."""
    true = [e for e in true if e["source"] != e["target"]]
    known = set(variables) if variables is not None else {e[k] for e in true for k in ("source", "target")}
    outside = {frozenset(p) for p in definitional} - {pair(e) for e in true}
    kept, left = [], {"unknown": 0, "definitional": 0, "induced": 0}
    for edge in found:
        if edge["source"] == edge["target"]:
            continue
        reason = "unknown" if not pair(edge) <= known | set(conditions) else "definitional" if pair(edge) in outside else None
        if reason:
            left[reason] += 1
        else:
            kept.append(edge)
    direct = {}
    for e in true:
        direct.setdefault((e["source"], e["target"]), []).extend([] if e["lag_min"] is None else [e["lag_min"]])
    return Compared(true, kept, direct, set(conditions), left, {}, one_layer_min)


def _derived(truth, found, cfg, conditions, interval):
    aim, names = target(truth, found), measured_by(truth)
    in_table = [node["name"] for node in found.get("nodes", [])] or list((found.get("parameters") or {}).get("variables") or ())
    shown = definitional_pairs(in_table)
    for a in in_table:  # two columns for one and the same quantity
        shown.update({frozenset((a, b)): "one formula" for b in in_table if a != b and names.get(a, a) == names.get(b, b)})
    pairs = {**definitional_pairs(aim.columns), **shown}
    onset_min = max(cfg.get("death_tolerance_min", 30.0), cfg.get("death_tolerance_frames", 0) * (interval or 0.0))

    def by_definition(edge):
        return is_definitional(pairs, edge["source"], edge["target"], edge["lag_min"], onset_min)

    true = [e for e in aim.edges if e["source"] != e["target"] and not by_definition(e)]
    induced = {pair(e) for e in true if e["induced"]} - {pair(e) for e in true if not e["induced"]}
    true = [e for e in true if not e["induced"]]
    # of the names in the found graph: another column of the same quantity in the table widens nothing
    back = {name: look_back_min(name, interval, cfg.get("windows")) for name in {e[k] for e in found.get("edges", []) for k in ("source", "target")}}
    kept, left = [], {"unknown": 0, "definitional": 0, "induced": 0}
    for raw in found.get("edges", []):
        edge = found_edge(raw, interval)
        named = {**edge, **{end: names.get(edge[end]) for end in ("source", "target")}}
        if edge["source"] == edge["target"]:
            continue
        if by_definition(edge) or (named["source"] == named["target"] is not None):
            left["definitional"] += 1
        elif None in (named["source"], named["target"]) or not pair(named) <= set(aim.columns):
            left["unknown"] += 1
        elif by_definition(named):
            left["definitional"] += 1
        elif pair(named) in induced:
            left["induced"] += 1
        else:
            kept.append({**named, "look_back_min": max(back[edge["source"]], back[edge["target"]])})
    direct = {}
    for (source, into), lags in direct_links(truth["dag"]).items():
        if source == into or not {source, into} <= set(aim.columns):
            continue
        timeless = {"source": source, "target": into, "lag_min": None}
        allowed = [lag for lag in lags if not by_definition({**timeless, "lag_min": lag})]
        if allowed or (not lags and not by_definition(timeless)):
            direct[source, into] = allowed
    return Compared(true, kept, direct, conditions, left, shown, layer_min(found) or interval)
