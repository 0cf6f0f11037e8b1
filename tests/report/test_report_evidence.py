"""Permutation over chips, and what the table says about an edge."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from cytocause.report import evidence
from cytocause.report.permutation import arrangements, permutation_p, smallest_p
from tests.report import experiment, naive

TREATED = [0, 0, 0, 0, 1, 1, 1, 1]
CAF = [0, 0, 1, 1, 0, 0, 1, 1]


def test_eight_chips_cannot_go_below_two_in_thirty_six():
    assert arrangements(CAF, TREATED) == 36
    assert smallest_p(CAF, TREATED) == pytest.approx(0.0556, abs=1e-4)
    clear = permutation_p([1, 2, 11, 12, 3, 4, 13, 14], CAF, TREATED)
    assert clear["p"] == clear["smallest_p"] == pytest.approx(2 / 36)
    assert clear["effect"] == pytest.approx(10.0) and clear["exact"] and clear["units"] == 8


def test_twelve_chips_can():
    treated, caf = [0] * 6 + [1] * 6, [0, 0, 0, 1, 1, 1] * 2
    assert smallest_p(caf, treated) == pytest.approx(2 / 400)


def test_a_condition_that_varies_between_strata_only_cannot_be_permuted():
    test = permutation_p([1.0, 2.0, 5.0, 6.0], [0, 0, 1, 1], ["a", "a", "b", "b"])
    assert test["p"] is None and test["smallest_p"] == 1.0 and test["effect"] is None


def test_units_without_a_value_are_left_out():
    test = permutation_p([1.0, 2.0, np.nan, 5.0], [0, 0, 1, 1], ["a"] * 4)
    assert test["units"] == 3 and test["arrangements"] == 3


@settings(max_examples=40, deadline=None)
@given(
    outcome=st.lists(st.integers(-5, 5), min_size=2, max_size=6),
    data=st.data(),
)
def test_permutation_p_equals_looking_at_every_order(outcome, data):
    n = len(outcome)
    levels = data.draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
    strata = data.draw(st.lists(st.sampled_from("ab"), min_size=n, max_size=n))
    test = permutation_p(outcome, levels, strata)
    if test["p"] is not None:
        assert test["p"] == pytest.approx(naive.permutation_p(outcome, levels, strata), abs=1e-12)
        assert test["p"] >= test["smallest_p"] - 1e-12


def test_drawn_permutations_come_near_the_exact_p_and_are_the_same_again():
    rng = np.random.default_rng(0)
    outcome, levels = rng.normal(size=12), [0] * 6 + [1] * 6
    exact = permutation_p(outcome, levels, [0] * 12)
    drawn = permutation_p(outcome, levels, [0] * 12, limit=500)
    assert exact["exact"] and not drawn["exact"]
    assert drawn["p"] == pytest.approx(exact["p"], abs=0.1)
    assert drawn == permutation_p(outcome, levels, [0] * 12, limit=500)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=12))
def test_ranks_share_ties(values):
    assert evidence.ranks(np.array(values)).tolist() == naive.ranks(values).tolist()


@pytest.fixture(scope="module")
def world():
    table = experiment.table(experiment.samples())
    names = [*experiment.STATES, *experiment.FEATURES]
    shuffled = table.sample(frac=1, random_state=1)
    return table, evidence.Rows(
        shuffled["trajectory"], shuffled["time_step"], shuffled["chip"], {n: shuffled[n].to_numpy(float) for n in names}
    )


def test_lagged_correlation_is_that_of_the_pairs_within_each_chip(world):
    table, rows = world
    correlation, n_pairs, n_cells = evidence.lagged_correlation(rows, "n_immune_r1", "speed_smooth_um_min", 2)
    pairs = naive.lagged_pairs(table.to_dict("records"), "n_immune_r1", "speed_smooth_um_min", 2)
    for u, chip in enumerate(rows.units):
        x, y = zip(*((a, b) for c, a, b in pairs if c == chip))
        assert n_pairs[u] == len(x)
        assert correlation[u] == pytest.approx(spearmanr(x, y).statistic, abs=1e-10)
    assert n_cells.max() <= 9


def test_a_lag_never_crosses_from_one_cell_to_the_next(world):
    _, rows = world
    earlier = rows.shifted(3)
    good = earlier >= 0
    assert (rows.trajectory[earlier[good]] == rows.trajectory[good]).all()
    assert (rows.step[earlier[good]] == rows.step[good] - 3).all()
    assert not good[rows.step < 3].any()


def test_events_per_hundred_cell_hours(world):
    table, rows = world
    rate = evidence.event_rate(rows, "death", 10.0)
    for u, chip in enumerate(rows.units):
        part = table[table["chip"] == chip]
        deaths = part.groupby("trajectory")["death"].max().sum()
        assert rate[u] == pytest.approx(100 * deaths / ((part["death"] == 0).sum() / 6))


def test_states_are_told_from_other_columns(world):
    _, rows = world
    assert evidence.is_state(rows, "death") and evidence.is_state(rows, "division")
    assert not evidence.is_state(rows, "n_immune_r1") and not evidence.is_state(rows, "area_um2")


def test_the_average_around_onsets_counts_chips_once(world):
    table, rows = world
    average = evidence.around_onset(rows, "n_immune_r1", "death", 6)
    by_chip = {}
    for _, cell in table.groupby("trajectory"):
        cell = cell.set_index("time_step")
        onset = cell.index[(cell["death"] == 1) & (cell["death"].shift(1) == 0)]
        if len(onset) and onset[0] - 3 in cell.index:
            by_chip.setdefault(cell["chip"].iloc[0], []).append(cell.loc[onset[0] - 3, "n_immune_r1"])
    expected = np.mean([np.mean(v) for v in by_chip.values()])
    at = int(np.flatnonzero(average["steps"] == -3)[0])
    assert average["mean"][at] == pytest.approx(expected)
    assert average["mean"][at] > average["high"][0] > average["baseline"]  # contact three steps before is what kills here
    assert average["band"] == "chips" and average["low"][at] < expected < average["high"][at]


def test_no_onset_gives_no_average():
    calm = evidence.Rows(["a"] * 4, range(4), ["c"] * 4, {"x": np.arange(4.0), "death": np.zeros(4)})
    assert evidence.around_onset(calm, "x", "death", 2) is None
    empty = evidence.Rows([], [], [], {"x": [], "death": []})
    assert len(empty) == 0 and evidence.around_onset(empty, "x", "death", 2) is None
    assert evidence.mean_per_unit(empty, "x").shape == (0,)
