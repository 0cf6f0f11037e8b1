"""Every kernel against its slow twin."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytocause.simulate import kernels
from cytocause.simulate.looks import eccentricity, half_axes
from cytocause.simulate.pixels import blurred, gaussian
from tests.simulate import naive

seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=15, deadline=None)


def some_cells(rng, n, shape):
    angle = rng.uniform(-np.pi, np.pi, n)
    geometry = np.column_stack(
        [
            rng.uniform(-3, shape[0] + 3, n),
            rng.uniform(-3, shape[1] + 3, n),
            rng.uniform(2, 9, n),
            rng.uniform(2, 9, n),
            np.cos(angle),
            np.sin(angle),
        ]
    )
    return geometry, rng.normal(0, 0.04, (n, 2, 5))


@few
@given(seed=seeds, n=st.integers(0, 6))
def test_masks_equal_the_deepest_cell_at_every_pixel(seed, n):
    rng, shape = np.random.default_rng(seed), (31, 37)
    geometry, wobble = some_cells(rng, n, shape)
    ids = rng.permutation(np.arange(1, n + 1))
    labels, depth = np.zeros(shape, np.int32), np.ones(shape, np.float32)
    kernels.paint_labels(labels, depth, ids, geometry, wobble)
    assert (labels != naive.paint_labels(shape, ids, geometry, wobble)).sum() <= 1  # a pixel exactly on an outline may differ


@few
@given(seed=seeds, n=st.integers(0, 5))
def test_light_equals_the_brightest_cell_at_every_pixel(seed, n):
    rng, shape = np.random.default_rng(seed), (31, 29)
    geometry, wobble = some_cells(rng, n, shape)
    looks = (rng.uniform(0.2, 3, n), rng.uniform(1, 3, n), rng.normal(0, 1, (n, 3, 4)) * 0.3, rng.uniform(0, 1, (n, 2, 4)))
    light = np.zeros(shape, np.float32)
    kernels.paint_light(light, geometry, wobble, *looks)
    np.testing.assert_allclose(light, naive.paint_light(shape, geometry, wobble, *looks), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("place", [(15, -40), (15, 90), (-40, 15), (90, 15)])
def test_a_cell_out_of_the_frame_leaves_no_light(place):
    geometry, wobble = np.array([[*place, 8.0, 6.0, 0.8, 0.6]]), np.zeros((1, 2, 5))
    light = np.zeros((31, 29), np.float32)
    kernels.paint_light(light, geometry, wobble, np.ones(1), np.ones(1), np.full((1, 3, 4), 0.3), np.full((1, 2, 4), 0.5))
    assert not light.any()


@few
@given(seed=seeds, n=st.integers(0, 4))
def test_brightfield_cells_equal_the_sum_of_their_rings(seed, n):
    rng, shape = np.random.default_rng(seed), (37, 41)
    geometry, wobble = some_cells(rng, n, shape)
    profile = np.column_stack(
        [
            rng.normal(0, 0.3, (n, 2)), rng.uniform(0.3, 1, n), rng.normal(0, 0.5, n), rng.uniform(-2, 0, n), rng.normal(0, 0.5, n),
            rng.uniform(0, 2, n), rng.normal(0, 0.3, n), rng.uniform(2, 4, n), rng.uniform(0.6, 2, n),
        ]
    )  # fmt: skip
    waves = rng.normal(0, 1, (n, 3, 4)) * 0.3
    field = np.zeros(shape, np.float32)
    kernels.paint_phase(field, geometry, wobble, profile, waves)
    np.testing.assert_allclose(field, naive.paint_phase(shape, geometry, wobble, profile, waves), rtol=1e-4, atol=1e-5)


@few
@given(seed=seeds, n=st.integers(0, 4))
def test_fibres_equal_the_sum_of_their_pieces(seed, n):
    rng, shape = np.random.default_rng(seed), (33, 35)
    nodes = np.cumsum(rng.normal(0, 6, (n, 5, 2)), axis=1) + rng.uniform(0, 33, (n, 1, 2))
    wide, strength = rng.uniform(0.5, 2, n), rng.normal(0, 1, n)
    field = np.zeros(shape, np.float32)
    kernels.paint_fibres(field, nodes, wide, strength)
    np.testing.assert_allclose(field, naive.paint_fibres(shape, nodes, wide, strength), rtol=1e-4, atol=1e-5)


@few
@given(seed=seeds)
def test_the_light_of_a_channel_holds_a_share_of_the_others(seed):
    rng = np.random.default_rng(seed)
    own, others, auto, lit = rng.uniform(0, 2, (4, 9, 8)).astype(np.float32)
    cross, signal, background = np.float32([0.1, 300, 40])
    found = kernels.mix_light(own, others, cross, signal, background, auto, lit)
    np.testing.assert_allclose(found, naive.mix_light(own, others, cross, signal, background, auto, lit), rtol=1e-6)


@pytest.mark.parametrize("sigma", [2.0, 3.0, 4.0])
def test_a_wide_blur_at_half_the_resolution_is_the_blur(sigma):
    image = np.zeros((65, 64), np.float32)
    image[28:33, 29:34] = 20  # as small as the smallest cell
    image[12:20, 40:50] = 5
    image = kernels.blur(image, gaussian(0.8))
    whole, coarse = naive.blur(image, gaussian(sigma)), blurred(image, sigma)
    assert np.abs(whole - coarse).max() < 0.06 * whole.max()
    assert coarse.sum() == pytest.approx(whole.sum(), rel=0.01)


@few
@given(seed=seeds, sigma=st.floats(0.1, 4.0), height=st.integers(1, 20), width=st.integers(1, 20))
def test_blur_equals_the_double_sum_and_keeps_the_light(seed, sigma, height, width):
    image = np.random.default_rng(seed).uniform(0, 5, (height, width)).astype(np.float32)
    weights = gaussian(sigma)
    assert weights[0] + 2 * weights[1:].sum() == pytest.approx(1, rel=1e-5)
    np.testing.assert_allclose(kernels.blur(image, weights), naive.blur(image, weights), rtol=1e-4)


@few
@given(seed=seeds, height=st.integers(1, 23), width=st.integers(1, 23), step=st.integers(1, 5))
def test_shrinking_and_enlarging(seed, height, width, step):
    image = np.random.default_rng(seed).uniform(0, 5, (height, width)).astype(np.float32)
    small = kernels.shrink(image, step)
    np.testing.assert_allclose(small, naive.shrink(image, step), rtol=1e-5)
    out = image.copy()
    kernels.add_enlarged(out, small, step, 0.5)
    np.testing.assert_allclose(out, image + 0.5 * naive.enlarge(small, step, image.shape), rtol=1e-5)


@few
@given(seed=seeds)
def test_the_camera_clips_and_rounds(seed):
    rng = np.random.default_rng(seed)
    photons = rng.uniform(-10, 30000, (9, 7)).astype(np.float32)
    deviates = rng.standard_normal((9, 7)).astype(np.float32)
    counts = kernels.expose(photons, deviates, 3.0, 2.5, 100.0)
    assert counts.dtype == np.uint16
    np.testing.assert_allclose(counts, naive.expose(photons, deviates, 3.0, 2.5, 100.0), atol=1)


@few
@given(seed=seeds)
def test_label_moments_count_and_sum(seed):
    labels = np.random.default_rng(seed).integers(0, 5, (11, 13)).astype(np.int32)
    np.testing.assert_array_equal(kernels.label_moments(labels, 6), naive.label_moments(labels, 6))


@few
@given(seed=seeds, n=st.integers(1, 8))
def test_pushing_apart_keeps_the_centre_of_equal_cells(seed, n):
    rng = np.random.default_rng(seed)
    y, x, radius = rng.uniform(0, 20, n), rng.uniform(0, 20, n), rng.uniform(2, 6, n)
    expected = naive.push_apart(y, x, radius, np.ones(n), 0.5, 3)
    centre = y.mean(), x.mean()
    kernels.push_apart(y, x, radius, np.ones(n), 0.5, 3)
    np.testing.assert_allclose((y, x), expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose((y.mean(), x.mean()), centre)


def test_two_cells_that_overlap_end_just_apart_and_a_held_one_stays():
    y, x = np.array([0.0, 0.0]), np.array([0.0, 3.0])
    kernels.push_apart(y, x, np.array([4.0, 4.0]), np.array([0.0, 1.0]), 1.0, 40)
    assert x[0] == 0 and y[0] == 0
    assert x[1] == pytest.approx(9.0, rel=1e-6)


def test_an_outline_has_the_area_it_was_given():
    wobble = np.random.default_rng(3).normal(0, 0.05, (2, 5))
    a, b = half_axes(900.0, 0.3, wobble)
    labels, depth = np.zeros((80, 80), np.int32), np.ones((80, 80), np.float32)
    kernels.paint_labels(labels, depth, np.array([1]), np.array([[40.2, 39.7, a, b, 0.8, 0.6]]), wobble[None])
    assert (labels == 1).sum() == pytest.approx(900, rel=0.01)
    assert a / b == pytest.approx(np.exp(0.3))


def test_eccentricity_of_a_circle_and_of_an_ellipse_of_ratio_two():
    assert eccentricity(np.array([0.0]))[0] == 0
    assert eccentricity(np.log(2.0)) == pytest.approx(np.sqrt(0.75))
