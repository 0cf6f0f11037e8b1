"""Importing Cellpose without waiting for it.

Cellpose names fixed types for its numba functions, so that each import compiles all of them: 3.6 of its 5.8 CPU seconds,
in every job. Imported here, a function is compiled when it is first called, and kept in numba's cache.
"""

import sys


def cellpose():
    """The package `cellpose` with `models`, `dynamics`, `transforms` and `utils` imported."""
    if "cellpose.dynamics" not in sys.modules:
        import numba

        njit = numba.njit

        def when_called(*signature, **options):
            function = [given for given in signature if callable(given)]
            return njit(*function, **{**options, "cache": True})

        numba.njit = when_called
        try:
            import cellpose.dynamics
        finally:
            numba.njit = njit
    import cellpose.models
    import cellpose.transforms
    import cellpose.utils

    return cellpose
