rule segment:
    input:
        movie=movie_of,
        meta="results/samples/{sample}/movie.json",
        given=given("labels"),
        model=weights_of,
        status="results/samples/{sample}/status/prepare.json",
    output:
        labels="results/samples/{sample}/{population}/labels.ome.tif",
        counts="results/samples/{sample}/{population}/segment.tsv",
        model="results/samples/{sample}/{population}/segment.json",
        status="results/samples/{sample}/{population}/status/segment.json",
    log:
        "results/logs/segment/{sample}-{population}.log",
    benchmark:
        "results/benchmarks/segment/{sample}-{population}.tsv"
    conda:
        "../../envs/segment.yaml"
    threads: threads_by_frame
    resources:
        mem_mb=memory(1500, 40),
        runtime=minutes(20, 240),
    params:
        cfg=lambda wildcards: section(
            "segment", without=("populations", "train"), sample=wildcards.sample, **engine_of(wildcards)
        ),
        code=code_hash("segment"),
    script:
        "../../scripts/segment.py"


# Made only when asked for (snakemake train_model). It never writes under resources/: shipping a model is a copy by hand.
rule train_network:
    output:
        directory("results/train_model/{model}-{seed}"),
    log:
        "results/logs/train_network/{model}-{seed}.log",
    benchmark:
        "results/benchmarks/train_network/{model}-{seed}.tsv"
    wildcard_constraints:
        model=one_of(config["segment"]["train"]["models"]),
        seed=r"\d+",
    conda:
        "../../envs/segment.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        cfg=lambda wildcards: training(model=wildcards.model, seed=int(wildcards.seed)),
        code=code_hash("train_network"),
    script:
        "../../scripts/train_network.py"


rule train_model:
    input:
        expand(
            "results/train_model/{model}-{seed}",
            model=config["segment"]["train"]["models"],
            seed=config["segment"]["train"]["seeds"],
        ),
    output:
        weights=expand("results/train_model/{model}.pt", model=config["segment"]["train"]["models"]),
        cards=expand("results/train_model/{model}.json", model=config["segment"]["train"]["models"]),
    log:
        "results/logs/train_model.log",
    benchmark:
        "results/benchmarks/train_model.tsv"
    conda:
        "../../envs/segment.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        cfg={"models": config["segment"]["train"]["models"]},
        code=code_hash("train_model"),
    script:
        "../../scripts/train_model.py"
