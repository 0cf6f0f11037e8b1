"""Limits, empty frames, numbering and flags: arithmetic without an engine."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cytocause.segment.normalise import diameter_px, has_cells, normalise
from cytocause.segment.relabel import relabel
from cytocause.segment.stream import count_flags
from tests.segment import naive

LIMITS = {"low": 100.0, "high": 300.0}


def test_limits_become_nought_and_one():
    frame = np.array([[100, 300], [200, 500]], np.uint16)
    assert normalise(frame, LIMITS).tolist() == [[0.0, 1.0], [0.5, 2.0]]


def test_dark_cells_become_bright():
    frame = np.array([[100.0, 300.0]])
    assert normalise(frame, LIMITS, "dark").tolist() == [[1.0, 0.0]]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("polarity", ["bright", "dark"])
def test_the_frame_itself_is_left_as_it_is(dtype, polarity):
    frame = np.arange(12, dtype=dtype).reshape(3, 4)
    before = frame.copy()
    scaled = normalise(frame, {"low": 0, "high": 10}, polarity)
    scaled += 1
    assert (frame == before).all() and scaled.dtype == np.float32


def test_a_constant_movie_is_background():
    assert (normalise(np.full((4, 4), 7.0), {"low": 7.0, "high": 7.0}) == 0).all()


def test_diameter_in_px_with_and_without_a_pixel_size():
    assert diameter_px(18, 0.5) == 36.0
    assert diameter_px(18, None) == 18.0


def disc_frame(radius=9, height=1.0, noise=0.05, side=128, seed=0):
    y, x = np.mgrid[:side, :side]
    disc = np.hypot(y - side / 2, x - side / 2) < radius
    return (disc * height + np.random.default_rng(seed).normal(0, noise, (side, side))).astype(np.float32)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("diameter", [6, 18, 40])
def test_noise_alone_is_no_cell(seed, diameter):
    assert not has_cells(disc_frame(height=0.0, noise=0.3, seed=seed), diameter)


def test_a_constant_frame_and_a_slope_of_light_hold_no_cell():
    assert not has_cells(np.full((64, 64), 0.3, np.float32), 18)
    slope = np.linspace(0, 1, 256, dtype=np.float32)[None] + np.zeros((256, 1), np.float32)
    assert not has_cells(slope + disc_frame(height=0, noise=0.02, side=256), 18)


def test_one_faint_cell_is_seen():
    assert has_cells(disc_frame(height=0.1, noise=0.05), 18)


def test_a_frame_smaller_than_a_patch_does_not_break():
    assert not has_cells(np.zeros((3, 3), np.float32), 60)


def test_labels_count_up_in_reading_order_and_lose_small_and_large_ones():
    masks = np.array([[9, 9, 0, 4], [9, 9, 0, 4], [0, 0, 0, 0], [7, 2, 2, 2]])
    assert relabel(masks).tolist() == [[1, 1, 0, 2], [1, 1, 0, 2], [0, 0, 0, 0], [3, 4, 4, 4]]
    assert relabel(masks, min_area=3).tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [0, 2, 2, 2]]
    assert relabel(masks, max_area=3).max() == 3


@settings(max_examples=60, deadline=None)
@given(arrays(np.int64, (7, 6), elements=st.sampled_from([0, 1, 2, 5, 9, 40_000_000])), st.integers(0, 4))
def test_relabel_equals_the_slow_way(masks, min_area):
    found = relabel(masks, min_area)
    assert found.dtype == np.int32
    assert (found == naive.relabel(masks, min_area)).all()


def test_an_empty_frame_stays_empty():
    assert relabel(np.zeros((4, 5), np.uint16)).tolist() == np.zeros((4, 5)).tolist()


def test_a_frame_that_loses_its_cells_is_flagged():
    assert count_flags([40, 41, 40, 12, 42, 40, 0, 41]) == ["", "", "", "jump", "", "", "empty", ""]


def test_small_counts_may_change_by_two():
    assert count_flags([3, 5, 3, 4]) == [""] * 4
    assert count_flags([4]) == [""]
