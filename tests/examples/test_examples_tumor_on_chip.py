"""The real tumour-on-chip experiment through the workflow: given tracks and hand-made events, from the sheet to the report."""

import pandas as pd
import pytest

from tests.examples import real

NAME = "tumor_on_chip"
REGIONS = {"20161230_pos5_roi9": (1, 0), "20170105_pos3_roi2": (0, 0)}  # a death with the drug; none without


@pytest.fixture(scope="module")
def results(data_root, tmp_path_factory):
    tree = tmp_path_factory.mktemp("tumor_on_chip") / "tree"
    edits = [("n_layers: 13", "n_layers: 3"), ("delta_t: 1\n", "delta_t: 5\n")]
    return real.run_example(tree, data_root, f"{NAME}/config.yaml", edits=edits, before=f"{NAME}/make_inputs.py", only=REGIONS)


def test_the_events_are_the_given_ones(results):
    for region in REGIONS:
        given = pd.read_csv(results / "inputs" / NAME / region / "events.csv")
        events = pd.read_parquet(results / "samples" / region / "tumour" / "events.parquet")
        called = events[events["event"] != "censored"]
        assert called[["track_id", "event", "frame"]].to_numpy().tolist() == given[["track_id", "event", "frame"]].to_numpy().tolist()
        assert (called["source"] == "given").all()


def test_the_conditions_reach_the_table(results):
    table = pd.read_parquet(results / "assemble" / "table.parquet")
    found = table.groupby("sample")[["treatment", "CAF_presence"]].agg(["min", "max"])
    for region, (treatment, caf) in REGIONS.items():
        assert found.loc[region].tolist() == [treatment, treatment, caf, caf]


def test_the_graph_has_edges_and_the_report_is_whole(results):
    edges = pd.read_csv(results / "infer" / "edges.tsv", sep="\t")
    assert len(edges) > 5 and {"lag_frames", "lag_min"} <= set(edges.columns)
    report = (results / "report.html").read_text()
    for word in (*REGIONS, "treatment", "CAF_presence", "net_displacement"):
        assert word in report, word
    assert report.rstrip().endswith("</html>")
    assert pd.read_csv(results / "failed_samples.tsv", sep="\t").empty
