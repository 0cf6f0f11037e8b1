"""OME-TIFF written page by page: the frames come from an iterator and are never together in memory.

Bytes depend on the pixels and the metadata given, on nothing else: no dates, no random identifier.
"""

import math

import numpy as np

from cytocause.io.atomic import atomic_path


def stream_ome(path, frames, *, shape, dtype, channel_names=None, pixel_size_um=None, time_min=None, level=6):
    """Write an OME-TIFF of `shape` (T, C, Y, X) or (T, Y, X) from an iterable of frames (C, Y, X) or (Y, X); zlib `level` 1 to 9."""
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
                compressionargs={"level": level},
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
