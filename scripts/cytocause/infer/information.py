"""Information between columns, for anyone with arrays: the public door to the estimators.

    mutual_information(x, y, u)           I(X;Y|U)      how much X and Y share, U known
    three_point_information(x, y, z, u)   I(X;Y;Z|U)    how much of it Z explains (negative: Z is a common effect)
    optimal_bins(x, y, u)                 the cut points at which that was read off

All informations are in nats times samples; "shifted" means less the complexity, so that <= 0 reads "independent".
Rows with a missing value (NaN, None) are left out. Source: spec section 3.
"""

import math
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from .estimate import ZERO, Options, estimate
from .nml import MOST_PLACES, build_costs
from .ranks import atom_type, bins_asked_for, encode, rank_columns

MAX_BINS = 50
COMPLEXITIES = ("nml", "bic")


@dataclass(frozen=True)
class Information:
    """I(X;Y|U). info, info_shifted, complexity in nats x samples; n complete rows; cuts {"x", "y"}: bin edges or None."""

    info: float
    info_shifted: float
    complexity: float
    n: int
    n_iterations: int
    cuts: dict = field(default_factory=dict)


@dataclass(frozen=True)
class ThreePoint:
    """I(X;Y|U) as i2, I(X;Y;Z|U) as i3, and the score of Z as a contributor (log-odds), in nats x samples."""

    i2: float
    i2_shifted: float
    i3: float
    i3_shifted: float
    score: float


def mutual_information(
    x, y, u=(), *, kinds, n_eff=None, weights=None, complexity="nml", max_bins=MAX_BINS, legacy=False, clamp=True
):
    """Information of two columns given others.

    x, y, and each of u: (n,) arrays; continuous ones numeric, discrete ones of any label type. kinds: "continuous" or
    "discrete" for (x, y, *u). n_eff: effective number of rows, from 1 to the complete ones (default: all of them); weights:
    (n,) instead. complexity: "nml" or "bic". clamp: return 0 where the shifted information would be negative (two discrete
    columns alone never are). Returns Information. Raises ValueError for lengths, kinds or values that cannot be used.
    Source: spec 3.2 to 3.7.
    """
    columns, used = _complete([x, y, *u], kinds, weights)
    return _information(columns, kinds, n_eff, used, complexity, max_bins, legacy, clamp)


def optimal_bins(
    x, y, u=(), *, kinds, n_eff=None, weights=None, complexity="nml", max_bins=MAX_BINS, legacy=False, clamp=True
):
    """Cut points of x and y that maximise I(X;Y|U) less its complexity: {"x": edges or None, "y": ...}.

    Edges are float64, outer ones included: the extremes widened by a hundredth of the smaller standard deviation; inner
    ones lie half-way between consecutive values. Arguments as for mutual_information.
    """
    columns, used = _complete([x, y, *u], kinds, weights)
    return _information(columns, kinds, n_eff, used, complexity, max_bins, legacy, clamp, sorted_labels=True).cuts


def three_point_information(
    x, y, z, u=(), *, kinds, n_eff=None, weights=None, complexity="nml", max_bins=MAX_BINS, legacy=False, clamp=True
):
    """How much of I(X;Y|U) a third column explains, on the rows complete in all of them; kinds for (x, y, z, *u).

    legacy: I(X;Y) of two discrete columns may be negative where z is continuous (Q1). Returns ThreePoint. Source: spec 3.8.
    """
    columns, used = _complete([x, y, z, *u], kinds, weights)
    given = list(range(3, len(columns)))

    def of(a, b, conditions):
        chosen = [a, b, *conditions]
        value = _information(
            [columns[k] for k in chosen], [kinds[k] for k in chosen], n_eff, used, complexity, max_bins, legacy, clamp
        )
        unclamped = legacy and chosen == [0, 1] and kinds[2] == "continuous" and len(set(columns[2].tolist())) > 2
        if clamp and value.info_shifted < 0 and not unclamped:
            return 0.0, 0.0
        return value.info, value.info_shifted

    xy, xy_z = of(0, 1, given), of(0, 1, [*given, 2])
    xz, yz = of(0, 2, given)[1], of(1, 2, given)[1]
    rows = len(columns[0])
    trivial = rows <= 2 or any(len(set(columns[k].tolist())) < 2 for k in (0, 1))
    if trivial:
        return ThreePoint(0.0, 0.0, 0.0, 0.0, -math.inf)
    i3, shifted, score = contributor_score(xy, xz, yz, xy_z)
    return ThreePoint(xy[0], xy[1], i3, shifted, score)


def contributor_score(xy, xz_shifted, yz_shifted, xy_z):
    """(I3, shifted I3, R) from (info, shifted) of I(X;Y|U) and I(X;Y|U,Z) and the shifted I(X;Z|U), I(Y;Z|U).

    R = min(shifted I3, D), D = -ln(e^-a + e^-b), a = I'(X;Z|U) - I'(X;Y|U), b likewise; log-odds. Source: spec 3.8.
    """
    i3 = xy[0] - xy_z[0]
    if abs(i3) < ZERO:
        i3 = 0.0
    shifted = xy[1] - xy_z[1]
    if abs(shifted) < ZERO:
        shifted = 0.0
    score = min(shifted, processing_score(xy[1], xz_shifted, yz_shifted))
    if abs(score) < ZERO:
        score = 0.0
    return i3, shifted, score


def processing_score(xy_shifted, xz_shifted, yz_shifted):
    """D, log-odds that X-Y is the weakest side of the triangle (data-processing inequality)."""
    a, b = xz_shifted - xy_shifted, yz_shifted - xy_shifted
    return min(a, b) - math.log1p(math.exp(-abs(a - b)))


def _complete(columns, kinds, weights):
    """Columns as arrays without the rows in which one is missing; checks lengths and kinds."""
    if len(kinds) != len(columns):
        raise ValueError(f"kinds names {len(kinds)} columns but {len(columns)} were given; give one kind per column.")
    arrays = []
    for place, (column, kind) in enumerate(zip(columns, kinds)):
        if kind not in ("continuous", "discrete"):
            raise ValueError(f'kind {place} is {kind!r}; a column is "continuous" or "discrete".')
        array = np.asarray(column)
        if array.ndim != 1 or array.size != np.asarray(columns[0]).size:
            raise ValueError(f"column {place} has shape {array.shape}; all columns must be (n,) of the same length.")
        if kind == "continuous":
            try:
                array = array.astype(np.float64)
            except (TypeError, ValueError):
                raise ValueError(f"column {place} is continuous but holds text; declare it discrete.") from None
            if np.isinf(array).any():
                raise ValueError(
                    f"column {place} is infinite at row {int(np.flatnonzero(np.isinf(array))[0])}; "
                    "make such values missing or finite."
                )
        arrays.append(array)
    keep = np.ones(arrays[0].size, bool)
    for array in arrays:
        keep &= ~pd.isna(array)
    used = np.empty(0)
    if weights is not None:
        used = np.asarray(weights, np.float64)
        if used.shape != keep.shape or not np.isfinite(used).all() or (used < 0).any():
            raise ValueError("weights must be one finite number >= 0 per row.")
        used = used[keep]
    return [array[keep] for array in arrays], used


def _information(columns, kinds, n_eff, weights, complexity, max_bins, legacy, clamp, sorted_labels=False):
    """Information of complete columns (x, y, *u)."""
    if complexity not in COMPLEXITIES:
        raise ValueError(f"complexity is {complexity!r}; expected one of {', '.join(COMPLEXITIES)}.")
    if not 2 <= max_bins <= MOST_PLACES:
        raise ValueError(f"max_bins is {max_bins}; expected 2 to {MOST_PLACES}.")
    rows = columns[0].size
    _check_size(n_eff, rows, weights)
    if rows == 0:
        return Information(0.0, 0.0, 0.0, 0, 0, {"x": None, "y": None})
    coded = [encode(column) for column in columns]
    codes = np.ascontiguousarray(np.vstack([code for code, _ in coded]))
    levels = np.array([len(distinct) for _, distinct in coded], np.int64)
    flags = np.array([kind == "continuous" and len(d) > 2 for kind, (_, d) in zip(kinds, coded)], np.uint8)
    if weights.size:
        costs = build_costs(rows, None, math.ceil(weights.sum()) + 1)
    else:
        costs = build_costs(rows, None if n_eff is None or n_eff == rows else float(n_eff))
    options = Options(complexity == "bic", bool(legacy), bool(clamp), int(min(max_bins, max(rows, 2))))
    cuts = np.empty((2, options.max_bins + 2), np.int32)
    samples = weights.sum() if weights.size else costs.weight * rows
    wanted = bins_asked_for(rows, samples, len(columns))
    atoms = np.empty(codes.shape, atom_type(levels, flags))
    ranked = rank_columns(codes, levels, flags, np.zeros(len(columns), bool), wanted, options.max_bins, options.legacy, atoms)
    nodes = np.arange(len(columns), dtype=np.int32)[None]
    out = np.empty((1, 4))
    sizes, shuffles = np.full((1, 2), len(columns)), np.array([-1])
    estimate(codes, ranked, nodes, sizes, shuffles, np.uint64(0), weights, costs, options, out, cuts)
    info, value, n, passes = out[0].tolist()
    spread = _spread(columns, flags, legacy, sorted_labels)
    cuts = {name: _edges(flags[place], cuts[place], coded[place][1], spread) for place, name in enumerate("xy")}
    return Information(info, value, info - value, int(n), int(passes), cuts)


def _check_size(n_eff, rows, weights):
    """Refuse an effective size that is no number from 1 to the complete rows."""
    if n_eff is None:
        return
    if weights.size:
        raise ValueError(f"n_eff is {n_eff!r} and the rows have weights; give one of the two.")
    try:
        size = float(n_eff)
    except (TypeError, ValueError):
        size = math.nan
    if not size >= 1 or (rows and size > rows):
        raise ValueError(f"n_eff is {n_eff!r}; expected a number from 1 to the {rows} complete rows, or None for all of them.")


def _spread(columns, flags, legacy, sorted_labels):
    """The smaller standard deviation of x and y where continuous; infinite where neither is.

    The reference also takes that of a discrete column's labels, numbered as they appear (or as they sort).
    """
    spread = np.inf
    for k in (0, 1):
        if flags[k]:
            spread = min(spread, float(np.std(columns[k], ddof=1)))
        elif legacy:
            spread = min(spread, float(np.std(pd.factorize(columns[k], sort=sorted_labels)[0], ddof=1)))
    return spread


def _edges(continuous, cut, distinct, spread):
    """Bin edges (bins+1,) in the column's unit from the last code of each bin; None for a discrete column."""
    if not continuous:
        return None
    inner = []
    for code in cut:
        if code < 0:
            break
        inner.append((distinct[code] + distinct[code + 1]) / 2)
    return np.array([distinct[0] - spread / 100, *inner, distinct[-1] + spread / 100])
