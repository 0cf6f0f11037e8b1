"""Room `track`: label stacks in, tracks with parents and cell type out.

    objects.py      masks -> one row per object and page        gates.py     how far a cell may move, from the movie
    hungarian.py    the optimum of one subnet                   linking.py   objects -> fragments (trackpy)
    divisions.py    fragments -> mothers and daughters          table.py     numbers and columns
    given.py        given tracks, checked                       corrections.py, celltype.py
    stage.py        the order of all this

The door is `link_movie` and `read_given`; names are loaded when first used.
"""

from importlib import import_module

_HOME = {
    "Objects": "objects",
    "objects_of_frame": "objects",
    "objects_of_stack": "objects",
    "automatic_search_range": "gates",
    "link_fragments": "linking",
    "hungarian_strategy": "hungarian",
    "find_divisions": "divisions",
    "correct_tracks": "corrections",
    "given_tracks": "given",
    "cell_types": "celltype",
    "link_movie": "stage",
    "read_given": "stage",
    "finish_tracks": "stage",
    "type_rule": "stage",
}


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module 'cytocause.track' has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__():
    return sorted(_HOME)
