"""Masks with any numbers in, labels 1..n in reading order out, without the too small and the too large."""

import numpy as np


def relabel(masks, min_area=0, max_area=None):
    """Number objects 1..n by their first pixel in reading order, leaving out what is too small or too large.

    Parameters
    ----------
    masks : (Y, X) array of integers >= 0, 0 = background; numbers may have gaps.
    min_area, max_area : px, both kept; None is no limit.

    Returns
    -------
    (Y, X) int32. The numbers do not depend on the engine's own, so equal masks give equal files.
    """
    masks = np.asarray(masks)
    flat = masks.ravel()
    if flat.size and flat.max() > flat.size:  # numbers too far apart to count in an array
        flat = np.unique(flat, return_inverse=True)[1].ravel() + int(flat.min() > 0)
    area = np.bincount(flat, minlength=1)
    keep = area >= max(1, min_area)
    if max_area is not None:
        keep &= area <= max_area
    keep[0] = False
    pixels = np.flatnonzero(flat)
    first = np.zeros(len(area), np.int64)
    first[flat[pixels[::-1]]] = pixels[::-1]  # the last value written is the first pixel
    kept = np.flatnonzero(keep)
    new = np.zeros(len(area), np.int32)
    new[kept[np.argsort(first[kept], kind="stable")]] = np.arange(1, len(kept) + 1, dtype=np.int32)
    return new[flat].reshape(masks.shape)
