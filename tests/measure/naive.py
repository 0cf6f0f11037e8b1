"""The kernels of the measure room, said slowly: one region, one row, one pair at a time."""

from itertools import pairwise

import numpy as np

CODE_LENGTH = {c: 1.0 for c in (5, 7, 15, 17, 25, 27)}
CODE_LENGTH |= {21: 2**0.5, 33: 2**0.5, 13: (1 + 2**0.5) / 2, 23: (1 + 2**0.5) / 2}


def region_shape(labels, label):
    """Area, centroid, central second moments, perimeter and border of one region, from its list of pixels."""
    mask = np.pad(labels == label, 2)
    y, x = np.nonzero(labels == label)
    cross = [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)]
    inside = np.logical_and.reduce([np.roll(mask, shift, (0, 1)) for shift in cross])
    edge = (mask & ~inside).astype(int)
    code = sum(
        edge_weight * np.roll(edge, (dy, dx), (0, 1))
        for dy in (-1, 0, 1)
        for dx in (-1, 0, 1)
        for edge_weight in [{0: 1, 1: 2, 2: 10}[abs(dy) + abs(dx)]]
    )
    return {
        "area": len(y),
        "centroid": (y.mean(), x.mean()),
        "moments": (np.var(y), np.var(x), np.mean((y - y.mean()) * (x - x.mean()))),
        "perimeter": sum(CODE_LENGTH.get(int(c), 0.0) for c in code.ravel()),
        "border": bool((y == 0).any() or (x == 0).any() or (y == labels.shape[0] - 1).any() or (x == labels.shape[1] - 1).any()),
    }


def region_intensity(labels, image, label):
    """Mean, standard deviation and maximum of one region's pixels."""
    values = image[labels == label].astype(float)
    return values.mean(), values.std(), values.max()


def track_motion(track, frame, time, y, x, speed_window, direction_window):
    """Speed, smoothed speed, displacement, path, directionality of each row, each from the list of its past rows."""
    out = np.full((len(track), 5), np.nan)
    for i in range(len(track)):
        past = [j for j in range(len(track)) if track[j] == track[i] and frame[j] <= frame[i]]
        steps = [
            (a, b, np.hypot(y[b] - y[a], x[b] - x[a]), time[b] - time[a], frame[b] - frame[a] == 1)
            for a, b in pairwise(past)
        ]
        out[i, 2] = np.hypot(y[i] - y[past[0]], x[i] - x[past[0]])
        out[i, 3] = sum(step[2] for step in steps)
        if not steps:
            continue
        if steps[-1][4]:
            out[i, 0] = steps[-1][2] / steps[-1][3]
        recent = [s for s in steps if s[1] == i or time[s[0]] >= time[i] - speed_window - 1e-9]
        recent = [s for s in recent if s[4]]
        if recent:
            out[i, 1] = sum(s[2] for s in recent) / sum(s[3] for s in recent)
        window = steps
        if np.isfinite(direction_window):
            gaps = [k for k, s in enumerate(steps) if not s[4]]
            window = steps[gaps[-1] + 1 :] if gaps else steps
            window = [s for s in window if time[s[0]] >= time[i] - direction_window - 1e-9]
        length = sum(s[2] for s in window)
        if len(window) >= 2 and length > 0:
            first = window[0][0]
            out[i, 4] = min(1.0, np.hypot(y[i] - y[first], x[i] - x[first]) / length)
    return out


def contacts(frame, position, velocity, other_frame, other_position, other_velocity, r1, r2, own=None, other=None):
    """Counts, nearest distance and mean relative speed of each cell, over every pair of rows."""
    rows = []
    for i in range(len(frame)):
        near = []
        for j in range(len(other_frame)):
            if other_frame[j] != frame[i] or (own is not None and own[i] == other[j]):
                continue
            d = np.hypot(*(other_position[j] - position[i]))
            if d <= r2:
                near.append((d, np.hypot(*(other_velocity[j] - velocity[i]))))
        speeds = [[s for d, s in near if d <= r and not np.isnan(s)] for r in (r1, r2)]
        rows.append(
            [
                sum(d <= r1 for d, _ in near),
                len(near),
                min((d for d, _ in near), default=np.nan),
                *(np.mean(s) if s else np.nan for s in speeds),
            ]
        )
    return np.array(rows, float).reshape(-1, 5)
