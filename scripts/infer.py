"""Infer the causal graph of the whole experiment: unpack, call, write.

input   table (parquet: trajectory, time_step, variables), variables (tsv), design (json)
params  cfg: section infer
output  edges, raw, triples (tsv), graphml, json, run
"""

import logging

from cytocause.infer.engine import empty_graph, infer
from cytocause.infer.output import write_graph
from cytocause.infer.table import NothingToInfer
from cytocause.infer.workflow import read_inputs, say_progress
from cytocause.io.stage import limit_threads, start_log

logger = logging.getLogger("cytocause")


def main(snakemake):
    start_log(snakemake)
    limit_threads(snakemake.threads)
    table, variables, config = read_inputs(
        snakemake.input.table, snakemake.input.variables, snakemake.input.design, dict(snakemake.params.cfg)
    )
    try:
        graph = infer(
            table, variables, config, time="time_step", threads=snakemake.threads, progress=say_progress()
        )
    except NothingToInfer as reason:
        logger.error("nothing to infer: %s", reason)
        graph = empty_graph(variables, str(reason))
    write_graph(graph, dict(snakemake.output.items()))


main(snakemake)  # noqa: F821
