"""Engine `threshold`: Otsu and a distance watershed. No network, no torch, no weights.

    frame ─ smooth ─ level ─▶ foreground ─ distance ─▶ peaks ─ watershed ─▶ masks

It is right for bright, well separated cells on an even ground (immune cells in their own channel), and the yardstick
for everything else. Sources: Otsu 1979; scikit-image `watershed` on the distance transform.
"""

import numpy as np
from scipy import ndimage

DEFAULTS = {"smoothing": 0.08, "level": 1.0, "noise_sd": 5.0, "split": 0.4}


def threshold_masks(image, diameter, settings=None):
    """Masks of the bright objects of one frame.

    Parameters
    ----------
    image : (Y, X) float32, bright cells (`normalise` turns dark ones round).
    diameter : of a cell, px.
    settings : keys of `segment.threshold` in the config.

    Returns
    -------
    (Y, X) int32, 0 = background, not yet cleaned of small objects.
    """
    settings = {**DEFAULTS, **(settings or {})}
    smooth = ndimage.gaussian_filter(np.asarray(image, np.float32), max(0.5, settings["smoothing"] * diameter))
    foreground = ndimage.binary_fill_holes(smooth > _level(smooth, settings))
    return _split(foreground, settings["split"] * diameter)


def _level(smooth, settings):
    """Otsu's level, but never within the noise of the background (few cells in a frame pull Otsu down into it)."""
    from skimage.filters import threshold_otsu

    background = float(np.median(smooth))
    below = smooth[smooth <= background]
    noise = 1.4826 * float(np.median(background - below)) if below.size else 0.0
    otsu = background + settings["level"] * (float(threshold_otsu(smooth)) - background)
    return max(otsu, background + settings["noise_sd"] * noise)


def _split(foreground, min_distance):
    """Cut touching objects at the watershed of their distance to the background."""
    from skimage.feature import peak_local_max
    from skimage.segmentation import watershed

    objects, n = ndimage.label(foreground)
    if n == 0 or min_distance <= 0:
        return objects.astype(np.int32)
    distance = ndimage.gaussian_filter(ndimage.distance_transform_edt(foreground), max(0.5, min_distance / 6))
    distance[~foreground] = 0
    peaks = peak_local_max(distance, min_distance=max(1, int(min_distance)), labels=objects, exclude_border=False)
    markers = np.zeros(foreground.shape, np.int32)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    return watershed(-distance, markers, mask=foreground).astype(np.int32)
