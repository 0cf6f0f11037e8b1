"""The truth a learned graph is scored against.

    model      contact --30 min--> death (hazard)          mitosis (hazard) --40 min--> division (event)
    observed   n_immune_r1 --30 min--> death               size -> mitosis becomes  area_um2 --40 min--> division

The model's own edges are stored as they are. `scored_edges` carries them to the columns of the cell and event tables: names are
those of `observed`, and the time from a hazard to the event that is seen is added to the lag. A condition has no lag (null).
`definitional` are pairs that share a mask or a position with an event (a dying cell shrinks because that is what dying looks
like); `induced` are pairs joined through what happened before a trajectory began (a drug that stops division leaves fewer
young, small cells) and are listed among them too. They are neither true nor false finds.
"""

from .model import lag_frames


def truth_graph(model, frame_interval_min):
    """Everything graph.json holds.

    Parameters
    ----------
    model : CausalModel
    frame_interval_min : float

    Returns
    -------
    dict: model, step_min, frame_interval_min, conditions, variables (observed names), model_variables, edges (on the
    simulator's own step), scored_edges, self_edges, definitional, induced, proxies
    """
    seen = {name: v.observed for name, v in model.variables.items()}
    edges, scored = [], []
    for edge, frames in zip(model.edges, lag_frames(model, frame_interval_min)):
        condition = model.variables[edge.source].kind == "contextual"
        sign = "+" if edge.sign > 0 else "-"
        way = {"sign": sign, "strength": edge.strength, "form": edge.form}
        edges.append(
            {"source": edge.source, "target": edge.target, "lag_frames": frames, "lag_min": edge.lag_min, **way}
        )
        delay = _delay_frames(model, edge.target, frame_interval_min)
        scored.append(
            {
                "source": seen[edge.source],
                "target": seen[edge.target],
                "lag_frames": None if condition else frames + delay,
                "lag_min": None if condition else (frames + delay) * frame_interval_min,
                "kind": "condition" if condition else "cell",
                **way,
            }
        )
    events = [seen[name] for name in ("mitosis", "death")]
    features = [seen[name] for name in ("size", "speed", "elongation")]
    joined = {frozenset((e["source"], e["target"])) for e in scored}
    shared = [[e, f] for e in events for f in features]
    shared.append(events)  # a divided cell cannot die in the same track and the other way round
    shared.append([seen["mitosis"], seen["contact"]])  # after a division a row is the mean of two daughters
    shared.append([seen["size"], seen["elongation"]])  # of one mask
    definitional = [pair for pair in shared if frozenset(pair) not in joined]
    induced = _induced(model, seen)
    return {
        "model": model.name,
        "step_min": float(frame_interval_min),
        "frame_interval_min": float(frame_interval_min),
        "conditions": model.contextual(),
        "variables": [v.observed for v in model.variables.values()],
        "model_variables": [
            {"name": v.name, "kind": v.kind, "observed": v.observed, "unit": v.unit, "meaning": v.meaning}
            for v in model.variables.values()
        ],
        "edges": edges,
        "scored_edges": scored,
        "self_edges": [seen[name] for name in ("size", "speed", "elongation", "contact")],
        "definitional": definitional + induced,
        "induced": induced,
        "proxies": {v.observed: list(v.proxies) for v in model.variables.values() if v.proxies},
    }


def _induced(model, seen):
    """Conditions that act on division and not on size: division halves the area, in lives before the trajectory."""
    acts = {(e.source, e.target) for e in model.edges}
    return [
        [seen[name], seen["size"]]
        for name in model.contextual()
        if (name, "mitosis") in acts and (name, "size") not in acts
    ]


def _delay_frames(model, target, frame_interval_min):
    """Frames from the hazard's step to the event that is seen: a division shows the daughters after mitosis."""
    if target != "mitosis":
        return 0
    return max(2, round(model.variables["mitosis"].values["duration_min"] / frame_interval_min))
