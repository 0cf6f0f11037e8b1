"""Shape and intensity: against the naive twin, against scikit-image, and under relabelling and shifts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import regionprops_table

from cytocause.measure import region_intensities, region_shapes
from cytocause.measure.kernels import intensity_sums, region_sums
from tests.measure import naive

PAIRS = {
    "area_um2": "area",
    "equivalent_diameter_um": "equivalent_diameter_area",
    "major_axis_um": "axis_major_length",
    "minor_axis_um": "axis_minor_length",
    "eccentricity": "eccentricity",
    "perimeter_um": "perimeter",
    "centroid_y": "centroid-0",
    "centroid_x": "centroid-1",
}


def blobs(seed, size=96, n=14):
    """Ellipses, some cut by the frame, some touching, labels with holes in their numbering."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((size, size), np.int32)
    y, x = np.mgrid[:size, :size]
    for label in rng.permutation(3 * n)[:n] + 1:
        cy, cx = rng.uniform(0, size, 2)
        a, b, turn = rng.uniform(2, 12), rng.uniform(1, 6), rng.uniform(0, np.pi)
        u = (y - cy) * np.cos(turn) + (x - cx) * np.sin(turn)
        v = (x - cx) * np.cos(turn) - (y - cy) * np.sin(turn)
        labels[(u / a) ** 2 + (v / b) ** 2 < 1] = label
    return labels


small_labels = st.integers(0, 2**32 - 1).map(
    lambda seed: np.random.default_rng(seed).integers(0, 4, np.random.default_rng(seed + 1).integers(1, 9, 2)).astype(np.int32)
)


@settings(deadline=None, max_examples=60)
@given(labels=small_labels)
def test_sums_equal_the_naive_twin(labels):
    counts, perimeter, border = region_sums(labels, 3)
    image = np.random.default_rng(1).normal(100, 5, labels.shape).astype(np.float32)
    sums = intensity_sums(labels, image, 3)
    for label in range(1, 4):
        if not (labels == label).any():
            assert counts[label, 0] == 0 and sums[label, 0] == 0
            continue
        slow = naive.region_shape(labels, label)
        area = counts[label, 0]
        assert area == slow["area"] == sums[label, 0]
        assert counts[label, 1] + counts[label, 3] / area == pytest.approx(slow["centroid"][0], abs=1e-12)
        assert counts[label, 2] + counts[label, 4] / area == pytest.approx(slow["centroid"][1], abs=1e-12)
        assert perimeter[label] == pytest.approx(slow["perimeter"], abs=1e-12)
        assert border[label] == slow["border"]
        mean, sd, top = naive.region_intensity(labels, image, label)
        measured = region_intensities(labels, image)
        assert measured["mean"][label] == pytest.approx(mean, rel=1e-12)
        assert measured["sd"][label] == pytest.approx(sd, rel=1e-9, abs=1e-9)
        assert measured["max"][label] == top


@pytest.mark.parametrize("seed", range(6))
def test_shape_equals_regionprops(seed):
    labels = blobs(seed)
    ours = region_shapes(labels)
    theirs = regionprops_table(labels, properties=("label", *(set(PAIRS.values()) - {"centroid-0", "centroid-1"}), "centroid"))
    at = theirs["label"]
    assert set(np.flatnonzero(~np.isnan(ours["area_um2"]))) == set(at)
    for name, prop in PAIRS.items():
        tolerance = 1e-6 if prop == "perimeter" else 1e-9
        if prop == "eccentricity" or prop == "axis_minor_length":  # sqrt(1 - ratio) of nearly round regions: compare before the root
            np.testing.assert_allclose(ours[name][at] ** 2, theirs[prop] ** 2, atol=1e-9, err_msg=name)
        else:
            np.testing.assert_allclose(ours[name][at], theirs[prop], rtol=tolerance, atol=tolerance, err_msg=name)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_intensity_equals_regionprops(dtype):
    labels = blobs(3)
    image = np.random.default_rng(0).integers(20, 250, labels.shape).astype(dtype)
    ours = region_intensities(labels, image, background=15)
    theirs = regionprops_table(
        labels, image.astype(float), properties=("label", "intensity_mean", "intensity_std", "intensity_max")
    )
    at = theirs["label"]
    np.testing.assert_allclose(ours["mean"][at], theirs["intensity_mean"] - 15, rtol=1e-9)
    np.testing.assert_allclose(ours["sd"][at], theirs["intensity_std"], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(ours["max"][at], theirs["intensity_max"].astype(float) - 15)


def test_a_bright_offset_keeps_the_spread():
    labels = np.ones((20, 20), np.int32)
    image = (np.arange(400).reshape(20, 20) % 2 + 8388600.0).astype(np.float32)
    assert region_intensities(labels, image)["sd"][1] == pytest.approx(0.5)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 1000), shift=st.tuples(st.integers(0, 40), st.integers(0, 40)))
def test_shape_does_not_depend_on_labels_or_place(seed, shift):
    labels = blobs(seed, size=48, n=5)
    names = np.unique(labels[labels > 0])
    renamed = np.random.default_rng(seed).permutation(names.max() + 20)[: names.max() + 1] + 1
    moved = np.zeros((100, 100), np.int32)
    inner = np.where(labels > 0, renamed[labels], 0)
    moved[1 + shift[0] : 49 + shift[0], 1 + shift[1] : 49 + shift[1]] = inner
    here, there = region_shapes(np.pad(labels, 1).astype(np.int32)), region_shapes(moved)
    for name in set(PAIRS) - {"centroid_y", "centroid_x"}:
        np.testing.assert_allclose(here[name][names], there[name][renamed[names]], rtol=1e-9, atol=1e-12, err_msg=name)
    np.testing.assert_allclose(here["centroid_y"][names] + shift[0], there["centroid_y"][renamed[names]], rtol=1e-12)


def test_a_frame_without_cells_has_no_shapes():
    shape = region_shapes(np.zeros((8, 8), np.int32))
    assert np.isnan(shape["area_um2"]).all() and not shape["border"].any()


def test_one_pixel_is_round_and_has_no_perimeter():
    labels = np.zeros((5, 5), np.int32)
    labels[2, 2] = 7
    shape = region_shapes(labels)
    assert shape["area_um2"][7] == 1 and shape["eccentricity"][7] == 0 and np.isnan(shape["circularity"][7])
    assert not shape["border"][7]
