"""Write the report page: unpack, call, write.

input   table, variables, design, failed                    of assemble
        edges, json, run                                    of infer
        meta, qc                                            one per sample: results/samples/{sample}/...
        counts, segment, tracks, events, films, stills      one per sample and population: .../{sample}/{population}/...; some
                                                            samples may lack them
        status                                              all status files
        scorecard                                           of score, may be empty
params  cfg: section report + {"samples": [{"sample", "conditions": {}, "levels": {}}], "populations": [names],
        "conditions": [{name, kind, reference, levels}], "config": {the whole checked config}}
output  report (html)
"""

import platform
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import cytocause
from cytocause.io import atomic_path, read_json, read_table
from cytocause.io.stage import limit_threads, start_log
from cytocause.report.page import build

PACKAGES = (
    *("numpy", "scipy", "pandas", "numba", "scikit-image", "tifffile", "cellpose", "torch", "trackpy", "pyarrow"),
    *("networkx", "geff", "snakemake", "imageio-ffmpeg", "Jinja2", "pillow"),
)


def paths_of(inputs, name):
    value = inputs.get(name, [])
    return [Path(p) for p in ([value] if isinstance(value, str) else list(value))]


def per_sample(paths, read, folder=None):
    """{sample: contents}; the sample is the folder above the file (or above `folder`)."""
    return {(p.parent.parent if folder else p.parent).name: read(p) for p in paths}


def per_population(paths, read):
    """{(sample, population): contents} of .../{sample}/{population}/file."""
    return {(p.parent.parent.name, p.parent.name): read(p) for p in paths}


def versions():
    found = {"cytocause": cytocause.__version__, "Python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def gather(snakemake):
    inputs = snakemake.input
    one = {name: paths_of(inputs, name)[0] for name in ("table", "variables", "design", "failed", "edges", "json", "run")}
    card = paths_of(inputs, "scorecard")
    return {
        "cfg": snakemake.params.cfg,
        **{name: read_table(one[name]) for name in ("table", "variables", "failed", "edges")},
        "design": read_json(one["design"]),
        "graph": read_json(one["json"]),
        "run": read_json(one["run"]),
        "meta": per_sample(paths_of(inputs, "meta"), read_json),
        "qc": per_sample(paths_of(inputs, "qc"), read_table, folder="prepare"),
        "counts": per_population(paths_of(inputs, "counts"), read_table),
        "segment": per_population(paths_of(inputs, "segment"), read_json),
        "events": per_population(paths_of(inputs, "events"), lambda p: read_table(p, columns=["event", "time_min"])),
        "tracks": per_population(
            paths_of(inputs, "tracks"), lambda p: int(read_table(p, columns=["track_id"])["track_id"].nunique())
        ),
        "stills": per_population(paths_of(inputs, "stills"), Path.read_bytes),
        "films": per_population(paths_of(inputs, "films"), lambda p: (p.stat().st_size, p.read_bytes)),
        "status": [read_json(p) for p in paths_of(inputs, "status")],
        "scorecard": read_json(card[0]) if card else None,
        "versions": versions(),
        "written": time.strftime("%Y-%m-%d %H:%M %Z"),
    }


def main(snakemake):
    start_log(snakemake)
    limit_threads(snakemake.threads)
    with atomic_path(snakemake.output[0]) as temporary:
        temporary.write_text(build(gather(snakemake)), encoding="utf-8")


if "snakemake" in globals():
    main(snakemake)  # noqa: F821
