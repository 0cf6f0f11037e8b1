"""Defaults of the config section, from the schema where they live."""

from pathlib import Path

import pytest
import yaml

from cytocause.io.settings import fill_defaults


def defaults():
    cfg = {}
    fill_defaults(cfg, yaml.safe_load((Path(__file__).parents[2] / "workflow" / "schemas" / "track.schema.yaml").read_text()))
    return {**cfg, "sample": "s", "population": "tumour", "levels": {}, "corrections": [], "cell_type": None}


@pytest.fixture
def track_cfg():
    return defaults()
