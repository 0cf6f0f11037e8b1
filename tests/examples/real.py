"""What the tests of the examples share: cut inputs, a run of the whole chain on them, the example's own scripts."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pandas as pd
import tifffile
import yaml

from tests.workflow import lab

EXAMPLES = lab.ROOT / "config" / "examples"


def script(path):
    """A script of an example as a module."""
    path = EXAMPLES / path
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cut(data_root, folder, name, *, frames, rows=slice(None), columns=slice(None)):
    """Write the first pages of a data set's movie, cropped, below `folder` under the same name; returns its path."""
    target = Path(folder) / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with tifffile.TiffFile(data_root / name) as source, tifffile.TiffWriter(target) as out:
        for page in source.pages[:frames]:
            out.write(page.asarray()[rows, columns], compression="zlib", metadata=None)
    return target


def run_example(tree, data, config, *targets, edits=(), before=None, only=None):
    """Run an example's whole chain, or what `targets` ask for, in a copy of the tree with `data` as its data root; returns the results folder.

    edits : (old, new) pairs for the config of the copy.
    before : a script of the example to run first.
    only : names of the samples to keep in the sheet of the copy.
    """
    lab.copy_tree(tree)
    config = f"config/examples/{config}"
    for old, new in edits:
        lab.edit(Path(tree) / config, old, new)
    if only is not None:
        sheet = Path(tree) / yaml.safe_load((Path(tree) / config).read_text())["samples"]
        header, *rows = sheet.read_text().splitlines()
        sheet.write_text("\n".join([header, *(row for row in rows if row.split("\t")[0] in only)]) + "\n")
    env = lab.environment(CYTOCAUSE_DATA=data)
    if before:
        subprocess.run([sys.executable, f"config/examples/{before}"], check=True, cwd=tree, env=env)
    lab.run(tree, *targets, configfile=config, env=env)
    return Path(tree) / "results"


def check_results(results, sample, populations=("cells",)):
    """What holds for every example: nothing failed, every output is there, the report says what its unit is."""
    assert pd.read_csv(results / "failed_samples.tsv", sep="\t").empty
    for population in populations:
        folder = results / "samples" / sample / population
        for name in (
            "labels.ome.tif",
            "tracks.parquet",
            "cells.parquet",
            "events.parquet",
            "overlay.mp4",
            "overlay.png",
        ):
            assert (folder / name).stat().st_size > 0, name
    assert len(pd.read_parquet(results / "assemble" / "table.parquet")) > 0
    assert {"x", "y", "lag_frames", "lag_min"} <= set(pd.read_csv(results / "infer" / "edges.tsv", sep="\t").columns)
    return (results / "report.html").read_text()
