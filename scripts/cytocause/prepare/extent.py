"""How long and how wide a sample is when it comes without a movie: from its label stacks, else from its tables."""

import numpy as np

from cytocause.io import InputDefect


def of_labels(stacks):
    """Extent of label stacks: {"frames", "height", "width"}; all stacks of a sample must agree.

    stacks : dict {file name: Labels}
    """
    named = list(stacks.items())
    first_name, first = named[0]
    for name, other in named[1:]:
        check_same_extent(first, other, first_name, name)
    return {"frames": list(first.frame_numbers), "height": first.height, "width": first.width}


def check_same_extent(first, other, first_name, other_name):
    """Raises InputDefect when two stacks (Movie or Labels) differ in size or in the number of frames."""
    a = (first.n_frames, first.height, first.width)
    b = (other.n_frames, other.height, other.width)
    if a != b:
        raise InputDefect(
            f"It has {b[0]} frames of {b[1]} x {b[2]} (height x width), but {first_name} has {a[0]} of {a[1]} x {a[2]}.",
            file=other_name,
            todo="Give files of the same movie, frame by frame and uncropped.",
        )


def of_tables(tables, pixel_size_um):
    """Extent of given tables: {"frames", "height", "width", "time_min" (None or list), "unit_of_tables"}.

    tables        : dict {file name: DataFrame with frame and y_um, x_um or y_px, x_px; time_min if there is one}
    pixel_size_um : float or None; without it the size in pixels of a table in um is not known (None)
    """
    last, units, size, times = -1, set(), np.zeros(2), {}
    for name, table in tables.items():
        if "frame" not in table:
            raise InputDefect("The table has no column frame.", file=name, todo="Name its columns as the README says.")
        unit = next((u for u in ("um", "px") if f"y_{u}" in table and f"x_{u}" in table), None)
        if unit is None:
            raise InputDefect(
                f"The table has no positions; its columns are {', '.join(map(str, table.columns))}.",
                file=name,
                todo="Name the positions y_um, x_um (micrometres) or y_px, x_px (pixels).",
            )
        units.add(unit)
        frame = _whole(table["frame"], name)
        if not len(frame):
            continue
        last = max(last, int(frame.max()))
        factor = 1.0 if unit == "px" else (1.0 / pixel_size_um if pixel_size_um else np.nan)
        size = np.maximum(size, [np.nanmax(table[f"{a}_{unit}"].to_numpy(float), initial=0) * factor for a in "yx"])
        if "time_min" in table:
            for f, t in zip(frame.tolist(), table["time_min"].to_numpy(float).tolist()):
                if np.isfinite(t) and abs(times.setdefault(f, t) - t) > 1e-3 * max(1.0, abs(t)):
                    raise InputDefect(
                        f"Frame {f} has two times ({times[f]:g} and {t:g} min).",
                        file=name,
                        todo="Give every frame one time, or leave out time_min and write frame_interval_min in the sample sheet.",
                    )
    if last < 0:
        raise InputDefect("The tables have no rows.", file=next(iter(tables), None), todo="Give at least one track.")
    known = bool(np.isfinite(size).all())
    return {
        "frames": list(range(last + 1)),
        "height": int(np.floor(size[0])) + 1 if known else None,
        "width": int(np.floor(size[1])) + 1 if known else None,
        "time_min": times or None,
        "unit_of_tables": "px" if "px" in units else "um",
    }


def fill_times(times, n_frames, interval):
    """Time of each frame 0 .. n_frames - 1 from the times of some (dict), straight between and beyond them.

    Returns (list of float from 0, interval); interval None is taken as the median step.
    """
    known = np.array(sorted(times))
    values = np.array([times[frame] for frame in known])
    if len(known) > 1:
        step = float(np.median(np.diff(values) / np.diff(known)))
        if interval is None:
            interval = step
        elif abs(step - interval) > 0.05 * max(step, interval):
            raise InputDefect(
                f"The time between frames is {interval:g} min in the sample sheet, but the table's times are {step:g} min "
                "apart (median).",
                todo="Correct frame_interval_min in the sample sheet, or leave it empty to take the table's times.",
            )
    frames = np.arange(n_frames)
    if interval is None:
        raise InputDefect(
            "The table has the time of one frame only.", todo="Write frame_interval_min in the sample sheet."
        )
    filled = np.interp(frames, known, values)
    filled = np.where(frames < known[0], values[0] - (known[0] - frames) * interval, filled)
    filled = np.where(frames > known[-1], values[-1] + (frames - known[-1]) * interval, filled)
    return (filled - filled[0]).tolist(), interval


def _whole(column, name):
    """The frames as int64; the index of the column counts the rows of its file from 0, also where some are left out."""
    frame = column.to_numpy()
    bad = ~np.isfinite(frame.astype(float)) | (frame != np.floor(frame.astype(float))) | (frame < 0)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise InputDefect(
            f"The frame {frame[row]!s} is not a whole number from 0.", file=name, row=int(column.index[row]) + 2, todo="Count frames from 0."
        )
    return frame.astype(np.int64)
