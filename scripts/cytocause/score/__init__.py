"""Score: what was found against the truth, at every hand-over from pixels to graph.

    masks  -> segment.detection_f1, segment.ap50, segment.seg    features -> measure.<feature>_r2, measure.<feature>_bias
    tracks -> track.lnk, track.chota, track.division_f1           events   -> fate.death_f1, fate.death_onset_error_min
    graph  -> infer.skeleton_f1, infer.arrowhead_f1, infer.lag_f1

One metric, one file. The figures are sums over samples before any division ("pooled"), with intervals over chips; each sample and
population is listed beside them.
"""

from cytocause.score.card import rows_of_card, scorecard
from cytocause.score.graph import graph_counts, same_truth
from cytocause.score.sample import score_population

__all__ = ["graph_counts", "rows_of_card", "same_truth", "score_population", "scorecard"]
