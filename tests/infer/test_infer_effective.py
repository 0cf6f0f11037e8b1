"""Effective sizes by pair of variables: the sums against slow twins, and what they let through and stop."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytocause.infer import infer
from cytocause.infer.effective import cluster_effect, design_effect, pairs_at_lag, pooled_autocorrelation
from cytocause.infer.settings import read_settings
from tests.infer import data, naive

few = settings(deadline=None, max_examples=25)
seeds = st.integers(0, 10_000)


def autoregressive(phi, n, columns, rng, burn_in=300):
    x = rng.normal(size=(n + burn_in, columns))
    for t in range(1, len(x)):
        x[t] += phi * x[t - 1]
    return x[burn_in:]


@few
@given(seed=seeds, lengths=st.lists(st.integers(1, 12), min_size=1, max_size=5), parts=st.integers(1, 3), gaps=st.booleans())
def test_pooled_autocorrelation_equals_the_sum_over_pairs(seed, lengths, parts, gaps):
    rng = np.random.default_rng(seed)
    starts = np.concatenate(([0], np.cumsum(lengths)))
    columns = rng.normal(size=(parts, starts[-1]))
    if gaps:
        columns[:, rng.random(starts[-1]) < 0.3] = np.nan
    np.testing.assert_allclose(
        pooled_autocorrelation(columns, starts), naive.pooled_autocorrelation(columns, starts), atol=1e-9
    )
    assert pairs_at_lag(np.array(lengths)).tolist() == [sum(max(0, n - h) for n in lengths) for h in range(max(lengths))]


@few
@given(seed=seeds, lengths=st.lists(st.integers(1, 9), min_size=2, max_size=8), levels=st.integers(1, 3))
def test_cluster_effect_equals_the_sum_over_pairs_of_rows(seed, lengths, levels):
    rng = np.random.default_rng(seed)
    starts = np.concatenate(([0], np.cumsum(lengths)))
    x = rng.normal(size=(1, starts[-1]))
    x[:, rng.random(starts[-1]) < 0.2] = np.nan
    level = rng.integers(0, levels, len(lengths))
    codes = np.repeat(level, lengths).astype(np.int32)
    expected = naive.cluster_effect(x[0], level, lengths)
    assert cluster_effect(x, codes, starts) == pytest.approx(expected, rel=1e-9)


def test_design_effect_of_a_slow_pair_is_that_of_bartlett():
    phi = 0.95
    rho = phi ** np.arange(1000)
    fade = 1 - np.arange(1000) / 1000
    exact = (1 + phi**2) / (1 - phi**2)
    assert design_effect(rho**2, fade) == pytest.approx(exact, rel=0.02)
    # a variable and its own past: only lags below the one in question
    assert design_effect(rho**2, fade, 1) == 1
    assert design_effect(rho**2, fade, 2) == pytest.approx(1 + 2 * phi**2 * 0.999)
    # the noise of far lags is left out
    noise = np.where(np.arange(1000) > 300, np.random.default_rng(0).normal(size=1000), 0) * 0.3
    assert design_effect(rho**2 + noise**2 * np.sign(noise), fade) < 1.3 * exact


def kept(graph):
    return graph.edges[graph.edges["type"] == "P"]


@pytest.mark.parametrize("phi", [0.95, 0.98])
def test_20_independent_slow_series_stay_apart_and_keep_their_loops(phi):
    runs, crossed, looped, crossed_without = 40, 0, 0, 0
    for seed in range(runs):
        x = autoregressive(phi, 1000, 2, np.random.default_rng(seed))
        table = pd.DataFrame(x, columns=["a", "b"]).assign(trajectory=0, time=range(1000))
        found = kept(infer(table, None, {"n_layers": 2, "delta_t": 1, "n_eff": "pairwise"}, threads=1))
        own = found["x"].str[0] == found["y"].str[0]
        crossed += (~own).any()
        looped += own.sum() == 2
        if seed < 10:
            plain = kept(infer(table, None, {"n_layers": 2, "delta_t": 1}, threads=1))
            crossed_without += (plain["x"].str[0] != plain["y"].str[0]).any()
    assert crossed <= 0.05 * runs
    assert looped >= 0.90 * runs
    assert crossed_without >= 4  # of ten: the reason for it


def cells(seed, effect, groups=12, steps=60, spread=1.0):
    """Trajectories with offsets of their own; half of them are treated, which adds `effect` to x."""
    rng = np.random.default_rng(seed)
    parts = []
    for k in range(groups):
        x = autoregressive(0.5, steps, 1, rng)[:, 0] + spread * rng.normal() + effect * (k % 2)
        parts.append(pd.DataFrame({"trajectory": k, "time": range(steps), "x": x, "drug": k % 2}))
    return pd.concat(parts, ignore_index=True)


DRUG = pd.DataFrame({"name": ["x", "drug"], "role": ["dynamic", "contextual"]})


@pytest.mark.parametrize("rule", ["pairwise", "conditions"])
def test_trajectories_not_rows_are_the_witnesses_of_a_condition(rule):
    config = {"n_layers": 2, "delta_t": 1}

    def found(seed, effect, rule):
        edges = kept(infer(cells(seed, effect), DRUG, {**config, "n_eff": rule}, threads=1))
        return (edges["x"] == "drug").any()

    without = sum(found(seed, 0.0, -1) for seed in range(20))
    null = sum(found(seed, 0.0, rule) for seed in range(20))
    true = sum(found(seed, 4.0, rule) for seed in range(10))
    assert without >= 10 and null <= 1 and true >= 9


def test_sizes_are_in_the_tables_and_what_they_are_for_other_pairs():
    table = cells(1, 2.0)
    base = infer(table, DRUG, {"n_layers": 2, "delta_t": 1}, threads=1)
    assert (base.edges["n_eff"] == base.edges["n_xy_ai"]).all()
    assert base.run["parameters"]["n_eff_by"] == "table"
    graph = infer(table, DRUG, {"n_layers": 2, "delta_t": 1, "n_eff": "conditions"}, threads=1)
    assert graph.run["parameters"]["n_eff_by"] == "conditions"
    loops = graph.edges[graph.edges["x"].str[0] == graph.edges["y"].str[0]]
    pd.testing.assert_frame_equal(loops, base.edges[base.edges["x"].str[0] == base.edges["y"].str[0]])
    drug = graph.raw[graph.raw["x"] == "drug"].iloc[0]
    plain = base.raw[base.raw["x"] == "drug"].iloc[0]
    assert drug["i_xy"] < plain["i_xy"] / 5 and drug["n_xy"] == plain["n_xy"] == 12 * 59


def test_sizes_do_not_depend_on_units_or_labels():
    table = cells(2, 1.0).assign(state=lambda t: (t["x"] > 0).map({True: "on", False: "off"}))
    table["y"] = table["x"].shift(1, fill_value=0) + np.random.default_rng(0).normal(size=len(table))
    config = {"n_layers": 3, "delta_t": 1, "n_eff": "pairwise"}
    roles = [*DRUG.to_dict("records"), {"name": "y"}, {"name": "state"}]
    one = infer(table, roles, config, threads=1)
    moved = table.assign(x=np.exp(table["x"] / 3), state=table["state"].map({"on": "z", "off": "a"}))
    two = infer(moved, roles, config, threads=1)
    columns = ["x", "y", "type", "ai", "n_eff", "ort_inferred"]
    pd.testing.assert_frame_equal(one.edges[columns], two.edges[columns])
    np.testing.assert_allclose(one.edges["info_shifted"], two.edges["info_shifted"], atol=1e-9)


def test_a_static_table_has_no_time_to_tell_sizes_from():
    table = cells(3, 1.0)[["x", "drug"]]
    found = infer(table, None, {"n_eff": "pairwise"}, time=None, threads=1)
    assert found.run["warnings"] == [
        "n_eff is pairwise, but a static table has no time to tell sizes from; its rows count as independent."
    ]
    pd.testing.assert_frame_equal(found.edges, infer(table, time=None, threads=1).edges)


def test_rules_that_are_not_known_or_do_not_go_together():
    with pytest.raises(ValueError, match="n_eff is 'pairs'; expected a number, or one of pairwise, conditions."):
        read_settings({"n_eff": "pairs"})
    with pytest.raises(ValueError, match="n_eff is pairwise and the rows have weights; give one of the two."):
        infer(cells(4, 1.0), DRUG, {"n_eff": "pairwise", "sample_weights": np.ones(720)}, threads=1)
    with pytest.raises(ValueError, match="n_eff is pairwise, which the reference does not have; leave out legacy or n_eff."):
        read_settings({"n_eff": "pairwise", "legacy": True})


def test_shuffles_count_rows_as_their_pair_does():
    config = {"n_layers": 2, "delta_t": 1, "n_eff": "pairwise", "n_shuffles": 10, "conf_threshold": 1}
    table = data.var_table(400)
    one = infer(table, data.VAR_ROLES, config, threads=1)
    two = infer(table, data.VAR_ROLES, config, threads=3)
    pd.testing.assert_frame_equal(one.edges, two.edges)
    mean = np.exp(-kept(one)["info_shifted"]) / kept(one)["confidence"]
    assert ((mean > 0.8) & (mean <= 1 + 1e-12)).all()
