"""Small pieces of SVG: scales, ticks, axes. Text only; colours come from the page's style sheet through class names."""

from html import escape
from math import floor, isfinite, log10


def esc(text):
    """Text that is safe between tags and in attributes."""
    return escape(str(text), quote=True)


def num(value):
    """A coordinate: two decimals at most, no trailing zeros."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def svg(width, height, parts, label, css=""):
    """An inline SVG picture; `label` is read aloud and shown on hover by some readers."""
    body = "".join(parts)
    return (
        f'<svg class="{css}" viewBox="0 0 {num(width)} {num(height)}" width="{num(width)}" height="{num(height)}" '
        f'role="img" aria-label="{esc(label)}">{body}</svg>'
    )


def text(x, y, words, css="", anchor="start", extra=""):
    """Words at (x, y) px; `anchor`: start | middle | end."""
    return f'<text x="{num(x)}" y="{num(y)}" class="{css}" text-anchor="{anchor}" {extra}>{esc(words)}</text>'


def line(x1, y1, x2, y2, css="", extra=""):
    """A straight line between two points in px."""
    return f'<line x1="{num(x1)}" y1="{num(y1)}" x2="{num(x2)}" y2="{num(y2)}" class="{css}" {extra}/>'


def path(points, css="", extra=""):
    """A broken line; points that are not finite interrupt it."""
    pieces, pen = [], "M"
    for x, y in points:
        if isfinite(x) and isfinite(y):
            pieces.append(f"{pen}{num(x)} {num(y)}")
            pen = "L"
        else:
            pen = "M"
    return f'<path d="{"".join(pieces)}" class="{css}" fill="none" {extra}/>' if pieces else ""


def band(xs, low, high, css="", extra=""):
    """A closed band between two lines, over the finite points only."""
    good = [(x, a, b) for x, a, b in zip(xs, low, high) if isfinite(a) and isfinite(b)]
    if len(good) < 2:
        return ""
    points = [(x, b) for x, _, b in good] + [(x, a) for x, a, _ in reversed(good)]
    return f'<polygon points="{" ".join(f"{num(x)},{num(y)}" for x, y in points)}" class="{css}" {extra}/>'


def scale(low, high, start, end):
    """A function from [low, high] to [start, end]."""
    span = (high - low) or 1.0

    def place(value):
        return start + (value - low) / span * (end - start)

    return place


def limits(values, pad=0.06, include=()):
    """(low, high) that hold all finite values with a margin; (0, 1) when there are none."""
    known = [float(v) for v in [*values, *include] if v is not None and isfinite(v)]
    if not known:
        return 0.0, 1.0
    low, high = min(known), max(known)
    margin = (high - low) * pad or abs(high) * 0.1 or 1.0
    return low - margin, high + margin


def ticks(low, high, wanted=4):
    """Round numbers within [low, high]."""
    if not high > low:
        return [low]
    rough = (high - low) / max(1, wanted)
    power = 10.0 ** floor(log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.999)
    first = -floor(-low / step)
    values = []
    while first * step <= high + 1e-9 * step:
        values.append(first * step)
        first += 1
    return values


def tick_text(value):
    """The number at a tick."""
    return f"{value:.6g}"


def y_axis(place, low, high, left, right, title="", wanted=4):
    """Horizontal grid lines with numbers at the left, and the title above."""
    parts = []
    for value in ticks(low, high, wanted):
        y = place(value)
        parts.append(line(left, y, right, y, "grid"))
        parts.append(text(left - 6, y + 4, tick_text(value), "tick", "end"))
    if title:
        parts.append(text(left - 36, 12, title, "axis"))
    return parts
