"""Codes, bins and joint levels: how rows become small whole numbers.

    value   2.7  0.1  0.1  5.0
    code      1    0    0    2     rank of the distinct value; -1 where missing
    unit    code // g              at most 50 unit bins, the finest cut the search may choose
    label     0    0    0    1     bin in use

All arrays are int32 of length n (rows) unless said. Source: spec sections 3.4, 3.5.
"""

import numpy as np
from numba import njit


def encode(values):
    """Codes of a column: (codes int32 with -1 where missing, distinct values sorted)."""
    values = np.asarray(values)
    missing = np.isnan(values) if values.dtype.kind == "f" else np.zeros(values.size, bool)
    levels, codes = np.unique(values[~missing], return_inverse=True)
    out = np.full(values.size, -1, np.int32)
    out[~missing] = codes.astype(np.int32)
    return out, levels


@njit(cache=True, nogil=True)
def densify(codes, levels):
    """Renumber codes in place so that every code below the result occurs, order kept; returns how many there are."""
    place = np.zeros(levels, np.int32)
    for code in codes:
        place[code] = 1
    used = 0
    for level in range(levels):
        if place[level]:
            place[level] = used
            used += 1
    if used < levels:
        for i in range(codes.size):
            codes[i] = place[codes[i]]
    return used


@njit(cache=True, nogil=True)
def count_levels(codes, out):
    """Add the rows at each code to out (levels,) int32."""
    for code in codes:
        out[code] += 1


@njit(cache=True, nogil=True)
def equal_frequency(counts, levels, n, bins, bin_of, legacy=False):
    """Cut n ranked rows into `bins` equal parts, equal values kept together; returns the bins used.

    counts (>= levels,) int32 rows at each value; fills bin_of (>= levels,) with the bin of each value.

    Cuts that fall inside a long run of equal values are dropped, and the rows behind it shared out again. Legacy postpones
    them to the next values, one each, so that a long tie is followed by bins of a single value (spec Q2).
    """
    bins = min(bins, levels)
    width = n // bins
    part = opened = 0
    first_row = start = 0
    last_row = width - 1 if bins > 1 else n - 1
    for level in range(levels):
        if level > 0 and first_row > last_row:
            part += 1
            last_row = start + (part - opened + 1) * width - 1 if part < bins - 1 else n - 1
            if last_row < first_row and not legacy:
                # as many bins as fit behind the tie
                left = max(1, (n - first_row) // width)
                start, opened, bins, width = first_row, part, part + left, (n - first_row) // left
                last_row = start + width - 1 if left > 1 else n - 1
        bin_of[level] = part
        first_row += counts[level]
    return part + 1


@njit(cache=True, nogil=True)
def unit_width(levels, max_bins):
    """Distinct values per unit bin, so that there are at most max_bins of them."""
    return max(1, (levels + max_bins - 1) // max_bins)


@njit(cache=True, nogil=True)
def relabel(codes, bin_of, out):
    """out[i] = bin_of[codes[i]]"""
    for i in range(codes.size):
        out[i] = bin_of[codes[i]]


@njit(cache=True, nogil=True)
def recode(labels, levels):
    """Renumber joint labels in place, as they appear, so that only those that occur are counted; returns how many."""
    n = labels.size
    used = 0
    if levels <= 8 * n + 1024:
        place = np.full(levels, -1, np.int32)
        for i in range(n):
            label = labels[i]
            if place[label] < 0:
                place[label] = used
                used += 1
            labels[i] = place[label]
        return used
    # too many for a table: open addressing
    size = 16
    while size < 2 * n:
        size *= 2
    keys = np.full(size, -1, np.int32)
    values = np.empty(size, np.int32)
    for i in range(n):
        label = labels[i]
        slot = (label * 40503) & (size - 1)
        while keys[slot] != label and keys[slot] >= 0:
            slot = (slot + 1) & (size - 1)
        if keys[slot] < 0:
            keys[slot] = label
            values[slot] = used
            used += 1
        labels[i] = values[slot]
    return used


@njit(cache=True, nogil=True)
def multiply(labels, levels, other, other_levels):
    """Join a second labelling into `labels` in place: label * other_levels + other, recoded when it grows too large."""
    if other_levels == 1:
        return levels
    limit = 2 * labels.size + 1024
    if levels * other_levels > limit and levels > 1:
        levels = recode(labels, levels)
    for i in range(labels.size):
        labels[i] = labels[i] * other_levels + other[i]
    levels *= other_levels
    if levels > limit:
        levels = recode(labels, levels)
    return levels
