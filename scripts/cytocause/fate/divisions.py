"""Divisions: called by the lineage, graded by geometry and by what the mother did before.

    mother  o--o--o(round, bright)
                  \\__ o--o       midpoint of the daughters - mother, areas of the sisters, sum of areas
                   \\_ o--o

The event is on the first frame of the daughters. Confidence is a logistic of evidence: 2.5 - cost / 2 + mitotic signal, where
cost is that of the lineage stage (same constants) and the signal the fall of ln area plus the rise of ln SD before the split, held to
-1 .. 2. Without masks the confidence is 0.5: the lineage alone says so.
"""

import numpy as np

MIDPOINT_SD_DIAMETERS, SISTER_VARIANCE, SUM_VARIANCE = 0.25, 0.04, 0.06  # as in config track.division
AREA_ROWS = 3


def lineage(track_id, parent_id, frame):
    """Mothers with two daughters or more: {mother: (daughters, first frame of a daughter)}, in the order of track_id.

    Rows in any order. One daughter alone is a gap, no division.
    """
    ids, inverse = np.unique(track_id, return_inverse=True)
    first = np.full(len(ids), np.iinfo(np.int64).max)
    np.minimum.at(first, inverse, frame)
    parent = np.zeros(len(ids), dtype=np.int64)
    np.maximum.at(parent, inverse, parent_id)
    found = {}
    order = np.lexsort((ids, parent))
    for k in order[parent[order] > 0]:
        found.setdefault(int(parent[k]), []).append(k)
    known = set(ids.tolist())
    return {
        mother: (tuple(int(ids[k]) for k in daughters), int(min(first[k] for k in daughters)))
        for mother, daughters in found.items()
        if len(daughters) >= 2 and mother in known
    }


def division_confidence(mother, daughter1, daughter2, window_min):
    """How well a division fits.

    mother, daughter1, daughter2  dicts of arrays sorted by time: time (min), y, x, area (lengths in one unit), sd (ln), each (T,)
    """
    area = mother["area"][np.isfinite(mother["area"])]
    if not len(area) or not np.isfinite(daughter1["area"]).any() or not np.isfinite(daughter2["area"]).any():
        return 0.5
    one, two = (np.nanmean(np.log(d["area"][:AREA_ROWS])) for d in (daughter1, daughter2))
    diameter = 2 * np.sqrt(np.median(area) / np.pi)
    off_y = (daughter1["y"][0] + daughter2["y"][0]) / 2 - mother["y"][-1]
    off_x = (daughter1["x"][0] + daughter2["x"][0]) / 2 - mother["x"][-1]
    cost = (off_y**2 + off_x**2) / (MIDPOINT_SD_DIAMETERS * diameter) ** 2
    total, last = np.logaddexp(one, two), np.log(area[-5:])
    excess = max(total - last.max(), 0.0) + min(total - last.min(), 0.0)
    cost += np.nan_to_num((one - two) ** 2 / SISTER_VARIANCE + excess**2 / SUM_VARIANCE, nan=9.0)
    return float(1.0 / (1.0 + np.exp(-(2.5 - cost / 2 + mitotic_signal(mother, window_min)))))


def mitotic_signal(mother, window_min):
    """Fall of ln area plus rise of ln SD in the last window_min against the time before, held to -1 .. 2; 0 where unknown."""
    late = mother["time"] > mother["time"][-1] - window_min
    if late.all():
        return 0.0
    signal = 0.0
    with np.errstate(invalid="ignore", divide="ignore"):
        for values, sign in ((np.log(mother["area"]), -1.0), (mother["sd"], 1.0)):
            before, after = values[~late], values[late]
            if np.isfinite(before).any() and np.isfinite(after).any():
                # of the window the strongest value, because rounding may take less than all of it
                change = sign * (after[np.isfinite(after)] - np.median(before[np.isfinite(before)]))
                signal += float(np.max(change))
    return float(np.clip(signal, -1.0, 2.0))
