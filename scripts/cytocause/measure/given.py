"""A table of measurements made elsewhere: checked, brought to the sample's unit, and completed by what we compute."""

import re

import numpy as np
import pandas as pd

from cytocause.io import LEVELS, InputDefect

_KEYS = ("sample", "population", "track_id", "parent_id", "frame", "time_min", "label", "cell_type", "source", *LEVELS)


def converted_name(name, unit):
    """A column's name in `unit`, and the power of the pixel size that takes its values there (px to um: positive).

    "area_px2" in um is ("area_um2", 2), "speed_um_min" in px is ("speed_px_min", -1), "eccentricity" is itself with 0.
    """
    other = "px" if unit == "um" else "um"
    match = re.search(rf"_{other}(2?)(?=_|$)", name)
    if match is None:
        return name, 0
    power = 2 if match.group(1) else 1
    return re.sub(rf"_{other}(2?)(?=_|$)", rf"_{unit}\1", name), power if unit == "um" else -power


def merge_given(cells, given, unit, pixel_size, cfg):
    """The computed cells with the given values on top, row by row, and further numeric columns of the given table.

    cells : computed, one row per (track_id, frame); given : any order, track_id and frame and features
    unit : "um" | "px"; pixel_size : um or None
    Returns (DataFrame, warnings). Raises InputDefect: no key column, a repeated key, pixels without a pixel size.
    """
    what = f"given cells of {cfg['population']} in sample {cfg['sample']}"
    for key in ("track_id", "frame"):
        if key not in given.columns:
            raise InputDefect(
                f"The {what} have no column {key}; they have {', '.join(map(str, given.columns))}.",
                todo="Give one row per track_id and frame (from 0).",
            )
    for key in ("sample", "population"):
        if key in given.columns:
            given = given[given[key].astype(str) == str(cfg[key])]
    double = given.duplicated(["track_id", "frame"])
    if double.any():
        row = given[double].iloc[0]
        raise InputDefect(
            f"The {what} hold track {row['track_id']} twice in frame {row['frame']}; expected one row per track and frame.",
            todo="Remove the repeated row.",
        )
    warnings = []
    keys = pd.MultiIndex.from_arrays([cells["track_id"], cells["frame"]])
    given = given.set_index(["track_id", "frame"])
    strangers = ~given.index.isin(keys)
    if strangers.any():
        warnings.append(f"{int(strangers.sum())} rows of the {what} belong to no track row and are left out.")
    given = given.reindex(keys)
    out = cells.copy()
    for column in given.columns:
        if column in _KEYS or re.fullmatch(r"[yx]_(um|px)", column):
            continue
        name, power = converted_name(column, unit)
        if power and not pixel_size:
            raise InputDefect(
                f"The {what} have {column}, the sample is measured in {unit}, and its pixel size is unknown.",
                todo="Give pixel_size_um in the sample sheet, or the column in the sample's unit.",
            )
        values = pd.to_numeric(given[column], errors="coerce").to_numpy(dtype=float)
        if given[column].notna().any() and np.isnan(values).all():
            warnings.append(f"Column {column} of the {what} is not numeric and is left out.")
            continue
        values = values * float(pixel_size or 1.0) ** power
        if name not in out:
            out[name] = values
        elif name == "border":
            out[name] = np.where(np.isnan(values), out[name], values > 0).astype(bool)
        else:
            out[name] = np.where(np.isnan(values), out[name], values)
    return out, warnings
