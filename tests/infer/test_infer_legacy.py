"""Quirks of the reference that legacy=True brings back everywhere, and what is repaired without it (spec section 10)."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cytocause.infer import infer, mutual_information, three_point_information
from cytocause.infer.compact import repeated_rows
from cytocause.infer.cuts import weights_by_place
from cytocause.infer.missing import displacement
from cytocause.infer.settings import Settings
from cytocause.infer.table import read_data
from cytocause.infer.unfolding import repeats, seven_digits, unfold


def test_q1_two_discrete_columns_are_negative_beside_a_continuous_one():
    rng = np.random.default_rng(1)
    x, y = rng.integers(0, 4, 300), rng.integers(0, 4, 300)
    z = x + rng.normal(size=300)
    alone = mutual_information(x, y, kinds=["discrete"] * 2, legacy=True).info_shifted
    assert alone < 0
    kinds = ["discrete", "discrete", "continuous"]
    assert three_point_information(x, y, z, kinds=kinds, legacy=True).i2_shifted == alone
    assert three_point_information(x, y, z, kinds=kinds).i2_shifted == 0
    # beside a discrete one, and given anything, they are clamped in the reference as well
    label = rng.integers(0, 3, 300)
    assert three_point_information(x, y, label, kinds=["discrete"] * 3, legacy=True).i2_shifted == 0
    assert three_point_information(x, y, z, [label], kinds=[*kinds, "discrete"], legacy=True).i2_shifted == 0


def test_q7_noise_is_added_only_where_values_are_equal():
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=(2, 200))
    before, after = np.ones(200, bool), rng.random(200) < 0.7

    def moved(columns, seed, legacy=False):
        rows = SimpleNamespace(kinds=np.ones(2, np.uint8), node_values=lambda node: columns[node])
        return displacement(rows, 0, 1, before, after, seed, legacy)

    assert moved((x, y), 0) == moved((x, y), 1)
    assert moved((x, y), 0, True) != moved((x, y), 1, True)
    tied = (np.round(x, 1), np.round(y, 1))
    assert moved(tied, 0) != moved(tied, 1)


def test_q8_a_coin_decides_between_candidates_that_are_equal_in_everything():
    rng = np.random.default_rng(8)
    z = rng.normal(size=200)
    table = pd.DataFrame({"x": z + rng.normal(size=200), "y": z + rng.normal(size=200), "z": z, "same": z})

    def explains(seed, legacy):
        edges = infer(table, None, {"legacy": legacy}, time=None, threads=1, seed=seed).edges
        return edges[(edges["x"] == "x") & (edges["y"] == "y")].iloc[0]["ai"]

    assert {explains(seed, True) for seed in range(8)} == {"z", "same"}
    assert {explains(seed, False) for seed in range(8)} == {"z"}


def test_q11_numbers_beside_text_are_read_as_they_print():
    # a column prints with as many decimals as its neediest value takes for seven digits
    np.testing.assert_array_equal(seven_digits(np.array([1.00000012, 1.0000004])), [1.0, 1.0])
    np.testing.assert_array_equal(seven_digits(np.array([1234.56789, 0.5])), [1234.568, 0.5])
    np.testing.assert_array_equal(seven_digits(np.array([1234.56789, 0.123456])), [1234.56789, 0.123456])
    np.testing.assert_array_equal(seven_digits(np.array([12345678.4, np.nan])), [12345678.0, np.nan])
    np.testing.assert_array_equal(seven_digits(np.array([0.0, np.nan])), [0.0, np.nan])
    x = 1.0 + np.arange(50) * 1e-10
    table = pd.DataFrame({"x": x, "y": np.arange(50.0) ** 2, "label": np.repeat(["a", "b"], 25)})
    for legacy, columns, found in (
        (False, ["x", "y", "label"], True), (True, ["x", "y", "label"], False), (True, ["x", "y"], True),
    ):  # fmt: skip
        raw = infer(table[columns], None, {"legacy": legacy}, time=None, threads=1).raw
        assert (raw.set_index(["x", "y"]).loc[("x", "y"), "i_xy"] > 10) == found


def test_q12_weights_are_taken_by_sorted_position():
    unit_weight = np.zeros(3)
    weights_by_place(np.array([0, 2, 2, 4]), 3, np.array([1.0, 2.0, 3.0, 4.0]), unit_weight)
    assert unit_weight.tolist() == [3.0, 0.0, 7.0]
    rng = np.random.default_rng(12)
    x = rng.normal(size=300)
    y = x + rng.normal(size=300)
    z = x + rng.normal(size=300)
    weights = rng.random(300)
    order = np.argsort(x)
    for u in ((), (z,)):
        kinds = ["continuous"] * (2 + len(u))
        # in the order of x as it is, the cuts of y get the weights of others; in any other order those of x too
        values = [
            mutual_information(x[o], y[o], [c[o] for c in u], kinds=kinds, weights=weights[o], legacy=True).info_shifted
            for o in (np.arange(300), order)
        ]
        assert abs(values[0] - values[1]) > 1e-6
        even = [mutual_information(x, y, u, kinds=kinds, legacy=True, **m).info_shifted for m in ({"weights": np.ones(300)}, {})]
        assert even[0] == pytest.approx(even[1], abs=1e-9)


def test_q19_a_variable_of_one_layer_stays_in_place():
    frame = pd.DataFrame(np.random.default_rng(19).normal(size=(40, 2)), columns=["a", "b"]).assign(trajectory=0, time=range(40))
    roles = [{"name": "a"}, {"name": "b", "n_layers": 1}]
    laid = read_data(frame, roles, trajectory="trajectory", time="time")
    rows = unfold(laid, Settings(n_layers=3, delta_t=1), [])
    name = rows.names.index
    pair = name("a_lag0"), name("b_lag0")
    # there is no b further back, so that no copy has the lag of the edge
    assert repeats(rows, *pair) == []
    assert repeats(rows, *pair, legacy=True) == [(name("a_lag1"), name("b_lag0")), (name("a_lag2"), name("b_lag0"))]
    assert repeats(rows, name("b_lag0"), name("b_lag0"), legacy=True) == []
    edges = pd.DataFrame({"x": ["a_lag0", "a_lag1"], "y": ["b_lag0", "b_lag0"], "type": "P"})
    listed = repeated_rows(edges, rows, SimpleNamespace(settings=Settings(legacy=True)))
    assert sorted(listed["x"]) == ["a_lag0", "a_lag1", "a_lag2"]
    assert len(repeated_rows(edges, rows, SimpleNamespace(settings=Settings()))) == 2
