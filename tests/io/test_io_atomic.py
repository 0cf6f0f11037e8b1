"""Writing is finished or not there."""

import json
import os
import pickle
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from cytocause.io import SCHEMA, SCHEMA_VERSION, InputDefect, atomic_dir, atomic_path, read_json, write_json

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


def test_nothing_is_seen_before_it_is_whole(tmp_path):
    target = tmp_path / "new" / "a.ome.tif"
    with atomic_path(target) as temporary:
        assert temporary.parent == target.parent and temporary.suffixes == target.suffixes
        temporary.write_text("half")
        assert not target.exists()
    assert target.read_text() == "half" and len(list(target.parent.iterdir())) == 1


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, OSError])
def test_an_error_in_the_middle_leaves_the_old_and_nothing_else(tmp_path, error):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(error), atomic_path(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise error
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"] and (tmp_path / "a.txt").read_text() == "old"
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "old").touch()
    with pytest.raises(error), atomic_dir(tmp_path / "d") as temporary:
        (temporary / "half").touch()
        raise error
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.txt", "d"]
    assert [p.name for p in (tmp_path / "d").iterdir()] == ["old"]


def test_forgetting_to_write_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "a.txt"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_directory_takes_the_place_of_the_old_one(tmp_path):
    for name in ("one", "two"):
        with atomic_dir(tmp_path / "d") as temporary:
            (temporary / name).write_text(name)
    assert [p.name for p in tmp_path.iterdir()] == ["d"] and [p.name for p in (tmp_path / "d").iterdir()] == ["two"]


def test_what_a_killed_process_left_is_overwritten(tmp_path):
    code = (
        "import os, sys; from cytocause.io import atomic_path\n"
        "with atomic_path(sys.argv[1]) as t: t.write_text('half'); os.kill(os.getpid(), 9)"
    )
    target = tmp_path / "a.txt"
    run = subprocess.run([sys.executable, "-c", code, target], env={**os.environ, "PYTHONPATH": str(SCRIPTS)}, check=False)
    assert run.returncode == -9 and not target.exists()
    with atomic_path(target) as temporary:
        temporary.write_text("whole")
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"] and target.read_text() == "whole"


def test_json_takes_numpy_and_refuses_nan(tmp_path):
    obj = {"b": np.float32(0.5), "a": [np.int64(3), float("nan"), np.array([1.0, np.inf])], "c": (True, None, Path("x/y"))}
    write_json(obj, tmp_path / "a.json")
    assert read_json(tmp_path / "a.json") == {"a": [3, None, [1.0, None]], "b": 0.5, "c": [True, None, "x/y"]}
    assert (tmp_path / "a.json").read_text() == json.dumps(read_json(tmp_path / "a.json"), indent=1, sort_keys=True) + "\n"
    with pytest.raises(TypeError, match="cannot write a object"):
        write_json({"a": object()}, tmp_path / "b.json")
    assert not (tmp_path / "b.json").exists()


def test_json_that_is_not_there_or_broken(tmp_path):
    with pytest.raises(InputDefect, match="does not exist"):
        read_json(tmp_path / "a.json")
    (tmp_path / "a.json").write_text('{"a": ')
    with pytest.raises(InputDefect, match="not valid JSON"):
        read_json(tmp_path / "a.json")


def test_a_defect_says_where_what_and_what_to_do():
    defect = InputDefect("The time is -3; expected 0 or more.", file="t.tsv", row=4, todo="Correct it.")
    assert str(defect) == "t.tsv, row 4: The time is -3; expected 0 or more. Correct it."
    assert defect.message == "t.tsv, row 4: The time is -3; expected 0 or more."
    assert str(InputDefect("No movie is given.")) == "No movie is given."
    assert isinstance(defect, ValueError) and str(pickle.loads(pickle.dumps(defect))) == str(defect)


def test_the_package_door_is_cheap():
    code = (
        "import sys, cytocause.io as io; "
        "heavy = {'numpy', 'pandas', 'tifffile', 'zarr', 'pyarrow', 'scipy'}; print(sorted(heavy & set(sys.modules))); "
        "print(all(getattr(io, name) is not None for name in io.__all__))"
    )
    env = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    out = subprocess.run([sys.executable, "-c", code], env=env, check=True, capture_output=True, text=True).stdout
    assert out.split() == ["[]", "True"]


def test_a_thread_that_writes_on_after_the_error_leaves_nothing(tmp_path):
    def write_on(folder):
        for k in range(6):
            time.sleep(0.02)
            folder.mkdir(exist_ok=True)
            (folder / f"late{k}").write_text("x")

    with pytest.raises(OSError, match="full"), atomic_dir(tmp_path / "d") as temporary:
        late = threading.Thread(target=write_on, args=[temporary])
        late.start()
        raise OSError("the disk is full")
    late.join()
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_another_schema_version_is_refused_by_name(tmp_path):
    write_json({SCHEMA: SCHEMA_VERSION, "frames": [0]}, tmp_path / "movie.json")
    assert read_json(tmp_path / "movie.json")["frames"] == [0]
    write_json({SCHEMA: "0", "frames": [0]}, tmp_path / "movie.json")
    with pytest.raises(InputDefect, match=f"written with file schema 0, this version of cytocause reads {SCHEMA_VERSION}") as caught:
        read_json(tmp_path / "movie.json")
    assert "movie.json" in str(caught.value) and "run again" in caught.value.todo
