"""The shipped network on real frames it has never seen the like of. Nothing here was used in training or tuning.

Data (not part of the project): nk_mcf7_coculture_celldetective, annotated MCF-7 nuclei beside smaller, unannotated NK
nuclei (so precision is not scored: each NK nucleus would count as false); celltk_reporter_frames, about a thousand dense
nuclei a frame without any truth.
"""

import csv
import itertools

import numpy as np

from cytocause.io import open_labels, open_movie
from cytocause.segment.evaluate import pooled_precision
from cytocause.segment.stream import segment_frames
from cytocause.segment.train import median_diameter

SETTINGS = {"polarity": "bright", "min_contrast_sd": 6.0, "min_area_fraction": 0.1, "max_area_fraction": 0.4}


class Engine:
    def __init__(self, model, diameter):
        self.model, self.diameter = model, diameter

    def masks(self, image, second=None):
        return self.model.segment(image, self.diameter)


def limits(image):
    low, high = np.percentile(image, (0.5, 99.8))
    return {"low": low, "high": high}


def masks_of(model, image, diameter):
    return next(segment_frames([(image, None)], Engine(model, diameter), (limits(image), None), diameter, SETTINGS))


def coculture(folder):
    """(name, image of the nuclei, labels of the MCF-7 nuclei) of each 512 px frame."""
    with open(folder / "index.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["shape"] == "4x512x512"]
    for row in rows:
        channel = row["channels"].split("|").index("live_nuclei_channel")
        with open_movie(folder / "mcf7_nuclei" / f"{row['image']}.tif", axes="CYX") as movie:
            image = movie.frame(0, channel)
        with open_labels(folder / "mcf7_nuclei" / f"{row['image']}_nuclei.tif", axes="YX") as labels:
            yield row["image"], image, labels.frame(0)


def test_mcf7_nuclei_in_a_coculture(shipped, data_root):
    truth, masks = [], []
    for _, image, labels in itertools.islice(coculture(data_root / "nk_mcf7_coculture_celldetective"), 0, None, 3):
        diameter = median_diameter(labels)
        found = masks_of(shipped, image, diameter)
        area = np.bincount(found.ravel())
        found[area[found] < np.pi / 4 * (0.6 * diameter) ** 2] = 0  # NK nuclei
        truth.append(labels)
        masks.append(found)
    assert len(truth) == 5
    assert pooled_precision(truth, masks)["recall50"] >= 0.6


def test_a_thousand_dense_nuclei(shipped, data_root):
    with open_movie(data_root / "celltk_reporter_frames" / "dense_nuclei_cy5_605-614.tif", axes="TYX") as movie:
        image = movie.frame(9)[:540, :540]
    labels = masks_of(shipped, image, 12.0)
    assert 350 <= labels.max() <= 650
    assert 9 < median_diameter(labels) < 13
