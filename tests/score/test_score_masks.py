"""Masks: average precision and node matching."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cytocause.score.masks import ap_counts, compare_frames, covered_nodes
from cytocause.score.seg import seg
from tests.score import naive

small = arrays(np.int32, (5, 6), elements=st.integers(0, 4))


@settings(max_examples=60, deadline=None)
@given(truth=small, found=small, threshold=st.sampled_from([0.2, 0.5, 0.75]))
def test_ap_counts_equal_the_best_of_all_pairings(truth, found, threshold):
    assert ap_counts(truth, found, threshold) == naive.ap_counts(truth, found, threshold)


@settings(max_examples=60, deadline=None)
@given(truth=small, found=small)
def test_covered_nodes_equal_the_pixel_count(truth, found):
    assert [tuple(pair) for pair in covered_nodes(truth, found).tolist()] == naive.covered_nodes(truth, found)


@settings(max_examples=30, deadline=None)
@given(truth=small, seed=st.integers(0, 99))
def test_names_of_labels_do_not_matter(truth, seed):
    names = np.r_[0, np.random.default_rng(seed).permutation(5000)[:4] + 1]
    n = len(np.unique(truth[truth > 0]))
    assert ap_counts(truth, names[truth].astype(np.int32)) == {"tp": n, "fp": 0, "fn": 0}


def test_half_of_a_mask_is_on_the_edge_of_a_hit():
    truth, found = np.zeros((4, 4), int), np.zeros((4, 4), int)
    truth[:2, :4] = 1  # 8 pixels
    found[:1, :4] = 1  # 4 of them: intersection over union is exactly 0.5
    assert ap_counts(truth, found, 0.5) == {"tp": 1, "fp": 0, "fn": 0}
    assert ap_counts(truth, found, 0.51) == {"tp": 0, "fp": 1, "fn": 1}
    assert len(covered_nodes(truth, found)) == 0  # exactly half is not more than half


def test_a_mask_over_two_cells_sees_both_and_is_good_for_one_at_most():
    truth, found = np.zeros((4, 8), int), np.zeros((4, 8), int)
    truth[:, :4], truth[:, 4:] = 1, 2
    found[:] = 7
    assert covered_nodes(truth, found).tolist() == [[1, 7], [2, 7]]
    assert ap_counts(truth, found, 0.5) == {"tp": 1, "fp": 0, "fn": 1}
    rows, _ = compare_frames([(0, truth, found)])
    assert rows["detection"] == {"tp": 1, "fp": 0, "fn": 1}
    assert seg(rows["seg"]) == 0.5  # each true cell is half of the mask


@settings(max_examples=60, deadline=None)
@given(truth=small, found=small)
def test_detection_and_seg_equal_the_pixel_count(truth, found):
    rows, _ = compare_frames([(0, truth, found)])
    assert rows["detection"] == naive.detection_counts(truth, found)
    assert seg(rows["seg"]) == (None if not truth.any() else pytest.approx(naive.seg(truth, found)))


def test_the_strict_row_asks_for_three_quarters():
    truth, found = np.zeros((4, 4), int), np.zeros((4, 4), int)
    truth[:2, :4] = 1
    found[:2, :3] = 1  # 6 of 8 pixels: exactly 0.75
    strict = [compare_frames([(0, truth, mask)])[0]["segment75"]["tp"] for mask in (found, np.where(np.arange(4) < 2, found, 0))]
    assert strict == [1, 0]


def test_frames_are_pooled_and_keep_their_numbers():
    a, b = np.array([[1, 1, 0, 2]]), np.array([[3, 3, 0, 0]])
    rows, nodes = compare_frames([(0, a, b), (5, a, a)])
    assert rows["segment"] == rows["segment75"] == rows["detection"] == {"tp": 3, "fp": 0, "fn": 1}
    assert rows["seg"] == {"sum": 3.0, "n": 4}
    assert nodes.tolist() == [[0, 1, 3], [5, 1, 1], [5, 2, 2]]
    assert compare_frames([])[1].shape == (0, 3)


def test_large_label_values_take_the_sorting_path():
    truth, found = np.array([[0, 70000, 70000, 3]]), np.array([[0, 90000, 90000, 90001]])
    assert ap_counts(truth, found) == {"tp": 2, "fp": 0, "fn": 0}


def test_frames_of_unequal_size_are_refused_in_words():
    with pytest.raises(ValueError, match="4 x 4 pixels cannot be compared with masks of 4 x 5"):
        ap_counts(np.zeros((4, 4), int), np.zeros((4, 5), int))
