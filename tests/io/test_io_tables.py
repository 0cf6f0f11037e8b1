"""Tables: what is written comes back, with units, the same bytes, and old or broken files are refused by name."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from cytocause.io import (
    LEVELS,
    InputDefect,
    add_levels,
    data_dictionary,
    describe,
    empty_table,
    in_unit,
    read_table,
    write_table,
    write_table_parts,
)

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
WORDS = st.text(alphabet="abcXYZ019 _-.é,;'\"", min_size=1, max_size=8).map(str.strip).filter(bool)


@st.composite
def tables(draw):
    n = draw(st.integers(0, 12))

    def column(values):
        return draw(st.lists(values, min_size=n, max_size=n))

    return pd.DataFrame(
        {
            "sample": pd.Series(column(WORDS), dtype=object),
            "track_id": np.array(column(st.integers(1, 2**40)), np.int64),
            "frame": np.array(column(st.integers(0, 2**30)), np.int32),
            "y_um": np.array(column(st.floats(allow_infinity=False)), np.float64),
            "border": np.array(column(st.booleans()), bool),
        }
    )


@FEW
@given(table=tables())
def test_parquet_comes_back_exactly(tmp_path, table):
    write_table(table, tmp_path / "a.parquet")
    assert_frame_equal(read_table(tmp_path / "a.parquet"), table, check_exact=True)


@FEW
@given(table=tables())
def test_text_tables_come_back(tmp_path, table):
    for name in ("a.tsv", "a.csv"):
        write_table(table, tmp_path / name)
        back = read_table(tmp_path / name)
        assert list(back.columns) == list(table.columns)
        if len(table):
            assert_frame_equal(back.astype(table.dtypes), table, check_exact=True)


@FEW
@given(table=tables())
def test_equal_tables_give_equal_bytes(tmp_path, table):
    write_table(table, tmp_path / "a.parquet")
    shuffled = table.copy()
    shuffled.index = np.arange(len(table))[::-1] + 7  # the index is no part of a table
    write_table(shuffled, tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_units_travel_with_the_table(tmp_path):
    write_table(empty_table("cells"), tmp_path / "um.parquet")
    write_table(empty_table("cells", "px"), tmp_path / "px.parquet")
    schema = pq.read_schema(tmp_path / "um.parquet")
    assert schema.field("y_um").metadata[b"unit"] == b"um"
    assert schema.field("time_min").metadata[b"unit"] == b"min"
    assert schema.metadata[b"cytocause_schema"] == b"1"
    assert json.loads(pq.read_schema(tmp_path / "px.parquet").metadata[b"units"])["y_px"] == "px"


def test_only_the_columns_asked_for_are_read(tmp_path):
    write_table(pd.DataFrame({"a": [1], "b": [2.0], "sample": ["x"]}), tmp_path / "a.parquet")
    assert list(read_table(tmp_path / "a.parquet", columns=["b"]).columns) == ["b"]


@pytest.mark.parametrize("name", ["a.parquet", "a.tsv"])
def test_columns_that_are_not_there(tmp_path, name):
    write_table(pd.DataFrame({"a": [1], "b": [2.0]}), tmp_path / name)
    with pytest.raises(InputDefect, match="no column c and no column d; it has a, b"):
        read_table(tmp_path / name, columns=["c", "a", "d"])


def test_names_of_samples_stay_text(tmp_path):
    (tmp_path / "a.tsv").write_text("sample\tchip\tframe\n007\t1\t3\n\t2\t4\n")
    table = read_table(tmp_path / "a.tsv")
    assert table["sample"].tolist() == ["007", ""] and table["chip"].tolist() == ["1", "2"]
    assert table["frame"].tolist() == [3, 4]


def test_a_table_of_another_version_is_refused(tmp_path):
    table = pa.table({"a": [1]}).replace_schema_metadata({"cytocause_schema": "0"})
    pq.write_table(table, tmp_path / "old.parquet")
    with pytest.raises(InputDefect, match="table schema 0, this version of cytocause reads 1") as caught:
        read_table(tmp_path / "old.parquet")
    assert "old.parquet" in str(caught.value) and "run again" in caught.value.todo


def test_parquet_made_elsewhere_is_read(tmp_path):
    pd.DataFrame({"track_id": [1, 2], "y_px": [0.5, 1.5]}).to_parquet(tmp_path / "given.parquet")
    assert read_table(tmp_path / "given.parquet")["y_px"].tolist() == [0.5, 1.5]


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("a.parquet", b"not parquet", "broken or is not Parquet"),
        ("a.parquet", b"", "empty file"),
        ("a.tsv", b"", "empty file"),
        ("a.tsv", b"a\tb\n1\t2\n1\t2\t3\t4\n", "cannot be read"),
        ("a.tsv", b"\xff\xfe\x00\x80", "cannot be read"),
        ("a.csv.gz", b"not gzip", "cannot be read"),
        ("a.xlsx", b"PK", "expected one of .parquet, .tsv, .csv"),
    ],
)
def test_broken_tables(tmp_path, name, content, text):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputDefect, match=text) as caught:
        read_table(tmp_path / name)
    assert name in str(caught.value) and caught.value.todo


def test_a_truncated_table(tmp_path):
    write_table(pd.DataFrame({"y_um": np.random.default_rng(0).normal(size=5000)}), tmp_path / "a.parquet")
    data = (tmp_path / "a.parquet").read_bytes()
    for length in (3, 10, len(data) // 2, len(data) - 1):
        (tmp_path / "a.parquet").write_bytes(data[:length])
        with pytest.raises(InputDefect, match="broken"):
            read_table(tmp_path / "a.parquet")


def test_too_little_memory_is_no_defect_of_the_table(tmp_path, monkeypatch):
    """Arrow's own MemoryError is an ArrowException too, and those are broken files."""

    def exhausted(*args, **options):
        raise pa.lib.ArrowMemoryError("of the machine")

    write_table(pd.DataFrame({"y_um": [1.0]}), tmp_path / "a.parquet")
    monkeypatch.setattr(pq.ParquetFile, "read", exhausted)
    with pytest.raises(MemoryError, match="of the machine"):
        read_table(tmp_path / "a.parquet")


def test_missing_table(tmp_path):
    with pytest.raises(InputDefect, match="does not exist"):
        read_table(tmp_path / "none.tsv")


def test_empty_tables_have_the_columns_of_full_ones():
    assert list(empty_table("tracks").columns) == [
        *["sample", "track_id", "parent_id", "frame", "time_min", "label", "y_um", "x_um", "cell_type", "source"]
    ]
    assert list(empty_table("events", "px").columns) == [
        *["sample", "track_id", "event", "frame", "time_min", "confidence", "source", "reason"]
    ]
    cells = empty_table("cells", "px")
    assert {"y_px", "area_px2", "speed_px_min", "perimeter_px", "circularity"} <= set(cells.columns)
    assert not any("_um" in name for name in cells.columns)
    assert cells["track_id"].dtype == np.int64 and cells["label"].dtype == np.int32 and cells["border"].dtype == bool


@pytest.mark.parametrize(
    ("um", "px"),
    [
        ("area_um2", "area_px2"),
        ("speed_um_min", "speed_px_min"),
        ("y_um", "y_px"),
        ("distance_immune_um", "distance_immune_px"),
        ("shape_change_um_min", "shape_change_px_min"),
        ("intensity_mean_tumour", "intensity_mean_tumour"),
        ("n_umbrella_r1", "n_umbrella_r1"),
        ("time_min", "time_min"),
    ],
)
def test_names_in_pixels(um, px):
    assert in_unit(um, "um") == um and in_unit(um, "px") == px
    with pytest.raises(ValueError, match="'mm'"):
        in_unit(um, "mm")


def test_levels_are_appended_in_their_order():
    table = add_levels(empty_table("events"), {"chip": "3", "date": 20240101, "donor": "", "treatment": 1, "region": None})
    assert list(table.columns[-2:]) == ["date", "chip"] and table["chip"].dtype == object
    full = add_levels(pd.DataFrame({"sample": ["a", "a"]}), {"control": "vehicle"})
    assert full["control"].tolist() == ["vehicle", "vehicle"]
    assert LEVELS == ("date", "donor", "chip", "position", "region", "control")


def test_dictionary_is_complete_and_unique():
    dictionary = data_dictionary()
    assert list(dictionary.columns) == ["name", "unit", "dtype", "meaning", "source", "inputs"]
    assert not dictionary["name"].duplicated().any()
    assert (dictionary[["name", "dtype", "meaning", "source"]] != "").all().all()
    for kind in ("tracks", "events"):
        for name in empty_table(kind).columns:
            assert describe(name) is not None, name


def test_dictionary_finds_templates_and_pixels():
    assert describe("mean_tumour")["name"] == "mean_{channel}"
    assert describe("y_px")["name"] == "y_um" and describe("y_px")["unit"] == "px"
    assert describe("no_such_column") is None


def test_a_table_in_parts_is_the_table(tmp_path):
    table = pd.DataFrame({"sample": "a", "track_id": np.arange(1, 40001), "area_um2": np.linspace(0.0, 1.0, 40000)})
    write_table(table, tmp_path / "whole.parquet")
    write_table_parts((table.iloc[k : k + 15000] for k in range(0, 40000, 15000)), tmp_path / "parts.parquet")
    pd.testing.assert_frame_equal(read_table(tmp_path / "parts.parquet"), read_table(tmp_path / "whole.parquet"))
    write_table_parts([table], tmp_path / "one.parquet")
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()


def test_a_part_with_other_columns_leaves_no_table(tmp_path):
    parts = [pd.DataFrame({"track_id": [1]}), pd.DataFrame({"frame": [1]})]
    with pytest.raises((KeyError, ValueError)):
        write_table_parts(parts, tmp_path / "parts.parquet")
    assert list(tmp_path.iterdir()) == []


def test_a_part_without_rows_may_come_first_or_be_all_there_is(tmp_path):
    table = pd.DataFrame({"sample": ["a", "a"], "track_id": [1, 2]})
    write_table_parts([table.iloc[:0].astype({"sample": object}), table, table.iloc[:0]], tmp_path / "parts.parquet")
    assert_frame_equal(read_table(tmp_path / "parts.parquet"), table, check_dtype=False)
    write_table_parts([table.iloc[:0], table.iloc[:0]], tmp_path / "none.parquet")
    none = read_table(tmp_path / "none.parquet")
    assert list(none.columns) == ["sample", "track_id"] and len(none) == 0
