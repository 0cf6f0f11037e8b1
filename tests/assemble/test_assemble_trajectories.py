"""Trajectories: who is in them, where they end, and that nothing is filled in."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytocause.assemble import assemble_table
from cytocause.io import InputDefect
from tests.assemble import naive
from tests.assemble.worlds import config, sample

FAMILY = {"lives": {1: range(6), 2: range(6, 14), 3: range(6, 10)}, "parents": {2: 1, 3: 1}}
DIVIDES = [(1, "division", 6)]


def made(one, **changes):
    table, variables, design = assemble_table([one], config(min_length=1, **changes))
    return table.set_index(["trajectory", "time_step"]), variables.set_index("name"), design


def test_death_is_a_step_and_the_trajectory_ends_a_few_steps_later():
    table, *_ = made(sample(lives={1: range(2, 15)}, events=[(1, "death", 9)]), keep_after_death=3)
    assert table.loc["s1:1", "death"].tolist() == [0] * 7 + [1, 1, 1]
    assert table.loc["s1:1"].index.tolist() == list(range(2, 12))


def test_death_after_the_last_sight_has_its_rows_without_features():
    table, *_ = made(sample(lives={1: range(5)}, events=[(1, "death", 5)]), keep_after_death=2)
    assert table.loc["s1:1", "death"].tolist() == [0, 0, 0, 0, 0, 1, 1]
    assert table.loc["s1:1", "area_um2"].isna().tolist() == [False] * 5 + [True, True]


def test_nothing_is_asserted_behind_the_end_of_the_movie():
    table, *_ = made(sample(lives={1: range(20)}, events=[(1, "death", 19)]), keep_after_death=5)
    assert table.loc["s1:1"].index.max() == 19


def test_all_that_was_tracked_after_death_can_be_kept():
    table, *_ = made(sample(lives={1: range(15)}, events=[(1, "death", 9)]), keep_after_death=None)
    assert table.loc["s1:1", "death"].tolist() == [0] * 9 + [1] * 6


def test_a_mother_that_is_cut_shows_its_division_and_the_daughters_start_anew():
    table, *_ = made(sample(**FAMILY, events=DIVIDES), keep_after_division=2)
    assert table.loc["s1:1", "division"].tolist() == [0] * 6 + [1, 1]
    assert table.loc[("s1:1", 6), "area_um2"] == (206 + 306) / 2
    assert table.loc["s1:2", "division"].tolist() == [0] * 8 and len(table.loc["s1:3"]) == 4


def test_mean_of_daughters_is_one_trajectory_with_its_way_from_the_mothers_start():
    table, *_ = made(sample(**FAMILY, events=DIVIDES), after_division="mean_of_daughters")
    assert table.index.unique(0).tolist() == ["s1:1"] and len(table) == 14
    assert table.loc[("s1:1", 9), "area_um2"] == (209 + 309) / 2
    assert table.loc[("s1:1", 10), "area_um2"] == 210  # one daughter was lost: the other goes on
    # places: y = 1 up to frame 5, then the mean of 2 and 3, x = frame
    assert table.loc[("s1:1", 6), "displacement_um"] == pytest.approx(np.hypot(1.5, 6))
    assert table.loc[("s1:1", 6), "path_um"] == pytest.approx(5 + np.hypot(1.5, 1))


def test_one_goes_on_with_the_nearest_daughter_and_the_other_stands_alone():
    table, *_ = made(sample(**FAMILY, events=DIVIDES), after_division="one")
    assert table.index.unique(0).tolist() == ["s1:1", "s1:3"]
    assert table.loc[("s1:1", 12), "area_um2"] == 212 and table.loc["s1:1", "division"].sum() == 8


def test_a_family_dies_with_its_last_cell_and_the_dead_leave_the_mean():
    events = [*DIVIDES, (2, "death", 8), (3, "death", 12)]
    family = {"lives": {1: range(6), 2: range(6, 16), 3: range(6, 16)}, "parents": {2: 1, 3: 1}}
    table, *_ = made(sample(**family, events=events), after_division="mean_of_daughters")
    assert table.loc[("s1:1", 7), "area_um2"] == 257 and table.loc[("s1:1", 8), "area_um2"] == 308
    assert table.loc["s1:1", "death"].tolist() == [0] * 12 + [1, 1, 1]
    alone, *_ = made(sample(**family, events=events[:2]), after_division="mean_of_daughters")
    assert alone["death"].sum() == 0


def test_a_division_that_the_events_do_not_hold_is_not_followed():
    table, *_ = made(sample(**FAMILY), after_division="mean_of_daughters")
    assert table.index.unique(0).tolist() == ["s1:1", "s1:2", "s1:3"] and table["division"].sum() == 0


def test_gaps_are_rows_without_values():
    table, *_ = made(sample(lives={1: [0, 1, 4, 5]}))
    assert table.loc["s1:1", "area_um2"].isna().tolist() == [False, False, True, True, False, False]
    assert table.loc["s1:1", "death"].tolist() == [0] * 6


def test_time_steps_of_several_frames_take_the_mean_or_the_last_and_the_last_state():
    one = sample(lives={1: range(1, 8)}, events=[(1, "death", 5)])
    mean, *_ = made(one, time_step=2, keep_after_death=None)
    assert mean.loc["s1:1", "area_um2"].tolist() == [101, 102.5, 104.5, 106.5]
    last, *_ = made(one, time_step=2, keep_after_death=None, aggregate="last")
    assert last.loc["s1:1", "area_um2"].tolist() == [101, 103, 105, 107]
    assert mean["death"].tolist() == last["death"].tolist() == [0, 0, 1, 1]


def test_a_flag_keeps_a_value_that_occurred():
    table, variables, _ = made(sample(lives={1: range(4)}), variables=["border", "death"], time_step=2)
    assert table["border"].tolist() == [1, 1] and variables.loc["border", "kind"] == "discrete"


families = st.integers(0, 10**6)


@settings(deadline=None, max_examples=40)
@given(seed=families, step=st.integers(1, 3), keep_division=st.integers(1, 4), keep_death=st.integers(1, 4))
def test_the_table_equals_the_naive_twin(seed, step, keep_division, keep_death):
    rng = np.random.default_rng(seed)
    lives, parents, events = {}, {}, []
    for track in range(1, 7):
        birth = int(rng.integers(0, 10))
        mother = int(rng.integers(0, track))
        if mother and (mother, "division") in {e[:2] for e in events}:
            birth = next(e[2] for e in events if e[:2] == (mother, "division"))
            parents[track] = mother
        end = int(min(20, birth + rng.integers(1, 9)))
        lives[track] = [f for f in range(birth, end) if rng.random() < 0.85 or f == birth]
        if end < 19 and rng.random() < 0.5:
            events.append((track, ["division", "death"][int(rng.integers(2))], end))
    rows = {t: {f: {"area": 100.0 * t + f} for f in frames} for t, frames in lives.items()}
    by_kind = {kind: {e[0]: e[2] for e in events if e[1] == kind} for kind in ("division", "death")}
    expected = naive.table(
        rows, parents, by_kind, step=step, movie_last=19, keep_division=keep_division, keep_death=keep_death, column="area"
    )
    one = sample(lives=lives, parents=parents, events=events, seed=seed % 97)
    changes = {"time_step": step, "keep_after_division": keep_division, "keep_after_death": keep_death}
    table, *_ = assemble_table([one], config(min_length=1, **changes))
    table["track"] = table["trajectory"].str.split(":").str[1].astype(int)
    got = table[["track", "time_step", "death", "division", "area_um2"]].to_numpy(float)
    np.testing.assert_allclose(got, np.array(expected, float))


@settings(deadline=None, max_examples=15)
@given(seed=families, cut=st.integers(6, 19))
def test_truncating_the_future_never_changes_the_rows_before(seed, cut):
    rng = np.random.default_rng(seed)
    lives = {t: range(int(rng.integers(0, 5)), int(rng.integers(8, 20))) for t in range(1, 5)}
    events = [(t, "death", int(rng.integers(5, 20))) for t in (1, 2)]
    whole, *_ = made(sample(lives=lives, events=events), keep_after_death=None)
    early, *_ = made(
        sample(
            lives={t: [f for f in at if f < cut] for t, at in lives.items()},
            events=[e for e in events if e[2] < cut],
            frames=range(cut),
        ),
        keep_after_death=None,
    )
    same = whole.loc[whole.index.isin(early.index)]
    assert len(same) == len(early) and same.index.equals(early.index)
    np.testing.assert_array_equal(same["area_um2"].to_numpy(), early["area_um2"].to_numpy())
    np.testing.assert_array_equal(same["death"].to_numpy(), early["death"].to_numpy())


def test_focal_cells_by_track_by_point_and_proposed():
    one = sample(lives={1: range(4), 2: range(9), 7: range(15)})
    by_track, *_ = made(one, unit="focal", focal={"cells": [{"sample": "s1", "track_id": 2}], "per_sample": 1, "isolation_um": 0})
    assert by_track.index.unique(0).tolist() == ["s1:2"]
    point = {"sample": "s1", "frame": 3, "y": 1.2, "x": 3.0}
    by_point, *_ = made(one, unit="focal", focal={"cells": [point], "per_sample": 1, "isolation_um": 0})
    assert by_point.index.unique(0).tolist() == ["s1:1"]
    longest, *_ = made(one, unit="focal")
    assert longest.index.unique(0).tolist() == ["s1:7"]
    lonely, *_ = made(one, unit="focal", focal={"cells": [], "per_sample": 3, "isolation_um": 2.0})
    assert lonely.index.unique(0).tolist() == ["s1:7"]  # 1 and 2 are 1 um apart


@pytest.mark.parametrize(
    "cell, words",
    [
        ({"sample": "s1", "track_id": 9}, "names track 9 of sample s1, which is not there"),
        ({"sample": "s1", "frame": 50, "y": 0.0, "x": 0.0}, "points at frame 50 of sample s1"),
        ({"sample": "s1"}, "neither track_id nor frame, y and x"),
    ],
)
def test_a_focal_cell_that_is_not_there_is_named(cell, words):
    with pytest.raises(InputDefect, match=words):
        made(sample(), unit="focal", focal={"cells": [cell], "per_sample": 1, "isolation_um": 0})
