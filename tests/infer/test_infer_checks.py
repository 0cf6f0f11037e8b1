"""The twenty checks of the specification, section 11.1, in its order."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytocause.infer import infer, mutual_information, three_point_information
from cytocause.infer.dynamics import relaxation_time
from cytocause.infer.nml import log_complexity
from cytocause.infer.orientation import INF, Triple, induce, joint_log_odds, probability, start
from cytocause.infer.ranks import encode
from cytocause.infer.settings import Settings
from cytocause.infer.table import Data, Variable, read_data
from cytocause.infer.unfolding import unfold
from tests.infer import data, naive

CC = ["continuous", "continuous"]


def values(result):
    return (result.info, result.info_shifted)


def near(*expected):
    return pytest.approx(expected, abs=6e-5)


def test_01_table_of_complexities():
    known = {
        (1, 2): 0.693147, (2, 2): 0.916291, (10, 2): 1.539062, (100, 2): 2.580971, (1000, 2): 3.696431,
        (1001, 2): 3.696923, (10, 3): 2.685137, (100, 10): 15.963324, (1000, 20): 47.714629, (50, 60): 45.252212,
        (20000, 50): 172.261531,
    }  # fmt: skip
    for (n, levels), expected in known.items():
        assert log_complexity(n, levels) == pytest.approx(expected, abs=1e-6)


def test_02_two_by_two_table():
    x = np.repeat([0, 0, 1, 1], [30, 10, 10, 30])
    y = np.repeat([0, 1, 0, 1], [30, 10, 10, 30])
    kinds = ["discrete"] * 2
    assert values(mutual_information(x, y, kinds=kinds)) == near(10.464963, 8.634847)
    assert mutual_information(x, y, kinds=kinds, complexity="bic").info_shifted == pytest.approx(8.273950, abs=1e-6)
    order = np.random.default_rng(0).permutation(80)
    labels = np.array(["b", "a"])
    assert values(mutual_information(labels[x][order], y[order], kinds=kinds)) == near(10.464963, 8.634847)


def test_03_exclusive_or_is_invisible_in_pairs():
    x, y = np.repeat([0, 0, 1, 1], 50), np.repeat([0, 1, 0, 1], 50)
    z = x ^ y
    kinds = ["discrete"] * 3
    assert mutual_information(x, y, kinds=kinds[:2]).info_shifted == pytest.approx(-2.249676, abs=1e-6)
    assert values(mutual_information(x, y, [z], kinds=kinds)) == near(138.629436, 134.768094)
    three = three_point_information(x, y, z, kinds=kinds)
    assert three.i2_shifted == 0
    assert three.i3_shifted == pytest.approx(-134.768094, abs=1e-6)
    assert three.score < 0
    graph = infer(pd.DataFrame({"x": x, "y": y, "z": z}), time=None, threads=1)
    assert (graph.edges["type"] == "P").sum() == 0


def test_04_estimator_set():
    u, v, w, q = data.estimator_set()
    assert (u[0], v[0], w[0], q[0]) == near(0.02040269, 0.01654785, 0.54315579, 0.63490406)

    def info(*columns, kinds, **more):
        return mutual_information(columns[0], columns[1], columns[2:], kinds=kinds, legacy=True, **more)

    full, small = {}, {"n_eff": 120}
    disc = ["continuous", "discrete"]
    assert values(info(u, v, kinds=CC)) == (0, 0) == values(info(u, v, kinds=CC, **small))
    b = (u - 0.5) ** 2 + 0.1 * v
    assert values(info(u, b, kinds=CC)) == near(230.1573, 171.5444)
    assert values(info(u, b, kinds=CC, **small)) == near(70.3691, 33.5581)
    x, y = u + 0.4 * v, u + 0.4 * w
    for more, pair, score in ((full, (170.3890, 123.2657), 61.7591), (small, (56.2196, 26.8057), 21.7014)):
        assert values(info(x, y, kinds=CC, **more)) == near(*pair)
        assert values(info(x, y, u, kinds=[*CC, CC[0]], **more)) == (0, 0)
        three = three_point_information(x, y, u, kinds=[*CC, CC[0]], legacy=True, **more)
        assert three.score == pytest.approx(score, abs=6e-5)
    z = u + v + 0.2 * w
    assert values(info(u, v, z, kinds=[*CC, CC[0]])) == near(240.0117, 135.6464)
    assert values(info(u, v, z, kinds=[*CC, CC[0]], **small)) == near(62.8144, 14.3747)
    e = np.floor(3 * u + 0.9 * v)
    assert values(info(u, e, kinds=disc)) == near(255.4612, 210.0641)
    assert values(info(u, e, kinds=disc, **small)) == near(95.9910, 63.3226)
    x, y, z = u + 0.6 * v, np.floor(2 * u + 0.9 * w), np.floor(4 * u)
    for more, pair in ((full, (67.7437, 52.4675)), (small, (22.3176, 8.9200))):
        assert values(info(x, y, kinds=disc, **more)) == near(*pair)
        assert values(info(x, y, z, kinds=[*disc, "discrete"], **more)) == (0, 0)
        three = three_point_information(x, y, z, kinds=[*disc, "discrete"], legacy=True, **more)
        assert three.score == pytest.approx(pair[1], abs=6e-5)
    x, y = np.round(u + 0.3 * v, 1), np.round(u + 0.3 * w, 1)
    assert values(info(x, y, kinds=CC)) == near(211.3847, 171.5325)
    assert values(info(x, y, kinds=CC, **small)) == near(72.8760, 45.6084)
    x, y, z, c = u + 0.4 * v, u + 0.4 * w, u + 0.2 * q, np.floor(3 * u)
    assert values(info(x, y, c, kinds=[*CC, "discrete"])) == near(14.5733, 7.3372)
    assert values(info(x, y, c, kinds=[*CC, "discrete"], **small)) == (0, 0)
    for more, score in ((full, 6.2893), (small, -0.6931)):
        assert values(info(x, y, c, z, kinds=[*CC, "discrete", "continuous"], **more)) == (0, 0)
        three = three_point_information(x, y, z, [c], kinds=[*CC, "continuous", "discrete"], legacy=True, **more)
        assert three.score == pytest.approx(score, abs=6e-5)
    x = np.where(v < 0.6, 0.0, u)
    y = x + 0.3 * w
    assert values(info(x, y, kinds=CC)) == near(251.7858, 201.1935)
    assert values(info(x, y, kinds=CC, **small)) == near(74.5420, 49.3686)


def test_04_backtracking_is_exact_by_default():
    u, v, w, _ = data.estimator_set()
    columns = [u, v, u + v + 0.2 * w]
    listed = [column.tolist() for column in columns]
    # the engine's back-tracking goes with legacy: "exact, with the reference's other quirks" is for the twin to say
    exact = naive.conditioned_information(listed, [True] * 3, naive.How(0.4, legacy=True, truncated=False))[:2]
    assert exact == near(59.4306, 12.8640)
    # and the engine follows the twin, with all quirks and with none
    for legacy in (True, False):
        found = mutual_information(*columns[:2], columns[2:], kinds=["continuous"] * 3, n_eff=120, legacy=legacy)
        expected = naive.conditioned_information(listed, [True] * 3, naive.How(0.4, legacy=legacy))[:2]
        assert values(found) == pytest.approx(expected, abs=1e-6)
        assert (values(found) == near(62.8144, 14.3747)) == legacy


INCREASING = [np.exp, lambda c: c**3, np.arctan, lambda c: 1e6 * c - 3, lambda c: np.searchsorted(np.sort(c), c) * 1.0]
KIND = st.sampled_from(["continuous", "discrete"])


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 10_000), n=st.integers(10, 300), kinds=st.lists(KIND, min_size=2, max_size=5), ties=st.booleans(),
    legacy=st.booleans(), share=st.sampled_from([1.0, 0.4]),
)  # fmt: skip
def test_05_invariances(seed, n, kinds, ties, legacy, share):
    rng = np.random.default_rng(seed)
    base = rng.normal(size=n)
    columns = [rng.choice([0.0, 1.0, 3.0]) * base + rng.normal(size=n) for _ in kinds]
    columns = [np.floor(c) if kind == "discrete" else np.round(c, 1) if ties else c for c, kind in zip(columns, kinds)]

    def info(columns, kinds):
        more = {} if share == 1 else {"n_eff": share * n}
        return values(mutual_information(*columns[:2], columns[2:], kinds=kinds, legacy=legacy, **more))

    expected = pytest.approx(info(columns, kinds), abs=1e-9)
    moved = [rng.choice(INCREASING)(c) if kind == "continuous" else c for c, kind in zip(columns, kinds)]
    assert info(moved, kinds) == expected
    order = rng.permutation(n)
    assert info([c[order] for c in columns], kinds) == expected
    turned = [0, 1, *(2 + rng.permutation(len(kinds) - 2))]
    assert info([columns[k] for k in turned], [kinds[k] for k in turned]) == expected
    turned[:2] = 1, 0
    assert info([columns[k] for k in turned], [kinds[k] for k in turned]) == expected


def test_06_independent_pairs_share_nothing():
    rng = np.random.default_rng(6)
    zero = 0
    for _ in range(200):
        found = mutual_information(rng.normal(size=500), rng.normal(size=500), kinds=CC)
        zero += values(found) == (0, 0)
    assert zero >= 196


def test_07_effective_size():
    u, v, _, _ = data.estimator_set()
    y = (u - 0.5) ** 2 + 0.1 * v
    plain = mutual_information(u, y, kinds=CC, legacy=True)
    assert values(mutual_information(u, y, kinds=CC, n_eff=300, legacy=True)) == values(plain)
    few = mutual_information(u, y, kinds=CC, n_eff=120, legacy=True)
    assert few.n == 300
    assert (plain.info_shifted, few.info_shifted) == near(171.5444, 33.5581)


def test_08_one_discrete_member_takes_one_pass():
    u, v, _, _ = data.estimator_set()
    label = np.floor(3 * u + 0.9 * v)
    found = mutual_information(u, label, kinds=["continuous", "discrete"])
    assert found.n_iterations == 1
    text = mutual_information(u, np.array(list("abcd"))[label.astype(int)], kinds=["continuous", "discrete"])
    assert values(found) == values(text)


def missing_example(seed, where):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=600)
    x, y = z + rng.normal(size=600), z + rng.normal(size=600)
    gone = where(x, rng)
    table = pd.DataFrame({"x": x, "y": y, "z": np.where(gone, np.nan, z)})
    return table, gone


def has_edge(graph, a, b):
    kept = graph.edges[graph.edges["type"] == "P"]
    return ((kept["x"] == a) & (kept["y"] == b)).any()


def test_09_missing_values():
    censored, random = 0, 0
    for seed in range(5):
        table, _ = missing_example(seed, lambda x, rng: (rng.random(600) < 0.6) & (x > 0.7))
        censored += has_edge(infer(table, time=None, threads=1), "x", "y")
        assert not has_edge(infer(table, None, {"test_mar": False}, time=None, threads=1), "x", "y")
        table, _ = missing_example(seed, lambda x, rng: rng.random(600) < 0.3)
        random += not has_edge(infer(table, time=None, threads=1), "x", "y")
    assert censored == 5
    assert random >= 4


def test_09_deleting_values_of_a_third_column_changes_no_pair():
    table, _ = missing_example(0, lambda x, rng: rng.random(600) < 0.3)
    with_z = infer(table, time=None, threads=1).raw
    without = infer(table[["x", "y"]], time=None, threads=1).raw
    pick = with_z[(with_z["x"] == "x") & (with_z["y"] == "y")].iloc[0]
    assert (pick["i_xy"], pick["n_xy"]) == (without.iloc[0]["i_xy"], 600)


def test_09_pairs_with_gaps_are_those_of_the_complete_rows_but_for_the_first_bins():
    rng = np.random.default_rng(4)
    z = rng.normal(size=60)
    table = pd.DataFrame({"x": z + 0.4 * rng.normal(size=60), "z": np.where(rng.random(60) < 0.6, np.nan, z)})
    row = infer(table, time=None, threads=1).raw.iloc[0]
    complete = table.dropna()
    columns = [complete["x"].tolist(), complete["z"].tolist()]
    # 60 rows begin with other bins than the complete ones: [0.5 + N^(1/3)] = 4 and 3
    expected = naive.pair_information(columns, [True, True], naive.How(rows=60))
    alone = mutual_information(complete["x"], complete["z"], kinds=CC)
    assert (row["n_xy"], row["i_xy"]) == (len(complete), pytest.approx(expected[0], abs=1e-6))
    assert abs(alone.info - row["i_xy"]) > 0.1
    # with as many rows in all it is the same number
    full = infer(complete, time=None, threads=1).raw.iloc[0]
    assert full["i_xy"] == pytest.approx(alone.info, abs=1e-9)


def two_short_trajectories():
    return pd.DataFrame(
        {
            "trajectory": [1] * 5 + [2] * 4,
            "time": [*range(5), *range(4)],
            "a": np.arange(9) * 1.1,
            "b": np.arange(9)[::-1] ** 2 * 0.7,
            "c": ["x"] * 5 + ["y"] * 4,
        }
    )


def unfolded(config, warnings):
    table = two_short_trajectories()
    roles = [{"name": "a"}, {"name": "b"}, {"name": "c", "role": "contextual"}]
    laid = read_data(table, roles, trajectory="trajectory", time="time")
    return unfold(laid, Settings(**config), warnings)


def test_10_unfolding():
    warnings = []
    found = unfolded({"n_layers": 3, "delta_t": 1}, warnings)
    assert found.names == ["a_lag0", "b_lag0", "c", "a_lag1", "b_lag1", "a_lag2", "b_lag2"]
    assert found.codes.shape == (7, 5) and warnings == []
    present = np.array([2, 3, 4, 7, 8]) * 1.1
    np.testing.assert_allclose(found.node_values(0), present)
    np.testing.assert_allclose(found.node_values(5), present - 2.2)
    found = unfolded({"n_layers": 3, "delta_t": 2}, warnings)
    assert found.codes.shape == (7, 1)
    assert warnings == [
        "1 of 2 trajectories have at most 4 time steps, no more than the window; they are left out."
    ]
    found = unfolded({"n_layers": 3, "delta_t": 1, "keep_max_data": True}, [])
    assert found.codes.shape == (7, 9)
    assert (found.codes[5] < 0).tolist() == [True, True, False, False, False, True, True, False, False]


def world(taus, lengths):
    """Data whose variables relax in given times (by construction of the decay, not of the series)."""
    rng = np.random.default_rng(11)
    starts = np.concatenate(([0], np.cumsum(lengths)))
    variables = []
    for k, tau in enumerate(taus):
        alpha = (tau - 1) / (tau + 1)
        x = rng.normal(size=starts[-1])
        for t in range(1, starts[-1]):
            x[t] += alpha * x[t - 1]
        codes, distinct = encode(x)
        variables.append(Variable(f"v{k}", "continuous", "dynamic", codes, distinct, distinct, True, True))
    return Data(variables, starts, np.ones(starts[-1], bool), np.empty(0), 1.0, True)


def test_11_dynamics(monkeypatch):
    lengths = [1304] * 35 + [1295]
    assert sum(lengths) == 46_935
    # mean 40; the slowest variable is slow enough not to cap twice the mean
    for max_nodes, expected, rows in ((200, (13, 7), 46_935 - 36 * 84), (50, (3, 40), 46_935 - 36 * 80)):
        laid = data.still(15, lengths, contextual=2)
        times = iter([96] + [36] * 14)
        monkeypatch.setattr("cytocause.infer.dynamics.relaxation_time", lambda *a, times=times: next(times))
        found = unfold(laid, Settings(max_nodes=max_nodes), [])
        assert (max(found.n_layers), max(found.delta_t)) == expected
        assert found.lag.max() == (expected[0] - 1) * expected[1]
        assert found.codes.shape == (15 * expected[0] + 2, rows)
        assert found.n_eff == rows // expected[1]
        if max_nodes == 200:
            assert (found.lag.max(), found.n_eff) == (84, 6273)


def test_11_relaxation_of_an_autoregressive_series():
    laid = world([19], [20000])
    tau = relaxation_time(laid.variables[0].values, laid.starts, 20000)
    assert 17 <= tau <= 21


def test_12_numbers_of_colliders_and_of_induction():
    class Unfolded:
        age = np.zeros(3)
        source = np.zeros(3, bool)
        consequence = np.zeros(3, bool)

    for i3, expected in ((-0.1, 0.512810), (-1, 0.650245), (-3, 0.913366), (-10, 0.999909)):
        triple = Triple(0, 1, 2, i3, [0.0] * 4, [False] * 4)
        start(triple, Unfolded, True, False)
        assert probability(triple.s[1]) == pytest.approx(expected, abs=1e-6)
    assert joint_log_odds(5, 2) == pytest.approx(1.945015, abs=1e-6)
    assert joint_log_odds(3, 10) == pytest.approx(2.999043, abs=1e-6)
    assert joint_log_odds(2, INF) == 2
    triple = Triple(0, 1, 2, 2.0, [0.0, INF, 0.0, 0.0], [False, True, False, False])
    induce(triple, True, False)
    assert triple.s[2] == -2


@pytest.mark.parametrize("latent", ["orientation", "no", "yes"])
def test_13_time_and_context_decide(latent):
    table = data.var_table(400)
    graph = infer(table, data.VAR_ROLES, {"n_layers": 3, "delta_t": 1, "latent": latent}, threads=1)
    kept = graph.edges[graph.edges["type"] == "P"]
    assert len(kept)
    in_triples = {frozenset((t["target"], t[s])) for t in graph.triples.to_dict("records") for s in ("source1", "source2")}
    for edge in kept.to_dict("records"):
        if pd.notna(edge["lag_steps"]) and edge["lag_steps"] != 0:
            newer, older = ("p_y2x", "p_x2y") if edge["lag_steps"] < 0 else ("p_x2y", "p_y2x")
            assert edge[newer] == 1
            if frozenset((edge["x"], edge["y"])) not in in_triples and not edge["x"].startswith("pulse"):
                end = edge["y"] if newer == "p_y2x" else edge["x"]
                assert edge[older] == (0 if end.startswith("pulse") or latent == "no" else 0.5)
        for place, name in (("p_y2x", "x"), ("p_x2y", "y")):
            if edge[name] == "drug" or edge[name].startswith("pulse"):
                assert edge[place] == 0
        if latent == "no":
            assert edge["ort_inferred"] != 6


@pytest.mark.parametrize(("latent", "tail"), [("orientation", 0.5), ("yes", 0.5), ("no", 0)])
def test_13_a_lagged_edge_in_no_triple(latent, tail):
    laid = world([4], [300, 300])
    x = laid.variables[0].values
    table = pd.DataFrame({"trajectory": np.arange(600) // 300, "time": np.arange(600) % 300, "x": x})
    table["apart"] = np.random.default_rng(13).normal(size=600)
    graph = infer(table, None, {"n_layers": 2, "delta_t": 1, "latent": latent}, threads=1)
    kept = graph.edges[graph.edges["type"] == "P"]
    assert kept[["x", "y"]].values.tolist() == [["x_lag0", "x_lag1"]] and len(graph.triples) == 0
    assert (kept.iloc[0]["p_y2x"], kept.iloc[0]["p_x2y"]) == (1, tail)


def test_14_ties_go_to_the_larger_link_in_every_column_order():
    rng = np.random.default_rng(14)
    z = rng.integers(0, 3, 1500)
    strong = np.where(rng.random(1500) < 0.04, rng.integers(0, 3, 1500), z)
    x = np.where(rng.random(1500) < 0.5, rng.integers(0, 3, 1500), z)
    y = np.where(rng.random(1500) < 0.5, rng.integers(0, 3, 1500), z)
    table = pd.DataFrame({"x": x, "y": y, "z": z, "strong": strong}).astype(str)
    kinds = ["discrete"] * 3
    both = [three_point_information(x, y, c, kinds=kinds) for c in (z, strong)]
    assert both[0].score == pytest.approx(both[1].score, abs=1e-12) and both[0].score == pytest.approx(both[0].i2_shifted, abs=1e-12)
    for order in map(list, itertools.permutations(table)):
        graph = infer(table[order], time=None, threads=1)
        row = graph.edges[(graph.edges["x"] == "x") & (graph.edges["y"] == "y")].iloc[0]
        assert (row["type"], row["ai"]) == ("N", "z")


@pytest.fixture(scope="module")
def full_run():
    return infer(data.three_variables(), data.CONTEXT, {"n_layers": 3, "delta_t": 1, "legacy": True}, threads=1)


def test_15_full_temporal_run(full_run):
    first = data.three_variables().iloc[0]
    assert (first["V0"], first["V1"], first["V2"]) == (-0.544804, 0.510868, 0.125177)
    assert (full_run.run["counts"]["rows"], full_run.run["counts"]["nodes"]) == (396, 10)
    kept = full_run.edges[full_run.edges["type"] == "P"]
    expected = [
        ("V1_lag0", "V2_lag0", 254.351, 1), ("V2_lag0", "V2_lag1", 241.099, -2), ("V1_lag1", "V2_lag0", 232.286, 2),
        ("V0_lag0", "V0_lag1", 225.147, -2), ("V0_lag1", "V1_lag0", 223.949, 2), ("C", "V0_lag0", 172.396, 2),
        ("C", "V2_lag0", 172.142, 2),
    ]  # fmt: skip
    for row, (x, y, info, mark) in zip(kept.to_dict("records"), expected, strict=True):
        assert (row["x"], row["y"], row["ort_inferred"]) == (x, y, mark)
        assert row["info_shifted"] == pytest.approx(info, abs=1e-3)
    assert kept.iloc[0]["p_y2x"] < 1e-69 and kept.iloc[0]["p_x2y"] < 1e-69
    assert kept.iloc[2]["p_y2x"] == pytest.approx(0.269616, abs=1e-6)
    assert kept["is_causal"].tolist() == [False] + [True] * 6
    # odds of a tail of .37: genuine at the ratio 1 only
    for ratio in ({"ort_consensus_ratio": 0.3}, {"ort_proba_ratio": 0.01}):
        config = {"n_layers": 3, "delta_t": 1, "legacy": True, **ratio}
        strict = infer(data.three_variables(), data.CONTEXT, config, threads=1).edges.query("type == 'P'")
        assert strict[["x", "y", "ort_inferred"]].values.tolist() == kept[["x", "y", "ort_inferred"]].values.tolist()
        assert strict["is_causal"].tolist() == [False, True, False, True, True, True, True]
    sets = {(r["x"], r["y"]): r["ai"] for r in full_run.edges.to_dict("records")}
    assert sets["V0_lag0", "V1_lag0"] == "V0_lag1"
    assert sets["V1_lag0", "V2_lag2"] == "V2_lag0"
    assert sets["V1_lag2", "V2_lag0"] == "V2_lag1,V1_lag1"


def test_16_stationarity_and_compact_graph(full_run):
    assert len(full_run.stationarity) == 7 + 4 + 2 * 3
    compact = full_run.compact()
    assert len(compact) == 7 and compact[["source", "target", "lag_steps"]].duplicated().sum() == 0
    assert all(lag is None or lag >= 0 for lag in compact["lag_steps"])
    assert all(row["lag_steps"] is None for row in compact.to_dict("records") if row["source"] == "C")
    assert len(full_run.compact(self_loops=False)) == 5
    combined = full_run.combined()
    pair = combined[(combined["source"] == "V1") & (combined["target"] == "V2")].iloc[0]
    assert (pair["lag_steps"], pair["orientation"]) == ("0,1", "directed")


def test_17_own_past_never_explains_a_condition(full_run):
    for row in full_run.raw.to_dict("records"):
        if "C" in (row["x"], row["y"]):
            other = row["y"] if row["x"] == "C" else row["x"]
            assert not any(name.startswith(other.split("_")[0]) for name in row["ai"].split(","))
        assert "lag0" in row["x"] + row["y"]


def test_18_confidence():
    table = data.var_table(800)
    config = {"n_layers": 2, "delta_t": 1, "n_shuffles": 20, "conf_threshold": 0.01}
    one = infer(table, data.VAR_ROLES, config, threads=1, seed=3)
    assert one.run["counts"]["rows"] == 796
    kept = one.edges[one.edges["type"] == "P"]
    strong = kept[(kept["info_shifted"] > 20) & (kept["info_shifted"] < 600)]
    assert len(strong) >= 4
    mean = np.exp(-strong["info_shifted"]) / strong["confidence"]
    assert ((mean > 0.95) & (mean <= 1 + 1e-12)).all()
    two = infer(table, data.VAR_ROLES, config, threads=3, seed=3)
    pd.testing.assert_frame_equal(one.edges, two.edges)
    plain = infer(table, data.VAR_ROLES, {"n_layers": 2, "delta_t": 1}, threads=1)
    assert plain.edges["confidence"].isna().all()


# Check 20 is in test_infer_effective.py, with what else concerns effective sizes by pair.
