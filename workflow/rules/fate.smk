rule fate:
    input:
        cells="results/samples/{sample}/{population}/cells.parquet",
        tracks="results/samples/{sample}/{population}/tracks.parquet",
        meta="results/samples/{sample}/movie.json",
        given=given("events"),
        status="results/samples/{sample}/{population}/status/measure.json",
    output:
        events="results/samples/{sample}/{population}/events.parquet",
        status="results/samples/{sample}/{population}/status/fate.json",
    log:
        "results/logs/fate/{sample}-{population}.log",
    benchmark:
        "results/benchmarks/fate/{sample}-{population}.tsv"
    conda:
        "../../envs/analysis.yaml"
    group:
        "tables"
    threads: 1
    resources:
        mem_mb=memory(600, 4),
        runtime=minutes(5, 5),
    params:
        cfg=lambda wildcards: section(
            "fate",
            sample=wildcards.sample,
            population=wildcards.population,
            population_channel=channel_of(wildcards),
            levels=levels(wildcards),
            corrections=corrections(wildcards, FATE_ACTIONS),
        ),
        code=code_hash("fate"),
    script:
        "../../scripts/fate.py"
