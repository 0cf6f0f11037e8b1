"""The overlay film: what is drawn where, and the scripts that draw it."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cytocause.report import overlay
from cytocause.report.film import encode, is_whole

ROOT = Path(__file__).parents[2]
CFG = {
    "channel": "",
    "population_channel": "green",
    "min_size_px": 128,
    "max_size_px": 256,
    "frames_per_second": 10,
    "tail_frames": 4,
    "event_frames": 2,
    "quality": 26,
    "sample": "s",
    "population": "tumour",
}


@settings(max_examples=30, deadline=None)
@given(arrays(np.int32, (5, 6), elements=st.integers(0, 3)))
def test_outlines_are_mask_pixels_with_another_neighbour(labels):
    expected = np.zeros(labels.shape, bool)
    for y in range(5):
        for x in range(6):
            around = [(y + dy, x + dx) for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0))]
            values = [labels[a, b] for a, b in around if 0 <= a < 5 and 0 <= b < 6]
            expected[y, x] = labels[y, x] > 0 and any(v != labels[y, x] for v in values)
    assert (overlay.outlines(labels) == expected).all()


@pytest.mark.parametrize(
    ("size", "expected"), [((96, 96), (6, 1)), ((256, 256), (2, 1)), ((600, 500), (1, 1)), ((2048, 1000), (1, 2)), ((700, 700), (1, 1))]
)
def test_small_movies_grow_and_large_ones_shrink_by_whole_factors(size, expected):
    assert overlay.scale_of(*size, 512, 1024) == expected


def test_sides_become_even_and_values_stay():
    page = overlay.resized(np.arange(15, dtype=np.int32).reshape(3, 5), 1, 1)
    assert page.shape == (4, 6) and page[:3, :5].tolist() == np.arange(15).reshape(3, 5).tolist()
    assert overlay.resized(np.zeros((10, 10)), 3, 1).shape == (30, 30)


def paths(n=3):
    frame = np.arange(n)
    return overlay.Paths([7] * n, frame, [1] * n, 10.0 + frame, 12.0 + 2 * frame)


def test_masks_are_outlined_in_the_colour_of_their_track_and_untracked_ones_in_grey():
    labels = np.zeros((40, 40), np.int32)
    labels[5:15, 5:15], labels[25:35, 25:35] = 1, 2
    page = overlay.draw(None, labels, paths(1), 0, [], enlarge=2, tail_frames=0)
    assert page.shape == (80, 80, 3)
    assert tuple(page[20, 10]) == overlay.colour_of(7) and tuple(page[60, 50]) == overlay.UNTRACKED
    assert tuple(page[20, 20]) == (0, 0, 0)


def test_tails_reach_back_and_no_further():
    page = overlay.draw(np.zeros((200, 200), np.uint8), None, paths(3), 2, [], tail_frames=1)
    assert tuple(page[11, 14]) == overlay.colour_of(7)
    assert tuple(page[10, 12]) == (0, 0, 0)


def test_events_stay_for_a_few_frames_where_the_cell_is():
    marks = overlay.marks_of([("death", 7, 1), ("division", 7, 2), ("censored", 7, 2), ("death", 99, 0)], paths(3), 2)
    assert marks == {1: [("death", 0, 11.0, 14.0)], 2: [("death", 1, 11.0, 14.0), ("division", 0, 12.0, 16.0)], 3: [("division", 1, 12.0, 16.0)]}
    page = overlay.draw(np.zeros((200, 200), np.uint8), None, paths(0), 1, [("death", 0, 100.0, 100.0)])
    assert tuple(page[100, 100]) == overlay.DEATH


def test_an_event_after_the_track_ended_is_marked_where_it_was_last_seen():
    assert paths(3).place(7, 50) == (12.0, 16.0) and paths(3).place(7, -1) == (10.0, 12.0)


def test_time_and_scale():
    assert [overlay.clock(t) for t in (0, 65, 1445.4)] == ["0:00 h", "1:05 h", "24:05 h"]
    assert overlay.bar_length(256, 1.0) == (50, "um", 50.0)
    assert overlay.bar_length(512, 0.65) == (50, "um", pytest.approx(76.9, abs=0.1))
    assert overlay.bar_length(256, None) == (50, "px", 50.0)


def test_a_constant_image_and_nan_pixels_are_drawn():
    assert overlay.grey(np.full((2, 2), 7.0), 7, 7).tolist() == [[0, 0], [0, 0]]
    assert overlay.grey(np.array([[np.nan, 10.0, 20.0, 99.0]]), 0, 20).tolist() == [[0, 117, 235, 235]]


class Inputs(dict):
    """Named inputs, as Snakemake gives them."""

    def __getattr__(self, name):
        if name not in self:
            raise AttributeError(name)
        return self[name]


def snakemake(tmp_path, **inputs):
    import json

    meta = {
        "sample": "s",
        "frames": [0, 1, 3],
        "time_min": [0.0, 10.0, 30.0],
        "height": 48,
        "width": 50,
        "channels": ["red", "green"],
        "pixel_size_um": 0.5,
        "unit": "um",
        "intensity": {"red": {"low": 0, "high": 1, "background": 0}, "green": {"low": 0, "high": 200, "background": 0}},
    }
    (tmp_path / "movie.json").write_text(json.dumps(meta))
    tracks = pd.DataFrame(
        {"track_id": [1, 1, 1], "parent_id": 0, "frame": [0, 1, 3], "label": [4, 4, 4], "y_um": 10.0, "x_um": [8.0, 9.0, 10.0]}
    )
    events = pd.DataFrame({"track_id": [1], "event": ["death"], "frame": [3], "time_min": [30.0]})
    from cytocause.io import write_table

    write_table(tracks, tmp_path / "tracks.parquet")
    write_table(events, tmp_path / "events.parquet")
    out = tmp_path / "out"
    return SimpleNamespace(
        input=Inputs(
            meta=str(tmp_path / "movie.json"),
            tracks=str(tmp_path / "tracks.parquet"),
            events=str(tmp_path / "events.parquet"),
            **{"movie": [], "labels": [], **inputs},
        ),
        output=SimpleNamespace(film=str(out / "overlay.mp4"), still=str(out / "overlay.png"), status=str(out / "status.json")),
        params=SimpleNamespace(cfg=CFG),
        wildcards=SimpleNamespace(sample="s", population="tumour"),
        rule="overlay",
        threads=1,
        log=[],
    )


def movie_and_labels(tmp_path):
    from cytocause.io import write_labels, write_movie

    frames = [np.stack([np.full((48, 50), 3, np.uint16), np.full((48, 50), 100, np.uint16)]) for _ in range(3)]
    path = tmp_path / "movie.ome.tif"
    write_movie(path, iter(frames), channel_names=["red", "green"], pixel_size_um=0.5, time_min=[0, 10, 30])
    label = np.zeros((48, 50), np.int32)
    label[14:26, 12:24] = 4
    write_labels(tmp_path / "labels.ome.tif", iter([label] * 3), n_frames=3, height=48, width=50)
    return [str(path)], [str(tmp_path / "labels.ome.tif")]


def run(script, job):
    return runpy.run_path(str(ROOT / "scripts" / script), init_globals={"snakemake": job})


def size_and_frames(path):
    import imageio_ffmpeg

    reader = imageio_ffmpeg.read_frames(str(path))
    meta = next(reader)
    return meta["size"], meta["codec"], meta["pix_fmt"], [f for f in reader]


@pytest.mark.parametrize("what", ["both", "movie", "labels", "neither"])
def test_the_script_writes_film_still_and_status(tmp_path, what):
    from PIL import Image

    movie, labels = movie_and_labels(tmp_path)
    job = snakemake(
        tmp_path, movie=movie if what in ("both", "movie") else [], labels=labels if what in ("both", "labels") else []
    )
    run("overlay.py", job)
    size, codec, pixels, frames = size_and_frames(job.output.film)
    assert size == (150, 144) and codec == "h264" and pixels.startswith("yuv420p") and len(frames) == 3
    still = np.asarray(Image.open(job.output.still))
    assert still.shape == (144, 150, 3)
    if what in ("both", "labels"):
        assert tuple(still[14 * 3, 18 * 3]) == overlay.colour_of(1)
    if what in ("both", "movie"):
        assert tuple(still[100, 140]) == (117, 117, 117)  # the population's own channel, at half its range


def test_the_same_input_gives_the_same_bytes(tmp_path):
    movie, labels = movie_and_labels(tmp_path)
    job = snakemake(tmp_path, movie=movie, labels=labels)
    run("overlay.py", job)
    first = Path(job.output.film).read_bytes(), Path(job.output.still).read_bytes()
    run("overlay.py", job)
    assert (Path(job.output.film).read_bytes(), Path(job.output.still).read_bytes()) == first


def test_a_failed_sample_gets_a_dark_film_that_plays(tmp_path):
    import json

    (tmp_path / "upstream.json").write_text(json.dumps({"ok": False, "reason": "no cell", "failed_at": "segment", "todo": ""}))
    job = snakemake(tmp_path, status=str(tmp_path / "upstream.json"))
    run("overlay.py", job)
    size, _, _, frames = size_and_frames(job.output.film)
    assert size == (64, 64) and len(frames) == 1 and max(frames[0]) < 20
    status = json.loads(Path(job.output.status).read_text())
    assert not status["ok"] and status["reason"] == "no cell" and status["failed_at"] == "segment"


def test_frames_are_encoded_one_at_a_time(tmp_path):
    alive, most = [0], [0]

    class Frame(np.ndarray):
        def __del__(self):
            alive[0] -= 1

    def frames():
        for i in range(20):
            alive[0] += 1
            most[0] = max(most[0], alive[0])
            yield np.full((32, 32, 3), i, np.uint8).view(Frame)

    encode(frames(), tmp_path / "film.mp4", width=32, height=32)
    assert most[0] <= 3


def test_a_film_that_ffmpeg_could_not_finish_is_an_error(tmp_path):
    frames = [np.full((32, 32, 3), 9 * i, np.uint8) for i in range(6)]
    encode(frames, tmp_path / "film.mp4", width=32, height=32)
    whole = (tmp_path / "film.mp4").read_bytes()
    for length in (0, 20, len(whole) // 2, len(whole) - 1):
        (tmp_path / "cut.mp4").write_bytes(whole[:length])
        assert not is_whole(tmp_path / "cut.mp4"), length
    if Path("/dev/full").exists():
        (tmp_path / "full.mp4").symlink_to("/dev/full")
        with pytest.raises(OSError, match="ffmpeg|No space"):
            encode(frames, tmp_path / "full.mp4", width=32, height=32)
