"""The stage in order: objects -> fragments -> divisions -> table; or a given table, checked.

Arrays and tables in and out; scripts/track.py opens and writes the files.
"""

import logging

import numpy as np

from cytocause.io import InputDefect, add_levels
from cytocause.track.celltype import FEATURES, cell_types
from cytocause.track.corrections import correct_tracks
from cytocause.track.divisions import Table, find_divisions, split_at_divisions
from cytocause.track.gates import automatic_search_range
from cytocause.track.linking import link_fragments
from cytocause.track.table import number_tracks, tracks_table

logger = logging.getLogger("cytocause")


def link_movie(objects, meta, cfg):
    """Tracks of a label stack.

    objects  Objects of all pages
    meta     movie.json as a dict: frames, time_min, frame_interval_min, pixel_size_um, drift_px, height, width
    cfg      section track of the config, with the population
    Returns  columns (dict of arrays, y and x in px, rows in no fixed order) and facts (dict)
    Raises   InputDefect when there is no object at all
    """
    if not len(objects):
        raise InputDefect(
            "The label stack holds no cell: all frames are background.",
            todo="Look at the population's channel and diameter in the config, or leave this sample out.",
        )
    pixel = meta.get("pixel_size_um") or 1.0
    time_min = np.asarray(meta["time_min"], dtype=np.float64)
    drift = drift_of(meta)
    diameter = float(np.median(2 * np.sqrt(objects.area / np.pi)))
    reach, facts = search_range_px(objects, drift, diameter, pixel, cfg)
    elapsed = elapsed_intervals(time_min)
    fragment, share = link_fragments(
        objects,
        elapsed,
        drift,
        search_range=reach,
        memory=cfg["memory_frames"],
        prediction=cfg["prediction"],
        area_weight=cfg["area_weight"],
    )
    order = np.lexsort((objects.page, fragment))
    page, y, x = (values[order] for values in (objects.page, objects.y, objects.x))
    table = Table(
        fragment[order], page, y - drift[page, 0], x - drift[page, 1], objects.area[order], _inside(objects, meta, pixel, cfg)[order]
    )
    divisions = find_divisions(table, time_min, diameter, cfg["division"])
    piece, mother_of = split_at_divisions(table, divisions)
    track_id, parent_id = number_tracks(piece, page, y, x, mother_of)
    columns = {
        "track_id": track_id,
        "parent_id": parent_id,
        "frame": np.asarray(meta["frames"], dtype=np.int64)[page],
        "page": page,
        "time_min": time_min[page],
        "label": objects.label[order],
        "y": y,
        "x": x,
        "area": objects.area[order],
        "intensity": objects.intensity[order],
    }
    facts.update(
        search_range_um=round(reach * pixel, 4),
        prediction=share,
        objects=len(objects),
        tracks=int(track_id.max()),
        divisions=len(divisions.cost),
        gaps=int((np.diff(page)[np.diff(track_id) == 0] > 1).sum()),
    )
    return columns, facts


def drift_of(meta):
    """(n_pages, 2) movement of the field since the first page (dy, dx in px); zeros where it is unknown."""
    n_pages = len(meta["frames"])
    drift = np.asarray(meta.get("drift_px") or np.zeros((n_pages, 2)), dtype=np.float64).reshape(-1, 2)
    return np.where(np.isfinite(drift), drift, 0.0) if len(drift) == n_pages else np.zeros((n_pages, 2))


def elapsed_intervals(time_min):
    """(n_pages,) time since the page before in units of the usual (median) interval; a dropped frame makes 2."""
    if len(time_min) < 2:
        return np.ones(len(time_min))
    step = np.diff(time_min)
    usual = float(np.median(step))
    return np.r_[1.0, step / usual if usual > 0 else np.ones(len(step))]


def search_range_px(objects, drift, diameter, pixel, cfg):
    """Search range in px, and the facts for status and log."""
    wanted = cfg["search_range_um"]
    if isinstance(wanted, dict):
        wanted = wanted.get(cfg.get("population"), "auto")
    y, x = objects.y - drift[objects.page, 0], objects.x - drift[objects.page, 1]
    reach, facts = automatic_search_range(objects.page, y, x, diameter)
    facts["search_range_from"] = "the movie" if wanted == "auto" else "the config"
    if wanted != "auto":
        reach = float(wanted) / pixel
    logger.info("search range %.3g px (%s); %s", reach, facts["search_range_from"], facts)
    return reach, facts


def _inside(objects, meta, pixel, cfg):
    """Objects that do not touch the frame's edge and are not within border_um of it."""
    margin = cfg["border_um"] / pixel
    near = np.minimum.reduce([objects.y, objects.x, meta["height"] - 1 - objects.y, meta["width"] - 1 - objects.x]) < margin
    return ~objects.border & ~near


def finish_tracks(columns, meta, cfg):
    """Cell types, corrections, units, levels: the final table.

    columns  from link_movie or read_given
    Returns  DataFrame (columns of track.table.COLUMNS, lengths in the sample's unit, levels at the end)
    """
    unit, pixel = meta["unit"], meta.get("pixel_size_um") or 1.0
    columns = dict(columns)
    n = len(columns["track_id"])
    rule = type_rule(cfg)
    given = columns.pop("cell_type", None)
    if rule:
        columns["cell_type"] = cell_types(columns["track_id"], _feature(columns, rule, unit, pixel), rule)
    else:
        columns["cell_type"] = np.full(n, cfg["population"], dtype=object) if given is None else given
    columns["source"] = np.full(n, columns.pop("origin", "auto"), dtype=object)
    columns = {name: values for name, values in columns.items() if name not in ("page", "area", "intensity")}
    columns["y"], columns["x"] = columns["y"] * pixel, columns["x"] * pixel
    columns = correct_tracks(columns, [c for c in cfg.get("corrections") or [] if _own(c, cfg)], list(meta["frames"]))
    if not len(columns["track_id"]):
        raise InputDefect("The corrections exclude every track; no cell is left.", todo="Remove an exclude from the corrections.")
    return add_levels(tracks_table(cfg["sample"], columns, unit), cfg.get("levels") or {})


def type_rule(cfg):
    """The population's rule for cell types, or None; cfg["cell_type"] is one rule, or one per population."""
    rule = cfg.get("cell_type") or None
    return rule if rule is None or "feature" in rule else rule.get(cfg["population"])


def _own(correction, cfg):
    return correction.get("population") in (None, cfg["population"])


def _feature(columns, rule, unit, pixel):
    """The rule's feature per row."""
    name = rule["feature"]
    if name not in FEATURES:
        raise InputDefect(f"The cell type rule asks for the feature {name!r}; expected one of {', '.join(FEATURES)}.")
    if name == "intensity_mean":
        if not np.isfinite(columns["intensity"]).any():
            raise InputDefect(
                "The cell type rule asks for intensity_mean, but this sample has no movie with masks to measure it.",
                todo="Give the movie and the labels, or take area_um2.",
            )
        return columns["intensity"]
    if not np.isfinite(columns["area"]).any():
        raise InputDefect(
            f"The cell type rule asks for {name}, but this sample has no masks to measure it.",
            todo="Give the labels, or leave the rule out.",
        )
    if name == "area_um2" and unit == "px":
        raise InputDefect(
            "The cell type rule asks for area_um2, but the pixel size of this sample is unknown.",
            todo="Give pixel_size_um in the sample sheet, or a rule over area_px2.",
        )
    return columns["area"] * (pixel**2 if name == "area_um2" else 1.0)


def read_given(given, meta, cfg, *, label_of_page=None):
    """Columns of given tracks, with label, area and intensity from the masks where there are some.

    given          columns from given.given_tracks
    label_of_page  function page -> (labels (Y, X), Objects), or None when there are no masks
    Returns        columns and facts
    """
    from cytocause.track.given import labels_at

    n = len(given["track_id"])
    columns = {**given, "area": np.full(n, np.nan), "intensity": np.full(n, np.nan), "origin": "given"}
    facts = {"tracks": len(np.unique(given["track_id"])), "objects": n, "divisions": count_divisions(given), "warnings": []}
    if label_of_page is not None:
        label = columns["label"].copy()
        for page in np.unique(given["page"]):
            rows = np.flatnonzero(given["page"] == page)
            labels, objects = label_of_page(int(page))
            label[rows] = labels_at(labels, objects, given["y"][rows], given["x"][rows])
            place = {int(value): k for k, value in enumerate(objects.label)}
            for i in rows:
                k = place.get(int(label[i]))
                if k is not None:
                    columns["area"][i], columns["intensity"][i] = objects.area[k], objects.intensity[k]
        columns["label"] = label
        off = int((label == 0).sum())
        facts["without_mask"] = off
        if off:
            facts["warnings"].append(f"{off} of {n} given positions lie on no mask; they have the label 0.")
    late = mothers_that_go_on(given)
    if len(late):
        facts["warnings"].append(
            f"{len(late)} given mothers go on after their daughters begin (tracks {', '.join(map(str, late[:5]))}"
            f"{' ...' if len(late) > 5 else ''}); they are kept as given."
        )
    return columns, facts


def count_divisions(columns):
    """Mothers with two daughters or more."""
    first = np.unique(columns["track_id"], return_index=True)[1]
    parents = columns["parent_id"][first]
    return int((np.unique(parents[parents > 0], return_counts=True)[1] >= 2).sum())


def mothers_that_go_on(columns):
    """Numbers of mothers that are still there when a daughter begins."""
    ids, inverse = np.unique(columns["track_id"], return_inverse=True)
    begin, end, parent = (np.zeros(len(ids), dtype=np.int64) for _ in range(3))
    begin[:] = np.iinfo(np.int64).max
    np.minimum.at(begin, inverse, columns["frame"])
    np.maximum.at(end, inverse, columns["frame"])
    parent[inverse] = columns["parent_id"]
    daughters = np.flatnonzero(parent > 0)
    mothers = np.searchsorted(ids, parent[daughters])
    return np.unique(ids[mothers[end[mothers] >= begin[daughters]]])
