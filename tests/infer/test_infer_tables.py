"""Tables as people have them: what is accepted, what is named in the warnings, what is refused and in which words."""

import numpy as np
import pandas as pd
import pytest

from cytocause.infer import infer
from cytocause.infer.engine import long_work
from cytocause.infer.settings import Settings, read_settings
from cytocause.infer.table import NothingToInfer, read_data
from cytocause.infer.unfolding import repeats, unfold
from tests.infer import data, naive

FAST = {"n_layers": 2, "delta_t": 1}


def table(n=60, trajectories=2, seed=0):
    return data.var_table(n, trajectories, seed)[["trajectory", "time", "a", "b", "drug"]]


def run(frame, variables=None, config=FAST, **more):
    return infer(frame, variables, config, threads=1, **more)


def refusal(frame, variables=None, config=FAST, **more):
    with pytest.raises(ValueError) as caught:
        run(frame, variables, config, **more)
    return str(caught.value)


def test_constant_and_identical_and_empty_columns_are_named():
    frame = table()
    frame["still"] = 3.0
    frame["twin"] = frame["a"]
    frame["void"] = np.nan
    found = run(frame)
    warnings = "\n".join(found.run["warnings"])
    assert "Column 'still' is constant (3.0); it cannot be connected to anything." in warnings
    assert "Columns 'a' and 'twin' are identical up to scale; what one is joined to, the other is too. Keep one." in warnings
    assert "Column 'void' has no value at all; it is left out." in warnings
    kept = found.edges[found.edges["type"] == "P"]
    assert not kept["x"].str.startswith("still").any() and not kept["y"].str.startswith("still").any()
    assert "void" not in set(found.nodes["name"])


def test_text_with_many_levels_is_named_and_does_not_stop():
    frame = table(500, 2)
    frame["text"] = [f"cell {i}" for i in range(500)]
    found = run(frame)
    assert any("'text' is discrete with 500 levels in 500 rows" in w for w in found.run["warnings"])


def test_all_values_missing():
    frame = table()
    frame[["a", "b", "drug"]] = np.nan
    with pytest.raises(NothingToInfer, match="No variable is left: every column is empty."):
        run(frame)


def test_windows_longer_than_the_table():
    message = refusal(table(), config={"n_layers": 5, "delta_t": 10})
    assert message.startswith("No row is left: the window is 40 time steps and the longest trajectory has 30.")
    message = refusal(table(2, 2), config={})
    assert message.startswith("Every trajectory has a single time step;")


def test_one_trajectory_is_left_out_by_name_of_its_length():
    frame = pd.concat([table(), pd.DataFrame({"trajectory": ["x"], "time": [0], "a": [1.0], "b": [2.0], "drug": [0]})])
    found = run(frame)
    assert any(w.startswith("1 of 3 trajectories have at most 1 time steps") for w in found.run["warnings"])


def test_infinite_values():
    frame = table()
    frame.loc[7, "b"] = np.inf
    assert refusal(frame) == "Column 'b' is infinite at row 7 (1 such values); make them missing or finite."


def test_rows_in_any_order_give_the_same_graph_and_a_warning():
    frame = table()
    shuffled = frame.sample(frac=1, random_state=1)
    # trajectories keep their first-seen order
    shuffled = shuffled.sort_values("trajectory", kind="stable")
    first, second = run(frame), run(shuffled)
    pd.testing.assert_frame_equal(first.edges, second.edges)
    assert any("Time goes back inside a trajectory" in w for w in second.run["warnings"])


def test_a_time_that_is_there_twice():
    frame = pd.concat([table(), table().iloc[[3]]], ignore_index=True)
    assert refusal(frame) == (
        "Trajectory t0 has time 3 twice, at rows 3 and 60; keep one row per trajectory and time."
    )


def test_a_condition_that_varies():
    frame = table()
    frame.loc[4, "drug"] = 1
    message = refusal(frame, [{"name": "a"}, {"name": "drug", "role": "contextual"}])
    assert message.startswith("Variable 'drug' is contextual but varies inside trajectory t0 (row 4)")


def test_names_with_spaces_and_unicode():
    frame = table().rename(columns={"a": "cell area (µm²)", "b": "vitesse é"})
    found = run(frame)
    assert {"cell area (µm²)", "vitesse é", "drug"} == set(found.nodes["name"])
    assert found.compact()["source"].isin(set(found.nodes["name"])).all()


class Enough(Exception):
    pass


def test_a_table_that_takes_long_is_said_before_the_work_begins(caplog):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.integers(0, 100, (200_000, 60), dtype=np.int16), columns=[f"v{k}" for k in range(60)])
    frame["trajectory"], frame["time"] = np.arange(200_000) // 1000, np.arange(200_000) % 1000

    def begun(what, done, total):
        raise Enough

    with pytest.raises(Enough):
        infer(frame, None, {"n_layers": 2, "delta_t": 1}, threads=2, progress=begun)
    assert caplog.messages[-1].startswith(
        "5,370 pairs of 120 nodes on 199,800 rows: with 2 thread(s) expect 3 to 32 minutes, the more the denser the graph, "
        "and about 177 MB. Fewer variables, fewer layers (n_layers) or longer time steps make it shorter;"
    )
    assert long_work(300, (45, 46_800), 1) is None


def test_identical_columns_share_their_edges_and_constant_ones_have_none():
    rng = np.random.default_rng(1)
    a = rng.normal(size=400)
    frame = pd.DataFrame({"a": a, "twin": a, "b": a + rng.normal(size=400), "still": "same"})
    found = infer(frame, time=None, threads=1)
    kept = found.edges[found.edges["type"] == "P"]
    # nothing tells them apart: neither explains what the other shares with b
    assert {frozenset(pair) for pair in zip(kept["x"], kept["y"])} == {
        frozenset(("a", "b")), frozenset(("a", "twin")), frozenset(("b", "twin")),
    }  # fmt: skip
    assert any("'a' and 'twin' are identical up to scale" in w for w in found.run["warnings"])
    assert any("'still' is constant (same)" in w for w in found.run["warnings"])
    assert found.raw.loc[(found.raw["x"] == "still") | (found.raw["y"] == "still"), "i_xy"].eq(0).all()


def test_a_trajectory_of_one_step_alone():
    frame = table().iloc[[0]]
    with pytest.raises(NothingToInfer, match="Every trajectory has a single time step"):
        run(frame, config={})
    with pytest.raises(NothingToInfer, match="No row is left: the window is 1 time steps and the longest trajectory has 1"):
        run(frame)


def test_minus_infinity_and_infinite_times():
    frame = table()
    frame.loc[5, "a"] = -np.inf
    assert "Column 'a' is infinite at row 5" in refusal(frame)
    frame = table().astype({"time": float})
    frame.loc[5, "time"] = np.inf
    assert "Column 'time' is not a finite number at row 5 (inf)" in refusal(frame)


def test_whole_numbers_beyond_two_to_the_53_are_told_apart():
    frame = table()
    frame["id"] = 2**53 + np.arange(60) // 30 + np.arange(60) % 30 // 29
    found = run(frame)
    assert any("'id' has whole numbers beyond 2^53" in w for w in found.run["warnings"])
    laid = read_data(frame, None, trajectory="trajectory", time="time")
    assert len(next(v for v in laid.variables if v.name == "id").distinct) == 3


def test_gaps_are_kept_as_missing():
    frame = table(40, 1)
    holed = frame.drop(index=[10, 11, 25])
    found = run(holed)
    assert any("3 time steps of 1 have no row; they are kept as missing." in w for w in found.run["warnings"])
    laid = read_data(holed, None, trajectory="trajectory", time="time")
    rows = unfold(laid, Settings(n_layers=3, delta_t=1), [])
    # no row pairs a value with one from the wrong time: 37 rows but the two that begin
    a = rows.names.index("a_lag0"), rows.names.index("a_lag2")
    values = frame["a"].to_numpy()
    for now, before, at in zip(rows.node_values(a[0]), rows.node_values(a[1]), rows.rows):
        assert now == values[at]
        assert np.isnan(before) if at - 2 in (10, 11, 25) else before == values[at - 2]


def test_uneven_times_are_refused():
    frame = table(20, 1).astype({"time": float})
    frame.loc[frame["time"] > 10, "time"] += 0.37
    assert "Times in 'time' are uneven: steps of 1 and of 1.37 occur" in refusal(frame)


def test_steps_of_several_frames_are_one_step():
    frame = table(40, 2)
    frame["time"] *= 5
    found = run(frame)
    assert found.run["parameters"]["time_step"] == 5
    assert found.run["counts"]["rows"] == 38


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lattent": "no"}, "Unknown inference parameter 'lattent'; known are"),
        ({"latent": "maybe"}, "latent is 'maybe'; expected one of no, orientation, yes."),
        ({"n_layers": 2.5}, "n_layers is 2.5; expected a whole number."),
        ({"n_layers": "3"}, "n_layers is '3'; expected a number."),
        ({"conf_threshold": 2}, "conf_threshold is 2; expected 0 to 1."),
        ({"test_mar": "yes"}, "test_mar is 'yes'; expected true or false."),
        ({"n_eff": 0.5}, "n_eff is 0.5; expected -1 (automatic) or at least 1."),
        ({"black_box": [["a"]]}, "black_box row ['a'] has 1 entries;"),
    ],
)
def test_parameters_that_cannot_be(change, words):
    with pytest.raises(ValueError) as caught:
        read_settings(change)
    assert words in str(caught.value)


def test_parameters_have_the_defaults_of_the_workflow():
    from pathlib import Path

    import yaml

    schema = yaml.safe_load(
        (Path(__file__).resolve().parents[2] / "workflow" / "schemas" / "infer.schema.yaml").read_text()
    )
    defaults = {name: entry["default"] for name, entry in schema["properties"].items()}
    # the workflow has conditions of few chips, of which every row is no witness of its own
    assert defaults.pop("n_eff") == "conditions" and Settings().n_eff == -1
    # of minutes and of the dictionary's events, which a table alone knows nothing of: infer.workflow makes `read_from` of it
    assert defaults.pop("event_window_min") == 30 and Settings().read_from == ()
    assert read_settings(defaults) == Settings()
    known = set(Settings.__dataclass_fields__) - {"frame_interval_min", "frames_per_step", "n_eff", "read_from"}
    assert set(defaults) - {"seed"} == known


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ([{"name": "z"}], "Variable 'z' is not a column of the table; its columns are trajectory, time, a, b, drug."),
        ([{"name": "a", "kind": "number"}], "Variable 'a' has kind 'number'; expected one of continuous, discrete."),
        ([{"name": "a", "role": "cause"}], "Variable 'a' has role 'cause'; expected one of dynamic, contextual"),
        ([{"name": "a"}, {"name": "a"}], "The table of variables names 'a' twice (row 1)."),
        ([{"name": "a", "role": "consequence"}], "Variable 'a' is a consequence; this role is only for static tables."),
        ([{"name": "drug", "levels": [0, 2]}], "Variable 'drug' has the value 1, which is not among its levels 0, 2."),
        ([{"kind": "discrete"}], "The table of variables has no column 'name'; it has kind."),
        ([{"name": "a", "n_layers": 0}], "Variable 'a' has n_layers 0; expected a whole number >= 1."),
    ],
)
def test_variables_that_cannot_be(variables, words):
    assert words in refusal(table(), variables)


def test_text_in_a_continuous_column():
    frame = table().astype({"a": object})
    frame.loc[9, "a"] = "n/a?"
    message = refusal(frame, [{"name": "a", "kind": "continuous"}, {"name": "b"}])
    assert message.startswith("Column 'a' is declared continuous but holds text at row 9 ('n/a?')")


def test_kinds_follow_the_values():
    frame = table(60, 2)
    frame["few"] = np.arange(60) % 4
    frame["three"] = (np.arange(60) % 3).astype(float)
    frame["numbers"] = (np.arange(60) % 7).astype(str)
    declared = [{"name": n} for n in ("a", "few", "numbers")] + [{"name": "three", "kind": "continuous"}]
    kinds = dict(run(frame, declared).nodes[["name", "kind"]].values)
    assert kinds == {"a": "continuous", "few": "discrete", "numbers": "discrete", "three": "continuous"}


def test_black_box_forbids_an_edge():
    frame = data.var_table(400)
    config = {"n_layers": 3, "delta_t": 1}
    free = run(frame, data.VAR_ROLES, config).compact()
    assert ((free["source"] == "a") & (free["target"] == "b") & (free["lag_steps"] == 2)).any()
    closed = run(frame, data.VAR_ROLES, {**config, "black_box": [["a", "b", 2]]})
    assert not ((closed.raw["x"] == "a_lag2") & (closed.raw["y"] == "b_lag0")).any()
    message = refusal(frame, data.VAR_ROLES, {**config, "black_box": [["a", "nobody", 2]]})
    assert message == "black_box names 'nobody', which is not a variable of the table."


def test_nothing_enters_an_exogenous_variable():
    graph = run(data.var_table(800), data.VAR_ROLES, {"n_layers": 3, "delta_t": 1})
    compact = graph.compact()
    found = compact[(compact["source"] == "pulse") & (compact["target"] == "c")]
    assert 1 in found["lag_steps"].tolist()
    assert (compact["target"] != "pulse").all()
    assert (compact.loc[compact["source"] == "pulse", "p_head_source"] == 0).all()
    pulses = graph.raw[graph.raw["x"].str.startswith("pulse") | graph.raw["y"].str.startswith("pulse")]
    for row in pulses.to_dict("records"):
        own, other = (row["x"], row["y"]) if row["x"].startswith("pulse") else (row["y"], row["x"])
        assert other[0] in "abc" and other.endswith("lag0") and own.startswith("pulse")


def test_consequences_are_never_causes():
    rng = np.random.default_rng(3)
    a = rng.normal(size=500)
    frame = pd.DataFrame({"a": a, "r": a + rng.normal(size=500), "s": a + rng.normal(size=500)})
    roles = [{"name": "a"}, {"name": "r", "role": "consequence"}, {"name": "s", "role": "consequence"}]
    compact = infer(frame, roles, time=None, threads=1).compact()
    assert sorted(zip(compact["source"], compact["target"], compact["orientation"])) == [
        ("a", "r", "directed"),
        ("a", "s", "directed"),
    ]


def test_lags_have_minutes_where_the_interval_is_known():
    frame = data.var_table(400)
    config = {"n_layers": 3, "delta_t": 1, "frame_interval_min": 10.0, "frames_per_step": 2.0}
    row = run(frame, data.VAR_ROLES, config).compact().query("source == 'a' and target == 'b'").iloc[0]
    assert (row["lag_steps"], row["lag_frames"], row["lag_min"]) == (2, 4.0, 40.0)
    row = run(frame, data.VAR_ROLES, {"n_layers": 3, "delta_t": 1}).compact().query("source == 'a' and target == 'b'").iloc[0]
    assert row["lag_min"] is None


def test_unfolding_equals_its_slow_twin():
    frame = data.var_table(90, 3)
    parts = [part["a"].to_numpy() for _, part in frame.groupby("trajectory", sort=False)]
    for layers, stride in ((2, 1), (3, 2), (4, 5)):
        laid = read_data(frame[["trajectory", "time", "a"]], None, trajectory="trajectory", time="time")
        rows = unfold(laid, Settings(n_layers=layers, delta_t=stride), [])
        found = np.column_stack([rows.node_values(k) for k in range(layers)])
        np.testing.assert_array_equal(found, naive.unfold(parts, layers, stride))


def test_copies_of_an_edge_keep_its_lag():
    frame = data.var_table(90, 3)
    roles = [{"name": "a", "n_layers": 4}, {"name": "b", "n_layers": 3, "delta_t": 2}, {"name": "drug", "role": "contextual"}]
    laid = read_data(frame, roles, trajectory="trajectory", time="time")
    rows = unfold(laid, Settings(n_layers=4, delta_t=1), [])
    name = rows.names.index
    assert repeats(rows, name("a_lag1"), name("a_lag0")) == [
        (name("a_lag2"), name("a_lag1")),
        (name("a_lag3"), name("a_lag2")),
    ]
    assert repeats(rows, name("a_lag0"), name("b_lag0")) == [(name("a_lag2"), name("b_lag2"))]
    assert repeats(rows, name("drug"), name("b_lag0")) == [(name("drug"), name("b_lag2")), (name("drug"), name("b_lag4"))]


def test_a_single_row_and_a_single_column():
    frame = pd.DataFrame({"a": [1.0], "b": [2.0]})
    assert len(infer(frame, time=None, threads=1).edges) == 0
    assert len(infer(pd.DataFrame({"a": np.arange(50.0)}), time=None, threads=1).edges) == 0
