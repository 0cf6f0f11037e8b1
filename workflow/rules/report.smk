rule overlay:
    input:
        movie=movie_of,
        meta="results/samples/{sample}/movie.json",
        labels=labels_of,
        tracks="results/samples/{sample}/{population}/tracks.parquet",
        events="results/samples/{sample}/{population}/events.parquet",
        status="results/samples/{sample}/{population}/status/fate.json",
    output:
        film=report(
            "results/samples/{sample}/{population}/overlay.mp4",
            category="Films",
            labels={"sample": "{sample}", "population": "{population}"},
            caption="../report/overlay.rst",
        ),
        still="results/samples/{sample}/{population}/overlay.png",
        status="results/samples/{sample}/{population}/status/overlay.json",
    log:
        "results/logs/overlay/{sample}-{population}.log",
    benchmark:
        "results/benchmarks/overlay/{sample}-{population}.tsv"
    conda:
        "../../envs/analysis.yaml"
    group:
        "tables"
    threads: 1
    resources:
        mem_mb=memory(600, 12),
        runtime=minutes(10, 20),
    params:
        cfg=lambda wildcards: plain(
            {
                **config["report"].get("overlay", {}),
                "sample": wildcards.sample,
                "population": wildcards.population,
                "population_channel": channel_of(wildcards),
            }
        ),
        code=code_hash("overlay"),
    script:
        "../../scripts/overlay.py"


rule report:
    input:
        table="results/assemble/table.parquet",
        variables="results/assemble/variables.tsv",
        design="results/assemble/design.json",
        failed="results/failed_samples.tsv",
        edges="results/infer/edges.tsv",
        raw="results/infer/raw.tsv",
        triples="results/infer/triples.tsv",
        graphml="results/infer/graph.graphml",
        json="results/infer/graph.json",
        run="results/infer/run.json",
        meta=per_sample("results/samples/{sample}/movie.json"),
        qc=per_sample("results/samples/{sample}/prepare/qc.tsv"),
        qc_figure=per_sample("results/samples/{sample}/prepare/qc.png"),
        counts=per_population("results/samples/{sample}/{population}/segment.tsv", segmented()),
        segment=per_population("results/samples/{sample}/{population}/segment.json", segmented()),
        cells=per_population("results/samples/{sample}/{population}/cells.parquet"),
        tracks=per_population("results/samples/{sample}/{population}/tracks.parquet"),
        events=per_population("results/samples/{sample}/{population}/events.parquet"),
        films=per_population("results/samples/{sample}/{population}/overlay.mp4", filmed()),
        stills=per_population("results/samples/{sample}/{population}/overlay.png", filmed()),
        status=[
            per_sample("results/samples/{sample}/status/prepare.json"),
            per_population("results/samples/{sample}/{population}/status/segment.json", segmented()),
            per_population("results/samples/{sample}/{population}/status/track.json"),
            per_population("results/samples/{sample}/{population}/status/measure.json"),
            per_population("results/samples/{sample}/{population}/status/fate.json"),
            per_population("results/samples/{sample}/{population}/status/overlay.json", filmed()),
        ],
        scorecard=[path for path in scorecard() if path.endswith(".json")],
    output:
        report=report(
            "results/report.html",
            category="Page",
            labels={"what": "the whole page"},
            caption="../report/page.rst",
        ),
    log:
        "results/logs/report.log",
    benchmark:
        "results/benchmarks/report.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=memory_of_tables(1000, 1),
        runtime=30,
    params:
        cfg=section(
            "report",
            without=("overlay",),
            samples=described_samples(),
            populations=list(POPULATIONS),
            conditions=config["conditions"],
            config=config,
        ),
        code=code_hash("report"),
    script:
        "../../scripts/report.py"
