"""Bad files: a sentence that names the file, what was found and what to do, and never a shorter movie."""

import numpy as np
import pytest
import tifffile

from cytocause.io import InputDefect, open_movie, write_movie

MOVIE = np.random.default_rng(1).integers(0, 60000, (6, 40, 50)).astype("uint16")


def fails(path, text, **options):
    """Opening or reading `path` raises an InputDefect that says `text`, names the file and says what to do."""
    with pytest.raises(InputDefect, match=text) as caught, open_movie(path, **options) as movie:
        for t in range(movie.n_frames):
            movie.frame(t)
    assert caught.value.file is not None and caught.value.todo
    assert str(caught.value).startswith(caught.value.file)
    return caught.value


def test_missing_file(tmp_path):
    assert fails(tmp_path / "none.tif", "does not exist").file.endswith("none.tif")


def test_zero_bytes(tmp_path):
    (tmp_path / "m.tif").touch()
    fails(tmp_path / "m.tif", r"empty \(0 bytes\)")


def test_not_a_tiff(tmp_path):
    (tmp_path / "m.tif").write_text("frame,time_min\n0,0\n")
    fails(tmp_path / "m.tif", "truncated or broken")


def test_empty_folder(tmp_path):
    (tmp_path / "frame_1.png").touch()
    fails(tmp_path, "holds no TIFF file")


def test_no_path():
    with pytest.raises(InputDefect, match="No movie is given"):
        open_movie([])


def _pages(path):
    for image in MOVIE:
        tifffile.imwrite(path, image, append=True, metadata=None)


WRITERS = {
    "plain": lambda path: tifffile.imwrite(path, MOVIE, photometric="minisblack"),
    "pages": _pages,
    "zlib": lambda path: tifffile.imwrite(path, MOVIE, compression="zlib", photometric="minisblack"),
    "lzw": lambda path: tifffile.imwrite(path, MOVIE, compression="lzw", photometric="minisblack"),
    "ome": lambda path: tifffile.imwrite(path, MOVIE, ome=True, metadata={"axes": "TYX"}),
    "ome tiles": lambda path: tifffile.imwrite(
        path, MOVIE, ome=True, metadata={"axes": "TYX"}, compression="zlib", tile=(16, 16)
    ),
    "imagej": lambda path: tifffile.imwrite(path, MOVIE, imagej=True, metadata={"axes": "TYX"}),
    "one entry": lambda path: tifffile.imwrite(path, MOVIE, photometric="minisblack", truncate=True),
    "ours": lambda path: write_movie(path, iter(MOVIE[:, None]), channel_names=["a"], n_frames=6),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_truncated_anywhere(tmp_path, kind):
    """Cut at many places, in the pixels and between the pages: a defect, or every frame right; nothing in between."""
    whole, cut = tmp_path / "whole.tif", tmp_path / "cut.tif"
    WRITERS[kind](whole)
    data = whole.read_bytes()
    found = 0
    for length in [*range(1, len(data) - 1, len(data) // 40), len(data) - 1]:
        cut.write_bytes(data[:length])
        try:
            with open_movie(cut) as movie:
                assert movie.n_frames == len(MOVIE)
                for t, expected in enumerate(MOVIE):
                    np.testing.assert_array_equal(movie.frame(t), expected)
        except InputDefect as defect:
            assert "truncated or broken" in str(defect)
            found += 1
    assert found >= 38


def test_bytes_turned_over_in_a_compressed_page(tmp_path):
    WRITERS["zlib"](tmp_path / "m.tif")
    with tifffile.TiffFile(tmp_path / "m.tif") as tiff:
        offset = tiff.pages[3].dataoffsets[0]
    data = bytearray((tmp_path / "m.tif").read_bytes())
    data[offset : offset + 200] = b"\xff" * 200
    (tmp_path / "m.tif").write_bytes(data)
    fails(tmp_path / "m.tif", "truncated or broken at frame 3")


@pytest.mark.parametrize("where", ["TiffFile", "TiffPage.asarray"])
def test_too_little_memory_is_no_defect_of_the_file(tmp_path, monkeypatch, where):
    """The job must fail and be run again with more memory; listed as a broken movie, a sound sample would be lost."""

    def exhausted(*args, **options):
        raise MemoryError("of the machine")

    WRITERS["zlib"](tmp_path / "m.tif")
    monkeypatch.setattr(f"tifffile.{where}", exhausted)
    with pytest.raises(MemoryError, match="of the machine"), open_movie(tmp_path / "m.tif") as movie:
        movie.frame(0)


@pytest.mark.parametrize(
    ("axes", "text"),
    [
        ("TZYX", "6 planes|5 planes in depth"),
        ("TTYX", "not valid"),
        ("TCY", "not valid"),
        ("QCYX", "not valid"),
        ("YX", "name 2 dimensions, but the file's shape is .3, 5, 20, 30"),
        ("TYX", "name 3 dimensions"),
        ("TCYX", "seems to have 5 channels"),
        (None, "no metadata that says which dimension is time"),
    ],
)
def test_wrong_axes(tmp_path, axes, text):
    tifffile.imwrite(tmp_path / "m.tif", np.zeros((3, 5, 20, 30), "uint16"), photometric="minisblack")
    assert "axes" in fails(tmp_path / "m.tif", text, axes=axes).todo or axes == "TZYX"


def test_depth_in_the_metadata_is_asked_about(tmp_path):
    tifffile.imwrite(tmp_path / "m.tif", MOVIE, imagej=True, metadata={"axes": "ZYX"})
    assert "TYX" in fails(tmp_path / "m.tif", "the dimensions Z=6, Y=40, X=50").todo
    with open_movie(tmp_path / "m.tif", axes="TYX") as movie:
        np.testing.assert_array_equal(movie.frame(5), MOVIE[5])


def test_pages_of_unequal_size(tmp_path):
    for size in (20, 20, 24):
        tifffile.imwrite(tmp_path / "m.tif", np.zeros((size, 30), "uint16"), append=True, metadata=None)
    fails(tmp_path / "m.tif", "unequal size: 20 x 30, 24 x 30")


def test_frames_of_unequal_size_in_a_folder(tmp_path):
    for number, size in enumerate((20, 20, 24)):
        tifffile.imwrite(tmp_path / f"t{number}.tif", np.zeros((size, 30), "uint16"))
    assert fails(tmp_path, "this one is 24 x 30 .height x width., t0.tif is 20 x 30").file.endswith("t2.tif")


def test_frames_of_unequal_channels_in_a_folder(tmp_path):
    for number, n in enumerate((2, 3)):
        tifffile.imwrite(tmp_path / f"t{number}.tif", np.zeros((n, 20, 30), "uint16"), photometric="minisblack")
    fails(tmp_path, "differ in their channels: this one has 3, t0.tif has 2")


def test_several_images_in_one_file(tmp_path):
    with tifffile.TiffWriter(tmp_path / "m.ome.tif", ome=True) as tiff:
        for _ in range(2):
            tiff.write(MOVIE, metadata={"axes": "TYX"})
    fails(tmp_path / "m.ome.tif", "holds 2 separate images")


def test_complex_pixels(tmp_path):
    tifffile.imwrite(tmp_path / "m.tif", np.zeros((3, 20, 30), "complex64"), photometric="minisblack")
    fails(tmp_path / "m.tif", "pixels are of type complex64")
