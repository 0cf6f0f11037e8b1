"""Kernels of motion: who is near whom, cells that walk, hold on to each other and push each other away.

    positions -> buckets of side `reach` -> only the 9 buckets around a cell are searched     cost grows with n, not n^2

    walk, for each substep:   tumour cells and fibroblasts step ahead
                              immune cells let go, catch, turn (persistence, chemotaxis), step, hold on
                              soft repulsion within the gel's cells and within the immune cells

Arrays only; the slow twins are in tests/simulate/naive.py. One thread, one fixed order: the same bytes every time.
"""

import numpy as np
from numba import njit


@njit(cache=True)
def _buckets(y, x, side):
    """Sort points into square buckets: (order, start, low y, low x, rows, columns); bucket b holds order[start[b] : start[b + 1]]."""
    n = y.shape[0]
    low_y = low_x = np.inf
    high_y = high_x = -np.inf
    for i in range(n):
        low_y, high_y = min(low_y, y[i]), max(high_y, y[i])
        low_x, high_x = min(low_x, x[i]), max(high_x, x[i])
    rows = min(int((high_y - low_y) / side) + 1, 1024)  # points far apart share the outer buckets: slower, never wrong
    columns = min(int((high_x - low_x) / side) + 1, 1024)
    start = np.zeros(rows * columns + 1, np.int64)
    bucket = np.empty(n, np.int64)
    for i in range(n):
        r = min(int((y[i] - low_y) / side), rows - 1)
        c = min(int((x[i] - low_x) / side), columns - 1)
        bucket[i] = r * columns + c
        start[bucket[i] + 1] += 1
    for b in range(rows * columns):
        start[b + 1] += start[b]
    order = np.empty(n, np.int64)
    fill = start[:-1].copy()
    for i in range(n):
        order[fill[bucket[i]]] = i
        fill[bucket[i]] += 1
    return order, start, low_y, low_x, rows, columns


@njit(cache=True)
def _span(value, low, side, number):
    """First and last bucket along one axis that may hold something within `side` of value; last < first for none."""
    at = (value - low) / side
    first = max(int(np.floor(at)) - 1, 0)
    last = min(int(np.floor(at)) + 1, number - 1)
    if first > number - 1:  # beyond the outer bucket, which may hold points further out
        first = number - 1 if number == 1024 else first
        last = number - 1 if number == 1024 else last
    return first, last


@njit(cache=True)
def pairs_within(ay, ax, by, bx, reach):
    """Pairs (i of a, j of b) at most `reach` apart.

    Parameters
    ----------
    ay, ax : (n,) float64 um
    by, bx : (m,) float64 um
    reach : float, um, above 0

    Returns
    -------
    i, j : (k,) int64, sorted by i, then j
    """
    n, m = ay.shape[0], by.shape[0]
    room = 16
    first = np.empty(room, np.int64)
    second = np.empty(room, np.int64)
    k = 0
    if n == 0 or m == 0:
        return first[:0], second[:0]
    order, start, low_y, low_x, rows, columns = _buckets(by, bx, reach)
    for i in range(n):
        begin = k
        r0, r1 = _span(ay[i], low_y, reach, rows)
        c0, c1 = _span(ax[i], low_x, reach, columns)
        for r in range(r0, r1 + 1):
            for c in range(c0, c1 + 1):
                b = r * columns + c
                for q in range(start[b], start[b + 1]):
                    j = order[q]
                    dy = by[j] - ay[i]
                    dx = bx[j] - ax[i]
                    if dy * dy + dx * dx <= reach * reach:
                        if k == room:
                            room *= 2
                            first = np.concatenate((first, np.empty_like(first)))
                            second = np.concatenate((second, np.empty_like(second)))
                        first[k] = i
                        place = k  # into its place by insertion: a cell has few neighbours
                        while place > begin and second[place - 1] > j:
                            second[place] = second[place - 1]
                            place -= 1
                        second[place] = j
                        k += 1
    return first[:k], second[:k]


@njit(cache=True)
def nearest_within(ay, ax, by, bx, allowed, reach):
    """Index of the nearest allowed b less than `reach` from each a, the lower index on a tie; -1 for none.

    ay, ax : (n,) um; by, bx : (m,) um; allowed : (m,) bool; reach : um above 0. Returns (n,) int64.
    """
    n, m = ay.shape[0], by.shape[0]
    out = np.full(n, -1, np.int64)
    if n == 0 or m == 0:
        return out
    order, start, low_y, low_x, rows, columns = _buckets(by, bx, reach)
    for i in range(n):
        least = reach * reach
        r0, r1 = _span(ay[i], low_y, reach, rows)
        c0, c1 = _span(ax[i], low_x, reach, columns)
        for r in range(r0, r1 + 1):
            for c in range(c0, c1 + 1):
                b = r * columns + c
                for q in range(start[b], start[b + 1]):
                    j = order[q]
                    if not allowed[j]:
                        continue
                    dy = by[j] - ay[i]
                    dx = bx[j] - ax[i]
                    square = dy * dy + dx * dx
                    if square < least or (square == least and out[i] > j):
                        least = square
                        out[i] = j
    return out


@njit(cache=True)
def push_apart(y, x, radius, weight, gap, n_rounds):
    """Soft repulsion: overlapping discs move apart along their line of centres, `weight` shares the way between them.

    y, x : (n,) float64 um, changed in place; radius (n,) um; weight (n,) mobility, 0 holds a cell still; gap um kept free.
    Pairs are taken in the order of their indices. Candidates, up to twice the largest reach apart, are looked up every other round.
    """
    n = y.shape[0]
    if n < 2:
        return
    search = 2.0 * max(2.0 * radius.max() + gap, 1e-6)
    first, second = pairs_within(y, x, y, x, search)
    for turn in range(n_rounds):
        if turn > 0 and turn % 2 == 0:
            first, second = pairs_within(y, x, y, x, search)
        for k in range(first.shape[0]):
            i, j = first[k], second[k]
            total = weight[i] + weight[j]
            if j <= i or total <= 0.0:
                continue
            dy = y[j] - y[i]
            dx = x[j] - x[i]
            reach = radius[i] + radius[j] + gap
            square = dy * dy + dx * dx
            if square >= reach * reach:
                continue
            distance = np.sqrt(square)
            if distance < 1e-6:
                dy, dx, distance = 0.0, 1e-6, 1e-6
            move = 0.5 * (reach - distance) / distance
            y[i] -= move * dy * weight[i] / total
            x[i] -= move * dx * weight[i] / total
            y[j] += move * dy * weight[j] / total
            x[j] += move * dx * weight[j] / total


@njit(cache=True)
def walk(y, x, heading, speed, radius, weight, prey, pull, iy, ix, iheading, held, wait, iradius, noise, chance, p, minutes, gap):
    """Motion of all cells within one frame interval, in substeps.

    Parameters
    ----------
    y, x, heading, speed, radius, weight : (n,) float64, tumour cells and fibroblasts: um, radians, um/min, um, mobility;
        y and x are changed in place
    prey : (n,) bool, who can be caught
    pull : (n,) float64, logarithm of how strongly a cell draws immune cells and how long they stay
    iy, ix, iheading : (m,) float64, immune cells, changed in place
    held : (m,) int64, index of the cell held, -1 free, -2 the cell held is gone; changed in place
    wait : (m,) float64, minutes until it can catch again; changed in place
    iradius : (m,) float64 um
    noise : (S, 3, m) standard normal deviates: turn, wobble in y, wobble in x
    chance : (S, m) uniform in [0, 1): letting go
    p : (11,) float64: speed um/min, persistence min, sensing um, chemotaxis per 10 min, dwell min, share of the speed left while
        holding, refractory min, catching distance um, holding distance um, letting-go distance um, wobble um per root minute
    minutes : float, one substep
    gap : float, um kept free between cells
    """
    ispeed, persistence, sensing, chemotaxis, dwell, arrest, refractory, catch, hold, let_go, wobble = p
    still = np.ones(iy.shape[0])
    for s in range(noise.shape[0]):
        for i in range(y.shape[0]):
            y[i] += speed[i] * np.sin(heading[i]) * minutes
            x[i] += speed[i] * np.cos(heading[i]) * minutes
        near = nearest_within(iy, ix, y, x, prey, max(sensing, catch, 1e-6))
        for k in range(iy.shape[0]):
            j = held[k]
            if j >= 0:
                away = np.sqrt((y[j] - iy[k]) ** 2 + (x[j] - ix[k]) ** 2)
                stay = np.exp(-minutes / (dwell * np.exp(pull[j])))
                if not prey[j] or away > let_go or chance[s, k] < 1.0 - stay:
                    held[k] = -1
                    wait[k] = refractory
                    iheading[k] = np.arctan2(iy[k] - y[j], ix[k] - x[j])
            elif j == -2:
                held[k] = -1
                wait[k] = refractory
            wait[k] = max(wait[k] - minutes, 0.0)
            j = near[k]
            distance, dy, dx = np.inf, 0.0, 1.0
            if j >= 0:
                dy, dx = y[j] - iy[k], x[j] - ix[k]
                distance = np.sqrt(dy * dy + dx * dx)
            if held[k] < 0 and wait[k] <= 0.0 and distance < catch:
                held[k] = j
            iheading[k] += np.sqrt(2.0 * minutes / persistence) * noise[s, 0, k]
            free = held[k] < 0
            drawn = 0.0
            if free and wait[k] <= 0.0 and distance < sensing:
                drawn = 1.0 - np.exp(-chemotaxis * np.exp(pull[j]) * minutes / 10.0)
            length = max(np.sqrt(dy * dy + dx * dx), 1e-9)
            hy = (1.0 - drawn) * np.sin(iheading[k]) + drawn * dy / length
            hx = (1.0 - drawn) * np.cos(iheading[k]) + drawn * dx / length
            iheading[k] = np.arctan2(hy, hx)
            pace = ispeed if free else ispeed * arrest
            shake = wobble * np.sqrt(minutes) * (1.0 if free else 0.3)
            iy[k] += pace * np.sin(iheading[k]) * minutes + shake * noise[s, 1, k]
            ix[k] += pace * np.cos(iheading[k]) * minutes + shake * noise[s, 2, k]
            if not free:  # it stays at the membrane of its tumour cell and moves with it
                j = held[k]
                oy, ox = iy[k] - y[j], ix[k] - x[j]
                distance = max(np.sqrt(oy * oy + ox * ox), 1e-9)
                shift = 0.7 * (hold - distance) / distance
                iy[k] += shift * oy
                ix[k] += shift * ox
        push_apart(y, x, radius, weight, gap, 2)
        push_apart(iy, ix, iradius, still, gap, 2)
