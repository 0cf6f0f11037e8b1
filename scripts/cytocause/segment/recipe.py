"""What each shipped model is trained on and asked for: the kind of frame, the grey scale, whose outlines.

    one frame, masks of tumour and of immune cells ──▶ (image, masks of one population, its typical diameter)

A model looks for cells of about the diameter that it is given, and the frame is rescaled until they are 17 px wide. So that in
brightfield, where one image shows both populations, the tumour's diameter brings out tumour cells and leaves immune cells
alone, and the immune cells' diameter the other way round: as the stage `segment` works, one population at a time.
"""

from dataclasses import dataclass

import numpy as np

from .train import typical_diameter

TUMOUR, IMMUNE = 0, 1  # place in the labels


@dataclass(frozen=True)
class Recipe:
    """How the frames of one model are made ready.

    mode : of the simulator's frames.
    scale : how grey values are prepared, see `cellpose3.SCALES`.
    immune_every : one frame in so many is about immune cells, the others about tumour cells.
    """

    mode: str
    scale: str
    immune_every: int


RECIPES = {
    # Immune cells in a channel of their own are round dots: a tenth of the frames is enough.
    "toc-nuclei": Recipe("fluorescence", "asinh", 10),
    "toc-brightfield": Recipe("brightfield_chip", "centred", 4),
}


def pick(recipe, index, image, labels):
    """The frame as number `index` of a model's training: of tumour cells, or now and then of immune cells.

    Parameters
    ----------
    recipe : Recipe
    index : int
    image : (C, Y, X) grey values, a channel for each population or one for both
    labels : (2, Y, X) integers of tumour and immune cells

    Returns
    -------
    (image (Y, X) float32, labels (Y, X), typical diameter in px)
    """
    immune = index % recipe.immune_every == recipe.immune_every - 1
    if image.shape[0] == 1 and not labels[IMMUNE].any():
        immune = False  # a frame without them has no diameter to be rescaled by, and would teach that tumour cells are ground
    return target(image, labels, IMMUNE if immune else TUMOUR)


def target(image, labels, population):
    """One population of a frame: (image (Y, X) float32, labels (Y, X), typical diameter in px)."""
    channel = min(population, image.shape[0] - 1)
    return image[channel].astype(np.float32), labels[population], typical_diameter(labels[population])


def scored(recipe, frames):
    """What is scored of some frames (image, labels), {population: list as of `target`}.

    Tumour cells in each frame; immune cells, where the image shows both, in one frame of `immune_every`: enlarged to their
    scale it costs ten times as much.
    """
    found = {}
    for index, (image, labels) in enumerate(frames):
        found.setdefault("tumour", []).append(target(image, labels, TUMOUR))
        if image.shape[0] == 1 and index % recipe.immune_every == 0 and labels[IMMUNE].any():
            found.setdefault("immune", []).append(target(image, labels, IMMUNE))
    return found
