"""The design: units at each level, holes, confounding, and what so few chips can decide."""

from itertools import permutations

import numpy as np
import pytest

from cytocause.assemble import assemble_table, design, smallest_p
from cytocause.assemble.design import arrangements
from tests.assemble.worlds import CAF, TREATMENT, chips, config


def row(name, treatment, caf, **levels):
    counts = {"trajectories": 10, "rows": 100, "death": 2, "division": 3}
    return {"sample": name, "conditions": {"treatment": treatment, "CAF_presence": caf}, "levels": levels, **counts}


def factorial(n=2, **levels):
    return [row(f"t{t}c{c}n{k}", t, c, **levels) for t in (0, 1) for c in (0, 1) for k in range(n)]


def by_name(entries):
    return {entry["name"]: entry for entry in entries}


def test_eight_chips_cannot_decide_a_condition_of_a_two_by_two_design():
    found = design(factorial(2), [TREATMENT, CAF])
    caf = by_name(found["conditions"])["CAF_presence"]
    assert caf["arrangements"] == 36 and caf["smallest_p"] == pytest.approx(2 / 36)
    assert caf["undecidable"] and [u["condition"] for u in found["undecidable"]] == ["treatment", "CAF_presence"]
    assert "no permutation test can give p below 0.0556" in found["undecidable"][0]["detail"]
    assert caf["effective_units"] == 8 and caf["permuted_unit"] == "sample"


def test_the_reference_need_not_be_listed_first():
    dose = {"name": "treatment", "kind": "ordered", "reference": "mid", "levels": ["low", "mid", "high"]}
    rows = [row(f"{level}{k}", level, 0) for level, n in (("low", 1), ("mid", 4), ("high", 3)) for k in range(n)]
    assert by_name(design(rows, [dose])["conditions"])["treatment"]["effective_units"] == 4 * 4 * 4 / 8


def test_twelve_chips_can():
    found = design(factorial(3), [TREATMENT, CAF])
    assert by_name(found["conditions"])["treatment"]["smallest_p"] == 2 / 400 and found["undecidable"] == []


def test_smallest_p_equals_enumeration_in_a_balanced_design():
    """The most extreme difference of stratum means, counted over all ways to permute within strata."""
    values = np.array([0.0, 1, 10, 11, 3, 4, 20, 21])  # two strata of four, the treated far above
    treated = np.array([0, 0, 1, 1, 0, 0, 1, 1], bool)
    def statistic(assignment):
        return sum(values[s][assignment[s]].mean() - values[s][~assignment[s]].mean() for s in (slice(0, 4), slice(4, 8)))
    one = sorted(set(permutations(treated[:4])))
    all_ways = [statistic(np.array([*a, *b], bool)) for a in one for b in one]
    p = np.mean(np.abs(all_ways) >= abs(statistic(treated)) - 1e-9)
    assert p == pytest.approx(smallest_p([[2, 2], [2, 2]])) and len(all_ways) == arrangements([[2, 2], [2, 2]])


def test_one_chip_per_value_decides_nothing():
    assert smallest_p([[1, 1]]) == 1.0 and smallest_p([[3, 0]]) == 1.0
    assert smallest_p([[1, 1, 1]]) == pytest.approx(2 / 6)


def test_regions_of_one_chip_are_one_unit():
    samples = [row(f"s{t}{k}{r}", t, 0, chip=f"chip{t}{k}", position="1", region=str(r)) for t in (0, 1) for k in (0, 1) for r in (0, 1, 2)]
    found = design(samples, [TREATMENT])
    treatment = found["conditions"][0]
    assert found["chip_level"] == "chip" and treatment["permuted_unit"] == "chip" and treatment["arrangements"] == 6
    units = treatment["values"][1]["units"]
    assert (units["chip"], units["region"], units["sample"], units["cell"], units["date"]) == (2, 6, 6, 60, None)


def test_a_condition_that_varies_inside_a_chip_is_compared_between_samples():
    samples = [row(f"s{t}{k}", t, 0, chip=f"chip{k}") for t in (0, 1) for k in (0, 1)]
    assert design(samples, [TREATMENT])["conditions"][0]["permuted_unit"] == "sample"


def test_chips_of_different_dates_may_share_a_name():
    samples = [row(f"s{d}{t}", t, 0, date=d, chip=f"chip{t}") for d in ("mon", "tue") for t in (0, 1)]
    assert design(samples, [TREATMENT])["levels"]["chip"] == 4


def test_empty_cells_of_the_design_are_named():
    samples = [s for s in factorial(2) if s["conditions"] != {"treatment": 1, "CAF_presence": 1}]
    found = design(samples, [TREATMENT, CAF])
    assert found["empty_cells"] == [{"treatment": 1, "CAF_presence": 1}]
    full = [cell for cell in found["cells"] if cell["chips"]]
    assert len(found["cells"]) == 4 and all(cell["chips"] == 2 and cell["death"] == 4 for cell in full)


def test_a_treatment_per_date_is_confounded():
    samples = [row(f"s{t}{k}", t, k % 2, date=f"day{t}", donor="d") for t in (0, 1) for k in range(4)]
    found = design(samples, [TREATMENT, CAF])["confounded"]
    assert [(f["condition"], f["level"], f["kind"]) for f in found] == [("treatment", "date", "full")]
    partly = [row("a", 0, 0, date="mon"), row("b", 1, 0, date="mon"), row("c", 0, 0, date="tue")]
    found = design(partly, [TREATMENT])["confounded"]
    assert [(f["level"], f["kind"]) for f in found] == [("date", "partial")] and "tue has not all values" in found[0]["detail"]


def halves(place):
    """Four chips with two positions each; place(chip, position) -> value of the treatment."""
    names = [(f"chip{c}", f"pos{p}") for c in range(4) for p in (1, 2)]
    return [row(f"{c}{p}", place(c, p), 0, chip=c, position=p) for c, p in names]


def confounded(samples):
    return [(f["level"], f["kind"]) for f in design(samples, [TREATMENT])["confounded"]]


def test_a_condition_of_one_half_of_each_chip_cannot_be_told_from_the_half():
    samples = halves(lambda chip, position: int(position == "pos2"))
    assert confounded(samples) == [("position", "full")]
    assert "Every position has one value of treatment on all chips" in design(samples, [TREATMENT])["confounded"][0]["detail"]
    turned = halves(lambda chip, position: int((position == "pos2") == (chip in ("chip0", "chip1"))))
    assert confounded(turned) == []
    only_here = [s | {"levels": {"chip": s["levels"]["chip"], "position": s["sample"]}} for s in samples]  # numbers of the stage, no places
    assert confounded(only_here) == []


def test_a_condition_of_whole_chips_is_confounded_with_no_chip_and_a_mixed_one_is_unbalanced():
    assert confounded(halves(lambda chip, position: int(chip in ("chip0", "chip1")))) == []
    mixed = halves(lambda chip, position: int(chip == "chip0" or (chip == "chip1" and position == "pos1")))
    assert confounded(mixed) == [("chip", "partial")]
    assert "chip chip0, chip2, chip3 has not all values" in design(mixed, [TREATMENT])["confounded"][0]["detail"]


def test_what_is_left_within_dates():
    """CAF on one of two dates only: over all chips it looks decidable, within the date it is not."""
    mon = [row(f"m{k}", 0, k % 2, date="mon") for k in range(4)]
    tue = [row(f"t{k}", 0, 0, date="tue") for k in range(6)]
    caf = by_name(design(mon + tue, [TREATMENT, CAF])["conditions"])["CAF_presence"]
    assert caf["arrangements"] == 45 and not caf["undecidable"]
    assert caf["within"] == {"date": {"arrangements": 6, "smallest_p": pytest.approx(1 / 3)}}
    details = [c["detail"] for c in design(mon + tue, [TREATMENT, CAF])["confounded"]]
    assert "Within dates alone, no permutation test can give p below 0.333." in details[0]


def test_two_conditions_that_never_vary_apart_are_confounded():
    samples = [row(f"s{t}{k}", t, t) for t in (0, 1) for k in (0, 1)]
    found = design(samples, [TREATMENT, CAF])["confounded"]
    assert found[0]["with"] == "CAF_presence" and "never vary apart" in found[0]["detail"]


def test_an_ordered_condition_keeps_all_its_levels_in_the_design():
    dose = {"name": "treatment", "kind": "ordered", "reference": 0, "levels": [0, 1, 10]}
    found = design([row("a", 0, 0), row("b", 10, 0)], [dose])
    assert [v["value"] for v in found["conditions"][0]["values"]] == [0, 1, 10]
    assert found["empty_cells"] == [{"treatment": 1}]


def test_the_table_and_its_design_count_the_same():
    table, _, found = assemble_table(chips(), config(conditions=[TREATMENT, CAF]))
    assert found["rows"] == len(table) == sum(s["rows"] for s in found["samples"])
    assert found["trajectories"] == table["trajectory"].nunique() and found["chip_level"] == "chip"
    assert found["events"]["death"] == table.groupby("trajectory")["death"].max().sum()
    treated = by_name(found["conditions"])["treatment"]["values"][1]
    assert treated["death"] == found["events"]["death"] and treated["units"]["chip"] == 4


def test_no_samples_and_no_conditions():
    found = design([], [TREATMENT])
    assert found["conditions"][0]["undecidable"] and found["cells"] == []
    assert design(factorial(1), [])["conditions"] == []
