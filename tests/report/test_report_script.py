"""The report's script: the files of a finished run in, one page out."""

import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from tests.report import experiment

ROOT = Path(__file__).parents[2]


class Inputs(dict):
    """Named inputs, as Snakemake gives them."""

    def __getattr__(self, name):
        return self[name]


@pytest.fixture
def job(tmp_path):
    """Results of the made-up experiment; chip8 has neither pixels nor masks."""
    from cytocause.io import write_json, write_table

    data, results = experiment.data(), tmp_path / "results"
    for folder in ("assemble", "infer"):
        (results / folder).mkdir(parents=True)
    inputs = Inputs({k: [] for k in ("meta", "qc", "counts", "segment", "tracks", "events", "films", "stills", "status", "scorecard")})

    def put(name, path, write):
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path)
        if isinstance(inputs.get(name), list):
            inputs[name].append(str(path))
        else:
            inputs[name] = str(path)

    for name, file in (("table", "assemble/table.parquet"), ("variables", "assemble/variables.tsv"), ("failed", "failed_samples.tsv"), ("edges", "infer/edges.tsv")):
        put(name, results / file, lambda p, name=name: write_table(data[name], p))
    for name, key, file in (("design", "design", "assemble/design.json"), ("json", "graph", "infer/graph.json"), ("run", "run", "infer/run.json")):
        put(name, results / file, lambda p, key=key: write_json(data[key], p))
    for sample, meta in data["meta"].items():
        put("meta", results / "samples" / sample / "movie.json", lambda p, meta=meta: write_json(meta, p))
        put("qc", results / "samples" / sample / "prepare" / "qc.tsv", lambda p, s=sample: write_table(data["qc"][s], p))
    for (sample, population), events in data["events"].items():
        place = results / "samples" / sample / population
        put("events", place / "events.parquet", lambda p, e=events: write_table(e, p))
        tracks = data["table"][["time_step"]].head(5).rename(columns={"time_step": "track_id"})
        put("tracks", place / "tracks.parquet", lambda p, t=tracks: write_table(t, p))
        if sample == "chip8":
            continue
        key = (sample, population)
        put("counts", place / "segment.tsv", lambda p, k=key: write_table(data["counts"][k], p))
        put("segment", place / "segment.json", lambda p, k=key: write_json(data["segment"][k], p))
        put("films", place / "overlay.mp4", lambda p, k=key: p.write_bytes(data["films"][k][1]()))
        put("stills", place / "overlay.png", lambda p, k=key: p.write_bytes(data["stills"][k]))
    put("status", results / "samples" / "chip2" / "status" / "prepare.json", lambda p: p.write_text(json.dumps(data["status"][0])))
    return SimpleNamespace(
        input=inputs, output=[str(results / "report.html")], params=SimpleNamespace(cfg=data["cfg"]), wildcards=None, rule="report", threads=1, log=[]
    )  # fmt: skip


def test_the_page_is_written_from_the_files_of_a_run(job):
    runpy.run_path(str(ROOT / "scripts" / "report.py"), init_globals={"snakemake": job})
    page = Path(job.output[0]).read_text(encoding="utf-8")
    assert page.count("<article") == 10 and page.count("<video") == 8
    assert "chip8" in page and "samples/chip6/tumour/overlay.mp4" in page and "samples/chip8/tumour/overlay.mp4" not in page
    assert "immune: a sudden change in frame 7." in page
    assert "Eight chips cannot decide a CAF_presence effect (smallest attainable p 0.056)." in page
    assert page.rstrip().endswith("</html>")


def test_the_defaults_of_the_schema_are_what_the_page_reads():
    schema = yaml.safe_load((ROOT / "workflow" / "schemas" / "report.schema.yaml").read_text(encoding="utf-8"))
    given = {k: v["default"] for k, v in schema["properties"].items()}
    assert set(experiment.DEFAULTS) == set(given) - {"overlay"}
    assert all("description" in entry for entry in schema["properties"].values())
