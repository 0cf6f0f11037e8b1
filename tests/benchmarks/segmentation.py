"""How well a segmentation model finds cells, beside Otsu and watershed in the same run.

    simulated   frames of the range `test` at four difficulties, masks known         AP at IoU 0.5 and 0.75, recall, precision
    nk_mcf7     real MCF-7 nuclei beside NK cells, targets annotated                 the same, sharp and blurred frames apart
    celltk      real dense nuclei, no truth                                          counts from frame to frame
    usiigaci    real phase contrast, cells outlined by hand, in no model's range     AP at IoU 0.5

    python tests/benchmarks/segmentation.py                                  both shipped models
    python tests/benchmarks/segmentation.py --model my.pt --as toc-nuclei --only simulated nk_mcf7 --overlays folder

Real data: ../shared/data or $CYTOCAUSE_DATA; a set that is not there is left out, and the run says so. No model, setting or
bound of this project was chosen by these numbers.
"""

import argparse
import csv
import json
import os
from pathlib import Path

import bench
import numpy as np
from scipy.ndimage import gaussian_filter, gaussian_laplace

from cytocause.io import open_labels, open_movie
from cytocause.segment.cellpose3 import Cellpose3, asinh_scale
from cytocause.segment.evaluate import pooled_precision
from cytocause.segment.models import resolve_model
from cytocause.segment.normalise import has_cells, normalise
from cytocause.segment.recipe import RECIPES, scored
from cytocause.segment.relabel import relabel
from cytocause.segment.threshold import threshold_masks
from cytocause.simulate.ranges import LEVELS
from cytocause.simulate.training import training_frames

PARTS = ("simulated", "nk_mcf7", "celltk", "usiigaci")
DATA = Path(os.environ.get("CYTOCAUSE_DATA") or bench.ROOT.parent / "shared" / "data")
SEED = 4001  # of the simulated frames; the cards use another
SMALLEST_AREA = 0.1  # of a disc of the diameter: the default of segment.min_area_fraction

# A frame of nk_mcf7 is sharp when `sharpness` is above this. Fixed from the 20 images alone, before any mask was scored: ordered
# by sharpness, frames whose nuclei have no edge (0.5e-4 to 1.5e-4, nine of them) end below it, and those with an edge begin at 2e-4.
SHARP_ABOVE = 1.7e-4
SHARPNESS_SIGMA_PX = 3.0  # 0.93 um at 0.311 um a pixel: above the noise, well below a nucleus of 11 um
NK_GATE = 0.6  # of the median target's diameter: what is smaller is left out, because NK nuclei are not annotated

CELLTK_DIAMETER_PX = 12.0  # dense_nuclei_cy5, config/examples/celltk_reporter_frames
USIIGACI_DIAMETER_PX = 52.0  # 45 um at 0.87 um a pixel, config/examples/usiigaci_t98g_phase


class Threshold:
    """Engine `threshold`, called as a network is; without settings as it is by default."""

    def __init__(self, **settings):
        self.settings = settings

    def segment(self, image, diameter):
        """Masks of an image on the scale 0..1."""
        return threshold_masks(np.clip(image, 0, 1) if self.settings else image, diameter, self.settings)


# Engine `threshold` keeps clear of the noise of the background, which in frames full of cells it measures on cells; `otsu`
# is the textbook's: Otsu's level of the clipped image and the same watershed.
YARDSTICKS = {"threshold": Threshold(), "otsu": Threshold(noise_sd=0.0)}


def limits(image):
    """What prepare would find for a movie of this one image."""
    low, high = np.percentile(image, (0.5, 99.8))
    return {"low": low, "high": high}


def masks_of(engine, image, diameter, scale=None):
    """Masks of a raw image as the stage `segment` makes them with its default settings."""
    image = normalise(image, scale or limits(image))
    if not has_cells(image, diameter):
        return np.zeros(image.shape, np.int32)
    return relabel(engine.segment(image, diameter), SMALLEST_AREA * np.pi / 4 * diameter**2)


# --- simulated -----------------------------------------------------------------------------------------------------------


def score_simulated(engine, recipe, n):
    """{level: {population: scores}} on n frames of each difficulty."""
    found = {}
    for level in LEVELS:
        cfg = {"mode": recipe.mode, "range": "test", "difficulty": level}
        pairs = {
            population: [(truth, masks_of(engine, image, diameter)) for image, truth, diameter in part]
            for population, part in scored(recipe, training_frames(SEED, n, cfg)).items()
        }
        found[level] = {name: pooled_precision(*zip(*part)) for name, part in pairs.items()}
    return found


# --- real ----------------------------------------------------------------------------------------------------------------


def sharpness(image):
    """Variance of the Laplacian of the image, relative to the variance of the image, both at SHARPNESS_SIGMA_PX.

    On the grey scale that networks see (limits, asinh), so that one very bright nucleus does not decide.
    """
    scaled = asinh_scale(np.clip(normalise(image, limits(image)), 0.0, 1.0))
    inner = (slice(8, -8), slice(8, -8))
    edges = gaussian_laplace(scaled, SHARPNESS_SIGMA_PX)[inner].var()
    return float(edges / gaussian_filter(scaled, SHARPNESS_SIGMA_PX).var())


def coculture():
    """(name, image of all nuclei, labels of the MCF-7 nuclei) of each image of nk_mcf7; the index names some twice."""
    folder = DATA / "nk_mcf7_coculture_celldetective"
    with open(folder / "index.csv", newline="") as file:
        rows = {row["image"]: row for row in csv.DictReader(file)}
    for name, row in rows.items():
        channel = row["channels"].split("|").index("live_nuclei_channel")
        with open_movie(folder / "mcf7_nuclei" / f"{name}.tif", axes="CYX") as movie:
            image = np.asarray(movie.frame(0, channel), np.float32)
        with open_labels(folder / "mcf7_nuclei" / f"{name}_nuclei.tif", axes="YX") as labels:
            yield name, image, labels.frame(0)


def without_small(labels, smallest):
    """Labels without the objects of a smaller diameter (px)."""
    return relabel(labels, np.pi / 4 * smallest**2)


def score_coculture(engine, overlays=None):
    """{"sharp": scores, "blurred": scores, "frames": {name: ...}}; one diameter for the set, as one movie has."""
    frames = list(coculture())
    areas = np.concatenate([np.bincount(labels.ravel())[1:] for _, _, labels in frames])
    diameter = float(np.median(np.sqrt(4 / np.pi * areas[areas > 0])))
    pairs, single = {"sharp": [], "blurred": []}, {}
    for name, image, labels in frames:
        truth, found = (
            without_small(masks, NK_GATE * diameter) for masks in (labels, masks_of(engine, image, diameter))
        )
        value = sharpness(image)
        kind = "sharp" if value > SHARP_ABOVE else "blurred"
        pairs[kind].append((truth, found))
        single[name] = {"sharpness": round(value, 6), **pooled_precision([truth], [found])}
        draw(overlays, f"nk_mcf7_{kind}_{name}", image, found, truth)
    return {
        "diameter_px": round(diameter, 1),
        **{kind: pooled_precision(*zip(*part)) for kind, part in pairs.items()},
        "frames": single,
    }


def score_celltk(engine, overlays=None):
    """Counts of ten frames of dense nuclei, limits of the whole movie, and the largest step between two of them."""
    with open_movie(DATA / "celltk_reporter_frames" / "dense_nuclei_cy5_605-614.tif", axes="TYX") as movie:
        images = [np.asarray(movie.frame(t), np.float32) for t in range(10)]
    scale = limits(np.stack(images))
    counts = []
    for t, image in enumerate(images):
        masks = masks_of(engine, image, CELLTK_DIAMETER_PX, scale)
        counts.append(int(masks.max()))
        if t == 0:
            draw(overlays, "celltk_dense", image[:400, :400], masks[:400, :400])
    steps = np.abs(np.diff(counts)) / np.maximum(counts[:-1], 1)
    return {"counts": counts, "largest_step": round(float(steps.max()), 4)}


def score_usiigaci(engine, overlays=None):
    """Scores on the six phase-contrast images outlined by hand."""
    pairs = []
    for path in sorted((DATA / "usiigaci_t98g_phase" / "manual_masks").glob("*_raw.tif")):
        with open_movie(path, axes="YX") as movie:
            image = np.asarray(movie.frame(0), np.float32)
        with open_labels(path.with_name(path.name.replace("_raw", "_instances")), axes="YX") as labels:
            truth = relabel(labels.frame(0))
        found = masks_of(engine, image, USIIGACI_DIAMETER_PX)
        pairs.append((truth, found))
        draw(overlays, f"usiigaci_{path.stem}", image, found, truth)
    return pooled_precision(*zip(*pairs))


def draw(folder, name, image, found, truth=None):
    """A picture with the outlines of what was found (yellow) and of the truth (cyan)."""
    if folder is None:
        return
    from skimage.io import imsave
    from skimage.segmentation import find_boundaries

    grey = np.clip(normalise(image, limits(image)), 0, 1) ** 0.5
    picture = np.repeat(grey[..., None], 3, axis=-1)
    if truth is not None:
        picture[find_boundaries(truth, mode="inner")] = (0, 0.8, 1)
    picture[find_boundaries(found, mode="inner")] = (1, 0.9, 0)
    Path(folder).mkdir(parents=True, exist_ok=True)
    imsave(Path(folder) / f"{name}.png", (255 * picture).astype(np.uint8), check_contrast=False)


# --- the run -------------------------------------------------------------------------------------------------------------


def run(engine, recipe, parts, n, overlays=None):
    """All the parts that apply, as one dict."""
    real = {"nk_mcf7": score_coculture, "celltk": score_celltk, "usiigaci": score_usiigaci}
    if recipe.mode == "brightfield_chip":  # fluorescence tells nothing of it
        real = {"usiigaci": score_usiigaci}
    found = {"simulated": score_simulated(engine, recipe, n)} if "simulated" in parts else {}
    for part in [part for part in parts if part in real]:
        if DATA.is_dir():
            found[part] = real[part](engine, overlays)
        else:
            print(f"{part}: no data at {DATA}; set CYTOCAUSE_DATA")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", nargs="*", default=list(RECIPES), help="names or files; default: the shipped ones")
    parser.add_argument("--as", dest="like", choices=list(RECIPES), help="of a file: the shipped model that it is like")
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS)
    parser.add_argument("--frames", type=int, default=24, help="simulated frames of each difficulty")
    parser.add_argument("--overlays", help="folder for pictures with outlines")
    given = parser.parse_args()
    for model in given.model:
        recipe = RECIPES[given.like or model]
        for name, engine in {model: Cellpose3(resolve_model(model)), **YARDSTICKS}.items():
            overlays = Path(given.overlays) / Path(name).stem if given.overlays else None
            scores = run(engine, recipe, given.only, given.frames, overlays)
            print(json.dumps({"engine": name, "mode": recipe.mode, **scores}, indent=1), flush=True)


if __name__ == "__main__":
    main()
