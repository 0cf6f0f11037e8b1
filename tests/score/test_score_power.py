"""Power: what is found, absent or undecidable, and how worlds become experiments and a figure."""

import json
import runpy
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import binom, poisson

from cytocause.io import read_json, read_table
from cytocause.io.dictionary import describe
from cytocause.score.power import draw_power, experiments, status, world_of
from tests.workflow.lab import ROOT

CFG = {"lag_tolerance_layers": 1}
TRUTH = {
    "conditions": ["drug", "CAF"],
    "variables": ["drug", "CAF", "speed", "death", "contact", "fitness"],
    "definitional": [["death", "speed"]],
    "frame_interval_min": 10.0,
    "scored_edges": [
        {"source": "drug", "target": "death", "lag_min": None},
        {"source": "CAF", "target": "speed", "lag_min": None},
        {"source": "contact", "target": "death", "lag_min": 30.0},
        {"source": "fitness", "target": "death", "lag_min": 0.0},
    ],
}
COLUMNS = {"drug", "CAF", "speed", "death", "contact"}


def found(*pairs):
    nodes = [{"name": name, "role": "contextual" if name in ("drug", "CAF") else "dynamic"} for name in COLUMNS]
    return {"nodes": nodes, "edges": [{"source": a, "target": b, "lag_min": None} for a, b in pairs]}


def world(graph, p, **place):
    here = {"chips": 8, "cells": 10, "hours": 8, "interval_min": 10, "seed": 1, "rows": 100, "trajectories": 40, **place}
    return {**here, **world_of(TRUTH, graph, COLUMNS, {"drug": p, "CAF": p}, 0.05, CFG)}


@pytest.mark.parametrize(
    ("source", "p", "joined", "expected"),
    [
        ("drug", 0.01, True, "found"),
        ("drug", 0.05, False, "absent"),
        ("drug", 0.5, False, "undecidable"),
        ("drug", 0.5, True, "undecidable"),  # whatever the graph says
        ("contact", 0.5, False, "absent"),  # no condition: cells of one chip can decide it
        ("contact", 0.5, True, "found"),
    ],
)
def test_an_edge_is_found_absent_or_undecidable(source, p, joined, expected):
    edge = {"source": source, "target": "death"}
    assert status(edge, {frozenset((source, "death"))} if joined else set(), {"drug": p}, 0.05) == expected


def test_a_world_lists_the_edges_between_columns_and_counts_what_is_false():
    graph = found(("drug", "death"), ("speed", "contact"), ("death", "speed"), ("CAF", "contact"))
    made = world_of(TRUTH, graph, COLUMNS, {"drug": 0.01, "CAF": 0.5}, 0.05, CFG)
    assert [(e["source"], e["status"], e["joined"]) for e in made["edges"]] == [
        ("drug", "found", True), ("CAF", "undecidable", False), ("contact", "absent", False),
    ]  # fmt: skip
    # speed - contact and CAF - contact; death - speed is definitional
    assert made["false"] == {"total": 2, "condition_to_x": 1, "contact_to_fate": 0, "lag_0": 0, "same_cell": 1}


def test_worlds_become_experiments():
    both = found(("drug", "death"), ("contact", "death"))
    worlds = [
        world(both, 0.5, chips=4),
        world(both, 0.01, seed=2),
        world(found(("drug", "death"), ("CAF", "speed"), ("contact", "death"), ("drug", "contact")), 0.01, rows=200),
    ]
    table, edges = experiments(worlds[::-1])
    assert table["chips"].tolist() == [4, 8] and table["worlds"].tolist() == [1, 2]
    small, large = table.to_dict("records")
    assert small["recall"] == pytest.approx(1 / 3) and small["undecidable"] == pytest.approx(2 / 3)
    assert (large["recall_lowest"], large["recall"], large["recall_highest"]) == pytest.approx((2 / 3, 5 / 6, 1))
    assert (large["rows"], large["false_edges"], large["false_edges_highest"], large["share_with_false"]) == (150, 0.5, 1, 0.5)
    # one of two worlds has one false edge, of a condition: P(any) and the mean with their bounds, in all and by class
    for of in ("", "_condition_to_x"):
        assert (large[f"false_edges{of}"], large[f"share_with_false{of}"]) == (0.5, 0.5)
        assert binom.cdf(1, 2, large[f"share_with_false{of}_upper95"]) == pytest.approx(0.05)
        assert poisson.cdf(1, 2 * large[f"false_edges{of}_upper95"]) == pytest.approx(0.05)
    assert (large["false_edges_same_cell"], large["share_with_false_lag_0"]) == (0, 0)
    assert large["share_with_false_contact_to_fate_upper95"] == pytest.approx(1 - 0.05**0.5)
    assert small["false_edges_upper95"] == pytest.approx(-np.log(0.05))
    assert (small["cost_chip_hours"], large["cost_chip_hours"]) == (32, 64)
    drug = [e for e in edges if e["source"] == "drug"]
    assert [(e["chips"], e["found"], e["absent"], e["undecidable"], e["joined"]) for e in drug] == [(4, 0, 0, 1, 1), (8, 2, 0, 0, 2)]
    assert all(describe(name) is not None for name in table.columns)


def test_the_figure_has_a_line_for_every_kind_of_experiment():
    worlds = [world(found(("drug", "death")), 0.01, chips=chips, cells=cells, interval_min=m) for chips in (4, 8) for cells in (5, 10) for m in (5, 10)]
    figure = draw_power(experiments(worlds)[0], "toy")
    above, below = figure.axes
    labels = [text.get_text() for text in above.get_legend().get_texts()]
    assert labels == [f"{c} cells a chip, 8 h, every {m} min" for c in (5, 10) for m in (5, 10)]
    assert "toy" in above.get_title() and len(below.get_lines()) == 4


def run(script, out, cfg, **given):
    names = dict.fromkeys(("table", "json", "png", "svg")) if script == "power" else {}
    output = SimpleNamespace(**{key: str(out / f"power.{'tsv' if key == 'table' else key}") for key in names}) if names else [str(out)]
    snakemake = SimpleNamespace(
        rule=script, wildcards=SimpleNamespace(), threads=1, log=[str(out) + ".log"], input=SimpleNamespace(**given), output=output,
        params=SimpleNamespace(cfg=cfg),
    )  # fmt: skip
    runpy.run_path(str(ROOT / f"scripts/{script}.py"), init_globals={"snakemake": snakemake})


def test_the_scripts_go_from_a_model_to_table_and_figure_with_the_same_bytes(tmp_path):
    from cytocause.io.settings import check_config, load_schema

    config = check_config({}, load_schema(ROOT / "workflow/schemas"), "test")
    cfg = {"cells": 6, "hours": 4, "interval_min": 10, "seed": 1, "model": "full_minus_treatment_mitosis", "alpha": 0.05}
    sections = {"simulate": {**config["simulate"], "height": 160, "width": 160}, "infer": config["infer"], "score": config["score"]}
    worlds = []
    for chips in (4, 4, 8):
        worlds.append(tmp_path / f"{len(worlds)}.json")
        run("power_world", worlds[-1], {**cfg, **sections, "chips": chips}, model=str(ROOT / "resources/causal_models/full.yaml"))
    assert worlds[0].read_bytes() == worlds[1].read_bytes()
    first = read_json(worlds[0])
    pairs = {(e["source"], e["target"]): e["status"] for e in first["edges"]}
    assert ("treatment", "division") not in pairs and pairs["treatment", "death"] == "undecidable"
    assert first["smallest_p"] == {"treatment": 0.5, "CAF_presence": 0.5} and first["rows"] > 50
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        run("power", tmp_path / name, {"model": "full"}, worlds=[str(path) for path in worlds[1:]])
    for name in ("power.tsv", "power.json", "power.png", "power.svg"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    table = read_table(tmp_path / "a" / "power.tsv")
    assert table["chips"].tolist() == [4, 8] and table["share_with_false_contact_to_fate_upper95"].between(0.95, 1).all()
    assert json.loads((tmp_path / "a" / "power.json").read_text())["experiments"][0]["undecidable"] > 0
