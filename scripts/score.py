"""Score what was found against the truth: unpack, call, write.

input   truth_labels, truth_tracks, truth_events, truth_graph, meta   one per simulated sample, in the order of cfg["samples"]
        labels, tracks, events                                       sample-major, populations in the order of cfg["populations"]
        status                                                       of the stages that made them (any number)
        edges, json                                                  of infer
params  cfg: section score + {"samples": [names], "populations": [names]}; optional "conditions": [{name, ...}]
output  scorecard (json), table (tsv)
"""
