"""Defaults of the config section, from the schema where they live."""

from pathlib import Path

import pytest
from cytocause.io.settings import fill_defaults


@pytest.fixture
def track_cfg():
    import yaml

    schema = yaml.safe_load((Path(__file__).parents[2] / "workflow" / "schemas" / "track.schema.yaml").read_text())
    cfg = {}
    fill_defaults(cfg, schema)
    return {**cfg, "sample": "s", "population": "tumour", "levels": {}, "corrections": [], "cell_type": None}
