"""Black, white and background of a channel, over the whole movie, in bounded memory.

Limits per frame would make a cell brighten because another one dies; so there is one pair for the movie. 8- and 16-bit
pixels are counted exactly, value by value; other types by an even sample of about a million pixels.
"""

import numpy as np

SAMPLE = 1_000_000  # pixels of a channel that are kept where values cannot be counted


class Histogram:
    """Values of one channel, fed frame by frame.

    dtype    : the pixels' type
    n_frames : how many frames will come (sets the sampling step of types that cannot be counted)
    """

    def __init__(self, dtype, n_frames):
        self.dtype = np.dtype(dtype)
        self.counted = self.dtype.kind in "ui" and self.dtype.itemsize <= 2
        if self.counted:
            info = np.iinfo(self.dtype)
            self.lowest = int(info.min)
            self.counts = np.zeros(int(info.max) - self.lowest + 1, np.int64)
        else:
            self.per_frame = max(64, SAMPLE // max(1, n_frames))
            self.samples = []

    def add(self, image):
        """Take in one frame (height, width)."""
        flat = image.reshape(-1)
        if self.counted:
            if self.lowest:
                flat = flat.astype(np.int32) - self.lowest
            self.counts += np.bincount(flat, minlength=len(self.counts))
        else:
            step = max(1, flat.size // self.per_frame)
            # a step that shares no factor with the row length would be better still; an odd one spreads well enough
            self.samples.append(flat[:: step | 1].astype(np.float32))

    def percentile(self, percent):
        """The value that `percent` % of the pixels do not exceed."""
        if self.counted:
            total = int(self.counts.sum())
            rank = max(1, int(np.ceil(percent / 100 * total)))
            return float(np.searchsorted(np.cumsum(self.counts), rank) + self.lowest)
        return float(np.percentile(np.concatenate(self.samples), percent))

    def mode(self):
        """The commonest value, by halving: the shortest interval with half of the pixels, then half of those ...

        It needs no bin width and is not moved by the tail of bright cells (half-sample mode, Robertson & Cryer 1974).
        """
        if self.counted:
            values, weights = np.arange(len(self.counts)) + self.lowest, self.counts
        else:
            values, weights = np.unique(np.concatenate(self.samples), return_counts=True)
        return half_sample_mode(values[weights > 0].astype(np.float64), weights[weights > 0])


def half_sample_mode(values, weights):
    """Half-sample mode of weighted values.

    values : (n,) float, increasing; weights : (n,) positive counts
    """
    low, high = 0, len(values) - 1
    while high - low > 1:
        total = np.concatenate([[0], np.cumsum(weights[low : high + 1])])
        half = (total[-1] + 1) // 2
        # for each first value, the first last value with which the interval holds half
        ends = np.searchsorted(total, total[:-1] + half)
        fits = ends < len(total)
        starts = np.flatnonzero(fits)
        ends = ends[fits] - 1
        widths = values[low + ends] - values[low + starts]
        narrowest = np.flatnonzero(widths == widths.min())
        best = narrowest[np.argmax((total[ends + 1] - total[starts])[narrowest])]
        new_low, new_high = low + int(starts[best]), low + int(ends[best])
        if (new_low, new_high) == (low, high):
            break
        low, high = new_low, new_high
    inside = slice(low, high + 1)
    return float(np.average(values[inside], weights=weights[inside]))


def limits(histogram, cfg):
    """{"low", "high", "background"} of a channel; high is above low also for a flat image."""
    low, high = histogram.percentile(cfg["low_percentile"]), histogram.percentile(cfg["high_percentile"])
    if high <= low:
        high = max(histogram.percentile(100.0), low + 1.0)
    background = {"mode": histogram.mode, "low": lambda: low, "none": lambda: 0.0}[cfg["background"]]()
    return {"low": low, "high": high, "background": background}
