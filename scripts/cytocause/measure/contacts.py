r"""Who is near whom: neighbours of one population around the cells of another, frame by frame.

            r2
        .--------.        n_r1, n_r2   neighbours whose centroid lies within r1, r2 of the cell's
      /   .--.  q \       distance     to the nearest of them, missing when nobody is within r2
     |   ( p  )    |      speed        mean of |velocity of q - velocity of p|: how fast they pass,
      \   '--' q  /                    over the neighbours with a frame before this one
        '--------'  r1

CausalXtract calls the last one "immune velocity"; it is relative to the cell, and is taken here at the neighbour's own
frame. Neighbours count whether they live or not: death is called later, in `fate`. Cells near the frame's edge
see fewer neighbours; `border` marks those that touch it. A cell that was missed in a frame can be held at its last
place for a while (`held`): it is counted, at that distance, and has no velocity.
"""

import numpy as np
from scipy.spatial import cKDTree

CONTACT_COLUMNS = ("n_{q}_r1", "n_{q}_r2", "distance_{q}_um", "speed_{q}_r1_um_min", "speed_{q}_r2_um_min")


def held(track, frame, frames, mothers=()):
    """Rows that stand in for cells not seen in a frame: each at its last place, for up to `frames` frames.

    track, frame : (n,) integers; frames : int; mothers : track ids that end in a division and are not held behind it
    returns source row (m,) int64 and frame (m,) int64 of the rows to add. Looks back only: whether a cell comes
            back is not known yet, so it is held behind its last sight as well
    """
    track, frame = np.asarray(track), np.asarray(frame, np.int64)
    order = np.lexsort((frame, track))
    if frames < 1 or len(order) == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    t, f = track[order], frame[order]
    room = np.full(len(t), frames, np.int64)
    follows = t[1:] == t[:-1]
    room[:-1][follows] = np.minimum(frames, np.diff(f)[follows] - 1)
    last = np.append(~follows, True)
    room[last & np.isin(t, list(mothers))] = 0
    source = np.repeat(np.arange(len(t)), room)
    ahead = np.arange(len(source)) - np.repeat(np.cumsum(room) - room, room) + 1
    return order[source], f[source] + ahead


def contacts(frame, position, velocity, other_frame, other_position, other_velocity, *, r1, r2, own=None, other=None):
    """Contacts of every cell with one population.

    frame : (n,) integers; position, velocity : (n, 2) float64 (um, um/min; NaN velocity where undefined)
    other_* : the same for the m rows of the other population; r1 <= r2 in the positions' unit
    own, other : (n,) and (m,) track ids where both are one population: a cell is not its own neighbour
    returns dict of (n,) float64 by CONTACT_COLUMNS
    """
    n = len(frame)
    out = {name: np.full(n, np.nan) for name in CONTACT_COLUMNS}
    out["n_{q}_r1"][:] = 0.0
    out["n_{q}_r2"][:] = 0.0
    rows = np.argsort(frame, kind="stable")
    other_rows = np.argsort(other_frame, kind="stable")
    sorted_frames, sorted_others = np.asarray(frame)[rows], np.asarray(other_frame)[other_rows]
    for f in np.intersect1d(sorted_frames, sorted_others):
        here = rows[np.searchsorted(sorted_frames, f) : np.searchsorted(sorted_frames, f, side="right")]
        there = other_rows[np.searchsorted(sorted_others, f) : np.searchsorted(sorted_others, f, side="right")]
        pairs = cKDTree(position[here]).sparse_distance_matrix(
            cKDTree(other_position[there]), r2, output_type="ndarray"
        )
        i, j, distance = pairs["i"], pairs["j"], pairs["v"]
        if own is not None:
            different = own[here][i] != other[there][j]
            i, j, distance = i[different], j[different], distance[different]
        if len(i) == 0:
            continue
        nearest = np.full(len(here), np.inf)
        np.minimum.at(nearest, i, distance)
        out["distance_{q}_um"][here] = np.where(np.isinf(nearest), np.nan, nearest)
        passing = np.hypot(*(other_velocity[there][j] - velocity[here][i]).T)
        known = ~np.isnan(passing)
        for r, near in (("r1", distance <= r1), ("r2", distance <= r2)):
            out[f"n_{{q}}_{r}"][here] = np.bincount(i[near], minlength=len(here))
            use = near & known
            with np.errstate(invalid="ignore"):
                out[f"speed_{{q}}_{r}_um_min"][here] = np.bincount(
                    i[use], weights=passing[use], minlength=len(here)
                ) / np.where((c := np.bincount(i[use], minlength=len(here))) > 0, c, np.nan)
    return out
