"""The script: files in, scorecard and table out."""

import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from tests.score import world

ROOT = Path(__file__).parents[2]
CFG = {
    "iou_threshold": 0.5,
    "division_tolerance_frames": 1,
    "death_tolerance_min": 30,
    "death_tolerance_frames": 3,
    "lag_tolerance_layers": 1,
    "populations": ["tumour", "immune"],
    "bootstrap": {"resamples": 50, "seed": 1},
    "chips": {"good": "A", "bad": "B"},
}
NAMES = ("truth_labels", "truth_tracks", "truth_events", "truth_variables", "truth_graph", "meta", "labels", "tracks", "cells", "events")
EDGES = [{"source": "drug", "target": "death", "lag_frames": None, "lag_min": None}]


class Inputs(dict):
    """Named inputs, as Snakemake gives them."""

    def __getattr__(self, name):
        return self[name]


@pytest.fixture
def job(tmp_path):
    """Two samples: `good` is found as it is, `bad` has no mask of the second population."""
    from cytocause.io import write_empty_labels, write_label_channels, write_labels, write_table

    inputs = Inputs({k: [] for k in NAMES})
    for s, sample in enumerate(("good", "bad")):
        stacks = {p: world.make(seed=s + k, n_frames=6) for k, p in enumerate(CFG["populations"])}
        folder = tmp_path / sample
        folder.mkdir()
        pages = [np.stack([stacks[p][0][t] for p in CFG["populations"]]) for t in range(6)]
        write_label_channels(
            folder / "truth.ome.tif", iter(pages), channel_names=CFG["populations"], n_frames=6, height=96, width=96
        )
        tracks = pd.concat([stacks[p][1].assign(population=p) for p in CFG["populations"]])
        events = pd.DataFrame({"population": ["tumour"], "track_id": [1], "event": ["death"], "time_min": [20.0]})
        write_table(tracks, folder / "truth_tracks.parquet")
        seen = tracks[tracks["population"] == "tumour"]
        size = 50.0 + 10.0 * seen["track_id"].to_numpy()
        variables = seen[["population", "track_id", "frame"]].assign(area_um2=size, hidden=1.0)
        write_table(variables, folder / "truth_variables.parquet")
        write_table(events, folder / "truth_events.parquet")
        (folder / "graph.json").write_text(json.dumps({"scored_edges": EDGES, "conditions": ["drug"], "variables": ["drug", "death"]}))
        (folder / "movie.json").write_text(json.dumps({"frames": list(range(6)), "frame_interval_min": 10.0}))
        for name, file in (("truth_labels", "truth.ome.tif"), ("truth_tracks", "truth_tracks.parquet"), ("meta", "movie.json"), ("truth_events", "truth_events.parquet"), ("truth_variables", "truth_variables.parquet"), ("truth_graph", "graph.json")):
            inputs[name].append(str(folder / file))
        for p in CFG["populations"]:
            place = folder / p
            place.mkdir()
            missing = sample == "bad" and p == "immune"
            if missing:
                write_empty_labels(place / "labels.ome.tif")
            else:
                write_labels(place / "labels.ome.tif", iter(stacks[p][0]), n_frames=6, height=96, width=96)
            rows = stacks[p][1].iloc[: 0 if missing else None]
            write_table(rows, place / "tracks.parquet")
            write_table(rows.assign(area_um2=53.0 + 10.0 * rows["track_id"]), place / "cells.parquet")
            write_table(events[["track_id", "event", "time_min"]].iloc[: 1 if p == "tumour" else 0], place / "events.parquet")
            for name, file in (("labels", "labels.ome.tif"), ("tracks", "tracks.parquet"), ("cells", "cells.parquet"), ("events", "events.parquet")):
                inputs[name].append(str(place / file))
    graph = tmp_path / "graph_found.json"
    graph.write_text(json.dumps({"nodes": [], "edges": [{**EDGES[0], "mark_source": "tail", "mark_target": "arrow"}]}))
    inputs["json"] = str(graph)
    return SimpleNamespace(
        input=inputs,
        output=SimpleNamespace(scorecard=str(tmp_path / "card.json"), table=str(tmp_path / "card.tsv")),
        params=SimpleNamespace(cfg={**CFG, "samples": ["good", "bad"]}),
        wildcards=None,
        rule="score",
        threads=1,
        log=[],
    )


def run(job):
    runpy.run_path(str(ROOT / "scripts" / "score.py"), init_globals={"snakemake": job})
    return json.loads(Path(job.output.scorecard).read_text()), pd.read_csv(job.output.table, sep="\t")


def test_what_was_found_as_it_is_scores_one_and_what_is_missing_counts_as_missed(job):
    card, table = run(job)
    good, bad = card["samples"]["good"], card["samples"]["bad"]
    assert [good[p][k] for p in CFG["populations"] for k in ("segment.ap50", "track.lnk")] == [1.0] * 4
    assert bad["immune"]["segment.ap50"] == 0.0 and bad["immune"]["track.lnk"] == 0.0
    assert 0 < card["segment.ap50"] < 1 and card["segment.ap50_precision"] == 1.0
    assert card["fate.death_f1"] == 1.0 and card["fate.death_onset_error_min"] == 0.0
    assert card["infer.skeleton_f1"] == card["infer.condition_recall"] == 1.0
    assert card["infer.lag_f1"] is None and "no true lagged edge" in card["notes"]["infer.lag_f1"]
    assert card["fate.death_onset_bias_min"] == 0.0 and good["tumour"]["track.chota"] == card["populations"]["tumour"]["segment.seg"] == 1.0
    assert card["measure.area_um2_bias"] == pytest.approx(3.0) and 0 < card["measure.area_um2_r2"] < 1
    assert not [key for key in card if "hidden" in key or "track_id" in key]
    assert card["score.test_range"] is None and "it is not said of good, bad" == card["notes"]["score.test_range"]
    assert card["fate.phase_accuracy"] is None and "no stage writes a phase" in card["notes"]["fate.phase_accuracy"]
    low, high = card["intervals"]["segment.ap50"]
    assert low < card["segment.ap50"] < high == 1.0 and "infer.lag_f1" not in card["intervals"]
    row = table[(table["score"] == "segment.ap50") & table["sample"].isna() & table["population"].isna()].iloc[0]
    assert (row["low"], row["high"]) == pytest.approx((low, high))
    assert set(table["score"]) >= {"segment.ap50", "track.lnk", "track.division_f1", "fate.death_f1", "infer.lag_f1"}


def test_the_card_names_what_was_measured_without_a_truth_and_what_was_simulated_in_the_training_range(job):
    from cytocause.io import read_table, write_table

    for path in job.input["cells"]:
        write_table(read_table(path).assign(perimeter_um=9.0, intensity_sd_tumour=1.0), path)
    for sample, path in zip(("good", "bad"), job.input["meta"]):
        said = {"test_range": sample == "good", "training_values": [] if sample == "good" else ["seed 7"]}
        job.input.setdefault("seeds", []).append(str(Path(path).parent / "seeds.json"))
        Path(job.input["seeds"][-1]).write_text(json.dumps(said))
    card, table = run(job)
    rows = table[table["sample"].isna() & table["population"].isna()].set_index("score")
    assert card["score.test_range"] is False and rows.loc["score.test_range", "value"] == 0
    assert card["notes"]["score.test_range"] == "settings of the training range: not a test score: seed 7 (bad)"
    note = rows.loc["measure.features_without_truth", "note"]
    assert note.endswith("tumour: perimeter_um, intensity_sd_tumour; immune: all 3 features")
    assert card["measure.features_without_truth"] == 5 and rows.loc["measure.area_um2_bias", "value"] == pytest.approx(3.0)


def test_the_same_input_gives_the_same_bytes(job):
    run(job)
    first = Path(job.output.scorecard).read_bytes(), Path(job.output.table).read_bytes()
    run(job)
    assert (Path(job.output.scorecard).read_bytes(), Path(job.output.table).read_bytes()) == first


def test_every_column_of_the_table_is_in_the_data_dictionary(job):
    from cytocause.io import describe

    _, table = run(job)
    assert [name for name in table.columns if describe(name) is None] == []
