# The ablation chain: the same stages again on the truth of the simulated samples, one hand-over after another made true.
#
#     level       true are                             runs again
#     masks       labels                               track > measure > fate > assemble > infer
#     tracks      labels, tracks                               measure > fate > assemble > infer
#     fates       labels, tracks, events                                 fate > assemble > infer
#     variables   labels, tracks, events, variables    measure (given) ......... > assemble > infer
#
# What a level shares with the one before it is not made twice. Only when asked for (snakemake ablation): no rule here is
# part of the default target. The stages are the workflow's own rules with other files, so an edit reruns what it would there.
wildcard_constraints:
    level=one_of(LEVELS),
    chip=r"\d+",


rule ablation_truth:
    input:
        labels="results/samples/{sample}/simulate/truth/labels.ome.tif",
        tracks="results/samples/{sample}/simulate/truth/tracks.parquet",
        events="results/samples/{sample}/simulate/truth/events.parquet",
        variables="results/samples/{sample}/simulate/truth/variables.parquet",
        status="results/samples/{sample}/status/simulate.json",
    output:
        labels="results/ablation/truth/{sample}/{population}/labels.ome.tif",
        tracks="results/ablation/truth/{sample}/{population}/tracks.parquet",
        events="results/ablation/truth/{sample}/{population}/events.parquet",
        cells="results/ablation/truth/{sample}/{population}/cells.parquet",
        status="results/ablation/truth/{sample}/{population}/status.json",
    log:
        "results/logs/ablation/truth/{sample}-{population}.log",
    benchmark:
        "results/benchmarks/ablation/truth/{sample}-{population}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=memory(600, 8),
        runtime=minutes(5, 10),
    params:
        cfg=lambda wildcards: plain({"sample": wildcards.sample, "population": wildcards.population}),
        code=code_hash("ablation_truth"),
    script:
        "../../scripts/ablation_truth.py"


use rule track as ablation_track with:
    input:
        labels=f"{TRUTH}/labels.ome.tif",
        movie=movie_of,
        meta="results/samples/{sample}/movie.json",
        given=true_at("tracks", "tracks.parquet"),
        status=["results/samples/{sample}/status/prepare.json", f"{TRUTH}/status.json"],
    output:
        tracks="results/ablation/{level}/{sample}/{population}/tracks.parquet",
        geff=directory("results/ablation/{level}/{sample}/{population}/lineage.geff"),
        ctc=directory("results/ablation/{level}/{sample}/{population}/ctc"),
        status="results/ablation/{level}/{sample}/{population}/track.json",
    log:
        "results/logs/ablation/{level}/track/{sample}-{population}.log",
    benchmark:
        "results/benchmarks/ablation/{level}/track/{sample}-{population}.tsv"
    params:
        # hand corrections name tracks of the found movie, which are not these
        cfg=lambda wildcards: section(
            "track",
            sample=wildcards.sample,
            population=wildcards.population,
            population_channel=channel_of(wildcards),
            levels=levels(wildcards),
            corrections=[],
        ),
        code=code_hash("track"),


use rule measure as ablation_measure with:
    input:
        movie=movie_of,
        labels=f"{TRUTH}/labels.ome.tif",
        tracks=made("tracks"),
        others=made_for("tracks", None, others),
        meta="results/samples/{sample}/movie.json",
        given=true_at("variables", "cells.parquet"),
        status=made_for("tracks", "track.json", lambda wildcards: list(POPULATIONS)),
    output:
        cells="results/ablation/{level}/{sample}/{population}/cells.parquet",
        status="results/ablation/{level}/{sample}/{population}/measure.json",
    log:
        "results/logs/ablation/{level}/measure/{sample}-{population}.log",
    benchmark:
        "results/benchmarks/ablation/{level}/measure/{sample}-{population}.tsv"


use rule fate as ablation_fate with:
    input:
        cells=made("cells"),
        tracks=made("tracks"),
        meta="results/samples/{sample}/movie.json",
        given=true_at("fates", "events.parquet"),
        status=made("cells", "measure.json"),
    output:
        events="results/ablation/{level}/{sample}/{population}/events.parquet",
        status="results/ablation/{level}/{sample}/{population}/fate.json",
    log:
        "results/logs/ablation/{level}/fate/{sample}-{population}.log",
    benchmark:
        "results/benchmarks/ablation/{level}/fate/{sample}-{population}.tsv"
    params:
        # a chip in which truly nothing dies has no death in its table, and none may be called in its place
        cfg=lambda wildcards: section(
            "fate",
            sample=wildcards.sample,
            population=wildcards.population,
            population_channel=channel_of(wildcards),
            levels=levels(wildcards),
            corrections=[],
            death={
                **config["fate"]["death"],
                "enabled": config["fate"]["death"]["enabled"] and wildcards.level != "fates",
            },
        ),
        code=code_hash("fate"),


use rule assemble as ablation_assemble with:
    input:
        cells=all_made("cells"),
        tracks=all_made("tracks"),
        events=all_made("events"),
        meta=per_sample("results/samples/{sample}/movie.json", simulated()),
        status=all_made("events", "fate.json"),
    output:
        table="results/ablation/{level}/table.parquet",
        variables="results/ablation/{level}/variables.tsv",
        design="results/ablation/{level}/design.json",
        failed="results/ablation/{level}/failed_samples.tsv",
    log:
        "results/logs/ablation/{level}/assemble.log",
    benchmark:
        "results/benchmarks/ablation/{level}/assemble.tsv"


use rule infer as ablation_infer with:
    input:
        table="results/ablation/{level}/table.parquet",
        variables="results/ablation/{level}/variables.tsv",
        design="results/ablation/{level}/design.json",
    output:
        edges="results/ablation/{level}/edges.tsv",
        raw="results/ablation/{level}/raw.tsv",
        triples="results/ablation/{level}/triples.tsv",
        graphml="results/ablation/{level}/graph.graphml",
        json="results/ablation/{level}/graph.json",
        run="results/ablation/{level}/run.json",
    log:
        "results/logs/ablation/{level}/infer.log",
    benchmark:
        "results/benchmarks/ablation/{level}/infer.tsv"


rule ablation_without:
    input:
        table=lambda wildcards: table_of(wildcards, "table.parquet"),
    output:
        table="results/ablation/{level}/without_{chip}/table.parquet",
    log:
        "results/logs/ablation/{level}/without_{chip}/table.log",
    benchmark:
        "results/benchmarks/ablation/{level}/without_{chip}/table.tsv"
    conda:
        "../../envs/analysis.yaml"
    wildcard_constraints:
        level=one_of(("found", *LEVELS)),
    threads: 1
    resources:
        mem_mb=memory_of_tables(400, 3),
        runtime=10,
    params:
        cfg=lambda wildcards: plain(
            {"samples": [n for n, chip in chips_of(simulated()).items() if chip == units()[int(wildcards.chip)]]}
        ),
        code=code_hash("ablation_without"),
    script:
        "../../scripts/ablation_without.py"


use rule infer as ablation_infer_without with:
    input:
        table="results/ablation/{level}/without_{chip}/table.parquet",
        variables=lambda wildcards: table_of(wildcards, "variables.tsv"),
        design=lambda wildcards: table_of(wildcards, "design.json"),
    output:
        edges="results/ablation/{level}/without_{chip}/edges.tsv",
        raw="results/ablation/{level}/without_{chip}/raw.tsv",
        triples="results/ablation/{level}/without_{chip}/triples.tsv",
        graphml="results/ablation/{level}/without_{chip}/graph.graphml",
        json="results/ablation/{level}/without_{chip}/graph.json",
        run="results/ablation/{level}/without_{chip}/run.json",
    log:
        "results/logs/ablation/{level}/without_{chip}/infer.log",
    benchmark:
        "results/benchmarks/ablation/{level}/without_{chip}/infer.tsv"
    wildcard_constraints:
        level=one_of(("found", *LEVELS)),


rule ablation:
    input:
        graphs=graphs,
        truth_graph=per_sample("results/samples/{sample}/simulate/truth/graph.json", simulated()),
    output:
        chain="results/score/ablation.json",
        table=report(
            "results/score/ablation.tsv",
            category="Ablation",
            labels={"what": "chain"},
            caption="../report/ablation.rst",
        ),
        figure=report(
            "results/score/ablation.svg",
            category="Ablation",
            labels={"what": "figure"},
            caption="../report/ablation.rst",
        ),
    log:
        "results/logs/ablation.log",
    benchmark:
        "results/benchmarks/ablation.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=20,
    params:
        cfg=section(
            "score",
            without=("bootstrap", "ablation_intervals", "power"),
            chips=len(chips_left_out()),
            windows=look_back(),
            max_rows=config["assemble"]["max_rows"],
        ),
        code=code_hash("ablation"),
    script:
        "../../scripts/ablation.py"
