"""Codes, atoms, bins and joint levels: how rows become small whole numbers.

    value   2.7  0.1  0.1  5.0
    code      1    0    0    2     rank of the distinct value; -1 where missing
    atom      1    0    0    1     a few hundred: what no cut in use separates; every bin and unit bin is a set of atoms
    unit    code // g              at most 50 unit bins, the finest cut the search may choose
    label     0    0    0    1     bin in use

A column is ranked once. Which bin a row is in, for any number of bins, is then a look-up in a table that stays in the
processor's nearest cache, and a column takes two bytes a row.

All arrays are int32 of length n (rows) unless said. Source: spec sections 3.4, 3.5.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from .compilation import KERNEL

START_BINS = 30  # most equal-frequency bins to begin with (spec 3.6, 3.7)
SCAN_BINS = 20  # equal-frequency bins are tried below this number
MOST_LABELS = 2**31 - 1  # that an int32 tells apart


class Ranked(NamedTuple):
    """Columns on the same rows, ready for the estimators.

    atoms    (columns, n) uint16 (int32 where a discrete column has more levels), discrete columns: codes
    levels   (columns,) int64, distinct values; kinds (columns,) uint8, 1 continuous
    part     (columns, START_BINS+1, most atoms) uint8, bin of an atom among b equal-frequency bins
    parts    (columns, START_BINS+1) int64, how many of these bins are used; 0 where b is never asked for
    unit     (columns, most atoms) uint16, unit bin of an atom
    units    (columns,) int64, unit bins; 1 for a discrete column
    gaps     (columns,) bool, values are missing: not ranked here, but for each estimate on the rows it uses
    """

    atoms: np.ndarray
    levels: np.ndarray
    kinds: np.ndarray
    part: np.ndarray
    parts: np.ndarray
    unit: np.ndarray
    units: np.ndarray
    gaps: np.ndarray


def encode(values):
    """Codes of a column: (codes int32 with -1 where missing, distinct values sorted)."""
    values = np.asarray(values)
    if values.dtype.kind == "f":
        missing = np.isnan(values)
        if not missing.any():
            return _encode_numbers(values)
    else:
        missing = np.zeros(values.size, bool)
    levels, codes = np.unique(values[~missing], return_inverse=True)
    out = np.full(values.size, -1, np.int32)
    out[~missing] = codes.astype(np.int32)
    return out, levels


def _encode_numbers(values):
    """The same of finite numbers, (n,) float: np.unique without its detours, which cost more than the sorting of 1,000 rows."""
    order = values.argsort()
    ascending = values[order]
    first = np.ones(values.size, bool)
    np.not_equal(ascending[1:], ascending[:-1], out=first[1:])
    codes = np.empty(values.size, np.int32)
    codes[order] = first.cumsum(dtype=np.int32) - 1
    return codes, ascending[first]


@njit(**KERNEL)
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


@njit(**KERNEL)
def equal_frequency(first_row, bins, starts, legacy):
    """Cut ranked rows into `bins` equal parts, equal values kept together; returns the bins used.

    first_row (levels+1,) int32: rows before each value; fills starts (>= bins,) with the first value of each bin.

    Cuts that fall inside a long run of equal values are dropped, and the rows behind it shared out again. Legacy postpones
    them to the next values, one each, so that a long tie is followed by bins of a single value (spec Q2).
    """
    levels = first_row.size - 1
    n = first_row[levels]
    bins = min(bins, levels)
    width = n // bins
    starts[0] = 0
    part = opened = 0  # of these parts the first `opened` were cut before the last sharing out
    first = 0
    while part < bins - 1:
        wanted = first + (part - opened + 1) * width - 1
        here = first_row[starts[part]]
        if wanted < here and not legacy:
            left = max(1, min(bins - part, (n - here) // width))  # as many as fit behind the tie
            first, opened, bins, width = here, part, part + left, (n - here) // left
            if left == 1:
                break
            wanted = first + width - 1
        # first later value whose rows begin behind the wanted one
        low, high = starts[part] + 1, levels
        while low < high:
            middle = (low + high) // 2
            if first_row[middle] > wanted:
                high = middle
            else:
                low = middle + 1
        if low >= levels:
            break
        part += 1
        starts[part] = low
    return part + 1


@njit(**KERNEL)
def start_bins(rows, n_eff, columns):
    """(b0, bU): equal-frequency bins of x and y where none were tried, and of the conditions; spec 3.6, 3.7."""
    return (
        min(START_BINS, int(0.5 + rows ** (1.0 / 3.0))),
        min(START_BINS, max(2, int(0.5 + n_eff ** (1.0 / columns)))),
    )


@njit(**KERNEL)
def bins_asked_for(rows, n_eff, columns):
    """Numbers of equal-frequency bins that estimates of up to `columns` columns begin with; (START_BINS+1,) bool."""
    wanted = np.zeros(START_BINS + 1, np.bool_)
    wanted[2:SCAN_BINS] = True
    for size in range(2, columns + 1):
        bins, bins_u = start_bins(rows, n_eff, size)
        wanted[max(bins, 1)] = True
        wanted[bins_u] = True
    return wanted


@njit(**KERNEL)
def atomise(codes, levels, wanted, max_bins, legacy, atoms, part, parts, unit):
    """Atoms of a continuous column: (number of unit bins, number of atoms).

    codes (n,) int32, dense; wanted: see bins_asked_for. Fills atoms (n,), and part, parts, unit: one column of Ranked.
    """
    first_row = np.zeros(levels + 1, np.int32)
    for code in codes:
        first_row[code + 1] += 1
    for level in range(levels):
        first_row[level + 1] += first_row[level]
    begins = np.zeros(levels, np.bool_)
    begins[0] = True
    width = unit_width(levels, max_bins)
    begins[::width] = True
    all_starts = np.zeros((START_BINS + 1, START_BINS + 1), np.int64)
    for bins in range(1, START_BINS + 1):
        if wanted[bins]:
            starts = all_starts[bins]
            parts[bins] = equal_frequency(first_row, bins, starts, legacy)
            for k in range(parts[bins]):
                begins[starts[k]] = True
    atom_of = np.empty(levels, np.int32)
    size = 0
    for level in range(levels):
        if begins[level]:
            unit[size] = level // width
            size += 1
        atom_of[level] = size - 1
    for bins in range(1, START_BINS + 1):
        for at in range(parts[bins] if wanted[bins] else 0):
            end = levels if at + 1 == parts[bins] else all_starts[bins, at + 1]
            for atom in range(atom_of[all_starts[bins, at]], atom_of[end - 1] + 1):
                part[bins, atom] = at
    for i in range(codes.size):
        atoms[i] = atom_of[codes[i]]
    return (levels + width - 1) // width, size


def atom_type(levels, kinds):
    """The smallest type that holds the atoms of all columns."""
    discrete = levels[kinds == 0]
    return np.uint16 if discrete.size == 0 or discrete.max() < 2**16 else np.int32


@njit(**KERNEL)
def most_atoms(wanted, max_bins):
    """Bound on the atoms of a column."""
    total = max_bins + 1
    for bins in range(2, wanted.size):
        if wanted[bins]:
            total += bins - 1
    return total


@njit(**KERNEL)
def rank_columns(codes, levels, kinds, gaps, wanted, max_bins, legacy, atoms):
    """Ranked of dense codes (columns, n) int32 where there are no gaps (columns,); fills atoms (columns, n)."""
    size = codes.shape[0]
    most = most_atoms(wanted, max_bins)
    part = np.zeros((size, START_BINS + 1, most), np.uint8)
    parts = np.zeros((size, START_BINS + 1), np.int64)
    unit = np.zeros((size, most), np.uint16)
    units = np.ones(size, np.int64)
    for k in range(size):
        if gaps[k]:
            continue
        if kinds[k]:
            units[k], _ = atomise(codes[k], levels[k], wanted, max_bins, legacy, atoms[k], part[k], parts[k], unit[k])
        else:
            for i in range(codes.shape[1]):
                atoms[k, i] = codes[k, i]
    return Ranked(atoms, levels, kinds, part, parts, unit, units, gaps)


@njit(**KERNEL)
def unit_width(levels, max_bins):
    """Distinct values per unit bin, so that there are at most max_bins of them."""
    return max(1, (levels + max_bins - 1) // max_bins)


@njit(**KERNEL)
def relabel(codes, bin_of, out):
    """out[i] = bin_of[codes[i]]"""
    for i in range(codes.size):
        out[i] = bin_of[codes[i]]


@njit(**KERNEL)
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
    keys = np.full(size, -1, np.int64)
    values = np.empty(size, np.int32)
    for i in range(n):
        label = np.int64(labels[i])
        # the upper half of a product: labels that differ in few bits are spread over all slots
        slot = np.int64((np.uint64(label) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)) & (size - 1)
        while keys[slot] != label and keys[slot] >= 0:
            slot = (slot + 1) & (size - 1)
        if keys[slot] < 0:
            keys[slot] = label
            values[slot] = used
            used += 1
        labels[i] = values[slot]
    return used


@njit(**KERNEL)
def multiply(labels, levels, other, other_levels):
    """Join a second labelling into `labels` (n,) int32 in place: label * other_levels + other, recoded when it grows too large.

    Products that an int32 does not hold are keys of 64 bits in between (spec 9.1).
    """
    if other_levels == 1:
        return levels
    limit = 2 * labels.size + 1024
    if levels * other_levels > limit and levels > 1:
        levels = recode(labels, levels)
    if levels * other_levels > MOST_LABELS:
        joint = np.empty(labels.size, np.int64)
        for i in range(labels.size):
            joint[i] = np.int64(labels[i]) * other_levels + other[i]
        levels = recode(joint, levels * other_levels)
        for i in range(labels.size):
            labels[i] = joint[i]
        return levels
    for i in range(labels.size):
        labels[i] = labels[i] * other_levels + other[i]
    levels *= other_levels
    if levels > limit:
        levels = recode(labels, levels)
    return levels
