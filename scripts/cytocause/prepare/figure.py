"""The quality figure: what the movie looks like, and when something happened to it.

    first | middle | last frame     one row a channel, one grey scale for the whole movie
    ---- brightness ---- time
    ---- sharpness  ---- time       red: flagged frames, grey: dropped frames
    ---- drift      ---- time
"""

import numpy as np

_COLOURS = ("#0b6e99", "#c9541b", "#4f7a28", "#7a3e9d")
_PLAIN = {"empty": "empty", "gap_before": "frames dropped before", "shifted": "image shifted"}


def draw_quality(facts, quality, frame):
    """The figure of a sample with a movie.

    facts : dict of movie.json; quality : the quality table
    frame : function (page, channel number) -> (height, width) array
    """
    from matplotlib.figure import Figure

    channels = facts["channels"]
    n = len(channels)
    figure = Figure(figsize=(9, 2.75 * n + 6.6), dpi=100, layout="constrained")
    grid = figure.add_gridspec(n + 3, 3, height_ratios=[1.45] * n + [0.8] * 3)
    figure.suptitle(_title(facts), fontsize=11)
    pages = sorted({0, facts["n_frames"] // 2, facts["n_frames"] - 1})
    for c, channel in enumerate(channels):
        limits = facts["intensity"][channel]
        for column, page in enumerate(pages):
            axes = figure.add_subplot(grid[c, column])
            image = frame(page, c)
            step = max(1, max(image.shape) // 512)
            axes.imshow(image[::step, ::step], cmap="gray", vmin=limits["low"], vmax=limits["high"])
            axes.set_xticks([])
            axes.set_yticks([])
            which = ("first", "middle", "last")[column] if len(pages) == 3 else ("first", "last")[column]
            axes.set_title(f"{which} frame ({facts['frames'][page]}), {_clock(facts['time_min'][page])}", fontsize=9)
            if column == 0:
                axes.set_ylabel(channel, fontsize=10)
    time, unit = _time_axis(facts)
    panels = [
        ("mean", "Brightness\n(mean grey value)"),
        ("focus", "Sharpness\n(falls when out of focus)"),
    ]
    first = None
    for k, (name, label) in enumerate(panels):
        axes = figure.add_subplot(grid[n + k, :], sharex=first)
        first = first or axes
        for c, channel in enumerate(channels):
            values = quality[f"{name}_{channel}"].to_numpy()
            axes.plot(time, values, color=_COLOURS[c], lw=1.2, marker=".", ms=3, label=channel)
        axes.set_ylabel(label, fontsize=9)
        values = quality[[f"{name}_{channel}" for channel in channels]].to_numpy()
        axes.set_ylim(0 if values.min() >= 0 else None, 1.3 * values.max() if values.max() > 0 else None)
        if k == 0 and n > 1:
            axes.legend(fontsize=8, frameon=False, ncols=n, loc="upper right")
        _mark(axes, time, quality)
    axes = figure.add_subplot(grid[n + 2, :], sharex=first)
    for name, label, colour in (("drift_y_px", "down", "#333333"), ("drift_x_px", "right", "#999999")):
        axes.plot(time, quality[name], lw=1.2, color=colour, label=label)
    largest = float(np.abs(quality[["drift_y_px", "drift_x_px"]].to_numpy()).max(initial=0))
    axes.set_ylim(-max(1.0, 1.15 * largest), max(1.4, 1.5 * largest))
    axes.legend(fontsize=8, frameon=False, ncols=2, loc="upper right")
    axes.set_ylabel("Drift of the image\n(pixels, against the first)", fontsize=9)
    axes.set_xlabel(f"Time ({unit})", fontsize=9)
    _mark(axes, time, quality)
    figure.supxlabel(_summary(quality), fontsize=9, color="#a01616" if (quality["flag"] != "").any() else "#333333")
    return figure


def draw_note(facts, text):
    """The figure of a sample without a movie: what is known about it, in words."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 2), dpi=100)
    figure.text(0.04, 0.72, _title(facts), fontsize=11)
    figure.text(0.04, 0.3, text, fontsize=9, wrap=True)
    return figure


def _title(facts):
    if not facts["n_frames"]:
        return facts["sample"]
    pixel = f"{facts['pixel_size_um']:g} um a pixel" if facts["pixel_size_um"] else "pixel size unknown"
    if facts["unit"] == "um" and not facts["pixel_size_um"]:
        pixel = "positions in um"
    size = f" of {facts['width']} x {facts['height']} px" if facts["height"] else ""
    every = f"one every {facts['frame_interval_min']:g} min" if facts["frame_interval_min"] else ""
    return f"{facts['sample']}: {facts['n_frames']} frames{size}, {every}, {pixel}"


def _time_axis(facts):
    minutes = np.array(facts["time_min"])
    return (minutes / 60, "hours") if minutes[-1] > 180 else (minutes, "minutes")


def _clock(minutes):
    hours, rest = divmod(round(minutes), 60)
    return f"{hours} h {rest:02d} min" if hours else f"{minutes:g} min"


def _mark(axes, time, quality):
    """Red bands on flagged frames, grey ones over dropped frames; thin steps of the axes left as they are."""
    half = np.median(np.diff(time)) / 2 if len(time) > 1 else 0.5
    for page, flag in enumerate(quality["flag"]):
        words = [word for word in flag.split(",") if word]
        if "gap_before" in words:
            axes.axvspan(time[page - 1] + half, time[page] - half, color="#bbbbbb", alpha=0.4, lw=0)
        if any(word != "gap_before" for word in words):
            axes.axvspan(time[page] - half, time[page] + half, color="#d62728", alpha=0.2, lw=0)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def _summary(quality):
    flagged = [(int(f), _words(w)) for f, w in zip(quality["frame"], quality["flag"]) if w]
    if not flagged:
        return "No frame is flagged."
    shown = "; ".join(f"frame {frame}: {words}" for frame, words in flagged[:5])
    more = f"; and {len(flagged) - 5} more in qc.tsv" if len(flagged) > 5 else ""
    text = f"{len(flagged)} of {len(quality)} frames flagged (red: unusual, grey: dropped). {shown}{more}."
    cut = text.rfind(" ", 0, 110) if len(text) > 110 else -1
    return text if cut < 0 else f"{text[:cut]}\n{text[cut + 1 :]}"


def _words(flag):
    return ", ".join(_PLAIN.get(word, word.replace("_", " ")) for word in flag.split(","))
