"""Engine threshold: it finds discs, cuts touching ones, and needs no torch."""

import os
import subprocess
import sys

import numpy as np
import pytest

from cytocause.segment.engines import make_engine
from cytocause.segment.evaluate import pooled_precision
from cytocause.segment.stream import segment_frames
from cytocause.segment.threshold import threshold_masks
from tests.segment import naive

SETTINGS = {
    "engine": "threshold",
    "polarity": "bright",
    "min_contrast_sd": 6.0,
    "min_area_fraction": 0.1,
    "max_area_fraction": 0.4,
}


def discs(centres, radius=6, side=96, noise=0.03, seed=1):
    """(image, labels) of discs of brightness 1."""
    y, x = np.mgrid[:side, :side]
    labels = np.zeros((side, side), np.int32)
    for number, (cy, cx) in enumerate(centres, 1):
        labels[(np.hypot(y - cy, x - cx) < radius) & (labels == 0)] = number
    image = (labels > 0) + np.random.default_rng(seed).normal(0, noise, labels.shape)
    return image.astype(np.float32), labels


def test_separate_discs_are_found_whole():
    image, labels = discs([(20, 20), (20, 60), (70, 30), (75, 75)])
    scores = pooled_precision([labels], [threshold_masks(image, 12)])
    assert scores["ap75"] == 1.0 and scores["cells"] == 4


def test_two_touching_discs_are_cut_in_two():
    image, labels = discs([(48, 42), (48, 53)])
    masks = threshold_masks(image, 12)
    assert masks.max() == 2
    assert pooled_precision([labels], [masks])["ap75"] == 1.0


def test_few_small_cells_do_not_pull_the_level_into_the_noise():
    image, _ = discs([(48, 48)], radius=4, side=256, noise=0.1)
    stream = segment_frames([(image, None)], make_engine(SETTINGS, 8), ({"low": 0, "high": 1}, None), 8, SETTINGS)
    assert next(stream).max() == 1


@pytest.mark.parametrize("polarity", ["bright", "dark"])
def test_dark_cells_are_found_as_bright_ones_are(polarity):
    image, labels = discs([(20, 20), (60, 60)])
    frame = 1000 + 500 * (image if polarity == "bright" else 1 - image)
    settings = {**SETTINGS, "polarity": polarity}
    found = next(
        segment_frames([(frame, None)], make_engine(settings, 12), ({"low": 1000, "high": 1500}, None), 12, settings)
    )
    assert pooled_precision([labels], [found])["ap50"] == 1.0


def test_precision_equals_the_slow_count():
    truth, masks = discs([(20, 20), (20, 60), (70, 30)])[1], discs([(22, 20), (20, 70), (70, 30), (80, 80)])[1]
    hits, false, missed = naive.average_precision(truth, masks, 0.5)
    assert pooled_precision([truth], [masks])["ap50"] == pytest.approx(hits / (hits + false + missed), abs=1e-4)


def test_it_runs_without_torch():
    code = (
        "import sys, numpy as np\n"
        "from cytocause.segment import make_engine, segment_frames\n"
        f"settings = {SETTINGS!r}\n"
        "frame = np.zeros((64, 64)); frame[20:30, 20:30] = 1\n"
        "frames = segment_frames([(frame, None)], make_engine(settings, 10), ({'low': 0, 'high': 1}, None), 10, settings)\n"
        "assert next(frames).max() == 1\n"
        "assert not {'torch', 'cellpose', 'cv2'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, env=_environment())
    assert done.returncode == 0, done.stderr


def _environment():
    return {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
