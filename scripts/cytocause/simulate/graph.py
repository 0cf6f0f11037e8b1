"""The truth a learned graph is scored against.

    model      contact --30 min--> death (hazard)          mitosis (hazard) --40 min--> division (event)
    observed   n_immune_r1 --30 min--> death               size -> mitosis becomes  area_um2 --40 min--> division
    dag        every link on the simulator's own step, hidden nodes and own pasts included

The model's own edges are stored as they are, and as `dag`: nodes (hidden ones too) and links, each variable's own past, the
random effects of cells and chips, the step from a hazard to the event that is seen. What can be found of it depends on the
window of a search and is derived where the two are compared (room `score`).

`scored_edges` carries the edges to the columns of the cell and event tables: names are those of `observed`, and the time from a
hazard to the event that is seen is added to the lag. A condition has no lag (null). `definitional` are pairs that share a mask, a
position or a formula (the data dictionary says which). `induced` are pairs joined only through lives that are not the trajectory's
own: in the dag they go through the hidden nodes EARLIER (a drug that stops division leaves fewer young, small cells), NEIGHBOURS
(a drug that kills leaves fewer cells, so that each meets more of the immune cells and fewer of its kind) and BODY (a dead cell is
let go, and has no neighbours counted). Both are neither true nor false finds.
"""

from cytocause.io import definitional_pairs

from .model import EVENTS, lag_frames

EARLIER = "earlier_lives"  # hidden: how often, and when, the ancestors of a trajectory's first cell divided
NEIGHBOURS = "lives_of_neighbours"  # hidden: how many other tumour cells the chip has left, and whom they hold
BODY = "body"  # hidden: what is left of a dead cell; nothing holds it and it counts no neighbours
LIVES = (EARLIER, NEIGHBOURS, BODY)


def truth_graph(model, frame_interval_min):
    """Everything graph.json holds.

    Parameters
    ----------
    model : CausalModel
    frame_interval_min : float

    Returns
    -------
    dict: model, step_min, frame_interval_min, conditions, variables (observed names), model_variables, edges (on the
    simulator's own step), scored_edges, self_edges, definitional, induced, proxies, dag: {nodes: [{name, kind, hidden, observed,
    constant, and induced: True for LIVES}], links: [{source, target, lag_frames, ...}], step_min}
    """
    seen = {name: v.observed for name, v in model.variables.items()}
    edges = [
        {
            "source": e.source,
            "target": e.target,
            "lag_frames": frames,
            "lag_min": e.lag_min,
            "sign": "+" if e.sign > 0 else "-",
            "strength": e.strength,
            "form": e.form,
        }
        for e, frames in zip(model.edges, lag_frames(model, frame_interval_min))
    ]
    dag = causal_dag(model, frame_interval_min)
    scored = _scored(model, edges, dag)
    joined = {frozenset((e["source"], e["target"])) for e in scored}
    measured = list(dict.fromkeys(n["observed"] for n in dag["nodes"] if n["observed"]))
    definitional = [sorted(pair) for pair in definitional_pairs(measured) if pair not in joined]
    induced = [pair for pair in _induced(model, dag) if frozenset(pair) not in joined]
    return {
        "model": model.name,
        "step_min": float(frame_interval_min),
        "frame_interval_min": float(frame_interval_min),
        "conditions": model.contextual(),
        "variables": measured,
        "model_variables": [
            {"name": v.name, "kind": v.kind, "observed": v.observed, "unit": v.unit, "meaning": v.meaning}
            for v in model.variables.values()
        ],
        "edges": edges,
        "scored_edges": scored,
        "self_edges": [seen[name] for name in ("size", "speed", "elongation", "contact")],
        "definitional": sorted(definitional) + induced,
        "induced": induced,
        "proxies": {v.observed: list(v.proxies) for v in model.variables.values() if v.proxies},
        "dag": dag,
    }


def _scored(model, edges, dag):
    """The edges between columns: each goes on through what nobody measures (hazards, contact time) to what is."""
    column = {n["name"]: n["observed"] for n in dag["nodes"] if n["observed"]}
    out = {}
    for link in dag["links"]:
        if link["target"] not in LIVES:
            out.setdefault(link["source"], []).append(link)
    found = {}

    def follow(edge, at, lag, sign, used):
        if at in column:
            condition = model.variables[edge["source"]].kind == "contextual"
            ends = {"source": column[edge["source"]], "target": column[at]}
            if ends["source"] != ends["target"]:
                lags = {"lag_frames": None, "lag_min": None}
                if not condition:
                    lags = {"lag_frames": lag, "lag_min": lag * dag["step_min"]}
                way = {"sign": "+" if sign > 0 else "-", "strength": edge["strength"], "form": edge["form"]}
                row = {**ends, **lags, "kind": "condition" if condition else "cell", **way}
                found.setdefault((*ends.values(), row["lag_frames"]), row)
            return
        for link in out.get(at, ()):
            if link["target"] not in used:
                turn = -sign if link["sign"] == "-" else sign
                follow(edge, link["target"], lag + link["lag_frames"], turn, used | {link["target"]})

    for edge in edges:
        if edge["source"] in column:
            ends = {edge["source"], edge["target"]}
            follow(edge, edge["target"], edge["lag_frames"], -1 if edge["sign"] == "-" else 1, ends)
    return list(found.values())


def causal_dag(model, frame_interval_min):
    """{"nodes", "links", "step_min"} of the model: its own nodes and links, and the lives that are not the trajectory's own.

    A cell's size when it is first seen hangs on when its ancestors divided. Whatever lasts for a chip's or a cell's whole time
    and acts on division therefore acts on size through EARLIER, a hidden constant node. Whatever is one for the chip and acts on
    division or death acts on how many cells share its immune cells and its room, so on contact and density, through NEIGHBOURS.
    From the frame after its death a cell is no prey and has no neighbours: BODY.
    """
    nodes, links = model.nodes("hidden"), model.causal_links(frame_interval_min, "hidden")
    lasting = {node["name"] for node in nodes if node["constant"]}
    of_chip = {node["name"] for node in nodes if node["kind"] in ("contextual", "exogenous", "chip")}
    crowd = [name for name in ("contact", "density") if name in model.variables]
    before = sorted(_above(links, "mitosis") & lasting)
    around = sorted((_above(links, "mitosis") | _above(links, "death")) & of_chip)
    dead = EVENTS["death"]
    if before:
        nodes = [*nodes, _life(EARLIER, constant=True)]
        links = [*links, *(_link(name, EARLIER, 0) for name in before), _link(EARLIER, "size", 0)]
    if around and crowd:
        nodes = [*nodes, _life(NEIGHBOURS)]
        links += [*(_link(name, NEIGHBOURS, 0) for name in around), _link(NEIGHBOURS, NEIGHBOURS, 1)]
        links += [_link(NEIGHBOURS, name, 1) for name in crowd]
    nodes = [*nodes, _life(BODY)]
    links = [*links, _link(dead, BODY, 1), *(_link(BODY, name, 0) for name in crowd)]
    return {"nodes": nodes, "links": links, "step_min": float(frame_interval_min)}


def _life(name, constant=False):
    return {"name": name, "kind": "cell", "hidden": True, "observed": None, "constant": constant, "induced": True}


def _above(links, name):
    """Names of all nodes from which a way leads to a node."""
    found, stack = set(), [name]
    while stack:
        at = stack.pop()
        for link in links:
            if link["target"] == at and link["source"] not in found:
                found.add(link["source"])
                stack.append(link["source"])
    return found


def _induced(model, dag):
    """[condition, column]: conditions that act on what is measured through other lives only."""
    links = dag["links"]
    own = [link for link in links if not {link["source"], link["target"]} & set(LIVES)]
    column = {n["name"]: n["observed"] for n in dag["nodes"] if n["observed"]}
    touched = [link["target"] for link in links if link["source"] in LIVES and link["target"] in column]
    return [
        [column[name], column[node]]
        for name in model.contextual()
        for node in dict.fromkeys(touched)
        if name in _above(links, node) - _above(own, node)
    ]


def _link(source, target, lag, **way):
    return {"source": source, "target": target, "lag_frames": lag, "sign": "+", "strength": 1.0, "form": "linear", **way}
