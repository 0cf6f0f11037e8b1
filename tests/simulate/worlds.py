"""Small chips for the tests: the shipped models and the section's defaults, both read from the files that ship them."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import yaml

from cytocause.simulate import SimulatedChip, parse_model

ROOT = Path(__file__).resolve().parents[2]
DRUG = {"treatment": 1, "CAF_presence": 0}
PLAIN = {"treatment": 0, "CAF_presence": 0}


def _defaults(schema):
    return {k: _defaults(v) if v.get("type") == "object" else v["default"] for k, v in schema["properties"].items()}


def defaults():
    """Section `simulate` as it is where a config says nothing."""
    return _defaults(yaml.safe_load((ROOT / "workflow/schemas/simulate.schema.yaml").read_text()))


def section(**changes):
    """Section `simulate` with its defaults, seed 1 and some changes: what is held here of single chips is no score."""
    return {**defaults(), "seed": 1, **changes}


def model_text(name):
    return (ROOT / f"resources/causal_models/{name}.yaml").read_text()


def model(name="tumour_on_chip"):
    return parse_model(model_text(name), f"{name}.yaml")


@cache
def chip(sample="chip_01", conditions=(("treatment", 1), ("CAF_presence", 0)), **changes):
    """A chip, kept between tests."""
    return SimulatedChip(model(), section(**changes), sample, dict(conditions))


def digests_on_threads(module, **changes):
    """What `digest(**changes)` of a test module gives in processes with one and with two threads."""
    code = f"from tests.simulate.{module} import digest; print(digest(**{changes}))"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "scripts")])}
    out = []
    for threads in ("1", "2"):
        env |= {name: threads for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
        run = subprocess.run([sys.executable, "-c", code], env=env, cwd=ROOT, capture_output=True, text=True, check=True)
        out.append(run.stdout.strip())
    return out
