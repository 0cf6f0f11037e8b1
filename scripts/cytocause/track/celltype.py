"""The cell type of a track: the population's name, or a threshold on the track's median size or brightness."""

import numpy as np

FEATURES = ("area_um2", "area_px2", "intensity_mean")


def cell_types(track_id, values, rule):
    """Cell type per row by the median of each track.

    track_id  (N,) int64
    values    (N,) float64, the rule's feature; NaN is ignored
    rule      {"threshold": number, "below": name, "above": name}; a median equal to the threshold is above; a track
              without any value is below
    Returns   (N,) object
    """
    track, inverse = np.unique(track_id, return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    bounds = np.searchsorted(inverse[order], np.arange(len(track) + 1))
    above = np.zeros(len(track), dtype=bool)
    for k in range(len(track)):
        own = values[order[bounds[k] : bounds[k + 1]]]
        own = own[np.isfinite(own)]
        above[k] = len(own) > 0 and np.median(own) >= rule["threshold"]
    return np.where(above, str(rule["above"]), str(rule["below"])).astype(object)[inverse]
