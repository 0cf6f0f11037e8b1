"""Label stacks: one integer image a frame, 0 = background, the value = the cell's label in that frame.

Read one frame at a time from OME-TIFF, plain TIFF stacks, folders of frames and Cell Tracking Challenge folders;
written as OME-TIFF (one zlib page a frame), or as a Cell Tracking Challenge result folder.
"""

from pathlib import Path

import numpy as np

from cytocause.io.atomic import atomic_dir
from cytocause.io.errors import InputDefect
from cytocause.io.movies import Movie, _files, stream_ome


def open_labels(path, *, channel=0, axes=None):
    """Open a label stack without reading it.

    path    : OME-TIFF or plain TIFF stack (T, Y, X) or (T, C, Y, X), a folder of frames, or a list of files
    channel : which channel of a stack with several (number or name)

    Returns a Labels. Raises InputDefect as open_movie does, and when the pixels cannot be labels.
    """
    return Labels(path, channel=channel, axes=axes)


class Labels:
    """A label stack on disk.

    n_frames, height, width, n_channels : int; an empty stack (of a failed sample) has n_frames 0
    channel_names : list of str
    frame_numbers : list of int, as in Movie
    """

    def __init__(self, path, *, channel=0, axes=None):
        self._movie = Movie(_label_files(path), axes=axes, max_channels=None)
        self._channel = self._movie.channel_index(channel)
        self._path = self._movie.metadata["source"][0]
        self.height, self.width = self._movie.height, self._movie.width
        self.n_channels, self.channel_names = self._movie.n_channels, self._movie.channel_names
        empty = (self._movie.n_frames, self.height, self.width) == (1, 1, 1)
        self.n_frames = 0 if empty else self._movie.n_frames
        self.frame_numbers = [] if empty else self._movie.frame_numbers
        self.metadata = self._movie.metadata

    def frame(self, i):
        """Labels (height, width) int32 of page i.

        Raises InputDefect when a value is negative, not a whole number, or above 2**31 - 1.
        """
        image = self._movie.frame(i, self._channel)
        if image.dtype.kind == "f":
            whole = np.isfinite(image).all() and (image == np.floor(image)).all()
            if not whole:
                raise self._defect(f"Page {i} holds values that are not whole numbers")
        if image.dtype.kind in "fi" and image.size and image.min() < 0:
            raise self._defect(f"Page {i} holds negative values")
        if image.dtype.itemsize >= 4 and image.size and image.max() > 2**31 - 1:
            raise self._defect(f"Page {i} holds values above 2147483647")
        return image.astype(np.int32)

    def _defect(self, what):
        return InputDefect(
            f"{what}; expected labels (0 = background, 1, 2, ... = cells).",
            file=self._path,
            todo="Check that this is the label image and not the movie.",
        )

    def close(self):
        self._movie.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __len__(self):
        return self.n_frames


def _label_files(path):
    """The files of a label stack; of a Cell Tracking Challenge folder only the masks."""
    if isinstance(path, (str, Path)) and Path(path).is_dir():
        masks = [p for p in Path(path).iterdir() if p.name.startswith(("mask", "man_track", "man_seg")) and p.suffix == ".tif"]
        if masks:
            return _files(masks)
    return _files(path)


def write_labels(path, frames, *, n_frames, height, width, pixel_size_um=None, time_min=None, dtype="uint16"):
    """Write a label stack as OME-TIFF (T, Y, X), streamed, one zlib page a frame; atomic, deterministic bytes.

    frames : iterable of n_frames integer arrays (height, width)
    dtype  : "uint16", or "uint32" when a frame has more than 65535 labels (OverflowError otherwise)
    """
    if n_frames == 0:
        return write_empty_labels(path)
    stream_ome(
        path,
        (_fit(frame, dtype, number) for number, frame in enumerate(frames)),
        shape=(n_frames, height, width),
        dtype=np.dtype(dtype),
        pixel_size_um=pixel_size_um,
        time_min=time_min,
    )


def write_label_channels(
    path, frames, *, channel_names, n_frames, height, width, pixel_size_um=None, time_min=None, dtype="uint16"
):
    """Write label stacks of several populations as one OME-TIFF (T, C, Y, X); frames are arrays (C, height, width)."""
    stream_ome(
        path,
        (_fit(frame, dtype, number) for number, frame in enumerate(frames)),
        shape=(n_frames, len(channel_names), height, width),
        dtype=np.dtype(dtype),
        channel_names=channel_names,
        pixel_size_um=pixel_size_um,
        time_min=time_min,
    )


def write_empty_labels(path):
    """Write the label stack of a failed sample: a TIFF needs a page, so one of 1 x 1 background; read as 0 frames."""
    stream_ome(path, [np.zeros((1, 1), np.uint16)], shape=(1, 1, 1), dtype=np.dtype("uint16"))


def _fit(frame, dtype, number):
    frame = np.asarray(frame)
    limit = np.iinfo(dtype).max
    if frame.size and (frame.max() > limit or frame.min() < 0):
        raise OverflowError(
            f"frame {number} has labels from {frame.min()} to {frame.max()}; {dtype} holds 0 to {limit}"
        )
    return frame.astype(dtype)


def write_ctc(folder, labels, tracks, *, frame_numbers):
    """Write tracks as a Cell Tracking Challenge result folder: maskTTT.tif (pixel = track_id) and res_track.txt.

    labels        : Labels, or None when there are no masks (then every cell is one pixel at its centroid)
    tracks        : DataFrame with track_id, parent_id, frame, label (and parent 0 = none)
    frame_numbers : number on the time grid of each page of labels; numbers in between get an empty mask

    res_track.txt has a line "L B E P" per track: id, first frame, last frame, parent. The format knows no gaps in the
    numbering of masks, so every frame from 0 to the last is written.
    """
    import tifffile

    columns = {name: tracks[name].to_numpy() for name in ("track_id", "parent_id", "frame", "label")}
    order = np.argsort(columns["frame"], kind="stable")
    columns = {name: values[order] for name, values in columns.items()}
    last = max(frame_numbers, default=-1)
    page_of = {number: page for page, number in enumerate(frame_numbers)}
    digits = max(3, len(str(max(last, 0))))
    with atomic_dir(folder) as temporary:
        for number in range(last + 1):
            low, high = np.searchsorted(columns["frame"], [number, number + 1])
            if number in page_of and labels is not None:
                image = labels.frame(page_of[number])
                ids = np.zeros(max(int(image.max(initial=0)), int(columns["label"][low:high].max(initial=0))) + 1, np.uint16)
                ids[columns["label"][low:high]] = columns["track_id"][low:high]
                ids[0] = 0
                image = ids[image]
            else:
                shape = (1, 1) if labels is None else (labels.height, labels.width)
                image = np.zeros(shape, np.uint16)
            tifffile.imwrite(temporary / f"mask{number:0{digits}d}.tif", image, compression="zlib", software=False)
        lines = []
        for track_id in np.unique(columns["track_id"]):
            rows = columns["track_id"] == track_id
            frames = columns["frame"][rows]
            lines.append(f"{track_id} {frames.min()} {frames.max()} {columns['parent_id'][rows][0]}\n")
        (temporary / "res_track.txt").write_text("".join(lines), encoding="ascii")
