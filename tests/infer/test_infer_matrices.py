"""The graph as matrices, beside those of the reference; labels that a pair of 32-bit numbers does not hold."""

import json

import numpy as np
import pandas as pd
import pytest

from cytocause.infer import infer
from cytocause.infer.cuts import best_cuts, sort_by_unit
from cytocause.infer.estimate import Options
from cytocause.infer.missing import frequency_divergence
from cytocause.infer.nml import build_costs
from cytocause.infer.ranks import multiply, recode
from tests.infer import data


@pytest.mark.parametrize("name", ["network_02", "network_05", "network_06", "network_09", "network_10"])
def test_matrices_are_those_of_the_reference(reference, name):
    case = next(c for c in data.cases(reference, "networks") if c["id"] == name)
    expected = json.loads((reference / case["expected_file"]).read_text())["expected"]
    graph = infer(
        pd.read_csv(reference / case["file"]), data.variables_of(case), {**case["params"], "legacy": True},
        time="time" if case["mode"] == "TS" else None, threads=1,
    )  # fmt: skip
    marks, heads = graph.matrices()
    nodes = expected["adj_matrix_names"]
    assert sorted(marks.index) == sorted(nodes) == sorted(heads.columns)
    assert marks.loc[nodes, nodes].to_numpy().tolist() == expected["adj_matrix"]
    found = heads.loc[nodes, nodes].fillna(-1.0).to_numpy()
    np.testing.assert_allclose(found, np.array(expected["proba_adj_matrix"], float), atol=1e-6)
    assert (marks.to_numpy() != 0).sum() == 2 * (graph.edges["type"] == "P").sum() > 0


def test_matrices_say_what_the_edges_say():
    graph = infer(data.three_variables(), data.CONTEXT, {"n_layers": 2, "delta_t": 1}, threads=1)
    marks, heads = graph.matrices()
    assert marks.loc["C", "V0_lag0"] == 2 and marks.loc["V0_lag0", "C"] == -2
    assert (heads.loc["C", "V0_lag0"], heads.loc["V0_lag0", "C"]) == (1.0, 0.0)
    assert marks.loc["V0_lag0", "V0_lag0"] == 0 and np.isnan(heads.loc["V0_lag0", "V0_lag0"])


def test_products_of_levels_beyond_32_bits():
    # 4 rows, and labels so large that label * levels + other does not fit
    labels = np.array([0, 1, 2, 1], np.int32)
    other = np.array([0, 2**30 - 1, 2**30 - 1, 2**30 - 1], np.int32)
    levels = multiply(labels, 3, other, 2**30)
    assert levels == 3 and labels.tolist() == [0, 1, 2, 1]
    # every pair is told apart: a wrapped product would join some
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 60_000, (2, 50_000)).astype(np.int32)
    joint = a.copy()
    assert multiply(joint, 60_000, b, 60_000) == len(set(zip(a.tolist(), b.tolist()))) == joint.max() + 1
    first = {}
    for label, pair in zip(joint.tolist(), zip(a.tolist(), b.tolist())):
        assert first.setdefault(label, pair) == pair


def test_cuts_given_labels_whose_products_are_beyond_32_bits():
    rng = np.random.default_rng(1)
    unit = np.repeat(np.arange(20), 40).astype(np.int32)
    few = rng.integers(0, 3, 800).astype(np.int32)
    label = ((unit >= 10) ^ (few == 1)).astype(np.int32)
    order, first, costs = np.empty(800, np.int32), np.zeros(21, np.int32), build_costs(800)
    sort_by_unit(unit, 20, order, first)
    found = []
    # the same three labels, near to each other and far apart
    for given, levels in ((few, 3), (few * np.int32(2**20), 2**21 + 1)):
        of = np.zeros(20, np.int32)
        bins = best_cuts(
            unit, order, first, 20, given, levels, label, 1024, 2, np.empty(0), costs, Options(False, False, True, 50),
            np.empty((0, 0, 0)), -1, of,
        )  # fmt: skip
        found.append((bins, of.tolist()))
    assert found[0] == found[1] and found[0][0] > 1


def test_labels_far_apart_are_renumbered_as_they_appear():
    labels = np.array([7, 2**40, 7, 2**40 + 2**33, 3], np.int64)
    assert recode(labels, 2**41) == 4 and labels.tolist() == [0, 1, 0, 2, 3]


def test_labels_of_pairs_are_counted_however_large():
    labels = np.array([0, 10**15, 0, 10**15, 5, 5])
    inside = np.array([True, True, True, False, False, False])
    small = frequency_divergence(np.array([0, 2, 0, 2, 1, 1]), inside)
    assert frequency_divergence(labels, inside) == pytest.approx(small) and small > 0
