"""What one frame is like, and which frames are unlike their neighbours.

Focus is the variance of the Laplacian (Pech-Pacheco 2000): blur takes the fine detail first.
"""

import numpy as np
from scipy.ndimage import laplace

from cytocause.io import InputDefect

MIN_FRAMES = 5  # below this there is no "frames around" to be unlike


def frame_facts(image):
    """Mean, focus, highest value, share of pixels at it, and whether the frame is constant: a dict of plain numbers.

    image : (height, width); float images must be finite
    """
    highest = image.max()
    constant = bool(highest == image.min())
    return {
        "mean": float(image.mean(dtype=np.float64)),
        "focus": 0.0 if constant else float(laplace(image.astype(np.float32)).var(dtype=np.float64)),
        "highest": float(highest),
        "at_highest": float(np.count_nonzero(image == highest)) / image.size,
        "constant": constant,
    }


def check_finite(image, page, channel, file):
    """Raises InputDefect when a frame holds NaN or infinite pixels."""
    if image.dtype.kind != "f":
        return
    bad = int(image.size - np.count_nonzero(np.isfinite(image)))
    if bad:
        raise InputDefect(
            f"Frame {page} (counted from 0) of channel {channel} holds {bad} pixels that are NaN or infinite.",
            file=file,
            todo="Leave the frame out or replace these pixels before the analysis.",
        )


def full_scale(dtype, highest):
    """The highest value that the camera can give, None when it is not known.

    Cameras of 10 to 14 bits write into 16: a movie whose highest value is just 2^n - 1 has met that camera's limit.
    """
    if np.dtype(dtype).kind not in "ui":
        return None
    limit = np.iinfo(dtype).max
    known = {2**bits - 1 for bits in (8, 10, 12, 14, 16)} | {limit}
    return float(highest) if highest in known and highest >= 255 else float(limit)


def flags(facts, *, frames, drift_steps, cfg):
    """What is unusual in each frame: a list (per page) of lists of words.

    facts       : {channel: {"mean": (n,), "focus": (n,), "saturated": (n,), "constant": (n,)}}
    frames      : (n,) frame numbers
    drift_steps : (n,) px, shift against the frame before
    cfg         : section prepare.quality
    """
    n = len(frames)
    words = [[] for _ in range(n)]

    def flag(where, word):
        for page in np.flatnonzero(where):
            if word not in words[page]:
                words[page].append(word)

    several = len(facts) > 1
    for channel, values in facts.items():
        tail = f"_{channel}" if several else ""
        constant = np.asarray(values["constant"], bool)
        flag(constant, f"empty{tail}")
        mean = np.asarray(values["mean"])
        around = local_median(mean, cfg["window_frames"])
        change = (mean - around) / np.maximum(np.abs(around), 1e-12)
        noise = 4 * robust_sd(mean - around)
        comparable = ~constant & (n >= MIN_FRAMES)
        unusual = (np.abs(change) > cfg["brightness_change"]) & (np.abs(mean - around) > noise) & comparable
        flag(unusual & (change < 0), f"dark{tail}")
        flag(unusual & (change > 0), f"bright{tail}")
        focus = np.asarray(values["focus"])
        around = local_median(focus, cfg["window_frames"])
        drop = (around - focus) / np.maximum(around, 1e-12)
        noise = 4 * robust_sd(focus - around)
        dark = unusual & (change < 0)  # half the light has a quarter of the variance, and that is no blur
        flag((drop > cfg["focus_drop"]) & (around - focus > noise) & comparable & ~dark, f"blurred{tail}")
        flag(np.asarray(values["saturated"]) > cfg["saturated"], f"saturated{tail}")
    flag(np.asarray(drift_steps) > 0, "shifted")
    flag(np.r_[False, np.diff(frames) > 1] if n else [], "gap_before")
    return words


def local_median(values, window):
    """Median of the `window` values around each (fewer at the ends)."""
    half = window // 2
    return np.array([np.median(values[max(0, i - half) : i + half + 1]) for i in range(len(values))])


def robust_sd(values):
    """Standard deviation from the median absolute deviation."""
    return 1.4826 * float(np.median(np.abs(values - np.median(values)))) if len(values) else 0.0
