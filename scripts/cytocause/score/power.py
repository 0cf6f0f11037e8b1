"""Power: how many chips, cells and hours show an edge, and what an experiment of that size invents.

    true edge         found         the learned graph joins the two
                      absent        it does not
                      undecidable   a condition's edge, where even the clearest outcome could not give a permutation of so few chips
                                    a p of alpha: whatever the graph says rests on cells of the same chips

    false             a false edge of the directed summary graph, by class (directed.py); over the worlds of one size the mean number and the
                      probability of at least one, each with its one-sided upper 95 % bound (false_edges.py)
    cost              chips x hours, the time of a microscope with one place

Recall is the share of the model's own edges between columns of the table that were found; undecidable ones count as not found.
"""

from collections import Counter
from statistics import mean

import pandas as pd

from cytocause.score.directed import CLASSES
from cytocause.score.false_edges import false_edges, pool_false_edges

AXES = ("chips", "cells", "hours", "interval_min")


def status(edge, joined, smallest_p, alpha):
    """"found", "absent" or "undecidable" for one true edge.

    edge : dict with source, target; joined : set of frozensets of two names; smallest_p : {condition: p}; alpha : float
    """
    if any(smallest_p.get(edge[end], 0.0) > alpha for end in ("source", "target")):
        return "undecidable"
    return "found" if frozenset((edge["source"], edge["target"])) in joined else "absent"


def world_of(truth, found, columns, smallest_p, alpha, cfg):
    """What one world shows.

    Parameters
    ----------
    truth : dict, graph.json of simulate (scored_edges and what false_edges reads)
    found : dict, graph.json of infer
    columns : set of str, the table's columns; edges of other variables are hidden and not asked for
    smallest_p : dict condition -> smallest p that a permutation of the chips could give
    alpha : float
    cfg : the section score

    Returns
    -------
    dict: edges [{source, target, status, joined}], false {"total" and every class: int, false edges of the directed summary graph},
    smallest_p
    """
    joined = {frozenset((e["source"], e["target"])) for e in found["edges"]}
    edges = {}
    for edge in truth["scored_edges"]:
        pair = (edge["source"], edge["target"])
        if set(pair) <= columns and pair[0] != pair[1]:
            edges[pair] = {
                "source": pair[0],
                "target": pair[1],
                "status": status(edge, joined, smallest_p, alpha),
                "joined": frozenset(pair) in joined,
            }
    false = false_edges(truth, found, cfg)
    return {"edges": list(edges.values()), "false": {name: false[name] for name in ("total", *CLASSES)}, "smallest_p": dict(smallest_p)}


def experiments(worlds):
    """Worlds of one grid put together.

    Parameters
    ----------
    worlds : list of dicts as world_of returns, with chips, cells, hours, interval_min, seed, rows, trajectories

    Returns
    -------
    table : DataFrame, one row per experiment: chips, cells, hours, interval_min, cost_chip_hours, worlds, rows, trajectories (means),
        recall, recall_lowest, recall_highest, undecidable (shares of the true edges); false_edges (mean), false_edges_upper95,
        false_edges_highest, share_with_false, share_with_false_upper95; the same but for the highest by class: false_edges_<class>,
        false_edges_<class>_upper95, share_with_false_<class>, share_with_false_<class>_upper95
    edges : list of dicts, one per experiment and true edge: the axes, source, target, found, absent, undecidable, joined (counts)
    """
    groups = {}
    for world in worlds:
        groups.setdefault(tuple(world[axis] for axis in AXES), []).append(world)
    rows, edges = [], []
    for place in sorted(groups):
        group = sorted(groups[place], key=lambda world: world["seed"])
        at = dict(zip(AXES, place))
        recall = [_share(world, "found") for world in group]
        rows.append(
            {
                **at, "cost_chip_hours": at["chips"] * at["hours"], "worlds": len(group),
                "rows": mean(world["rows"] for world in group), "trajectories": mean(world["trajectories"] for world in group),
                "recall": mean(recall), "recall_lowest": min(recall), "recall_highest": max(recall),
                "undecidable": mean(_share(world, "undecidable") for world in group),
                **_false([world["false"] for world in group]),
            }
        )  # fmt: skip
        for k, edge in enumerate(group[0]["edges"]):
            counts = Counter(world["edges"][k]["status"] for world in group)
            named = {name: counts[name] for name in ("found", "absent", "undecidable")}
            joined = sum(world["edges"][k]["joined"] for world in group)
            edges.append({**at, "source": edge["source"], "target": edge["target"], **named, "joined": joined})
    table = pd.DataFrame(rows)
    return table.astype({"hours": float, "interval_min": float, "cost_chip_hours": float, "rows": float, "trajectories": float}), edges


def _false(worlds):
    """The columns of false edges; worlds : list of {"total" and every class: int}."""
    pooled = pool_false_edges(worlds)
    columns = {"false_edges_highest": max(world["total"] for world in worlds)}
    for name in ("total", *CLASSES):
        of, own = "" if name == "total" else f"_{name}", pooled[name]
        columns |= {f"false_edges{of}": own["mean"], f"false_edges{of}_upper95": own["mean_upper95"]}
        columns |= {f"share_with_false{of}": own["probability"], f"share_with_false{of}_upper95": own["probability_upper95"]}
    return columns


def _share(world, what):
    """Share of a world's true edges with this status; 0 where the model has none."""
    return sum(edge["status"] == what for edge in world["edges"]) / max(len(world["edges"]), 1)


def draw_power(table, model):
    """Recall above, false edges below, against cost; a line per cells, hours and interval, one point per number of chips.

    table : as experiments returns; model : name. Returns a matplotlib Figure.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 7.5), dpi=110, layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    several = table["interval_min"].nunique() > 1
    for (cells, hours, interval), line in table.groupby(["cells", "hours", "interval_min"]):
        line = line.sort_values("cost_chip_hours")
        label = f"{cells} cells a chip, {hours:g} h" + (f", every {interval:g} min" if several else "")
        cost = line["cost_chip_hours"].to_numpy()
        (drawn,) = above.plot(cost, line["recall"], marker="o", ms=5, lw=1.4, label=label)
        colour = drawn.get_color()
        above.fill_between(cost, line["recall_lowest"], line["recall_highest"], color=colour, alpha=0.12, lw=0)
        above.plot(cost, 1.0 - line["undecidable"], color=colour, lw=0.9, ls=":")
        below.plot(cost, line["false_edges"], marker="o", ms=5, lw=1.4, color=colour)
        below.fill_between(cost, line["false_edges"], line["false_edges_highest"], color=colour, alpha=0.12, lw=0)
        for x, y, chips in zip(cost, line["recall"], line["chips"]):
            above.annotate(str(chips), (x, y), xytext=(0, 6), textcoords="offset points", ha="center", fontsize=7, color=colour)
    above.set_ylim(-0.02, 1.08)
    above.set_ylabel("share of the true edges found\n(dotted: share that so many chips can decide)", fontsize=9)
    below.set_ylim(bottom=0)
    below.set_ylabel("false edges of an experiment\n(mean; band up to the highest)", fontsize=9)
    below.set_xlabel("chips x hours (numbers: chips)", fontsize=9)
    above.set_title(f"What an experiment of this size shows: {model}, {int(table['worlds'].min())} worlds each", fontsize=10)
    above.legend(fontsize=8, frameon=False, loc="lower right")
    for axes in (above, below):
        axes.set_xscale("log")
        axes.grid(alpha=0.25, lw=0.5)
        axes.spines[["top", "right"]].set_visible(False)
    ticks = sorted(table["cost_chip_hours"].unique())
    below.set_xticks(ticks, [f"{x:g}" for x in ticks])
    below.minorticks_off()
    return figure
