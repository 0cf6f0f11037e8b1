"""Brightness of every region in one channel, above the movie's background."""

import numpy as np

from .kernels import intensity_sums


def region_intensities(labels, image, background=0.0):
    """Mean, standard deviation (over pixels) and maximum of one channel per region.

    labels : (height, width) int32; image : (height, width) any dtype; background : grey value taken off mean and maximum
    returns dict `mean`, `sd`, `max` of float64 arrays indexed by label, NaN where a label is absent
    """
    n_labels = int(labels.max()) if labels.size else 0
    sums = intensity_sums(
        np.ascontiguousarray(labels, dtype=np.int32), np.ascontiguousarray(image, dtype=np.float32), n_labels
    )
    pixels = np.where(sums[:, 0] > 0, sums[:, 0], np.nan)
    shifted = sums[:, 2] / pixels
    return {
        "mean": sums[:, 1] + shifted - background,
        "sd": np.sqrt(np.maximum(sums[:, 3] / pixels - shifted**2, 0)),
        "max": np.where(np.isnan(pixels), np.nan, sums[:, 4] - background),
    }
