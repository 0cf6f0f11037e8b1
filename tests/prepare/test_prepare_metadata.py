"""Pixel size and times: the sheet against the file."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytocause.io import InputDefect
from cytocause.prepare.metadata import number, on_grid, settle_interval, settle_pixel_size, settle_times


@pytest.mark.parametrize(
    ("given_size", "found", "expected"),
    [
        (0.65, None, 0.65),
        ("0.65", 0.651, 0.65),
        ("", 0.65, 0.65),
        (None, 0.65, 0.65),
        (float("nan"), 0.65, 0.65),
        ("unknown", None, None),
        ("unknown", 0.65, None),
    ],
)
def test_pixel_size(given_size, found, expected):
    assert settle_pixel_size(given_size, found) == expected


def test_pixel_size_conflict_names_both():
    with pytest.raises(InputDefect, match=r"0.65 um in the sample sheet, but 1.3 um in the file's metadata") as caught:
        settle_pixel_size(0.65, 1.3, file="a.tif")
    assert caught.value.file == "a.tif" and "pixel_size_um" in caught.value.todo
    assert settle_pixel_size(1.0, 1.0099) == 1.0
    with pytest.raises(InputDefect):
        settle_pixel_size(1.0, 1.02)


def test_pixel_size_nowhere_says_what_to_write():
    with pytest.raises(InputDefect, match="neither in the sample sheet nor in the file's metadata") as caught:
        settle_pixel_size(None, None, file="a.tif")
    assert "the word unknown" in caught.value.todo
    assert settle_pixel_size(None, None, needed=False) is None


@pytest.mark.parametrize("value", ["0,65", "wide", -1, 0, "inf", "nan"])
def test_numbers_as_text(value):
    with pytest.raises(InputDefect, match="pixel_size_um of the sample sheet holds"):
        settle_pixel_size(value, None)


def test_blank_cells_are_no_numbers():
    assert [number(value, "x", "y") for value in (None, "", "  ", float("nan"))] == [None] * 4


def test_interval():
    assert settle_interval(10, None) == 10 and settle_interval("", 5.0) == 5.0 and settle_interval(10, 10.05) == 10
    with pytest.raises(InputDefect, match="10 min in the sample sheet, but 5 min in the file's metadata"):
        settle_interval(10, 5)
    with pytest.raises(InputDefect, match="time between frames is neither") as caught:
        settle_interval(None, None)
    assert "frame_interval_min" in caught.value.todo and "times" in caught.value.todo
    assert settle_interval(None, None, needed=False) is None


def test_times_from_the_interval_and_gaps_in_the_numbers():
    assert settle_times([0, 1, 3], interval=10.0) == ([0, 1, 3], [0.0, 10.0, 30.0], 10.0)


def test_measured_times_are_kept_and_a_missing_one_is_a_gap():
    measured = [0.0, 10.1, 19.9, 40.2, 50.0]
    assert settle_times(list(range(5)), interval=10.0, measured=measured) == ([0, 1, 2, 4, 5], measured, 10.0)
    frames, times, interval = settle_times(list(range(5)), interval=None, measured=measured)
    assert (frames, times) == ([0, 1, 2, 4, 5], measured) and interval == pytest.approx(np.median(np.diff(measured)))


def test_uneven_times_are_kept_as_given():
    measured = [0.0, 5.0, 12.0, 40.0, 47.0]
    assert settle_times(list(range(5)), interval=None, measured=measured)[:2] == ([0, 1, 2, 3, 4], measured)


def test_measured_times_against_the_sheet():
    with pytest.raises(InputDefect, match="5 min, but the times of the frames in the file's metadata are 10 min apart"):
        settle_times([0, 1, 2], interval=5.0, measured=[0.0, 10.0, 20.0])


@settings(deadline=None, max_examples=50)
@given(
    gaps=st.lists(st.integers(1, 4), min_size=1, max_size=40),
    stretch=st.floats(0.995, 1.005),
    data=st.data(),
)
def test_grid_is_found_under_jitter_and_a_slow_clock(gaps, stretch, data):
    jitter = data.draw(st.lists(st.floats(-0.05, 0.05), min_size=len(gaps) + 1, max_size=len(gaps) + 1))
    numbers = np.r_[0, np.cumsum(gaps)]
    times = 10.0 * (numbers * stretch + np.array(jitter))
    assert on_grid(times, 10.0) == numbers.tolist()


TABLE = "t.tsv"


def test_times_table():
    result = settle_times([0, 1, 2], interval=None, table=([0, 1, 2], [3.0, 5.0, 11.0]), table_file=TABLE)
    assert result == ([0, 1, 2], [0.0, 2.0, 8.0], 4.0)
    # a number left out of the table is a dropped frame
    assert settle_times([0, 1, 2], interval=10.0, table=([0, 1, 3], [0, 10, 30]))[0] == [0, 1, 3]
    # the table counts pages, the file names count the grid
    assert settle_times([0, 1, 3], interval=10.0, table=([0, 1, 2], [0, 10, 30]))[0] == [0, 1, 3]
    # the table has rows for the dropped frames too
    assert settle_times([0, 1, 3], interval=10.0, table=([0, 1, 2, 3], [0, 10, 20, 30]))[1] == [0, 10, 30]


@pytest.mark.parametrize(
    ("table", "text", "row"),
    [
        (([0, 1], [0, 10]), "table has 2 times, but the movie has 3 frames", None),
        (([0, 1, 2], [0, 10, np.nan]), "time is missing or is not a number", 4),
        (([0, 1, 2], [0, 10, 10]), "times do not increase", 4),
        (([0, 2, 1], [0, 10, 20]), "frames are not whole numbers in increasing order", None),
        (([0, 1, 2], [0, 600, 1200]), "10 min, but the table's times are 600 min apart", None),
    ],
)
def test_times_table_that_does_not_fit(table, text, row):
    with pytest.raises(InputDefect, match=text) as caught:
        settle_times([0, 1, 2], interval=10.0, table=table, table_file=TABLE)
    assert (caught.value.file, caught.value.row) == (TABLE, row) and caught.value.todo


def test_times_table_against_file_names():
    with pytest.raises(InputDefect, match="differ from those in the names of the frames"):
        settle_times([0, 1, 3], interval=10.0, table=([0, 2, 3], [0, 20, 30]), table_file=TABLE)
