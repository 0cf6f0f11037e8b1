"""From a table to a causal graph: the steps in their order.

    table -> grid -> layers -> unfolded rows -> pairs -> contributors -> (confidence) -> orientation -> tables
"""

import logging
import time as clock
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from . import compact as compacting
from .confidence import confidences
from .consistency import consistent_graph
from .estimates import Book, default_threads
from .orientation import orient
from .settings import read_seed, read_settings
from .skeleton import Graph, initialise, restart, thin
from .summary import edge_rows, raw_rows, triple_rows
from .table import read_data
from .unfolding import unfold

logger = logging.getLogger("cytocause")
MUCH_WORK = 3e8  # pairs times rows above which the time to expect is said beforehand
SECONDS_PER_ROW_AND_PAIR = 3.6e-6  # of a dense graph, as measured on cells_ts N=46,800 (56 CPU s); sparse ones take a tenth


@dataclass
class CausalGraph:
    """What infer() returns.

    edges, raw, triples: DataFrames (spec 6.4); nodes: DataFrame name, role, kind, unit; run: dict of parameters,
    versions, warnings and timings (seconds).
    """

    edges: pd.DataFrame
    raw: pd.DataFrame
    triples: pd.DataFrame
    nodes: pd.DataFrame
    stationarity: pd.DataFrame
    run: dict = field(default_factory=dict)

    def compact(self, self_loops=True):
        """One row per (source, target, lag), older end first; see compact.compact_rows."""
        return compacting.compact_rows(self.edges, self.nodes, self.run["unfolded"], self_loops)

    def combined(self, method="combine"):
        """One row per pair of variables: "combine" all lags, or the strongest only ("unique", "drop" without lag)."""
        return compacting.combine_rows(self.compact(), method)

    def matrices(self):
        """(marks, heads): the kept edges as two DataFrames (nodes, nodes), nodes of the unfolded table on both sides.

        marks, int: 2 row -> column, -2 column -> row, 6 both heads, 1 undirected, 0 no edge. heads, float64: P(head at the
        column's node), NaN without an edge. Source: spec 1.2, 5.4, 5.6.
        """
        nodes = list(self.run["unfolded"])
        marks = pd.DataFrame(0, index=nodes, columns=nodes)
        heads = pd.DataFrame(np.nan, index=nodes, columns=nodes)
        for edge in self.edges[self.edges["type"] == "P"].to_dict("records"):
            x, y, mark = edge["x"], edge["y"], int(edge["ort_inferred"])
            marks.loc[x, y], marks.loc[y, x] = mark, -mark if abs(mark) == 2 else mark
            heads.loc[x, y], heads.loc[y, x] = edge["p_x2y"], edge["p_y2x"]
        return marks, heads

    def to_networkx(self):
        """The compact graph as a networkx MultiDiGraph, keys are lags."""
        return compacting.to_networkx(self.compact(), self.nodes)

    def to_json(self):
        """The compact graph as plain lists and dicts (graph.json)."""
        return compacting.to_json(self.compact(), self.nodes, self.run["parameters"])


def infer(
    table, variables=None, config=None, *, trajectory="trajectory", time="time", seed=0, threads=None, progress=None
):
    """Causal graph of a table.

    table: DataFrame, one row per (trajectory, time), or workflow.TableFile; time None: a static table. trajectory: a column,
    which must be there unless it is called "trajectory"; without one a new trajectory starts where time goes back.
    variables: DataFrame with name and any of kind, role, levels, n_layers, delta_t, mov_avg; None takes every column but
    trajectory and time. config: dict of the parameters of settings.py, unknown ones refused. seed: of shuffles and jitter,
    0 to 2^64 - 1 (0: the config's, else 0); threads: default all that numba may use. progress(what, done, total) is
    called now and then.
    Returns CausalGraph; equal input gives equal tables whatever the threads. Raises ValueError, TypeError naming
    column and row. Source: spec sections 1 to 6.
    """
    config = dict(config or {})
    seed = read_seed(seed or config.get("seed") or 0)
    threads = int(threads or config.get("threads") or config.get("n_threads") or default_threads())
    mode = config.get("mode")
    if mode not in (None, "S", "TS") or (mode is not None and (mode == "TS") != (time is not None)):
        raise ValueError(f"mode is {mode!r} but time is {time!r}; a temporal graph (TS) has a time column, a static one (S) none.")
    settings = read_settings(config)
    report = progress or (lambda what, done, total: None)
    timings = dict.fromkeys(("pre", "init", "iter", "cut", "ort", "post"), 0.0)
    begin = last = clock.perf_counter()

    def lap(name):
        nonlocal last
        now = clock.perf_counter()
        timings[name] += now - last
        last = now

    data = read_data(table, variables, trajectory=trajectory, time=time, sample_weights=config.get("sample_weights"))
    warnings = data.warnings
    unfolded = unfold(data, settings, warnings)
    if (unfolded.codes >= 0).all():
        # the numbers are only asked for by the test of missing values
        for variable in data.variables:
            variable.forget_rows()
    lap("pre")
    graph = Graph(unfolded, settings)
    long = long_work(len(graph.edges), unfolded.codes.shape, threads)
    if long:
        logger.warning("%s", long)  # now, not when it is over
    book = Book(unfolded, settings, threads, seed)
    try:
        initialise(graph, book, report)
        lap("init")

        def once():
            thin(graph, book, report)
            lap("iter")
            if settings.n_shuffles:
                confidences(graph, book, settings.n_shuffles, settings.conf_threshold, report)
                lap("cut")
            oriented = orient(graph, book)
            lap("ort")
            return oriented

        consensus = None
        if settings.consistent == "no":
            oriented = once()
        else:
            oriented, consensus = consistent_graph(graph, once, lambda: restart(graph), settings, warnings)
        edges = edge_rows(graph, book, oriented, settings, consensus)
        raw = raw_rows(graph, book)
        triples = triple_rows(graph, oriented)
        stationarity = compacting.repeated_rows(edges, unfolded, graph) if unfolded.temporal else edges[edges["type"] == "P"]
    finally:
        book.close()
    nodes = pd.DataFrame(
        [(v.name, v.role, v.kind, v.unit) for v in data.variables], columns=["name", "role", "kind", "unit"]
    )
    lap("post")
    timings["total"] = clock.perf_counter() - begin
    for text in warnings:
        logger.warning("%s", text)
    if long:
        warnings.append(long)
    run = {
        "parameters": _parameters(settings, unfolded, data, seed, graph, book),
        "unfolded": {
            name: {
                "variable": data.variables[unfolded.base[k]].name,
                "lag": None if unfolded.contextual[k] or not unfolded.temporal else int(unfolded.lag[k]),
            }
            for k, name in enumerate(unfolded.names)
        },
        "counts": {
            "rows": int(unfolded.codes.shape[1]),
            "trajectories": int(data.starts.size - 1) if data.temporal else None,
            "nodes": len(unfolded),
            "pairs": len(graph.edges),
            "estimates": book.computed,
            "edges": int((edges["type"] == "P").sum()),
        },
        "versions": _versions(),
        "warnings": list(warnings),
        "threads": threads,
        "timings": timings,
    }
    return CausalGraph(edges, raw, triples, nodes, stationarity, run)


def long_work(pairs, shape, threads):
    """What is said of a table that will take long, before the work begins; None of one that will not.

    pairs: tested pairs; shape: (nodes, rows).
    """
    nodes, rows = shape
    if pairs * rows < MUCH_WORK:
        return None
    minutes = pairs * rows * SECONDS_PER_ROW_AND_PAIR / threads / 60
    return (
        f"{pairs:,} pairs of {nodes} nodes on {rows:,} rows: with {threads} thread(s) expect {max(1, round(0.1 * minutes)):,} to "
        f"{round(minutes):,} minutes, the more the denser the graph, and about {nodes * rows * 4 / 1e6 + rows * 408 / 1e6:,.0f} MB. "
        "Fewer variables, fewer layers (n_layers) or longer time steps make it shorter; Ctrl-C stops it cleanly."
    )


def _parameters(settings, unfolded, data, seed, graph, book):
    """All settings as they were used, and the window in force; the same for any number of threads."""
    from dataclasses import asdict

    out = asdict(settings)
    out["black_box"] = [list(row) for row in settings.black_box]
    out["read_from"] = [list(row) for row in settings.read_from]
    out["ort_consensus_ratio"] = settings.consensus_ratio
    out["seed"] = seed
    out["mode"] = "TS" if unfolded.temporal else "S"
    if unfolded.temporal:
        lagged = [k for k, v in enumerate(data.variables) if v.role != "contextual"]
        out["n_layers"] = max(unfolded.n_layers[k] for k in lagged)
        out["delta_t"] = max(unfolded.delta_t[k] for k in lagged)
        out["time_step"] = data.step
        out["relaxation"] = unfolded.relaxation
        out["variables"] = {
            v.name: {"n_layers": unfolded.n_layers[k], "delta_t": unfolded.delta_t[k]}
            for k, v in enumerate(data.variables)
        }
    rows = float(unfolded.codes.shape[1])
    out["n_eff"] = float(unfolded.weights.sum()) if unfolded.weights.size else unfolded.n_eff or rows
    out["n_eff_by"] = "table"
    if unfolded.shares is not None:
        out["n_eff_by"] = settings.n_eff
        # what a typical pair is worth; the table of edges gives the size of each
        out["n_eff"] = float(np.median([book.weight_of(x, y) * rows for x, y in graph.edges])) if graph.edges else rows
    return out


def _versions():
    import platform
    from importlib.metadata import version

    from cytocause import __version__

    return {
        "cytocause": __version__,
        # asked of the installation: a module that imports the compiler itself would count among the kernels, and all it imports with it
        "numba": version("numba"),
        "numpy": np.__version__,
        "pandas": pd.__version__,
        "python": platform.python_version(),
    }


def empty_graph(variables, reason):
    """A CausalGraph without edges, for a table from which nothing can be inferred; the reason is among the warnings."""
    from .compact import COMPACT  # noqa: F401  (the columns of the compact form are fixed there)
    from .summary import EDGES, RAW, TRIPLES

    nodes = pd.DataFrame(variables if variables is not None else [], columns=["name", "role", "kind", "unit"])
    run = {"parameters": {}, "unfolded": {}, "counts": {"edges": 0}, "versions": _versions(), "warnings": [reason]}
    edges = pd.DataFrame(columns=list(EDGES))
    return CausalGraph(edges, pd.DataFrame(columns=list(RAW)), pd.DataFrame(columns=list(TRIPLES)), nodes, edges, run)
