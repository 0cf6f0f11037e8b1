"""Phase accuracy: share of the matched rows whose phase is the true one (interphase, mitosis, dying).

Interphase is most of any movie, so the share of each true phase that was named rightly stands beside it.
"""

import numpy as np

PHASES = ("interphase", "mitosis", "dying")


def phase_counts(true_phase, found_phase):
    """`{"hits", "n", "<phase>_hits", "<phase>_n"}` of matched rows, addable; rows without a true phase are left out.

    true_phase, found_phase : (n,) texts
    """
    true_phase, found_phase = np.asarray(true_phase, dtype=object), np.asarray(found_phase, dtype=object)
    same = true_phase == found_phase
    counts = {}
    for name in PHASES:
        here = true_phase == name
        counts[f"{name}_hits"], counts[f"{name}_n"] = int((same & here).sum()), int(here.sum())
    return {"hits": sum(counts[f"{name}_hits"] for name in PHASES), "n": sum(counts[f"{name}_n"] for name in PHASES), **counts}


def phase_figures(counts):
    """Keys and values: accuracy, and recall of each phase; None where there was no such row."""

    def share(hits, n):
        return None if n == 0 else hits / n

    return {
        "fate.phase_accuracy": share(counts["hits"], counts["n"]),
        **{f"fate.phase_{name}_recall": share(counts[f"{name}_hits"], counts[f"{name}_n"]) for name in PHASES},
    }
