rule measure:
    input:
        movie=movie_of,
        labels=labels_of,
        tracks="results/samples/{sample}/{population}/tracks.parquet",
        others=for_others("results/samples/{sample}/{population}/tracks.parquet"),
        meta="results/samples/{sample}/movie.json",
        given=given("cells"),
        status=lambda wildcards: per_population(
            "results/samples/{sample}/{population}/status/track.json", [wildcards.sample]
        ),
    output:
        cells="results/samples/{sample}/{population}/cells.parquet",
        status="results/samples/{sample}/{population}/status/measure.json",
    log:
        "results/logs/measure/{sample}-{population}.log",
    benchmark:
        "results/benchmarks/measure/{sample}-{population}.tsv"
    conda:
        "../../envs/analysis.yaml"
    group:
        "tables"
    threads: 1
    resources:
        mem_mb=memory(600, 12),
        runtime=minutes(10, 20),
    params:
        cfg=lambda wildcards: section(
            "measure",
            sample=wildcards.sample,
            population=wildcards.population,
            others=others(wildcards),
            levels=levels(wildcards),
        ),
        code=code_hash("measure"),
    script:
        "../../scripts/measure.py"
