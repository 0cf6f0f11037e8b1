"""What the table itself says about an edge, chip by chip: the numbers on an edge's card.

    condition -> y       mean of y per chip (events per 100 cell hours where y is an event), by level of the condition
    x -> y at a lag      rank correlation of x(t - lag) with y(t) within each chip
    x -> event           mean of x around the event's onset, chips first, then over chips

Chips are the units: the mean of a chip counts once, however many cells it has.
"""

from copy import copy

import numpy as np
import pandas as pd

T_95 = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14, 2.13)  # two-sided, by df
LEAST_PAIRS = 10  # fewer pairs of rows give no correlation for a chip


class Rows:
    """The table's rows by trajectory (in the order of their first rows) and time step.

    Parameters
    ----------
    trajectory, step, unit : arrays, one entry per row: trajectory name, integer time step, name of the chip
    values : dict variable -> float array (NaN missing)
    """

    def __init__(self, trajectory, step, unit, values):
        code, self.names = pd.factorize(np.asarray(trajectory, dtype=object))
        step = np.asarray(step, dtype=np.int64)
        self._order = np.lexsort((step, code))
        if (np.diff(self._order) == 1).all():  # sorted already, as `assemble` writes it: nothing is copied
            self._order = slice(None)
        self.trajectory, self.step = code[self._order], step[self._order]
        self.units, unit_code = _sorted_codes(unit)
        self.unit = unit_code[self._order]
        self.values = {name: np.asarray(column, dtype=float)[self._order] for name, column in values.items()}
        self._keys = self.trajectory * (1 + (int(self.step.max()) if len(self.step) else 0)) + self.step

    def __len__(self):
        return len(self.step)

    def regrouped(self, unit):
        """The same rows, in units of another level (sample instead of chip); the values are shared, not copied."""
        other = copy(self)
        other.units, unit_code = _sorted_codes(unit)
        other.unit = unit_code[self._order]
        return other

    def shifted(self, lag):
        """Row of the same trajectory `lag` steps earlier (later when negative), -1 where there is none."""
        if len(self) == 0:
            return np.zeros(0, dtype=np.int64)
        width = 1 + int(self.step.max())
        wanted = self.step - lag
        keys = self.trajectory * width + wanted
        at = np.clip(np.searchsorted(self._keys, keys), 0, len(self) - 1)
        good = (self._keys[at] == keys) & (wanted >= 0) & (wanted < width)
        return np.where(good, at, -1)


def _sorted_codes(names):
    """(sorted distinct texts, code of each row). By hashing: sorting texts of fixed width takes many times their memory."""
    code, distinct = pd.factorize(np.asarray(names, dtype=object))
    distinct, place = np.unique([str(name) for name in distinct], return_inverse=True)
    return distinct.astype(str), place.astype(np.int32)[code]


def is_state(rows, name):
    """Whether a variable is an event's state: 0 until the onset, 1 from it on, in every trajectory."""
    value = rows.values[name]
    known = np.isfinite(value)
    if not known.any() or not np.isin(value[known], (0.0, 1.0)).all():
        return False
    same = (rows.trajectory[1:] == rows.trajectory[:-1]) & known[1:] & known[:-1]
    return not (same & (value[1:] < value[:-1])).any() and bool(value[known].max() == 1.0)


def onsets(rows, name):
    """Rows in which a state turns from 0 to 1."""
    value = rows.values[name]
    if len(value) == 0:
        return np.zeros(0, dtype=np.int64)
    return 1 + np.flatnonzero((rows.trajectory[1:] == rows.trajectory[:-1]) & (value[:-1] == 0) & (value[1:] == 1))


def mean_per_unit(rows, name):
    """(n_units,) mean of a variable over the rows of each chip, NaN where it was never seen."""
    value = rows.values[name]
    known = np.isfinite(value)
    n = np.bincount(rows.unit[known], minlength=len(rows.units))
    total = np.bincount(rows.unit[known], weights=value[known], minlength=len(rows.units))
    return np.divide(total, n, out=np.full(len(rows.units), np.nan), where=n > 0)


def event_rate(rows, name, step_min):
    """(n_units,) events per 100 cell hours at risk (per 100 cell steps when the step's length is unknown)."""
    at_risk = np.bincount(rows.unit[rows.values[name] == 0], minlength=len(rows.units)) * ((step_min or 60.0) / 60.0)
    events = np.bincount(rows.unit[onsets(rows, name)], minlength=len(rows.units))
    return np.divide(100.0 * events, at_risk, out=np.full(len(rows.units), np.nan), where=at_risk > 0)


def ranks(values):
    """Ranks from 1, ties share their mean."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2.0)[inverse]


def rank_correlation(x, y):
    """Spearman correlation; NaN when one of them is constant or there are fewer than LEAST_PAIRS pairs."""
    if len(x) < LEAST_PAIRS:
        return np.nan
    a, b = ranks(x), ranks(y)
    a, b = a - a.mean(), b - b.mean()
    norm = np.sqrt((a * a).sum() * (b * b).sum())
    return float((a * b).sum() / norm) if norm > 0 else np.nan


def lagged_correlation(rows, cause, effect, lag):
    """Rank correlation of cause(t - lag) and effect(t) within each chip, and the pairs of rows behind it.

    Returns
    -------
    correlation : (n_units,) float, NaN where a chip has too little
    n_pairs, n_cells : (n_units,) int
    """
    earlier = rows.shifted(lag)
    x = np.where(earlier >= 0, rows.values[cause][earlier], np.nan)
    y = rows.values[effect]
    good = np.isfinite(x) & np.isfinite(y)
    correlation = np.full(len(rows.units), np.nan)
    n_pairs = np.bincount(rows.unit[good], minlength=len(rows.units))
    n_cells = np.zeros(len(rows.units), dtype=np.int64)
    for unit in range(len(rows.units)):
        here = good & (rows.unit == unit)
        correlation[unit] = rank_correlation(x[here], y[here])
        n_cells[unit] = len(np.unique(rows.trajectory[here]))
    return correlation, n_pairs, n_cells


def around_onset(rows, cause, event, window):
    """Mean of a variable around the onsets of an event, with a band over chips.

    Returns None when there is no onset, else a dict
        steps (2 window + 1,) int, relative to the onset
        mean, low, high (2 window + 1,) float: mean over chips of the chips' means, and its 95 % band (over single onsets
        when fewer than 3 chips have any); NaN where fewer than 2 contribute
        baseline float: mean over chips of the variable in rows further than the window from any onset, state 0
        n_onsets, n_units int; band "chips" | "onsets"
    """
    at = onsets(rows, event)
    if len(at) == 0:
        return None
    steps = np.arange(-window, window + 1)
    table = np.full((len(at), len(steps)), np.nan)
    near = np.zeros(len(rows), dtype=bool)
    for column, step in enumerate(steps):
        row = rows.shifted(-step)[at]
        table[row >= 0, column] = rows.values[cause][row[row >= 0]]
        near[row[row >= 0]] = True
    quiet = ~near & (rows.values[event] == 0)
    calm = Rows.__new__(Rows)
    calm.units, calm.unit, calm.values = rows.units, rows.unit[quiet], {cause: rows.values[cause][quiet]}
    baseline = mean_per_unit(calm, cause)
    unit = rows.unit[at]
    by_unit = np.array([_nanmean(table[unit == u]) for u in np.unique(unit)])
    over_chips = len(by_unit) >= 3
    mean = _nanmean(by_unit)
    samples = by_unit if over_chips else table
    half = _half_band(samples)
    return {
        "steps": steps,
        "mean": mean,
        "low": mean - half,
        "high": mean + half,
        "baseline": float(np.nanmean(baseline)) if np.isfinite(baseline).any() else np.nan,
        "n_onsets": len(at),
        "n_units": len(by_unit),
        "band": "chips" if over_chips else "onsets",
    }


def _nanmean(table):
    n = np.isfinite(table).sum(axis=0)
    return np.divide(np.nansum(table, axis=0), n, out=np.full(table.shape[1], np.nan), where=n > 0)


def _half_band(table):
    """Half width of the 95 % band of the mean of the rows, column by column."""
    n = np.isfinite(table).sum(axis=0)
    mean = _nanmean(table)
    squares = np.nansum((table - mean) ** 2, axis=0)
    variance = np.divide(squares, n - 1, out=np.full(table.shape[1], np.nan), where=n > 1)
    t = np.array([T_95[min(k - 2, len(T_95) - 1)] if 2 <= k <= len(T_95) + 1 else 1.96 for k in n])
    return t * np.sqrt(variance / np.maximum(n, 1))
