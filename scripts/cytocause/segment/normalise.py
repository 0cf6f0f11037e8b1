"""Grey values on a scale of the whole movie, and the question whether a frame holds any cell at all.

A frame's own percentiles are a trap: one saturated blob over 4 % of a frame took it from 472 cells to 26. The limits
therefore come from movie.json (`intensity: {channel: {low, high, background}}`) and are the same in all its frames.
"""

import math

import numpy as np
from scipy.ndimage import uniform_filter

# Median absolute difference of two neighbours of white noise = 0.6745 * sqrt(2) * its standard deviation.
_MAD_OF_DIFFERENCES = 0.6745 * math.sqrt(2)


def diameter_px(diameter_um, pixel_size_um):
    """Diameter in px. Where the pixel size is unknown (None) the number in the config is already in px."""
    return float(diameter_um) / float(pixel_size_um) if pixel_size_um else float(diameter_um)


def normalise(frame, limits, polarity="bright"):
    """Scale a frame so that the movie's low limit is 0 and its high limit 1; dark cells become bright ones.

    Parameters
    ----------
    frame : (Y, X) array of any real dtype; it is left as it is.
    limits : {"low": float, "high": float, ...}, grey values of the whole movie.
    polarity : "bright" | "dark"; dark turns the scale round.

    Returns
    -------
    (Y, X) float32, a new array, not clipped.
    """
    low, high = float(limits["low"]), float(limits["high"])
    span = high - low
    if not (math.isfinite(span) and span > 0):  # a constant movie: everything is background
        return np.zeros(np.shape(frame), np.float32)
    scaled = (np.asarray(frame, dtype=np.float32) - np.float32(low)) * np.float32(1.0 / span)
    return np.float32(1.0) - scaled if polarity == "dark" else scaled


def has_cells(image, diameter, min_contrast_sd=6.0):
    """Whether some patch of a third of a cell stands out from its surroundings by more than noise can.

    Parameters
    ----------
    image : (Y, X) float array with bright cells.
    diameter : of a cell, px.
    min_contrast_sd : how many standard deviations of a patch's mean, under white noise, count as standing out.

    Notes
    -----
    The noise comes from differences of neighbours, so slow changes of light do not count as noise. Nor do they count
    as cells: a curved surface is taken off, and a patch is compared with the patches within 1.5 diameters.
    """
    side = max(1, round(diameter / 3))
    rows, columns = image.shape[0] // side, image.shape[1] // side
    if rows == 0 or columns == 0:
        return bool(np.ptp(image) > 0)
    noise = np.median(np.abs(np.diff(image, axis=1))) / _MAD_OF_DIFFERENCES
    patches = image[: rows * side, : columns * side].reshape(rows, side, columns, side).mean(axis=(1, 3))
    patches = patches - _surface(patches)
    contrast = float((patches - uniform_filter(patches, 9, mode="reflect")).max())
    return contrast > max(min_contrast_sd * float(noise) / side, 1e-6)


def _surface(patches):
    """The quadratic surface closest to the patches: light that changes over the whole frame."""
    y, x = (axis.ravel() - axis.mean() for axis in np.indices(patches.shape).astype(float))
    terms = np.stack([np.ones_like(y), y, x, y * y, x * x, x * y], axis=1)
    weights = np.linalg.lstsq(terms, patches.ravel(), rcond=None)[0]
    return (terms @ weights).reshape(patches.shape)
