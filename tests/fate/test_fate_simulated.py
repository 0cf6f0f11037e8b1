"""Simulated chips under the drug: deaths on true tracks, features measured here from masks and pixels."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cytocause.fate import find_fates
from tests.fate.traces import meta

ROOT = Path(__file__).parents[2]


def chip(seed, treatment):
    """Cells and tracks tables of the tumour cells, and the true events."""
    import yaml

    from cytocause.io.settings import fill_defaults
    from cytocause.simulate import SimulatedChip, parse_model

    cfg = {}
    fill_defaults(cfg, yaml.safe_load((ROOT / "workflow" / "schemas" / "simulate.schema.yaml").read_text()))
    cfg.update(seed=seed, n_frames=70, height=180, width=180)
    path = ROOT / "resources" / "causal_models" / "tumour_on_chip.yaml"
    model = parse_model(path.read_text(encoding="utf-8"), source=path.name)
    simulated = SimulatedChip(model, cfg, f"c{seed}", {"treatment": treatment, "CAF_presence": 0})
    masks, images = simulated.label_frames(), simulated.image_frames()
    parts = [measured(np.asarray(m)[0], np.asarray(i)[0].astype(float), t) for t, (m, i) in enumerate(zip(masks, images))]
    seen = pd.concat(parts, ignore_index=True)
    truth = simulated.tracks()
    truth = truth.loc[truth["population"] == "tumour", ["track_id", "parent_id", "frame", "time_min", "y_um", "x_um"]]
    cells = truth.merge(seen, on=["track_id", "frame"]).sort_values(["track_id", "frame"], ignore_index=True)
    cells["area_um2"] = cells.pop("area") * simulated.pixel_um**2
    step = np.hypot(cells["y_um"].diff(), cells["x_um"].diff()) / 10
    cells["speed_um_min"] = step.where(cells["track_id"].eq(cells["track_id"].shift()))
    events = simulated.events()
    return cells, events[(events["population"] == "tumour") & (events["event"] == "death")], simulated.pixel_um


def measured(labels, image, frame):
    k = labels.ravel()
    n = np.bincount(k)
    total, square = np.bincount(k, image.ravel() - 100), np.bincount(k, (image.ravel() - 100) ** 2)
    own = np.flatnonzero(n[1:]) + 1
    mean = total[own] / n[own]
    sd = np.sqrt(square[own] / n[own] - mean**2)
    return pd.DataFrame(
        {"track_id": own, "frame": frame, "area": n[own], "intensity_mean_tumour": mean, "intensity_sd_tumour": sd, "border": False}
    )


def test_deaths_of_simulated_chips(fate_cfg):
    hits = called = true = late = 0
    for seed, treatment in ((1, 1), (2, 1), (3, 0)):
        cells, deaths, pixel = chip(seed, treatment)
        events, _ = find_fates(cells, cells, meta(70, size=180, pixel=pixel), fate_cfg)
        found = events[events["event"] == "death"].set_index("track_id")["frame"].to_dict()
        known = deaths.set_index("track_id")["frame"].to_dict()
        # the last 70 minutes are not asked for: such deaths are censored on purpose
        known = {k: f for k, f in known.items() if f < 63}
        called, true = called + len(found), true + len(known)
        hits += sum(1 for k, f in found.items() if k in known and abs(known[k] - f) <= 3)
        late += sum(abs(known[k] - f) for k, f in found.items() if k in known)
        assert set(events["track_id"]) == set(cells["track_id"])
        divided = set(cells["parent_id"]) - {0}
        assert divided >= set(events.loc[events["event"] == "division", "track_id"])
    assert true >= 5
    assert 2 * hits / (called + true) >= 0.85
    assert late / max(1, hits) == pytest.approx(0, abs=3)
