"""The found graph against what a perfect learner could find in the same window.

    truth   drug ----> death        found   drug ----> death       hit in every row
            contact -30 min-> death         contact -20 min-> death  hit; the lag within its tolerance
                                            area --- speed         superfluous

One question a row, over pairs of different variables (links of a variable to its own past are outside):

    summary     does x act on y, whatever the lag? x acts where the ancestral graph joins the two with a tail at x
    skeleton    is the pair joined at all?        against the ancestral graph
    direct      is the pair joined at all?        against the model's own links
    lag         at this lag? A direct link has its own lags, any other pair those of the ancestral graph. Several layers
                round one true lag are one hit, all others of a pair together one error. Conditions have no lag.
    arrowhead   is there a head at this end?      only where the marks can be known (PAG)
    tail        is there a tail at this end?      likewise; claims where they cannot be known are `unsupported`
    condition   the skeleton's pairs of a condition and a variable

Which edges are compared: compared.py. The ancestral graph: target.py.
"""

from statistics import median

from cytocause.score.compared import compared, found_edge, known_edge, pair, written_out
from cytocause.score.directed import CLASSES, directed_edges, false_counts

ROWS = {  # name in the counts -> (key of the figure, which ratio it is, stem of precision and recall)
    row: (f"infer.{row}_f1", "f1", f"infer.{row}")
    for row in ("summary", "skeleton", "direct", "lag", "arrowhead", "tail", "condition")
}
NOTHING = {
    "summary": "no true directed edge and no found one",
    "skeleton": "no true edge and no found one",
    "direct": "no true edge and no found one",
    "lag": "no true lagged edge and no found one",
    "arrowhead": "no true arrowhead and no found one",
    "tail": "no true tail and no found one",
    "condition": "no true condition edge and no found one",
}


def _set_counts(true, found):
    hit = len(true & found)
    return {"tp": hit, "fp": len(found) - hit, "fn": len(true) - hit}


def _lagged(edges):
    """(older, newer) -> {(lag, look-back of the two features)} in min; at lag 0 the pair has no order."""
    lags = {}
    for edge in edges:
        if edge["lag_min"] is not None:
            lags.setdefault((edge["source"], edge["target"]), set()).add((edge["lag_min"], edge.get("look_back_min", 0.0)))
    return lags


def _signed(lags, source, target):
    """{(older, newer, lag, look-back): lag by which `source` is older than `target`, negative where it is newer}."""
    return {(source, target, *at): at[0] for at in lags.get((source, target), ())} | {
        (target, source, *at): -at[0] for at in lags.get((target, source), ())
    }


def _lag_counts(work, true, layers):
    """Counts of the row lag, and the errors (min) of the true lags whose pair was found in that order."""
    found = {p: lags for p, lags in _lagged(work.found).items() if not work.conditions & set(p)}
    joined = {p: lags for p, lags in _lagged(work.true).items() if not work.conditions & set(p)}
    tp = fn = 0
    explained, errors = set(), []

    def near(source, target, lag):
        """Found layers of the pair, and those within their tolerance; a short lag may be seen as lag 0, and lag 0 has no order."""
        signed = _signed(found, source, target)
        limit = {k: work.tolerance_min(lag, k[3], layers) for k in signed}
        kept = {k: v for k, v in signed.items() if v > 0 or k[:2] == (source, target) or lag <= limit[k]}
        return kept, {k for k, v in kept.items() if abs(v - lag) <= limit[k] + 1e-9}

    units = {}
    for source, target in true:
        lags = [[lag] for lag in work.direct.get((source, target), ())] or [sorted(lag for lag, _ in joined.get((source, target), ()))]
        units[source, target] = [choice for choice in lags if choice]
    for (source, target), choices in units.items():
        for choice in choices:
            hits, off = set(), []
            for lag in choice:
                kept, good = near(source, target, lag)
                hits |= good
                off += [abs(v - lag) for k, v in kept.items() if v > 0 or k in good]
            tp, fn = tp + bool(hits), fn + (not hits)
            explained |= hits
            if off:
                errors.append(min(off))
    for (source, target), lags in joined.items():
        for lag, _ in lags:
            explained |= near(source, target, lag)[1]
    fp = sum(any((*p, *at) not in explained for at in lags) for p, lags in found.items())
    return {"tp": tp, "fp": fp, "fn": fn}, sorted(errors)


def _end(edge, end):
    """The place of a mark, whatever the layers: the pair (ordered by time, where it has one) and the name at that end."""
    ordered = edge["lag_min"] is not None and edge["lag_min"] > 0
    return (edge["source"], edge["target"]) if ordered else pair(edge), edge[end]


def _match(edge, true, work, layers):
    """The true edge of the same pair that is nearest in time within the tolerance, or None."""
    best = None
    for e in true:
        if pair(e) != pair(edge):
            continue
        if edge["lag_min"] is None or e["lag_min"] is None:
            return e
        lag = edge["lag_min"] if e["source"] == edge["source"] or edge["lag_min"] == 0 else -edge["lag_min"]
        off = abs(e["lag_min"] - lag)
        if off <= work.tolerance_min(e["lag_min"], edge.get("look_back_min", 0.0), layers) + 1e-9 and (best is None or off < best[0]):
            best = (off, e)
    return None if best is None else best[1]


def _mark_counts(work, mark, other, layers):
    """Counts of one mark, and the number of ends where it is claimed although nobody can know."""
    true = {_end(e, end) for e in work.true for end in ("source", "target") if e[f"known_{end}"] == mark}
    hit, false, unsupported = set(), set(), set()
    for edge in work.found:
        match = _match(edge, work.true, work, layers)
        for end in ("source", "target"):
            if edge[f"mark_{end}"] != mark:
                continue
            if match is None:
                false.add(_end(edge, end))
                continue
            at = "source" if match["source"] == edge[end] else "target"
            known = match[f"known_{at}"]
            place = _end(match, at)
            (hit if known == mark else false if known == other else unsupported).add(place)
    counts = {"tp": len(hit), "fp": len(false - hit), "fn": len(true - hit)}
    return counts, len(unsupported - hit - false)


def compare(work, layers=1.0):
    """Counts of all rows of a Compared; see `graph_counts`."""
    true, found, false = directed_edges(work)
    joined_true, joined_found = {pair(e) for e in work.true}, {pair(e) for e in work.found}

    def of_condition(pairs):
        return {p for p in pairs if len(p & work.conditions) == 1}

    lag, errors = _lag_counts(work, true, layers)
    arrowhead, open_heads = _mark_counts(work, "arrow", "tail", layers)
    tail, open_tails = _mark_counts(work, "tail", "arrow", layers)
    return {
        "summary": {"tp": len(true & found), "fp": len(false), "fn": len(true - found)},
        "skeleton": _set_counts(joined_true, joined_found),
        "direct": _set_counts({frozenset(p) for p in work.direct}, joined_found),
        "lag": lag,
        "arrowhead": arrowhead,
        "tail": tail,
        "condition": _set_counts(of_condition(joined_true), of_condition(joined_found)),
        "unscored": sum(work.outside.values()),
        "outside": dict(work.outside),
        "unsupported": {"arrowhead": open_heads, "tail": open_tails},
        "lag_errors_min": errors,
        "false_edges": false_counts(work),
        "definitional": sorted([*sorted(p), reason] for p, reason in work.shown.items()),
    }


def edge_counts(true_edges, found_edges, *, conditions, variables=None, definitional=(), tolerance_min, frame_interval_min=None):
    """Counts of two lists of edges as they are, every mark of the truth known; the rows of `graph_counts`.

    Parameters
    ----------
    true_edges, found_edges : lists of dicts with source, target (source acts on or goes before target), lag_min or
        lag_frames (None for a condition), and mark_source, mark_target ("arrow" | "tail" | anything else for undecided)
    conditions : names of the conditions
    variables : names the truth knows; default those of the true edges and the conditions
    definitional : pairs of names that are not compared, unless the truth joins them
    tolerance_min : float, one layer (min)
    frame_interval_min : float, for edges that give their lag in frames only
    """
    true = [known_edge(e, frame_interval_min) for e in true_edges]
    found = [found_edge(e, frame_interval_min) for e in found_edges]
    return compare(written_out(true, found, conditions, variables, definitional, tolerance_min))


def same_truth(graphs):
    """The one true graph behind several samples, or None and why there is none.

    Parameters
    ----------
    graphs : list of dicts as written by simulate (`scored_edges`, `dag` and the rest)

    Returns
    -------
    graph, reason : dict and "", or None and a sentence
    """
    graphs = [g for g in graphs if g and "scored_edges" in g]
    if not graphs:
        return None, "no sample has a true graph"
    if any(g["scored_edges"] != graphs[0]["scored_edges"] or g.get("dag") != graphs[0].get("dag") for g in graphs[1:]):
        return None, "the samples were simulated with different causal models; score them one model at a time"
    return graphs[0], ""


def graph_counts(truth, found, cfg):
    """Counts of every row of ROWS, and what is counted apart.

    Parameters
    ----------
    truth, found : dicts as simulate and infer write them in their graph.json
    cfg : the section score (lag_tolerance_layers and the tolerances of a death); optional windows, see `compared`

    Returns
    -------
    dict: row -> {"tp", "fp", "fn"}; false_edges (see directed.false_counts); unscored (found edges outside the comparison) and outside (of them by reason: unknown,
    definitional, induced); unsupported {arrowhead, tail}: claims where no learner can know; lag_errors_min (list);
    definitional: [[a, b, reason]] of the pairs in the table that share a mask, a position or a formula
    """
    return compare(compared(truth, found, cfg), cfg.get("lag_tolerance_layers", 1.0))


def graph_figures(graph):
    """Flat keys of a graph's counts beside the ratios of ROWS."""
    errors = graph.get("lag_errors_min") or []
    unsupported, false = graph.get("unsupported") or {}, graph.get("false_edges") or {}
    return {
        "infer.lag_error_min": float(median(errors)) if errors else None,
        "infer.unsupported_marks": sum(unsupported.values()),
        "infer.false_directed_edges": false.get("total"),
        **{f"infer.false_edges_{name}": false.get(name) for name in CLASSES},
        "infer.false_condition_edges": graph["condition"]["fp"],
        "infer.definitional_edges": (graph.get("outside") or {}).get("definitional", 0),
    }
