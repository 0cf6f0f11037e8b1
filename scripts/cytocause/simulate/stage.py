"""The stage under the chip: it jitters and drifts, and now and then a frame is not taken.

    where a cell is in the image = where it is in the chip + shift of this frame

Labels and truth tracks are of the image and move with it; the variables of the cells are of the chip. A frame that was dropped
is missing in the movie and in its times; frame numbers stay those of the time grid.
"""

import numpy as np

from .seeds import stream


def frames_taken(cfg, sample):
    """Numbers of the frames that are in the movie: list of int. The first is always taken: time begins with it."""
    chance = cfg["imaging"]["dropped"]
    every = range(int(cfg["n_frames"]))
    if chance == 0:
        return list(every)
    kept = [k for k in every if k < 2 or stream(cfg["seed"], sample, "dropped", k).random() >= chance]
    return kept


def shifts_px(cfg, sample):
    """Shift (y, x) of each frame of the time grid in px: (T, 2) float64, 0 in the first frame but for the jitter."""
    n, imaging = int(cfg["n_frames"]), cfg["imaging"]
    out = np.zeros((n, 2))
    if imaging["drift_um_h"] > 0:
        turn = stream(cfg["seed"], sample, "stage drift").uniform(-np.pi, np.pi)
        way = imaging["drift_um_h"] * cfg["frame_interval_min"] / 60 * np.arange(n)
        out += np.column_stack([way * np.sin(turn), way * np.cos(turn)])
    if imaging["jitter_um"] > 0:
        out += np.array([stream(cfg["seed"], sample, "stage", k).normal(0.0, imaging["jitter_um"], 2) for k in range(n)])
    return out / float(cfg["pixel_size_um"])
