"""Deaths (or any event) against the true ones: the right track, at about the right time."""

import numpy as np


def event_counts(true_track, true_min, found_track, found_min, belongs, tolerance_min):
    """`{"tp", "fp", "fn"}` and the onset errors of the hits.

    Parameters
    ----------
    true_track, true_min : true track and time (min) of each true event
    found_track, found_min : found track and time (min) of each found event
    belongs : dict found track -> true track (`linking.track_of_truth`)
    tolerance_min : float, min

    Returns
    -------
    counts : dict
    errors_min : float array, found minus true onset of the hits (min), by true event
    """
    true_track, found_track = [int(x) for x in true_track], [int(x) for x in found_track]
    true_min, found_min = np.asarray(true_min, dtype=float), np.asarray(found_min, dtype=float)
    by_track = {}
    for j, track in enumerate(found_track):
        if track in belongs:
            by_track.setdefault(belongs[track], []).append(j)
    pairs = sorted(
        (abs(found_min[j] - true_min[i]), i, j)
        for i, track in enumerate(true_track)
        for j in by_track.get(track, ())
        if abs(found_min[j] - true_min[i]) <= tolerance_min + 1e-9
    )
    hit, used = {}, set()
    for _, i, j in pairs:
        if i not in hit and j not in used:
            hit[i] = j
            used.add(j)
    errors = np.array([found_min[hit[i]] - true_min[i] for i in sorted(hit)])
    return {"tp": len(hit), "fp": len(found_track) - len(hit), "fn": len(true_track) - len(hit)}, errors
