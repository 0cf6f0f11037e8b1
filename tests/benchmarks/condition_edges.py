"""Condition edges over seeds, at the level of the table: how many of the true ones are found, how many where there are none.

    world                       treatment, CAF_presence --> death, division, speed, area, contacts
    null world (same cells)     no edge from a condition; whatever is found is false

Eight chips and 36 chips, spread evenly over treatment x CAF_presence; 10 cells of each chip, so that eight chips make a table of
about 4,000 rows, as the demo's must be. Beside the graph's edges stands what the chips themselves say: a permutation of the
condition over chips within strata (report.permutation), for every pair of condition and variable.

    python tests/benchmarks/condition_edges.py [--seeds 101 102 103 104 105] [--chips 8 36] [--cells 10] [--n-eff RULE]

Each run is kept; the next call goes on from there.
"""

import argparse
import json
import time
from pathlib import Path

import bench
import numpy as np
import pandas as pd

CONDITIONS = ("treatment", "CAF_presence")
FEATURES = ("area_um2", "eccentricity", "speed_um_min", "n_immune_r1")
EVENTS = ("death", "division")
ALPHA = 0.05


def model(name):
    from cytocause.simulate import parse_model

    path = bench.ROOT / "resources" / "causal_models" / f"{name}.yaml"
    return parse_model(path.read_text(encoding="utf-8"), path.name)


def variables(table):
    """As `assemble` writes them."""
    kind = {name: "continuous" if table[name].nunique() >= 5 else "discrete" for name in FEATURES}
    return pd.DataFrame(
        [{"name": name, "kind": "discrete", "role": "contextual"} for name in CONDITIONS]
        + [{"name": name, "kind": "discrete", "role": "dynamic"} for name in EVENTS]
        + [{"name": name, "kind": kind[name], "role": "dynamic"} for name in FEATURES]
    )


def chip_p(table, interval_min):
    """Permutation p over chips for every pair of condition and variable, and the smallest p that the chips allow."""
    from cytocause.report.evidence import Rows, event_rate, mean_per_unit
    from cytocause.report.permutation import permutation_p

    chip = table["trajectory"].str.split(":").str[0]
    rows = Rows(table["trajectory"], table["time_step"], chip, {name: table[name] for name in (*EVENTS, *FEATURES)})
    levels = table.groupby(chip)[list(CONDITIONS)].first().loc[list(rows.units)]
    out = {}
    for condition in CONDITIONS:
        other = next(name for name in CONDITIONS if name != condition)
        for name in (*EVENTS, *FEATURES):
            value = event_rate(rows, name, interval_min) if name in EVENTS else mean_per_unit(rows, name)
            found = permutation_p(value, levels[condition], levels[other].tolist(), limit=5000)
            out[f"{condition} - {name}"] = {key: found[key] for key in ("p", "smallest_p", "arrangements", "effect")}
    return out


def one(world, chips, cells, seed, cfg):
    """One simulated experiment: what was found, by name."""
    from cytocause.infer import infer
    from cytocause.infer.workflow import settings_of
    from cytocause.score import graph_counts
    from cytocause.simulate import simulate_table
    from cytocause.simulate.graph import truth_graph

    began = time.process_time()
    interval = cfg["simulate"]["frame_interval_min"]
    table = simulate_table(model(world), chips, seed, cfg["simulate"], features=FEATURES, cells_per_chip=cells)
    truth = truth_graph(model(world), interval)
    graph = infer(
        table,
        variables(table),
        settings_of(cfg["infer"], [*CONDITIONS, *EVENTS, *FEATURES], float(interval)),
        time="time_step",
        seed=seed,
        threads=1,
    )
    found = graph.to_json()
    pairs = {frozenset((e["source"], e["target"])) for e in found["edges"] if e["source"] != e["target"]}
    true = {frozenset((e["source"], e["target"])) for e in truth["scored_edges"]}
    outside = {frozenset(pair) for pair in truth["definitional"]} - true
    counts = graph_counts(truth, found, cfg["score"])
    return {
        "rows": len(table),
        "trajectories": int(table["trajectory"].nunique()),
        "counts": {row: counts[row] for row in ("skeleton", "arrowhead", "lag", "condition")},
        "true": sorted(map(named, (pair for pair in true & pairs))),
        "missed": sorted(map(named, true - pairs)),
        "false": sorted(map(named, pairs - true - outside)),
        "outside": sorted(map(named, pairs & outside)),
        "chip_p": chip_p(table, interval),
        "cpu_s": time.process_time() - began,
    }


def named(pair):
    """"treatment - death": a condition first, else by the alphabet."""
    return " - ".join(sorted(pair, key=lambda name: (name not in CONDITIONS, CONDITIONS.index(name) if name in CONDITIONS else name)))


def of_condition(names):
    return [name for name in names if name.split(" - ")[0] in CONDITIONS and name.split(" - ")[1] not in CONDITIONS]


# --- what is said about them ---------------------------------------------------------------------------------------------


def smallest_p(chips):
    """What `assemble` writes into design.json for so many chips: {condition: (arrangements, smallest p)}."""
    from cytocause.assemble.design import design
    from cytocause.simulate.table import design as spread

    samples = [
        {"sample": f"chip_{k}", "conditions": levels, "levels": {"chip": f"chip_{k}"}, "trajectories": 0, "rows": 0, "death": 0, "division": 0}
        for k, levels in enumerate(spread(CONDITIONS, chips))
    ]
    entries = [{"name": name, "kind": "binary", "reference": 0, "levels": None} for name in CONDITIONS]
    return {entry["name"]: (entry["arrangements"], entry["smallest_p"]) for entry in design(samples, entries)["conditions"]}


def say(results, chips, truth):
    world, null = results["tumour_on_chip"], results["null"]
    true = of_condition(named((e["source"], e["target"])) for e in truth["scored_edges"])
    print(f"\n## {chips} chips, {len(world)} seeds, median {np.median([r['rows'] for r in world]):.0f} rows")
    for name, (ways, p) in smallest_p(chips).items():
        print(f"{name}: {ways} arrangements, smallest p {p:.3g}")
    recall = [len(of_condition(r["true"])) / len(true) for r in world]
    false = [len(of_condition(r["false"])) for r in world]
    print(f"recall of the true condition edges: median {np.median(recall):.2f}, mean {np.mean(recall):.2f} ({min(recall):.2f}-{max(recall):.2f})")
    print(f"false condition edges beside them: mean {np.mean(false):.1f} ({min(false)}-{max(false)})")
    if null:
        nothing = [len(of_condition(r["false"])) for r in null]
        print(f"condition edges in the null worlds: mean {np.mean(nothing):.1f} ({min(nothing)}-{max(nothing)}) of {2 * 6} pairs")
        kept = [sum(r["chip_p"][name]["p"] <= ALPHA for name in of_condition(r["false"])) for r in null]
        pairs = [v["p"] for r in null for v in r["chip_p"].values()]
        print(f"  of them with p <= {ALPHA} over chips: mean {np.mean(kept):.1f}; all pairs: {np.mean(np.array(pairs) <= ALPHA):.3f}")
    kept = [sum(name in r["true"] and r["chip_p"][name]["p"] <= ALPHA for name in true) / len(true) for r in world]
    print(f"true condition edges found and with p <= {ALPHA} over chips: mean {np.mean(kept):.2f}")
    kept = [sum(r["chip_p"][name]["p"] <= ALPHA for name in of_condition(r["false"])) for r in world]
    print(f"false condition edges with p <= {ALPHA} over chips: mean {np.mean(kept):.1f}")
    print("\n| true edge | found in seeds | median p over chips | p <= 0.05 |\n|---|---|---|---|")
    for name in true:
        p = [r["chip_p"][name]["p"] for r in world]
        hits = sum(name in r["true"] for r in world)
        print(f"| {name} | {hits} of {len(world)} | {np.median(p):.4f} | {sum(v <= ALPHA for v in p)} of {len(world)} |")
    for title, rows in (("world", world), ("null world", null)):
        tally = {}
        for r in rows:
            for name in r["false"]:
                tally[name] = tally.get(name, 0) + 1
        print(f"\nfalse edges, {title}: " + (", ".join(f"{n} ({k})" for n, k in sorted(tally.items(), key=lambda i: -i[1])) or "none"))
        for row in ("skeleton", "arrowhead", "lag"):
            sums = {k: sum(r["counts"][row][k] for r in rows) for k in ("tp", "fp", "fn")}
            total = 2 * sums["tp"] + sums["fp"] + sums["fn"]
            print(f"  {row}: " + (f"F1 {2 * sums['tp'] / total:.2f} " if total else "") + f"{sums}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, nargs="+", default=[101, 102, 103, 104, 105])
    parser.add_argument("--chips", type=int, nargs="+", default=[8, 36])
    parser.add_argument("--cells", type=int, default=10, help="cells of each chip; 0 takes all")
    parser.add_argument("--n-eff", choices=["pairwise", "conditions", "-1"], help="infer.n_eff; default: the demo's; -1: every row a witness")
    args = parser.parse_args()
    from cytocause.io.provenance import code_hash
    from cytocause.simulate.graph import truth_graph

    cfg, folder = bench.config(), bench.work_folder("condition_edges")
    key = "-".join(str(code_hash(stage))[:6] for stage in ("simulate", "infer"))
    if args.n_eff:
        cfg["infer"]["n_eff"] = -1 if args.n_eff == "-1" else args.n_eff
        key += f"-{args.n_eff}"
    for chips in args.chips:
        results = {"tumour_on_chip": [], "null": []}
        for seed in args.seeds:
            for world, found in results.items():
                path = Path(folder, f"{key}-{world}-{chips}-{args.cells}-{seed}.json")
                if not path.exists():
                    path.write_text(json.dumps(one(world, chips, args.cells or None, seed, cfg)))
                    print(f"{chips} chips, {world}, seed {seed}: {json.loads(path.read_text())['cpu_s']:.0f} CPU s", flush=True)
                found.append(json.loads(path.read_text()))
        say(results, chips, truth_graph(model("tumour_on_chip"), cfg["simulate"]["frame_interval_min"]))
    print("\n" + bench.load())


if __name__ == "__main__":
    main()
