"""Motion looks back only, respects gaps, and equals its naive twin."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytocause.measure import motion, rate_of_change
from cytocause.measure.kernels import track_motion
from cytocause.measure.motion import MOTION_COLUMNS
from tests.measure import naive


def walks(seed, n_tracks=4, n_frames=14, keep=0.8):
    """Random walks with gaps: track, frame (sorted), time in min, y, x in um."""
    rng = np.random.default_rng(seed)
    rows = []
    for track in rng.permutation(50)[:n_tracks] + 1:
        place = np.cumsum(rng.normal(0, 2, (n_frames, 2)), axis=0)
        for frame in np.flatnonzero(rng.random(n_frames) < keep):
            rows.append((track, frame, frame * 2.5, *place[frame]))
    rows = np.array(sorted(rows), float).reshape(-1, 5)
    return rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64), rows[:, 2], rows[:, 3], rows[:, 4]


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10**6), speed=st.sampled_from([0.1, 2.5, 7.5, np.inf]), direction=st.sampled_from([5.0, 12.0, np.inf]))
def test_motion_equals_the_naive_twin(seed, speed, direction):
    rows = walks(seed)
    np.testing.assert_allclose(
        track_motion(*rows, speed, direction), naive.track_motion(*rows, speed, direction), rtol=1e-9, atol=1e-12
    )


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10**6), cut=st.integers(1, 13))
def test_the_future_never_changes_the_past(seed, cut):
    track, frame, time, y, x = walks(seed)
    past = frame < cut
    whole = motion(track, frame, time, y, x, speed_window=7.5, direction_window=12.0)
    early = motion(track[past], frame[past], time[past], y[past], x[past], speed_window=7.5, direction_window=12.0)
    for name in MOTION_COLUMNS:
        np.testing.assert_array_equal(whole[name][past], early[name], err_msg=name)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10**6), dy=st.floats(-1e3, 1e3), dx=st.floats(-1e3, 1e3))
def test_motion_does_not_depend_on_row_order_track_names_or_place(seed, dy, dx):
    track, frame, time, y, x = walks(seed)
    order = np.random.default_rng(seed).permutation(len(track))
    names = np.random.default_rng(seed + 1).permutation(100) + 1
    here = motion(track, frame, time, y, x)
    there = motion(names[track][order], frame[order], time[order], y[order] + dy, x[order] + dx)
    for name in MOTION_COLUMNS:
        np.testing.assert_allclose(here[name][order], there[name], rtol=1e-6, atol=1e-6, err_msg=name)


def test_a_gap_gives_no_speed_and_is_not_filled():
    frame = np.array([0, 1, 3, 4])
    out = motion(np.ones(4, int), frame, frame * 10.0, np.zeros(4), frame * 5.0)
    np.testing.assert_array_equal(out["speed_um_min"], [np.nan, 0.5, np.nan, 0.5])
    np.testing.assert_array_equal(out["displacement_um"], [0, 5, 15, 20])
    np.testing.assert_array_equal(out["path_um"], [0, 5, 15, 20])
    assert np.isnan(out["directionality"]).all()  # after the gap, one step is not a direction yet


def test_time_comes_from_minutes_not_from_frames():
    out = motion(np.ones(3, int), np.arange(3), np.array([0.0, 10.0, 14.0]), np.zeros(3), np.array([0.0, 10.0, 18.0]))
    np.testing.assert_allclose(out["speed_um_min"], [np.nan, 1.0, 2.0])
    np.testing.assert_allclose(out["speed_smooth_um_min"], [np.nan, 1.0, 18 / 14])


def test_a_cell_that_stands_still_has_no_direction():
    out = motion(np.ones(5, int), np.arange(5), np.arange(5.0), np.zeros(5), np.zeros(5))
    assert np.isnan(out["directionality"]).all()
    np.testing.assert_array_equal(out["speed_um_min"][1:], 0)


def test_directionality_since_the_start_is_net_over_path():
    x = np.array([0.0, 3.0, 1.0, 4.0])
    out = motion(np.ones(4, int), np.arange(4), np.arange(4.0), np.zeros(4), x, direction_window=None)
    np.testing.assert_allclose(out["directionality"], [np.nan, np.nan, 1 / 5, 4 / 8])


def test_rate_of_change_is_signed_per_minute_and_stops_at_gaps():
    rate = rate_of_change([2, 2, 2, 1], [0, 1, 3, 0], [0.0, 5.0, 15.0, 0.0], [1.0, 11.0, 0.0, 4.0])
    np.testing.assert_allclose(rate, [np.nan, 2.0, np.nan, np.nan])


@pytest.mark.parametrize("n", [0, 1])
def test_no_rows_and_one_row(n):
    out = motion(np.ones(n, int), np.arange(n), np.arange(n, dtype=float), np.zeros(n), np.zeros(n))
    assert all(len(values) == n for values in out.values())
