"""Label stacks, and the Cell Tracking Challenge folder."""

import numpy as np
import pandas as pd
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cytocause.io import InputDefect, open_labels, write_ctc, write_empty_labels, write_label_channels, write_labels

FEW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FEW
@given(
    sizes=st.tuples(st.integers(1, 5), st.integers(2, 20), st.integers(2, 20)),
    highest=st.sampled_from([0, 1, 255, 65535, 70000]),
    pixel=st.sampled_from([None, 0.65]),
)
def test_labels_come_back(tmp_path, sizes, highest, pixel):
    stack = np.random.default_rng(0).integers(0, highest, sizes, endpoint=True)
    dtype = "uint32" if highest > 65535 else "uint16"
    n, height, width = sizes
    path = tmp_path / "l.ome.tif"
    write_labels(path, iter(stack), n_frames=n, height=height, width=width, pixel_size_um=pixel, dtype=dtype)
    with open_labels(path) as labels:
        assert (labels.n_frames, labels.height, labels.width, labels.n_channels) == (*sizes, 1)
        for t in range(n):
            assert labels.frame(t).dtype == np.int32
            np.testing.assert_array_equal(labels.frame(t), stack[t])


def test_one_page_a_frame_compressed(tmp_path):
    stack = np.zeros((4, 64, 64), int)
    write_labels(tmp_path / "l.ome.tif", iter(stack), n_frames=4, height=64, width=64, time_min=range(4))
    with tifffile.TiffFile(tmp_path / "l.ome.tif") as tiff:
        assert len(tiff.pages) == 4 and tiff.pages[0].compression == 8 and len(tiff.pages[0].dataoffsets) == 1
        assert tiff.series[0].axes == "TYX" and tiff.is_ome


def test_labels_of_several_populations(tmp_path):
    stack = np.random.default_rng(0).integers(0, 9, (3, 2, 8, 9))
    path = tmp_path / "truth.ome.tif"
    write_label_channels(path, iter(stack), channel_names=["tumour", "immune"], n_frames=3, height=8, width=9)
    for c, name in enumerate(["tumour", "immune"]):
        with open_labels(path, channel=name) as labels:
            assert labels.channel_names == ["tumour", "immune"]
            np.testing.assert_array_equal(labels.frame(2), stack[2, c])
    with pytest.raises(InputDefect, match="'caf' is absent"):
        open_labels(path, channel="caf")


def test_empty_stack_has_no_frames(tmp_path):
    write_empty_labels(tmp_path / "l.ome.tif")
    assert open_labels(tmp_path / "l.ome.tif").n_frames == 0
    write_labels(tmp_path / "l.ome.tif", [], n_frames=0, height=0, width=0)
    assert open_labels(tmp_path / "l.ome.tif").n_frames == 0


def test_too_many_labels_for_the_type(tmp_path):
    with pytest.raises(OverflowError, match="frame 0 has labels from 70000 to 70000; uint16 holds 0 to 65535"):
        write_labels(tmp_path / "l.ome.tif", [np.full((4, 4), 70000)], n_frames=1, height=4, width=4)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("image", "text"),
    [
        (np.full((2, 4, 4), -1, "int16"), "negative"),
        (np.full((2, 4, 4), 0.5, "float32"), "not whole numbers"),
        (np.full((2, 4, 4), np.nan, "float32"), "not whole numbers"),
        (np.full((2, 4, 4), 2**31, "uint32"), "above 2147483647"),
    ],
)
def test_pixels_that_are_no_labels(tmp_path, image, text):
    tifffile.imwrite(tmp_path / "l.tif", image, photometric="minisblack")
    with open_labels(tmp_path / "l.tif") as labels, pytest.raises(InputDefect, match=text) as caught:
        labels.frame(0)
    assert caught.value.file.endswith("l.tif") and "not the movie" in caught.value.todo


def test_whole_floats_are_labels(tmp_path):
    tifffile.imwrite(tmp_path / "l.tif", np.full((2, 4, 4), 7.0, "float32"), photometric="minisblack")
    assert (open_labels(tmp_path / "l.tif").frame(1) == 7).all()


def lineage(tmp_path):
    """Mother 1 divides into 2 and 3 at frame 3; frame 2 was dropped, so the pages are frames 0, 1, 3, 4."""
    numbers = [0, 1, 3, 4]
    stack = np.zeros((4, 30, 30), int)
    stack[:2, 10:18, 10:18] = 5
    stack[2:, 8:14, 10:18] = 1
    stack[2:, 16:22, 10:18] = 2
    rows = [(1, 0, 0, 5), (1, 0, 1, 5), (2, 1, 3, 1), (2, 1, 4, 1), (3, 1, 3, 2), (3, 1, 4, 2)]
    tracks = pd.DataFrame(rows, columns=["track_id", "parent_id", "frame", "label"])
    write_labels(tmp_path / "l.ome.tif", iter(stack), n_frames=4, height=30, width=30)
    return tracks, numbers, stack


def test_ctc_folder(tmp_path):
    tracks, numbers, stack = lineage(tmp_path)
    with open_labels(tmp_path / "l.ome.tif") as labels:
        write_ctc(tmp_path / "ctc", labels, tracks, frame_numbers=numbers)
    assert sorted(p.name for p in (tmp_path / "ctc").iterdir()) == [
        *[f"mask{t:03d}.tif" for t in range(4)],
        "res_track.txt",
    ]
    assert (tmp_path / "ctc" / "res_track.txt").read_text() == "1 0 1 0\n2 2 3 1\n3 2 3 1\n"
    with open_labels(tmp_path / "ctc") as masks:
        assert masks.n_frames == 4
        np.testing.assert_array_equal(masks.frame(0), (stack[0] == 5) * 1)
        np.testing.assert_array_equal(masks.frame(2), (stack[2] == 1) * 2 + (stack[2] == 2) * 3)


def test_ctc_metrics_read_the_folder(tmp_path):
    """The field's own scorer finds the result valid, and perfect against itself."""
    from ctc_metrics import evaluate_sequence, validate_sequence

    tracks, numbers, _ = lineage(tmp_path)
    with open_labels(tmp_path / "l.ome.tif") as labels:
        write_ctc(tmp_path / "01_RES", labels, tracks, frame_numbers=numbers)
    assert validate_sequence(str(tmp_path / "01_RES"))["Valid"] == 1
    truth = tmp_path / "01_GT" / "TRA"
    truth.mkdir(parents=True)
    for mask in (tmp_path / "01_RES").glob("mask*.tif"):
        (truth / mask.name.replace("mask", "man_track")).write_bytes(mask.read_bytes())
    (truth / "man_track.txt").write_text((tmp_path / "01_RES" / "res_track.txt").read_text())
    scores = evaluate_sequence(str(tmp_path / "01_RES"), str(tmp_path / "01_GT"), metrics=["TRA", "LNK", "Valid"])
    assert scores["TRA"] == pytest.approx(1) and scores["LNK"] == pytest.approx(1)


def test_a_track_that_misses_a_page_is_written_in_pieces(tmp_path):
    """Cell 1 is out of sight at frame 2; its last piece, and not the first, is the mother of 2 and 3."""
    from ctc_metrics import validate_sequence

    rows = [(1, 0, f, 5) for f in (0, 1, 3)] + [(d, 1, 4, d) for d in (2, 3)]
    tracks = pd.DataFrame(rows, columns=["track_id", "parent_id", "frame", "label"])
    stack = np.zeros((5, 20, 20), int)
    stack[[0, 1, 3], 3:9, 3:9] = 5
    stack[4, 3:9, 3:9], stack[4, 12:18, 3:9] = 2, 3
    write_labels(tmp_path / "l.ome.tif", iter(stack), n_frames=5, height=20, width=20)
    with open_labels(tmp_path / "l.ome.tif") as labels:
        write_ctc(tmp_path / "01_RES", labels, tracks, frame_numbers=range(5))
    assert (tmp_path / "01_RES" / "res_track.txt").read_text() == "1 0 1 0\n2 4 4 4\n3 4 4 4\n4 3 3 1\n"
    assert validate_sequence(str(tmp_path / "01_RES"))["Valid"] == 1


def test_ctc_of_many_tracks_needs_wider_pixels(tmp_path):
    write_labels(tmp_path / "l.ome.tif", iter([np.ones((4, 4), int)]), n_frames=1, height=4, width=4)
    tracks = pd.DataFrame({"track_id": [70000], "parent_id": [0], "frame": [0], "label": [1]})
    with open_labels(tmp_path / "l.ome.tif") as labels:
        write_ctc(tmp_path / "ctc", labels, tracks, frame_numbers=[0])
    assert (tifffile.imread(tmp_path / "ctc" / "mask000.tif") == 70000).all()


def test_ctc_of_a_failed_sample(tmp_path):
    write_empty_labels(tmp_path / "l.ome.tif")
    tracks = pd.DataFrame({name: pd.Series(dtype="int64") for name in ("track_id", "parent_id", "frame", "label")})
    with open_labels(tmp_path / "l.ome.tif") as labels:
        write_ctc(tmp_path / "ctc", labels, tracks, frame_numbers=[])
    assert (tmp_path / "ctc" / "res_track.txt").read_text() == ""
