"""The ablation chain: which hand-over costs how much of the graph.

    pixels   masks   tracks   fates   variables   table   graph
      o--------o-------o--------o---------o---------o-------o     found       F1 = 0.60
      .   true o-------o--------o---------o---------o-------o     masks       F1 = 0.65    so the masks cost 0.05
      .   .   true o------------o---------o---------o-------o     tracks      F1 = 0.65    the tracks nothing
      ...                                                         variables   F1 = 0.80    what is left is the inference's own

Each level makes one more hand-over true and keeps those before. A step's gain is what the stage that it replaces had lost.
"""

from itertools import pairwise

from cytocause.score.card import GRAPH_ROWS, figures
from cytocause.score.jackknife import jackknife_interval

LEVELS = ("found", "masks", "tracks", "fates", "variables")
STAGE = {"masks": "segment", "tracks": "track", "fates": "fate", "variables": "measure"}  # whose work a step makes true


def ablation(counts, without=None, max_rows=None):
    """The chain's figures and what each step gains.

    Parameters
    ----------
    counts : {level: {"skeleton" | ...: {"tp", "fp", "fn"}}}, the levels in LEVELS
    without : {level: [the same without one chip each, chips in one order for all levels]} or None
    max_rows : limit of rows of each level's table, or None; under one the levels differ in how many tracks they hold

    Returns
    -------
    dict: levels [{level, key: F1, precision, recall}, ...], steps [{from, to, stage, key: {from, to, gain, low, high}}, ...] with the
    whole chain last, note
    """
    without = without or {}
    values = {level: _figures(counts[level]) for level in LEVELS}
    others = {level: [_figures(graph) for graph in without.get(level, ())] for level in LEVELS}
    n_chips = min(len(rest) for rest in others.values())
    pairs = [*pairwise(LEVELS), (LEVELS[0], LEVELS[-1])]
    steps = []
    for before, after in pairs:
        step = {"from": before, "to": after, "stage": STAGE[after] if LEVELS.index(after) == LEVELS.index(before) + 1 else "all"}
        for key in (key for key in values[before] if key.endswith("_f1")):
            gain = _gain(values[before], values[after], key)
            rest = [_gain(a, b, key) for a, b in zip(others[before], others[after])]
            low, high = jackknife_interval(gain, rest) or (None, None)
            step[key] = {"from": values[before][key], "to": values[after][key], "gain": gain, "low": low, "high": high}
        steps.append(step)
    note = (
        f"95 % intervals of the gains by leaving out one of {n_chips} chips at a time"
        if n_chips >= 3
        else "no intervals: score.ablation_intervals is off, or there are fewer than three chips"
    )
    if max_rows:
        note += f"; tables of at most {max_rows:,} rows, which hold fewer of the longer true tracks: assemble.max_rows: null is fairer"
    return {"levels": [{"level": level, **values[level]} for level in LEVELS], "steps": steps, "chips": n_chips, "note": note}


def _figures(graph):
    out = {}
    for name in GRAPH_ROWS:
        if name in graph:
            out |= figures(name, graph[name])
    return out


def _gain(before, after, key):
    a, b = before.get(key), after.get(key)
    return None if a is None or b is None else b - a


def rows_of_ablation(chain):
    """The chain as rows of a table: level, score, value, gain, low, high; gain is over the level before, of `all` over the whole chain."""
    rows = []
    for values in chain["levels"]:
        level = values["level"]
        step = next((step for step in chain["steps"][:-1] if step["to"] == level), {})
        for key in (key for key in values if key != "level"):
            value = values[key]
            gained = step.get(key, {})
            rows.append({"level": level, "score": key, "value": value, **{k: gained.get(k) for k in ("gain", "low", "high")}})
    for key, gained in chain["steps"][-1].items():
        if isinstance(gained, dict):
            rows.append({"level": "all", "score": key, "value": None, **{k: gained[k] for k in ("gain", "low", "high")}})
    return rows
