"""A chip whose past lies on disk is the chip whose past lies in memory, and its tables in parts are the whole tables."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytocause.simulate import truths
from cytocause.simulate.cells import run_chip
from cytocause.simulate.spool import Spool
from tests.simulate import worlds


def rows_of(numbers):
    ids = np.array(numbers, np.int64)
    return {"track_id": ids, "y_um": ids / 7.0, "attached": ids % 2 == 1}


@given(st.lists(st.lists(st.integers(1, 50), max_size=8), max_size=6))
def test_what_is_read_is_what_was_kept(frames):
    spool, plain = Spool(), [rows_of(numbers) for numbers in frames]
    for row in plain:
        spool.append(row)
    assert len(spool) == len(plain)
    for got, expected in zip(spool, plain):
        assert list(got) == list(expected)
        for name, values in expected.items():
            np.testing.assert_array_equal(got[name], values)
            assert got[name].dtype == values.dtype
    if plain:
        for name in plain[0]:
            np.testing.assert_array_equal(spool.column(name), np.concatenate([row[name] for row in plain]))


def test_a_frame_with_other_fields_is_refused():
    spool = Spool()
    spool.append(rows_of([1, 2]))
    for wrong in ({"track_id": np.zeros(2, np.int64)}, rows_of([1]) | {"y_um": np.zeros(2)}, rows_of([1]) | {"y_um": np.zeros(1, np.float32)}):
        with pytest.raises(ValueError, match="fields"):
            spool.append(wrong)
    assert len(spool) == 1


def test_a_chip_on_disk_is_the_same_chip():
    model, cfg = worlds.model(), worlds.section(n_frames=12, height=120, width=120)
    disk, memory = (run_chip(model, cfg, "chip_01", worlds.PLAIN, store) for store in (Spool, list))
    assert disk.events == memory.events and disk.parents == memory.parents
    for name in ("tumour", "immune", "caf"):
        for a, b in zip(disk.rows(name), memory.rows(name), strict=True):
            assert list(a) == list(b)
            for key in a:
                np.testing.assert_array_equal(a[key], b[key])


@pytest.mark.parametrize("most", [1, 40, 100])
def test_tables_in_parts_are_the_whole_tables(most):
    chip = worlds.chip(n_frames=25, height=160, width=160)
    parts = list(truths.blocks(chip.history.tumour, most))
    assert len(parts) > 1
    sizes = [sum(row["track_id"].size for row in part) for part in parts]
    tracks = [{int(k) for row in part for k in row["track_id"]} for part in parts]
    assert all(size <= most or len(own) == 1 for size, own in zip(sizes, tracks))
    tables = [truths.variables(part, chip.sample, chip.interval, {"treatment": 1}) for part in parts]
    whole = truths.variables(chip.history.tumour, chip.sample, chip.interval, {"treatment": 1})
    pd.testing.assert_frame_equal(pd.concat(tables, ignore_index=True), whole)
