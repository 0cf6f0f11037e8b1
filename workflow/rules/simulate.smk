rule simulate:
    input:
        model=lambda wildcards: SAMPLES[wildcards.sample]["model"],
    output:
        movie="results/samples/{sample}/simulate/movie.ome.tif",
        labels="results/samples/{sample}/simulate/truth/labels.ome.tif",
        tracks="results/samples/{sample}/simulate/truth/tracks.parquet",
        events="results/samples/{sample}/simulate/truth/events.parquet",
        variables="results/samples/{sample}/simulate/truth/variables.parquet",
        ctc=directory("results/samples/{sample}/simulate/truth/ctc"),
        lineage=directory("results/samples/{sample}/simulate/truth/lineage"),
        graph="results/samples/{sample}/simulate/truth/graph.json",
        seeds="results/samples/{sample}/simulate/truth/seeds.json",
        status="results/samples/{sample}/status/simulate.json",
    log:
        "results/logs/simulate/{sample}.log",
    benchmark:
        "results/benchmarks/simulate/{sample}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=memory(700, 20),
        runtime=minutes(15, 60),
    params:
        cfg=lambda wildcards: section(
            "simulate",
            sample=wildcards.sample,
            model=SAMPLES[wildcards.sample]["simulate"],
            conditions=SAMPLES[wildcards.sample]["conditions"],
        ),
        code=code_hash("simulate"),
    script:
        "../../scripts/simulate.py"
