"""Slow twins of the segment room, for a reader."""

import numpy as np


def relabel(masks, min_area=0, max_area=None):
    """Walk the pixels in reading order and give each new number the next label, if its area is allowed."""
    labels, names = np.zeros(masks.shape, np.int32), {}
    for index in np.ndindex(masks.shape):
        number = masks[index]
        if number == 0:
            continue
        area = int((masks == number).sum())
        if area < min_area or (max_area is not None and area > max_area):
            continue
        labels[index] = names.setdefault(number, len(names) + 1)
    return labels


def average_precision(truth, masks, iou):
    """(hits, false masks, missed cells) of one frame: a mask hits the cell with which it shares more than iou of both."""
    hits = 0
    for cell in range(1, truth.max() + 1):
        for mask in range(1, masks.max() + 1):
            a, b = truth == cell, masks == mask
            if (a & b).sum() / max((a | b).sum(), 1) > iou:
                hits += 1
    return hits, int(masks.max()) - hits, int(truth.max()) - hits
