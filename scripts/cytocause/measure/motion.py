"""Motion of tracks over windows that look back only, and the velocities that contacts need.

A missing frame is a gap: the step over it has no speed, and nothing is filled in. Time comes from `time_min`.
"""

import numpy as np

from .kernels import track_motion

MOTION_COLUMNS = ("speed_um_min", "speed_smooth_um_min", "displacement_um", "path_um", "directionality")


def by_track(track, frame):
    """Order that sorts rows by track, then frame; (n,) int64."""
    return np.lexsort((frame, track))


def motion(track, frame, time, y, x, *, speed_window=30.0, direction_window=60.0):
    """Speed, smoothed speed, displacement, path and directionality of every row.

    track, frame : (n,) integers, any order, one row per (track, frame); time : (n,) min; y, x : (n,) um or px
    speed_window : min; direction_window : min, or None for since the start of the track
    returns dict of (n,) float64 by MOTION_COLUMNS, in the order of the input. NaN where undefined: speed on a track's
            first row and behind a gap, directionality before the second step or where the path is zero.
            The path takes the straight line over a gap: there it is a lower bound.
    """
    order = by_track(track, frame)
    values = track_motion(
        np.asarray(track)[order].astype(np.int64),
        np.asarray(frame)[order].astype(np.int64),
        np.asarray(time, float)[order],
        np.asarray(y, float)[order],
        np.asarray(x, float)[order],
        float(speed_window),
        np.inf if direction_window is None else float(direction_window),
    )
    back = np.empty_like(values)
    back[order] = values
    return {name: back[:, k] for k, name in enumerate(MOTION_COLUMNS)}


def rate_of_change(track, frame, time, value):
    """Signed change per minute of a column, or of (n, k) columns, since the adjacent frame before; NaN across gaps.

    track, frame : (n,) integers; time : (n,) min; value : (n,) or (n, k); returns float64 of value's shape
    """
    order = by_track(track, frame)
    track, frame = np.asarray(track)[order], np.asarray(frame)[order]
    time, value = np.asarray(time, float)[order], np.asarray(value, float)[order]
    rate = np.full(value.shape, np.nan)
    if len(order) > 1:
        minutes = np.diff(time)
        good = (np.diff(track) == 0) & (np.diff(frame) == 1) & (minutes > 0)
        minutes = np.where(good, minutes, np.nan)
        rate[1:] = np.diff(value, axis=0) / (minutes if value.ndim == 1 else minutes[:, None])
    back = np.empty_like(rate)
    back[order] = rate
    return back
