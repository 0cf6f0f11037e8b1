"""The scorecard: counts summed over samples, then ratios; one flat key per figure.

    {"segment.ap50": 0.94, "segment.ap50_precision": ..., "track.lnk": ..., "notes": {key: why it is null},
     "intervals": {key: [low, high]}, "counts": {...}, "populations": {...}, "samples": {sample: {population: {...}}}}

A row is one question; it knows its counts (`pool_counts` adds them) and turns them into figures (`figures`). Intervals are
percentiles over chips (`bootstrap`); a graph is one for the whole experiment and has none. Two keys are no scores: `score.test_range`
(whether nothing that was scored was simulated with what models are trained on) and `measure.features_without_truth` (how many
features of how many populations nothing is known about); what they are about stands in `notes`.
"""

from cytocause.score.bootstrap import intervals
from cytocause.score.chota import chota
from cytocause.score.complete import complete
from cytocause.score.features import feature_figures
from cytocause.score.graph import NOTHING as NO_EDGES
from cytocause.score.graph import ROWS as GRAPH
from cytocause.score.graph import graph_figures
from cytocause.score.linking import lnk
from cytocause.score.onset import onset_figures
from cytocause.score.phase import PHASES, phase_figures
from cytocause.score.ratios import ratios
from cytocause.score.seg import seg

HITS = {"tp": 0, "fp": 0, "fn": 0}
RATIOS = {  # name in the counts -> (key of the figure, which ratio it is, stem of precision and recall)
    "detection": ("segment.detection_f1", "f1", "segment.detection"),
    "segment": ("segment.ap50", "jaccard", "segment.ap50"),
    "segment75": ("segment.ap75", "jaccard", "segment.ap75"),
    "division": ("track.division_f1", "f1", "track.division"),
    "division_event": ("fate.division_f1", "f1", "fate.division"),
    "death": ("fate.death_f1", "f1", "fate.death"),
    **GRAPH,
}
NUMBERS = {  # name in the counts -> (key of the figure, figure of the counts, counts of nothing)
    "seg": ("segment.seg", seg, {"sum": 0.0, "n": 0}),
    "link": ("track.lnk", lnk, {"n_edges": 0}),
    "chota": ("track.chota", chota, {"sum": 0.0, "n": 0}),
    "lineage": ("track.complete_lineages", complete, {"complete": 0, "n": 0}),
}
ONSETS = {"division_onset": "fate.division_onset", "death_onset": "fate.death_onset"}
SAMPLE_ROWS = (
    *("detection", "segment", "segment75", "seg", "link", "chota", "division", "lineage"),
    *("division_event", "division_onset", "death", "death_onset", "phase"),
)
GRAPH_ROWS = tuple(GRAPH)
NOTHING = {
    "detection": "no true cell and no found mask",
    "segment": "no true mask and no found mask",
    "segment75": "no true mask and no found mask",
    "seg": "no true mask",
    "link": "the true tracks have no link",
    "chota": "no true track and no found one",
    "division": "no true division and no found one",
    "lineage": "no true lineage",
    "division_event": "no true division and no found one",
    "division_onset": "no division was hit",
    "death": "no true death and no found one",
    "death_onset": "no death was hit",
    "phase": "no matched cell is in that phase",
    **NO_EDGES,
}
NO_STAGE = {"phase": "no stage writes a phase per cell and frame yet"}


def pool_counts(many):
    """Sum dicts of counts, key by key (lists are joined, dicts summed inside)."""
    total = {}
    for counts in many:
        for key, value in counts.items():
            if isinstance(value, dict):
                total[key] = pool_counts([total.get(key, {}), value])
            else:
                total[key] = total[key] + value if key in total else value
    return total


def figures(name, counts):
    """Flat keys and values of one row, from its counts."""
    counts = counts or {}
    if name in RATIOS:
        key, which, stem = RATIOS[name]
        values = ratios({**HITS, **counts})
        return {key: values[which], f"{stem}_precision": values["precision"], f"{stem}_recall": values["recall"]}
    if name in NUMBERS:
        key, figure, nothing = NUMBERS[name]
        return {key: figure({**nothing, **counts})}
    if name in ONSETS:
        error, bias = onset_figures(counts.get("errors_min", ()))
        return {f"{ONSETS[name]}_error_min": error, f"{ONSETS[name]}_bias_min": bias}
    if name == "phase":
        nothing = {f"{phase}_{what}": 0 for phase in PHASES for what in ("hits", "n")}
        return phase_figures({"hits": 0, "n": 0, **nothing, **counts})
    values = {}  # features
    for feature, sums in counts.items():
        values[f"measure.{feature}_r2"], values[f"measure.{feature}_bias"] = feature_figures(sums)
    return values


def _figures_of_all(rows):
    out = {}
    for name, counts in rows.items():
        out |= figures(name, counts)
    return out


def _told(name, counts):
    """Counts as the card shows them: of a list its length."""
    return {"n": len(counts["errors_min"])} if name in ONSETS else counts


def _block(rows):
    return {**_figures_of_all(rows), "counts": {name: _told(name, counts) for name, counts in rows.items()}}


def _intervals(samples, chips, resamples, seed):
    """Intervals of all sample rows; samples : {sample: [rows, ...]}."""
    units = {}
    for sample, blocks in samples.items():
        units.setdefault(chips.get(sample, sample), []).extend(blocks)

    def of(drawn):
        return _figures_of_all(pool_counts(drawn))

    return intervals(of, [pool_counts(blocks) for blocks in units.values()], resamples, seed)


def scorecard(samples, graph=None, missing=None, *, features=None, ranges=None, chips=None, resamples=0, seed=0):
    """Put the scorecard together.

    Parameters
    ----------
    samples : {sample: {population: {name of a row: counts}}}
    graph : what `graph.graph_counts` returns, or None
    missing : {row: reason} for rows that could not be scored at all
    features : {population: [what `features.measured_features` returns, one per sample]}
    ranges : {sample: {"test_range": bool, "training_values": [texts]}}, as simulate writes it among the seeds; {} for one that does not say
    chips : {sample: chip}; a sample that is not in it is a chip of its own
    resamples, seed : of the bootstrap over chips; 0 resamples leave the intervals out

    Returns
    -------
    dict, plain values, ready for JSON
    """
    missing, chips = dict(missing or {}), dict(chips or {})
    card, notes, pooled = {}, {}, {}
    for name in (*SAMPLE_ROWS, "features"):
        found = [rows[name] for populations in samples.values() for rows in populations.values() if name in rows]
        if found:
            pooled[name] = pool_counts(found)
        else:
            missing.setdefault(name, NO_STAGE.get(name) if samples and name in NO_STAGE else "no sample has a truth to compare with")
    for name in GRAPH_ROWS:
        if graph is not None and name in graph:
            pooled[name] = graph[name]
        else:
            missing.setdefault(name, "no true graph to compare with")
    for name in (*SAMPLE_ROWS, "features", *GRAPH_ROWS):
        values = figures(name, pooled.get(name))
        card.update(values)
        for key, value in values.items():
            if value is None:
                notes[key] = missing[name] if name in missing else _why(name, key)
    if graph is not None:
        card.update(graph_figures(graph))
        if card["infer.lag_error_min"] is None:
            notes["infer.lag_error_min"] = "no true lagged edge was found"
        card["definitional"] = graph.get("definitional", [])
    for key, (value, note) in {
        "measure.features_without_truth": _without_truth(features or {}),
        "score.test_range": _test_range(samples, ranges or {}),
    }.items():
        card[key] = value
        if note:
            notes[key] = note
    populations = {}
    for sample, by_population in samples.items():
        for population, rows in by_population.items():
            populations.setdefault(population, {})[sample] = [rows]
    n_chips = len({chips.get(sample, sample) for sample in samples})
    apart = {"unscored_edges": "unscored", "outside_edges": "outside", "unsupported_marks": "unsupported", "false_edges": "false_edges"}
    card["counts"] = {name: _told(name, counts) for name, counts in pooled.items()}
    card["counts"] |= {name: graph[key] for name, key in apart.items() if graph and key in graph}
    card["notes"] = notes
    card["intervals"] = _intervals({s: list(by.values()) for s, by in samples.items()}, chips, resamples, seed)
    card["bootstrap"] = {
        "chips": n_chips,
        "resamples": resamples,
        "seed": seed,
        "note": "" if n_chips > 1 else "fewer than two chips: no interval can be given",
    }
    card["populations"] = {
        population: {
            **_block(pool_counts(rows for blocks in by_sample.values() for rows in blocks)),
            "intervals": _intervals(by_sample, chips, resamples, seed),
        }
        for population, by_sample in populations.items()
    }
    card["samples"] = {
        sample: {population: _block(rows) for population, rows in by_population.items()}
        for sample, by_population in samples.items()
    }
    return card


def _without_truth(features):
    """Number of features without a true value, over populations, and which they are; None where no table was looked at."""
    without, parts = 0, []
    for population, of_samples in features.items():
        known = {name for one in of_samples for name in one["with"]}
        names = [name for name in dict.fromkeys(name for one in of_samples for name in one["without"]) if name not in known]
        without += len(names)
        if names:
            parts.append(f"{population}: " + (", ".join(names) if known else f"all {len(names)} features"))
    if not features:
        return None, "no table of measurements was compared"
    return without, "measured and never scored, the truth has no value: " + "; ".join(parts) if parts else ""


def _test_range(samples, ranges):
    """Whether no sample was simulated with a seed or a value that models are trained on; None where a sample does not say."""
    if not samples:
        return None, "no sample has a truth to compare with"
    trained = {}  # what is of the training range -> samples
    for sample in samples:
        if ranges.get(sample, {}).get("test_range") is False:
            values = ", ".join(map(str, ranges[sample].get("training_values") or ())) or "not named"
            trained.setdefault(values, []).append(sample)
    if trained:
        parts = [values + ("" if len(names) == len(samples) else f" ({', '.join(names)})") for values, names in trained.items()]
        return False, "settings of the training range: not a test score: " + "; ".join(parts)
    silent = [sample for sample in samples if ranges.get(sample, {}).get("test_range") is None]
    return (None, "it is not said of " + ", ".join(silent)) if silent else (True, "")


def _why(name, key):
    if key.endswith("_precision"):
        return "nothing was found"
    if name in RATIOS and key.endswith("_recall"):
        return "there was nothing to find"
    if name == "features":
        return "the true values are all the same" if key.endswith("_r2") else "no matched cell has both values"
    return NOTHING[name]


def rows_of_card(card):
    """The card as rows of a table: sample, population, score, value, low, high, tp, fp, fn, note ("" or None where there is none)."""
    rows = []

    def add(sample, population, block, notes):
        bounds, told = block.get("intervals", {}), {}
        for name, counts in block["counts"].items():
            if name in RATIOS:
                told |= dict.fromkeys(figures(name, counts), counts)
        for key in _keys(block):
            low, high = bounds.get(key, (None, None))
            counts = {k: told.get(key, {}).get(k) for k in HITS}
            row = {"sample": sample, "population": population, "score": key, "value": int(block[key]) if isinstance(block[key], bool) else block[key]}
            rows.append({**row, "low": low, "high": high, **counts, "note": notes.get(key, "")})

    add("", "", card, card["notes"])
    for population, block in card["populations"].items():
        add("", population, block, {})
    for sample, by_population in card["samples"].items():
        for population, block in by_population.items():
            add(sample, population, block, {})
    return rows


def _keys(block):
    return [key for key, value in block.items() if "." in key and not isinstance(value, dict)]
