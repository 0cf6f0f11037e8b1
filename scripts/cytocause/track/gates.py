"""How far a cell may move: taken from the movie itself.

    count |  #
          | ###.                      mutual nearest neighbours of consecutive frames: mostly the same cell twice
          | #####...   .  . ..        (a wrong pair is about one spacing apart)
          +-------|-----------> displacement
                  95 %      gate = 2 x that

For steps that are normal on each axis, twice the 95 % quantile is 4.9 standard deviations: 1 link in 160,000 is cut. The gate is
not below half a cell diameter (segmentation jitter) and not above the typical spacing of cells when that is further.
"""

import numpy as np
from scipy.spatial import cKDTree

GATE_QUANTILE = 0.95
GATE_FACTOR = 2.0
FLOOR_DIAMETERS = 0.5
CEILING_SPACINGS = 1.0
ENOUGH_PAIRS = 20_000


def mutual_displacements(pages, y, x):
    """Distances (px) between mutual nearest neighbours of consecutive pages, and distances to the nearest in the same page.

    pages, y, x  arrays of one length, sorted by page
    Pages are taken evenly over the movie until there are enough pairs.
    """
    if not len(pages):
        return np.zeros(0), np.zeros(0)
    bounds = np.searchsorted(pages, np.arange(pages[-1] + 2))
    position = np.column_stack([y, x])
    steps = np.arange(len(bounds) - 2)
    mean_count = max(1.0, len(pages) / max(1, len(steps)))
    stride = max(1, int(len(steps) * mean_count / ENOUGH_PAIRS))
    moved, spacing = [np.zeros(0)], [np.zeros(0)]
    for page in steps[::stride]:
        here, there = (position[bounds[p] : bounds[p + 1]] for p in (page, page + 1))
        if len(here) > 1:
            spacing.append(cKDTree(here).query(here, k=2)[0][:, 1])
        if not len(here) or not len(there):
            continue
        distance, forth = cKDTree(there).query(here)
        _, back = cKDTree(here).query(there)
        mutual = back[forth] == np.arange(len(here))
        moved.append(distance[mutual])
    return np.concatenate(moved), np.concatenate(spacing)


def automatic_search_range(pages, y, x, diameter):
    """Search range in px per frame interval, and the facts behind it.

    diameter  median equivalent diameter of the objects, px
    """
    moved, spacing = mutual_displacements(pages, y, x)
    floor = FLOOR_DIAMETERS * diameter
    facts = {"pairs": len(moved), "median_diameter_px": round(float(diameter), 3)}
    gate = floor
    if len(moved):
        quantile = float(np.quantile(moved, GATE_QUANTILE))
        gate = max(floor, GATE_FACTOR * quantile)
        facts["displacement_q95_px"] = round(quantile, 3)
    if len(spacing):
        typical = float(np.median(spacing))
        facts["median_spacing_px"] = round(typical, 3)
        gate = min(gate, max(floor, CEILING_SPACINGS * typical))
    return gate, facts


def persistence(track, y, x, elapsed):
    """Share of a step that the next step repeats: sum of v(t) . v(t-1) over sum of |v(t-1)|^2; 0 when unknown or negative.

    track, y, x, elapsed  rows sorted by track and time; elapsed is the time since the row before in frame intervals; only pairs of
                          steps of one interval each count
    """
    if len(track) < 3:
        return 0.0
    vy, vx = np.diff(y), np.diff(x)
    plain = (track[1:] == track[:-1]) & (np.abs(elapsed[1:] - 1) < 0.5)
    both = plain[1:] & plain[:-1]
    before = (vy[:-1] ** 2 + vx[:-1] ** 2)[both].sum()
    if before <= 0:
        return 0.0
    again = (vy[1:] * vy[:-1] + vx[1:] * vx[:-1])[both].sum()
    return float(np.clip(again / before, 0.0, 1.0))
