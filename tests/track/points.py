"""A small world of points with areas: cells that walk, push each other apart, round up and divide. For tests of `track` only.

Every call with the same seed gives the same world.
"""

import numpy as np

from cytocause.track.objects import Objects


def world(seed=0, n_frames=60, n_cells=40, size=400.0, sd=1.5, cycle=(25, 60), missing=0.0, radius=8.0):
    """Objects of all pages and their true tracks.

    Returns objects, track (N,) int64, parent {track: mother}
    """
    rng = np.random.default_rng(seed)
    cells = []
    parent = {}
    for k in range(n_cells):
        cells.append(_cell(k + 1, rng.uniform(0, size, 2), rng.normal(0, 0.1), rng.integers(3, cycle[1]), radius))
    top = n_cells
    rows = []
    for page in range(n_frames):
        new = []
        for cell in cells:
            cell["left"] -= 1
            if cell["left"] < 0:
                angle, gap = rng.uniform(0, np.pi), radius * rng.uniform(0.75, 1.0)
                away = gap * np.array([np.sin(angle), np.cos(angle)])
                for sign in (1, -1):
                    top += 1
                    parent[top] = cell["id"]
                    new.append(_cell(top, cell["at"] + sign * away, cell["size"] + rng.normal(0, 0.05), rng.integers(*cycle), radius))
            else:
                new.append(cell)
        cells = new
        at = np.array([cell["at"] for cell in cells])
        at = at + rng.normal(0, sd, at.shape)
        for _ in range(3):  # soft repulsion
            gap = at[:, None] - at[None]
            far = np.hypot(gap[..., 0], gap[..., 1]) + np.eye(len(at)) * 1e9
            push = np.clip(1.6 * radius - far, 0, None) / 4
            at = at + (gap / far[..., None] * push[..., None]).sum(1)
        for cell, where in zip(cells, at):
            cell["at"] = where
            if not (0 <= where[0] < size and 0 <= where[1] < size) or rng.random() < missing:
                continue
            rounding = 0.8 if cell["left"] < 2 else 1.0
            young = 0.65 if cell["id"] in parent and cell["age"] < 3 else 1.0
            area = np.pi * radius**2 * rounding * young * np.exp(cell["size"] + rng.normal(0, 0.05))
            rows.append((page, cell["id"], where[0], where[1], area))
        for cell in cells:
            cell["age"] += 1
    page, track, y, x, area = np.array(rows).T
    order = np.lexsort((x, y, page))
    page, track, y, x, area = page[order].astype(int), track[order].astype(int), y[order], x[order], area[order]
    edge = (np.minimum.reduce([y, x, size - 1 - y, size - 1 - x])) < radius * 0.8
    return Objects(page, track, y, x, area, np.full(len(page), np.nan), edge), track, parent


def _cell(number, at, size, left, radius):
    return {"id": number, "at": np.array(at), "size": size, "left": int(left), "age": 0}


def meta(n_pages, size=400, pixel=1.0, interval=10.0, frames=None):
    frames = list(range(n_pages)) if frames is None else list(frames)
    return {
        "frames": frames,
        "time_min": [interval * f for f in frames],
        "frame_interval_min": interval,
        "pixel_size_um": pixel,
        "unit": "um" if pixel else "px",
        "height": size,
        "width": size,
        "drift_px": [[0.0, 0.0]] * n_pages,
    }


def links(track, page):
    """True links as pairs of row numbers, rows in any order."""
    order = np.lexsort((page, track))
    same = track[order][1:] == track[order][:-1]
    return set(zip(order[:-1][same].tolist(), order[1:][same].tolist()))


def division_scores(found, truth, frame_of, tolerance=1):
    """(precision, recall) of divisions given as {mother row id: ({daughter ids}, frame)} in true track numbers."""
    hits = sum(1 for key, frame in found.items() if key in truth and abs(truth[key] - frame) <= tolerance)
    return hits / max(1, len(found)), hits / max(1, len(truth))
