"""Deaths: the change point of each track, if it is large, lasting, of the right signs, and no division explains it.

    onset   the frame from which on the cell shrinks, condenses and stops
    score   sum over signals of twice the log likelihood ratio, see kernels.py
    veto    a track with two daughters divided; its rounding looks like a death that was cut short
"""

from typing import NamedTuple

import numpy as np

from cytocause.fate.kernels import onset_scan
from cytocause.fate.signals import SIGN, noise


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
    score, best, amplitude = onset_scan(time, np.ascontiguousarray(signals), sigma, SIGN, taus)
    seen_after = time[-1] - time
    reached = 1.0 - np.exp(-seen_after / taus[best])  # share of the plateau that the track still shows
    allowed = (seen_after >= cfg["support_min"]) & (time - time[0] >= cfg["baseline_min"]) & (score >= cfg["threshold"])
    known = np.isfinite(signals).sum(axis=1) >= 3
    allowed &= known[0] & (-amplitude[:, 0] * reached >= cfg["min_area_fall"])
    if known[2]:
        allowed &= amplitude[:, 2] * reached >= cfg["min_sd_rise"]
    if not allowed.any():
        return None
    row = int(np.argmax(np.where(allowed, score, -np.inf)))
    return Death(row, float(score[row]), confidence(score[row], cfg["threshold"]))


def confidence(score, threshold):
    """0.5 at the threshold, 0.82 at twice, 0.93 at three times."""
    return float(1.0 - 0.5 * np.exp(1.0 - score / threshold))
