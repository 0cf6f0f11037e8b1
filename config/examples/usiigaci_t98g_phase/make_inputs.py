"""Make this example's label images: the given track ids, each frame relabelled at random.

The given images hold one id per cell for the whole movie, which would hand the tracker its own answer. Here every
frame's ids are replaced by a random permutation of 1..n (seeded by the frame's number), so that only the outlines are
left. Run once, before snakemake:

    python config/examples/usiigaci_t98g_phase/make_inputs.py
"""

import os
from pathlib import Path

import numpy as np
import tifffile

SEED = 20  # any number: the tracker must not depend on it
SOURCE = Path(os.environ.get("CYTOCAUSE_DATA", "../shared/data")) / "usiigaci_t98g_phase/t98g_tracked_ids_00-19.tif"
TARGET = Path("results/inputs/usiigaci_t98g_phase/labels.tif")


def relabel_at_random(labels, seed):
    """Replace the ids of one label image by a random permutation of 1..n.

    Parameters
    ----------
    labels : (Y, X) integer array, 0 is background
    seed : int

    Returns
    -------
    (Y, X) uint16 array with the same outlines and new ids
    """
    ids = np.unique(labels[labels > 0])
    new = np.zeros(int(labels.max()) + 1, dtype=np.uint16)
    new[ids] = np.random.default_rng(seed).permutation(len(ids)) + 1
    return new[labels]


def main():
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    with tifffile.TiffFile(SOURCE) as source, tifffile.TiffWriter(TARGET) as target:
        for number, page in enumerate(source.pages):
            frame = relabel_at_random(page.asarray(), SEED + number)
            target.write(frame, compression="zlib", metadata=None)  # plain pages, one movie
    print(f"wrote {TARGET}")


if __name__ == "__main__":
    main()
