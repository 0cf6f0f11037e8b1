"""What was done to a sample: conditions that stay, exposures that come and go."""

import numpy as np


def same_text(text, n):
    """A text n times, as one string that all rows share: np.full would make a new one for each."""
    return np.repeat(np.array([text], object), n)


def word_of(value):
    """A value as it is written in variables.tsv: whole numbers without a point."""
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)


def condition_column(value, n, text=False):
    """A condition's value on n rows: int64 or float64 for numbers (and True, False), text otherwise, or where `text` asks for it."""
    if text:
        return same_text(word_of(value), n)
    if isinstance(value, (bool, np.bool_)):
        return np.full(n, int(value), np.int64)
    if isinstance(value, (int, np.integer)):
        return np.full(n, int(value), np.int64)
    if isinstance(value, (float, np.floating)):
        whole = float(value).is_integer()
        return np.full(n, int(value), np.int64) if whole else np.full(n, float(value))
    return same_text(str(value), n)


def dose_at(exposures, times, aggregate):
    """Dose of each row.

    exposures : rows of one sample and variable with start_min, end_min, dose (start included, end not); 0 outside
    times : (rows, frames) minutes of the frames of each row's time step; aggregate : "mean" | "last"
    returns (rows,) float64
    """
    dose = np.zeros(times.shape)
    for row in exposures:
        dose[(times >= float(row["start_min"])) & (times < float(row["end_min"]))] = float(row["dose"])
    return dose.mean(axis=1) if aggregate == "mean" else dose[:, -1]
