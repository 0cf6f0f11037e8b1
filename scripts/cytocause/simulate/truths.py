"""True variables and contacts of one chip as tables: what can be measured, what nobody sees, who touched whom and when.

    History.tumour --> variables          columns that a movie could give, and the phase
                   --> variables_hidden   hazards, age, depth, cycle and the model's hidden variables, same rows
    History.touches --> contacts          one row per pair and interval:  tumour 7, immune 3, frames 12 to 15
"""

import numpy as np
import pandas as pd

from .looks import eccentricity

PHASES = ("interphase", "mitosis", "dying")
BLOCK = 50_000  # rows of a table that are in memory at a time

# Columns beside the conditions, with their types
KEYS = {"sample": "string", "population": "string", "track_id": "int64", "frame": "int32", "time_min": "float64"}
VARIABLES = {
    **KEYS, "y_um": "float64", "x_um": "float64", "area_um2": "float64", "eccentricity": "float64", "speed_um_min": "float64",
    "n_immune_r1": "float64", "n_immune_r2": "float64", "distance_immune_um": "float64", "n_tumour_r2": "float64", "phase": "string",
}  # fmt: skip
HIDDEN = ("hazard_division_per_h", "hazard_death_per_h", "age_min", "cycle", "depth_um")  # of every model
OF_MODEL = {"fitness": "fitness", "growth": "growth", "contact_time": "contact_time_min", "shield": "n_caf_near"}
CONTACTS = {
    "sample": "string", "track_id": "int64", "immune_track_id": "int64", "start_frame": "int32", "end_frame": "int32",
    "start_min": "float64", "end_min": "float64",
}  # fmt: skip


def empty(columns):
    """A table without a row, with these columns and types."""
    return pd.DataFrame({name: pd.Series([], dtype=object if kind == "string" else kind) for name, kind in columns.items()})


def hidden_columns(model):
    """Columns of variables_hidden beside the keys, for a model: column -> name in the rows of History.tumour, or of a chip's constant."""
    own = {OF_MODEL[name]: name for name in OF_MODEL if name in model.variables}
    return {**{name: name for name in HIDDEN}, **own, **{name: name for name in model.of_kind("chip")}}


def stacked(frames, name):
    """One variable of all frames, frame by frame: (rows,) array. `eccentricity` is computed from the axis ratio."""
    if name == "eccentricity":
        return eccentricity(stacked(frames, "aspect_ln"))
    return frames.column(name) if hasattr(frames, "column") else np.concatenate([row[name] for row in frames])


def blocks(frames, most=BLOCK):
    """The same frames for some tracks after the other, in the order of their numbers: at most so many rows at a time, or one track."""
    track = stacked(frames, "track_id") if len(frames) else np.zeros(0, np.int64)
    if track.size <= most:
        yield frames
        return
    ends = np.cumsum(np.bincount(track))
    first = before = 0
    while before < track.size:
        last = max(int(np.searchsorted(ends, before + most, "right")), first + 1)
        yield [_of_tracks(row, first, last) for row in frames]
        first, before = last, ends[last - 1]


def _of_tracks(row, first, last):
    """Rows of one frame that belong to tracks first .. last - 1."""
    keep = (row["track_id"] >= first) & (row["track_id"] < last)
    return {name: values[keep] for name, values in row.items()}


def frame_numbers(frames):
    """Frame of each row of `stacked`: (rows,) int64."""
    sizes = frames.sizes if hasattr(frames, "sizes") else [row["track_id"].size for row in frames]
    return np.repeat(np.arange(len(frames)), sizes)


def _keys(frames, sample, interval):
    frame = frame_numbers(frames)
    return {
        "sample": sample, "population": "tumour", "track_id": stacked(frames, "track_id"), "frame": frame, "time_min": frame * interval,
    }  # fmt: skip


def _sorted(table):
    return table.sort_values(["track_id", "frame"], kind="stable").reset_index(drop=True)


def variables(frames, sample, interval, conditions):
    """True variables of every tumour cell and frame that a movie could show.

    frames : History.tumour; sample : str; interval : min; conditions : dict, added as columns
    """
    columns = _keys(frames, sample, interval)
    for name in VARIABLES:
        if name == "phase":
            columns[name] = np.asarray(PHASES, object)[stacked(frames, name).astype(int)]
        elif name not in KEYS:
            columns[name] = stacked(frames, name)
    table = pd.DataFrame({name: columns[name] for name in VARIABLES})
    table = table.astype({name: kind for name, kind in VARIABLES.items() if kind != "string"})
    return _sorted(table.assign(**conditions))


def variables_hidden(frames, sample, interval, model, constants):
    """What nobody sees of every tumour cell and frame: hazards (1/h), age (min), cycle (0 .. 1), depth (um), the model's hidden ones.

    constants : dict, hidden properties of the chip by name, e.g. {"stiffness": -0.4}
    """
    columns = _keys(frames, sample, interval)
    for name, key in hidden_columns(model).items():
        columns[name] = np.full(columns["frame"].size, constants[key]) if key in constants else stacked(frames, key)
    table = pd.DataFrame(columns).astype({name: kind for name, kind in KEYS.items() if kind != "string"})
    return _sorted(table)


def contact_intervals(touches, sample, interval):
    """Contacts of tumour and immune cells: frames in a row in which both centres lie within the contact radius.

    Parameters
    ----------
    touches : list over frames of (k, 2) int64
        History.touches.
    sample : str
    interval : float
        Frame interval in min.

    Returns
    -------
    DataFrame: sample, track_id (of the tumour cell), immune_track_id, start_frame, end_frame (first and last frame of the contact),
    start_min, end_min (their times)
    """
    pairs = np.concatenate([np.zeros((0, 2), np.int64), *touches])
    frame = np.repeat(np.arange(len(touches)), [len(rows) for rows in touches])
    order = np.lexsort((frame, pairs[:, 1], pairs[:, 0]))
    pairs, frame = pairs[order], frame[order]
    first = np.ones(frame.size, bool)
    first[1:] = (pairs[1:] != pairs[:-1]).any(axis=1) | (np.diff(frame) != 1)
    last = np.ones(frame.size, bool)
    last[:-1] = first[1:]
    table = pd.DataFrame(
        {
            "sample": sample, "track_id": pairs[first, 0], "immune_track_id": pairs[first, 1], "start_frame": frame[first],
            "end_frame": frame[last], "start_min": frame[first] * interval, "end_min": frame[last] * interval,
        }
    )  # fmt: skip
    return table.astype({name: kind for name, kind in CONTACTS.items() if kind != "string"})
