"""Divisions by the second assignment: who is whose mother, where tracks are split, what excludes what."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytocause.track.divisions import Table, _Rows, best_compatible, division_cost, find_divisions, split_at_divisions
from cytocause.track.stage import link_movie
from tests.track import naive
from tests.track.points import meta, world

CFG = {
    "enabled": True,
    "window_frames": 3,
    "range_diameters": 1.5,
    "midpoint_sd_diameters": 0.25,
    "sister_area_variance": 0.04,
    "area_sum_variance": 0.06,
    "max_cost": 9,
    "min_daughter_frames": 3,
    "min_interval_min": 60,
    "border_cost": 3,
    "merge_frames": 20,
}


def table_of(tracks):
    """Table of {fragment: [(page, y, x, area), ...]}."""
    rows = np.array([(f, *row) for f, rows in sorted(tracks.items()) for row in rows], dtype=float)
    f, page, y, x, area = rows.T
    return Table(f.astype(int), page.astype(int), y, x, area, np.ones(len(f), dtype=bool))


def times(n=12):
    return 10.0 * np.arange(n)


def mother(pages, area=200.0, at=(50.0, 50.0)):
    return [(p, *at, area) for p in pages]


def daughter(pages, side, area=100.0):
    return [(p, 50.0 + side * (7 + p - pages[0]), 50.0, area) for p in pages]


def family():
    return {0: mother(range(5)) + daughter(range(5, 12), 1), 1: daughter(range(5, 12), -1)}


def test_the_mother_that_goes_on_as_one_daughter_is_split():
    table = table_of(family())
    found = find_divisions(table, times(), 16.0, CFG)
    assert table.page[found.mother].tolist() == [4]
    piece, mother_of = split_at_divisions(table, found)
    assert piece.tolist() == [0] * 5 + [1] * 7 + [2] * 7
    assert mother_of.tolist() == [-1, 0, 0]


def test_a_mother_that_ends_gets_two_new_daughters():
    table = table_of({0: mother(range(5)), 1: daughter(range(5, 12), 1), 2: daughter(range(5, 12), -1)})
    found = find_divisions(table, times(), 16.0, CFG)
    assert split_at_divisions(table, found)[1].tolist() == [-1, 0, 0]


def test_a_daughter_found_late_is_still_a_daughter():
    table = table_of({0: mother(range(5)) + daughter(range(5, 12), 1), 1: daughter(range(5, 12), -1)[2:]})
    found = find_divisions(table, times(), 16.0, CFG)
    assert len(found.cost) == 1 and abs(int(table.page[found.daughter1][0]) - 5) <= 1


@pytest.mark.parametrize(
    ("what", "tracks"),
    [
        ("areas that do not add up", {1: daughter(range(5, 12), -1, area=200)}),
        ("unlike sisters", {1: daughter(range(5, 12), -1, area=40)}),
        ("too far", {1: [(p, 10.0, 50.0, 100.0) for p in range(5, 12)]}),
        ("a fragment of two frames", {1: daughter(range(5, 7), -1)}),
        ("a birth in the first frame", {1: daughter(range(12), -1)}),
    ],
)
def test_no_division_for(what, tracks):
    assert not len(find_divisions(table_of(family() | tracks), times(), 16.0, CFG).cost), what


def test_a_short_daughter_counts_when_the_movie_ends():
    tracks = {0: mother(range(5)) + daughter(range(5, 7), 1), 1: daughter(range(5, 7), -1)}
    assert len(find_divisions(table_of(tracks), times(7), 16.0, CFG).cost) == 1


def test_a_third_daughter_stays_without_a_mother():
    tracks = family() | {2: [(p, 50.0, 58.0 + p, 100.0) for p in range(5, 12)]}
    table = table_of(tracks)
    found = find_divisions(table, times(), 16.0, CFG)
    assert len(found.cost) == 1
    assert split_at_divisions(table, found)[1].tolist() == [-1, 0, 0, -1]


def test_a_birth_at_the_edge_costs_more():
    table = table_of(family())
    edge = table._replace(inside=table.fragment == 0)
    plain, dear = (find_divisions(t, times(), 16.0, CFG).cost[0] for t in (table, edge))
    assert dear == pytest.approx(plain + 3)
    assert not len(find_divisions(edge, times(), 16.0, {**CFG, "border_cost": 9}).cost)


def test_two_divisions_of_one_line_need_their_time():
    tracks = family() | {2: [(p, 60.0 - (p - 7), 50.0 + 5, 50.0) for p in range(8, 12)]}
    tracks[0] = [(p, y, x, 50.0 if p >= 8 else a) for p, y, x, a in tracks[0]]
    table = table_of(tracks)
    assert len(find_divisions(table, times(), 16.0, CFG).cost) == 1


def test_cost_is_the_formula():
    table = table_of(family())
    rows = _Rows(table, 12)
    cost = division_cost(rows, np.array([4]), np.array([5]), np.array([12]), 16.0, CFG)
    expected = naive.division_cost((50, 50), (57, 50), (43, 50), 200, 100, 100, 4.0, 0.04, 0.06)
    assert cost[0] == pytest.approx(expected, abs=1e-12)
    uneven = table._replace(area=np.where(table.fragment == 1, 110.0, table.area), y=np.where(table.fragment == 1, table.y - 2, table.y))
    cost = division_cost(_Rows(uneven, 12), np.array([4]), np.array([5]), np.array([12]), 16.0, CFG)
    expected = naive.division_cost((50, 50), (57, 50), (41, 50), 200, 100, 110, 4.0, 0.04, 0.06)
    assert cost[0] == pytest.approx(expected)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 9), share=st.floats(0, 0.7))
def test_the_chosen_set_is_the_best_of_all_subsets(seed, n, share):
    rng = np.random.default_rng(seed)
    gain = rng.uniform(0.1, 9, n)
    pairs = [(i, j) for i in range(n) for j in range(i) if rng.random() < share]
    chosen = best_compatible(gain, np.array(pairs, dtype=int).reshape(-1, 2))
    assert not any(a in chosen and b in chosen for a, b in pairs)
    assert gain[chosen].sum() == pytest.approx(naive.best_compatible(gain, pairs))


@pytest.mark.parametrize(("kind", "least"), [({}, 0.95), ({"n_cells": 90}, 0.93), ({"missing": 0.03}, 0.9)])
def test_divisions_of_a_world_of_points(kind, least, track_cfg):
    objects, _track, parent = world(seed=1, **kind)
    columns, facts = link_movie(objects, meta(int(objects.page.max()) + 1), track_cfg)
    truth = families(columns["label"], columns, parent)
    own = dict(zip(columns["track_id"].tolist(), columns["parent_id"].tolist()))
    found = families(columns["track_id"], columns, own)
    hits = sum(1 for key, page in truth.items() if key in found and abs(found[key] - page) <= 1)
    assert 2 * hits / (len(truth) + len(found)) >= least
    assert facts["divisions"] == len(found)


def families(ids, columns, parent):
    """{(last true track of the mother, first true tracks of the daughters): page}."""
    first, last = {}, {}
    for k in np.lexsort((columns["page"], ids)):
        first.setdefault(int(ids[k]), (int(columns["label"][k]), int(columns["page"][k])))
        last[int(ids[k])] = int(columns["label"][k])
    kids = {}
    for child in first:
        if parent.get(child, 0) in last:
            kids.setdefault(parent[child], []).append(child)
    return {
        (last[m], frozenset(first[d][0] for d in ds)): min(first[d][1] for d in ds) for m, ds in kids.items() if len(ds) == 2
    }


def test_a_mask_shared_for_one_frame_is_no_mother():
    # two cells side by side, one mask in frame 5; the second is missed once and comes back as itself or as a birth
    tracks = {0: [(p, 50.0, 46.0 if p != 5 else 50.0, 100.0 if p != 5 else 200.0) for p in range(12)]}
    tracks[1] = [(p, 50.0, 54.0, 100.0) for p in range(6, 12)]
    assert not len(find_divisions(table_of(tracks), times(), 16.0, CFG).cost)


def test_a_cell_that_comes_out_of_a_shared_mask_is_no_daughter():
    alone, shared = range(6), range(6, 18)
    tracks = {0: [(p, 50.0, 46.0, 100.0) for p in alone] + [(p, 50.0, 50.0, 200.0) for p in shared]}
    tracks[0] += [(p, 50.0, 46.0, 100.0) for p in range(18, 24)]
    tracks[1] = [(p, 50.0, 54.0, 100.0) for p in alone]
    tracks[2] = [(p, 50.0, 54.0, 100.0) for p in range(18, 24)]
    cfg = {**CFG, "merge_frames": 20}
    assert not len(find_divisions(table_of(tracks), times(24), 16.0, cfg).cost)
    assert len(find_divisions(table_of(tracks), times(24), 16.0, {**cfg, "merge_frames": 0}).cost) == 1
    # without the cell that went in, the same is a division
    del tracks[1]
    tracks[0] = [(p, y, x, 200.0 if p < 18 else a) for p, y, x, a in tracks[0]]
    assert len(find_divisions(table_of(tracks), times(24), 16.0, cfg).cost) == 1
