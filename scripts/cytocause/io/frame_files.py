"""The files of a movie that comes in several, and which frame (and channel) each of them holds.

    run2_t008.tif  run2_t009.tif  run2_t011.tif      -->  frames 0, 1, 3 (frame 2 was dropped)
    t1_c1.tif  t1_c2.tif  t2_c1.tif  t2_c2.tif       -->  2 frames of 2 channels

Names must be alike but for the number that counts the frames, and a second one after c, ch, channel, w or wv for channels.
"""

import math
import re
from pathlib import Path

from cytocause.io.errors import InputDefect

_SUFFIXES = (".tif", ".tiff", ".btf", ".tf8", ".stk", ".lsm")
_ADVICE = "Name the frames alike, with one number that counts them, for instance frame_0001.tif."
_CHANNEL_MARK = re.compile(r"(^|[^a-z])(c|ch|channel|w|wv)[_-]?$", re.IGNORECASE)


def arrange(files):
    """Which file holds which frame.

    files : list of paths

    Returns (numbers, rows): the frame numbers in order, from 0 in steps of 1 (numbers in even steps, 0, 10, 20, 40, are
    divided by the step; a gap is a dropped frame), and for each a list of its files, one per channel (one if the channels
    are not in the names). Raises InputDefect when the names do not tell.
    """
    names = [Path(path).name for path in files]
    groups = [re.findall(r"\d+", Path(name).stem) for name in names]
    skeletons = {re.sub(r"\d+", "#", Path(name).stem) for name in names}
    folder = Path(files[0]).parent
    if len(skeletons) > 1:
        a, b = sorted(skeletons)[:2]
        raise InputDefect(
            f"The names of the frames differ in more than a number ({a!r} and {b!r}, # for a number).",
            file=folder,
            todo=_ADVICE,
        )
    varying = [k for k in range(len(groups[0])) if len({int(g[k]) for g in groups}) > 1]
    before = re.split(r"\d+", Path(names[0]).stem)
    channel = [k for k in varying if len(varying) == 2 and _CHANNEL_MARK.search(before[k])]
    time = [k for k in varying if k not in channel]
    if len(time) != 1 or len(channel) > 1:
        what = "in no number" if not varying else f"in {len(varying)} numbers"
        raise InputDefect(
            f"The names of the {len(files)} frames differ {what} ({names[0]!r}, {names[-1]!r}), expected one.",
            file=folder,
            todo=_ADVICE,
        )
    found = {}
    for path, group in zip(files, groups):
        key = (int(group[time[0]]), int(group[channel[0]]) if channel else 0)
        if key in found:
            raise InputDefect(f"Two frames carry the number {key[0]}.", file=folder, todo=_ADVICE)
        found[key] = path
    numbers = sorted({number for number, _ in found})
    channels = sorted({c for _, c in found})
    for number in numbers:
        for c in channels:
            if (number, c) not in found:
                raise InputDefect(
                    f"Frame {number} has no file for channel {c}; other frames have channels "
                    f"{', '.join(map(str, channels))}.",
                    file=folder,
                    todo="Complete the frame, or leave it out (it then counts as dropped).",
                )
    step = math.gcd(*(number - numbers[0] for number in numbers)) or 1
    rows = [[found[number, c] for c in channels] for number in numbers]
    return [(number - numbers[0]) // step for number in numbers], rows


def files_of(paths):
    """The files of a movie: paths as given, folders replaced by the TIFF files in them, in natural order."""
    paths = [paths] if isinstance(paths, (str, Path)) else list(paths)
    if not paths:
        raise InputDefect("No movie is given.", todo="Write its path in the column movie of the sample sheet.")
    files = []
    for path in map(Path, paths):
        if path.is_dir():
            inside = [p for p in path.iterdir() if p.suffix.lower() in _SUFFIXES and not p.name.startswith(".")]
            if not inside:
                raise InputDefect(
                    "The folder holds no TIFF file.", file=path, todo="Convert the frames to TIFF (.tif, .tiff)."
                )
            files += inside
        else:
            files.append(path)
    return sorted(files, key=_natural)


def _natural(path):
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", str(path))]
