"""Breast-cancer cells in quantitative phase: 30 frames through every stage, scored on the given tracks."""

import json

import pandas as pd
import pytest

from tests.examples import real

NAME = "cellphe_mda_mb_231_qpi"
FRAMES = 30


@pytest.fixture(scope="module")
def results(data_root, tmp_path_factory):
    data = tmp_path_factory.mktemp("cellphe")
    real.cut(data_root, data, f"{NAME}/frames_001-240.tif", frames=FRAMES)
    engine = ("engine: cellpose, model: toc-nuclei, diameter_um: 24", "engine: threshold, diameter_um: 22")
    return real.run_example(data / "tree", data, f"{NAME}/config.yaml", edits=[engine])


def test_every_stage_ends_and_the_report_is_in_pixels(results):
    report = real.check_results(results, "b3_3")
    assert "pixel size is unknown" in report and "px" in report
    tracks = pd.read_parquet(results / "samples/b3_3/cells/tracks.parquet")
    assert {"y_px", "x_px"} <= set(tracks.columns) and "y_um" not in tracks.columns


def test_counts_are_those_of_the_eye(results):
    """About 45 cells are seen in the first frame."""
    counts = pd.read_csv(results / "samples/b3_3/cells/segment.tsv", sep="\t")
    assert len(counts) == FRAMES and counts["n_objects"].between(35, 60).all()


def test_the_network_of_the_config_sees_the_same_cells(data_root, tmp_path):
    """Three frames with the example's own engine, as it stands in the config."""
    real.cut(data_root, tmp_path, f"{NAME}/frames_001-240.tif", frames=3)
    folder = "results/samples/b3_3/cells"
    results = real.run_example(tmp_path / "tree", tmp_path, f"{NAME}/config.yaml", f"{folder}/segment.tsv")
    counts = pd.read_csv(results / "samples/b3_3/cells/segment.tsv", sep="\t")["n_objects"]
    assert len(counts) == 3 and counts.between(35, 60).all(), counts.tolist()
    made_by = json.loads((results / "samples/b3_3/cells/segment.json").read_text())
    assert (made_by["engine"], made_by["model"]) == ("cellpose", "toc-nuclei")


def test_the_given_tracks_are_followed(results, data_root):
    compare = real.script(f"{NAME}/compare.py")
    given = compare.read_given(data_root / NAME / "cell_features_tracks.csv.gz")
    given = given[given["frame"] < FRAMES]
    cells = compare.score(given, pd.read_parquet(results / "samples/b3_3/cells/tracks.parquet"))
    summary = compare.summary(cells)
    print(summary)
    assert len(cells) >= 11
    assert summary["points matched"] >= 0.9
    assert summary["links kept"] >= 0.9


def test_the_score_sees_a_broken_track():
    compare = real.script(f"{NAME}/compare.py")
    given = pd.DataFrame({"cell": 1, "frame": range(6), "y_px": 10.0, "x_px": [float(10 * i) for i in range(6)]})
    ours = given.assign(track_id=[1, 1, 1, 2, 2, 2], y_px=13.0)
    row = compare.score(given, ours).iloc[0]
    assert (row["links"], row["kept"], row["longest"], row["tracks"], row["switches"]) == (5, 4, 3, 2, 1)
    assert compare.score(given, ours.assign(y_px=23.0)).iloc[0]["matched"] == 0  # 13 px off: further than the radius
