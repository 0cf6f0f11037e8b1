"""Tables with units: Parquet (canonical) and TSV or CSV (given by people), the same bytes for the same table.

Units of the columns come from the data dictionary and travel in the Parquet schema metadata, with the version of the
schema: a table written by a version with other columns is refused by name instead of failing somewhere later.
"""

import json
import re
from pathlib import Path

from cytocause.io.atomic import SCHEMA, SCHEMA_VERSION, atomic_path, check_version
from cytocause.io.errors import InputDefect

ROW_GROUP = 1 << 14  # rows of a Parquet file that are packed at once
LEVELS = ("date", "donor", "chip", "position", "region", "control")

_TEXT = {"sample", "population", "cell_type", "event", "source", "reason", "annotator", "action", *LEVELS}
_IDENTITY = {
    "track_id": "int64",
    "parent_id": "int64",
    "frame": "int32",
    "time_min": "float64",
    "label": "int32",
}
_KINDS = {
    "tracks": ["sample", "track_id", "parent_id", "frame", "time_min", "label", "y_um", "x_um", "cell_type", "source"],
    "cells": [
        *["sample", "population", "track_id", "frame", "time_min", "label", "y_um", "x_um", "cell_type"],
        *["area_um2", "equivalent_diameter_um", "major_axis_um", "minor_axis_um", "eccentricity"],
        *["perimeter_um", "circularity", "border", "shape_change_um_min", "speed_um_min", "displacement_um"],
        *["path_um", "directionality", "speed_smooth_um_min"],
    ],
    "events": ["sample", "track_id", "event", "frame", "time_min", "confidence", "source", "reason"],
}


def read_table(path, columns=None):
    """Read a table; the format follows the name: .parquet, .csv, .tsv, .txt (tab), each text form also .gz.

    columns : read only these (Parquet reads nothing else from the disk)

    Raises InputDefect naming the file when it is absent, broken, empty of columns or of another schema version.
    """
    import pandas as pd

    path = Path(path)
    if not path.exists():
        raise InputDefect("The table does not exist.", file=path, todo="Check its path.")
    if path.stat().st_size == 0:
        raise InputDefect("The table is an empty file (0 bytes).", file=path, todo="Export it again.")
    kind = _format(path)
    if kind == "parquet":
        return _read_parquet(path, columns)
    try:
        header = pd.read_csv(path, sep=kind, nrows=0, encoding="utf-8-sig")
        _check_columns(columns, header.columns, path)
        text = {name: str for name in header.columns if name in _TEXT}
        df = pd.read_csv(path, sep=kind, dtype=text, usecols=columns, encoding="utf-8-sig", float_precision="round_trip")
    except InputDefect:
        raise
    except (ValueError, EOFError, OSError, pd.errors.ParserError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise InputDefect(
            f"The table cannot be read ({_first_line(error)}).",
            file=path,
            todo="Check that it is complete and that its columns are separated as its name says (.tsv: tabs, .csv: commas).",
        ) from None
    for name in text:
        if name in df.columns:
            df[name] = df[name].fillna("")
    return df


def _read_parquet(path, columns):
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            version = (file.schema_arrow.metadata or {}).get(SCHEMA.encode())
            check_version(version and version.decode(), "table", path)
            names = [name for name in file.schema_arrow.names if columns is None or name in columns]
            _check_columns(columns, file.schema_arrow.names, path)
            # column by column: the peak is the table and one column, not the table three times
            read = {name: _column(file.read(columns=[name], use_threads=False)) for name in names}
            n_rows = file.metadata.num_rows
        pa.default_memory_pool().release_unused()  # else the reader keeps about as much as it gave
    except MemoryError:  # also Arrow's own, which is an ArrowException too: the machine's defect, not the file's
        raise
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise InputDefect(
            f"The table is broken or is not Parquet ({_first_line(error)}).",
            file=path,
            todo="Delete it and run again; if it was given, export it again.",
        ) from None
    return pd.DataFrame(read, index=pd.RangeIndex(n_rows), copy=False)


def _check_columns(wanted, found, path):
    absent = [name for name in wanted or [] if name not in found]
    if absent:
        raise InputDefect(
            f"The table has no column {' and no column '.join(absent)}; it has {', '.join(map(str, found))}.",
            file=path,
            todo="Name its columns as the README says.",
        )


def _column(table):
    return table.to_pandas(ignore_metadata=True, self_destruct=True, use_threads=False).iloc[:, 0]


def write_table(df, path):
    """Write a table; the format follows the name: .parquet (zstd), .tsv or .csv. Atomic; equal tables give equal bytes.

    Parquet carries the unit of every column that the data dictionary knows, and the schema version.
    """
    path = Path(path)
    kind = _format(path)
    with atomic_path(path) as temporary:
        if kind == "parquet":
            _write_parquet([df], temporary)
        else:
            df.to_csv(temporary, sep=kind, index=False, lineterminator="\n", compression=None)


def write_table_parts(parts, path):
    """Write the rows of several tables below each other as one Parquet table, one of them in memory at a time. Atomic.

    parts : iterable of DataFrames, at least one, with the columns and types of the first; parts without rows may have other types
    """
    with atomic_path(Path(path)) as temporary:
        _write_parquet(_with_rows(parts), temporary)


def _with_rows(parts):
    """Parts that have rows, or the first where none has: a text column without a row has no type that others could follow."""
    empty = None
    any_rows = False
    for part in parts:
        if len(part):
            any_rows = True
            yield part
        elif empty is None:
            empty = part
    if not any_rows:
        yield empty


def _write_parquet(parts, path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    from cytocause.io.dictionary import describe

    parts = iter(parts)
    df = next(parts)
    first = pa.Schema.from_pandas(df, preserve_index=False)
    units = {name: row["unit"] for name in first.names if (row := describe(name)) and row["unit"]}
    fields = []
    for field in first:
        if pa.types.is_dictionary(field.type) or pa.types.is_large_string(field.type) or pa.types.is_null(field.type):
            field = field.with_type(pa.string())
        fields.append(field.with_metadata({"unit": units[field.name]} if field.name in units else None))
    metadata = {SCHEMA: SCHEMA_VERSION, "units": json.dumps(units, sort_keys=True)}
    schema = pa.schema(fields, metadata)
    with pq.ParquetWriter(path, schema, compression="zstd", store_schema=True) as writer:
        while df is not None:
            # row group by row group, or the whole table is in memory a second time
            for start in range(0, max(len(df), 1), ROW_GROUP):
                part = pa.Table.from_pandas(df.iloc[start : start + ROW_GROUP], schema=first, preserve_index=False, nthreads=1)
                writer.write_table(part.cast(pa.schema(fields)).replace_schema_metadata(metadata), row_group_size=ROW_GROUP)
            df = next(parts, None)


def empty_table(kind, unit="um"):
    """A table with no rows, and the columns and dtypes of `kind`: "tracks" | "cells" | "events"; lengths in `unit`."""
    import pandas as pd

    return pd.DataFrame({in_unit(name, unit): pd.Series([], dtype=_dtype(name)) for name in _KINDS[kind]})


def _dtype(name):
    if name in _TEXT:
        return "object"
    return _IDENTITY.get(name, "bool" if name == "border" else "float64")


def add_levels(df, levels):
    """The table with a text column for each given level (date, donor, chip, position, region, control) at its end.

    levels : dict; values None or "" and names that are no level are left out
    """
    given = {name: str(levels[name]) for name in LEVELS if levels.get(name) not in (None, "")}
    return df.assign(**given) if len(df) else df.assign(**{name: df["sample"].astype(object) for name in given})


def in_unit(name, unit):
    """A column's name in `unit`: "speed_um_min" -> "speed_px_min" when unit is "px"; unchanged when it is "um"."""
    if unit == "um":
        return name
    if unit != "px":
        raise ValueError(f"unit is {unit!r}; expected 'um' or 'px'")
    return re.sub(r"_um(?=2?(?:_|$))", "_px", name)


def _format(path):
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    last = suffixes[-1] if suffixes else ""
    known = {".parquet": "parquet", ".tsv": "\t", ".txt": "\t", ".csv": ","}
    if last not in known:
        raise InputDefect(
            f"The table's name ends in {last!r}; expected one of .parquet, .tsv, .csv (or .tsv.gz, .csv.gz).",
            file=path,
            todo="Rename or convert it.",
        )
    return known[last]


def _first_line(error):
    return (str(error).splitlines() or [type(error).__name__])[0]
