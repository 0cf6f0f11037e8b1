"""Phase contrast with given label images, each frame relabelled at random: do we link as they did?"""

import numpy as np
import pandas as pd
import pytest
import tifffile

from tests.examples import real

NAME = "usiigaci_t98g_phase"
FRAMES = 6


@pytest.fixture(scope="module")
def run(data_root, tmp_path_factory):
    data = tmp_path_factory.mktemp("usiigaci")
    real.cut(data_root, data, f"{NAME}/t98g_frames_00-19.tif", frames=FRAMES)
    ids = real.cut(data_root, data, f"{NAME}/t98g_tracked_ids_00-19.tif", frames=FRAMES)
    before = f"{NAME}/make_inputs.py"
    return tifffile.imread(ids), real.run_example(data / "tree", data, f"{NAME}/labels.yaml", before=before)


def test_shuffled_labels_are_linked_as_published(run):
    given, results = run
    compare = real.script(f"{NAME}/compare.py")
    folder = results / "samples/t98g/cells"
    labels = compare.frames_of(folder / "labels.ome.tif")
    assert all(((a > 0) == (b > 0)).all() for a, b in zip(given, labels))  # their outlines ...
    assert not any((a == b)[a > 0].mean() > 0.2 for a, b in zip(given, labels))  # ... and not their numbers
    found = compare.compare_links(given, labels, pd.read_parquet(folder / "tracks.parquet"))
    print(found)
    assert found["recall"] >= 0.97 and found["precision"] >= 0.97


def test_every_stage_ends_in_micrometres(run):
    _, results = run
    report = real.check_results(results, "t98g")
    assert "pixel size is unknown" not in report
    cells = pd.read_parquet(results / "samples/t98g/cells/cells.parquet")
    assert 40 < cells["equivalent_diameter_um"].median() < 70
    assert (pd.read_parquet(results / "samples/t98g/cells/events.parquet")["event"] != "death").all()


@pytest.fixture(scope="module")
def raw(data_root, tmp_path_factory):
    """(given label images, results) of three frames, their left half, from the pixels."""
    data = tmp_path_factory.mktemp("usiigaci_raw")
    names = (f"{NAME}/t98g_{what}_00-19.tif" for what in ("frames", "tracked_ids"))
    _, ids = (real.cut(data_root, data, name, frames=3, columns=slice(512)) for name in names)
    edits = [("infer:\n", "assemble: {min_length: 2}\n\ninfer:\n")]
    return tifffile.imread(ids), real.run_example(data / "tree", data, f"{NAME}/raw.yaml", edits=edits)


def test_from_the_pixels_neither_engine_finds_the_cells(raw):
    given, results = raw
    compare = real.script(f"{NAME}/compare.py")
    found = {name: compare.frames_of(results / f"samples/t98g/{name}/labels.ome.tif") for name in ("otsu", "network")}
    scores = {name: compare.compare_masks(given, labels) for name, labels in found.items()}
    print(scores)
    assert scores["otsu"]["tp"] + scores["otsu"]["fp"] > 50  # there are objects, and they are no cells
    assert all(score["ap50"] < 0.05 and score["fn"] > 50 for score in scores.values())


def test_the_failures_from_the_pixels_are_in_a_whole_report(raw):
    report = real.check_results(raw[1], "t98g", ("otsu", "network"))
    assert report.count("<video") == 2
    assert all(f"{name}</th><td>engine {engine}" in report for name, engine in (("otsu", "threshold"), ("network", "cellpose")))
    assert report.rstrip().endswith("</html>")


def test_the_comparison_sees_swapped_cells():
    compare = real.script(f"{NAME}/compare.py")
    frame = np.zeros((8, 8), np.int32)
    frame[1:3, 1:3], frame[5:7, 5:7] = 1, 2
    tracks = pd.DataFrame({"frame": [0, 0, 1, 1, 2, 2], "label": [1, 2] * 3, "track_id": [1, 2, 1, 2, 2, 1]})
    found = compare.compare_links([frame] * 3, [frame] * 3, tracks)
    assert (found["given"], found["common"], found["cells_whole"]) == (4, 2, 0)


def test_the_masks_of_one_frame_against_themselves():
    compare = real.script(f"{NAME}/compare.py")
    frame = np.zeros((8, 8), np.int32)
    frame[1:3, 1:3], frame[5:7, 5:7] = 1, 2
    assert compare.compare_masks([frame], [frame])["ap50"] == 1
    assert compare.compare_masks([frame], [np.where(frame == 1, 0, frame)]) == {
        "tp": 1, "fp": 0, "fn": 1, "ap50": 0.5, "recall": 0.5, "precision": 1.0,
    }  # fmt: skip
