"""Put the samples of an experiment into one table: unpack, call, write."""

import logging

from cytocause.assemble import Sample, assemble_table, failed_samples
from cytocause.io import InputDefect, read_json, read_table, write_json, write_table
from cytocause.io.stage import limit_threads, start_log

logger = logging.getLogger("cytocause")


class CellsOf:
    """Reads the columns that are asked for, of those that a sample's cells tables have."""

    def __init__(self, files):
        self.files = files

    def columns(self, population):
        import pyarrow.parquet as pq

        return pq.read_schema(self.files[population]).names

    def __call__(self, population, columns):
        have = self.columns(population)
        return read_table(self.files[population], columns=[name for name in columns if name in have])


def samples_of(snakemake):
    """The samples in the sheet's order; the inputs are sample by sample, populations in the config's order."""
    cfg = snakemake.params.cfg
    populations = cfg["populations"]
    status = [read_json(path) for path in snakemake.input.status]
    for k, row in enumerate(cfg["samples"]):

        def of(name, k=k):
            return dict(zip(populations, snakemake.input[name][k * len(populations) : (k + 1) * len(populations)]))

        tracks, events = of("tracks"), of("events")
        yield Sample(
            row["sample"],
            row["conditions"],
            row["levels"],
            read_json(snakemake.input.meta[k]),
            [
                {key: s.get(key) or "" for key in ("population", "failed_at", "reason", "todo")}
                for s in status
                if s["sample"] == row["sample"] and not s["ok"]
            ],
            CellsOf(of("cells")),
            lambda population, files=tracks: read_table(files[population], columns=["track_id", "parent_id"]).drop_duplicates(),
            lambda population, files=events: read_table(files[population], columns=["track_id", "event", "frame"]),
        )


def main(snakemake):
    start_log(snakemake)
    limit_threads(snakemake.threads)
    samples = list(samples_of(snakemake))
    write_table(failed_samples(samples), snakemake.output.failed)
    try:
        table, variables, design = assemble_table(samples, snakemake.params.cfg)
    except InputDefect as defect:  # of the whole experiment: nothing can go on, so the sentence is enough
        logger.error("%s", defect)
        raise SystemExit(1) from None
    write_table(table, snakemake.output.table)
    write_table(variables, snakemake.output.variables)
    write_json(design, snakemake.output.design)


if "snakemake" in globals():
    main(snakemake)  # noqa: F821
