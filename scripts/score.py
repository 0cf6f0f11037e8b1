"""Score what was found against the truth: unpack, call, write.

input   truth_labels, truth_tracks, truth_events, truth_variables, truth_graph, meta
                                                                     one per simulated sample, in the order of cfg["samples"]
        labels, tracks, cells, events                                sample-major, populations in the order of cfg["populations"]
        seeds                                                        one per simulated sample: of which range its settings are; may be missing
        status                                                       of the stages that made them (any number)
        edges, json                                                  of infer
params  cfg: section score + {"samples": [names], "populations": [names], "chips": {sample: chip}}; optional "conditions": [{name, ...}],
        "windows": {"speed_window_min", "directionality_window_min"} of the section measure
output  scorecard (json), table (tsv)
"""

from functools import partial

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from cytocause.io import open_labels, progress, read_json, read_table, write_json, write_table
from cytocause.io.stage import limit_threads, start_log
from cytocause.score import (
    GRAPH_ROWS,
    graph_counts,
    measured_features,
    rows_of_card,
    same_truth,
    score_population,
    scorecard,
)


def paths_of(inputs, name):
    value = inputs.get(name, [])
    return [value] if isinstance(value, str) else list(value)


def frames(truth, found, numbers):
    nothing = np.zeros((truth.height, truth.width), dtype=np.int32)
    for page, number in enumerate(numbers[: truth.n_frames]):
        yield number, truth.frame(page), found.frame(page) if page < found.n_frames else nothing


def of_population(table, population):
    return table[table["population"] == population] if "population" in table.columns else table


def cells_of(path, columns, variables):
    """The cells table, of its many columns only those that the true variables have too."""
    return read_table(path, columns=[name for name in columns if name in {"label", "frame", *variables.columns}])


def main(snakemake):
    start_log(snakemake)
    limit_threads(snakemake.threads)
    cfg = snakemake.params.cfg
    paths = partial(paths_of, snakemake.input)
    cells = [(s, p) for s in range(len(cfg["samples"])) for p in range(len(cfg["populations"]))]
    samples, features = {}, {}
    for s, p in progress(cells, len(cells), "samples and populations scored"):
        sample, population = cfg["samples"][s], cfg["populations"][p]
        meta, i = read_json(paths("meta")[s]), s * len(cfg["populations"]) + p
        columns = pq.read_schema(paths("cells")[i]).names
        with open_labels(paths("truth_labels")[s]) as stack:
            if population not in stack.channel_names:
                features.setdefault(population, []).append(measured_features(columns, None))
                continue  # the truth does not know this population
        with (
            open_labels(paths("truth_labels")[s], channel=population) as truth,
            open_labels(paths("labels")[i]) as found,
        ):
            true = {name: of_population(read_table(paths(f"truth_{name}")[s]), population) for name in ("tracks", "events", "variables")}
            features.setdefault(population, []).append(measured_features(columns, true["variables"]))
            samples.setdefault(sample, {})[population] = score_population(
                frames(truth, found, meta["frames"]),
                true,
                {**{name: read_table(paths(name)[i]) for name in ("tracks", "events")}, "cells": cells_of(paths("cells")[i], columns, true["variables"])},
                cfg,
                meta["frame_interval_min"],
            )
    truth, reason = same_truth([read_json(path) for path in paths("truth_graph")])
    graph = None
    if truth is not None and paths("json"):
        graph = graph_counts(truth, read_json(paths("json")[0]), cfg)
    unscored = {} if graph else dict.fromkeys(GRAPH_ROWS, reason or "no graph was inferred")
    bootstrap = cfg["bootstrap"]
    ranges = dict(zip(cfg["samples"], map(read_json, paths("seeds"))))
    drawn = {"chips": cfg["chips"], "resamples": bootstrap["resamples"], "seed": bootstrap["seed"]}
    card = scorecard(samples, graph, unscored, features=features, ranges=ranges, **drawn)
    write_json(card, snakemake.output.scorecard)
    rows = pd.DataFrame(rows_of_card(card))
    whole = {name: rows[name].astype("Int64") for name in ("tp", "fp", "fn")}
    write_table(rows.assign(**whole), snakemake.output.table)


if "snakemake" in globals():
    main(snakemake)  # noqa: F821
