"""A movie through an engine, one frame in memory at a time."""

import math

import numpy as np

from .normalise import has_cells, normalise
from .relabel import relabel


def segment_frames(frames, engine, limits, diameter, settings):
    """Labels of each frame, in order, as they are made.

    Parameters
    ----------
    frames : iterable of (frame, second): (Y, X) arrays of the channel to segment and of the nuclear channel or None.
    engine : see `make_engine`.
    limits : (limits, second_limits): {"low", "high"} of the whole movie for both; the latter may be None.
    diameter : of a cell, px.
    settings : polarity, min_contrast_sd, min_area_fraction, max_area_fraction.

    Yields
    ------
    (Y, X) int32 labels 1..n; a frame without any structure gives 0 everywhere and is not shown to the engine.
    """
    first_limits, second_limits = limits
    min_area = settings["min_area_fraction"] * math.pi / 4 * diameter**2
    for frame, second in frames:
        image = normalise(frame, first_limits, settings["polarity"])
        # Trap 7: networks find cells in pure noise, and Otsu cuts anything in two.
        if not has_cells(image, diameter, settings["min_contrast_sd"]):
            yield np.zeros(image.shape, np.int32)
            continue
        beside = None if second is None else normalise(second, second_limits)
        yield relabel(engine.masks(image, beside), min_area, settings["max_area_fraction"] * image.size)


def count_flags(counts, jump=0.3, window=7):
    """What to look at in the numbers of objects: "empty", "jump" or "" for each frame.

    A jump is a frame whose count differs from the median of its neighbours (three on each side, itself left out) by
    more than the fraction `jump` and by more than two cells.
    """
    counts = np.asarray(counts, float)
    flags = []
    for i, count in enumerate(counts):
        around = np.delete(counts[max(0, i - window // 2) : i + window // 2 + 1], min(i, window // 2))
        typical = float(np.median(around)) if around.size else count
        if count == 0:
            flags.append("empty")
        elif abs(count - typical) > max(2.0, jump * typical):
            flags.append("jump")
        else:
            flags.append("")
    return flags
