"""Drift: the whole image shifts, not the cells in it.

    frame t-1, frame t --> phase correlation --> one candidate shift
                       --> tiles vote: does the shift make *this* part of the image fit better?
                             +--+--+--+--+
                             |ok|ok|ok|  |   a stage that moved: all tiles with content agree
                             |ok|  |ok|ok|   cells that moved: only the tiles they are in
                             +--+--+--+--+

A shift is believed only when nearly all tiles agree, and is 0 otherwise: a drift that is not there would move every cell,
one that is missed adds a little to each speed. Slow drift below `min_step_px` a frame is therefore not seen, and a sheet
of cells that all go the same way by more than that is taken for drift.
Source: Kuglin & Hines 1975 (phase correlation); parabola through the peak for the part below a pixel.
"""

import numpy as np
from scipy import fft
from scipy.ndimage import gaussian_filter, uniform_filter
from scipy.ndimage import shift as move

SIDE = 256  # pixels; larger images are averaged down to about this before the correlation
GRID = 4  # tiles along each side
MIN_TILES = 6  # tiles with content below which nothing is concluded


class DriftEstimator:
    """Drift frame by frame; holds the last frame, averaged down.

    cfg : min_step_px, max_step_px, agreement (see the schema)
    """

    def __init__(self, shape, cfg):
        self.cfg = cfg
        self.factor = max(1, int(np.ceil(max(shape) / SIDE)))
        self.window = None
        self.previous = None
        self.total = np.zeros(2)

    def step(self, image):
        """Take in the next frame (height, width); returns its shift (dy, dx) px against the first frame."""
        small = shrink(image, self.factor)
        if small.std() == 0:  # an empty frame says nothing; the next one is compared with the one before
            return self.total.copy()
        if self.window is None:
            self.window = np.outer(np.hanning(small.shape[0] + 2)[1:-1], np.hanning(small.shape[1] + 2)[1:-1])
        detail = band(small)
        spectrum = fft.rfft2(detail * self.window)
        if self.previous is not None:
            shift = peak_shift(self.previous[1], spectrum, detail.shape)
            if self._believed(self.previous[0], detail, shift):
                self.total += shift * self.factor
        self.previous = (detail, spectrum)
        return self.total.copy()

    def _believed(self, before, after, shift):
        size = float(np.hypot(*shift)) * self.factor
        # half of an averaged pixel is what the peak can tell
        if not max(self.cfg["min_step_px"], 0.5 * self.factor) <= size <= self.cfg["max_step_px"]:
            return False
        gains = tile_gains(before, after, shift)
        return len(gains) >= MIN_TILES and float(np.mean(gains > 0)) >= self.cfg["agreement"]


def shrink(image, factor):
    """Average of factor x factor blocks, float32; what is left over at the far edges is cut off."""
    image = image.astype(np.float32)
    if factor == 1:
        return image
    height, width = (n // factor * factor for n in image.shape)
    return image[:height, :width].reshape(height // factor, factor, width // factor, factor).mean(axis=(1, 3))


def band(image):
    """Structures of cell size: pixel noise and uneven light taken off, bright cells held down, one image size = SD 1."""
    fine = gaussian_filter(image, 1.0)
    detail = fine - uniform_filter(image, 41)
    for _ in range(3):  # each time the brightest count less for the scale
        detail = np.clip(detail / (detail.std() or 1.0), -3, 3)
    return detail


def peak_shift(before, after, shape):
    """Shift (dy, dx) that brings the first image onto the second, from their spectra (rfft2)."""
    cross = after * np.conj(before)
    # Phase alone weighs noise as much as signal: what is weaker than the average counts less, and a little smoothing
    # (Gaussian, SD 1) gathers the peak.
    size = np.abs(cross)
    cross /= size + size.mean() + 1e-30
    rows, columns = fft.fftfreq(shape[0]), fft.rfftfreq(shape[1])
    smooth = np.exp(-2 * np.pi**2 * rows**2)[:, None] * np.exp(-2 * np.pi**2 * columns**2)
    surface = fft.irfft2(cross * smooth.astype(np.float32), s=shape)
    peak = np.unravel_index(np.argmax(surface), shape)
    shift = []
    for axis, n in enumerate(shape):
        index = list(peak)
        values = []
        for offset in (-1, 0, 1):
            index[axis] = (peak[axis] + offset) % n
            values.append(surface[tuple(index)])
        shift.append(_wrap(peak[axis] + _vertex(*values), n))
    return np.array(shift)


def _vertex(left, middle, right):
    """Where the parabola through three points (at -1, 0, 1) has its top."""
    curve = left - 2 * middle + right
    return 0.0 if curve >= 0 else float(np.clip(0.5 * (left - right) / curve, -0.5, 0.5))


def _wrap(position, n):
    return position - n if position > n / 2 else position


def tile_gains(before, after, shift):
    """Gain in correlation of each tile with content when `before` is moved by `shift`: (n,) float."""
    moved = move(before, shift, order=1, mode="nearest")
    margin = int(np.ceil(np.abs(shift).max())) + 1
    inner = tuple(slice(margin, n - margin) for n in before.shape)
    if any(n - 2 * margin < 8 * GRID for n in before.shape):
        return np.zeros(0)
    gains = []
    for a, b, c in zip(_tiles(before[inner]), _tiles(moved[inner]), _tiles(after[inner])):
        if c.std() > 0.2 and a.std() > 0.2:  # in units of the image's own SD
            gains.append(_correlation(b, c) - _correlation(a, c))
    return np.array(gains)


def _tiles(image):
    for rows in np.array_split(image, GRID, axis=0):
        yield from np.array_split(rows, GRID, axis=1)


def _correlation(a, b):
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / norm if norm > 0 else 0.0
