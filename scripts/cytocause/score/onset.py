"""Onset error of the events that were hit: how far off, and to which side.

    error = found onset - true onset (min)      median of |error|: how far      mean of error: the bias, positive is late

A median cannot be added over samples, so the errors themselves are kept until the last division.
"""

import numpy as np


def onset_figures(errors_min):
    """(median absolute error, bias) in min; (None, None) without a hit."""
    errors = np.asarray(errors_min, dtype=float)
    return (None, None) if len(errors) == 0 else (float(np.median(np.abs(errors))), float(np.mean(errors)))
