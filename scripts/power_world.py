"""One world of the target power: simulate its table, infer its graph, score it. Unpack, call, write.

input   model (yaml)
params  cfg: chips, cells, hours, interval_min, seed, model, alpha, and the sections simulate, infer, score
output  what was found of every true edge, what was found beside them, and what it cost (json)
"""

from pathlib import Path

from cytocause.assemble.design import design
from cytocause.infer import infer
from cytocause.infer.workflow import settings_of
from cytocause.io import write_json
from cytocause.io.stage import limit_threads, start_log
from cytocause.score.power import world_of
from cytocause.simulate import parse_model, simulate_world, truth_graph
from cytocause.simulate.table import columns_seen, variables_of


def main(snakemake):
    start_log(snakemake)
    limit_threads(snakemake.threads)
    cfg, path = dict(snakemake.params.cfg), snakemake.input.model
    path = path if isinstance(path, str) else path[0]
    model = parse_model(Path(path).read_text(encoding="utf-8"), source=Path(path).name).named(cfg["model"])
    interval = float(cfg["interval_min"])
    experiment = {**cfg["simulate"], "frame_interval_min": interval, "n_frames": max(2, round(cfg["hours"] * 60 / interval) + 1)}
    world = simulate_world(
        model, cfg["chips"], cfg["seed"], experiment, features=columns_seen(model), cells_per_chip=cfg["cells"], dates=1
    )
    variables = variables_of(world.table, model)
    graph = infer(
        world.table,
        variables,
        settings_of(cfg["infer"], variables["name"], interval),
        time="time_step",
        seed=cfg["seed"],
        threads=snakemake.threads,
    )
    chips = [
        {"sample": row["sample"], "conditions": {name: row[name] for name in model.contextual()}, "levels": {"chip": row["sample"]},
         "trajectories": 0, "rows": 0, "death": 0, "division": 0}
        for row in world.design.to_dict("records")
    ]  # fmt: skip
    conditions = [{"name": name, "kind": "binary", "reference": 0, "levels": None} for name in model.contextual()]
    smallest_p = {entry["name"]: entry["smallest_p"] for entry in design(chips, conditions)["conditions"]}
    place = {key: cfg[key] for key in ("chips", "cells", "hours", "interval_min", "seed")}
    seen = set(world.table.columns)
    found = world_of(truth_graph(model, interval), graph.to_json(), seen, smallest_p, cfg["alpha"], cfg["score"])
    size = {"rows": len(world.table), "trajectories": int(world.table["trajectory"].nunique())}
    write_json({**place, **size, **found}, snakemake.output[0])


main(snakemake)  # noqa: F821
