"""Score: what was found against the truth, at every hand-over from pixels to graph.

    masks  -> segment.detection_f1, segment.ap50, segment.seg    features -> measure.<feature>_r2, measure.<feature>_bias
    tracks -> track.lnk, track.chota, track.division_f1           events   -> fate.death_f1, fate.death_onset_error_min
    graph  -> infer.summary_f1, infer.skeleton_f1, infer.lag_f1, infer.arrowhead_f1

One metric, one file. The figures are sums over samples before any division ("pooled"), with intervals over chips; each sample and
population is listed beside them.

    score_population   one population of one sample -> counts       (sample)
    scorecard          counts -> figures, intervals, notes          (card)
    graph_counts       found graph against the true one -> counts   (graph)
    false_edges        false directed edges of an experiment, and of many (false_edges, imported from there: function and file share a name)
    ablation           graphs with one more hand-over true          (chain)
"""

_HOME = {
    "score_population": "sample", "scorecard": "card", "rows_of_card": "card", "graph_counts": "graph", "same_truth": "graph",
    "GRAPH_ROWS": "card", "pool_false_edges": "false_edges", "ablation": "chain", "rows_of_ablation": "chain",
    "measured_features": "features", "given_truth": "given", "without_samples": "given",
}  # fmt: skip
__all__ = list(_HOME)


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module 'cytocause.score' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(f"cytocause.score.{_HOME[name]}"), name)
