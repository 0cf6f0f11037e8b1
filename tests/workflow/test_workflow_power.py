"""The target power: one job per world, none of them part of a run, and it goes on where it stopped."""

import yaml

from tests.workflow import lab

GRID = {"chips": [4, 8], "cells": [10], "hours": [8, 15.5], "interval_min": [10], "seeds": [1, 2]}


def with_power(tree, **power):
    config = yaml.safe_load((tree / lab.TINY).read_text())
    path = tree / "power.yaml"
    path.write_text(yaml.safe_dump({**config, "score": {**config.get("score", {}), "power": power}}))
    return path.name


def test_power_plans_a_job_for_every_world_and_is_no_part_of_a_run(tmp_path):
    tree = lab.copy_tree(tmp_path / "tree")
    config = with_power(tree, **GRID)
    assert lab.planned(tree, "power", configfile=config) == {"power_world": 8, "power": 1}
    assert not {"power", "power_world"} & set(lab.planned(tree, configfile=config))


def test_worlds_that_are_there_are_not_made_again(tmp_path):
    tree = lab.copy_tree(tmp_path / "tree")
    config = with_power(tree, **{**GRID, "hours": [2], "chips": [4], "cells": [4]})
    lab.run(tree, "power", configfile=config, cores=1)
    assert (tree / "results/power/power.svg").stat().st_size > 0
    assert lab.planned(tree, "power", configfile=config) == {}
    (tree / "results/power/worlds/chips4-cells4-hours2-interval10-seed2.json").unlink()  # as after an interruption
    (tree / "results/power/power.tsv").unlink()
    assert lab.planned(tree, "power", configfile=config) == {"power_world": 1, "power": 1}
    more = with_power(tree, **{**GRID, "hours": [2], "chips": [4, 8], "cells": [4]})
    assert lab.planned(tree, "power", configfile=more).get("power_world") == 3


def test_an_unknown_model_or_edge_is_refused_before_any_job(tmp_path):
    tree = lab.copy_tree(tmp_path / "tree")
    for name, words in (
        ("chop", ["config: score.power.model: no causal model 'chop'", "tumour_on_chip"]),
        ("full_minus_drug_death", ["takes away the edge 'drug_death'", "Its edges: treatment_death, treatment_mitosis"]),
    ):
        status, text = lab.dry_run(tree, "power", configfile=with_power(tree, model=name))
        assert status != 0
        for word in words:
            assert word in text
