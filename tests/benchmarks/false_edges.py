"""False edges per experiment, at the level of variables: worlds in which a mechanism is off, and what is found in its place.

    model (null, full_minus_<edge>, ...) --> cells of 8 chips --> table --> infer --> directed summary edges that are not in the truth

A summary edge is a pair whatever its lags; it is directed when it has a head at one end only. Each false one is of one class:

    condition   starts at a condition                 lag 0       all its lags are 0
    contact     contact to a fate (division, death)   same cell   any other pair of one cell's variables

Printed for each class: P(at least one in an experiment) with its exact upper 95 % bound (Clopper and Pearson 1934, one-sided), and the mean
number with the upper 95 % bound of draws of worlds with replacement (3 / n where none was seen).

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
from functools import cache

import bench
import numpy as np
from condition_edges import FEATURES, variables

CLASSES = ("any", "condition", "contact", "same cell", "lag 0")
FATES = ("division", "death")
CONTACT = "n_immune_r1"


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


def summary_edges(found, conditions):
    """{(source, target): lags in steps} of the directed edges between different variables; a condition is never a target."""
    heads, lags = {}, {}
    for edge in found["edges"]:
        ends = (edge["source"], edge["target"])
        if ends[0] == ends[1]:
            continue
        pair = tuple(sorted(ends))
        lags.setdefault(pair, []).append(abs(edge.get("lag_steps") or 0))
        for end in ("source", "target"):
            if edge.get(f"mark_{end}") == "arrow":
                heads.setdefault(pair, set()).add(edge[end])
    out = {}
    for pair, at in heads.items():
        if len(at) == 1 and not at & set(conditions):
            target = next(iter(at))
            out[pair[0] if pair[1] == target else pair[1], target] = sorted(lags[pair])
    return out


def false_edges(truth, found):
    """[(source, target, class)] of the directed summary edges that the truth does not have."""
    conditions = truth["conditions"]
    true = {(e["source"], e["target"]) for e in truth["scored_edges"]}
    joined = {frozenset(pair) for pair in true}
    outside = {frozenset(pair) for pair in truth.get("definitional") or ()} - joined
    known = {*truth["variables"], *conditions}
    out = []
    for (source, target), lags in sorted(summary_edges(found, conditions).items()):
        if (source, target) in true or frozenset((source, target)) in outside or not {source, target} <= known:
            continue
        if source in conditions:
            kind = "condition"
        elif source == CONTACT and target in FATES:
            kind = "contact"
        else:
            kind = "lag 0" if max(lags) == 0 else "same cell"
        out.append((source, target, kind))
    return out


def experiment(job):
    """One simulated experiment: its false edges, and what it cost."""
    world, seed, cfg, chips, cells = job
    from cytocause.infer import infer
    from cytocause.simulate import simulate_table
    from cytocause.simulate.graph import truth_graph

    began = time.process_time()
    interval = float(cfg["simulate"]["frame_interval_min"])
    table = simulate_table(model(world), chips, seed, cfg["simulate"], features=FEATURES, cells_per_chip=cells)
    simulated = time.process_time() - began
    settings = {**cfg["infer"], "frame_interval_min": interval, "n_shuffles": 0 if cfg["infer"]["conf_threshold"] >= 1 else cfg["infer"]["n_shuffles"]}
    graph = infer(table, variables(table), settings, time="time_step", seed=seed, threads=1).to_json()
    return {
        "seed": seed,
        "rows": len(table),
        "false": false_edges(truth_graph(model(world), interval), graph),
        "directed": len(summary_edges(graph, model(world).contextual())),
        "simulate_s": round(simulated, 2),
        "cpu_s": round(time.process_time() - began, 2),
    }


def upper_share(k, n):
    """Exact one-sided upper 95 % bound of a share of k in n."""
    from scipy.stats import beta

    return 1.0 if k == n else float(beta.ppf(0.95, k + 1, n - k))


def upper_mean(counts, draws=4000):
    """Upper 95 % bound of a mean number, by drawing worlds with replacement; 3 / n where all are 0."""
    counts = np.asarray(counts, dtype=float)
    if not counts.any():
        return 3.0 / len(counts)
    drawn = np.random.default_rng(1).integers(0, len(counts), size=(draws, len(counts)))
    return float(np.percentile(counts[drawn].mean(axis=1), 95))


def say(world, results):
    n = len(results)
    cpu, rows = (bench.median([r[name] for r in results]) for name in ("cpu_s", "rows"))
    print(f"\n{world}: {n} experiments, median {rows:.0f} rows, {cpu:.1f} CPU s each\n")
    print("| class | P(at least one) | upper 95 % | mean number | upper 95 % | the most frequent |\n|---|---|---|---|---|---|")
    for kind in CLASSES:
        mine = [[(s, t) for s, t, k in r["false"] if kind in ("any", k)] for r in results]
        counts, tally = [len(edges) for edges in mine], {}
        for edge in (edge for edges in mine for edge in edges):
            tally[edge] = tally.get(edge, 0) + 1
        k = sum(c > 0 for c in counts)
        often = ", ".join(f"{s} > {t} ({c})" for (s, t), c in sorted(tally.items(), key=lambda item: (-item[1], item[0]))[:3])
        print(f"| {kind} | {k / n:.3f} | {upper_share(k, n):.3f} | {np.mean(counts):.3f} | {upper_mean(counts):.3f} | {often} |", flush=True)


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
            asked = json.dumps([repr(model(world)), cfg["simulate"], cfg["infer"], args.chips, args.cells], sort_keys=True, default=str)
            code = "-".join(code_hash(stage)[:6] for stage in ("simulate", "infer"))
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
