"""Find the fates of one population's tracks: unpack, call, write.

input   cells, tracks, meta, given, status      params  cfg: section fate + sample, population, levels, corrections
output  events (parquet), status
"""

from cytocause.fate import find_fates, given_events
from cytocause.io import add_levels, empty_table, read_json, read_table, run_stage, write_table


def work(snakemake):
    cfg, meta = snakemake.params.cfg, read_json(snakemake.input.meta)
    cells, tracks = read_table(snakemake.input.cells), read_table(snakemake.input.tracks)
    given, warnings = [], []
    for path in paths(snakemake.input.given):
        more, said = given_events(
            read_table(path),
            file=path,
            sample=cfg["sample"],
            population=cfg["population"],
            extents=tracks.groupby("track_id")["frame"].agg(["min", "max"]).apply(tuple, axis=1).to_dict(),
            frames=meta["frames"],
        )
        given, warnings = given + more, warnings + said
    events, facts = find_fates(cells, tracks, meta, cfg, given=given)
    write_table(events, snakemake.output.events)
    facts["warnings"] = warnings + facts["warnings"]
    return facts


def empty(snakemake):
    cfg = snakemake.params.cfg
    write_table(add_levels(empty_table("events"), cfg.get("levels") or {}), snakemake.output.events)


def paths(value):
    """An input that may be empty, one path, or several, as a list."""
    return [str(value)] if isinstance(value, str) else [str(path) for path in value]


if "snakemake" in globals():
    run_stage(snakemake, work, empty)  # noqa: F821
