"""What infer leaves on disk: three tables, the graph twice, and how it was run. Times and dates are in run.json only."""

import shutil
import signal
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

from cytocause.io import write_graph_json, write_graphml, write_json, write_table

FILES = {
    "edges": "edges.tsv",
    "raw": "raw.tsv",
    "triples": "triples.tsv",
    "graphml": "graph.graphml",
    "json": "graph.json",
    "run": "run.json",
}


def write_graph(graph, paths):
    """Write a CausalGraph; paths: dict with any of edges, raw, triples, graphml, json, run. Each file is written whole."""
    for name in ("edges", "raw", "triples"):
        if name in paths:
            write_table(getattr(graph, name), paths[name])
    if "graphml" in paths:
        write_graphml(graph.to_networkx(), paths["graphml"])
    if "json" in paths:
        write_graph_json(graph.to_json(), paths["json"])
    if "run" in paths:
        write_json(graph.run, paths["run"])


def write_folder(graph, folder):
    """Write all of a CausalGraph into a folder, which is made: when it stops half-way, what was there before is still there."""
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    # a name that nobody has: what is in it is removed
    staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent))
    try:
        write_graph(graph, {name: staging / file for name, file in FILES.items()})
        with uninterrupted():
            folder.mkdir(exist_ok=True)
            for file in FILES.values():
                (staging / file).replace(folder / file)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def uninterrupted():
    """Let Ctrl-C pass without effect: the block takes no time, and what it would stop is done when it ends.

    Outside the main thread, where no signal arrives, nothing is changed.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
