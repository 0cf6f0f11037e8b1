"""The demo's scorecard over seeds it was not tuned on: pixels to graph, by the workflow itself, one table row per seed.

    simulate --> prepare --> segment --> track --> measure --> fate --> assemble --> infer --> score      (no films, no page)

Each seed runs in a folder of its own, on the code of one commit, and is taken up where it stopped.

    nice -n 10 python tests/benchmarks/demo_seeds.py [--seeds 101 102 103 104 105] [--cores 1] [--commit HEAD]
"""

import argparse
import csv
import json
import os
import subprocess
import sys

import bench

TREE = ("Snakefile", "workflow", "config", "resources", "scripts", "envs", "pyproject.toml", "requirements.lock")
BOUNDS = {"segment.ap50": 0.9, "track.lnk": 0.97, "track.division_f1": 0.85, "fate.death_f1": 0.8}
MORE = ("infer.skeleton_f1", "infer.arrowhead_f1", "infer.lag_f1", "infer.condition_recall", "infer.condition_precision")


def checkout(folder, commit):
    """The files of a commit that a run needs, in `folder`; a folder that is there is left as it is."""
    if (folder / "Snakefile").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    archive = subprocess.run(["git", "archive", commit, *TREE], cwd=bench.ROOT, check=True, capture_output=True)
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)


def run(folder, seed, cores):
    """The scorecard of one seed."""
    (folder / "seed.yaml").write_text(f"simulate: {{seed: {seed}}}\n")
    env = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", *bench.THREADS)}
    command = [sys.executable, "-m", "snakemake", "--cores", str(cores), "--configfile", "seed.yaml", "--quiet", "rules"]
    card = "results/score/scorecard.json"
    with open(folder / "run.log", "a", encoding="utf-8") as log:
        for more in (["--unlock"], ["--rerun-incomplete", card]):
            done = subprocess.run([*command, *more], cwd=folder, env=env, stdout=log, stderr=log, check=False)
    if done.returncode:
        raise SystemExit(f"seed {seed} failed; see {folder / 'run.log'}")
    return json.loads((folder / card).read_text())


def cpu_seconds(folder):
    """CPU time of all jobs, from Snakemake's benchmarks."""
    total = 0.0
    for path in (folder / "results" / "benchmarks").rglob("*.tsv"):
        with open(path, encoding="utf-8") as handle:
            for row in csv.DictReader(handle, delimiter="\t"):
                total += float(row["cpu_time"]) if row.get("cpu_time") not in (None, "NA", "-") else 0.0
    return total


def shown(value):
    return "-" if value is None else f"{value:.3f}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, nargs="+", default=[101, 102, 103, 104, 105])
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--commit", default="HEAD")
    args = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short=9", args.commit], cwd=bench.ROOT, check=True, capture_output=True, text=True).stdout.strip()
    base = bench.work_folder("demo_seeds")
    names = (*BOUNDS, *MORE)
    print(f"commit {commit}, {bench.load()}\n| seed | {' | '.join(names)} | CPU s |\n|{'---|' * (len(names) + 2)}", flush=True)
    rows = []
    for seed in args.seeds:
        folder = base / commit / str(seed)
        checkout(folder, commit)
        card = run(folder, seed, args.cores)
        rows.append(card)
        print(f"| {seed} | {' | '.join(shown(card.get(name)) for name in names)} | {cpu_seconds(folder):.0f} |", flush=True)
    medians = [bench.median([card[name] for card in rows if card.get(name) is not None] or [float("nan")]) for name in names]
    print(f"| median | {' | '.join(map(shown, medians))} | |")
    bounds = [shown(BOUNDS.get(name)) for name in names]
    print(f"| bound | {' | '.join(bounds)} | |")


if __name__ == "__main__":
    main()
