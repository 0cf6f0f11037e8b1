"""Graphs in the formats that other programs read: geff for lineages, GraphML and JSON for causal graphs."""

import math

from cytocause.io.atomic import atomic_dir, atomic_path, write_json


def write_geff(folder, tracks, *, unit, time_unit="min"):
    """Write a track table as a lineage graph in the Graph Exchange File Format (zarr v2, spec 1.x).

    One node per row; an edge joins consecutive rows of a track, and the last row of a mother to the first of each
    daughter. Node properties t (time_min), y, x (in `unit`), frame, track_id, label; all arrays, no networkx.

    tracks : DataFrame with track_id, parent_id, frame, time_min, label, y_{unit}, x_{unit}
    unit   : "um" | "px"
    """
    import numpy as np
    from geff import GeffMetadata
    from geff.core_io import write_arrays
    from geff_spec import Axis

    needed = ["track_id", "parent_id", "frame", "time_min", "label", f"y_{unit}", f"x_{unit}"]
    rows = tracks[needed].sort_values(["track_id", "frame"], kind="stable")
    node_ids = np.arange(len(rows), dtype=np.uint64)
    edges = lineage_edges(rows["track_id"].to_numpy(np.int64), rows["parent_id"].to_numpy(np.int64))
    columns = {
        "t": rows["time_min"].to_numpy(np.float64),
        "y": rows[f"y_{unit}"].to_numpy(np.float64),
        "x": rows[f"x_{unit}"].to_numpy(np.float64),
        "frame": rows["frame"].to_numpy(np.int64),
        "track_id": rows["track_id"].to_numpy(np.int64),
        "label": rows["label"].to_numpy(np.int64),
    }
    space = "micrometer" if unit == "um" else "pixel"
    time = {"min": "minute", "s": "second", "h": "hour", "frame": "frame"}.get(time_unit, time_unit)
    metadata = GeffMetadata(
        directed=True,
        axes=[
            Axis(name="t", type="time", unit=time),
            Axis(name="y", type="space", unit=space),
            Axis(name="x", type="space", unit=space),
        ],
        node_props_metadata={},
        edge_props_metadata={},
        track_node_props={"tracklet": "track_id"},
    )
    with atomic_dir(folder) as temporary:
        temporary.rmdir()  # geff makes its own
        write_arrays(
            temporary,
            node_ids=node_ids,
            node_props={name: {"values": values, "missing": None} for name, values in columns.items()},
            edge_ids=edges.astype(np.uint64),
            edge_props={},
            metadata=metadata,
        )


def lineage_edges(track_id, parent_id):
    """Edges (E, 2) between row numbers of a table sorted by track_id and frame.

    track_id, parent_id : (n,) int64; parent_id 0 = none; a parent that is not in the table gives no edge
    """
    import numpy as np

    n = len(track_id)
    if n == 0:
        return np.zeros((0, 2), np.int64)
    same = np.flatnonzero(track_id[1:] == track_id[:-1])
    within = np.column_stack([same, same + 1])
    first = np.flatnonzero(np.r_[True, track_id[1:] != track_id[:-1]])
    last = np.r_[first[1:] - 1, n - 1]
    last_row = dict(zip(track_id[first].tolist(), last.tolist()))
    births = [
        (last_row[parent], row) for row, parent in zip(first.tolist(), parent_id[first].tolist()) if parent in last_row
    ]
    return np.concatenate([within, np.array(births, np.int64).reshape(-1, 2)])


def write_graphml(graph, path):
    """Write a networkx graph as GraphML; None attributes are left out, the format has no null; atomic."""
    import networkx as nx

    clean = graph.__class__()
    clean.add_nodes_from((node, _known(data)) for node, data in graph.nodes(data=True))
    if graph.is_multigraph():
        clean.add_edges_from((a, b, key, _known(data)) for a, b, key, data in graph.edges(keys=True, data=True))
    else:
        clean.add_edges_from((a, b, _known(data)) for a, b, data in graph.edges(data=True))
    with atomic_path(path) as temporary:
        nx.write_graphml_xml(clean, temporary, named_key_ids=True)


def _known(data):
    values = {key: value.item() if hasattr(value, "item") else value for key, value in data.items()}
    return {key: value for key, value in values.items() if not _missing(value)}


def _missing(value):
    return value is None or (isinstance(value, float) and math.isnan(value))


def write_graph_json(obj, path):
    """Write a graph given as plain lists and dicts (nodes, edges) as JSON; atomic, sorted keys."""
    write_json(obj, path)
