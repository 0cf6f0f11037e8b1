"""The target power: all its worlds as one table and one figure. Unpack, call, write.

input   worlds (json, one each)      params  cfg: model
output  table (tsv), json, png, svg
"""

from matplotlib import rc_context

from cytocause.io import atomic_path, read_json, write_json, write_table
from cytocause.io.stage import start_log
from cytocause.score.power import draw_power, experiments


def main(snakemake):
    start_log(snakemake)
    worlds = [read_json(path) for path in snakemake.input.worlds]
    table, edges = experiments(worlds)
    write_table(table, snakemake.output.table)
    write_json({"model": snakemake.params.cfg["model"], "experiments": table.to_dict("records"), "edges": edges}, snakemake.output.json)
    figure = draw_power(table, snakemake.params.cfg["model"])
    with rc_context({"svg.hashsalt": "cytocause"}):  # the same bytes every time
        for output, maker in ((snakemake.output.png, "Software"), (snakemake.output.svg, "Date")):
            with atomic_path(output) as path:
                figure.savefig(path, metadata={maker: None})


main(snakemake)  # noqa: F821
