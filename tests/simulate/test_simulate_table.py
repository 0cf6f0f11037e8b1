"""What the cells do follows the written edges: at the level of the table, over many cells."""

import numpy as np
import pytest

from cytocause.simulate import SimulatedChip, simulate_table
from cytocause.simulate.table import design
from tests.simulate import worlds

SIZE = {"n_frames": 60, "height": 256, "width": 256}


@pytest.fixture(scope="module")
def world():
    return simulate_table(worlds.model(), 16, 5, worlds.section(**SIZE))


@pytest.fixture(scope="module")
def null():
    return simulate_table(worlds.model("null"), 16, 5, worlds.section(**SIZE))


def rates(table):
    """Events per cell and hour, by trajectory state, for each level of each condition."""
    out = {}
    for condition in ("treatment", "CAF_presence"):
        for level in (0, 1):
            rows = table[table[condition] == level]
            hours = (rows["division"] + rows["death"] == 0).sum() / 6.0
            last = rows.groupby("trajectory")[["division", "death"]].max().sum() / hours
            out[condition, level] = last
    return out


def chip_means(table, column, condition):
    means = table.assign(chip=table["trajectory"].str.split(":").str[0]).groupby(["chip", condition])[column].mean().reset_index()
    return [means.loc[means[condition] == level, column].to_numpy() for level in (0, 1)]


def test_the_table_has_the_shape_the_inference_reads(world):
    assert list(world.columns[:4]) == ["trajectory", "time_step", "treatment", "CAF_presence"]
    assert list(world.columns[-2:]) == ["division", "death"]
    assert not world.duplicated(["trajectory", "time_step"]).any()
    for _, rows in list(world.groupby("trajectory"))[:200]:
        assert (np.diff(rows["time_step"]) == 1).all()
        assert (np.diff(rows["division"]) >= 0).all() and (np.diff(rows["death"]) >= 0).all()
        assert rows["division"].max() + rows["death"].max() <= 1
    assert world.groupby("trajectory")["division"].sum().max() == 3


def test_the_conditions_do_what_their_edges_say(world):
    rate = rates(world)
    assert rate["treatment", 1]["death"] > 2.0 * rate["treatment", 0]["death"]
    assert rate["treatment", 1]["division"] < 0.6 * rate["treatment", 0]["division"]
    assert rate["CAF_presence", 1]["death"] < 0.75 * rate["CAF_presence", 0]["death"]
    for column, condition in (("n_immune_r1", "treatment"), ("speed_um_min", "CAF_presence"), ("area_um2", "CAF_presence")):
        low, high = chip_means(world, column, condition)
        assert high.mean() - low.mean() > 1.5 * np.sqrt(low.var() / low.size + high.var() / high.size)


def test_in_the_null_world_the_conditions_do_nothing(null):
    rate = rates(null)
    for condition in ("treatment", "CAF_presence"):
        for event in ("division", "death"):
            assert 0.6 < rate[condition, 1][event] / rate[condition, 0][event] < 1.7
        for column in ("n_immune_r1", "speed_um_min", "area_um2", "eccentricity"):
            low, high = chip_means(null, column, condition)
            assert abs(high.mean() - low.mean()) < 3.5 * np.sqrt(low.var(ddof=1) / low.size + high.var(ddof=1) / high.size)


def test_one_edge_off_changes_nothing_before_its_effect_begins():
    model, section = worlds.model(), worlds.section(n_frames=20, height=160, width=160)
    full = SimulatedChip(model, section, "chip_01", worlds.PLAIN).variables()
    less = SimulatedChip(model.without(("treatment", "death")), section, "chip_01", worlds.PLAIN).variables()
    assert full.equals(less)  # the drug is absent, so its edge cannot act


def lagged(rows, cause, effect, lag):
    """Pairs (cause `lag` frames earlier, effect) within tracks, living cells outside mitosis."""
    rows = rows[rows["phase"] == "interphase"].sort_values(["track_id", "frame"])
    before = rows[["track_id", "frame", cause]].assign(frame=rows["frame"] + lag)
    pairs = rows[["track_id", "frame", effect]].merge(before, on=["track_id", "frame"], suffixes=("", "_before")).dropna()
    name = cause if cause != effect else cause + "_before"
    return pairs[name].to_numpy(), pairs[effect].to_numpy()


@pytest.fixture(scope="module")
def rows():
    import pandas as pd

    chips = [SimulatedChip(worlds.model(), worlds.section(**SIZE), f"chip_{k}", c) for k, c in enumerate(design(["treatment", "CAF_presence"], 8))]
    tables = [c.variables().merge(c.variables_hidden(), on=["sample", "population", "track_id", "frame", "time_min"]) for c in chips]
    return pd.concat([t.assign(track_id=t["track_id"] + 10000 * k) for k, t in enumerate(tables)])


def test_contact_slows_cells_and_speed_stretches_them_most_at_the_written_lag(rows):
    contact = {lag: np.corrcoef(*(v > 0 if k == 0 else np.log(v + 0.01) for k, v in enumerate(lagged(rows, "n_immune_r1", "speed_um_min", lag))))[0, 1] for lag in (0, 2, 6)}
    assert contact[2] < -0.15
    assert contact[2] < contact[0] and contact[2] < contact[6]
    stretch = {lag: np.corrcoef(*lagged(rows, "speed_um_min", "eccentricity", lag))[0, 1] for lag in (0, 2, 6)}
    assert stretch[2] > 0.2
    assert stretch[2] > stretch[0] and stretch[2] > stretch[6]


def test_contact_raises_the_hazard_of_death_30_minutes_later_and_size_that_of_division(rows):
    before, hazard = lagged(rows, "n_immune_r1", "hazard_death_per_h", 3)
    ratio = np.exp(np.log(hazard[before > 0]).mean() - np.log(hazard[before == 0]).mean())
    assert ratio > 4.5  # exp(1.8) = 6.0 within a chip; treated chips have more contacts, and more deaths without them
    area, divide = lagged(rows[rows["treatment"] == 0], "area_um2", "hazard_division_per_h", 0)
    slope = np.polyfit(np.log(area), np.log(divide), 1)[0]
    assert slope == pytest.approx(2.5, abs=0.3)  # the strength of the edge, after mitosis shapes are left out


def test_fewer_cells_are_chosen_by_the_seed():
    section = worlds.section(n_frames=12, height=128, width=128)
    table = simulate_table(worlds.model(), [worlds.DRUG, worlds.PLAIN], 3, section, cells_per_chip=4)
    assert table["trajectory"].nunique() == 8
    assert table.equals(simulate_table(worlds.model(), [worlds.DRUG, worlds.PLAIN], 3, section, cells_per_chip=4))


def test_the_design_is_even():
    chips = design(["treatment", "CAF_presence"], 36)
    assert len(chips) == 36
    assert sum(c["treatment"] for c in chips) == sum(c["CAF_presence"] for c in chips) == 18
    assert sum(c["treatment"] * c["CAF_presence"] for c in chips) == 9
