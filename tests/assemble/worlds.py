"""Small experiments in memory for the assemble room, and its defaults."""

from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from cytocause.assemble import Sample
from cytocause.io import in_unit
from cytocause.io.settings import fill_defaults

SCHEMA = Path(__file__).parents[2] / "workflow" / "schemas" / "assemble.schema.yaml"
BINARY = {"kind": "binary", "reference": 0, "levels": []}
TREATMENT, CAF = {"name": "treatment", **BINARY}, {"name": "CAF_presence", **BINARY}


def config(**changes):
    """Section assemble with its defaults, one population of tumour cells and one of immune cells."""
    cfg = {}
    fill_defaults(cfg, yaml.safe_load(SCHEMA.read_text()))
    cfg |= {"populations": ["tumour", "immune"], "conditions": [], "exposures": []}
    cfg |= {"variables": ["death", "division", "area_um2", "displacement_um", "path_um"]}
    return cfg | changes


def sample(name="s1", lives=None, *, events=(), parents=None, unit="um", frames=range(20), interval=10.0, seed=0, **more):
    """A sample of tumour cells.

    lives : dict track_id -> iterable of frames; area of a row is 100 * track_id + frame, x is frame, y is track_id
    events : (track_id, event, frame) rows
    """
    lives = {1: range(8)} if lives is None else lives
    rows = [(track, frame, 100.0 * track + frame, float(track), float(frame)) for track, at in lives.items() for frame in at]
    names = ["track_id", "frame", *(in_unit(n, unit) for n in ("area_um2", "y_um", "x_um"))]
    cells = pd.DataFrame(rows, columns=names).astype({"track_id": "int64", "frame": "int32"})
    cells[in_unit("displacement_um", unit)] = cells["frame"] * 1.0
    cells[in_unit("path_um", unit)] = cells["frame"] * 2.0
    cells["border"] = cells["frame"] % 2 == 1
    cells = cells.sample(frac=1, random_state=seed).reset_index(drop=True)
    tracks = pd.DataFrame({"track_id": list(lives), "parent_id": [(parents or {}).get(t, 0) for t in lives]})
    happened = pd.DataFrame(list(events), columns=["track_id", "event", "frame"])

    def read(population, columns):
        return cells[[c for c in columns if c in cells]] if population == "tumour" else more["immune"]

    meta = {
        "unit": unit,
        "pixel_size_um": 0.5 if unit == "um" else None,
        "frames": list(frames),
        "time_min": [f * interval for f in frames],
        "frame_interval_min": interval,
        "drift_px": more.get("drift_px"),
    }
    return Sample(
        name,
        more.get("conditions", {}),
        more.get("levels", {}),
        meta,
        more.get("failures", []),
        read,
        lambda population: tracks,
        lambda population: happened,
    )


def chips(n_each=2, **more):
    """A 2 x 2 design with n_each chips in every cell, a few cells each."""
    rng = np.random.default_rng(1)
    out = []
    for treatment in (0, 1):
        for caf in (0, 1):
            for k in range(n_each):
                lives = {t: range(int(rng.integers(0, 5)), int(rng.integers(12, 20))) for t in range(1, 6)}
                events = [(1, "death", 11)] if treatment else []
                conditions = {"treatment": treatment, "CAF_presence": caf}
                name = f"t{treatment}c{caf}n{k}"
                out.append(sample(name, lives, events=events, conditions=conditions, levels={"chip": name}, **more))
    return out
