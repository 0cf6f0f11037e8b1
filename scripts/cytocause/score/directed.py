"""What acts on what, without lags: the directed summary graph, and what in it is false.

    found  drug --> death      true where the ancestral graph joins the two with a tail at drug
    found  contact o-> speed   says only that speed does not act on contact: not false where a hidden cause joins them
    found  CAF --> speed       false: condition -> x

One false edge is one pair (cause, effect), whatever its layers. Its class is the first that fits: condition -> x; contact ->
fate; lag 0 (all its layers); same cell.
"""

from cytocause.io import inputs_of

CLASSES = ("condition_to_x", "contact_to_fate", "lag_0", "same_cell")


def acts(edge):
    """Whether an edge says that its source acts on its target (or, at lag 0, the other way round): (cause, effect) or None.

    A found edge with a head at one end and none at the other says so; of the truth, one with a tail and a head.
    """
    for cause, effect in (("source", "target"), ("target", "source")):
        if edge[f"mark_{effect}"] == "arrow" and edge[f"mark_{cause}"] != "arrow":
            return edge[cause], edge[effect]
    return None


def directed_edges(work):
    """True, found and false directed summary edges: three sets of (cause, effect).

    A found edge x o-> y (no head at x, and no claim of a tail) is not false where the truth joins x and y by a hidden cause:
    it says no more than that y does not act on x.
    """
    true = {acts(e) for e in work.true} - {None}
    found, claimed = set(), set()
    for e in work.found:
        way = acts(e)
        if way is not None:
            found.add(way)
            if e["mark_source" if e["source"] == way[0] else "mark_target"] == "tail":
                claimed.add(way)
    shielded = set()
    for e in work.true:
        for cause, effect in (("source", "target"), ("target", "source")):
            if e[f"mark_{effect}"] == "arrow" and e[f"mark_{cause}"] == "arrow":
                shielded.add((e[cause], e[effect]))
    return true, found, {way for way in found - true if way in claimed or way not in shielded}


def false_counts(work):
    """False directed edges of a Compared: {"edges": [[cause, effect, class]], "total", and one number per class}."""
    edges = sorted([*way, class_of(way, work)] for way in directed_edges(work)[2])
    out = {"edges": edges, "total": len(edges), **dict.fromkeys(CLASSES, 0)}
    for *_, name in edges:
        out[name] += 1
    return out


def class_of(way, work):
    """Which of CLASSES a false edge (cause, effect) is."""
    cause, effect = way
    if cause in work.conditions or effect in work.conditions:
        return "condition_to_x"
    if _of_neighbours(cause) and _is_fate(effect):
        return "contact_to_fate"
    lags = {e["lag_min"] for e in work.found if acts(e) == way}
    return "lag_0" if lags == {0.0} else "same_cell"


def _of_neighbours(name):
    return any(given.startswith("positions of ") for given in inputs_of(name))


def _is_fate(name):
    return "events" in inputs_of(name)
