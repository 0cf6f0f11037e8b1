"""Limits and background of a channel, from a streamed histogram."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytocause.prepare.intensity import Histogram, limits
from tests.prepare import naive

CFG = {"low_percentile": 1.0, "high_percentile": 99.0, "background": "mode"}


@settings(deadline=None, max_examples=60)
@given(
    sample=st.lists(st.integers(-40, 40), min_size=1, max_size=60),
    percent=st.sampled_from([0.5, 1, 25, 50, 75, 99.8, 100]),
)
def test_counted_pixels_equal_the_sorted_sample(sample, percent):
    histogram = Histogram("int16", 2)
    histogram.add(np.array(sample, np.int16)[None])
    assert histogram.percentile(percent) == naive.percentile(sample, percent)
    assert histogram.mode() == pytest.approx(naive.half_sample_mode(sample))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32", "float64", "int32"])
def test_limits_of_a_movie_with_background_and_cells(dtype):
    rng = np.random.default_rng(0)
    histogram = Histogram(dtype, 5)
    frames = []
    for _ in range(5):
        image = rng.normal(60, 4, (200, 200))
        image[:40] = rng.normal(200, 10, (40, 200))
        frames.append(np.clip(np.round(image), 0, 255).astype(dtype))
        histogram.add(frames[-1])
    found = limits(histogram, CFG)
    every = np.stack(frames)
    assert found["low"] == pytest.approx(np.percentile(every, 1), abs=1)
    assert found["high"] == pytest.approx(np.percentile(every, 99), abs=1)
    assert found["background"] == pytest.approx(60, abs=2)
    assert limits(histogram, {**CFG, "background": "none"})["background"] == 0
    assert limits(histogram, {**CFG, "background": "low"})["background"] == found["low"]


def test_a_flat_channel_has_a_range():
    histogram = Histogram("uint16", 1)
    histogram.add(np.full((10, 10), 7, np.uint16))
    assert limits(histogram, CFG) == {"low": 7.0, "high": 8.0, "background": 7.0}


def test_the_sample_of_floats_is_bounded():
    histogram = Histogram("float32", 10_000)
    for _ in range(200):
        histogram.add(np.zeros((256, 256), np.float32))
    assert sum(len(sample) for sample in histogram.samples) < 200 * 300
