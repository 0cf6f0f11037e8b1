"""Rates that empty or overfill a chip: at the model's own rates, and with what conditions and doses add to them."""

import pytest

from cytocause.simulate import ModelError, cells, parse_model
from cytocause.simulate.checks import check_geometry
from cytocause.simulate.difficulty import ladder
from cytocause.simulate.ranges import LEVELS
from tests.simulate import worlds

SHIPPED = sorted(path.stem for path in (worlds.ROOT / "resources/causal_models").glob("*.yaml"))
KILLS = ("target: death,       sign: \"+\", strength: 1.5", "target: death,       sign: \"+\", strength: {}")


def changed(name, *changes):
    """A shipped model with some changes of its text, and the line of the last one."""
    text = worlds.model_text(name)
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return parse_model(text, "mine.yaml"), next(k for k, line in enumerate(text.splitlines(), 1) if changes[-1][1] in line)


def killing(strength):
    """drug_only with another strength of its drug."""
    return changed("drug_only", (KILLS[0], KILLS[1].format(strength)))


def refusal(model, **settings):
    """What a chip is told."""
    with pytest.raises(ModelError) as caught:
        check_geometry(model, worlds.section(**settings))
    return str(caught.value)


def test_a_drug_that_kills_all_cells_in_a_frame_is_refused_with_its_edge():
    model, line = killing(91.5)
    with pytest.raises(ModelError) as caught:
        cells.run_chip(model, worlds.section(), "s", worlds.DRUG)
    said = str(caught.value)
    assert said.startswith(f"mine.yaml, line {line}: the edge treatment -> death brings the hazard 'death' of a chip (with treatment = 1)")
    assert "more than half of its cells would die within one frame of 10 min and the chip empty at once" in said
    assert "per hour" in refusal(killing(5000)[0])  # no overflow


def test_a_drug_that_empties_the_chip_before_half_of_its_movie_is_refused_and_does_empty_it(monkeypatch):
    model, line = killing(5)
    said = refusal(model)
    assert said.startswith(f"mine.yaml, line {line}: the edge treatment -> death lets a chip (with treatment = 1) lose its 29 cells within 7.5 h")
    monkeypatch.setattr(cells, "check_geometry", lambda model, cfg: None)
    history = cells.run_chip(model, worlds.section(), "s", worlds.DRUG)
    living = [int((rows["phase"] != cells.DYING).sum()) for rows in history.tumour]
    assert living[0] >= 20 and max(living[45:]) <= 1
    check_geometry(killing(3)[0], worlds.section())  # a drug that kills, and leaves some to look at


def test_a_condition_that_stops_division_no_longer_has_division_taken_off_death():
    rates = (("    per_hour: 0.06\n", "    per_hour: 0.95\n"), ("    per_hour: 0.0055", "    per_hour: 0.9"))
    stops = ("target: mitosis,     sign: \"-\", strength: 2.0", "target: mitosis,     sign: \"-\", strength: 6.0")
    harmless = (KILLS[0], KILLS[1].format(0))
    model, line = changed("drug_only", *rates, harmless, stops)
    assert f"mine.yaml, line {line}: the edge treatment -> mitosis lets a chip (with treatment = 1) lose its 29 cells" in refusal(model)
    check_geometry(model.without(("treatment", "mitosis")), worlds.section())


def test_a_condition_that_makes_all_cells_divide_at_once_is_refused():
    model, line = changed("drug_only", ("target: mitosis,     sign: \"-\", strength: 2.0", "target: mitosis,     sign: \"+\", strength: 6.0"))
    said = refusal(model)
    assert said.startswith(f"mine.yaml, line {line}: the edge treatment -> mitosis brings the hazard 'mitosis'")
    assert "would divide within one frame of 10 min and the chip overfill at once" in said


def test_the_conditions_of_the_chip_count_where_they_are_known():
    model, _ = killing(5)
    check_geometry(model, worlds.section(conditions=worlds.PLAIN))
    assert "treatment = 1" in refusal(model, conditions=worlds.DRUG)
    check_geometry(killing(1.5)[0], worlds.section())
    assert "(with treatment = 4)" in refusal(killing(1.5)[0], conditions={"treatment": 4, "CAF_presence": 0})


def test_two_conditions_together_can_empty_a_chip_and_the_stronger_is_named():
    protects = ("CAF_presence,  target: death,       sign: \"-\", strength: 1.8", "CAF_presence,  target: death,       sign: \"+\", strength: 2.0")
    drug = ("treatment,     target: death,       sign: \"+\", strength: 1.2", "treatment,     target: death,       sign: \"+\", strength: 2.5")
    model, line = changed("caf_protects", protects, drug)
    assert f"line {line}: the edge treatment -> death lets a chip (with treatment = 1, CAF_presence = 1)" in refusal(model)
    for alone in (("treatment", "death"), ("CAF_presence", "death")):
        check_geometry(model.without(alone), worlds.section())


def test_a_dose_counts_at_its_time_and_as_the_exposures_say():
    model, line = changed("drug_pulse", ("strength: 2.2, lag_min: 60", "strength: 22, lag_min: 60"))
    assert f"line {line}: the edge drug -> death brings the hazard 'death' of a chip to" in refusal(model)
    check_geometry(model, worlds.section(exposures=[]))
    check_geometry(model, worlds.section(n_frames=24))  # 230 min: the pulse at 180 min acts from 240 on
    assert "drug -> death" in refusal(model, n_frames=26)
    late = [{"variable": "drug", "start_min": 800, "end_min": 900, "dose": 1.0}]
    assert "drug -> death" in refusal(model, exposures=late)
    mild, _ = changed("drug_pulse", ("strength: 2.2, lag_min: 60", "strength: 10, lag_min: 60"))
    assert "would die within one frame" in refusal(mild, exposures=late)
    milder, _ = changed("drug_pulse", ("strength: 2.2, lag_min: 60", "strength: 8.5, lag_min: 60"))
    check_geometry(milder, worlds.section(exposures=late))  # only after the half
    assert "before half of its movie" in refusal(milder, exposures=[{**late[0], "start_min": 0}])


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_models_live_at_all_difficulties_and_sizes(name):
    model = worlds.model(name)
    models = [model, *(model.named(f"{name}_minus_{edge.name}") for edge in model.edges)]
    defaults = worlds.section()
    for level in (None, *LEVELS):
        for n_frames, side in ((60, 256), (90, 256), (200, 512), (600, 512), (1800, 512)):
            cfg = {**defaults, "n_frames": n_frames, "height": side, "width": side, **(ladder(level) if level else {})}
            for one in models:
                check_geometry(one, cfg)


def test_a_chip_without_cells_has_none_to_lose_and_numbers_beyond_floats_do_no_harm():
    check_geometry(killing(5)[0], worlds.section(tumour_density_mm2=0))
    check_geometry(worlds.model("full"), worlds.section(n_frames=100_000, frame_interval_min=60, conditions=worlds.PLAIN))
