"""Small worlds of squares that move and divide, and ways to spoil them."""

import numpy as np
import pandas as pd


def make(seed=0, n_frames=12, n_cells=6, size=96, side=7, p_divide=0.08):
    """Masks (T, Y, X) int32 with pixel = label, and the tracks table; each mask has a fresh label in every frame."""
    rng = np.random.default_rng(seed)
    cells = {}  # track -> (y, x)
    next_track = 1
    grid = [(y, x) for y in range(8, size - 14, 16) for x in range(8, size - 14, 16)]
    for i in rng.permutation(len(grid))[:n_cells]:
        cells[next_track] = grid[i]
        next_track += 1
    masks, rows, parent = np.zeros((n_frames, size, size), dtype=np.int32), [], dict.fromkeys(cells, 0)
    for t in range(n_frames):
        labels = rng.permutation(len(cells)) + 1
        for label, (track, (y, x)) in zip(labels, cells.items()):
            masks[t, y : y + side, x : x + side] = label
            area = masks[t] == label
            if area.any():
                rows.append((track, parent[track], t, int(label)))
        moved = {}
        for track, (y, x) in cells.items():
            y, x = (int(np.clip(v + rng.integers(-1, 2), 0, size - side)) for v in (y, x))
            if rng.random() < p_divide and t < n_frames - 1 and x + 2 * side < size:
                for dx in (0, side):
                    moved[next_track] = (y, x + dx)
                    parent[next_track] = track
                    next_track += 1
            else:
                moved[track] = (y, x)
        cells = moved
    tracks = pd.DataFrame(rows, columns=["track_id", "parent_id", "frame", "label"])
    seen = [(tr, t, label) for tr, _, t, label in rows if (masks[t] == label).any()]
    keep = set(seen)
    tracks = tracks[[(r.track_id, r.frame, r.label) in keep for r in tracks.itertuples()]].reset_index(drop=True)
    return masks, tracks


def spoil(masks, tracks, seed=1, n_cut=2, n_swap=1, n_drop=2, n_merge=1, n_orphan=1, n_false=1):
    """Cut tracks, swap two from a frame on, drop masks, merge touching masks, unlink a daughter, add a false mask."""
    rng = np.random.default_rng(seed)
    masks, tracks = masks.copy(), tracks.copy()
    fresh = int(tracks["track_id"].max()) + 1

    def long_tracks(least=4):
        n = tracks.groupby("track_id").size()
        return n.index[n >= least].to_numpy()

    for _ in range(n_cut):
        track = rng.choice(long_tracks())
        frames = np.sort(tracks.loc[tracks["track_id"] == track, "frame"].to_numpy())
        at = frames[len(frames) // 2]
        tracks.loc[tracks["parent_id"] == track, "parent_id"] = fresh
        late = (tracks["track_id"] == track) & (tracks["frame"] >= at)
        tracks.loc[late, ["track_id", "parent_id"]] = (fresh, 0)
        fresh += 1
    for _ in range(n_swap):
        a, b = rng.choice(long_tracks(), 2, replace=False)
        frames = set(tracks.loc[tracks["track_id"] == a, "frame"]) & set(tracks.loc[tracks["track_id"] == b, "frame"])
        if len(frames) < 3:
            continue
        at = sorted(frames)[len(frames) // 2]
        for column in ("track_id", "parent_id"):
            is_a, is_b = tracks[column] == a, tracks[column] == b
            late = tracks["frame"] >= at
            tracks.loc[is_a & late, column], tracks.loc[is_b & late, column] = b, a
        tracks["parent_id"] = tracks.groupby("track_id")["parent_id"].transform("first")
    for _ in range(n_drop):
        row = tracks.iloc[rng.integers(len(tracks))]
        masks[row["frame"]][masks[row["frame"]] == row["label"]] = 0
        tracks = tracks.drop(row.name)
    for _ in range(n_merge):
        frame = rng.choice(tracks["frame"].unique())
        here = tracks[tracks["frame"] == frame]
        if len(here) < 2:
            continue
        a, b = here.iloc[0], here.iloc[1]
        masks[frame][masks[frame] == b["label"]] = a["label"]
        tracks = tracks.drop(b.name)
    daughters = tracks.loc[tracks["parent_id"] > 0, "track_id"].unique()
    for track in daughters[:n_orphan]:
        tracks.loc[tracks["track_id"] == track, "parent_id"] = 0
    for _ in range(n_false):
        frame = int(rng.integers(len(masks)))
        label = int(masks[frame].max()) + 1
        if not masks[frame][:4, :4].any():
            masks[frame][:4, :4] = label
            extra = pd.DataFrame({"track_id": [fresh], "parent_id": [0], "frame": [frame], "label": [label]})
            tracks = pd.concat([tracks, extra])
            fresh += 1
    return masks, tracks.sort_values(["track_id", "frame"]).reset_index(drop=True)
