"""The page's small charts, each a function from numbers to an SVG string."""

import numpy as np

from cytocause.report import svg
from cytocause.report.names import short

LEFT, TOP, BOTTOM = 52, 26, 40


def dots(groups, y_title, *, zero=False, means=True, width=None, height=210, limits=None):
    """One dot per chip, in columns.

    Parameters
    ----------
    groups : list of (column title, list of (value, colour number, hover text))
    zero : draw a line at zero
    """
    values = [v for _, members in groups for v, _, _ in members]
    low, high = limits or svg.limits(values, include=(0,) if zero else ())
    words = max((len(line) for title, _ in groups for line in str(title).split("\n")), default=0)
    width = width or LEFT + 20 + max(48, 5.9 * words + 8, 260 // max(1, len(groups))) * len(groups)
    place = svg.scale(low, high, height - BOTTOM, TOP)
    parts = svg.y_axis(place, low, high, LEFT, width - 8, y_title)
    if zero:
        parts.append(svg.line(LEFT, place(0), width - 8, place(0), "zero"))
    step = (width - 8 - LEFT) / max(1, len(groups))
    for g, (title, members) in enumerate(groups):
        middle = LEFT + step * (g + 0.5)
        known = sorted(
            ((v, colour, hover) for v, colour, hover in members if v is not None and np.isfinite(v)), key=lambda m: m[0]
        )
        if means and known:
            mean = place(float(np.mean([v for v, _, _ in known])))
            parts.append(svg.line(middle - 22, mean, middle + 22, mean, "mean"))
        for (v, colour, hover), dx in zip(known, _spread([place(v) for v, _, _ in known])):
            parts.append(
                f'<circle cx="{svg.num(middle + dx)}" cy="{svg.num(place(v))}" r="5" class="dot c{colour}">'
                f"<title>{svg.esc(hover)}</title></circle>"
            )
        for k, words in enumerate(str(title).split("\n")):
            parts.append(svg.text(middle, height - BOTTOM + 17 + 13 * k, words, "tick", "middle"))
    return svg.svg(width, height, parts, y_title, "chart")


def _spread(heights, apart=11):
    """Sideways shifts so that dots of nearly the same height do not hide each other."""
    shifts, placed = [], []
    for y in heights:
        for k in range(len(heights)):
            dx = ((k + 1) // 2) * apart * (1 if k % 2 else -1) if k else 0
            if all(abs(y - b) > 9 or abs(dx - a) > 9 for a, b in placed):
                break
        placed.append((dx, y))
        shifts.append(dx)
    return shifts


def onset_average(average, minutes_per_step, y_title, event, lags_min, *, width=360, height=210):
    """Mean of a cause around an event's onset, with its band, the level away from events, and the edge's lags.

    average : dict of evidence.around_onset
    minutes_per_step : float, or None: the axis is in steps
    """
    per_step, unit = (minutes_per_step, "min") if minutes_per_step else (1.0, "time steps")
    times = average["steps"] * per_step
    low, high = svg.limits([*average["low"], *average["high"], *average["mean"]], include=(average["baseline"],))
    x, y = svg.scale(times[0], times[-1], LEFT, width - 10), svg.scale(low, high, height - BOTTOM, TOP)
    parts = svg.y_axis(y, low, high, LEFT, width - 10, y_title)
    parts.append(svg.line(x(0), TOP, x(0), height - BOTTOM, "onset"))
    parts.append(svg.text(x(0) + 4, TOP + 9, event, "note"))
    for lag in lags_min:
        if 0 < lag <= -times[0]:
            parts.append(svg.line(x(-lag), TOP + 8, x(-lag), height - BOTTOM, "lag"))
    if np.isfinite(average["baseline"]):
        parts.append(svg.line(LEFT, y(average["baseline"]), width - 10, y(average["baseline"]), "baseline"))
    parts.append(svg.band([x(t) for t in times], [y(v) for v in average["low"]], [y(v) for v in average["high"]], "band"))
    parts.append(svg.path([(x(t), y(v)) for t, v in zip(times, average["mean"])], "curve"))
    for t in svg.ticks(times[0], times[-1], 5):
        parts.append(svg.text(x(t), height - BOTTOM + 16, svg.tick_text(t), "tick", "middle"))
    parts.append(svg.text((LEFT + width) / 2, height - 6, f"{unit} from the onset", "axis", "middle"))
    return svg.svg(width, height, parts, f"{y_title} around the onset of {event}", "chart")


def raster(groups, end_min, *, width=900, lane=22):
    """Events of every sample over time.

    Parameters
    ----------
    groups : list of (title of the conditions, list of (sample, {"division": times, "death": times, "censored": times}))
        times in min
    """
    left = 150
    x = svg.scale(0, end_min or 1.0, left, width - 14)
    parts, y = [], 8
    for title, samples in groups:
        parts.append(svg.text(0, y + 14, title, "group"))
        y += 20
        for sample, events in samples:
            parts.append(svg.line(left, y + lane / 2, width - 14, y + lane / 2, "grid"))
            parts.append(svg.text(left - 8, y + lane / 2 + 4, sample, "tick", "end"))
            for kind, top, bottom in (("censored", 0.62, 0.95), ("division", 0.34, 0.66), ("death", 0.05, 0.45)):
                marks = "".join(
                    f"M{svg.num(x(t))} {svg.num(y + lane * top)}V{svg.num(y + lane * bottom)}" for t in events.get(kind, ())
                )
                if marks:
                    n = len(events[kind])
                    parts.append(f'<path d="{marks}" class="event {kind}"><title>{n} {kind}</title></path>')
            y += lane
        y += 8
    for t in _hours(end_min):
        parts.append(svg.line(x(t), 8, x(t), y, "faint"))
        parts.append(svg.text(x(t), y + 14, f"{t / 60:g} h", "tick", "middle"))
    return svg.svg(width, y + 24, parts, "divisions, deaths and ends of observation by sample over time", "chart wide")


def _hours(end_min):
    return [60 * h for h in svg.ticks(0, max(end_min, 1.0) / 60, 8)]


def traces(times, lines, y_title, *, width=420, height=200):
    """Time courses: thin lines per chip, a bold one per group, single cells behind.

    Parameters
    ----------
    times : (n,) hours or steps, and the unit's name: (array, str)
    lines : list of (colour number, "cell" | "chip" | "group", (n,) values)
    """
    hours, unit = times
    shown = [line for line in lines if line[1] != "cell"] or lines
    low, high = svg.limits([v for _, _, values in shown for v in values])
    x, y = svg.scale(hours[0], hours[-1], LEFT, width - 10), svg.scale(low, high, height - BOTTOM, TOP)
    parts = svg.y_axis(y, low, high, LEFT, width - 10, y_title)
    for depth in ("cell", "chip", "group"):
        for colour, kind, values in lines:
            if kind == depth:
                clipped = np.clip(values, low, high) if kind == "cell" else values
                parts.append(svg.path([(x(t), y(v)) for t, v in zip(hours, clipped)], f"trace {kind} s{colour}"))
    for t in svg.ticks(hours[0], hours[-1], 6):
        parts.append(svg.text(x(t), height - BOTTOM + 16, svg.tick_text(t), "tick", "middle"))
    parts.append(svg.text((LEFT + width) / 2, height - 6, unit, "axis", "middle"))
    return svg.svg(width, height, parts, f"{y_title} over time", "chart")


def sparkline(values, flags=(), *, width=170, height=34):
    """A word-sized line; flagged frames are red. Values may hold NaN."""
    values = np.asarray(values, dtype=float)
    known = values[np.isfinite(values)]
    if len(known) == 0:
        return ""
    low, high = float(known.min()), float(known.max())
    if high == low:
        low, high = low - 1, high + 1
    x, y = svg.scale(0, max(1, len(values) - 1), 2, width - 2), svg.scale(low, high, height - 4, 4)
    parts = [svg.path([(x(i), y(v)) for i, v in enumerate(values)], "spark")]
    for i, flag in enumerate(flags):
        if flag and i < len(values):
            at = y(values[i]) if np.isfinite(values[i]) else height / 2
            parts.append(f'<circle cx="{svg.num(x(i))}" cy="{svg.num(at)}" r="2.4" class="flagged"/>')
    label = f"from {short(float(known.min()))} to {short(float(known.max()))}"
    return svg.svg(width, height, parts, label, "spark")
