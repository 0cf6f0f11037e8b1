"""A made-up experiment, as the other rooms would hand it to the report: 8 chips, drug x CAF, two populations."""

import io
from functools import cache

import numpy as np
import pandas as pd

CONDITIONS = [
    {"name": "treatment", "kind": "binary", "reference": 0},
    {"name": "CAF_presence", "kind": "binary", "reference": 0},
]
DEFAULTS = {
    "title": "",
    "films": [],
    "film_budget_mb": 12,
    "max_samples": 24,
    "max_cards": 40,
    "max_cells_per_trace": 4,
    "trigger_window_min": 0,
    "permutations": 20000,
}
FEATURES = ["area_um2", "eccentricity", "speed_smooth_um_min", "n_immune_r1", "distance_immune_um"]
STATES = ["death", "division"]


def samples(n_per_cell=2):
    out = []
    for treatment in (0, 1):
        for caf in (0, 1):
            for _ in range(n_per_cell):
                name = f"chip{len(out) + 1}"
                out.append(
                    {
                        "sample": name,
                        "conditions": {"treatment": treatment, "CAF_presence": caf},
                        "levels": {"chip": name, "date": "d1"},
                    }
                )
    return out


def table(sheet, n_cells=9, n_steps=40, seed=0):
    """Contact three steps ago raises the hazard of death; the drug raises contact; CAF raises speed."""
    rng = np.random.default_rng(seed)
    rows = []
    for s in sheet:
        drug, caf = s["conditions"]["treatment"], s["conditions"]["CAF_presence"]
        for cell in range(n_cells):
            contact = np.zeros(n_steps)
            touching, area, dead, divided = False, rng.normal(160, 10), None, None
            for t in range(n_steps):
                touching = rng.random() < (0.85 if touching else 0.06 + 0.06 * drug)
                contact[t] = touching * rng.integers(1, 3)
                if dead is None and divided is None and t > 4:
                    if rng.random() < (0.12 if contact[t - 3] else 0.004):
                        dead = t
                    elif rng.random() < 0.02:
                        divided = t
                end = dead if dead is not None else divided
                if end is not None and t >= end + 3:
                    break
                rows.append(
                    {
                        "trajectory": f"{s['sample']}:{cell + 1}",
                        "time_step": t,
                        "treatment": drug,
                        "CAF_presence": caf,
                        "death": int(dead is not None),
                        "division": int(divided is not None),
                        "area_um2": area + rng.normal(0, 4) + 0.5 * t - 25 * (dead is not None),
                        "eccentricity": np.clip(rng.normal(0.5, 0.1), 0, 1),
                        "speed_smooth_um_min": np.nan if t == 0 else 0.17 + 0.06 * caf - 0.04 * contact[t] + rng.normal(0, 0.03),
                        "n_immune_r1": contact[t],
                        "distance_immune_um": np.nan if rng.random() < 0.2 else 30 - 9 * contact[t] + rng.normal(0, 4),
                        "sample": s["sample"],
                        "chip": s["levels"]["chip"],
                    }
                )
    return pd.DataFrame(rows)


def edge(source, target, lag=None, sign="+", head=(False, True), causal=False, info=30.0, contributors=()):
    return {
        "source": source,
        "target": target,
        "lag_steps": lag,
        "lag_frames": lag,
        "lag_min": None if lag is None else lag * 10.0,
        "orientation": {(False, True): 2, (True, True): 6, (False, False): 1, (True, False): -2}[head],
        "mark_source": "arrow" if head[0] else "tail",
        "mark_target": "arrow" if head[1] else "tail",
        "p_head_source": 0.0,
        "p_head_target": 1.0,
        "is_causal": causal,
        "info_shifted": info,
        "n": 2000,
        "sign": sign,
        "partial_correlation": 0.2 if sign == "+" else -0.2,
        "confidence": None,
        "contributors": list(contributors),
        "x": source if lag is None else f"{source}_lag{lag}",
        "y": f"{target}_lag0",
    }


EDGES = [
    edge("treatment", "n_immune_r1", causal=True, info=60),
    edge("treatment", "death", causal=False, info=14),
    edge("CAF_presence", "speed_smooth_um_min", causal=True, info=90),
    edge("CAF_presence", "death", sign="-", info=9),
    edge("n_immune_r1", "death", 3, causal=True, info=55),
    edge("n_immune_r1", "death", 2, causal=True, info=35),
    edge("n_immune_r1", "speed_smooth_um_min", 2, sign="-", info=40, contributors=["CAF_presence"]),
    edge("n_immune_r1", "distance_immune_um", 0, sign="-", head=(False, False), info=400),
    edge("eccentricity", "speed_smooth_um_min", 1, head=(True, True), info=12),
    edge("area_um2", "division", 4, info=25, contributors=["area_um2_lag2", "speed_smooth_um_min_lag0"]),
    edge("death", "area_um2", 0, sign="-", head=(False, True), info=70),
    *(edge(name, name, lag, info=200) for name in FEATURES for lag in (1, 2)),
]


def design(sheet, rows):
    def counts(mask):
        part = rows[rows["sample"].isin([s["sample"] for s in sheet if mask(s)])]
        ends = part.groupby("trajectory")[["death", "division"]].max().sum()
        return {
            "trajectories": int(part["trajectory"].nunique()),
            "rows": len(part),
            "death": int(ends["death"]),
            "division": int(ends["division"]),
        }

    def value(name, v):
        mine = counts(lambda s: s["conditions"][name] == v)
        n = sum(s["conditions"][name] == v for s in sheet)
        units = {"date": 1, "donor": None, "chip": n, "position": None, "region": None, "sample": n, "cell": mine["trajectories"]}
        return {"value": v, "units": units, **{k: mine[k] for k in ("rows", "death", "division")}}

    conditions = [
        {
            "name": c["name"],
            "kind": "binary",
            "reference": 0,
            "values": [value(c["name"], v) for v in (0, 1)],
            "permuted_unit": "chip",
            "arrangements": 36,
            "smallest_p": 2 / 36,
            "effective_units": 8.0,
            "undecidable": True,
        }
        for c in CONDITIONS
    ]
    cells = []
    for a in (0, 1):
        for b in (0, 1):
            here = {"treatment": a, "CAF_presence": b}
            n = sum(s["conditions"] == here for s in sheet)
            cells.append({"conditions": here, "chips": n, "samples": n, **counts(lambda s, h=here: s["conditions"] == h)})
    everything = counts(lambda s: True)
    return {
        "unit": "cell",
        "population": "tumour",
        "length_unit": "um",
        "time_step_frames": 1,
        "time_step_min": 10.0,
        "frame_interval_min": 10.0,
        "trajectories": everything["trajectories"],
        "rows": len(rows),
        "events": {k: everything[k] for k in ("death", "division")},
        "left_out": {"short": 4, "max_rows": 12, "failed": 0, "control": 0},
        "chip_level": "chip",
        "levels": {"chip": len(sheet), "sample": len(sheet), "date": 1},
        "conditions": conditions,
        "cells": cells,
        "empty_cells": [c["conditions"] for c in cells if c["chips"] == 0],
        "confounded": [],
        "undecidable": [],
        "samples": [],
        "warnings": [],
    }


@cache
def picture(seed=0):
    """A small PNG, as bytes."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 60, (96, 96, 3), dtype=np.uint8)).save(out, format="PNG")
    return out.getvalue()


@cache
def film():
    """A small film, as bytes."""
    import tempfile
    from pathlib import Path

    from cytocause.report.film import encode

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "film.mp4")
        frames = (np.full((64, 64, 3), 8 * i, dtype=np.uint8) for i in range(10))
        encode(frames, path, width=64, height=64)
        return path.read_bytes()


def data(n_per_cell=2, edges=None, seed=0):
    """Everything `build` takes."""
    sheet = samples(n_per_cell)
    rows = table(sheet, seed=seed)
    rng = np.random.default_rng(seed + 1)
    names = ["treatment", "CAF_presence", *STATES, *FEATURES]
    roles = dict.fromkeys(names, "dynamic") | {"treatment": "contextual", "CAF_presence": "contextual"}
    keys = [(s["sample"], p) for s in sheet for p in ("tumour", "immune")]
    frames = np.arange(40)
    movie = film()
    edges = EDGES if edges is None else edges
    return {
        "cfg": {
            **DEFAULTS,
            "samples": sheet,
            "populations": ["tumour", "immune"],
            "conditions": CONDITIONS,
            "config": {"samples": "config/samples.tsv", "infer": {"n_layers": 3}},
        },
        "table": rows,
        "variables": pd.DataFrame(
            {"name": names, "kind": ["discrete"] * 4 + ["continuous"] * 5, "role": [roles[n] for n in names]}
        ),
        "design": design(sheet, rows),
        "failed": pd.DataFrame({k: pd.Series([], dtype=object) for k in ("sample", "failed_at", "reason", "todo")}),
        "graph": {"nodes": [{"name": n, "role": roles[n]} for n in names], "edges": edges},
        "edges": pd.DataFrame([{k: v for k, v in e.items() if k != "contributors"} for e in edges]),
        "run": {"parameters": {"n_layers": 3, "delta_t": 1}, "warnings": []},
        "meta": {
            s["sample"]: {
                "n_frames": 40,
                "frame_interval_min": 10.0,
                "pixel_size_um": 1.0,
                "unit": "um",
            }
            for s in sheet
        },
        "qc": {
            s["sample"]: pd.DataFrame(
                {
                    "frame": frames,
                    "focus_tumour": rng.normal(100, 3, 40),
                    "drift_y_px": rng.normal(0, 0.2, 40).cumsum(),
                    "drift_x_px": rng.normal(0, 0.2, 40).cumsum(),
                    "flags": [""] * 20 + ["blurred"] + [""] * 19,
                }
            )
            for s in sheet
        },
        "counts": {
            key: pd.DataFrame({"frame": frames, "n_objects": rng.poisson(20, 40), "flag": [""] * 40}) for key in keys
        },
        "segment": {key: {"engine": "cellpose", "model": "toc-nuclei", "sha256": "ab" * 32} for key in keys},
        "events": {
            key: pd.DataFrame(
                {
                    "event": rng.choice(["division", "death", "censored"], 25),
                    "time_min": np.sort(rng.uniform(0, 390, 25)),
                }
            )
            for key in keys
        },
        "tracks": dict.fromkeys(keys, 31),
        "stills": {key: picture(i) for i, key in enumerate(keys)},
        "films": {key: (len(movie), lambda: movie) for key in keys},
        "status": [{"stage": "segment", "sample": "chip2", "ok": True, "warnings": ["immune: a sudden change in frame 7."]}],
        "scorecard": None,
        "versions": {"cytocause": "0.1.0", "numpy": "2.0.2"},
        "written": "2026-01-02 03:04 UTC",
    }
