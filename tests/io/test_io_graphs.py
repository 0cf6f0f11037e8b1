"""Lineages as geff, causal graphs as GraphML and JSON: read back by the formats' own readers."""

import json
from pathlib import Path

import geff
import networkx as nx
import numpy as np
import pandas as pd

from cytocause.io import empty_table, write_geff, write_graph_json, write_graphml


def lineage(unit="um"):
    """Mother 1 (frames 0, 1, gap at 2, 3) divides into 2 and 3; track 4 names a parent that is not in the table."""
    rows = [(1, 0, f) for f in (0, 1, 3)] + [(2, 1, 4), (2, 1, 5), (3, 1, 4), (4, 99, 0)]
    table = pd.DataFrame(rows, columns=["track_id", "parent_id", "frame"])
    table["time_min"] = table["frame"] * 10.0
    table["label"] = np.arange(len(rows)) + 1
    table[f"y_{unit}"] = table["frame"] + 0.25
    table[f"x_{unit}"] = table["track_id"] * 2.0
    return table


def test_geff_is_read_back_by_its_own_package(tmp_path):
    table = lineage().sample(frac=1, random_state=0)  # any order of rows
    write_geff(tmp_path / "lineage.geff", table, unit="um")
    geff.validate_structure(tmp_path / "lineage.geff")
    graph, metadata = geff.read(tmp_path / "lineage.geff")
    node = {(data["track_id"], data["frame"]): n for n, data in graph.nodes(data=True)}
    expected = {
        *[((1, 0), (1, 1)), ((1, 1), (1, 3)), ((2, 4), (2, 5))],
        *[((1, 3), (2, 4)), ((1, 3), (3, 4))],
    }
    assert set(graph.edges) == {(node[a], node[b]) for a, b in expected}
    assert graph.is_directed() and len(graph) == len(table)
    for data in graph.nodes.values():
        row = table[table["label"] == data["label"]].iloc[0]
        assert (data["t"], data["y"], data["x"]) == (row["time_min"], row["y_um"], row["x_um"])
    assert [(axis.name, axis.unit) for axis in metadata.axes] == [("t", "minute"), ("y", "micrometer"), ("x", "micrometer")]


def test_geff_in_pixels_and_empty(tmp_path):
    write_geff(tmp_path / "a.geff", lineage("px"), unit="px")
    assert geff.read(tmp_path / "a.geff")[1].axes[1].unit == "pixel"
    write_geff(tmp_path / "b.geff", empty_table("tracks", "px"), unit="px")
    graph, _ = geff.read(tmp_path / "b.geff")
    assert len(graph) == 0


def test_geff_again_gives_the_same_bytes(tmp_path):
    def content(folder):
        return {p.relative_to(folder): p.read_bytes() for p in Path(folder).rglob("*") if p.is_file()}

    write_geff(tmp_path / "a.geff", lineage(), unit="um")
    before = content(tmp_path / "a.geff")
    write_geff(tmp_path / "a.geff", lineage(), unit="um")  # over the old one
    assert content(tmp_path / "a.geff") == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.geff"]


def test_graphml_keeps_types_and_leaves_out_what_is_not_known(tmp_path):
    graph = nx.DiGraph()
    graph.add_edge("drug", "death", lag_frames=np.int64(3), lag_min=30.0, sign=None, strength=np.float64("nan"))
    write_graphml(graph, tmp_path / "g.graphml")
    back = nx.read_graphml(tmp_path / "g.graphml")
    assert back.edges["drug", "death"] == {"lag_frames": 3, "lag_min": 30.0}
    multi = nx.MultiDiGraph()
    multi.add_edge("a", "b", key="1", lag=1)
    multi.add_edge("a", "b", key="2", lag=2)
    write_graphml(multi, tmp_path / "m.graphml")
    assert sorted(d["lag"] for *_, d in nx.read_graphml(tmp_path / "m.graphml").edges(data=True)) == [1, 2]


def test_graph_json_is_sorted_and_has_no_nan(tmp_path):
    write_graph_json({"edges": [{"to": "b", "from": "a", "p": float("nan")}], "nodes": np.array([1, 2])}, tmp_path / "g.json")
    text = (tmp_path / "g.json").read_text()
    assert json.loads(text) == {"edges": [{"from": "a", "p": None, "to": "b"}], "nodes": [1, 2]}
    assert text.index('"from"') < text.index('"p"') < text.index('"to"')
