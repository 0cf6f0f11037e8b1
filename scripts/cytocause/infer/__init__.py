"""From a table of trajectories to a time-lagged causal graph: temporal MIIC in numba. The public door.

    infer                    table -> CausalGraph
    mutual_information, three_point_information, optimal_bins      columns -> nats
    estimate_dynamics        table -> layers and stride

Names are loaded when first used, so that importing the package compiles nothing.
"""

from importlib import import_module

_HOME = {
    "infer": "engine",
    "CausalGraph": "engine",
    "mutual_information": "information",
    "three_point_information": "information",
    "optimal_bins": "information",
    "Information": "information",
    "ThreePoint": "information",
    "estimate_dynamics": "dynamics",
    "Dynamics": "dynamics",
}

__all__ = list(_HOME)


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__():
    return __all__
