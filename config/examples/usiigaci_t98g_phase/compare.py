"""Compare the workflow's masks and tracks with the label images that come with the movie (Usiigaci's own, not hand-made).

    python config/examples/usiigaci_t98g_phase/compare.py labels     # after labels.yaml: do we link as they did?
    python config/examples/usiigaci_t98g_phase/compare.py raw        # after raw.yaml: do we outline what they outlined?
"""

import itertools
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import tifffile

from cytocause.io import open_labels
from cytocause.score.masks import compare_frames

SAMPLE = Path("results/samples/t98g")
GIVEN = Path(os.environ.get("CYTOCAUSE_DATA", "../shared/data")) / "usiigaci_t98g_phase/t98g_tracked_ids_00-19.tif"


def links(rows):
    """The links of a table with columns frame, mask, track: {(frame, mask, next frame, next mask)}."""
    rows = rows.sort_values(["track", "frame"])
    found = set()
    for _, points in rows.groupby("track"):
        steps = points[["frame", "mask"]].to_numpy().tolist()
        found |= {(*a, *b) for a, b in itertools.pairwise(steps)}
    return found


def given_id_of_label(given, labels):
    """{label: given id} of one frame whose two images have the same outlines.

    Parameters
    ----------
    given, labels : (Y, X) integer arrays, 0 is background
    """
    labelled, first = np.unique(labels, return_index=True)
    return {int(label): int(given.ravel()[at]) for label, at in zip(labelled, first) if label > 0}


def compare_links(given, labels, tracks):
    """Links in common between the given ids and our tracks.

    Parameters
    ----------
    given, labels : per frame a (Y, X) integer array; the same outlines, other numbers
    tracks : DataFrame with frame, label, track_id

    Returns
    -------
    dict: given, ours, common (numbers of links), recall, precision, cells, cells_whole (given cells of two frames and more
    of which every link is kept)
    """
    names = [given_id_of_label(a, b) for a, b in zip(given, labels)]
    theirs = pd.DataFrame(
        [(frame, cell, cell) for frame, ids in enumerate(names) for cell in ids.values()],
        columns=["frame", "mask", "track"],
    )
    mask = [names[frame][label] for frame, label in zip(tracks["frame"], tracks["label"])]
    ours = pd.DataFrame({"frame": tracks["frame"], "mask": mask, "track": tracks["track_id"]})
    wanted, made = links(theirs), links(ours)
    common = wanted & made
    cells = {link[1] for link in wanted}
    broken = {link[1] for link in wanted - made}
    return {
        "given": len(wanted),
        "ours": len(made),
        "common": len(common),
        "recall": len(common) / len(wanted),
        "precision": len(common) / len(made) if made else float("nan"),
        "cells": len(cells),
        "cells_whole": len(cells - broken),
    }


def compare_masks(given, labels, threshold=0.5):
    """AP, recall and precision of masks pooled over frames, at one intersection over union."""
    rows, _ = compare_frames(((i, a, b) for i, (a, b) in enumerate(zip(given, labels))), threshold)
    counts = rows["segment"]
    tp, fp, fn = counts["tp"], counts["fp"], counts["fn"]
    return {**counts, "ap50": tp / (tp + fp + fn), "recall": tp / (tp + fn), "precision": tp / max(1, tp + fp)}


def frames_of(path):
    """Label images of a stack, one after the other."""
    labels = open_labels(path)
    return [labels.frame(i) for i in range(labels.n_frames)]


def main(mode):
    given = list(tifffile.imread(GIVEN).astype(np.int32))
    if mode == "labels":
        folder = SAMPLE / "cells"
        print(compare_links(given, frames_of(folder / "labels.ome.tif"), pd.read_parquet(folder / "tracks.parquet")))
    else:
        for population in ("otsu", "network"):
            print(population, compare_masks(given, frames_of(SAMPLE / population / "labels.ome.tif")))


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in ("labels", "raw"):
        sys.exit("Say what to compare: compare.py labels, or compare.py raw.")
    main(sys.argv[1])
