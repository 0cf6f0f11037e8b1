"""The shipped network: how well it finds simulated cells, that it gives the same masks twice, and what its files say."""

import json
import re

import numpy as np
import pytest

from cytocause.segment.evaluate import score_frames
from cytocause.segment.models import SHIPPED, sha256, shipped_models
from cytocause.simulate.training import training_frames

# Of scores, as their range is: seeds below 100 and the range `train` made the training frames, 1,000,001 the frames of the card.
SEED = 177


@pytest.fixture(scope="module")
def frames():
    from cytocause.segment.train import median_diameter

    found = []
    for image, labels in training_frames(SEED, 6, {"range": "test", "difficulty": "medium", "empty": 0}):
        found.append((image[0].astype(np.float32), labels[0], median_diameter(labels[0])))
    return found


def test_simulated_cells_are_found(shipped, frames):
    scores = score_frames(shipped, frames)
    assert scores["cells"] > 100
    assert scores["ap50"] >= 0.9, scores


def test_the_same_masks_twice_and_with_two_threads(shipped, frames):
    import torch

    image, _, diameter = max(frames, key=lambda frame: frame[1].max())
    scaled = ((image - image.min()) / np.ptp(image)).astype(np.float32)
    masks = []
    for threads in (1, 1, 2):
        torch.set_num_threads(threads)
        masks.append(shipped.segment(scaled, diameter))
    torch.set_num_threads(1)
    assert masks[0].max() > 20
    assert (masks[0] == masks[1]).all() and (masks[0] == masks[2]).all()


def test_twice_as_large_on_the_sensor_gives_the_same_cells(shipped, frames):
    image, labels, diameter = (part[:128, :128] if np.ndim(part) else part for part in frames[1])
    twice = np.kron(image, np.ones((2, 2), np.float32))
    scores = score_frames(shipped, [(twice, np.kron(labels, np.ones((2, 2), np.int32)), 2 * diameter)])
    assert scores["ap50"] >= 0.85, scores


def test_memory_does_not_grow_with_the_number_of_frames(shipped):
    import resource

    def peak_mib():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    image = np.random.default_rng(0).random((192, 192), dtype=np.float32)
    for _ in range(4):
        shipped.segment(image, 18.0)
    before = peak_mib()
    for _ in range(12):
        shipped.segment(image, 18.0)
    assert peak_mib() - before < 40


def test_the_card_is_that_of_the_file():
    card = json.loads((SHIPPED / "toc-nuclei.json").read_text())
    weights = shipped_models()["toc-nuclei"]
    assert card["sha256"] == sha256(weights) and card["bytes"] == weights.stat().st_size < 1.2e6
    assert card["scores_held_out"]["ap50"] >= 0.9
    readme = (SHIPPED / "README.md").read_text()
    assert card["sha256"] in readme
    for words in ("cp results/train_model/toc-nuclei.pt", "snakemake", "seed", "Simulated", "Real"):
        assert words in readme
    assert re.search(rf"\b{card['settings']['seed']}\b", readme)


def test_training_is_the_same_for_a_seed_and_another_for_another():
    import torch

    from cytocause.segment.train import train_network

    settings = {
        "seed": 3,
        "steps": 3,
        "batch": 2,
        "crop_px": 64,
        "learning_rate": 0.002,
        "weight_decay": 0.01,
        "features": [4, 8],
        "diameter_px": 17.0,
        "bfloat16": False,
    }
    frames = [(image[0].astype(np.float32), labels[0], 17.0) for image, labels in training_frames(1, 2, {"empty": 0})]
    first, losses = train_network(frames, settings, report_every=1)
    again, _ = train_network(frames, settings)
    other, _ = train_network(frames, {**settings, "seed": 4})
    assert len(losses) == 3 and all(np.isfinite(losses))
    same = [torch.equal(a, b) for a, b in zip(first.state_dict().values(), again.state_dict().values())]
    assert all(same)
    assert not torch.equal(first.state_dict()["output.2.weight"], other.state_dict()["output.2.weight"])


def test_saved_weights_come_back_within_half_precision(tmp_path):
    import torch

    from cytocause.segment.train import make_network
    from cytocause.segment.weights import load_network, save_network

    net = make_network([4, 8], 17.0, seed=1)
    save_network(net, tmp_path / "n.pt", scale="linear")
    back = load_network(tmp_path / "n.pt")
    for key, value in net.state_dict().items():
        assert torch.allclose(back.net.state_dict()[key].float(), value.float(), rtol=1e-3, atol=1e-4)
