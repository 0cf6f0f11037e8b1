"""Numbers and flags of single frames."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from cytocause.prepare.quality import check_finite, flags, frame_facts, full_scale, local_median
from tests.prepare import naive

CFG = {"window_frames": 5, "brightness_change": 0.2, "focus_drop": 0.4, "saturated": 0.01}


def test_facts_of_a_frame():
    image = np.zeros((10, 10), np.uint8)
    image[2:4, 2:4] = 200
    facts = frame_facts(image)
    assert (facts["mean"], facts["highest"], facts["at_highest"], facts["constant"]) == (8.0, 200.0, 0.04, False)
    flat = {"mean": 5.0, "focus": 0.0, "highest": 5.0, "at_highest": 1.0, "constant": True}
    assert frame_facts(np.full((3, 3), 5, np.uint16)) == flat


def test_blur_lowers_the_focus():
    sharp = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
    focus = [frame_facts(gaussian_filter(sharp, sd))["focus"] for sd in (0, 1, 2, 4)]
    assert all(a > 3 * b for a, b in itertools.pairwise(focus))


def test_finite_frames_pass():
    check_finite(np.ones((3, 3), np.float32), 0, "a", "m.tif")
    check_finite(np.ones((3, 3), np.uint16), 0, "a", "m.tif")


@pytest.mark.parametrize(
    ("dtype", "highest", "expected"),
    [("uint8", 200, 255), ("uint16", 4095, 4095), ("uint16", 5000, 65535), ("uint16", 65535, 65535), ("float32", 1, None)],
)
def test_the_camera_s_highest_value(dtype, highest, expected):
    assert full_scale(dtype, highest) == expected


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), st.sampled_from([3, 5, 11]))
def test_local_median(values, window):
    assert local_median(np.array(values), window).tolist() == naive.local_median(values, window)


def quiet(n=20, seed=0):
    rng = np.random.default_rng(seed)
    ones = np.zeros(n, bool)
    return {
        "mean": 100 + rng.normal(0, 1, n),
        "focus": 50 + rng.normal(0, 2, n),
        "saturated": np.zeros(n),
        "constant": ones,
    }


def test_dark_frames_are_not_called_blurred_and_short_movies_have_nothing_to_compare():
    odd = quiet()
    odd["mean"][4] *= 0.5
    odd["focus"][4] *= 0.25
    assert words({"a": odd})[4] == ["dark"]
    assert words({"a": {key: values[2:6] for key, values in odd.items()}}) == [[]] * 4


def words(facts, frames=None, steps=None):
    n = len(next(iter(facts.values()))["mean"])
    return flags(facts, frames=frames or list(range(n)), drift_steps=np.zeros(n) if steps is None else steps, cfg=CFG)


def test_quiet_movies_have_no_flag():
    assert words({"a": quiet()}) == [[]] * 20
    bleached = quiet()
    bleached["mean"] *= np.exp(-np.arange(20) / 15)
    bleached["focus"] *= np.exp(-np.arange(20) / 15)
    assert words({"a": bleached}) == [[]] * 20


def test_flags_name_the_channel_where_there_are_several():
    odd = quiet(seed=1)
    odd["mean"][4] *= 0.5
    odd["mean"][9] *= 2
    odd["focus"][12] *= 0.2
    odd["saturated"][15] = 0.05
    found = words({"a": quiet(), "b": odd})
    assert {t: flag for t, flag in enumerate(found) if flag} == {
        4: ["dark_b"],
        9: ["bright_b"],
        12: ["blurred_b"],
        15: ["saturated_b"],
    }


def test_gaps_and_shifts():
    steps = np.zeros(4)
    steps[2] = 3.0
    assert words({"a": quiet(4)}, frames=[0, 1, 2, 5], steps=steps) == [[], [], ["shifted"], ["gap_before"]]


def test_no_frames():
    nothing = {key: np.array([]) for key in ("mean", "focus", "saturated", "constant")}
    assert flags({"a": nothing}, frames=[], drift_steps=[], cfg=CFG) == []
