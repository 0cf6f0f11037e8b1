"""Train one network: one of the shipped models from one seed, on simulated frames of the range `train`.

    results/train_model/<model>-<seed>/   weights.pt, card.json with its score on frames of that range it has not seen

The target train_model takes the better seed of each model.
"""

import logging
from pathlib import Path

from cytocause.io import atomic_dir, write_json
from cytocause.io.stage import limit_threads, start_log
from cytocause.segment.cellpose3 import Cellpose3
from cytocause.segment.engines import versions
from cytocause.segment.evaluate import score_frames
from cytocause.segment.models import sha256
from cytocause.segment.recipe import RECIPES, pick
from cytocause.segment.train import LARGEST_TILE_PX, train_network
from cytocause.segment.weights import save_network
from cytocause.simulate.training import training_frames

log = logging.getLogger("cytocause.train_network")

HELD_OUT_SEED = 99  # of the range `train`; the schema keeps it from the seeds of training
# One thread whatever the machine has: sums in another order would give other weights.
THREADS = 1


def main(snakemake):
    start_log(snakemake)
    limit_threads(THREADS)
    train(snakemake.params.cfg, snakemake.output[0])


def train(cfg, folder):
    """Train, score on frames of the range `train` that were kept back, and write weights and card into a folder."""
    cfg = dict(cfg)
    recipe = RECIPES[cfg["model"]]
    frames = picked_frames(recipe, cfg["seed"], cfg["frames"])
    log.info("%s, seed %d: %d frames, %d steps of %d crops", cfg["model"], cfg["seed"], len(frames), cfg["steps"], cfg["batch"])
    net, losses = train_network(frames, {**cfg, "scale": recipe.scale}, THREADS)
    with atomic_dir(folder) as temporary:
        weights = Path(temporary) / "weights.pt"
        save_network(net, weights, scale=recipe.scale, tile_px=LARGEST_TILE_PX)
        scores = score_frames(Cellpose3(weights), picked_frames(recipe, HELD_OUT_SEED, cfg["held_out"]))
        log.info("held-out frames: %s", scores)
        card = {
            "name": cfg["model"],
            "data": f"cytocause.simulate.training_frames, mode {recipe.mode}, range train: exact masks, no experimental image",
            "command": "scripts/run --cores 2 train_model",
            "settings": cfg,
            "parameters": sum(p.numel() for p in net.parameters() if p.requires_grad),
            "loss_every_50_steps": losses,
            "scores_held_out": scores,
            "sha256": sha256(weights),
            "bytes": weights.stat().st_size,
            "versions": versions("torch", "cellpose", "numpy", "scipy", "numba"),
        }
        write_json(card, Path(temporary) / "card.json")


def picked_frames(recipe, seed, n):
    """n frames of the range `train` as the recipe wants them."""
    made = training_frames(seed, n, {"mode": recipe.mode, "range": "train"})
    return [pick(recipe, index, image, labels) for index, (image, labels) in enumerate(made)]


if __name__ == "__main__":
    main(snakemake)  # noqa: F821 (given by Snakemake)
