"""The script: every truth file of the contract, readable and in agreement."""

import runpy
from types import SimpleNamespace

import numpy as np

from cytocause.io import open_labels, open_movie, read_json, read_table
from tests.simulate import worlds

NAMES = {
    "movie": "movie.ome.tif", "labels": "labels.ome.tif", "tracks": "tracks.parquet", "events": "events.parquet",
    "variables": "variables.parquet", "variables_hidden": "variables_hidden.parquet", "contacts": "contacts.parquet",
    "graph": "graph.json", "status": "status.json",
}  # fmt: skip


def run(folder, model, sample="chip_01"):
    folder.mkdir(exist_ok=True)
    cfg = worlds.section(n_frames=4, height=64, width=80)
    snakemake = SimpleNamespace(
        rule="simulate",
        wildcards=SimpleNamespace(sample=sample),
        threads=1,
        log=[str(folder / "log.txt")],
        input=SimpleNamespace(model=str(model)),
        output=SimpleNamespace(**{key: str(folder / name) for key, name in NAMES.items()}),
        params=SimpleNamespace(cfg={**cfg, "sample": sample, "model": "x", "conditions": dict(worlds.DRUG)}),
    )
    runpy.run_path(str(worlds.ROOT / "scripts/simulate.py"), init_globals={"snakemake": snakemake})
    return {key: folder / name for key, name in NAMES.items()}


def test_all_truth_files_are_written_and_agree(tmp_path):
    out = run(tmp_path, worlds.ROOT / "resources/causal_models/tumour_on_chip.yaml")
    assert read_json(out["status"])["ok"] is True
    tracks = read_table(out["tracks"])
    with open_movie(out["movie"]) as movie:
        assert (movie.n_frames, movie.height, movie.width, movie.channel_names) == (4, 64, 80, ["tumour", "immune"])
        assert movie.metadata["pixel_size_um"] == 0.8
        assert list(movie.metadata["time_min"]) == [0, 10, 20, 30]
    for channel, name in enumerate(("tumour", "immune")):
        labels = open_labels(out["labels"], channel=channel)
        for frame in range(4):
            here = tracks[(tracks["population"] == name) & (tracks["frame"] == frame)]
            assert sorted(here["label"]) == [k for k in np.unique(labels.frame(frame)) if k]
    assert {"population", "event", "reason"} <= set(read_table(out["events"]).columns)
    shown, hidden = read_table(out["variables"]), read_table(out["variables_hidden"])
    assert shown[["track_id", "frame"]].equals(hidden[["track_id", "frame"]]) and len(shown) > 0
    assert not set(hidden.columns) & {"area_um2", "phase"} and "hazard_death_per_h" not in shown.columns
    assert set(read_table(out["contacts"])["track_id"]) <= set(shown["track_id"])
    assert read_json(out["graph"])["scored_edges"]


def test_two_runs_write_the_same_bytes(tmp_path):
    model = worlds.ROOT / "resources/causal_models/null.yaml"
    first, second = run(tmp_path / "a", model), run(tmp_path / "b", model)
    for key in NAMES:
        assert first[key].read_bytes() == second[key].read_bytes(), key


def test_a_model_with_a_mistake_fails_the_sample_and_not_the_job(tmp_path):
    broken = tmp_path / "mine.yaml"
    broken.write_text(worlds.model_text("null").replace("diameter_um: 6.6", "diameter_um: -1"))
    out = run(tmp_path / "out", broken)
    status = read_json(out["status"])
    assert status["ok"] is False and "mine.yaml, line" in status["reason"] and "'diameter_um' is -1" in status["reason"]
    good = run(tmp_path / "good", worlds.ROOT / "resources/causal_models/null.yaml")
    for key in ("tracks", "events", "variables", "contacts"):
        empty, full = read_table(out[key]), read_table(good[key])
        assert len(empty) == 0
        assert [c for c in full.columns if c not in worlds.DRUG] == list(empty.columns)
    assert len(read_table(out["variables_hidden"])) == 0 and len(read_table(good["variables_hidden"])) > 0
    assert open_labels(out["labels"]).n_frames == 0
