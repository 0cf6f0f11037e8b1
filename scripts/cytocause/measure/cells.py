"""One row of features per cell and frame, from tracks and, where they exist, label images and a movie.

    tracks  -> motion, contacts                       (always)
    labels  -> shape, border, change of shape         (NaN without)
    movie   -> intensity per channel                  (NaN without labels)

One frame is read at a time; memory grows with the number of rows, not of pixels.
"""

import numpy as np
import pandas as pd

from cytocause.io import InputDefect, add_levels, in_unit, progress

from .contacts import CONTACT_COLUMNS, contacts, held
from .given import merge_given
from .intensity import region_intensities
from .motion import MOTION_COLUMNS, motion, rate_of_change
from .shape import POWER, SHAPE_COLUMNS, region_shapes

IDENTITY = ("sample", "population", "track_id", "frame", "time_min", "label", "y_um", "x_um", "cell_type")
INTENSITY_COLUMNS = ("intensity_mean_{c}", "intensity_sd_{c}", "intensity_max_{c}")


def cell_columns(unit, channels, populations):
    """Names of the columns of a cells table, in order.

    unit : "um" | "px"; channels : names; populations : own first, then the others
    """
    names = [*IDENTITY, *SHAPE_COLUMNS, "border"]
    names += [name.format(c=c) for c in channels for name in INTENSITY_COLUMNS]
    names += ["shape_change_um_min", *MOTION_COLUMNS]
    names += [name.format(q=q) for q in populations for name in CONTACT_COLUMNS]
    return [in_unit(name, unit) for name in names]


def empty_cells(unit, channels, populations, levels=()):
    """A cells table with no rows and the right columns and dtypes."""
    text = {"sample", "population", "cell_type"}
    whole = {"track_id": "int64", "frame": "int32", "label": "int32", "border": "bool"}
    columns = {
        name: pd.Series([], dtype="object" if name in text else whole.get(name, "float64"))
        for name in cell_columns(unit, channels, populations)
    }
    return add_levels(pd.DataFrame(columns), dict(levels))


def measure_cells(tracks, meta, cfg, *, labels=None, movie=None, others=(), given=None):
    """Features of every track row.

    tracks : DataFrame of one population (contract columns, y_um/x_um or y_px/x_px by meta["unit"])
    meta : dict of movie.json; cfg : section `measure` plus sample, population, others (names), levels
    labels, movie : opened stacks with .frame(page), or None; others : tracks of the other populations, in cfg's order,
        None for one that is not known
    given : a cells table made elsewhere, or None

    Returns (cells DataFrame sorted by track and frame, facts dict with `warnings`).
    Raises InputDefect when rows, frames or labels contradict each other.
    """
    unit = meta["unit"]
    warnings = []
    channels = list(meta.get("channels") or [])
    populations = [cfg["population"], *cfg["others"]]
    tracks = _checked(tracks, unit, cfg)
    if len(tracks) == 0:
        return empty_cells(unit, channels, populations, cfg["levels"]), {"rows": 0, "tracks": 0}

    columns = {name: tracks[in_unit(name, unit)].to_numpy() for name in IDENTITY if name not in ("sample", "population")}
    for name in ("sample", "population"):  # one shared string each: np.full would make a new one for every row
        columns[name] = np.repeat(np.array([cfg[name]], object), len(tracks))

    shape, unmatched = _pixels(columns, meta, channels, labels, movie)
    columns |= shape
    if unmatched:
        warnings.append(f"{unmatched} track rows name a label that their frame does not hold; their shape is missing.")

    track, frame, time = columns["track_id"], columns["frame"], columns["time_min"]
    drift = _drift(frame, meta) if cfg["subtract_drift"] else 0.0
    still = np.column_stack([columns["y_um"], columns["x_um"]]) - drift
    columns |= motion(
        track,
        frame,
        time,
        still[:, 0],
        still[:, 1],
        speed_window=cfg["speed_window_min"],
        direction_window=cfg["directionality_window_min"],
    )
    warnings += _twice_the_same(tracks, others, cfg, unit)
    columns["shape_change_um_min"] = np.abs(rate_of_change(track, frame, time, columns["equivalent_diameter_um"]))
    columns |= _contacts(columns, tracks, meta, cfg, unit, others)

    cells = pd.DataFrame({in_unit(name, unit): columns[name] for name in _um_names(channels, populations)})
    if given is not None and len(given):
        cells, more = merge_given(cells, given, unit, meta.get("pixel_size_um"), cfg)
        warnings += more
    facts = {"rows": len(cells), "tracks": len(np.unique(track)), "warnings": warnings}
    return add_levels(cells, cfg["levels"]), facts


def _um_names(channels, populations):
    return cell_columns("um", channels, populations)


def _checked(tracks, unit, cfg):
    """The tracks, sorted by track and frame; InputDefect where they cannot be measured."""
    what = f"tracks of {cfg['population']} in sample {cfg['sample']}"
    needed = [in_unit(name, unit) for name in IDENTITY if name not in ("sample", "population", "label", "cell_type")]
    missing = [name for name in needed if name not in tracks.columns]
    if missing:
        raise InputDefect(
            f"The {what} have no column {', '.join(missing)}; they have {', '.join(map(str, tracks.columns))}.",
            todo="Name the columns as in resources/data_dictionary.tsv.",
        )
    tracks = tracks.sort_values(["track_id", "frame"], kind="stable", ignore_index=True)
    double = tracks.duplicated(["track_id", "frame"])
    if double.any():
        row = tracks[double].iloc[0]
        raise InputDefect(
            f"The {what} hold track {row['track_id']} twice in frame {row['frame']}; expected one row per track and frame.",
            todo="Remove the repeated row.",
        )
    for name in (in_unit("y_um", unit), in_unit("x_um", unit), "time_min"):
        bad = ~np.isfinite(tracks[name].to_numpy(dtype=float))
        if bad.any():
            row = tracks[bad].iloc[0]
            raise InputDefect(
                f"The {what} have no finite {name} for track {row['track_id']} in frame {row['frame']}.",
                todo="Leave out rows without a position: a gap is a missing row.",
            )
    if "label" not in tracks:
        tracks = tracks.assign(label=np.int32(0))
    if "cell_type" not in tracks:
        tracks = tracks.assign(cell_type=cfg["population"])
    return tracks


def _pixels(columns, meta, channels, labels, movie):
    """Shape, border and intensity of every row, scaled to the sample's unit; and how many labels were not found."""
    n = len(columns["frame"])
    out = {name: np.full(n, np.nan) for name in SHAPE_COLUMNS}
    out["border"] = np.zeros(n, bool)
    for c in channels:
        out |= {name.format(c=c): np.full(n, np.nan) for name in INTENSITY_COLUMNS}
    if labels is None:
        return out, 0
    frames = list(meta["frames"])
    if labels.n_frames != len(frames):
        raise InputDefect(
            f"The label stack has {labels.n_frames} pages, the movie {len(frames)}.",
            todo="Give one label image per frame of the movie.",
        )
    page_of = {number: page for page, number in enumerate(frames)}
    lost = sorted(set(columns["frame"].tolist()) - set(page_of))
    if lost:
        raise InputDefect(
            f"The tracks have rows in frame {lost[0]}, which the movie does not hold "
            f"(its frames run from {frames[0]} to {frames[-1]}).",
            todo="Count frames from 0.",
        )
    if meta["unit"] == "um" and not meta["pixel_size_um"]:
        raise InputDefect(
            "Positions are in um and there are masks, but the pixel size of this sample is unknown.",
            todo="Give pixel_size_um in the sample sheet: without it the masks cannot be measured in um.",
        )
    scale = float(meta["pixel_size_um"]) if meta["unit"] == "um" else 1.0
    order = np.argsort(columns["frame"], kind="stable")
    sorted_frames = columns["frame"][order]
    unmatched = 0
    for number in progress(np.unique(sorted_frames), len(np.unique(sorted_frames)), "measured frames"):
        rows = order[np.searchsorted(sorted_frames, number) : np.searchsorted(sorted_frames, number, side="right")]
        page = page_of[int(number)]
        image = labels.frame(page)
        shape = region_shapes(image)
        wanted = columns["label"][rows]
        found = (wanted > 0) & (wanted < len(shape["border"]))
        found[found] = ~np.isnan(shape["area_um2"][wanted[found]])
        unmatched += int(np.sum((wanted > 0) & ~found))
        rows, wanted = rows[found], wanted[found]
        for name in SHAPE_COLUMNS:
            out[name][rows] = shape[name][wanted] * scale ** POWER.get(name, 0)
        out["border"][rows] = shape["border"][wanted]
        for c in channels if movie is not None else ():
            pixels = movie.frame(page, channel=c)
            if pixels.shape != image.shape:
                raise InputDefect(
                    f"The labels of frame {number} have {image.shape[0]} x {image.shape[1]} pixels, "
                    f"the movie {pixels.shape[0]} x {pixels.shape[1]}.",
                    todo="Give labels on the movie's own pixels.",
                )
            background = (meta.get("intensity") or {}).get(c, {}).get("background") or 0.0
            values = region_intensities(image, pixels, background)
            for name, key in zip(INTENSITY_COLUMNS, ("mean", "sd", "max")):
                out[name.format(c=c)][rows] = values[key][wanted]
    return out, unmatched


def _drift(frame, meta):
    """Stage drift of every row, (n, 2) y, x in the sample's unit; zero where none was measured."""
    drift = np.asarray(meta.get("drift_px") or [], float).reshape(-1, 2)
    if len(drift) == 0 or (meta["unit"] == "um" and not meta["pixel_size_um"]):  # tables in um alone: no image, no drift of it
        return np.zeros((len(frame), 2))
    scale = float(meta["pixel_size_um"]) if meta["unit"] == "um" else 1.0
    of_frame = dict(zip(meta["frames"], np.nan_to_num(drift) * scale))
    zero = np.zeros(2)
    return np.array([of_frame.get(number, zero) for number in frame.tolist()])


def _contacts(columns, tracks, meta, cfg, unit, others):
    """Contact columns with the own population, then with each other."""
    r1, r2 = float(cfg[f"r1_{unit}"]), float(cfg[f"r2_{unit}"])
    if r1 > r2:
        raise InputDefect(
            f"measure.r1_{unit} is {r1:g}, larger than measure.r2_{unit} = {r2:g}; expected contact inside vicinity.",
            todo="Set r1 no larger than r2.",
        )
    frames = _hold_frames(meta, cfg["hold_min"])
    own = _Neighbours(tracks, unit, frames)
    position = np.column_stack([columns["y_um"], columns["x_um"]])
    velocity = rate_of_change(columns["track_id"], columns["frame"], columns["time_min"], position)
    here = (columns["frame"], position, velocity)
    found = contacts(*here, *own.rows(), r1=r1, r2=r2, own=columns["track_id"], other=own.track)
    out = {name.format(q=cfg["population"]): values for name, values in found.items()}
    for q, table in zip(cfg["others"], others, strict=True):
        if table is None:  # not known is not none
            out |= {name.format(q=q): np.full(len(tracks), np.nan) for name in CONTACT_COLUMNS}
            continue
        y, x = in_unit("y_um", unit), in_unit("x_um", unit)
        if y not in table or x not in table:
            raise InputDefect(
                f"The tracks of {q} have no columns {y}, {x}; {cfg['population']} is measured in {unit}.",
                todo="Give both populations of a sample in the same unit.",
            )
        found = contacts(*here, *_Neighbours(table, unit, frames).rows(), r1=r1, r2=r2)
        out |= {name.format(q=q): values for name, values in found.items()}
    return out


def _twice_the_same(tracks, others, cfg, unit):
    """Warnings where another population is the same cells again; given tracks like that are a mistake in the sample sheet."""
    keys = ["track_id", "frame", in_unit("y_um", unit), in_unit("x_um", unit)]
    warnings = []
    for q, table in zip(cfg["others"], others):
        if table is None or len(table) != len(tracks) or not set(keys) <= set(table):
            continue
        if not np.array_equal(tracks[keys].to_numpy(float), table.sort_values(keys[:2])[keys].to_numpy(float)):
            continue
        text = f"Populations {cfg['population']} and {q} of sample {cfg['sample']} are the same cells in every frame."
        if "source" in tracks and (tracks["source"] == "given").all():
            raise InputDefect(text, todo="Give each its own table: {population} in the path of the sample sheet, or a column population in the table.")
        warnings.append(f"{text} Give them different channels, diameters, or labels of their own.")
    return warnings


def _hold_frames(meta, minutes):
    """Whole frames within `hold_min`."""
    interval = meta.get("frame_interval_min")
    if not interval and len(meta.get("time_min") or []) > 1:
        interval = float(np.median(np.diff(meta["time_min"])))
    return int(minutes / interval + 1e-9) if interval else 0


class _Neighbours:
    """Rows of a population as neighbours: track, frame, place, velocity; held cells added, with no velocity."""

    def __init__(self, table, unit, frames):
        track, frame = table["track_id"].to_numpy(np.int64), table["frame"].to_numpy(np.int64)
        place = table[[in_unit("y_um", unit), in_unit("x_um", unit)]].to_numpy(dtype=float)
        velocity = rate_of_change(track, frame, table["time_min"].to_numpy(dtype=float), place)
        mothers = set(table["parent_id"].tolist()) if "parent_id" in table else ()
        source, at = held(track, frame, frames, mothers)
        self.track = np.concatenate([track, track[source]])
        self.frame = np.concatenate([frame, at])
        self.place = np.concatenate([place, place[source]])
        self.velocity = np.concatenate([velocity, np.full((len(source), 2), np.nan)])

    def rows(self):
        return self.frame, self.place, self.velocity
