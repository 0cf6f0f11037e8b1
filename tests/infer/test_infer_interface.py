"""What other people's code relies on: names, order and defaults of arguments, fields of results, columns of tables."""

import inspect
from dataclasses import fields

import networkx as nx
import numpy as np
import pandas as pd
import pytest

import cytocause.infer as door
from cytocause.infer.compact import COMPACT
from cytocause.infer.settings import PASSED_ON, Settings
from cytocause.infer.table import COLUMNS
from tests.infer import data

INFORMATION = {"kinds": ..., "n_eff": None, "weights": None, "complexity": "nml", "max_bins": 50, "legacy": False}


@pytest.mark.parametrize(
    ("name", "first", "named"),
    [
        ("mutual_information", ["x", "y", "u"], INFORMATION),
        ("optimal_bins", ["x", "y", "u"], INFORMATION),
        ("three_point_information", ["x", "y", "z", "u"], INFORMATION),
        (
            "estimate_dynamics",
            ["table", "variables"],
            {"trajectory": "trajectory", "time": "time", "max_nodes": 50, "n_layers": None, "delta_t": None, "legacy": False},
        ),
        (
            "infer",
            ["table", "variables", "config"],
            {"trajectory": "trajectory", "time": "time", "seed": 0, "threads": None, "progress": None},
        ),
    ],
)
def test_signatures(name, first, named):
    signature = inspect.signature(getattr(door, name)).parameters
    kinds = {p.name: p.kind for p in signature.values()}
    assert [n for n, kind in kinds.items() if kind is inspect.Parameter.POSITIONAL_OR_KEYWORD] == first
    found = {n: signature[n].default for n, kind in kinds.items() if kind is inspect.Parameter.KEYWORD_ONLY}
    expected = {n: inspect.Parameter.empty if value is ... else value for n, value in named.items()}
    assert {n: found[n] for n in expected} == expected
    # what is beyond has a default, so that nobody needs it
    assert all(value is not inspect.Parameter.empty for n, value in found.items() if n not in expected)
    if "u" in first:
        assert signature["u"].default == ()
    assert getattr(door, name).__doc__


def test_fields():
    names = {kind: [f.name for f in fields(getattr(door, kind))] for kind in ("Information", "ThreePoint", "Dynamics")}
    assert names == {
        "Information": ["info", "info_shifted", "complexity", "n", "n_iterations", "cuts"],
        "ThreePoint": ["i2", "i2_shifted", "i3", "i3_shifted", "score"],
        "Dynamics": ["n_layers", "delta_t", "relaxation"],
    }
    assert COLUMNS == ("name", "kind", "role", "levels", "n_layers", "delta_t", "mov_avg")


def test_parameters_are_those_of_the_method():
    method = {
        "mode", "max_nodes", "n_layers", "delta_t", "mov_avg", "keep_max_data", "n_shuffles", "conf_threshold",
        "ort_proba_ratio", "ort_consensus_ratio", "latent", "propagation", "cplx", "negative_info", "n_eff", "consistent",
        "max_iteration", "consensus_threshold", "test_mar", "orientation", "n_threads", "sample_weights", "legacy",
        "max_bins", "black_box",
    }  # fmt: skip
    assert method <= {f.name for f in fields(Settings)} | set(PASSED_ON)


@pytest.fixture(scope="module")
def graph():
    config = {"n_layers": 3, "delta_t": 1, "n_shuffles": 3, "conf_threshold": 1}
    return door.infer(data.var_table(300), data.VAR_ROLES, config, threads=1)


def test_tables_have_the_columns_of_the_method(graph):
    edges = [
        "x", "y", "type", "ai", "raw_contributions", "contributions", "info", "n_xy", "info_cond", "cplx", "n_xy_ai",
        "info_shifted", "ort_inferred", "ort_ground_truth", "is_inference_correct", "is_causal", "ort_consensus",
        "is_causal_consensus", "edge_stats", "sign", "partial_correlation", "p_y2x", "p_x2y", "confidence",
    ]  # fmt: skip
    raw = [
        "x", "y", "z_name", "ai", "raw_contributions", "contributions", "zi", "i_xy", "i_xy_ai", "cplx", "r_xyz_ai",
        "category", "n_xy", "n_xy_ai", "confidence",
    ]  # fmt: skip
    assert list(graph.edges)[:24] == edges
    assert list(graph.raw) == raw
    assert list(graph.triples) == ["source1", "p1", "p2", "target", "p3", "p4", "source2", "ni3", "conflict"]
    assert (graph.edges["info_shifted"].diff().dropna() <= 0).all()
    assert len(graph.raw) == graph.run["counts"]["pairs"] > len(graph.edges)


def test_what_a_run_says_of_itself(graph):
    assert {"parameters", "versions", "warnings", "timings"} <= set(graph.run)
    assert list(graph.run["timings"]) == ["pre", "init", "iter", "cut", "ort", "post", "total"]
    assert graph.run["timings"]["cut"] > 0
    parts = sum(value for name, value in graph.run["timings"].items() if name != "total")
    assert parts == pytest.approx(graph.run["timings"]["total"], abs=1e-3)
    assert {"cytocause", "numba", "numpy", "pandas", "python"} == set(graph.run["versions"])


def test_forms_of_the_graph(graph):
    compact = graph.compact()
    assert list(compact) == list(COMPACT)
    drawn = graph.to_networkx()
    assert isinstance(drawn, nx.MultiDiGraph) and drawn.number_of_edges() == len(compact)
    pairs = {frozenset(pair) for pair in zip(compact["source"], compact["target"])}
    for method in ("combine", "unique", "drop"):
        combined = graph.combined(method)
        assert [frozenset(pair) for pair in zip(combined["source"], combined["target"])] == sorted(
            pairs, key=lambda pair: [frozenset(p) for p in zip(compact["source"], compact["target"])].index(pair)
        )
        assert (method == "drop") == combined["lag_steps"].isna().all()
    assert graph.combined("unique")["info_shifted"].max() == compact["info_shifted"].max()
    with pytest.raises(ValueError, match="method is 'all'; expected combine, unique or drop."):
        graph.combined("all")


def test_a_seed_is_the_argument_or_else_the_configs():
    table, config = data.var_table(200), {"n_layers": 2, "delta_t": 1, "n_shuffles": 5, "conf_threshold": 1}
    by_argument = door.infer(table, data.VAR_ROLES, config, threads=1, seed=7).edges["confidence"]
    by_config = door.infer(table, data.VAR_ROLES, {**config, "seed": 7}, threads=1).edges["confidence"]
    other = door.infer(table, data.VAR_ROLES, config, threads=1).edges["confidence"]
    pd.testing.assert_series_equal(by_argument, by_config)
    assert not np.array_equal(by_argument.dropna(), other.dropna())


def test_a_window_of_its_own_for_a_variable():
    roles = data.VAR_ROLES.assign(n_layers=[4, 2, None, None, 2], delta_t=[1, 3, None, None, None])
    graph = door.infer(data.var_table(300), roles, {"n_layers": 3, "delta_t": 2}, threads=1)
    nodes = set(graph.run["unfolded"])
    assert nodes == {
        "a_lag0", "a_lag1", "a_lag2", "a_lag3", "b_lag0", "b_lag3", "c_lag0", "c_lag2", "c_lag4", "drug", "pulse_lag0", "pulse_lag2",
    }  # fmt: skip
    assert graph.run["parameters"]["variables"]["b"] == {"n_layers": 2, "delta_t": 3}


def test_weights_of_one_are_no_weights_and_small_ones_count_less():
    table = data.var_table(300)
    config = {"n_layers": 2, "delta_t": 1}
    plain = door.infer(table, data.VAR_ROLES, config, threads=1).edges
    ones = door.infer(table, data.VAR_ROLES, {**config, "sample_weights": np.ones(300)}, threads=1).edges
    columns = ["x", "y", "type", "ai", "ort_inferred"]
    pd.testing.assert_frame_equal(plain[columns], ones[columns])
    np.testing.assert_allclose(plain["info_shifted"], ones["info_shifted"], atol=1e-9)
    half = door.infer(table, data.VAR_ROLES, {**config, "sample_weights": np.full(300, 0.5)}, threads=1).edges
    assert half["info_shifted"].max() < 0.6 * plain["info_shifted"].max()
    with pytest.raises(ValueError, match="sample_weights must be 300 finite numbers >= 0, one per row of the table."):
        door.infer(table, data.VAR_ROLES, {**config, "sample_weights": np.ones(299)}, threads=1)
