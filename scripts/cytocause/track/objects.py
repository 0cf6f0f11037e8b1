"""From label images to objects: one row per mask and page, a frame at a time in memory.

    page 0   page 1          page  label   y    x   area  border
    .11..    ..22.     ->      0     1   ...
    .11..    ..22.             1     2   ...

A page is an image of the stack; its frame number and time come from movie.json, because a dropped frame is a gap.
"""

from dataclasses import dataclass, fields

import numpy as np

from cytocause.track.kernels import label_sums


@dataclass(frozen=True)
class Objects:
    """Arrays of one length, rows sorted by page, then y, then x (so that no label number decides anything later)."""

    page: np.ndarray  # int64
    label: np.ndarray  # int64
    y: np.ndarray  # float64, px, centre of pixel (0, 0) is 0
    x: np.ndarray  # float64, px
    area: np.ndarray  # float64, px2
    intensity: np.ndarray  # float64, mean; NaN without an image
    border: np.ndarray  # bool, the mask touches the frame's edge

    def __len__(self):
        return len(self.page)


def objects_of_frame(labels, intensity=None, page=0):
    """Objects of one label image.

    labels     (Y, X) integers, 0 is background
    intensity  (Y, X) of any real type, or None
    """
    labels = np.ascontiguousarray(labels, dtype=np.int32)
    top = int(labels.max(initial=0))
    names = None
    if top > labels.size:  # sparse label values (hashes, dates): number them anew, or the sums would not fit in memory
        names, inverse = np.unique(np.where(labels > 0, labels, 0), return_inverse=True)
        labels, top = inverse.reshape(labels.shape).astype(np.int32), len(names) - 1
        if names[0] != 0:  # no background at all
            labels, names, top = labels + np.int32(1), np.r_[0, names], top + 1
    image = np.zeros((0, 0)) if intensity is None else np.ascontiguousarray(intensity, dtype=np.float64)
    sums = label_sums(labels, image, top)
    found = np.flatnonzero(sums[:, 0])
    sums = sums[found]
    area = sums[:, 0]
    y, x = sums[:, 1] / area, sums[:, 2] / area
    order = np.lexsort((x, y))
    label = found if names is None else names[found]
    mean = np.full(len(found), np.nan) if intensity is None else sums[:, 3] / area
    return Objects(
        np.full(len(found), page, dtype=np.int64),
        label[order].astype(np.int64),
        y[order],
        x[order],
        area[order],
        mean[order],
        (sums[:, 4] > 0)[order],
    )


def columns_of(objects):
    """The arrays in the order of the fields."""
    return [getattr(objects, field.name) for field in fields(objects)]


def join_objects(parts):
    """One Objects of many, in the order given."""
    parts = list(parts)
    if not parts:
        none = np.zeros(0)
        return Objects(none.astype(np.int64), none.astype(np.int64), none, none, none, none, none.astype(bool))
    return Objects(*(np.concatenate(columns) for columns in zip(*map(columns_of, parts))))


def objects_of_stack(label_frames, image_frames=None):
    """Objects of all pages.

    label_frames  iterable of (Y, X) label images
    image_frames  iterable of (Y, X) images of the same length, or None
    """
    if image_frames is None:
        return join_objects(objects_of_frame(labels, None, page) for page, labels in enumerate(label_frames))
    pairs = enumerate(zip(label_frames, image_frames))
    return join_objects(objects_of_frame(labels, image, page) for page, (labels, image) in pairs)
