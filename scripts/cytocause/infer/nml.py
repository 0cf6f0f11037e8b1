"""Normalised-maximum-likelihood complexity of a multinomial, and the tables of costs built from it.

    LC(n, r) = ln C(n, r)    price, in nats, of describing n samples with r levels

C grows with both: a variable with many levels must earn them. A kernel never evaluates a logarithm: every price it
needs depends on a whole number of rows c, so that it is looked up in `Costs`. With rows of weight w (effective sample
size below the number of rows) the tables hold the price of round(w c) samples at place c.

Source: Kontkanen & Myllymaki 2007 (recurrence); spec section 3.1.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import njit

LEVELS = 50  # rows of the table; longer ones continue the recurrence on demand
EXACT_LIMIT = 1000  # samples up to which C(n, 2) is summed, above it is approximated (spec 3.1)


class Costs(NamedTuple):
    """Read-only tables, all indexed by a number of rows c = 0..n (uniform weight w) or of samples (general weights).

    plogp    (n+1,) float64, (w c) ln (w c)
    rounded  (n+1,) int32, samples that c rows count for, round(w c)
    plogp_rounded  (n+1,) float64, m ln m with m = rounded[c]
    lc       (LEVELS+1, n+1) float64, LC(rounded[c], r); row r
    lc_one   the same with LC(max(1, rounded[c]), r)
    lfact    (n+1,) float64, ln c!
    weight   float, w
    rows     int, rows of the whole table (before rows with missing values are left out)
    """

    plogp: np.ndarray
    rounded: np.ndarray
    plogp_rounded: np.ndarray
    lc: np.ndarray
    lc_one: np.ndarray
    lfact: np.ndarray
    weight: float
    rows: int


@njit(cache=True, nogil=True)
def log_complexity_two(n):
    """LC(n, 2) in nats for n >= 0 samples: the sum over all splits up to 1000 samples, its expansion above."""
    if n <= 0:
        return 0.0
    if n <= EXACT_LIMIT:
        # term h: binom(n, h) (h/n)^h ((n-h)/n)^(n-h), in logarithms to stay inside float64
        total = 2.0
        log_binom = 0.0
        for h in range(1, n):
            log_binom += np.log((n - h + 1) / h)
            total += np.exp(log_binom + h * np.log(h / n) + (n - h) * np.log((n - h) / n))
        return np.log(total)
    return 0.5 * np.log(n * np.pi / 2) + np.sqrt(8 / (9 * n * np.pi)) + (3 * np.pi - 16) / (36 * n * np.pi)


@njit(cache=True, nogil=True)
def fill_complexity(table):
    """Fill table[r, n] with LC(n, r) for every level count r and sample count n it has room for."""
    levels, size = table.shape
    for n in range(size):
        table[0, n] = 0.0
        if levels > 1:
            table[1, n] = 0.0
        if levels > 2:
            value = log_complexity_two(n)
            table[2, n] = value
            ratio = np.exp(value)  # q_r = C(n, r) / C(n, r-1)
            for r in range(3, levels):
                if n > 0:
                    ratio = 1.0 + n / ((r - 2) * ratio)
                    value += np.log(ratio)
                table[r, n] = value


@njit(cache=True, nogil=True)
def complexity_row(table, rounded, levels):
    """LC(rounded[c], levels) for all c; (n+1,) float64. A view of the table, or continued past its last row.

    A table wider than `rounded` is one by samples (see pair_costs): its places are looked up.
    """
    last = table.shape[0] - 1
    by_samples = table.shape[1] != rounded.size
    if levels <= last and not by_samples:
        return table[levels]
    row = np.empty(rounded.size)
    if levels <= last:
        for c in range(row.size):
            row[c] = table[levels, rounded[c]]
        return row
    for c in range(row.size):
        n = rounded[c]
        at = n if by_samples else c
        value = table[last, at]
        ratio = np.exp(value - table[last - 1, at])
        for r in range(last + 1, levels + 1):
            ratio = 1.0 + n / ((r - 2) * ratio)
            value += np.log(ratio)
        row[c] = value if n > 0 else 0.0
    return row


@njit(cache=True, nogil=True)
def log_choose(lfact, n, k):
    """ln binom(n, k) in nats from a table of ln n!; 0 where there is no choice."""
    if k <= 0 or k >= n:
        return 0.0
    return lfact[n] - lfact[k] - lfact[n - k]


def log_complexity(n, levels):
    """LC(n, levels) in nats, for n >= 0 samples and levels >= 0; 0 when either is trivial."""
    table = np.zeros((max(int(levels), 2) + 1, int(n) + 1))
    fill_complexity(table)
    return float(table[int(levels), int(n)])


@lru_cache(maxsize=8)
def build_costs(rows, n_eff=None, largest=None):
    """The tables for `rows` rows that count for n_eff samples (default: one each).

    largest: largest count of samples that may be looked up when rows have weights of their own (then w = 1).
    """
    weight = 1.0 if n_eff is None else float(n_eff) / rows
    size = max(rows, largest or 0, LEVELS + 1)
    count = np.arange(size + 1)
    weighted = weight * count
    rounded = np.floor(weighted + 0.5).astype(np.int32)
    raw = np.zeros((LEVELS + 1, int(rounded[-1]) + 1))
    fill_complexity(raw)
    lc = raw if weight == 1.0 else np.ascontiguousarray(raw[:, rounded])
    lc_one = lc if rounded[1] >= 1 else np.ascontiguousarray(raw[:, np.maximum(rounded, np.minimum(count, 1))])
    plogp_rounded = _plogp(rounded.astype(np.float64))
    return Costs(
        plogp=_plogp(weighted),
        rounded=rounded,
        plogp_rounded=plogp_rounded,
        lc=lc,
        lc_one=lc_one,
        lfact=np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, size + 1))))),
        weight=weight,
        rows=int(rows),
    )


@lru_cache(maxsize=2)
def _by_samples(rows):
    """Prices by samples instead of rows, for any weight: LC(m, r) and, in place of LC(0, r), LC(1, r); one column to spare."""
    lc = np.zeros((LEVELS + 1, max(rows, LEVELS + 1) + 2))
    fill_complexity(lc)
    lc_one = lc.copy()
    lc_one[:, 0] = lc[:, 1]
    plain = build_costs(rows)
    return lc, lc_one, plain.plogp, plain.lfact


@lru_cache(maxsize=64)
def pair_costs(rows, n_eff):
    """build_costs(rows, n_eff) for one of many sizes: its large tables are shared by all of them."""
    lc, lc_one, plogp, lfact = _by_samples(rows)
    weighted = float(n_eff) / rows * np.arange(plogp.size)
    rounded = np.floor(weighted + 0.5).astype(np.int32)
    return Costs(_plogp(weighted), rounded, plogp[rounded], lc, lc_one, lfact, float(n_eff) / rows, int(rows))


def _plogp(values):
    out = np.zeros(values.size)
    positive = values > 0
    out[positive] = values[positive] * np.log(values[positive])
    return out
