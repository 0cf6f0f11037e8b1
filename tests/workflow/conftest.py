"""Runs that several tests look at: made once, copied for whoever changes something."""

import os
import random
import shutil

import pytest
from filelock import FileLock

from tests.workflow import lab


def made_once(name, make, tmp_path_factory):
    """Folder of a tree that make(folder) has filled. Of several workers one makes it, and each has a copy."""
    own = tmp_path_factory.mktemp(name) / "tree"
    if not os.environ.get("PYTEST_XDIST_WORKER"):
        make(own)
        return own
    shared = tmp_path_factory.getbasetemp().parent / name
    with FileLock(f"{shared}.lock"):
        if not (shared / "made").exists():
            shutil.rmtree(shared, ignore_errors=True)
            make(shared / "tree")
            (shared / "made").touch()
    shutil.copytree(shared / "tree", own, symlinks=True)
    return own


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A tree in which config/examples/tiny has run. Read only; copy it to change it."""

    def make(folder):
        lab.copy_tree(folder)
        lab.run(folder)

    return made_once("tiny", make, tmp_path_factory)


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

    def make(folder):
        lab.copy_tree(folder)
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

    return made_once("given", make, tmp_path_factory)
