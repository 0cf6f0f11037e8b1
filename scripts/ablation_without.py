"""The table of the experiment without the trajectories of some samples: unpack, call, write.

input   table      params  cfg: {"samples": names to leave out}      output  table
"""

from cytocause.io import read_table, write_table
from cytocause.io.stage import start_log
from cytocause.score import without_samples


def main(snakemake):
    start_log(snakemake)
    write_table(without_samples(read_table(snakemake.input.table), snakemake.params.cfg["samples"]), snakemake.output.table)


if "snakemake" in globals():
    main(snakemake)  # noqa: F821
