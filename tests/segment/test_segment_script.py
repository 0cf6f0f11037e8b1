"""scripts/segment.py from files to files: labels, counts, what made them, and what is said when nothing is found."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

import segment
from cytocause.io import open_labels, read_json, read_table, run_stage, write_json, write_labels, write_movie

N_FRAMES, SIDE, DIAMETER = 5, 96, 14


def population(**changes):
    cfg = {
        "sample": "chip1",
        "population": "immune",
        "channel": "dye",
        "engine": "threshold",
        "model": "toc-nuclei",
        "diameter_um": DIAMETER / 2,
        "polarity": "bright",
        "second_channel": None,
        "cellprob_threshold": 0.0,
        "flow_threshold": 0.4,
        "min_area_fraction": 0.1,
        "max_area_fraction": 0.4,
        "min_contrast_sd": 6.0,
        "count_jump": 0.3,
        "batch_tiles": 8,
        "device": "cpu",
        "threshold": {},
    }
    return {**cfg, **changes}


def truth_frame(t):
    y, x = np.mgrid[:SIDE, :SIDE]
    labels = np.zeros((SIDE, SIDE), np.int32)
    for number, (cy, cx) in enumerate([(20, 20 + 2 * t), (50, 60), (75, 30 + t)], 1):
        labels[np.hypot(y - cy, x - cx) < DIAMETER / 2] = number
    return labels


@pytest.fixture
def chip(tmp_path):
    """A movie of five frames with three cells and one empty frame (number 2), and its movie.json."""

    def pixels(t):
        light = 300.0 * (truth_frame(t) > 0) if t != 2 else np.zeros((SIDE, SIDE))
        noise = np.random.default_rng(t).normal(100, 5, (2, SIDE, SIDE))
        return (noise + np.stack([np.zeros_like(light), light])).astype(np.uint16)

    frames = [0, 1, 2, 4, 5]
    movie = tmp_path / "movie.ome.tif"
    write_movie(
        movie,
        (pixels(t) for t in range(N_FRAMES)),
        channel_names=["other", "dye"],
        pixel_size_um=0.5,
        time_min=[10.0 * f for f in frames],
        n_frames=N_FRAMES,
    )
    meta = {
        "sample": "chip1",
        "source": [str(movie)],
        "n_frames": N_FRAMES,
        "frames": frames,
        "time_min": [10.0 * f for f in frames],
        "frame_interval_min": 10.0,
        "pixel_size_um": 0.5,
        "unit": "um",
        "height": SIDE,
        "width": SIDE,
        "channels": ["other", "dye"],
        "dtype": "uint16",
        "intensity": {
            "other": {"low": 90, "high": 115, "background": 100},
            "dye": {"low": 90, "high": 400, "background": 100},
        },
        "drift_px": [[0, 0]] * N_FRAMES,
        "has_movie": True,
        "has_truth": False,
    }
    write_json(meta, tmp_path / "movie.json")
    write_json({"ok": True}, tmp_path / "prepare.json")
    return tmp_path


def run(chip, cfg, given=(), model=(), folder="out"):
    out = chip / folder
    out.mkdir(exist_ok=True)
    job = SimpleNamespace(
        input=SimpleNamespace(
            movie=[str(chip / "movie.ome.tif")],
            meta=str(chip / "movie.json"),
            given=list(given),
            model=list(model),
            status=str(chip / "prepare.json"),
        ),
        output=SimpleNamespace(
            labels=str(out / "labels.ome.tif"),
            counts=str(out / "segment.tsv"),
            model=str(out / "segment.json"),
            status=str(out / "status.json"),
        ),
        params=SimpleNamespace(cfg=cfg),
        wildcards=SimpleNamespace(sample="chip1", population=cfg["population"]),
        threads=1,
        log=[str(out / "log.txt")],
        rule="segment",
    )
    run_stage(job, segment.work, segment.empty)
    return out, read_json(out / "status.json")


def test_labels_counts_and_record(chip):
    out, status = run(chip, population())
    assert status["ok"], status["reason"]
    with open_labels(out / "labels.ome.tif") as labels:
        assert (labels.n_frames, labels.height, labels.width) == (N_FRAMES, SIDE, SIDE)
        for t in (0, 1, 3, 4):
            found, truth = labels.frame(t), truth_frame(t)
            assert sorted(np.unique(found)) == [0, 1, 2, 3]
            assert ((found > 0) & (truth > 0)).sum() > 0.9 * (truth > 0).sum()
        assert labels.frame(2).max() == 0
    counts = read_table(out / "segment.tsv")
    assert counts["frame"].tolist() == [0, 1, 2, 4, 5] and counts["n_objects"].tolist() == [3, 3, 0, 3, 3]
    assert counts["flag"].fillna("").tolist() == ["", "", "empty", "", ""]
    assert status["facts"]["objects"] == 12 and status["facts"]["frames_empty"] == 1
    assert any("no object in 1 of 5 frames (2)" in text for text in status["warnings"])
    record = read_json(out / "segment.json")
    assert record["engine"] == "threshold" and record["channel"] == "dye" and record["diameter_px"] == DIAMETER
    assert set(record["versions"]) == {"numpy", "scipy", "scikit-image"}


def test_the_same_bytes_twice(chip):
    first, _ = run(chip, population(), folder="a")
    second, _ = run(chip, population(), folder="b")
    for name in ("labels.ome.tif", "segment.tsv", "segment.json", "status.json"):
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_progress_is_logged_with_a_rate(chip):
    out, _ = run(chip, population())
    assert "immune: frames 5/5 (100 %)" in (out / "log.txt").read_text()


def test_a_channel_without_a_cell_is_a_defect_that_says_what_to_try(chip):
    out, status = run(chip, population(channel="other"))
    assert not status["ok"] and status["failed_at"] == "segment"
    for part in ("No cell was found in any frame", "engine threshold", "channel other", "diameter 14 px", "bright cells"):
        assert part in status["reason"]
    assert status["facts"] == {"nothing_found": True}
    assert "diameter_um" in status["todo"] and "polarity" in status["todo"]
    with open_labels(out / "labels.ome.tif") as labels:
        assert labels.n_frames == 0
    assert list(read_table(out / "segment.tsv").columns) == ["frame", "n_objects", "flag"]


def test_an_absent_channel_is_a_defect_that_names_the_others(chip):
    _, status = run(chip, population(channel="gfp"))
    assert not status["ok"] and "'gfp'" in status["reason"] and "'dye'" in status["reason"]


def test_given_labels_pass_as_they_are(chip):
    given = chip / "given.tif"
    numbers = np.array([0, 7, 70_000, 3])
    write_labels(
        given, (numbers[truth_frame(t)] for t in range(N_FRAMES)), n_frames=N_FRAMES, height=SIDE, width=SIDE, dtype="uint32"
    )
    out, status = run(chip, population(engine="precomputed"), given=[str(given)])
    assert status["ok"], status["reason"]
    with open_labels(out / "labels.ome.tif") as labels:
        assert all((labels.frame(t) == numbers[truth_frame(t)]).all() for t in range(N_FRAMES))
    assert read_json(out / "segment.json")["engine"] == "precomputed"


def test_given_labels_of_several_populations_are_told_apart_by_name(chip):
    from cytocause.io import write_label_channels

    write_label_channels(
        chip / "both.ome.tif",
        (np.stack([0 * truth_frame(t), truth_frame(t)]) for t in range(N_FRAMES)),
        channel_names=["tumour", "immune"],
        n_frames=N_FRAMES,
        height=SIDE,
        width=SIDE,
    )
    out, status = run(chip, population(engine="precomputed"), given=[str(chip / "both.ome.tif")])
    assert status["ok"], status["reason"]
    with open_labels(out / "labels.ome.tif") as labels:
        assert labels.frame(0).max() == 3


def test_given_labels_of_another_size_are_a_defect(chip):
    write_labels(chip / "small.tif", (np.ones((8, 8), int) for _ in range(2)), n_frames=2, height=8, width=8)
    _, status = run(chip, population(engine="precomputed"), given=[str(chip / "small.tif")])
    assert not status["ok"]
    assert "2 frames of 8 x 8" in status["reason"] and "5 of 96 x 96" in status["reason"]


def test_precomputed_without_labels_is_a_defect(chip):
    _, status = run(chip, population(engine="precomputed"))
    assert not status["ok"] and "gives no labels" in status["reason"] and "sample sheet" in status["todo"]


def test_a_broken_model_stops_the_run_instead_of_failing_each_sample(chip):
    (chip / "bad.pt").write_text("no weights")
    with pytest.raises(SystemExit, match="population immune: .*bad.pt is not a file of network weights"):
        run(chip, population(engine="cellpose", model=str(chip / "bad.pt")))


def test_a_failed_sample_is_passed_on(chip):
    write_json({"ok": False, "reason": "one frame only", "failed_at": "prepare"}, chip / "prepare.json")
    out, status = run(chip, population())
    assert (status["ok"], status["reason"], status["failed_at"]) == (False, "one frame only", "prepare")
    assert (out / "labels.ome.tif").exists() and (out / "segment.json").exists()


def test_the_record_of_cellpose_names_weights_and_versions(tiny_weights):
    from cytocause.segment.engines import make_engine
    from cytocause.segment.models import sha256

    record = make_engine(population(engine="cellpose", model=str(tiny_weights)), DIAMETER).record()
    assert record["sha256"] == sha256(tiny_weights) and record["file"] == "tiny.pt"
    assert record["network"] == {"features": [1, 4, 8], "diam_mean_px": 17.0, "device": "cpu", "scale": "asinh", "tile_px": 544}
    assert record["versions"]["cellpose"] == "3.1.1.3" and record["versions"]["torch"]


def test_frames_are_read_one_at_a_time(chip, monkeypatch):
    """No more than one frame of the movie is alive when the next is asked for."""
    import weakref

    from cytocause.segment.engines import make_engine
    from cytocause.segment.stream import segment_frames

    alive, most = [], 0

    class Frame(np.ndarray):
        pass

    def frames():
        nonlocal most
        for t in range(20):
            frame = np.where(truth_frame(t % 5) > 0, 300.0, 100.0).view(Frame)
            alive.append(weakref.ref(frame))
            most = max(most, sum(ref() is not None for ref in alive))
            yield frame, None

    cfg = population()
    made = segment_frames(frames(), make_engine(cfg, DIAMETER), ({"low": 100, "high": 300}, None), DIAMETER, cfg)
    assert sum(int(labels.max()) for labels in made) == 60
    assert most <= 2


def test_areas_outside_the_limits_are_left_out(chip):
    area = math.pi / 4 * DIAMETER**2
    _, status = run(chip, population(max_area_fraction=0.5 * area / SIDE**2))
    assert not status["ok"] and "No cell was found" in status["reason"]
