"""Arguments and columns that cannot be used as they are: refused, or named in a warning, in words that say what to do."""

import math

import numpy as np
import pandas as pd
import pytest

from cytocause.infer import estimate_dynamics, infer, mutual_information, optimal_bins, three_point_information
from cytocause.infer.settings import read_seed, read_settings
from cytocause.infer.table import read_data
from tests.infer import data

FAST = {"n_layers": 2, "delta_t": 1}
KINDS = ["continuous"] * 3


def table(n=60):
    return data.var_table(n, 2)[["trajectory", "time", "a", "b", "drug"]]


def laid(frame, variables=None):
    return read_data(frame, variables, trajectory="trajectory", time="time")


def test_a_trajectory_column_that_is_asked_for_must_be_there():
    frame = table().rename(columns={"trajectory": "cell"})
    words = "The table has no column 'track' for the trajectory; its columns are cell, time, a, b, drug."
    for call in (infer, estimate_dynamics):
        with pytest.raises(ValueError, match=words):
            call(frame, trajectory="track")
    with pytest.raises(ValueError, match="no column 'track' for the trajectory"):
        infer(frame, time=None, trajectory="track")
    # the usual name may be absent, and so may any name
    roles = [{"name": "a"}, {"name": "b"}]
    found = [infer(frame, roles, FAST, threads=1, trajectory=name).run["counts"]["trajectories"] for name in ("cell", "trajectory", None)]
    assert found == [2, 2, 2]


@pytest.mark.parametrize("size", [math.nan, math.inf, 0, -5, 0.3, "many", 301])
def test_effective_sizes_of_columns_that_cannot_be(size):
    x, y, z = np.random.default_rng(0).normal(size=(3, 300))
    words = "expected a number from 1 to the 300 complete rows, or None for all of them."
    for call in (mutual_information, optimal_bins):
        with pytest.raises(ValueError, match=words):
            call(x, y, kinds=KINDS[:2], n_eff=size)
    with pytest.raises(ValueError, match=words):
        three_point_information(x, y, z, kinds=KINDS, n_eff=size)


def test_effective_sizes_go_up_to_the_complete_rows_and_not_with_weights():
    x = np.random.default_rng(0).normal(size=300)
    y = np.where(np.arange(300) < 100, np.nan, x)
    plain = mutual_information(x, y, kinds=KINDS[:2])
    assert mutual_information(x, y, kinds=KINDS[:2], n_eff=200).info_shifted == plain.info_shifted > 0
    assert mutual_information(x, y, kinds=KINDS[:2], n_eff=1).n == 200
    with pytest.raises(ValueError, match="n_eff is 250; expected a number from 1 to the 200 complete rows"):
        mutual_information(x, y, kinds=KINDS[:2], n_eff=250)
    with pytest.raises(ValueError, match="n_eff is 100 and the rows have weights; give one of the two."):
        mutual_information(x, y, kinds=KINDS[:2], n_eff=100, weights=np.ones(300))


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"n_eff": math.nan}, "Inference parameter n_eff is nan; expected a finite number."),
        ({"n_eff": math.inf}, "Inference parameter n_eff is inf; expected a finite number."),
        ({"n_eff": 0}, "Inference parameter n_eff is 0; expected -1 (automatic) or at least 1."),
        ({"n_eff": -5}, "Inference parameter n_eff is -5; expected -1 (automatic) or at least 1."),
        ({"n_layers": math.inf}, "Inference parameter n_layers is inf; expected a finite number."),
        ({"max_nodes": math.nan}, "Inference parameter max_nodes is nan; expected a finite number."),
        ({"n_eff": 40, "sample_weights": [1.0]}, "n_eff is 40.0 and the rows have weights; give one of the two."),
        ({"black_box": [["a", "b", math.inf]]}, "has the lag inf; expected a whole number of time steps, 0 or more."),
        ({"black_box": [["a", "b", "1"]]}, "has the lag '1'; expected a whole number of time steps, 0 or more."),
        ({"black_box": [["a", "b", 1.5]]}, "has the lag 1.5; expected a whole number of time steps, 0 or more."),
    ],
)
def test_parameters_that_cannot_be(config, words):
    with pytest.raises(ValueError) as caught:
        read_settings(config)
    assert words in str(caught.value)


def test_an_effective_size_above_the_rows_is_said_and_all_rows_are_used():
    plain = infer(table(), None, FAST, threads=1)
    more = infer(table(), None, {**FAST, "n_eff": 1e6}, threads=1)
    assert any("n_eff 1e+06 is above the 58 rows; the number of rows is used." in w for w in more.run["warnings"])
    pd.testing.assert_frame_equal(plain.edges, more.edges)


@pytest.mark.parametrize("seed", [-1, 2**64, 1.5, math.nan, math.inf, "seven", True])
def test_seeds_that_cannot_be(seed):
    for more in ({"seed": seed}, {"config": {**FAST, "seed": seed}}):
        with pytest.raises(ValueError, match=r"seed is .*; expected a whole number from 0 to 18446744073709551615"):
            infer(table(), None, **{"config": FAST, **more}, threads=1)


def test_the_largest_seed():
    assert read_seed(2**64 - 1) == 2**64 - 1 and read_seed(np.int64(5)) == 5 == read_seed(5.0)
    shuffled = {**FAST, "n_shuffles": 5, "conf_threshold": 1}
    frame = data.var_table(200)
    found = infer(frame, None, shuffled, threads=1, seed=2**64 - 1)
    assert found.run["parameters"]["seed"] == 2**64 - 1
    other = infer(frame, None, shuffled, threads=1)
    assert not np.array_equal(found.edges["confidence"].dropna(), other.edges["confidence"].dropna())


def test_text_that_says_infinite():
    frame = table().astype({"a": str})
    frame.loc[7, "a"] = "inf"
    with pytest.raises(ValueError, match=r"Column 'a' is infinite at row 7 \(1 such values\); make them missing or finite."):
        laid(frame, [{"name": "a", "kind": "continuous"}, {"name": "b"}])


def warned(frame, name, variables=None):
    return [w for w in laid(frame, variables).warnings if f"Column {name!r}" in w and "2^53" in w]


def test_whole_numbers_that_have_lost_digits_are_named():
    frame = table()
    # a column of integers with one gap, as it is read from CSV
    frame["id"] = (2.0**53 + 2 * np.arange(60)).astype(float)
    frame.loc[3, "id"] = np.nan
    assert len(warned(frame, "id")) == 1 and "last digits are lost" in warned(frame, "id")[0]
    # with a gap, but integers
    frame["id"] = pd.array([2**53 + 1 + k for k in range(59)] + [None], dtype="Int64")
    assert len(warned(frame, "id")) == 1 and "compared exactly" in warned(frame, "id")[0]
    frame["id"] = np.append(2.0**52 + np.arange(59), np.nan)
    assert warned(frame, "id") == []
    frame["id"] = 1e3 * np.arange(60) + 0.5
    frame.loc[0, "id"] = 1e17
    assert warned(frame, "id") == []


def test_whole_numbers_of_more_than_64_bits_are_named():
    frame = table()
    frame["id"] = pd.Series([2**70 + k // 30 for k in range(60)], dtype=object)
    (words,) = warned(frame, "id")
    assert "is text that holds whole numbers beyond 2^53; it is taken as labels" in words
    levels = next(v for v in laid(frame).variables if v.name == "id")
    assert (levels.kind, len(levels.distinct)) == ("discrete", 2)
    (words,) = warned(frame, "id", [{"name": "id", "kind": "continuous"}, {"name": "a"}])
    assert "last digits are lost" in words
    frame["id"] = "7"
    assert warned(frame, "id") == []


def test_a_comma_in_a_name():
    frame = table().rename(columns={"a": "area, um2"})
    with pytest.raises(ValueError, match="Column 'area, um2' has a comma in its name, which separates names in the results; rename it."):
        infer(frame, None, FAST)
    assert len(infer(frame, [{"name": "b"}, {"name": "drug"}], FAST, threads=1).nodes) == 2


def test_names_that_meet_once_lags_are_added():
    frame = table().rename(columns={"drug": "a_lag0"})
    roles = [{"name": "a"}, {"name": "b"}, {"name": "a_lag0", "role": "contextual"}]
    with pytest.raises(ValueError, match="Two variables would both be called 'a_lag0' once lags are added to the names; rename one."):
        infer(frame, roles, FAST)


def test_a_static_column_that_ends_like_a_lag_can_be_named_in_black_box():
    z = np.random.default_rng(0).normal(size=300)
    frame = pd.DataFrame({"x_lag0": z, "y": z + 0.5 * np.random.default_rng(1).normal(size=300)})
    assert len(infer(frame, time=None, threads=1).edges) == 1
    closed = infer(frame, None, {"black_box": [["x_lag0", "y"]]}, time=None, threads=1)
    assert len(closed.raw) == 0
    with pytest.raises(ValueError, match="black_box names 'x', which is not a variable of the table."):
        infer(frame, None, {"black_box": [["x", "y"]]}, time=None)
    # in time the lag is part of no name
    roles = [{"name": "a"}, {"name": "a_lag1"}]
    moved = table().rename(columns={"b": "a_lag1"})
    pairs = infer(moved, roles, {**FAST, "black_box": [["a", "a_lag1"]]}, threads=1).raw
    assert not any({"a", "a_lag1"} == {x.rsplit("_lag", 1)[0], y.rsplit("_lag", 1)[0]} for x, y in zip(pairs["x"], pairs["y"]))


def test_with_weights_an_edge_says_how_many_samples_it_stands_for():
    half = infer(data.var_table(300), data.VAR_ROLES, {**FAST, "sample_weights": np.full(300, 0.5)}, threads=1)
    assert half.run["parameters"]["n_eff"] == 148
    assert (half.edges["n_eff"] == 148).all()
    np.testing.assert_allclose(half.edges["info_bits_per_sample"], half.edges["info_shifted"] / 148 / np.log(2))
    # gaps where rows weigh more: the sum over the complete rows, not a share of them
    x, e = np.random.default_rng(0).normal(size=(2, 400))
    weights = np.where(np.arange(400) < 100, 0.9, 0.3)
    frame = pd.DataFrame({"x": np.where(np.arange(400) < 50, np.nan, x), "y": x + e})
    edge = infer(frame, None, {"sample_weights": weights}, time=None, threads=1).edges.iloc[0]
    assert (edge["n_xy"], edge["n_eff"]) == (350, pytest.approx(50 * 0.9 + 300 * 0.3))
