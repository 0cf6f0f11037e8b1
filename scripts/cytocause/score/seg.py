"""SEG: how well the masks of the true cells are drawn, mean over all true cells of all frames.

    J(T, F) = |T n F| / |T u F|    with the F that holds more than half of T;  0 where there is none
    SEG     = mean of J over the true cells

False masks cost nothing here (they cost detection and AP). Sources: Ulman et al. 2017, Nature Methods 14:1141 (SEG);
py-ctcmetrics gives the same figure to 1e-4 (tests/score).
"""

import numpy as np


def seg_counts(pairs, truth_size, found_size):
    """What SEG needs of one frame, addable: `{"sum": float, "n": true cells}`.

    pairs, truth_size, found_size : as `masks.overlaps` returns them
    """
    shared = pairs[:, 2]
    good = 2 * shared > truth_size[pairs[:, 0]]
    union = truth_size[pairs[good, 0]] + found_size[pairs[good, 1]] - shared[good]
    return {"sum": float(np.sum(shared[good] / union)), "n": int((truth_size > 0).sum())}


def seg(counts):
    """SEG in 0..1 of (summed) `seg_counts`; None without a true cell."""
    return None if counts["n"] == 0 else counts["sum"] / counts["n"]
