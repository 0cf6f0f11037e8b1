"""Objects of label images: the kernel against its twin, sparse numbers, no background."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytocause.track.kernels import label_sums
from cytocause.track.objects import join_objects, objects_of_frame, objects_of_stack
from tests.track import naive


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10**6), height=st.integers(1, 9), width=st.integers(1, 9), top=st.integers(0, 5), light=st.booleans())
def test_sums_equal_the_naive_twin(seed, height, width, top, light):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, top + 1, (height, width)).astype(np.int32)
    intensity = rng.normal(size=(height, width)) if light else np.zeros((0, 0))
    np.testing.assert_allclose(label_sums(labels, intensity, top), naive.label_sums(labels, intensity, top), rtol=1e-12, atol=1e-12)


def test_centroid_area_intensity_and_border_of_a_small_image():
    labels = np.zeros((6, 8), dtype=np.uint16)
    labels[2:4, 3:6] = 7
    labels[0, 0] = 3
    found = objects_of_frame(labels, np.full((6, 8), 5.0), page=4)
    assert found.label.tolist() == [3, 7]
    assert found.page.tolist() == [4, 4]
    assert found.area.tolist() == [1, 6]
    assert (found.y[1], found.x[1]) == (2.5, 4.0)
    assert found.intensity.tolist() == [5, 5]
    assert found.border.tolist() == [True, False]


def test_huge_label_numbers_are_kept_without_huge_memory():
    labels = np.zeros((5, 5), dtype=np.int32)
    labels[1:3, 1:3] = 2_000_000_000
    assert objects_of_frame(labels).label.tolist() == [2_000_000_000]
    labels[labels == 0] = 1_999_999_999
    assert objects_of_frame(labels).label.tolist() == [2_000_000_000, 1_999_999_999]


def test_an_empty_stack_has_no_objects():
    assert len(objects_of_stack([np.zeros((4, 4), dtype=np.int32)] * 3)) == 0
    assert len(join_objects([])) == 0


def test_objects_of_a_stack_do_not_depend_on_label_numbers():
    rng = np.random.default_rng(3)
    frames = [rng.integers(0, 4, (12, 12)).astype(np.int32) for _ in range(3)]
    swapped = [np.array([0, 3, 1, 2])[frame] for frame in frames]
    one, two = objects_of_stack(frames), objects_of_stack(swapped)
    for name in ("page", "y", "x", "area"):
        assert getattr(one, name).tolist() == pytest.approx(getattr(two, name).tolist())
