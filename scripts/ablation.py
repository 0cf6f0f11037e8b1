"""Which hand-over costs how much of the graph: unpack, call, write.

input   graphs: of the whole chain and of each level, then (chip-minor) of each level without one chip after another; truth_graph
params  cfg: section score + {"chips": number of chips left out one by one, or 0; "max_rows": of the tables, or None}
output  chain (json), table (tsv), figure (svg)
"""

import logging

import pandas as pd

from cytocause.io import atomic_path, read_json, write_json, write_table
from cytocause.io.stage import limit_threads, start_log
from cytocause.report.ablation import picture
from cytocause.score import ablation, graph_counts, rows_of_ablation, same_truth
from cytocause.score.chain import LEVELS

logger = logging.getLogger("cytocause")


def main(snakemake):
    start_log(snakemake)
    limit_threads(snakemake.threads)
    cfg = snakemake.params.cfg
    truth, reason = same_truth([read_json(path) for path in snakemake.input.truth_graph])
    if truth is None:
        logger.error("ablation: %s", reason)
        raise SystemExit(1)
    counts = [graph_counts(truth, read_json(path), cfg) for path in snakemake.input.graphs]
    whole, rest, n = counts[: len(LEVELS)], counts[len(LEVELS) :], cfg["chips"]
    chain = ablation(dict(zip(LEVELS, whole)), {level: rest[k * n : (k + 1) * n] for k, level in enumerate(LEVELS)}, cfg["max_rows"])
    write_json(chain, snakemake.output.chain)
    write_table(pd.DataFrame(rows_of_ablation(chain)), snakemake.output.table)
    with atomic_path(snakemake.output.figure) as temporary:
        temporary.write_text(picture(chain), encoding="utf-8")


if "snakemake" in globals():
    main(snakemake)  # noqa: F821
