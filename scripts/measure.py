"""Measure the cells of one population in one sample: unpack, call, write."""

from contextlib import ExitStack

from cytocause.io import open_labels, open_movie, read_json, read_table, run_stage, write_table
from cytocause.measure import empty_cells, measure_cells


def files(value):
    """A named input of the rule as a list of paths."""
    return [value] if isinstance(value, str) else list(value or [])


def work(snakemake):
    cfg, meta = snakemake.params.cfg, read_json(snakemake.input.meta)
    movie, labels = files(snakemake.input.movie), files(snakemake.input.labels)
    given = files(snakemake.input.given)
    others, warnings = neighbours(snakemake)
    with ExitStack() as stack:
        cells, facts = measure_cells(
            read_table(snakemake.input.tracks),
            meta,
            cfg,
            labels=stack.enter_context(open_labels(labels[0])) if labels else None,
            movie=stack.enter_context(open_movie(movie, meta=meta))
            if movie and labels
            else None,
            others=others,
            given=read_table(given[0]) if given else None,
        )
    write_table(cells, snakemake.output.cells)
    if warnings:
        facts["warnings"] = warnings + facts.get("warnings", [])
    return facts


def neighbours(snakemake):
    """Tracks of the other populations, None for one that failed, and warnings; one without any cell is a table of no rows."""
    failed = {s.get("population"): s for s in map(read_json, files(snakemake.input.status)) if not s["ok"]}
    tables, warnings = [], []
    for name, path in zip(snakemake.params.cfg["others"], files(snakemake.input.others), strict=True):
        status = failed.get(name)
        none = status is None or bool((status.get("facts") or {}).get("nothing_found"))
        tables.append(read_table(path) if none else None)
        if status is not None:
            what = "counts of it are 0" if none else "counts of it and distances to it are missing"
            warnings.append(f"Population {name} failed at {status.get('failed_at')}, so {what}: {status.get('reason')}")
    return tables, warnings


def empty(snakemake):
    cfg = snakemake.params.cfg
    try:
        meta = read_json(snakemake.input.meta)
    except ValueError:
        meta = {}
    cells = empty_cells(
        meta.get("unit") or "um", meta.get("channels") or [], [cfg["population"], *cfg["others"]], cfg["levels"]
    )
    write_table(cells, snakemake.output.cells)


if "snakemake" in globals():
    run_stage(snakemake, work, empty)  # noqa: F821
