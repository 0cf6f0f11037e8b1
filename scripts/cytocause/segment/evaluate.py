"""How well masks fit the truth: pooled average precision, and recall by kind of cell."""

import numpy as np

from .normalise import has_cells, normalise
from .relabel import relabel
from .upstream import cellpose

THRESHOLDS = (0.5, 0.75, 0.9)


def pooled_precision(truth, masks):
    """AP = TP / (TP + FP + FN) over all frames together, at IoU 0.5, 0.75 and 0.9.

    Parameters
    ----------
    truth, masks : lists of (Y, X) integer arrays.

    Returns
    -------
    {"ap50", "ap75", "ap90", "recall50", "precision50", "cells"}
    """
    cellpose()  # before its metrics, which would compile everything
    from cellpose.metrics import average_precision

    truth, masks = [_dense(m) for m in truth], [_dense(m) for m in masks]
    _, tp, fp, fn = average_precision(truth, masks, list(THRESHOLDS))
    tp, fp, fn = tp.sum(0), fp.sum(0), fn.sum(0)
    total = np.maximum(tp + fp + fn, 1)
    scores = {f"ap{int(100 * t)}": round(float(a), 4) for t, a in zip(THRESHOLDS, tp / total)}
    return {
        **scores,
        "recall50": round(float(tp[0] / max(tp[0] + fn[0], 1)), 4),
        "precision50": round(float(tp[0] / max(tp[0] + fp[0], 1)), 4),
        "cells": int(tp[0] + fn[0]),
    }


def score_frames(model, frames, min_area_fraction=0.1):
    """Scores of a loaded `Cellpose3` on frames (image, labels, diameter), prepared as `segment_frames` does."""
    truth, masks = [], []
    for image, labels, diameter in frames:
        low, high = np.percentile(image, (0.5, 99.8))  # as prepare does
        scaled = normalise(image, {"low": low, "high": high})
        truth.append(labels)
        if has_cells(scaled, diameter):
            masks.append(relabel(model.segment(scaled, diameter), min_area_fraction * np.pi / 4 * diameter**2))
        else:
            masks.append(np.zeros(labels.shape, np.int32))
    return pooled_precision(truth, masks)


def _dense(masks):
    return np.unique(masks, return_inverse=True)[1].reshape(masks.shape).astype(np.int32) if np.any(masks == 0) else masks
