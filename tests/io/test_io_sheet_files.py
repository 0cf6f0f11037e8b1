"""Which files of a folder are the frames of a movie, and which names a sheet may not give."""

from pathlib import Path

import pytest

from cytocause.io.frame_files import _SUFFIXES
from cytocause.io.sheets import IMAGES, check_conditions, movie_files, read_exposures

SCHEMAS = Path(__file__).parents[2] / "workflow" / "schemas"


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


@pytest.mark.parametrize("name", ["death", "division", "time_step", "trajectory"])
def test_conditions_and_exposures_may_not_be_called_as_columns_of_the_table(tmp_path, name):
    problems = []
    check_conditions({"conditions": [{"name": name, "kind": "binary", "reference": 0, "levels": []}]}, SCHEMAS, problems)
    assert len(problems) == 1 and f"conditions[0].name is {name!r}" in problems[0]
    sheet = tmp_path / "exposures.tsv"
    sheet.write_text(f"sample\tvariable\tstart_min\tend_min\tdose\tunit\na\t{name}\t0\t10\t1\tnM\n")
    read_exposures(sheet, SCHEMAS, [{"sample": "a"}], {"conditions": [], "samples": "samples.tsv"}, problems)
    assert len(problems) == 2 and f"row 2: variable {name!r} is a column of the table" in problems[1]
