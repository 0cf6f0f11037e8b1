"""scripts/track.py from files to files: outputs, a failed sample, a stack without a cell, real masks."""

import itertools
import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd

from cytocause.io import read_json, read_table, write_labels
from tests.track.points import meta

SCRIPT = Path(__file__).parents[2] / "scripts" / "track.py"


def run(folder, cfg, stack=None, *, given=(), info=None, upstream_ok=True):
    """Run the script on a stack (T, Y, X); returns the outputs."""
    folder.mkdir(exist_ok=True)
    labels = []
    if stack is not None:
        labels = [str(folder / "labels.ome.tif")]
        write_labels(labels[0], stack, n_frames=len(stack), height=stack.shape[1], width=stack.shape[2])
    info = info or meta(len(stack), size=stack.shape[1])
    (folder / "movie.json").write_text(json.dumps(info))
    (folder / "before.json").write_text(json.dumps({"ok": upstream_ok, "reason": "a truncated movie", "failed_at": "prepare", "todo": None}))
    out = {name: str(folder / name) for name in ("tracks.parquet", "lineage.geff", "ctc", "track.json")}
    snakemake = SimpleNamespace(
        input=SimpleNamespace(
            labels=labels, movie=[], meta=str(folder / "movie.json"), given=list(map(str, given)), status=str(folder / "before.json")
        ),
        output=SimpleNamespace(**dict(zip(("tracks", "geff", "ctc", "status"), out.values()))),
        params=SimpleNamespace(cfg=cfg),
        wildcards=SimpleNamespace(sample=cfg["sample"], population=cfg["population"]),
        log=[str(folder / "track.log")],
        rule="track",
        threads=1,
    )
    runpy.run_path(str(SCRIPT), init_globals={"snakemake": snakemake})
    return out


def small_stack():
    """A cell that divides in frame 5 and one that stands."""
    stack = np.zeros((10, 60, 80), dtype=np.uint16)
    for page in range(10):
        stack[page, 40:52, 60:72] = 30 - page
        if page < 5:
            stack[page, 20:32, 24:38] = 1 + page
        else:
            stack[page, 20:32, 22 - page + 4 : 28 - page + 4] = 3
            stack[page, 20:32, 29 + page : 35 + page] = 7
    return stack


def test_masks_to_tracks_lineage_and_ctc(tmp_path, track_cfg):
    out = run(tmp_path, track_cfg, small_stack())
    status, df = read_json(out["track.json"]), read_table(out["tracks.parquet"])
    assert status["ok"], status
    assert df.groupby("track_id")["parent_id"].first().to_dict() == {1: 0, 2: 0, 3: 1, 4: 1}
    assert df.groupby("track_id")["frame"].agg(["min", "max"]).to_numpy().tolist() == [[0, 4], [0, 9], [5, 9], [5, 9]]
    assert status["facts"]["divisions"] == 1 and status["facts"]["search_range_um"] > 0
    lines = (Path(out["ctc"]) / "res_track.txt").read_text().split("\n")
    assert lines[:4] == ["1 0 4 0", "2 0 9 0", "3 5 9 1", "4 5 9 1"]
    assert (Path(out["lineage.geff"]) / ".zattrs").exists()
    assert "search range" in (tmp_path / "track.log").read_text()


def test_the_same_bytes_twice_and_for_other_label_numbers(tmp_path, track_cfg):
    one = run(tmp_path / "a", track_cfg, small_stack())
    two = run(tmp_path / "b", track_cfg, small_stack())
    assert Path(one["tracks.parquet"]).read_bytes() == Path(two["tracks.parquet"]).read_bytes()
    rng = np.random.default_rng(0)
    other = np.stack([np.r_[0, rng.permutation(60) + 1][frame] for frame in small_stack()]).astype(np.uint16)
    three = run(tmp_path / "c", track_cfg, other)
    a, c = read_table(one["tracks.parquet"]), read_table(three["tracks.parquet"])
    pd.testing.assert_frame_equal(a.drop(columns="label"), c.drop(columns="label"))


def test_a_stack_without_a_cell_fails_the_sample_and_not_the_job(tmp_path, track_cfg):
    out = run(tmp_path, track_cfg, np.zeros((3, 20, 20), dtype=np.uint16))
    status = read_json(out["track.json"])
    assert not status["ok"] and "no cell" in status["reason"] and status["failed_at"] == "track"
    df = read_table(out["tracks.parquet"])
    assert len(df) == 0 and df["track_id"].dtype == "int64" and "y_um" in df.columns
    assert (Path(out["ctc"]) / "res_track.txt").read_text() == ""


def test_a_failed_sample_passes_its_reason_on(tmp_path, track_cfg):
    out = run(tmp_path, track_cfg, small_stack(), upstream_ok=False)
    status = read_json(out["track.json"])
    assert (status["ok"], status["reason"], status["failed_at"]) == (False, "a truncated movie", "prepare")
    assert len(read_table(out["tracks.parquet"])) == 0


def test_a_stack_of_another_length_is_named(tmp_path, track_cfg):
    out = run(tmp_path, track_cfg, small_stack(), info=meta(12, size=60))
    assert "has 10 frames, the movie has 12" in read_json(out["track.json"])["reason"]


def test_given_tracks_with_and_without_masks(tmp_path, track_cfg):
    given = tmp_path / "given.tsv"
    rows = [(7, page, 26.0, 31.0) for page in range(5)] + [(9, page, 46.0, 66.0) for page in range(10)]
    pd.DataFrame(rows, columns=["track_id", "frame", "y_px", "x_px"]).to_csv(given, sep="\t", index=False)
    out = run(tmp_path / "a", track_cfg, small_stack(), given=[given])
    df = read_table(out["tracks.parquet"])
    assert df.loc[df["track_id"] == 7, "label"].tolist() == [1, 2, 3, 4, 5]
    assert set(df["source"]) == {"given"}
    out = run(tmp_path / "b", track_cfg, None, given=[given], info=meta(10, size=80))
    assert read_json(out["track.json"])["ok"]
    assert read_table(out["tracks.parquet"])["label"].eq(0).all()
    rows.append((9, 3, 1.0, 1.0))
    pd.DataFrame(rows, columns=["track_id", "frame", "y_px", "x_px"]).to_csv(given, sep="\t", index=False)
    out = run(tmp_path / "c", track_cfg, None, given=[given], info=meta(10, size=80))
    assert "given.tsv, row 17: track 9 is there twice in frame 3" in read_json(out["track.json"])["reason"]


def links(ids):
    """Pairs of consecutive rows of each track; rows in the order of frames."""
    return {(a, b) for k in np.unique(ids) for a, b in zip(*(np.flatnonzero(ids == k)[s] for s in (slice(-1), slice(1, None))))}


# ---- real masks -------------------------------------------------------------------------------------------------------------


def test_real_nuclei_with_known_tracks(tmp_path, track_cfg, data_root, skip):
    """Fluorescent nuclei, 6 frames, label numbers persist from frame to frame, so they are a track reference.

    A hard one: nuclei move by half their spacing between frames (median 14 px of 24). With the reference's own mean flow taken off,
    nearest-neighbour assignment still gets 0.76; the bound only holds what we have.
    """
    import tifffile

    folder = data_root / "laptrack_small_sequences"
    if not folder.exists():
        skip(f"{folder} is absent")
    stack = tifffile.imread(folder / "nuclei_labels.tif").astype(np.int64)
    rng = np.random.default_rng(0)
    mixed = np.stack([np.r_[0, rng.permutation(stack.max()) + 1][frame] for frame in stack]).astype(np.uint16)
    out = run(tmp_path, track_cfg, mixed, info=meta(len(stack), size=stack.shape[1], pixel=None))
    df = read_table(out["tracks.parquet"])
    true = np.zeros(len(df), dtype=int)
    for page in range(len(stack)):
        own = (df["frame"] == page).to_numpy()
        first = {int(k): int(stack[page][mixed[page] == k][0]) for k in df["label"][own]}
        true[own] = [first[int(k)] for k in df["label"][own]]
    order = np.argsort(df["frame"].to_numpy(), kind="stable")
    found, truth = links(df["track_id"].to_numpy()[order]), links(true[order])
    assert len(found & truth) / len(truth) >= 0.68
    assert len(found & truth) / len(found) >= 0.68


def test_real_masks_with_two_reference_divisions(tmp_path, track_cfg, data_root, skip):
    """NIST Lineage Mapper's test case; its reference is its own output (2 divisions by overlap of masks, of which areas speak against one)."""
    import tifffile

    folder = data_root / "nist_lineage_mapper_masks"
    if not folder.exists():
        skip(f"{folder} is absent")
    stack = tifffile.imread(folder / "masks.tif")
    out = run(tmp_path, track_cfg, stack.astype(np.uint16), info=meta(len(stack), size=stack.shape[1], pixel=None))
    status = read_json(out["track.json"])
    assert status["ok"]
    reference = tifffile.imread(folder / "tracked_division.tif")
    df = read_table(out["tracks.parquet"])
    agree = total = 0
    for _, rows in df.groupby("track_id"):
        ids = [reference[f][stack[f] == k][0] for f, k in zip(rows["frame"], rows["label"])]
        agree += sum(a == b for a, b in itertools.pairwise(ids))
        total += max(0, len(ids) - 1)
    assert agree / total >= 0.92
    assert status["facts"]["divisions"] >= 1
