"""One pass over a label image: what the linker needs of every object.

Arrays in, arrays out; the naive twin is tests/track/naive.py.
"""

import numpy as np
from numba import njit


@njit(cache=True)
def label_sums(labels, intensity, n_labels):
    """Sums over the pixels of each label.

    labels     (Y, X) int32, 0 is background, values at most n_labels
    intensity  (Y, X) float64, or (0, 0) when there is none
    Returns    (n_labels + 1, 5) float64: pixels, sum of y, sum of x (px), sum of intensity, pixels on the frame's edge; row 0 stays 0
    """
    sums = np.zeros((n_labels + 1, 5))
    height, width = labels.shape
    with_intensity = intensity.size > 0
    for y in range(height):
        edge_row = y == 0 or y == height - 1
        for x in range(width):
            k = labels[y, x]
            if k <= 0:
                continue
            sums[k, 0] += 1.0
            sums[k, 1] += y
            sums[k, 2] += x
            if with_intensity:
                sums[k, 3] += intensity[y, x]
            if edge_row or x == 0 or x == width - 1:
                sums[k, 4] += 1.0
    return sums
