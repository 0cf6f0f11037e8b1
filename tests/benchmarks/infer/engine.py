"""The engine against the recorded CPU seconds of the reference (design/causal-peers.md, "Baselines for the engine").

    python tests/benchmarks/infer/engine.py [ROW ...]      rows a to i; all but f by default

Data: tools/causal_bench (CYTOCAUSE_CAUSAL_BENCH, else ../shared/tools/causal_bench beside the repository). CPU seconds of
the fit on one thread, after compilation; R package 2.0.3 on a quiet machine. Numbers that were measured: README.md here.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests" / "benchmarks")]

from bench import load, work_folder

# row: generator's arguments, reference CPU seconds, how many times faster is the aim
GRAPHS = {
    "a": ("linear_var --p 10 --n 1000 --seed 1", 2.7, 10),
    "b": ("linear_var --p 10 --n 10000 --seed 1", 28, 10),
    "c": ("nonlinear_ts --p 10 --n 10000 --seed 1", 23, 10),
    "d": ("linear_var --p 50 --n 1000 --seed 1", 32, 10),
    "e": ("cells_ts --p 13 --n 4000 --seed 1", 84, 20),
    "f": ("cells_ts --p 13 --n 46800 --seed 11", 1225, 20),
}
# row: rows, conditions, reference milliseconds
PAIRS = {"g": (1000, 0, 8.5), "g50": (50_000, 0, 439), "h": (1000, 1, 12.7), "i": (1000, 2, 45)}
REPEATS = 5


def tools():
    """Folder of the generator."""
    folder = Path(os.environ.get("CYTOCAUSE_CAUSAL_BENCH") or ROOT.parent / "shared" / "tools" / "causal_bench")
    if not (folder / "generate.py").exists():
        sys.exit(f"no generate.py in {folder}; set CYTOCAUSE_CAUSAL_BENCH")
    return folder


def dataset(arguments):
    """(table, variables) of a generated data set, made once."""
    import pandas as pd

    folder = work_folder("infer")
    command = [sys.executable, str(tools() / "generate.py"), *arguments.split(), "--out", str(folder)]
    name = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1]
    truth = json.loads((folder / f"{name}.truth.json").read_text())
    variables = pd.DataFrame(
        {
            "name": v["name"],
            "kind": "continuous" if v["kind"] == "continuous" else "discrete",
            "role": v["role"],
        }
        for v in truth["variables"]
    )
    return pd.read_csv(folder / f"{name}.csv"), variables


def fit(table, variables, threads=1):
    """(CPU seconds, wall seconds, graph) of one run at three layers, stride 1."""
    from cytocause.infer import infer

    cpu, wall = time.process_time(), time.perf_counter()
    graph = infer(table, variables, {"n_layers": 3, "delta_t": 1}, threads=threads)
    return time.process_time() - cpu, time.perf_counter() - wall, graph


def pair_ms(rows, conditions):
    """CPU milliseconds of one information, the median of several."""
    import numpy as np

    from cytocause.infer import mutual_information

    rng = np.random.default_rng(1)
    x, *u = rng.normal(size=(1 + conditions, rows))
    for column in u:
        x = x + 0.6 * column
    y = 0.7 * x + sum((0.4 * column for column in u), start=np.zeros(rows)) + rng.normal(size=rows)
    kinds = ["continuous"] * (2 + conditions)
    times = []
    for _ in range(REPEATS + 1):
        begin = time.process_time()
        mutual_information(x, y, u, kinds=kinds)
        times.append(time.process_time() - begin)
    return 1000 * sorted(times[1:])[REPEATS // 2]


def main(rows):
    import resource

    fit(*dataset("mixed_ts --p 6 --n 300 --seed 1"))  # compiles, or loads what was compiled
    print(f"{load()}\n| row | data | reference | here | times faster (aim) | peak MB |\n| --- | --- | --- | --- | --- | --- |")
    for row in rows:
        if row in GRAPHS:
            arguments, reference, aim = GRAPHS[row]
            cpu, _, graph = fit(*dataset(arguments))
            unit, what = "s", f"{arguments} ({graph.run['counts']['estimates']} estimates)"
        else:
            (n, conditions, reference), aim = PAIRS[row], 10
            cpu, unit, what = pair_ms(n, conditions), "ms", f"I(x;y) given {conditions}, N={n:,}"
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"| {row} | `{what}` | {reference:g} {unit} | {cpu:.3g} {unit} | {reference / cpu:.1f} ({aim}) | {peak:.0f} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or [*"abcde", *PAIRS])
