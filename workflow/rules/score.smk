rule score:
    input:
        truth_labels=per_sample("results/samples/{sample}/simulate/truth/labels.ome.tif", simulated()),
        truth_tracks=per_sample("results/samples/{sample}/simulate/truth/tracks.parquet", simulated()),
        truth_events=per_sample("results/samples/{sample}/simulate/truth/events.parquet", simulated()),
        truth_variables=per_sample("results/samples/{sample}/simulate/truth/variables.parquet", simulated()),
        truth_graph=per_sample("results/samples/{sample}/simulate/truth/graph.json", simulated()),
        seeds=per_sample("results/samples/{sample}/simulate/truth/seeds.json", simulated()),
        meta=per_sample("results/samples/{sample}/movie.json", simulated()),
        labels=per_population("results/samples/{sample}/{population}/labels.ome.tif", simulated()),
        tracks=per_population("results/samples/{sample}/{population}/tracks.parquet", simulated()),
        cells=per_population("results/samples/{sample}/{population}/cells.parquet", simulated()),
        events=per_population("results/samples/{sample}/{population}/events.parquet", simulated()),
        status=per_population("results/samples/{sample}/{population}/status/fate.json", simulated()),
        edges="results/infer/edges.tsv",
        json="results/infer/graph.json",
    output:
        scorecard="results/score/scorecard.json",
        table=report(
            "results/score/scorecard.tsv",
            category="Score",
            labels={"what": "scorecard"},
            caption="../report/scorecard.rst",
        ),
    log:
        "results/logs/score.log",
    benchmark:
        "results/benchmarks/score.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=memory_of_tables(800, 3),
        runtime=60,
    params:
        cfg=section(
            "score",
            without=("ablation_intervals", "power"),
            samples=simulated(),
            populations=list(POPULATIONS),
            conditions=config["conditions"],
            windows=look_back(),
            chips=chips_of(simulated()),
        ),
        code=code_hash("score"),
    script:
        "../../scripts/score.py"


# How many chips, cells and hours show an edge? Made only when asked for (snakemake power); one world is one job and one file.
rule power_world:
    input:
        model=lambda wildcards: POWER_MODEL["file"],
    output:
        "results/power/worlds/{world}.json",
    log:
        "results/logs/power_world/{world}.log",
    benchmark:
        "results/benchmarks/power_world/{world}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        cfg=lambda wildcards: plain(
            {
                **POWER[wildcards.world],
                "model": POWER_MODEL["name"],
                "alpha": config["score"]["power"]["alpha"],
                "simulate": section("simulate", without=("seed", "n_frames", "frame_interval_min", "imaging")),
                "infer": section("infer"),
                "score": section(
                    "score",
                    without=("power", "bootstrap", "ablation_intervals"),
                    windows=look_back(),
                ),
            }
        ),
        code=code_hash("power_world"),
    script:
        "../../scripts/power_world.py"


rule power:
    input:
        worlds=expand("results/power/worlds/{world}.json", world=POWER),
    output:
        table=report(
            "results/power/power.tsv", category="Power", labels={"what": "experiments"}, caption="../report/power.rst"
        ),
        json="results/power/power.json",
        png="results/power/power.png",
        svg=report(
            "results/power/power.svg", category="Power", labels={"what": "figure"}, caption="../report/power.rst"
        ),
    log:
        "results/logs/power.log",
    benchmark:
        "results/benchmarks/power.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=20,
    params:
        cfg=plain({"model": POWER_MODEL["name"]}),
        code=code_hash("power"),
    script:
        "../../scripts/power.py"
