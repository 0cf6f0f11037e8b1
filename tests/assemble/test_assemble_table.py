"""The experiment's table: variables and their kinds, conditions, exposures, units, choice, failures."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytocause.assemble import assemble_table, choose, failed_samples
from cytocause.io import InputDefect, read_table, write_table
from tests.assemble.worlds import CAF, TREATMENT, chips, config, sample

DESIGN = {"conditions": [TREATMENT, CAF]}


def test_columns_are_identity_variables_sample_and_levels():
    table, variables, _ = assemble_table(chips(), config(**DESIGN))
    names = ["treatment", "CAF_presence", "death", "division", "area_um2", "displacement_um", "path_um"]
    assert list(table.columns) == ["trajectory", "time_step", *names, "sample", "chip"]
    assert variables["name"].tolist() == names
    assert variables["role"].tolist() == ["contextual"] * 2 + ["dynamic"] * 5
    assert variables["kind"].tolist() == ["discrete"] * 4 + ["continuous"] * 3
    assert variables["levels"].tolist() == ["0,1"] * 4 + [""] * 3
    assert variables["unit"].tolist() == ["", "", "", "", "um2", "um", "um"]
    assert table["trajectory"].dtype == object and table["time_step"].dtype == np.int32
    assert not table.duplicated(["trajectory", "time_step"]).any()


def test_an_alias_names_the_variable_and_its_settings_travel():
    entries = [{"name": "death", "as": "apoptosis"}, {"name": "area_um2", "as": "area", "mov_avg": 5, "n_layers": 3, "delta_t": 2}]
    table, variables, _ = assemble_table([sample()], config(variables=entries))
    assert {"apoptosis", "area"} <= set(table.columns)
    area = variables.set_index("name").loc["area"]
    assert (area["source"], area["mov_avg"], area["n_layers"], area["delta_t"]) == ("area_um2", "5", "3", "2")


def test_the_default_variables_are_events_shape_speed_and_contacts():
    one = sample()
    read = one.cells

    def cells(population, columns):
        known = read(population, [*columns])
        return known.assign(**{c: 1.0 for c in columns if c not in known and c != "y_px"})

    one.cells = cells
    table, *_ = assemble_table([one], config(variables=[]))
    expected = ["death", "division", "area_um2", "eccentricity", "speed_smooth_um_min", "n_immune_r1", "distance_immune_um"]
    assert list(table.columns) == ["trajectory", "time_step", *expected, "sample"]


@pytest.mark.parametrize(
    "condition, values, kind, levels",
    [
        ({"name": "drug", "kind": "binary", "reference": "none", "levels": []}, ["T-DM1", "none"], "discrete", "none,T-DM1"),
        ({"name": "drug", "kind": "ordered", "reference": 0, "levels": []}, [10, 0, 1], "discrete", "0,1,10"),
        ({"name": "drug", "kind": "ordered", "reference": "lo", "levels": ["lo", "mid", "hi"]}, ["hi", "lo", "mid"], "discrete", "lo,mid,hi"),
        ({"name": "drug", "kind": "continuous", "reference": 0, "levels": []}, [0.5, 0, 2], "continuous", ""),
    ],
)
def test_conditions_become_contextual_variables(condition, values, kind, levels):
    samples = [sample(f"s{k}", conditions={"drug": value}) for k, value in enumerate(values)]
    table, variables, _ = assemble_table(samples, config(conditions=[condition]))
    row = variables.set_index("name").loc["drug"]
    assert (row["kind"], row["role"], row["levels"]) == (kind, "contextual", levels)
    assert table.groupby("sample")["drug"].first().tolist() == values


@pytest.mark.parametrize("kind", ["binary", "ordered"])
def test_a_zero_beside_words_is_a_word_of_the_same_column(tmp_path, kind):
    condition = {"name": "drug", "kind": kind, "reference": 0, "levels": [0, "low", "high"] if kind == "ordered" else []}
    samples = [sample("a", conditions={"drug": "high"}), sample("b", conditions={"drug": 0})]
    table, variables, _ = assemble_table(samples, config(conditions=[condition]))
    write_table(table, tmp_path / "table.parquet")
    read = read_table(tmp_path / "table.parquet")
    assert read.groupby("sample")["drug"].first().to_dict() == {"a": "high", "b": "0"}
    assert variables.set_index("name").loc["drug", "levels"] == ("0,high" if kind == "binary" else "0,low,high")


def test_an_exposure_is_the_dose_at_that_time():
    exposures = [
        {"sample": "s1", "variable": "drug", "start_min": 20, "end_min": 40, "dose": 5, "unit": "nM"},
        {"sample": "s1", "variable": "drug", "start_min": 60, "end_min": 70, "dose": 1, "unit": "nM"},
    ]
    samples = [sample("s1"), sample("s2")]
    table, variables, _ = assemble_table(samples, config(exposures=exposures))
    assert table.loc[table["sample"] == "s1", "drug"].tolist() == [0, 0, 5, 5, 0, 0, 1, 0]
    assert (table.loc[table["sample"] == "s2", "drug"] == 0).all()
    row = variables.set_index("name").loc["drug"]
    assert (row["role"], row["unit"]) == ("exogenous", "nM")
    halves, *_ = assemble_table([sample("s1")], config(exposures=exposures, time_step=4, min_length=1))
    assert halves["drug"].tolist() == [2.5, 0.25]


def test_counts_with_few_values_are_discrete_and_measures_continuous():
    one = sample(lives={1: range(8)})
    read = one.cells
    one.cells = lambda p, c: read(p, c).assign(n_immune_r1=np.arange(8) % 3.0) if "n_immune_r1" in c else read(p, c)
    _, variables, _ = assemble_table([one], config(variables=["n_immune_r1", "area_um2"]))
    assert variables["kind"].tolist() == ["discrete", "continuous"] and variables["levels"].iloc[0] == "0,1,2"


def test_samples_in_pixels_keep_their_names_and_a_mixture_is_refused():
    table, variables, design = assemble_table([sample(unit="px")], config())
    assert "area_px2" in table and variables.set_index("name").loc["area_px2", "unit"] == "px2"
    assert design["length_unit"] == "px"
    with pytest.raises(InputDefect, match=r"Samples a are measured in um, b in px; one table needs one unit"):
        assemble_table([sample("a"), sample("b", unit="px")], config())


def test_failed_samples_and_controls_are_left_out_and_listed():
    failure = {"population": "tumour", "failed_at": "segment", "reason": "The movie has no cell.", "todo": "Look at it."}
    samples = [
        sample("good"),
        sample("bad", failures=[failure]),
        sample("empty", levels={"control": "blank"}),
        sample("veh", levels={"control": "vehicle"}),
        sample("side", failures=[failure | {"population": "immune"}]),
    ]
    table, _, design = assemble_table(samples, config())
    assert sorted(table["sample"].unique()) == ["good", "side", "veh"]
    assert design["left_out"]["failed"] == 1 and design["left_out"]["control"] == 1
    assert table.set_index("sample").loc["veh", "control"].unique().tolist() == ["vehicle"]
    failed = failed_samples(samples)
    assert failed["sample"].tolist() == ["bad", "side"] and failed["reason"].iloc[0] == "The movie has no cell."
    assert list(failed_samples(samples[:1]).columns) == ["sample", "population", "failed_at", "reason", "todo"]
    kept, *_ = assemble_table(samples, config(controls="include"))
    assert "empty" in set(kept["sample"])


def test_nothing_left_is_a_table_without_rows_and_a_warning():
    failure = {"population": "tumour", "failed_at": "prepare", "reason": "x", "todo": ""}
    one = sample(failures=[failure], conditions={"treatment": 0})
    table, variables, design = assemble_table([one], config(conditions=[TREATMENT]))
    assert len(table) == 0 and list(table.columns)[:3] == ["trajectory", "time_step", "treatment"]
    assert len(variables) == 6 and "The table has no rows" in design["warnings"][0]


def test_a_constant_and_a_missing_variable_are_warned_about():
    one = sample()
    _, _, design = assemble_table([one], config())
    assert any("division has the value 0 in every row" in text for text in design["warnings"])


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"variables": ["area_um2", "roundness"]}, "names the column roundness, which no cells.parquet of tumour has"),
        ({"variables": ["area_um2", {"name": "path_um", "as": "area_um2"}]}, "gives the name area_um2 to more than one"),
        ({"variables": [{"name": "path_um", "as": "time_step"}]}, "calls a variable time_step"),
        ({"population": "fibroblast"}, "'fibroblast'; the populations are tumour, immune"),
        ({"variables": [{"name": "area_um2", "of": "nk"}]}, "is of population 'nk'"),
        ({"variables": [{"name": "area_um2", "of": "immune"}]}, "assemble.neighbours_um is not set"),
        ({"conditions": [TREATMENT]}, "Sample s1 has no value of the condition treatment"),
        ({"time_step_min": 25}, "25, which is no whole number of frames of 10 min in sample s1"),
    ],
)
def test_mistakes_in_the_config_are_named(changes, words):
    with pytest.raises(InputDefect, match=words):
        assemble_table([sample()], config(**changes))


def test_different_frame_intervals_need_a_common_time_step():
    samples = [sample("slow", interval=10.0), sample("fast", interval=5.0, lives={1: range(16)})]
    with pytest.raises(InputDefect, match="Sample slow has a frame every 10 min, sample fast every 5 min"):
        assemble_table(samples, config())
    table, _, design = assemble_table(samples, config(time_step_min=20, min_length=1))
    assert table.groupby("sample").size().to_dict() == {"slow": 4, "fast": 4}
    assert design["time_step_frames"] == {"slow": 2, "fast": 4} and design["time_step_min"] == 20


def test_neighbours_of_another_population_are_averaged_within_the_radius():
    immune = pd.DataFrame(
        {"track_id": [1, 2, 3], "frame": [0, 0, 0], "y_um": [1.0, 3.0, 90.0], "x_um": [0.0, 0.0, 0.0], "speed_um_min": [2.0, 4.0, 9.0]}
    )
    entries = ["area_um2", {"name": "speed_um_min", "of": "immune"}]
    table, variables, _ = assemble_table([sample(immune=immune)], config(variables=entries, neighbours_um=5.0))
    assert table["immune_speed_um_min"].tolist()[:1] == [3.0] and table["immune_speed_um_min"].isna().sum() == 7
    assert variables["source"].iloc[1] == "immune:speed_um_min"


def test_the_cell_is_not_its_own_neighbour():
    entries = [{"name": "area_um2", "of": "tumour", "as": "crowd"}]
    table, *_ = assemble_table([sample(lives={1: range(6), 2: range(6)})], config(variables=entries, neighbours_um=5.0))
    assert table.set_index(["trajectory", "time_step"]).loc[("s1:1", 2), "crowd"] == 202


def test_the_same_experiment_gives_the_same_table_whatever_the_order_of_rows():
    one, other = assemble_table(chips(seed=1), config(**DESIGN))[0], assemble_table(chips(seed=2), config(**DESIGN))[0]
    pd.testing.assert_frame_equal(one, other)


def test_max_rows_first_lengthens_the_step_then_leaves_out_whole_trajectories():
    samples = chips()
    whole, _, full = assemble_table(samples, config(**DESIGN))
    fewer, _, design = assemble_table(samples, config(**DESIGN, max_rows=300))
    assert len(fewer) <= 300 and design["time_step_frames"] == 1 and design["left_out"]["max_rows"] > 0
    lengths = whole.groupby("trajectory").size()
    assert (fewer.groupby("trajectory").size() == lengths[fewer["trajectory"].unique()]).all()
    rows = fewer.groupby("chip").size()
    assert len(rows) == 8 and rows.max() - rows.min() <= lengths.max()
    longer, _, design = assemble_table(samples, config(**DESIGN, max_rows=300, max_time_step=3, min_length=3))
    assert design["time_step_frames"] == 2 and design["left_out"]["max_rows"] == 0 and design["time_step_min"] == 20
    assert longer["trajectory"].nunique() == full["trajectories"]


@settings(deadline=None, max_examples=40)
@given(
    lengths=st.lists(st.integers(1, 30), min_size=1, max_size=40), most=st.integers(1, 300), seed=st.integers(0, 999), how=st.sampled_from(["fair", "longest"])
)
def test_the_choice_fits_and_does_not_depend_on_the_order(lengths, most, seed, how):
    names = [f"c{k % 5}:{k}" for k in range(len(lengths))]
    chip = [name.split(":")[0] for name in names]
    stay = choose(names, lengths, chip, most, how)
    assert sum(lengths[k] for k in stay) <= most
    mixed = np.random.default_rng(seed).permutation(len(names))
    again = choose([names[k] for k in mixed], [lengths[k] for k in mixed], [chip[k] for k in mixed], most, how)
    assert sorted(names[mixed[k]] for k in again) == sorted(names[k] for k in stay)


def test_a_fair_choice_does_not_ask_how_long_a_cell_lives():
    lengths = [3] * 500 + [30] * 500
    names = [f"chip:{k}" for k in range(1000)]
    stay = choose(names, lengths, ["chip"] * 1000, 3300, "fair")
    short = sum(lengths[k] == 3 for k in stay) / len(stay)
    assert 0.4 < short < 0.6
    assert all(lengths[k] == 30 for k in choose(names, lengths, ["chip"] * 1000, 3300, "longest"))
