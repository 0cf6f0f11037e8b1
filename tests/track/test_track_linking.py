"""Linking: the Hungarian optimum, gaps, dropped frames, label numbers that decide nothing."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytocause.track.gates import automatic_search_range, persistence
from cytocause.track.hungarian import hungarian_strategy
from cytocause.track.linking import link_fragments
from cytocause.track.objects import Objects
from tests.track import naive


class Point:
    def __init__(self, uuid):
        self.uuid, self.forward_cands = uuid, []


def objects_at(rows):
    """Objects of (page, y, x) rows; area 100."""
    rows = np.array(sorted(rows), dtype=float)
    n = len(rows)
    return Objects(
        rows[:, 0].astype(int), np.arange(1, n + 1), rows[:, 1], rows[:, 2], np.full(n, 100.0), np.full(n, np.nan), np.zeros(n, dtype=bool)
    )


def link(objects, n_pages, search_range=5.0, memory=0, elapsed=None, prediction=0.0, drift=None):
    elapsed = np.ones(n_pages) if elapsed is None else elapsed
    drift = np.zeros((n_pages, 2)) if drift is None else drift
    return link_fragments(objects, elapsed, drift, search_range=search_range, memory=memory, prediction=prediction)[0]


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10**6), n_sources=st.integers(1, 4), n_dests=st.integers(1, 4), density=st.floats(0.3, 1.0))
def test_hungarian_optimum_equals_trying_everything(seed, n_sources, n_dests, density):
    rng = np.random.default_rng(seed)
    reach = 3.0
    distance = rng.uniform(0, reach, (n_sources, n_dests))
    near = rng.random((n_sources, n_dests)) < density
    sources, dests = [Point(i) for i in range(n_sources)], [Point(10 + j) for j in range(n_dests)]
    for i, j in zip(*np.nonzero(near)):
        sources[i].forward_cands.append((dests[j], distance[i, j]))
    one, two = hungarian_strategy()(set(sources), set(dests), reach)
    price = sum(reach**2 if b is None else distance[a.uuid, b.uuid - 10] ** 2 for a, b in zip(one, two) if a is not None)
    assert price == pytest.approx(naive.cheapest_links(np.where(near, distance**2, np.inf), reach**2))
    assert sorted(p.uuid for p in one if p) == list(range(n_sources))  # everyone is accounted for, once
    assert sorted(p.uuid for p in two if p) == list(range(10, 10 + n_dests))


def test_links_equal_those_of_stock_trackpy_and_dense_fields_do_not_fail():
    import pandas as pd
    import trackpy

    rng = np.random.default_rng(1)
    at = rng.uniform(0, 120, (60, 2))
    rows = []
    for page in range(12):
        rows += [(page, y, x) for y, x in at]
        at = at + rng.normal(0, 1.5, at.shape)
    objects = objects_at(rows)
    frame = pd.DataFrame({"frame": objects.page, "y": objects.y, "x": objects.x})
    trackpy.quiet()
    stock = trackpy.link(frame, 6.0, memory=0, link_strategy="recursive").sort_index()["particle"].to_numpy()
    ours = link(objects, 12, search_range=6.0)

    def links(ids):
        return {(a, b) for k in np.unique(ids) for a, b in zip(*(np.flatnonzero(ids == k)[s] for s in (slice(-1), slice(1, None))))}

    assert links(ours) == links(stock)
    with pytest.raises(trackpy.SubnetOversizeException):
        trackpy.link(frame, 40.0, link_strategy="recursive")
    assert len(np.unique(link(objects, 12, search_range=40.0))) == 60


def test_memory_closes_a_gap_and_only_as_long_as_told():
    rows = [(page, 10.0, 10.0 + page) for page in range(8) if page not in (3, 4)] + [(page, 50.0, 50.0) for page in range(8)]
    assert len(np.unique(link(objects_at(rows), 8, memory=2))) == 2
    assert len(np.unique(link(objects_at(rows), 8, memory=1))) == 3


def test_a_dropped_frame_is_time_that_passed():
    # 6 px in two intervals: too far for one interval's gate of 5, not for that of two (5 * sqrt 2)
    objects = objects_at([(0, 10.0, 10.0), (1, 10.0, 16.0)])
    assert len(np.unique(link(objects, 2))) == 2
    assert len(np.unique(link(objects, 2, elapsed=np.array([1.0, 2.0])))) == 1


def test_drift_is_taken_off_before_linking():
    drift = np.array([[0.0, 0.0], [20.0, -15.0]])
    objects = objects_at([(0, 30.0, 30.0), (0, 30.0, 60.0), (1, 50.0, 15.0), (1, 50.0, 45.0)])
    assert link(objects, 2).tolist() == [0, 1, 2, 3]
    assert link(objects, 2, drift=drift).tolist() == [0, 1, 0, 1]


def test_an_area_that_fits_decides_between_two_near_candidates():
    objects = objects_at([(0, 10.0, 10.0), (0, 10.0, 14.0), (1, 10.0, 11.9), (1, 10.0, 12.1)])
    # the big cell at x = 10 went to 12.1, the small one to 11.9: by distance alone they swap
    objects = replace(objects, area=np.array([400.0, 100.0, 100.0, 400.0]))
    plain = link_fragments(objects, np.ones(2), np.zeros((2, 2)), search_range=5.0, memory=0, prediction=0.0)[0]
    priced = link_fragments(objects, np.ones(2), np.zeros((2, 2)), search_range=5.0, memory=0, prediction=0.0, area_weight=0.5)[0]
    assert plain.tolist() == [0, 1, 0, 1]
    assert priced.tolist() == [0, 1, 1, 0]


def test_prediction_is_measured_and_keeps_fast_straight_cells_apart():
    # two files of cells, spaced 10, stepping 6 a frame in opposite directions: the nearest cell is the wrong one
    rows = [(page, 10.0, 10 * k + 6 * page) for page in range(12) for k in range(20)]
    objects = objects_at(rows)
    fragment, share = link_fragments(objects, np.ones(12), np.zeros((12, 2)), search_range=6.5, memory=0, prediction=0.8)
    assert share == 0.8
    assert persistence(fragment, objects.y, objects.x, np.ones(len(fragment))) >= 0
    walk = np.cumsum(np.ones(30))
    assert persistence(np.zeros(30), walk, walk, np.ones(30)) == pytest.approx(1.0)


def test_the_gate_comes_from_the_movie():
    rng = np.random.default_rng(0)
    at = rng.uniform(0, 1000, (200, 2))
    rows = []
    for page in range(10):
        rows += [(page, y, x) for y, x in at]
        at = at + rng.normal(0, 3.0, at.shape)
    objects = objects_at(rows)
    reach, facts = automatic_search_range(objects.page, objects.y, objects.x, diameter=10)
    # the 95 % quantile of a Rayleigh variable of scale 3 is 7.34; twice that is 14.7
    assert reach == pytest.approx(14.7, rel=0.1)
    assert facts["pairs"] > 1500
    still, _ = automatic_search_range(np.array([0, 1]), np.zeros(2), np.zeros(2), diameter=10)
    assert still == 5  # not below half a diameter
    assert automatic_search_range(np.zeros(0, dtype=int), np.zeros(0), np.zeros(0), diameter=10)[0] == 5


def test_one_cell_and_an_empty_page():
    assert link(objects_at([(2, 1.0, 1.0)]), 4).tolist() == [0]
    assert link(objects_at([(0, 1.0, 1.0), (3, 1.0, 2.0)]), 4, memory=2).tolist() == [0, 0]
