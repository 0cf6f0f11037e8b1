"""One pass over the pixels of a movie: every page is read once, and two frames are held at most."""

import numpy as np

from cytocause.io import InputDefect
from cytocause.prepare.drift import DriftEstimator
from cytocause.prepare.intensity import Histogram, limits
from cytocause.prepare.quality import check_finite, flags, frame_facts, full_scale

_FACTS = ("mean", "focus", "highest", "at_highest", "constant")


def survey(movie, cfg, *, pages=None):
    """Read every page of a movie once.

    movie : n_frames, height, width, channel_names, dtype, frame(t, c), file_of(t, c)
    cfg   : section prepare
    pages : the iterator of page numbers to follow (for progress), default range(n_frames)

    Returns a dict: "intensity" {channel: low, high, background}, "drift_px" (n, 2) float, "facts" {channel: {name: (n,)}}.
    Raises InputDefect for NaN or infinite pixels, and when every frame is constant.
    """
    names = movie.channel_names
    histograms = [Histogram(movie.dtype, movie.n_frames) for _ in names]
    facts = {name: {key: [] for key in _FACTS} for name in names}
    drift = DriftEstimator((movie.height, movie.width), cfg["drift"]) if cfg["drift"]["enabled"] else None
    shifts = np.zeros((movie.n_frames, 2))
    for t in range(movie.n_frames) if pages is None else pages:
        combined = None
        for c, name in enumerate(names):
            image = movie.frame(t, c)
            check_finite(image, t, name, movie.file_of(t, c))
            found = frame_facts(image)
            for key in _FACTS:
                facts[name][key].append(found[key])
            if not found["constant"]:
                histograms[c].add(image)
            if drift is not None:
                combined = _add(combined, image)
        if drift is not None:
            shifts[t] = drift.step(combined)
    empty = [name for name in names if all(facts[name]["constant"])]
    if len(empty) == len(names):
        raise InputDefect(
            "Every frame of the movie is constant: all its pixels have the same value.",
            file=movie.file_of(0),
            todo="Check the export; there is nothing to see in this movie.",
        )
    intensity = {}
    for c, name in enumerate(names):
        values = {key: np.array(facts[name][key]) for key in _FACTS}
        top = full_scale(movie.dtype, values["highest"].max())
        values["saturated"] = np.where(values["highest"] == top, values["at_highest"], 0.0)
        values["saturated"][values["constant"]] = 0.0
        facts[name] = values
        if name in empty:
            level = float(values["mean"][0])
            intensity[name] = {"low": level, "high": level + 1.0, "background": level}
        else:
            intensity[name] = limits(histograms[c], cfg)
    return {"intensity": intensity, "drift_px": shifts, "facts": facts, "empty_channels": empty}


def _add(combined, image):
    """Channels in one image for the drift, each scaled by its own spread so that the brightest does not decide alone."""
    image = image.astype(np.float32)
    spread = image.std()
    if spread > 0:
        image = (image - image.mean()) / spread
    else:
        image = np.zeros_like(image)
    return image if combined is None else combined + image


def judge(result, *, frames, cfg):
    """Flags of every page (list of lists of words) for a survey."""
    steps = np.r_[0.0, np.hypot(*np.diff(result["drift_px"], axis=0).T)] if len(frames) > 1 else np.zeros(len(frames))
    return flags(result["facts"], frames=frames, drift_steps=steps, cfg=cfg["quality"])
