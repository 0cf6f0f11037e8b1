"""The facts of one sample, `movie.json`, and its quality table, with a movie and without."""

import numpy as np
import pandas as pd

from cytocause.io import SCHEMA, SCHEMA_VERSION, InputDefect
from cytocause.prepare import extent
from cytocause.prepare.metadata import settle_interval, settle_pixel_size, settle_times
from cytocause.prepare.survey import judge, survey


def from_movie(movie, cfg, *, labels=None, times=None, pages=None):
    """Check and survey a movie.

    movie  : Movie
    cfg    : section prepare with "sample" and "row" (the sheet's fields)
    labels : dict {file name: Labels} given beside the movie, or None
    times  : (file name, DataFrame with frame, time_min), or None
    pages  : iterator over page numbers (for progress), or None

    Returns (facts dict for movie.json, quality DataFrame, survey dict, warnings list of str). Raises InputDefect.
    """
    row, said = cfg["row"], movie.metadata
    file = said["source"][0]
    if movie.n_frames < 2:
        raise InputDefect(
            f"The movie has one frame only (axes {said['axes']}, {movie.n_channels} channels).",
            file=file,
            todo="A time lapse is needed; if the file holds several frames, say so in the column axes, for instance TYX.",
        )
    for name, stack in (labels or {}).items():
        extent.check_same_extent(movie, stack, file, name)
    warnings = []
    if said.get("pixel_size_xy_um") and not row.get("pixel_size_um"):
        x, y = said["pixel_size_xy_um"]
        raise InputDefect(
            f"The pixels are not square: {x:g} um wide, {y:g} um high in the file's metadata.",
            file=file,
            todo="Resample the movie to square pixels, or write the right pixel_size_um in the sample sheet.",
        )
    pixel = settle_pixel_size(row.get("pixel_size_um"), said["pixel_size_um"], file=file)
    if pixel is None:
        warnings.append("The pixel size is unknown: lengths are in pixels (columns end in _px).")
        if said["pixel_size_um"]:
            warnings.append(f"The file's metadata gives a pixel size of {said['pixel_size_um']:g} um; the sheet's unknown wins.")
    frames, time_min, interval = _times(row, said, movie.frame_numbers, times, file)
    found = survey(movie, cfg, pages=pages)
    words = judge(found, frames=frames, cfg=cfg)
    facts = {
        **_common(cfg, frames, time_min, interval, pixel, unit="um" if pixel else "px"),
        "source": said["source"],
        "axes": said["axes"],
        "height": movie.height,
        "width": movie.width,
        "channels": list(movie.channel_names),
        "dtype": str(movie.dtype),
        "intensity": found["intensity"],
        "drift_px": np.round(found["drift_px"], 3).tolist(),
        "has_movie": True,
    }
    return facts, _quality(facts, found, words), found, warnings + _warn(words, facts, found)


def from_labels(stacks, cfg, *, times=None):
    """The facts of a sample that enters at its label stacks ({file name: Labels}); as from_movie."""
    found = extent.of_labels(stacks)
    first, name = next(iter(stacks.values())), next(iter(stacks))
    if len(found["frames"]) < 2:
        raise InputDefect("The label stack has one frame only.", file=name, todo="A time lapse is needed.")
    row, said = cfg["row"], first.metadata
    pixel = settle_pixel_size(row.get("pixel_size_um"), said["pixel_size_um"], file=name)
    frames, time_min, interval = _times(row, said, found["frames"], times, name)
    return _without_movie(cfg, frames, time_min, interval, pixel, "um" if pixel else "px", found)


def from_tables(tables, cfg, *, times=None):
    """The facts of a sample that enters at its tables ({file name: DataFrame}); as from_movie.

    A table may hold several samples: with a column `sample` only this one's rows say how long and how wide it is.
    """
    row = cfg["row"]
    tables = {name: table[table["sample"].astype(str) == cfg["sample"]] if "sample" in table else table for name, table in tables.items()}
    in_um = all("y_um" in table for table in tables.values())
    pixel = settle_pixel_size(row.get("pixel_size_um"), None, file=next(iter(tables)), needed=not in_um)
    found = extent.of_tables(tables, pixel)
    frames = found["frames"]
    if len(frames) < 2:
        raise InputDefect("The tables have one frame only.", file=next(iter(tables)), todo="A time lapse is needed.")
    if times is None and found["time_min"]:
        interval = settle_interval(row.get("frame_interval_min"), None, needed=False)
        time_min, interval = extent.fill_times(found["time_min"], len(frames), interval)
    else:
        said = {"frame_interval_min": None, "time_min": None}
        frames, time_min, interval = _times(row, said, frames, times, next(iter(tables)))
    unit = "um" if pixel or found["unit_of_tables"] == "um" else "px"
    return _without_movie(cfg, frames, time_min, interval, pixel, unit, found)


def empty_facts(cfg):
    """movie.json of a failed sample: every key, nothing in it."""
    common = _common(cfg, [], [], None, None, unit="px")
    return {**common, **_NO_MOVIE, "height": 0, "width": 0, "drift_px": []}


def empty_quality():
    """The quality table of a failed sample."""
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in _QUALITY.items()})


_NO_MOVIE = {"source": [], "axes": None, "channels": [], "dtype": None, "intensity": {}, "has_movie": False}
_QUALITY = {
    "page": "int32",
    "frame": "int32",
    "time_min": "float64",
    "drift_y_px": "float64",
    "drift_x_px": "float64",
    "flag": "object",
}


def _common(cfg, frames, time_min, interval, pixel, *, unit):
    return {
        SCHEMA: SCHEMA_VERSION,
        "sample": cfg["sample"],
        "n_frames": len(frames),
        "frames": frames,
        "time_min": time_min,
        "frame_interval_min": interval,
        "pixel_size_um": pixel,
        "unit": unit,
        "has_truth": bool(cfg["row"].get("simulate")),
    }


def _times(row, said, numbers, times, file):
    """Frames, times and interval from the sheet, the file and the times table."""
    measured = said.get("time_min")
    given = row.get("frame_interval_min")
    interval = settle_interval(given, said["frame_interval_min"], file=file, needed=times is None and measured is None)
    table_file, table = times if times is not None else (None, None)
    if table is not None:
        missing = [name for name in ("frame", "time_min") if name not in table]
        if missing:
            raise InputDefect(
                f"The table of times has no column {' and no column '.join(missing)}.",
                file=table_file,
                todo="Give one row per frame with the columns frame and time_min.",
            )
        values = [pd.to_numeric(table[name], errors="coerce").to_numpy(float) for name in ("frame", "time_min")]
        table = (np.nan_to_num(values[0], nan=-1.0), values[1])
    return settle_times(
        numbers, interval=interval, measured=measured, table=table, file=file, table_file=table_file
    )


def _without_movie(cfg, frames, time_min, interval, pixel, unit, found):
    facts = {
        **_common(cfg, frames, time_min, interval, pixel, unit=unit),
        **_NO_MOVIE,
        "height": found["height"],
        "width": found["width"],
        "drift_px": [[0.0, 0.0]] * len(frames),
    }
    words = [["gap_before"] if i and frames[i] - frames[i - 1] > 1 else [] for i in range(len(frames))]
    warnings = [] if unit == "um" else ["The pixel size is unknown: lengths are in pixels (columns end in _px)."]
    return facts, _quality(facts, None, words), None, warnings + _warn(words, facts, None)


def _quality(facts, found, words):
    """One row a page: times, per channel mean, focus and saturated share, drift, flags."""
    columns = {
        "page": np.arange(facts["n_frames"], dtype=np.int32),
        "frame": np.array(facts["frames"], np.int32),
        "time_min": np.array(facts["time_min"], np.float64),
    }
    for channel in facts["channels"]:
        for name in ("mean", "focus", "saturated"):
            columns[f"{name}_{channel}"] = found["facts"][channel][name]
    drift = np.array(facts["drift_px"], np.float64).reshape(-1, 2)
    columns |= {"drift_y_px": drift[:, 0], "drift_x_px": drift[:, 1], "flag": [",".join(flag) for flag in words]}
    return pd.DataFrame(columns)


_SENTENCES = {
    "empty": "without an image (all pixels equal)",
    "dark": "darker than those around",
    "bright": "brighter than those around",
    "blurred": "less sharp than those around",
    "saturated": "with many pixels at the highest value",
    "shifted": "shifted against the frame before",
    "gap_before": "after dropped frames",
}


def _warn(words, facts, found):
    """One sentence per kind of flag, with the frames it concerns."""
    sentences = []
    if found is not None and found["empty_channels"]:
        sentences.append(f"Every frame of channel {', '.join(found['empty_channels'])} is constant: it shows nothing.")
    kinds = sorted({word for flag in words for word in flag})
    for kind in kinds:
        hit = [facts["frames"][i] for i, flag in enumerate(words) if kind in flag]
        stem = next(name for name in _SENTENCES if kind == name or kind.startswith(f"{name}_"))
        channel = f" (channel {kind[len(stem) + 1 :]})" if kind != stem else ""
        shown = ", ".join(map(str, hit[:8])) + (" ..." if len(hit) > 8 else "")
        sentences.append(f"{len(hit)} frame{'s' * (len(hit) > 1)}{channel} {_SENTENCES[stem]}: {shown}.")
    return sentences
