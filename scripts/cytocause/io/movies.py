"""Movies, one frame at a time.

    file(s) --> axes (T, C, Y, X) --> frame(t, c) --> one page (or one slice of an uncompressed block) read from disk

Multi-page TIFF, OME-TIFF, ImageJ hyperstack, or a folder of frames. Nothing but the page that is asked for is decoded:
memory does not grow with the number of frames. Frame numbers are those of the time grid: a gap in the numbers of the
files of a folder is a dropped frame.
"""

import logging
import math
import re
from pathlib import Path

import numpy as np

from cytocause.io.atomic import atomic_path
from cytocause.io.errors import InputDefect
from cytocause.io.tiff_metadata import read_metadata

MAX_CHANNELS = 4
_SUFFIXES = (".tif", ".tiff", ".btf", ".tf8", ".stk", ".lsm")
_MICROSCOPE = re.compile(r"[^0-9A-Za-z_]+")


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
    return Movie(_files(paths), axes=axes, channels=channels)


class Movie:
    """A movie on disk: n_frames pages in time, of n_channels images (height, width) each.

    n_frames, height, width, n_channels : int
    channel_names : list of str
    dtype         : numpy dtype of the pixels
    frame_numbers : list of int, number on the time grid of each page, from 0; a gap is a dropped frame
    metadata      : pixel_size_um | None, frame_interval_min | None, time_min (list) | None, axes, source (list of str)
    """

    def __init__(self, files, *, axes=None, channels=None, max_channels=MAX_CHANNELS):
        self._files = files
        self._open = (None, None)  # (file number, reader): at most one file is open
        first = _Reader(files[0], axes, alone=len(files) == 1)
        self._open = (0, first)
        self.height, self.width = first.height, first.width
        self.n_channels, self.dtype = first.n_channels, first.dtype
        if len(files) == 1:
            self._pages = [(0, t) for t in range(first.n_frames)]
            self.frame_numbers = list(range(first.n_frames))
        else:
            numbers = frame_numbers(files)
            self._files = [files[i] for i in np.argsort(numbers, kind="stable")]
            numbers = sorted(numbers)
            if self._files[0] != files[0]:
                self.close()
            counts = [self._reader(i, axes).n_frames for i in range(len(files))] if first.n_frames > 1 else None
            if counts is None:
                self._pages = [(i, 0) for i in range(len(files))]
                self.frame_numbers = numbers
            else:  # pieces of one movie, put end to end
                self._pages = [(i, t) for i, count in enumerate(counts) for t in range(count)]
                self.frame_numbers = list(range(len(self._pages)))
        self._axes = axes
        self.n_frames = len(self._pages)
        if max_channels and self.n_channels > max_channels:
            raise InputDefect(
                f"The movie seems to have {self.n_channels} channels (shape {first.shape}, axes {first.axes}); "
                f"expected 1 to {max_channels}.",
                file=files[0],
                todo='Say what its dimensions are in the column axes, for instance "TYX".',
            )
        self.channel_names = _channel_names(channels, first.metadata.get("channel_names"), self.n_channels, files[0])
        self._raw_names = first.metadata.get("channel_names") or []
        self.metadata = {
            "pixel_size_um": first.metadata.get("pixel_size_um"),
            "pixel_size_xy_um": first.metadata.get("pixel_size_xy_um"),  # only when the pixels are not square
            "frame_interval_min": first.metadata.get("frame_interval_min"),
            "time_min": first.metadata.get("time_min") if len(files) == 1 else None,
            "axes": first.axes,
            "source": [str(path) for path in self._files],
        }

    def frame(self, t, channel=0):
        """Image (height, width) of page t (0 .. n_frames - 1) in a channel (number or name), read from the disk now.

        Raises InputDefect when the channel is absent or the page cannot be decoded.
        """
        c = self.channel_index(channel)
        if not 0 <= t < self.n_frames:
            raise IndexError(f"page {t} of a movie with {self.n_frames} pages")
        number, page = self._pages[t]
        reader = self._reader(number, self._axes)
        return reader.read(page, c)

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
            file=self._files[0],
            todo="Name one of these in the config, or name the movie's channels in prepare.channels.",
        )

    def _reader(self, number, axes):
        if self._open[0] != number:
            self.close()
            reader = _Reader(self._files[number], axes, alone=len(self._files) == 1)
            if (reader.height, reader.width) != (self.height, self.width):
                raise InputDefect(
                    f"The frames are of unequal size: this one is {reader.height} x {reader.width} (height x width), "
                    f"{self._files[0].name} is {self.height} x {self.width}.",
                    file=self._files[number],
                    todo="Leave out or crop the frames that differ.",
                )
            if reader.n_channels != self.n_channels:
                raise InputDefect(
                    f"This file has {reader.n_channels} channels, {self._files[0].name} has {self.n_channels}.",
                    file=self._files[number],
                    todo="Leave out or complete the files that differ.",
                )
            self._open = (number, reader)
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


class _Reader:
    """One TIFF file: where page (t, c) lies, and how to read it alone."""

    def __init__(self, path, axes, *, alone):
        import tifffile

        self.path = Path(path)
        _check_file(self.path)
        complaints = _Complaints()
        tifffile.logger().addHandler(complaints)
        try:
            self._tiff = tifffile.TiffFile(self.path)
            try:
                self._lay_out(axes, alone)
                self.metadata = read_metadata(self._tiff, self.axes, self.n_frames, self.n_channels)
            except BaseException:
                self._tiff.close()
                raise
        except InputDefect:
            raise
        except OSError as error:
            if error.errno:
                raise
            raise _broken(self.path, error) from None
        except Exception as error:  # noqa: BLE001 - a broken file makes the decoder raise anything: struct.error, KeyError ...
            raise _broken(self.path, error) from None
        finally:
            tifffile.logger().removeHandler(complaints)
        if complaints.fatal:
            self._tiff.close()
            raise _broken(self.path, complaints.fatal[0])

    def _lay_out(self, declared, alone):
        series = self._tiff.series
        if not series:
            raise InputDefect("The file holds no image.", file=self.path, todo="Export it again.")
        if len(series) > 1:
            sizes = {tuple(s.shape[-2:]) for s in series}
            sizes_text = ", ".join(f"{a} x {b}" for a, b in sorted(sizes))
            if len(sizes) > 1:
                raise InputDefect(
                    f"The frames are of unequal size: {sizes_text} (height x width).",
                    file=self.path,
                    todo="Leave out or crop the frames that differ.",
                )
            raise InputDefect(
                f"The file holds {len(series)} separate images, expected one movie.",
                file=self.path,
                todo="Save each position or series as a movie of its own.",
            )
        self._series = series[0].levels[0] if series[0].levels else series[0]
        self.shape, found = tuple(self._series.shape), self._series.axes
        if len(self.shape) < 2:
            raise InputDefect(f"The file's shape is {self.shape}; expected frames (height, width).", file=self.path)
        known = self._tiff.is_ome or self._tiff.is_imagej or self._tiff.is_lsm or self._tiff.is_mmstack
        self.axes = settle_axes(self.shape, found, declared, known=bool(known), alone=alone, file=self.path)
        size = dict(zip(self.axes, self.shape))
        self.n_frames = size.get("T", 1)
        self.n_channels = size.get("C", 1)
        self.height, self.width = size["Y"], size["X"]
        self.dtype = self._series.dtype.newbyteorder("=")
        if self.dtype.kind not in "uif" or self.dtype.itemsize > 8:
            raise InputDefect(
                f"The pixels are of type {self.dtype}; expected 8- or 16-bit integers or floats.",
                file=self.path,
                todo="Save the movie in grey values.",
            )
        page = self._series.keyframe
        # the letters of one decoded page: what remains of the axes after those that count pages
        n_inner = _inner_dimensions(page, self.axes, size)
        self._outer, self._inner = self.axes[: len(self.axes) - n_inner], self.axes[len(self.axes) - n_inner :]
        self._size = size
        self._inner_shape = tuple(size[a] for a in self._inner)
        self._offset = self._series.dataoffset
        n_pages = math.prod(size[a] for a in self._outer)
        if self._offset is not None:
            end = self._offset + math.prod(self.shape) * self._series.dtype.itemsize
            if end > self.path.stat().st_size:
                raise _broken(self.path, f"{end} bytes expected, {self.path.stat().st_size} there")
        elif len(self._series.pages) < n_pages:
            raise _broken(self.path, f"{n_pages} pages expected, {len(self._series.pages)} there")

    def read(self, t, c):
        """Image (height, width) of frame t and channel c in native byte order."""
        where = {"T": t, "C": c, "Z": 0}
        page = 0
        for a in self._outer:
            page = page * self._size[a] + where[a]
        try:
            image = self._block(page) if self._offset is not None else self._page(page)
        except InputDefect:
            raise
        except OSError as error:
            if error.errno:
                raise
            raise _broken(self.path, error, t) from None
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            raise _broken(self.path, error, t) from None
        keep = tuple(slice(None) if a in "YX" else where[a] for a in self._inner)
        image = image[keep]
        if [a for a in self._inner if a in "YX"] == ["X", "Y"]:
            image = image.T
        return np.ascontiguousarray(image, dtype=self.dtype)

    def _block(self, page):
        """The page-th (inner shape) part of an uncompressed block."""
        count = math.prod(self._inner_shape)
        dtype = self._series.dtype.newbyteorder(self._tiff.byteorder)
        handle = self._tiff.filehandle
        handle.seek(self._offset + page * count * dtype.itemsize)
        data = handle.read(count * dtype.itemsize)
        return np.frombuffer(data, dtype, count).reshape(self._inner_shape)

    def _page(self, number):
        page = self._series.pages[number]
        if page is None:
            raise InputDefect(
                f"The plane {number} that the metadata names is not in the file.", file=self.path, todo="Export it again."
            )
        end = max((o + n for o, n in zip(page.dataoffsets, page.databytecounts)), default=0)
        handle = page.parent.filehandle
        if end > handle.size or (not page.dataoffsets):
            raise _broken(self.path, f"page {number} ends at byte {end}, the file has {handle.size}")
        image = page.asarray(maxworkers=1)
        if image.size != math.prod(self._inner_shape):
            raise InputDefect(
                f"The frames are of unequal size: page {number} is {image.shape}, expected {self._inner_shape}.",
                file=self.path,
                todo="Leave out or crop the frames that differ.",
            )
        return image.reshape(self._inner_shape)

    def close(self):
        self._tiff.close()


class _Complaints(logging.Handler):
    """What tifffile logs instead of raising: a broken chain of pages would else be a shorter movie."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.fatal = []

    def emit(self, record):
        text = record.getMessage()
        if record.levelno >= logging.ERROR or re.search(r"invalid (page|offset)|corrupt|truncat|missing|EOF", text):
            self.fatal.append(text)


def settle_axes(shape, found, declared, *, known, alone, file):
    """The letters (of T, C, Y, X) for the dimensions of one file.

    shape    : the file's shape
    found    : the axes that the file's metadata gives (any letters)
    declared : the axes the user gives, or None
    known    : the file has metadata that says what its dimensions are (OME, ImageJ)
    alone    : the movie is this one file (else the file is a frame of a folder, or a piece of the movie)
    """
    example = {2: "YX", 3: "TYX", 4: "TCYX"}.get(len(shape), "TCYX")
    if declared:
        letters = str(declared).upper().strip()
        letters = letters.replace("S", "C")
        if sorted(set(letters)) != sorted(letters) or not set(letters) <= set("TZCYX") or not {"Y", "X"} <= set(letters):
            raise InputDefect(
                f"The axes {declared!r} are not valid; expected Y and X, and T and C where there are any, each once.",
                file=file,
                todo=f'The file\'s shape is {shape}: write for instance axes "{example}".',
            )
        if len(letters) > len(shape):  # a dimension of length 1 is not stored
            for absent in ("Z", "C", "T"):
                if len(letters) > len(shape):
                    letters = letters.replace(absent, "")
        if len(letters) != len(shape):
            raise InputDefect(
                f"The axes {declared!r} name {len(declared)} dimensions, but the file's shape is {shape}.",
                file=file,
                todo=f'Write axes for {len(shape)} dimensions, for instance "{example}".',
            )
        if "Z" in letters and shape[letters.index("Z")] > 1:
            raise InputDefect(
                f"The axes {declared!r} give {shape[letters.index('Z')]} planes in depth; expected one.",
                file=file,
                todo="Project the stack in depth first (for instance the maximum), or name the dimension T if it is time.",
            )
        return letters
    letters = "".join("C" if a == "S" else a for a in found)
    if known or set(letters) <= set("TCYX"):
        if set(letters) <= set("TCYX") and len(set(letters)) == len(letters):
            return letters
        told = ", ".join(f"{a}={n}" for a, n in zip(found, shape))
        raise InputDefect(
            f"The metadata gives the dimensions {told}; expected time (T), channels (C), Y and X only.",
            file=file,
            todo=f'If they mean something else, write it in the column axes, for instance "{example}"; '
            "a stack in depth must be projected first.",
        )
    if len(shape) == 2:
        return "YX"
    unnamed = [a for a in letters if a not in "CYX"]
    if "C" in letters and len(unnamed) <= 1:  # colour samples are channels; what else there is counts frames
        return "".join(a if a in "CYX" else "T" for a in letters)
    if len(shape) == 3:
        if alone:
            return "TYX"
        if shape[0] <= MAX_CHANNELS:
            return "CYX"
    raise _ambiguous(shape, file, example)


def _ambiguous(shape, file, example):
    return InputDefect(
        f"The file's shape is {shape} and it has no metadata that says which dimension is time and which channel.",
        file=file,
        todo=f'Write what they are in the column axes of the sample sheet, for instance "{example}".',
    )


def _inner_dimensions(page, axes, size):
    """How many of the last axes lie inside one page (2, or 3 when a page holds several samples)."""
    pixels = page.size
    inner = 1
    for count, a in enumerate(reversed(axes), 1):
        inner *= size[a]
        if inner >= pixels and {"Y", "X"} <= set(axes[-count:]):
            return count
    return len(axes)


def frame_numbers(files):
    """Number on the time grid of each file of a folder, from the number in its name; from 0, in steps of 1.

    The number is the one that differs between the names; numbers in even steps (0, 10, 20, 40) are divided by the step.
    """
    names = [Path(path).name for path in files]
    groups = [re.findall(r"\d+", Path(name).stem) for name in names]
    skeletons = {re.sub(r"\d+", "#", Path(name).stem) for name in names}
    advice = "Name the frames alike, with one number that counts them, for instance frame_0001.tif."
    if len(skeletons) > 1:
        a, b = sorted(skeletons)[:2]
        raise InputDefect(
            f"The names of the frames differ in more than a number ({a!r} and {b!r}, # for a number).",
            file=Path(files[0]).parent,
            todo=advice,
        )
    varying = [k for k in range(len(groups[0])) if len({int(g[k]) for g in groups}) > 1]
    if len(varying) != 1:
        what = "in no number" if not varying else f"in {len(varying)} numbers"
        raise InputDefect(
            f"The names of the {len(files)} frames differ {what} ({names[0]!r}, {names[-1]!r}), expected one.",
            file=Path(files[0]).parent,
            todo=advice,
        )
    numbers = [int(g[varying[0]]) for g in groups]
    if len(set(numbers)) < len(numbers):
        twice = next(n for n in numbers if numbers.count(n) > 1)
        raise InputDefect(f"Two frames carry the number {twice}.", file=Path(files[0]).parent, todo=advice)
    low = min(numbers)
    step = math.gcd(*(n - low for n in numbers)) or 1
    return [(n - low) // step for n in numbers]


def _files(paths):
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


def _check_file(path):
    if not path.exists():
        raise InputDefect("The file does not exist.", file=path, todo="Check its path.")
    if path.stat().st_size == 0:
        raise InputDefect("The file is empty (0 bytes).", file=path, todo="Copy or export it again.")


def _broken(path, error, t=None):
    where = "" if t is None else f" at frame {t} of the file"
    text = (str(error).splitlines() or [type(error).__name__])[0]
    return InputDefect(
        f"The TIFF is truncated or broken{where} ({text}).", file=path, todo="Copy or export it again."
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
    names = [_MICROSCOPE.sub("_", name).strip("_") for name in (found or [])]
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
    )


def _chain(first, rest):
    yield first
    yield from rest


def stream_ome(path, frames, *, shape, dtype, channel_names=None, pixel_size_um=None, time_min=None):
    """Write an OME-TIFF of `shape` (T, C, Y, X) or (T, Y, X) from an iterable of frames (C, Y, X) or (Y, X)."""
    import tifffile

    axes = {3: "TYX", 4: "TCYX"}[len(shape)]
    n_channels = shape[1] if len(shape) == 4 else 1
    metadata = {"axes": axes, "UUID": "urn:uuid:00000000-0000-0000-0000-000000000000", "Creator": "cytocause"}
    if channel_names is not None:
        metadata["Channel"] = {"Name": [str(name) for name in channel_names]}
    if pixel_size_um:
        metadata |= {"PhysicalSizeX": float(pixel_size_um), "PhysicalSizeY": float(pixel_size_um)}
    if time_min is not None:
        times = [float(t) for t in time_min]
        if len(times) != shape[0]:
            raise ValueError(f"{len(times)} times for {shape[0]} frames")
        planes = [t for t in times for _ in range(n_channels)]
        metadata["Plane"] = {"DeltaT": planes, "DeltaTUnit": ["min"] * len(planes)}
        steps = np.diff(times)
        if len(steps) and np.allclose(steps, steps[0], rtol=1e-6, atol=1e-9):
            metadata |= {"TimeIncrement": float(steps[0]), "TimeIncrementUnit": "min"}
    with atomic_path(path) as temporary:
        big = math.prod(shape) * np.dtype(dtype).itemsize > 2**31
        with tifffile.TiffWriter(temporary, ome=True, bigtiff=big) as tiff:
            tiff.write(
                _pages(frames, shape, dtype),
                shape=shape,
                dtype=dtype,
                metadata=metadata,
                photometric="minisblack",
                compression="zlib",
                maxworkers=1,
                rowsperstrip=shape[-2],
                software=False,
            )


def _pages(frames, shape, dtype):
    count = 0
    for frame in frames:
        frame = np.asarray(frame)
        if frame.shape != tuple(shape[1:]):
            raise ValueError(f"frame {count} has shape {frame.shape}; expected {tuple(shape[1:])}")
        if frame.dtype != dtype:
            raise ValueError(f"frame {count} is {frame.dtype}; expected {np.dtype(dtype)}")
        for image in frame.reshape(-1, *shape[-2:]):
            yield np.ascontiguousarray(image)
        count += 1
    if count != shape[0]:
        raise ValueError(f"{count} frames came, {shape[0]} were announced")
