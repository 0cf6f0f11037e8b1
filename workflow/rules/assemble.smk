rule assemble:
    input:
        cells=per_population("results/samples/{sample}/{population}/cells.parquet"),
        tracks=per_population("results/samples/{sample}/{population}/tracks.parquet"),
        events=per_population("results/samples/{sample}/{population}/events.parquet"),
        meta=per_sample("results/samples/{sample}/movie.json"),
        status=per_population("results/samples/{sample}/{population}/status/fate.json"),
    output:
        table="results/assemble/table.parquet",
        variables=report(
            "results/assemble/variables.tsv",
            category="Table",
            labels={"what": "variables"},
            caption="../report/variables.rst",
        ),
        design=report(
            "results/assemble/design.json",
            category="Table",
            labels={"what": "design"},
            caption="../report/design.rst",
        ),
        failed=report(
            "results/failed_samples.tsv",
            category="Table",
            labels={"what": "failed samples"},
            caption="../report/failed.rst",
        ),
    log:
        "results/logs/assemble.log",
    benchmark:
        "results/benchmarks/assemble.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=memory_of_tables(600, 3),
        runtime=30,
    params:
        cfg=section(
            "assemble",
            populations=list(POPULATIONS),
            samples=described_samples(),
            conditions=config["conditions"],
            exposures=EXPOSURES,
        ),
        code=code_hash("assemble"),
    script:
        "../../scripts/assemble.py"
