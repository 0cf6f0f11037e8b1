"""How often a learned graph says that something acts on something where it does not.

    experiment 1   drug --> speed (false)               any: yes   number: 1   class: condition -> x
    experiment 2   nothing false                        any: no    number: 0
    pooled         P(any) = 1/2, upper 95 % bound 0.97; mean 0.5

What a false edge is, and of which class: directed.py. Bounds are one-sided: Clopper & Pearson 1934 for
the probability; for the mean the larger of the exact bound of a Poisson count (Garwood 1936) and a bootstrap over experiments,
since edges of one experiment need not be independent and no false edge in all of them leaves nothing to resample.
"""

import numpy as np
from scipy.stats import beta, chi2

from cytocause.score.compared import compared
from cytocause.score.directed import CLASSES, directed_edges, false_counts

LEVEL = 0.95
RESAMPLES = 2000


def false_edges(truth, found, cfg, removed=None):
    """False directed summary edges of one experiment.

    Parameters
    ----------
    truth, found, cfg : as in `graph.graph_counts`
    removed : (cause, effect) of the link that a world full_minus_<edge> lacks, as columns; it is reported apart as well

    Returns
    -------
    dict: edges [[cause, effect, class]], total, one number per class, and with `removed`: removed {"source", "target",
    "joined" (bool), "directed" (bool, from cause to effect), "false" (bool: the truth has no such edge any more)}
    """
    work = compared(truth, found, cfg)
    out = false_counts(work)
    if removed is not None:
        _, said, false = directed_edges(work)
        source, target = removed
        joined = any({source, target} == {e["source"], e["target"]} for e in work.found)
        way = (source, target)
        out["removed"] = {
            "source": source, "target": target, "joined": joined, "directed": way in said, "false": way in false
        }  # fmt: skip
    return out


def pool_false_edges(experiments, seed=0):
    """False edges over many experiments.

    Parameters
    ----------
    experiments : list of dicts as of `false_edges`
    seed : of the bootstrap

    Returns
    -------
    dict: experiments (n), and for "total" and every class {"with" (experiments with at least one), "probability",
    "probability_upper95", "mean", "mean_upper95"}; with removed links also "removed" {"joined", "directed", "false"}, each
    {"with", "probability", "probability_upper95"}. Without experiments the figures are None.
    """
    experiments = list(experiments)
    out = {"experiments": len(experiments)}
    for name in ("total", *CLASSES):
        counts = np.array([e[name] for e in experiments], dtype=np.int64)
        out[name] = {**_share(counts > 0), **_mean(counts, seed)}
    removed = [e["removed"] for e in experiments if "removed" in e]
    if removed:
        out["removed"] = {what: _share(np.array([r[what] for r in removed])) for what in ("joined", "directed", "false")}
    return out


def _share(yes):
    n, k = len(yes), int(np.sum(yes))
    return {"with": k, "probability": k / n if n else None, "probability_upper95": upper_share(k, n)}


def upper_share(k, n):
    """One-sided upper 95 % bound of a probability after k of n (Clopper & Pearson 1934); None for n = 0."""
    if n == 0:
        return None
    return 1.0 if k == n else float(beta.ppf(LEVEL, k + 1, n - k))


def _mean(counts, seed):
    if not len(counts):
        return {"mean": None, "mean_upper95": None}
    exact = float(chi2.ppf(LEVEL, 2 * (int(counts.sum()) + 1)) / 2 / len(counts))
    draws = np.random.default_rng(seed).integers(0, len(counts), (RESAMPLES, len(counts)))
    resampled = float(np.quantile(counts[draws].mean(axis=1), LEVEL))
    return {"mean": float(counts.mean()), "mean_upper95": max(exact, resampled)}
