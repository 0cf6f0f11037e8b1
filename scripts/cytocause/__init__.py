"""cytocause: from raw time-lapse microscopy to temporal causal graphs.

One room per stage (simulate, prepare, segment, track, measure, fate, assemble, infer, report, score) and `io`, which they share.

Importing the package points numba's disk cache at a folder named after all kernels, whether numba is imported already or not:
numba's own index looks at the file of the compiled function only, so an edited callee in another file would go on giving the old answer.
"""

import os
import sys
import tempfile
from pathlib import Path

__version__ = "0.1.0"


def _key_numba_cache():
    """Set NUMBA_CACHE_DIR to <base>/<kernels_hash>, once per process tree.

    The base is $NUMBA_CACHE_DIR, else $XDG_CACHE_HOME/cytocause/numba, else ~/.cache/cytocause/numba, else a folder of the user's under
    the temporary directory where none of these can be written. A process started by this one finds the folder already keyed.
    """
    from cytocause.io.provenance import kernels_hash

    key = kernels_hash()
    base = os.environ.get("CYTOCAUSE_NUMBA_BASE") or os.environ.get("NUMBA_CACHE_DIR")
    if not base:
        base = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "cytocause", "numba")
    folder = Path(base) / key
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK)
    except OSError:
        writable = False
    if not writable:
        folder = Path(tempfile.gettempdir()) / f"cytocause-numba-{os.getuid()}" / key
        folder.mkdir(parents=True, exist_ok=True)
    # The base is kept beside the keyed folder: a child process with other kernels keys from the base, not from its parent's folder.
    os.environ["CYTOCAUSE_NUMBA_BASE"] = str(folder.parent)
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    loaded = getattr(sys.modules.get("numba"), "config", None)
    if loaded is not None:  # it has read the environment already
        loaded.CACHE_DIR = str(folder)


_key_numba_cache()
