"""One frame of the overlay film: the image, mask outlines coloured by track, tails, event marks, time and scale.

    +--------------------------+
    | 3:20 h          x death  |     outlines are drawn after enlargement, so that they stay thin
    |    ,--.   o division     |     colours follow the track, so a change of colour is a change of identity
    |   ( 12 )~~~ tail         |
    | ===== 20 um              |
    +--------------------------+

Everything here is array in, array out; reading and encoding happen elsewhere.
"""

import colorsys
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

UNTRACKED = (150, 150, 150)  # outline of a mask that no track has
DEATH, DIVISION = (255, 82, 82), (255, 255, 255)
GOLDEN = 0.6180339887498949  # successive multiples spread evenly round the circle of hues
BAR_LENGTHS_UM = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


@cache
def colour_of(track):
    """Bright RGB of a track, the same in every frame and film."""
    hue = (int(track) * GOLDEN) % 1.0
    return tuple(int(255 * v) for v in colorsys.hsv_to_rgb(hue, 0.55 + 0.3 * ((int(track) // 7) % 2), 1.0))


def scale_of(height, width, smallest, largest):
    """(enlarge, shrink): whole factors, one of them 1, that bring the longer side of the film into the wanted range."""
    longer = max(height, width)
    enlarge = max(1, -(-smallest // longer))
    if longer * enlarge > largest:
        enlarge = max(1, largest // longer)
    shrink = -(-longer // largest) if enlarge == 1 else 1
    return enlarge, shrink


def resized(page, enlarge, shrink):
    """Nearest-neighbour copy of (Y, X), enlarged or thinned by whole factors and padded to even sides (H.264 needs them)."""
    page = page[::shrink, ::shrink]
    if enlarge > 1:
        page = page.repeat(enlarge, axis=0).repeat(enlarge, axis=1)
    odd = page.shape[0] % 2, page.shape[1] % 2
    return np.pad(page, ((0, odd[0]), (0, odd[1])), mode="edge") if any(odd) else page


def grey(image, low, high):
    """(Y, X) uint8 of an image between two intensities; a constant image is black."""
    span = float(high) - float(low)
    if not span > 0:
        return np.zeros(image.shape, dtype=np.uint8)
    scaled = (np.nan_to_num(image.astype(np.float32)) - np.float32(low)) * np.float32(235.0 / span)
    return np.clip(scaled, 0, 235).astype(np.uint8)  # not to 255: white is kept for the marks


def outlines(labels):
    """(Y, X) bool: pixels of a mask with a neighbour (of 4) that is not in it; the frame's border is not an outline."""
    edge = np.zeros(labels.shape, dtype=bool)
    down = labels[1:] != labels[:-1]
    right = labels[:, 1:] != labels[:, :-1]
    edge[1:] |= down
    edge[:-1] |= down
    edge[:, 1:] |= right
    edge[:, :-1] |= right
    return edge & (labels > 0)


class Paths:
    """Positions of all tracks, ready to be asked frame by frame.

    Parameters
    ----------
    track, frame, label : int arrays, one entry per cell and frame
    y, x : float arrays, px
    """

    def __init__(self, track, frame, label, y, x):
        order = np.lexsort((np.asarray(frame), np.asarray(track)))
        self.track, self.frame, self.label = (np.asarray(v)[order].astype(np.int64) for v in (track, frame, label))
        self.y, self.x = (np.asarray(v, dtype=float)[order] for v in (y, x))
        new = np.r_[True, self.track[1:] != self.track[:-1]] if len(order) else np.zeros(0, dtype=bool)
        self.start = np.flatnonzero(new)[np.cumsum(new) - 1] if len(order) else np.zeros(0, dtype=np.int64)
        self.by_frame = np.argsort(self.frame, kind="stable")
        self._frames = self.frame[self.by_frame]
        self.first = dict(zip(self.track[new].tolist(), np.flatnonzero(new).tolist())) if len(order) else {}

    def at(self, frame):
        """Rows of the cells in one frame."""
        lo, hi = np.searchsorted(self._frames, [frame, frame + 1])
        return self.by_frame[lo:hi]

    def tail(self, row, n_frames):
        """Rows of the same track up to `n_frames` frames before `row`, and `row` itself."""
        first = int(self.start[row])
        since = np.searchsorted(self.frame[first : row + 1], self.frame[row] - n_frames) + first
        return np.arange(since, row + 1)

    def place(self, track, frame):
        """(y, x) where a track was seen last at or before a frame (else first); None for a track that is not there."""
        first = self.first.get(int(track))
        if first is None:
            return None
        row = first
        while row + 1 < len(self.track) and self.track[row + 1] == track and self.frame[row + 1] <= frame:
            row += 1
        return self.y[row], self.x[row]


def clock(minutes):
    """ "3:05 h" of minutes."""
    total = round(minutes)
    return f"{'-' if total < 0 else ''}{abs(total) // 60}:{abs(total) % 60:02d} h"


def bar_length(width_px, pixel_size_um):
    """Length of a scale bar of about a fifth of the width: (number, unit, px)."""
    size = pixel_size_um or 1.0
    length = max((v for v in BAR_LENGTHS_UM if v <= 0.25 * width_px * size), default=BAR_LENGTHS_UM[0])
    return length, "um" if pixel_size_um else "px", length / size


@cache
def font(size):
    """The letters of the legend, `size` px high."""
    return ImageFont.load_default(size=size)


def marks_of(events, paths, shown_frames):
    """Frame -> [(kind, age, y, x)] of the divisions and deaths that are shown in it; px.

    Parameters
    ----------
    events : iterable of (event, track, frame)
    shown_frames : how many frames each mark stays
    """
    marks = {}
    for event, track, frame in events:
        if event not in ("division", "death"):
            continue
        place = paths.place(track, frame)
        if place is None:
            continue
        for age in range(shown_frames):
            marks.setdefault(int(frame) + age, []).append((event, age, *place))
    return marks


def draw(page, labels, paths, frame, marks, *, enlarge=1, shrink=1, tail_frames=8, time_min=None, pixel_size_um=None):
    """One frame of the film.

    Parameters
    ----------
    page : (Y, X) uint8 background, or None for black
    labels : (Y, X) int, or None: cells are drawn as dots
    paths : Paths in px of the movie
    frame : int, number on the time grid
    marks : list of (kind, age, y, x) for this frame
    time_min : float or None

    Returns
    -------
    (height, width, 3) uint8, sides even
    """
    base = page if page is not None else np.zeros(labels.shape, dtype=np.uint8)
    base = resized(base, enlarge, shrink)
    canvas = np.repeat(base[:, :, None], 3, axis=2)
    factor = enlarge / shrink
    rows = paths.at(frame)
    if labels is not None and labels.any():
        colours = np.full((int(labels.max()) + 1, 3), UNTRACKED, dtype=np.uint8)
        for row in rows:
            if 0 < paths.label[row] < len(colours):
                colours[paths.label[row]] = colour_of(paths.track[row])
        large = resized(labels, enlarge, shrink)
        edge = outlines(large)
        canvas[edge] = colours[large[edge]]
    picture = Image.fromarray(canvas)
    pen = ImageDraw.Draw(picture)

    def to_film(y, x):
        return (x + 0.5) * factor - 0.5, (y + 0.5) * factor - 0.5

    for row in rows:
        colour = colour_of(paths.track[row])
        steps = paths.tail(row, tail_frames)
        if len(steps) > 1:
            points = [to_film(paths.y[i], paths.x[i]) for i in steps]
            pen.line(points, fill=colour, width=1)
        if labels is None:
            x, y = to_film(paths.y[row], paths.x[row])
            pen.ellipse((x - 2, y - 2, x + 2, y + 2), fill=colour)
    size = max(14, min(picture.size) // 28)
    for kind, age, y, x in marks:
        _mark(pen, kind, *to_film(y, x), radius=0.55 * size + 1.5 * age)
    _legend(pen, picture.size, size, time_min, factor, pixel_size_um)
    return np.asarray(picture)


def _mark(pen, kind, x, y, radius):
    if kind == "death":
        for line in ((x - radius, y - radius, x + radius, y + radius), (x - radius, y + radius, x + radius, y - radius)):
            pen.line(line, fill=(0, 0, 0), width=5)
            pen.line(line, fill=DEATH, width=3)
    else:
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), outline=DIVISION, width=2)


def _legend(pen, film_size, size, time_min, factor, pixel_size_um):
    width, height = film_size
    letters = font(size)
    text = {"font": letters, "fill": (255, 255, 255), "stroke_width": 2, "stroke_fill": (0, 0, 0)}
    if time_min is not None:
        pen.text((size * 0.5, size * 0.35), clock(time_min), **text)
    x = width - 9.6 * size
    if x > 4.5 * size:  # room beside the clock
        y = size * 0.95
        _mark(pen, "division", x, y, size * 0.38)
        pen.text((x + 0.7 * size, size * 0.35), "division", **text)
        _mark(pen, "death", x + 5.6 * size, y, size * 0.32)
        pen.text((x + 6.3 * size, size * 0.35), "death", **text)
    length, unit, length_px = bar_length(width / factor, pixel_size_um)
    y = height - size * 0.7
    pen.rectangle((size * 0.5 - 1, y - 1, size * 0.5 + length_px * factor + 1, y + size * 0.22 + 1), fill=(0, 0, 0))
    pen.rectangle((size * 0.5, y, size * 0.5 + length_px * factor, y + size * 0.22), fill=(255, 255, 255))
    pen.text((size * 0.5, y - size * 1.35), f"{length} {unit}", **text)
