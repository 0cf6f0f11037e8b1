"""From pixels to labels: one integer per cell and frame, 0 for background.

    frame ──normalise──▶ 0..1 ──engine──▶ raw masks ──relabel──▶ labels 1..n
            movie-wide          cellpose | threshold | precomputed
            limits

`make_engine` gives one object for the three engines, `segment_frames` runs it over a stream of frames and keeps no
more than one of them. torch is imported by engine `cellpose` only, when it is made.
"""

_PUBLIC = {
    "make_engine": "engines",
    "segment_frames": "stream",
    "count_flags": "stream",
    "diameter_px": "normalise",
    "normalise": "normalise",
    "has_cells": "normalise",
    "relabel": "relabel",
    "threshold_masks": "threshold",
    "resolve_model": "models",
}
__all__ = list(_PUBLIC)


def __getattr__(name):
    if name in _PUBLIC:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_PUBLIC[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
