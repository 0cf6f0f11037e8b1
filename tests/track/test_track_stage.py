"""The stage: label numbers decide nothing, single cells, empty stacks, cell types, corrections, given tracks."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytocause.io import InputDefect
from cytocause.track import finish_tracks, given_tracks, link_movie, objects_of_frame, objects_of_stack, read_given
from cytocause.track.celltype import cell_types
from tests.track.points import meta, world


def tracks_of(objects, cfg, n_pages=None, **kwargs):
    info = meta(n_pages or int(objects.page.max()) + 1, **kwargs)
    columns, facts = link_movie(objects, info, cfg)
    return finish_tracks(columns, info, cfg), facts


@settings(deadline=None, max_examples=5)
@given(seed=st.integers(0, 10**6))
def test_relabelling_every_frame_changes_no_track(seed):
    from tests.track.conftest import defaults

    cfg = defaults()
    objects, _, _ = world(seed=2, n_frames=25, n_cells=15)
    rng = np.random.default_rng(seed)
    other = objects.label.copy()
    for page in np.unique(objects.page):
        own = objects.page == page
        other[own] = rng.permutation(own.sum()) + 1
    one, _ = tracks_of(objects, cfg)
    two, _ = tracks_of(replace(objects, label=other), cfg)
    pd.testing.assert_frame_equal(one.drop(columns="label"), two.drop(columns="label"))


def test_columns_types_and_order(track_cfg):
    objects, _, _ = world(seed=1, n_frames=20, n_cells=10)
    df, facts = tracks_of(objects, {**track_cfg, "levels": {"date": "d1", "chip": None}}, pixel=0.5)
    assert list(df.columns) == [
        *["sample", "track_id", "parent_id", "frame", "time_min", "label", "y_um", "x_um", "cell_type", "source", "date"]
    ]
    assert [str(df[c].dtype) for c in ("track_id", "parent_id", "frame", "label")] == ["int64", "int64", "int32", "int32"]
    assert (df["cell_type"] == "tumour").all() and (df["source"] == "auto").all()
    assert df.sort_values(["track_id", "frame"]).index.tolist() == list(range(len(df)))
    assert df["y_um"].max() < 200  # 400 px at 0.5 um
    assert facts["search_range_from"] == "the movie"
    assert set(df["parent_id"]) - {0} <= set(df["track_id"])


def test_without_a_pixel_size_columns_are_in_px(track_cfg):
    objects, _, _ = world(seed=1, n_frames=5, n_cells=5)
    df, _ = tracks_of(objects, track_cfg, pixel=None)
    assert "y_px" in df.columns and "y_um" not in df.columns


def test_the_search_range_of_the_config_is_in_um_and_per_population(track_cfg):
    objects, _, _ = world(seed=1, n_frames=5, n_cells=5)
    _, facts = tracks_of(objects, {**track_cfg, "search_range_um": {"tumour": 7.5, "immune": 3}}, pixel=0.5)
    assert (facts["search_range_um"], facts["search_range_from"]) == (7.5, "the config")
    _, facts = tracks_of(objects, {**track_cfg, "search_range_um": {"immune": 3}}, pixel=0.5)
    assert facts["search_range_from"] == "the movie"


def test_a_dropped_frame_is_a_gap_in_the_numbers(track_cfg):
    frames = [0, 1, 2, 5, 6]
    stack = [np.zeros((20, 20), dtype=np.int32) for _ in frames]
    for page in range(5):
        stack[page][8:12, 8 + page : 12 + page] = page + 1
    info = meta(5, size=20, frames=frames)
    columns, _ = link_movie(objects_of_stack(stack), info, track_cfg)
    df = finish_tracks(columns, info, track_cfg)
    assert df["track_id"].tolist() == [1] * 5
    assert df["frame"].tolist() == frames
    assert df["time_min"].tolist() == [0, 10, 20, 50, 60]
    assert df["label"].tolist() == [1, 2, 3, 4, 5]


def test_one_single_cell_in_one_frame(track_cfg):
    stack = [np.zeros((9, 9), dtype=np.int32) for _ in range(3)]
    stack[1][4, 4] = 5
    info = meta(3, size=9)
    columns, _ = link_movie(objects_of_stack(stack), info, track_cfg)
    df = finish_tracks(columns, info, track_cfg)
    assert df[["track_id", "frame", "label"]].to_numpy().tolist() == [[1, 1, 5]]


def test_no_cell_at_all_is_a_defect_of_the_input(track_cfg):
    with pytest.raises(InputDefect, match="no cell"):
        link_movie(objects_of_stack([np.zeros((9, 9), dtype=np.int32)] * 3), meta(3), track_cfg)


def test_cells_that_come_and_go_and_empty_frames_between(track_cfg):
    stack = [np.zeros((40, 40), dtype=np.int32) for _ in range(9)]
    for page in (0, 1, 2, 7, 8):
        stack[page][10:14, 10:14] = 1
    stack[1][30:34, 30:34] = 2
    info = meta(9, size=40)
    columns, _ = link_movie(objects_of_stack(stack), info, {**track_cfg, "memory_frames": 2})
    df = finish_tracks(columns, info, track_cfg)
    assert df.groupby("track_id")["frame"].apply(list).tolist() == [[0, 1, 2], [1], [7, 8]]


def test_cell_types_follow_the_median_of_the_track():
    track = np.array([1, 1, 1, 2, 2, 2, 3])
    area = np.array([50, 60, 500, 150, 140, 20, np.nan])
    rule = {"feature": "area_um2", "threshold": 100, "below": "immune", "above": "tumour"}
    assert cell_types(track, area, rule).tolist() == ["immune"] * 3 + ["tumour"] * 3 + ["immune"]


def test_cell_type_rule_over_size_or_brightness(track_cfg):
    stack = [np.zeros((40, 40), dtype=np.int32) for _ in range(3)]
    light = [np.zeros((40, 40)) for _ in range(3)]
    for page in range(3):
        stack[page][5:15, 5:15] = 1
        stack[page][25:29, 25:29] = 2
        light[page][25:29, 25:29] = 90
    info = meta(3, size=40, pixel=0.5)
    columns, _ = link_movie(objects_of_stack(stack, light), info, track_cfg)
    size = {"feature": "area_um2", "threshold": 10, "below": "immune", "above": "tumour"}
    assert finish_tracks(columns, info, {**track_cfg, "cell_type": size})["cell_type"].tolist() == ["tumour"] * 3 + ["immune"] * 3
    bright = {"tumour": {"feature": "intensity_mean", "threshold": 50, "below": "dim", "above": "bright"}}
    assert finish_tracks(columns, info, {**track_cfg, "cell_type": bright})["cell_type"].tolist() == ["dim"] * 3 + ["bright"] * 3
    with pytest.raises(InputDefect, match="pixel size of this sample is unknown"):
        finish_tracks(columns, meta(3, size=40, pixel=None), {**track_cfg, "cell_type": size})


# ---- corrections ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def two_cells(track_cfg):
    """Tracks 1 (frames 0-4) and 2 (frames 0-4), 3 (frames 6-8) near where 1 ended."""
    stack = [np.zeros((60, 60), dtype=np.int32) for _ in range(9)]
    for page in range(5):
        stack[page][10:14, 10:14] = 1
        stack[page][40:44, 40:44] = 2
    for page in range(6, 9):
        stack[page][10:14, 18:22] = 3
    info = meta(9, size=60)
    columns, _ = link_movie(objects_of_stack(stack), info, {**track_cfg, "memory_frames": 0})

    def corrected(*corrections):
        return finish_tracks(columns, info, {**track_cfg, "corrections": list(corrections)})

    return corrected


def correction(action, track, frame, value=None, file=None):
    found = {"population": "tumour", "track_id": track, "frame": frame, "action": action}
    return found | ({} if value is None else {"value": value}) | ({} if file is None else {"file": str(file)})


def by_track(df):
    return {k: (g["frame"].tolist(), set(g["source"])) for k, g in df.groupby("track_id")}


def test_link_joins_two_pieces(two_cells):
    assert by_track(two_cells()) == {1: ([0, 1, 2, 3, 4], {"auto"}), 2: ([0, 1, 2, 3, 4], {"auto"}), 3: ([6, 7, 8], {"auto"})}
    df = two_cells(correction("link", 3, 6, value="1"))
    assert by_track(df) == {1: ([0, 1, 2, 3, 4, 6, 7, 8], {"auto", "manual"}), 2: ([0, 1, 2, 3, 4], {"auto"})}
    assert df.loc[df["frame"] >= 6, "source"].eq("manual").all()


def test_cut_makes_a_new_track_with_the_next_number(two_cells):
    df = two_cells(correction("cut", 2, 3))
    assert by_track(df)[2] == ([0, 1, 2], {"auto"})
    assert by_track(df)[4] == ([3, 4], {"manual"})
    assert df.loc[df["track_id"] == 4, "parent_id"].eq(0).all()


def test_exclude_and_type(two_cells):
    df = two_cells(correction("exclude", 2, 0), correction("type", 1, 0, value="debris"))
    assert sorted(by_track(df)) == [1, 3]
    assert df.loc[df["track_id"] == 1, "cell_type"].eq("debris").all()
    assert df.loc[df["track_id"] == 1, "source"].eq("manual").all()


def test_corrections_apply_in_their_order_and_to_their_population(two_cells):
    other = {**correction("exclude", 1, 0), "population": "immune"}
    df = two_cells(correction("cut", 2, 3), correction("exclude", 4, 3), other)
    assert sorted(by_track(df)) == [1, 2, 3]


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (correction("cut", 99, 3), "There is no track 99"),
        (correction("cut", 1, 7), "Track 1 has no cell in frame 7; it lives from frame 0 to 4"),
        (correction("cut", 1, 0), "nothing before it"),
        (correction("link", 3, 6, value="77"), "There is no track 77"),
        (correction("link", 2, 0, value="1"), "must end before"),
        (correction("link", 3, 6, value="abc"), "expected the track_id"),
        (correction("division", 1, 4, value="3,77"), "There is no track 77 to be a daughter of track 1"),
        (correction("division", 1, 4, value="2"), "Track 2 begins in frame 0, but track 1, which should be its mother, ends in frame 4"),
        (correction("division", 1, 4, value="1"), "daughters begin after their mother's end"),
        (correction("division", 1, 4, value="a,b"), "expected the track_ids of the daughters, separated by commas"),
        (correction("division", 1, 7, value="3"), "Track 1 has no cell in frame 7"),
        (correction("not_division", 99, 4), "There is no track 99"),
    ],
)
def test_a_correction_that_fits_nothing_names_file_and_row(two_cells, tmp_path, row, text):
    file = tmp_path / "corrections.tsv"
    lines = ["population\ttrack_id\tframe\taction\tvalue", "tumour\t1\t0\ttype\tx"]
    lines.append("\t".join([row["population"], str(row["track_id"]), str(row["frame"]), row["action"], row.get("value", "")]))
    file.write_text("\n".join(lines) + "\n")
    with pytest.raises(InputDefect, match=text) as caught:
        two_cells({**row, "file": str(file)})
    assert str(file) in str(caught.value) and "row 3" in str(caught.value)


def parents(df):
    return df.groupby("track_id")["parent_id"].agg(lambda ids: ids.unique().tolist()).to_dict()


@pytest.mark.parametrize("frame", [4, 5, 6])  # the mother's last, the movie's next, the daughters' first
def test_a_division_by_hand_sets_its_daughters(two_cells, frame):
    df = two_cells(correction("cut", 3, 7), correction("division", 1, frame, value="3"))
    assert parents(df) == {1: [0], 2: [0], 3: [1], 4: [0]}
    df = two_cells(correction("cut", 3, 7), correction("division", 1, frame, value="3, 4"))
    assert parents(df) == {1: [0], 2: [0], 3: [1], 4: [1]}
    assert {k: source for k, (_, source) in by_track(df).items()} == {1: {"auto"}, 2: {"auto"}, 3: {"manual"}, 4: {"manual"}}
    # the last word counts: other daughters lose their mother, and so do all that a person says are none
    assert parents(two_cells(correction("cut", 3, 7), correction("division", 1, 4, value="3,4"), correction("division", 1, 4, value="4")))[3] == [0]
    assert parents(two_cells(correction("cut", 3, 7), correction("division", 1, 4, value="3,4"), correction("division", 2, 4, value="3")))[3] == [2]


def test_a_division_without_daughters_leaves_the_lineage(two_cells):
    df = two_cells(correction("cut", 3, 7), correction("division", 1, 4, value="3,4"), correction("division", 1, 5))
    assert parents(df) == {1: [0], 2: [0], 3: [1], 4: [1]}


def test_no_division_frees_the_daughters_in_the_lineage(track_cfg):
    objects, _, _ = world(seed=1, n_frames=40, n_cells=15)
    df, _ = tracks_of(objects, track_cfg)
    mother = int(df.loc[df["parent_id"] > 0, "parent_id"].iloc[0])
    daughters = df.loc[df["parent_id"] == mother, "track_id"].unique()
    last = int(df.loc[df["track_id"] == mother, "frame"].max())
    mended, _ = tracks_of(objects, {**track_cfg, "corrections": [correction("not_division", mother, last)]})
    assert mother not in set(mended["parent_id"])
    freed = mended["track_id"].isin(daughters)
    assert (mended["source"] == "manual").equals(freed)
    assert mended.drop(columns=["parent_id", "source"]).equals(df.drop(columns=["parent_id", "source"]))


def test_excluding_everything_is_a_defect(two_cells):
    with pytest.raises(InputDefect, match="no cell is left"):
        two_cells(*(correction("exclude", k, 0 if k < 3 else 6) for k in (1, 2, 3)))


def test_linking_a_daughter_to_its_mother_undoes_the_division(track_cfg):
    objects, _, _ = world(seed=1, n_frames=40, n_cells=15)
    df, _ = tracks_of(objects, track_cfg)
    mother = int(df.loc[df["parent_id"] > 0, "parent_id"].iloc[0])
    one, two = df.loc[df["parent_id"] == mother, "track_id"].unique()
    frame = int(df.loc[df["track_id"] == one, "frame"].iloc[0])
    mended, _ = tracks_of(objects, {**track_cfg, "corrections": [correction("link", int(one), frame, value=str(mother))]})
    assert one not in set(mended["track_id"])
    assert mended.loc[mended["track_id"] == two, "parent_id"].eq(0).all()


# ---- given tracks -----------------------------------------------------------------------------------------------------------


def given_df(**changes):
    base = {"track_id": [1, 1, 2, 2, 3, 3], "frame": [0, 1, 2, 3, 2, 3], "y_px": [5.0] * 6, "x_px": [1.0, 2, 3, 4, 5, 6]}
    return pd.DataFrame(base | changes)


def check(df, pixel=0.5, frames=range(4), population="tumour", **more):
    frames = list(frames)
    return given_tracks(
        df,
        file="given.tsv",
        sample="s",
        population=population,
        frames=frames,
        time_min=[10.0 * f for f in frames],
        pixel_size_um=pixel,
        **more,
    )


def test_given_tracks_are_converted_and_marked(track_cfg):
    df = given_df(parent_id=[0, 0, 1, 0, 1, 1])
    info = meta(4, size=20, pixel=0.5)
    columns, facts = read_given(check(df), info, track_cfg)
    out = finish_tracks(columns, info, track_cfg)
    assert out["x_um"].tolist() == [0.5, 1, 1.5, 2, 2.5, 3]
    assert out["parent_id"].tolist() == [0, 0, 1, 1, 1, 1]
    assert out["label"].tolist() == [0] * 6
    assert set(out["source"]) == {"given"}
    assert facts["divisions"] == 1 and not facts["warnings"]
    um = df.rename(columns={"y_px": "y_um", "x_px": "x_um"})
    assert finish_tracks(read_given(check(um), info, track_cfg)[0], info, track_cfg)["x_um"].tolist() == [1, 2, 3, 4, 5, 6]


def test_rows_of_other_samples_and_populations_are_left_out():
    df = given_df(population=["tumour"] * 4 + ["immune"] * 2, sample=["s"] * 6)
    assert check(df)["track_id"].tolist() == [1, 1, 2, 2]
    with pytest.raises(InputDefect, match="no row for sample 's' and population 'other'"):
        check(df, population="other")


@pytest.mark.parametrize(
    ("changes", "row", "text"),
    [
        ({"frame": [0, 0, 2, 3, 2, 3]}, 3, "track 1 is there twice in frame 0"),
        ({"frame": [0, 1, 2, 3, 2, 9]}, 7, "not a frame of the movie"),
        ({"frame": [0, 1, 2, 3, 2, 2.5]}, 7, "whole number"),
        ({"x_px": [1, 2, np.nan, 4, 5, 6]}, 4, "expected a finite number"),
        ({"x_px": [1, 2, np.inf, 4, 5, 6]}, 4, "expected a finite number"),
        ({"x_px": ["1", "2", "here", "4", "5", "6"]}, 4, "'here'; expected a number"),
        ({"parent_id": [0, 0, 0, 0, 8, 8]}, 6, "there is no such track"),
        ({"parent_id": [2, 2, 0, 0, 0, 0]}, 2, "a mother comes first"),
        ({"frame": [0, 1, 0, 1, 2, 3], "parent_id": [0, 0, 0, 0, 1, 2]}, 6, "has the mothers 1 and 2; expected one"),
        ({"track_id": [0, 1, 2, 2, 3, 3]}, 2, "expected 1 or more"),
    ],
)
def test_a_defect_of_given_tracks_names_file_and_row(changes, row, text):
    with pytest.raises(InputDefect, match=text) as caught:
        check(given_df(**changes))
    assert f"given.tsv, row {row}" in str(caught.value)


def test_absent_columns_and_an_unknown_pixel_size_are_named():
    with pytest.raises(InputDefect, match="The column frame is absent"):
        check(given_df().drop(columns="frame"))
    with pytest.raises(InputDefect, match="expected positions as y_um and x_um, or y_px and x_px"):
        check(given_df().drop(columns="y_px"))
    in_um = given_df().rename(columns={"y_px": "y_um", "x_px": "x_um"})
    with pytest.raises(InputDefect, match="pixel size of this sample is unknown"):
        check(in_um, pixel=None)
    assert check(in_um, pixel=None, unit="um")["x"].tolist() == in_um["x_um"].tolist()  # nothing of the sample has pixels


def test_labels_are_looked_up_where_masks_exist(track_cfg):
    image = np.zeros((20, 20), dtype=np.int32)
    image[2:9, 2:9] = 4  # a ring: its centroid is not on it
    image[4:7, 4:7] = 0
    image[12:15, 12:15] = 9
    df = pd.DataFrame({"track_id": [1, 2, 3], "frame": [0, 0, 0], "y_px": [5.0, 13.2, 18.0], "x_px": [5.0, 12.9, 2.0]})
    info = meta(1, size=20)
    columns, facts = read_given(
        check(df, frames=[0]), info, track_cfg, label_of_page=lambda page: (image, objects_of_frame(image, None, page))
    )
    assert columns["label"].tolist() == [4, 9, 0]
    assert facts["without_mask"] == 1
    assert "1 of 3 given positions lie on no mask" in facts["warnings"][0]


def test_a_mother_that_goes_on_is_named_in_a_warning(track_cfg):
    df = given_df(frame=[0, 3, 2, 3, 2, 3], parent_id=[0, 0, 1, 1, 1, 1])
    _, facts = read_given(check(df), meta(4, size=20), track_cfg)
    assert "1 given mothers go on after their daughters begin (tracks 1)" in facts["warnings"][0]


def test_a_published_lineage_is_read_as_given(track_cfg, data_root, skip):
    """btrack's example: 408 tracks, 110 divisions (its own output on a real movie)."""
    import json

    folder = data_root / "btrack_example_tracks"
    if not folder.exists():
        skip(f"{folder} is absent")
    table = pd.read_csv(folder / "tracks.csv.gz")
    parents = {int(k): v[0] for k, v in json.loads((folder / "graph_child_to_parent.json").read_text()).items()}
    df = table.rename(columns={"track": "track_id", "t": "frame", "c2": "y_px", "c3": "x_px"})
    shift = 1 - int(df["track_id"].min())  # ours count from 1
    df["parent_id"] = [parents.get(k, -shift) + shift for k in df["track_id"]]
    df["track_id"] += shift
    n_frames = int(df["frame"].max()) + 1
    columns, facts = read_given(check(df, frames=range(n_frames)), meta(n_frames), track_cfg)
    assert (facts["tracks"], facts["divisions"]) == (408, 110)
    assert len(finish_tracks(columns, meta(n_frames), track_cfg)) == len(table)
