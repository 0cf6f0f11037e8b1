"""The whole stage: a good movie gives its facts, a bad one a reason and empty outputs."""

import re

import numpy as np
import pandas as pd
import pytest
import tifffile
from scipy.ndimage import gaussian_filter

from cytocause.io import describe, read_table, write_labels, write_movie, write_table

KEYS = {
    *["sample", "source", "n_frames", "frames", "time_min", "frame_interval_min", "pixel_size_um", "unit", "height"],
    *["width", "channels", "dtype", "intensity", "drift_px", "has_movie", "has_truth", "axes", "cytocause_schema"],
}
ROW = {"pixel_size_um": 0.65, "frame_interval_min": 10}


def scene(n=8, channels=2, side=64, seed=0):
    """Movie (n, channels, side, side) uint16: background 100, cells up to about 1500."""
    rng = np.random.default_rng(seed)
    still = gaussian_filter((rng.random((channels, side, side)) > 0.99) * 1.0, (0, 3, 3)) * 40000
    return np.stack([rng.poisson(still + 100) for _ in range(n)]).astype("uint16")


def plain(path, movie):
    tifffile.imwrite(path, movie, photometric="minisblack")
    return path


def test_a_good_movie(tmp_path, prepare):
    path = tmp_path / "m.ome.tif"
    write_movie(path, iter(scene()), channel_names=["tumour", "immune"], pixel_size_um=0.65, time_min=np.arange(8) * 10.0)
    facts, status, out = prepare({"simulate": "tumour_on_chip"}, movie=[path])
    assert set(facts) == KEYS
    assert status["ok"] and status["warnings"] == [] and status["facts"] == {"n_frames": 8, "flagged": 0}
    assert facts["frames"] == list(range(8)) and facts["time_min"] == [10.0 * t for t in range(8)]
    assert (facts["pixel_size_um"], facts["unit"], facts["frame_interval_min"]) == (0.65, "um", 10.0)
    assert (facts["height"], facts["width"], facts["channels"], facts["dtype"]) == (64, 64, ["tumour", "immune"], "uint16")
    assert facts["intensity"]["tumour"]["background"] == pytest.approx(105, abs=10)
    assert facts["intensity"]["tumour"]["high"] > 300
    assert facts["has_movie"] and facts["has_truth"] and facts["drift_px"] == [[0.0, 0.0]] * 8
    quality = read_table(out / "qc.tsv")
    assert list(quality.columns) == [
        *["page", "frame", "time_min", "mean_tumour", "focus_tumour", "saturated_tumour"],
        *["mean_immune", "focus_immune", "saturated_immune", "drift_y_px", "drift_x_px", "flag"],
    ]
    assert all(describe(name) for name in quality.columns)
    np.testing.assert_allclose(quality["mean_tumour"], scene()[:, 0].mean(axis=(1, 2)))
    assert (out / "qc.png").stat().st_size > 10_000
    log = (out / "prepare.log").read_text()
    assert "prepare frames 8/8 (100 %)" in log


def test_the_same_movie_gives_the_same_bytes(tmp_path, prepare):
    path = plain(tmp_path / "m.tif", scene()[:, 0])
    before = {p.name: p.read_bytes() for p in prepare(ROW, movie=[path])[2].iterdir() if p.suffix != ".log"}
    after = {p.name: p.read_bytes() for p in prepare(ROW, movie=[path])[2].iterdir() if p.suffix != ".log"}
    assert before == after and set(before) == {"movie.json", "qc.tsv", "qc.png", "status.json"}


def test_unknown_pixel_size_stays_unknown(tmp_path, prepare):
    path = tmp_path / "m.ome.tif"
    write_movie(path, iter(scene()), channel_names=["a", "b"], pixel_size_um=0.65, time_min=np.arange(8) * 10.0)
    facts, status, _ = prepare({"pixel_size_um": "unknown"}, movie=[path])
    assert facts["pixel_size_um"] is None and facts["unit"] == "px"
    assert any("unknown" in text and "_px" in text for text in status["warnings"])


def test_dropped_frames_are_gaps(tmp_path, prepare):
    folder = tmp_path / "frames"
    folder.mkdir()
    for number, image in zip([1, 2, 3, 5, 6], scene(5)[:, 0]):
        tifffile.imwrite(folder / f"img_{number:03d}.tif", image)
    facts, status, out = prepare(ROW, movie=sorted(folder.iterdir()))
    assert facts["frames"] == [0, 1, 2, 4, 5] and facts["time_min"] == [0, 10, 20, 40, 50]
    assert facts["n_frames"] == 5 and len(facts["drift_px"]) == 5
    assert read_table(out / "qc.tsv")["flag"].fillna("").tolist() == ["", "", "", "gap_before", ""]
    assert "1 frame after dropped frames: 4." in status["warnings"]


def test_times_from_a_table(tmp_path, prepare):
    path = plain(tmp_path / "m.tif", scene(3)[:, 0])
    (tmp_path / "t.tsv").write_text("frame\ttime_min\n0\t0\n1\t4\n2\t11\n")
    facts, _, _ = prepare({"pixel_size_um": 1}, movie=[path], times=[tmp_path / "t.tsv"])
    assert facts["time_min"] == [0, 4, 11] and facts["frame_interval_min"] == 5.5
    (tmp_path / "t.tsv").write_text("frame\tseconds\n0\t0\n1\t4\n2\t11\n")
    _, status, _ = prepare({"pixel_size_um": 1}, movie=[path], times=[tmp_path / "t.tsv"])
    assert "no column time_min" in status["reason"]


def test_a_moved_stage_is_in_the_facts(tmp_path, prepare):
    rng = np.random.default_rng(3)
    big = gaussian_filter(rng.normal(size=(200, 200)), 3) * 2000 + 900
    frames = np.stack([big[20:180, 20:180], big[20:180, 20:180], big[15:175, 28:188]]).astype("uint16")
    facts, _, out = prepare(ROW, movie=[plain(tmp_path / "m.tif", frames)])
    np.testing.assert_allclose(facts["drift_px"], [[0, 0], [0, 0], [5, -8]], atol=0.3)
    assert read_table(out / "qc.tsv")["flag"].fillna("").tolist() == ["", "", "shifted"]
    off = {"drift": {"enabled": False, "min_step_px": 0.5, "max_step_px": 40, "agreement": 0.9}}
    assert prepare(ROW, movie=[tmp_path / "m.tif"], cfg=off)[0]["drift_px"] == [[0, 0]] * 3


def test_unusual_frames_are_flagged_and_kept(tmp_path, prepare):
    movie = scene(16)[:, 0].copy()
    movie[3] = 0
    movie[6] = movie[6] // 2
    movie[9] = gaussian_filter(movie[9].astype(float), 4).astype("uint16")
    movie[12, :20] = 65535
    facts, status, out = prepare(ROW, movie=[plain(tmp_path / "m.tif", movie)])
    flags = dict(enumerate(read_table(out / "qc.tsv")["flag"].fillna("")))
    assert status["ok"] and facts["n_frames"] == 16
    assert flags[3] == "empty" and "dark" in flags[6] and "blurred" in flags[9]
    assert {"bright", "saturated"} <= set(flags[12].split(","))
    assert [t for t, flag in flags.items() if flag] == [3, 6, 9, 12]
    text = " ".join(status["warnings"])
    assert "1 frame without an image (all pixels equal): 3." in text and "less sharp than those around: 9." in text


def defect(prepare, text, row=ROW, **given):
    facts, status, out = prepare(row, **given)
    assert not status["ok"] and status["failed_at"] == "prepare"
    assert re.search(text, status["reason"]), status["reason"]
    assert status["todo"]
    assert set(facts) == KEYS and facts["n_frames"] == 0 and facts["frames"] == [] and facts["has_movie"] is False
    assert len(read_table(out / "qc.tsv")) == 0 and (out / "qc.png").stat().st_size > 0
    return status


def test_one_frame_only(tmp_path, prepare):
    defect(prepare, "m.tif: The movie has one frame only", movie=[plain(tmp_path / "m.tif", scene(1)[0, 0])])


def test_missing_truncated_and_zero_byte_files(tmp_path, prepare):
    defect(prepare, "none.tif: The file does not exist", movie=[tmp_path / "none.tif"])
    (tmp_path / "zero.tif").touch()
    defect(prepare, r"zero.tif: The file is empty \(0 bytes\)", movie=[tmp_path / "zero.tif"])
    for image in scene(6)[:, 0]:
        tifffile.imwrite(tmp_path / "cut.tif", image, append=True, metadata=None, compression="zlib")
    data = (tmp_path / "cut.tif").read_bytes()
    (tmp_path / "cut.tif").write_bytes(data[:-300])
    defect(prepare, "cut.tif: The TIFF is truncated or broken", movie=[tmp_path / "cut.tif"])


def test_a_page_that_cannot_be_decoded(tmp_path, prepare):
    tifffile.imwrite(tmp_path / "m.tif", scene(6)[:, 0], compression="zlib", photometric="minisblack")
    with tifffile.TiffFile(tmp_path / "m.tif") as tiff:
        offset = tiff.pages[4].dataoffsets[0]
    data = bytearray((tmp_path / "m.tif").read_bytes())
    data[offset : offset + 100] = bytes(100)
    (tmp_path / "m.tif").write_bytes(data)
    defect(prepare, "broken at frame 4", movie=[tmp_path / "m.tif"])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_no_numbers(tmp_path, prepare, value):
    movie = scene(4).astype("float32")
    movie[2, 1, 5, 5:8] = value
    path = tmp_path / "m.ome.tif"
    write_movie(path, iter(movie), channel_names=["tumour", "immune"], n_frames=4)
    defect(prepare, "Frame 2 .counted from 0. of channel immune holds 3 pixels that are NaN or infinite", movie=[path])


def test_all_frames_constant(tmp_path, prepare):
    path = plain(tmp_path / "m.tif", np.full((4, 32, 32), 7, "uint16"))
    defect(prepare, "Every frame of the movie is constant", movie=[path])


def test_a_constant_channel_is_a_warning(tmp_path, prepare):
    movie = scene(4)
    movie[:, 1] = 9
    path = tmp_path / "m.ome.tif"
    write_movie(path, iter(movie), channel_names=["tumour", "immune"], n_frames=4)
    facts, status, _ = prepare(ROW, movie=[path])
    assert status["ok"] and facts["intensity"]["immune"] == {"low": 9, "high": 10, "background": 9}
    assert "Every frame of channel immune is constant" in " ".join(status["warnings"])


def test_frames_of_unequal_size(tmp_path, prepare):
    for number, side in enumerate((32, 32, 30)):
        tifffile.imwrite(tmp_path / f"t{number}.tif", np.zeros((side, 32), "uint16"))
    defect(prepare, "t2.tif: The frames are of unequal size", movie=sorted(tmp_path.glob("*.tif")))


def test_wrong_axes_and_absent_channels(tmp_path, prepare):
    path = plain(tmp_path / "m.tif", scene(5))
    defect(prepare, "no metadata that says which dimension is time", movie=[path])
    defect(prepare, "seems to have 5 channels", row={**ROW, "axes": "CTYX"}, movie=[path])
    defect(prepare, "3 channels are named", row={**ROW, "axes": "TCYX"}, movie=[path], channels=["a", "b", "c"])
    facts, status, _ = prepare({**ROW, "axes": "TCYX"}, movie=[path], channels=["a", "b"])
    assert status["ok"] and facts["axes"] == "TCYX" and facts["channels"] == ["a", "b"]


def test_conflicts_between_sheet_and_file(tmp_path, prepare):
    path = tmp_path / "m.ome.tif"
    write_movie(path, iter(scene(4)), channel_names=["a", "b"], pixel_size_um=0.65, time_min=[0, 10, 20, 30])
    defect(prepare, "1.3 um in the sample sheet, but 0.65 um", row={"pixel_size_um": 1.3}, movie=[path])
    defect(prepare, "5 min in the sample sheet, but 10 min", row={"frame_interval_min": 5}, movie=[path])


def test_nothing_said_about_size_or_time(tmp_path, prepare):
    path = plain(tmp_path / "m.tif", scene(4)[:, 0])
    defect(prepare, "pixel size is neither in", row={"frame_interval_min": 5}, movie=[path])
    defect(prepare, "time between frames is neither", row={"pixel_size_um": 1}, movie=[path])


def test_pixels_that_are_not_square(tmp_path, prepare):
    metadata = {"axes": "TYX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.7}
    tifffile.imwrite(tmp_path / "m.ome.tif", scene(4)[:, 0], metadata=metadata)
    defect(prepare, "0.5 um wide, 0.7 um high", row={"frame_interval_min": 5}, movie=[tmp_path / "m.ome.tif"])


def test_labels_must_fit_their_movie(tmp_path, prepare):
    movie = plain(tmp_path / "m.tif", scene(4)[:, 0])
    write_labels(tmp_path / "l.ome.tif", np.zeros((3, 64, 64), int), n_frames=3, height=64, width=64)
    defect(prepare, "l.ome.tif: It has 3 frames of 64 x 64", movie=[movie], labels=[tmp_path / "l.ome.tif"])


def test_entering_at_labels(tmp_path, prepare):
    for name in ("a", "b"):
        stack = np.ones((5, 20, 30), int)
        write_labels(tmp_path / f"{name}.ome.tif", stack, n_frames=5, height=20, width=30, time_min=np.arange(5) * 2.0)
    facts, status, out = prepare({"pixel_size_um": 0.5}, labels=[tmp_path / "a.ome.tif", tmp_path / "b.ome.tif"])
    assert status["ok"] and set(facts) == KEYS and not facts["has_movie"]
    assert (facts["n_frames"], facts["height"], facts["width"], facts["frame_interval_min"]) == (5, 20, 30, 2.0)
    assert facts["channels"] == [] and facts["intensity"] == {} and facts["unit"] == "um"
    assert len(read_table(out / "qc.tsv")) == 5


TRACKS = pd.DataFrame(
    {"track_id": [1, 1, 2, 2], "frame": [0, 1, 1, 4], "y_px": [3.0, 4.0, 90.2, 91.7], "x_px": [5.0, 6.0, 40.0, 41.0]}
)


def test_entering_at_tracks_in_pixels(tmp_path, prepare):
    write_table(TRACKS, tmp_path / "t.tsv")
    facts, status, _ = prepare({"pixel_size_um": "unknown", "frame_interval_min": 2}, tracks=[tmp_path / "t.tsv"])
    assert status["ok"] and facts["unit"] == "px" and facts["frames"] == [0, 1, 2, 3, 4]
    assert (facts["height"], facts["width"]) == (92, 42) and facts["time_min"] == [0, 2, 4, 6, 8]
    facts, _, _ = prepare({"pixel_size_um": 2, "frame_interval_min": 2}, tracks=[tmp_path / "t.tsv"])
    assert facts["unit"] == "um" and facts["height"] == 92
    defect(prepare, "pixel size is neither in", row={"frame_interval_min": 2}, tracks=[tmp_path / "t.tsv"])


def test_entering_at_cells_in_micrometres(tmp_path, prepare):
    cells = TRACKS.rename(columns={"y_px": "y_um", "x_px": "x_um"}).assign(time_min=[0.0, 3.0, 3.0, 12.0])
    write_table(cells, tmp_path / "c.parquet")
    facts, status, _ = prepare({}, cells=[tmp_path / "c.parquet"])
    assert status["ok"] and facts["unit"] == "um" and facts["pixel_size_um"] is None and facts["height"] is None
    assert facts["time_min"] == [0, 3, 6, 9, 12] and facts["frame_interval_min"] == 3
    defect(prepare, "7 min in the sample sheet, but the table's", {"frame_interval_min": 7}, cells=[tmp_path / "c.parquet"])


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"frame": [0, 1, 1, -2]}, "row 5: The frame -2 is not a whole number from 0"),
        ({"frame": [0, 1, 1.5, 2]}, "row 4: The frame 1.5"),
        ({"time_min": [0, 1, 2, 3]}, "Frame 1 has two times .1 and 2 min"),
    ],
)
def test_tables_that_cannot_be_right(tmp_path, prepare, change, text):
    write_table(TRACKS.assign(**change), tmp_path / "t.tsv")
    defect(prepare, text, tracks=[tmp_path / "t.tsv"])


def test_a_table_of_several_samples_gives_each_its_own_frames(tmp_path, prepare):
    facts, _, _ = prepare({"pixel_size_um": 1}, tracks=[path(tmp_path, TRACKS.assign(time_min=TRACKS["frame"] * 5.0))])
    other = TRACKS.assign(sample="other", frame=TRACKS["frame"] + 30, x_px=TRACKS["x_px"] * 9, time_min=(TRACKS["frame"] + 30) * 7.0)
    both = pd.concat([other, TRACKS.assign(sample="chip1", time_min=TRACKS["frame"] * 5.0)])
    shared, _, _ = prepare({"pixel_size_um": 1}, tracks=[path(tmp_path, both)])
    assert {k: v for k, v in shared.items() if k != "source"} == {k: v for k, v in facts.items() if k != "source"}
    bad = both.assign(frame=both["frame"].astype(float))
    bad.iloc[len(TRACKS), list(bad).index("frame")] = 1.5
    _, status, _ = prepare({"pixel_size_um": 1}, tracks=[path(tmp_path, bad)])
    assert f"row {len(TRACKS) + 2}" in status["reason"]


def path(folder, table):
    write_table(table, folder / "t.tsv")
    return folder / "t.tsv"


def test_tables_without_positions_frames_or_rows(tmp_path, prepare):
    write_table(TRACKS.drop(columns="y_px"), tmp_path / "t.tsv")
    defect(prepare, "has no positions; its columns are track_id, frame, x_px", tracks=[tmp_path / "t.tsv"])
    write_table(TRACKS.drop(columns="frame"), tmp_path / "t.tsv")
    defect(prepare, "no column frame", tracks=[tmp_path / "t.tsv"])
    write_table(TRACKS.iloc[:0], tmp_path / "t.tsv")
    defect(prepare, "no rows", tracks=[tmp_path / "t.tsv"])
    write_table(TRACKS.iloc[:1], tmp_path / "t.tsv")
    defect(prepare, "one frame only", tracks=[tmp_path / "t.tsv"])


def test_a_failed_simulation_is_handed_on(tmp_path, prepare):
    import json

    (tmp_path / "s.json").write_text(json.dumps({"ok": False, "reason": "No model.", "failed_at": "simulate"}))
    facts, status, _ = prepare(ROW, movie=[tmp_path / "m.tif"], status=[tmp_path / "s.json"])
    assert (status["ok"], status["reason"], status["failed_at"]) == (False, "No model.", "simulate")
    assert facts["n_frames"] == 0


def test_real_movies(data_root, prepare):
    row = {"pixel_size_um": "unknown", "frame_interval_min": 6}
    facts, status, _ = prepare(row, movie=[data_root / "celltk_reporter_frames" / "il1b_testimages1_TCYX.tif"])
    assert status["ok"] and facts["channels"] == ["channel1", "channel2", "channel3"] and facts["n_frames"] == 4
    assert facts["intensity"]["channel1"]["background"] == pytest.approx(220, abs=10)
    facts, status, _ = prepare(row, movie=[data_root / "usiigaci_t98g_phase" / "t98g_frames_00-19.tif"])
    assert status["ok"] and facts["drift_px"] == [[0.0, 0.0]] * 20
