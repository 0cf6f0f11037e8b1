"""Tracks as a table: one row per observed cell and frame, sorted by track and frame.

    track 1  1  2  2  3  3        parent_id: 0 = none known, else the mother's track, which ended where this one begins
    frame 0  1  2  3  2  3        (here 2 and 3 are daughters of 1)
"""

import numpy as np

COLUMNS = ("sample", "track_id", "parent_id", "frame", "time_min", "label", "y_um", "x_um", "cell_type", "source")


def number_tracks(piece, page, y, x, mother_of):
    """Track numbers from 1 in the order in which the tracks begin: page, then y, then x (no label number decides).

    piece      (N,) int64 from 0, N rows in any order
    mother_of  (n_pieces,) int64, -1 = none
    Returns    track_id (N,) int64, parent_id (N,) int64
    """
    order = np.lexsort((page, piece))
    first = order[np.flatnonzero(np.r_[True, np.diff(piece[order]) != 0])]  # the first row of piece 0, 1, ...
    by_birth = np.lexsort((x[first], y[first], page[first]))
    number = np.empty(len(first) + 1, dtype=np.int64)
    number[by_birth] = np.arange(1, len(first) + 1)
    number[-1] = 0  # mother_of is -1 where there is none
    return number[piece], number[mother_of[piece]]


def tracks_table(sample, columns, unit):
    """A DataFrame of the contract's columns and types, sorted by track_id and frame.

    columns  dict of arrays: track_id, parent_id, frame, time_min, label, y, x (in unit), cell_type, source
    unit     "um" | "px"
    """
    import pandas as pd

    order = np.lexsort((columns["frame"], columns["track_id"]))
    n = len(order)
    return pd.DataFrame(
        {
            "sample": np.full(n, str(sample), dtype=object),
            "track_id": columns["track_id"][order].astype(np.int64),
            "parent_id": columns["parent_id"][order].astype(np.int64),
            "frame": columns["frame"][order].astype(np.int32),
            "time_min": columns["time_min"][order].astype(np.float64),
            "label": columns["label"][order].astype(np.int32),
            f"y_{unit}": columns["y"][order].astype(np.float64),
            f"x_{unit}": columns["x"][order].astype(np.float64),
            "cell_type": np.asarray(columns["cell_type"], dtype=object)[order],
            "source": np.asarray(columns["source"], dtype=object)[order],
        }
    )
