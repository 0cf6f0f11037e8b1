"""Training frames: reproducible, varied, labelled without gaps."""

import numpy as np
import pytest

from cytocause.simulate import training_frames
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
