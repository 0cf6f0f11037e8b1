"""One TIFF file: where the image of frame t and channel c lies in it, and how to read that image alone.

    page         0      1      2      3   ...       one page a frame and channel, or
    T x C      (0,0)  (0,1)  (1,0)  (1,1)           one block of pixels for all (ImageJ), or pages that hold channels

tifffile logs some damage instead of raising it, and a movie would quietly be shorter; here it is an InputDefect.
"""

import logging
import math
import re
import warnings
from pathlib import Path

import numpy as np

from cytocause.io.errors import InputDefect
from cytocause.io.tiff_metadata import read_metadata

MAX_CHANNELS = 4


class TiffReader:
    """One TIFF file: where page (t, c) lies, and how to read it alone."""

    def __init__(self, path, axes, *, alone):
        import tifffile

        self.path = Path(path)
        _check_file(self.path)
        complaints = _Complaints()
        tifffile.logger().addHandler(complaints)
        try:
            self._tiff = tifffile.TiffFile(self.path)
            if _written_page_by_page(self._tiff):  # each page says its own shape: read them as plain pages, one a frame
                self._tiff.close()
                self._tiff = tifffile.TiffFile(self.path, is_shaped=False)
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
        except MemoryError:  # the machine's defect, not the file's
            raise
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
        self.is_one_of_a_set = bool(series[0].is_multifile)
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
        with warnings.catch_warnings():  # a page in another file of the same OME set is opened for the moment
            warnings.filterwarnings("ignore", message=".*reading array from closed file")
            image = page.asarray(maxworkers=1)
        if image.size != math.prod(self._inner_shape):
            raise InputDefect(
                f"The frames are of unequal size: page {number} is {image.shape}, expected {self._inner_shape}.",
                file=self.path,
                todo="Leave out or crop the frames that differ.",
            )
        return image.reshape(self._inner_shape)

    def close(self):
        """Close the file."""
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


def _written_page_by_page(tiff):
    """Whether tifffile wrote every frame by a call of its own, which makes each a series of one page."""
    series = tiff.series
    return (
        len(series) > 1
        and all(len(s.pages) == 1 and s.kind == "shaped" and len(s.shape) == 2 for s in series)
        and len({(s.shape, s.dtype) for s in series}) == 1
    )


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
