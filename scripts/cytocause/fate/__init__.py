"""Room `fate`: measurements and lineage in, division and death events with confidence and censoring out.

    signals.py    what tells a dying cell             kernels.py    likelihood ratio of every onset
    deaths.py     change points -> deaths             divisions.py  lineage -> divisions, graded
    censoring.py  why other tracks end                given.py      given events and corrections win
    stage.py      the order of all this

It is called `death`: only a caspase or annexin channel could say apoptosis. The door is `find_fates` and `given_events`.
"""

from importlib import import_module

_HOME = {
    "find_fates": "stage",
    "given_events": "given",
    "find_death": "deaths",
    "lineage": "divisions",
    "events_table": "stage",
}


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module 'cytocause.fate' has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__():
    return sorted(_HOME)
