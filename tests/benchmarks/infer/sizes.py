"""What effective sizes by pair cost in recall and bring in precision: infer.n_eff over tools/causal_bench.

    python tests/benchmarks/infer/sizes.py [FAMILY ...]

Three layers, stride 1, otherwise defaults; the skeleton with lags, scored by tools/causal_bench/score.py. Numbers that were
measured: scripts/cytocause/infer/README.md.
"""

import sys
import time

import engine

CASES = {
    "linear_var": (10, 1000, 3),
    "nonlinear_ts": (10, 1000, 3),
    "mixed_ts": (10, 1000, 3),
    "latent_ts": (10, 1000, 3),
    "cells_ts": (13, 4000, 2),
}
RULES = (-1, "conditions", "pairwise")


def predicted(graph):
    """Edges as score.py reads them."""
    return [
        {
            "a": row["source"], "b": row["target"], "lag": int(row["lag_steps"] or 0),
            "tip_a": row["mark_source"], "tip_b": row["mark_target"],
        }
        for row in graph.compact().to_dict("records")
    ]  # fmt: skip


def main(names):
    sys.path.insert(0, str(engine.tools()))
    import pandas as pd
    from generate import generate

    from cytocause.infer import infer
    from score import score

    rows = []
    for family in names or CASES:
        p, n, seeds = CASES[family]
        for seed in range(1, seeds + 1):
            table, truth = generate(family, p=p, n=n, seed=seed)
            variables = pd.DataFrame(
                {"name": v["name"], "kind": "continuous" if v["kind"] == "continuous" else "discrete", "role": v["role"]}
                for v in truth["variables"]
            )
            for rule in RULES:
                began = time.process_time()
                graph = infer(table, variables, {"n_layers": 3, "delta_t": 1, "n_eff": rule}, threads=1)
                found = score(truth, predicted(graph))
                rows.append((family, str(rule), time.process_time() - began, found["skeleton_precision"], found["skeleton_recall"], found["arrow_f1"]))
    out = pd.DataFrame(rows, columns=["family", "n_eff", "cpu_s", "precision", "recall", "arrow_f1"])
    print(out.groupby(["family", "n_eff"], sort=False).mean().round(2).to_string())
    print(out.drop(columns="family").groupby("n_eff", sort=False).mean().round(3).to_string())
    print(engine.load())


if __name__ == "__main__":
    main(sys.argv[1:])
