"""Training frames: reproducible, varied, labelled without gaps."""

import numpy as np
import pytest

from cytocause.simulate import ranges, training_frames
from cytocause.simulate.training import compact

SIZE = {"height": 128, "width": 128}


@pytest.fixture(scope="module")
def frames():
    return list(training_frames(4, 24, SIZE))


def test_the_same_seed_gives_the_same_frames_and_a_longer_set_begins_alike(frames):
    for (image, labels), (again, same) in zip(frames, training_frames(4, 5, SIZE)):
        np.testing.assert_array_equal(image, again)
        np.testing.assert_array_equal(labels, same)
    other, _ = next(training_frames(5, 1, SIZE))
    assert (other != frames[0][0]).any()


def test_labels_have_no_gaps_and_no_crumbs(frames):
    for image, labels in frames:
        assert image.shape == labels.shape == (2, 128, 128)
        assert image.dtype == np.uint16 and labels.dtype == np.int32
        for channel in labels:
            ids, count = np.unique(channel, return_counts=True)
            np.testing.assert_array_equal(ids, np.arange(ids.size))
            assert (count >= 6).all()


def test_the_ranges_are_wide(frames):
    spread = [image[0].astype(float).std() / image[0].mean() for image, _ in frames]
    assert max(spread) > 4 * min(spread)
    cells = [labels[0].max() for _, labels in frames]
    assert min(cells) < 10 and max(cells) > 25


def test_a_range_can_be_narrowed_and_an_unknown_key_is_refused():
    _, labels = next(training_frames(1, 1, {**SIZE, "immune_cover": [0.0, 0.0], "mixed": 0.0}))
    assert labels[1].max() == 0
    with pytest.raises(ValueError, match="does not know the key 'blur'; known are"):
        next(training_frames(1, 1, {"blur": 3}))


def test_a_share_of_the_frames_shows_both_populations_in_the_first_channel():
    both = [labels for _, labels in training_frames(2, 6, {**SIZE, "mixed": 1.0, "empty": 0.0})]
    alone = [labels for _, labels in training_frames(2, 6, {**SIZE, "mixed": 0.0, "empty": 0.0})]
    assert sum(labels[0].max() for labels in both) > sum(labels[0].max() for labels in alone)


def test_compact_drops_crumbs_and_closes_gaps():
    labels = np.zeros((6, 6), np.int32)
    labels[:2, :4] = 7
    labels[4, :3] = 3
    labels[5, :] = 9
    out = compact(labels)
    assert out.max() == 2 and (out[:2, :4] == 1).all() and (out[5] == 2).all() and not out[4].any()


CHIP = {**SIZE, "mode": "brightfield_chip"}


def test_a_brightfield_frame_is_one_grey_image_with_the_masks_of_both_populations():
    frames = list(training_frames(4, 8, {**CHIP, "empty": 0.0}))
    for (image, labels), (again, same) in zip(frames, training_frames(4, 3, {**CHIP, "empty": 0.0})):
        np.testing.assert_array_equal(image, again)
        np.testing.assert_array_equal(labels, same)
    assert all(image.shape == (1, 128, 128) and labels.shape == (2, 128, 128) for image, labels in frames)
    assert sum(labels[0].max() for _, labels in frames) > 20 and sum(labels[1].max() for _, labels in frames) > 5


def test_tumour_cells_in_focus_have_a_bright_rim_inside_and_a_dark_ring_outside_their_outline():
    still = {
        "defocus_um": [0.0, 0.0], "photons": [5000.0, 5000.0], "contrast": [1.0, 1.0], "psf_sigma": [0.4, 0.4], "tumour_diameter": [30.0, 30.0],
        "tumour_cover": [0.1, 0.1], "immune_cover": [0.0, 0.0], "fibres": [1.0, 1.0], "fibre_contrast": [0.0, 0.0], "bubbles": [0.0, 0.0],
        "haze": [0.0, 0.0], "mitotic": 0.0, "dying": 0.0, "wall": 0.0, "empty": 0.0, "debris": [1e-9, 1e-9], "gap": [3.0, 3.0],
    }  # fmt: skip
    from scipy.ndimage import binary_dilation, binary_erosion

    image, labels = next(training_frames(4, 1, {**CHIP, **still, "height": 256, "width": 256}))
    inside = labels[0] > 0
    core = binary_erosion(inside, iterations=4)
    rim = inside & ~binary_erosion(inside, iterations=3)
    ring = binary_dilation(inside, iterations=2) & ~inside
    medium = np.median(image[0][~binary_dilation(inside, iterations=14)])
    assert np.median(image[0][rim]) > 1.1 * np.median(image[0][core])
    assert np.median(image[0][ring]) < 0.9 * medium


@pytest.mark.parametrize("mode", ranges.MODES)
def test_both_sides_and_every_difficulty_give_frames(mode):
    for side, seed in (("train", 5), ("test", 100)):
        for level in (None, *ranges.LEVELS):
            image, labels = next(training_frames(seed, 1, {**SIZE, "mode": mode, "range": side, "difficulty": level, "empty": 0.0}))
            assert image.std() > 0 and labels.max() > 0, (side, level)


@pytest.mark.parametrize(
    ("seed", "cfg", "words"),
    [
        (1, {"mode": "phase"}, "mode is 'phase'; expected is one of fluorescence, brightfield_chip"),
        (1, {"range": "validation"}, "range is 'validation'; expected is one of train, test"),
        (1, {"difficulty": "extreme"}, "difficulty is 'extreme'; expected is one of easy, medium, hard, brutal"),
        (100, {}, "the seed 100 belongs to scores, and training or tuning may not use it; give a seed from 0 to 99"),
        (99, {"range": "test"}, "the seed 99 belongs to training and tuning (0 to 99), and a score may not use it"),
    ],
)
def test_a_world_of_the_wrong_side_is_refused(seed, cfg, words):
    with pytest.raises(ranges.RangeError) as caught:
        next(training_frames(seed, 1, cfg))
    assert words in str(caught.value)
