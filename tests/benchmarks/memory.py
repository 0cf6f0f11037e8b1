"""Peak memory of every stage that reads pixels, for a short and a long movie; of every table stage, against its table.

    pixels   600 frames of 512 x 512, two channels, a few cells  :  at most 1.10 x the peak for 60
    tables   (peak - peak with a table of a few rows) / size     :  at most 3; size is what pandas says the table takes, its
             texts counted as 8 bytes a row (DataFrame.memory_usage()), so that interpreter and imports do not count

    python tests/benchmarks/memory.py pixels [--frames 60 600] [--cellpose-frames 60 200] [--only prepare track ...]
    python tests/benchmarks/memory.py tables [--only assemble infer fate report]

Every stage's own script runs in an interpreter of its own. A first run on 12 frames fills numba's cache, so that no compiler is
in the numbers. cellpose gets fewer frames: it takes about a second of CPU for each.
"""

import argparse
import json
from pathlib import Path

import bench
import numpy as np
import pandas as pd

SIDE, PIXEL_UM, INTERVAL_MIN = 512, 1.0, 10.0
CHANNELS = ("tumour", "immune")
RADIUS = {"tumour": 9, "immune": 4}
BRIGHT = 300
PIXEL_STAGES = ("prepare", "segment threshold", "segment cellpose", "track", "measure", "overlay", "score")
WARM = 12
TABLE_RUNS = 3  # medians: when freed memory goes back to the system is a matter of time


# --- pixels --------------------------------------------------------------------------------------------------------------


def places(population, t):
    """Centres of the cells of one frame, (n, 2): slow circles, never near each other."""
    home = np.array([[y, x] for y in (110, 260, 410) for x in (130, 380)], float)
    if population == "immune":
        home = home[:4] + (0, 40)
    phase = np.arange(len(home)) + t / 12
    return home + 10 * np.column_stack([np.sin(phase), np.cos(phase)])


def label_frame(population, t):
    labels = np.zeros((SIDE, SIDE), np.int32)
    r = RADIUS[population]
    for number, (y, x) in enumerate(places(population, t), 1):
        top, left = int(y) - r - 1, int(x) - r - 1
        yy, xx = np.mgrid[top : top + 2 * r + 4, left : left + 2 * r + 4]
        labels[top : top + 2 * r + 4, left : left + 2 * r + 4][np.hypot(yy - y, xx - x) < r] = number
    return labels


def movie_frames(n):
    noise = np.random.default_rng(1).poisson(30, (SIDE, SIDE)).astype(np.uint16) + 70
    for t in range(n):
        yield np.stack([np.roll(noise, (37 * t, 11 * t), (0, 1)) + (BRIGHT * (label_frame(c, t) > 0)).astype(np.uint16) for c in CHANNELS])


def make_movie(folder, n):
    """A movie and the true labels of n frames, made once."""
    from cytocause.io import write_label_channels, write_movie

    folder.mkdir(parents=True, exist_ok=True)
    times = [INTERVAL_MIN * t for t in range(n)]
    shared = {"channel_names": list(CHANNELS), "pixel_size_um": PIXEL_UM, "time_min": times}
    if not (folder / "movie.ome.tif").exists():
        write_movie(folder / "movie.ome.tif", movie_frames(n), **shared)
    if not (folder / "truth.ome.tif").exists():
        truth = (np.stack([label_frame(c, t) for c in CHANNELS]) for t in range(n))
        write_label_channels(folder / "truth.ome.tif", truth, n_frames=n, height=SIDE, width=SIDE, **shared)


def pixel_jobs(folder, cfg):
    """The chain of stages over one movie, in order: {name: job}."""
    f = {name: str(folder / name) for name in ("movie.ome.tif", "truth.ome.tif", "movie.json", "labels.ome.tif", "tracks.parquet")}
    f |= {name: str(folder / name) for name in ("cells.parquet", "events.parquet", "model.yaml", "edges.tsv", "graph.json")}
    movie, own = [f["movie.ome.tif"]], {"sample": "bench", "population": "tumour", "levels": {}, "corrections": []}

    def out(stage, **named):
        return {name: str(folder / file) for name, file in named.items()} | {"status": str(folder / f"{stage}.status.json")}

    def segment(engine, to):
        entry = {"population": "tumour", "channel": "tumour", "model": "toc-nuclei", "diameter_um": 18, "polarity": "bright"}
        section = {key: value for key, value in cfg["segment"].items() if key not in ("populations", "train")}
        weights = [str(bench.ROOT / "resources" / "cellpose" / "toc-nuclei.pt")] if engine == "cellpose" else []
        return {
            "stage": "segment",
            "input": {"movie": movie, "meta": f["movie.json"], "given": [], "model": weights},
            "output": out(f"segment-{engine}", labels=to, counts=f"{engine}.tsv", model=f"{engine}.json"),
            "cfg": {**section, **entry, "engine": engine, "sample": "bench"},
        }

    section = {name: {**cfg[name], **own} for name in ("track", "measure", "fate")}
    read = {"movie": movie, "meta": f["movie.json"], "labels": [f["labels.ome.tif"]]}
    return {
        "prepare": {
            "stage": "prepare",
            "input": {"movie": movie, "labels": [], "tracks": [], "cells": [], "times": []},
            "output": out("prepare", movie="movie.json", qc="qc.tsv", figure="qc.png"),
            "cfg": {**cfg["prepare"], "sample": "bench", "row": {}, "channels": list(CHANNELS)},
        },
        "segment threshold": segment("threshold", "labels.ome.tif"),
        "segment cellpose": segment("cellpose", "cellpose.ome.tif"),
        "track": {
            "stage": "track",
            "input": {**read, "given": []},
            "output": out("track", tracks="tracks.parquet", geff="lineage.geff", ctc="ctc"),
            "cfg": section["track"],
        },
        "measure": {
            "stage": "measure",
            "input": {
                **read,
                "tracks": f["tracks.parquet"], "others": [f["tracks.parquet"]], "given": [],
                "status": [str(folder / "track.status.json")],
            },
            "output": out("measure", cells="cells.parquet"),
            "cfg": {**section["measure"], "others": ["immune"]},
        },
        "fate": {
            "stage": "fate",
            "input": {"cells": f["cells.parquet"], "tracks": f["tracks.parquet"], "meta": f["movie.json"], "given": []},
            "output": out("fate", events="events.parquet"),
            "cfg": section["fate"],
        },
        "overlay": {
            "stage": "overlay",
            "input": {**read, "tracks": f["tracks.parquet"], "events": f["events.parquet"]},
            "output": out("overlay", film="overlay.mp4", still="overlay.png"),
            "cfg": {**cfg["report"]["overlay"], "sample": "bench", "population": "tumour", "population_channel": "tumour"},
        },
        "score": {
            "stage": "score",
            "input": {
                "truth_labels": [f["truth.ome.tif"]],
                "truth_tracks": [f["tracks.parquet"]],
                "truth_events": [f["events.parquet"]],
                "truth_variables": [f["cells.parquet"]],
                "truth_graph": [],
                "meta": [f["movie.json"]],
                "labels": [f["labels.ome.tif"]],
                "tracks": [f["tracks.parquet"]],
                "cells": [f["cells.parquet"]],
                "events": [f["events.parquet"]],
            },
            "output": {"scorecard": str(folder / "scorecard.json"), "table": str(folder / "scorecard.tsv")},
            "cfg": {**cfg["score"], "samples": ["bench"], "populations": ["tumour"], "conditions": [], "chips": {}},
        },
    }


def pixels(args):
    cfg = bench.config()
    wanted = set(args.only or PIXEL_STAGES)
    base = bench.work_folder("memory")
    peaks = {}
    sizes = sorted({WARM, *args.frames, *args.cellpose_frames})
    for n in sizes:
        folder = base / str(n)
        make_movie(folder, n)
        (folder / "graph.json").write_text("{}")
        (folder / "edges.tsv").write_text("source\ttarget\n")
        jobs = pixel_jobs(folder, cfg)
        chain = [name for name in jobs if name != "segment cellpose"]
        last = max([chain.index(name) for name in wanted if name in chain], default=0 if "segment cellpose" in wanted else -1)
        for name, job in jobs.items():
            used = args.cellpose_frames if name == "segment cellpose" else args.frames
            measured = name in wanted and (n == WARM or n in used)
            before = name in chain[: last + 1] and not made(job)  # what a wanted stage reads
            if measured or before:
                peak, cpu = bench.peak_of(job, folder)
                if n in used and name in wanted:
                    peaks.setdefault(name, []).append((n, peak, cpu))
                    print(f"{name}, {n} frames: {peak:.0f} MiB, {cpu:.0f} CPU s", flush=True)
    print("\n| stage | frames | peak (MiB) | ratio | bound 1.10 |\n|---|---|---|---|---|")
    for name in PIXEL_STAGES:
        if len(peaks.get(name, [])) == 2:
            (few, low, _), (many, high, _) = peaks[name]
            print(f"| {name} | {few}, {many} | {low:.0f}, {high:.0f} | {high / low:.3f} | {'held' if high <= 1.1 * low else 'MISSED'} |")


def made(job):
    return all(Path(path).exists() for path in job["output"].values())


# --- tables --------------------------------------------------------------------------------------------------------------


def cells_table(sample, n_tracks, n_frames, seed=0):
    """A cells table as `measure` writes it, of made-up values."""
    from cytocause.measure import cell_columns

    rng = np.random.default_rng(seed)
    n = n_tracks * n_frames
    frame = np.tile(np.arange(n_frames, dtype=np.int32), n_tracks)
    given = {
        "sample": np.full(n, sample, object),
        "population": np.full(n, "tumour", object),
        "cell_type": np.full(n, "tumour", object),
        "track_id": np.repeat(np.arange(1, n_tracks + 1), n_frames),
        "frame": frame,
        "time_min": frame * INTERVAL_MIN,
        "label": np.ones(n, np.int32),
        "border": np.zeros(n, bool),
    }
    names = cell_columns("um", CHANNELS, CHANNELS)
    return pd.DataFrame({name: given[name] if name in given else rng.normal(100, 10, n) for name in names})


def table_size(*tables):
    """What the tables take in memory (MiB), texts as 8 bytes a row."""
    return sum(int(table.memory_usage(index=False).sum()) for table in tables) / 2**20


def meta_of(sample, n_frames):
    return {
        "sample": sample, "unit": "um", "frames": list(range(n_frames)), "time_min": [INTERVAL_MIN * t for t in range(n_frames)],
        "n_frames": n_frames, "frame_interval_min": INTERVAL_MIN, "pixel_size_um": PIXEL_UM, "height": SIDE, "width": SIDE,
        "channels": list(CHANNELS), "drift_px": [[0.0, 0.0]] * n_frames, "intensity": {},
    }


def write_sample(folder, sample, n_tracks, n_frames, seed):
    from cytocause.io import empty_table, write_json, write_table

    cells = cells_table(sample, n_tracks, n_frames, seed)
    tracks = cells.assign(parent_id=np.int64(0), source="auto")[list(empty_table("tracks").columns)]
    paths = {name: str(folder / f"{sample}.{name}") for name in ("cells.parquet", "tracks.parquet", "events.parquet", "movie.json", "status.json")}
    write_table(cells, paths["cells.parquet"])
    write_table(tracks, paths["tracks.parquet"])
    write_table(empty_table("events"), paths["events.parquet"])
    write_json(meta_of(sample, n_frames), paths["movie.json"])
    write_json({"sample": sample, "population": "tumour", "ok": True}, paths["status.json"])
    return paths, table_size(cells, tracks)


def fate_job(folder, cfg, size):
    n_tracks = {"small": 20, "large": 1500}[size]
    paths, mib = write_sample(folder, "one", n_tracks, 100, 0)
    job = {
        "stage": "fate",
        "input": {"cells": paths["cells.parquet"], "tracks": paths["tracks.parquet"], "meta": paths["movie.json"], "given": []},
        "output": {"events": str(folder / "found.parquet"), "status": str(folder / "fate.status.json")},
        "cfg": {**cfg["fate"], "sample": "one", "population": "tumour", "levels": {}, "corrections": []},
    }
    return job, lambda: mib


def assemble_job(folder, cfg, size):
    from cytocause.io import read_table

    n_tracks = {"small": 5, "large": 400}[size]
    names = [f"chip_{k}" for k in range(8)]
    paths = [write_sample(folder, name, n_tracks, 100, k)[0] for k, name in enumerate(names)]
    samples = [
        {"sample": name, "conditions": {"treatment": k % 2, "CAF_presence": k // 2 % 2}, "levels": {"chip": name}} for k, name in enumerate(names)
    ]
    variables = ["death", "division", "area_um2", "eccentricity", "speed_smooth_um_min", "circularity", "directionality", "n_immune_r1"]
    output = {"table": "table.parquet", "variables": "variables.tsv", "design": "design.json", "failed": "failed.tsv"}
    job = {
        "stage": "assemble",
        "input": {
            name: [p[file] for p in paths]
            for name, file in (("cells", "cells.parquet"), ("tracks", "tracks.parquet"), ("events", "events.parquet"), ("meta", "movie.json"), ("status", "status.json"))
        },
        "output": {name: str(folder / file) for name, file in output.items()},
        "cfg": {
            **cfg["assemble"],
            "max_rows": None,
            "variables": variables, "samples": samples, "populations": ["tumour"], "exposures": [],
            "conditions": [{"name": c, "kind": "binary", "reference": 0, "levels": None} for c in ("treatment", "CAF_presence")],
        },
    }
    return job, lambda: table_size(read_table(folder / "table.parquet"))


def infer_job(folder, cfg, size):
    from cytocause.io import write_json, write_table

    n_tracks, n_frames = {"small": 40, "large": 3000}[size], 50
    rng = np.random.default_rng(0)
    columns = {
        "trajectory": np.repeat([f"chip_{k % 8}:{k}" for k in range(n_tracks)], n_frames).astype(object),
        "time_step": np.tile(np.arange(n_frames, dtype=np.int32), n_tracks),
        "treatment": np.repeat(np.arange(n_tracks) % 2, n_frames),
    }
    for k in range(7):
        noise = rng.normal(size=(n_tracks, n_frames))
        walk = noise.copy()
        for t in range(1, n_frames):
            walk[:, t] = 0.5 * walk[:, t - 1] + noise[:, t]
        columns[f"v{k}"] = walk.ravel()
    table = pd.DataFrame(columns)
    table["sample"] = table["trajectory"].str.split(":").str[0]
    variables = pd.DataFrame(
        [{"name": "treatment", "kind": "discrete", "role": "contextual"}]
        + [{"name": f"v{k}", "kind": "continuous", "role": "dynamic"} for k in range(7)]
    )
    write_table(table, folder / "table.parquet")
    write_table(variables, folder / "variables.tsv")
    write_json({"frame_interval_min": INTERVAL_MIN, "time_step_frames": 1, "time_step_min": INTERVAL_MIN}, folder / "design.json")
    output = {"edges": "edges.tsv", "raw": "raw.tsv", "triples": "triples.tsv", "graphml": "graph.graphml", "json": "graph.json", "run": "run.json"}
    job = {
        "stage": "infer",
        "input": {name: str(folder / file) for name, file in (("table", "table.parquet"), ("variables", "variables.tsv"), ("design", "design.json"))},
        "output": {name: str(folder / file) for name, file in output.items()},
        "cfg": {**cfg["infer"], "n_layers": 3, "delta_t": 1},
    }
    return job, lambda: table_size(table)


def report_job(folder, cfg, size):
    """The whole page, without films and pictures: its large input is the table."""
    from cytocause.io import write_json, write_table
    from tests.report import experiment

    data = experiment.data()
    table = data["table"]
    copies = {"small": 1, "large": 120}[size]
    parts = [table.assign(trajectory=table["trajectory"].str.replace(":", f":{k}_", regex=False)) for k in range(copies)]
    table = pd.concat(parts, ignore_index=True)
    path = {name: str(folder / name) for name in ("table.parquet", "variables.tsv", "design.json", "failed.tsv", "edges.tsv", "graph.json", "run.json")}
    for name in ("table.parquet", "variables.tsv", "failed.tsv", "edges.tsv"):
        write_table(table if name == "table.parquet" else data[name.split(".")[0]], path[name])
    for name in ("design", "graph", "run"):
        write_json(data[name], path[f"{name}.json"])
    nothing = {name: [] for name in ("meta", "qc", "counts", "segment", "tracks", "events", "films", "stills", "status", "scorecard")}
    job = {
        "stage": "report",
        "input": {
            **nothing,
            **{name: path[f"{name}.tsv"] for name in ("variables", "failed", "edges")},
            "table": path["table.parquet"], "design": path["design.json"], "json": path["graph.json"], "run": path["run.json"],
        },
        "output": {"report": str(folder / "report.html")},
        "cfg": data["cfg"],
    }
    return job, lambda: table_size(table)


TABLE_JOBS = {"assemble": assemble_job, "infer": infer_job, "fate": fate_job, "report": report_job}


def tables(args):
    cfg = bench.config()
    print("| stage | table (MiB) | peak, few rows (MiB) | peak (MiB) | times the table | bound 3 |\n|---|---|---|---|---|---|", flush=True)
    for name in args.only or TABLE_JOBS:
        found = {}
        for size in ("small", "large"):
            folder = bench.work_folder(f"memory/tables/{name}-{size}")
            job, mib = TABLE_JOBS[name](folder, cfg, size)
            if size == "small":
                bench.peak_of(job, folder)  # fills numba's cache
            peaks, times = zip(*(bench.peak_of(job, folder) for _ in range(TABLE_RUNS)))
            found[size] = (bench.median(peaks), bench.median(times), mib())
        (base, _, _), (peak, cpu, size) = found["small"], found["large"]
        times = (peak - base) / size
        print(f"| {name} | {size:.1f} | {base:.0f} | {peak:.0f} | {times:.2f} | {'held' if times <= 3 else 'MISSED'} | ({cpu:.0f} CPU s)", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("pixels", "tables"))
    parser.add_argument("--frames", type=int, nargs=2, default=[60, 600])
    parser.add_argument("--cellpose-frames", type=int, nargs=2, default=[60, 200])
    parser.add_argument("--only", nargs="+")
    args = parser.parse_args()
    print(json.dumps({"load": bench.load()}))
    pixels(args) if args.what == "pixels" else tables(args)


if __name__ == "__main__":
    main()
