"""Speed and memory of simulate: chips with every truth, written to disk by the stage's own script.

    python tests/benchmarks/simulate.py            8 chips of 200 frames of 512 x 512, two at a time, three times; 60, 600 and 1,800 frames
    python tests/benchmarks/simulate.py --chips 2 --frames 60 --repeats 1 --skip-memory

Model `full` (tumour_on_chip where there is none), difficulty medium, fluorescence, two channels. Bounds: 20 frames a second on two
free cores, which is 0.1 CPU s a frame, and 1 GB whatever the number of frames. Wall time means something on a free
machine only; CPU time a frame is printed beside it.
"""

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import bench

OUTPUTS = {
    "movie": "movie.ome.tif", "labels": "labels.ome.tif", "tracks": "tracks.parquet", "events": "events.parquet",
    "variables": "variables.parquet", "variables_hidden": "variables_hidden.parquet", "contacts": "contacts.parquet", "ctc": "ctc", "lineage": "lineage",
    "graph": "graph.json", "seeds": "seeds.json", "status": "status.json",
}  # fmt: skip
SEED = 101


def job(folder, number, frames, side):
    """The script's job for one chip."""
    import yaml

    models = bench.ROOT / "resources" / "causal_models"
    path = next(p for p in (models / "full.yaml", models / "tumour_on_chip.yaml") if p.exists())
    variables = yaml.safe_load(path.read_text(encoding="utf-8"))["variables"]
    conditions = {name: (number >> k) & 1 for k, name in enumerate(n for n, v in variables.items() if v["kind"] == "contextual")}
    cfg = {**bench.config()["simulate"], "seed": SEED, "difficulty": "medium", "n_frames": frames, "height": side, "width": side}
    return {
        "stage": "simulate",
        "input": {"model": str(path)},
        "output": {key: str(folder / name) for key, name in OUTPUTS.items()},
        "cfg": {**cfg, "sample": f"chip_{number + 1:02d}", "model": path.stem, "conditions": conditions},
    }


def draw(number, frames, side):
    """Peak memory (MiB) and CPU time (s) of one chip."""
    folder = bench.work_folder(f"simulate/chip_{number + 1:02d}")
    return bench.peak_of(job(folder, number, frames, side), folder)


def cells_a_frame(number):
    """Masks in a frame of a chip that was drawn, mean over its frames."""
    from cytocause.io import read_table

    table = read_table(bench.work_folder(f"simulate/chip_{number + 1:02d}") / OUTPUTS["tracks"])
    return len(table) / table["frame"].nunique()


def speed(chips, frames, side, repeats):
    draw(0, 3, side)  # compiled code is on the disk from here on
    rates, cost = [], []
    for _ in range(repeats):
        start = time.perf_counter()
        with ThreadPoolExecutor(2) as pool:
            done = list(pool.map(lambda number: draw(number, frames, side), range(chips)))
        wall = time.perf_counter() - start
        rates.append(chips * frames / wall)
        cost.append(sum(cpu for _, cpu in done) / (chips * frames))
        print(f"{chips} chips of {frames} frames, {side} x {side}: {rates[-1]:.1f} frames/s wall, {1000 * cost[-1]:.1f} ms CPU a frame ({bench.load()})", flush=True)
    print(f"median {bench.median(rates):.1f} frames/s, {1000 * bench.median(cost):.1f} ms CPU a frame, {cells_a_frame(0):.0f} masks a frame")


def memory(side):
    # untreated cells overfill a chip of this size after 121 h; with drug and fibroblasts their number stays
    for number, frames in ((0, 60), (0, 600), (3, 1800)):
        peak, cpu = draw(number, frames, side)
        print(f"{frames} frames of chip {number + 1}: peak {peak:.0f} MiB, {1000 * cpu / frames:.1f} ms CPU a frame", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chips", type=int, default=8)
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--skip-memory", action="store_true")
    parser.add_argument("--skip-speed", action="store_true")
    given = parser.parse_args()
    if not given.skip_speed:
        speed(given.chips, given.frames, given.side, given.repeats)
    if not given.skip_memory:
        memory(given.side)


if __name__ == "__main__":
    main()
