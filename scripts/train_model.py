"""The target train_model: make the shipped networks again from simulated frames.

    snakemake train_model   ->  results/train_model/<model>.pt, <model>.json for each model

Of the seeds that were trained the best on held-out frames of the range `train` is taken; only then it is scored on the range
`test`, so that no choice was made by those scores. Nothing is written under resources/: shipping a model is a copy by hand, its
command is in resources/cellpose/README.md.
"""

import logging
import shutil
from pathlib import Path

from cytocause.io import read_json, write_json
from cytocause.io.stage import limit_threads, start_log
from cytocause.segment.cellpose3 import Cellpose3
from cytocause.segment.evaluate import score_frames
from cytocause.segment.recipe import RECIPES, scored
from cytocause.simulate.ranges import LEVELS
from cytocause.simulate.training import training_frames

log = logging.getLogger("cytocause.train_model")

TEST_SEED = 1001
TEST_FRAMES = 16  # of each difficulty


def main(snakemake):
    start_log(snakemake)
    limit_threads(1)
    cfg = snakemake.params.cfg
    folders = [Path(folder) for folder in snakemake.input]
    for model, weights, card in zip(cfg["models"], snakemake.output.weights, snakemake.output.cards):
        choose([folder for folder in folders if folder.name.rpartition("-")[0] == model], RECIPES[model], weights, card)


def choose(folders, recipe, weights, card):
    """Copy the best of several trainings of one model, and add to its card what the others reached and its scores on `test`."""
    cards = [read_json(folder / "card.json") for folder in folders]
    best = max(range(len(cards)), key=lambda k: cards[k]["scores_held_out"]["ap50"])  # of equals the first
    shutil.copyfile(folders[best] / "weights.pt", weights)
    held_out = {str(c["settings"]["seed"]): c["scores_held_out"]["ap50"] for c in cards}
    log.info("%s: AP@0.5 held out by seed %s", cards[best]["name"], held_out)
    chosen = {**cards[best], "ap50_held_out_by_seed": held_out, "scores_test": test_scores(Cellpose3(weights), recipe)}
    write_json(chosen, card)


def test_scores(model, recipe):
    """{difficulty: {population: scores}} on frames of the range `test`."""
    found = {}
    for level in LEVELS:
        cfg = {"mode": recipe.mode, "range": "test", "difficulty": level}
        frames = scored(recipe, training_frames(TEST_SEED, TEST_FRAMES, cfg))
        found[level] = {population: score_frames(model, part) for population, part in frames.items()}
    return found


if __name__ == "__main__":
    main(snakemake)  # noqa: F821 (given by Snakemake)
