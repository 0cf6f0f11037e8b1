"""Every shipped model does what it says: effects with their signs, at the level of the true variables, over many cells.

Events are counted over hours at risk; a ratio of rates is held against several standard errors of its logarithm, which is
sqrt(1/a + 1/b) for a and b events.
"""

import hashlib
import os
import subprocess
import sys
from functools import cache

import numpy as np
import pytest

from cytocause.simulate import simulate_world
from cytocause.simulate.cells import dose_at, run_chip
from cytocause.simulate.truths import contact_intervals
from tests.simulate import naive, worlds

SIZE = {"n_frames": 72, "height": 256, "width": 256}


@cache
def world(name, chips=12, seed=11):
    """Truth of a model's chips, hidden variables beside the visible ones."""
    made = simulate_world(worlds.model("full").named(name) if "_minus_" in name else worlds.model(name), chips, seed, worlds.section(**SIZE))
    hidden = made.hidden.drop(columns=["trajectory", "time_step"])
    return made.table.join(hidden)


def rate(rows, event):
    """Events, hours at risk."""
    before = rows[(rows["division"] + rows["death"]) == 0]
    happened = rows.loc[rows[event] == 1, "trajectory"].nunique()
    return happened, len(before) / 6.0


def ratio(rows, event, condition):
    """Ln of the rates' ratio between the levels 1 and 0, and its standard error."""
    (a, p), (b, q) = (rate(rows[rows[condition] == level], event) for level in (1, 0))
    return np.log(a / p) - np.log(b / q), np.sqrt(1 / a + 1 / b)


def means(rows, column, condition):
    """Difference of the chips' means between the levels, over its standard error."""
    chips = rows.assign(chip=rows["trajectory"].str.split(":").str[0]).groupby(["chip", condition], as_index=False)[column].mean()
    low, high = (chips.loc[chips[condition] == level, column] for level in (0, 1))
    return (high.mean() - low.mean()) / np.sqrt(low.var() / low.size + high.var() / high.size)


def test_drug_only_the_drug_kills_and_stops_division_and_the_label_of_fibroblasts_does_nothing():
    rows = world("drug_only")
    for event, sign in (("death", 1), ("division", -1)):
        effect, error = ratio(rows, event, "treatment")
        assert sign * effect > 4 * error
        effect, error = ratio(rows, event, "CAF_presence")
        assert abs(effect) < 3.5 * error


def test_caf_protects_whatever_the_drug():
    rows = world("caf_protects", 16)
    for level in (0, 1):
        effect, error = ratio(rows[rows["treatment"] == level], "death", "CAF_presence")
        assert effect < -3 * error
    effect, error = ratio(rows, "death", "treatment")
    assert effect > 3 * error


def test_immune_killing_the_drug_acts_through_contacts_that_add_up():
    rows = world("immune_killing", 20)
    assert means(rows, "n_immune_r1", "treatment") > 4
    assert means(rows, "contact_time_min", "treatment") > 3
    effect, error = ratio(rows, "death", "treatment")
    assert effect > 2.5 * error
    alike = rows[rows["hazard_death_per_h"] > 0]
    less, more = (np.log(alike.loc[part, "hazard_death_per_h"]) for part in (alike["contact_time_min"] < 10, alike["contact_time_min"] > 80))
    assert more.mean() - less.mean() > 2  # 5 * (80 / 130 - 10 / 60) at least
    band = alike[alike["contact_time_min"].between(40, 60)]  # at equal contact the drug adds nothing
    drug = np.log(band.loc[band["treatment"] == 1, "hazard_death_per_h"]).mean() - np.log(band.loc[band["treatment"] == 0, "hazard_death_per_h"]).mean()
    assert abs(drug) < 0.25


def test_hidden_fitness_joins_speed_and_fates_without_an_edge_between_them():
    rows = world("hidden_fitness", 16)
    cells = rows[rows["division"] + rows["death"] == 0].groupby("trajectory").agg(fitness=("fitness", "first"), speed=("speed_um_min", "mean"))
    assert np.corrcoef(cells["fitness"], cells["speed"])[0, 1] > 0.4
    fit, unfit = rows[rows["fitness"] > 0.3], rows[rows["fitness"] < -0.3]
    for event, sign in (("division", 1), ("death", -1)):
        (a, p), (b, q) = rate(fit, event), rate(unfit, event)
        assert sign * (np.log(a / p) - np.log(b / q)) > 3 * np.sqrt(1 / a + 1 / b)


def test_daughters_inherit_the_share_of_fitness_that_is_written():
    made = run_chip(worlds.model("hidden_fitness"), worlds.section(**{**SIZE, "n_frames": 90, "height": 512, "width": 512}), "s", worlds.PLAIN)
    fitness = {}
    for row in made.tumour:
        fitness.update(zip(row["track_id"].tolist(), row["fitness"].tolist()))
    pairs = np.array([(fitness[p], fitness[k]) for k, p in made.parents["tumour"].items() if p and k in fitness])
    assert len(pairs) > 100
    assert np.polyfit(*pairs.T, 1)[0] == pytest.approx(0.7, abs=0.15)
    assert np.std(pairs[:, 1]) == pytest.approx(1.0, abs=0.2)


def test_feedback_a_slow_cell_keeps_its_contacts_and_a_large_cell_grows_less():
    strong, weak = world("feedback"), world("tumour_on_chip")
    living = strong[(strong["hazard_death_per_h"] > 0)]
    assert np.polyfit(np.log(living["area_um2"]), living["growth"], 1)[0] < -0.5  # the written -1.5, an hour earlier
    share = [rows.loc[rows["treatment"] == 0, "n_immune_r1"].gt(0).mean() for rows in (strong, weak)]
    assert share[0] > share[1]  # contact slows, and the slow are held longer


def test_drug_pulse_death_follows_the_dose_after_its_lag_and_growth_falls_with_it():
    rows = world("drug_pulse", 16)
    schedule = worlds.model("drug_pulse").variables["drug"].schedule
    assert rows["drug"].tolist() == [dose_at(schedule, 10.0 * step) for step in rows["time_step"]]
    assert set(rows["drug"]) == {0.0, 1.0, 2.0}
    living = rows[rows["hazard_death_per_h"] > 0]
    lagged = np.array([dose_at(schedule, 10.0 * (step - 6)) for step in living["time_step"]])
    hazard = np.log(living["hazard_death_per_h"]).to_numpy()
    assert hazard[lagged == 1].mean() - hazard[lagged == 0].mean() == pytest.approx(2.2 / 1.5, abs=0.25)
    during = [dose_at(schedule, 10.0 * (step - 3)) > 0 for step in living["time_step"]]
    assert living.loc[during, "growth"].mean() < living.loc[np.invert(during), "growth"].mean() - 0.4


def test_a_sample_without_rows_of_exposure_gets_no_dose_and_one_with_them_gets_theirs():
    model, row = worlds.model("drug_pulse"), {"variable": "drug", "start_min": 0, "end_min": 9999, "dose": 2.0}
    seen = {}
    for name, exposures in (("none", []), ("always", [row]), ("other", [{**row, "variable": "wash"}])):
        made = run_chip(model, {**worlds.section(n_frames=20, height=160, width=160), "exposures": exposures}, "s", worlds.PLAIN)
        seen[name] = np.concatenate([frame["growth"] for frame in made.tumour]).mean()
    assert seen["none"] == seen["other"] > seen["always"] + 0.5


def test_full_has_its_conditions_effects_and_loses_each_with_its_edge():
    full = world("full", 16)
    for column, condition in (("n_immune_r1", "treatment"), ("speed_um_min", "CAF_presence"), ("area_um2", "CAF_presence")):
        assert means(full, column, condition) > 2.5
    assert means(full, "n_caf_near", "CAF_presence") > 10
    effect, error = ratio(full, "division", "treatment")
    assert effect < -4 * error
    without = world("full_minus_CAF_presence_speed", 16)
    assert means(without, "speed_um_min", "CAF_presence") < 0.5 * means(full, "speed_um_min", "CAF_presence")
    hazard = {}
    for name in ("full", "full_minus_treatment_mitosis", "full_minus_fitness_mitosis"):
        rows = world(name, 16)
        rows = rows[(rows["hazard_division_per_h"] > 0)]
        columns = np.column_stack([np.ones(len(rows)), rows["treatment"], rows["fitness"], np.log(rows["area_um2"]), rows["age_min"] >= 600])
        hazard[name] = np.linalg.lstsq(columns, np.log(rows["hazard_division_per_h"]), rcond=None)[0]
    assert hazard["full"][1:3] == pytest.approx([-1.5, 0.4], abs=0.3)
    assert hazard["full_minus_treatment_mitosis"][1:3] == pytest.approx([0, 0.4], abs=0.3)
    assert hazard["full_minus_fitness_mitosis"][1:3] == pytest.approx([-1.5, 0], abs=0.3)


def test_a_shielded_tumour_cell_meets_fewer_immune_cells_and_no_more_without_the_edge():
    share = {}
    for name in ("full", "full_minus_shield_contact"):
        rows = world(name, 16)
        rows = rows[(rows["CAF_presence"] == 1) & (rows["hazard_death_per_h"] > 0)]
        share[name] = [rows.loc[part, "n_immune_r1"].gt(0).mean() for part in (rows["n_caf_near"] == 0, rows["n_caf_near"] > 0)]
    assert share["full"][1] < 0.85 * share["full"][0]
    assert share["full_minus_shield_contact"][1] > share["full"][1]


def test_crowded_cells_divide_less_only_where_the_edge_is():
    """At equal size and age; in a chip of many cells."""
    slope = {}
    for name in ("full", "full_minus_density_mitosis"):
        model = worlds.model("full").named(name)
        cfg = worlds.section(**{**SIZE, "tumour_density_mm2": 1300})
        made = simulate_world(model, [worlds.PLAIN] * 3, 3, cfg, features=("area_um2", "n_tumour_r2"))
        rows = made.table.join(made.hidden[["hazard_division_per_h", "fitness", "age_min"]])
        rows = rows[rows["hazard_division_per_h"] > 0]
        columns = np.column_stack([np.ones(len(rows)), rows["n_tumour_r2"], np.log(rows["area_um2"]), rows["fitness"], rows["age_min"] >= 600])
        slope[name] = np.linalg.lstsq(columns, np.log(rows["hazard_division_per_h"]), rcond=None)[0][1]
    assert slope["full"] < -0.2
    assert abs(slope["full_minus_density_mitosis"]) < 0.1


def test_exhausted_immune_cells_do_less():
    text = worlds.model_text("immune_killing")
    total = {}
    for limit in ("60 ", "90000 "):
        model = worlds.parse_model(text.replace("exhaustion_min: 900", "exhaustion_min: " + limit))
        made = run_chip(model, worlds.section(**SIZE), "s", worlds.DRUG)
        total[limit] = np.concatenate([row["contact_time"] for row in made.tumour]).mean()
    assert total["60 "] < 0.6 * total["90000 "]


def test_chips_of_one_date_share_its_effect_and_other_dates_have_another():
    text = worlds.model_text("full")
    assert "date_sd: 0.02" in text
    model = worlds.parse_model(text.replace("date_sd: 0.02", "date_sd: 0.9"))
    cfg = worlds.section(n_frames=6, height=160, width=160)
    made = simulate_world(model, [worlds.PLAIN] * 16, 5, cfg, dates=4)
    assert made.design["date"].tolist() == [f"date_{k // 4 + 1}" for k in range(16)]
    area = made.table.assign(sample=made.table["trajectory"].str.split(":").str[0]).groupby("sample")["area_um2"].mean()
    by_date = area.loc[made.design["sample"]].to_numpy().reshape(4, 4)
    assert np.log(by_date).std(axis=1).mean() < 0.15 < np.log(by_date).mean(axis=1).std()


def test_tumour_cells_leave_and_enter_and_fibroblasts_exist_only_with_their_condition():
    model, cfg = worlds.model("full"), worlds.section(n_frames=90, height=256, width=256, tumour_density_mm2=1200)
    chip = run_chip(model, cfg, "s", {"treatment": 0, "CAF_presence": 1})
    assert [e for e in chip.events if e[0] == "tumour" and e[4] == "border"]
    first = {}
    for frame, row in enumerate(chip.tumour):
        for k in row["track_id"].tolist():
            first.setdefault(k, frame)
    assert [k for k, frame in first.items() if frame > 0 and chip.parents["tumour"][k] == 0]
    caf = chip.rows("caf")
    assert all(row["track_id"].tolist() == caf[0]["track_id"].tolist() for row in caf) and caf[0]["track_id"].size == 5
    assert np.median(caf[0]["aspect_ln"]) > 0.6
    assert np.mean([row["speed_um_min"].mean() for row in caf[1:]]) < 0.2
    assert run_chip(model, cfg, "s", worlds.PLAIN).rows("caf")[0]["track_id"].size == 0


def test_every_population_has_the_common_fields_of_equal_length():
    chip = run_chip(worlds.model("full"), worlds.section(n_frames=5, height=160, width=160), "s", {"treatment": 0, "CAF_presence": 1})
    fields = ["track_id", "y_um", "x_um", "depth_um", "angle", "area_um2", "aspect_ln", "phase", "progress", "condensation", "cycle", "speed_um_min"]
    for name in ("tumour", "immune", "caf"):
        for row in chip.rows(name):
            assert set(fields) <= set(row)
            assert len({column.size for column in row.values()}) == 1
            assert ((row["cycle"] >= 0) & (row["cycle"] <= 1)).all() and set(row["phase"]) <= {0, 1, 2}
    depth = np.concatenate([row["depth_um"] for row in chip.tumour])
    assert 1.5 < depth.std() < 4.5
    assert not np.concatenate([r["depth_um"] for r in run_chip(worlds.model(), worlds.section(n_frames=3), "s", worlds.PLAIN).tumour]).any()


def test_the_cycle_runs_from_birth_to_division():
    chip = worlds.chip(n_frames=60)
    rows = chip.variables().merge(chip.variables_hidden(), on=["sample", "population", "track_id", "frame", "time_min"])
    split = chip.events().query("event == 'division'")
    for row in split.itertuples():
        mother = rows[rows["track_id"] == row.track_id]
        assert (np.diff(mother["cycle"]) >= 0).all() and mother["cycle"].iloc[-1] > 0.95
        daughters = rows[rows["track_id"].map(chip.history.parents["tumour"]) == row.track_id]
        assert (daughters.loc[daughters["frame"] == row.frame, "cycle"] == 0).all()


def test_contacts_are_the_frames_in_a_row_within_the_radius():
    rng = np.random.default_rng(2)
    touches = [np.unique(rng.integers(1, 4, (rng.integers(0, 6), 2)), axis=0) for _ in range(30)]
    table = contact_intervals(touches, "s", 10.0)
    assert [tuple(row) for row in table[["track_id", "immune_track_id", "start_frame", "end_frame"]].to_numpy()] == naive.contact_intervals(touches)
    assert (table["end_min"] == 10.0 * table["end_frame"]).all()
    assert len(contact_intervals([], "s", 10.0)) == len(contact_intervals([np.zeros((0, 2), np.int64)], "s", 10.0)) == 0


def test_contacts_add_up_to_the_counts_of_immune_cells():
    chip = worlds.chip(n_frames=40)
    total = chip.contacts().eval("end_frame - start_frame + 1").sum()
    assert total == chip.variables()["n_immune_r1"].sum() > 50


def digest():
    made = simulate_world(worlds.model("full"), 4, 3, worlds.section(n_frames=12, height=128, width=128), dates=2)
    text = "".join(table.to_csv(index=False) for table in (made.table, made.hidden, made.design, made.contacts))
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_world_has_the_same_bytes_on_any_number_of_threads():
    code = "from tests.simulate.test_simulate_worlds import digest; print(digest())"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(worlds.ROOT), str(worlds.ROOT / "scripts")])}
    for threads in ("1", "2"):
        env |= {name: threads for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
        run = subprocess.run([sys.executable, "-c", code], env=env, cwd=worlds.ROOT, capture_output=True, text=True, check=True)
        assert run.stdout.strip() == digest()


def test_what_is_kept_of_the_past_does_not_grow_with_the_movie():
    from cytocause.simulate.cells import _Chip

    sizes = []
    for frames in (10, 400):
        chip = _Chip(worlds.model("full"), worlds.section(n_frames=frames), "s", {"treatment": 0.0, "CAF_presence": 0.0})
        sizes.append(sum(past.nbytes for past in chip.hist.values()))
    assert sizes[0] == sizes[1]
