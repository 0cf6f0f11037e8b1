"""Which cells of a sample are followed: chosen by track or by point, or proposed by isolation and length."""

import numpy as np

from cytocause.io import InputDefect


def focal_roots(sample, track, frame, position, parents, settings):
    """Track ids of the focal cells of one sample, sorted.

    track, frame : (n,) integers; position : (n, 2) y, x; parents : dict track_id -> parent_id
    settings : section assemble.focal (cells, per_sample, isolation_um)
    Raises InputDefect when a chosen cell is not there.
    """
    chosen = [cell for cell in settings["cells"] if cell["sample"] == sample]
    if chosen:
        return sorted({_chosen(sample, cell, track, frame, position) for cell in chosen})
    return _proposed(track, frame, position, parents, settings)


def _chosen(sample, cell, track, frame, position):
    if cell.get("track_id") is not None:
        if cell["track_id"] not in set(track.tolist()):
            raise InputDefect(
                f"assemble.focal.cells names track {cell['track_id']} of sample {sample}, which is not there.",
                todo="Look the track up in cells.parquet, or choose the cell by frame, y and x.",
            )
        return int(cell["track_id"])
    if any(cell.get(key) is None for key in ("frame", "y", "x")):
        raise InputDefect(
            f"assemble.focal.cells has an entry for sample {sample} with neither track_id nor frame, y and x.",
            todo="Give the track, or the frame and the place of the cell.",
        )
    here = np.flatnonzero(frame == cell["frame"])
    if len(here) == 0:
        raise InputDefect(
            f"assemble.focal.cells points at frame {cell['frame']} of sample {sample}, in which there is no cell.",
            todo="Choose another frame (from 0).",
        )
    away = np.hypot(*(position[here] - [cell["y"], cell["x"]]).T)
    return int(track[here[np.argmin(away)]])


def _proposed(track, frame, position, parents, settings):
    """The founders observed longest (frames of the cell and its descendants) among those that stand alone at first."""
    order = np.lexsort((frame, track))
    ids, begin, count = np.unique(track[order], return_index=True, return_counts=True)
    first = order[begin]
    known = set(ids.tolist())
    founder, seen = {}, {}
    for t, n in zip(ids.tolist(), count.tolist()):
        top = t
        while parents.get(top, 0) in known:
            top = parents[top]
        founder[t] = top
        seen[top] = seen.get(top, 0) + n
    candidates = []
    for t, row in zip(ids.tolist(), first):
        if founder[t] != t:
            continue
        same = np.flatnonzero((frame == frame[row]) & (track != t))
        away = np.hypot(*(position[same] - position[row]).T).min() if len(same) else np.inf
        if away >= settings["isolation_um"]:
            candidates.append((-seen[t], t))
    return sorted(t for _, t in sorted(candidates)[: settings["per_sample"]])
