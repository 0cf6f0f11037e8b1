"""Movies, one frame at a time.

    file(s) --> axes (T, C, Y, X) --> frame(t, c) --> one page (or one slice of an uncompressed block) read from disk

Multi-page TIFF, OME-TIFF, ImageJ hyperstack, or a folder of frames. Nothing but the page that is asked for is decoded:
memory does not grow with the number of frames. Frame numbers are those of the time grid: a gap in the numbers of the
files of a folder is a dropped frame.
"""

import re

import numpy as np

from cytocause.io.errors import InputDefect
from cytocause.io.frame_files import arrange, files_of
from cytocause.io.ome_tiff import stream_ome
from cytocause.io.tiff_file import MAX_CHANNELS, TiffReader

_NOT_IN_NAMES = re.compile(r"[^0-9A-Za-z_]+")


def open_movie(paths, *, axes=None, channels=None, meta=None):
    """Open a movie without reading its pixels.

    paths    : one path (file or folder), or a list of paths (a folder's frames, in any order)
    axes     : what each file's dimensions are ("TYX", "TCYX", "YX" ...), None: from the metadata
    channels : the channels' names in order, None: from the metadata
    meta     : a sample's movie.json (dict): its axes and channels, instead of the two above

    Returns a Movie, which is also a context manager. Raises InputDefect naming file, what is wrong and what to write.
    """
    if meta is not None:
        axes, channels = axes or meta.get("axes"), channels or meta.get("channels")
    return Movie(files_of(paths), axes=axes, channels=channels)


class Movie:
    """A movie on disk: n_frames pages in time, of n_channels images (height, width) each.

    n_frames, height, width, n_channels : int
    channel_names : list of str
    dtype         : numpy dtype of the pixels
    frame_numbers : list of int, number on the time grid of each page, from 0; a gap is a dropped frame
    metadata      : pixel_size_um | None, frame_interval_min | None, time_min (list) | None, axes, source (list of str)
    """

    def __init__(self, files, *, axes=None, channels=None, max_channels=MAX_CHANNELS):
        self._axes = axes
        self._open = (None, None)  # (path, reader): at most one file is open
        self._first = None
        if len(files) == 1:
            rows = [files]
        else:
            self.frame_numbers, rows = arrange(files)
        self._alone = len(files) == 1
        first = self._first = self._reader(rows[0][0])
        if first.is_one_of_a_set:  # each file of the set knows of all the others
            rows, self._alone = rows[:1], True
        self.height, self.width, self.dtype = first.height, first.width, first.dtype
        if self._alone or (first.n_frames > 1 and len(rows[0]) == 1):
            # one file, or pieces of one movie put end to end; where[t]: the file and its own frame
            counts = [first.n_frames if self._alone else self._reader(row[0], pieces=True).n_frames for row in rows]
            self._where = [(row, t) for row, count in zip(rows, counts) for t in range(count)]
            self.frame_numbers = list(range(len(self._where)))
        else:
            self._where = [(row, 0) for row in rows]
        self._channel_is_a_file = len(rows[0]) > 1
        self.n_channels = len(rows[0]) if self._channel_is_a_file else first.n_channels
        self.n_frames = len(self._where)
        if max_channels and self.n_channels > max_channels:
            raise InputDefect(
                f"The movie seems to have {self.n_channels} channels (shape {first.shape}, axes {first.axes}); "
                f"expected 1 to {max_channels}.",
                file=first.path,
                todo='Say what its dimensions are in the column axes, for instance "TYX".',
            )
        found = None if self._channel_is_a_file else first.metadata["channel_names"]
        self.channel_names = _channel_names(channels, found, self.n_channels, first.path)
        self._raw_names = found or []
        self.metadata = {
            **{key: first.metadata.get(key) for key in ("pixel_size_um", "frame_interval_min")},
            "pixel_size_xy_um": first.metadata.get("pixel_size_xy_um"),  # only when the pixels are not square
            "time_min": first.metadata["time_min"] if self._alone else None,
            "axes": first.axes,
            "source": [str(path) for row in rows for path in row],
        }

    def frame(self, t, channel=0):
        """Image (height, width) of page t (0 .. n_frames - 1) in a channel (number or name), read from the disk now.

        Raises InputDefect when the channel is absent or the page cannot be decoded.
        """
        c = self.channel_index(channel)
        if not 0 <= t < self.n_frames:
            raise IndexError(f"page {t} of a movie with {self.n_frames} pages")
        row, inside = self._where[t]
        if self._channel_is_a_file:
            return self._reader(row[c]).read(inside, 0)
        return self._reader(row[0]).read(inside, c)

    def file_of(self, t, channel=0):
        """Path of the file that holds page t of a channel, for messages."""
        row, _ = self._where[t]
        return str(row[self.channel_index(channel)] if self._channel_is_a_file else row[0])

    def channel_index(self, channel):
        """Number of a channel given by number or name."""
        if isinstance(channel, (int, np.integer)) and not isinstance(channel, bool):
            if 0 <= channel < self.n_channels:
                return int(channel)
        elif channel in self.channel_names:
            return self.channel_names.index(channel)
        elif channel in self._raw_names:
            return self._raw_names.index(channel)
        raise InputDefect(
            f"The channel {channel!r} is absent; the movie has {', '.join(map(repr, self.channel_names))}.",
            file=self._first.path,
            todo="Name one of these in the config, or name the movie's channels in the config's list channels.",
        )

    def _reader(self, path, *, pieces=False):
        """The open file `path`, checked against the first one; the one open before is closed."""
        if self._open[0] != path:
            self.close()
            self._open = (path, TiffReader(path, self._axes, alone=self._alone))
            if self._first is not None:
                _check_alike(self._first, self._open[1], pieces)
        return self._open[1]

    def close(self):
        """Close the file that is open, if any; frames can still be read afterwards (it is opened again)."""
        reader = self._open[1]
        self._open = (None, None)
        if reader is not None:
            reader.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __len__(self):
        return self.n_frames


def _check_alike(first, other, pieces):
    """Raises InputDefect when two files of one movie differ in size, channels, type or number of frames."""
    name = first.path.name
    if (other.height, other.width) != (first.height, first.width):
        raise InputDefect(
            f"The frames are of unequal size: this one is {other.height} x {other.width} (height x width), "
            f"{name} is {first.height} x {first.width}.",
            file=other.path,
            todo="Leave out or crop the frames that differ.",
        )
    for what, a, b in (
        ("channels", first.n_channels, other.n_channels),
        ("frames", None if pieces else first.n_frames, None if pieces else other.n_frames),
        ("type of pixels", first.dtype, other.dtype),
    ):
        if a != b:
            raise InputDefect(
                f"The files differ in their {what}: this one has {b}, {name} has {a}.",
                file=other.path,
                todo="Leave out or complete the files that differ.",
            )


def _channel_names(given, found, n, file):
    if given:
        given = [str(name) for name in given]
        if len(given) != n:
            raise InputDefect(
                f"{len(given)} channels are named ({', '.join(given)}), but the movie has {n}.",
                file=file,
                todo=f"Name {n} channel{'s' * (n > 1)}, or correct the column axes.",
            )
        return given
    names = [_NOT_IN_NAMES.sub("_", name).strip("_") for name in (found or [])]
    if len(names) == n and len(set(names)) == n and all(names):
        return names
    return [f"channel{i + 1}" for i in range(n)]


def write_movie(path, frames, *, channel_names, pixel_size_um=None, time_min=None, n_frames=None):
    """Write a movie as OME-TIFF, axes TCYX, streamed: one page a frame and channel, zlib; atomic, deterministic bytes.

    frames   : iterable of arrays (C, Y, X), all of one shape and dtype
    time_min : time of each frame in minutes (list of n_frames) or None, then n_frames is needed for an iterator
    """
    if n_frames is None:
        n_frames = len(time_min) if time_min is not None else len(frames)
    frames = iter(frames)
    first = np.asarray(next(frames))
    if first.ndim != 3 or first.shape[0] != len(channel_names):
        raise ValueError(f"a frame of shape {first.shape}; expected (C, Y, X) with C = {len(channel_names)} channels")
    stream_ome(
        path,
        _chain(first, frames),
        shape=(n_frames, *first.shape),
        dtype=first.dtype,
        channel_names=channel_names,
        pixel_size_um=pixel_size_um,
        time_min=time_min,
        level=1,  # of noise no level saves more: half the time of 6, and not a byte larger
    )


def _chain(first, rest):
    yield first
    yield from rest
