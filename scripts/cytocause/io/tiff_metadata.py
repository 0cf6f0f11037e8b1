"""What a TIFF says about itself: pixel size, times, channel names. OME first, then ImageJ; nothing is guessed.

A value whose unit is missing or is "pixel" is no value: a pixel size in unknown units is unknown.
"""

import itertools
import re
import xml.etree.ElementTree as ET

# to micrometres; ImageJ writes the micro sign escaped or in Latin-1, OME as U+00B5
_LENGTH_UM = {
    **dict.fromkeys(["um", "µm", "μm", "micron", "microns", "micrometer", "micrometre", "\\u00b5m", "\\u03bcm"], 1.0),
    **dict.fromkeys(["nm", "nanometer", "nanometre"], 1e-3),
    **dict.fromkeys(["mm", "millimeter", "millimetre"], 1e3),
    **dict.fromkeys(["cm", "centimeter", "centimetre"], 1e4),
    **dict.fromkeys(["m", "meter", "metre"], 1e6),
    **dict.fromkeys(["inch", "in"], 25400.0),
    **dict.fromkeys(["å", "angstrom"], 1e-4),
}
_TIME_MIN = {
    **dict.fromkeys(["ms", "msec", "millisecond", "milliseconds"], 1 / 60000),
    **dict.fromkeys(["s", "sec", "second", "seconds"], 1 / 60),
    **dict.fromkeys(["min", "minute", "minutes"], 1.0),
    **dict.fromkeys(["h", "hr", "hour", "hours"], 60.0),
    **dict.fromkeys(["d", "day", "days"], 1440.0),
}


def read_metadata(tiff, axes, n_frames, n_channels):
    """pixel_size_um, frame_interval_min, time_min (per frame) and channel_names of an open TiffFile; None if not said.

    A file whose pixels are not square gives no pixel size but `pixel_size_xy_um`, for prepare to refuse.
    """
    found = {"pixel_size_um": None, "frame_interval_min": None, "time_min": None, "channel_names": None}
    if tiff.is_ome and tiff.ome_metadata:
        found |= _ome(tiff.ome_metadata, n_frames, n_channels)
    elif tiff.is_imagej and tiff.imagej_metadata:
        found |= _imagej(tiff)
    return found


def length_um(value, unit):
    """A length in micrometres, None when the unit is not one of length (a pixel has none)."""
    factor = _LENGTH_UM.get(str(unit).strip().lower())
    return None if factor is None or not value or value <= 0 else float(value) * factor


def time_min(value, unit):
    """A time in minutes, None when the unit is not one of time."""
    factor = _TIME_MIN.get(str(unit).strip().lower())
    return None if factor is None or value is None else float(value) * factor


def _ome(xml, n_frames, n_channels):
    root = ET.fromstring(xml if isinstance(xml, bytes) else xml.encode("utf-8"))
    pixels = next((e for e in root.iter() if _tag(e) == "Pixels"), None)
    if pixels is None:
        return {}
    found = {}
    sizes = [length_um(_number(pixels, f"PhysicalSize{a}"), pixels.get(f"PhysicalSize{a}Unit", "um")) for a in "XY"]
    found |= _pixel_size(*sizes)
    step = time_min(_number(pixels, "TimeIncrement"), pixels.get("TimeIncrementUnit", "s"))
    found["frame_interval_min"] = step if step and step > 0 else None
    names = [e.get("Name") for e in pixels if _tag(e) == "Channel"]
    if len(names) == n_channels and all(names):
        found["channel_names"] = names
    found["time_min"] = _plane_times(pixels, n_frames)
    return found


def _plane_times(pixels, n_frames):
    """Time of each frame from the DeltaT of its first channel's plane, relative to the first frame; None if any lacks."""
    times = {}
    for plane in (e for e in pixels if _tag(e) == "Plane"):
        delta = time_min(_number(plane, "DeltaT"), plane.get("DeltaTUnit", "s"))
        key = (int(plane.get("TheC", 0)), int(plane.get("TheZ", 0)))
        t = int(plane.get("TheT", 0))
        if delta is not None and (t not in times or key < times[t][0]):
            times[t] = (key, delta)
    if n_frames < 2 or sorted(times) != list(range(n_frames)):
        return None
    values = [times[t][1] - times[0][1] for t in range(n_frames)]
    return values if all(b > a for a, b in itertools.pairwise(values)) else None


def _imagej(tiff):
    meta = tiff.imagej_metadata
    unit = str(meta.get("unit", "")).strip()
    found = {}
    tags = tiff.pages[0].tags
    sizes = []
    for name, own in (("XResolution", "unit"), ("YResolution", "yunit")):
        tag = tags.get(name)
        value = None
        if tag is not None and tag.value and tag.value[0]:
            value = tag.value[1] / tag.value[0]
        sizes.append(length_um(value, str(meta.get(own, unit))))
    found |= _pixel_size(*sizes)
    step = meta.get("finterval")
    step = time_min(step, meta.get("tunit", "s")) if isinstance(step, (int, float)) else None
    found["frame_interval_min"] = step if step and step > 0 else None
    return found


def _pixel_size(x, y):
    if x is None or y is None:
        return {"pixel_size_um": x if y is None else y}
    if abs(x - y) > 0.01 * max(x, y):
        return {"pixel_size_um": None, "pixel_size_xy_um": (x, y)}
    return {"pixel_size_um": x}


def _tag(element):
    return element.tag.rsplit("}", 1)[-1]


def _number(element, name):
    text = element.get(name)
    if text is None or not re.fullmatch(r"\s*[-+]?[0-9.]+([eE][-+]?\d+)?\s*", text):
        return None
    return float(text)
