rule infer:
    input:
        table="results/assemble/table.parquet",
        variables="results/assemble/variables.tsv",
        design="results/assemble/design.json",
    output:
        edges=report(
            "results/infer/edges.tsv",
            category="Graph",
            labels={"what": "edges"},
            caption="../report/edges.rst",
        ),
        raw="results/infer/raw.tsv",
        triples="results/infer/triples.tsv",
        graphml="results/infer/graph.graphml",
        json="results/infer/graph.json",
        run="results/infer/run.json",
    log:
        "results/logs/infer.log",
    benchmark:
        "results/benchmarks/infer.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 2
    resources:
        mem_mb=memory_of_tables(600, 10),
        runtime=120,
    params:
        cfg=section("infer"),
        code=code_hash("infer"),
    script:
        "../../scripts/infer.py"
