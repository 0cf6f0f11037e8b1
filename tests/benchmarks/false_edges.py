"""False edges per experiment, at the level of variables: worlds in which a mechanism is off, and what is found in its place.

    model (null, full_minus_<edge>, ...) --> cells of 8 chips --> table --> infer --> directed summary edges that are not in the truth

What is false, and of which class, says `cytocause.score.directed`; the bounds are those of `pool_false_edges`: of the probability of at
least one Clopper and Pearson's, one-sided, of the mean number the larger of a Poisson count's and a bootstrap's over experiments.

    nice -n 10 python tests/benchmarks/false_edges.py [--worlds null full_minus_treatment_death ...]
                                                      [--n 500] [--chips 8] [--frames 60] [--cells 10] [--processes 2]

A world is the name of a causal model, or <model>_minus_<source>_<target> for that model with that edge switched off. Every experiment is kept as a line of
a file named by code, model and size; the next call goes on from there.
"""

import argparse
import dataclasses
import hashlib
import json
import multiprocessing
import time
from collections import Counter
from functools import cache

import bench
from condition_edges import FEATURES, variables


@cache
def model(world):
    """The causal model of a world."""
    from cytocause.simulate import parse_model

    name, minus, edge = world.partition("_minus_")
    path = bench.ROOT / "resources" / "causal_models" / f"{name}.yaml"
    found = parse_model(path.read_text(encoding="utf-8"), path.name)
    kept = tuple(e for e in found.edges if f"{e.source}_{e.target}" != edge)
    if minus and len(kept) == len(found.edges):
        raise SystemExit(f"{world}: the model {name} has no edge {edge}.")
    return dataclasses.replace(found, name=world, edges=kept) if minus else found


def default_worlds():
    """null, a model without an edge from a condition, and one without the edge from contact to death."""
    full = (bench.ROOT / "resources" / "causal_models" / "full.yaml").exists()
    model, contact = ("full", "contact_time") if full else ("tumour_on_chip", "contact")
    return ["null", f"{model}_minus_treatment_death", f"{model}_minus_{contact}_death"]


def experiment(job):
    """One simulated experiment: its false edges, and what it cost."""
    world, seed, cfg, chips, cells = job
    from cytocause.infer import infer
    from cytocause.infer.workflow import settings_of
    from cytocause.score.false_edges import false_edges
    from cytocause.simulate import simulate_table
    from cytocause.simulate.graph import truth_graph

    began = time.process_time()
    interval = float(cfg["simulate"]["frame_interval_min"])
    table = simulate_table(model(world), chips, seed, cfg["simulate"], features=FEATURES, cells_per_chip=cells)
    simulated = time.process_time() - began
    section = {**cfg["infer"], "n_shuffles": 0 if cfg["infer"]["conf_threshold"] >= 1 else cfg["infer"]["n_shuffles"]}
    settings = settings_of(section, variables(table)["name"], interval)
    graph = infer(table, variables(table), settings, time="time_step", seed=seed, threads=1).to_json()
    scoring = {**cfg["score"], "windows": {key: cfg["measure"][key] for key in ("speed_window_min", "directionality_window_min")}}
    return {
        "seed": seed,
        "rows": len(table),
        "false": false_edges(truth_graph(model(world), interval), graph, scoring),
        "simulate_s": round(simulated, 2),
        "cpu_s": round(time.process_time() - began, 2),
    }


def say(world, results):
    from cytocause.score.directed import CLASSES
    from cytocause.score.false_edges import pool_false_edges

    n = len(results)
    cpu, rows = (bench.median([r[name] for r in results]) for name in ("cpu_s", "rows"))
    print(f"\n{world}: {n} experiments, median {rows:.0f} rows, {cpu:.1f} CPU s each\n")
    print("| class | P(at least one) | upper 95 % | mean number | upper 95 % | the most frequent |\n|---|---|---|---|---|---|")
    pooled, classes = pool_false_edges([r["false"] for r in results]), ("total", *CLASSES)
    for kind in classes:
        tally = Counter((s, t) for r in results for s, t, k in r["false"]["edges"] if kind in ("total", k))
        often = ", ".join(f"{s} > {t} ({c})" for (s, t), c in sorted(tally.items(), key=lambda item: (-item[1], item[0]))[:3])
        figures = " | ".join(f"{pooled[kind][name]:.3f}" for name in ("probability", "probability_upper95", "mean", "mean_upper95"))
        print(f"| {kind.replace('_', ' ')} | {figures} | {often} |", flush=True)


def kept(path):
    """{seed: result} of a file of lines; a last line that was cut off is taken away."""
    if not path.exists():
        return {}
    whole = path.read_text(encoding="utf-8").rpartition("\n")[0]
    path.write_text(whole + "\n" * bool(whole), encoding="utf-8")
    return {result["seed"]: result for result in map(json.loads, whole.splitlines())}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--worlds", nargs="+")
    parser.add_argument("--n", type=int, default=500)
    parser.add_argument("--first-seed", type=int, default=1001)
    parser.add_argument("--chips", type=int, default=8)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--cells", type=int, default=10, help="cells of each chip; 0 takes all")
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args()
    from cytocause.io.provenance import code_hash

    cfg, folder = bench.config(), bench.work_folder("false_edges")
    cfg["simulate"]["n_frames"] = args.frames
    seeds = range(args.first_seed, args.first_seed + args.n)
    with multiprocessing.get_context("spawn").Pool(args.processes) as pool:
        for world in args.worlds or default_worlds():
            asked = json.dumps([repr(model(world)), cfg["simulate"], cfg["infer"], cfg["score"], args.chips, args.cells], sort_keys=True, default=str)
            code = "-".join(code_hash(stage)[:6] for stage in ("simulate", "infer", "score"))
            path = folder / f"{code}-{hashlib.sha256(asked.encode()).hexdigest()[:10]}.jsonl"
            done = kept(path)
            jobs = [(world, seed, cfg, args.chips, args.cells or None) for seed in seeds if seed not in done]
            print(f"{world}: {len(done)} experiments kept, {len(jobs)} to do ({path.name}), {bench.load()}", flush=True)
            with open(path, "a", encoding="utf-8") as file:
                for result in pool.imap_unordered(experiment, jobs):
                    done[result["seed"]] = result
                    file.write(json.dumps(result) + "\n")
                    file.flush()
            if results := [done[seed] for seed in seeds if seed in done]:
                say(world, results)
    print("\n" + bench.load())


if __name__ == "__main__":
    main()
