"""The true graph of a model on the simulator's own step: one step is one frame interval.

    written edge       contact --3 frames--> death
    what cells do      contact -> contact_time (accumulates)     growth -> size     CAF_presence -> shield
    what is seen       mitosis --4 frames--> division_event      death -> death_event     an event ends the other's hazard
    own past           size, speed, elongation ... --1 frame--> themselves

Not in it: how a dying or rounding cell looks (pairs of an event and a shape or a speed are of one definition), the push of
neighbours, which joins positions and nothing that is measured of a cell, and what the lives of other cells do (graph.py adds it).
"""

import math

from .model import EVENTS, ModelError, division_delay, lag_frames

REMEMBER = ("growth", "size", "speed", "elongation")  # cell variables with a memory of their own (AR(1) of the deviations)
LASTING = ("fitness", "cycle_age", "shield", "density", "contact", "contact_time")  # continue from step to step by what they are
VARYING = (*REMEMBER, "contact", "mitosis", "death")  # may carry random effects of cell, chip and date


def _check(noise):
    if noise not in ("auto", "hidden"):
        raise ValueError(f"noise is {noise!r}; expected is 'auto' or 'hidden'")


def nodes(model, noise="auto"):
    """Nodes of the true graph.

    Parameters
    ----------
    model : CausalModel
    noise : "auto" | "hidden"
        "auto": the memory of a variable is a link to its own past and its random effects are left out. "hidden": both are
        hidden nodes of their own, as in the simulator: <name>_memory (an AR(1) process) and <name>_cell_effect,
        <name>_chip_effect, <name>_date_effect (constant for a cell, a chip, a date), each with one child.

    Returns
    -------
    list of {"name", "kind": contextual | exogenous | cell | chip | hazard | event, "hidden": bool, "observed": column or None,
    "constant": bool (one value for a chip's or a cell's whole time)}
    """
    _check(noise)
    out = []
    for v in model.variables.values():
        hidden = v.hidden or v.kind in ("chip", "hazard")
        observed = None if hidden else v.observed
        constant = v.kind in ("contextual", "chip") or v.name == "fitness"
        out.append({"name": v.name, "kind": v.kind, "hidden": hidden, "observed": observed, "constant": constant})
    for hazard, event in EVENTS.items():
        observed = model.variables[hazard].observed
        out.append({"name": event, "kind": "event", "hidden": False, "observed": observed, "constant": False})
    if noise == "hidden":
        for name, kind, constant in _noises(model):
            out.append({"name": name, "kind": kind, "hidden": True, "observed": None, "constant": constant})
    return out


def _noises(model):
    """(name of the hidden node, kind, constant) of every memory and random effect of the model."""
    out = []
    for name in VARYING:
        values = model.variables[name].values if name in model.variables else {}
        if values.get("memory_min", 0) > 0 and values.get("sd", 0) > 0:
            out.append((f"{name}_memory", "cell", False))
        for level, kind in (("cell", "cell"), ("chip", "chip"), ("date", "chip")):
            if values.get(level + "_sd", 0) > 0:
                out.append((f"{name}_{level}_effect", kind, True))
    return out


def _link(source, target, lag, sign="+", strength=1.0, form="linear"):
    return {"source": source, "target": target, "lag_frames": int(lag), "sign": sign, "strength": float(strength), "form": form}


def causal_links(model, frame_interval_min, noise="auto"):
    """Links of the true graph.

    Parameters
    ----------
    model : CausalModel
    frame_interval_min : float
        Length of a step in min.
    noise : "auto" | "hidden"
        As for `nodes`.

    Returns
    -------
    list of {"source", "target", "lag_frames": int, "sign": "+" | "-", "strength": float, "form"}; the model's edges first, in
    their order. Strengths of links that are no written edge are 1, or the share kept from one step to the next.

    Raises
    ------
    ModelError
        When a lag is no whole number of frames.
    """
    _check(noise)
    if frame_interval_min <= 0:
        raise ModelError(f"a frame interval of {frame_interval_min:g} min is no step; it must be above 0")
    links = [
        _link(e.source, e.target, lag, "+" if e.sign > 0 else "-", e.strength, e.form)
        for e, lag in zip(model.edges, lag_frames(model, frame_interval_min))
    ]
    known = model.variables
    if "growth" in known:
        links.append(_link("growth", "size", 0))
    if "contact_time" in known:
        links.append(_link("contact", "contact_time", 0))
    if "shield" in known:
        links.append(_link(model.populations["caf"]["condition"], "shield", 0))
    links.append(_link("mitosis", EVENTS["mitosis"], division_delay(model, frame_interval_min), form="event"))
    links.append(_link("death", EVENTS["death"], 0, form="event"))
    links.append(_link(EVENTS["mitosis"], "death", 1, "-", form="event"))
    links.append(_link(EVENTS["death"], "mitosis", 1, "-", form="event"))
    links += [_link(event, event, 1, form="memory") for event in EVENTS.values()]
    links += [_link(name, name, 1, form="memory") for name in (*model.of_kind("exogenous"), *LASTING) if name in known]
    links += _memory(model, frame_interval_min, noise)
    return links


def _memory(model, frame_interval_min, noise):
    """The own past of size, speed and the like, and with noise "hidden" the random effects."""
    links = []
    for name in REMEMBER:
        values = model.variables[name].values if name in model.variables else {}
        lasts = values.get("memory_min", 0) > 0 and values.get("sd", 0) > 0
        kept = math.exp(-frame_interval_min / values["memory_min"]) if lasts else 0.0
        if name == "size":  # a cell's area is what it was, and what it grew
            links.append(_link(name, name, 1, form="memory"))
        elif lasts and noise == "auto":
            links.append(_link(name, name, 1, strength=kept, form="memory"))
        if lasts and noise == "hidden":
            links.append(_link(f"{name}_memory", f"{name}_memory", 1, strength=kept, form="memory"))
    if noise == "hidden":
        ends = ("_memory", "_cell_effect", "_chip_effect", "_date_effect")
        for hidden, _, _ in _noises(model):
            target = next(hidden.removesuffix(end) for end in ends if hidden.endswith(end))
            links.append(_link(hidden, target, 0))
    return links
