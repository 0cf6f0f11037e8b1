rule prepare:
    input:
        movie=movie_of,
        labels=all_given("labels"),
        tracks=all_given("tracks"),
        cells=all_given("cells"),
        times=lambda wildcards: SAMPLES[wildcards.sample]["times"],
        status=status_before_prepare,
    output:
        movie="results/samples/{sample}/movie.json",
        qc=report(
            "results/samples/{sample}/prepare/qc.tsv",
            category="Quality",
            labels={"sample": "{sample}", "what": "frames"},
            caption="../report/qc.rst",
        ),
        figure=report(
            "results/samples/{sample}/prepare/qc.png",
            category="Quality",
            labels={"sample": "{sample}", "what": "figure"},
            caption="../report/qc.rst",
        ),
        status="results/samples/{sample}/status/prepare.json",
    log:
        "results/logs/prepare/{sample}.log",
    benchmark:
        "results/benchmarks/prepare/{sample}.tsv"
    conda:
        "../../envs/analysis.yaml"
    group:
        "prepare"
    threads: 1
    resources:
        mem_mb=memory(500, 12),
        runtime=minutes(5, 10),
    params:
        cfg=lambda wildcards: section(
            "prepare",
            sample=wildcards.sample,
            row={**SAMPLES[wildcards.sample]["row"], "simulate": SAMPLES[wildcards.sample]["simulate"]},
            channels=config["channels"],
        ),
        code=code_hash("prepare"),
    script:
        "../../scripts/prepare.py"
