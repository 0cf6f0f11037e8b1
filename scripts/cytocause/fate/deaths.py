"""Deaths: the change point of each track, if it is large, lasting, of the right signs, and no division explains it.

    onset   the frame from which on the cell shrinks, condenses and stops
    score   sum over signals of twice the log likelihood ratio, see kernels.py
    veto    a track with two daughters divided; its rounding looks like a death that was cut short
"""

from typing import NamedTuple

import numpy as np

from cytocause.fate.kernels import onset_scan
from cytocause.fate.signals import SIGN, noise

BEFORE_MIN = 120.0  # long enough for a median, short against growth over a cycle


class Death(NamedTuple):
    """The best onset of one track."""

    row: int  # index into the track's rows
    score: float
    confidence: float  # 0.5 at the threshold, towards 1 above


def find_death(time, signals, cfg):
    """The death of one track, or None.

    time     (T,) min; signals (4, T) in the order of signals.NAMES
    cfg      section fate.death of the config
    """
    if len(time) < 3:
        return None
    sigma = noise(signals)
    taus = np.asarray(cfg["tau_min"], dtype=np.float64)
    score, _, _ = onset_scan(time, np.ascontiguousarray(signals), sigma, SIGN, taus)
    row = int(np.argmax(score))
    # a better onset too near the track's begin or end: the cell was dying when first seen, or the movie ends too soon to tell
    if score[row] < cfg["threshold"] or time[-1] - time[row] < cfg["support_min"] or time[row] - time[0] < cfg["baseline_min"]:
        return None
    if not change(time, signals[0], row, SIGN[0]) >= cfg["min_area_fall"]:
        return None
    rise = change(time, signals[2], row, SIGN[2])
    if np.isfinite(rise) and rise < cfg["min_sd_rise"]:
        return None
    return Death(row, float(score[row]), confidence(score[row], cfg["threshold"]))


def change(time, values, onset, sign):
    """How far a signal goes in the direction `sign` after an onset; NaN where it is unknown before or after.

    From the median of the last BEFORE_MIN up to the onset to the quartile of what follows that lies furthest that way: a
    part of the track may still be on its way there, and a dead body may fade again.
    """
    before = values[(np.arange(len(time)) <= onset) & (time >= time[onset] - BEFORE_MIN)]
    after = values[onset + 1 :]
    before, after = before[np.isfinite(before)], after[np.isfinite(after)]
    if not len(before) or not len(after):
        return np.nan
    return float(np.quantile(sign * (after - np.median(before)), 0.75))


def confidence(score, threshold):
    """0.5 at the threshold, 0.82 at twice, 0.93 at three times."""
    return float(1.0 - 0.5 * np.exp(1.0 - score / threshold))
