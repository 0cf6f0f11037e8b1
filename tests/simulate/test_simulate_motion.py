"""The kernels of motion against their slow twins, and what they promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytocause.simulate import motion
from cytocause.simulate.seeds import stream
from cytocause.simulate.tissue import Depth, Drift, Fibroblasts
from tests.simulate import naive

seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=25, deadline=None)
TISSUE = {"drift_um_h": 6.0, "scale_um": 200.0, "memory_min": 60.0, "depth_sd_um": 3.0, "depth_memory_min": 50.0}


@few
@given(seed=seeds, n=st.integers(0, 30), m=st.integers(0, 30), reach=st.floats(0.5, 60))
def test_pairs_in_buckets_are_all_pairs_within_reach_in_order(seed, n, m, reach):
    rng = np.random.default_rng(seed)
    a, b = rng.uniform(-20, 120, (2, n)), rng.uniform(0, 100, (2, m))
    found = motion.pairs_within(*a, *b, reach)
    expected = naive.pairs_within(*a, *b, reach)
    assert [list(part) for part in found] == [list(part) for part in expected]


@few
@given(seed=seeds, n=st.integers(0, 20), m=st.integers(0, 20), reach=st.floats(0.5, 60))
def test_the_nearest_in_buckets_is_the_nearest_of_all(seed, n, m, reach):
    rng = np.random.default_rng(seed)
    a, b, allowed = rng.uniform(-20, 120, (2, n)), rng.uniform(0, 100, (2, m)), rng.random(m) < 0.7
    np.testing.assert_array_equal(motion.nearest_within(*a, *b, allowed, reach), naive.nearest_within(*a, *b, allowed, reach))


def test_points_further_apart_than_all_buckets_are_still_found():
    far = np.array([0.0, 5000.0, 5001.0, 90000.0, 90000.5])
    pairs = motion.pairs_within(far, far, far, far, 2.0)
    assert [tuple(map(int, p)) for p in zip(*pairs) if p[0] < p[1]] == [(1, 2), (3, 4)]


@few
@given(seed=seeds, n=st.integers(1, 8), m=st.integers(0, 8))
def test_the_walk_equals_its_slow_twin(seed, n, m):
    rng = np.random.default_rng(seed)
    y, x, iy, ix = *rng.uniform(0, 80, (2, n)), *rng.uniform(0, 80, (2, m))
    cells = (rng.uniform(-3, 3, n), rng.uniform(0, 0.4, n), rng.uniform(5, 9, n), rng.choice([0.1, 1.0], n), rng.random(n) < 0.8, rng.normal(0, 1, n))
    heading, held, wait = rng.uniform(-3, 3, m), rng.integers(-2, n, m), rng.choice([0.0, 15.0], m)
    rest = (np.full(m, 3.3), rng.normal(0, 1, (4, 3, m)), rng.random((4, m)))
    p = np.array([0.55, 20.0, 45.0, 0.25, 25.0, 0.1, 30.0, 11.9, 10.3, 14.8, 0.25])
    expected = naive.walk(y, x, *cells, iy, ix, heading, held, wait, *rest, p, 2.0, 0.8)
    motion.walk(y, x, *cells, iy, ix, heading, held, wait, *rest, p, 2.0, 0.8)
    for found, right in zip((y, x, iy, ix, held, wait), (*expected[:4], *expected[5:])):
        np.testing.assert_allclose(found, right, rtol=1e-7, atol=1e-7)


def test_a_stronger_pull_keeps_immune_cells_longer():
    n, rng = 400, np.random.default_rng(1)
    far = 200.0 * np.arange(n)
    held_after = {}
    for pull in (0.0, 1.5):
        y, held = far.copy(), np.arange(n)
        iy, wait = far + 10.0, np.zeros(n)
        noise, chance = np.zeros((5, 3, n)), rng.random((5, n))
        still, p = np.zeros(n), np.array([0.5, 20.0, 45.0, 0.25, 25.0, 0.1, 30.0, 11.9, 10.3, 14.8, 0.25])
        motion.walk(
            y, np.zeros(n), still, still, np.full(n, 7.0), np.ones(n), np.ones(n, bool), np.full(n, pull), iy, np.zeros(n), np.zeros(n),
            held, wait, np.full(n, 3.3), noise, chance, p, 2.0, 0.8,
        )  # fmt: skip
        held_after[pull] = (held >= 0).mean()
    assert held_after[0.0] == pytest.approx(np.exp(-10 / 25), abs=0.08)
    assert held_after[1.5] == pytest.approx(np.exp(-10 / 25 * np.exp(-1.5)), abs=0.05)


def test_drift_moves_neighbours_together_and_by_its_root_mean_square():
    drift = Drift(TISSUE, stream(1, "test"))
    y, x = np.array([10.0, 14.0, 300.0]), np.array([10.0, 10.0, 300.0])
    moved = []
    for _ in range(4000):
        drift.step(60.0)
        moved.append(np.stack(drift.displacement(y, x, 60.0)))
    moved = np.array(moved)  # (time, component, cell)
    assert np.sqrt((moved[:, :, 0] ** 2).sum(axis=1).mean()) == pytest.approx(6.0, rel=0.15)
    assert np.corrcoef(moved[:, 0, 0], moved[:, 0, 1])[0, 1] > 0.95 > abs(np.corrcoef(moved[:, 0, 0], moved[:, 0, 2])[0, 1])


def test_depth_wanders_around_the_focal_plane_with_its_spread_and_memory():
    depth = Depth(TISSUE, 10.0, stream(1, "test"))
    z = np.array([depth.start() for _ in range(4000)])
    later = z
    for _ in range(5):
        later = depth.step(later)
    assert z.std() == pytest.approx(3.0, rel=0.06) and later.std() == pytest.approx(3.0, rel=0.06)
    assert np.corrcoef(z, later)[0, 1] == pytest.approx(np.exp(-1), abs=0.05)
    still = Depth({**TISSUE, "depth_sd_um": 0.0}, 10.0, stream(1, "test"))
    assert still.start() == 0 and still.step(np.array([0.0, 0.0])).tolist() == [0, 0]


def test_fibroblasts_turn_back_at_the_border():
    population = {"diameter_um": 17.0, "elongation": 0.9, "speed_um_min": 0.5, "persistence_min": 240.0}
    caf = Fibroblasts(population, 12, (0.0, 100.0, 100.0), stream(1, "test"))
    assert 0.6 < np.median(caf.aspect) < 1.3
    for _ in range(300):
        pace = caf.turn(10.0)
        caf.settle(caf.y + pace * np.sin(caf.heading) * 10, caf.x + pace * np.cos(caf.heading) * 10, 10.0)
        assert ((caf.y >= 0) & (caf.y <= 100) & (caf.x >= 0) & (caf.x <= 100)).all()
    assert 0.3 < caf.speed.max() <= 0.5 + 1e-9
    assert Fibroblasts(None, 0, (0.0, 1.0, 1.0), stream(1, "test")).rows()["track_id"].size == 0
