"""What happened in each frame, kept on disk: a long movie does not fill the memory.

    append({"track_id": ..., "y_um": ...})      n values a field         | frame 0        | frame 1   | ...
    spool[frame] -> the same arrays                                      | id.. y.. x..   | id.. y..  |

A sequence over frames like a list of dicts of arrays, in an unnamed temporary file that goes with the object.
"""

import tempfile
from collections.abc import Sequence

import numpy as np


class Spool(Sequence):
    """Dicts of equal-length one-dimensional arrays, frame by frame; the fields and their types are those of the first frame."""

    def __init__(self):
        self.file = tempfile.TemporaryFile(prefix="cytocause-")  # noqa: SIM115  (it lives as long as the object)
        self.starts = []
        self.sizes = []
        self.types = None

    def append(self, row):
        """Keep one frame. Raises ValueError for fields, types or lengths other than the first frame's and each other's."""
        types = {name: values.dtype for name, values in row.items()}
        self.types = self.types or types
        lengths = {values.shape for values in row.values()}
        if types != self.types or len(lengths) != 1:
            raise ValueError(f"a frame has fields {types} of lengths {lengths}; the first had {self.types}")
        self.starts.append(self.file.seek(0, 2))
        self.sizes.append(*next(iter(lengths)))
        for values in row.values():
            self.file.write(np.ascontiguousarray(values).data)

    def __len__(self):
        return len(self.starts)

    def __getitem__(self, frame):
        at, n = self.starts[frame], self.sizes[frame]
        self.file.seek(at)
        return {name: np.fromfile(self.file, kind, n) for name, kind in self.types.items()}

    def column(self, name):
        """One field of all frames: (rows,) array."""
        before = 0
        for other, kind in self.types.items():
            if other == name:
                break
            before += kind.itemsize
        out = np.empty(sum(self.sizes), self.types[name])
        at = 0
        for start, n in zip(self.starts, self.sizes):
            self.file.seek(start + before * n)
            out[at : at + n] = np.fromfile(self.file, self.types[name], n)
            at += n
        return out
