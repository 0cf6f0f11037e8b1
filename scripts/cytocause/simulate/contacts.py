"""When which immune cell touched which tumour cell: the contact variable, pair by pair.

    frame      0 1 2 3 4 5 6
    distance   > < < > < < <        two intervals: 1 to 2 and 4 to 6
"""

import numpy as np
import pandas as pd

COLUMNS = {
    "sample": "string", "track_id": "int64", "immune_track_id": "int64", "first_frame": "int32", "last_frame": "int32",
    "start_min": "float64", "end_min": "float64",
}  # fmt: skip


def contact_intervals(tumour, immune, radius_um, sample, interval_min):
    """Unbroken intervals in which an immune cell's centre lay within the contact radius of a tumour cell's.

    Parameters
    ----------
    tumour, immune : list over frames of dicts with track_id, y_um, x_um (n,)
    radius_um : float
    sample : str
    interval_min : float

    Returns
    -------
    DataFrame with COLUMNS, sorted by track_id, immune_track_id and frame; end_min is the last frame's time
    """
    pairs, frames = [], []
    for frame, (t, i) in enumerate(zip(tumour, immune)):
        near = np.hypot(t["y_um"][:, None] - i["y_um"][None, :], t["x_um"][:, None] - i["x_um"][None, :]) <= radius_um
        a, b = np.nonzero(near)
        pairs.append(np.column_stack([t["track_id"][a], i["track_id"][b]]).astype(np.int64))
        frames.append(np.full(a.size, frame))
    pair = np.concatenate(pairs) if pairs else np.zeros((0, 2), np.int64)
    frame = np.concatenate(frames) if frames else np.zeros(0, np.int64)
    order = np.lexsort((frame, pair[:, 1], pair[:, 0]))
    pair, frame = pair[order], frame[order]
    begins = np.ones(frame.size, bool)
    begins[1:] = (np.diff(pair, axis=0) != 0).any(axis=1) | (np.diff(frame) != 1)
    first = np.flatnonzero(begins)
    last = np.append(first[1:], frame.size) - 1 if first.size else first
    table = pd.DataFrame(
        {
            "sample": [sample] * first.size,
            "track_id": pair[first, 0],
            "immune_track_id": pair[first, 1],
            "first_frame": frame[first],
            "last_frame": frame[last],
            "start_min": frame[first] * float(interval_min),
            "end_min": frame[last] * float(interval_min),
        }
    )
    return table.astype({name: kind for name, kind in COLUMNS.items() if kind != "string"})
