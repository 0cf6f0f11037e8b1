"""scripts/measure.py on files: the movie's own pixels, a failed sample, the same bytes twice."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cytocause.io import read_json, read_table, run_stage, write_json, write_labels, write_movie, write_table

SCRIPT = runpy.run_path(str(Path(__file__).parents[2] / "scripts" / "measure.py"))
CFG = {
    "r1_um": 5.0,
    "r2_um": 12.0,
    "r1_px": 20,
    "r2_px": 36,
    "speed_window_min": 30,
    "directionality_window_min": 60,
    "hold_min": 0,
    "subtract_drift": True,
    "sample": "chip1",
    "population": "tumour",
    "others": ["immune"],
    "levels": {"chip": "c1"},
}


@pytest.fixture
def job(tmp_path):
    """A snakemake object for one sample of 4 frames with one square cell that moves 1 px a frame."""
    labels = np.zeros((4, 20, 24), np.uint16)
    for t in range(4):
        labels[t, 5:9, 3 + t : 8 + t] = t + 1
    movie = (np.where(labels > 0, 50, 10) + np.arange(4)[:, None, None]).astype(np.uint16)
    write_labels(tmp_path / "labels.ome.tif", iter(labels), n_frames=4, height=20, width=24)
    write_movie(
        tmp_path / "movie.ome.tif", (f[None] for f in movie), channel_names=["tumour"], pixel_size_um=0.5, time_min=[0, 5, 10, 15]
    )
    tracks = pd.DataFrame(
        {
            "sample": "chip1",
            "track_id": np.ones(4, np.int64),
            "parent_id": np.zeros(4, np.int64),
            "frame": np.arange(4, dtype=np.int32),
            "time_min": np.arange(4) * 5.0,
            "label": np.arange(1, 5, dtype=np.int32),
            "y_um": 3.25,
            "x_um": 2.5 + 0.5 * np.arange(4),
            "cell_type": "tumour",
            "source": "auto",
        }
    )
    write_table(tracks, tmp_path / "tracks.parquet")
    write_table(tracks.assign(y_um=5.0, cell_type="immune", label=np.int32(0)), tmp_path / "immune.parquet")
    meta = {"unit": "um", "pixel_size_um": 0.5, "frames": [0, 1, 2, 3], "time_min": [0, 5, 10, 15], "frame_interval_min": 5}
    meta |= {"channels": ["tumour"], "axes": "TCYX", "intensity": {"tumour": {"background": 10}}, "drift_px": [[0, 0]] * 4}
    write_json(meta, tmp_path / "movie.json")
    write_json({"ok": True}, tmp_path / "track.json")
    return SimpleNamespace(
        rule="measure",
        input=SimpleNamespace(
            movie=[str(tmp_path / "movie.ome.tif")],
            labels=[str(tmp_path / "labels.ome.tif")],
            tracks=str(tmp_path / "tracks.parquet"),
            others=[str(tmp_path / "immune.parquet")],
            meta=str(tmp_path / "movie.json"),
            given=[],
            status=[str(tmp_path / "track.json")],
        ),
        output=SimpleNamespace(cells=str(tmp_path / "cells.parquet"), status=str(tmp_path / "measure.json")),
        params=SimpleNamespace(cfg=CFG),
        wildcards=SimpleNamespace(sample="chip1", population="tumour"),
        threads=1,
        log=[str(tmp_path / "measure.log")],
    )


def run(job):
    run_stage(job, SCRIPT["work"], SCRIPT["empty"])
    return read_table(job.output.cells), read_json(job.output.status)


def test_pixels_become_features_and_the_same_bytes_twice(job):
    cells, status = run(job)
    assert status["ok"] and status["facts"] == {"rows": 4, "tracks": 1}
    assert cells["area_um2"].tolist() == [5.0] * 4
    assert cells["intensity_mean_tumour"].tolist() == [40, 41, 42, 43]
    assert cells["speed_um_min"].tolist()[1:] == pytest.approx([0.1] * 3)
    assert cells["n_immune_r1"].tolist() == [1] * 4 and cells["chip"].tolist() == ["c1"] * 4
    before = Path(job.output.cells).read_bytes()
    run(job)
    assert Path(job.output.cells).read_bytes() == before


def test_a_sample_that_failed_before_has_an_empty_table_of_the_same_columns(job):
    cells, _ = run(job)
    write_json({"ok": False, "failed_at": "segment", "reason": "No cell was found.", "todo": "Look."}, job.input.status[0])
    none, status = run(job)
    assert len(none) == 0 and list(none.columns) == list(cells.columns)
    assert (status["ok"], status["failed_at"], status["reason"]) == (False, "segment", "No cell was found.")


@pytest.mark.parametrize(("facts", "count"), [({"nothing_found": True}, 0.0), ({}, np.nan)])
def test_tumour_cells_are_measured_where_the_immune_population_failed(job, tmp_path, facts, count):
    status = {"ok": False, "population": "immune", "failed_at": "segment", "reason": "No cell was found.", "facts": facts}
    write_json(status, tmp_path / "immune.json")
    write_table(read_table(job.input.others[0]).iloc[:0], job.input.others[0])
    job.input.status.append(str(tmp_path / "immune.json"))
    cells, status = run(job)
    assert status["ok"] and len(cells) == 4
    assert np.array_equal(cells["n_immune_r1"], [count] * 4, equal_nan=True) and cells["distance_immune_um"].isna().all()
    assert cells["n_tumour_r1"].tolist() == [0] * 4
    assert "Population immune failed at segment" in status["warnings"][0] and "No cell was found." in status["warnings"][0]


@pytest.mark.parametrize("source", ["given", "auto"])
def test_two_populations_that_are_the_same_cells_are_noticed(job, source):
    tracks = read_table(job.input.tracks).assign(source=source)
    for path in (job.input.tracks, job.input.others[0]):
        write_table(tracks, path)
    _, status = run(job)
    assert status["ok"] is (source == "auto")
    said = status["reason"] or status["warnings"][0]
    assert "Populations tumour and immune of sample chip1 are the same cells in every frame." in said
    assert status["ok"] or "{population}" in status["todo"]


def test_a_defect_of_the_input_is_a_status_and_an_empty_table(job):
    meta = read_json(job.input.meta)
    write_json(meta | {"frames": [0, 1, 2, 3, 4]}, job.input.meta)
    none, status = run(job)
    assert len(none) == 0 and not status["ok"] and status["failed_at"] == "measure"
    assert "label stack has 4 pages, the movie 5" in status["reason"]


def test_given_cells_are_read_and_win(job, tmp_path):
    given = pd.DataFrame({"track_id": 1, "frame": range(4), "area_px2": [4.0, 8, 12, 16]})
    given.to_csv(tmp_path / "given.csv", index=False)
    job.input.given = [str(tmp_path / "given.csv")]
    cells, _ = run(job)
    assert cells["area_um2"].tolist() == [1, 2, 3, 4]
