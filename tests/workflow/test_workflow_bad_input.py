"""Movies that cannot be used, through the workflow: each is a row in failed_samples.tsv with its reason, and the others go on."""

import csv
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tifffile

from tests.workflow import lab

CONFIG = """samples: samples.tsv
channels: [nuclei]
conditions:
  - {name: drug, kind: binary, reference: 0}
segment:
  populations:
    - {name: cells, channel: nuclei, engine: threshold, diameter_um: 10}
assemble: {variables: [area_um2, speed_um_min]}
"""


def movie(n_frames=6, centres=((14, 14), (34, 18), (22, 38)), size=52, dtype="uint16"):
    """(T, Y, X) frames with round bright cells that drift slowly, on noise."""
    draw = np.random.default_rng(5)
    y, x = np.mgrid[:size, :size]
    frames = draw.normal(100, 3, (n_frames, size, size))
    for t in range(n_frames):
        for k, (cy, cx) in enumerate(centres):
            frames[t] += 900 * np.exp(-(((y - cy - 0.4 * t) ** 2 + (x - cx + 0.3 * k * t) ** 2) / 2 / 3.0**2) ** 2)
    return frames.astype(dtype)


def write(path, frames, axes="TYX"):
    tifffile.imwrite(path, frames, imagej=frames.dtype.kind != "f", metadata={"axes": axes})


# sample: (columns of its row, words of its reason; None where it must go through)
CASES = {
    "good": ({}, None),
    "truncated": ({}, ["truncated.tif"]),
    "zero_bytes": ({}, ["zero_bytes.tif"]),
    "wrong_axes": ({"axes": "YX"}, ["axes"]),
    "one_frame": ({}, ["one"]),
    "sizes": ({"movie": "data/sizes"}, ["size"]),
    "nan": ({}, ["Frame 1", "9 pixels", "NaN"]),
    "dark_frame": ({}, None),
    "no_cell": ({}, ["cells"]),
    "one_cell": ({}, None),
    "two_channels": ({}, ["channel"]),
    "no_such_track": ({"corrections": "data/fix.tsv"}, ["fix.tsv", "99"]),
    "older_version": ({"movie": "", "tracks": "data/older.parquet"}, ["older.parquet", "written with table schema 0", "reads 1"]),
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The tree after the run, up to the table."""
    tree = lab.copy_tree(tmp_path_factory.mktemp("bad") / "tree")
    data = tree / "data"
    data.mkdir()
    plain = movie()
    for name in ("good", "wrong_axes", "no_such_track"):
        write(data / f"{name}.tif", plain)
    whole = (data / "good.tif").read_bytes()
    (data / "truncated.tif").write_bytes(whole[: len(whole) // 2])
    (data / "zero_bytes.tif").write_bytes(b"")
    write(data / "one_frame.tif", plain[0], "YX")
    (data / "sizes").mkdir()
    for t in range(4):
        write(data / "sizes" / f"t{t}.tif", movie(1, size=52 if t < 3 else 40)[0], "YX")
    holes = plain.astype("float32")
    holes[1, 3:6, 3:6], holes[2, 5, 5] = np.nan, np.inf
    write(data / "nan.tif", holes)
    dark = plain.copy()
    dark[3] = 0
    write(data / "dark_frame.tif", dark)
    write(data / "no_cell.tif", movie(centres=()))
    write(data / "one_cell.tif", movie(centres=((26, 26),)))
    write(data / "two_channels.tif", np.stack([plain, plain], axis=1), "TCYX")
    (data / "fix.tsv").write_text("population\ttrack_id\tframe\taction\tannotator\tdate\ncells\t99\t2\texclude\tme\td\n")
    tracks = pa.table({"track_id": [1, 1], "frame": [0, 1], "y_um": [5.0, 6.0], "x_um": [5.0, 6.0]})
    pq.write_table(tracks.replace_schema_metadata({"cytocause_schema": "0"}), data / "older.parquet")
    rows = ["sample\tmovie\ttracks\taxes\tcorrections\tpixel_size_um\tframe_interval_min\tdrug"]
    for k, (name, (columns, _)) in enumerate(CASES.items()):
        cells = (columns.get("movie", f"data/{name}.tif"), *(columns.get(column, "") for column in ("tracks", "axes", "corrections")))
        rows.append("\t".join([name, *cells, "1", "5", str(k % 2)]))
    (tree / "samples.tsv").write_text("\n".join(rows) + "\n")
    (tree / "bad.yaml").write_text(CONFIG)
    lab.run(tree, "results/failed_samples.tsv", configfile="bad.yaml", timeout=900)
    return tree


def failed(tree):
    with open(tree / "results" / "failed_samples.tsv", newline="") as handle:
        return {row["sample"]: row for row in csv.DictReader(handle, delimiter="\t")}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("sample", CASES)
def test_a_bad_movie_is_a_row_with_its_reason_and_a_good_one_goes_through(ran, sample):
    words = CASES[sample][1]
    rows = failed(ran)
    if words is None:
        assert sample not in rows, rows.get(sample)
        return
    reason = rows[sample]["reason"]
    for word in words:
        assert word in reason, reason
    assert len(reason) > 20
    assert rows[sample]["failed_at"] in ("prepare", "segment", "track")


def test_a_failed_sample_has_all_its_files_and_says_why_in_each_status(ran):
    folder = ran / "results" / "samples" / "truncated"
    for name in ("labels.ome.tif", "tracks.parquet", "cells.parquet", "events.parquet", "lineage.geff", "ctc"):
        assert (folder / "cells" / name).exists(), name
    for stage in ("segment", "track", "measure", "fate"):
        status = json.loads((folder / "cells" / "status" / f"{stage}.json").read_text())
        assert status["ok"] is False
        assert status["failed_at"] == "prepare"


def test_a_table_of_an_older_version_among_the_results_is_a_row_and_the_other_sample_goes_on(tiny, tmp_path):
    tree = lab.copy_run(tiny, tmp_path / "tree")
    path = tree / "results" / "samples" / "quiet" / "tumour" / "cells.parquet"
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata({**table.schema.metadata, b"cytocause_schema": b"0"}), path)
    lab.run(tree, "results/failed_samples.tsv")
    rows = failed(tree)
    assert set(rows) == {"quiet"} and rows["quiet"]["failed_at"] == "fate"
    for word in ("cells.parquet", "written with table schema 0, this version of cytocause reads 1"):
        assert word in rows["quiet"]["reason"]
    assert "Move the old results away" in rows["quiet"]["todo"]
    assert set(pd.read_parquet(tree / "results" / "assemble" / "table.parquet")["sample"]) == {"drug"}


def test_the_table_holds_the_good_samples_only(ran):
    table = pd.read_parquet(ran / "results" / "assemble" / "table.parquet")
    good = {name for name, (_, words) in CASES.items() if words is None}
    assert {str(name).split(":")[0] for name in table["trajectory"]} == good
