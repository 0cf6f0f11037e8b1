"""Contacts: the KD-tree equals all pairs, and CausalXtract's defects are gone."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cytocause.measure import contacts, rate_of_change
from cytocause.measure.contacts import CONTACT_COLUMNS, held
from tests.measure import naive


def crowd(seed, n):
    rng = np.random.default_rng(seed)
    frame = rng.integers(0, 4, n)
    velocity = rng.normal(0, 1, (n, 2))
    velocity[rng.random(n) < 0.3] = np.nan
    return frame, rng.uniform(0, 60, (n, 2)), velocity


def as_array(found):
    return np.column_stack([found[name] for name in CONTACT_COLUMNS])


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10**6), n=st.integers(0, 20), m=st.integers(0, 30))
def test_contacts_equal_all_pairs(seed, n, m):
    here, there = crowd(seed, n), crowd(seed + 1, m)
    fast = as_array(contacts(*here, *there, r1=12.0, r2=25.0))
    np.testing.assert_allclose(fast, naive.contacts(*here, *there, 12.0, 25.0), rtol=1e-9)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10**6), dy=st.floats(-100, 100), dx=st.floats(-100, 100))
def test_contacts_within_one_population_leave_out_the_cell_itself_and_do_not_depend_on_place(seed, dy, dx):
    frame, position, velocity = crowd(seed, 25)
    own = np.arange(25)
    here = as_array(contacts(*(frame, position, velocity) * 2, r1=12.0, r2=25.0, own=own, other=own))
    np.testing.assert_allclose(
        here, naive.contacts(*(frame, position, velocity) * 2, 12.0, 25.0, own, own), rtol=1e-9
    )
    moved = position + [dy, dx]
    there = as_array(contacts(*(frame, moved, velocity) * 2, r1=12.0, r2=25.0, own=own, other=own))
    np.testing.assert_allclose(here, there, rtol=1e-6, atol=1e-6)


def test_relative_speed_is_taken_at_the_neighbours_own_frame():
    """A neighbour that appears late is compared with the cell's position then, not at the start."""
    frame = np.arange(6)
    time = frame * 2.0
    cell = np.column_stack([np.zeros(6), np.where(frame < 3, 0.0, 30.0)])  # jumps once, at frame 3
    late = np.array([4, 5])
    neighbour = np.array([[0.0, 35.0], [0.0, 37.0]])  # moves 2 um in 2 min beside a cell at rest
    found = contacts(
        frame,
        cell,
        rate_of_change(np.ones(6), frame, time, cell),
        late,
        neighbour,
        rate_of_change(np.ones(2), late, late * 2.0, neighbour),
        r1=10.0,
        r2=20.0,
    )
    np.testing.assert_array_equal(found["speed_{q}_r1_um_min"], [np.nan] * 5 + [1.0])
    np.testing.assert_array_equal(found["n_{q}_r1"], [0, 0, 0, 0, 1, 1])
    np.testing.assert_array_equal(found["distance_{q}_um"][4:], [5.0, 7.0])


def test_nobody_near_is_a_count_of_zero_and_a_missing_distance():
    one = (np.zeros(1, int), np.zeros((1, 2)), np.zeros((1, 2)))
    far = (np.zeros(1, int), np.full((1, 2), 99.0), np.zeros((1, 2)))
    found = as_array(contacts(*one, *far, r1=5.0, r2=10.0))
    np.testing.assert_array_equal(found, [[0, 0, np.nan, np.nan, np.nan]])


def test_a_neighbour_at_exactly_the_radius_counts():
    one = (np.zeros(1, int), np.zeros((1, 2)), np.zeros((1, 2)))
    at = (np.zeros(1, int), np.array([[3.0, 4.0]]), np.zeros((1, 2)))
    assert contacts(*one, *at, r1=5.0, r2=5.0)["n_{q}_r1"][0] == 1


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10**6), frames=st.integers(0, 4), cut=st.integers(1, 12))
def test_missed_cells_are_held_at_their_last_place_and_the_past_does_not_change(seed, frames, cut):
    rng = np.random.default_rng(seed)
    rows = np.array([(t, f) for t in (1, 2, 3) for f in range(12) if rng.random() < 0.5]).reshape(-1, 2)
    track, frame = rng.permutation(rows).T if len(rows) else (np.zeros(0, int), np.zeros(0, int))
    seen = set(zip(track.tolist(), frame.tolist()))
    expected = {
        (t, f + k)
        for t, f in seen
        for k in range(1, frames + 1)
        if not any((t, f + j) in seen for j in range(1, k + 1))
    }
    source, at = held(track, frame, frames)
    assert sorted(zip(track[source].tolist(), at.tolist())) == sorted(expected)
    assert all((t, f) in seen for t, f in zip(track[source].tolist(), frame[source].tolist()))
    past = frame < cut
    early, early_at = held(track[past], frame[past], frames)
    before = {(t, f) for t, f in zip(track[source].tolist(), at.tolist()) if f < cut}
    assert {(t, f) for t, f in zip(track[past][early].tolist(), early_at.tolist()) if f < cut} == before


def test_a_mother_is_not_held_beside_its_daughters():
    assert held([1, 1, 2], [0, 2, 2], 2, mothers={1})[1].tolist() == [1, 3, 4]
