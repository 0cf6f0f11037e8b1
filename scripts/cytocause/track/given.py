"""Given tracks: checked, and brought to the columns, units and types of our own.

A defect names the file and the row (the header is row 1, for a Parquet file as if it were text).
"""

import numpy as np

from cytocause.io import InputDefect


def given_tracks(df, *, file, sample, population, frames, time_min, pixel_size_um, unit="px", height=None, width=None):
    """Columns of the track table from a given table.

    df            track_id, frame, y_um and x_um or y_px and x_px; optional parent_id, label, cell_type, time_min (the
                  movie's own time is used), sample, population (rows of others are left out)
    frames        (n_pages,) frame numbers of the movie, time_min their times
    unit          the sample's, "um" or "px": "um" without a pixel size is a sample that consists of tables in um
    height, width size of the movie in px, or None: positions outside are then not noticed
    Returns       dict of arrays: track_id, parent_id, frame, time_min, label (0 = unknown), y_px, x_px (px), cell_type
                  (None = unknown); in um where the sample is in um and has no pixel size
    """
    row = np.arange(2, len(df) + 2)
    for column, own in (("sample", sample), ("population", population)):
        if column in df.columns:
            keep = (df[column].astype(str) == str(own)).to_numpy()
            df, row = df[keep], row[keep]
    if not len(df):
        raise InputDefect(
            f"The table holds no row for sample {sample!r} and population {population!r}.",
            file=file,
            todo="Check its columns sample and population.",
        )
    check = _Checker(file, row)
    track = check.whole(df, "track_id")
    frame = check.whole(df, "frame")
    check.refuse(track < 1, lambda i: f"track_id is {track[i]}; expected 1 or more (0 means none).")
    page_of = {int(number): page for page, number in enumerate(frames)}
    pages = np.array([page_of.get(int(number), -1) for number in frame])
    check.refuse(
        pages < 0,
        lambda i: f"frame is {frame[i]}, which is not a frame of the movie ({len(frames)} frames, {min(frames)} to {max(frames)}; frames count from 0).",
    )
    order = np.lexsort((frame, track))
    twice = np.zeros(len(df), dtype=bool)
    twice[order[1:]] = (np.diff(track[order]) == 0) & (np.diff(frame[order]) == 0)
    check.refuse(twice, lambda i: f"track {track[i]} is there twice in frame {frame[i]}; a cell is in one place.")
    y, x = _positions(df, check, pixel_size_um, unit)
    parent = check.whole(df, "parent_id", blank=0) if "parent_id" in df.columns else np.zeros(len(df), dtype=np.int64)
    _check_parents(check, track, frame, parent)
    known_type = "cell_type" in df.columns
    return {
        "track_id": track,
        "parent_id": _one_parent(track, parent),
        "frame": frame,
        "page": pages,
        "time_min": np.asarray(time_min, dtype=np.float64)[pages],
        "label": check.whole(df, "label", blank=0) if "label" in df.columns else np.zeros(len(df), dtype=np.int64),
        "y": y,
        "x": x,
        "cell_type": df["cell_type"].fillna(population).astype(str).to_numpy(object) if known_type else None,
    }


def _positions(df, check, pixel_size_um, sample_unit):
    """Positions in px; as they stand in um where the whole sample is in um and nothing of it has pixels."""
    for unit in ("um", "px"):
        if f"y_{unit}" in df.columns and f"x_{unit}" in df.columns:
            break
    else:
        raise InputDefect(
            f"The columns are {', '.join(map(str, df.columns))}; expected positions as y_um and x_um, or y_px and x_px.",
            file=check.file,
            todo="Add or rename them.",
        )
    y, x = check.finite(df, f"y_{unit}"), check.finite(df, f"x_{unit}")
    if unit == "px" or (pixel_size_um is None and sample_unit == "um"):
        return y, x
    if pixel_size_um is None:
        raise InputDefect(
            "Positions are in um (y_um, x_um), but the pixel size of this sample is unknown.",
            file=check.file,
            todo="Give pixel_size_um in the sample sheet, or positions as y_px and x_px.",
        )
    return y / pixel_size_um, x / pixel_size_um


def _check_parents(check, track, frame, parent):
    ids, inverse = np.unique(track, return_inverse=True)
    begins = np.full(len(ids), np.iinfo(np.int64).max)
    np.minimum.at(begins, inverse, frame)
    place = np.minimum(np.searchsorted(ids, parent), len(ids) - 1)
    known = (parent == 0) | (ids[place] == parent)
    check.refuse(~known, lambda i: f"parent_id of track {track[i]} is {parent[i]}, and there is no such track.")
    before = (parent == 0) | (begins[place] < begins[inverse])
    check.refuse(
        ~before, lambda i: f"track {track[i]} has the mother {parent[i]}, which begins later or in the same frame; a mother comes first."
    )
    most, least = np.zeros(len(ids), dtype=np.int64), np.full(len(ids), np.iinfo(np.int64).max)
    stated = parent > 0
    np.maximum.at(most, inverse[stated], parent[stated])
    np.minimum.at(least, inverse[stated], parent[stated])
    two = stated & (most[inverse] != least[inverse])
    check.refuse(two, lambda i: f"track {track[i]} has the mothers {least[inverse[i]]} and {most[inverse[i]]}; expected one.")


def _one_parent(track, parent):
    """The parent on every row of a track, also where only its first row names it."""
    ids, inverse = np.unique(track, return_inverse=True)
    most = np.zeros(len(ids), dtype=np.int64)
    np.maximum.at(most, inverse, parent)
    return most[inverse]


class _Checker:
    """Reads columns and refuses rows by file and number."""

    def __init__(self, file, row):
        self.file, self.row = file, row

    def refuse(self, bad, sentence):
        bad = np.flatnonzero(bad)
        if len(bad):
            more = f" {len(bad) - 1} more rows have the same defect." if len(bad) > 1 else ""
            raise InputDefect(sentence(bad[0]) + more, file=self.file, row=int(self.row[bad[0]]), todo="Mend the row or leave it out.")

    def numbers(self, df, column):
        import pandas as pd

        if column not in df.columns:
            raise InputDefect(
                f"The column {column} is absent; there are {', '.join(map(str, df.columns))}.",
                file=self.file,
                todo="Add it, or rename the column that holds it.",
            )
        values = pd.to_numeric(df[column], errors="coerce").to_numpy(np.float64)
        text = np.isnan(values) & df[column].notna().to_numpy()
        raw = df[column].to_numpy()
        self.refuse(text, lambda i: f"{column} is {raw[i]!r}; expected a number.")
        return values

    def finite(self, df, column):
        values = self.numbers(df, column)
        self.refuse(~np.isfinite(values), lambda i: f"{column} is {values[i]}; expected a finite number.")
        return values

    def whole(self, df, column, blank=None):
        values = self.numbers(df, column)
        if blank is not None:
            values = np.where(np.isnan(values), blank, values)
        self.refuse(
            ~np.isfinite(values) | (values != np.floor(values)) | (values < 0) | (values > 2**53),
            lambda i: f"{column} is {values[i]:g}; expected a whole number from 0.",
        )
        return values.astype(np.int64)


def labels_at(labels, objects, y, x):
    """Labels under positions on one page: the pixel's, else that of the nearest object whose disc of equal area reaches there.

    labels   (Y, X) integers; objects  Objects of this page
    y, x     (n,) px
    Returns  (n,) int64, 0 = none; a label is given to one position only (the nearest to its centroid)
    """
    found = np.zeros(len(y), dtype=np.int64)
    if not len(y) or not len(objects):
        return found
    row, column = np.rint(y).astype(np.int64), np.rint(x).astype(np.int64)
    inside = (row >= 0) & (row < labels.shape[0]) & (column >= 0) & (column < labels.shape[1])
    found[inside] = np.maximum(labels[row[inside], column[inside]], 0)
    distance = np.hypot(objects.y[None, :] - y[:, None], objects.x[None, :] - x[:, None])
    nearest = distance.argmin(axis=1)
    reach = np.sqrt(objects.area[nearest] / np.pi)
    off = (found == 0) & (distance[np.arange(len(y)), nearest] <= reach)
    found[off] = objects.label[nearest[off]]
    place = {int(label): k for k, label in enumerate(objects.label)}
    to_own = np.array([distance[i, place[int(found[i])]] if found[i] else np.inf for i in range(len(y))])
    taken = set()
    for i in np.argsort(to_own, kind="stable"):
        if found[i] and int(found[i]) in taken:
            found[i] = 0
        taken.add(int(found[i]))
    return found
