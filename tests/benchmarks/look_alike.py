"""Simulated movies beside real ones: pictures side by side, and what both hold in numbers.

    real frames ---- the same network, the same assignment ----> size, axis ratio, brightness, steps, density
    simulated  ------------------- " -------------------------> the same, in one table and as histograms

    python tests/benchmarks/look_alike.py [folder of real data]        needs celltk_reporter_frames,
                                          nk_mcf7_coculture_celldetective and usiigaci_t98g_phase
    --publish resources/pictures          small PNGs of the histograms and of real beside simulated, where the licence of the real frames
                                          allows it (MIT); of the co-culture, which is for non-commercial use, our side alone

Both sides of a row are segmented by the shipped network with the same diameter (the phase-contrast row: real masks by hand and steps of the published tracks,
ours the truth), so that its faults are on both. Frames are single worlds drawn to the size and density of the real ones; nothing was fitted.
"""

import argparse
import csv
import os
import sys
from itertools import pairwise
from pathlib import Path

import bench
import numpy as np
import pandas as pd

ROOT = bench.ROOT
SEED = 111
PICTURES = {  # name of the published picture, and whether it may hold real frames
    "celltk_reporter_frames": ("beside_dense_nuclei", True),
    "nk_mcf7_coculture_celldetective": ("simulated_coculture", False),
    "usiigaci_t98g_phase": ("beside_phase_contrast", True),
}
SHOWN_PX = 256
EDGE_PX = 2  # objects cut by the border are not measured


def simulated(n_frames, side, imaging=None, brightfield=None, model="tumour_on_chip", conditions=None, **changes):
    """A movie and its masks, (T, C, Y, X) each."""
    from cytocause.simulate import SimulatedChip, parse_model

    cfg = {**bench.config()["simulate"], "seed": SEED, "n_frames": n_frames, "height": side, "width": side, **changes}
    bright = {**cfg["imaging"]["brightfield"], **(brightfield or {})}
    cfg["imaging"] = {**cfg["imaging"], **(imaging or {}), "brightfield": bright}
    path = ROOT / "resources" / "causal_models" / f"{model}.yaml"
    chip = SimulatedChip(parse_model(path.read_text(encoding="utf-8"), path.name), cfg, "chip_01", conditions or {"treatment": 1, "CAF_presence": 0})
    if imaging and imaging.get("blur_per_depth") and not any(rows.get("depth_um", np.zeros(1)).any() for rows in chip.history.tumour):
        give_depth(chip)
    return np.stack(list(chip.image_frames())), np.stack(list(chip.label_frames()))


def give_depth(chip, sd_um=3.0):
    """Distances from the focal plane for a model that gives its cells none: one number a cell."""
    from cytocause.simulate.seeds import stream

    for name in ("tumour", "immune"):
        for rows in getattr(chip.history, name):
            rows["depth_um"] = np.array([stream(SEED, "depth", name, k).normal(0.0, sd_um) for k in rows["track_id"]])


def segmenter():
    from cytocause.segment.cellpose3 import Cellpose3
    from cytocause.segment.models import SHIPPED

    model = Cellpose3(SHIPPED / "toc-nuclei.pt")

    def masks(image, diameter):
        low, high = np.percentile(image, (0.5, 99.8))
        return model.segment(((image - low) / max(high - low, 1e-6)).astype(np.float32), diameter)

    return masks


def objects(image, masks):
    """Diameter (px), axis ratio, brightness over the background, centre (y, x) of each whole object: dict of (n,) arrays."""
    from skimage.measure import regionprops_table

    found = regionprops_table(
        masks, image.astype(float), properties=("label", "area", "bbox", "centroid", "mean_intensity", "axis_major_length", "axis_minor_length")
    )
    height, width = masks.shape
    whole = (found["bbox-0"] >= EDGE_PX) & (found["bbox-1"] >= EDGE_PX) & (found["bbox-2"] <= height - EDGE_PX) & (found["bbox-3"] <= width - EDGE_PX)
    whole &= found["area"] > 12
    ground = np.median(image[masks == 0])
    return {
        "diameter": np.sqrt(found["area"] * 4 / np.pi)[whole],
        "ratio": (found["axis_major_length"] / np.maximum(found["axis_minor_length"], 1))[whole],
        "light": (found["mean_intensity"] - ground)[whole],
        "y": found["centroid-0"][whole],
        "x": found["centroid-1"][whole],
    }


def steps(frames):
    """Steps between frames in diameters, nearest pairs by assignment, those beyond one diameter left out."""
    from scipy.optimize import linear_sum_assignment

    out = []
    for a, b in pairwise(frames):
        far = np.hypot(a["y"][:, None] - b["y"][None], a["x"][:, None] - b["x"][None])
        size = np.median(a["diameter"])
        i, j = linear_sum_assignment(np.minimum(far, 2 * size))
        gap = far[i, j] / size
        out.append(gap[gap < 1])
    return np.concatenate(out) if out else np.zeros(0)


def noise_share(image, masks):
    """Noise of the empty background over the light of a median object: sd of differences of neighbours / sqrt 2."""
    empty = (masks[:, 1:] == 0) & (masks[:, :-1] == 0)
    rough = np.diff(image.astype(float), axis=1)[empty]
    return 1.4826 * np.median(np.abs(rough - np.median(rough))) / np.sqrt(2)


def summary(images, masks, moved=None):
    """Numbers of one side, over its frames. moved : steps in diameters, where the frames are no movie."""
    per = [objects(image, mask) for image, mask in zip(images, masks)]
    all_of = {key: np.concatenate([one[key] for one in per]) for key in per[0]}
    light = all_of["light"][all_of["light"] > 0]
    area = sum(mask.size for mask in masks) / np.median(all_of["diameter"]) ** 2
    step = steps(per) if moved is None else moved
    ranges = np.quantile(light, (0.02, 0.98))
    return {
        "objects": all_of["diameter"].size,
        "diameter (px, median)": np.median(all_of["diameter"]),
        "diameter (10 to 90 %, of median)": np.quantile(all_of["diameter"], (0.1, 0.9)) / np.median(all_of["diameter"]),
        "axis ratio (median)": np.median(all_of["ratio"]),
        "brightness (sd of ln)": np.std(np.log(light)),
        "brightness (98 % : 2 %)": ranges[1] / max(ranges[0], 1e-6),
        "noise / median light": np.median([noise_share(i, m) for i, m in zip(images, masks)]) / np.median(light),
        "objects in 100 squares of a diameter": 100 * all_of["diameter"].size / area,
        "step a frame (diameters, median)": np.median(step) if step.size else np.nan,
    }, all_of | {"step": step, "light": light / np.median(light)}


def grey(image, low=0.5, high=99.8):
    a, b = np.percentile(image, (low, high))
    return (np.clip((image - a) / max(b - a, 1e-6), 0, 1) * 255).astype(np.uint8)


def rows_of_comparison(data):
    """(name, (real images, masks), (our images, masks), picture of real, picture of ours) for each data set."""
    import tifffile

    masks = segmenter()
    folder = data / "celltk_reporter_frames"
    real = tifffile.imread(folder / "dense_nuclei_cy5_605-614.tif", key=range(5))[:, 280:792, 280:792]
    ours, _ = simulated(
        5, 512, pixel_size_um=1.25, frame_interval_min=10, tumour_density_mm2=780, immune_density_mm2=40,
        imaging={"channels": [{"name": "nuclei", "shows": ["tumour", "immune"]}], "brightness_sd": 0.75, "halo": 0.1, "psf_sigma_um": 1.0,
                 "signal_photons": 600, "background_photons": 35, "blur_per_depth": 0.12, "read_noise": 6},
    )  # fmt: skip
    ours = ours[:, 0]
    yield "celltk_reporter_frames", (real, [masks(i, 12) for i in real]), (ours, [masks(i, 12) for i in ours])

    folder = data / "nk_mcf7_coculture_celldetective"
    real = []
    with open(folder / "index.csv", newline="") as file:
        for row in csv.DictReader(file):
            names = row["channels"].split("|")
            if row["shape"] == "4x512x512" and "live_nuclei_channel" in names and len(real) < 4:
                real.append(tifffile.imread(folder / "mcf7_nuclei" / f"{row['image']}.tif")[names.index("live_nuclei_channel")])
    ours = []
    for k in range(4):
        movie, _ = simulated(
            1, 512, seed=SEED + k, pixel_size_um=0.31, tumour_density_mm2=(150, 600, 900, 1200)[k], immune_density_mm2=(3500, 2500, 2000, 1000)[k],
            imaging={"channels": [{"name": "nuclei", "shows": ["tumour", "immune"]}], "brightness_sd": 0.8, "halo": 0.35, "psf_sigma_um": (0.95, 1.15, 0.5, 0.7)[k],
                     "signal_photons": 500, "background_photons": 60, "blur_per_depth": 0.22, "uneven_light": 0.35},
        )  # fmt: skip
        ours.append(movie[0, 0])
    ours = np.stack(ours)
    still = np.zeros(0)  # single frames of movies: no steps
    yield "nk_mcf7_coculture_celldetective", (real, [masks(i, 24) for i in real], still), (ours, [masks(i, 24) for i in ours], still)

    folder = data / "usiigaci_t98g_phase"
    real, hand = [], []
    for path in sorted((folder / "manual_masks").glob("*_raw.tif")):
        real.append(tifffile.imread(path))
        hand.append(tifffile.imread(str(path).replace("_raw", "_instances")).astype(np.int32))
    table = pd.read_csv(folder / "t98g_tracks.csv.gz").sort_values(["particle", "frame"])
    same = (table["particle"].diff() == 0) & (table["frame"].diff() == 1)
    um = np.hypot(table["y"].diff(), table["x"].diff())[same].to_numpy()
    size_um = 0.87 * np.median([np.sqrt(4 / np.pi * n) for mask in hand for n in np.bincount(mask.ravel())[1:] if n > 12])
    ours, truth = simulated(
        6, 512, pixel_size_um=0.87, tumour_density_mm2=400, immune_density_mm2=100, imaging={"mode": "brightfield_chip", "walls": 1},
    )  # fmt: skip
    yield "usiigaci_t98g_phase", (real, hand, um / size_um), (ours[:, 0], list(truth[:, 0]))


def draw_histograms(rows, path):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(len(rows), 3, figsize=(8.4, 2.1 * len(rows)), layout="constrained")
    for line, (name, _, _, real, ours) in zip(axes, rows):
        spans = {"diameter": np.linspace(0, 2.5, 26), "light": np.geomspace(0.05, 20, 26), "step": np.linspace(0, 0.6, 25)}
        for axis, (key, bins) in zip(line, spans.items()):
            for side, colour in ((real, "0.45"), (ours, "#c4501b")):
                values = side[key] / np.median(side[key]) if key == "diameter" else side[key]
                if values.size:
                    axis.hist(values, bins, density=key != "light", weights=np.full(values.size, 1 / values.size) if key == "light" else None,
                              histtype="step", color=colour, label="real" if colour == "0.45" else "simulated")  # fmt: skip
            axis.set_yticks([])
            if key == "light":
                axis.set_xscale("log")
        line[0].set_ylabel(name.split("_")[0])
    for axis, title in zip(axes[-1], ("diameter / median", "brightness / median", "step a frame / diameter")):
        axis.set_xlabel(title)
    axes[0, 0].legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=80, metadata={"Software": None})


def main():
    from PIL import Image

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", default=os.environ.get("CYTOCAUSE_DATA", ROOT.parent / "shared" / "data"))
    parser.add_argument("--publish", default=None)
    given = parser.parse_args()
    data = Path(given.data)
    if not data.is_dir():
        sys.exit(f"there is no folder {data}; give the folder of the real data sets")
    out = bench.work_folder("look_alike")
    rows = []
    for name, real, ours in rows_of_comparison(data):
        (a, real_values), (b, our_values) = summary(*real), summary(*ours)
        rows.append((name, a, b, real_values, our_values))
        pair = [np.hstack([grey(i[:512, :512]) for i in side[:2]]) for side in (real[0], ours[0])]
        Image.fromarray(np.hstack(pair)).save(out / f"{name}.png")
        print(f"\n{name}, side by side in {out / name}.png\n\n| | real | simulated |\n|---|---|---|")
        for key in a:
            cells = [" to ".join(f"{v:.2f}" for v in np.atleast_1d(side[key])) if key != "objects" else str(side[key]) for side in (a, b)]
            print(f"| {key} | {cells[0]} | {cells[1]} |")
        if given.publish:
            to, with_real = PICTURES[name]
            sides = [grey(side[0][0])[:SHOWN_PX, :SHOWN_PX] for side in ((real, ours) if with_real else (ours,))]
            Image.fromarray(np.hstack(sides)).save(Path(given.publish) / f"{to}.png", optimize=True)
    draw_histograms(rows, out / "histograms.png")
    if given.publish:
        draw_histograms(rows, Path(given.publish) / "simulated_histograms.png")


if __name__ == "__main__":
    main()
