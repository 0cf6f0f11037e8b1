"""What crosses rooms: movies, label stacks, tables with units, graphs, and the frame every stage script runs in.

Nothing else is shared. Names are loaded when first used, so that importing this package costs nothing
(no pandas, tifffile or zarr until a function needs them).
"""

from importlib import import_module

_HOME = {
    "InputDefect": "errors",
    "NothingFound": "errors",
    "atomic_path": "atomic",
    "atomic_dir": "atomic",
    "write_json": "atomic",
    "read_json": "atomic",
    "SCHEMA": "atomic",
    "SCHEMA_VERSION": "atomic",
    "Movie": "movies",
    "open_movie": "movies",
    "write_movie": "movies",
    "Labels": "labels",
    "open_labels": "labels",
    "write_labels": "labels",
    "write_label_channels": "labels",
    "write_empty_labels": "labels",
    "write_ctc": "labels",
    "LEVELS": "tables",
    "read_table": "tables",
    "write_table": "tables",
    "write_table_parts": "tables",
    "empty_table": "tables",
    "add_levels": "tables",
    "in_unit": "tables",
    "write_geff": "graphs",
    "write_graphml": "graphs",
    "write_graph_json": "graphs",
    "data_dictionary": "dictionary",
    "describe": "dictionary",
    "inputs_of": "dictionary",
    "definitional_pairs": "definitional",
    "is_definitional": "definitional",
    "look_back_min": "definitional",
    "run_stage": "stage",
    "progress": "stage",
    "code_hash": "provenance",
    "kernels_hash": "provenance",
}

__all__ = list(_HOME)


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module 'cytocause.io' has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return __all__
