"""A treatment that comes and goes, from its sheet to the graph: exposures.tsv > assemble > infer, as the workflow calls them."""

import logging
import runpy
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cytocause.io import empty_table, read_json, read_table, write_json, write_table
from cytocause.io.settings import check_config, load_schema
from cytocause.io.sheets import read_experiment
from tests.workflow.lab import ROOT

FRAMES, CELLS = 60, 4
ON = {"a": [(0, 150), (300, 400)], "b": [(50, 250), (480, 600)], "c": [(120, 180), (350, 520)], "d": [(220, 330)]}  # min
CONFIG = {
    "samples": "samples.tsv",
    "exposures": "exposures.tsv",
    "conditions": [{"name": "drug", "kind": "binary", "reference": 0}],
    "segment": {"populations": [{"name": "tumour"}]},
    "assemble": {"variables": ["area_um2", "eccentricity"], "time_step": 1},
    "infer": {"n_layers": 3, "delta_t": 1},
}


class Named(dict):
    """Named files as Snakemake gives them: by attribute and by key."""

    __getattr__ = dict.__getitem__


@pytest.fixture
def logger():
    """The workflow's logger, left as it was."""
    logger = logging.getLogger("cytocause")
    yield logger
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
    logger.propagate = True


def dose(sample, frame):
    return 5.0 * any(start <= 10 * frame < end for start, end in ON[sample])


def cells_of(sample, seed):
    """Cells whose area follows the dose one frame later; eccentricity follows nothing."""
    rng = np.random.default_rng(seed)
    rows = []
    for track in range(1, CELLS + 1):
        for frame in range(FRAMES):
            area = 100 + 8 * dose(sample, frame - 1) + rng.normal(0, 4)
            rows.append({"track_id": track, "frame": frame, "area_um2": area, "eccentricity": rng.random()})
    table = pd.DataFrame(rows)
    table = table.assign(sample=sample, population="tumour", cell_type="tumour", label=1, border=False, time_min=table["frame"] * 10.0)
    return table.reindex(columns=empty_table("cells").columns, fill_value=1.0).astype({"frame": "int32", "label": "int32"})


@pytest.fixture
def graph(tmp_path, monkeypatch, logger):
    """(table, variables, graph.json) of four samples whose exposures are on at other times."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cells.csv").write_text("track_id\n")
    (tmp_path / "samples.tsv").write_text("sample\tcells\tdrug\n" + "".join(f"{s}\tcells.csv\t{int(s in 'bd')}\n" for s in ON))
    rows = [f"{s}\ttnf\t{start}\t{end}\t5\tng/ml" for s, spans in ON.items() for start, end in spans]
    (tmp_path / "exposures.tsv").write_text("\n".join(["sample\tvariable\tstart_min\tend_min\tdose\tunit", *rows]) + "\n")
    schemas = ROOT / "workflow" / "schemas"
    config = check_config(CONFIG, load_schema(schemas), "config.yaml")
    samples, exposures = read_experiment(config, schemas)
    files = {key: [] for key in ("cells", "tracks", "events", "meta", "status")}

    def put(key, name, what):
        files[key].append(str(tmp_path / name))
        (write_json if name.endswith("json") else write_table)(what, tmp_path / name)

    for k, s in enumerate(ON):
        cells = cells_of(s, k)
        put("cells", f"{s}.cells.parquet", cells)
        put("tracks", f"{s}.tracks.parquet", cells.assign(parent_id=np.int64(0), source="auto")[list(empty_table("tracks").columns)])
        put("events", f"{s}.events.parquet", empty_table("events"))
        put("meta", f"{s}.json", {
            "unit": "um", "frames": list(range(FRAMES)), "time_min": [10.0 * f for f in range(FRAMES)], "frame_interval_min": 10, "drift_px": [],
        })  # fmt: skip
        put("status", f"{s}.fate.json", {"sample": s, "population": "tumour", "ok": True, "reason": None, "failed_at": None, "todo": None})
    described = [{key: record[key] for key in ("sample", "conditions", "levels")} for record in samples]
    cfg = {"populations": ["tumour"], "samples": described, "conditions": config["conditions"], "exposures": exposures}
    between = Named(table="table.parquet", variables="variables.tsv", design="design.json")
    job = SimpleNamespace(
        input=Named(files), output=Named(between, failed="failed.tsv"), params=SimpleNamespace(cfg={**config["assemble"], **cfg}),
        threads=1, log=["assemble.log"],
    )  # fmt: skip
    runpy.run_path(str(ROOT / "scripts" / "assemble.py"))["main"](job)
    names = {"edges": "edges.tsv", "raw": "raw.tsv", "triples": "triples.tsv", "graphml": "graph.graphml", "json": "graph.json", "run": "run.json"}
    job = SimpleNamespace(input=between, output=Named(names), params=SimpleNamespace(cfg=config["infer"]), threads=1, log=["infer.log"])
    runpy.run_path(str(ROOT / "scripts" / "infer.py"), init_globals={"snakemake": job})
    return read_table("table.parquet"), read_table("variables.tsv"), read_json("graph.json")


def test_an_exposure_is_exogenous_from_its_sheet_to_the_graph(graph):
    table, variables, found = graph
    frame = table["time_step"] - table.groupby("trajectory")["time_step"].transform("min")
    np.testing.assert_array_equal(table["tnf"], [dose(s, f) for s, f in zip(table["sample"], frame)])
    row = variables.set_index("name").loc["tnf"]
    assert (row["role"], row["unit"]) == ("exogenous", "ng/ml")
    assert {node["name"]: node["role"] for node in found["nodes"]} == {
        "drug": "contextual", "tnf": "exogenous", "area_um2": "dynamic", "eccentricity": "dynamic",
    }  # fmt: skip
    of_tnf = [edge for edge in found["edges"] if "tnf" in (edge["source"], edge["target"])]
    assert ("tnf", "area_um2", 1) in [(e["source"], e["target"], e["lag_steps"]) for e in of_tnf]
    for edge in of_tnf:  # nothing enters it, its own past neither
        assert edge["source"] == "tnf" and edge["target"] != "tnf"
        assert edge["mark_source"] == "tail" and edge["mark_target"] == "arrow"
