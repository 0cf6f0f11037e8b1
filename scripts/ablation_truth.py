"""The truth of one population of a simulated sample, as files that a sheet could give: unpack, call, write.

input   labels, tracks, events, variables (of simulate), status      params  cfg: {"sample", "population"}
output  labels, tracks, events, cells, status
"""

from cytocause.io import (
    empty_table,
    open_labels,
    progress,
    read_table,
    run_stage,
    write_empty_labels,
    write_labels,
    write_table,
)
from cytocause.score import given_truth


def work(snakemake):
    cfg, out = snakemake.params.cfg, snakemake.output
    tables = given_truth({name: read_table(snakemake.input[name]) for name in ("tracks", "events", "variables")}, cfg["population"])
    for name, table in tables.items():
        write_table(table, out[name])
    with open_labels(snakemake.input.labels, channel=cfg["population"]) as stack:
        pages = (stack.frame(page) for page in progress(range(stack.n_frames), stack.n_frames, "masks"))
        size = {"n_frames": stack.n_frames, "height": stack.height, "width": stack.width}
        highest = int(tables["tracks"]["label"].max()) if len(tables["tracks"]) else 0
        write_labels(out.labels, pages, dtype="uint16" if highest < 2**16 else "uint32", **size)
    return {"tracks": int(tables["tracks"]["track_id"].nunique()), "events": len(tables["events"]), "variables": len(tables["cells"])}


def empty(snakemake):
    write_empty_labels(snakemake.output.labels)
    for name in ("tracks", "events", "cells"):
        write_table(empty_table(name), snakemake.output[name])


if "snakemake" in globals():
    run_stage(snakemake, work, empty)  # noqa: F821
