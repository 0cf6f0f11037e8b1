"""Interval of a figure that must be learnt anew: leave one chip out at a time.

    all chips -> d        without chip k -> d_k        se^2 = (n - 1) / n * sum (d_k - mean d_k)^2        d +- t(n - 1) se

For a learned graph drawing chips with replacement is wrong as well as dear: a chip drawn twice counts as two witnesses and makes
edges of noise. A difference of two chains is taken without the same chip on both sides, so it is paired.
Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 11 (jackknife).
"""

import numpy as np
from scipy.stats import t as student


def jackknife_interval(value, without, level=0.95):
    """[low, high] around a value from its values without one chip each; None for fewer than three chips or a missing value.

    value : float or None; without : list of float or None, one per chip
    """
    if value is None or len(without) < 3 or any(other is None for other in without):
        return None
    without, n = np.asarray(without, dtype=float), len(without)
    error = np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum())
    reach = float(student.ppf((1 + level) / 2, n - 1) * error)
    return [value - reach, value + reach]
