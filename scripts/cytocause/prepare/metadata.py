"""Pixel size and times: what the sample sheet says against what the file says.

    sheet   file    result
    a       -       a
    -       b       b
    a       b       a if they agree within 1 %, else a defect that names both
    -       -       a defect that says what to write
    unknown any     none: lengths stay in pixels (never guessed)
"""

import math

import numpy as np

from cytocause.io import InputDefect

TOLERANCE = 0.01  # relative; above rounding in metadata, below any two objectives or cameras
JITTER = 0.05  # relative; the median step of measured times against the nominal interval
ON_GRID = 0.25  # of an interval: a measured time this near to the grid belongs to it


def settle_pixel_size(given, found, *, file=None, needed=True):
    """Pixel size in um, or None for unknown.

    given  : the sheet's value: a number, "unknown", or None / "" / NaN for none
    found  : the file's value, or None
    needed : False when nothing is in pixels (tracks given in um): then neither is no defect

    Raises InputDefect on a conflict and when neither is there.
    """
    if str(given).strip().lower() == "unknown":
        return None
    given = number(given, "pixel_size_um", "a number in um, or unknown")
    if given is None and found is None:
        if not needed:
            return None
        raise InputDefect(
            "The pixel size is neither in the sample sheet nor in the file's metadata.",
            file=file,
            todo="Write the size of a pixel in um in the column pixel_size_um of the sample sheet, or the word unknown "
            "(lengths are then in pixels).",
        )
    if given is not None and found is not None and abs(given - found) > TOLERANCE * max(given, found):
        raise InputDefect(
            f"The pixel size is {given:g} um in the sample sheet, but {found:g} um in the file's metadata.",
            file=file,
            todo="Correct pixel_size_um in the sample sheet, or leave it empty to take the file's value.",
        )
    return given if given is not None else float(found)


def settle_interval(given, found, *, file=None, needed=True):
    """Time between frames in minutes, or None when it is not needed (times are measured) and nowhere given."""
    given = number(given, "frame_interval_min", "a number in minutes")
    if given is None and found is None:
        if not needed:
            return None
        raise InputDefect(
            "The time between frames is neither in the sample sheet nor in the file's metadata.",
            file=file,
            todo="Write the minutes between two frames in the column frame_interval_min of the sample sheet, or give a "
            "table of times (frame, time_min) in the column times.",
        )
    if given is not None and found is not None and abs(given - found) > TOLERANCE * max(given, found):
        raise InputDefect(
            f"The time between frames is {given:g} min in the sample sheet, but {found:g} min in the file's metadata.",
            file=file,
            todo="Correct frame_interval_min in the sample sheet, or leave it empty to take the file's value.",
        )
    return given if given is not None else float(found)


def settle_times(numbers, *, interval, measured=None, table=None, file=None, table_file=None):
    """Frame number and time of every page, and the frame interval.

    numbers  : list of int, frame number of each page as the file names count them
    interval : minutes, or None
    measured : list of float, minutes per page from the file's metadata, or None
    table    : (frames, times) of the times table, or None; it wins over `measured`
    file, table_file : for messages

    Returns (frames list of int from 0 and increasing, time_min list of float, interval in minutes).
    A dropped frame is a gap in the frame numbers. Times are kept as given, also when they are uneven.
    """
    if table is not None:
        return _from_table(numbers, interval, *table, table_file)
    if measured is not None and len(measured) > 1:
        steps = np.diff(measured)
        median = float(np.median(steps))
        if interval is not None and abs(median - interval) > JITTER * max(median, interval):
            raise InputDefect(
                f"The time between frames is {interval:g} min, but the times of the frames in the file's metadata "
                f"are {median:g} min apart (median).",
                file=file,
                todo="Correct frame_interval_min in the sample sheet, or leave it empty to take the file's times.",
            )
        interval = interval if interval is not None else median
        if numbers == list(range(len(numbers))):
            numbers = on_grid(measured, interval)
        return numbers, [float(t) for t in measured], float(interval)
    return list(numbers), [float(n) * interval for n in numbers], float(interval)


def on_grid(times, interval):
    """Frame numbers of measured times: dropped frames are gaps; times that fit no grid are numbered one by one.

    Steps are rounded, not times: a true interval of 10.02 min must not look like a dropped frame after 500.
    """
    steps = np.diff(times) / interval
    whole = np.maximum(np.rint(steps), 1)
    if (np.abs(steps - whole) > ON_GRID).any():
        return list(range(len(times)))
    return [0, *np.cumsum(whole).astype(int).tolist()]


def _from_table(numbers, interval, frames, times, file):
    frames, times = np.asarray(frames), np.asarray(times, dtype=np.float64)
    advice = "Give one row per frame: frame (0, 1, 2, ...; a number left out is a dropped frame) and time_min."
    if not np.isfinite(times).all():
        row = int(np.flatnonzero(~np.isfinite(times))[0]) + 2
        raise InputDefect("A time is missing or is not a number.", file=file, row=row, todo=advice)
    if (frames != np.floor(frames)).any() or (np.diff(frames) <= 0).any() or (len(frames) and frames[0] < 0):
        raise InputDefect("The frames are not whole numbers in increasing order from 0.", file=file, todo=advice)
    if (np.diff(times) <= 0).any():
        row = int(np.flatnonzero(np.diff(times) <= 0)[0]) + 3
        raise InputDefect("The times do not increase from frame to frame.", file=file, row=row, todo=advice)
    frames = frames.astype(int)
    n = len(numbers)
    if len(frames) != n:  # a row for every frame of the grid, also for those that were dropped
        at = {frame: time for frame, time in zip(frames.tolist(), times.tolist())}
        if not set(numbers) <= set(at) or numbers == list(range(n)):
            raise InputDefect(
                f"The table has {len(frames)} times, but the movie has {n} frames.", file=file, todo=advice
            )
        frames, times = np.array(numbers), np.array([at[number] for number in numbers])
    elif numbers != list(range(n)) and frames.tolist() != list(range(n)) and frames.tolist() != list(numbers):
        raise InputDefect(
            "The frame numbers of the table differ from those in the names of the frames.", file=file, todo=advice
        )
    elif frames.tolist() == list(range(n)):
        frames = np.array(numbers)
    frames = frames - frames[0]
    median = float(np.median(np.diff(times) / np.diff(frames))) if n > 1 else None
    if interval is not None and median is not None and abs(median - interval) > 0.5 * max(median, interval):
        raise InputDefect(
            f"The time between frames is {interval:g} min, but the table's times are {median:g} min apart (median).",
            file=file,
            todo="Correct frame_interval_min in the sample sheet, or the table (its times are in minutes).",
        )
    interval = interval if interval is not None else median
    times = times - times[0]
    return frames.tolist(), times.tolist(), interval


def number(value, name, expected):
    """A positive number from a cell of the sheet, None when it is blank; InputDefect naming the column otherwise."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        result = float(value)
    except (TypeError, ValueError):
        result = math.inf
    if math.isnan(result) and not isinstance(value, str):
        return None
    if not (0 < result < math.inf):
        raise InputDefect(
            f"The column {name} of the sample sheet holds {value!r}; expected {expected}.",
            todo=f"Correct {name} in the sample sheet.",
        )
    return result
