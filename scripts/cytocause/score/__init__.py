"""Score: what was found against the truth, at every hand-over from pixels to graph.

    masks  -> segment.ap50        tracks -> track.lnk, track.division_f1
    events -> fate.death_f1       graph  -> infer.summary_f1, infer.skeleton_f1, infer.lag_f1, infer.arrowhead_f1

The figures are sums over samples before any division ("pooled"); each sample and population is listed beside them.
"""

from cytocause.score.card import GRAPH_ROWS, rows_of_card, scorecard
from cytocause.score.false_edges import false_edges, pool_false_edges
from cytocause.score.graph import graph_counts, same_truth
from cytocause.score.sample import score_population

__all__ = ["GRAPH_ROWS", "false_edges", "graph_counts", "pool_false_edges", "rows_of_card", "same_truth", "score_population", "scorecard"]
