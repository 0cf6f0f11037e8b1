"""A simulated chip with its true masks, relabelled: links and divisions against the truth, by traccuracy."""

from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from cytocause.track import finish_tracks, link_movie, objects_of_stack
from tests.track.points import meta

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def chip():
    """Masks (T, C, Y, X) with pixel = true track, and the true tracks."""
    import yaml

    from cytocause.io.settings import fill_defaults
    from cytocause.simulate import SimulatedChip, parse_model

    cfg = {}
    fill_defaults(cfg, yaml.safe_load((ROOT / "workflow" / "schemas" / "simulate.schema.yaml").read_text()))
    cfg.update(seed=5, n_frames=60, height=200, width=200)
    path = ROOT / "resources" / "causal_models" / "tumour_on_chip.yaml"
    model = parse_model(path.read_text(encoding="utf-8"), source=path.name)
    simulated = SimulatedChip(model, cfg, "c", {"treatment": 0, "CAF_presence": 1})
    masks = np.stack([np.asarray(frame) for frame in simulated.label_frames()])
    return masks, simulated.tracks(), simulated.pixel_um


def graph(track, parent, frame, node, y, x):
    """networkx graph of tracks as traccuracy reads it; node names are given, so that truth and result share the positions."""
    found = nx.DiGraph()
    last = {}
    for k in np.lexsort((frame, track)):
        found.add_node(int(node[k]), t=int(frame[k]), y=float(y[k]), x=float(x[k]), segmentation_id=int(node[k]))
        before = last.get(int(track[k]), last.get(int(parent[k])))
        if before is not None:
            found.add_edge(before, int(node[k]))
        last[int(track[k])] = int(node[k])
    return found


@pytest.mark.parametrize("channel", [0, 1])
def test_links_and_divisions_of_true_masks(chip, channel, track_cfg):
    from traccuracy import TrackingGraph, run_metrics
    from traccuracy.matchers import PointMatcher
    from traccuracy.metrics import CTCMetrics, DivisionMetrics

    masks, tracks, pixel = chip
    name = ("tumour", "immune")[channel]
    stack = masks[:, channel]
    rng = np.random.default_rng(0)
    mixed = [np.r_[0, rng.permutation(stack.max()) + 1][frame] for frame in stack]
    info = meta(len(stack), size=200, pixel=pixel)
    columns, _ = link_movie(objects_of_stack(mixed), info, {**track_cfg, "population": name})
    df = finish_tracks(columns, info, {**track_cfg, "population": name})
    y, x = df["y_um"].to_numpy() / pixel, df["x_um"].to_numpy() / pixel
    frame = df["frame"].to_numpy()
    true = np.array([stack[f][mixed[f] == label][0] for f, label in zip(frame, df["label"])])
    mother_of = tracks[tracks["population"] == name].groupby("track_id")["parent_id"].first().to_dict()
    node = np.arange(len(df))
    found = TrackingGraph(graph(df["track_id"], df["parent_id"], frame, node, y, x), location_keys=("y", "x"))
    truth = TrackingGraph(graph(true, [mother_of[k] for k in true], frame, node, y, x), location_keys=("y", "x"))
    results, _ = run_metrics(
        gt_data=truth, pred_data=found, matcher=PointMatcher(threshold=0.5), metrics=[CTCMetrics(), DivisionMetrics(max_frame_buffer=1)]
    )
    links, divisions = results[0]["results"], results[1]["results"]["Frame Buffer 1"]
    assert links["LNK"] >= 0.99
    if name == "tumour":
        assert divisions["Total GT Divisions"] >= 5
        assert divisions["Division F1"] >= 0.92
    else:
        assert divisions["Total Predicted Divisions"] <= 1
