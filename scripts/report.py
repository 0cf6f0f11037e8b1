"""Write the report page: unpack, call, write.

input   table, variables, design, failed                    of assemble
        edges, json, run (optional: raw, triples)           of infer
        meta, qc (optional: qc_figure)                      one per sample, in the order of cfg["samples"]
        counts, tracks, events, films, stills (optional: segment, cells)   sample-major, populations in the order of cfg["populations"]
        status                                              all status files (any order)
        scorecard                                           optional
params  cfg: section report + {"samples": [{"sample", "conditions": {}, "levels": {}}], "populations": [names],
        "conditions": [{name, kind, reference, levels}], "config": {the whole checked config}, "versions": {name: version} (optional)}
output  report (html)
"""
