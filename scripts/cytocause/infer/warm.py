"""Compile the kernels once, so that the first inference does not wait for it: python -m cytocause.infer.warm

A small table with all that a kernel can meet: several trajectories, continuous and discrete variables, a condition, a gap.
"""

import numpy as np
import pandas as pd

from .engine import infer


def compile_kernels():
    """Infer a graph of 400 rows as the workflow does; the compiled kernels stay in numba's cache. Returns the graph."""
    draw = np.random.default_rng(0)
    rows, trajectories = 400, 8
    cause = draw.normal(size=rows)
    middle = cause + 0.5 * draw.normal(size=rows)
    effect = middle + 0.5 * draw.normal(size=rows)
    table = pd.DataFrame(
        {
            "trajectory": np.repeat(np.arange(trajectories), rows // trajectories),
            "time": np.tile(np.arange(rows // trajectories), trajectories),
            "condition": np.repeat(np.arange(trajectories) % 2, rows // trajectories),
            "cause": cause,
            # explains cause - effect and cause - state, so that its gaps are tested against both
            "middle": np.where(draw.random(rows) < 0.1, np.nan, middle),
            "effect": effect,
            "state": (middle + 0.5 * draw.normal(size=rows) > 0).astype(int),
        }
    )
    variables = pd.DataFrame(
        {
            "name": ["condition", "cause", "middle", "effect", "state"],
            "kind": ["discrete", "continuous", "continuous", "continuous", "discrete"],
            "role": ["contextual", *["dynamic"] * 4],
        }
    )
    return infer(table, variables, {"n_layers": 2, "delta_t": 1, "n_eff": "conditions", "n_shuffles": 1}, threads=1)


if __name__ == "__main__":
    compile_kernels()
