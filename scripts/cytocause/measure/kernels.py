"""numba kernels of the measure room: arrays in, arrays out.

A label image becomes one row of sums per region in two sweeps: the first takes counts and moments and marks the
pixels of every region's edge, the second gives each edge pixel its length from its 3 x 3 neighbourhood.

        . # # .          edge pixel: one of its 4 neighbours lies outside the region (or outside the image)
        # # # #          length of an edge pixel: 1, sqrt(2) or their mean, looked up from which of its
        # # # #          8 neighbours are edge pixels of the same region
        . # # .

Plain-NumPy twins: tests/measure/naive.py.
"""

import numpy as np
from numba import njit

ROOT2 = np.sqrt(2.0)


@njit(cache=True)
def _edge_length(code):
    """Length in px of an edge pixel whose neighbours sum to `code` (1 itself, 2 a side, 10 a corner).

    Source: Benkrid, Crookes, Benkrid 2000, as in skimage.measure.perimeter with neighborhood=4.
    """
    if code == 5 or code == 7 or code == 15 or code == 17 or code == 25 or code == 27:
        return 1.0
    if code == 21 or code == 33:
        return ROOT2
    if code == 13 or code == 23:
        return (1.0 + ROOT2) / 2.0
    return 0.0


@njit(cache=True)
def region_sums(labels, n_labels):
    """Sums over every region of one label image.

    labels : (height, width) int32, 0 is background, values at most n_labels
    returns counts (n_labels + 1, 8) int64: area, first y, first x, sum dy, sum dx, sum dy^2, sum dx^2, sum dy dx
            (dy, dx from the region's first pixel: exact integers, so nothing cancels far from the origin);
            perimeter (n_labels + 1,) float64 in px; border (n_labels + 1,) bool, True where the region touches the frame
    """
    height, width = labels.shape
    counts = np.zeros((n_labels + 1, 8), np.int64)
    perimeter = np.zeros(n_labels + 1, np.float64)
    border = np.zeros(n_labels + 1, np.bool_)
    edge = np.zeros((height, width), np.uint8)
    for y in range(height):
        for x in range(width):
            label = labels[y, x]
            if label <= 0:
                continue
            row = counts[label]
            if row[0] == 0:
                row[1] = y
                row[2] = x
            dy = y - row[1]
            dx = x - row[2]
            row[0] += 1
            row[3] += dy
            row[4] += dx
            row[5] += dy * dy
            row[6] += dx * dx
            row[7] += dy * dx
            if y == 0 or x == 0 or y == height - 1 or x == width - 1:
                border[label] = True
                edge[y, x] = 1
            elif (
                labels[y - 1, x] != label
                or labels[y + 1, x] != label
                or labels[y, x - 1] != label
                or labels[y, x + 1] != label
            ):
                edge[y, x] = 1
    for y in range(height):
        for x in range(width):
            if edge[y, x] == 0:
                continue
            label = labels[y, x]
            code = 1
            for dy in range(-1, 2):
                v = y + dy
                if v < 0 or v >= height:
                    continue
                for dx in range(-1, 2):
                    u = x + dx
                    if u < 0 or u >= width or (dy == 0 and dx == 0):
                        continue
                    if edge[v, u] == 1 and labels[v, u] == label:
                        code += 10 if dy != 0 and dx != 0 else 2
            perimeter[label] += _edge_length(code)
    return counts, perimeter, border


@njit(cache=True)
def intensity_sums(labels, image, n_labels):
    """Sums of one channel over every region.

    labels : (height, width) int32; image : (height, width) float32
    returns (n_labels + 1, 5) float64: pixels, first value, sum of (value - first), its squares, maximum value
            (sums from the region's first value: a bright offset does not eat the variance)
    """
    height, width = labels.shape
    sums = np.zeros((n_labels + 1, 5), np.float64)
    for y in range(height):
        for x in range(width):
            label = labels[y, x]
            if label <= 0:
                continue
            value = np.float64(image[y, x])
            row = sums[label]
            if row[0] == 0.0:
                row[1] = value
                row[4] = value
            shifted = value - row[1]
            row[0] += 1.0
            row[2] += shifted
            row[3] += shifted * shifted
            row[4] = max(row[4], value)
    return sums


@njit(cache=True)
def track_motion(track, frame, time, y, x, speed_window, direction_window):
    """Motion of every row from its own past.

    track, frame : (n,) int64, sorted by track, then frame; time, y, x : (n,) float64 (min; um or px)
    speed_window, direction_window : min; infinite means since the start of the track
    returns (n, 5) float64: speed, smoothed speed, displacement, path, directionality

             start o---o---o   .   o---o---o now        a step counts only between adjacent frames; over the gap (.)
                                   |<-window->|         speed is unknown, the path takes the straight line
    """
    n = len(track)
    out = np.full((n, 5), np.nan)
    start = 0
    run = 0
    for i in range(n):
        if i == 0 or track[i] != track[i - 1]:
            start = i
            run = i
            out[i, 2] = 0.0
            out[i, 3] = 0.0
            continue
        step = np.hypot(y[i] - y[i - 1], x[i] - x[i - 1])
        dt = time[i] - time[i - 1]
        adjacent = frame[i] - frame[i - 1] == 1 and dt > 0.0
        if adjacent:
            out[i, 0] = step / dt
        else:
            run = i
        out[i, 2] = np.hypot(y[i] - y[start], x[i] - x[start])
        out[i, 3] = out[i - 1, 3] + step

        length = 0.0
        minutes = 0.0
        j = i
        while j > start and (j == i or time[j - 1] >= time[i] - speed_window - 1e-9):
            dt = time[j] - time[j - 1]
            if frame[j] - frame[j - 1] == 1 and dt > 0.0:
                length += np.hypot(y[j] - y[j - 1], x[j] - x[j - 1])
                minutes += dt
            j -= 1
        if minutes > 0.0:
            out[i, 1] = length / minutes

        if np.isinf(direction_window):
            anchor = start
            length = out[i, 3]
        else:
            anchor = i
            length = 0.0
            while anchor > run and time[anchor - 1] >= time[i] - direction_window - 1e-9:
                length += np.hypot(y[anchor] - y[anchor - 1], x[anchor] - x[anchor - 1])
                anchor -= 1
        if i - anchor >= 2 and length > 0.0:
            out[i, 4] = min(1.0, np.hypot(y[i] - y[anchor], x[i] - x[anchor]) / length)
    return out
