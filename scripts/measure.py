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
    with ExitStack() as stack:
        cells, facts = measure_cells(
            read_table(snakemake.input.tracks),
            meta,
            cfg,
            labels=stack.enter_context(open_labels(labels[0])) if labels else None,
            movie=stack.enter_context(open_movie(movie, meta=meta))
            if movie and labels
            else None,
            others=[read_table(path) for path in files(snakemake.input.others)],
            given=read_table(given[0]) if given else None,
        )
    write_table(cells, snakemake.output.cells)
    return facts


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
