"""Detection: is a true cell seen, and does every found mask see one?

    truth   (a) (b)   (c)        F sees T when it holds more than half of T's pixels
    found   [ 1   ]         [2]  1 sees a and b: one hit, one miss (a split is due); c is missed, 2 is false

One found mask is one hit at most, so    tp + fp = found masks,    tp + fn = true cells.
Source: Matula et al. 2015, PLoS ONE 10:e0144959 (when a mask counts as seen); here as precision, recall and F1.
"""

import numpy as np


def seen_pairs(pairs, truth_size):
    """(n, 2) labels: each true mask with the found mask that covers more than half of it (at most one does).

    pairs, truth_size : as `masks.overlaps` returns them
    """
    return pairs[2 * pairs[:, 2] > truth_size[pairs[:, 0]], :2]


def detection_counts(seen, truth_size, found_size):
    """`{"tp", "fp", "fn"}` of one frame; seen : (n, 2) labels of `seen_pairs`."""
    tp = len(np.unique(seen[:, 1]))
    return {"tp": tp, "fp": int((found_size > 0).sum()) - tp, "fn": int((truth_size > 0).sum()) - tp}
