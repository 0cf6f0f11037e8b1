"""One population of one sample against its truth: masks, links, lineages, events, phases, features."""

import numpy as np

from cytocause.score.chota import chota_counts
from cytocause.score.complete import complete_counts
from cytocause.score.events import event_counts
from cytocause.score.features import feature_counts, matched_rows, shared_features
from cytocause.score.lineage import NO_NODE, Lineage, match_nodes
from cytocause.score.linking import division_counts, link_counts, track_of_truth
from cytocause.score.masks import compare_frames
from cytocause.score.phase import phase_counts


def score_population(frames, truth, found, cfg, frame_interval_min):
    """Counts of every row that the tables allow.

    Parameters
    ----------
    frames : iterator of (frame number, true labels (Y, X), found labels (Y, X))
    truth : {"tracks", "events", "variables": DataFrame}; found : {"tracks", "events", "cells": DataFrame}
        tracks with track_id, parent_id, frame, label; events with track_id, event, time_min; variables and cells with one row per
        cell and frame, may be None or empty
    cfg : the section score
    frame_interval_min : float or None; None leaves only the tolerance in minutes for deaths, and none for divisions

    Returns
    -------
    rows : dict name of a row (`card.ROWS`) -> counts, and "features" -> {name: counts} where there are variables to compare
    """
    rows, nodes = compare_frames(frames, cfg["iou_threshold"])
    true, own = Lineage.of_table(truth["tracks"]), Lineage.of_table(found["tracks"])
    interval = frame_interval_min or 0.0
    rows |= {
        "link": link_counts(true, own, nodes),
        "chota": chota_counts(true, own, nodes),
        "division": division_counts(true, own, nodes, cfg["division_tolerance_frames"]),
        "lineage": complete_counts(true, own, nodes),
    }
    tolerance = {
        "division": cfg["division_tolerance_frames"] * interval,
        "death": max(cfg["death_tolerance_min"], cfg["death_tolerance_frames"] * interval),
    }
    belongs = track_of_truth(true, own, nodes)
    for kind, row in (("division", "division_event"), ("death", "death")):
        expected, called = (table[table["event"] == kind] for table in (truth["events"], found["events"]))
        counts, errors = event_counts(
            *(expected[name] for name in ("track_id", "time_min")), *(called[name] for name in ("track_id", "time_min")), belongs, tolerance[kind]
        )
        rows[row] = counts
        rows[f"{kind}_onset"] = {"errors_min": errors.tolist()}
    rows |= _of_rows(true, own, nodes, truth.get("variables"), found.get("cells"))
    return rows


def _of_rows(true, own, nodes, variables, cells):
    """Rows of phases and features, on cells that one found mask covers alone."""
    if variables is None or cells is None or len(variables) == 0:
        return {}
    found_of, truth_of, _ = match_nodes(true, own, nodes)
    t = np.flatnonzero(found_of != NO_NODE)
    t = t[truth_of[found_of[t]] == t]
    pairs = np.column_stack([true.frame[t], true.track[t], own.label[found_of[t]]])
    a, b = matched_rows(variables, cells, pairs)
    rows = {
        "features": {
            name: feature_counts(variables[name].to_numpy()[a], cells[name].to_numpy()[b]) for name in shared_features(variables, cells)
        }
    }
    if "phase" in variables.columns and "phase" in cells.columns:
        rows["phase"] = phase_counts(variables["phase"].to_numpy()[a], cells["phase"].to_numpy()[b])
    return rows
