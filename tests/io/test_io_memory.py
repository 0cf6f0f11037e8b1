"""Memory: a long movie costs no more than a short one."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

from cytocause.io import write_table

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
PEAK = "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
READ = """
import sys
from cytocause.io import open_movie
with open_movie(sys.argv[1]) as movie:
    total = sum(int(movie.frame(t).sum()) for t in range(movie.n_frames))
"""
WRITE = """
import sys
import numpy as np
from cytocause.io import write_labels
image = np.arange(512 * 512).reshape(512, 512) // 2048
n = int(sys.argv[2])
write_labels(sys.argv[1], (image for _ in range(n)), n_frames=n, height=512, width=512, time_min=range(n))
"""


def peak_kib(code, *arguments):
    env = {**os.environ, "PYTHONPATH": str(SCRIPTS), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", code + PEAK, *map(str, arguments)]
    return int(subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout)


def frames(n, side=512):
    image = (np.arange(side * side).reshape(side, side) // 7 % 4000).astype("uint16")
    for t in range(n):
        yield np.roll(image, t)


@pytest.mark.parametrize("kind", ["zlib", "imagej"])
def test_reading_600_frames_peaks_where_60_do(tmp_path, kind):
    peaks = []
    for n in (60, 600):
        path = tmp_path / "m.tif"
        options = {"compression": "zlib", "compressionargs": {"level": 1}} if kind == "zlib" else {"imagej": True}
        if kind == "imagej":
            options["metadata"] = {"axes": "TYX"}
        tifffile.imwrite(path, frames(n), shape=(n, 512, 512), dtype="uint16", photometric="minisblack", **options)
        peaks.append(peak_kib(READ, path))
        path.unlink()
    assert peaks[1] < 1.1 * peaks[0]


def test_writing_600_frames_peaks_where_60_do(tmp_path):
    peaks = [peak_kib(WRITE, tmp_path / "l.ome.tif", n) for n in (60, 600)]
    assert peaks[1] < 1.1 * peaks[0]


TABLE = """
import sys
import pyarrow.parquet, pandas, numpy
from cytocause.io import read_table
read_table(sys.argv[1])
"""


def test_reading_a_table_peaks_at_most_at_three_times_its_size(tmp_path):
    n = 400_000
    table = pd.DataFrame({f"c{i}": np.random.default_rng(i).normal(size=n) for i in range(20)})
    write_table(table.iloc[:1], tmp_path / "one.parquet")
    write_table(table, tmp_path / "many.parquet")
    grown = peak_kib(TABLE, tmp_path / "many.parquet") - peak_kib(TABLE, tmp_path / "one.parquet")
    assert grown * 1024 < 3 * table.memory_usage().sum()
