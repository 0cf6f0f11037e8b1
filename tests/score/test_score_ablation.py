"""The ablation chain: what a step gains, its interval over chips, and the truth in the form of given tables."""

import json
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cytocause.report.ablation import picture
from cytocause.score import ablation, given_truth, rows_of_ablation, without_samples
from cytocause.score.chain import LEVELS
from cytocause.score.jackknife import jackknife_interval


def graph(hits):
    """A graph with so many of ten edges and no false one: F1 = 2 hits / (hits + 10)."""
    return {"skeleton": {"tp": hits, "fp": 0, "fn": 10 - hits}, "lag": {"tp": 0, "fp": 0, "fn": 0}}


CHAIN = dict(zip(LEVELS, map(graph, (5, 6, 6, 8, 9))))


def f1(hits):
    return 2 * hits / (hits + 10)


def test_a_step_gains_what_its_stage_had_lost():
    chain = ablation(CHAIN)
    gains = {step["to"]: step["infer.skeleton_f1"]["gain"] for step in chain["steps"][:-1]}
    assert gains == pytest.approx({"masks": f1(6) - f1(5), "tracks": 0.0, "fates": f1(8) - f1(6), "variables": f1(9) - f1(8)})
    assert [step["stage"] for step in chain["steps"]] == ["segment", "track", "fate", "measure", "all"]
    whole = chain["steps"][-1]
    assert (whole["from"], whole["to"]) == ("found", "variables") and whole["infer.skeleton_f1"]["gain"] == pytest.approx(sum(gains.values()))
    assert [values["level"] for values in chain["levels"]] == list(LEVELS) and chain["levels"][1]["infer.skeleton_precision"] == 1.0
    assert whole["infer.lag_f1"]["gain"] is None and whole["infer.skeleton_f1"]["low"] is None and "no intervals" in chain["note"]
    json.dumps(chain, allow_nan=False)
    assert "rows" not in chain["note"] and "at most 4,000 rows" in ablation(CHAIN, max_rows=4000)["note"]


def test_intervals_pair_the_chips_of_both_sides():
    # every graph loses the same edges without a chip: the difference is steady although both figures are not
    hits = (4, 5, 6, 7)
    steady = {level: [graph(h) for h in hits] for level in LEVELS}
    step = ablation(CHAIN, steady)["steps"][0]["infer.skeleton_f1"]
    assert step["low"] == pytest.approx(step["gain"]) == step["high"]
    apart = {**steady, "found": [graph(h) for h in reversed(hits)]}
    step = ablation(CHAIN, apart)["steps"][0]["infer.skeleton_f1"]
    without = [f1(a) - f1(b) for a, b in zip(hits, reversed(hits))]
    assert [step["low"], step["high"]] == pytest.approx(jackknife_interval(step["gain"], without)) and step["low"] < step["gain"] < step["high"]


def test_the_jackknife_of_a_mean_is_the_t_interval():
    values = np.array([1.0, 4.0, 2.0, 9.0, 5.0])
    without = [float(np.delete(values, k).mean()) for k in range(len(values))]
    expected = stats.t.interval(0.95, len(values) - 1, values.mean(), stats.sem(values))
    assert jackknife_interval(float(values.mean()), without) == pytest.approx(expected)
    assert jackknife_interval(1.0, without[:2]) is None and jackknife_interval(None, without) is None
    assert jackknife_interval(1.0, [*without, None]) is None


def test_the_rows_hold_each_level_and_the_whole_chain():
    rows = pd.DataFrame(rows_of_ablation(ablation(CHAIN)))
    f1s = rows[rows["score"] == "infer.skeleton_f1"].set_index("level")
    assert list(f1s.index) == [*LEVELS, "all"]
    assert f1s.loc["all", "gain"] == pytest.approx(f1(9) - f1(5)) and np.isnan(f1s.loc["found", "gain"])
    from cytocause.io import describe

    assert [name for name in rows.columns if describe(name) is None] == []


def test_the_picture_is_an_svg_file_of_its_own():
    wide = {level: [graph(h) for h in (1, 9, 2, 10)] for level in LEVELS}
    text = picture(ablation(CHAIN, {**wide, "found": wide["found"][::-1]}, max_rows=4000))
    assert "assemble.max_rows" in text and "leaving out" in text
    root = ET.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg" and "<style>" in text and "<script" not in text
    said = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"true masks", "true variables", "whole chain", "as found", "no value"} <= set(said)
    width = float(root.get("width"))
    for node in root.iter():
        for name in ("x1", "x2", "cx"):
            assert 0 <= float(node.get(name, 0)) <= width


def test_the_truth_is_given_without_what_no_measurement_could_hold():
    both = {"sample": ["s"] * 4, "population": ["tumour", "tumour", "immune", "tumour"], "track_id": [1, 2, 1, 7]}
    truth = {
        "tracks": pd.DataFrame(both).iloc[:3].assign(frame=0, label=1),
        "events": pd.DataFrame(both).assign(event="death", frame=0),
        "variables": pd.DataFrame(both).assign(frame=0, area_um2=1.0, n_immune_r1=0.0, hazard_death_per_h=0.1, age_min=3.0, phase="interphase"),
    }
    given = given_truth(truth, "tumour")
    assert given["tracks"]["track_id"].tolist() == [1, 2]
    assert given["events"]["track_id"].tolist() == [1, 2]  # cell 7 was never seen
    assert list(given["cells"].columns) == ["sample", "population", "track_id", "frame", "area_um2", "n_immune_r1"]


def test_a_chip_is_left_out_by_its_samples():
    table = pd.DataFrame({"trajectory": ["a:1", "a:2", "a:b:1", "c:1"], "x": range(4)})
    assert without_samples(table, ["a"])["x"].tolist() == [2, 3]
    assert without_samples(table, ["a:b", "c"])["x"].tolist() == [0, 1]
