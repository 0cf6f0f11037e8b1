"""The scorecard: counts summed over samples, then ratios; one flat key per figure.

    {"segment.ap50": 0.94, "segment.ap50_precision": ..., "track.lnk": ..., "notes": {key: why it is null},
     "counts": {...}, "populations": {...}, "samples": {sample: {population: {...}}}}
"""

from cytocause.score.graph import NOTHING as NO_EDGES
from cytocause.score.graph import ROWS as GRAPH
from cytocause.score.graph import graph_figures
from cytocause.score.linking import lnk
from cytocause.score.ratios import ratios

ROWS = {  # name in the counts -> (key of the figure, which ratio it is, stem of precision and recall)
    "segment": ("segment.ap50", "jaccard", "segment.ap50"),
    "division": ("track.division_f1", "f1", "track.division"),
    "death": ("fate.death_f1", "f1", "fate.death"),
    **GRAPH,
}
SAMPLE_ROWS = ("segment", "link", "division", "death")
GRAPH_ROWS = tuple(GRAPH)
NOTHING = {
    "segment": "no true mask and no found mask",
    "link": "the true tracks have no link",
    "division": "no true division and no found one",
    "death": "no true death and no found one",
    **NO_EDGES,
}


def pool_counts(many):
    """Sum dicts of counts, key by key."""
    total = {}
    for counts in many:
        for key, value in counts.items():
            total[key] = total.get(key, 0) + value
    return total


def figures(name, counts):
    """Flat keys and values of one row, from its counts."""
    if name == "link":
        return {"track.lnk": lnk(counts)}
    key, which, stem = ROWS[name]
    values = ratios(counts)
    return {key: values[which], f"{stem}_precision": values["precision"], f"{stem}_recall": values["recall"]}


def _block(rows):
    block = {}
    for name, counts in rows.items():
        block.update(figures(name, counts))
    block["counts"] = rows
    return block


def scorecard(samples, graph=None, missing=None, extra=None):
    """Put the scorecard together.

    Parameters
    ----------
    samples : {sample: {population: {"segment" | "link" | "division" | "death": counts}}}
    graph : what `graph.graph_counts` returns, or None
    missing : {row: reason} for rows that could not be scored at all
    extra : flat keys added as they are

    Returns
    -------
    dict, plain values, ready for JSON
    """
    missing = dict(missing or {})
    card, notes, pooled = {}, {}, {}
    for name in SAMPLE_ROWS:
        found = [rows[name] for populations in samples.values() for rows in populations.values() if name in rows]
        if found:
            pooled[name] = pool_counts(found)
        else:
            missing.setdefault(name, "no sample has a truth to compare with")
    for name in GRAPH_ROWS:
        if graph is not None and name in graph:
            pooled[name] = graph[name]
        else:
            missing.setdefault(name, "no true graph to compare with")
    for name in (*SAMPLE_ROWS, *GRAPH_ROWS):
        empty = figures(name, pooled.get(name, {"tp": 0, "fp": 0, "fn": 0, "n_edges": 0}))
        card.update(empty)
        for key, value in empty.items():
            if value is None:
                notes[key] = missing[name] if name in missing else _why(name, key)
    if graph is not None:
        card.update(graph_figures(graph))
        if card["infer.lag_error_min"] is None:
            notes["infer.lag_error_min"] = "no true lagged edge was found"
        card["definitional"] = graph.get("definitional", [])
    card.update(extra or {})
    populations = {}
    for by_population in samples.values():
        for population, rows in by_population.items():
            for name, counts in rows.items():
                populations.setdefault(population, {}).setdefault(name, []).append(counts)
    apart = {"unscored_edges": "unscored", "outside_edges": "outside", "unsupported_marks": "unsupported", "false_edges": "false_edges"}
    card["counts"] = {**pooled, **{name: graph[key] for name, key in apart.items() if graph and key in graph}}
    card["notes"] = notes
    card["populations"] = {
        population: _block({name: pool_counts(many) for name, many in rows.items()})
        for population, rows in populations.items()
    }
    card["samples"] = {
        sample: {population: _block(rows) for population, rows in by_population.items()}
        for sample, by_population in samples.items()
    }
    return card


def _why(name, key):
    if key.endswith("_precision"):
        return "nothing was found"
    if key.endswith("_recall"):
        return "there was nothing to find"
    return NOTHING[name]


def rows_of_card(card):
    """The card as rows of a table: sample, population, score, value, tp, fp, fn, note ("" or None where there is none)."""
    rows = []

    def add(sample, population, block, notes):
        for name in (*SAMPLE_ROWS, *GRAPH_ROWS):
            counts = block["counts"].get(name)
            keys = figures(name, counts or {"tp": 0, "fp": 0, "fn": 0, "n_edges": 0})
            for key in keys:
                if key in block:
                    rows.append(
                        {
                            "sample": sample,
                            "population": population,
                            "score": key,
                            "value": block[key],
                            **{k: (counts or {}).get(k) for k in ("tp", "fp", "fn")},
                            "note": notes.get(key, ""),
                        }
                    )

    add("", "", card, card["notes"])
    listed = {row["score"] for row in rows}
    for key in sorted(k for k, v in card.items() if "." in k and k not in listed and not isinstance(v, dict)):
        rows.append({"sample": "", "population": "", "score": key, "value": card[key], "note": card["notes"].get(key, "")})
    for population, block in card["populations"].items():
        add("", population, block, {})
    for sample, by_population in card["samples"].items():
        for population, block in by_population.items():
            add(sample, population, block, {})
    return rows
