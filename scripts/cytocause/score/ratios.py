"""From hits and misses to precision, recall and F1.

    found:  tp | fp          precision = tp / (tp + fp)     F1 = 2 tp / (2 tp + fp + fn)
    truth:  tp | fn          recall    = tp / (tp + fn)     AP = tp / (tp + fp + fn)

A ratio of nothing to nothing is None: "there was nothing to find" is neither right nor wrong.
"""


def _over(part, whole):
    return None if whole == 0 else part / whole


def f1(tp, fp, fn):
    """F1 of the counts; None when truth and result are both empty."""
    return _over(2 * tp, 2 * tp + fp + fn)


def ratios(counts):
    """Precision, recall, F1 and Jaccard (AP at one threshold) of `{"tp", "fp", "fn"}`, each a float or None."""
    tp, fp, fn = int(counts["tp"]), int(counts["fp"]), int(counts["fn"])
    return {
        "precision": _over(tp, tp + fp),
        "recall": _over(tp, tp + fn),
        "f1": f1(tp, fp, fn),
        "jaccard": _over(tp, tp + fp + fn),
    }
