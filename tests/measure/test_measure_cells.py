"""The whole table: columns, units, gaps, given measurements, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytocause.io import InputDefect, describe, in_unit
from cytocause.measure import cell_columns, empty_cells, measure_cells

CFG = {
    "r1_um": 12.9,
    "r2_um": 23.2,
    "r1_px": 20,
    "r2_px": 36,
    "speed_window_min": 30,
    "directionality_window_min": 60,
    "subtract_drift": True,
    "hold_min": 0,
    "sample": "chip1",
    "population": "tumour",
    "others": ["immune"],
    "levels": {"chip": "c1"},
}
SHAPE = ("area_um2", "equivalent_diameter_um", "perimeter_um", "major_axis_um")


class Stack:
    """Images in memory with the face of a movie or label stack; counts how many are out at once."""

    def __init__(self, images):
        self.images = images
        self.n_frames = len(images)
        self.read = []

    def frame(self, page, channel=0):
        self.read.append((page, channel))
        return self.images[page]


def experiment(unit="um", n_frames=5, pixel=0.5, frames=None):
    """Two tumour cells and one immune cell drifting over 40 x 40 pixels."""
    frames = list(range(n_frames)) if frames is None else frames
    images, movie, rows, immune = [], [], [], []
    scale = pixel if unit == "um" else 1.0
    for number in frames:
        image = np.zeros((40, 40), np.int32)
        for track, (y, x) in {1: (10, 8 + 2 * number), 2: (25, 20)}.items():
            label = track + number  # labels change from frame to frame
            image[y - 3 : y + 4, x - 2 : x + 3] = label
            rows.append((track, 0, number, number * 10.0, label, y * scale, x * scale))
        immune.append((1, 0, number, number * 10.0, 0, 10 * scale, (20 + number) * scale))
        images.append(image)
        movie.append((image > 0) * 100.0 + 7)
    names = ["track_id", "parent_id", "frame", "time_min", "label", in_unit("y_um", unit), in_unit("x_um", unit)]
    tracks = pd.DataFrame(rows, columns=names).assign(sample="chip1", cell_type="tumour", source="auto")
    others = pd.DataFrame(immune, columns=names).assign(sample="chip1", cell_type="immune", source="auto")
    for table in (tracks, others):
        table["label"] = table["label"].astype(np.int32)
        table["frame"] = table["frame"].astype(np.int32)
    meta = {
        "unit": unit,
        "pixel_size_um": pixel if unit == "um" else None,
        "frames": frames,
        "channels": ["tumour"],
        "intensity": {"tumour": {"low": 0, "high": 200, "background": 7}},
        "drift_px": [[0, 0]] * len(frames),
    }
    return tracks, others, meta, Stack(images), Stack(movie)


def test_values_are_in_micrometres_and_above_the_background():
    tracks, immune, meta, labels, movie = experiment()
    cells, facts = measure_cells(tracks, meta, CFG, labels=labels, movie=movie, others=[immune])
    assert list(cells.columns) == [*cell_columns("um", ["tumour"], ["tumour", "immune"]), "chip"]
    first = cells.iloc[1]
    assert first["area_um2"] == 35 * 0.25 and first["intensity_mean_tumour"] == 100 and first["intensity_sd_tumour"] == 0
    assert first["speed_um_min"] == pytest.approx(2 * 0.5 / 10)
    assert first["n_immune_r1"] == 1 and first["distance_immune_um"] == pytest.approx((21 - 10) * 0.5)
    assert first["speed_immune_r1_um_min"] == pytest.approx(0.5 / 10)
    assert first["n_tumour_r1"] == 1 and first["chip"] == "c1"
    assert facts["rows"] == 10 and facts["tracks"] == 2 and facts["warnings"] == []


def test_pixels_stay_pixels_when_the_size_is_unknown():
    tracks, immune, meta, labels, movie = experiment("px")
    cells, _ = measure_cells(tracks, meta, CFG, labels=labels, movie=movie, others=[immune])
    assert cells["area_px2"].iloc[0] == 35 and cells["speed_px_min"].iloc[1] == pytest.approx(0.2)
    assert not [name for name in cells.columns if "_um" in name]


def test_one_page_at_a_time_and_each_once():
    tracks, immune, meta, labels, movie = experiment()
    measure_cells(tracks, meta, CFG, labels=labels, movie=movie, others=[immune])
    assert [page for page, _ in labels.read] == [0, 1, 2, 3, 4]
    assert [page for page, _ in movie.read] == [0, 1, 2, 3, 4]


def test_a_dropped_frame_is_a_gap():
    tracks, immune, meta, labels, movie = experiment(frames=[0, 1, 3, 4])
    cells, _ = measure_cells(tracks, meta, CFG, labels=labels, movie=movie, others=[immune])
    one = cells[cells["track_id"] == 1].set_index("frame")
    assert np.isnan(one["speed_um_min"][3]) and np.isnan(one["shape_change_um_min"][3])
    assert one["speed_um_min"][4] == pytest.approx(0.1) and one["area_um2"][3] == 35 * 0.25


def test_tracks_without_masks_have_motion_and_no_shape():
    tracks, immune, meta, *_ = experiment()
    cells, _ = measure_cells(tracks, meta | {"channels": []}, CFG, others=[immune])
    assert cells["area_um2"].isna().all() and not cells["border"].any()
    assert cells["speed_um_min"].notna().sum() == 8 and (cells["n_immune_r1"] > 0).any()


def test_a_missed_neighbour_counts_for_a_while_and_has_no_speed():
    tracks, immune, meta, *_ = experiment()
    immune = immune[immune["frame"] != 2]
    kept, _ = measure_cells(tracks, meta | {"frame_interval_min": 10}, CFG | {"hold_min": 10}, others=[immune])
    gone, _ = measure_cells(tracks, meta | {"frame_interval_min": 10}, CFG, others=[immune])
    assert (kept["n_immune_r1"].iloc[2], gone["n_immune_r1"].iloc[2]) == (1, 0)
    assert np.isnan(kept["speed_immune_r1_um_min"].iloc[2]) and np.isnan(kept["speed_immune_r1_um_min"].iloc[3])


def test_drift_of_the_stage_is_not_motion():
    tracks, immune, meta, *_ = experiment()
    meta["drift_px"] = [[0.0, 2.0 * k] for k in range(5)]
    cells, _ = measure_cells(tracks, meta, CFG, others=[immune])
    assert np.nanmax(cells.loc[cells["track_id"] == 1, "speed_um_min"]) == pytest.approx(0, abs=1e-12)
    kept, _ = measure_cells(tracks, meta, CFG | {"subtract_drift": False}, others=[immune])
    assert np.nanmax(kept.loc[kept["track_id"] == 2, "speed_um_min"]) == 0


def test_a_label_that_is_not_there_is_missing_and_counted():
    tracks, immune, meta, labels, movie = experiment()
    tracks.loc[0, "label"] = 99
    cells, facts = measure_cells(tracks, meta, CFG, labels=labels, movie=movie, others=[immune])
    assert cells["area_um2"].isna().sum() == 1 and "1 track rows name a label" in facts["warnings"][0]


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 1000), cut=st.integers(1, 4))
def test_no_row_knows_the_future_or_the_names_of_labels(seed, cut):
    tracks, immune, meta, labels, movie = experiment()
    whole, _ = measure_cells(tracks, meta, CFG, labels=labels, movie=movie, others=[immune])
    names = np.random.default_rng(seed).permutation(50).astype(np.int32) + 1
    renamed = Stack([np.where(image > 0, names[image], 0).astype(np.int32) for image in labels.images])
    early, _ = measure_cells(
        tracks[tracks["frame"] < cut].assign(label=lambda rows: names[rows["label"]]),
        meta,
        CFG,
        labels=renamed,
        movie=movie,
        others=[immune[immune["frame"] < cut]],
    )
    past = whole[whole["frame"] < cut].reset_index(drop=True)
    pd.testing.assert_frame_equal(past.drop(columns="label"), early.drop(columns="label"))


def test_given_values_win_and_what_is_absent_is_computed():
    tracks, immune, meta, *_ = experiment()
    table = pd.DataFrame({"track_id": [1, 1, 9], "frame": [0, 1, 0], "area_px2": [100.0, np.nan, 5.0], "stain": [1.5, 2.5, 3]})
    cells, facts = measure_cells(tracks, meta, CFG, others=[immune], given=table)
    assert cells["area_um2"].iloc[0] == 25.0 and cells["area_um2"].isna().sum() == 9
    assert cells["stain"].iloc[1] == 2.5 and cells["speed_um_min"].notna().any()
    assert "1 rows of the given cells" in facts["warnings"][0]


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda t: t.drop(columns="y_um"), "have no column y_um"),
        (lambda t: pd.concat([t, t.iloc[[0]]]), "hold track 1 twice in frame 0"),
        (lambda t: t.assign(y_um=np.nan), "no finite y_um for track 1 in frame 0"),
        (lambda t: t.assign(frame=t["frame"] + 90), "rows in frame 90, which the movie does not hold"),
    ],
)
def test_tracks_that_cannot_be_measured_are_refused_in_words(change, words):
    tracks, immune, meta, labels, movie = experiment()
    with pytest.raises(InputDefect, match=words):
        measure_cells(change(tracks), meta, CFG, labels=labels, movie=movie, others=[immune])


def test_other_refusals():
    tracks, immune, meta, labels, movie = experiment()
    with pytest.raises(InputDefect, match="label stack has 4 pages, the movie 5"):
        measure_cells(tracks, meta, CFG, labels=Stack(labels.images[:4]), movie=movie, others=[immune])
    with pytest.raises(InputDefect, match="measure.r1_um is 50"):
        measure_cells(tracks, meta, CFG | {"r1_um": 50}, others=[immune])
    with pytest.raises(InputDefect, match="same unit"):
        measure_cells(tracks, meta, CFG, others=[immune.rename(columns={"y_um": "y_px", "x_um": "x_px"})])
    with pytest.raises(InputDefect, match="pixel size is unknown"):
        px_tracks, px_immune, px_meta, *_ = experiment("px")
        measure_cells(
            px_tracks,
            px_meta,
            CFG,
            others=[px_immune],
            given=pd.DataFrame({"track_id": [1], "frame": [0], "area_um2": [3.0]}),
        )


def test_no_rows_has_the_same_columns_as_some_rows():
    tracks, immune, meta, labels, movie = experiment()
    cells, _ = measure_cells(tracks, meta, CFG, labels=labels, movie=movie, others=[immune])
    none, _ = measure_cells(tracks.iloc[:0], meta, CFG, labels=labels, movie=movie, others=[immune])
    pd.testing.assert_series_equal(cells.dtypes, none.dtypes)
    assert len(empty_cells("px", ["a", "b"], ["tumour"])) == 0


@pytest.mark.parametrize("unit", ["um", "px"])
def test_every_column_is_in_the_data_dictionary(unit):
    for name in cell_columns(unit, ["nuclei"], ["tumour", "immune"]):
        assert describe(name) is not None, name
