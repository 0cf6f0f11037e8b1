"""What set-up compiles is all that an inference needs."""

import json
import subprocess
import sys

CODE = """
import json, sys
import numpy as np, pandas as pd
from cytocause.infer.warm import compile_kernels

def known():
    modules = [module for name, module in list(sys.modules.items()) if name.startswith("cytocause.infer.")]
    kernels = {f"{f.__module__}.{f.__name__}": f for module in modules for f in vars(module).values() if hasattr(f, "nopython_signatures")}
    return {name: len(kernel.nopython_signatures) for name, kernel in kernels.items()}

edges = len(compile_kernels().edges)
before = known()
from cytocause.infer import infer
draw = np.random.default_rng(1)
a = draw.normal(size=600)
b = a + 0.4 * draw.normal(size=600)
table = pd.DataFrame({
    "trajectory": np.repeat(np.arange(6), 100), "time": np.tile(np.arange(100), 6), "drug": np.repeat(np.arange(6) % 2, 100),
    "a": a, "b": np.where(draw.random(600) < 0.2, np.nan, b), "c": b + 0.4 * draw.normal(size=600), "event": (b > 1).astype(int),
})
kinds = {"drug": "discrete", "a": "continuous", "b": "continuous", "c": "continuous", "event": "discrete"}
variables = pd.DataFrame([{"name": n, "kind": k, "role": "contextual" if n == "drug" else "dynamic"} for n, k in kinds.items()])
graph = infer(table, variables, {"n_layers": 3, "delta_t": 2, "n_eff": "conditions", "n_shuffles": 3}, threads=2)
after = known()
print(json.dumps({"edges": edges, "kernels": sum(before.values()), "found": len(graph.edges), "new": [n for n in after if after[n] != before.get(n)]}))
"""


def test_an_inference_after_set_up_compiles_nothing():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["new"] == [] and said["kernels"] > 5 and said["edges"] > 0 and said["found"] > 0
