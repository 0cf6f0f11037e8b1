"""The real tumour-on-chip experiment (CausalXtract's released tracks): its inputs, its scale, and its table."""

import runpy
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from cytocause.assemble import Sample, assemble_table
from cytocause.io.settings import check_config, load_schema
from cytocause.measure import measure_cells

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config" / "examples" / "tumor_on_chip"
REGIONS = ["20161230_pos5_roi9", "20161230_pos1_roi6", "20170105_pos3_roi2", "20170517_pos19_roi2"]


@pytest.fixture(scope="module")
def source(data_root, skip):
    folder = data_root / "tumor_on_chip_causalxtract"
    if not folder.is_dir():
        skip(f"{folder} is absent")
    return folder


@pytest.fixture(scope="module")
def inputs(source, tmp_path_factory):
    target = tmp_path_factory.mktemp("tumor_on_chip")
    runpy.run_path(str(EXAMPLE / "make_inputs.py"))["main"](source, target)
    return target


@pytest.fixture(scope="module")
def sheet():
    return pd.read_csv(EXAMPLE / "samples.tsv", sep="\t", dtype={"date": str}).set_index("sample")


@pytest.fixture(scope="module")
def config():
    text = (EXAMPLE / "config.yaml").read_text()
    return check_config(yaml.safe_load(text), load_schema(ROOT / "workflow" / "schemas"), "config.yaml")


def test_the_sheet_holds_every_region_with_its_conditions(source, sheet):
    states = pd.read_csv(source / "state_data.csv.gz")
    found = states.groupby("IDExp")[["treatment", "CAF_presence"]].agg(["min", "max"])
    assert (found.xs("min", axis=1, level=1) == found.xs("max", axis=1, level=1)).all().all()
    truth = found.xs("max", axis=1, level=1)
    truth.index = truth.index.str.removeprefix("id")
    pd.testing.assert_frame_equal(truth, sheet[["treatment", "CAF_presence"]], check_names=False)
    assert (sheet["pixel_size_um"] == 0.645).all() and (sheet["frame_interval_min"] == 2).all()
    names = sheet[["date", "position", "region"]].agg("_".join, axis=1)
    assert (names == sheet.index).all() and (sheet["chip"] == sheet["position"]).all()


def test_the_events_are_the_hand_made_ones(source, inputs):
    divisions = pd.read_csv(source / "global_division.csv").dropna().set_index("IDExp")["frame_division"]
    found = pd.concat({p.name: pd.read_csv(p / "events.csv") for p in inputs.iterdir()}).droplevel(1)
    ours = found[found["event"] == "division"]["frame"]
    divisions.index = divisions.index.str.removeprefix("id")
    assert (ours.sort_index() == divisions.sort_index().astype(int) - 1).all() and len(ours) == 6
    assert (found["event"] == "death").sum() == 4


def test_frames_count_from_0_and_bridged_gaps_are_gaps_again(source, inputs):
    raw = pd.read_csv(source / "immune_tracks.csv.gz")
    raw = raw[raw["roi"] == "id20161230_pos5_roi9"]
    ours = pd.read_csv(inputs / "20161230_pos5_roi9" / "immune.csv")
    assert ours["frame"].min() == raw["frame"].min() - 1 and ours["track_id"].nunique() == raw["track"].nunique()
    ordered = ours.sort_values(["track_id", "frame"])
    step = ordered.groupby("track_id")[["frame", "y_px", "x_px"]].diff().dropna()
    assert (step[["y_px", "x_px"]].abs().sum(axis=1) > 0).all() and step["frame"].max() > 1
    assert 0.4 < len(ours) / len(raw) < 0.45  # more than half of this region's immune positions were repeats


@cache
def _whole(n_max=400):
    return np.arange(1, n_max)


def _odd_denominators(x, y):
    """Numerators (y, x) of the positions that are centroids of a region with an odd reduced number of pixels."""
    out = []
    n = _whole()
    for a, b in zip(x, y):
        miss = np.maximum(np.abs(a * n - np.round(a * n)), np.abs(b * n - np.round(b * n)))
        hit = np.flatnonzero(miss < 2e-8 * n)
        if len(hit) and n[hit[0]] % 2:
            out.append((round(a * n[hit[0]]), round(b * n[hit[0]])))
    return np.array(out)


def test_the_half_scale_date_is_already_doubled_in_the_released_positions(source):
    """A centroid of n pixels is S / n. Found at half scale and doubled it is 2 S / n: for odd n always an even numerator,
    for n = 2 mod 4 (which reduces to odd) either: 5 of 6 are even. On the original scale half of them are."""
    immune = pd.read_csv(source / "immune_tracks.csv.gz")
    even = {}
    for date, rows in immune.groupby(immune["roi"].str[2:10]):
        rows = rows.iloc[:: max(1, len(rows) // 1500)]
        even[date] = (_odd_denominators(rows["x_px"], rows["y_px"]) % 2 == 0).mean()
    assert even["20170517"] > 0.78 and abs(even["20161230"] - 0.5) < 0.06 and abs(even["20170105"] - 0.5) < 0.06


def _sample(name, inputs, row, config):
    """A region through measure, in memory."""
    tables = {}
    for population in ("tumour", "immune"):
        table = pd.read_csv(inputs / name / f"{population}.csv")
        table = table.assign(y_um=table["y_px"] * 0.645, x_um=table["x_px"] * 0.645, time_min=table["frame"] * 2.0)
        table = table.assign(parent_id=0, label=np.int32(0), cell_type=population, sample=name, source="given")
        tables[population] = table.astype({"frame": "int32"})
    frames = list(range(1440))
    meta = {"unit": "um", "pixel_size_um": 0.645, "frames": frames, "time_min": [2.0 * f for f in frames]}
    meta |= {"frame_interval_min": 2.0, "channels": [], "drift_px": []}
    cfg = config["measure"] | {"sample": name, "population": "tumour", "others": ["immune"], "levels": {}}
    cells, _ = measure_cells(tables["tumour"], meta, cfg, others=[tables["immune"]])
    conditions = {"treatment": int(row["treatment"]), "CAF_presence": int(row["CAF_presence"])}
    events = pd.read_csv(inputs / name / "events.csv")
    levels = {"date": row["date"], "chip": row["chip"]}
    one = Sample(
        name, conditions, levels, meta, [], lambda p, c: cells[c], lambda p: tables["tumour"], lambda p: events
    )
    return one, cells, tables


@pytest.fixture(scope="module")
def measured(inputs, sheet, config):
    return {name: _sample(name, inputs, sheet.loc[name], config) for name in REGIONS}


def test_contacts_are_those_of_all_pairs_in_micrometres(measured, source):
    """Counts by hand from the released pixels, bridged positions included as they were."""
    name = "20161230_pos5_roi9"
    _, cells, _ = measured[name]
    tumour, immune = (pd.read_csv(source / f"{what}_tracks.csv.gz") for what in ("tumor", "immune"))
    tumour, immune = tumour[tumour["roi"] == f"id{name}"], immune[immune["roi"] == f"id{name}"]
    pairs = immune.merge(tumour, on="frame", suffixes=("", "_t"))
    away = np.hypot(pairs["x_px"] - pairs["x_px_t"], pairs["y_px"] - pairs["y_px_t"]) * 0.645
    by_hand = pairs[away <= 23.2].groupby("frame").size().reindex(range(1, 721), fill_value=0).to_numpy()
    ours = cells.sort_values("frame")["n_immune_r2"].to_numpy()
    assert (ours >= by_hand).all()  # a cell that never comes back is still held for 18 min
    assert np.mean(ours == by_hand) > 0.8 and np.mean(ours - by_hand) < 0.25


def test_the_table_has_the_published_names_and_states(measured, config):
    cfg = config["assemble"] | {"populations": ["tumour", "immune"], "conditions": config["conditions"], "exposures": []}
    table, variables, design = assemble_table([one for one, *_ in measured.values()], cfg)
    published = ["CAF_presence", "treatment", "apoptosis", "division", "instantaneous_cancer_velocity", "net_displacement", "directionality", "number_of_cancer_immune_interactions_r2", "minimal_cancer_immune_distance_r2", "mean_immune_velocity_r2", "mean_immune_velocity_r1", "number_of_cancer_immune_interactions_r1"]
    assert variables["name"].tolist() == published
    assert variables["role"].tolist() == ["contextual"] * 2 + ["dynamic"] * 10
    assert design["time_step_min"] == 14 and design["trajectories"] == 4 and design["events"] == {"death": 2, "division": 2}
    died = table[table["trajectory"] == "20161230_pos5_roi9:1"].set_index("time_step")["apoptosis"]
    onset = 293 // 7
    assert died.loc[onset - 1] == 0 and died.loc[onset] == 1 and died.iloc[-1] == 1 and died.index.max() == 719 // 7
    divided = table[table["trajectory"] == "20161230_pos1_roi6:1"].set_index("time_step")["division"]
    assert divided.loc[357 // 7 - 1] == 0 and divided.loc[357 // 7] == 1


def test_positions_move_alike_on_all_dates_in_micrometres(measured):
    """A factor 2 between dates would show: median step per 2 min in um."""
    steps = {name[:8]: cells["speed_um_min"].median() * 2 for name, (_, cells, _) in measured.items()}
    assert max(steps.values()) < 1.7 * min(steps.values())
