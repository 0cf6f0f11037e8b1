"""A prepare job as the workflow runs it, without the workflow."""

import logging
import os
import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest

from cytocause.io import read_json, run_stage
from cytocause.io.settings import fill_defaults, load_yaml

SCHEMA = Path(__file__).resolve().parents[2] / "workflow" / "schemas" / "prepare.schema.yaml"


@pytest.fixture(scope="session")
def defaults():
    """Section prepare as an empty config gives it."""
    cfg = {}
    fill_defaults(cfg, load_yaml(SCHEMA))
    return cfg


@pytest.fixture
def prepare(tmp_path, defaults, monkeypatch):
    """prepare(row, movie=[...], labels=[...], ...) runs the stage; returns (movie.json, status, folder)."""
    import prepare as script

    monkeypatch.setattr(os, "environ", os.environ.copy())
    show = warnings.showwarning

    def run(row, *, channels=(), cfg=None, **given):
        out = tmp_path / "out"
        names = ("movie", "labels", "tracks", "cells", "times", "status")
        job = SimpleNamespace(
            rule="prepare",
            wildcards=SimpleNamespace(sample="chip1"),
            threads=1,
            log=[str(out / "prepare.log")],
            params=SimpleNamespace(
                cfg={**defaults, **(cfg or {}), "sample": "chip1", "row": row, "channels": list(channels)}
            ),
            input=SimpleNamespace(**{name: [str(p) for p in given.get(name, [])] for name in names}),
            output=SimpleNamespace(
                movie=out / "movie.json", qc=out / "qc.tsv", figure=out / "qc.png", status=out / "status.json"
            ),
        )
        run_stage(job, script.work, script.empty)
        return read_json(job.output.movie), read_json(job.output.status), out

    yield run
    warnings.showwarning = show
    logger = logging.getLogger("cytocause")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
    logger.propagate = True
