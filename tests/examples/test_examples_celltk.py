"""Dense nuclei and two reporters: raw frames through every stage, with the shipped network."""

import numpy as np
import pandas as pd
import pytest
import tifffile

from tests.examples import real

NAME = "celltk_reporter_frames"


@pytest.fixture(scope="module")
def dense(data_root, tmp_path_factory):
    data = tmp_path_factory.mktemp("dense")
    window = slice(400, 720)
    real.cut(data_root, data, f"{NAME}/dense_nuclei_cy5_605-614.tif", frames=3, rows=window, columns=window)
    edits = [("assemble:\n", "assemble:\n  min_length: 3\n")]
    return real.run_example(data / "tree", data, f"{NAME}/dense.yaml", edits=edits)


@pytest.fixture(scope="module")
def il1b(data_root, tmp_path_factory):
    data = tmp_path_factory.mktemp("il1b")
    name = f"{NAME}/il1b_testimages1_TCYX.tif"
    movie = tifffile.imread(data_root / name)[:, :, :256, :256]
    (data / NAME).mkdir()
    tifffile.imwrite(data / name, movie, metadata=None)
    return real.run_example(data / "tree", data, f"{NAME}/il1b.yaml", edits=[("n_eff: 228", "n_eff: 60")])


def test_dense_nuclei_are_found_and_followed(dense):
    real.check_results(dense, "dense")
    counts = pd.read_csv(dense / "samples/dense/cells/segment.tsv", sep="\t")["n_objects"]
    assert counts.between(130, 220).all() and np.ptp(counts) < 0.1 * counts.mean()
    tracks = pd.read_parquet(dense / "samples/dense/cells/tracks.parquet")
    lengths = tracks.groupby("track_id").size()
    assert lengths[lengths == 3].sum() >= 0.8 * len(tracks)


def test_three_channels_are_measured_in_the_nuclei(il1b):
    report = real.check_results(il1b, "il1b")
    assert "pixel size is unknown" in report
    counts = pd.read_csv(il1b / "samples/il1b/cells/segment.tsv", sep="\t")["n_objects"]
    assert len(counts) == 4 and counts.between(50, 75).all()
    cells = pd.read_parquet(il1b / "samples/il1b/cells/cells.parquet")
    for channel in ("dapi", "tritc", "yfp"):
        assert cells[f"intensity_mean_{channel}"].notna().all()
    assert (cells["intensity_mean_dapi"] > 0).mean() > 0.99  # above the background where DAPI is
    assert {"area_px2", "speed_px_min"} <= set(cells.columns)
