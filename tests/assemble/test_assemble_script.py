"""scripts/assemble.py on files: every output, failures listed, the same bytes twice."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cytocause.io import describe, empty_table, read_json, read_table, write_json, write_table
from tests.assemble.worlds import TREATMENT, config

SCRIPT = runpy.run_path(str(Path(__file__).parents[2] / "scripts" / "assemble.py"))


class Inputs(dict):
    """Named inputs as Snakemake gives them: by attribute and by key."""

    __getattr__ = dict.__getitem__


def cells(name, n=12):
    table = empty_table("cells")
    frame = np.arange(n, dtype=np.int32)
    values = {"sample": name, "population": "tumour", "track_id": np.int64(1), "frame": frame, "time_min": frame * 10.0}
    table = pd.DataFrame({c: values.get(c, np.arange(n) * 1.0) for c in table.columns})
    return table.assign(label=frame, border=False, cell_type="tumour")


@pytest.fixture
def job(tmp_path):
    """Three samples with one cell each; the cell of `b` dies; `c` failed at segment."""
    files = {key: [] for key in ("cells", "tracks", "events", "meta", "status")}

    def put(key, name, obj):
        path = tmp_path / name
        (write_json if name.endswith("json") else write_table)(obj, path)
        files[key].append(str(path))

    for name in "abc":
        ok = name != "c"
        table = cells(name, 12 if ok else 0)
        put("cells", f"{name}.cells.parquet", table)
        put("tracks", f"{name}.tracks.parquet", table.assign(parent_id=np.int64(0), source="auto")[list(empty_table("tracks").columns)])
        happened = pd.DataFrame({"sample": name, "track_id": [1], "event": "death", "frame": [6], "time_min": 60.0, "confidence": 0.9})
        events = happened.assign(source="auto", reason="") if name == "b" else empty_table("events")
        put("events", f"{name}.events.parquet", events)
        put("meta", f"{name}.movie.json", {"unit": "um", "frames": list(range(12)), "frame_interval_min": 10, "drift_px": []})
        state = {"sample": name, "population": "tumour", "ok": ok, "reason": None, "failed_at": None, "todo": None}
        put("status", f"{name}.fate.json", state | ({} if ok else {"reason": "No cell.", "failed_at": "segment", "todo": "Look."}))
    samples = [{"sample": name, "conditions": {"treatment": int(name == "b")}, "levels": {"chip": name}} for name in "abc"]
    return SimpleNamespace(
        input=Inputs(files),
        output=SimpleNamespace(**{k: str(tmp_path / "out" / f) for k, f in
            {"table": "table.parquet", "variables": "variables.tsv", "design": "design.json", "failed": "failed.tsv"}.items()}),
        params=SimpleNamespace(cfg=config(populations=["tumour"], conditions=[TREATMENT], variables=["death", "area_um2"], samples=samples)),
        threads=1,
        log=[str(tmp_path / "assemble.log")],
    )  # fmt: skip


def test_every_output_is_written_and_twice_the_same(job):
    SCRIPT["main"](job)
    table = read_table(job.output.table)
    assert list(table.columns) == ["trajectory", "time_step", "treatment", "death", "area_um2", "sample", "chip"]
    assert table["trajectory"].unique().tolist() == ["a:1", "b:1"]
    assert table.loc[table["sample"] == "b", "death"].sum() == 3
    failed = pd.read_csv(job.output.failed, sep="\t")
    assert failed.to_dict("records") == [
        {"sample": "c", "population": "tumour", "failed_at": "segment", "reason": "No cell.", "todo": "Look."}
    ]
    variables = pd.read_csv(job.output.variables, sep="\t", dtype=str, keep_default_na=False)
    assert list(variables.columns) == [
        *["name", "kind", "role", "levels", "n_layers", "delta_t", "mov_avg", "unit", "source", "meaning"]
    ]
    design = read_json(job.output.design)
    assert design["trajectories"] == 2 and design["conditions"][0]["smallest_p"] == 1 and design["left_out"]["failed"] == 1
    before = [Path(path).read_bytes() for path in vars(job.output).values()]
    SCRIPT["main"](job)
    assert before == [Path(path).read_bytes() for path in vars(job.output).values()]


def test_no_failure_is_a_table_with_a_header_only(job):
    state = read_json(job.input["status"][2])
    write_json(state | {"ok": True}, job.input["status"][2])
    SCRIPT["main"](job)
    assert Path(job.output.failed).read_text() == "sample\tpopulation\tfailed_at\treason\ttodo\n"


def test_every_column_of_the_table_that_is_no_condition_is_in_the_data_dictionary(job):
    SCRIPT["main"](job)
    for name in set(read_table(job.output.table).columns) - {"treatment"}:
        assert describe(name) is not None, name


def test_what_stops_the_experiment_is_said_in_the_log(job):
    job.params.cfg["variables"] = ["death", "roundness"]
    with pytest.raises(SystemExit):
        SCRIPT["main"](job)
    said = Path(job.log[0]).read_text()
    assert "names the column roundness, which no cells.parquet of tumour has; sample a has sample, population" in said
