"""The true graph: every link on the simulator's own step, hidden nodes and earlier lives included."""

import json

from cytocause.simulate import truth_graph
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
    earlier = next(name for name, n in nodes.items() if n.get("induced"))
    assert ("treatment", earlier) in links and (earlier, "size") in links and ("CAF_presence", earlier) in links
    # CAF acts on size itself as well, and on division through size: only the drug acts through earlier lives alone
    assert graph["induced"] == [["treatment", "area_um2"]]
    null, _, links = dag("null")
    assert null["induced"] == [] and ("treatment", earlier) not in links


def test_the_graph_on_finer_steps_has_longer_lags():
    _, _, links = dag(interval=5.0)
    assert links["contact", "death"] == 6 and links["mitosis", "division_event"] == 8
