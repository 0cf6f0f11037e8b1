"""Runs that several tests look at: made once, copied for whoever changes something."""

import random

import pytest

from tests.workflow import lab


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A tree in which config/examples/tiny has run. Read only; copy it to change it."""
    folder = lab.copy_tree(tmp_path_factory.mktemp("tiny") / "tree")
    lab.run(folder)
    return folder


GIVEN_CONFIG = """samples: samples.tsv
channels: [tumour, immune]
conditions:
  - {name: treatment, kind: binary, reference: 0}
segment:
  populations:
    - {name: tumour, channel: tumour, engine: threshold, diameter_um: 18}
    - {name: immune, channel: immune, engine: threshold, diameter_um: 8}
"""
GIVEN_SAMPLES = """sample	movie	labels	tracks	events	corrections	date	treatment
masks	data/large.ome.tif	data/labels.ome.tif			data/fix.tsv	d1	0
pixels	data/small.ome.tif					d1	1
"""


@pytest.fixture(scope="session")
def given(tiny, tmp_path_factory):
    """A tree in which two samples that bring files have run: `masks` (labels and a movie above 1 MB), `pixels` (a movie below 1 MB)."""
    folder = lab.copy_tree(tmp_path_factory.mktemp("given") / "tree")
    data = folder / "data"
    data.mkdir()
    source = tiny / "results" / "samples" / "quiet" / "simulate"
    movie = (source / "movie.ome.tif").read_bytes()
    assert len(movie) < 900_000
    (data / "small.ome.tif").write_bytes(movie)
    # Bytes after the last page are no part of the movie; random, as Snakemake's checksums see size and content.
    (data / "large.ome.tif").write_bytes(movie + random.Random(1).randbytes(1_100_000))
    (data / "labels.ome.tif").write_bytes((source / "truth" / "labels.ome.tif").read_bytes())
    (data / "fix.tsv").write_text("population\ttrack_id\tframe\taction\tannotator\tdate\n")
    (folder / "samples.tsv").write_text(GIVEN_SAMPLES)
    (folder / "given.yaml").write_text(GIVEN_CONFIG)
    lab.run(folder, configfile="given.yaml")
    return folder
