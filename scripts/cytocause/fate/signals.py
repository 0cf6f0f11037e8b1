"""What tells a dying or dividing cell: logarithms of area, brightness, unevenness and speed, from the table of cells.

    signal         at death   noise at least   because
    ln area        falls      0.05             the outline of a mask is uncertain by about a pixel
    ln mean        rises      0.05             chromatin condenses
    ln SD          rises      0.08             ... and breaks up (nuclear area falls, SD rises: ADeS, eLife 2024, Fig. 1D)
    ln speed       falls      0.45             a dead cell drifts; a living one's log speed scatters that much by itself
"""

import numpy as np

NAMES = ("area", "mean", "sd", "speed")
SIGN = np.array([-1.0, 1.0, 1.0, -1.0])
LEAST_NOISE = np.array([0.05, 0.05, 0.08, 0.45])
SLOWEST = 0.1  # of the population's median speed: below this a speed is localisation noise


def choose_channel(columns, population, wanted=None, segmented=None):
    """The channel whose intensity is used; None without any.

    The wanted one, else the one the population was segmented in, else the one named like the population, else the first.

    columns  names of the table's columns
    """
    channels = [name[len("intensity_mean_") :] for name in columns if name.startswith("intensity_mean_")]
    if wanted is not None:
        return wanted if wanted in channels else None
    return next((name for name in (segmented, population) if name in channels), channels[0] if channels else None)


def cell_signals(cells, unit, channel):
    """(4, N) float64 signals of all rows, NaN where unknown, and the names of those that are known at all.

    cells  DataFrame with area_{unit}2, speed_{unit}_min, intensity_mean_{channel}, intensity_sd_{channel} as far as they exist
    """
    n = len(cells)
    names = (
        f"area_{unit}2",
        f"intensity_mean_{channel}" if channel else None,
        f"intensity_sd_{channel}" if channel else None,
        f"speed_{unit}_min",
    )
    values = np.full((4, n), np.nan)
    for j, name in enumerate(names):
        if name in cells.columns:
            values[j] = cells[name].to_numpy(np.float64)
    speed = values[3]
    moving = speed[np.isfinite(speed) & (speed > 0)]
    if len(moving):
        values[3] = np.maximum(speed, SLOWEST * np.median(moving))
    with np.errstate(divide="ignore", invalid="ignore"):
        signals = np.log(np.where(values > 0, values, np.nan))
    return signals, [name for name, row in zip(NAMES, signals) if np.isfinite(row).any()]


def noise(signals):
    """(J,) standard deviation of each signal's noise in one track: median absolute first difference, as of a normal variable.

    signals  (J, T); the floor is LEAST_NOISE
    """
    sigma = LEAST_NOISE.copy()
    for j in range(len(signals)):
        step = np.abs(np.diff(signals[j][np.isfinite(signals[j])]))
        if len(step) >= 3:
            sigma[j] = max(sigma[j], 1.4826 * np.median(step) / np.sqrt(2))
    return sigma
