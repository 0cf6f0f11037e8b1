"""Writing that is either finished or not there.

    result.json  <-- rename --  .tmp-result.json   (same folder, so the rename is one step of the file system)

A killed process leaves at most a `.tmp-` file, which the next attempt overwrites.
"""

import json
import math
import os
import shutil
import time
from contextlib import contextmanager
from pathlib import Path

SCHEMA = "cytocause_schema"  # the key under which a file that another stage reads says its version
SCHEMA_VERSION = "1"


@contextmanager
def atomic_path(path):
    """Temporary path beside `path` with the same suffixes; renamed to `path` on success, removed on error."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".tmp-{path.name}")
    _remove(temporary)
    try:
        yield temporary
        _sync(temporary)
        os.replace(temporary, path)
    except BaseException:
        _remove(temporary)
        raise
    _sync(path.parent)


@contextmanager
def atomic_dir(path):
    """Temporary, existing, empty directory beside `path`; takes the place of `path` on success, removed on error."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".tmp-{path.name}")
    _remove(temporary)
    temporary.mkdir()
    try:
        yield temporary
        for folder, _, names in os.walk(temporary):
            for name in names:
                _sync(Path(folder, name))
        _remove(path)  # a directory cannot be renamed over one that is not empty
        os.replace(temporary, path)
    except BaseException:
        _remove_for_good(temporary)
        raise
    _sync(path.parent)


def write_json(obj, path):
    """Write `obj` as JSON: sorted keys, NaN and infinity as null, numpy scalars and arrays as plain numbers; atomic."""
    text = json.dumps(plain(obj), sort_keys=True, indent=1, allow_nan=False, ensure_ascii=False)
    with atomic_path(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path):
    """The object in a JSON file.

    Raises InputDefect when the file is absent, is not JSON, or says that it is of another schema version.
    """
    from cytocause.io.errors import InputDefect

    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputDefect("The file does not exist.", file=path, todo="Check its path.") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputDefect(
            f"The file is not valid JSON ({error}).", file=path, todo="Delete it and run again, or mend it."
        ) from None
    check_version(found.get(SCHEMA) if isinstance(found, dict) else None, "file", path)
    return found


def check_version(version, what, path):
    """Raise InputDefect where a file (`what`: "table" ...) says that it is of another schema version than this one; None says nothing."""
    from cytocause.io.errors import InputDefect

    if version is not None and version != SCHEMA_VERSION:
        raise InputDefect(
            f"The {what} was written with {what} schema {version}, this version of cytocause reads {SCHEMA_VERSION}.",
            file=path,
            todo="Move the old results away (or delete them) and run again, or go back to the version that wrote them.",
        )


def plain(obj):
    """`obj` in types that JSON knows: dict keys as str, tuples and arrays as lists, NaN and infinity as None."""
    if obj is None or isinstance(obj, (str, bool)):
        return obj
    if isinstance(obj, dict):
        return {str(key): plain(value) for key, value in obj.items()}
    if isinstance(obj, (list, tuple)):
        return [plain(value) for value in obj]
    if isinstance(obj, (set, frozenset)):
        return sorted(plain(value) for value in obj)
    if isinstance(obj, os.PathLike):
        return os.fspath(obj)
    if isinstance(obj, int):
        return int(obj)
    if isinstance(obj, float):
        return float(obj) if math.isfinite(obj) else None
    if hasattr(obj, "tolist"):  # numpy scalars and arrays, pandas Series
        return plain(obj.tolist())
    raise TypeError(f"cannot write a {type(obj).__name__} as JSON: {obj!r}")


def _remove_for_good(folder, *, rounds=10, pause_s=0.05):
    """Remove a folder that threads may still be writing to: zarr's do so for a moment after one of them met a full disk."""
    for _ in range(rounds):
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(pause_s)
    shutil.rmtree(folder, ignore_errors=True)


def _remove(path):
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _sync(path):
    """Have the bytes on the disk before the name points at them (directories too, where the system allows it)."""
    if path.is_dir():  # or a link to one: results may lie on another disk
        if os.name == "nt":
            return
        handle = os.open(path, os.O_RDONLY)
    else:
        handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (22, 95):  # EINVAL, ENOTSUP: a file system without fsync for directories
            raise
    finally:
        os.close(handle)
