"""Each measured feature against the simulator's true variable, on the cells that were found.

    R2 = 1 - sum (found - true)^2 / sum (true - mean true)^2       bias = mean of (found - true), in the feature's unit

R2 asks whether the value itself is right, not whether it rises and falls with the truth: a constant offset lowers it, and it is
negative where the mean of the truth would be the better guess. Only sums are kept, so samples add.
"""

import numpy as np

from cytocause.io import describe

KEYS = ("sample", "population", "track_id", "frame", "label", "time_min", "y_um", "x_um")


def feature_counts(true, found):
    """`{"n", "sum_true", "sum_true2", "sum_error", "sum_error2"}` over the rows where both are finite.

    true, found : (n,) float, the same rows
    """
    true, found = np.asarray(true, dtype=float), np.asarray(found, dtype=float)
    known = np.isfinite(true) & np.isfinite(found)
    true, error = true[known], (found - true)[known]
    return {
        "n": int(known.sum()),
        "sum_true": float(true.sum()),
        "sum_true2": float((true**2).sum()),
        "sum_error": float(error.sum()),
        "sum_error2": float((error**2).sum()),
    }


def feature_figures(counts):
    """(R2, bias) of (summed) `feature_counts`; None without a row, R2 also None where the truth does not vary."""
    n = counts["n"]
    if n == 0:
        return None, None
    spread = counts["sum_true2"] - counts["sum_true"] ** 2 / n
    varies = spread > 1e-12 * max(counts["sum_true2"], 1e-300)
    return (1.0 - counts["sum_error2"] / spread if varies else None), counts["sum_error"] / n


def shared_features(truth, cells):
    """Names of the numeric columns that the true variables and the cells table both have, in the truth's order."""
    return [
        name
        for name in truth.columns
        if name not in KEYS and name in cells.columns and truth[name].dtype.kind in "fiu" and cells[name].dtype.kind in "fiu"
    ]


def measured_features(columns, truth):
    """Which measured features have true values and which have none, so that nobody takes silence for a good score.

    Parameters
    ----------
    columns : names of the columns of a cells table
    truth : true variables of its population (DataFrame), or None where the truth does not know the population

    Returns
    -------
    {"with": [names], "without": [names]} in the order of the columns; of numeric columns that the stage measure makes
    """
    known = set() if truth is None else {name for name in truth.columns if truth[name].notna().any()}
    rows = {name: describe(name) or {} for name in columns if name not in KEYS}
    features = [name for name, row in rows.items() if row.get("source") == "measure" and row.get("dtype") in ("float64", "int64")]
    return {"with": [name for name in features if name in known], "without": [name for name in features if name not in known]}


def matched_rows(truth, cells, pairs):
    """Rows of both tables that are one cell in one frame.

    Parameters
    ----------
    truth : true variables, track_id and frame; cells : found rows, label and frame
    pairs : (n, 3) int, frame, true track_id, found label

    Returns
    -------
    (true rows, found rows) : int arrays of one length
    """
    t = _place(truth["track_id"], truth["frame"], pairs[:, 1], pairs[:, 0])
    f = _place(cells["label"], cells["frame"], pairs[:, 2], pairs[:, 0])
    both = (t >= 0) & (f >= 0)
    return t[both], f[both]


def _place(number, frame, wanted_number, wanted_frame):
    """Row of each wanted (number, frame), -1 where there is none."""
    number, frame = np.asarray(number, dtype=np.int64), np.asarray(frame, dtype=np.int64)
    if len(number) == 0:
        return np.full(len(wanted_number), -1)
    width = int(max(number.max(), np.max(wanted_number, initial=0))) + 1
    keys = frame * width + number
    order = np.argsort(keys, kind="stable")
    wanted = np.asarray(wanted_frame, dtype=np.int64) * width + np.asarray(wanted_number, dtype=np.int64)
    at = np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)
    return np.where(keys[order][at] == wanted, order[at], -1)
