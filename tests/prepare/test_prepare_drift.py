"""Drift: a stage that moves is followed, cells that move are not."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.ndimage import shift as move
from skimage.registration import phase_cross_correlation

from cytocause.prepare.drift import DriftEstimator, shrink

CFG = {"min_step_px": 0.5, "max_step_px": 40, "agreement": 0.9}


def cells(positions, side, radius=5.0):
    """Image of round cells at positions (n, 2), with a little noise."""
    image = np.zeros((side, side))
    inside = np.round(positions).astype(int)
    inside = inside[((inside >= 0) & (inside < side)).all(axis=1)]
    np.add.at(image, tuple(inside.T), 1.0)
    return gaussian_filter(image, radius) * 20000


def noisy(image, rng):
    return rng.poisson(np.clip(image, 0, None) + 100).astype(np.uint16)


def follow(frames, **options):
    estimator = DriftEstimator(frames[0].shape, CFG | options)
    return np.array([estimator.step(frame) for frame in frames])


@pytest.mark.parametrize("side", [160, 400])
def test_a_moved_stage_is_followed(side):
    rng = np.random.default_rng(0)
    scene = gaussian_filter(rng.normal(size=(side + 80, side + 80)), 3) * 3000 + 500
    path = np.array([(0, 0), (0, 0), (3, -5), (3, -5), (-4, 8.5), (10, 8.5)])
    frames = [noisy(move(scene, step, order=1)[40:-40, 40:-40], rng) for step in path]
    np.testing.assert_allclose(follow(frames), path, atol=0.35)
    # the same as scikit-image finds for the pair with the largest step
    shift, *_ = phase_cross_correlation(frames[3].astype(float), frames[4].astype(float), upsample_factor=10)
    np.testing.assert_allclose(-shift, path[4] - path[3], atol=0.5)


def test_a_moved_stage_with_few_cells_is_followed():
    rng = np.random.default_rng(1)
    home = rng.uniform(0, 256, (60, 2))
    path = np.array([(0, 0), (0, 0), (6, 4), (6, 4), (6, 4)])
    frames = [noisy(cells(home + rng.normal(0, 0.7, home.shape) + step, 256), rng) for step in path]
    np.testing.assert_allclose(follow(frames), path, atol=1.0)


@pytest.mark.parametrize("n", [3, 12, 60])
@pytest.mark.parametrize("speed", [1.0, 4.0])
def test_moving_cells_are_no_drift(n, speed):
    rng = np.random.default_rng(n)
    at, frames = rng.uniform(0, 256, (n, 2)), []
    for _ in range(25):
        at = at + rng.normal(0, speed, at.shape)
        frames.append(noisy(cells(at, 256), rng))
    assert (follow(frames) == 0).all()


def test_noise_and_empty_frames_are_no_drift():
    rng = np.random.default_rng(0)
    frames = [rng.poisson(100, (128, 128)).astype(np.uint16) for _ in range(6)]
    frames[3] = np.zeros_like(frames[3])
    assert (follow(frames) == 0).all()


def test_a_step_above_the_cap_is_not_believed():
    rng = np.random.default_rng(0)
    scene = gaussian_filter(rng.normal(size=(300, 300)), 3) * 3000 + 500
    frames = [scene[60:220, 60:220], scene[60:220, 60:220], scene[70:230, 60:220]]
    assert follow(frames, max_step_px=8)[-1].tolist() == [0, 0]
    np.testing.assert_allclose(follow(frames)[-1], [-10, 0], atol=0.3)


def test_shrinking_averages_blocks():
    image = np.arange(35, dtype=np.uint16).reshape(5, 7)
    expected = [[image[i : i + 2, j : j + 2].mean() for j in (0, 2, 4)] for i in (0, 2)]
    np.testing.assert_allclose(shrink(image, 2), expected)


def test_drift_of_tiny_images_is_zero():
    frames = [np.random.default_rng(i).integers(0, 255, (12, 9)).astype(np.uint8) for i in range(3)]
    assert (follow(frames) == 0).all()
