"""The true graph: every link on the simulator's own step, hidden nodes and earlier lives included."""

import itertools
import json

import numpy as np

from cytocause.score.false_edges import false_edges
from cytocause.simulate import truth_graph
from cytocause.simulate.cells import DYING
from tests.simulate import worlds


def dag(name="tumour_on_chip", **changes):
    graph = truth_graph(worlds.model(name), changes.get("interval", 10.0))
    return graph, {n["name"]: n for n in graph["dag"]["nodes"]}, {(e["source"], e["target"]): e["lag_frames"] for e in graph["dag"]["links"]}


def test_every_edge_is_a_link_and_hazards_lead_to_the_events_that_are_seen():
    graph, nodes, links = dag()
    assert graph["dag"]["step_min"] == 10.0
    assert {(e["source"], e["target"]): e["lag_frames"] for e in graph["edges"]}.items() <= links.items()
    assert nodes["mitosis"]["hidden"] and nodes["mitosis"]["observed"] is None
    seen = {n["observed"]: name for name, n in nodes.items() if n["observed"]}
    assert links["mitosis", seen["division"]] == 4 and links["death", seen["death"]] == 0
    assert all(links[seen[event], seen[event]] == 1 for event in ("division", "death"))  # a state stays
    assert {end for link in links for end in link} <= set(nodes)
    json.dumps(graph, allow_nan=False)


def test_offsets_of_cells_and_chips_are_hidden_and_constant():
    _, nodes, links = dag()
    for name in ("size_cell_effect", "speed_cell_effect", "size_chip_effect", "contact_chip_effect"):
        assert nodes[name]["hidden"] and nodes[name]["constant"]
        assert links[name, name.split("_")[0]] == 0
    assert not nodes["speed_memory"]["constant"] and links["speed_memory", "speed_memory"] == 1


def test_earlier_lives_join_what_acts_on_division_with_size():
    graph, nodes, links = dag()
    earlier = "earlier_lives"
    assert nodes[earlier]["induced"] and nodes[earlier]["constant"] and nodes[earlier]["hidden"]
    assert ("treatment", earlier) in links and (earlier, "size") in links and ("CAF_presence", earlier) in links
    # CAF acts on size itself as well, and on division through size: only the drug acts through earlier lives alone
    assert ["treatment", "area_um2"] in graph["induced"] and ["CAF_presence", "area_um2"] not in graph["induced"]
    null, _, links = dag("null")
    assert null["induced"] == [] and ("treatment", earlier) not in links


def test_what_acts_on_the_number_of_cells_acts_on_contact_and_density_through_the_neighbours():
    graph, nodes, links = dag("drug_only")
    others = "lives_of_neighbours"
    assert nodes[others]["induced"] and nodes[others]["hidden"] and not nodes[others]["constant"]
    assert links["treatment", others] == 0 and links[others, others] == 1 and links[others, "contact"] == 1
    assert ("CAF_presence", others) not in links and ("fitness", others) not in links  # of the cell, not of its neighbours
    assert ["treatment", "n_immune_r1"] in graph["induced"] and ["CAF_presence", "n_immune_r1"] not in graph["induced"]
    full, _, links = dag("full")
    assert links[others, "density"] == 1 and ["treatment", "n_tumour_r2"] in full["induced"]
    assert ["treatment", "n_immune_r1"] not in full["induced"]  # written in the model: the drug draws immune cells


def test_a_drug_that_kills_is_not_falsely_said_to_act_on_contact_and_density():
    """Fewer cells share the immune cells: the drug's effect on contact is real, and written nowhere in the model."""
    cfg = {"death_tolerance_min": 30.0, "death_tolerance_frames": 3}

    def said(model, *edges, lag_min=None):
        names = ("treatment", "CAF_presence", "area_um2", "eccentricity", "speed_um_min", "n_immune_r1", "n_tumour_r2", "death", "division")
        parameters = {"n_layers": 3, "delta_t": 2, "frames_per_step": 1.0, "frame_interval_min": 10.0, "variables": {n: {} for n in names}}
        rows = [{"source": a, "target": b, "mark_source": "tail", "mark_target": "arrow", "lag_min": lag_min} for a, b in edges]
        found = {"nodes": [{"name": name, "role": "dynamic"} for name in names], "edges": rows, "parameters": parameters}
        return [edge[:2] for edge in false_edges(dag(model)[0], found, cfg)["edges"]]

    assert said("drug_only", ("treatment", "n_immune_r1"), ("CAF_presence", "n_immune_r1")) == [["CAF_presence", "n_immune_r1"]]
    assert said("full", ("treatment", "n_tumour_r2"), ("CAF_presence", "n_tumour_r2")) == []
    assert said("null", ("treatment", "n_immune_r1")) == [["treatment", "n_immune_r1"]]
    # shape > death > no contact any more > speed: only through what is left of a dead cell, so that shape does not act on speed
    assert said("full", ("eccentricity", "speed_um_min"), lag_min=20.0) == [["eccentricity", "speed_um_min"]]
    assert said("full", ("speed_um_min", "eccentricity"), lag_min=20.0) == []


def test_a_dead_cell_is_let_go_and_has_no_neighbours():
    _, nodes, links = dag("full")
    assert nodes["body"]["induced"] and nodes["body"]["hidden"]
    assert links["death_event", "body"] == 1 and links["body", "contact"] == links["body", "density"] == 0
    chip = worlds.chip(n_frames=40, seed=3)
    tumour = list(chip.history.tumour)
    checked = 0
    for before, after in itertools.pairwise(tumour):
        dying = after["track_id"][after["phase"] == DYING]
        then = np.isin(after["track_id"], np.intersect1d(dying, before["track_id"][before["phase"] == DYING]))
        assert (after["n_tumour_r2"][then] == 0).all()
        checked += then.sum()
    assert checked > 20


def test_the_graph_on_finer_steps_has_longer_lags():
    _, _, links = dag(interval=5.0)
    assert links["contact", "death"] == 6 and links["mitosis", "division_event"] == 8
