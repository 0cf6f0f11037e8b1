"""The scorecard over difficulties and seeds it was not tuned on: pixels to graph, by the workflow itself; and its ablation chain.

    difficulty x seed --> 8 chips over the model's conditions --> the workflow (no films, no page) --> scorecard, ablation chain

Each run has a folder of its own, on the code of one commit, and is taken up where it stopped. Of a finished run its scorecard (and chain) are
kept as one small file, the images are thrown away (--keep keeps them). The table of a chain has no limit of rows unless one is
given: true tracks are longer than found ones, so that under the demo's limit fewer of them, fewer witnesses, would be left. At the end tables for a README: medians with the range over seeds;
of the chain the medians, and the mean gain of each step with its 95 % interval over seeds (drawn with replacement, both sides of a
step from the same seed).

    nice -n 10 python tests/benchmarks/scorecards.py [--model full] [--difficulties easy medium hard brutal] [--seeds 101 102 103 104 105]
                      [--chips 8] [--frames 60] [--size 256] [--max-rows 4000] [--ablation] [--cores 1] [--commit HEAD] [--keep]
    nice -n 10 python tests/benchmarks/scorecards.py --full-size     (one seed, medium, 200 frames of 512 x 512)
"""

import argparse
import itertools
import json
import os
import shutil
import subprocess
import sys

import bench
import numpy as np
import yaml
from demo_seeds import checkout, cpu_seconds, shown

GRAPH_ROWS = ("summary", "skeleton", "direct", "lag", "arrowhead", "tail", "condition")
SEEDS = (101, 102, 103, 104, 105)
FIGURES = {
    "cells seen, F1": "segment.detection_f1",
    "AP@0.5": "segment.ap50",
    "AP@0.75": "segment.ap75",
    "SEG": "segment.seg",
    "LNK": "track.lnk",
    "CHOTA": "track.chota",
    "division F1 (lineage)": "track.division_f1",
    "complete lineages": "track.complete_lineages",
    "division F1 (event)": "fate.division_f1",
    "division onset error, min": "fate.division_onset_error_min",
    "division onset bias, min": "fate.division_onset_bias_min",
    "death F1": "fate.death_f1",
    "death onset error, min": "fate.death_onset_error_min",
    "death onset bias, min": "fate.death_onset_bias_min",
    "phase accuracy": "fate.phase_accuracy",
}


def shipped(name):
    return bench.ROOT / "resources" / "causal_models" / f"{name}.yaml"


def known_difficulties():
    """What `simulate.difficulty` allows at this commit's tree; [] where there is no such key."""
    schema = yaml.safe_load((bench.ROOT / "workflow" / "schemas" / "simulate.schema.yaml").read_text(encoding="utf-8"))
    return [word for word in (schema["properties"].get("difficulty") or {}).get("enum") or [] if word]


def describe_run(folder, model, difficulty, seed, args):
    """Sheet and configuration of one run, in its folder: the demo's configuration on other chips."""
    from cytocause.simulate import parse_model

    conditions = parse_model(shipped(model).read_text(encoding="utf-8"), f"{model}.yaml").contextual()
    levels = list(itertools.product((0, 1), repeat=len(conditions)))
    lines = ["\t".join(["sample", "simulate", "chip", *conditions])]
    for k in range(args.chips):
        lines.append("\t".join([f"chip{k + 1}", model, f"chip{k + 1}", *map(str, levels[k * len(levels) // args.chips])]))
    (folder / "samples.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    cfg = yaml.safe_load((folder / "config" / "config.yaml").read_text(encoding="utf-8"))
    cfg["samples"] = "samples.tsv"
    cfg["conditions"] = [{"name": name, "kind": "binary", "reference": 0} for name in conditions]
    cfg["simulate"] = {**cfg.get("simulate", {}), "seed": seed, "n_frames": args.frames, "height": args.size, "width": args.size}
    if difficulty:
        cfg["simulate"]["difficulty"] = difficulty
    cfg["assemble"]["max_rows"] = args.max_rows or None
    if args.ablation:  # the intervals here are over seeds; those over chips would be five graphs a chip more
        cfg["score"] = {**(cfg.get("score") or {}), "ablation_intervals": False}
    (folder / "run.yaml").write_text(yaml.safe_dump(cfg, sort_keys=False), encoding="utf-8")


def run(folder, targets, cores):
    """Snakemake in a folder, with its own log; stops with the log's name when it fails."""
    env = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", *bench.THREADS)}
    command = [sys.executable, "-m", "snakemake", *targets, "--cores", str(cores), "--configfile", "run.yaml", "--quiet", "rules"]
    with open(folder / "run.log", "a", encoding="utf-8") as log:
        for more in (["--unlock"], ["--rerun-incomplete"]):
            done = subprocess.run([*command, *more], cwd=folder, env=env, stdout=log, stderr=log, check=False)
    if done.returncode:
        raise SystemExit(f"the run in {folder} failed; see {folder / 'run.log'}")


def result(base, commit, model, difficulty, seed, args):
    """{"card", "chain" or None, "cpu_s"} of one run, from its file where it is there."""
    rows = "" if args.max_rows == 4000 else f"-{args.max_rows or 'all'}"
    name = f"{model}-{difficulty or 'plain'}-{seed}-{args.chips}x{args.frames}x{args.size}{rows}"
    file, folder = base / commit / f"{name}.json", base / commit / name
    found = json.loads(file.read_text()) if file.exists() else None
    if found and (found["chain"] or not args.ablation):
        return found
    checkout(folder, commit)
    describe_run(folder, model, difficulty, seed, args)
    run(folder, ["results/score/scorecard.json", *(["results/score/ablation.json"] if args.ablation else [])], args.cores)
    chain = folder / "results" / "score" / "ablation.json"
    found = {
        "card": json.loads((folder / "results" / "score" / "scorecard.json").read_text()),
        "chain": json.loads(chain.read_text()) if args.ablation else None,
        "cpu_s": cpu_seconds(folder),
    }
    file.write_text(json.dumps(found))
    if not args.keep:
        shutil.rmtree(folder)
    print(f"{name}: {found['cpu_s']:.0f} CPU s, {bench.load()}", flush=True)
    return found


# --- the tables -----------------------------------------------------------------------------------------------------------


def ranged(values):
    """ "0.95 (0.93-0.97)": median and range of what there is."""
    known = [value for value in values if value is not None]
    if not known:
        return "-"
    middle = shown(bench.median(known))
    return middle if len(known) == 1 else f"{middle} ({shown(min(known))} to {shown(max(known))})"


def figures_of(runs):
    """Label -> key of every figure that some run has: the fixed ones, the features', the graph's."""
    keys = sorted({key for found in runs for key in found["card"] if "." in key})
    measured = [key for key in keys if key.startswith("measure.") and key.endswith(("_r2", "_bias"))]
    features = {f"{key.split('.')[1].rsplit('_', 1)[0]} {'R2' if key.endswith('_r2') else 'bias'}": key for key in measured}
    graph = {key.removeprefix("infer.").replace("_", " "): key for key in sorted(keys, key=place_of) if key.startswith("infer.")}
    return {**{label: key for label, key in FIGURES.items() if key in keys}, **features, **graph}


def place_of(key):
    """Sort key that puts the graph's rows in the order in which they are asked: what acts on what, joined, lags, marks, conditions."""
    row = key.removeprefix("infer.").split("_")[0]
    return (GRAPH_ROWS.index(row) if row in GRAPH_ROWS else len(GRAPH_ROWS), key)


def table(by_difficulty):
    """The scorecards: one row a figure, one column a difficulty."""
    runs = [found for many in by_difficulty.values() for found in many]
    print(f"\n| figure | {' | '.join(by_difficulty)} |\n|{'---|' * (len(by_difficulty) + 1)}")
    for label, key in figures_of(runs).items():
        cells = [ranged([found["card"].get(key) for found in many]) for many in by_difficulty.values()]
        print(f"| {label} | {' | '.join(cells)} |")
    cells = [ranged([found["cpu_s"] for found in many]) for many in by_difficulty.values()]
    print(f"| CPU s a run | {' | '.join(cells)} |")


def mean_gain(gains, draws=4000):
    """ "+0.05 [0.01, 0.09]": mean over seeds and the 95 % interval of seeds drawn with replacement."""
    known = np.array([gain for gain in gains if gain is not None])
    if len(known) == 0:
        return "-"
    if len(known) < 3:
        return f"{known.mean():+.3f}"
    drawn = known[np.random.default_rng(1).integers(0, len(known), size=(draws, len(known)))].mean(axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return f"{known.mean():+.3f} [{low:+.3f}, {high:+.3f}]"


def chain_table(by_difficulty):
    """The ablation chains: for each score of the graph the levels' medians and the steps' gains."""
    for difficulty, many in by_difficulty.items():
        chains = [found["chain"] for found in many if found["chain"]]
        if not chains:
            continue
        levels, steps = chains[0]["levels"], chains[0]["steps"]
        keys = sorted((key for key, value in steps[-1].items() if isinstance(value, dict)), key=place_of)
        print(f"\nablation chain, {difficulty}, {len(chains)} seeds: median F1, and the mean gain over the level before\n")
        print(f"| true up to | {' | '.join(key.removeprefix('infer.').replace('_', ' ') for key in keys)} |\n|{'---|' * (len(keys) + 1)}")
        for k, level in enumerate(levels):
            cells = []
            for key in keys:
                value = ranged([chain["levels"][k][key] for chain in chains])
                gain = "" if k == 0 else "; " + mean_gain([chain["steps"][k - 1][key]["gain"] for chain in chains])
                cells.append(value + gain)
            print(f"| {'nothing (as found)' if k == 0 else level['level']} | {' | '.join(cells)} |")
        cells = [mean_gain([chain["steps"][-1][key]["gain"] for chain in chains]) for key in keys]
        print(f"| whole chain | {' | '.join(cells)} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="full" if shipped("full").exists() else "tumour_on_chip")
    parser.add_argument("--difficulties", nargs="+", default=None)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--chips", type=int, default=8)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--size", type=int, default=256, help="side of a frame (px)")
    parser.add_argument("--max-rows", type=int, help="of the table, 0 for all; default 4000, the demo's, and all for a chain")
    parser.add_argument("--full-size", action="store_true", help="200 frames of 512 x 512, the first seed, medium")
    parser.add_argument("--ablation", action="store_true")
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--commit", default="HEAD")
    parser.add_argument("--keep", action="store_true", help="keep images and tables of finished runs")
    args = parser.parse_args()
    if args.full_size:
        args.frames, args.size, args.seeds = 200, 512, args.seeds[:1]
        args.difficulties = args.difficulties or [d for d in ("medium",) if d in known_difficulties()]
    if args.max_rows is None:
        args.max_rows = 0 if args.ablation else 4000
    difficulties = args.difficulties or known_difficulties() or [None]
    commit = subprocess.run(["git", "rev-parse", "--short=9", args.commit], cwd=bench.ROOT, check=True, capture_output=True, text=True).stdout.strip()
    base = bench.work_folder("scorecards")
    (base / commit).mkdir(parents=True, exist_ok=True)
    print(f"commit {commit}, model {args.model}, {args.chips} chips, {args.frames} frames of {args.size} x {args.size}, {bench.load()}", flush=True)
    found = {str(d or "plain"): [result(base, commit, args.model, d, seed, args) for seed in args.seeds] for d in difficulties}
    table(found)
    if args.ablation:
        chain_table(found)
    print("\n" + bench.load())


if __name__ == "__main__":
    main()
