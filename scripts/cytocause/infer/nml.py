"""Normalised-maximum-likelihood complexity of a multinomial, and the tables of costs built from it.

    LC(n, r) = ln C(n, r)    price, in nats, of describing n samples with r levels

C grows with both: a variable with many levels must earn them. A kernel hardly evaluates a logarithm: every price it
needs depends on a whole number of rows c, and is looked up. With rows of weight w (effective sample size below the
number of rows) c rows count for round(w c) samples.

    samples     0 ........... 2048 ........ 4096 ................ 8192 ......
    LC(n, r)    every n       128 cubic pieces   128 cubic pieces        (1 MB for any number of rows; error < 1e-9)

Source: Kontkanen & Myllymaki 2007 (recurrence); spec section 3.1.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import njit

from .compilation import KERNEL

LEVELS = 50  # rows of the table; longer ones continue the recurrence on demand
EXACT_LIMIT = 1000  # samples up to which C(n, 2) is summed, above it is approximated (spec 3.1)
TABLE_BITS = 11
TABLED = 1 << TABLE_BITS  # samples up to which LC is in the table, above it is a piecewise cubic
PIECE_BITS = 7  # 128 pieces between a power of two and the next
MOST_PLACES = 1000  # largest number of places for cuts (the config's limit of max_bins)


class Costs(NamedTuple):
    """Read-only tables, indexed by a number of rows c = 0..n (uniform weight w) or of samples (general weights).

    plogp    (n+1,) float64, (w c) ln (w c)
    rounded  (n+1,) int32, samples that c rows count for, round(w c)
    plogp_rounded  (n+1,) float64, m ln m with m = rounded[c]
    lc       (LEVELS+1, tabled+1) float64, LC(m, r) by samples m; row r
    pieces   (LEVELS+1, pieces, 4) float64, the same above: coefficients of the cubic on each piece
    lfact    (places+1,) float64, ln c!
    weight   float, w
    rows     int, rows of the whole table (before rows with missing values are left out)
    """

    plogp: np.ndarray
    rounded: np.ndarray
    plogp_rounded: np.ndarray
    lc: np.ndarray
    pieces: np.ndarray
    lfact: np.ndarray
    weight: float
    rows: int


@njit(**KERNEL)
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


@njit(**KERNEL)
def climb(n, two, row):
    """Fill row[r] (levels+1,) with LC(n, r), given two = LC(n, 2), by the recurrence; n >= 0, not necessarily whole."""
    for r in range(min(2, row.size)):
        row[r] = 0.0
    if row.size > 2:
        row[2] = two
        ratio = np.exp(two)  # q_r = C(n, r) / C(n, r-1)
        for r in range(3, row.size):
            ratio = 1.0 + n / ((r - 2) * ratio)
            row[r] = row[r - 1] + np.log(ratio)


@njit(**KERNEL)
def fill_complexity(two, table, pieces):
    """Fill table[r, n] with LC(n, r), n < its length, and pieces[r] with the cubics above.

    two (table's length,) float64: LC(n, 2).
    """
    levels = table.shape[0]
    row = np.zeros(levels)
    for n in range(1, table.shape[1]):
        climb(n, two[n], row)
        for r in range(levels):
            table[r, n] = row[r]
    at = np.empty((4, levels))
    for piece in range(pieces.shape[1]):
        for k in range(4):
            n = samples_in(piece, k)
            climb(n, log_complexity_two(n), at[k])
        for r in range(levels):
            cubic_through(at[:, r], pieces[r, piece])


@njit(**KERNEL)
def samples_in(piece, third):
    """Number of samples, not necessarily whole, at 0, 1, 2 or 3 thirds of a piece."""
    octave = TABLE_BITS + (piece >> PIECE_BITS)
    width = 2.0 ** (octave - PIECE_BITS)
    return 2.0**octave + (piece & ((1 << PIECE_BITS) - 1)) * width + third * width / 3.0


@njit(**KERNEL)
def cubic_through(y, out):
    """Coefficients (4,), constant first, of the cubic that takes the values y (4,) at 0, 1/3, 2/3, 1."""
    out[0] = y[0]
    out[1] = -5.5 * y[0] + 9.0 * y[1] - 4.5 * y[2] + y[3]
    out[2] = 9.0 * y[0] - 22.5 * y[1] + 18.0 * y[2] - 4.5 * y[3]
    out[3] = -4.5 * y[0] + 13.5 * y[1] - 13.5 * y[2] + 4.5 * y[3]


@njit(**KERNEL)
def price(row, pieces, samples):
    """LC(samples, r) in nats from row r of the table, (tabled+1,), and its pieces, (pieces, 4); samples whole, >= 0."""
    if samples < row.size:
        return row[samples]
    return _far_price(pieces, samples)


@njit(**KERNEL)
def _far_price(pieces, samples):
    octave = TABLE_BITS
    while samples >> (octave + 1):
        octave += 1
    shift = octave - PIECE_BITS
    piece = ((octave - TABLE_BITS - 1) << PIECE_BITS) + (samples >> shift)
    t = (samples & ((1 << shift) - 1)) / (1 << shift)
    a = pieces[piece]
    return a[0] + t * (a[1] + t * (a[2] + t * a[3]))


@njit(**KERNEL)
def price_row(costs, levels):
    """(row, pieces) of LC(., levels) for `price`: views of the table, or continued past its last row."""
    last = costs.lc.shape[0] - 1
    if levels <= last:
        return costs.lc[levels], costs.pieces[levels]
    row = np.zeros(costs.lc.shape[1])
    all_levels = np.empty(levels + 1)
    for n in range(1, row.size):
        climb(n, costs.lc[2, n], all_levels)
        row[n] = all_levels[levels]
    pieces = np.empty(costs.pieces.shape[1:])
    at = np.empty(4)
    for piece in range(pieces.shape[0]):
        for k in range(4):
            n = samples_in(piece, k)
            climb(n, log_complexity_two(n), all_levels)
            at[k] = all_levels[levels]
        cubic_through(at, pieces[piece])
    return row, pieces


@njit(**KERNEL)
def log_choose(lfact, n, k):
    """ln binom(n, k) in nats from a table of ln n!; 0 where there is no choice."""
    if k <= 0 or k >= n:
        return 0.0
    return lfact[n] - lfact[k] - lfact[n - k]


def log_complexity(n, levels):
    """LC(n, levels) in nats, for n >= 0 samples and levels >= 0; 0 when either is trivial."""
    row = np.zeros(max(int(levels), 2) + 1)
    if n > 0:
        climb(int(n), log_complexity_two(int(n)), row)
    return float(row[int(levels)])


@lru_cache(maxsize=1)
def _two_levels():
    """LC(n, 2) of every n in the table."""
    return np.array([log_complexity_two(n) for n in range(TABLED)])


@lru_cache(maxsize=4)
def _prices(octaves):
    """(lc, pieces) of `Costs`, shared by all numbers of rows and samples up to so many powers of two above the table."""
    lc = np.zeros((LEVELS + 1, TABLED))
    pieces = np.zeros((LEVELS + 1, octaves << PIECE_BITS, 4))
    fill_complexity(_two_levels(), lc, pieces)
    return lc, pieces


@lru_cache(maxsize=2)
def build_costs(rows, n_eff=None, largest=None):
    """The tables for `rows` rows that count for n_eff samples (default: one each).

    largest: largest count of samples that may be looked up when rows have weights of their own (then w = 1).
    """
    weight = 1.0 if n_eff is None else float(n_eff) / rows
    size = max(rows, largest or 0, LEVELS + 1)
    weighted = weight * np.arange(size + 1)
    rounded = np.floor(weighted + 0.5).astype(np.int32)
    most = max(1, int(rounded[-1]))
    lc, pieces = _prices(max(0, most.bit_length() - TABLE_BITS))
    plogp = _plogp(weighted)
    return Costs(
        plogp=plogp,
        rounded=rounded,
        plogp_rounded=plogp if weight == 1.0 else _plogp(rounded.astype(np.float64)),
        lc=lc,
        pieces=pieces,
        lfact=np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, MOST_PLACES + 1))))),
        weight=weight,
        rows=int(rows),
    )


def _plogp(values):
    out = np.zeros(values.size)
    np.log(values, out=out, where=values > 0)
    out *= values
    return out
