"""Names of variables as a reader would say them; the column's own name is always shown beside."""

import re

PLAIN = {
    "equivalent_diameter": "diameter",
    "major_axis": "long axis",
    "minor_axis": "short axis",
    "speed_smooth": "speed (smoothed)",
    "shape_change": "change of size",
    "displacement": "net displacement",
    "path": "path length",
}
UNITS = (  # longest first
    ("_um_min", "um/min"),
    ("_px_min", "px/min"),
    ("_um2", "um²"),
    ("_px2", "px²"),
    ("_um", "um"),
    ("_px", "px"),
    ("_min", "min"),
)
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def split_unit(name):
    """("area", "um²") of "area_um2"; the unit is "" where the name has none."""
    for ending, unit in UNITS:
        if name.endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)], unit
    return name, ""


def spoken(name, conditions=()):
    """A variable as words, without its unit; conditions keep their own name."""
    if name in conditions:
        return name
    stem, _ = split_unit(name)
    match = re.fullmatch(r"n_(.+)_r([12])", stem)
    if match:
        return f"{match[1]} cells {'in contact' if match[2] == '1' else 'nearby'}"
    match = re.fullmatch(r"distance_(.+)", stem)
    if match:
        return f"distance to {match[1]} cells"
    match = re.fullmatch(r"speed_(.+)_r([12])", stem)
    if match:
        return f"relative speed of {match[1]} cells {'in contact' if match[2] == '1' else 'nearby'}"
    match = re.fullmatch(r"intensity_(mean|sd|max)_(.+)", stem)
    if match:
        what = {"mean": "mean", "sd": "unevenness of", "max": "peak"}[match[1]]
        return f"{what} {match[2]} intensity"
    return PLAIN.get(stem, stem.replace("_", " "))


def unit_of(name, conditions=(), units=None):
    """Unit of a variable for a reader: the table's own where it says one, otherwise that in its name; "" for none."""
    if name in conditions:
        return ""
    own = (units or {}).get(name) or ""
    return {"um2": "um²", "px2": "px²"}.get(own, own) or split_unit(name)[1]


def halves(words, longest=22):
    """Words in one line, or in two of about the same length where one is too long."""
    if len(words) <= longest or " " not in words:
        return [words]
    cuts = [i for i, letter in enumerate(words) if letter == " "]
    cut = min(cuts, key=lambda i: abs(i - len(words) / 2))
    return [words[:cut], words[cut + 1 :]]


def with_unit(name, conditions=(), units=None):
    """A variable as words with its unit in brackets."""
    unit = unit_of(name, conditions, units)
    return f"{spoken(name, conditions)} ({unit})" if unit else spoken(name, conditions)


def counted(n, noun, plural=None):
    """ "1 chip", "8 chips", "1,204 cells"."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def events_of(name):
    """ "deaths", "divisions"; "apoptosis events" where an s would not do."""
    return f"{name} events" if name.endswith("s") else f"{name}s"


def number_word(n):
    """Small numbers as words: "eight"; larger ones in digits."""
    return NUMBERS[n] if 0 <= n < len(NUMBERS) else f"{n:,}"


def listed(items):
    """ "a, b and c"."""
    items = list(items)
    return " and ".join(filter(None, [", ".join(items[:-1]), items[-1] if items else ""]))


def short(value, digits=3):
    """A number for a reader: 3 significant digits, no exponent for everyday sizes, "–" for none."""
    if value is None or value != value:  # noqa: PLR0124 - NaN
        return "–"
    value = float(value)
    if value == 0:
        return "0"
    if value == int(value) and abs(value) < 1e7:
        return f"{int(value):,}"
    if 1e-3 <= abs(value) < 1e5:
        return f"{value:,.{max(0, digits - 1 - _exponent(value))}f}"
    return f"{value:.{digits - 1}e}"


def _exponent(value):
    exponent, value = 0, abs(value)
    while value >= 10:
        exponent, value = exponent + 1, value / 10
    while value < 1:
        exponent, value = exponent - 1, value * 10
    return exponent
