"""Percentile intervals over chips: cells of one chip are no independent witnesses, chips are.

    chips  A B C D     draw  B B D A     figure of the drawn chips' summed counts     2.5 % to 97.5 % of many draws

Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13 (percentile interval).
"""

import numpy as np


def draws(n_units, resamples, seed):
    """(resamples, n_units) int, numbers of the units drawn with replacement; the same for the same three numbers."""
    return np.random.default_rng([seed, n_units]).integers(0, n_units, size=(resamples, n_units))


def intervals(figures_of, per_unit, resamples, seed, level=0.95):
    """Interval of every figure.

    Parameters
    ----------
    figures_of : function from the list of the drawn units' contents to {key: value or None}
    per_unit : list of contents, one per unit
    resamples, seed : int
    level : share of the draws inside

    Returns
    -------
    {key: [low, high]}; a key whose figure does not exist in half of the draws or more is left out. {} for fewer than two units
    """
    if len(per_unit) < 2 or resamples < 1:
        return {}
    seen = {}
    for draw in draws(len(per_unit), resamples, seed):
        for key, value in figures_of([per_unit[u] for u in draw]).items():
            if value is not None:
                seen.setdefault(key, []).append(value)
    tail = 100 * (1 - level) / 2
    return {
        key: [float(v) for v in np.percentile(values, [tail, 100 - tail])] for key, values in seen.items() if 2 * len(values) > resamples
    }
