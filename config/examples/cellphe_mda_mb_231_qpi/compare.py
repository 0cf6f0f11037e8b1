"""Compare the tracks that the workflow made with the 24 tracks that come with the movie.

    python config/examples/cellphe_mda_mb_231_qpi/compare.py [results/samples/b3_3/cells/tracks.parquet]

In every frame the given positions and ours are paired one to one, nearest first in sum, no further apart than a cell's
radius. The given cells are few, so nothing here says how many of the other tracks are right.
"""

import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

TRACKS = Path("results/samples/b3_3/cells/tracks.parquet")
GIVEN = Path(os.environ.get("CYTOCAUSE_DATA", "../shared/data")) / "cellphe_mda_mb_231_qpi/cell_features_tracks.csv.gz"
REACH_PX = 12.0  # radius of a rounded cell


def read_given(path=GIVEN):
    """The given tracks: columns cell, frame (from 0; theirs are from 1), y_px, x_px."""
    table = pd.read_csv(path, usecols=["CellID", "FrameID", "ypos", "xpos"])
    table["FrameID"] -= 1
    return table.rename(columns={"CellID": "cell", "FrameID": "frame", "ypos": "y_px", "xpos": "x_px"})


def matched_tracks(given, tracks, reach=REACH_PX):
    """Our track at each given position, 0 where there is none.

    Parameters
    ----------
    given, tracks : DataFrames with frame, y_px, x_px; `tracks` also has track_id.
    reach : largest distance of a pair, px.

    Returns
    -------
    int64 array, one entry per row of `given`.
    """
    ours = {frame: rows for frame, rows in tracks.groupby("frame")}
    found = np.zeros(len(given), np.int64)
    for frame, places in given.reset_index(drop=True).groupby("frame"):
        if frame not in ours:
            continue
        here = ours[frame]
        dy = places["y_px"].to_numpy()[:, None] - here["y_px"].to_numpy()
        dx = places["x_px"].to_numpy()[:, None] - here["x_px"].to_numpy()
        distance = np.hypot(dy, dx)
        cost = np.where(distance <= reach, distance, 1e6)  # so dear that as many as possible are paired
        rows, columns = linear_sum_assignment(cost)
        good = distance[rows, columns] <= reach
        found[places.index[rows[good]]] = here["track_id"].to_numpy()[columns[good]]
    return found


def score(given, tracks, reach=REACH_PX):
    """One row per given cell: points, matched, links, kept, longest, tracks, switches.

    A link joins a cell's positions in two consecutive frames; it is kept when both are matched by one of our tracks.
    `longest` counts the points of the longest run in one of our tracks (a frame without a match ends no run, another track
    does), `tracks` our different tracks on the cell, `switches` how often the matching track changes.
    """
    given = given.assign(track=matched_tracks(given, tracks, reach)).sort_values(["cell", "frame"])
    rows = []
    for cell, points in given.groupby("cell"):
        track, frame = points["track"].to_numpy(), points["frame"].to_numpy()
        follows = np.diff(frame) == 1
        kept = follows & (track[1:] == track[:-1]) & (track[1:] > 0)
        seen = track[track > 0]
        changes = np.flatnonzero(np.diff(seen)) + 1
        runs = np.diff(np.concatenate([[0], changes, [len(seen)]]))
        rows.append(
            {
                "cell": int(cell),
                "points": len(points),
                "matched": len(seen),
                "links": int(follows.sum()),
                "kept": int(kept.sum()),
                "longest": int(runs.max()),
                "tracks": len(np.unique(seen)),
                "switches": len(changes),
            }
        )
    return pd.DataFrame(rows)


def summary(cells):
    """The table of `score` in five numbers."""
    return {
        "points matched": cells["matched"].sum() / cells["points"].sum(),
        "links kept": cells["kept"].sum() / cells["links"].sum(),
        "cells in one track": int((cells["switches"] == 0).sum()),
        "longest run, median share of a cell's points": float((cells["longest"] / cells["points"]).median()),
        "switches": int(cells["switches"].sum()),
    }


def main(path=TRACKS):
    cells = score(read_given(), pd.read_parquet(path))
    print(cells.to_string(index=False))
    for name, value in summary(cells).items():
        print(f"{name}: {value:.4g}" if isinstance(value, float) else f"{name}: {value}")


if __name__ == "__main__":
    main(*sys.argv[1:])
