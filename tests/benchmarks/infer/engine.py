"""The engine against the recorded CPU seconds of the reference (design/causal-peers.md, "Baselines for the engine").

    python tests/benchmarks/infer/engine.py [ROW ...]      rows a to i; all but f by default
    python tests/benchmarks/infer/engine.py threads [ROW ...]   wall seconds with one and two threads, medians of 5; idle machine
    python tests/benchmarks/infer/engine.py rows           cost in the number of rows, and the peak at 50,000 x 15
    python tests/benchmarks/infer/engine.py start          first call after an install, and a later one
    python tests/benchmarks/infer/engine.py publication [N]     17 variables, 36 trajectories, 200 nodes, 100 shuffles, two threads
    python tests/benchmarks/infer/engine.py far            lags of 20 to 80 steps, 13 layers 7 steps apart

Data: tools/causal_bench (CYTOCAUSE_CAUSAL_BENCH, else ../shared/tools/causal_bench beside the repository). CPU seconds of
the fit on one thread, after compilation; R package 2.0.3 on a quiet machine. Numbers that were measured: README.md here.
"""

import json
import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests" / "benchmarks")]

from bench import load, median, peak_kib, work_folder

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
PAIR_REPEATS = 401  # an information takes milliseconds: what else happens on the machine in them must not decide
LEAST_CALM = 10  # undisturbed calls below which no median of them is given


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


def fit(table, variables, threads=1, config=None):
    """(CPU seconds, wall seconds, graph) of one run, at three layers, stride 1 unless said."""
    from cytocause.infer import infer

    cpu, wall = time.process_time(), time.perf_counter()
    graph = infer(table, variables, config or {"n_layers": 3, "delta_t": 1}, threads=threads)
    return time.process_time() - cpu, time.perf_counter() - wall, graph


def pair_ms(rows, conditions):
    """(CPU milliseconds of one information, the same while the machine was undisturbed, share of calls that were), medians.

    Undisturbed: a fixed loop just before and just after the call took at most a tenth more than its quickest; NaN where fewer than
    LEAST_CALM were. Other guests of the machine slow some minutes down by half, and the reference was measured on a quiet one.
    """
    import numpy as np

    from cytocause.infer import mutual_information

    rng = np.random.default_rng(1)
    x, *u = rng.normal(size=(1 + conditions, rows))
    for column in u:
        x = x + 0.6 * column
    y = 0.7 * x + sum((0.4 * column for column in u), start=np.zeros(rows)) + rng.normal(size=rows)
    kinds = ["continuous"] * (2 + conditions)
    look_ups = fixed_loop()
    times, loops = [], []
    for _ in range(PAIR_REPEATS + 1):
        loops.append(look_ups())
        begin = time.process_time()
        mutual_information(x, y, u, kinds=kinds)
        times.append(time.process_time() - begin)
    loops.append(look_ups())
    times, loops = 1000 * np.array(times[1:]), np.array(loops[1:])
    calm = np.maximum(loops[:-1], loops[1:]) <= 1.1 * loops.min()
    return float(np.median(times)), float(np.median(times[calm])) if calm.sum() >= LEAST_CALM else float("nan"), float(calm.mean())


def fixed_loop():
    """A function that takes as long as the machine lets it, and returns its CPU seconds: look-ups in a table of 8 KB, added up."""
    import numpy as np
    from numba import njit

    @njit
    def add_up(table, places):
        totals = np.zeros(64)
        for _ in range(1000):
            for k in range(64):
                totals[k] += table[places[k]]
        return totals.sum()

    table, places = np.arange(1000.0), np.random.default_rng(0).integers(0, 1000, 64)
    add_up(table, places)

    def timed():
        begin = time.process_time()
        add_up(table, places)
        return time.process_time() - begin

    return timed


def peak_mb():
    """Largest resident memory of this process so far, in MB of 1e6 bytes."""
    return peak_kib() * 1024 / 1e6


def threads(rows):
    """Wall seconds with one thread and with two, and the CPU seconds beside them; medians of REPEATS, in turn.

    Two runs of one thread, in processes of their own and at the same time, say what the second core of this machine is worth.
    """
    print(f"{load()}\n| row | 1 thread | 2 threads | ratio (1.8) | CPU s, 1 and 2 threads | two processes at once | ratio they have |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for row in rows:
        data = dataset(GRAPHS[row][0])
        runs = [[fit(*data, threads=n)[:2] for n in (1, 2)] for _ in range(REPEATS)]
        (cpu_1, wall_1), (cpu_2, wall_2) = ([median(column) for column in zip(*(run[n] for run in runs))] for n in (0, 1))
        with multiprocessing.get_context("spawn").Pool(2) as pool:
            pool.map(fit_wall, [row] * 2)  # what a process loads once
            twins = median([max(pool.map(fit_wall, [row] * 2, chunksize=1)) for _ in range(2)])
        print(
            f"| {row} | {wall_1:.2f} s | {wall_2:.2f} s | {wall_1 / wall_2:.2f} | {cpu_1:.2f}, {cpu_2:.2f} | {twins:.2f} s | {2 * wall_1 / twins:.2f} |",
            flush=True,
        )
        print("  each pair of runs:", ", ".join(f"{one[1]:.1f} / {two[1]:.1f} s" for one, two in runs))
    print(load())


def fit_wall(row):
    """Wall seconds of a row with one thread."""
    return fit(*dataset(GRAPHS[row][0]))[1]


def rows_cost():
    """CPU seconds by rows, the exponent of the last step, and the peak with 15 variables."""
    import math

    # first, before anything larger has been in this process
    cpu, _, _ = fit(*dataset("linear_var --p 15 --n 50000 --seed 1"))
    print(f"linear_var p=15 N=50,000: {cpu:.1f} CPU s, peak of the process {peak_mb():.0f} MB (bound 300)")
    print(f"{load()}\n| rows | CPU s | estimates | CPU ms an estimate | exponent since the row above |\n| --- | --- | --- | --- | --- |")
    last = None
    for n in (1000, 5000, 10_000, 50_000):
        cpu, _, graph = fit(*dataset(f"linear_var --p 10 --n {n} --seed 1"))
        each = 1000 * cpu / graph.run["counts"]["estimates"]
        exponent = "" if last is None else f"{math.log(cpu / last[1]) / math.log(n / last[0]):.2f}"
        print(f"| {n:,} | {cpu:.2f} | {graph.run['counts']['estimates']} | {each:.2f} | {exponent} |", flush=True)
        last = n, cpu


def start():
    """CPU and wall seconds of a process that imports and infers a small table: without compiled kernels, and with."""
    import tempfile

    code = (
        "import numpy as np, pandas as pd; from cytocause.infer import infer; r = np.random.default_rng(0);"
        "t = pd.DataFrame(r.normal(size=(200, 3)), columns=list('abc')).assign(d=np.arange(200) % 3, trajectory=0, time=range(200));"
        "infer(t, None, {'n_layers': 2, 'delta_t': 1}, threads=1)"
    )
    print(f"{load()}\n| start | CPU s | wall s | bound |\n| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "CYTOCAUSE_NUMBA_BASE": folder, "PYTHONPATH": str(ROOT / "scripts")}
        for what, bound in (("first, nothing compiled", 60), ("later", 2), ("later", 2)):
            before, wall = os.times(), time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True, env=env)
            after = os.times()
            cpu = after.children_user + after.children_system - before.children_user - before.children_system
            print(f"| {what} | {cpu:.1f} | {time.perf_counter() - wall:.1f} | {bound} |", flush=True)


def publication(n):
    """The size of the CausalXtract experiment: two conditions, 15 dynamic variables."""
    table, variables = dataset(f"mixed_ts --p 17 --n {n} --trajectories 36 --seed 1")
    name = variables["name"][variables["kind"] == "continuous"].iloc[-1]
    variables.loc[variables["name"] == name, ["kind", "role"]] = "discrete", "contextual"
    table[name] = table["trajectory"].rank(method="dense").astype(int) % 2
    cpu, wall, graph = fit(table, variables, 2, {"max_nodes": 200, "n_shuffles": 100})
    print(
        f"{load()}: {n:,} rows, {graph.run['counts']}, layers {graph.run['parameters']['n_layers']}, stride "
        f"{graph.run['parameters']['delta_t']}: {wall / 60:.1f} min wall (15), {cpu / 60:.1f} min CPU, peak {peak_mb():.0f} MB (2,000); "
        f"seconds by step {({k: round(v, 1) for k, v in graph.run['timings'].items()})}"
    )


# effect of each variable of `far`: cause, lag in steps
FAR = {"b": ("a", 21), "c": ("a", 42), "d": ("b", 56), "e": ("c", 77)}


def far_table(seed, n=8000, trajectories=8):
    """Five slow variables (autocorrelation 0.8 a step), four effects that come 21 to 77 steps after their cause."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(seed)
    parts, steps = [], n // trajectories
    for k in range(trajectories):
        x = {name: np.zeros(steps + 300) for name in "abcde"}
        for t in range(1, steps + 300):
            for name in "abcde":
                x[name][t] = 0.8 * x[name][t - 1] + rng.normal()
                if name in FAR and t >= FAR[name][1]:
                    x[name][t] += 0.8 * x[FAR[name][0]][t - FAR[name][1]]
        parts.append(pd.DataFrame({name: v[300:] for name, v in x.items()}).assign(trajectory=k, time=range(steps)))
    return pd.concat(parts, ignore_index=True)


def far():
    """Which pairs of variables are connected, and whether at the right layer; five seeds, counts summed."""
    layers, stride = 13, 7
    right = wrong = at_lag = 0
    cpus = []
    truth = {frozenset((cause, name)): (cause, lag) for name, (cause, lag) in FAR.items()}
    for seed in range(5):
        cpu, _, graph = fit(far_table(seed), None, config={"n_layers": layers, "delta_t": stride})
        cpus.append(cpu)
        compact = graph.compact(self_loops=False)
        pairs = {frozenset((a, b)) for a, b in zip(compact["source"], compact["target"])}
        right += len(pairs & set(truth))
        wrong += len(pairs - set(truth))
        for cause, lag in truth.values():
            at_lag += any((compact["source"] == cause) & (compact["lag_steps"] == lag))
    total = 5 * len(truth)
    print(
        f"{load()}: skeleton F1 {2 * right / (right + wrong + total):.2f} (precision {right / max(1, right + wrong):.2f}, recall "
        f"{right / total:.2f}), {at_lag} of {total} at the true lag, {median(cpus):.1f} CPU s a graph"
    )


def main(rows):
    fit(*dataset("mixed_ts --p 6 --n 300 --seed 1"))  # compiles, or loads what was compiled
    modes = {"rows": rows_cost, "start": start, "far": far}
    if rows[0] in modes:
        modes[rows[0]]()
    elif rows[0] == "threads":
        threads(rows[1:] or list("bcdef"))
    elif rows[0] == "publication":
        publication(int(rows[1]) if len(rows) > 1 else 46_800)
    else:
        baselines(rows)


def baselines(rows):
    print(f"{load()}\n| row | data | reference | here | times faster (aim) | undisturbed | peak MB |\n| --- | --- | --- | --- | --- | --- | --- |")
    for row in rows:
        undisturbed = ""
        if row in GRAPHS:
            arguments, reference, aim = GRAPHS[row]
            cpu, _, graph = fit(*dataset(arguments))
            unit, what = "s", f"{arguments} ({graph.run['counts']['estimates']} estimates)"
        else:
            (n, conditions, reference), aim = PAIRS[row], 10
            cpu, calm, share = pair_ms(n, conditions)
            unit, what = "ms", f"I(x;y) given {conditions}, N={n:,}"
            undisturbed = f"{calm:.3g} ms, {reference / calm:.1f} ({share:.0%} of calls)"
        print(
            f"| {row} | `{what}` | {reference:g} {unit} | {cpu:.3g} {unit} | {reference / cpu:.1f} ({aim}) | {undisturbed} | {peak_mb():.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:] or [*"abcde", *PAIRS])
