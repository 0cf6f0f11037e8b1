"""The target train_model: make the shipped network again from simulated frames.

    snakemake train_model   ->  results/train_model/toc-nuclei.pt, card.json

Nothing is written under resources/: shipping a model is a copy by hand, its command is in resources/cellpose/README.md.
"""

import logging
from pathlib import Path

from cytocause.io import atomic_dir, write_json
from cytocause.io.stage import limit_threads, start_log
from cytocause.segment.cellpose3 import Cellpose3
from cytocause.segment.engines import versions
from cytocause.segment.evaluate import score_frames
from cytocause.segment.models import sha256
from cytocause.segment.train import LARGEST_TILE_PX, median_diameter, train_network
from cytocause.segment.weights import save_network
from cytocause.simulate.training import training_frames

log = logging.getLogger("cytocause.train_model")

NAME = "toc-nuclei"
# Of every ten frames nine are of the tumour channel and one of the immune channel, whose cells are a third as large.
IMMUNE_EVERY = 10
# Added to the seed for the frames that are scored: their seeds and ranges are apart from those of training.
HELD_OUT = 1_000_000
# One thread whatever the machine has: sums in another order would give other weights.
THREADS = 1


def main(snakemake):
    start_log(snakemake)
    limit_threads(THREADS)
    train(snakemake.params.cfg, snakemake.output[0])


def train(cfg, folder):
    """Train, score on frames never seen, and write weights and card into a folder."""
    cfg = dict(cfg)
    frames = simulated_frames(cfg["seed"], cfg["frames"], "train")
    log.info("%d simulated frames, %d steps of %d crops", len(frames), cfg["steps"], cfg["batch"])
    net, losses = train_network(frames, cfg, THREADS)
    held_out = simulated_frames(cfg["seed"] + HELD_OUT, cfg["held_out"], "test")
    with atomic_dir(folder) as temporary:
        weights = Path(temporary) / f"{NAME}.pt"
        save_network(net, weights, scale="asinh", tile_px=LARGEST_TILE_PX)
        model = Cellpose3(weights)
        scores = score_frames(model, held_out)
        log.info("held-out frames: %s", scores)
        card = {
            "name": NAME,
            "data": "cytocause.simulate.training_frames, varied frames with exact masks (no experimental image)",
            "command": "scripts/run --cores 1 train_model",
            "settings": cfg,
            "parameters": sum(p.numel() for p in net.parameters() if p.requires_grad),
            "loss_every_50_steps": losses,
            "scores_held_out": scores,
            "sha256": sha256(weights),
            "bytes": weights.stat().st_size,
            "versions": versions("torch", "cellpose", "numpy", "scipy", "numba"),
        }
        write_json(card, Path(temporary) / "card.json")


def simulated_frames(seed, n, side):
    """n frames of a side (train, test), each (image, labels, typical diameter): of the tumour channel, every tenth of the immune channel."""
    frames = []
    for index, (image, labels) in enumerate(training_frames(seed, n, {"range": side})):
        channel = int(index % IMMUNE_EVERY == IMMUNE_EVERY - 1)
        frames.append((image[channel].astype("float32"), labels[channel], median_diameter(labels[channel])))
    return frames


if __name__ == "__main__":
    main(snakemake)  # noqa: F821 (given by Snakemake)
