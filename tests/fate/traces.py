"""Tables of cells whose fates are known, made of plain traces. For tests of `fate` only.

The shapes differ from the detector's template on purpose: death here is a straight fall over `fall_min`, not an exponential.
"""

import numpy as np
import pandas as pd


def trace(rng, n, interval=10.0, onset=None, mitosis_at_end=False, defocus=None, noise=0.07, fall_min=60.0):
    """ln area, ln mean, ln SD, speed (um/min) of one cell over n frames."""
    t = interval * np.arange(n)
    area, mean, sd = np.full(n, np.log(150.0)), np.full(n, np.log(400.0)), np.full(n, np.log(80.0))
    speed = np.full(n, np.log(0.2))
    area += np.linspace(0, 0.2, n)  # growth
    if onset is not None:
        share = np.clip((t - t[onset]) / fall_min, 0, 1)
        area, mean, sd, speed = area - 1.0 * share, mean + 0.4 * share, sd + 0.9 * share, speed - 1.2 * share
    if mitosis_at_end:
        late = np.arange(n) >= n - 5
        area, mean, sd = area - 0.45 * late, mean + 0.3 * late, sd + 0.6 * late
    if defocus is not None:
        out = (np.arange(n) >= defocus) & (np.arange(n) < defocus + 3)
        area, sd = area + 0.3 * out, sd - 0.5 * out
    jitter = [rng.normal(0, noise * k, n) for k in (1, 1.2, 1.5, 5)]
    return area + jitter[0], mean + jitter[1], sd + jitter[2], np.exp(speed + jitter[3])


def cells_of(traces, interval=10.0, first=None, at=None, parent=None):
    """cells and tracks tables of {track_id: trace}; first {track: first frame}, at {track: (y, x)}, parent {track: mother}."""
    parts = []
    for k, (area, mean, sd, speed) in traces.items():
        n = len(area)
        start = (first or {}).get(k, 0)
        y, x = (at or {}).get(k, (100.0, 100.0))
        parts.append(
            pd.DataFrame(
                {
                    "sample": "s",
                    "population": "tumour",
                    "track_id": k,
                    "parent_id": (parent or {}).get(k, 0),
                    "frame": np.arange(start, start + n),
                    "time_min": interval * np.arange(start, start + n),
                    "label": k,
                    "y_um": y,
                    "x_um": x,
                    "cell_type": "tumour",
                    "area_um2": np.exp(area),
                    "border": False,
                    "intensity_mean_tumour": np.exp(mean),
                    "intensity_sd_tumour": np.exp(sd),
                    "speed_um_min": np.r_[np.nan, speed[1:]],
                }
            )
        )
    df = pd.concat(parts, ignore_index=True)
    tracks = df[["sample", "track_id", "parent_id", "frame", "time_min", "label", "y_um", "x_um", "cell_type"]].assign(source="auto")
    return df.drop(columns="parent_id"), tracks


def meta(n_frames=90, size=256, pixel=1.0, interval=10.0):
    return {
        "frames": list(range(n_frames)),
        "time_min": [interval * f for f in range(n_frames)],
        "pixel_size_um": pixel,
        "unit": "um" if pixel else "px",
        "height": size,
        "width": size,
    }
