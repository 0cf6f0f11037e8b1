"""Label stacks: one integer image a frame, 0 = background, the value = the cell's label in that frame.

Read one frame at a time from OME-TIFF, plain TIFF stacks, folders of frames and Cell Tracking Challenge folders;
written as OME-TIFF (one zlib page a frame), or as a Cell Tracking Challenge result folder.
"""

from pathlib import Path

import numpy as np

from cytocause.io.atomic import atomic_dir
from cytocause.io.errors import InputDefect
from cytocause.io.frame_files import files_of
from cytocause.io.movies import Movie
from cytocause.io.ome_tiff import stream_ome


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
        """Close the file."""
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
            return files_of(masks)
    return files_of(path)


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


def write_ctc(folder, labels, tracks, *, frame_numbers, truth=False):
    """Write tracks as a Cell Tracking Challenge result folder: maskTTT.tif (pixel = track id) and res_track.txt.

    labels        : Labels; None or an empty stack writes no masks and no tracks, the format has no points
    tracks        : DataFrame with track_id, parent_id (0 = none), frame, label (0 = no mask: not in the folder)
    frame_numbers : number on the time grid of each page of labels
    truth         : whether it is a reference (the challenge's folder TRA): man_trackTTT.tif and man_track.txt

    The format knows no gaps: masks are numbered page by page, and a track that misses pages is written in pieces, each the
    only child of the one before (which is how the challenge says that a cell was out of sight).
    res_track.txt has a line "L B E P" per piece: id, first page, last page, parent. Masks are uint16, uint32 when the ids
    need it. Atomic.
    """
    import tifffile

    pages = 0 if labels is None else labels.n_frames
    pieces = ctc_pieces(
        *(tracks[name].to_numpy(np.int64) for name in ("track_id", "parent_id", "frame", "label")), frame_numbers[:pages]
    )
    digits = max(3, len(str(pages - 1)))
    dtype = np.uint16 if max(pieces["id"], default=0) <= 65535 else np.uint32
    with atomic_dir(folder) as temporary:
        for page in range(pages):
            rows = pieces["page"] == page
            image = labels.frame(page)
            ids = np.zeros(max(int(image.max(initial=0)), int(pieces["label"][rows].max(initial=0))) + 1, dtype)
            ids[pieces["label"][rows]] = pieces["id"][rows]
            name = f"{'man_track' if truth else 'mask'}{page:0{digits}d}.tif"
            tifffile.imwrite(temporary / name, ids[image], compression="zlib", software=False, metadata=None)
        lines = [f"{piece} {first} {last} {parent}\n" for piece, first, last, parent in pieces["lines"]]
        (temporary / ("man_track.txt" if truth else "res_track.txt")).write_text("".join(lines), encoding="ascii")


def ctc_pieces(track_id, parent_id, frame, label, frame_numbers):
    """Tracks cut where they miss a page.

    track_id, parent_id, frame, label : (n,) int64, one row per cell and frame; rows without label or page are left out

    Returns a dict: "id", "page", "label" (m,) int64 of the rows that stay, and "lines", a list of (id, first page, last
    page, parent id) in order of id. The first piece of a track keeps its id, later ones are numbered above all tracks.
    """
    page_of = {number: page for page, number in enumerate(frame_numbers)}
    known, which = np.unique(frame, return_inverse=True)
    page = np.array([page_of.get(number, -1) for number in known.tolist()], np.int64)[which]
    keep = (page >= 0) & (label > 0)
    track_id, parent_id, page, label = (values[keep] for values in (track_id, parent_id, page, label))
    order = np.lexsort((page, track_id))
    track_id, parent_id, page, label = (values[order] for values in (track_id, parent_id, page, label))
    piece = track_id.copy()
    if not len(piece):
        return {"id": piece, "page": page, "label": label, "lines": []}
    starts = np.flatnonzero(np.r_[True, (np.diff(track_id) != 0) | (np.diff(page) != 1)])
    ends = np.r_[starts[1:], len(piece)]
    following, last_piece, lines = int(track_id.max()) + 1, {}, []
    for start, end in zip(starts.tolist(), ends.tolist()):
        track = int(track_id[start])
        number = track
        if track in last_piece:
            number, following = following, following + 1
            piece[start:end] = number
            parent = last_piece[track]
        else:
            parent = None  # its mother's last piece, which may not be known yet
        last_piece[track] = number
        lines.append([number, int(page[start]), int(page[end - 1]), parent, int(parent_id[start])])
    lines = [(n, a, b, last_piece.get(mother, 0) if parent is None else parent) for n, a, b, parent, mother in lines]
    return {"id": piece, "page": page, "label": label, "lines": sorted(lines)}
