"""Masks against true masks, one frame at a time.

Two different questions are asked of the same overlaps:

    AP         is a found mask good?   one-to-one pairs with  |T n F| / |T u F| >= threshold
    CTC nodes  is a true cell seen?    F holds more than half of T:  |T n F| > |T| / 2

so a found mask that swallows two cells sees both (a split is due) and is a poor mask for either. Detection and SEG
(`detection`, `seg`) are made of the second.
Sources: Stringer et al. 2021 (AP = TP / (TP + FP + FN)); Matula et al. 2015 (node matching of the cell tracking challenge).
"""

import numpy as np
from scipy.optimize import linear_sum_assignment

from cytocause.score.detection import detection_counts, seen_pairs
from cytocause.score.seg import seg_counts

STRICT = 0.75  # the second threshold of AP: the outline, not only the place, must be right
DENSE_PAIRS = 4_000_000  # up to this many label pairs a dense count is quicker than sorting the pixels


def overlaps(truth, found):
    """Pixels that every pair of labels shares.

    Parameters
    ----------
    truth, found : int arrays of one shape, 0 is background

    Returns
    -------
    pairs : (n, 3) int64, columns true label, found label, shared pixels; both labels > 0
    truth_size, found_size : int64 arrays indexed by label, pixels of each label (entry 0 is 0)
    """
    if truth.shape != found.shape:
        raise ValueError(
            f"True masks of {truth.shape[0]} x {truth.shape[1]} pixels cannot be compared with masks of "
            f"{found.shape[0]} x {found.shape[1]}: both must be drawn on the same frames."
        )
    truth_flat = np.asarray(truth).ravel().astype(np.int64)
    found_flat = np.asarray(found).ravel().astype(np.int64)
    truth_size, found_size = np.bincount(truth_flat), np.bincount(found_flat)
    truth_size[0] = found_size[0] = 0
    both = (truth_flat > 0) & (found_flat > 0)
    keys = truth_flat[both] * len(found_size) + found_flat[both]
    if len(truth_size) * len(found_size) <= DENSE_PAIRS:
        counts = np.bincount(keys, minlength=1)
        unique = np.flatnonzero(counts)
        counts = counts[unique]
    else:
        unique, counts = np.unique(keys, return_counts=True)
    pairs = np.column_stack([unique // len(found_size), unique % len(found_size), counts]).astype(np.int64)
    return pairs, truth_size, found_size


def pair_masks(pairs, truth_size, found_size, threshold):
    """One-to-one pairs of masks with intersection over union >= threshold, as many as possible: (n, 2) labels."""
    shared = pairs[:, 2]
    union = truth_size[pairs[:, 0]] + found_size[pairs[:, 1]] - shared
    good = shared >= threshold * union
    candidates, quality = pairs[good, :2], (shared / np.maximum(union, 1))[good]
    clash = len(np.unique(candidates[:, 0])) < len(candidates) or len(np.unique(candidates[:, 1])) < len(candidates)
    if not clash:
        return candidates
    rows, row_of = np.unique(candidates[:, 0], return_inverse=True)
    columns, column_of = np.unique(candidates[:, 1], return_inverse=True)
    gain = np.zeros((len(rows), len(columns)))
    gain[row_of, column_of] = 1.0 + quality / (2.0 * min(gain.shape))  # number of pairs first, quality decides ties
    r, c = linear_sum_assignment(gain, maximize=True)
    kept = gain[r, c] > 0
    return np.column_stack([rows[r[kept]], columns[c[kept]]])


def ap_counts(truth, found, threshold=0.5):
    """`{"tp", "fp", "fn"}` of the masks of one frame at one threshold of intersection over union."""
    pairs, truth_size, found_size = overlaps(truth, found)
    return _counts(pairs, truth_size, found_size, threshold)


def _counts(pairs, truth_size, found_size, threshold):
    tp = len(pair_masks(pairs, truth_size, found_size, threshold))
    return {"tp": tp, "fp": int((found_size > 0).sum()) - tp, "fn": int((truth_size > 0).sum()) - tp}


def covered_nodes(truth, found):
    """(n, 2) labels: each true mask with the found mask that covers more than half of it (at most one does)."""
    pairs, truth_size, _ = overlaps(truth, found)
    return seen_pairs(pairs, truth_size)


def compare_frames(frames, threshold=0.5):
    """Walk through (frame number, true masks, found masks) and keep only counts and label pairs.

    Returns
    -------
    rows : "segment" | "segment75" | "detection" -> `{"tp", "fp", "fn"}`, "seg" -> `{"sum", "n"}`, pooled over the frames;
        segment is at the threshold, segment75 at an intersection over union of 0.75
    nodes : (n, 3) int64, columns frame, true label, found label, as `covered_nodes`
    """
    nothing = {"tp": 0, "fp": 0, "fn": 0}
    rows = {"segment": {**nothing}, "segment75": {**nothing}, "detection": {**nothing}, "seg": {"sum": 0.0, "n": 0}}
    nodes = []
    for frame, truth, found in frames:
        pairs, truth_size, found_size = overlaps(truth, found)
        seen = seen_pairs(pairs, truth_size)
        here = {
            "segment": _counts(pairs, truth_size, found_size, threshold),
            "segment75": _counts(pairs, truth_size, found_size, STRICT),
            "detection": detection_counts(seen, truth_size, found_size),
            "seg": seg_counts(pairs, truth_size, found_size),
        }
        for row, counts in here.items():
            for key, value in counts.items():
                rows[row][key] += value
        nodes.append(np.column_stack([np.full(len(seen), frame, dtype=np.int64), seen]))
    return rows, np.concatenate(nodes) if nodes else np.zeros((0, 3), dtype=np.int64)
