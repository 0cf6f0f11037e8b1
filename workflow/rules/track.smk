rule track:
    input:
        labels=labels_of,
        movie=movie_of,
        meta="results/samples/{sample}/movie.json",
        given=given("tracks", "cells"),
        status=status_before_track,
    output:
        tracks="results/samples/{sample}/{population}/tracks.parquet",
        geff=directory("results/samples/{sample}/{population}/lineage.geff"),
        ctc=directory("results/samples/{sample}/{population}/ctc"),
        status="results/samples/{sample}/{population}/status/track.json",
    log:
        "results/logs/track/{sample}-{population}.log",
    benchmark:
        "results/benchmarks/track/{sample}-{population}.tsv"
    conda:
        "../../envs/analysis.yaml"
    group:
        "tables"
    threads: 1
    resources:
        mem_mb=memory(700, 12),
        runtime=minutes(10, 30),
    params:
        cfg=lambda wildcards: section(
            "track",
            sample=wildcards.sample,
            population=wildcards.population,
            population_channel=channel_of(wildcards),
            levels=levels(wildcards),
            corrections=corrections(wildcards, TRACK_ACTIONS),
        ),
        code=code_hash("track"),
    script:
        "../../scripts/track.py"
