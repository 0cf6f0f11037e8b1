"""Which files of a folder are the frames of a movie."""

from cytocause.io.frame_files import _SUFFIXES
from cytocause.io.sheets import IMAGES, movie_files


def test_frames_are_the_tiff_files_in_the_order_of_their_numbers(tmp_path):
    for name in ("t10.tif", "t9.tif", "preview.png", "._t9.tif", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    problems = []
    assert movie_files(str(tmp_path), "row 2", problems) == [str(tmp_path / name) for name in ("t9.tif", "t10.tif")]
    assert problems == []


def test_a_folder_without_a_tiff_is_told_before_any_job(tmp_path):
    (tmp_path / "t1.png").write_bytes(b"x")
    problems = []
    movie_files(str(tmp_path), "samples.tsv, row 2, column movie", problems)
    assert len(problems) == 1 and "row 2" in problems[0] and "convert frames of other formats to TIFF" in problems[0]


def test_the_sheet_and_the_reader_know_the_same_files():
    assert IMAGES == _SUFFIXES
