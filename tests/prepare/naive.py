"""The same things, slowly."""

import numpy as np


def half_sample_mode(sample):
    """Half-sample mode of a plain sample (Robertson & Cryer 1974): halve to the narrowest interval until 1 or 2 values."""
    values = sorted(sample)
    while len(set(values)) > 2:
        half = (len(values) + 1) // 2
        windows = [(values[i + half - 1] - values[i], i) for i in range(len(values) - half + 1)]
        width = min(windows)[0]
        best = []
        for w, i in windows:
            if w == width:
                inside = [v for v in values if values[i] <= v <= values[i + half - 1]]
                if len(inside) > len(best):
                    best = inside
        if len(best) == len(values):
            break
        values = best
    return float(np.mean(values))


def percentile(sample, percent):
    """The smallest value that at least `percent` % of the sample do not exceed."""
    values = sorted(sample)
    for value in values:
        if sum(v <= value for v in values) >= percent / 100 * len(values):
            return float(value)
    return float(values[-1])


def local_median(values, window):
    """Median of the values at most window // 2 away."""
    half = window // 2
    return [float(np.median([v for j, v in enumerate(values) if abs(j - i) <= half])) for i in range(len(values))]
